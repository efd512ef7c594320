"""Figures of a bill taken apart: month by month, and what is fixed against what follows traffic."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from estimator.planning.cost_split import CostSplit
from estimator.planning.horizon import MonthlyBills
from estimator.report.bill_steps import GROUPS, REST, usd_by_group
from estimator.report.drawing import BLUE, GRAY_AREA, GREEN, GROUP_LOOKS, VERMILION, dressed, paper

#: Up to so many months each has its number on the axis, and room for a large mark. [months]
_FEW_MONTHS = 12


def months(found: MonthlyBills) -> go.Figure:
    """Draw the bills of a horizon as bars, stacked by group of charges; months that break the promise are marked.

    Parameters
    ----------
    found : MonthlyBills
        What `bill_by_month` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each month; a line stands before the first month that breaks the promise. [USD/month]
    """
    figure = go.Figure()
    numbers = [month.month for month in found.months]
    by_group = [usd_by_group(month.cost) for month in found.months]
    for group, (color, pattern) in zip((*GROUPS, REST), GROUP_LOOKS, strict=True):
        costs = [sums[group] for sums in by_group]
        if not any(costs):
            continue
        figure.add_trace(
            go.Bar(
                x=numbers,
                y=costs,
                name=group,
                marker=filled(color, pattern),
                hovertemplate=f"{group}: $%{{y:,.2f}}<extra></extra>",
            )
        )
    broken = [month for month in found.months if month.broken]
    if broken:
        figure.add_trace(
            go.Scatter(
                x=[month.month for month in broken],
                y=[month.cost.total_usd for month in broken],
                customdata=["; ".join(month.broken) for month in broken],
                name="promise broken",
                mode="markers",
                marker={"color": VERMILION, "symbol": "x", "size": 9 if len(numbers) <= _FEW_MONTHS else 5},
                hovertemplate="promise broken: %{customdata}<extra></extra>",
            )
        )
        figure.add_vline(x=broken[0].month - 0.5, line={"color": VERMILION, "dash": "dash", "width": 1.5})
    figure.update_layout(barmode="relative", bargap=0.25)
    figure.update_xaxes(
        range=[0.4, len(numbers) + 0.6],
        dtick=1 if len(numbers) <= _FEW_MONTHS else 6,
        tick0=0,
        unifiedhovertitle_text="month %{x}",
    )
    most = max(month.cost.total_usd for month in found.months)
    figure.update_yaxes(title_text="bill [USD/month]", tickprefix="$", range=[0, 1.08 * max(most, 0.01)])
    least = " (at least)" if found.is_lower_bound else ""
    return dressed(figure, f"month{least}", 380)


def fixed_and_variable(split: CostSplit) -> go.Figure:
    """Draw what of each line of a bill stands there without traffic, and what traffic adds.

    Parameters
    ----------
    split : CostSplit
        What `cost_split.fixed_and_variable` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each line, the largest on top; a line without a known rate says so. [USD/month]
    """
    lines = sorted(split.lines, key=lambda line: (line.total_usd is None, -(line.total_usd or 0.0)))
    names = ["<br>".join(textwrap.wrap(line.title, 22)) for line in lines]
    figure = go.Figure()
    for name, costs, color, pattern in (
        ("without traffic", [line.fixed_usd or 0.0 for line in lines], BLUE, ""),
        ("traffic adds", [line.variable_usd or 0.0 for line in lines], GREEN, "/"),
    ):
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=costs,
                y=names,
                name=name,
                marker=filled(color, pattern),
                hovertemplate=f"%{{y}}: $%{{x:,.2f}} {name}<extra></extra>",
            )
        )
    totals = [line.total_usd or 0.0 for line in lines]
    figure.add_trace(
        go.Scatter(
            x=[max(line.fixed_usd or 0.0, line.total_usd or 0.0) for line in lines],
            y=names,
            text=["\u00a0unknown" if line.total_usd is None else f"\u00a0${line.total_usd:,.2f}" for line in lines],
            mode="text",
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    )
    # Room for the longest label beyond the longest bar.
    figure.update_xaxes(
        title_text="USD/month",
        range=[min(0.0, *(line.variable_usd or 0.0 for line in lines)), max([*totals, 0.01]) * 1.3],
        tickprefix="$",
        tickformat=",~f",
        nticks=5,
        gridcolor=GRAY_AREA,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ")
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "title": {"text": ""}}
    figure.update_layout(**paper(100 + 38 * len(lines)), barmode="relative", bargap=0.35, legend=legend)
    return figure


def filled(color: str, pattern: str) -> dict[str, object]:
    """Fill a bar.

    Parameters
    ----------
    color, pattern : str
        As in ``GROUP_LOOKS``.

    Returns
    -------
    dict of str to object
        The ``marker`` of a trace.
    """
    return {"color": color, "pattern": {"shape": pattern, "fillmode": "overlay", "size": 6, "solidity": 0.3}}
