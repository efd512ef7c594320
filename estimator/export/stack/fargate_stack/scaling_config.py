"""The numbers of the scaling: policies and scheduled actions, by the names that AWS has for their parameters."""

import functools
import itertools
import math
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .section import ConfigError, Section

MAX_CAPACITY = 5000
MAX_COOLDOWN_S = 86400

# AWS, "Quotas for Application Auto Scaling", read 2026-11-23: for each scalable target, and for each step scaling policy.
MAX_POLICIES = 50
MAX_SCHEDULED_ACTIONS = 200
MAX_STEPS = 20

# Metrics of target tracking that the service publishes every 20 seconds once it is told to, by what it calls them.
HIGH_RESOLUTION_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "ECSServiceAverageCPUUtilizationHighResolution": "CPUUtilization",
        "ECSServiceAverageMemoryUtilizationHighResolution": "MemoryUtilization",
    }
)
# Metrics that the load balancer counts for its target group. They are no percentages, and AWS asks for a resource label.
TARGET_GROUP_METRICS = ("ALBRequestCountPerTarget", "ALBRequestCount", "RequestCountPerTarget")

PREDEFINED_METRIC_TYPES = (
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "ALBRequestCountPerTarget",
    *HIGH_RESOLUTION_METRICS,
)
ALARM_METRICS = ("CPUUtilization", "MemoryUtilization", "RequestCountPerTarget")
PREDEFINED_METRIC_PAIR_TYPES = ("ECSServiceCPUUtilization", "ECSServiceMemoryUtilization", "ALBRequestCount")

_SCHEDULE = (
    r"at\([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)"
    r"|rate\(\s*0*[1-9]\d*\s+(minute|hour|day)s?\s*\)"
    r"|cron\(\s*[^\s()]+(\s+[^\s()]+){5}\s*\)"
)


@dataclass(frozen=True)
class TargetTrackingConfig:
    """Target tracking: as many tasks as hold a metric at a target.

    Attributes
    ----------
    predefined_metric_type : str
        The metric, one of `PREDEFINED_METRIC_TYPES`.
    target_value : float
        The target. [%, or requests/min per task for ``ALBRequestCountPerTarget``]
    scale_out_cooldown_s : int
        Wait after scaling out. [s]
    scale_in_cooldown_s : int
        Wait after scaling in. [s]
    disable_scale_in : bool
        Whether the policy never removes a task.
    """

    predefined_metric_type: str
    target_value: float
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    disable_scale_in: bool

    @property
    def name(self) -> str:
        """What the policy is called if no other is like it."""
        return f"TargetTracking-{self.predefined_metric_type}"


@dataclass(frozen=True)
class StepConfig:
    """One step of step scaling.

    Attributes
    ----------
    scaling_adjustment : int
        Tasks to add, percent to add, or tasks to have, by the policy's ``adjustment_type``. [tasks or %]
    metric_interval_lower_bound, metric_interval_upper_bound : float or None
        How far from the threshold the step begins and ends; None for no bound. [% or requests/min per task]
    """

    scaling_adjustment: int
    metric_interval_lower_bound: float | None
    metric_interval_upper_bound: float | None


@dataclass(frozen=True)
class StepScalingConfig:
    """Step scaling: an alarm, and what to do by how far its metric is from the threshold.

    Attributes
    ----------
    metric_name : str
        The alarm's metric, one of `ALARM_METRICS`.
    threshold : float
        Its threshold. [%, or requests/min per task for ``RequestCountPerTarget``]
    comparison_operator : str
        ``GreaterThanOrEqualToThreshold`` or ``LessThanOrEqualToThreshold``.
    evaluation_periods : int
        Newest datapoints, of one minute each, that the alarm looks at.
    datapoints_to_alarm : int
        How many of them must breach.
    adjustment_type : str
        ``ChangeInCapacity``, ``PercentChangeInCapacity`` or ``ExactCapacity``.
    step_adjustments : tuple[StepConfig, ...]
        The steps.
    min_adjustment_magnitude : int
        Least change by ``PercentChangeInCapacity``; the other types do not use it. [tasks]
    cooldown_s : int
        Wait after an activity. [s]
    """

    metric_name: str
    threshold: float
    comparison_operator: str
    evaluation_periods: int
    datapoints_to_alarm: int
    adjustment_type: str
    step_adjustments: tuple[StepConfig, ...]
    min_adjustment_magnitude: int
    cooldown_s: int

    @property
    def name(self) -> str:
        """What the policy is called if no other is like it."""
        side = "Above" if self.comparison_operator == "GreaterThanOrEqualToThreshold" else "Below"
        return f"StepScaling-{self.metric_name}-{side}"


