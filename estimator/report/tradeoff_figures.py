"""Figures of trade-offs: front_figure (cost against risk) and waterfall_figure (from today to the plan), for plotly, and a page with both."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from estimator.billing.costing import usd_text
from estimator.planning.frontier import Candidate, Explored
from estimator.planning.result import Plan
from estimator.planning.risks import Risk, require_risk, risk_of
from estimator.planning.steps_to_plan import PlanStep
from estimator.planning.why_not import signed_usd
from estimator.pricing.rates import Rates
from estimator.report.drawing import BLUE, GRAY, GRAY_AREA, GREEN, MAX_POINTS, PURPLE, VERMILION, dressed, paper
from estimator.report.tables import Table
from estimator.report.tradeoff_tables import (
    Tradeoffs,
    figure_text,
    headline,
    off_front_text,
    sections,
    total_text,
    usual_risk,
)

_HEIGHT_PX = 460
#: Below this a risk is drawn in proportion, above by its logarithm: so none at all has a place on the axis too. [the risk's unit]
_LINEAR_UNTIL = {
    "minutes_over_promise_per_month": 1.0,
    "minutes_over_capacity_per_month": 1.0,
    "p95_latency_ms": 1.0,
    "refused_percent": 0.001,
}
#: How far above the largest finite risk one without bound is drawn. [decades]
_UNBOUNDED_DECADES = 0.5
#: Candidates that fall into one cell of so many columns and rows are one dot. [1]
_CELLS = (400, 200)
#: The axis of cost ends at so many times the dearest of front, plan and today; the rest is there for who zooms out. [1]
_BEYOND = 1.5
#: Where minutes are the risk, it begins at the cheapest of the front with no more than so many times what is promised, or so many minutes if that is
#: less or nothing is promised: whoever promises minutes does not choose among days. [1], [min/month]
_TAIL_TIMES, _TAIL_MINUTES = 100.0, 5000.0
#: Height of a step, and of all around them. [px]
_STEP_PX, _AROUND_PX = 38, 70
#: Width of a letter of an amount, and size of labels. [px]
_LETTER_PX, _LABEL_PX = 8.0, 13


def front_figure(
    explored: Explored, risk: str | None = None, today: Plan | None = None, rates: Rates | None = None
) -> go.Figure:
    """Draw every candidate by cost and risk, with the front as a line, the plan and today's service.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.
    risk : str, optional
        A name of `RISKS`; by default that of `usual_risk`.
    today : Plan, optional
        Today's service.
    rates : Rates, optional
        The region's rates, to say what today's service breaks.

    Returns
    -------
    plotly.graph_objects.Figure
        Gray crosses break a limit that is not about the risk; gray dots are dominated, open ones break the promise. The axis of risk is
        logarithmic from a small risk on and begins at 0; one without bound stands above its end. Dots that would lie on each other are one.
        Where minutes are the risk, the axis of cost begins where they come near to what is promised; how many candidates are cheaper is said below
        it. [risk's unit by USD/month]
    """
    risk = risk or usual_risk(explored)
    kind = require_risk(risk)
    risks, usd = explored.risks(risk), explored.usd_per_month
    keeps, rest = explored.keeps_promise, explored.keeps_the_rest()
    points, winner = explored.front(risk), explored.winner
    on_front = np.zeros(len(explored), dtype=np.bool_)
    on_front[[point.candidate.place for point in points]] = True
    heights = _heights(risks, kind)
    figure = go.Figure()
    dots = (
        ("breaks another limit", ~rest, "x-thin-open"),
        ("breaks the promise by this risk", rest & ~keeps & ~on_front, "circle-open"),
        ("keeps the promise, and is dearer", rest & keeps & ~on_front, "circle"),
    )
    for name, members, symbol in dots:
        places = _thinned(explored, members & np.isfinite(usd), heights)
        if places:
            figure.add_scatter(
                x=usd[places],
                y=heights[places],
                name=name,
                mode="markers",
                marker={
                    "color": GRAY,
                    "symbol": symbol,
                    "size": 6,
                    "opacity": 0.55,
                    "line": {"color": GRAY, "width": 1},
                },
                customdata=[_hover(explored[place], winner, kind) for place in places],
                hovertemplate="%{customdata}<extra></extra>",
            )
    figure.add_scatter(
        x=[point.usd_per_month for point in points],
        y=_heights(np.array([point.risk for point in points]), kind, risks),
        name="front: nothing is cheaper with as little risk",
        mode="lines+markers",
        line={"color": BLUE, "width": 2, "shape": "hv"},
        marker={"symbol": ["circle" if point.keeps_promise else "circle-open" for point in points], "size": 8},
        customdata=[_hover(point.candidate, winner, kind) for point in points],
        hovertemplate="%{customdata}<extra></extra>",
    )
    if winner is not None:
        place = winner.place
        _mark(figure, "plan", usd[place], heights[place], "diamond", VERMILION, _plan_hover(explored, winner, kind))
    if today is not None:
        value = np.array([risk_of(today, risk)])
        height = float(_heights(value, kind, risks)[0])
        _mark(figure, "today", today.cost.total_usd, height, "square", PURPLE, _today_hover(today, rates, kind))
    dressed(figure, "bill [USD/month]", _HEIGHT_PX)
    _finish_axes(figure, explored, kind, today)
    return figure


def waterfall_figure(today: Plan, steps: Sequence[PlanStep]) -> go.Figure:
    """Draw the way from today's bill to the plan's: a bar for each step, each beginning where the one above it ends.

    Parameters
    ----------
    today : Plan
        Today's service.
    steps : sequence of PlanStep
        What `steps_to` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        Today's bill, the steps, the plan's bill. A step after which the promise is broken says so. [USD/month]
    """
    end = steps[-1].after if steps else today
    names = ["<b>Today</b>", *(_step_name(step) for step in steps), "<b>Plan</b>"]
    amounts = [total_text(today), *(signed_usd(step.difference_usd) for step in steps), total_text(end)]
    hovers = [
        f"<b>Today</b><br>{_text(today.spec.describe())}",
        *(_step_hover(step) for step in steps),
        f"<b>Plan</b><br>{_text(end.spec.describe())}",
    ]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            measure=["absolute", *(["relative"] * len(steps)), "absolute"],
            x=[
                today.cost.total_usd,
                # Known lines alone, so that the bars lead to the next bill even where a difference is not known.
                *(step.after.cost.total_usd - step.before.cost.total_usd for step in steps),
                end.cost.total_usd,
            ],
            y=names,
            customdata=hovers,
            hovertemplate="%{customdata}<extra></extra>",
            increasing_marker_color=BLUE,
            decreasing_marker_color=GREEN,
            totals_marker_color=GRAY,
            connector={"line": {"color": GRAY, "width": 1, "dash": "dot"}, "mode": "between"},
        )
    )
    amounts_px = 12 + int(_LETTER_PX * max(map(len, amounts)))
    place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": amounts_px, "showarrow": False}
    labels = [
        {**place, "y": name, "text": amount, "font": {"size": _LABEL_PX}}
        for name, amount in zip(names, amounts, strict=True)
    ]
    most = max(today.cost.total_usd, *(step.after.cost.total_usd for step in steps), 0.01)
    figure.update_xaxes(
        title_text="USD/month",
        range=[0, most * 1.02],
        tickprefix="$",
        tickformat=",~f",
        nticks=4,
        tickangle=0,
        zeroline=False,
        gridcolor=GRAY_AREA,
        automargin=True,
    )
    figure.update_yaxes(
        autorange="reversed", automargin=True, showgrid=False, ticklabelstandoff=8, tickfont_size=_LABEL_PX
    )
    margin = {"l": 10, "t": 6, "b": 10, "r": amounts_px + 4}
    layout = paper(_AROUND_PX + _STEP_PX * len(names)) | {"margin": margin, "annotations": labels}
    figure.update_layout(layout, bargap=0.45, showlegend=False)
    return figure


def tradeoffs_html(found: Tradeoffs, rates: Rates) -> str:
    """Write trade-offs as a page that needs nothing else, not even a network.

    Parameters
    ----------
    found : Tradeoffs
        The trade-offs.
    rates : Rates
        The region's rates.

    Returns
    -------
    str
        HTML with both figures, plotly's script (some 5 MB) and every table.
    """
    figures = [front_figure(found.explored, found.risk, found.today, rates)]
    if found.today is not None and found.steps:
        figures.append(waterfall_figure(found.today, found.steps))
    drawn = "\n".join(
        figure.to_html(
            full_html=False,
            include_plotlyjs=number == 0,
            div_id=f"figure-{number}",
            config={"displayModeBar": False, "responsive": True},
        )
        for number, figure in enumerate(figures)
    )
    said = "\n".join(
        f"<p>{_text(section)}</p>" if isinstance(section, str) else _html_table(section) for section in sections(found)
    )
    title = _text(headline(found))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; background: #fff; color: #1b2733; max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.2rem }} .wide {{ overflow-x: auto; margin-top: 2rem }} table {{ border-collapse: collapse; width: 100%; font-size: .9rem }}
caption {{ text-align: left; font-weight: 650; padding-bottom: .4rem }} th, td {{ text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0;
border-bottom: 1px solid #dce3e9; font-weight: normal }} thead th {{ color: #526170 }} .number {{ text-align: right; font-variant-numeric: tabular-nums }}
tfoot > * > * {{ font-weight: 650 }}</style>
</head>
<body>
<h1>{title}</h1>
{drawn}
{said}
</body>
</html>
"""


# The front.


def _heights(risks: NDArray[np.float64], kind: Risk, among: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Lay risks on the axis: in proportion near 0, by logarithm beyond, and above all others without bound. [decades]"""
    scale = _LINEAR_UNTIL[kind.name]
    all_of_them = risks if among is None else np.concatenate([risks, among])
    finite = all_of_them[np.isfinite(all_of_them)]
    top = math.log10(1 + finite.max(initial=0.0) / scale) + _UNBOUNDED_DECADES
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isfinite(risks), np.log10(1 + risks / scale), top))


def _thinned(explored: Explored, members: NDArray[np.bool_], heights: NDArray[np.float64]) -> list[int]:
    """Choose dots that can be told apart, the cheapest first."""
    places = explored.order[members[explored.order]]
    if not places.size:
        return []
    # Most candidates are far dearer than those that the axis shows.
    x, y = np.log1p(explored.usd_per_month[places]), heights[places]
    cells = [
        np.floor(count * (values - values.min()) / (np.ptp(values) or 1.0)).astype(np.int64)
        for values, count in ((x, _CELLS[0]), (y, _CELLS[1]))
    ]
    _, first = np.unique(cells[0] * (_CELLS[1] + 1) + cells[1], return_index=True)
    return [int(place) for place in places[np.sort(first)][:MAX_POINTS]]


def _mark(figure: go.Figure, name: str, usd: float, height: float, symbol: str, color: str, hover: str) -> None:
    figure.add_scatter(
        x=[usd],
        y=[height],
        name=name,
        mode="markers+text",
        text=[f"<b>{name}</b>"],
        textposition="top center",
        marker={"symbol": symbol, "color": color, "size": 14, "line": {"color": "#ffffff", "width": 1}},
        customdata=[hover],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _finish_axes(figure: go.Figure, explored: Explored, kind: Risk, today: Plan | None) -> None:
    """Give the axis of cost its range, that of risk its marks, and the promised limit its line."""
    risks = (
        explored.risks(kind.name) if today is None else np.append(explored.risks(kind.name), risk_of(today, kind.name))
    )
    scale, finite = _LINEAR_UNTIL[kind.name], risks[np.isfinite(risks)]
    most = float(finite.max(initial=0.0))
    decades = math.ceil(math.log10(most / scale)) if most > scale else 0
    marks = [0.0, *(scale * 10.0**power for power in range(decades + 1))]
    names = [f"{mark:,.12g}" for mark in marks]
    heights = _heights(np.array(marks), kind).tolist()
    top = _heights(np.array([math.inf]), kind, finite)[0]
    if finite.size < risks.size:
        # A mark that would touch the one without bound says less than it.
        kept = [place for place, height in enumerate(heights) if height < top - _UNBOUNDED_DECADES / 2]
        heights, names = [heights[place] for place in kept] + [top], [names[place] for place in kept] + ["no bound"]
    figure.update_yaxes(tickvals=heights, ticktext=names, title_text=f"{kind.title} [{kind.unit}]")
    allowed = getattr(explored.space.promise, kind.limit, None)
    if allowed is not None:
        height = float(_heights(np.array([allowed]), kind)[0])
        figure.add_hline(
            y=height,
            line={"color": GRAY, "dash": "dot", "width": 1},
            annotation_text=f"promised: {allowed:,.12g} {kind.unit}",
            annotation_position="bottom right",
        )
    points = explored.front(kind.name)
    most = _most_shown(kind, allowed)
    shown = [point.usd_per_month for point in points if point.risk <= most] or [point.usd_per_month for point in points]
    shown += [explored.winner.usd_per_month] if explored.winner else []
    shown += [today.cost.total_usd] if today else []
    if shown:
        room = max(0.1 * (max(shown) - min(shown)), 0.01 * max(shown))
        begin = max(min(shown) - room, 0.0)
        figure.update_xaxes(range=[begin, max(shown) * _BEYOND])
        cheaper = int(np.count_nonzero(explored.usd_per_month < begin))
        if cheaper:
            figure.update_xaxes(
                title_text=f"bill [USD/month]<br><span style='font-size: 12px'>{_left_out(cheaper)}</span>"
            )
    figure.update_xaxes(tickprefix="$", tickformat=",~f", nticks=6, tickangle=0)
    figure.update_layout(hovermode="closest")


def _most_shown(kind: Risk, allowed: float | None) -> float:
    """Say up to which risk the front is shown; what is allowed always is. [the risk's unit]"""
    if kind.unit != "min/month":
        return math.inf
    # Of no minute at all so many times is none either.
    return max(min(_TAIL_TIMES * (allowed or math.inf), _TAIL_MINUTES), allowed or 0.0)


def _left_out(cheaper: int) -> str:
    return f"{cheaper:,} cheaper {'candidate is' if cheaper == 1 else 'candidates are'} left out"


def _plan_hover(explored: Explored, winner: Candidate, kind: Risk) -> str:
    """Say the plan, and why it stands off the line where it does."""
    hover, beaten = _hover(winner, winner, kind), off_front_text(explored, kind.name)
    return f"{hover}<br>not on the line:<br>{_text(beaten)}" if beaten else hover


def _hover(candidate: Candidate, winner: Candidate | None, kind: Risk) -> str:
    """Say a candidate, its figures, and why it won or lost."""
    if candidate.reasons:
        verdict = f"breaks the promise: {candidate.reasons}"
    elif winner is None or candidate.place == winner.place:
        verdict = "the plan: the cheapest that keeps the promise"
    else:
        verdict = f"keeps the promise, ${usd_text(candidate.usd_per_month - winner.usd_per_month)} a month dearer than the plan"
    least = "at least " if candidate.is_lower_bound else ""
    return _lines(
        candidate.spec.describe(),
        f"{least}${usd_text(candidate.usd_per_month)} a month; {_risk_text(getattr(candidate, kind.name), kind)}",
        f"{candidate.mean_tasks:,.2f} tasks on average, p95 {figure_text(candidate.p95_latency_ms)} ms",
        verdict,
    )


def _today_hover(today: Plan, rates: Rates | None, kind: Risk) -> str:
    broken = today.broken if rates is not None else ()
    reasons = "; ".join(limit.reason for limit in broken)
    return _lines(
        f"today: {today.spec.describe()}",
        f"{today.cost.total_text}; {_risk_text(risk_of(today, kind.name), kind)}",
        f"breaks the promise: {reasons}" if reasons else "keeps the promise" if rates is not None else "",
    )


def _risk_text(risk: float, kind: Risk) -> str:
    return f"{kind.title}: {figure_text(risk)}{f' {kind.unit}' if math.isfinite(risk) else ''}"


def _lines(first: str, *others: str) -> str:
    return "<br>".join([f"<b>{_text(first)}</b>", *(_text(line) for line in others if line)])


# The waterfall.


def _step_name(step: PlanStep) -> str:
    return step.title if step.keeps_promise else f"{step.title}<br><i>promise broken here</i>"


def _step_hover(step: PlanStep) -> str:
    broken = f"then it breaks the promise: {step.broken_text}" if step.broken else "then it keeps the promise"
    return _lines(f"{step.title}: {signed_usd(step.difference_usd)} USD/month", step.change, broken)


def _text(text: str) -> str:
    return html.escape(text)


def _html_table(table: Table) -> str:
    marks = ["class='number'" if column.startswith(">") else "" for column in table.columns]

    def row(cells: Sequence[str], tag: str) -> str:
        return (
            "<tr>"
            + "".join(f"<{tag} {mark}>{_text(cell)}</{tag}>" for cell, mark in zip(cells, marks, strict=True))
            + "</tr>"
        )

    head = row([column.removeprefix(">") for column in table.columns], "th")
    body = "".join(row(cells, "td") for cells in table.rows)
    foot = f"<tfoot>{row(table.footer, 'td')}</tfoot>" if table.footer else ""
    return f"<div class='wide'><table><caption>{_text(table.title)}</caption><thead>{head}</thead><tbody>{body}</tbody>{foot}</table></div>"
