"""The reference simulation: docs/simulation.md once more, slowly and obviously.

The compiled kernel is held equal to this program. It shares nothing with the kernel: it imports only the standard
library, every task is an object, every datapoint is kept, and the seconds of a step are the overlap of the step with
each task's intervals. "Rule n" is rule n of docs/simulation.md.

An interval `[start, end)` holds the whole seconds `start, start + 1, ..., end - 1`. "Since ever" is `-inf`, "not yet
ended" is `inf`. A missing datapoint is `None` inside and nan in the result.

`Simulation.seen` counts what happened on the way (a launch that waited for the bucket, a scale-in that a deployment
blocked, ...). Nothing in the simulation depends on it; the tests ask it whether the scenarios are lively.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

EVER = -math.inf
OPEN = math.inf

UTILIZATION_BINS = 512  # rule 30
WAIT_BINS = 176  # rule 30

MOVED_BY_NONE = -1  # rule 28
MOVED_BY_BOUNDS = -2


@dataclass(frozen=True)
class ReferencePolicy:
    """One scaling policy (rules 17 to 21)."""

    kind: str  # "target_tracking" or "step"
    metric: str  # "cpu", "memory" or "requests"
    period_s: int
    lag_s: int
    # Target tracking.
    target_value: float
    disable_scale_in: bool
    scale_out_datapoints: int
    scale_in_datapoints: int
    low_factor: float
    # Both kinds.
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    # Step scaling.
    threshold: float
    direction: str  # "up" or "down"
    datapoints_to_alarm: int
    evaluation_periods: int
    steps: tuple[tuple[float, float, int], ...]  # (lower, upper, adjustment), bounds relative to the threshold
    adjustment_type: str  # "ChangeInCapacity", "PercentChangeInCapacity" or "ExactCapacity"
    min_adjustment_magnitude: int


@dataclass(frozen=True)
class ReferenceInputs:
    """What is simulated: the load by step (warm-up included), the application, the policies and the behavior of AWS."""

    # Rules 1 to 3.
    requests_per_s: Sequence[float]
    record_from: int
    step_s: int
    # The application (rules 13 to 17).
    cpu_s_per_request: float
    task_vcpu: float
    task_memory_mib: float
    task_requests_per_s: float
    baseline_memory_mib: float
    memory_mib_per_request: float
    residence_s: float
    queue_per_task: float
    queue_timeout_s: float
    slow_utilization: float
    # The service and the life of its tasks (rules 5 to 10).
    min_capacity: int
    max_capacity: int
    max_tasks: int
    unbilled_s: int
    running_after_s: int
    ready_wait_s: Sequence[int]
    drain_s: int
    minimum_billed_s: int
    launch_burst: int
    launch_per_s: float
    # Fargate Spot (rules 8, 25 and 26).
    spot_base: int
    spot_share: float
    spot_interruptions_per_task_hour: float
    spot_warning_s: int
    shortages: tuple[tuple[int, int], ...]  # [a, b) in seconds
    thresholds: Sequence[float]
    # What is scheduled (rules 22 to 24).
    zones: int
    zone_detection_s: int
    zone_losses: tuple[int, ...]  # steps
    bounds: tuple[tuple[int, int, int, int], ...]  # (step, low, high, floor)
    # (step, "rolling" or "shifted", minimum_percent, maximum_percent, shift_s, bake_s)
    deployments: tuple[tuple[int, str, float, float, int, int], ...]
    # Scaling (rules 17 to 21).
    policies: tuple[ReferencePolicy, ...]
    scale_in_step_percent: float
    alarm_reinvocation: bool
    mean_of_datapoints: bool
    zero_requests_reported: bool


@dataclass(frozen=True)
class ReferenceResult:
    """What is recorded from step `record_from` on (rules 28 to 30)."""

    # One value for each recorded step (rule 28).
    desired_count: list[int]
    running_s: list[int]
    healthy_s: list[int]
    pending_s: list[int]
    billed_s: list[int]
    draining_s: list[int]
    spot_billed_s: list[int]
    served: list[float]
    refused: list[float]
    queue: list[float]
    utilization: list[float]
    datapoints: list[list[float]]  # one list for each policy; a missing datapoint is nan
    moved_by: list[int]
    # Totals over the recorded steps (rule 29).
    billed_task_s: int
    spot_task_s: int
    running_task_s: int
    launched: int
    removed: int
    replaced: int
    steps_over_capacity: int
    slow_steps: int
    refused_requests: float
    peak_desired_count: int
    peak_utilization: float
    peak_queue: float
    interruptions: int
    stuck_deployments: int
    # Of these totals, the part of each hour; the last hour may have fewer steps (rule 29).
    billed_s_by_hour: list[int]
    spot_billed_s_by_hour: list[int]
    # Requests by utilization, by waiting time, and those refused (rule 30).
    histogram: list[float]
    wait_histogram: list[float]
    refused_bin: float


# --- Sums and intervals -----------------------------------------------------------------------------------------------


def added(values: Iterable[float]) -> float:
    """One after the other; Python's own sum() corrects rounding errors, which the formulas do not ask for."""
    total = 0.0
    for value in values:
        total += value
    return total


def overlap(a_start: float, a_end: float, b_start: int, b_end: int) -> int:
    """Seconds that two intervals have in common."""
    return int(max(0, min(a_end, b_end) - max(a_start, b_start)))


@dataclass(frozen=True)
class Adjustment:
    """Rule 12: `tasks` more (or, if negative, fewer) in one of the sums of rule 11, over [start, end)."""

    of: str  # "billed", "running", "healthy", "pending" or "draining"
    tasks: int
    spot: int  # how many of them are Spot; only for "billed"
    start: int
    end: int

    def seconds(self, start: int, end: int) -> int:
        return self.tasks * overlap(self.start, self.end, start, end)

    def spot_seconds(self, start: int, end: int) -> int:
        return self.spot * overlap(self.start, self.end, start, end)


# --- Tasks ------------------------------------------------------------------------------------------------------------


