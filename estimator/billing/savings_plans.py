"""Compute Savings Plans, applied hour by hour as AWS does, and the commitment that costs least.

Notes
-----
A Savings Plan is a commitment in USD per hour. Each hour it pays for usage at Savings Plan rates, that with the highest savings
percentage first and of equal ones that with the lowest Savings Plan rate; what it does not reach is On-Demand, and what is left of it in
an hour is lost [1]_. So the bill is convex and piecewise linear in the commitment, with a kink at each hourly amount at which a leg of the
usage is fully paid: the optimum is one of them, and is found without trying commitments.

AWS groups the plans of an account and ranks the rates of all of them together. Here existing commitments are applied first and a new one
to what they leave. Both ways give the same where the plans have the same rates; else AWS may give a leg to the other plan.

References
----------
.. [1] AWS, "Understanding how Savings Plans apply to your usage",
   https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html, read 2026-11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.billing.savings_plan_options import (
    COMMITMENT_DECIMALS,
    MAX_COMMITMENT_USD_PER_H,
    MIN_COMMITMENT_USD_PER_H,
    SAVINGS_PLAN_OPTIONS,
    SavingsPlanOption,
    numbers_of,
    require_commitment,
)
from estimator.errors import InvalidScenario, RateNotFound
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import Rates
from estimator.service.capacity import FARGATE
from estimator.service.task_size import ARM64, LINUX, WINDOWS
from estimator.simulation.result import Simulation
from estimator.units import SECONDS_PER_HOUR

Floats = NDArray[np.float64]

#: A commitment that only pays with more than this times the load never pays. [1]
MAX_SHARE = 1000.0

# Slopes nearer to 0 than this part of a commitment in every hour are rounding.
_TOLERANCE = 1e-9
# Sums of costs that differ by less than this part are equal.
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class SavingsPlanUsage:
    """Usage by hour, in legs that each have an On-Demand rate and a Savings Plan rate.

    Parameters
    ----------
    legs : tuple of str
        Names of the legs, such as the rows in ``PRICES`` of their On-Demand rates.
    units_per_h : numpy.ndarray, shape (n_legs, n_hours)
        Usage of each hour; any number of hours, since a commitment lasts for years. [units/h]
    on_demand_rates : numpy.ndarray, shape (n_legs,)
        What you pay without a Savings Plan. [USD/unit]
    savings_plan_rates : numpy.ndarray, shape (n_legs,)
        What a unit takes from the commitment; infinite where the plan does not cover the leg. [USD/unit]

    Examples
    --------
    >>> usage = SavingsPlanUsage(("vCPU", "GB"), [[400], [1600]], [0.04, 0.004], [0.03, 0.003])
    >>> usage.on_demand_usd.round(6).item(), [usage.legs[leg] for leg in usage.order]
    (22.4, ['GB', 'vCPU'])
    """

    legs: tuple[str, ...]
    units_per_h: Floats
    on_demand_rates: Floats
    savings_plan_rates: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", tuple(self.legs))
        for name in ("units_per_h", "on_demand_rates", "savings_plan_rates"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        _lock(self)
        n, shapes = len(self.legs), [self.units_per_h.shape, self.on_demand_rates.shape, self.savings_plan_rates.shape]
        if not self.units_per_h.size or [len(shapes[0]), shapes[0][:1], *shapes[1:]] != [2, (n,), (n,), (n,)]:
            raise InvalidScenario(
                f"units_per_h, on_demand_rates and savings_plan_rates have the shapes {', '.join(map(str, shapes))}; they must have a row for each "
                f"of {n} legs, and the first a column for each hour, at least one of each."
            )

    @property
    def n_hours(self) -> int:
        """Hours. [h]"""
        return int(self.units_per_h.shape[1])

    @property
    def on_demand_usd(self) -> Floats:
        """Cost of each hour without a Savings Plan, shape (n_hours,). [USD]"""
        return np.asarray(self.on_demand_rates @ self.units_per_h)

    @property
    def savings_percent(self) -> Floats:
        """What the plan takes off each leg, shape (n_legs,); minus infinity where nothing can be saved. [percent]"""
        saved = np.full(len(self.legs), -np.inf)
        paid = self.on_demand_rates > 0
        saved[paid] = 100.0 * (1.0 - self.savings_plan_rates[paid] / self.on_demand_rates[paid])
        return saved

    @property
    def break_even_shares(self) -> Floats:
        """Part of the hours in which a committed unit of each leg must be used to pay off, shape (n_legs,); above 1 it never does. [1]"""
        return 1.0 - self.savings_percent / 100.0

    @property
    def order(self) -> tuple[int, ...]:
        """Positions of the legs that the plan covers, in the order in which AWS spends the commitment on them."""
        # To nine decimals: 0.003 of 0.004 and 0.03 of 0.04 are equal savings.
        ranked = np.lexsort((self.savings_plan_rates, -np.round(self.savings_percent, 9)))
        return tuple(int(leg) for leg in ranked if math.isfinite(self.savings_plan_rates[leg]))


@dataclass(frozen=True, eq=False)
class ExistingCommitment:
    """A Compute Savings Plan that you have already, or several at the same rates.

    Parameters
    ----------
    commitment_usd_per_h : float
        Commitment; 0 is none. [USD/h]
    savings_plan_rates : numpy.ndarray, shape (n_legs,)
        Its rates, in the order of the usage's legs; infinite where it does not cover a leg, as an EC2 Instance Savings Plan.
        [USD/unit]
    """

    commitment_usd_per_h: float
    savings_plan_rates: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "commitment_usd_per_h", float(require_commitment(self.commitment_usd_per_h)))
        object.__setattr__(self, "savings_plan_rates", _checked("savings_plan_rates", self.savings_plan_rates))
        _lock(self)


#: One commitment, several in the order in which they are applied, or none.
Existing = ExistingCommitment | Sequence[ExistingCommitment] | None


@dataclass(frozen=True, eq=False)
class CommittedBill:
    """What hours of usage cost with a commitment, or with each of many.

    Parameters
    ----------
    usage : SavingsPlanUsage
        The usage.
    commitment_usd_per_h : numpy.ndarray, shape (...,)
        The commitments. [USD/h]
    unused_usd : numpy.ndarray, shape (..., n_hours)
        What is left of the commitment in each hour and lost, AWS's ``UnusedCommitment``. [USD]
    on_demand_units_per_h : numpy.ndarray, shape (..., n_legs, n_hours)
        Usage that the commitment does not reach. [units/h]
    """

    usage: SavingsPlanUsage
    commitment_usd_per_h: Floats
    unused_usd: Floats
    on_demand_units_per_h: Floats

    def __post_init__(self) -> None:
        _lock(self)

    @property
    def used_usd(self) -> Floats:
        """What is spent of the commitment in each hour, AWS's ``UsedCommitment``, shape (..., n_hours). [USD]"""
        return self.commitment_usd_per_h[..., None] - self.unused_usd

    @property
    def on_demand_usd(self) -> Floats:
        """Cost of each hour's usage beyond the commitment, shape (..., n_hours). [USD]"""
        return np.asarray(self.usage.on_demand_rates @ self.on_demand_units_per_h)

    @property
    def bill_usd(self) -> Floats:
        """Cost of each hour: the whole commitment, and On-Demand, shape (..., n_hours). [USD]"""
        return self.commitment_usd_per_h[..., None] + self.on_demand_usd

    @property
    def total_usd(self) -> Floats:
        """Cost of all hours, shape (...,). [USD]"""
        return np.asarray(self.bill_usd.sum(axis=-1))

    @property
    def net_savings_usd(self) -> Floats:
        """What all hours cost less than On-Demand alone, AWS's ``NetSavings``; negative if the commitment is a loss, shape (...,). [USD]"""
        return float(self.usage.on_demand_usd.sum()) - self.total_usd

    @property
    def utilization(self) -> Floats:
        """Used part of the commitment, AWS's utilization, shape (...,); not a number without a commitment. [1]"""
        return _part(self.used_usd.sum(axis=-1), self.commitment_usd_per_h * self.usage.n_hours)

    @property
    def coverage(self) -> Floats:
        """Part of the usage that the plan covers which the commitment pays for, both at On-Demand rates, shape (...,); not a number without any. [1]"""
        rates = np.where(np.isfinite(self.usage.savings_plan_rates), self.usage.on_demand_rates, 0.0)
        whole = float((rates @ self.usage.units_per_h).sum())
        return _part(whole - (rates @ self.on_demand_units_per_h).sum(axis=-1), whole)


