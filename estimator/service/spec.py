"""ServiceSpec: one candidate."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.fingerprints import fingerprint_of
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.network import NetworkLayout
from estimator.service.policies import (
    ALB_REQUESTS,
    PredictiveScalingPolicy,
    ScalingPolicy,
    ScheduledAction,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
    configuration_of,
    policy_type_of,
)
from estimator.service.task_size import CPU_ARCHITECTURES, TaskSize
from estimator.units import INCLUDED_EPHEMERAL_STORAGE_GIB

#: AWS, "Amazon ECS service quotas": tasks for each service.
MAX_TASKS_PER_SERVICE = 5000
#: Policies that watch a metric; AWS allows more, the time loop does not. [1]
MAX_POLICIES = 8


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One way to run the service.

    Parameters
    ----------
    task_size : TaskSize
        CPU and memory of a task.
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    min_capacity, max_capacity : int
        Bounds of the desired count. [tasks]
    scaling : tuple of ScalingPolicy
        The scaling policies: any of them scales out, all must agree to scale in. One may be given as it is; with none the desired count
        stays where the bounds put it.
    network : NetworkLayout
        Where the tasks stand.
    capacity_provider_strategy : CapacityProviderStrategy
        What the tasks run on; ``FARGATE`` or ``FARGATE_SPOT`` may be given as a text.
    ephemeral_storage_gib : int
        Ephemeral storage of a task; 20 are included. [GiB]
    scheduled_actions : tuple of ScheduledAction
        New bounds at given times.
    deployment : DeploymentConfiguration
        How a new revision takes over.

    Raises
    ------
    InvalidScenario
        If a value is one that AWS refuses.
    """

    task_size: TaskSize
    cpu_architecture: str = "X86_64"
    min_capacity: int = 2
    max_capacity: int = 10
    scaling: tuple[ScalingPolicy, ...] = (TargetTrackingScalingPolicy(),)
    network: NetworkLayout = field(default_factory=NetworkLayout)
    capacity_provider_strategy: CapacityProviderStrategy = field(default_factory=CapacityProviderStrategy)
    ephemeral_storage_gib: int = 20
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    deployment: DeploymentConfiguration = field(default_factory=DeploymentConfiguration)

    def __post_init__(self) -> None:
        # What a user gives may be one policy, a list, or the name of one provider.
        scaling: Any = self.scaling
        object.__setattr__(self, "scaling", tuple(scaling) if isinstance(scaling, (tuple, list)) else (scaling,))
        object.__setattr__(self, "scheduled_actions", tuple(self.scheduled_actions))
        strategy: Any = self.capacity_provider_strategy
        if not isinstance(strategy, CapacityProviderStrategy):
            object.__setattr__(self, "capacity_provider_strategy", CapacityProviderStrategy.of(strategy))
        if self.cpu_architecture not in CPU_ARCHITECTURES:
            raise InvalidScenario(
                f"cpu_architecture is {shown(self.cpu_architecture)}; it must be one of {', '.join(CPU_ARCHITECTURES)}."
            )
        for policy in self.scaling:
            policy_type_of(policy)
        if len(self.watching) > MAX_POLICIES:
            raise InvalidScenario(
                f"scaling has {len(self.watching)} policies that watch a metric; it must have at most {MAX_POLICIES}."
            )
        tracked = [
            policy.predefined_metric_type for policy in self.scaling if isinstance(policy, TargetTrackingScalingPolicy)
        ]
        twice = next((name for name in tracked if tracked.count(name) > 1), None)
        if twice is not None:
            raise InvalidScenario(
                f"scaling tracks {twice} twice; AWS takes one target tracking policy for each metric. Remove one."
            )
        if ALB_REQUESTS in tracked and not self.deployment.is_rolling:
            raise InvalidScenario(
                f"scaling tracks {ALB_REQUESTS} and the deployment strategy is {self.deployment.strategy}: that policy follows one target group, "
                "and traffic moves to another. Track CPU or memory, or set strategy to ROLLING."
            )
        if len(self.predictive) > 1:
            raise InvalidScenario(f"scaling has {len(self.predictive)} predictive policies; it must have at most one.")
        for name in ("min_capacity", "max_capacity"):
            require_number(name, getattr(self, name), 1, MAX_TASKS_PER_SERVICE, whole=True, advice="They are tasks.")
        if self.max_capacity < self.min_capacity:
            raise InvalidScenario(
                f"max_capacity is {self.max_capacity}; it must be min_capacity ({self.min_capacity}) to {MAX_TASKS_PER_SERVICE} tasks."
            )
        require_number(
            "ephemeral_storage_gib", self.ephemeral_storage_gib, INCLUDED_EPHEMERAL_STORAGE_GIB, 200, whole=True
        )

    @property
    def is_constant(self) -> bool:
        """True if nothing ever changes the desired count."""
        return self.min_capacity == self.max_capacity and not self.scaling and not self.scheduled_actions

    @property
    def least_capacity(self) -> int:
        """Fewest tasks that are asked for at any time. [tasks]"""
        if not self.scheduled_actions:
            return self.min_capacity
        return min([self.min_capacity, *(a.min_capacity for a in self.scheduled_actions if a.min_capacity is not None)])

    def with_task_size(self, task_size: TaskSize) -> ServiceSpec:
        """Take tasks of another size, quickly: nothing else is checked again, and it depends on nothing else.

        Parameters
        ----------
        task_size : TaskSize
            The size.

        Returns
        -------
        ServiceSpec
            The same in all else.
        """
        other = object.__new__(ServiceSpec)
        for name in self.__slots__:
            object.__setattr__(other, name, task_size if name == "task_size" else getattr(self, name))
        return other

    @property
    def watching(self) -> tuple[TargetTrackingScalingPolicy | StepScalingPolicy, ...]:
        """The policies that watch a metric, in their order."""
        return tuple(policy for policy in self.scaling if not isinstance(policy, PredictiveScalingPolicy))

    @property
    def predictive(self) -> tuple[PredictiveScalingPolicy, ...]:
        """The policies that forecast."""
        return tuple(policy for policy in self.scaling if isinstance(policy, PredictiveScalingPolicy))

    def describe_scaling(self) -> str:
        """Say how the candidate scales.

        Returns
        -------
        str
            Such as ``CPU target 60 %``.
        """
        parts = [policy.describe() for policy in self.scaling] or ["no scaling policy"]
        if self.scheduled_actions:
            n = len(self.scheduled_actions)
            least = [action.min_capacity for action in self.scheduled_actions if action.min_capacity is not None]
            to = f" (min up to {max(least)})" if least and max(least) > self.min_capacity else ""
            parts.append(f"{n} scheduled action{'s' if n > 1 else ''}{to}")
        return ", ".join(parts)

    def describe(self) -> str:
        """Say the candidate in one line.

        Returns
        -------
        str
            Such as ``2-10 tasks of 0.25 vCPU, 0.5 GB, ARM64, CPU target 60 %``.
        """
        spot = self.capacity_provider_strategy.describe()
        count, scaling = f"{self.min_capacity}-{self.max_capacity} tasks", self.describe_scaling()
        if self.is_constant:
            count, scaling = f"{self.min_capacity} {'task' if self.min_capacity == 1 else 'tasks'}", "constant count"
        return (
            f"{count} of {self.task_size.vcpu:g} vCPU, {self.task_size.memory_gb:g} GB, "
            f"{self.cpu_architecture}, {scaling}{f', {spot}' if spot else ''}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the candidate as plain values.

        Returns
        -------
        dict
            Nested plain values, JSON-ready.
        """
        values = asdict(self)
        values["scaling"] = [configuration_of(policy) for policy in self.scaling]
        values["scheduled_actions"] = [asdict(action) for action in self.scheduled_actions]
        values["network"]["interface_endpoints"] = list(self.network.interface_endpoints)
        return values

    def fingerprint(self) -> str:
        """Return SHA-256 over canonical JSON, equal in every process.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        return fingerprint_of(self.to_dict())
