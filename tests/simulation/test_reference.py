"""The reference against figures worked out by hand from docs/simulation.md, and the kernel against the reference."""

import dataclasses
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import event, given, settings

from estimator.simulation.inputs import PolicyInputs, SimulationInputs
from estimator.simulation.outcome import run_inputs
from tests.simulation.reference import (
    Alarm,
    LaunchBucket,
    ReferenceInputs,
    ReferencePolicy,
    ReferenceResult,
    Simulation,
    Task,
    percent_change,
    simulate_reference,
    spot_tasks,
    wait_bin,
)
from tests.simulation.strategies import scenarios

NO_LIMIT = 10_000


def tracking(metric: str = "cpu", target: float = 50.0, **changes: Any) -> ReferencePolicy:
    """Target tracking by the minute on one datapoint, without lag and with the cooldowns of 300 s that AWS presets."""
    values: dict[str, Any] = {
        "kind": "target_tracking",
        "metric": metric,
        "period_s": 60,
        "lag_s": 0,
        "target_value": target,
        "disable_scale_in": False,
        "scale_out_datapoints": 1,
        "scale_in_datapoints": 1,
        "low_factor": 0.9,
        "scale_out_cooldown_s": 300,
        "scale_in_cooldown_s": 300,
        "threshold": 0.0,
        "direction": "up",
        "datapoints_to_alarm": 1,
        "evaluation_periods": 1,
        "steps": (),
        "adjustment_type": "ChangeInCapacity",
        "min_adjustment_magnitude": 0,
    }
    return ReferencePolicy(**{**values, **changes})


def stepping(direction: str, threshold: float, *steps: tuple[float, float, int], **changes: Any) -> ReferencePolicy:
    """Step scaling by the minute on one datapoint of the CPU, without lag and cooldown."""
    cooldowns = {"scale_out_cooldown_s": 0, "scale_in_cooldown_s": 0}
    return tracking(
        **{"kind": "step", "direction": direction, "threshold": threshold, "steps": steps, **cooldowns, **changes}
    )


# Watches, and never acts: more than any load of these tests, and no scale-in.
IDLE = tracking("requests", 1e9, disable_scale_in=True)


def case(requests_per_s: list[float], **changes: Any) -> ReferenceInputs:
    """Tasks of 1 vCPU that start at once and serve 1 request per second with all of it; alarms of one datapoint.

    With these, a load of 1.5 requests per second keeps 1.5 vCPU busy. There is no queue unless one is given.
    """
    values: dict[str, Any] = {
        "requests_per_s": requests_per_s,
        "record_from": 0,
        "step_s": 60,
        "cpu_s_per_request": 1.0,
        "task_vcpu": 1.0,
        "task_memory_mib": 1000.0,
        "task_requests_per_s": 1.0,
        "baseline_memory_mib": 100.0,
        "memory_mib_per_request": 50.0,
        "residence_s": 2.0,
        "queue_per_task": 0.0,
        "queue_timeout_s": 30.0,
        "slow_utilization": 0.8,
        "min_capacity": 1,
        "max_capacity": 100,
        "max_tasks": NO_LIMIT,
        "unbilled_s": 0,
        "running_after_s": 0,
        "ready_wait_s": (0,),
        "drain_s": 0,
        "minimum_billed_s": 60,
        "launch_burst": 1,
        "launch_per_s": 0.0,
        "spot_base": 0,
        "spot_share": 0.0,
        "spot_interruptions_per_task_hour": 0.0,
        "spot_warning_s": 120,
        "shortages": (),
        "thresholds": (),
        "zones": 3,
        "zone_detection_s": 60,
        "zone_losses": (),
        "bounds": (),
        "deployments": (),
        "policies": (tracking(),),
        "scale_in_step_percent": 10.0,
        "alarm_reinvocation": True,
        "mean_of_datapoints": False,
        "zero_requests_reported": False,
    }
    return ReferenceInputs(**{**values, **changes})


def run(requests_per_s: list[float], **changes: Any) -> ReferenceResult:
    return simulate_reference(case(requests_per_s, **changes))


def starting_with(tasks: int, low: int = 1, high: int = 100) -> dict[str, Any]:
    """So many tasks at second 0, and bounds that let them go."""
    return {"min_capacity": tasks, "bounds": ((0, low, high, 0),)}


def fixed(tasks: int) -> dict[str, Any]:
    return {"min_capacity": tasks, "max_capacity": tasks}


def bins(histogram: list[float]) -> dict[int, float]:
    return {place: requests for place, requests in enumerate(histogram) if requests}


# How the tasks of several tests below start and end: billed after 10 s, running after 23 s, healthy 7 and 30 s later in
# turn, so that one is ready after 30 or 53 s and two or more together after 53 s; 35 s from the removal to the end of
# the billing.
STARTS: dict[str, Any] = {"unbilled_s": 10, "running_after_s": 23, "ready_wait_s": (7, 30), "drain_s": 35}


# --- Rules 1 to 5, 13 to 16 and 28 to 30: load, requests and what is recorded -------------------------------------------


def test_constant_load_on_a_fixed_count():
    # 2 tasks, 1.5 requests/s: 90 requests per step of 60 s on a capacity of 120: utilization 0.75, CPU 75 > 50, but
    # max = 2. Recorded are steps 10 to 29: 20 x 120 = 2400 task-seconds, 20 x 90 requests in bin 0.75 x 512 = 384.
    result = run([1.5] * 30, record_from=10, **fixed(2))
    assert result.desired_count == [2] * 20
    assert result.running_s == result.healthy_s == result.billed_s == [120] * 20
    assert result.pending_s == result.draining_s == [0] * 20
    assert result.spot_billed_s == [0] * 20
    assert result.served == [90.0] * 20
    assert result.refused == result.queue == [0.0] * 20
    assert result.utilization == [0.75] * 20
    assert result.datapoints == [[75.0] * 20]
    assert result.moved_by == [-1] * 20
    assert (result.billed_task_s, result.running_task_s, result.spot_task_s) == (2400, 2400, 0)
    assert (result.launched, result.removed, result.replaced) == (0, 0, 0)
    assert (result.steps_over_capacity, result.slow_steps, result.refused_requests) == (0, 0, 0.0)
    assert (result.peak_desired_count, result.peak_utilization, result.peak_queue) == (2, 0.75, 0.0)
    assert (result.interruptions, result.stuck_deployments) == (0, 0)
    assert (result.billed_s_by_hour, result.spot_billed_s_by_hour) == ([2400], [0])
    assert (len(result.histogram), len(result.wait_histogram)) == (512, 176)
    assert bins(result.histogram) == {384: 1800.0}
    assert (bins(result.wait_histogram), result.refused_bin) == ({}, 0.0)


def test_full_is_not_over_capacity_and_more_is_refused():
    # Capacity 2 x 60 = 120. 2/s: 120 requests, utilization 1, last bin (511), not over capacity but slow (over 0.8).
    # 5/s: 300, utilization 2.5, 120 served (without waiting: bin 0 of the waits), 180 refused. 0/s: utilization 0.
    result = run([2.0, 5.0, 0.0], **fixed(2))
    assert result.utilization == [1.0, 2.5, 0.0]
    assert result.served == [120.0, 120.0, 0.0]
    assert result.refused == [0.0, 180.0, 0.0]
    assert result.datapoints == [[100.0, 100.0, 0.0]]
    assert (result.steps_over_capacity, result.slow_steps, result.refused_requests) == (1, 2, 180.0)
    assert (bins(result.histogram), bins(result.wait_histogram)) == ({511: 120.0}, {0: 120.0})
    assert (result.refused_bin, result.peak_utilization) == (180.0, 2.5)


def test_a_rounding_error_is_not_over_capacity():
    # 3 tasks of 0.1 requests/s serve 180 x 0.1 = 18; in floating point (0.1 + 0.2) x 60 is a hair more. The hair is
    # refused (there is no queue); the step stays in the histogram of utilization, with all its requests.
    assert (0.1 + 0.2) * 60 > 180 * 0.1
    result = run([0.1 + 0.2], task_requests_per_s=0.1, **fixed(3))
    assert (result.steps_over_capacity, result.refused_bin) == (0, 0.0)
    assert 0 < result.refused_requests < 1e-14
    assert bins(result.histogram) == {511: (0.1 + 0.2) * 60}


@pytest.mark.parametrize(("slow_utilization", "slow"), [(0.75, 1), (0.7499, 2), (math.inf, 1)])
def test_slow_is_over_the_promised_utilization_or_over_capacity(slow_utilization: float, slow: int):
    # Utilization 0.75, exactly the limit; then 1.5, over capacity.
    assert run([1.5, 3.0], slow_utilization=slow_utilization, **fixed(2)).slow_steps == slow


@pytest.mark.parametrize(
    ("queue_per_task", "queue", "refused"),
    [
        # The room is the lesser of so many per healthy task and 30 s of capacity: 30 x 2 = 60.
        (40.0, [60, 60, 0, 0], [0, 60, 0, 0]),  # 80 > 60
        # 2 x 20 = 40: of 180 - 120 = 60 left over 20 are refused; then 40 + 180 - 120 = 100: 60; 40 + 60 - 120 < 0.
        (20.0, [40, 40, 0, 0], [20, 60, 0, 0]),
        (0.0, [0, 0, 0, 0], [60, 60, 0, 0]),
    ],
)
def test_queue_has_room_for_what_can_wait(queue_per_task: float, queue: list[float], refused: list[float]):
    # 2 tasks serve 120 per step; 180, 180, 60 and 0 requests come.
    result = run([3.0, 3.0, 1.0, 0.0], queue_per_task=queue_per_task, **fixed(2))
    assert result.queue == queue
    assert result.refused == refused
    assert result.peak_queue == max(queue)


def test_waiting_times_of_a_queue():
    # As above with room for 60. Offered 180, 240 and 60 + 60 = 120 on 120: utilization 1.5, 2 and 1. The third step is
    # not over capacity, but some of its requests wait.
    # Mean waits: 30 waiting / 2 per second = 15 s; 60 / 2 = 30 s; 30 / 2 = 15 s.
    # Eight bins per doubling of 1 ms: 8 log2(15000) = 8 x 13.8727 = 110.98; 30 s is one doubling more, 118.98.
    # 180 + 60 requests in bin 110, 180 - 60 refused = 120 in bin 118. The fourth step (no requests) adds 0 to bin 0.
    result = run([3.0, 3.0, 1.0, 0.0], queue_per_task=40.0, **fixed(2))
    assert result.utilization == [1.5, 2.0, 1.0, 0.0]
    assert result.served == [120.0, 120.0, 120.0, 0.0]
    assert (result.steps_over_capacity, result.slow_steps) == (2, 3)
    assert bins(result.histogram) == {}
    assert bins(result.wait_histogram) == {110: 240.0, 118: 120.0}
    assert result.refused_bin == result.refused_requests == 60.0
    assert result.datapoints == [[100.0, 100.0, 100.0, 0.0]]


def test_wait_bins():
    # Doublings of 1 ms: 2 ms is 8, 4 ms 16; half a doubling 1.414 is 4; from 2^(127/8) ms = 60.1 s on 127, from twice
    # that on 135; from 2^(175/8) ms = 3846 s on the last bin.
    assert [wait_bin(v) for v in (0.0, 0.0005, 0.001, 0.001414, 0.001415, 0.002, 0.004)] == [0, 0, 0, 3, 4, 8, 16]
    assert [wait_bin(v) for v in (60.0, 60.2, 120.0, 120.4, 3845.0, 3847.0, 1e6)] == [126, 127, 134, 135, 174, 175, 175]


def test_a_queue_that_loses_its_capacity_is_refused():
    # 1 task, 2/s: of the 60 left over 30 wait (30 s of 1 per second), 30 are refused. Then the only zone is lost: room 0,
    # so the 30 that wait and the new 120 are refused: 150, but only 120 requests came in this step.
    result = run([2.0, 2.0], queue_per_task=1000.0, zones=1, zone_losses=(1,), zone_detection_s=600, **fixed(1))
    assert result.queue == [30.0, 0.0]
    assert result.refused == [30.0, 150.0]
    assert result.utilization == [2.0, math.inf]
    assert (result.refused_requests, result.refused_bin) == (180.0, 150.0)
    assert math.isnan(result.datapoints[0][1])  # nothing runs
    # 120 - 30 = 90 requests waited on average 15 / 1 = 15 s (bin 110).
    assert bins(result.wait_histogram) == {110: 90.0}


def test_recorded_are_the_steps_after_the_warm_up_only():
    # Saturated in steps 0 and 1 (1 -> 2 -> 4 without a cooldown), then 2.5 on 4 tasks: want = ceil(62.5 x 4 / 50) = 5.
    policies = (tracking(scale_out_cooldown_s=0),)
    whole = run([9.0, 9.0, 2.5, 2.5], policies=policies)
    assert whole.desired_count == [1, 2, 4, 5]
    assert (whole.launched, whole.billed_task_s, whole.peak_utilization) == (4, 12 * 60, 9.0)
    late = run([9.0, 9.0, 2.5, 2.5], policies=policies, record_from=2)
    assert (late.desired_count, late.launched, late.billed_task_s) == ([4, 5], 3, 9 * 60)
    assert (late.refused_requests, late.peak_utilization, late.peak_desired_count) == (0.0, 0.625, 5)
    assert bins(late.histogram) == {320: 150.0, 256: 150.0}  # 0.625 x 512 and 0.5 x 512


