"""Fargate Spot beside On-Demand: base and weights by hand, interruptions by chance, and what AWS would not take."""

import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.policies import ScheduledAction
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

NEVER = AwsBehavior(spot_interruptions_per_task_hour=0)


def day(rate=0.0):
    return Workload(LoadProfile.constant(rate, step_s=3600), cpu_ms_per_request=10)


def fixed(n, strategy, **spec):
    return ServiceSpec(TaskSize(256, 512), "X86_64", n, n, (), capacity_provider_strategy=strategy, **spec)


# AWS, "CapacityProviderStrategyItem": base "designates how many tasks, at a minimum, to run on the specified capacity provider", weight
# "the relative percentage of the total number of tasks"; its example is a base of 1 or weights of 1 and 3 or 1 and 4.
@pytest.mark.parametrize(
    ("base", "weight", "spot_weight", "tasks", "spot"),
    [
        (0, 1, 0, 10, 0),
        (0, 0, 1, 10, 10),
        (0, 1, 1, 10, 5),
        (0, 1, 3, 8, 6),  # one on FARGATE, three on FARGATE_SPOT
        (0, 1, 4, 10, 8),
        (2, 1, 3, 10, 6),  # 2 come first, 8 are spread: 2 and 6
        (2, 0, 1, 10, 8),
        (10, 0, 1, 10, 0),
        (11, 0, 1, 10, 0),
        (9, 0, 1, 10, 1),
        (0, 1, 1, 1, 0),  # what does not come out evenly stays On-Demand
        (0, 1, 1, 3, 1),
        (1, 1, 2, 6, 3),  # 5 x 2/3 = 3.33
        (0, 999, 1, 100, 0),
        (3, 5, 0, 7, 0),
    ],
)
def test_base_first_and_then_by_weight(base, weight, spot_weight, tasks, spot):
    strategy = CapacityProviderStrategy(base, weight, spot_weight)
    run = simulate(day(), [fixed(tasks, strategy)], behavior=NEVER, keep_hours=True, keep_series=[0])
    assert run.billed_task_hours.tolist() == [24 * tasks]
    assert run.spot_billed_task_hours[0] == pytest.approx(24 * spot)
    np.testing.assert_allclose(run.billed_task_s_by_hour["FARGATE_SPOT"], np.full((1, 24), 3600 * spot))
    np.testing.assert_allclose(run.billed_task_s_by_hour["FARGATE"], np.full((1, 24), 3600 * (tasks - spot)))
    np.testing.assert_allclose(run.series[0].spot_billed_count, spot)


def test_the_spot_part_follows_the_count():
    # 2 tasks by day, 10 from 8:00 to 20:00; base 2, then three of four.
    actions = ScheduledAction("cron(0 8 ? * * *)", 10, 10), ScheduledAction("cron(0 20 ? * * *)", 2, 2)
    spec = ServiceSpec(
        TaskSize(256, 512),
        min_capacity=2,
        scaling=(),
        scheduled_actions=actions,
        capacity_provider_strategy=CapacityProviderStrategy(2, 1, 3),
    )
    run = simulate(day(), [spec], behavior=NEVER, keep_series=[0], keep_hours=True)
    spot_s = run.billed_task_s_by_hour["FARGATE_SPOT"][0]
    # Eight are billed from 10 s after 8:00, six of them of Spot.
    assert spot_s[8] == 6 * (3600 - 10)
    assert spot_s[9:20] == pytest.approx(6 * 3600)
    assert not spot_s[:8].any()
    assert not spot_s[21:].any()
    assert run.spot_interruptions.tolist() == [0]


def test_without_spot_nothing_is_interrupted():
    often = AwsBehavior(spot_interruptions_per_task_hour=10)
    run = simulate(day(), [fixed(20, "FARGATE"), fixed(20, CapacityProviderStrategy(20, 0, 1))], behavior=often)
    assert run.spot_interruptions.tolist() == [0, 0]
    assert run.billed_task_hours.tolist() == [480, 480]


SEEDS = range(16)


@pytest.fixture(scope="module")
def interruptions():
    """Interruptions of 40 Spot tasks in a day, by seed: at 0.02 an hour 19.2 on average."""
    often = [AwsBehavior(spot_interruptions_per_task_hour=0.02, seed=seed) for seed in SEEDS]
    return [simulate(day(), [fixed(40, "FARGATE_SPOT")], behavior=behavior).spot_interruptions[0] for behavior in often]


def test_interruptions_are_as_many_as_their_rate_says(interruptions):
    expected = 40 * 24 * 0.02
    assert np.mean(interruptions) == pytest.approx(expected, abs=3 * math.sqrt(expected / len(SEEDS)))


def test_interruptions_come_by_chance(interruptions):
    """Poisson's variance is its mean: of 16 draws it lies within 0.31 and 2.2 of it but for one in a hundred."""
    assert len(set(interruptions)) > 5
    assert 0.31 <= np.var(interruptions, ddof=1) / (40 * 24 * 0.02) <= 2.2


