"""What watches the service: which alarms there are, in which order they are used, the dashboard and the budget."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .section import ConfigError, Section

if TYPE_CHECKING:
    from .config import StackConfig

MAX_ALARMS = 5000
MAX_P95_LATENCY_MS = 4_000_000
MAX_BUDGET_USD = 1e12

# Where the load balancer and the service publish their metrics, and what they are of.
TARGETS, LOAD_BALANCER, SERVICE = "targets", "load balancer", "service"

# What a minute without a datapoint counts for, in CloudWatch's words.
NOT_BREACHING, MISSING = "notBreaching", "missing"

ABOVE, AT_LEAST, BELOW = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"

# A service that scales on a target is far above it here; what is left is the room until it stalls or is stopped. [%]
UTILIZATION_THRESHOLD = 90

# Where CloudFormation can make a budget: the regions whose schemas have AWS::Budgets::Budget, read 2026-11.
BUDGET_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)

# AWS, "PutMetricAlarm", read 2026: with periods below an hour an alarm looks back a day at the most. [min]
_LONGEST_LOOK_BACK_MIN = 1440

_E_MAIL = r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+"


@dataclass(frozen=True)
class ObservabilityConfig:
    """What watches the service, and who is told.

    Attributes
    ----------
    standard_alarms : int
        Alarms of a metric by the minute.
    high_resolution_alarms : int
        Alarms of a metric by 20 seconds.
    dashboards : int
        Dashboards, 0 or 1.
    p95_latency_ms : float or None
        Response time that 95 % of the requests are promised to stay below; None for no promise. [ms]
    alarm_email : str or None
        Who is told; None for nobody.
    budget_usd_per_month : float or None
        Monthly cost above which somebody is told; None for no budget. [USD/month]
    """

    standard_alarms: int
    high_resolution_alarms: int
    dashboards: int
    p95_latency_ms: float | None
    alarm_email: str | None
    budget_usd_per_month: float | None


@dataclass(frozen=True)
class AlarmConfig:
    """One alarm on one metric: an expression over two metrics would be billed as two alarms [1]_.

    Attributes
    ----------
    name : str
        What it is called in the stack.
    of : str
        `TARGETS`, `LOAD_BALANCER` or `SERVICE`.
    metric_name : str
        CloudWatch's name of the metric.
    statistic : str
        Statistic of a period: a minute, or less with high resolution.
    threshold : float
        Value that is compared with. [unit of the metric]
    evaluation_periods : int
        Newest periods that it looks at.
    datapoints_to_alarm : int
        How many of them must breach.
    treat_missing_data : str
        What a period without a datapoint counts for.
    description : str
        What has happened when it goes off.
    comparison_operator : str
        How the value is compared with the threshold.
    rolls_back : bool
        Whether a deployment is undone when it goes off: where it tells a bad revision from a good one.

    References
    ----------
    .. [1] AWS, "Amazon CloudWatch pricing", read 2026: alarms are billed by the metrics they refer to,
       https://aws.amazon.com/cloudwatch/pricing/
    """

    name: str
    of: str
    metric_name: str
    statistic: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str
    description: str
    comparison_operator: str = AT_LEAST
    rolls_back: bool = False


def alarm_table(
    *,
    p95_latency_ms: float | None,
    two_target_groups: bool,
    min_capacity: int,
    max_capacity: int,
    health_check_grace_s: int,
) -> tuple[AlarmConfig, ...]:
    """List the alarms that such a service can have, in order of use.

    Parameters
    ----------
    p95_latency_ms : float or None
        The promise; without one there is no alarm on the response time. [ms]
    two_target_groups : bool
        Whether the tasks move between two target groups. Hosts are counted by group, and the group without tasks has
        none: there is no alarm on their number then.
    min_capacity, max_capacity : int
        The lowest and the highest bound of the number of tasks, scheduled actions included.
    health_check_grace_s : int
        Time in which a new task may fail health checks while it boots. [s]

    Returns
    -------
    tuple[AlarmConfig, ...]
        The alarms.

    Notes
    -----
    What a minute without a datapoint counts for:

    - Errors and refusals are published where there are any [1]_, so that no datapoint is good news.
    - So is the response time where there are requests; a silent night breaks no promise.
    - The numbers of hosts, CPU and memory are published as long as there are tasks. No datapoint is no news, good or
      bad: the alarm says ``INSUFFICIENT_DATA``, and acts on nothing.

    Ten errors a minute, in three of five minutes, are a start: more than a crashed task leaves behind, and visible at
    any load. A service with many requests wants more.

    References
    ----------
    .. [1] AWS, "CloudWatch metrics for your Application Load Balancer", read 2026, "Reporting criteria",
       https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    # A task that boots may fail its checks as long as the grace says; only after that is it a sign.
    boot_min = min(math.ceil(health_check_grace_s / 60), _LONGEST_LOOK_BACK_MIN - 3) + 3
    promise_ms, scales = p95_latency_ms or 0, min_capacity < max_capacity
    one_group = not two_target_groups
    # Whether there is such an alarm; its name, metric and statistic; threshold, minutes, how many of them breach.
    # fmt: off
    table = (
        (True, AlarmConfig(
            "Target5xx", TARGETS, "HTTPCode_Target_5XX_Count", "Sum", 10, 5, 3, NOT_BREACHING,
            "The application answers with 5xx: at least 10 times a minute, in 3 of 5 minutes.", rolls_back=True,
        )),
        (p95_latency_ms is not None, AlarmConfig(
            "P95Latency", TARGETS, "TargetResponseTime", "p95", promise_ms / 1000, 5, 3, NOT_BREACHING,
            f"The promise is broken: p95 of the response time is above {promise_ms:g} ms, in 3 of 5 minutes.",
            ABOVE, rolls_back=True,
        )),
        (one_group, AlarmConfig(
            "UnhealthyTargets", TARGETS, "UnHealthyHostCount", "Maximum", 1, boot_min, boot_min, MISSING,
            "A task fails its health checks, for longer than one may while it boots.", rolls_back=True,
        )),
        (True, AlarmConfig(
            "LoadBalancer5xx", LOAD_BALANCER, "HTTPCode_ELB_5XX_Count", "Sum", 10, 5, 3, NOT_BREACHING,
            "The load balancer answers with 5xx itself, for want of an answer: at least 10 times a minute, in 3 of 5 minutes.",
        )),
        (True, AlarmConfig(
            "Cpu", SERVICE, "CPUUtilization", "Average", UTILIZATION_THRESHOLD, 5, 5, MISSING,
            f"CPU is at {UTILIZATION_THRESHOLD} % for 5 minutes: scaling does not follow, or is at its maximum.",
        )),
        (True, AlarmConfig(
            "Memory", SERVICE, "MemoryUtilization", "Average", UTILIZATION_THRESHOLD, 5, 5, MISSING,
            f"Memory is at {UTILIZATION_THRESHOLD} % for 5 minutes: a task that needs more than it has is stopped.",
        )),
        (True, AlarmConfig(
            "RejectedConnections", LOAD_BALANCER, "RejectedConnectionCount", "Sum", 1, 1, 1, NOT_BREACHING,
            "The load balancer rejects connections: it has as many as it can hold.",
        )),
        (True, AlarmConfig(
            "TargetConnectionErrors", TARGETS, "TargetConnectionErrorCount", "Sum", 10, 5, 3, NOT_BREACHING,
            "The load balancer cannot connect to tasks: at least 10 times a minute, in 3 of 5 minutes.", rolls_back=True,
        )),
        (one_group, AlarmConfig(
            "TooFewHealthyTargets", TARGETS, "HealthyHostCount", "Minimum", min_capacity, boot_min, boot_min, MISSING,
            f"Fewer healthy tasks than min_capacity, {min_capacity}, for longer than a new one takes.", BELOW,
        )),
        (one_group and scales, AlarmConfig(
            "AtMaximum", TARGETS, "HealthyHostCount", "Maximum", max_capacity, 15, 15, MISSING,
            f"As many tasks as max_capacity, {max_capacity}, allows for 15 minutes: scaling has no more to give.",
        )),
    )
    # fmt: on
    return tuple(alarm for applies, alarm in table if applies)


