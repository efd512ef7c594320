"""ServiceSpec: one candidate."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.fingerprints import fingerprint_of
from estimator.service.network import NetworkLayout
from estimator.service.scaling import TargetTrackingScalingPolicy
from estimator.service.task_size import CPU_ARCHITECTURES, TaskSize
from estimator.units import INCLUDED_EPHEMERAL_STORAGE_GIB

FARGATE = "FARGATE"
FARGATE_SPOT = "FARGATE_SPOT"
CAPACITY_PROVIDERS = (FARGATE, FARGATE_SPOT)
#: AWS, "Amazon ECS service quotas": tasks for each service.
MAX_TASKS_PER_SERVICE = 5000


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
    scaling : TargetTrackingScalingPolicy
        The scaling policy.
    network : NetworkLayout
        Where the tasks stand.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    ephemeral_storage_gib : int
        Ephemeral storage of a task; 20 are included. [GiB]

    Raises
    ------
    InvalidScenario
        If a value is one that AWS refuses.
    """

    task_size: TaskSize
    cpu_architecture: str = "X86_64"
    min_capacity: int = 2
    max_capacity: int = 10
    scaling: TargetTrackingScalingPolicy = field(default_factory=TargetTrackingScalingPolicy)
    network: NetworkLayout = field(default_factory=NetworkLayout)
    capacity_provider: str = FARGATE
    ephemeral_storage_gib: int = 20

    def __post_init__(self) -> None:
        if self.cpu_architecture not in CPU_ARCHITECTURES:
            raise InvalidScenario(
                f"cpu_architecture is {shown(self.cpu_architecture)}; it must be one of {', '.join(CPU_ARCHITECTURES)}."
            )
        if self.capacity_provider not in CAPACITY_PROVIDERS:
            raise InvalidScenario(
                f"capacity_provider is {shown(self.capacity_provider)}; it must be one of {', '.join(CAPACITY_PROVIDERS)}."
            )
        for name in ("min_capacity", "max_capacity"):
            require_number(name, getattr(self, name), 1, MAX_TASKS_PER_SERVICE, whole=True, advice="They are tasks.")
        if self.max_capacity < self.min_capacity:
            raise InvalidScenario(
                f"max_capacity is {self.max_capacity}; it must be min_capacity ({self.min_capacity}) to {MAX_TASKS_PER_SERVICE} tasks."
            )
        require_number(
            "ephemeral_storage_gib", self.ephemeral_storage_gib, INCLUDED_EPHEMERAL_STORAGE_GIB, 200, whole=True
        )

    def describe(self) -> str:
        """Say the candidate in one line.

        Returns
        -------
        str
            Such as ``2-10 tasks of 0.25 vCPU, 0.5 GB, ARM64, CPU target 60 %``.
        """
        spot = ", Fargate Spot" if self.capacity_provider == FARGATE_SPOT else ""
        return (
            f"{self.min_capacity}-{self.max_capacity} tasks of {self.task_size.vcpu:g} vCPU, {self.task_size.memory_gb:g} GB, "
            f"{self.cpu_architecture}, CPU target {self.scaling.target_value:g} %{spot}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the candidate as plain values.

        Returns
        -------
        dict
            Nested plain values, JSON-ready.
        """
        values = asdict(self)
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
