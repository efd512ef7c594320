"""The time loop: what arithmetic says, the same compiled and not, whatever of it is compiled in; nothing is lost."""

import itertools
import math
from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.simulation.compiled import compiled_run
from estimator.simulation.features import FEATURES
from estimator.simulation.inputs import PolicyInputs, SimulationInputs, features_of
from estimator.simulation.outcome import Outcome, OutcomeSeries, run_inputs
from estimator.simulation.variants import ALL

# Target tracking that acts with each datapoint.
AT_ONCE = {"scale_out_datapoints": 1, "scale_in_datapoints": 1, "scale_out_cooldown_s": 0, "scale_in_cooldown_s": 0}

followed = partial(run_inputs, hours=True)


def check_equal(one: Outcome, other: Outcome) -> None:
    for item in fields(Outcome):
        if item.name != "series":
            np.testing.assert_array_equal(getattr(one, item.name), getattr(other, item.name), err_msg=item.name)
    if one.series is not None and other.series is not None:
        for item in fields(OutcomeSeries):
            np.testing.assert_array_equal(
                getattr(one.series, item.name), getattr(other.series, item.name), err_msg=item.name
            )


def lean(load, target=50.0, **changes):
    """Tasks of 1 vCPU that are there at once; requests of 0.01 s; alarms of one datapoint without lag."""
    policy = {name: changes.pop(name) for name in list(changes) if name in {item.name for item in fields(PolicyInputs)}}
    values = {
        "requests_per_s": [float(x) for x in load],
        "minimum_billed_s": 0,
        "policies": (PolicyInputs(**{"target_value": target, **AT_ONCE, **policy}),),
    }
    return SimulationInputs(**{**values, **changes})


def counts(inputs, **how):
    return run_inputs(inputs, True, **{"compiled": False, **how}).series.desired_count.tolist()


# --- Closed forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "target", "tasks"),
    [
        (400, 50, 8),  # 4 vCPU / 0.5: an exact fit
        (401, 50, 9),
        (100, 60, 2),
        (1000, 70, 15),
        (350, 70, 5),
    ],
)
def test_a_constant_load_from_below_reaches_what_it_needs_and_stays(load, target, tasks):
    # tasks = ceil(load x 0.01 s / (1 vCPU x target))
    seen = counts(lean([load] * 40, target))
    assert seen[-1] == tasks
    assert seen == sorted(seen)
    assert set(seen[20:]) == {tasks}


@pytest.mark.parametrize(("load", "target"), [(400, 50), (330, 60), (95, 75), (1234, 40)])
def test_a_constant_load_from_above_stops_at_the_first_count_that_is_not_under_the_lower_threshold(load, target):
    seen = counts(lean([load] * 200, target, min_capacity=1, bounds=((0, 60, 100, 0), (5, 1, 100, 0))))
    metric = [load / n for n in seen]  # 100 x load x 0.01 / n
    assert seen[-1] == seen[-50]
    low = 0.9 * target
    # Above the last count every metric was under the threshold; a step less would lift it over the target, or it is not under.
    assert all(value < low for value, n in zip(metric, seen, strict=True) if n > seen[-1])
    assert metric[-1] >= low or load / (seen[-1] - 1) > target


@pytest.mark.parametrize(("metric", "tasks"), [(26.0, 2), (25.001, 2), (25.0, 1), (10.0, 1)])
def test_two_tasks_do_not_scale_in_until_half_the_target(metric, tasks):
    # Two tasks at m percent: 2 x m requests/s of 0.01 s.
    assert counts(lean([80] * 10 + [2 * metric] * 60))[-1] == tasks


@pytest.mark.parametrize("target", [30.0, 50.0, 75.0])
def test_a_saturated_service_grows_at_most_by_100_over_the_target_a_round(target):
    seen = counts(lean([9900] * 12, target, min_capacity=2))
    for before, after in itertools.pairwise(seen):
        assert after <= math.ceil(before * 100 / target)
    assert seen[1] == math.ceil((200 - 2e-6) / target)


