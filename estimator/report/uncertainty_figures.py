"""Plans under uncertainty as figures for plotly: tornado_figure, bills_figure and regret_figure."""

from __future__ import annotations

import html
import math
import textwrap

import numpy as np
import plotly.graph_objects as go

from estimator.planning.uncertainty import Bar, PlanRisk, Uncertainty, value_text
from estimator.report.drawing import BLUE, GRAY, VERMILION, dressed
from estimator.report.uncertainty_table import MOST_BARS, short_title

_ROW_PX, _AROUND_PX, _HEIGHT_PX = 30, 110, 400
#: Letters of a line below an axis, which stays on a phone's page. [characters]
_CAPTION = 36
#: Most bars of a histogram. [1]
_MOST_BINS = 40
#: Bills that differ by less are one bar. [USD/month]
_CENT = 0.01
#: Bars that are a smaller part of the longest one cannot be seen. [1]
_LEAST_SEEN = 0.005
#: What stands beside the bar of an input that changes the choice, and its width. [px]
_OTHER_PLAN, _OTHER_PLAN_PX = "other plan", 66
#: Where the labels above a histogram stand, each at its own height so that none is on another, and the top of the bars below them. [part of the height]
_OUTER_LABELS, _MEDIAN_LABEL, _BUDGET_LABEL, _TOP = 0.85, 0.91, 0.97, 0.84
#: Room on both sides of the bars, for the labels. [part of the width]
_SIDE = 0.06


def tornado_figure(found: Uncertainty, most: int = MOST_BARS) -> go.Figure:
    """Draw what each input alone does to the bill of the plan of least regret.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.
    most : int
        Most inputs. [1]

    Returns
    -------
    plotly.graph_objects.Figure
        A row for each input, the one that moves the bill most at the top: bars from the bill at the likely values to those at both ends. An input
        that makes another plan the better one says so beside its bars; inputs whose bars could not be seen, and that do not, are counted below the
        axis. [USD/month]
    """
    plan, every = found.least_regret(), found.tornado()
    longest = max((_reach(row, plan) for row in every), default=0.0)
    rows = [row for row in every if row.changes_choice or _reach(row, plan) > _LEAST_SEEN * longest][:most][::-1]
    names = [row.name for row in rows]
    figure = go.Figure()
    # The two ends differ by their color and by their pattern.
    ends = (
        ("input at its low end", BLUE, "", [row.usd_low for row in rows], [row.low for row in rows]),
        ("input at its high end", VERMILION, "/", [row.usd_high for row in rows], [row.high for row in rows]),
    )
    for name, color, pattern, usd, values in ends:
        figure.add_bar(
            y=names,
            x=[each - plan.likely_usd for each in usd],
            base=plan.likely_usd,
            orientation="h",
            name=name,
            marker={"color": color, "pattern": {"shape": pattern}},
            customdata=[[value_text(value), each] for value, each in zip(values, usd, strict=True)],
            hovertemplate="%{y} = %{customdata[0]}: $%{customdata[1]:,.2f}<extra></extra>",
        )
    figure.add_vline(x=plan.likely_usd, line={"color": GRAY, "width": 1})
    deciding = [row.name for row in rows if row.changes_choice]
    for name in deciding:
        figure.add_annotation(
            y=name, text=_OTHER_PLAN, xref="paper", x=1, xanchor="right", xshift=_OTHER_PLAN_PX, showarrow=False
        )
    left_out = len(every) - len(rows)
    said = [
        *([f"{_OTHER_PLAN}: at one of its ends another plan is the better one"] if deciding else []),
        *([f"{left_out} {'input' if left_out == 1 else 'inputs'} with less effect on it left out"] if left_out else []),
    ]
    title = _axis_title(f"bill of the plan for {short_title(plan.title, found)} [USD/month]", said)
    dressed(figure, title, _AROUND_PX + 16 * title.count("<br>") + _ROW_PX * max(len(rows), 1))
    figure.update_layout(barmode="overlay", hovermode="closest")
    if deciding:
        figure.update_layout(margin_r=_OTHER_PLAN_PX + 6)
    figure.update_xaxes(tickprefix="$", tickformat=",~f", nticks=4, tickangle=0)
    figure.update_yaxes(
        tickvals=names, ticktext=[short_title(name, found) for name in names], ticklabelstandoff=8, showgrid=False
    )
    return figure


def _reach(row: Bar, plan: PlanRisk) -> float:
    """How far the longer bar of an input reaches. [USD/month]"""
    return max(abs(row.usd_low - plan.likely_usd), abs(row.usd_high - plan.likely_usd))