def high_resolution_alarm(metric_name: str) -> AlarmConfig:
    """Describe the alarm on a metric that the service publishes every 20 seconds.

    Parameters
    ----------
    metric_name : str
        ``CPUUtilization`` or ``MemoryUtilization``.

    Returns
    -------
    AlarmConfig
        The alarm, with periods of 30 seconds.
    """
    return AlarmConfig(
        f"HighResolution{metric_name}", SERVICE, metric_name, "Average", UTILIZATION_THRESHOLD, 3, 3, MISSING,
        f"{metric_name} is at {UTILIZATION_THRESHOLD} % for 90 seconds: a peak comes faster than scaling follows.",
    )  # fmt: skip


def read_observability(section: Section) -> ObservabilityConfig:
    """Read the key ``observability``.

    Parameters
    ----------
    section : Section
        What the document has there.

    Returns
    -------
    ObservabilityConfig
        What watches the service.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    section.check_keys(
        "standard_alarms high_resolution_alarms dashboards p95_latency_ms alarm_email budget_usd_per_month"
    )
    return ObservabilityConfig(
        standard_alarms=section.integer("standard_alarms", 0, MAX_ALARMS),
        high_resolution_alarms=section.integer("high_resolution_alarms", 0, MAX_ALARMS),
        dashboards=section.integer("dashboards", 0, 1),
        p95_latency_ms=_positive(section, "p95_latency_ms", MAX_P95_LATENCY_MS),
        alarm_email=section.optional_text(
            "alarm_email", _E_MAIL, "an e-mail address such as 'team@example.com', or null, is needed"
        ),
        budget_usd_per_month=_positive(section, "budget_usd_per_month", MAX_BUDGET_USD),
    )


def alarms_of(config: "StackConfig") -> tuple[AlarmConfig, ...]:
    """List the alarms that a service can have, in order of use.

    Parameters
    ----------
    config : StackConfig
        All of the configuration.

    Returns
    -------
    tuple[AlarmConfig, ...]
        The alarms, of which the stack has the first.
    """
    service, actions = config.service, config.scheduled_actions
    return alarm_table(
        p95_latency_ms=config.observability.p95_latency_ms,
        two_target_groups=service.deployment.has_two_target_groups,
        min_capacity=min(
            [service.min_capacity, *(one.min_capacity for one in actions if one.min_capacity is not None)]
        ),
        max_capacity=max(
            [service.max_capacity, *(one.max_capacity for one in actions if one.max_capacity is not None)]
        ),
        health_check_grace_s=service.health_check_grace_s,
    )


def check_observability(config: "StackConfig") -> None:
    """Refuse more alarms than there is something to watch for, and a budget where there can be none.

    Parameters
    ----------
    config : StackConfig
        All of the configuration.

    Raises
    ------
    ConfigError
        If there are more alarms than that, of either kind, or CloudFormation has no budgets in the region.
    """
    known, wanted = alarms_of(config), config.observability.standard_alarms
    if wanted > len(known):
        raise ConfigError(
            f"observability.standard_alarms is {wanted}: at most {len(known)} is needed, as many alarms as the stack knows for such a "
            f"service, {', '.join(alarm.name for alarm in known)}; plan with fewer, or write one of your own into alarm_table in "
            "fargate_stack/observability_config.py."
        )
    wanted, metrics = config.observability.high_resolution_alarms, len(config.high_resolution_metrics)
    if wanted > metrics:
        raise ConfigError(
            f"observability.high_resolution_alarms is {wanted}: at most {metrics} is needed, one for each metric that the service publishes "
            "every 20 seconds, which it does for a policy of target tracking on a metric of high resolution; plan with fewer, or with "
            "such a policy."
        )
    budget = config.observability.budget_usd_per_month
    if budget is not None and config.region not in BUDGET_REGIONS:
        raise ConfigError(
            f"observability.budget_usd_per_month is {budget:g}: CloudFormation makes no budget in {config.region!r}; null is needed, and "
            "the budget can be made in the console of AWS Budgets."
        )


def _positive(section: Section, key: str, high: float) -> float | None:
    return None if section.optional_number(key) is None else section.number(key, high)
