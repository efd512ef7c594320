"""What bends a load profile: season, growth, events, noise, and a local clock with daylight saving."""

from __future__ import annotations

import datetime as dt
import math
from typing import Self

import numpy as np

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.units import HOURS_PER_MONTH, SECONDS_PER_DAY, SECONDS_PER_HOUR
from estimator.workload.factors import DECAYS, Array, Decay, event, growth, noise, season, utc_offsets

MAX_DAYS = 3660
#: 1970-01-01 was a Thursday; weeks begin on Monday.
_EPOCH_AFTER_MONDAY_S = 3 * SECONDS_PER_DAY


class Shaped:
    """What can be laid over a profile on a regular grid; each method returns a new profile.

    Examples
    --------
    >>> from estimator import LoadProfile
    >>> week = LoadProfile.weekly(350, 50, weekend_factor=0.6)
    >>> year = week.in_time_zone("Europe/Berlin", dt.date(2026, 1, 1), days=365).with_season(20, peak_day=350)
    >>> sale = dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC)
    >>> load = year.with_growth(2).with_event(sale, rise_s=600, hold_s=7200, decay_s=3600, factor=3).with_noise(15, seed=1)
    >>> load.period_hours, load.start.isoformat()
    (8760.0, '2026-01-01T00:00:00+00:00')
    """

    requests_per_s: Array
    step_s: int
    start: dt.datetime | None

    def _with(self, requests_per_s: Array, *, start: dt.datetime | None = None) -> Self:
        raise NotImplementedError

    def with_season(self, swing_percent: float, peak_day: float = 183) -> Self:
        """Multiply the load with a yearly swing, a cosine.

        The year has 365 days and begins on 1 January of the profile's start, or where the profile begins if it has none.

        Parameters
        ----------
        swing_percent : float
            How far the season's peak lies above the year's mean, and its trough below, 0 to 100. [percent]
        peak_day : float
            Day of the year at whose noon the season peaks, 1 to 366. [day]

        Returns
        -------
        LoadProfile
            The same load with the swing; over 365 days of constant load the total is unchanged.

        Examples
        --------
        >>> from estimator import LoadProfile
        >>> year = LoadProfile.constant(100, step_s=3600).repeated(365).with_season(30, peak_day=183)
        >>> round(year.mean_requests_per_s, 6), round(year.peak_requests_per_s, 1)
        (100.0, 130.0)
        """
        require_number("swing_percent", swing_percent, 0, 100)
        require_number("peak_day", peak_day, 1, 366)
        begin_s = _second_of_year(self.start) - (peak_day - 0.5) * SECONDS_PER_DAY
        return self._with(
            self.requests_per_s * season(self.requests_per_s.size, self.step_s, begin_s, swing_percent / 100)
        )

    def with_growth(self, percent_per_month: float) -> Self:
        """Let the load grow or shrink evenly from the beginning of the profile, compounded.

        A month has 730 hours. A profile is taken as periodic: at its end the load falls back to where it began, so give it
        the horizon first, with `repeated` or `in_time_zone`.

        Parameters
        ----------
        percent_per_month : float
            Growth in each month, above -100. [percent/month]

        Returns
        -------
        LoadProfile
            The load, growing.

        Examples
        --------
        >>> from estimator import LoadProfile
        >>> year = LoadProfile.constant(100, step_s=3600).repeated(365).with_growth(5)
        >>> round(float(year.requests_per_s[730]), 2)
        105.0
        """
        require_number("percent_per_month", percent_per_month, -100, 1000, above=True)
        rate = math.log1p(percent_per_month / 100) / (HOURS_PER_MONTH * SECONDS_PER_HOUR)
        return self._with(self.requests_per_s * growth(self.requests_per_s.size, self.step_s, rate))

    def with_event(
        self,
        start: float | dt.datetime,
        rise_s: float,
        hold_s: float,
        decay_s: float,
        *,
        factor: float | None = None,
        requests_per_s: float | None = None,
        decay: Decay = "linear",
    ) -> Self:
        """Lay an event over the load: a flash crowd, a campaign, a holiday.

        The event rises linearly, holds, and decays. It either multiplies the load or adds requests; totals are exact also
        if it begins inside a step. It must end inside the profile; what is left of an exponential decay is cut there.

        Parameters
        ----------
        start : float or datetime
            When the rise begins: hours from the beginning of the profile, or a moment with a time zone if the profile has a
            start. [h]
        rise_s : float
            Time from the start to the full event, 0 for at once. [s]
        hold_s : float
            How long the event is full. [s]
        decay_s : float
            Time in which it ends; in exponential decay the time to 1/e of the event. [s]
        factor : float, optional
            What the load is multiplied with while the event is full; below 1 for a holiday. [1]
        requests_per_s : float, optional
            What is added while the event is full. [requests/s]
        decay : {"linear", "exponential"}
            How it ends.

        Returns
        -------
        LoadProfile
            The load with the event.

        Raises
        ------
        InvalidScenario
            If not exactly one of factor and requests_per_s is given, or the event does not lie in the profile.

        Examples
        --------
        >>> from estimator import LoadProfile
        >>> crowd = LoadProfile.constant(10).with_event(9.5, rise_s=60, hold_s=600, decay_s=1200, factor=10)
        >>> round(crowd.requests - LoadProfile.constant(10).requests)  # 90 x (30 + 600 + 600)
        110700
        """
        if (factor is None) == (requests_per_s is None):
            raise InvalidScenario(
                "An event multiplies the load or adds to it; give either factor or requests_per_s, not both."
            )
        if decay not in DECAYS:
            raise InvalidScenario(f"decay is {decay!r}; it must be one of {', '.join(DECAYS)}.")
        period_s = self.requests_per_s.size * self.step_s
        for name, value in (("rise_s", rise_s), ("hold_s", hold_s), ("decay_s", decay_s)):
            require_number(name, value, 0, period_s, advice="The profile is no longer than that.")
        start_s = self._seconds(start)
        length_s = rise_s + hold_s + (decay_s if decay == "linear" else 0)
        if start_s + length_s > period_s:
            raise InvalidScenario(
                f"The event ends {(start_s + length_s) / SECONDS_PER_HOUR:g} hours after the profile begins, and the profile has "
                f"{period_s / SECONDS_PER_HOUR:g} hours. Begin it earlier, or repeat the profile first."
            )
        part = event(self.requests_per_s.size, self.step_s, start_s, rise_s, hold_s, decay_s, decay)
        if factor is not None:
            require_number("factor", factor, 0, 1e6)
            return self._with(self.requests_per_s * (1 + (factor - 1) * part))
        require_number("requests_per_s", requests_per_s, 0, 1e9)
        return self._with(self.requests_per_s + float(requests_per_s or 0) * part)

    def with_noise(self, percent: float, seed: int, correlation_s: float = 0.0) -> Self:
        """Multiply every step with lognormal noise of mean 1, equal in every process.

        The mean is kept in expectation, not in each draw. Noise belongs to a step: resampled to coarser steps,
        uncorrelated noise is smaller.

        Parameters
        ----------
        percent : float
            Standard deviation of a step's factor. [percent]
        seed : int
            Seed of numpy's ``default_rng``; another seed, another noise. [1]
        correlation_s : float
            Time after which the noise's memory (of its logarithm) is down to 1/e; 0 for none. [s]

        Returns
        -------
        LoadProfile
            The load with noise.

        Examples
        --------
        >>> from estimator import LoadProfile
        >>> noisy = LoadProfile.constant(100).with_noise(20, seed=1)
        >>> [round(float(rate), 2) for rate in noisy.requests_per_s[:3]], round(noisy.mean_requests_per_s)
        ([105.0, 115.39, 104.69], 99)
        """
        require_number("percent", percent, 0, 1000)
        require_number("seed", seed, 0, 2**63, whole=True)
        require_number("correlation_s", correlation_s, 0)
        factors = noise(self.requests_per_s.size, percent / 100, int(seed), correlation_s / self.step_s)
        return self._with(self.requests_per_s * factors)

    def in_time_zone(self, time_zone: str, start: dt.date, days: int) -> Self:
        """Lay a local day or week over a calendar in UTC, following daylight saving.

        The profile's hours are local wall-clock time, a week's beginning on Monday. The result begins at 00:00 UTC of the
        start and has whole UTC days, so that profiles of several zones can be added. Where clocks are put forward the hour
        that does not exist is left out, where they are put back the repeated hour is there twice.

        Parameters
        ----------
        time_zone : str
            Name in the IANA database, such as ``Europe/Berlin``.
        start : datetime.date
            First day, in UTC.
        days : int
            Length, 365 for a year. [days]

        Returns
        -------
        LoadProfile
            The load on the same step, with its start.

        Raises
        ------
        InvalidScenario
            If the profile is neither a day nor a week, already has a start, its step does not fit the zone's offsets from
            UTC, or the zone is unknown.

        Examples
        --------
        >>> from estimator import LoadProfile
        >>> berlin = LoadProfile.daily(350, 50, peak_hour=20, step_s=3600).in_time_zone("Europe/Berlin", dt.date(2026, 3, 28), 2)
        >>> [int(day.argmax()) for day in berlin.requests_per_s.reshape(2, 24)]  # 29 March: one hour earlier in UTC
        [18, 17]
        """
        period_s = self.requests_per_s.size * self.step_s
        if period_s not in (SECONDS_PER_DAY, 7 * SECONDS_PER_DAY) or self.start is not None:
            what = "it has a start already" if self.start else f"this one has {period_s / SECONDS_PER_HOUR:g} hours"
            raise InvalidScenario(
                f"Only a day or a week without a start can be laid over a calendar; {what}. Lay it before anything else."
            )
        if not isinstance(start, dt.date) or isinstance(start, dt.datetime):
            raise InvalidScenario(f"start is {shown(start)}; it must be a day such as datetime.date(2026, 1, 1).")
        require_number("days", days, 1, MAX_DAYS, whole=True)
        begin = dt.datetime(start.year, start.month, start.day, tzinfo=dt.UTC)
        first_s = int(begin.timestamp())
        offsets = utc_offsets(time_zone, first_s, days * SECONDS_PER_DAY)
        for _, offset_s in offsets:
            if offset_s % self.step_s:
                raise InvalidScenario(
                    f"{time_zone} is {offset_s} s from UTC, not whole steps of {self.step_s} s. Resample the profile to "
                    f"{math.gcd(offset_s, self.step_s, SECONDS_PER_HOUR)} s first."
                )
        utc_s = first_s + np.arange(int(days) * SECONDS_PER_DAY // self.step_s, dtype=np.int64) * self.step_s
        since, offset = np.array([each[0] for each in offsets]), np.array([each[1] for each in offsets])
        local_s = utc_s + offset[np.searchsorted(since, utc_s, side="right") - 1]
        index = (local_s + _EPOCH_AFTER_MONDAY_S) % period_s // self.step_s
        return self._with(self.requests_per_s[index], start=begin)

    def _seconds(self, start: float | dt.datetime) -> float:
        period_s = self.requests_per_s.size * self.step_s
        if not isinstance(start, dt.datetime):
            require_number("start", start, 0, period_s / SECONDS_PER_HOUR, advice="It is in hours.")
            return start * SECONDS_PER_HOUR
        if start.tzinfo is None:
            raise InvalidScenario(f"start is {start.isoformat()}, without a time zone; give it one, such as UTC.")
        if self.start is None:
            raise InvalidScenario(
                f"start is {start.isoformat()}, and the profile itself has no start. Give hours from its beginning, or give the "
                "profile one with starting_at or in_time_zone."
            )
        seconds = (start - self.start).total_seconds()
        if not 0 <= seconds < period_s:
            last = self.start + dt.timedelta(seconds=period_s)
            raise InvalidScenario(
                f"start is {start.isoformat()}; it must lie in the profile, from {self.start.isoformat()} to {last.isoformat()}."
            )
        return seconds


def _second_of_year(start: dt.datetime | None) -> float:
    return 0.0 if start is None else (start - start.replace(month=1, day=1, hour=0, minute=0, second=0)).total_seconds()
