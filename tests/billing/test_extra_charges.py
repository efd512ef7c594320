"""The lines around a service by hand: logs, metrics and alarms, edge, images and secrets."""

from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import price_month
from estimator.billing.extra_charges import billed_egress_gb, viewer_traffic
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
    # Four tasks a day are deployed, each reads for every variable.
    assert found["secret_requests"] == pytest.approx(4 * 3 * 730 / 24)
    assert (found["kms_keys"], found["hosted_zones"]) == (2, 1)
    elsewhere = replace(application, image="nginx:1.29")
    assert "ecr_storage" not in quantities(application=elsewhere)


def test_keys_of_one_secret_are_one_secret():
    """A reference may name a JSON key, a version stage and a version behind the secret's name."""
    arn = "arn:aws:secretsmanager:us-east-1:1:secret:database-AbCdEf"
    secrets = {"USER": f"{arn}:user::", "PASSWORD": f"{arn}:password:AWSCURRENT:", "ALL": arn, "OTHER": f"{arn}2"}
    assert quantities(application=Application(secrets=secrets))["secrets"] == 2


def test_no_two_charges_share_a_price():
    """Tiers count the whole month, so that a second line would begin at the first tier again."""
    prices = [charge.price for charge in CHARGES.values()]
    assert sorted(prices) == sorted(set(prices))


def test_mutual_tls_has_a_trust_store():
    assert quantities(work=replace(WORK, mutual_tls=True))["alb_trust_store"] == 730


def test_many_candidates_at_once():
    specs = [
        ServiceSpec(TaskSize(1024, 2048), scaling=policy)
        for policy in (TargetTrackingScalingPolicy(60), StepScalingPolicy(70))
    ]
    month = BilledMonth(WORK, simulate(WORK, specs), Application(), region="us-east-1")
    np.testing.assert_array_equal(price_month(month, RATES).quantity["alarms"], [2, 1])


# CloudFront: uploads, HTTP, flat-rate plans.

FRONT = replace(WORK, behind_cloudfront=True, cloudfront_hit_ratio=0.9)


def usd(found, names):
    return sum(float(RATES[CHARGES[name].price].cost(found[name])) for name in names)


def test_uploads_through_cloudfront_are_the_request_bytes_that_reach_the_origin():
    """26.28 million requests of 1 kB that are no hits: 26.28 GB at 2 cents; AWS bills POST, PUT and the like alone."""
    found = quantities(work=FRONT)
    assert found["cloudfront_to_origin:US"] == pytest.approx(26.28)
    assert usd(found, ["cloudfront_to_origin:US"]) == pytest.approx(0.5256)
    some = quantities(Extras(cloudfront_upload_share=0.25, cloudfront_edges={"IN": 0.4, "SA": 0.6}), FRONT)
    assert some["cloudfront_to_origin:IN"] == pytest.approx(26.28 * 0.25 * 0.4)
    assert some["cloudfront_to_origin:SA"] == pytest.approx(26.28 * 0.25 * 0.6)
    assert not [name for name in quantities() if name.startswith("cloudfront_")]
    assert not [name for name in quantities(Extras(cloudfront_upload_share=0), FRONT) if "to_origin" in name]


def test_http_requests_cost_less_than_https():
    """Of 262.8 million less 10 million free a quarter at $0.75 a million, the rest at $1."""
    found = quantities(Extras(cloudfront_http_share=0.25), FRONT)
    assert found["cloudfront_http_requests:US"] == pytest.approx(63.2e6)
    assert found["cloudfront_requests:US"] == pytest.approx(189.6e6)
    assert usd(found, ["cloudfront_http_requests:US", "cloudfront_requests:US"]) == pytest.approx(47.40 + 189.60)
    plain = quantities(Extras(cloudfront_http_share=1, cloudfront_free_tier=False), FRONT)
    assert plain["cloudfront_http_requests:US"] == pytest.approx(262.8e6)
    assert "cloudfront_requests:US" not in plain


