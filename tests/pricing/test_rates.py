"""Tiers against hand arithmetic, usage types, and what is said of a rate that is not known."""

import datetime as dt

import numpy as np
import pytest

from estimator.errors import EstimatorError, InvalidScenario, PriceListUnavailable, RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rate, RateQuery, Rates, Tier, require_region
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates

# AWS's us-east-1 tiers of data transfer out: 10 TB, the next 40, the next 100, the rest (1 TB is 1,024 GB).
EGRESS = Rate(
    "internet_egress_gb",
    "GB",
    (Tier(0, "0.09"), Tier(10_240, "0.085"), Tier(51_200, "0.07"), Tier(153_600, "0.05")),
)


@pytest.mark.parametrize(
    ("gb", "usd"),
    [
        (0, 0.0),
        (1, 0.09),
        (100, 9.0),
        (10_240, 921.6),  # 10240 x 0.09
        (10_241, 921.685),  # + 1 x 0.085
        (18_000, 1581.2),  # 921.6 + 7760 x 0.085 = 921.6 + 659.6
        (51_200, 4403.2),  # 921.6 + 40960 x 0.085 = 921.6 + 3481.6
        (51_201, 4403.27),
        (153_600, 11_571.2),  # 4403.2 + 102400 x 0.07 = 4403.2 + 7168
        (200_000, 13_891.2),  # 11571.2 + 46400 x 0.05 = 11571.2 + 2320
    ],
)
def test_each_unit_costs_the_price_of_its_tier(gb, usd):
    assert EGRESS.cost(gb) == pytest.approx(usd, rel=1e-12)


def test_cost_keeps_the_shape_and_equals_the_scalars():
    amounts = np.array([[0.0, 5.0, 10_240.0], [10_241.0, 60_000.0, 1e7]])
    together = EGRESS.cost(amounts)
    assert together.shape == (2, 3)
    assert together.tolist() == [[float(EGRESS.cost(x)) for x in row] for row in amounts]


def test_cost_is_continuous_and_never_falls():
    for tier in EGRESS.tiers[1:]:
        below, above = EGRESS.cost([tier.begin - 1e-6, tier.begin + 1e-6])
        assert 0 < above - below < 1e-6
    assert (np.diff(EGRESS.cost(np.linspace(0, 300_000, 1001))) > 0).all()


def test_a_free_first_tier():
    rate = Rate("x", "GB", (Tier(0, "0"), Tier(100, "0.09")))
    assert rate.cost([99, 100, 101]).tolist() == pytest.approx([0, 0, 0.09])


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        (Tier(1, "0.1"),),
        (Tier(0, "0.1"), Tier(0, "0.2")),
        (Tier(0, "0.1"), Tier(10, "0.2"), Tier(5, "0.3")),
        (Tier(-5, "0.1"), Tier(0, "0.2")),
        (Tier(float("nan"), "0.1"),),
        (Tier(0, "-0.1"),),
        (Tier(0, "free"),),
        (Tier(0, "NaN"),),
        (Tier(0, "Infinity"),),
        (Tier(0, ""),),
    ],
)
def test_tiers_that_are_none(tiers):
    with pytest.raises(PriceListUnavailable, match="alb_hour"):
        Rate("alb_hour", "Hrs", tiers)


def test_tiers_to_read():
    assert EGRESS.tiers_text() == "0.09, from 10,240 on 0.085, from 51,200 on 0.07, from 153,600 on 0.05"
    # A tier that a quantity does not reach, or only touches, is left out.
    assert EGRESS.tiers_text(10_240) == "0.09"
    assert EGRESS.tiers_text(10_241) == "0.09, from 10,240 on 0.085"


