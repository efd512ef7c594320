"""Ways to pay for a service: purchases_table(ways), and what to know of them in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from estimator.billing.costing import usd_text
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.purchases import Purchase
from estimator.report.tables import Table
from estimator.service.capacity import CapacityProviderStrategy

#: What the columns of a Savings Plan say.
SAVINGS_PLANS_TEXT = (
    "Savings Plans are applied hour by hour to Fargate On-Demand, and what an hour does not use of the commitment is lost: utilization is the part "
    "that is used. Break-even is the part of today's usage, in all hours alike, below which the plan costs more than On-Demand."
)


def purchases_table(ways: Sequence[Purchase]) -> Table:
    """Show ways to pay for the same service.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.

    Returns
    -------
    Table
        Bill, difference to On-Demand, commitment, what is paid upfront, utilization, break-even, and minutes over capacity; ways that cannot be
        had are left to `purchases_text`.
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
            ">USD upfront",
            ">Utilization",
            ">Break-even",
            ">Minutes over capacity",
        ),
        tuple(_row(way, on_demand) for way in ways if way.plan),
        least=("Minutes over capacity", "USD upfront", "Break-even", "Utilization", "USD/h committed"),
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
        return way.title, total, less, "none pays", "", "", "", minutes
    used = f"{100 * bought.used_usd / bought.committed_usd:.1f} %"
    fall = "" if way.fall_to_loss_percent is None else f"{100 - way.fall_to_loss_percent:.0f} %"
    upfront = usd_text(cost.upfront_usd) if cost.upfront_usd else ""
    return way.title, total, less, f"{bought.commitment_usd_per_h:.5f}", upfront, used, fall, minutes


def spot_text(ways: Sequence[Purchase]) -> str:
    """Say what the shares of Fargate Spot stand above, and which of them are none.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.

    Returns
    -------
    str
        Sentences, empty if no share of Spot has a base.
    """
    strategies = {way.strategy for way in ways}
    least = next((way.plan.spec.min_capacity for way in ways if way.plan), 0)
    shares = {"half": CapacityProviderStrategy(least, 1, 1), "all": CapacityProviderStrategy(least, 0, 1)}
    parts = [part for part, strategy in shares.items() if strategy not in strategies]
    based = sorted({each.fargate_base for each in strategies if each.uses_spot and each.fargate_base})
    said = []
    if based:
        above = _listed(f'"above {base}"' for base in based)
        first = _listed(f"{base}" for base in based)
        count = f"{first} {'task' if based == [1] else 'tasks'}"
        said.append(f"{above}: the capacity provider strategy has a base of {count}, which stay On-Demand.")
    if parts and least:
        said.append(
            f"{_listed(parts).capitalize()} on Spot above {least}, the service's minimum, {'is' if len(parts) == 1 else 'are'} left out: no task "
            "would be on Spot, so that it is On-Demand."
        )
    return " ".join(said)


def purchases_text(ways: Sequence[Purchase]) -> str:
    """Say which ways cannot be had, why, and what to do.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.

    Returns
    -------
    str
        Sentences, empty if all can.
    """
    unknown = [way.savings_plan for way in ways if way.unknown_price and way.savings_plan]
    bills = [way.plan.cost for way in ways if way.plan]
    shared = any(line.is_shared for cost in bills for line in cost)
    lines = (line for cost in bills for line in cost)
    titles = dict.fromkeys(line.title for line in lines if line.effective_cost is None and not line.is_shared)
    others = [way for way in ways if way.plan is None and way.savings_plan not in unknown]
    said = []
    if unknown:
        region = next((way.plan.cost.region for way in ways if way.plan), "")
        said.append(
            f"No rate is known for {_options(unknown)} in {region}: write your own prices in `prices.overrides` "
            f"(`estimator prices show --region {region} --match sp_compute` lists the names), or ask AWS with "
            f"`estimator prices refresh --region {region}`."
        )
    if titles:
        said.append(f'"At least" is said where no rate is known for {", ".join(titles)}.')
    if shared:
        said.append(
            "Which Savings Plan to buy cannot be said: the rates of one that you have are not known, so that it is not known what it leaves."
        )
    if others:
        reasons = [f"{way.title} ({way.why_not.removesuffix('.')})" for way in others]
        said.append(f"Not priced: {'; '.join(reasons)}.")
    return " ".join(said)


def _options(plans: Sequence[SavingsPlan]) -> str:
    """Name payment options and terms, those of several terms once."""
    by_term: dict[str, list[str]] = {}
    for plan in plans:
        by_term.setdefault(plan.years, []).append(plan.payment_option)
    by_payment: dict[str, list[str]] = {}
    for years, payments in by_term.items():
        by_payment.setdefault(_listed(payments), []).append(years)
    return ", and ".join(f"{payments} of {_listed(years)}" for payments, years in by_payment.items())


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
