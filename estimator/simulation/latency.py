"""Pure queueing formulas: response time of a task, and of all requests of a period.

Notes
-----
The load balancer spreads requests over tasks without knowing their queues, so each task is a queue of its own with as
many servers as it has whole vCPUs. A task of less than one vCPU is one slower server. Pooling all tasks into one queue
would be too kind. ``docs/simulation.md``, "Latency", says how far all this is from a simulation of events.

Arrivals and service times are known by their coefficients of variation, standard deviation over mean. With both 1
(Poisson arrivals, exponential service times) the formulas are exact (M/M/c). Else the mean wait is Allen and Cunneen's,
requests wait as often as in M/M/c, those that wait do so for an exponential time, and service times are gamma
distributed: a response takes the sum of both, which is convolved on a grid of times.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.simulation.parameters import N_BINS, N_WAIT_BINS

#: Middle of each bin of utilization below 1.
BIN_UTILIZATION: NDArray[np.float64] = (np.arange(N_BINS) + 0.5) / N_BINS
#: Waiting times have eight bins per doubling from a millisecond on (rule 30): the geometric middle of each. [s]
BIN_WAIT_S: NDArray[np.float64] = 0.001 * 2.0 ** ((np.arange(N_WAIT_BINS) + 0.5) / 8)

#: Service times that vary less are taken to be constant. [1]
_CONSTANT_CV = 1e-4
#: Below this, a grid of 3 % is too coarse for the distribution of service times. [1]
_NARROW_CV = 0.25
#: From this shape on the gamma distribution follows from the normal one (Wilson and Hilferty) to some 1e-5. [1]
_WIDE_SHAPE = 1000.0
#: Parts of the requests whose service times are longer; between them a standing queue's response is interpolated. [1]
_SERVICE_TAIL = (0.999, 0.75, 0.5, 0.25, 0.1, 0.01, 1e-4, 1e-6)


@dataclass(frozen=True)
class TaskQueue:
    """One task as a queue; made by `task_queue`.

    Parameters
    ----------
    servers : int
        Requests that are worked on at once: vCPUs, or workers where the concurrency limit binds. [1]
    service_s : float
        Mean time that a server is busy with a request. [s]
    added_s : float
        Time that a response takes besides, in which the request holds no server. [s]
    requests_per_s : float
        What the task can serve. [requests/s]
    service_time_cv : float
        Coefficient of variation of the time that a server is busy with a request. [1]
    """

    servers: int
    service_s: float
    added_s: float
    requests_per_s: float
    service_time_cv: float = 1.0

    @property
    def residence_s(self) -> float:
        """Mean time that a request spends in the task after its wait for a server. [s]"""
        return self.service_s + self.added_s


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


def task_queue(
    task_vcpu: float,
    cpu_s_per_request: float,
    wait_s: float = 0.0,
    concurrency_limit: int | None = None,
    service_time_cv: float = 1.0,
) -> TaskQueue:
    """Say what requests queue for in a task: its vCPUs, or its workers if there are too few to keep the vCPUs busy.

    Parameters
    ----------
    task_vcpu : float
        CPU of the task. [vCPU]
    cpu_s_per_request : float
        CPU time of a request on a full vCPU. [s]
    wait_s : float
        Time in which a request uses no CPU and waits for others. [s]
    concurrency_limit : int, optional
        Requests that a task takes at once, such as the workers of its server; None is no limit. [requests]
    service_time_cv : float
        Coefficient of variation of a request's CPU time. [1]

    Returns
    -------
    TaskQueue
        The task as a queue.

    Notes
    -----
    A worker is busy with a request for all of its residence, CPU time and wait. The wait does not vary, so the residence
    varies by less than the CPU time. Either queue stands for itself: workers that also get into each other's way on the
    CPU, where both capacities are close, serve somewhat less.

    Examples
    --------
    A request needs the CPU for an eighth of its second: four workers keep half a vCPU busy, twenty all of it.

    >>> task_queue(1.0, 0.125, 0.875, 4)
    TaskQueue(servers=4, service_s=1.0, added_s=0.0, requests_per_s=4.0, service_time_cv=0.125)
    >>> task_queue(1.0, 0.125, 0.875, 20)
    TaskQueue(servers=1, service_s=0.125, added_s=0.875, requests_per_s=8.0, service_time_cv=1.0)
    """
    servers, service_s = servers_and_service_s(task_vcpu, cpu_s_per_request)
    by_cpu = task_vcpu / cpu_s_per_request
    if concurrency_limit is not None:
        residence_s = service_s + wait_s
        by_workers = concurrency_limit / residence_s
        # As many workers as vCPUs, and no wait, is the same queue: rounding must not decide.
        if by_workers < by_cpu * (1 - 1e-12):
            return TaskQueue(
                concurrency_limit, residence_s, 0.0, by_workers, service_time_cv * (service_s / residence_s)
            )
    return TaskQueue(servers, service_s, wait_s, by_cpu, service_time_cv)


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


def mean_wait(
    servers: int, utilization: ArrayLike, arrival_cv: float = 1.0, service_time_cv: float = 1.0
) -> NDArray[np.float64]:
    """Mean wait of all requests for a server, in service times: Allen and Cunneen's approximation.

    Parameters
    ----------
    servers : int
        Servers. [1]
    utilization : array_like
        Load over capacity; from 1 on the answer is infinite. [1]
    arrival_cv : float
        Coefficient of variation of the times between requests, 1 if they come independently of each other. [1]
    service_time_cv : float
        Coefficient of variation of the service times, 1 if they are exponential. [1]

    Returns
    -------
    numpy.ndarray
        Mean wait over mean service time. [1]

    Notes
    -----
    Exact for M/M/c and for one server with independent arrivals (Pollaczek and Khinchine).

    References
    ----------
    .. [1] A. O. Allen, "Probability, Statistics, and Queueing Theory", 2nd ed. 1990, section 5.4.

    Examples
    --------
    >>> mean_wait(4, [0.7, 0.8]).round(3).tolist()
    [0.357, 0.746]
    >>> mean_wait(1, 0.8, service_time_cv=0.0).round(3).tolist()
    2.0
    """
    rho = np.asarray(utilization, dtype=np.float64)
    spare = servers * (1.0 - np.minimum(rho, 1.0))
    wait = _variability(arrival_cv, service_time_cv) * erlang_c(servers, rho) / np.where(rho >= 1.0, 1.0, spare)
    return np.asarray(np.where(rho >= 1.0, np.inf, wait))


def slower_than(
    time_s: ArrayLike,
    utilization: ArrayLike,
    servers: int,
    service_s: float,
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
) -> NDArray[np.float64]:
    """Probability that a response takes longer than a time, first come first served.

    Parameters
    ----------
    time_s : array_like
        Times; broadcast with the utilizations. [s]
    utilization : array_like
        Load over capacity; from 1 on the answer is 1. [1]
    servers : int
        Servers. [1]
    service_s : float
        Mean service time. [s]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times: 1 exponential, 0 constant, else gamma distributed. [1]

    Returns
    -------
    numpy.ndarray
        Probability. [1]

    Notes
    -----
    Unless service times are exponential, every time that occurs is computed with every utilization that occurs: a column of times and a
    row of utilizations are quick, many pairs are not.

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
    time = np.maximum(np.asarray(time_s, dtype=np.float64) / service_s, 0.0)
    if service_time_cv == 1.0:
        tail = _exponential_tail(time, rho, servers, arrival_cv)
    else:
        times, time_at = np.unique(time, return_inverse=True)
        loads, load_at = np.unique(rho, return_inverse=True)
        tail = _general_tail(times, loads, servers, arrival_cv, service_time_cv)[time_at, load_at]
    return np.asarray(np.where(rho >= 1.0, 1.0, np.clip(tail, 0.0, 1.0)))


