"""run_inputs(inputs) -> Outcome: one candidate through the loop, compiled on arrays or uncompiled on lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.service.scaling import ADJUSTMENT_TYPES, STEP_SCALING_CODE, TARGET_TRACKING_CODE
from estimator.simulation import parameters as at
from estimator.simulation.alarms import MISSING
from estimator.simulation.inputs import TARGET_TRACKING, SimulationInputs, StopRules, features_of, most_tasks
from estimator.simulation.variants import ALL, Loop, plain_run
from estimator.units import SECONDS_PER_HOUR

#: A loop with only the features used is compiled for it if there is at least this much to run. [candidate-steps]
OWN_LOOP_STEPS = 300_000_000
#: Features with which a loop of its own is compiled in a few seconds; one with all takes four times as long, and runs slower.
_SOON_COMPILED = frozenset({"BOUNDS"})
_METRICS = ("cpu", "memory", "requests")
_LONG_AGO_S = -(10**9)


@dataclass(frozen=True, eq=False)
class OutcomeSeries:
    """What happened step by step, in the recorded steps (rule 28).

    Parameters
    ----------
    desired_count : numpy.ndarray, shape (n_steps,)
        After the step's decisions. [tasks]
    running_s, healthy_s, pending_s, billed_s, draining_s : numpy.ndarray, shape (n_steps,)
        Sums of the step. [task-s]
    spot_billed_s : numpy.ndarray, shape (n_steps,)
        Fargate Spot's part of the billed time. [task-s]
    served, refused, queue : numpy.ndarray, shape (n_steps,)
        Requests that are served, refused, and wait at the end. [requests]
    utilization : numpy.ndarray, shape (n_steps,)
        Offered requests over capacity. [1]
    datapoints : numpy.ndarray, shape (n_policies, n_steps)
        Each policy's datapoint of the period that ends with the step; not a number where missing. [% or requests]
    moved_by : numpy.ndarray, shape (n_steps,)
        The policy that moved the desired count last; -1 for none, -2 for bounds.
    """

    desired_count: NDArray[np.int64]
    running_s: NDArray[np.int64]
    healthy_s: NDArray[np.int64]
    pending_s: NDArray[np.int64]
    billed_s: NDArray[np.int64]
    draining_s: NDArray[np.int64]
    spot_billed_s: NDArray[np.float64]
    served: NDArray[np.float64]
    refused: NDArray[np.float64]
    queue: NDArray[np.float64]
    utilization: NDArray[np.float64]
    datapoints: NDArray[np.float64]
    moved_by: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What happened to one candidate in the recorded steps (rules 29, 30).

    Parameters
    ----------
    billed_task_s, spot_billed_task_s, running_task_s : float
        Task-seconds billed, of them Spot's, and running. [task-s]
    launched, removed : float
        Tasks. [tasks]
    steps_over_capacity, slow_steps : float
        Steps. [1]
    refused_requests : float
        Requests. [requests]
    peak_desired_count, peak_utilization, peak_queue : float
        Largest values. [tasks, 1, requests]
    interruptions, stuck_deployments, replaced : float
        How many. [1]
    utilization_histogram : numpy.ndarray, shape (512,)
        Requests by utilization. [requests]
    wait_histogram : numpy.ndarray, shape (177,)
        Requests by waiting time; the last are those refused. [requests]
    billed_s_by_hour, spot_billed_s_by_hour : numpy.ndarray, shape (n_hours,), optional
        Task-seconds billed in each hour of the recorded steps, and of them Spot's, if they were asked for. [task-s]
    series : OutcomeSeries, optional
        Step by step, if it was kept.
    """

    billed_task_s: float
    spot_billed_task_s: float
    running_task_s: float
    launched: float
    removed: float
    steps_over_capacity: float
    slow_steps: float
    refused_requests: float
    peak_desired_count: float
    peak_utilization: float
    peak_queue: float
    interruptions: float
    stuck_deployments: float
    replaced: float
    utilization_histogram: NDArray[np.float64]
    wait_histogram: NDArray[np.float64]
    billed_s_by_hour: NDArray[np.float64] | None = None
    spot_billed_s_by_hour: NDArray[np.float64] | None = None
    series: OutcomeSeries | None = None


