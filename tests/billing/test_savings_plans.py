"""Savings Plans against AWS's examples, hand arithmetic and brute force; laws of the bill, and commitments that are none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.billing.savings_plan_options import (
    PAYMENT_OPTIONS,
    SAVINGS_PLAN_OPTIONS,
    TERM_HOURS,
    SavingsPlanOption,
    SavingsPlanPayment,
    require_commitment,
)
from estimator.billing.savings_plans import (
    BestCommitment,
    ExistingCommitment,
    SavingsPlanUsage,
    apply_commitment,
    best_commitment,
    bill_by_commitment,
    commitment_risk,
    compare_options,
    fargate_usage,
)
from estimator.errors import InvalidScenario, RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.rates import Tier
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

# AWS, "Understanding how Savings Plans apply to your usage", read 2026-11: one hour of usage, On-Demand rate, Compute Savings Plan rate.
AWS_EXAMPLE = {
    "Lambda requests": (1, 0.20, 0.20),  # millions, at 0 % off
    "Lambda duration": (1_500_000, 0.000015, 0.00001275),  # GB-seconds
    "m5.24xlarge": (1, 10.00, 8.20),
    "Fargate vCPU": (400, 0.04, 0.03),
    "Fargate GB": (1600, 0.004, 0.003),
    "r5.4xlarge": (4, 1.00, 0.70),
}
NO_UPFRONT = SavingsPlanOption("1yr", "No Upfront")
EVERY_OPTION = {
    "1yr_noupfront",
    "1yr_partialupfront",
    "1yr_allupfront",
    "3yr_noupfront",
    "3yr_partialupfront",
    "3yr_allupfront",
}


def usage_of(rows):
    """Make one hour of usage from a row (units, On-Demand rate, Savings Plan rate) for each leg."""
    units, on_demand, plan = zip(*rows.values(), strict=True)
    return SavingsPlanUsage(tuple(rows), np.array(units)[:, None], on_demand, plan)


def one_leg(units, on_demand=0.04, plan=0.03):
    return SavingsPlanUsage(("vCPU",), [units], [on_demand], [plan])


def by_the_loop(usage, commitment):
    """Bill each hour by AWS's rule, one usage after the other."""
    total = 0.0
    rows = list(zip(usage.on_demand_rates, usage.savings_plan_rates, strict=True))
    saving = [-math.inf if od == 0 else round(1 - sp / od, 9) for od, sp in rows]
    for hour in usage.units_per_h.T:
        left = commitment
        total += commitment
        for leg in sorted(range(len(rows)), key=lambda leg: (-saving[leg], rows[leg][1])):
            od, sp = rows[leg]
            covered = 0.0 if math.isinf(sp) else min(hour[leg], left / sp)
            left -= covered * sp if covered else 0.0
            total += (hour[leg] - covered) * od
    return total


@st.composite
def usages(draw):
    """One to four legs in one to twelve hours, with rates that save, that do not, that tie, and that do not cover."""
    n_legs, n_hours = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    amounts = st.one_of(st.just(0.0), st.integers(1, 5).map(float), st.floats(0.01, 50))
    hours = st.lists(amounts, min_size=n_hours, max_size=n_hours)
    units = draw(st.lists(hours, min_size=n_legs, max_size=n_legs))
    on_demand = draw(st.lists(st.sampled_from([0.0, 0.004, 0.04, 0.1, 1.0]), min_size=n_legs, max_size=n_legs))
    parts = st.one_of(st.sampled_from([0.5, 0.75, 1.0, 1.1, math.inf]), st.floats(0.3, 1.0))
    plan = [(rate or 0.01) * draw(parts) for rate in on_demand]
    return SavingsPlanUsage(tuple(f"leg {leg}" for leg in range(n_legs)), units, on_demand, plan)


commitments = st.integers(100, 10_000_000).map(lambda step: step / 100_000)


# AWS's examples


def test_aws_without_a_savings_plan():
    usage = usage_of(AWS_EXAMPLE)
    assert usage.on_demand_usd.tolist() == pytest.approx([59.10])
    percent = dict(zip(usage.legs, usage.savings_percent, strict=True))
    assert percent == pytest.approx(
        {
            "Lambda requests": 0,
            "Lambda duration": 15,
            "m5.24xlarge": 18,
            "Fargate vCPU": 25,
            "Fargate GB": 25,
            "r5.4xlarge": 30,
        },
        abs=1e-9,
    )
    # "memory (GB) before compute (vCPU) because it has the lower Savings Plans rate"
    assert [usage.legs[leg] for leg in usage.order] == [
        "r5.4xlarge",
        "Fargate GB",
        "Fargate vCPU",
        "m5.24xlarge",
        "Lambda duration",
        "Lambda requests",
    ]


