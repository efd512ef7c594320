"""A service's bill month by month while its load grows: Horizon, bill_by_month(plan, rates, horizon)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimator.billing.costing import CostBreakdown
from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.bills import hold_commitments, in_order, require_rates_of
from estimator.planning.notes import MUCH_UNSERVED
from estimator.planning.price_effect import reprice
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.spec import ServiceSpec
from estimator.workload.horizon import Horizon
from estimator.workload.profile import MAX_REQUESTS_PER_S


@dataclass(frozen=True, slots=True)
class MonthBill:
    """One month of a horizon.

    Parameters
    ----------
    month : int
        Its number, from 1 on.
    load_factor : float
        How many times the first month's load it has. [1]
    cost : CostBreakdown
        Its bill.
    peak_tasks : float
        Largest desired count. [tasks]
    p95_latency_ms : float
        Response time that 95 of 100 requests stay within; infinite if too many are refused. [ms]
    minutes_over_capacity : float
        Minutes whose load is more than the healthy tasks can serve. [min/month]
    unserved_share : float
        Part of the requests at the tasks that is not served. [1]
    broken : tuple of str
        Limits of the promise that break in it, each with its figures.
    users : float, optional
        Users whose requests they are. [users]
    """

    month: int
    load_factor: float
    cost: CostBreakdown
    peak_tasks: float
    p95_latency_ms: float
    minutes_over_capacity: float
    unserved_share: float
    broken: tuple[str, ...] = ()
    users: float | None = None

    @property
    def usd_per_user(self) -> float | None:
        """What a user costs; None if their number is not known. [USD/user]"""
        return None if self.users is None else self.cost.total_usd / self.users

    def to_dict(self) -> dict[str, Any]:
        """Return the month as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown or has no bound is None.
        """
        return {
            "month": self.month,
            "load_factor": self.load_factor,
            "requests": self.cost.requests,
            "usd": self.cost.total_usd,
            "is_lower_bound": self.cost.is_lower_bound,
            "usd_by_charge": {line.charge: line.effective_cost for line in self.cost},
            "users": self.users,
            "usd_per_user": self.usd_per_user,
            "peak_tasks": self.peak_tasks,
            "p95_latency_ms": self.p95_latency_ms if math.isfinite(self.p95_latency_ms) else None,
            "minutes_over_capacity": self.minutes_over_capacity,
            "unserved_share": self.unserved_share,
            "broken": list(self.broken),
        }


@dataclass(frozen=True, eq=False)
class MonthlyBills:
    """A service's bill in each month of a horizon.

    Parameters
    ----------
    spec : ServiceSpec
        The service, the same in all months.
    horizon : Horizon
        The months, and how the load grows.
    months : tuple of MonthBill
        One for each month, in their order.
    notes : tuple of str
        What a reader should know.
    """

    spec: ServiceSpec
    horizon: Horizon
    months: tuple[MonthBill, ...]
    notes: tuple[str, ...] = ()

    @property
    def total_usd(self) -> float:
        """Sum of the months' known lines. [USD]"""
        return float(sum(month.cost.total_usd for month in self.months))

    @property
    def is_lower_bound(self) -> bool:
        """True if a month has a line without a known rate."""
        return any(month.cost.is_lower_bound for month in self.months)

    @property
    def requests(self) -> float:
        """Requests of all months. [requests]"""
        return float(sum(month.cost.requests for month in self.months))

    @property
    def first_broken(self) -> MonthBill | None:
        """The first month in which the service does not keep the promise; None if it keeps it in all."""
        return next((month for month in self.months if month.broken), None)

    @property
    def verdict(self) -> str:
        """Whether the promise is kept, and what it all comes to, in two sentences."""
        count, broken = len(self.months), self.first_broken
        span = f"all {count} months" if count > 1 else "the month"
        total = (
            f"{span[0].upper()}{span[1:]} together: {'at least ' if self.is_lower_bound else ''}${self.total_usd:,.2f}."
        )
        if broken is None:
            return f"The service keeps its promise in {span}. {total}"
        reasons = "; ".join(broken.broken)
        if broken.month == 1:
            return f"The promise is broken from the first month: {reasons}. {total}"
        times = f"{broken.load_factor:.4g} times the load of the first"
        return f"Month {broken.month} is the first that breaks the promise, at {times}: {reasons}. {total}"

    def __repr__(self) -> str:
        return self.verdict

    def to_frame(self) -> Any:
        """Return the costs as a table of months and charges.

        Returns
        -------
        pandas.DataFrame
            One row for each month, indexed by ``month``, and one column for each charge of any month: 0 where a month has no such line, not a number
            where its rate is unknown. [USD/month]
        """
        import pandas as pd

        rows = [{line.charge: line.effective_cost for line in month.cost} for month in self.months]
        charges = in_order(name for row in rows for name in row)
        cells = [[row.get(name, 0.0) for name in charges] for row in rows]
        index = pd.Index([month.month for month in self.months], name="month")
        return pd.DataFrame(cells, columns=charges, index=index, dtype="float64")

    def to_dict(self) -> dict[str, Any]:
        """Return the months as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown or has no bound is None.
        """
        return {
            "service": self.spec.describe(),
            "growth_percent_per_month": self.horizon.growth_percent_per_month,
            "total_usd": self.total_usd,
            "is_lower_bound": self.is_lower_bound,
            "requests": self.requests,
            "first_broken_month": None if self.first_broken is None else self.first_broken.month,
            "months": [month.to_dict() for month in self.months],
            "notes": list(self.notes),
            "verdict": self.verdict,
        }


