"""The valid Fargate sizes."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.units import CPU_UNITS_PER_VCPU, MIB_PER_FARGATE_GB

X86_64 = "X86_64"
ARM64 = "ARM64"
CPU_ARCHITECTURES = (X86_64, ARM64)
#: Operating system families of a task.
LINUX, WINDOWS = "LINUX", "WINDOWS"
OPERATING_SYSTEMS = (LINUX, WINDOWS)
#: Sizes of tasks with Windows. [vCPU] Source: AWS, "Fargate task definition differences", read 2026.
WINDOWS_VCPU = (1, 2, 4)

#: Memory sizes by CPU units. [MiB] Source: AWS, "Fargate task definition differences", read 2026 (32 vCPU is new:
#: some regions and tools
#: may not have it yet).
MEMORY_MIB: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
    32768: (61440, 122880, 249856),
}


@dataclass(frozen=True, slots=True, order=True)
class TaskSize:
    """CPU and memory of a task; only pairs that Fargate has.

    Parameters
    ----------
    cpu_units : int
        CPU; 1024 is one vCPU. [cpu units]
    memory_mib : int
        Memory. [MiB]

    Raises
    ------
    InvalidScenario
        If Fargate does not have the pair.

    Examples
    --------
    >>> TaskSize(256, 512).vcpu
    0.25
    """

    cpu_units: int
    memory_mib: int

    def __post_init__(self) -> None:
        if self.cpu_units not in MEMORY_MIB:
            raise InvalidScenario(
                f"cpu_units is {self.cpu_units}; Fargate has {', '.join(map(str, MEMORY_MIB))} (1024 is one vCPU). Choose one of them."
            )
        allowed = MEMORY_MIB[self.cpu_units]
        if self.memory_mib not in allowed:
            raise InvalidScenario(
                f"memory_mib is {self.memory_mib} with cpu_units {self.cpu_units}; Fargate has {_ranges(allowed)} MiB for it. "
                "Choose one of them."
            )

    @property
    def vcpu(self) -> float:
        """CPU. [vCPU]"""
        return self.cpu_units / CPU_UNITS_PER_VCPU

    @property
    def memory_gb(self) -> float:
        """Memory as Fargate bills it. [GB of 1024 MiB]"""
        return self.memory_mib / MIB_PER_FARGATE_GB


#: Every valid size, small ones first.
TASK_SIZES: tuple[TaskSize, ...] = tuple(TaskSize(cpu, memory) for cpu, sizes in MEMORY_MIB.items() for memory in sizes)


def is_offered(operating_system: str, task_size: TaskSize, cpu_architecture: str, uses_spot: bool = False) -> bool:
    """Say whether Fargate runs such tasks with an operating system.

    Parameters
    ----------
    operating_system : str
        ``LINUX`` or ``WINDOWS``.
    task_size : TaskSize
        CPU and memory of a task.
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    uses_spot : bool
        True if some tasks may run on Fargate Spot.

    Returns
    -------
    bool
        True for all with Linux.

    References
    ----------
    .. [1] AWS, "Amazon ECS task definition differences for Fargate": Windows with 1, 2 and 4 vCPU on X86_64; AWS Batch, "RuntimePlatform":
       no Fargate Spot with Windows. Read 2026-11.

    Examples
    --------
    >>> is_offered("WINDOWS", TaskSize(1024, 2048), "X86_64"), is_offered("WINDOWS", TaskSize(512, 1024), "X86_64")
    (True, False)
    """
    if operating_system != WINDOWS:
        return True
    return task_size.vcpu in WINDOWS_VCPU and cpu_architecture == X86_64 and not uses_spot


def require_offered(operating_system: str, task_size: TaskSize, cpu_architecture: str, uses_spot: bool = False) -> None:
    """Raise unless Fargate runs such tasks with an operating system.

    Parameters
    ----------
    operating_system : str
        ``LINUX`` or ``WINDOWS``.
    task_size : TaskSize
        CPU and memory of a task.
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    uses_spot : bool
        True if some tasks may run on Fargate Spot.

    Raises
    ------
    InvalidScenario
        With what Windows has.
    """
    require_operating_system(operating_system)
    if not is_offered(operating_system, task_size, cpu_architecture, uses_spot):
        raise InvalidScenario(
            f"operating_system is WINDOWS with {task_size.vcpu:g} vCPU on {cpu_architecture}{' and Spot' if uses_spot else ''}; Fargate has "
            "Windows with 1, 2 and 4 vCPU on X86_64, without Spot. Choose one of these, or LINUX."
        )


def require_operating_system(operating_system: object) -> None:
    """Raise unless Fargate has an operating system.

    Parameters
    ----------
    operating_system : object
        What was given.

    Raises
    ------
    InvalidScenario
        Naming those that there are.
    """
    if operating_system not in OPERATING_SYSTEMS:
        raise InvalidScenario(
            f"operating_system is {shown(operating_system)}; Fargate has {' and '.join(OPERATING_SYSTEMS)}. Choose one of them."
        )


def _ranges(sizes: tuple[int, ...]) -> str:
    if len(sizes) <= 4:
        return ", ".join(map(str, sizes))
    return f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"
