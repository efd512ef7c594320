"""Horizon: the months to come, and how the load grows in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from estimator.checks import require_in_range


@dataclass(frozen=True)
class Horizon:
    """The months to come, and how the load grows in them.

    Parameters
    ----------
    months : int
        Months that are billed; the first has the load as it is. [months]
    growth_percent_per_month : float
        What the load grows from each month to the next, compounded; less than 0 if it shrinks. [percent/month]
    users : float, optional
        Users whose requests the load is in the first month; they grow with it. Null if a cost by user is of no use. [users]

    Raises
    ------
    InvalidScenario
        If a value is out of range.

    Examples
    --------
    >>> round(Horizon(months=3, growth_percent_per_month=10).load_factor(3), 9)
    1.21
    """

    months: int = field(default=12, metadata={"low": 1, "high": 60, "whole": True})
    growth_percent_per_month: float = field(default=0.0, metadata={"low": -50, "high": 100})
    users: float | None = field(default=None, metadata={"low": 0, "high": 1e12, "above": True})

    def __post_init__(self) -> None:
        require_in_range(self)

    def load_factor(self, month: int) -> float:
        """Say how many times the first month's load a month has.

        Parameters
        ----------
        month : int
            Its number, from 1 on.

        Returns
        -------
        float
            What the load is multiplied with. [1]
        """
        return float((1 + self.growth_percent_per_month / 100) ** (month - 1))