def test_aws_scenario_1_a_commitment_over_all_usage():
    bill = apply_commitment(usage_of(AWS_EXAMPLE), 50)
    # 2.80 + 12.00 + 4.80 + 8.20 + 19.125 + 0.20 = 47.125, which AWS rounds to 47.13.
    assert bill.used_usd[0] == pytest.approx(47.125)
    assert bill.unused_usd[0] == pytest.approx(2.875)
    assert bill.bill_usd[0] == bill.total_usd == 50
    assert not bill.on_demand_units_per_h.any()
    assert float(bill.utilization) == pytest.approx(0.9425)
    assert float(bill.coverage) == 1
    assert float(bill.net_savings_usd) == pytest.approx(9.10)


def test_aws_scenario_2_a_commitment_within_the_first_usage():
    usage = usage_of(AWS_EXAMPLE)
    bill = apply_commitment(usage, 2)
    left = dict(zip(usage.legs, bill.on_demand_units_per_h[:, 0], strict=True))
    # 2.00 / 0.70 = 2.857 of the instances; $1.14 for the rest of them and $55.10 for the others.
    assert left.pop("r5.4xlarge") == pytest.approx(4 - 2 / 0.7)
    assert left == {name: units for name, (units, _, _) in AWS_EXAMPLE.items() if name != "r5.4xlarge"}
    assert round(float(bill.on_demand_usd[0]), 2) == 56.24
    assert round(float(bill.total_usd), 2) == 58.24
    assert float(bill.utilization) == 1
    assert float(bill.coverage) == pytest.approx(2 / 0.7 / 59.10)


def test_aws_scenario_3_a_commitment_across_products_is_exactly_met():
    bill = apply_commitment(usage_of(AWS_EXAMPLE), 19.60)
    assert bill.on_demand_usd[0] == pytest.approx(32.70)
    assert bill.total_usd == pytest.approx(52.30)
    assert bill.unused_usd[0] == pytest.approx(0, abs=1e-12)


def test_aws_scenario_4_reserved_instances_come_first():
    # Two Reserved Instances take two of the four instances.
    bill = apply_commitment(usage_of(AWS_EXAMPLE | {"r5.4xlarge": (2, 1.00, 0.70)}), 18.20)
    assert bill.on_demand_usd[0] == pytest.approx(32.70)
    assert bill.total_usd == pytest.approx(50.90)
    assert bill.unused_usd[0] == pytest.approx(0, abs=1e-12)


def test_aws_scenario_5_an_ec2_instance_savings_plan_comes_before():
    usage = usage_of(AWS_EXAMPLE)
    # r5 at 0.60 with $3.00 an hour, of which 2.40 are used; it covers nothing else.
    ec2 = ExistingCommitment(3.00, [0.60 if name == "r5.4xlarge" else math.inf for name in usage.legs])
    left = best_commitment(usage, ec2).bill.usage
    units = dict(zip(left.legs, left.units_per_h[:, 0], strict=True))
    assert units == {name: 0 if name == "r5.4xlarge" else row[0] for name, row in AWS_EXAMPLE.items()}
    at_ec2 = apply_commitment(replace(usage, savings_plan_rates=ec2.savings_plan_rates), 3.00)
    assert at_ec2.used_usd[0] == pytest.approx(2.40)
    compute = apply_commitment(left, 16.80)
    assert compute.on_demand_usd[0] == pytest.approx(32.70)
    assert compute.unused_usd[0] == pytest.approx(0, abs=1e-12)


def test_aws_scenarios_in_one_call():
    scenarios = [[0, 2], [19.60, 50]]
    bill = apply_commitment(usage_of(AWS_EXAMPLE), scenarios)
    assert bill.total_usd.round(2).tolist() == [[59.10, 58.24], [52.30, 50.00]]
    assert bill.on_demand_units_per_h.shape == (2, 2, 6, 1)
    assert np.isnan(bill.utilization[0, 0])
    np.testing.assert_allclose(bill_by_commitment(usage_of(AWS_EXAMPLE), scenarios), bill.total_usd)


# Hand arithmetic


