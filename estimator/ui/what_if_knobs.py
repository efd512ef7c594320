"""The knobs of a plan that one may turn by hand, and the scenario whose section ``service`` says what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, SavingsPlan
from estimator.planning.result import Plan
from estimator.scenario import Scenario
from estimator.service.policies import TargetTrackingScalingPolicy, configuration_of
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import MEMORY_MIB
from estimator.ui.cached import Question

#: No Savings Plan is bought.
NO_COMMITMENT = "none"
#: Compute Savings Plans that one may buy, by the words for the choice.
COMMITMENTS = {
    f"{option.term} {option.payment_option}": SavingsPlan(option.term, option.payment_option)
    for option in SAVINGS_PLAN_OPTIONS
}


@dataclass(frozen=True)
class Knobs:
    """What can be turned.

    Parameters
    ----------
    cpu_units, memory_mib : int
        CPU and memory of a task. [cpu units, MiB]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    scales : bool
        True if a target tracking policy changes the desired count.
    target_value : float
        What that policy holds. [%]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Its cooldowns. [s]
    min_capacity, max_capacity : int
        Bounds of the desired count. [tasks]
    busy_min_capacity : int or None
        Minimum of the busy hours, which scheduled actions bring and take; None without such. [tasks]
    fargate_base : int
        Tasks that run on Fargate On-Demand before Fargate Spot has a part. [tasks]
    spot_percent : float
        Part of the tasks above the base that runs on Fargate Spot. [percent]
    commitment : str
        ``NO_COMMITMENT``, or one of ``COMMITMENTS``.
    commitment_usd_per_h : float or None
        Its commitment; None for the one that costs least. [USD/h]
    layout : str
        Where the tasks stand.
    availability_zones, nat_gateways : int
        Zones, and NAT gateways of the layout ``nat``. [1]
    strategy : str
        Deployment strategy.
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: str
    scales: bool
    target_value: float
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    min_capacity: int
    max_capacity: int
    busy_min_capacity: int | None
    fargate_base: int
    spot_percent: float
    commitment: str
    commitment_usd_per_h: float | None
    layout: str
    availability_zones: int
    nat_gateways: int
    strategy: str


def knobs_of(plan: Plan) -> Knobs:
    """Read where the knobs of a plan stand.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    Knobs
        What they say.
    """
    spec = plan.spec
    policy = next((each for each in spec.scaling if isinstance(each, TargetTrackingScalingPolicy)), None)
    usual = policy or TargetTrackingScalingPolicy()
    bought = next((each for each in plan.savings_plans if not each.existing), None)
    strategy = spec.capacity_provider_strategy
    return Knobs(
        spec.task_size.cpu_units,
        spec.task_size.memory_mib,
        spec.cpu_architecture,
        policy is not None,
        usual.target_value,
        usual.scale_out_cooldown_s,
        usual.scale_in_cooldown_s,
        spec.min_capacity,
        spec.max_capacity,
        _busy_min(spec),
        strategy.fargate_base,
        100 * strategy.spot_share,
        NO_COMMITMENT if bought is None else f"{bought.term} {bought.payment_option}",
        None if bought is None else bought.commitment_usd_per_h,
        spec.network.layout,
        spec.network.availability_zones,
        spec.network.nat_gateways or 1,
        spec.deployment.strategy,
    )


def turned(base: Knobs, changes: Mapping[str, Any]) -> Knobs:
    """Turn knobs, and those that must go with them.

    Parameters
    ----------
    base : Knobs
        Where they stand.
    changes : mapping of str to object
        New values by name. [the knobs' units]

    Returns
    -------
    Knobs
        With a memory that the CPU size has, and no more NAT gateways than zones.
    """
    knobs = replace(base, **changes)
    sizes = MEMORY_MIB[knobs.cpu_units]
    return replace(
        knobs,
        memory_mib=min(sizes, key=lambda size: abs(size - knobs.memory_mib)),
        nat_gateways=min(knobs.nat_gateways, knobs.availability_zones),
    )


def differing(base: Knobs, knobs: Knobs) -> dict[str, Any]:
    """List the knobs that stand elsewhere.

    Parameters
    ----------
    base, knobs : Knobs
        Two settings.

    Returns
    -------
    dict of str to object
        Values of the second by name, where they are not those of the first. [the knobs' units]
    """
    names = (item.name for item in fields(Knobs))
    return {name: getattr(knobs, name) for name in names if getattr(knobs, name) != getattr(base, name)}