def test_a_scale_out_cooldown_counts_from_the_base_and_lets_a_larger_one_through():
    # 1 task at 60 % asks for 2 at step 1. In the cooldown of 5 minutes the base is 1: 2 tasks at 60 % ask for no more than 2.
    load = [60, 60, 120, 120, 120, 120, 120, 120, 120, 120]
    seen = counts(lean(load, scale_out_cooldown_s=300))
    assert seen[:3] == [1, 2, 2]
    # The datapoint of step 2 (60 % of two) asks for ceil(1 x 1.2) = 2 until the cooldown ends at 360 s.
    assert seen[3:6] == [2, 2, 2]
    assert seen[6] == 3
    # Without one it is 3 at once.
    assert counts(lean(load))[3] == 3


def test_a_scale_in_cooldown_holds_back_the_next_one():
    load = [1000] * 12 + [10] * 40
    with_cooldown = counts(lean(load, scale_in_cooldown_s=300, scale_in_step_percent=10.0))
    falls = [k for k in range(1, len(load)) if with_cooldown[k] < with_cooldown[k - 1]]
    assert len(falls) > 3
    assert {b - a for a, b in itertools.pairwise(falls)} == {5}


def test_lag_and_datapoints_say_when():
    # Over the target from step 10 on; three datapoints, known 150 s after their periods: 10, 11, 12 end at 780 s, known at 930 s, step 15.
    seen = counts(lean([40] * 10 + [90] * 20, scale_out_datapoints=3, lag_s=150))
    assert seen[14:16] == [1, 2]


def test_twenty_seconds_are_three_times_as_fine():
    policy = PolicyInputs(period_s=60, lag_s=10, target_value=50.0, scale_out_datapoints=1)
    base = lean([40] * 9 + [90] * 30, step_s=20, policies=(policy,))
    # Period 3 (seconds 180 to 240) is known at 250 s: step 12. With 20 s periods, period 9 ends at 200 and is known at 210: step 10.
    slow = counts(base)
    fast = counts(replace(base, policies=(replace(policy, period_s=20),)))
    assert slow.index(2) == 12
    assert fast.index(2) == 10


def test_each_policy_has_its_own_datapoints_and_lower_threshold():
    # 2 saturated tasks (200/s). Requests: 6,000 a minute and target at 4,000 ask for 3 tasks at 60 s; the third high
    # datapoint of the CPU comes at 180 s: 3 tasks at 66.7 percent for a target of 50.
    cpu = PolicyInputs(target_value=50.0, **{**AT_ONCE, "scale_out_datapoints": 3})
    requests = PolicyInputs(metric="requests", target_value=4000.0, **{**AT_ONCE, "scale_in_datapoints": 2})
    inputs = lean([200] * 4, min_capacity=2, policies=(cpu, requests))
    assert counts(inputs) == [2, 3, 3, 4]
    # 4 tasks at 80/s: CPU 20; 1,200 a minute and target are low with the second datapoint, unless 0.3 x 4,000 is the
    # limit. At 3 tasks (CPU 26.7, 1,600) both want 2.
    inputs = lean([80] * 4, min_capacity=4, bounds=((0, 1, 9, 0),), policies=(cpu, requests))
    assert counts(inputs) == [4, 4, 3, 2]
    inputs = replace(inputs, policies=(cpu, replace(requests, low_factor=0.3)))
    assert counts(inputs) == [4, 4, 4, 4]


@pytest.mark.parametrize(("zero_requests_reported", "after"), [(False, [4, 4, 4, 4]), (True, [4, 3, 2, 1])])
def test_without_requests_their_metric_says_nothing_or_0(zero_requests_reported, after):
    inputs = lean(
        [0] * 4, 1000.0, metric="requests", min_capacity=4, bounds=((0, 1, 9, 0),),
        zero_requests_reported=zero_requests_reported,
    )  # fmt: skip
    assert counts(inputs) == after
    datapoints = run_inputs(inputs, True, compiled=False).series.datapoints
    np.testing.assert_array_equal(datapoints, [[0.0 if zero_requests_reported else math.nan] * 4])


