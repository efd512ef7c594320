"""The form of what is not known exactly: which numbers of the scenario are intervals, and how far each reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from estimator.load_sections import LOAD_PARTS, LOADS
from estimator.scenario import Scenario
from estimator.sections import Prices
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations, SpotShortage
from estimator.ui import intervals, tables
from estimator.ui.cached import Question
from estimator.ui.uncertainty_fan import GROWTH
from estimator.units import described_fields
from estimator.workload.interval import Interval
from estimator.workload.request import Request

#: Numbers that the page begins with.
FIRST = ("load.scale", "request.cpu_ms_per_request", "request.response_kb")
#: What the growth of the load begins with: so much beside the likely value. [percent/month]
SLOWER, FASTER = 2.0, 4.0
#: Most months of the fan. [months]
MOST_MONTHS = 36
_SECTIONS: dict[str, type] = {
    "request": Request,
    "application": Application,
    "operations": Operations,
    "spot_shortages": SpotShortage,
    "extras": Extras,
    "behavior": AwsBehavior,
    "prices": Prices,
    **LOAD_PARTS,
}


@dataclass(frozen=True)
class Months:
    """The months to come.

    Parameters
    ----------
    count : int
        How many. [months]
    growth : Interval
        What the load grows from each to the next. [percent/month]
    """

    count: int
    growth: Interval


def meaning(path: str, scenario: Scenario) -> str:
    """Say what a number means.

    Parameters
    ----------
    path : str
        Its dotted path.
    scenario : Scenario
        The scenario, whose kind of load it may belong to.

    Returns
    -------
    str
        Its description, which the unit closes in brackets; empty if there is none.
    """
    *sections, field = path.split(".")
    if not sections:
        return described_fields(Scenario).get(field.partition("[")[0], "")
    name = sections[-1].partition("[")[0]
    if name == "load":
        return LOADS[scenario.load.kind].described().get(field.partition("[")[0], "")
    record = _SECTIONS.get(name)
    return described_fields(record).get(field.partition("[")[0], "") if record else ""


def show(question: Question) -> Scenario:
    """Show the form.

    Parameters
    ----------
    question : Question
        The scenario of the sidebar, whose values are the likely ones, and its intervals.

    Returns
    -------
    Scenario
        The same with the intervals that the form says.

    Raises
    ------
    InvalidScenario
        If an interval is not allowed.
    """
    scenario, written = question.scenario, question.intervals
    likely = intervals.numbers(scenario)
    usual = [path for path in dict.fromkeys((*written, *FIRST)) if path in likely]
    state = st.session_state
    state[intervals.CHOSEN] = chosen = [path for path in state.get(intervals.CHOSEN, usual) if path in likely]
    found = {path: _interval(path, likely[path], written.get(path), scenario) for path in chosen}
    st.selectbox(
        "Another number that is not known exactly",
        [path for path in likely if path not in chosen],
        index=None,
        key=f"{intervals.KEY}add",
        on_change=_add,
        placeholder="Search the numbers of the scenario",
        help="Any number of the scenario, by its path. Each is drawn between its two ends; the sidebar has the most likely value.",
    )
    return replace(question, intervals={path: each for path, each in found.items() if not each.is_certain}).document


def months(question: Question) -> Months:
    """Show how many months there are, and how the load grows in them.

    Parameters
    ----------
    question : Question
        The scenario of the sidebar, and its intervals.

    Returns
    -------
    Months
        What the form says.

    Raises
    ------
    InvalidScenario
        If the growth is not in order.
    """
    horizon = question.scenario.horizon
    likely = horizon.growth_percent_per_month
    written = question.intervals.get(GROWTH) or Interval(
        max(likely - SLOWER, -50.0), likely, min(likely + FASTER, 100.0)
    )
    text = (
        "What the load grows from each month to the next, compounded; less than 0 if it shrinks. In your account: `RequestCount` of a month ÷ "
        "that of the month before."
    )
    with st.grid(4, min_column_width=130, vertical_alignment="bottom"):
        count = st.number_input(
            "Months",
            1,
            MOST_MONTHS,
            step=1,
            key=_remembered("months", min(horizon.months, MOST_MONTHS)),
            help="Months that are billed; the first has the load as it is.",
            persist_state="session",
        )
        low, middle, high = (
            st.number_input(
                f"{word} growth (% a month)",
                -50.0,
                100.0,
                step=0.5,
                format="%g",
                key=_remembered(f"growth.{name}", float(getattr(written, name))),
                help=text,
                persist_state="session",
            )
            for word, name in (("Least", "low"), ("Likely", "likely"), ("Most", "high"))
        )
    return Months(int(count), Interval(low, middle, high))


def _interval(path: str, likely: float, written: Interval | None, scenario: Scenario) -> Interval:
    """Show the two ends of a number beside its likely value."""
    low, high = (intervals.place_of(end, path) for end in ("low", "high"))
    _follow(path, likely, written)
    whole = isinstance(likely, int)
    kind: type = int if whole else float
    text = meaning(path, scenario)
    field = path.rpartition(".")[2]
    words, least, most, last = st.columns([5, 3, 3, 2], vertical_alignment="bottom")
    last.button(
        "Remove",
        key=f"remove.{path}",
        on_click=_remove,
        args=(path,),
        type="tertiary",
        icon=":material/delete:",
        help=f"Take {path} as it is",
    )
    words.markdown(f"**{tables.plain(path)}**, likely {likely:,.6g}  \n:small[{tables.plain(text)}]")
    step = kind(1) if whole else float(f"{max(abs(likely), 1e-6) / 20:.1g}")
    usual: dict[str, Any] = {"step": step, "format": "%d" if whole else "%g", "help": text or None}
    bottom = least.number_input(
        f"{field}, at least", max_value=kind(likely), value=None, key=low, persist_state="session", **usual
    )
    top = most.number_input(
        f"{field}, at most", min_value=kind(likely), value=None, key=high, persist_state="session", **usual
    )
    # An emptied field is an end that is as likely says.
    return Interval(likely if bottom is None else bottom, likely, likely if top is None else top)


def _add() -> None:
    """Take the number that was chosen among those that are not known exactly, and let the next be chosen."""
    state = st.session_state
    path = state[f"{intervals.KEY}add"]
    if path is not None:
        state[intervals.CHOSEN] = [*state[intervals.CHOSEN], path]
    state[f"{intervals.KEY}add"] = None


def _remove(path: str) -> None:
    state = st.session_state
    state[intervals.CHOSEN] = [each for each in state[intervals.CHOSEN] if each != path]


def _follow(path: str, likely: float, written: Interval | None) -> None:
    """Give the two ends their first values, and let them keep their proportion to the likely value when that moves."""
    state = st.session_state
    bottom, top = intervals.ends(path, likely, written)
    for end, value in (("low", bottom), ("high", top), ("likely", likely)):
        place = intervals.place_of(end, path)
        if state.get(place, math.nan) != value:
            state[place] = value


def _remembered(name: str, value: Any) -> str:
    st.session_state.setdefault(f"{intervals.KEY}{name}", value)
    return f"{intervals.KEY}{name}"


def settings(scenario: Scenario) -> tuple[float | None, int, bool]:
    """Show what is asked beside the intervals.

    Parameters
    ----------
    scenario : Scenario
        The scenario, whose promise may have a budget.

    Returns
    -------
    tuple of (float or None, int, bool)
        Budget, draws of the full answer, and whether what AWS does not document is drawn too. [USD/month, 1]
    """
    budget = scenario.promise.max_usd_per_month
    with st.grid(3, min_column_width=200, vertical_alignment="bottom"):
        most = st.number_input(
            "Budget (USD a month)",
            0.0,
            1e12,
            value=None,
            step=50.0,
            format="%g",
            key=_remembered("budget", None if budget is None else float(budget)),
            placeholder="none",
            help="What a month may cost; the page says how often it costs more.",
            persist_state="session",
        )
        count = st.selectbox(
            "Draws of the full answer",
            (100, 200, 500, 1000),
            key=_remembered("draws", 200),
            help="How many months are drawn. More of them take longer and leave less to chance: 200 take half a minute to a minute.",
            persist_state="session",
        )
        with_model = st.toggle(
            "Draw what AWS does not document too",
            key=_remembered("model", value=True),
            help="How late metrics are, how long a task takes to start, and others, each with its plausible values. Off: they stay as the section "
            "`behavior` has them.",
            persist_state="session",
        )
    return most, int(count), bool(with_model)