@dataclass(frozen=True, eq=False)
class Figures:
    """What the loop found for one candidate, in its own order.

    Parameters
    ----------
    totals : numpy.ndarray, shape (N_TOTALS,)
        Totals, at the places that `estimator.simulation.parameters` names.
    utilization_histogram : numpy.ndarray, shape (512,)
        Requests by utilization. [requests]
    wait_histogram : numpy.ndarray, shape (177,)
        Requests by waiting time; the last are those refused. [requests]
    billed_s_by_hour, spot_billed_s_by_hour : numpy.ndarray, shape (n_hours,), optional
        Task-seconds billed in each hour of the recorded steps, and of them Spot's, if they were asked for. [task-s]
    series : OutcomeSeries, optional
        Step by step, if it was kept.
    stopped_after : int
        Steps after which it was given up, warm-up included; 0 if it is whole. [1]
    """

    totals: NDArray[np.float64]
    utilization_histogram: NDArray[np.float64]
    wait_histogram: NDArray[np.float64]
    billed_s_by_hour: NDArray[np.float64] | None = None
    spot_billed_s_by_hour: NDArray[np.float64] | None = None
    series: OutcomeSeries | None = None
    stopped_after: int = 0


#: The totals in the loop's order.
_TOTALS = tuple(item.name for item in fields(Outcome))[: at.N_TOTALS]


def run_inputs(
    inputs: SimulationInputs,
    keep: bool = False,
    compiled: bool = True,
    used: frozenset[str] | None = None,
    hours: bool = False,
) -> Outcome:
    """Follow one candidate.

    Parameters
    ----------
    inputs : SimulationInputs
        All that its course depends on.
    keep : bool
        True to keep the series.
    compiled : bool
        True for the compiled loop.
    used : frozenset of str, optional
        Features of the loop to take; at least those that the inputs use.
    hours : bool
        True to keep the billed task-seconds of each hour.

    Returns
    -------
    Outcome
        What happened.
    """
    n_steps = len(inputs.requests_per_s)
    loop = loop_for(features_of(inputs), compiled, n_steps) if used is None else _loop(used, compiled)
    found = run_loop(inputs, keep, loop, compiled, hours)
    rest = {
        item.name: getattr(found, item.name) for item in fields(Figures) if item.name not in ("totals", "stopped_after")
    }
    return Outcome(**dict(zip(_TOTALS, found.totals.tolist(), strict=True)), **rest)


def loop_for(used: frozenset[str], compiled: bool, n_candidate_steps: int) -> Loop:
    """Choose a loop: the plain one, one that can do everything, or for long work one that can do just what is used.

    Parameters
    ----------
    used : frozenset of str
        Features.
    compiled : bool
        True for a compiled loop.
    n_candidate_steps : int
        How much there is to run. [candidate-steps]

    Returns
    -------
    callable
        The loop.
    """
    if not compiled:
        return _loop(used, False)
    from estimator.simulation.compiled import is_loaded

    own = used <= _SOON_COMPILED or n_candidate_steps >= OWN_LOOP_STEPS or is_loaded(used)
    return _loop(used if own else ALL, True)


