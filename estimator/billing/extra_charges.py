"""EXTRA_CHARGES: the lines of the bill for what stands around the service: logs, metrics, alarms, edge, images, secrets and names.

Notes
-----
What AWS prices by the month (alarms, metrics, secrets, keys, CloudFront's plans) is taken for a whole month, whatever its length in hours. So
is what is given for a month, such as flow logs.

What tiers count together is one line: access logs and flow logs in S3.
"""

from __future__ import annotations

import numpy as np

from estimator.billing.charge import Charge, Quantity
from estimator.billing.month import BilledMonth
from estimator.service.cloudfront_plans import PLAN_LEVELS, CloudFrontPlan, plan_level
from estimator.service.extras import EDGES, edge_of
from estimator.service.policies import StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.units import (
    BYTES_PER_GB,
    BYTES_PER_KB,
    HOURS_PER_MONTH,
    MB_PER_GB,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
)
from estimator.workload.request import Workload

#: Parts of an ARN, the last one the secret's name.
_ARN_PARTS = 7
#: AWS, "How target tracking scaling works", read 2026: one for each direction.
ALARMS_PER_TARGET = 2
#: CPU and memory of the service by 20 seconds; AWS News Blog, June 2026: billed as detailed metrics.
HIGH_RESOLUTION_METRICS = 2
#: AWS, "Amazon CloudFront pricing", always free each month, read 2026.
CLOUDFRONT_FREE_GB, CLOUDFRONT_FREE_REQUESTS = 1024.0, 10_000_000.0
#: AWS, "EC2 On-Demand pricing", data transfer: of all services and regions together, GovCloud and China apart, read 2026.
FREE_EGRESS_GB = 100.0
#: AWS, "Access logs for your Application Load Balancer", read 2026: a file for each node every 5 minutes. [1/h]
ACCESS_LOG_FILES_PER_HOUR = 12
_HOURS_PER_DAY = SECONDS_PER_DAY / SECONDS_PER_HOUR
_MINUTES_PER_HOUR = SECONDS_PER_HOUR / SECONDS_PER_MINUTE


def billed_egress_gb(month: BilledMonth) -> Quantity:
    """Count the data transfer to the internet that is billed, the account's free amount taken off if it is this service's.

    Parameters
    ----------
    month : BilledMonth
        The month.

    Returns
    -------
    float or numpy.ndarray, shape (n_candidates,)
        Responses and TLS handshakes of the load balancer and what tasks send on their own account. [GB]
    """
    # GovCloud has no free amount.
    free = FREE_EGRESS_GB if month.extras.free_egress and not month.region.startswith("us-gov-") else 0.0
    sent: Quantity = np.maximum(month.response_gb + month.outbound_sent_gb - free, 0.0)
    return sent


def viewer_traffic(workload: Workload, hours: float) -> tuple[float, float]:
    """Count what CloudFront's viewers ask for in a month.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    hours : float
        Length of the month. [h]

    Returns
    -------
    tuple of (float, float)
        Requests, and data transfer to viewers, before any free amount. [requests, GB]
    """
    requests = workload.load.requests * (hours / workload.load.period_hours)
    kb = workload.response_kb * workload.compression_ratio
    return requests, requests * kb * BYTES_PER_KB / BYTES_PER_GB


def _in_class(log_class: str, amount: float, month: BilledMonth) -> float:
    return amount if month.extras.log_class == log_class else 0.0


def _stored_gb(month: BilledMonth) -> float:
    """Say how much log stands in storage when as much expires as comes."""
    per_hour = month.log_gb / month.hours + _flow_logs_to("cloud-watch-logs", month) / HOURS_PER_MONTH
    return per_hour * _HOURS_PER_DAY * month.application.log_retention_days * month.extras.log_stored_share


def _flow_logs_to(destination: str, month: BilledMonth, log_class: str | None = None) -> float:
    extras = month.extras
    if extras.flow_log_destination != destination or log_class not in (None, extras.flow_log_class):
        return 0.0
    return extras.flow_log_gb


def _s3_log_gb(month: BilledMonth) -> float:
    """Say how much log stands in S3 when as much expires as comes."""
    extras = month.extras
    per_hour = _flow_logs_to("s3", month) * extras.log_stored_share / HOURS_PER_MONTH
    if extras.alb_access_logs:
        per_hour += month.load_balancer_requests * extras.access_log_bytes_per_request / BYTES_PER_GB / month.hours
    return per_hour * _HOURS_PER_DAY * extras.s3_log_retention_days


