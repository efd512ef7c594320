"""Pure: load balancer capacity units, and what would lower them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.service.behavior import AwsBehavior
from estimator.units import BYTES_PER_GB, BYTES_PER_KB, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.protocols import PROTOCOLS
from estimator.workload.request import Request, Workload

#: One LCU has this much of each dimension, in the order of ``DIMENSIONS``.
NEW_CONNECTIONS_PER_S_PER_LCU = 25.0
ACTIVE_CONNECTIONS_PER_LCU = 3000.0
PROCESSED_GB_PER_H_PER_LCU = 1.0
RULE_EVALUATIONS_PER_S_PER_LCU = 1000.0
#: The same with mutual TLS, and of bytes to and from Lambda functions.
MUTUAL_TLS_ACTIVE_CONNECTIONS_PER_LCU = 1500.0
LAMBDA_PROCESSED_GB_PER_H_PER_LCU = 0.4
#: Rules that each request has without charge.
FREE_RULES_PER_REQUEST = 10
DIMENSIONS = ("new connections", "active connections", "processed bytes", "rule evaluations")


def alb_lcu(
    new_connections_per_s: ArrayLike,
    active_connections: ArrayLike,
    processed_gb_per_h: ArrayLike,
    rule_evaluations_per_s: ArrayLike,
    *,
    lambda_gb_per_h: ArrayLike = 0.0,
    mutual_tls: bool = False,
) -> NDArray[np.float64]:
    """Load balancer capacity units consumed in each hour.

    The bill counts only the largest of four dimensions, each averaged over the hour first [1]_. So hours must not be
    averaged together before: the leading dimension may differ from hour to hour.

    Parameters
    ----------
    new_connections_per_s : array_like, shape (n_hours,)
        New connections, hourly mean. [connections/s]
    active_connections : array_like, shape (n_hours,)
        Connections open at the same time, hourly mean (the pricing page's "per minute"). [connections]
    processed_gb_per_h : array_like, shape (n_hours,)
        Bytes of requests and responses of tasks, instances and addresses. [GB/h, decimal]
    rule_evaluations_per_s : array_like, shape (n_hours,)
        Rules evaluated above the ten free ones of each request, hourly mean. [rules/s]
    lambda_gb_per_h : array_like, shape (n_hours,)
        Bytes of requests and responses of Lambda functions, of which a capacity unit has only 0.4 GB. [GB/h, decimal]
    mutual_tls : bool
        True if the load balancer asks clients for certificates: a capacity unit then has 1,500 active connections, not 3,000.

    Returns
    -------
    numpy.ndarray, shape (n_hours,)
        Capacity units. [LCU]

    Raises
    ------
    ValueError
        If an input is negative, or the shapes do not broadcast.

    References
    ----------
    .. [1] AWS, "Elastic Load Balancing pricing", https://aws.amazon.com/elasticloadbalancing/pricing/, read 2026.

    Examples
    --------
    AWS's first example: 1 connection/s for 2 minutes, 5 requests/s, 300 KB/s, 60 rules. With a Lambda function behind it, 1.08 / 0.4.

    >>> alb_lcu([1], [120], [1.08], [5 * (60 - 10)]).tolist()
    [1.08]
    >>> alb_lcu([1], [120], 0, [5 * (60 - 10)], lambda_gb_per_h=1.08).round(6).tolist()
    [2.7]
    """
    return LcuHours(
        lcu_dimensions(
            new_connections_per_s,
            active_connections,
            processed_gb_per_h,
            rule_evaluations_per_s,
            lambda_gb_per_h=lambda_gb_per_h,
            mutual_tls=mutual_tls,
        )
    ).consumed


def lcu_dimensions(
    new_connections_per_s: ArrayLike,
    active_connections: ArrayLike,
    processed_gb_per_h: ArrayLike,
    rule_evaluations_per_s: ArrayLike,
    *,
    lambda_gb_per_h: ArrayLike = 0.0,
    mutual_tls: bool = False,
) -> NDArray[np.float64]:
    """Capacity units that each dimension alone would consume.

    Parameters
    ----------
    new_connections_per_s, active_connections, processed_gb_per_h, rule_evaluations_per_s : array_like, shape (n_hours,)
        As in `alb_lcu`. [connections/s, connections, GB/h, rules/s]
    lambda_gb_per_h : array_like, shape (n_hours,)
        Bytes of Lambda functions. [GB/h, decimal]
    mutual_tls : bool
        True if the load balancer asks clients for certificates.

    Returns
    -------
    numpy.ndarray, shape (4, n_hours)
        Capacity units, in the order of ``DIMENSIONS``. [LCU]

    Raises
    ------
    ValueError
        If an input is negative, or the shapes do not broadcast.
    """
    named = {
        DIMENSIONS[0]: new_connections_per_s,
        DIMENSIONS[1]: active_connections,
        DIMENSIONS[2]: processed_gb_per_h,
        DIMENSIONS[3]: rule_evaluations_per_s,
        f"{DIMENSIONS[2]} of Lambda functions": lambda_gb_per_h,
    }
    values = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in named.values()))
    for name, value in zip(named, values, strict=True):
        if np.any(~np.isfinite(value) | (value < 0)):
            raise ValueError(f"{name} must be 0 or more in every hour; the smallest is {np.min(value):g}.")
    new, active, processed, rules, of_lambda = values
    active_per_lcu = MUTUAL_TLS_ACTIVE_CONNECTIONS_PER_LCU if mutual_tls else ACTIVE_CONNECTIONS_PER_LCU
    return np.stack(
        [
            new / NEW_CONNECTIONS_PER_S_PER_LCU,
            active / active_per_lcu,
            processed / PROCESSED_GB_PER_H_PER_LCU + of_lambda / LAMBDA_PROCESSED_GB_PER_H_PER_LCU,
            rules / RULE_EVALUATIONS_PER_S_PER_LCU,
        ]
    )


def lcu_capacities(request: Request) -> tuple[float, float, float, float]:
    """How much of each dimension one capacity unit has for these requests.

    Parameters
    ----------
    request : Request
        What one request asks for.

    Returns
    -------
    tuple of float
        In the order of ``DIMENSIONS``; between 0.4 and 1 GB/h where Lambda functions serve a part of the requests.
        [connections/s, connections, GB/h, rules/s]

    Examples
    --------
    >>> lcu_capacities(Request(cpu_ms_per_request=10, mutual_tls=True))
    (25.0, 1500.0, 1.0, 1000.0)
    """
    share = request.lambda_target_share
    of_one = lcu_dimensions(1, 1, 1 - share, 1, lambda_gb_per_h=share, mutual_tls=request.mutual_tls)
    new, active, processed, rules = (1 / float(value) for value in of_one)
    return new, active, processed, rules


@dataclass(frozen=True, eq=False)
class LcuHours:
    """Capacity units of each hour of the period, by dimension.

    Parameters
    ----------
    dimensions : numpy.ndarray, shape (4, n_hours)
        What each dimension alone would consume, in the order of ``DIMENSIONS``. [LCU]
    peak_lcu : float
        Capacity units at the rate of the load's busiest minute, or of its busiest step if steps are longer; not a number where only hours
        are known. It is not billed. A reservation is sized from CloudWatch's ``PeakLCUs``, which holds more than the billed
        dimensions and so is at least this [1]_. [LCU]

    References
    ----------
    .. [1] AWS, "Capacity reservations for your Application Load Balancer", read 2026-11.
    """

    dimensions: NDArray[np.float64]
    peak_lcu: float = math.nan

    @property
    def consumed(self) -> NDArray[np.float64]:
        """Billed capacity units of each hour, shape (n_hours,). [LCU]"""
        return np.asarray(self.dimensions.max(axis=0))

    @property
    def total(self) -> float:
        """Billed capacity units of the period. [LCU-h]"""
        return float(self.consumed.sum())

    @property
    def peak(self) -> float:
        """Billed capacity units of the hour that has most of them. [LCU]"""
        return float(self.consumed.max(initial=0.0))

    @property
    def leading_by_hour(self) -> NDArray[np.str_]:
        """The dimension that is billed in each hour, shape (n_hours,); empty text where nothing is consumed."""
        return np.where(self.consumed > 0, np.array(DIMENSIONS)[self.dimensions.argmax(axis=0)], "")

    @property
    def leading(self) -> str:
        """The dimension that leads in most of the hours in which something is consumed."""
        counts = [np.count_nonzero(self.leading_by_hour == name) for name in DIMENSIONS]
        return DIMENSIONS[int(np.argmax(counts))]


def lcu_hours(workload: Workload, behavior: AwsBehavior | None = None) -> LcuHours:
    """Capacity units of each hour of a workload's period.

    AWS publishes consumed units by the minute and bills by the hour, and does not say whether an hour is the largest of four hourly means or
    the sum of what is largest in each minute. Here both are the same: every dimension of a workload is proportional to its request rate,
    so the one that leads leads in every minute.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    behavior : AwsBehavior, optional
        Which connections count.

    Returns
    -------
    LcuHours
        By dimension and hour.
    """
    behavior = behavior or AwsBehavior()
    minutes = workload.load.resample(max(workload.load.step_s, SECONDS_PER_MINUTE))
    peak = _dimensions_at(np.array([minutes.peak_requests_per_s]), workload, behavior)
    return LcuHours(_dimensions_at(workload.load.hourly_mean(), workload, behavior), float(peak.max()))


def _dimensions_at(requests_per_s: NDArray[np.float64], request: Request, behavior: AwsBehavior) -> NDArray[np.float64]:
    """Capacity units by dimension while clients send so many requests."""
    reaching_per_s = requests_per_s * request.load_balancer_share
    new_connections_per_s = (
        reaching_per_s / request.requests_per_load_balancer_connection * behavior.connection_count_factor
    )
    gb_per_h = requests_per_s * SECONDS_PER_HOUR * request.load_balancer_kb * BYTES_PER_KB / BYTES_PER_GB
    paid_rules = max(0.0, request.rules_evaluated_per_request - FREE_RULES_PER_REQUEST)
    return lcu_dimensions(
        new_connections_per_s,
        new_connections_per_s * request.connection_s,
        gb_per_h * (1.0 - request.lambda_target_share),
        reaching_per_s * paid_rules,
        lambda_gb_per_h=gb_per_h * request.lambda_target_share,
        mutual_tls=request.mutual_tls,
    )


# What would lower them.

Fields = Mapping[str, float | bool]
#: The load balancer closes a connection after so long without a byte, unless its attribute says otherwise. [s]
IDLE_TIMEOUT_S = 60.0
#: A connection whose requests come further apart on average is taken to be idle most of the time. [s]
_IDLE_GAP_S = 5.0
#: What text such as JSON and HTML compresses to, and the part of requests that a cache is taken to answer: assumptions. [1]
TEXT_COMPRESSION_RATIO = 0.3
ASSUMED_HIT_RATIO = 0.5


@dataclass(frozen=True, slots=True)
class LcuChange:
    """One row of ``LCU_CHANGES``.

    Parameters
    ----------
    advice : str
        What to do and what it rests on; names in braces are fields of the request, ``new_`` before those of the changed one.
    fields : callable
        From a request to the fields that change and their values; empty where there is nothing to change.
    """

    advice: str
    fields: Callable[[Request], Fields]


def _reused(protocol: str) -> Callable[[Request], Fields]:
    typical = PROTOCOLS[protocol].fields

    def fields(request: Request) -> Fields:
        if _is_stream(request) or request.requests_per_connection >= typical["requests_per_connection"]:
            return {}
        # A connection that is used again stays open for longer.
        return {
            "requests_per_connection": typical["requests_per_connection"],
            "connection_s": max(request.connection_s, typical["connection_s"]),
        }

    return fields


def _is_stream(request: Request) -> bool:
    """Say whether a connection is one long exchange: with a single request it outlives the idle timeout."""
    return request.requests_per_connection <= 1 and request.connection_s > IDLE_TIMEOUT_S


def _closed_when_idle(request: Request) -> Fields:
    gap_s = request.connection_s / request.requests_per_load_balancer_connection
    idle = not _is_stream(request) and request.connection_s > IDLE_TIMEOUT_S and gap_s > _IDLE_GAP_S
    return {"connection_s": IDLE_TIMEOUT_S} if idle else {}


def _cached(request: Request) -> Fields:
    # A stream is no answer to keep, and client certificates would end at CloudFront.
    if request.behind_cloudfront or request.mutual_tls or _is_stream(request):
        return {}
    return {
        "behind_cloudfront": True,
        "cloudfront_hit_ratio": ASSUMED_HIT_RATIO,
        "connection_s": min(request.connection_s, IDLE_TIMEOUT_S),
    }


#: What a user can change. A change that does not touch the leading dimension lowers nothing and is not shown.
LCU_CHANGES: dict[str, LcuChange] = {
    "keep_alive": LcuChange(
        "Let clients keep connections open and use them again: {new_requests_per_connection:g} requests over one, as browsers do, in place of "
        "{requests_per_connection:g}",
        _reused("http1"),
    ),
    "http2": LcuChange(
        "Let clients use one HTTP/2 connection for a visit: {new_requests_per_connection:g} requests over it in place of "
        "{requests_per_connection:g}",
        _reused("http2"),
    ),
    "idle_timeout": LcuChange(
        "Close connections after {new_connection_s:g} s in place of {connection_s:g} s, if the requests of each come within that time",
        _closed_when_idle,
    ),
    "compression": LcuChange(
        "Compress responses to {new_compression_ratio:g} of their size, as text such as JSON or HTML allows; it takes CPU time",
        lambda request: {"compression_ratio": TEXT_COMPRESSION_RATIO} if request.compression_ratio == 1 else {},
    ),
    "rules": LcuChange(
        "Give the listener rules of the busiest paths the first priorities, or have fewer rules: {new_rules_evaluated_per_request:g} for each "
        "request are free, and now {rules_evaluated_per_request:g} are evaluated",
        lambda request: (
            {"rules_evaluated_per_request": float(FREE_RULES_PER_REQUEST)}
            if request.rules_evaluated_per_request > FREE_RULES_PER_REQUEST
            else {}
        ),
    ),
    "cloudfront": LcuChange(
        "Put CloudFront in front, if it can answer {new_cloudfront_hit_ratio:g} of the requests and bytes from its cache; its own bill comes on "
        "top, and the load balancer's data transfer out falls away",
        _cached,
    ),
    "mutual_tls": LcuChange(
        "Let clients prove who they are without mutual TLS, which halves the active connections of a capacity unit",
        lambda request: {"mutual_tls": False} if request.mutual_tls else {},
    ),
    "lambda_targets": LcuChange(
        "Serve from tasks what Lambda functions serve now, {lambda_target_share:g} of the requests: a capacity unit has 1 GB of their bytes, "
        "and not 0.4; the tasks have more to do",
        lambda request: {"lambda_target_share": 0.0} if request.lambda_target_share else {},
    ),
}


@dataclass(frozen=True, slots=True)
class LcuSaving:
    """A change that lowers the capacity units of a workload.

    Parameters
    ----------
    name : str
        Its row in ``LCU_CHANGES``.
    advice : str
        What to do, what it rests on and what it brings: one sentence.
    fields : mapping of str to float
        Fields of `Request` that change, with their new values.
    before_lcu_hours, after_lcu_hours : float
        Capacity units of one period of the load, as it is and with this change alone. [LCU-h]
    """

    name: str
    advice: str
    fields: Fields
    before_lcu_hours: float
    after_lcu_hours: float

    @property
    def saved_lcu_hours(self) -> float:
        """What falls away in one period of the load. [LCU-h]"""
        return self.before_lcu_hours - self.after_lcu_hours


def lower_lcu(workload: Workload, behavior: AwsBehavior | None = None) -> tuple[LcuSaving, ...]:
    """Find the changes that would lower the capacity units of a workload, each tried alone.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    behavior : AwsBehavior, optional
        Which connections count.

    Returns
    -------
    tuple of LcuSaving
        Those that lower them, the one that saves most first; none where nothing does.

    Examples
    --------
    >>> from estimator import LoadProfile
    >>> work = Workload(LoadProfile.constant(100), cpu_ms_per_request=5, requests_per_connection=1, request_kb=0.2, response_kb=1)
    >>> for saving in lower_lcu(work):
    ...     print(saving.name, round(saving.before_lcu_hours, 2), round(saving.after_lcu_hours, 2))
    cloudfront 96.0 5.18
    http2 96.0 10.37
    keep_alive 96.0 19.2
    """
    before = lcu_hours(workload, behavior).total
    found = []
    for name, change in LCU_CHANGES.items():
        fields = change.fields(workload)
        after = lcu_hours(replace(workload, **fields), behavior).total if fields else before  # type: ignore[arg-type]
        if after < before * (1 - 1e-9):
            values = {item.name: getattr(workload, item.name) for item in dataclass_fields(Request)}
            said = change.advice.format_map(values | {f"new_{field}": value for field, value in fields.items()})
            outcome = f"{_units(before)} LCU-hours of a period of the load become {_units(after)}"
            found.append(LcuSaving(name, f"{said}. {outcome}.", fields, before, after))
    return tuple(sorted(found, key=lambda saving: saving.after_lcu_hours))


def _units(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.4g}"
