"""The section `load` of a scenario: where the load comes from, and what bends it.

Notes
-----
Whatever its kind, a load is shaped in one order: calendar, repeat, season, growth, events, noise, scale. What lays the load out
in time comes first, since all else depends on where a step lies; what is multiplied with all of it comes last, so that the
noise and the scale touch what events added, and season and growth do not. The alternative, a list of operations in the order
that a user writes, says more than anybody needs and can be got wrong.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from estimator.checks import require_number, shown
from estimator.documents import Section
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, described_fields
from estimator.workload.factors import DAYS_PER_YEAR, Decay
from estimator.workload.profile import MAX_STEPS, LoadProfile
from estimator.workload.rows import CutRule, GapRule, Unit
from estimator.workload.sources import load_from_csv, load_from_parquet

#: One for each day of a leap year.
MAX_EVENTS = 366
_MOST = f"A load has at most {MAX_STEPS:,} steps."


class Calendar(Section):
    """Where a local day or week lies in time, so that its hours follow daylight saving.

    Parameters
    ----------
    time_zone : str
        Name in the IANA database whose clocks the hours of the load are, such as ``Europe/Berlin``; a week begins on Monday.
    start : date
        First day, from 00:00 UTC, such as ``2026-01-01``.
    days : int
        Length, 365 for a year. [days]
    """

    time_zone: str
    start: dt.date
    days: int

    @field_validator("start", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        # A number would be read as seconds since 1970.
        written = isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
        if written or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        raise InvalidScenario(f"start is {shown(value)}; it must be a day such as 2026-01-01.")

    @field_validator("start")
    @classmethod
    def _of_our_time(cls, value: dt.date) -> dt.date:
        if not 1970 <= value.year < 2200:
            raise InvalidScenario(f"start is {value}; it must be a day from 1970-01-01 to 2199-12-31.")
        return value


class Season(Section):
    """A swing over the year, a cosine that the load is multiplied with.

    Parameters
    ----------
    swing_percent : float
        How far the season's peak lies above the year's mean, and its trough below, 0 to 100. [percent]
    peak_day : float
        Day of the year at whose noon the season peaks, 1 to 366; a load without a date begins on 1 January. [day]
    """

    swing_percent: float
    peak_day: float = 183.0


class LoadEvent(Section):
    """A flash crowd, a campaign, a holiday: it rises, holds and decays, and multiplies the load or adds to it.

    Parameters
    ----------
    start : float or datetime
        When the rise begins: hours from the beginning of the load, or a moment such as ``2026-11-27T08:00:00Z`` if the
        load has dates. [h]
    rise_s : float
        Time from the start to the full event, 0 for at once. [s]
    hold_s : float
        How long the event is full. [s]
    decay_s : float
        Time in which it ends; in exponential decay the time to 1/e of the event. [s]
    factor : float
        What the load is multiplied with while the event is full, below 1 for a holiday; either this or requests_per_s. [1]
    requests_per_s : float
        What is added to the load while the event is full. [requests/s]
    decay : str
        How it ends: ``linear`` or ``exponential``.
    """

    start: float | dt.datetime
    rise_s: float
    hold_s: float
    decay_s: float
    factor: float | None = None
    requests_per_s: float | None = None
    decay: Decay = "linear"

    @field_validator("start", mode="before")
    @classmethod
    def _hours_or_a_moment(cls, value: object) -> object:
        moment = value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            try:
                moment = dt.datetime.fromisoformat(value)
            except ValueError:
                moment = None
        if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
            return moment
        raise InvalidScenario(
            f"start is {shown(value if isinstance(value, str) else str(value))}; it must be hours from the beginning of the load, or a "
            "moment with its offset from UTC, such as 2026-11-27T08:00:00Z."
        )


class Noise(Section):
    """Lognormal noise of mean 1 that every step of the load is multiplied with.

    Parameters
    ----------
    percent : float
        Standard deviation of a step's factor. [percent]
    seed : int
        Another seed, another noise; the same seed, the same noise everywhere. [1]
    correlation_s : float
        Time after which the noise's memory (of its logarithm) is down to 1/e; 0 for none. [s]
    """

    percent: float
    seed: int
    correlation_s: float = 0.0


class ShapedLoad(Section):
    """A load of any kind and what bends it, applied in the order of these fields.

    Parameters
    ----------
    repeat : int
        How often the load is there in all, one after the other, such as 52 for a year of a week. [1]
    season : section
        A swing over the year; null for none.
    growth_percent_per_month : float
        Even growth from the beginning of the load, compounded, for each 730 hours; at the end of its period the load falls back
        to where it began. [percent/month]
    events : list of section
        Flash crowds, campaigns, holidays.
    noise : section
        Random ups and downs of each step; null for none.
    scale : float
        What the load is multiplied with at last, events too. [1]
    """

    # Only a scenario reads loads: that no kind has a reader of its own saves time at every start.
    model_config = ConfigDict(defer_build=True)

    repeat: int = 1
    season: Season | None = None
    growth_percent_per_month: float = 0.0
    events: Annotated[tuple[LoadEvent, ...], Field(max_length=MAX_EVENTS)] = ()
    noise: Noise | None = None
    scale: float = 1.0

    @property
    def files(self) -> tuple[str, ...]:
        """Paths that the load is read from, as they are given; none for a made load."""
        return ()

    @classmethod
    def field_names(cls) -> list[str]:
        """List the fields, those of the kind before those that other kinds have too.

        Returns
        -------
        list of str
            Names.
        """
        own = [name for record in cls.__mro__ for name in inspect.get_annotations(record)]
        return [name for name in own if name in cls.model_fields]

    @classmethod
    def described(cls) -> dict[str, str]:
        """Read what each field means, those that other kinds have too.

        Returns
        -------
        dict of str to str
            Description by field name.
        """
        found: dict[str, str] = {}
        for record in reversed(cls.__mro__):
            found |= described_fields(record)
        return found

    @model_serializer(mode="wrap")
    def _kind_first(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {name: values[name] for name in self.field_names() if name in values}

    def profile(self, folder: Path) -> LoadProfile:
        """Make or read the load and shape it; paths are relative to the folder."""
        load = self._laid_out(folder)
        most = MAX_STEPS // load.requests_per_s.size
        require_number("load.repeat", self.repeat, 1, most, whole=True, advice=_MOST)
        load = load.repeated(self.repeat)
        if self.season is not None:
            with _of("season"):
                load = load.with_season(self.season.swing_percent, self.season.peak_day)
        if self.growth_percent_per_month:
            with _of("growth_percent_per_month"):
                load = load.with_growth(self.growth_percent_per_month)
        for place, event in enumerate(self.events):
            with _of(f"events[{place}]"):
                load = self._with_event(load, event)
        if self.noise is not None:
            with _of("noise"):
                load = load.with_noise(self.noise.percent, self.noise.seed, self.noise.correlation_s)
        return load.scaled(self.scale)

    def _with_event(self, load: LoadProfile, event: LoadEvent) -> LoadProfile:
        if isinstance(event.start, dt.datetime) and load.start is None:
            calendar = ", or give the load a calendar" if "calendar" in type(self).model_fields else ""
            raise InvalidScenario(
                f"start is {event.start.isoformat()}, and the load has no dates. Give hours from its beginning{calendar}."
            )
        return load.with_event(
            event.start,
            event.rise_s,
            event.hold_s,
            event.decay_s,
            factor=event.factor,
            requests_per_s=event.requests_per_s,
            decay=event.decay,
        )

    @abstractmethod
    def _laid_out(self, folder: Path) -> LoadProfile:
        """Return the load before anything bends it, on its calendar."""


class LocalLoad(ShapedLoad):
    """A made day or week, whose hours may be those of a time zone.

    Parameters
    ----------
    step_s : int
        Length of a step; it must divide the day. [s]
    calendar : section
        A time zone, a first day and a length; null for a day or week without dates.
    """

    step_s: int = SECONDS_PER_MINUTE
    calendar: Calendar | None = None

    @model_validator(mode="after")
    def _one_length(self) -> LocalLoad:
        if self.calendar is not None and self.repeat != 1:
            raise InvalidScenario(
                f"repeat is {self.repeat} beside a calendar, which has its own length of {self.calendar.days} days. Leave repeat out "
                "and set calendar.days, so that the clocks stay right."
            )
        return self

    def _laid_out(self, folder: Path) -> LoadProfile:
        load, calendar = self._made(), self.calendar
        if calendar is None:
            return load
        # Before anything of that length is made.
        most = MAX_STEPS * load.step_s // SECONDS_PER_DAY
        require_number("load.calendar.days", calendar.days, 1, most, whole=True, advice=_MOST)
        with _of("calendar"):
            return load.in_time_zone(calendar.time_zone, calendar.start, calendar.days)

    @abstractmethod
    def _made(self) -> LoadProfile:
        """Return the day or week."""


class ConstantLoad(LocalLoad):
    """A load that never changes.

    Parameters
    ----------
    kind : str
        ``constant``.
    requests_per_s : float
        Request rate. [requests/s]
    """

    kind: Literal["constant"] = "constant"
    requests_per_s: float

    def _made(self) -> LoadProfile:
        return LoadProfile.constant(self.requests_per_s, self.step_s)


class DailyLoad(LocalLoad):
    """A day that swings between a trough and a peak.

    Parameters
    ----------
    kind : str
        ``daily``.
    peak_requests_per_s, trough_requests_per_s : float
        Request rates at the peak and half a day from it. [requests/s]
    peak_hour : float
        Hour of the peak, 0 to 24. [h]
    """

    kind: Literal["daily"] = "daily"
    peak_requests_per_s: float
    trough_requests_per_s: float
    peak_hour: float = 20.0

    def _made(self) -> LoadProfile:
        return LoadProfile.daily(self.peak_requests_per_s, self.trough_requests_per_s, self.peak_hour, self.step_s)


class WeeklyLoad(LocalLoad):
    """A week of daily swings, Monday first, with a different weekend.

    Parameters
    ----------
    kind : str
        ``weekly``.
    peak_requests_per_s, trough_requests_per_s : float
        Request rates of a working day, at the peak and half a day from it. [requests/s]
    peak_hour : float
        Hour of the peak, 0 to 24. [h]
    weekend_factor : float
        What the weekend's load is multiplied with. [1]
    """

    kind: Literal["weekly"] = "weekly"
    peak_requests_per_s: float
    trough_requests_per_s: float
    peak_hour: float = 20.0
    weekend_factor: float = 1.0

    def _made(self) -> LoadProfile:
        return LoadProfile.weekly(
            self.peak_requests_per_s, self.trough_requests_per_s, self.peak_hour, self.weekend_factor, self.step_s
        )


class SeasonalLoad(ShapedLoad):
    """A year of 365 days that swings between a trough and a peak, without days and weeks.

    Parameters
    ----------
    kind : str
        ``seasonal``.
    peak_requests_per_s, trough_requests_per_s : float
        Request rates at the height of the season and half a year from it. [requests/s]
    peak_day : float
        Day of the year at whose noon the season peaks, 1 to 366. [day]
    step_s : int
        Length of a step; it must divide the year. [s]
    """

    kind: Literal["seasonal"] = "seasonal"
    peak_requests_per_s: float
    trough_requests_per_s: float
    peak_day: float = 183.0
    step_s: int = SECONDS_PER_HOUR

    def _laid_out(self, folder: Path) -> LoadProfile:
        year_s = DAYS_PER_YEAR * SECONDS_PER_DAY
        # Before anything of that length is made.
        require_number("load.step_s", self.step_s, year_s // MAX_STEPS + 1, year_s, advice=_MOST)
        return LoadProfile.seasonal(self.peak_requests_per_s, self.trough_requests_per_s, self.peak_day, self.step_s)


class RowsLoad(ShapedLoad):
    """Request counts from the rows of a file.

    Parameters
    ----------
    path : str
        The file, relative to the scenario.
    timestamp_column, requests_column : str
        Names of the columns: starts of intervals (ISO 8601, or a Parquet file's timestamps), and requests in each interval.
    unit : str
        What the column of requests holds: ``requests`` in the interval, or their mean rate ``requests_per_s``.
    gaps : str
        What to do with missing intervals: ``error``, ``interpolate``, ``previous`` or ``zero``.
    whole : str
        What to do with a tail that fills no hour: ``error``, or cut the end to whole ``hours`` or ``days``.
    """

    path: str
    timestamp_column: str = "timestamp"
    requests_column: str = "requests"
    unit: Unit = "requests"
    gaps: GapRule = "error"
    whole: CutRule = "error"

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)


class CsvLoad(RowsLoad):
    """Request counts from a CSV file.

    Parameters
    ----------
    kind : str
        ``csv``.
    scale : float
        What the load is multiplied with at last, events too. [1]
    """

    kind: Literal["csv"] = "csv"

    def _laid_out(self, folder: Path) -> LoadProfile:
        columns = (self.timestamp_column, self.requests_column)
        return load_from_csv(folder / self.path, *columns, self.gaps, whole=self.whole, unit=self.unit)


class ParquetLoad(RowsLoad):
    """Request counts from a Parquet file.

    Parameters
    ----------
    kind : str
        ``parquet``.
    """

    kind: Literal["parquet"] = "parquet"

    def _laid_out(self, folder: Path) -> LoadProfile:
        columns = (self.timestamp_column, self.requests_column)
        return load_from_parquet(folder / self.path, *columns, self.gaps, whole=self.whole, unit=self.unit)


class AccessLogsLoad(ShapedLoad):
    """Requests counted from an Application Load Balancer's access logs.

    Parameters
    ----------
    kind : str
        ``access_logs``.
    path : str or list of str
        A folder (all ``*.log`` and ``*.log.gz`` below it), a file, or several of both, relative to the scenario.
    step_s : int
        Length of a step; it must divide an hour and be whole tens of seconds. [s]
    gaps : str
        What to do where five minutes have no line: ``error``, ``interpolate``, ``previous`` or ``zero``.
    whole : str
        What to do if the logs do not cover whole hours: ``error``, or cut the end to whole ``hours`` or ``days``.
    load_balancer : str
        Count only lines of this one, ``app/name/id``; null if the logs have no other.
    max_malformed_percent : float
        Lines that may be passed over because they are no log lines. [percent]
    """

    kind: Literal["access_logs"] = "access_logs"
    path: str | tuple[str, ...]
    step_s: int = SECONDS_PER_MINUTE
    gaps: GapRule = "error"
    whole: CutRule = "error"
    load_balancer: str | None = None
    max_malformed_percent: float = 0.0

    @field_validator("path", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        paths = value if isinstance(value, list | tuple) else [value]
        if not paths or not all(isinstance(path, str) for path in paths):
            raise InvalidScenario(f"path is {shown(value)}; it must be a folder, a file, or a list of both.")
        return value if isinstance(value, str) else tuple(paths)

    @property
    def files(self) -> tuple[str, ...]:
        """The paths, folders among them."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def _laid_out(self, folder: Path) -> LoadProfile:
        from estimator.workload.access_logs import load_from_access_logs

        load, _ = load_from_access_logs(
            [folder / path for path in self.files],
            self.step_s,
            self.gaps,
            whole=self.whole,
            load_balancer=self.load_balancer,
            max_malformed_percent=self.max_malformed_percent,
        )
        return load


Load = Annotated[
    ConstantLoad | DailyLoad | WeeklyLoad | SeasonalLoad | CsvLoad | ParquetLoad | AccessLogsLoad,
    Field(discriminator="kind"),
]
#: Every kind by its name in the document, and the sections inside them by the names of their fields.
LOADS: dict[str, type[ShapedLoad]] = {
    "constant": ConstantLoad,
    "daily": DailyLoad,
    "weekly": WeeklyLoad,
    "seasonal": SeasonalLoad,
    "csv": CsvLoad,
    "parquet": ParquetLoad,
    "access_logs": AccessLogsLoad,
}
LOAD_PARTS: dict[str, type[Section]] = {"calendar": Calendar, "season": Season, "events": LoadEvent, "noise": Noise}


@contextmanager
def _of(field: str) -> Iterator[None]:
    """Name the field that a message is about."""
    try:
        # A profile refuses what overflows; numpy need not warn of it besides.
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except InvalidScenario as error:
        raise InvalidScenario(f"load.{field}: {error}") from None