def bill_by_month(
    plan: Plan, rates: Rates, horizon: Horizon, progress: Callable[[float], None] | None = None
) -> MonthlyBills:
    """Simulate and bill the service of a plan in each month of a horizon, the load scaled and all else as it is.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        What it was priced at.
    horizon : Horizon
        The months, and how the load grows.
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    MonthlyBills
        One bill for each month; tiers begin anew in each.

    Raises
    ------
    InvalidScenario
        If the load grows beyond what any service has ever had.

    Notes
    -----
    Months of equal load are simulated once. Savings Plans keep the commitment that they have in the plan's bill. Each month is a mean month of
    the load's period, as in any bill: a season that lies inside the period is not laid over the months.

    Examples
    --------
    Two tasks that serve 100 requests/s each keep up with 10 requests/s four times doubled, and no longer.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2)
    >>> found = bill_by_month(estimate(Workload(LoadProfile.constant(10), cpu_ms_per_request=10), rates, spec), rates, Horizon(6, 100))
    >>> [month.peak_tasks for month in found.months], found.first_broken.month
    ([2.0, 2.0, 2.0, 2.0, 2.0, 2.0], 6)
    """
    require_rates_of(plan, rates)
    if not isinstance(horizon, Horizon):
        raise InvalidScenario(f"horizon is {shown(horizon)}; it must be a Horizon, such as Horizon(months=12).")
    peak = plan.workload.load.peak_requests_per_s
    for number in range(1, horizon.months + 1):
        if peak * horizon.load_factor(number) > MAX_REQUESTS_PER_S:
            raise InvalidScenario(
                f"growth_percent_per_month is {horizon.growth_percent_per_month:g}: in month {number} the load peaks at "
                f"{peak * horizon.load_factor(number):,.3g} requests/s, and at most {MAX_REQUESTS_PER_S:g} are taken for real. Let it grow "
                "less, or take fewer months."
            )
    held = hold_commitments(plan)
    by_factor: dict[float, MonthBill] = {}
    months = []
    for number in range(1, horizon.months + 1):
        factor = horizon.load_factor(number)
        if factor not in by_factor:
            by_factor[factor] = _month_bill(number, factor, _at(held, rates, factor))
        users = None if horizon.users is None else horizon.users * factor
        months.append(replace(by_factor[factor], month=number, users=users))
        if progress is not None:
            progress(number / horizon.months)
    return MonthlyBills(plan.spec, horizon, tuple(months), tuple(_notes(plan, months)))


def _at(plan: Plan, rates: Rates, factor: float) -> Plan:
    """Estimate the service of a plan at a multiple of its load."""
    workload = plan.workload if factor == 1 else replace(plan.workload, load=plan.workload.load.scaled(factor))
    return reprice(replace(plan, workload=workload), rates)


def _month_bill(number: int, factor: float, found: Plan) -> MonthBill:
    figures, run = found.figures, found.simulation
    return MonthBill(
        month=number,
        load_factor=factor,
        cost=found.cost,
        peak_tasks=figures["peak_tasks"],
        p95_latency_ms=figures["p95_latency_ms"],
        minutes_over_capacity=figures["minutes_over_capacity_per_month"],
        unserved_share=float(run.unserved_requests[0]) / max(found.workload.task_load.requests, 1e-300),
        broken=tuple(limit.reason for limit in found.broken),
    )


def _notes(plan: Plan, months: Sequence[MonthBill]) -> Iterator[str]:
    period_hours = plan.workload.load.period_hours
    if period_hours > plan.cost.hours_per_month and len(months) > 1:
        yield (
            f"The load has {period_hours:,.0f} hours, more than a month: each month is taken for the mean of them, so a season inside the load "
            "is not seen month by month."
        )
    first = next((month for month in months if month.unserved_share > MUCH_UNSERVED), None)
    if first is not None:
        yield (
            f"In month {first.month} {100 * first.unserved_share:.1f} % of the requests find no capacity and are not served; the lines that follow "
            "traffic (load balancer, transfer, logs) count them all the same. Let the service have more tasks, or plan it anew for that load."
        )
