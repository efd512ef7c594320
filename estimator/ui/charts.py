"""The plan over one period of its load: tasks, CPU and load balancer capacity units."""

from __future__ import annotations

import streamlit as st

from estimator.planning.result import Plan
from estimator.report import figures

_CONFIG = {"displayModeBar": False}


def show(plan: Plan) -> None:
    """Show the figures.

    Parameters
    ----------
    plan : Plan
        The plan.
    """
    st.subheader("Load and tasks")
    st.plotly_chart(
        figures.load_and_tasks(plan), key="chart.load", config=_CONFIG, alt="Load, and running and desired tasks"
    )
    st.subheader("CPU utilization")
    st.plotly_chart(
        figures.utilization(plan),
        key="chart.cpu",
        config=_CONFIG,
        alt="CPU metric, its target and the scale-in threshold",
    )
    st.subheader("Load balancer capacity units")
    st.caption(f"Each hour bills the largest of four dimensions; here most hours are led by {plan.lcu.leading}.")
    st.plotly_chart(
        figures.lcu(plan), key="chart.lcu", config=_CONFIG, alt="The four dimensions of capacity units hour by hour"
    )