@dataclass(frozen=True, eq=False)
class BestCommitment:
    """The commitment that costs least for hours of usage.

    Parameters
    ----------
    exact_usd_per_h : float
        The optimum before rounding to AWS's decimals and bounds. [USD/h]
    commitment_usd_per_h : float
        The optimum that can be bought; 0 if nothing pays. [USD/h]
    bill : CommittedBill
        The bill of the usage that existing commitments leave.
    existing_usd : float
        Cost of existing commitments in these hours, used or not. [USD]
    """

    exact_usd_per_h: float
    commitment_usd_per_h: float
    bill: CommittedBill
    existing_usd: float = 0.0

    @property
    def total_usd(self) -> float:
        """Cost of all hours, with existing commitments. [USD]"""
        return self.existing_usd + float(self.bill.total_usd)

    @property
    def without_usd(self) -> float:
        """Cost of all hours without a new commitment. [USD]"""
        return self.existing_usd + float(self.bill.usage.on_demand_usd.sum())


@dataclass(frozen=True, eq=False)
class CommitmentRisk:
    """What a commitment costs when the load is not what was simulated.

    Parameters
    ----------
    shares : numpy.ndarray, shape (n_shares,)
        Load as a part of the simulated one. [1]
    committed_usd : numpy.ndarray, shape (n_shares,)
        Cost of all hours with the commitment kept, and with existing ones. [USD]
    without_usd : numpy.ndarray, shape (n_shares,)
        Cost of all hours without it. [USD]
    break_even_share : float
        Part of the simulated load below which the commitment is a loss; above 1 it is one already, infinite if no load up to 1,000 times
        the simulated one pays for it, 0 without a commitment. [1]
    """

    shares: Floats
    committed_usd: Floats
    without_usd: Floats
    break_even_share: float

    def __post_init__(self) -> None:
        _lock(self)

    @property
    def loss_usd(self) -> Floats:
        """What the commitment costs more than none, shape (n_shares,); negative where it saves. [USD]"""
        return self.committed_usd - self.without_usd

    @property
    def fall_to_loss_percent(self) -> float:
        """Fall of the load from which on the commitment is a loss; 0 if it is one already. [percent]"""
        return 100.0 * max(1.0 - self.break_even_share, 0.0)


