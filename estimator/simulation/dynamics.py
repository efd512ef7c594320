"""Dynamics: what of a candidate decides its course; candidates with equal dynamics are simulated once."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.service.deployment import DeploymentConfiguration
from estimator.service.operations import Operations
from estimator.service.policies import (
    PredictiveScalingPolicy,
    ScalingPolicy,
    ScheduledAction,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.units import CPU_UNITS_PER_VCPU, SECONDS_PER_MINUTE


@dataclass(frozen=True)
class Dynamics:
    """What of a candidate decides its course; candidates that differ in prices, or in memory that nothing watches, share it.

    Parameters
    ----------
    cpu_units, memory_mib : int
        Size of a task; memory is 0 where no policy watches it. [cpu units, MiB]
    cpu_architecture : str
        Architecture.
    min_capacity, max_capacity : int
        Bounds. [tasks]
    scaling : tuple of ScalingPolicy
        Policies.
    scheduled_actions : tuple of ScheduledAction
        Scheduled actions.
    spot_base : int
        On-Demand tasks that come first. [tasks]
    spot_share : float
        Fargate Spot's part of the others. [1]
    deployment : DeploymentConfiguration, optional
        How a new revision takes over, where there are deployments.
    zones : int
        Zones, where one is lost. [1]
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: str
    min_capacity: int
    max_capacity: int
    scaling: tuple[ScalingPolicy, ...]
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    spot_base: int = 0
    spot_share: float = 0.0
    deployment: DeploymentConfiguration | None = None
    zones: int = 0

    @property
    def task_vcpu(self) -> float:
        """CPU of a task. [vCPU]"""
        return self.cpu_units / CPU_UNITS_PER_VCPU

    @property
    def watching(self) -> tuple[TargetTrackingScalingPolicy | StepScalingPolicy, ...]:
        """The policies that watch a metric."""
        return tuple(policy for policy in self.scaling if not isinstance(policy, PredictiveScalingPolicy))

    @property
    def step_s(self) -> int:
        """Length of a step: 20 with a 20-second metric, else 60. [s]"""
        return min((policy.metric.period_s for policy in self.watching), default=SECONDS_PER_MINUTE)

    @property
    def scales_in(self) -> bool:
        """True if a policy may remove tasks, so that the peak is forgotten."""
        return any(
            not policy.disable_scale_in
            if isinstance(policy, TargetTrackingScalingPolicy)
            else policy.adjustment_type == "ExactCapacity"
            or any(step.scaling_adjustment < 0 for step in policy.step_adjustments)
            for policy in self.watching
        )


def dynamics_of(spec: ServiceSpec, operations: Operations) -> Dynamics:
    """Take from a candidate what decides its course.

    Parameters
    ----------
    spec : ServiceSpec
        The candidate.
    operations : Operations
        What happens to it.

    Returns
    -------
    Dynamics
        Equal for candidates with equal courses.
    """
    strategy = spec.capacity_provider_strategy
    watches_memory = any(policy.metric.kind == "memory" for policy in spec.scaling)
    return Dynamics(
        cpu_units=spec.task_size.cpu_units,
        memory_mib=spec.task_size.memory_mib if watches_memory else 0,
        cpu_architecture=spec.cpu_architecture,
        min_capacity=spec.min_capacity,
        max_capacity=spec.max_capacity,
        scaling=spec.scaling,
        scheduled_actions=spec.scheduled_actions,
        spot_base=strategy.fargate_base if strategy.uses_spot else 0,
        spot_share=strategy.spot_share,
        deployment=spec.deployment if operations.deployment_schedules else None,
        zones=spec.network.availability_zones if operations.zone_losses_h else 0,
    )