def test_task_seconds_of_each_hour():
    # 2 tasks, from step 70 on 4, of which floor((4 - 1) / 2) = 1 is Spot; recorded from step 5 on. Hours: steps 5 to 64
    # with 2 tasks; 65 to 124, 5 of them with 2 and 55 with 4; 125 to 129 with 4.
    inputs: dict[str, Any] = {"bounds": ((70, 4, 4, 0),), "spot_base": 1, "spot_share": 0.5, **fixed(2)}
    result = run([0.0] * 130, record_from=5, **inputs)
    assert result.billed_s_by_hour == [60 * 120, 5 * 120 + 55 * 240, 5 * 240]
    assert result.spot_billed_s_by_hour == [0, 55 * 60, 5 * 60]
    # An hour has 180 steps of 20 s.
    result = run([0.0] * 190, step_s=20, **fixed(1))
    assert (result.billed_s_by_hour, result.spot_billed_s_by_hour) == ([3600, 200], [0, 0])
    result = run([0.0] * 180, step_s=20, **fixed(1))
    assert result.billed_s_by_hour == [3600]
    result = run([0.0] * 3, record_from=3)
    assert (result.billed_s_by_hour, result.spot_billed_s_by_hour) == ([], [])


def test_without_tasks_one_is_launched_at_second_0():
    # No tasks are there, desired_count is 1, and rule 7 launches it. Nothing runs in step 0: no CPU datapoint.
    result = run([3.0, 0.5], min_capacity=0, running_after_s=60, unbilled_s=20)
    assert result.desired_count == [1, 1]
    assert (result.launched, result.moved_by) == (1, [-1, -1])
    assert (result.pending_s, result.running_s, result.billed_s) == ([60, 0], [0, 60], [40, 60])
    assert result.utilization == [math.inf, 0.5]
    assert (result.steps_over_capacity, result.refused_bin) == (1, 180.0)
    assert math.isnan(result.datapoints[0][0])
    assert result.datapoints[0][1] == 50.0


# --- Rules 6, 9, 10 and 11: the life of a task --------------------------------------------------------------------------


def test_task_is_running_and_healthy_from_its_first_second():
    # Launched at 100, billed from 110, running from 123, healthy from 123 + 7 = 130.
    def task() -> Task:
        return Task(pending_from=100, takes_place_at=0, billed_from=110, running_at=123, healthy_at=130)

    assert not task().is_running(122)
    assert task().is_running(123)
    early, late = task(), task()
    early.remove(129, drain_s=330, minimum_billed_s=60)  # not yet healthy: 110 + 60
    late.remove(130, drain_s=330, minimum_billed_s=60)  # healthy: 130 + 330
    assert (early.billed_until, late.billed_until) == (170, 460)
    assert early.draining_seconds(0, 600) == 0
    assert [late.draining_seconds(start, start + 60) for start in (60, 120, 180, 420, 480)] == [0, 50, 60, 40, 0]
    assert not late.is_running(130)
    assert late.pending_seconds(60, 180) == 23
    assert late.running_seconds(60, 180) == 7
    assert late.healthy_seconds(60, 180) == 0
    assert late.billed_seconds(60, 180) == 70
    assert late.billed_seconds(420, 480) == 40


def test_task_drains_if_it_was_healthy_and_billed():
    # Billed from 110 for at least 60 s; removed healthy at 135, it drains until 140 and is billed until 170.
    task = Task(pending_from=100, takes_place_at=100, billed_from=110, running_at=123, healthy_at=130)
    task.remove(135, drain_s=5, minimum_billed_s=60)
    assert (task.draining_seconds(0, 600), task.billed_seconds(0, 600)) == (5, 60)
    # Billed, running and healthy from 130 on: removed in that very second it is never billed and does not drain.
    for second, drained, billed in [(130, 0, 0), (131, 35, 60), (170, 35, 75)]:
        task = Task(pending_from=100, takes_place_at=100, billed_from=130, running_at=130, healthy_at=130)
        task.remove(second, drain_s=35, minimum_billed_s=60)
        assert (task.draining_seconds(0, 600), task.billed_seconds(0, 600)) == (drained, billed)
    # 2 saturated tasks: at 60 two more, billed, running and healthy from 120, when one of them is removed again.
    result = run([2.0, 0.0, 0.0], min_capacity=2, unbilled_s=60, running_after_s=60, drain_s=30)
    assert result.desired_count == [2, 4, 3]
    assert result.running_s == result.healthy_s == result.billed_s == [120, 120, 180]
    assert (result.pending_s, result.draining_s) == ([0, 120, 0], [0, 0, 0])


def test_sums_of_the_step_of_a_launch():
    # Metric 100 on 2 tasks: at 60 two more. Billed from 70, running from 83, healthy from 90 (i = 0) and 113 (i = 1).
    result = run([2.0, 2.0, 2.0], min_capacity=2, **STARTS)
    assert result.desired_count == [2, 4, 4]
    assert result.pending_s == [0, 2 * 23, 0]
    assert result.running_s == [120, 120 + 2 * 37, 240]
    assert result.healthy_s == [120, 120 + 30 + 7, 240]
    assert result.billed_s == [120, 120 + 2 * 50, 240]
    # The CPU of step 1: 120 served in 194 running seconds.
    assert result.datapoints == [[100.0, 61.855670, 50.0]]


@pytest.mark.parametrize(
    ("unbilled_s", "billed_s"),
    [
        # Launched at 60 and removed at 120, not yet running. Billed from 60 + unbilled_s for at least 60 s, no drain:
        (30, [60, 60 + 30, 60 + 30, 60]),  # [90, 150)
        (59, [60, 60 + 1, 60 + 59, 60]),  # [119, 179)
        (60, [60, 60, 60, 60]),  # billing would start at 120, the second of the removal: never
        (61, [60, 60, 60, 60]),
    ],
)
def test_task_removed_while_pending_is_billed_the_minimum_or_nothing(unbilled_s: int, billed_s: list[int]):
    # Datapoint 0 is 100: at 60 want = 2. Datapoint 1 is 0: at 120 one task runs, want = 0 < 1,
    # then max(0, 1 - 1, min 1) = 1 < desired 2: the pending task goes.
    result = run([1.0, 0.0, 0.0, 0.0], unbilled_s=unbilled_s, running_after_s=600, drain_s=120)
    assert result.desired_count == [1, 2, 1, 1]
    assert result.running_s == result.healthy_s == [60] * 4
    assert result.pending_s == [0, 60, 0, 0]
    assert result.billed_s == billed_s
    assert result.draining_s == [0] * 4
    assert (result.launched, result.removed) == (1, 1)


def test_of_tasks_launched_together_the_last_goes_first():
    # 2 tasks saturated: at 60 two more, i = 0 healthy at once, i = 1 only at 1060.
    # Idle: at 120 want = max(0, 4 - 1, 2) = 3.
    # i = 1 goes; it was never healthy, so it is billed [60, 120) and does not drain.
    # (Were it i = 0, step 2 would have healthy 120 and billed 180 + 30.)
    result = run([2.0, 0.0, 0.0], min_capacity=2, ready_wait_s=(0, 1000), drain_s=30)
    assert result.desired_count == [2, 4, 3]
    assert result.running_s == [120, 240, 180]
    assert result.healthy_s == [120, 180, 180]
    assert result.billed_s == [120, 240, 180]
    assert result.draining_s == [0, 0, 0]


def test_bucket_lets_a_burst_through_and_then_one_by_one():
    # Burst 3, one every 2 s: three at once, then 62, 64, 66. By 70 two have come back (68 and 70): two at once, then 72.
    # By 200 it is full again, and no more than that.
    bucket = LaunchBucket(burst=3, per_s=0.5)
    assert [bucket.take(60) for _ in range(6)] == [60, 60, 60, 62, 64, 66]
    assert [bucket.take(70) for _ in range(3)] == [70, 70, 72]
    assert [bucket.take(200) for _ in range(4)] == [200, 200, 200, 202]
    # The quota of AWS's older Regions: 100 at once, then 20 per second, in whole seconds.
    bucket = LaunchBucket(burst=100, per_s=20.0)
    seconds = Counter(bucket.take(0) for _ in range(180))
    assert seconds == {0: 100, 1: 20, 2: 20, 3: 20, 4: 20}
    bucket = LaunchBucket(burst=1, per_s=0.0)
    assert [bucket.take(7) for _ in range(3)] == [7] * 3


def test_launches_that_wait_for_the_bucket():
    # 4 tasks saturated: at 60 four more. Burst 2, one every 30 s: s = 60, 60, 90, 120; running at 70, 70, 100, 130.
    #   step 1 [60, 120): pending 10 + 10 + 40 + 60, running 50 + 50 + 20, billed (from s + 5) 55 + 55 + 25
    #   step 2 [120, 180): pending 10, running 60 + 60 + 60 + 50, billed 60 + 60 + 60 + 55
    inputs = {"launch_burst": 2, "launch_per_s": 1 / 30, "running_after_s": 10, "unbilled_s": 5}
    result = run([4.0] * 4, min_capacity=4, max_capacity=8, **inputs)
    assert result.desired_count == [4, 8, 8, 8]
    assert result.pending_s == [0, 120, 10, 0]
    assert result.running_s == [240, 240 + 120, 240 + 230, 480]
    assert result.billed_s == [240, 240 + 135, 240 + 235, 480]
    assert result.launched == 4
    # Idle from step 1 on: at 120 4 + 2 + 1 = 7 run (the last is launched only at 120): want = 7 - 1 = 6. The last was
    # never billed; the one that runs since 100 is billed from 95 for 60 s: until 155.
    result = run([4.0, 0.0, 0.0, 0.0], **starting_with(4, high=8), **inputs)
    assert result.desired_count == [4, 8, 6, 6]
    assert result.pending_s == [0, 120, 0, 0]
    assert result.running_s == [240, 360, 360, 360]
    assert result.billed_s == [240, 375, 360 + 35, 360]
    assert (result.launched, result.removed) == (4, 2)


def test_no_more_tasks_than_the_quota_holds():
    # 2 tasks saturated want 4; 3 fit. Idle: at 120 three run, 3 - 1 = 2 < 4: one goes.
    result = run([2.0, 0.0, 0.0], min_capacity=2, max_tasks=3, spot_base=2, spot_share=1.0)
    assert result.desired_count == [2, 4, 2]
    assert result.running_s == [120, 180, 120]
    assert (result.launched, result.removed) == (1, 1)
    assert result.pending_s == [0, 0, 0]
    # Places 3 and 4 would be Spot: of the three tasks that are there, the last.
    assert result.spot_billed_s == [0, 60, 0]


# --- Rule 17: datapoints ------------------------------------------------------------------------------------------------


def test_cpu_datapoint():
    # 4 tasks of half a vCPU, 3 requests/s of 0.25 s: 0.75 of 2 vCPU, 37.5 percent. 7.1/s of 0.25 s: 88.75.
    half = {"task_vcpu": 0.5, "cpu_s_per_request": 0.25, "task_requests_per_s": 2.0}
    assert run([3.0, 7.1], **fixed(4), **half).datapoints == [[37.5, 88.75]]
    # Not over 100, whatever a request takes (H: the task's limit): 0.4 s x 2 per second on half a vCPU would be 160.
    assert run([8.0], **fixed(4), **{**half, "cpu_s_per_request": 0.4}).datapoints == [[100.0]]
    # A third of a percent has six decimals.
    assert run([0.01], **fixed(3)).datapoints == [[0.333333]]


def test_memory_datapoint():
    # 2 tasks of 1000 MiB with 100 at rest; each request stays 2 s and holds 50 MiB. 1.5/s: 3 are there at a time:
    # (200 + 150) / 2000 = 17.5 percent. Then 3/s, capacity 2/s, room for 60: 4 in process and on average 30 waiting:
    # (200 + 34 x 50) / 2000 = 95 percent. Then 60 waiting: 4 + 60 = 64 x 50 = 3200, over 100.
    result = run([1.5, 3.0, 3.0, 0.0], policies=(tracking("memory"),), queue_per_task=1000.0, **fixed(2))
    # In the last step the queue of 60 is worked off: 1 in process (60 x 2 s / 60 s = 2) and 30 waiting: 200 + 32 x 50.
    assert result.served == [90.0, 120.0, 120.0, 60.0]
    assert result.datapoints == [[17.5, 95.0, 100.0, 90.0]]


def test_request_datapoint():
    # 3/s on 2 tasks: 180 per minute, 90 per target. Refused requests count. None: missing.
    policies = (tracking("requests", 1000.0),)
    result = run([3.0, 0.0], policies=policies, **fixed(2))
    assert result.datapoints[0][0] == 90.0
    assert math.isnan(result.datapoints[0][1])
    # Or 0; without tasks (from step 2 on) missing all the same.
    result = run([3.0, 0.0, 0.0], policies=policies, zero_requests_reported=True, bounds=((2, 0, 0, 0),), **fixed(2))
    assert result.datapoints[0][:2] == [90.0, 0.0]
    assert math.isnan(result.datapoints[0][2])
    # Per 20 s: 60 requests on 2 targets.
    policies = (tracking("requests", 1000.0, period_s=20), tracking("requests", 1000.0))
    result = run([3.0] * 4, policies=policies, step_s=20, **fixed(2))
    assert result.datapoints[0] == [30.0] * 4
    # The minute ends with the third step of 20 s.
    assert [math.isnan(m) for m in result.datapoints[1]] == [True, True, False, True]
    assert result.datapoints[1][2] == 90.0
    # 2 saturated tasks become 4 at 20 + 15 = 35: 2 x 60 + 2 x 25 = 170 healthy seconds. 120 requests: 42.352941.
    policies = (tracking("cpu", 50.0, period_s=20, lag_s=15, disable_scale_in=True), tracking("requests", 1000.0))
    result = run([2.0] * 3, policies=policies, step_s=20, min_capacity=2)
    assert result.healthy_s == [40, 40 + 2 * 5, 80]
    assert result.datapoints[1][2] == 42.352941


