"""Predictive scaling by hand: the forecast, the tasks that it needs, and the bounds that follow."""

import itertools
import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.simulation.forecast import (
    HONOR_MAX_CAPACITY,
    INCREASE_MAX_CAPACITY,
    ScheduledBounds,
    alb_requests_per_s_at_target,
    cpu_requests_per_s_at_target,
    floor_steps,
    forecast_hourly,
    memory_requests_per_s_at_target,
    merge_bounds,
    predictive_floors,
)
from estimator.simulation.inputs import PolicyInputs, SimulationInputs
from estimator.simulation.outcome import run_inputs

WEEK = 168


def a_week(seed=1):
    return np.random.default_rng(seed).uniform(1, 100, WEEK)


def in_force(bounds, step, minimum, maximum):
    """What holds at a step, read from the changes as rule 22 has it."""
    low, high, floor = minimum, maximum, 0
    for at, *values in bounds:
        if at <= step:
            low, high, floor = values
    return low, high, max(low, min(floor, high))


# The forecast


def bound_changes(
    floors, low, high, step_s, record_from, behavior=HONOR_MAX_CAPACITY, buffer_percent=0.0, scheduled=()
):
    """The bounds of a simulation from the floor of each hour, in AWS's five minutes before it."""
    acts = floor_steps(floors, step_s, record_from)
    return merge_bounds(scheduled, acts, low, high, behavior, buffer_percent)


def test_a_week_repeated_is_forecast_exactly():
    load = np.tile(a_week(), 4)
    np.testing.assert_allclose(forecast_hourly(load), load, rtol=1e-15)


@pytest.mark.parametrize("hours", [1, 24, 36, 167, 168])
def test_a_period_of_at_most_a_week_is_its_own_forecast(hours):
    load = np.arange(hours, dtype=float)
    forecast = forecast_hourly(load)
    np.testing.assert_array_equal(forecast, load)
    assert not np.shares_memory(forecast, load)


def test_of_two_weeks_each_is_forecast_from_the_other():
    first, second = a_week(1), a_week(2)
    np.testing.assert_array_equal(forecast_hourly(np.concatenate([first, second])), np.concatenate([second, first]))


def test_growth_is_a_week_and_a_half_late():
    # Weeks of 10, 20, 30, 40, 50: from the third on the mean of the two before; at the seam the period's end is what came before.
    load = np.repeat([10.0, 20.0, 30.0, 40.0, 50.0], WEEK)
    expected = np.repeat([(50 + 40) / 2, (10 + 50) / 2, 15.0, 25.0, 35.0], WEEK)
    np.testing.assert_array_equal(forecast_hourly(load), expected)


def test_ten_days_know_one_week_back_alone():
    load = np.arange(240, dtype=float)
    # Hour 0 comes from 168 hours before, which is hour 72; hour 200 from hour 32.
    np.testing.assert_array_equal(forecast_hourly(load), (np.arange(240) - 168) % 240)


@pytest.mark.parametrize(
    ("history_days", "expected"),
    [
        (14, [4.5, 3, 1.5, 2.5, 3.5]),
        (13, [5, 1, 2, 3, 4]),  # one whole week fits
        (7, [5, 1, 2, 3, 4]),
    ],
)
def test_whole_weeks_of_the_history_count(history_days, expected):
    load = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], WEEK)
    np.testing.assert_array_equal(forecast_hourly(load, history_days), np.repeat(expected, WEEK))


def test_less_than_a_week_of_history_looks_at_days():
    load = np.repeat([1.0, 2.0, 6.0, 7.0], 24)
    np.testing.assert_array_equal(forecast_hourly(load, 1), np.repeat([7.0, 1.0, 2.0, 6.0], 24))
    np.testing.assert_array_equal(forecast_hourly(load, 2), np.repeat([6.5, 4.0, 1.5, 4.0], 24))
    # A lag of four days is the hour itself, and does not count.
    np.testing.assert_array_equal(forecast_hourly(load, 6), forecast_hourly(load, 3))


# The tasks


