"""A plan held against its own promise, limit by limit: limits_of(plan)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estimator.billing.month import BilledMonth
from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.limits import Limit, limits
from estimator.planning.result import Plan


def limits_of(plan: Plan) -> list[Limit]:
    """Hold a plan against the limits of its own promise that are numbers: drills are run, and the bill is held against the budget.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.

    Returns
    -------
    list of Limit
        Every limit that is switched on, with what the plan has of it.
    """
    promise = plan.promise
    month = BilledMonth(
        plan.workload,
        replace(plan.simulation, specs=(plan.spec,)),
        plan.application,
        plan.cost.hours_per_month,
        plan.cost.region,
        plan.behavior,
        plan.extras,
    )
    situation = Situation(plan.workload, plan.application, plan.behavior, plan.operations, promise)
    more = [(name, minutes, "min") for name, minutes in drill_minutes(plan.spec, situation).items()]
    if promise.max_usd_per_month is not None:
        more.append(("max_usd_per_month", plan.cost.total_usd, "USD/month"))
    return [
        *limits(month, promise),
        *(
            Limit(name, np.array([getattr(promise, name)]), np.array([actual]), unit, True)
            for name, actual, unit in more
        ),
    ]
