"""Why a plan is not another service: what one breaks, by hand, and where the bills differ, by AWS's prices."""

import json
from dataclasses import replace

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.why_not import difference_usd, kind_differences, signed_usd, why_not
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.service.network import NetworkLayout
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import rates_of

RATES = rates_of()
WORK = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
CHOICES = Choices(
    cpu_units=(256, 512),
    memory_mib=(512, 1024),
    target_values=(60.0,),
    min_capacities=(2, 3),
    max_capacity=4,
    scale_out_cooldowns_s=(300,),
    scheduled_minimum_percents=(0.0,),
    constant_counts=False,
)
BEST = plan(WORK, RATES, choices=CHOICES)
#: What a task of 0.25 vCPU and 0.5 GB with a public address costs in a month.
X86_TASK = 730 * (0.25 * 0.04048 + 0.5 * 0.004445)
ARM_TASK = 730 * (0.25 * 0.03238 + 0.5 * 0.00356)
ADDRESS = 730 * 0.005


def test_the_plan_itself():
    assert BEST.spec.task_size == TaskSize(256, 512)
    found = why_not(BEST, RATES, BEST.spec)
    assert found.kind == "plan"
    assert found.difference_usd == 0
    assert found.lines == ()
    assert str(found) == f"{BEST.spec.describe()}: it is the plan itself."


def test_a_dearer_one_and_the_lines_that_make_it_so():
    found = why_not(BEST, RATES, replace(BEST.spec, cpu_architecture="X86_64", min_capacity=3))
    assert found.kind == "dearer"
    assert found.broken == ()
    assert found.difference_usd == pytest.approx(3 * X86_TASK - 2 * ARM_TASK + ADDRESS)
    by_title = {line.title: line for line in found.lines}
    assert set(by_title) == {"Fargate vCPU", "Fargate memory", "Public IPv4 addresses"}
    assert by_title["Fargate vCPU"].difference_usd == pytest.approx(730 * 0.25 * (3 * 0.04048 - 2 * 0.03238))
    assert by_title["Fargate vCPU"].before_usd == pytest.approx(730 * 0.25 * 2 * 0.03238)
    assert by_title["Fargate memory"].after_usd == pytest.approx(730 * 0.5 * 3 * 0.004445)
    assert by_title["Public IPv4 addresses"].difference_usd == pytest.approx(ADDRESS)
    amounts = [abs(line.difference_usd) for line in found.lines]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(line.difference_usd for line in found.lines) == pytest.approx(found.difference_usd)
    assert f"It costs ${found.difference_usd:,.2f} a month more" in found.verdict
    assert "Fargate vCPU +10.34" in found.verdict


def test_one_that_breaks_the_promise_says_every_limit_and_what_it_would_save():
    found = why_not(BEST, RATES, replace(BEST.spec, min_capacity=1))
    assert found.kind == "breaks"
    assert [(limit.constraint, limit.limit, limit.actual, limit.unit) for limit in found.broken] == [
        ("min_tasks", 2, 1, "tasks"),
        ("min_availability_zones", 2, 1, "zones"),
    ]
    assert found.difference_usd == pytest.approx(-ARM_TASK - ADDRESS)
    assert "min_tasks is 1; at least 2 tasks; min_availability_zones is 1; at least 2 zones" in found.verdict
    assert f"It costs ${ARM_TASK + ADDRESS:,.2f} a month less" in found.verdict


def test_one_that_costs_the_same():
    found = why_not(BEST, RATES, replace(BEST.spec, scaling=TargetTrackingScalingPolicy(50)))
    assert found.kind == "ties"
    assert found.difference_usd == 0
    assert "Of equal bills the search takes the lower p95 latency" in found.verdict


def test_a_cheaper_one_that_the_search_was_not_allowed():
    # The base of two keeps both tasks On-Demand; without it Spot has them all, at what AWS lists for Spot.
    found = why_not(BEST, RATES, replace(BEST.spec, capacity_provider_strategy="FARGATE_SPOT"))
    assert found.kind == "cheaper"
    assert found.difference_usd < 0
    # A vCPU is a vCPU on Spot too: one row, not two.
    assert [line.title for line in found.lines][:2] == ["Fargate vCPU", "Fargate memory"]
    assert "It is not among the choices of the search: widen `search`" in found.verdict


def test_other_networks_differ_in_their_lines():
    found = why_not(BEST, RATES, replace(BEST.spec, network=NetworkLayout.of("nat")))
    by_title = {line.title: line for line in found.lines}
    assert by_title["NAT gateways"].difference_usd == pytest.approx(730 * 0.045)
    # The tasks' addresses go, the gateway's comes.
    assert by_title["Public IPv4 addresses"].difference_usd == pytest.approx(-ADDRESS)
    assert by_title["NAT gateways"].before_usd == 0


