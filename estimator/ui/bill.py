"""The month's bill: how its total comes about, every line with its quantity, rate, SKU and date, and the arithmetic of each."""

from __future__ import annotations

import streamlit as st

from estimator.billing.costing import CostBreakdown
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.bill_figures import bill_waterfall
from estimator.report.bill_steps import bill_steps
from estimator.report.provenance import explain
from estimator.report.tables import bill_table
from estimator.ui import cached, figures, tables


def show(question: cached.Question, plan: Plan) -> None:
    """Show the bill as steps to its total and as a table, and the arithmetic of a line that one asks for.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.
    """
    cost = plan.cost
    told = ", ".join(f"{step.title} {step.text}" for step in bill_steps(cost))
    figures.show(bill_waterfall(cost), key="chart.bill", alt=f"How the bill comes about: {told} a month", name="bill")
    table = bill_table(cost)
    st.subheader(table.title)
    # On a phone the SKU's column, which says it too, is off the page.
    tables.show(table, notes=tuple(line.yours_text for line in cost), save="bill")
    _arithmetic(cost, cached.rates(question))
    if done := cost.savings_plans_text:
        st.caption(f":material/savings: {tables.plain(done)}")
    st.caption(tables.plain(f"{cost.prices_text} {cost.scope_text}"))
    if stale := cost.stale_text():
        st.caption(f":material/history: {tables.plain(stale)}")


@st.fragment
def _arithmetic(cost: CostBreakdown, rates: Rates) -> None:
    """Show how a line comes about; to choose another one runs nothing else of the page."""
    titles = {line.charge: line.title for line in cost}
    chosen = st.selectbox(
        "Arithmetic of",
        list(titles),
        index=None,
        format_func=lambda charge: titles.get(charge, charge),
        key="bill.arithmetic",
        placeholder="Choose a line of the bill",
        help="How the line's quantity comes about, what each tier of its price adds, and where rate and rule were read.",
    )
    for line in cost:
        if line.charge == chosen:
            st.code("\n".join(explain(line, rates.known.get(line.price))), language=None, wrap_lines=True)
