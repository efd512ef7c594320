"""What turned knobs do: figures with their differences, the lines of the bill that differ, both courses over one another."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from estimator.billing.costing import usd_text
from estimator.planning.comparison import HALF_A_CENT, Comparison
from estimator.planning.line_differences import bounds_text
from estimator.planning.result import Plan
from estimator.report.tables import Table
from estimator.report.what_if_figures import courses_figure
from estimator.ui import compare_csv, figures, tables

#: What the two are called in tables and figures, and in sentences.
TITLES, IN_WORDS = ("Recommended", "By hand"), ("the recommendation", "By hand")
#: The four figures: label, name in ``Plan.figures``, form, decimals in which a difference counts, help.
_FIGURES = (
    ("Tasks on average", "mean_tasks", "{:,.2f}", 2, "Billed tasks on average over the period."),
    (
        "p95 latency",
        "p95_latency_ms",
        "{:,.0f} ms",
        0,
        "95 of 100 requests of the period are answered within this time.",
    ),
    (
        "Over capacity",
        "minutes_over_capacity_per_month",
        "{:,.1f} min",
        1,
        "Minutes of a month whose load is more than the healthy tasks can serve.",
    ),
)


def show_figures(found: Comparison, is_turned: bool) -> None:
    """Show the verdict and the four figures.

    Parameters
    ----------
    found : Comparison
        The recommendation and the service made by hand.
    is_turned : bool
        False if no knob is turned.
    """
    if not is_turned:
        st.markdown("**The knobs stand where the recommendation has them.** Turn one, and what it does stands here.")
    else:
        st.markdown(f"**{tables.plain(found.verdict)}**")
    with st.grid(4, min_column_width=160):
        cost = found.after.cost
        st.metric(
            "Monthly bill",
            cost.total_text.removesuffix(" a month"),
            **_bill_change(found),
            help=f"USD for a month of {cost.hours_per_month:g} hours. Below it the difference to the recommendation.",
            border=True,
        )
        for label, name, form, digits, text in _FIGURES:
            before, after = found.before.figures[name], found.after.figures[name]
            shown = form.format(after) if math.isfinite(after) else "no bound"
            st.metric(label, shown, **_change(before, after, form, digits), help=text, border=True)
    for note in found.notes:
        st.caption(f":material/info: {tables.plain(note)}")
    if told := found.after.cost.savings_plans_text:
        st.caption(f":material/savings: {tables.plain(told)}")
    for text in found.after.warnings:
        if text not in found.before.warnings:
            st.caption(f":material/warning: {tables.plain(text)}")


def show_courses(found: Comparison, is_turned: bool) -> None:
    """Show the recommendation's course, and over it the one made by hand.

    Parameters
    ----------
    found : Comparison
        The recommendation and the service made by hand.
    is_turned : bool
        False if no knob is turned.
    """
    several = 2 if is_turned else 1
    told = " and ".join(TITLES[:several]).lower()
    figures.show(
        courses_figure((found.before, found.after)[:several], TITLES[:several]),
        key="chart.what_if",
        alt=f"Load, running tasks and p95 response time over one period, {told}",
        name="what-if-courses",
    )


def show_lines(found: Comparison) -> None:
    """Show the lines of the bill that differ.

    Parameters
    ----------
    found : Comparison
        The recommendation and the service made by hand.
    """
    table = lines_that_differ(found)
    if not table.rows:
        st.caption("No line of the bill differs.")
        return
    tables.show(table)
    text = "A row for each line of either bill, with quantity, unit, unit price and cost before and after."
    compare_csv.show(found.to_frame(), key="download.what_if", name="what-if-lines", text=text)


def lines_that_differ(found: Comparison) -> Table:
    """List the lines of two bills that differ by a cent or more, or may.

    Parameters
    ----------
    found : Comparison
        The two.

    Returns
    -------
    Table
        Charge, both costs and the difference, the largest first; footed by both totals. [USD/month]
    """
    lines = [line for line in found.lines if line.difference_usd is None or abs(line.difference_usd) >= HALF_A_CENT]
    lines.sort(key=lambda line: -math.inf if line.difference_usd is None else -abs(line.difference_usd))
    rows = tuple(
        (
            line.title,
            usd_text(line.before_usd) if line.before else "none",
            usd_text(line.after_usd) if line.after else "none",
            bounds_text(line.least_usd, line.most_usd),
        )
        for line in lines
    )
    totals = (_total(plan) for plan in (found.before, found.after))
    total = bounds_text(found.least_difference_usd, found.most_difference_usd)
    heads = ("USD/month", *(f">{title}" for title in TITLES), ">Difference")
    return Table("Lines of the bill that differ", heads, rows, ("Whole bill", *totals, total))


def _total(plan: Plan) -> str:
    return f"{'at least ' if plan.cost.is_lower_bound else ''}{plan.cost.total_usd:,.2f}"


def _bill_change(found: Comparison) -> dict[str, Any]:
    """Return the bill's difference as `st.metric` takes it."""
    if found.difference_usd is None:
        return _still("difference not known")
    usd = round(found.after.cost.total_usd, 2) - round(found.before.cost.total_usd, 2)
    if abs(usd) < HALF_A_CENT:
        return _still("as recommended")
    return _moved(usd > 0, f"${abs(usd):,.2f}")


def _change(before: float, after: float, form: str, digits: int) -> dict[str, Any]:
    """Return the difference of a figure as `st.metric` takes it, of the figures as they are shown."""
    if before == after:
        return _still("as recommended")
    if not (math.isfinite(before) and math.isfinite(after)):
        was = form.format(before) if math.isfinite(before) else "no bound"
        return {"delta": f"was {was}", "delta_color": "off", "delta_arrow": "up" if after > before else "down"}
    change = round(after, digits) - round(before, digits)
    return _moved(change > 0, form.format(abs(change))) if change else _still("as recommended")


def _still(text: str) -> dict[str, Any]:
    return {"delta": text, "delta_color": "off", "delta_arrow": "off"}


def _moved(is_more: bool, text: str) -> dict[str, Any]:
    # A hyphen is what st.metric reads as a fall.
    return {"delta": f"{'+' if is_more else '-'}{text}", "delta_color": "inverse"}
