"""Interval: a number that is known between two ends only, and the values that are drawn for it.

Notes
-----
Between its ends a number has a PERT distribution: the Beta distribution on [low, high] whose mode is the likely value. A user can say
those three numbers and no others; unlike a triangle it has no kink at the likely value and gives less to the ends, which people tend to set too
wide; unlike a normal or lognormal distribution it never leaves what the user says is possible. Its one parameter says how many times as
much as either end the likely value counts in the mean; 4 is that of Malcolm, Roseboom, Clark and Fazar, "Application of a Technique for Research
and Development Program Evaluation", 1959.
"""

from __future__ import annotations

import hashlib
import math
import numbers
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario

#: How many times as much as either end the likely value counts in the mean. [1]
PERT_LAMBDA = 4.0
#: What an interval is written with, in its order.
ENDS = ("low", "likely", "high")


@dataclass(frozen=True, slots=True)
class Interval:
    """A number that lies between two ends, and the value that is the most likely.

    Parameters
    ----------
    low, high : float
        Least and largest value that it may have. [the field's unit]
    likely : float
        The most likely value, with which a scenario is read. [the field's unit]

    Raises
    ------
    InvalidScenario
        If they are not in that order, or not finite.

    Examples
    --------
    >>> Interval(30, 40, 70).mean()
    43.333333333333336
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        for name in ENDS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise InvalidScenario(f"{name} is {shown(value)}; it must be a finite number. Give one.")
        if not self.low <= self.likely <= self.high:
            raise InvalidScenario(
                f"low is {shown(self.low)}, likely is {shown(self.likely)} and high is {shown(self.high)}; they must rise: low <= likely "
                "<= high. Put them in order."
            )

    @property
    def is_certain(self) -> bool:
        """True if both ends are the same, so that there is nothing to draw."""
        return self.low == self.high

    def shape(self, pert_lambda: float = PERT_LAMBDA) -> tuple[float, float]:
        """Return the two parameters of the Beta distribution on [0, 1] that is stretched over the interval.

        Parameters
        ----------
        pert_lambda : float
            Weight of the likely value; 0 makes all values equally likely. [1]

        Returns
        -------
        tuple of float
            Alpha and beta; both 1 + lambda / 2 where the ends are the same. [1]
        """
        require_number("pert_lambda", pert_lambda, 0, 1e6)
        if self.is_certain:
            return 1 + pert_lambda / 2, 1 + pert_lambda / 2
        width = self.high - self.low
        return 1 + pert_lambda * (self.likely - self.low) / width, 1 + pert_lambda * (self.high - self.likely) / width

    def mean(self, pert_lambda: float = PERT_LAMBDA) -> float:
        """Mean of the distribution.

        Parameters
        ----------
        pert_lambda : float
            Weight of the likely value. [1]

        Returns
        -------
        float
            ``(low + lambda * likely + high) / (lambda + 2)``. [the field's unit]
        """
        require_number("pert_lambda", pert_lambda, 0, 1e6)
        return (self.low + pert_lambda * self.likely + self.high) / (pert_lambda + 2)

    def drawn(self, n: int, random: np.random.Generator, pert_lambda: float = PERT_LAMBDA) -> NDArray[np.float64]:
        """Draw values.

        Parameters
        ----------
        n : int
            How many. [1]
        random : numpy.random.Generator
            Where chance comes from; fewer draws are the first of more.
        pert_lambda : float
            Weight of the likely value. [1]

        Returns
        -------
        numpy.ndarray, shape (n,)
            Values from low to high. [the field's unit]

        Examples
        --------
        >>> Interval(30, 40, 70).drawn(3, stream(1, "request.cpu_ms_per_request")).round(1).tolist()
        [41.4, 37.9, 48.4]
        """
        alpha, beta = self.shape(pert_lambda)
        if self.is_certain:
            return np.full(n, float(self.likely))
        # Rounding must not leave the interval.
        return np.clip(self.low + (self.high - self.low) * random.beta(alpha, beta, n), self.low, self.high)

    def to_dict(self) -> dict[str, float]:
        """Return the three numbers as a scenario has them.

        Returns
        -------
        dict of str to float
            JSON-ready.
        """
        return {name: getattr(self, name) for name in ENDS}

    def __str__(self) -> str:
        return f"{self.low:,.6g} to {self.high:,.6g}, likely {self.likely:,.6g}"


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Make the random numbers of one input, which depend on nothing but the seed and its name.

    Parameters
    ----------
    seed : int
        Another seed, other numbers. [1]
    *names : str or int
        What the input is called.

    Returns
    -------
    numpy.random.Generator
        The same in every process and on every machine.
    """
    require_number("seed", seed, 0, 2**63, whole=True)
    digest = hashlib.sha256("\0".join([str(int(seed)), *map(str, names)]).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype="<u4"))
