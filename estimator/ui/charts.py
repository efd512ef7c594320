"""The plan or what runs today over one period of the load: tasks, what its policies watch, response times, load balancer capacity units, scaling activities."""

from __future__ import annotations

from typing import Any

import streamlit as st

from estimator.planning.result import Plan
from estimator.report import course_figures, plan_figures
from estimator.report import figures as report_figures
from estimator.ui import activities, controls, figures

_FIGURES = {
    "load-and-tasks": plan_figures.load_and_promise,
    "utilization": report_figures.utilization,
    "response-time": course_figures.latency,
    "capacity-units": plan_figures.leading_dimension,
}


def show(plan: Plan, today: Plan | None = None) -> None:
    """Show the figures.

    Parameters
    ----------
    plan : Plan
        The plan.
    today : Plan, optional
        What runs today, to be shown in its place if one asks for it.
    """
    if today is not None and controls.is_today(
        "Course of", "course.service", "The service that the plan found, or the section `service` of the scenario."
    ):
        plan = today
    st.subheader("Load and tasks")
    _show(
        "load-and-tasks",
        plan,
        "chart.load",
        "Load, with the times that break the promise, and running and desired tasks",
    )
    if plan.operations.spot_shortages and not plan.spec.capacity_provider_strategy.uses_spot:
        st.caption("A shortage of Fargate Spot does not touch this service: all its tasks run on Fargate On-Demand.")
    st.subheader("Utilization")
    _show("utilization", plan, "chart.cpu", "What the scaling policies watch, with targets and thresholds")
    st.subheader("Response time")
    if plan.promise.p95_latency_ms is not None:
        st.caption(_over_promise(plan.promise.p95_latency_ms, plan.figures["minutes_over_promise_per_month"]))
    _show("response-time", plan, "chart.latency", "Response times that half, 95 and 99 of 100 requests stay within")
    st.subheader("Load balancer capacity units")
    led = f"here most hours are led by {plan.lcu.leading}" if plan.lcu.total else "here nothing is consumed"
    st.caption(f"Each hour bills the largest of four dimensions; {led}.")
    _show(
        "capacity-units", plan, "chart.lcu", "The four dimensions of capacity units, and which one leads in each hour"
    )
    activities.show(plan)


def _over_promise(limit_ms: float, minutes: float) -> str:
    """Say how long the promise of the whole period does not hold minute by minute."""
    held = "in every minute too" if minutes == 0 else f"minute by minute in all but {minutes:,.1f} minutes of a month"
    return f"Over the whole period 95 of 100 requests are promised within {limit_ms:,.4g} ms; that holds {held}."


def _show(name: str, plan: Plan, key: str, alt: str) -> None:
    figures.show(_drawn(name, plan), key=key, alt=alt, name=name)


def _drawn(name: str, plan: Plan) -> Any:
    """Draw a figure, or take that of the same plan from before: most moves of a control leave it as it is."""
    return _figure(name, plan.fingerprint(), repr(plan.promise), plan)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(name: str, fingerprint: str, promise: str, _plan: Plan) -> Any:
    return _FIGURES[name](_plan)
