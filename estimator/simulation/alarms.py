"""Datapoints, the alarms that look at them, and what the policies then do together (rules 17 to 21)."""

from typing import Any

from estimator.service.scaling import (
    STEP_SCALING_CODE,
    TARGET_TRACKING_CODE,
    decide_step_scaling,
    decide_target_tracking,
)
from estimator.simulation.parameters import (
    ACTS_IN,
    ACTS_OUT,
    ADJUSTMENT_TYPE,
    ALARM_REINVOCATION,
    BASE,
    BASELINE_MEMORY_MIB,
    BREACHES,
    CPU,
    CPU_S_PER_REQUEST,
    DATAPOINTS_TO_ALARM,
    DEPLOYMENT_END,
    DISABLE_SCALE_IN,
    EVALUATION_PERIODS,
    FIRST_STEP,
    HIGH_RUN,
    HISTORY,
    IN_ALARM,
    IN_VALUE,
    IS_NEWS,
    KIND,
    KNOWN,
    LAST_STEP,
    LOW_RUN,
    LOW_THRESHOLD,
    MEAN_OF_DATAPOINTS,
    MEMORY_MIB_PER_REQUEST,
    MIN_ADJUSTMENT_MAGNITUDE,
    MOVED_BY,
    N_ALARM_REAL,
    N_ALARM_WHOLE,
    N_POLICIES,
    N_POLICY_REAL,
    N_POLICY_WHOLE,
    OUT_VALUE,
    REQUESTS,
    SCALE_IN_COOLDOWN_S,
    SCALE_IN_DATAPOINTS,
    SCALE_IN_END,
    SCALE_IN_STEP_PERCENT,
    SCALE_OUT_COOLDOWN_S,
    SCALE_OUT_DATAPOINTS,
    SCALE_OUT_END,
    TARGET,
    TASK_MEMORY_MIB,
    TASK_VCPU,
    UPWARD,
)

#: Stands for a datapoint that is missing; the others are never negative.
MISSING = -1.0


def cpu_percent(work: float, provided: float) -> float:
    """Compute the datapoint of CPU utilization.

    Parameters
    ----------
    work : float
        A hundred times the CPU time that was used. [% vCPU-s]
    provided : float
        CPU time of the running tasks, not 0. [vCPU-s]

    Returns
    -------
    float
        Datapoint, at most 100, with six decimals. [%]
    """
    return round(min(work / provided, 100.0) * 1e6) / 1e6


def datapoint(
    metric: int,
    period_s: int,
    served: float,
    arrivals: float,
    running_s: float,
    healthy_s: float,
    in_flight_s: float,
    real: Any,
) -> float:
    """Compute the datapoint of one period (rule 17).

    Parameters
    ----------
    metric : int
        CPU, memory or requests per target.
    period_s : int
        Length of the period. [s]
    served, arrivals : float
        Requests of the period. [requests]
    running_s, healthy_s : float
        Task-seconds of the period. [s]
    in_flight_s : float
        Request-seconds of the period. [s]
    real : sequence of float
        Parameters.

    Returns
    -------
    float
        Datapoint with six decimals; negative if missing. [% or requests]
    """
    if metric != REQUESTS:
        if running_s <= 0.0:
            return MISSING
        if metric == CPU:
            return cpu_percent(100.0 * served * real[CPU_S_PER_REQUEST], running_s * real[TASK_VCPU])
        used = running_s * real[BASELINE_MEMORY_MIB] + in_flight_s * real[MEMORY_MIB_PER_REQUEST]
        return float(round(min(100.0 * used / (running_s * real[TASK_MEMORY_MIB]), 100.0) * 1e6) / 1e6)
    targets_s = healthy_s if healthy_s > 0.0 else running_s
    if arrivals <= 0.0 or targets_s <= 0.0:
        return MISSING
    return round(arrivals * period_s / targets_s * 1e6) / 1e6


def mean_known(metrics: Any, first: int, size: int, known: int, n: int) -> float:
    """Mean of a policy's newest datapoints that are not missing.

    Parameters
    ----------
    metrics : sequence of float
        Datapoints of all policies.
    first, size : int
        Where the policy's begin, and how many there are room for.
    known : int
        Datapoints that are known. [1]
    n : int
        How many of them count. [1]

    Returns
    -------
    float
        Their mean; at least one of them is not missing.
    """
    total = 0.0
    found = 0
    for j in range(max(0, known - n), known):
        value = metrics[first + (j & (size - 1))]
        if value >= 0.0:
            total += value
            found += 1
    return total / found if found > 0 else MISSING


