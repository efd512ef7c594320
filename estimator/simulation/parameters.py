"""Places of the numbers that the time loop reads and writes; one row of whole numbers and one of others for each candidate."""

# Parameters that are whole numbers, and those that are not.
(
    RECORD_FROM, STEP_S, MIN_CAPACITY, MAX_CAPACITY, MAX_TASKS, UNBILLED_S, RUNNING_AFTER_S, LONGEST_WAIT_S, DRAIN_S, MINIMUM_BILLED_S,
    SPOT_BASE, SPOT_WARNING_S, ZONES, ZONE_DETECTION_S, SCALE_OUT_DATAPOINTS, SCALE_IN_DATAPOINTS, ALARM_REINVOCATION,
    MEAN_OF_DATAPOINTS, N_POLICIES, END_S, STEPS_AHEAD,
) = range(21)  # fmt: skip
N_WHOLE = 21
(
    CPU_S_PER_REQUEST, TASK_VCPU, TASK_MEMORY_MIB, TASK_REQUESTS_PER_S, BASELINE_MEMORY_MIB, MEMORY_MIB_PER_REQUEST, RESIDENCE_S,
    QUEUE_PER_TASK, QUEUE_TIMEOUT_S, SLOW_UTILIZATION, LAUNCH_BURST, LAUNCH_PER_S, SPOT_SHARE, SPOT_INTERRUPTIONS, SCALE_IN_STEP_PERCENT,
) = range(15)  # fmt: skip
N_REAL = 15

# Of each policy.
(
    KIND, METRIC, PERIOD_STEPS, PERIOD_S, LAG_STEPS, OFFSET_S, DISABLE_SCALE_IN, SCALE_OUT_COOLDOWN_S, SCALE_IN_COOLDOWN_S, UPWARD,
    DATAPOINTS_TO_ALARM, EVALUATION_PERIODS, ADJUSTMENT_TYPE, MIN_ADJUSTMENT_MAGNITUDE, FIRST_STEP, LAST_STEP, ORDER,
    WITH_NEXT,
) = range(18)  # fmt: skip
N_POLICY_WHOLE = 18
TARGET, LOW_THRESHOLD = range(2)  # of target tracking; of step scaling the first is the threshold
N_POLICY_REAL = 2
CPU, MEMORY, REQUESTS = range(3)

# Of each policy's alarms, as they move: whole numbers, and the values that it would act on.
(
    NEXT_DUE, MADE, KNOWN, HIGH_RUN, LOW_RUN, HISTORY, BREACHES, IN_ALARM, IS_NEWS, ACTS_OUT, ACTS_IN, BASE, SCALE_OUT_END,
) = range(13)  # fmt: skip
N_ALARM_WHOLE = 13
OUT_VALUE, IN_VALUE = range(2)
N_ALARM_REAL = 2

# What moves only when something happens.
(
    LAUNCHES, FIRST_SHORTAGE, DEPLOYMENT_END, WAVE_AT, WAVE_SIZE, WAVE_STOPPED, WAVE_LEFT, SCALE_IN_END, MOVED_BY, FURTHEST_S,
    SETTLED,
) = range(11)  # fmt: skip
N_STATE = 11
#: No instant of a simulation is as late. [s]
NEVER_S = 2**60

# Sums of a step.
BILLED, RUNNING, HEALTHY, PENDING = range(4)

# Deployments.
ROLLING, SHIFTED = range(2)
N_DEPLOYMENT = 6

# Totals, and the figures of a step.
(
    BILLED_TASK_S, SPOT_BILLED_TASK_S, RUNNING_TASK_S, LAUNCHED, REMOVED, STEPS_OVER_CAPACITY, SLOW_STEPS, REFUSED_REQUESTS,
    PEAK_DESIRED_COUNT, PEAK_UTILIZATION, PEAK_QUEUE, INTERRUPTIONS, STUCK_DEPLOYMENTS,
) = range(13)  # fmt: skip
N_TOTALS = 13
N_SERIES_WHOLE = 6  # desired_count, running_s, healthy_s, pending_s, billed_s, moved_by
N_SERIES_REAL = 4  # served, refused, queue, utilization; then the policies' datapoints
NOBODY, MOVED_BY_BOUNDS = -1, -2

N_BINS = 512
N_WAIT_BINS = 128
