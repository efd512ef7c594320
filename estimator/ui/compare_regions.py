"""The same service in every region, ranked; what is not known of a region is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from estimator.planning.comparison import HALF_A_CENT
from estimator.planning.regions import RegionBill, bills_by_region
from estimator.planning.result import Plan
from estimator.pricing.folders import refreshed_folder
from estimator.pricing.regions import REGIONS
from estimator.report.region_figures import regions_figure
from estimator.report.tables import regions_table
from estimator.ui import compare_csv, figures, tables
from estimator.ui.cached import Question


def show(question: Question, plan: Plan) -> None:
    """Show the bill of a service in every region.

    Parameters
    ----------
    question : Question
        What the service answers.
    plan : Plan
        The service.
    """
    home = plan.cost.region
    bills = region_bills(question, plan)
    st.markdown(f"**{tables.plain(verdict(bills, home))}**")
    st.caption(
        "The same tasks and requests everywhere; the latency to your users and transfer between regions are not part of it. "
        "Of a region whose bill is at least so much a rate is not known: it stands last, whatever it costs."
    )
    told = ", ".join(f"{bill.region} {bill.cost.total_text}" for bill in bills[:3])
    figures.show(
        regions_figure(bills, home),
        key="chart.regions",
        alt=f"Bill of the same service in {len(bills)} regions, ranked; the cheapest: {told}",
        name="regions",
    )
    table = regions_table(bills, home)
    st.header(table.title)
    tables.show(table, height=420)
    frame = pd.DataFrame([bill.to_dict() | {"unknown": "; ".join(bill.unknown)} for bill in bills])
    compare_csv.show(frame, key="download.regions", name="regions", text="A row for each region, ranked.")


def region_bills(question: Question, plan: Plan) -> tuple[RegionBill, ...]:
    """Price a service in every region, once for all who ask.

    Parameters
    ----------
    question : Question
        What the service answers.
    plan : Plan
        The service.

    Returns
    -------
    tuple of RegionBill
        Whole bills first, cheapest first; then those that are at least so much.
    """
    found = _found(plan.fingerprint(), question.text, str(question.folder), _stamp())
    if not found:
        bar = st.progress(0.0, "Pricing the service in every region ...")

        def regions() -> Iterator[str]:
            for done, region in enumerate(REGIONS):
                bar.progress(done / len(REGIONS), f"Pricing the service in {region} ...")
                yield region

        try:
            found += bills_by_region(
                plan,
                lambda region: question.scenario.model_copy(update={"region": region}).rates(question.folder),
                regions(),
            )
        finally:
            bar.empty()
    return tuple(found[: len(REGIONS)])


@st.cache_resource(max_entries=32, show_spinner=False)
def _found(fingerprint: str, text: str, folder: str, stamp: tuple[tuple[str, int], ...]) -> list[RegionBill]:
    """Hold the bills of a service; empty until someone has found them, since no progress can be shown from inside a cache."""
    return []


def _stamp() -> tuple[tuple[str, int], ...]:
    """Return the times of the last refresh of each region, so that new prices are a new question. [ns]"""
    return tuple((path.name, path.stat().st_mtime_ns) for path in sorted(refreshed_folder().glob("*.json")))


def verdict(bills: Sequence[RegionBill], home: str) -> str:
    """Say where a service is cheapest.

    Parameters
    ----------
    bills : sequence of RegionBill
        Whole bills first, cheapest first; then those that are at least so much.
    home : str
        The region of the service.

    Returns
    -------
    str
        A sentence; regions that cost the same to the cent are all named.
    """
    here = next(bill for bill in bills if bill.region == home)
    whole = [bill for bill in bills if not _is_open(bill)]
    if not whole:
        return "In no region are all its rates known, so which is the cheapest cannot be said."
    least = whole[0].cost.total_usd
    alike = [bill for bill in whole if bill.cost.total_usd - least < HALF_A_CENT]
    # A bill of which a rate is unknown may be less than all others, or it may not.
    is_open = any(_is_open(bill) and bill.cost.total_usd < least for bill in bills)
    where = "Of the regions whose rates are all known it is cheapest" if is_open else "It is cheapest"
    if here in alike:
        return f"{where} here, in {home}: {here.cost.total_text}."
    *others, last = [f"{bill.region} ({bill.location})" for bill in alike]
    named = f"{', '.join(others)} and {last}" if others else last
    said = f"{where} in {named}: {whole[0].cost.total_text}"
    if _is_open(here):
        return f"{said}. What it costs here, in {home}, is not known to the end: {here.cost.total_text}."
    less = here.cost.total_usd - least
    return f"{said}, ${less:,.2f} less than here in {home} ({100 * less / here.cost.total_usd:.1f} %)."


def _is_open(bill: RegionBill) -> bool:
    return bill.cost.is_lower_bound or bill.lacks_savings_plans
