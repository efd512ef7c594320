"""Scaling policies: AWS's documented examples of step scaling, followed through `simulate`, and what AWS would not take."""

import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.policies import (
    ALARM_METRICS,
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    FORECAST_METRICS,
    PREDEFINED_METRICS,
    PredictiveScalingPolicy,
    ScheduledAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
    configuration_of,
    policy_type_of,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

UP, DOWN = "GreaterThanOrEqualToThreshold", "LessThanOrEqualToThreshold"
ONE_OF_ONE = {"evaluation_periods": 1, "datapoints_to_alarm": 1}


def hours(*pairs, **request):
    """A load of (hours, requests/s) one after the other. A task of 0.25 vCPU serves 25 requests of 10 ms in a second."""
    series = np.concatenate([np.full(round(60 * length), float(rate)) for length, rate in pairs])
    return Workload(LoadProfile(series, 60), cpu_ms_per_request=10.0, **request)


def series_of(work, *policies, minimum=1, maximum=1000, **spec):
    return simulate(
        work, [ServiceSpec(TaskSize(256, 512), "X86_64", minimum, maximum, policies, **spec)], keep_series=[0]
    ).series[0]


def moves(series, since_h=0.0):
    """Minutes from an hour on and the counts that were set."""
    return [
        (one.time_s / 60 - since_h * 60, one.desired_count) for one in series.activities if one.time_s >= since_h * 3600
    ]


def steps(*triples):
    return tuple(StepAdjustment(change, lower, upper) for lower, upper, change in triples)


# --- Step scaling as AWS documents it -----------------------------------------------------------------------------

# "Step and simple scaling policies": breach threshold 50, "the desired and current capacity is maintained while the aggregated metric value is
# greater than 40 and less than 60", by 10 percent from 60 and down from 40 on, by 30 percent from 70 and down from 30 on.
PERCENT = {"adjustment_type": "PercentChangeInCapacity", **ONE_OF_ONE}
DOCUMENTED_OUT = StepScalingPolicy(50, steps((0, 10, 0), (10, 20, 10), (20, None, 30)), **PERCENT)
DOCUMENTED_IN = StepScalingPolicy(
    50, steps((-10, 0, 0), (-20, -10, -10), (None, -20, -30)), comparison_operator=DOWN, **PERCENT
)


def percent(tasks, value):
    """Load at which so many tasks are so busy. [requests/s]"""
    return tasks * 25 * value / 100


def test_the_documented_example():
    """10 instances: 60 percent adds 1 (10 percent of 10), 70 adds 3 (30 percent of 11 are 3.3), 40 removes 1 (1.4 of 14), 30 removes 3 (3.9 of 13)."""
    work = hours(
        (1, percent(10, 50)),
        (1, percent(10, 60)),
        (1, percent(11, 70)),
        (1, percent(14, 40)),
        (0.1, percent(13, 30)),
        (0.9, percent(10, 50)),
    )
    series = series_of(work, DOCUMENTED_OUT, DOCUMENTED_IN, minimum=10)
    # Each datapoint is known 3 minutes after its own minute.
    assert moves(series) == [(64, 11), (124, 14), (184, 13), (244, 10)]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (49.9, 10), (50, 10), (59.9, 10),  # "greater than 40 and less than 60" keeps 10
        (60, 11), (69.9, 11), (70, 13), (100, 13),
        (40.1, 10), (40, 9), (30.1, 9), (30, 7), (1, 7),
    ],
)  # fmt: skip
def test_a_step_holds_its_bound_next_to_the_threshold(value, count):
    """AWS: the lower bound inclusive and the upper exclusive above the threshold, the other way below it."""
    work = hours((2, percent(10, 50)), (0.1, percent(10, value)), (1.9, percent(10, 50)), (20, percent(10, 50)))
    reset = ScheduledAction("cron(0 20 ? * * *)", 10, 10), ScheduledAction("cron(1 20 ? * * *)", 1, 1000)
    series = series_of(work, DOCUMENTED_OUT, DOCUMENTED_IN, minimum=5, scheduled_actions=reset)
    assert series.desired_count[119] == 10
    assert series.desired_count[125] == count


