"""A flash crowd under several ways to scale, by hand."""

import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.replay import replay_flash_crowd, usual_policies
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

# A task serves 25 requests/s.
WORK = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
SERVICE = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=10)
#: Healthy 23 to 27 s after the decision; no draining.
PROMPT = Application(boot_s=0, health_check_interval_s=5, deregistration_delay_s=0, stop_timeout_s=2)
BEHAVIOR = AwsBehavior(registration_s=0)
#: Ten times 20/s at once for half an hour, and gone at once.
AT_ONCE = {"factor": 10, "rise_s": 0, "hold_s": 1800, "decay_s": 0, "application": PROMPT, "behavior": BEHAVIOR}


def tracking(target, metric=ECS_CPU, **policy):
    return TargetTrackingScalingPolicy(target, predefined_metric_type=metric, **policy)


@pytest.fixture(scope="module")
def simple():
    ways = {
        "minute": (tracking(60),),
        "requests": (tracking(900, ALB_REQUESTS),),
        "never": (tracking(60, disable_scale_in=True),),
        "nothing": (),
    }
    return replay_flash_crowd(WORK, SERVICE, ways, **AT_ONCE)


def test_the_crowd(simple):
    assert simple.names == ("minute", "requests", "never", "nothing")
    assert (simple.base_requests_per_s, simple.peak_requests_per_s) == (20, 200)
    assert (simple.start_s, simple.end_s) == (3600, 5400)
    for series in simple.series:
        assert series.step_s == 20
        time_s = np.arange(series.requests_per_s.size) * 20
        crowd = (time_s >= 3600) & (time_s < 5400)
        np.testing.assert_allclose(series.requests_per_s, np.where(crowd, 200.0, 20.0))
    # An hour before it, at least eight after it.
    assert simple.simulation.period_hours == 10


def test_cpu_by_the_minute(simple):
    """Two tasks, full: 4 at 360 s, 7 at 660 s, 12 at 960 s, which serve 66.7 percent, and 14 (13.3) at 1260 s."""
    row = simple.to_frame().loc["minute"]
    assert row["tasks_before"] == 2
    assert row["peak_tasks"] == 14
    assert row["first_scale_out_s"] == 360
    # Two run 23 s later and are healthy within 4 s: in the step up to 400 s.
    assert row["first_new_task_s"] == 400
    # 12 tasks serve the 200/s from 983 to 987 s on, and what came in the first seconds of their step.
    assert row["served_again_s"] == 980
    assert row["minutes_over_capacity"] == pytest.approx(980 / 60)
    # 50 of 200/s are served until 383 s, 100 until 683, then 175: each new task is 0 to 4 s late.
    refused = 150 * 383 + 100 * 300 + 25 * 297
    assert refused <= row["refused_percent"] / 100 * 200 * 1800 <= refused + 4 * (50 + 75)


def test_requests_per_target(simple):
    # 15/s and task: 14 tasks at once, six minutes after the crowd came.
    row = simple.to_frame().loc["requests"]
    assert (row["tasks_before"], row["peak_tasks"], row["first_scale_out_s"], row["first_new_task_s"]) == (
        2,
        14,
        360,
        400,
    )
    assert row["served_again_s"] == 380
    assert row["refused_percent"] == pytest.approx(100 * 150 * 380 / (200 * 1800))


def test_extra_task_hours_are_those_of_the_activities(simple):
    """Billed above the two tasks from 10 s after each launch until 2 s after each removal."""
    table = simple.to_frame()
    for name, series in zip(simple.names, simple.series, strict=True):
        extra_s = 0
        for one in series.activities:
            change = one.desired_count - one.desired_count_before
            extra_s += change * (10 * 3600 - one.time_s - (10 if change > 0 else 2))
        assert table.loc[name, "extra_task_hours"] == pytest.approx(extra_s / 3600), name
    # 12 more for the best part of an hour, then one by one.
    assert 5 < table.loc["requests", "extra_task_hours"] < 24


def test_a_way_that_does_nothing(simple):
    row = simple.to_frame().loc["nothing"]
    assert (row["tasks_before"], row["peak_tasks"], row["extra_task_hours"]) == (2, 2, 0)
    assert math.isnan(row["first_scale_out_s"])
    assert math.isnan(row["first_new_task_s"])
    # 50 of 200/s are served: three quarters are refused, until the crowd goes.
    assert row["refused_percent"] == pytest.approx(75)
    assert row["served_again_s"] == 1800
    assert row["minutes_over_capacity"] == pytest.approx(30)


