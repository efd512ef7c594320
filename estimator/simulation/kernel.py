"""The time loop: one candidate over all steps, plain Python over numbers that numba compiles as it stands.

Notes
-----
The rules are numbered in ``docs/simulation.md``. Arguments are sequences of numbers: arrays when compiled, lists when not (a list is
read three times as fast by the interpreter). What a scenario does not use stands behind a name of `estimator.simulation.features` and is
not compiled in.

A step in which nothing starts, stops or is decided costs a few nanoseconds: sums carry over (`estimator.simulation.tasks`), and the alarms
of one CPU policy compare without dividing. A margin of twice the datapoint's resolution says for sure what a comparison of the rounded
datapoint would; inside the margin that is what is done.
"""

import math
from typing import Any

from estimator.service.scaling import decide_target_tracking
from estimator.simulation.alarms import MISSING, any_acts, cpu_percent, datapoint, decide, look
from estimator.simulation.disturbances import deploy, lose_zone, replace_wave
from estimator.simulation.features import BOUNDS, DISTURBANCES, LAUNCH_RATE, QUEUE, QUOTA, SEVERAL_POLICIES, SPOT
from estimator.simulation.parameters import (
    ALARM_REINVOCATION,
    BILLED,
    BILLED_TASK_S,
    CPU_S_PER_REQUEST,
    DEPLOYMENT_END,
    DISABLE_SCALE_IN,
    FIRST_SHORTAGE,
    FURTHEST_S,
    HEALTHY,
    INTERRUPTIONS,
    LAG_STEPS,
    LAUNCHED,
    LOW_THRESHOLD,
    MADE,
    MAX_CAPACITY,
    MAX_TASKS,
    METRIC,
    MIN_CAPACITY,
    MOVED_BY,
    MOVED_BY_BOUNDS,
    N_ALARM_WHOLE,
    N_BINS,
    N_DEPLOYMENT,
    N_POLICIES,
    N_POLICY_WHOLE,
    N_SERIES_REAL,
    N_SERIES_WHOLE,
    N_WAIT_BINS,
    NEVER_S,
    NEXT_DUE,
    NOBODY,
    OFFSET_S,
    ORDER,
    PEAK_DESIRED_COUNT,
    PEAK_QUEUE,
    PEAK_UTILIZATION,
    PENDING,
    PERIOD_S,
    PERIOD_STEPS,
    QUEUE_PER_TASK,
    QUEUE_TIMEOUT_S,
    RECORD_FROM,
    REFUSED_REQUESTS,
    REMOVED,
    RESIDENCE_S,
    RUNNING,
    RUNNING_TASK_S,
    SCALE_IN_COOLDOWN_S,
    SCALE_IN_DATAPOINTS,
    SCALE_IN_END,
    SCALE_IN_STEP_PERCENT,
    SCALE_OUT_COOLDOWN_S,
    SCALE_OUT_DATAPOINTS,
    SETTLED,
    SLOW_STEPS,
    SLOW_UTILIZATION,
    SPOT_BASE,
    SPOT_BILLED_TASK_S,
    SPOT_INTERRUPTIONS,
    SPOT_SHARE,
    STEP_S,
    STEPS_AHEAD,
    STEPS_OVER_CAPACITY,
    STUCK_DEPLOYMENTS,
    TARGET,
    TASK_REQUESTS_PER_S,
    TASK_VCPU,
    WAVE_AT,
    WAVE_LEFT,
    WITH_NEXT,
)
from estimator.simulation.tasks import interrupt, launch, move, running_tasks, spot

#: Twice a datapoint's resolution and more than the rounding of doubles. [%]
MARGIN = 2e-6


def wait_bin(wait_s: float) -> int:
    """Find the place of a waiting time in its histogram (rule 30).

    Parameters
    ----------
    wait_s : float
        Mean wait of a step's requests. [s]

    Returns
    -------
    int
        Bin; eight for each doubling from a millisecond on.
    """
    if wait_s <= 0.001:
        return 0
    return int(min(max(math.floor(8.0 * math.log2(wait_s / 0.001) + 1e-9), 0), N_WAIT_BINS - 1))


