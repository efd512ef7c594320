"""The section `service` of a scenario: one way to run the service, with its scaling policies."""

from __future__ import annotations

import datetime as dt
import math
import operator
import zoneinfo
from collections.abc import Mapping
from functools import reduce
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from estimator.checks import shown
from estimator.documents import Section
from estimator.errors import InvalidScenario
from estimator.load_sections import ShapedLoad
from estimator.service.application import Application
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DeploymentConfiguration
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.policies import POLICIES, ScalingPolicy, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.schedules import instants, recurrence_of
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize, require_offered
from estimator.simulation.occasions import CALENDAR
from estimator.units import SECONDS_PER_DAY
from estimator.workload.profile import LoadProfile

_WEEK_S, _MONTH_S = 7 * SECONDS_PER_DAY, 28 * SECONDS_PER_DAY
#: More periods than this nobody would want to wait for.
_MANY_PERIODS = 60


class PolicySection(Section):
    """A scaling policy; `policy_type` says which parameters it has."""

    policy_type: str

    def policy(self) -> ScalingPolicy:
        """Make the policy.

        Returns
        -------
        ScalingPolicy
            With AWS's parameters.

        Raises
        ------
        InvalidScenario
            If a value is out of range.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "policy_type"}
        made: ScalingPolicy = POLICIES[self.policy_type].parameters(**values)
        return made

    @model_validator(mode="after")
    def _allowed(self) -> PolicySection:
        self.policy()
        return self


def _section_of(policy_type: str) -> type[PolicySection]:
    """Make the section of one kind of policy: its fields are those of the policy."""
    record = POLICIES[policy_type].parameters
    hints = get_type_hints(record)
    values: dict[str, Any] = {name: (hints[name], item.default) for name, item in record.__dataclass_fields__.items()}
    made: type[PolicySection] = create_model(
        f"{policy_type}Policy",
        __base__=PolicySection,
        __doc__=record.__doc__,
        policy_type=(Literal[policy_type], Field(policy_type, description="AWS's name of this kind of policy.")),  # type: ignore[arg-type]
        **values,
    )
    return made


#: Sections of policies by AWS's ``PolicyType``.
POLICY_SECTIONS: dict[str, type[PolicySection]] = {policy_type: _section_of(policy_type) for policy_type in POLICIES}
#: Any of them; pydantic chooses by `policy_type`.
AnyPolicy: Any = Annotated[reduce(operator.or_, POLICY_SECTIONS.values()), Field(discriminator="policy_type")]


#: Fields that are short for one target tracking policy.
SHORT_FIELDS = ("target_value", "scale_out_cooldown_s", "scale_in_cooldown_s", "disable_scale_in")
#: Fields that say a thing at length, and those that say it in short: only one of the two counts.
_IN_PLACE_OF = {"scaling": SHORT_FIELDS, "capacity_provider_strategy": ("capacity_provider",)}


class Service(Section):
    """One way to run the service, such as the one that runs today; `estimator estimate` prices it.

    Parameters
    ----------
    cpu_units, memory_mib : int
        CPU and memory of a task; only pairs that Fargate has. [cpu units, MiB]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    min_capacity, max_capacity : int
        Bounds of the desired count. [tasks]
    target_value : float
        CPU utilization to hold; short for one target tracking policy, and not beside ``scaling``. [%]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Cooldowns of that policy. [s]
    disable_scale_in : bool
        True to never remove tasks by that policy.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    scaling : list of policies
        Scaling policies in place of that one, each with its ``policy_type`` (TargetTrackingScaling, StepScaling or PredictiveScaling) and AWS's
        parameters; null for that one, an empty list for none.
    scheduled_actions : list of ScheduledAction
        New bounds at given times: ``schedule`` (cron, rate or at), ``timezone``, ``min_capacity``, ``max_capacity``.
    capacity_provider_strategy : CapacityProviderStrategy
        A mix of FARGATE and FARGATE_SPOT: ``fargate_base``, ``fargate_weight`` and ``fargate_spot_weight``; null for ``capacity_provider``.
    deployment : DeploymentConfiguration
        How a new revision takes over; counts where ``operations`` has deployments.
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: Literal["X86_64", "ARM64"] = "X86_64"
    min_capacity: int = 2
    max_capacity: int = 10
    target_value: float = 60.0
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    disable_scale_in: bool = False
    capacity_provider: Literal["FARGATE", "FARGATE_SPOT"] = "FARGATE"
    scaling: tuple[AnyPolicy, ...] | None = None
    scheduled_actions: tuple[ScheduledAction, ...] = ()
    capacity_provider_strategy: CapacityProviderStrategy | None = None
    deployment: DeploymentConfiguration = DeploymentConfiguration()

    def policies(self) -> tuple[ScalingPolicy, ...]:
        """Make the scaling policies.

        Returns
        -------
        tuple of ScalingPolicy
            Those of ``scaling``, or the one that the short fields say.
        """
        if self.scaling is None:
            return (TargetTrackingScalingPolicy(**{name: getattr(self, name) for name in SHORT_FIELDS}),)
        return tuple(section.policy() for section in self.scaling)

    @property
    def without_effect(self) -> tuple[str, ...]:
        """Fields in whose place another one counts."""
        return tuple(name for long, names in _IN_PLACE_OF.items() if getattr(self, long) is not None for name in names)

    def _require_defaults(self) -> None:
        for name in self.without_effect:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise _said_twice(name, getattr(self, name))

    def spec(self, network: NetworkLayout, application: Application) -> ServiceSpec:
        """Make the candidate.

        Parameters
        ----------
        network : NetworkLayout
            Where the tasks stand.
        application : Application
            What is deployed.

        Returns
        -------
        ServiceSpec
            The candidate.

        Raises
        ------
        InvalidScenario
            If a value is one that AWS refuses.
        """
        self._require_defaults()
        strategy = self.capacity_provider_strategy or CapacityProviderStrategy.of(self.capacity_provider)
        size = TaskSize(self.cpu_units, self.memory_mib)
        require_offered(application.operating_system, size, self.cpu_architecture, strategy.uses_spot)
        return ServiceSpec(
            size,
            self.cpu_architecture,
            self.min_capacity,
            self.max_capacity,
            self.policies(),
            network,
            strategy,
            application.ephemeral_storage_gib,
            self.scheduled_actions,
            self.deployment,
        )


