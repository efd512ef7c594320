"""A plan held against limits, one by one: check_plan(plan, limits, base), for a pipeline that must say yes, no, or that it cannot be said.

Notes
-----
What is checked lies between two bounds, since an unknown rate leaves a bill open upward. A limit is broken if even the better bound breaks it,
holds if even the worse one keeps it, and is unknown between the two: nothing unknown ever counts as 0, and none is taken for bad either.
"""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from estimator.billing.costing import CostBreakdown
from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario
from estimator.planning.comparison import Comparison, compare
from estimator.planning.kept_limits import limits_of
from estimator.planning.limits import allowed_names
from estimator.planning.promise import Promise
from estimator.planning.result import Plan

#: States of a check.
OK, BROKEN, UNKNOWN = "ok", "BROKEN", "unknown"
#: Differences below this part of a bill are rounding. [1]
_ROUNDING = 1e-9
_ANOTHER = "Let `estimator plan` look for a service that keeps it, or loosen the limit."
_KNOW_RATE = "Write your own price in `prices.overrides`, or ask AWS with `estimator prices refresh`."


@dataclass(frozen=True, kw_only=True)
class GuardLimits:
    """What a pipeline allows; what is None is left to the plan's own promise.

    Parameters
    ----------
    budget_usd : float, optional
        Most that the bill may come to. [USD/month]
    p95_latency_ms, p99_latency_ms : float, optional
        95 and 99 of 100 requests of the period are answered within this time. [ms]
    max_minutes_over_capacity : float, optional
        Minutes whose load is more than the healthy tasks can serve. [min/month]
    max_minutes_over_promise : float, optional
        Minutes that are over capacity, or in which the promised p95 latency does not hold. [min/month]
    max_refused_percent : float, optional
        Requests that find no capacity. [percent]
    max_increase_usd : float, optional
        Most that the bill may be more than that of the base. [USD/month]
    max_increase_percent : float, optional
        Most that the bill may be more than that of the base, in percent of it. [percent]
    max_stale_days : float, optional
        Days since a rate was last seen on AWS's list. [days]
    """

    budget_usd: float | None = field(default=None, metadata={"low": 0, "high": 1e12, "above": True})
    p95_latency_ms: float | None = field(default=None, metadata={"low": 0.001, "high": 600_000})
    p99_latency_ms: float | None = field(default=None, metadata={"low": 0.001, "high": 600_000})
    max_minutes_over_capacity: float | None = field(default=None, metadata={"low": 0, "high": 44_640})
    max_minutes_over_promise: float | None = field(default=None, metadata={"low": 0, "high": 44_640})
    max_refused_percent: float | None = field(default=None, metadata={"low": 0, "high": 100})
    max_increase_usd: float | None = field(default=None, metadata={"low": 0})
    max_increase_percent: float | None = field(default=None, metadata={"low": 0})
    max_stale_days: float | None = field(default=None, metadata={"low": 0})

    def __post_init__(self) -> None:
        require_in_range(self)

    @property
    def needs_base(self) -> bool:
        """True if a limit is about a difference."""
        return self.max_increase_usd is not None or self.max_increase_percent is not None

    def over(self, promise: Promise) -> Promise:
        """Put these limits over those of a promise, so that a service is simulated, or searched, for them.

        Parameters
        ----------
        promise : Promise
            A scenario's promise.

        Returns
        -------
        Promise
            With each limit that is given here in place of its own; without its budget if one is given here, so that a search finds the cheapest
            service also where that is too dear, and the check says by how much.
        """
        given = {name: getattr(self, name) for name in _OF_PROMISE}
        changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.budget_usd is not None:
            changed["max_usd_per_month"] = None
        return replace(promise, **changed)


