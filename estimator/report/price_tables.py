"""What is known of the prices of a region, one row for each SKU; how old it is; what a refresh, an import or another day changes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from estimator.pricing.catalog import PRICES
from estimator.pricing.changes import PriceChange
from estimator.pricing.coverage import family_of, provenance_text
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import Rate, Rates
from estimator.pricing.services import SERVICES
from estimator.report.tables import Table, rates_rows

if TYPE_CHECKING:
    import pandas as pd

#: A price that moved by more than three times, up or down, is to be looked at twice. [percent]
LEAP_UP_PERCENT, LEAP_DOWN_PERCENT = 200, -67
_HEADS = ("What it is", ">USD/unit", "Unit", "SKU", "Published", "Seen again", "From", "Service", "Usage type", "Price")
#: Families of newly known prices that a sentence names. [1]
_MOST_FAMILIES = 6


@dataclass(frozen=True, slots=True)
class PriceSummary:
    """How much is known of a region, and how old it is.

    Parameters
    ----------
    known, unknown : int
        Prices with and without a rate. [1]
    oldest, newest : datetime.date or None
        Days on which AWS published the first and the last of the rates.
    last_seen : datetime.date or None
        Day on which one of them was last seen on AWS's list.
    """

    known: int
    unknown: int
    oldest: dt.date | None
    newest: dt.date | None
    last_seen: dt.date | None


def price_summary(rates: Rates, every: bool = False) -> PriceSummary:
    """Count what is known of a region.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to count Savings Plans, CloudFront and data transfer to other regions too.

    Returns
    -------
    PriceSummary
        Counts and days.

    Examples
    --------
    >>> from estimator import load_rates
    >>> summary = price_summary(load_rates("eu-west-1"))
    >>> summary.known > 40, summary.oldest < summary.newest
    (True, True)
    """
    names = [row["price"] for row in rates_rows(rates, every)]
    found = [rates.known[name] for name in names if name in rates]
    days = [rate.published for rate in found if rate.published]
    seen = [rate.last_seen for rate in found if rate.last_seen]
    return PriceSummary(
        len(found),
        len(names) - len(found),
        min(days, default=None),
        max(days, default=None),
        max(seen, default=None),
    )


def price_list_table(rates: Rates, every: bool = False, matching: str = "", known: bool | None = None) -> Table:
    """Show the prices of a region, the unknown ones too.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to add Savings Plans, CloudFront and data transfer to other regions.
    matching : str
        Only those with each of these words in their name, title, service, usage type or SKU, in either case.
    known : bool, optional
        True for the known ones alone, false for the unknown ones; both by default.

    Returns
    -------
    Table
        What it is, USD per unit, unit, SKU, days, where it was read, service, usage type and name; an unknown one says so.
    """
    rows = tuple(
        (
            row["title"] or row["price"],
            rates.known[row["price"]].tiers_text() if row["known"] else "unknown",
            row["unit"],
            row["sku"],
            row["published"] or "",
            row["checked"] or "",
            provenance_text([(row["provenance"], 1)]) if row["known"] else "",
            SERVICES.get(row["service_code"], row["service_code"]),
            row["usage_type"],
            row["price"],
        )
        for row in price_rows(rates, every, matching, known)
    )
    unknown = sum(row[1] == "unknown" for row in rows)
    return Table(f"{len(rows) - unknown} known, {unknown} unknown", _HEADS, rows)


def price_rows(
    rates: Rates, every: bool = False, matching: str = "", known: bool | None = None
) -> list[dict[str, Any]]:
    """List the prices of a region as plain values.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to add Savings Plans, CloudFront and data transfer to other regions.
    matching : str
        Only those with each of these words in their name, title, service, usage type or SKU, in either case.
    known : bool, optional
        True for the known ones alone, false for the unknown ones; both by default.

    Returns
    -------
    list of dict
        As `rates_rows` gives them.

    Examples
    --------
    >>> from estimator import load_rates
    >>> [row["price"] for row in price_rows(load_rates("eu-west-1"), matching="application loadbalancerusage")]
    ['alb_hour']
    """
    wanted = matching.casefold().split()

    def fits(row: Mapping[str, Any]) -> bool:
        service = row["service_code"]
        texts = (row["price"], row["title"], service, SERVICES.get(service, ""), row["usage_type"], row["sku"])
        all_of_it = " ".join(texts).casefold()
        return all(word in all_of_it for word in wanted) and known in (None, row["known"])

    return [row for row in rates_rows(rates, every or bool(wanted)) if fits(row)]


def price_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay prices in a frame, a row for each tier of each.

    Parameters
    ----------
    rows : iterable of dict
        What `price_rows` gives.

    Returns
    -------
    pandas.DataFrame
        ``tier_begin`` [unit] and ``usd_per_unit`` [USD/unit] are empty where the price is unknown.
    """
    import pandas as pd

    found = [
        {name: value for name, value in row.items() if name != "tiers"}
        | {"tier_begin": tier["begin"], "usd_per_unit": tier["usd_per_unit"]}
        for row in rows
        for tier in row["tiers"] or [{"begin": None, "usd_per_unit": None}]
    ]
    return pd.DataFrame(found)


