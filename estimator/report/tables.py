"""Tables as columns and rows of text, whoever shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from estimator.billing.costing import CostBreakdown, usd_text
from estimator.planning.promise import Rejection
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates


@dataclass(frozen=True, slots=True)
class Table:
    """A table to read.

    Parameters
    ----------
    title : str
        What it shows.
    columns : tuple of str
        Heads; one that begins with ``>`` is set to the right.
    rows : tuple of tuple of str
        Cells.
    footer : tuple of str
        A closing row, or nothing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] = ()


def bill_table(cost: CostBreakdown) -> Table:
    """Show a month's bill line by line.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    Table
        Charge, quantity, unit, rate, cost, SKU or why there is none, price date.
    """
    rows = tuple(
        (
            line.title,
            usd_text(line.list_cost),
            f"{line.pricing_quantity:,.2f}",
            line.pricing_unit,
            line.list_unit_price.replace(", ", "\n"),
            line.sku_text,
            line.published or "unknown",
        )
        for line in cost
    )
    total = f"{'at least ' if cost.is_lower_bound else ''}{cost.total_usd:,.2f}"
    return Table(
        f"Bill of a month of {cost.hours_per_month:g} hours in {cost.region}",
        ("Charge", ">USD/month", ">Quantity", "Unit", ">USD/unit", "SKU", "Price date"),
        rows,
        ("Total", total, "", "", "", "", ""),
    )


def rejections_table(rejections: Iterable[Rejection]) -> Table:
    """Show candidates that broke a limit.

    Parameters
    ----------
    rejections : iterable of Rejection
        In the order to show.

    Returns
    -------
    Table
        Candidate, bill and the broken limit.
    """
    rows = tuple((r.spec.describe(), usd_text(r.usd_per_month), r.reason) for r in rejections)
    return Table("Candidates that break the promise", ("Candidate", ">USD/month", "Why not"), rows)


def rates_rows(rates: Rates, every: bool = False) -> list[dict[str, Any]]:
    """List the rates of a region, the unknown ones too.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to add the rates without a row in ``PRICES``.

    Returns
    -------
    list of dict
        One for each priced dimension; an unknown one has ``known`` False and no price.
    """
    names = sorted(PRICES) + (sorted(set(rates.known) - set(PRICES)) if every else [])
    found = []
    for name in names:
        rate = rates.known.get(name)
        price = PRICES.get(name)
        unknown_usage_type = price.query.usage_type_in(rates.region) if price else ""
        found.append(
            {
                "price": name,
                "title": price.title if price else "",
                "known": rate is not None,
                "unit": rate.unit if rate else price.unit if price else "",
                "tiers": [{"begin": tier.begin, "usd_per_unit": tier.price} for tier in rate.tiers] if rate else [],
                "usage_type": (rate.usage_type if rate else unknown_usage_type) or "",
                "sku": rate.sku if rate else "",
                "published": rate.published.isoformat() if rate and rate.published else None,
                "provenance": rate.provenance if rate else None,
                "source": rate.source if rate else None,
            }
        )
    return found


def rates_table(rates: Rates, every: bool = False) -> Table:
    """Show the rates of a region, the unknown ones too.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to add the rates without a row in ``PRICES``.

    Returns
    -------
    Table
        Price, USD per unit, unit, SKU, date and provenance.
    """
    listed = rates_rows(rates, every)
    rows = tuple(
        (
            row["price"],
            rates.known[row["price"]].tiers_text().replace(", ", "\n") if row["known"] else "unknown",
            row["unit"],
            row["usage_type"],
            row["sku"],
            row["published"] or "",
            row["provenance"] or "",
        )
        for row in listed
    )
    unknown = sum(not row["known"] for row in listed)
    title = f"Rates of {rates.region}: {len(listed) - unknown} known, {unknown} unknown (snapshot {rates.snapshot})"
    return Table(title, ("Price", ">USD/unit", "Unit", "Usage type", "SKU", "Published", "Provenance"), rows)
