"""Cost against risk: every candidate a dot, and why a chosen one won or lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from estimator.planning.frontier import Candidate, Explored, explore
from estimator.planning.result import Plan
from estimator.planning.why_not import why_not
from estimator.report.plan_figures import candidate_at
from estimator.report.tradeoff_figures import front_figure
from estimator.report.tradeoff_tables import differences_table
from estimator.ui import background, cached, figures, tables

#: What this page's work is called.
KIND = "candidates"
_CHOSEN, _LIST = "candidates.chosen", "candidates.list"
#: Candidates of the list: so many that are dearer and keep the promise, and so many of the front. [1]
_RUNNERS_UP, _FRONT = 12, 12


@dataclass(frozen=True, eq=False)
class Drawn:
    """Every candidate, and the figure of them.

    Parameters
    ----------
    explored : Explored
        The candidates.
    figure : plotly.graph_objects.Figure
        Cost against risk.
    listed : dict of int to str
        Names of those that one is likely to ask for, by position.
    """

    explored: Explored
    figure: go.Figure
    listed: dict[int, str]


def explored_of(question: cached.Question, progress: Callable[[float], None] | None = None) -> Explored:
    """Simulate and price every candidate of a question.

    Parameters
    ----------
    question : Question
        What is asked.
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the work.

    Returns
    -------
    Explored
        Their figures.
    """
    scenario = question.scenario
    return explore(
        scenario.workload(question.folder),
        scenario.rates(question.folder),
        scenario.promise,
        choices=scenario.search,
        application=scenario.application,
        network=scenario.network_layout(),
        behavior=scenario.behavior,
        hours_per_month=scenario.hours_per_month,
        operations=scenario.operations,
        extras=scenario.extras,
        savings_plans=scenario.savings_plans,
        progress=progress,
    )


def show(question: cached.Question, plan: Plan) -> None:
    """Show the figure, once every candidate is priced.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.
    """
    st.subheader("Cost against risk")
    text = json.dumps(question.scenario.to_dict() | {"service": None}, sort_keys=True)

    def work(progress: Callable[[float], None]) -> Drawn:
        found = explored_of(question, progress)
        return Drawn(found, front_figure(found), _listed(found))

    background.show(
        KIND,
        (text, str(question.folder), question.stamp),
        work,
        lambda drawn: _show(drawn, question, plan),
        "Pricing every candidate",
    )


@st.fragment
def _show(drawn: Drawn, question: cached.Question, plan: Plan) -> None:
    explored = drawn.explored
    st.caption(f"Each of {len(explored):,} candidates is a dot. Click one, or choose it below: why it won or lost.")
    listed = drawn.listed
    state = st.session_state
    key = f"{_LIST}.{plan.fingerprint()[:12]}"

    def clicked() -> None:
        points = state["chart.candidates"].selection.points
        candidate = candidate_at(explored, points[0]) if points else None
        state[_CHOSEN] = (plan.fingerprint(), None if candidate is None else candidate.place)
        state[key] = None if candidate is None or candidate.place not in listed else candidate.place

    def chosen() -> None:
        state[_CHOSEN] = (plan.fingerprint(), state[key])

    figures.show(
        drawn.figure,
        key="chart.candidates",
        alt="Bill and risk of every candidate, the front of those that nothing beats in both, and the plan",
        name="cost-against-risk",
        on_select=clicked,
    )
    st.selectbox(
        "Candidate",
        list(listed),
        index=None,
        format_func=lambda place: listed.get(place, ""),
        key=key,
        on_change=chosen,
        placeholder="Choose a candidate, or click a dot",
        help="The nearest ones: those that keep the promise and are dearer, and those that nothing beats in both cost and risk.",
    )
    of_plan, place = state.get(_CHOSEN, (None, None))
    if of_plan == plan.fingerprint() and place is not None:
        _why(explored[place], question, plan)


def _listed(explored: Explored) -> dict[int, str]:
    """Name the candidates that one is likely to ask for."""
    near = [] if explored.winner is None else [explored.winner]
    near += [one.candidate for one in explored.runners_up(_RUNNERS_UP)]
    points = explored.front()
    step = max(1, len(points) // _FRONT)
    near += [point.candidate for point in points[::step]]
    return {one.place: _named(one) for one in near}


def _named(candidate: Candidate) -> str:
    least = "at least " if candidate.is_lower_bound else ""
    kept = "" if candidate.keeps_promise else ", breaks the promise"
    return f"{least}${candidate.usd_per_month:,.2f}: {candidate.spec.describe()}{kept}"


def _why(candidate: Candidate, question: cached.Question, plan: Plan) -> None:
    found = why_not(plan, cached.rates(question), candidate.spec)
    st.markdown(f"**{tables.plain(found.verdict)}**")
    if found.lines:
        tables.show(differences_table(found), save="why-not")
