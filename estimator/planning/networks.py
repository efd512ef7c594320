"""Which network layout is cheapest for a service: compare_networks(plan, rates), and from which traffic on another is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostBreakdown
from estimator.errors import InvalidScenario
from estimator.planning.bills import require_rates_of
from estimator.planning.limits import require_consistent
from estimator.planning.notes import network_conditions
from estimator.planning.regions import bill_again
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.network import NetworkLayout

#: Lines of the bill that differ between layouts.
NETWORK_CHARGES = (
    "public_ipv4",
    "nat_gateway_hour",
    "nat_gateway_gb",
    "cross_zone",
    "interface_endpoint_hour",
    "interface_endpoint_gb",
)
#: Those that go by the amount.
_BY_GB = ("nat_gateway_gb", "cross_zone", "interface_endpoint_gb")


@dataclass(frozen=True, slots=True)
class NetworkBill:
    """A service's bill in one network layout.

    Parameters
    ----------
    title : str
        The layout, in words.
    network : NetworkLayout
        The layout.
    cost : CostBreakdown or None
        The bill; None where the layout does not serve.
    why_not : str
        Why it does not; empty where it does.
    condition : str
        What must hold outside the service for it to serve; empty where nothing must.
    """

    title: str
    network: NetworkLayout
    cost: CostBreakdown | None
    why_not: str = ""
    condition: str = ""

    @property
    def network_is_lower_bound(self) -> bool:
        """True if a line of the network has no known rate."""
        lines = () if self.cost is None else self.cost.lines
        return any(line.effective_cost is None for line in lines if line.charge in NETWORK_CHARGES)

    @property
    def network_text(self) -> str:
        """What the known lines of the network come to, to read. [USD/month]"""
        if self.cost is None:
            return ""
        if not self.network_is_lower_bound:
            return f"{self.network_usd:,.2f}"
        return f"at least {self.network_usd:,.2f}" if self.network_usd else "unknown"

    @property
    def network_usd(self) -> float:
        """What the known lines of the network come to; infinite where the layout does not serve. [USD/month]"""
        if self.cost is None:
            return float("inf")
        return float(sum(line.effective_cost or 0.0 for line in self.cost if line.charge in NETWORK_CHARGES))

    def __repr__(self) -> str:
        return f"{self.title}: {self.why_not if self.cost is None else self.cost.total_text}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "title": self.title,
            "layout": self.network.layout,
            "nat_gateways": self.network.nat_gateways,
            "interface_endpoints": list(self.network.interface_endpoints),
            "network_usd_per_month": None if self.cost is None else self.network_usd,
            "network_is_lower_bound": None if self.cost is None else self.network_is_lower_bound,
            "usd_per_month": None if self.cost is None else self.cost.total_usd,
            "is_lower_bound": None if self.cost is None else self.cost.is_lower_bound,
            "why_not": self.why_not or None,
            "condition": self.condition or None,
        }


def compare_networks(plan: Plan, rates: Rates) -> tuple[NetworkBill, ...]:
    """Price a service in each layout that is usual; nothing is simulated again, since the network does not change what happens.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The region's rates.

    Returns
    -------
    tuple of NetworkBill
        Whole bills first, cheapest first; then those that serve on a condition; then those with an unknown rate that could decide; last the
        layouts that do not serve, with the reason.

    Examples
    --------
    A small service with little traffic is cheapest with public addresses, a large one is not.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    >>> for tasks in (2, 40):
    ...     spec = ServiceSpec(TaskSize(256, 512), min_capacity=tasks, max_capacity=tasks)
    ...     print(compare_networks(estimate(work, rates, spec), rates)[0].title)
    public addresses
    one NAT gateway
    """
    require_rates_of(plan, rates)
    found = [_bill(title, network, plan, rates) for title, network in _usual(plan)]
    # A condition that all of them have decides nothing.
    conditions = [set(_conditions(bill.network, plan)) for bill in found if bill.cost is not None]
    shared = set.intersection(*conditions) if conditions else set()
    told = [
        replace(bill, condition=" ".join(text for text in _conditions(bill.network, plan) if text not in shared))
        if bill.cost is not None
        else bill
        for bill in found
    ]
    return tuple(sorted(told, key=_order))


def network_usd_by_gb(bills: Sequence[NetworkBill], plan: Plan, rates: Rates, gb: ArrayLike) -> NDArray[np.float64]:
    """Say what each layout's lines come to if so much goes through it in a month, for a picture of where one overtakes another.

    Parameters
    ----------
    bills : sequence of NetworkBill
        What `compare_networks` gives.
    plan : Plan
        The service, for its hours and tasks.
    rates : Rates
        The region's rates.
    gb : array_like
        Logs, calls to the internet and images from elsewhere in a month. [GB]

    Returns
    -------
    numpy.ndarray, shape (n_bills, ...)
        Costs; not a number where a rate is unknown. [USD/month]
    """
    amount = np.asarray(gb, dtype=np.float64)
    rows = []
    for bill in bills:
        hours, network = plan.cost.hours_per_month, bill.network
        tasks = plan.simulation.billed_task_hours[0] * hours / plan.simulation.period_hours
        nodes = network.availability_zones if network.load_balancer_ipv4 else 0
        crossing = network.cross_zone_share * plan.behavior.cross_zone_ends_billed
        lines = {
            "public_ipv4": (nodes + network.nat_gateways) * hours + (tasks if network.layout == "public" else 0.0),
            "nat_gateway_hour": network.nat_gateways * hours,
            "nat_gateway_gb": amount if network.layout == "nat" else 0.0,
            "cross_zone": amount * crossing,
            "interface_endpoint_hour": len(network.interface_endpoints) * network.availability_zones * hours,
            "interface_endpoint_gb": amount if network.layout == "endpoints" else 0.0,
        }
        rows.append(sum((_cost(name, quantity, rates) for name, quantity in lines.items()), np.zeros_like(amount)))
    return np.array(rows)


def break_even_gb(one: NetworkBill, other: NetworkBill, plan: Plan, rates: Rates, most_gb: float = 1e6) -> float | None:
    """Find the monthly traffic at which two layouts cost the same.

    Parameters
    ----------
    one, other : NetworkBill
        The layouts.
    plan : Plan
        The service.
    rates : Rates
        The region's rates.
    most_gb : float
        Where the search ends. [GB]

    Returns
    -------
    float or None
        The least traffic at which they change places; None if they do not. [GB]

    Notes
    -----
    Costs are straight between the begins of tiers, so the places where they cross are found exactly.
    """
    return min(_crossings(one, other, plan, rates, most_gb), default=None)


def traffic_gb(plan: Plan, rates: Rates) -> float:
    """Say how much of a service's traffic the layouts charge for by the amount: logs, calls to the internet, images from elsewhere.

    Parameters
    ----------
    plan : Plan
        The service.
    rates : Rates
        The region's rates.

    Returns
    -------
    float
        What would go through NAT gateways in a month. [GB]
    """
    network = NetworkLayout.of("nat", plan.spec.network.availability_zones)
    behind_nat = bill_again(plan, rates, network, savings_plans=False)
    return sum(line.pricing_quantity for line in behind_nat if line.charge == "nat_gateway_gb")


def cheapest_by_gb(
    bills: Sequence[NetworkBill], plan: Plan, rates: Rates, most_gb: float = 1e6
) -> tuple[tuple[float, NetworkBill], ...]:
    """Say which layout costs least from which traffic on, of those that serve without a condition.

    Parameters
    ----------
    bills : sequence of NetworkBill
        What `compare_networks` gives.
    plan : Plan
        The service.
    rates : Rates
        The region's rates.
    most_gb : float
        Where the search ends. [GB]

    Returns
    -------
    tuple of (float, NetworkBill)
        The least traffic for each, in rising order, the first from 0 on; empty if no layout has all its rates. [GB]

    Examples
    --------
    Ten tasks: gateways are cheaper by the hour, addresses by the GB.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> spec = ServiceSpec(TaskSize(256, 512), min_capacity=10, max_capacity=10)
    >>> found = estimate(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), rates, spec)
    >>> [(round(gb), bill.title) for gb, bill in cheapest_by_gb(compare_networks(found, rates), found, rates)]
    [(0, 'public addresses')]
    """
    usable = [bill for bill in bills if bill.cost is not None and not bill.condition]
    usable = [bill for bill in usable if np.isfinite(network_usd_by_gb([bill], plan, rates, [0.0, most_gb])).all()]
    if not usable:
        return ()
    pairs = itertools.combinations(usable, 2)
    knots = sorted({0.0, *(gb for one, other in pairs for gb in _crossings(one, other, plan, rates, most_gb))})
    middles = [(low + high) / 2 for low, high in itertools.pairwise([*knots, most_gb])]
    costs = network_usd_by_gb(usable, plan, rates, middles)
    found: list[tuple[float, NetworkBill]] = []
    for begin, place in zip(knots, costs.argmin(axis=0).tolist(), strict=True):
        if not found or found[-1][1] is not usable[place]:
            found.append((begin, usable[place]))
    return tuple(found)


def _crossings(one: NetworkBill, other: NetworkBill, plan: Plan, rates: Rates, most_gb: float) -> list[float]:
    """Find every monthly traffic at which two layouts change places."""
    begins = {tier.begin for name in _BY_GB for tier in _tiers(CHARGES[name].price, rates)}
    knots = np.array(sorted({0.0, most_gb, *(begin for begin in begins if begin < most_gb)}))
    first, second = network_usd_by_gb((one, other), plan, rates, knots)
    ahead = first - second
    found = []
    for k in range(knots.size - 1):
        if ahead[k] * ahead[k + 1] < 0:
            found.append(float(knots[k] + (knots[k + 1] - knots[k]) * ahead[k] / (ahead[k] - ahead[k + 1])))
        if k and ahead[k] == 0 and ahead[k - 1] * ahead[k + 1] < 0:
            found.append(float(knots[k]))
    return found


def _usual(plan: Plan) -> list[tuple[str, NetworkLayout]]:
    zones, ipv4 = plan.spec.network.availability_zones, plan.spec.network.load_balancer_ipv4
    of = functools.partial(NetworkLayout.of, uses_secrets=bool(plan.application.secrets), load_balancer_ipv4=ipv4)
    usual = {
        of("public", zones): "public addresses",
        of("nat", zones): "one NAT gateway",
        of("nat", zones, zones): f"a NAT gateway in each of {zones} zones",
        of("endpoints", zones): "interface endpoints",
        of("ipv6", zones): "IPv6 and an egress-only gateway",
    }
    own = plan.spec.network
    gateways = f"{own.nat_gateways} NAT gateways for {zones} zones"
    title = gateways if own.layout == "nat" else f"{own.layout} as it is"
    return [(name, network) for network, name in (usual if own in usual else {own: title} | usual).items()]


def _bill(title: str, network: NetworkLayout, plan: Plan, rates: Rates) -> NetworkBill:
    try:
        require_consistent(plan.workload, plan.application, network, rates.region)
    except InvalidScenario as error:
        return NetworkBill(title, network, None, str(error))
    return NetworkBill(title, network, bill_again(plan, rates, network))


def _conditions(network: NetworkLayout, plan: Plan) -> tuple[str, ...]:
    return network_conditions(network, plan.application, plan.cost.region)


def _order(bill: NetworkBill) -> tuple[bool, bool, bool, float]:
    if bill.cost is None:
        return True, True, True, float("inf")
    # What all layouts have alike decides nothing.
    lacks = any(line.effective_cost is None for line in bill.cost if line.charge in NETWORK_CHARGES)
    return False, lacks, bool(bill.condition), bill.cost.total_usd


def _tiers(name: str, rates: Rates) -> Sequence[Any]:
    rate = rates.known.get(name)
    return rate.tiers if rate else ()


def _cost(charge: str, quantity: ArrayLike, rates: Rates) -> NDArray[np.float64]:
    amount = np.asarray(quantity, dtype=np.float64)
    rate = rates.known.get(CHARGES[charge].price)
    if not amount.any():
        return np.zeros_like(amount)
    return rate.cost(amount) if rate else np.full_like(amount, np.nan)
