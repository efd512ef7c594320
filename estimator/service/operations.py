"""Operations: what happens to the service beside its load, such as deployments, the loss of a zone, a shortage of Spot."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.checks import require_number
from estimator.errors import InvalidScenario
from estimator.service.schedules import require_schedule

MAX_HOURS = 8784


@dataclass(frozen=True, slots=True)
class SpotShortage:
    """A time in which no task of Fargate Spot can be launched; there is no fallback to On-Demand.

    Parameters
    ----------
    start_h : float
        Its begin, from the start of the load's period. [h]
    hours : float
        How long it lasts. [h]
    """

    start_h: float
    hours: float

    def __post_init__(self) -> None:
        require_number("start_h", self.start_h, 0, MAX_HOURS, advice="It counts from the start of the load's period.")
        require_number("hours", self.hours, 0, MAX_HOURS, above=True)


@dataclass(frozen=True, slots=True)
class Operations:
    """What happens to the service in one period of its load; nothing by default.

    Parameters
    ----------
    deployment_schedules : tuple of str
        When deployments begin, in AWS's schedule expressions such as ``cron(0 10 * * ? *)``; one that is still going on
        when the next is due lets that one pass.
    timezone : str
        Time zone of these expressions, such as ``Europe/Berlin``.
    zone_losses_h : tuple of float
        Hours, from the start of the load's period, at which a zone is lost; its tasks are replaced in the others. [h]
    spot_shortages : tuple of SpotShortage
        Times without Fargate Spot.

    Raises
    ------
    InvalidScenario
        If an expression is none, or a time is out of range.
    """

    deployment_schedules: tuple[str, ...] = ()
    timezone: str = "UTC"
    zone_losses_h: tuple[float, ...] = ()
    spot_shortages: tuple[SpotShortage, ...] = ()

    def __post_init__(self) -> None:
        for name in ("deployment_schedules", "zone_losses_h", "spot_shortages"):
            if isinstance(getattr(self, name), str):
                raise InvalidScenario(f"{name} is one text; it must be a list, such as ['cron(0 10 * * ? *)'].")
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for place, expression in enumerate(self.deployment_schedules):
            require_schedule(f"deployment_schedules[{place}]", expression, self.timezone)
        for place, hour in enumerate(self.zone_losses_h):
            require_number(
                f"zone_losses_h[{place}]", hour, 0, MAX_HOURS, advice="It counts from the start of the load's period."
            )
