"""What draws of a bill say: quantiles with their own error, chances, and the regret of having chosen a plan.

Notes
-----
A quantile is an order statistic, a value that was drawn: no interpolation makes a figure up between two draws. How far it may lie from the
true one is said without a word on the distribution: how many of n draws lie below the true quantile q is binomial, so that two order statistics
enclose it with a known chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.checks import require_number

#: The quantiles that are told. [1]
SHARES = (0.05, 0.50, 0.95)
#: How often a quantile's bounds hold the true one. [1]
CONFIDENCE = 0.95
#: What a minute over the promise weighs beside the bill, by default: an hour of it weighs as much as 6 USD of bill. [USD/min]
USD_PER_MINUTE_OVER_PROMISE = 0.1


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of draws, and where the true one lies.

    Parameters
    ----------
    share : float
        Part of the draws that is no larger. [1]
    value : float
        The smallest draw of which that is so. [the draws' unit]
    low, high : float or None
        Between these lies the true quantile with a chance of at least ``CONFIDENCE``; None where the draws are too few for a bound. [the draws' unit]
    """

    share: float
    value: float
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the quantile as plain values.

        Returns
        -------
        dict
            JSON-ready; a bound for which there are too few draws is None.
        """
        return {"share": self.share, "value": self.value, "low": self.low, "high": self.high, "confidence": CONFIDENCE}


def quantile_of(draws: ArrayLike, share: float) -> Quantile:
    """Find a quantile, and its bounds by order statistics.

    Parameters
    ----------
    draws : array_like, shape (n,)
        Values. [any unit]
    share : float
        Part of them, above 0 and below 1. [1]

    Returns
    -------
    Quantile
        With bounds that hold whatever the distribution.

    Examples
    --------
    The median of a hundred draws lies between the 40th and the 61st.

    >>> found = quantile_of(range(1, 101), 0.5)
    >>> found.value, found.low, found.high
    (50.0, 40.0, 61.0)
    >>> quantile_of(range(1, 21), 0.95).high is None
    True
    """
    values = np.sort(np.asarray(draws, dtype=np.float64))
    n = values.size
    require_number("draws", n, 1, whole=True)
    require_number("share", share, 0, 1, above=True)
    # 0.95 times 20 is a little more than 19 in floating point.
    place = min(max(math.ceil(n * share - 1e-9), 1), n)
    below, above = _places(n, share)
    return Quantile(
        share,
        float(values[place - 1]),
        float(values[below - 1]) if below >= 1 else None,
        float(values[above - 1]) if above <= n else None,
    )


def _places(n: int, share: float) -> tuple[int, int]:
    """Places, from 1 on, of the order statistics that enclose a quantile; 0 and n + 1 where there is none.

    With B draws below the true quantile, binomial of n and share, the r-th lies at or below it if B >= r, and the s-th above it if B < s.
    """
    chances = np.cumsum(_binomial(n, share))
    tail = (1 - CONFIDENCE) / 2
    # The largest r with P(B < r) <= tail, and the smallest s with P(B >= s) <= tail.
    return int(np.searchsorted(chances, tail, side="right")), int(np.searchsorted(chances, 1 - tail)) + 1


def _binomial(n: int, share: float) -> NDArray[np.float64]:
    """Chances of 0 to n successes."""
    of_factorials = np.cumsum(np.concatenate([[0.0], np.log(np.arange(1, n + 1))]))
    k = np.arange(n + 1)
    ways = of_factorials[n] - of_factorials[k] - of_factorials[n - k]
    return np.asarray(np.exp(ways + k * math.log(share) + (n - k) * math.log1p(-share)))


@dataclass(frozen=True, slots=True)
class Chance:
    """How often something happens in draws, and where its true chance lies.

    Parameters
    ----------
    happened, draws : int
        Draws in which it happens, of how many. [1]
    """

    happened: int
    draws: int

    @property
    def share(self) -> float:
        """Part of the draws. [1]"""
        return self.happened / self.draws

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's interval at 95 %, which says of nothing seen in 200 draws that the chance is below 2 %. [1]"""
        z, n, p = 1.959963984540054, self.draws, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_dict(self) -> dict[str, Any]:
        """Return the chance as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        low, high = self.bounds
        return {"share": self.share, "low": low, "high": high, "confidence": CONFIDENCE}


def weighed(
    usd: ArrayLike, minutes_over_promise: ArrayLike, usd_per_minute_over_promise: float = USD_PER_MINUTE_OVER_PROMISE
) -> NDArray[np.float64]:
    """Put bill and minutes over the promise into one figure.

    Parameters
    ----------
    usd : array_like
        Bills. [USD/month]
    minutes_over_promise : array_like
        Minutes over the promise. [min/month]
    usd_per_minute_over_promise : float
        What one of them weighs. [USD/min]

    Returns
    -------
    numpy.ndarray
        Their sum. [USD/month]
    """
    require_number("usd_per_minute_over_promise", usd_per_minute_over_promise, 0, 1e9)
    return np.asarray(usd, dtype=np.float64) + usd_per_minute_over_promise * np.asarray(minutes_over_promise)


def regrets(
    usd: ArrayLike, minutes_over_promise: ArrayLike, usd_per_minute_over_promise: float = USD_PER_MINUTE_OVER_PROMISE
) -> NDArray[np.float64]:
    """Say how much more each plan costs in each draw than the one that is the best there.

    Parameters
    ----------
    usd : array_like, shape (n_draws, n_plans)
        Bills. [USD/month]
    minutes_over_promise : array_like, shape (n_draws, n_plans)
        Minutes over the promise. [min/month]
    usd_per_minute_over_promise : float
        What one of them weighs. [USD/min]

    Returns
    -------
    numpy.ndarray, shape (n_draws, n_plans)
        At least 0, and 0 for one plan in each draw. [USD/month]

    Examples
    --------
    The small plan is 40 USD cheaper; in the second draw it is six minutes over the promise.

    >>> regrets([[60, 100], [60, 100]], [[0, 0], [6, 0]], usd_per_minute_over_promise=10).tolist()
    [[0.0, 40.0], [20.0, 0.0]]
    """
    cost = weighed(usd, minutes_over_promise, usd_per_minute_over_promise)
    return np.asarray(cost - cost.min(axis=1, keepdims=True))