def _access_log_files(month: BilledMonth) -> Quantity:
    """Count files of access logs: none without an entry, and the nodes are at least one for each zone."""
    if not month.extras.alb_access_logs:
        return 0.0
    return np.minimum(month.availability_zones * ACCESS_LOG_FILES_PER_HOUR * month.hours, month.load_balancer_requests)


def _insights_log_gb(month: BilledMonth) -> Quantity:
    extras = month.extras
    if extras.container_insights != "enabled":
        return 0.0
    task_minutes = month.simulation.running_task_hours * month.periods * _MINUTES_PER_HOUR
    return task_minutes * extras.insights_log_bytes_per_task_minute / BYTES_PER_GB


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
    # Behind the secret's name a reference may name a JSON key, a version stage and a version of it.
    return len({":".join(arn.split(":")[:_ARN_PARTS]) for arn in month.application.secrets.values()})


def _plan(month: BilledMonth) -> CloudFrontPlan | None:
    """Name the flat-rate plan in force; None without CloudFront, and if it is paid as it is used."""
    if not month.workload.behind_cloudfront:
        return None
    requests, gb = viewer_traffic(month.workload, month.hours)
    return plan_level(month.extras.cloudfront_plan, requests, gb, month.extras.cloudfront_premium_tb)


def _edge_share(month: BilledMonth, edge: str) -> float:
    if not month.workload.behind_cloudfront or _plan(month) is not None:
        return 0.0
    shares = month.extras.cloudfront_edges or {edge_of(month.region): 1.0}
    return shares.get(edge, 0.0)


def _paid(amount: float, free: float, month: BilledMonth) -> float:
    return max(0.0, amount - free) if month.extras.cloudfront_free_tier else amount


def _cloudfront_gb(month: BilledMonth) -> float:
    return _paid(viewer_traffic(month.workload, month.hours)[1], CLOUDFRONT_FREE_GB, month)


def _cloudfront_requests(month: BilledMonth, share: float) -> float:
    # AWS does not say which requests are the free ones: they are taken off both kinds alike.
    return _paid(month.requests, CLOUDFRONT_FREE_REQUESTS, month) * share


def _uploaded_gb(month: BilledMonth) -> float:
    kb = month.workload.request_kb * month.extras.cloudfront_upload_share
    return month.load_balancer_requests * kb * BYTES_PER_KB / BYTES_PER_GB


def _edge_charges() -> dict[str, Charge]:
    """Four lines for each geography of CloudFront's viewers."""
    source = "AWS, CloudFront pricing: always free 1 TB and 10 million requests a month; read 2026-09"
    found = {}
    for edge in EDGES:
        found[f"cloudfront_egress:{edge}"] = Charge(
            f"CloudFront data transfer out, {edge}",
            f"cloudfront_internet_egress_gb:{edge}",
            "GB of responses to viewers less 1 TB free, by where viewers are",
            lambda month, edge=edge: _cloudfront_gb(month) * _edge_share(month, edge),  # type: ignore[misc]
            source,
        )
        found[f"cloudfront_requests:{edge}"] = Charge(
            f"CloudFront HTTPS requests, {edge}",
            f"cloudfront_https_request:{edge}",
            "HTTPS requests of viewers less their part of 10 million free, by where viewers are",
            lambda month, edge=edge: (  # type: ignore[misc]
                _cloudfront_requests(month, 1.0 - month.extras.cloudfront_http_share) * _edge_share(month, edge)
            ),
            source,
        )
        found[f"cloudfront_http_requests:{edge}"] = Charge(
            f"CloudFront HTTP requests, {edge}",
            f"cloudfront_http_request:{edge}",
            "HTTP requests of viewers less their part of 10 million free, by where viewers are",
            lambda month, edge=edge: (  # type: ignore[misc]
                _cloudfront_requests(month, month.extras.cloudfront_http_share) * _edge_share(month, edge)
            ),
            source,
        )
        found[f"cloudfront_to_origin:{edge}"] = Charge(
            f"CloudFront data transfer to its origin, {edge}",
            f"cloudfront_to_origin_gb:{edge}",
            "GB of requests to the load balancer × part of POST, PUT and the like, by where viewers are",
            lambda month, edge=edge: _uploaded_gb(month) * _edge_share(month, edge),  # type: ignore[misc]
            "AWS, CloudFront Developer Guide, billing codes: bytes to the origin of DELETE, OPTIONS, PATCH, POST and PUT; read 2026-11",
        )
    return found


