"""From today's service to a plan, choice by choice: steps_to(today, best, rates); and each other choice taken alone: value_of_choices(plan, rates).

Notes
-----
What a choice is worth depends on those that were made before it: a smaller task saves more while there are many of them. So the order is fixed
and said (`GROUPS`), each service between today's and the plan is simulated and priced, and the steps add up to the whole difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from estimator.billing.costing import CostBreakdown
from estimator.errors import InvalidScenario
from estimator.planning.bills import require_rates_of
from estimator.planning.networks import compare_networks
from estimator.planning.promise import Rejection
from estimator.planning.purchases import compare_purchases
from estimator.planning.result import Plan
from estimator.planning.why_not import difference_usd, estimate_like, signed_usd
from estimator.pricing.rates import Rates
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.policies import ScalingPolicy, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import CPU_ARCHITECTURES

#: What is moved from today's service to the plan's, in this order: a name, and the fields of the service that it is.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Task size": ("task_size",),
    "Architecture": ("cpu_architecture",),
    "Scaling policies": ("scaling",),
    "Minimum and maximum": ("min_capacity", "max_capacity"),
    "Scheduled actions": ("scheduled_actions",),
    "Spot mix": ("capacity_provider_strategy",),
    "Network layout": ("network",),
    "Deployment and storage": ("deployment", "ephemeral_storage_gib"),
}
#: The last steps: what stands around the service, and what was committed to.
AROUND, SAVINGS_PLANS = "Edge, logs and metrics", "Savings Plan"
#: What may differ between today and the plan besides the service: each is a step of its own.
_BESIDE_THE_SERVICE = frozenset({"request", "extras", "savings_plans"})


@dataclass(frozen=True, eq=False)
class PlanStep:
    """One step on the way from today's service to a plan.

    Parameters
    ----------
    title : str
        What is moved: a name of `GROUPS`, several where one cannot be had without the next, ``AROUND`` or ``SAVINGS_PLANS``.
    change : str
        From what to what.
    before : Plan
        The service before the step.
    after : Plan
        The service after it, which the next step begins with.
    broken : tuple of Rejection
        Limits of the promise that the service breaks after the step: why one cannot stop there.
    """

    title: str
    change: str
    before: Plan
    after: Plan
    broken: tuple[Rejection, ...]

    @property
    def difference_usd(self) -> float | None:
        """What the service costs more after the step; None if a rate that is not known decides. [USD/month]"""
        return difference_usd(self.before.cost, self.after.cost)

    @property
    def keeps_promise(self) -> bool:
        """True if the service breaks no limit after the step."""
        return not self.broken

    @property
    def broken_text(self) -> str:
        """The limits that it breaks after the step, to read; empty if none."""
        return "; ".join(limit.reason for limit in self.broken)

    def __repr__(self) -> str:
        return f"{self.title} ({self.change}): {signed_usd(self.difference_usd)} USD a month"

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "title": self.title,
            "change": self.change,
            "difference_usd_per_month": self.difference_usd,
            "usd_per_month_before": self.before.cost.total_usd,
            "usd_per_month_after": self.after.cost.total_usd,
            "is_lower_bound": self.before.cost.is_lower_bound or self.after.cost.is_lower_bound,
            "service_after": self.after.spec.describe(),
            "broken": [limit.to_dict() for limit in self.broken],
        }


@dataclass(frozen=True, eq=False)
class ChoiceValue:
    """One other choice, all else of a plan left as it is.

    Parameters
    ----------
    title : str
        The choice, in words.
    group : str
        What it is a choice of: ``Architecture``, ``Spot mix``, ``Savings Plan`` or ``Network layout``.
    cost : CostBreakdown or None
        The bill with it; None where it cannot be had.
    difference_usd : float or None
        What the bill is more than the plan's; None where it cannot be had or a rate that is not known decides. [USD/month]
    broken : tuple of Rejection
        Limits of the promise that it breaks.
    why_not : str
        Why it cannot be had; empty where it can.
    condition : str
        What must hold outside the service for it; empty where nothing must.
    """

    title: str
    group: str
    cost: CostBreakdown | None
    difference_usd: float | None
    broken: tuple[Rejection, ...] = ()
    why_not: str = ""
    condition: str = ""

    @property
    def remark(self) -> str:
        """Why it cannot be had, what it breaks, or its condition, to read; empty where there is nothing to say."""
        if self.why_not:
            return self.why_not
        broken = "; ".join(limit.reason for limit in self.broken)
        return " ".join(filter(None, (f"Breaks the promise: {broken}." if broken else "", self.condition)))

    def __repr__(self) -> str:
        return f"{self.title}: {signed_usd(self.difference_usd)} USD a month"

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "title": self.title,
            "group": self.group,
            "usd_per_month": None if self.cost is None else self.cost.total_usd,
            "is_lower_bound": None if self.cost is None else self.cost.is_lower_bound,
            "difference_usd_per_month": self.difference_usd,
            "broken": [limit.to_dict() for limit in self.broken],
            "why_not": self.why_not or None,
            "condition": self.condition or None,
        }


# From today to the plan.


def steps_to(today: Plan, best: Plan, rates: Rates) -> tuple[PlanStep, ...]:
    """Go from today's service to a plan, one group of choices after the other, and price each service on the way.

    Parameters
    ----------
    today : Plan
        Today's service, as `estimate` gives it.
    best : Plan
        The plan, for the same load, promise and application.
    rates : Rates
        The region's rates.

    Returns
    -------
    tuple of PlanStep
        In the order of `GROUPS`, then what stands around the service, the Savings Plan last; a group that is the same in both is left out. Each
        step begins with the very bill that the one before it ends with, the first with today's, and the last ends with the plan's: so they add up.

    Raises
    ------
    InvalidScenario
        If both are not for the same load, promise, application and month.

    Examples
    --------
    >>> from estimator import Choices, LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates, plan
    >>> rates, work = load_rates("us-east-1"), Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    >>> today = estimate(work, rates, ServiceSpec(TaskSize(1024, 2048)))
    >>> choices = Choices(target_values=(60.0,), min_capacities=(2,), max_capacity=10, scale_out_cooldowns_s=(300,))
    >>> best = plan(work, rates, choices=choices)
    >>> [step.title for step in steps_to(today, best, rates)]
    ['Task size', 'Architecture', 'Scaling policies', 'Minimum and maximum']
    """
    require_rates_of(today, rates)
    require_rates_of(best, rates)
    _require_alike(today, best)
    found: list[PlanStep] = []
    now, goal = today, best.spec
    waiting: list[str] = []
    for group, names in GROUPS.items():
        if all(getattr(now.spec, name) == getattr(goal, name) for name in names):
            continue
        waiting.append(group)
        after = _moved(now, best, waiting, rates)
        if after is None:
            # Such as a policy that the deployment of today does not go with: it is had with the next group alone.
            continue
        changes = [_change(now.spec, after.spec, each) for each in waiting]
        found.append(PlanStep(" and ".join(waiting), "; ".join(changes), now, after, after.broken))
        now, waiting = after, []
    if _around(now) != _around(best):
        after = best
        if now.savings_plans != best.savings_plans:
            after = estimate_like(replace(best, savings_plans=now.savings_plans), rates, best.spec)
        found.append(PlanStep(AROUND, _around_text(now, best), now, after, after.broken))
        now = after
    if now.savings_plans != best.savings_plans:
        change = f"{_plans_text(now)} → {_plans_text(best)}"
        found.append(PlanStep(SAVINGS_PLANS, change, now, best, best.broken))
    return tuple(found)


def _require_alike(today: Plan, best: Plan) -> None:
    one, other = (
        {name: value for name, value in plan.assumptions.items() if name not in _BESIDE_THE_SERVICE}
        | {"promise": plan.promise, "hours_per_month": plan.cost.hours_per_month}
        for plan in (today, best)
    )
    differ = [name for name, value in one.items() if value != other[name]]
    if differ:
        raise InvalidScenario(
            f"today and best differ in {', '.join(differ)}; steps lead from one service to another for the same load and promise. Make both from "
            "one scenario."
        )


def _moved(now: Plan, best: Plan, groups: list[str], rates: Rates) -> Plan | None:
    """Take groups of fields from the plan; None if AWS does not have such a service."""
    names = [name for group in groups for name in GROUPS[group]]
    try:
        spec = replace(now.spec, **{name: getattr(best.spec, name) for name in names})
        is_there = spec == best.spec and now.savings_plans == best.savings_plans and _around(now) == _around(best)
        return best if is_there else estimate_like(now, rates, spec)
    except InvalidScenario:
        return None


def _change(before: ServiceSpec, after: ServiceSpec, group: str) -> str:
    old, new = (_SAID[group](spec) for spec in (before, after))
    return f"{old} → {new}" if old != new else new


def _size(spec: ServiceSpec) -> str:
    return f"{spec.task_size.vcpu:g} vCPU, {spec.task_size.memory_gb:g} GB"


def _policies(spec: ServiceSpec) -> str:
    return ", ".join(map(_policy, spec.scaling)) or "none"


def _policy(policy: ScalingPolicy) -> str:
    if isinstance(policy, TargetTrackingScalingPolicy):
        return f"{policy.describe()} ({policy.scale_out_cooldown_s} s out, {policy.scale_in_cooldown_s} s in)"
    return policy.describe()


def _actions(spec: ServiceSpec) -> str:
    return ", ".join(map(_action, spec.scheduled_actions)) or "none"


def _action(action: ScheduledAction) -> str:
    bounds = {"min": action.min_capacity, "max": action.max_capacity}
    said = ", ".join(f"{name} {value}" for name, value in bounds.items() if value is not None)
    return f"{action.schedule}: {said}"


def _network(spec: ServiceSpec) -> str:
    network = spec.network
    gateways = f" with {network.nat_gateways} NAT gateway{'s' if network.nat_gateways > 1 else ''}"
    return f"{network.layout} over {network.availability_zones} zones{gateways if network.nat_gateways else ''}"


#: How each group of a service is said.
_SAID: dict[str, Callable[[ServiceSpec], str]] = {
    "Task size": _size,
    "Architecture": lambda spec: spec.cpu_architecture,
    "Scaling policies": _policies,
    "Minimum and maximum": lambda spec: f"{spec.min_capacity}-{spec.max_capacity} tasks",
    "Scheduled actions": _actions,
    "Spot mix": lambda spec: spec.capacity_provider_strategy.describe() or "On-Demand",
    "Network layout": _network,
    "Deployment and storage": lambda spec: f"{spec.deployment.strategy}, {spec.ephemeral_storage_gib} GiB",
}


def _around(plan: Plan) -> dict[str, Any]:
    """List what stands around a service: what of each request is answered where, and what is billed beside it."""
    return {name: plan.assumptions[name] for name in ("request", "extras")}


def _around_text(before: Plan, after: Plan) -> str:
    old, new = ({**sections["request"], **sections["extras"]} for sections in (_around(before), _around(after)))
    return "; ".join(
        f"{name}: {_plain(old[name])} → {_plain(value)}" for name, value in new.items() if value != old[name]
    )


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "none" if value in (None, ()) else str(value)


def _plans_text(plan: Plan) -> str:
    return ", ".join(one.title for one in plan.savings_plans) or "none"


# Each other choice alone.

#: What a choice needs or brings with it.
_NEEDS = {
    "Architecture": "It needs an image built for it.",
    "Spot mix": "AWS may interrupt tasks on Spot at two minutes' notice, and promises no capacity.",
}


def value_of_choices(plan: Plan, rates: Rates) -> tuple[ChoiceValue, ...]:
    """Say what each other choice would change in the bill of a plan, one at a time: architecture, Spot, Savings Plan, network layout.

    Each other architecture and share of Spot is simulated. A Savings Plan is the one that costs least, besides those that you have. Shares of Spot
    without a task on Spot, and layouts that are the plan's own, are left out.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The region's rates.

    Returns
    -------
    tuple of ChoiceValue
        What saves most first; then those whose difference is not known; last those that cannot be had, with the reason.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> found = estimate(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), rates, ServiceSpec(TaskSize(256, 512)))
    >>> [value.title for value in value_of_choices(found, rates) if value.group == "Architecture"]
    ['ARM64']
    """
    require_rates_of(plan, rates)
    services = [("Architecture", name, replace(plan.spec, cpu_architecture=name)) for name in CPU_ARCHITECTURES]
    services += [
        ("Spot mix", title, replace(plan.spec, capacity_provider_strategy=strategy))
        for title, strategy in _spot_mixes(plan.spec)
    ]
    found = [_value(plan, rates, *service) for service in services if service[-1] != plan.spec]
    everything = [*filter(None, found), *_savings_plan(plan, rates), *_layouts(plan, rates)]
    return tuple(sorted(everything, key=_most_saving_first))


def _spot_mixes(spec: ServiceSpec) -> list[tuple[str, CapacityProviderStrategy]]:
    least = spec.min_capacity
    mixes = [
        (f"half on Spot above {least}", CapacityProviderStrategy(least, 1, 1)),
        (f"all on Spot above {least}", CapacityProviderStrategy(least, 0, 1)),
    ]
    return [*mixes, ("On-Demand", CapacityProviderStrategy())] if spec.capacity_provider_strategy.uses_spot else mixes


def _value(plan: Plan, rates: Rates, group: str, title: str, spec: ServiceSpec) -> ChoiceValue | None:
    """Price another service; None if it is the same in effect, such as a share of Spot that no task ever has."""
    try:
        other = estimate_like(plan, rates, spec)
    except InvalidScenario as error:
        return ChoiceValue(title, group, None, None, why_not=str(error))
    if spec.capacity_provider_strategy.uses_spot and not other.simulation.spot_billed_task_hours[0]:
        return None
    more = difference_usd(plan.cost, other.cost)
    condition = _NEEDS.get(group, "") if group == "Architecture" or spec.capacity_provider_strategy.uses_spot else ""
    return ChoiceValue(title, group, other.cost, more, other.broken, condition=condition)


def _savings_plan(plan: Plan, rates: Rates) -> list[ChoiceValue]:
    """Find the Savings Plan that costs least for the service as it is; none where the plan has it already."""
    own = plan.spec.capacity_provider_strategy
    ways = [way for way in compare_purchases(plan, rates) if way.savings_plan and way.strategy == own]
    best = next(((way.plan, way.bought) for way in ways if way.plan and way.bought), None)
    if best is not None:
        other, bought = best
        to_buy = {(one.term, one.payment_option) for one in plan.savings_plans if not one.existing}
        if (bought.plan.term, bought.plan.payment_option) in to_buy:
            return []
        none_pays = "" if bought.commitment_usd_per_h else "No commitment pays."
        more = difference_usd(plan.cost, other.cost)
        broken = other.broken
        return [ChoiceValue(bought.plan.title, SAVINGS_PLANS, other.cost, more, broken, condition=none_pays)]
    if any(way.unknown_price for way in ways):
        why = f"No rate of a Savings Plan is known in {rates.region}."
        return [ChoiceValue(SAVINGS_PLANS, SAVINGS_PLANS, None, None, why_not=why)]
    return []


def _layouts(plan: Plan, rates: Rates) -> list[ChoiceValue]:
    """Price the other layouts; nothing is simulated again, since the network does not change what happens."""
    return [
        ChoiceValue(
            bill.title,
            "Network layout",
            bill.cost,
            None if bill.cost is None else difference_usd(plan.cost, bill.cost),
            () if bill.cost is None else _in_layout(plan, bill.network, bill.cost).broken,
            bill.why_not,
            bill.condition,
        )
        for bill in compare_networks(plan, rates)
        if bill.network != plan.spec.network
    ]


def _in_layout(plan: Plan, network: NetworkLayout, cost: CostBreakdown) -> Plan:
    spec = replace(plan.spec, network=network)
    return replace(plan, spec=spec, cost=cost, simulation=replace(plan.simulation, specs=(spec,)))


def _most_saving_first(value: ChoiceValue) -> tuple[bool, bool, float]:
    more = value.difference_usd
    return value.cost is None, more is None, more or 0.0
