"""LoadProfile: requests per second on a regular grid, with its makers and what can be done with it."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.factors import DAYS_PER_YEAR, season
from estimator.workload.shapes import Shaped

#: More steps than a year of minutes has would not be a profile but a mistake.
MAX_STEPS = 1_100_000
#: More than any service has ever had; what is above is a mistake of units. [requests/s]
MAX_REQUESTS_PER_S = 1e9


@dataclass(frozen=True, eq=False)
class LoadProfile(Shaped):
    """One period of load, taken as periodic.

    Nothing changes a profile; every operation makes a new one. Grids never align themselves: two profiles are added or
    joined only on the same step and, where both have a start, in the same calendar.

    Parameters
    ----------
    requests_per_s : array_like, shape (n_steps,)
        Mean request rate of each step. [requests/s]
    step_s : int
        Length of a step. [s]
    name : str
        What it is, for figures and tables.
    start : datetime, optional
        Moment of the first step, with a time zone, for a profile that is bound to a calendar; kept in UTC.
    notes : tuple of str
        What was done to the figures on the way here, such as gaps that were filled; for people, not for the model.

    Raises
    ------
    InvalidScenario
        If a rate is negative or not a number, the start has no time zone, or the period is not a whole number of hours.

    Examples
    --------
    >>> LoadProfile([1.0, 3.0], step_s=1800).requests
    7200.0
    >>> (LoadProfile.constant(20) + LoadProfile.daily(30, 10).scaled(0.5)).mean_requests_per_s
    30.0
    """

    requests_per_s: NDArray[np.float64]
    step_s: int
    name: str = "load"
    start: dt.datetime | None = None
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        requests_per_s: ArrayLike,
        step_s: int,
        name: str = "load",
        start: dt.datetime | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        try:
            series = np.array(requests_per_s, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidScenario(f"requests_per_s must be numbers, one for each step; {error}.") from error
        if series.ndim != 1 or not 1 <= series.size <= MAX_STEPS:
            raise InvalidScenario(
                f"requests_per_s has shape {series.shape}; it must be one row of 1 to {MAX_STEPS:,} steps."
            )
        bad = np.flatnonzero(~((series >= 0) & (series <= MAX_REQUESTS_PER_S)))
        if bad.size:
            _require(f"requests_per_s in step {bad[0]}", float(series[bad[0]]))
        step_s = _step(step_s)
        if (series.size * step_s) % SECONDS_PER_HOUR or (SECONDS_PER_HOUR % step_s and step_s % SECONDS_PER_HOUR):
            hours = series.size * step_s / SECONDS_PER_HOUR
            raise InvalidScenario(
                f"The profile has {series.size} steps of {step_s} s, {hours:g} hours; a period must be whole hours, and an hour "
                "whole steps. Cut it to whole hours (best to whole days) or resample it."
            )
        series.setflags(write=False)
        object.__setattr__(self, "requests_per_s", series)
        object.__setattr__(self, "step_s", step_s)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "start", _in_utc(start))
        object.__setattr__(self, "notes", tuple(notes))

    @classmethod
    def constant(cls, requests_per_s: float, step_s: int = SECONDS_PER_MINUTE) -> LoadProfile:
        """Make a day of constant load.

        Parameters
        ----------
        requests_per_s : float
            Request rate. [requests/s]
        step_s : int
            Length of a step. [s]

        Returns
        -------
        LoadProfile
            One day.
        """
        _require("requests_per_s", requests_per_s)
        step_s = _step(step_s)
        return cls(np.full(SECONDS_PER_DAY // step_s, float(requests_per_s)), step_s, "constant")

    @classmethod
    def daily(
        cls,
        peak_requests_per_s: float,
        trough_requests_per_s: float,
        peak_hour: float = 20.0,
        step_s: int = SECONDS_PER_MINUTE,
    ) -> LoadProfile:
        """Make a day that swings between a trough and a peak as a cosine.

        Parameters
        ----------
        peak_requests_per_s : float
            Request rate at the peak. [requests/s]
        trough_requests_per_s : float
            Request rate half a day from the peak. [requests/s]
        peak_hour : float
            Hour of the peak, 0 to 24. [h]
        step_s : int
            Length of a step. [s]

        Returns
        -------
        LoadProfile
            One day.

        Examples
        --------
        >>> day = LoadProfile.daily(peak_requests_per_s=350, trough_requests_per_s=50)
        >>> round(day.mean_requests_per_s), round(day.peak_requests_per_s)
        (200, 350)
        """
        series = _day(peak_requests_per_s, trough_requests_per_s, peak_hour, step_s)
        return cls(series, step_s, "daily")

    @classmethod
    def weekly(
        cls,
        peak_requests_per_s: float,
        trough_requests_per_s: float,
        peak_hour: float = 20.0,
        weekend_factor: float = 1.0,
        step_s: int = SECONDS_PER_MINUTE,
    ) -> LoadProfile:
        """Make a week, Monday first, of daily swings with a different weekend.

        Parameters
        ----------
        peak_requests_per_s : float
            Request rate at the peak of a working day. [requests/s]
        trough_requests_per_s : float
            Request rate half a day from the peak. [requests/s]
        peak_hour : float
            Hour of the peak, 0 to 24. [h]
        weekend_factor : float
            What Saturday's and Sunday's load is multiplied with. [1]
        step_s : int
            Length of a step. [s]

        Returns
        -------
        LoadProfile
            Seven days.
        """
        _require("weekend_factor", weekend_factor)
        day = _day(peak_requests_per_s, trough_requests_per_s, peak_hour, step_s)
        return cls(np.concatenate([day] * 5 + [day * weekend_factor] * 2), step_s, "weekly")

    @classmethod
    def seasonal(
        cls,
        peak_requests_per_s: float,
        trough_requests_per_s: float,
        peak_day: float = 183,
        step_s: int = SECONDS_PER_HOUR,
    ) -> LoadProfile:
        """Make a year of 365 days that swings between a trough and a peak as a cosine, without days and weeks.

        For a season over days and weeks lay it over them: ``LoadProfile.weekly(...).repeated(52).with_season(...)``.

        Parameters
        ----------
        peak_requests_per_s : float
            Request rate at the height of the season. [requests/s]
        trough_requests_per_s : float
            Request rate half a year from it. [requests/s]
        peak_day : float
            Day of the year at whose noon the season peaks, 1 to 366. [day]
        step_s : int
            Length of a step. [s]

        Returns
        -------
        LoadProfile
            365 days.

        Examples
        --------
        >>> year = LoadProfile.seasonal(peak_requests_per_s=350, trough_requests_per_s=50)
        >>> round(year.mean_requests_per_s, 6), int(year.requests_per_s.argmax()) // 24 + 1
        (200.0, 183)
        """
        _require_swing(peak_requests_per_s, trough_requests_per_s)
        require_number("peak_day", peak_day, 1, 366)
        step_s = _step(step_s)
        begin_s = (0.5 - peak_day) * SECONDS_PER_DAY
        mean, swing = (
            (peak_requests_per_s + trough_requests_per_s) / 2,
            (peak_requests_per_s - trough_requests_per_s) / 2,
        )
        series = mean + swing * (season(DAYS_PER_YEAR * SECONDS_PER_DAY // step_s, step_s, begin_s, 1) - 1)
        return cls(np.maximum(series, 0), step_s, "seasonal")

    def resample(self, step_s: int) -> LoadProfile:
        """Change the step and keep every total.

        Finer steps repeat the rate of the step they lie in; coarser steps take the mean; steps that lie across each other
        take the parts that they overlap.

        Parameters
        ----------
        step_s : int
            The new step; it must divide the period. [s]

        Returns
        -------
        LoadProfile
            The same load on the other grid.

        Raises
        ------
        InvalidScenario
            If the grids do not fit into each other.

        Examples
        --------
        >>> LoadProfile([2.0, 4.0], 1800).resample(900).requests_per_s.tolist()
        [2.0, 2.0, 4.0, 4.0]
        """
        step_s = _step(step_s)
        if step_s == self.step_s:
            return self
        if self.period_s % step_s:
            raise InvalidScenario(
                f"A profile of {self.requests_per_s.size} steps of {self.step_s} s cannot be resampled to {step_s} s: the period "
                f"of {self.period_s} s must be whole steps. Choose a step that divides it."
            )
        if self.step_s % step_s == 0:
            return self._with(np.repeat(self.requests_per_s, self.step_s // step_s), step_s)
        if step_s % self.step_s == 0:
            return self._with(self.requests_per_s.reshape(-1, step_s // self.step_s).mean(axis=1), step_s)
        totals = np.concatenate([[0.0], np.cumsum(self.requests_per_s)]) * self.step_s
        edges = np.arange(self.period_s // step_s + 1) * step_s
        until = np.interp(edges, np.arange(totals.size) * self.step_s, totals)
        return self._with(np.maximum(np.diff(until), 0) / step_s, step_s)

    def scaled(self, factor: float) -> LoadProfile:
        """Multiply the load and keep its shape.

        Parameters
        ----------
        factor : float
            What every rate is multiplied with. [1]

        Returns
        -------
        LoadProfile
            The scaled load.
        """
        _require("scale", factor)
        return self._with(self.requests_per_s * factor)

    def __add__(self, other: LoadProfile) -> LoadProfile:
        """Add two loads on the same grid; the shorter one is repeated if it fits into the longer one."""
        if not isinstance(other, LoadProfile):
            return NotImplemented
        self._require_step(other, "added")
        long, short = (self, other) if self.period_s >= other.period_s else (other, self)
        times, rest = divmod(long.period_s, short.period_s)
        if rest:
            raise InvalidScenario(
                f"A profile of {short.period_hours:g} hours cannot be added to one of {long.period_hours:g} hours: the shorter must fit "
                "into the longer a whole number of times. Cut the longer with between, or repeat both to one length."
            )
        starts = {each.start for each in (self, other) if each.start is not None}
        if len(starts) > 1:
            first, second = (each.isoformat() for each in sorted(starts))
            raise InvalidScenario(
                f"The profiles begin at {first} and at {second}; to be added they must begin at one moment. Cut them with between, or "
                "move one with starting_at."
            )
        return LoadProfile(
            long.requests_per_s + np.tile(short.requests_per_s, times),
            self.step_s,
            self.name if self.name == other.name else f"{self.name} + {other.name}",
            next(iter(starts), None),
            self.notes + tuple(note for note in other.notes if note not in self.notes),
        )

    def repeated(self, times: int) -> LoadProfile:
        """Put the profile after itself.

        Parameters
        ----------
        times : int
            How often it is there in all; 52 makes nearly a year of a week. [1]

        Returns
        -------
        LoadProfile
            The longer profile, from the same start.

        Examples
        --------
        >>> LoadProfile.weekly(350, 50).repeated(52).period_hours
        8736.0
        """
        require_number("times", times, 1, MAX_STEPS // self.requests_per_s.size, whole=True)
        return self._with(np.tile(self.requests_per_s, int(times)))

    def followed_by(self, other: LoadProfile) -> LoadProfile:
        """Put another profile after this one.

        Parameters
        ----------
        other : LoadProfile
            What follows, on the same step; if both have a start, its start must be this one's end.

        Returns
        -------
        LoadProfile
            Both, from this one's start.

        Examples
        --------
        >>> LoadProfile.constant(1).followed_by(LoadProfile.constant(3)).mean_requests_per_s
        2.0
        """
        self._require_step(other, "joined")
        if self.start is not None and other.start is not None:
            end = self.start + dt.timedelta(seconds=self.period_s)
            if other.start != end:
                raise InvalidScenario(
                    f"The second profile begins at {other.start.isoformat()}; it must begin where the first ends, at {end.isoformat()}. "
                    "Move it with starting_at."
                )
        return self._with(np.concatenate([self.requests_per_s, other.requests_per_s]))

    def between(self, start_h: float, end_h: float) -> LoadProfile:
        """Cut out a part.

        Parameters
        ----------
        start_h, end_h : float
            Hours from the beginning of the profile; both must be edges of steps, and whole hours apart. [h]

        Returns
        -------
        LoadProfile
            The part; a start moves with it.

        Examples
        --------
        >>> LoadProfile([1.0, 2.0, 3.0, 4.0], 1800).between(1, 2).requests_per_s.tolist()
        [3.0, 4.0]
        """
        require_number("start_h", start_h, 0, self.period_hours)
        require_number("end_h", end_h, start_h, self.period_hours, above=True, advice="It comes after start_h.")
        first, last = (hours * SECONDS_PER_HOUR / self.step_s for hours in (start_h, end_h))
        if round(first, 6) % 1 or round(last, 6) % 1:
            raise InvalidScenario(
                f"A profile with steps of {self.step_s} s cannot be cut from {start_h:g} to {end_h:g} hours: both must be edges of steps."
            )
        start = self.start and self.start + dt.timedelta(seconds=round(first) * self.step_s)
        return self._with(self.requests_per_s[round(first) : round(last)], start=start)

    def tail(self, hours: float) -> LoadProfile:
        """Cut out the end.

        Parameters
        ----------
        hours : float
            Length of what is kept; 24 for the last day. [h]

        Returns
        -------
        LoadProfile
            The last hours; a start moves with them.

        Examples
        --------
        >>> LoadProfile([1.0, 2.0, 3.0], 3600).tail(2).requests_per_s.tolist()
        [2.0, 3.0]
        """
        require_number("hours", hours, 0, self.period_hours, above=True)
        return self.between(self.period_hours - hours, self.period_hours)

    def starting_at(self, start: dt.datetime | None) -> LoadProfile:
        """Bind the profile to the calendar, or free it.

        Parameters
        ----------
        start : datetime or None
            Moment of the first step, with a time zone; None to forget it.

        Returns
        -------
        LoadProfile
            The same figures from that moment.

        Examples
        --------
        >>> LoadProfile.constant(1).starting_at(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).tail(1).start.isoformat()
        '2026-01-01T23:00:00+00:00'
        """
        return LoadProfile(self.requests_per_s, self.step_s, self.name, start, self.notes)

    def _with(
        self, requests_per_s: NDArray[np.float64], step_s: int | None = None, *, start: dt.datetime | None = None
    ) -> LoadProfile:
        return LoadProfile(requests_per_s, step_s or self.step_s, self.name, start or self.start, self.notes)

    def _require_step(self, other: LoadProfile, done: str) -> None:
        if self.step_s != other.step_s:
            raise InvalidScenario(
                f"Profiles with steps of {self.step_s} s and {other.step_s} s cannot be {done}: grids never align themselves. Resample "
                "one of them first."
            )

    @property
    def period_s(self) -> int:
        """Length of the period. [s]"""
        return self.requests_per_s.size * self.step_s

    @property
    def period_hours(self) -> float:
        """Length of the period. [h]"""
        return self.period_s / SECONDS_PER_HOUR

    @cached_property
    def requests(self) -> float:
        """Requests in one period. [requests]"""
        return math.fsum(self.requests_per_s) * self.step_s

    @property
    def mean_requests_per_s(self) -> float:
        """Mean request rate. [requests/s]"""
        return self.requests / self.period_s

    @property
    def peak_requests_per_s(self) -> float:
        """Highest request rate of a step. [requests/s]"""
        return float(self.requests_per_s.max())

    def hourly_mean(self) -> NDArray[np.float64]:
        """Mean request rate of each hour of the period.

        Returns
        -------
        numpy.ndarray, shape (n_hours,)
            Request rate. [requests/s]
        """
        return self.resample(SECONDS_PER_HOUR).requests_per_s

    def fingerprint(self) -> str:
        """Return SHA-256 over the series, its step and its start, equal in every process.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        begin = f"{self.start.isoformat()}:" if self.start else ""
        return hashlib.sha256(
            f"{self.step_s}:{begin}".encode() + self.requests_per_s.astype("<f8").tobytes()
        ).hexdigest()


