"""Kept scenarios side by side: what is kept, their bills as a chart, their figures and lines with the differences to the first."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.comparison import compare
from estimator.planning.result import Plan
from estimator.report.comparison import fields_table
from estimator.report.region_figures import bills_figure
from estimator.ui import compare_csv, compare_search, compare_store, compare_tables, figures, tables
from estimator.ui.cached import Question
from estimator.ui.compare_store import CURRENT, CURRENT_NAME, MOST_SHOWN

#: A card of a kept scenario; four stand in a row of a wide page. [px]
_CARD_PX = 210


def show(question: Question) -> None:
    """Show what is kept, and the chosen ones side by side.

    Parameters
    ----------
    question : Question
        The settings of now.
    """
    entries = compare_store.kept()
    if not entries:
        st.info(
            "Nothing is kept yet. Keep this scenario, change a control of the sidebar, and see both side by side. The page What if keeps what "
            "you turn by hand.",
            icon=":material/bookmark:",
        )
    with st.grid(4, min_column_width=_CARD_PX):
        for number, entry in entries.items():
            with st.container(border=True, gap="small"):
                _card(number, entry)
        with st.container(border=True, gap="small"):
            st.markdown(f"**{CURRENT_NAME}**")
            st.caption("What the controls of the sidebar say.")
            compare_store.keep_button(question, key="keep.compare")
            if entries:
                _beside(CURRENT, CURRENT_NAME)
    everything = {**entries, CURRENT: compare_store.of(question, CURRENT_NAME)}
    plans: dict[str, Plan] = {}
    for number in compare_store.shown():
        entry = everything[number]
        try:
            plan = compare_search.priced(entry)
        except EstimatorError as error:
            text = tables.plain(f"{entry.name} is left out: {error}")
            st.warning(text, icon=":material/warning:")
        else:
            plans |= {} if plan is None else {entry.name: plan}
    if plans:
        _side_by_side(list(plans), list(plans.values()))


def _card(number: int, entry: compare_store.Kept) -> None:
    """Show a kept scenario: its name to change, whether it stands beside the others, and a way to remove it."""
    key = f"compare.name.{number}"
    if st.session_state.get(key) != entry.name:
        st.session_state[key] = entry.name
    st.text_input(
        "Name",
        key=key,
        max_chars=compare_store.LONGEST_NAME,
        on_change=_rename,
        args=(number,),
        help="What this scenario is called in tables and figures.",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Made by hand" if entry.is_service else "Its plan", width="content")
        st.button(
            "Remove",
            key=f"compare.remove.{number}",
            on_click=compare_store.remove,
            args=(number,),
            type="tertiary",
            icon=":material/delete:",
            help=f"Keep {entry.name} no longer.",
        )
    _beside(number, entry.name)


def _rename(number: int) -> None:
    compare_store.rename(number, str(st.session_state[f"compare.name.{number}"]))


def _beside(number: int, name: str) -> None:
    """Show whether a scenario stands beside the others."""
    shown, key = compare_store.shown(), f"compare.beside.{number}"
    if st.session_state.get(key) != (number in shown):
        st.session_state[key] = number in shown
    is_full = len(shown) >= MOST_SHOWN and number not in shown
    full = f"{MOST_SHOWN} stand side by side, which is all that fit. Take another one away first."
    usual = f"Shows {name} below. The first that is shown is what the others are compared with."
    st.checkbox(
        "Side by side",
        key=key,
        on_change=_choose,
        args=(number,),
        disabled=is_full,
        help=full if is_full else usual,
    )


def _choose(number: int) -> None:
    compare_store.choose(number, is_shown=bool(st.session_state[f"compare.beside.{number}"]))


def _side_by_side(names: list[str], plans: list[Plan]) -> None:
    for name, plan in zip(names, plans, strict=True):
        st.markdown(
            tables.plain(f"{name}: {plan}, in {plan.cost.region}.").replace(
                tables.plain(name), f"**{tables.plain(name)}**", 1
            )
        )
    costs = [plan.cost for plan in plans]
    told = ", ".join(f"{name} {cost.total_text}" for name, cost in zip(names, costs, strict=True))
    figures.show(
        bills_figure(names, costs),
        key="chart.compare",
        alt=f"Bills stacked by group of charges: {told}",
        name="compare-bills",
    )
    if len(plans) > 1:
        for name, plan in zip(names[1:], plans[1:], strict=True):
            found = compare(plans[0], plan, (names[0], name))
            st.markdown(tables.plain(f"{found.verdict} {' '.join(found.notes)}"))
    st.header("Figures")
    tables.show(compare_tables.figures_table(names, plans))
    compare_csv.show(
        compare_tables.figures_frame(names, plans),
        key="download.compare.figures",
        name="compare-figures",
        text="A row for each scenario, with its service and its figures.",
    )
    st.header("Line by line")
    tables.show(compare_tables.lines_table(names, plans))
    compare_csv.show(
        compare_tables.lines_frame(names, plans),
        key="download.compare.lines",
        name="compare-lines",
        text="A row for each line of each bill, with quantity, unit, cost and the difference to the first.",
    )
    for name, plan in zip(names[1:], plans[1:], strict=True):
        _fields(names[0], plans[0], name, plan)


def _fields(first: str, before: Plan, name: str, after: Plan) -> None:
    """Show what two scenarios have differently, folded."""
    found = compare(before, after, (first, name))
    differing = (("of the service", found.service), ("of what it rests on", found.assumptions))
    if not any(fields for _, fields in differing):
        return
    with st.expander(
        f"What differs between {tables.plain(first)} and {tables.plain(name)}", icon=":material/difference:"
    ):
        for title, fields in differing:
            if fields:
                st.markdown(f"**{title.capitalize()}**")
                tables.show(fields_table(title, fields))
        compare_csv.show(
            _frame([*found.service, *found.assumptions]),
            key=f"download.compare.fields.{name}",
            name="compare-fields",
            text="A row for each field that differs.",
        )


def _frame(fields: list[object]) -> object:
    import pandas as pd

    return pd.DataFrame([{name: getattr(each, name) for name in ("name", "before", "after")} for each in fields])
