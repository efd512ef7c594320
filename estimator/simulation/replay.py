"""What if a flash crowd comes: the same crowd under several ways to scale, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estimator.checks import require_number
from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    PredictiveScalingPolicy,
    ScalingPolicy,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import MAX_TASKS_PER_SERVICE, ServiceSpec
from estimator.simulation.engine import simulate
from estimator.simulation.result import Series, Simulation
from estimator.simulation.translation import queue_of
from estimator.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: Before the period the load rises evenly from nothing, as on a morning, so that each way comes to its own count without haste. [h]
MORNING_H = 12
#: Calm before the crowd, and at least so much after it, in which the service comes back to its old count. [h]
LEAD_H, TAIL_H = 1, 8
_STEP_S = 20
#: What the service's own way to scale is called.
AS_IT_IS = "As it is"
#: A target that no policy states. [%]
_USUAL_TARGET = 60.0
#: The maximum that is lifted is so far above what the crowd needs. [1]
_HEADROOM = 1.5


@dataclass(frozen=True, eq=False)
class Replay:
    """A flash crowd under several ways to scale.

    Parameters
    ----------
    names : tuple of str
        What each way is called, n of them.
    simulation : Simulation
        Their courses, all with their series.
    base_requests_per_s, peak_requests_per_s : float
        Load before the crowd and at its height. [requests/s]
    start_s, end_s : int
        When the crowd begins and has gone, from the start of the period. [s]
    max_capacity : int
        The maximum that all ways have. [tasks]
    own_max_capacity : int
        The maximum of the service as it was given. [tasks]
    left_out : tuple of str
        What of the service could not take part, and why.
    """

    names: tuple[str, ...]
    simulation: Simulation
    base_requests_per_s: float
    peak_requests_per_s: float
    start_s: int
    end_s: int
    max_capacity: int
    own_max_capacity: int
    left_out: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[Series, ...]:
        """The course of each way, in the order of the names."""
        return tuple(self.simulation.series[i] for i in range(len(self.names)))

    def to_frame(self) -> Any:
        """Compare the ways, one row for each.

        Returns
        -------
        pandas.DataFrame
            Indexed by name. ``first_scale_out_s`` counts from the begin of the crowd to the first scale-out, ``first_new_task_s`` to the end of the step
            with the first new healthy task, ``served_again_s`` to that of the last step over capacity (not a number if there is none);
            ``refused_percent`` is the part of the requests from the begin to the end of the crowd; ``extra_task_hours`` what is billed above
            the count before the crowd.
        """
        import pandas as pd

        return pd.DataFrame([self._row(series) for series in self.series], index=pd.Index(self.names, name="scaling"))

    def _row(self, series: Series) -> dict[str, float]:
        step_s = series.step_s
        first, last = self.start_s // step_s, math.ceil(self.end_s / step_s)
        before = int(series.desired_count[first - 1])
        out = [
            a.time_s for a in series.activities if a.time_s >= self.start_s and a.desired_count > a.desired_count_before
        ]
        newer = np.flatnonzero(series.healthy_count[first:] > before)
        over = np.flatnonzero(series.utilization[first:] > 1 + 1e-9)
        arrivals = series.requests_per_s[first:last].sum() * step_s
        return {
            "tasks_before": before,
            "peak_tasks": int(series.desired_count.max()),
            "first_scale_out_s": out[0] - self.start_s if out else math.nan,
            "first_new_task_s": float((newer[0] + 1) * step_s) if newer.size else math.nan,
            "served_again_s": float((over[-1] + 1) * step_s) if over.size else math.nan,
            "minutes_over_capacity": over.size * step_s / SECONDS_PER_MINUTE,
            "refused_percent": 100 * float(series.refused_requests[first:].sum()) / arrivals if arrivals else 0.0,
            "extra_task_hours": float((series.billed_count[first:] - before).sum()) * step_s / SECONDS_PER_HOUR,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        found = list(self.left_out)
        before = {
            name: int(self._row(series)["tasks_before"]) for name, series in zip(self.names, self.series, strict=True)
        }
        if len(set(before.values())) > 1:
            counts = ", ".join(f"{name} {count}" for name, count in before.items())
            found.append(
                f"The ways have come to different counts before the crowd ({counts}), and who has more refuses less: this head start is "
                "paid for in calm hours too."
            )
        left = {name: int(series.desired_count[-1]) for name, series in zip(self.names, self.series, strict=True)}
        late = [f"{name} {left[name]}" for name in self.names if left[name] > before[name]]
        if late:
            hours = (self.simulation.period_hours * SECONDS_PER_HOUR - self.end_s) / SECONDS_PER_HOUR
            found.append(
                f"{hours:.3g} hours after the crowd some ways still have more tasks than before it ({', '.join(late)}); their extra task-hours are "
                "counted up to then."
            )
        peak = int(self.simulation.peak_desired_count.max())
        if peak > self.own_max_capacity:
            found.append(
                f"The crowd asks for up to {peak} tasks; the service's max_capacity is {self.own_max_capacity}, which was lifted to "
                f"{self.max_capacity} here. Raise it, or the crowd meets the maximum first."
            )
        return tuple(found)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(float_format=lambda x: f"{x:,.1f}"))


def replay_flash_crowd(
    workload: Workload,
    spec: ServiceSpec,
    policies: Mapping[str, tuple[ScalingPolicy, ...]] | None = None,
    *,
    factor: float = 10.0,
    rise_s: int = 60,
    hold_s: int = 1800,
    decay_s: int = 1800,
    base_requests_per_s: float | None = None,
    max_capacity: int | None = None,
    application: Application | None = None,
    behavior: AwsBehavior | None = None,
    p95_latency_ms: float | None = None,
) -> Replay:
    """Send a flash crowd to a service under several ways to scale.

    Parameters
    ----------
    workload : Workload
        What one request asks for, and the load whose mean the crowd begins from.
    spec : ServiceSpec
        The service: size, minimum, capacity providers.
    policies : dict of str to tuple of ScalingPolicy, optional
        Ways to scale by name; by default those of `usual_policies`, and the service's own if it is none of them. Predictive scaling and
        scheduled actions take no part: nobody knows when a flash crowd comes.
    factor : float
        How many times the load rises. [1]
    rise_s, hold_s, decay_s : int
        How long it rises, stays and falls. [s]
    base_requests_per_s : float, optional
        Load before the crowd; the mean of the workload's by default. [requests/s]
    max_capacity : int, optional
        Maximum for all ways; by default lifted to what the crowd needs and half as much again, so that ways are compared and not the
        maximum. [tasks]
    application : Application, optional
        What is deployed.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS.
    p95_latency_ms : float, optional
        Promised p95 latency. [ms]

    Returns
    -------
    Replay
        One course for each way.

    Raises
    ------
    InvalidScenario
        If a value is out of range, or there is no load to begin from.

    Examples
    --------
    >>> from estimator.service.task_size import TaskSize
    >>> work = Workload(LoadProfile.constant(40), cpu_ms_per_request=10)
    >>> replay_flash_crowd(work, ServiceSpec(TaskSize(256, 512))).to_frame()["first_scale_out_s"].to_dict()
    {'CPU by the minute': 360, 'CPU by 20 seconds': 85, 'Requests per target': 360, 'Steps on CPU': 240}
    """
    require_number("factor", factor, 1, 1000, above=True, advice="It says how many times the load rises.")
    for name, value in (("rise_s", rise_s), ("hold_s", hold_s), ("decay_s", decay_s)):
        require_number(name, value, 0, 86_400, whole=True)
    base = workload.load.mean_requests_per_s if base_requests_per_s is None else base_requests_per_s
    require_number(
        "base_requests_per_s", base, 0, 1e9, above=True, advice="A crowd is so many times the load before it."
    )
    left_out = []
    if policies is None and not spec.deployment.is_rolling:
        left_out.append(
            f"Requests per target are left out: AWS does not follow them where a deployment moves traffic ({spec.deployment.strategy})."
        )
    if spec.scheduled_actions:
        left_out.append("The service's scheduled actions are left out: nobody knows at what time a flash crowd comes.")
    ways = dict(policies) if policies is not None else usual_policies(workload, spec)
    if policies is None and spec.watching not in ways.values():
        ways[AS_IT_IS] = spec.scaling
    if not ways:
        raise InvalidScenario(
            "policies is empty; give at least one way to scale, such as {'CPU': (TargetTrackingScalingPolicy(60),)}."
        )
    if spec.predictive or any(isinstance(p, PredictiveScalingPolicy) for scaling in ways.values() for p in scaling):
        left_out.append("The service's predictive scaling is left out: a flash crowd is one that no forecast has seen.")
        ways = {
            name: tuple(p for p in scaling if not isinstance(p, PredictiveScalingPolicy))
            for name, scaling in ways.items()
        }
    spec = replace(spec, scaling=spec.watching, scheduled_actions=())

    crowd_s = rise_s + hold_s + decay_s
    hours = LEAD_H + math.ceil(crowd_s / SECONDS_PER_HOUR) + TAIL_H
    calm = LoadProfile(np.full(hours * SECONDS_PER_HOUR // _STEP_S, float(base)), _STEP_S, "flash crowd")
    n_before = MORNING_H * SECONDS_PER_HOUR // _STEP_S
    morning = LoadProfile(base * np.arange(1, n_before + 1) / n_before, _STEP_S, "morning")
    load = calm.with_event(LEAD_H, rise_s=rise_s, hold_s=hold_s, decay_s=decay_s, factor=factor)
    work = replace(workload, load=load)

    candidates = [replace(spec, scaling=scaling) for scaling in ways.values()]
    if max_capacity is None:
        needed = base * factor * workload.task_share / _least_per_task(candidates, workload)
        max_capacity = min(max(spec.max_capacity, math.ceil(needed * _HEADROOM)), MAX_TASKS_PER_SERVICE)
    specs = [replace(candidate, max_capacity=max_capacity) for candidate in candidates]
    run = simulate(work, specs, application, behavior, range(len(specs)), p95_latency_ms=p95_latency_ms, before=morning)
    start_s = LEAD_H * SECONDS_PER_HOUR
    return Replay(
        tuple(ways),
        run,
        base,
        base * factor,
        start_s,
        start_s + crowd_s,
        max_capacity,
        spec.max_capacity,
        tuple(left_out),
    )


def usual_policies(workload: Workload, spec: ServiceSpec) -> dict[str, tuple[ScalingPolicy, ...]]:
    """List four ways to scale a service to the same target.

    Parameters
    ----------
    workload : Workload
        What one request asks for.
    spec : ServiceSpec
        The service; the first CPU target among its policies is taken, else 60 %.

    Returns
    -------
    dict of str to tuple of ScalingPolicy
        Target tracking on CPU by the minute, on CPU by 20 seconds, on requests per target (with rolling deployments only), and step
        scaling on CPU.
    """
    tracked = [
        policy
        for policy in spec.watching
        if isinstance(policy, TargetTrackingScalingPolicy) and policy.metric.kind == "cpu"
    ]
    given = tracked[0] if tracked else TargetTrackingScalingPolicy(_USUAL_TARGET)
    target = given.target_value
    requests = SECONDS_PER_MINUTE * _requests_per_s_at(target, workload, spec)
    half = (100 - target) / 2
    steps = (
        (StepAdjustment(20, 0.0, half), StepAdjustment(100, half, None))
        if half > 0
        else (StepAdjustment(100, 0.0, None),)
    )
    out = StepScalingPolicy(
        target, steps, adjustment_type="PercentChangeInCapacity", min_adjustment_magnitude=1, cooldown_s=180,
        evaluation_periods=1, datapoints_to_alarm=1,
    )  # fmt: skip
    less = StepScalingPolicy(
        round(0.7 * target, 6), (StepAdjustment(-10, None, 0.0),), comparison_operator="LessThanOrEqualToThreshold",
        adjustment_type="PercentChangeInCapacity", min_adjustment_magnitude=1, evaluation_periods=15, datapoints_to_alarm=15,
    )  # fmt: skip
    ways: dict[str, tuple[ScalingPolicy, ...]] = {
        "CPU by the minute": (replace(given, predefined_metric_type=ECS_CPU),),
        "CPU by 20 seconds": (replace(given, predefined_metric_type=ECS_CPU_20S),),
        "Requests per target": (replace(given, predefined_metric_type=ALB_REQUESTS, target_value=requests),),
        "Steps on CPU": (out, less),
    }
    if not spec.deployment.is_rolling:
        del ways["Requests per target"]
    return ways


def _least_per_task(candidates: Sequence[ServiceSpec], workload: Workload) -> float:
    """Least load that a task is left with: at half the usual target, or at a lower one that is tracked. [requests/s]"""
    watching = [policy for candidate in candidates for policy in candidate.watching]
    tracked = [policy for policy in watching if isinstance(policy, TargetTrackingScalingPolicy)]
    targets = [policy.target_value for policy in tracked if policy.metric.kind == "cpu"]
    requests = [policy.target_value / SECONDS_PER_MINUTE for policy in tracked if policy.metric.kind == "requests"]
    return min([_requests_per_s_at(min([_USUAL_TARGET / 2, *targets]), workload, candidates[0]), *requests])


def _requests_per_s_at(target_percent: float, workload: Workload, spec: ServiceSpec) -> float:
    """Load of one task at a CPU target. [requests/s]"""
    vcpu = spec.task_size.vcpu
    by_cpu = vcpu / workload.cpu_s_per_request(spec.cpu_architecture) * target_percent / 100
    return min(by_cpu, queue_of(workload, vcpu, spec.cpu_architecture).requests_per_s)
