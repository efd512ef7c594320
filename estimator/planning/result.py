"""Plan: a candidate, its course over one period and its bill, and why the cheaper ones lost."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from estimator.billing.costing import CostBreakdown
from estimator.billing.lcu import LcuHours, lcu_hours
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.fingerprints import fingerprint_of
from estimator.planning.effort import Effort
from estimator.planning.limits import budget_rejections
from estimator.planning.promise import KNOWN_BEFORE, Promise, Rejection
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.service.stack_options import StackOptions
from estimator.simulation.result import Series, Simulation
from estimator.workload.request import Request, Workload

#: Fields of a line that only say how its figures came about.
_SAID = frozenset({"last_seen", "formula", "working"})


@dataclass(frozen=True, eq=False)
class Plan:
    """A candidate, its course and its bill; from `plan` also why the cheaper ones lost.

    Parameters
    ----------
    spec : ServiceSpec
        What to run.
    cost : CostBreakdown
        The month's bill.
    simulation : Simulation
        The candidate over one period, with its series.
    workload : Workload
        What it was planned for.
    application : Application
        What is deployed.
    promise : Promise
        The limits.
    behavior : AwsBehavior
        What was taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    extras : Extras
        What is billed around the service.
    savings_plans : tuple of SavingsPlan
        Compute Savings Plans that the bill is with; what each did stands in the bill.
    rejections : tuple of Rejection
        Candidates that were cheaper, or may have been, and broke a limit, cheapest first.
    considered : int
        Candidates among which it is the cheapest. [candidates]
    warnings : tuple of str
        What a reader should know.
    scenario : dict
        The document that it came from, if any.
    effort : Effort
        How much of the candidates was simulated.
    broken_by_course : tuple of Rejection
        Limits that it breaks whatever the bill is.
    stack : StackOptions
        What an exported stack has besides.
    """

    spec: ServiceSpec
    cost: CostBreakdown
    simulation: Simulation
    workload: Workload
    application: Application
    promise: Promise
    behavior: AwsBehavior
    operations: Operations = field(default_factory=Operations)
    extras: Extras = field(default_factory=Extras)
    savings_plans: tuple[SavingsPlan, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    considered: int = 1
    warnings: tuple[str, ...] = ()
    scenario: Mapping[str, Any] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)
    broken_by_course: tuple[Rejection, ...] = ()
    stack: StackOptions = field(default_factory=StackOptions)

    @property
    def broken(self) -> tuple[Rejection, ...]:
        """Limits of its own promise that it breaks, the budget last; none for a plan that a search found."""
        usd = math.nan if self.cost.is_lower_bound else self.cost.total_usd
        return (
            *(replace(limit, spec=self.spec, usd_per_month=usd) for limit in self.broken_by_course),
            *budget_rejections(self.promise, self.spec, self.cost.total_usd),
        )

    @property
    def lost_text(self) -> str:
        """How many candidates there were, and how many of those that are or may be cheaper break the promise, in a sentence."""
        if not self.rejections:
            return f"None of {self.considered:,} candidates was cheaper."
        known = sum(not one.is_least_usd for one in self.rejections)
        rest = len(self.rejections) - known
        more = f", {rest:,} more may have been and broke it too" if rest else ""
        return f"Of {self.considered:,} candidates {known:,} were cheaper and broke the promise{more}. Among them:"

    @property
    def series(self) -> Series:
        """The candidate's course, step by step."""
        return self.simulation.series[0]

    @property
    def lcu(self) -> LcuHours:
        """Load balancer capacity units of each hour of the period."""
        return lcu_hours(self.workload, self.behavior)

    @property
    def figures(self) -> dict[str, float]:
        """Figures of the candidate by name; units stand in the names. What has no value, such as a cost by request without any, is no number."""
        run = self.simulation
        periods = self.cost.hours_per_month / run.period_hours
        return {
            "total_usd_per_month": self.cost.total_usd,
            "mean_tasks": float(run.mean_billed_count[0]),
            "peak_tasks": float(run.peak_desired_count[0]),
            "p50_latency_ms": float(run.p50_latency_ms[0]),
            "p95_latency_ms": float(run.p95_latency_ms[0]),
            "p99_latency_ms": float(run.p99_latency_ms[0]),
            "minutes_over_capacity_per_month": float(run.minutes_over_capacity[0]) * periods,
            "minutes_over_promise_per_month": float(run.minutes_over_promise[0]) * periods,
            "unserved_requests_per_month": float(run.unserved_requests[0]) * periods,
            "requests_per_month": self.cost.requests,
            "usd_per_million_requests": self.cost.total_usd / self.cost.requests * 1e6
            if self.cost.requests
            else math.nan,
        }

    @property
    def per_million_text(self) -> str:
        """What a million requests cost, to read; says so where there are none."""
        usd = self.figures["usd_per_million_requests"]
        if math.isnan(usd):
            return "no requests, so no cost by request"
        return f"{'at least ' if self.cost.is_lower_bound else ''}${usd:,.2f} a million requests"

    @property
    def traffic_text(self) -> str:
        """How many requests there are and what they make of the load balancer's bill, in a sentence."""
        if not self.lcu.total:
            return f"{self.cost.requests:,.0f} requests a month, which consume no capacity units of the load balancer."
        return f"{self.cost.requests:,.0f} requests a month; the load balancer's bill follows its {self.lcu.leading}."

    @property
    def assumptions(self) -> dict[str, Any]:
        """What the bill rests on besides the candidate and the rates, JSON-ready: load, request, application, behavior."""
        load = self.workload.load
        return {
            "load": {
                "name": load.name,
                "period_hours": load.period_hours,
                "mean_requests_per_s": load.mean_requests_per_s,
                "peak_requests_per_s": load.peak_requests_per_s,
                "fingerprint": load.fingerprint(),
            },
            "request": {item.name: getattr(self.workload, item.name) for item in fields(Request)},
            "application": asdict(self.application),
            "behavior": asdict(self.behavior),
            "operations": asdict(self.operations),
            "extras": asdict(self.extras),
            "savings_plans": [asdict(plan) for plan in self.savings_plans],
        }

    def fingerprint(self) -> str:
        """Return SHA-256 over the candidate, what its bill rests on and the bill, equal in every process.

        To see the same rates on AWS's list again is no other plan, nor are other words for the same arithmetic.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        cost = self.cost.to_dict()
        cost["lines"] = [{name: value for name, value in line.items() if name not in _SAID} for line in cost["lines"]]
        content = {"spec": self.spec.to_dict(), "assumptions": self.assumptions, "cost": cost}
        return fingerprint_of(content)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values.

        Returns
        -------
        dict
            JSON-ready; what has no bound is None.
        """
        return {
            "service": self.spec.to_dict(),
            "summary": self.spec.describe(),
            "figures": {name: value if math.isfinite(value) else None for name, value in self.figures.items()},
            "cost": self.cost.to_dict(),
            "considered": self.considered,
            "effort": asdict(self.effort),
            "cheaper_rejected": len(self.rejections),
            "rejections": [rejection.to_dict() for rejection in self.rejections[:20]],
            "warnings": list(self.warnings),
            "fingerprint": self.fingerprint(),
        }

    def __str__(self) -> str:
        return f"{self.spec.describe()}: {self.cost.total_text}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(r.spec.describe())}</td><td align='right'>{r.usd_text}</td><td>{html.escape(r.reason)}</td></tr>"
            for r in shortlist(self.rejections)
        )
        lost = (
            f"<p>{html.escape(self.lost_text)}</p><table><thead><tr><th>Candidate</th>"
            f"<th>USD/month</th><th>Why not</th></tr></thead><tbody>{rows}</tbody></table>"
            if rows
            else ""
        )
        warned = "".join(f"<p>Note: {html.escape(text)}</p>" for text in self.warnings)
        return f"<p><b>{html.escape(self.spec.describe())}</b></p>{self.cost._repr_html_()}{warned}{lost}"


