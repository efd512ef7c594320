"""What the laws are tried on: rates typed from the price list, and small workloads, candidates, searches, scenarios."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from estimator.planning.promise import Choices
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.service.network import NetworkLayout
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: us-east-1 as AWS lists it (Price List of 2025-09 to 2026-09), typed here: tiers begin at the first figure of a pair.
US_EAST_1 = {
    "alb_hour": "0.0225",
    "alb_lcu_hour": "0.008",
    "fargate_ephemeral_storage_gb_hour": "0.000111",
    "fargate_linux_arm_gb_hour": "0.00356",
    "fargate_linux_arm_vcpu_hour": "0.03238",
    "fargate_linux_x86_gb_hour": "0.004445",
    "fargate_linux_x86_vcpu_hour": "0.04048",
    "fargate_spot_linux_arm_gb_hour": "0.00113349",
    "fargate_spot_linux_arm_vcpu_hour": "0.01030969",
    "fargate_spot_linux_x86_gb_hour": "0.00141493",
    "fargate_spot_linux_x86_vcpu_hour": "0.01288561",
    "fargate_windows_gb_hour": "0.00511175",
    "fargate_windows_os_license_vcpu_hour": "0.046",
    "fargate_windows_vcpu_hour": "0.046552",
    "inter_az_gb": "0.01",
    "internet_egress_gb": ((0, "0.09"), (10_240, "0.085"), (51_200, "0.07"), (153_600, "0.05")),
    "logs_ingest_standard_gb": "0.5",
    "nat_gateway_gb": "0.045",
    "nat_gateway_hour": "0.045",
    "public_ipv4_in_use_hour": "0.005",
    "vpc_interface_endpoint_gb": ((0, "0.01"), (1_048_576, "0.006"), (5_242_880, "0.004")),
    "vpc_interface_endpoint_hour": "0.01",
    "alb_reserved_lcu_hour": "0.008",
    "alb_trust_store_hour": "0.005",
    "alarm_standard_month": "0.1",
    "alarm_high_res_month": "0.3",
    "custom_metric_month": ((0, "0.3"), (10000, "0.1"), (250000, "0.05"), (1000000, "0.02")),
    "container_insights_enhanced_ecs_metric_month": "0.07",
    "dashboard_month": "3",
    "logs_storage_gb_month": "0.03",
    "logs_ingest_ia_gb": "0.25",
    "logs_insights_scanned_gb": "0.005",
    "logs_ingest_vended_ia_gb": ((0, "0.25"), (10240, "0.15"), (30720, "0.075"), (51200, "0.05")),
    "logs_delivered_s3_gb": ((0, "0.25"), (10240, "0.15"), (30720, "0.075"), (51200, "0.05")),
    "s3_standard_storage_gb_month": ((0, "0.023"), (51200, "0.022"), (512000, "0.021")),
    "s3_put_request": "0.000005",
    "logs_ingest_vended_gb": ((0, "0.5"), (10240, "0.25"), (30720, "0.1"), (51200, "0.05")),
    "web_acl_month": "5",
    "web_acl_rule_month": "1",
    "web_acl_request": "0.0000006",
    "ecr_storage_gb_month": "0.1",
    "secret_month": "0.4",
    "secret_api_request": "0.000005",
    "kms_key_month": "1",
    "kms_request": "0.000003",
    "hosted_zone_month": ((0, "0.5"), (25, "0.1")),
    "dns_query_standard": ((0, "0.0000004"), (1000000000, "0.0000002")),
    "cloudfront_internet_egress_gb:US": (
        (0, "0.085"),
        (10240, "0.08"),
        (51200, "0.06"),
        (153600, "0.04"),
        (512000, "0.03"),
        (1048576, "0.025"),
        (5242880, "0.02"),
    ),
    "cloudfront_https_request:US": "0.000001",
    "cloudfront_http_request:US": "0.00000075",
    "cloudfront_to_origin_gb:US": "0.02",
    "cloudfront_plan_month:pro": "15",
    "cloudfront_plan_month:business": "200",
    "cloudfront_plan_month:premium_50_tb": "1000",
}
SIZES = [(256, 512), (256, 1024), (512, 1024), (1024, 2048), (2048, 4096)]


def rates_of(prices=US_EAST_1, region="us-east-1", factor=1.0):
    """Make rates in Python; every price times the factor."""
    known = {}
    for name, price in prices.items():
        pairs = ((0, price),) if isinstance(price, str) else price
        tiers = tuple(Tier(float(begin), usd if factor == 1 else repr(float(usd) * factor)) for begin, usd in pairs)
        known[name] = Rate(name, PRICES[name].unit, tiers, usage_type=PRICES[name].query.usage_type_in(region))
    return Rates(region, known)


@st.composite
def loads(draw):
    """One to four hours in steps of ten minutes."""
    hours = draw(st.integers(1, 4))
    levels = st.one_of(st.just(0.0), st.floats(0.1, 200.0))
    return LoadProfile(draw(st.lists(levels, min_size=6 * hours, max_size=6 * hours)), 600)


@st.composite
def workloads(draw):
    return Workload(
        draw(loads()),
        cpu_ms_per_request=draw(st.floats(1, 60)),
        request_kb=draw(st.floats(0, 20)),
        response_kb=draw(st.floats(0, 100)),
        requests_per_connection=draw(st.floats(1, 50)),
        connection_s=draw(st.floats(0, 300)),
        rules_evaluated_per_request=draw(st.floats(0, 40)),
        log_bytes_per_request=draw(st.floats(0, 2000)),
        outbound_sent_kb_per_request=draw(st.floats(0, 5)),
        outbound_received_kb_per_request=draw(st.floats(0, 5)),
    )


def fitting(workload, spec):
    """The workload without the bytes outbound for which an endpoints layout has no way."""
    if spec.network.layout != "endpoints":
        return workload
    return replace(workload, outbound_sent_kb_per_request=0.0, outbound_received_kb_per_request=0.0)


@st.composite
def specs(draw):
    minimum = draw(st.integers(1, 6))
    layout = draw(st.sampled_from(["public", "nat", "endpoints", "ipv6"]))
    return ServiceSpec(
        TaskSize(*draw(st.sampled_from(SIZES))),
        draw(st.sampled_from(["X86_64", "ARM64"])),
        minimum,
        minimum + draw(st.integers(0, 20)),
        TargetTrackingScalingPolicy(
            float(draw(st.integers(30, 90))),
            draw(st.sampled_from([0, 60, 300])),
            draw(st.sampled_from([0, 60, 300])),
            draw(st.booleans()),
        ),
        NetworkLayout.of(layout, draw(st.integers(2, 3)), load_balancer_ipv4=draw(st.booleans())),
        draw(st.sampled_from(["FARGATE", "FARGATE_SPOT"])),
        draw(st.sampled_from([20, 21, 100])),
    )


@st.composite
def choices(draw):
    """A narrow search with no more than 2 x 2 x 2 candidates for each size."""
    architectures = draw(st.lists(st.sampled_from(["X86_64", "ARM64"]), min_size=1, max_size=2, unique=True))
    targets = draw(st.lists(st.sampled_from([40.0, 60.0, 80.0]), min_size=1, max_size=2, unique=True))
    minimums = draw(st.lists(st.integers(2, 5), min_size=1, max_size=2, unique=True))
    return Choices(tuple(architectures), "FARGATE", tuple(targets), tuple(minimums), 30)


@st.composite
def scenario_documents(draw):
    """Valid documents as plain values."""
    rate = st.floats(0, 1e6)
    peak = draw(rate)
    daily = {"peak_requests_per_s": peak, "trough_requests_per_s": peak * draw(st.floats(0, 1)), "peak_hour": 3.5}
    load = draw(
        st.sampled_from(
            [
                {"kind": "constant", "requests_per_s": peak},
                {"kind": "daily", **daily},
                {"kind": "weekly", **daily, "weekend_factor": 0.5},
                {"kind": "csv", "path": "a b.csv", "gaps": "zero", "scale": 2.0},
            ]
        )
    )
    document = {
        "region": draw(st.sampled_from(["eu-west-1", "us-east-1", "ap-southeast-3"])),
        "load": load,
        "request": {"cpu_ms_per_request": draw(st.floats(0.001, 1e6)), "response_kb": draw(rate)},
        "hours_per_month": draw(st.integers(1, 744)),
    }
    text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
    if draw(st.booleans()):
        document["application"] = {"environment": {"GREETING": draw(text), "EMPTY": "", "YES": "yes", "N": "010"}}
    if draw(st.booleans()):
        document["promise"] = {"p95_latency_ms": draw(st.none() | st.floats(0.001, 600_000)), "min_tasks": None}
    if draw(st.booleans()):
        document["search"] = {"target_values": draw(st.lists(st.floats(1, 100), min_size=1, max_size=4))}
    if draw(st.booleans()):
        document["service"] = {"cpu_units": 512, "memory_mib": 2048, "disable_scale_in": draw(st.booleans())}
    if draw(st.booleans()):
        services = st.sampled_from(["*", "AmazonECS", "AWSELB", "FargateSpot"])
        document["prices"] = {
            "as_of": draw(st.none() | st.dates().map(str)),
            "overrides": draw(st.none() | st.just("own prices.csv")),
            "discounts_percent": draw(st.dictionaries(services, st.floats(0, 100, exclude_max=True))),
            "fargate_spot_ratio": draw(st.none() | st.floats(0, 1, exclude_min=True)),
        }
    return document


def nearly(a, b, part=1e-9):
    return math.isclose(a, b, rel_tol=part, abs_tol=1e-9) or (np.isinf(a) and np.isinf(b))
