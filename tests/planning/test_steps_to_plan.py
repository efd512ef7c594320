"""From today to the plan, step by step: each by AWS's prices, all together the whole difference; and each other choice alone."""

import itertools
import json
from dataclasses import fields, replace

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.steps_to_plan import AROUND, GROUPS, SAVINGS_PLANS, steps_to, value_of_choices
from estimator.pricing.rates import Rates
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.policies import ALB_REQUESTS, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import rates_of

RATES = rates_of()
WORK = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
#: What a vCPU, a GB and an address cost in a month of 730 hours.
X86, X86_GB, ARM, ARM_GB, ADDRESS = (730 * usd for usd in (0.04048, 0.004445, 0.03238, 0.00356, 0.005))
TODAY = ServiceSpec(TaskSize(1024, 2048), "X86_64", 4, 4)
BEST = ServiceSpec(TaskSize(256, 512), "ARM64", 2, 4)


def of(spec, rates=RATES, **more):
    return estimate(WORK, rates, spec, **more)


def differences(steps):
    return {step.title: step.difference_usd for step in steps}


def test_each_step_costs_what_aws_lists():
    steps = steps_to(of(TODAY), of(BEST), RATES)
    assert differences(steps) == pytest.approx(
        {
            "Task size": 4 * (0.25 * X86 + 0.5 * X86_GB - X86 - 2 * X86_GB),
            "Architecture": 4 * (0.25 * (ARM - X86) + 0.5 * (ARM_GB - X86_GB)),
            "Minimum and maximum": -2 * (0.25 * ARM + 0.5 * ARM_GB + ADDRESS),
        }
    )
    assert [step.change for step in steps] == [
        "1 vCPU, 2 GB → 0.25 vCPU, 0.5 GB",
        "X86_64 → ARM64",
        "4-4 tasks → 2-4 tasks",
    ]


def test_the_order_is_fixed_so_a_later_step_is_worth_what_is_left_for_it():
    # The same two steps backwards are worth other sums, and together the same.
    there, back = steps_to(of(TODAY), of(BEST), RATES), steps_to(of(BEST), of(TODAY), RATES)
    assert [step.title for step in there] == [step.title for step in back]
    assert sum(step.difference_usd for step in there) == pytest.approx(-sum(step.difference_usd for step in back))
    assert differences(there)["Architecture"] != pytest.approx(-differences(back)["Architecture"])


def everything_else():
    return ServiceSpec(
        TaskSize(512, 1024),
        "ARM64",
        3,
        9,
        TargetTrackingScalingPolicy(50, 60, 120),
        NetworkLayout.of("nat"),
        CapacityProviderStrategy(1, 1, 1),
        30,
        (ScheduledAction("cron(0 8 * * ? *)", min_capacity=4), ScheduledAction("cron(0 20 * * ? *)", min_capacity=3)),
        DeploymentConfiguration("BLUE_GREEN"),
    )


def test_steps_chain_and_sum_to_the_whole_difference():
    rates = all_rates()
    today, best = of(TODAY, rates), of(everything_else(), rates, savings_plans=(SavingsPlan(),))
    steps = steps_to(today, best, rates)
    assert [step.title for step in steps] == [*GROUPS, SAVINGS_PLANS]
    assert steps[0].before is today
    assert steps[-1].after is best
    assert all(one.after is other.before for one, other in itertools.pairwise(steps))
    total = best.cost.total_usd - today.cost.total_usd
    assert sum(step.difference_usd for step in steps) == pytest.approx(total, rel=1e-12)
    # Each service on the way is the one before it with this group alone moved.
    for step in steps[:-1]:
        moved = {name: getattr(best.spec, name) for name in GROUPS[step.title]}
        assert step.after.spec == replace(step.before.spec, **moved)
        assert step.after.cost.total_usd == pytest.approx(of(step.after.spec, rates).cost.total_usd)


def test_every_field_of_a_service_is_in_one_group():
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(item.name for item in fields(ServiceSpec))


def test_nothing_to_do():
    assert steps_to(of(BEST), of(BEST), RATES) == ()