def test_equal_savings_are_equal_whatever_floats_make_of_them():
    # 1 - 0.34 / 0.4 is a little more than 1 - 0.034 / 0.04; both are 15 %, and the lower rate comes first.
    usage = SavingsPlanUsage(("high", "low"), [[1], [10]], [0.4, 0.04], [0.34, 0.034])
    assert usage.savings_percent[0] > usage.savings_percent[1]
    assert usage.order == (1, 0)
    assert apply_commitment(usage, 0.34).on_demand_units_per_h[:, 0] == pytest.approx([1, 0])


def test_what_an_hour_leaves_is_lost():
    # $0.60 an hour buy 20 vCPU at 0.03: 10 in the first hour and 20 of 30 in the second. 0.30 are lost, and 10 x 0.04 paid besides.
    bill = apply_commitment(one_leg([10, 30]), 0.6)
    assert bill.used_usd == pytest.approx([0.3, 0.6])
    assert bill.unused_usd == pytest.approx([0.3, 0])
    assert bill.on_demand_usd == pytest.approx([0, 0.4])
    assert bill.bill_usd == pytest.approx([0.6, 1.0])
    assert float(bill.total_usd) == pytest.approx(1.6)
    assert float(bill.utilization) == pytest.approx(0.75)
    assert float(bill.coverage) == pytest.approx(30 / 40)
    assert float(bill.net_savings_usd) == pytest.approx(0)


def test_the_quantile_of_one_leg():
    # At 45 % off a committed unit pays if it is used in more than 55 % of the hours. Of 100 hours with 1 to 100 vCPU, 45 vCPU are exceeded in
    # 55 hours (ties: the 46th vCPU is used in 55 of 100, which saves nothing); the smallest is taken.
    usage = one_leg(np.arange(1, 101), 1.0, 0.55)
    assert usage.break_even_shares == pytest.approx([0.55])
    best = best_commitment(usage)
    assert best.commitment_usd_per_h == pytest.approx(45 * 0.55)
    assert bill_by_commitment(usage, 46 * 0.55) == pytest.approx(best.total_usd)
    assert bill_by_commitment(usage, 44 * 0.55) > best.total_usd + 1e-6


def test_the_optimum_may_lie_in_the_first_leg_alone():
    # Memory at 50 % off is used in all hours and pays; the vCPU at 10 % off are used in two of three hours and do not.
    usage = SavingsPlanUsage(("vCPU", "GB"), [[10, 10, 0], [8, 8, 8]], [0.04, 0.004], [0.036, 0.002])
    best = best_commitment(usage)
    assert best.commitment_usd_per_h == 0.016
    assert best.total_usd == pytest.approx(3 * 0.016 + 2 * 0.4)
    assert best.without_usd == pytest.approx(2 * 0.4 + 3 * 0.032)
    assert float(best.bill.coverage) == pytest.approx(0.096 / 0.896)


def test_rounding_takes_the_cheaper_neighbor():
    # 1 vCPU at 0.0123456 of 0.02: the optimum 0.0123456 lies between 0.01234 and 0.01235. A step below it loses 0.0000056 x (od/sp - 1),
    # 0.62 of it; one above loses all of its 0.0000044.
    best = best_commitment(one_leg([1], 0.02, 0.0123456))
    assert best.exact_usd_per_h == 0.0123456
    assert best.commitment_usd_per_h == 0.01234
    # At 0.01 of 0.04 the step below costs three times as much.
    assert best_commitment(one_leg([1.2345001], 0.04, 0.01)).commitment_usd_per_h == 0.01235


def test_aws_bounds_of_the_optimum():
    # 0.0003 of 0.03 would be best; the smallest plan of 0.001 costs less than On-Demand only where On-Demand costs more than it.
    assert best_commitment(one_leg([1], 0.03, 0.0003)).commitment_usd_per_h == 0.001
    assert best_commitment(one_leg([1], 0.0009, 0.0003)).commitment_usd_per_h == 0
    huge = best_commitment(one_leg([1e9]))
    assert huge.exact_usd_per_h == pytest.approx(3e7)
    assert huge.commitment_usd_per_h == 1_000_000


