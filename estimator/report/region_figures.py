"""Bills beside each other: bills_figure, of several services stacked by group of charges, and regions_figure, of one service by region."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from estimator.billing.costing import CostBreakdown
from estimator.planning.regions import RegionBill
from estimator.report.bill_steps import GROUPS, REST, unknown_groups, usd_by_group
from estimator.report.breakdown_figures import filled
from estimator.report.drawing import BLUE, GRAY, GRAY_AREA, GROUP_LOOKS, VERMILION, paper

#: Height of a bar, and of all around the bars. [px]
_BILL_PX, _REGION_PX, _AROUND_PX = 46, 24, 90
#: Room for the amounts beyond the longest bar, as a part of it. [1]
_ROOM = 0.32
#: Above the bars; on a phone, where each entry has a line of its own, as high as it must be.
_LEGEND = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1,
    "yanchor": "bottom",
    "maxheight": 1,
    "title": {"text": ""},
}
#: Letters of a line of a name beside its bar. [characters]
_NAME = 18


def bills_figure(titles: Sequence[str], costs: Sequence[CostBreakdown]) -> go.Figure:
    """Draw bills as bars, stacked by group of charges.

    Parameters
    ----------
    titles : sequence of str
        What to call them.
    costs : sequence of CostBreakdown
        The bills, the first on top.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each bill with its total; ``≥`` stands before one of which a rate is unknown. [USD/month]
    """
    # Two bills may have one name; their places tell them apart.
    places = list(range(len(costs)))
    by_group = [usd_by_group(cost) for cost in costs]
    open_groups = [unknown_groups(cost) for cost in costs]
    figure = go.Figure()
    for group, (color, pattern) in zip((*GROUPS, REST), GROUP_LOOKS, strict=True):
        values = [sums[group] for sums in by_group]
        if not any(values):
            continue
        least = ["at least " if group in unknown else "" for unknown in open_groups]
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=values,
                y=places,
                customdata=least,
                name=group,
                marker=filled(color, pattern),
                hovertemplate=f"{group}: %{{customdata}}$%{{x:,.2f}}<extra></extra>",
            )
        )
    totals = [cost.total_usd for cost in costs]
    _amounts(figure, totals, places, [cost.is_lower_bound for cost in costs])
    names = ["<br>".join(textwrap.wrap(title, _NAME)) for title in titles]
    figure.update_yaxes(tickvals=places, ticktext=names)
    return _ranked(figure, totals, _BILL_PX * len(costs) + 60).update_layout(barmode="relative", legend=_LEGEND)


def regions_figure(bills: Sequence[RegionBill], home: str) -> go.Figure:
    """Draw the bill of the same service in several regions, ranked.

    Parameters
    ----------
    bills : sequence of RegionBill
        What `bills_by_region` gives: whole bills first, cheapest first.
    home : str
        The region of the service.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each region; the service's own stands out, and one with an unknown rate is hatched, with ``≥`` before its amount. [USD/month]
    """
    figure = go.Figure()
    kinds = (
        ("this region", VERMILION, "", [bill.region == home for bill in bills]),
        ("another region", BLUE, "", [bill.region != home and not _is_open(bill) for bill in bills]),
        ("a rate is unknown", GRAY, "/", [bill.region != home and _is_open(bill) for bill in bills]),
    )
    for name, color, pattern, which in kinds:
        shown = [(place, bill) for place, (bill, yes) in enumerate(zip(bills, which, strict=True)) if yes]
        if not shown:
            continue
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=[bill.cost.total_usd for _, bill in shown],
                y=[place for place, _ in shown],
                customdata=[_said(bill) for _, bill in shown],
                name=name,
                marker=filled(color, pattern),
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    totals = [bill.cost.total_usd for bill in bills]
    _amounts(figure, totals, list(range(len(bills))), [_is_open(bill) for bill in bills])
    figure.update_yaxes(tickvals=list(range(len(bills))), ticktext=[bill.region for bill in bills])
    return _ranked(figure, totals, _REGION_PX * len(bills)).update_layout(barmode="overlay", legend=_LEGEND)


def _is_open(bill: RegionBill) -> bool:
    return bill.cost.is_lower_bound or bill.lacks_savings_plans


def _said(bill: RegionBill) -> str:
    """Write what the pointer shows of a region."""
    lines = [f"<b>{bill.region}</b>, {bill.location}", bill.cost.total_text]
    if bill.unknown:
        lines += textwrap.wrap(f"Unknown: {', '.join(bill.unknown)}", 44)
    return "<br>".join(lines)


def _amounts(figure: go.Figure, totals: Sequence[float], places: Sequence[int], least: Sequence[bool]) -> None:
    """Write each total beyond the end of its bar."""
    texts = [f"\N{NO-BREAK SPACE}{'≥ ' if open_ else ''}${usd:,.2f}" for usd, open_ in zip(totals, least, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=list(totals),
            y=list(places),
            text=texts,
            mode="text",
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    )


def _ranked(figure: go.Figure, totals: Sequence[float], height: int) -> go.Figure:
    """Give bars their axes, their paper and room for the amounts."""
    figure.update_xaxes(
        title_text="bill [USD/month]",
        range=[0, max([*totals, 0.01]) * (1 + _ROOM)],
        tickprefix="$",
        tickformat=",~f",
        nticks=4,
        zeroline=False,
        gridcolor=GRAY_AREA,
    )
    figure.update_yaxes(
        range=[len(totals) - 0.5, -0.5],
        automargin=True,
        showgrid=False,
        zeroline=False,
        ticksuffix="\N{NO-BREAK SPACE}",
    )
    figure.update_layout(paper(_AROUND_PX + height), bargap=0.3)
    return figure
