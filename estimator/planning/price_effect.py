"""What a change of prices does to the bill of a plan, line by line, and whether another candidate is cheapest now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from estimator.billing.committed import COMMITMENT, on_demand_bill
from estimator.billing.costing import CostBreakdown
from estimator.errors import InvalidScenario
from estimator.planning.bills import hold_commitments, in_order, usd_of
from estimator.planning.planner import estimate
from estimator.planning.regions import bill_again
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.spec import ServiceSpec


@dataclass(frozen=True, slots=True)
class LineEffect:
    """One line of the bill at two price lists.

    Parameters
    ----------
    charge : str
        Name of its row in ``CHARGES``.
    title : str
        What it is, in words.
    before_usd : float or None
        Cost at the first list, private discounts taken off; None if the rate is unknown there. [USD/month]
    after_usd : float or None
        Cost at the second list, private discounts taken off; None if the rate is unknown there. [USD/month]
    """

    charge: str
    title: str
    before_usd: float | None
    after_usd: float | None

    @property
    def difference_usd(self) -> float | None:
        """What the line costs more; None if either is unknown. [USD/month]"""
        return None if self.before_usd is None or self.after_usd is None else self.after_usd - self.before_usd


@dataclass(frozen=True, eq=False)
class PriceEffect:
    """The same service, billed at two price lists.

    Parameters
    ----------
    before : CostBreakdown
        Its bill at the first list.
    after : CostBreakdown
        Its bill at the second list.
    lines : tuple of LineEffect
        Every line of either bill, in the order of ``CHARGES``.
    spec : ServiceSpec
        The service.
    cheapest_after : Plan or None
        What a search at the second list chose, if it was made.
    is_on_demand : bool
        True if both bills are without Savings Plans, since the rates of one are known at one list alone.
    """

    before: CostBreakdown
    after: CostBreakdown
    lines: tuple[LineEffect, ...]
    spec: ServiceSpec
    cheapest_after: Plan | None = None
    is_on_demand: bool = False

    @property
    def unknown(self) -> tuple[LineEffect, ...]:
        """Lines whose rate is unknown at either list."""
        return tuple(line for line in self.lines if line.difference_usd is None)

    @property
    def known_difference_usd(self) -> float:
        """What the lines that are known at both lists cost more together. [USD/month]"""
        return float(sum(line.difference_usd or 0.0 for line in self.lines))

    @property
    def difference_usd(self) -> float | None:
        """What the bill is more; None if a line is unknown at either list. [USD/month]"""
        return None if self.unknown else self.known_difference_usd

    @property
    def chooses_other(self) -> bool:
        """True if the search at the second list chose another service."""
        return self.cheapest_after is not None and self.cheapest_after.spec != self.spec

    @property
    def verdict(self) -> str:
        """What it comes to, in a sentence or two."""
        service = self.spec.describe()
        known = [line for line in self.lines if line.difference_usd is not None]
        if not known:
            return f"{service}: the two price lists have no rate of this bill in common, so nothing can be compared."
        known_before = sum(line.before_usd or 0.0 for line in known)
        where = "of the lines that both lists know, " if self.unknown else ""
        words = [f"{service}: {where}{_more(self.known_difference_usd, known_before)}."]
        if self.unknown:
            words.append(
                f"Left out, since what it costs at one of the lists is not known: {', '.join(line.title for line in self.unknown)}."
            )
        if self.is_on_demand:
            words.append("Both are On-Demand, since the rates of a Savings Plan are known at one list alone.")
        if self.cheapest_after is not None and self.chooses_other:
            words.append(f"Now the cheapest is {self.cheapest_after}.")
        elif self.cheapest_after is not None:
            words.append("It stays the cheapest.")
        return " ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """Return the effect as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown is None.
        """
        return {
            "service": self.spec.describe(),
            "region": self.before.region,
            "before_usd_per_month": self.before.total_usd,
            "before_is_lower_bound": self.before.is_lower_bound,
            "after_usd_per_month": self.after.total_usd,
            "after_is_lower_bound": self.after.is_lower_bound,
            "difference_usd_per_month": self.difference_usd,
            "known_difference_usd_per_month": self.known_difference_usd,
            "unknown": [line.title for line in self.unknown],
            "lines": [
                {
                    "charge": line.charge,
                    "title": line.title,
                    "before_usd": line.before_usd,
                    "after_usd": line.after_usd,
                    "difference_usd": line.difference_usd,
                }
                for line in self.lines
            ],
            "cheapest_after": _cheapest(self.cheapest_after),
            "is_on_demand": self.is_on_demand,
            "verdict": self.verdict,
        }


def price_effect(plan_before: Plan, after: Rates, cheapest_after: Plan | None = None) -> PriceEffect:
    """Price the service of a plan again, at another price list.

    Parameters
    ----------
    plan_before : Plan
        A plan or an estimate, at the first price list.
    after : Rates
        The second price list.
    cheapest_after : Plan, optional
        What a search at the second price list chose, to say whether that is still the same service.

    Returns
    -------
    PriceEffect
        Both bills and their difference, line by line.

    Raises
    ------
    InvalidScenario
        If the second price list is of another region.
    """
    if after.region != plan_before.cost.region:
        raise InvalidScenario(
            f"The plan is for {plan_before.cost.region} and the prices are of {after.region}; give prices of the same region."
        )
    before, then = plan_before.cost, bill_again(hold_commitments(plan_before), after)
    # A plan whose rates only one of the lists has is no price that moved.
    alike = _paid_by(before) == _paid_by(then)
    if not alike:
        before, then = on_demand_bill(before), on_demand_bill(then)
    return PriceEffect(before, then, _lines(before, then), plan_before.spec, cheapest_after, not alike)


def reprice(plan: Plan, rates: Rates) -> Plan:
    """Price the service of a plan at other prices, nothing else changed.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The other prices.

    Returns
    -------
    Plan
        The same service; a line whose rate is unknown stands as unknown.
    """
    return estimate(
        plan.workload,
        rates,
        plan.spec,
        plan.application,
        plan.promise,
        plan.behavior,
        plan.cost.hours_per_month,
        plan.operations,
        plan.extras,
        plan.savings_plans,
    )


def _lines(before: CostBreakdown, after: CostBreakdown) -> tuple[LineEffect, ...]:
    old, new = {line.charge: line for line in before}, {line.charge: line for line in after}
    return tuple(
        LineEffect(
            charge,
            (old.get(charge) or new[charge]).title,
            usd_of(old.get(charge)),
            usd_of(new.get(charge)),
        )
        for charge in in_order({**old, **new})
    )


def _paid_by(cost: CostBreakdown) -> set[str]:
    """Name the plans that a bill has, and what is known of them."""
    lines = {line.charge for line in cost if line.charge.startswith(COMMITMENT)}
    applied = [done for done in cost.savings_plans if done.commitment_usd_per_h]
    return lines | {f"{done.plan.title} {done.commitment_usd_per_h}" for done in applied}


def _more(difference: float, base: float) -> str:
    if abs(difference) < 0.005:
        return "the same"
    percent = f" ({abs(difference) / base:.1%})" if base else ""
    return f"${abs(difference):,.2f} a month {'more' if difference > 0 else 'less'}{percent}"


def _cheapest(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "service": plan.spec.describe(),
        "usd_per_month": plan.cost.total_usd,
        "is_lower_bound": plan.cost.is_lower_bound,
    }