def test_nothing_pays():
    for usage in (
        one_leg([0, 0, 0]),  # no usage
        one_leg([5, 5], 0.04, 0.04),  # no discount
        one_leg([5, 5], 0.03, 0.04),  # a private discount below the plan's rate
        one_leg([5, 5], 0.04, math.inf),  # not covered
        one_leg([5, 5], 0.0, 0.03),  # free
        one_leg([10, 0, 0, 0]),  # used in a quarter of the hours
    ):
        best = best_commitment(usage)
        assert best.commitment_usd_per_h == best.exact_usd_per_h == 0
        assert best.total_usd == best.without_usd == pytest.approx(usage.on_demand_usd.sum())


def test_without_usage_or_commitment_shares_are_not_numbers():
    idle = apply_commitment(one_leg([0, 0]), [0, 1])
    assert idle.total_usd.tolist() == [0, 2]
    assert np.isnan(idle.coverage).all()
    assert idle.utilization[1] == 0
    assert np.isnan(idle.utilization[0])


def test_a_leg_that_is_not_covered_is_on_demand_and_counts_for_no_coverage():
    usage = SavingsPlanUsage(("vCPU", "storage"), [[10], [100]], [0.04, 0.0001], [0.03, math.inf])
    bill = apply_commitment(usage, 1)
    assert bill.on_demand_units_per_h[:, 0].tolist() == [0, 100]
    assert float(bill.total_usd) == pytest.approx(1.01)
    assert float(bill.coverage) == 1


def test_an_existing_commitment_is_applied_first():
    # 10 vCPU in every hour; 0.12 at 0.04 pay for 3 of them, and 7 x 0.03 are left to commit.
    usage = one_leg([10, 10], 0.05, 0.03)
    best = best_commitment(usage, ExistingCommitment(0.12, [0.04]))
    assert best.commitment_usd_per_h == 0.21
    assert best.existing_usd == pytest.approx(0.24)
    assert best.without_usd == pytest.approx(0.24 + 2 * 7 * 0.05)
    assert best.total_usd == pytest.approx(0.24 + 0.42)
    none = best_commitment(usage, ExistingCommitment(0, [0.04]))
    assert none.commitment_usd_per_h == best_commitment(usage).commitment_usd_per_h == 0.3
    enough = best_commitment(usage, ExistingCommitment(0.5, [0.04]))
    assert enough.commitment_usd_per_h == 0
    assert enough.total_usd == enough.without_usd == pytest.approx(1.0)


def test_commitments_at_the_same_rates_add_up():
    usage = SavingsPlanUsage(("a", "b"), [[3, 9, 5], [7, 2, 4]], [0.04, 0.01], [0.02, 0.006])
    both = apply_commitment(usage, 0.14)
    first = ExistingCommitment(0.06, usage.savings_plan_rates)
    second = apply_commitment(best_commitment(usage, first).bill.usage, 0.08)
    np.testing.assert_allclose(second.on_demand_units_per_h, both.on_demand_units_per_h, atol=1e-12)


# Risk


def test_a_fall_of_the_load():
    # 10 vCPU by day and 30 by night, committed 0.6 (20 vCPU): at half of the load 5 and 15 of the 20 are used. On-Demand alone 20 x 0.04.
    risk = commitment_risk(one_leg([10, 30]), 0.6, [0, 0.5, 1, 2])
    assert risk.committed_usd == pytest.approx([1.2, 1.2, 1.6, 2.8])
    assert risk.without_usd == pytest.approx([0, 0.8, 1.6, 3.2])
    assert risk.loss_usd == pytest.approx([1.2, 0.4, 0, -0.4])
    # Here it is just even; any fall is a loss.
    assert risk.break_even_share == pytest.approx(1)
    assert risk.fall_to_loss_percent == pytest.approx(0, abs=1e-9)


def test_the_break_even_share_of_a_flat_load_is_that_of_its_legs():
    usage = one_leg([10] * 24, 0.04, 0.022)
    risk = commitment_risk(usage, 0.22, [0.55])
    assert risk.break_even_share == pytest.approx(0.55)
    assert risk.fall_to_loss_percent == pytest.approx(45)
    assert risk.loss_usd == pytest.approx([0], abs=1e-12)


def test_a_commitment_that_no_load_pays_for_and_none_at_all():
    # Used in one of four hours, it saves at most a third of what is lost in the others.
    assert math.isinf(commitment_risk(one_leg([10, 0, 0, 0]), 0.3, 1).break_even_share)
    assert commitment_risk(one_leg([10, 0, 0, 0]), 0.3, 1).fall_to_loss_percent == 0
    none = commitment_risk(one_leg([10, 0]), 0, [0, 1])
    assert none.break_even_share == 0
    assert none.fall_to_loss_percent == 100
    assert none.loss_usd.tolist() == [0, 0]
    # The load must be half as large again.
    assert commitment_risk(one_leg([10]), 0.6, 1).break_even_share == pytest.approx(1.5)


