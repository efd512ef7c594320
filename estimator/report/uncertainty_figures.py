"""Plans under uncertainty as figures for plotly: tornado_figure, bills_figure and regret_figure."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from estimator.planning.uncertainty import Uncertainty, value_text
from estimator.report.drawing import BLUE, GRAY, VERMILION, dressed
from estimator.report.uncertainty_table import MOST_BARS

_ROW_PX, _AROUND_PX, _HEIGHT_PX = 30, 110, 380
#: Bars of a histogram. [1]
_BINS = 40


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
        A row for each input, the one that moves the bill most at the top: bars from the bill at the likely values to those at both ends. [USD/month]
    """
    plan = found.least_regret()
    rows = [row for row in found.tornado() if row.swing_usd][:most][::-1]
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
    dressed(figure, f"bill of the plan for {plan.title} [USD/month]", _AROUND_PX + _ROW_PX * max(len(rows), 1))
    figure.update_layout(barmode="overlay", hovermode="closest")
    figure.update_xaxes(tickprefix="$", tickformat=",~f")
    return figure


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
        A histogram of the draws, with P5, P50 and P95, and the budget where there is one. [percent of the draws by USD/month]
    """
    place = found.chosen if plan is None else plan
    usd = found.outcomes.usd[:, place]
    risk = found.plans[place]
    figure = go.Figure()
    counts, edges = np.histogram(usd, bins=_BINS if np.ptp(usd) else 1)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=100 * counts / usd.size,
        width=np.diff(edges),
        name=f"bill of the plan for {risk.title}",
        marker={"color": BLUE},
        hovertemplate="about $%{x:,.2f}: %{y:.1f} % of the draws<extra></extra>",
    )
    for quantile in risk.usd:
        figure.add_vline(
            x=quantile.value,
            line={"color": GRAY, "dash": "dot", "width": 1},
            annotation_text=f"P{100 * quantile.share:.0f}",
        )
    if found.budget_usd is not None:
        figure.add_vline(
            x=found.budget_usd, line={"color": VERMILION, "dash": "dash", "width": 2}, annotation_text="budget"
        )
    dressed(figure, "bill [USD/month]", _HEIGHT_PX)
    figure.update_layout(hovermode="closest", bargap=0)
    figure.update_xaxes(tickprefix="$", tickformat=",~f")
    figure.update_yaxes(title_text="draws [%]", rangemode="tozero")
    return figure


def regret_figure(found: Uncertainty) -> go.Figure:
    """Draw the expected regret of each plan, the least at the top.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar for the mean of each plan and a mark for the worst draw. [USD/month]
    """
    rows = sorted(found.plans, key=lambda plan: -plan.expected_regret_usd)
    names = [plan.title for plan in rows]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[plan.expected_regret_usd for plan in rows],
        orientation="h",
        name="expected regret",
        marker={"color": BLUE},
        hovertemplate="%{y}: $%{x:,.2f} on average<extra></extra>",
    )
    figure.add_scatter(
        y=names,
        x=[plan.worst_regret_usd for plan in rows],
        mode="markers",
        name="worst draw",
        marker={"color": VERMILION, "symbol": "diamond", "size": 9},
        hovertemplate="%{y}: $%{x:,.2f} in the worst draw<extra></extra>",
    )
    dressed(figure, "more than the best plan of each draw [USD/month]", _AROUND_PX + _ROW_PX * len(rows))
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(tickprefix="$", tickformat=",~f", rangemode="tozero")
    return figure
