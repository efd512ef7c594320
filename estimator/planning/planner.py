"""The verbs: estimate one candidate, plan the cheapest that keeps the promise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from estimator.billing.committed import with_known_plans
from estimator.billing.costing import breakdown, price_month
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SavingsPlan, require_savings_plans
from estimator.errors import InvalidScenario, unknown_rates_text
from estimator.planning.limits import broken_limits, none_left, require_consistent, unknown_rate_warnings, worst
from estimator.planning.notes import notes
from estimator.planning.promise import Choices, Promise
from estimator.planning.result import Plan
from estimator.planning.search import candidates
from estimator.pricing.rates import Rates, require_rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation.engine import simulate
from estimator.units import HOURS_PER_MONTH
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload


def estimate(
    workload: Workload,
    rates: Rates,
    spec: ServiceSpec,
    application: Application | None = None,
    promise: Promise | None = None,
    behavior: AwsBehavior | None = None,
    hours_per_month: float = HOURS_PER_MONTH,
    operations: Operations | None = None,
    extras: Extras | None = None,
    savings_plans: Iterable[SavingsPlan] = (),
) -> Plan:
    """Simulate and price one candidate as it is.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    spec : ServiceSpec
        The candidate.
    application : Application, optional
        What is deployed.
    promise : Promise, optional
        Limits; broken ones become warnings.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS.
    hours_per_month : float
        Length of the billed month. [h]
    operations : Operations, optional
        Deployments, loss of a zone, shortages of Fargate Spot.
    extras : Extras, optional
        What is billed around the service.
    savings_plans : iterable of SavingsPlan
        Compute Savings Plans that you have, and one to buy, whose commitment may be left to be found.

    Returns
    -------
    Plan
        With a bill in which an unknown rate stands as unknown.
    """
    application = application or Application()
    promise = promise or Promise()
    behavior = behavior or AwsBehavior()
    operations = operations or Operations()
    extras = extras or Extras()
    plans = require_savings_plans(savings_plans)
    _require_types(workload, rates)
    require_consistent(workload, application, spec.network, rates.region, spec, extras)
    run = simulate(
        workload,
        [spec],
        application,
        behavior,
        [0],
        operations=operations,
        p95_latency_ms=promise.p95_latency_ms,
        keep_hours=True,
    )
    month = BilledMonth(workload, run, application, hours_per_month, rates.region, behavior, extras)
    bills = price_month(month, rates)
    (broken,) = broken_limits(month, promise, bills)
    warnings = [f"The promise is broken: {limit.reason}." for limit in broken if limit.constraint != "rate"]
    if bills.unknown:
        warnings.append(unknown_rates_text(bills.unknown.values()))
    alone = breakdown(month, bills, rates, 0)
    cost, left_out = with_known_plans(alone, run, rates, plans, application.operating_system)
    return Plan(
        spec,
        cost,
        run,
        workload,
        application,
        promise,
        behavior,
        operations=operations,
        extras=extras,
        savings_plans=plans,
        warnings=(
            *warnings,
            *left_out,
            *notes(spec, workload, application, behavior, operations, run, hours_per_month, rates.region, extras),
        ),
    )


def plan(
    workload: Workload,
    rates: Rates,
    promise: Promise | None = None,
    *,
    p95_latency_ms: float | None = None,
    choices: Choices | None = None,
    application: Application | None = None,
    network: NetworkLayout | None = None,
    behavior: AwsBehavior | None = None,
    hours_per_month: float = HOURS_PER_MONTH,
    progress: Callable[[float], None] | None = None,
    operations: Operations | None = None,
    extras: Extras | None = None,
    savings_plans: Iterable[SavingsPlan] = (),
) -> Plan:
    """Find the cheapest candidate that keeps the promise.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    promise : Promise, optional
        Limits.
    p95_latency_ms : float, optional
        Short for a promise with this latency. [ms]
    choices : Choices, optional
        What may be chosen.
    application : Application, optional
        What is deployed.
    network : NetworkLayout, optional
        Where the tasks stand.
    behavior : AwsBehavior, optional
        What is taken for granted of AWS.
    hours_per_month : float
        Length of the billed month. [h]
    progress : callable, optional
        Called with the part that is done, 0 to 1.
    operations : Operations, optional
        Deployments, loss of a zone, shortages of Fargate Spot.
    extras : Extras, optional
        What is billed around the service.
    savings_plans : iterable of SavingsPlan
        Compute Savings Plans for the bill of the winner; candidates are compared On-Demand.

    Returns
    -------
    Plan
        The winner, with why the cheaper ones lost.

    Raises
    ------
    NoFeasiblePlan
        If every candidate breaks a limit.
    RateNotFound
        If every candidate needs a rate that is not known.
    """
    promise = promise or Promise()
    if p95_latency_ms is not None:
        promise = replace(promise, p95_latency_ms=p95_latency_ms)
    choices = choices or Choices()
    application = application or Application()
    behavior = behavior or AwsBehavior()
    network = network or NetworkLayout()
    operations = operations or Operations()
    extras = extras or Extras()
    plans = require_savings_plans(savings_plans)
    _require_types(workload, rates)
    require_consistent(workload, application, network, rates.region, extras=extras)
    specs = candidates(
        workload, choices, application, network, max(promise.min_tasks or 1, promise.min_availability_zones or 1)
    )
    if not specs:
        raise InvalidScenario(
            f"No candidate is left to simulate: the load peaks at {workload.task_load.peak_requests_per_s:,.0f} requests/s and the target "
            f"group takes {choices.target_group_quota} tasks; max_capacity is {choices.max_capacity}. Lower the load, or set other "
            "bounds in `search`."
        )
    happens: dict[str, Any] = {"operations": operations, "p95_latency_ms": promise.p95_latency_ms}
    run = simulate(workload, specs, application, behavior, progress=progress, **happens)
    month = BilledMonth(workload, run, application, hours_per_month, rates.region, behavior, extras)
    bills = price_month(month, rates)
    broken = broken_limits(month, promise, bills)
    order = np.lexsort(
        (np.arange(len(specs)), np.nan_to_num(run.p95_latency_ms, posinf=1e18), np.round(bills.total_usd, 9))
    )
    winner = next((int(i) for i in order if not broken[i]), None)
    if winner is None:
        raise none_left(specs, broken, bills)
    # A candidate with an unknown rate has no bill to compare: it is said once, not listed as cheaper.
    total = bills.total_usd[winner]
    cheaper = [i for i in order if broken[i] and bills.total_usd[i] < total]
    rejections = tuple(worst(broken[i]) for i in cheaper if not any(r.constraint == "rate" for r in broken[i]))
    unknown = unknown_rate_warnings(bills, winner)
    chosen = simulate(workload, [specs[winner]], application, behavior, [0], keep_hours=True, **happens)
    alone = breakdown(month, bills, rates, winner)
    cost, left_out = with_known_plans(alone, chosen, rates, plans, application.operating_system)
    return Plan(
        specs[winner],
        cost,
        chosen,
        workload,
        application,
        promise,
        behavior,
        operations,
        extras,
        plans,
        rejections,
        len(specs),
        (
            *unknown,
            *left_out,
            *notes(
                specs[winner],
                workload,
                application,
                behavior,
                operations,
                chosen,
                hours_per_month,
                rates.region,
                extras,
            ),
        ),
    )


def _require_types(workload: object, rates: object) -> None:
    """Say in a sentence what a notebook's user often gives instead."""
    if not isinstance(workload, Workload) or not isinstance(workload.load, LoadProfile):
        raise InvalidScenario(
            "The workload must be a Workload with a LoadProfile, as in Workload(LoadProfile.constant(20), cpu_ms_per_request=10)."
        )
    require_rates(rates)
