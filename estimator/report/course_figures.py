"""Figures of a course: response times, the queue, and the same flash crowd under several ways to scale."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from estimator.planning.result import Plan
from estimator.report import happenings
from estimator.report.drawing import (
    BLUE,
    BLUE_AREA,
    FULL,
    GRAY,
    GRAY_AREA,
    GREEN,
    PURPLE,
    VERMILION,
    dressed,
    keep_extremes,
    line,
    over_period,
    rows_of,
    times,
)
from estimator.simulation.replay import Replay
from estimator.simulation.result import Series
from estimator.units import SECONDS_PER_MINUTE

#: Looks of the ways of a replay, in their order: no two are alike in color or in dash.
_LOOKS = (
    (BLUE, "solid"),
    (VERMILION, "dash"),
    (GREEN, "dashdot"),
    (PURPLE, "dot"),
    (GRAY, "8px,2px"),
)
#: What a replay shows before the crowd, and at least after the last way serves all again. [min]
_BEFORE_MIN, _AFTER_MIN = 10, 10
#: So long after the crowd nobody looks for its requests any more. [min]
_LONG_AFTER_MIN = 60
#: Capacity is shown up to so many times the crowd. [1]
_MOST_CAPACITY = 2.5


def latency(plan: Plan) -> go.Figure:
    """Draw the response times that half, 95 and 99 of 100 requests of each step stay within, over one period.

    Times without bound, where tasks are over capacity, are marked at the top. Where requests can wait or are refused a second row says
    how many.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        One row or two with one x axis; times on a logarithmic axis. [ms, requests, h]
    """
    series = plan.series
    waits = plan.application.queue_per_task > 0 and plan.application.queue_timeout_s > 0
    has_queue = bool(waits or series.refused_requests.any())
    beside = happenings.kinds(happenings.happenings(plan))
    # Three lines, the promise and times without bound.
    rows, height = rows_of((230, 130) if has_queue else (230,), first=5 + len(beside))
    figure = make_subplots(**rows)
    percentiles = {
        "p50": (series.p50_latency_ms, GREEN, "dashdot", 1.5),
        "p95": (series.p95_latency_ms, BLUE, "solid", 2),
        "p99": (series.p99_latency_ms, PURPLE, "dot", 1.5),
    }
    for name, (values, color, dash, width) in percentiles.items():
        bounded = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        drawn = line(bounded, series.step_s, name, f"{name} %{{y:,.4g}} ms", color=color, dash=dash, width=width)
        figure.add_trace(drawn, row=1, col=1)
    promised = plan.promise.p95_latency_ms
    if promised is not None:
        limit = go.Scatter(
            x=times([0, plan.workload.load.period_s], 1),
            y=[promised, promised],
            name=f"promised {promised:,.4g} ms",
            mode="lines",
            line={"color": VERMILION, "dash": "dash", "width": 1.5},
            hoverinfo="skip",
        )
        figure.add_trace(limit, row=1, col=1)
    low, high = _span([*(values for values, *_ in percentiles.values()), np.array([promised or np.nan])])
    endless = np.flatnonzero(np.isinf(series.p99_latency_ms))
    if endless.size:
        endless = endless[keep_extremes(series.utilization[endless])]
        which = ["p50, p95 and p99", "p95 and p99", "p99"]
        worst = [
            0 if math.isinf(series.p50_latency_ms[k]) else 1 if math.isinf(series.p95_latency_ms[k]) else 2
            for k in endless
        ]
        marks = go.Scatter(
            x=times(endless, series.step_s),
            y=np.full(endless.size, high),
            customdata=[which[k] for k in worst],
            name="without bound",
            mode="markers",
            marker={"color": VERMILION, "symbol": "x", "size": 8},
            hovertemplate="%{customdata} without bound<extra></extra>",
        )
        figure.add_trace(marks, row=1, col=1)
    if has_queue:
        for trace in _queue(series, waits):
            figure.add_trace(trace, row=2, col=1)
        figure.update_yaxes(title_text="requests [1]", rangemode="tozero", row=2, col=1)
    ticks = _ticks(low, high)
    figure.update_yaxes(
        title_text="response time [ms]",
        type="log",
        range=[math.log10(low / 1.1), math.log10(high * 1.3)],
        tickvals=ticks,
        ticktext=[f"{tick:,.12g}" for tick in ticks],
        row=1,
        col=1,
    )
    happenings.mark(figure, plan)
    return over_period(figure, plan.workload.load, height)


def _queue(series: Series, waits: bool) -> Iterable[go.Scatter]:
    """Draw requests that wait, if they may, and those that are refused."""
    step = "minute" if series.step_s == SECONDS_PER_MINUTE else f"{series.step_s} seconds"
    if waits:
        waiting = line(series.queued_requests, series.step_s, "waiting", "%{y:,.0f} wait", color=BLUE)
        yield waiting.update(fill="tozeroy", fillcolor=BLUE_AREA)
    name = f"refused in {'a' if step == 'minute' else 'each'} {step}"
    yield line(series.refused_requests, series.step_s, name, f"%{{y:,.0f}} {name}", color=VERMILION)


def _span(several: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis for all that is bounded; its upper end is free for marks."""
    values = np.concatenate([np.asarray(each, dtype=np.float64) for each in several])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 1.0, 1000.0
    return float(values.min()) / 1.2, float(values.max()) * 1.5


