"""The verbs: estimate one candidate, plan the cheapest that keeps the promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from estimator.billing.committed import with_known_plans
from estimator.billing.costing import CostBreakdown, breakdown, price_month
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, SavingsPlan, require_savings_plans
from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound, unknown_rates_text
from estimator.planning.drills import Situation
from estimator.planning.effort import Effort
from estimator.planning.exact import EXPLAINED, Search
from estimator.planning.limits import (
    broken_limits,
    budget_rejections,
    drill_rejections,
    no_plan,
    require_consistent,
    unknown_rate_warnings,
)
from estimator.planning.notes import notes
from estimator.planning.promise import Choices, Promise
from estimator.planning.question import Question
from estimator.planning.result import Plan
from estimator.planning.search import candidates, network_layouts
from estimator.pricing.rates import Rates, require_rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras, edge_of
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
    alone = breakdown(month, bills, rates, 0)
    cost, left_out = with_known_plans(alone, run, rates, plans, application.operating_system)
    (broken,) = broken_limits(month, promise, bills)
    broken += drill_rejections(spec, Situation(workload, application, behavior, operations, promise), cost.total_usd)
    by_course = tuple(limit for limit in broken if limit.constraint != "rate")
    every = (*by_course, *budget_rejections(promise, spec, cost.total_usd))
    warnings = [f"The promise is broken: {limit.reason}." for limit in every]
    if bills.unknown:
        warnings.append(unknown_rates_text(bills.unknown.values()))
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
        broken_by_course=by_course,
        warnings=(
            *warnings,
            *left_out,
            *notes(spec, workload, application, behavior, operations, run, hours_per_month, rates.region, extras),
        ),
    )


def plan(
    workload: Workload,
    rates: Rates | Sequence[Rates],
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
    explain: int | None = EXPLAINED,
    n_threads: int | None = None,
) -> Plan:
    """Find the cheapest candidate that keeps the promise.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates or sequence of Rates
        The region's rates; those of several regions to choose between them.
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
        Compute Savings Plans that you have, and one to buy; candidates are compared with them.
    explain : int, optional
        Candidates that were given up and are followed to their end only to say by how much they lost; None for all that may have been cheaper.
        [1]
    n_threads : int, optional
        Threads, which change nothing in the plan; by default one for each core. [1]

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
    parts = _Parts(
        promise,
        choices,
        application or Application(),
        network or NetworkLayout(),
        behavior or AwsBehavior(),
        operations or Operations(),
        hours_per_month,
        _purchases(require_savings_plans(savings_plans), choices),
    )
    price_lists = tuple(rates) if isinstance(rates, (tuple, list)) else (rates,)
    for one in price_lists:
        _require_types(workload, one)
    whole: Search | None = None
    lacking: list[Search] = []
    failed: list[Search] = []
    effort = Effort()
    earlier: dict[object, Search] = {}
    variants = list(_variants(workload, price_lists, extras or Extras(), choices))
    left_out: list[str] = []
    for number, (work, price_list, more) in enumerate(variants):
        layouts, refused = _layouts(work, price_list, more, parts, single=len(variants) == 1)
        left_out += [text for text in refused if text not in left_out]
        if not layouts:
            continue
        kind = (work, layouts)
        told = _part_of(progress, number, len(variants))
        if told is not None:
            told(0.0)
        question = _question(work, price_list, more, parts, layouts, earlier.get(kind))
        # A bill that lacks a line is not one to beat.
        to_beat = math.inf if whole is None else _cost_of(whole).total_usd
        search = Search(question, to_beat, earlier.get(kind))
        earlier.setdefault(kind, search)
        found = search.run(told, n_threads)
        if found is None:
            if math.isinf(to_beat):
                failed.append(search)
        elif found.cost.is_lower_bound:
            lacking.append(search)
        else:
            whole = search
        effort = effort + search.effort
    if whole is None and not lacking:
        raise _none_left([search.none_left() for search in failed]) if failed else InvalidScenario(" ".join(left_out))
    # Where all lack a rate, the one that lacks fewest lines says most.
    best = whole or min(lacking, key=lambda search: (_unknown_lines(search), _cost_of(search).total_usd))
    return _plan_of(best, parts, effort, tuple(left_out), explain)


def _cost_of(search: Search) -> CostBreakdown:
    assert search.best is not None
    return search.best.cost


def _unknown_lines(search: Search) -> int:
    return sum(line.effective_cost is None for line in _cost_of(search))


def _none_left(errors: list[RateNotFound | NoFeasiblePlan]) -> RateNotFound | NoFeasiblePlan:
    """Say why no variant has a plan: which of all candidates misses the promise by least."""
    infeasible = [error for error in errors if isinstance(error, NoFeasiblePlan)]
    if len(errors) == 1 or not infeasible:
        return errors[0]
    rejections = [rejection for error in infeasible for rejection in error.rejections]
    return no_plan(len(rejections), rejections)


@dataclass(frozen=True)
class _Parts:
    """What all variants of a search share."""

    promise: Promise
    choices: Choices
    application: Application
    network: NetworkLayout
    behavior: AwsBehavior
    operations: Operations
    hours_per_month: float
    purchases: tuple[tuple[SavingsPlan, ...], ...]


