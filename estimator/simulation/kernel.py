"""The time loop: one candidate over all steps, plain Python over numbers that numba compiles as it stands.

Notes
-----
The rules are numbered in ``docs/simulation.md``. What a scenario does not use stands behind a name of `estimator.simulation.features` and
is not compiled in. A step in which nothing starts, stops or is decided costs a few nanoseconds: sums carry over
(`estimator.simulation.tasks`), and the loop runs through such steps at a stretch.
"""

from estimator.simulation import parameters as at
from estimator.simulation.alarms import MISSING, add_datapoints, begin_alarms, cpu_percent
from estimator.simulation.decisions import decide_step
from estimator.simulation.features import BOUNDS, DISTURBANCES, LAUNCH_RATE, QUOTA, SEVERAL_POLICIES, SPOT
from estimator.simulation.one_policy import MARGIN, Alarms, alarms_of, decide_alone, lay_aside
from estimator.simulation.parameters import Filled, Given, Scratch
from estimator.simulation.requests import record_requests, record_step, serve
from estimator.simulation.schedule import calm_until, change_bounds, disturb, interrupt_due
from estimator.simulation.stopping import is_settled
from estimator.simulation.tasks import begin, move, take_changes


def run(given: Given, scratch: Scratch, filled: Filled) -> int:
    """Follow one candidate through all steps and record from ``record_from`` on.

    Parameters
    ----------
    given : Given
        Load and parameters.
    scratch : Scratch
        As the arrays are made.
    filled : Filled
        Takes the figures.

    Returns
    -------
    int
        0; or the steps that the ring should have had room for, and then nothing filled in is of use; or, negative, the steps after which a limit
        was broken that the course was not to be followed beyond.
    """
    begin(given, scratch, len(filled.hours) > 0)
    begin_alarms(given, scratch)
    alarms = alarms_of(given)
    state = scratch.state
    totals = filled.totals
    n_steps = len(given.requests_per_s)
    record_from = given.whole[at.RECORD_FROM]
    exposure = 0.0
    queue = 0.0
    high_run = 0
    low_run = 0
    k = 0
    while k < n_steps:
        state[at.MOVED_BY] = at.NOBODY
        if SPOT:
            interrupt_due(k, exposure, given, scratch, totals)
        if BOUNDS:
            change_bounds(k, given, scratch, totals)
        if DISTURBANCES:
            disturb(k, given, scratch, totals)
        if QUOTA and state[at.COUNT] < min(state[at.DESIRED], given.whole[at.MAX_TASKS]):
            move(state[at.DESIRED] - state[at.COUNT], k * given.whole[at.STEP_S], given, scratch, totals)
        if SEVERAL_POLICIES:
            decide_step(k, given, scratch, totals)
        elif k <= state[at.KNOWN_UNTIL]:
            decide_alone(k, alarms.known_after, given, scratch, totals)
        if (LAUNCH_RATE or SPOT) and state[at.RING_END] > k + state[at.RING_STEPS]:
            return int(state[at.RING_END] - k)
        if k < state[at.RING_END]:
            take_changes(k, scratch)

        first = k
        spot_billed_s = 0.0
        if SPOT:
            billed_s = max(scratch.sums[at.BILLED], 0)
            spot_billed_s = float(min(max(scratch.sums[at.SPOT_BILLED], 0), billed_s))
            exposure += scratch.sums[at.SPOT_RUNNING] / 3600.0 * given.real[at.SPOT_INTERRUPTIONS]
        if SEVERAL_POLICIES:
            queue = go_one_step(k, queue, spot_billed_s, given, scratch, filled)
            k += 1
        else:
            until = calm_until(k, alarms.known_after, given, scratch)
            k, queue, high_run, low_run = go_calm_steps(
                k, until, queue, high_run, low_run, spot_billed_s, alarms, given, scratch, filled
            )
        if first >= record_from:
            add_sums(first, k, spot_billed_s, given, scratch, filled)
            if k >= state[at.NEXT_LOOK] and is_settled(k, given, scratch, filled):
                return -k
    return 0


def go_one_step(k: int, queue: float, spot_billed_s: float, given: Given, scratch: Scratch, filled: Filled) -> float:
    """Go through the requests of a step, whatever policies there are.

    Parameters
    ----------
    k : int
        The step.
    queue : float
        Requests that wait from the step before. [requests]
    spot_billed_s : float
        Fargate Spot's part of the billed time. [task-s]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the sums, takes the datapoints.
    filled : Filled
        Takes the figures.

    Returns
    -------
    float
        Requests that wait. [requests]
    """
    step_s = given.whole[at.STEP_S]
    running_s = max(scratch.sums[at.RUNNING], 0)
    healthy_s = max(scratch.sums[at.HEALTHY], 0)
    capacity = healthy_s * given.real[at.TASK_REQUESTS_PER_S]
    arrivals = given.requests_per_s[k] * step_s
    served, refused, left, utilization = serve(arrivals, queue, healthy_s, capacity, given)
    series_place = -1
    if k >= given.whole[at.RECORD_FROM]:
        if record_requests(arrivals, refused, queue, left, capacity, utilization, given, filled):
            filled.totals[at.SLOW_STEPS] += 1.0
        if len(filled.series_whole) > 0:
            series_place = record_step(
                k, scratch.state[at.MOVED_BY], spot_billed_s, served, refused, left, utilization, given, scratch, filled
            )
    in_flight_s = served * given.real[at.RESIDENCE_S] + step_s * (queue + left) / 2.0
    add_datapoints(served, arrivals, in_flight_s, running_s, healthy_s, series_place, given, scratch, filled)
    return left


