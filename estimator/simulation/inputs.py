"""What one candidate's course depends on, in the words of ``docs/simulation.md``: the boundary between engine and loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGET_TRACKING = "target_tracking"
STEP_SCALING = "step"
#: Without a quota; no stack is ever this high. [tasks]
UNLIMITED_TASKS = 2**40


@dataclass(frozen=True, kw_only=True)
class PolicyInputs:
    """One scaling policy.

    Parameters
    ----------
    kind : str
        ``target_tracking`` or ``step``.
    metric : str
        ``cpu``, ``memory`` or ``requests``.
    period_s : int
        Period of its datapoints, 20 or 60. [s]
    lag_s : int
        From the end of a period until its datapoint is known. [s]
    target_value : float
        Of target tracking. [% or requests]
    disable_scale_in : bool
        True for target tracking that never removes tasks.
    scale_out_datapoints, scale_in_datapoints : int
        Datapoints of target tracking's AlarmHigh and AlarmLow. [1]
    low_factor : float
        Threshold of AlarmLow as a part of the target. [1]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Cooldowns. [s]
    threshold : float
        Of the alarm of step scaling. [% or requests]
    direction : str
        Breaches of step scaling's alarm lie ``up`` or ``down`` from its threshold, which breaches itself.
    datapoints_to_alarm, evaluation_periods : int
        M and N of step scaling's alarm. [1]
    steps : tuple of (float, float, int)
        Of step scaling, in rising order: lower and upper bound of the distance to the threshold, and the adjustment.
    adjustment_type : str
        ``ChangeInCapacity``, ``PercentChangeInCapacity`` or ``ExactCapacity``.
    min_adjustment_magnitude : int
        Least change by ``PercentChangeInCapacity``. [tasks]
    """

    kind: str = TARGET_TRACKING
    metric: str = "cpu"
    period_s: int = 60
    lag_s: int = 0
    target_value: float = 60.0
    disable_scale_in: bool = False
    scale_out_datapoints: int = 3
    scale_in_datapoints: int = 15
    low_factor: float = 0.9
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    threshold: float = 0.0
    direction: str = "up"
    datapoints_to_alarm: int = 1
    evaluation_periods: int = 1
    steps: tuple[tuple[float, float, int], ...] = ()
    adjustment_type: str = "ChangeInCapacity"
    min_adjustment_magnitude: int = 0


@dataclass(frozen=True, kw_only=True)
class SimulationInputs:
    """One candidate under one load; what has a default of 0 or nothing is not used.

    Parameters
    ----------
    requests_per_s : sequence of float
        Load of each step, warm-up included. [requests/s]
    record_from : int
        First step that is recorded. [1]
    step_s : int
        Length of a step, 20 or 60. [s]
    cpu_s_per_request : float
        CPU time of a request. [s]
    task_vcpu : float
        CPU of a task. [vCPU]
    task_memory_mib : float
        Memory of a task. [MiB]
    task_requests_per_s : float
        What a healthy task serves. [requests/s]
    baseline_memory_mib : float
        Memory of an idle task. [MiB]
    memory_mib_per_request : float
        Memory of each request in flight. [MiB]
    residence_s : float
        Time that a served request spends in its task. [s]
    queue_per_task : float
        Requests that may wait for each healthy task. [requests]
    queue_timeout_s : float
        Longest wait. [s]
    slow_utilization : float
        Utilization up to which the latency promise holds. [1]
    min_capacity, max_capacity : int
        First bounds of the desired count. [tasks]
    max_tasks : int
        The quota. [tasks]
    unbilled_s : int
        From launch until it is billed. [s]
    running_after_s : int
        From launch until it runs. [s]
    ready_wait_s : sequence of int
        From running to healthy, for the i-th launch modulo its length. [s]
    drain_s : int
        Billed time after a healthy task is removed. [s]
    minimum_billed_s : int
        Shortest billed time. [s]
    launch_burst, launch_per_s : float
        The bucket of launches; a rate of 0 is no limit. [tasks, tasks/s]
    spot_base : int
        Tasks that are On-Demand first. [tasks]
    spot_share : float
        Fargate Spot's part of the others. [1]
    spot_interruptions_per_task_hour : float
        Rate of interruptions. [1/h]
    spot_warning_s : int
        From the warning to the end. [s]
    shortages : tuple of (int, int)
        Times without Fargate Spot, rising. [s]
    thresholds : sequence of float
        Exposures at which interruptions come, rising. [1]
    zones : int
        Availability Zones. [1]
    zone_detection_s : int
        Until lost tasks are replaced. [s]
    zone_losses : tuple of int
        Steps at which a zone is lost.
    bounds : tuple of (int, int, int, int)
        Step, lower and upper bound, and the floor of predictive scaling.
    deployments : tuple of (int, str, float, float, int, int)
        Step, ``rolling`` or ``shifted``, minimum and maximum percent, seconds of shifting and of baking.
    policies : tuple of PolicyInputs
        Scaling policies, at most 8.
    scale_in_step_percent : float
        Largest part of the tasks that target tracking removes at once. [%]
    alarm_reinvocation : bool
        True if an alarm acts at every datapoint while it is in ALARM.
    mean_of_datapoints : bool
        True to compute from the mean of the alarm's datapoints, False from the newest.
    zero_requests_reported : bool
        True if requests per target are 0 without traffic, False if their datapoint is missing.
    """

    requests_per_s: Sequence[float] | NDArray[np.float64]
    record_from: int = 0
    step_s: int = 60
    cpu_s_per_request: float = 0.01
    task_vcpu: float = 1.0
    task_memory_mib: float = 2048.0
    task_requests_per_s: float = 100.0
    baseline_memory_mib: float = 0.0
    memory_mib_per_request: float = 0.0
    residence_s: float = 0.0
    queue_per_task: float = 0.0
    queue_timeout_s: float = 0.0
    slow_utilization: float = math.inf
    min_capacity: int = 1
    max_capacity: int = 100
    max_tasks: int = UNLIMITED_TASKS
    unbilled_s: int = 0
    running_after_s: int = 0
    ready_wait_s: Sequence[int] | NDArray[np.int64] = (0,)
    drain_s: int = 0
    minimum_billed_s: int = 60
    launch_burst: float = 1.0
    launch_per_s: float = 0.0
    spot_base: int = 0
    spot_share: float = 0.0
    spot_interruptions_per_task_hour: float = 0.0
    spot_warning_s: int = 120
    shortages: tuple[tuple[int, int], ...] = ()
    thresholds: Sequence[float] | NDArray[np.float64] = ()
    zones: int = 3
    zone_detection_s: int = 0
    zone_losses: tuple[int, ...] = ()
    bounds: tuple[tuple[int, int, int, int], ...] = ()
    deployments: tuple[tuple[int, str, float, float, int, int], ...] = ()
    policies: tuple[PolicyInputs, ...] = ()
    scale_in_step_percent: float = 10.0
    alarm_reinvocation: bool = True
    mean_of_datapoints: bool = False
    zero_requests_reported: bool = False


@dataclass(frozen=True, eq=False)
class StopRules:
    """Limits beyond which the rest of a course need not be known; figures only grow, so what is broken stays broken.

    Parameters
    ----------
    look_every : int
        From one look to the next. [steps]
    most_billed_s : numpy.ndarray, shape (n_looks + 1,)
        Task-seconds that may have been billed at each look. [task-s]
    spot_weight : float
        What a second of Fargate Spot counts for among them. [1]
    most_steps_over, most_slow_steps : float
        Recorded steps that may be over capacity, and slow. [1]
    most_refused : float
        Requests that may be refused. [requests]
    most_late : tuple of float
        Requests that each limit of the latency allows to be late. [requests]
    late_shares : numpy.ndarray, shape (n_latencies, N_BINS), optional
        Part of the requests at each utilization that is late. [1]
    """

    look_every: int
    most_billed_s: NDArray[np.float64]
    spot_weight: float = 1.0
    most_steps_over: float = math.inf
    most_slow_steps: float = math.inf
    most_refused: float = math.inf
    most_late: tuple[float, ...] = ()
    late_shares: NDArray[np.float64] | None = None


def features_of(inputs: SimulationInputs) -> frozenset[str]:
    """Say what of the loop an input uses.

    Parameters
    ----------
    inputs : SimulationInputs
        The input.

    Returns
    -------
    frozenset of str
        Names in `estimator.simulation.features.FEATURES`.
    """
    used: dict[str, Any] = {
        "SEVERAL_POLICIES": not _is_lean(inputs),
        "QUEUE": inputs.queue_per_task > 0 and inputs.queue_timeout_s > 0,
        "SPOT": inputs.spot_share > 0,
        "LAUNCH_RATE": inputs.launch_per_s > 0,
        "QUOTA": inputs.max_tasks < most_tasks(inputs) or inputs.min_capacity < 1,
        "BOUNDS": len(inputs.bounds) > 0,
        "DISTURBANCES": len(inputs.deployments) > 0 or len(inputs.zone_losses) > 0,
    }
    return frozenset(name for name, is_used in used.items() if is_used)


def most_tasks(inputs: SimulationInputs) -> int:
    """Height that the stack of tasks can reach without a quota.

    Parameters
    ----------
    inputs : SimulationInputs
        The input.

    Returns
    -------
    int
        Height. [tasks]
    """
    return max(1, inputs.min_capacity, inputs.max_capacity, *(max(bound[1:3]) for bound in inputs.bounds))


def _is_lean(inputs: SimulationInputs) -> bool:
    if not inputs.policies:
        return True
    if len(inputs.policies) > 1:
        return False
    policy = inputs.policies[0]
    return (
        policy.kind == TARGET_TRACKING
        and policy.metric == "cpu"
        and policy.period_s == inputs.step_s
        and not inputs.mean_of_datapoints
        and policy.low_factor <= 1  # then only one of the two alarms can act
    )
