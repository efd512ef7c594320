"""What moved the desired count over the period, in the words of the AWS console."""

from __future__ import annotations

import streamlit as st

from estimator.planning.result import Plan
from estimator.report.course_tables import activities_table
from estimator.ui import tables

#: Activities that the page lists; all are in the download. [1]
MOST = 100
_HEIGHT_PX = 420


def show(plan: Plan) -> None:
    """Show the scaling activities.

    Parameters
    ----------
    plan : Plan
        The plan.
    """
    count = len(plan.series.activities)
    if not count:
        st.caption("No scaling activity: the desired count stays as it is over the whole period.")
        return
    table = activities_table(plan, MOST)
    with st.expander(f"Scaling activities ({count:,})", icon=":material/swap_vert:", key="activities"):
        st.caption(f"{table.title}, as `describe-scaling-activities` and the console tell them.")
        tables.show(table, height="content" if len(table.rows) < 8 else _HEIGHT_PX)
        st.download_button(
            "Download the scaling activities",
            plan.series.activities_frame().to_csv(index=False),
            "scaling-activities.csv",
            "text/csv",
            key="download.activities",
            on_click="ignore",
            icon=":material/download:",
            help="All of them, with times in seconds from the start of the period.",
        )
