"""Usage x Rates -> CostBreakdown.

Notes
-----
List, contracted, billed and effective are FOCUS's words: at AWS's list prices; less private discounts; what the month's invoice says; and
with what was paid for in advance spread over its hours. Every table shows what is effective. A price of your own is list and contracted.
"""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charges import CHARGES, NOT_INCLUDED
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import AppliedSavingsPlan
from estimator.errors import RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import STALE_AFTER_DAYS, Rate, Rates
from estimator.pricing.services import SERVICES


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a month's bill.

    Parameters
    ----------
    charge : str
        Name of its row in ``CHARGES``; in ``PRICES`` where a quantity was given that no charge meters. What a Savings Plan pays of a charge
        has the name of the plan behind a colon.
    price : str
        Name of its row in ``PRICES``; empty for the unused part of a commitment, which has none.
    title : str
        What it is, in words.
    pricing_quantity : float
        Quantity of the month. [pricing unit]
    pricing_unit : str
        AWS's pricing unit.
    list_unit_price : str
        Price, or prices by tier; ``unknown`` if there is no rate. [USD/unit]
    list_cost : float or None
        Cost at list prices; None if there is no rate. [USD]
    contracted_unit_price : str
        Price, or prices by tier, less the private discount; ``unknown`` if there is no rate. [USD/unit]
    contracted_cost : float or None
        Cost less the private discount, before Savings Plans; None if there is no rate. [USD]
    effective_unit_price : str
        What a unit comes to in the end: the contracted price, or a Savings Plan's rate; ``unknown`` if there is no rate. [USD/unit]
    effective_cost : float or None
        What the line comes to in the end, which is what the bill adds up; None if there is no rate. [USD]
    billed_cost : float or None
        What the month's invoice says of the line; 0 where a Savings Plan's commitment pays, None if there is no rate. [USD]
    discount_percent : float
        Private discount on the list price. [percent]
    sku : str
        AWS's SKU; empty if not known.
    usage_type : str
        AWS's usage type.
    published : str
        Publication date of the rate; empty if not known.
    provenance : str
        Where the rate was read from: ``api``, or said otherwise.
    rate_note : str
        What the source says about the rate; of your own price the reason.
    last_seen : str
        Date on which the rate was last known to stand on AWS's list; empty if not known, and for your own price.
    formula : str
        How the quantity comes about.
    working : str
        The formula with its numbers, as `estimator.billing.working` writes it; empty if they are not known.
    """

    charge: str
    price: str
    title: str
    pricing_quantity: float
    pricing_unit: str
    list_unit_price: str
    list_cost: float | None
    contracted_unit_price: str
    contracted_cost: float | None
    effective_unit_price: str
    effective_cost: float | None
    billed_cost: float | None
    discount_percent: float
    sku: str
    usage_type: str
    published: str
    provenance: str
    rate_note: str
    last_seen: str
    formula: str
    working: str = ""

    @property
    def is_shared(self) -> bool:
        """True if a Savings Plan that you have pays an unknown part of it, though its On-Demand rate is known."""
        return self.effective_cost is None and self.contracted_cost is not None

    @property
    def sku_text(self) -> str:
        """The SKU, or the reason why there is none; whether the rate is not from AWS itself; and the private discount."""
        if self.is_shared:
            return "a Savings Plan's part is not known"
        if self.effective_cost is None:
            return "no rate known"
        if not self.price:
            return "your commitment"
        origin = {"thirdparty-typed": "typed by a third party", "thirdparty-derived": "derived by a third party"}
        sku = self.sku or ("" if self.provenance == "own" else "not in the source")
        return ", ".join(filter(None, (sku, origin.get(self.provenance, ""), self.yours_text)))

    @property
    def yours_text(self) -> str:
        """What of the price is not AWS's but yours: your own price with its reason, or a private discount; else empty."""
        own = f"your price: {self.rate_note}" if self.provenance == "own" else ""
        discount = f"less {self.discount_percent:.12g} % private discount" if self.discount_percent else ""
        return ", ".join(filter(None, (own, discount)))


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
        Requests of the month; 0 where plain quantities were priced. [requests]
    as_of : str
        Day that the prices were asked for; empty for the newest.
    not_included : str
        What the bill leaves out.
    savings_plans : tuple of AppliedSavingsPlan
        What each Savings Plan did; none without any.
    without_quantity : tuple of str
        Rows of ``CHARGES`` that were metered and come to nothing.
    """

    region: str
    hours_per_month: float
    lines: tuple[CostLine, ...]
    requests: float
    as_of: str = ""
    not_included: str = NOT_INCLUDED
    savings_plans: tuple[AppliedSavingsPlan, ...] = ()
    without_quantity: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[CostLine]:
        return iter(self.lines)

    @property
    def total_usd(self) -> float:
        """Sum of the known lines, private discounts taken off and Savings Plans spread over their hours. [USD/month]"""
        return float(sum(line.effective_cost or 0.0 for line in self.lines))

    @property
    def list_total_usd(self) -> float:
        """Sum of the known lines at list prices. [USD/month]"""
        return float(sum(line.list_cost or 0.0 for line in self.lines))

    @property
    def billed_usd(self) -> float:
        """What the month's invoice says: the lines, and the recurring part of commitments; not what is paid at their start. [USD/month]"""
        recurring = sum(done.payment.recurring_usd_per_h * done.hours for done in self.savings_plans)
        return float(sum(line.billed_cost or 0.0 for line in self.lines) + recurring)

    @property
    def upfront_usd(self) -> float:
        """What Savings Plans that are to be bought cost at their start. [USD]"""
        return float(sum(done.payment.upfront_usd for done in self.savings_plans if not done.plan.existing))

    @property
    def scope_text(self) -> str:
        """What else was metered and comes to nothing, by service or by line, and what is left out."""
        nothing = set(self.without_quantity)
        # Another processor or class of the same is no charge of its own.
        here = {line.title.partition(", ")[0] for line in self.lines}
        by_service: dict[str, list[str]] = {}
        for name, charge in CHARGES.items():
            by_service.setdefault(PRICES[charge.price].query.service_code, []).append(name)
        said: dict[str, None] = {}
        for code, names in by_service.items():
            if nothing.issuperset(names):
                said[SERVICES.get(code, code)] = None
            else:
                said |= dict.fromkeys(CHARGES[name].title.partition(", ")[0] for name in names if name in nothing)
        others = ", ".join(title for title in said if title not in here)
        included = f"Counted, and $0 on this bill: {others}. " if others else ""
        return f"{included}Not included: {self.not_included}."

    @property
    def savings_plans_text(self) -> str:
        """What each Savings Plan did, in sentences; empty without any."""
        return " ".join(done.text for done in self.savings_plans)

    @property
    def is_lower_bound(self) -> bool:
        """True if a line has no known rate, so that the bill is at least the total."""
        return any(line.effective_cost is None for line in self.lines)

    @property
    def total_text(self) -> str:
        """The total, to read."""
        return f"{'at least ' if self.is_lower_bound else ''}${self.total_usd:,.2f} a month"

    @property
    def prices_published(self) -> str:
        """Oldest and newest publication date of AWS's rates that were used."""
        dates = self._dates
        if not dates:
            return "on unknown dates"
        return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"

    @property
    def newest_published(self) -> str:
        """Newest publication date of AWS's rates that were used, or else of your own; empty if none has one."""
        # A stack is tagged with a date, even where every price is your own.
        return max(self._dates or [line.published for line in self.lines], default="")

    @property
    def _dates(self) -> list[str]:
        return sorted({line.published for line in self.lines if line.published and line.provenance != "own"})

    @property
    def prices_text(self) -> str:
        """Which prices these are, in sentences that are the same on every day."""
        asked = f"Prices as of {self.as_of}. " if self.as_of else ""
        saved = self.list_total_usd - sum(line.contracted_cost or 0.0 for line in self.lines)
        yours = sum(bool(line.yours_text) for line in self.lines)
        where = f"${abs(saved):,.2f} {'below' if saved >= 0 else 'above'} AWS's list of ${self.list_total_usd:,.2f}"
        count = f"{yours} of {len(self.lines)} lines {'is' if yours == 1 else 'are'}"
        less = f" {count} at your own prices or discounts, {where}." if yours else ""
        return f"{asked}Rates published {self.prices_published}.{less}"

    def stale(self, today: dt.date | None = None) -> tuple[CostLine, ...]:
        """List the lines whose rate was last seen on AWS's list too long ago to be taken for today's.

        Parameters
        ----------
        today : datetime.date, optional
            The day to count from; by default today.

        Returns
        -------
        tuple of CostLine
            In the order of the bill; never one with your own price. Where the prices of a day were asked for, it counts
            from that day.
        """
        day = dt.date.fromisoformat(self.as_of) if self.as_of else today or dt.date.today()
        first = (day - dt.timedelta(days=STALE_AFTER_DAYS)).isoformat()
        return tuple(line for line in self.lines if line.last_seen and line.last_seen < first)

    def stale_text(self, today: dt.date | None = None) -> str:
        """Say how many rates may have changed since they were seen, and what to do.

        Parameters
        ----------
        today : datetime.date, optional
            The day to count from; by default today.

        Returns
        -------
        str
            A sentence, empty if all rates are recent.
        """
        stale = self.stale(today)
        if not stale:
            return ""
        count = f"{len(stale)} of {len(self.lines)} lines {'were' if len(stale) > 1 else 'was'}"
        oldest = f"(oldest {min(line.last_seen for line in stale)})"
        rates = f"The rate{'s' if len(stale) > 1 else ''} of {count} last seen on AWS's list more than {STALE_AFTER_DAYS} days"
        if self.as_of:
            return f"{rates} before {self.as_of} {oldest}."
        return f"{rates} ago {oldest}: `estimator prices refresh --region {self.region}` asks AWS again."

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
            "list_total_usd_per_month": self.list_total_usd,
            "billed_usd_per_month": self.billed_usd,
            "upfront_usd": self.upfront_usd,
            "is_lower_bound": self.is_lower_bound,
            "savings_plans": [done.to_dict() for done in self.savings_plans],
            "requests_per_month": self.requests,
            "prices_as_of": self.as_of or None,
            "prices_published": self.prices_published,
            "lines": [asdict(line) for line in self.lines],
            "without_quantity": list(self.without_quantity),
            "not_included": self.not_included,
        }

    def __str__(self) -> str:
        lines = [f"{line.title:36}{usd_text(line.effective_cost):>12}  {line.sku_text}" for line in self.lines]
        return "\n".join([*lines, f"{'Total, ' + self.region:36}{self.total_text}"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(line.title)}</td><td align='right'>{line.pricing_quantity:,.2f}</td><td>{html.escape(line.pricing_unit)}</td>"
            f"<td>{html.escape(line.effective_unit_price)}</td><td align='right'>{usd_text(line.effective_cost)}</td>"
            f"<td>{html.escape(line.sku_text)}</td><td>{line.published}</td></tr>"
            for line in self.lines
        )
        head = "".join(
            f"<th>{name}</th>" for name in ("Charge", "Quantity", "Unit", "USD/unit", "USD/month", "SKU", "Price date")
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
            f"<tfoot><tr><th colspan='4'>Total, {html.escape(self.region)}</th><th>{html.escape(self.total_text)}</th><th></th><th></th></tr></tfoot></table>"
            f"<p>{html.escape(' '.join(filter(None, (self.savings_plans_text, self.prices_text, self.stale_text()))))}</p>"
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
        Costs by charge, private discounts taken off; missing where the rate is unknown. [USD/month]
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
    lines = tuple(
        cost_line(
            name,
            CHARGES[name].title,
            CHARGES[name].price,
            float(amounts[candidate]),
            rates,
            CHARGES[name].formula,
            CHARGES[name].working(month, candidate),
        )
        for name, amounts in bills.quantity.items()
        if amounts[candidate] != 0.0
    )
    here = {line.charge for line in lines}
    return CostBreakdown(
        rates.region,
        month.hours,
        lines,
        month.requests,
        rates.as_of.isoformat() if rates.as_of else "",
        without_quantity=tuple(name for name in CHARGES if name not in here),
    )


def cost_line(
    charge: str, title: str, price: str, quantity: float, rates: Rates, formula: str, working: str = ""
) -> CostLine:
    """Price one month's quantity and say where its rate comes from.

    Parameters
    ----------
    charge : str
        Name of the line.
    title : str
        What it is, in words.
    price : str
        Name of its row in ``PRICES``.
    quantity : float
        Quantity of one month. [pricing unit]
    rates : Rates
        The region's rates; one that is not known makes the line's costs unknown.
    formula : str
        How the quantity comes about.
    working : str
        The formula with its numbers; empty if they are not known.

    Returns
    -------
    CostLine
        The line.
    """
    row = PRICES[price]
    rate = rates.known.get(price)
    unit_price = contracted(rate).tiers_text(quantity) if rate else "unknown"
    cost = float(rate.cost(quantity)) if rate else None
    return CostLine(
        charge=charge,
        price=price,
        title=title,
        pricing_quantity=quantity,
        pricing_unit=row.unit,
        list_unit_price=rate.list_text(quantity) if rate else "unknown",
        list_cost=float(rate.list_cost(quantity)) if rate else None,
        contracted_unit_price=unit_price,
        contracted_cost=cost,
        effective_unit_price=unit_price,
        effective_cost=cost,
        billed_cost=cost,
        discount_percent=rate.discount_percent if rate else 0.0,
        sku=rate.sku if rate else "",
        usage_type=rate.usage_type if rate else row.query.usage_type_in(rates.region),
        published=rate.published.isoformat() if rate and rate.published else "",
        provenance=rate.provenance if rate else "",
        rate_note=rate.note if rate else "",
        last_seen=_last_seen(rate) if rate else "",
        formula=formula,
        working=working,
    )


def _last_seen(rate: Rate) -> str:
    # Of your own price, only what was checked against AWS's list can go stale: a part of an On-Demand price.
    day = rate.checked if rate.provenance == "own" else rate.last_seen
    return day.isoformat() if day else ""
