"""The arrays that the time loop reads and writes, and the places of the numbers in them; read as ``at.STEP_S``.

Notes
-----
One candidate's arrays come in three bundles, so that a function of the loop takes what it needs by one name. They are arrays when the
loop is compiled and lists when it is not. Arrays of whole numbers and of others are apart, since an array holds one kind.
"""

from typing import Any, NamedTuple


class Given(NamedTuple):
    """What the loop only reads.

    Parameters
    ----------
    requests_per_s : sequence of float, shape (n_steps,)
        Load, warm-up included. [requests/s]
    whole, real : sequence of int, of float
        Parameters of the service.
    ready_wait_s : sequence of int
        From running to healthy, for the i-th launch modulo its length. [s]
    policy_whole, policy_real : sequence of int, of float
        Parameters of the policies, one policy after the other.
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
    stop_at : sequence of float
        Limits beyond which the rest of the course need not be known; empty without any.
    most_late : sequence of float
        Requests that each limit of the latency allows to be late. [requests]
    late_shares : sequence of float, shape (n_latencies * N_BINS,)
        Part of the requests at each utilization that is late, one latency after the other. [1]
    most_billed_s : sequence of float
        Task-seconds that may have been billed at each look. [task-s]
    """

    requests_per_s: Any
    whole: Any
    real: Any
    ready_wait_s: Any
    policy_whole: Any
    policy_real: Any
    step_bounds: Any
    step_changes: Any
    bounds: Any
    deployments: Any
    zone_losses: Any
    shortages: Any
    thresholds: Any
    stop_at: Any
    most_late: Any
    late_shares: Any
    most_billed_s: Any


class Scratch(NamedTuple):
    """What the loop keeps in mind; zeros at first unless said otherwise.

    Parameters
    ----------
    state : sequence of int
        What moves only when something happens.
    sums : sequence of int
        Sums of the step, by the tasks' second of start and stop.
    ring : sequence of int
        By how much the sums change from each coming step to the next, and whether any does; room for a power of two of steps.
    stack : sequence of int
        Of each task the seconds from which it is billed, running and healthy; those of the first tasks long ago. [s]
    bucket : sequence of float, shape (1,)
        When the bucket of launches is ready; minus infinity at first. [s]
    metrics : sequence of float
        Datapoints of each policy, room for a power of two of them. In the loop of one CPU policy, datapoints that are to be acted on: work
        and what was provided for it, negative for AlarmLow.
    alarm_whole, alarm_real : sequence of int, of float
        The alarms, and what was remembered of each policy's activities.
    period : sequence of float
        Sums since a period of several steps began.
    """

    state: Any
    sums: Any
    ring: Any
    stack: Any
    bucket: Any
    metrics: Any
    alarm_whole: Any
    alarm_real: Any
    period: Any


class Filled(NamedTuple):
    """What the loop fills in; zeros at first.

    Parameters
    ----------
    totals : sequence of float
        Totals of the recorded steps.
    utilization_histogram : sequence of float, shape (N_BINS,)
        Requests by utilization. [requests]
    wait_histogram : sequence of float, shape (N_WAIT_BINS + 1,)
        Requests by waiting time; the last has those refused. [requests]
    hours : sequence of float
        Billed task-seconds of each hour, and of them Spot's; empty if not asked for. [task-s]
    series_whole, series_real : sequence of int, of float
        Figures of each recorded step, step by step; empty if not asked for.
    """

    totals: Any
    utilization_histogram: Any
    wait_histogram: Any
    hours: Any
    series_whole: Any
    series_real: Any


# Parameters that are whole numbers, and those that are not.
(
    RECORD_FROM, STEP_S, MIN_CAPACITY, MAX_CAPACITY, MAX_TASKS, UNBILLED_S, RUNNING_AFTER_S, DRAIN_S, MINIMUM_BILLED_S,
    SPOT_BASE, SPOT_WARNING_S, ZONES, ZONE_DETECTION_S, ALARM_REINVOCATION, MEAN_OF_DATAPOINTS, ZERO_REQUESTS_REPORTED, N_POLICIES, END_S,
) = range(18)  # fmt: skip
N_WHOLE = 18
(
    CPU_S_PER_REQUEST, TASK_VCPU, TASK_MEMORY_MIB, TASK_REQUESTS_PER_S, BASELINE_MEMORY_MIB, MEMORY_MIB_PER_REQUEST, RESIDENCE_S,
    QUEUE_PER_TASK, QUEUE_TIMEOUT_S, SLOW_UTILIZATION, LAUNCH_BURST, LAUNCH_PER_S, SPOT_SHARE, SPOT_INTERRUPTIONS, SCALE_IN_STEP_PERCENT,
) = range(15)  # fmt: skip
N_REAL = 15

