"""LoadProfile: requests per second on a regular grid, with its makers."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.checks import require_number
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

#: More steps than a year of minutes has would not be a profile but a mistake.
MAX_STEPS = 1_100_000
#: More than any service has ever had; what is above is a mistake of units. [requests/s]
MAX_REQUESTS_PER_S = 1e9


@dataclass(frozen=True, eq=False)
class LoadProfile:
    """One period of load, taken as periodic.

    Parameters
    ----------
    requests_per_s : array_like, shape (n_steps,)
        Mean request rate of each step. [requests/s]
    step_s : int
        Length of a step. [s]
    name : str
        What it is, for figures and tables.

    Raises
    ------
    InvalidScenario
        If a rate is negative or not a number, or the period is not a whole number of hours.

    Examples
    --------
    >>> LoadProfile([1.0, 3.0], step_s=1800).requests
    7200.0
    """

    requests_per_s: NDArray[np.float64]
    step_s: int
    name: str = "load"

    def __init__(self, requests_per_s: ArrayLike, step_s: int, name: str = "load") -> None:
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

    def resample(self, step_s: int) -> LoadProfile:
        """Change the step and keep every total.

        Finer steps repeat the rate of the step they lie in; coarser steps take the mean.

        Parameters
        ----------
        step_s : int
            The new step; it must divide the old one or be a multiple of it that divides the period. [s]

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
        if self.step_s % step_s == 0:
            return LoadProfile(np.repeat(self.requests_per_s, self.step_s // step_s), step_s, self.name)
        if step_s % self.step_s == 0 and self.requests_per_s.size % (step_s // self.step_s) == 0:
            return LoadProfile(self.requests_per_s.reshape(-1, step_s // self.step_s).mean(axis=1), step_s, self.name)
        raise InvalidScenario(
            f"A profile of {self.requests_per_s.size} steps of {self.step_s} s cannot be resampled to {step_s} s: one step must be a "
            "whole number of the other, and the period of the new one."
        )

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
        return LoadProfile(self.requests_per_s * factor, self.step_s, self.name)

    @property
    def period_s(self) -> int:
        """Length of the period. [s]"""
        return self.requests_per_s.size * self.step_s

    @property
    def period_hours(self) -> float:
        """Length of the period. [h]"""
        return self.period_s / SECONDS_PER_HOUR

    @property
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
        """Return SHA-256 over the series and its step, equal in every process.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        return hashlib.sha256(f"{self.step_s}:".encode() + self.requests_per_s.astype("<f8").tobytes()).hexdigest()


def _require(name: str, value: float) -> None:
    require_number(name, value, 0, MAX_REQUESTS_PER_S)


def _step(step_s: int) -> int:
    require_number("step_s", step_s, 1, 366 * SECONDS_PER_DAY, whole=True, advice="It is in seconds.")
    return int(step_s)


def _day(peak: float, trough: float, peak_hour: float, step_s: int) -> NDArray[np.float64]:
    _require("peak_requests_per_s", peak)
    _require("trough_requests_per_s", trough)
    if trough > peak:
        raise InvalidScenario(
            f"trough_requests_per_s is {trough:g}, above peak_requests_per_s {peak:g}; the trough must be the lower one."
        )
    require_number("peak_hour", peak_hour, 0, 24)
    step_s = _step(step_s)
    middle_h = (np.arange(SECONDS_PER_DAY // step_s) + 0.5) * step_s / SECONDS_PER_HOUR
    swing = (1 + np.cos((middle_h - peak_hour) * 2 * np.pi / 24)) / 2
    return np.asarray(trough + (peak - trough) * swing, dtype=np.float64)
