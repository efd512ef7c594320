"""The same service at an older price list: both bills, the lines whose price moved, and what a search would have chosen then."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.price_effect import PriceEffect, price_effect, reprice
from estimator.planning.result import Plan
from estimator.report.region_figures import bills_figure
from estimator.report.tables import effect_table
from estimator.ui import cached, compare_csv, compare_search, compare_store, failure, figures, tables
from estimator.ui.cached import Question

#: The first day that one may ask for: of days before it hardly a price is known.
FIRST_DAY = dt.date(2023, 1, 1)
_YEAR = dt.timedelta(days=365)


def show(question: Question, plan: Plan) -> None:
    """Show a service at an older price list.

    Parameters
    ----------
    question : Question
        What the service answers.
    plan : Plan
        The service, at the prices of the scenario.
    """
    newest = question.scenario.prices.as_of or dt.date.today()
    chosen = st.date_input(
        "Prices of",
        newest - _YEAR,
        FIRST_DAY,
        newest,
        key="compare.as_of",
        format="YYYY-MM-DD",
        help="Of each price the newest that is not later than this day; empty for a year before. [date]",
        persist_state="session",
        width=200,
    )
    day = chosen if isinstance(chosen, dt.date) else newest - _YEAR
    effect = effect_since(question, plan, day)
    st.markdown(f"**{tables.plain(effect.verdict)}**")
    names = [f"Prices of {day}", "Newest prices" if question.scenario.prices.as_of is None else f"Prices of {newest}"]
    costs = [effect.before, effect.after]
    told = ", ".join(f"{name} {cost.total_text}" for name, cost in zip(names, costs, strict=True))
    figures.show(
        bills_figure(names, costs),
        key="chart.prices",
        alt=f"Bills stacked by group of charges: {told}",
        name="price-lists",
    )
    table = effect_table(effect)
    st.header("Line by line")
    tables.show(table)
    frame = pd.DataFrame([asdict(line) | {"difference_usd": line.difference_usd} for line in effect.lines])
    compare_csv.show(frame, key="download.prices", name="price-lists", text="A row for each line of either bill.")
    _then(question, plan, day)


def effect_since(question: Question, plan: Plan, day: dt.date) -> PriceEffect:
    """Price a service at an older list and at that of now.

    Parameters
    ----------
    question : Question
        What the service answers.
    plan : Plan
        The service, at the prices of the scenario.
    day : datetime.date
        The day of the older list.

    Returns
    -------
    PriceEffect
        From the older list to that of now.
    """
    here = replace(question, scenario=question.scenario.model_copy(update={"region": plan.cost.region}))
    return price_effect(reprice(plan, cached.rates(_as_of(here, day))), cached.rates(here))


def _as_of(question: Question, day: dt.date) -> Question:
    prices = question.scenario.prices.model_copy(update={"as_of": day})
    return replace(question, scenario=question.scenario.model_copy(update={"prices": prices}))


def _then(question: Question, plan: Plan, day: dt.date) -> None:
    """Search at the older prices, if one asks for it."""
    older = _as_of(question, day)
    with st.container(horizontal=True, vertical_alignment="center"):
        searched = st.toggle(
            "Search at these prices too",
            key="compare.search_then",
            help="Finds the cheapest service that keeps the promise at the older prices; takes as long as a new plan.",
            persist_state="session",
        )
        compare_store.keep_button(older, key="keep.prices", name=f"{question.scenario.name} {day}")
    if not searched:
        return
    try:
        then = compare_search.plan_of(older, f"the prices of {day}")
    except EstimatorError as error:
        failure.show(error)
        return
    if then is None:
        return
    same = then.spec == plan.spec
    st.markdown(
        tables.plain(
            f"At the prices of {day} the search chose {'the same service' if same else 'another service'}: {then}."
        )
    )
