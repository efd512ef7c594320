"""OBSERVING_CHARGES: the lines of the bill for what watches the service: logs, metrics, alarms and dashboards.

Notes
-----
What AWS prices by the month (alarms, metrics, dashboards) is taken for a whole month, whatever its length in hours. So is what is given for
a month, such as flow logs.

What tiers count together is one line: access logs and flow logs in S3.
"""

from __future__ import annotations

import numpy as np

from estimator.billing.charge import Charge, Quantity
from estimator.billing.month import BilledMonth
from estimator.billing.working import BYTES_AS_GB, at, counted, hours, load_balancer_requests, log_gb, written
from estimator.service.policies import StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.units import BYTES_PER_GB, HOURS_PER_MONTH, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

#: AWS, "How target tracking scaling works", read 2026: one for each direction.
ALARMS_PER_TARGET = 2
#: CPU and memory of the service by 20 seconds; AWS News Blog, June 2026: billed as detailed metrics.
HIGH_RESOLUTION_METRICS = 2
#: AWS, "Access logs for your Application Load Balancer", read 2026: a file for each node every 5 minutes. [1/h]
ACCESS_LOG_FILES_PER_HOUR = 12
_HOURS_PER_DAY = SECONDS_PER_DAY / SECONDS_PER_HOUR
_MINUTES_PER_HOUR = SECONDS_PER_HOUR / SECONDS_PER_MINUTE


def _in_class(log_class: str, amount: float, month: BilledMonth) -> float:
    return amount if month.extras.log_class == log_class else 0.0


def _ingested_gb(month: BilledMonth) -> Quantity:
    return _in_class("STANDARD", month.log_gb, month) + _insights_log_gb(month)


def _ingested_working(month: BilledMonth, candidate: int) -> str:
    extras = month.extras
    logs = log_gb(month) if extras.log_class == "STANDARD" else "0 GB of logs, which are for infrequent access"
    if extras.container_insights != "enabled":
        return logs
    minutes = f"{_running_task_hours(month, candidate)} × {written(_MINUTES_PER_HOUR)} minutes"
    return f"{logs} + {minutes} × {written(extras.insights_log_bytes_per_task_minute)} bytes of a task and minute{BYTES_AS_GB}"


def _running_task_hours(month: BilledMonth, candidate: int) -> str:
    return counted(at(month.simulation.running_task_hours, candidate) * month.periods, "running task hour")


def _stored_gb(month: BilledMonth) -> float:
    """Say how much log stands in storage when as much expires as comes."""
    per_hour = month.log_gb / month.hours + _flow_logs_to("cloud-watch-logs", month) / HOURS_PER_MONTH
    return per_hour * _HOURS_PER_DAY * month.application.log_retention_days * month.extras.log_stored_share


def _stored_working(month: BilledMonth, _: int) -> str:
    logs = f"{log_gb(month)} ÷ {hours(month)}"
    flow_logs = _flow_logs_by_hour(_flow_logs_to("cloud-watch-logs", month))
    kept = (
        f"{written(month.application.log_retention_days)} days × {written(month.extras.log_stored_share)} of it stored"
    )
    return f"({logs} + {flow_logs}) × {written(_HOURS_PER_DAY)} h × {kept}"


def _flow_logs_by_hour(gb: float) -> str:
    return f"{written(gb)} GB of flow logs ÷ {written(HOURS_PER_MONTH)} h"


def _delivered_working(month: BilledMonth, _: int) -> str:
    return f"{written(month.extras.flow_log_gb)} GB of flow logs"


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


def _s3_log_working(month: BilledMonth, _: int) -> str:
    extras = month.extras
    flow_logs = f"{_flow_logs_by_hour(_flow_logs_to('s3', month))} × {written(extras.log_stored_share)} of it stored"
    access_logs = "0 GB of access logs"
    if extras.alb_access_logs:
        each = f"{written(extras.access_log_bytes_per_request)} bytes of access logs{BYTES_AS_GB}"
        access_logs = f"{load_balancer_requests(month)} × {each} ÷ {hours(month)}"
    return f"({access_logs} + {flow_logs}) × {written(_HOURS_PER_DAY)} h × {written(extras.s3_log_retention_days)} days"


def _access_log_files(month: BilledMonth) -> Quantity:
    """Count files of access logs: none without an entry, and the nodes are at least one for each zone."""
    if not month.extras.alb_access_logs:
        return 0.0
    return np.minimum(month.availability_zones * ACCESS_LOG_FILES_PER_HOUR * month.hours, month.load_balancer_requests)