def shortlist(rejections: tuple[Rejection, ...], most: int = 6) -> list[Rejection]:
    """Choose rejections that say the most: those that miss a limit by least, for each limit and architecture, then for each size too.

    Parameters
    ----------
    rejections : tuple of Rejection
        Cheapest first.
    most : int
        How many at the most. [1]

    Returns
    -------
    list of Rejection
        Cheapest first.
    """
    nearest = sorted(
        rejections, key=lambda one: (not math.isfinite(one.miss), one.is_partial, one.is_least_usd, one.miss)
    )
    chosen: dict[int, Rejection] = {}
    for kind in (
        lambda one: (one.constraint, one.spec.cpu_architecture),
        # Of a limit that needs no simulation one candidate says enough.
        lambda one: (
            one.constraint,
            one.spec.cpu_architecture,
            0 if one.constraint in KNOWN_BEFORE else one.spec.task_size.cpu_units,
        ),
    ):
        seen = {kind(one) for one in chosen.values()}  # of which one is chosen
        for one in nearest:
            if len(chosen) < most and kind(one) not in seen:
                seen.add(kind(one))
                chosen[id(one)] = one
    return sorted(chosen.values(), key=lambda one: one.usd_per_month)


def distinct(rejections: tuple[Rejection, ...], most: int = 8) -> list[Rejection]:
    """Keep the first rejection of each size, architecture and broken limit.

    Parameters
    ----------
    rejections : tuple of Rejection
        In any order.
    most : int
        How many at the most. [1]

    Returns
    -------
    list of Rejection
        In the same order.
    """
    first: dict[tuple[str, str, int], Rejection] = {}
    for rejection in rejections:
        first.setdefault(
            (rejection.constraint, rejection.spec.cpu_architecture, rejection.spec.task_size.cpu_units), rejection
        )
    return list(first.values())[:most]
