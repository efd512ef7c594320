"""AWS's schedule expressions, ``at(...)``, ``rate(...)`` and ``cron(...)``, and the instants that they mean.

Notes
-----
What AWS documents is held to: the three forms, the six fields of cron and their wildcards, units of a rate that agree with its value. What
it leaves open follows Quartz, whose dialect AWS's is: ranges that pass the end of a field begin anew (AWS's own example is ``20-2`` in the
hours), ``L-3`` and ``LW``, names in any case, and one ``L``, ``W`` or ``#`` alone in its field.

Of daylight saving Application Auto Scaling says only that schedules with a time zone adjust to it. What happens at the change itself is
taken from Amazon EventBridge Scheduler, which says it: a local time that is skipped has no run, one that comes twice has one, here the
first. Rates know no time zone; a day of theirs has 24 hours.

No package is used. croniter and cronsim have neither AWS's fields nor all of its wildcards, and take 2 to 6 s for a year of 5 minutes;
pyawscron and aws-croniter have the fields, but UTC alone, and lose the plain ``L`` of the day of the week and ``LW``. An array over days
does it in less than 0.1 s.

References
----------
.. [1] AWS, "Schedule recurring scaling actions using cron expressions", Application Auto Scaling User Guide
.. [2] AWS, "Cron expressions reference" and "Rate expressions reference", Amazon EventBridge User Guide
.. [3] AWS, "Schedule types in EventBridge Scheduler", section on daylight saving time. All read 2026.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import re
import zoneinfo
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

_FORMS = (
    "at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(minutes hours day-of-month month day-of-week year), "
    "such as cron(0 8 ? * MON-FRI *)"
)
_UNITS_S = {"minute": SECONDS_PER_MINUTE, "hour": SECONDS_PER_HOUR, "day": SECONDS_PER_DAY}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY, _SATURDAY = 1, 7
_LAST = -1


class _Field(NamedTuple):
    """One field of cron: what it is called, its bounds, names of its values, and what to write."""

    name: str
    low: int
    high: int
    names: tuple[str, ...]
    example: str


_MINUTES = _Field("minutes", 0, 59, (), "0, 0/15 or 0,30")
_HOURS = _Field("hours", 0, 23, (), "8, 8-17 or *")
_DAY_OF_MONTH = _Field("day of month", 1, 31, (), "*, 1, 1-15, L (the last), LW or 15W (the weekday next to it)")
_MONTH = _Field("month", 1, 12, _MONTHS, "*, 12 or JAN-MAR")
_DAY_OF_WEEK = _Field(
    "day of week", 1, 7, _WEEKDAYS, "MON-FRI, 2 (Monday), 6L (the last Friday) or 3#2 (the second Tuesday)"
)
_YEAR = _Field("year", 1970, 2199, (), "* or 2026-2028")


@dataclass(frozen=True, slots=True)
class _At:
    """One local time."""

    local: dt.datetime


@dataclass(frozen=True, slots=True)
class _Rate:
    """Always so long after the last time."""

    every_s: int


@dataclass(frozen=True, slots=True)
class _Cron:
    """What each field allows; of the two fields of the day, one is None."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days_of_month: _DaysOfMonth | None
    days_of_week: _DaysOfWeek | None


@dataclass(frozen=True, slots=True)
class _DaysOfMonth:
    """Days from the month's begin, or one so many days before its last; or the weekday next to it."""

    days: tuple[int, ...] = ()
    before_last: int | None = None
    nearest_weekday: bool = False


@dataclass(frozen=True, slots=True)
class _DaysOfWeek:
    """Days of the week, Sunday is 1; all of a month (0), its n-th one, or its last (-1)."""

    days: tuple[int, ...]
    nth: int = 0


def require_schedule(name: str, expression: Any, timezone: Any) -> None:
    """Raise unless an expression is one of AWS's, and its time zone is known.

    Parameters
    ----------
    name : str
        What to call the expression.
    expression : str
        Such as ``cron(0 8 ? * MON-FRI *)``.
    timezone : str
        Name in the IANA database.

    Raises
    ------
    InvalidScenario
        Naming the value and what is allowed.

    Examples
    --------
    >>> require_schedule("schedule", "cron(0 8 * * MON *)", "UTC")
    Traceback (most recent call last):
    ...
    estimator.errors.InvalidScenario: schedule is 'cron(0 8 * * MON *)'; one of day of month and day of week, and not both, must be ?, \
such as cron(0 8 ? * MON-FRI *).
    """
    _read(name, expression)
    _zone(timezone)


