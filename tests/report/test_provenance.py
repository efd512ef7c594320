"""A line of a bill explained: every number of its arithmetic, from what was asked to what is paid."""

import re
from dataclasses import replace

import pytest

from estimator.billing.usage import price_usage
from estimator.planning.planner import estimate
from estimator.pricing.own_prices import with_discounts
from estimator.pricing.snapshots import load_rates
from estimator.report.provenance import explain
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.workings import calculated

WORK = Workload(LoadProfile.constant(1000), cpu_ms_per_request=1, response_kb=20, requests_per_connection=1000)
SPEC = ServiceSpec(TaskSize(2048, 4096), min_capacity=1, max_capacity=1)
RATES = load_rates("us-east-1")


def explained(charge: str, rates=RATES) -> list[str]:
    cost = estimate(WORK, rates, SPEC).cost
    (line,) = [line for line in cost if line.charge == charge]
    return list(explain(line, rates.known.get(line.price)))


def test_a_line_from_the_requests_to_the_dollar() -> None:
    # 1,000 requests/s × 3,600 × 730; AWS: the first 10 TB at 9 cents, the next 40 at 8.5, then 7.
    assert explained("internet_egress")[:7] == [
        "Data transfer out to the internet (internet_egress)",
        "  quantity: GB of responses and TLS handshakes (none behind CloudFront) and of calls to the internet",
        "    = 2,628,000,000 requests × (20 kB + 0 kB of TLS handshakes) ÷ 1,000,000 kB per GB + 0 GB of calls = 52,560 GB",
        "  10,240 GB × 0.09 USD = 921.6000 USD",
        "  from 10,240 on: 40,960 GB × 0.085 USD = 3,481.6000 USD",
        "  from 51,200 on: 1,360 GB × 0.07 USD = 95.2000 USD",
        "  cost: 4,498.40 USD a month",
    ]


def test_a_private_discount_is_calculated() -> None:
    found = explained("internet_egress", with_discounts(RATES, {"AWSDataTransfer": 12.5}))
    # 921.60 + 3,481.60 + 95.20 = 4,498.40, and seven eighths of it.
    at = found.index("  less 12.5 % private discount: 4,498.4000 USD × (1 − 12.5 %) = 3,936.1000 USD")
    assert found[at + 1] == "  cost: 3,936.10 USD a month"
    assert "discount" not in "\n".join(explained("internet_egress"))


def test_each_dimension_of_the_load_balancer_has_a_line() -> None:
    found = explained("alb_lcu_hour")
    assert [line.split(" alone: ")[0] for line in found[2:6]] == [
        "    new connections",
        "    active connections",
        "    processed bytes",
        "    rule evaluations",
    ]
    # 75.6 GB an hour of requests and responses.
    assert found[6] == "    = 55,188 LCU-hours where processed bytes are largest = 55,188 LCU-Hrs"


def test_every_line_comes_to_its_quantity_and_its_price() -> None:
    for line in estimate(WORK, RATES, SPEC).cost:
        text = explain(line, RATES[line.price])
        (worked,) = [each for each in text if each.startswith("    = ")]
        arithmetic, said = re.fullmatch(r"    = (.+) = ([\d,.]+) \S.*", worked).groups()
        assert calculated(arithmetic) == pytest.approx(line.pricing_quantity, rel=1e-6)
        assert calculated(said) == pytest.approx(line.pricing_quantity, rel=1e-7)
        tiers = [re.match(r"  (?:from [\d,]+ on: )?([\d,.]+) .*× ([\d.]+) USD =", each) for each in text]
        usd = sum(calculated(tier[1]) * float(tier[2]) for tier in tiers if tier)
        assert usd == pytest.approx(line.effective_cost, rel=1e-6)


def test_a_quantity_without_figures_stands_behind_its_formula() -> None:
    (line,) = price_usage({"nat_gateway_gb": 1234.5}, RATES)
    assert explain(line, RATES["nat_gateway_gb"])[1] == "  quantity: as given = 1,234.5 GB"
    assert explain(replace(line, working=""), RATES["nat_gateway_gb"])[1] == "  quantity: as given = 1,234.5 GB"
