"""The prices of a region, one row for each SKU: how many are known, a search, and all that is known of one."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from estimator.pricing.rates import Rates
from estimator.report.price_tables import price_frame, price_list_table, price_record, price_rows, price_summary
from estimator.report.tables import stale_text
from estimator.ui import compare_csv, tables

_ALL, _KNOWN, _UNKNOWN = "All", "Known", "Unknown"
_WHICH = {_ALL: None, _KNOWN: True, _UNKNOWN: False}
#: Rows that are shown before the list scrolls, and the height of one. [1] and [px]
_ROWS, _ROW_PX = 14, 35


def show_summary(rates: Rates) -> None:
    """Show how much is known, and how old it is.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    """
    summary = price_summary(rates, every=True)
    with st.grid(4, min_column_width=220):
        st.metric(
            "Known prices",
            f"{summary.known}",
            f"{summary.unknown} unknown",
            delta_color="off" if not summary.unknown else "inverse",
            delta_arrow="off",
            help="All prices that a bill of this region may need.",
            border=True,
        )
        st.metric(
            "Newest published",
            _day(summary.newest),
            f"oldest {_day(summary.oldest)}",
            delta_color="off",
            delta_arrow="off",
            help="Days on which AWS published the newest and the oldest of these prices. A price may hold for years.",
            border=True,
        )
        st.metric(
            "Last seen on AWS's list",
            _day(summary.last_seen),
            _ago(summary.last_seen),
            delta_color="off",
            delta_arrow="off",
            help="The last day on which one of them was read there again, with the same figure.",
            border=True,
        )
        st.metric(
            "Prices of",
            rates.as_of.isoformat() if rates.as_of else "today",
            "own prices laid over" if rates.own else "AWS's, as they are",
            delta_color="off",
            delta_arrow="off",
            help="The scenario's section `prices` says of which day they are, and may lay prices and discounts of your own over AWS's.",
            border=True,
        )
    if stale := stale_text(rates):
        st.caption(f":material/history: {tables.plain(stale)}")


def show(rates: Rates) -> None:
    """Show the list, and the record of the price that one asks for.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    """
    with st.grid(3, min_column_width=220, vertical_alignment="bottom"):
        matching = st.text_input(
            "Search",
            key="prices.search",
            placeholder="nat gateway, Fargate, a SKU ...",
            help="Words of the name, title, service, usage type or SKU; all of them must be there. A search goes through every price.",
        )
        which = st.segmented_control(
            "Show",
            list(_WHICH),
            required=True,
            default=_ALL,
            key="prices.which",
            help="An unknown price is one that no list that was read has; it is never taken as 0.",
        )
        every = st.toggle(
            "Savings Plans, CloudFront too",
            key="prices.every",
            help="Adds the prices that are many alike: also those of data transfer to other regions.",
        )
    known = _WHICH[str(which)]
    rows = price_rows(rates, every, matching, known)
    table = price_list_table(rates, every, matching, known)
    more = "" if every or matching else " The many of Savings Plans, CloudFront and other regions are not listed."
    st.caption(f"{table.title}; USD without taxes, private discounts taken off.{more}")
    if not rows:
        st.info(_nothing(matching, str(which)), icon=":material/search_off:")
        return
    _list(table.rows, tuple(head.lstrip(">") for head in table.columns))
    compare_csv.show(
        price_frame(rows),
        key="download.prices",
        name=f"{rates.region}-prices",
        text="A row for each tier of each price that is listed, with SKU, days and source.",
    )
    titles = {row["price"]: row["title"] or row["price"] for row in rows}
    chosen = st.selectbox(
        "Record of",
        list(titles),
        index=None,
        format_func=lambda name: titles.get(name, name),
        key="prices.record",
        placeholder="Choose a price of the list",
        help="All that is known of one price: tiers, SKU, days, and where it was read.",
    )
    if chosen is not None:
        st.code("\n".join(price_record(rates, chosen)), language=None, wrap_lines=True)


def _list(rows: tuple[tuple[str, ...], ...], heads: tuple[str, ...]) -> None:
    wide = st.column_config.TextColumn(width="medium")
    st.dataframe(
        pd.DataFrame(list(rows), columns=list(heads)),
        hide_index=True,
        height=_ROW_PX * (min(len(rows), _ROWS) + 1) + 2,
        row_height=_ROW_PX,
        column_config={
            heads[0]: st.column_config.TextColumn(width=245, pinned=True),
            "USD/unit": st.column_config.TextColumn(width=130, alignment="right", help="Of each tier, in USD."),
            "Published": st.column_config.TextColumn(help="Day on which AWS published it."),
            "Seen again": st.column_config.TextColumn(help="Last day on which it stood on AWS's list unchanged."),
            "From": st.column_config.TextColumn(help="AWS itself, or who copied it from AWS."),
            "Usage type": wide,
            "Price": wide,
        },
        key="prices.list",
        alt="Prices of the region: what it is, USD per unit, unit, SKU, days and source",
    )


def _nothing(matching: str, which: str) -> str:
    if which == _UNKNOWN and not matching:
        return "No price is unknown here."
    words = "" if which == _ALL else f" {which.lower()}"
    return f"No{words} price has {matching!r} in its name, title, service, usage type or SKU. Search for less."


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else "unknown"


def _ago(day: dt.date | None) -> str:
    if day is None:
        return "never"
    days = (dt.datetime.now(dt.UTC).date() - day).days
    return "today" if days <= 0 else f"{days} day{'' if days == 1 else 's'} ago"
