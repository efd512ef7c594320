"""The page of AWS's prices: what is known of the region, from when, what changed since, and how to ask again."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.pricing.places import price_places
from estimator.report.tables import places_table
from estimator.ui import cached, controls, failure, prices_changes, prices_list, prices_refresh, tables


def show() -> None:
    """Show the page."""
    st.title("What is known of AWS's prices?")
    st.caption(
        "Every bill here is made of these prices. They ship with the program, each with its day, source and, where the source has one, "
        "AWS's SKU; nothing is fetched unless you ask for it."
    )

    try:
        with st.sidebar:
            question = controls.show("prices")
        rates = cached.rates(question)
    except EstimatorError as error:
        failure.show(error)
        question = None

    if question is not None:
        region = question.scenario.region
        prices_list.show_summary(rates)

        st.header(f"SKU by SKU, {region}", anchor="list")
        prices_list.show(rates)

        st.header("What changed since", anchor="changes")
        try:
            prices_changes.show(question)
        except EstimatorError as error:
            failure.show(error)

        st.header("Ask AWS again", anchor="refresh")
        st.caption(f"Reads the prices of {region} and of what has no region, and keeps them beside the shipped ones.")
        prices_refresh.show_refresh(region)
        prices_refresh.show_progress()

        st.header("Import a file", anchor="import")
        st.caption("For a machine without a network: carry a file here. `docs/prices.md` says from which addresses.")
        prices_refresh.show_import(region)

    _where()


def _where() -> None:
    places = price_places()
    with st.expander("Where prices are kept", icon=":material/folder_open:"):
        tables.show(places_table(places))
        for place in places:
            for text in place.damaged:
                st.error(tables.plain(text), icon=":material/error:")
        st.caption(
            "Of each price the rate counts that was last seen on AWS's list. `ESTIMATOR_PRICES_FOLDER` moves your refreshes; delete that "
            "folder to go back to the shipped prices."
        )
