"""What AWS sells as a Compute Savings Plan: terms, payment options, and what it takes as a commitment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario

#: AWS's bounds of a commitment, and its decimals; AWS, savingsplans API, CreateSavingsPlan, read 2026-11. [USD/h]
MIN_COMMITMENT_USD_PER_H = 0.001
MAX_COMMITMENT_USD_PER_H = 1_000_000
COMMITMENT_DECIMALS = 5
#: Length of a term: 31,536,000 s and 94,608,000 s in AWS's offerings. [h]
TERM_HOURS = {"1yr": 8760, "3yr": 26_280}
PAYMENT_OPTIONS = ("No Upfront", "Partial Upfront", "All Upfront")
#: What AWS takes as the upfront part of a Partial Upfront plan, in whole percent. [percent]
PARTIAL_UPFRONT_PERCENT = (50, 99)
#: More plans than this nobody needs to tell apart in one bill.
MAX_SAVINGS_PLANS = 10

# Digits of a commitment beyond AWS's that are rounding.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class SavingsPlanOption:
    """Term and payment option of a Compute Savings Plan.

    Parameters
    ----------
    term : str
        ``1yr`` or ``3yr``.
    payment_option : str
        ``No Upfront``, ``Partial Upfront`` or ``All Upfront``.
    """

    term: str
    payment_option: str

    def __post_init__(self) -> None:
        for name, allowed in (("term", tuple(TERM_HOURS)), ("payment_option", PAYMENT_OPTIONS)):
            if (value := getattr(self, name)) not in allowed:
                raise InvalidScenario(f"{name} is {shown(value)}; it must be one of {', '.join(allowed)}.")

    def price_of(self, leg: str) -> str:
        """Name the row in ``PRICES`` of what a unit takes from the commitment.

        Parameters
        ----------
        leg : str
            What is covered, such as ``linux_arm_vcpu``.

        Returns
        -------
        str
            The name.
        """
        return f"sp_compute_{self.term}_{self.payment_option.replace(' ', '').lower()}__fargate_{leg}_hour"


#: Every option that AWS sells.
SAVINGS_PLAN_OPTIONS = tuple(SavingsPlanOption(term, payment) for term in TERM_HOURS for payment in PAYMENT_OPTIONS)


@dataclass(frozen=True, slots=True)
class SavingsPlanPayment:
    """How a commitment is paid over its term.

    Parameters
    ----------
    option : SavingsPlanOption
        Term and payment option.
    commitment_usd_per_h : float
        Commitment. [USD/h]
    partial_upfront_percent : int
        Upfront part of a Partial Upfront plan, 50 to 99; of no meaning for the others. [percent]

    Examples
    --------
    >>> paid = SavingsPlanPayment(SavingsPlanOption("1yr", "Partial Upfront"), 2.0)
    >>> paid.upfront_usd, paid.recurring_usd_per_h, paid.effective_usd_per_h
    (8760.0, 1.0, 2.0)
    """

    option: SavingsPlanOption
    commitment_usd_per_h: float
    partial_upfront_percent: int = 50

    def __post_init__(self) -> None:
        object.__setattr__(self, "commitment_usd_per_h", float(require_commitment(self.commitment_usd_per_h)))
        require_number("partial_upfront_percent", self.partial_upfront_percent, *PARTIAL_UPFRONT_PERCENT, whole=True)

    @property
    def upfront_usd(self) -> float:
        """Paid upfront, once. [USD]"""
        percent = (0, self.partial_upfront_percent, 100)[PAYMENT_OPTIONS.index(self.option.payment_option)]
        return self.commitment_usd_per_h * TERM_HOURS[self.option.term] * percent / 100

    @property
    def recurring_usd_per_h(self) -> float:
        """Paid with each month's bill, for each hour of the term. [USD/h]"""
        return self.commitment_usd_per_h - self.upfront_usd / TERM_HOURS[self.option.term]

    @property
    def effective_usd_per_h(self) -> float:
        """Both parts, for each hour of the term: the commitment, whatever the payment option. [USD/h]"""
        return self.upfront_usd / TERM_HOURS[self.option.term] + self.recurring_usd_per_h


