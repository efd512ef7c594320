"""Scaling policies with AWS's parameters: POLICIES, one row for each kind.

Notes
-----
A policy is a frozen dataclass. What it decides is plain Python over numbers in `estimator.service.scaling`: the time loop compiles it, or
calls it as it is, and chooses it by the policy's code. Predictive scaling decides nothing in the loop: it forecasts before
(`estimator.simulation.forecast`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.service.scaling import (
    ADJUSTMENT_TYPES,
    STEP_SCALING_CODE,
    TARGET_TRACKING_CODE,
    decide_step_scaling,
    decide_target_tracking,
)
from estimator.service.schedules import require_schedule

MAX_COOLDOWN_S = 86_400
#: AWS, "Step scaling policies": 20 step adjustments; "Application Auto Scaling quotas": datapoints of an alarm are our own bound.
MAX_STEPS = 20
MAX_DATAPOINTS = 60
MAX_CAPACITY = 5000


@dataclass(frozen=True, slots=True)
class Metric:
    """What a policy may watch.

    Parameters
    ----------
    kind : str
        ``cpu``, ``memory`` or ``requests``.
    unit : str
        Unit of its values.
    period_s : int
        Period of its datapoints. [s]
    short : str
        How a table says it.
    """

    kind: str
    unit: str
    period_s: int
    short: str

    @property
    def is_percentage(self) -> bool:
        """True if it cannot exceed 100."""
        return self.unit == "%"


ECS_CPU = "ECSServiceAverageCPUUtilization"
ECS_MEMORY = "ECSServiceAverageMemoryUtilization"
ALB_REQUESTS = "ALBRequestCountPerTarget"
ECS_CPU_20S = "ECSServiceAverageCPUUtilizationHighResolution"
ECS_MEMORY_20S = "ECSServiceAverageMemoryUtilizationHighResolution"
_PER_TARGET = "requests per target and minute"

#: Metrics of target tracking, by AWS's ``PredefinedMetricType``. Those of high resolution are of June 2026.
PREDEFINED_METRICS: dict[str, Metric] = {
    ECS_CPU: Metric("cpu", "%", 60, "CPU"),
    ECS_MEMORY: Metric("memory", "%", 60, "memory"),
    ALB_REQUESTS: Metric("requests", _PER_TARGET, 60, "requests"),
    ECS_CPU_20S: Metric("cpu", "%", 20, "20-second CPU"),
    ECS_MEMORY_20S: Metric("memory", "%", 20, "20-second memory"),
}
#: Metrics that an alarm of step scaling may watch, by CloudWatch's name.
ALARM_METRICS: dict[str, Metric] = {
    "CPUUtilization": Metric("cpu", "%", 60, "CPU"),
    "MemoryUtilization": Metric("memory", "%", 60, "memory"),
    "RequestCountPerTarget": Metric("requests", _PER_TARGET, 60, "requests"),
}
#: Metric pairs of predictive scaling, by AWS's ``PredefinedMetricPairType``.
FORECAST_METRICS: dict[str, Metric] = {
    "ECSServiceCPUUtilization": Metric("cpu", "%", 60, "CPU"),
    "ECSServiceMemoryUtilization": Metric("memory", "%", 60, "memory"),
    "ALBRequestCount": Metric("requests", _PER_TARGET, 60, "requests"),
}


@dataclass(frozen=True, slots=True)
class TargetTrackingScalingPolicy:
    """Target tracking: as many tasks as hold a metric at a target.

    Parameters
    ----------
    target_value : float
        Value to hold. [% or requests per target and minute]
    scale_out_cooldown_s : int
        Seconds after a scale-out in which only a larger one acts; AWS's default is 300. [s]
    scale_in_cooldown_s : int
        Seconds after a scale-in until the next one; AWS's default is 300. [s]
    disable_scale_in : bool
        True to never remove tasks.
    predefined_metric_type : str
        The metric that is tracked, one of ``PREDEFINED_METRICS``.

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    target_value: float = 60.0
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    disable_scale_in: bool = False
    predefined_metric_type: str = ECS_CPU

    def __post_init__(self) -> None:
        _require_key("predefined_metric_type", self.predefined_metric_type, PREDEFINED_METRICS)
        _require_target(self.target_value, self.metric)
        for name in ("scale_out_cooldown_s", "scale_in_cooldown_s"):
            require_number(name, getattr(self, name), 0, MAX_COOLDOWN_S, whole=True)
        if not isinstance(self.disable_scale_in, bool):
            raise InvalidScenario(f"disable_scale_in is {shown(self.disable_scale_in)}; it must be true or false.")

    @property
    def metric(self) -> Metric:
        """The metric that it watches."""
        return PREDEFINED_METRICS[self.predefined_metric_type]

    def describe(self) -> str:
        """Say the policy.

        Returns
        -------
        str
            Such as ``CPU target 60 %``.
        """
        return f"{_target_text(self.metric, self.target_value)}{', no scale-in' if self.disable_scale_in else ''}"


