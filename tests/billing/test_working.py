"""Workings by hand: the numbers of a service that one can calculate, of Savings Plans, and of quantities that were given."""

import json

import pytest
from hypothesis import given

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.billing.usage import price_usage
from estimator.billing.working import at, counted, times, written
from estimator.planning.planner import estimate
from estimator.planning.regions import bill_again
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import fitting, rates_of, specs, workloads
from tests.properties.test_bill_laws import extras
from tests.properties.test_laws import few
from tests.workings import calculated

#: 57.5 requests/s: 57.5 × 3,600 × 730 = 151,110,000 in a month.
WORK = Workload(
    LoadProfile.constant(57.5),
    cpu_ms_per_request=10,
    response_kb=20,
    tls_handshake_sent_kb=1.5,
    requests_per_connection=5,
    outbound_received_kb_per_request=0.5,
)
SPEC = ServiceSpec(TaskSize(512, 3072), min_capacity=4, max_capacity=4, network=NetworkLayout.of("nat"))
RATES = all_rates()
VCPU, GB = "fargate_linux_x86_vcpu_hour", "fargate_linux_x86_gb_hour"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (730.0, "730"),
        (1755.7176, "1,755.7176"),
        (2 / 3, "0.66666667"),
        (0.3 - 0.1, "0.2"),
        (99_999_999.6, "100,000,000"),
        (151_110_000.49, "151,110,000"),
        (0.00001234, "0.00001234"),
        (True, "1"),
    ],
)
def test_numbers_to_read(number: float, text: str) -> None:
    assert written(number) == text


def test_counts_and_factors_to_read() -> None:
    assert [counted(count, "zone") for count in (0, 1, 1.5, 2)] == ["0 zones", "1 zone", "1.5 zones", "2 zones"]
    assert times(1.0, "of them") == ""
    assert times(0.0, "of them") == " × 0 of them"
    assert (at(4, 7), at([4, 5], 1)) == (4.0, 5.0)


def test_a_bill_by_hand() -> None:
    cost = estimate(WORK, rates_of(), SPEC, Application(image="nginx:1.29", image_mb=100)).cost
    found = {line.charge: (line.working.rpartition("; ")[2], line.pricing_quantity) for line in cost}
    expected = {
        VCPU: ("2,920 billed task hours × 0.5 vCPU", 1460),
        GB: ("2,920 billed task hours × 3,072 MiB ÷ 1,024 MiB per GB", 8760),
        "alb_hour": ("730 hours begun", 730),
        # 57.5 × 3,600 s × 21 kB = 4.347 GB an hour, the largest by far.
        "alb_lcu_hour": ("3,173.31 LCU-hours where processed bytes are largest", 3173.31),
        "public_ipv4": (
            "730 h × (2 load balancer nodes + 1 NAT gateway) + 0 billed hours of tasks with a public address",
            2190,
        ),
        "nat_gateway_hour": ("730 h × 1 NAT gateway", 730),
        "nat_gateway_gb": (
            "151,110,000 requests × (0.25 kB of logs + 0 kB of calls sent + 0.5 kB received) ÷ 1,000,000 kB per GB + "
            "0 started tasks × 100 MB of an image ÷ 1,000 MB per GB",
            113.3325,
        ),
        "cross_zone": (
            "(151,110,000 requests × (0.25 kB of logs + 0 kB of calls sent + 0.5 kB received) ÷ 1,000,000 kB per GB + "
            "0 started tasks × 100 MB of an image ÷ 1,000 MB per GB) × (2 zones − 1 NAT gateway) ÷ 2 zones × 2 ends billed",
            113.3325,
        ),
        "internet_egress": (
            "151,110,000 requests × (20 kB + 1.5 kB of a TLS handshake ÷ 5 requests over a connection) ÷ 1,000,000 kB per GB + 0 GB of calls",
            3067.533,
        ),
        "logs_ingestion": ("151,110,000 requests × 250 bytes of logs ÷ 1,000,000,000 bytes per GB", 37.7775),
        "logs_storage": (
            "(151,110,000 requests × 250 bytes of logs ÷ 1,000,000,000 bytes per GB ÷ 730 h + 0 GB of flow logs ÷ 730 h) × 24 h × 30 days × "
            "0.15 of it stored",
            5.589,
        ),
        "alarms": ("2 alarms × 1 with target tracking + 0 with step scaling + 0 of your own", 2),
    }
    assert set(found) == set(expected)
    for charge, (working, quantity) in expected.items():
        assert found[charge] == (working, pytest.approx(quantity, rel=1e-12))


