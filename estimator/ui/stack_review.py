"""What each stricter option costs a month, and what a strict review of the stack would still ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.billing.costing import CostBreakdown
from estimator.export.cdk import CONFIG_NAME
from estimator.export.instructions import left_out
from estimator.planning.bills import hold_commitments
from estimator.planning.regions import bill_again
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.tables import Table
from estimator.ui.stack_form import EXTRAS, with_value


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs a month: the bill with it less the bill without.

    Parameters
    ----------
    usd : float
        Of the lines whose rate is known. [USD/month]
    is_lower_bound : bool
        True if the rate of one of its lines is unknown.
    """

    usd: float
    is_lower_bound: bool

    @property
    def text(self) -> str:
        """In words."""
        if self.is_lower_bound:
            return f"at least ${self.usd:,.2f} a month, since a rate is unknown"
        # Half a cent and more is shown as a cent; less is more than nothing.
        return f"${self.usd:,.2f} a month" if self.usd >= 0.005 or not self.usd else "less than a cent a month"


def costs(plan: Plan, rates: Rates) -> dict[str, Cost]:
    """Price each of the stricter options.

    Parameters
    ----------
    plan : Plan
        The plan.
    rates : Rates
        Its rates.

    Returns
    -------
    dict of str to Cost
        By field of the section ``extras``.

    Notes
    -----
    None of them changes what the service does, so that its simulation is billed again and not run again.
    """
    held = hold_commitments(plan)

    def bill(changes: Mapping[str, object]) -> CostBreakdown:
        return bill_again(replace(held, extras=replace(plan.extras, **changes)), rates)  # type: ignore[arg-type]

    return {
        extra.field: _less(
            bill(with_value(plan.extras, extra, on=True)), bill(with_value(plan.extras, extra, on=False))
        )
        for extra in EXTRAS
    }


def review_table(files: Mapping[str, str], priced: Mapping[str, Cost]) -> Table:
    """Show what a strict review would still ask for.

    Parameters
    ----------
    files : mapping of str to str
        The files of the stack.
    priced : mapping of str to Cost
        What `costs` gives.

    Returns
    -------
    Table
        What is left out, what it costs a month where that is billed, which rules ask for it, and what switches it on.
    """
    rows = []
    for name, rules, key in left_out(json.loads(files[CONFIG_NAME])):
        cost = priced.get(key.removeprefix("extras.").partition(":")[0].partition(",")[0])
        rows.append((name, "" if cost is None else _money(cost), "" if rules == "none" else rules, key))
    return Table(
        f"{len(rows)} left out",
        ("Left out", ">USD/month", "Asked for by", "Switched on in the scenario by"),
        tuple(rows),
    )


def _money(cost: Cost) -> str:
    return f"{'at least ' if cost.is_lower_bound else ''}{cost.usd:,.2f}"


def _less(more: CostBreakdown, fewer: CostBreakdown) -> Cost:
    known = {line.charge: line.effective_cost for line in fewer}
    unknown = any(line.effective_cost is None and line.charge not in known for line in more)
    return Cost(round(more.total_usd - fewer.total_usd, 10), unknown)
