"""The page on what is not known exactly: what a month may cost, what moves it, which plan is regretted least, and what to measure next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.uncertainty import Uncertainty
from estimator.report.fan_figures import fan_csv, fan_figure, fan_table
from estimator.report.uncertainty_table import draws_csv, risk_markdown, short_title
from estimator.ui import cached, controls, failure, figures, tables
from estimator.ui import uncertainty_answers as answers
from estimator.ui import uncertainty_inputs as inputs
from estimator.ui import uncertainty_parts as parts

_WANTED, _STOPPED = "uncertainty.wanted", "uncertainty.stopped"
#: From which part of the whole answer on months are drawn. [1]
_SEARCHED = 0.4
_PYTHON = """\
from estimator import Scenario, assess_risk

scenario = Scenario.from_file("scenario.yaml")
found = assess_risk(scenario, n_draws={draws}{budget}{model})
print(found.measure_next)
found.least_regret().usd  # P5, P50 and P95
"""


def show() -> None:
    """Show the page."""
    st.title("How sure is the bill?")
    st.caption(
        "Say between which ends a number lies. Months are drawn from them, and the plan is followed through each: what it may cost, how "
        "often it breaks its promise, and what to measure next."
    )
    try:
        with st.sidebar:
            question = controls.show("uncertainty")
        st.header("What is not known exactly", anchor="inputs")
        scenario = inputs.show(question)
        budget_usd, n_draws, with_model = inputs.settings(scenario)
        asked = answers.Asked(replace(question, scenario=scenario), n_draws, with_model)
        found = answers.whole_if_there(asked)
        is_whole = found is not None
        if found is None:
            found = _first(asked)
        found = replace(found, budget_usd=budget_usd)
    except EstimatorError as error:
        failure.show(error)
        return

    st.header("The bill", anchor="bill")
    parts.figures_row(found)
    working = _whole(asked, found, is_whole)
    parts.bills(found)
    with st.expander(
        "Where these figures come from", icon=":material/calculate:", key="behind.box", on_change="rerun"
    ) as box:
        if box.open:
            parts.month_behind(asked, found)
    for note in found.notes:
        st.caption(f":material/info: {tables.plain(note)}")

    st.header("What moves it, and what to measure next", anchor="tornado")
    st.markdown(tables.plain(found.measure_next))
    parts.tornado(found)

    if is_whole:
        st.header("Which plan is regretted least", anchor="plans")
        parts.plans(found)

    st.header("Month by month", anchor="months")
    fan = st.container()
    _take_away(asked, found, budget_usd)
    # What takes long comes last, so that all else is on the page before.
    with fan:
        _fan(question, asked, found, is_whole)
    if working is not None:
        working()


def _first(asked: answers.Asked) -> Uncertainty:
    """Find the plan for the likely values, and draw a few months of it."""
    place = st.empty()
    plan = cached.plan(
        asked.likely, parts.telling(place, lambda _: "Looking for the cheapest service that keeps the promise")
    )
    place.empty()
    with st.spinner("Drawing a few months of the plan ..."):
        return answers.first(asked, plan)


def _whole(asked: answers.Asked, found: Uncertainty, is_whole: bool) -> Callable[[], None] | None:
    """Offer the whole answer, or return what finds it; its progress stands here."""
    state = st.session_state
    text = f"{found.outcomes.n_draws:,} months drawn"
    if is_whole:
        st.caption(
            f"{text}, of {len(found.contenders)} plans that compete; the figures are of the one that is regretted least, "
            f"that for {tables.plain(short_title(found.least_regret().title, found))}."
        )
        return None
    st.caption(
        f"A first answer: {text}, of the plan for the likely values alone. The whole one looks for the plans that compete and draws "
        f"{asked.n_draws:,} months of all of them."
    )
    wanted = asked.key, asked.n_draws
    place = st.container()
    if state.get(_WANTED) != wanted:
        place.button(
            "Find the whole answer",
            key="uncertainty.run",
            on_click=state.__setitem__,
            args=(_WANTED, wanted),
            icon=":material/casino:",
            help="It takes half a minute or more, and can be stopped.",
        )
        if state.pop(_STOPPED, False):
            place.caption(":material/info: Stopped: what stands here is the first answer.")
        return None
    with place:
        bar = st.progress(0.0, "Looking for plans that compete ...")
        st.button(
            "Stop",
            key="uncertainty.stop",
            on_click=_stop,
            icon=":material/stop_circle:",
            help="The first answer stays.",
        )

    def work() -> None:
        words = ("Looking for plans that compete", "Drawing months")
        try:
            answers.whole(asked, parts.telling(bar, lambda part: words[part >= _SEARCHED]))
        except EstimatorError as error:
            state.pop(_WANTED, None)
            with place:
                failure.show(error)
            return
        st.rerun()

    return work


def _stop() -> None:
    st.session_state.pop(_WANTED, None)
    st.session_state[_STOPPED] = True


def _fan(question: cached.Question, asked: answers.Asked, found: Uncertainty, is_whole: bool) -> None:
    """Show the bills of the months to come."""
    try:
        months = inputs.months(question)
        n_draws = min(found.outcomes.n_draws, answers.MOST_FAN_DRAWS if is_whole else answers.FIRST_FAN_DRAWS)
        place = st.empty()
        drawn = answers.fan(
            asked,
            found.contenders[found.chosen],
            months,
            n_draws,
            parts.telling(place, lambda _: f"Billing {months.count} months"),
        )
        place.empty()
    except EstimatorError as error:
        failure.show(error)
        return
    table = fan_table(drawn.usd, drawn.keeps, found.budget_usd, bool(drawn.unknown))
    st.caption(
        f"The bill of the same plan in {table.title}: in each of them every input has one value and the load one growth, which hold in all "
        "months. Tiers begin anew with each month."
    )
    first, last = table.rows[0], table.rows[-1]
    figures.show(
        fan_figure(drawn.usd, found.budget_usd),
        key="chart.fan",
        alt=f"Fan of the monthly bill: in month {first[0]} P5 to P95 are {first[1]} to {first[5]} USD, in month {last[0]} {last[1]} to {last[5]}",
        name="bill-fan",
    )
    with st.expander("The same as a table", icon=":material/table:", key="fan.box"):
        tables.show(table, save="bill-fan")
        parts.save(
            "Each draw (CSV)",
            fan_csv(drawn.usd, drawn.growth_percent_per_month),
            "bill-fan-draws.csv",
            "One row for each draw, one column for each month. [USD]",
        )


def _take_away(asked: answers.Asked, found: Uncertainty, budget_usd: float | None) -> None:
    """Offer the draws, the scenario with its intervals, and the same as a command and in Python."""
    st.header("Take it away", anchor="take")
    scenario = asked.question.scenario
    name = scenario.name
    with st.container(horizontal=True):
        parts.save(
            "All draws (CSV)",
            draws_csv(found),
            f"{name}-draws.csv",
            "One row for each month drawn: its inputs, and the bill and the minutes of each plan.",
        )
        for label, text, file, kind, use in (
            (
                "Report (Markdown)",
                risk_markdown(found, name),
                f"{name}-risk.md",
                "text/markdown",
                "What this page says.",
            ),
            (
                "Scenario with its intervals",
                scenario.to_yaml(),
                "scenario.yaml",
                "application/yaml",
                "The one document: the command line and Python read it.",
            ),
        ):
            st.download_button(
                label,
                text,
                file,
                kind,
                key=f"download.risk.{file.rpartition('.')[2]}",
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
                help=use,
            )
    with st.expander("The same on the command line and in Python", icon=":material/terminal:"):
        options = "" if budget_usd is None else f" --budget {budget_usd:g}"
        options += "" if asked.with_model else " --no-model-uncertainty"
        st.code(f"estimator risk scenario.yaml --draws {asked.n_draws}{options}", language="bash", wrap_lines=True)
        budget = "" if budget_usd is None else f", budget_usd={budget_usd:g}"
        model = "" if asked.with_model else ", model_uncertainty=False"
        st.code(_PYTHON.format(draws=asked.n_draws, budget=budget, model=model), language="python", wrap_lines=True)