def _purchases(plans: tuple[SavingsPlan, ...], choices: Choices) -> tuple[tuple[SavingsPlan, ...], ...]:
    """Ways to pay: with the plans as they are given, and where terms may be chosen also with each option's best commitment, or none."""
    if not choices.savings_plan_terms:
        return (plans,)
    existing = tuple(plan for plan in plans if plan.existing)
    options = [
        (*existing, SavingsPlan(option.term, option.payment_option))
        for option in SAVINGS_PLAN_OPTIONS
        if option.term in choices.savings_plan_terms
    ]
    return tuple(dict.fromkeys((existing, plans, *options)))


def _variants(
    workload: Workload, price_lists: tuple[Rates, ...], extras: Extras, choices: Choices
) -> Iterator[tuple[Workload, Rates, Extras]]:
    """List what is chosen beside the service: CloudFront, region, Container Insights, the log's class."""
    for behind in dict.fromkeys(choices.behind_cloudfront or (workload.behind_cloudfront,)):
        same = behind == workload.behind_cloudfront
        work = workload if same else replace(workload, behind_cloudfront=behind)
        for price_list in price_lists:
            for insights in dict.fromkeys(choices.container_insights or (extras.container_insights,)):
                for log_class in dict.fromkeys(choices.log_classes or (extras.log_class,)):
                    more = replace(extras, container_insights=insights, log_class=log_class)
                    if behind and not extras.cloudfront_edges and price_list.region != price_lists[0].region:
                        # The service moves, and those who call it do not.
                        more = replace(more, cloudfront_edges={edge_of(price_lists[0].region): 1.0})
                    yield work, price_list, more


def _layouts(
    workload: Workload, rates: Rates, extras: Extras, parts: _Parts, single: bool
) -> tuple[tuple[NetworkLayout, ...], list[str]]:
    """Network layouts that serve, and why the others do not; without a choice it is an error."""
    found, refused = [], []
    for network in network_layouts(parts.choices, parts.application, parts.network):
        try:
            require_consistent(workload, parts.application, network, rates.region, extras=extras)
        except InvalidScenario as error:
            if single and not parts.choices.layouts:
                raise
            refused.append(f"Layout {network.layout} is left out in {rates.region}: {error}")
        else:
            found.append(network)
    if not found and single:
        raise InvalidScenario(" ".join(refused))
    return tuple(found), refused


def _question(
    workload: Workload,
    rates: Rates,
    extras: Extras,
    parts: _Parts,
    layouts: tuple[NetworkLayout, ...],
    like: Search | None,
) -> Question:
    promise, choices = parts.promise, parts.choices
    specs = (
        tuple(
            candidates(
                workload,
                choices,
                parts.application,
                parts.network,
                max(promise.min_tasks or 1, promise.min_availability_zones or 1),
                layouts,
            )
        )
        if like is None
        else like.question.specs
    )
    if not specs:
        raise InvalidScenario(
            f"No candidate is left to simulate: the load peaks at {workload.task_load.peak_requests_per_s:,.0f} requests/s and the target "
            f"group takes {choices.target_group_quota} tasks; max_capacity is {choices.max_capacity}. Lower the load, or set other "
            "bounds in `search`."
        )
    return Question(
        specs,
        workload,
        rates,
        promise,
        parts.application,
        parts.behavior,
        parts.operations,
        extras,
        parts.hours_per_month,
        parts.purchases,
    )


def _part_of(progress: Callable[[float], None] | None, number: int, variants: int) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda part: progress((number + part) / variants)


def _plan_of(search: Search, parts: _Parts, effort: Effort, left_out: tuple[str, ...], explain: int | None) -> Plan:
    """Make the plan of a search's winner, with why others lost."""
    q, winner = search.question, search.best
    assert winner is not None
    spec = q.specs[winner.place]
    before = search.steps, len(search.whole)
    search.explain(explain)
    rejections = search.rejections()
    effort = effort + Effort(whole=len(search.whole) - before[1], steps=search.steps - before[0])
    over = budget_rejections(parts.promise, spec, winner.cost.total_usd)
    if over:
        within = [one for one in rejections if not budget_rejections(parts.promise, one.spec, one.usd_per_month)]
        raise no_plan(effort.candidates, [*over, *within])
    chosen = simulate(
        q.workload,
        [spec],
        q.application,
        q.behavior,
        [0],
        operations=q.operations,
        p95_latency_ms=q.promise.p95_latency_ms,
        keep_hours=True,
    )
    month = BilledMonth(q.workload, chosen, q.application, q.hours_per_month, q.rates.region, q.behavior, q.extras)
    missed = [error for error in search.unknown.values() if error.price in search.missed]
    unknown = unknown_rate_warnings(missed, price_month(month, q.rates), search.deciding)
    others = notes(
        spec,
        q.workload,
        q.application,
        q.behavior,
        q.operations,
        chosen,
        q.hours_per_month,
        q.rates.region,
        q.extras,
    )
    return Plan(
        spec,
        winner.cost,
        chosen,
        q.workload,
        q.application,
        q.promise,
        q.behavior,
        q.operations,
        q.extras,
        winner.purchase,
        rejections,
        effort.candidates,
        (*unknown, *winner.left_out, *left_out, *others),
        effort=effort,
    )


def _require_types(workload: object, rates: object) -> None:
    """Say in a sentence what a notebook's user often gives instead."""
    if not isinstance(workload, Workload) or not isinstance(workload.load, LoadProfile):
        raise InvalidScenario(
            "The workload must be a Workload with a LoadProfile, as in Workload(LoadProfile.constant(20), cpu_ms_per_request=10)."
        )
    require_rates(rates)
