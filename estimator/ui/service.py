"""Finding the plan: the wait, and what is said when there is none."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError, NoFeasiblePlan
from estimator.planning.planner import Plan
from estimator.report.tables import rejections_table
from estimator.ui import cached, tables

#: Misses that are shown. [1]
NEAREST = 8


def show(question: cached.Question) -> Plan | None:
    """Find the plan, or say in a sentence why there is none.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    Plan or None
        None if there is none.
    """
    try:
        with st.spinner("Simulating every candidate ..."):
            return cached.plan(question)
    except NoFeasiblePlan as error:
        st.error(str(error), icon=":material/block:")
        if error.rejections:
            st.subheader("Nearest misses")
            tables.show(rejections_table(error.rejections[:NEAREST]))
    except EstimatorError as error:
        st.error(str(error), icon=":material/error:")
    return None
