"""Scaling activities: each change of the desired count once, to the second, in AWS's words, with its cause."""

import itertools

import numpy as np
import pytest

from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    PredictiveScalingPolicy,
    ScheduledAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.activities import ScalingActivity, scaling_activities
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SMALL = TaskSize(256, 512)
OUT = StepScalingPolicy(70, (StepAdjustment(2, 0.0, None),), evaluation_periods=1, datapoints_to_alarm=1)
IN = StepScalingPolicy(
    20, (StepAdjustment(-1, None, 0.0),), comparison_operator="LessThanOrEqualToThreshold", metric_name="CPUUtilization"
)


def hours(*pairs, step_s=60, **request):
    """A load of (hours, requests/s) one after the other. A task of 0.25 vCPU serves 25 requests of 10 ms in a second."""
    series = np.concatenate([np.full(round(3600 * length / step_s), float(rate)) for length, rate in pairs])
    return Workload(LoadProfile(series, step_s), cpu_ms_per_request=10.0, **request)


def service(*policies, minimum=1, maximum=100, **spec):
    return ServiceSpec(SMALL, "X86_64", minimum, maximum, policies, **spec)


def series_of(work, spec, **how):
    return simulate(work, [spec], keep_series=[0], **how).series[0]


def tracking(target, metric=ECS_CPU, **policy):
    return TargetTrackingScalingPolicy(target, predefined_metric_type=metric, **policy)


def test_what_an_activity_says():
    # One task at 40 %, then at 116 %: it is full, 100 / 60 asks for two; back at 40 % for one.
    work = hours((4, 10), (1, 29), (3, 10))
    out, back = series_of(work, service(tracking(60))).activities
    # AWS, "Scaling activities for Application Auto Scaling".
    assert out == ScalingActivity(
        time_s=4 * 3600 + 360,
        description="Setting desired count to 2.",
        cause="monitor alarm TargetTracking-AlarmHigh (ECSServiceAverageCPUUtilization) in state ALARM triggered policy CPU target 60 %",
        desired_count_before=1,
        desired_count=2,
        status_message="Successfully set desired count to 2. Change successfully fulfilled by ecs.",
    )
    assert back.time_s == 5 * 3600 + 15 * 60 + 180
    assert back.description == "Setting desired count to 1."
    assert (
        back.cause
        == "monitor alarm TargetTracking-AlarmLow (ECSServiceAverageCPUUtilization) in state ALARM triggered policy CPU target 60 %"
    )
    assert (back.desired_count_before, back.desired_count) == (2, 1)


def test_the_policy_that_moved_it_is_named():
    # 60/s: 4 tasks by CPU at 60 %, 6 by 600 requests a minute.
    high = series_of(hours((5, 5), (1, 60)), service(tracking(60), tracking(600, ALB_REQUESTS))).activities
    first = next(one for one in high if one.time_s >= 5 * 3600)
    assert first.desired_count == 6
    assert first.cause == (
        "monitor alarm TargetTracking-AlarmHigh (ALBRequestCountPerTarget) in state ALARM triggered policy requests target 600 a minute"
    )


def test_step_scaling_names_its_alarm():
    # Full at hour 4: one datapoint of minute 0, known at 4 minutes. Three datapoints under 20 % later: 6 minutes.
    found = series_of(hours((4, 5), (1, 25), (7, 4)), service(OUT, IN)).activities
    assert found[0].time_s == 4 * 3600 + 240
    assert found[0].cause == "monitor alarm on CPUUtilization in state ALARM triggered policy 1 step from CPU 70 % up"
    assert (found[0].desired_count_before, found[0].desired_count) == (1, 3)
    assert found[1].time_s == 5 * 3600 + 360
    assert found[1].cause == "monitor alarm on CPUUtilization in state ALARM triggered policy 1 step from CPU 20 % down"


