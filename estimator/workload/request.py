"""What one request costs: CPU time, memory, bytes, connections, rules, log bytes, and which requests reach the tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario
from estimator.units import MS_PER_S
from estimator.workload.profile import LoadProfile

_AMOUNT = {"low": 0, "high": 1e12}
_POSITIVE = {"low": 0, "high": 1e12, "above": True}
_SHARE = {"low": 0, "high": 1}
_VARIATION = {"low": 0, "high": 100}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one request asks of the service and of the load balancer.

    Parameters
    ----------
    cpu_ms_per_request : float
        CPU time of one request on a full x86 vCPU, measured: it is a fact of the workload and has no default. [ms]
    wait_ms_per_request : float
        Time in which a request uses no CPU and waits for others, such as a database; added to its response time. [ms]
    usable_cpu_share : float
        Part of a task's CPU that the application can make use of before it saturates, such as 0.8 where locks or a garbage collector hold it
        up; measure it in a load test. A request takes as much longer. [1]
    service_time_cv : float
        Standard deviation of the CPU time of requests over its mean: 0 if all are alike, 1 as in exponential times. [1]
    arrival_cv : float
        Standard deviation of the time between two requests at one task over its mean: 1 at random, more in bursts, 0 as by a clock. The
        load balancer evens it out: where a service's requests have c, each of N tasks has about ``sqrt(1 + (c**2 - 1) / N)``. [1]
    concurrency_limit_per_task : int, optional
        Requests that a task works on at a time, waiting for others included, such as worker processes × threads; null for no limit.
        [requests]
    baseline_memory_mib : float
        Memory of a task that serves nothing. [MiB]
    memory_mib_per_request : float
        Memory that a request in flight adds. [MiB]
    request_kb : float
        Bytes in, headers and body. [kB]
    response_kb : float
        Bytes out, headers and body, before compression. [kB]
    compression_ratio : float
        Bytes of a response on the wire over ``response_kb``, where tasks compress: 1 if they do not, about 0.3 for text. It counts in the
        load balancer's bytes and in data transfer; the CPU time of compressing belongs in ``cpu_ms_per_request``. [1]
    requests_per_connection : float
        Requests that a client sends over one connection before it closes. [1]
    connection_s : float
        How long a connection to the load balancer stays open: a client's, or CloudFront's if that stands in front. [s]
    tls_handshake_sent_kb : float
        Bytes that the load balancer sends in a TLS handshake, mostly its certificates, about 5 kB; they are billed as data transfer out,
        but not as bytes processed by the load balancer. [kB]
    tls_resumed_share : float
        Part of new connections that resume a TLS session, for which no certificates are sent. [1]
    mutual_tls : bool
        True if the load balancer asks clients for certificates: a capacity unit then has half the active connections. The certificate
        headers that it adds for the tasks count as bytes processed: give them in ``request_kb``.
    rules_evaluated_per_request : float
        Listener rules walked until one matches, without the default rule; the first ten of each request are free. [1]
    lambda_target_share : float
        Part of the requests at the load balancer that it sends to Lambda functions and not to tasks, of the same size as the others. [1]
    behind_cloudfront : bool
        True if clients reach the load balancer through CloudFront; where its viewers are says ``cloudfront_edges`` of the section ``extras``.
    cloudfront_hit_ratio : float
        Part of the requests that CloudFront answers from its cache. [1]
    cloudfront_byte_hit_ratio : float, optional
        Part of the response bytes that it sends from its cache; null for the same as of the requests. [1]
    cloudfront_requests_per_connection : float
        Requests that CloudFront sends over one of its connections to the load balancer, in place of ``requests_per_connection``; it keeps
        them open and shares them among its clients. AWS gives no figure: 100 is an assumption. [1]
    log_bytes_per_request : float
        What a request writes to the log. [B]
    outbound_sent_kb_per_request : float
        What a task itself sends to the internet for a request, such as calls to other services. [kB]
    outbound_received_kb_per_request : float
        What comes back from the internet for it; costs only behind a NAT gateway. [kB]
    arm64_relative_speed : float
        Work per ARM64 vCPU-second relative to x86; measure it, 1 means equal. [1]

    Raises
    ------
    InvalidScenario
        If a value is out of its range, not a number, or 0 where something is needed, or a hit ratio is given without CloudFront.

    Examples
    --------
    Of 100 requests CloudFront answers 60; of the 40 others a Lambda function serves a quarter.

    >>> request = Request(cpu_ms_per_request=10, behind_cloudfront=True, cloudfront_hit_ratio=0.6, lambda_target_share=0.25)
    >>> round(request.load_balancer_share, 6), round(request.task_share, 6)
    (0.4, 0.3)
    """

    cpu_ms_per_request: float = field(metadata=_POSITIVE)
    wait_ms_per_request: float = field(default=0.0, metadata=_AMOUNT)
    usable_cpu_share: float = field(default=1.0, metadata={"low": 0, "high": 1, "above": True})
    service_time_cv: float = field(default=1.0, metadata=_VARIATION)
    arrival_cv: float = field(default=1.0, metadata=_VARIATION)
    concurrency_limit_per_task: int | None = field(default=None, metadata={"low": 1, "high": 1e6, "whole": True})
    baseline_memory_mib: float = field(default=128.0, metadata=_AMOUNT)
    memory_mib_per_request: float = field(default=1.0, metadata=_AMOUNT)
    request_kb: float = field(default=1.0, metadata=_AMOUNT)
    response_kb: float = field(default=10.0, metadata=_AMOUNT)
    compression_ratio: float = field(default=1.0, metadata={"low": 0, "high": 1, "above": True})
    requests_per_connection: float = field(default=5.0, metadata=_POSITIVE)
    connection_s: float = field(default=60.0, metadata=_AMOUNT)
    tls_handshake_sent_kb: float = field(default=0.0, metadata=_AMOUNT)
    tls_resumed_share: float = field(default=0.0, metadata=_SHARE)
    mutual_tls: bool = False
    rules_evaluated_per_request: float = field(default=1.0, metadata=_AMOUNT)
    lambda_target_share: float = field(default=0.0, metadata=_SHARE)
    behind_cloudfront: bool = False
    cloudfront_hit_ratio: float = field(default=0.0, metadata=_SHARE)
    cloudfront_byte_hit_ratio: float | None = field(default=None, metadata=_SHARE)
    cloudfront_requests_per_connection: float = field(default=100.0, metadata=_POSITIVE)
    log_bytes_per_request: float = field(default=250.0, metadata=_AMOUNT)
    outbound_sent_kb_per_request: float = field(default=0.0, metadata=_AMOUNT)
    outbound_received_kb_per_request: float = field(default=0.0, metadata=_AMOUNT)
    arm64_relative_speed: float = field(default=1.0, metadata=_POSITIVE)

    def __post_init__(self) -> None:
        require_in_range(self)
        for name in ("mutual_tls", "behind_cloudfront"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidScenario(f"{name} is {shown(getattr(self, name))}; it must be true or false.")
        for name in ("cloudfront_hit_ratio", "cloudfront_byte_hit_ratio"):
            if getattr(self, name) and not self.behind_cloudfront:
                raise InvalidScenario(
                    f"{name} is {getattr(self, name):g} and behind_cloudfront is false; without CloudFront there are no hits. Set "
                    f"behind_cloudfront to true, or leave {name} out."
                )
        if self.cloudfront_hit_ratio == 1 and self.cloudfront_byte_hit_ratio not in {None, 1}:
            raise InvalidScenario(
                f"cloudfront_byte_hit_ratio is {self.cloudfront_byte_hit_ratio:g} and cloudfront_hit_ratio is 1; where every request is a hit "
                "every byte is one. Leave cloudfront_byte_hit_ratio out, or lower cloudfront_hit_ratio."
            )

    # Each figure below is for one request of a client, wherever it is answered.

    @property
    def load_balancer_share(self) -> float:
        """Part of the clients' requests that reach the load balancer: all but CloudFront's hits. [1]"""
        return 1.0 - self.cloudfront_hit_ratio

    @property
    def task_share(self) -> float:
        """Part of the clients' requests that reach the tasks: neither CloudFront's hits nor those of Lambda functions. [1]"""
        return self.load_balancer_share * (1.0 - self.lambda_target_share)

    @property
    def load_balancer_kb(self) -> float:
        """Bytes in and out that the load balancer processes for a client's request. [kB]"""
        byte_hits = self.cloudfront_byte_hit_ratio
        byte_share = self.load_balancer_share if byte_hits is None else 1.0 - byte_hits
        return self.request_kb * self.load_balancer_share + self.response_kb * self.compression_ratio * byte_share

    @property
    def requests_per_load_balancer_connection(self) -> float:
        """Requests over one connection to the load balancer: of a client, or of CloudFront. [1]"""
        return self.cloudfront_requests_per_connection if self.behind_cloudfront else self.requests_per_connection

    @property
    def internet_sent_kb(self) -> float:
        """Bytes that the load balancer sends to the internet for a client's request; none to CloudFront, which is free. [kB]"""
        if self.behind_cloudfront:
            return 0.0
        handshakes = (1.0 - self.tls_resumed_share) / self.requests_per_connection
        return self.response_kb * self.compression_ratio + self.tls_handshake_sent_kb * handshakes


@dataclass(frozen=True, eq=False)
class Workload(Request):
    """A load and what each of its requests asks for.

    Parameters
    ----------
    load : LoadProfile
        Requests per second that clients send, over one period.
    **request : float
        The fields of `Request`.

    Examples
    --------
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
    >>> work.cpu_s_per_request("X86_64")
    0.01
    """

    load: LoadProfile

    @cached_property
    def task_load(self) -> LoadProfile:
        """What of the load reaches the tasks; the load itself if all of it does."""
        return self.load if self.task_share == 1 else self.load.scaled(self.task_share)

    def cpu_s_per_request(self, cpu_architecture: str) -> float:
        """CPU time of one request on a full vCPU of an architecture.

        Parameters
        ----------
        cpu_architecture : str
            ``X86_64`` or ``ARM64``.

        Returns
        -------
        float
            CPU time. [s]
        """
        speed = self.arm64_relative_speed if cpu_architecture == "ARM64" else 1.0
        return self.cpu_ms_per_request / MS_PER_S / speed


def request_notes(request: Request) -> tuple[str, ...]:
    """Say what of these requests the bill leaves out.

    Parameters
    ----------
    request : Request
        What one request asks for.

    Returns
    -------
    tuple of str
        Sentences.

    Examples
    --------
    >>> request_notes(Request(cpu_ms_per_request=10))
    ()
    """
    found = []
    if request.behind_cloudfront:
        found.append(
            "CloudFront's functions and logs are not part of the bill. "
            "What the load balancer sends to CloudFront is free and no data transfer to the internet."
        )
    if request.lambda_target_share:
        found.append(
            f"{100 * request.lambda_target_share:g} % of the requests at the load balancer go to Lambda functions: the tasks do not see them, "
            "and Lambda's own bill is not part of this one."
        )
    return tuple(found)
