"""Tables as columns and rows of text, whoever shows them."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from estimator.billing.costing import CostBreakdown, usd_text
from estimator.planning.promise import Rejection
from estimator.pricing.catalog import PRICES, possible_in
from estimator.pricing.changes import PriceChange
from estimator.pricing.coverage import family_of, is_variant, provenance_text
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import STALE_AFTER_DAYS, Rate, Rates
from estimator.pricing.services import SERVICES

if TYPE_CHECKING:  # a table of prices does not wait for what compiles the simulation, nor for what fetches
    from estimator.planning.networks import NetworkBill
    from estimator.planning.price_effect import PriceEffect
    from estimator.planning.regions import RegionBill
    from estimator.pricing.places import Place
    from estimator.pricing.refresh import Refresh

#: Where a sentence in a cell goes on in the next line. [characters]
_SENTENCE_WIDTH = 72


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
    least : tuple of str
        Heads of the columns that a narrow terminal leaves out, the least important first.
    below : tuple of str
        Heads of columns of sentences that a narrow terminal puts on lines of their own below each row.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def without(self, head: str) -> Table:
        """Leave a column out.

        Parameters
        ----------
        head : str
            Its head.

        Returns
        -------
        Table
            The others.
        """
        place = [column.lstrip(">") for column in self.columns].index(head)

        def cut(row: tuple[str, ...]) -> tuple[str, ...]:
            return (*row[:place], *row[place + 1 :])

        footer = cut(self.footer) if self.footer else ()
        least, below = (tuple(each for each in heads if each != head) for heads in (self.least, self.below))
        return Table(self.title, cut(self.columns), tuple(map(cut, self.rows)), footer, least, below)


def bill_table(cost: CostBreakdown) -> Table:
    """Show a month's bill line by line.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    Table
        Charge, cost, quantity, unit, rate, SKU or why there is none with what is yours of the rate, price date.
    """
    rows = tuple(
        (
            line.title,
            usd_text(line.effective_cost),
            f"{line.pricing_quantity:,.2f}",
            line.pricing_unit,
            line.effective_unit_price.replace(", ", "\n"),
            line.sku_text,
            line.published or ("unknown" if line.price else ""),
        )
        for line in cost
    )
    total = f"{'at least ' if cost.is_lower_bound else ''}{cost.total_usd:,.2f}"
    return Table(
        f"Bill of a month of {cost.hours_per_month:g} hours in {cost.region}",
        ("Charge", ">USD/month", ">Quantity", "Unit", ">USD/unit", "SKU", "Price date"),
        rows,
        ("Total", total, "", "", "", "", ""),
        ("SKU", "Price date", "Unit", "USD/unit", "Quantity"),
    )


def regions_table(bills: Sequence[RegionBill], home: str) -> Table:
    """Show the bill of the same service in several regions.

    Parameters
    ----------
    bills : sequence of RegionBill
        In the order to show.
    home : str
        The region that the others are compared with.

    Returns
    -------
    Table
        Region, bill, difference, and what is unknown there.
    """
    at_home = next((bill for bill in bills if bill.region == home), None)

    def difference(bill: RegionBill) -> str:
        if bill.region == home:
            return "here"
        if at_home is None or at_home.cost.is_lower_bound or bill.cost.is_lower_bound:
            return ""
        if bill.lacks_savings_plans != at_home.lacks_savings_plans:
            return ""
        return f"{100 * (bill.cost.total_usd / at_home.cost.total_usd - 1):+.1f} %"

    rows = tuple(
        (
            bill.region,
            bill.location,
            f"{'at least ' if bill.cost.is_lower_bound else ''}{bill.cost.total_usd:,.2f}",
            difference(bill),
            ", ".join(bill.unknown),
        )
        for bill in bills
    )
    return Table(
        f"The same service in {len(bills)} regions",
        ("Region", "Name", ">USD/month", ">Difference", "Unknown there"),
        rows,
        least=("Name", "Difference"),
        below=("Unknown there",),
    )


def networks_table(bills: Sequence[NetworkBill]) -> Table:
    """Show the bill of a service in several network layouts.

    Parameters
    ----------
    bills : sequence of NetworkBill
        In the order to show.

    Returns
    -------
    Table
        Layout, what its lines cost, the whole bill, and on what condition it serves, or why it does not.
    """
    rows = tuple(
        (
            bill.title,
            bill.network_text,
            "" if bill.cost is None else f"{'at least ' if bill.cost.is_lower_bound else ''}{bill.cost.total_usd:,.2f}",
            textwrap.fill(bill.why_not or bill.condition, _SENTENCE_WIDTH, break_on_hyphens=False),
        )
        for bill in bills
    )
    return Table(
        "The same service in each network layout",
        ("Layout", ">Network USD/month", ">Whole bill USD/month", "Condition, or why not"),
        rows,
        least=("Network USD/month",),
        below=("Condition, or why not",),
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
    rows = tuple((r.spec.describe(), r.usd_text, r.reason) for r in rejections)
    return Table("Candidates that break the promise", ("Candidate", ">USD/month", "Why not"), rows)


def rates_rows(rates: Rates, every: bool = False, matching: str = "") -> list[dict[str, Any]]:
    """List the rates of a region, the unknown ones too.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to add destinations, edges and Savings Plans, and the rates without a row in ``PRICES``.
    matching : str
        Only those with this in their name, title or service, in either case; destinations, edges and Savings Plans too.

    Returns
    -------
    list of dict
        One for each price in the order of ``PRICES``; an unknown one has ``known`` False and no price.
    """
    here = {*possible_in(rates.region), *possible_in("global")}
    names = [name for name in PRICES if name in here and (every or matching or not is_variant(name))]
    if every or matching:
        names += sorted(set(rates.known) - set(PRICES))
    found = []
    for name in names:
        rate = rates.known.get(name)
        price = PRICES.get(name)
        service_code = price.query.service_code if price else ""
        title = price.title if price else ""
        words = " ".join((name, title, service_code, SERVICES.get(service_code, "")))
        if matching.casefold() not in words.casefold():
            continue
        usage_type = rate.usage_type if rate else price.query.usage_type_in(rates.region) if price else ""
        found.append(
            {
                "price": name,
                "title": title,
                "service_code": service_code,
                "known": rate is not None,
                "unit": rate.unit if rate else price.unit if price else "",
                "tiers": [{"begin": tier.begin, "usd_per_unit": tier.price} for tier in rate.tiers] if rate else [],
                "discount_percent": rate.discount_percent if rate else 0.0,
                "usage_type": usage_type,
                "sku": rate.sku if rate else "",
                "published": _iso(rate.published) if rate else None,
                "checked": _iso(rate.checked) if rate else None,
                "provenance": rate.provenance if rate else None,
                "source": rate.source if rate else None,
                "note": rate.note if rate else None,
            }
        )
    return found


def rates_table(rates: Rates, every: bool = False, matching: str = "") -> Table:
    """Show the rates of a region, the unknown ones too.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    every : bool
        True to list destinations, edges and Savings Plans, and the rates without a row in ``PRICES``; otherwise a line
        says how many of them are known.
    matching : str
        Only those with this in their name, title or service, in either case.

    Returns
    -------
    Table
        Price, USD per unit, unit, usage type, SKU, dates and where it was read; yours and your discounts are said.
    """
    listed = rates_rows(rates, every, matching)
    rows = [
        (
            row["price"],
            row["title"],
            rates.known[row["price"]].tiers_text().replace(", ", "\n") if row["known"] else "unknown",
            row["unit"],
            row["usage_type"],
            row["sku"],
            row["published"] or "",
            row["checked"] or "",
            _read_where(row),
        )
        for row in listed
    ]
    if not (every or matching):
        rows += [(text, *("",) * 8) for text in _left_out(rates)]
    unknown = sum(not row["known"] for row in listed)
    match = f" that match {matching!r}" if matching else ""
    title = (
        f"Rates of {rates.region}{match}: {len(listed) - unknown} known, {unknown} unknown (snapshot {rates.snapshot})"
    )
    columns = ("Price", "What it is", ">USD/unit", "Unit", "Usage type", "SKU", "Published", "Seen again", "From")
    least = ("Usage type", "What it is", "From", "SKU", "Seen again", "Unit")
    return Table(title, columns, tuple(rows), least=least)


def _left_out(rates: Rates) -> list[str]:
    """Say how many of the prices that are many alike are known."""
    families: dict[str, list[bool]] = {}
    for name in [*possible_in(rates.region), *possible_in("global")]:
        if is_variant(name):
            families.setdefault(family_of(name), []).append(name in rates)
    return [f"{len(known)} x {family}: {sum(known)} known (--all lists them)" for family, known in families.items()]


def _read_where(row: dict[str, Any]) -> str:
    if not row["known"]:
        return ""
    words = [provenance_text([(row["provenance"], 1)])]
    if row["provenance"] == "own" and row["note"]:
        words.append(row["note"])
    if row["discount_percent"]:
        words.append(f"less {row['discount_percent']:.12g} % private discount")
    return ", ".join(words)


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def coverage_table(rows: Mapping[str, list[dict[str, Any]]]) -> Table:
    """Show what is known of each region.

    Parameters
    ----------
    rows : dict of str to list of dict
        What `coverage_rows` gives.

    Returns
    -------
    Table
        Region, known, unknown, publication dates.
    """
    regions = rows["regions"]
    cells = tuple(
        (
            row["region"],
            row["location"],
            str(row["known"]),
            str(len(row["unknown"])),
            row["unknown_text"].replace("), ", ")\n"),
            _span(row["oldest"], row["newest"]),
        )
        for row in regions
    )
    return Table(
        f"What is known of {len(regions)} regions, {len(rows['prices'])} prices in all",
        ("Region", "Name", ">Known", ">Unknown", "What is unknown", "Published"),
        cells,
    )


def changes_table(changes: Mapping[str, Iterable[PriceChange]], before: str = "before", after: str = "after") -> Table:
    """Show which prices differ between two lists.

    Parameters
    ----------
    changes : mapping of str to iterable of PriceChange
        What `compare_rates` gives, by region.
    before, after : str
        What the two lists are, to read.

    Returns
    -------
    Table
        Price, its unit, both prices, change in percent, region or regions; what changed alike in many regions is said once.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for region, found in changes.items():
        for change in found:
            alike.setdefault(_change_cells(change), []).append(region)
    changes = {region: tuple(found) for region, found in changes.items() if found}
    several = len(changes) > 1
    rows = tuple((*cells, _some(regions)) if several else cells for cells, regions in alike.items())
    count = sum(len(regions) for regions in alike.values())
    where = f"{len(changes)} regions" if several else next(iter(changes), "no region")
    return Table(
        f"{count} {'price differs' if count == 1 else 'prices differ'} in {where}",
        ("Price", "Unit", f">{before}", f">{after}", ">Change", *(["Regions"] if several else [])),
        rows,
        least=("Unit", "Change"),
        below=("Regions",) if several else (),
    )