def test_the_dimensions_of_the_load_balancer_by_hand() -> None:
    lines = {line.charge: line for line in estimate(WORK, rates_of(), SPEC).cost}
    # AWS: a unit has 25 new connections/s, 3,000 active ones, 1 GB an hour, 1,000 rules/s above ten of each request; the mean is open 60 s.
    assert lines["alb_lcu_hour"].working.split("; ") == [
        "new connections alone: 151,110,000 requests ÷ 5 requests over a connection ÷ 3,600 s ÷ 25 connections/s = 335.8 LCU-hours, largest in 0 h",
        "active connections alone: 151,110,000 requests ÷ 5 requests over a connection ÷ 3,600 s × 60 s open ÷ 3,000 connections = "
        "167.9 LCU-hours, largest in 0 h",
        "processed bytes alone: 151,110,000 requests × (1 kB in + 20 kB out) ÷ 1,000,000 kB per GB ÷ 1 GB = 3,173.31 LCU-hours, largest in 730 h",
        "rule evaluations alone: 151,110,000 requests × 0 paid rules ÷ 3,600 s ÷ 1,000 rules/s = 0 LCU-hours, largest in 0 h",
        "3,173.31 LCU-hours where processed bytes are largest",
    ]


def test_the_lines_of_savings_plans_are_worked_out() -> None:
    existing = SavingsPlan("3yr", "No Upfront", 0.02, existing=True)
    cost = estimate(WORK, RATES, SPEC, savings_plans=[existing, SavingsPlan(commitment_usd_per_h=0.01)]).cost
    lines = {line.charge: line for line in cost}
    first, second = (lines[f"{VCPU}:savings_plan_{number}"] for number in (1, 2))
    # 2 vCPU in each of 730 hours come to the first plan, and what it leaves to the second.
    assert first.working.startswith("1,460 vCPU-hour that come to it − ")
    left = written(1460 - first.pricing_quantity)
    assert first.working.endswith(f" − {left} that it leaves")
    assert second.working.startswith(f"{left} vCPU-hour that come to it − ")
    assert lines[VCPU].working == (
        f"2,920 billed task hours × 0.5 vCPU − {written(first.pricing_quantity)} that a Savings Plan pays for − "
        f"{written(second.pricing_quantity)} that a Savings Plan pays for"
    )
    for line in (first, second, lines[VCPU]):
        assert calculated(line.working) == pytest.approx(line.pricing_quantity, rel=1e-6)


def test_what_is_lost_of_a_commitment_is_worked_out() -> None:
    cost = estimate(WORK, RATES, SPEC, savings_plans=[SavingsPlan(commitment_usd_per_h=0.5)]).cost
    lines = {line.charge: line for line in cost}
    # It pays for all of Fargate: 1,460 vCPU-hours at 75 % of On-Demand and 8,760 GB-hours at 77 %.
    used = 1460 * 0.75 * 0.04048 + 8760 * 0.77 * 0.004445
    unused = lines["savings_plan_unused:1"]
    assert unused.working == f"0.5 USD/h × 730 h − {written(used)} USD used"
    assert calculated(unused.working) == pytest.approx(unused.effective_cost, rel=1e-6)
    assert lines[f"{GB}:savings_plan_1"].working == "8,760 GB-hour that come to it − 0 that it leaves"


def test_a_commitment_of_which_little_is_known_is_worked_out() -> None:
    existing = SavingsPlan(commitment_usd_per_h=0.5, existing=True)
    bare = Rates("eu-west-1", {name: rate for name, rate in RATES.known.items() if not name.startswith("sp_")})
    cost = bill_again(estimate(WORK, RATES, SPEC, savings_plans=[existing]), bare)
    (line,) = [line for line in cost if line.charge == "savings_plan_commitment:1"]
    assert line.working == "0.5 USD/h × 730 h"


def test_a_quantity_that_was_given_is_its_own_working() -> None:
    cost = price_usage({"nat_gateway_gb": 1234.5, "secret_month": 2}, rates_of())
    assert [line.working for line in cost] == ["1,234.5", "2"]


def test_a_working_is_part_of_the_bill_as_values() -> None:
    cost = estimate(WORK, rates_of(), SPEC).cost
    values = json.loads(json.dumps(cost.to_dict()))
    assert [line["working"] for line in values["lines"]] == [line.working for line in cost]
    assert list(cost.to_frame()["working"]) == [line.working for line in cost]


@few
@given(workloads(), specs(), extras())
def test_any_bill_can_be_calculated_again(workload, spec, around) -> None:
    for line in estimate(fitting(workload, spec), rates_of(), spec, extras=around).cost:
        # A reservation may hold nearly all: what is left of two numbers of eight digits has fewer.
        few_digits = 1e-2 if line.charge == "alb_lcu_hour" and around.reserved_lcu else 0.0
        assert calculated(line.working) == pytest.approx(line.pricing_quantity, rel=1e-6, abs=few_digits), line.working
