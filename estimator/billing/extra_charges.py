"""EXTRA_CHARGES: the lines of the bill for what stands around the service: logs, metrics, alarms, edge, images, secrets and names.

Notes
-----
What AWS prices by the month (alarms, metrics, secrets, keys) is taken for a whole month, whatever its length in hours.
"""

from __future__ import annotations

import numpy as np

from estimator.billing.charge import Charge, Quantity
from estimator.billing.month import BilledMonth
from estimator.service.extras import EDGES, edge_of
from estimator.service.policies import StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.units import BYTES_PER_GB, BYTES_PER_KB, MB_PER_GB, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

#: AWS, "How target tracking scaling works", read 2026: one for each direction.
ALARMS_PER_TARGET = 2
#: CPU and memory of the service by 20 seconds; AWS News Blog, June 2026: billed as detailed metrics.
HIGH_RESOLUTION_METRICS = 2
#: AWS, "Amazon CloudFront pricing", always free each month, read 2026.
CLOUDFRONT_FREE_GB, CLOUDFRONT_FREE_REQUESTS = 1024.0, 10_000_000.0


def _in_class(log_class: str, amount: float, month: BilledMonth) -> float:
    return amount if month.extras.log_class == log_class else 0.0


def _stored_gb(month: BilledMonth) -> float:
    """Say how much log stands in storage when as much expires as comes."""
    per_day = month.log_gb / month.hours * (SECONDS_PER_DAY / SECONDS_PER_HOUR)
    return per_day * month.application.log_retention_days * month.extras.log_stored_share


def _by_minute(policy: TargetTrackingScalingPolicy | StepScalingPolicy) -> bool:
    return policy.metric.period_s >= SECONDS_PER_MINUTE


def _managed_alarms(spec: ServiceSpec, by_minute: bool) -> int:
    tracking = [p for p in spec.watching if isinstance(p, TargetTrackingScalingPolicy) and _by_minute(p) == by_minute]
    return ALARMS_PER_TARGET * len(tracking)


def _alarms(month: BilledMonth, by_minute: bool) -> Quantity:
    extras = month.extras
    own = extras.standard_alarms if by_minute else extras.high_resolution_alarms
    managed = [_managed_alarms(spec, by_minute) if extras.managed_alarms_billed else 0 for spec in month.specs]
    steps = [
        sum(isinstance(p, StepScalingPolicy) and _by_minute(p) == by_minute for p in spec.watching)
        for spec in month.specs
    ]
    return np.array(managed, dtype=np.float64) + np.array(steps, dtype=np.float64) + own


def _custom_metrics(month: BilledMonth) -> Quantity:
    """Metrics by 20 seconds, and those of Container Insights as it was first."""
    fine = np.array([any(not _by_minute(p) for p in spec.watching) for spec in month.specs], dtype=np.float64)
    insights = month.extras.insights_metrics_per_service if month.extras.container_insights == "enabled" else 0
    return HIGH_RESOLUTION_METRICS * fine + insights


def _enhanced_metrics(month: BilledMonth) -> Quantity:
    extras = month.extras
    if extras.container_insights != "enhanced":
        return 0.0
    per_task = extras.insights_metrics_per_task + extras.insights_metrics_per_container * extras.containers_per_task
    running = month.simulation.running_task_hours * month.periods / month.hours
    return extras.insights_metrics_per_service + per_task * running


def _secrets(month: BilledMonth) -> int:
    return len(set(month.application.secrets.values()))


def _edge_share(month: BilledMonth, edge: str) -> float:
    if not month.workload.behind_cloudfront:
        return 0.0
    shares = month.extras.cloudfront_edges or {edge_of(month.region): 1.0}
    return shares.get(edge, 0.0)


def _paid(amount: float, free: float, month: BilledMonth) -> float:
    return max(0.0, amount - free) if month.extras.cloudfront_free_tier else amount