@dataclass(frozen=True, slots=True)
class StepAdjustment:
    """One step of step scaling: what to do while the metric is so far from the alarm's threshold.

    Parameters
    ----------
    scaling_adjustment : int
        Tasks to add, percent to add, or tasks to have, by the policy's ``adjustment_type``; negative to remove. [tasks or %]
    metric_interval_lower_bound, metric_interval_upper_bound : float, optional
        Distance of the metric from the threshold at which the step begins and ends; null for no bound, one of them at most.
        [% or requests]

    Raises
    ------
    InvalidScenario
        If a value is out of range, or the step has no bound or ends before it begins.
    """

    scaling_adjustment: int
    metric_interval_lower_bound: float | None = None
    metric_interval_upper_bound: float | None = None

    def __post_init__(self) -> None:
        require_number("scaling_adjustment", self.scaling_adjustment, -MAX_CAPACITY, MAX_CAPACITY, whole=True)
        for name in ("metric_interval_lower_bound", "metric_interval_upper_bound"):
            if getattr(self, name) is not None:
                require_number(name, getattr(self, name), -1e9, 1e9)
        if self.metric_interval_lower_bound is None and self.metric_interval_upper_bound is None:
            raise InvalidScenario(
                "metric_interval_lower_bound and metric_interval_upper_bound are both null; AWS takes at most one of them. For a step over all "
                "of the breach give metric_interval_lower_bound 0 to an alarm that breaches above its threshold, metric_interval_upper_bound 0 "
                "to one that breaches below."
            )
        if self.bounds[0] >= self.bounds[1]:
            raise InvalidScenario(
                f"metric_interval_upper_bound is {shown(self.metric_interval_upper_bound)}; it must be above "
                f"metric_interval_lower_bound ({shown(self.metric_interval_lower_bound)}), or null for no bound."
            )

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper bound, infinite where there is none. [% or requests]"""
        lower, upper = self.metric_interval_lower_bound, self.metric_interval_upper_bound
        return -math.inf if lower is None else lower, math.inf if upper is None else upper


@dataclass(frozen=True, slots=True)
class StepScalingPolicy:
    """Step scaling: an alarm of your own, and what to do by how far its metric is from the threshold.

    Parameters
    ----------
    threshold : float
        Threshold of the alarm. [% or requests per target and minute]
    step_adjustments : tuple of StepAdjustment
        At most 20 steps without gap or overlap; above the threshold the last one has no upper bound, below it the first one no lower
        bound.
    metric_name : str
        The alarm's metric, one of ``ALARM_METRICS``.
    comparison_operator : str
        ``GreaterThanOrEqualToThreshold`` or ``LessThanOrEqualToThreshold``.
    adjustment_type : str
        ``ChangeInCapacity``, ``PercentChangeInCapacity`` or ``ExactCapacity``.
    min_adjustment_magnitude : int
        Least change by ``PercentChangeInCapacity``. [tasks]
    cooldown_s : int
        Seconds after an activity in which only a larger one acts; AWS's default is 300. [s]
    evaluation_periods, datapoints_to_alarm : int
        Newest datapoints that the alarm looks at, and how many of them must breach. [1]

    Raises
    ------
    InvalidScenario
        If a value is out of range, or the steps leave a gap, overlap or end where AWS asks for one without bound.

    References
    ----------
    .. [1] AWS, "StepAdjustment", Application Auto Scaling API Reference: the rules for steps; read 2026.
    """

    threshold: float = 70.0
    step_adjustments: tuple[StepAdjustment, ...] = (StepAdjustment(1, 0.0, None),)
    metric_name: str = "CPUUtilization"
    comparison_operator: str = "GreaterThanOrEqualToThreshold"
    adjustment_type: str = "ChangeInCapacity"
    min_adjustment_magnitude: int = 0
    cooldown_s: int = 300
    evaluation_periods: int = 3
    datapoints_to_alarm: int = 3

    def __post_init__(self) -> None:
        _require_key("metric_name", self.metric_name, ALARM_METRICS)
        _require_key("comparison_operator", self.comparison_operator, _OPERATORS)
        _require_key("adjustment_type", self.adjustment_type, ADJUSTMENT_TYPES)
        require_number("threshold", self.threshold, 0, 100 if self.metric.is_percentage else 1e9)
        require_number("min_adjustment_magnitude", self.min_adjustment_magnitude, 0, MAX_CAPACITY, whole=True)
        require_number("cooldown_s", self.cooldown_s, 0, MAX_COOLDOWN_S, whole=True)
        require_number("evaluation_periods", self.evaluation_periods, 1, MAX_DATAPOINTS, whole=True)
        require_number("datapoints_to_alarm", self.datapoints_to_alarm, 1, self.evaluation_periods, whole=True)
        steps = sorted(self.step_adjustments, key=lambda step: step.bounds)
        if not 1 <= len(steps) <= MAX_STEPS:
            raise InvalidScenario(f"step_adjustments has {len(steps)} steps; it must have 1 to {MAX_STEPS}.")
        for step, following in itertools.pairwise(steps):
            if step.bounds[1] != following.bounds[0]:
                raise InvalidScenario(
                    f"step_adjustments ends a step at {step.bounds[1]:g} and begins the next at {following.bounds[0]:g}; AWS takes steps "
                    "without gap or overlap. Let each begin where the one before ends."
                )
        first, last = steps[0].bounds[0], steps[-1].bounds[1]
        if -math.inf < first < 0:
            raise InvalidScenario(
                f"step_adjustments begins at {first:g}; below the threshold AWS asks for a first step without metric_interval_lower_bound. Let "
                "it be null, or add a step below."
            )
        if 0 < last < math.inf:
            raise InvalidScenario(
                f"step_adjustments ends at {last:g}; above the threshold AWS asks for a last step without metric_interval_upper_bound. Let it "
                "be null, or add a step above."
            )
        first, last = steps[0].bounds[0], steps[-1].bounds[1]
        if len(steps) == 1 and math.isinf(first) and math.isinf(last):
            raise InvalidScenario(
                "step_adjustments has a step without bounds; AWS wants one. Begin it at 0, the threshold itself."
            )
        for name, bound in (("lower", min(first, 0.0)), ("upper", max(last, 0.0))):
            if bound and math.isfinite(bound):
                raise InvalidScenario(
                    f"metric_interval_{name}_bound of the outermost step is {bound:g}; it must be null, so that AWS knows what to do beyond it."
                )
        for place, step in enumerate(self.step_adjustments):
            if self.adjustment_type == "ExactCapacity" and step.scaling_adjustment < 0:
                raise InvalidScenario(
                    f"step_adjustments[{place}].scaling_adjustment is {step.scaling_adjustment} with ExactCapacity; it must be the tasks to "
                    "have, 0 or more. To remove tasks take ChangeInCapacity."
                )
        object.__setattr__(self, "step_adjustments", tuple(steps))

    @property
    def metric(self) -> Metric:
        """The metric that it watches."""
        return ALARM_METRICS[self.metric_name]

    @property
    def is_upward(self) -> bool:
        """True if the alarm breaches above its threshold."""
        return self.comparison_operator == _UP

    def describe(self) -> str:
        """Say the policy.

        Returns
        -------
        str
            Such as ``2 steps from CPU 70 % up``.
        """
        steps = f"{len(self.step_adjustments)} steps" if len(self.step_adjustments) > 1 else "1 step"
        value = f"{self.threshold:g} %" if self.metric.is_percentage else f"{self.threshold:g} a minute"
        return f"{steps} from {self.metric.short} {value} {'up' if self.is_upward else 'down'}"


@dataclass(frozen=True, slots=True)
class PredictiveScalingPolicy:
    """Predictive scaling: each hour at least as many tasks as the forecast load needs at the target; it never removes tasks.

    Parameters
    ----------
    target_value : float
        Value that the forecast is to hold. [% or requests per target and minute]
    predefined_metric_pair_type : str
        What is forecast, one of ``FORECAST_METRICS``.
    mode : str
        ``ForecastAndScale``, or ``ForecastOnly`` to do nothing.
    scheduling_buffer_time_s : int
        How long before the hour tasks are launched; AWS's default is 300. [s]
    max_capacity_breach_behavior : str
        ``HonorMaxCapacity``, or ``IncreaseMaxCapacity`` to raise the maximum where the forecast asks for more.
    max_capacity_buffer : int
        How far above the forecast the maximum is raised. [%]
    history_days : int
        How far back the forecaster looks; AWS uses up to 14 days. [d]

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    target_value: float = 60.0
    predefined_metric_pair_type: str = "ECSServiceCPUUtilization"
    mode: str = "ForecastAndScale"
    scheduling_buffer_time_s: int = 300
    max_capacity_breach_behavior: str = "HonorMaxCapacity"
    max_capacity_buffer: int = 0
    history_days: int = 14

    def __post_init__(self) -> None:
        _require_key("predefined_metric_pair_type", self.predefined_metric_pair_type, FORECAST_METRICS)
        _require_key("mode", self.mode, ("ForecastAndScale", "ForecastOnly"))
        _require_key(
            "max_capacity_breach_behavior",
            self.max_capacity_breach_behavior,
            ("HonorMaxCapacity", "IncreaseMaxCapacity"),
        )
        _require_target(self.target_value, self.metric)
        require_number("scheduling_buffer_time_s", self.scheduling_buffer_time_s, 0, 3599, whole=True)
        require_number("max_capacity_buffer", self.max_capacity_buffer, 0, 100, whole=True)
        if self.max_capacity_buffer and self.max_capacity_breach_behavior != "IncreaseMaxCapacity":
            raise InvalidScenario(
                f"max_capacity_buffer is {self.max_capacity_buffer}; it must be 0 unless max_capacity_breach_behavior is IncreaseMaxCapacity."
            )
        require_number("history_days", self.history_days, 1, 14, whole=True, advice="AWS uses up to 14 days.")

    @property
    def metric(self) -> Metric:
        """The metric that its target is of."""
        return FORECAST_METRICS[self.predefined_metric_pair_type]

    def describe(self) -> str:
        """Say the policy.

        Returns
        -------
        str
            Such as ``predictive, CPU target 60 %``.
        """
        only = "" if self.mode == "ForecastAndScale" else " only forecast"
        return f"predictive{only}, {_target_text(self.metric, self.target_value)}"


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """A scheduled action: new bounds at a time; it ignores cooldowns.

    Parameters
    ----------
    schedule : str
        AWS's schedule expression, such as ``cron(0 8 ? * MON-FRI *)``, ``rate(1 day)`` or ``at(2026-12-01T08:00:00)``.
    min_capacity, max_capacity : int, optional
        New bounds of the desired count; null leaves a bound as it is. [tasks]
    timezone : str
        Time zone of the expression, such as ``Europe/Berlin``.

    Raises
    ------
    InvalidScenario
        If the expression is none, or the bounds are out of range or both missing.
    """

    schedule: str
    min_capacity: int | None = None
    max_capacity: int | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        require_schedule("schedule", self.schedule, self.timezone)
        for name in ("min_capacity", "max_capacity"):
            if getattr(self, name) is not None:
                require_number(name, getattr(self, name), 1, MAX_CAPACITY, whole=True, advice="They are tasks.")
        if self.min_capacity is None and self.max_capacity is None:
            raise InvalidScenario(
                f"The scheduled action {shown(self.schedule)} sets neither min_capacity nor max_capacity; set one."
            )
        if self.min_capacity is not None and self.max_capacity is not None and self.min_capacity > self.max_capacity:
            raise InvalidScenario(
                f"max_capacity is {self.max_capacity} in the scheduled action {shown(self.schedule)}; it must be at least its "
                f"min_capacity, {self.min_capacity}."
            )

    def describe(self) -> str:
        """Say the action.

        Returns
        -------
        str
            Such as ``min 8 at cron(0 8 ? * MON-FRI *)``.
        """
        bounds = [
            f"{name} {value}"
            for name, value in (("min", self.min_capacity), ("max", self.max_capacity))
            if value is not None
        ]
        return f"{' and '.join(bounds)} at {self.schedule}"


