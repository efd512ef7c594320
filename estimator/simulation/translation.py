"""From a candidate and its workload to what the time loop takes: seconds, steps and rates in place of AWS's words."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.policies import (
    PredictiveScalingPolicy,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.simulation.dynamics import Dynamics
from estimator.simulation.forecast import (
    ScheduledBounds,
    alb_requests_per_s_at_target,
    cpu_requests_per_s_at_target,
    floor_steps,
    forecast_hourly,
    memory_requests_per_s_at_target,
    merge_bounds,
    predictive_floors,
)
from estimator.simulation.inputs import STEP_SCALING, UNLIMITED_TASKS, PolicyInputs, SimulationInputs
from estimator.simulation.latency import TaskQueue, task_queue
from estimator.simulation.occasions import interruption_thresholds, shortage_times, step_of_hour, steps_at
from estimator.units import MS_PER_S, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

N_READY_WAITS = 4096


@dataclass(frozen=True, eq=False)
class Setting:
    """What all candidates of one step length share: the load on the grid, and what happens when.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    application : Application
        Boot, image and draining times.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    step_s : int
        Length of a step. [s]
    n_steps : int
        Steps of the period. [1]
    warm_up : int
        Steps before it. [1]
    requests_per_s : numpy.ndarray, shape (warm_up + n_steps,)
        Load on the tasks. [requests/s]
    ready_wait_s : numpy.ndarray
        From running to healthy, for each launch. [s]
    deployment_steps, zone_loss_steps : tuple of int
        Steps at which deployments begin, and zones are lost.
    shortages : tuple of (int, int)
        Times without Fargate Spot. [s]
    repeats : bool
        True if the period is what came before it too.
    usual_load : LoadProfile
        Load on the tasks that forecasts go by.
    """

    workload: Workload
    application: Application
    behavior: AwsBehavior
    operations: Operations
    step_s: int
    n_steps: int
    warm_up: int
    requests_per_s: NDArray[np.float64]
    ready_wait_s: NDArray[np.int64]
    deployment_steps: tuple[int, ...]
    zone_loss_steps: tuple[int, ...]
    shortages: tuple[tuple[int, int], ...]
    repeats: bool
    usual_load: LoadProfile
    _steps: dict[tuple[str, str], list[int]] = field(default_factory=dict, repr=False)

    @property
    def period_requests_per_s(self) -> NDArray[np.float64]:
        """Load on the tasks in the period alone, shape (n_steps,). [requests/s]"""
        return self.requests_per_s[self.warm_up :]

    def steps_of(self, expression: str, timezone: str) -> list[int]:
        """List the steps at which a schedule is due, which many candidates share.

        Parameters
        ----------
        expression, timezone : str
            AWS's schedule expression and its time zone.

        Returns
        -------
        list of int
            Rising, counted from the warm-up's begin.

        Raises
        ------
        InvalidScenario
            If the schedule does not go with the load's period.
        """
        key = expression, timezone
        if key not in self._steps:
            self._steps[key] = steps_at(expression, timezone, self.workload.task_load, self.step_s, self.warm_up)
        return self._steps[key]

    def queue_of(self, dynamics: Dynamics) -> TaskQueue:
        """Say how a task works off its requests.

        Parameters
        ----------
        dynamics : Dynamics
            The candidate.

        Returns
        -------
        TaskQueue
            Servers, service time and capacity of one task.
        """
        return queue_of(self.workload, dynamics.task_vcpu, dynamics.cpu_architecture)


def queue_of(workload: Workload, task_vcpu: float, cpu_architecture: str) -> TaskQueue:
    """Say how one task works off a workload's requests.

    Parameters
    ----------
    workload : Workload
        What one request asks for.
    task_vcpu : float
        CPU of the task. [vCPU]
    cpu_architecture : str
        Its architecture.

    Returns
    -------
    TaskQueue
        Servers, service time and capacity.
    """
    return task_queue(
        task_vcpu,
        # What a task cannot make use of is as if each request needed more.
        workload.cpu_s_per_request(cpu_architecture) / workload.usable_cpu_share,
        workload.wait_ms_per_request / MS_PER_S,
        workload.concurrency_limit_per_task,
        workload.service_time_cv,
    )


def setting_of(
    workload: Workload,
    application: Application,
    behavior: AwsBehavior,
    operations: Operations,
    step_s: int,
    warm_up_s: int,
    before: LoadProfile | None = None,
    usual: LoadProfile | None = None,
) -> Setting:
    """Lay the load and what happens on the grid of steps.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    application : Application
        Boot, image and draining times.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    step_s : int
        Length of a step. [s]
    warm_up_s : int
        Unbilled time before the period, in which the load is what it was before. [s]
    before : LoadProfile, optional
        What it was before, its end last; by default the period, taken as periodic.
    usual : LoadProfile, optional
        The same period as it usually is, which the warm-up and forecasts go by; by default the load itself.

    Returns
    -------
    Setting
        For all candidates with this step.

    Raises
    ------
    InvalidScenario
        If something is to happen after the period's end.
    """
    load = workload.task_load
    rate = _on_grid(load, step_s)
    n_steps, warm_up = rate.size, warm_up_s // step_s
    usual_load = load if usual is None else replace(workload, load=usual).task_load
    earlier = _on_grid(usual_load if before is None else replace(workload, load=before).task_load, step_s)
    # A long period ends with all that the warm-up needs.
    earlier = earlier[earlier.size - warm_up :] if warm_up <= earlier.size else np.resize(earlier[::-1], warm_up)[::-1]
    draws = np.random.default_rng(behavior.seed).random(N_READY_WAITS)
    wait = np.floor(draws * application.health_check_interval_s)
    wait += application.boot_s + behavior.registration_s + _longer_starts_s(application, behavior)
    deployments = {
        step
        for expression in operations.deployment_schedules
        for step in steps_at(expression, operations.timezone, load, step_s, warm_up)
        if step >= 0
    }
    return Setting(
        workload,
        application,
        behavior,
        operations,
        step_s,
        n_steps,
        warm_up,
        np.concatenate([earlier, rate]),
        np.maximum(wait, 0).astype(np.int64),
        tuple(sorted(deployments)),
        tuple(warm_up + step_of_hour("zone_losses_h", hour, load, step_s) for hour in operations.zone_losses_h),
        shortage_times(operations, load, step_s, warm_up),
        before is None,
        usual_load,
    )


def inputs_of(dynamics: Dynamics, setting: Setting, slow_utilization: float = math.inf) -> SimulationInputs:
    """Say what the loop takes for one course.

    Parameters
    ----------
    dynamics : Dynamics
        The candidate.
    setting : Setting
        What it shares with others.
    slow_utilization : float
        Utilization up to which the latency promise holds. [1]

    Returns
    -------
    SimulationInputs
        The loop's inputs.
    """
    work, application, behavior = setting.workload, setting.application, setting.behavior
    queue = setting.queue_of(dynamics)
    cpu_s = work.cpu_s_per_request(dynamics.cpu_architecture)
    bounds = _bounds(dynamics, setting)
    most = max([dynamics.max_capacity, *(high for _, _, high, _ in bounds)])
    launch_per_s = min(behavior.launch_per_s, behavior.service_launches_per_minute / SECONDS_PER_MINUTE)
    deployment = dynamics.deployment
    rolling = deployment is not None and deployment.is_rolling
    return SimulationInputs(
        requests_per_s=setting.requests_per_s,
        record_from=setting.warm_up,
        step_s=setting.step_s,
        cpu_s_per_request=cpu_s,
        task_vcpu=dynamics.task_vcpu,
        task_memory_mib=float(dynamics.memory_mib or 1),
        task_requests_per_s=queue.requests_per_s,
        baseline_memory_mib=work.baseline_memory_mib if dynamics.memory_mib else 0.0,
        memory_mib_per_request=work.memory_mib_per_request if dynamics.memory_mib else 0.0,
        residence_s=queue.residence_s,
        queue_per_task=application.queue_per_task,
        queue_timeout_s=application.queue_timeout_s,
        slow_utilization=slow_utilization,
        min_capacity=dynamics.min_capacity,
        max_capacity=dynamics.max_capacity,
        max_tasks=tasks_within_quota(dynamics.task_vcpu, behavior),
        unbilled_s=behavior.unbilled_s,
        running_after_s=_running_after_s(application, behavior),
        ready_wait_s=setting.ready_wait_s,
        drain_s=application.deregistration_delay_s + application.stop_timeout_s,
        minimum_billed_s=behavior.windows_minimum_billed_s if application.is_windows else behavior.minimum_billed_s,
        # Up to the burst nothing is ever held back, and the loop need not look.
        launch_burst=float(behavior.launch_burst),
        launch_per_s=launch_per_s if most > behavior.launch_burst or launch_per_s < 1 else 0.0,
        spot_base=dynamics.spot_base,
        spot_share=dynamics.spot_share,
        spot_interruptions_per_task_hour=behavior.spot_interruptions_per_task_hour if dynamics.spot_share > 0 else 0.0,
        spot_warning_s=behavior.spot_warning_s,
        shortages=setting.shortages if dynamics.spot_share > 0 else (),
        thresholds=interruption_thresholds(most, setting.requests_per_s.size * setting.step_s, behavior)
        if dynamics.spot_share > 0
        else (),
        zones=dynamics.zones or 1,
        zone_detection_s=behavior.zone_detection_s,
        zone_losses=setting.zone_loss_steps if dynamics.zones else (),
        bounds=bounds,
        deployments=tuple(
            (
                step,
                "rolling" if rolling else "shifted",
                deployment.minimum_healthy_percent,
                deployment.maximum_percent,
                deployment.shift_s,
                deployment.bake_s,
            )
            for step in setting.deployment_steps
        )
        if deployment is not None
        else (),
        policies=tuple(_policy(policy, behavior) for policy in dynamics.watching),
        scale_in_step_percent=behavior.scale_in_step_percent,
        alarm_reinvocation=behavior.alarm_reinvocation,
        mean_of_datapoints=behavior.mean_of_datapoints,
        zero_requests_reported=behavior.zero_requests_reported,
    )


def tasks_within_quota(task_vcpu: float, behavior: AwsBehavior) -> int:
    """Count the tasks that the account's quota of vCPU has room for.

    Parameters
    ----------
    task_vcpu : float
        CPU of a task. [vCPU]
    behavior : AwsBehavior
        The quota, and whether it is enforced.

    Returns
    -------
    int
        Tasks. [tasks]
    """
    if not behavior.enforce_vcpu_quota:
        return UNLIMITED_TASKS
    return int(behavior.fargate_vcpu_quota / task_vcpu + 1e-9)


def _running_after_s(application: Application, behavior: AwsBehavior) -> int:
    """Time from a launch until its containers run. [s]"""
    return behavior.provision_s + math.ceil(application.image_mb / behavior.pull_mb_per_s)


def _longer_starts_s(application: Application, behavior: AwsBehavior) -> NDArray[np.float64]:
    """How much longer than usual each launch takes until it is healthy; negative for less, 0 on average. [s]"""
    if behavior.start_time_cv == 0:
        return np.zeros(N_READY_WAITS)
    spread = math.sqrt(math.log1p(behavior.start_time_cv**2))
    factors = np.random.default_rng([behavior.seed, 2]).lognormal(-(spread**2) / 2, spread, N_READY_WAITS)
    return np.rint(_running_after_s(application, behavior) * (factors - 1.0))


def _policy(policy: TargetTrackingScalingPolicy | StepScalingPolicy, behavior: AwsBehavior) -> PolicyInputs:
    metric = policy.metric
    quick = metric.period_s < SECONDS_PER_MINUTE
    lag_s = behavior.metric_lag_s
    if metric.kind == "requests":
        lag_s = behavior.alb_metric_lag_s
    elif quick:
        lag_s = behavior.high_resolution_metric_lag_s
    if isinstance(policy, StepScalingPolicy):
        return PolicyInputs(
            kind=STEP_SCALING,
            metric=metric.kind,
            period_s=metric.period_s,
            lag_s=lag_s,
            scale_out_cooldown_s=policy.cooldown_s,
            scale_in_cooldown_s=policy.cooldown_s,
            threshold=policy.threshold,
            direction="up" if policy.is_upward else "down",
            datapoints_to_alarm=policy.datapoints_to_alarm,
            evaluation_periods=policy.evaluation_periods,
            steps=tuple((*step.bounds, step.scaling_adjustment) for step in policy.step_adjustments),
            adjustment_type=policy.adjustment_type,
            min_adjustment_magnitude=policy.min_adjustment_magnitude,
        )
    return PolicyInputs(
        metric=metric.kind,
        period_s=metric.period_s,
        lag_s=lag_s,
        target_value=policy.target_value,
        disable_scale_in=policy.disable_scale_in,
        scale_out_datapoints=behavior.high_resolution_scale_out_datapoints if quick else behavior.scale_out_datapoints,
        scale_in_datapoints=behavior.high_resolution_scale_in_datapoints if quick else behavior.scale_in_datapoints,
        low_factor=behavior.alb_low_factor if metric.kind == "requests" else behavior.low_factor,
        scale_out_cooldown_s=policy.scale_out_cooldown_s,
        scale_in_cooldown_s=policy.scale_in_cooldown_s,
    )


def scheduled_bounds(
    dynamics: Dynamics, setting: Setting
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None:
    """List the changes of the bounds where nothing but scheduled actions that set both of them changes any, quickly.

    Parameters
    ----------
    dynamics : Dynamics
        The candidate.
    setting : Setting
        What it shares with others.

    Returns
    -------
    tuple of numpy.ndarray, or None
        Steps, lower and upper bounds, where one of them changes; None if it is not so simple. [1, tasks, tasks]
    """
    actions = dynamics.scheduled_actions
    if any(isinstance(policy, PredictiveScalingPolicy) for policy in dynamics.scaling) or any(
        action.min_capacity is None or action.max_capacity is None for action in actions
    ):
        return None
    due = [np.array(setting.steps_of(action.schedule, action.timezone), dtype=np.int64) for action in actions]
    steps = np.maximum(np.concatenate([*due, np.zeros(0, dtype=np.int64)]), 0)
    number = np.repeat(np.arange(len(actions)), [len(each) for each in due])
    # Of those at one step, and before the first one, the latest counts; at one moment the last in the list.
    order = np.lexsort((number, np.concatenate([*due, np.zeros(0, dtype=np.int64)])))
    steps, number = steps[order], number[order]
    last = np.append(steps[1:] != steps[:-1], True)[: steps.size]
    steps, number = steps[last], number[last]
    low = np.array([action.min_capacity for action in actions], dtype=np.int64)[number]
    high = np.array([action.max_capacity for action in actions], dtype=np.int64)[number]
    moved = (low != np.append(dynamics.min_capacity, low)[:-1]) | (high != np.append(dynamics.max_capacity, high)[:-1])
    return steps[moved], low[moved], high[moved]


def _bounds(dynamics: Dynamics, setting: Setting) -> tuple[tuple[int, int, int, int], ...]:
    """List the changes of the bounds by scheduled actions and predictive scaling, from the first step of the warm-up on."""
    plain = scheduled_bounds(dynamics, setting)
    if plain is not None:
        return tuple(zip(*(values.tolist() for values in plain), itertools.repeat(0)))
    load = setting.usual_load
    due = sorted(
        (step, number)
        for number, action in enumerate(dynamics.scheduled_actions)
        for step in setting.steps_of(action.schedule, action.timezone)
    )
    scheduled = []
    for step, number in due:
        action = dynamics.scheduled_actions[number]
        name = f"The scheduled action {action.schedule}"
        scheduled.append(ScheduledBounds(max(step, 0), action.min_capacity, action.max_capacity, name))
    bounds = (dynamics.min_capacity, dynamics.max_capacity)
    for policy in dynamics.scaling:
        if isinstance(policy, PredictiveScalingPolicy) and policy.mode != "ForecastOnly":
            forecast = forecast_hourly(load.hourly_mean(), policy.history_days)
            floors = predictive_floors(forecast, _requests_per_s_at_target(policy, dynamics, setting))
            acts = floor_steps(floors, setting.step_s, setting.warm_up, policy.scheduling_buffer_time_s)
            return merge_bounds(
                scheduled, acts, *bounds, policy.max_capacity_breach_behavior, policy.max_capacity_buffer
            )
    return merge_bounds(scheduled, [], *bounds)


def _requests_per_s_at_target(policy: PredictiveScalingPolicy, dynamics: Dynamics, setting: Setting) -> float:
    """Load at which one task is at the target of predictive scaling. [requests/s]"""
    work = setting.workload
    if policy.metric.kind == "cpu":
        cpu_s = work.cpu_s_per_request(dynamics.cpu_architecture)
        return cpu_requests_per_s_at_target(dynamics.task_vcpu, cpu_s, policy.target_value)
    if policy.metric.kind == "requests":
        return alb_requests_per_s_at_target(policy.target_value)
    queue = setting.queue_of(dynamics)
    return memory_requests_per_s_at_target(
        dynamics.memory_mib,
        work.baseline_memory_mib,
        work.memory_mib_per_request,
        queue.residence_s,
        policy.target_value,
    )


def _on_grid(load: LoadProfile, step_s: int) -> NDArray[np.float64]:
    if load.step_s == step_s:
        return load.requests_per_s
    # A longer step of the load is laid over several of ours as it is.
    if load.step_s % step_s == 0:
        return np.repeat(load.requests_per_s, load.step_s // step_s)
    return load.resample(step_s).requests_per_s