# AWS, "Region billing codes", and usage types of the price list.
@pytest.mark.parametrize(
    ("price", "region", "usage_type"),
    [
        ("fargate_linux_x86_vcpu_hour", "us-east-1", "USE1-Fargate-vCPU-Hours:perCPU"),
        ("fargate_linux_x86_gb_hour", "eu-west-1", "EU-Fargate-GB-Hours"),
        ("fargate_linux_arm_gb_hour", "ap-south-1", "APS3-Fargate-ARM-GB-Hours"),
        ("fargate_ephemeral_storage_gb_hour", "ap-southeast-1", "APS1-Fargate-EphemeralStorage-GB-Hours"),
        ("fargate_linux_x86_gb_hour", "ap-southeast-3", "APS4-Fargate-GB-Hours"),
        ("alb_hour", "us-east-1", "LoadBalancerUsage"),
        ("alb_lcu_hour", "us-east-1", "LCUUsage"),
        ("alb_hour", "eu-west-1", "EU-LoadBalancerUsage"),
        ("alb_lcu_hour", "us-gov-west-1", "UGW1-LCUUsage"),
        ("nat_gateway_hour", "us-east-1", "NatGateway-Hours"),
        ("nat_gateway_gb", "sa-east-1", "SAE1-NatGateway-Bytes"),
        ("internet_egress_gb", "us-east-1", "DataTransfer-Out-Bytes"),
        ("internet_egress_gb", "eu-central-1", "EUC1-DataTransfer-Out-Bytes"),
        ("public_ipv4_in_use_hour", "us-east-1", "USE1-PublicIPv4:InUseAddress"),
        ("vpc_interface_endpoint_hour", "us-east-1", "USE1-VpcEndpoint-Hours"),
        ("logs_ingest_standard_gb", "ca-central-1", "CAN1-DataProcessing-Bytes"),
        ("custom_metric_month", "us-east-1", "CW:MetricMonitorUsage"),
        ("custom_metric_month", "eu-west-1", "EU-CW:MetricMonitorUsage"),
        ("ecr_storage_gb_month", "us-east-1", "TimedStorage-ByteHrs"),
        ("kms_key_month", "us-east-1", "us-east-1-KMS-Keys"),
        ("inter_region_out_gb:to_EU", "us-east-1", "USE1-EU-AWS-Out-Bytes"),
        ("inter_region_out_gb:to_APS1", "ap-south-1", "APS3-APS1-AWS-Out-Bytes"),
        ("web_acl_month", "us-east-1", "USE1-WebACLV2"),
        ("secret_month", "eu-west-1", "EU-AWSSecretsManager-Secrets"),
        ("cloudfront_https_request:EU", "ap-south-1", "EU-Requests-Tier2-HTTPS"),
        ("hosted_zone_month", "eu-west-1", "HostedZone"),
    ],
)
def test_usage_types(price, region, usage_type):
    assert PRICES[price].query.usage_type_in(region) == usage_type


def test_spellings_where_sources_differ():
    query = PRICES["alarm_metrics_insights_month"].query
    assert query.usage_types_in("us-east-1") == ("USE1-CW:MetricInsightAlarmUsage", "CW:MetricInsightAlarmUsage")
    assert query.usage_types_in("eu-west-1") == ("EU-CW:MetricInsightAlarmUsage",)


@pytest.mark.parametrize("percent", [0.0, 7.5, 100.0])
def test_a_private_discount_comes_off_the_cost_and_not_off_the_list(percent):
    rate = Rate("internet_egress_gb", "GB", EGRESS.tiers, discount_percent=percent)
    assert rate.list_cost(18_000) == EGRESS.cost(18_000)
    assert rate.cost(18_000) == pytest.approx(1581.2 * (1 - percent / 100), abs=1e-9)
    assert rate.tiers_text() == EGRESS.tiers_text()


def test_when_a_rate_was_last_seen():
    tiers, day, later = (Tier(0, "1"),), dt.date(2025, 10, 27), dt.date(2026, 9, 11)
    assert Rate("alb_hour", "Hrs", tiers).last_seen is None
    assert Rate("alb_hour", "Hrs", tiers, published=day).last_seen == day
    assert Rate("alb_hour", "Hrs", tiers, published=day, checked=later).last_seen == later


def test_a_global_price_has_no_prefix():
    query = RateQuery("AmazonCloudFront", "Requests", is_global=True)
    assert query.usage_type_in("eu-west-1") == query.usage_type_in("global") == "Requests"


def test_prefixes_are_unique():
    assert len({region.prefix for region in REGIONS.values()}) == len(REGIONS) == 36


def test_an_unknown_rate_says_which_where_and_what_to_do():
    rates = load_rates("ap-southeast-3")
    assert "fargate_spot_linux_x86_vcpu_hour" not in rates
    with pytest.raises(RateNotFound) as caught:
        rates["fargate_spot_linux_x86_vcpu_hour"]
    for part in (
        "fargate_spot_linux_x86_vcpu_hour",
        "APS4-SpotUsage-Fargate-vCPU-Hours:perCPU",
        "ap-southeast-3",
        "ap-southeast-3.json",
        "estimator prices show --region ap-southeast-3",
    ):
        assert part in str(caught.value)
    assert isinstance(caught.value, EstimatorError)
    assert isinstance(caught.value, LookupError)
    assert caught.value.price == "fargate_spot_linux_x86_vcpu_hour"


def test_a_rate_is_never_zero_for_want_of_knowledge():
    rates = Rates("eu-west-1", {})
    assert len(rates) == 0
    for price in PRICES:
        with pytest.raises(RateNotFound, match="eu-west-1"):
            rates[price]


@pytest.mark.parametrize(
    ("region", "hint"), [("eu-west1", "eu-west-1"), ("EU-WEST-1", "priced regions"), ("", "priced regions")]
)
def test_a_region_that_is_none(region, hint):
    for attempt in (require_region, load_rates, lambda region: Rates(region, {})):
        with pytest.raises(InvalidScenario, match=hint) as caught:
            attempt(region)
        assert repr(region) in str(caught.value)
