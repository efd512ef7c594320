"""One tree of errors; each message holds the value, what is allowed and what to do next.

::

    EstimatorError
    ├── InvalidScenario        the document, a parameter, or a file that the user gave
    ├── RateNotFound           a price that no snapshot knows
    ├── PriceListUnavailable   AWS's price list, or a snapshot of it, cannot be read
    │   ├── PriceListUnreachable   nobody can be asked: no network, no credentials, no permission
    │   └── ProductNotFound        the price list has no product for one of our queries
    ├── MetricsUnavailable     CloudWatch cannot be asked, or has nothing of what was asked
    ├── NoFeasiblePlan         every candidate broke a limit; carries the rejections, nearest miss first
    └── ExportError            a stack that cannot be written
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any


class EstimatorError(Exception):
    """What went wrong, in one sentence that a user can act on."""


class InvalidScenario(EstimatorError, ValueError):
    """A value that the user gave is not one that the model or AWS allows."""


class RateNotFound(EstimatorError, LookupError):
    """A price that is not known for this region; it is never taken as 0, nor from another region.

    Parameters
    ----------
    price : str
        Name of the row in ``PRICES``.
    region : str
        Region code.
    usage_type : str
        AWS's usage type in this region.
    snapshot : str
        Where the rates came from.
    as_of : datetime.date or None
        The day that they were asked for.
    """

    def __init__(self, price: str, region: str, usage_type: str, snapshot: str, as_of: dt.date | None = None) -> None:
        self.price = price
        self.region = region
        self.usage_type = usage_type
        self.snapshot = snapshot
        self.what = f"{price} ({usage_type})"
        show = f"`estimator prices show --region {region}` lists known and unknown rates"
        asks = f"`estimator prices refresh --region {region}` asks AWS"
        self.advice = (
            f"Choose a later day: {show} with their dates."
            if as_of
            else f"Choose a region or an option whose rate is known, or say your own price: {show}, {asks}."
        )
        super().__init__(f"No rate is known for {self.what} in {region}, price snapshot {snapshot}. {self.advice}")


class PriceListUnavailable(EstimatorError):
    """The price list or a snapshot of it cannot be had or cannot be read."""


class PriceListUnreachable(PriceListUnavailable):
    """A price source cannot be asked at all: no network, no credentials, no permission."""


class ProductNotFound(PriceListUnavailable):
    """AWS's price list has no product that a query fits.

    Parameters
    ----------
    message : str
        The sentence for the user.
    price : str
        Name of the row in ``PRICES``.
    """

    def __init__(self, message: str, price: str) -> None:
        self.price = price
        super().__init__(message)


class MetricsUnavailable(EstimatorError):
    """CloudWatch refuses, cannot be reached, or has nothing of what was asked."""


class NoFeasiblePlan(EstimatorError):
    """No candidate keeps the promise.

    Parameters
    ----------
    message : str
        The sentence for the user.
    rejections : tuple of Rejection
        Every candidate's broken limit, nearest miss first.
    """

    def __init__(self, message: str, rejections: tuple[Any, ...] = ()) -> None:
        self.rejections = rejections
        super().__init__(message)


class ExportError(EstimatorError):
    """A stack cannot be written where the user asked for it."""


def unknown_rates_text(unknown: Iterable[RateNotFound]) -> str:
    """Say in one sentence which rates of a region are not known.

    Parameters
    ----------
    unknown : iterable of RateNotFound
        At least one.

    Returns
    -------
    str
        What is not known, where, and what to do.
    """
    errors = list(unknown)
    first = errors[0]
    what = ", ".join(error.what for error in errors)
    return f"No rate is known for {what} in {first.region}, price snapshot {first.snapshot}. {first.advice}"