def test_request_datapoint_counts_running_targets_if_none_is_healthy():
    # One task is launched at second 0, runs at once and is healthy only after 90 s.
    result = run([3.0] * 3, policies=(tracking("requests", 1e6),), min_capacity=0, ready_wait_s=(90,))
    assert (result.running_s, result.healthy_s) == ([60] * 3, [0, 30, 60])
    assert result.datapoints == [[180.0, 360.0, 180.0]]


def test_without_running_tasks_there_is_no_datapoint():
    # The only zone is lost for the whole of step 1; in step 0 and 2 there are 2 tasks.
    policies = tuple(tracking(metric, 1e6) for metric in ("cpu", "memory", "requests"))
    result = run([1.0] * 3, policies=policies, zones=1, zone_losses=(1,), **fixed(2))
    assert result.running_s == [120, 0, 120]
    assert [[math.isnan(m) for m in points] for points in result.datapoints] == [[False, True, False]] * 3


# --- Rules 18 and 19: when datapoints are known, and alarms -------------------------------------------------------------


def test_spike_is_answered_as_fast_as_aws_measured():
    # AWS's benchmark: from spike to scale-out 363 s with metrics by the minute, 86 s by 20 s. A spike comes at any second
    # of a period, so these are half a period more than for a spike at its beginning, as here: 3 x 60 + 150 = 330 s
    # (+ 30 = 360), and 3 x 20 + 15 = 75 s (+ 10 = 85).
    three = tracking(lag_s=150, scale_out_datapoints=3)
    minutes = run([0.5] * 10 + [9.0] * 10, min_capacity=2, policies=(three,))
    # 600 + 330 = 930, in step 15 [900, 960): 2 more for 30 s.
    assert minutes.desired_count == [2] * 15 + [4] * 5
    assert minutes.running_s[14:17] == [120, 120 + 2 * 30, 240]
    twenty = run(
        [0.5] * 10 + [9.0] * 10,
        min_capacity=2,
        step_s=20,
        policies=(tracking(lag_s=15, period_s=20, scale_out_datapoints=3),),
    )
    # 200 + 75 = 275, in step 13 [260, 280): 2 more for 5 s.
    assert twenty.desired_count == [2] * 13 + [4] * 7
    assert twenty.running_s[12:15] == [40, 40 + 2 * 5, 80]


def test_minute_of_three_steps_and_a_lag_that_ends_inside_a_step():
    # Steps of 20 s, saturated from second 0 on; the minute ends at 60, known at 60 + 25 = 85, in step 4 [80, 100).
    result = run([2.0] * 7, step_s=20, min_capacity=2, policies=(tracking(lag_s=25, scale_in_datapoints=60),))
    assert result.desired_count == [2] * 4 + [4] * 3
    assert result.running_s == [40] * 4 + [40 + 2 * 15] + [80] * 2


def test_a_task_counts_as_running_from_its_first_second():
    # No cooldown. At 60 1 -> 2, running at 120 exactly: at 120 the base is 2 tasks: 2 x 100/50 = 4.
    # Were it running at 121, the base would be 1: want 2, nothing.
    policies = (tracking(scale_out_cooldown_s=0),)
    assert run([9.0] * 3, policies=policies, running_after_s=60).desired_count == [1, 2, 4]
    assert run([9.0] * 3, policies=policies, running_after_s=61).desired_count == [1, 2, 2]


def test_an_alarm_needs_m_of_its_newest_n():
    def states(needed: int, window: int, *datapoints: float | None) -> str:
        alarm = Alarm(lambda m: m > 50, needed, window, reinvocation=True)
        letters = ""
        for datapoint in datapoints:
            alarm.receive(datapoint)
            letters += "A" if alarm.acts else "a" if alarm.in_alarm else "."
        return letters

    # 3 of 3: a missing datapoint and one equal to the threshold both break the run.
    assert states(3, 3, 51, 51, None, 51, 51, 50, 50.000001, 99, 100, 100) == "........AA"
    # 2 of 3; before three are known, the two that are there count. In ALARM, but missing: it does not act.
    assert states(2, 3, 51, 51, None, 51, 40, 40, 51, None, 51) == ".AaA....A"
    # In ALARM with a newest one that does not breach: it acts.
    assert states(2, 3, 51, 51, 40, 40) == ".AA."
    assert states(1, 2, 51, None, None, 40) == "Aa.."


def test_an_alarm_that_acts_only_when_it_enters():
    alarm = Alarm(lambda m: m > 50, 1, 1, reinvocation=False)
    acts = []
    for datapoint in [51.0, 51.0, 40.0, 51.0, None, 51.0]:
        alarm.receive(datapoint)
        acts.append(alarm.acts)
    assert acts == [True, False, False, True, False, True]
    # Saturated all the time: doubles at each datapoint, or once.
    policies = (tracking(scale_out_cooldown_s=0),)
    assert run([99.0] * 5, policies=policies).desired_count == [1, 2, 4, 8, 16]
    assert run([99.0] * 5, policies=policies, alarm_reinvocation=False).desired_count == [1, 2, 2, 2, 2]


def test_mean_of_the_datapoints_of_the_alarm():
    # 5 tasks, CPU 60, 80, 100: the third high one at 180. By the newest ceil(5 x 100/50) = 10; by the mean of the three
    # ceil(5 x 80/50) = 8.
    three: dict[str, Any] = {"policies": (tracking(scale_out_datapoints=3),), "min_capacity": 5}
    assert run([3.0, 4.0, 5.0, 5.0], **three).desired_count == [5, 5, 5, 10]
    assert run([3.0, 4.0, 5.0, 5.0], mean_of_datapoints=True, **three).desired_count == [5, 5, 5, 8]
    # Of those of the window that are there: 60 and 80.
    alarm = Alarm(lambda m: m > 50, 2, 3, reinvocation=True, datapoints=[10.0, 60.0, None, 80.0])
    assert (alarm.measured(True), alarm.measured(False)) == (70.0, 80.0)


def test_the_target_itself_is_not_high():
    # Datapoint 0 is 50, equal to the target; 1 and 2 are 100. Two high ones are there with datapoint 2, in step 3.
    policies = (tracking(scale_out_datapoints=2),)
    assert run([0.5] + [1.0] * 3, policies=policies).desired_count == [1, 1, 1, 2]


def test_the_low_threshold_itself_is_not_low():
    # 20 tasks, 9 vCPU: metric 45, want = 18 < 20, but 45 is not < 0.9 x 50 = 45: no AlarmLow.
    # 8.99 vCPU in step 2: metric 44.95, want = ceil(17.98) = 18, and 10 percent of 20 tasks are 2: 18 in step 3.
    result = run([9.0, 9.0, 8.99, 8.99], **starting_with(20))
    assert result.datapoints[0][:3] == [45.0, 45.0, 44.95]
    assert result.desired_count == [20, 20, 20, 18]


def test_missing_datapoints_neither_scale_out_nor_in():
    # Requests per target, target 30 per minute; 4 tasks. 1/s: 15 per target, low. No requests: missing, no scale-in.
    policies = (tracking("requests", 30.0, scale_in_cooldown_s=0),)
    result = run([0.0, 0.0, 1.0, 0.0, 0.0], policies=policies, **starting_with(4))
    assert result.desired_count == [4, 4, 4, 3, 3]
    # If 0 is reported it is low: 4 -> 3 -> 2; 1/s on 2 tasks is 30, the target; then 0 again.
    result = run([0.0, 0.0, 1.0, 0.0, 0.0], policies=policies, zero_requests_reported=True, **starting_with(4))
    assert result.desired_count == [4, 3, 2, 2, 1]


# --- Rules 20 and 21: target tracking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "more"), [(6, "out"), (20, "in")])
def test_constant_load_settles_at_the_target(start: int, more: str):
    # 7.3 requests/s of 0.4 s are 2.92 vCPU. At 60 percent of half a vCPU that is 2.92 / 0.3 = 9.73: 10 tasks, reached
    # from 6 (which have 3 vCPU, so the metric is not capped) and from 20 (if it may go all the way) in one decision.
    result = run(
        [7.3] * 8,
        **starting_with(start),
        task_vcpu=0.5,
        cpu_s_per_request=0.4,
        task_requests_per_s=1.25,
        policies=(tracking(target=60.0),),
        scale_in_step_percent=100.0,
    )
    assert result.desired_count == [start] + [10] * 7
    assert (result.launched, result.removed) == ((4, 0) if more == "out" else (0, 10))


def test_saturated_service_doubles_once_per_cooldown():
    # Steps 0-4: 0.5 vCPU on 2 tasks, metric 25. From step 5 (second 300) on saturated: metric 100.
    # Lag 90 = 60 + 30: in step k the newest datapoint is k - 2, known at second 60 k + 30.
    # The third high datapoint is j = 7: k = 9, t = 570 (its step ends at 480, + 90 = 570). want = 2 x 100/50 = 4.
    # Launched at 570: billed from 580, running from 593, healthy from 600 (i = 0) and 610 (i = 1).
    #   step 9 [540, 600): running 120 + 2 x 7 = 134, healthy 120, billed 120 + 2 x 20 = 160, metric 12000/134
    #   step 10 [600, 660): running 240, healthy 120 + 60 + 50 = 230, billed 240, metric 23000/240
    # Cooldown until 870. In it the base stays 2, want <= 4. At t = 870 (k = 14) it is over: 4 tasks run, want = 8.
    # Next at 870 + 300 = 1170, k = 19: want = 16. Then k = 24: 32, limited by max_capacity = 20.
    result = run(
        [0.5] * 5 + [1000.0] * 21,
        min_capacity=2,
        max_capacity=20,
        policies=(tracking(lag_s=90, scale_out_datapoints=3, scale_in_datapoints=15),),
        unbilled_s=10,
        running_after_s=23,
        ready_wait_s=(7, 17),
    )
    assert result.desired_count == [2] * 9 + [4] * 5 + [8] * 5 + [16] * 5 + [20] * 2
    assert result.running_s[8:11] == [120, 134, 240]
    assert result.healthy_s[8:11] == [120, 120, 230]
    assert result.billed_s[8:11] == [120, 160, 240]
    assert result.pending_s[8:11] == [0, 2 * 23, 0]
    assert result.datapoints[0][4:6] == [25.0, 100.0]
    assert result.datapoints[0][9:11] == [89.552239, 95.833333]
    assert (result.launched, result.removed) == (18, 0)


def test_cpu_is_capped_at_100_and_requests_per_target_are_not():
    # 2 tasks, 20 requests/s. By CPU at most doubled. By requests, 30 per target and minute: 1200 / 30 = 40 at once.
    assert run([20.0] * 2, min_capacity=2).desired_count == [2, 4]
    assert run([20.0] * 2, min_capacity=2, policies=(tracking("requests", 30.0),)).desired_count == [2, 40]


def test_larger_scale_out_inside_the_cooldown_uses_its_base():
    # 2 tasks, 1.2 vCPU: metric 60; at 60 want = ceil(2 x 60/50 = 2.4) = 3, base 2, cooldown until 360.
    # Then saturated: at 120 want = 2 x 100/50 = 4 (not 3 x 2 = 6): one more, the cooldown now ends at 420.
    # At 360 still base 2. At 420 (k = 7) the base is the 4 running tasks: 8.
    result = run([1.2] + [9.0] * 7, min_capacity=2)
    assert result.desired_count == [2, 3, 4, 4, 4, 4, 4, 8]


@pytest.mark.parametrize(("tasks", "highest"), [(2, 1 / 2), (3, 2 / 3), (4, 3 / 4), (5, 4 / 5)])
def test_small_service_scales_in_only_if_one_task_fewer_meets_the_target(tasks: int, highest: float):
    # model.md 3.3: 2 tasks scale in at half of the target, 3 at two thirds, N at (N - 1)/N. Target 50: for 2 tasks CPU
    # 25, 0.5 vCPU. A hundredth more, and they stay.
    load = tasks * highest * 0.5
    assert run([load] * 2, **starting_with(tasks)).desired_count == [tasks, tasks - 1]
    assert run([load * 1.01] * 2, **starting_with(tasks)).desired_count == [tasks, tasks]


def test_no_scale_in_if_it_is_disabled():
    assert run([0.5] * 2, **starting_with(2)).desired_count == [2, 1]
    policies = (tracking(disable_scale_in=True),)
    assert run([0.5] * 2, policies=policies, **starting_with(2)).desired_count == [2, 2]


def test_pending_tasks_stay_unless_the_running_ones_are_too_many():
    # At 60 a second task is launched that runs only from 660. Then metric 40 < 45 on the 1 running task:
    # want = ceil(0.8) = 1 is not < 1, so nothing is removed although desired_count is 2.
    assert run([1.0] + [0.4] * 3, running_after_s=600).desired_count == [1, 2, 2, 2]