def effect_table(effect: PriceEffect) -> Table:
    """Show what a change of prices does to a bill, line by line.

    Parameters
    ----------
    effect : PriceEffect
        The same service, billed at two price lists.

    Returns
    -------
    Table
        Charge, both costs and the difference; unknown is said, and never 0.
    """
    rows = tuple(
        (line.title, usd_text(line.before_usd), usd_text(line.after_usd), _signed(line.difference_usd))
        for line in effect.lines
    )
    totals = (
        f"{'at least ' if cost.is_lower_bound else ''}{cost.total_usd:,.2f}" for cost in (effect.before, effect.after)
    )
    return Table(
        f"The bill of {effect.spec.describe()} in {effect.before.region} at both prices",
        ("Charge", ">Before USD/month", ">After USD/month", ">Difference"),
        rows,
        ("Total", *totals, _signed(effect.difference_usd)),
    )


def _change_cells(change: PriceChange) -> tuple[str, ...]:
    percent = "" if change.largest_percent is None else f"{change.largest_percent:+.3g} %"
    if change.kind != "changed":
        percent = {"added": "new", "removed": "gone"}[change.kind]
    units = dict.fromkeys(rate.unit for rate in (change.before, change.after) if rate)
    return change.price, ", then ".join(units), _tiers(change.before), _tiers(change.after), percent


