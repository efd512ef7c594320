"""Notes on a plan: what can never act, what comes every period, what a quota is held against."""

from dataclasses import replace

import pytest

from estimator.planning.planner import estimate
from estimator.service.behavior import AwsBehavior
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.extras import Extras
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of

RATES = rates_of()
WORK = Workload(LoadProfile.daily(20, 5), cpu_ms_per_request=20)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_capacity": 3, "max_capacity": 3}, "can never act: min_capacity and max_capacity are both 3"),
        ({"scaling": TargetTrackingScalingPolicy(100)}, "CPU target 100 % never scales out"),
    ],
)
def test_policies_that_can_never_act_are_named(changes, said):
    spec = replace(ServiceSpec(TaskSize(512, 1024), max_capacity=9), **changes)
    assert [text for text in estimate(WORK, RATES, spec).warnings if said in text]
    alive = replace(spec, min_capacity=2, max_capacity=9, scaling=TargetTrackingScalingPolicy(60))
    assert not [text for text in estimate(WORK, RATES, alive).warnings if "never" in text]


def test_what_happens_in_each_period_is_said_by_the_month():
    spec = ServiceSpec(TaskSize(512, 1024))
    events = Operations(zone_losses_h=(3,), spot_shortages=(SpotShortage(4, 1), SpotShortage(9, 1)))
    (said,) = (text for text in estimate(WORK, RATES, spec, operations=events).warnings if "longer load" in text)
    # 730 h of 24 each.
    assert "24 hours has 1 loss of a zone and 2 shortages of Fargate Spot, so a month has 30.4 times as much" in said
    month = replace(WORK, load=WORK.load.repeated(31))
    assert not [text for text in estimate(month, RATES, spec, operations=events).warnings if "longer load" in text]


def test_the_quota_is_held_against_what_deployments_take():
    spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=8, max_capacity=8)

    def said(**deployment):
        changed = replace(spec, deployment=DeploymentConfiguration(**deployment))
        behavior = AwsBehavior(fargate_vcpu_quota=10)
        return [text for text in estimate(WORK, RATES, changed, behavior=behavior).warnings if "quota" in text]

    assert "has 8 vCPU, and up to 16 during a deployment" in said()[0]
    assert "up to 12 during" in said(maximum_percent=150)[0]
    assert "up to 16 during" in said(strategy="BLUE_GREEN", maximum_percent=110)[0]
    assert said(minimum_healthy_percent=50, maximum_percent=110) == []


def notes_of(extras, **request):
    return estimate(replace(WORK, **request), RATES, ServiceSpec(TaskSize(512, 1024)), extras=extras).warnings


def test_settings_that_count_for_nothing_are_said():
    edges = Extras(cloudfront_edges={"US": 1.0}, cloudfront_upload_share=0.5)
    (said,) = [text for text in notes_of(edges) if "for nothing" in text]
    assert "cloudfront_edges, cloudfront_upload_share count for nothing: request.behind_cloudfront is false" in said
    assert not [text for text in notes_of(edges, behind_cloudfront=True) if "for nothing" in text]
    tasks = Extras(insights_metrics_per_task=5)
    assert [text for text in notes_of(tasks) if "container_insights is disabled" in text]
    assert not [text for text in notes_of(replace(tasks, container_insights="enhanced")) if "for nothing" in text]
    assert not [text for text in notes_of(Extras()) if "for nothing" in text]


def test_more_traffic_than_a_plan_of_cloudfront_allows_is_said():
    front = Extras(cloudfront_plan="pro")
    assert [text for text in notes_of(front, behind_cloudfront=True) if "Pro plan allows 10 million requests" in text]
    business = Extras(cloudfront_plan="business")
    assert not [text for text in notes_of(business, behind_cloudfront=True) if "allows" in text]
