"""Scaling policies and what they decide: POLICIES.

Notes
-----
A policy is a frozen dataclass with AWS's parameter names and one scalar decision. The decision is plain Python over
numbers: the time loop compiles it, or calls it as it is, and chooses it by the policy's code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from estimator.checks import require_number

ECS_CPU = "ECSServiceAverageCPUUtilization"
MAX_COOLDOWN_S = 86_400
#: Datapoints have six decimals; an exact fit must not be rounded up to one task more. [%]
METRIC_RESOLUTION = 1e-6


@dataclass(frozen=True, slots=True)
class TargetTrackingScalingPolicy:
    """Target tracking on the service's average CPU utilization.

    Parameters
    ----------
    target_value : float
        Utilization to hold. [%]
    scale_out_cooldown_s : int
        Seconds after a scale-out in which only a larger one acts; AWS's default is 300. [s]
    scale_in_cooldown_s : int
        Seconds after a scale-in until the next one; AWS's default is 300. [s]
    disable_scale_in : bool
        True to never remove tasks.

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    target_value: float = 60.0
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    disable_scale_in: bool = False

    #: The metric that is tracked, in AWS's words.
    predefined_metric_type = ECS_CPU

    def __post_init__(self) -> None:
        usual = "It is a percentage; 50 to 75 is usual."
        require_number("target_value", self.target_value, 1, 100, advice=usual)
        for name in ("scale_out_cooldown_s", "scale_in_cooldown_s"):
            require_number(name, getattr(self, name), 0, MAX_COOLDOWN_S, whole=True)


def decide_target_tracking(
    metric_percent: float,
    wants_out: bool,
    wants_in: bool,
    base_count: int,
    running_count: int,
    desired_count: int,
    min_capacity: int,
    max_capacity: int,
    target_value: float,
    scale_in_step_percent: float,
) -> int:
    """Desired count after one datapoint, by target tracking.

    Proportional to metric over target; rounded up when adding; never below what would lift the metric over the target
    when removing. Rules 15 and 16 of ``docs/simulation.md``.

    Parameters
    ----------
    metric_percent : float
        Newest datapoint. [%]
    wants_out, wants_in : bool
        True if AlarmHigh, or AlarmLow outside its cooldown, is in ALARM.
    base_count : int
        Tasks that a scale-out is computed from. [tasks]
    running_count : int
        Tasks running now. [tasks]
    desired_count : int
        Desired count now. [tasks]
    min_capacity, max_capacity : int
        Bounds. [tasks]
    target_value : float
        The target. [%]
    scale_in_step_percent : float
        Largest part of the tasks that one scale-in removes. [%]

    Returns
    -------
    int
        The new desired count; the old one if nothing is to be done. [tasks]

    Examples
    --------
    >>> decide_target_tracking(100.0, True, False, 4, 4, 4, 2, 20, 50.0, 10.0)
    8
    """
    if wants_out:
        want = min(
            max(math.ceil(base_count * (metric_percent - METRIC_RESOLUTION) / target_value), min_capacity), max_capacity
        )
        return max(want, desired_count)
    if wants_in:
        want = math.ceil(running_count * (metric_percent - METRIC_RESOLUTION) / target_value)
        if want < running_count:
            step = max(1, math.floor(running_count * scale_in_step_percent / 100.0 + 1e-9))
            return min(max(want, running_count - step, min_capacity), desired_count)
    return desired_count


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of scaling policy.

    Parameters
    ----------
    code : int
        How the time loop knows it.
    parameters : type
        The dataclass of its parameters.
    decide : callable
        Its scalar decision.
    configuration : callable
        From the parameters to what the exported stack reads.
    """

    code: int
    parameters: type[Any]
    decide: Callable[..., int]
    configuration: Callable[[Any], dict[str, Any]]


def _target_tracking_configuration(policy: TargetTrackingScalingPolicy) -> dict[str, Any]:
    return {"predefined_metric_type": policy.predefined_metric_type, **asdict(policy)}


#: Kinds of policy by AWS's ``PolicyType``.
POLICIES: dict[str, Policy] = {
    "TargetTrackingScaling": Policy(
        0, TargetTrackingScalingPolicy, decide_target_tracking, _target_tracking_configuration
    ),
}


def policy_type_of(scaling: Any) -> str:
    """Name the kind of a policy.

    Parameters
    ----------
    scaling : dataclass instance
        Parameters of a policy.

    Returns
    -------
    str
        Its key in ``POLICIES``.
    """
    return next(name for name, policy in POLICIES.items() if isinstance(scaling, policy.parameters))