def test_scale_in_waits_for_fifteen_low_datapoints_and_the_lag_then_drains():
    # Steps 0-2: 1 task saturated. Lag 150 = 2 x 60 + 30: in step k datapoint k - 3, at second 60 k + 30.
    # AlarmHigh with datapoint 2 in step 5 (t = 330): 2 tasks. No load from step 3 on: low datapoints 3 to 17;
    # datapoint 17 ends at 1080 and is known at 1080 + 150 = 1230, in step 20. want = max(0, 2 - 1, 1) = 1.
    # The healthy task stops at 1230 and drains until 1230 + 40 = 1270:
    #   step 5 [300, 360): launched at 330: 60 + 30 = 90 running and billed
    #   step 20 [1200, 1260): running 60 + 30 = 90, billed 120; step 21: running 60, billed 60 + 10 = 70.
    changes: dict[str, Any] = {
        "policies": (tracking(lag_s=150, scale_out_datapoints=3, scale_in_datapoints=15),),
        "drain_s": 40,
    }
    result = run([1.0] * 3 + [0.0] * 20, **changes)
    assert result.desired_count == [1] * 5 + [2] * 15 + [1] * 3
    assert result.running_s == [60] * 5 + [90] + [120] * 14 + [90] + [60] * 2
    assert result.healthy_s == result.running_s
    assert result.billed_s == [60] * 5 + [90] + [120] * 15 + [70] + [60]
    assert result.draining_s == [0] * 20 + [30, 10, 0]
    assert (result.launched, result.removed) == (1, 1)
    # Recorded from step 20 on, the launch lies in the warm-up: 120 + 70 + 60.
    late = run([1.0] * 3 + [0.0] * 20, record_from=20, **changes)
    assert (late.billed_task_s, late.launched, late.removed, late.peak_desired_count) == (250, 0, 1, 1)


def test_scale_in_cooldown_blocks_and_scale_out_cancels_it():
    # No scale-out cooldown. Saturated in steps 0-2: 1 -> 2 -> 4 -> 8. Idle in step 3: at 240 ten percent of 8 is
    # less than one task, so one goes: 7, cooldown until 540. Idle in step 4: at 300 blocked. Saturated in step 5:
    # at 360 7 x 2 = 14, which cancels the cooldown; idle in step 6: at 420 14 - 1 = 13, until 720 (step 12): 12.
    policies = (tracking(scale_out_cooldown_s=0),)
    result = run([1.0, 4.0, 4.0, 0.0, 0.0, 7.0] + [0.0] * 7, policies=policies)
    assert result.desired_count == [1, 2, 4, 8, 7, 7, 14, 13, 13, 13, 13, 13, 12]
    # 10 percent of 20 tasks are 2: 20 -> 18 at 60; the cooldown of 60 s is over at 120, floor(1.8) = 1: 17.
    policies = (tracking(scale_in_cooldown_s=60),)
    assert run([0.0] * 3, policies=policies, **starting_with(20)).desired_count == [20, 18, 17]


# --- Rules 20 and 21: several policies ----------------------------------------------------------------------------------


def test_of_several_the_largest_want_scales_out():
    # 2 saturated tasks: by CPU 4; 60 requests per target and minute at 20: 6.
    result = run([2.0] * 2, min_capacity=2, policies=(tracking(), tracking("requests", 20.0)))
    assert (result.desired_count, result.moved_by) == ([2, 6], [-1, 1])


def test_of_equal_wants_the_first_policy_acts_and_only_its_cooldown_starts():
    # Both want 4 (60 / 30 x 2). Policy 0 remembers its base 2 until 360; policy 1 has no cooldown: at 120, with
    # 4 requests/s on 4 tasks, policy 0 wants 2 x 2 = 4 and policy 1 wants 4 x 60/30 = 8.
    result = run([2.0, 4.0, 4.0], min_capacity=2, policies=(tracking(), tracking("requests", 30.0)))
    assert (result.desired_count, result.moved_by) == ([2, 4, 8], [-1, 0, 1])


@pytest.mark.parametrize(
    ("second", "desired_count", "moved_by"),
    [
        # 10 tasks, 2 requests/s: CPU 20, 10 x 20/50 = 4 tasks. 12 requests per target and minute:
        (tracking("requests", 20.0), 6, 1),  # 10 x 12/20 = 6: the larger
        (tracking("requests", 40.0), 4, 0),  # 3
        (tracking("requests", 13.0), 10, -1),  # 12 is not < 0.9 x 13: it does not agree
        (tracking("requests", 13.0, disable_scale_in=True), 4, 0),  # it is not asked
        (tracking("requests", 20.0, low_factor=0.6), 10, -1),  # 12 is not < 0.6 x 20
        (tracking("requests", 20.0, low_factor=0.601), 6, 1),
        (tracking("requests", 20.0, scale_in_datapoints=2), 10, -1),  # not yet
        (tracking("memory", 50.0), 4, 0),  # 2 x 2 s in flight: (1000 + 4 x 50) / 10000 = 12 percent: 3
        (stepping("down", 30.0, (-math.inf, 0, -1)), 9, 1),  # acts too, and wants more tasks than 4
        (stepping("down", 30.0, (-math.inf, 0, -8)), 4, 0),  # 2
        (stepping("down", 10.0, (-math.inf, 0, -1)), 4, 0),  # does not act: it has no say
    ],
)
def test_all_target_tracking_policies_agree_to_scale_in_and_the_largest_want_wins(
    second: ReferencePolicy, desired_count: int, moved_by: int
):
    result = run([2.0] * 2, policies=(tracking(), second), scale_in_step_percent=100.0, **starting_with(10))
    assert result.desired_count == [10, desired_count]
    assert result.moved_by == [-1, moved_by]


def test_each_policy_waits_for_its_own_datapoints():
    # 2 saturated tasks. Requests: 60 per target at 40, at 60 s: 3 tasks. CPU 100, then 66.7 on 3 tasks: with its third
    # datapoint, at 180 s, 3 x 66.7/50 = 4.
    policies = (tracking(scale_out_datapoints=3), tracking("requests", 40.0))
    result = run([2.0] * 4, min_capacity=2, policies=policies)
    assert (result.desired_count, result.moved_by) == ([2, 3, 3, 4], [-1, 1, -1, 0])
    # 10 tasks at CPU 20 and 12 requests per target: CPU agrees to scale in at 60 s, requests at 180 s.
    policies = (tracking(), tracking("requests", 20.0, scale_in_datapoints=3))
    result = run([2.0] * 4, policies=policies, scale_in_step_percent=100.0, **starting_with(10))
    assert (result.desired_count, result.moved_by) == ([10, 10, 10, 6], [-1, -1, -1, 1])


@pytest.mark.parametrize(
    ("trackings", "change", "desired_count", "moved_by"),
    [
        # 10 tasks, 2 requests/s: CPU 20, which the step policy (after those of target tracking) answers by `change`.
        # Of target tracking, CPU at 50 wants 10 x 20/50 = 4; requests, 12 per target, at 20 want 6, at 13 nothing, since
        # 12 is not under 0.9 x 13.
        ((), -1, 9, 0),
        ((tracking("requests", 13.0),), -1, 9, 1),  # it does not agree, and is not asked
        ((tracking("requests", 13.0),), -8, 2, 1),
        ((tracking(), tracking("requests", 13.0)), -8, 2, 2),  # they do not agree among themselves: the 4 has no say
        ((tracking(), tracking("requests", 20.0)), -8, 6, 1),  # they do: the largest of 2, 4 and 6
        ((tracking(), tracking("requests", 20.0)), -1, 9, 2),
        ((tracking(), tracking("requests", 13.0, disable_scale_in=True)), -8, 4, 0),
        # Without a step policy that acts, the two must agree.
        ((tracking(), tracking("requests", 13.0)), None, 10, -1),
        ((tracking(), tracking("requests", 20.0)), None, 6, 1),
    ],
)
def test_scale_in_of_step_scaling_is_not_blocked_by_target_tracking(
    trackings: tuple[ReferencePolicy, ...], change: int | None, desired_count: int, moved_by: int
):
    by_steps = () if change is None else (stepping("down", 30.0, (-math.inf, 0, change)),)
    result = run([2.0] * 2, policies=(*trackings, *by_steps), scale_in_step_percent=100.0, **starting_with(10))
    assert (result.desired_count, result.moved_by) == ([10, desired_count], [-1, moved_by])


def test_scale_in_of_step_scaling_waits_for_cooldowns_and_deployments():
    # CPU 20, then 22, 25 ...: 10 -> 9 at 60. Its own cooldown of 90 s ends at 150: at 180 again, and at 300.
    down = stepping("down", 30.0, (-math.inf, 0, -1), scale_in_cooldown_s=90)
    track = tracking("requests", 1000.0, low_factor=0.0)  # never agrees
    result = run([2.0] * 6, policies=(track, down), **starting_with(10))
    assert result.desired_count == [10, 9, 9, 8, 8, 7]
    # A deployment from 60 to 60 + 120 s: at 180 it is over.
    result = run(
        [2.0] * 4, policies=(track, down), deployments=(deploy(1, "shifted", bake_s=120),), **starting_with(10)
    )
    assert result.desired_count == [10, 10, 10, 9]


def test_policies_that_know_at_different_times():
    # 10 tasks; both want in. At 60 only the CPU is known. At 90 the requests are known too, the CPU's datapoint is still
    # the newest: 10 -> 6 at 90. Then the cooldown.
    policies = (tracking(), tracking("requests", 20.0, lag_s=30))
    result = run([2.0] * 3, policies=policies, scale_in_step_percent=100.0, **starting_with(10))
    assert result.desired_count == [10, 6, 6]
    assert result.running_s == [600, 10 * 30 + 6 * 30, 360]
    assert result.moved_by == [-1, 1, -1]


def test_policies_that_know_in_the_same_second_decide_together():
    # 20-second steps. CPU by 20 s with lag 40 and requests by 60 s without lag: at 60 the first datapoints of both are
    # known. By CPU 2 -> 4, by requests 2 x 60/40 = 3: together 4, by policy 1.
    policies = (tracking("requests", 40.0), tracking(period_s=20, lag_s=40))
    result = run([2.0] * 4, step_s=20, min_capacity=2, policies=policies)
    assert (result.desired_count, result.moved_by) == ([2, 2, 2, 4], [-1, -1, -1, 1])


def test_a_scale_out_keeps_another_policy_from_scaling_in():
    # CPU 100: out to 4. A step policy that would take one away at any CPU does nothing then.
    down = stepping("down", 100.0, (-math.inf, 0, -1))
    assert run([2.0] * 2, policies=(down, tracking()), **starting_with(2)).desired_count == [2, 4]
    # CPU 50 is not over the target, and the target tracking does not scale in: one goes.
    assert run([1.0] * 2, policies=(down, tracking(disable_scale_in=True)), **starting_with(2)).desired_count == [2, 1]


# --- Rules 19 to 21: step scaling ---------------------------------------------------------------------------------------


def test_step_scaling_as_in_the_documentation():
    # AWS's own example: 10 tasks; alarms at 50. Out: 0 from 50, 10 percent from 60, 30 percent from 70. In: 0 from 50
    # down, -10 percent from 40, -30 percent from 30. "If the metric gets to 60, add 1: 11. At 70, 3 more (30 percent of
    # 11 is 3.3): 14. At 40, 1 fewer (1.4): 13. At 30, 3 fewer (3.9): 10."
    percent = {"adjustment_type": "PercentChangeInCapacity"}
    out = stepping("up", 50.0, (0, 10, 0), (10, 20, 10), (20, math.inf, 30), **percent)
    into = stepping("down", 50.0, (-math.inf, -20, -30), (-20, -10, -10), (-10, 0, 0), **percent)
    result = run([6.0, 7.7, 5.6, 3.9, 5.5], policies=(out, into), **starting_with(10))
    assert result.datapoints[0] == [60.0, 70.0, 40.0, 30.0, 55.0]
    assert result.desired_count == [10, 11, 14, 13, 10]
    assert result.moved_by == [-1, 0, 0, 1, 1]
    # Just inside: 59.9 and 40.1 change nothing, 69.9 is 10 percent, 30.1 is -10 percent.
    for cpu, after in [(59.9, 10), (40.1, 10), (69.9, 11), (30.1, 9)]:
        assert run([cpu / 10] * 2, policies=(out, into), **starting_with(10)).desired_count == [10, after]


@pytest.mark.parametrize(
    ("base", "percent", "magnitude", "change"),
    [
        # H: over 1 down, between 0 and 1 to 1, between -1 and 0 to -1, under -1 toward zero.
        (10, 127, 0, 12),  # 12.7
        (10, 67, 0, 6),  # 6.7
        (10, 5, 0, 1),  # 0.5
        (10, -5, 0, -1),  # -0.5
        (10, -67, 0, -6),  # -6.7
        (10, 10, 0, 1),
        (10, -10, 0, -1),
        (3, 100, 0, 3),
        (0, 50, 2, 0),
        (10, 0, 2, 0),
        # AWS's example: 25 percent of 4 tasks is 1, but with a magnitude of 2 it adds 2.
        (4, 25, 2, 2),
        (4, -25, 2, -2),
        (4, 75, 2, 3),
    ],
)
def test_percent_change(base: int, percent: int, magnitude: int, change: int):
    assert percent_change(base, percent, magnitude) == change


def test_changes_in_capacity_and_exact_capacity():
    # 4 tasks at 100 percent.
    def after(**changes: Any) -> list[int]:
        policies = (stepping("up", 80.0, (0, math.inf, changes.pop("change")), **changes),)
        return run([9.0] * 3, policies=policies, **starting_with(4, low=2, high=12)).desired_count

    assert after(change=3) == [4, 7, 10]
    assert after(change=5) == [4, 9, 12]  # 14: at most 12
    assert after(change=7, adjustment_type="ExactCapacity") == [4, 7, 7]
    assert after(change=99, adjustment_type="ExactCapacity") == [4, 12, 12]
    assert after(change=1, adjustment_type="ExactCapacity") == [4, 2, 2]  # downward, at least 2
    assert after(change=-1) == [4, 3, 2]  # it may even scale the wrong way
    # Within the cooldown of its scale-out at 60 (base 4) it wants no more than 4 + 3 = 7.
    assert after(change=3, scale_out_cooldown_s=300) == [4, 7, 7]