_UP, _DOWN = "GreaterThanOrEqualToThreshold", "LessThanOrEqualToThreshold"
_OPERATORS = (_UP, _DOWN)
ScalingPolicy = TargetTrackingScalingPolicy | StepScalingPolicy | PredictiveScalingPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of scaling policy.

    Parameters
    ----------
    parameters : type
        The dataclass of its parameters.
    code : int, optional
        How the time loop knows it; None if it decides nothing there.
    decide : callable, optional
        Its scalar decision.
    configuration : callable
        From the parameters to what the exported stack reads.
    """

    parameters: type[Any]
    code: int | None
    decide: Callable[..., int] | None
    configuration: Callable[[Any], dict[str, Any]] = field(default=asdict)


#: Kinds of policy by AWS's ``PolicyType``.
POLICIES: dict[str, Policy] = {
    "TargetTrackingScaling": Policy(TargetTrackingScalingPolicy, TARGET_TRACKING_CODE, decide_target_tracking),
    "StepScaling": Policy(StepScalingPolicy, STEP_SCALING_CODE, decide_step_scaling),
    "PredictiveScaling": Policy(PredictiveScalingPolicy, None, None),
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

    Raises
    ------
    InvalidScenario
        If it is no policy.
    """
    for name, policy in POLICIES.items():
        if isinstance(scaling, policy.parameters):
            return name
    kinds = ", ".join(policy.parameters.__name__ for policy in POLICIES.values())
    raise InvalidScenario(f"scaling has {shown(scaling)}; it must be of {kinds}.")


def configuration_of(scaling: Any) -> dict[str, Any]:
    """Write a policy as plain values, with its kind.

    Parameters
    ----------
    scaling : dataclass instance
        Parameters of a policy.

    Returns
    -------
    dict
        ``policy_type`` and the parameters.
    """
    policy_type = policy_type_of(scaling)
    return {"policy_type": policy_type, **POLICIES[policy_type].configuration(scaling)}


def _require_key(name: str, value: Any, allowed: Mapping[str, Any] | tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidScenario(f"{name} is {shown(value)}; it must be one of {', '.join(allowed)}.")


def _require_target(value: float, metric: Metric) -> None:
    if metric.is_percentage:
        require_number("target_value", value, 1, 100, advice="It is a percentage; 50 to 75 is usual.")
    else:
        advice = "It is requests per target and minute: 60 times what a task serves in a second at the load to hold."
        require_number("target_value", value, 0, 1e9, above=True, advice=advice)


def _target_text(metric: Metric, value: float) -> str:
    return f"{metric.short} target {value:g} {'%' if metric.is_percentage else 'a minute'}"