@dataclass
class Task:
    """One task with the instants of its life, in seconds since second 0."""

    pending_from: float  # the `t` of rule 6
    takes_place_at: float  # the `s` of rule 6
    billed_from: float
    running_at: float
    healthy_at: float
    spot: bool = False  # rule 8
    replacement: bool = False  # of an interrupted task (rule 26); only for the tests of the scenarios
    removed_at: float = OPEN
    drains_until: float = OPEN
    billed_until: float = OPEN

    @classmethod
    def present_from_the_start(cls, spot: bool) -> "Task":
        """Rule 5: billed, running and healthy since before second 0."""
        return cls(
            pending_from=EVER, takes_place_at=EVER, billed_from=EVER, running_at=EVER, healthy_at=EVER, spot=spot
        )

    @classmethod
    def launched(cls, t: int, s: int, wait: int, spot: bool, inputs: ReferenceInputs) -> "Task":
        """Rule 6: a launch at second `t` that takes place at second `s`."""
        return cls(
            pending_from=t,
            takes_place_at=s,
            billed_from=s + inputs.unbilled_s,
            running_at=s + inputs.running_after_s,
            healthy_at=s + inputs.running_after_s + wait,
            spot=spot,
        )

    def is_running(self, t: int) -> bool:
        """Rules 10 and 18: from second `running_at`, that second included, to the removal, that second not included."""
        return self.running_at <= t < self.removed_at

    def remove(self, t: int, drain_s: int, minimum_billed_s: int) -> None:
        """Rules 10 and 11."""
        self.removed_at = t
        if t <= self.billed_from:
            # Its billing would start now or later: it is never billed, and so it does not drain (rule 11).
            self.drains_until = t
            self.billed_until = self.billed_from
            return
        was_healthy = self.healthy_at <= t
        self.drains_until = t + drain_s if was_healthy else t
        self.billed_until = max(self.drains_until, self.billed_from + minimum_billed_s)

    def interrupt(self, t: int, warning_s: int, minimum_billed_s: int) -> None:
        """Rule 26: it runs, healthy or not; it drains for the time of the warning and is billed until then."""
        self.removed_at = t
        self.drains_until = t + warning_s
        self.billed_until = max(self.drains_until, self.billed_from + minimum_billed_s)

    # Rule 11: the seconds of this task inside [start, end).

    def running_seconds(self, start: int, end: int) -> int:
        return overlap(self.running_at, self.removed_at, start, end)

    def healthy_seconds(self, start: int, end: int) -> int:
        return overlap(self.healthy_at, self.removed_at, start, end)

    def pending_seconds(self, start: int, end: int) -> int:
        return overlap(self.pending_from, min(self.running_at, self.removed_at), start, end)

    def billed_seconds(self, start: int, end: int) -> int:
        return overlap(self.billed_from, self.billed_until, start, end)

    def draining_seconds(self, start: int, end: int) -> int:
        return overlap(self.removed_at, self.drains_until, start, end)


@dataclass
class LaunchBucket:
    """Rule 6: the launch rate, `per_s` with a burst of `burst`; 0 per second is no limit."""

    burst: int
    per_s: float
    ready: float = EVER

    def take(self, t: int) -> int:
        """The second at which a launch asked for at second `t` takes place."""
        if self.per_s == 0:
            return t
        s = t
        if self.ready != EVER:
            s = max(t, math.ceil(self.ready - (self.burst - 1) / self.per_s - 1e-9))
        self.ready = max(self.ready, t) + 1 / self.per_s
        return s

    def give_back(self) -> None:
        """A launch that is removed before it takes place gives its place back."""
        if self.per_s != 0:
            self.ready = self.ready - 1 / self.per_s


def spot_tasks(n: int, inputs: ReferenceInputs) -> int:
    """Rule 8: how many of `n` tasks are Fargate Spot."""
    if n <= inputs.spot_base:
        return 0
    return math.floor((n - inputs.spot_base) * inputs.spot_share + 1e-9)


def is_spot(place: int, inputs: ReferenceInputs) -> bool:
    """Rule 8: whether the task at `place` of the stack, from 1, is Fargate Spot."""
    return spot_tasks(place, inputs) > spot_tasks(place - 1, inputs)


def spot_from_place(first: int, n: int, inputs: ReferenceInputs) -> int:
    """Rule 23: how many of the `n` tasks from place `first` of the stack on are Fargate Spot."""
    return sum(is_spot(place, inputs) for place in range(first, first + n))


def end_of_shortage(s: int, inputs: ReferenceInputs) -> int:
    """Rules 6, 25 and 26: the second `s`, or the end of the shortage that it lies in."""
    for a, b in inputs.shortages:
        if a <= s < b:
            return b
    return s


# --- Requests ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Requests:
    """Rules 13 to 16: what became of the requests of one step."""

    arrivals: float
    old_queue: float
    capacity: float
    offered: float
    served: float
    refused: float
    queue: float
    utilization: float
    over_capacity: bool
    slow: bool


def serve(arrivals: float, old_queue: float, healthy_s: int, inputs: ReferenceInputs) -> Requests:
    """Rules 13 to 16."""
    capacity = healthy_s * inputs.task_requests_per_s
    offered = old_queue + arrivals
    served = min(offered, capacity)
    rest = offered - served
    room = min(
        inputs.queue_per_task * healthy_s / inputs.step_s,
        inputs.queue_timeout_s * capacity / inputs.step_s,
    )
    refused = max(0.0, rest - room)
    over_capacity = offered > capacity * (1 + 1e-9)
    if offered == 0:
        utilization = 0.0
    elif capacity == 0:
        utilization = math.inf
    else:
        utilization = offered / capacity
    return Requests(
        arrivals=arrivals,
        old_queue=old_queue,
        capacity=capacity,
        offered=offered,
        served=served,
        refused=refused,
        queue=rest - refused,
        utilization=utilization,
        over_capacity=over_capacity,
        slow=over_capacity
        or utilization > inputs.slow_utilization
        or (inputs.slow_utilization < math.inf and (old_queue > 0 or rest - refused > 0)),
    )


# --- Steps and datapoints ---------------------------------------------------------------------------------------------


@dataclass
class Step:
    """All that happened in one step."""

    # The sums of rule 11, with the adjustments of rule 12.
    running_s: int
    healthy_s: int
    pending_s: int
    billed_s: int
    draining_s: int
    spot_billed_s: int  # rule 28
    requests: Requests
    # At the end of the step.
    desired_count: int
    count: int
    # In the step.
    moved_by: int
    launched: int
    removed: int
    replaced: int
    interruptions: int
    stuck_deployments: int
    # Of each policy, the datapoint of the period that ends with this step.
    datapoints: list[float | None] = field(default_factory=list)


