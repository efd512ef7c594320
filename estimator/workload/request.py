"""What one request costs: CPU time, memory, bytes, connections, rules, log bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from estimator.checks import require_in_range
from estimator.units import MS_PER_S
from estimator.workload.profile import LoadProfile

_AMOUNT = {"low": 0, "high": 1e12}
_POSITIVE = {"low": 0, "high": 1e12, "above": True}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one request asks of the service and of the load balancer.

    Parameters
    ----------
    cpu_ms_per_request : float
        CPU time of one request on a full x86 vCPU, measured: it is a fact of the workload and has no default. [ms]
    wait_ms_per_request : float
        Time in which a request uses no CPU and waits for others, such as a database; added to its response time. [ms]
    baseline_memory_mib : float
        Memory of a task that serves nothing. [MiB]
    memory_mib_per_request : float
        Memory that a request in flight adds. [MiB]
    request_kb : float
        Bytes in, headers and body. [kB]
    response_kb : float
        Bytes out, headers and body. [kB]
    requests_per_connection : float
        Requests that a client sends over one connection before it closes. [1]
    connection_s : float
        How long a client's connection stays open. [s]
    rules_evaluated_per_request : float
        Listener rules walked until one matches, without the default rule; the first ten of each request are free. [1]
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
        If a value is negative, not a number, or 0 where something is needed.
    """

    cpu_ms_per_request: float = field(metadata=_POSITIVE)
    wait_ms_per_request: float = field(default=0.0, metadata=_AMOUNT)
    baseline_memory_mib: float = field(default=128.0, metadata=_AMOUNT)
    memory_mib_per_request: float = field(default=1.0, metadata=_AMOUNT)
    request_kb: float = field(default=1.0, metadata=_AMOUNT)
    response_kb: float = field(default=10.0, metadata=_AMOUNT)
    requests_per_connection: float = field(default=5.0, metadata=_POSITIVE)
    connection_s: float = field(default=60.0, metadata=_AMOUNT)
    rules_evaluated_per_request: float = field(default=1.0, metadata=_AMOUNT)
    log_bytes_per_request: float = field(default=250.0, metadata=_AMOUNT)
    outbound_sent_kb_per_request: float = field(default=0.0, metadata=_AMOUNT)
    outbound_received_kb_per_request: float = field(default=0.0, metadata=_AMOUNT)
    arm64_relative_speed: float = field(default=1.0, metadata=_POSITIVE)

    def __post_init__(self) -> None:
        require_in_range(self)


@dataclass(frozen=True, eq=False)
class Workload(Request):
    """A load and what each of its requests asks for.

    Parameters
    ----------
    load : LoadProfile
        Requests per second over one period.
    **request : float
        The fields of `Request`.

    Examples
    --------
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
    >>> work.cpu_s_per_request("X86_64")
    0.01
    """

    load: LoadProfile

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