def test_a_step_that_cannot_be_had_alone_says_why():
    # Half the tasks first, twice the size later: between them a single task is left.
    today = of(replace(TODAY, min_capacity=1, max_capacity=2), promise=Promise())
    steps = steps_to(today, of(BEST, promise=Promise()), RATES)
    assert [limit.constraint for limit in steps[0].broken] == ["min_tasks", "min_availability_zones"]
    assert not steps[0].keeps_promise
    assert "min_tasks is 1; at least 2 tasks" in steps[0].broken_text
    assert steps[-1].keeps_promise


def test_a_service_that_aws_does_not_have_is_no_step():
    # Blue/green does not go with a policy that follows one target group: both can only be moved at once.
    today = of(replace(BEST, deployment=DeploymentConfiguration("BLUE_GREEN")))
    goal = of(replace(BEST, scaling=TargetTrackingScalingPolicy(1000, predefined_metric_type=ALB_REQUESTS)))
    (step,) = steps_to(today, goal, RATES)
    assert step.title == "Scaling policies and Deployment and storage"
    assert step.after is goal
    # A group between them is a step with what waits, as soon as there is such a service.
    further = of(replace(goal.spec, min_capacity=3))
    (step,) = steps_to(today, further, RATES)
    assert step.title == "Scaling policies and Minimum and maximum and Deployment and storage"
    assert step.difference_usd == pytest.approx(further.cost.total_usd - today.cost.total_usd)


def test_what_stands_around_the_service_is_a_step():
    today = of(TODAY, extras=Extras(waf_rules=2))
    best = of(BEST)
    steps = steps_to(today, best, RATES)
    assert steps[-1].title == AROUND
    assert steps[-1].after is best
    # A web ACL, two rules, and its requests: 5 a second, 0.60 USD a million.
    assert steps[-1].difference_usd == pytest.approx(-(5 + 2 + 5 * 3600 * 730 * 0.6e-6))
    assert steps[-1].change == "waf_rules: 2 → none"


def test_unknown_rates_stay_unknown():
    known = {name: rate for name, rate in RATES.known.items() if name != "fargate_linux_x86_vcpu_hour"}
    rates = Rates("us-east-1", known)
    steps = {step.title: step for step in steps_to(of(TODAY, rates), of(BEST, rates), rates)}
    assert steps["Task size"].difference_usd is None
    assert steps["Architecture"].difference_usd is None
    # From ARM64 on nothing is unknown.
    assert steps["Minimum and maximum"].difference_usd == pytest.approx(-2 * (0.25 * ARM + 0.5 * ARM_GB + ADDRESS))
    assert steps["Task size"].to_dict()["is_lower_bound"]


def test_from_today_to_a_plan_that_was_searched():
    choices = Choices(
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0,),
        min_capacities=(2,),
        scheduled_minimum_percents=(0.0,),
    )
    best = plan(WORK, RATES, choices=choices)
    steps = steps_to(of(TODAY), best, RATES)
    assert steps[-1].after is best
    values = json.loads(json.dumps([step.to_dict() for step in steps], allow_nan=False))
    assert values[0]["usd_per_month_before"] == of(TODAY).cost.total_usd
    assert values[-1]["usd_per_month_after"] == best.cost.total_usd
    assert "USD a month" in repr(steps[0])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"promise": Promise(min_tasks=3)}, "differ in promise"),
        ({"hours_per_month": 720}, "differ in hours_per_month"),
    ],
)
def test_services_for_different_promises_have_no_way_between_them(other, said):
    with pytest.raises(InvalidScenario, match=said):
        steps_to(of(TODAY), of(BEST, **other), RATES)


def test_services_under_different_loads_have_no_way_between_them():
    busier = estimate(Workload(LoadProfile.constant(6), cpu_ms_per_request=10), RATES, BEST)
    with pytest.raises(InvalidScenario, match=r"differ in load; .* Make both from one scenario"):
        steps_to(of(TODAY), busier, RATES)


# Each other choice alone.


def values_of(found, rates=RATES):
    return {value.title: value for value in value_of_choices(found, rates)}


