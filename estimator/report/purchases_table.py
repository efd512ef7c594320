"""Ways to pay for a service as a table: purchases_table(ways)."""

from __future__ import annotations

from collections.abc import Sequence

from estimator.billing.costing import usd_text
from estimator.planning.purchases import Purchase
from estimator.report.tables import Table


def purchases_table(ways: Sequence[Purchase]) -> Table:
    """Show ways to pay for the same service.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.

    Returns
    -------
    Table
        Bill, difference to On-Demand, commitment and what is paid at its start, how much of it is used, from which fall of the usage on it is
        a loss, and minutes over capacity; ways that cannot be had are left to `purchases_text`.
    """
    alone = next((way.cost for way in ways if way.title == "On-Demand" and way.cost), None)
    on_demand = None if alone is None or alone.is_lower_bound else alone.total_usd
    return Table(
        "Ways to pay for it",
        (
            "Way",
            ">USD/month",
            ">To On-Demand",
            ">USD/h committed",
            ">USD at the start",
            ">Used",
            ">A loss below",
            ">Minutes over capacity",
        ),
        tuple(_row(way, on_demand) for way in ways if way.plan),
        least=("USD at the start",),
    )


def _row(way: Purchase, on_demand: float | None) -> tuple[str, ...]:
    assert way.plan is not None
    cost, bought = way.plan.cost, way.bought
    total = f"{'at least ' if cost.is_lower_bound else ''}{usd_text(cost.total_usd)}"
    compared = on_demand is not None and not cost.is_lower_bound and way.title != "On-Demand"
    less = f"{100 * (cost.total_usd / on_demand - 1):+.1f} %" if compared and on_demand else ""
    minutes = f"{way.plan.figures['minutes_over_capacity_per_month']:,.1f}"
    if bought is None:
        return way.title, total, less, "", "", "", "", minutes
    if not bought.commitment_usd_per_h:
        return way.title, total, less, "none pays off", "", "", "", minutes
    used = f"{100 * bought.used_usd / bought.committed_usd:.1f} %"
    fall = "" if way.fall_to_loss_percent is None else f"{100 - way.fall_to_loss_percent:.0f} % of the usage"
    upfront = usd_text(cost.upfront_usd) if cost.upfront_usd else ""
    return way.title, total, less, f"{bought.commitment_usd_per_h:.5f}", upfront, used, fall, minutes


def purchases_text(ways: Sequence[Purchase]) -> str:
    """Say which ways cannot be had, and why.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.

    Returns
    -------
    str
        A sentence, empty if all can.
    """
    missing = [way for way in ways if way.plan is None]
    if not missing:
        return ""
    reasons = [f"{way.title} ({way.why_not.removesuffix('.')})" for way in missing]
    return f"Not priced: {'; '.join(reasons)}."
