"""What leads the load balancer's capacity units, and what it would save to change that: lcu_advice(plan, rates)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estimator.billing.costing import CostBreakdown
from estimator.billing.lcu import DIMENSIONS, FREE_RULES_PER_REQUEST, LcuHours, lcu_hours, lower_lcu
from estimator.planning.bills import hold_commitments, require_rates_of
from estimator.planning.price_effect import reprice
from estimator.planning.regions import bill_again
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.workload.request import Workload

#: The charge of capacity units.
LCU_CHARGE = "alb_lcu_hour"
#: What makes less of each dimension.
REMEDIES = {
    DIMENSIONS[
        0
    ]: "Let clients keep their connections open for longer, or use HTTP/2, so that more requests share one.",
    DIMENSIONS[
        1
    ]: "Shorten the load balancer's idle timeout and the clients' keep-alive, so that connections without requests close sooner.",
    DIMENSIONS[2]: "Compress responses, or put CloudFront in front, so that fewer bytes pass the load balancer.",
    DIMENSIONS[3]: (
        "Have fewer listener rules, or give those of the busiest paths the first priorities: the first "
        f"{FREE_RULES_PER_REQUEST} of each request are free."
    ),
}
#: Where clients reuse connections already, the change that is tried in place of those of ``LCU_CHANGES``.
TWICE = "twice_as_many_requests"


@dataclass(frozen=True, slots=True)
class LcuDimension:
    """One dimension of the capacity units of a month.

    Parameters
    ----------
    name : str
        One of ``DIMENSIONS``.
    hours_led : float
        Hours that are billed by it. [h/month]
    lcu_hours : float
        What it alone would consume. [LCU-h/month]
    remedy : str
        What makes less of it, in a sentence.
    """

    name: str
    hours_led: float
    lcu_hours: float
    remedy: str


@dataclass(frozen=True, eq=False)
class LcuWhatIf:
    """A change of the requests that lowers capacity units, with the whole bill that it leads to.

    Parameters
    ----------
    name : str
        Its row in ``LCU_CHANGES``, or ``twice_as_many_requests``.
    advice : str
        What to do and what it rests on.
    fields : mapping of str to float
        Fields of `Request` that change, with their new values.
    cost : CostBreakdown
        The bill with this change alone.
    saved_usd : float or None
        What the bill is less, below 0 if it is more; None if a rate is unknown. [USD/month]
    moves_tasks : bool
        True if the tasks have another load with it, so that they were simulated again.
    """

    name: str
    advice: str
    fields: Mapping[str, float | bool]
    cost: CostBreakdown
    saved_usd: float | None
    moves_tasks: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown is None.
        """
        return {
            "name": self.name,
            "advice": self.advice,
            "fields": dict(self.fields),
            "usd_per_month": self.cost.total_usd,
            "is_lower_bound": self.cost.is_lower_bound,
            "saved_usd_per_month": self.saved_usd,
            "moves_tasks": self.moves_tasks,
        }


