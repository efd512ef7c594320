"""The time loop: one candidate over all steps, plain Python over numbers that numba compiles as it stands.

Notes
-----
The rules are numbered in ``docs/simulation.md``. Arguments are sequences of numbers: arrays when compiled, lists when
not (a list is read three times as fast by the interpreter). Tasks are a stack in order of launch; those below
``settled`` have been
healthy since before the step and need no look, so a step costs the same however many tasks run. What a removed task is
still billed for
lies in a ring of the coming steps, ``tail``.
"""

import math
from typing import Any

from estimator.service.scaling import decide_target_tracking

N_BINS = 512

# Places of the figures in the row of totals.
BILLED_TASK_S = 0
LAUNCHED = 1
REMOVED = 2
STEPS_OVER_CAPACITY = 3
UNSERVED_VCPU_S = 4
PEAK_DESIRED_COUNT = 5
PEAK_UTILIZATION = 6
RUNNING_TASK_S = 7
N_TOTALS = 8

# Places of the parameters that are whole numbers, and of those that are not.
(
    RECORD_FROM, STEP_S, MIN_CAPACITY, MAX_CAPACITY, SCALE_OUT_COOLDOWN_S, SCALE_IN_COOLDOWN_S, DISABLE_SCALE_IN, METRIC_LAG_S,
    SCALE_OUT_DATAPOINTS, SCALE_IN_DATAPOINTS, UNBILLED_S, RUNNING_AFTER_S, DRAIN_S, MINIMUM_BILLED_S, POLICY,
) = range(15)  # fmt: skip
N_WHOLE = 15
TASK_VCPU, TARGET_VALUE, LOW_FACTOR, SCALE_IN_STEP_PERCENT = range(4)
N_REAL = 4

TARGET_TRACKING = 0


def overlap(start: int, end: int, since: int, until: int) -> int:
    """Whole seconds that two intervals share.

    Parameters
    ----------
    start, end : int
        The first interval. [s]
    since, until : int
        The second interval. [s]

    Returns
    -------
    int
        Length of what both cover. [s]
    """
    low = since if since > start else start
    high = until if until < end else end
    return high - low if high > low else 0


def ring_sizes(step_s: int, metric_lag_s: int, drain_s: int, minimum_billed_s: int) -> tuple[int, int]:
    """Lengths of the two rings that `run` needs.

    Parameters
    ----------
    step_s, metric_lag_s, drain_s, minimum_billed_s : int
        Parameters of the run. [s]

    Returns
    -------
    tuple of int
        For datapoints not yet published, and for seconds still billed.
    """
    return metric_lag_s // step_s + 2, (max(drain_s, minimum_billed_s) + step_s) // step_s + 3


