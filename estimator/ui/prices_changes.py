"""What changed since another price list, and what that does to the plan's bill."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.price_effect import PriceEffect, price_effect, reprice
from estimator.planning.result import Plan
from estimator.pricing.changes import compare_rates
from estimator.pricing.snapshots import rates_from
from estimator.report.price_tables import changes_frame, leaps_text, newly_known_text
from estimator.report.tables import changes_table, effect_table
from estimator.ui import cached, compare_csv, compare_search, tables

_SHIPPED, _DAY = "What shipped", "A day"
#: A list of the year before is what one usually compares with. [d]
_YEAR_D = 365
_NOW = "now"


def show(question: cached.Question) -> None:
    """Show the differences.

    Parameters
    ----------
    question : Question
        What is asked.
    """
    before = _before()
    region = question.scenario.region
    changes = compare_rates(rates_from(before, region), rates_from(_NOW, region))
    listed = [change for change in changes if change.kind != "added"]
    words = "what shipped" if before == "shipped" else before
    if listed:
        table = changes_table({region: listed}, words, _NOW)
        st.caption(table.title)
        tables.show(table, tuple(change.title for change in listed))
    else:
        st.caption(f"No price that {words} knew differs from now in {region}.")
    for text in (newly_known_text(changes), leaps_text(changes)):
        if text:
            st.caption(tables.plain(text))
    if changes:
        compare_csv.show(
            changes_frame(changes),
            key="download.prices.changes",
            name=f"{region}-since-{before}",
            text="A row for each price that differs or became known, in USD per unit.",
        )
    if changes and st.toggle(
        "What it does to the plan's bill",
        key="prices.effect",
        help="The service that the plan found, billed at both lists, with the same load.",
    ):
        _show_effect(question, before)


def _before() -> str:
    with st.grid(2, min_column_width=220, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Since",
            (_SHIPPED, _DAY),
            required=True,
            default=_SHIPPED,
            key="prices.since",
            help="The prices that came with the program, or those that held on a day.",
        )
        if chosen == _SHIPPED:
            return "shipped"
        today = dt.datetime.now(dt.UTC).date()
        day = st.date_input(
            "Day",
            today - dt.timedelta(days=_YEAR_D),
            min_value=dt.date(2017, 11, 29),
            max_value=today,
            format="YYYY-MM-DD",
            key="prices.day",
            help="Prices as they held on this day, as far as they are known. Fargate began on 2017-11-29.",
        )
        return day.isoformat()


def _show_effect(question: cached.Question, before: str) -> None:
    try:
        plan = compare_search.plan_of(question, question.scenario.name)
        if plan is None:
            return
        effect = _effect(question, plan, before)
    except EstimatorError as error:
        st.error(tables.plain(str(error)), icon=":material/error:")
        return
    table = effect_table(effect)
    st.caption(tables.plain(effect.verdict))
    tables.show(table)
    compare_csv.show(
        pd.DataFrame(effect.to_dict()["lines"]),
        key="download.prices.effect",
        name=f"{question.scenario.name}-at-both-prices",
        text="A row for each line of either bill, in USD a month; what is unknown is empty.",
    )


def _effect(question: cached.Question, plan: Plan, before: str) -> PriceEffect:
    scenario, region = question.scenario, question.scenario.region
    own_before, own_now = (scenario.prices.over(rates_from(text, region), question.folder) for text in (before, _NOW))
    return price_effect(reprice(plan, own_before), own_now)
