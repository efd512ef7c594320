"""Extras: what is billed around a service, such as log storage, metrics and alarms, a firewall, CloudFront, images and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from estimator.checks import require_in_range, require_number, shown
from estimator.errors import InvalidScenario
from estimator.service.cloudfront_plans import CLOUDFRONT_PLANS, PAY_AS_YOU_GO, PREMIUM, PREMIUM_LEVELS

LOG_CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
#: AWS's values of ``LogDestinationType`` of a flow log.
FLOW_LOG_DESTINATIONS = ("cloud-watch-logs", "s3")
#: AWS's values of the cluster setting ``containerInsights``.
CONTAINER_INSIGHTS = ("disabled", "enabled", "enhanced")
#: AWS, "Capacity reservations for your Application Load Balancer", read 2026: a reservation is at least so much. [LCU]
LEAST_RESERVED_LCU = 100
#: Edge geographies of CloudFront's price list.
EDGES = ("AP", "AU", "CA", "EU", "IN", "JP", "ME", "SA", "US", "ZA")
_COUNT = {"low": 0, "high": 1_000_000, "whole": True}
_AMOUNT = {"low": 0, "high": 1e12}


@dataclass(frozen=True)
class Extras:
    """What is billed around the service; by default what comes with any.

    Parameters
    ----------
    log_class : str
        Class of the log group: ``STANDARD`` or ``INFREQUENT_ACCESS``.
    log_stored_share : float
        Stored bytes of a log, compressed, over ingested ones; 0.15 is the compression factor of AWS's Pricing Calculator. [1]
    log_insights_scanned_gb : float
        What queries of Logs Insights scan in a month. [GB]
    flow_log_gb : float
        VPC flow logs in a month, before compression. [GB]
    flow_log_destination : str
        Where flow logs go: ``cloud-watch-logs``, where they are kept as long as the application's log, or ``s3``.
    flow_log_class : str
        Class of the flow logs' own log group: ``STANDARD`` or ``INFREQUENT_ACCESS``.
    alb_access_logs : bool
        True if the load balancer writes access logs to S3.
    access_log_bytes_per_request : float
        Bytes of an entry of the access log as it is stored, compressed. [B]
    s3_log_retention_days : int
        Days after which a lifecycle rule removes access logs and flow logs from S3. [d]
    container_insights : str
        ``disabled``, ``enabled`` or ``enhanced``, as the cluster's setting has it.
    insights_metrics_per_service : int
        Metrics of Container Insights for a cluster with one service and one task definition, by AWS's list of dimension sets. [1]
    insights_metrics_per_task, insights_metrics_per_container : int
        Metrics that enhanced Container Insights has for each task, and for each of its containers; ten in two dimension sets each, and
        whether each set is billed is not confirmed. [1]
    insights_log_bytes_per_task_minute : float
        What Container Insights (``enabled``) writes to its performance log for a task with its containers in a minute. [B/min]
    containers_per_task : int
        Containers of a task. [1]
    managed_alarms_billed : bool
        True if the alarms that target tracking makes are billed as any other; AWS does not say.
    standard_alarms, high_resolution_alarms, dashboards : int
        Alarms of your own, by the minute and of less than a minute, and dashboards. [1]
    reserved_lcu : int
        Reserved load balancer capacity units; 0 for none, else at least 100. [LCU]
    waf_rules : int, optional
        Rules and managed groups of a web ACL at the load balancer; null for no web ACL. A flat-rate plan has the web ACL at CloudFront, and
        in its price. [1]
    cloudfront_plan : str
        How CloudFront is paid: ``pay_as_you_go``, or a flat-rate plan of the distribution: ``free``, ``pro``, ``business``, ``premium``. A plan's
        price holds transfer, requests, the web ACL, one hosted zone and its queries.
    cloudfront_premium_tb : int, optional
        Level of the Premium plan by its monthly data transfer: 50, 75, 125, 200, 350 or 600; null for the smallest that allows the month's traffic.
        [TB]
    cloudfront_edges : dict of str to float
        Where CloudFront's viewers are: shares by edge geography (AP, AU, CA, EU, IN, JP, ME, SA, US, ZA) that add up to 1; empty for the region's own.
        [1]
    cloudfront_free_tier : bool
        True to take off CloudFront's monthly 1 TB and 10 million requests, if nobody else in the account uses them.
    cloudfront_http_share : float
        Part of the viewers' requests that come by HTTP and not by HTTPS, and cost less. [1]
    cloudfront_upload_share : float
        Part of the request bytes from CloudFront to the load balancer that are of POST, PUT, PATCH, DELETE and OPTIONS: AWS bills those of no
        other method. [1]
    free_egress : bool
        True to take off the account's monthly 100 GB of data transfer to the internet, if nobody else in the account uses them.
    ecr_images : int
        Images of the application that are kept in ECR, as many as its lifecycle policy lets stand. [1]
    kms_keys : int
        Customer managed keys. [1]
    kms_requests : float
        Requests to KMS in a month. [requests]
    hosted_zones : int
        Route 53 hosted zones. [1]
    dns_queries : float
        Route 53 queries in a month; those of alias records to the load balancer are free. [queries]

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    log_class: str = "STANDARD"
    log_stored_share: float = field(default=0.15, metadata={"low": 0, "high": 1})
    log_insights_scanned_gb: float = field(default=0.0, metadata=_AMOUNT)
    flow_log_gb: float = field(default=0.0, metadata=_AMOUNT)
    flow_log_destination: str = "cloud-watch-logs"
    flow_log_class: str = "STANDARD"
    alb_access_logs: bool = False
    access_log_bytes_per_request: float = field(default=100.0, metadata={"low": 0, "high": 100_000})
    s3_log_retention_days: int = field(default=30, metadata={"low": 1, "high": 36_500, "whole": True})
    container_insights: str = "disabled"
    insights_metrics_per_service: int = field(default=37, metadata=_COUNT)
    insights_metrics_per_task: int = field(default=20, metadata=_COUNT)
    insights_metrics_per_container: int = field(default=20, metadata=_COUNT)
    insights_log_bytes_per_task_minute: float = field(default=2100.0, metadata={"low": 0, "high": 1e6})
    containers_per_task: int = field(default=1, metadata={"low": 1, "high": 10, "whole": True})
    managed_alarms_billed: bool = True
    standard_alarms: int = field(default=0, metadata=_COUNT)
    high_resolution_alarms: int = field(default=0, metadata=_COUNT)
    dashboards: int = field(default=0, metadata=_COUNT)
    reserved_lcu: int = field(default=0, metadata={"low": 0, "high": 15_000, "whole": True})
    waf_rules: int | None = field(default=None, metadata={"low": 0, "high": 1500, "whole": True})
    cloudfront_plan: str = PAY_AS_YOU_GO
    cloudfront_premium_tb: int | None = None
    cloudfront_edges: Mapping[str, float] = field(default_factory=dict)
    cloudfront_free_tier: bool = True
    cloudfront_http_share: float = field(default=0.0, metadata={"low": 0, "high": 1})
    cloudfront_upload_share: float = field(default=1.0, metadata={"low": 0, "high": 1})
    free_egress: bool = False
    ecr_images: int = field(default=10, metadata={"low": 0, "high": 100_000, "whole": True})
    kms_keys: int = field(default=0, metadata=_COUNT)
    kms_requests: float = field(default=0.0, metadata=_AMOUNT)
    hosted_zones: int = field(default=0, metadata=_COUNT)
    dns_queries: float = field(default=0.0, metadata=_AMOUNT)

    def __post_init__(self) -> None:
        require_in_range(self)
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise InvalidScenario(
                    f"{name} is {shown(getattr(self, name))}; it must be one of {', '.join(allowed)}."
                )
        for name in ("managed_alarms_billed", "cloudfront_free_tier", "free_egress", "alb_access_logs"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidScenario(f"{name} is {shown(getattr(self, name))}; it must be true or false.")
        if self.flow_log_destination == "s3" and self.flow_log_class != "STANDARD":
            raise InvalidScenario(
                f"flow_log_class is {self.flow_log_class} and flow_log_destination is s3; only a log group has a class. Leave flow_log_class out, or "
                "set flow_log_destination to cloud-watch-logs."
            )
        self._check_premium()
        if 0 < self.reserved_lcu < LEAST_RESERVED_LCU:
            raise InvalidScenario(
                f"reserved_lcu is {self.reserved_lcu}; AWS reserves at least {LEAST_RESERVED_LCU}. Set 0 for no reservation."
            )
        if not isinstance(self.cloudfront_edges, Mapping):
            raise InvalidScenario(
                f"cloudfront_edges is {shown(self.cloudfront_edges)}; it must give shares by geography, such as EU: 1."
            )
        for edge, share in self.cloudfront_edges.items():
            if edge not in EDGES:
                raise InvalidScenario(f"cloudfront_edges has {shown(edge)}; it must be one of {', '.join(EDGES)}.")
            require_number(f"cloudfront_edges.{edge}", share, 0, 1)
        total = sum(self.cloudfront_edges.values())
        if self.cloudfront_edges and abs(total - 1.0) > 1e-6:
            raise InvalidScenario(f"cloudfront_edges add up to {total:g}; they must add up to 1.")

    def _check_premium(self) -> None:
        level = self.cloudfront_premium_tb
        if level is None:
            return
        if isinstance(level, bool) or level not in tuple(PREMIUM_LEVELS):
            raise InvalidScenario(
                f"cloudfront_premium_tb is {shown(level)}; it must be one of {', '.join(map(str, PREMIUM_LEVELS))}. Leave it out for the "
                "smallest that allows the month's traffic."
            )
        if self.cloudfront_plan != PREMIUM:
            raise InvalidScenario(
                f"cloudfront_premium_tb is {level} and cloudfront_plan is {self.cloudfront_plan}; only the Premium plan has levels. Set "
                "cloudfront_plan to premium, or leave cloudfront_premium_tb out."
            )


_ALLOWED = {
    "log_class": LOG_CLASSES,
    "flow_log_class": LOG_CLASSES,
    "flow_log_destination": FLOW_LOG_DESTINATIONS,
    "container_insights": CONTAINER_INSIGHTS,
    "cloudfront_plan": CLOUDFRONT_PLANS,
}


def edge_of(region: str) -> str:
    """Name the geography of CloudFront's price list in which a region lies.

    Parameters
    ----------
    region : str
        Region code.

    Returns
    -------
    str
        One of `EDGES`.

    Examples
    --------
    >>> edge_of("eu-west-1"), edge_of("ap-northeast-1"), edge_of("ap-southeast-1")
    ('EU', 'JP', 'AP')
    """
    if region in _SPECIAL_EDGES:
        return _SPECIAL_EDGES[region]
    return _EDGE_BY_PREFIX.get(region.partition("-")[0], "US")


_EDGE_BY_PREFIX = {
    "us": "US",
    "mx": "US",
    "ca": "CA",
    "eu": "EU",
    "il": "EU",
    "ap": "AP",
    "sa": "SA",
    "me": "ME",
    "af": "ZA",
}
#: AWS, "Amazon CloudFront pricing", geographies, read 2026: Japan, India and Australia have prices of their own.
_SPECIAL_EDGES = {
    "ap-northeast-1": "JP",
    "ap-northeast-3": "JP",
    "ap-south-1": "IN",
    "ap-south-2": "IN",
    "ap-southeast-2": "AU",
    "ap-southeast-4": "AU",
    "ap-southeast-6": "AU",
}