@pytest.mark.parametrize(
    ("plan", "premium_tb", "line", "price"),
    [
        ("free", None, None, 0),
        ("pro", None, "cloudfront_plan:pro", 15),
        ("business", None, "cloudfront_plan:business", 200),
        ("premium", None, "cloudfront_plan:premium_50_tb", 1000),
        ("premium", 200, "cloudfront_plan:premium_200_tb", 3500),
    ],
)
def test_a_flat_rate_plan_is_one_line_in_place_of_many(plan, premium_tb, line, price):
    around = {"waf_rules": 4, "hosted_zones": 3, "dns_queries": 1e6}
    found = quantities(Extras(cloudfront_plan=plan, cloudfront_premium_tb=premium_tb, **around), FRONT)
    edge = [name for name in found if name.startswith(("cloudfront", "web_acl", "dns"))]
    assert edge == ([line] if line else [])
    assert usd(found, edge) == price
    # One zone is the plan's.
    assert found["hosted_zones"] == 2
    as_used = quantities(Extras(**around), FRONT)
    assert {"web_acl", "web_acl_rules", "web_acl_requests", "dns_queries", "cloudfront_egress:US"} <= set(as_used)
    assert as_used["hosted_zones"] == 3
    # The rest of the bill does not know of it.
    rest = set(found) - {*edge, "hosted_zones"}
    assert {name: found[name] for name in rest} == {name: as_used[name] for name in rest}


def test_the_level_of_premium_follows_the_months_traffic():
    # 2,628 million requests are more than the 2 billion of 200 TB.
    busy = replace(FRONT, load=LoadProfile.constant(1000))
    assert quantities(Extras(cloudfront_plan="premium"), busy)["cloudfront_plan:premium_350_tb"] == 1
    # 262.8 million of 1 MB are 262,800 GB, more than the 204,800 of 200 TB.
    heavy = replace(FRONT, response_kb=1000)
    assert quantities(Extras(cloudfront_plan="premium"), heavy)["cloudfront_plan:premium_350_tb"] == 1
    assert viewer_traffic(heavy, 730) == pytest.approx((262.8e6, 262_800))
    assert viewer_traffic(replace(heavy, compression_ratio=0.5), 365) == pytest.approx((131.4e6, 65_700))


def test_without_cloudfront_there_is_no_plan():
    assert quantities(Extras(cloudfront_plan="pro", waf_rules=1)) == quantities(Extras(waf_rules=1))


# Data transfer, logs in S3, flow logs, performance logs.


def month_of(extras, work=WORK, region="us-east-1"):
    return BilledMonth(work, simulate(work, [SPEC]), Application(), 730, region, AwsBehavior(), extras)


def test_the_accounts_free_egress():
    """AWS: 100 GB a month; 262.8 million responses of 10 kB are 2,628 GB."""
    assert billed_egress_gb(month_of(Extras())) == pytest.approx(2628)
    assert billed_egress_gb(month_of(Extras(free_egress=True))) == pytest.approx(2528)
    assert billed_egress_gb(month_of(Extras(free_egress=True), region="us-gov-west-1")) == pytest.approx(2628)
    # 26.28 GB are less than what is free.
    assert billed_egress_gb(month_of(Extras(free_egress=True), replace(WORK, response_kb=0.1))) == 0
    # Behind CloudFront only the tasks' own calls leave for the internet.
    calls = replace(FRONT, outbound_sent_kb_per_request=5)
    assert billed_egress_gb(month_of(Extras(free_egress=True), calls)) == pytest.approx(131.4 - 100)


def test_access_logs_are_stored_in_s3():
    """26.28 GB a month, 0.864 a day for 30 days at 2.3 cents."""
    found = quantities(Extras(alb_access_logs=True))
    assert found["s3_log_storage"] == pytest.approx(0.864 * 30)
    assert usd(found, ["s3_log_storage"]) == pytest.approx(0.59616)
    year = quantities(Extras(alb_access_logs=True, s3_log_retention_days=365))
    assert year["s3_log_storage"] == pytest.approx(0.864 * 365)
    # CloudFront's hits do not reach the load balancer.
    assert quantities(Extras(alb_access_logs=True), FRONT)["s3_log_storage"] == pytest.approx(0.0864 * 30)
    assert "s3_log_storage" not in quantities()