def test_step_alarm_acts_at_m_of_n_datapoints_by_the_newest():
    # 2 of 3: CPU 90, 50, 90: with the third. x = 90 - 80 = 10. Then 50: still 2 of 3 (50, 90, 50 is 1 of 3): no.
    policy = stepping("up", 80.0, (0, math.inf, 1), datapoints_to_alarm=2, evaluation_periods=3)
    assert run([9.0, 5.0, 9.0, 5.0, 5.0], policies=(policy,), min_capacity=10).desired_count == [10, 10, 10, 11, 11]
    # 90, 90, 50: in ALARM with the third, which lies under every step: no want.
    assert run([9.0, 9.0, 5.5, 5.0], policies=(policy,), min_capacity=10).desired_count == [10, 10, 11, 11]
    # The threshold itself breaches, upward and downward.
    for direction, step in (("up", (0, math.inf, 1)), ("down", (-math.inf, 0, -1))):
        after = run([5.0] * 2, policies=(stepping(direction, 50.0, step),), **starting_with(10)).desired_count
        assert after == [10, 10 + step[2]]


# --- Rule 22: bounds ----------------------------------------------------------------------------------------------------


def test_bounds_move_the_count_only_as_far_as_they_must():
    # 2 tasks; at 60 at least 5: 3 launched; at 120 from 4 to 9: nothing; at 180 at most 3: 2 removed, they drain 30 s.
    bounds = ((1, 5, 9, 0), (2, 4, 9, 0), (3, 1, 3, 0))
    result = run([0.0] * 5, policies=(IDLE,), min_capacity=2, bounds=bounds, drain_s=30)
    assert result.desired_count == [2, 5, 5, 3, 3]
    assert result.moved_by == [-1, -2, -1, -2, -1]
    assert result.running_s == [120, 300, 300, 180, 180]
    assert result.billed_s == [120, 300, 300, 180 + 2 * 30, 180]
    assert result.draining_s == [0, 0, 0, 2 * 30, 0]
    assert (result.launched, result.removed) == (3, 2)


@pytest.mark.parametrize(("floor", "after"), [(7, 7), (15, 10), (2, 3), (0, 3)])
def test_predictive_scaling_asks_for_a_floor_up_to_the_maximum(floor: int, after: int):
    # 3 tasks, bounds 1 to 10, CPU 50; from step 1 on the floor. Idle: at 120 one goes, unless the floor keeps them all.
    result = run([1.5, 0.0, 0.0], min_capacity=3, bounds=((0, 1, 10, 0), (1, 1, 10, floor)))
    assert result.desired_count[:2] == [3, after]
    assert result.desired_count[2] == (after if floor > 3 else 2)


def test_bounds_neither_wait_for_cooldowns_nor_start_them():
    # At 60 ten percent of 20 go: 18, cooldown until 360. At 120 at most 10 nevertheless: 10. At 180 at least 15: 15.
    # At 240 (the minimum is 12 again) and 300 still blocked; at 360 15 - 1 = 14.
    bounds = ((0, 1, 100, 0), (2, 1, 10, 0), (3, 15, 20, 0), (4, 12, 20, 0))
    result = run([0.0] * 8, min_capacity=20, bounds=bounds)
    assert result.desired_count == [20, 18, 10, 15, 15, 15, 14, 14]
    assert result.moved_by == [-1, 0, -2, -2, -1, -1, 0, -1]


def test_the_bounds_act_before_the_decision_of_their_step():
    # At 60: at least 4, then by the CPU of step 0 (100 on 2 tasks, now 4 run): 4 x 2 = 8, at most 6.
    result = run([2.0] * 2, min_capacity=2, bounds=((1, 4, 6, 0),))
    assert (result.desired_count, result.moved_by) == ([2, 6], [-1, 0])


def test_a_service_that_is_switched_off():
    # From step 1 on no tasks: everything is refused, no datapoints. At 180 again one: launched and running at once.
    result = run([0.5] * 4, bounds=((1, 0, 0, 0), (3, 1, 2, 0)), spot_share=1.0)
    assert result.desired_count == [1, 0, 0, 1]
    assert result.refused == [0.0, 30.0, 30.0, 0.0]
    assert [math.isnan(m) for m in result.datapoints[0]] == [False, True, True, False]
    assert result.spot_billed_s == [60, 0, 0, 60]
    assert result.spot_task_s == 120


# --- Rule 23: deployments -----------------------------------------------------------------------------------------------


def deploy(step: int, kind: str, minimum: float = 100, maximum: float = 200, shift_s: int = 0, bake_s: int = 0) -> Any:
    return (step, kind, minimum, maximum, shift_s, bake_s)


def test_rolling_start_before_stop():
    # 100/200, 4 tasks, at 60, ready after 53 s, drain 35 s. model.md 5.1: extra = desired x (start + health + drain),
    # less the unbilled 10 s of each: 4 x (53 + 35 - 10) = 312 task-seconds, in [70, 148).
    # The new ones run from 83; the old ones stop at 113: + 4 x 30.
    result = run([0.0] * 4, deployments=(deploy(1, "rolling"),), **fixed(4), **STARTS)
    assert result.billed_s == [240, 240 + 4 * 50, 240 + 4 * 28, 240]
    assert sum(result.billed_s) - 4 * 240 == 4 * (53 + 35 - 10)
    assert result.running_s == [240, 240 + 4 * 30, 240, 240]
    assert result.healthy_s == [240] * 4
    assert result.draining_s == [0, 4 * 7, 4 * 28, 0]  # [113, 148)
    assert (result.launched, result.removed, result.replaced, result.stuck_deployments) == (0, 0, 4, 0)


def test_rolling_in_waves_costs_the_same_and_takes_longer():
    # 100/150 of 4: 2 at a time, 2 waves at 60 and 60 + 53 + 35 = 148. + 2 over [70, 148) and [158, 236).
    result = run([0.0] * 5, deployments=(deploy(1, "rolling", 100, 150),), **fixed(4), **STARTS)
    assert result.billed_s == [240, 240 + 2 * 50, 240 + 2 * 28 + 2 * 22, 240 + 2 * 56, 240]
    assert sum(result.billed_s) - 5 * 240 == 4 * (53 + 35 - 10)
    assert result.running_s == [240, 240 + 2 * 30, 240 + 2 * 9, 240 + 2 * 21, 240]  # [83, 113), [171, 201)
    assert result.draining_s == [0, 2 * 7, 2 * 28, 2 * 35, 0]  # [113, 148), [201, 236)
    # The second wave is made in step 2, [120, 180).
    assert [
        run([0.0] * 5, record_from=k, deployments=(deploy(1, "rolling", 100, 150),), **fixed(4), **STARTS).replaced
        for k in (0, 2, 3)
    ] == [4, 2, 0]


def test_rolling_stop_before_start():
    # 50/100 of 4: 2 waves of 2, at 60 and 148. Stopped at once: not running for 23 s, not healthy for 53 s. The old ones
    # are billed 35 s more, the new ones from the 10th second on: + 2 over [70, 95) and [158, 183).
    result = run([0.0] * 5, deployments=(deploy(1, "rolling", 50, 100),), **fixed(4), **STARTS)
    assert result.billed_s == [240, 240 + 2 * 25, 240 + 2 * 22, 240 + 2 * 3, 240]
    assert result.running_s == [240, 240 - 2 * 23, 240 - 2 * 23, 240, 240]  # [60, 83), [148, 171)
    assert result.healthy_s == [240, 240 - 2 * 53, 240 - 2 * 32, 240 - 2 * 21, 240]  # [60, 113), [148, 201)
    assert result.draining_s == [0, 2 * 35, 2 * 32, 2 * 3, 0]  # [60, 95), [148, 183)
    # If the drain is shorter than the unbilled time, nothing is billed in between: [65, 70), [123, 128).
    short = {**STARTS, "drain_s": 5}
    result = run([0.0] * 5, deployments=(deploy(1, "rolling", 50, 100),), **fixed(4), **short)
    assert result.billed_s == [240, 240 - 2 * 5, 240 - 2 * 5, 240, 240]
    assert result.draining_s == [0, 2 * 5 + 2 * 2, 2 * 3, 0, 0]  # [60, 65), [118, 123)


def test_rolling_start_and_stop():
    # 50/150 of 5: 2 more, 2 fewer; waves of 4 (2 stopped first, 2 started beside) and 1 (stopped first), 88 s apart.
    #   at 60: + 2 over [70, 148), + 2 over [70, 95); at 148: + 1 over [158, 183)
    #   running + 2 over [83, 113), - 2 over [60, 83); then - 1 over [148, 171)
    #   healthy - 2 over [60, 113); the one of the second wave (i = 4) is ready after 23 + 7: - 1 over [148, 178)
    result = run([0.0] * 5, deployments=(deploy(1, "rolling", 50, 150),), **fixed(5), **STARTS)
    assert result.billed_s == [300, 300 + 100 + 50, 300 + 56 + 22, 300 + 3, 300]
    assert result.running_s == [300, 300 + 60 - 46, 300 - 23, 300, 300]
    assert result.healthy_s == [300, 300 - 106, 300 - 30, 300, 300]
    # Those that are stopped first drain [60, 95) and [148, 183), the two that the new ones replace [113, 148).
    assert result.draining_s == [0, 70 + 14, 56 + 32, 3, 0]


@pytest.mark.parametrize(
    ("tasks", "minimum", "maximum", "stuck"),
    [
        (3, 75, 125, 1),  # model.md 5.1: 125 percent of 3 is 3, 75 percent is 3
        (4, 75, 125, 0),  # 5 and 3
        (1, 100, 150, 1),
        (1, 100, 199, 1),
        (1, 100, 200, 0),
        (1, 50, 100, 1),
        (7, 100, 100, 1),
        (1, 0, 100, 0),
    ],
)
def test_stuck_deployments(tasks: int, minimum: float, maximum: float, stuck: int):
    deployments = (deploy(1, "rolling", minimum, maximum),)
    result = run([0.0] * 4, deployments=deployments, **fixed(tasks), **STARTS)
    assert result.stuck_deployments == stuck
    assert (result.billed_s == [60 * tasks] * 4) == bool(stuck)
    assert sum(result.draining_s) == (0 if stuck else tasks * 35)  # each of them is replaced once
    assert result.replaced == (0 if stuck else tasks)


def test_the_waves_of_a_deployment_wait_for_their_own_tasks():
    # 100/150 of 2: one at a time. w = 100, 5, 40: wave 0 (i = 0) at 60 is ready after 123 s, and wave 1 begins at
    # 60 + 123 + 35 = 218. Before it, at 120, a third task is launched (i = 1): running from 143, healthy from 148. So
    # wave 1 has i = 2: ready after 63 s, and the deployment ends at 218 + 63 + 35 = 316.
    inputs: dict[str, Any] = {**STARTS, "ready_wait_s": (100, 5, 40), "bounds": ((2, 3, 3, 0),), **fixed(2)}
    result = run([0.0] * 7, deployments=(deploy(1, "rolling", 100, 150),), **inputs)
    assert result.healthy_s == [120, 120, 120 + 32, 180, 180, 180, 180]
    assert result.running_s == [120, 120 + 37, 120 + 60 + 37, 180 + 3, 180 + 40, 180, 180]  # + 1 [83, 183), [241, 281)
    assert result.draining_s == [0, 0, 0, 35, 19, 16, 0]  # [183, 218), [281, 316)
    assert result.replaced == 2
    # Were the new task launched at 180 it would still come before wave 1, which is made in that step: i = 1.
    late = {**inputs, "bounds": ((3, 3, 3, 0),)}
    result = run([0.0] * 7, deployments=(deploy(1, "rolling", 100, 150),), **late)
    assert result.healthy_s == [120, 120, 120, 120 + 32, 180, 180, 180]
    assert result.draining_s == [0, 0, 0, 35, 19, 16, 0]
    # One that begins at 300 finds it going on, one at 360 does not: D = 3, one at a time again.
    deployments = (deploy(1, "rolling", 100, 150), deploy(5, "rolling", 100, 150), deploy(6, "rolling", 100, 150))
    result = run([0.0] * 7, deployments=deployments, **inputs)
    assert (result.replaced, result.billed_s[5:]) == (3, [180 + 16, 180 + 50])


def test_waves_that_begin_in_the_same_step():
    # 100/125 of 4: one at a time. w = 2 and 8, without any other time and a drain of 5 s: waves at 60, 67, 80 and 87,
    # until 100. Billed + 1 over all of it; running + 1 over [60, 62), [67, 75), [80, 82), [87, 95).
    inputs: dict[str, Any] = {"ready_wait_s": (2, 8), "drain_s": 5, **fixed(4)}
    result = run([0.0] * 3, deployments=(deploy(1, "rolling", 100, 125),), **inputs)
    assert (result.billed_s, result.running_s, result.draining_s) == ([240, 280, 240], [240, 260, 240], [0, 20, 0])
    # By 20 s: at 60 and 67, then at 80 and 87.
    replaced = [
        run([0.0] * 6, step_s=20, record_from=k, deployments=(deploy(3, "rolling", 100, 125),), **inputs).replaced
        for k in (3, 4, 5)
    ]
    assert replaced == [4, 2, 0]


def test_rolling_within_the_quota():
    # 100/200 of 4 with room for 5: one at a time. w = 7, 30, 7, 30: waves of 30 + 35, 53 + 35, 65 and 88 s, at 60, 125,
    # 213 and 278, until 366. Billed + 1 over [70, 125), [135, 213), [223, 278), [288, 366); running + 1 over [83, 90),
    # [148, 178), [236, 243), [301, 331); draining + 1 over [90, 125), [178, 213), [243, 278), [331, 366).
    rolling = (deploy(1, "rolling"),)
    result = run([0.0] * 8, deployments=rolling, max_tasks=5, **fixed(4), **STARTS)
    assert result.billed_s == [240, 290, 290, 290, 290, 300, 246, 240]
    assert result.running_s == [240, 247, 270, 244, 243, 270, 240, 240]
    assert result.healthy_s == [240] * 8
    assert result.draining_s == [0, 30, 7, 33, 35, 29, 6, 0]
    assert (result.replaced, result.stuck_deployments) == (4, 0)
    # Idle: no scale-in before 366, also between the waves.
    result = run([0.0] * 8, deployments=rolling, max_tasks=5, **starting_with(4), **STARTS)
    assert result.desired_count == [4] * 7 + [3]


