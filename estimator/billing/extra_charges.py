"""EXTRA_CHARGES: the lines of the bill for what stands around the service: what watches it, edge, images, secrets and names.

Notes
-----
What AWS prices by the month (secrets, keys, CloudFront's plans) is taken for a whole month, whatever its length in hours.
"""

from __future__ import annotations

import numpy as np

from estimator.billing.charge import Charge, Quantity
from estimator.billing.month import BilledMonth
from estimator.billing.observing_charges import OBSERVING_CHARGES
from estimator.billing.working import (
    KB_AS_GB,
    at,
    counted,
    hours,
    load_balancer_requests,
    task_requests,
    times,
    written,
)
from estimator.service.cloudfront_plans import PLAN_LEVELS, CloudFrontPlan, plan_level
from estimator.service.extras import EDGES, edge_of
from estimator.units import BYTES_PER_GB, BYTES_PER_KB, MB_PER_GB
from estimator.workload.request import Workload

#: Parts of an ARN, the last one the secret's name.
_ARN_PARTS = 7
#: AWS, "Amazon CloudFront pricing", always free each month, read 2026.
CLOUDFRONT_FREE_GB, CLOUDFRONT_FREE_REQUESTS = 1024.0, 10_000_000.0
#: AWS, "EC2 On-Demand pricing", data transfer: of all services and regions together, GovCloud and China apart, read 2026.
FREE_EGRESS_GB = 100.0


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
    sent: Quantity = np.maximum(month.response_gb + month.outbound_sent_gb - _free_egress_gb(month), 0.0)
    return sent


def billed_egress_working(month: BilledMonth, candidate: int) -> str:
    """Write the data transfer to the internet that is billed as its formula with its numbers.

    Parameters
    ----------
    month : BilledMonth
        The month.
    candidate : int
        Position of the candidate; it is the same for all.

    Returns
    -------
    str
        The arithmetic of `billed_egress_gb`. [GB]
    """
    work = month.workload
    handshakes = "0 kB of TLS handshakes"
    if work.tls_handshake_sent_kb and work.tls_resumed_share < 1:
        resumed = f" × (1 − {written(work.tls_resumed_share)} resumed)" if work.tls_resumed_share else ""
        per_connection = counted(work.requests_per_connection, "request")
        handshakes = (
            f"{written(work.tls_handshake_sent_kb)} kB of a TLS handshake{resumed} ÷ {per_connection} over a connection"
        )
    sent = f"{written(work.response_kb)} kB{times(work.compression_ratio, 'after compression')} + {handshakes}"
    if work.behind_cloudfront:
        sent = "0 kB, as what CloudFront is sent is free"
    calls = "0 GB of calls"
    if work.outbound_sent_kb_per_request:
        calls = f"{task_requests(month)} × {written(work.outbound_sent_kb_per_request)} kB of calls{KB_AS_GB}"
    free = _free_egress_gb(month)
    less = f" − {written(free)} GB free" if free else ""
    return f"{counted(month.requests, 'request')} × ({sent}){KB_AS_GB} + {calls}{less}"


def _free_egress_gb(month: BilledMonth) -> float:
    # GovCloud has no free amount.
    return FREE_EGRESS_GB if month.extras.free_egress and not month.region.startswith("us-gov-") else 0.0


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


def _secrets(month: BilledMonth) -> int:
    # Behind the secret's name a reference may name a JSON key, a version stage and a version of it.
    return len({":".join(arn.split(":")[:_ARN_PARTS]) for arn in month.application.secrets.values()})


def _images_working(month: BilledMonth, _: int) -> str:
    images = counted(month.extras.ecr_images, "image")
    return f"{written(month.application.image_mb)} MB ÷ {written(MB_PER_GB)} MB per GB × {images}"


def _secret_requests_working(month: BilledMonth, candidate: int) -> str:
    started = counted(at(month.started_tasks, candidate), "started task")
    return f"{started} × {counted(len(month.application.secrets), 'reference')}"


def _hosted_zones_working(month: BilledMonth, _: int) -> str:
    zones = counted(month.extras.hosted_zones, "hosted zone")
    return zones if _plan(month) is None else f"{zones} − 1 in the flat-rate plan"


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


