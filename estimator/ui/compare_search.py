"""The plan of a question on pages that show more than its search: how far that is, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from estimator.planning.result import Plan
from estimator.ui import cached, tables
from estimator.ui.cached import Question
from estimator.ui.compare_store import Kept

#: A search that takes less shows no bar, which would only flash; and how often a longer one is told. [s]
_PATIENCE_S, _TELL_S = 0.6, 0.1
_STOPPED = "compare.stopped"


def plan_of(question: Question, name: str) -> Plan | None:
    """Find the plan of a question, with a bar and a way to stop if that takes long.

    Parameters
    ----------
    question : Question
        What is asked.
    name : str
        What to call it.

    Returns
    -------
    Plan or None
        The plan; None if one stopped the search.

    Raises
    ------
    EstimatorError
        If there is no plan.
    """
    if cached.is_planned(question):
        return cached.plan(question)
    stopped: set[str] = st.session_state.setdefault(_STOPPED, set())
    if question.text in stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(tables.plain(f"The search of {name} was stopped."), width="content")
            st.button(
                "Search again",
                key=f"compare.again.{name}",
                on_click=stopped.discard,
                args=(question.text,),
                icon=":material/play_arrow:",
                help="Looks for the cheapest service again.",
            )
        return None
    place = st.empty()
    try:
        return cached.plan(question, _telling(place, question.text, name))
    finally:
        place.empty()


def priced(entry: Kept) -> Plan | None:
    """Price what is kept.

    Parameters
    ----------
    entry : Kept
        A scenario.

    Returns
    -------
    Plan or None
        Its service with the bill; None if one stopped the search for it.

    Raises
    ------
    EstimatorError
        If it cannot be priced.
    """
    return cached.estimate(entry.question) if entry.is_service else plan_of(entry.question, entry.name)


def _telling(place: st.delta_generator.DeltaGenerator, text: str, name: str) -> Callable[[float], None]:
    """Return what shows the part that is done; to show anything is also where Streamlit ends a run that nobody wants any more."""
    begun, told = time.monotonic(), 0.0
    bars: list[st.delta_generator.DeltaGenerator] = []

    def tell(part: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < _TELL_S:
            return
        told = now
        said = tables.plain(f"Looking for the cheapest service of {name} ... {100 * part:.0f} %")
        if now - begun < _PATIENCE_S:
            place.empty()
        elif bars:
            bars[0].progress(part, said)
        else:
            with place.container(horizontal=True, vertical_alignment="center"):
                bars.append(st.progress(part, said))
                st.button(
                    "Stop",
                    key=f"compare.stop.{name}",
                    on_click=st.session_state[_STOPPED].add,
                    args=(text,),
                    type="tertiary",
                    icon=":material/stop_circle:",
                    help="Ends the search.",
                )

    return tell
