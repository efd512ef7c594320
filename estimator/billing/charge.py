"""What a line of the bill is: its price, its formula, its meter and its working."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.billing.month import BilledMonth

Quantity = NDArray[np.float64] | float


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of the bill.

    Parameters
    ----------
    title : str
        What it is, in words.
    price : str
        Name of its row in ``PRICES``.
    formula : str
        How the quantity comes about, to read.
    meter : callable
        Quantity of one month from a `BilledMonth`: a number, or one for each candidate. [the price's unit]
    working : callable
        The formula with the numbers that the meter multiplies, from a `BilledMonth` and the position of a candidate that has a quantity: text as
        `estimator.billing.working` writes it.
    source : str
        Where AWS says so, with the date read.
    decides : bool
        False if it is too small to decide between candidates: an unknown rate of it only makes the total a lower bound.
    """

    title: str
    price: str
    formula: str
    meter: Callable[[BilledMonth], Quantity]
    working: Callable[[BilledMonth, int], str]
    source: str
    decides: bool = True
