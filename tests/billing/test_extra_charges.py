"""The lines around a service by hand: logs, metrics and alarms, edge, images and secrets."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.costing import price_month
from estimator.billing.month import BilledMonth
from estimator.pricing.snapshots import load_rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.policies import (
    ECS_CPU_20S,
    ECS_MEMORY,
    PredictiveScalingPolicy,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

RATES = load_rates("us-east-1")
#: 100 requests/s: 262.8 million in 730 hours.
WORK = Workload(LoadProfile.constant(100), cpu_ms_per_request=10, log_bytes_per_request=1000, response_kb=10)
SPEC = ServiceSpec(TaskSize(1024, 2048), min_capacity=4, max_capacity=4)


def quantities(extras=None, work=WORK, spec=SPEC, application=None, operations=None):
    application = application or Application()
    run = simulate(work, [spec], application, operations=operations)
    month = BilledMonth(work, run, application, 730, "us-east-1", AwsBehavior(), extras or Extras())
    return {name: float(amount[0]) for name, amount in price_month(month, RATES).quantity.items()}


def cost(found, *names):
    prices = {"logs_ingestion": "logs_ingest_standard_gb", "logs_storage": "logs_storage_gb_month"}
    return sum(float(RATES[prices.get(name, name)].cost(found[name])) for name in names)


def test_a_kilobyte_of_log_for_each_of_100_requests_a_second():
    """263 GB a month for $131 (a surprise that is often told), and a month of them stored at 15 %."""
    found = quantities()
    assert found["logs_ingestion"] == pytest.approx(262.8)
    assert cost(found, "logs_ingestion") == pytest.approx(131.40)
    # 8.64 GB a day for 30 days, compressed.
    assert found["logs_storage"] == pytest.approx(8.64 * 30 * 0.15)
    assert cost(found, "logs_storage") == pytest.approx(1.1664)
    long = quantities(application=Application(log_retention_days=365))
    assert long["logs_storage"] == pytest.approx(8.64 * 365 * 0.15)


def test_the_infrequent_access_class_is_half_the_price():
    found = quantities(Extras(log_class="INFREQUENT_ACCESS"))
    assert "logs_ingestion" not in found
    assert float(RATES["logs_ingest_ia_gb"].cost(found["logs_ingestion_ia"])) == pytest.approx(65.70)


@pytest.mark.parametrize(
    ("scaling", "standard", "fine", "metrics"),
    [
        ((), 0, 0, 0),
        ((TargetTrackingScalingPolicy(60),), 2, 0, 0),
        (
            (TargetTrackingScalingPolicy(60), TargetTrackingScalingPolicy(70, predefined_metric_type=ECS_MEMORY)),
            4,
            0,
            0,
        ),
        ((TargetTrackingScalingPolicy(60, predefined_metric_type=ECS_CPU_20S),), 0, 2, 2),
        ((StepScalingPolicy(70), TargetTrackingScalingPolicy(60)), 3, 0, 0),
        ((PredictiveScalingPolicy(60), TargetTrackingScalingPolicy(60)), 2, 0, 0),
    ],
)
def test_alarms_are_those_that_the_policies_have(scaling, standard, fine, metrics):
    spec = ServiceSpec(TaskSize(1024, 2048), scaling=scaling)
    found = quantities(spec=spec)
    assert found.get("alarms", 0) == standard
    assert found.get("high_resolution_alarms", 0) == fine
    assert found.get("custom_metrics", 0) == metrics
    # 10 cents and 30 cents a month.
    usd = float(RATES["alarm_standard_month"].cost(standard) + RATES["alarm_high_res_month"].cost(fine))
    assert usd == pytest.approx(0.1 * standard + 0.3 * fine)
    own = quantities(Extras(standard_alarms=3, high_resolution_alarms=1), spec=spec)
    assert (own["alarms"], own["high_resolution_alarms"]) == (standard + 3, fine + 1)
    free = quantities(Extras(managed_alarms_billed=False), spec=spec)
    assert free.get("alarms", 0) == sum(isinstance(policy, StepScalingPolicy) for policy in scaling)


def test_container_insights_by_metric():
    # 37 metrics of a cluster, a service and a family: $11.10.
    found = quantities(Extras(container_insights="enabled"))
    assert found["custom_metrics"] == 37
    assert float(RATES["custom_metric_month"].cost(37)) == pytest.approx(11.10)
    # Four tasks all month with two containers each.
    found = quantities(Extras(container_insights="enhanced", containers_per_task=2))
    assert found["enhanced_metrics"] == pytest.approx(37 + 4 * (20 + 2 * 20))
    assert "custom_metrics" not in found


def test_a_reservation_is_paid_whole_and_what_is_above_it():
    """AWS: what is reserved is billed in every hour, and usage above it on top."""
    plain = quantities()["alb_lcu_hour"] / 730
    reserved = quantities(Extras(reserved_lcu=100))
    assert reserved["alb_reserved_lcu"] == 100 * 730
    assert "alb_lcu_hour" not in reserved
    # AWS: at least $584 a month.
    assert float(RATES["alb_reserved_lcu_hour"].cost(73_000)) == pytest.approx(584.0)
    busy = replace(WORK, load=LoadProfile.constant(100 * 130 / plain))
    assert quantities(Extras(reserved_lcu=100), busy)["alb_lcu_hour"] == pytest.approx(30 * 730)


def test_a_firewall_by_acl_rule_and_request():
    """$5, $1 a rule and $0.60 a million."""
    found = quantities(Extras(waf_rules=3))
    usd = sum(
        float(RATES[price].cost(found[name]))
        for name, price in (
            ("web_acl", "web_acl_month"),
            ("web_acl_rules", "web_acl_rule_month"),
            ("web_acl_requests", "web_acl_request"),
        )
    )
    assert usd == pytest.approx(5 + 3 + 0.6 * 262.8)
    assert "web_acl" not in quantities()


def test_cloudfront_takes_over_what_leaves_for_viewers():
    front = replace(WORK, behind_cloudfront=True, cloudfront_hit_ratio=0.9)
    found = quantities(work=front)
    assert "internet_egress" not in found
    # 2,628 GB less 1 TB, 262.8 million requests less 10 million.
    assert found["cloudfront_egress:US"] == pytest.approx(2628 - 1024)
    assert found["cloudfront_requests:US"] == pytest.approx(252.8e6)
    assert float(RATES["cloudfront_internet_egress_gb:US"].cost(2628 - 1024)) == pytest.approx(0.085 * 1604)
    assert float(RATES["cloudfront_https_request:US"].cost(252.8e6)) == pytest.approx(252.80)
    halves = quantities(Extras(cloudfront_edges={"US": 0.5, "EU": 0.5}, cloudfront_free_tier=False), front)
    assert halves["cloudfront_egress:EU"] == halves["cloudfront_egress:US"] == pytest.approx(1314)
    # The firewall at the load balancer sees the misses alone.
    assert quantities(Extras(waf_rules=0), front)["web_acl_requests"] == pytest.approx(26.28e6)


def test_images_secrets_keys_and_names():
    secrets = {"A": "arn:aws:secretsmanager:us-east-1:1:secret:a", "B": "arn:aws:secretsmanager:us-east-1:1:secret:b",
               "C": "arn:aws:secretsmanager:us-east-1:1:secret:a"}  # fmt: skip
    application = Application(image_mb=500, secrets=secrets)
    deploys = Operations(("cron(0 10 * * ? *)",))
    found = quantities(Extras(ecr_images=6, kms_keys=2, hosted_zones=1), application=application, operations=deploys)
    assert found["ecr_storage"] == pytest.approx(3)
    assert found["secrets"] == 2
    # Four tasks a day are deployed, each reads both.
    assert found["secret_requests"] == pytest.approx(4 * 2 * 730 / 24)
    assert (found["kms_keys"], found["hosted_zones"]) == (2, 1)
    elsewhere = replace(application, image="nginx:1.29")
    assert "ecr_storage" not in quantities(application=elsewhere)


def test_mutual_tls_has_a_trust_store():
    assert quantities(work=replace(WORK, mutual_tls=True))["alb_trust_store"] == 730


def test_many_candidates_at_once():
    specs = [
        ServiceSpec(TaskSize(1024, 2048), scaling=policy)
        for policy in (TargetTrackingScalingPolicy(60), StepScalingPolicy(70))
    ]
    month = BilledMonth(WORK, simulate(WORK, specs), Application(), region="us-east-1")
    np.testing.assert_array_equal(price_month(month, RATES).quantity["alarms"], [2, 1])
