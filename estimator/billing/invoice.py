"""A bill that AWS sent against our prices: explain_line says what a line's unit price is, check_invoice all lines and their sums.

Notes
-----
AWS's ``publicOnDemandRate`` of a price with tiers is that of the first one, whatever tier the line is in, so the price
that was charged is looked for first, and the list price only where the charged one is 0 or none of ours.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from estimator.billing.invoice_lines import InvoiceLine
from estimator.billing.invoice_recognition import recognized, why_not
from estimator.billing.usage import price_usage
from estimator.pricing.catalog import PRICES, SPOT_FEED
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import Rate, Rates
from estimator.pricing.regions import REGIONS

#: Rates of a region that held on a day; without a day the newest.
RatesAt = Callable[[str, dt.date | None], Rates]

SAME, FREE_TIER, TIER, OLDER = "same", "free tier", "tier", "older"
DISCOUNT, DIFFERS, UNKNOWN, NOT_OURS = "discount", "differs", "unknown", "not ours"
#: What a line can turn out to be, in words.
VERDICTS = {
    SAME: "the unit price is our rate",
    FREE_TIER: "free, and its list price is our rate",
    TIER: "the unit price is a later tier of our rate",
    OLDER: "the unit price is an earlier rate of ours, or all of ours are newer than the bill",
    DISCOUNT: "a private discount, a Savings Plan or a Spot price",
    DIFFERS: "the unit price is none of ours",
    UNKNOWN: "no rate of ours is known, or the line states no price",
    NOT_OURS: "not a charge that we price",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a line of a bill is, held against our prices.

    Parameters
    ----------
    line : InvoiceLine
        The line.
    verdict : str
        One of ``VERDICTS``.
    text : str
        Why, with the figures.
    price : str or None
        Name of its row in ``PRICES``; None if it is none of ours.
    region : str
        Where it is sold; empty for what has no region.
    our_unit_price : str
        Our rate, the tier that fits or all of them; empty if not known. [USD/unit]
    published : datetime.date or None
        Publication date of that rate.
    """

    line: InvoiceLine
    verdict: str
    text: str
    price: str | None = None
    region: str = ""
    our_unit_price: str = ""
    published: dt.date | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values.

        Returns
        -------
        dict
            JSON-ready; numbers of the bill as it wrote them.
        """
        stated = asdict(self.line) | {"charged": self.line.charged}
        values = {name: _plain(value) if isinstance(value, Decimal) else value for name, value in stated.items()}
        return values | {
            "start": self.line.start.isoformat() if self.line.start else None,
            "price": self.price,
            "region": self.region or self.line.region,
            "verdict": self.verdict,
            "text": self.text,
            "our_unit_price": self.our_unit_price or None,
            "our_published": self.published.isoformat() if self.published else None,
        }


def explain_line(line: InvoiceLine, rates_at: RatesAt) -> Explanation:
    """Hold a line's unit price against our rate of its day, and where they differ against earlier and later ones.

    Parameters
    ----------
    line : InvoiceLine
        The line.
    rates_at : callable
        Rates of a region that held on a day, or the newest without one; such as
        ``lambda region, day: load_rates(region, as_of=day)``.

    Returns
    -------
    Explanation
        The verdict, and why.
    """
    found = recognized(line)
    # What has no region is among the rates of any.
    here = line.region if line.region in REGIONS else "us-east-1"
    if found is None and line.sku:
        found = recognized(line, rates_at(here, None))
    if found is None:
        return Explanation(line, NOT_OURS, why_not(line))
    where = found.region or here
    newest = rates_at(where, None).known.get(found.price)
    if newest is None:
        place = f" in {found.region}" if found.region else ""
        return Explanation(line, UNKNOWN, f"no rate of ours is known{place}", found.price, found.region)

    def said(verdict: str, text: str, rate: Rate = newest, tier: int | None = None) -> Explanation:
        price = rate.list_text() if tier is None else (rate.list_tiers or rate.tiers)[tier].price
        return Explanation(line, verdict, text, found.price, found.region, price, rate.published)

    if line.discount_text:
        plan = f"; {_plain(line.plan_unit_price)} in the plan" if line.plan_unit_price is not None else ""
        ours = "of this plan" if found.is_plan else "without it"
        return said(DISCOUNT, f"{line.discount_text}{plan}, our rate {ours} is {newest.list_text()}")
    paid, listed = line.charged, line.list_unit_price
    free_words = "free tier" in line.description.lower()
    if paid == 0 and not listed and free_words:
        return said(FREE_TIER, "free by a free tier; the bill states no list price")
    judged = listed if paid is None or (paid == 0 and listed) else paid
    if judged is None:
        return said(UNKNOWN, "the line states no price of a unit")
    match = _matched(line, judged, found.price, where, rates_at)
    if match and paid == 0 and judged != 0:
        why = "free by a free tier" if free_words else "charged at 0"
        return said(FREE_TIER, f"{why}; its list price {_plain(judged)} is {match.text}", match.rate, match.tier)
    if match:
        return said(match.verdict, f"{_plain(judged)} is {match.text}", match.rate, match.tier)
    if line.unit_price is None and line.quantity and line.cost is not None:
        ours_usd = float(newest.cost(float(line.quantity)))
        if math.isclose(ours_usd, float(line.cost), rel_tol=1e-6):
            return said(TIER, f"the cost is what our tiers come to, {newest.list_text()}")
    if paid is not None and listed is not None and paid < listed:
        of_list = _matched(line, listed, found.price, where, rates_at)
        if of_list:
            percent = f"{float(100 * (1 - paid / listed)):.4g}"
            text = f"{_plain(paid)} is {percent} % below the list price {_plain(listed)}, which is {of_list.text}"
            return said(DISCOUNT, text, of_list.rate, of_list.tier)
    ours = f"ours is {newest.list_text()}, published {newest.published or 'on an unknown day'}"
    if PRICES[found.price].query.service_code == SPOT_FEED:
        return said(DISCOUNT, f"{_plain(judged)} was Spot's price then, which moves; {ours}")
    held = rates_at(where, _known_day(line.start)).known.get(found.price)
    if line.start is not None and held is None:
        return said(OLDER, f"{_plain(judged)} was charged on {line.start}, before any rate that we know; {ours}")
    return said(DIFFERS, f"{_plain(judged)} is none of our rates; {ours}", held or newest)


@dataclass(frozen=True, slots=True)
class _Match:
    verdict: str
    text: str
    rate: Rate
    tier: int


def _matched(line: InvoiceLine, unit_price: Decimal, price: str, region: str, rates_at: RatesAt) -> _Match | None:
    """Find the rate that a unit price is: of its day, else the newest, else earlier ones."""
    day = _known_day(line.start)
    held = rates_at(region, day).known.get(price) if day else None
    newest = rates_at(region, None).known[price]
    for rate in (held, newest):
        tier = None if rate is None else _tier_of(rate, unit_price, line)
        if rate is not None and tier is not None:
            late = bool(day and rate.published and rate.published > day)
            since = f", published {rate.published}" + (" and so after the bill" if late else "")
            if rate is held and _tier_of(newest, unit_price, line) is None:
                since += f"; now it is {newest.list_text()}"
            begin = (rate.list_tiers or rate.tiers)[tier].begin
            which = f"our rate from {begin:,.12g} {rate.unit} on" if tier else "our rate"
            return _Match(TIER if tier else SAME, which + since, rate, tier)
    for rate in _earlier(newest, price, region, rates_at):
        tier = _tier_of(rate, unit_price, line)
        if tier is not None:
            return _Match(OLDER, f"our rate of {rate.published}; now it is {newest.list_text()}", rate, tier)
    return None


def _earlier(rate: Rate, price: str, region: str, rates_at: RatesAt) -> Iterator[Rate]:
    while rate.published is not None:
        before = rates_at(region, rate.published - dt.timedelta(days=1)).known.get(price)
        # Whoever gives the same rates for every day knows no earlier ones.
        if before is None or (before.published or dt.date.min) >= rate.published:
            return
        yield before
        rate = before


def _known_day(day: dt.date | None) -> dt.date | None:
    """Take the newest prices for a day to come."""
    return None if day is None or day > dt.date.today() else day


def _tier_of(rate: Rate, unit_price: Decimal, line: InvoiceLine) -> int | None:
    for tiers in (rate.list_tiers or rate.tiers, contracted(rate).tiers):
        for place, tier in enumerate(tiers):
            if _equal(unit_price, Decimal(tier.price), line):
                return place
    return None


def _equal(unit_price: Decimal, ours: Decimal, line: InvoiceLine) -> bool:
    if unit_price == ours:
        return True
    if line.unit_price is not None or not line.cost or not line.quantity or unit_price != line.charged:
        return False
    # A cost is rounded to ten places, so that its part of one unit is no exact price.
    return abs(line.cost - line.quantity * ours) <= max(Decimal("1e-9"), abs(line.cost) / 10**6)


def _plain(number: Decimal) -> str:
    """Write a number without closing zeros and without an exponent; what was divided, to twelve places."""
    return f"{round(number, 12).normalize():f}"


@dataclass(frozen=True, slots=True)
class PriceTotal:
    """What a month's quantity of one price costs on the bill, and at our rate.

    Parameters
    ----------
    month : str
        Such as ``"2026-01"``; empty if the lines have no day.
    region : str
        Region code; empty for what has no region.
    price : str
        Name of the row in ``PRICES``.
    title : str
        What it is, in words.
    unit : str
        AWS's pricing unit.
    quantity : float
        Usage of all lines that are not free. [pricing unit]
    free_quantity : float
        Usage of the lines that are free. [pricing unit]
    billed_usd : float
        Cost of these lines. [USD]
    our_usd : float or None
        The quantity at our rate, added up before tiers; None if no rate is known. [USD]
    discounts_usd : float
        Cost of further lines of the price: discounts, and what Savings Plans take over. [USD]
    lines : int
        Lines with quantity and cost. [1]
    lines_without_quantity : int
        Lines that lack one of them, which are left out. [1]
    """

    month: str
    region: str
    price: str
    title: str
    unit: str
    quantity: float
    free_quantity: float
    billed_usd: float
    our_usd: float | None
    discounts_usd: float
    lines: int
    lines_without_quantity: int

    @property
    def difference_usd(self) -> float | None:
        """What the bill is above our rates; None if no rate is known. [USD]"""
        return None if self.our_usd is None else self.billed_usd - self.our_usd


@dataclass(frozen=True, slots=True)
class InvoiceCheck:
    """A bill held against our prices.

    Parameters
    ----------
    explanations : tuple of Explanation
        What each line is, in the order of the bill.
    totals : tuple of PriceTotal
        Month, region and price whose lines have quantities, in the order of ``PRICES``.
    """

    explanations: tuple[Explanation, ...]
    totals: tuple[PriceTotal, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Lines by verdict, in the order of ``VERDICTS``."""
        counted = Counter(each.verdict for each in self.explanations)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    @property
    def reasons(self) -> dict[str, int]:
        """Lines that are not ours by reason, the most frequent first."""
        return dict(Counter(each.text for each in self.explanations if each.verdict == NOT_OURS).most_common())

    @property
    def counts_text(self) -> str:
        """What the lines are, in one sentence."""
        of_ours = {verdict: count for verdict, count in self.counts.items() if verdict != NOT_OURS}
        listed = ", ".join(f"{count:,} {verdict}" for verdict, count in of_ours.items())
        recognized = f"{sum(of_ours.values()):,} recognized{f' ({listed})' if listed else ''}"
        others = "; ".join(f"{count:,} {reason}" for reason, count in self.reasons.items())
        not_ours = f"{self.counts.get(NOT_OURS, 0):,} not ours{f' ({others})' if others else ''}"
        return f"{len(self.explanations):,} lines: {recognized}, {not_ours}."

    def to_frame(self) -> Any:
        """Return the lines as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each line, numbers of the bill as text, so that none is rounded.
        """
        import pandas as pd

        return pd.DataFrame([each.to_dict() for each in self.explanations])

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "lines": len(self.explanations),
            "verdicts": self.counts,
            "not_ours": self.reasons,
            "totals": [asdict(total) | {"difference_usd": total.difference_usd} for total in self.totals],
            "explanations": [each.to_dict() for each in self.explanations],
        }


