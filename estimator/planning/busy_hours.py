"""The hours of a day, and the days of a week, in which a load is busy: busy_hours(load), for scheduled actions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.service.policies import ScheduledAction
from estimator.simulation.occasions import CALENDAR
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR
from estimator.workload.profile import LoadProfile

#: Below this ratio of busiest to quietest hour a day has no busy hours worth a schedule. [1]
LEAST_SWING = 1.5
#: Days whose peak is below this part of the others' are quiet. [1]
QUIET_DAYS = 0.6
#: The minimum is raised so long before the busy hours begin. [min]
LEAD_MINUTES = 15
#: Busy hours are at most so many: with more there is no quiet left to gain from. [h]
MOST_HOURS = 20
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class BusyHours:
    """When a load is busy, day after day.

    Parameters
    ----------
    begin_hour, end_hour : int
        The first busy hour of a day, and the first after them, perhaps of the next day; UTC. [h]
    first_day, last_day : int
        Days of the week on which they begin, 0 for Monday; all days are 0 to 6.
    peak_requests_per_s : float
        Peak of these hours on such a day, on average. [requests/s]
    """

    begin_hour: int
    end_hour: int
    first_day: int
    last_day: int
    peak_requests_per_s: float

    def actions(self, busy_minimum: int, minimum: int, maximum: int) -> tuple[ScheduledAction, ...]:
        """Schedule a higher minimum for the busy hours.

        Parameters
        ----------
        busy_minimum, minimum : int
            Minimum in them, and in all others. [tasks]
        maximum : int
            Maximum at all times. [tasks]

        Returns
        -------
        tuple of ScheduledAction
            One that raises the minimum, somewhat before, and one that lowers it.
        """
        minutes = (self.begin_hour * 60 - LEAD_MINUTES) % 1440
        early = 1 if self.begin_hour == 0 else 0
        late = 1 if self.end_hour <= self.begin_hour else 0
        return (
            ScheduledAction(
                f"cron({minutes % 60} {minutes // 60} {self._days(-early)} *)",
                min_capacity=busy_minimum,
                max_capacity=maximum,
            ),
            ScheduledAction(
                f"cron(0 {self.end_hour} {self._days(late)} *)", min_capacity=minimum, max_capacity=maximum
            ),
        )

    def _days(self, later: int) -> str:
        """Write the days so many days later as a cron expression's day of the month, month and day of the week."""
        if (self.first_day, self.last_day) == (0, 6):
            return "* * ?"
        first, last = (_DAYS[(day + later) % 7] for day in (self.first_day, self.last_day))
        return f"? * {first}-{last}"


def busy_hours(load: LoadProfile) -> BusyHours | None:
    """Find the hours in which a load is busy, if it has any that come again day after day.

    Parameters
    ----------
    load : LoadProfile
        The load; its period is taken as periodic.

    Returns
    -------
    BusyHours or None
        None if the period is not made of whole days, the load hardly swings, or is busy nearly all day.

    Notes
    -----
    An hour is busy if its mean load over all days is above the middle between those of the quietest and the busiest hour. Of several stretches
    the longest counts: two actions a day are what people can keep in mind.

    Examples
    --------
    >>> from estimator.workload.profile import LoadProfile
    >>> found = busy_hours(LoadProfile.daily(350, 50, peak_hour=20))
    >>> found.begin_hour, found.end_hour, [action.schedule for action in found.actions(8, 2, 20)]
    (14, 2, ['cron(45 13 * * ? *)', 'cron(0 2 * * ? *)'])
    >>> busy_hours(LoadProfile.constant(20)) is None
    True
    """
    begin = load.start or CALENDAR
    if load.period_s % SECONDS_PER_DAY or (begin.minute, begin.second, begin.microsecond) != (0, 0, 0):
        return None
    by_day = _peaks(load, begin)
    by_hour = np.roll(load.hourly_mean(), begin.hour).reshape(-1, 24).mean(axis=0)
    quietest, busiest = float(by_hour.min()), float(by_hour.max())
    if busiest < LEAST_SWING * quietest or busiest == 0:
        return None
    first, hours = _longest(by_hour > (quietest + busiest) / 2)
    if hours > MOST_HOURS:
        return None
    busy = by_day[:, [(first + hour) % 24 for hour in range(hours)]].max(axis=1)
    days = (begin.date().weekday() + np.arange(busy.size)) % 7
    first_day, last_day = _busy_days(busy, days)
    chosen = busy[(days >= first_day) & (days <= last_day)]
    return BusyHours(first, (first + hours) % 24, first_day, last_day, float(chosen.mean()))


def _peaks(load: LoadProfile, begin: dt.datetime) -> NDArray[np.float64]:
    """Peak of each hour of each day, shape (n_days, 24), from the midnight before the period begins; it repeats."""
    series = load.requests_per_s
    if load.step_s > SECONDS_PER_HOUR:
        peaks = np.repeat(series, load.step_s // SECONDS_PER_HOUR)
    else:
        peaks = series.reshape(-1, SECONDS_PER_HOUR // load.step_s).max(axis=1)
    return np.roll(peaks, begin.hour).reshape(-1, 24)


def _longest(busy: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the longest stretch of busy hours around the clock: its first hour, and how many."""
    best = (0, 0)
    for first in range(24):
        if busy[first] and not busy[first - 1]:
            hours = next((n for n in range(1, 24) if not busy[(first + n) % 24]), 24)
            if hours > best[1]:
                best = (first, hours)
    return best


def _busy_days(peaks: NDArray[np.float64], days: NDArray[np.int64]) -> tuple[int, int]:
    """Choose between all days, Monday to Friday and the weekend."""
    if len(set(days.tolist())) < 7:
        return 0, 6
    week, weekend = float(peaks[days < 5].mean()), float(peaks[days >= 5].mean())
    if weekend < QUIET_DAYS * week:
        return 0, 4
    if week < QUIET_DAYS * weekend:
        return 5, 6
    return 0, 6
