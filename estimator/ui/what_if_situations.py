"""One-click situations: a flash crowd, the loss of a zone, hours without Fargate Spot, ten deployments a day; what each costs and breaks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from estimator.errors import EstimatorError
from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.result import Plan
from estimator.report import course_figures
from estimator.report.course_tables import replay_table
from estimator.report.tables import Table
from estimator.report.what_if_figures import courses_figure
from estimator.service.operations import SpotShortage
from estimator.ui import cached, compare_csv, failure, figures, flash_crowd_page, tables
from estimator.ui.cached import Crowd, Question
from estimator.units import SECONDS_PER_HOUR

NOTHING, CROWD, ZONE, SPOT, DEPLOYMENTS = (
    "Nothing",
    "A flash crowd",
    "A zone is lost",
    "Spot runs out",
    "Ten deployments a day",
)
SITUATIONS = (NOTHING, CROWD, ZONE, SPOT, DEPLOYMENTS)
#: Ten times a day, on the hour, in working hours (UTC).
TEN_A_DAY = "cron(0 8-17 * * ? *)"
#: The crowd: ten times the load within a minute, for half an hour; the page of its own has other ones.
THE_CROWD = Crowd(True, 10.0, 60, 1800, 1800)
_KEY = "what_if.situation"
#: Figures that a situation changes: head, name in ``Plan.figures``, decimals.
_OVER = "minutes_over_capacity_per_month"
_FIGURES = (
    (">Min over capacity", _OVER, 1),
    (">Min over promise", "minutes_over_promise_per_month", 1),
    (">Refused requests", "unserved_requests_per_month", 0),
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a situation does to one service.

    Parameters
    ----------
    title : str
        What the service is called.
    calm, after : Plan
        Without it and with it.
    is_monthly : bool
        True if what it adds is said of a month, false if of one time that it happens.
    """

    title: str
    calm: Plan
    after: Plan
    is_monthly: bool

    def added(self, name: str) -> float:
        """Say what it adds to a figure.

        Parameters
        ----------
        name : str
            Name in ``Plan.figures``.

        Returns
        -------
        float
            In a month, or each time. [the figure's unit]
        """
        change = self.after.figures[name] - self.calm.figures[name]
        # The load repeats, and what happens in it with it: once in each of the month's periods.
        periods = self.calm.cost.hours_per_month / self.calm.simulation.period_hours
        return change if self.is_monthly else change / periods

    @property
    def breaks_text(self) -> str:
        """What of the promise it breaks that was kept before, to read."""
        if self.is_monthly:
            before = {limit.constraint for limit in self.calm.broken}
            broken = [limit.reason for limit in self.after.broken if limit.constraint not in before]
            return "; ".join(broken) or "nothing"
        # Of what happens once the month is all but this one time as usual.
        usual, most = self.calm.figures[_OVER], self.calm.promise.max_minutes_over_capacity
        minutes = usual + self.added(_OVER)
        if most is None or usual > most or minutes <= most:
            return "nothing"
        return f"{minutes:,.1f} min over capacity in that month; at most {most:g}"


def show(services: Mapping[str, Question]) -> None:
    """Show the choice of a situation, and what it does.

    Parameters
    ----------
    services : mapping of str to Question
        Questions with a section ``service``, by what to call them; the last is the one that is drawn.
    """
    chosen = st.segmented_control(
        "What happens",
        SITUATIONS,
        required=True,
        default=NOTHING,
        key=_KEY,
        help="One thing that happens to the service beside its usual load, and comes again with each period of it.",
        persist_state="session",
    )
    try:
        if chosen == CROWD:
            _crowd(services)
        elif chosen in _CHANGES:
            _happens(str(chosen), services)
        else:
            st.caption("Choose what happens: what it costs, and what it breaks, stands here.")
    except EstimatorError as error:
        failure.show(error)