def test_tasks_for_a_cpu_target():
    # 0.25 vCPU at 60 % is 0.15 s of CPU a second: 3 requests of 50 ms.
    assert cpu_requests_per_s_at_target(0.25, 0.05, 60.0) == pytest.approx(3.0, rel=1e-15)
    assert cpu_requests_per_s_at_target(0.25, 0.0, 60.0) == math.inf


def test_tasks_for_a_request_target():
    # 1,000 requests per target and minute; 100 requests/s are 6,000 a minute.
    assert predictive_floors([100.0, 100.1], alb_requests_per_s_at_target(1000.0)).tolist() == [6, 7]


def test_tasks_for_a_memory_target():
    # 70 % of 4,096 MiB is 2,867.2 MiB, of which an idle task has 1,867.2: 1,000 MiB for requests of 5 MiB are 200, each there for 2 s.
    at_target = memory_requests_per_s_at_target(4096, 1867.2, 5, 2.0, 70)
    assert at_target == pytest.approx(100.0)
    tasks = predictive_floors([950.0], at_target)[0]
    assert tasks == 10
    # The metric of rule 17 with these tasks, and with one fewer.
    in_flight_mib = 950.0 * 2.0 * 5
    assert 100 * (tasks * 1867.2 + in_flight_mib) / (tasks * 4096) <= 70
    assert 100 * ((tasks - 1) * 1867.2 + in_flight_mib) / ((tasks - 1) * 4096) > 70


def test_memory_that_no_number_of_tasks_brings_to_the_target():
    assert memory_requests_per_s_at_target(1000, 500, 5, 2.0, 50) == 0
    assert memory_requests_per_s_at_target(1000, 600, 5, 2.0, 50) == 0
    assert predictive_floors([0.0, 1.0], 0.0).tolist() == [5000, 5000]  # ECS: 5,000 tasks for each service
    # Where requests need none, any number of tasks is at the target, or none.
    assert memory_requests_per_s_at_target(1000, 500, 0, 2.0, 50) == math.inf
    assert memory_requests_per_s_at_target(1000, 501, 0, 2.0, 50) == 0


def test_floors_round_up_and_are_at_least_one():
    assert predictive_floors([0, 0.1, 3, 6, 6.0001], 3.0).tolist() == [1, 1, 1, 2, 3]
    assert predictive_floors([1e9], math.inf).tolist() == [1]
    assert predictive_floors([1e9], 1.0).tolist() == [5000]


def test_an_exact_fit_needs_no_task_more():
    # To floating point 2.1 / 0.3 is 7.000000000000001, 2.7 / 0.3 is 9.000000000000002.
    assert predictive_floors([2.1, 2.7], 0.3).tolist() == [7, 9]


# When they hold


def test_predictive_scaling_acts_five_minutes_before_the_hour():
    assert floor_steps([1, 4, 4, 2], 60, 0) == [
        (0, 1),
        (55, 4),  # the next hour needs more
        (60, 4),
        (115, 4),
        (120, 4),
        (175, 4),  # the next needs less: not before it is there
        (180, 2),
        (235, 2),  # the hour after is the period's first
    ]


@pytest.mark.parametrize(
    ("buffer_s", "early"),
    [(0, 60), (300, 55), (301, 54), (359, 54), (360, 54), (3540, 1), (3599, 0)],
)
def test_a_buffer_that_ends_inside_a_step_begins_with_it(buffer_s, early):
    changes = dict(floor_steps([1, 9], 60, 0, buffer_s))
    assert min(step for step, floor in changes.items() if floor == 9) == early


def test_steps_of_twenty_seconds():
    assert floor_steps([1, 2], 20, 0, 300) == [(0, 1), (165, 2), (180, 2), (345, 2)]