def check_invoice(lines: Iterable[InvoiceLine], rates_of: RatesAt) -> InvoiceCheck:
    """Hold a bill against our prices, line by line and, where it has quantities, by month, region and price.

    Tiers count what an account, or an organization, used in the month: a bill of a part of either has too little in them.

    Parameters
    ----------
    lines : iterable of InvoiceLine
        The bill.
    rates_of : callable
        Rates of a region that held on a day, or the newest without one; each is asked for once.

    Returns
    -------
    InvoiceCheck
        What the lines are, and what their quantities cost at our rates.

    Examples
    --------
    >>> from estimator.billing.invoice import InvoiceLine
    >>> from estimator.pricing.rates import Rate, Rates, Tier
    >>> rates = Rates("us-east-1", {"nat_gateway_gb": Rate("nat_gateway_gb", "GB", (Tier(0, "0.045"),))})
    >>> line = InvoiceLine(
    ...     "NatGateway-Bytes", product_code="AmazonEC2", quantity=Decimal(100), unit_price=Decimal("0.045"), cost=Decimal("4.5")
    ... )
    >>> check = check_invoice([line], lambda region, day: rates)
    >>> check.counts, check.totals[0].our_usd
    ({'same': 1}, 4.5)
    """
    rates_at = cache(rates_of)
    explanations = tuple(explain_line(line, rates_at) for line in lines)
    groups: dict[tuple[str, str, str], list[Explanation]] = {}
    for each in explanations:
        if each.price is not None:
            month = each.line.start.isoformat()[:7] if each.line.start else ""
            groups.setdefault((month, each.region, each.price), []).append(each)
    places = {name: place for place, name in enumerate(PRICES)}
    ordered = sorted(groups, key=lambda key: (key[0], key[1], places[key[2]]))
    totals = (_total(*key, groups[key], rates_at) for key in ordered)
    return InvoiceCheck(explanations, tuple(total for total in totals if total is not None))