def test_a_fall_of_the_load_reaches_the_new_commitment_before_the_existing():
    # 10 vCPU; the existing plan pays for 4 at 0.03, the new one for 6. At 70 % of the load 3 of the 6 are used: 3 x 0.04 for 0.18.
    existing = ExistingCommitment(0.12, [0.03])
    risk = commitment_risk(one_leg([10]), 0.18, [1, 0.7, 0.4], existing)
    assert risk.committed_usd == pytest.approx([0.30, 0.30, 0.30])
    assert risk.without_usd == pytest.approx([0.12 + 0.24, 0.12 + 0.12, 0.12])
    # 0.18 / 0.04 = 4.5 of the 6 must be used: 8.5 of 10.
    assert risk.break_even_share == pytest.approx(0.85)


# Laws, and brute force


@given(usages(), commitments)
def test_the_bill_is_that_of_the_loop(usage, commitment):
    assert float(apply_commitment(usage, commitment).total_usd) == pytest.approx(by_the_loop(usage, commitment))


@given(usages(), st.lists(commitments, min_size=1, max_size=5))
def test_the_curve_is_the_bill(usage, several):
    bill = apply_commitment(usage, several)
    np.testing.assert_allclose(bill_by_commitment(usage, several), bill.total_usd, rtol=1e-9)
    # Money is either used or lost, and units are either covered or On-Demand.
    np.testing.assert_allclose(bill.used_usd + bill.unused_usd, np.array(several)[:, None] + np.zeros(usage.n_hours))
    assert (bill.unused_usd >= 0).all()
    assert (bill.on_demand_units_per_h >= 0).all()
    spent = np.where(
        np.isfinite(usage.savings_plan_rates)[:, None],
        np.where(np.isfinite(usage.savings_plan_rates), usage.savings_plan_rates, 0)[:, None]
        * (usage.units_per_h - bill.on_demand_units_per_h),
        0,
    ).sum(axis=-2)
    np.testing.assert_allclose(spent, bill.used_usd, rtol=1e-9, atol=1e-9)


@given(usages())
def test_the_optimum_is_that_of_brute_force(usage):
    edges = {0.0}
    for hour in usage.units_per_h.T:
        need = 0.0
        for leg in usage.order:
            need += hour[leg] * usage.savings_plan_rates[leg]
            edges.add(need)
    least = min(by_the_loop(usage, edge) for edge in edges)
    best = best_commitment(usage)
    assert by_the_loop(usage, best.exact_usd_per_h) == pytest.approx(least, rel=1e-8, abs=1e-12)
    # Of what AWS sells: every edge rounded down and up.
    steps = {round_(edge * 100_000) for edge in edges for round_ in (math.floor, math.ceil)}
    sold = {0.0} | {max(step, 100) / 100_000 for step in steps}
    cheapest = min(by_the_loop(usage, commitment) for commitment in sold)
    assert best.total_usd == pytest.approx(cheapest, rel=1e-8, abs=1e-12)


@given(usages())
def test_the_optimum_is_never_dearer_than_on_demand_and_can_be_bought(usage):
    best = best_commitment(usage)
    assert best.total_usd <= best.without_usd * (1 + 1e-12)
    assert float(require_commitment(best.commitment_usd_per_h)) == best.commitment_usd_per_h


@given(usages(), st.floats(0, 20), st.floats(0, 20), st.floats(0, 1))
def test_the_bill_is_convex_in_the_commitment(usage, one, other, part):
    between = part * one + (1 - part) * other
    ends = bill_by_commitment(usage, [one, other])
    assert bill_by_commitment(usage, between) <= (part * ends[0] + (1 - part) * ends[1]) * (1 + 1e-8) + 1e-9


@given(usages(), st.floats(0.5, 1))
def test_more_discount_never_covers_less(usage, factor):
    # In units, not in USD: the same usage takes less of a commitment.
    cheaper = replace(usage, savings_plan_rates=usage.savings_plan_rates * factor)
    assert best_commitment(cheaper).exact_usd_per_h / factor >= best_commitment(usage).exact_usd_per_h * (1 - 1e-9)
    assert best_commitment(cheaper).total_usd <= best_commitment(usage).total_usd * (1 + 1e-9) + 1e-5 * usage.n_hours


