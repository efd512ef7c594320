"""Templates of known kinds under a constant load: every line of the bill by hand, hours times the snapshot's rates."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.repricing import Repriced, reprice
from estimator.repricing.reading import ASSUMED, NOT_PRICED
from estimator.scenario import Scenario

TEMPLATES = Path(__file__).parent / "templates"
HOURS = 730
#: 5 requests a second; 12 ms of CPU each: 24 % of a quarter of a vCPU, so that one such task is enough and none is added or removed.
REQUESTS = 5 * 3600 * HOURS
LOAD: dict[str, Any] = {
    "load": {"kind": "constant", "requests_per_s": 5},
    "request": {
        "cpu_ms_per_request": 12,
        "request_kb": 1,
        "response_kb": 30,
        "requests_per_connection": 6,
        "connection_s": 60,
        "log_bytes_per_request": 200,
    },
    "application": {"image_mb": 100},
    "behavior": {"spot_interruptions_per_task_hour": 0},
}
LOG_GB = REQUESTS * 200 / 1e9
#: 1 kB in and 30 kB out of each request; new connections (5 / 6 / 25) and active ones (5 / 6 × 60 / 3000) are less.
LCU_HOURS = 5 * 31_000 * 3600 / 1e9 * HOURS
EGRESS_GB = REQUESTS * 30_000 / 1e9
COMMON = {
    "alb_hour": HOURS,
    "alb_lcu_hour": LCU_HOURS,
    "internet_egress_gb": EGRESS_GB,
    "logs_ingest_standard_gb": LOG_GB,
}


def by_hand(quantities: dict[str, float], rates: Rates) -> dict[str, float]:
    """Quantities times the first tier's rates, which none of these months leaves."""
    for price, quantity in quantities.items():
        tiers = rates[price].tiers
        assert len(tiers) == 1 or quantity <= tiers[1].begin, price
    return {price: float(Decimal(rates[price].tiers[0].price)) * quantity for price, quantity in quantities.items()}


def check_bill(found: Repriced, quantities: dict[str, float], region: str) -> None:
    """Every line of the bill, no more and no less."""
    expected = by_hand(quantities, load_rates(region))
    assert {line.price: line.effective_cost for line in found.plan.cost} == pytest.approx(expected)
    assert {line.price: line.pricing_quantity for line in found.plan.cost} == pytest.approx(quantities)
    assert found.plan.cost.total_usd == pytest.approx(sum(expected.values()))


def facts_of(found: Repriced) -> dict[str, Any]:
    return {fact.name: fact.value for fact in found.facts}


@pytest.fixture(scope="module")
def article() -> Repriced:
    return reprice(TEMPLATES / "article", Scenario.from_dict(LOAD | {"region": "us-east-1"}))


@pytest.fixture(scope="module")
def private() -> Repriced:
    return reprice(TEMPLATES / "private", Scenario.from_dict(LOAD | {"region": "us-east-1"}))


@pytest.fixture(scope="module")
def isolated() -> Repriced:
    extras = {"flow_log_gb": 10}
    return reprice(TEMPLATES / "isolated.yaml", Scenario.from_dict(LOAD | {"region": "eu-west-1", "extras": extras}))


def test_three_stacks_tied_by_exports(article: Repriced) -> None:
    # One task of 0.25 vCPU and 0.5 GB with a public address, two addresses of the load balancer, two alarms of target tracking; logs are kept a
    # day, and ten images of 100 MB are in ECR of the stack's own region, which the manifest says.
    check_bill(
        article,
        COMMON
        | {
            "fargate_linux_x86_vcpu_hour": HOURS * 0.25,
            "fargate_linux_x86_gb_hour": HOURS * 0.5,
            "public_ipv4_in_use_hour": HOURS * (2 + 1),
            "logs_storage_gb_month": LOG_GB / HOURS * 24 * 1 * 0.15,
            "alarm_standard_month": 2,
            "ecr_storage_gb_month": 10 * 0.1,
        },
        "ca-central-1",
    )
    facts = facts_of(article)
    assert facts["network.layout"] == "public"
    assert facts["network.availability_zones"] == 2
    assert (facts["service.min_capacity"], facts["service.max_capacity"]) == (1, 2)
    assert (facts["application.stop_timeout_s"], facts["application.deregistration_delay_s"]) == (10, 300)
    assert facts["service.deployment"] == {
        "strategy": "ROLLING",
        "minimum_healthy_percent": 50,
        "maximum_percent": 200,
    }
    (policy,) = facts["service.scaling"]
    assert (policy["target_value"], policy["scale_out_cooldown_s"]) == (30, 60)
    assert next(fact for fact in article.facts if fact.name == "service.scaling").sources == ("Count", "Cpu")
    assert facts["application.image"] == "${AWS::AccountId}.dkr.ecr.ca-central-1.amazonaws.com/web:develop"
    flow = [gap for gap in article.not_understood if gap.subject == "extras.flow_log_gb"]
    assert [gap.kind for gap in flow] == [NOT_PRICED]


