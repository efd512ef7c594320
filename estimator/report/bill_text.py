"""What every document of a bill says around its lines: its facts, its totals, its sentences."""

from __future__ import annotations

import datetime as dt
import math

from estimator.billing.costing import CostBreakdown
from estimator.planning.result import Plan
from estimator.report.bill_steps import unknown_text


def title(plan: Plan) -> str:
    """Name a bill.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        Name of the service and region.
    """
    return f"{plan.scenario.get('name', 'Service')}: a month on Fargate in {plan.cost.region}"


def facts(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Say what the bill is of.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    tuple of (str, str)
        What it is, and how much of it.
    """
    figures, network = plan.figures, plan.spec.network
    p95 = figures["p95_latency_ms"]
    return (
        ("Service", plan.spec.describe()),
        ("Network", f"{network.layout}, {network.availability_zones} zones"),
        ("Tasks, mean / peak", f"{figures['mean_tasks']:,.2f} / {figures['peak_tasks']:,.0f}"),
        ("p95 latency", f"{p95:,.0f} ms" if math.isfinite(p95) else "without bound"),
        ("Requests a month", f"{figures['requests_per_month']:,.0f}"),
        ("A million requests", plan.per_million_text.removesuffix(" a million requests")),
        ("Month", f"{plan.cost.hours_per_month:g} hours"),
    )


def totals(cost: CostBreakdown) -> tuple[tuple[str, str], ...]:
    """List the sums of a bill: the total, and those that differ from it.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    tuple of (str, str)
        What it is, and the amount.
    """
    least = "at least " if cost.is_lower_bound else ""
    rows = [("Total", f"{least}${cost.total_usd:,.2f}")]
    if cost.savings_plans:
        on_demand = sum(line.contracted_cost or 0.0 for line in cost)
        rows.append(("Without Savings Plans", f"{least}${on_demand:,.2f}"))
        if round(cost.billed_usd, 2) != round(cost.total_usd, 2):
            rows.append(("On the month's invoice", f"{least}${cost.billed_usd:,.2f}"))
        if cost.upfront_usd:
            rows.append(("Upfront for Savings Plans, once", f"${cost.upfront_usd:,.2f}"))
    if any(line.yours_text for line in cost):
        rows.append(("At AWS's list prices", f"{least}${cost.list_total_usd:,.2f}"))
    return tuple(rows)


def sentences(plan: Plan) -> tuple[str, ...]:
    """Say what is not known, what Savings Plans do, which prices these are, and what is not included.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    tuple of str
        Sentences, some of them several in one.
    """
    cost = plan.cost
    stale = cost.stale_text()
    # A document is read later than it is written.
    aged = f"Written on {dt.date.today().isoformat()}. {stale}" if stale else ""
    said = (unknown_text(cost), cost.savings_plans_text, cost.prices_text, aged, cost.scope_text)
    return tuple(filter(None, said))