def in_flight_percentile(
    utilization: ArrayLike, servers: int, share: float, arrival_cv: float = 1.0, service_time_cv: float = 1.0
) -> NDArray[np.float64]:
    """Count the requests inside one task, served or queued, that are not exceeded for a part of the time.

    Parameters
    ----------
    utilization : array_like
        Load over capacity, below 1. [1]
    servers : int
        Servers. [1]
    share : float
        Part of the time, such as 0.999. [1]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times. [1]

    Returns
    -------
    numpy.ndarray
        Requests in flight; at least the number of servers, unless there is no load. [requests]

    Notes
    -----
    The queue of those that have to wait is geometric; with other coefficients of variation than 1 its mean is that of `mean_wait`.

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
    variability = _variability(arrival_cv, service_time_cv)
    longer = busy if variability == 1.0 else variability * busy / (1.0 - busy + variability * busy)
    queued = np.log((1.0 - share) / np.maximum(erlang_c(servers, busy), 1e-300)) / np.log(np.maximum(longer, 1e-300))
    # N exceeds c + n for a part C * longer**(n + 1) of the time; in M/M/c `longer` is the utilization.
    found = servers + np.maximum(np.ceil(queued) - 1.0, 0.0)
    return np.where(rho > 0, found, 0.0)


def period_percentiles_s(
    by_utilization: NDArray[np.float64],
    by_wait: NDArray[np.float64],
    shares: tuple[float, ...],
    servers: int,
    service_s: float,
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
) -> NDArray[np.float64]:
    """Response times that shares of all requests of a period stay within.

    The period mixes minutes of every utilization, so this is a percentile over requests, not a mean of percentiles
    over minutes.

    Parameters
    ----------
    by_utilization : numpy.ndarray, shape (n_candidates, N_BINS)
        Requests of steps without a standing queue, by utilization. [requests]
    by_wait : numpy.ndarray, shape (n_candidates, N_WAIT_BINS + 1)
        Requests of all other steps, by waiting time; those of the last bin, which are refused, never count as answered in
        time. [requests]
    shares : tuple of float
        Shares of the requests, such as 0.95. [1]
    servers : int
        Servers of a task. [1]
    service_s : float
        Mean service time. [s]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times. [1]

    Returns
    -------
    numpy.ndarray, shape (n_shares, n_candidates)
        Response times; infinite if too many requests are never answered in time, 0 if there are no requests. [s]

    Notes
    -----
    One product of histogram and exceedance table serves all candidates; between two of its times (3 % apart) the
    logarithm of the exceedance is taken as linear, which is exact for an exponential tail. In a standing queue the tasks are
    busy all the time: a response takes the step's mean wait and a service time.
    """
    never = by_wait[:, -1]
    waiting = by_wait[:, :-1]
    requests = np.column_stack([by_utilization, never]).sum(axis=1) + waiting.sum(axis=1)
    allowed = [(1.0 - share) * requests - never for share in shares]
    grid = _grid(arrival_cv, service_time_cv)
    times, beyond = _exceedance(servers, service_s, arrival_cv, service_time_cv)
    slower = by_utilization @ beyond.T
    found = np.array([_crossing(times, slower, allowed_of_share) for allowed_of_share in allowed])
    stands = np.flatnonzero(waiting.any(axis=1))
    if stands.size:
        times, slower = _with_waits(grid, service_s, service_time_cv, slower[stands], waiting[stands])
        found[:, stands] = [_crossing(times, slower, allowed_of_share[stands]) for allowed_of_share in allowed]
    return np.where(requests > 0, found, 0.0)


def surely_late_shares(
    time_s: float,
    servers: int,
    service_s: float,
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
) -> NDArray[np.float64]:
    """Part of the requests at each utilization of the histogram that `period_percentiles_s` counts as slower than a time, at the least.

    Parameters
    ----------
    time_s : float
        Response time. [s]
    servers : int
        Servers of a task. [1]
    service_s : float
        Mean service time. [s]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times. [1]

    Returns
    -------
    numpy.ndarray, shape (N_BINS,)
        Shares: those at the next of the times between which that function interpolates, so up to 3 % later. [1]
    """
    times = service_s * _grid(arrival_cv, service_time_cv)
    after = times[min(int(np.searchsorted(times, time_s)), times.size - 1)]
    shares = slower_than(after, BIN_UTILIZATION, servers, service_s, arrival_cv, service_time_cv)
    return shares if time_s <= times[-1] else np.zeros_like(shares)


def step_percentiles_s(
    utilization: ArrayLike,
    share: float,
    servers: int,
    service_s: float,
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
    wait_s: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Response time that a share of the requests of each step stays within.

    Parameters
    ----------
    utilization : array_like
        Load over capacity of each step. [1]
    share : float
        Share of the requests, such as 0.95. [1]
    servers : int
        Servers of a task. [1]
    service_s : float
        Mean service time. [s]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times. [1]
    wait_s : array_like
        Mean wait in a standing queue of each step; broadcast with the utilization. [s]

    Returns
    -------
    numpy.ndarray
        Response times, of a step with a standing queue its wait and a service time; else infinite from utilization 1 on, and that
        of an idle task without requests. [s]

    Examples
    --------
    >>> step_percentiles_s([0.0, 0.5, 1.0, 1.2], 0.95, 1, 0.1, wait_s=[0, 0, 0, 2.0]).round(3).tolist()
    [0.3, 0.599, inf, 2.3]
    """
    rho = np.asarray(utilization, dtype=np.float64)
    waits = np.asarray(wait_s, dtype=np.float64)
    # Close to capacity times grow with 1 over what is spare, up to a limit: their product with it is smooth.
    knots = np.arange(N_BINS) / N_BINS
    grid = _grid(arrival_cv, service_time_cv)
    slower = slower_than(grid[:, None], knots[None, :], servers, 1.0, arrival_cv, service_time_cv).T
    found = _crossing(grid, slower, np.full(N_BINS, 1.0 - share))
    at_capacity = -math.log(1.0 - share) * _variability(arrival_cv, service_time_cv) / servers
    scaled = np.interp(rho, np.append(knots, 1.0), np.append(found * (1.0 - knots), at_capacity))
    steady = np.where(rho < 1.0, scaled / np.where(rho < 1.0, 1.0 - rho, 1.0), np.inf)
    return np.asarray(service_s * np.where(waits > 0, waits / service_s + found[0], steady))


