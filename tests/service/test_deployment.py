"""Deployments: the task-hours that they add, by hand, and what AWS would not take.

A task is provisioned after 23 s, 10 s of which are free, booted in 5 s, registered in 3 s, and healthy with the first health check, at most 29 s
later, as drawn: tasks that start together are waited for together. It drains for 60 s and stops in 30 s.
"""

import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.deployment import BLUE_GREEN, CANARY, LINEAR, ROLLING, DeploymentConfiguration
from estimator.service.operations import Operations
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

READY_S, UNBILLED_S, RUNNING_S, DRAIN_S = 60, 10, 23, 90
#: From running to healthy, launch by launch.
WAITS_S = 5 + 3 + np.floor(np.random.default_rng(AwsBehavior().seed).random(500) * 30)
ONE = Operations(("cron(0 10 ? * * *)",))


def day(rate=0.0):
    return Workload(LoadProfile.constant(rate), cpu_ms_per_request=10)


def fixed(n, *configuration, **values):
    return ServiceSpec(
        TaskSize(256, 512), "X86_64", n, n, (), deployment=DeploymentConfiguration(*configuration, **values)
    )


def deployed(n, *configuration, operations=ONE, application=None, **values):
    run = simulate(day(), [fixed(n, *configuration, **values)], application, operations=operations, keep_series=[0])
    return run, run.series[0]


def ready_s(*sizes, launched):
    """How long tasks take that start together, group after group, after so many launches."""
    ends = launched + np.cumsum(sizes)
    return [RUNNING_S + WAITS_S[end - size : end].max() for size, end in zip(sizes, ends, strict=True)]


def minutes(n, *changes):
    """Tasks by the minute, n and so many more between two seconds from 10:00 on."""
    tasks = np.full(24 * 3600, float(n))
    for begin, end, more in changes:
        tasks[36_000 + int(begin) : 36_000 + int(end)] += more
    return tasks.reshape(-1, 60).mean(axis=1)


def extra_s(run, n):
    return run.billed_task_hours[0] * 3600 - 24 * 3600 * n


# --- Rolling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_rolling_deployment_pays_start_and_draining_of_each_task(n):
    """100 to 200 percent: all new tasks beside the old ones, each paid twice from the pull until the old one has drained and stopped."""
    run, series = deployed(n)
    # The day before, the warm-up, had a deployment too.
    (ready,) = ready_s(n, launched=n)
    assert 31 <= ready <= READY_S
    assert extra_s(run, n) == pytest.approx(n * (ready - UNBILLED_S + DRAIN_S))
    assert run.replaced.tolist() == [n]
    # Nobody is missing, and nobody is scaled.
    assert set(series.healthy_count.tolist()) == {n}
    assert set(series.desired_count.tolist()) == {n}
    assert series.activities == ()
    np.testing.assert_allclose(series.billed_count, minutes(n, (UNBILLED_S, ready + DRAIN_S, n)))
    np.testing.assert_allclose(series.draining_count, minutes(0, (ready, ready + DRAIN_S, n)), atol=1e-12)
    np.testing.assert_allclose(series.running_count, minutes(n, (RUNNING_S, ready, n)))


def test_a_shorter_delay_saves_what_it_says():
    # The deregistration delay of AWS, 300 s, against 5 s: 295 s of each task.
    slow, quick = (deployed(20, application=Application(deregistration_delay_s=delay_s))[0] for delay_s in (300, 5))
    assert extra_s(slow, 20) - extra_s(quick, 20) == pytest.approx(20 * 295)