def require_one_way(service: object, where: str) -> None:
    """Refuse a section that says one thing in two ways, such as ``scaling`` beside ``target_value``: one of them would be lost.

    Parameters
    ----------
    service : object
        The section as it was written; fields count that stand there, even with their defaults.
    where : str
        What to call the document in messages.

    Raises
    ------
    InvalidScenario
        Naming both fields.

    Examples
    --------
    >>> require_one_way({"target_value": 60, "scaling": []}, "shop.yaml")
    Traceback (most recent call last):
    ...
    estimator.errors.InvalidScenario: shop.yaml: service.target_value is 60 beside service.scaling, and only one of them can count. Write \
it into a policy of scaling, or remove it.
    """
    if not isinstance(service, Mapping):
        return
    for long, names in _IN_PLACE_OF.items():
        name = next((name for name in names if name in service), None)
        if service.get(long) is not None and name is not None:
            raise InvalidScenario(f"{where}: service.{_said_twice(name, service[name])}")


def _said_twice(name: str, value: object) -> InvalidScenario:
    long, instead = "scaling", "Write it into a policy of scaling"
    if name == "capacity_provider":
        long, instead = "capacity_provider_strategy", "Say it by the weights of capacity_provider_strategy"
    given = "null" if value is None else str(value).lower() if isinstance(value, bool) else shown(value)
    return InvalidScenario(
        f"{name} is {given} beside service.{long}, and only one of them can count. {instead}, or remove it."
    )


def require_recurring(section: ShapedLoad, load: LoadProfile, service: Service | None, operations: Operations) -> None:
    """Refuse what cannot happen in each period of the load alike: the load repeats, and so does all that happens in it.

    Parameters
    ----------
    section : ShapedLoad
        The section ``load``.
    load : LoadProfile
        What it became.
    service : Service, optional
        The section ``service``; None if its scheduled actions do not count.
    operations : Operations
        The section ``operations``.

    Raises
    ------
    InvalidScenario
        Naming the field and what to do.
    """
    for place, action in enumerate(service.scheduled_actions if service is not None else ()):
        name = f"service.scheduled_actions[{place}].schedule"
        _require_recurring(name, action.schedule, action.timezone, section, load)
    for place, expression in enumerate(operations.deployment_schedules):
        name = f"operations.deployment_schedules[{place}]"
        _require_recurring(name, expression, operations.timezone, section, load)
    hours = {f"zone_losses_h[{place}]": hour for place, hour in enumerate(operations.zone_losses_h)}
    hours |= {f"spot_shortages[{place}].start_h": item.start_h for place, item in enumerate(operations.spot_shortages)}
    for name, hour in hours.items():
        if hour >= load.period_hours:
            raise InvalidScenario(
                f"operations.{name} is {hour:g}; it must be less than {load.period_hours:g}, the hours of the load's period: it counts "
                "from the period's start, and comes again with each period. Take an earlier hour, or a longer load by `repeat`."
            )


