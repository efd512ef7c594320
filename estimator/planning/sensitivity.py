"""What each uncertain parameter does to a service when it is moved alone: behavior_effects; and services that show it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from estimator.billing.costing import price_month
from estimator.billing.month import BilledMonth
from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.limits import broken_limits, require_consistent
from estimator.planning.promise import Promise
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import Rates, require_rates
from estimator.pricing.snapshots import load_rates
from estimator.service import uncertain
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU_20S,
    PredictiveScalingPolicy,
    ScheduledAction,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import WINDOWS, TaskSize
from estimator.service.uncertain import ELSEWHERE, UNCERTAIN, Uncertain, Value
from estimator.simulation.courses import MIN_WARM_UP_S, STEP_S, UNCOMPILED_STEPS
from estimator.simulation.engine import simulate
from estimator.units import HOURS_PER_MONTH
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: Every parameter that can be moved, by name.
MOVABLE: dict[str, Uncertain] = UNCERTAIN | ELSEWHERE


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What a service comes to in a month.

    Parameters
    ----------
    usd_per_month : float
        Its bill, without the lines whose rate is unknown. [USD/month]
    is_lower_bound : bool
        True if there are such lines.
    unknown : tuple of (str, float)
        Those lines with their quantities.
    mean_tasks : float
        Billed tasks, on average. [tasks]
    minutes_over_capacity_per_month : float
        Minutes whose load is more than the healthy tasks can serve. [min/month]
    p95_latency_ms : float
        Response time that 95 of 100 requests stay within; infinite if too many are refused. [ms]
    refused_share : float
        Part of the requests at the tasks that is not served. [1]
    """

    usd_per_month: float
    is_lower_bound: bool
    unknown: tuple[tuple[str, float], ...]
    mean_tasks: float
    minutes_over_capacity_per_month: float
    p95_latency_ms: float
    refused_share: float

    def is_close(self, other: ServiceFigures) -> bool:
        """Say whether two services come to the same, but for rounding.

        Parameters
        ----------
        other : ServiceFigures
            The other one.

        Returns
        -------
        bool
            True if no figure differs by more than a part of 1e-9.
        """
        return self.lacks_the_same(other) and all(
            math.isclose(getattr(self, name), getattr(other, name), rel_tol=1e-9, abs_tol=1e-12)
            for name in self._numbers
        )

    def lacks_the_same(self, other: ServiceFigures) -> bool:
        """Say whether the lines without a known rate have the same quantities, so that the difference of both bills is known.

        Parameters
        ----------
        other : ServiceFigures
            The other one.

        Returns
        -------
        bool
            True if so, or if there are none.
        """
        mine, others = dict(self.unknown), dict(other.unknown)
        return mine.keys() == others.keys() and all(math.isclose(mine[name], others[name]) for name in mine)

    @property
    def _numbers(self) -> tuple[str, ...]:
        return tuple(item.name for item in fields(self) if item.name != "unknown")

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready; what has no bound is None.
        """
        values = {name: getattr(self, name) for name in self._numbers}
        numbers = {name: value if math.isfinite(value) else None for name, value in values.items()}
        return numbers | {"unknown": dict(self.unknown)}


@dataclass(frozen=True, slots=True)
class BehaviorEffect:
    """What one parameter does to a service at one other value, all others left as they are.

    Parameters
    ----------
    name : str
        The parameter, a row of ``UNCERTAIN`` or ``ELSEWHERE``.
    value_before, value : float or bool
        Its value in the service as it is, and the one that it was moved to. [the parameter's unit]
    before, after : ServiceFigures
        The service as it is, and at the other value.
    broken : tuple of str
        Limits of the promise that break at the other value and hold at the first, each with its figures.
    """

    name: str
    value_before: Value
    value: Value
    before: ServiceFigures
    after: ServiceFigures
    broken: tuple[str, ...] = ()

    @property
    def difference_usd(self) -> float:
        """What the known lines are more at the other value. [USD/month]"""
        return self.after.usd_per_month - self.before.usd_per_month

    @property
    def is_difference_known(self) -> bool:
        """True unless a line without a known rate has another quantity."""
        return self.before.lacks_the_same(self.after)

    @property
    def difference_minutes(self) -> float:
        """How many minutes more are over capacity at the other value. [min/month]"""
        return self.after.minutes_over_capacity_per_month - self.before.minutes_over_capacity_per_month

    @property
    def has_effect(self) -> bool:
        """True if any figure is another at the other value."""
        return not self.before.is_close(self.after)

    def to_dict(self) -> dict[str, Any]:
        """Return the effect as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        row = MOVABLE[self.name]
        return {
            "parameter": self.name,
            "section": row.section,
            "unit": row.unit,
            "value_before": self.value_before,
            "value": self.value,
            "has_effect": self.has_effect,
            "difference_usd_per_month": self.difference_usd if self.is_difference_known else None,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "broken": list(self.broken),
        }


@dataclass(frozen=True, eq=False)
class Setting:
    """A service with its load, and all that is taken for granted of it.

    Parameters
    ----------
    title : str
        What it is, in words.
    workload : Workload
        The load and its requests.
    spec : ServiceSpec
        The service.
    application : Application
        What is deployed.
    promise : Promise
        Limits.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    extras : Extras
        What is billed around the service.
    """

    title: str
    workload: Workload
    spec: ServiceSpec
    application: Application = field(default_factory=Application)
    promise: Promise = field(default_factory=Promise)
    behavior: AwsBehavior = field(default_factory=AwsBehavior)
    operations: Operations = field(default_factory=Operations)
    extras: Extras = field(default_factory=Extras)

    def value_of(self, row: Uncertain) -> Value:
        """Say what a parameter is here.

        Parameters
        ----------
        row : Uncertain
            The parameter.

        Returns
        -------
        float or bool
            Its value; its default where nothing has it. [the row's unit]
        """
        owners: Sequence[object] = {
            uncertain.BEHAVIOR: (self.behavior,),
            uncertain.REQUEST: (self.workload,),
            uncertain.SCALING: self.spec.predictive,
            uncertain.EXTRAS: (self.extras,),
        }[row.section]
        return next((getattr(owner, row.name) for owner in owners), row.default)

    def moved(self, row: Uncertain, value: Value) -> Setting:
        """Move one parameter.

        Parameters
        ----------
        row : Uncertain
            The parameter.
        value : float or bool
            Its new value. [the row's unit]

        Returns
        -------
        Setting
            The same in all else.

        Raises
        ------
        InvalidScenario
            If the value does not go with the others.
        """
        to: dict[str, Any] = {row.name: value}
        if row.section == uncertain.BEHAVIOR:
            return replace(self, behavior=replace(self.behavior, **to))
        if row.section == uncertain.REQUEST:
            return replace(self, workload=replace(self.workload, **to))
        if row.section == uncertain.EXTRAS:
            return replace(self, extras=replace(self.extras, **to))
        scaling = tuple(
            replace(policy, **to) if isinstance(policy, PredictiveScalingPolicy) else policy
            for policy in self.spec.scaling
        )
        return replace(self, spec=replace(self.spec, scaling=scaling))


def behavior_effects(
    workload: Workload,
    rates: Rates,
    spec: ServiceSpec,
    application: Application | None = None,
    promise: Promise | None = None,
    behavior: AwsBehavior | None = None,
    operations: Operations | None = None,
    hours_per_month: float = HOURS_PER_MONTH,
    *,
    extras: Extras | None = None,
    names: Iterable[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[BehaviorEffect, ...]:
    """Move each uncertain parameter alone to each of its other values, and simulate and price the service again.

    The seed stays, so that a difference comes from the parameter and not from chance.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    spec : ServiceSpec
        The service.
    application : Application, optional
        What is deployed.
    promise : Promise, optional
        Limits; what breaks them is said.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS; where it is not the default, the default is one of the other values.
    operations : Operations, optional
        Deployments, loss of a zone, shortages of Fargate Spot.
    hours_per_month : float
        Length of the billed month. [h]
    extras : Extras, optional
        What is billed around the service.
    names : iterable of str, optional
        Parameters to move; by default all.
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    tuple of BehaviorEffect
        The parameter that changes the bill most comes first, among equals the one that changes minutes over capacity most; those that change
        nothing come last. A parameter's values stand together, low to high.

    Raises
    ------
    InvalidScenario
        If the parts do not fit together, or there is no such parameter.

    Examples
    --------
    At a constant load nothing is scaled: only what counts at all times shows.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, load_rates
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10, requests_per_connection=1)
    >>> effects = behavior_effects(work, load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512)), names=["connection_count_factor", "low_factor"])
    >>> [(effect.name, effect.value, effect.has_effect) for effect in effects]
    [('connection_count_factor', 2.0, True), ('low_factor', 0.7, False), ('low_factor', 0.8, False)]
    """
    setting = Setting(
        spec.describe(),
        workload,
        spec,
        application or Application(),
        promise or Promise(),
        behavior or AwsBehavior(),
        operations or Operations(),
        extras or Extras(),
    )
    require_rates(rates)
    require_consistent(workload, setting.application, spec.network, rates.region, spec, setting.extras)
    rows = [_row(name) for name in (MOVABLE if names is None else names)]
    moves = [(row, value, other) for row in rows for value, other in _others(setting, row)]
    _load_compiled(workload, len(moves) + 1)
    before, broken_before = _outcome(setting, rates, hours_per_month)
    found: list[BehaviorEffect] = []
    for row, value, other in moves:
        after, broken = _outcome(other, rates, hours_per_month)
        newly = tuple(reason for name, reason in broken.items() if name not in broken_before)
        found.append(BehaviorEffect(row.name, setting.value_of(row), value, before, after, newly))
        if progress is not None:
            progress(len(found) / len(moves))
    return _most_first(found)


def _row(name: str) -> Uncertain:
    if name not in MOVABLE:
        raise InvalidScenario(f"names has {shown(name)}; it must be of {', '.join(MOVABLE)}.")
    return MOVABLE[name]


def _others(setting: Setting, row: Uncertain) -> Iterable[tuple[Value, Setting]]:
    """List a parameter's other values that go with the rest of the setting."""
    for value in sorted({row.default, *row.moved} - {setting.value_of(row)}):
        try:
            yield value, setting.moved(row, value)
        except InvalidScenario:  # such as more unbilled seconds than it takes to provision
            continue


def _load_compiled(workload: Workload, runs: int) -> None:
    """Load the compiled loop where it pays: the engine takes it once it is there, and otherwise looks at each run alone."""
    seconds = workload.load.period_s + max(workload.load.period_s, MIN_WARM_UP_S)
    if runs * seconds / STEP_S > UNCOMPILED_STEPS:
        import estimator.simulation.compiled  # noqa: F401


def _outcome(setting: Setting, rates: Rates, hours_per_month: float) -> tuple[ServiceFigures, dict[str, str]]:
    """Simulate and price a setting: its figures, and the limits that it breaks with their figures."""
    run = simulate(
        setting.workload,
        [setting.spec],
        setting.application,
        setting.behavior,
        operations=setting.operations,
        p95_latency_ms=setting.promise.p95_latency_ms,
    )
    month = BilledMonth(
        setting.workload, run, setting.application, hours_per_month, rates.region, setting.behavior, setting.extras
    )
    bills = price_month(month, rates)
    (broken,) = broken_limits(month, setting.promise, bills)
    figures = ServiceFigures(
        usd_per_month=float(bills.total_usd[0]),
        is_lower_bound=bool(bills.unknown),
        unknown=tuple((name, float(bills.quantity[name][0])) for name in bills.unknown),
        mean_tasks=float(run.mean_billed_count[0]),
        minutes_over_capacity_per_month=float(run.minutes_over_capacity[0]) * month.periods,
        p95_latency_ms=float(run.p95_latency_ms[0]),
        refused_share=float(run.unserved_requests[0]) / max(setting.workload.task_load.requests, 1e-300),
    )
    return figures, {limit.constraint: limit.reason for limit in broken if limit.constraint != "rate"}


def _most_first(effects: Sequence[BehaviorEffect]) -> tuple[BehaviorEffect, ...]:
    groups: dict[str, list[BehaviorEffect]] = {}
    for effect in effects:
        groups.setdefault(effect.name, []).append(effect)

    def size(group: list[BehaviorEffect]) -> tuple[bool, float, float]:
        # What rounding leaves of the bill is no effect on it.
        usd = max(round(abs(effect.difference_usd), 6) for effect in group)
        minutes = max(abs(effect.difference_minutes) for effect in group)
        return any(effect.has_effect for effect in group), usd, minutes

    ordered = sorted(groups.values(), key=size, reverse=True)
    return tuple(effect for group in ordered for effect in group)


# Each parameter with a service that shows what it does, for the page docs/uncertain.md.

#: Prices of the page are those of a day, so that only the simulation and the bill change it.
PAGE_REGION, PAGE_DAY = "us-east-1", dt.date(2026, 11, 1)
#: The flash crowds of the page's four weeks begin so long after the begin of each week. [h]
_CROWDS_H = (57.3, 82.0, 36.7, 131.5)


def settings() -> dict[str, Setting]:
    """Make the services with which the page shows what the parameters do.

    Returns
    -------
    dict of str to Setting
        By what they show, the words in ``Uncertain.shows_with``.
    """
    by_requests = TargetTrackingScalingPolicy(900.0, predefined_metric_type=ALB_REQUESTS)
    base = Setting(
        "Four weeks with a peak of 400 requests/s at weekdays, 15 % of noise and a flash crowd of three times the load in each week; 20 ms of CPU "
        "time a request; tasks of 0.5 vCPU that hold 60 % of CPU; a rolling deployment each working day",
        Workload(_four_weeks(400.0), cpu_ms_per_request=20.0, response_kb=2.0),
        ServiceSpec(TaskSize(512, 1024), min_capacity=2, max_capacity=1000),
        operations=Operations(deployment_schedules=("cron(0 9 ? * MON-FRI *)",)),
    )

    def other(title: str, request: Mapping[str, Any] | None = None, **spec: Any) -> Setting:
        return replace(
            base, title=title, workload=replace(base.workload, **(request or {})), spec=replace(base.spec, **spec)
        )

    day = LoadProfile.constant(0.0).with_event(8, rise_s=3600, hold_s=36_000, decay_s=600, requests_per_s=150.0)
    small = {"load": _four_weeks(150.0)}
    kept = AwsBehavior(enforce_vcpu_quota=True)
    zones = replace(base.operations, zone_losses_h=tuple(168.0 * week + 36 for week in range(4)))
    return {
        uncertain.CPU_TARGET: base,
        uncertain.FINE_METRICS: other(
            "The same on the 20-second metric",
            scaling=(TargetTrackingScalingPolicy(predefined_metric_type=ECS_CPU_20S),),
        ),
        uncertain.REQUESTS_PER_TARGET: other(
            "The same on 900 requests per target and minute, which are 60 % of CPU", scaling=(by_requests,)
        ),
        uncertain.SILENT_NIGHTS: other(
            "150 requests/s from 8 to 19 o'clock and none at night, on 900 requests per target and minute",
            {"load": _noisy(day.repeated(28))},
            scaling=(by_requests,),
        ),
        uncertain.LARGE_IMAGE: replace(
            base, title="The first with an image of 400 MB", application=Application(image_mb=400)
        ),
        uncertain.SPOT: other(
            "The first with tasks of 2 vCPU that hold 75 % of CPU, three of four above the first on Fargate Spot",
            task_size=TaskSize(2048, 4096),
            scaling=(TargetTrackingScalingPolicy(75.0),),
            capacity_provider_strategy=CapacityProviderStrategy(1, 1, 3),
        ),
        uncertain.HUNDREDS: other(
            "Ten times the load, flash crowds of five times the load, on 900 requests per target and minute: up to 1,000 tasks",
            {"load": _four_weeks(4000.0, 5.0)},
            scaling=(by_requests,),
        ),
        uncertain.ZONE_LOSS: replace(
            other(
                "The first, holding 75 % of CPU, one of two zones lost in each week",
                scaling=(TargetTrackingScalingPolicy(75.0),),
            ),
            operations=zones,
        ),
        uncertain.QUOTA: replace(
            other("The first with a peak of 150 requests/s, in an account of 6 vCPU that launches no more", small),
            behavior=kept,
        ),
        uncertain.NO_QUOTA: other("The same where the quota is taken to be raised", small),
        uncertain.CONNECTIONS: other("The first with a connection for each request", {"requests_per_connection": 1.0}),
        uncertain.CLOUDFRONT: other(
            "The first behind CloudFront, which caches nothing, with 0.5 kB in and out",
            {"behind_cloudfront": True, "request_kb": 0.5, "response_kb": 0.5},
        ),
        uncertain.PREDICTIVE: other(
            "The first with predictive scaling besides, on the same 60 % of CPU",
            scaling=(*base.spec.scaling, PredictiveScalingPolicy()),
        ),
        uncertain.WINDOWS_TASKS: replace(
            other(
                "The first with Windows on 1 vCPU, and at least 30 tasks for three minutes of each hour by scheduled actions",
                task_size=TaskSize(1024, 2048),
                scheduled_actions=(
                    ScheduledAction("cron(0 * * * ? *)", min_capacity=30, max_capacity=1000),
                    ScheduledAction("cron(3 * * * ? *)", min_capacity=2, max_capacity=20),
                ),
            ),
            application=Application(operating_system=WINDOWS, deregistration_delay_s=5, stop_timeout_s=2),
        ),
        uncertain.SHARED_NAT: other(
            "The first behind one NAT gateway for two zones, each request with 2 kB from the internet",
            {"outbound_received_kb_per_request": 2.0},
            network=NetworkLayout.of("nat"),
        ),
        uncertain.LOGS_AROUND: replace(
            base,
            title="The first with access logs of the load balancer and Container Insights",
            extras=Extras(alb_access_logs=True, container_insights="enabled"),
        ),
        uncertain.INSIGHTS: replace(
            base,
            title="The first with Container Insights and its enhanced observability",
            extras=Extras(container_insights="enhanced"),
        ),
    }


def _four_weeks(peak_requests_per_s: float, crowd_factor: float = 3.0) -> LoadProfile:
    load = _noisy(LoadProfile.weekly(peak_requests_per_s, peak_requests_per_s / 8, weekend_factor=0.6).repeated(4))
    for week, hour in enumerate(_CROWDS_H):
        load = load.with_event(168 * week + hour, rise_s=60, hold_s=1800, decay_s=1800, factor=crowd_factor)
    return load


def _noisy(load: LoadProfile) -> LoadProfile:
    return load.with_noise(15, seed=1, correlation_s=300)


def shown_effects(progress: Callable[[float], None] | None = None) -> dict[str, tuple[BehaviorEffect, ...]]:
    """Move each parameter in the service that shows what it does.

    Parameters
    ----------
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    dict of str to tuple of BehaviorEffect
        By parameter, in the order of ``MOVABLE``; the same on every machine but for rounding.
    """
    rates = load_rates(PAGE_REGION, shipped_folder(), as_of=PAGE_DAY)
    found: dict[str, tuple[BehaviorEffect, ...]] = {}
    for name, setting in settings().items():
        names = [row.name for row in MOVABLE.values() if row.shows_with == name]
        effects = behavior_effects(
            setting.workload,
            rates,
            setting.spec,
            setting.application,
            setting.promise,
            setting.behavior,
            setting.operations,
            extras=setting.extras,
            names=names,
        )
        found |= {one: tuple(effect for effect in effects if effect.name == one) for one in names}
        if progress is not None:
            progress(len(found) / len(MOVABLE))
    return {name: found[name] for name in MOVABLE}
