"""The rules of rows that become a profile: regular, rising, unique; gaps and tails only by a named rule.

Notes
-----
Rows are starts of intervals on a regular grid, rising and unique. Timestamps without an offset are taken as UTC, and the
profile's notes say so. Nothing is repaired in silence: missing intervals are filled, and a tail that fills no hour is cut, only
by the rule that the user names; the notes then say what was done. The alternative, to guess (pandas would sort, sum and
fill), hides a broken export until the bill comes.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR
from estimator.workload.profile import MAX_STEPS, LoadProfile

#: What to do with missing intervals: refuse them, or fill them by a named rule.
GapRule = Literal["error", "interpolate", "previous", "zero"]
GAP_RULES: tuple[GapRule, ...] = ("error", "interpolate", "previous", "zero")
#: What to do with a tail that fills no hour: refuse it, or cut the end to whole hours or whole days.
CutRule = Literal["error", "hours", "days"]
CUT_RULES: tuple[CutRule, ...] = ("error", "hours", "days")
#: What stands in the column of requests: requests in each interval, or their rate.
Unit = Literal["requests", "requests_per_s"]
UNITS: tuple[Unit, ...] = ("requests", "requests_per_s")
Array = NDArray[np.float64]


def require_rules(gaps: str = "error", whole: str = "error", unit: str = "requests") -> None:
    """Raise unless the rules are ones that there are.

    Parameters
    ----------
    gaps, whole, unit : str
        A `GapRule`, a `CutRule` and a `Unit`.

    Raises
    ------
    InvalidScenario
        Naming the value and what is allowed.
    """
    for name, value, allowed in (("gaps", gaps, GAP_RULES), ("whole", whole, CUT_RULES), ("unit", unit, UNITS)):
        if value not in allowed:
            raise InvalidScenario(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")


def profile_of_rows(
    times: Array,
    counts: Array,
    lines: NDArray[np.int64],
    name: str,
    naive: bool,
    gaps: GapRule,
    whole: CutRule,
    unit: Unit,
) -> LoadProfile:
    """Put rows on their grid.

    Parameters
    ----------
    times : numpy.ndarray, shape (n_rows,)
        Starts of intervals. [s since 1970]
    counts : numpy.ndarray, shape (n_rows,)
        Requests in the interval, or their rate. [requests or requests/s]
    lines : numpy.ndarray, shape (n_rows,)
        What to call each row in a message.
    name : str
        Name of the file.
    naive : bool
        True if timestamps had no offset from UTC.
    gaps, whole, unit : str
        The rules.

    Returns
    -------
    LoadProfile
        The profile, with its start and notes.

    Raises
    ------
    InvalidScenario
        If a row is broken, or a rule is needed and not named.
    """
    _require_rows(times, counts, lines, name)
    steps = np.diff(times)
    # The usual distance is the interval; a single row between two others is then the one that is off the grid.
    distances, often = np.unique(steps, return_counts=True)
    step_s = float(distances[often.argmax()])
    places = (times - times[0]) / step_s
    index = np.rint(places).astype(np.int64)
    off = np.flatnonzero(np.abs(places - index) > 1e-6)
    if off.size or step_s != int(step_s):
        row = lines[int(off[0]) if off.size else 1]
        raise InvalidScenario(
            f"{name}, row {row}: the timestamp is not on a grid of {step_s:g} s from the first row. Aggregate to a regular interval."
        )
    n_steps = int(index[-1]) + 1
    if n_steps > MAX_STEPS:
        raise InvalidScenario(
            f"{name} spans {n_steps:,} intervals of {step_s:g} s; at most {MAX_STEPS:,}. Aggregate it first."
        )
    notes = [f"{name} has timestamps without an offset; they are taken as UTC."] if naive else []
    missing = n_steps - counts.size
    series = counts
    if missing:
        before = int(np.flatnonzero(steps > step_s)[0]) + 1
        if gaps == "error":
            raise InvalidScenario(
                f"{name}, row {lines[before]}: {missing} intervals of {step_s:g} s are missing, the first before this row. Set gaps to "
                f"{', '.join(GAP_RULES[1:])} to fill them."
            )
        series = fill(index, counts, n_steps, gaps)
        notes.append(
            f"{name} has no row for {missing} of {n_steps} intervals of {step_s:g} s, in a row at most {round(steps.max() / step_s) - 1}, "
            f"the first after {_iso(times[before - 1])}; they are filled by {gaps}."
        )
    rates = series / step_s if unit == "requests" else series
    rates, cut = cut_to_whole(rates, int(step_s), whole, name)
    return LoadProfile(rates, int(step_s), name, dt.datetime.fromtimestamp(times[0], dt.UTC), (*notes, *cut))


def _require_rows(times: Array, counts: Array, lines: NDArray[np.int64], name: str) -> None:
    bad = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0)))
    if bad.size:
        raise InvalidScenario(
            f"{name}, row {lines[bad[0]]}: {shown(float(counts[bad[0]]))} requests; a count must be 0 or more. Mend the row."
        )
    bad = np.flatnonzero(np.diff(times) <= 0) + 1
    if bad.size:
        raise InvalidScenario(
            f"{name}, row {lines[bad[0]]}: {_iso(times[bad[0]])} does not come after the row before it; rows must be sorted and unique. "
            "Sort the file."
        )
    if times.size < 2:
        raise InvalidScenario(f"{name} has {times.size} rows of data; at least 2 are needed to know the interval.")


def fill(index: NDArray[np.int64], values: Array, n_steps: int, gaps: GapRule) -> Array:
    """Fill the places that no value has.

    Parameters
    ----------
    index : numpy.ndarray, shape (n_values,)
        Places of the values, rising. [1]
    values : numpy.ndarray, shape (n_values,)
        The values.
    n_steps : int
        Places in all. [1]
    gaps : {"interpolate", "previous", "zero"}
        The rule.

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        The whole series.

    Examples
    --------
    >>> fill(np.array([0, 3]), np.array([1.0, 4.0]), 4, "interpolate").tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    if gaps == "interpolate":
        return np.interp(np.arange(n_steps), index, values)
    if gaps == "previous":
        return values[np.searchsorted(index, np.arange(n_steps), side="right") - 1]
    series = np.zeros(n_steps)
    series[index] = values
    return series


