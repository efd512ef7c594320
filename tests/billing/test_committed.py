"""A bill with Savings Plans: hand arithmetic, laws, and what AWS would not sell."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.billing.committed import on_demand_bill, with_savings_plans
from estimator.billing.savings_plan_options import SavingsPlan, SavingsPlanOption, require_savings_plans
from estimator.billing.savings_plans import apply_commitment, compare_options, fargate_usage
from estimator.errors import InvalidScenario, RateNotFound
from estimator.planning.planner import estimate, plan
from estimator.planning.price_effect import price_effect
from estimator.planning.promise import Choices
from estimator.planning.regions import bill_again, bills_by_region
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.rates import Tier
from estimator.report.bill_steps import bill_steps, unknown_text
from estimator.report.focus import focus_frame
from estimator.report.provenance import explain
from estimator.service.application import Application
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import fitting, nearly, rates_of, specs, workloads

RATES = all_rates()
WORK = Workload(LoadProfile.constant(100), cpu_ms_per_request=10)
#: 4 tasks of 1 vCPU and 2 GB in every hour.
FOUR = ServiceSpec(TaskSize(1024, 2048), min_capacity=4, max_capacity=4)
VCPU, GB = "fargate_linux_x86_vcpu_hour", "fargate_linux_x86_gb_hour"
#: One year, No Upfront, in `all_rates`: vCPU 25 % off, memory 23 % off.
BARE = replace(RATES, region="eu-west-1", known={k: v for k, v in RATES.known.items() if not k.startswith("sp_")})
VCPU_RATE, GB_RATE = 0.75 * 0.04048, 0.77 * 0.004445


def bill(*plans, work=WORK, spec=FOUR, rates=RATES):
    return estimate(work, rates, spec, savings_plans=plans).cost


def lines_of(cost):
    return {line.charge: line for line in cost}


def test_a_commitment_pays_for_vcpu_first_and_the_rest_is_on_demand():
    cost = bill(SavingsPlan(commitment_usd_per_h=0.05))
    lines = lines_of(cost)
    covered = 0.05 / VCPU_RATE * 730
    line = lines[f"{VCPU}:savings_plan_1"]
    assert line.pricing_quantity == pytest.approx(covered)
    assert line.effective_cost == pytest.approx(0.05 * 730)
    assert line.contracted_cost == line.list_cost == pytest.approx(covered * 0.04048)
    assert line.billed_cost == 0
    assert (line.effective_unit_price, line.list_unit_price) == (f"{VCPU_RATE:.5g}", "0.04048")
    assert lines[VCPU].pricing_quantity == pytest.approx(4 * 730 - covered)
    assert lines[GB].pricing_quantity == pytest.approx(8 * 730)
    assert not [name for name in lines if name.startswith("savings_plan_unused")]
    assert cost.total_usd == pytest.approx(bill().total_usd - covered * (0.04048 - VCPU_RATE))
    assert cost.billed_usd == pytest.approx(cost.total_usd)
    assert cost.upfront_usd == 0
    assert (
        "0.05 USD an hour, utilization 100 %, $12.17 a month less than On-Demand; $36.50 with each month's bill."
        in cost.savings_plans_text
    )


def test_what_no_hour_uses_is_lost_and_stands_as_a_line():
    cost = bill(SavingsPlan(commitment_usd_per_h=0.5))
    lines = lines_of(cost)
    used = 4 * VCPU_RATE + 8 * GB_RATE
    assert VCPU not in lines
    assert GB not in lines
    assert lines[f"{VCPU}:savings_plan_1"].pricing_quantity == pytest.approx(4 * 730)
    lost = lines["savings_plan_unused:1"]
    assert lost.effective_cost == pytest.approx((0.5 - used) * 730)
    assert lost.list_cost == lost.contracted_cost == lost.billed_cost == 0
    assert lost.sku_text == "your commitment"
    assert cost.list_total_usd == pytest.approx(bill().list_total_usd)
    (done,) = cost.savings_plans
    assert done.used_usd == pytest.approx(used * 730)
    assert done.net_savings_usd == pytest.approx(bill().total_usd - cost.total_usd)
    assert done.net_savings_usd < 0
    assert "a month more than On-Demand" in done.text


def test_the_commitment_that_costs_least_covers_a_constant_load_as_a_whole():
    cost = bill(SavingsPlan())
    (done,) = cost.savings_plans
    assert done.commitment_usd_per_h == pytest.approx(4 * VCPU_RATE + 8 * GB_RATE, abs=1e-5)
    assert cost.total_usd < bill().total_usd
    assert done.to_dict()["found"] is True


@pytest.mark.parametrize(
    ("option", "percent", "upfront", "recurring"),
    [
        ("No Upfront", 50, 0, 0.1),
        ("Partial Upfront", 50, 438, 0.05),
        ("Partial Upfront", 75, 657, 0.025),
        ("All Upfront", 50, 876, 0),
    ],
)
def test_what_is_paid_at_the_start_is_not_billed_by_the_month(option, percent, upfront, recurring):
    cost = bill(SavingsPlan("1yr", option, 0.1, percent))
    assert cost.upfront_usd == pytest.approx(upfront)
    usage = sum(line.billed_cost for line in cost)
    assert cost.billed_usd == pytest.approx(usage + recurring * 730)
    assert cost.total_usd == pytest.approx(usage + 0.1 * 730)


def test_plans_that_you_have_come_first_and_the_new_one_is_for_what_they_leave():
    existing = SavingsPlan("3yr", "No Upfront", 0.06, existing=True)
    cost = bill(existing, SavingsPlan())
    first, second = cost.savings_plans
    assert first.used_usd == pytest.approx(0.06 * 730)
    alone = bill(SavingsPlan()).savings_plans[0]
    assert 0 < second.commitment_usd_per_h < alone.commitment_usd_per_h
    assert cost.upfront_usd == 0
    lines = lines_of(cost)
    assert lines[f"{VCPU}:savings_plan_1"].pricing_quantity + lines[
        f"{VCPU}:savings_plan_2"
    ].pricing_quantity == pytest.approx(4 * 730)
    assert "you have it already" in cost.savings_plans_text


def test_spot_and_storage_are_not_covered():
    spot = replace(FOUR, capacity_provider_strategy="FARGATE_SPOT", ephemeral_storage_gib=50)
    cost = bill(SavingsPlan(commitment_usd_per_h=0.05), spec=spot)
    assert cost.total_usd == pytest.approx(bill(spec=spot).total_usd + 0.05 * 730)
    assert not [line.charge for line in cost if ":savings_plan_" in line.charge]
    assert "no commitment pays off" in bill(SavingsPlan(), spec=spot).savings_plans_text


def test_private_discounts_stay_on_what_the_plan_leaves():
    rates = with_discounts(RATES, {"AmazonECS": 10})
    cost = bill(SavingsPlan(commitment_usd_per_h=0.05), rates=rates)
    line = lines_of(cost)[f"{VCPU}:savings_plan_1"]
    assert line.list_cost == pytest.approx(line.pricing_quantity * 0.04048)
    assert line.contracted_cost == pytest.approx(0.9 * line.list_cost)
    assert lines_of(cost)[VCPU].effective_cost == pytest.approx(lines_of(cost)[VCPU].pricing_quantity * 0.9 * 0.04048)
    # What the plan saves is no private discount.
    assert "6 of" not in cost.prices_text
    assert (
        f"${cost.list_total_usd - sum(line.contracted_cost for line in cost):,.2f} below AWS's list" in cost.prices_text
    )


few = settings(max_examples=30, deadline=None, derandomize=True)


@few
@given(workloads(), specs(), st.floats(0.001, 2))
def test_the_lines_are_what_the_hours_add_up_to(workload, spec, commitment):
    workload, commitment = fitting(workload, spec), round(commitment, 5)
    found = estimate(workload, RATES, spec, savings_plans=[SavingsPlan(commitment_usd_per_h=commitment)])
    without = estimate(workload, RATES, spec)
    usage = fargate_usage(found.simulation, RATES, found.savings_plans[0].option)
    hourly = apply_commitment(usage, commitment)
    months = found.cost.hours_per_month / found.simulation.period_hours
    saved = float(hourly.net_savings_usd) * months
    assert nearly(found.cost.total_usd, without.cost.total_usd - saved, 1e-8)
    assert nearly(found.cost.total_usd, sum(line.effective_cost for line in found.cost))
    assert nearly(found.cost.list_total_usd, without.cost.list_total_usd, 1e-8)
    assert all(line.effective_cost >= 0 and line.pricing_quantity > 0 for line in found.cost)


@few
@given(workloads(), specs())
def test_the_best_commitment_never_raises_a_bill(workload, spec):
    workload = fitting(workload, spec)
    without = estimate(workload, RATES, spec).cost.total_usd
    with_it = estimate(workload, RATES, spec, savings_plans=[SavingsPlan()]).cost.total_usd
    assert with_it <= without * (1 + 1e-9)


@few
@given(workloads(), specs(), st.floats(0.001, 1), st.sampled_from(["No Upfront", "Partial Upfront", "All Upfront"]))
def test_focus_bills_what_the_invoice_says_and_spreads_what_was_paid(workload, spec, commitment, option):
    workload = fitting(workload, spec)
    cost = bill(SavingsPlan("3yr", option, round(commitment, 5)), work=workload, spec=spec)
    frame = focus_frame(cost)
    assert nearly(frame["BilledCost"].sum(), cost.billed_usd)
    assert nearly(frame["EffectiveCost"].sum(), cost.total_usd)
    usage = frame[frame["ChargeCategory"] == "Usage"]
    assert nearly(usage["ListCost"].sum(), cost.list_total_usd)
    (purchase,) = frame[frame["ChargeCategory"] == "Purchase"].to_dict("records")
    assert purchase["EffectiveCost"] == 0
    assert purchase["ChargeFrequency"] == "Recurring"
    committed = usage[usage["CommitmentDiscountId"].notna()]
    assert set(committed["PricingCategory"]) <= {"Committed"}
    assert set(committed["CommitmentDiscountStatus"]) <= {"Used", "Unused"}
    unused = committed[committed["CommitmentDiscountStatus"] == "Unused"]["EffectiveCost"].sum()
    used = committed[committed["CommitmentDiscountStatus"] == "Used"]["EffectiveCost"].sum()
    # FOCUS 1.0, EffectiveCost: unused is the committed cost of the period less related usage.
    assert nearly(unused + used, round(commitment, 5) * 730, 1e-8)


def test_each_line_can_be_explained():
    cost = bill(SavingsPlan(commitment_usd_per_h=0.5))
    lines = lines_of(cost)
    covered = lines[f"{VCPU}:savings_plan_1"]
    text = "\n".join(explain(covered, RATES[covered.price]))
    assert f"2,920 vCPU-hour × {VCPU_RATE:.5g} USD = 88.6512 USD" in text
    assert f"On-Demand it would be {2920 * 0.04048:,.2f} USD a month" in text
    lost = "\n".join(explain(lines["savings_plan_unused:1"], None))
    assert "sum over hours of what usage leaves of the commitment" in lost
    assert "Compute Savings Plan, 1 year, No Upfront" in lost


def test_a_plan_is_found_on_demand_and_billed_with_its_savings_plan():
    choices = Choices(("X86_64",), "FARGATE", (60.0,), (2,), 30)
    alone = plan(WORK, RATES, choices=choices)
    found = plan(WORK, RATES, choices=choices, savings_plans=[SavingsPlan()])
    assert found.spec == alone.spec
    assert found.cost.total_usd < alone.cost.total_usd
    assert found.fingerprint() != alone.fingerprint()
    assert bill_again(found, RATES).total_usd == pytest.approx(found.cost.total_usd)
    assert bill_again(found, RATES, savings_plans=False).total_usd == pytest.approx(alone.cost.total_usd)


def test_a_region_without_the_plans_rates_is_priced_without_it_and_says_so():
    found = estimate(WORK, RATES, FOUR, savings_plans=[SavingsPlan()])
    here, there = (next(iter(bills_by_region(found, lambda _, r=rates: r, ["x"]))) for rates in (RATES, BARE))
    assert not here.lacks_savings_plans
    assert there.lacks_savings_plans
    assert "Savings Plan rates" in there.unknown
    assert there.cost.total_usd == pytest.approx(bill().total_usd)
    assert here.cost.total_usd < there.cost.total_usd


def test_a_commitment_that_you_have_is_paid_wherever_you_go():
    existing = SavingsPlan(commitment_usd_per_h=0.5, existing=True)
    found = estimate(WORK, RATES, FOUR, savings_plans=[existing])
    (there,) = bills_by_region(found, lambda _: BARE, ["x"])
    fargate = 4 * 730 * 0.04048 + 8 * 730 * 0.004445
    assert there.cost.is_lower_bound
    # What it pays of Fargate is not known: from all to nothing.
    assert there.cost.total_usd == pytest.approx(bill().total_usd - fargate + 0.5 * 730)
    lines = lines_of(there.cost)
    assert lines["savings_plan_commitment:1"].effective_cost == pytest.approx(0.5 * 730)
    assert lines[VCPU].effective_cost is None
    assert lines[VCPU].sku_text == "a Savings Plan's part is not known"
    assert nearly(focus_frame(there.cost)["EffectiveCost"].sum(), there.cost.total_usd)


#: Rates of one year alone: a plan of three years is one that is not known.
ONE_YEAR_ALONE = replace(
    RATES, known={name: rate for name, rate in RATES.known.items() if "sp_compute_3yr" not in name}
)


def test_plans_before_the_unknown_one_are_applied_and_those_after_it_are_said():
    plans = [
        SavingsPlan("1yr", "No Upfront", 0.03, existing=True),
        SavingsPlan("3yr", "Partial Upfront", 0.05, existing=True),
        SavingsPlan("1yr", "All Upfront", 0.01),
    ]
    found = estimate(WORK, ONE_YEAR_ALONE, FOUR, savings_plans=plans)
    lines = lines_of(found.cost)
    assert lines[f"{VCPU}:savings_plan_1"].effective_cost == pytest.approx(0.03 * 730)
    assert lines[VCPU].effective_cost is None
    assert lines[VCPU].is_shared
    assert lines["savings_plan_commitment:2"].effective_cost == pytest.approx(0.05 * 730)
    # Half of it was paid at the start.
    assert lines["savings_plan_commitment:2"].billed_cost == pytest.approx(0.025 * 730)
    said = [text for text in found.warnings if "Savings Plan" in text]
    assert len(said) == 2
    assert "what it pays for is not known" in said[0]
    assert "it is left out, since what is left for it depends on" in said[1]
    steps = bill_steps(found.cost)
    assert nearly(sum(step.usd for step in steps[:-1]), found.cost.total_usd)
    assert steps[0].is_lower_bound
    frame = focus_frame(found.cost)
    assert nearly(frame["EffectiveCost"].sum(), found.cost.total_usd)
    assert nearly(frame["BilledCost"].sum(), found.cost.billed_usd)
    explained = "\n".join(explain(lines[VCPU], RATES[VCPU]))
    assert "cost: unknown, since a Savings Plan pays a part that is not known; On-Demand" in explained
    assert "It is not known what a Savings Plan pays of Fargate vCPU" in unknown_text(found.cost)
    json.dumps(found.to_dict(), allow_nan=False)


def test_an_unknown_plan_beside_spot_alone_is_unused_and_no_riddle():
    existing = SavingsPlan("3yr", "All Upfront", 0.05, existing=True)
    spot = replace(FOUR, capacity_provider_strategy="FARGATE_SPOT")
    found = estimate(WORK, ONE_YEAR_ALONE, spot, savings_plans=[existing])
    assert not found.cost.is_lower_bound
    assert lines_of(found.cost)["savings_plan_unused:1"].effective_cost == pytest.approx(0.05 * 730)
    assert not [text for text in found.warnings if "not known" in text]


def test_a_plan_that_one_price_list_lacks_is_no_price_that_moved():
    plan_before = estimate(WORK, ONE_YEAR_ALONE, FOUR, savings_plans=[SavingsPlan("3yr", "No Upfront", 0.06)])
    effect = price_effect(plan_before, RATES)
    assert effect.is_on_demand
    assert effect.difference_usd == pytest.approx(0)
    assert "Both are On-Demand" in effect.verdict
    existing = SavingsPlan("3yr", "No Upfront", 0.06, existing=True)
    effect = price_effect(estimate(WORK, ONE_YEAR_ALONE, FOUR, savings_plans=[existing]), RATES)
    assert effect.is_on_demand
    assert effect.difference_usd == pytest.approx(0)
    same = price_effect(estimate(WORK, RATES, FOUR, savings_plans=[existing]), RATES)
    assert not same.is_on_demand


@few
@given(workloads(), specs(), st.floats(0.001, 1))
def test_a_bill_without_its_plans_is_the_bill_on_demand(workload, spec, commitment):
    workload = fitting(workload, spec)
    plans = [
        SavingsPlan("3yr", "No Upfront", 0.01, existing=True),
        SavingsPlan("1yr", "No Upfront", round(commitment, 5)),
    ]
    without = on_demand_bill(estimate(workload, RATES, spec, savings_plans=plans).cost)
    alone = estimate(workload, RATES, spec).cost
    assert nearly(without.total_usd, alone.total_usd, 1e-8)
    assert {line.charge for line in without} == {line.charge for line in alone}
    for line in without:
        assert nearly(line.pricing_quantity, lines_of(alone)[line.charge].pricing_quantity, 1e-8)


def test_whole_bills_come_before_those_that_lack_a_savings_plan():
    found = estimate(WORK, RATES, FOUR, savings_plans=[SavingsPlan()])
    cheap = replace(BARE, known={name: replace(rate, tiers=(Tier(0, "0.0001"),)) for name, rate in BARE.known.items()})
    by_region = {"us-east-1": RATES, "eu-west-1": cheap}
    assert [item.region for item in bills_by_region(found, by_region.__getitem__, by_region)] == [
        "us-east-1",
        "eu-west-1",
    ]


def test_an_unknown_rate_is_said_and_no_guess():
    sp_gb = "sp_compute_1yr_noupfront__fargate_linux_x86_gb_hour"
    known = {name: rate for name, rate in RATES.known.items() if name != sp_gb}
    found = estimate(WORK, replace(RATES, known=known), FOUR, savings_plans=[SavingsPlan(commitment_usd_per_h=0.01)])
    assert found.cost.total_usd == pytest.approx(bill().total_usd)
    assert any("it is left out" in text and sp_gb in text for text in found.warnings)
    with pytest.raises(RateNotFound, match=sp_gb):
        with_savings_plans(
            bill(), found.simulation, replace(RATES, known=known), [SavingsPlan(commitment_usd_per_h=0.01)]
        )


def test_another_price_list_does_not_buy_another_commitment():
    plan_before = estimate(WORK, RATES, FOUR, savings_plans=[SavingsPlan()])
    cheaper = replace(RATES[VCPU], tiers=(Tier(0, "0.0300"),))
    after = replace(RATES, known=RATES.known | {VCPU: cheaper})
    effect = price_effect(plan_before, after)
    assert effect.after.savings_plans[0].commitment_usd_per_h == plan_before.cost.savings_plans[0].commitment_usd_per_h


def test_windows_is_committed_to_at_its_own_rates():
    prices = {name: tuple((tier.begin, str(tier.price)) for tier in rate.tiers) for name, rate in RATES.known.items()}
    windows = {"fargate_windows_vcpu_hour": "0.0465", "fargate_windows_gb_hour": "0.0051"}
    windows |= {f"sp_compute_1yr_noupfront__{name}": repr(0.8 * float(usd)) for name, usd in windows.items()}
    rates = rates_of(prices | windows | {"fargate_windows_os_license_vcpu_hour": "0.046"})
    run = estimate(WORK, rates, FOUR, Application(operating_system="WINDOWS")).simulation
    best = compare_options(run, rates, operating_system="WINDOWS")[SavingsPlanOption("1yr", "No Upfront")]
    assert best.bill.usage.legs == ("fargate_windows_vcpu_hour", "fargate_windows_gb_hour")
    assert best.commitment_usd_per_h == pytest.approx(0.8 * (4 * 0.0465 + 8 * 0.0051), abs=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SavingsPlan(term="2yr"), "term is '2yr'; it must be one of 1yr, 3yr"),
        (lambda: SavingsPlan(payment_option="none"), "payment_option is 'none'; it must be one of No Upfront, Partial"),
        (lambda: SavingsPlan(commitment_usd_per_h=0), "commitment_usd_per_h is 0"),
        (lambda: SavingsPlan(commitment_usd_per_h=0.1234567), "at most 5 decimals"),
        (lambda: SavingsPlan(existing=True), "commitment_usd_per_h is null beside existing"),
        (lambda: SavingsPlan(existing="yes"), "existing is 'yes'; it must be true or false"),
        (lambda: SavingsPlan(partial_upfront_percent=40), "partial_upfront_percent is 40"),
        (lambda: require_savings_plans([SavingsPlan(), SavingsPlan()]), "the one to be found must be the last"),
        (
            lambda: require_savings_plans(
                [SavingsPlan("1yr", "No Upfront", 1.0), SavingsPlan("1yr", "No Upfront", 1.0, existing=True)]
            ),
            "those with `existing: true` must come first",
        ),
        (lambda: require_savings_plans([SavingsPlan("1yr", "No Upfront", 1.0)] * 11), "savings_plans has 11 plans"),
    ],
)
def test_what_aws_does_not_sell(make, words):
    with pytest.raises(InvalidScenario) as error:
        make()
    assert words in str(error.value)