@pytest.mark.parametrize(
    ("n", "maximum", "waves"),
    [
        (10, 150, [5, 5]),
        (7, 150, [3, 3, 1]),
        (4, 125, [1, 1, 1, 1]),
        (10, 110, [1] * 10),
        (2, 199, [1, 1]),
        (10, 200, [10]),
    ],
)
def test_waves_cost_as_much_and_take_longer(n, maximum, waves):
    # AWS: the maximum percent of the desired count is "rounded down": 150 percent of 7 are 10.
    run, series = deployed(n, ROLLING, 100, maximum)
    ready = ready_s(*waves, launched=n)
    assert extra_s(run, n) == pytest.approx(np.dot(waves, ready) + n * (DRAIN_S - UNBILLED_S))
    assert set(series.healthy_count.tolist()) == {n}
    # Each wave begins when the one before has drained.
    ends = np.cumsum(np.add(ready, DRAIN_S))
    begins = np.append(0, ends[:-1]) + UNBILLED_S
    np.testing.assert_allclose(series.billed_count, minutes(n, *zip(begins, ends, waves, strict=True)))


@pytest.mark.parametrize(
    ("n", "minimum", "maximum", "down", "up"),
    [
        (4, 50, 100, 2, 0),  # AWS: "the scheduler can stop two existing tasks before starting two new tasks"
        (4, 0, 100, 4, 0),
        (5, 50, 100, 2, 0),  # "rounded up": 3 of 5 stay
        (4, 75, 125, 1, 1),
        (8, 50, 150, 4, 4),
        (3, 0, 133, 3, 0),  # 3.99 rounded down
    ],
)
def test_stopping_first_leaves_gaps(n, minimum, maximum, down, up):
    run, series = deployed(n, ROLLING, minimum, maximum)
    size = down + up
    sizes = [min(size, n - k * size) for k in range(math.ceil(n / size))]
    stopped = [min(down, one) for one in sizes]
    beside = [one - less for one, less in zip(sizes, stopped, strict=True)]
    ready = ready_s(*sizes, launched=n)
    # A task that is stopped first drains beside its successor from 10 to 90 s; then nobody is paid twice.
    assert extra_s(run, n) == pytest.approx(np.dot(beside, ready) + n * (DRAIN_S - UNBILLED_S))
    begins = np.append(0, np.cumsum(np.add(ready, DRAIN_S))[:-1])
    gaps = [(begin, begin + time, -less) for begin, time, less in zip(begins, ready, stopped, strict=True)]
    np.testing.assert_allclose(series.healthy_count, minutes(n, *gaps))
    assert stopped[0] == down


def test_tasks_that_stop_at_once_leave_a_time_that_nobody_pays():
    run, _ = deployed(4, ROLLING, 50, 100, application=Application(deregistration_delay_s=0, stop_timeout_s=2))
    assert extra_s(run, 4) == pytest.approx(4 * (2 - UNBILLED_S))


@pytest.mark.parametrize(
    ("n", "minimum", "maximum", "stuck"),
    [
        (
            3,
            75,
            125,
            True,
        ),  # AWS: "the scheduler can't start any tasks due to the resulting value also being three"; 2.25 are three to keep
        (2, 75, 125, True),  # AWS: "the scheduler can't stop any tasks due to the resulting value also being two"
        (1, 75, 125, True),
        (4, 75, 125, False),
        (10, 100, 100, True),
        (1, 50, 150, True),
        (1, 100, 199, True),
        (1, 0, 100, False),
        (2, 50, 100, False),
    ],
)
def test_deployments_that_can_replace_nothing(n, minimum, maximum, stuck):
    run, _ = deployed(n, ROLLING, minimum, maximum)
    assert run.stuck_deployments.tolist() == [stuck]
    assert (extra_s(run, n) == 0) == stuck


def test_each_stuck_deployment_counts_once():
    run, _ = deployed(3, ROLLING, 75, 125, operations=Operations(("rate(6 hours)", "cron(30 10 ? * * *)")))
    assert run.stuck_deployments.tolist() == [5]