@given(usages(), st.permutations(range(12)))
def test_neither_the_order_of_hours_nor_their_repetition_matters(usage, places):
    order = [place for place in places if place < usage.n_hours]
    mixed = replace(usage, units_per_h=np.tile(usage.units_per_h[:, order], 3))
    best, again = best_commitment(usage), best_commitment(mixed)
    assert again.commitment_usd_per_h == best.commitment_usd_per_h
    assert again.total_usd == pytest.approx(3 * best.total_usd)


@given(usages(), commitments, st.floats(0, 2))
def test_the_break_even_share_parts_losses_from_savings(usage, commitment, share):
    risk = commitment_risk(usage, commitment, [share])
    if share < risk.break_even_share * (1 - 1e-6):
        assert risk.loss_usd[0] >= 0
    if share > risk.break_even_share * (1 + 1e-6):
        assert risk.loss_usd[0] <= 1e-9 * (1 + risk.committed_usd[0])


# A simulated service


def hours_of(spec=None, rate=(20, 0, 60), **more):
    """Simulate a load that differs by the hour."""
    load = LoadProfile(np.repeat(np.array(rate, dtype=float), 6), 600)
    spec = spec or ServiceSpec(TaskSize(1024, 4096), min_capacity=1, max_capacity=9, **more)
    return simulate(Workload(load, cpu_ms_per_request=50), [spec], keep_hours=True)


def all_rates():
    """US East with every Savings Plan rate of Fargate: each option saves five points more, memory two points less than vCPU."""
    prices = dict(US_EAST_1)
    for place, option in enumerate(sorted(EVERY_OPTION)):
        for short in ("x86", "arm"):
            for leg, part in (("vcpu", 0.8), ("gb", 0.82)):
                on_demand = float(US_EAST_1[f"fargate_linux_{short}_{leg}_hour"])
                prices[f"sp_compute_{option}__fargate_linux_{short}_{leg}_hour"] = repr(
                    on_demand * (part - 0.05 * place)
                )
    return rates_of(prices)


def test_every_option_has_its_rates_in_the_catalog():
    assert len(SAVINGS_PLAN_OPTIONS) == 6
    known = {name for name in PRICES if name.startswith("sp_compute_") and "__fargate_linux_" in name}
    assert known == set(all_rates()) - set(US_EAST_1)


@pytest.mark.parametrize(("architecture", "short"), [("X86_64", "x86"), ("ARM64", "arm")])
def test_the_usage_of_a_service(architecture, short):
    simulation = hours_of(cpu_architecture=architecture)
    usage = fargate_usage(simulation, all_rates(), NO_UPFRONT)
    task_hours = simulation.billed_task_s_by_hour["FARGATE"][0] / 3600
    assert usage.legs == (f"fargate_linux_{short}_vcpu_hour", f"fargate_linux_{short}_gb_hour")
    np.testing.assert_allclose(usage.units_per_h, [task_hours, 4 * task_hours])
    on_demand = [float(US_EAST_1[name]) for name in usage.legs]
    assert usage.on_demand_rates == pytest.approx(on_demand)
    # "1yr_noupfront" is the second of the options by name.
    assert usage.savings_plan_rates == pytest.approx([0.75 * on_demand[0], 0.77 * on_demand[1]])
    assert usage.units_per_h.sum() == pytest.approx(5 * simulation.billed_task_hours[0])
    assert usage.n_hours == 3


def test_spot_is_not_covered():
    assert not fargate_usage(
        hours_of(capacity_provider_strategy="FARGATE_SPOT"), all_rates(), NO_UPFRONT
    ).units_per_h.any()


def test_private_discounts_are_taken_off_what_is_compared():
    simulation = hours_of()
    usage = fargate_usage(simulation, with_discounts(all_rates(), {"*": 10}), NO_UPFRONT)
    assert usage.on_demand_rates == pytest.approx([0.9 * 0.04048, 0.9 * 0.004445])
    assert usage.savings_plan_rates == pytest.approx([0.75 * 0.04048, 0.77 * 0.004445])
    named = fargate_usage(simulation, with_discounts(all_rates(), {"ComputeSavingsPlans": 10}), NO_UPFRONT)
    assert named.on_demand_rates == pytest.approx([0.04048, 0.004445])
    assert named.savings_plan_rates == pytest.approx([0.9 * 0.75 * 0.04048, 0.9 * 0.77 * 0.004445])


