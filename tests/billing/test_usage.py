"""Plain quantities: which names are priced and how, what is refused, and what Fargate bills of a run."""

import math

import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.usage import fargate_tasks, price_usage
from estimator.errors import InvalidScenario
from estimator.planning.planner import estimate
from estimator.pricing.catalog import PRICES
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of

ONE = TaskSize(1024, 2048)  # 1 vCPU, 2 GB


@pytest.mark.parametrize("name", dict.fromkeys((*CHARGES, *PRICES)))
def test_every_charge_and_every_price_can_be_named(name):
    price = CHARGES[name].price if name in CHARGES else name
    bill = price_usage({name: 3}, rates_of({price: "0.5"}, "eu-west-1"))
    [line] = bill
    assert (line.charge, line.pricing_quantity, line.pricing_unit) == (name, 3.0, PRICES[price].unit)
    assert line.title == (CHARGES[name].title if name in CHARGES else PRICES[name].title)
    assert line.list_cost == line.contracted_cost == bill.total_usd == 1.5


def test_a_charge_named_as_a_price_has_that_price():
    assert {name: CHARGES[name].price for name in CHARGES if name in PRICES} == {
        name: name for name in CHARGES if name in PRICES
    }


def test_tiers_count_by_month():
    # AWS, EC2 data transfer: 10 TB at 0.09, the next 40 at 0.085; 10240 x 0.09 + 1760 x 0.085 = 1071.20.
    [line] = price_usage({"internet_egress": 12_000}, rates_of())
    assert line.list_cost == pytest.approx(1071.20)
    assert line.list_unit_price == "0.09, from 10,240 on 0.085"
    # CloudWatch: 10,000 metrics at 0.30, then 0.10.
    tiers = {"custom_metric_month": ((0, "0.3"), (10_000, "0.1"))}
    assert price_usage({"custom_metric_month": 10_500}, rates_of(tiers)).total_usd == pytest.approx(3050)


def test_a_line_says_sku_day_and_origin():
    rates = load_rates("us-east-1", as_of="2026-10-31")
    bill = price_usage({"nat_gateway_hour": 730, "secret_month": 2, "alb_reserved_lcu_hour": 100}, rates)
    assert [(line.charge, line.sku, line.published, line.provenance) for line in bill] == [
        ("nat_gateway_hour", "M2YSHUBETB3JX4M4", "2025-10-28", "api"),
        ("alb_reserved_lcu_hour", "CP5ZUMA7RSCUNUVK", "2026-06-19", "api"),
        ("secret_month", "BJ3PQ9BYGU6P632F", "2025-08-28", "api"),
    ]
    # 730 x 0.045 + 2 x 0.40 + 100 x 0.008
    assert bill.total_usd == pytest.approx(34.45)
    assert bill.as_of == "2026-10-31"
    assert bill.prices_text.startswith("Prices as of 2026-10-31. Rates published 2025-08-28 to 2026-06-19.")


def test_charges_come_first_and_in_their_order():
    given = {"web_acl_month": 1, "internet_egress": 1, "alarm_composite_month": 1, "alb_hour": 1}
    names = [line.charge for line in price_usage(given, load_rates("eu-west-1"))]
    order = [*CHARGES, *(name for name in PRICES if name not in CHARGES)]
    assert names == sorted(given, key=order.index)


def test_an_unknown_rate_stands_as_unknown_and_the_total_is_a_lower_bound():
    bill = price_usage({"alb_hour": 730, "kms_key_month": 1}, rates_of({"alb_hour": "0.0225"}))
    line = next(line for line in bill if line.charge == "kms_key_month")
    assert (line.list_cost, line.contracted_cost, line.list_unit_price) == (None, None, "unknown")
    assert line.usage_type == "us-east-1-KMS-Keys"
    assert bill.is_lower_bound
    assert bill.total_text == "at least $16.43 a month"


def test_a_quantity_of_0_makes_no_line_and_misses_no_rate():
    bill = price_usage({"alb_hour": 0, "kms_key_month": 0.0}, Rates("eu-west-1", {}))
    assert bill.lines == ()
    assert not bill.is_lower_bound
    assert bill.total_usd == 0


def test_discounts_are_taken_off():
    rates = with_discounts(rates_of(), {"AmazonEC2": 10})
    bill = price_usage({"nat_gateway_hour": 730, "alb_hour": 730}, rates)
    assert bill.list_total_usd == pytest.approx(32.85 + 16.425)
    assert bill.total_usd == pytest.approx(0.9 * 32.85 + 16.425)


