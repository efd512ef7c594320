"""Courses over one another: courses_figure(plans, titles), the same load under two services or in two situations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from estimator.planning.result import Plan
from estimator.report import happenings
from estimator.report.course_figures import _span, _ticks
from estimator.report.drawing import (
    BLUE,
    FULL,
    GRAY,
    GRAY_AREA,
    VERMILION,
    keep_extremes,
    line,
    over_period,
    rows_of,
    times,
)

#: Looks of the two, in their order: neither color nor dash alone tells them apart. The second lies above the first.
_LOOKS = ((BLUE, "solid"), (VERMILION, "2px,2px"))


def courses_figure(plans: Sequence[Plan], titles: Sequence[str]) -> go.Figure:
    """Draw the load, the tasks that serve it and the response times of two services, or of one in two situations.

    Parameters
    ----------
    plans : sequence of Plan
        One plan or two, for the same load; what happens beside the load of the last is marked.
    titles : sequence of str
        What to call them.

    Returns
    -------
    plotly.graph_objects.Figure
        Three rows with one x axis; minutes over capacity, whose response time has no bound, are marked at the top. [requests/s, tasks, ms, h]
    """
    first, last = plans[0], plans[-1]
    beside = happenings.kinds(happenings.happenings(last))
    rows, height = rows_of((110, 160, 170), entries=3, first=2 + len(beside))
    figure = make_subplots(**rows)
    series = first.series
    load = line(series.requests_per_s, series.step_s, "load", "%{y:,.1f} requests/s", color=GRAY, width=1.5)
    figure.add_trace(load.update(fill="tozeroy", fillcolor=GRAY_AREA), row=1, col=1)
    for plan, title, (color, dash) in zip(plans, titles, _LOOKS, strict=False):
        hover = f"%{{y:,.1f}} tasks, {title}"
        tasks, step_s = plan.series.running_count, plan.series.step_s
        figure.add_trace(line(tasks, step_s, title, hover, color=color, dash=dash, shape="hv"), row=2, col=1)
    _latency(figure, plans, titles)
    figure.update_yaxes(title_text="load<br>[requests/s]", rangemode="tozero", nticks=4, row=1, col=1)
    figure.update_yaxes(title_text="running tasks", rangemode="tozero", row=2, col=1)
    happenings.mark(figure, last)
    return over_period(figure, first.workload.load, height)


def _latency(figure: go.Figure, plans: Sequence[Plan], titles: Sequence[str]) -> None:
    """Draw the response times in the third row."""
    last = plans[-1]
    promised = last.promise.p95_latency_ms
    low, high = _span([*(plan.series.p95_latency_ms for plan in plans), np.array([promised or np.nan])])
    is_marked = False
    for plan, title, (color, dash) in zip(plans, titles, _LOOKS, strict=False):
        values, step_s = plan.series.p95_latency_ms, plan.series.step_s
        bounded = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        hover = f"p95 %{{y:,.4g}} ms, {title}"
        drawn = line(bounded, step_s, f"{title}, p95", hover, color=color, dash=dash)
        figure.add_trace(drawn.update(showlegend=False), row=3, col=1)
        over = np.flatnonzero(plan.series.utilization > FULL)
        if over.size:
            is_marked = True
            over = over[keep_extremes(plan.series.utilization[over])]
            marks = go.Scatter(
                x=times(over, step_s),
                y=np.full(over.size, high),
                name=f"over capacity, {title}",
                mode="markers",
                marker={"color": color, "symbol": "x" if plan is last else "circle-open", "size": 7},
                hovertemplate=f"over capacity, {title}<extra></extra>",
            )
            figure.add_trace(marks, row=3, col=1)
    if promised is not None:
        limit = go.Scatter(
            x=times([0, last.workload.load.period_s], 1),
            y=[promised, promised],
            name=f"promised {promised:,.4g} ms",
            mode="lines",
            line={"color": GRAY, "dash": "dash", "width": 1.5},
            hoverinfo="skip",
        )
        figure.add_trace(limit, row=3, col=1)
    ticks = _ticks(low, high)
    figure.update_yaxes(
        title_text="p95 response time<br>[ms]",
        type="log",
        range=[math.log10(low / 1.1), math.log10(high * (1.3 if is_marked else 1.0))],
        tickvals=ticks,
        ticktext=[f"{tick:,.12g}" for tick in ticks],
        row=3,
        col=1,
    )