def run_loop(
    inputs: SimulationInputs,
    keep: bool,
    loop: Loop,
    compiled: bool,
    hours: bool = False,
    stop: StopRules | None = None,
) -> Figures:
    """Run a loop on one input.

    Parameters
    ----------
    inputs : SimulationInputs
        The input.
    keep : bool
        True to keep the series.
    loop : callable
        The loop; its features include those of the input.
    compiled : bool
        True if it takes arrays, False for lists.
    hours : bool
        True to keep the billed task-seconds of each hour.
    stop : StopRules, optional
        Limits beyond which it is given up; what is found then is of the steps before.

    Returns
    -------
    Figures
        What it found.
    """
    given = _given(inputs, stop)
    n_policies = len(inputs.policies)
    n_recorded = max(len(inputs.requests_per_s) - inputs.record_from, 0)
    n_kept = n_recorded if keep else 0
    n_hours = -(-n_recorded * inputs.step_s // SECONDS_PER_HOUR) if hours else 0
    ring_steps = _ring_steps(inputs)
    while True:
        scratch = _scratch(inputs, ring_steps)
        filled = at.Filled(
            totals=np.zeros(at.N_TOTALS),
            utilization_histogram=np.zeros(at.N_BINS),
            wait_histogram=np.zeros(at.N_WAIT_BINS + 1),
            hours=np.zeros(2 * n_hours),
            series_whole=np.zeros(n_kept * at.N_SERIES_WHOLE, dtype=np.int64),
            # The loop of one policy writes its datapoints also where there is none.
            series_real=np.full(n_kept * (at.N_SERIES_REAL + max(n_policies, 1)), MISSING),
        )
        if compiled:
            needed = loop(given, scratch, filled)
        else:
            lists = at.Filled(*_lists(filled))
            needed = loop(at.Given(*_lists(given)), at.Scratch(*_lists(scratch)), lists)
            filled = at.Filled(*(np.asarray(values) for values in lists))
        if needed <= 0:
            break
        ring_steps = _power_of_two(max(needed, 2 * ring_steps))
    in_all, on_spot = filled.hours.reshape(n_hours, 2).T if hours else (None, None)
    return Figures(
        filled.totals,
        filled.utilization_histogram,
        filled.wait_histogram,
        in_all,
        on_spot,
        _series(filled, n_policies) if keep and needed == 0 else None,
        -needed,
    )


def _series(filled: at.Filled, n_policies: int) -> OutcomeSeries:
    whole = filled.series_whole.reshape(at.N_SERIES_WHOLE, -1)
    real = filled.series_real.reshape(at.N_SERIES_REAL + max(n_policies, 1), -1)
    datapoints = real[at.N_SERIES_REAL : at.N_SERIES_REAL + n_policies]
    datapoints[datapoints < 0] = np.nan
    columns = (*whole[:-1], *real[: at.N_SERIES_REAL], datapoints, whole[-1])
    return OutcomeSeries(**dict(zip(OutcomeSeries.__dataclass_fields__, columns, strict=True)))


def _loop(used: frozenset[str], compiled: bool) -> Loop:
    if not compiled:
        return plain_run(used)
    from estimator.simulation.compiled import compiled_run

    return compiled_run(used)


def _lists(arrays: Sequence[NDArray[Any]]) -> list[list[Any]]:
    """Make lists of arrays: the interpreter reads them three times as fast."""
    return [array.tolist() for array in arrays]


def _scratch(inputs: SimulationInputs, ring_steps: int) -> at.Scratch:
    """Arrays that the loop keeps in mind, as it wants to find them."""
    n_policies = max(len(inputs.policies), 1)
    stack = np.zeros(3 * most_tasks(inputs), dtype=np.int64)
    stack[: 3 * inputs.min_capacity] = _LONG_AGO_S
    return at.Scratch(
        state=np.zeros(at.N_STATE, dtype=np.int64),
        sums=np.zeros(at.N_SUMS, dtype=np.int64),
        ring=np.zeros(at.N_RING * ring_steps, dtype=np.int64),
        stack=stack,
        bucket=np.full(1, -math.inf),
        metrics=np.zeros(max(n_policies, 2) * _metric_places(inputs)),
        alarm_whole=np.zeros(n_policies * at.N_ALARM_WHOLE, dtype=np.int64),
        alarm_real=np.zeros(n_policies * at.N_ALARM_REAL),
        period=np.zeros(at.N_PERIOD),
    )


def _given(inputs: SimulationInputs, stop: StopRules | None) -> at.Given:
    """Arrays that the loop only reads."""
    whole = np.zeros(at.N_WHOLE, dtype=np.int64)
    whole[at.RECORD_FROM] = inputs.record_from
    whole[at.STEP_S] = inputs.step_s
    whole[at.MIN_CAPACITY] = inputs.min_capacity
    whole[at.MAX_CAPACITY] = inputs.max_capacity
    whole[at.MAX_TASKS] = inputs.max_tasks
    whole[at.UNBILLED_S] = inputs.unbilled_s
    whole[at.RUNNING_AFTER_S] = inputs.running_after_s
    whole[at.DRAIN_S] = inputs.drain_s
    whole[at.MINIMUM_BILLED_S] = inputs.minimum_billed_s
    whole[at.SPOT_BASE] = inputs.spot_base
    whole[at.SPOT_WARNING_S] = inputs.spot_warning_s
    whole[at.ZONES] = inputs.zones
    whole[at.ZONE_DETECTION_S] = inputs.zone_detection_s
    whole[at.ALARM_REINVOCATION] = inputs.alarm_reinvocation
    whole[at.MEAN_OF_DATAPOINTS] = inputs.mean_of_datapoints
    whole[at.ZERO_REQUESTS_REPORTED] = inputs.zero_requests_reported
    whole[at.N_POLICIES] = len(inputs.policies)
    whole[at.END_S] = len(inputs.requests_per_s) * inputs.step_s
    real = np.zeros(at.N_REAL)
    real[at.CPU_S_PER_REQUEST] = inputs.cpu_s_per_request
    real[at.TASK_VCPU] = inputs.task_vcpu
    real[at.TASK_MEMORY_MIB] = inputs.task_memory_mib
    real[at.TASK_REQUESTS_PER_S] = inputs.task_requests_per_s
    real[at.BASELINE_MEMORY_MIB] = inputs.baseline_memory_mib
    real[at.MEMORY_MIB_PER_REQUEST] = inputs.memory_mib_per_request
    real[at.RESIDENCE_S] = inputs.residence_s
    real[at.QUEUE_PER_TASK] = inputs.queue_per_task
    real[at.QUEUE_TIMEOUT_S] = inputs.queue_timeout_s
    real[at.SLOW_UTILIZATION] = inputs.slow_utilization
    real[at.LAUNCH_BURST] = inputs.launch_burst
    real[at.LAUNCH_PER_S] = inputs.launch_per_s
    real[at.SPOT_SHARE] = inputs.spot_share
    real[at.SPOT_INTERRUPTIONS] = inputs.spot_interruptions_per_task_hour
    real[at.SCALE_IN_STEP_PERCENT] = inputs.scale_in_step_percent
    deployments = [
        (float(step), float(at.ROLLING if kind == "rolling" else at.SHIFTED), *(float(value) for value in rest))
        for step, kind, *rest in _by_step(inputs.deployments)
    ]
    return at.Given(
        _array(inputs.requests_per_s, np.float64),
        whole,
        real,
        _array(inputs.ready_wait_s, np.int64),
        *_policies(inputs),
        _flat(_by_step(inputs.bounds), np.int64),
        _flat(deployments, np.float64),
        _array(sorted(inputs.zone_losses), np.int64),
        _flat(inputs.shortages, np.int64),
        _array(inputs.thresholds, np.float64),
        *_stop(stop),
    )


def _stop(
    stop: StopRules | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Limits beyond which the course is not followed; empty for the whole of it."""
    if stop is None:
        return np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)
    stop_at = np.zeros(at.N_STOP_AT)
    stop_at[at.MOST_STEPS_OVER] = stop.most_steps_over
    stop_at[at.MOST_SLOW_STEPS] = stop.most_slow_steps
    stop_at[at.MOST_REFUSED] = stop.most_refused
    stop_at[at.SPOT_WEIGHT] = stop.spot_weight
    stop_at[at.LOOK_EVERY] = stop.look_every
    late = np.zeros(0) if stop.late_shares is None else stop.late_shares.ravel()
    return stop_at, _array(stop.most_late, np.float64), _array(late, np.float64), _array(stop.most_billed_s, np.float64)


def _policies(
    inputs: SimulationInputs,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Parameters of the policies, and the bounds and adjustments of their steps."""
    n = max(len(inputs.policies), 1)
    whole = np.zeros((n, at.N_POLICY_WHOLE), dtype=np.int64)
    real = np.zeros((n, at.N_POLICY_REAL))
    steps: list[tuple[float, float]] = []
    changes: list[int] = []
    if not inputs.policies:
        # One that never acts.
        real[0, at.TARGET] = math.inf
        whole[0, at.SCALE_OUT_DATAPOINTS] = at.NEVER_S
        whole[0, at.DISABLE_SCALE_IN] = 1
    for p, policy in enumerate(inputs.policies):
        tracks = policy.kind == TARGET_TRACKING
        row = whole[p]
        row[at.KIND] = TARGET_TRACKING_CODE if tracks else STEP_SCALING_CODE
        row[at.METRIC] = _METRICS.index(policy.metric)
        row[at.PERIOD_STEPS] = policy.period_s // inputs.step_s
        row[at.PERIOD_S] = policy.period_s
        row[at.LAG_STEPS], row[at.OFFSET_S] = divmod(policy.lag_s, inputs.step_s)
        row[at.DISABLE_SCALE_IN] = policy.disable_scale_in
        row[at.SCALE_OUT_DATAPOINTS] = policy.scale_out_datapoints
        row[at.SCALE_IN_DATAPOINTS] = policy.scale_in_datapoints
        row[at.SCALE_OUT_COOLDOWN_S] = policy.scale_out_cooldown_s
        row[at.SCALE_IN_COOLDOWN_S] = policy.scale_in_cooldown_s
        row[at.UPWARD] = policy.direction == "up"
        row[at.DATAPOINTS_TO_ALARM] = policy.datapoints_to_alarm
        row[at.EVALUATION_PERIODS] = policy.evaluation_periods
        row[at.ADJUSTMENT_TYPE] = ADJUSTMENT_TYPES.index(policy.adjustment_type)
        row[at.MIN_ADJUSTMENT_MAGNITUDE] = policy.min_adjustment_magnitude
        row[at.FIRST_STEP] = len(steps)
        if not tracks:
            steps += [(float(lower), float(upper)) for lower, upper, _ in policy.steps]
            changes += [int(change) for _, _, change in policy.steps]
        row[at.LAST_STEP] = len(steps)
        real[p, at.TARGET] = policy.target_value if tracks else policy.threshold
        real[p, at.LOW_THRESHOLD] = round(policy.low_factor * policy.target_value * 1e6) / 1e6
    # In the order of the moment within a step at which their datapoints become known.
    order = np.argsort(whole[:, at.OFFSET_S], kind="stable")
    whole[:, at.ORDER] = order
    whole[:-1, at.WITH_NEXT] = whole[order[1:], at.OFFSET_S] == whole[order[:-1], at.OFFSET_S]
    return whole.ravel(), real.ravel(), _flat(steps, np.float64), _array(changes, np.int64)


def _ring_steps(inputs: SimulationInputs) -> int:
    """Count the steps ahead at which what is known today can start or stop, a power of two; launches that wait may ask for more."""
    ready = max(inputs.running_after_s + int(np.max(inputs.ready_wait_s)), inputs.unbilled_s)
    ahead = [ready, inputs.drain_s, inputs.unbilled_s + inputs.minimum_billed_s]
    later = 0.0
    if inputs.deployments:
        ahead += [ready + inputs.drain_s + shift_s + bake_s for *_, shift_s, bake_s in inputs.deployments]
    if inputs.zone_losses:
        ahead.append(inputs.zone_detection_s + ready)
    if inputs.spot_share > 0:
        ahead.append(inputs.spot_warning_s)
        later = max((end - begin for begin, end in inputs.shortages), default=0.0)
    if inputs.launch_per_s > 0:
        later += most_tasks(inputs) / inputs.launch_per_s
    later = min(later, len(inputs.requests_per_s) * inputs.step_s)
    return _power_of_two(math.ceil((max(ahead) + later) / inputs.step_s) + 3)


def _metric_places(inputs: SimulationInputs) -> int:
    """Datapoints of each policy that wait to be known, or that its mean needs."""
    lag = max((policy.lag_s // policy.period_s for policy in inputs.policies), default=0)
    seen = max((policy.evaluation_periods for policy in inputs.policies), default=1)
    if inputs.mean_of_datapoints:
        seen = max([seen, *(max(one.scale_out_datapoints, one.scale_in_datapoints) for one in inputs.policies)])
    return _power_of_two(lag + seen + 4)


def _by_step(events: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(events, key=lambda event: event[0])


def _flat(rows: Sequence[Any], dtype: type) -> NDArray[Any]:
    return np.array(rows, dtype=dtype).ravel()


def _array(values: Any, dtype: type) -> NDArray[Any]:
    """Make a contiguous array that numba knows as the same type whatever it came from."""
    array: NDArray[Any] = np.ascontiguousarray(values, dtype=dtype)
    return array if array.flags.writeable else array.copy()


def _power_of_two(n: int) -> int:
    return 1 << max(n - 1, 1).bit_length()
