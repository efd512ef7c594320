"""Figures of a plan: pure functions Plan -> plotly Figure."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from estimator.billing.lcu import (
    DIMENSIONS,
    lcu_capacities,
)
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
    keep_extremes,
    line,
    over_period,
    paper,
    rows_of,
    times,
)
from estimator.service.policies import StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.units import SECONDS_PER_HOUR

#: How a capacity unit of each dimension is written.
_PER_LCU = ("{:,.4g}/s", "{:,.0f}", "{:,.3g} GB/h", "{:,.4g}/s")


def load_and_tasks(plan: Plan) -> go.Figure:
    """Draw the load and below it the tasks that follow it, over one period.

    Minutes over capacity are marked on the load. Tasks that are launched and do not run yet, and those that are removed and still
    billed, have a low row of their own, where there are any: they come and go within minutes. What happens beside the load, such as
    deployments, is marked in every row.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        Two or three rows with one x axis. [requests/s, tasks, h]
    """
    series = plan.series
    brief = bool(series.pending_count.any() or series.draining_count.any())
    beside = happenings.kinds(happenings.happenings(plan))
    rows, height = rows_of((165, 180, 70) if brief else (165, 180), first=2 + len(beside))
    figure = make_subplots(**rows)
    load = line(series.requests_per_s, series.step_s, "load", "%{y:,.1f} requests/s", color=BLUE)
    load.update(fill="tozeroy", fillcolor=BLUE_AREA)
    figure.add_trace(load, row=1, col=1)
    over = np.flatnonzero(series.utilization > FULL)
    if over.size:
        over = over[keep_extremes(series.requests_per_s[over])]
        marks = go.Scatter(
            x=times(over, series.step_s),
            y=series.requests_per_s[over],
            name="over capacity",
            mode="markers",
            marker={"color": VERMILION, "symbol": "x", "size": 8},
            hovertemplate="over capacity<extra></extra>",
        )
        figure.add_trace(marks, row=1, col=1)
    counts: list[tuple[int, str, NDArray[Any], str, dict[str, Any]]] = [
        (2, "running", series.running_count, "%{y:,.2f}", {"color": GREEN}),
        (2, "desired", series.desired_count, "%{y:,.0f}", {"color": PURPLE, "dash": "dot"}),
    ]
    if brief:
        counts += [
            (3, "pending", series.pending_count, "%{y:,.2f}", {"color": VERMILION}),
            (3, "draining", series.draining_count, "%{y:,.2f}", {"color": GRAY, "dash": "2px,2px"}),
        ]
    for row, name, values, number, look in counts:
        drawn = line(values, series.step_s, f"{name} tasks", f"{number} tasks {name}", shape="hv", **look)
        figure.add_trace(drawn, row=row, col=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title_text="load [requests/s]", row=1, col=1)
    figure.update_yaxes(title_text="tasks", row=2, col=1)
    if brief:
        figure.update_traces(fill="tozeroy", line_width=1.5, row=3, col=1)
        figure.update_yaxes(title_text="tasks", nticks=3, row=3, col=1)
    happenings.mark(figure, plan)
    return over_period(figure, plan.workload.load, height)


def utilization(plan: Plan) -> go.Figure:
    """Draw what scaling policies watch with their targets and thresholds, over one period.

    CPU always has a row; memory and requests per target have one where a policy watches them. Between the target and the threshold below
    which tasks are removed lies an area in which target tracking has no alarm.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    plotly.graph_objects.Figure
        The metric ``ECSServiceAverageCPUUtilization``, and below it the others. [%, requests/min, h]
    """
    watched = {policy.metric.kind for policy in plan.spec.watching}
    panels = [panel for panel in _PANELS if panel.kind == "cpu" or panel.kind in watched]
    traces = [[*_thresholds(plan, panel), _watched(plan, panel)] for panel in panels]
    beside = happenings.kinds(happenings.happenings(plan))
    rows, height = rows_of([230] * len(panels), max(map(len, traces)), first=len(traces[0]) + len(beside))
    figure = make_subplots(**rows)
    for row, panel in enumerate(panels, 1):
        for trace in traces[row - 1]:
            figure.add_trace(trace, row=row, col=1)
        bounds = {"range": [0, 105], "dtick": 20} if panel.is_percentage else {"rangemode": "tozero"}
        figure.update_yaxes(title_text=panel.title, **bounds, row=row, col=1)
    happenings.mark(figure, plan)
    return over_period(figure, plan.workload.load, height)


@dataclass(frozen=True)
class _Panel:
    """One row of `utilization`: a metric, how it is called and what the pointer shows."""

    kind: str
    title: str
    name: str
    hover: str
    is_percentage: bool = True


_PANELS = (
    _Panel("cpu", "CPU utilization [%]", "service average CPU", "%{y:.1f} % CPU"),
    _Panel("memory", "memory utilization [%]", "service average memory", "%{y:.1f} % memory"),
    _Panel("requests", "requests per target<br>[requests/min]", "requests per target", "%{y:,.1f} requests", False),
)


def _watched(plan: Plan, panel: _Panel) -> go.Scatter:
    """Draw the metric of a row; requests per target as the alarm's datapoints are, each at the begin of its minute."""
    series, step_s = plan.series, plan.series.step_s
    values = {"cpu": series.cpu_utilization_percent, "memory": series.memory_utilization_percent}.get(panel.kind)
    if values is None:
        watching = plan.spec.watching
        number = next(i for i, policy in enumerate(watching) if policy.metric.kind == panel.kind)
        step_s = watching[number].metric.period_s
        every = step_s // series.step_s
        values = series.datapoints[number, every - 1 :: every]
    return line(values, step_s, panel.name, panel.hover, color=BLUE)