def fargate_usage(
    simulation: Simulation,
    rates: Rates,
    option: SavingsPlanOption,
    candidate: int = 0,
    operating_system: str = LINUX,
) -> SavingsPlanUsage:
    """Take the usage that a Compute Savings Plan covers from a simulated service.

    That is vCPU and memory of tasks on ``FARGATE``; Fargate Spot and ephemeral storage are not covered. On-Demand rates are those that you
    pay, private discounts taken off (FOCUS's contracted prices), since AWS compares a plan's rates with "your current On-Demand rates".
    Savings Plan rates are less a discount too, where one is named for ``ComputeSavingsPlans``.

    Parameters
    ----------
    simulation : Simulation
        Made with ``keep_hours=True``.
    rates : Rates
        The region's rates.
    option : SavingsPlanOption
        Term and payment option.
    candidate : int
        Position of the candidate.
    operating_system : str
        ``LINUX``, or ``WINDOWS``, whose licence is not covered.

    Returns
    -------
    SavingsPlanUsage
        Two legs, vCPU-hours and GB-hours.

    Raises
    ------
    RateNotFound
        If an On-Demand or a Savings Plan rate is not known.
    InvalidScenario
        If the simulation kept no hours, a rate has tiers, or a Savings Plan rate is 0.
    """
    if FARGATE not in simulation.billed_task_s_by_hour:
        raise InvalidScenario(
            "The simulation kept no hours, and a Savings Plan is applied by the hour. Simulate with keep_hours=True."
        )
    spec = simulation.specs[candidate]
    # On-Demand is all tasks less those on Spot: where all are on Spot, rounding may leave less than 0.
    task_hours = np.maximum(simulation.billed_task_s_by_hour[FARGATE][candidate], 0.0) / SECONDS_PER_HOUR
    per_task = np.array([spec.task_size.vcpu, spec.task_size.memory_gb])
    kind = "windows" if operating_system == WINDOWS else f"linux_{'arm' if spec.cpu_architecture == ARM64 else 'x86'}"
    legs = [f"{kind}_{leg}" for leg in ("vcpu", "gb")]
    names = tuple(f"fargate_{leg}_hour" for leg in legs)
    on_demand = np.array([_usd_per_unit(rates, name) for name in names])
    plan = np.array([_usd_per_unit(rates, option.price_of(leg)) for leg in legs])
    return SavingsPlanUsage(names, per_task[:, None] * task_hours, on_demand, plan)


