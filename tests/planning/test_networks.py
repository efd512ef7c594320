"""Network layouts side by side, by the prices of us-east-1: $3.65 an address, $32.85 a NAT gateway, $7.30 an endpoint in a zone."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.planning.networks import break_even_gb, compare_networks, network_usd_by_gb
from estimator.planning.planner import estimate
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

RATES = rates_of()
WORK = Workload(LoadProfile.constant(10), cpu_ms_per_request=10, log_bytes_per_request=0)


def service(tasks, work=WORK, zones=2, application=None, rates=RATES):
    spec = ServiceSpec(
        TaskSize(256, 512), min_capacity=tasks, max_capacity=tasks, network=NetworkLayout.of("public", zones)
    )
    return estimate(work, rates, spec, application)


def by_title(found):
    return {bill.title: bill for bill in found}


@pytest.mark.parametrize(
    ("tasks", "cheapest"),
    [(2, "public addresses"), (9, "public addresses"), (11, "one NAT gateway"), (30, "one NAT gateway")],
)
def test_public_addresses_are_paid_by_the_task(tasks, cheapest):
    """$3.65 a task against $36.50 for a NAT gateway with its address: ten tasks break even."""
    found = compare_networks(service(tasks), RATES)
    assert found[0].title == cheapest
    bills = by_title(found)
    nodes = 2 * 3.65
    assert bills["public addresses"].network_usd == pytest.approx(nodes + 3.65 * tasks)
    assert bills["one NAT gateway"].network_usd == pytest.approx(nodes + 32.85 + 3.65)
    assert bills["a NAT gateway in each of 2 zones"].network_usd == pytest.approx(nodes + 2 * 36.50)
    assert bills["interface endpoints"].network_usd == pytest.approx(nodes + 3 * 2 * 7.30)


def test_each_bill_is_what_an_estimate_says():
    plan = service(5, replace(WORK, log_bytes_per_request=2000))
    for bill in compare_networks(plan, RATES):
        again = estimate(plan.workload, RATES, replace(plan.spec, network=bill.network))
        assert bill.cost.total_usd == pytest.approx(again.cost.total_usd, rel=1e-12)


def test_a_layout_that_does_not_serve_says_why():
    found = compare_networks(service(3, replace(WORK, outbound_sent_kb_per_request=1)), RATES)
    assert found[-1].title == "interface endpoints"
    assert "no way to the internet" in found[-1].why_not
    assert found[-1].cost is None
    assert found[-1].to_dict()["usd_per_month"] is None
    elsewhere = compare_networks(service(3, application=Application(image="nginx:1.29")), RATES)
    assert "is not in ECR" in elsewhere[-1].why_not


def test_secrets_add_an_endpoint_in_each_zone():
    secret = Application(secrets={"KEY": "arn:aws:secretsmanager:us-east-1:1:secret:key"})
    plain, more = (by_title(compare_networks(service(3, zones=3, application=a), RATES)) for a in (None, secret))
    difference = more["interface endpoints"].network_usd - plain["interface endpoints"].network_usd
    assert difference == pytest.approx(3 * 7.30)


def test_where_endpoints_overtake_a_gateway():
    """$43.80 and 1 cent a GB against $36.50 and 4.5 cents: $7.30 / 0.035 = 208.57 GB."""
    plan = service(20)
    bills = by_title(compare_networks(plan, RATES))
    gateway, endpoints = bills["one NAT gateway"], bills["interface endpoints"]
    assert break_even_gb(gateway, endpoints, plan, RATES) == pytest.approx(7.30 / 0.035)
    assert break_even_gb(endpoints, gateway, plan, RATES) == pytest.approx(7.30 / 0.035)
    # Two gateways cost more than the endpoints at any traffic.
    assert break_even_gb(bills["a NAT gateway in each of 2 zones"], endpoints, plan, RATES) is None
    below, above = network_usd_by_gb((gateway, endpoints), plan, RATES, [200, 220]).T
    assert below[0] < below[1]
    assert above[0] > above[1]


def test_the_curve_goes_through_the_bill():
    plan = service(4, replace(WORK, log_bytes_per_request=3000))
    found = compare_networks(plan, RATES)
    logs_gb = 10 * 730 * 3600 * 3000 / 1e9
    curve = network_usd_by_gb(found, plan, RATES, [logs_gb])[:, 0]
    np.testing.assert_allclose(curve, [bill.network_usd for bill in found])


def test_an_unknown_rate_is_said_and_comes_after_what_is_known():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "nat_gateway_hour"})
    plan = service(30, rates=rates)
    found = compare_networks(plan, rates)
    assert [bill.cost.is_lower_bound for bill in found] == [False, False, True, True]
    assert np.isnan(network_usd_by_gb(found, plan, rates, [1.0])[2:]).all()