def _cloudfront_gb(month: BilledMonth) -> float:
    kb = month.workload.response_kb * month.workload.compression_ratio
    return _paid(month.requests * kb * BYTES_PER_KB / BYTES_PER_GB, CLOUDFRONT_FREE_GB, month)


def _edge_charges() -> dict[str, Charge]:
    """Two lines for each geography of CloudFront's viewers."""
    found = {}
    for edge in EDGES:
        found[f"cloudfront_egress:{edge}"] = Charge(
            f"CloudFront data transfer out, {edge}",
            f"cloudfront_internet_egress_gb:{edge}",
            "GB of responses to viewers less 1 TB free, by where viewers are",
            lambda month, edge=edge: _cloudfront_gb(month) * _edge_share(month, edge),  # type: ignore[misc]
            "AWS, CloudFront pricing: always free 1 TB and 10 million requests a month; read 2026-09",
        )
        found[f"cloudfront_requests:{edge}"] = Charge(
            f"CloudFront HTTPS requests, {edge}",
            f"cloudfront_https_request:{edge}",
            "requests of viewers less 10 million free, by where viewers are",
            lambda month, edge=edge: (  # type: ignore[misc]
                _paid(month.requests, CLOUDFRONT_FREE_REQUESTS, month) * _edge_share(month, edge)
            ),
            "AWS, CloudFront pricing: always free 1 TB and 10 million requests a month; read 2026-09",
        )
    return found