@pytest.mark.parametrize(
    ("tasks", "change", "result"),
    [
        # AWS, PercentChangeInCapacity: "12.7 is rounded to 12", ".67 is rounded to 1", "-.58 is rounded to -1", "-6.67 is rounded to -6".
        (10, 127, 22),
        (1, 67, 2),
        (2, -29, 1),
        (29, -23, 23),
        # "If the current capacity is 10 instances and the adjustment is 10 percent ... 1 instance is added".
        (10, 10, 11),
        (3, 100, 6),
        (20, -5, 19),
        (4, 0, 4),
    ],
)
def test_percentages_are_rounded_as_aws_says(tasks, change, result):
    assert (
        moved_once(
            StepScalingPolicy(90, steps((0, None, change)), adjustment_type="PercentChangeInCapacity", **ONE_OF_ONE),
            tasks,
        )
        == result
    )


@pytest.mark.parametrize(
    ("tasks", "change", "magnitude", "result"),
    [
        # AWS: "25 percent of 4 is 1. However, because you specified a MinAdjustmentMagnitude of 2, ... by 2 tasks".
        (4, 25, 2, 6),
        (4, 25, 1, 5),
        (4, 75, 2, 7),  # 3 is more than 2
        (10, -10, 3, 7),
        (4, 0, 2, 4),  # no change has no least change
    ],
)
def test_the_least_change(tasks, change, magnitude, result):
    policy = StepScalingPolicy(
        90,
        steps((0, None, change)),
        adjustment_type="PercentChangeInCapacity",
        min_adjustment_magnitude=magnitude,
        **ONE_OF_ONE,
    )
    assert moved_once(policy, tasks) == result


@pytest.mark.parametrize(
    ("kind", "change", "result"),
    # AWS: with 3 instances an adjustment of 5 makes 8 by ChangeInCapacity and 5 by ExactCapacity.
    [
        ("ChangeInCapacity", 5, 8),
        ("ExactCapacity", 5, 5),
        ("ChangeInCapacity", -2, 1),
        ("ChangeInCapacity", -9, 1),
        ("ExactCapacity", 0, 1),
    ],
)
def test_changes_in_capacity_and_exact_capacity(kind, change, result):
    assert moved_once(StepScalingPolicy(90, steps((0, None, change)), adjustment_type=kind, **ONE_OF_ONE), 3) == result


def moved_once(policy, tasks):
    """Count after the policy's alarm saw one full minute of so many tasks at noon."""
    work = hours((12, 0), (1 / 60, 1e5), (12 - 1 / 60, 0))
    reset = ScheduledAction("cron(0 6 ? * * *)", tasks, tasks), ScheduledAction("cron(1 6 ? * * *)", 1, 1000)
    series = series_of(work, policy, scheduled_actions=reset)
    assert series.desired_count[723] == tasks
    found = moves(series, 12)
    # The datapoint of noon's minute is known 3 minutes after it.
    assert [minute for minute, _ in found] in ([], [4])
    return int(series.desired_count[730])


def test_tasks_that_were_added_count_in_a_larger_step():
    """AWS: an alarm adds 2 tasks; in its cooldown of 5 minutes a step of 3 adds only 1 more."""
    # 10 tasks at 62 percent: 2 more. From minute 2 on as much as fills 12 to 80 percent: 3 more than the 10, in the cooldown.
    policy = StepScalingPolicy(60, steps((0, 15, 2), (15, None, 3)), cooldown_s=300, **ONE_OF_ONE)
    calm, first, second = percent(10, 55), percent(10, 62), percent(12, 80)
    work = hours((1, calm), (2 / 60, first), (3 / 60, second), (22 + 55 / 60, calm))
    reset = ScheduledAction("cron(0 20 ? * * *)", 10, 10), ScheduledAction("cron(1 20 ? * * *)", 1, 1000)
    series = series_of(work, policy, scheduled_actions=reset, minimum=10)
    assert [move for move in moves(series, 1) if move[0] < 60] == [(4, 12), (6, 13)]


@pytest.mark.parametrize(("cooldown_s", "gap_min"), [(0, 1), (60, 1), (120, 2), (300, 5), (301, 6)])
def test_an_alarm_that_stays_acts_again_after_the_cooldown(cooldown_s, gap_min):
    # Never enough: +3 at each alarm. A task runs 23 s after its launch, so the next minute counts it.
    # In the minute in which they start, the new tasks do nothing yet, and the mean over the running ones is lower: over 50 it stays.
    policy = StepScalingPolicy(50, steps((0, None, 3)), cooldown_s=cooldown_s, **ONE_OF_ONE)
    work = hours((12, 0), (1, 1e5), (11, 0))
    reset = ScheduledAction("cron(0 6 ? * * *)", 2, 2), ScheduledAction("cron(1 6 ? * * *)", 1, 1000)
    found = moves(series_of(work, policy, scheduled_actions=reset, minimum=2), 12)[:4]
    assert found == [(4 + gap_min * k, 5 + 3 * k) for k in range(4)]


