"""The reference against figures worked out by hand from docs/simulation.md."""

import math
from typing import Any

import pytest

from tests.simulation.reference import Alarm, ReferenceInputs, ReferenceResult, Task, simulate_reference


def run(demand_vcpu: list[float], **changes: Any) -> ReferenceResult:
    """Simulate tasks of 1 vCPU that start at once, one-datapoint alarms without lag, and one request per step."""
    values: dict[str, Any] = {
        "demand_vcpu": demand_vcpu,
        "requests": [1.0] * len(demand_vcpu),
        "record_from": 0,
        "step_s": 60,
        "task_vcpu": 1.0,
        "min_capacity": 1,
        "max_capacity": 100,
        "target_value": 50,
        "scale_out_cooldown_s": 300,
        "scale_in_cooldown_s": 300,
        "disable_scale_in": False,
        "metric_lag_s": 0,
        "scale_out_datapoints": 1,
        "scale_in_datapoints": 1,
        "low_factor": 0.9,
        "scale_in_step_percent": 10.0,
        "unbilled_s": 0,
        "running_after_s": 0,
        "ready_wait_s": [0],
        "drain_s": 0,
        "minimum_billed_s": 60,
    }
    return simulate_reference(ReferenceInputs(**{**values, **changes}))


def test_constant_load_on_a_fixed_count():
    # 2 tasks of 1 vCPU, 1.5 vCPU of demand: utilization 0.75, metric 75 > 50, but max = 2.
    # Recorded are steps 10 to 29: 20 steps of 60 s, so 2 x 1200 = 2400 task-seconds. Bin 0.75 x 512 = 384.
    result = run([1.5] * 30, record_from=10, min_capacity=2, max_capacity=2, requests=[7.0] * 30)
    assert result.desired_count == [2] * 20
    assert result.running_s == result.healthy_s == result.billed_s == [120] * 20
    assert result.utilization == [0.75] * 20
    assert result.metric_percent == [75.0] * 20
    assert result.billed_task_s == 2400
    assert (result.launched, result.removed) == (0, 0)
    assert (result.steps_over_capacity, result.unserved_vcpu_s) == (0, 0.0)
    assert (result.peak_desired_count, result.peak_utilization) == (2, 0.75)
    assert len(result.histogram) == 513
    assert {i: r for i, r in enumerate(result.histogram) if r} == {384: 140.0}


def test_full_is_not_over_capacity_and_more_is_not_served():
    # Capacity 2 x 60 = 120 vCPU-s. Demand 2: work 120, utilization 1, last bin below "over" (511), metric 100.
    # Demand 5: work 300, utilization 2.5, 180 vCPU-s not served and not carried over; metric still 100.
    # Demand 0: utilization and metric 0, bin 0.
    result = run([2.0, 5.0, 0.0], min_capacity=2, max_capacity=2, requests=[10.0, 20.0, 0.5])
    assert result.utilization == [1.0, 2.5, 0.0]
    assert result.metric_percent == [100.0, 100.0, 0.0]
    assert (result.steps_over_capacity, result.unserved_vcpu_s) == (1, 180.0)
    assert result.peak_utilization == 2.5
    assert {i: r for i, r in enumerate(result.histogram) if r} == {0: 0.5, 511: 10.0, 512: 20.0}


def test_a_rounding_error_is_not_over_capacity():
    # 3 tasks of 0.1 vCPU hold 180 x 0.1 = 18 vCPU-s; in floating point (0.1 + 0.2) x 60 is a hair more.
    assert (0.1 + 0.2) * 60 > 180 * 0.1
    result = run([0.1 + 0.2], min_capacity=3, max_capacity=3, task_vcpu=0.1)
    assert result.steps_over_capacity == 0
    assert result.metric_percent == [100.0]
    assert result.histogram[511] == 1.0


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
        scale_out_datapoints=3,
        scale_in_datapoints=15,
        metric_lag_s=90,
        unbilled_s=10,
        running_after_s=23,
        ready_wait_s=[7, 17],
    )
    assert result.desired_count == [2] * 9 + [4] * 5 + [8] * 5 + [16] * 5 + [20] * 2
    assert result.running_s[8:11] == [120, 134, 240]
    assert result.healthy_s[8:11] == [120, 120, 230]
    assert result.billed_s[8:11] == [120, 160, 240]
    assert result.metric_percent[4:6] == [25.0, 100.0]
    assert result.metric_percent[9:11] == [89.552239, 95.833333]
    assert (result.launched, result.removed) == (18, 0)


