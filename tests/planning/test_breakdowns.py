"""A bill taken apart, by the prices of us-east-1: what is fixed, what follows traffic, and what leads the capacity units."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from estimator.billing.lcu import DIMENSIONS, LCU_CHANGES
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.cost_split import fixed_and_variable
from estimator.planning.horizon import Horizon, bill_by_month
from estimator.planning.lcu_advice import TWICE, lcu_advice
from estimator.planning.networks import compare_networks
from estimator.planning.planner import estimate
from estimator.planning.purchases import compare_purchases
from estimator.pricing.snapshots import load_rates
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.policies import ScheduledAction
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, fitting, nearly, rates_of, specs, workloads
from tests.properties.test_laws import few

RATES = rates_of()
TWO = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2)
WORK = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)
REQUESTS = 10 * 730 * 3600


def service(work=WORK, spec=TWO, rates=RATES, **given):
    return estimate(work, rates, spec, **given)


def without(*names):
    return rates_of({name: price for name, price in US_EAST_1.items() if name not in names})


def by_charge(split):
    return {line.charge: line for line in split.lines}


# What is fixed, and what follows traffic.


def test_of_tasks_that_never_scale_only_units_bytes_and_logs_follow_traffic():
    plan = service()
    split = fixed_and_variable(plan, RATES)
    added = {line.charge: line.variable_usd for line in split.lines if line.variable_usd}
    log_gb = REQUESTS * 250 / 1e9
    assert added == {
        # Five requests a connection: 2 new ones a second, 11 kB a request; the bytes lead with 0.396 GB an hour.
        "alb_lcu_hour": pytest.approx(0.396 * 730 * 0.008),
        "internet_egress": pytest.approx(REQUESTS * 10e3 / 1e9 * 0.09),
        "logs_ingestion": pytest.approx(log_gb * 0.5),
        # What comes in a day, for its days of retention, compressed to 0.15.
        "logs_storage": pytest.approx(log_gb / 730 * 24 * plan.application.log_retention_days * 0.15 * 0.03),
    }
    assert split.fixed_usd == pytest.approx(
        2 * 730 * (0.04048 + 2 * 0.004445) + 730 * 0.0225 + (2 + 2) * 730 * 0.005 + 2 * 0.1
    )


def test_of_tasks_that_scale_the_minimum_is_fixed():
    scaling = ServiceSpec(TaskSize(256, 512), min_capacity=3, max_capacity=40)
    plan = service(replace(WORK, load=LoadProfile.daily(200, 20)), scaling)
    line = by_charge(fixed_and_variable(plan, RATES))["fargate_linux_x86_vcpu_hour"]
    assert line.fixed_usd == pytest.approx(3 * 0.25 * 730 * 0.04048)
    assert line.variable_usd == pytest.approx((plan.figures["mean_tasks"] - 3) * 0.25 * 730 * 0.04048)
    assert line.variable_usd > 0


def test_what_happens_without_traffic_is_fixed():
    night = ScheduledAction("cron(0 0 ? * * *)", min_capacity=4), ScheduledAction("cron(0 12 ? * * *)", min_capacity=2)
    spec = replace(TWO, max_capacity=8, scheduled_actions=night)
    deployed = Operations(deployment_schedules=("cron(0 6 ? * * *)",))
    line = by_charge(fixed_and_variable(service(spec=spec, operations=deployed), RATES))["fargate_linux_x86_vcpu_hour"]
    # Four tasks for half of the day, two for the rest, and those that a deployment starts beside them.
    assert line.fixed_usd > 3 * 730 * 0.04048
    assert line.fixed_usd == pytest.approx(line.total_usd, rel=0.02)


def test_by_million_requests_and_by_user():
    split = fixed_and_variable(service(), RATES, users=5000)
    total = service().cost.total_usd
    assert split.usd_per_million_requests == pytest.approx(total / REQUESTS * 1e6)
    assert split.variable_usd_per_million_requests == pytest.approx((total - split.fixed_usd) / REQUESTS * 1e6)
    assert split.usd_per_user == pytest.approx(total / 5000)
    assert split.variable_usd_per_user == pytest.approx((total - split.fixed_usd) / 5000)
    assert "A user costs $0.0" in split.verdict
    assert f"A million requests cost ${total / REQUESTS * 1e6:,.2f}" in split.verdict


def test_a_bill_without_traffic_is_all_fixed():
    split = fixed_and_variable(service(replace(WORK, load=LoadProfile.constant(0))), RATES)
    assert [line.variable_usd for line in split.lines] == [0.0] * len(split.lines)
    assert (split.variable_usd, split.fixed_usd) == (0, split.total_usd)
    assert split.usd_per_million_requests is split.usd_per_user is split.variable_usd_per_million_requests is None
    assert "million" not in split.verdict


@few
@given(workloads(), specs())
def test_both_parts_are_the_bill(workload, spec):
    plan = service(fitting(workload, spec), spec)
    split = fixed_and_variable(plan, RATES)
    assert nearly(split.fixed_usd + split.variable_usd, plan.cost.total_usd)
    assert nearly(sum(line.fixed_usd for line in split.lines), split.fixed_usd)
    assert nearly(sum(line.variable_usd for line in split.lines), split.variable_usd)
    assert {line.charge for line in split.lines} >= {line.charge for line in plan.cost}
    assert split.variable_usd >= -1e-9
    json.dumps(split.to_dict(), allow_nan=False)


def test_an_unknown_rate_is_unknown_in_both_parts_where_it_counts():
    split = fixed_and_variable(service(rates=without("alb_hour", "alb_lcu_hour")), without("alb_hour", "alb_lcu_hour"))
    lines = by_charge(split)
    # Hours of the load balancer are there without traffic, its units are not.
    assert (lines["alb_hour"].fixed_usd, lines["alb_hour"].variable_usd) == (None, None)
    assert (lines["alb_lcu_hour"].fixed_usd, lines["alb_lcu_hour"].variable_usd) == (0.0, None)
    assert nearly(split.fixed_usd + split.variable_usd, split.total_usd)
    assert "at least" in split.verdict


@pytest.mark.parametrize("users", [0, -1, float("nan")])
def test_users_that_are_none_are_refused(users):
    with pytest.raises(InvalidScenario, match=r"users is .*; it must be a number of more than 0"):
        fixed_and_variable(service(), RATES, users)


# What leads the load balancer's capacity units.

#: 100 requests/s: 4 units of new connections, 1.333 of active ones, 0.72 of bytes, 3 of paid rules.
SITE = Workload(
    LoadProfile.constant(100),
    cpu_ms_per_request=5,
    requests_per_connection=1,
    connection_s=40,
    request_kb=1,
    response_kb=1,
    rules_evaluated_per_request=40,
)
UNITS = (4.0, 4000 / 3000, 0.72, 3.0)


def what_ifs(advice):
    return {change.name: change for change in advice.what_ifs}


def test_the_four_dimensions_by_hand():
    advice = lcu_advice(service(SITE), RATES)
    assert [item.name for item in advice.dimensions] == list(DIMENSIONS)
    assert [item.lcu_hours for item in advice.dimensions] == pytest.approx([730 * units for units in UNITS])
    assert [item.hours_led for item in advice.dimensions] == [730, 0, 0, 0]
    assert (advice.leading, advice.next_leading) == ("new connections", "rule evaluations")
    assert advice.billed_lcu_hours == pytest.approx(730 * 4)
    assert advice.without_leading_lcu_hours == pytest.approx(730 * 3)
    assert advice.saved_usd == pytest.approx(730 * 0.008)
    assert advice.verdict == (
        "New connections lead in 730 hours of the month. Less of them saves up to $5.84 a month; then rule evaluations lead. "
        "Let clients keep their connections open for longer, or use HTTP/2, so that more requests share one."
    )


@pytest.mark.parametrize(
    ("changed", "leading", "named"),
    [
        ({}, "new connections", {"keep_alive", "http2", "cloudfront"}),
        ({"connection_s": 200, "requests_per_connection": 2}, "active connections", {"idle_timeout"}),
        ({"response_kb": 100}, "processed bytes", {"compression"}),
        ({"rules_evaluated_per_request": 100}, "rule evaluations", {"rules"}),
    ],
)
def test_each_change_is_billed_as_an_estimate_of_it_says(changed, leading, named):
    work = replace(SITE, **changed)
    rates = load_rates("us-east-1")
    plan = service(work, ServiceSpec(TaskSize(512, 1024), max_capacity=20), rates)
    advice = lcu_advice(plan, rates)
    assert advice.leading == leading
    assert named <= set(what_ifs(advice)) <= {*LCU_CHANGES, TWICE}
    assert next(item.remedy for item in advice.dimensions if item.name == leading) in advice.verdict
    for change in advice.what_ifs:
        # Simulated anew, so this also says that nothing else of the service moves.
        alone = service(replace(work, **change.fields), plan.spec, rates)
        assert nearly(change.cost.total_usd, alone.cost.total_usd)
        assert nearly(change.saved_usd, plan.cost.total_usd - alone.cost.total_usd)
        same_load = alone.workload.task_load.fingerprint() == plan.workload.task_load.fingerprint()
        assert change.moves_tasks == (not same_load) == (change.name == "cloudfront")
    saved = [change.saved_usd for change in advice.what_ifs]
    assert saved == sorted(saved, reverse=True)


def test_rules_down_to_the_free_ones_by_hand():
    work = replace(SITE, requests_per_connection=10, rules_evaluated_per_request=40)
    advice = lcu_advice(service(work), RATES)
    rules = what_ifs(advice)["rules"]
    assert rules.fields == {"rules_evaluated_per_request": 10}
    # From 3 units of rules to 0.72 of bytes.
    assert rules.saved_usd == pytest.approx((3 - 0.72) * 730 * 0.008)
    assert rules.saved_usd == pytest.approx(advice.saved_usd)


def test_compression_lowers_data_transfer_too():
    work = replace(SITE, requests_per_connection=10, response_kb=100, rules_evaluated_per_request=1)
    saved = what_ifs(lcu_advice(service(work), RATES))["compression"].saved_usd
    # 101 kB of 100 requests/s are 36.36 GB an hour, 31 kB are 11.16; 26,280 GB out, of which 10,240 at 9 cents, become 7,884.
    units = (36.36 - 11.16) * 730 * 0.008
    assert saved == pytest.approx(units + 10_240 * 0.09 + (26_280 - 10_240) * 0.085 - 7884 * 0.09)


def test_where_connections_are_reused_already_twice_as_much_is_tried():
    # More than browsers and HTTP/2 are taken to send over one; 600 that are open are 0.2 units, 1.1 kB a request are 0.396.
    work = replace(SITE, requests_per_connection=500, connection_s=3000, rules_evaluated_per_request=1, response_kb=0.1)
    advice = lcu_advice(service(work), RATES)
    assert advice.leading == "processed bytes"
    assert TWICE not in what_ifs(advice)
    long = replace(work, connection_s=30_000)
    advice = lcu_advice(service(long), RATES)
    # 0.2 new connections a second, open for 30,000 s, are 6,000: 2 units, and 1 with twice the requests.
    assert advice.leading == "active connections"
    twice = what_ifs(advice)[TWICE]
    assert twice.fields == {"requests_per_connection": 1000}
    assert twice.saved_usd == pytest.approx(1 * 730 * 0.008)
    assert "1000 in place of 500" in twice.advice


def test_a_stream_is_not_told_to_share_its_connection():
    stream = replace(SITE, requests_per_connection=1, connection_s=3600, rules_evaluated_per_request=1)
    assert lcu_advice(service(stream), RATES).what_ifs == ()


def test_hours_are_led_where_something_is_consumed():
    work = replace(SITE, load=LoadProfile([0.0] * 18 + [100.0] * 6, 3600))
    advice = lcu_advice(service(work), RATES)
    assert [item.hours_led for item in advice.dimensions] == pytest.approx([730 / 4, 0, 0, 0])
    assert advice.billed_lcu_hours == pytest.approx(730)


def test_a_reservation_pays_first():
    busy = replace(SITE, load=LoadProfile.constant(3000))  # 120 units of new connections, 90 of rules
    advice = lcu_advice(service(busy, extras=Extras(reserved_lcu=100)), RATES)
    assert advice.billed_lcu_hours == pytest.approx(20 * 730)
    assert advice.without_leading_lcu_hours == 0
    assert advice.saved_usd == pytest.approx(20 * 730 * 0.008)
    held = lcu_advice(service(SITE, extras=Extras(reserved_lcu=100)), RATES)
    assert (held.billed_lcu_hours, held.saved_usd) == (0, 0)
    assert held.verdict.startswith("The reservation holds all capacity units")


def test_connections_count_as_the_behavior_says():
    once, twice = (
        lcu_advice(service(SITE, behavior=AwsBehavior(connection_count_factor=factor)), RATES) for factor in (1, 2)
    )
    assert twice.dimensions[0].lcu_hours == pytest.approx(2 * once.dimensions[0].lcu_hours)
    assert twice.saved_usd == pytest.approx((8 - 3) * 730 * 0.008)


def test_without_traffic_there_is_nothing_to_advise():
    advice = lcu_advice(service(replace(SITE, load=LoadProfile.constant(0))), RATES)
    assert (advice.leading, advice.next_leading, advice.saved_usd, advice.what_ifs) == ("", "", 0, ())
    assert advice.verdict == "Nothing consumes capacity units of the load balancer."
    assert advice.to_dict()["leading"] is None


def test_an_unknown_rate_leaves_savings_unknown_only_where_it_counts():
    rates = without("alb_lcu_hour")
    advice = lcu_advice(service(SITE, rates=rates), rates)
    assert advice.saved_usd is None
    assert "Less of them saves an unknown amount; then rule evaluations lead." in advice.verdict
    assert all(change.saved_usd is None for change in advice.what_ifs)
    assert json.loads(json.dumps(advice.to_dict(), allow_nan=False))["saved_usd_per_month"] is None
    # Hours of the load balancer are the same with any change.
    rates = without("alb_hour")
    for change in lcu_advice(service(SITE, rates=rates), rates).what_ifs:
        with_all = what_ifs(lcu_advice(service(SITE), RATES))[change.name]
        assert change.saved_usd == pytest.approx(with_all.saved_usd)


def test_network_and_months_of_the_plan_are_kept():
    spec = replace(TWO, network=NetworkLayout.of("nat", 3))
    plan = service(SITE, spec, hours_per_month=720)
    advice = lcu_advice(plan, RATES)
    assert advice.billed_lcu_hours == pytest.approx(720 * 4)
    for change in advice.what_ifs:
        lines = {line.charge for line in change.cost}
        assert {"nat_gateway_hour", "nat_gateway_gb"} <= lines
        assert change.cost.hours_per_month == 720
    split = fixed_and_variable(plan, RATES)
    assert by_charge(split)["nat_gateway_hour"].fixed_usd == pytest.approx(720 * 0.045)
    assert by_charge(split)["nat_gateway_gb"].fixed_usd == 0


# Savings Plans.


def test_a_commitment_that_was_found_stays_when_the_load_changes():
    rates = load_rates("us-east-1")
    work = replace(SITE, load=LoadProfile.daily(400, 100))
    spec = ServiceSpec(TaskSize(512, 1024), min_capacity=2, max_capacity=40)
    plan = service(work, spec, rates, savings_plans=[SavingsPlan()])
    commitment = plan.cost.savings_plans[0].commitment_usd_per_h
    # More than the two tasks of a service without traffic need.
    assert commitment > 2 * (0.5 * 0.04048 + 0.004445)
    split = fixed_and_variable(plan, rates)
    lines = by_charge(split)
    paid = [line for name, line in lines.items() if "savings_plan" in name]
    assert sum(line.fixed_usd for line in paid) == pytest.approx(730 * commitment)
    assert lines["savings_plan_unused:1"].variable_usd < 0
    assert split.fixed_usd + split.variable_usd == pytest.approx(plan.cost.total_usd)
    found = bill_by_month(plan, rates, Horizon(3, 60))
    bills = [*(month.cost for month in found.months), *(change.cost for change in lcu_advice(plan, rates).what_ifs)]
    assert len(bills) > 4
    assert {bill.savings_plans[0].commitment_usd_per_h for bill in bills} == {commitment}
    names = found.to_frame().columns.tolist()
    assert names.index("fargate_linux_x86_vcpu_hour:savings_plan_1") < names.index("alb_hour")
    assert found.to_frame().sum(axis=1).tolist() == pytest.approx([month.cost.total_usd for month in found.months])


def test_a_plan_that_does_not_pay_off_is_not_bought_later():
    rates = load_rates("us-east-1")
    # Of Fargate Spot a Savings Plan pays nothing.
    spot = replace(TWO, capacity_provider_strategy=CapacityProviderStrategy.of("FARGATE_SPOT"))
    plan = service(WORK, spot, rates, savings_plans=[SavingsPlan()])
    assert plan.cost.savings_plans[0].commitment_usd_per_h == 0
    assert nearly(fixed_and_variable(plan, rates).total_usd, plan.cost.total_usd)
    assert bill_by_month(plan, rates, Horizon(2, 50)).months[1].cost.savings_plans == ()


def test_rates_of_another_region_make_no_bill():
    rates, other = load_rates("us-east-1"), load_rates("eu-west-1")
    plan = estimate(Workload(LoadProfile.constant(10), cpu_ms_per_request=10), rates, ServiceSpec(TaskSize(256, 512)))
    for make in (
        lambda given: fixed_and_variable(plan, given),
        lambda given: lcu_advice(plan, given),
        lambda given: bill_by_month(plan, given, Horizon(2)),
        lambda given: compare_networks(plan, given),
        lambda given: compare_purchases(plan, given),
    ):
        assert make(rates)
        with pytest.raises(InvalidScenario, match="The rates are of eu-west-1, the plan is of us-east-1"):
            make(other)
        with pytest.raises(InvalidScenario, match="rates is None; it must be what load_rates gives"):
            make(None)
    with pytest.raises(InvalidScenario, match="plan is 'x'; it must be what plan or estimate gives"):
        compare_networks("x", rates)
    with pytest.raises(InvalidScenario, match="horizon is 12; it must be a Horizon"):
        bill_by_month(plan, rates, 12)


def test_results_say_themselves_in_short():
    rates = load_rates("us-east-1")
    plan = estimate(Workload(LoadProfile.constant(10), cpu_ms_per_request=10), rates, ServiceSpec(TaskSize(256, 512)))
    split = fixed_and_variable(plan, rates)
    assert str(split) == repr(split) == split.verdict
    assert split.to_frame()["total_usd"].sum() == pytest.approx(plan.cost.total_usd)
    assert repr(compare_networks(plan, rates)[0]).startswith("public addresses: $")
    assert repr(compare_purchases(plan, rates)[0]).count("\n") == 0
    assert repr(bill_by_month(plan, rates, Horizon(2))).startswith("The service keeps its promise")
