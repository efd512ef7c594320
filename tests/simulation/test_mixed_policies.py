"""Target tracking beside step scaling, the quota beside deployments, and what came before the period: AWS's words by hand."""

import datetime as dt
import itertools

import pytest

from estimator.errors import InvalidScenario
from estimator.service.behavior import AwsBehavior
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.operations import Operations
from estimator.service.policies import (
    ALB_REQUESTS,
    PredictiveScalingPolicy,
    ScheduledAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SIZE = TaskSize(1024, 2048)
#: 2 vCPU of load.
WORK = Workload(LoadProfile.constant(100), cpu_ms_per_request=20)
TRACKING = TargetTrackingScalingPolicy(60)
LESS = StepScalingPolicy(
    55, (StepAdjustment(-1, None, 0.0),), comparison_operator="LessThanOrEqualToThreshold", evaluation_periods=1, datapoints_to_alarm=1
)  # fmt: skip


def activities(work, spec, **how):
    return simulate(work, [spec], keep_series=[0], **how).series[0].activities


def test_target_tracking_does_not_block_the_scale_in_of_step_scaling():
    """At 50 % four tasks are under the steps' 55 and not under 0.9 of the target, 54; three have 67 % and are too few for 60.

    AWS, PutScalingPolicy: "if the step scaling policy initiates a scale-in activity before the target tracking policy is ready to scale in, the
    scale-in activity will not be blocked. After the scale-in activity completes, the target tracking policy could instruct the scalable target
    to scale out again."
    """
    high = TargetTrackingScalingPolicy(60)
    spec = ServiceSpec(SIZE, min_capacity=1, max_capacity=10, scaling=(high, LESS))
    counts = [one.desired_count for one in activities(WORK, spec)]
    assert set(counts) == {3, 4}
    assert all(a != b for a, b in itertools.pairwise(counts))  # to and fro, all day


def test_target_tracking_policies_must_agree_among_themselves():
    # Four tasks at 50 %: that of 80 % wants three of them, that of 50 % none less.
    scaling = (TargetTrackingScalingPolicy(80), TargetTrackingScalingPolicy(1500, predefined_metric_type=ALB_REQUESTS))
    start = (ScheduledAction("cron(0 6 * * ? *)", 4), ScheduledAction("cron(10 6 * * ? *)", 1))
    both = ServiceSpec(SIZE, min_capacity=1, max_capacity=10, scaling=scaling, scheduled_actions=start)
    assert {one.desired_count for one in activities(WORK, both)} == set()  # 4 x 1500 a minute are 100/s
    alone = ServiceSpec(SIZE, min_capacity=1, max_capacity=10, scaling=scaling[:1], scheduled_actions=start)
    assert 3 in {one.desired_count for one in activities(WORK, alone)}


@pytest.mark.parametrize(
    ("deployment", "quota", "most", "stuck"),
    [
        ({}, 6, 6, 1),
        ({}, 9, 9, 0),
        ({}, 100, 12, 0),
        ({"strategy": "BLUE_GREEN"}, 11, 6, 1),
        ({"strategy": "BLUE_GREEN"}, 12, 12, 0),
    ],
)
def test_a_deployment_keeps_the_quota_where_it_is_enforced(deployment, quota, most, stuck):
    spec = ServiceSpec(SIZE, min_capacity=6, max_capacity=6, deployment=DeploymentConfiguration(**deployment))
    behavior = AwsBehavior(enforce_vcpu_quota=True, fargate_vcpu_quota=quota)
    run = simulate(WORK, [spec], None, behavior, [0], operations=Operations(("cron(0 10 * * ? *)",)))
    assert run.series[0].billed_count.max() == pytest.approx(most)
    assert run.stuck_deployments.tolist() == [stuck]


def test_requests_per_target_do_not_go_with_traffic_that_moves():
    with pytest.raises(InvalidScenario, match=r"BLUE_GREEN: that policy follows one target group.*Track CPU or memory"):
        ServiceSpec(
            SIZE,
            scaling=TargetTrackingScalingPolicy(900, predefined_metric_type=ALB_REQUESTS),
            deployment=DeploymentConfiguration("BLUE_GREEN"),
        )


@pytest.mark.parametrize("policy", [PredictiveScalingPolicy(60), None])
def test_what_came_before_goes_with_what_does_not_repeat(policy):
    scaling = (TRACKING,) if policy is None else (TRACKING, policy)
    actions = (ScheduledAction("cron(0 8 ? * * *)", 4),) if policy is None else ()
    spec = ServiceSpec(SIZE, scaling=scaling, scheduled_actions=actions)
    with pytest.raises(InvalidScenario, match="before goes with a period that stands alone"):
        simulate(WORK, [spec], before=LoadProfile.constant(10))


@pytest.mark.parametrize("day", [10, 25, 28])
@pytest.mark.parametrize("days", [1, 5, 7])
def test_a_schedule_of_every_day_goes_with_any_days_around_a_change_of_clocks(day, days):
    # Clocks in Berlin go forward on 29 March 2026.
    load = LoadProfile.constant(50).repeated(days).starting_at(dt.datetime(2026, 3, day, tzinfo=dt.UTC))
    actions = (ScheduledAction("cron(0 8 * * ? *)", 8, 8, timezone="Europe/Berlin"),
               ScheduledAction("cron(0 9 * * ? *)", 2, 2, timezone="Europe/Berlin"))  # fmt: skip
    found = activities(Workload(load, cpu_ms_per_request=20), ServiceSpec(SIZE, scaling=(), scheduled_actions=actions))
    assert [one.desired_count for one in found].count(8) == days


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("cron(0 10 1 * ? *)", "days of the month"),
        ("cron(0 10 15 * ? *)", "days of the month"),
        ("cron(0 10 1 6 ? *)", "a load of a month or more"),
        ("rate(7 hours)", "a rate that divides the period"),
        ("cron(0 10 ? * MON *)", "`repeat: 7`"),
    ],
)
def test_a_schedule_that_a_short_load_cannot_have(expression, said):
    with pytest.raises(InvalidScenario, match=said):
        simulate(WORK, [ServiceSpec(SIZE)], operations=Operations((expression,)))


def test_a_long_load_can_have_days_of_the_month():
    month = Workload(LoadProfile.constant(100).repeated(31), cpu_ms_per_request=20)
    run = simulate(
        month, [ServiceSpec(SIZE, min_capacity=4, scaling=())], operations=Operations(("cron(0 10 15 * ? *)",))
    )
    assert run.replaced.tolist() == [4]
