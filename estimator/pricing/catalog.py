"""PRICES: one row for each priced dimension. A new one is one row here: every refresh asks for it, snapshots store it and `prices show` lists it.

Notes
-----
Two things that a bill needs have no price of their own. Load balancer capacity that Lambda targets use is billed at
``alb_lcu_hour``, only counted differently (0.4 GB and not 1 GB an hour). Container Insights without enhanced
observability is billed as custom metrics and as log ingestion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from estimator.pricing.rates import RateQuery
from estimator.pricing.regions import REGIONS


@dataclass(frozen=True, slots=True)
class Price:
    """A dimension that AWS prices.

    Parameters
    ----------
    query : RateQuery
        How the price list knows it.
    unit : str
        AWS's pricing unit.
    title : str
        What it is, in words.
    listed : bool
        False if AWS's lists have it in no form that is read here: a refresh does not ask for it, and what is known stays.
    """

    query: RateQuery
    unit: str
    title: str
    listed: bool = True


#: Where a price of the Spot feed, and of the Savings Plan files, is found.
SPOT_FEED = "FargateSpot"
SAVINGS_PLANS = "ComputeSavingsPlans"

# us-east-1 has a prefix for ECS, VPC, Logs, WAF and Secrets Manager, but none for ELB, ECR, NAT, CloudWatch's metrics
# and alarms, and most data transfer.
_NO_PREFIX = ("us-east-1",)
_TERMS = {"1yr": "1 year", "3yr": "3 years"}
_PAYMENTS = ("No Upfront", "Partial Upfront", "All Upfront")
#: Levels of CloudFront's Premium plan: monthly data transfer [TB] and AWS's name; AWS, Pricing Plan Manager User Guide, read 2026-11.
CLOUDFRONT_PREMIUM_LEVELS = {
    50: "DEFAULT",
    75: "CF_PREMIUM_L2",
    125: "CF_PREMIUM_L3",
    200: "CF_PREMIUM_L4",
    350: "CF_PREMIUM_L5",
    600: "CF_PREMIUM_L6",
}
#: Edge geographies of CloudFront: prefix of the usage type and name.
EDGES = {
    "AP": "Asia Pacific",
    "AU": "Australia",
    "CA": "Canada",
    "EU": "Europe",
    "IN": "India",
    "JP": "Japan",
    "ME": "Middle East",
    "SA": "South America",
    "US": "United States",
    "ZA": "South Africa",
}


def _ecs(usage_type: str, unit: str, title: str) -> Price:
    return Price(RateQuery("AmazonECS", usage_type), unit, title)


def _spot(usage_type: str, unit: str, title: str) -> Price:
    return Price(RateQuery(SPOT_FEED, usage_type), unit, title)


def _alb(usage_type: str, unit: str, title: str, operation: str | None = None) -> Price:
    query = RateQuery(
        "AWSELB",
        usage_type,
        "Load Balancer-Application",
        operation,
        fallback_service_code="AmazonEC2",
        unprefixed_in=_NO_PREFIX,
    )
    return Price(query, unit, title)


def _transfer(usage_type: str, transfer_type: str, title: str) -> Price:
    query = RateQuery(
        "AWSDataTransfer", usage_type, attributes=(("transferType", transfer_type),), unprefixed_in=_NO_PREFIX
    )
    return Price(query, "GB", title)


def _logs(usage_type: str, unit: str, title: str, family: str = "Data Payload") -> Price:
    return Price(RateQuery("AmazonCloudWatch", usage_type, family), unit, title)


def _alarm(usage_type: str, title: str, also_unprefixed: bool = False) -> Price:
    unprefixed = () if also_unprefixed else _NO_PREFIX
    query = RateQuery(
        "AmazonCloudWatch", usage_type, "Alarm", unprefixed_in=unprefixed, also_unprefixed=also_unprefixed
    )
    return Price(query, "Alarms", title)


def _waf(usage_type: str, unit: str, title: str) -> Price:
    return Price(RateQuery("awswaf", usage_type, "Web Application Firewall"), unit, title)


def _edges() -> Iterator[tuple[str, Price]]:
    rows = (
        ("cloudfront_http_request", "Requests-Tier1", "Requests", "CloudFront HTTP request"),
        ("cloudfront_https_request", "Requests-Tier2-HTTPS", "Requests", "CloudFront HTTPS request"),
        ("cloudfront_internet_egress_gb", "DataTransfer-Out-Bytes", "GB", "Data transfer out of CloudFront"),
        ("cloudfront_to_origin_gb", "DataTransfer-Out-OBytes", "GB", "Data transfer from CloudFront to its origin"),
    )
    for name, usage_type, unit, title in rows:
        for edge, place in EDGES.items():
            query = RateQuery(
                "AmazonCloudFront", f"{edge}-{usage_type}", location_type="AWS Edge Location", is_global=True
            )
            yield f"{name}:{edge}", Price(query, unit, f"{title}, {place}")


def _cloudfront_plans() -> Iterator[tuple[str, Price]]:
    # AWS lists flat rates as terms of their own kind, and the levels of Premium in a form that nobody published.
    def plan(name: str, title: str, level: tuple[tuple[str, str], ...] = ()) -> Price:
        query = RateQuery("CloudFrontPlans", f"Global-CloudFrontPlan-{name}", attributes=level, is_global=True)
        return Price(query, "Month", f"CloudFront {title}, month", listed=False)

    yield "cloudfront_plan_month:pro", plan("Pro", "Pro plan")
    yield "cloudfront_plan_month:business", plan("Business", "Business plan")
    for transfer_tb, level in CLOUDFRONT_PREMIUM_LEVELS.items():
        name = f"cloudfront_plan_month:premium_{transfer_tb}_tb"
        yield name, plan("Premium", f"Premium plan of {transfer_tb} TB", (("usageLevel", level),))


def _s3(usage_type: str, family: str, attribute: tuple[str, str], unit: str, title: str) -> Price:
    query = RateQuery("AmazonS3", usage_type, family, attributes=(attribute,), unprefixed_in=_NO_PREFIX)
    return Price(query, unit, title)


def _between_regions() -> Iterator[tuple[str, Price]]:
    for code, region in REGIONS.items():
        query = RateQuery(
            "AWSDataTransfer",
            f"{region.prefix}-AWS-Out-Bytes",
            attributes=(("transferType", "InterRegion Outbound"),),
            not_in=(code,),
        )
        yield f"inter_region_out_gb:to_{region.prefix}", Price(query, "GB", f"Data transfer to {code}")


def _savings_plans() -> Iterator[tuple[str, Price]]:
    legs = {
        "linux_x86_vcpu": ("Fargate-vCPU-Hours:perCPU", "vCPU-hour", "vCPU, Linux on x86"),
        "linux_x86_gb": ("Fargate-GB-Hours", "GB-hour", "memory, Linux on x86"),
        "linux_arm_vcpu": ("Fargate-ARM-vCPU-Hours:perCPU", "vCPU-hour", "vCPU, Linux on ARM"),
        "linux_arm_gb": ("Fargate-ARM-GB-Hours", "GB-hour", "memory, Linux on ARM"),
        "windows_vcpu": ("Fargate-Windows-vCPU-Hours:perCPU", "vCPU-hour", "vCPU, Windows"),
        "windows_gb": ("Fargate-Windows-GB-Hours", "GB-hour", "memory, Windows"),
    }
    for term, years in _TERMS.items():
        for payment in _PAYMENTS:
            for leg, (usage_type, unit, title) in legs.items():
                query = RateQuery(
                    SAVINGS_PLANS, usage_type, attributes=(("purchaseTerm", term), ("purchaseOption", payment))
                )
                name = f"sp_compute_{term}_{payment.replace(' ', '').lower()}__fargate_{leg}_hour"
                yield name, Price(query, unit, f"Compute Savings Plan, {years}, {payment}: Fargate {title}")


PRICES: dict[str, Price] = {
    # Fargate
    "fargate_linux_x86_vcpu_hour": _ecs("Fargate-vCPU-Hours:perCPU", "vCPU-hour", "Fargate vCPU, Linux on x86"),
    "fargate_linux_x86_gb_hour": _ecs("Fargate-GB-Hours", "GB-hour", "Fargate memory, Linux on x86"),
    "fargate_linux_arm_vcpu_hour": _ecs("Fargate-ARM-vCPU-Hours:perCPU", "vCPU-hour", "Fargate vCPU, Linux on ARM"),
    "fargate_linux_arm_gb_hour": _ecs("Fargate-ARM-GB-Hours", "GB-hour", "Fargate memory, Linux on ARM"),
    "fargate_windows_vcpu_hour": _ecs("Fargate-Windows-vCPU-Hours:perCPU", "vCPU-hour", "Fargate vCPU, Windows"),
    "fargate_windows_gb_hour": _ecs("Fargate-Windows-GB-Hours", "GB-hour", "Fargate memory, Windows"),
    "fargate_windows_os_license_vcpu_hour": _ecs(
        "Fargate-Windows-OS-Hours:perCPU", "vCPU-hour", "Fargate Windows licence"
    ),
    "fargate_ephemeral_storage_gb_hour": _ecs(
        "Fargate-EphemeralStorage-GB-Hours", "GB-hour", "Fargate ephemeral storage above 20 GB"
    ),
    "fargate_spot_linux_x86_vcpu_hour": _spot(
        "SpotUsage-Fargate-vCPU-Hours:perCPU", "vCPU-hour", "Fargate Spot vCPU, Linux on x86"
    ),
    "fargate_spot_linux_x86_gb_hour": _spot(
        "SpotUsage-Fargate-GB-Hours", "GB-hour", "Fargate Spot memory, Linux on x86"
    ),
    "fargate_spot_linux_arm_vcpu_hour": _spot(
        "SpotUsage-Fargate-ARM-vCPU-Hours:perCPU", "vCPU-hour", "Fargate Spot vCPU, Linux on ARM"
    ),
    "fargate_spot_linux_arm_gb_hour": _spot(
        "SpotUsage-Fargate-ARM-GB-Hours", "GB-hour", "Fargate Spot memory, Linux on ARM"
    ),
    **dict(_savings_plans()),
    # Application Load Balancer
    "alb_hour": _alb("LoadBalancerUsage", "Hrs", "Application Load Balancer hour", "LoadBalancing:Application"),
    "alb_lcu_hour": _alb(
        "LCUUsage", "LCU-Hrs", "Application Load Balancer capacity unit hour", "LoadBalancing:Application"
    ),
    "alb_reserved_lcu_hour": _alb("ReservedLCUUsage", "LCU-Hrs", "Reserved load balancer capacity unit hour"),
    "alb_trust_store_hour": _alb("TS-LoadBalancerUsage", "Hrs", "Trust store hour (mutual TLS)"),
    # Network
    "nat_gateway_hour": Price(
        RateQuery("AmazonEC2", "NatGateway-Hours", "NAT Gateway", unprefixed_in=_NO_PREFIX), "Hrs", "NAT gateway hour"
    ),
    "nat_gateway_gb": Price(
        RateQuery("AmazonEC2", "NatGateway-Bytes", "NAT Gateway", unprefixed_in=_NO_PREFIX),
        "GB",
        "Data processed by a NAT gateway",
    ),
    "vpc_interface_endpoint_hour": Price(
        RateQuery("AmazonVPC", "VpcEndpoint-Hours"), "Hrs", "Interface endpoint hour in one zone"
    ),
    "vpc_interface_endpoint_gb": Price(
        RateQuery("AmazonVPC", "VpcEndpoint-Bytes"), "GB", "Data processed by an interface endpoint"
    ),
    "public_ipv4_in_use_hour": Price(
        RateQuery("AmazonVPC", "PublicIPv4:InUseAddress"), "Hrs", "Public IPv4 address in use"
    ),
    "public_ipv4_idle_hour": Price(RateQuery("AmazonVPC", "PublicIPv4:IdleAddress"), "Hrs", "Public IPv4 address idle"),
    "internet_egress_gb": _transfer("DataTransfer-Out-Bytes", "AWS Outbound", "Data transfer out to the internet"),
    "inter_az_gb": _transfer(
        "DataTransfer-Regional-Bytes", "IntraRegion", "Data transfer between zones, each direction"
    ),
    **dict(_between_regions()),
    # Logs, metrics and alarms
    "logs_ingest_standard_gb": _logs("DataProcessing-Bytes", "GB", "CloudWatch Logs ingestion, standard class"),
    "logs_ingest_ia_gb": _logs("DataProcessingIA-Bytes", "GB", "CloudWatch Logs ingestion, infrequent access class"),
    "logs_ingest_vended_gb": _logs("VendedLog-Bytes", "GB", "Vended logs to CloudWatch Logs, standard class"),
    "logs_ingest_vended_ia_gb": _logs(
        "VendedLogIA-Bytes", "GB", "Vended logs to CloudWatch Logs, infrequent access class"
    ),
    "logs_delivered_s3_gb": _logs("S3-Egress-Bytes", "GB", "Vended logs delivered to S3"),
    "logs_storage_gb_month": _logs(
        "TimedStorage-ByteHrs", "GB-Mo", "CloudWatch Logs storage, compressed", "Storage Snapshot"
    ),
    "logs_insights_scanned_gb": _logs("DataScanned-Bytes", "GB", "Data scanned by Logs Insights queries"),
    "custom_metric_month": Price(
        RateQuery("AmazonCloudWatch", "CW:MetricMonitorUsage", "Metric", unprefixed_in=_NO_PREFIX),
        "Metrics",
        "Custom metric, month",
    ),
    "container_insights_enhanced_ecs_metric_month": Price(
        RateQuery("AmazonCloudWatch", "CW:MetricsUsage", also_unprefixed=True),
        "Metrics",
        "Container Insights with enhanced observability, metric month",
    ),
    "alarm_standard_month": _alarm("CW:AlarmMonitorUsage", "Alarm metric, standard resolution, month"),
    "alarm_high_res_month": _alarm("CW:HighResAlarmMonitorUsage", "Alarm metric, high resolution, month"),
    "alarm_composite_month": _alarm("CW:CompositeAlarmMonitorUsage", "Composite alarm, month"),
    "alarm_metrics_insights_month": _alarm(
        "CW:MetricInsightAlarmUsage", "Metrics Insights alarm, metric month", also_unprefixed=True
    ),
    "dashboard_month": Price(
        RateQuery("AmazonCloudWatch", "DashboardsUsageHour-Basic", "Dashboard", is_global=True),
        "Dashboards",
        "CloudWatch dashboard, month",
    ),
    # Web application firewall, in front of a load balancer
    "web_acl_month": _waf("WebACLV2", "Month", "Web ACL, month"),
    "web_acl_rule_month": _waf("RuleV2", "Month", "Web ACL rule, month"),
    "web_acl_request": _waf("RequestV2-Tier1", "Request", "Request inspected by a web ACL"),
    # CloudFront
    **dict(_edges()),
    **dict(_cloudfront_plans()),
    # Logs in S3
    "s3_standard_storage_gb_month": _s3(
        "TimedStorage-ByteHrs", "Storage", ("storageClass", "General Purpose"), "GB-Mo", "S3 Standard storage"
    ),
    "s3_put_request": _s3(
        "Requests-Tier1", "API Request", ("group", "S3-API-Tier1"), "Requests", "S3 PUT, COPY, POST or LIST request"
    ),
    # Images, secrets, keys and names
    "ecr_storage_gb_month": Price(
        RateQuery("AmazonECR", "TimedStorage-ByteHrs", unprefixed_in=_NO_PREFIX), "GB-Mo", "ECR image storage"
    ),
    "secret_month": Price(
        RateQuery("AWSSecretsManager", "AWSSecretsManager-Secrets"), "Secrets", "Secrets Manager secret, month"
    ),
    "secret_api_request": Price(
        RateQuery("AWSSecretsManager", "AWSSecretsManagerAPIRequest"), "API Requests", "Secrets Manager request"
    ),
    "kms_key_month": Price(
        RateQuery("awskms", "KMS-Keys", prefixed_by_region_code=True), "Keys", "KMS customer managed key, month"
    ),
    "kms_request": Price(RateQuery("awskms", "KMS-Requests", prefixed_by_region_code=True), "Requests", "KMS request"),
    "hosted_zone_month": Price(
        RateQuery("AmazonRoute53", "HostedZone", is_global=True), "HostedZone-Mo", "Route 53 hosted zone, month"
    ),
    "dns_query_standard": Price(
        RateQuery("AmazonRoute53", "DNS-Queries", is_global=True), "Queries", "Route 53 standard query"
    ),
}


def expected_in(region: str, prices: Mapping[str, Price] = PRICES) -> tuple[str, ...]:
    """List the prices that AWS's lists can have for a region, those without a region left out.

    Parameters
    ----------
    region : str
        Region code, or ``"global"`` for those without a region.
    prices : mapping of str to Price
        The rows to choose from.

    Returns
    -------
    tuple of str
        Names, in the order of the rows.
    """
    return tuple(name for name in possible_in(region, prices) if prices[name].listed)


def possible_in(region: str, prices: Mapping[str, Price] = PRICES) -> tuple[str, ...]:
    """List the prices that a region can have, whether or not a refresh can read them; those without a region left out.

    Parameters
    ----------
    region : str
        Region code, or ``"global"`` for those without a region.
    prices : mapping of str to Price
        The rows to choose from.

    Returns
    -------
    tuple of str
        Names, in the order of the rows.

    Examples
    --------
    >>> set(possible_in("global")) - set(expected_in("global")) == {name for name, row in PRICES.items() if not row.listed}
    True
    """
    if region == "global":
        return tuple(name for name, price in prices.items() if price.query.is_global)
    return tuple(
        name for name, price in prices.items() if not price.query.is_global and region not in price.query.not_in
    )
