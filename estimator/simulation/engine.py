"""simulate(workload, specs) -> Simulation: candidates with equal dynamics once, on threads.

Notes
-----
Small work runs the same loop uncompiled, so that pricing one plan needs neither numba nor its second of import time.
Random numbers are drawn before the loop, from the seed of `AwsBehavior`: all candidates share them.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import FARGATE, FARGATE_SPOT
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation import latency, parameters
from estimator.simulation.activities import scaling_activities
from estimator.simulation.dynamics import Dynamics, dynamics_of
from estimator.simulation.inputs import SimulationInputs, features_of
from estimator.simulation.latency import TaskQueue
from estimator.simulation.outcome import OutcomeSeries, loop_for, run_loop
from estimator.simulation.result import Series, Simulation
from estimator.simulation.translation import Setting, inputs_of, setting_of
from estimator.units import MS_PER_S, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: Figures are known by the minute, or by 20 seconds where a policy watches a 20-second metric or the load is known more finely. [s]
STEP_S, FINE_STEP_S = SECONDS_PER_MINUTE, 20
#: The warm-up is what the load was before the period: a short period several times, or the end of a long one. [s]
MIN_WARM_UP_S = SECONDS_PER_DAY
MAX_WARM_UP_S = 7 * SECONDS_PER_DAY
#: Up to this many steps the loop runs uncompiled. [candidate-steps]
UNCOMPILED_STEPS = 45_000
#: Percentiles that a simulation has. [1]
SHARES = (0.50, 0.95, 0.99)


@dataclass(eq=False)
class _Course:
    """One dynamics on its way: what went in, and what came out."""

    dynamics: Dynamics
    setting: Setting
    inputs: SimulationInputs
    queue: TaskQueue
    series: OutcomeSeries | None = None


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

    Returns
    -------
    Simulation
        Figures for each candidate, in the order of ``specs``.

    Raises
    ------
    InvalidScenario
        If a schedule or something that happens does not fit the load's period, or ``before`` does not go with them.
    """
    application = application or Application()
    behavior = behavior or AwsBehavior()
    operations = operations or Operations()
    specs = tuple(specs)
    if before is not None and (operations != Operations() or any(s.predictive or s.scheduled_actions for s in specs)):
        raise InvalidScenario(
            "before goes with a period that stands alone: predictive scaling, scheduled actions and operations take the period as one that "
            "repeats. Leave them out, or leave out before."
        )
    dynamics = [dynamics_of(spec, operations) for spec in specs]
    unique = list(dict.fromkeys(dynamics))
    place = {item: i for i, item in enumerate(unique)}
    index = np.array([place[item] for item in dynamics], dtype=np.int64)
    keep = {int(index[i]) for i in keep_series}

    period_s = workload.load.period_s
    # A load that is known more finely than by the minute can fill a part of one.
    steps_s = [FINE_STEP_S if workload.load.step_s < STEP_S else item.step_s for item in unique]
    warm_ups_s = [_warm_up_s(item, period_s) if before is None else before.period_s for item in unique]
    grids = list(zip(steps_s, warm_ups_s, strict=True))
    settings = {grid: setting_of(workload, application, behavior, operations, *grid, before) for grid in set(grids)}
    limits: dict[TaskQueue, float] = {}

    def course(item: Dynamics, grid: tuple[int, int]) -> _Course:
        setting = settings[grid]
        queue = setting.queue_of(item)
        if queue not in limits:
            limits[queue] = _slow_utilization(queue, workload, p95_latency_ms)
        return _Course(item, setting, inputs_of(item, setting, limits[queue]), queue)

    courses = [course(*pair) for pair in zip(unique, grids, strict=True)]
    n_steps = sum(len(one.inputs.requests_per_s) for one in courses)
    # Once the compiled loop is there, it is the faster one for any work.
    compiled = n_steps > UNCOMPILED_STEPS or "estimator.simulation.compiled" in sys.modules

    totals = np.zeros((len(unique), parameters.N_TOTALS))
    by_utilization = np.zeros((len(unique), parameters.N_BINS))
    by_wait = np.zeros((len(unique), parameters.N_WAIT_BINS + 1))
    n_hours = round(period_s / SECONDS_PER_HOUR) if keep_hours else 0
    by_hour = np.zeros((2, len(unique), n_hours))

    def one(i: int) -> None:
        inputs = courses[i].inputs
        loop = loop_for(features_of(inputs), compiled, n_steps)
        done = run_loop(inputs, i in keep, loop, compiled, keep_hours)
        totals[i], by_utilization[i], by_wait[i] = done.totals, done.utilization_histogram, done.wait_histogram
        courses[i].series = done.series
        if keep_hours:
            by_hour[0, i] = done.billed_s_by_hour
            by_hour[1, i] = done.spot_billed_s_by_hour

    _run_all(one, len(unique), compiled, progress)

    if not (application.queue_per_task > 0 and application.queue_timeout_s > 0):
        # Nothing waits: what meets a step over capacity does not count as answered in time.
        by_wait = np.concatenate([np.zeros_like(by_wait[:, :-1]), by_wait.sum(axis=1, keepdims=True)], axis=1)
    percentiles = _percentiles_ms(courses, workload, by_utilization, by_wait)
    minutes = np.array(steps_s) / SECONDS_PER_MINUTE
    column = totals[index].T
    in_all, on_spot = by_hour[:, index]
    return Simulation(
        specs=specs,
        period_hours=workload.load.period_hours,
        billed_task_hours=column[parameters.BILLED_TASK_S] / SECONDS_PER_HOUR,
        spot_billed_task_hours=column[parameters.SPOT_BILLED_TASK_S] / SECONDS_PER_HOUR,
        running_task_hours=column[parameters.RUNNING_TASK_S] / SECONDS_PER_HOUR,
        launched=column[parameters.LAUNCHED],
        removed=column[parameters.REMOVED],
        replaced=column[parameters.REPLACED] + column[parameters.INTERRUPTIONS],
        minutes_over_capacity=column[parameters.STEPS_OVER_CAPACITY] * minutes[index],
        minutes_over_promise=column[parameters.SLOW_STEPS] * minutes[index],
        unserved_requests=column[parameters.REFUSED_REQUESTS],
        peak_desired_count=column[parameters.PEAK_DESIRED_COUNT],
        peak_utilization=column[parameters.PEAK_UTILIZATION],
        peak_queued_requests=column[parameters.PEAK_QUEUE],
        spot_interruptions=column[parameters.INTERRUPTIONS],
        stuck_deployments=column[parameters.STUCK_DEPLOYMENTS],
        p50_latency_ms=percentiles[0, index],
        p95_latency_ms=percentiles[1, index],
        p99_latency_ms=percentiles[2, index],
        series={i: _series(courses[int(index[i])], specs[i]) for i in keep_series},
        billed_task_s_by_hour={FARGATE: in_all - on_spot, FARGATE_SPOT: on_spot} if keep_hours else {},
        load_fingerprint=workload.load.fingerprint(),
    )


