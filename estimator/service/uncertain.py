"""UNCERTAIN: what is taken for granted without AWS saying so, each with its source and the other values that it may have.

Notes
-----
`estimator.planning.sensitivity` moves each of them and says what that does to a service; ``docs/uncertain.md`` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from estimator.service.behavior import AwsBehavior

Value = float | bool

#: Where a scenario sets a parameter.
BEHAVIOR, REQUEST, SCALING, EXTRAS = "behavior", "request", "service.scaling", "extras"
#: Unit of a parameter that is true or false.
TRUTH = "true or false"

# What shows a parameter's effect: a key of `estimator.planning.sensitivity.SETTINGS`.
CPU_TARGET = "CPU target tracking"
FINE_METRICS = "20-second metrics"
REQUESTS_PER_TARGET = "requests per target"
SILENT_NIGHTS = "requests per target, silent nights"
LARGE_IMAGE = "a large image"
SPOT = "Fargate Spot"
HUNDREDS = "hundreds of tasks"
ZONE_LOSS = "loss of a zone"
QUOTA = "vCPU quota"
NO_QUOTA = "vCPU quota not kept"
CONNECTIONS = "many connections"
CLOUDFRONT = "CloudFront in front"
PREDICTIVE = "predictive scaling"
INSIGHTS = "Container Insights"
LOGS_AROUND = "access logs and Container Insights"
WINDOWS_TASKS = "Windows tasks"
SHARED_NAT = "a shared NAT gateway"


@dataclass(frozen=True, slots=True)
class Uncertain:
    """One parameter whose value nobody knows for sure.

    Parameters
    ----------
    name : str
        Name of the field.
    default : float or bool
        What is taken. [unit]
    moved : tuple of float or bool
        Other values that it may plausibly have, low to high. [unit]
    unit : str
        Unit of them all.
    source : str
        What says so, with its date.
    confidence : str
        How sure the default is, in words.
    shows_with : str
        What shows its effect: a row of `estimator.planning.sensitivity.SETTINGS`.
    section : str
        Section of a scenario that sets it.
    """

    name: str
    default: Value
    moved: tuple[Value, ...]
    unit: str
    source: str
    confidence: str
    shows_with: str
    section: str = BEHAVIOR

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "parameter": self.name,
            "section": self.section,
            "default": self.default,
            "unit": self.unit,
            "moved": list(self.moved),
            "source": self.source,
            "confidence": self.confidence,
            "shows_with": self.shows_with,
        }


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something uncertain that no bill holds, since nothing that it concerns is billed.

    Parameters
    ----------
    title : str
        What it is, in words.
    source : str
        What is known, with its date.
    """

    title: str
    source: str


_DEFAULTS: dict[str, Any] = {item.name: item.default for item in fields(AwsBehavior)}


def _of_aws(
    name: str, moved: tuple[Value, ...], unit: str, source: str, confidence: str, shows_with: str
) -> tuple[str, Uncertain]:
    return name, Uncertain(name, _DEFAULTS[name], moved, unit, source, confidence, shows_with)