def instants(expression: str, timezone: str, begin: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """List when a schedule is due.

    A rate counts from ``begin``, where it is due for the first time, and knows no time zone. Local times that daylight saving skips are
    left out, of those that come twice the first counts.

    Parameters
    ----------
    expression : str
        ``at(...)``, ``rate(...)`` or ``cron(...)``.
    timezone : str
        Name in the IANA database, in which ``at`` and ``cron`` are meant.
    begin, end : datetime.datetime
        From when, and until before when; with a time zone.

    Returns
    -------
    list of datetime.datetime
        Rising, in UTC.

    Raises
    ------
    InvalidScenario
        If the expression is none of AWS's, the time zone is unknown, or ``begin`` or ``end`` has none.

    Examples
    --------
    >>> spring = dt.datetime(2026, 3, 27, tzinfo=dt.UTC)  # clocks in Berlin go forward on Sunday the 29th
    >>> [f"{t:%a %H:%M}" for t in instants("cron(0 8 ? * FRI,MON *)", "Europe/Berlin", spring, spring + dt.timedelta(4))]
    ['Fri 07:00', 'Mon 06:00']
    """
    schedule, zone = _read("schedule", expression), _zone(timezone)
    for name, moment in (("begin", begin), ("end", end)):
        if moment.tzinfo is None:
            raise InvalidScenario(f"{name} is {moment.isoformat()}, without a time zone; give it one, such as UTC.")
    begin, end = begin.astimezone(dt.UTC), end.astimezone(dt.UTC)
    if isinstance(schedule, _Rate):
        every = dt.timedelta(seconds=schedule.every_s)
        return [begin + k * every for k in range(-((begin - end) // every))]
    if isinstance(schedule, _At):
        once = _utc(schedule.local.replace(tzinfo=zone))
        return [once] if once is not None and begin <= once < end else []
    # A zone's clocks are at most a day from UTC's.
    seconds = _cron_seconds(schedule, zone, begin.date() - dt.timedelta(1), end.date() + dt.timedelta(1))
    inside = seconds[(seconds >= begin.timestamp()) & (seconds < end.timestamp())]
    return [dt.datetime.fromtimestamp(second, dt.UTC) for second in inside.tolist()]


class Recurrence(NamedTuple):
    """When a schedule comes again.

    Parameters
    ----------
    kind : str
        ``once``; ``rate``, always so long after the last time; ``days``, on some days of every week; or ``dates``, on days that only a
        calendar knows: days of the month, months, years, the second Tuesday.
    value : int
        Of a rate, how many units. [1]
    unit : str
        Of a rate, ``minute``, ``hour`` or ``day``.
    """

    kind: Literal["once", "rate", "days", "dates"]
    value: int = 0
    unit: str = ""

    @property
    def every_s(self) -> int:
        """Of a rate, the time from one to the next; else 0. [s]"""
        return self.value * _UNITS_S.get(self.unit, 0)


def recurrence_of(expression: str) -> Recurrence:
    """Say when a schedule comes again.

    Parameters
    ----------
    expression : str
        ``at(...)``, ``rate(...)`` or ``cron(...)``.

    Returns
    -------
    Recurrence
        Its kind.

    Raises
    ------
    InvalidScenario
        If the expression is none of AWS's.

    Examples
    --------
    >>> recurrence_of("cron(0 8 ? * MON-FRI *)").kind, recurrence_of("cron(0 8 1 * ? *)").kind
    ('days', 'dates')
    >>> recurrence_of("rate(12 hours)")
    Recurrence(kind='rate', value=12, unit='hour')
    """
    schedule = _read("schedule", expression)
    if isinstance(schedule, _At):
        return Recurrence("once")
    if isinstance(schedule, _Rate):
        unit = next(name for name in reversed(_UNITS_S) if name in expression)
        return Recurrence("rate", schedule.every_s // _UNITS_S[unit], unit)
    of_month, of_week = schedule.days_of_month, schedule.days_of_week
    every_week = (
        len(schedule.months) == len(_MONTHS)
        and len(schedule.years) == _YEAR.high - _YEAR.low + 1
        and (of_month is None or len(of_month.days) == _DAY_OF_MONTH.high)
        and (of_week is None or not of_week.nth)
    )
    return Recurrence("days" if every_week else "dates")


def _zone(timezone: Any) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        known = sorted(zoneinfo.available_timezones())
        wanted = str(timezone)[:80].strip().replace(" ", "_").lower()
        near = next((name for name in known if wanted in (name.lower(), name.lower().rpartition("/")[2])), "")
        near = near or next(iter(difflib.get_close_matches(str(timezone)[:80], known, n=1)), "")
        hint = f" Did you mean {near}?" if near else ""
        tzdata = "" if known else " The system has no time zones: `pip install tzdata`."
        raise InvalidScenario(
            f"timezone is {shown(timezone)}; it must be a name such as Europe/Berlin or UTC.{hint}{tzdata}"
        ) from None


def _utc(local: dt.datetime) -> dt.datetime | None:
    """Move a local time to UTC, the first one where it comes twice; None where clocks skip it."""
    moment = local.astimezone(dt.UTC)
    there = moment.astimezone(local.tzinfo)
    return moment if there.replace(tzinfo=None) == local.replace(tzinfo=None) else None


def _cron_seconds(cron: _Cron, zone: zoneinfo.ZoneInfo, first: dt.date, last: dt.date) -> NDArray[np.int64]:
    """Seconds since 1970 at which cron is due on these local days."""
    times_s = np.add.outer(np.array(cron.hours) * SECONDS_PER_HOUR, np.array(cron.minutes) * SECONDS_PER_MINUTE).ravel()
    found = [np.empty(0, np.int64)]
    for date in _dates(cron, first, last):
        midnight = dt.datetime(date.year, date.month, date.day, tzinfo=zone)
        offset = midnight.utcoffset()
        if offset == (midnight + dt.timedelta(1)).utcoffset():  # no zone changes its clocks twice in a day
            utc_s = int((midnight.replace(tzinfo=dt.UTC) - (offset or dt.timedelta())).timestamp())
            found.append(utc_s + times_s)
        else:
            moments = (_utc(midnight + dt.timedelta(seconds=s)) for s in times_s.tolist())
            found.append(np.array([int(moment.timestamp()) for moment in moments if moment is not None], np.int64))
    return np.concatenate(found)


def _dates(cron: _Cron, first: dt.date, last: dt.date) -> list[dt.date]:
    """List the days, from the first to the last, on which cron is due."""
    dates = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
    month = dates.astype("datetime64[M]")
    day = (dates - month).astype(np.int64) + 1
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    weekday = (dates.astype(np.int64) + 4) % 7 + 1  # 1970 began on a Thursday, which is 5
    due = np.isin(month.astype(np.int64) % 12 + 1, cron.months) & np.isin(
        month.astype(np.int64) // 12 + 1970, cron.years
    )
    if cron.days_of_month is not None:
        due &= _fit_days_of_month(cron.days_of_month, day, length, weekday)
    if cron.days_of_week is not None:
        due &= np.isin(weekday, cron.days_of_week.days)
        if cron.days_of_week.nth:
            due &= day + 7 > length if cron.days_of_week.nth == _LAST else (day + 6) // 7 == cron.days_of_week.nth
    found: list[dt.date] = dates[due].tolist()
    return found


def _fit_days_of_month(
    rule: _DaysOfMonth, day: NDArray[np.int64], length: NDArray[np.int64], weekday: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say which days are due; a day that a month does not have is never due, nor is the weekday next to it."""
    if rule.before_last is None and not rule.nearest_weekday:
        return np.isin(day, rule.days)
    wanted = np.full_like(day, rule.days[0]) if rule.before_last is None else length - rule.before_last
    exists = (wanted >= 1) & (wanted <= length)
    if rule.nearest_weekday:
        falls_on = (weekday - day + wanted - 1) % 7 + 1
        # Never into another month: back from its last day, onward from its first.
        saturday, sunday = np.where(wanted > 1, -1, 2), np.where(wanted < length, 1, -2)
        wanted = wanted + np.select([falls_on == _SATURDAY, falls_on == _SUNDAY], [saturday, sunday], 0)
    fits: NDArray[np.bool_] = exists & (day == wanted)
    return fits


def _read(name: str, expression: Any) -> _At | _Rate | _Cron:
    """Read an expression, or say in one sentence what is wrong with it."""
    form = re.fullmatch(r"(at|rate|cron)\((.*)\)", expression.strip()) if isinstance(expression, str) else None
    try:
        if form is None:
            raise _Wrong(f"it must be {_FORMS}")
        if form[1] == "at":
            return _read_at(form[2])
        return _read_rate(form[2]) if form[1] == "rate" else _read_cron(form[2])
    except _Wrong as wrong:
        raise InvalidScenario(f"{name} is {shown(expression)}; {wrong}.") from None


class _Wrong(Exception):
    """The second half of the sentence that refuses an expression."""


def _read_at(text: str) -> _At:
    try:
        if not re.fullmatch("[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", text):
            raise ValueError
        return _At(dt.datetime.fromisoformat(text))
    except ValueError:
        raise _Wrong(
            "its time must be a date and time that exist, without a zone, such as at(2026-12-01T08:00:00)"
        ) from None


def _read_rate(text: str) -> _Rate:
    parts = re.fullmatch(r"([0-9]{1,9})\s+(minute|hour|day)(s?)", text.strip())
    # "rate(1 hours) and rate(5 hour) aren't valid" [2]
    if parts is None or int(parts[1]) == 0 or (int(parts[1]) == 1) == bool(parts[3]):
        raise _Wrong(
            "a rate must be 1 minute, 1 hour or 1 day, or a whole number of more minutes, hours or days, such as rate(12 hours)"
        )
    return _Rate(int(parts[1]) * _UNITS_S[parts[2]])


@functools.lru_cache(maxsize=256)
@functools.lru_cache(maxsize=256)
def _read_cron(text: str) -> _Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise _Wrong(
            f"cron has {len(fields)} fields and must have six, minutes hours day-of-month month day-of-week year, such as "
            "cron(0 8 ? * MON-FRI *)"
        )
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise _Wrong("one of day of month and day of week, and not both, must be ?, such as cron(0 8 ? * MON-FRI *)")
    return _Cron(
        minutes=_values(_MINUTES, minutes),
        hours=_values(_HOURS, hours),
        months=_values(_MONTH, month),
        years=_values(_YEAR, year),
        days_of_month=None if day_of_month == "?" else _read_day_of_month(day_of_month),
        days_of_week=None if day_of_week == "?" else _read_day_of_week(day_of_week),
    )


def _read_day_of_month(text: str) -> _DaysOfMonth:
    last = re.fullmatch(r"L(?:-([0-9]{1,2}))?(W?)", text)
    if last is not None:
        before = int(last[1] or 0)
        if before >= _DAY_OF_MONTH.high:
            raise _refusal(_DAY_OF_MONTH, text)
        return _DaysOfMonth(before_last=before, nearest_weekday=bool(last[2]))
    if text.endswith("W"):
        return _DaysOfMonth(days=(_value(_DAY_OF_MONTH, text[:-1], text),), nearest_weekday=True)
    return _DaysOfMonth(days=_values(_DAY_OF_MONTH, text))


def _read_day_of_week(text: str) -> _DaysOfWeek:
    if text == "L":  # the last day of the week
        return _DaysOfWeek((_SATURDAY,))
    if text.endswith("L"):
        return _DaysOfWeek((_value(_DAY_OF_WEEK, text[:-1], text),), _LAST)
    if "#" in text:
        day, _, nth = text.partition("#")
        if nth not in ("1", "2", "3", "4", "5"):
            raise _refusal(_DAY_OF_WEEK, text)
        return _DaysOfWeek((_value(_DAY_OF_WEEK, day, text),), int(nth))
    return _DaysOfWeek(_values(_DAY_OF_WEEK, text))


def _values(field: _Field, text: str) -> tuple[int, ...]:
    """Read ``*``, values, ranges and increments of them, and lists of these."""
    found: set[int] = set()
    for item in text.split(","):
        parts = re.fullmatch(r"(?:\*|(?P<low>[A-Z0-9]+)(?:-(?P<high>[A-Z0-9]+))?)(?:/(?P<step>[0-9]{1,4}))?", item)
        if parts is None:
            raise _refusal(field, text)
        low = field.low if parts["low"] is None else _value(field, parts["low"], text)
        # "5/15" goes on from 5 to the end of the field, "5" alone does not.
        end = field.high if parts["low"] is None or parts["step"] is not None else low
        high = end if parts["high"] is None else _value(field, parts["high"], text)
        step = 1 if parts["step"] is None else int(parts["step"])
        if not 1 <= step <= field.high or (low > high and field is _YEAR):
            raise _refusal(field, text)
        size = field.high - field.low + 1
        # A range that passes the end begins anew: 20-2 in the hours is the night.
        found.update(field.low + (low - field.low + k) % size for k in range(0, (high - low) % size + 1, step))
    return tuple(sorted(found))


def _value(field: _Field, text: str, whole: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if not re.fullmatch("[0-9]{1,4}", text) or not field.low <= int(text) <= field.high:
        raise _refusal(field, whole)
    return int(text)


def _refusal(field: _Field, text: str) -> _Wrong:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return _Wrong(
        f"its {field.name} field is {shown(text, 40)} and must have values of {field.low} to {field.high}{names}, such as {field.example}"
    )