def datapoint(metric: str, period_s: int, steps: Sequence[Step], inputs: ReferenceInputs) -> float | None:
    """Rule 17: the datapoint of the period that consists of these steps; `None` if it is missing."""
    served = added(step.requests.served for step in steps)
    arrivals = added(step.requests.arrivals for step in steps)
    running_s = sum(step.running_s for step in steps)
    healthy_s = sum(step.healthy_s for step in steps)
    if metric == "cpu":
        if running_s == 0:
            return None
        return rounded(min(100.0, 100 * served * inputs.cpu_s_per_request / (running_s * inputs.task_vcpu)))
    if metric == "memory":
        if running_s == 0:
            return None
        in_flight_s = added(in_flight_seconds(step.requests, inputs) for step in steps)
        used = running_s * inputs.baseline_memory_mib + in_flight_s * inputs.memory_mib_per_request
        return rounded(min(100.0, 100 * used / (running_s * inputs.task_memory_mib)))
    assert metric == "requests"
    targets_s = healthy_s if healthy_s != 0 else running_s
    if targets_s == 0:
        return None
    if arrivals == 0:
        return 0.0 if inputs.zero_requests_reported else None
    return rounded(arrivals * period_s / targets_s)


def in_flight_seconds(requests: Requests, inputs: ReferenceInputs) -> float:
    """Rule 17: request-seconds in which requests are processed or wait."""
    return requests.served * inputs.residence_s + inputs.step_s * (requests.old_queue + requests.queue) / 2


def rounded(x: float) -> float:
    """Rule 17: whole millionths, a half to the even one (Python's round() of a number without digits)."""
    return round(x * 1e6) / 1e6


# --- Alarms -----------------------------------------------------------------------------------------------------------


@dataclass
class Alarm:
    """Rule 19: in ALARM if at least `needed` of the newest `window` datapoints breach."""

    breaches: Callable[[float], bool]
    needed: int
    window: int
    reinvocation: bool
    datapoints: list[float | None] = field(default_factory=list)
    in_alarm: bool = False
    acts: bool = False  # with the newest datapoint

    def receive(self, value: float | None) -> None:
        was_in_alarm = self.in_alarm
        self.datapoints.append(value)
        self.in_alarm = sum(m is not None and self.breaches(m) for m in self.newest()) >= self.needed
        self.acts = self.in_alarm and value is not None and (self.reinvocation or not was_in_alarm)

    def newest(self) -> list[float | None]:
        """The newest `window` datapoints, from the oldest to the newest; fewer if fewer are known."""
        return self.datapoints[-self.window :]

    def measured(self, mean_of_datapoints: bool) -> float:
        """Rule 20: the `m` of a decision."""
        if not mean_of_datapoints:
            newest = self.datapoints[-1]
            assert newest is not None
            return newest
        there = [m for m in self.newest() if m is not None]
        return added(there) / len(there)


# --- Policies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Want:
    """Rule 20: what a policy wants, clamped to the bounds in force, and the base that it was computed with."""

    policy: "TargetTracking | StepScaling"
    tasks: int
    base: int


class Policy:
    """What both kinds have: the scale-out cooldown and the base that is remembered in it (rules 20 and 21)."""

    def __init__(self, number: int, policy: ReferencePolicy, inputs: ReferenceInputs) -> None:
        self.number = number
        self.policy = policy
        self.inputs = inputs
        self.scale_out_cooldown_ends_at = EVER
        self.remembered_base = 0

    def base(self, t: int, running: int) -> int:
        """Rule 20: the running tasks, or during the scale-out cooldown the base of the activity that started it."""
        return self.remembered_base if t < self.scale_out_cooldown_ends_at else running

    def knows_at(self, t: int) -> int | None:
        """Rule 18: the period whose datapoint becomes known at second `t`, if there is one."""
        end = t - self.policy.lag_s
        if end > 0 and end % self.policy.period_s == 0:
            return end // self.policy.period_s - 1
        return None


class TargetTracking(Policy):
    """Rules 19 and 20, target tracking."""

    def __init__(self, number: int, policy: ReferencePolicy, inputs: ReferenceInputs) -> None:
        super().__init__(number, policy, inputs)
        target = policy.target_value
        low = rounded(policy.low_factor * target)
        n_out, n_in = policy.scale_out_datapoints, policy.scale_in_datapoints
        self.alarm_high = Alarm(lambda m: m > target, n_out, n_out, inputs.alarm_reinvocation)
        self.alarm_low = Alarm(lambda m: m < low, n_in, n_in, inputs.alarm_reinvocation)

    def receive(self, value: float | None) -> None:
        self.alarm_high.receive(value)
        self.alarm_low.receive(value)

    def want_out(self, t: int, running: int, clamp: Callable[[int], int]) -> Want | None:
        """Rule 20, AlarmHigh."""
        if not self.alarm_high.acts:
            return None
        m = self.alarm_high.measured(self.inputs.mean_of_datapoints)
        base = self.base(t, running)
        return Want(self, clamp(math.ceil(base * (m - 1e-6) / self.policy.target_value)), base)

    def want_in(self, running: int, clamp: Callable[[int], int]) -> Want | None:
        """Rule 20, AlarmLow."""
        if not self.alarm_low.acts:
            return None
        m = self.alarm_low.measured(self.inputs.mean_of_datapoints)
        want = math.ceil(running * (m - 1e-6) / self.policy.target_value)
        if want >= running:
            return None
        largest_step = max(1, math.floor(running * self.inputs.scale_in_step_percent / 100 + 1e-9))
        return Want(self, clamp(max(want, running - largest_step)), running)