#: Fields of `AwsBehavior`, by name.
UNCERTAIN: dict[str, Uncertain] = dict([
    _of_aws(
        "metric_lag_s", (60, 240), "s",
        "AWS News Blog, June 2026: scale-out 363 s after a spike, which a lag of 123 to 243 s gives, by where in its minute the spike falls; "
        "AWS's ECS workshop, 2020 to 2024: some 240 s in all, a lag of 60 s",
        "measured once by AWS, reported otherwise before", CPU_TARGET,
    ),
    _of_aws(
        "high_resolution_metric_lag_s", (6, 46), "s",
        "AWS News Blog, June 2026: scale-out 86 s after a spike, which a lag of 6 to 46 s gives",
        "measured once by AWS", FINE_METRICS,
    ),
    _of_aws(
        "alb_metric_lag_s", (60, 240), "s",
        "No report of its own; taken to be as late as CPU",
        "assumed", REQUESTS_PER_TARGET,
    ),
    _of_aws(
        "scale_out_datapoints", (2, 4), "1",
        "Alarms that Application Auto Scaling made, in published Terraform states and AWS workshops, 2020 to 2024: 3 of 3; AWS does not "
        "document it",
        "several observations agree", CPU_TARGET,
    ),
    _of_aws(
        "scale_in_datapoints", (10, 20), "1",
        "The same alarms, 2020 to 2024: 15 of 15; AWS does not document it",
        "several observations agree", CPU_TARGET,
    ),
    _of_aws(
        "high_resolution_scale_out_datapoints", (2, 4), "1",
        "Not published; AWS's 86 s (June 2026) leave room for 1 to 5",
        "assumed", FINE_METRICS,
    ),
    _of_aws(
        "high_resolution_scale_in_datapoints", (45,), "1",
        "Not published; 15 are 5 minutes, 45 would be the 15 minutes of one-minute metrics",
        "assumed", FINE_METRICS,
    ),
    _of_aws(
        "low_factor", (0.7, 0.8), "1",
        'Alarms that Application Auto Scaling made, 2020 to 2024: 70 and 63 %, 80 and 72 %, 30 and 27 %; AWS, "How target tracking scaling works", '
        "read 2026: usually more than 10 % lower; the alarms of EC2 Auto Scaling have 0.7",
        "several observations agree", CPU_TARGET,
    ),
    _of_aws(
        "alb_low_factor", (0.7, 0.8), "1",
        "No report of its own; taken to be as for CPU",
        "assumed", REQUESTS_PER_TARGET,
    ),
    _of_aws(
        "scale_in_step_percent", (0.0, 100.0), "%",
        'AWS, "Target tracking scaling policies" of Amazon ECS, read 2026: it "scales in more gradually"; observers report anything from one '
        "task at a time (0) to what the metric asks for (100)",
        "our own choice between the reports", CPU_TARGET,
    ),
    _of_aws(
        "mean_of_datapoints", (True,), TRUTH,
        "AWS does not say which datapoint the new count comes from",
        "our own choice", CPU_TARGET,
    ),
    _of_aws(
        "alarm_reinvocation", (False,), TRUTH,
        'AWS, "Alarm actions" of CloudWatch, read 2026: actions of Auto Scaling alone are repeated while an alarm stays in its state, once a minute by an '
        "older edition; nothing is said of target tracking",
        "documented of Auto Scaling in general", CPU_TARGET,
    ),
    _of_aws(
        "zero_requests_reported", (False,), TRUTH,
        'AWS, "CloudWatch metrics for your Application Load Balancer", read 2026: metrics are reported only while requests flow; the same page has '
        "RequestCountPerTarget always reported",
        "documented both ways", SILENT_NIGHTS,
    ),
    _of_aws(
        "provision_s", (15, 60), "s",
        "AWS News Blog, June 2026: 23 s from the decision (386 less 363 s); our fit to elasticscale.com, April 2024: 15 s; articles without a "
        "source: one minute and more",
        "measured once by AWS", CPU_TARGET,
    ),
    _of_aws(
        "unbilled_s", (0, 20), "s",
        'Some 10 s for scheduling and the network interface; AWS, "Fargate pricing", read 2026: billed from the image pull on',
        "one report", CPU_TARGET,
    ),
    _of_aws(
        "pull_mb_per_s", (7.0, 15.0), "MB/s",
        "Our fit to elasticscale.com, April 2024: an image of 413 MB started after 53 to 62 s",
        "one benchmark", LARGE_IMAGE,
    ),
    _of_aws(
        "start_time_cv", (0.5,), "1",
        "elasticscale.com, April 2024: ten starts of one image within 53 to 62 s, which is 0.05; our own reading of others: a median of 35 and a 95th "
        "percentile of 75 s, which is 0.5",
        "one benchmark", CPU_TARGET,
    ),
    _of_aws(
        "registration_s", (2, 5), "s",
        "No report but of a few seconds",
        "our own choice", CPU_TARGET,
    ),
    _of_aws(
        "windows_minimum_billed_s", (60,), "s",
        'Widely stated of AWS, "Fargate pricing", with Windows, 2021 to 2026: five minutes; with Linux it is one',
        "reported, not found in AWS's own words", WINDOWS_TASKS,
    ),
    _of_aws(
        "launch_burst", (25,), "tasks",
        'AWS, "Fargate throttling quotas", read 2026: 100 in older regions, 25 in those opened after May 2025',
        "documented, differs by region and account", HUNDREDS,
    ),
    _of_aws(
        "launch_per_s", (5.0,), "tasks/s",
        "The same page: 20, and 5 in the newer regions; what a service may launch in a minute can be less",
        "documented, differs by region and account", HUNDREDS,
    ),
    _of_aws(
        "service_launches_per_minute", (125,), "tasks/min",
        'AWS, "Amazon ECS service quotas", read 2026: 500, and 125 in the newer regions',
        "documented, differs by region", HUNDREDS,
    ),
    _of_aws(
        "spot_interruptions_per_task_hour", (0.0001, 0.01), "1/h",
        "AWS publishes nothing for Fargate (asked for in its roadmap's issue 1358, open since April 2021); its EC2 Spot Instance Advisor has "
        "5 to 20 % a month, 0.00007 to 0.0003 an hour",
        "our own choice: no figure is known", SPOT,
    ),
    _of_aws(
        "zone_detection_s", (30, 300), "s",
        "AWS does not say how soon tasks of a lost zone are replaced",
        "our own choice", ZONE_LOSS,
    ),
    _of_aws(
        "connection_count_factor", (2.0,), "1",
        'AWS, "Elastic Load Balancing pricing", read 2026: newly established connections, without saying whose; the CloudWatch metrics of the '
        "same name count those to the targets too",
        "our own choice between two readings", CONNECTIONS,
    ),
    _of_aws(
        "cross_zone_ends_billed", (1,), "1",
        'AWS, "Understanding data transfer charges" of Cost and Usage Reports, read 2026: two lines of DataTransfer-Regional-Bytes, one at each end; '
        "articles on a NAT gateway in another zone count one cent a GB about as often as one in each direction",
        "documented, and reported both ways", SHARED_NAT,
    ),
    _of_aws(
        "fargate_vcpu_quota", (4.0, 100.0), "vCPU",
        'AWS, "Amazon ECS service quotas", read 2026: 6, less in new accounts, raised with use; the Service Quotas console shows yours',
        "documented, differs by account", QUOTA,
    ),
    _of_aws(
        "enforce_vcpu_quota", (True,), TRUTH,
        "AWS launches no task beyond the quota; by default a plan that needs more is taken to have it raised, and says so",
        "our own choice", NO_QUOTA,
    ),
])  # fmt: skip