def test_removed_tasks_drain():
    # 5 tasks; from 120 s on at most 2: 3 drain for 90 s, billed and not running.
    inputs = replace(lean([0] * 5, min_capacity=5, bounds=((2, 1, 2, 0),), drain_s=90), policies=())
    series = run_inputs(inputs, True, compiled=False).series
    assert series.draining_s.tolist() == [0, 0, 180, 90, 0]
    assert series.running_s.tolist() == series.healthy_s.tolist() == [300, 300, 120, 120, 120]
    assert series.billed_s.tolist() == [300, 300, 300, 210, 120]
    # Three that are launched at 60 s, and healthy 80 s later, do not drain.
    bounds = ((1, 5, 5, 0), (2, 1, 2, 0))
    inputs = replace(inputs, min_capacity=2, bounds=bounds, ready_wait_s=(80,))
    assert run_inputs(inputs, True, compiled=False).series.draining_s.sum() == 0


@pytest.mark.parametrize("compiled", [False, True])
def test_task_seconds_of_each_hour(compiled):
    # 2 tasks, from step 70 on 4, of which floor((4 - 1) / 2) = 1 is Spot; recorded from step 5 on. Hours: steps 5 to 64
    # with 2 tasks; 65 to 124, 5 of them with 2 and 55 with 4; 125 to 129 with 4.
    inputs = replace(
        lean([0] * 130, record_from=5, min_capacity=2, bounds=((70, 4, 4, 0),), spot_base=1, spot_share=0.5),
        policies=(),
    )
    outcome = followed(inputs, True, compiled=compiled)
    assert outcome.billed_s_by_hour.tolist() == [60 * 120, 5 * 120 + 55 * 240, 5 * 240]
    assert outcome.spot_billed_s_by_hour.tolist() == [0, 55 * 60, 5 * 60]
    assert outcome.series.spot_billed_s.tolist() == [0] * 65 + [60] * 60
    # Whole hours, and none at all; an hour has 180 steps of 20 s.
    assert followed(replace(inputs, record_from=10), compiled=compiled).billed_s_by_hour.shape == (2,)
    assert followed(replace(inputs, record_from=130), compiled=compiled).billed_s_by_hour.shape == (0,)
    fine = replace(inputs, step_s=20, record_from=129)
    assert followed(fine, compiled=compiled).billed_s_by_hour.tolist() == [4 * 20]
    # Without a series, and without being asked for.
    check_equal(followed(inputs, False, compiled=compiled), outcome)
    assert run_inputs(inputs, compiled=compiled).billed_s_by_hour is None


def test_a_rolling_deployment_overlaps():
    # 4 tasks, 100 to 200 percent: one wave of 4 beside the old ones; ready 30 + 30 s, drained 60 s.
    inputs = lean(
        [0] * 10, min_capacity=4, max_capacity=4, unbilled_s=10, running_after_s=30, ready_wait_s=(30,), drain_s=60,
        deployments=((2, "rolling", 100.0, 200.0, 0, 0),),
    )  # fmt: skip
    series = run_inputs(inputs, True, compiled=False).series
    # Billed +4 from 130 to 240 s, running +4 from 150 to 180 s, healthy as before.
    assert series.billed_s.tolist() == [240, 240, 240 + 4 * 50, 240 + 4 * 60, 240, 240, 240, 240, 240, 240]
    assert series.running_s.tolist() == [240, 240, 240 + 4 * 30, 240, 240, 240, 240, 240, 240, 240]
    assert series.healthy_s.tolist() == [240] * 10
    # The old ones drain from 180 to 240 s.
    assert series.draining_s.tolist() == [0, 0, 0, 4 * 60, 0, 0, 0, 0, 0, 0]
    # 50 to 100 percent: two waves of 2, stopped first; each 60 s until ready and 60 s of draining.
    inputs = replace(inputs, deployments=((2, "rolling", 50.0, 100.0, 0, 0),))
    series = run_inputs(inputs, True, compiled=False).series
    # Healthy -2 in [120, 180) and [240, 300); billed +2 in [130, 180) and [250, 300).
    assert series.healthy_s.tolist() == [240, 240, 120, 240, 120, 240, 240, 240, 240, 240]
    assert series.billed_s.tolist() == [240, 240, 340, 240, 340, 240, 240, 240, 240, 240]
    assert series.draining_s.tolist() == [0, 0, 120, 0, 120, 0, 0, 0, 0, 0]
    # 100 to 100 percent: nothing can be replaced.
    assert run_inputs(replace(inputs, deployments=((2, "rolling", 100.0, 100.0, 0, 0),))).stuck_deployments == 1