def test_the_seed_says_when(interruptions):
    again = AwsBehavior(spot_interruptions_per_task_hour=0.02, seed=3)
    run = simulate(day(), [fixed(40, "FARGATE_SPOT")], behavior=again)
    assert run.spot_interruptions[0] == interruptions[3]


@pytest.mark.parametrize("warning_s", [120, 0, 30])
def test_what_an_interruption_costs(warning_s):
    """The task is billed until the warning has passed, its replacement from 10 s on; it is not healthy until that is."""
    behavior = AwsBehavior(spot_interruptions_per_task_hour=0.2, spot_warning_s=warning_s, registration_s=0)
    application = Application(boot_s=0, health_check_interval_s=5)
    run = simulate(day(), [fixed(10, "FARGATE_SPOT")], application, behavior, keep_series=[0])
    n, series = run.spot_interruptions[0], run.series[0]
    assert 25 < n < 75
    # One that is not over at the end, or has begun before the begin, may count in part.
    assert run.billed_task_hours[0] * 3600 == pytest.approx(240 * 3600 + n * (warning_s - 10), abs=120)
    assert run.running_task_hours[0] * 3600 == pytest.approx(240 * 3600 - n * 23, abs=30)
    assert series.pending_count.sum() * 60 == pytest.approx(n * 23, abs=30)
    assert series.draining_count.sum() * 60 == pytest.approx(n * warning_s, abs=120)
    lost_s = (10 - series.healthy_count).sum() * 60
    assert n * 23 - 30 <= lost_s <= n * 27 + 30
    # The count stays, and no activity is told.
    assert set(series.desired_count.tolist()) == {10}
    assert series.activities == ()
    assert run.launched.tolist() == run.removed.tolist() == [0]


def test_only_the_spot_part_is_interrupted():
    # 40 tasks, of which 10 are Spot: a quarter of the interruptions of all of them.
    behavior = AwsBehavior(spot_interruptions_per_task_hour=0.2)
    run = simulate(day(), [fixed(40, CapacityProviderStrategy(20, 1, 1)), fixed(40, "FARGATE_SPOT")], behavior=behavior)
    part, all_of_them = run.spot_interruptions
    assert part == pytest.approx(48, abs=3 * math.sqrt(48))
    assert all_of_them == pytest.approx(192, abs=3 * math.sqrt(192))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"fargate_base": -1}, ["fargate_base is -1", "0 to 100000", "tasks"]),
        ({"fargate_base": 100_001}, ["fargate_base is 100001"]),
        ({"fargate_base": 1.5}, ["fargate_base is 1.5", "whole number"]),
        ({"fargate_weight": 1001}, ["fargate_weight is 1001", "0 to 1000"]),
        ({"fargate_spot_weight": -1}, ["fargate_spot_weight is -1"]),
        ({"fargate_spot_weight": math.nan}, ["fargate_spot_weight is nan"]),
        ({"fargate_weight": 0}, ["fargate_weight and fargate_spot_weight are both 0", "at least one"]),
        ({"fargate_base": 5, "fargate_weight": 0, "fargate_spot_weight": 0}, ["both 0"]),
    ],
)
def test_strategies_that_aws_would_not_take(values, said):
    with pytest.raises(InvalidScenario) as caught:
        CapacityProviderStrategy(**values)
    for part in said:
        assert part in str(caught.value)


def test_the_strategy_of_one_provider():
    assert CapacityProviderStrategy.of("FARGATE") == CapacityProviderStrategy(0, 1, 0)
    assert CapacityProviderStrategy.of("FARGATE_SPOT") == CapacityProviderStrategy(0, 0, 1)
    with pytest.raises(InvalidScenario, match="capacity_provider is 'EC2'; it must be one of FARGATE, FARGATE_SPOT"):
        CapacityProviderStrategy.of("EC2")


@pytest.mark.parametrize(
    ("strategy", "share", "spot", "text"),
    [
        (CapacityProviderStrategy(), 0, False, ""),
        (CapacityProviderStrategy(0, 0, 1), 1, True, "Fargate Spot"),
        (CapacityProviderStrategy(1, 0, 5), 1, True, "Fargate Spot above 1 task"),
        (CapacityProviderStrategy(2, 1, 3), 0.75, True, "75 % Fargate Spot above 2 tasks"),
        (CapacityProviderStrategy(0, 2, 1), 1 / 3, True, "33.3 % Fargate Spot"),
        (CapacityProviderStrategy(7), 0, False, ""),
    ],
)
def test_what_is_said_of_a_strategy(strategy, share, spot, text):
    assert strategy.spot_share == pytest.approx(share)
    assert strategy.uses_spot == spot
    assert strategy.describe() == text