@dataclass(frozen=True)
class PredictiveScalingConfig:
    """Predictive scaling: each hour at least as many tasks as the forecast load needs.

    Attributes
    ----------
    predefined_metric_pair_type : str
        What is forecast, one of `PREDEFINED_METRIC_PAIR_TYPES`.
    target_value : float
        Value that the forecast is to hold. [%, or requests/min per task for ``ALBRequestCount``]
    mode : str
        ``ForecastAndScale`` or ``ForecastOnly``.
    scheduling_buffer_time_s : int
        How long before the hour tasks are launched. [s]
    max_capacity_breach_behavior : str
        ``HonorMaxCapacity``, or ``IncreaseMaxCapacity`` where the forecast may go above the largest number of tasks.
    max_capacity_buffer : int
        How far above the forecast it may go then. [%]
    """

    predefined_metric_pair_type: str
    target_value: float
    mode: str
    scheduling_buffer_time_s: int
    max_capacity_breach_behavior: str
    max_capacity_buffer: int

    @property
    def name(self) -> str:
        """What the policy is called if no other is like it."""
        return f"Predictive-{self.predefined_metric_pair_type}"


PolicyConfig = TargetTrackingConfig | StepScalingConfig | PredictiveScalingConfig


@dataclass(frozen=True)
class ScheduledActionConfig:
    """New bounds of the number of tasks at given times.

    Attributes
    ----------
    schedule : str
        ``at(...)``, ``rate(...)`` or ``cron(...)``.
    timezone : str
        Time zone of the schedule; a rate knows none.
    min_capacity : int or None
        New least number of tasks; None leaves it as it is.
    max_capacity : int or None
        New largest number of tasks; None leaves it as it is.
    """

    schedule: str
    timezone: str
    min_capacity: int | None
    max_capacity: int | None


def read_policies(root: Section) -> tuple[PolicyConfig, ...]:
    """Read the key ``scaling``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    tuple[PolicyConfig, ...]
        The policies; there may be none.

    Raises
    ------
    ConfigError
        If a policy is none that AWS takes, or two of them track the same metric.
    """
    sections = root.sections("scaling", 0, MAX_POLICIES)
    readers: dict[str, Callable[[Section], PolicyConfig]] = {
        "TargetTrackingScaling": _target_tracking,
        "StepScaling": _step_scaling,
        "PredictiveScaling": _predictive_scaling,
    }
    policies = tuple(readers[section.choice("policy_type", tuple(readers))](section) for section in sections)
    tracked: dict[str, str] = {}
    for section, policy in zip(sections, policies, strict=True):
        if isinstance(policy, TargetTrackingConfig):
            metric = policy.predefined_metric_type
            if metric in tracked:
                raise section.refusal(
                    "predefined_metric_type",
                    metric,
                    f"{tracked[metric]} tracks it, and AWS takes one target for a metric",
                )
            tracked[metric] = section.path
    return policies


def _target_tracking(section: Section) -> TargetTrackingConfig:
    section.check_keys(
        "policy_type predefined_metric_type target_value scale_out_cooldown_s scale_in_cooldown_s disable_scale_in"
    )
    metric = section.choice("predefined_metric_type", PREDEFINED_METRIC_TYPES)
    return TargetTrackingConfig(
        predefined_metric_type=metric,
        target_value=section.number("target_value", _largest(metric)),
        scale_out_cooldown_s=section.integer("scale_out_cooldown_s", 0, MAX_COOLDOWN_S),
        scale_in_cooldown_s=section.integer("scale_in_cooldown_s", 0, MAX_COOLDOWN_S),
        disable_scale_in=section.choice("disable_scale_in", (False, True)),
    )


def _step_scaling(section: Section) -> StepScalingConfig:
    section.check_keys(
        "policy_type metric_name threshold comparison_operator evaluation_periods datapoints_to_alarm adjustment_type "
        "step_adjustments min_adjustment_magnitude cooldown_s"
    )
    metric = section.choice("metric_name", ALARM_METRICS)
    adjustment_type = section.choice(
        "adjustment_type", ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")
    )
    evaluation_periods = section.integer("evaluation_periods", 1, 60)
    return StepScalingConfig(
        metric_name=metric,
        threshold=section.number("threshold", _largest(metric), zero=True),
        comparison_operator=section.choice(
            "comparison_operator", ("GreaterThanOrEqualToThreshold", "LessThanOrEqualToThreshold")
        ),
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=section.integer("datapoints_to_alarm", 1, evaluation_periods),
        adjustment_type=adjustment_type,
        step_adjustments=_steps(section, -MAX_CAPACITY if adjustment_type != "ExactCapacity" else 0),
        min_adjustment_magnitude=section.integer("min_adjustment_magnitude", 0, MAX_CAPACITY),
        cooldown_s=section.integer("cooldown_s", 0, MAX_COOLDOWN_S),
    )


