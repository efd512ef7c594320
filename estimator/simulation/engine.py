"""simulate(workload, specs) -> Simulation: candidates with equal dynamics once, on threads.

Notes
-----
Small work runs the same loop uncompiled, so that pricing one plan needs neither numba nor its second of import time.
Random numbers are drawn here, before the loop, from the seed of `AwsBehavior`: all candidates share them.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.spec import ServiceSpec
from estimator.simulation import latency, parameters
from estimator.simulation.inputs import PolicyInputs, SimulationInputs, features_of
from estimator.simulation.outcome import OutcomeSeries, loop_for, run_loop
from estimator.simulation.result import Series, Simulation
from estimator.units import CPU_UNITS_PER_VCPU, MS_PER_S, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.request import Workload

#: The period of the ECS service metrics. [s]
STEP_S = SECONDS_PER_MINUTE
#: The warm-up is what the load was before the period: a short period several times, or the end of a long one. [s]
MIN_WARM_UP_S = SECONDS_PER_DAY
MAX_WARM_UP_S = 7 * SECONDS_PER_DAY
#: Up to this many steps the loop runs uncompiled. [candidate-steps]
UNCOMPILED_STEPS = 45_000
N_READY_WAITS = 4096


@dataclass(frozen=True)
class _Dynamics:
    """What of a candidate decides its course; candidates that differ in prices or memory share it."""

    cpu_units: int
    cpu_architecture: str
    min_capacity: int
    max_capacity: int
    scaling: Any


def simulate(
    workload: Workload,
    specs: Sequence[ServiceSpec],
    application: Application | None = None,
    behavior: AwsBehavior | None = None,
    keep_series: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
) -> Simulation:
    """Follow candidates through one period of the load.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    specs : sequence of ServiceSpec
        The candidates.
    application : Application, optional
        Boot, image and draining times.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS.
    keep_series : sequence of int
        Positions of the candidates whose series are wanted.
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    Simulation
        Figures for each candidate, in the order of ``specs``.
    """
    application = application or Application()
    behavior = behavior or AwsBehavior()
    specs = tuple(specs)
    load = workload.load.resample(STEP_S)
    n_steps = load.requests_per_s.size
    # A service that never scales in remembers the peak of the whole period.
    forgets = not any(spec.scaling.disable_scale_in for spec in specs)
    warm_up = max(min(n_steps, MAX_WARM_UP_S // STEP_S) if forgets else n_steps, MIN_WARM_UP_S // STEP_S)
    before = np.resize(load.requests_per_s[::-1], warm_up)[::-1]
    rate = np.concatenate([before, load.requests_per_s])
    ready_wait_s = _ready_waits(application, behavior)

    dynamics = [
        _Dynamics(s.task_size.cpu_units, s.cpu_architecture, s.min_capacity, s.max_capacity, s.scaling) for s in specs
    ]
    unique = list(dict.fromkeys(dynamics))
    place = {item: i for i, item in enumerate(unique)}
    keep = {place[dynamics[i]] for i in keep_series}
    # Once the compiled loop is there, it is the faster one for any work.
    compiled = len(unique) * rate.size > UNCOMPILED_STEPS or "estimator.simulation.compiled" in sys.modules

    totals = np.zeros((len(unique), parameters.N_TOTALS))
    histogram = np.zeros((len(unique), parameters.N_BINS + 1))
    kept: dict[int, OutcomeSeries | None] = {}

    def one(i: int) -> None:
        inputs = _inputs(unique[i], workload, rate, warm_up, ready_wait_s, application, behavior)
        loop = loop_for(features_of(inputs), compiled, len(unique) * rate.size)
        totals[i], by_utilization, by_wait, series = run_loop(inputs, i in keep, loop, compiled)
        histogram[i, :-1] = by_utilization
        histogram[i, -1] = by_wait.sum()  # steps over capacity; none of their requests counts as answered in time
        if i in keep:
            kept[i] = series

    _run_all(one, len(unique), compiled, progress)

    return _summary(
        workload, specs, dynamics, place, load.period_hours, totals, histogram, kept, keep_series, load.requests_per_s
    )


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


def _ready_waits(application: Application, behavior: AwsBehavior) -> NDArray[np.int64]:
    """Seconds from running to healthy for each launch: boot, registration, and the wait for the first health check."""
    draws = np.random.default_rng(behavior.seed).random(N_READY_WAITS)
    wait = np.floor(draws * application.health_check_interval_s)
    return (wait + application.boot_s + behavior.registration_s).astype(np.int64)


def _inputs(
    item: _Dynamics,
    workload: Workload,
    rate: NDArray[np.float64],
    warm_up: int,
    ready_wait_s: NDArray[np.int64],
    application: Application,
    behavior: AwsBehavior,
) -> SimulationInputs:
    """Say what the loop takes for one dynamics."""
    cpu_s = workload.cpu_s_per_request(item.cpu_architecture)
    task_vcpu = item.cpu_units / CPU_UNITS_PER_VCPU
    return SimulationInputs(
        requests_per_s=rate,
        record_from=warm_up,
        step_s=STEP_S,
        cpu_s_per_request=cpu_s,
        task_vcpu=task_vcpu,
        task_requests_per_s=task_vcpu / cpu_s,
        queue_per_task=application.queue_per_task,
        queue_timeout_s=application.queue_timeout_s,
        min_capacity=item.min_capacity,
        max_capacity=item.max_capacity,
        unbilled_s=behavior.unbilled_s,
        running_after_s=behavior.provision_s + math.ceil(application.image_mb / behavior.pull_mb_per_s),
        ready_wait_s=ready_wait_s,
        drain_s=application.deregistration_delay_s + application.stop_timeout_s,
        minimum_billed_s=behavior.minimum_billed_s,
        policies=(
            PolicyInputs(
                period_s=STEP_S,
                lag_s=behavior.metric_lag_s,
                target_value=item.scaling.target_value,
                disable_scale_in=item.scaling.disable_scale_in,
                scale_out_cooldown_s=item.scaling.scale_out_cooldown_s,
                scale_in_cooldown_s=item.scaling.scale_in_cooldown_s,
            ),
        ),
        low_factor=behavior.low_factor,
        scale_out_datapoints=behavior.scale_out_datapoints,
        scale_in_datapoints=behavior.scale_in_datapoints,
        scale_in_step_percent=behavior.scale_in_step_percent,
    )


def _summary(
    workload: Workload,
    specs: tuple[ServiceSpec, ...],
    dynamics: list[_Dynamics],
    place: dict[_Dynamics, int],
    period_hours: float,
    totals: NDArray[np.float64],
    histogram: NDArray[np.float64],
    kept: dict[int, OutcomeSeries | None],
    keep_series: Sequence[int],
    requests_per_s: NDArray[np.float64],
) -> Simulation:
    """Turn the totals of the dynamics into figures of the candidates."""
    unique = list(place)
    cpu_s = np.array([workload.cpu_s_per_request(item.cpu_architecture) for item in unique])
    percentiles = np.zeros((3, len(unique)))
    groups: dict[tuple[int, str], list[int]] = {}
    for i, item in enumerate(unique):
        groups.setdefault((item.cpu_units, item.cpu_architecture), []).append(i)
    for (cpu_units, _), members in groups.items():
        servers, service_s = latency.servers_and_service_s(cpu_units / CPU_UNITS_PER_VCPU, float(cpu_s[members[0]]))
        answered = latency.period_percentiles_s(histogram[members], (0.50, 0.95, 0.99), servers, service_s)
        percentiles[:, members] = np.where(answered > 0, MS_PER_S * answered + workload.wait_ms_per_request, 0.0)

    index = np.array([place[item] for item in dynamics], dtype=np.int64)
    column = totals[index].T
    return Simulation(
        specs=specs,
        period_hours=period_hours,
        billed_task_hours=column[parameters.BILLED_TASK_S] / SECONDS_PER_HOUR,
        running_task_hours=column[parameters.RUNNING_TASK_S] / SECONDS_PER_HOUR,
        launched=column[parameters.LAUNCHED],
        removed=column[parameters.REMOVED],
        minutes_over_capacity=column[parameters.STEPS_OVER_CAPACITY] * STEP_S / SECONDS_PER_MINUTE,
        unserved_requests=column[parameters.REFUSED_REQUESTS],
        peak_desired_count=column[parameters.PEAK_DESIRED_COUNT],
        peak_utilization=column[parameters.PEAK_UTILIZATION],
        p50_latency_ms=percentiles[0, index],
        p95_latency_ms=percentiles[1, index],
        p99_latency_ms=percentiles[2, index],
        series={i: _series(kept[int(index[i])], requests_per_s) for i in keep_series},
        load_fingerprint=workload.load.fingerprint(),
    )


def _series(values: OutcomeSeries | None, requests_per_s: NDArray[np.float64]) -> Series:
    assert values is not None
    return Series(
        requests_per_s=requests_per_s,
        desired_count=values.desired_count,
        running_count=values.running_s / STEP_S,
        healthy_count=values.healthy_s / STEP_S,
        billed_count=values.billed_s / STEP_S,
        utilization=values.utilization,
        cpu_utilization_percent=values.datapoints[0],
        step_s=STEP_S,
    )
