"""The plan over one period of its load: tasks, what its policies watch, response times, load balancer capacity units, scaling activities."""

from __future__ import annotations

import streamlit as st

from estimator.planning.result import Plan
from estimator.report import course_figures, figures
from estimator.ui import activities

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
    st.subheader("Utilization")
    st.plotly_chart(
        figures.utilization(plan),
        key="chart.cpu",
        config=_CONFIG,
        alt="What the scaling policies watch, with targets and thresholds",
    )
    st.subheader("Response time")
    if plan.promise.p95_latency_ms is not None:
        st.caption(_over_promise(plan.promise.p95_latency_ms, plan.figures["minutes_over_promise_per_month"]))
    st.plotly_chart(
        course_figures.latency(plan),
        key="chart.latency",
        config=_CONFIG,
        alt="Response times that half, 95 and 99 of 100 requests stay within",
    )
    st.subheader("Load balancer capacity units")
    st.caption(f"Each hour bills the largest of four dimensions; here most hours are led by {plan.lcu.leading}.")
    st.plotly_chart(
        figures.lcu(plan), key="chart.lcu", config=_CONFIG, alt="The four dimensions of capacity units hour by hour"
    )
    activities.show(plan)


def _over_promise(limit_ms: float, minutes: float) -> str:
    """Say how long the promise of the whole period does not hold minute by minute."""
    held = "in every minute too" if minutes == 0 else f"minute by minute in all but {minutes:,.1f} minutes of a month"
    return f"Over the whole period 95 of 100 requests are promised within {limit_ms:,.4g} ms; that holds {held}."