def apply_commitment(usage: SavingsPlanUsage, commitment_usd_per_h: ArrayLike) -> CommittedBill:
    """Apply a commitment, or each of many, to every hour of usage as AWS does.

    Parameters
    ----------
    usage : SavingsPlanUsage
        The usage.
    commitment_usd_per_h : array_like, shape (...,)
        Commitments: 0 for none, or what AWS takes, as in `require_commitment`. [USD/h]

    Returns
    -------
    CommittedBill
        Of every hour; its leading dimensions are those of the commitments.

    Examples
    --------
    AWS's 4 instances, with a commitment that they do not use up, and one that covers 2.857 of them:

    >>> usage = SavingsPlanUsage(("r5.4xlarge",), [[4]], [1.00], [0.70])
    >>> bill = apply_commitment(usage, [5, 2])
    >>> bill.bill_usd[:, 0].round(2).tolist(), bill.utilization.round(2).tolist(), bill.coverage.round(3).tolist()
    ([5.0, 3.14], [0.56, 1.0], [1.0, 0.714])
    """
    commitment = require_commitment(commitment_usd_per_h)
    units, left = _spend(usage, commitment)
    return CommittedBill(usage, commitment, left, units)


def bill_by_commitment(usage: SavingsPlanUsage, commitments_usd_per_h: ArrayLike) -> Floats:
    """Cost of all hours for each of any number of commitments, as for a chart.

    Parameters
    ----------
    usage : SavingsPlanUsage
        The usage.
    commitments_usd_per_h : array_like, shape (...,)
        Commitments of 0 or more; here they need not be such that AWS takes. [USD/h]

    Returns
    -------
    numpy.ndarray, shape (...,)
        Cost of all hours, convex and piecewise linear in the commitment. [USD]

    Examples
    --------
    >>> usage = SavingsPlanUsage(("vCPU",), [[10, 20]], [0.04], [0.03])
    >>> bill_by_commitment(usage, [0, 0.3, 0.6, 0.9]).round(6).tolist()
    [1.2, 1.0, 1.2, 1.8]
    """
    commitments = _checked("commitments_usd_per_h", commitments_usd_per_h)
    slope, weights, edges = _hinges(usage)
    total = float(usage.on_demand_usd.sum()) + slope * commitments
    for weight, of_leg in zip(weights, edges, strict=True):
        sums = np.append(0.0, np.cumsum(of_leg))
        below = np.searchsorted(of_leg, commitments, side="right")
        total = total + weight * (below * commitments - sums[below])
    return np.asarray(total)


def best_commitment(usage: SavingsPlanUsage, existing: Existing = None) -> BestCommitment:
    """Find the commitment that costs least for these hours, exactly; of equal ones the smallest.

    With one leg it is the level of usage that is exceeded in ``sp / od`` of the hours, times the Savings Plan rate; with several the slope
    of the whole bill decides. It is then rounded to that neighbor among AWS's five decimals which is cheaper. Where the optimum
    is above AWS's bound for one plan, it is that bound.

    Parameters
    ----------
    usage : SavingsPlanUsage
        The usage.
    existing : ExistingCommitment or sequence of ExistingCommitment, optional
        Commitments that are applied first, in their order: the new one is for what they leave.

    Returns
    -------
    BestCommitment
        The commitment, and the bill with it.

    Examples
    --------
    At 25 % off a committed vCPU must be used in 75 % of the hours: there are 10 in all of four hours, and 30 in one.

    >>> usage = SavingsPlanUsage(("vCPU",), [[10, 10, 30, 10]], [0.04], [0.03])
    >>> best_commitment(usage).commitment_usd_per_h
    0.3
    """
    left = _left(usage, existing)
    first, weights, edges = _hinges(left)
    points = np.append(0.0, np.sort(edges, axis=None))
    slope = np.full(points.size, first)
    for weight, of_leg in zip(weights, edges, strict=True):
        slope += weight * np.searchsorted(of_leg, points, side="right")
    # From the last edge on the slope is a commitment in every hour, so that there is such a point.
    exact = float(points[np.flatnonzero(slope >= -_TOLERANCE * left.n_hours)[0]])
    step = 10**COMMITMENT_DECIMALS
    least, most = round(MIN_COMMITMENT_USD_PER_H * step), MAX_COMMITMENT_USD_PER_H * step
    neighbors = {min(max(whole, least), most) for whole in (math.floor(exact * step), math.ceil(exact * step))}
    allowed = np.array([0, *sorted(neighbors)]) / step
    cost = bill_by_commitment(left, allowed)
    equal = cost <= cost.min() + _ROUNDING * (cost[0] + allowed[-1] * left.n_hours)
    commitment = float(allowed[np.flatnonzero(equal)[0]])
    already = _each_usd_per_h(existing) * usage.n_hours
    return BestCommitment(exact, commitment, apply_commitment(left, commitment), already)