def test_every_way_begins_as_after_a_quiet_morning():
    """90/s at 15/s and task are 6 tasks for who tracks 60 %, come from below; steps of 20 % above 60 % overshoot or not alike."""
    ways = {"minute": (tracking(60),), "never": (tracking(60, disable_scale_in=True),), "low": (tracking(30),)}
    found = replay_flash_crowd(WORK, SERVICE, ways, **(AT_ONCE | {"base_requests_per_s": 90, "max_capacity": 80}))
    assert found.to_frame()["tasks_before"].to_dict() == {"minute": 6, "never": 6, "low": 12}
    # Nobody has the crowd's tasks already, but some have more than others, which is said.
    assert [note for note in found.notes if "head start" in note and "minute 6, never 6, low 12" in note]
    assert not [
        note for note in replay_flash_crowd(WORK, SERVICE, {"a": ways["minute"]}, **AT_ONCE).notes if "head" in note
    ]


def test_the_usual_ways_in_the_order_of_their_speed():
    run = replay_flash_crowd(WORK, SERVICE, **AT_ONCE)
    table = run.to_frame()
    assert table.index.tolist() == ["CPU by the minute", "CPU by 20 seconds", "Requests per target", "Steps on CPU"]
    # Three minutes and the lag of 180 s; three times 20 s and 25 s; one minute and 180 s for an alarm of one datapoint.
    assert table["first_scale_out_s"].tolist() == [360, 85, 360, 240]
    assert (table["tasks_before"] == 2).all()
    refused = table["refused_percent"]
    assert refused["CPU by 20 seconds"] < refused["CPU by the minute"]
    assert refused["Requests per target"] < refused["CPU by the minute"]
    assert "CPU by 20 seconds" in run._repr_html_()


def test_the_usual_ways_have_one_target():
    cpu, fine, requests, steps = usual_policies(WORK, SERVICE).values()
    assert (cpu[0].predefined_metric_type, cpu[0].target_value) == (ECS_CPU, 60)
    assert (fine[0].predefined_metric_type, fine[0].target_value) == (ECS_CPU_20S, 60)
    # 60 % of 25/s, by the minute.
    assert requests[0].predefined_metric_type == ALB_REQUESTS
    assert requests[0].target_value == pytest.approx(900)
    up, down = steps
    assert (up.threshold, up.is_upward, down.threshold, down.is_upward) == (60, True, 42, False)
    assert [(step.bounds, step.scaling_adjustment) for step in up.step_adjustments] == [
        ((0, 20), 20),
        ((20, math.inf), 100),
    ]


def test_the_services_own_cpu_target_is_taken():
    spec = ServiceSpec(
        TaskSize(1024, 2048),
        "ARM64",
        scaling=(tracking(5000, ALB_REQUESTS), tracking(45, ECS_CPU_20S, scale_out_cooldown_s=30)),
    )
    work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10, arm64_relative_speed=1.25)
    cpu, fine, requests, steps = usual_policies(work, spec).values()
    assert cpu[0] == tracking(45, scale_out_cooldown_s=30)
    assert fine[0].target_value == 45
    assert requests[0].target_value == pytest.approx(60 * 125 * 0.45)  # 8 ms on ARM64
    assert steps[0].threshold == 45
    # A target of 100 % leaves no room for two steps.
    full = usual_policies(work, ServiceSpec(TaskSize(256, 512), scaling=tracking(100)))["Steps on CPU"][0]
    assert len(full.step_adjustments) == 1


def test_workers_that_are_fewer_than_the_cpu_could_feed_bound_the_request_target():
    # One worker, busy for a second: 1/s and task, far under 60 % of the CPU.
    work = Workload(
        LoadProfile.constant(20), cpu_ms_per_request=10, wait_ms_per_request=960, concurrency_limit_per_task=1
    )
    assert usual_policies(work, SERVICE)["Requests per target"][0].target_value == pytest.approx(60)


def test_the_maximum_is_lifted_and_told():
    run = replay_flash_crowd(WORK, SERVICE, **AT_ONCE)
    # 200/s at half the target, 7.5/s a task, are 26.7 tasks; half as much again.
    assert (run.own_max_capacity, run.max_capacity) == (10, 40)
    assert {spec.max_capacity for spec in run.simulation.specs} == {40}
    (note,) = run.notes
    peak = int(run.to_frame()["peak_tasks"].max())
    assert note == (
        f"The crowd asks for up to {peak} tasks; the service's max_capacity is 10, which was lifted to 40 here. Raise it, or the crowd meets the "
        "maximum first."
    )


@pytest.mark.parametrize(
    ("policy", "tasks"), [(tracking(10), 80), (tracking(150, ALB_REQUESTS), 80), (tracking(45), 18)]
)
def test_the_maximum_is_lifted_out_of_the_way_of_low_targets(policy, tasks):
    # 2.5/s and task at 10 % or 150 a minute.
    run = replay_flash_crowd(WORK, SERVICE, {"low": (policy,)}, **{**AT_ONCE, "hold_s": 5400})
    assert run.to_frame().loc["low", "peak_tasks"] == tasks
    assert run.max_capacity == max(math.ceil(1.5 * tasks), 40)