@dataclass(frozen=True, slots=True)
class SavingsPlan:
    """A Compute Savings Plan: one that you have, or one to buy.

    Parameters
    ----------
    term : str
        ``1yr`` or ``3yr``.
    payment_option : str
        ``No Upfront``, ``Partial Upfront`` or ``All Upfront``.
    commitment_usd_per_h : float, optional
        Commitment, 0.001 to 1,000,000 with at most five decimals; of one that you share with others what is left for this service. null for the one
        that costs least. [USD/h]
    partial_upfront_percent : int
        Upfront part of a Partial Upfront plan, 50 to 99; of no meaning for the others. [percent]
    existing : bool
        True for one that you have already: it is paid whatever you run.

    Raises
    ------
    InvalidScenario
        If AWS has no such plan.
    """

    term: str = "1yr"
    payment_option: str = "No Upfront"
    commitment_usd_per_h: float | None = None
    partial_upfront_percent: int = 50
    existing: bool = False

    def __post_init__(self) -> None:
        SavingsPlanOption(self.term, self.payment_option)
        if not isinstance(self.existing, bool):
            raise InvalidScenario(f"existing is {shown(self.existing)}; it must be true or false.")
        require_number("partial_upfront_percent", self.partial_upfront_percent, *PARTIAL_UPFRONT_PERCENT, whole=True)
        if self.commitment_usd_per_h is None:
            if self.existing:
                raise InvalidScenario(
                    "commitment_usd_per_h is null beside existing; a plan that you have has a commitment. Write it, in USD per hour."
                )
            return
        require_number(
            "commitment_usd_per_h", self.commitment_usd_per_h, MIN_COMMITMENT_USD_PER_H, MAX_COMMITMENT_USD_PER_H
        )
        require_commitment(self.commitment_usd_per_h)

    @property
    def option(self) -> SavingsPlanOption:
        """Term and payment option."""
        return SavingsPlanOption(self.term, self.payment_option)

    @property
    def years(self) -> str:
        """Its term, to read."""
        return {"1yr": "1 year", "3yr": "3 years"}[self.term]

    @property
    def title(self) -> str:
        """The plan, to read."""
        return f"Compute Savings Plan, {self.years}, {self.payment_option}"


@dataclass(frozen=True, slots=True)
class AppliedSavingsPlan:
    """What a Savings Plan did in one billed month.

    Parameters
    ----------
    plan : SavingsPlan
        The plan, as it was asked for.
    commitment_usd_per_h : float
        Its commitment, given or found; 0 if none pays off. [USD/h]
    hours : float
        Length of the billed month. [h]
    used_usd : float
        What usage took from the commitment in the month. [USD]
    on_demand_usd : float
        What the same usage would have cost On-Demand. [USD]
    """

    plan: SavingsPlan
    commitment_usd_per_h: float
    hours: float
    used_usd: float
    on_demand_usd: float

    @property
    def committed_usd(self) -> float:
        """The commitment of the month's hours. [USD]"""
        return self.commitment_usd_per_h * self.hours

    @property
    def unused_usd(self) -> float:
        """What is left of the commitment hour by hour, and lost. [USD]"""
        left = self.committed_usd - self.used_usd
        # What rounding leaves of a commitment that is used in all hours is nothing.
        return left if left > _TOLERANCE * self.committed_usd else 0.0

    @property
    def net_savings_usd(self) -> float:
        """What the month costs less than On-Demand; negative if the plan is a loss. [USD]"""
        return self.on_demand_usd - self.committed_usd

    @property
    def payment(self) -> SavingsPlanPayment:
        """How the commitment is paid."""
        return SavingsPlanPayment(self.plan.option, self.commitment_usd_per_h, self.plan.partial_upfront_percent)

    @property
    def text(self) -> str:
        """What it is and what it does, in a sentence or two."""
        if not self.commitment_usd_per_h:
            return f"{self.plan.title}: no commitment pays off."
        used = 100 * self.used_usd / self.committed_usd
        saved = self.net_savings_usd
        effect = f"${abs(saved):,.2f} a month {'less' if saved >= 0 else 'more'} than On-Demand"
        yours = "you have it already" if self.plan.existing else self._paid
        committed = f"{self.commitment_usd_per_h:.5g} USD an hour, utilization {used:.3g} %"
        return f"{self.plan.title}: {committed}, {effect}; {yours}."

    @property
    def _paid(self) -> str:
        upfront, recurring = self.payment.upfront_usd, self.payment.recurring_usd_per_h * self.hours
        parts = [f"${upfront:,.2f} upfront"] if upfront else []
        parts += [f"${recurring:,.2f} with each month's bill"] if round(recurring, 9) else []
        return " and ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            **asdict(self.plan),
            "commitment_usd_per_h": self.commitment_usd_per_h,
            "found": self.plan.commitment_usd_per_h is None,
            "committed_usd_per_month": self.committed_usd,
            "used_usd_per_month": self.used_usd,
            "unused_usd_per_month": self.unused_usd,
            "on_demand_usd_per_month": self.on_demand_usd,
            "net_savings_usd_per_month": self.net_savings_usd,
            "upfront_usd": self.payment.upfront_usd,
            "recurring_usd_per_h": self.payment.recurring_usd_per_h,
        }


