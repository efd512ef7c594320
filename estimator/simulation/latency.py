"""Pure queueing formulas: response time of a task, and of all requests of a period.

Notes
-----
The load balancer spreads requests over tasks without knowing their queues, so each task is a queue of its own with as
many servers as it has whole vCPUs (M/M/c). A task of less than one vCPU is one slower server. Pooling all tasks into
one queue would
be too kind.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.simulation.parameters import N_BINS

#: Middle of each bin of utilization below 1.
BIN_UTILIZATION: NDArray[np.float64] = (np.arange(N_BINS) + 0.5) / N_BINS


def servers_and_service_s(task_vcpu: float, cpu_s_per_request: float) -> tuple[int, float]:
    """Servers of one task, and the mean time that one of them works on a request.

    Parameters
    ----------
    task_vcpu : float
        CPU of the task. [vCPU]
    cpu_s_per_request : float
        CPU time of a request on a full vCPU. [s]

    Returns
    -------
    tuple of (int, float)
        Servers, and service time. [1, s]

    Examples
    --------
    >>> servers_and_service_s(0.25, 0.1)
    (1, 0.4)
    """
    servers = max(1, math.floor(task_vcpu))
    return servers, cpu_s_per_request / min(task_vcpu, 1.0)


def erlang_c(servers: int, utilization: ArrayLike) -> NDArray[np.float64]:
    """Probability that a request has to wait in an M/M/c queue.

    Parameters
    ----------
    servers : int
        Servers c. [1]
    utilization : array_like
        Load over capacity, below 1; from 1 on every request waits. [1]

    Returns
    -------
    numpy.ndarray
        Probability. [1]

    References
    ----------
    .. [1] A. K. Erlang, 1917; L. Kleinrock, "Queueing Systems" vol. 1, 1975, section 3.5.

    Examples
    --------
    >>> erlang_c(4, [0.7]).round(4).tolist()
    [0.4287]
    """
    rho = np.asarray(utilization, dtype=np.float64)
    offered = servers * np.minimum(rho, 1.0)
    blocking = np.ones_like(offered)
    for n in range(1, servers + 1):
        blocking = offered * blocking / (n + offered * blocking)
    waits = blocking / (1.0 - np.minimum(rho, 1.0) * (1.0 - blocking))
    return np.asarray(np.where(rho >= 1.0, 1.0, waits))


def slower_than(time_s: ArrayLike, utilization: ArrayLike, servers: int, service_s: float) -> NDArray[np.float64]:
    """Probability that a response takes longer than a time (M/M/c, first come first served).

    Parameters
    ----------
    time_s : array_like
        Times; broadcast with the utilizations. [s]
    utilization : array_like
        Load over capacity; from 1 on the answer is 1. [1]
    servers : int
        Servers. [1]
    service_s : float
        Mean service time, exponential. [s]

    Returns
    -------
    numpy.ndarray
        Probability. [1]

    References
    ----------
    .. [1] D. Gross, C. Harris, "Fundamentals of Queueing Theory", section 2.3.

    Examples
    --------
    One server: the response time is exponential with mean ``service_s / (1 - utilization)``.

    >>> slower_than(1.0, [0.5], 1, 1.0).round(4).tolist()
    [0.6065]
    """
    rho = np.asarray(utilization, dtype=np.float64)
    time = np.asarray(time_s, dtype=np.float64) / service_s
    waits = erlang_c(servers, rho)
    # In service for longer than `time`, or waiting for part of it: two exponentials with rates 1 and `drain`, at
    # equal rates their limit.
    drain = servers * (1.0 - np.minimum(rho, 1.0))
    near = np.abs(drain - 1.0) < 1e-6
    served = np.exp(-time)
    waited = np.where(near, time * served, (served - np.exp(-drain * time)) / np.where(near, 1.0, drain - 1.0))
    tail = served + waits * waited
    return np.asarray(np.where(rho >= 1.0, 1.0, np.clip(tail, 0.0, 1.0)))


def in_flight_percentile(utilization: ArrayLike, servers: int, share: float) -> NDArray[np.float64]:
    """Count the requests inside one task, served or queued, that are not exceeded for a part of the time.

    Parameters
    ----------
    utilization : array_like
        Load over capacity, below 1. [1]
    servers : int
        Servers. [1]
    share : float
        Part of the time, such as 0.999. [1]

    Returns
    -------
    numpy.ndarray
        Requests in flight; at least the number of servers, unless there is no load. [requests]

    References
    ----------
    .. [1] L. Kleinrock, "Queueing Systems" vol. 1, 1975, section 3.5: with k >= c requests, P(N >= k) = C(c, a) rho**(k - c).

    Examples
    --------
    One server: P(N >= k) = utilization**k, and 0.5**10 is just below 0.001.

    >>> in_flight_percentile([0.5], 1, 0.999).tolist()
    [9.0]
    """
    rho = np.asarray(utilization, dtype=np.float64)
    busy = np.where(rho > 0, rho, 0.5)
    queued = np.log((1.0 - share) / np.maximum(erlang_c(servers, busy), 1e-300)) / np.log(busy)
    # N exceeds c + n for a part C * rho**(n + 1) of the time.
    found = servers + np.maximum(np.ceil(queued) - 1.0, 0.0)
    return np.where(rho > 0, found, 0.0)


def period_percentiles_s(
    histogram: NDArray[np.float64], shares: tuple[float, ...], servers: int, service_s: float
) -> NDArray[np.float64]:
    """Response times that shares of all requests of a period stay within.

    The period mixes minutes of every utilization, so this is a percentile over requests, not a mean of percentiles
    over minutes.

    Parameters
    ----------
    histogram : numpy.ndarray, shape (n_candidates, N_BINS + 1)
        Requests by utilization; the last bin has those of steps over capacity, which never count as answered in time.
        [requests]
    shares : tuple of float
        Shares of the requests, such as 0.95. [1]
    servers : int
        Servers of a task. [1]
    service_s : float
        Mean service time. [s]

    Returns
    -------
    numpy.ndarray, shape (n_shares, n_candidates)
        Response times; infinite if too many requests meet steps over capacity, 0 if there are no requests. [s]

    Notes
    -----
    One product of histogram and exceedance table serves all candidates; between two of its times (3 % apart) the
    logarithm of the exceedance is taken as linear, which is exact for an exponential tail.
    """
    times = service_s * np.geomspace(1e-2, 1e5, 561)
    beyond = slower_than(times[:, None], BIN_UTILIZATION[None, :], servers, service_s)
    slower = np.maximum(histogram[:, :N_BINS] @ beyond.T, 1e-300)
    requests = histogram.sum(axis=1)
    found = np.zeros((len(shares), len(histogram)))
    for row, share in enumerate(shares):
        allowed = (1.0 - share) * requests - histogram[:, N_BINS]
        inside = slower <= allowed[:, None]
        last = np.clip(inside.argmax(axis=1), 1, None)
        place = np.arange(len(histogram))
        before, after = np.log(slower[place, last - 1]), np.log(slower[place, last])
        goal = np.log(np.maximum(allowed, 1e-300))
        part = np.clip((before - goal) / np.maximum(before - after, 1e-300), 0.0, 1.0)
        time = times[last - 1] + part * (times[last] - times[last - 1])
        found[row] = np.where(requests > 0, np.where(inside.any(axis=1) & (allowed > 0), time, np.inf), 0.0)
    return found