def look(
    p: int, metrics: Any, size: int, whole: Any, policy_whole: Any, policy_real: Any, alarm_whole: Any, alarm_real: Any
) -> None:
    """Let the alarms of a policy look at one datapoint more (rule 19).

    Parameters
    ----------
    p : int
        The policy.
    metrics : sequence of float
        Datapoints of all policies.
    size : int
        Datapoints of each policy that there is room for; a power of two.
    whole : sequence of int
        Parameters.
    policy_whole, policy_real : sequence
        Parameters of the policies.
    alarm_whole, alarm_real : sequence
        The alarms, as they move.
    """
    a = p * N_ALARM_WHOLE
    b = p * N_POLICY_WHOLE
    known = alarm_whole[a + KNOWN]
    metric = metrics[p * size + (known & (size - 1))]
    alarm_whole[a + KNOWN] = known + 1
    missing = metric < 0.0
    again = whole[ALARM_REINVOCATION] != 0
    acts_out = False
    acts_in = False
    n_out = whole[SCALE_OUT_DATAPOINTS]
    n_in = whole[SCALE_IN_DATAPOINTS]
    if policy_whole[b + KIND] == TARGET_TRACKING_CODE:
        high = not missing and metric > policy_real[p * N_POLICY_REAL + TARGET]
        low = not missing and metric < policy_real[p * N_POLICY_REAL + LOW_THRESHOLD]
        high_run = alarm_whole[a + HIGH_RUN] + 1 if high else 0
        low_run = alarm_whole[a + LOW_RUN] + 1 if low else 0
        alarm_whole[a + HIGH_RUN] = high_run
        alarm_whole[a + LOW_RUN] = low_run
        acts_out = high_run == n_out or (again and high_run > n_out)
        acts_in = policy_whole[b + DISABLE_SCALE_IN] == 0 and (low_run == n_in or (again and low_run > n_in))
    else:
        threshold = policy_real[p * N_POLICY_REAL + TARGET]
        breaches = not missing and (metric >= threshold if policy_whole[b + UPWARD] != 0 else metric <= threshold)
        n_out = policy_whole[b + EVALUATION_PERIODS]
        history = alarm_whole[a + HISTORY]  # one bit for each datapoint, the newest lowest
        count = alarm_whole[a + BREACHES] - ((history >> (n_out - 1)) & 1)
        history = (history << 1) & ((1 << n_out) - 1)
        if breaches:
            history = history | 1
            count = count + 1
        alarm_whole[a + HISTORY] = history
        alarm_whole[a + BREACHES] = count
        in_alarm = count >= policy_whole[b + DATAPOINTS_TO_ALARM]
        acts_out = in_alarm and not missing and (again or alarm_whole[a + IN_ALARM] == 0)
        alarm_whole[a + IN_ALARM] = 1 if in_alarm else 0
    alarm_whole[a + IS_NEWS] = 1
    alarm_whole[a + ACTS_OUT] = 1 if acts_out else 0
    alarm_whole[a + ACTS_IN] = 1 if acts_in else 0
    mean = whole[MEAN_OF_DATAPOINTS] != 0
    if acts_out:
        alarm_real[p * N_ALARM_REAL + OUT_VALUE] = (
            mean_known(metrics, p * size, size, known + 1, n_out) if mean else metric
        )
    if acts_in:
        alarm_real[p * N_ALARM_REAL + IN_VALUE] = (
            mean_known(metrics, p * size, size, known + 1, n_in) if mean else metric
        )


def any_acts(t: int, desired: int, low: int, whole: Any, policy_whole: Any, alarm_whole: Any, state: Any) -> bool:
    """Say whether anything can come of deciding now, and if not, lay the news aside.

    Parameters
    ----------
    t : int
        The second. [s]
    desired : int
        Desired count now. [tasks]
    low : int
        Lower bound in force. [tasks]
    whole : sequence of int
        Parameters.
    policy_whole : sequence of int
        Parameters of the policies.
    alarm_whole : sequence of int
        The alarms, as they move.
    state : sequence of int
        What moves only when something happens.

    Returns
    -------
    bool
        True if `decide` is to be called.
    """
    n = whole[N_POLICIES]
    any_in = False
    all_in = desired > low and t >= state[SCALE_IN_END] and t >= state[DEPLOYMENT_END]
    for p in range(n):
        a = p * N_ALARM_WHOLE
        if alarm_whole[a + ACTS_OUT] != 0 and alarm_whole[a + IS_NEWS] != 0:
            return True
        if alarm_whole[a + ACTS_IN] != 0:
            any_in = True
        elif (
            policy_whole[p * N_POLICY_WHOLE + KIND] == TARGET_TRACKING_CODE
            and policy_whole[p * N_POLICY_WHOLE + DISABLE_SCALE_IN] == 0
        ):
            all_in = False
    if any_in and all_in:
        return True
    for p in range(n):
        alarm_whole[p * N_ALARM_WHOLE + IS_NEWS] = 0
    return False


