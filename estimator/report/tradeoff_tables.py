"""Trade-offs of a plan as tables, Markdown, CSV and plain values: Tradeoffs, and what each of its parts reads like."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from estimator.billing.costing import usd_text
from estimator.markdown import markdown_table
from estimator.planning.frontier import Candidate, Explored, FrontPoint, RunnerUp
from estimator.planning.limit_prices import AvailabilityPrice, LimitPrice, limits_switched_on
from estimator.planning.promise import Rejection
from estimator.planning.result import Plan
from estimator.planning.risks import DEFAULT_RISK, LIMITS_OF_RISK, require_risk, risk_of
from estimator.planning.steps_to_plan import ChoiceValue, PlanStep
from estimator.planning.why_not import KindDifference, WhyNot, difference_usd, signed_usd
from estimator.report.tables import Table
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec

#: Points of a front that a table shows. [1]
MOST_POINTS = 15
#: Said of a candidate that breaks nothing.
KEPT = "kept"
#: Where a sentence in a cell goes on in the next line. [characters]
_SENTENCE_WIDTH = 72


@dataclass(frozen=True, eq=False)
class Tradeoffs:
    """A plan between cost and risk, and between today and itself.

    Parameters
    ----------
    name : str
        Name of the service.
    explored : Explored
        Every candidate.
    best : Plan or None
        The plan; None if no candidate keeps the promise.
    limit_prices : tuple of LimitPrice
        What each limit costs.
    availability : tuple of AvailabilityPrice
        What each nine costs.
    choices : tuple of ChoiceValue
        What each other choice alone would change; none without a plan.
    today : Plan or None
        Today's service; None if the scenario has none.
    today_broken : tuple of Rejection
        Limits that today's service breaks.
    steps : tuple of PlanStep
        From today's service to the plan; none without both.
    risk : str
        The risk that stands against cost, a name of `RISKS`.
    """

    name: str
    explored: Explored
    best: Plan | None
    limit_prices: tuple[LimitPrice, ...]
    availability: tuple[AvailabilityPrice, ...]
    choices: tuple[ChoiceValue, ...] = ()
    today: Plan | None = None
    today_broken: tuple[Rejection, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    risk: str = DEFAULT_RISK

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None. Of the candidates those on the front and the runners-up.
        """
        best, today = self.best, self.today
        return {
            "name": self.name,
            "region": self.explored.region,
            "hours_per_month": self.explored.space.hours_per_month,
            "candidates": len(self.explored),
            "risk": self.risk,
            "limits_left_aside": limits_left_aside(self.explored),
            "plan": None if best is None else _plan_values(best, self.risk),
            "front": [point.to_dict() for point in self.explored.front(self.risk)],
            "runners_up": [runner_up.to_dict() for runner_up in self.explored.runners_up()],
            "limit_prices": [price.to_dict() for price in self.limit_prices],
            "availability": [price.to_dict() for price in self.availability],
            "today": None
            if today is None
            else _plan_values(today, self.risk) | {"broken": [limit.to_dict() for limit in self.today_broken]},
            "steps": [step.to_dict() for step in self.steps],
            "choices": [value.to_dict() for value in self.choices],
        }


def _plan_values(plan: Plan, risk: str) -> dict[str, Any]:
    value = risk_of(plan, risk)
    return {
        "summary": plan.spec.describe(),
        "usd_per_month": plan.cost.total_usd,
        "is_lower_bound": plan.cost.is_lower_bound,
        "risk": value if math.isfinite(value) else None,
        "service": plan.spec.to_dict(),
    }


def limits_left_aside(explored: Explored) -> list[str]:
    """Name the limits that are switched on and that a front leaves aside, since they are about its risk.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.

    Returns
    -------
    list of str
        Their names.
    """
    return [name for name in limits_switched_on(explored.space.promise) if name in LIMITS_OF_RISK]