def _thresholds(plan: Plan, panel: _Panel) -> list[go.Scatter]:
    """Draw what the alarms of a row compare with, and between target and lower threshold the area without an alarm."""
    found: list[go.Scatter] = []
    areas: list[go.Scatter] = []
    ends = times([0, plan.workload.load.period_s], 1)
    for policy in plan.spec.watching:
        if policy.metric.kind != panel.kind:
            continue
        for value, name, dash, color in _alarms(plan, policy):
            found.append(
                go.Scatter(
                    x=ends,
                    y=[value, value],
                    name=f"{name} {_plain(value)}{' %' if panel.is_percentage else ''}",
                    mode="lines",
                    line={"color": color, "dash": dash, "width": 1.5},
                    hoverinfo="skip",
                )
            )
        if isinstance(policy, TargetTrackingScalingPolicy) and not policy.disable_scale_in:
            low = _scale_in_below(plan, policy)
            areas.append(
                go.Scatter(
                    x=ends[[0, 1, 1, 0]],
                    y=[low, low, policy.target_value, policy.target_value],
                    name="no alarm",
                    mode="none",
                    fill="toself",
                    fillcolor=GRAY_AREA,
                    hoverinfo="skip",
                    showlegend=not areas,
                )
            )
    return [*areas, *found]


def _alarms(plan: Plan, policy: TargetTrackingScalingPolicy | StepScalingPolicy) -> list[tuple[float, str, str, str]]:
    """List what a policy's alarms look at: value, name, dash and color."""
    if isinstance(policy, StepScalingPolicy):
        return [(policy.threshold, "alarm from" if policy.is_upward else "alarm up to", "dashdot", VERMILION)]
    target = (policy.target_value, "target", "dash", VERMILION)
    if policy.disable_scale_in:
        return [target]
    return [target, (_scale_in_below(plan, policy), "scale in below", "dot", PURPLE)]


def _scale_in_below(plan: Plan, policy: TargetTrackingScalingPolicy) -> float:
    """Return the threshold of AlarmLow."""
    behavior = plan.behavior
    factor = behavior.alb_low_factor if policy.metric.kind == "requests" else behavior.low_factor
    return round(factor * policy.target_value, 6)


def _plain(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


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
    per_lcu = lcu_capacities(plan.workload)
    figure = go.Figure()
    n_hours = hours.consumed.size
    shown = keep_extremes(hours.consumed)
    figure.add_trace(
        go.Scatter(
            x=times(np.append(shown, n_hours), SECONDS_PER_HOUR),
            y=np.append(hours.consumed[shown], hours.consumed[-1]),
            name="billed: the largest of the four",
            mode="none",
            line={"shape": "hv"},
            fill="tozeroy",
            fillcolor=GRAY_AREA,
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
                x=times(np.append(index, n_hours), SECONDS_PER_HOUR),
                y=np.append(hours.dimensions[i][index], hours.dimensions[i][-1]),
                name=f"{name} ({_PER_LCU[i].format(per_lcu[i])} each)",
                mode="lines",
                line={"color": color, "dash": dash, "shape": "hv", "width": 3.5 if name == hours.leading else 1.5},
                hovertemplate=f"{name}: %{{y:,.2f}} LCU<extra></extra>",
            )
        )
    figure.update_yaxes(title_text="capacity units [LCU]", rangemode="tozero")
    return over_period(figure, plan.workload.load, 380)


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
    lines = sorted(plan.cost, key=lambda line: (line.effective_cost is None, -(line.effective_cost or 0.0)))
    costs = [line.effective_cost or 0.0 for line in lines]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=costs,
            y=["<br>".join(textwrap.wrap(line.title, 22)) for line in lines],
            text=["unknown" if line.effective_cost is None else f"${line.effective_cost:,.2f}" for line in lines],
            customdata=[line.formula for line in lines],
            textposition="outside",
            cliponaxis=False,
            marker={"color": BLUE},
            hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
        )
    )
    # Room for the longest label beyond the longest bar.
    figure.update_xaxes(
        title_text="USD/month",
        range=[0, max([*costs, 0.01]) * 1.3],
        tickprefix="$",
        tickformat=",~f",
        nticks=5,
        gridcolor=GRAY_AREA,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ")
    figure.update_layout(**paper(70 + 38 * len(lines)), bargap=0.35, showlegend=False)
    return figure
