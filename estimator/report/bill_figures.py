"""Figures of a bill: bill_waterfall(bill), from nothing by group to the total."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from estimator.billing.costing import CostBreakdown, usd_text
from estimator.planning.result import Plan
from estimator.report.bill_steps import Step, bill_steps, unknown_text
from estimator.report.drawing import BLUE, GRAY, GRAY_AREA, GREEN, paper

#: Height of a step, and of all around them. [px]
_STEP_PX, _AROUND_PX = 34, 64
#: Width of a letter of an amount, at the usual size of a label. [px]
_LETTER_PX = 8.0
#: Size of labels and amounts: they are read, not glanced at. [px]
_LABEL_PX = 13
#: Letters of a line of the caption, which stays on a phone's page. [characters]
_CAPTION = 46
#: Most lines of a group that the pointer shows. [lines]
_MOST_LINES = 8


def bill_waterfall(bill: Plan | CostBreakdown) -> go.Figure:
    """Draw how a bill comes about: a bar for each group of lines, each beginning where the one above it ends, and the total.

    Amounts stand in a column of their own at the right, so that none lies over a bar on a narrow page. What Savings Plans take off is a step
    back. Groups with an unknown rate say so, and the caption names the lines.

    Parameters
    ----------
    bill : Plan or CostBreakdown
        A plan, or its bill.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar for each step of `bill_steps`. [USD/month]
    """
    cost = bill.cost if isinstance(bill, Plan) else bill
    steps = bill_steps(cost)
    total = steps[-1]
    names = [_name(step, step is total) for step in steps]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            measure=["relative"] * (len(steps) - 1) + ["total"],
            x=[step.usd for step in steps],
            y=names,
            customdata=[_hover(step) for step in steps],
            hovertemplate="%{customdata}<extra></extra>",
            increasing_marker_color=BLUE,
            decreasing_marker_color=GREEN,
            totals_marker_color=GRAY,
            connector={"line": {"color": GRAY, "width": 1, "dash": "dot"}, "mode": "between"},
        )
    )
    amounts = [_amount(step) for step in steps]
    amounts_px = 12 + int(_LETTER_PX * max(map(len, amounts)))
    place = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "xshift": amounts_px,
        "showarrow": False,
        "font": {"size": _LABEL_PX},
    }
    labels = [
        {**place, "y": name, "text": f"<b>{amount}</b>" if step is total else amount}
        for step, name, amount in zip(steps, names, amounts, strict=True)
    ]
    caption = "<br>".join(textwrap.wrap(unknown_text(cost), _CAPTION))
    most = max(step.end_usd for step in steps)
    figure.update_xaxes(
        title_text=f"USD/month<br><span style='font-size: 12px'>{caption}</span>" if caption else "USD/month",
        range=[0, max(most, 0.01) * 1.02],
        tickprefix="$",
        tickformat=",~f",
        nticks=3,
        tickangle=0,
        zeroline=False,
        gridcolor=GRAY_AREA,
        automargin=True,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ", tickfont_size=_LABEL_PX)
    layout = paper(_AROUND_PX + _STEP_PX * len(steps) + (16 * (caption.count("<br>") + 1) if caption else 0))
    margin = {"l": 10, "t": 6, "b": 10, "r": amounts_px + 4}
    figure.update_layout(layout | {"margin": margin, "annotations": labels}, bargap=0.45, showlegend=False)
    return figure


def _name(step: Step, is_total: bool) -> str:
    return f"<b>{step.title}</b>" if is_total else step.title


def _amount(step: Step) -> str:
    """Write what a step adds in few letters; the caption says in words what is not known."""
    return step.text.replace("at least ", "≥ ")


def _hover(step: Step) -> str:
    """Write a step with the largest of its lines."""
    lines = sorted(step.lines, key=lambda line: (line.contracted_cost is None, -(line.contracted_cost or 0.0)))
    shown = [f"{line.title}: {usd_text(line.contracted_cost)}" for line in lines[:_MOST_LINES]]
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return "<br>".join([f"<b>{step.title}: {step.text}</b>", *shown, *more])
