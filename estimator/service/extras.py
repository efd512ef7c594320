"""Extras: what is billed around a service, such as log storage, metrics and alarms, a firewall, CloudFront, images and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from estimator.checks import require_in_range, require_number, shown
from estimator.errors import InvalidScenario

LOG_CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
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
        VPC flow logs that go to CloudWatch Logs in a month. [GB]
    container_insights : str
        ``disabled``, ``enabled`` or ``enhanced``, as the cluster's setting has it.
    insights_metrics_per_service : int
        Metrics of Container Insights for a cluster with one service and one task definition, by AWS's list of dimension sets. [1]
    insights_metrics_per_task, insights_metrics_per_container : int
        Metrics that enhanced Container Insights has for each task, and for each of its containers; ten in two dimension sets each, and
        whether each set is billed is not confirmed. [1]
    containers_per_task : int
        Containers of a task. [1]
    managed_alarms_billed : bool
        True if the alarms that target tracking makes are billed as any other; AWS does not say.
    standard_alarms, high_resolution_alarms, dashboards : int
        Alarms of your own, by the minute and of less than a minute, and dashboards. [1]
    reserved_lcu : int
        Reserved load balancer capacity units; 0 for none, else at least 100. [LCU]
    waf_rules : int, optional
        Rules and managed groups of a web ACL at the load balancer; null for no web ACL. [1]
    cloudfront_edges : dict of str to float
        Where CloudFront's viewers are: shares by edge geography (AP, AU, CA, EU, IN, JP, ME, SA, US, ZA) that add up to 1; empty for the region's own.
        [1]
    cloudfront_free_tier : bool
        True to take off CloudFront's monthly 1 TB and 10 million requests, if nobody else in the account uses them.
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
    container_insights: str = "disabled"
    insights_metrics_per_service: int = field(default=37, metadata=_COUNT)
    insights_metrics_per_task: int = field(default=20, metadata=_COUNT)
    insights_metrics_per_container: int = field(default=20, metadata=_COUNT)
    containers_per_task: int = field(default=1, metadata={"low": 1, "high": 10, "whole": True})
    managed_alarms_billed: bool = True
    standard_alarms: int = field(default=0, metadata=_COUNT)
    high_resolution_alarms: int = field(default=0, metadata=_COUNT)
    dashboards: int = field(default=0, metadata=_COUNT)
    reserved_lcu: int = field(default=0, metadata={"low": 0, "high": 15_000, "whole": True})
    waf_rules: int | None = field(default=None, metadata={"low": 0, "high": 1500, "whole": True})
    cloudfront_edges: Mapping[str, float] = field(default_factory=dict)
    cloudfront_free_tier: bool = True
    ecr_images: int = field(default=10, metadata={"low": 0, "high": 100_000, "whole": True})
    kms_keys: int = field(default=0, metadata=_COUNT)
    kms_requests: float = field(default=0.0, metadata=_AMOUNT)
    hosted_zones: int = field(default=0, metadata=_COUNT)
    dns_queries: float = field(default=0.0, metadata=_AMOUNT)

    def __post_init__(self) -> None:
        require_in_range(self)
        for name, allowed in (("log_class", LOG_CLASSES), ("container_insights", CONTAINER_INSIGHTS)):
            if getattr(self, name) not in allowed:
                raise InvalidScenario(
                    f"{name} is {shown(getattr(self, name))}; it must be one of {', '.join(allowed)}."
                )
        for name in ("managed_alarms_billed", "cloudfront_free_tier"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidScenario(f"{name} is {shown(getattr(self, name))}; it must be true or false.")
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