def price_record(rates: Rates, name: str) -> tuple[str, ...]:
    r"""Write all that is known of one price.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    name : str
        Its name in ``PRICES``.

    Returns
    -------
    tuple of str
        Lines of text: what it is, what each tier costs, SKU, days and where it was read; or what to do where it is unknown.

    Examples
    --------
    >>> from estimator import load_rates
    >>> print(*price_record(load_rates("eu-west-1"), "alb_hour")[:2], sep="\n")
    Application Load Balancer hour (alb_hour)
      0.0252 USD per Hrs
    """
    price, rate = PRICES.get(name), rates.known.get(name)
    head = f"{price.title} ({name})" if price else name
    if rate is None:
        usage_type = price.query.usage_type_in(rates.region) if price else "not known"
        return (
            head,
            f"  unknown in {rates.region}: no list that was read has a rate for usage type {usage_type}",
            "  an estimate shows its line as unknown and its total as “at least”; it is never taken as 0",
            "  ask AWS again, import a file, or give your own in a CSV file that prices.overrides of the scenario names",
        )
    lines = [head, *_tier_lines(rate)]
    if rate.discount_percent:
        lines.append(
            f"  less {rate.discount_percent:.12g} % private discount: {contracted(rate).tiers_text()} USD per {rate.unit}"
        )
    service = price.query.service_code if price else ""
    lines.append(f"  service: {SERVICES.get(service, service) or 'not known'}, usage type {rate.usage_type}")
    lines.append(f"  SKU: {rate.sku or 'the source has none'}")
    published = f"published {rate.published}" if rate.published else "day of publication not known"
    lines.append(f"  {published}{f', seen again on {rate.checked}' if rate.checked else ''}")
    lines.append(f"  read from: {provenance_text([(rate.provenance, 1)])}, {rate.source}")
    if rate.note:
        lines.append(f"  note: {rate.note}")
    return tuple(lines)


def refreshed_table(regions: Sequence[Mapping[str, Any]], received_bytes: int) -> Table:
    """Show what a refresh did, region by region.

    Parameters
    ----------
    regions : sequence of dict
        What ``Outcome.to_dict`` gives.
    received_bytes : int
        What came over the wire. [bytes]

    Returns
    -------
    Table
        Region, rates found, how many are new or changed, and prices that AWS's list does not have.
    """

    def count(outcome: Mapping[str, Any], *kinds: str) -> str:
        return str(sum(change["kind"] in kinds for change in outcome["changes"]))

    rows = tuple(
        (
            "Without region" if outcome["region"] == "global" else outcome["region"],
            *(
                ("left as it was", "", "", "")
                if outcome["error"]
                else (
                    str(outcome["found"]),
                    count(outcome, "added"),
                    count(outcome, "changed", "removed"),
                    ", ".join(outcome["unknown"]),
                )
            ),
        )
        for outcome in regions
    )
    return Table(
        f"Read from AWS, {received_bytes / 1e6:,.2f} MB received",
        ("Region", ">Rates", ">New", ">Changed", "Not on AWS's list"),
        rows,
    )


def changes_frame(changes: Iterable[PriceChange]) -> pd.DataFrame:
    """Lay the differences of two price lists in a frame.

    Parameters
    ----------
    changes : iterable of PriceChange
        What `compare_rates` gives.

    Returns
    -------
    pandas.DataFrame
        A row for each price, both lists' tiers as text [USD/unit].
    """
    import pandas as pd

    def text(rate: Rate | None) -> str:
        return "unknown" if rate is None else contracted(rate).tiers_text()

    found = [
        {
            "price": change.price,
            "title": change.title,
            "region": change.region,
            "kind": change.kind,
            "unit": (change.after or change.before).unit,  # type: ignore[union-attr] # one of them is there
            "before": text(change.before),
            "after": text(change.after),
            "first_tier_percent": change.first_tier_percent,
            "largest_percent": change.largest_percent,
        }
        for change in changes
    ]
    return pd.DataFrame(found)


def newly_known_text(changes: Iterable[PriceChange]) -> str:
    """Say in a sentence which prices became known.

    Parameters
    ----------
    changes : iterable of PriceChange
        What `compare_rates` gives.

    Returns
    -------
    str
        Kinds of prices with their count; empty if none.
    """
    kinds = Counter(family_of(each.price) or each.title for each in changes if each.kind == "added")
    named = [f"{kind} ({count:,})" if count > 1 else kind for kind, count in kinds.most_common(_MOST_FAMILIES)]
    more = f" and {len(kinds) - _MOST_FAMILIES} more" if len(kinds) > _MOST_FAMILIES else ""
    return f"Newly known: {', '.join(named)}{more}." if named else ""


def leaps_text(changes: Iterable[PriceChange]) -> str:
    """Say in a sentence which prices moved by more than three times, which is more often a mistake than a price.

    Parameters
    ----------
    changes : iterable of PriceChange
        What `compare_rates` gives.

    Returns
    -------
    str
        Their titles; empty if none.
    """
    leaps = sorted(
        {
            change.title or change.price
            for change in changes
            if change.first_tier_percent is not None
            and not LEAP_DOWN_PERCENT < change.first_tier_percent < LEAP_UP_PERCENT
        }
    )
    return f"Look twice, these moved by more than three times: {', '.join(leaps)}." if leaps else ""


def _tier_lines(rate: Rate) -> list[str]:
    found = []
    for place, tier in enumerate(rate.tiers):
        begin = f"from {tier.begin:,.12g} {rate.unit} on: " if place else ""
        found.append(f"  {begin}{tier.price} USD per {rate.unit}")
    return found