def usual_risk(explored: Explored) -> str:
    """Choose the risk that stands against cost where none is asked for: one that the promise bounds, so that its limit can be seen.

    Parameters
    ----------
    explored : Explored
        What `explore` gives; it knows the promise.

    Returns
    -------
    str
        A name of `RISKS`: minutes over capacity where the promise limits those, and not the minutes over the promise; else the latter.
    """
    promise = explored.space.promise
    if promise.max_minutes_over_promise is None and promise.max_minutes_over_capacity is not None:
        return "minutes_over_capacity_per_month"
    return DEFAULT_RISK


# Tables.


def front_table(explored: Explored, risk: str | None = None, most: int = MOST_POINTS) -> Table:
    """Show the front of cost against a risk.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.
    risk : str, optional
        A name of `RISKS`; by default that of `usual_risk`.
    most : int
        Most points; the ends and the winner are among them. [1]

    Returns
    -------
    Table
        Candidate, bill, risk, tasks, p95 latency, and what of the promise it breaks.
    """
    risk = risk or usual_risk(explored)
    points = explored.front(risk)
    kind, winner = require_risk(risk), explored.winner
    chosen = some_points(points, winner, most)
    rows = tuple(
        (
            name,
            _usd(point.candidate),
            figure_text(point.risk),
            f"{point.candidate.mean_tasks:,.2f}",
            *([] if risk == "p95_latency_ms" else [figure_text(point.candidate.p95_latency_ms)]),
            _promise_text(point.candidate, winner),
        )
        for name, point in zip(names_of([point.spec for point in chosen]), chosen, strict=True)
    )
    p95 = [] if risk == "p95_latency_ms" else [">p95 ms"]
    shown = f", {len(rows)} of {len(points)} points" if len(rows) < len(points) else ""
    title = f"Cost against {kind.title}: nothing is cheaper with as little risk{shown}"
    head = f"{kind.title[0].upper()}{kind.title[1:]} [{kind.unit}]"
    return Table(
        title,
        ("Candidate", ">USD/month", f">{head}", ">Tasks", *p95, "Promise"),
        rows,
        least=("Tasks", *(head.lstrip(">") for head in p95)),
        below=("Promise",),
    )


def some_points(points: Sequence[FrontPoint], winner: Candidate | None, most: int) -> list[FrontPoint]:
    """Choose points of a front: its ends, the winner, and others evenly between.

    Parameters
    ----------
    points : sequence of FrontPoint
        The front.
    winner : Candidate or None
        The winner.
    most : int
        How many at the most. [1]

    Returns
    -------
    list of FrontPoint
        In the same order.
    """
    if len(points) <= most:
        return list(points)
    places = {round(k * (len(points) - 1) / max(most - 2, 1)) for k in range(most - 1)}
    places |= {k for k, point in enumerate(points) if winner is not None and point.candidate.place == winner.place}
    return [points[place] for place in sorted(places)]


def names_of(specs: Sequence[ServiceSpec]) -> list[str]:
    """Describe services in one line each; those that read the same with their cooldowns and scheduled minimums too.

    Parameters
    ----------
    specs : sequence of ServiceSpec
        The services.

    Returns
    -------
    list of str
        Their names.
    """
    names = [spec.describe() for spec in specs]
    count = Counter(names)
    return [name if count[name] == 1 else f"{name} ({_details(spec)})" for name, spec in zip(names, specs, strict=True)]


def _details(spec: ServiceSpec) -> str:
    cooldowns = [
        f"cooldowns {policy.scale_out_cooldown_s} s out, {policy.scale_in_cooldown_s} s in"
        for policy in spec.scaling
        if isinstance(policy, TargetTrackingScalingPolicy)
    ]
    minimums = [f"{action.min_capacity}" for action in spec.scheduled_actions if action.min_capacity is not None]
    scheduled = [f"scheduled minimums {'/'.join(minimums)}"] if minimums else []
    return "; ".join([*scheduled, *cooldowns])


def _promise_text(candidate: Candidate, winner: Candidate | None) -> str:
    if winner is not None and candidate.place == winner.place:
        return "kept: the cheapest that does"
    return _filled(candidate.reasons or KEPT)