@pytest.mark.parametrize(
    "missing", ["fargate_linux_x86_gb_hour", "sp_compute_1yr_noupfront__fargate_linux_x86_vcpu_hour"]
)
def test_an_unknown_rate_is_named_and_never_0(missing):
    rates = all_rates()
    without = replace(rates, known={name: rate for name, rate in rates.known.items() if name != missing})
    with pytest.raises(RateNotFound, match=missing):
        fargate_usage(hours_of(), without, NO_UPFRONT)


def test_rates_that_an_hour_cannot_use():
    rates = all_rates()
    tiers = replace(rates["fargate_linux_x86_vcpu_hour"], tiers=(Tier(0, "0.04"), Tier(1000, "0.03")))
    with pytest.raises(InvalidScenario, match="fargate_linux_x86_vcpu_hour has 2 tiers; they are by month"):
        fargate_usage(hours_of(), replace(rates, known={**rates.known, tiers.price: tiers}), NO_UPFRONT)
    free = replace(rates["sp_compute_1yr_noupfront__fargate_linux_x86_gb_hour"], tiers=(Tier(0, "0"),))
    with pytest.raises(InvalidScenario, match="savings_plan_rates has 0; each must be a number above 0"):
        fargate_usage(hours_of(), replace(rates, known={**rates.known, free.price: free}), NO_UPFRONT)


def test_a_simulation_without_hours():
    load = Workload(LoadProfile.constant(1), cpu_ms_per_request=5)
    with pytest.raises(InvalidScenario, match="Simulate with keep_hours=True"):
        fargate_usage(simulate(load, [ServiceSpec(TaskSize(256, 512))]), all_rates(), NO_UPFRONT)


def test_all_options_side_by_side():
    simulation, rates = hours_of(), all_rates()
    found = compare_options(simulation, rates)
    assert tuple(found) == SAVINGS_PLAN_OPTIONS
    for option, best in found.items():
        alone = best_commitment(fargate_usage(simulation, rates, option))
        assert (best.commitment_usd_per_h, best.total_usd) == (alone.commitment_usd_per_h, alone.total_usd)
    # By name each option saves more than the one before it.
    by_name = sorted(found, key=lambda option: (option.term, option.payment_option.replace(" ", "").lower()))
    totals = [found[option].total_usd for option in by_name]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < totals[0]


def test_options_with_unknown_rates_are_said_to_be_unknown():
    rates, missing = all_rates(), "sp_compute_1yr_allupfront__fargate_linux_x86_gb_hour"
    without = replace(rates, known={name: rate for name, rate in rates.known.items() if name != missing})
    found = compare_options(hours_of(), without)
    assert tuple(found) == SAVINGS_PLAN_OPTIONS
    unknown = found.pop(SavingsPlanOption("1yr", "All Upfront"))
    assert isinstance(unknown, RateNotFound)
    assert unknown.price == missing
    assert all(isinstance(best, BestCommitment) for best in found.values())
    nothing = compare_options(hours_of(), rates_of({}))
    assert {error.price for error in nothing.values()} == {"fargate_linux_x86_vcpu_hour"}


def test_options_beside_an_existing_commitment():
    simulation, rates = hours_of(), all_rates()
    existing = ExistingCommitment(0.05, fargate_usage(simulation, rates, NO_UPFRONT).savings_plan_rates)
    found = compare_options(simulation, rates, existing=existing)
    alone = compare_options(simulation, rates)
    for option, best in found.items():
        assert best.existing_usd == pytest.approx(0.05 * 3)
        assert best.commitment_usd_per_h <= alone[option].commitment_usd_per_h
        assert best.total_usd <= best.without_usd
    # Two plans at the same rates are one.
    both = 0.05 + found[NO_UPFRONT].exact_usd_per_h
    assert both == pytest.approx(max(0.05, alone[NO_UPFRONT].exact_usd_per_h))


# Payment


@pytest.mark.parametrize("term", TERM_HOURS)
@pytest.mark.parametrize(("payment", "percent", "share"), [(0, 50, 0), (1, 50, 0.5), (1, 99, 0.99), (2, 50, 1)])
def test_upfront_and_recurring_parts_are_the_commitment(term, payment, percent, share):
    paid = SavingsPlanPayment(SavingsPlanOption(term, PAYMENT_OPTIONS[payment]), 1.23456, percent)
    seconds = {"1yr": 31_536_000, "3yr": 94_608_000}[term]
    assert paid.upfront_usd == pytest.approx(share * 1.23456 * seconds / 3600)
    assert paid.recurring_usd_per_h == pytest.approx((1 - share) * 1.23456)
    assert paid.effective_usd_per_h == pytest.approx(1.23456)


