"""Figures of a plan: pure functions Plan -> plotly Figure.

Notes
-----
Backgrounds are transparent and text has no color of its own, so that a figure takes the look of the page it stands on, light or dark. The
colors are those of Okabe and Ito that have a contrast of at least 3:1 with white and with black; what a color says is said by a dash or
a name too. No maps: plotly fetches their outlines from the network.
"""

from __future__ import annotations

import math
import textwrap
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from estimator.billing.lcu import (
    ACTIVE_CONNECTIONS_PER_LCU,
    DIMENSIONS,
    NEW_CONNECTIONS_PER_S_PER_LCU,
    PROCESSED_GB_PER_H_PER_LCU,
    RULE_EVALUATIONS_PER_S_PER_LCU,
)
from estimator.planning.result import Plan
from estimator.units import SECONDS_PER_HOUR

#: Okabe and Ito, "Color Universal Design", 2008.
BLUE, GREEN, VERMILION, PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
GRAY = "#8A8A8A"
#: Most points of a line; a screen shows no more. [points]
MAX_POINTS = 2000
#: A step is over capacity above this utilization (rule 10 of ``docs/simulation.md``). [1]
FULL = 1 + 1e-9

#: Where the period is laid in the calendar: a Monday and the first day of a year.
START = np.datetime64("2024-01-01T00:00:00", "s")

_PER_LCU = (
    f"{NEW_CONNECTIONS_PER_S_PER_LCU:g}/s",
    f"{ACTIVE_CONNECTIONS_PER_LCU:,.0f}",
    f"{PROCESSED_GB_PER_H_PER_LCU:g} GB/h",
    f"{RULE_EVALUATIONS_PER_S_PER_LCU:,.0f}/s",
)
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def load_and_tasks(plan: Plan) -> go.Figure:
    """Draw the load and below it the tasks that follow it, over one period.

    Minutes over capacity are marked on the load.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        Two rows with one x axis. [requests/s, tasks, h]
    """
    series = plan.series
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    load = _line(plan, series.requests_per_s, "load", "%{y:,.1f} requests/s", color=BLUE)
    load.update(fill="tozeroy", fillcolor="rgba(0, 114, 178, 0.15)")
    figure.add_trace(load, row=1, col=1)
    over = np.flatnonzero(series.utilization > FULL)
    if over.size:
        over = over[keep_extremes(series.requests_per_s[over])]
        marks = go.Scatter(
            x=_times(over, series.step_s),
            y=series.requests_per_s[over],
            name="over capacity",
            mode="markers",
            marker={"color": VERMILION, "symbol": "x", "size": 8},
            hovertemplate="over capacity<extra></extra>",
        )
        figure.add_trace(marks, row=1, col=1)
    desired = _line(
        plan, series.desired_count, "desired tasks", "%{y:,.0f} tasks desired", color=PURPLE, dash="dot", shape="hv"
    )
    running = _line(plan, series.running_count, "running tasks", "%{y:,.2f} tasks running", color=GREEN, shape="hv")
    figure.add_trace(running, row=2, col=1)
    figure.add_trace(desired, row=2, col=1)
    figure.update_yaxes(title_text="load [requests/s]", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="tasks", rangemode="tozero", row=2, col=1)
    return _dressed(figure, plan, height=460)


def utilization(plan: Plan) -> go.Figure:
    """Draw the CPU metric with the target and the threshold below which tasks are removed, over one period.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        The metric ``ECSServiceAverageCPUUtilization``. [%, h]
    """
    target = plan.spec.scaling.target_value
    low = round(plan.behavior.low_factor * target, 6)
    figure = go.Figure(
        _line(plan, plan.series.cpu_utilization_percent, "service average CPU", "%{y:.1f} % CPU", color=BLUE),
    )
    ends = _times(np.array([0, plan.workload.load.period_s]), 1)
    for value, name, dash, color in ((target, "target", "dash", VERMILION), (low, "scale in below", "dot", PURPLE)):
        figure.add_trace(
            go.Scatter(
                x=ends,
                y=[value, value],
                name=f"{name} {value:g} %",
                mode="lines",
                line={"color": color, "dash": dash, "width": 1.5},
                hoverinfo="skip",
            )
        )
    figure.update_yaxes(title_text="CPU utilization [%]", range=[0, 105], dtick=20)
    return _dressed(figure, plan, height=320)


def lcu(plan: Plan) -> go.Figure:
    """Draw the four dimensions of load balancer capacity units, hour by hour; the area is what is billed.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        The dimension that leads in most hours stands first and has the thick line. [LCU, h]
    """
    hours = plan.lcu
    figure = go.Figure()
    edges = np.arange(hours.consumed.size + 1)
    billed = np.append(hours.consumed, hours.consumed[-1])
    figure.add_trace(
        go.Scatter(
            x=_times(edges, SECONDS_PER_HOUR),
            y=billed,
            name="billed: the largest of the four",
            mode="none",
            line={"shape": "hv"},
            fill="tozeroy",
            fillcolor="rgba(138, 138, 138, 0.25)",
            hoverinfo="skip",
        )
    )
    looks = dict(
        zip(DIMENSIONS, ((VERMILION, "dash"), (PURPLE, "dot"), (BLUE, "solid"), (GREEN, "dashdot")), strict=True)
    )
    for i in sorted(range(len(DIMENSIONS)), key=lambda i: DIMENSIONS[i] != hours.leading):
        name = DIMENSIONS[i]
        color, dash = looks[name]
        index = keep_extremes(hours.dimensions[i])
        figure.add_trace(
            go.Scatter(
                x=_times(np.append(index, edges[-1]), SECONDS_PER_HOUR),
                y=np.append(hours.dimensions[i][index], hours.dimensions[i][-1]),
                name=f"{name} ({_PER_LCU[i]} each)",
                mode="lines",
                line={"color": color, "dash": dash, "shape": "hv", "width": 3.5 if name == hours.leading else 1.5},
                hovertemplate=f"{name}: %{{y:,.2f}} LCU<extra></extra>",
            )
        )
    figure.update_yaxes(title_text="capacity units [LCU]", rangemode="tozero")
    return _dressed(figure, plan, height=380)