@pytest.mark.parametrize(
    ("max_tasks", "minimum", "maximum", "billed_more", "stuck"),
    [
        # 4 tasks. Started beside the old ones, each is billed its time from 10 s on and the drain of 35 s.
        (8, 100, 200, 4 * (53 + 35 - 10), 0),
        (6, 100, 200, 4 * (53 + 35 - 10), 0),  # 2 waves of 2
        (4, 100, 200, 0, 1),  # no room
        (4, 50, 200, 4 * (35 - 10), 0),  # 2 waves of 2 that are stopped first
        (5, 75, 200, 2 * (53 + 35 - 10) + 2 * (35 - 10), 0),  # 2 waves of one stopped first and one started beside
        (5, 100, 110, 0, 1),  # not the quota's fault
    ],
)
def test_a_quota_caps_a_rolling_deployment(
    max_tasks: int, minimum: float, maximum: float, billed_more: int, stuck: int
):
    rolling = (deploy(1, "rolling", minimum, maximum),)
    result = run([0.0] * 5, deployments=rolling, max_tasks=max_tasks, **fixed(4), **STARTS)
    assert (sum(result.billed_s) - 5 * 240, result.stuck_deployments) == (billed_more, stuck)
    assert result.replaced == (0 if stuck else 4)


@pytest.mark.parametrize(("max_tasks", "stuck"), [(7, 1), (8, 0)])
def test_blue_green_needs_room_for_both(max_tasks: int, stuck: int):
    deployments = (deploy(1, "shifted", bake_s=60),)
    result = run([0.0] * 5, deployments=deployments, max_tasks=max_tasks, **starting_with(4), **STARTS)
    assert (result.stuck_deployments, result.replaced) == (stuck, 0 if stuck else 4)
    # Stuck it is over at once: the idle service scales in at 60. Otherwise after 60 + 53 + 60 + 35 = 208.
    assert result.desired_count == ([4, 3, 3, 3, 3] if stuck else [4, 4, 4, 4, 3])


def test_blue_green_runs_both_until_it_has_baked():
    # model.md 5.2: desired x (scale-up + shift + bake + drain), less the unbilled 10 s: 4 x (53 + 120 + 60 + 35 - 10).
    # E = 60 + 53 + 120 + 60 = 293: billed + 4 over [70, 328), running + 4 over [83, 293).
    deployments = (deploy(1, "shifted", shift_s=120, bake_s=60),)
    result = run([0.0] * 7, deployments=deployments, **fixed(4), **STARTS)
    assert sum(result.billed_s) - 7 * 240 == 4 * 258
    assert result.billed_s == [240, 240 + 200, 480, 480, 480, 240 + 4 * 28, 240]
    assert result.running_s == [240, 240 + 4 * 37, 480, 480, 240 + 4 * 53, 240, 240]
    assert result.healthy_s == [240] * 7
    assert result.draining_s == [0, 0, 0, 0, 4 * 7, 4 * 28, 0]  # [293, 328)


def test_deployment_lowers_the_cpu_of_its_time():
    # 2 requests/s on 4 tasks: CPU 50. With 4 more running for 30 s: 120 / (240 + 120) = 33.3. Requests per target stay.
    policies = (tracking(target=60.0), tracking("requests", 1e6))
    result = run([2.0] * 3, deployments=(deploy(1, "rolling"),), policies=policies, **fixed(4), **STARTS)
    assert result.datapoints == [[50.0, 33.333333, 50.0], [30.0] * 3]


@pytest.mark.parametrize(
    ("drain_s", "desired_count"),
    [
        (35, [4, 4, 4, 3]),  # the deployment ends at 60 + 53 + 35 = 148
        (7, [4, 4, 3, 3]),  # at 120: from that second on
        (8, [4, 4, 4, 3]),
    ],
)
def test_no_scale_in_during_a_deployment(drain_s: int, desired_count: list[int]):
    # Idle; it would scale in at 60 if the deployment had not begun.
    inputs = {**STARTS, "drain_s": drain_s}
    result = run([0.0] * 4, deployments=(deploy(1, "rolling"),), **starting_with(4), **inputs)
    assert result.desired_count == desired_count
    assert run([0.0] * 2, **starting_with(4), **inputs).desired_count == [4, 3]


def test_scale_out_during_a_deployment_and_a_second_one_meanwhile():
    # 4 saturated tasks: at 60 a deployment, and 8 tasks. The deployment of 4 goes on with its 4. The second one at 120
    # finds it going on; the third one at 180 has D = 8 and lasts until 268.
    deployments = (deploy(1, "rolling"), deploy(2, "shifted", bake_s=600), deploy(3, "rolling"))
    result = run([4.0] * 6, deployments=deployments, min_capacity=4, max_capacity=8, **STARTS)
    assert result.desired_count == [4] + [8] * 5
    assert result.billed_s[1] == 240 + 4 * 50 + 4 * 50  # four launched and four of the deployment, both from 70
    assert result.billed_s[2] == 480 + 4 * 28
    assert result.billed_s[3:] == [480 + 8 * 50, 480 + 8 * 28, 480]


# --- Rule 24: loss of a zone --------------------------------------------------------------------------------------------


def test_loss_of_a_zone():
    # 5 tasks in 3 zones: 2 are lost at 60, found at 120. Billed again from 130, running from 143, healthy from 143 + 7 and
    # 143 + 30.
    result = run([0.0] * 4, zone_losses=(1,), **fixed(5), **STARTS)
    assert result.billed_s == [300, 300 - 120, 300 - 20, 300]
    assert result.running_s == [300, 300 - 120, 300 - 46, 300]
    assert result.healthy_s == [300, 300 - 120, 300 - 30 - 53, 300]
    assert result.draining_s == [0] * 4  # nothing is left that could drain
    assert (result.launched, result.removed, result.replaced) == (0, 0, 2)
    assert result.desired_count == [5] * 4
    # Their draws are taken: one that is launched at 120 has the third, 7 again: running from 143, healthy from 150.
    result = run([0.0] * 4, zone_losses=(1,), bounds=((2, 6, 6, 0),), **fixed(5), **STARTS)
    assert result.healthy_s == [300, 300 - 120, 300 - 30 - 53 + 30, 360]
    # Twice in a row with only one zone: all 5 are lost twice, and there is never less than nothing.
    result = run([0.0] * 4, zone_losses=(1, 2), zones=1, **fixed(5), **STARTS)
    assert result.running_s == [300, 0, 0, 300 - 5 * 23]


def test_loss_of_a_zone_raises_the_cpu():
    # 2 requests/s on 4 tasks of 2 zones: 2 remain, CPU 100 instead of 50. The count that decides is still 4: 8.
    result = run([2.0] * 3, zone_losses=(1,), zones=2, **starting_with(4))
    assert result.datapoints[0][:2] == [50.0, 100.0]
    assert result.desired_count == [4, 4, 8]


# --- Rules 8, 25, 26 and 29: Fargate Spot -------------------------------------------------------------------------------


def test_base_first_then_by_weight():
    inputs = case([], spot_base=1, spot_share=0.75)
    assert [spot_tasks(n, inputs) for n in range(6)] == [0, 0, 0, 1, 2, 3]
    assert [spot_tasks(n, case([], spot_share=1.0)) for n in range(3)] == [0, 1, 2]
    assert [spot_tasks(n, case([], spot_share=1 / 3)) for n in (2, 3, 6)] == [0, 1, 2]
    # 5 tasks with 3 of Spot.
    assert run([0.0], spot_base=1, spot_share=0.75, **fixed(5)).spot_task_s == 180


def test_spot_tasks_wait_for_the_end_of_a_shortage():
    # Base 1, every second one beyond it: places 3 and 5 are Spot. 2 saturated tasks, at 60 places 3 and 4.
    # Shortage [60, 150): place 3 is launched at 150 (i = 0: healthy at once), place 4 at 60 (i = 1: healthy at 80).
    spot = {"spot_base": 1, "spot_share": 0.5, "ready_wait_s": (0, 20)}
    result = run([2.0] * 4, min_capacity=2, max_capacity=4, shortages=((60, 150),), **spot)
    assert result.desired_count == [2, 4, 4, 4]
    assert result.pending_s == [0, 60, 30, 0]
    assert result.running_s == result.billed_s == [120, 180, 210, 240]
    assert result.healthy_s == [120, 160, 210, 240]
    # Spot's is what the task at place 3 costs, which begins at 150.
    assert result.spot_billed_s == [0, 0, 30, 60]
    assert result.spot_task_s == 90
    # A shortage that ended at 60 no longer counts.
    assert run([2.0] * 2, min_capacity=2, shortages=((0, 60),), **spot).pending_s == [0, 0]


def test_spot_of_the_bill_is_known_by_place():
    # Base 2, all beyond it Spot: places 3 and 4. At 60 one goes, place 4; at 180 two more, places 3 (Spot) and 2.
    # They drain and are billed for 90 s: [60, 150) of Spot; [180, 270), one of them of Spot.
    spot = {"spot_base": 2, "spot_share": 1.0, "drain_s": 90}
    bounds = ((1, 1, 3, 0), (3, 1, 1, 0))
    result = run([0.0] * 6, policies=(IDLE,), min_capacity=4, bounds=bounds, **spot)
    assert result.desired_count == [4, 3, 3, 1, 1, 1]
    assert result.billed_s == [240, 180 + 60, 180 + 30, 60 + 120, 60 + 60, 60]
    assert result.spot_billed_s == [120, 60 + 60, 60 + 30, 60, 30, 0]
    assert (result.spot_task_s, result.spot_billed_s_by_hour) == (120 + 120 + 90 + 60 + 30, [420])
    # Billed for its minimum: at 60 places 3 and 4 (Spot) are launched, at 120 place 4 goes again, billed [70, 370) all the
    # same.
    minimum = {**STARTS, "minimum_billed_s": 300}
    bounds = ((1, 4, 4, 0), (2, 3, 3, 0))
    result = run([0.0] * 8, min_capacity=2, bounds=bounds, spot_base=3, spot_share=1.0, **minimum)
    assert result.billed_s == [120, 220, 240, 240, 240, 240, 190, 180]
    assert result.spot_billed_s == [0, 50, 60, 60, 60, 60, 10, 0]


def test_spot_of_what_a_deployment_bills():
    spot: dict[str, Any] = {"spot_base": 2, "spot_share": 1.0, **fixed(4), **STARTS}
    # 50/150 of 4: places 1 and 2 are stopped first, 3 and 4 (Spot) started beside: + 2 over [70, 95), + 2 over [70, 148).
    result = run([0.0] * 4, deployments=(deploy(1, "rolling", 50, 150),), **spot)
    assert result.billed_s == [240, 240 + 50 + 100, 240 + 56, 240]
    assert result.spot_billed_s == [120, 120 + 100, 120 + 56, 120]
    # 100/150: two waves, the second one (+ 2 over [158, 236)) of Spot.
    result = run([0.0] * 5, deployments=(deploy(1, "rolling", 100, 150),), **spot)
    assert result.spot_billed_s == [120, 120, 120 + 2 * 22, 120 + 2 * 56, 120]
    # Places 2 and 4 are Spot, the drain is short: - 2 (one of Spot) over [65, 70), + 2 (one of Spot) over [70, 118).
    half = {**spot, "spot_base": 0, "spot_share": 0.5, "drain_s": 5}
    result = run([0.0] * 3, deployments=(deploy(1, "rolling", 50, 150),), **half)
    assert result.billed_s == [240, 240 - 10 + 96, 240]
    assert result.spot_billed_s == [120, 120 - 5 + 48, 120]
    # Blue/green: 2 of the 4 over [70, 60 + 53 + 60 + 35 = 208).
    result = run([0.0] * 4, deployments=(deploy(1, "shifted", bake_s=60),), **spot)
    assert result.billed_s == [240, 240 + 200, 480, 240 + 112]
    assert result.spot_billed_s == [120, 120 + 100, 240, 120 + 56]


def test_spot_of_what_is_lost_with_a_zone():
    # 5 tasks, 3 of them Spot; 2 are lost over [60, 130), floor(2 x 3/5 = 1.2) = 1 of them Spot.
    result = run([0.0] * 4, zone_losses=(1,), spot_base=1, spot_share=0.75, **fixed(5), **STARTS)
    assert result.spot_billed_s == [180, 120, 170, 180]
    # 3 tasks, one of them Spot: one is lost, floor(1/3) = 0 of Spot. Three times, and nothing is left: nor of Spot.
    lost = {"zone_losses": (1, 2, 3), "zone_detection_s": 600, "spot_base": 2, "spot_share": 1.0}
    result = run([0.0] * 4, **lost, **fixed(3))
    assert (result.billed_s, result.spot_billed_s) == ([180, 120, 60, 0], [60, 60, 60, 0])
    # 2 tasks in one zone, one of them Spot, lost twice: there is never less than nothing.
    result = run([0.0] * 3, **{**lost, "zone_losses": (1, 2), "zones": 1, "spot_base": 1}, **fixed(2))
    assert (result.billed_s, result.spot_billed_s) == ([120, 0, 0], [60, 0, 0])