@pytest.mark.parametrize("record_from", [0, 1, 3, 30, 55, 59, 60, 61, 179, 180, 1000, 1440])
@pytest.mark.parametrize("buffer_s", [0, 90, 300, 3599])
def test_every_step_has_the_floor_of_its_hour_in_the_warm_up_too(record_from, buffer_s):
    """Against the rule, step by step: hour of the period, and within the buffer of the next one the larger of both."""
    floors, step_s = [3, 1, 7], 60
    changes = floor_steps(floors, step_s, record_from, buffer_s)
    steps = [step for step, _ in changes]
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert steps[-1] < record_from + 180
    floor, at = None, dict(changes)
    for k in range(record_from + 180):
        floor = at.get(k, floor)
        second = (k - record_from) * step_s
        hour = second // 3600
        # The step in which the buffer of the next hour begins belongs to it.
        within = second + step_s > (hour + 1) * 3600 - buffer_s
        expected = max(floors[hour % 3], floors[(hour + 1) % 3]) if within else floors[hour % 3]
        assert floor == expected, k


# The bounds


def test_honoring_the_maximum():
    bounds = bound_changes([2, 10, 6, 1], 2, 8, 60, 0)
    assert bounds == ((0, 2, 8, 2), (55, 2, 8, 8), (120, 2, 8, 6), (180, 2, 8, 1), (235, 2, 8, 2))


def test_raising_the_maximum_by_aws_example():
    # AWS: "if the buffer is 10 ... if the forecast capacity is 50, and the maximum capacity is 40, then the effective maximum capacity is 55".
    bounds = bound_changes([1, 50, 1], 1, 40, 60, 0, INCREASE_MAX_CAPACITY, 10)
    assert bounds == ((0, 1, 40, 1), (55, 1, 55, 50), (120, 1, 55, 1))


def test_a_forecast_close_to_the_maximum_raises_it_too():
    # 38 tasks and 10 % above them are 41.8.
    assert merge_bounds([], [(0, 38)], 1, 40, INCREASE_MAX_CAPACITY, 10) == ((0, 1, 42, 38),)
    assert merge_bounds([], [(0, 36)], 1, 40, INCREASE_MAX_CAPACITY, 10) == ((0, 1, 40, 36),)
    # 20 % of 50 are 10 exactly, whatever floating point makes of it.
    assert merge_bounds([], [(0, 50)], 1, 40, INCREASE_MAX_CAPACITY, 20) == ((0, 1, 60, 50),)
    assert merge_bounds([], [(0, 50)], 1, 40, INCREASE_MAX_CAPACITY) == ((0, 1, 50, 50),)


def test_a_raised_maximum_is_none_that_a_service_cannot_have():
    assert merge_bounds([], [(0, 5000)], 1, 40, INCREASE_MAX_CAPACITY, 10) == ((0, 1, 5000, 5000),)


def test_a_raised_maximum_stays_until_a_scheduled_action():
    acts = [(0, 1), (60, 50), (120, 1), (180, 1), (240, 45)]
    bounds = merge_bounds([ScheduledBounds(150, None, 40)], acts, 1, 40, INCREASE_MAX_CAPACITY, 0)
    assert bounds == ((0, 1, 40, 1), (60, 1, 50, 50), (120, 1, 50, 1), (150, 1, 40, 1), (240, 1, 45, 45))


def test_the_next_hour_raises_again_what_a_scheduled_action_lowered():
    acts = floor_steps([50, 50, 50], 60, 0, 0)
    bounds = merge_bounds([(90, None, 40)], acts, 1, 40, INCREASE_MAX_CAPACITY, 10)
    assert bounds == ((0, 1, 55, 50), (90, 1, 40, 40), (120, 1, 55, 50))


def test_a_floor_comes_back_with_the_maximum():
    bounds = merge_bounds([(10, None, 20), (20, None, 30)], [(0, 25)], 1, 30, HONOR_MAX_CAPACITY)
    assert bounds == ((0, 1, 30, 25), (10, 1, 20, 20), (20, 1, 30, 25))


def test_scheduled_actions_alone():
    scheduled = [(480, 10, 50), (480, 12, None), (1200, 2, None), (1201, None, None)]
    assert merge_bounds(scheduled, [], 2, 20) == ((480, 12, 50, 0), (1200, 2, 50, 0))
    assert merge_bounds([], [], 2, 20) == ()


