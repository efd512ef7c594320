"""simulate(workload, specs) -> Simulation: candidates with equal dynamics once, on threads.

Notes
-----
Small work runs the same loop uncompiled, so that pricing one plan needs neither numba nor its second of import time.
Random numbers are drawn here, before the loop, from the seed of `AwsBehavior`: all candidates share them.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.scaling import POLICIES, policy_type_of
from estimator.service.spec import ServiceSpec
from estimator.simulation import kernel, latency
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
_LONG_AGO_S = -(10**9)


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

    totals = np.zeros((len(unique), kernel.N_TOTALS))
    histogram = np.zeros((len(unique), kernel.N_BINS + 1))
    kept: dict[int, list[Any]] = {}
    done = itertools.count(1)

    def one(i: int) -> None:
        item = unique[i]
        arguments = _arguments(item, workload, rate, warm_up, ready_wait_s, application, behavior)
        row, bins, series = _run(arguments, i in keep, n_steps, compiled)
        totals[i], histogram[i] = row, bins
        if i in keep:
            kept[i] = series
        if progress is not None:
            progress(next(done) / len(unique))

    if compiled and len(unique) > 1:
        from concurrent.futures import ThreadPoolExecutor

        from estimator.simulation.compiled import compiled_run

        compiled_run()
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(one, range(len(unique))))
    else:
        for i in range(len(unique)):
            one(i)

    return _summary(
        workload, specs, dynamics, place, load.period_hours, totals, histogram, kept, keep_series, load.requests_per_s
    )


def _ready_waits(application: Application, behavior: AwsBehavior) -> NDArray[np.int64]:
    """Seconds from running to healthy for each launch: boot, registration, and the wait for the first health check."""
    draws = np.random.default_rng(behavior.seed).random(N_READY_WAITS)
    wait = np.floor(draws * application.health_check_interval_s)
    return (wait + application.boot_s + behavior.registration_s).astype(np.int64)


def _arguments(
    item: _Dynamics,
    workload: Workload,
    rate: NDArray[np.float64],
    warm_up: int,
    ready_wait_s: NDArray[np.int64],
    application: Application,
    behavior: AwsBehavior,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Arrays that the time loop takes for one dynamics."""
    whole = np.zeros(kernel.N_WHOLE, dtype=np.int64)
    whole[kernel.RECORD_FROM] = warm_up
    whole[kernel.STEP_S] = STEP_S
    whole[kernel.MIN_CAPACITY] = item.min_capacity
    whole[kernel.MAX_CAPACITY] = item.max_capacity
    whole[kernel.SCALE_OUT_COOLDOWN_S] = item.scaling.scale_out_cooldown_s
    whole[kernel.SCALE_IN_COOLDOWN_S] = item.scaling.scale_in_cooldown_s
    whole[kernel.DISABLE_SCALE_IN] = item.scaling.disable_scale_in
    whole[kernel.METRIC_LAG_S] = behavior.metric_lag_s
    whole[kernel.SCALE_OUT_DATAPOINTS] = behavior.scale_out_datapoints
    whole[kernel.SCALE_IN_DATAPOINTS] = behavior.scale_in_datapoints
    whole[kernel.UNBILLED_S] = behavior.unbilled_s
    whole[kernel.RUNNING_AFTER_S] = behavior.provision_s + math.ceil(application.image_mb / behavior.pull_mb_per_s)
    whole[kernel.DRAIN_S] = application.deregistration_delay_s + application.stop_timeout_s
    whole[kernel.MINIMUM_BILLED_S] = behavior.minimum_billed_s
    whole[kernel.POLICY] = POLICIES[policy_type_of(item.scaling)].code
    real = np.zeros(kernel.N_REAL)
    real[kernel.TASK_VCPU] = item.cpu_units / CPU_UNITS_PER_VCPU
    real[kernel.TARGET_VALUE] = item.scaling.target_value
    real[kernel.LOW_FACTOR] = behavior.low_factor
    real[kernel.SCALE_IN_STEP_PERCENT] = behavior.scale_in_step_percent
    demand = rate * workload.cpu_s_per_request(item.cpu_architecture)
    return demand, rate * STEP_S, whole, real, ready_wait_s


def _run(
    arguments: tuple[NDArray[Any], ...], keep: bool, n_steps: int, compiled: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Any]]:
    """Run the time loop, compiled on arrays or uncompiled on lists."""
    whole = arguments[2]
    n_ring, n_tail = kernel.ring_sizes(
        int(whole[kernel.STEP_S]),
        int(whole[kernel.METRIC_LAG_S]),
        int(whole[kernel.DRAIN_S]),
        int(whole[kernel.MINIMUM_BILLED_S]),
    )
    n_kept = n_steps if keep else 0
    shapes: list[tuple[int, type]] = [(int(whole[kernel.MAX_CAPACITY]), np.int64)] * 3
    shapes += [(n_ring, np.float64), (n_tail, np.int64), (kernel.N_BINS + 1, np.float64), (kernel.N_TOTALS, np.float64)]
    work: list[Any] = [np.zeros(size, dtype) for size, dtype in shapes]
    for stack in work[:3]:
        stack[:] = _LONG_AGO_S
    series: list[Any] = [np.zeros(n_kept, dtype) for dtype in (np.int64,) * 4 + (np.float64,) * 2]
    loop: Callable[..., None] = kernel.run
    inputs: list[Any] = list(arguments)
    if compiled:
        from estimator.simulation.compiled import compiled_run

        loop = compiled_run()
    else:
        inputs, work, series = ([array.tolist() for array in group] for group in (inputs, work, series))
    loop(*inputs, *work, keep, *series)
    return np.asarray(work[6]), np.asarray(work[5]), [np.asarray(values) for values in series]


def _summary(
    workload: Workload,
    specs: tuple[ServiceSpec, ...],
    dynamics: list[_Dynamics],
    place: dict[_Dynamics, int],
    period_hours: float,
    totals: NDArray[np.float64],
    histogram: NDArray[np.float64],
    kept: dict[int, list[Any]],
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
        billed_task_hours=column[kernel.BILLED_TASK_S] / SECONDS_PER_HOUR,
        running_task_hours=column[kernel.RUNNING_TASK_S] / SECONDS_PER_HOUR,
        launched=column[kernel.LAUNCHED],
        removed=column[kernel.REMOVED],
        minutes_over_capacity=column[kernel.STEPS_OVER_CAPACITY] * STEP_S / SECONDS_PER_MINUTE,
        unserved_requests=column[kernel.UNSERVED_VCPU_S] / cpu_s[index],
        peak_desired_count=column[kernel.PEAK_DESIRED_COUNT],
        peak_utilization=column[kernel.PEAK_UTILIZATION],
        p50_latency_ms=percentiles[0, index],
        p95_latency_ms=percentiles[1, index],
        p99_latency_ms=percentiles[2, index],
        series={i: _series(kept[int(index[i])], requests_per_s) for i in keep_series},
        load_fingerprint=workload.load.fingerprint(),
    )


def _series(values: list[Any], requests_per_s: NDArray[np.float64]) -> Series:
    desired, running, healthy, billed, utilization, metric = values
    return Series(
        requests_per_s=requests_per_s,
        desired_count=desired,
        running_count=running / STEP_S,
        healthy_count=healthy / STEP_S,
        billed_count=billed / STEP_S,
        utilization=utilization,
        cpu_utilization_percent=np.where(metric < 0, np.nan, metric),
        step_s=STEP_S,
    )
