"""The decision of target tracking against AWS's rules, by hand."""

import math

import pytest

from estimator.errors import InvalidScenario
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.scaling import decide_target_tracking


def out(metric, base, desired, target, minimum=1, maximum=1000):
    return decide_target_tracking(metric, True, False, base, base, desired, minimum, maximum, target, 10.0)


def scale_in(metric, running, target, minimum=1, desired=None, step=100.0):
    desired = running if desired is None else desired
    return decide_target_tracking(metric, False, True, running, running, desired, minimum, 1000, target, step)


@pytest.mark.parametrize(
    ("metric", "base", "desired", "target", "want"),
    [
        (100.0, 4, 4, 50.0, 8),  # a full service grows by 100/target at most: 2.00 at 50
        (100.0, 10, 10, 60.0, 17),  # 16.67 rounds up
        (100.0, 10, 10, 70.0, 15),  # 14.29
        (100.0, 10, 10, 75.0, 14),  # 13.33
        (61.0, 2, 2, 60.0, 3),  # 2.03 rounds up
        (60.0, 3, 3, 20.0, 9),  # exactly three times: no tenth task from rounding
        (70.0, 10, 20, 35.0, 20),  # 20 are asked for already
        (90.0, 10, 30, 60.0, 30),  # from the running count 15; a scale-out never removes
    ],
)
def test_scale_out_is_proportional_and_rounds_up(metric, base, desired, target, want):
    assert out(metric, base, desired, target) == want


def test_scale_out_keeps_to_the_maximum():
    assert out(100.0, 10, 10, 50.0, maximum=12) == 12
    assert out(100.0, 10, 12, 50.0, maximum=12) == 12
    assert out(100.0, 0, 2, 50.0, minimum=2) == 2


@pytest.mark.parametrize(
    ("metric", "running", "want"),
    [
        (30.01, 2, 2),  # two tasks: not until half the target
        (30.0, 2, 1),
        (40.01, 3, 3),  # three: two thirds
        (40.0, 3, 2),
        (53.9, 10, 9),  # ten: 10 x 53.9 / 60 = 8.98
        (54.1, 10, 10),
        (0.0, 10, 1),  # nothing to do: the minimum
    ],
)
def test_scale_in_never_lifts_the_metric_over_the_target(metric, running, want):
    assert scale_in(metric, running, 60.0) == want
    if want < running:
        assert metric * running / want <= 60.0 or want == 1


@pytest.mark.parametrize("running", range(2, 60))
def test_one_task_fewer_exactly_when_the_others_can_carry_it(running):
    edge = 60.0 * (running - 1) / running
    assert scale_in(edge, running, 60.0) <= running - 1
    assert scale_in(edge * 1.0001, running, 60.0) == running


@pytest.mark.parametrize(
    ("running", "step", "want"),
    [(10, 10.0, 9), (19, 10.0, 18), (20, 10.0, 18), (100, 10.0, 90), (5, 0.0, 4), (5, 100.0, 1), (30, 10.0, 27)],
)
def test_a_scale_in_step_is_a_part_of_the_tasks_and_at_least_one(running, step, want):
    assert scale_in(0.0, running, 60.0, step=step) == want


def test_scale_in_keeps_to_the_minimum_and_never_adds():
    assert scale_in(0.0, 10, 60.0, minimum=4) == 4
    assert scale_in(1.0, 10, 60.0, desired=3, step=10.0) == 3


def test_tasks_that_have_yet_to_start_stay_when_the_running_ones_are_needed():
    # Eight are asked for, five run: 5 x 55 / 60 = 4.6, all five are needed, so nothing is taken back.
    assert scale_in(55.0, 5, 60.0, desired=8) == 8
    # 5 x 40 / 60 = 3.3: one of the five can go.
    assert scale_in(40.0, 5, 60.0, desired=8) == 4


def test_no_alarm_no_change():
    assert decide_target_tracking(100.0, False, False, 5, 5, 7, 1, 10, 50.0, 10.0) == 7


def test_out_wins_over_in():
    assert decide_target_tracking(100.0, True, True, 5, 5, 5, 1, 100, 50.0, 10.0) == 10


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target_value", 0, "1 to 100"),
        ("target_value", 100.5, "1 to 100"),
        ("target_value", -60, "-60"),
        ("target_value", math.nan, "nan"),
        ("target_value", math.inf, "inf"),
        ("scale_out_cooldown_s", -1, "-1"),
        ("scale_out_cooldown_s", 86_401, "86400"),
        ("scale_in_cooldown_s", 0.5, "0.5"),
        ("scale_in_cooldown_s", 10**9, "0 to 86400"),
    ],
)
def test_policies_that_aws_would_not_take(field, value, said):
    with pytest.raises(InvalidScenario, match=field) as caught:
        TargetTrackingScalingPolicy(**{field: value})
    assert said in str(caught.value)


def test_the_defaults_are_those_of_aws():
    policy = TargetTrackingScalingPolicy()
    assert (policy.scale_out_cooldown_s, policy.scale_in_cooldown_s, policy.disable_scale_in) == (300, 300, False)
    assert policy.predefined_metric_type == "ECSServiceAverageCPUUtilization"