def _tiers(rate: Rate | None) -> str:
    # Tables show what is paid.
    return "unknown" if rate is None else contracted(rate).tiers_text().replace(", ", "\n")


def _some(regions: list[str], most: int = 4) -> str:
    return (
        ", ".join(regions)
        if len(regions) <= most
        else f"{', '.join(regions[: most - 1])} and {len(regions) - most + 1} more"
    )


def _signed(difference: float | None) -> str:
    return usd_text(None) if difference is None else f"{round(difference, 2) + 0.0:+,.2f}"


def _span(oldest: str | None, newest: str | None) -> str:
    if oldest is None or newest is None:
        return "unknown"
    return oldest if oldest == newest else f"{oldest} to {newest}"


def refresh_table(done: Refresh) -> Table:
    """Show what a refresh did, region by region.

    Parameters
    ----------
    done : Refresh
        What was done.

    Returns
    -------
    Table
        Region, rates found, changes, and prices that AWS's list does not have.
    """
    rows = tuple(
        (
            "without region" if outcome.region == "global" else outcome.region,
            "left as it was" if outcome.error else str(outcome.found),
            "" if outcome.error else str(sum(change.kind == "added" for change in outcome.changes)),
            "" if outcome.error else str(sum(change.kind != "added" for change in outcome.changes)),
            str(len(outcome.kept) or ""),
            _some(list(outcome.unknown), 3),
        )
        for outcome in done.outcomes
    )
    return Table(
        f"Prices read from AWS, {done.received_bytes / 1e6:,.2f} MB received",
        ("Region", ">Rates", ">New", ">Changed", ">Older kept", "Not on AWS's list"),
        rows,
    )