def run(
    requests_per_s: Any,
    whole: Any,
    real: Any,
    ready_wait_s: Any,
    policy_whole: Any,
    policy_real: Any,
    step_bounds: Any,
    step_changes: Any,
    bounds: Any,
    deployments: Any,
    zone_losses: Any,
    shortages: Any,
    thresholds: Any,
    stack: Any,
    ring: Any,
    metrics: Any,
    alarm_whole: Any,
    alarm_real: Any,
    state: Any,
    bucket: Any,
    utilization_histogram: Any,
    wait_histogram: Any,
    totals: Any,
    keep: bool,
    series_whole: Any,
    series_real: Any,
) -> int:
    """Follow one candidate through all steps and record from ``record_from`` on.

    Parameters
    ----------
    requests_per_s : sequence of float, shape (n_steps,)
        Load, warm-up included. [requests/s]
    whole, real : sequence of int, of float
        Parameters, at the places that `estimator.simulation.parameters` names.
    ready_wait_s : sequence of int
        From running to healthy, for the i-th launch modulo its length. [s]
    policy_whole, policy_real : sequence of int, of float
        Parameters of the policies, one after the other.
    step_bounds, step_changes : sequence of float, of int
        Lower and upper bounds, and adjustments, of the steps of step scaling.
    bounds : sequence of int
        Step, lower, upper bound and floor of each change.
    deployments : sequence of float
        Step, kind, minimum and maximum percent, seconds of shifting and baking of each.
    zone_losses : sequence of int
        Steps.
    shortages : sequence of int
        Begin and end of each. [s]
    thresholds : sequence of float
        Exposures. [1]
    stack : sequence of int
        Scratch: three seconds of each task, those of the first `min_capacity` long ago. [s]
    ring : sequence of int
        Scratch: changes of the four sums, a power of two of steps, zeros.
    metrics : sequence of float
        Scratch: datapoints of each policy, a power of two of them, zeros.
    alarm_whole, alarm_real : sequence of int, of float
        Scratch: the alarms, zeros.
    state : sequence of int
        Scratch: what moves only when something happens, zeros.
    bucket : sequence of float, shape (1,)
        Scratch: when the bucket of launches is ready, minus infinity. [s]
    utilization_histogram : sequence of float, shape (N_BINS,)
        Filled with requests by utilization. [requests]
    wait_histogram : sequence of float, shape (N_WAIT_BINS + 1,)
        Filled with requests by waiting time; the last has those refused. [requests]
    totals : sequence of float, shape (N_TOTALS,)
        Filled with the totals.
    keep : bool
        True to fill the series.
    series_whole, series_real : sequence of int, of float
        Filled with the figures of each recorded step, step by step.

    Returns
    -------
    int
        0; or the length that ``ring`` should have had in steps, and then nothing filled in is of use.
    """
    record_from = whole[RECORD_FROM]
    step_s = whole[STEP_S]
    per_task = real[TASK_REQUESTS_PER_S]
    task_vcpu = real[TASK_VCPU]
    cpu_s = real[CPU_S_PER_REQUEST]
    slow_utilization = real[SLOW_UTILIZATION]
    n_steps = len(requests_per_s)
    n_policies = whole[N_POLICIES]
    n_ring = len(ring) // 4
    ring_mask = len(ring) - 1
    ahead = whole[STEPS_AHEAD]  # how many steps a change may reach

    count = min(whole[MIN_CAPACITY], whole[MAX_TASKS])  # tasks on the stack: launched and not removed
    desired = max(whole[MIN_CAPACITY], 1)
    low = whole[MIN_CAPACITY]
    high = whole[MAX_CAPACITY]
    state[SETTLED] = count
    state[MOVED_BY] = NOBODY

    # One CPU policy: datapoints to be acted on wait in `metrics` as (work, provided; negative for AlarmLow, 0 for none).
    n_metrics = len(metrics) // (n_policies if SEVERAL_POLICIES and n_policies > 0 else 2)
    metrics_mask = n_metrics - 1
    offset_s = policy_whole[OFFSET_S]
    known_after = 1 + policy_whole[LAG_STEPS]
    n_out = whole[SCALE_OUT_DATAPOINTS]
    n_in = whole[SCALE_IN_DATAPOINTS] if policy_whole[DISABLE_SCALE_IN] == 0 else NEVER_S
    again = whole[ALARM_REINVOCATION] != 0
    target = policy_real[TARGET]
    low_threshold = policy_real[LOW_THRESHOLD]
    high_run = 0
    low_run = 0
    base = 0
    scale_out_end = 0
    known_until = -1  # no datapoint to be acted on becomes known after this step
    # A datapoint is at most 100: never over such a target, always under such a threshold.
    high_at = target if target < 100.0 else math.inf
    low_at = low_threshold if low_threshold <= 100.0 else math.inf

    # Several policies: sums since the period began, where periods have more than one step.
    period_steps = 1
    period_left = 1
    period_served = 0.0
    period_arrivals = 0.0
    period_running_s = 0.0
    period_healthy_s = 0.0
    period_in_flight_s = 0.0
    if SEVERAL_POLICIES:
        for p in range(n_policies):
            b = p * N_POLICY_WHOLE
            alarm_whole[p * N_ALARM_WHOLE + NEXT_DUE] = policy_whole[b + PERIOD_STEPS] + policy_whole[b + LAG_STEPS]
            period_steps = max(period_steps, policy_whole[b + PERIOD_STEPS])
        period_left = period_steps

    next_bounds = 0
    next_deployment = 0
    next_zone_loss = 0
    next_threshold = 0
    exposure = 0.0
    queue = 0.0

    # Sums of the step, and what follows from them.
    ring_end = 1  # no changes from this step on
    billed_level = count * step_s
    running_level = billed_level
    healthy_level = billed_level
    pending_level = 0
    billed_s = 0
    running_s = 0
    healthy_s = 0
    capacity = 0.0
    provided = 0.0
    high_work = 0.0
    low_work = 0.0
    margin = 0.0

    billed_total = 0
    spot_billed_total = 0.0
    running_total = 0
    launched_total = 0
    removed_total = 0
    over_total = 0
    slow_total = 0
    refused_total = 0.0
    peak_desired = 0
    peak_utilization = 0.0
    peak_queue = 0.0
    interruptions = 0
    stuck = 0

    k = 0
    while k < n_steps:
        start = k * step_s
        state[MOVED_BY] = NOBODY
        calm_until = record_from if k < record_from else n_steps

        if SPOT:
            while state[FIRST_SHORTAGE] < len(shortages) // 2 and shortages[2 * state[FIRST_SHORTAGE] + 1] <= start:
                state[FIRST_SHORTAGE] += 1
            while k > 0 and next_threshold < len(thresholds) and exposure >= thresholds[next_threshold]:
                interrupt(start, whole, ready_wait_s, shortages, ring, state)
                ring_end = k + ahead
                next_threshold += 1
                if k >= record_from:
                    interruptions += 1

        if BOUNDS:
            while 4 * next_bounds < len(bounds) and bounds[4 * next_bounds] <= k:
                high = bounds[4 * next_bounds + 2]
                low = max(bounds[4 * next_bounds + 1], min(bounds[4 * next_bounds + 3], high))
                next_bounds += 1
                want = min(max(desired, low), high)
                if want != desired:
                    before = count
                    count = move(
                        want, desired, start, count, whole, real, ready_wait_s, shortages, stack, ring, state, bucket
                    )
                    desired = want
                    state[MOVED_BY] = MOVED_BY_BOUNDS
                    ring_end = k + ahead
                    if k >= record_from:
                        launched_total += max(count - before, 0)
                        removed_total += max(before - count, 0)

        if DISTURBANCES:
            while (
                N_DEPLOYMENT * next_deployment < len(deployments) and deployments[N_DEPLOYMENT * next_deployment] <= k
            ):
                d = N_DEPLOYMENT * next_deployment
                next_deployment += 1
                if start >= state[DEPLOYMENT_END]:
                    begun = deploy(
                        start, int(deployments[d + 1]), deployments[d + 2], deployments[d + 3], int(deployments[d + 4]),
                        int(deployments[d + 5]), count, whole, ring, state,
                    )  # fmt: skip
                    ring_end = k + ahead
                    if not begun and k >= record_from:
                        stuck += 1
            while state[WAVE_LEFT] > 0 and state[WAVE_AT] < start + step_s:
                replace_wave(whole, ring, state)
                ring_end = k + ahead
            while next_zone_loss < len(zone_losses) and zone_losses[next_zone_loss] <= k:
                lose_zone(start, count, whole, ring)
                next_zone_loss += 1
                ring_end = k + ahead

        if QUOTA and count < desired and count < whole[MAX_TASKS]:
            before = count
            count = launch(
                desired - count, start, count, whole, real, ready_wait_s, shortages, stack, ring, state, bucket
            )
            ring_end = k + ahead
            if k >= record_from:
                launched_total += count - before

        if SEVERAL_POLICIES:
            news = False
            for i in range(n_policies):
                p = policy_whole[i * N_POLICY_WHOLE + ORDER]
                if alarm_whole[p * N_ALARM_WHOLE + NEXT_DUE] == k:
                    alarm_whole[p * N_ALARM_WHOLE + NEXT_DUE] += policy_whole[p * N_POLICY_WHOLE + PERIOD_STEPS]
                    look(p, metrics, n_metrics, whole, policy_whole, policy_real, alarm_whole, alarm_real)
                    news = True
                if not news or policy_whole[i * N_POLICY_WHOLE + WITH_NEXT] != 0:
                    continue
                # The last policy of this second: all whose datapoint became known decide together.
                news = False
                t = start + policy_whole[p * N_POLICY_WHOLE + OFFSET_S]
                if not any_acts(t, desired, low, whole, policy_whole, alarm_whole, state):
                    continue
                want = decide(
                    t, running_tasks(count, t, stack, state), desired, low, high, whole, real, policy_whole, policy_real, step_bounds,
                    step_changes, alarm_whole, alarm_real, state,
                )  # fmt: skip
                if want != desired:
                    before = count
                    count = move(
                        want, desired, t, count, whole, real, ready_wait_s, shortages, stack, ring, state, bucket
                    )
                    desired = want
                    ring_end = k + ahead
                    if k >= record_from:
                        launched_total += max(count - before, 0)
                        removed_total += max(before - count, 0)
        elif k <= known_until:
            place = 2 * ((k - known_after) & metrics_mask)
            acting = metrics[place + 1]
            metrics[place + 1] = 0.0
            if acting != 0.0:
                t = start + offset_s
                may_act = desired < high
                if acting < 0.0:
                    may_act = (
                        desired > low and t >= state[SCALE_IN_END] and not (DISTURBANCES and t < state[DEPLOYMENT_END])
                    )
                if may_act:
                    running = running_tasks(count, t, stack, state)
                    basis = base if t < scale_out_end else running
                    want = decide_target_tracking(
                        cpu_percent(metrics[place], abs(acting)), acting > 0.0, acting < 0.0, basis, running, desired, low, high, target,
                        real[SCALE_IN_STEP_PERCENT],
                    )  # fmt: skip
                    if want != desired:
                        state[MOVED_BY] = 0
                        if want > desired:
                            base = basis
                            scale_out_end = t + policy_whole[SCALE_OUT_COOLDOWN_S]
                            state[SCALE_IN_END] = t
                        else:
                            state[SCALE_IN_END] = t + policy_whole[SCALE_IN_COOLDOWN_S]
                        before = count
                        count = move(
                            want, desired, t, count, whole, real, ready_wait_s, shortages, stack, ring, state, bucket
                        )
                        desired = want
                        ring_end = k + ahead
                        if k >= record_from:
                            launched_total += max(count - before, 0)
                            removed_total += max(before - count, 0)

        if (LAUNCH_RATE or SPOT) and state[FURTHEST_S] >= (k + n_ring - 1) * step_s:
            return int(state[FURTHEST_S] // step_s - k + 3)

        if k < ring_end:
            place = (4 * k) & ring_mask
            billed_level += ring[place + BILLED]
            running_level += ring[place + RUNNING]
            healthy_level += ring[place + HEALTHY]
            pending_level += ring[place + PENDING]
            ring[place + BILLED] = 0
            ring[place + RUNNING] = 0
            ring[place + HEALTHY] = 0
            ring[place + PENDING] = 0
            billed_s = billed_level
            running_s = running_level
            healthy_s = healthy_level
            if DISTURBANCES or SPOT:
                billed_s = max(billed_s, 0)
                running_s = max(running_s, 0)
                healthy_s = max(healthy_s, 0)
            capacity = healthy_s * per_task
            provided = running_s * task_vcpu
            high_work = high_at * provided
            low_work = low_at * provided
            margin = (
                MARGIN * provided if running_s > 0 else -1.0
            )  # without tasks there is no work: neither alarm breaches

        # Until the next step in which something starts, stops, is scheduled or may be decided, only requests come.
        if BOUNDS and 4 * next_bounds < len(bounds):
            calm_until = min(calm_until, bounds[4 * next_bounds])
        if DISTURBANCES:
            if N_DEPLOYMENT * next_deployment < len(deployments):
                calm_until = min(calm_until, int(deployments[N_DEPLOYMENT * next_deployment]))
            if state[WAVE_LEFT] > 0:
                calm_until = min(calm_until, state[WAVE_AT] // step_s)
            if next_zone_loss < len(zone_losses):
                calm_until = min(calm_until, zone_losses[next_zone_loss])
        if SEVERAL_POLICIES or SPOT or k + 1 < ring_end or k < known_until:
            calm_until = k + 1
        first = k

        for i in range(first, calm_until):
            k = i + 1
            arrivals = requests_per_s[i] * step_s
            old_queue = queue
            offered = queue + arrivals if QUEUE else arrivals
            served = min(offered, capacity)
            refused = offered - served
            if QUEUE:
                queue = 0.0
                if refused > 0.0:
                    rest = refused
                    room = min(real[QUEUE_PER_TASK] * healthy_s / step_s, real[QUEUE_TIMEOUT_S] * capacity / step_s)
                    refused = rest - room if rest > room else 0.0
                    queue = rest - refused
            utilization = 0.0
            if capacity > 0.0:
                utilization = offered / capacity
            elif offered > 0.0:
                utilization = math.inf

            acts = False
            if SEVERAL_POLICIES:
                in_flight_s = served * real[RESIDENCE_S] + step_s * (old_queue + queue) / 2.0
                if period_steps > 1:
                    period_served += served
                    period_arrivals += arrivals
                    period_running_s += running_s
                    period_healthy_s += healthy_s
                    period_in_flight_s += in_flight_s
                    period_left -= 1
                for p in range(n_policies):
                    b = p * N_POLICY_WHOLE
                    if policy_whole[b + PERIOD_STEPS] == 1:
                        metric = datapoint(
                            policy_whole[b + METRIC], policy_whole[b + PERIOD_S], served, arrivals, float(running_s), float(healthy_s),
                            in_flight_s, real,
                        )  # fmt: skip
                    elif period_left == 0:
                        metric = datapoint(
                            policy_whole[b + METRIC], policy_whole[b + PERIOD_S], period_served, period_arrivals, period_running_s,
                            period_healthy_s, period_in_flight_s, real,
                        )  # fmt: skip
                    else:
                        continue
                    made = alarm_whole[p * N_ALARM_WHOLE + MADE]
                    alarm_whole[p * N_ALARM_WHOLE + MADE] = made + 1
                    metrics[p * n_metrics + (made & metrics_mask)] = metric
                    if keep and first >= record_from:
                        series_real[(i - record_from) * (N_SERIES_REAL + n_policies) + N_SERIES_REAL + p] = metric
                if period_left == 0:
                    period_left = period_steps
                    period_served = 0.0
                    period_arrivals = 0.0
                    period_running_s = 0.0
                    period_healthy_s = 0.0
                    period_in_flight_s = 0.0
            else:
                work = 100.0 * served * cpu_s
                excess = work - high_work
                lack = low_work - work
                if min(abs(excess), abs(lack)) <= margin:
                    metric = cpu_percent(work, provided)
                    excess = metric - target
                    lack = low_threshold - metric
                high_run = (high_run + 1) * (excess > 0.0)
                low_run = (low_run + 1) * (lack > 0.0)
                acts = (high_run >= n_out) | (low_run >= n_in)
                if keep and first >= record_from:
                    series_real[(i - record_from) * (N_SERIES_REAL + 1) + N_SERIES_REAL] = (
                        cpu_percent(work, provided) if running_s > 0 else MISSING
                    )

            if first >= record_from:
                peak_utilization = max(peak_utilization, utilization)
                waited = QUEUE and (old_queue > 0.0 or queue > 0.0)
                if offered > capacity or waited:
                    is_over = offered > capacity * (1.0 + 1e-9)
                    over_total += is_over
                    slow_total += is_over or utilization > slow_utilization
                    refused_total += refused
                    if QUEUE:
                        peak_queue = max(peak_queue, queue)
                    if not is_over and not waited:
                        utilization_histogram[N_BINS - 1] += arrivals
                    elif capacity == 0.0:
                        wait_histogram[N_WAIT_BINS] += arrivals
                    else:
                        wait_histogram[N_WAIT_BINS] += min(refused, arrivals)
                        if arrivals - refused > 0.0:
                            place = wait_bin((old_queue + queue) / 2.0 * step_s / capacity) if QUEUE else 0
                            wait_histogram[place] += arrivals - refused
                else:
                    slow_total += utilization > slow_utilization
                    utilization_histogram[min(int(utilization * N_BINS + 1e-9), N_BINS - 1)] += arrivals
                if keep:
                    place = (i - record_from) * N_SERIES_WHOLE
                    series_whole[place] = desired
                    series_whole[place + 1] = running_s
                    series_whole[place + 2] = healthy_s
                    series_whole[place + 3] = max(pending_level, 0)
                    series_whole[place + 4] = billed_s
                    series_whole[place + 5] = state[MOVED_BY] if i == first else NOBODY
                    place = (i - record_from) * (N_SERIES_REAL + n_policies)
                    series_real[place] = served
                    series_real[place + 1] = refused
                    series_real[place + 2] = queue
                    series_real[place + 3] = utilization

            if not SEVERAL_POLICIES and acts:
                is_high = high_run >= n_out
                # Nothing can come of it if the desired count is at its bound, and nothing moves either until then.
                idle = not BOUNDS and i >= known_until and (desired >= high if is_high else desired <= low)
                if not idle and (again or high_run == n_out or low_run == n_in):
                    place = 2 * (i & metrics_mask)
                    metrics[place] = work
                    metrics[place + 1] = provided if is_high else -provided
                    known_until = i + known_after
                    break

        if first >= record_from:
            billed_total += billed_s * (k - first)
            running_total += running_s * (k - first)
            peak_desired = max(peak_desired, desired)
            if SPOT and count > 0:
                spot_billed_total += billed_s * spot(count, whole[SPOT_BASE], real[SPOT_SHARE]) / count
        if SPOT:
            exposure += spot(count, whole[SPOT_BASE], real[SPOT_SHARE]) * step_s / 3600.0 * real[SPOT_INTERRUPTIONS]

    totals[BILLED_TASK_S] = billed_total
    totals[SPOT_BILLED_TASK_S] = spot_billed_total
    totals[RUNNING_TASK_S] = running_total
    totals[LAUNCHED] = launched_total
    totals[REMOVED] = removed_total
    totals[STEPS_OVER_CAPACITY] = over_total
    totals[SLOW_STEPS] = slow_total
    totals[REFUSED_REQUESTS] = refused_total
    totals[PEAK_DESIRED_COUNT] = peak_desired
    totals[PEAK_UTILIZATION] = peak_utilization
    totals[PEAK_QUEUE] = peak_queue
    totals[INTERRUPTIONS] = interruptions
    totals[STUCK_DEPLOYMENTS] = stuck
    return 0