@dataclass(frozen=True, eq=False)
class LcuAdvice:
    """The capacity units of a month by dimension, and what would lower their bill.

    Parameters
    ----------
    cost : CostBreakdown
        The bill as it is.
    dimensions : tuple of LcuDimension
        The four, in the order of ``DIMENSIONS``.
    billed_lcu_hours : float
        Capacity unit hours that are billed by use: the largest of the four in each hour, above a reservation. [LCU-h/month]
    leading : str
        The dimension that leads in most hours; empty where nothing is consumed.
    next_leading : str
        The one that would lead if that one fell away; empty where nothing would be left.
    without_leading_lcu_hours : float
        What would be billed by use then. [LCU-h/month]
    saved_usd : float or None
        What that would save: the most that less of the leading dimension alone can bring on this line; None if the rate is unknown.
        [USD/month]
    what_ifs : tuple of LcuWhatIf
        Changes that lower the units, each alone, the one that saves most first.
    """

    cost: CostBreakdown
    dimensions: tuple[LcuDimension, ...]
    billed_lcu_hours: float
    leading: str
    next_leading: str
    without_leading_lcu_hours: float
    saved_usd: float | None
    what_ifs: tuple[LcuWhatIf, ...]

    @property
    def verdict(self) -> str:
        """What leads and what it costs, in a sentence or a few."""
        if not self.leading:
            return "Nothing consumes capacity units of the load balancer."
        if not self.billed_lcu_hours:
            return "The reservation holds all capacity units: no change of the requests saves any, but a smaller reservation may."
        led = next(item for item in self.dimensions if item.name == self.leading)
        then = f"then {self.next_leading} lead" if self.next_leading else "then nothing is left"
        saved = "an unknown amount" if self.saved_usd is None else f"up to ${self.saved_usd:,.2f} a month"
        return (
            f"{led.name[0].upper()}{led.name[1:]} lead in {led.hours_led:,.0f} hours of the month. Less of them saves {saved}; {then}. "
            f"{led.remedy}"
        )

    def __repr__(self) -> str:
        return self.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return the advice as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown is None.
        """
        return {
            "usd_per_month": self.cost.total_usd,
            "billed_lcu_hours": self.billed_lcu_hours,
            "leading": self.leading or None,
            "next_leading": self.next_leading or None,
            "without_leading_lcu_hours": self.without_leading_lcu_hours,
            "saved_usd_per_month": self.saved_usd,
            "dimensions": [
                {"name": item.name, "hours_led": item.hours_led, "lcu_hours": item.lcu_hours, "remedy": item.remedy}
                for item in self.dimensions
            ],
            "what_ifs": [change.to_dict() for change in self.what_ifs],
            "verdict": self.verdict,
        }


def lcu_advice(plan: Plan, rates: Rates) -> LcuAdvice:
    """Say which dimension leads a service's capacity units, and what less of it would save.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        What it was priced at.

    Returns
    -------
    LcuAdvice
        By dimension, with the changes of the requests that lower the units, each with its own whole bill.

    Notes
    -----
    What changes only connections, bytes and rules is billed again; what changes the load of the tasks, such as CloudFront's cache, is simulated again.
    Savings Plans keep their commitment.

    Examples
    --------
    A connection for each request: 100 new ones a second are 4 units, and 100 responses of 10 kB only 3.96.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> work = Workload(LoadProfile.constant(100), cpu_ms_per_request=5, requests_per_connection=1, connection_s=10)
    >>> advice = lcu_advice(estimate(work, rates, ServiceSpec(TaskSize(1024, 2048))), rates)
    >>> [(item.name, round(item.lcu_hours / 730, 2)) for item in advice.dimensions]
    [('new connections', 4.0), ('active connections', 0.33), ('processed bytes', 3.96), ('rule evaluations', 0.0)]
    >>> round(advice.saved_usd, 2)  # 0.04 units, 730 hours, 0.008 USD
    0.23
    """
    require_rates_of(plan, rates)
    hours = lcu_hours(plan.workload, plan.behavior)
    periods = plan.cost.hours_per_month / plan.workload.load.period_hours
    led = hours.leading_by_hour
    dimensions = tuple(
        LcuDimension(
            name,
            float(np.count_nonzero(led == name)) * periods,
            float(hours.dimensions[place].sum()) * periods,
            REMEDIES[name],
        )
        for place, name in enumerate(DIMENSIONS)
    )
    leading = hours.leading if hours.total else ""
    others = LcuHours(np.where(np.array(DIMENSIONS)[:, None] == leading, 0.0, hours.dimensions))
    billed, without = (_billed(item, plan) * periods for item in (hours, others))
    return LcuAdvice(
        cost=plan.cost,
        dimensions=dimensions,
        billed_lcu_hours=billed,
        leading=leading,
        next_leading=others.leading if others.total else "",
        without_leading_lcu_hours=without,
        saved_usd=_saved_usd(plan, rates, without),
        what_ifs=_what_ifs(plan, rates),
    )


def _billed(hours: LcuHours, plan: Plan) -> float:
    """Capacity unit hours of a period above a reservation."""
    return float(np.maximum(hours.consumed - plan.extras.reserved_lcu, 0.0).sum())


def _saved_usd(plan: Plan, rates: Rates, lcu_hours_then: float) -> float | None:
    line = next((line for line in plan.cost if line.charge == LCU_CHARGE), None)
    if line is None:
        return 0.0
    if line.effective_cost is None:
        return None
    return line.effective_cost - float(rates[line.price].cost(lcu_hours_then))


def _what_ifs(plan: Plan, rates: Rates) -> tuple[LcuWhatIf, ...]:
    found = []
    held = hold_commitments(plan)
    for name, advice, fields in _changes(plan):
        workload = replace(plan.workload, **fields)  # type: ignore[arg-type]
        changed = replace(held, workload=workload)
        moves_tasks = workload.task_share != plan.workload.task_share
        cost = reprice(changed, rates).cost if moves_tasks else bill_again(changed, rates)
        found.append(LcuWhatIf(name, advice, fields, cost, _difference_usd(plan.cost, cost), moves_tasks))
    return tuple(sorted(found, key=lambda change: (change.saved_usd is None, -(change.saved_usd or 0.0))))


def _difference_usd(cost: CostBreakdown, then: CostBreakdown) -> float | None:
    """Say what a bill is less, if no line without a rate has another quantity."""
    unknown = [
        {line.charge: line.pricing_quantity for line in bill if line.effective_cost is None} for bill in (cost, then)
    ]
    return cost.total_usd - then.total_usd if unknown[0] == unknown[1] else None


def _changes(plan: Plan) -> Iterator[tuple[str, str, Mapping[str, float | bool]]]:
    """List the changes that lower capacity units: name, advice and fields."""
    savings = lower_lcu(plan.workload, plan.behavior)
    for saving in savings:
        yield saving.name, saving.advice, saving.fields
    work = plan.workload
    reused = {saving.name for saving in savings} & {"keep_alive", "http2"}
    # With a single request a connection is a stream, or the changes above have something to change.
    if reused or work.requests_per_connection <= 1:
        return
    twice = replace(work, requests_per_connection=2 * work.requests_per_connection)
    if _units(twice, plan) < _units(work, plan) * (1 - 1e-9):
        yield (
            TWICE,
            "Let clients send twice as many requests over a connection that stays open no longer: "
            f"{twice.requests_per_connection:g} in place of {work.requests_per_connection:g}.",
            {"requests_per_connection": twice.requests_per_connection},
        )


def _units(workload: Workload, plan: Plan) -> float:
    return lcu_hours(workload, plan.behavior).total