def test_interruptions():
    # 4 Spot tasks, 15 interruptions per task-hour: a task that runs for a step adds 60/3600 x 15 = 1/4 to exposure.
    # 1.0 is reached with the end of step 0: at 60 place 4 is interrupted, and runs again from 83, healthy from 90 (w = 7).
    # Step 1 adds 217/240, step 2 adds 1: 2.9, and 2.5 is reached: at 180 the task at place 4 is again the topmost that
    # runs; the next one there runs from 203, and is healthy from 233 (w = 30).
    # The old ones are billed until 180 and 300, the new ones from 70 and 190 on.
    spot: dict[str, Any] = {
        "spot_share": 1.0,
        "spot_interruptions_per_task_hour": 15.0,
        "thresholds": (1.0, 2.5, 4.8),
        **fixed(4),
        **STARTS,
    }
    result = run([0.0] * 5, **spot)
    assert result.billed_s == [240, 290, 300, 290, 300]
    assert result.running_s == [240, 240 - 23, 240, 240 - 23, 240]
    assert result.healthy_s == [240, 240 - 30, 240, 240 - 53, 240]
    assert result.pending_s == [0, 23, 0, 23, 0]
    assert result.draining_s == [0, 60, 60, 60, 60]  # [60, 180), [180, 300)
    assert result.spot_billed_s == result.billed_s
    # 1 + (217 + 240 + 217 + 240)/240 = 4.808 is reached with the end of the last step: there is no next one.
    assert (result.interruptions, result.launched, result.removed, result.replaced) == (2, 0, 0, 0)
    assert run([0.0] * 6, **spot).interruptions == 3
    assert run([0.0] * 6, **{**spot, "thresholds": (1.0, 2.5, 4.81)}).interruptions == 2
    assert run([0.0] * 5, record_from=2, **spot).interruptions == 1
    # Shortage [60, 200): the replacement comes at 200, after the warning's end at 180: billed from 210, running at 223,
    # healthy at 230. Three tasks run until then: 1 + 3/4 + 3/4 = 2.5 is reached with the end of step 2 all the same. At
    # 180 it is the task at place 3 that goes; the one in its place waits for 200 too: billed from 210, healthy at 253.
    result = run([0.0] * 5, shortages=((60, 200),), **spot)
    assert result.billed_s == [240, 240, 240, 240 - 30 + 30, 300]
    assert result.running_s == [240, 180, 180, 240 - 43 - 43, 240]
    assert result.healthy_s == [240, 180, 180, 240 - 50 - 60, 240 - 13]
    assert result.pending_s == [0, 60, 60, 43 + 43, 0]
    assert result.draining_s == [0, 60, 60, 60, 60]


def test_only_spot_tasks_that_run_are_interrupted():
    # 2 Spot tasks over one of On-Demand, exposure 2 x 60/3600 x 60 = 2: three thresholds are reached in step 0. The third
    # one finds neither of the two running: their replacements run only at 120. It passes and is not counted.
    spot: dict[str, Any] = {
        "spot_base": 1,
        "spot_share": 1.0,
        "spot_interruptions_per_task_hour": 60.0,
        "thresholds": (0.5, 1.0, 2.0),
        "running_after_s": 60,
        "unbilled_s": 60,
        "ready_wait_s": (5, 20, 30),
        **fixed(3),
    }
    result = run([0.0] * 3, **spot)
    assert result.interruptions == 2
    assert (result.running_s, result.pending_s) == ([180, 60, 180], [0, 120, 0])
    assert result.healthy_s == [180, 60, 180 - 5 - 20]
    assert (result.billed_s, result.draining_s) == ([180, 60 + 120, 180 + 120], [0, 120, 120])
    assert result.spot_billed_s == [120, 120, 120 + 120]
    # It took no draw: a task that is launched at 120 runs from 180 and is healthy 30 s later.
    assert run([0.0] * 4, bounds=((2, 4, 4, 0),), **spot).healthy_s[3] == 180 + 30
    # Tasks that start at once run in that very second, and can be interrupted at once.
    result = run([0.0] * 2, **{**spot, "running_after_s": 0, "unbilled_s": 0})
    assert (result.interruptions, result.running_s, result.billed_s) == (3, [180, 180], [180, 180 + 3 * 60])
    # Without Spot tasks none is reached.
    assert run([0.0] * 3, **{**spot, "spot_base": 3}).interruptions == 0


def test_a_long_shortage_takes_no_more_than_the_spot_tasks():
    # 2 tasks of On-Demand under 4 of Spot; a shortage of 20 hours, a threshold every 0.5, and 1/4 of exposure from every
    # Spot task that runs for a step. Step 0: 1.0, two at 60; step 1: 1.5, one at 120; step 2: 1.75; step 3: 2.0, the last
    # at 240. From then on nothing is left that could be interrupted.
    spot: dict[str, Any] = {
        "spot_base": 2,
        "spot_share": 1.0,
        "spot_interruptions_per_task_hour": 15.0,
        "thresholds": [0.5 * n for n in range(1, 1000)],
        "shortages": ((0, 20 * 3600),),
        **fixed(6),
        **STARTS,
    }
    result = run([0.0] * 1201, **spot)
    assert result.interruptions == 4
    assert min(result.running_s) == min(result.healthy_s) == min(result.billed_s) == 2 * 60
    assert result.running_s[:6] == result.healthy_s[:6] == [360, 240, 180, 180, 120, 120]
    # The warnings: two of [60, 180), one of [120, 240), one of [240, 360).
    assert result.draining_s[:7] == [0, 120, 180, 60, 60, 60, 0]
    assert result.billed_s[:7] == [360, 360, 360, 240, 180, 180, 120]
    assert result.running_s[6:1200] == result.healthy_s[6:1200] == result.billed_s[6:1200] == [120] * 1194
    assert [all_s - spot_s for all_s, spot_s in zip(result.billed_s, result.spot_billed_s, strict=True)] == [120] * 1201
    # At 72000 the four replacements are launched, billed 10 s and running 23 s later; w = 7, 30, 7, 30.
    assert result.pending_s[6:1201] == [240] * 1194 + [4 * 23]
    assert result.billed_s[1200] == 120 + 4 * 50
    assert result.running_s[1200] == 120 + 4 * 37
    assert result.healthy_s[1200] == 120 + 2 * 30 + 2 * 7
    # They run for 37 s of that step: 2.0 + 4 x 37/240 = 2.6 reaches one more, at 72060.
    assert run([0.0] * 1202, **spot).interruptions == 5


def test_an_interrupted_task_is_billed_its_minimum_and_drains_healthy_or_not():
    # At 60 a Spot task joins 2 of On-Demand: billed from 70, running from 83, and with w = 90 healthy only at 173. Of
    # exposure it gives 37/3600 x 120 = 1.2: interrupted at 120, it drains until 150 and is billed until 70 + 300 = 370.
    # The one in its place is billed from 130, running from 143, healthy from 233.
    inputs: dict[str, Any] = {**STARTS, "ready_wait_s": (90,), "minimum_billed_s": 300, "spot_warning_s": 30}
    spot = {"spot_base": 2, "spot_share": 1.0, "spot_interruptions_per_task_hour": 120.0, "thresholds": (1.0,)}
    result = run([0.0] * 8, bounds=((1, 3, 3, 0),), **fixed(2), **inputs, **spot)
    assert (result.interruptions, result.launched) == (1, 1)
    assert result.spot_billed_s == [0, 50, 60 + 50, 120, 120, 120, 10 + 60, 60]
    assert result.billed_s == [120 + spot_s for spot_s in result.spot_billed_s]
    assert result.pending_s == [0, 23, 23, 0, 0, 0, 0, 0]
    assert result.running_s == [120, 120 + 37, 120 + 37, 180, 180, 180, 180, 180]
    assert result.healthy_s == [120, 120, 120, 120 + 7, 180, 180, 180, 180]
    assert result.draining_s == [0, 0, 30, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("threshold", "interruptions"), [(3.49, 1), (3.51, 0)])
def test_exposure_is_the_time_in_which_spot_tasks_run(threshold: float, interruptions: int):
    # 2 Spot tasks, a task-minute gives 1. Step 0: 2. Idle, and known 30 s later: at 90 one goes. Step 1: 1 + 1/2.
    result = run(
        [0.0] * 3,
        policies=(tracking(lag_s=30),),
        spot_share=1.0,
        spot_interruptions_per_task_hour=60.0,
        thresholds=(threshold,),
        **starting_with(2),
    )
    assert (result.desired_count, result.running_s[1], result.interruptions) == ([2, 1, 1], 90, interruptions)


def test_the_topmost_is_interrupted_and_its_place_is_kept():
    # Of 3 Spot tasks the topmost is interrupted at 60, in a shortage. At 120 one goes: its replacement, which is on top
    # of the stack and was never billed. Two run all the time. The next interruption is that of place 2, so that at 240
    # again one goes that is pending.
    spot: dict[str, Any] = {
        "spot_share": 1.0,
        "spot_interruptions_per_task_hour": 60.0,
        "thresholds": (3.0, 7.0),  # 3 with step 0, then 2 with each of steps 1 and 2
        "shortages": ((60, 6000),),
        "spot_warning_s": 30,
    }
    result = run([0.0] * 5, bounds=((2, 2, 2, 0), (4, 1, 1, 0)), drain_s=30, **spot, **fixed(3))
    assert (result.interruptions, result.removed) == (2, 2)
    assert result.running_s == result.healthy_s == [180, 120, 120, 60, 60]
    assert result.pending_s == [0, 60, 0, 60, 0]
    assert result.billed_s == [180, 120 + 30, 120, 60 + 30, 60]
    assert result.draining_s == [0, 30, 0, 30, 0]


def test_a_replacement_is_launched_outside_the_bucket_and_takes_the_next_draw():
    # At 60 the Spot task of two is interrupted (w = 10), then a third one launched (w = 40), both at once, though the
    # bucket has one place: running from 83, healthy from 93 and 123. A fourth one has to wait until 160.
    spot = {"spot_base": 1, "spot_share": 1.0, "spot_interruptions_per_task_hour": 60.0, "thresholds": (1.0,)}
    inputs: dict[str, Any] = {**STARTS, **spot, "ready_wait_s": (10, 40), "launch_per_s": 0.01, **fixed(2)}
    result = run([0.0] * 4, bounds=((1, 3, 3, 0), (2, 4, 4, 0)), **inputs)
    assert result.pending_s == [0, 23 + 23, 60, 3]
    assert result.running_s == [120, 60 + 2 * 37, 180, 180 + 57]
    assert result.healthy_s == [120, 60 + 27, 60 + 60 + 57, 180 + 47]


def test_a_replacement_that_never_takes_place_gives_a_place_in_the_bucket_back():
    # One launch every 300 s; place 2 of 2 is Spot, and interrupted at 60 in a shortage until 300. A third task, launched
    # at 60, takes the place in the bucket: the next one is free at 360. At 120 both are removed, the replacement before
    # its 300: the next one is free at 60. At 180 places 2 and 3 are launched again: place 2 at 180, which is 300 for Spot,
    # and place 3 at 180 + 300.
    spot = {
        "spot_share": 0.5,
        "spot_interruptions_per_task_hour": 60.0,
        "thresholds": (1.0,),
        "shortages": ((60, 300),),
    }
    bounds = ((1, 3, 3, 0), (2, 1, 1, 0), (3, 3, 3, 0))
    result = run([0.0] * 12, bounds=bounds, launch_per_s=1 / 300, **spot, **fixed(2))
    assert (result.interruptions, result.launched, result.removed) == (1, 3, 2)
    assert result.running_s == [120, 120, 60, 60, 60, 120, 120, 120, 180, 180, 180, 180]


# --- The order within a step (rule 27) ----------------------------------------------------------------------------------


def test_order_within_a_step():
    # At 60: the bounds raise 2 to 4; the deployment has D = 4; the zone loses ceil(4/2) = 2; then the decision: 2 still running
    # (the deployment does not change that) x 2 = 4. Nothing takes time to start: E = 60 + 30 = 90, running + 4 over [60, 90),
    # billed + 4 over [60, 100); the zone - 2 over [60, 80).
    deployments = (deploy(1, "shifted", bake_s=30),)
    result = run(
        [2.0] * 2,
        min_capacity=2,
        bounds=((1, 4, 100, 0),),
        deployments=deployments,
        zone_losses=(1,),
        zones=2,
        zone_detection_s=20,
        drain_s=10,
    )
    assert result.desired_count == [2, 4]
    assert result.running_s == [120, 4 * 60 + 4 * 30 - 2 * 20]
    assert result.billed_s == [120, 4 * 60 + 4 * 40 - 2 * 20]
    assert result.healthy_s == [120, 4 * 60 - 2 * 20]
    assert result.draining_s == [0, 4 * 10]
    assert result.replaced == 4 + 2


def test_a_deployment_draws_before_the_loss_of_a_zone():
    # Both at 60, of the only task. The deployment has w = 10: ready after 33 s, running + 1 over [83, 93), billed + 1 over
    # [70, 128). The lost one has w = 40: running again from 143, healthy from 183, billed from 130.
    inputs: dict[str, Any] = {**STARTS, "ready_wait_s": (10, 40), "zones": 1, **fixed(1)}
    result = run([0.0] * 4, deployments=(deploy(1, "rolling"),), zone_losses=(1,), **inputs)
    assert result.billed_s == [60, 50, 60 + 8 - 10, 60]
    assert result.running_s == [60, 10, 37, 60]
    assert result.healthy_s == [60, 0, 0, 57]
    assert result.draining_s == [0, 27, 8, 0]  # [93, 128)