def go_calm_steps(
    first: int, until: int, queue: float, high_run: int, low_run: int, spot_billed_s: float, alarms: Alarms, given: Given,
    scratch: Scratch, filled: Filled,
) -> tuple[int, float, int, int]:  # fmt: skip
    """Go through the requests of steps in which the sums do not change, with one policy.

    Parameters
    ----------
    first, until : int
        The first step, and the one after the last; all of them are recorded or none is.
    queue : float
        Requests that wait from the step before. [requests]
    high_run, low_run : int
        Newest datapoints in a row that breach AlarmHigh, and AlarmLow. [1]
    spot_billed_s : float
        Fargate Spot's part of the billed time of a step. [task-s]
    alarms : Alarms
        What the policy's alarms go by.
    given : Given
        Parameters.
    scratch : Scratch
        Knows the sums; keeps a datapoint that is to be acted on.
    filled : Filled
        Takes the figures.

    Returns
    -------
    tuple of int, float, int, int
        The next step; it comes earlier than ``until`` where a datapoint is to be acted on before. Then the queue and the runs.
    """
    step_s = given.whole[at.STEP_S]
    cpu_s = given.real[at.CPU_S_PER_REQUEST]
    running_s = max(scratch.sums[at.RUNNING], 0)
    healthy_s = max(scratch.sums[at.HEALTHY], 0)
    capacity = healthy_s * given.real[at.TASK_REQUESTS_PER_S]
    provided = running_s * given.real[at.TASK_VCPU]
    high_work = alarms.high_at * provided
    low_work = alarms.low_at * provided
    # Without tasks there is no work: neither alarm breaches.
    margin = MARGIN * provided if running_s > 0 else -1.0
    recorded = first >= given.whole[at.RECORD_FROM]
    keep = recorded and len(filled.series_whole) > 0
    moved_by = scratch.state[at.MOVED_BY]
    slow_steps = 0
    i = first
    while i < until:
        arrivals = given.requests_per_s[i] * step_s
        served, refused, left, utilization = serve(arrivals, queue, healthy_s, capacity, given)
        work = 100.0 * served * cpu_s
        excess = work - high_work
        lack = low_work - work
        if min(abs(excess), abs(lack)) <= margin:
            metric = cpu_percent(work, provided)
            excess = metric - alarms.target
            lack = alarms.low_threshold - metric
        high_run = (high_run + 1) * (excess > 0.0)
        low_run = (low_run + 1) * (lack > 0.0)
        if recorded:
            slow_steps += record_requests(arrivals, refused, queue, left, capacity, utilization, given, filled)
        if keep:
            place = record_step(i, moved_by, spot_billed_s, served, refused, left, utilization, given, scratch, filled)
            filled.series_real[place] = cpu_percent(work, provided) if running_s > 0 else MISSING
            moved_by = at.NOBODY
        queue = left
        if (high_run >= alarms.n_out) | (low_run >= alarms.n_in):
            acts = alarms.again or high_run == alarms.n_out or low_run == alarms.n_in
            if acts and lay_aside(i, work, provided, high_run >= alarms.n_out, alarms.known_after, given, scratch):
                until = min(until, i + alarms.known_after)
        i += 1
    if recorded:
        filled.totals[at.SLOW_STEPS] += slow_steps
    return until, queue, high_run, low_run


def add_sums(first: int, until: int, spot_billed_s: float, given: Given, scratch: Scratch, filled: Filled) -> None:
    """Add the sums of recorded steps that have the same ones to the totals (rule 29).

    Parameters
    ----------
    first, until : int
        The first step, and the one after the last; all in one hour if hours are asked for.
    spot_billed_s : float
        Fargate Spot's part of the billed time of a step. [task-s]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the sums.
    filled : Filled
        Takes them.
    """
    totals = filled.totals
    billed_s = max(scratch.sums[at.BILLED], 0) * (until - first)
    totals[at.BILLED_TASK_S] += billed_s
    totals[at.RUNNING_TASK_S] += max(scratch.sums[at.RUNNING], 0) * (until - first)
    if scratch.state[at.DESIRED] > totals[at.PEAK_DESIRED_COUNT]:
        totals[at.PEAK_DESIRED_COUNT] = scratch.state[at.DESIRED]
    if SPOT:
        totals[at.SPOT_BILLED_TASK_S] += spot_billed_s
    if len(filled.hours) > 0:
        state = scratch.state
        filled.hours[state[at.HOUR]] += billed_s
        filled.hours[state[at.HOUR] + 1] += spot_billed_s
        if until == state[at.HOUR_END]:
            state[at.HOUR] += 2
            state[at.HOUR_END] += 3600 // given.whole[at.STEP_S]