def test_a_maximum_that_is_given_or_large_enough_stays():
    given = replay_flash_crowd(WORK, SERVICE, {"minute": (tracking(60),)}, max_capacity=5, **AT_ONCE)
    assert given.max_capacity == given.to_frame().loc["minute", "peak_tasks"] == 5
    assert given.notes == ()
    large = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=90)
    assert replay_flash_crowd(WORK, large, {"minute": (tracking(60),)}, **AT_ONCE).max_capacity == 90
    # Where the crowd fits into the maximum there is nothing to say.
    small = replay_flash_crowd(WORK, SERVICE, {"minute": (tracking(60),)}, **{**AT_ONCE, "factor": 2})
    assert small.to_frame().loc["minute", "peak_tasks"] == 3
    assert small.notes == ()


def test_a_front_that_answers_half_halves_the_crowd():
    work = Workload(LoadProfile.constant(40), cpu_ms_per_request=10, behind_cloudfront=True, cloudfront_hit_ratio=0.5)
    run = replay_flash_crowd(work, SERVICE, {"minute": (tracking(60),)}, **AT_ONCE)
    assert (run.base_requests_per_s, run.max_capacity) == (40, 40)
    assert run.to_frame().loc["minute", "peak_tasks"] == 14
    assert run.series[0].requests_per_s.max() == pytest.approx(200)


def test_a_rise_and_a_decay_and_a_base_of_your_own():
    run = replay_flash_crowd(
        WORK,
        SERVICE,
        {"minute": (tracking(60),)},
        base_requests_per_s=10,
        factor=4,
        rise_s=120,
        hold_s=600,
        decay_s=3000,
    )
    assert (run.base_requests_per_s, run.peak_requests_per_s, run.end_s - run.start_s) == (10, 40, 3720)
    # Two hours for the crowd, one before it, eight after it.
    assert run.simulation.period_hours == 11
    load = run.series[0].requests_per_s
    assert load.max() == pytest.approx(40)
    # Requests above the base: a rise of 120 s, 600 s full, a decay of 3000 s.
    assert (load - 10).sum() * 20 == pytest.approx(30 * (60 + 600 + 1500))


def test_a_promise_is_counted():
    ways = {"minute": (tracking(60),)}
    run = replay_flash_crowd(WORK, SERVICE, ways, p95_latency_ms=500, **AT_ONCE)
    assert run.simulation.minutes_over_promise[0] >= run.simulation.minutes_over_capacity[0] > 0
    assert run.to_frame().loc["minute", "minutes_over_capacity"] == pytest.approx(
        run.simulation.minutes_over_capacity[0]
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"factor": 1}, ["factor is 1", "above 1 to 1000", "how many times"]),
        ({"factor": 0.5}, ["factor is 0.5"]),
        ({"factor": 1001}, ["factor is 1001"]),
        ({"factor": math.nan}, ["factor is nan"]),
        ({"rise_s": -1}, ["rise_s is -1", "from 0 to 86400"]),
        ({"hold_s": 0.5}, ["hold_s is 0.5", "whole number"]),
        ({"decay_s": 86_401}, ["decay_s is 86401"]),
        ({"base_requests_per_s": 0}, ["base_requests_per_s is 0", "more than 0"]),
        ({"base_requests_per_s": -3}, ["base_requests_per_s is -3"]),
        ({"policies": {}}, ["policies is empty", "TargetTrackingScalingPolicy"]),
        ({"max_capacity": 1}, ["max_capacity is 1", "min_capacity (2)"]),
        ({"max_capacity": 5001}, ["max_capacity is 5001"]),
        ({"policies": {"x": (5,)}}, ["scaling has 5", "TargetTrackingScalingPolicy"]),
    ],
)
def test_refusals(values, said):
    with pytest.raises(InvalidScenario) as caught:
        replay_flash_crowd(WORK, SERVICE, **values)
    for part in said:
        assert part in str(caught.value)


def test_without_a_load_there_is_nothing_to_multiply():
    with pytest.raises(
        InvalidScenario, match=r"base_requests_per_s is 0; it must be a number of more than 0.*times the load before it"
    ):
        replay_flash_crowd(Workload(LoadProfile.constant(0), cpu_ms_per_request=10), SERVICE)


def test_what_outlasts_the_replay_is_said():
    ways = {"slow": (tracking(60, scale_in_cooldown_s=3600),), "quick": (tracking(60),)}
    found = replay_flash_crowd(WORK, SERVICE, ways, **(AT_ONCE | {"factor": 50}))
    (said,) = (note for note in found.notes if "still have more" in note)
    assert "slow" in said
    assert "quick" not in said
    # 10 h without the hour before the crowd and its half hour.
    assert said.startswith("8.5 hours after the crowd")
