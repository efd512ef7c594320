"""The figures behind a profile's shapes: season, growth, events, noise as factors of each step, and a zone's offsets.

Notes
-----
A load is constant within a step, so that what multiplies it is averaged over each step in closed form: totals are right also
where an event begins inside a step. The alternative, the value in the middle of a step, loses part of a flash crowd.
"""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY

#: How an event ends: evenly in ``decay_s``, or to 1/e in ``decay_s`` and on like that.
Decay = Literal["linear", "exponential"]
DECAYS: tuple[Decay, ...] = ("linear", "exponential")
DAYS_PER_YEAR = 365
Array = NDArray[np.float64]


def season(n_steps: int, step_s: int, begin_s: float, swing: float) -> Array:
    """Mean of a yearly cosine over each step.

    Parameters
    ----------
    n_steps : int
        Steps. [1]
    step_s : int
        Length of a step. [s]
    begin_s : float
        Time of the first step's beginning after the season's peak. [s]
    swing : float
        Peak above the mean, as a fraction. [1]

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        Factor, around 1. [1]
    """
    turn = 2 * np.pi / (DAYS_PER_YEAR * SECONDS_PER_DAY)
    middle = begin_s + (np.arange(n_steps) + 0.5) * step_s
    # The mean of a cosine over a step is its middle times sin(x)/x; numpy's sinc has the pi inside.
    return np.asarray(1 + swing * np.sinc(turn * step_s / 2 / np.pi) * np.cos(turn * middle))


def growth(n_steps: int, step_s: int, rate: float) -> Array:
    """Mean of exp(rate x time) over each step.

    Parameters
    ----------
    n_steps : int
        Steps. [1]
    step_s : int
        Length of a step. [s]
    rate : float
        Growth. [1/s]

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        Factor, 1 at the beginning. [1]
    """
    mean = math.expm1(rate * step_s) / (rate * step_s) if rate else 1.0
    return np.asarray(np.exp(rate * step_s * np.arange(n_steps)) * mean)


def event(
    n_steps: int, step_s: int, start_s: float, rise_s: float, hold_s: float, decay_s: float, decay: Decay
) -> Array:
    """Mean of an event's height over each step: 0 outside, 1 while it holds.

    Parameters
    ----------
    n_steps : int
        Steps. [1]
    step_s : int
        Length of a step. [s]
    start_s : float
        When the rise begins. [s]
    rise_s, hold_s, decay_s : float
        Length of its parts; in exponential decay the time to 1/e. [s]
    decay : {"linear", "exponential"}
        How it ends.

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        Height, 0 to 1. [1]

    Examples
    --------
    >>> event(4, 60, start_s=30, rise_s=60, hold_s=60, decay_s=60, decay="linear").tolist()
    [0.125, 0.875, 0.875, 0.125]
    """
    edge = np.arange(n_steps + 1) * float(step_s) - start_s
    rising = np.clip(edge, 0, rise_s)
    falling = np.clip(edge - rise_s - hold_s, 0, decay_s if decay == "linear" else None)
    area = np.clip(edge - rise_s, 0, hold_s)
    if rise_s:
        area += rising**2 / (2 * rise_s)
    if decay_s:
        area += falling - falling**2 / (2 * decay_s) if decay == "linear" else -decay_s * np.expm1(-falling / decay_s)
    return np.asarray(np.diff(area) / step_s, dtype=np.float64)


def noise(n_steps: int, deviation: float, seed: int, memory_steps: float = 0.0) -> Array:
    """Lognormal factors of mean 1, with the memory of a first-order autoregression in their logarithms.

    Parameters
    ----------
    n_steps : int
        Steps. [1]
    deviation : float
        Standard deviation of a factor. [1]
    seed : int
        Seed of numpy's ``default_rng``.
    memory_steps : float
        Steps after which the correlation is down to 1/e; 0 for none. [1]

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        Factors above 0. [1]
    """
    normal = np.random.default_rng(seed).standard_normal(n_steps)
    if memory_steps:
        last = math.exp(-1 / memory_steps)
        normal[1:] *= math.sqrt(-math.expm1(-2 / memory_steps))
        # The sum of all earlier draws, each weaker by `last` a step, by doubling: no loop over the steps.
        reach = 1
        while reach < n_steps and (weight := last**reach) > 1e-18:
            normal[reach:] += weight * normal[:-reach]
            reach *= 2
    variance = math.log1p(deviation**2)
    return np.asarray(np.exp(math.sqrt(variance) * normal - variance / 2))


def utc_offsets(time_zone: str, first_s: int, length_s: int) -> list[tuple[int, int]]:
    """Offsets of a zone's clocks from UTC, and since when.

    Parameters
    ----------
    time_zone : str
        Name in the IANA database.
    first_s : int
        Beginning. [s since 1970]
    length_s : int
        Length, whole days. [s]

    Returns
    -------
    list of (int, int)
        Moments and the offsets that hold from them on; the first moment is the beginning. [s since 1970, s]

    Examples
    --------
    >>> [offset for _, offset in utc_offsets("Europe/Berlin", 1767225600, 365 * 86400)]
    [3600, 7200, 3600]
    """
    try:
        zone = zoneinfo.ZoneInfo(time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InvalidScenario(
            f"time_zone is {shown(time_zone)}; it must be a name such as Europe/Berlin or UTC, and the system must have time zones "
            "(on Windows: `pip install tzdata`)."
        ) from None

    def offset(moment_s: int) -> int:
        return int((dt.datetime.fromtimestamp(moment_s, zone).utcoffset() or dt.timedelta()).total_seconds())

    found = [(first_s, offset(first_s))]
    # No zone changes its clocks twice in a day.
    for day_s in range(first_s, first_s + length_s, SECONDS_PER_DAY):
        low, high = day_s, day_s + SECONDS_PER_DAY
        after = offset(high)
        if after == found[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset(middle) == after else (middle, high)
        found.append((high, after))
    return found