# --- Blue/green, canary, linear -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "values", "shift_min", "bake_min"),
    [
        (BLUE_GREEN, {}, 0, 10),
        (BLUE_GREEN, {"bake_time_in_minutes": 0}, 0, 0),
        (BLUE_GREEN, {"bake_time_in_minutes": 37.5, "canary_bake_time_in_minutes": 99}, 0, 37.5),
        (CANARY, {}, 10, 10),  # AWS: the canary bakes for 10 minutes
        (CANARY, {"canary_bake_time_in_minutes": 90, "bake_time_in_minutes": 5}, 90, 5),
        (LINEAR, {}, 54, 10),  # AWS: 10 percent every 6 minutes, none after the last: 9 waits
        (LINEAR, {"step_percent": 25}, 18, 10),
        (
            LINEAR,
            {"step_percent": 30, "step_bake_time_in_minutes": 10, "bake_time_in_minutes": 0},
            30,
            0,
        ),  # 30, 60, 90, 100
        (LINEAR, {"step_percent": 100}, 0, 10),
        (LINEAR, {"step_percent": 3}, 33 * 6, 10),
    ],
)
@pytest.mark.parametrize("n", [1, 8])
def test_both_revisions_run_until_the_new_one_has_baked(strategy, values, shift_min, bake_min, n):
    run, series = deployed(n, strategy, **values)
    both_s = 60 * (shift_min + bake_min)
    (ready,) = ready_s(n, launched=n)
    assert extra_s(run, n) == pytest.approx(n * (ready - UNBILLED_S + both_s + DRAIN_S))
    assert (series.running_count - n).sum() * 60 == pytest.approx(n * (ready - RUNNING_S + both_s))
    assert series.draining_count.sum() * 60 == pytest.approx(n * DRAIN_S)
    assert set(series.healthy_count.tolist()) == {n}
    assert run.stuck_deployments.tolist() == [0]


def test_ten_deployments_of_twenty_tasks_and_an_hour_are_200_task_hours():
    # An hour from the pull to the end of draining: 50 s of starting, 90 s of draining, 57 min 40 s of baking. Weekdays of two weeks. The
    # slowest of twenty may start a second or two sooner.
    bake_min = (3600 - (READY_S - UNBILLED_S) - DRAIN_S) / 60
    spec = fixed(20, BLUE_GREEN, bake_time_in_minutes=bake_min)
    work = Workload(LoadProfile.constant(0, step_s=3600).repeated(14), cpu_ms_per_request=10)
    plain, busy = (
        simulate(work, [spec], operations=operations)
        for operations in (Operations(), Operations(("cron(0 10 ? * MON-FRI *)",)))
    )
    assert busy.billed_task_hours[0] - plain.billed_task_hours[0] == pytest.approx(200, rel=2e-3)


def test_a_deployment_that_is_due_during_another_passes():
    # Baking for an hour; due at 10:00, 10:30 and 11:30.
    operations = Operations(("cron(0,30 10 ? * * *)", "cron(30 11 ? * * *)"))
    run, _ = deployed(4, BLUE_GREEN, bake_time_in_minutes=60, operations=operations)
    both = sum(ready_s(4, 4, launched=8))
    assert extra_s(run, 4) == pytest.approx(4 * (both + 2 * (3600 + DRAIN_S - UNBILLED_S)))


def test_the_count_at_its_begin_is_deployed():
    # 20 requests/s at 40 % of 0.25 vCPU are 2 tasks, 100 are 10.
    rates = np.concatenate([np.full(720, 19.9), np.full(720, 99.9)])
    work = Workload(LoadProfile(rates, 60), cpu_ms_per_request=10)
    policy = TargetTrackingScalingPolicy(40)
    extra = []
    for hour in (10, 22):
        spec = ServiceSpec(TaskSize(256, 512), min_capacity=1, max_capacity=20, scaling=policy)
        plain, busy = (
            simulate(work, [spec], operations=one) for one in (Operations(), Operations((f"cron(0 {hour} ? * * *)",)))
        )
        extra.append((busy.billed_task_hours[0] - plain.billed_task_hours[0]) * 3600)
    assert 2 * 111 <= extra[0] <= 2 * 140
    assert 10 * 111 <= extra[1] <= 10 * 140


# --- Scaling meanwhile --------------------------------------------------------------------------------------------