def cut_to_whole(rates: Array, step_s: int, whole: CutRule, name: str) -> tuple[Array, tuple[str, ...]]:
    """Cut the end of a series by a named rule, and say what was cut.

    Parameters
    ----------
    rates : numpy.ndarray, shape (n_steps,)
        Request rates. [requests/s]
    step_s : int
        Length of a step. [s]
    whole : {"error", "hours", "days"}
        The rule.
    name : str
        Name of the source, for messages.

    Returns
    -------
    rates : numpy.ndarray
        What is left. [requests/s]
    notes : tuple of str
        One sentence if something was cut.

    Raises
    ------
    InvalidScenario
        If something would have to be cut and no rule is named, or nothing is left.

    Examples
    --------
    >>> rates, notes = cut_to_whole(np.ones(5), 1800, "hours", "load.csv")
    >>> rates.size, notes[0]
    (4, 'The last 1 intervals of load.csv (0.50 h, 1,800 requests) are cut, to whole hours.')
    """
    part_s = SECONDS_PER_DAY if whole == "days" else SECONDS_PER_HOUR
    kept = rates.size * step_s // part_s * part_s // step_s
    extra = rates.size - kept
    if not extra:
        return rates, ()
    if whole == "error":
        raise InvalidScenario(
            f"{name} covers {rates.size * step_s / SECONDS_PER_HOUR:.2f} hours; a period must be whole hours. Remove the last "
            f"{extra} intervals, or set whole to hours or days to cut them."
        )
    if not kept:
        raise InvalidScenario(
            f"{name} covers {rates.size * step_s / SECONDS_PER_HOUR:.2f} hours, and of whole {whole} nothing is left. "
            "Take a longer part of the load."
        )
    gone = float(rates[kept:].sum()) * step_s
    return rates[:kept], (
        f"The last {extra} intervals of {name} ({extra * step_s / SECONDS_PER_HOUR:.2f} h, {gone:,.0f} requests) are cut, to whole {whole}.",
    )


def _iso(time_s: float) -> str:
    return dt.datetime.fromtimestamp(time_s, dt.UTC).isoformat().replace("+00:00", "Z")