def test_a_blue_green_deployment_pays_both_for_the_bake_time():
    inputs = lean(
        [0] * 12, min_capacity=3, max_capacity=3, unbilled_s=10, running_after_s=30, ready_wait_s=(30,), drain_s=60,
        deployments=((1, "shifted", 0.0, 0.0, 60, 120), (4, "rolling", 0.0, 100.0, 0, 0)),
    )  # fmt: skip
    outcome = run_inputs(inputs, True, compiled=False)
    # End of the shift: 60 + 60 + 60 + 120 = 300 s; billed until 360 s, running 90 to 300 s. The second one finds it going on.
    assert outcome.billed_task_s == 3 * 720 + 3 * (360 - 70)
    assert outcome.running_task_s == 3 * 720 + 3 * (300 - 90)
    assert outcome.series.healthy_s.tolist() == [180] * 12
    assert outcome.series.draining_s.tolist() == [0] * 5 + [180] + [0] * 6


def test_the_loss_of_a_zone():
    inputs = lean(
        [0] * 8, min_capacity=4, max_capacity=4, unbilled_s=5, running_after_s=20, ready_wait_s=(10,), zones=3,
        zone_detection_s=60, zone_losses=(2,),
    )  # fmt: skip
    outcome = run_inputs(inputs, True, compiled=False)
    # ceil(4/3) = 2 tasks from 120 s on: unbilled for 65 s, not running for 80 s, not healthy for 90 s.
    assert outcome.billed_task_s == 4 * 480 - 2 * 65
    assert outcome.running_task_s == 4 * 480 - 2 * 80
    assert outcome.series.healthy_s.tolist() == [240, 240, 120, 180, 240, 240, 240, 240]
    assert outcome.series.draining_s.sum() == 0


def test_the_launch_rate_spreads_launches():
    # 10 tasks at second 60; 2 at once, then one each 10 s: 60, 60, 70, 80, ..., 140.
    inputs = lean([0] * 5, max_capacity=20, bounds=((1, 11, 20, 0),), launch_burst=2, launch_per_s=0.1)
    outcome = run_inputs(inputs, True, compiled=False)
    launched = [60, 60, 70, 80, 90, 100, 110, 120, 130, 140]
    assert outcome.billed_task_s == 300 + sum(300 - s for s in launched)
    assert outcome.series.pending_s.sum() == sum(s - 60 for s in launched)
    assert outcome.launched == 10


def test_a_quota_cuts_what_is_launched():
    inputs = lean([400] * 10, max_capacity=20, max_tasks=5)
    outcome = run_inputs(inputs, True, compiled=False)
    assert outcome.peak_desired_count > 5
    assert outcome.series.billed_s.max() == 300
    assert outcome.launched == 4


def test_a_queue_takes_what_fits_and_serves_it_later():
    # Capacity 100/s; at 150/s 3,000 a minute are left; 2,000 may wait for the task, for at most a minute.
    inputs = replace(lean([150, 50, 50], queue_per_task=2000, queue_timeout_s=60), policies=())
    series = run_inputs(inputs, True, compiled=False).series
    assert series.served.tolist() == [6000, 5000, 3000]
    assert series.refused.tolist() == [1000, 0, 0]
    assert series.queue.tolist() == [2000, 0, 0]
    # At most 10 s: 1,000 may wait.
    assert run_inputs(replace(inputs, queue_timeout_s=10), compiled=False).refused_requests == 2000


def test_waits_are_told_apart_up_to_an_hour():
    # 6,000 a minute are served; 31,020 come: 25,020 wait, on average 12,510 or 125.1 s; 8 log2(125,100) = 135.46.
    # Or 774,000: 768,000 wait, 384,000 on average, 3,840 s: 174.98. Or 778,000: 3,860 s: 175.04. More is in the same bin.
    for load, place in [(517.0, 135), (12900.0, 174), (12966.7, 175), (100000.0, 175)]:
        inputs = replace(lean([load], queue_per_task=1e9, queue_timeout_s=1e9), policies=())
        waits = run_inputs(inputs, compiled=False).wait_histogram
        assert waits.shape == (177,)
        assert waits[place] == load * 60
        assert waits.sum() == load * 60