def front_text(explored: Explored, risk: str | None = None) -> str:
    """Say what a front leaves aside.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.
    risk : str, optional
        A name of `RISKS`; by default that of `usual_risk`.

    Returns
    -------
    str
        Sentences.
    """
    aside = limits_left_aside(explored)
    left = (
        f"{', '.join(aside)} {'are' if len(aside) > 1 else 'is'} left aside, being about this risk; all"
        if aside
        else "All"
    )
    plans = ", with your Savings Plans" if explored.space.savings_plans else ""
    beaten = off_front_text(explored, risk or usual_risk(explored))
    said = f"{len(explored):,} candidates were simulated and priced{plans}. {left} other limits are kept."
    return f"{said} The plan is not on it: {beaten}." if beaten else said


def off_front_text(explored: Explored, risk: str) -> str:
    """Say why the plan is not on a front.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.
    risk : str
        A name of `RISKS`.

    Returns
    -------
    str
        The reason, to stand in a sentence; empty if the plan is on the front, or there is none.
    """
    winner = explored.winner
    if winner is None or winner.place in {point.candidate.place for point in explored.front(risk)}:
        return ""
    return "what is cheaper with as little of this risk breaks a limit that is left aside"


def runners_up_table(runners_up: Sequence[RunnerUp]) -> Table:
    """Show the candidates that came next.

    Parameters
    ----------
    runners_up : sequence of RunnerUp
        What `Explored.runners_up` gives.

    Returns
    -------
    Table
        Candidate, bill, what it costs more, tasks, minutes over capacity, p95 latency.
    """
    names = names_of([each.candidate.spec for each in runners_up])
    rows = tuple(
        (
            name,
            _usd(each.candidate),
            signed_usd(each.more_usd),
            f"{each.candidate.mean_tasks:,.2f}",
            figure_text(each.candidate.minutes_over_capacity_per_month),
            figure_text(each.candidate.p95_latency_ms),
        )
        for name, each in zip(names, runners_up, strict=True)
    )
    return Table(
        "Runners-up, the cheapest of each other task size and architecture",
        ("Candidate", ">USD/month", ">More", ">Tasks", ">Minutes over capacity", ">p95 ms"),
        rows,
        least=("Tasks", "p95 ms", "Minutes over capacity"),
    )


def limit_prices_table(prices: Sequence[LimitPrice]) -> Table:
    """Show what each limit of the promise costs.

    Parameters
    ----------
    prices : sequence of LimitPrice
        What `limit_prices` gives.

    Returns
    -------
    Table
        Limit, what it allows, what it costs, and the plan that would win without it.
    """
    rows = tuple((price.limit, price.allowed_text, _limit_cost(price), _instead(price)) for price in prices)
    return Table(
        "What each limit of the promise costs",
        ("Limit", ">Allows", ">USD/month", "Without it"),
        rows,
        least=("Allows",),
        below=("Without it",),
    )


def _limit_cost(price: LimitPrice) -> str:
    if price.costs_nothing:
        return "nothing"
    return usd_text(price.saving_usd) if price.best is not None and price.without is not None else ""


def _instead(price: LimitPrice) -> str:
    if price.without is None:
        return "still no candidate keeps the promise"
    if price.best is not None and price.best.spec == price.without.spec:
        return "the same plan wins"
    return f"{price.without.spec.describe()}: {price.without.cost.total_text}"


def availability_table(prices: Sequence[AvailabilityPrice]) -> Table:
    """Show what each nine of availability costs.

    Parameters
    ----------
    prices : sequence of AvailabilityPrice
        What `availability_prices` gives.

    Returns
    -------
    Table
        Availability, minutes over capacity, bill, what it costs more than the next looser one, and the candidate. Limits with the same candidate
        are one row.
    """
    groups = itertools.groupby(prices, key=lambda price: None if price.candidate is None else price.candidate.place)
    rows = tuple(_availability_row(list(group)) for _, group in groups)
    return Table(
        "The price of the last nine",
        ("Available", ">Minutes over capacity", ">USD/month", ">More than the next", "Cheapest candidate"),
        rows,
        least=("Minutes over capacity",),
        below=("Cheapest candidate",),
    )