def commitment_risk(
    usage: SavingsPlanUsage, commitment_usd_per_h: float, shares: ArrayLike, existing: Existing = None
) -> CommitmentRisk:
    """Say what a commitment costs if the load is only a part of the simulated one, while the commitment is kept.

    Parameters
    ----------
    usage : SavingsPlanUsage
        The simulated usage.
    commitment_usd_per_h : float
        The commitment. [USD/h]
    shares : array_like, shape (n_shares,)
        Load as a part of the simulated one, the same in every hour; more than 1 is growth. [1]
    existing : ExistingCommitment or sequence of ExistingCommitment, optional
        Commitments that are applied first, and paid with the new one and without.

    Returns
    -------
    CommitmentRisk
        Bills with the commitment and without it, and the share at which they are equal.

    Examples
    --------
    10 vCPU in every hour at 25 % off: with less than 75 % of the load the commitment is a loss.

    >>> usage = SavingsPlanUsage(("vCPU",), [[10, 10]], [0.04], [0.03])
    >>> risk = commitment_risk(usage, 0.3, [1, 0.75, 0.5])
    >>> risk.loss_usd.round(6).tolist(), round(risk.fall_to_loss_percent, 6)
    ([-0.2, 0.0, 0.2], 25.0)
    """
    commitment = require_commitment(commitment_usd_per_h)
    parts = np.atleast_1d(_checked("shares", shares))
    committed = float(commitment) * usage.n_hours
    already = _each_usd_per_h(existing) * usage.n_hours

    def costs(share: float) -> tuple[float, float]:
        left = _left(replace(usage, units_per_h=usage.units_per_h * share), existing)
        units, _ = _spend(left, commitment)
        return committed + float((left.on_demand_rates @ units).sum()), float(left.on_demand_usd.sum())

    def pays(share: float) -> bool:
        with_it, without = costs(share)
        return with_it <= without + _ROUNDING * (with_it + without)

    both = np.array([costs(float(share)) for share in parts]).reshape(-1, 2)
    return CommitmentRisk(parts, already + both[:, 0], already + both[:, 1], _first_share(pays))


def compare_options(
    simulation: Simulation,
    rates: Rates,
    candidate: int = 0,
    existing: Existing = None,
    operating_system: str = LINUX,
) -> dict[SavingsPlanOption, BestCommitment | RateNotFound]:
    """Find the best commitment of each term and payment option for a simulated service.

    Parameters
    ----------
    simulation : Simulation
        Made with ``keep_hours=True``.
    rates : Rates
        The region's rates.
    candidate : int
        Position of the candidate.
    existing : ExistingCommitment or sequence of ExistingCommitment, optional
        Commitments that are applied first; `fargate_usage` with the option of one has its rates.
    operating_system : str
        ``LINUX`` or ``WINDOWS``.

    Returns
    -------
    dict of SavingsPlanOption to BestCommitment or RateNotFound
        In the order of ``SAVINGS_PLAN_OPTIONS``; the error says which rate of an option is not known.
    """
    found: dict[SavingsPlanOption, BestCommitment | RateNotFound] = {}
    for option in SAVINGS_PLAN_OPTIONS:
        try:
            found[option] = best_commitment(
                fargate_usage(simulation, rates, option, candidate, operating_system), existing
            )
        except RateNotFound as error:
            found[option] = error
    return found


