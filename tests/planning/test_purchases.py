"""Ways to pay for a service, side by side."""

import json
from dataclasses import replace

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.planner import estimate
from estimator.planning.purchases import compare_purchases
from estimator.report.purchases_table import purchases_table, purchases_text, spot_text
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates

RATES = all_rates()
WORK = Workload(LoadProfile.constant(100), cpu_ms_per_request=10)
SPEC = ServiceSpec(TaskSize(1024, 2048), min_capacity=4, max_capacity=8)


def ways_of(**more):
    return {way.title: way for way in compare_purchases(estimate(WORK, RATES, SPEC, **more), RATES)}


def test_every_option_beside_on_demand_and_spot():
    ways = ways_of()
    on_demand = ways["On-Demand"]
    assert on_demand.cost.total_usd == pytest.approx(estimate(WORK, RATES, SPEC).cost.total_usd)
    plans = [way for title, way in ways.items() if title.startswith("Compute Savings Plan")]
    assert len(plans) == 6
    for way in plans:
        alone = estimate(WORK, RATES, SPEC, savings_plans=[way.savings_plan])
        assert way.cost.total_usd == pytest.approx(alone.cost.total_usd)
        assert way.cost.total_usd < on_demand.cost.total_usd
    assert ways["all on Spot"].cost.total_usd < on_demand.cost.total_usd
    assert [way.cost.total_usd for way in ways.values()] == sorted(way.cost.total_usd for way in ways.values())
    # A constant load of 4 tasks: nothing of it is on Spot above 4, which is On-Demand and not listed again.
    assert not [title for title in ways if "above 4" in title]
    assert len(ways) == 8


def test_a_commitment_is_a_loss_below_the_usage_at_which_on_demand_costs_the_same():
    way = ways_of()["Compute Savings Plan, 1 year, No Upfront"]
    # All of a constant load is committed: with a part of the usage below rate over rate the plan is a loss.
    vcpu, gb = 4 * 0.04048, 8 * 0.004445
    assert way.fall_to_loss_percent == pytest.approx(100 * (1 - (0.75 * vcpu + 0.77 * gb) / (vcpu + gb)), abs=0.01)


def test_what_you_have_is_in_every_way_and_what_you_run_is_among_them():
    existing = SavingsPlan("3yr", "No Upfront", 0.05, existing=True)
    own = replace(SPEC, capacity_provider_strategy=CapacityProviderStrategy(2, 1, 3))
    found = compare_purchases(estimate(WORK, RATES, own, savings_plans=[existing, SavingsPlan()]), RATES)
    titles = [way.title for way in found]
    assert "75 % Fargate Spot above 2 tasks" in titles
    assert len(titles) == len(set(titles))
    assert all(way.cost.savings_plans[0].plan == existing for way in found)
    alone = next(way for way in found if way.title == "On-Demand")
    assert alone.cost.savings_plans[0].committed_usd == pytest.approx(0.05 * 730)
    assert len(alone.cost.savings_plans) == 1


def test_an_unknown_rate_is_said_once():
    known = {name: rate for name, rate in RATES.known.items() if "1yr_allupfront" not in name}
    rates = replace(RATES, known=known)
    found = compare_purchases(estimate(WORK, rates, SPEC), rates)
    missing = [way for way in found if way.plan is None]
    assert [way.title for way in missing] == ["Compute Savings Plan, 1 year, All Upfront"]
    assert found[-1] is missing[0]
    assert missing[0].unknown_price == "sp_compute_1yr_allupfront__fargate_linux_x86_vcpu_hour"
    assert purchases_text(found).startswith("No rate is known for All Upfront of 1 year in us-east-1: ")
    assert len(purchases_table(found).rows) == len(found) - 1
    assert purchases_text(found[:-1]) == ""
    json.dumps([way.to_dict() for way in found])


def test_spot_without_a_rate_is_at_least():
    known = {name: rate for name, rate in RATES.known.items() if "spot" not in name}
    rates = replace(RATES, known=known)
    found = compare_purchases(estimate(WORK, rates, SPEC), rates)
    assert found[-1].title == "all on Spot"
    assert found[-1].cost.is_lower_bound
    row = next(row for row in purchases_table(found).rows if row[0] == "all on Spot")
    assert row[1].startswith("at least ")


def test_unknown_options_are_said_by_term():
    lacking = ("1yr_allupfront", "1yr_partialupfront", "3yr_noupfront")
    known = {name: rate for name, rate in RATES.known.items() if not any(part in name for part in lacking)}
    rates = replace(RATES, known=known)
    text = purchases_text(compare_purchases(estimate(WORK, rates, SPEC), rates))
    assert "for Partial Upfront and All Upfront of 1 year, and No Upfront of 3 years in us-east-1" in text


def test_what_is_above_the_base_is_said():
    assert "are left out" in spot_text(compare_purchases(estimate(WORK, RATES, SPEC), RATES))
    varied = replace(WORK, load=LoadProfile.daily(peak_requests_per_s=600, trough_requests_per_s=50))
    found = compare_purchases(estimate(varied, RATES, SPEC), RATES)
    assert spot_text(found) == (
        '"above 4": the capacity provider strategy has a base of 4 tasks, which stay On-Demand.'
    )
    # None of them is another by a name alone.
    totals = [round(way.cost.total_usd, 6) for way in found if way.bought is None]
    assert len(totals) == len(set(totals)) == 4


def test_what_you_have_at_unknown_rates_makes_bounds_and_a_sentence():
    known = {name: rate for name, rate in RATES.known.items() if "sp_compute_3yr" not in name}
    rates = replace(RATES, known=known)
    existing = SavingsPlan("3yr", "No Upfront", 0.05, existing=True)
    found = compare_purchases(estimate(WORK, rates, SPEC, savings_plans=[existing]), rates)
    assert all(way.savings_plan is None and way.plan is not None for way in found)
    on_demand = next(way for way in found if way.title == "On-Demand")
    assert on_demand.cost.is_lower_bound
    assert "Which Savings Plan to buy cannot be said" in purchases_text(found)
