"""One Compute Savings Plan for all services of an account: shared_commitments(results), and what each service has of it.

Notes
-----
A Compute Savings Plan pays for Fargate in every region of an account, so that what one service leaves of the commitment in an hour pays for
another. In each hour AWS spends it where it saves most, whosesoever the usage is; so the plan saves in each hour at least what separate
plans of the same sum would, and the best shared commitment is never dearer than the best separate ones.

The services' hours have to meet for that. They are laid on one grid that begins on a Monday which is a 1 January, in UTC: its length is the least
common multiple of a week and of all periods, and each period is repeated onto it. A period of whole weeks, or one of which a week has several,
keeps its weekday: one without dates begins on Monday, one with dates where its start says. Any other period keeps its day of the year. Where the
common multiple is more than `MAX_GRID_HOURS`, the grid is a year, or the longest period; the last repetition is then cut, and what is left of
the series is scaled so that the service's month stays as it is billed.

Savings Plans that you have are applied first, to the usage of all services, in their order. An account has a plan once: equal ones (term, payment
option, commitment) that several scenarios name are one plan. Whoever wrote each service's own part of a plan into its scenario says so
(``existing_are_shares``), and all of them count. Plans that scenarios are about to buy are left out: the shared one takes their place.

What a plan saves is divided among the services in proportion to what it pays of each, at On-Demand rates.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.savings_plan_options import (
    SAVINGS_PLAN_OPTIONS,
    AppliedSavingsPlan,
    SavingsPlan,
    SavingsPlanOption,
)
from estimator.billing.savings_plans import (
    ExistingCommitment,
    SavingsPlanUsage,
    apply_commitment,
    best_commitment,
    commitment_risk,
)
from estimator.planning.fleet_result import HourlyUsage, ServiceResult
from estimator.units import SECONDS_PER_HOUR
from estimator.workload.factors import DAYS_PER_YEAR

Floats = NDArray[np.float64]

WEEK_HOURS, YEAR_HOURS = 168, 24 * DAYS_PER_YEAR
#: Seven years: the common multiple of a week and a year of 365 days fits. [h]
MAX_GRID_HOURS = 8 * YEAR_HOURS
#: Where the grid begins: a Monday and the first day of a year.
GRID_START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, eq=False)
class SharedCommitment:
    """A Compute Savings Plan for all services, at the commitment that costs least.

    Parameters
    ----------
    applied : AppliedSavingsPlan
        What it does in a month; its commitment is 0 if none pays off.
    before_usd : float
        What all services cost without it. [USD/month]
    saving_by_service : mapping of str to float
        Each service's part of what it saves, by name; less than 0 where it is a loss. [USD/month]
    separate_by_service : mapping of str to float
        Commitment that would cost least for each service alone, by name. [USD/h]
    separate_saving_usd : float
        What these save together. [USD/month]
    fall_to_loss_percent : float
        Fall of all services' Fargate On-Demand usage, in all hours alike, from which on it is a loss. [percent]
    left_out : tuple of str
        Services whose rates for this option are not known, by name; AWS may spend the commitment on them, which only saves more.
    """

    applied: AppliedSavingsPlan
    before_usd: float
    saving_by_service: Mapping[str, float]
    separate_by_service: Mapping[str, float]
    separate_saving_usd: float
    fall_to_loss_percent: float
    left_out: tuple[str, ...] = ()

    @property
    def option(self) -> SavingsPlanOption:
        """Term and payment option."""
        return self.applied.plan.option

    @property
    def commitment_usd_per_h(self) -> float:
        """The commitment; 0 if none pays off. [USD/h]"""
        return self.applied.commitment_usd_per_h

    @property
    def saving_usd(self) -> float:
        """What it saves. [USD/month]"""
        return self.applied.net_savings_usd if self.commitment_usd_per_h else 0.0

    @property
    def usd_per_month(self) -> float:
        """What all services cost with it. [USD/month]"""
        return self.before_usd - self.saving_usd

    @property
    def separate_usd_per_month(self) -> float:
        """What all services cost with the best commitment of each. [USD/month]"""
        return self.before_usd - self.separate_saving_usd

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return self.applied.to_dict() | {
            "usd_per_month": self.usd_per_month,
            "saving_usd_per_month": self.saving_usd,
            "separate_usd_per_month": self.separate_usd_per_month,
            "separate_saving_usd_per_month": self.separate_saving_usd,
            "fall_to_loss_percent": self.fall_to_loss_percent,
            "saving_usd_per_month_by_service": dict(self.saving_by_service),
            "separate_commitment_usd_per_h_by_service": dict(self.separate_by_service),
            "left_out": list(self.left_out),
        }


@dataclass(frozen=True, eq=False)
class FleetCommitments:
    """What Savings Plans do for all services together.

    Parameters
    ----------
    hours : int
        Length of the common grid; 0 if no service has Fargate On-Demand usage at known rates. [h]
    is_cut : bool
        True if the grid is not a whole number of every period.
    before_by_service : mapping of str to float
        Each service's bill with its part of the plans that you have and without any other, by name. [USD/month]
    existing : tuple of AppliedSavingsPlan
        Plans that you have, and what each does for all services.
    counted_once : tuple of SavingsPlan
        Those of them that several scenarios name, and that are one plan.
    not_divided_usd : float
        What plans that you have cost while they pay for nothing, so that it is no service's; less than 0 for what is taken off because the
        services' own bills have it twice. [USD/month]
    options : tuple of SharedCommitment
        Each option with known rates, cheapest first.
    unknown : mapping of SavingsPlanOption to tuple of str
        Regions of services in which the rates of an option are not known.
    why_not : str
        Why no shared commitment can be said; empty if it can.
    """

    hours: int
    is_cut: bool
    before_by_service: Mapping[str, float]
    existing: tuple[AppliedSavingsPlan, ...] = ()
    counted_once: tuple[SavingsPlan, ...] = ()
    not_divided_usd: float = 0.0
    options: tuple[SharedCommitment, ...] = ()
    unknown: Mapping[SavingsPlanOption, tuple[str, ...]] | None = None
    why_not: str = ""

    @property
    def total_usd(self) -> float:
        """What all services cost with the plans that you have, each counted once, and without any other. [USD/month]"""
        return float(sum(self.before_by_service.values())) + self.not_divided_usd

    @property
    def best(self) -> SharedCommitment | None:
        """The option that costs least; None if no commitment pays off."""
        return next((one for one in self.options if one.commitment_usd_per_h), None)

    def with_best(self, name: str) -> float:
        """Say what a service costs with its part of the best commitment.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        float
            Its bill. [USD/month]
        """
        return self.before_by_service[name] - (self.best.saving_by_service.get(name, 0.0) if self.best else 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "grid_hours": self.hours,
            "grid_is_cut": self.is_cut,
            "usd_per_month_without": self.total_usd,
            "usd_per_month_without_by_service": dict(self.before_by_service),
            "not_divided_usd_per_month": self.not_divided_usd,
            "existing": [done.to_dict() for done in self.existing],
            "counted_once": [plan.title for plan in self.counted_once],
            "options": [one.to_dict() for one in self.options],
            "unknown": [
                {"term": option.term, "payment_option": option.payment_option, "regions": list(regions)}
                for option, regions in (self.unknown or {}).items()
            ],
            "why_not": self.why_not or None,
        }


def shared_commitments(results: Sequence[ServiceResult], *, existing_are_shares: bool = False) -> FleetCommitments:
    """Find the best commitment of each Savings Plan for all services together.

    Parameters
    ----------
    results : sequence of ServiceResult
        Services of one account, billed for months of one length.
    existing_are_shares : bool
        True if equal plans that several services have are parts of their own, and not one plan.

    Returns
    -------
    FleetCommitments
        Each option beside the sum of separate commitments, and what each service has of it.

    Examples
    --------
    One service is busy by day and the other by night: together they are steadier, so that more of it is worth a commitment.

    >>> from estimator.planning.fleet import FleetService, plan_fleet
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates, spec = load_rates("us-east-1"), ServiceSpec(TaskSize(1024, 2048), min_capacity=1, max_capacity=40)
    >>> def service(name, peak_hour):
    ...     work = Workload(LoadProfile.daily(900, 5, peak_hour), cpu_ms_per_request=20)
    ...     return FleetService(name, lambda tell: (estimate(work, rates, spec), rates))
    >>> fleet = plan_fleet([service("day", 12), service("night", 0)], n_threads=1)
    >>> best = fleet.commitments.best
    >>> best.saving_usd > 1.5 * best.separate_saving_usd > 0
    True
    """
    before = {found.name: found.usd_without_plans for found in results}
    plans, counted_once = _pooled(results, existing_are_shares)
    unknown = _unknown_regions(results)
    running = [found for found in results if found.usage.task_hours > 0]
    members = [found for found in running if found.usage.legs]
    if not running and not plans:
        return FleetCommitments(0, False, before, unknown=unknown, why_not="Nothing runs on Fargate On-Demand.")
    missing = [found for found in running for plan in plans if plan.option not in found.usage.savings_plan_rates]
    if missing:
        # The bills stay those of the scenarios, which say what they know.
        own = {found.name: found.cost.total_usd for found in results}
        why = (
            f"The rates of a Savings Plan that you have are not known in {missing[0].region}, so that it cannot be said what it pays of "
            f"{missing[0].name}, nor what it leaves for another."
        )
        # What a plan pays of each cannot be said, but that it is paid once can.
        twice = _usd_per_h(plan for found in results for plan in found.existing) - _usd_per_h(plans)
        return FleetCommitments(
            0,
            False,
            own,
            counted_once=counted_once,
            not_divided_usd=-twice * results[0].cost.hours_per_month,
            unknown=unknown,
            why_not=why,
        )
    hours, is_cut = _grid([found.usage.units_per_h.shape[1] for found in members]) if members else (0, False)
    account = _Account(members, hours, results[0].cost.hours_per_month)
    existing = []
    not_divided = 0.0
    for plan in plans:
        done, savings = account.apply(plan)
        existing.append(done)
        for name, usd in savings.items():
            before[name] -= usd
        if not savings:
            not_divided -= done.net_savings_usd
    total = float(sum(before.values())) + not_divided
    on_grid = bool(plans) or is_cut
    known = [
        option for option in SAVINGS_PLAN_OPTIONS if any(option in found.usage.savings_plan_rates for found in members)
    ]
    options = [account.best(option, total, running, on_grid) for option in known]
    why_not = "" if options else "No rate of a Compute Savings Plan is known in the services' regions."
    return FleetCommitments(
        hours,
        is_cut,
        before,
        tuple(existing),
        counted_once,
        not_divided,
        tuple(sorted(options, key=lambda one: one.usd_per_month)),
        unknown,
        why_not,
    )


def on_grid(usage: HourlyUsage, hours: int) -> Floats:
    """Repeat a service's period onto the common grid.

    Parameters
    ----------
    usage : HourlyUsage
        The service's usage.
    hours : int
        Length of the grid, which begins on a Monday that is a 1 January. [h]

    Returns
    -------
    numpy.ndarray, shape (n_legs, hours)
        Usage of each hour; in sum what the service is billed for, also where the last repetition is cut. [units/h]

    Examples
    --------
    A week that begins on a Wednesday has its first hour two days after Monday.

    >>> import datetime as dt
    >>> start = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    >>> usage = HourlyUsage(("vCPU",), [[1.0] + [0.0] * 167], (0.04,), {}, 1.0, start)
    >>> on_grid(usage, 168)[0].argmax().item()
    48
    """
    units = usage.units_per_h
    period = units.shape[1]
    laid = units[:, (np.arange(hours) - _first_hour(usage.start, period)) % period]
    if hours % period:
        mean, cut = units.mean(axis=1), laid.mean(axis=1)
        laid = laid * np.divide(mean, cut, out=np.ones_like(mean), where=cut > 0)[:, None]
    return laid


def _first_hour(start: dt.datetime | None, period: int) -> int:
    """Say in which hour of the grid a period begins."""
    if start is None:
        return 0
    whole_weeks = period % WEEK_HOURS == 0 or WEEK_HOURS % period == 0
    origin = GRID_START if whole_weeks else start.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return int((start - origin).total_seconds() // SECONDS_PER_HOUR)


def _grid(periods: Iterable[int]) -> tuple[int, bool]:
    """Return the length of the common grid, and whether it cuts a period."""
    lengths = list(periods)
    whole = math.lcm(WEEK_HOURS, *lengths)
    if whole <= MAX_GRID_HOURS:
        return whole, False
    longest = max(YEAR_HOURS, *lengths)
    return longest, any(longest % length for length in lengths)


def _pooled(
    results: Sequence[ServiceResult], existing_are_shares: bool
) -> tuple[list[SavingsPlan], tuple[SavingsPlan, ...]]:
    """List the plans that an account has, and those of them that several services name."""
    counts = [Counter(found.existing) for found in results]
    each = dict.fromkeys(plan for found in results for plan in found.existing)
    if existing_are_shares:
        return [plan for found in results for plan in found.existing], ()
    pooled = [plan for plan in each for _ in range(max(count[plan] for count in counts))]
    several = tuple(plan for plan in each if sum(plan in count for count in counts) > 1)
    return pooled, several


def _usd_per_h(plans: Iterable[SavingsPlan]) -> float:
    return float(sum(plan.commitment_usd_per_h or 0.0 for plan in plans))


def _unknown_regions(results: Sequence[ServiceResult]) -> dict[SavingsPlanOption, tuple[str, ...]]:
    found: dict[SavingsPlanOption, tuple[str, ...]] = {}
    for option in SAVINGS_PLAN_OPTIONS:
        lacking = {each.region for each in results if option not in each.usage.savings_plan_rates}
        if lacking:
            found[option] = tuple(sorted(lacking))
    return found


class _Account:
    """The usage of all services on one grid, and what plans leave of it."""

    def __init__(self, members: Sequence[ServiceResult], hours: int, month_hours: float) -> None:
        self._members, self._hours, self._month_hours = members, hours, month_hours
        # Services of a region share legs, but for those with prices of their own.
        keys: dict[tuple[object, ...], int] = {}
        self._rows = [
            [keys.setdefault(_key(found, leg), len(keys)) for leg in range(len(found.usage.legs))] for found in members
        ]
        self._names = tuple(f"{key[0]} {key[1]}" for key in keys)
        self._on_demand = np.zeros(len(keys))
        self._rates = {option: np.full(len(keys), np.inf) for option in SAVINGS_PLAN_OPTIONS}
        self._units = np.zeros((len(keys), hours))
        for found, rows in zip(members, self._rows, strict=True):
            usage = found.usage
            self._units[rows] += on_grid(usage, hours)
            self._on_demand[rows] = usage.on_demand_rates
            for option, rates in usage.savings_plan_rates.items():
                self._rates[option][rows] = rates
        self._left = self._units
        self._existing: list[ExistingCommitment] = []

    @property
    def _months(self) -> float:
        """Billed months in the grid's hours, as a factor from its sums to those of a month. [1]"""
        return self._month_hours / self._hours if self._hours else 0.0

    def apply(self, plan: SavingsPlan) -> tuple[AppliedSavingsPlan, dict[str, float]]:
        """Apply a plan that you have to what those before it leave, and divide what it saves."""
        commitment = plan.commitment_usd_per_h or 0.0
        if not self._hours:
            return AppliedSavingsPlan(plan, commitment, self._month_hours, 0.0, 0.0), {}
        usage = self._usage(plan.option, self._left)
        left = apply_commitment(usage, commitment).on_demand_units_per_h
        self._existing.append(ExistingCommitment(commitment, usage.savings_plan_rates))
        done, savings = self._divided(plan, commitment, usage, left)
        self._left = left
        return done, savings

    def best(
        self, option: SavingsPlanOption, before_usd: float, running: Sequence[ServiceResult], is_laid: bool
    ) -> SharedCommitment:
        """Find the best commitment for what is left, and the best one of each service."""
        usage = self._usage(option, self._left)
        found = best_commitment(usage)
        commitment = found.commitment_usd_per_h
        plan = SavingsPlan(option.term, option.payment_option)
        done, savings = self._divided(plan, commitment, usage, found.bill.on_demand_units_per_h)
        risk = commitment_risk(replace(usage, units_per_h=self._units), commitment, [1.0], self._existing)
        separate = {
            each.name: self._separate(each, rows, option, is_laid)
            for each, rows in zip(self._members, self._rows, strict=True)
            if option in each.usage.savings_plan_rates
        }
        return SharedCommitment(
            done,
            before_usd,
            savings if commitment else dict.fromkeys(savings, 0.0),
            {name: usd_per_h for name, (usd_per_h, _) in separate.items()},
            float(sum(usd for _, usd in separate.values())),
            risk.fall_to_loss_percent,
            tuple(each.name for each in running if option not in each.usage.savings_plan_rates),
        )

    def _usage(self, option: SavingsPlanOption, units: Floats) -> SavingsPlanUsage:
        return SavingsPlanUsage(self._names, units, self._on_demand, self._rates[option])

    def _divided(
        self, plan: SavingsPlan, commitment: float, usage: SavingsPlanUsage, left: Floats
    ) -> tuple[AppliedSavingsPlan, dict[str, float]]:
        """Say what a commitment does, and what of it each service has; of one that pays for nothing no service has any."""
        covered = np.maximum(usage.units_per_h - left, 0.0)
        paid = np.isfinite(usage.savings_plan_rates)
        used = float(usage.savings_plan_rates[paid] @ covered[paid].sum(axis=1)) * self._months
        parts = {
            each.name: self._paid(each, rows, covered) for each, rows in zip(self._members, self._rows, strict=True)
        }
        on_demand = sum(parts.values())
        done = AppliedSavingsPlan(plan, commitment, self._month_hours, used, on_demand)
        if not on_demand:
            return done, {}
        return done, {name: done.net_savings_usd * part / on_demand for name, part in parts.items()}

    def _paid(self, found: ServiceResult, rows: Sequence[int], covered: Floats) -> float:
        """Say what the covered part of a service's usage would cost On-Demand in a month. [USD]"""
        mine = on_grid(found.usage, self._hours) * _part(covered[rows], self._units[rows])
        return float(self._on_demand[rows] @ mine.sum(axis=1)) * self._months

    def _separate(
        self, found: ServiceResult, rows: Sequence[int], option: SavingsPlanOption, is_laid: bool
    ) -> tuple[float, float]:
        """Find the best commitment for a service alone, and what it saves in a month. [USD/h, USD]"""
        usage = found.usage
        units = usage.units_per_h
        if is_laid:
            units = on_grid(usage, self._hours) * _part(self._left[rows], self._units[rows])
        best = best_commitment(
            SavingsPlanUsage(
                usage.legs, units, np.array(usage.on_demand_rates), np.array(usage.savings_plan_rates[option])
            )
        )
        return best.commitment_usd_per_h, float(best.bill.net_savings_usd) * self._month_hours / units.shape[1]


def _key(found: ServiceResult, leg: int) -> tuple[object, ...]:
    """Tell legs apart that AWS bills alike from those that it does not."""
    usage = found.usage
    rates = tuple((option, each[leg]) for option, each in usage.savings_plan_rates.items())
    return found.region, usage.legs[leg], usage.on_demand_rates[leg], rates


def _part(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