def bill(plan: Plan) -> go.Figure:
    """Draw the lines of the month's bill, the largest on top; a line without a known rate says so.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each line. [USD/month]
    """
    lines = sorted(plan.cost, key=lambda line: (line.contracted_cost is None, -(line.contracted_cost or 0.0)))
    costs = [line.contracted_cost or 0.0 for line in lines]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=costs,
            y=["<br>".join(textwrap.wrap(line.title, 22)) for line in lines],
            text=["unknown" if line.contracted_cost is None else f"${line.contracted_cost:,.2f}" for line in lines],
            customdata=[line.formula for line in lines],
            textposition="outside",
            cliponaxis=False,
            marker={"color": BLUE},
            hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
        )
    )
    # Room for the longest label beyond the longest bar.
    figure.update_xaxes(
        title_text="USD/month", range=[0, max([*costs, 0.01]) * 1.3], tickprefix="$", tickformat=",~f", nticks=5
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ")
    figure.update_layout(**_paper(70 + 38 * len(lines)), bargap=0.35, showlegend=False)
    return figure


def keep_extremes(values: ArrayLike, most: int = MAX_POINTS) -> NDArray[np.int64]:
    """Choose the points of a long series that keep its look: the smallest and the largest of each stretch.

    Parameters
    ----------
    values : array_like, shape (n,)
        The series; what is not a number counts as neither.
    most : int
        Most points. [points]

    Returns
    -------
    numpy.ndarray, shape (at most ``most``,)
        Positions in rising order, the first and the last among them; all of a short series.

    Examples
    --------
    >>> keep_extremes([0, 1, 9, 1, 0, -5, 0, 0], most=6).tolist()
    [0, 2, 4, 5, 7]
    """
    series = np.asarray(values, dtype=np.float64)
    if series.size <= most:
        return np.arange(series.size, dtype=np.int64)
    edges = np.linspace(0, series.size, max(1, (most - 2) // 2) + 1).astype(np.int64)
    low, high = np.where(np.isnan(series), np.inf, series), np.where(np.isnan(series), -np.inf, series)
    picked = {0, series.size - 1}
    for start, stop in pairwise(edges.tolist()):
        picked.add(start + int(low[start:stop].argmin()))
        picked.add(start + int(high[start:stop].argmax()))
    return np.array(sorted(picked), dtype=np.int64)


def _line(
    plan: Plan,
    values: NDArray[np.float64] | NDArray[np.int64],
    name: str,
    hover: str,
    *,
    color: str,
    dash: str = "solid",
    shape: str = "linear",
) -> go.Scatter:
    """One series over the period."""
    index = keep_extremes(values)
    return go.Scatter(
        x=_times(index, plan.series.step_s),
        y=values[index],
        name=name,
        mode="lines",
        line={"color": color, "dash": dash, "shape": shape, "width": 2},
        hovertemplate=hover + "<extra></extra>",
    )


def _times(index: NDArray[np.int64], step_s: int) -> NDArray[np.datetime64]:
    """Return the starts of steps, counted from a Monday that is a 1 January."""
    return np.asarray(START + index * np.timedelta64(step_s, "s"))


def _paper(height: int) -> dict[str, object]:
    """Return what all figures share."""
    clear = "rgba(0, 0, 0, 0)"
    return {
        "height": height,
        "margin": {"l": 10, "r": 16, "t": 10, "b": 10},
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
    }


def _dressed(figure: go.Figure, plan: Plan, height: int) -> go.Figure:
    """Give a figure over time its axis, its legend and its paper."""
    load = plan.workload.load
    days = load.period_hours / 24
    if days <= 1:
        marks = np.arange(0, load.period_hours + 1e-9, 3 if load.period_hours > 8 else 1)
        names = [f"{mark:02.0f}" for mark in marks]
        title, moment = "hour of the day [h]", "%{x|%H:%M}"
    else:
        marks = np.arange(0, days, max(1, math.ceil(days / 10))) * 24
        # Only a made week is known to begin on a Monday.
        made = load.name == "weekly"
        names = [_WEEK[int(mark) // 24] if made else f"{mark / 24 + 1:.0f}" for mark in marks]
        title, moment = ("day of the week", "%{x|%a %H:%M}") if made else ("day of the period", "day %{x|%-j, %H:%M}")
    figure.update_xaxes(
        type="date",
        range=_times(np.array([0, load.period_s]), 1),
        tickvals=_times(np.round(marks * SECONDS_PER_HOUR).astype(np.int64), 1),
        ticktext=names,
        unifiedhovertitle_text=moment,
        showgrid=True,
        zeroline=False,
        automargin=True,
        spikecolor=GRAY,
        spikethickness=1,
    )
    # Only the lowest row of a shared axis has a title.
    figure.update_xaxes(title_text=title, selector=lambda axis: axis.showticklabels is not False)
    figure.update_yaxes(automargin=True, zeroline=False)
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "title_text": ""}
    figure.update_layout(**_paper(height), legend=legend, hovermode="x unified")
    return figure
