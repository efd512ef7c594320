"""The search for the plan: at once what the service from before costs now, then how far the search is, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.result import Plan
from estimator.ui import background, bill_range, cached, candidates, summary, tables

#: A search that takes less shows no bar, which would only flash. [s]
_PATIENCE_S = 0.6
#: How long the settings must stay the same before it begins. [s]
_PAUSE_S = 0.15
#: How often it is told. [s]
_TELL_S = 0.1
_LOOKING = "Looking for the cheapest service that keeps the promise ..."
_STOPPED, _BEFORE = "search.stopped", "search.before"


def show(question: cached.Question) -> tuple[Plan, Plan | None] | None:
    """Show the plan's summary, and until it is found what is known meanwhile.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    tuple of (Plan, Plan or None) or None
        The plan and what runs today, as `summary.show` gives it; None if the search was stopped.

    Raises
    ------
    EstimatorError
        If there is no plan.
    """
    state, place = st.session_state, st.empty()
    if not cached.is_planned(question):
        stopped = state.get(_STOPPED) == question.text
        background.leave(bill_range.KIND, candidates.KIND)
        with place.container():
            above = st.container()
            _meanwhile(question)
        if stopped:
            with above:
                _stopped()
            return None
        with above:
            spinner, bar = st.container(), st.empty()
        # A slider that is on its way begins no search: its next value ends this run where something is shown.
        time.sleep(_PAUSE_S)
        with _ending(place), spinner, st.spinner(_LOOKING):
            plan = cached.plan(question, _telling(bar, question.text))
        bar.empty()
    else:
        plan = cached.plan(question)
    state[_BEFORE] = plan.spec
    state.pop(_STOPPED, None)
    with place.container():
        # As above the figures that were shown meanwhile: the browser keeps what is no longer written until the page is done.
        st.container()
        return plan, summary.show(question, plan)


@contextmanager
def _ending(place: st.delta_generator.DeltaGenerator) -> Iterator[None]:
    """Take away what was shown meanwhile if there is no plan: what then follows says why."""
    try:
        yield
    except EstimatorError:
        place.empty()
        raise


def _telling(bar: st.delta_generator.DeltaGenerator, text: str) -> Callable[[float], None]:
    """Return what shows the part that is done. To show anything is also where Streamlit ends a run whose answer nobody wants any more."""
    begun, shown = time.monotonic(), [0.0]
    parts: list[st.delta_generator.DeltaGenerator] = []

    def tell(part: float) -> None:
        now = time.monotonic()
        if now - shown[0] < _TELL_S:
            return
        shown[0] = now
        if now - begun < _PATIENCE_S:
            bar.empty()
            return
        if parts:
            parts[0].progress(part)
            return
        with bar.container(horizontal=True, vertical_alignment="center"):
            parts.append(st.progress(part))
            st.button(
                "Stop",
                key="search.stop",
                on_click=st.session_state.__setitem__,
                args=(_STOPPED, text),
                icon=":material/stop_circle:",
                type="tertiary",
            )

    return tell


def _meanwhile(question: cached.Question) -> None:
    """Show what the service from before costs now, which is known at once."""
    before = st.session_state.get(_BEFORE)
    if before is None:
        return
    try:
        priced = cached.plan_of(question, before)
    except EstimatorError:
        # It does not go with the new values; the search says more.
        return
    st.markdown(f"The service from before, under these settings: {tables.plain(before.describe())}.")
    summary.figures(priced, None)


def _stopped() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("The search was stopped; these settings have no plan yet.", width="content")
        st.button(
            "Search again",
            key="search.again",
            on_click=st.session_state.pop,
            args=(_STOPPED, None),
            icon=":material/play_arrow:",
        )
