"""The page on which a plan is asked for, read and taken away."""

from __future__ import annotations

import time

import streamlit as st

from estimator.errors import EstimatorError
from estimator.ui import background, bill, candidates, charts, controls, failure, promise, search, take_away

_SEEN = "plan.seen"
#: What a browser takes to paint the figures of a plan. [s]
_PAINT_S = 0.5


def show() -> None:
    """Show the page."""
    with background.beside():
        _write()


def _write() -> None:
    st.title("What will it cost on Fargate?")
    st.caption(
        "Move a control: the cheapest service that keeps the promise is found anew, with its bill and its stack."
    )

    try:
        with st.sidebar:
            question = controls.show("plan")
        found = search.show(question)
    except EstimatorError as error:
        failure.show(error)
        return
    if found is None:
        return
    plan, today = found
    if not st.session_state.get(_SEEN):
        # The browser paints the answer before it is busy with the figures, which come all at once where the plan is known.
        time.sleep(_PAINT_S)
        st.session_state[_SEEN] = True

    st.header("The bill", anchor="bill")
    bill.show(question, plan)

    st.header("Over time", anchor="time")
    charts.show(plan, today)

    st.header("Why not another service", anchor="why")
    promise.show(plan)
    candidates.show(question, plan)

    st.header("Take it away", anchor="take")
    take_away.show(question, plan)