def busy_until_noon(target, after):
    """9 tasks just below the target until noon, then another load."""
    rates = np.concatenate([np.full(720, 9 * 25 * (target - 1) / 100), np.full(720, float(after))])
    policy = TargetTrackingScalingPolicy(target)
    configuration = DeploymentConfiguration(BLUE_GREEN, bake_time_in_minutes=60)
    spec = ServiceSpec(TaskSize(256, 512), min_capacity=1, max_capacity=50, scaling=policy, deployment=configuration)
    return Workload(LoadProfile(rates, 60), cpu_ms_per_request=10), spec


def after_noon(series):
    """Seconds after noon and the counts that were set."""
    return [(one.time_s - 43_200, one.desired_count) for one in series.activities if one.time_s >= 43_200]


def test_scale_in_waits_for_the_end_of_a_deployment():
    """AWS: "Application Auto Scaling turns off scale-in processes while Amazon ECS deployments are in progress"."""
    work, spec = busy_until_noon(60, 5)
    plain = simulate(work, [spec], keep_series=[0]).series[0]
    assert after_noon(plain)[:2] == [(18 * 60, 8), (23 * 60, 7)]
    # From 11:50 on: a minute to start, an hour to bake, one and a half to drain.
    held = simulate(work, [spec], operations=Operations(("cron(50 11 ? * * *)",)), keep_series=[0]).series[0]
    end_s = -600 + READY_S + 3600 + DRAIN_S
    first = math.ceil(end_s / 60) * 60
    assert after_noon(held)[:2] == [(first, 8), (first + 300, 7)]


def test_scale_out_goes_on_during_a_deployment():
    """AWS: "However, scale-out processes continue to occur"."""
    work, spec = busy_until_noon(40, 600)
    held = simulate(work, [spec], operations=Operations(("cron(50 11 ? * * *)",)), keep_series=[0]).series[0]
    # Nine tasks are full and nine of the other revision have nothing to do: 50 percent ask for 9 x 50 / 40 = 11.25.
    assert after_noon(held)[0] == (360, 12)


# --- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"strategy": "rolling"}, ["strategy is 'rolling'", "ROLLING, BLUE_GREEN, CANARY, LINEAR"]),
        ({"strategy": None}, ["strategy is None"]),
        ({"minimum_healthy_percent": 101}, ["minimum_healthy_percent is 101", "0 to 100"]),
        ({"minimum_healthy_percent": -1}, ["minimum_healthy_percent is -1"]),
        ({"minimum_healthy_percent": 62.5}, ["minimum_healthy_percent is 62.5", "whole number"]),
        ({"maximum_percent": 99}, ["maximum_percent is 99", "100 to 200"]),
        ({"maximum_percent": 201}, ["maximum_percent is 201"]),
        ({"maximum_percent": math.nan}, ["maximum_percent is nan"]),
        ({"bake_time_in_minutes": 1441}, ["bake_time_in_minutes is 1441", "0 to 1440"]),
        ({"canary_bake_time_in_minutes": -0.5}, ["canary_bake_time_in_minutes is -0.5"]),
        ({"step_percent": 2.9}, ["step_percent is 2.9", "3 to 100"]),
        ({"step_bake_time_in_minutes": "6"}, ["step_bake_time_in_minutes is '6'"]),
    ],
)
def test_configurations_that_aws_would_not_take(values, said):
    with pytest.raises(InvalidScenario) as caught:
        DeploymentConfiguration(**values)
    for part in said:
        assert part in str(caught.value)


def test_the_defaults_are_those_of_aws():
    plain = DeploymentConfiguration()
    assert (plain.strategy, plain.minimum_healthy_percent, plain.maximum_percent) == (ROLLING, 100, 200)
    assert plain.is_rolling
    assert plain.shift_s == plain.bake_s == 0
    assert DeploymentConfiguration(CANARY).shift_s == 600
    assert DeploymentConfiguration(LINEAR).shift_s == 54 * 60
    # Ten steps of a tenth, whatever 100 / 10 is in floating point.
    assert DeploymentConfiguration(LINEAR, step_percent=100 / 7).shift_s == 6 * 360
