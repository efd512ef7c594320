"""What is billed around a service: what it refuses, and where CloudFront's price list puts a region."""

import pytest

from estimator.errors import InvalidScenario
from estimator.pricing.regions import REGIONS
from estimator.service.extras import EDGES, Extras, edge_of


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"log_class": "GLACIER"}, ["log_class is 'GLACIER'", "STANDARD, INFREQUENT_ACCESS"]),
        ({"log_stored_share": 1.5}, ["log_stored_share is 1.5", "0 to 1"]),
        ({"container_insights": "on"}, ["container_insights is 'on'", "disabled, enabled, enhanced"]),
        ({"managed_alarms_billed": 1}, ["managed_alarms_billed is 1", "true or false"]),
        ({"standard_alarms": -1}, ["standard_alarms is -1", "whole number"]),
        ({"dashboards": 1.5}, ["dashboards is 1.5", "whole number"]),
        ({"reserved_lcu": 99}, ["reserved_lcu is 99", "at least 100", "0 for no reservation"]),
        ({"reserved_lcu": 15_001}, ["reserved_lcu is 15001", "15000"]),
        ({"waf_rules": "all"}, ["waf_rules is 'all'"]),
        ({"cloudfront_edges": ["EU"]}, ["cloudfront_edges is ['EU']", "EU: 1"]),
        ({"cloudfront_edges": {"Europe": 1}}, ["cloudfront_edges has 'Europe'", "AP, AU"]),
        ({"cloudfront_edges": {"EU": 0.5, "US": 0.4}}, ["add up to 0.9", "1"]),
        ({"cloudfront_edges": {"EU": float("nan")}}, ["cloudfront_edges.EU is nan"]),
        ({"dns_queries": float("inf")}, ["dns_queries is inf"]),
        ({"cloudfront_plan": "Pro"}, ["cloudfront_plan is 'Pro'", "pay_as_you_go, free, pro, business, premium"]),
        (
            {"cloudfront_plan": "premium", "cloudfront_premium_tb": 100},
            ["cloudfront_premium_tb is 100", "50, 75, 125, 200, 350, 600"],
        ),
        ({"cloudfront_plan": "premium", "cloudfront_premium_tb": True}, ["cloudfront_premium_tb is True"]),
        ({"cloudfront_plan": "premium", "cloudfront_premium_tb": [50]}, ["cloudfront_premium_tb is [50]"]),
        ({"cloudfront_plan": "pro", "cloudfront_premium_tb": 50}, ["cloudfront_plan is pro", "only the Premium plan"]),
        ({"cloudfront_http_share": 2}, ["cloudfront_http_share is 2", "0 to 1"]),
        ({"cloudfront_upload_share": -1}, ["cloudfront_upload_share is -1", "0 to 1"]),
        ({"free_egress": "yes"}, ["free_egress is 'yes'", "true or false"]),
        ({"alb_access_logs": 1}, ["alb_access_logs is 1", "true or false"]),
        ({"access_log_bytes_per_request": -1}, ["access_log_bytes_per_request is -1"]),
        ({"s3_log_retention_days": 0}, ["s3_log_retention_days is 0", "whole number from 1"]),
        ({"flow_log_destination": "S3"}, ["flow_log_destination is 'S3'", "cloud-watch-logs, s3"]),
        ({"flow_log_class": "DELIVERY"}, ["flow_log_class is 'DELIVERY'", "STANDARD, INFREQUENT_ACCESS"]),
        (
            {"flow_log_destination": "s3", "flow_log_class": "INFREQUENT_ACCESS"},
            ["flow_log_class is INFREQUENT_ACCESS and flow_log_destination is s3", "only a log group has a class"],
        ),
        ({"insights_log_bytes_per_task_minute": float("nan")}, ["insights_log_bytes_per_task_minute is nan"]),
    ],
)
def test_what_cannot_be_is_one_sentence(values, words):
    with pytest.raises(InvalidScenario) as caught:
        Extras(**values)
    for word in words:
        assert word in str(caught.value)


def test_every_region_lies_in_a_geography():
    """AWS's CloudFront pricing page: Japan, India and Australia with New Zealand have columns of their own."""
    found = {region: edge_of(region) for region in REGIONS}
    assert set(found.values()) <= set(EDGES)
    assert found["us-east-1"] == "US"
    assert found["ca-central-1"] == "CA"
    assert found["eu-central-1"] == "EU"
    assert (found["ap-northeast-1"], found["ap-northeast-2"]) == ("JP", "AP")
    assert (found["ap-south-1"], found["ap-southeast-1"], found["ap-southeast-2"]) == ("IN", "AP", "AU")
    assert (found["sa-east-1"], found["me-south-1"], found["af-south-1"]) == ("SA", "ME", "ZA")


def test_by_default_nothing_is_asked_for():
    plain = Extras()
    assert (plain.reserved_lcu, plain.waf_rules, plain.standard_alarms, plain.container_insights) == (
        0,
        None,
        0,
        "disabled",
    )
    assert (plain.cloudfront_plan, plain.cloudfront_premium_tb, plain.flow_log_gb) == ("pay_as_you_go", None, 0)
    assert (plain.alb_access_logs, plain.free_egress, plain.cloudfront_http_share) == (False, False, 0)
