"""Network layouts side by side, by the prices of us-east-1: $3.65 an address, $32.85 a NAT gateway, $7.30 an endpoint in a zone."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.planning.networks import break_even_gb, cheapest_by_gb, compare_networks, network_usd_by_gb, traffic_gb
from estimator.planning.notes import network_conditions
from estimator.planning.planner import estimate
from estimator.scenario import Scenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
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
    """$43.80 and 1 cent a GB against $36.50 and 4.5 cents, and half of it crosses zones at 2 cents: $7.30 / 0.045 = 162.2 GB."""
    plan = service(20)
    bills = by_title(compare_networks(plan, RATES))
    gateway, endpoints = bills["one NAT gateway"], bills["interface endpoints"]
    assert break_even_gb(gateway, endpoints, plan, RATES) == pytest.approx(7.30 / 0.045)
    assert break_even_gb(endpoints, gateway, plan, RATES) == pytest.approx(7.30 / 0.045)
    # Two gateways cost more than the endpoints at any traffic.
    assert break_even_gb(bills["a NAT gateway in each of 2 zones"], endpoints, plan, RATES) is None
    below, above = network_usd_by_gb((gateway, endpoints), plan, RATES, [150, 170]).T
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
    assert [bill.cost.is_lower_bound for bill in found] == [False, False, False, True, True]
    assert np.isnan(network_usd_by_gb(found, plan, rates, [1.0])[3:]).all()


def test_traffic_between_zones_by_hand():
    """A gateway in one of three zones: two thirds of 100 GB of logs cross, and each GB is billed at both ends for a cent."""
    gb = 100
    work = replace(WORK, log_bytes_per_request=gb * 1e9 / (10 * 730 * 3600))
    one, three = (
        next(bill for bill in compare_networks(service(3, work, zones=3), RATES) if bill.network.nat_gateways == n)
        for n in (1, 3)
    )
    [line] = [line for line in one.cost if line.charge == "cross_zone"]
    assert line.pricing_quantity == pytest.approx(gb * 2 / 3 * 2)
    assert line.contracted_cost == pytest.approx(100 * 2 / 3 * 0.02)
    assert "cross_zone" not in {line.charge for line in three.cost}
    once = estimate(
        work,
        RATES,
        ServiceSpec(TaskSize(256, 512), network=one.network),
        behavior=AwsBehavior(cross_zone_ends_billed=1),
    )
    assert sum(line.contracted_cost for line in once.cost if line.charge == "cross_zone") == pytest.approx(
        100 * 2 / 3 * 0.01
    )


@pytest.mark.parametrize("layout", ["public", "endpoints", "ipv6"])
def test_nothing_crosses_zones_without_a_gateway(layout):
    work = replace(WORK, log_bytes_per_request=5000)
    cost = estimate(work, RATES, ServiceSpec(TaskSize(256, 512), network=NetworkLayout.of(layout, 3))).cost
    assert "cross_zone" not in {line.charge for line in cost}


def test_an_unknown_price_between_zones_is_nothing_to_compare_by():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "inter_az_gb"})
    plan = service(30, replace(WORK, log_bytes_per_request=100), rates=rates)
    found = compare_networks(plan, rates)
    assert [bill.title for bill in found if bill.cost.is_lower_bound] == ["one NAT gateway"]
    assert found[-1].title == "one NAT gateway"
    known = np.isfinite(network_usd_by_gb(found, plan, rates, [1.0, 500.0])).all(axis=1)
    assert known.tolist() == [True] * (len(found) - 1) + [False]


def test_what_all_layouts_lack_alike_decides_nothing():
    alike = rates_of({name: price for name, price in US_EAST_1.items() if name != "alarm_standard_month"})
    names = [bill.title for bill in compare_networks(service(30, rates=alike), alike)]
    assert names == [bill.title for bill in compare_networks(service(30), RATES)]
    unknown = ("alarm_standard_month", "vpc_interface_endpoint_hour", "vpc_interface_endpoint_gb")
    both = rates_of({name: price for name, price in US_EAST_1.items() if name not in unknown})
    assert compare_networks(service(30, rates=both), both)[-1].title == "interface endpoints"


def test_the_layout_that_runs_is_among_them():
    own = NetworkLayout.of("nat", 3, 2)
    plan = estimate(WORK, RATES, ServiceSpec(TaskSize(256, 512), network=own))
    found = by_title(compare_networks(plan, RATES))
    assert found["2 NAT gateways for 3 zones"].cost.total_usd == pytest.approx(plan.cost.total_usd)
    assert len(found) == 6
    usual = estimate(WORK, RATES, ServiceSpec(TaskSize(256, 512), network=NetworkLayout.of("nat", 3)))
    assert len(compare_networks(usual, RATES)) == 5


def test_ipv6_has_the_load_balancers_addresses_alone():
    """$3.65 for each node, and nothing by the hour or the GB for the tasks."""
    work = replace(WORK, log_bytes_per_request=3000, outbound_sent_kb_per_request=2)
    plan = service(5, work)
    found = by_title(compare_networks(plan, RATES))
    ipv6 = found["IPv6 and an egress-only gateway"]
    assert ipv6.network_usd == pytest.approx(2 * 3.65)
    lines = {line.charge: line.pricing_quantity for line in ipv6.cost}
    assert not {"nat_gateway_hour", "nat_gateway_gb", "interface_endpoint_hour", "cross_zone"} & set(lines)
    # What leaves for the internet is billed as in any layout.
    public = {line.charge: line.pricing_quantity for line in found["public addresses"].cost}
    assert lines["internet_egress"] == pytest.approx(public["internet_egress"])
    assert "must speak IPv6" in ipv6.condition
    assert found["public addresses"].condition == ""
    # Cheaper than any, it comes after those that serve without a condition.
    titles = [bill.title for bill in compare_networks(plan, RATES)]
    assert titles.index(ipv6.title) == 3
    assert ipv6.cost.total_usd < compare_networks(plan, RATES)[0].cost.total_usd
    assert ipv6.to_dict()["condition"] == ipv6.condition


def test_a_load_balancer_without_ipv4_saves_its_addresses():
    plan = service(5)
    without = replace(plan.spec, network=NetworkLayout.of("public", load_balancer_ipv4=False))
    bare = estimate(WORK, RATES, without)
    assert plan.cost.total_usd - bare.cost.total_usd == pytest.approx(2 * 3.65)
    for bill in compare_networks(bare, RATES):
        assert not bill.network.load_balancer_ipv4
    # All have the condition: it stands with the plan, and decides nothing between them.
    assert any("no public IPv4" in text for text in bare.warnings)
    ipv6 = by_title(compare_networks(bare, RATES))["IPv6 and an egress-only gateway"]
    assert ipv6.network_usd == 0
    assert "public_ipv4" not in {line.charge for line in ipv6.cost}


@pytest.mark.parametrize(
    ("image", "region", "said"),
    [
        (None, "us-east-1", "123456789012.dkr-ecr.us-east-1.on.aws/web:1"),
        (
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:2",
            "us-east-1",
            "dual-stack name, 123456789012.dkr-ecr.us-east-1.on.aws/shop:2.",
        ),
        # Ireland is not on AWS's list.
        (None, "eu-west-1", "did not name eu-west-1 among the regions"),
    ],
)
def test_what_ipv6_asks_of_image_and_region(image, region, said):
    conditions = " ".join(network_conditions(NetworkLayout.of("ipv6"), Application(image=image), region))
    assert said in conditions
    spec = ServiceSpec(TaskSize(256, 512), network=NetworkLayout.of("ipv6"))
    warnings = estimate(WORK, rates_of(region=region), spec, Application(image=image)).warnings
    assert any(said in text for text in warnings)
    good = network_conditions(
        NetworkLayout.of("ipv6"), Application(image="1.dkr-ecr.us-east-1.on.aws/web:1"), "us-east-1"
    )
    assert len(good) == 1


def scenario(**network):
    return Scenario.from_dict(
        {
            "region": "us-east-1",
            "load": {"kind": "constant", "requests_per_s": 10},
            "request": {"cpu_ms_per_request": 10},
            "network": network,
            "service": {"cpu_units": 256, "memory_mib": 512},
        }
    )


def test_a_scenario_with_ipv6_is_read_written_and_priced():
    document = scenario(layout="ipv6", availability_zones=3)
    assert Scenario.from_text(document.to_yaml()) == document
    lines = {line.charge: line.pricing_quantity for line in document.estimate(RATES).cost}
    assert lines["public_ipv4"] == pytest.approx(3 * 730)
    assert "nat_gateway_hour" not in lines
    assert document.plan(RATES).spec.network == NetworkLayout("ipv6", 3)


def test_a_scenario_without_public_ipv4_is_read_written_and_priced():
    document = scenario(layout="ipv6", load_balancer_ipv4=False)
    assert Scenario.from_text(document.to_yaml()) == document
    found = document.estimate(RATES)
    assert "public_ipv4" not in {line.charge for line in found.cost}
    assert any("no public IPv4 addresses" in text for text in found.warnings)


def test_windows_has_no_ipv6_layout():
    spec = ServiceSpec(TaskSize(1024, 2048), network=NetworkLayout.of("ipv6"))
    with pytest.raises(
        InvalidScenario, match=r"WINDOWS in the ipv6 layout; .* Choose the public, nat or endpoints layout"
    ):
        estimate(WORK, RATES, spec, Application(operating_system="WINDOWS"))


def test_endpoints_do_not_serve_ecrs_dual_stack_names():
    image = "1.dkr-ecr.us-east-1.on.aws/web:1"
    spec = ServiceSpec(TaskSize(256, 512), network=NetworkLayout.of("endpoints"))
    with pytest.raises(InvalidScenario, match=r"Write 1\.dkr\.ecr\.us-east-1\.amazonaws\.com/web:1, or"):
        estimate(WORK, RATES, spec, Application(image=image))
    # It is in ECR all the same: layers do not go through a gateway.
    nat = replace(spec, network=NetworkLayout.of("nat"))
    cost = estimate(WORK, RATES, nat, Application(image=image, image_mb=500)).cost
    assert "nat_gateway_gb" not in {line.charge for line in cost}


def test_the_cheapest_layout_by_traffic_is_the_least_of_all_lines():
    plan = service(16, replace(WORK, log_bytes_per_request=100))
    bills = compare_networks(plan, RATES)
    ranges = cheapest_by_gb(bills, plan, RATES)
    assert [round(gb) for gb, _ in ranges] == sorted(round(gb) for gb, _ in ranges)
    assert ranges[0][0] == 0
    assert len(ranges) > 1
    free = [bill for bill in bills if bill.cost and not bill.condition]
    for gb in np.linspace(0, 5000, 101):
        costs = network_usd_by_gb(free, plan, RATES, [gb])[:, 0]
        named = next(bill for begin, bill in reversed(ranges) if begin <= gb)
        assert costs[free.index(named)] == pytest.approx(costs.min())


def test_what_goes_through_a_layout_is_what_a_gateway_would_charge():
    plan = service(4, replace(WORK, log_bytes_per_request=1000))
    nat = estimate(plan.workload, RATES, replace(plan.spec, network=NetworkLayout.of("nat")))
    (line,) = [line for line in nat.cost if line.charge == "nat_gateway_gb"]
    assert traffic_gb(plan, RATES) == pytest.approx(line.pricing_quantity)


def test_a_condition_that_all_have_decides_nothing():
    own = replace(NetworkLayout(), load_balancer_ipv4=False)
    plan = estimate(WORK, RATES, ServiceSpec(TaskSize(256, 512), network=own))
    found = compare_networks(plan, RATES)
    assert not any("no public IPv4 addresses" in bill.condition for bill in found)
    assert cheapest_by_gb(found, plan, RATES)


def test_a_network_without_a_rate_is_unknown_and_not_free():
    rates = rates_of(
        {name: price for name, price in US_EAST_1.items() if name in ("fargate_linux_x86_vcpu_hour", "alb_hour")}
    )
    plan = estimate(WORK, rates, ServiceSpec(TaskSize(256, 512)))
    for bill in compare_networks(plan, rates):
        assert bill.network_is_lower_bound
        assert bill.network_text == "unknown"
        assert bill.to_dict()["network_is_lower_bound"]
