"""Network layouts on the page: what each costs, and from how much traffic and how many tasks on another one is cheaper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from estimator.billing.charges import CHARGES
from estimator.planning.networks import (
    NETWORK_CHARGES,
    NetworkBill,
    break_even_gb,
    cheapest_by_gb,
    network_usd_by_gb,
    traffic_gb,
)
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.choice_figures import networks_figure
from estimator.report.provenance import explain
from estimator.report.tables import Table, networks_table
from estimator.ui import figures, tables

_THROUGH = "of logs, calls to the internet and images from elsewhere"


def break_even_tasks(one: NetworkBill, other: NetworkBill, plan: Plan, rates: Rates) -> float | None:
    """Find how many tasks make two layouts cost the same, all else as it is.

    Only tasks with public addresses are billed one by one in the network: each address is billed by the hour (AWS, "Amazon VPC pricing", public
    IPv4 addresses, read 2026). So one of both must have them.

    Parameters
    ----------
    one, other : NetworkBill
        The layouts.
    plan : Plan
        The service, for its traffic.
    rates : Rates
        The region's rates.

    Returns
    -------
    float or None
        Tasks on average over the month at which they change places; None if they do not, or a rate is not known. [tasks]

    Notes
    -----
    The traffic stays as it is: it follows the requests, whatever the size of the tasks that serve them.
    """
    rate = rates.known.get(CHARGES["public_ipv4"].price)
    public = [bill.network.layout == "public" for bill in (one, other)]
    if rate is None or public[0] == public[1]:
        return None
    with_addresses, without = (one, other) if public[0] else (other, one)
    gb = traffic_gb(plan, rates)
    dear, cheap = network_usd_by_gb((without, with_addresses), plan, rates, [gb])[:, 0].tolist()
    usd_per_task = float(np.asarray(rate.cost(np.array([plan.cost.hours_per_month])))[0])
    tasks = plan.figures["mean_tasks"] + (dear - cheap) / usd_per_task
    return float(tasks) if np.isfinite(tasks) and tasks > 0 else None


def break_even_table(bills: Sequence[NetworkBill], plan: Plan, rates: Rates) -> Table:
    """Show where layouts change places with the one that is cheapest here, and with public addresses.

    Parameters
    ----------
    bills : sequence of NetworkBill
        What `compare_networks` gives.
    plan : Plan
        The service.
    rates : Rates
        The region's rates.

    Returns
    -------
    Table
        For each layout the traffic at which it costs what the cheapest one costs, and the tasks at which it costs what public addresses cost.
    """
    served = [bill for bill in bills if bill.cost is not None]
    public = next((bill for bill in served if bill.network.layout == "public"), None)
    rows = []
    for bill in served:
        gb = None if bill is served[0] else break_even_gb(served[0], bill, plan, rates)
        tasks = None if public is None or bill is public else break_even_tasks(public, bill, plan, rates)
        rows.append(
            (
                bill.title,
                "cheapest here" if bill is served[0] else "never" if gb is None else f"{gb:,.4g}",
                "" if bill is public else "never" if tasks is None else f"{tasks:,.1f}",
            )
        )
    return Table(
        "Where they change places",
        ("Layout", ">GB/month, with the cheapest", ">Tasks, with public addresses"),
        tuple(rows),
    )


def show(bills: Sequence[NetworkBill], plan: Plan, rates: Rates) -> None:
    """Show the layouts.

    Parameters
    ----------
    bills : sequence of NetworkBill
        What `compare_networks` gives.
    plan : Plan
        The service.
    rates : Rates
        The region's rates.
    """
    today_gb = traffic_gb(plan, rates)
    said = (_summary(bills, plan, rates), _tasks_text(bills, plan, rates))
    st.markdown(tables.plain(" ".join(filter(None, said))))
    figures.show(
        networks_figure(bills, plan, rates),
        key="chart.networks",
        alt="What each network layout costs a month by its traffic; a dotted line at the traffic of the service: "
        + ", ".join(f"{bill.title} {bill.network_text} USD" for bill in bills if bill.cost is not None),
        name="networks",
    )
    st.caption(
        f"{today_gb:,.4g} GB a month {_THROUGH} go through a layout that charges for them; the load balancer's own traffic takes another way. "
        f"On average {plan.figures['mean_tasks']:,.1f} tasks run."
    )
    table = networks_table(bills)
    st.subheader(table.title)
    # Sentences have no place in a table on a phone.
    tables.show(table.without("Condition, or why not"), save="networks")
    for bill in bills:
        if text := bill.why_not or bill.condition:
            st.caption(tables.plain(f"{bill.title[0].upper()}{bill.title[1:]}: {text}"))
    table = break_even_table(bills, plan, rates)
    st.subheader(table.title)
    st.caption(
        "The traffic at which a layout costs what the cheapest one costs, with these tasks; and how many tasks make public addresses cost what it "
        "costs, with this traffic."
    )
    tables.show(table, save="networks-break-even")
    _arithmetic(bills, rates)


def _tasks_text(bills: Sequence[NetworkBill], plan: Plan, rates: Rates) -> str:
    """Say from how many tasks on a layout without public addresses is cheaper than one with them."""
    served = [bill for bill in bills if bill.cost is not None and not bill.condition]
    public = next((bill for bill in served if bill.network.layout == "public"), None)
    if public is None:
        return ""
    found = {bill.title: break_even_tasks(public, bill, plan, rates) for bill in served if bill is not public}
    known = {title: tasks for title, tasks in found.items() if tasks is not None}
    if not known:
        return ""
    title = min(known, key=known.__getitem__)
    return f"From {known[title]:,.1f} tasks on average on, {title} costs less than public addresses for each."


def _summary(bills: Sequence[NetworkBill], plan: Plan, rates: Rates) -> str:
    """Say which layout is the cheapest from which traffic on."""
    ranges = cheapest_by_gb(bills, plan, rates)
    if not ranges:
        return "Which layout is the cheapest cannot be said: each of them has an unknown rate, or serves on a condition only."
    begin = "Of the layouts that need nothing else, " if any(bill.condition for bill in bills) else ""
    if len(ranges) == 1:
        said = f"{begin}{ranges[0][1].title} cost least with these tasks, whatever the traffic."
        return f"{said[0].upper()}{said[1:]}"
    ends = [gb for gb, _ in ranges[1:]]
    parts = [
        f"{bill.title} up to {end:,.4g} GB a month" if end is not None else f"{bill.title} from {gb:,.4g} GB on"
        for (gb, bill), end in zip(ranges, [*ends, None], strict=True)
    ]
    said = f"{begin}cheapest with these tasks: {', '.join(parts)}."
    return f"{said[0].upper()}{said[1:]}"


@st.fragment
def _arithmetic(bills: Sequence[NetworkBill], rates: Rates) -> None:
    """Show how a layout's lines come about; to choose another one runs nothing else of the page."""
    served = {bill.title: bill for bill in bills if bill.cost is not None}
    chosen = st.selectbox(
        "Arithmetic of a layout",
        list(served),
        index=None,
        key="networks.arithmetic",
        placeholder="Choose a layout",
        help="Each line of the network: its quantity, what each tier of its price adds, and where rate and rule were read.",
    )
    if chosen is None or (cost := served[str(chosen)].cost) is None:
        return
    lines = [line for line in cost if line.charge in NETWORK_CHARGES]
    text = "\n\n".join("\n".join(explain(line, rates.known.get(line.price))) for line in lines)
    st.code(text or "No line of the bill is of this layout.", language=None, wrap_lines=True)