# --- Any scenario -------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(inputs=scenarios())
def test_nothing_is_lost(inputs: ReferenceInputs):
    """In every step what comes is served, refused or waits; and every request is in one histogram."""
    inputs = dataclasses.replace(inputs, record_from=0)
    result = simulate_reference(inputs)
    arrivals = [rate * inputs.step_s for rate in inputs.requests_per_s]
    old_queue = 0.0
    for k, came in enumerate(arrivals):
        went = result.served[k] + result.refused[k] + result.queue[k] - old_queue
        assert went == pytest.approx(came, rel=1e-9, abs=1e-9)
        assert min(result.served[k], result.refused[k], result.queue[k]) >= 0
        old_queue = result.queue[k]
    counted = sum(result.histogram) + sum(result.wait_histogram) + result.refused_bin
    assert counted == pytest.approx(sum(arrivals), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(inputs=scenarios())
def test_counts_stay_within_bounds(inputs: ReferenceInputs):
    inputs = dataclasses.replace(inputs, record_from=0, max_tasks=NO_LIMIT)
    result = simulate_reference(inputs)
    low, high, floor = inputs.min_capacity, inputs.max_capacity, 0
    changes = {step: (low, high, floor) for step, low, high, floor in inputs.bounds}
    for k, desired_count in enumerate(result.desired_count):
        low, high, floor = changes.get(k, (low, high, floor))
        assert max(low, min(floor, high)) <= desired_count <= high
    assert result.desired_count[-1] == inputs.min_capacity + result.launched - result.removed
    # Without adjustments, a task that is healthy runs, and one that runs is billed.
    plain = dataclasses.replace(inputs, deployments=(), zone_losses=())
    result = simulate_reference(plain)
    for healthy_s, running_s, billed_s in zip(result.healthy_s, result.running_s, result.billed_s, strict=True):
        assert healthy_s <= running_s <= billed_s


# What happens in the scenarios, and in how many of 300 of them at least: half of what was found when this was written.
LIVELY = {
    "On-Demand and drains beside Spot": 25,
    "Spot and drains": 27,
    "Spot tasks": 56,
    "Spot's billed seconds would be negative": 4,
    "a later wave begins at the start of a step": 14,
    "a later wave begins inside a step": 16,
    "a place in the bucket is given back": 16,
    "a predictive floor raises the count": 34,
    "a queue is worked off": 60,
    "a replacement is removed before it takes place": 1,
    "a requests datapoint of 0": 18,
    "a step alarm acts and no step fits": 30,
    "a step alarm is in ALARM and does not act": 25,
    "a step policy wants by ChangeInCapacity": 22,
    "a step policy wants by ExactCapacity": 22,
    "a step policy wants by PercentChangeInCapacity": 12,
    "a step policy wants by a remembered base": 8,
    "a wave replaces tasks of both kinds": 16,
    "a wave stops and starts Spot tasks": 4,
    "an interruption finds no Spot task that runs": 6,
    "billed seconds would be negative": 11,
    "bounds lower the count": 43,
    "bounds raise the count": 54,
    "cpu datapoint of 100 percent": 46,
    "deployment while one is going on": 18,
    "drains, then is billed on": 12,
    "healthy seconds would be negative": 22,
    "high, but enough tasks are there or on their way": 83,
    "in agreed by several": 10,
    "in agreed by several of target tracking": 4,
    "in blocked by a deployment": 10,
    "in blocked by a policy that does not agree": 9,
    "in blocked by the cooldown": 20,
    "in by a datapoint known before": 8,
    "in by step on cpu": 17,
    "in by step on memory": 6,
    "in by step on requests": 8,
    "in by steps and target tracking": 4,
    "in by steps though target tracking does not agree": 16,
    "in by target_tracking on cpu": 25,
    "in by target_tracking on memory": 18,
    "in by target_tracking on requests": 12,
    "in with different wants": 4,
    "interrupted, drains, then is billed on": 8,
    "interruption": 29,
    "interruption below a Spot task": 11,
    "interruption below the top of the stack": 19,
    "interruption in a shortage": 9,
    "interruption of a replacement": 24,
    "interruption of a task that is not healthy": 11,
    "launch does not fit": 34,
    "launch waits for the bucket": 23,
    "launch waits for the bucket and a shortage": 6,
    "launch waits for the end of a shortage": 23,
    "loss of Spot tasks": 15,
    "loss of a zone": 56,
    "loss of tasks of both kinds": 14,
    "lost tasks with different waits": 18,
    "memory datapoint of 100 percent": 29,
    "missing cpu datapoint": 36,
    "missing memory datapoint": 23,
    "missing requests datapoint": 35,
    "no capacity": 62,
    "no tasks": 35,
    "out by step on cpu": 16,
    "out by step on memory": 8,
    "out by step on requests": 10,
    "out by target_tracking on cpu": 37,
    "out by target_tracking on memory": 21,
    "out by target_tracking on requests": 21,
    "out cancels a scale-in cooldown": 18,
    "out during a deployment": 10,
    "out inside the policy's scale-out cooldown": 6,
    "out with different wants": 7,
    "over capacity": 134,
    "policies decide together": 45,
    "removed before it runs": 26,
    "removed before its billing": 24,
    "removed healthy": 91,
    "removed in the second it is healthy and billed from": 5,
    "removed running, not healthy": 12,
    "removed within its minimum billing": 21,
    "requests are refused": 122,
    "requests wait": 63,
    "requests wait and others are refused": 44,
    "requests wait for more than a minute": 25,
    "requests wait for more than an hour": 3,
    "rolling deployment": 41,
    "rolling deployment of several waves": 28,
    "rolling deployment stuck for want of room": 3,
    "rolling deployment that starts and stops": 18,
    "rolling deployment that stops first": 34,
    "rolling deployment with less room than it asks for": 9,
    "running seconds would be negative": 18,
    "several interruptions at once": 15,
    "several waves begin in one step": 11,
    "shifted deployment": 32,
    "shifted deployment stuck for want of room": 13,
    "shifted deployment with Spot tasks": 12,
    "slow, not over capacity": 86,
    "stuck deployment": 39,
    "tasks drain": 100,
    "tasks drain and none runs": 34,
    "tasks of a deployment with different waits": 16,
    "tasks of both kinds": 53,
}


def test_scenarios_are_lively():
    """The agreement below is worth something only if everything happens in the scenarios, and often."""
    happened: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(inputs=scenarios())
    def count(inputs: ReferenceInputs) -> None:
        simulation = Simulation(inputs)
        simulation.run()
        for what, times in simulation.seen.items():
            if times:
                happened[what] += 1
                event(what)

    count()
    assert {what: happened[what] for what, least in LIVELY.items() if happened[what] < least} == {}


# --- The kernel ---------------------------------------------------------------------------------------------------------

COUNT_SERIES = (
    *("desired_count", "running_s", "healthy_s", "pending_s", "billed_s", "draining_s", "spot_billed_s"),
    "moved_by",
)
FIGURE_SERIES = ("served", "refused", "queue", "utilization")
HOURS = ("billed_s_by_hour", "spot_billed_s_by_hour")
COUNTS = (*COUNT_SERIES, *HOURS)
FIGURES = (*FIGURE_SERIES, "histogram", "wait_histogram")
COUNT_TOTALS = (
    *("billed_task_s", "spot_task_s", "running_task_s", "launched", "removed", "replaced"),
    *("steps_over_capacity", "slow_steps", "peak_desired_count", "interruptions", "stuck_deployments"),
)
FIGURE_TOTALS = ("refused_requests", "peak_utilization", "peak_queue", "refused_bin")
# Of the same name in the kernel's outcome.
SERIES = (*COUNT_SERIES, *FIGURE_SERIES, "datapoints")
TOTALS = tuple(name for name in (*COUNT_TOTALS, *FIGURE_TOTALS) if name not in ("spot_task_s", "refused_bin"))


def kernel_result(inputs: ReferenceInputs, compiled: bool) -> ReferenceResult:
    """The one place that knows how the kernel is called and what its outcome looks like."""
    policies = tuple(PolicyInputs(**_values(policy)) for policy in inputs.policies)
    simulation = SimulationInputs(**{**_values(inputs), "policies": policies})
    outcome = run_inputs(simulation, keep=True, compiled=compiled, hours=True)
    series = outcome.series
    assert series is not None
    return ReferenceResult(
        **{name: getattr(series, name).tolist() for name in SERIES},
        **{name: getattr(outcome, name) for name in TOTALS},
        **{name: getattr(outcome, name).tolist() for name in HOURS},
        spot_task_s=outcome.spot_billed_task_s,
        histogram=outcome.utilization_histogram.tolist(),
        wait_histogram=outcome.wait_histogram[:-1].tolist(),
        refused_bin=outcome.wait_histogram[-1],
    )


def _values(of: ReferenceInputs | ReferencePolicy) -> dict[str, Any]:
    """The fields one to one."""
    return {field.name: getattr(of, field.name) for field in dataclasses.fields(of)}


def differences(expected: ReferenceResult, outcome: ReferenceResult) -> list[str]:
    """Where the kernel's outcome is not what the reference says: counts exactly, figures to 1e-12."""
    found = []
    for names, is_series, same in (
        (COUNTS, True, _same_count),
        (FIGURES, True, _same_figure),
        (COUNT_TOTALS, False, _same_count),
        (FIGURE_TOTALS, False, _same_figure),
    ):
        for name in names:
            ours, theirs = getattr(expected, name), getattr(outcome, name)
            found += _different(name, ours, theirs, same) if is_series else _different(name, [ours], [theirs], same)
    if len(outcome.datapoints) != len(expected.datapoints):
        found.append(f"datapoints: of {len(outcome.datapoints)} policies, not {len(expected.datapoints)}")
    for number, (ours, theirs) in enumerate(zip(expected.datapoints, outcome.datapoints, strict=False)):
        found += _different(f"datapoints of policy {number}", ours, theirs, _same_figure)
    return found


def _different(name: str, ours: Any, theirs: Any, same: Any) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{name}: {len(theirs)} values, not {len(ours)}"]
    for place, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        if not same(our, their):
            return [f"{name}[{place}] is {their!r}, not {our!r}"]
    return []


def _same_count(ours: int, theirs: Any) -> bool:
    return bool(ours == theirs)


def _same_figure(ours: float, theirs: Any) -> bool:
    if math.isnan(ours):
        return math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12)


def test_differences_are_found():
    """The comparison itself: equal to itself, and not to anything that differs in one value."""
    expected = run([2.0, 5.0, 0.0], policies=(tracking(), tracking("requests", 1e6)), min_capacity=2)
    assert math.isnan(expected.datapoints[1][2])
    assert differences(expected, expected) == []
    for name in (*COUNTS, *FIGURES):
        changed = [getattr(expected, name)[0] + 1, *getattr(expected, name)[1:]]
        assert len(differences(expected, dataclasses.replace(expected, **{name: changed}))) == 1
    for name in (*COUNT_TOTALS, *FIGURE_TOTALS):
        changed = getattr(expected, name) + 1
        assert len(differences(expected, dataclasses.replace(expected, **{name: changed}))) == 1
    assert len(differences(expected, dataclasses.replace(expected, datapoints=expected.datapoints[:1]))) == 1
    there = [expected.datapoints[0], [*expected.datapoints[1][:2], 0.0]]
    assert len(differences(expected, dataclasses.replace(expected, datapoints=there))) == 1
    assert {field.name for field in dataclasses.fields(expected)} == {
        *COUNTS,
        *FIGURES,
        *COUNT_TOTALS,
        *FIGURE_TOTALS,
        "datapoints",
    }


@pytest.mark.parametrize("compiled", [False, True], ids=["uncompiled", "compiled"])
@settings(max_examples=250, deadline=None)
@given(inputs=scenarios())
def test_kernel_equals_reference(inputs: ReferenceInputs, compiled: bool):
    assert differences(simulate_reference(inputs), kernel_result(inputs, compiled)) == []


@pytest.mark.parametrize("compiled", [False, True], ids=["uncompiled", "compiled"])
def test_launches_that_never_took_place_give_their_places_back(compiled: bool):
    """Rule 6: launches that are removed before they take place do not hold up those that follow."""
    # One launch every 100 s. Seven times 18 tasks are launched and removed a minute later, when only the first of them
    # has taken place: the last at second 780, so that the launches of 18 more at second 900 need not wait.
    anything: dict[str, Any] = {"metric": "requests", "adjustment_type": "ExactCapacity"}
    policies = (
        stepping("up", 60.0, (0, math.inf, 20), **anything),
        stepping("down", 1.0, (-math.inf, 0, 2), **anything),
    )
    load = [3.0, 0.01] * 7 + [500.0] * 240
    inputs = case(load, policies=policies, launch_per_s=0.01, **starting_with(2, low=2, high=20))
    expected = simulate_reference(inputs)
    assert (expected.launched, expected.removed) == (8 * 18, 7 * 18)
    # The first of them runs from second 900, step 15; the second from second 1000, 20 s before step 16 ends.
    assert expected.running_s[14:17] == [120, 120 + 60, 180 + 20]
    assert differences(expected, kernel_result(inputs, compiled)) == []


@pytest.mark.parametrize("compiled", [False, True], ids=["uncompiled", "compiled"])
def test_a_task_that_is_never_billed_does_not_drain(compiled: bool):
    """Rules 10 and 11: removed in the second in which it would be billed and healthy, by the kernel too."""
    inputs = case([2.0, 0.0, 0.0], min_capacity=2, unbilled_s=60, running_after_s=60, drain_s=30)
    expected = simulate_reference(inputs)
    assert (expected.removed, expected.draining_s) == (1, [0, 0, 0])
    assert differences(expected, kernel_result(inputs, compiled)) == []
