"""PROTOCOLS: what a client's protocol says of connections and bytes, as fields of `Request` to begin with.

Notes
-----
AWS publishes no such figures and every application has its own: these are typical ones, each with its reasoning. What a user measures goes
over them. The CPU time, and the size of an HTTP request and its response, are facts of the application that no protocol knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from estimator.checks import shown
from estimator.errors import InvalidScenario


@dataclass(frozen=True, slots=True)
class Protocol:
    """One row of ``PROTOCOLS``.

    Parameters
    ----------
    title : str
        Its name, to read.
    fields : mapping of str to float
        Fields of `Request` and their typical values.
    why : str
        Where the values come from, and what a request is.
    source : str
        What is documented of it, with the date read.
    """

    title: str
    fields: Mapping[str, float]
    why: str
    source: str


#: Leaf and intermediate certificates of a public certificate with the rest of the handshake. [kB]
_HANDSHAKE_KB = 5.0
_ELB = "AWS, Elastic Load Balancing, Application Load Balancers"

PROTOCOLS: dict[str, Protocol] = {
    "http1": Protocol(
        "HTTP/1.1",
        {"requests_per_connection": 5.0, "connection_s": 60.0, "tls_handshake_sent_kb": _HANDSHAKE_KB},
        "A browser spreads the requests of a visit, about 30 to one host, over six connections, which the load balancer closes after 60 s "
        "without a byte. Each is taken to begin with a full TLS handshake.",
        f"{_ELB}: idle timeout of 60 s; HTTP Archive, requests per TCP connection: 4 on average over all hosts of a page; read 2026-11",
    ),
    "http2": Protocol(
        "HTTP/2",
        {"requests_per_connection": 30.0, "connection_s": 60.0, "tls_handshake_sent_kb": _HANDSHAKE_KB},
        "A browser sends the same 30 requests of a visit over one connection. Headers are compressed, but whether the load balancer counts "
        "them before or after is not documented: bytes stay as given.",
        f"{_ELB}: up to 128 requests in parallel over one HTTP/2 connection, HTTPS listeners only; idle timeout of 60 s; read 2026-11",
    ),
    "grpc": Protocol(
        "gRPC between services",
        {"requests_per_connection": 3600.0, "connection_s": 3600.0, "tls_handshake_sent_kb": _HANDSHAKE_KB},
        "Services keep a pool of connections open; here each carries a call a second until the load balancer ends it after an hour.",
        f"{_ELB}: HTTP client keepalive of 3,600 s; gRPC needs HTTP/2 and an HTTPS listener; read 2026-11",
    ),
    "websocket": Protocol(
        "WebSocket",
        {
            "requests_per_connection": 1.0,
            "connection_s": 1800.0,
            "request_kb": 37.0,
            "response_kb": 37.0,
            "tls_handshake_sent_kb": _HANDSHAKE_KB,
            "cloudfront_requests_per_connection": 1.0,
        },
        "A request is a connection: requests per second are those that begin, CPU time and bytes are of its whole life. Here half an hour "
        "with a message of 0.2 kB each way every 10 s: 180 × 0.2 kB and 1 kB for the upgrade. CloudFront opens one for each of its own. "
        "The memory of open connections belongs in baseline_memory_mib.",
        f"{_ELB}: a connection is upgraded and becomes a persistent one; its bytes count as processed; read 2026-11",
    ),
    "sse": Protocol(
        "Server-sent events",
        {
            "requests_per_connection": 1.0,
            "connection_s": 1800.0,
            "request_kb": 1.0,
            "response_kb": 91.0,
            "tls_handshake_sent_kb": _HANDSHAKE_KB,
            "cloudfront_requests_per_connection": 1.0,
        },
        "A request is a stream over HTTP/1.1, with a connection of its own: requests per second are those that begin, CPU time and bytes are "
        "of its whole life. Here half an hour with an event of 0.5 kB every 10 s: 180 × 0.5 kB and 1 kB of headers. The memory of open "
        "streams belongs in baseline_memory_mib.",
        "WHATWG, HTML standard, server-sent events: one response that does not end; read 2026-11",
    ),
}


def protocol_fields(name: str) -> dict[str, float]:
    """Return the typical values of a protocol, as fields of `Request`; give your own after them.

    Parameters
    ----------
    name : str
        One of ``PROTOCOLS``.

    Returns
    -------
    dict of str to float
        Fields and values.

    Raises
    ------
    InvalidScenario
        If there is no such protocol.

    Examples
    --------
    >>> from estimator import LoadProfile, Workload
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=5, **protocol_fields("http2") | {"connection_s": 90})
    >>> work.requests_per_connection, work.connection_s
    (30.0, 90)
    """
    if not isinstance(name, str) or name not in PROTOCOLS:
        raise InvalidScenario(f"protocol is {shown(name)}; it must be one of {', '.join(PROTOCOLS)}.")
    return dict(PROTOCOLS[name].fields)
