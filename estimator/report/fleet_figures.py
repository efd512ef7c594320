"""The figure of many services: fleet_figure(fleet), a bar for each, stacked by group of charges."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from estimator.planning.fleet import Fleet
from estimator.report.bill_steps import GROUPS, REST, usd_by_group
from estimator.report.drawing import GRAY_AREA, GROUP_LOOKS, VERMILION, paper

#: More bars than this are not read; what is left is one of its own. [bars]
MOST_BARS = 30
_NAME_LETTERS = 22
_AROUND_PX, _BAR_PX = 100, 30


def fleet_figure(fleet: Fleet) -> go.Figure:
    """Draw the bills of many services, stacked by group of charges, the largest on top.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives; services without a bill are left out.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar for each service, those beyond `MOST_BARS` as one; a mark where its part of the best shared commitment brings it. [USD/month]
    """
    results = sorted(fleet.results, key=lambda found: (-found.cost.total_usd, found.name))
    names = [found.name for found in results]
    sums = [usd_by_group(found.cost) for found in results]
    shared = fleet.commitments
    with_it = [shared.with_best(name) for name in names] if shared.best else []
    least = [found.cost.is_lower_bound for found in results]
    if len(names) > MOST_BARS:
        rest = slice(MOST_BARS - 1, None)
        names[rest] = [f"{len(names) - MOST_BARS + 1} others"]
        sums[rest] = [{group: sum(each[group] for each in sums[rest]) for group in (*GROUPS, REST)}]
        with_it[rest] = [sum(with_it[rest])] if with_it else []
        least[rest] = [any(least[rest])]
    labels = ["<br>".join(textwrap.wrap(name, _NAME_LETTERS)) for name in names]
    figure = go.Figure()
    for group, (color, pattern) in zip((*GROUPS, REST), GROUP_LOOKS, strict=True):
        costs = [each[group] for each in sums]
        if any(costs):
            figure.add_trace(
                go.Bar(
                    orientation="h",
                    x=costs,
                    y=labels,
                    name=group,
                    marker={
                        "color": color,
                        "pattern": {"shape": pattern, "fillmode": "overlay", "size": 6, "solidity": 0.3},
                    },
                    hovertemplate=f"%{{y}}: {group} $%{{x:,.2f}}<extra></extra>",
                )
            )
    totals = [sum(each.values()) for each in sums]
    figure.add_trace(
        go.Scatter(
            x=totals,
            y=labels,
            text=[f"\u00a0{'≥ ' if bound else ''}${usd:,.0f}" for usd, bound in zip(totals, least, strict=True)],
            mode="text",
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    )
    if with_it:
        figure.add_trace(
            go.Scatter(
                x=with_it,
                y=labels,
                name="with a shared Savings Plan",
                mode="markers",
                marker={"color": VERMILION, "symbol": "diamond", "size": 9},
                hovertemplate="%{y}: with a shared Savings Plan $%{x:,.2f}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title_text="USD/month",
        range=[0, max([*totals, *with_it, 0.01]) * 1.25],
        tickprefix="$",
        tickformat=",~f",
        nticks=5,
        gridcolor=GRAY_AREA,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ")
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "title": {"text": ""}}
    height = _AROUND_PX + _BAR_PX * max(len(names), 1)
    figure.update_layout(**paper(height), barmode="relative", bargap=0.35, legend=legend)
    return figure