def test_access_logs_as_aws_reckons_them():
    """AWS's Clickstream Analytics solution, page "Cost": 100 requests/s write 165 GB a month, $3.8 of S3."""
    found = quantities(Extras(alb_access_logs=True, access_log_bytes_per_request=165e9 / (100 * 30 * 86_400)))
    assert found["s3_log_storage"] == pytest.approx(165)
    assert usd(found, ["s3_log_storage"]) == pytest.approx(3.8, abs=0.01)


def test_an_access_log_file_for_each_node_in_five_minutes():
    """Two nodes x 12 x 730 files at half a cent a thousand; a file has an entry."""
    found = quantities(Extras(alb_access_logs=True))
    assert found["s3_log_requests"] == 2 * 12 * 730
    assert usd(found, ["s3_log_requests"]) == pytest.approx(0.0876)
    quiet = replace(WORK, load=LoadProfile.constant(0.001))
    assert quantities(Extras(alb_access_logs=True), quiet)["s3_log_requests"] == pytest.approx(2628)


def test_flow_logs_to_s3_as_in_awss_example():
    """AWS, CloudWatch pricing, example: 72 TB of flow logs to S3 for $8,294.40, without S3's own."""
    found = quantities(Extras(flow_log_gb=73_728, flow_log_destination="s3"))
    assert usd(found, ["flow_logs_s3"]) == pytest.approx(8294.40)
    assert {"flow_logs", "flow_logs_ia"}.isdisjoint(found)
    # A 730-hour month has 730 / 24 days; 30 of them are kept, packed to 15 %.
    assert found["s3_log_storage"] == pytest.approx(73_728 / 730 * 24 * 30 * 0.15)
    both = quantities(Extras(flow_log_gb=730, flow_log_destination="s3", alb_access_logs=True))
    assert both["s3_log_storage"] == pytest.approx(24 * 30 * 0.15 + 0.864 * 30)


def test_flow_logs_have_a_log_class_of_their_own():
    found = quantities(Extras(flow_log_gb=730, flow_log_class="INFREQUENT_ACCESS"))
    assert found["flow_logs_ia"] == 730
    assert usd(found, ["flow_logs_ia"]) == pytest.approx(182.50)
    assert {"flow_logs", "flow_logs_s3", "logs_ingestion_ia", "s3_log_storage"}.isdisjoint(found)
    plain = quantities(Extras(flow_log_gb=730, log_class="INFREQUENT_ACCESS"))
    assert usd(plain, ["flow_logs"]) == pytest.approx(365)
    # 24 GB a day beside the 8.64 of the tasks, for as long.
    assert found["logs_storage"] == plain["logs_storage"] == pytest.approx((24 + 8.64) * 30 * 0.15)


def test_container_insights_writes_a_log():
    """Four tasks for 43,800 minutes: AWS's example events of a task and its container have 2.1 kB."""
    log_gb = quantities()["logs_ingestion"]
    found = quantities(Extras(container_insights="enabled"))
    written_gb = found["logs_ingestion"] - log_gb
    assert written_gb == pytest.approx(4 * 43_800 * 2100 / 1e9)
    assert 0.5 * written_gb == pytest.approx(0.18396)
    assert quantities(Extras(container_insights="enhanced"))["logs_ingestion"] == log_gb
    # It is of the standard class, whatever the class of the application's own log.
    rare = quantities(Extras(container_insights="enabled", log_class="INFREQUENT_ACCESS"))
    assert rare["logs_ingestion"] == pytest.approx(written_gb)
    assert rare["logs_ingestion_ia"] == pytest.approx(log_gb)