def _warm_up_s(dynamics: Dynamics, period_s: int) -> int:
    """Length of a candidate's warm-up; one that never scales in remembers the peak of the whole period. [s]"""
    return max(min(period_s, MAX_WARM_UP_S) if dynamics.scales_in else period_s, MIN_WARM_UP_S)


def _run_all(one: Callable[[int], None], n: int, compiled: bool, progress: Callable[[float], None] | None) -> None:
    """Run all dynamics, compiled ones on threads; whatever ``progress`` raises ends it after those that are running."""
    n_threads = min(os.cpu_count() or 1, n) if compiled else 1
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


def _as_a_queue(queue: TaskQueue, workload: Workload) -> tuple[int, float, float, float]:
    """Say what the queueing formulas take: servers, service time and the two coefficients of variation."""
    return queue.servers, queue.service_s, workload.arrival_cv, queue.service_time_cv


def _slow_utilization(queue: TaskQueue, workload: Workload, p95_latency_ms: float | None) -> float:
    """Utilization of a task up to which a promised p95 latency holds."""
    if p95_latency_ms is None:
        return math.inf
    time_s = p95_latency_ms / MS_PER_S - queue.added_s
    return latency.utilization_within(time_s, 0.95, *_as_a_queue(queue, workload))


def _percentiles_ms(
    courses: Sequence[_Course], workload: Workload, by_utilization: NDArray[np.float64], by_wait: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Response times of all requests of the period, shape (3, n_courses). [ms]"""
    found = np.zeros((len(SHARES), len(courses)))
    groups: dict[TaskQueue, list[int]] = {}
    for i, course in enumerate(courses):
        groups.setdefault(course.queue, []).append(i)
    for queue, members in groups.items():
        answered = latency.period_percentiles_s(
            by_utilization[members], by_wait[members], SHARES, *_as_a_queue(queue, workload)
        )
        found[:, members] = np.where(answered > 0, MS_PER_S * (answered + queue.added_s), 0.0)
    return found


def _series(course: _Course, spec: ServiceSpec) -> Series:
    """Turn the loop's series into those that people read."""
    values, setting, inputs, queue = course.series, course.setting, course.inputs, course.queue
    assert values is not None
    step_s = setting.step_s
    work = setting.workload
    running_s = np.where(values.running_s > 0, values.running_s, np.nan)
    before = np.concatenate([[0.0], values.queue[:-1]])
    in_flight_s = values.served * inputs.residence_s + step_s * (before + values.queue) / 2
    memory_mib = work.baseline_memory_mib + in_flight_s / running_s * work.memory_mib_per_request
    cpu = 100 * values.served * inputs.cpu_s_per_request / (running_s * inputs.task_vcpu)
    capacity_per_s = values.healthy_s / step_s * inputs.task_requests_per_s
    shortest, longest = np.minimum(before, values.queue), np.maximum(before, values.queue)
    arrivals = setting.period_requests_per_s * step_s
    percentiles = []
    for share in SHARES:
        # Those that come as the queue grows, or go as it shrinks, wait evenly between its two lengths.
        waiting = shortest + share * (longest - shortest)
        with np.errstate(divide="ignore", invalid="ignore"):
            waits_s = np.where(waiting > 0, waiting / capacity_per_s, 0.0)
        answered = latency.step_percentiles_s(values.utilization, share, *_as_a_queue(queue, work), waits_s)
        refused = values.refused > (1 - share) * arrivals
        percentiles.append(MS_PER_S * (np.where(refused, np.inf, answered) + queue.added_s))
    first = setting.warm_up
    # Where the period repeats, its last step came before its first.
    moved = setting.repeats and values.moved_by[0] != parameters.NOBODY
    before_first = int(values.desired_count[-1]) if moved else None
    return Series(
        requests_per_s=setting.period_requests_per_s,
        desired_count=values.desired_count,
        running_count=values.running_s / step_s,
        pending_count=values.pending_s / step_s,
        healthy_count=values.healthy_s / step_s,
        draining_count=values.draining_s / step_s,
        billed_count=values.billed_s / step_s,
        spot_billed_count=values.spot_billed_s / step_s,
        served_requests=values.served,
        refused_requests=values.refused,
        queued_requests=values.queue,
        utilization=values.utilization,
        cpu_utilization_percent=np.minimum(cpu, 100.0).round(6),
        memory_utilization_percent=np.minimum(100 * memory_mib / spec.task_size.memory_mib, 100.0).round(6),
        p50_latency_ms=percentiles[0],
        p95_latency_ms=percentiles[1],
        p99_latency_ms=percentiles[2],
        datapoints=values.datapoints,
        activities=scaling_activities(
            values.desired_count,
            values.running_s / step_s,
            values.moved_by,
            course.dynamics.watching,
            [policy.lag_s % step_s for policy in inputs.policies],
            [(step - first, low, high, floor) for step, low, high, floor in inputs.bounds],
            step_s,
            before_first,
        ),
        step_s=step_s,
    )