def _total(
    month: str, region: str, price: str, explanations: list[Explanation], rates_at: RatesAt
) -> PriceTotal | None:
    plain = [each for each in explanations if each.line.is_plain_usage]
    counted = [each for each in plain if each.line.quantity is not None and each.line.cost is not None]
    if not counted:
        return None
    paid = _sum(each.line.quantity for each in counted if each.verdict != FREE_TIER)
    days = [each.line.start for each in counted if each.line.start]
    return PriceTotal(
        month=month,
        region=region,
        price=price,
        title=PRICES[price].title,
        unit=PRICES[price].unit,
        quantity=paid,
        free_quantity=_sum(each.line.quantity for each in counted if each.verdict == FREE_TIER),
        billed_usd=_sum(each.line.cost for each in counted),
        our_usd=_at_our_rate(price, region or "us-east-1", paid, min(days, default=None), rates_at),
        discounts_usd=_sum(each.line.cost for each in explanations if not each.line.is_plain_usage),
        lines=len(counted),
        lines_without_quantity=len(plain) - len(counted),
    )


def _sum(numbers: Iterable[Decimal | None]) -> float:
    return float(sum((number or Decimal(0) for number in numbers), Decimal(0)))


def _at_our_rate(price: str, region: str, quantity: float, day: dt.date | None, rates_at: RatesAt) -> float | None:
    # What is taken back in a later month can leave less than nothing, which has no price.
    if quantity < 0:
        return None
    rates = rates_at(region, None)
    if day is not None and day <= dt.date.today():
        held = rates_at(region, day)
        rates = held if price in held else rates
    if price not in rates:
        return None
    return price_usage({price: quantity}, rates).total_usd