#: Limits that a promise has by the same name.
_OF_PROMISE = (
    "p95_latency_ms",
    "p99_latency_ms",
    "max_minutes_over_capacity",
    "max_minutes_over_promise",
    "max_refused_percent",
)
#: Limits that are held against a figure of the plan: title, unit, figure.
_FIGURES: Mapping[str, tuple[str, str, str]] = {
    "p95_latency_ms": ("p95 latency", "ms", "p95_latency_ms"),
    "p99_latency_ms": ("p99 latency", "ms", "p99_latency_ms"),
    "max_minutes_over_capacity": ("Minutes over capacity", "min/month", "minutes_over_capacity_per_month"),
    "max_minutes_over_promise": ("Minutes over the promise", "min/month", "minutes_over_promise_per_month"),
}
#: Other limits of a promise, to read.
_TITLES = {
    "min_tasks": "Fewest tasks",
    "min_availability_zones": "Zones with a task",
    "memory_mib": "Memory at the busiest minute",
    "max_vcpu": "vCPU at the peak",
    "max_minutes_after_zone_loss": "Minutes over capacity after a zone is lost",
    "max_minutes_in_flash_crowd": "Minutes over capacity in a flash crowd",
    "max_minutes_in_spot_shortage": "Minutes over capacity in a Spot shortage",
    "allowed_cpu_architectures": "Architecture",
    "allowed_regions": "Region",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One limit, and what a plan has of it.

    Parameters
    ----------
    name : str
        The limit's name.
    title : str
        What is limited, in words.
    limit : float
        What is allowed. [unit]
    least, most : float
        Between what the plan's figure lies: the same twice where it is known, infinite without a bound. [unit]
    unit : str
        Unit of all three.
    is_ceiling : bool
        True if no more than the limit is allowed, False if no less.
    advice : str
        What to do if it does not hold.
    words : tuple of (str, str), optional
        What is allowed and what the plan has, where these are names: then the limit is 0, and the figure is 0 if it holds and 1 if not.
    """

    name: str
    title: str
    limit: float
    least: float
    most: float
    unit: str
    is_ceiling: bool = True
    advice: str = _ANOTHER
    words: tuple[str, str] | None = None

    @property
    def state(self) -> str:
        """``ok``, ``BROKEN`` or ``unknown``."""
        if not self.is_ceiling:
            return BROKEN if self.most < self.limit else OK if self.least >= self.limit else UNKNOWN
        allowed = self.limit * (1 + 1e-12)
        return BROKEN if self.least > allowed else OK if self.most <= allowed else UNKNOWN

    @property
    def actual(self) -> float | None:
        """The plan's figure; None if it is not known. [unit]"""
        return self.least if self.least == self.most else None

    @property
    def limit_text(self) -> str:
        """What is allowed, to read."""
        return self.words[0] if self.words else f"at {'most' if self.is_ceiling else 'least'} {self._texts[0]}"

    @property
    def actual_text(self) -> str:
        """What the plan has, to read."""
        return self.words[1] if self.words else self._texts[1]

    @property
    def _texts(self) -> tuple[str, str]:
        """Write limit and figure in as few digits as tell them apart."""
        for digits in (2, 6):
            texts = self._number_text(self.limit, digits), self._figure_text(digits)
            if texts[0] != texts[1] or self.actual == self.limit:
                break
        return texts

    def _figure_text(self, digits: int) -> str:
        if self.least == self.most:
            return self._number_text(self.least, digits)
        if math.isfinite(self.least):
            return f"at least {self._number_text(self.least, digits)}"
        return f"at most {self._number_text(self.most, digits)}" if math.isfinite(self.most) else "unknown"

    def _number_text(self, value: float, digits: int) -> str:
        if not math.isfinite(value):
            return "without bound"
        text = f"{value + 0.0:,.{digits}f}"
        return text if self.unit.startswith("USD") else text.rstrip("0").rstrip(".")

    @property
    def reason(self) -> str:
        """The check in a sentence, without its end."""
        return f"{self.title}: {f'{self.actual_text} {self.unit}'.strip()}, allowed {self.limit_text}"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known or has no bound is None.
        """
        known = self.actual
        actual = known if known is not None and math.isfinite(known) else None
        return {
            "name": self.name,
            "title": self.title,
            "limit": self.words[0] if self.words else self.limit,
            "is_ceiling": self.is_ceiling,
            "actual": self.words[1] if self.words else actual,
            "least": self.least if math.isfinite(self.least) else None,
            "most": self.most if math.isfinite(self.most) else None,
            "unit": self.unit,
            "state": self.state,
            "advice": None if self.state == OK else self.advice,
        }


@dataclass(frozen=True, eq=False)
class CheckedPlan:
    """A plan with every limit that it was held against.

    Parameters
    ----------
    plan : Plan
        The plan.
    checks : tuple of Check
        Each limit with what the plan has.
    comparison : Comparison or None
        The difference to the base; None without one.
    """

    plan: Plan
    checks: tuple[Check, ...]
    comparison: Comparison | None = None

    def of_state(self, state: str) -> tuple[Check, ...]:
        """List the checks of a state.

        Parameters
        ----------
        state : str
            ``ok``, ``BROKEN`` or ``unknown``.

        Returns
        -------
        tuple of Check
            In their order.
        """
        return tuple(check for check in self.checks if check.state == state)

    @property
    def state(self) -> str:
        """``BROKEN`` if one limit is, else ``unknown`` if one is, else ``ok``."""
        return next((state for state in (BROKEN, UNKNOWN) if self.of_state(state)), OK)

    @property
    def headline(self) -> str:
        """The answer, in a sentence."""
        counts = {state: len(self.of_state(state)) for state in (OK, BROKEN, UNKNOWN)}
        count = f"{counts[OK]} of {len(self.checks)} limits hold"
        others = [
            f"{number} {word}" for number, word in ((counts[BROKEN], "broken"), (counts[UNKNOWN], "unknown")) if number
        ]
        return f"{count}{', ' + ', '.join(others) if others else ''}: {self.plan.cost.total_text}"

    def to_dict(self) -> dict[str, Any]:
        """Return checks and plan as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "state": self.state,
            "headline": self.headline,
            "checks": [check.to_dict() for check in self.checks],
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "plan": self.plan.to_dict(),
        }

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"{check.state:8}{check.reason}" for check in self.checks)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(check.title)}</td><td>{check.limit_text}</td><td>{check.actual_text}</td>"
            f"<td>{html.escape(check.unit)}</td><td>{check.state}</td></tr>"
            for check in self.checks
        )
        head = "".join(f"<th>{name}</th>" for name in ("Limit", "Allowed", "Actual", "Unit", "State"))
        return f"<p>{html.escape(self.headline)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def check_plan(
    plan: Plan, limits: GuardLimits | None = None, base: Plan | None = None, *, today: dt.date | None = None
) -> CheckedPlan:
    """Hold a plan against its own promise and against limits that go over it.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate; simulated for the promise that `GuardLimits.over` gives, so that minutes over the promise are those of the p95
        latency that is asked for.
    limits : GuardLimits, optional
        What else is allowed; each goes over the promise's own limit.
    base : Plan, optional
        What the bill's increase is measured from.
    today : datetime.date, optional
        The day from which rates' ages count; by default today. Where the prices of a day were asked for, it counts from that day.

    Returns
    -------
    CheckedPlan
        Every limit with what the plan has, and the difference to the base.

    Raises
    ------
    InvalidScenario
        If an increase is limited and there is no base, or one of them is no plan.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
    >>> found = estimate(work, load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512), max_capacity=2))
    >>> [(check.name, check.state) for check in check_plan(found, GuardLimits(budget_usd=50)).of_state("BROKEN")]
    [('budget_usd', 'BROKEN')]
    """
    if not isinstance(plan, Plan):
        raise InvalidScenario(f"plan is {shown(plan)}; it must be what plan or estimate gives.")
    allowed = limits or GuardLimits()
    if allowed.needs_base and base is None:
        raise InvalidScenario(
            "An increase is limited and there is no base to measure it from; give the plan of the base."
        )
    comparison = None if base is None else compare(base, plan, ("the base", "This service"))
    found = (
        *_of_bill(plan, allowed),
        *_of_promise(plan, allowed),
        *_of_increase(comparison, allowed),
        *_of_age(plan.cost, allowed, today),
    )
    return CheckedPlan(plan, found, comparison)


