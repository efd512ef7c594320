"""What happens beside the load, on the figures of a course: deployments, the loss of a zone, times without Fargate Spot.

Notes
-----
All happenings of one kind are one shape in each row, so that a month of deployments every five minutes costs a browser no more than one
deployment. Their names stand in the legend, where they cannot pile up as labels beside the lines would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from estimator.planning.result import Plan
from estimator.report.drawing import GRAY, PURPLE_AREA, VERMILION, times
from estimator.simulation.occasions import shortage_times, step_of_hour, steps_at

#: More of a kind are short ticks at the foot of a row: lines over all of it would be a wall before the curves. [1]
MOST_LINES = 40
#: Height of such a tick. [parts of a row]
_TICK = 0.07
#: Most shapes of a kind; no screen shows more apart. [1]
_MOST_TICKS = 1000


@dataclass(frozen=True)
class Happening:
    """What happens once, or over a time, as a figure shows it.

    Parameters
    ----------
    kind : str
        What it is called in the legend.
    begin_s, end_s : int
        From the start of the period; both are the same of a moment. [s]
    """

    kind: str
    begin_s: int
    end_s: int


DEPLOYMENT, ZONE_LOSS, SHORTAGE = "deployment", "zone loss", "no Fargate Spot"
_PLURALS = {DEPLOYMENT: "deployments", ZONE_LOSS: "zone losses"}
_LINES: dict[str, dict[str, Any]] = {
    DEPLOYMENT: {"color": GRAY, "dash": "dash", "width": 1},
    ZONE_LOSS: {"color": VERMILION, "dash": "dot", "width": 1.5},
}


def happenings(plan: Plan) -> tuple[Happening, ...]:
    """List what happens beside the load in one period, at the moments that the simulation takes.

    Parameters
    ----------
    plan : Plan
        The service and its course.

    Returns
    -------
    tuple of Happening
        Deployments as they are due, one that is let pass among them, then losses of a zone and shortages; each in the order of time.
    """
    operations, load, step_s = plan.operations, plan.workload.load, plan.series.step_s
    n_steps = load.period_s // step_s
    due = {
        step
        for expression in operations.deployment_schedules
        for step in steps_at(expression, operations.timezone, load, step_s, 0)
        if 0 <= step < n_steps
    }
    lost = {step_of_hour("zone_losses_h", hour, load, step_s) for hour in operations.zone_losses_h}
    moments = [(DEPLOYMENT, step * step_s) for step in sorted(due)] + [(ZONE_LOSS, k * step_s) for k in sorted(lost)]
    return (
        *(Happening(kind, second, second) for kind, second in moments),
        *(
            Happening(SHORTAGE, begin, min(end, load.period_s))
            for begin, end in shortage_times(operations, load, step_s, 0)
        ),
    )


def mark(figure: go.Figure, plan: Plan) -> None:
    """Mark in every row of a figure over one period what happens beside the load.

    A moment is a line over the height of the row, of many only a tick at its foot; a time is an area.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure, which is changed.
    plan : Plan
        The service and its course.
    """
    every = happenings(plan)
    for kind in kinds(every):
        several = [each for each in every if each.kind == kind]
        look: dict[str, Any] = {"fillcolor": PURPLE_AREA, "line_width": 0}
        entry: dict[str, Any] = {"color": PURPLE_AREA, "width": 12}
        if kind in _LINES:
            entry = _LINES[kind] | ({"dash": "solid"} if len(several) > MOST_LINES else {})
            look = {"line": entry}
        for axis in figure.select_yaxes():
            number = axis.plotly_name.removeprefix("yaxis")
            figure.add_shape(
                type="path", path=_path(several), xref=f"x{number}", yref=f"y{number} domain", layer="below", **look
            )
        # A line without a point stands in the legend: a shape would have a small circle there.
        name = kind if len(several) == 1 else f"{len(several):,} {_PLURALS.get(kind, f'times {kind}')}"
        figure.add_trace(go.Scatter(x=[None], y=[None], name=name, mode="lines", line=entry, hoverinfo="skip"), 1, 1)


def kinds(every: Sequence[Happening]) -> tuple[str, ...]:
    """List the kinds of what happens, each of which has an entry of the legend.

    Parameters
    ----------
    every : sequence of Happening
        What happens.

    Returns
    -------
    tuple of str
        Each kind once, in the order of the happenings.
    """
    return tuple(dict.fromkeys(each.kind for each in every))


def _path(several: Sequence[Happening]) -> str:
    """Write happenings of one kind as a path: x in plotly's dates, y from the foot of a row (0) to its top (1)."""
    top = 1 if len(several) <= MOST_LINES else _TICK
    shown = [several[k] for k in np.unique(np.linspace(0, len(several) - 1, _MOST_TICKS).astype(int))]
    parts = []
    for each in shown:
        begin, end = (str(moment).replace("T", "_") for moment in times([each.begin_s, each.end_s], 1))
        parts.append(f"M{begin},0L{begin},{top}" if begin == end else f"M{begin},0L{begin},1L{end},1L{end},0Z")
    return "".join(parts)