def decide(
    t: int, running: int, desired: int, low: int, high: int, whole: Any, real: Any, policy_whole: Any, policy_real: Any, step_bounds: Any,
    step_changes: Any, alarm_whole: Any, alarm_real: Any, state: Any,
) -> int:  # fmt: skip
    """Decide, by all policies whose newest datapoint has just become known (rules 20, 21).

    Parameters
    ----------
    t : int
        The second. [s]
    running : int
        Tasks running now. [tasks]
    desired : int
        Desired count now. [tasks]
    low, high : int
        Bounds in force. [tasks]
    whole, real : sequence
        Parameters.
    policy_whole, policy_real : sequence
        Parameters of the policies.
    step_bounds, step_changes : sequence
        Bounds and adjustments of the steps of step scaling.
    alarm_whole, alarm_real : sequence
        The alarms, as they move.
    state : sequence of int
        What moves only when something happens; told which policy it was.

    Returns
    -------
    int
        The new desired count. [tasks]
    """
    n = whole[N_POLICIES]
    out_want = desired
    out_policy = -1
    out_base = 0
    in_want = -1
    in_policy = -1
    all_want_in = True
    for p in range(n):
        a = p * N_ALARM_WHOLE
        b = p * N_POLICY_WHOLE
        acts_out = alarm_whole[a + IS_NEWS] != 0 and alarm_whole[a + ACTS_OUT] != 0
        alarm_whole[a + IS_NEWS] = 0
        out_value = alarm_real[p * N_ALARM_REAL + OUT_VALUE]
        base = alarm_whole[a + BASE] if t < alarm_whole[a + SCALE_OUT_END] else running
        target = policy_real[p * N_POLICY_REAL + TARGET]
        want = desired
        if policy_whole[b + KIND] == STEP_SCALING_CODE:
            if acts_out:
                want = decide_step_scaling(
                    out_value, base, desired, low, high, target, policy_whole[b + UPWARD] != 0, policy_whole[b + ADJUSTMENT_TYPE],
                    policy_whole[b + MIN_ADJUSTMENT_MAGNITUDE], step_bounds, step_changes, policy_whole[b + FIRST_STEP],
                    policy_whole[b + LAST_STEP],
                )  # fmt: skip
                if want < desired and want > in_want:
                    in_want = want
                    in_policy = p
        else:
            if acts_out:
                want = decide_target_tracking(
                    out_value, True, False, base, running, desired, low, high, target, real[SCALE_IN_STEP_PERCENT]
                )
            if policy_whole[b + DISABLE_SCALE_IN] == 0:
                less = desired
                if alarm_whole[a + ACTS_IN] != 0:
                    less = decide_target_tracking(
                        alarm_real[p * N_ALARM_REAL + IN_VALUE],
                        False,
                        True,
                        base,
                        running,
                        desired,
                        low,
                        high,
                        target,
                        real[SCALE_IN_STEP_PERCENT],
                    )
                if less >= desired:
                    all_want_in = False
                elif less > in_want:
                    in_want = less
                    in_policy = p
        if want > out_want:
            out_want = want
            out_policy = p
            out_base = base
    if out_policy >= 0:
        a = out_policy * N_ALARM_WHOLE
        alarm_whole[a + BASE] = out_base
        alarm_whole[a + SCALE_OUT_END] = t + policy_whole[out_policy * N_POLICY_WHOLE + SCALE_OUT_COOLDOWN_S]
        state[SCALE_IN_END] = t
        state[MOVED_BY] = out_policy
        return out_want
    if in_policy >= 0 and all_want_in and t >= state[DEPLOYMENT_END] and t >= state[SCALE_IN_END]:
        state[SCALE_IN_END] = t + policy_whole[in_policy * N_POLICY_WHOLE + SCALE_IN_COOLDOWN_S]
        state[MOVED_BY] = in_policy
        return in_want
    return desired
