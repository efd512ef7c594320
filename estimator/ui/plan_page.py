"""The page on which a plan is asked for, read and taken away."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.ui import background, bill, candidates, charts, controls, failure, promise, search, take_away


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

    st.header("The bill", anchor="bill")
    bill.show(question, plan)

    st.header("Over time", anchor="time")
    charts.show(plan, today)

    st.header("Why not another service", anchor="why")
    promise.show(plan)
    candidates.show(question, plan)

    st.header("Take it away", anchor="take")
    take_away.show(question, plan)