def _hinges(usage: SavingsPlanUsage) -> tuple[float, Floats, Floats]:
    """Write the bill above On-Demand alone as ``slope × C + sum over legs of weight × sum of max(C − edge, 0)``.

    An edge is the hourly amount at which a leg of an hour, and those before it, are paid in full; each leg's are sorted. A USD of the
    commitment saves ``od / sp`` on the leg that it is spent on. A weight is how much less it saves after the edge.
    """
    order = list(usage.order)
    rates = usage.savings_plan_rates[order]
    edges = np.sort(np.cumsum(rates[:, None] * usage.units_per_h[order], axis=0), axis=1)
    saved = np.append(usage.on_demand_rates[order] / rates, 0.0)
    return (1.0 - float(saved[0])) * usage.n_hours, saved[:-1] - saved[1:], edges


def _left(usage: SavingsPlanUsage, existing: Existing) -> SavingsPlanUsage:
    """Take off the usage that existing commitments pay for; the rest is for the new plan, at its rates."""
    for one in _each(existing):
        at_existing = replace(usage, savings_plan_rates=one.savings_plan_rates)
        usage = replace(usage, units_per_h=_spend(at_existing, np.asarray(one.commitment_usd_per_h))[0])
    return usage


def _each(existing: Existing) -> Sequence[ExistingCommitment]:
    return (existing,) if isinstance(existing, ExistingCommitment) else existing or ()


def _each_usd_per_h(existing: Existing) -> float:
    return sum(one.commitment_usd_per_h for one in _each(existing))


def _spend(usage: SavingsPlanUsage, commitments: Floats) -> tuple[Floats, Floats]:
    """Return the units of each leg and hour that commitments do not reach, and what is left of them in each hour."""
    left = np.repeat(commitments[..., None], usage.n_hours, axis=-1)
    units = np.tile(usage.units_per_h, (*commitments.shape, 1, 1))
    for leg in usage.order:
        need = usage.units_per_h[leg] * usage.savings_plan_rates[leg]
        spent = np.minimum(left, need)
        remaining = usage.units_per_h[leg] - spent / usage.savings_plan_rates[leg]
        units[..., leg, :] = np.where(spent == need, 0.0, np.maximum(remaining, 0.0))
        left -= spent
    return units, left


def _first_share(pays: Callable[[float], bool]) -> float:
    """Find the smallest share that pays by halving: what a commitment saves never shrinks with the load."""
    low, high = 0.0, MAX_SHARE
    if pays(low):
        return low
    if not pays(high):
        return math.inf
    while high - low > _ROUNDING * high:
        middle = (low + high) / 2
        low, high = (low, middle) if pays(middle) else (middle, high)
    return high


def _usd_per_unit(rates: Rates, name: str) -> float:
    """Look up what a unit costs you; tiers are by month, and a Savings Plan is applied by the hour."""
    tiers = contracted(rates[name]).tiers
    if len(tiers) > 1:
        raise InvalidScenario(
            f"{name} has {len(tiers)} tiers; they are by month, and a Savings Plan is applied by the hour. Say one price for every unit."
        )
    return float(tiers[0].price)


def _checked(name: str, values: ArrayLike) -> Floats:
    """Return numbers of 0 or more, or a plan's rates above 0, or raise; a rate of 0 would pay for usage without a commitment."""
    numbers = numbers_of(name, values)
    of_plan = name == "savings_plan_rates"
    wrong = ~(numbers > 0) if of_plan else ~((numbers >= 0) & np.isfinite(numbers))
    if wrong.any():
        allowed = "above 0, or inf for a leg that the plan does not cover" if of_plan else "of 0 or more"
        raise InvalidScenario(f"{name} has {numbers[wrong][0]:g}; each must be a number {allowed}. Correct the value.")
    return numbers


def _part(part: Floats, whole: Floats | float) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.divide(part, whole))


def _lock(record: object) -> None:
    for name, value in vars(record).items():
        if isinstance(value, np.ndarray):
            copy = value.copy()
            copy.setflags(write=False)
            object.__setattr__(record, name, copy)