class StepScaling(Policy):
    """Rules 19 and 20, step scaling."""

    def __init__(self, number: int, policy: ReferencePolicy, inputs: ReferenceInputs) -> None:
        super().__init__(number, policy, inputs)
        assert policy.direction in ("up", "down")
        threshold = policy.threshold
        self.up = policy.direction == "up"
        breaches = (lambda m: m >= threshold) if self.up else (lambda m: m <= threshold)
        self.alarm = Alarm(breaches, policy.datapoints_to_alarm, policy.evaluation_periods, inputs.alarm_reinvocation)

    def receive(self, value: float | None) -> None:
        self.alarm.receive(value)

    def adjustment(self, x: float) -> int | None:
        """Rule 20: the adjustment of the step that `x` lies in."""
        for lower, upper, change in self.policy.steps:
            if (lower <= x < upper) if self.up else (lower < x <= upper):
                return change
        return None

    def want(self, t: int, running: int, desired: int, clamp: Callable[[int], int]) -> Want | None:
        """Rule 20, step scaling."""
        if not self.alarm.acts:
            return None
        change = self.adjustment(self.alarm.measured(self.inputs.mean_of_datapoints) - self.policy.threshold)
        if change is None:
            return None
        kind = self.policy.adjustment_type
        if kind == "ExactCapacity":
            return Want(self, clamp(change), self.base(t, running))
        base = self.base(t, running) if change > 0 else running
        if kind == "PercentChangeInCapacity":
            change = percent_change(base, change, self.policy.min_adjustment_magnitude)
        else:
            assert kind == "ChangeInCapacity"
        want = clamp(base + change)
        wrong_way = want < desired if change > 0 else want > desired
        return None if change == 0 or wrong_way else Want(self, want, base)


def percent_change(base: int, percent: int, magnitude: int) -> int:
    """Rule 20: so many tasks more or fewer than `base`."""
    exact = base * percent / 100
    if exact >= 1:
        d = math.floor(exact + 1e-9)
    elif exact > 0:
        d = 1
    elif exact == 0:
        d = 0
    elif exact > -1:
        d = -1
    else:
        d = math.ceil(exact - 1e-9)
    if 0 < abs(d) < magnitude:
        d = magnitude if d > 0 else -magnitude
    return d


# --- The run ----------------------------------------------------------------------------------------------------------


@dataclass
class Waves:
    """Rule 23: the waves of a rolling deployment that have not begun yet."""

    tasks: int  # the `D` of the rule
    at_a_time: int  # `b`
    stopped_first: int  # `down`
    next_wave: int  # the `v` of the next wave
    next_wave_at: int  # its `u`

    @property
    def number(self) -> int:
        return math.ceil(self.tasks / self.at_a_time)


