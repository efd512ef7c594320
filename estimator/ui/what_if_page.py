"""The page on which one turns the knobs of the recommended plan by hand, and lets things happen to it."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.comparison import compare
from estimator.ui import (
    cached,
    compare_search,
    compare_store,
    controls,
    failure,
    tables,
    what_if_answer,
    what_if_form,
    what_if_situations,
)
from estimator.ui.what_if_knobs import hand_made, knobs_of


def show() -> None:
    """Show the page."""
    st.title("What if it were otherwise?")
    st.caption(
        "Turn a knob of the recommended plan: one service is simulated anew, and stands beside the recommendation."
    )

    try:
        with st.sidebar:
            question = controls.show("what-if")
        plan = compare_search.plan_of(question, "these settings")
    except EstimatorError as error:
        failure.show(error)
        return
    if plan is None:
        return

    st.markdown(tables.plain(f"Recommended: {plan}, in {plan.cost.region}."))
    # What moves stands above the knobs, so that it is in sight on a phone too.
    above = st.container()
    left, right = st.columns((1, 2), gap="medium")
    with left, st.container(border=True):
        changes = what_if_form.show(knobs_of(plan))
    try:
        mine = hand_made(question, plan, changes)
        found = compare(plan, cached.estimate(mine), what_if_answer.IN_WORDS)
    except EstimatorError as error:
        with above:
            failure.show(error)
        return
    with above:
        what_if_answer.show_figures(found, bool(changes))
    with right:
        what_if_answer.show_courses(found, bool(changes))
        st.header("What of the bill differs", anchor="lines")
        what_if_answer.show_lines(found)
        compare_store.keep_button(mine, is_service=True, key="keep.what_if")

    st.header("What if something happens", anchor="happens")
    recommended, by_hand = what_if_answer.TITLES
    services = {recommended: hand_made(question, plan, {})}
    what_if_situations.show(services | ({by_hand: mine} if changes else {}))