@pytest.mark.parametrize("percent", [49, 100, 50.5, math.nan])
def test_aws_takes_50_to_99_percent_upfront(percent):
    with pytest.raises(InvalidScenario, match=r"partial_upfront_percent is .*from 50 to 99"):
        SavingsPlanPayment(SavingsPlanOption("1yr", "Partial Upfront"), 1, percent)


# Bad input


@pytest.mark.parametrize(
    "commitment", [-1, -0.001, 0.0009, 0.001001, 1.234567, 1_000_000.1, 1e300, math.nan, math.inf, [1, 0.123456], None]
)
def test_commitments_that_aws_does_not_take(commitment):
    with pytest.raises(
        InvalidScenario, match=r"commitment_usd_per_h is .*0\.001 to 1,000,000 USD per hour with at most 5 decimals"
    ):
        apply_commitment(one_leg([1]), commitment)


def test_commitments_that_aws_takes():
    assert require_commitment([0, 0.001, 0.00101, 999_999.99999, 1_000_000]).tolist() == [
        0,
        0.001,
        0.00101,
        999_999.99999,
        1e6,
    ]
    assert float(require_commitment(0.1 + 0.2)) == 0.3


@pytest.mark.parametrize(
    "make",
    [
        lambda: best_commitment(one_leg([1]), ExistingCommitment(0.000001, [0.03])),
        lambda: SavingsPlanPayment(NO_UPFRONT, -1),
        lambda: commitment_risk(one_leg([1]), 2_000_000, 1),
    ],
)
def test_every_commitment_is_checked(make):
    with pytest.raises(InvalidScenario, match="commitment_usd_per_h is"):
        make()


@pytest.mark.parametrize(
    ("units", "on_demand", "plan", "message"),
    [
        ([[-1]], [1], [1], "units_per_h has -1; each must be a number of 0 or more"),
        ([[math.nan]], [1], [1], "units_per_h has nan"),
        ([[math.inf]], [1], [1], "units_per_h has inf"),
        ([["many"]], [1], [1], "units_per_h is .*it must be a number"),
        ([[1]], [-0.04], [1], "on_demand_rates has -0.04"),
        ([[1]], [1], [0], "savings_plan_rates has 0; each must be a number above 0"),
        ([[1]], [1], [math.nan], "savings_plan_rates has nan"),
        ([1], [1], [1], "a column for each hour"),
        (1, [1], [1], "a column for each hour"),
        ([[]], [1], [1], "at least one of each"),
        ([[1], [2]], [1], [1], "a row for each of 1 legs"),
        ([[1]], [1, 2], [1], "have the shapes"),
        ([[1]], [1], [1, 2], "have the shapes"),
    ],
)
def test_usage_that_is_none(units, on_demand, plan, message):
    with pytest.raises(InvalidScenario, match=message):
        SavingsPlanUsage(("leg",), units, on_demand, plan)


def test_other_values_that_are_none():
    with pytest.raises(InvalidScenario, match="term is '2yr'; it must be one of 1yr, 3yr"):
        SavingsPlanOption("2yr", "No Upfront")
    with pytest.raises(InvalidScenario, match="payment_option is 'Monthly'; it must be one of No Upfront"):
        SavingsPlanOption("1yr", "Monthly")
    with pytest.raises(InvalidScenario, match=r"shares has -0\.5"):
        commitment_risk(one_leg([1]), 1, [0.5, -0.5])
    with pytest.raises(InvalidScenario, match="commitments_usd_per_h has nan"):
        bill_by_commitment(one_leg([1]), math.nan)
    with pytest.raises(InvalidScenario, match="have the shapes"):
        best_commitment(one_leg([1]), ExistingCommitment(1, [0.03, 0.03]))


def test_what_is_computed_cannot_be_changed():
    units = np.array([[1.0, 2.0]])
    usage = SavingsPlanUsage(("leg",), units, [1.0], [0.5])
    units[0, 0] = 9
    assert usage.units_per_h.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="read-only"):
        apply_commitment(usage, 1).unused_usd[0] = 5