class Simulation:
    """The service, what happens to it, and all that happened."""

    def __init__(self, inputs: ReferenceInputs) -> None:
        self.inputs = inputs
        # Rules 5, 7 and 8. The stack: the task at place 1 is the first one.
        self.stack = [
            Task.present_from_the_start(is_spot(place, inputs))
            for place in range(1, min(inputs.min_capacity, inputs.max_tasks) + 1)
        ]
        self.removed_tasks: list[Task] = []
        self.desired_count = max(1, inputs.min_capacity)
        self.next_launch = 0  # the `i` of rule 6
        self.bucket = LaunchBucket(inputs.launch_burst, inputs.launch_per_s)
        self.adjustments: list[Adjustment] = []
        # Rule 22.
        self.low, self.high, self.floor = inputs.min_capacity, inputs.max_capacity, 0
        # Rules 21 and 23.
        self.scale_in_cooldown_ends_at = EVER
        self.lost, self.lost_until = 0, EVER
        self.waves_to_come: Waves | None = None
        self.deployment_ends_at = EVER  # if no waves are to come
        # Rule 26.
        self.exposure = 0.0
        self.thresholds_reached = 0
        self.interruptions_due = 0
        # Rule 17.
        self.policies = [
            (TargetTracking if policy.kind == "target_tracking" else StepScaling)(number, policy, inputs)
            for number, policy in enumerate(inputs.policies)
        ]
        self.queue = 0.0
        self.steps: list[Step] = []
        # What happened in the step at hand.
        self.moved_by = MOVED_BY_NONE
        self.launched = self.removed = self.replaced = self.interruptions = self.stuck_deployments = 0
        # Only for the tests of the scenarios.
        self.seen: Counter[str] = Counter()

    # Tasks

    @property
    def count(self) -> int:
        """Rule 5: the height of the stack."""
        return len(self.stack)

    def running_count(self, t: int) -> int:
        """Rule 18."""
        lost = self.lost if t < self.lost_until else 0
        return max(0, sum(task.is_running(t) for task in self.stack) - lost)

    def next_wait(self) -> int:
        """Rule 6: the `w` of the next launch."""
        waits = self.inputs.ready_wait_s
        wait = waits[self.next_launch % len(waits)]
        self.next_launch += 1
        return wait

    def launch(self, number: int, t: int) -> None:
        """Rules 6 and 7: launch `number` tasks, or as many as fit, at second `t`."""
        for _ in range(number):
            if self.count >= self.inputs.max_tasks:
                self.seen["launch does not fit"] += 1
                return
            s = self.bucket.take(t)
            self.seen["launch waits for the bucket"] += s > t
            spot = is_spot(self.count + 1, self.inputs)
            if spot:
                before = s
                s = end_of_shortage(s, self.inputs)
                self.seen["launch waits for the end of a shortage"] += s > before
                self.seen["launch waits for the bucket and a shortage"] += s > before > t
            self.stack.append(Task.launched(t, s, self.next_wait(), spot, self.inputs))
            self.launched += 1

    def remove_surplus(self, t: int) -> None:
        """Rules 9, 10 and 21: remove tasks from the top of the stack until `count <= desired_count`."""
        while self.count > self.desired_count:
            task = self.stack.pop()
            if t < task.takes_place_at:  # also a replacement (rule 6), though it was launched outside the bucket
                self.bucket.give_back()
                self.seen["a place in the bucket is given back"] += 1
            task.remove(t, self.inputs.drain_s, self.inputs.minimum_billed_s)
            self.removed_tasks.append(task)
            self.removed += 1
            self.seen["removed before its billing"] += task.billed_until == task.billed_from
            self.seen["removed in the second it is healthy and billed from"] += task.billed_from == task.healthy_at == t
            self.seen["removed before it runs"] += t < task.running_at
            self.seen["removed running, not healthy"] += task.running_at <= t < task.healthy_at
            self.seen["removed healthy"] += task.healthy_at <= t
            self.seen["removed within its minimum billing"] += task.billed_from < task.drains_until < task.billed_until
            self.seen["drains, then is billed on"] += t < task.drains_until < task.billed_until
            self.seen["Spot and drains"] += task.spot and t < task.drains_until
            self.seen["On-Demand and drains beside Spot"] += (
                not task.spot and t < task.drains_until and spot_tasks(self.count, self.inputs) > 0
            )
            self.seen["a replacement is removed before it takes place"] += task.replacement and t < task.takes_place_at

    def adjust(self, of: str, tasks: int, start: int, end: int, spot: int = 0) -> None:
        """Rule 12: `tasks` tasks, `spot` of them Fargate Spot."""
        self.adjustments.append(Adjustment(of, tasks, spot, start, end))

    def ready_s(self, n: int) -> int:
        """Rule 23: from the start of `n` tasks until the slowest of them is healthy."""
        waits = [self.next_wait() for _ in range(n)]
        self.seen["tasks of a deployment with different waits"] += len(set(waits)) > 1
        return self.inputs.running_after_s + max(waits, default=0)

    # What is scheduled

    def interrupt(self, t: int) -> None:
        """Rule 26: one interruption at second `t`, of the topmost Spot task that runs, if there is one."""
        places = [place for place, task in enumerate(self.stack) if task.spot and task.running_at <= t]
        if not places:
            self.seen["an interruption finds no Spot task that runs"] += 1
            return
        place = max(places)
        task = self.stack[place]
        s = end_of_shortage(t, self.inputs)
        replacement = Task.launched(t, s, self.next_wait(), True, self.inputs)
        replacement.replacement = True
        self.stack[place] = replacement
        task.interrupt(t, self.inputs.spot_warning_s, self.inputs.minimum_billed_s)
        self.removed_tasks.append(task)
        self.interruptions += 1
        self.seen["interruption"] += 1
        self.seen["several interruptions at once"] += self.interruptions > 1
        self.seen["interruption in a shortage"] += s > t
        self.seen["interruption of a task that is not healthy"] += t < task.healthy_at
        self.seen["interruption below the top of the stack"] += place + 1 < self.count
        self.seen["interruption below a Spot task"] += any(above.spot for above in self.stack[place + 1 :])
        self.seen["interruption of a replacement"] += task.replacement
        self.seen["interrupted, drains, then is billed on"] += task.drains_until < task.billed_until

    def lower_bound(self) -> int:
        """Rule 22: the lower bound in force."""
        return max(self.low, min(self.floor, self.high))

    def clamp(self, want: int) -> int:
        """Rule 20: to the bounds in force."""
        return min(max(want, self.lower_bound()), self.high)

    def change_bounds(self, low: int, high: int, floor: int, t: int) -> None:
        """Rule 22."""
        self.low, self.high, self.floor = low, high, floor
        if self.desired_count < self.lower_bound():
            difference = self.lower_bound() - self.desired_count
            self.desired_count += difference
            self.launch(difference, t)
            self.moved_by = MOVED_BY_BOUNDS
            self.seen["bounds raise the count"] += 1
            self.seen["a predictive floor raises the count"] += self.lower_bound() > low
        elif self.desired_count > self.high:
            self.desired_count = self.high
            self.remove_surplus(t)
            self.moved_by = MOVED_BY_BOUNDS
            self.seen["bounds lower the count"] += 1

    def deployment_goes_on(self, t: int) -> bool:
        """Rule 23: whether the end of a deployment lies after second `t`."""
        return self.waves_to_come is not None or t < self.deployment_ends_at

    def deploy(self, kind: str, minimum: float, maximum: float, shift_s: int, bake_s: int, t: int) -> None:
        """Rule 23."""
        if self.deployment_goes_on(t):
            self.seen["deployment while one is going on"] += 1
            return
        if kind == "rolling":
            self.deploy_rolling(minimum, maximum, t)
        else:
            assert kind == "shifted"
            self.deploy_shifted(shift_s, bake_s, t)

    def deploy_rolling(self, minimum: float, maximum: float, t: int) -> None:
        """Rule 23, rolling: what is replaced at a time; the waves follow in their own steps."""
        d = self.count
        most = math.floor(d * maximum / 100 + 1e-9)
        up = max(0, min(most, self.inputs.max_tasks) - d)
        down = d - math.ceil(d * minimum / 100 - 1e-9)
        b = up + down
        if b < 1:
            self.stuck_deployments += 1
            self.seen["stuck deployment"] += 1
            self.seen["rolling deployment stuck for want of room"] += most > d
            return
        self.waves_to_come = Waves(tasks=d, at_a_time=b, stopped_first=down, next_wave=0, next_wave_at=t)
        self.seen["rolling deployment"] += 1
        self.seen["rolling deployment of several waves"] += self.waves_to_come.number > 1
        self.seen["rolling deployment that stops first"] += down > 0
        self.seen["rolling deployment that starts and stops"] += down > 0 and up > 0
        self.seen["rolling deployment with less room than it asks for"] += most - d > up

    def begin_waves(self, start: int, end: int) -> None:
        """Rule 23: begin the waves whose `u` lies in the step [start, end)."""
        waves_begun = 0
        while self.waves_to_come is not None and self.waves_to_come.next_wave_at < end:
            self.seen["a later wave begins inside a step"] += self.waves_to_come.next_wave_at > start
            self.seen["a later wave begins at the start of a step"] += (
                self.waves_to_come.next_wave > 0 and self.waves_to_come.next_wave_at == start
            )
            self.begin_wave(self.waves_to_come)
            waves_begun += 1
        self.seen["several waves begin in one step"] += waves_begun > 1

    def begin_wave(self, waves: Waves) -> None:
        """Rule 23, rolling: wave `v` at second `u`."""
        unbilled_s, running_after_s, drain_s = self.inputs.unbilled_s, self.inputs.running_after_s, self.inputs.drain_s
        v, u, b = waves.next_wave, waves.next_wave_at, waves.at_a_time
        r = min(b, waves.tasks - v * b)
        x = min(waves.stopped_first, r)
        y = r - x
        first = v * b + 1  # the place of the first task that this wave replaces
        spot_x = spot_from_place(first, x, self.inputs)
        spot_y = spot_from_place(first + x, y, self.inputs)
        ready = self.ready_s(r)
        self.adjust("billed", +y, u + unbilled_s, u + ready + drain_s, spot=+spot_y)
        if u + unbilled_s < u + drain_s:
            self.adjust("billed", +x, u + unbilled_s, u + drain_s, spot=+spot_x)
        else:
            self.adjust("billed", -x, u + drain_s, u + unbilled_s, spot=-spot_x)
        self.adjust("running", +y, u + running_after_s, u + ready)
        self.adjust("running", -x, u, u + running_after_s)
        self.adjust("healthy", -x, u, u + ready)
        self.adjust("draining", +x, u, u + drain_s)
        self.adjust("draining", +y, u + ready, u + ready + drain_s)
        self.replaced += r
        self.seen["a wave replaces tasks of both kinds"] += 0 < spot_x + spot_y < r
        self.seen["a wave stops and starts Spot tasks"] += spot_x > 0 and spot_y > 0
        if v + 1 < waves.number:
            waves.next_wave = v + 1
            waves.next_wave_at = u + ready + drain_s
        else:
            self.waves_to_come = None
            self.deployment_ends_at = u + ready + drain_s

    def deploy_shifted(self, shift_s: int, bake_s: int, t: int) -> None:
        """Rule 23, blue/green, canary and linear."""
        d = self.count
        if 2 * d > self.inputs.max_tasks:
            self.stuck_deployments += 1
            self.seen["stuck deployment"] += 1
            self.seen["shifted deployment stuck for want of room"] += 1
            return
        spot = spot_from_place(1, d, self.inputs)
        e = t + self.ready_s(d) + shift_s + bake_s
        self.adjust("billed", +d, t + self.inputs.unbilled_s, e + self.inputs.drain_s, spot=+spot)
        self.adjust("running", +d, t + self.inputs.running_after_s, e)
        self.adjust("draining", +d, e, e + self.inputs.drain_s)
        self.deployment_ends_at = e + self.inputs.drain_s
        self.replaced += d
        self.seen["shifted deployment"] += 1
        self.seen["shifted deployment with Spot tasks"] += spot > 0

    def lose_zone(self, t: int) -> None:
        """Rule 24."""
        lost = math.ceil(self.count / self.inputs.zones - 1e-9)
        spot = 0
        if self.count > 0:
            spot = math.floor(lost * spot_tasks(self.count, self.inputs) / self.count + 1e-9)
        back = t + self.inputs.zone_detection_s
        running_at = back + self.inputs.running_after_s
        self.lost, self.lost_until = lost, running_at
        self.adjust("billed", -lost, t, back + self.inputs.unbilled_s, spot=-spot)
        self.adjust("running", -lost, t, running_at)
        waits = [self.next_wait() for _ in range(lost)]
        for wait in waits:
            self.adjust("healthy", -1, t, running_at + wait)
        self.replaced += lost
        self.seen["loss of a zone"] += lost > 0
        self.seen["lost tasks with different waits"] += len(set(waits)) > 1
        self.seen["loss of Spot tasks"] += spot > 0
        self.seen["loss of tasks of both kinds"] += 0 < spot < lost

    # Decisions

    def decide(self, t: int) -> None:
        """Rules 18 and 21: the decisions at second `t`, if the datapoint of at least one policy becomes known then."""
        arrived = []
        for policy in self.policies:
            period = policy.knows_at(t)
            if period is not None:
                # The period ended at or before `t`, and so with a step before the one at hand.
                last_step = (period + 1) * policy.policy.period_s // self.inputs.step_s - 1
                policy.receive(self.steps[last_step].datapoints[policy.number])
                arrived.append(policy)
        if not arrived:
            return
        self.seen["policies decide together"] += len(arrived) > 1
        running = self.running_count(t)
        step_wants = [
            want
            for policy in arrived
            if isinstance(policy, StepScaling)
            and (want := policy.want(t, running, self.desired_count, self.clamp)) is not None
        ]
        self.note_step_scaling(arrived, step_wants, t)
        if not self.scale_out(t, running, arrived, step_wants):
            self.scale_in(t, running, step_wants)

    def scale_out(self, t: int, running: int, arrived: Sequence[Policy], step_wants: Sequence[Want]) -> bool:
        """Rule 21, out; whether anything was scaled out."""
        wants = [
            want
            for policy in arrived
            if isinstance(policy, TargetTracking) and (want := policy.want_out(t, running, self.clamp)) is not None
        ]
        wants += [want for want in step_wants if want.tasks > self.desired_count]
        if not wants:
            return False
        largest = max(want.tasks for want in wants)
        if largest <= self.desired_count:
            self.seen["high, but enough tasks are there or on their way"] += 1
            return False
        first = min((want for want in wants if want.tasks == largest), key=lambda want: want.policy.number)
        policy = first.policy
        self.seen[f"out by {policy.policy.kind} on {policy.policy.metric}"] += 1
        self.seen["out with different wants"] += len({want.tasks for want in wants}) > 1
        self.seen["out during a deployment"] += self.deployment_goes_on(t)
        self.seen["out inside the policy's scale-out cooldown"] += t < policy.scale_out_cooldown_ends_at
        self.seen["out cancels a scale-in cooldown"] += t < self.scale_in_cooldown_ends_at
        difference = largest - self.desired_count
        self.desired_count = largest
        self.launch(difference, t)
        policy.remembered_base = first.base  # inside a cooldown this is what it was
        policy.scale_out_cooldown_ends_at = t + policy.policy.scale_out_cooldown_s
        self.scale_in_cooldown_ends_at = t
        self.moved_by = policy.number
        return True

    def scale_in(self, t: int, running: int, step_wants: Sequence[Want]) -> None:
        """Rule 21, in."""
        by_steps = [want for want in step_wants if want.tasks < self.desired_count]
        # Target tracking: all or none.
        tracking = [
            policy
            for policy in self.policies
            if isinstance(policy, TargetTracking) and not policy.policy.disable_scale_in
        ]
        by_tracking = [
            want
            for policy in tracking
            if (want := policy.want_in(running, self.clamp)) is not None and want.tasks < self.desired_count
        ]
        if len(by_tracking) < len(tracking):
            self.seen["in blocked by a policy that does not agree"] += len(by_tracking) > 0
            by_tracking = []
        wants = by_steps + by_tracking
        if not wants:
            return
        if self.deployment_goes_on(t):
            self.seen["in blocked by a deployment"] += 1
            return
        if t < self.scale_in_cooldown_ends_at:
            self.seen["in blocked by the cooldown"] += 1
            return
        self.seen["in by steps though target tracking does not agree"] += len(tracking) > 0 and not by_tracking
        self.seen["in by steps and target tracking"] += len(by_steps) > 0 and len(by_tracking) > 0
        self.seen["in agreed by several of target tracking"] += len(by_tracking) > 1
        smallest_allowed = max(want.tasks for want in wants)
        first = min((want for want in wants if want.tasks == smallest_allowed), key=lambda want: want.policy.number)
        policy = first.policy
        self.seen[f"in by {policy.policy.kind} on {policy.policy.metric}"] += 1
        self.seen["in with different wants"] += len({want.tasks for want in wants}) > 1
        self.seen["in agreed by several"] += len(wants) > 1
        self.seen["in by a datapoint known before"] += policy.knows_at(t) is None
        self.desired_count = smallest_allowed
        self.remove_surplus(t)
        self.scale_in_cooldown_ends_at = t + policy.policy.scale_in_cooldown_s
        for each in self.policies:
            each.scale_out_cooldown_ends_at = min(each.scale_out_cooldown_ends_at, t)
        self.moved_by = policy.number

    def note_step_scaling(self, arrived: Sequence[Policy], wants: Sequence[Want], t: int) -> None:
        """Only for the tests of the scenarios."""
        for policy in arrived:
            if isinstance(policy, StepScaling) and policy.alarm.in_alarm:
                if policy.alarm.acts:
                    self.seen["a step alarm acts and no step fits"] += policy not in [want.policy for want in wants]
                self.seen["a step alarm is in ALARM and does not act"] += not policy.alarm.acts
        for want in wants:
            kind = want.policy.policy.adjustment_type
            self.seen[f"a step policy wants by {kind}"] += want.tasks != self.desired_count
            self.seen["a step policy wants by a remembered base"] += t < want.policy.scale_out_cooldown_ends_at

    # Steps

    def run(self) -> ReferenceResult:
        for k, requests_per_s in enumerate(self.inputs.requests_per_s):
            self.one_step(k, requests_per_s)
        return self.result()

    def one_step(self, k: int, requests_per_s: float) -> None:
        """Rule 27: the order within step `k`."""
        inputs = self.inputs
        start, end = k * inputs.step_s, (k + 1) * inputs.step_s  # rule 1
        self.forget_before(start)
        self.moved_by = MOVED_BY_NONE
        self.launched = self.removed = self.replaced = self.interruptions = self.stuck_deployments = 0

        # Interruptions (rule 26), then what is scheduled (rules 4 and 22 to 24).
        for _ in range(self.interruptions_due):
            self.interrupt(start)
        for step, low, high, floor in inputs.bounds:
            if step == k:
                self.change_bounds(low, high, floor, start)
        self.begin_waves(start, end)  # those of the deployment that goes on, before a new one begins
        for step, kind, minimum, maximum, shift_s, bake_s in inputs.deployments:
            if step == k:
                self.deploy(kind, minimum, maximum, shift_s, bake_s, start)
                self.begin_waves(start, end)
        for step in inputs.zone_losses:
            if step == k:
                self.lose_zone(start)

        # Missing launches (rule 7).
        if self.count < self.desired_count:
            self.launch(self.desired_count - self.count, start)

        # Decisions in the order of time (rules 18 to 21).
        for t in range(start, end):
            self.decide(t)
        assert self.count == min(self.desired_count, inputs.max_tasks)

        # The sums to the second (rules 11 and 12), then requests (rules 13 to 16).
        healthy_s, billed_s = self.sum_of("healthy", start, end), self.sum_of("billed", start, end)
        requests = serve(requests_per_s * inputs.step_s, self.queue, healthy_s, inputs)  # rule 2
        self.queue = requests.queue
        step = Step(
            running_s=self.sum_of("running", start, end),
            healthy_s=healthy_s,
            pending_s=self.sum_of("pending", start, end),
            billed_s=billed_s,
            draining_s=self.sum_of("draining", start, end),
            spot_billed_s=self.spot_billed_seconds(billed_s, start, end),
            requests=requests,
            desired_count=self.desired_count,
            count=self.count,
            moved_by=self.moved_by,
            launched=self.launched,
            removed=self.removed,
            replaced=self.replaced,
            interruptions=self.interruptions,
            stuck_deployments=self.stuck_deployments,
        )
        self.steps.append(step)

        # The datapoints of the periods that end with the step (rule 17).
        step.datapoints = [self.datapoint_that_ends(policy.policy, k) for policy in self.policies]

        # Exposure (rule 26): each threshold that it has reached is an interruption at the start of the next step.
        self.exposure += self.spot_running_seconds(start, end) / 3600 * inputs.spot_interruptions_per_task_hour
        reached = sum(self.exposure >= threshold for threshold in inputs.thresholds)
        self.interruptions_due = reached - self.thresholds_reached
        self.thresholds_reached = reached
        self.note_step(step)

    def sum_of(self, what: str, start: int, end: int) -> int:
        """Rules 11 and 12."""
        tasks = self.stack + self.removed_tasks
        total = sum(getattr(task, f"{what}_seconds")(start, end) for task in tasks)
        total += sum(adjustment.seconds(start, end) for adjustment in self.adjustments if adjustment.of == what)
        self.seen[f"{what} seconds would be negative"] += total < 0
        return max(0, total)

    def spot_billed_seconds(self, billed_s: int, start: int, end: int) -> int:
        """Rules 12 and 28: the part of `billed_s` that is of Spot tasks."""
        tasks = self.stack + self.removed_tasks
        total = sum(task.billed_seconds(start, end) for task in tasks if task.spot)
        total += sum(adjustment.spot_seconds(start, end) for adjustment in self.adjustments)
        self.seen["Spot's billed seconds would be negative"] += total < 0
        self.seen["Spot's billed seconds would be more than all"] += total > billed_s
        return min(max(0, total), billed_s)

    def spot_running_seconds(self, start: int, end: int) -> int:
        """Rule 26: seconds in which Spot tasks run, those that left the stack in this step until then."""
        tasks = self.stack + self.removed_tasks
        return sum(task.running_seconds(start, end) for task in tasks if task.spot)

    def datapoint_that_ends(self, policy: ReferencePolicy, k: int) -> float | None:
        """Rules 17 and 28: the datapoint of the period that ends with step `k`, if one does."""
        steps_in_period = policy.period_s // self.inputs.step_s
        if (k + 1) % steps_in_period != 0:
            return None
        value = datapoint(policy.metric, policy.period_s, self.steps[-steps_in_period:], self.inputs)
        self.seen[f"missing {policy.metric} datapoint"] += value is None
        self.seen["a requests datapoint of 0"] += value == 0 and policy.metric == "requests"
        self.seen[f"{policy.metric} datapoint of 100 percent"] += value == 100 and policy.metric != "requests"
        return value

    def forget_before(self, second: int) -> None:
        """Drop what has no part in `second` or later: only for speed, it would add zeros."""
        self.removed_tasks = [task for task in self.removed_tasks if task.billed_until > second]
        self.adjustments = [adjustment for adjustment in self.adjustments if adjustment.end > second]

    def note_step(self, step: Step) -> None:
        """Only for the tests of the scenarios."""
        requests = step.requests
        self.seen["requests wait"] += requests.queue > 0
        self.seen["requests are refused"] += requests.refused > 0
        self.seen["requests wait and others are refused"] += requests.queue > 0 and requests.refused > 0
        self.seen["a queue is worked off"] += requests.old_queue > 0 and requests.queue == 0
        self.seen["over capacity"] += requests.over_capacity
        self.seen["slow, not over capacity"] += requests.slow and not requests.over_capacity
        self.seen["no capacity"] += requests.capacity == 0 and requests.offered > 0
        self.seen["no tasks"] += step.count == 0
        wait_s = (requests.old_queue + requests.queue) / 2 * self.inputs.step_s / (requests.capacity or math.inf)
        self.seen["requests wait for more than a minute"] += wait_bin(wait_s) > 127
        self.seen["requests wait for more than an hour"] += wait_bin(wait_s) == 175
        self.seen["tasks drain"] += step.draining_s > 0
        self.seen["tasks drain and none runs"] += step.draining_s > 0 and step.running_s == 0
        self.seen["Spot tasks"] += spot_tasks(step.count, self.inputs) > 0
        self.seen["tasks of both kinds"] += 0 < spot_tasks(step.count, self.inputs) < step.count

    def result(self) -> ReferenceResult:
        """Rules 28 to 30, from step `record_from` on (rule 3)."""
        recorded = self.steps[self.inputs.record_from :]
        histogram, wait_histogram, refused_bin = histograms([step.requests for step in recorded], self.inputs.step_s)
        return ReferenceResult(
            desired_count=[step.desired_count for step in recorded],
            running_s=[step.running_s for step in recorded],
            healthy_s=[step.healthy_s for step in recorded],
            pending_s=[step.pending_s for step in recorded],
            billed_s=[step.billed_s for step in recorded],
            draining_s=[step.draining_s for step in recorded],
            spot_billed_s=[step.spot_billed_s for step in recorded],
            served=[step.requests.served for step in recorded],
            refused=[step.requests.refused for step in recorded],
            queue=[step.requests.queue for step in recorded],
            utilization=[step.requests.utilization for step in recorded],
            datapoints=[
                [nan_if_missing(step.datapoints[number]) for step in recorded] for number in range(len(self.policies))
            ],
            moved_by=[step.moved_by for step in recorded],
            billed_task_s=sum(step.billed_s for step in recorded),
            spot_task_s=sum(step.spot_billed_s for step in recorded),
            running_task_s=sum(step.running_s for step in recorded),
            launched=sum(step.launched for step in recorded),
            removed=sum(step.removed for step in recorded),
            replaced=sum(step.replaced for step in recorded),
            steps_over_capacity=sum(step.requests.over_capacity for step in recorded),
            slow_steps=sum(step.requests.slow for step in recorded),
            refused_requests=added(step.requests.refused for step in recorded),
            peak_desired_count=max((step.desired_count for step in recorded), default=0),
            peak_utilization=max((step.requests.utilization for step in recorded), default=0.0),
            peak_queue=max((step.requests.queue for step in recorded), default=0.0),
            interruptions=sum(step.interruptions for step in recorded),
            stuck_deployments=sum(step.stuck_deployments for step in recorded),
            billed_s_by_hour=[sum(step.billed_s for step in hour) for hour in hours(recorded, self.inputs.step_s)],
            spot_billed_s_by_hour=[
                sum(step.spot_billed_s for step in hour) for hour in hours(recorded, self.inputs.step_s)
            ],
            histogram=histogram,
            wait_histogram=wait_histogram,
            refused_bin=refused_bin,
        )


