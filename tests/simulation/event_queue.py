"""Requests at a load balancer one by one: the truth for the queueing formulas, with none of them inside.

Every request arrives, is sent to a task by one of the load balancer's routing algorithms, waits there for the first of
the task's servers that is free (first come first served), is served and leaves. Many services are followed side by
side, each with its own requests; the loop goes over requests, in the order of their arrival, for all services at once.
"""

import numpy as np
from numpy.typing import NDArray

ROUTINGS = ("random", "round_robin", "least_outstanding")
#: Requests that a task can hold at most where they are counted.
_PLACES = 64


def responses(
    arrivals: NDArray[np.float64],
    services: NDArray[np.float64],
    n_tasks: int,
    servers: int,
    routing: str = "random",
    seed: int = 0,
) -> NDArray[np.float64]:
    """Response times of given requests.

    Parameters
    ----------
    arrivals, services : numpy.ndarray, shape (n_requests, n_services)
        When each request arrives, rising, and how long a server is busy with it. [s]
    n_tasks, servers : int
        Tasks of a service, and servers of a task. [1]
    routing : str
        ``random``; ``round_robin``; ``least_outstanding``: the task with the fewest requests, one of them at random.
    seed : int
        For the choices of the load balancer.

    Returns
    -------
    numpy.ndarray, shape (n_requests, n_services)
        Response times. [s]
    """
    rng = np.random.default_rng(seed)
    n_requests, n_services = arrivals.shape
    service = np.arange(n_services)
    free_at = np.zeros((n_services, n_tasks, servers))
    # When the requests of each task leave; places of those that have left are taken again.
    leaves_at = np.zeros((n_services, n_tasks, _PLACES if routing == "least_outstanding" else 0))
    found = np.empty_like(arrivals)
    for i in range(n_requests):
        now = arrivals[i]
        if routing == "random":
            task = rng.integers(n_tasks, size=n_services)
        elif routing == "round_robin":
            task = np.full(n_services, i % n_tasks)
        else:
            outstanding = (leaves_at > now[:, None, None]).sum(axis=2)
            task = np.argmin(outstanding + rng.random(outstanding.shape), axis=1)
        of_task = free_at[service, task]
        server = of_task.argmin(axis=1)
        end = np.maximum(of_task[service, server], now) + services[i]
        free_at[service, task, server] = end
        found[i] = end - now
        if routing == "least_outstanding":
            place = leaves_at[service, task].argmin(axis=1)
            assert (leaves_at[service, task, place] <= now).all(), "more requests in a task than places"
            leaves_at[service, task, place] = end
    return found


def steady_responses(
    utilization: float,
    n_tasks: int,
    servers: int,
    routing: str = "random",
    arrival_cv: float = 1.0,
    service_time_cv: float = 1.0,
    n_services: int = 400,
    n_requests: int = 6000,
    skipped: int = 2000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Response times under a constant load, in mean service times.

    Parameters
    ----------
    utilization : float
        Load over capacity. [1]
    n_tasks, servers : int
        Tasks of a service, and servers of a task. [1]
    routing : str
        One of `ROUTINGS`.
    arrival_cv, service_time_cv : float
        Coefficients of variation of the times between requests and of the service times, both gamma distributed.
    n_services : int
        Services side by side.
    n_requests, skipped : int
        Requests for each task of a service, and those at the beginning, from empty queues on, that do not count.
    seed : int
        Of all draws.

    Returns
    -------
    numpy.ndarray
        Response times of all services, in one row. [service times]
    """
    rng = np.random.default_rng(seed)
    shape = (n_requests * n_tasks, n_services)
    gaps = gamma(rng, arrival_cv, shape) / (utilization * servers * n_tasks)
    found = responses(np.cumsum(gaps, axis=0), gamma(rng, service_time_cv, shape), n_tasks, servers, routing, seed + 1)
    return found[skipped * n_tasks :].ravel()


def gamma(rng: np.random.Generator, cv: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Draw from the gamma distribution of mean 1 and a coefficient of variation; 1 is exponential, 0 constant."""
    if cv == 0:
        return np.ones(shape)
    return rng.exponential(size=shape) if cv == 1 else rng.gamma(cv**-2, cv**2, shape)
