"""simulate(workload, specs) -> Simulation: candidates with equal dynamics once, on threads.

Notes
-----
Small work runs the same loop uncompiled, so that pricing one plan needs neither numba nor its second of import time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation.courses import Courses
from estimator.simulation.outcome import Figures
from estimator.simulation.result import Simulation
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload


def simulate(
    workload: Workload,
    specs: Sequence[ServiceSpec],
    application: Application | None = None,
    behavior: AwsBehavior | None = None,
    keep_series: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
    *,
    operations: Operations | None = None,
    p95_latency_ms: float | None = None,
    keep_hours: bool = False,
    before: LoadProfile | None = None,
    n_threads: int | None = None,
) -> Simulation:
    """Follow candidates through one period of the load.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    specs : sequence of ServiceSpec
        The candidates.
    application : Application, optional
        Boot, image and draining times, and the queue.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS.
    keep_series : sequence of int
        Positions of the candidates whose series are wanted.
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.
    operations : Operations, optional
        Deployments, loss of a zone, shortages of Fargate Spot.
    p95_latency_ms : float, optional
        Promised p95 latency, by which minutes over the promise are counted. [ms]
    keep_hours : bool
        True to keep the billed task-seconds of each hour, of all candidates.
    before : LoadProfile, optional
        What came before the period, once and unbilled, to a service that began with its minimum; by default the period is taken as
        periodic. It goes without predictive scaling, scheduled actions and operations.

    n_threads : int, optional
        Threads to run on, which change no figure; by default one for each core. [1]

    Returns
    -------
    Simulation
        Figures for each candidate, in the order of ``specs``.

    Raises
    ------
    InvalidScenario
        If a schedule or something that happens does not fit the load's period, or ``before`` does not go with them.
    """
    specs = tuple(specs)
    courses = Courses(
        workload,
        specs,
        application or Application(),
        behavior or AwsBehavior(),
        operations or Operations(),
        p95_latency_ms,
        before,
    )
    keep = {int(courses.index[i]) for i in keep_series}
    n = len(courses.dynamics)
    for i in range(n):
        courses.course(i)
    found: dict[int, Figures] = {}

    def one(i: int) -> None:
        found[i] = courses.run(i, i in keep, keep_hours)

    run_all(one, n, courses.is_compiled, progress, n_threads)
    return courses.simulation(specs, courses.index, found, keep_series, keep_hours)


def run_all(
    one: Callable[[int], None],
    n: int,
    compiled: bool,
    progress: Callable[[float], None] | None = None,
    n_threads: int | None = None,
) -> None:
    """Do something for each of n places, on threads where it releases the GIL; what ``progress`` raises ends it after those that are running.

    Parameters
    ----------
    one : callable
        Takes a place, 0 to n - 1.
    n : int
        Places. [1]
    compiled : bool
        True for threads.
    progress : callable, optional
        Called with the part that is done, 0 to 1.
    n_threads : int, optional
        Threads; by default one for each core. [1]
    """
    n_threads = min(n_threads or os.cpu_count() or 1, n) if compiled else 1
    if n_threads <= 1:
        for i in range(n):
            one(i)
            if progress is not None:
                progress((i + 1) / n)
        return
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    # Chunks are small enough for progress and large enough not to be felt.
    size = max(1, min(32, n // (8 * n_threads)))
    stop = threading.Event()

    def several(first: int) -> int:
        last = min(first + size, n)
        for i in range(first, last):
            if stop.is_set():
                break
            one(i)
        return last - first

    def tell(done: int) -> None:
        if progress is not None:
            progress(done / n)

    one(0)  # compiles, if that is still to be done
    tell(1)
    done = 1
    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        waiting: set[Future[int]] = {pool.submit(several, first) for first in range(1, n, size)}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    for _ in range(future.result()):
                        done += 1
                        tell(done)
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