def _free(amount: float, month: BilledMonth) -> float:
    return amount if month.extras.cloudfront_free_tier else 0.0


def _less_free(amount: str, free: str, month: BilledMonth) -> str:
    return f"({amount} − {free})" if month.extras.cloudfront_free_tier else amount


def _cloudfront_gb(month: BilledMonth) -> float:
    return max(0.0, viewer_traffic(month.workload, month.hours)[1] - _free(CLOUDFRONT_FREE_GB, month))


def _cloudfront_gb_working(month: BilledMonth) -> str:
    work = month.workload
    kb = f"{written(work.response_kb)} kB{times(work.compression_ratio, 'after compression')}"
    sent = f"{counted(month.requests, 'request')} × {kb}{KB_AS_GB}"
    return _less_free(sent, f"{written(CLOUDFRONT_FREE_GB)} GB free", month)


def _cloudfront_requests(month: BilledMonth, share: float) -> float:
    # AWS does not say which requests are the free ones: they are taken off both kinds alike.
    return max(0.0, month.requests - _free(CLOUDFRONT_FREE_REQUESTS, month)) * share


def _cloudfront_requests_working(month: BilledMonth) -> str:
    return _less_free(counted(month.requests, "request"), f"{written(CLOUDFRONT_FREE_REQUESTS)} free", month)


def _uploaded_gb(month: BilledMonth) -> float:
    kb = month.workload.request_kb * month.extras.cloudfront_upload_share
    return month.load_balancer_requests * kb * BYTES_PER_KB / BYTES_PER_GB


def _uploaded_gb_working(month: BilledMonth) -> str:
    part = times(month.extras.cloudfront_upload_share, "of it with POST and the like")
    return f"{load_balancer_requests(month)} × {written(month.workload.request_kb)} kB{part}{KB_AS_GB}"


def _edge_charges() -> dict[str, Charge]:
    """Four lines for each geography of CloudFront's viewers."""
    return {name: charge for edge in EDGES for name, charge in _charges_of(edge).items()}


def _charges_of(edge: str) -> dict[str, Charge]:
    def viewers(month: BilledMonth) -> str:
        return times(_edge_share(month, edge), "of the viewers")

    source = "AWS, CloudFront pricing: always free 1 TB and 10 million requests a month; read 2026-09"
    return {
        f"cloudfront_egress:{edge}": Charge(
            f"CloudFront data transfer out, {edge}",
            f"cloudfront_internet_egress_gb:{edge}",
            "GB of responses to viewers less 1 TB free, by where viewers are",
            lambda month: _cloudfront_gb(month) * _edge_share(month, edge),
            lambda month, _: f"{_cloudfront_gb_working(month)}{viewers(month)}",
            source,
        ),
        f"cloudfront_requests:{edge}": Charge(
            f"CloudFront HTTPS requests, {edge}",
            f"cloudfront_https_request:{edge}",
            "HTTPS requests of viewers less their part of 10 million free, by where viewers are",
            lambda month: (
                _cloudfront_requests(month, 1.0 - month.extras.cloudfront_http_share) * _edge_share(month, edge)
            ),
            lambda month, _: (
                f"{_cloudfront_requests_working(month)}{times(1.0 - month.extras.cloudfront_http_share, 'by HTTPS')}{viewers(month)}"
            ),
            source,
        ),
        f"cloudfront_http_requests:{edge}": Charge(
            f"CloudFront HTTP requests, {edge}",
            f"cloudfront_http_request:{edge}",
            "HTTP requests of viewers less their part of 10 million free, by where viewers are",
            lambda month: _cloudfront_requests(month, month.extras.cloudfront_http_share) * _edge_share(month, edge),
            lambda month, _: (
                f"{_cloudfront_requests_working(month)}{times(month.extras.cloudfront_http_share, 'by HTTP')}{viewers(month)}"
            ),
            source,
        ),
        f"cloudfront_to_origin:{edge}": Charge(
            f"CloudFront data transfer to its origin, {edge}",
            f"cloudfront_to_origin_gb:{edge}",
            "GB of requests to the load balancer × part of POST, PUT and the like, by where viewers are",
            lambda month: _uploaded_gb(month) * _edge_share(month, edge),
            lambda month, _: f"{_uploaded_gb_working(month)}{viewers(month)}",
            "AWS, CloudFront Developer Guide, billing codes: bytes to the origin of DELETE, OPTIONS, PATCH, POST and PUT; read 2026-11",
        ),
    }


