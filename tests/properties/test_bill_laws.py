"""Laws of the whole bill: with what stands around the service, and with the rates that ship."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.billing.charges import CHARGES
from estimator.billing.costing import cost_line
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.planner import estimate
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from estimator.service.extras import Extras
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import fitting, nearly, rates_of, specs, workloads

few = settings(max_examples=20, deadline=None, derandomize=True)
RATES = all_rates()


@st.composite
def extras(draw):
    """What stands around a service, in the amounts that a small one has."""
    count = st.integers(0, 5)
    return Extras(
        log_class=draw(st.sampled_from(["STANDARD", "INFREQUENT_ACCESS"])),
        log_insights_scanned_gb=draw(st.floats(0, 100)),
        flow_log_gb=draw(st.floats(0, 100)),
        container_insights=draw(st.sampled_from(["disabled", "enabled", "enhanced"])),
        standard_alarms=draw(count),
        dashboards=draw(count),
        reserved_lcu=draw(st.sampled_from([0, 100, 250])),
        waf_rules=draw(st.none() | count),
        kms_keys=draw(count),
        kms_requests=draw(st.floats(0, 1e6)),
        hosted_zones=draw(count),
        dns_queries=draw(st.floats(0, 1e6)),
    )


def bill(workload, spec, around, rates=RATES, **more):
    return estimate(workload, rates, spec, extras=around, **more).cost


def quantities(cost):
    return {line.charge: line.pricing_quantity for line in cost}


def fixed(spec):
    """The same service with a count that nothing moves, so that traffic alone makes a difference."""
    return replace(spec, max_capacity=spec.min_capacity)


def with_load(workload, load):
    request = {name: getattr(workload, name) for name in workload.__dataclass_fields__ if name != "load"}
    return Workload(load, **request)


@few
@given(workloads(), specs(), extras(), st.floats(0.01, 100))
def test_a_bill_is_linear_in_the_rates(workload, spec, around, factor):
    workload = fitting(workload, spec)
    once = bill(workload, spec, around)
    prices = {name: tuple((tier.begin, str(tier.price)) for tier in rate.tiers) for name, rate in RATES.known.items()}
    scaled = bill(workload, spec, around, rates_of(prices, factor=factor))
    assert nearly(scaled.total_usd, factor * once.total_usd)
    assert quantities(scaled) == quantities(once)


@few
@given(workloads(), specs(), extras(), st.floats(1, 5))
def test_more_traffic_never_costs_less(workload, spec, around, factor):
    workload, spec = fitting(workload, spec), fixed(spec)
    more = with_load(workload, LoadProfile(workload.load.requests_per_s * factor, workload.load.step_s))
    less, after = bill(workload, spec, around), bill(more, spec, around)
    assert after.total_usd >= less.total_usd * (1 - 1e-12)
    for charge, quantity in quantities(less).items():
        assert quantities(after)[charge] >= quantity * (1 - 1e-12), charge


@few
@given(workloads(), specs(), extras())
def test_traffic_adds_to_the_fixed_lines_and_changes_none(workload, spec, around):
    workload, spec = fitting(workload, spec), fixed(spec)
    idle = with_load(workload, LoadProfile(np.zeros_like(workload.load.requests_per_s), workload.load.step_s))
    still, moved = quantities(bill(idle, spec, around)), quantities(bill(workload, spec, around))
    by_traffic = {"alb_lcu_hour", "internet_egress", "nat_gateway_gb", "cross_zone", "interface_endpoint_gb"}
    # Container Insights writes logs too, with traffic or without.
    by_traffic |= {"logs_ingestion", "logs_ingestion_ia", "logs_storage", "web_acl_requests"}
    for name, quantity in still.items():
        assert nearly(moved[name], quantity) or (name in by_traffic and moved[name] > quantity), name
    assert set(moved) - set(still) <= by_traffic


@few
@given(st.lists(st.floats(0, 300), min_size=2, max_size=4), workloads(), specs(), extras())
def test_periods_add_up_to_the_period_of_both(levels, workload, spec, around):
    """The quantities of a period are the mean of those of its hours; those by the hour and by the month stay."""
    workload, spec = fitting(workload, spec), fixed(spec)
    whole = quantities(bill(with_load(workload, LoadProfile(levels, 3600)), spec, around))
    parts = [quantities(bill(with_load(workload, LoadProfile([level], 3600)), spec, around)) for level in levels]
    for charge, quantity in whole.items():
        assert nearly(quantity, np.mean([part.get(charge, 0.0) for part in parts]), 1e-8), charge


@few
@given(workloads(), specs(), extras(), st.sampled_from([None, 0.01, 0.5]))
def test_lines_sum_to_the_total_and_each_says_where_its_rate_is_from(workload, spec, around, commitment):
    workload = fitting(workload, spec)
    cost = bill(workload, spec, around, savings_plans=[SavingsPlan(commitment_usd_per_h=commitment)])
    assert nearly(cost.total_usd, sum(line.effective_cost for line in cost))
    assert all(line.sku_text and line.formula for line in cost)
    assert len({line.charge for line in cost}) == len(cost.lines)


@pytest.mark.parametrize("region", REGIONS)
def test_tiers_are_continuous_and_never_falling(region):
    rates = load_rates(region)
    for name in sorted({charge.price for charge in CHARGES.values()} & set(rates.known)):
        rate = rates.known[name]
        begins = [tier.begin for tier in rate.tiers if tier.begin > 0]
        for begin in begins:
            assert nearly(float(rate.cost(begin * (1 - 1e-9))), float(rate.cost(begin * (1 + 1e-9))), 1e-8), name
        points = np.array(sorted({0.0, 1.0, *begins, *(2 * begin for begin in begins)}))
        assert (np.diff(np.array([float(rate.cost(point)) for point in points])) > 0).all(), name


@pytest.mark.parametrize("region", REGIONS)
def test_each_charge_names_its_sku_or_why_there_is_none(region):
    rates = load_rates(region)
    for name, charge in CHARGES.items():
        line = cost_line(name, charge.title, charge.price, 1.0, rates, charge.formula)
        assert line.sku_text
        assert (line.effective_cost is None) == (line.effective_unit_price == "unknown")
        if line.effective_cost is not None:
            assert line.effective_cost > 0
            assert line.published or line.sku_text != line.sku