def test_a_bill_of_quantities_says_what_it_leaves_out_and_has_no_requests():
    bill = price_usage({"alb_hour": 720}, rates_of(), 720)
    assert bill.to_dict()["hours_per_month"] == 720
    assert bill.to_dict()["requests_per_month"] == 0
    assert "quantities do not name" in bill.not_included
    assert len(bill.to_frame()) == 1
    assert "Application Load Balancer" in str(bill)


def test_the_quantities_of_an_estimate_cost_what_the_estimate_says():
    workload = Workload(LoadProfile([300.0, 20.0], 3600), cpu_ms_per_request=5, response_kb=200)
    spec = ServiceSpec(ONE, min_capacity=2, max_capacity=8, network=NetworkLayout.of("nat", 2, 2))
    rates = load_rates("ap-northeast-1")
    estimated = estimate(workload, rates, spec).cost
    again = price_usage({line.charge: line.pricing_quantity for line in estimated}, rates)
    assert [(line.charge, line.contracted_cost) for line in again] == [
        (line.charge, line.contracted_cost) for line in estimated
    ]


@pytest.mark.parametrize("quantity", [-1, -0.001, math.nan, math.inf, -math.inf, True, "730", None])
def test_a_quantity_is_a_number_of_0_or_more(quantity):
    with pytest.raises(
        InvalidScenario,
        match=r"^The quantity of alb_hour is .*; it must be a number of 0 or more, and at most 1e\+15\.$",
    ):
        price_usage({"alb_hour": quantity}, rates_of())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nat_gatway_hour", "nat_gateway_hour"),
        ("Custom_Metric_Month", "custom_metric_month"),
        ("internet_egres", "internet_egress"),
        ("cloudfront_https_request:USA", "cloudfront_https_request:US"),
    ],
)
def test_an_unknown_name_is_refused_with_a_near_miss(name, meant):
    with pytest.raises(
        InvalidScenario, match=rf"^'{name}' is the name of no charge and of no price\. Did you mean {meant}\?"
    ):
        price_usage({name: 1}, rates_of())


@pytest.mark.parametrize("name", ["", "zzz", 7, None])
def test_what_is_near_to_nothing_is_refused_too(name):
    with pytest.raises(InvalidScenario, match=r"of no price\. `estimator charges` lists .*`estimator prices show`"):
        price_usage({name: 1}, rates_of())


def test_a_price_of_the_region_that_is_not_in_the_catalog_is_refused():
    # Snapshots hold prices of Network Load Balancers, which no row of PRICES asks for.
    rates = load_rates("us-east-1")
    assert "nlb_hour" in rates
    with pytest.raises(InvalidScenario, match=r"^'nlb_hour' .* Did you mean alb_hour\?"):
        price_usage({"nlb_hour": 730}, rates)


def test_two_names_of_one_price_are_refused():
    with pytest.raises(InvalidScenario, match=r"^internet_egress and internet_egress_gb have the same price"):
        price_usage({"internet_egress": 1, "internet_egress_gb": 1}, rates_of())


@pytest.mark.parametrize("hours", [0, 745, math.nan])
def test_a_month_has_its_bounds(hours):
    with pytest.raises(InvalidScenario, match=r"^hours_per_month is "):
        price_usage({"alb_hour": 1}, rates_of(), hours)


def test_tasks_that_run_on():
    assert fargate_tasks(3, TaskSize(512, 4096), 730) == {
        "fargate_linux_x86_vcpu_hour": 1095.0,
        "fargate_linux_x86_gb_hour": 8760.0,
    }


@pytest.mark.parametrize(
    ("seconds", "billed"),
    # AWS, Fargate pricing, "Duration": rounded up to the nearest second, at least 1 minute.
    [(0, 0), (0.5, 60), (59.9, 60), (60, 60), (60.2, 61), (61, 61), (3600, 3600), (86_400.000001, 86_401)],
)
def test_a_run_is_billed_to_the_second_and_at_least_a_minute(seconds, billed):
    hours = fargate_tasks(1, ONE, seconds_per_run=seconds, runs=10)["fargate_linux_x86_vcpu_hour"]
    assert hours == pytest.approx(10 * billed / 3600, rel=1e-12)


@pytest.mark.parametrize(
    ("seconds", "billed"),
    # The same page: with Windows at least 5 minutes.
    [(100, 300), (300, 300), (300.4, 301), (600, 600)],
)
def test_with_windows_a_run_is_billed_at_least_five_minutes_and_with_its_license(seconds, billed):
    assert fargate_tasks(2, TaskSize(2048, 4096), seconds_per_run=seconds, operating_system="WINDOWS") == pytest.approx(
        {
            "fargate_windows_vcpu_hour": 4 * billed / 3600,
            "fargate_windows_gb_hour": 8 * billed / 3600,
            "fargate_windows_os_license_vcpu_hour": 4 * billed / 3600,
        }
    )