def _of_bill(plan: Plan, allowed: GuardLimits) -> Iterator[Check]:
    limit = _limit_of(plan.promise.max_usd_per_month, allowed.budget_usd)
    if limit is not None:
        usd = plan.cost.total_usd
        most = math.inf if plan.cost.is_lower_bound else usd
        over = usd > limit
        advice = "Raise the budget, or let `estimator plan` look for a cheaper service." if over else _KNOW_RATE
        yield Check("budget_usd", "Bill", limit, usd, most, "USD/month", advice=advice)


def _of_promise(plan: Plan, allowed: GuardLimits) -> Iterator[Check]:
    figures = plan.figures
    for name, (title, unit, figure) in _FIGURES.items():
        limit = _limit_of(getattr(plan.promise, name), getattr(allowed, name))
        if limit is not None:
            yield Check(name, title, limit, figures[figure], figures[figure], unit)
    limit = _limit_of(plan.promise.max_refused_percent, allowed.max_refused_percent)
    if limit is not None:
        asked = plan.workload.task_load.requests
        percent = 100 * float(plan.simulation.unserved_requests[0]) / asked if asked else 0.0
        yield Check("max_refused_percent", "Refused requests", limit, percent, percent, "%")
    for other in limits_of(plan):
        if other.name not in (*_OF_PROMISE, "max_usd_per_month"):
            actual = float(other.actual[0])
            title = _TITLES.get(other.name, other.name.replace("_", " "))
            yield Check(other.name, title, float(other.limit[0]), actual, actual, other.unit, other.is_ceiling)
    for name, names, value in allowed_names(plan.promise, plan.spec.cpu_architecture, plan.cost.region):
        broken = float(value not in names)
        yield Check(name, _TITLES[name], 0.0, broken, broken, "", words=(" or ".join(names), value))