def test_two_tasks_scale_in_only_at_half_of_the_target():
    # Step 0 saturates 1 task; at t = 60: want = 1 x 100/50 = 2.
    # 0.52 vCPU on 2 tasks: metric 26 < 45, AlarmLow, but want = ceil(1.04) = 2: no scale-in.
    # From step 30 on 0.5 vCPU: metric 25, want = ceil(1) = 1; decided in step 31.
    demand = [1.0] + [0.52] * 29 + [0.5] * 3
    result = run(demand)
    assert result.desired_count == [1] + [2] * 30 + [1] * 2
    assert run(demand, disable_scale_in=True).desired_count == [1] + [2] * 32


def test_the_target_itself_is_not_high():
    # Datapoint 0 is 50, equal to the target; 1 and 2 are 100. Two high ones are there with datapoint 2, in step 3.
    assert run([0.5] + [1.0] * 3, scale_out_datapoints=2).desired_count == [1, 1, 1, 2]


def test_pending_tasks_stay_unless_the_running_ones_are_too_many():
    # At 60 a second task is launched that runs only from 660. Then metric 40 < 45 on the 1 running task:
    # want = ceil(0.8) = 1 is not < 1, so nothing is removed although desired_count is 2.
    assert run([1.0] + [0.4] * 3, running_after_s=600).desired_count == [1, 2, 2, 2]


def test_the_low_threshold_itself_is_not_low():
    # 10 saturated tasks become 20. 9 vCPU: metric 45, want = 18 < 20, but 45 is not < 0.9 x 50 = 45: no AlarmLow.
    # 8.99 vCPU in step 3: metric 44.95, want = ceil(17.98) = 18, and 10 percent of 20 tasks are 2: 18 in step 4.
    result = run([10.0, 9.0, 9.0, 8.99, 8.99], min_capacity=10)
    assert result.metric_percent[1:4] == [45.0, 45.0, 44.95]
    assert result.desired_count == [10, 20, 20, 20, 18]


def test_scale_in_waits_for_fifteen_low_datapoints_and_the_lag_then_drains():
    # Steps 0-2: 1 task saturated. Lag 150 = 2 x 60 + 30: in step k datapoint k - 3, at second 60 k + 30.
    # AlarmHigh with datapoint 2 in step 5 (t = 330): 2 tasks. No load from step 3 on: low datapoints 3 to 17;
    # datapoint 17 ends at 1080 and is known at 1080 + 150 = 1230, in step 20. want = max(0, 2 - 1, 1) = 1.
    # The healthy task stops at 1230 and drains until 1230 + 40 = 1270:
    #   step 5 [300, 360): launched at 330: 60 + 30 = 90 running and billed
    #   step 20 [1200, 1260): running 60 + 30 = 90, billed 120; step 21: running 60, billed 60 + 10 = 70.
    result = run([1.0] * 3 + [0.0] * 20, scale_out_datapoints=3, scale_in_datapoints=15, metric_lag_s=150, drain_s=40)
    assert result.desired_count == [1] * 5 + [2] * 15 + [1] * 3
    assert result.running_s == [60] * 5 + [90] + [120] * 14 + [90] + [60] * 2
    assert result.healthy_s == result.running_s
    assert result.billed_s == [60] * 5 + [90] + [120] * 15 + [70] + [60]
    assert (result.launched, result.removed) == (1, 1)
    # Recorded from step 20 on, the launch lies in the warm-up: 120 + 70 + 60.
    late = run(
        [1.0] * 3 + [0.0] * 20,
        scale_out_datapoints=3,
        scale_in_datapoints=15,
        metric_lag_s=150,
        drain_s=40,
        record_from=20,
    )
    assert (late.billed_task_s, late.launched, late.removed, late.peak_desired_count) == (250, 0, 1, 1)


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
    assert result.billed_s == billed_s
    assert (result.launched, result.removed) == (1, 1)


