"""The month's bill: every line with its quantity, rate, SKU and date, and what is not on it."""

from __future__ import annotations

import streamlit as st

from estimator.planning.result import Plan
from estimator.report import figures
from estimator.report.tables import bill_table
from estimator.ui import tables


def show(plan: Plan) -> None:
    """Show the bill as bars and as a table.

    Parameters
    ----------
    plan : Plan
        The plan.
    """
    cost = plan.cost
    st.plotly_chart(
        figures.bill(plan), key="chart.bill", config={"displayModeBar": False}, alt="Lines of the bill, largest on top"
    )
    table = bill_table(cost)
    st.subheader(table.title)
    # On a phone the SKU's column, which says it too, is off the page.
    tables.show(table, notes=tuple("; ".join(filter(None, (line.formula, line.yours_text))) for line in cost))
    st.caption(tables.plain(f"{cost.prices_text} Not included: {cost.not_included}."))
    if stale := cost.stale_text():
        st.caption(f":material/history: {tables.plain(stale)}")