def _access_log_files_working(month: BilledMonth, candidate: int) -> str:
    zones = at(month.availability_zones, candidate)
    if month.load_balancer_requests < zones * ACCESS_LOG_FILES_PER_HOUR * month.hours:
        return f"{load_balancer_requests(month)}, with a file for each"
    return f"{hours(month)} × {counted(zones, 'load balancer node')} × {written(ACCESS_LOG_FILES_PER_HOUR)} files"


def _insights_log_gb(month: BilledMonth) -> Quantity:
    extras = month.extras
    if extras.container_insights != "enabled":
        return 0.0
    task_minutes = month.simulation.running_task_hours * month.periods * _MINUTES_PER_HOUR
    return task_minutes * extras.insights_log_bytes_per_task_minute / BYTES_PER_GB


def _by_minute(policy: TargetTrackingScalingPolicy | StepScalingPolicy) -> bool:
    return policy.metric.period_s >= SECONDS_PER_MINUTE


def _policies(spec: ServiceSpec, kind: type[TargetTrackingScalingPolicy | StepScalingPolicy], by_minute: bool) -> int:
    return sum(isinstance(policy, kind) and _by_minute(policy) == by_minute for policy in spec.watching)


def _own_alarms(month: BilledMonth, by_minute: bool) -> int:
    return month.extras.standard_alarms if by_minute else month.extras.high_resolution_alarms


def _alarms(month: BilledMonth, by_minute: bool) -> Quantity:
    managed = ALARMS_PER_TARGET * month.extras.managed_alarms_billed
    own = _own_alarms(month, by_minute)
    # Many candidates have the same policies.
    known: dict[int, float] = {}
    for spec in month.specs:
        if id(spec.scaling) not in known:
            tracking = _policies(spec, TargetTrackingScalingPolicy, by_minute)
            known[id(spec.scaling)] = managed * tracking + _policies(spec, StepScalingPolicy, by_minute) + own
    return np.array([known[id(spec.scaling)] for spec in month.specs])


def _alarms_working(month: BilledMonth, candidate: int, by_minute: bool) -> str:
    spec = month.specs[candidate]
    tracking = "0 alarms of target tracking, taken as not billed"
    if month.extras.managed_alarms_billed:
        policies = _policies(spec, TargetTrackingScalingPolicy, by_minute)
        tracking = f"{counted(ALARMS_PER_TARGET, 'alarm')} × {written(policies)} with target tracking"
    steps = _policies(spec, StepScalingPolicy, by_minute)
    return f"{tracking} + {written(steps)} with step scaling + {written(_own_alarms(month, by_minute))} of your own"


def _insights_metrics(month: BilledMonth) -> int:
    return month.extras.insights_metrics_per_service if month.extras.container_insights == "enabled" else 0


def _custom_metrics(month: BilledMonth) -> Quantity:
    """Metrics by 20 seconds, and those of Container Insights as it was first."""
    fine = np.array([any(not _by_minute(p) for p in spec.watching) for spec in month.specs], dtype=np.float64)
    return HIGH_RESOLUTION_METRICS * fine + _insights_metrics(month)


def _custom_metrics_working(month: BilledMonth, candidate: int) -> str:
    fine = HIGH_RESOLUTION_METRICS * any(not _by_minute(policy) for policy in month.specs[candidate].watching)
    return f"{counted(fine, 'high-resolution metric')} + {written(_insights_metrics(month))} of Container Insights"


def _enhanced_metrics(month: BilledMonth) -> Quantity:
    extras = month.extras
    if extras.container_insights != "enhanced":
        return 0.0
    per_task = extras.insights_metrics_per_task + extras.insights_metrics_per_container * extras.containers_per_task
    running = month.simulation.running_task_hours * month.periods / month.hours
    return extras.insights_metrics_per_service + per_task * running


def _enhanced_working(month: BilledMonth, candidate: int) -> str:
    extras = month.extras
    containers = (
        f"{written(extras.insights_metrics_per_container)} × {counted(extras.containers_per_task, 'container')}"
    )
    per_task = f"({written(extras.insights_metrics_per_task)} of a task + {containers})"
    service = counted(extras.insights_metrics_per_service, "metric")
    return f"{service} of the service + {per_task} × {_running_task_hours(month, candidate)} ÷ {hours(month)}"