def _plan_charges() -> dict[str, Charge]:
    """One line for each flat-rate plan and level that costs something."""
    return {
        f"cloudfront_plan:{level.price.partition(':')[2]}": Charge(
            f"CloudFront flat-rate plan, {level.title}",
            level.price,
            "1 with this plan, which holds transfer, requests, the web ACL, a hosted zone and its queries",
            lambda month, level=level: float(_plan(month) == level),  # type: ignore[misc]
            "AWS, Pricing Plan Manager User Guide: by month and distribution, nothing above its allowances; read 2026-11",
        )
        for level in PLAN_LEVELS
        if level.price
    }


def _has_web_acl(month: BilledMonth) -> bool:
    # A flat-rate plan has it at CloudFront.
    return month.extras.waf_rules is not None and _plan(month) is None


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
        "GB of logs, and of Container Insights' performance log: running task minutes × bytes of a task and minute",
        lambda month: _in_class("STANDARD", month.log_gb, month) + _insights_log_gb(month),
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
        "GB of logs and flow logs a day × days of retention × stored part, once as much expires as comes",
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
        lambda month: _flow_logs_to("cloud-watch-logs", month, "STANDARD"),
        "AWS, CloudWatch pricing: vended logs, tiers by month; read 2026-09",
    ),
    "flow_logs_ia": Charge(
        "VPC flow logs, infrequent access",
        "logs_ingest_vended_ia_gb",
        "GB delivered to CloudWatch Logs",
        lambda month: _flow_logs_to("cloud-watch-logs", month, "INFREQUENT_ACCESS"),
        "AWS, CloudWatch pricing: vended logs by the class of their log group, tiers by month; read 2026-09",
    ),
    "flow_logs_s3": Charge(
        "VPC flow logs to S3",
        "logs_delivered_s3_gb",
        "GB delivered to S3, before compression",
        lambda month: _flow_logs_to("s3", month),
        "AWS, CloudWatch pricing: vended logs delivered to S3, tiers by month; read 2026-09",
    ),
    "s3_log_storage": Charge(
        "S3 storage of access logs and flow logs",
        "s3_standard_storage_gb_month",
        "(GB of access logs + GB of flow logs × stored part) a day × days until they expire",
        _s3_log_gb,
        "AWS, Elastic Load Balancing, access logs: storage is billed, delivery is not; S3 pricing: tiers by month; read 2026-11",
    ),
    "s3_log_requests": Charge(
        "S3 requests of access logs",
        "s3_put_request",
        "hours × load balancer nodes, one for each zone, × 12 files, at most one a request",
        _access_log_files,
        "AWS, Elastic Load Balancing, access logs: a file for each node every 5 minutes; read 2026-11",
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
        lambda month: float(_has_web_acl(month)),
        "AWS, WAF pricing: each web ACL; read 2026-09",
    ),
    "web_acl_rules": Charge(
        "Web ACL rules",
        "web_acl_rule_month",
        "rules and managed groups",
        lambda month: (month.extras.waf_rules or 0) * _has_web_acl(month),
        "AWS, WAF pricing: each rule and rule group; read 2026-09",
    ),
    "web_acl_requests": Charge(
        "Requests inspected by the web ACL",
        "web_acl_request",
        "requests at the load balancer",
        lambda month: month.load_balancer_requests * _has_web_acl(month),
        "AWS, WAF pricing: each request; read 2026-09",
    ),
    **_edge_charges(),
    **_plan_charges(),
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
        "tasks started × references to secrets",
        lambda month: month.started_tasks * len(month.application.secrets),
        "AWS, Secrets Manager pricing: each API call; read 2026-09",
        decides=False,
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
        "hosted zones, less one with a flat-rate plan",
        lambda month: max(0, month.extras.hosted_zones - (_plan(month) is not None)),
        "AWS, Route 53 pricing: each zone and month; read 2026-09",
    ),
    "dns_queries": Charge(
        "Route 53 queries",
        "dns_query_standard",
        "queries; those of alias records to the load balancer are free, a flat-rate plan holds all",
        lambda month: month.extras.dns_queries if _plan(month) is None else 0.0,
        "AWS, Route 53 pricing: each query; read 2026-09",
    ),
}