def test_other_choices_cost_what_aws_lists():
    values = values_of(of(BEST))
    assert values["X86_64"].difference_usd == pytest.approx(2 * (0.25 * (X86 - ARM) + 0.5 * (X86_GB - ARM_GB)))
    assert values["X86_64"].condition == "It needs an image built for it."
    # A gateway and its address for those of two tasks.
    assert values["one NAT gateway"].difference_usd == pytest.approx(
        730 * 0.045 - ADDRESS, abs=values["one NAT gateway"].cost.total_usd * 0.01
    )
    assert "public addresses" not in values
    # Two tasks always: nothing is above the minimum, so that Spot has nothing.
    assert not [title for title in values if "Spot" in title]


def test_spot_above_the_minimum():
    load = LoadProfile([10.0, 10.0, 100.0, 100.0], 3600)
    found = estimate(Workload(load, cpu_ms_per_request=20), RATES, replace(BEST, max_capacity=20))
    values = values_of(found)
    half, all_of_them = values["half on Spot above 2"], values["all on Spot above 2"]
    assert all_of_them.difference_usd < half.difference_usd < 0
    for value, strategy in ((half, (2, 1, 1)), (all_of_them, (2, 0, 1))):
        spec = replace(found.spec, capacity_provider_strategy=CapacityProviderStrategy(*strategy))
        alone = estimate(found.workload, RATES, spec)
        assert value.cost == alone.cost
        assert value.difference_usd == pytest.approx(alone.cost.total_usd - found.cost.total_usd)
        assert "interrupt" in value.remark
        assert bool(value.broken) == any("promise is broken" in text for text in alone.warnings)
    on_spot = estimate(found.workload, RATES, replace(found.spec, capacity_provider_strategy="FARGATE_SPOT"))
    assert values_of(on_spot)["On-Demand"].difference_usd == pytest.approx(
        found.cost.total_usd - on_spot.cost.total_usd
    )


def test_the_best_savings_plan():
    rates = all_rates()
    found = of(BEST, rates)
    (value,) = (value for value in value_of_choices(found, rates) if value.group == "Savings Plan")
    every = [
        of(BEST, rates, savings_plans=(SavingsPlan(term, payment),)).cost.total_usd
        for term in ("1yr", "3yr")
        for payment in ("No Upfront", "Partial Upfront", "All Upfront")
    ]
    assert value.cost.total_usd == pytest.approx(min(every))
    assert value.difference_usd == pytest.approx(min(every) - found.cost.total_usd)
    # One that is bought already is no other choice.
    bought = of(BEST, rates, savings_plans=(value.cost.savings_plans[-1].plan,))
    assert SAVINGS_PLANS not in {value.group for value in value_of_choices(bought, rates)}


def test_a_savings_plan_without_rates_says_so():
    values = values_of(of(BEST))
    assert values[SAVINGS_PLANS].why_not == "No rate of a Savings Plan is known in us-east-1."
    assert values[SAVINGS_PLANS].cost is None
    assert values[SAVINGS_PLANS].to_dict()["difference_usd_per_month"] is None


def test_what_cannot_be_had_comes_last_with_its_reason():
    calling = Workload(WORK.load, cpu_ms_per_request=10, outbound_sent_kb_per_request=1)
    values = value_of_choices(estimate(calling, RATES, BEST), RATES)
    differences = [value.difference_usd for value in values if value.difference_usd is not None]
    assert differences == sorted(differences)
    assert [value.difference_usd for value in values[len(differences) :]] == [None] * (len(values) - len(differences))
    refused = {value.title: value.remark for value in values if value.why_not}
    assert "no way to the internet" in refused["interface endpoints"]


def test_a_choice_says_what_it_breaks():
    allowed = Promise(allowed_cpu_architectures=("ARM64",), max_usd_per_month=of(BEST).cost.total_usd + 10)
    values = values_of(of(BEST, promise=allowed))
    assert [limit.constraint for limit in values["X86_64"].broken] == ["allowed_cpu_architectures"]
    assert "Breaks the promise: allowed_cpu_architectures is X86_64; it must be ARM64." in values["X86_64"].remark
    assert [limit.constraint for limit in values["a NAT gateway in each of 2 zones"].broken] == ["max_usd_per_month"]
    assert json.dumps([value.to_dict() for value in values.values()], allow_nan=False)