#: Parameters of other sections, by name.
ELSEWHERE: dict[str, Uncertain] = {
    row.name: row
    for row in (
        Uncertain(
            "arrival_cv", 1.0, (0.5, 2.0), "1",
            "Requests of many independent clients come at random, which is 1; measure yours at one task, since many tasks share the bursts of a service",
            "a fact of your load", CPU_TARGET, REQUEST,
        ),
        Uncertain(
            "usable_cpu_share", 1.0, (0.75,), "1",
            'AWS, "Best practices for Amazon ECS auto scaling", read 2026: an application may saturate at 70 to 80 % of its CPU; measure yours',
            "a fact of your application", CPU_TARGET, REQUEST,
        ),
        Uncertain(
            "service_time_cv", 1.0, (0.5, 2.0), "1",
            "Exponential times have 1, equal requests 0; measure yours",
            "a fact of your application", CPU_TARGET, REQUEST,
        ),
        Uncertain(
            "cloudfront_requests_per_connection", 100.0, (10.0, 1000.0), "1",
            "AWS gives no figure; it keeps connections to the origin open and shares them among clients",
            "assumed", CLOUDFRONT, REQUEST,
        ),
        Uncertain(
            "history_days", 14, (1, 7), "d",
            'AWS, "How predictive scaling works", read 2026: up to 14 days; its forecast itself is not published, ours is the mean of the same '
            "hour one and two weeks before",
            "the length is documented, the forecast our own choice", PREDICTIVE, SCALING,
        ),
        Uncertain(
            "managed_alarms_billed", True, (False,), TRUTH,
            "AWS does not say whether the alarms that target tracking makes are billed as any others",
            "assumed", CPU_TARGET, EXTRAS,
        ),
        Uncertain(
            "log_stored_share", 0.15, (0.05, 0.5), "1",
            "The compression factor of AWS's Pricing Calculator, read in exports of 2023 to 2025; measure yours (storedBytes of the log group)",
            "a fact of your logs", CPU_TARGET, EXTRAS,
        ),
        Uncertain(
            "insights_metrics_per_task", 20, (10, 40), "1",
            "AWS, Amazon ECS Developer Guide on Container Insights, read 2026: at least ten of each task, in two sets of dimensions; whether each is "
            "billed is not said",
            "our own choice", INSIGHTS, EXTRAS,
        ),
        Uncertain(
            "insights_metrics_per_container", 20, (10, 40), "1",
            "The same page, read 2026: ten of each container, in two sets of dimensions; whether each is billed is not said",
            "our own choice", INSIGHTS, EXTRAS,
        ),
        Uncertain(
            "insights_log_bytes_per_task_minute", 2100.0, (1000.0, 4000.0), "B/min",
            'AWS, "Container Insights performance log events for Amazon ECS", read 2026: its example events of a task and of a container are 1,452 '
            "and 645 bytes without white space, one of each a minute",
            "our own reading of AWS's examples", LOGS_AROUND, EXTRAS,
        ),
        Uncertain(
            "access_log_bytes_per_request", 100.0, (50.0, 640.0), "B",
            "Entries like AWS's examples (some 680 bytes) with addresses and ids at random pack to 92 bytes with gzip, as AWS stores them; AWS's "
            "Clickstream Analytics solution reckons with 637 (165 GB a month for 100 requests/s)",
            "a fact of your requests", LOGS_AROUND, EXTRAS,
        ),
        Uncertain(
            "cloudfront_upload_share", 1.0, (0.1,), "1",
            "AWS, CloudFront Developer Guide on its usage reports, read 2026: bytes to the origin of DELETE, OPTIONS, PATCH, POST and PUT alone; all of "
            "them is the most that can be billed",
            "a fact of your requests", CLOUDFRONT, EXTRAS,
        ),
    )
}  # fmt: skip

#: Fields of `AwsBehavior` that are not uncertain, and why.
DOCUMENTED: dict[str, str] = {
    "minimum_billed_s": 'AWS, "Fargate pricing", read 2026: a minute',
    "spot_warning_s": "AWS, Amazon ECS Developer Guide on Fargate Spot, read 2026: a warning of two minutes",
    "seed": "no property of AWS: another seed is another run of the same chances",
}

#: What was uncertain and makes no difference, and why.
SETTLED: dict[str, str] = {
    "Load balancer capacity units: the largest of four hourly means, or the sum of what is largest in each minute": (
        "AWS bills by the hour, publishes consumed units by the minute, and does not say which. Here both agree: new connections, active "
        "connections, bytes and rules of a workload are all proportional to its request rate, so that the dimension that leads an hour leads each "
        "of its minutes."
    ),
}

#: What is uncertain and in no bill.
NOT_YET: tuple[NotYet, ...] = (
    NotYet(
        "Callers inside the VPC, in another zone than the load balancer's node that they reach",
        'AWS, "Exploring Data Transfer Costs for Classic and Application Load Balancers": the side of the client is charged',
    ),
)