def utilization_within(
    time_s: float,
    share: float,
    servers: int,
    service_s: float,
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
) -> float:
    """Largest utilization at which a share of the requests stays within a response time.

    Parameters
    ----------
    time_s : float
        Response time. [s]
    share : float
        Share of the requests, such as 0.95. [1]
    servers : int
        Servers of a task. [1]
    service_s : float
        Mean service time. [s]
    arrival_cv : float
        Coefficient of variation of the times between requests. [1]
    service_time_cv : float
        Coefficient of variation of the service times. [1]

    Returns
    -------
    float
        Utilization; infinite for an infinite time, and 0 if even an idle task is slower, so that every step with requests is over
        it. [1]

    Examples
    --------
    One server, 95 of 100: ``service_s * log(20) / (1 - utilization)``.

    >>> round(utilization_within(1.0, 0.95, 1, 0.1), 4)
    0.7004
    >>> utilization_within(0.2, 0.95, 1, 0.1)
    0.0
    """
    if time_s == math.inf:
        return math.inf
    low, high = 0.0, 1.0
    # More load is slower; five times, one of 256 parts of what is left is the edge's.
    for _ in range(5):
        tried = np.linspace(low, high, 257)
        slower = slower_than(time_s, tried, servers, service_s, arrival_cv, service_time_cv)
        kept = int(np.count_nonzero(slower <= 1.0 - share))
        if kept == 0:
            return 0.0
        low, high = float(tried[kept - 1]), float(tried[min(kept, 256)])
    return low


