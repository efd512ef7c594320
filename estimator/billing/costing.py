"""Usage x Rates -> CostBreakdown."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charges import CHARGES, NOT_INCLUDED
from estimator.billing.month import BilledMonth
from estimator.errors import RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a month's bill.

    Parameters
    ----------
    charge : str
        Name of its row in ``CHARGES``.
    title : str
        What it is, in words.
    pricing_quantity : float
        Quantity of the month. [pricing unit]
    pricing_unit : str
        AWS's pricing unit.
    list_unit_price : str
        Price, or prices by tier; ``unknown`` if there is no rate. [USD/unit]
    list_cost : float or None
        Cost; None if there is no rate. [USD]
    sku : str
        AWS's SKU; empty if not known.
    usage_type : str
        AWS's usage type.
    published : str
        Publication date of the rate; empty if not known.
    provenance : str
        Where the rate was read from: ``api``, or said otherwise.
    formula : str
        How the quantity comes about.
    """

    charge: str
    title: str
    pricing_quantity: float
    pricing_unit: str
    list_unit_price: str
    list_cost: float | None
    sku: str
    usage_type: str
    published: str
    provenance: str
    formula: str

    @property
    def sku_text(self) -> str:
        """The SKU, or the reason why there is none; and whether the rate is not from AWS itself."""
        if self.list_cost is None:
            return "no rate known"
        origin = {"thirdparty-typed": "typed by a third party", "thirdparty-derived": "derived by a third party"}
        return ", ".join(filter(None, (self.sku or "not in the source", origin.get(self.provenance, ""))))