def require_savings_plans(plans: Iterable[SavingsPlan]) -> tuple[SavingsPlan, ...]:
    """Raise unless at most the last of some plans is to be found, and those that you have come first.

    Parameters
    ----------
    plans : iterable of SavingsPlan
        In the order in which they are applied.

    Returns
    -------
    tuple of SavingsPlan
        The same.

    Raises
    ------
    InvalidScenario
        If their order is another, or there are too many.
    """
    found = tuple(plans)
    if len(found) > MAX_SAVINGS_PLANS:
        raise InvalidScenario(
            f"savings_plans has {len(found)} plans; it must have at most {MAX_SAVINGS_PLANS}. Add the commitments of like plans up."
        )
    for before, after in pairwise(found):
        if before.commitment_usd_per_h is None:
            raise InvalidScenario(
                "savings_plans has a plan after one whose commitment_usd_per_h is null; the one to be found must be the last. Move it."
            )
        if after.existing and not before.existing:
            raise InvalidScenario(
                "savings_plans has one that you have after one to buy; those with `existing: true` must come first. Move them."
            )
    return found


def require_commitment(commitment_usd_per_h: ArrayLike) -> NDArray[np.float64]:
    """Raise unless commitments are such that AWS takes: 0.001 to 1,000,000 with at most five decimals.

    Parameters
    ----------
    commitment_usd_per_h : array_like, shape (...,)
        Commitments; 0 is none. [USD/h]

    Returns
    -------
    numpy.ndarray, shape (...,)
        The same, to five decimals. [USD/h]
    """
    values = numbers_of("commitment_usd_per_h", commitment_usd_per_h)
    inside = (values >= MIN_COMMITMENT_USD_PER_H) & (values <= MAX_COMMITMENT_USD_PER_H)
    rounded = np.asarray(np.round(np.where(inside, values, 0.0), COMMITMENT_DECIMALS), dtype=np.float64)
    # Sums such as 0.1 + 0.2 have no more decimals than their parts.
    wrong = (values != 0) & ~(inside & (np.abs(rounded - values) <= _TOLERANCE))
    if wrong.any():
        raise InvalidScenario(
            f"commitment_usd_per_h is {float(values[wrong][0]):.12g}; AWS takes {MIN_COMMITMENT_USD_PER_H} to {MAX_COMMITMENT_USD_PER_H:,} USD "
            f"per hour with at most {COMMITMENT_DECIMALS} decimals. Round it, or leave the plan out."
        )
    return rounded


def numbers_of(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Read numbers that a user gave.

    Parameters
    ----------
    name : str
        What they are.
    values : array_like
        A number, or many.

    Returns
    -------
    numpy.ndarray
        The same.

    Raises
    ------
    InvalidScenario
        If one is no number.
    """
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidScenario(f"{name} is {shown(values)}; it must be a number or an array of numbers.") from None
