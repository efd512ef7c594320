"""Ways to pay for the same service, side by side: On-Demand, Fargate Spot, and each Savings Plan at its best commitment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimator.billing.committed import existing_commitments, with_known_plans, with_savings_plans
from estimator.billing.costing import CostBreakdown
from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, AppliedSavingsPlan, SavingsPlan
from estimator.billing.savings_plans import commitment_risk, fargate_usage
from estimator.errors import InvalidScenario, RateNotFound
from estimator.planning.bills import require_rates_of
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.capacity import CapacityProviderStrategy


@dataclass(frozen=True, slots=True)
class Purchase:
    """A service paid for in one way.

    Parameters
    ----------
    title : str
        The way, in words.
    strategy : CapacityProviderStrategy
        What the tasks run on.
    savings_plan : SavingsPlan or None
        The Savings Plan that is to be bought; None without one.
    plan : Plan or None
        The service with its course and bill; None where it cannot be had.
    fall_to_loss_percent : float or None
        Fall of the Fargate On-Demand usage, in all hours alike, from which on the Savings Plan is a loss; None without one. [percent]
    why_not : str
        Why it cannot be had; empty where it can.
    unknown_price : str
        The price whose rate is not known, where that is why; empty otherwise.
    """

    title: str
    strategy: CapacityProviderStrategy
    savings_plan: SavingsPlan | None
    plan: Plan | None
    fall_to_loss_percent: float | None = None
    why_not: str = ""
    unknown_price: str = ""

    @property
    def cost(self) -> CostBreakdown | None:
        """The bill; None where it cannot be had."""
        return None if self.plan is None else self.plan.cost

    @property
    def bought(self) -> AppliedSavingsPlan | None:
        """What the Savings Plan does that is to be bought; None without one."""
        return None if self.cost is None or self.savings_plan is None else self.cost.savings_plans[-1]

    def __repr__(self) -> str:
        return f"{self.title}: {self.why_not if self.cost is None else self.cost.total_text}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        cost, figures = self.cost, self.plan.figures if self.plan else {}
        return {
            "title": self.title,
            "usd_per_month": None if cost is None else cost.total_usd,
            "is_lower_bound": None if cost is None else cost.is_lower_bound,
            "upfront_usd": None if cost is None else cost.upfront_usd,
            "savings_plan": None if self.bought is None else self.bought.to_dict(),
            "fall_to_loss_percent": self.fall_to_loss_percent,
            "minutes_over_capacity_per_month": figures.get("minutes_over_capacity_per_month"),
            "why_not": self.why_not or None,
        }


def compare_purchases(plan: Plan, rates: Rates) -> tuple[Purchase, ...]:
    """Price a service On-Demand, with shares of Fargate Spot, and with the best commitment of each Savings Plan.

    Each mix of capacity providers is simulated, since interruptions change what happens. A mix that never has a task on Spot is On-Demand and
    not listed again. Savings Plans that you have are in all of them; of the plan's own the one to be bought is not.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The region's rates.

    Returns
    -------
    tuple of Purchase
        Whole bills first, cheapest first; then those with an unknown rate; last those that cannot be had, with the reason.

    Examples
    --------
    A constant load is paid for in advance as a whole.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> found = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), rates, ServiceSpec(TaskSize(256, 512)))
    >>> best = next(way for way in compare_purchases(found, rates) if way.bought and way.savings_plan.term == "1yr")
    >>> best.title, round(best.bought.used_usd / best.bought.committed_usd, 3)
    ('Compute Savings Plan, 1 year, No Upfront', 1.0)
    """
    require_rates_of(plan, rates)
    existing = tuple(one for one in plan.savings_plans if one.existing)
    found = []
    for title, strategy in _strategies(plan):
        try:
            without = _estimate(plan, rates, strategy)
        except InvalidScenario as error:
            found.append(Purchase(title, strategy, None, None, why_not=str(error)))
            continue
        if strategy.uses_spot and not without.simulation.spot_billed_task_hours[0]:
            continue
        run, system = without.simulation, without.application.operating_system
        cost, left_out = with_known_plans(without.cost, run, rates, existing, system)
        found.append(Purchase(title, strategy, None, replace(without, cost=cost, savings_plans=existing)))
        if left_out:
            # What is left for another plan depends on what is not known.
            continue
        if strategy.fargate_weight or strategy.fargate_base:
            options = [SavingsPlan(option.term, option.payment_option) for option in SAVINGS_PLAN_OPTIONS]
            committed = [_committed(title, without, rates, existing, option) for option in options]
            # That a rate is not known is said once, not for each mix with Spot.
            found += [way for way in committed if way.plan or not strategy.uses_spot]
    return tuple(sorted(found, key=_order))


def _strategies(plan: Plan) -> list[tuple[str, CapacityProviderStrategy]]:
    least = plan.spec.min_capacity
    usual = {
        CapacityProviderStrategy(): "On-Demand",
        CapacityProviderStrategy(least, 1, 1): f"half on Spot above {least}",
        CapacityProviderStrategy(least, 0, 1): f"all on Spot above {least}",
        CapacityProviderStrategy(0, 0, 1): "all on Spot",
    }
    own = plan.spec.capacity_provider_strategy
    return [(title, strategy) for strategy, title in ({own: own.describe()} | usual).items()]


def _estimate(plan: Plan, rates: Rates, strategy: CapacityProviderStrategy) -> Plan:
    spec = replace(plan.spec, capacity_provider_strategy=strategy)
    return estimate(
        plan.workload,
        rates,
        spec,
        plan.application,
        plan.promise,
        plan.behavior,
        plan.cost.hours_per_month,
        plan.operations,
        plan.extras,
    )


def _priced(title: str, without: Plan, rates: Rates, plans: Sequence[SavingsPlan], bought: SavingsPlan) -> Purchase:
    both = (*plans, bought)
    try:
        cost = with_savings_plans(without.cost, without.simulation, rates, both, without.application.operating_system)
    except (RateNotFound, InvalidScenario) as error:
        unknown = error.price if isinstance(error, RateNotFound) else ""
        why = f"{unknown} is not known" if unknown else str(error)
        strategy = without.spec.capacity_provider_strategy
        return Purchase(title, strategy, bought, None, why_not=why, unknown_price=unknown)
    done = replace(without, cost=cost, savings_plans=both)
    return Purchase(title, without.spec.capacity_provider_strategy, bought, done)


def _committed(title: str, without: Plan, rates: Rates, existing: Sequence[SavingsPlan], plan: SavingsPlan) -> Purchase:
    both = plan.title if title == "On-Demand" else f"{title}; {plan.title}"
    with_it = _priced(both, without, rates, existing, plan)
    bought = with_it.bought
    if bought is None or not bought.commitment_usd_per_h:
        return with_it
    run, system = without.simulation, without.application.operating_system
    already = existing_commitments(run, rates, existing, system)
    usage = fargate_usage(run, rates, plan.option, operating_system=system)
    risk = commitment_risk(usage, bought.commitment_usd_per_h, [1.0], already)
    return replace(with_it, fall_to_loss_percent=risk.fall_to_loss_percent)


def _order(way: Purchase) -> tuple[bool, bool, float]:
    cost = way.cost
    return cost is None, cost is not None and cost.is_lower_bound, float("inf") if cost is None else cost.total_usd
