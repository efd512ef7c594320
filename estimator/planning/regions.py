"""The same service in other regions: bills_by_region(plan, rates_of), the simulation taken over as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from estimator.billing.committed import with_known_plans
from estimator.billing.costing import CostBreakdown, breakdown, price_month
from estimator.billing.month import BilledMonth
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.pricing.regions import REGIONS
from estimator.service.extras import edge_of
from estimator.service.network import NetworkLayout


@dataclass(frozen=True, slots=True)
class RegionBill:
    """A service's bill in one region.

    Parameters
    ----------
    region : str
        Region code.
    location : str
        Its name in the price list, such as ``EU (Ireland)``.
    cost : CostBreakdown
        The bill; a line whose rate is unknown there stands as unknown.
    lacks_savings_plans : bool
        True if the plan has Savings Plans whose rates are unknown there: those to be bought are left out, of those that you have it is not
        known what they pay for.
    """

    region: str
    location: str
    cost: CostBreakdown
    lacks_savings_plans: bool = False

    @property
    def unknown(self) -> tuple[str, ...]:
        """What of the bill has an unknown rate: titles of lines, and Savings Plans without which the bill is."""
        plans = ("Savings Plan rates",) if self.lacks_savings_plans else ()
        return (*(line.title for line in self.cost if line.effective_cost is None), *plans)

    def __repr__(self) -> str:
        return f"{self.region}: {self.cost.total_text}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "region": self.region,
            "location": self.location,
            "usd_per_month": self.cost.total_usd,
            "is_lower_bound": self.cost.is_lower_bound,
            "unknown": list(self.unknown),
            "lacks_savings_plans": self.lacks_savings_plans,
            "prices_published": self.cost.prices_published,
        }


def bills_by_region(
    plan: Plan, rates_of: Callable[[str], Rates], regions: Iterable[str] = tuple(REGIONS)
) -> tuple[RegionBill, ...]:
    """Price the service of a plan in other regions; nothing is simulated again, since prices do not change what happens.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates_of : callable
        Rates of a region by its code.
    regions : iterable of str
        Region codes; all by default.

    Returns
    -------
    tuple of RegionBill
        Whole bills first, cheapest first; then those that are at least so much, since a rate is unknown.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
    >>> found = bills_by_region(estimate(work, load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512))), load_rates)
    >>> len(found), found[0].cost.total_usd < found[-1].cost.total_usd
    (36, True)
    """
    found = [_bill(plan, rates_of(region)) for region in regions]
    return tuple(sorted(found, key=_order))


def _order(bill: RegionBill) -> tuple[bool, float, str]:
    return bill.cost.is_lower_bound or bill.lacks_savings_plans, bill.cost.total_usd, bill.region


def bill_again(
    plan: Plan, rates: Rates, network: NetworkLayout | None = None, *, savings_plans: bool = True
) -> CostBreakdown:
    """Price what a plan's simulation found at other rates or in another network layout, neither of which changes what happens.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The rates, of any region.
    network : NetworkLayout, optional
        Another layout; by default the plan's own.
    savings_plans : bool
        False to leave the plan's Savings Plans out.

    Returns
    -------
    CostBreakdown
        The bill.

    """
    spec = plan.spec if network is None else replace(plan.spec, network=network)
    month = BilledMonth(
        plan.workload,
        replace(plan.simulation, specs=(spec,)),
        plan.application,
        plan.cost.hours_per_month,
        rates.region,
        plan.behavior,
        plan.extras,
    )
    cost = breakdown(month, price_month(month, rates), rates, 0)
    if not savings_plans:
        return cost
    priced, _ = with_known_plans(cost, plan.simulation, rates, plan.savings_plans, plan.application.operating_system)
    return priced


def _in(plan: Plan, region: str) -> Plan:
    """Take a plan to another region: its viewers stay where they are, and its image is in that region's ECR if it is in its own's."""
    home, extras = plan.cost.region, plan.extras
    if plan.workload.behind_cloudfront and not extras.cloudfront_edges:
        extras = replace(extras, cloudfront_edges={edge_of(home): 1.0})
    image = plan.application.image
    if image is not None and plan.application.image_is_in_ecr(home):
        image = image.replace(f".{home}.", f".{region}.")
    return replace(plan, extras=extras, application=replace(plan.application, image=image))


def _bill(plan: Plan, rates: Rates) -> RegionBill:
    there = _in(plan, rates.region)
    cost = bill_again(there, rates)
    left_out = len(cost.savings_plans) < len(plan.savings_plans)
    return RegionBill(rates.region, REGIONS[rates.region].location, cost, left_out)