def test_the_shortest_runs_are_parameters():
    given = {"seconds_per_run": 10, "runs": 360}
    assert fargate_tasks(1, ONE, **given, linux_minimum_s=0)["fargate_linux_x86_vcpu_hour"] == 1.0
    # Each is of its own operating system.
    assert fargate_tasks(1, ONE, **given, windows_minimum_s=0)["fargate_linux_x86_vcpu_hour"] == 6.0
    windows = fargate_tasks(1, ONE, **given, operating_system="WINDOWS", linux_minimum_s=0, windows_minimum_s=20)
    assert windows["fargate_windows_vcpu_hour"] == 2.0


@pytest.mark.parametrize("hours", [1.1, 0.1 + 0.2, 729.7, 24 * 30.4166])
def test_multiplying_adds_no_second(hours):
    seconds = fargate_tasks(1, ONE, hours)["fargate_linux_x86_vcpu_hour"] * 3600
    assert seconds == pytest.approx(math.ceil(round(hours * 3600, 3)), rel=1e-12)


def test_only_storage_above_20_gib_is_paid():
    assert "fargate_ephemeral_storage" not in fargate_tasks(2, ONE, 10, ephemeral_storage_gib=20)
    assert fargate_tasks(2, ONE, 10, ephemeral_storage_gib=21)["fargate_ephemeral_storage"] == 20.0
    assert fargate_tasks(2, ONE, 10, ephemeral_storage_gib=200)["fargate_ephemeral_storage"] == 3600.0


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("cpu_architecture", ["X86_64", "ARM64"])
def test_tasks_are_named_as_their_charges(cpu_architecture, spot):
    quantities = fargate_tasks(1, ONE, 730, cpu_architecture, spot)
    short = {"X86_64": "x86", "ARM64": "arm"}[cpu_architecture]
    assert set(quantities) == {
        f"fargate_{'spot_' if spot else ''}linux_{short}_vcpu_hour",
        f"fargate_{'spot_' if spot else ''}linux_{short}_gb_hour",
    }
    assert set(quantities) <= set(CHARGES)
    assert not price_usage(quantities, rates_of()).is_lower_bound


def test_the_mean_of_tasks_need_not_be_whole():
    half, one = fargate_tasks(0.5, ONE, 730), fargate_tasks(1, ONE, 730)
    assert half == {name: quantity / 2 for name, quantity in one.items()}
    assert set(fargate_tasks(0, ONE, 730).values()) == {0.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give one of them"),
        ({"hours": 1, "seconds_per_run": 1}, "hours is 1 and seconds_per_run 1; give one of them"),
        ({"hours": 1, "runs": 2}, "runs is 2 with hours; give the length of each run as seconds_per_run"),
        ({"hours": -1}, "hours is -1"),
        ({"hours": math.nan}, "hours is nan"),
        ({"seconds_per_run": math.inf}, "seconds_per_run is inf"),
        ({"seconds_per_run": 1, "runs": -1}, "runs is -1"),
        ({"hours": 1, "tasks": -1}, "tasks is -1"),
        ({"hours": 1, "ephemeral_storage_gib": 19}, "ephemeral_storage_gib is 19; it must be a number from 20 to 200"),
        ({"hours": 1, "ephemeral_storage_gib": 201}, "ephemeral_storage_gib is 201"),
        ({"hours": 1, "linux_minimum_s": -1}, "linux_minimum_s is -1"),
        ({"hours": 1, "windows_minimum_s": math.nan}, "windows_minimum_s is nan"),
        ({"hours": 1, "cpu_architecture": "arm"}, "cpu_architecture is 'arm'; Fargate has X86_64 and ARM64"),
        ({"hours": 1, "operating_system": "windows"}, "operating_system is 'windows'; Fargate has LINUX and WINDOWS"),
        ({"hours": 1, "operating_system": "WINDOWS", "spot": True}, "1 vCPU on X86_64 and Spot"),
        (
            {"hours": 1, "operating_system": "WINDOWS", "cpu_architecture": "ARM64"},
            "1 vCPU on ARM64; Fargate has Windows",
        ),
        ({"hours": 1, "operating_system": "WINDOWS", "task_size": TaskSize(512, 1024)}, "0.5 vCPU on X86_64"),
        ({"hours": 1, "operating_system": "WINDOWS", "task_size": TaskSize(8192, 16384)}, "8 vCPU on X86_64"),
    ],
)
def test_what_fargate_does_not_have_is_refused(given, message):
    with pytest.raises(InvalidScenario) as refused:
        fargate_tasks(**{"tasks": 1, "task_size": ONE, **given})
    assert message in str(refused.value)