def test_scheduled_and_predictive_causes():
    actions = (
        ScheduledAction("cron(0 3 ? * * *)", 8),
        ScheduledAction("cron(0 6 ? * * *)", 1, 5),
        ScheduledAction("cron(0 7 ? * * *)", 1, 1),
        ScheduledAction("cron(0 8 ? * * *)", 1, 50),
    )
    found = series_of(hours((24, 0)), service(maximum=50, scheduled_actions=actions)).activities
    assert [(one.time_s // 3600, one.desired_count, one.cause) for one in found] == [
        (3, 8, "minimum capacity was set to 8"),
        (6, 5, "maximum capacity was set to 5"),
        (7, 1, "maximum capacity was set to 1"),
    ]
    # 100/s at 50 % are 8 tasks; from five minutes before.
    found = series_of(hours((20, 1), (1, 100), (3, 1)), service(PredictiveScalingPolicy(50), tracking(55))).activities
    assert found[0].time_s == 20 * 3600 - 300
    assert found[0].desired_count == 8
    assert found[0].cause == "predictive scaling forecast a need of 8 tasks"
    # A maximum of 5 hides what else it asks for.
    spec = service(PredictiveScalingPolicy(50), tracking(55), maximum=5)
    found = series_of(hours((20, 1), (1, 100), (3, 1)), spec).activities
    assert (found[0].desired_count, found[0].cause) == (5, "predictive scaling forecast a need of 5 tasks or more")


@pytest.mark.parametrize("hour", [0, 5])
def test_what_happens_in_the_first_step_is_told_as_well(hour):
    # Down to 2 two hours before, up to 7 at that hour, which may be the period's first.
    actions = (
        ScheduledAction(f"cron(0 {(hour - 2) % 24} ? * * *)", 2, 2),
        ScheduledAction(f"cron(0 {hour} ? * * *)", 7, 9),
    )
    found = series_of(hours((24, 0)), service(minimum=2, scheduled_actions=actions)).activities
    up = next(one for one in found if one.desired_count == 7)
    assert (up.time_s, up.desired_count_before, up.cause) == (hour * 3600, 2, "minimum capacity was set to 7")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("metric", "step_s", "lag_s"),
    [(ECS_CPU, 60, 180), (ECS_CPU, 60, 185), (ECS_CPU, 20, 47), (ECS_CPU_20S, 20, 25), (ECS_CPU_20S, 60, 39)],
)
def test_times_are_those_at_which_a_datapoint_becomes_known(metric, step_s, lag_s):
    behavior = AwsBehavior(metric_lag_s=lag_s, high_resolution_metric_lag_s=lag_s)
    period_s = 20 if metric == ECS_CPU_20S else 60
    series = series_of(
        hours((3, 10), (1, 400), (4, 10), step_s=step_s), service(tracking(60, metric)), behavior=behavior
    )
    assert len(series.activities) > 5
    assert series.activities[0].time_s == 3 * 3600 + 3 * period_s + lag_s
    assert {(one.time_s - lag_s) % period_s for one in series.activities} == {0}