def test_two_stacks_whose_names_are_a_parameter(private: Repriced) -> None:
    # Two tasks behind two NAT gateways with an address each; the image comes from elsewhere than ECR, and nobody starts a task in such a month.
    check_bill(
        private,
        COMMON
        | {
            "fargate_linux_x86_vcpu_hour": 2 * HOURS * 0.25,
            "fargate_linux_x86_gb_hour": 2 * HOURS * 0.5,
            "public_ipv4_in_use_hour": HOURS * (2 + 2),
            "nat_gateway_hour": HOURS * 2,
            "nat_gateway_gb": LOG_GB,
            "logs_storage_gb_month": LOG_GB / HOURS * 24 * 60 * 0.15,
        },
        "us-east-1",
    )
    facts = facts_of(private)
    assert (facts["network.layout"], facts["network.nat_gateways"]) == ("nat", 2)
    assert facts["service.scaling"] == []
    assert (facts["application.health_check_interval_s"], facts["application.log_retention_days"]) == (6, 60)
    unpriced = {gap.subject: gap.text for gap in private.not_understood if gap.kind == NOT_PRICED}
    assert list(unpriced) == ["Internal"]
    assert "Another load balancer" in unpriced["Internal"]
    taken = [gap.text for gap in private.not_understood if gap.kind == ASSUMED and gap.subject == "cluster"]
    assert len(taken) == 1
    assert "production:PrivateSubnetTwo" in taken[0]


def test_isolated_subnets_with_all_that_stands_around(isolated: Repriced) -> None:
    # Four tasks of 1 vCPU and 2 GB: two of the base and one of the two others on FARGATE, one on FARGATE_SPOT. Four endpoints in two zones. Behind
    # CloudFront, so that nothing goes from the load balancer to the internet. 100 reserved capacity units hold all that is consumed.
    logs_in_s3 = (REQUESTS * 100 / 1e9 / HOURS + 10 * 0.15 / 730) * 24 * 14
    check_bill(
        isolated,
        {
            "fargate_linux_arm_vcpu_hour": 3 * HOURS,
            "fargate_linux_arm_gb_hour": 3 * HOURS * 2,
            "fargate_spot_linux_arm_vcpu_hour": HOURS,
            "fargate_spot_linux_arm_gb_hour": HOURS * 2,
            "fargate_ephemeral_storage_gb_hour": 4 * HOURS * (30 - 20),
            "alb_hour": HOURS,
            "alb_reserved_lcu_hour": HOURS * 100,
            "public_ipv4_in_use_hour": HOURS * 2,
            "vpc_interface_endpoint_hour": HOURS * 4 * 2,
            "vpc_interface_endpoint_gb": LOG_GB,
            "logs_ingest_ia_gb": LOG_GB,
            "logs_storage_gb_month": LOG_GB / HOURS * 24 * 7 * 0.15,
            "logs_delivered_s3_gb": 10,
            "s3_standard_storage_gb_month": logs_in_s3,
            "s3_put_request": 2 * 12 * HOURS,
            "container_insights_enhanced_ecs_metric_month": 37 + 4 * (20 + 2 * 20),
            "alarm_standard_month": 1 + 2 + 1,  # one metric, two of metric math, and that of step scaling
            "alarm_high_res_month": 1,
            "dashboard_month": 1,
            "web_acl_month": 1,
            "web_acl_rule_month": 3,
            "web_acl_request": REQUESTS,
            "cloudfront_https_request:EU": REQUESTS - 10_000_000,
            "cloudfront_to_origin_gb:EU": REQUESTS * 1000 / 1e9,
            "ecr_storage_gb_month": 10 * 0.1,
            "secret_month": 1,
            "kms_key_month": 1,
            "hosted_zone_month": 1,
        },
        "eu-west-1",
    )
    facts = facts_of(isolated)
    assert facts["network.layout"] == "endpoints"
    assert facts["service.deployment"] == {
        "strategy": "CANARY",
        "bake_time_in_minutes": 20,
        "canary_bake_time_in_minutes": 5,
    }
    assert facts["service.capacity_provider_strategy"] == {
        "fargate_base": 2,
        "fargate_weight": 1,
        "fargate_spot_weight": 1,
    }
    (policy,) = facts["service.scaling"]
    assert (policy["threshold"], policy["cooldown_s"], policy["evaluation_periods"]) == (80, 120, 3)
    assert set(facts["application.secrets"]) == {"USER", "PASSWORD"}
    assert facts["application.container_port"] == 9000
    assert [gap.subject for gap in isolated.not_understood if gap.kind == NOT_PRICED] == ["Store"]


def test_a_parameter_decides_what_is_made() -> None:
    scenario = Scenario.from_dict(LOAD | {"region": "eu-west-1", "extras": {"flow_log_gb": 10}})
    without = reprice(TEMPLATES / "isolated.yaml", scenario, {"Firewall": "false"})
    assert not any(line.price.startswith("web_acl") for line in without.plan.cost)
    assert facts_of(without)["extras.waf_rules"] is None


def test_what_differs_from_the_scenario_is_marked() -> None:
    own = {"cpu_units": 256, "memory_mib": 512, "min_capacity": 2, "max_capacity": 2, "scaling": []}
    network = {"layout": "nat", "nat_gateways": 2}
    scenario = Scenario.from_dict(LOAD | {"region": "us-east-1", "service": own, "network": network})
    found = reprice(TEMPLATES / "private", scenario)
    marked = {fact.name for fact in found.differing}
    assert not {name for name in marked if name.startswith("network.")}
    assert {name for name in marked if name.startswith("service.")} == {"service.deployment"}
    deployment = next(fact for fact in found.facts if fact.name == "service.deployment")
    assert deployment.scenario_value["minimum_healthy_percent"] == 100
