"""Tables of a bill taken apart: by month, fixed and variable, and by what leads the load balancer's capacity units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from estimator.billing.costing import usd_text
from estimator.report.bill_steps import GROUPS, REST, unknown_groups, usd_by_group
from estimator.report.tables import Table

if TYPE_CHECKING:  # a table of prices does not wait for what compiles the simulation
    from estimator.planning.cost_split import CostSplit
    from estimator.planning.horizon import MonthBill, MonthlyBills
    from estimator.planning.lcu_advice import LcuAdvice

#: What a title says of the first month, where others have another load.
_FIRST = ", in the first month"


def months_table(found: MonthlyBills) -> Table:
    """Show a service's bill month by month; months that are all alike have one row.

    Parameters
    ----------
    found : MonthlyBills
        What `bill_by_month` gives.

    Returns
    -------
    Table
        Requests, bill, its groups of charges, tasks, latency, what is not served, and whether the promise is kept.
    """
    months = found.months
    alike = len(months) > 1 and len({month.load_factor for month in months}) == 1
    shown = months[:1] if alike else months
    groups = [group for group in (*GROUPS, REST) if any(_group_text(month, group) for month in shown)]
    by_user = found.horizon.users is not None
    rows = tuple(
        (
            f"each of {len(months)}" if alike else str(month.month),
            f"{month.cost.requests:,.0f}",
            _least(month.cost.total_usd, month.cost.is_lower_bound),
            *(_group_text(month, group) or "0.00" for group in groups),
            *([_small(month.usd_per_user)] if by_user else []),
            f"{month.peak_tasks:,.0f}",
            f"{month.p95_latency_ms:,.0f}" if math.isfinite(month.p95_latency_ms) else "no bound",
            f"{month.minutes_over_capacity:,.1f}",
            f"{100 * month.unserved_share:.2f}",
            _promise(month, found),
        )
        for month in shown
    )
    heads = (
        ">Month",
        ">Requests",
        ">USD",
        *(f">{group[0].upper()}{group[1:]}" for group in groups),
        *([">USD/user"] if by_user else []),
        ">Peak tasks",
        ">p95 ms",
        ">Min over capacity",
        ">Unserved %",
        "Promise",
    )
    total = _least(found.total_usd, found.is_lower_bound)
    footer = ("all", f"{found.requests:,.0f}", total, *("",) * (len(heads) - 3))
    growth = found.horizon.growth_percent_per_month
    title = f"{len(months)} {'month' if len(months) == 1 else 'months'}" + (
        f" with a load that {'grows' if growth > 0 else 'shrinks'} by {abs(growth):g} % a month" if growth else ""
    )
    least = ("Unserved %", *(head.lstrip(">") for head in reversed(heads[3 : 3 + len(groups)])), "p95 ms", "Peak tasks")
    least += ("Min over capacity", "Requests")
    return Table(title, heads, rows, footer if len(months) > 1 else (), least)


def _group_text(month: MonthBill, group: str) -> str:
    """Write what a group comes to in a month; nothing where it has no line."""
    usd = usd_by_group(month.cost)[group]
    if group not in unknown_groups(month.cost):
        return f"{usd:,.2f}" if usd else ""
    return _least(usd, True) if usd else "unknown"


def split_table(split: CostSplit, first_of_many: bool = False) -> Table:
    """Show what of each line of a bill is fixed and what traffic adds.

    Parameters
    ----------
    split : CostSplit
        What `fixed_and_variable` gives.
    first_of_many : bool
        True to say that it is of the first month, where others have another load.

    Returns
    -------
    Table
        Charge, both parts and their sum; footed by the whole bill.
    """
    rows = tuple(
        (line.title, usd_text(line.fixed_usd), usd_text(line.variable_usd), usd_text(line.total_usd))
        for line in split.lines
    )
    totals = (
        _least(split.fixed_usd, split.idle.is_lower_bound),
        _least(split.variable_usd, split.variable_is_lower_bound),
        _least(split.total_usd, split.cost.is_lower_bound),
    )
    return Table(
        f"What is fixed and what follows traffic{_FIRST if first_of_many else ''}",
        ("Charge", ">Without traffic USD/month", ">Traffic adds", ">Together"),
        rows,
        ("Total", *totals),
    )


def lcu_dimensions_table(advice: LcuAdvice, first_of_many: bool = False) -> Table:
    """Show the capacity units of a month by dimension.

    Parameters
    ----------
    advice : LcuAdvice
        What `lcu_advice` gives.
    first_of_many : bool
        True to say that it is of the first month, where others have another load.

    Returns
    -------
    Table
        Dimension, hours that it leads, what it alone would consume, and what makes less of it.
    """
    rows = tuple(
        (item.name, f"{item.hours_led:,.0f}", f"{item.lcu_hours:,.2f}", item.remedy) for item in advice.dimensions
    )
    footer = ("billed by use", "", f"{advice.billed_lcu_hours:,.2f}", "")
    return Table(
        f"Load balancer capacity units of {'the first' if first_of_many else 'a'} month",
        ("Dimension", ">Hours led", ">LCU-hours alone", "What makes less of it"),
        rows,
        footer,
        below=("What makes less of it",),
    )


def what_ifs_table(advice: LcuAdvice, first_of_many: bool = False) -> Table:
    """Show the whole bill with each change that lowers capacity units.

    Parameters
    ----------
    advice : LcuAdvice
        What `lcu_advice` gives.
    first_of_many : bool
        True to say that it is of the first month, where others have another load.

    Returns
    -------
    Table
        Change, its bill, what it saves, and what to do.
    """
    rows = tuple(
        (
            change.name,
            _least(change.cost.total_usd, change.cost.is_lower_bound),
            usd_text(None if change.saved_usd is None else round(change.saved_usd, 2) + 0.0),
            change.advice,
        )
        for change in advice.what_ifs
    )
    columns = ("Change", ">Whole bill USD/month", ">Saved", "What to do")
    title = f"What would lower the capacity units, each alone{_FIRST if first_of_many else ''}"
    return Table(title, columns, rows, below=("What to do",))


def _least(usd: float, is_lower_bound: bool) -> str:
    return f"{'at least ' if is_lower_bound else ''}{usd:,.2f}"


def _small(usd: float | None) -> str:
    return "" if usd is None else f"{usd:,.4g}"


def _promise(month: MonthBill, found: MonthlyBills) -> str:
    """Say whether the promise is kept; the reason stands where it is broken first."""
    if not month.broken:
        return "kept"
    return f"broken: {'; '.join(month.broken)}" if month is found.first_broken else "broken"