EXTRA_CHARGES: dict[str, Charge] = {
    "alb_reserved_lcu": Charge(
        "Reserved load balancer capacity units",
        "alb_reserved_lcu_hour",
        "hours × reserved units",
        lambda month: month.hours * month.extras.reserved_lcu,
        "AWS, Elastic Load Balancing pricing: reserved units by the hour, used or not; read 2026-09",
    ),
    "alb_trust_store": Charge(
        "Trust store for mutual TLS",
        "alb_trust_store_hour",
        "hours with mutual TLS",
        lambda month: month.hours * month.workload.mutual_tls,
        "AWS, Elastic Load Balancing pricing: each trust store by the hour; read 2026-09",
    ),
    "logs_ingestion": Charge(
        "CloudWatch Logs ingestion",
        "logs_ingest_standard_gb",
        "GB of logs",
        lambda month: _in_class("STANDARD", month.log_gb, month),
        "AWS, CloudWatch pricing; the account's 5 free GB are not taken off; read 2026-09",
    ),
    "logs_ingestion_ia": Charge(
        "CloudWatch Logs ingestion, infrequent access",
        "logs_ingest_ia_gb",
        "GB of logs",
        lambda month: _in_class("INFREQUENT_ACCESS", month.log_gb, month),
        "AWS, CloudWatch pricing: half of the standard class; read 2026-09",
    ),
    "logs_storage": Charge(
        "CloudWatch Logs storage",
        "logs_storage_gb_month",
        "GB of logs a day × days of retention × stored part, once as much expires as comes",
        _stored_gb,
        "AWS, CloudWatch pricing: compressed bytes; their part by the AWS Pricing Calculator; read 2026-11",
    ),
    "logs_insights": Charge(
        "Logs Insights queries",
        "logs_insights_scanned_gb",
        "GB scanned",
        lambda month: month.extras.log_insights_scanned_gb,
        "AWS, CloudWatch pricing: each GB scanned; read 2026-09",
    ),
    "flow_logs": Charge(
        "VPC flow logs",
        "logs_ingest_vended_gb",
        "GB delivered to CloudWatch Logs",
        lambda month: month.extras.flow_log_gb,
        "AWS, CloudWatch pricing: vended logs, tiers by month; read 2026-09",
    ),
    "custom_metrics": Charge(
        "Metrics by 20 seconds and of Container Insights",
        "custom_metric_month",
        "2 with a policy on a 20-second metric, and those of Container Insights for a service",
        _custom_metrics,
        "AWS, CloudWatch pricing: tiers by month; AWS News Blog, June 2026; read 2026-09",
    ),
    "enhanced_metrics": Charge(
        "Container Insights with enhanced observability",
        "container_insights_enhanced_ecs_metric_month",
        "metrics of the service + running tasks × (metrics of a task + of its containers)",
        _enhanced_metrics,
        "AWS, CloudWatch pricing: by metric and month, by the hour in which it has data; read 2026-09",
    ),
    "alarms": Charge(
        "Alarms",
        "alarm_standard_month",
        "2 for each target tracking policy, 1 for each of step scaling, and your own",
        lambda month: _alarms(month, True),
        "AWS, CloudWatch pricing: each alarm metric of standard resolution; read 2026-09",
    ),
    "high_resolution_alarms": Charge(
        "High-resolution alarms",
        "alarm_high_res_month",
        "2 for each target tracking policy on a 20-second metric, and your own",
        lambda month: _alarms(month, False),
        "AWS, CloudWatch pricing: each alarm metric of high resolution; read 2026-09",
    ),
    "dashboards": Charge(
        "Dashboards",
        "dashboard_month",
        "dashboards; the account's three free ones are not taken off",
        lambda month: month.extras.dashboards,
        "AWS, CloudWatch pricing; read 2026-09",
    ),
    "web_acl": Charge(
        "Web ACL",
        "web_acl_month",
        "1 with a firewall",
        lambda month: float(month.extras.waf_rules is not None),
        "AWS, WAF pricing: each web ACL; read 2026-09",
    ),
    "web_acl_rules": Charge(
        "Web ACL rules",
        "web_acl_rule_month",
        "rules and managed groups",
        lambda month: month.extras.waf_rules or 0,
        "AWS, WAF pricing: each rule and rule group; read 2026-09",
    ),
    "web_acl_requests": Charge(
        "Requests inspected by the web ACL",
        "web_acl_request",
        "requests at the load balancer",
        lambda month: 0.0 if month.extras.waf_rules is None else month.load_balancer_requests,
        "AWS, WAF pricing: each request; read 2026-09",
    ),
    **_edge_charges(),
    "ecr_storage": Charge(
        "ECR image storage",
        "ecr_storage_gb_month",
        "GB of an image × images kept, if it is in ECR",
        lambda month: (
            month.application.image_mb / MB_PER_GB * month.extras.ecr_images
            if month.application.image_is_in_ecr(month.region)
            else 0.0
        ),
        "AWS, ECR pricing: each GB and month; read 2026-09",
    ),
    "secrets": Charge(
        "Secrets Manager secrets",
        "secret_month",
        "secrets of the task definition",
        _secrets,
        "AWS, Secrets Manager pricing: each secret and month; read 2026-09",
    ),
    "secret_requests": Charge(
        "Secrets Manager requests",
        "secret_api_request",
        "tasks started × secrets",
        lambda month: month.started_tasks * _secrets(month),
        "AWS, Secrets Manager pricing: each API call; read 2026-09",
    ),
    "kms_keys": Charge(
        "KMS keys",
        "kms_key_month",
        "customer managed keys",
        lambda month: month.extras.kms_keys,
        "AWS, KMS pricing: each key and month; read 2026-09",
    ),
    "kms_requests": Charge(
        "KMS requests",
        "kms_request",
        "requests; the account's free 20,000 are not taken off",
        lambda month: month.extras.kms_requests,
        "AWS, KMS pricing: each request; read 2026-09",
    ),
    "hosted_zones": Charge(
        "Route 53 hosted zones",
        "hosted_zone_month",
        "hosted zones",
        lambda month: month.extras.hosted_zones,
        "AWS, Route 53 pricing: each zone and month; read 2026-09",
    ),
    "dns_queries": Charge(
        "Route 53 queries",
        "dns_query_standard",
        "queries; those of alias records to the load balancer are free",
        lambda month: month.extras.dns_queries,
        "AWS, Route 53 pricing: each query; read 2026-09",
    ),
}