def test_larger_scale_out_inside_the_cooldown_uses_its_base():
    # 2 tasks, 1.2 vCPU: metric 60; at 60 want = ceil(2 x 60/50 = 2.4) = 3, base 2, cooldown until 360.
    # Then saturated: at 120 want = 2 x 100/50 = 4 (not 3 x 2 = 6): one more, the cooldown now ends at 420.
    # At 360 still base 2. At 420 (k = 7) the base is the 4 running tasks: 8.
    result = run([1.2] + [9.0] * 7, min_capacity=2)
    assert result.desired_count == [2, 3, 4, 4, 4, 4, 4, 8]


def test_scale_in_cooldown_blocks_and_scale_out_cancels_it():
    # No scale-out cooldown. Saturated in steps 0-2: 1 -> 2 -> 4 -> 8. Idle in step 3: at 240 ten percent of 8 is
    # less than one task, so one goes: 7, cooldown until 540. Idle in step 4: at 300 blocked. Saturated in step 5:
    # at 360 7 x 2 = 14, which cancels the cooldown; idle in step 6: at 420 14 - 1 = 13, until 720 (step 12): 12.
    result = run([1.0, 4.0, 4.0, 0.0, 0.0, 7.0] + [0.0] * 7, scale_out_cooldown_s=0)
    assert result.desired_count == [1, 2, 4, 8, 7, 7, 14, 13, 13, 13, 13, 13, 12]
    # 10 percent of 20 tasks are 2: 10 -> 20 -> 18 at 120; the cooldown of 60 s is over at 180, floor(1.8) = 1: 17.
    result = run([10.0, 0.0, 0.0, 0.0], min_capacity=10, scale_in_cooldown_s=60)
    assert result.desired_count == [10, 20, 18, 17]


def test_of_tasks_launched_together_the_last_goes_first():
    # 2 tasks saturated: at 60 two more, i = 0 healthy at once, i = 1 only at 1060.
    # Idle: at 120 want = max(0, 4 - 1, 2) = 3.
    # i = 1 goes; it was never healthy, so it is billed [60, 120) and does not drain.
    # (Were it i = 0, step 2 would have healthy 120 and billed 180 + 30.)
    result = run([2.0, 0.0, 0.0], min_capacity=2, ready_wait_s=[0, 1000], drain_s=30)
    assert result.desired_count == [2, 4, 3]
    assert result.running_s == [120, 240, 180]
    assert result.healthy_s == [120, 180, 180]
    assert result.billed_s == [120, 240, 180]


def test_no_tasks_no_datapoint():
    # Work 3 x 60 = 180 vCPU-s and nothing to serve it; without work nothing is over capacity.
    result = run([3.0, 0.0], min_capacity=0)
    assert result.utilization == [math.inf, 0.0]
    assert all(math.isnan(m) for m in result.metric_percent)
    assert (result.steps_over_capacity, result.unserved_vcpu_s, result.peak_utilization) == (1, 180.0, math.inf)
    assert (result.histogram[0], result.histogram[512]) == (1.0, 1.0)


def test_alarm_needs_an_unbroken_run():
    alarm = Alarm(lambda m: m > 50, needed=3)
    states = []
    for datapoint in [51.0, 51.0, None, 51.0, 51.0, 50.0, 50.000001, 99.0, 100.0, 100.0]:
        alarm.receive(datapoint)
        states.append(alarm.in_alarm)
    assert states == [False] * 8 + [True] * 2  # a missing datapoint and one equal to the threshold both break the run


def test_task_is_running_and_healthy_from_its_first_second():
    # Launched at 100, billed from 110, running from 123, healthy from 123 + 7 = 130.
    def task() -> Task:
        return Task(index=0, launched_at=100, billed_from=110, running_at=123, healthy_at=130)

    assert not task().is_running(122)
    assert task().is_running(123)
    early, late = task(), task()
    early.remove(129, drain_s=330, minimum_billed_s=60)  # not yet healthy: 110 + 60
    late.remove(130, drain_s=330, minimum_billed_s=60)  # healthy: 130 + 330
    assert (early.billed_until, late.billed_until) == (170, 460)
    assert not late.is_running(130)
    assert late.running_seconds(60, 180) == 7
    assert late.healthy_seconds(60, 180) == 0
    assert late.billed_seconds(60, 180) == 70