def hand_made(question: Question, plan: Plan, changes: Mapping[str, Any]) -> Question:
    """Ask for one service in place of a search: the plan's, with knobs turned.

    Parameters
    ----------
    question : Question
        What the plan answers.
    plan : Plan
        The plan.
    changes : mapping of str to object
        Knobs that are turned, by name. [the knobs' units]

    Returns
    -------
    Question
        Its scenario has the service as its section ``service``; `estimate` prices it. Without changes it has the plan's own bill.

    Raises
    ------
    InvalidScenario
        If AWS refuses what the knobs say.
    """
    base = knobs_of(plan)
    knobs = turned(base, changes)
    moved = differing(base, knobs)
    values = question.scenario.to_dict()
    # What a search has chosen beside the service.
    values["region"] = plan.cost.region
    values["request"]["behind_cloudfront"] = plan.workload.behind_cloudfront
    for name in ("container_insights", "log_class"):
        values["extras"][name] = getattr(plan.extras, name)
    values["extras"]["cloudfront_edges"] = dict(plan.extras.cloudfront_edges)
    values["service"] = _service(plan.spec, knobs, moved)
    values["network"] |= {
        "layout": knobs.layout,
        "availability_zones": knobs.availability_zones,
        "nat_gateways": knobs.nat_gateways if knobs.layout == "nat" else None,
        "load_balancer_ipv4": plan.spec.network.load_balancer_ipv4,
    }
    values["savings_plans"] = _savings_plans(plan, knobs, moved)
    return replace(question, scenario=Scenario.from_dict(values, "By hand"))


def _busy_min(spec: ServiceSpec) -> int | None:
    least = [each.min_capacity for each in spec.scheduled_actions if each.min_capacity is not None]
    most = max(least, default=spec.min_capacity)
    return most if most > spec.min_capacity else None


def _service(spec: ServiceSpec, knobs: Knobs, moved: Mapping[str, Any]) -> dict[str, Any]:
    strategy = asdict(spec.capacity_provider_strategy) | {"fargate_base": knobs.fargate_base}
    if "spot_percent" in moved:
        # Tenths of a percent are as fine as AWS's weights are.
        spot = round(10 * knobs.spot_percent)
        strategy |= {"fargate_weight": 1000 - spot, "fargate_spot_weight": spot}
    return {
        "cpu_units": knobs.cpu_units,
        "memory_mib": knobs.memory_mib,
        "cpu_architecture": knobs.cpu_architecture,
        "min_capacity": knobs.min_capacity,
        "max_capacity": knobs.max_capacity,
        "scaling": _scaling(spec, knobs),
        "scheduled_actions": _scheduled_actions(spec, knobs),
        "capacity_provider_strategy": strategy,
        "deployment": asdict(spec.deployment) | {"strategy": knobs.strategy},
    }


def _scaling(spec: ServiceSpec, knobs: Knobs) -> list[dict[str, Any]]:
    if not knobs.scales:
        return []
    own = {
        "target_value": knobs.target_value,
        "scale_out_cooldown_s": knobs.scale_out_cooldown_s,
        "scale_in_cooldown_s": knobs.scale_in_cooldown_s,
    }
    policies = list(spec.scaling)
    place = next((i for i, each in enumerate(policies) if isinstance(each, TargetTrackingScalingPolicy)), None)
    if place is None:
        return [*map(configuration_of, policies), {"policy_type": "TargetTrackingScaling", **own}]
    return [configuration_of(each) | (own if i == place else {}) for i, each in enumerate(policies)]


def _scheduled_actions(spec: ServiceSpec, knobs: Knobs) -> list[dict[str, Any]]:
    """Take scheduled actions along: one that comes back to the usual bounds would undo the knobs the same day."""
    busy, actions = _busy_min(spec), []
    for action in spec.scheduled_actions:
        values = asdict(action)
        if action.min_capacity is not None:
            follows = {spec.min_capacity: knobs.min_capacity, busy: knobs.busy_min_capacity}
            least = follows.get(action.min_capacity, action.min_capacity)
            values["min_capacity"] = max(least or 0, knobs.min_capacity)
        if action.max_capacity is not None:
            values["max_capacity"] = (
                knobs.max_capacity if action.max_capacity == spec.max_capacity else action.max_capacity
            )
        actions.append(values)
    return actions


def _savings_plans(plan: Plan, knobs: Knobs, moved: Mapping[str, Any]) -> list[dict[str, Any]]:
    plans = [asdict(each) for each in plan.savings_plans]
    if not {"commitment", "commitment_usd_per_h"} & moved.keys():
        return plans
    kept = [asdict(each) for each in plan.savings_plans if each.existing]
    if knobs.commitment == NO_COMMITMENT:
        return kept
    bought = asdict(COMMITMENTS[knobs.commitment]) | {"commitment_usd_per_h": knobs.commitment_usd_per_h}
    return [*kept, bought]