def _counts(series, first):
    """Desired count after each step, from the activities alone."""
    counts = np.full(series.desired_count.size, first)
    for one in series.activities:
        counts[one.time_s // series.step_s :] = one.desired_count
    return counts


@pytest.mark.parametrize("seed", range(6))
def test_the_activities_tell_the_whole_course(seed):
    random = np.random.default_rng(seed)
    work = Workload(LoadProfile(random.uniform(1, 300, 24), 3600), cpu_ms_per_request=10)
    actions = tuple(
        ScheduledAction(f"cron({minute} {hour} ? * * *)", low, 60)
        for hour, minute, low in zip(
            random.integers(0, 24, 5), random.integers(0, 60, 5), random.integers(1, 20, 5), strict=True
        )
    )
    ways = [
        service(tracking(60), maximum=60),
        service(tracking(50, ECS_CPU_20S, scale_in_cooldown_s=40), scheduled_actions=actions, maximum=60),
        service(tracking(60), tracking(700, ALB_REQUESTS), PredictiveScalingPolicy(50), maximum=60),
        service(OUT, IN, scheduled_actions=actions, maximum=60),
    ]
    run = simulate(work, ways, keep_series=range(4))
    for i in range(4):
        series = run.series[i]
        found = series.activities
        assert len(found) > 3
        assert [one.time_s for one in found] == sorted({one.time_s for one in found})
        np.testing.assert_array_equal(_counts(series, found[0].desired_count_before), series.desired_count)
        for one, following in itertools.pairwise(found):
            assert following.desired_count_before == one.desired_count
        for one in found:
            assert one.desired_count != one.desired_count_before
            assert one.description == f"Setting desired count to {one.desired_count}."
            assert one.status_message.startswith(f"Successfully set desired count to {one.desired_count}.")
            assert ("AlarmHigh" in one.cause) <= (one.desired_count > one.desired_count_before)
            assert ("AlarmLow" in one.cause) <= (one.desired_count < one.desired_count_before)
        # What was asked for was launched or removed, task by task.
        changes = np.array([one.desired_count - one.desired_count_before for one in found])
        assert run.launched[i] == changes[changes > 0].sum()
        assert run.removed[i] == -changes[changes < 0].sum()


def test_a_course_without_a_change_has_none():
    assert series_of(hours((24, 10)), service(tracking(60))).activities == ()


def test_as_a_table():
    series = series_of(hours((4, 10), (1, 29), (3, 10)), service(tracking(60)))
    table = series.activities_frame()
    assert table.columns.tolist() == [
        "time_s",
        "description",
        "cause",
        "desired_count_before",
        "desired_count",
        "status_message",
    ]
    assert table["desired_count"].tolist() == [2, 1]
    empty = series_of(hours((24, 10)), service(tracking(60))).activities_frame()
    assert empty.columns.tolist() == table.columns.tolist()
    assert len(empty) == 0


def test_changes_inside_one_step_are_one():
    # Step 1: bounds to 5, then a policy to 9, 20 s later; step 2: nothing; step 3: a maximum of 4.
    counts, by = np.array([2, 9, 9, 4]), np.array([-1, 0, -1, -2])
    found = scaling_activities(
        counts, counts.astype(float), by, (tracking(60),), (20,), ((0, 2, 50, 0), (1, 5, 50, 0), (3, 1, 4, 0)), 60
    )
    assert [(one.time_s, one.desired_count_before, one.desired_count) for one in found] == [(80, 2, 9), (180, 9, 4)]
    assert [one.cause.split(" ")[0] for one in found] == ["monitor", "maximum"]


def test_a_change_that_never_comes_true_is_waited_for():
    """Spot is short from the fifth hour on: the tasks that the crowd asks for do not come until it is over."""
    spot = service(tracking(60), capacity_provider_strategy=CapacityProviderStrategy(0, 0, 1))
    short = Operations(spot_shortages=(SpotShortage(4, 0.5),))
    work = hours((4, 10), (1, 29), (3, 10))
    said = [one.status_message.split(". ")[1] for one in series_of(work, spot, operations=short).activities]
    assert said[-1] == "Change successfully fulfilled by ecs."
    assert said[0] == "Change successfully fulfilled by ecs."  # at half past, when there is Spot again
    # Until the end of the period, if there is none before.
    longer = Operations(spot_shortages=(SpotShortage(4, 4),))
    *_, last = series_of(hours((4, 10), (4, 29)), spot, operations=longer).activities
    assert last.status_message == "Successfully set desired count to 2. Waiting for change to be fulfilled by ecs."


def test_before_the_period_came_what_is_said():
    """A morning that ended with three tasks: no activity tells of a period that never was."""
    work = hours((1, 40), (8, 10))
    morning = LoadProfile(np.linspace(0, 40, 720), 60)
    found = series_of(work, service(tracking(60)), before=morning)
    assert found.desired_count[0] == 3
    assert all(one.time_s > 3600 and one.desired_count < one.desired_count_before for one in found.activities)
