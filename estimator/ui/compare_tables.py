"""Several plans side by side as tables: their figures, and their bills line by line with the differences to the first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from estimator.billing.costing import usd_text
from estimator.planning.bills import in_order
from estimator.planning.comparison import FIGURES, Comparison, compare
from estimator.planning.line_differences import bounds_text
from estimator.planning.result import Plan
from estimator.report.tables import Table


def figures_table(titles: Sequence[str], plans: Sequence[Plan]) -> Table:
    """Show the figures of several plans.

    Parameters
    ----------
    titles : sequence of str
        What to call them; no two alike.
    plans : sequence of Plan
        The plans.

    Returns
    -------
    Table
        A row for each figure, a column for each plan.
    """
    rows = [("Monthly bill (USD)", *(_total(plan) for plan in plans))]
    for name, (title, unit) in FIGURES.items():
        cells = (_figure(plan.figures[name], name, plan) for plan in plans)
        rows.append((f"{title} ({unit})", *cells))
    rows.append(("Its promise", *("broken" if plan.broken else "kept" for plan in plans)))
    return Table("Figures", ("Figure", *(f">{title}" for title in titles)), tuple(rows))


def lines_table(titles: Sequence[str], plans: Sequence[Plan]) -> Table:
    """Show the bills of several plans line by line.

    Parameters
    ----------
    titles : sequence of str
        What to call them; no two alike.
    plans : sequence of Plan
        The plans; differences are each less the first.

    Returns
    -------
    Table
        A row for each line of any bill: cost in each, and the difference to the first; footed by the totals. [USD/month]
    """
    found = [compare(plans[0], plan, (titles[0], title)) for title, plan in zip(titles[1:], plans[1:], strict=True)]
    names = {line.charge: line.title for plan in plans for line in plan.cost}
    rows = []
    for charge in in_order(names):
        cells = [_cost(plans[0], charge)]
        for plan, each in zip(plans[1:], found, strict=True):
            cells += [_cost(plan, charge), _difference(each, charge)]
        rows.append((names[charge], *cells))
    heads = ["USD/month", f">{titles[0]}"]
    totals = [_total(plans[0])]
    for title, plan, each in zip(titles[1:], plans[1:], found, strict=True):
        heads += [f">{title}", f">{title}, difference"]
        totals += [_total(plan), bounds_text(each.least_difference_usd, each.most_difference_usd)]
    return Table("Line by line", tuple(heads), tuple(rows), ("Total", *totals))


def lines_frame(titles: Sequence[str], plans: Sequence[Plan]) -> Any:
    """Return the bills of several plans as a table of numbers.

    Parameters
    ----------
    titles : sequence of str
        What to call them.
    plans : sequence of Plan
        The plans.

    Returns
    -------
    pandas.DataFrame
        A row for each line of each bill: scenario, charge, quantity, unit, cost, and the difference to the first. [USD/month]
    """
    import pandas as pd

    first = {line.charge: line.effective_cost for line in plans[0].cost}
    rows = []
    for title, plan in zip(titles, plans, strict=True):
        for line in plan.cost:
            before = first.get(line.charge, 0.0)
            known = before is not None and line.effective_cost is not None
            rows.append(
                {
                    "scenario": title,
                    "charge": line.charge,
                    "title": line.title,
                    "quantity": line.pricing_quantity,
                    "unit": line.pricing_unit,
                    "usd_per_month": line.effective_cost,
                    "less_first_usd": line.effective_cost - before if known else None,  # type: ignore[operator]
                }
            )
    return pd.DataFrame(rows)


def figures_frame(titles: Sequence[str], plans: Sequence[Plan]) -> Any:
    """Return the figures of several plans as a table of numbers.

    Parameters
    ----------
    titles : sequence of str
        What to call them.
    plans : sequence of Plan
        The plans.

    Returns
    -------
    pandas.DataFrame
        A row for each plan, with its service and region.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {"scenario": title, "service": plan.spec.describe(), "region": plan.cost.region, **plan.figures}
            for title, plan in zip(titles, plans, strict=True)
        ]
    )


def _cost(plan: Plan, charge: str) -> str:
    line = next((line for line in plan.cost if line.charge == charge), None)
    return "none" if line is None else usd_text(line.effective_cost)


def _difference(found: Comparison, charge: str) -> str:
    line = next((line for line in found.lines if line.charge == charge), None)
    return "" if line is None else bounds_text(line.least_usd, line.most_usd)


def _total(plan: Plan) -> str:
    return f"{'at least ' if plan.cost.is_lower_bound else ''}{plan.cost.total_usd:,.2f}"


def _figure(value: float, name: str, plan: Plan) -> str:
    if math.isnan(value):
        return "none"
    if not math.isfinite(value):
        return "no bound"
    least = "at least " if name.startswith("usd_") and plan.cost.is_lower_bound else ""
    return f"{least}{round(value, 2) + 0.0:,.10g}"
