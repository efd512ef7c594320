"""How a quantity is written as its formula with its numbers: numbers, counts, and what of the traffic several lines have in common.

Notes
-----
A working can be calculated again by hand: numbers, ×, ÷, +, − and parentheses are the arithmetic, and whatever else stands there is words, which
have no digits. What stands before its last semicolon only explains.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from estimator.billing.month import BilledMonth
from estimator.units import BYTES_PER_GB, BYTES_PER_KB

#: Stands between what explains and the arithmetic.
SEPARATOR = "; "
#: Significant digits of a number that is not whole: quantities are then right to a cent up to a million dollars.
_DIGITS = 8


def written(number: float) -> str:
    """Write a number of an arithmetic.

    Parameters
    ----------
    number : float
        The number.

    Returns
    -------
    str
        Eight significant digits, more where its whole part has more; thousands by commas, and no zeros at the end of a fraction.

    Examples
    --------
    >>> [written(number) for number in (730, 1755.71764, 151_110_000.4, 1 / 3, 0.00001234)]
    ['730', '1,755.7176', '151,110,000', '0.33333333', '0.00001234']
    """
    if not number:
        return "0"
    text = f"{number:,.{max(0, _DIGITS - 1 - math.floor(math.log10(abs(number))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


#: How decimal kilobytes and bytes become decimal gigabytes.
KB_AS_GB = f" ÷ {written(BYTES_PER_GB / BYTES_PER_KB)} kB per GB"
BYTES_AS_GB = f" ÷ {written(BYTES_PER_GB)} bytes per GB"


def counted(count: float, noun: str) -> str:
    """Write a count of things.

    Parameters
    ----------
    count : float
        How many. [1]
    noun : str
        What one of them is called; more have an s.

    Returns
    -------
    str
        The count and its noun.

    Examples
    --------
    >>> counted(1, "NAT gateway"), counted(2, "secret")
    ('1 NAT gateway', '2 secrets')
    """
    return f"{written(count)} {noun}{'' if count == 1 else 's'}"


def times(factor: float, words: str) -> str:
    """Write a factor, unless it changes nothing.

    Parameters
    ----------
    factor : float
        The factor. [1]
    words : str
        What it is.

    Returns
    -------
    str
        Empty for a factor of 1.

    Examples
    --------
    >>> f"10 kB{times(0.3, 'after compression')}", f"10 kB{times(1, 'after compression')}"
    ('10 kB × 0.3 after compression', '10 kB')
    """
    return "" if factor == 1 else f" × {written(factor)} {words}"


def at(quantity: ArrayLike, candidate: int) -> float:
    """Take one candidate's number.

    Parameters
    ----------
    quantity : array_like, shape () or (n_candidates,)
        A number for each, or one for all.
    candidate : int
        Position of the candidate.

    Returns
    -------
    float
        Its number.

    Examples
    --------
    >>> at([2.0, 3.0], 1), at(5, 1)
    (3.0, 5.0)
    """
    values = np.asarray(quantity, dtype=np.float64)
    return float(values[candidate] if values.ndim else values)


def hours(month: BilledMonth) -> str:
    """Write the length of a month.

    Parameters
    ----------
    month : BilledMonth
        The month.

    Returns
    -------
    str
        Its hours. [h]
    """
    return f"{written(month.hours)} h"


def load_balancer_requests(month: BilledMonth) -> str:
    """Write the requests that reach the load balancer.

    Parameters
    ----------
    month : BilledMonth
        The month.

    Returns
    -------
    str
        A product: the clients' requests, and the part of them. [requests]
    """
    share = times(month.workload.load_balancer_share, "of them at the load balancer")
    return f"{counted(month.requests, 'request')}{share}"


def task_requests(month: BilledMonth) -> str:
    """Write the requests that reach the tasks.

    Parameters
    ----------
    month : BilledMonth
        The month.

    Returns
    -------
    str
        A product: the clients' requests, and the part of them. [requests]
    """
    return f"{counted(month.requests, 'request')}{times(month.workload.task_share, 'of them at the tasks')}"


def log_gb(month: BilledMonth) -> str:
    """Write what the tasks log.

    Parameters
    ----------
    month : BilledMonth
        The month.

    Returns
    -------
    str
        A product: requests and the bytes of each. [GB]
    """
    return f"{task_requests(month)} × {written(month.workload.log_bytes_per_request)} bytes of logs{BYTES_AS_GB}"