def _require_recurring(name: str, expression: str, timezone: str, section: ShapedLoad, load: LoadProfile) -> None:
    begin, hours = load.start or CALENDAR, f"{load.period_hours:g} hours"
    recurrence = recurrence_of(expression)
    dated = "calendar" in type(section).model_fields
    calendar = "`calendar: {time_zone: Europe/Berlin, start: 2026-01-01, days: 365}`"
    if recurrence.kind == "once":
        if not instants(expression, timezone, begin, begin + dt.timedelta(seconds=load.period_s)):
            own = "" if load.start else " (it has no dates of its own)"
            more = f", or dates to the load by {calendar}" if dated else ""
            raise InvalidScenario(
                f"{name} is {shown(expression)}, which lies outside the load's period: {hours} from {begin:%Y-%m-%dT%H:%M}Z{own}. Give a "
                f"time inside it{more}, or a cron(...) for what comes again."
            )
    elif recurrence.kind == "rate" and load.period_s % recurrence.every_s:
        unit_s = recurrence.every_s // recurrence.value
        even = next((k for k in range(recurrence.value, 0, -1) if load.period_s % (k * unit_s) == 0), None)
        times = recurrence.every_s // math.gcd(recurrence.every_s, load.period_s)
        advice = [f"a rate that divides them, such as rate({even} {recurrence.unit}{'s'[: even > 1]})"] if even else []
        advice += [f"`{_longer(section, times)}` in the section load"] if times <= _MANY_PERIODS else []
        raise InvalidScenario(
            f"{name} is {shown(expression)}, which would come at other times in each period of the load: a rate counts from the period's "
            f"start, and the load's {hours} are no multiple of it. Take {', or '.join([*advice, 'a cron(...)'])}."
        )
    elif recurrence.kind == "dates" and load.period_s < _MONTH_S:
        more = f"dates to the load by {calendar}" if dated and load.start is None else "a load of a month or more"
        raise InvalidScenario(
            f"{name} is {shown(expression)}, which goes by days of the month, months or years, and the load has {hours}, again and again. "
            f"Take a schedule of every day, such as cron(0 8 * * ? *), or give {more}."
        )
    elif recurrence.kind == "days" and load.period_s < _WEEK_S:
        fitting = (n for n in range(1, _MANY_PERIODS + 1) if _recurs(expression, timezone, begin, n * load.period_s))
        times = next(fitting, 1)
        if times > 1:
            week = ", a week that begins on a Monday" if times * load.period_s == _WEEK_S and not load.start else ""
            raise InvalidScenario(
                f"{name} is {shown(expression)}, which is not the same in each period of the load: that has {hours} and repeats. Write "
                f"`{_longer(section, times)}` into the section load{week}, or give a schedule of every day, such as cron(0 8 * * ? *)."
            )


def _recurs(expression: str, timezone: str, begin: dt.datetime, period_s: int) -> bool:
    """Say if a schedule is the same in all periods of some weeks, by the clock on the wall, which daylight saving does not move."""
    many = math.lcm(period_s, _WEEK_S) // period_s
    wall = begin.astimezone(zoneinfo.ZoneInfo(timezone)).replace(tzinfo=dt.UTC)
    due = {
        (moment - wall) // dt.timedelta(seconds=1)
        for moment in instants(expression, "UTC", wall, wall + dt.timedelta(seconds=many * period_s))
    }
    first = [second for second in due if second < period_s]
    return due == {second + k * period_s for second in first for k in range(many)}


def _longer(section: ShapedLoad, times: int) -> str:
    """Write the field that makes the load so many times as long."""
    calendar = getattr(section, "calendar", None)
    return f"repeat: {section.repeat * times}" if calendar is None else f"calendar.days: {calendar.days * times}"
