"""What all figures share: colors, few enough points, the axis of a period, transparent paper.

Notes
-----
Backgrounds are transparent and text has no color of its own, so that a figure takes the look of the page it stands on, light or dark. The
colors are those of Okabe and Ito that have a contrast of at least 3:1 with white and with black; what a color says is said by a dash or
a name too. No maps: plotly fetches their outlines from the network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from estimator.units import SECONDS_PER_HOUR
from estimator.workload.profile import LoadProfile

#: Okabe and Ito, "Color Universal Design", 2008.
BLUE, GREEN, VERMILION, PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
GRAY = "#8A8A8A"
#: Looks of the groups of charges, in their order: no two are alike in color, and neighbors differ in pattern too.
GROUP_LOOKS = ((BLUE, ""), (GREEN, "/"), (ORANGE, "x"), (PURPLE, ""), (SKY, "."), (YELLOW, "-"), (GRAY, ""))
#: The same, faint, for areas.
BLUE_AREA, PURPLE_AREA, GRAY_AREA = "rgba(0, 114, 178, 0.15)", "rgba(204, 121, 167, 0.25)", "rgba(138, 138, 138, 0.25)"
#: Most points of a line; a screen shows no more. [points]
MAX_POINTS = 2000
#: A step is over capacity above this utilization (rule 15 of ``docs/simulation.md``). [1]
FULL = 1 + 1e-9
#: Where the period is laid in the calendar: a Monday and the first day of a year.
START = np.datetime64("2024-01-01T00:00:00", "s")

_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Height of an entry of a legend; on a phone each has a line of its own. [px]
_ENTRY_PX = 20
#: Room for the title of the x axis and a legend of the first row with two entries. [px]
_AROUND_PX = 90


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


def times(index: ArrayLike, step_s: int) -> NDArray[np.datetime64]:
    """Lay starts of steps in the calendar, counted from a Monday that is a 1 January.

    Parameters
    ----------
    index : array_like of int
        Steps.
    step_s : int
        Length of a step. [s]

    Returns
    -------
    numpy.ndarray
        Their moments.
    """
    return np.asarray(START + np.asarray(index, dtype=np.int64) * np.timedelta64(step_s, "s"))


def line(
    values: NDArray[np.float64] | NDArray[np.int64],
    step_s: int,
    name: str,
    hover: str,
    *,
    color: str,
    dash: str = "solid",
    shape: str = "linear",
    width: float = 2,
) -> go.Scatter:
    """Draw one series over the period.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_steps,)
        The series; a gap where it is not a number.
    step_s : int
        Length of a step. [s]
    name : str
        What the legend calls it.
    hover : str
        What the pointer shows, in plotly's template.
    color, dash, shape : str
        Its look; ``hv`` is the shape of what holds for a whole step.
    width : float
        Width of the line. [px]

    Returns
    -------
    plotly.graph_objects.Scatter
        Of at most ``MAX_POINTS`` points.
    """
    index = keep_extremes(values)
    return go.Scatter(
        x=times(index, step_s),
        y=values[index],
        name=name,
        mode="lines",
        line={"color": color, "dash": dash, "shape": shape, "width": width},
        hovertemplate=hover + "<extra></extra>",
    )


def paper(height: int) -> dict[str, object]:
    """Return the layout that every figure has.

    Parameters
    ----------
    height : int
        Height of the figure. [px]

    Returns
    -------
    dict
        Height, margins and transparent paper.
    """
    clear = "rgba(0, 0, 0, 0)"
    return {
        "height": height,
        "margin": {"l": 10, "r": 16, "t": 10, "b": 10},
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
    }


def rows_of(heights: Sequence[int], entries: int = 2, first: int = 2) -> tuple[dict[str, object], int]:
    """Divide a figure into rows of given heights, with room for a legend above each.

    Parameters
    ----------
    heights : sequence of int
        Height of each row. [px]
    entries : int
        Most entries of the legend of a row below the first. [1]
    first : int
        Entries of the legend of the first row. [1]

    Returns
    -------
    tuple of (dict, int)
        Arguments for plotly's ``make_subplots``, and the height of the figure. [px]
    """
    between = _ENTRY_PX * entries + 10
    inside = sum(heights) + between * (len(heights) - 1)
    return {
        "rows": len(heights),
        "cols": 1,
        "shared_xaxes": True,
        "row_heights": list(heights),
        "vertical_spacing": between / inside,
    }, inside + _AROUND_PX + _ENTRY_PX * max(0, first - 2)


def over_period(figure: go.Figure, load: LoadProfile, height: int) -> go.Figure:
    """Give a figure over time its axis, its legend and its paper.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure, which is changed.
    load : LoadProfile
        The load whose period it shows.
    height : int
        Height of the figure. [px]

    Returns
    -------
    plotly.graph_objects.Figure
        The same.
    """
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
        range=times([0, load.period_s], 1),
        tickvals=times(np.round(marks * SECONDS_PER_HOUR), 1),
        ticktext=names,
        unifiedhovertitle_text=moment,
    )
    return dressed(figure, title, height)


def dressed(figure: go.Figure, title: str, height: int) -> go.Figure:
    """Give a figure the look of its axes, its legend and its paper.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure, which is changed.
    title : str
        Title of the x axis, with its unit.
    height : int
        Height of the figure. [px]

    Returns
    -------
    plotly.graph_objects.Figure
        The same.
    """
    lines = {"zeroline": False, "gridcolor": GRAY_AREA, "automargin": True}
    layout: dict[str, object] = {**paper(height), "hovermode": "x unified"}
    for axis in figure.select_xaxes():
        layout[axis.plotly_name] = lines | {
            "showgrid": True,
            "spikecolor": GRAY,
            "spikethickness": 1,
            "ticklabelstandoff": 5,
            # Only the lowest row of a shared axis has a title.
            "title": {"text": title if axis.showticklabels is not False else None},
        }
    for axis in figure.select_yaxes():
        layout[axis.plotly_name] = lines | {"tickformat": ",~f"}
        # Each row has its legend above it: y, y2, ... and legend, legend2, ...
        number = axis.plotly_name.removeprefix("yaxis")
        top = 1.0 if axis.domain is None else axis.domain[1]
        place = {"orientation": "h", "x": 0, "xanchor": "left", "y": top + 0.01, "yanchor": "bottom"}
        layout[f"legend{number}"] = place | {"title": {"text": ""}}
    # One update for all of it: each takes plotly some milliseconds.
    figure.update_layout(layout)
    for trace in figure.data:
        trace.legend = f"legend{(trace.yaxis or 'y').removeprefix('y')}"
    return figure
