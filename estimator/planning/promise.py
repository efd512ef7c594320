"""The promise that a plan has to keep, and what a candidate that breaks it becomes: a Rejection."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from estimator.billing.savings_plan_options import TERM_HOURS
from estimator.checks import require_in_range, require_number, shown
from estimator.errors import InvalidScenario
from estimator.pricing.rates import require_region
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.extras import Extras
from estimator.service.network import LAYOUTS
from estimator.service.policies import MAX_COOLDOWN_S, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import CPU_ARCHITECTURES, TASK_SIZES, TaskSize

OFF = "Null switches the limit off."
#: Limits of which a candidate's figure does not depend on its course.
KNOWN_BEFORE = frozenset({"min_tasks", "min_availability_zones", "allowed_cpu_architectures", "allowed_regions"})


_MINUTES = {"low": 0, "high": 44_640, "advice": OFF}
_LATENCY = {"low": 0.001, "high": 600_000, "advice": OFF}


@dataclass(frozen=True)
class Promise:
    """Limits; each can be switched off with None.

    Parameters
    ----------
    p95_latency_ms, p99_latency_ms : float, optional
        95, and 99, of 100 requests of the period are answered within this time; those beyond capacity are not. [ms]
    max_minutes_over_capacity : float, optional
        Minutes of a month whose load is more than the healthy tasks can serve. [min/month]
    max_minutes_over_promise : float, optional
        Minutes of a month that are over capacity or in which ``p95_latency_ms`` does not hold. [min/month]
    max_refused_percent : float, optional
        Part of the requests at the tasks that is not served. [%]
    min_tasks : int, optional
        Fewest tasks that are always asked for. [tasks]
    min_availability_zones : int, optional
        Fewest zones with a task; so many tasks are asked for too. [1]
    memory_share : float
        Part of the time at the busiest minute for which a task's memory must suffice. [1]
    max_minutes_after_zone_loss : float, optional
        Minutes over capacity that the loss of a zone at the busiest minute adds; 0 for tasks that suffice without one that is started. [min]
    max_minutes_in_flash_crowd : float, optional
        Minutes over capacity that a flash crowd at the busiest minute adds. [min]
    flash_crowd_factor : float
        Load in the flash crowd, as a multiple of what it is otherwise. [1]
    flash_crowd_minutes : int
        How long it lasts; it comes at once. [min]
    max_minutes_in_spot_shortage : float, optional
        Minutes over capacity that a shortage of Fargate Spot adds, with every task on it lost and none launched; null to tolerate shortages. [min]
    spot_shortage_hours : float
        How long the shortage lasts, from the busiest minute on. [h]
    max_usd_per_month : float, optional
        Budget. [USD/month]
    max_vcpu : float, optional
        Most vCPU at once, those beside each other in a deployment included: the account's quota for this service. [vCPU]
    allowed_cpu_architectures : tuple of str
        Architectures that may be used; empty for all.
    allowed_regions : tuple of str
        Regions that may be used; empty for all.
    """

    p95_latency_ms: float | None = field(default=None, metadata=_LATENCY)
    max_minutes_over_capacity: float | None = field(default=5.0, metadata=_MINUTES)
    min_tasks: int | None = field(default=2, metadata={"low": 1, "high": 5000, "whole": True, "advice": OFF})
    min_availability_zones: int | None = field(default=2, metadata={"low": 1, "high": 6, "whole": True, "advice": OFF})
    memory_share: float = field(default=0.999, metadata={"low": 0.5, "high": 0.999999})
    p99_latency_ms: float | None = field(default=None, metadata=_LATENCY)
    max_minutes_over_promise: float | None = field(default=None, metadata=_MINUTES)
    max_refused_percent: float | None = field(default=None, metadata={"low": 0, "high": 100, "advice": OFF})
    max_minutes_after_zone_loss: float | None = field(default=None, metadata=_MINUTES)
    max_minutes_in_flash_crowd: float | None = field(default=None, metadata=_MINUTES)
    flash_crowd_factor: float = field(default=3.0, metadata={"low": 1, "high": 1000})
    flash_crowd_minutes: int = field(default=30, metadata={"low": 1, "high": 1440, "whole": True})
    max_minutes_in_spot_shortage: float | None = field(default=None, metadata=_MINUTES)
    spot_shortage_hours: float = field(default=1.0, metadata={"low": 0, "high": 744, "above": True})
    max_usd_per_month: float | None = field(
        default=None, metadata={"low": 0, "high": 1e12, "above": True, "advice": OFF}
    )
    max_vcpu: float | None = field(default=None, metadata={"low": 0, "high": 1e9, "above": True, "advice": OFF})
    allowed_cpu_architectures: tuple[str, ...] = ()
    allowed_regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.metadata and getattr(self, item.name) is not None:
                require_number(item.name, getattr(self, item.name), **item.metadata)
        for name in ("allowed_cpu_architectures", "allowed_regions"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))
        for architecture in self.allowed_cpu_architectures:
            require_architecture("allowed_cpu_architectures", architecture)
        for region in self.allowed_regions:
            require_region(region)


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if isinstance(values, str):
        raise InvalidScenario(f"{name} is one text; it must be a list, such as [{values}].")
    return tuple(values)


@dataclass(frozen=True)
class Rejection:
    """Why a candidate is not the plan.

    Parameters
    ----------
    constraint : str
        The limit that it breaks.
    limit : float or str
        What is allowed. [unit]
    actual : float or str
        What the candidate has; infinite if it has no bound. [unit]
    unit : str
        Unit of both.
    spec : ServiceSpec
        The candidate.
    usd_per_month : float
        Its bill; not a number if a rate is unknown. [USD/month]
    is_partial : bool
        True if the candidate was not simulated to the end, since the limit is broken whatever comes: it misses the limit by so much or more.
    is_least_usd : bool
        True if its bill is only known to be at least so much.
    """

    constraint: str
    limit: float | str
    actual: float | str
    unit: str
    spec: ServiceSpec = field(repr=False)
    usd_per_month: float = math.nan
    is_partial: bool = False
    is_least_usd: bool = False

    @property
    def usd_text(self) -> str:
        """Its bill, to read."""
        if not math.isfinite(self.usd_per_month):
            return "unknown"
        return f"{'at least ' if self.is_least_usd else ''}{self.usd_per_month:,.2f}"

    @property
    def miss(self) -> float:
        """How far the limit is missed, as a ratio of at least 0; infinite if without bound. [1]"""
        if isinstance(self.actual, str) or isinstance(self.limit, str):
            return math.inf
        if not math.isfinite(self.actual) or self.limit == 0:
            return math.inf if not math.isfinite(self.actual) else abs(self.actual)
        return abs(self.actual - self.limit) / abs(self.limit)

    @property
    def reason(self) -> str:
        """The broken limit, to read."""
        if self.constraint == "rate":
            return f"no rate is known for {self.unit}"
        if isinstance(self.actual, str) or isinstance(self.limit, str):
            return f"{self.constraint} is {self.actual}; it must be {self.limit}"
        side = "at most" if self.actual > self.limit else "at least"
        # Four digits read best, unless they hide the difference.
        actual, limit = (_digits(value, 4) for value in (self.actual, self.limit))
        if actual == limit:
            actual, limit = (_digits(value, 12) for value in (self.actual, self.limit))
        side_more = "more" if self.actual > self.limit else "less"
        more = f" or {side_more}" if self.is_partial and math.isfinite(self.actual) else ""
        return f"{self.constraint} is {actual}{more}; {side} {limit} {self.unit}"

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
            "actual": self.actual if isinstance(self.actual, str) or math.isfinite(self.actual) else None,
            "unit": self.unit,
            "usd_per_month": self.usd_per_month if math.isfinite(self.usd_per_month) else None,
            "is_partial": self.is_partial,
            "is_least_usd": self.is_least_usd,
            "candidate": self.spec.describe(),
        }


def _digits(value: float, digits: int) -> str:
    return f"{float(f'{value:.{digits}g}'):,.15g}" if math.isfinite(value) else "without bound"


@dataclass(frozen=True)
class Choices:
    """What the search may choose from; what is an empty list is not chosen but taken as the scenario has it.

    Parameters
    ----------
    cpu_architectures : tuple of str
        Architectures that the image exists for.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    target_values : tuple of float
        CPU targets. [%]
    min_capacities : tuple of int
        Minimums; empty to try 1, 2, 3, 4, 6 and quarters of what the peak needs. [tasks]
    max_capacity : int, optional
        Maximum; by default ``max_capacity_headroom`` times what the peak needs, and at least twice the minimum. [tasks]
    max_capacity_headroom : float
        See ``max_capacity``. [1]
    target_group_quota : int
        Tasks that the load balancer's target group takes: a quota of AWS, which raises it on request. [tasks]
    scale_out_cooldowns_s, scale_in_cooldowns_s : tuple of int
        Cooldowns. [s]
    cpu_units : tuple of int
        CPU of a task; empty for all that Fargate has. [cpu units]
    memory_mib : tuple of int
        Memory of a task; empty for all that Fargate has. [MiB]
    constant_counts : bool
        True to try services that do not scale too.
    scheduled_minimum_percents : tuple of float
        Minimums for the busy hours of the load, by scheduled actions, as a part of what the peak needs; 0 for none. Where the load has
        no busy hours that come again, there are none. [%]
    spot_percents : tuple of float
        Parts of the tasks above the minimum that are on Fargate Spot; 0 for On-Demand. With them ``capacity_provider`` does not count. [%]
    layouts : tuple of str
        Network layouts.
    deployment_strategies : tuple of str
        How a new revision takes over, with AWS's defaults for each strategy.
    savings_plan_terms : tuple of str
        Terms of Compute Savings Plans that may be bought, ``1yr`` and ``3yr``, each at the commitment that costs least; none is always a choice too.
    behind_cloudfront : tuple of bool
        With CloudFront, without, or either.
    container_insights : tuple of str
        Kinds of Container Insights.
    log_classes : tuple of str
        Classes of the log group.
    regions : tuple of str
        Regions beside the scenario's own.
    """

    cpu_architectures: tuple[str, ...] = ("X86_64", "ARM64")
    capacity_provider: str = "FARGATE"
    target_values: tuple[float, ...] = (40.0, 50.0, 60.0, 70.0, 80.0)
    min_capacities: tuple[int, ...] = ()
    max_capacity: int | None = field(default=None, metadata={"low": 1, "high": 5000, "whole": True})
    max_capacity_headroom: float = field(default=1.5, metadata={"low": 1.0, "high": 100.0})
    target_group_quota: int = field(default=1000, metadata={"low": 1, "high": 5000, "whole": True})
    scale_out_cooldowns_s: tuple[int, ...] = (60, 300)
    scale_in_cooldowns_s: tuple[int, ...] = (300,)
    cpu_units: tuple[int, ...] = ()
    memory_mib: tuple[int, ...] = ()
    constant_counts: bool = True
    scheduled_minimum_percents: tuple[float, ...] = (0.0, 75.0)
    spot_percents: tuple[float, ...] = ()
    layouts: tuple[str, ...] = ()
    deployment_strategies: tuple[str, ...] = ()
    savings_plan_terms: tuple[str, ...] = ()
    behind_cloudfront: tuple[bool, ...] = ()
    container_insights: tuple[str, ...] = ()
    log_classes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_in_range(self)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str) and item.name != "capacity_provider":
                _texts(item.name, value)
            if isinstance(value, list):
                object.__setattr__(self, item.name, tuple(value))
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
        for name in _NOT_EMPTY:
            if not getattr(self, name):
                raise InvalidScenario(f"{name} is empty; the search needs at least one.")
        for name, check in _CHECKS.items():
            for value in getattr(self, name):
                check(name, value)
        for region in self.regions:
            require_region(region)
        if not self.task_sizes:
            raise InvalidScenario(
                f"cpu_units is {list(self.cpu_units)} and memory_mib is {list(self.memory_mib)}; Fargate has no such task. "
                "`estimator schema` lists its sizes; leave one of them out for all that go with the other."
            )
        CapacityProviderStrategy.of(self.capacity_provider)

    @property
    def task_sizes(self) -> tuple[TaskSize, ...]:
        """The sizes of a task, small ones first."""
        return tuple(
            size
            for size in TASK_SIZES
            if (not self.cpu_units or size.cpu_units in self.cpu_units)
            and (not self.memory_mib or size.memory_mib in self.memory_mib)
        )


def require_architecture(name: str, value: str) -> None:
    """Raise unless a value is an architecture of Fargate.

    Parameters
    ----------
    name : str
        The field's name.
    value : str
        Its value.

    Raises
    ------
    InvalidScenario
        If it is none.
    """
    _one_of(CPU_ARCHITECTURES)(name, value)


def _one_of(allowed: Sequence[Any]) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if value not in allowed:
            raise InvalidScenario(
                f"{name} has {shown(value)}; it must be of {', '.join(str(each) for each in allowed)}."
            )

    return check


def _number(low: float, high: float, whole: bool = False) -> Callable[[str, Any], None]:
    return lambda name, value: require_number(name, value, low, high, whole=whole)


def _strategy(name: str, value: Any) -> None:
    DeploymentConfiguration(value)


def _target(name: str, value: Any) -> None:
    TargetTrackingScalingPolicy(value)


def _insights(name: str, value: Any) -> None:
    Extras(container_insights=value)


def _log_class(name: str, value: Any) -> None:
    Extras(log_class=value)


_NOT_EMPTY = ("cpu_architectures", "target_values", "scale_out_cooldowns_s", "scale_in_cooldowns_s")
_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "cpu_architectures": require_architecture,
    "target_values": _target,
    "min_capacities": _number(1, 5000, whole=True),
    "scale_out_cooldowns_s": _number(0, MAX_COOLDOWN_S, whole=True),
    "scale_in_cooldowns_s": _number(0, MAX_COOLDOWN_S, whole=True),
    "cpu_units": _one_of(sorted({size.cpu_units for size in TASK_SIZES})),
    "memory_mib": _one_of(sorted({size.memory_mib for size in TASK_SIZES})),
    "scheduled_minimum_percents": _number(0, 100),
    "spot_percents": _number(0, 100, whole=True),
    "layouts": _one_of(tuple(LAYOUTS)),
    "deployment_strategies": _strategy,
    "savings_plan_terms": _one_of(tuple(TERM_HOURS)),
    "behind_cloudfront": _one_of((True, False)),
    "container_insights": _insights,
    "log_classes": _log_class,
}