def _availability_row(prices: Sequence[AvailabilityPrice]) -> tuple[str, ...]:
    """Write limits that have the same candidate, the strictest first, as one row."""
    strictest, loosest = prices[0], prices[-1]
    candidate, more = loosest.candidate, loosest.more_usd
    one = len(prices) == 1
    return (
        loosest.availability_text if one else f"{loosest.availability_text} to {strictest.availability_text}",
        f"{loosest.minutes:g}" if one else f"{strictest.minutes:g} to {loosest.minutes:g}",
        "" if candidate is None else _usd(candidate),
        # The loosest is compared with nothing; another candidate may cost the same.
        "" if more is None else signed_usd(more) if round(more, 2) else "nothing",
        "no candidate" if candidate is None else candidate.spec.describe(),
    )


#: What the nines are and are not.
AVAILABILITY_TEXT = (
    "Available is a minute in which the healthy tasks can serve the load, all other limits kept; what else fails, in AWS or in the image, is not "
    "simulated."
)


def steps_table(today: Plan, broken: Sequence[Rejection], steps: Sequence[PlanStep]) -> Table:
    """Show the way from today's service to the plan.

    Parameters
    ----------
    today : Plan
        Today's service.
    broken : sequence of Rejection
        Limits that it breaks.
    steps : sequence of PlanStep
        What `steps_to` gives.

    Returns
    -------
    Table
        Step, from what to what, what it changes, the bill after it, and what the service then breaks.
    """
    reasons = "; ".join(limit.reason for limit in broken)
    first = ("Today", _filled(today.spec.describe()), "", total_text(today), _filled(reasons or KEPT))
    rows = tuple(
        (
            step.title,
            _filled(step.change),
            signed_usd(step.difference_usd),
            total_text(step.after),
            _filled(step.broken_text or KEPT),
        )
        for step in steps
    )
    last = steps[-1].after if steps else today
    whole = signed_usd(_whole(steps))
    return Table(
        "From today to the plan, one choice after the other",
        ("Step", "Change", ">USD/month", ">Bill after it", "Promise after it"),
        (first, *rows),
        ("Plan", "", whole, total_text(last), ""),
        below=("Change", "Promise after it"),
    )


def _whole(steps: Sequence[PlanStep]) -> float | None:
    return difference_usd(steps[0].before.cost, steps[-1].after.cost) if steps else 0.0


def steps_text(steps: Sequence[PlanStep]) -> str:
    """Say what the steps mean, and which of them cannot be had alone.

    Parameters
    ----------
    steps : sequence of PlanStep
        What `steps_to` gives.

    Returns
    -------
    str
        Sentences.
    """
    if not steps:
        return "Today's service is the plan."
    stops = [step.title for step in steps[:-1] if not step.keeps_promise]
    alone = f" One cannot stop after {' or '.join(stops)}: the promise is broken there." if stops else ""
    return f"What a choice is worth depends on those made before it; in this order they add up.{alone}"


def choices_table(values: Sequence[ChoiceValue]) -> Table:
    """Show what each other choice alone would change.

    Parameters
    ----------
    values : sequence of ChoiceValue
        What `value_of_choices` gives.

    Returns
    -------
    Table
        Choice, what it is of, what it changes, and what it breaks or needs.
    """
    rows = tuple(
        (
            value.title,
            value.group,
            "" if value.cost is None else signed_usd(value.difference_usd),
            _filled(value.remark),
        )
        for value in values
    )
    return Table(
        "Other choices, each alone",
        ("Choice", "Of", ">USD/month", "Remark"),
        rows,
        least=("Of",),
        below=("Remark",),
    )


def broken_table(broken: Sequence[Rejection]) -> Table:
    """Show the limits that a service breaks.

    Parameters
    ----------
    broken : sequence of Rejection
        The limits.

    Returns
    -------
    Table
        Limit, what is allowed, what the service has, and the unit.
    """
    rows = tuple(
        (limit.constraint, figure_text(limit.limit), figure_text(limit.actual), limit.unit) for limit in broken
    )
    return Table("Limits that it breaks", ("Limit", ">Allowed", ">It has", "Unit"), rows)


