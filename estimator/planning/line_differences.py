"""Two bills, line by line: line_differences(before, after), with bounds where a rate is not known.

Notes
-----
An unknown rate is never taken as 0: a line of which one side is unknown has a bound on the other side alone. Only the same quantity at the very
same unknown rate is known to cost the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from estimator.billing.costing import CostBreakdown, CostLine, usd_text
from estimator.planning.bills import in_order, usd_of
from estimator.planning.price_effect import LineEffect


@dataclass(frozen=True, slots=True)
class LineDifference(LineEffect):
    """One line of two bills.

    Parameters
    ----------
    before : CostLine or None
        The line of the first bill; None if it has none.
    after : CostLine or None
        The line of the second bill; None if it has none.
    is_same_rate : bool
        True if both lines have the same price of the same region, day and discount, so that even an unknown rate is the same in both.
    """

    before: CostLine | None
    after: CostLine | None
    is_same_rate: bool

    @property
    def _bounds(self) -> tuple[float, float]:
        if self.before_usd is not None and self.after_usd is not None:
            return (self.after_usd - self.before_usd,) * 2
        if self.before_usd is not None:
            return -self.before_usd, math.inf
        if self.after_usd is not None:
            return -math.inf, self.after_usd
        if not self.is_same_rate or self.before is None or self.after is None:
            return -math.inf, math.inf
        # No rate is negative, so that more of the same costs no less.
        more = self.after.pricing_quantity - self.before.pricing_quantity
        return (0.0 if more >= 0 else -math.inf), (0.0 if more <= 0 else math.inf)

    @property
    def least_usd(self) -> float:
        """Least that the second line can cost more, whatever an unknown rate is; minus infinity without a bound. [USD/month]"""
        return self._bounds[0]

    @property
    def most_usd(self) -> float:
        """Most that the second line can cost more, whatever an unknown rate is; infinite without a bound. [USD/month]"""
        return self._bounds[1]

    @property
    def difference_usd(self) -> float | None:
        """What the second line costs more; None if that is not known. The same quantity at the same unknown rate costs the same. [USD/month]"""
        least, most = self._bounds
        return least if least == most else None

    @property
    def difference_percent(self) -> float | None:
        """The difference in percent of the first line; None if it is not known, or the first costs nothing. [percent]"""
        if self.difference_usd == 0:
            return 0.0
        return 100 * self.difference_usd / self.before_usd if self.difference_usd and self.before_usd else None

    @property
    def only_in(self) -> str:
        """The only bill that has the line, ``first`` or ``second``; empty if both do."""
        return "second" if self.before is None else "first" if self.after is None else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the line as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown, or not there, is None.
        """
        return {
            "charge": self.charge,
            "title": self.title,
            "only_in": self.only_in or None,
            "before": line_values(self.before),
            "after": line_values(self.after),
            "difference_usd": self.difference_usd,
            "difference_percent": self.difference_percent,
            "least_difference_usd": _finite(self.least_usd),
            "most_difference_usd": _finite(self.most_usd),
        }


def line_differences(before: CostBreakdown, after: CostBreakdown) -> tuple[LineDifference, ...]:
    """Pair the lines of two bills.

    Parameters
    ----------
    before, after : CostBreakdown
        The bills.

    Returns
    -------
    tuple of LineDifference
        Every line of either, in the bill's order.
    """
    old, new = {line.charge: line for line in before}, {line.charge: line for line in after}
    is_same_bill, same_list = before == after, (before.region, before.as_of) == (after.region, after.as_of)
    found = []
    for charge in in_order({**old, **new}):
        first, second = old.get(charge), new.get(charge)
        title = (second or old[charge]).title
        alike = first is not None and second is not None and same_list and _is_same_rate(first, second)
        found.append(LineDifference(charge, title, usd_of(first), usd_of(second), first, second, is_same_bill or alike))
    return tuple(found)


def line_values(line: CostLine | None) -> dict[str, Any] | None:
    """Return what a comparison says of one line of a bill.

    Parameters
    ----------
    line : CostLine or None
        The line; None where the bill has none.

    Returns
    -------
    dict or None
        Quantity, unit, unit price and cost, which is None if it is not known; None without a line.
    """
    if line is None:
        return None
    return {
        "quantity": line.pricing_quantity,
        "unit": line.pricing_unit,
        "unit_price": line.effective_unit_price,
        "usd": line.effective_cost,
    }


def signed_text(usd: float | None) -> str:
    """Write a difference to read.

    Parameters
    ----------
    usd : float or None
        The difference; None if it is not known. [USD]

    Returns
    -------
    str
        With its sign, of which 0 has none.
    """
    cents = None if usd is None else round(usd, 2)
    return f"{cents:+,.2f}" if cents else usd_text(None if cents is None else 0.0)


def percent_text(percent: float | None) -> str:
    """Write a difference in percent to read.

    Parameters
    ----------
    percent : float or None
        The difference; None if there is none to say. [percent]

    Returns
    -------
    str
        With its sign, of which 0 has none; a small one with the digits that it has; empty for None.

    Examples
    --------
    >>> percent_text(-5.04), percent_text(0.0), percent_text(0.00123), percent_text(None)
    ('-5.0 %', '0.0 %', '+0.0012 %', '')
    """
    if not percent:
        return "" if percent is None else "0.0 %"
    return f"{percent:+,.1f} %" if abs(percent) >= 0.05 else f"{percent:+.2g} %"


def bounds_text(least: float, most: float) -> str:
    """Write a difference to read of which perhaps only bounds are known.

    Parameters
    ----------
    least, most : float
        Its bounds; infinite where there is none. [USD]

    Returns
    -------
    str
        The difference, or ``at least``, ``at most``, or ``unknown``.

    Examples
    --------
    >>> bounds_text(1.5, 1.5), bounds_text(1.5, float("inf")), bounds_text(float("-inf"), float("inf"))
    ('+1.50', 'at least +1.50', 'unknown')
    """
    if least == most:
        return signed_text(least)
    if math.isfinite(least):
        return f"at least {signed_text(least)}"
    return f"at most {signed_text(most)}" if math.isfinite(most) else "unknown"


def _is_same_rate(first: CostLine, second: CostLine) -> bool:
    # What of a shared line is paid On-Demand depends on the other lines.
    return (
        not (first.is_shared or second.is_shared)
        and first.price == second.price
        and first.discount_percent == second.discount_percent
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
