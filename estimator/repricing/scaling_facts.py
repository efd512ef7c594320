"""The scaling: bounds, scheduled actions, and policies with the alarms that belong to them.

Notes
-----
Without cooldowns a policy of an ECS service has 300 s; without a scalable target the desired count stands still, and is one where the template
says none [1]_. The alarms of target tracking are AWS's own and stand in no template; one of step scaling is the alarm whose action the policy is.

References
----------
.. [1] AWS, "AWS::ApplicationAutoScaling::ScalingPolicy" and "AWS::ApplicationAutoScaling::ScalableTarget", CloudFormation Template Reference,
   and "PutScalingPolicy", Application Auto Scaling API Reference, read 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimator.errors import InvalidScenario
from estimator.repricing.reading import ASSUMED, NOT_PRICED, Reading, number_of, pairs_of, truth, why_unknown
from estimator.repricing.service_facts import SERVICE, TARGET_GROUP
from estimator.repricing.stacks import Resource
from estimator.repricing.tokens import is_known
from estimator.service.policies import ECS_CPU, ECS_MEMORY, POLICIES, PREDEFINED_METRICS, StepAdjustment
from estimator.units import SECONDS_PER_MINUTE

TARGET, POLICY, ALARM = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
)
_COOLDOWN_S = 300
_DESIRED_COUNT = "ecs:service:DesiredCount"
#: What an alarm's operator is taken for: the time loop knows two.
_OPERATORS = {
    "GreaterThanOrEqualToThreshold": "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold": "GreaterThanOrEqualToThreshold",
    "LessThanOrEqualToThreshold": "LessThanOrEqualToThreshold",
    "LessThanThreshold": "LessThanOrEqualToThreshold",
}
#: A metric that somebody wrote out, and the predefined one that it is.
_PREDEFINED = {
    "CPUUtilization": ECS_CPU,
    "MemoryUtilization": ECS_MEMORY,
}
#: Of each metric of an alarm AWS's namespace, the one statistic that the model computes, and the dimension that names what is watched. AWS,
#: "CloudWatch metrics for your Application Load Balancer", read 2026, of requests per target: the only valid statistic is Sum, and it is the average.
_WRITTEN_OUT = {
    "CPUUtilization": ("AWS/ECS", "Average", "ServiceName"),
    "MemoryUtilization": ("AWS/ECS", "Average", "ServiceName"),
    "RequestCountPerTarget": ("AWS/ApplicationELB", "Sum", "TargetGroup"),
}


def read_scaling(reading: Reading, service: Resource) -> set[tuple[str, str]]:
    """Read the scaling of the service.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.

    Returns
    -------
    set of (str, str)
        Alarms that belong to policies that are modelled, as tokens name them.
    """
    world = reading.world
    target = next((one for one in world.of_type(TARGET) if _is_of(reading, one, service)), None)
    if target is None:
        count = reading.read("service.min_capacity", service, "DesiredCount", 1)
        if count is not None:
            _bounds(reading, count, count, service)
        else:
            reading.leave("service.max_capacity", reading.left["service.min_capacity"])
        reading.say("service.scaling", [], service)
        reading.say("service.scheduled_actions", [], service)
        return set()
    if str(target.get("ScalableDimension", _DESIRED_COUNT)) != _DESIRED_COUNT:
        reading.note(ASSUMED, target, "Its dimension is not the desired count; it is taken to be.")
    least, most = number_of(target.get("MinCapacity")), number_of(target.get("MaxCapacity"))
    for name, value, path in (("min_capacity", least, "MinCapacity"), ("max_capacity", most, "MaxCapacity")):
        if value is None:
            reading.leave(f"service.{name}", why_unknown(f"{target.logical_id}.{path}", target.get(path)))
    _bounds(reading, least, most, target)
    if target.get("SuspendedState") and any(truth(value) for value in target.get("SuspendedState").values()):
        reading.note(ASSUMED, target, "Its scaling is suspended in part; it is taken to go on.")
    _scheduled_actions(reading, target)
    return _policies(reading, target, service)


def _is_of(reading: Reading, target: Resource, service: Resource) -> bool:
    return (
        target.get("ServiceNamespace", "ecs") == "ecs"
        and reading.world.target(target.get("ResourceId"), SERVICE) is service
    )


def _bounds(reading: Reading, least: float | None, most: float | None, source: Resource) -> None:
    """Take down bounds; the model keeps a task at any time."""
    for name, value in (("min_capacity", least), ("max_capacity", most)):
        if value is None:
            continue
        if value < 1:
            reading.note(
                ASSUMED, source, f"{name} is {value:g}; it is taken as 1: a load needs a task, and the model keeps one."
            )
        reading.say(f"service.{name}", max(value, 1), source)


def _scheduled_actions(reading: Reading, target: Resource) -> None:
    found = []
    for action in target.entries("ScheduledActions"):
        name = action.get("ScheduledActionName", "a scheduled action")
        bounds = action.get("ScalableTargetAction")
        bounds = bounds if isinstance(bounds, Mapping) else {}
        if not is_known(dict(action)):
            reading.note(
                NOT_PRICED, target, f"{name}: {why_unknown('its schedule or a bound', dict(action))}. It is left out."
            )
            continue
        if action.get("StartTime") or action.get("EndTime"):
            reading.note(ASSUMED, target, f"{name} has a start or an end; it is taken to come all the time.")
        schedule = str(action.get("Schedule", ""))
        local = not schedule.strip().startswith("rate")
        said = {
            "schedule": schedule,
            "min_capacity": _least_one(bounds.get("MinCapacity")),
            "max_capacity": _least_one(bounds.get("MaxCapacity")),
            "timezone": str(action.get("Timezone", "UTC")) if local else "UTC",
        }
        if said["min_capacity"] is None and said["max_capacity"] is None:
            continue
        found.append(said)
    reading.say("service.scheduled_actions", found, target)


def _least_one(value: Any) -> float | None:
    number = number_of(value)
    return None if number is None else max(number, 1)


# Policies.


def _policies(reading: Reading, target: Resource, service: Resource) -> set[tuple[str, str]]:
    world = reading.world
    found: list[dict[str, Any]] = []
    policies, alarms = [target], set()
    for policy in world.of_type(POLICY):
        if not _belongs(reading, policy, target):
            continue
        kind = str(policy.get("PolicyType", "StepScaling"))
        made: list[tuple[dict[str, Any], Resource | None]] = []
        if kind == "TargetTrackingScaling":
            made = [(values, None) for values in [_target_tracking(reading, policy, service)] if values]
        elif kind == "StepScaling":
            watching = _alarms_of(reading, policy)
            made = [(values, alarm) for alarm in watching if (values := _step(reading, policy, alarm, service))]
            if not watching:
                reading.note(
                    NOT_PRICED,
                    policy,
                    "No alarm of the given stacks asks this step scaling policy for anything: it is left out.",
                )
        elif kind == "PredictiveScaling":
            made = [(values, None) for values in [_predictive(reading, policy)] if values]
        else:
            reading.note(NOT_PRICED, policy, f"A policy of the kind {kind} is not modelled: it is left out.")
        for values, alarm in made:
            try:
                POLICIES[kind].parameters(
                    **{key: value for key, value in _as_made(values).items() if key != "policy_type"}
                )
            except InvalidScenario as error:
                reading.note(
                    NOT_PRICED, policy, f"The policy is not one that the model takes, and is left out: {error}"
                )
                continue
            found.append(values)
            policies.append(policy)
            if alarm is not None:
                alarms.add(alarm.token)
                reading.use(alarm)
        reading.use(policy)
    reading.say("service.scaling", found, *policies)
    return alarms


def _as_made(values: dict[str, Any]) -> dict[str, Any]:
    if "step_adjustments" not in values:
        return values
    return values | {"step_adjustments": tuple(StepAdjustment(**step) for step in values["step_adjustments"])}


def _belongs(reading: Reading, policy: Resource, target: Resource) -> bool:
    if policy.get("ScalingTargetId") is not None:
        return reading.world.means(policy.get("ScalingTargetId"), target)
    return policy.get("ResourceId") is not None and policy.get("ResourceId") == target.get("ResourceId")


def _not_ours(reading: Reading, written: Mapping[str, Any], service: Resource, source: Resource) -> str | None:
    """Say what a metric that is written out watches where that is not what the model computes of the service.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    written : mapping
        Namespace, name, statistic and dimensions, as alarms and policies have them.
    service : Resource
        The service.
    source : Resource
        Where the metric is written.

    Returns
    -------
    str or None
        What it watches; None if it is the service's own metric.
    """
    if written.get("Metrics"):
        return "metric math"
    name, statistic = str(written.get("MetricName")), written.get("ExtendedStatistic") or written.get("Statistic")
    namespace, expected, dimension = _WRITTEN_OUT.get(name, ("", "", ""))
    said = " ".join(str(each) for each in (written.get("Namespace"), name, statistic) if each is not None)
    if (str(written.get("Namespace")), str(statistic)) != (namespace, expected):
        return said
    entries = written.get("Dimensions")
    mappings = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, list) else []
    value = pairs_of(mappings, "Name").get(dimension)
    if value is None:
        return f"{said} without the dimension {dimension}"
    if _means_ours(reading, value, service, dimension):
        return None
    found = reading.world.target(value, SERVICE if dimension == "ServiceName" else TARGET_GROUP)
    if found is not None or is_known(value):
        return f"{said} of {found.logical_id if found is not None else value}"
    reading.note(ASSUMED, source, f"Its {dimension} is known only when the stack is deployed: taken as the service's.")
    return None


def _means_ours(reading: Reading, value: Any, service: Resource, dimension: str) -> bool:
    world = reading.world
    if dimension == "ServiceName":
        return world.means(value, service)
    arns = [entry.get("TargetGroupArn") for entry in service.entries("LoadBalancers")]
    groups = [world.target(arn, TARGET_GROUP) for arn in arns]
    # A target group of elsewhere is written as the end of its ARN.
    outside = isinstance(value, str) and any(str(arn).endswith(f":{value}") for arn in arns)
    return outside or any(group is not None and world.means(value, group) for group in groups)


def _target_tracking(reading: Reading, policy: Resource, service: Resource) -> dict[str, Any] | None:
    config = "TargetTrackingScalingPolicyConfiguration"
    metric = policy.get(f"{config}.PredefinedMetricSpecification.PredefinedMetricType")
    own = policy.get(f"{config}.CustomizedMetricSpecification")
    named = metric or "none"
    if metric is None and isinstance(own, Mapping):
        other = _not_ours(reading, own, service, policy)
        named = other or str(own.get("MetricName"))
        metric = None if other else _PREDEFINED.get(named)
    if str(metric) not in PREDEFINED_METRICS:
        reading.note(NOT_PRICED, policy, f"It tracks {named}, which the model does not know: the policy is left out.")
        return None
    value = number_of(policy.get(f"{config}.TargetValue"))
    if value is None:
        why = why_unknown(f"{policy.logical_id}.TargetValue", policy.get(f"{config}.TargetValue"))
        reading.note(NOT_PRICED, policy, f"{why}: the policy is left out.")
        return None
    return {
        "policy_type": "TargetTrackingScaling",
        "target_value": value,
        "scale_out_cooldown_s": _number(policy.get(f"{config}.ScaleOutCooldown"), _COOLDOWN_S),
        "scale_in_cooldown_s": _number(policy.get(f"{config}.ScaleInCooldown"), _COOLDOWN_S),
        "disable_scale_in": truth(policy.get(f"{config}.DisableScaleIn", False)),
        "predefined_metric_type": metric,
    }


def _number(value: Any, default: float) -> float:
    number = number_of(value)
    return default if number is None else number


def _alarms_of(reading: Reading, policy: Resource) -> list[Resource]:
    lists = ("AlarmActions", "OKActions", "InsufficientDataActions")
    return [
        alarm
        for alarm in reading.world.of_type(ALARM)
        if any(reading.world.means(action, policy) for path in lists for action in alarm.items(path))
    ]


def _step(reading: Reading, policy: Resource, alarm: Resource, service: Resource) -> dict[str, Any] | None:
    config = "StepScalingPolicyConfiguration"
    metric, operator = str(alarm.get("MetricName")), str(alarm.get("ComparisonOperator"))
    threshold = number_of(alarm.get("Threshold"))
    what = _not_ours(reading, alarm.properties, service, alarm)
    if what is None and (operator not in _OPERATORS or threshold is None):
        what = f"{metric} {operator} {alarm.get('Threshold', 'without a threshold')}"
    if what is not None or threshold is None:
        reading.note(
            NOT_PRICED,
            [policy, alarm],
            f"The alarm watches {what}, which the model does not know: the policy is left out.",
        )
        return None
    period = _number(alarm.get("Period"), SECONDS_PER_MINUTE)
    minutes = max(1, round(period / SECONDS_PER_MINUTE))
    # A sum over some minutes is held against as many times the requests of a minute.
    summed = minutes if _WRITTEN_OUT[metric][1] == "Sum" else 1
    if period != SECONDS_PER_MINUTE:
        reading.note(
            ASSUMED, alarm, f"Its datapoints are of {period:g} s; they are taken as {minutes} of a minute each."
        )
    if _OPERATORS[operator] != operator:
        reading.note(
            ASSUMED,
            alarm,
            f"{operator} is taken as {_OPERATORS[operator]}: the two differ at the threshold itself alone.",
        )
    evaluated = _number(alarm.get("EvaluationPeriods"), 1)
    values: dict[str, Any] = {
        "policy_type": "StepScaling",
        "threshold": threshold if summed == 1 else threshold / summed,
        "metric_name": metric,
        "comparison_operator": _OPERATORS[operator],
        "adjustment_type": str(policy.get(f"{config}.AdjustmentType", "ChangeInCapacity")),
        "min_adjustment_magnitude": _number(policy.get(f"{config}.MinAdjustmentMagnitude"), 0),
        "cooldown_s": _number(policy.get(f"{config}.Cooldown"), _COOLDOWN_S),
        "evaluation_periods": evaluated * minutes,
        "datapoints_to_alarm": _number(alarm.get("DatapointsToAlarm"), evaluated) * minutes,
        "step_adjustments": [
            {
                "scaling_adjustment": _number(step.get("ScalingAdjustment"), 0),
                "metric_interval_lower_bound": _part(step.get("MetricIntervalLowerBound"), summed),
                "metric_interval_upper_bound": _part(step.get("MetricIntervalUpperBound"), summed),
            }
            for step in policy.entries(f"{config}.StepAdjustments")
        ],
    }
    return values


def _part(value: Any, of: int) -> float | None:
    number = number_of(value)
    return number if number is None or of == 1 else number / of


def _predictive(reading: Reading, policy: Resource) -> dict[str, Any] | None:
    config = "PredictiveScalingPolicyConfiguration"
    specifications = policy.entries(f"{config}.MetricSpecifications")
    first = specifications[0] if specifications else {}
    pair = first.get("PredefinedMetricPairSpecification")
    kind = pair.get("PredefinedMetricType") if isinstance(pair, Mapping) else None
    value = number_of(first.get("TargetValue"))
    if kind is None or value is None:
        reading.note(
            NOT_PRICED,
            policy,
            "It forecasts a metric that the model does not know, or to an unknown value: the policy is left out.",
        )
        return None
    return {
        "policy_type": "PredictiveScaling",
        "target_value": value,
        "predefined_metric_pair_type": str(kind),
        # AWS, "PutScalingPolicy", read 2026: it only forecasts where the mode is not given.
        "mode": str(policy.get(f"{config}.Mode", "ForecastOnly")),
        "scheduling_buffer_time_s": _number(policy.get(f"{config}.SchedulingBufferTime"), _COOLDOWN_S),
        "max_capacity_breach_behavior": str(policy.get(f"{config}.MaxCapacityBreachBehavior", "HonorMaxCapacity")),
        "max_capacity_buffer": _number(policy.get(f"{config}.MaxCapacityBuffer"), 0),
    }


# Alarms of one's own.


def read_alarms(reading: Reading, of_policies: set[tuple[str, str]]) -> None:
    """Count the alarms of one's own as AWS bills them: by the metrics that each watches.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    of_policies : set of (str, str)
        Alarms that belong to policies, which the bill has with these.

    Notes
    -----
    An alarm costs by each metric that it watches, more if one of them has a period below a minute; one that holds a metric against a forecast
    band costs as three [1]_.

    References
    ----------
    .. [1] AWS, "Amazon CloudWatch pricing", alarms, read 2026-11.
    """
    counted: dict[bool, list[tuple[Resource, int]]] = {False: [], True: []}
    for alarm in reading.world.of_type(ALARM):
        if alarm.token not in of_policies:
            metrics, fine = _metrics_of(reading, alarm)
            counted[fine].append((alarm, metrics))
    for fine, name in ((False, "extras.standard_alarms"), (True, "extras.high_resolution_alarms")):
        reading.say(name, sum(metrics for _, metrics in counted[fine]), *(alarm for alarm, _ in counted[fine]))


def _metrics_of(reading: Reading, alarm: Resource) -> tuple[int, bool]:
    """Count an alarm's metrics, and say whether one has a period below a minute."""
    queries = alarm.entries("Metrics")
    stats = [stat for query in queries if isinstance(stat := query.get("MetricStat"), Mapping)]
    periods = [_number(stat.get("Period"), SECONDS_PER_MINUTE) for stat in stats]
    if not queries:
        periods = [_number(alarm.get("Period"), SECONDS_PER_MINUTE)]
    expressions = [str(query.get("Expression", "")) for query in queries]
    metrics = max(len(periods), 1)
    if any("ANOMALY_DETECTION_BAND" in text for text in expressions):
        metrics = 3 * metrics
    if any(text.strip().upper().startswith("SELECT") for text in expressions):
        reading.note(
            ASSUMED, alarm, "It watches a query, which is billed by the metrics that it finds; it is counted as one."
        )
    return metrics, any(period < SECONDS_PER_MINUTE for period in periods)