def test_a_scale_in_alarm_waits_for_its_cooldown_and_the_minimum():
    policy = StepScalingPolicy(20, steps((None, 0, -3)), comparison_operator=DOWN, cooldown_s=600, **ONE_OF_ONE)
    work = hours((12, 290), (12, 0))
    reset = ScheduledAction("cron(0 6 ? * * *)", 12, 12), ScheduledAction("cron(1 6 ? * * *)", 2, 1000)
    found = moves(series_of(work, policy, scheduled_actions=reset, minimum=2), 12)
    assert found == [(4, 9), (14, 6), (24, 3), (34, 2)]


@pytest.mark.parametrize(
    ("m", "n", "bad", "minute"),
    [(1, 1, [1], 4), (2, 3, [1, 0, 1], 6), (3, 3, [1, 1, 1], 6), (3, 3, [1, 0, 1], None), (2, 3, [1, 0, 0, 1], None)],
)
def test_m_of_n_datapoints(m, n, bad, minute):
    policy = StepScalingPolicy(80, steps((0, None, 1)), evaluation_periods=n, datapoints_to_alarm=m)
    work = hours((12, 0), *((1 / 60, 1e5 * one) for one in bad), (12 - len(bad) / 60, 0))
    reset = ScheduledAction("cron(0 6 ? * * *)", 2, 2), ScheduledAction("cron(1 6 ? * * *)", 1, 1000)
    found = moves(series_of(work, policy, scheduled_actions=reset), 12)
    assert found[:1] == ([] if minute is None else [(minute, 3)])


@pytest.mark.parametrize(
    ("metric", "threshold", "rate"),
    # 4 tasks: 60 % of CPU; 150 MiB beside 128 in each of 512; 900 requests a minute each.
    [("CPUUtilization", 60, 60), ("MemoryUtilization", 54, 60), ("RequestCountPerTarget", 900, 60)],
)
def test_each_alarm_metric(metric, threshold, rate):
    # In flight 60 x (0.04 + 1) = 62.4 requests of 10 MiB in 4 tasks: (128 + 156) / 512 = 55.5 %.
    policy = StepScalingPolicy(threshold, steps((0, None, 1)), metric_name=metric, **ONE_OF_ONE)
    reset = ScheduledAction("cron(0 6 ? * * *)", 4, 4), ScheduledAction("cron(1 6 ? * * *)", 4, 1000)
    for load, found in ((rate, [(4, 5)]), (rate * 0.95, [])):
        work = hours(
            (12, 20),
            (0.1, load),
            (11.9, 20),
            wait_ms_per_request=1000,
            baseline_memory_mib=128,
            memory_mib_per_request=10,
        )
        assert moves(series_of(work, policy, scheduled_actions=reset, minimum=4), 12) == found


def test_steps_may_be_given_in_any_order():
    one = StepScalingPolicy(step_adjustments=steps((20, None, 3), (0, 20, 1)))
    assert one == StepScalingPolicy(step_adjustments=steps((0, 20, 1), (20, None, 3)))
    assert [step.bounds for step in one.step_adjustments] == [(0, 20), (20, math.inf)]


# --- What is refused ----------------------------------------------------------------------------------------------


Tracking, Adjustment, Steps, Predictive, Action = (
    TargetTrackingScalingPolicy,
    StepAdjustment,
    StepScalingPolicy,
    PredictiveScalingPolicy,
    ScheduledAction,
)