def _plan_charges() -> dict[str, Charge]:
    """One line for each flat-rate plan and level that costs something."""
    return {
        f"cloudfront_plan:{level.price.partition(':')[2]}": Charge(
            f"CloudFront flat-rate plan, {level.title}",
            level.price,
            "1 with this plan, which holds transfer, requests, the web ACL, a hosted zone and its queries",
            lambda month, level=level: float(_plan(month) == level),  # type: ignore[misc]
            lambda *_: "1 plan",
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
        lambda month, _: f"{hours(month)} × {counted(month.extras.reserved_lcu, 'reserved unit')}",
        "AWS, Elastic Load Balancing pricing: reserved units by the hour, used or not; read 2026-09",
    ),
    "alb_trust_store": Charge(
        "Trust store for mutual TLS",
        "alb_trust_store_hour",
        "hours with mutual TLS",
        lambda month: month.hours * month.workload.mutual_tls,
        lambda month, _: f"{hours(month)} × 1 trust store",
        "AWS, Elastic Load Balancing pricing: each trust store by the hour; read 2026-09",
    ),
    **OBSERVING_CHARGES,
    "web_acl": Charge(
        "Web ACL",
        "web_acl_month",
        "1 with a firewall",
        lambda month: float(_has_web_acl(month)),
        lambda *_: "1 web ACL",
        "AWS, WAF pricing: each web ACL; read 2026-09",
    ),
    "web_acl_rules": Charge(
        "Web ACL rules",
        "web_acl_rule_month",
        "rules and managed groups",
        lambda month: (month.extras.waf_rules or 0) * _has_web_acl(month),
        lambda month, _: counted(month.extras.waf_rules or 0, "rule"),
        "AWS, WAF pricing: each rule and rule group; read 2026-09",
    ),
    "web_acl_requests": Charge(
        "Requests inspected by the web ACL",
        "web_acl_request",
        "requests at the load balancer",
        lambda month: month.load_balancer_requests * _has_web_acl(month),
        lambda month, _: load_balancer_requests(month),
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
        _images_working,
        "AWS, ECR pricing: each GB and month; read 2026-09",
    ),
    "secrets": Charge(
        "Secrets Manager secrets",
        "secret_month",
        "secrets of the task definition",
        _secrets,
        lambda month, _: counted(_secrets(month), "secret"),
        "AWS, Secrets Manager pricing: each secret and month; read 2026-09",
    ),
    "secret_requests": Charge(
        "Secrets Manager requests",
        "secret_api_request",
        "tasks started × references to secrets",
        lambda month: month.started_tasks * len(month.application.secrets),
        _secret_requests_working,
        "AWS, Secrets Manager pricing: each API call; read 2026-09",
        decides=False,
    ),
    "kms_keys": Charge(
        "KMS keys",
        "kms_key_month",
        "customer managed keys",
        lambda month: month.extras.kms_keys,
        lambda month, _: counted(month.extras.kms_keys, "key"),
        "AWS, KMS pricing: each key and month; read 2026-09",
    ),
    "kms_requests": Charge(
        "KMS requests",
        "kms_request",
        "requests; the account's free 20,000 are not taken off",
        lambda month: month.extras.kms_requests,
        lambda month, _: counted(month.extras.kms_requests, "request"),
        "AWS, KMS pricing: each request; read 2026-09",
    ),
    "hosted_zones": Charge(
        "Route 53 hosted zones",
        "hosted_zone_month",
        "hosted zones, less one with a flat-rate plan",
        lambda month: max(0, month.extras.hosted_zones - (_plan(month) is not None)),
        _hosted_zones_working,
        "AWS, Route 53 pricing: each zone and month; read 2026-09",
    ),
    "dns_queries": Charge(
        "Route 53 queries",
        "dns_query_standard",
        "queries; those of alias records to the load balancer are free, a flat-rate plan holds all",
        lambda month: month.extras.dns_queries if _plan(month) is None else 0.0,
        lambda month, _: f"{written(month.extras.dns_queries)} queries",
        "AWS, Route 53 pricing: each query; read 2026-09",
    ),
}
