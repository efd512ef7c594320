"""The bill of the months to come as a fan: fan_figure, fan_table and fan_csv."""

from __future__ import annotations

import csv
import io

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from estimator.planning.regret import quantile_of
from estimator.report.drawing import BLUE, VERMILION, dressed
from estimator.report.tables import Table

#: The quantiles that are drawn: the outer and the inner pair around the median. [1]
SHARES = (0.05, 0.25, 0.50, 0.75, 0.95)
_HEIGHT_PX = 380
#: Blue, pale and less so: on a dark page too both bands can be told from it and from each other.
_OUTER_AREA, _INNER_AREA = "rgba(0, 114, 178, 0.2)", "rgba(0, 114, 178, 0.35)"


def fan_quantiles(usd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how high the bill of each month is in how many of the draws.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_months)
        Bills. [USD/month]

    Returns
    -------
    numpy.ndarray, shape (5, n_months)
        P5, P25, P50, P75 and P95, each a bill that was drawn. [USD/month]

    Examples
    --------
    >>> fan_quantiles(np.arange(1.0, 101.0)[:, None]).ravel().tolist()
    [5.0, 25.0, 50.0, 75.0, 95.0]
    """
    return np.array([[quantile_of(month, share).value for month in usd.T] for share in SHARES])


def fan_figure(usd: NDArray[np.float64], budget_usd: float | None = None) -> go.Figure:
    """Draw how far the bill of each month spreads.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_months)
        Bills. [USD/month]
    budget_usd : float, optional
        What a month may cost. [USD/month]

    Returns
    -------
    plotly.graph_objects.Figure
        Nine of ten bills within the pale band, half of them within the dark one, the median as a line with marks; the budget as a dashed line.
        [USD/month by month]
    """
    low, inner_low, middle, inner_high, high = fan_quantiles(usd)
    months = np.arange(1, usd.shape[1] + 1)
    figure = go.Figure()
    for bottom, top, name, color in (
        (low, high, "P5 to P95", _OUTER_AREA),
        (inner_low, inner_high, "P25 to P75", _INNER_AREA),
    ):
        # A band is drawn between two traces that follow each other.
        figure.add_scatter(
            x=months, y=bottom, mode="lines", line={"width": 0, "color": BLUE}, showlegend=False, hoverinfo="skip"
        )
        figure.add_scatter(
            x=months,
            y=top,
            name=name,
            mode="lines",
            line={"width": 0, "color": BLUE},
            fill="tonexty",
            fillcolor=color,
            customdata=bottom,
            hovertemplate=f"{name}: $%{{customdata:,.2f}} to $%{{y:,.2f}}<extra></extra>",
        )
    figure.add_scatter(
        x=months,
        y=middle,
        name="P50, the median",
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        hovertemplate="P50: $%{y:,.2f}<extra></extra>",
    )
    if budget_usd is not None:
        figure.add_scatter(
            x=months[[0, -1]],
            y=[budget_usd] * 2,
            name="budget",
            mode="lines",
            line={"color": VERMILION, "dash": "dash", "width": 2},
            hovertemplate="budget: $%{y:,.2f}<extra></extra>",
        )
    dressed(figure, "month", _HEIGHT_PX)
    step = max(1, -(-len(months) // 12))
    figure.update_xaxes(tickvals=months[::step], unifiedhovertitle_text="month %{x}", range=[0.6, len(months) + 0.4])
    figure.update_yaxes(title_text="bill [USD/month]", rangemode="tozero", tickprefix="$")
    return figure


def fan_table(
    usd: NDArray[np.float64], keeps: NDArray[np.bool_], budget_usd: float | None = None, lower_bound: bool = False
) -> Table:
    """Show how far the bill of each month spreads.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_months)
        Bills. [USD/month]
    keeps : numpy.ndarray of bool, shape (n_draws, n_months)
        True where no limit of the promise is broken.
    budget_usd : float, optional
        What a month may cost. [USD/month]
    lower_bound : bool
        True if a line of the bills has no known rate.

    Returns
    -------
    Table
        Quantiles of the bill, how often it exceeds the budget, and how often the promise is broken; the sum of all months of a draw below.
    """
    at_least = "at least " if lower_bound else ""
    budget = budget_usd is not None
    columns = (
        "Month",
        f">P5 {at_least}USD",
        *(f">P{100 * share:.0f}" for share in SHARES[1:]),
        *([f">Over ${budget_usd:,.0f}"] if budget else []),
        ">Promise broken",
    )
    rows = tuple(
        (
            str(number),
            *(f"{value:,.2f}" for value in quantiles),
            *([f"{100 * np.mean(month > budget_usd):.0f} %"] if budget else []),
            f"{100 * np.mean(~kept):.0f} %",
        )
        for number, (quantiles, month, kept) in enumerate(zip(fan_quantiles(usd).T, usd.T, keeps.T, strict=True), 1)
    )
    together = fan_quantiles(usd.sum(axis=1, keepdims=True)).ravel()
    footer = ("all", *(f"{value:,.2f}" for value in together), *([""] if budget else []), "")
    title = f"{len(rows)} {'month' if len(rows) == 1 else 'months'} in {usd.shape[0]:,} draws"
    return Table(title, columns, rows, footer if len(rows) > 1 else (), least=("P25", "P75"))


def fan_csv(usd: NDArray[np.float64], growth_percent_per_month: NDArray[np.float64]) -> str:
    """Write the bill of each month in each draw as CSV.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_months)
        Bills. [USD/month]
    growth_percent_per_month : numpy.ndarray, shape (n_draws,)
        What the load grows from each month to the next. [percent/month]

    Returns
    -------
    str
        A row for each draw.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    months = (f"month_{number}_usd" for number in range(1, usd.shape[1] + 1))
    writer.writerow(["draw", "growth_percent_per_month", *months])
    for number, (growth, bills) in enumerate(zip(growth_percent_per_month.tolist(), usd.tolist(), strict=True), 1):
        writer.writerow([number, f"{growth:.12g}", *(f"{bill:.12g}" for bill in bills)])
    return text.getvalue()