def outcomes(situation: str, services: Mapping[str, Question], hours: float = 4.0) -> list[Outcome]:
    """Simulate services with and without a situation.

    Parameters
    ----------
    situation : str
        ``ZONE``, ``SPOT`` or ``DEPLOYMENTS``.
    services : mapping of str to Question
        Questions with a section ``service``, by what to call them.
    hours : float
        How long Fargate Spot runs out. [h]

    Returns
    -------
    list of Outcome
        In the same order.
    """
    change = _CHANGES[situation]
    found = []
    for title, question in services.items():
        calm = cached.estimate(question)
        values = question.scenario.to_dict()
        values["operations"] |= change(values["operations"], _busiest_h(calm), hours)
        scenario = type(question.scenario).from_dict(values, situation)
        after = cached.estimate(replace(question, scenario=scenario))
        found.append(Outcome(title, calm, after, situation == DEPLOYMENTS))
    return found


def outcomes_table(situation: str, found: list[Outcome]) -> Table:
    """Show what a situation adds.

    Parameters
    ----------
    situation : str
        Its name.
    found : list of Outcome
        What it does to each service.

    Returns
    -------
    Table
        Service, cost, minutes, refused requests, and the limits that are broken for it.
    """
    rows = tuple(
        (
            each.title,
            _money(each),
            *(_number(each.added(name), digits) for _, name, digits in _FIGURES),
            f"{each.after.figures['p95_latency_ms']:,.0f}".replace("inf", "no bound"),
            each.breaks_text,
        )
        for each in found
    )
    once = "a month" if situation == DEPLOYMENTS else "each time"
    heads = (
        "Service",
        ">USD",
        *(head for head, _, _ in _FIGURES),
        f">p95 of that {_period(found[0].calm)} (ms)",
        "Breaks",
    )
    return Table(f"{situation}: what it adds {once}", heads, rows)


def _happens(situation: str, services: Mapping[str, Question]) -> None:
    if situation == SPOT and not any(_uses_spot(question) for question in services.values()):
        st.caption("No task runs on Fargate Spot, so this does not touch the service. Turn the knob Fargate Spot up.")
        return
    hours = _hours() if situation == SPOT else 0.0
    with st.spinner("Simulating what happens ..."):
        found = outcomes(situation, services, hours)
    last = found[-1]
    table = outcomes_table(situation, found)
    st.subheader(table.title)
    st.caption(_words(situation, last, hours))
    tables.show(table)
    compare_csv.show(_frame(found), key="download.situation", name="what-if-situation", text="A row for each service.")
    figures.show(
        courses_figure((last.calm, last.after), ("As usual", situation)),
        key="chart.situation",
        alt=f"Load, running tasks and p95 response time of the service {last.title.lower()}: as usual, and when this happens: {situation}",
        name="what-if-situation",
    )


def _hours() -> float:
    return float(
        st.slider(
            "Hours without Fargate Spot (h)",
            1.0,
            12.0,
            4.0,
            1.0,
            format="%g",
            key="what_if.spot_hours",
            help="How long no task of Fargate Spot can be launched, from the busiest hour on. [h]",
            persist_state="session",
            width=320,
        )
    )


def _uses_spot(question: Question) -> bool:
    return question.scenario.spec().capacity_provider_strategy.uses_spot


def _words(situation: str, last: Outcome, hours: float) -> str:
    """Say what happens, and what a figure of it does not show."""
    plan = last.calm
    if situation == ZONE:
        zones = plan.spec.network.availability_zones
        return (
            f"At the busiest moment, hour {_busiest_h(plan):.3g} of the period, one of {zones} zones is lost with its tasks; the others take "
            "their place as fast as Fargate launches them."
        )
    if situation == SPOT:
        if not plan.spec.capacity_provider_strategy.uses_spot:
            return f"The service {last.title.lower()} has no task on Fargate Spot, so this does not touch it."
        worst = _worst_minutes(plan, hours)
        return (
            f"From the busiest hour on, for {hours:g} hours, no task of Fargate Spot can be launched, and there is no fallback to On-Demand. "
            f"If AWS also took back all that run, {worst:,.0f} minutes would be over capacity."
        )
    return (
        f"On the hour from 8 to 17 UTC, `{TEN_A_DAY}`, with the strategy {plan.spec.deployment.strategy}: tasks of both revisions are billed "
        "while one takes over. A deployment that is due while another goes on is let pass."
    )