@pytest.mark.parametrize(
    ("record", "values", "said"),
    [
        (Tracking, {"target_value": 0}, ["target_value is 0", "1 to 100", "percentage"]),
        (Tracking, {"target_value": "60"}, ["target_value is '60'", "a number"]),
        (Tracking, {"target_value": True}, ["target_value is True"]),
        (Tracking, {"target_value": 0, "predefined_metric_type": ALB_REQUESTS}, ["target_value is 0", "more than 0", "per target and minute"]),
        (Tracking, {"target_value": 101, "predefined_metric_type": ECS_CPU_20S}, ["target_value is 101", "1 to 100"]),
        (Tracking, {"scale_in_cooldown_s": -1}, ["scale_in_cooldown_s is -1", "0 to 86400"]),
        (Tracking, {"disable_scale_in": "no"}, ["disable_scale_in is 'no'", "true or false"]),
        (Tracking, {"disable_scale_in": 1}, ["disable_scale_in is 1"]),
        (Tracking, {"predefined_metric_type": "CPU"}, ["predefined_metric_type is 'CPU'", *PREDEFINED_METRICS]),
        (Tracking, {"predefined_metric_type": ["x"]}, ["predefined_metric_type is ['x']"]),
        (Adjustment, {"scaling_adjustment": 1.5, "metric_interval_lower_bound": 0}, ["scaling_adjustment is 1.5", "whole number", "-5000 to 5000"]),
        (Adjustment, {"scaling_adjustment": 1, "metric_interval_lower_bound": math.nan}, ["metric_interval_lower_bound is nan"]),
        (Adjustment, {"scaling_adjustment": 1, "metric_interval_lower_bound": 5, "metric_interval_upper_bound": 5}, ["upper_bound is 5", "above", "(5)"]),
        (Adjustment, {"scaling_adjustment": 1, "metric_interval_lower_bound": 5, "metric_interval_upper_bound": -5}, ["metric_interval_upper_bound is -5"]),
        (Adjustment, {"scaling_adjustment": 1}, ["metric_interval_lower_bound and metric_interval_upper_bound", "both null", "at most one"]),
        (Steps, {"threshold": 101}, ["threshold is 101", "0 to 100"]),
        (Steps, {"threshold": -1, "metric_name": "RequestCountPerTarget"}, ["threshold is -1", "0 or more"]),
        (Steps, {"metric_name": "CPU"}, ["metric_name is 'CPU'", *ALARM_METRICS]),
        (Steps, {"comparison_operator": ">="}, ["comparison_operator is '>='", UP, DOWN]),
        (Steps, {"adjustment_type": "Percent"}, ["adjustment_type is 'Percent'", "PercentChangeInCapacity"]),
        (Steps, {"min_adjustment_magnitude": -1}, ["min_adjustment_magnitude is -1"]),
        (Steps, {"cooldown_s": 86_401}, ["cooldown_s is 86401", "86400"]),
        (Steps, {"evaluation_periods": 0}, ["evaluation_periods is 0", "1 to 60"]),
        (Steps, {"evaluation_periods": 2, "datapoints_to_alarm": 3}, ["datapoints_to_alarm is 3", "1 to 2"]),
        (Steps, {"step_adjustments": ()}, ["step_adjustments has 0 steps", "1 to 20"]),
        (Steps, {"step_adjustments": steps(*((k, k + 1, 1) for k in range(20)), (20, None, 1))}, ["step_adjustments has 21 steps", "1 to 20"]),
        (Steps, {"step_adjustments": steps((0, 10, 1), (15, None, 2))}, ["ends a step at 10", "begins the next at 15", "gap"]),
        (Steps, {"step_adjustments": steps((0, 10, 1), (5, None, 2))}, ["ends a step at 10", "begins the next at 5", "overlap"]),
        (Steps, {"step_adjustments": steps((0, 10, -1)), "adjustment_type": "ExactCapacity"}, ["ends at 10"]),
        (Steps, {"step_adjustments": steps((0, None, -1)), "adjustment_type": "ExactCapacity"}, ["[0].scaling_adjustment is -1", "ExactCapacity"]),
        # AWS: "if one step adjustment has a negative lower bound, then there must be a step adjustment with a null lower bound", and so above.
        (Steps, {"step_adjustments": steps((-20, -10, -2), (-10, 0, -1))}, ["begins at -20", "null"]),
        (Steps, {"step_adjustments": steps((0, 10, 1), (10, 20, 2))}, ["ends at 20", "null"]),
        (Predictive, {"target_value": 101}, ["target_value is 101"]),
        (Predictive, {"predefined_metric_pair_type": "CPU"}, ["predefined_metric_pair_type is 'CPU'", *FORECAST_METRICS]),
        (Predictive, {"mode": "Forecast"}, ["mode is 'Forecast'", "ForecastAndScale, ForecastOnly"]),
        (Predictive, {"scheduling_buffer_time_s": 3600}, ["scheduling_buffer_time_s is 3600", "0 to 3599"]),
        (Predictive, {"max_capacity_breach_behavior": "Raise"}, ["max_capacity_breach_behavior is 'Raise'", "HonorMaxCapacity, IncreaseMaxCapacity"]),
        (Predictive, {"max_capacity_buffer": 101, "max_capacity_breach_behavior": "IncreaseMaxCapacity"}, ["max_capacity_buffer is 101", "0 to 100"]),
        (Predictive, {"max_capacity_buffer": 10}, ["max_capacity_buffer is 10", "IncreaseMaxCapacity"]),
        (Predictive, {"history_days": 15}, ["history_days is 15", "1 to 14"]),
        (Action, {"schedule": "daily", "min_capacity": 1}, ["schedule is 'daily'"]),
        (Action, {"schedule": "rate(1 days)", "min_capacity": 1}, ["rate(1 days)"]),
        (Action, {"schedule": "rate(1 day)"}, ["rate(1 day)", "neither min_capacity nor max_capacity"]),
        (Action, {"schedule": "rate(1 day)", "min_capacity": 0}, ["min_capacity is 0", "1 to 5000", "tasks"]),
        (Action, {"schedule": "rate(1 day)", "max_capacity": 5001}, ["max_capacity is 5001"]),
        (Action, {"schedule": "rate(1 day)", "min_capacity": 5, "max_capacity": 4}, ["max_capacity is 4", "min_capacity, 5"]),
        (Action, {"schedule": "rate(1 day)", "min_capacity": 5, "timezone": "Berlin"}, ["timezone is 'Berlin'", "Europe/Berlin"]),
    ],
)  # fmt: skip
def test_what_aws_would_not_take(record, values, said):
    with pytest.raises(InvalidScenario) as caught:
        record(**values)
    for part in said:
        assert part in str(caught.value)


