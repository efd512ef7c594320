"""The reference simulation: docs/simulation.md once more, slowly and obviously.

The compiled kernel is held equal to this program. It shares nothing with the kernel: it imports only the standard
library, every task is an object, every datapoint is kept, and the seconds of a step are the overlap of the step with
each task's intervals. "Rule n" is rule n of docs/simulation.md.

An interval `[start, end)` holds the whole seconds `start, start + 1, ..., end - 1`. "Since ever" is `-inf`, "not yet
ended" is `inf`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

EVER = -math.inf
OPEN = math.inf

HISTOGRAM_BINS = 512  # rule 20; one more bin holds the steps over capacity
OVER_CAPACITY_BIN = HISTOGRAM_BINS


@dataclass(frozen=True)
class ReferenceInputs:
    """What is simulated: the load by step (warm-up included), the scaling policy and the behavior of AWS."""

    demand_vcpu: Sequence[float]
    requests: Sequence[float]
    record_from: int
    step_s: int
    task_vcpu: float
    min_capacity: int
    max_capacity: int
    target_value: float
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    disable_scale_in: bool
    metric_lag_s: int
    scale_out_datapoints: int
    scale_in_datapoints: int
    low_factor: float
    scale_in_step_percent: float
    unbilled_s: int
    running_after_s: int
    ready_wait_s: Sequence[int]
    drain_s: int
    minimum_billed_s: int


@dataclass(frozen=True)
class ReferenceResult:
    """What is recorded (rules 18 to 20), from step `record_from` on."""

    # One value for each recorded step (rule 18); a missing datapoint is nan.
    desired_count: list[int]
    running_s: list[int]
    healthy_s: list[int]
    billed_s: list[int]
    utilization: list[float]
    metric_percent: list[float]
    # Totals over the recorded steps (rule 19).
    billed_task_s: int
    launched: int
    removed: int
    steps_over_capacity: int
    unserved_vcpu_s: float
    peak_desired_count: int
    peak_utilization: float
    # Requests by utilization (rule 20).
    histogram: list[float]


# --- Tasks ------------------------------------------------------------------------------------------------------------


@dataclass
class Task:
    """One task with the instants of its life, in seconds since second 0."""

    index: int  # the `i` of rule 5; negative for the tasks of rule 4, which do not count
    launched_at: float
    billed_from: float
    running_at: float
    healthy_at: float
    removed_at: float = OPEN
    billed_until: float = OPEN

    @classmethod
    def present_from_the_start(cls, number: int) -> "Task":
        """Rule 4: billed, running and healthy since before second 0."""
        return cls(index=-1 - number, launched_at=EVER, billed_from=EVER, running_at=EVER, healthy_at=EVER)

    @classmethod
    def launched(cls, index: int, t: int, inputs: ReferenceInputs) -> "Task":
        """Rule 5: the `index`-th launch since second 0, at second `t`."""
        wait = inputs.ready_wait_s[index % len(inputs.ready_wait_s)]
        return cls(
            index=index,
            launched_at=t,
            billed_from=t + inputs.unbilled_s,
            running_at=t + inputs.running_after_s,
            healthy_at=t + inputs.running_after_s + wait,
        )

    @property
    def is_removed(self) -> bool:
        return self.removed_at != OPEN

    def is_running(self, t: int) -> bool:
        """Rules 5 and 8: from second `running_at`, that second included, to the removal, that second not included."""
        return self.running_at <= t < self.removed_at

    def remove(self, t: int, drain_s: int, minimum_billed_s: int) -> None:
        """Rule 8."""
        self.removed_at = t
        if t <= self.billed_from:  # its billing would start now or later: never billed
            self.billed_until = self.billed_from
            return
        was_healthy = self.healthy_at <= t
        end = t + drain_s if was_healthy else t
        self.billed_until = max(end, self.billed_from + minimum_billed_s)

    # Rule 9: the seconds of this task inside [start, end).

    def running_seconds(self, start: int, end: int) -> int:
        return overlap(self.running_at, self.removed_at, start, end)

    def healthy_seconds(self, start: int, end: int) -> int:
        return overlap(self.healthy_at, self.removed_at, start, end)

    def billed_seconds(self, start: int, end: int) -> int:
        return overlap(self.billed_from, self.billed_until, start, end)


def overlap(a_start: float, a_end: float, b_start: int, b_end: int) -> int:
    """Seconds that two intervals have in common."""
    return int(max(0, min(a_end, b_end) - max(a_start, b_start)))


class Service:
    """The tasks of the service; as many as `desired_count` of them are not removed."""

    def __init__(self, inputs: ReferenceInputs) -> None:
        self.inputs = inputs
        self.tasks = [Task.present_from_the_start(n) for n in range(inputs.min_capacity)]  # rule 4
        self.desired_count = inputs.min_capacity  # rule 4
        self.launches = 0  # since second 0
        self.removals = 0  # since second 0

    def running_count(self, t: int) -> int:
        return sum(task.is_running(t) for task in self.tasks)

    def launch(self, count: int, t: int) -> None:
        for _ in range(count):
            self.tasks.append(Task.launched(self.launches, t, self.inputs))
            self.launches += 1
        self.desired_count += count

    def remove(self, count: int, t: int) -> None:
        """Rule 7: the ones launched last go first; launched at the same instant, the larger index first."""
        present = [task for task in self.tasks if not task.is_removed]
        present.sort(key=lambda task: (task.launched_at, task.index), reverse=True)
        for task in present[:count]:
            task.remove(t, self.inputs.drain_s, self.inputs.minimum_billed_s)
            self.removals += 1
        self.desired_count -= count

    def forget_before(self, second: int) -> None:
        """Drop the tasks that have no part in `second` or later: only for speed, they would add zeros."""
        self.tasks = [task for task in self.tasks if task.billed_until > second or task.removed_at > second]


# --- Alarms and decisions ---------------------------------------------------------------------------------------------


@dataclass
class Alarm:
    """Rule 14: in ALARM while each of the last `needed` datapoints breaches; `None` is a missing datapoint."""

    breaches: Callable[[float], bool]
    needed: int
    datapoints: list[float | None] = field(default_factory=list)

    def receive(self, datapoint: float | None) -> None:
        self.datapoints.append(datapoint)

    @property
    def in_alarm(self) -> bool:
        if len(self.datapoints) < self.needed:
            return False
        return all(m is not None and self.breaches(m) for m in self.datapoints[-self.needed :])


@dataclass
class Cooldown:
    """Blocks or changes decisions before the second `ends_at`."""

    duration_s: int
    ends_at: float = EVER

    def is_active(self, t: int) -> bool:
        return t < self.ends_at

    def start(self, t: int) -> None:
        self.ends_at = t + self.duration_s

    def cancel(self) -> None:
        self.ends_at = EVER


class TargetTracking:
    """Rules 14 to 16: hears one datapoint after the other and changes the service."""

    def __init__(self, service: Service, inputs: ReferenceInputs) -> None:
        self.service = service
        self.inputs = inputs
        target = inputs.target_value
        low = round(inputs.low_factor * target * 1_000_000) / 1_000_000
        self.alarm_high = Alarm(lambda m: m > target, inputs.scale_out_datapoints)
        self.alarm_low = Alarm(lambda m: m < low, inputs.scale_in_datapoints)
        self.scale_out_cooldown = Cooldown(inputs.scale_out_cooldown_s)
        self.scale_in_cooldown = Cooldown(inputs.scale_in_cooldown_s)
        self.cooldown_base = 0  # the base of the activity that started the scale-out cooldown

    def receive(self, datapoint: float | None, t: int) -> None:
        """Take the datapoint that becomes known at second `t`, and act on it (rules 13 to 16)."""
        self.alarm_high.receive(datapoint)
        self.alarm_low.receive(datapoint)
        if self.alarm_high.in_alarm:
            assert datapoint is not None
            self.scale_out(datapoint, t)
        elif self.alarm_low.in_alarm and not self.inputs.disable_scale_in and not self.scale_in_cooldown.is_active(t):
            assert datapoint is not None
            self.scale_in(datapoint, t)

    def scale_out(self, m: float, t: int) -> None:
        """Rule 15."""
        in_cooldown = self.scale_out_cooldown.is_active(t)
        base = self.cooldown_base if in_cooldown else self.service.running_count(t)
        want = tasks_for(base, m, self.inputs.target_value)
        want = min(max(want, self.inputs.min_capacity), self.inputs.max_capacity)
        if want <= self.service.desired_count:
            return
        self.service.launch(want - self.service.desired_count, t)
        self.cooldown_base = base  # inside a cooldown this is what it was
        self.scale_out_cooldown.start(t)  # inside a cooldown this extends it
        self.scale_in_cooldown.cancel()

    def scale_in(self, m: float, t: int) -> None:
        """Rule 16."""
        n = self.service.running_count(t)
        want = tasks_for(n, m, self.inputs.target_value)
        if want >= n:
            return
        largest_step = max(1, math.floor(n * self.inputs.scale_in_step_percent / 100 + 1e-9))
        want = max(want, n - largest_step, self.inputs.min_capacity)
        if want >= self.service.desired_count:
            return
        self.service.remove(self.service.desired_count - want, t)
        self.scale_in_cooldown.start(t)


def tasks_for(count: int, m: float, target: float) -> int:
    """Tasks that bring `m`, measured with `count` tasks, to the target (rules 15 and 16)."""
    return math.ceil(count * (m - 1e-6) / target)


# --- The run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """All that happened in one step."""

    desired_count: int
    running_s: int
    healthy_s: int
    billed_s: int
    work: float  # vCPU-seconds
    capacity: float  # vCPU-seconds
    datapoint: float | None
    launched: int
    removed: int
    requests: float

    @property
    def over_capacity(self) -> bool:
        """Rule 10."""
        return self.work > self.capacity * (1 + 1e-9)

    @property
    def unserved(self) -> float:
        """Rule 10: what exceeds the capacity."""
        return max(0.0, self.work - self.capacity)

    @property
    def utilization(self) -> float:
        """Rule 11."""
        if self.work == 0:
            return 0.0
        if self.capacity == 0:
            return math.inf
        return self.work / self.capacity

    @property
    def histogram_bin(self) -> int:
        """Rule 20."""
        if self.over_capacity:
            return OVER_CAPACITY_BIN
        return min(math.floor(self.utilization * HISTOGRAM_BINS + 1e-9), HISTOGRAM_BINS - 1)


def datapoint_of(work: float, capacity: float, running_s: int, task_vcpu: float) -> float | None:
    """Rule 12."""
    if running_s == 0:
        return None
    # Whole millionths, a half to the even one: Python's round() of a number without digits.
    return round(100 * min(work, capacity) / (running_s * task_vcpu) * 1_000_000) / 1_000_000


def simulate_steps(inputs: ReferenceInputs) -> list[Step]:
    """Run all steps, warm-up included."""
    service = Service(inputs)
    policy = TargetTracking(service, inputs)
    steps: list[Step] = []
    for k, (demand_vcpu, requests) in enumerate(zip(inputs.demand_vcpu, inputs.requests, strict=True)):
        start, end = k * inputs.step_s, (k + 1) * inputs.step_s  # rule 1
        service.forget_before(start)
        launches_before, removals_before = service.launches, service.removals

        # Rules 13 and 17: first the decision, if a datapoint becomes known in this step.
        j = k - 1 - inputs.metric_lag_s // inputs.step_s
        if j >= 0:
            policy.receive(steps[j].datapoint, start + inputs.metric_lag_s % inputs.step_s)
        assert service.desired_count == sum(not task.is_removed for task in service.tasks)

        # Rules 9 and 10: then the sums, with the new and the removed tasks to the second.
        running_s = sum(task.running_seconds(start, end) for task in service.tasks)
        healthy_s = sum(task.healthy_seconds(start, end) for task in service.tasks)
        billed_s = sum(task.billed_seconds(start, end) for task in service.tasks)
        work = demand_vcpu * inputs.step_s  # rules 2 and 10
        capacity = healthy_s * inputs.task_vcpu
        steps.append(
            Step(
                desired_count=service.desired_count,
                running_s=running_s,
                healthy_s=healthy_s,
                billed_s=billed_s,
                work=work,
                capacity=capacity,
                datapoint=datapoint_of(work, capacity, running_s, inputs.task_vcpu),
                launched=service.launches - launches_before,
                removed=service.removals - removals_before,
                requests=requests,
            )
        )
    return steps


def simulate_reference(inputs: ReferenceInputs) -> ReferenceResult:
    """Run the simulation and record it from step `record_from` on (rules 3 and 18 to 20)."""
    recorded = simulate_steps(inputs)[inputs.record_from :]
    histogram = [0.0] * (HISTOGRAM_BINS + 1)
    for step in recorded:
        histogram[step.histogram_bin] += step.requests
    return ReferenceResult(
        desired_count=[step.desired_count for step in recorded],
        running_s=[step.running_s for step in recorded],
        healthy_s=[step.healthy_s for step in recorded],
        billed_s=[step.billed_s for step in recorded],
        utilization=[step.utilization for step in recorded],
        metric_percent=[math.nan if step.datapoint is None else step.datapoint for step in recorded],
        billed_task_s=sum(step.billed_s for step in recorded),
        launched=sum(step.launched for step in recorded),
        removed=sum(step.removed for step in recorded),
        steps_over_capacity=sum(step.over_capacity for step in recorded),
        unserved_vcpu_s=sum((step.unserved for step in recorded), 0.0),
        peak_desired_count=max((step.desired_count for step in recorded), default=0),
        peak_utilization=max((step.utilization for step in recorded), default=0.0),
        histogram=histogram,
    )