def without(*prices):
    return Rates("us-east-1", {name: rate for name, rate in RATES.known.items() if name not in prices})


def test_an_unknown_rate_that_both_need_alike_falls_out_of_the_difference():
    rates = without("alb_hour")
    best = estimate(WORK, rates, BEST.spec)
    found = why_not(best, rates, replace(BEST.spec, min_capacity=3))
    assert best.cost.is_lower_bound
    assert found.difference_usd == pytest.approx(ARM_TASK + ADDRESS)
    assert found.kind == "dearer"
    assert "%" not in found.verdict.partition("It costs")[2]


def test_an_unknown_rate_that_differs_makes_the_difference_unknown():
    rates = without("fargate_linux_x86_vcpu_hour")
    best = estimate(WORK, rates, BEST.spec)
    found = why_not(best, rates, replace(BEST.spec, cpu_architecture="X86_64"))
    assert found.kind == "unknown"
    assert found.difference_usd is None
    assert found.lines[0].title == "Fargate vCPU"
    assert (found.lines[0].after_usd, found.lines[0].difference_usd) == (None, None)
    assert "is not known" in found.verdict
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["difference_usd_per_month"] is None


def test_savings_plans_are_in_both_bills():
    rates = all_rates()
    best = estimate(WORK, rates, BEST.spec, savings_plans=(SavingsPlan(),))
    found = why_not(best, rates, replace(BEST.spec, min_capacity=3))
    other = estimate(WORK, rates, found.other.spec, savings_plans=(SavingsPlan(),))
    assert found.difference_usd == pytest.approx(other.cost.total_usd - best.cost.total_usd)
    assert sum(line.difference_usd for line in found.lines) == pytest.approx(found.difference_usd)


def test_what_an_existing_plan_pays_for_is_no_difference_that_is_known():
    # Without the rates of a plan that you have, it is not known what it pays of the Fargate lines.
    rates = load_rates("eu-west-1")
    mine = SavingsPlan("3yr", "Partial Upfront", 0.01, existing=True)
    one, other = (
        estimate(WORK, rates, replace(BEST.spec, max_capacity=most), savings_plans=(mine,)) for most in (4, 5)
    )
    assert one.cost.is_lower_bound
    assert difference_usd(one.cost, other.cost) is None
    assert difference_usd(estimate(WORK, rates, BEST.spec).cost, estimate(WORK, rates, BEST.spec).cost) == 0


def test_drills_and_budget_are_limits_too():
    promise = Promise(max_usd_per_month=20, max_minutes_after_zone_loss=0, max_minutes_over_capacity=None)
    # One task of 0.25 vCPU carries 5 requests/s of 10 ms; 20 requests/s of 10 ms need both.
    busy = Workload(LoadProfile.constant(40), cpu_ms_per_request=10)
    found = estimate(busy, RATES, ServiceSpec(TaskSize(256, 512), max_capacity=2), promise=promise)
    broken = {limit.constraint: limit for limit in found.broken}
    assert set(broken) == {"max_usd_per_month", "max_minutes_after_zone_loss"}
    assert broken["max_usd_per_month"].actual == found.cost.total_usd
    assert broken["max_minutes_after_zone_loss"].actual > 0
    warned = [text for text in found.warnings if text.startswith("The promise is broken")]
    assert len(warned) == 2


def test_differences_of_a_bill_with_itself_are_none_and_turn_with_the_order():
    dear = estimate(WORK, RATES, ServiceSpec(TaskSize(1024, 2048), network=NetworkLayout.of("nat")))
    assert kind_differences(dear.cost, dear.cost) == ()
    there, back = kind_differences(BEST.cost, dear.cost), kind_differences(dear.cost, BEST.cost)
    assert {line.title: line.difference_usd for line in there} == pytest.approx(
        {line.title: -line.difference_usd for line in back}
    )


def test_what_is_none():
    with pytest.raises(InvalidScenario, match="spec is 'small'"):
        why_not(BEST, RATES, "small")
    with pytest.raises(InvalidScenario, match="The rates are of eu-west-1"):
        why_not(BEST, rates_of(region="eu-west-1"), BEST.spec)
    with pytest.raises(InvalidScenario, match="it must be what plan or estimate gives"):
        why_not("plan", RATES, BEST.spec)


@pytest.mark.parametrize(
    ("usd", "text"), [(1234.5, "+1,234.50"), (-0.004, "-0.004"), (-1e-12, "0.00"), (None, "unknown"), (0.005, "+0.01")]
)
def test_differences_to_read(usd, text):
    assert signed_usd(usd) == text
