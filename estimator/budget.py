"""The bill that most months stay within: what to watch a deployed stack by."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from estimator.export.stack.fargate_stack.observability_config import BUDGET_REGIONS
from estimator.planning.draws import run_draws
from estimator.planning.result import Plan
from estimator.risk import DRAWS, Cases, contender_of, draws
from estimator.scenario import Scenario

#: Part of the months that a budget is to hold in. [1]
KEPT_SHARE = 0.95


def bill_that_is_kept(
    plan: Plan, folder: Path | str = ".", share: float = KEPT_SHARE, n_draws: int = DRAWS, seed: int = 1
) -> float:
    """Say which bill a plan stays within in most months, with all that is uncertain in its scenario.

    Parameters
    ----------
    plan : Plan
        A plan of a scenario.
    folder : path
        What the paths of its files are relative to.
    share : float
        Part of the months. [1]
    n_draws : int
        Months that are drawn. [1]
    seed : int
        Of the draws.

    Returns
    -------
    float
        Bill, at least that of the likely values; infinite where a rate is unknown. [USD/month]
    """
    if plan.cost.is_lower_bound:
        return math.inf
    scenario = Scenario.from_dict(dict(plan.scenario))
    drawn = draws(scenario, n_draws, seed)
    cases = Cases(scenario, folder)
    contender = contender_of("plan", plan, scenario)
    found = run_draws([contender], lambda i, beside: cases.of({**drawn.at(i), **beside}), n_draws)
    return max(float(np.quantile(found.usd[:, 0], share)), plan.cost.total_usd)


def with_budget(plan: Plan, folder: Path | str = ".") -> Plan:
    """Give a plan's stack its monthly budget, where there is somebody to tell and none was set.

    Parameters
    ----------
    plan : Plan
        A plan of a scenario.
    folder : path
        What the paths of its files are relative to.

    Returns
    -------
    Plan
        With the bill that 95 of 100 months stay within as ``budget_usd_per_month`` of its stack, in whole dollars; unchanged without an
        ``alarm_email``, with a budget of its own, where a rate is unknown, or in a region where CloudFormation makes no budgets.

    Notes
    -----
    The command line and the app do this before each export; in Python it is a call of its own, since it simulates the drawn months.
    """
    options = plan.stack
    asked = options.alarm_email is not None and options.budget_usd_per_month is None
    if not asked or not plan.scenario or plan.cost.region not in BUDGET_REGIONS:
        return plan
    kept = bill_that_is_kept(plan, folder)
    if math.isinf(kept):
        return plan
    return replace(plan, stack=replace(options, budget_usd_per_month=float(math.ceil(kept))))
