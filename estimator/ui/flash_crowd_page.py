"""The page on which a flash crowd comes to a service, under four ways to scale."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.report import course_figures
from estimator.report.course_tables import replay_table
from estimator.simulation.replay import Replay
from estimator.ui import cached, controls, failure, figures, tables
from estimator.units import SECONDS_PER_MINUTE

#: What the columns of the table say.
COLUMNS = {
    "Scaling": "The way to scale; all have the same task size, minimum and target, and a maximum that does not hinder them.",
    "Refused %": "Requests that find no task to serve them, as a part of all from the begin of the crowd to its end.",
    "All served after": "From the begin of the crowd to the end of the last time over capacity (minutes:seconds).",
    "Scale-out after": "From the begin of the crowd to the first scale-out: metric, alarm, decision (minutes:seconds).",
    "New task after": "From the begin of the crowd to the first new task that is healthy: launch, image, start, health check "
    "(minutes:seconds).",
    "Tasks before": "Desired count before the crowd.",
    "Peak": "Largest desired count.",
    "Min over capacity": "Minutes whose load is more than the healthy tasks can serve.",
    "Extra task-h": "Task-hours that are billed above the count before the crowd, until the tail after it has gone.",
}


def show() -> None:
    """Show the page."""
    st.title("What if a flash crowd comes?")
    st.caption(
        "The load rises, stays and falls, as after a television spot. The same crowd comes to the same service under four usual ways "
        "to scale."
    )

    try:
        with st.sidebar:
            question = controls.show("flash-crowd")
        crowd = _crowd(question)
        with st.spinner(
            "Sending the crowd to four services; the first time on a machine takes some 10 seconds more ..."
        ):
            found = cached.replay(question, crowd)
    except EstimatorError as error:
        failure.show(error)
        return

    spec = found.simulation.specs[0]
    st.markdown(
        f"**{tables.plain(_summary(found))}** Each way has {spec.min_capacity} to {found.max_capacity} tasks of "
        f"{spec.task_size.vcpu:g} vCPU and {spec.task_size.memory_gb:g} GB."
    )
    for note in found.notes:
        st.caption(f":material/info: {tables.plain(note)}")
    figures.show(
        course_figures.replay(found),
        key="chart.replay",
        alt="Load of the crowd and what each way to scale can serve of it; below, what each has refused so far",
        name="flash-crowd",
    )
    table = replay_table(found)
    st.subheader(table.title)
    tables.show(table)
    with st.expander("What the columns say", icon=":material/help:"):
        st.markdown("\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items()))
    st.download_button(
        "Download the table",
        found.to_frame().to_csv(),
        "flash-crowd.csv",
        "text/csv",
        key="download.replay",
        on_click="ignore",
        icon=":material/download:",
        help="One row for each way to scale, with times in seconds.",
    )


def _crowd(question: cached.Question) -> cached.Crowd:
    """Show the controls of the crowd; the address carries them."""
    to_today = question.scenario.service is not None and controls.is_today(
        "Comes to", "crowd.service", "The service that the plan found, or the section `service` of the scenario."
    )
    with st.grid(4, min_column_width=150):
        factor = st.slider(
            "Rises to (× the load)",
            1.5,
            50.0,
            10.0,
            0.5,
            format="%g",
            key="factor",
            help="How many times the load that is there on average.",
            bind="query-params",
        )
        rise_min = _minutes("rise_min", "Rises within (min)", 60, 1, 1, "How long it rises; 0 is at once.")
        hold_min = _minutes("hold_min", "Stays for (min)", 240, 30, 5, "How long the crowd stays.")
        decay_min = _minutes("decay_min", "Falls within (min)", 240, 30, 5, "How long it takes to go.")
    in_s = (minutes * SECONDS_PER_MINUTE for minutes in (rise_min, hold_min, decay_min))
    return cached.Crowd(to_today, factor, *in_s)


def _minutes(key: str, label: str, most: int, usual: int, step: int, text: str) -> int:
    return int(st.slider(label, 0, most, usual, step, key=key, help=text, bind="query-params"))


def _summary(found: Replay) -> str:
    """Say which way comes through best, and which worst."""
    refused = found.to_frame()["refused_percent"]
    if refused.max() == 0:
        return "No way refuses a request."
    best, worst = refused.idxmin(), refused.idxmax()
    least, most = refused[best], refused[worst]
    if f"{least:.1f}" == f"{most:.1f}":
        return f"All four ways refuse {most:,.1f} % of the requests."
    return f"“{best}” refuses the least, {least:,.1f} % of the requests; “{worst}” the most, {most:,.1f} %."