def hours(recorded: Sequence[Step], step_s: int) -> list[Sequence[Step]]:
    """Rule 29: the recorded steps of each hour."""
    steps_of_an_hour = 3600 // step_s
    return [recorded[first : first + steps_of_an_hour] for first in range(0, len(recorded), steps_of_an_hour)]


def nan_if_missing(value: float | None) -> float:
    return math.nan if value is None else value


def histograms(recorded: Sequence[Requests], step_s: int) -> tuple[list[float], list[float], float]:
    """Rule 30: requests by utilization, requests by waiting time, and the refused ones."""
    by_utilization, by_wait, refused_bin = [0.0] * UTILIZATION_BINS, [0.0] * WAIT_BINS, 0.0
    for step in recorded:
        if not step.over_capacity and step.old_queue == 0 and step.queue == 0:
            by_utilization[min(math.floor(step.utilization * 512 + 1e-9), 511)] += step.arrivals
        elif step.capacity == 0:
            refused_bin += step.arrivals
        else:
            if step.arrivals - step.refused > 0:
                wait_s = (step.old_queue + step.queue) / 2 * step_s / step.capacity
                by_wait[wait_bin(wait_s)] += step.arrivals - step.refused
            refused_bin += min(step.refused, step.arrivals)
    return by_utilization, by_wait, refused_bin


def wait_bin(wait_s: float) -> int:
    """Rule 30: eight bins for each doubling, from one millisecond on."""
    if wait_s <= 0.001:
        return 0
    return min(175, max(0, math.floor(8 * math.log2(wait_s / 0.001) + 1e-9)))


def simulate_reference(inputs: ReferenceInputs) -> ReferenceResult:
    """Run the simulation and record it from step `record_from` on."""
    return Simulation(inputs).run()
