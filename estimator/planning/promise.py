"""The promise that a plan has to keep, and what a candidate that breaks it becomes: a Rejection."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from estimator.checks import require_in_range, require_number
from estimator.errors import InvalidScenario
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.policies import MAX_COOLDOWN_S, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TASK_SIZES

OFF = "Null switches the limit off."


@dataclass(frozen=True)
class Promise:
    """Limits; each can be switched off with None.

    Parameters
    ----------
    p95_latency_ms : float, optional
        95 of 100 requests of the period are answered within this time; those beyond capacity are not. [ms]
    max_minutes_over_capacity : float, optional
        Minutes of a month whose load is more than the healthy tasks can serve. [min/month]
    min_tasks : int, optional
        Fewest tasks that are always asked for. [tasks]
    min_availability_zones : int, optional
        Fewest zones with a task; so many tasks are asked for too. [1]
    memory_share : float
        Part of the time at the busiest minute for which a task's memory must suffice. [1]
    """

    p95_latency_ms: float | None = field(default=None, metadata={"low": 0.001, "high": 600_000, "advice": OFF})
    max_minutes_over_capacity: float | None = field(default=5.0, metadata={"low": 0, "high": 44_640, "advice": OFF})
    min_tasks: int | None = field(default=2, metadata={"low": 1, "high": 5000, "whole": True, "advice": OFF})
    min_availability_zones: int | None = field(default=2, metadata={"low": 1, "high": 6, "whole": True, "advice": OFF})
    memory_share: float = field(default=0.999, metadata={"low": 0.5, "high": 0.999999})

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) is not None:
                require_number(item.name, getattr(self, item.name), **item.metadata)


@dataclass(frozen=True)
class Rejection:
    """Why a candidate is not the plan.

    Parameters
    ----------
    constraint : str
        The limit that it breaks.
    limit : float
        What is allowed. [unit]
    actual : float
        What the candidate has; infinite if it has no bound. [unit]
    unit : str
        Unit of both.
    spec : ServiceSpec
        The candidate.
    usd_per_month : float
        Its bill; not a number if a rate is unknown. [USD/month]
    """

    constraint: str
    limit: float
    actual: float
    unit: str
    spec: ServiceSpec = field(repr=False)
    usd_per_month: float = math.nan

    @property
    def miss(self) -> float:
        """How far the limit is missed, as a ratio of at least 0; infinite if without bound. [1]"""
        if not math.isfinite(self.actual) or self.limit == 0:
            return math.inf if not math.isfinite(self.actual) else abs(self.actual)
        return abs(self.actual - self.limit) / abs(self.limit)

    @property
    def reason(self) -> str:
        """The broken limit, to read."""
        if self.constraint == "rate":
            return f"no rate is known for {self.unit}"
        side = "at most" if self.actual > self.limit else "at least"
        # Four digits read best, unless they hide the difference.
        actual, limit = (_digits(value, 4) for value in (self.actual, self.limit))
        if actual == limit:
            actual, limit = (_digits(value, 12) for value in (self.actual, self.limit))
        return f"{self.constraint} is {actual}; {side} {limit} {self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rejection as plain values.

        Returns
        -------
        dict
            JSON-ready; no bound is None.
        """
        return {
            "constraint": self.constraint,
            "limit": self.limit,
            "actual": self.actual if math.isfinite(self.actual) else None,
            "unit": self.unit,
            "usd_per_month": self.usd_per_month if math.isfinite(self.usd_per_month) else None,
            "candidate": self.spec.describe(),
        }


def _digits(value: float, digits: int) -> str:
    return f"{float(f'{value:.{digits}g}'):,.15g}" if math.isfinite(value) else "without bound"


@dataclass(frozen=True)
class Choices:
    """What the search may choose from.

    Parameters
    ----------
    cpu_architectures : tuple of str
        Architectures that the image exists for.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    target_values : tuple of float
        CPU targets. [%]
    min_capacities : tuple of int
        Minimums; empty to try 1, 2, 3 and quarters of what the peak needs. [tasks]
    max_capacity : int, optional
        Maximum; by default ``max_capacity_headroom`` times what the peak needs, and at least twice the minimum. [tasks]
    max_capacity_headroom : float
        See ``max_capacity``. [1]
    target_group_quota : int
        Tasks that the load balancer's target group takes: a quota of AWS, which raises it on request. [tasks]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Cooldowns. [s]
    """

    cpu_architectures: tuple[str, ...] = ("X86_64", "ARM64")
    capacity_provider: str = "FARGATE"
    target_values: tuple[float, ...] = (40.0, 50.0, 60.0, 70.0, 80.0)
    min_capacities: tuple[int, ...] = ()
    max_capacity: int | None = field(default=None, metadata={"low": 1, "high": 5000, "whole": True})
    max_capacity_headroom: float = field(default=1.5, metadata={"low": 1.0, "high": 100.0})
    target_group_quota: int = field(default=1000, metadata={"low": 1, "high": 5000, "whole": True})
    scale_out_cooldown_s: int = field(default=300, metadata={"low": 0, "high": MAX_COOLDOWN_S, "whole": True})
    scale_in_cooldown_s: int = field(default=300, metadata={"low": 0, "high": MAX_COOLDOWN_S, "whole": True})

    def __post_init__(self) -> None:
        require_in_range(self)
        if self.max_capacity is not None and self.max_capacity > self.target_group_quota:
            raise InvalidScenario(
                f"max_capacity is {self.max_capacity}; it must be at most target_group_quota, {self.target_group_quota}. "
                "AWS raises that quota on request: set it to yours."
            )
        if self.max_capacity is not None and self.min_capacities and min(self.min_capacities) > self.max_capacity:
            raise InvalidScenario(
                f"max_capacity is {self.max_capacity}; it must be at least one of min_capacities, of which the smallest is "
                f"{min(self.min_capacities)}."
            )
        for name in ("cpu_architectures", "target_values"):
            if not getattr(self, name):
                raise InvalidScenario(f"{name} is empty; the search needs at least one.")
        for target in self.target_values:
            TargetTrackingScalingPolicy(target)
        for minimum in self.min_capacities:
            require_number("min_capacities", minimum, 1, 5000, whole=True)
        for architecture in self.cpu_architectures:
            ServiceSpec(TASK_SIZES[0], architecture)
        CapacityProviderStrategy.of(self.capacity_provider)