def test_spot_is_interrupted_and_replaced():
    # 4 tasks, one On-Demand first, half of the others Spot: floor(3 x 0.5) = 1. Exposure 1 an hour: 1/60 a step.
    inputs = replace(
        lean([0] * 10), policies=(), min_capacity=4, spot_base=1, spot_share=0.5, spot_interruptions_per_task_hour=1.0,
        thresholds=(2.5 / 60, 100.0), spot_warning_s=120, unbilled_s=10, running_after_s=30, ready_wait_s=(20,),
    )  # fmt: skip
    outcome = run_inputs(inputs, True, compiled=False)
    # Reached at the end of step 2: at 180 s. Billed twice from 190 to 300 s, not running until 210, not healthy until 230 s.
    assert outcome.interruptions == 1
    assert outcome.billed_task_s == 4 * 600 + 110
    assert outcome.running_task_s == 4 * 600 - 30
    assert outcome.series.healthy_s.tolist() == [240, 240, 240, 190, 240, 240, 240, 240, 240, 240]
    assert outcome.series.pending_s.sum() == 30
    assert outcome.series.draining_s.tolist() == [0, 0, 0, 60, 60, 0, 0, 0, 0, 0]
    assert outcome.spot_billed_task_s == 600 + 110  # all of it the one of Spot
    np.testing.assert_array_equal(outcome.series.spot_billed_s, outcome.series.billed_s - 180)


def test_a_shortage_holds_spot_back_and_nothing_else():
    inputs = replace(
        lean([0] * 10), policies=(), bounds=((1, 3, 10, 0),), spot_base=0, spot_share=0.5, shortages=((60, 300),)
    )
    # Places 2 of 3 is Spot (floor(2 x 0.5) = 1): launched at 300 s; place 3 at 60 s.
    assert run_inputs(inputs, compiled=False).billed_task_s == 600 + 300 + 540


# --- Random inputs that use everything -------------------------------------------------------------------------


