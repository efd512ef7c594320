"""Datapoints, and the alarms that look at them (rules 17 to 19)."""

from estimator.service.scaling import TARGET_TRACKING_CODE
from estimator.simulation import parameters as at
from estimator.simulation.parameters import Filled, Given, Scratch

#: Stands for a datapoint that is missing; the others are never negative.
MISSING = -1.0


def begin_alarms(given: Given, scratch: Scratch) -> None:
    """Say when each policy's first datapoint becomes known, and how many steps a period has.

    Parameters
    ----------
    given : Given
        Parameters.
    scratch : Scratch
        As the arrays are made; told the first state.
    """
    n_policies = given.whole[at.N_POLICIES]
    scratch.state[at.METRIC_PLACES] = len(scratch.metrics) // max(n_policies, 2)
    for p in range(n_policies):
        period_steps = given.policy_whole[p * at.N_POLICY_WHOLE + at.PERIOD_STEPS]
        lag_steps = given.policy_whole[p * at.N_POLICY_WHOLE + at.LAG_STEPS]
        scratch.alarm_whole[p * at.N_ALARM_WHOLE + at.NEXT_DUE] = period_steps + lag_steps
        scratch.period[at.PERIOD_LENGTH] = max(scratch.period[at.PERIOD_LENGTH], float(period_steps))


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
    given: Given,
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
        Task-seconds of the period. [task-s]
    in_flight_s : float
        Request-seconds of the period. [s]
    given : Given
        Parameters.

    Returns
    -------
    float
        Datapoint with six decimals; negative if missing. [% or requests]
    """
    real = given.real
    if metric != at.REQUESTS:
        if running_s <= 0.0:
            return MISSING
        if metric == at.CPU:
            return cpu_percent(100.0 * served * real[at.CPU_S_PER_REQUEST], running_s * real[at.TASK_VCPU])
        used = running_s * real[at.BASELINE_MEMORY_MIB] + in_flight_s * real[at.MEMORY_MIB_PER_REQUEST]
        return float(round(min(100.0 * used / (running_s * real[at.TASK_MEMORY_MIB]), 100.0) * 1e6) / 1e6)
    targets_s = healthy_s if healthy_s > 0.0 else running_s
    if targets_s <= 0.0 or (arrivals <= 0.0 and given.whole[at.ZERO_REQUESTS_REPORTED] == 0):
        return MISSING
    return round(arrivals * period_s / targets_s * 1e6) / 1e6


def add_datapoints(
    served: float,
    arrivals: float,
    in_flight_s: float,
    running_s: int,
    healthy_s: int,
    series_place: int,
    given: Given,
    scratch: Scratch,
    filled: Filled,
) -> None:
    """Let a step count for the periods of the policies, and note the datapoints of those that end with it (rule 17).

    Parameters
    ----------
    served, arrivals : float
        Requests of the step. [requests]
    in_flight_s : float
        Request-seconds of the step. [s]
    running_s, healthy_s : int
        Task-seconds of the step. [task-s]
    series_place : int
        Where they belong in the series; negative if it is not kept.
    given : Given
        Parameters.
    scratch : Scratch
        Takes the datapoints; they are not yet known to the alarms.
    filled : Filled
        Takes them as figures of the step.
    """
    policy_whole = given.policy_whole
    alarm_whole = scratch.alarm_whole
    period = scratch.period
    n_policies = given.whole[at.N_POLICIES]
    n_metrics = scratch.state[at.METRIC_PLACES]
    ends = False
    if period[at.PERIOD_LENGTH] > 1.0:
        period[at.PERIOD_SERVED] += served
        period[at.PERIOD_ARRIVALS] += arrivals
        period[at.PERIOD_RUNNING_S] += running_s
        period[at.PERIOD_HEALTHY_S] += healthy_s
        period[at.PERIOD_IN_FLIGHT_S] += in_flight_s
        period[at.PERIOD_STEPS_SEEN] += 1.0
        ends = period[at.PERIOD_STEPS_SEEN] == period[at.PERIOD_LENGTH]
    for p in range(n_policies):
        b = p * at.N_POLICY_WHOLE
        if policy_whole[b + at.PERIOD_STEPS] == 1:
            metric = datapoint(
                policy_whole[b + at.METRIC], policy_whole[b + at.PERIOD_S], served, arrivals, float(running_s), float(healthy_s),
                in_flight_s, given,
            )  # fmt: skip
        elif ends:
            metric = datapoint(
                policy_whole[b + at.METRIC], policy_whole[b + at.PERIOD_S], period[at.PERIOD_SERVED], period[at.PERIOD_ARRIVALS],
                period[at.PERIOD_RUNNING_S], period[at.PERIOD_HEALTHY_S], period[at.PERIOD_IN_FLIGHT_S], given,
            )  # fmt: skip
        else:
            continue
        made = alarm_whole[p * at.N_ALARM_WHOLE + at.MADE]
        alarm_whole[p * at.N_ALARM_WHOLE + at.MADE] = made + 1
        scratch.metrics[p * n_metrics + (made & (n_metrics - 1))] = metric
        if series_place >= 0:
            n_kept = len(filled.series_whole) // at.N_SERIES_WHOLE
            filled.series_real[series_place + n_kept * p] = metric
    if ends:
        for i in range(at.PERIOD_STEPS_SEEN, at.N_PERIOD):
            period[i] = 0.0


def mean_known(p: int, n: int, scratch: Scratch) -> float:
    """Mean of a policy's newest datapoints that are known and not missing.

    Parameters
    ----------
    p : int
        The policy.
    n : int
        How many of them count. [1]
    scratch : Scratch
        Knows the datapoints.

    Returns
    -------
    float
        Their mean; at least one of them is not missing.
    """
    size = scratch.state[at.METRIC_PLACES]
    known = scratch.alarm_whole[p * at.N_ALARM_WHOLE + at.KNOWN]
    total = 0.0
    found = 0
    for j in range(max(0, known - n), known):
        value = scratch.metrics[p * size + (j & (size - 1))]
        if value >= 0.0:
            total += value
            found += 1
    return total / found if found > 0 else MISSING


def look(p: int, t: int, given: Given, scratch: Scratch) -> None:
    """Let the alarms of a policy look at one datapoint more (rule 19).

    Parameters
    ----------
    p : int
        The policy.
    t : int
        The second in which it becomes known. [s]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the datapoints; its alarms move.
    """
    whole = given.whole
    policy_whole = given.policy_whole
    policy_real = given.policy_real
    alarm_whole = scratch.alarm_whole
    a = p * at.N_ALARM_WHOLE
    b = p * at.N_POLICY_WHOLE
    size = scratch.state[at.METRIC_PLACES]
    known = alarm_whole[a + at.KNOWN]
    metric = scratch.metrics[p * size + (known & (size - 1))]
    alarm_whole[a + at.KNOWN] = known + 1
    missing = metric < 0.0
    again = whole[at.ALARM_REINVOCATION] != 0
    acts_out = False
    acts_in = False
    n_out = policy_whole[b + at.SCALE_OUT_DATAPOINTS]
    n_in = policy_whole[b + at.SCALE_IN_DATAPOINTS]
    if policy_whole[b + at.KIND] == TARGET_TRACKING_CODE:
        high = not missing and metric > policy_real[p * at.N_POLICY_REAL + at.TARGET]
        low = not missing and metric < policy_real[p * at.N_POLICY_REAL + at.LOW_THRESHOLD]
        high_run = alarm_whole[a + at.HIGH_RUN] + 1 if high else 0
        low_run = alarm_whole[a + at.LOW_RUN] + 1 if low else 0
        alarm_whole[a + at.HIGH_RUN] = high_run
        alarm_whole[a + at.LOW_RUN] = low_run
        acts_out = high_run == n_out or (again and high_run > n_out)
        acts_in = policy_whole[b + at.DISABLE_SCALE_IN] == 0 and (low_run == n_in or (again and low_run > n_in))
    else:
        threshold = policy_real[p * at.N_POLICY_REAL + at.TARGET]
        breaches = not missing and (metric >= threshold if policy_whole[b + at.UPWARD] != 0 else metric <= threshold)
        n_out = policy_whole[b + at.EVALUATION_PERIODS]
        history = alarm_whole[a + at.HISTORY]  # one bit for each datapoint, the newest lowest
        count = alarm_whole[a + at.BREACHES] - ((history >> (n_out - 1)) & 1)
        history = (history << 1) & ((1 << n_out) - 1)
        if breaches:
            history = history | 1
            count = count + 1
        alarm_whole[a + at.HISTORY] = history
        alarm_whole[a + at.BREACHES] = count
        in_alarm = count >= policy_whole[b + at.DATAPOINTS_TO_ALARM]
        acts_out = in_alarm and not missing and (again or alarm_whole[a + at.IN_ALARM] == 0)
        alarm_whole[a + at.IN_ALARM] = 1 if in_alarm else 0
    alarm_whole[a + at.LOOKED_AT] = t
    alarm_whole[a + at.ACTS_OUT] = 1 if acts_out else 0
    alarm_whole[a + at.ACTS_IN] = 1 if acts_in else 0
    mean = whole[at.MEAN_OF_DATAPOINTS] != 0
    if acts_out:
        scratch.alarm_real[p * at.N_ALARM_REAL + at.OUT_VALUE] = mean_known(p, n_out, scratch) if mean else metric
    if acts_in:
        scratch.alarm_real[p * at.N_ALARM_REAL + at.IN_VALUE] = mean_known(p, n_in, scratch) if mean else metric