def _axis_title(title: str, said: list[str]) -> str:
    """Write the title of an axis, and below it smaller what else is to be said, in lines that a phone has room for."""
    main = "<br>".join(map(html.escape, textwrap.wrap(title, _CAPTION)))
    small = "<br>".join(html.escape(line) for text in said for line in textwrap.wrap(text, _CAPTION))
    return f"{main}<br><span style='font-size: 12px'>{small}</span>" if small else main


def bills_figure(found: Uncertainty, plan: int | None = None) -> go.Figure:
    """Draw how often a plan's bill is how high.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.
    plan : int, optional
        Place of the plan; by default the one of least regret.

    Returns
    -------
    plotly.graph_objects.Figure
        A histogram of the draws, with P5, P50 and P95, and the budget where there is one. It has the more bars the more draws there are: the square
        root of their number. [percent of the draws by USD/month]
    """
    place = found.chosen if plan is None else plan
    usd = found.outcomes.usd[:, place]
    risk = found.plans[place]
    title = f"bill of the plan for {short_title(risk.title, found)}"
    figure = go.Figure()
    bins = min(math.ceil(math.sqrt(usd.size)), _MOST_BINS) if np.ptp(usd) > _CENT else 1
    counts, edges = np.histogram(usd, bins=bins)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=100 * counts / usd.size,
        width=np.diff(edges),
        name=title,
        marker={"color": BLUE},
        hovertemplate="about $%{x:,.2f}: %{y:.1f} % of the draws<extra></extra>",
    )
    dressed(figure, _axis_title(f"{title} [USD/month]", []), _HEIGHT_PX)
    # The smallest quantile has its label on the left of its line, the largest on the right, so that these two share a height.
    # That of the median keeps to the side where the line of the budget, which reaches higher, does not cross it.
    budget_usd = found.budget_usd
    middle = "center" if budget_usd is None else "left" if budget_usd <= risk.usd[1].value else "right"
    places = ((_OUTER_LABELS, "right"), (_MEDIAN_LABEL, middle), (_OUTER_LABELS, "left"))
    for quantile, (height, anchor) in zip(risk.usd, places, strict=True):
        name = f"P{100 * quantile.share:.0f}"
        _upright(figure, quantile.value, name, height, anchor, {"color": GRAY, "dash": "dot", "width": 1})
    if budget_usd is not None:
        budget = {"color": VERMILION, "dash": "dash", "width": 2}
        _upright(figure, budget_usd, "budget", _BUDGET_LABEL, "center", budget)
    shown = [edges[0], edges[-1], *([] if budget_usd is None else [budget_usd])]
    side = _SIDE * (max(shown) - min(shown))
    figure.update_layout(hovermode="closest", bargap=0, showlegend=False)
    figure.update_xaxes(
        range=[min(shown) - side, max(shown) + side], tickprefix="$", tickformat=",~f", nticks=6, tickangle=0
    )
    figure.update_yaxes(title_text="draws [%]", rangemode="tozero", domain=[0, _TOP])
    return figure


def _upright(figure: go.Figure, usd: float, name: str, height: float, anchor: str, line: dict[str, object]) -> None:
    """Draw a line at a bill up to its label above the bars."""
    figure.add_shape(type="line", x0=usd, x1=usd, yref="paper", y0=0, y1=height, line=line)
    figure.add_annotation(
        x=usd, text=name, yref="paper", y=height, yanchor="bottom", xanchor=anchor, borderpad=0, showarrow=False
    )


def regret_figure(found: Uncertainty) -> go.Figure:
    """Draw the expected regret of each plan, the least at the top.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar for the mean of each plan; its worst draw, often many times as much, is what the pointer shows. [USD/month]
    """
    rows = sorted(found.plans, key=lambda plan: -plan.expected_regret_usd)
    figure = go.Figure()
    figure.add_bar(
        y=[short_title(plan.title, found) for plan in rows],
        x=[plan.expected_regret_usd for plan in rows],
        orientation="h",
        name="expected regret",
        marker={"color": BLUE},
        customdata=[plan.worst_regret_usd for plan in rows],
        hovertemplate="%{y}: $%{x:,.2f} on average,<br>$%{customdata:,.2f} in the worst draw<extra></extra>",
    )
    title = _axis_title("more than the best plan of each draw, on average [USD/month]", [])
    dressed(figure, title, _AROUND_PX + _ROW_PX * len(rows))
    figure.update_layout(hovermode="closest", showlegend=False)
    figure.update_xaxes(tickprefix="$", tickformat=",~f", rangemode="tozero", nticks=4, tickangle=0)
    figure.update_yaxes(ticklabelstandoff=8, showgrid=False)
    return figure
