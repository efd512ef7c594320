"""On-Demand and Fargate Spot through the API: whose tasks are interrupted, and whose time is billed, by hand."""

import numpy as np
import pytest

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import FARGATE, FARGATE_SPOT, CapacityProviderStrategy
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import ScheduledAction
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SIZE = TaskSize(1024, 2048)
#: Two tasks On-Demand, the others on Spot.
TWO_AND_SPOT = CapacityProviderStrategy(2, 0, 1)
CALM = AwsBehavior(spot_interruptions_per_task_hour=0)


def followed(spec, rate, application=None, behavior=CALM, operations=None):
    work = Workload(LoadProfile.constant(rate), cpu_ms_per_request=20)
    run = simulate(work, [spec], application, behavior, [0], operations=operations, keep_hours=True)
    return run, run.series[0]


def fixed(count, **changes):
    return ServiceSpec(
        SIZE, min_capacity=count, max_capacity=count, scaling=(), capacity_provider_strategy=TWO_AND_SPOT, **changes
    )


@pytest.mark.parametrize("rate_per_h", [0.05, 0.2, 5.0])
def test_on_demand_tasks_outlive_any_shortage_of_spot(rate_per_h):
    behavior = AwsBehavior(spot_interruptions_per_task_hour=rate_per_h)
    run, series = followed(
        fixed(6), 50, behavior=behavior, operations=Operations(spot_shortages=(SpotShortage(1, 20),))
    )
    inside = slice(63, 21 * 60)
    for counts in (series.healthy_count, series.running_count, series.billed_count):
        assert counts.min() >= 2
    # Inside the shortage nothing comes back: four tasks at most are interrupted, each once.
    assert np.diff(series.running_count[inside]).max() <= 0
    on_demand = run.billed_task_s_by_hour[FARGATE][0]
    np.testing.assert_allclose(on_demand, 2 * 3600)
    assert np.all(run.billed_task_s_by_hour[FARGATE_SPOT][0, 2:20] <= 4 * 3600 + 4 * 120)
    # As many as were interrupted were started in their place.
    assert run.replaced.tolist() == run.spot_interruptions.tolist()


def test_no_spot_task_no_interruption():
    behavior = AwsBehavior(spot_interruptions_per_task_hour=5.0)
    assert followed(fixed(2), 50, behavior=behavior)[0].spot_interruptions.tolist() == [0]


def scheduled(low, high, first_h, then_h):
    """So many tasks, from the first hour on others."""
    return ServiceSpec(
        SIZE, min_capacity=low[0], max_capacity=40, scaling=(), capacity_provider_strategy=TWO_AND_SPOT,
        scheduled_actions=(
            ScheduledAction(f"cron(0 {first_h} * * ? *)", *low), ScheduledAction(f"cron(0 {then_h} * * ? *)", *high),
        ),
    )  # fmt: skip


def test_tasks_that_wait_for_spot_are_not_billed_as_spot():
    # 20 tasks, 2 from 5:00 to 6:00; at 6:00 there is no Spot, until 18:00.
    operations = Operations(spot_shortages=(SpotShortage(5.5, 12.5),))
    run, series = followed(scheduled((2, 2), (20, 20), 5, 6), 150, operations=operations)
    assert run.billed_task_hours[0] - run.spot_billed_task_hours[0] == pytest.approx(48)
    assert series.spot_billed_count[400:1000].max() == 0
    # Spot: 18 tasks for 11 h, 62 s of draining each; they come back 10 s late.
    assert run.spot_billed_task_hours[0] == pytest.approx(18 * 11 + 18 * (62 - 10) / 3600, rel=1e-3)


def test_tasks_of_spot_are_so_while_they_drain():
    # 38 of Spot for an hour, and an hour's draining.
    application = Application(deregistration_delay_s=3600, stop_timeout_s=2)
    run, _ = followed(scheduled((40, 40), (2, 2), 8, 9), 20, application)
    assert run.billed_task_hours[0] - run.spot_billed_task_hours[0] == pytest.approx(48)
    assert run.spot_billed_task_hours[0] == pytest.approx(38 * (2 + 2 / 3600 - 10 / 3600), rel=1e-3)


def test_a_deployment_of_a_mix_is_billed_by_the_mix():
    """Six more tasks of which four are Spot, for the same time."""
    run, _ = followed(fixed(6), 50, operations=Operations(("cron(0 10 * * ? *)",)))
    extra = run.billed_task_hours[0] - 6 * 24
    assert extra > 0
    assert run.spot_billed_task_hours[0] - 4 * 24 == pytest.approx(extra * 4 / 6)
    assert run.replaced.tolist() == [6]
