"""What is chosen beside the service, and bills that lack a line: regions, CloudFront, Insights, Savings Plans whose rates are not known."""

from dataclasses import replace

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import NoFeasiblePlan, RateNotFound
from estimator.planning.limit_prices import limit_prices
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.pricing.snapshots import load_rates
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.policies import PredictiveScalingPolicy, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

US, EU = load_rates("us-east-1"), load_rates("eu-west-1")
WORK = Workload(LoadProfile.daily(20, 5, 12), cpu_ms_per_request=20, response_kb=20)
FEW = Choices(cpu_units=(256, 512), target_values=(60.0,), min_capacities=(1, 2, 3), constant_counts=False)


def without(rates, *prices):
    return replace(rates, known={name: rate for name, rate in rates.known.items() if name not in prices})


def test_a_bill_that_lacks_a_line_does_not_beat_a_whole_one():
    alone = plan(WORK, US, choices=FEW)
    best = plan(WORK, [US, without(EU, "alb_hour")], choices=FEW)
    assert best.cost.region == "us-east-1"
    assert best.cost.total_usd == alone.cost.total_usd
    # Nor does it where it comes first.
    assert plan(WORK, [without(EU, "alb_hour"), US], choices=FEW).cost.region == "us-east-1"
    # Where all lack it, the cheapest of what is known is as good as any.
    both = plan(WORK, [without(US, "alb_hour"), without(EU, "alb_hour")], choices=FEW)
    assert both.cost.is_lower_bound
    priced = plan(WORK, without(US, "container_insights_metric", "metric_month"), choices=FEW)
    assert priced.extras == Extras()


def test_what_is_chosen_around_the_service_is_the_cheapest_of_each_alone():
    chosen = replace(FEW, container_insights=("enhanced", "disabled"), log_classes=("STANDARD", "INFREQUENT_ACCESS"))
    work = replace(WORK, log_bytes_per_request=2000)
    best = plan(work, [US, EU], choices=chosen)
    alone = {
        (rates.region, insights, log_class): plan(
            work, rates, choices=FEW, extras=Extras(container_insights=insights, log_class=log_class)
        ).cost.total_usd
        for rates in (US, EU)
        for insights in chosen.container_insights
        for log_class in chosen.log_classes
    }
    cheapest = min(alone, key=alone.__getitem__)
    assert (best.cost.region, best.extras.container_insights, best.extras.log_class) == cheapest
    assert best.cost.total_usd == pytest.approx(alone[cheapest], rel=1e-12)


def test_who_calls_does_not_move_with_the_region():
    work = replace(WORK, behind_cloudfront=True, response_kb=500)
    home = load_rates("sa-east-1")
    best = plan(work, [home, US], choices=FEW)
    assert best.cost.region == "us-east-1"
    assert best.extras.cloudfront_edges == {"SA": 1.0}
    assert best.cost.total_usd == pytest.approx(
        estimate(work, US, best.spec, extras=Extras(cloudfront_edges={"SA": 1.0})).cost.total_usd, rel=1e-12
    )


def test_a_savings_plan_of_which_nobody_knows_what_it_pays_decides_nothing():
    have = SavingsPlan("1yr", "No Upfront", commitment_usd_per_h=0.01, existing=True)
    with_it, alone = plan(WORK, EU, choices=FEW, savings_plans=(have,)), plan(WORK, EU, choices=FEW)
    assert with_it.spec == alone.spec
    assert with_it.cost.is_lower_bound
    # Where it is known of one architecture, the other one is left out.
    leg = [name for name in US.known if name.startswith("savings_plan") and "x86" in name]
    best = plan(WORK, without(US, *leg), choices=FEW, savings_plans=(have,))
    assert best.spec.cpu_architecture == "ARM64"
    assert not best.cost.is_lower_bound


def test_over_the_budget_the_budget_is_what_is_missed():
    with pytest.raises(NoFeasiblePlan, match=r"max_usd_per_month is 11\d\.\d; at most 30 USD/month"):
        plan(WORK, US, Promise(max_usd_per_month=30), choices=FEW)


def test_every_region_says_why_it_has_no_plan():
    with pytest.raises(NoFeasiblePlan, match=r"p95_latency_ms is [\d.]+ or more; at most 50 ms"):
        plan(WORK, [US, EU], Promise(p95_latency_ms=50, allowed_regions=("eu-west-1",)), choices=FEW)
    vcpu = "fargate_linux_x86_vcpu_hour", "fargate_linux_arm_vcpu_hour"
    with pytest.raises(NoFeasiblePlan, match="p95_latency_ms"):
        plan(WORK, [without(US, *vcpu), EU], Promise(p95_latency_ms=50), choices=FEW)
    with pytest.raises(RateNotFound):
        plan(WORK, [without(US, *vcpu), without(EU, *vcpu)], choices=FEW)


def test_a_limit_on_regions_has_its_price():
    from estimator.planning.frontier import explore

    promise = Promise(allowed_regions=("eu-west-1",))
    best = plan(WORK, [US, EU], promise, choices=FEW)
    explored = explore(WORK, EU, promise, choices=FEW)
    price = next(one for one in limit_prices(explored, [US, EU], best) if one.limit == "allowed_regions")
    free = plan(WORK, [US, EU], choices=FEW)
    assert free.cost.region == "us-east-1"
    assert price.saving_usd == pytest.approx(best.cost.total_usd - free.cost.total_usd)
    assert not price.costs_nothing


def test_the_least_tasks_count_at_all_times():
    spec = ServiceSpec(
        TaskSize(256, 512),
        min_capacity=4,
        max_capacity=9,
        scheduled_actions=(ScheduledAction("cron(0 20 * * ? *)", min_capacity=1),),
    )
    broken = {one.constraint: one.actual for one in estimate(WORK, US, spec, promise=Promise(min_tasks=3)).broken}
    assert broken["min_tasks"] == 1
    assert broken["min_availability_zones"] == 1


def test_nobody_knows_of_a_flash_crowd_before():
    work = Workload(LoadProfile.daily(100, 20, 12), cpu_ms_per_request=20)
    promise = Promise(max_minutes_over_capacity=None, max_minutes_in_flash_crowd=0, flash_crowd_factor=5)
    ways = (
        (TargetTrackingScalingPolicy(60),),
        (TargetTrackingScalingPolicy(60, disable_scale_in=True),),
        (TargetTrackingScalingPolicy(60), PredictiveScalingPolicy(60)),
    )
    for scaling in ways:
        spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=60, scaling=scaling)
        broken = [one for one in estimate(work, US, spec, promise=promise).broken if "flash" in one.constraint]
        # Until the first tasks are there that the crowd calls for.
        assert len(broken) == 1, scaling
        assert 3 <= broken[0].actual <= 15, scaling


def test_a_zone_that_is_lost_anyway_is_another_drill():
    work = Workload(LoadProfile.daily(400, 20, 0), cpu_ms_per_request=20)
    spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=60)
    promise = Promise(max_minutes_over_capacity=None, max_minutes_after_zone_loss=0)
    minutes = [
        next(one.actual for one in found.broken if one.constraint == "max_minutes_after_zone_loss")
        for found in (
            estimate(work, US, spec, promise=promise),
            estimate(work, US, spec, promise=promise, operations=Operations(zone_losses_h=(0,))),
        )
    ]
    assert minutes[0] == minutes[1] > 0
