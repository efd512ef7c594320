"""The page on which scenarios, regions and price lists stand side by side."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.ui import (
    compare_prices,
    compare_regions,
    compare_scenarios,
    compare_search,
    compare_store,
    controls,
    failure,
)
from estimator.ui.cached import Question
from estimator.ui.compare_store import CURRENT, CURRENT_NAME

SCENARIOS, REGIONS, PRICES = "Scenarios", "All regions", "An older price list"


def show() -> None:
    """Show the page."""
    st.title("What else could it be?")
    st.caption("Scenarios that you keep side by side; the same service in every region; and at older prices.")

    try:
        with st.sidebar:
            question = controls.show("compare")
        chosen = st.segmented_control(
            "Compare",
            (SCENARIOS, REGIONS, PRICES),
            required=True,
            default=SCENARIOS,
            key="compare.what",
            help="What stands side by side.",
            persist_state="session",
        )
        if chosen == SCENARIOS:
            compare_scenarios.show(question)
            return
        entry = _one(question)
        plan = compare_search.priced(entry)
        if plan is not None:
            (compare_regions if chosen == REGIONS else compare_prices).show(entry.question, plan)
    except EstimatorError as error:
        failure.show(error)


def _one(question: Question) -> compare_store.Kept:
    """Choose the service that is meant, where there is more than one."""
    entries = {CURRENT: compare_store.of(question, CURRENT_NAME), **compare_store.kept()}
    if len(entries) == 1:
        return entries[CURRENT]
    key = "compare.one"
    if st.session_state.get(key) not in entries:
        st.session_state[key] = CURRENT
    number = st.selectbox(
        "Service",
        list(entries),
        format_func=lambda number: entries[number].name if number in entries else "",
        key=key,
        help="The plan of this scenario, or one that you keep.",
        persist_state="session",
        width=320,
    )
    return entries[number]