@st.composite
def policies(draw, step_s):
    kind = draw(st.sampled_from(["target_tracking", "step"]))
    metric = draw(st.sampled_from(["cpu", "memory", "requests"]))
    level = {"cpu": [30.0, 60.0, 100.0], "memory": [20.0, 40.0, 70.0], "requests": [300.0, 2000.0, 5000.0]}[metric]
    up = draw(st.booleans())
    n = draw(st.integers(1, 5))
    bounds = sorted(draw(st.lists(st.sampled_from([0.0, 1.0, 5.0, 15.0, 40.0]), min_size=1, max_size=3, unique=True)))
    edges = [*bounds, math.inf] if up else [-math.inf, *(-b for b in reversed(bounds))]
    changes = [draw(st.integers(-30, 60)) for _ in edges[1:]]
    return PolicyInputs(
        kind=kind,
        metric=metric,
        period_s=draw(st.sampled_from([60, 20] if step_s == 20 else [60])),
        lag_s=draw(st.sampled_from([0, 10, 30, 150])),
        target_value=draw(st.sampled_from(level)),
        disable_scale_in=draw(st.integers(0, 3)) == 0,
        scale_out_datapoints=draw(st.sampled_from([1, 3])),
        scale_in_datapoints=draw(st.sampled_from([1, 4])),
        low_factor=draw(st.sampled_from([0.7, 0.9, 1.0])),
        scale_out_cooldown_s=draw(st.sampled_from([0, 60, 130])),
        scale_in_cooldown_s=draw(st.sampled_from([0, 60, 130])),
        threshold=draw(st.sampled_from(level)),
        direction="up" if up else "down",
        datapoints_to_alarm=draw(st.integers(1, n)),
        evaluation_periods=n,
        steps=tuple(zip(edges, edges[1:], changes, strict=False)),
        adjustment_type=draw(st.sampled_from(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"])),
        min_adjustment_magnitude=draw(st.sampled_from([0, 1, 3])),
    )


@st.composite
def scenarios(draw):
    """Loads that rise, fall and stand still, with parameters that make everything overlap."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    level = draw(st.sampled_from([1500.0, 600.0, 100.0]))
    pieces = draw(st.lists(st.tuples(st.integers(3, 40), st.floats(0, 1), st.booleans()), min_size=2, max_size=7))
    load = []
    for length, height, noisy in pieces:
        load += (height * level * (random.uniform(0.4, 1.6, length) if noisy else np.ones(length))).tolist()
    n = len(load)
    step_s = draw(st.sampled_from([20, 60]))
    low = draw(st.integers(0, 5))
    high = max(low, 1) + draw(st.sampled_from([0, 5, 30]))

    def sometimes(strategy, otherwise):
        # By the seed: hypothesis's own booleans repeat each other, and differ with what else was imported.
        return draw(strategy) if random.random() < 0.5 else otherwise

    steps = st.integers(0, n + 3)
    bounds = tuple(
        (k, a, a + more, floor)
        for k, a, more, floor in sorted(
            sometimes(
                st.lists(
                    st.tuples(steps, st.integers(0, 8), st.integers(0, 25), st.integers(0, 30)), min_size=1, max_size=5
                ),
                [],
            )
        )
    )
    deployments = sometimes(
        st.lists(
            st.tuples(
                steps,
                st.sampled_from(["rolling", "shifted"]),
                st.sampled_from([0.0, 50.0, 75.0, 100.0]),
                st.sampled_from([100.0, 125.0, 200.0]),
                st.sampled_from([0, 90]),
                st.sampled_from([0, 300]),
            ),
            min_size=1,
            max_size=4,
        ),
        [],
    )
    unbilled_s = draw(st.sampled_from([0, 10, 25]))
    spot = draw(st.booleans())
    rate = sometimes(st.sampled_from([0.02, 0.2, 1.0]), 0.0)
    a = draw(st.integers(0, n))
    b = a + draw(st.integers(1, 10))
    c = b + draw(st.integers(1, 10))
    return SimulationInputs(
        requests_per_s=load,
        record_from=draw(st.integers(0, n - 1)),
        step_s=step_s,
        cpu_s_per_request=0.01,
        task_vcpu=1.0,
        task_memory_mib=2048.0,
        task_requests_per_s=draw(st.sampled_from([100.0, 80.0])),
        baseline_memory_mib=300.0,
        memory_mib_per_request=5.0,
        residence_s=0.3,
        queue_per_task=sometimes(st.sampled_from([50.0, 3000.0]), 0.0),
        queue_timeout_s=draw(st.sampled_from([0.0, 5.0, 90.0])),
        slow_utilization=draw(st.sampled_from([0.5, math.inf])),
        min_capacity=low,
        max_capacity=high,
        max_tasks=sometimes(st.integers(1, 12), 2**40),
        unbilled_s=unbilled_s,
        running_after_s=unbilled_s + draw(st.sampled_from([0, 13, 200])),
        ready_wait_s=tuple(draw(st.lists(st.integers(0, 100), min_size=1, max_size=5))),
        drain_s=draw(st.sampled_from([0, 7, 330])),
        minimum_billed_s=draw(st.sampled_from([0, 60, 300])),
        launch_burst=draw(st.sampled_from([1, 3, 10])),
        launch_per_s=rate,
        spot_base=draw(st.integers(0, 3)),
        spot_share=draw(st.sampled_from([0.3, 0.5, 1.0])) if spot else 0.0,
        spot_interruptions_per_task_hour=draw(st.sampled_from([0.0, 2.0, 20.0])) if spot else 0.0,
        shortages=((a * step_s, b * step_s), (c * step_s, (c + 40) * step_s)) if spot and draw(st.booleans()) else (),
        thresholds=tuple(np.cumsum(random.exponential(size=300)).tolist()) if spot else (),
        zones=draw(st.integers(1, 4)),
        zone_detection_s=draw(st.sampled_from([0, 45, 200])),
        zone_losses=tuple(sometimes(st.lists(steps, min_size=1, max_size=2), [])),
        bounds=bounds,
        deployments=tuple(sorted(deployments)),
        policies=tuple(draw(st.lists(policies(step_s), max_size=4))),
        scale_in_step_percent=draw(st.sampled_from([0.0, 10.0, 100.0])),
        alarm_reinvocation=draw(st.booleans()),
        mean_of_datapoints=draw(st.booleans()),
        zero_requests_reported=draw(st.booleans()),
    )


def lean_policies(lag_s):
    """Target tracking of the CPU; its period is set to the step of its scenario."""
    return st.builds(
        PolicyInputs,
        lag_s=lag_s,
        target_value=st.sampled_from([10.0, 30.0, 50.0, 77.7, 100.0, 130.0]),
        scale_out_datapoints=st.sampled_from([1, 3]),
        scale_in_datapoints=st.sampled_from([1, 4]),
        low_factor=st.sampled_from([0.7, 0.9, 1.0]),
    )


@settings(max_examples=200, deadline=None)
@given(scenarios())
def test_compiled_equals_uncompiled_and_more_features_change_nothing(inputs):
    compiled = followed(inputs, True, used=ALL)
    check_equal(compiled, followed(inputs, True, compiled=False, used=ALL))
    check_equal(compiled, followed(inputs, True, compiled=False))
    check_equal(compiled, followed(inputs, False, used=ALL))


@settings(max_examples=150, deadline=None)
@given(scenarios(), lean_policies(st.sampled_from([0, 7, 330])), st.booleans())
def test_the_lean_loop_equals_the_one_that_can_do_everything(inputs, policy, exact):
    policy = replace(policy, period_s=inputs.step_s)
    load = [float(round(x / 50) * 50) for x in inputs.requests_per_s] if exact else inputs.requests_per_s
    inputs = replace(
        inputs, requests_per_s=load, min_capacity=max(inputs.min_capacity, 1), policies=(policy,), mean_of_datapoints=False,
        queue_per_task=0.0, spot_share=0.0, launch_per_s=0.0, max_tasks=2**40, bounds=(), deployments=(), zone_losses=(),
    )  # fmt: skip
    assert features_of(inputs) == frozenset()
    compiled = followed(inputs, True)
    check_equal(compiled, followed(inputs, True, used=ALL))
    check_equal(compiled, followed(inputs, True, compiled=False))


@pytest.mark.parametrize("queues", [False, True])
@settings(max_examples=100, deadline=None)
@given(scenarios())
def test_nothing_is_lost(queues, inputs):
    """Rule 14 at every step, and rule 30."""
    waiting = {"queue_per_task": inputs.queue_per_task or 50.0, "queue_timeout_s": inputs.queue_timeout_s or 5.0}
    inputs = replace(inputs, record_from=0, **(waiting if queues else {"queue_per_task": 0.0}))
    outcome = run_inputs(inputs, True, used=ALL)
    series = outcome.series
    arrivals = np.array(inputs.requests_per_s) * inputs.step_s
    change = np.diff(series.queue, prepend=0.0)
    np.testing.assert_allclose(series.served + series.refused + change, arrivals, rtol=1e-9, atol=1e-6)
    assert (series.served >= 0).all()
    assert (series.served <= series.healthy_s * inputs.task_requests_per_s).all()
    assert (series.refused >= 0).all()
    assert (series.queue >= 0).all()
    assert queues or not series.queue.any()
    assert outcome.refused_requests == pytest.approx(series.refused.sum(), rel=1e-12)
    assert outcome.peak_queue == series.queue.max()
    # Each request that arrives is in one histogram, once.
    counted = outcome.utilization_histogram.sum() + outcome.wait_histogram.sum()
    assert counted == pytest.approx(arrivals.sum(), rel=1e-9, abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(scenarios())
def test_the_sums_of_every_step_fit_together(inputs):
    """Rules 6, 10, 11 and 29."""
    outcome = followed(inputs, True, used=ALL)
    series = outcome.series
    for sums in (series.running_s, series.healthy_s, series.pending_s, series.billed_s, series.draining_s):
        assert (sums >= 0).all()
    # What is healthy runs. What runs or drains is billed, and never both; adjustments can take more tasks from what runs
    # than there are, and then leave it at 0.
    assert (series.healthy_s <= series.running_s).all()
    some_run = series.running_s > 0
    assert (series.running_s + series.draining_s <= series.billed_s)[some_run].all()
    # In a step without a launch or a removal each task is pending or runs.
    if not inputs.deployments and not inputs.zone_losses:
        still = some_run & (series.moved_by == -1)
        tasks = np.minimum(series.desired_count, inputs.max_tasks)
        np.testing.assert_array_equal((series.pending_s + series.running_s)[still], tasks[still] * inputs.step_s)
    # What a removed task drains.
    if not inputs.deployments and inputs.record_from == 0:
        most = outcome.removed * inputs.drain_s + outcome.interruptions * inputs.spot_warning_s
        assert series.draining_s.sum() <= most
    # Totals, also by the hour.
    assert outcome.billed_task_s == series.billed_s.sum()
    assert outcome.running_task_s == series.running_s.sum()
    assert (series.spot_billed_s >= 0).all()
    assert (series.spot_billed_s <= series.billed_s).all()
    assert inputs.spot_share > 0 or not series.spot_billed_s.any()
    assert outcome.spot_billed_task_s == pytest.approx(series.spot_billed_s.sum(), rel=1e-12)
    hours = np.arange(len(series.billed_s)) * inputs.step_s // 3600
    np.testing.assert_array_equal(outcome.billed_s_by_hour, np.bincount(hours, series.billed_s))
    np.testing.assert_allclose(outcome.spot_billed_s_by_hour, np.bincount(hours, series.spot_billed_s), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(scenarios(), min_size=2, max_size=4))
def test_one_after_the_other_equals_one_at_a_time(batch):
    together = [followed(inputs, True, used=ALL) for inputs in batch]
    for inputs, outcome in zip(reversed(batch), reversed(together), strict=True):
        check_equal(followed(inputs, True, used=ALL), outcome)


@pytest.mark.slow
@pytest.mark.parametrize("feature", FEATURES)
def test_a_loop_with_one_feature_equals_the_one_with_all(feature):
    # To compile one takes ten seconds: the loop that differs most, and the one that moves bounds; of the others what they leave out.
    compiled = feature in {"SEVERAL_POLICIES", "BOUNDS"}
    if compiled:
        compiled_run(frozenset({feature}))
    checked = 0

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(scenarios(), lean_policies(st.just(30)))
    def check(inputs, policy):
        nonlocal checked
        changes = {
            "SEVERAL_POLICIES": {"policies": (replace(policy, period_s=inputs.step_s),), "mean_of_datapoints": False},
            "QUEUE": {"queue_per_task": 0.0},
            "SPOT": {"spot_share": 0.0},
            "LAUNCH_RATE": {"launch_per_s": 0.0},
            "QUOTA": {"max_tasks": 2**40, "min_capacity": max(inputs.min_capacity, 1)},
            "BOUNDS": {"bounds": ()},
            "DISTURBANCES": {"deployments": (), "zone_losses": ()},
        }  # fmt: skip
        for name, change in changes.items():
            if name != feature:
                inputs = replace(inputs, **change)
        used = frozenset({feature})
        assert features_of(inputs) <= used
        check_equal(followed(inputs, True, compiled, used), followed(inputs, True, used=ALL))
        checked += features_of(inputs) == used

    check()
    assert checked > 10


def test_random_scenarios_do_something():
    """The agreements above are worth something only if the random scenarios use and move everything."""
    totals = ("launched", "removed", "refused_requests", "peak_queue", "interruptions", "stuck_deployments")
    seen = dict.fromkeys((*totals, *FEATURES, "draining", "draining without deployments", "several hours"), 0)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(scenarios())
    def count(inputs):
        outcome = followed(replace(inputs, record_from=0), True, used=ALL)
        used = features_of(inputs)
        for name in (*totals, *FEATURES):
            seen[name] += name in used if name in FEATURES else getattr(outcome, name) > 0
        drains = outcome.series.draining_s.any()
        seen["draining"] += drains
        seen["draining without deployments"] += drains and not inputs.deployments
        seen["several hours"] += len(outcome.billed_s_by_hour) > 1

    count()
    assert min(seen.values()) >= 5, seen
    assert seen["launched"] > 120
    assert seen["removed"] > 30