OBSERVING_CHARGES: dict[str, Charge] = {
    "logs_ingestion": Charge(
        "CloudWatch Logs ingestion",
        "logs_ingest_standard_gb",
        "GB of logs, and of Container Insights' performance log: running task minutes × bytes of a task and minute",
        _ingested_gb,
        _ingested_working,
        "AWS, CloudWatch pricing; the account's 5 free GB are not taken off; read 2026-09",
    ),
    "logs_ingestion_ia": Charge(
        "CloudWatch Logs ingestion, infrequent access",
        "logs_ingest_ia_gb",
        "GB of logs",
        lambda month: _in_class("INFREQUENT_ACCESS", month.log_gb, month),
        lambda month, _: log_gb(month),
        "AWS, CloudWatch pricing: half of the standard class; read 2026-09",
    ),
    "logs_storage": Charge(
        "CloudWatch Logs storage",
        "logs_storage_gb_month",
        "GB of logs and flow logs a day × days of retention × stored part, once as much expires as comes",
        _stored_gb,
        _stored_working,
        "AWS, CloudWatch pricing: compressed bytes; their part by the AWS Pricing Calculator; read 2026-11",
    ),
    "logs_insights": Charge(
        "Logs Insights queries",
        "logs_insights_scanned_gb",
        "GB scanned",
        lambda month: month.extras.log_insights_scanned_gb,
        lambda month, _: f"{written(month.extras.log_insights_scanned_gb)} GB",
        "AWS, CloudWatch pricing: each GB scanned; read 2026-09",
    ),
    "flow_logs": Charge(
        "VPC flow logs",
        "logs_ingest_vended_gb",
        "GB delivered to CloudWatch Logs",
        lambda month: _flow_logs_to("cloud-watch-logs", month, "STANDARD"),
        _delivered_working,
        "AWS, CloudWatch pricing: vended logs, tiers by month; read 2026-09",
    ),
    "flow_logs_ia": Charge(
        "VPC flow logs, infrequent access",
        "logs_ingest_vended_ia_gb",
        "GB delivered to CloudWatch Logs",
        lambda month: _flow_logs_to("cloud-watch-logs", month, "INFREQUENT_ACCESS"),
        _delivered_working,
        "AWS, CloudWatch pricing: vended logs by the class of their log group, tiers by month; read 2026-09",
    ),
    "flow_logs_s3": Charge(
        "VPC flow logs to S3",
        "logs_delivered_s3_gb",
        "GB delivered to S3, before compression",
        lambda month: _flow_logs_to("s3", month),
        _delivered_working,
        "AWS, CloudWatch pricing: vended logs delivered to S3, tiers by month; read 2026-09",
    ),
    "s3_log_storage": Charge(
        "S3 storage of access logs and flow logs",
        "s3_standard_storage_gb_month",
        "(GB of access logs + GB of flow logs × stored part) a day × days until they expire",
        _s3_log_gb,
        _s3_log_working,
        "AWS, Elastic Load Balancing, access logs: storage is billed, delivery is not; S3 pricing: tiers by month; read 2026-11",
    ),
    "s3_log_requests": Charge(
        "S3 requests of access logs",
        "s3_put_request",
        "hours × load balancer nodes, one for each zone, × 12 files, at most one a request",
        _access_log_files,
        _access_log_files_working,
        "AWS, Elastic Load Balancing, access logs: a file for each node every 5 minutes; read 2026-11",
    ),
    "custom_metrics": Charge(
        "Metrics by 20 seconds and of Container Insights",
        "custom_metric_month",
        "2 with a policy on a 20-second metric, and those of Container Insights for a service",
        _custom_metrics,
        _custom_metrics_working,
        "AWS, CloudWatch pricing: tiers by month; AWS News Blog, June 2026; read 2026-09",
    ),
    "enhanced_metrics": Charge(
        "Container Insights with enhanced observability",
        "container_insights_enhanced_ecs_metric_month",
        "metrics of the service + running tasks × (metrics of a task + of its containers)",
        _enhanced_metrics,
        _enhanced_working,
        "AWS, CloudWatch pricing: by metric and month, by the hour in which it has data; read 2026-09",
    ),
    "alarms": Charge(
        "Alarms",
        "alarm_standard_month",
        "2 for each target tracking policy, 1 for each of step scaling, and your own",
        lambda month: _alarms(month, True),
        lambda month, i: _alarms_working(month, i, True),
        "AWS, CloudWatch pricing: each alarm metric of standard resolution; read 2026-09",
    ),
    "high_resolution_alarms": Charge(
        "High-resolution alarms",
        "alarm_high_res_month",
        "2 for each target tracking policy on a 20-second metric, 1 for each of step scaling, and your own",
        lambda month: _alarms(month, False),
        lambda month, i: _alarms_working(month, i, False),
        "AWS, CloudWatch pricing: each alarm metric of high resolution; read 2026-09",
    ),
    "dashboards": Charge(
        "Dashboards",
        "dashboard_month",
        "dashboards; the account's three free ones are not taken off",
        lambda month: month.extras.dashboards,
        lambda month, _: counted(month.extras.dashboards, "dashboard"),
        "AWS, CloudWatch pricing; read 2026-09",
    ),
}