def stale_text(rates: Rates, today: dt.date | None = None) -> str:
    """Say how many rates of a region were last seen on AWS's list too long ago to be taken for today's.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    today : datetime.date, optional
        The day to count from; by default the day that the rates are of, or today.

    Returns
    -------
    str
        A sentence, empty if all are recent.
    """
    first = (today or rates.as_of or dt.date.today()) - dt.timedelta(days=STALE_AFTER_DAYS)
    seen = [rate.last_seen for name, rate in rates.known.items() if name in PRICES and rate.last_seen]
    stale = [day for day in seen if day < first]
    if not stale:
        return ""
    advice = "" if rates.as_of else f": `estimator prices refresh --region {rates.region}` asks AWS again"
    return f"{len(stale)} of {len(seen)} rates were last seen on AWS's list more than {STALE_AFTER_DAYS} days {'before' if rates.as_of else 'ago'}{advice}."


def places_table(places: Iterable[Place]) -> Table:
    """Show where prices are kept.

    Parameters
    ----------
    places : iterable of Place
        Folders of prices.

    Returns
    -------
    Table
        What each holds, where it is, how large it is, and when its rates were last seen on AWS's list.
    """
    rows = tuple(
        (
            place.title,
            str(place.folder),
            str(place.regions),
            f"{place.size_bytes / 1e6:.1f}",
            _span(_iso(place.oldest), _iso(place.newest)) if place.newest else "nothing there",
        )
        for place in places
    )
    return Table("Where prices are kept", ("", "Folder", ">Regions", ">MB", "Last seen on AWS's list"), rows)
