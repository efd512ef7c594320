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
    st.markdown(plan.lost_text)
    if plan.rejections:
        tables.show(rejections_table(shortlist(plan.rejections)), save="why-not-cheaper")