@dataclass(frozen=True)
class CostBreakdown:
    """A month's bill, line by line; lines of quantity 0 are left out.

    Parameters
    ----------
    region : str
        Region code.
    hours_per_month : float
        Length of the billed month. [h]
    lines : tuple of CostLine
        The lines, in the order of ``CHARGES``.
    requests : float
        Requests of the month. [requests]
    """

    region: str
    hours_per_month: float
    lines: tuple[CostLine, ...]
    requests: float

    def __iter__(self) -> Iterator[CostLine]:
        return iter(self.lines)

    @property
    def total_usd(self) -> float:
        """Sum of the known lines. [USD/month]"""
        return float(sum(line.list_cost or 0.0 for line in self.lines))

    @property
    def is_lower_bound(self) -> bool:
        """True if a line has no known rate, so that the bill is at least the total."""
        return any(line.list_cost is None for line in self.lines)

    @property
    def total_text(self) -> str:
        """The total, to read."""
        return f"{'at least ' if self.is_lower_bound else ''}${self.total_usd:,.2f} a month"

    @property
    def prices_published(self) -> str:
        """Oldest and newest publication date of the rates that were used."""
        dates = self._dates
        if not dates:
            return "on unknown dates"
        return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"

    @property
    def newest_published(self) -> str:
        """Newest publication date of the rates that were used; empty if none has one."""
        return self._dates[-1] if self._dates else ""

    @property
    def _dates(self) -> list[str]:
        return sorted({line.published for line in self.lines if line.published})

    @property
    def not_included(self) -> str:
        """What the bill leaves out."""
        return NOT_INCLUDED

    def to_frame(self) -> Any:
        """Return the bill as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each line. [USD/month]
        """
        import pandas as pd

        return pd.DataFrame([asdict(line) for line in self.lines])

    def to_dict(self) -> dict[str, Any]:
        """Return the bill as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "region": self.region,
            "hours_per_month": self.hours_per_month,
            "total_usd_per_month": self.total_usd,
            "is_lower_bound": self.is_lower_bound,
            "requests_per_month": self.requests,
            "lines": [asdict(line) for line in self.lines],
            "not_included": self.not_included,
        }

    def __str__(self) -> str:
        lines = [f"{line.title:36}{usd_text(line.list_cost):>12}  {line.sku_text}" for line in self.lines]
        return "\n".join([*lines, f"{'Total, ' + self.region:36}{self.total_text}"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(line.title)}</td><td align='right'>{line.pricing_quantity:,.2f}</td><td>{html.escape(line.pricing_unit)}</td>"
            f"<td>{html.escape(line.list_unit_price)}</td><td align='right'>{usd_text(line.list_cost)}</td>"
            f"<td>{html.escape(line.sku_text)}</td><td>{line.published}</td></tr>"
            for line in self.lines
        )
        head = "".join(
            f"<th>{name}</th>" for name in ("Charge", "Quantity", "Unit", "USD/unit", "USD/month", "SKU", "Price date")
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
            f"<tfoot><tr><th colspan='4'>Total, {html.escape(self.region)}</th><th>{html.escape(self.total_text)}</th><th></th><th></th></tr></tfoot></table>"
        )


def usd_text(cost: float | None) -> str:
    """Write an amount to read.

    Parameters
    ----------
    cost : float or None
        The amount. [USD]

    Returns
    -------
    str
        ``unknown`` for None and for what is not a number.
    """
    return "unknown" if cost is None or math.isnan(cost) else f"{cost:,.2f}"


@dataclass(frozen=True, eq=False)
class Bills:
    """The bills of many candidates.

    Parameters
    ----------
    quantity : dict of str to numpy.ndarray, shape (n_candidates,)
        Quantities by charge. [pricing unit]
    cost : dict of str to numpy.ndarray, shape (n_candidates,)
        Costs by charge; missing where the rate is unknown. [USD/month]
    total_usd : numpy.ndarray, shape (n_candidates,)
        Sums of the known lines. [USD/month]
    unknown : dict of str to RateNotFound
        Charges with a quantity and without a rate.
    """

    quantity: Mapping[str, NDArray[np.float64]]
    cost: Mapping[str, NDArray[np.float64]]
    total_usd: NDArray[np.float64]
    unknown: Mapping[str, RateNotFound]


def price_month(month: BilledMonth, rates: Rates) -> Bills:
    """Meter and price all candidates at once.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.
    rates : Rates
        The region's rates.

    Returns
    -------
    Bills
        Quantities, costs and totals; a rate is only looked up for a charge that has a quantity.
    """
    n = len(month.specs)
    quantity: dict[str, NDArray[np.float64]] = {}
    cost: dict[str, NDArray[np.float64]] = {}
    unknown: dict[str, RateNotFound] = {}
    total = np.zeros(n)
    for name, charge in CHARGES.items():
        amount = np.broadcast_to(np.asarray(charge.meter(month), dtype=np.float64), (n,))
        if not amount.any():
            continue
        quantity[name] = amount
        try:
            cost[name] = rates[charge.price].cost(amount)
        except RateNotFound as error:
            unknown[name] = error
        else:
            total = total + cost[name]
    return Bills(quantity, cost, total, unknown)


def breakdown(month: BilledMonth, bills: Bills, rates: Rates, candidate: int) -> CostBreakdown:
    """Write one candidate's bill line by line.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.
    bills : Bills
        Their bills.
    rates : Rates
        The region's rates.
    candidate : int
        Position of the candidate.

    Returns
    -------
    CostBreakdown
        Its bill.
    """
    lines = []
    for name, amounts in bills.quantity.items():
        amount = float(amounts[candidate])
        if amount == 0.0:
            continue
        charge = CHARGES[name]
        price = PRICES[charge.price]
        rate = rates.known.get(charge.price)
        lines.append(
            CostLine(
                charge=name,
                title=charge.title,
                pricing_quantity=amount,
                pricing_unit=price.unit,
                list_unit_price=rate.tiers_text(amount) if rate else "unknown",
                list_cost=float(bills.cost[name][candidate]) if name in bills.cost else None,
                sku=rate.sku if rate else "",
                usage_type=rate.usage_type if rate else price.query.usage_type_in(rates.region),
                published=rate.published.isoformat() if rate and rate.published else "",
                provenance=rate.provenance if rate else "",
                formula=charge.formula,
            )
        )
    return CostBreakdown(rates.region, month.hours, tuple(lines), month.requests)