def test_what_aws_takes():
    # 20 steps; a gap between the threshold and the first step; steps on both sides of it.
    StepScalingPolicy(step_adjustments=steps(*((k, k + 1, 1) for k in range(19)), (19, None, 1)))
    StepScalingPolicy(step_adjustments=steps((10, None, 1)))
    StepScalingPolicy(step_adjustments=steps((None, -10, -1), (-10, 10, 0), (10, None, 1)))
    # CloudWatch's threshold is the policy's: requests have no 100.
    StepScalingPolicy(5000, metric_name="RequestCountPerTarget")
    assert TargetTrackingScalingPolicy(5000, predefined_metric_type=ALB_REQUESTS).target_value == 5000


def test_a_policy_is_known_by_its_kind():
    assert policy_type_of(TargetTrackingScalingPolicy()) == "TargetTrackingScaling"
    assert policy_type_of(StepScalingPolicy()) == "StepScaling"
    assert policy_type_of(PredictiveScalingPolicy()) == "PredictiveScaling"
    for wrong in (None, 5, ScheduledAction("rate(1 day)", 1), "StepScaling"):
        with pytest.raises(
            InvalidScenario, match="TargetTrackingScalingPolicy, StepScalingPolicy, PredictiveScalingPolicy"
        ):
            policy_type_of(wrong)
    written = configuration_of(StepScalingPolicy(80, steps((0, None, 2))))
    assert written["policy_type"] == "StepScaling"
    assert written["step_adjustments"] == (
        {"scaling_adjustment": 2, "metric_interval_lower_bound": 0, "metric_interval_upper_bound": None},
    )


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (TargetTrackingScalingPolicy(60), "CPU target 60 %"),
        (TargetTrackingScalingPolicy(62.5, disable_scale_in=True), "CPU target 62.5 %, no scale-in"),
        (TargetTrackingScalingPolicy(900, predefined_metric_type=ALB_REQUESTS), "requests target 900 a minute"),
        (StepScalingPolicy(70, steps((0, 10, 1), (10, None, 2))), "2 steps from CPU 70 % up"),
        (
            StepScalingPolicy(900, steps((None, 0, -1)), "RequestCountPerTarget", DOWN),
            "1 step from requests 900 a minute down",
        ),
        (PredictiveScalingPolicy(50, mode="ForecastOnly"), "predictive only forecast, CPU target 50 %"),
        (ScheduledAction("rate(1 day)", 2, 8), "min 2 and max 8 at rate(1 day)"),
        (ScheduledAction("rate(1 day)", max_capacity=8), "max 8 at rate(1 day)"),
    ],
)
def test_what_is_said_of_them(policy, text):
    assert policy.describe() == text


def test_metrics_have_aws_periods():
    # June 2026: only CPU and memory have a resolution of 20 seconds.
    assert {name for name, metric in PREDEFINED_METRICS.items() if metric.period_s == 20} == {
        "ECSServiceAverageCPUUtilizationHighResolution",
        "ECSServiceAverageMemoryUtilizationHighResolution",
    }
    assert PREDEFINED_METRICS[ECS_CPU].is_percentage
    assert not PREDEFINED_METRICS[ALB_REQUESTS].is_percentage
