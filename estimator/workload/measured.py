"""Measured: what a load balancer's metrics or logs say about its requests, in the words of `Request`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Facts about requests, where the source has them; None where it has not.

    Parameters
    ----------
    requests : float
        Requests that the facts are means of. [requests]
    request_kb : float, optional
        Bytes in, headers and body. [kB]
    response_kb : float, optional
        Bytes out, headers and body. [kB]
    processed_kb : float, optional
        Bytes in and out together, of a request, as the load balancer bills them. [kB]
    requests_per_connection : float, optional
        Requests for each new connection. CloudWatch counts connections to clients and to targets alike, so this is the least
        that clients send over one. [1]
    connection_s : float, optional
        Mean life of a connection, by Little's law: active connections over new connections a second. [s]
    rules_evaluated_per_request : float, optional
        Listener rules walked, without the default rule, the ten free ones among them. [1]
    reached_target_share : float, optional
        Part of the requests that a task answered or was asked to; the rest were redirected, answered or refused before. [1]
    mean_target_ms : float, optional
        Mean time in which targets began to answer. [ms]
    p50_target_ms, p95_target_ms, p99_target_ms : float, optional
        The same, of which 50, 95 and 99 % were not longer. [ms]
    status_shares : dict of str to float
        Part of the requests by the status that clients saw, such as ``200``; ``-`` for none. [1]
    notes : tuple of str
        What to know about these figures.

    Examples
    --------
    >>> Measured(requests=1000, processed_kb=12.0, requests_per_connection=4.0).request_fields(request_kb=2.0)
    {'requests_per_connection': 4.0, 'request_kb': 2.0, 'response_kb': 10.0}
    """

    requests: float
    request_kb: float | None = None
    response_kb: float | None = None
    processed_kb: float | None = None
    requests_per_connection: float | None = None
    connection_s: float | None = None
    rules_evaluated_per_request: float | None = None
    reached_target_share: float | None = None
    mean_target_ms: float | None = None
    p50_target_ms: float | None = None
    p95_target_ms: float | None = None
    p99_target_ms: float | None = None
    status_shares: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def request_fields(self, request_kb: float | None = None) -> dict[str, float]:
        """Return what is known as fields of `Request`.

        Parameters
        ----------
        request_kb : float, optional
            Bytes in of a request, which parts CloudWatch's bytes, in and out together, in two. [kB]

        Returns
        -------
        dict of str to float
            Fields and values; CPU time is never among them, no load balancer can see it.
        """
        names = ("request_kb", "response_kb", "requests_per_connection", "connection_s", "rules_evaluated_per_request")
        known = {name: value for name in names if (value := getattr(self, name)) is not None}
        if request_kb is not None and self.request_kb is None and self.processed_kb is not None:
            known |= {"request_kb": request_kb, "response_kb": max(0.0, self.processed_kb - request_kb)}
        return known