def test_actions_that_change_nothing_are_left_out():
    assert merge_bounds([(5, 2, 20), (6, 3, None), (7, 3, 20)], [], 2, 20) == ((6, 3, 20, 0),)


@pytest.mark.parametrize(
    ("scheduled", "says"),
    [
        ([ScheduledBounds(5, 21, None, "Morning")], "Morning sets min_capacity 21 where max_capacity 20 is in force;"),
        ([ScheduledBounds(5, None, 1, "Night")], "Night sets max_capacity 1 where min_capacity 2 is in force;"),
        ([ScheduledBounds(5, 9, 8, "Noon")], "Noon sets min_capacity 9 and max_capacity 8;"),
        ([(5, None, 10), (6, 11, None)], "A scheduled action sets min_capacity 11 where max_capacity 10 is in force;"),
    ],
)
def test_a_minimum_above_the_maximum_is_refused(scheduled, says):
    # AWS: "you must specify a new minimum and maximum capacity, and not just the minimum capacity".
    with pytest.raises(InvalidScenario) as caught:
        merge_bounds(scheduled, [], 2, 20)
    assert str(caught.value).startswith(says)
    assert str(caught.value).endswith("Let it set both, the minimum not above the maximum.")


def test_both_bounds_at_once_may_pass_over_the_old_ones():
    assert merge_bounds([(5, 30, 40), (6, 1, 10)], [], 2, 20) == ((5, 30, 40, 0), (6, 1, 10, 0))


@pytest.mark.parametrize("behavior", [HONOR_MAX_CAPACITY, INCREASE_MAX_CAPACITY])
@pytest.mark.parametrize("seed", range(20))
def test_changes_say_what_holds_at_every_step(behavior, seed):
    """Against the rule of each step on its own, with the events in a table."""
    random = np.random.default_rng(seed)
    n_hours, record_from = 6, int(random.integers(0, 200))
    n_steps = record_from + 60 * n_hours
    floors = random.integers(1, 30, n_hours)
    scheduled = [
        ScheduledBounds(step, low, low + int(random.integers(0, 20)))
        for step, low in zip(
            sorted(random.integers(0, n_steps, 5).tolist()), random.integers(1, 15, 5).tolist(), strict=True
        )
    ]
    bounds = bound_changes(floors, 2, 12, 60, record_from, behavior, 10, scheduled=scheduled)
    acts = dict(floor_steps(floors, 60, record_from))
    low, high, floor = 2, 12, 0
    for k in range(n_steps):
        for action in scheduled:
            if action.step == k:
                low, high = action.min_capacity, action.max_capacity
        if k in acts:
            floor = acts[k]
            if behavior == INCREASE_MAX_CAPACITY:
                high = max(high, -(-floor * 11 // 10))
        assert in_force(bounds, k, 2, 12) == (low, high, max(low, min(floor, high))), k
    assert all(low <= high and 0 <= floor <= high for _, low, high, floor in bounds)
    assert all(one[1:] != other[1:] for one, other in itertools.pairwise(bounds))


def test_in_the_simulation_tasks_are_there_before_the_hour_and_stay_after_it():
    """Load jumps from 1 to 4 tasks' worth at hour 1; predictive scaling launches at 55 minutes, and never removes."""
    load = np.repeat([10.0, 40.0, 10.0], 60)
    floors = predictive_floors(
        forecast_hourly(load.reshape(3, 60).mean(axis=1)), cpu_requests_per_s_at_target(1.0, 0.05, 50.0)
    )
    assert floors.tolist() == [1, 4, 1]
    tracking = PolicyInputs(target_value=50.0, disable_scale_in=True)
    inputs = SimulationInputs(
        requests_per_s=load,
        cpu_s_per_request=0.05,
        task_requests_per_s=20.0,
        max_capacity=10,
        running_after_s=60,
        policies=(tracking,),
        bounds=bound_changes(floors, 1, 10, 60, 0),
    )
    run = run_inputs(inputs, True, compiled=False)
    assert run.series.desired_count.tolist() == [1] * 55 + [4] * 125
    assert run.series.refused.sum() == 0