def _of_increase(comparison: Comparison | None, allowed: GuardLimits) -> Iterator[Check]:
    if comparison is None:
        return
    rounding = _ROUNDING * max(comparison.before.cost.total_usd, 1.0)
    usd = comparison.least_difference_usd, comparison.most_difference_usd
    rows = (
        ("max_increase_usd", "Increase of the bill", usd, "USD/month"),
        ("max_increase_percent", "Increase of the bill, in percent", comparison.percent_bounds(), "%"),
    )
    for name, title, (least, most), unit in rows:
        limit = getattr(allowed, name)
        if limit is None:
            continue
        # Sums of the same lines in another order differ in their last digits.
        least, most = (0.0 if abs(value) < rounding else value for value in (least, most))
        advice = (
            "`estimator compare` says on which lines; raise the limit if the increase is meant."
            if least > limit
            else _KNOW_RATE
        )
        yield Check(name, title, limit, least, most, unit, advice=advice)


def _of_age(cost: CostBreakdown, allowed: GuardLimits, today: dt.date | None) -> Iterator[Check]:
    if allowed.max_stale_days is None:
        return
    day = dt.date.fromisoformat(cost.as_of) if cost.as_of else today or dt.date.today()
    listed = [line for line in cost if line.price and line.effective_cost is not None and line.provenance != "own"]
    ages = [(day - dt.date.fromisoformat(line.last_seen)).days for line in listed if line.last_seen]
    oldest = float(max(ages, default=0))
    # A rate of which nobody says when it was seen may be of any age.
    most = oldest if len(ages) == len(listed) else math.inf
    advice = f"`estimator prices refresh --region {cost.region}` asks AWS again."
    yield Check("max_stale_days", "Age of the oldest rate", allowed.max_stale_days, oldest, most, "days", advice=advice)


def _limit_of(own: float | None, given: float | None) -> float | None:
    return own if given is None else given