def run(
    demand_vcpu: Any,
    requests: Any,
    whole: Any,
    real: Any,
    ready_wait_s: Any,
    billed_from: Any,
    running_at: Any,
    healthy_at: Any,
    metric_ring: Any,
    tail: Any,
    histogram: Any,
    totals: Any,
    keep: bool,
    desired_out: Any,
    running_out: Any,
    healthy_out: Any,
    billed_out: Any,
    utilization_out: Any,
    metric_out: Any,
) -> None:
    """Follow one candidate through all steps and record from ``record_from`` on.

    Parameters
    ----------
    demand_vcpu : sequence of float, shape (n_steps,)
        CPU that the load asks for, warm-up included. [vCPU]
    requests : sequence of float, shape (n_steps,)
        Requests in each step. [requests]
    whole, real : sequence of int, of float
        The parameters, at the places named above.
    ready_wait_s : sequence of int
        From running to healthy, for the i-th launch modulo its length. [s]
    billed_from, running_at, healthy_at : sequence of int, shape (max_capacity,)
        Scratch: the stack of tasks. [s]
    metric_ring, tail : sequence
        Scratch of the sizes that `ring_sizes` gives.
    histogram : sequence of float, shape (N_BINS + 1,)
        Filled with the requests by utilization.
    totals : sequence of float, shape (N_TOTALS,)
        Filled with the totals, at the places named above.
    keep : bool
        True to fill the series.
    desired_out, running_out, healthy_out, billed_out, utilization_out, metric_out : sequence
        Series of the recorded steps; counts in task-seconds but for the first.
    """
    record_from = whole[RECORD_FROM]
    step_s = whole[STEP_S]
    min_capacity = whole[MIN_CAPACITY]
    max_capacity = whole[MAX_CAPACITY]
    out_cooldown_s = whole[SCALE_OUT_COOLDOWN_S]
    in_cooldown_s = whole[SCALE_IN_COOLDOWN_S]
    may_scale_in = whole[DISABLE_SCALE_IN] == 0
    n_out = whole[SCALE_OUT_DATAPOINTS]
    n_in = whole[SCALE_IN_DATAPOINTS]
    unbilled_s = whole[UNBILLED_S]
    running_after_s = whole[RUNNING_AFTER_S]
    drain_s = whole[DRAIN_S]
    minimum_s = whole[MINIMUM_BILLED_S]
    policy = whole[POLICY]
    task_vcpu = real[TASK_VCPU]
    target = real[TARGET_VALUE]
    low_threshold = round(real[LOW_FACTOR] * target * 1e6) / 1e6
    step_percent = real[SCALE_IN_STEP_PERCENT]

    lag_steps = whole[METRIC_LAG_S] // step_s
    lag_offset_s = whole[METRIC_LAG_S] % step_s
    n_metrics = len(metric_ring)
    n_tail = len(tail)
    n_waits = len(ready_wait_s)

    count = min_capacity  # tasks on the stack: launched and not removed
    settled = min_capacity
    desired = min_capacity
    launches = 0
    high_run = 0
    low_run = 0
    base = min_capacity
    out_cooldown_end = 0
    in_cooldown_end = 0

    for k in range(len(demand_vcpu)):
        start = k * step_s
        end = start + step_s
        while settled < count and healthy_at[settled] <= start:
            settled += 1
        running_s = 0
        healthy_s = 0
        billed_s = 0
        launched = 0
        removed = 0

        known = k - 1 - lag_steps
        if known >= 0:
            now = start + lag_offset_s
            metric = metric_ring[known % n_metrics]
            if metric < 0.0:  # missing
                high_run = 0
                low_run = 0
            else:
                high_run = high_run + 1 if metric > target else 0
                low_run = low_run + 1 if metric < low_threshold else 0
            wants_out = high_run >= n_out
            wants_in = may_scale_in and low_run >= n_in and now >= in_cooldown_end
            if wants_out or wants_in:
                running = settled
                for i in range(settled, count):
                    if running_at[i] <= now:
                        running += 1
                cooling = now < out_cooldown_end
                basis = base if cooling else running
                want = desired
                if policy == TARGET_TRACKING:
                    want = decide_target_tracking(
                        metric,
                        wants_out,
                        wants_in,
                        basis,
                        running,
                        desired,
                        min_capacity,
                        max_capacity,
                        target,
                        step_percent,
                    )
                if want > desired:
                    base = basis
                    out_cooldown_end = now + out_cooldown_s
                    in_cooldown_end = now
                    launched = want - desired
                    for _ in range(launched):
                        billed_from[count] = now + unbilled_s
                        running_at[count] = now + running_after_s
                        healthy_at[count] = now + running_after_s + ready_wait_s[launches % n_waits]
                        count += 1
                        launches += 1
                elif want < desired:
                    in_cooldown_end = now + in_cooldown_s
                    removed = desired - want
                    for _ in range(removed):
                        count -= 1
                        if count < settled:  # healthy since before the step
                            running_s += now - start
                            healthy_s += now - start
                            billed_s += now - start
                            since = now
                            until = now + drain_s
                            if billed_from[count] + minimum_s > until:
                                until = billed_from[count] + minimum_s
                        else:
                            running_s += overlap(start, end, running_at[count], now)
                            healthy_s += overlap(start, end, healthy_at[count], now)
                            since = billed_from[count]
                            until = now + drain_s if healthy_at[count] <= now else now
                            if now <= since:  # the image pull has not begun: never billed
                                until = since
                            elif since + minimum_s > until:
                                until = since + minimum_s
                            if since < start:
                                since = start
                        place = k
                        while until > since:
                            place_end = (place + 1) * step_s
                            part = overlap(place * step_s, place_end, since, until)
                            tail[place % n_tail] += part
                            if place_end >= until:
                                break
                            place += 1
                    if settled > count:
                        settled = count
                desired = want

        billed_s += tail[k % n_tail]
        tail[k % n_tail] = 0
        running_s += settled * step_s
        healthy_s += settled * step_s
        billed_s += settled * step_s
        for i in range(settled, count):
            running_s += overlap(start, end, running_at[i], end)
            healthy_s += overlap(start, end, healthy_at[i], end)
            billed_s += overlap(start, end, billed_from[i], end)

        capacity = healthy_s * task_vcpu
        work = demand_vcpu[k] * step_s
        over = work > capacity * (1.0 + 1e-9)
        used = capacity if work > capacity else work
        if work == 0.0:
            utilization = 0.0
        elif capacity == 0.0:
            utilization = math.inf
        else:
            utilization = work / capacity
        # A negative datapoint stands for a missing one.
        metric = round(100.0 * used / (running_s * task_vcpu) * 1e6) / 1e6 if running_s > 0 else -1.0
        metric_ring[k % n_metrics] = metric

        if k >= record_from:
            totals[BILLED_TASK_S] += billed_s
            totals[RUNNING_TASK_S] += running_s
            totals[LAUNCHED] += launched
            totals[REMOVED] += removed
            if over:
                totals[STEPS_OVER_CAPACITY] += 1
                totals[UNSERVED_VCPU_S] += work - capacity
            if desired > totals[PEAK_DESIRED_COUNT]:
                totals[PEAK_DESIRED_COUNT] = desired
            if utilization > totals[PEAK_UTILIZATION]:
                totals[PEAK_UTILIZATION] = utilization
            slot = N_BINS if over else min(int(utilization * N_BINS + 1e-9), N_BINS - 1)
            histogram[slot] += requests[k]
            if keep:
                place = k - record_from
                desired_out[place] = desired
                running_out[place] = running_s
                healthy_out[place] = healthy_s
                billed_out[place] = billed_s
                utilization_out[place] = utilization
                metric_out[place] = metric