def differences_table(found: WhyNot) -> Table:
    """Show where two bills differ.

    Parameters
    ----------
    found : WhyNot
        What `why_not` gives.

    Returns
    -------
    Table
        Kind of line, the plan's cost, the other's, and the difference.
    """

    def row(line: KindDifference) -> tuple[str, ...]:
        return line.title, usd_text(line.before_usd), usd_text(line.after_usd), signed_usd(line.difference_usd)

    totals = ("Whole bill", total_text(found.plan), total_text(found.other), signed_usd(found.difference_usd))
    return Table(
        "Where the bills differ, in USD a month",
        ("Charge", ">Plan", ">Instead", ">Difference"),
        tuple(map(row, found.lines)),
        totals,
    )


def total_text(plan: Plan) -> str:
    """Write the total of a bill without its unit.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.

    Returns
    -------
    str
        Such as ``at least 12.30``.
    """
    return f"{'at least ' if plan.cost.is_lower_bound else ''}{usd_text(plan.cost.total_usd)}"


def figure_text(value: float | str) -> str:
    """Write a figure of a candidate in four digits.

    Parameters
    ----------
    value : float or str
        The figure, or what a limit says in words.

    Returns
    -------
    str
        Such as ``1,234`` or ``without bound``.

    Examples
    --------
    >>> figure_text(0.0), figure_text(1234.5), figure_text(0.01234), figure_text(float("inf"))
    ('0', '1,234', '0.01234', 'without bound')
    """
    if isinstance(value, str):
        return value
    return f"{float(f'{value:.4g}'):,.15g}" if math.isfinite(value) else "without bound"


def _filled(text: str) -> str:
    return textwrap.fill(text, _SENTENCE_WIDTH, break_on_hyphens=False, break_long_words=False)


def _usd(candidate: Candidate) -> str:
    return f"{'at least ' if candidate.is_lower_bound else ''}{usd_text(candidate.usd_per_month)}"


# Everything together.


def sections(found: Tradeoffs) -> Iterator[Table | str]:
    """Go through what there is to read, in its order: tables, and the sentences that belong to them.

    Parameters
    ----------
    found : Tradeoffs
        The trade-offs.

    Yields
    ------
    Table or str
        A table, or sentences on the one before.
    """
    explored = found.explored
    yield front_table(explored, found.risk)
    yield front_text(explored, found.risk)
    if runners_up := explored.runners_up():
        yield runners_up_table(runners_up)
    if found.limit_prices:
        yield limit_prices_table(found.limit_prices)
    yield availability_table(found.availability)
    yield AVAILABILITY_TEXT
    if found.today is not None and found.best is not None:
        yield steps_table(found.today, found.today_broken, found.steps)
        yield steps_text(found.steps)
    if found.choices:
        yield choices_table(found.choices)


def headline(found: Tradeoffs) -> str:
    """Say the plan in one line.

    Parameters
    ----------
    found : Tradeoffs
        The trade-offs.

    Returns
    -------
    str
        Name, service and bill.
    """
    if found.best is None:
        return f"{found.name}: no candidate keeps the promise"
    return f"{found.name}: {found.best}"


def tradeoffs_markdown(found: Tradeoffs) -> str:
    """Write trade-offs as Markdown.

    Parameters
    ----------
    found : Tradeoffs
        The trade-offs.

    Returns
    -------
    str
        A heading for each table, and the sentences below it.
    """
    parts = [f"# {headline(found)}"]
    for section in sections(found):
        if isinstance(section, str):
            parts.append(section)
        else:
            rows = [
                [cell.replace("\n", " ") for cell in row]
                for row in (*section.rows, *([section.footer] if section.footer else []))
            ]
            parts += [f"## {section.title}", "\n".join(markdown_table(section.columns, rows))]
    return "\n\n".join(parts) + "\n"


def tradeoffs_csv(found: Tradeoffs) -> str:
    """Write every candidate as CSV, cheapest first.

    Parameters
    ----------
    found : Tradeoffs
        The trade-offs.

    Returns
    -------
    str
        A row for each candidate: its figures, whether it keeps the promise and is on the front, and what it breaks.
    """
    return str(found.explored.to_frame(found.risk).to_csv(index=False, float_format="%.12g", lineterminator="\n"))