def _require(name: str, value: float) -> None:
    require_number(name, value, 0, MAX_REQUESTS_PER_S)


def _step(step_s: int) -> int:
    require_number("step_s", step_s, 1, 366 * SECONDS_PER_DAY, whole=True, advice="It is in seconds.")
    return int(step_s)


def _day(peak: float, trough: float, peak_hour: float, step_s: int) -> NDArray[np.float64]:
    _require_swing(peak, trough)
    require_number("peak_hour", peak_hour, 0, 24)
    step_s = _step(step_s)
    middle_h = (np.arange(SECONDS_PER_DAY // step_s) + 0.5) * step_s / SECONDS_PER_HOUR
    swing = (1 + np.cos((middle_h - peak_hour) * 2 * np.pi / 24)) / 2
    return np.asarray(trough + (peak - trough) * swing, dtype=np.float64)


def _require_swing(peak: float, trough: float) -> None:
    _require("peak_requests_per_s", peak)
    _require("trough_requests_per_s", trough)
    if trough > peak:
        raise InvalidScenario(
            f"trough_requests_per_s is {trough:g}, above peak_requests_per_s {peak:g}; the trough must be the lower one."
        )


def _in_utc(start: dt.datetime | None) -> dt.datetime | None:
    if start is None:
        return None
    if not isinstance(start, dt.datetime) or start.utcoffset() is None:
        raise InvalidScenario(
            f"start is {shown(str(start))}; it must be a moment with a time zone, as in datetime(2026, 3, 1, tzinfo=UTC)."
        )
    return start.astimezone(dt.UTC)