# Limits beyond which a course is not followed further.
MOST_STEPS_OVER, MOST_SLOW_STEPS, MOST_REFUSED, SPOT_WEIGHT, LOOK_EVERY = range(5)
N_STOP_AT = 5

# Of each policy.
(
    KIND, METRIC, PERIOD_STEPS, PERIOD_S, LAG_STEPS, OFFSET_S, DISABLE_SCALE_IN, SCALE_OUT_DATAPOINTS, SCALE_IN_DATAPOINTS,
    SCALE_OUT_COOLDOWN_S, SCALE_IN_COOLDOWN_S, UPWARD, DATAPOINTS_TO_ALARM, EVALUATION_PERIODS, ADJUSTMENT_TYPE,
    MIN_ADJUSTMENT_MAGNITUDE, FIRST_STEP, LAST_STEP, ORDER, WITH_NEXT,
) = range(20)  # fmt: skip
N_POLICY_WHOLE = 20
TARGET, LOW_THRESHOLD = range(2)  # of target tracking; of step scaling the first is the threshold
N_POLICY_REAL = 2
CPU, MEMORY, REQUESTS = range(3)

# Of each policy's alarms, as they move: whole numbers, and the values that it would act on.
(
    NEXT_DUE, MADE, KNOWN, HIGH_RUN, LOW_RUN, HISTORY, BREACHES, IN_ALARM, LOOKED_AT, ACTS_OUT, ACTS_IN, BASE, SCALE_OUT_END,
) = range(13)  # fmt: skip
N_ALARM_WHOLE = 13
OUT_VALUE, IN_VALUE = range(2)
N_ALARM_REAL = 2

# What moves only when something happens. No change of the sums lies at or after the step RING_END, and nothing that waits to be acted on
# becomes known after the step KNOWN_UNTIL, of AlarmHigh after HIGH_KNOWN_UNTIL.
(
    COUNT, DESIRED, LOW, HIGH, MOVED_BY, LAUNCHES, SETTLED, RING_STEPS, RING_END, KNOWN_UNTIL, SCALE_IN_END, NEXT_BOUNDS, NEXT_DEPLOYMENT,
    DEPLOYMENT_END, WAVE_AT, WAVE_SIZE, WAVE_STOPPED, WAVE_DONE, WAVE_LEFT, NEXT_ZONE_LOSS, FIRST_SHORTAGE, NEXT_THRESHOLD,
    METRIC_PLACES, HOUR, HOUR_END, LOST, LOST_UNTIL, NEXT_LOOK, LOOKS, HIGH_KNOWN_UNTIL,
) = range(30)  # fmt: skip
N_STATE = 30
#: No instant of a simulation is as late. [s]
NEVER_S = 2**60

# Sums of a step, the last two of Fargate Spot alone, and those since a period began.
BILLED, RUNNING, HEALTHY, PENDING, DRAINING, SPOT_BILLED, SPOT_RUNNING = range(7)
N_SUMS = 7
N_SUMS_WITHOUT_SPOT = 5
# A step of the ring: what each sum changes by, and whether any does.
CHANGES = 7
N_RING = 8
(
    PERIOD_LENGTH, PERIOD_STEPS_SEEN, PERIOD_SERVED, PERIOD_ARRIVALS, PERIOD_RUNNING_S, PERIOD_HEALTHY_S, PERIOD_IN_FLIGHT_S,
) = range(7)  # fmt: skip
N_PERIOD = 7

# Deployments.
ROLLING, SHIFTED = range(2)
N_DEPLOYMENT = 6
N_BOUNDS = 4

# Totals, and the figures of a step.
(
    BILLED_TASK_S, SPOT_BILLED_TASK_S, RUNNING_TASK_S, LAUNCHED, REMOVED, STEPS_OVER_CAPACITY, SLOW_STEPS, REFUSED_REQUESTS,
    PEAK_DESIRED_COUNT, PEAK_UTILIZATION, PEAK_QUEUE, INTERRUPTIONS, STUCK_DEPLOYMENTS, REPLACED,
) = range(14)  # fmt: skip
N_TOTALS = 14
N_SERIES_WHOLE = 7  # desired_count, running_s, healthy_s, pending_s, billed_s, draining_s, moved_by
N_SERIES_REAL = 5  # spot_billed_s, served, refused, queue, utilization; then the policies' datapoints
NOBODY, MOVED_BY_BOUNDS = -1, -2

N_BINS = 512
N_WAIT_BINS = 176
