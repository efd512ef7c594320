"""Why the cheaper candidates lost."""

from __future__ import annotations

import streamlit as st

from estimator.planning.result import Plan, shortlist
from estimator.report.tables import rejections_table
from estimator.ui import tables


def show(plan: Plan) -> None:
    """Show the candidates that were cheaper and broke a limit.

    Parameters
    ----------
    plan : Plan
        The plan.
    """
    cheaper = len({rejection.spec for rejection in plan.rejections})
    if not cheaper:
        st.markdown(f"None of {plan.considered:,} candidates was cheaper.")
        return
    st.markdown(f"{cheaper:,} of {plan.considered:,} candidates were cheaper and broke the promise, among them:")
    tables.show(rejections_table(shortlist(plan.rejections)))