def _steps(policy: Section, least: int) -> tuple[StepConfig, ...]:
    """Read the steps of a policy, in rising order, by AWS's rules for them [1]_.

    References
    ----------
    .. [1] AWS, "StepAdjustment", read 2026-11-23,
       https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html
    """
    keys = "scaling_adjustment metric_interval_lower_bound metric_interval_upper_bound"
    steps = []
    for section in policy.sections("step_adjustments", 1, MAX_STEPS, keys):
        step = StepConfig(
            scaling_adjustment=section.integer("scaling_adjustment", least, MAX_CAPACITY),
            metric_interval_lower_bound=section.optional_number("metric_interval_lower_bound"),
            metric_interval_upper_bound=section.optional_number("metric_interval_upper_bound"),
        )
        lower, upper = _bounds(step)
        if math.isinf(lower) and math.isinf(upper):
            raise section.refusal("metric_interval_upper_bound", None, "a step needs one bound at least")
        if lower >= upper:
            raise section.refusal(
                "metric_interval_upper_bound",
                step.metric_interval_upper_bound,
                f"more than metric_interval_lower_bound, {lower:g}, is needed",
            )
        steps.append(step)
    steps.sort(key=_bounds)
    where = policy.name("step_adjustments")
    for step, following in itertools.pairwise(steps):
        end, begin = _bounds(step)[1], _bounds(following)[0]
        if end != begin:
            raise ConfigError(
                f"{where} has a step that ends at {end:g} and a next one that begins at {begin:g}: AWS takes steps without gap or overlap."
            )
    first, last = _bounds(steps[0])[0], _bounds(steps[-1])[1]
    if first < 0 and math.isfinite(first):
        raise ConfigError(
            f"{where} begins at {first:g}: below the threshold, AWS takes a first step without a lower bound only."
        )
    if last > 0 and math.isfinite(last):
        raise ConfigError(
            f"{where} ends at {last:g}: above the threshold, AWS takes a last step without an upper bound only."
        )
    return tuple(steps)


def _bounds(step: StepConfig) -> tuple[float, float]:
    lower, upper = step.metric_interval_lower_bound, step.metric_interval_upper_bound
    return -math.inf if lower is None else lower, math.inf if upper is None else upper


def _predictive_scaling(section: Section) -> PredictiveScalingConfig:
    section.check_keys(
        "policy_type predefined_metric_pair_type target_value mode scheduling_buffer_time_s max_capacity_breach_behavior "
        "max_capacity_buffer"
    )
    metric = section.choice("predefined_metric_pair_type", PREDEFINED_METRIC_PAIR_TYPES)
    behavior = section.choice("max_capacity_breach_behavior", ("HonorMaxCapacity", "IncreaseMaxCapacity"))
    return PredictiveScalingConfig(
        predefined_metric_pair_type=metric,
        target_value=section.number("target_value", _largest(metric)),
        mode=section.choice("mode", ("ForecastAndScale", "ForecastOnly")),
        # AWS: "The value must be less than the forecast interval duration of 3600 seconds".
        scheduling_buffer_time_s=section.integer("scheduling_buffer_time_s", 0, 3599),
        max_capacity_breach_behavior=behavior,
        max_capacity_buffer=section.integer("max_capacity_buffer", 0, 100 if behavior == "IncreaseMaxCapacity" else 0),
    )


def read_scheduled_actions(root: Section) -> tuple[ScheduledActionConfig, ...]:
    """Read the key ``scheduled_actions``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    tuple[ScheduledActionConfig, ...]
        The actions; there may be none.

    Raises
    ------
    ConfigError
        If an action is none that AWS takes.
    """
    keys = "schedule timezone min_capacity max_capacity"
    return tuple(
        _scheduled_action(section) for section in root.sections("scheduled_actions", 0, MAX_SCHEDULED_ACTIONS, keys)
    )


def _scheduled_action(section: Section) -> ScheduledActionConfig:
    low = section.optional_integer("min_capacity", 1, MAX_CAPACITY)
    high = section.optional_integer("max_capacity", 1, MAX_CAPACITY)
    if low is None and high is None:
        raise section.refusal("min_capacity", None, "a number here or in max_capacity is needed")
    if low is not None and high is not None and high < low:
        raise section.refusal("max_capacity", high, f"at least min_capacity, {low}, is needed")
    return ScheduledActionConfig(
        schedule=section.text(
            "schedule", _SCHEDULE, "at(...), rate(...) or cron(...) such as 'cron(0 8 ? * MON-FRI *)' is needed"
        ),
        timezone=_timezone(section),
        min_capacity=low,
        max_capacity=high,
    )


def _timezone(section: Section) -> str:
    needed = "a time zone such as 'Europe/Berlin' or 'UTC' is needed"
    found = section.text("timezone", r"[A-Za-z][A-Za-z0-9_+/-]*", needed)
    known = _time_zones()
    # A Windows without the package tzdata knows none; AWS then says it.
    if known and found not in known:
        raise section.refusal("timezone", found, needed)
    return found


@functools.cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _largest(metric: str) -> float:
    """Largest value of a metric: requests have none, all others are percentages."""
    return math.inf if metric in TARGET_GROUP_METRICS else 100
