"""What all breakdowns of a bill share: the order of its charges, and Savings Plans that stay as they were bought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostLine
from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates, require_rates


def usd_of(line: CostLine | None) -> float | None:
    """Say what a line costs that a bill may be without.

    Parameters
    ----------
    line : CostLine or None
        The line; None where the bill has none, which is only where its quantity is 0, whatever the rate.

    Returns
    -------
    float or None
        Its cost; None if its rate is unknown. [USD/month]
    """
    return 0.0 if line is None else line.effective_cost


def in_order(charges: Iterable[str]) -> list[str]:
    """Put names of charges in the order of ``CHARGES``.

    Parameters
    ----------
    charges : iterable of str
        Names of lines; what a Savings Plan pays of a charge has its name before a colon.

    Returns
    -------
    list of str
        Each once; what is no charge comes last.

    Examples
    --------
    >>> in_order(["savings_plan_unused:1", "alb_hour", "fargate_linux_x86_gb_hour:savings_plan_1", "fargate_linux_x86_gb_hour"])
    ['fargate_linux_x86_gb_hour', 'fargate_linux_x86_gb_hour:savings_plan_1', 'alb_hour', 'savings_plan_unused:1']
    """
    place = {name: number for number, name in enumerate(CHARGES)}

    def order(name: str) -> tuple[int, str]:
        return place.get(name, place.get(name.partition(":")[0], len(place))), name

    return sorted(set(charges), key=order)


def require_rates_of(plan: object, rates: object) -> None:
    """Raise unless rates are those of a plan's region: a bill of two regions is none.

    Parameters
    ----------
    plan : object
        What was given as a plan.
    rates : object
        What was given as rates.

    Raises
    ------
    InvalidScenario
        If they are something else, or of another region.
    """
    if not isinstance(plan, Plan):
        raise InvalidScenario(f"plan is {shown(plan)}; it must be what plan or estimate gives.")
    require_rates(rates)
    if isinstance(rates, Rates) and rates.region != plan.cost.region:
        raise InvalidScenario(
            f"The rates are of {rates.region}, the plan is of {plan.cost.region}. Give the rates of {plan.cost.region}; `bills_by_region` prices "
            "a plan elsewhere."
        )


def hold_commitments(plan: Plan) -> Plan:
    """Keep the commitments that were found for a plan, so that another load does not buy others.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.

    Returns
    -------
    Plan
        The same, with each Savings Plan at the commitment that its bill has; without those that did not pay off.
    """
    found = {done.plan: done.commitment_usd_per_h for done in plan.cost.savings_plans}
    held = [
        one if one.commitment_usd_per_h else replace(one, commitment_usd_per_h=found[one])
        for one in plan.savings_plans
        if one.commitment_usd_per_h or found.get(one)
    ]
    return replace(plan, savings_plans=tuple(held))
