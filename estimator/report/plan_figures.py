"""Figures of the page of a plan: where its promise does not hold, and which dimension of the load balancer leads."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from estimator.billing.lcu import DIMENSIONS
from estimator.planning.frontier import Candidate, Explored
from estimator.planning.result import Plan
from estimator.report import figures
from estimator.report.drawing import BLUE, GREEN, PURPLE, VERMILION, keep_extremes, over_period, rows_of, times
from estimator.units import SECONDS_PER_HOUR

#: The same colors as in the figure of the four dimensions.
_LOOKS = dict(zip(DIMENSIONS, (VERMILION, PURPLE, BLUE, GREEN), strict=True))


def load_and_promise(plan: Plan) -> go.Figure:
    """Draw the load and the tasks that follow it, with the steps marked in which the promised p95 latency does not hold.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        As `figures.load_and_tasks`, which marks what is over capacity; besides, what is within it and slower than promised.
        [requests/s, tasks, h]
    """
    figure = figures.load_and_tasks(plan)
    series, limit = plan.series, plan.promise.p95_latency_ms
    if limit is None:
        return figure
    slow = np.flatnonzero((series.p95_latency_ms > limit) & np.isfinite(series.p95_latency_ms))
    if slow.size:
        slow = slow[keep_extremes(series.requests_per_s[slow])]
        figure.add_trace(
            go.Scatter(
                x=times(slow, series.step_s),
                y=series.requests_per_s[slow],
                customdata=series.p95_latency_ms[slow],
                name=f"p95 over {limit:,.4g} ms",
                mode="markers",
                marker={"color": PURPLE, "symbol": "triangle-up", "size": 8},
                hovertemplate="p95 %{customdata:,.4g} ms<extra></extra>",
                legend="legend",
            ),
            row=1,
            col=1,
        )
    return figure


def leading_dimension(plan: Plan) -> go.Figure:
    """Draw the capacity units of the load balancer hour by hour, and below them which of the four dimensions leads.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        The four dimensions above, the leading one of each hour below. [LCU, h]
    """
    hours = plan.lcu
    above = figures.lcu(plan)
    rows, height = rows_of((250, 26 * len(DIMENSIONS)), entries=0, first=len(above.data))
    figure = make_subplots(**rows)
    for trace in above.data:
        figure.add_trace(trace, row=1, col=1)
    for name in reversed(DIMENSIONS):
        x, y = _runs(hours.leading_by_hour == name, name)
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines",
                line={"color": _LOOKS[name], "width": 9},
                showlegend=False,
                hovertemplate=f"{name} leads<extra></extra>",
            ),
            row=2,
            col=1,
        )
    figure.update_yaxes(title_text="capacity units [LCU]", rangemode="tozero", row=1, col=1)
    over_period(figure, plan.workload.load, height)
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=list(reversed(DIMENSIONS)),
        range=[-0.6, len(DIMENSIONS) - 0.4],
        title_text="leads",
        row=2,
        col=1,
    )
    return figure


def _runs(leads: Any, name: str) -> tuple[list[Any], list[str | None]]:
    """Return the stretches of hours in which a dimension leads, as one line with gaps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], leads, [False]]).astype(np.int8)))
    begins, ends = (times(edges[place::2], SECONDS_PER_HOUR) for place in (0, 1))
    x: list[Any] = [None]
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        x += [begin, end, None]
    return x, [None if moment is None else name for moment in x] if len(x) > 1 else [name]


def candidate_at(explored: Explored, point: Mapping[str, Any]) -> Candidate | None:
    """Find the candidate of a dot of `front_figure`.

    Parameters
    ----------
    explored : Explored
        The candidates of the figure.
    point : mapping
        A dot: its bill ``x`` and its text ``customdata``.

    Returns
    -------
    Candidate or None
        The candidate; None if the dot is none, such as what runs today.
    """
    said = str(point.get("customdata"))
    # Of the same bill there may be several.
    for place in np.flatnonzero(explored.usd_per_month == point.get("x")).tolist():
        if f"<b>{html.escape(explored.specs[place].describe())}</b>" in said:
            return explored[place]
    return None