def _ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten inside an axis; of a long axis the powers alone.

    Examples
    --------
    >>> _ticks(40, 700)
    [50.0, 100.0, 200.0, 500.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    parts = (1, 2, 5) if high / low < 2000 else (1,)
    return [tick for power in powers for part in parts if low <= (tick := float(f"{part}e{power}")) <= high]


def replay(found: Replay) -> go.Figure:
    """Draw a flash crowd with what each way to scale can serve of it, and below what each has refused so far.

    The figure ends soon after the last way serves all requests again. Capacity far beyond the crowd is cut off.

    Parameters
    ----------
    found : Replay
        The flash crowd.

    Returns
    -------
    plotly.graph_objects.Figure
        Two rows with one x axis in minutes from the crowd's begin. [requests/s, %, min]
    """
    rows, height = rows_of((260, 170), entries=1, first=1 + len(found.names))
    figure = make_subplots(**rows)
    courses = found.series
    load, step_s = courses[0].requests_per_s, courses[0].step_s
    begin, end = found.start_s // step_s, math.ceil(found.end_s / step_s)
    shown = _shown(found)
    minutes = (np.arange(load.size) * step_s - found.start_s) / SECONDS_PER_MINUTE

    def curve(x: NDArray[np.float64], y: NDArray[np.float64], hover: str, **look: Any) -> go.Scatter:
        index = shown.start + keep_extremes(y[shown])
        return go.Scatter(x=x[index], y=y[index], mode="lines", hovertemplate=f"{hover}<extra></extra>", **look)

    edge = {"color": BLUE, "shape": "hv", "width": 0.7}
    area = {"name": "load", "line": edge, "fill": "tozeroy", "fillcolor": BLUE_AREA}
    figure.add_trace(curve(minutes, load, "%{y:,.0f} requests/s arrive", **area), row=1, col=1)
    most = float(load.max())
    for number, (name, series) in enumerate(zip(found.names, courses, strict=True)):
        color, dash = _LOOKS[number % len(_LOOKS)]
        way = {"name": name, "legendgroup": name}
        line_ = {"color": color, "dash": dash, "width": 2}
        capacity = series.healthy_count * _task_requests_per_s(series)
        most = max(most, float(capacity[shown].max()))
        hover = f"{name}: serves %{{y:,.0f}} requests/s"
        figure.add_trace(curve(minutes, capacity, hover, line=line_ | {"shape": "hv"}, **way), row=1, col=1)
        refused = np.where(minutes >= 0, series.refused_requests, 0.0).cumsum()
        percent = 100 * refused / (series.requests_per_s[begin:end].sum() * step_s)
        # What a step refuses is refused at its end.
        ends = minutes + step_s / SECONDS_PER_MINUTE
        lost = curve(ends, percent, f"{name}: %{{y:,.1f}} % refused", line=line_, showlegend=False, **way)
        figure.add_trace(lost, row=2, col=1)
    crowd_min = (found.end_s - found.start_s) / SECONDS_PER_MINUTE
    figure.add_vrect(0, crowd_min, row="all", col=1, fillcolor=GRAY_AREA, opacity=0.4, line_width=0, layer="below")
    figure.add_annotation(x=0, xanchor="left", y=1, yref="y domain", yanchor="top", text="crowd", showarrow=False)
    figure.update_xaxes(
        range=[minutes[shown.start], minutes[shown.stop - 1] + step_s / SECONDS_PER_MINUTE],
        unifiedhovertitle_text="minute %{x:.1f}",
        nticks=9,
    )
    top = min(most, _MOST_CAPACITY * float(load.max()))
    figure.update_yaxes(title_text="load and capacity<br>[requests/s]", range=[0, 1.05 * top], row=1, col=1)
    figure.update_yaxes(title_text="refused so far<br>[% of the crowd]", rangemode="tozero", row=2, col=1)
    return dressed(figure, "from the begin of the crowd [min]", height)


def _shown(found: Replay) -> slice:
    """Choose the steps that are shown."""
    step_s = found.series[0].step_s
    begin, end = found.start_s // step_s, math.ceil(found.end_s / step_s)
    over = [np.flatnonzero(series.utilization[begin:] > FULL) for series in found.series]
    again = max((int(steps[-1]) + 1 for steps in over if steps.size), default=end - begin)
    tail = max(_AFTER_MIN * SECONDS_PER_MINUTE // step_s, again // 4)
    latest = end + _LONG_AFTER_MIN * SECONDS_PER_MINUTE // step_s
    first = max(0, begin - _BEFORE_MIN * SECONDS_PER_MINUTE // step_s)
    return slice(first, min(begin + again + tail, latest, found.series[0].requests_per_s.size))


def _task_requests_per_s(series: Series) -> float:
    """Return what one healthy task serves, from a step's utilization: what is offered over what can be served. [requests/s]"""
    queued = np.concatenate([[0.0], series.queued_requests[:-1]])
    offered_per_s = series.requests_per_s + queued / series.step_s
    # Before the first step nobody knows the queue.
    known = np.isfinite(series.utilization) & (series.utilization > 0) & (np.arange(queued.size) > 0)
    k = int(np.argmax(known))
    return float(offered_per_s[k] / (series.utilization[k] * series.healthy_count[k]))


def standalone_html(figure: go.Figure, title: str) -> str:
    """Write a figure as a page that needs nothing else, not even a network.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure.
    title : str
        Title of the page.

    Returns
    -------
    str
        HTML with plotly's script in it.
    """
    import html

    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, div_id="figure", config={"displaylogo": False, "responsive": True}
    )
    said = html.escape(title)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said}</title>
<style>body {{ font-family: system-ui, sans-serif; background: #fff; color: #1b2733; max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.1rem }}</style>
</head>
<body>
<h1>{said}</h1>
{drawn}
</body>
</html>
"""