@functools.lru_cache(maxsize=32)
def _exceedance(
    servers: int, service_s: float, arrival_cv: float, service_time_cv: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """List times, and the part of the requests that is slower than each of them at the utilization of each bin."""
    times = service_s * _grid(arrival_cv, service_time_cv)
    beyond = slower_than(times[:, None], BIN_UTILIZATION[None, :], servers, service_s, arrival_cv, service_time_cv)
    times.setflags(write=False)
    beyond.setflags(write=False)
    return times, beyond


def _variability(arrival_cv: float, service_time_cv: float) -> float:
    """Mean wait as a multiple of that of M/M/c."""
    return (arrival_cv**2 + service_time_cv**2) / 2.0


def _exponential_tail(
    time: NDArray[np.float64], rho: NDArray[np.float64], servers: int, arrival_cv: float
) -> NDArray[np.float64]:
    """Part of the responses that take more than some service times, these being exponential, below utilization 1."""
    waits = erlang_c(servers, rho)
    # In service for longer than `time`, or waiting for part of it: two exponentials with rates 1 and `drain`, at
    # equal rates their limit.
    drain = servers * (1.0 - np.minimum(rho, 1.0)) / _variability(arrival_cv, 1.0)
    near = np.abs(drain - 1.0) < 1e-6
    served = np.exp(-time)
    waited = np.where(near, time * served, (served - np.exp(-drain * time)) / np.where(near, 1.0, drain - 1.0))
    return np.asarray(served + waits * waited)


def _general_tail(
    times: NDArray[np.float64], rho: NDArray[np.float64], servers: int, arrival_cv: float, service_time_cv: float
) -> NDArray[np.float64]:
    """Part of the responses that take more than rising numbers of service times, at rising utilizations: a table."""
    served = _service_tail(times, service_time_cv)[:, None]
    variability = _variability(arrival_cv, service_time_cv)
    table = np.repeat(served, rho.size, axis=1)
    loaded = (rho > 0.0) & (rho < 1.0)
    if variability == 0.0 or not loaded.any():
        return table
    drain = servers * (1.0 - rho[loaded]) / variability
    waited = np.zeros((times.size, drain.size))
    some = (times > 0.0) & (times < np.inf)
    if service_time_cv < _CONSTANT_CV:
        some = times >= 1.0
        waited[some] = np.exp(-np.outer(times[some] - 1.0, drain))
    elif some.any():
        grid = np.union1d(_grid(arrival_cv, service_time_cv), times[some])
        grid = grid[grid <= times[some][-1]]
        waited[some] = _still_waiting(grid, drain, service_time_cv)[np.searchsorted(grid, times[some])]
    table[:, loaded] += erlang_c(servers, rho[loaded]) * waited
    return table


def _still_waiting(
    grid: NDArray[np.float64], drain: NDArray[np.float64], service_time_cv: float
) -> NDArray[np.float64]:
    """Part of the responses whose service time is over within rising times, but not with an exponential wait besides.

    From one time to the next those from before get fewer at the rate at which waits end, and those join whose service
    time lies between, as if it were equally likely anywhere between.
    """
    passed = np.outer(np.diff(grid, prepend=0.0), drain)
    fewer = np.expm1(-passed)
    table = -np.diff(_service_tail(grid, service_time_cv), prepend=1.0)[:, None] * (-fewer / passed)
    fewer += 1.0
    for i in range(1, grid.size):
        table[i] += table[i - 1] * fewer[i]
    return np.asarray(table)


def _with_waits(
    grid: NDArray[np.float64],
    service_s: float,
    service_time_cv: float,
    slower: NDArray[np.float64],
    waiting: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add those that wait in a standing queue to requests that are slower than service times: more times, and a table."""
    waits = BIN_WAIT_S
    tail = np.log(np.maximum(_service_tail(grid, service_time_cv), 1e-300))
    # A bin's responses come where these parts of all service times are longer, after the wait.
    steps = np.interp(np.log(_SERVICE_TAIL), tail[::-1], grid[::-1])
    times = np.union1d(service_s * grid, waits[:, None] + service_s * steps)
    place = np.interp(times / service_s, grid, np.arange(grid.size))
    before = np.minimum(place.astype(np.int64), grid.size - 2)
    logs = np.log(np.maximum(slower, 1e-300))
    served = np.exp(logs[:, before] + (place - before) * (logs[:, before + 1] - logs[:, before]))
    after = (times[:, None] - waits[None, :]) / service_s
    waited = waiting @ np.exp(np.interp(after, np.append(0.0, grid), np.append(0.0, tail))).T
    return times, served + waited


def _service_tail(times: NDArray[np.float64], service_time_cv: float) -> NDArray[np.float64]:
    """Part of the service times that are longer than so many mean ones."""
    if service_time_cv == 1.0:
        return np.exp(-np.maximum(times, 0.0))
    if service_time_cv < _CONSTANT_CV:
        return np.where(times < 1.0, 1.0, 0.0)
    shape = service_time_cv**-2
    tail = np.where(times <= 0.0, 1.0, 0.0)
    if shape > _WIDE_SHAPE:
        some = (times > 0.0) & (times < np.inf)
        normal = (np.cbrt(times[some]) - 1.0 + 1.0 / (9.0 * shape)) * math.sqrt(9.0 * shape)
        tail[some] = [0.5 * math.erfc(z / math.sqrt(2.0)) for z in normal]
        return tail
    # Further out there is nothing left.
    some = (times > 0.0) & (times * shape < shape + 12.0 * math.sqrt(shape) + 60.0)
    x = times[some] * shape
    if x.size:
        term = np.exp(shape * np.log(x) - x - math.lgamma(shape + 1.0))
        faster = term.copy()
        n = 0
        # The terms rise until shape + n has passed the largest x.
        while shape + n < x.max() or term.max() > 1e-17:
            n += 1
            term *= x / (shape + n)
            faster += term
        tail[some] = np.clip(1.0 - faster, 0.0, 1.0)
    return tail


def _grid(arrival_cv: float, service_time_cv: float) -> NDArray[np.float64]:
    """Lay out the times, in service times, between which tails are interpolated: 3 % apart, closer where more happens."""
    # Longest wait that matters, in those of M/M/c.
    longer = max(1.0, _variability(arrival_cv, service_time_cv))
    grid = np.geomspace(1e-2, 1e5 * longer, 561 + math.ceil(80 * math.log10(longer)))
    if service_time_cv < _CONSTANT_CV:
        return np.union1d(grid, [1.0 - 1e-6, 1.0 + 1e-6])
    if service_time_cv < _NARROW_CV:
        near = 1.0 + service_time_cv * np.linspace(-8.0, 8.0, 65)
        return np.union1d(grid, near[near > 0.0])
    return grid


def _crossing(
    times: NDArray[np.float64], slower: NDArray[np.float64], allowed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find the time beyond which no more than what is allowed is slower, for each row (n, n_times) of a falling table."""
    slower = np.maximum(slower, 1e-300)
    inside = slower <= allowed[:, None]
    last = np.clip(inside.argmax(axis=1), 1, None)
    place = np.arange(len(slower))
    before, after = np.log(slower[place, last - 1]), np.log(slower[place, last])
    goal = np.log(np.maximum(allowed, 1e-300))
    part = np.clip((before - goal) / np.maximum(before - after, 1e-300), 0.0, 1.0)
    time = times[last - 1] + part * (times[last] - times[last - 1])
    return np.asarray(np.where(inside.any(axis=1) & (allowed > 0), time, np.inf))