def _worst_minutes(plan: Plan, hours: float) -> float:
    promise = replace(plan.promise, max_minutes_in_spot_shortage=0.0, spot_shortage_hours=hours)
    promise = replace(promise, max_minutes_after_zone_loss=None, max_minutes_in_flash_crowd=None)
    drilled = Situation(plan.workload, plan.application, plan.behavior, plan.operations, promise)
    return drill_minutes(plan.spec, drilled)["max_minutes_in_spot_shortage"]


def _crowd(services: Mapping[str, Question]) -> None:
    title, question = list(services.items())[-1]
    with st.spinner("Sending the crowd; the first time on a machine takes some 10 seconds more ..."):
        found = cached.replay(question, THE_CROWD)
    table = replay_table(found)
    st.subheader(table.title)
    st.caption(
        f"Ten times the load within a minute, for half an hour, comes to the service {title.lower()}, as it scales and in the other usual ways."
    )
    tables.show(table)
    frame = found.to_frame().reset_index()
    compare_csv.show(frame, key="download.crowd", name="what-if-crowd", text="A row for each way to scale.")
    figures.show(
        course_figures.replay(found),
        key="chart.crowd",
        alt="Load of the crowd and what each way to scale can serve of it; below, what each has refused so far",
        name="what-if-crowd",
    )
    for note in found.notes:
        st.caption(f":material/info: {tables.plain(note)}")
    _other_crowds()


def _other_crowds() -> None:
    """Lead to the page that sends other crowds, where the app has it."""
    page = st.Page(flash_crowd_page.show, title="Flash crowd", icon=":material/bolt:", url_path="flash-crowd")
    try:
        st.page_link(page, label="Crowds of other sizes", help="The page Flash crowd, for the recommended plan.")
    except StreamlitPageNotFoundError:
        st.caption("The page Flash crowd sends crowds of other sizes.")


def _frame(found: list[Outcome]) -> Any:
    import pandas as pd

    names = ("total_usd_per_month", "mean_tasks", "peak_tasks", "p95_latency_ms", *(name for _, name, _ in _FIGURES))
    rows = [
        {"service": each.title}
        | {f"usual_{name}": each.calm.figures[name] for name in names}
        | {f"after_{name}": each.after.figures[name] for name in names}
        | {"added_usd": each.added("total_usd_per_month"), "per": "month" if each.is_monthly else "time"}
        for each in found
    ]
    return pd.DataFrame(rows)


def _money(each: Outcome) -> str:
    if each.calm.cost.is_lower_bound or each.after.cost.is_lower_bound:
        return "unknown"
    return _number(each.added("total_usd_per_month"), 2)


def _number(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return "no bound"
    rounded = round(value, digits) + 0.0
    return f"{rounded:+,.{digits}f}" if rounded else "0"


def _period(plan: Plan) -> str:
    return {24.0: "day", 168.0: "week"}.get(plan.workload.load.period_hours, "period")


def _busiest_h(plan: Plan) -> float:
    load = plan.workload.load
    return int(load.requests_per_s.argmax()) * load.step_s / SECONDS_PER_HOUR


def _zone(given: Mapping[str, Any], busiest_h: float, hours: float) -> dict[str, Any]:
    return {"zone_losses_h": [*given["zone_losses_h"], busiest_h]}


def _spot(given: Mapping[str, Any], busiest_h: float, hours: float) -> dict[str, Any]:
    return {"spot_shortages": [*given["spot_shortages"], asdict(SpotShortage(busiest_h, hours))]}


def _deployments(given: Mapping[str, Any], busiest_h: float, hours: float) -> dict[str, Any]:
    return {"deployment_schedules": [*given["deployment_schedules"], TEN_A_DAY]}


_CHANGES: dict[str, Callable[[Mapping[str, Any], float, float], dict[str, Any]]] = {
    ZONE: _zone,
    SPOT: _spot,
    DEPLOYMENTS: _deployments,
}
