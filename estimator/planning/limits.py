"""What a candidate has to keep: every limit with each candidate's figure, and the rejections."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charges import CHARGES
from estimator.billing.costing import Bills
from estimator.billing.month import BilledMonth
from estimator.checks import shown
from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound, unknown_rates_text
from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.promise import Promise, Rejection
from estimator.service.application import DUAL_STACK_ECR, Application
from estimator.service.cloudfront_plans import plan_problem
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import require_offered
from estimator.simulation.latency import TaskQueue, in_flight_percentile
from estimator.simulation.translation import queue_of
from estimator.workload.request import Request

#: What to do when no candidate keeps a limit.
_ADVICE = {
    "rate": "Choose another region, architecture or capacity provider.",
    "min_tasks": "Set a smaller min_tasks, or let search.min_capacities reach it.",
    "min_availability_zones": "Set network.availability_zones to it, or a smaller min_availability_zones; fewer tasks fill fewer zones.",
    "p95_latency_ms": "Loosen that limit (null switches it off): even an idle task takes three times the mean CPU time for one request in twenty.",
    "memory_mib": "Lower the request's memory: no Fargate task has more.",
    "max_usd_per_month": "It is the cheapest that keeps the rest: raise the budget, loosen another limit, or widen `search` (spot_percents, layouts, "
    "savings_plan_terms).",
    "max_minutes_after_zone_loss": "Let `search` have larger minimums or lower targets, or spread over more zones (network.availability_zones).",
    "max_minutes_in_flash_crowd": "Let `search` have larger minimums or lower targets, or shorter scale_out_cooldowns_s.",
    "allowed_regions": "Add a region that is allowed to search.regions, or set the scenario's region to it.",
    "allowed_cpu_architectures": "Let search.cpu_architectures have one that is allowed.",
    "max_minutes_in_spot_shortage": "Let spot_percents have smaller parts.",
}
_LOOSEN = "Loosen that limit (null switches it off) or widen `search` in the scenario."
#: Beyond this utilization a queue takes longer than a minute to reach its steady length, so it is not taken to. [1]
_STEADY_UTILIZATION = 0.95
#: Quantities that differ by no more than this part are the same. [1]
_SAME_QUANTITY = 1e-9


@dataclass(frozen=True, eq=False)
class Limit:
    """One limit, and what each candidate has.

    Parameters
    ----------
    name : str
        The limit's name.
    limit : numpy.ndarray, shape (n_candidates,)
        What is allowed. [unit]
    actual : numpy.ndarray, shape (n_candidates,)
        What the candidates have. [unit]
    unit : str
        Unit of both.
    is_ceiling : bool
        True if no more than the limit is allowed, False if no less.
    """

    name: str
    limit: NDArray[np.float64]
    actual: NDArray[np.float64]
    unit: str
    is_ceiling: bool

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Say which candidates break it, shape (n_candidates,)."""
        return self.actual > self.limit * (1 + 1e-12) if self.is_ceiling else self.actual < self.limit


def limits(month: BilledMonth, promise: Promise) -> list[Limit]:
    """List every limit that is switched on.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.
    promise : Promise
        The limits.

    Returns
    -------
    list of Limit
        With each candidate's figure.
    """
    run, specs = month.simulation, month.specs
    # Two tasks stand in two zones at most, however many zones the network has.
    minimum = [spec.least_capacity for spec in specs]
    zones = [min(spec.network.availability_zones, least) for spec, least in zip(specs, minimum, strict=True)]
    memory = [spec.task_size.memory_mib for spec in specs]
    over = run.minutes_over_capacity * month.periods
    slow = run.minutes_over_promise * month.periods
    refused = 100 * run.unserved_requests / max(month.workload.task_load.requests, 1e-300)
    rows = (
        ("min_tasks", promise.min_tasks, minimum, "tasks", False),
        ("min_availability_zones", promise.min_availability_zones, zones, "zones", False),
        ("memory_mib", memory, memory_needed_mib(month, promise.memory_share), "MiB", True),
        ("max_minutes_over_capacity", promise.max_minutes_over_capacity, over, "min/month", True),
        ("max_minutes_over_promise", promise.max_minutes_over_promise, slow, "min/month", True),
        ("max_refused_percent", promise.max_refused_percent, refused, "%", True),
        ("max_vcpu", promise.max_vcpu, peak_vcpu(month), "vCPU", True),
        ("p95_latency_ms", promise.p95_latency_ms, run.p95_latency_ms, "ms", True),
        ("p99_latency_ms", promise.p99_latency_ms, run.p99_latency_ms, "ms", True),
    )
    return [
        Limit(
            name,
            np.broadcast_to(np.asarray(limit, dtype=np.float64), len(specs)),
            np.asarray(actual, dtype=np.float64),
            unit,
            ceiling,
        )
        for name, limit, actual, unit, ceiling in rows
        if limit is not None
    ]


def peak_vcpu(month: BilledMonth) -> NDArray[np.float64]:
    """Say how many vCPU each candidate has at its peak, those of both revisions in a deployment included.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.

    Returns
    -------
    numpy.ndarray, shape (n_candidates,)
        CPU. [vCPU]
    """
    percent = [max(spec.deployment.most_percent, 100) for spec in month.specs]
    return np.asarray(month.simulation.peak_desired_count * month.vcpu * np.array(percent) / 100)


def memory_needed_mib(month: BilledMonth, share: float) -> NDArray[np.float64]:
    """Estimate the memory of a task at its busiest minute.

    What it has at rest, and what each request in flight adds: those served or queued (a high percentile of the queue, since the mean would be
    exceeded half of the time) and those that wait for others; a concurrency limit bounds them.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.
    share : float
        Part of the time for which the memory must suffice. [1]

    Returns
    -------
    numpy.ndarray, shape (n_candidates,)
        Memory. [MiB]
    """
    work = month.workload
    peak = month.simulation.peak_utilization
    by_queue: dict[TaskQueue, list[int]] = {}
    for i, spec in enumerate(month.specs):
        by_queue.setdefault(queue_of(work, spec.task_size.vcpu, spec.cpu_architecture), []).append(i)
    in_flight = np.zeros(len(month.specs))
    for queue, members in by_queue.items():
        steady = np.minimum(peak[members], _STEADY_UTILIZATION)
        queued = in_flight_percentile(steady, queue.servers, share, work.arrival_cv, queue.service_time_cv)
        waiting = np.minimum(peak[members], 1.0) * queue.requests_per_s * queue.added_s
        in_flight[members] = np.minimum(queued + waiting, work.concurrency_limit_per_task or math.inf)
    return np.asarray(work.baseline_memory_mib + in_flight * work.memory_mib_per_request)


def broken_limits(
    month: BilledMonth, promise: Promise, bills: Bills, deciding: Collection[str] | None = None
) -> list[list[Rejection]]:
    """List the limits that each candidate breaks; a rate that is not known is one where it could decide.

    Parameters
    ----------
    month : BilledMonth
        The candidates' month.
    promise : Promise
        The limits.
    bills : Bills
        The candidates' bills.
    deciding : collection of str, optional
        Charges that could decide between candidates if their rate is not known; by default those that differ between these candidates.

    Returns
    -------
    list of list of Rejection
        For each candidate, in their order.
    """
    found: list[list[Rejection]] = [[] for _ in month.specs]
    unknown = {
        charge: error
        for charge, error in bills.unknown.items()
        if (could_decide(charge, bills) if deciding is None else charge in deciding)
    }
    # A bill with an unknown line that differs from candidate to candidate is no figure to compare.
    usd = bills.total_usd.copy()
    for charge in unknown:
        usd[bills.quantity[charge] > 0] = math.nan
    for charge, error in unknown.items():
        for i in np.flatnonzero(bills.quantity[charge]):
            found[i].append(Rejection("rate", 0.0, math.inf, error.price, month.specs[i], math.nan))
    for limit in limits(month, promise):
        for i in np.flatnonzero(limit.broken):
            actual, allowed = float(limit.actual[i]), float(limit.limit[i])
            found[i].append(Rejection(limit.name, allowed, actual, limit.unit, month.specs[i], float(usd[i])))
    if promise.allowed_cpu_architectures or promise.allowed_regions:
        for place, spec in enumerate(month.specs):
            for name, names, value in allowed_names(promise, spec.cpu_architecture, month.region):
                if value not in names:
                    found[place].append(Rejection(name, " or ".join(names), value, "", spec, float(usd[place])))
    return found


def allowed_names(promise: Promise, cpu_architecture: str, region: str) -> list[tuple[str, tuple[str, ...], str]]:
    """List the limits that are names and are switched on, with what there is.

    Parameters
    ----------
    promise : Promise
        The limits.
    cpu_architecture : str
        Architecture of the tasks.
    region : str
        Region code.

    Returns
    -------
    list of (str, tuple of str, str)
        The limit's name, what it allows, and what there is.
    """
    rows = (
        ("allowed_cpu_architectures", promise.allowed_cpu_architectures, cpu_architecture),
        ("allowed_regions", promise.allowed_regions, region),
    )
    return [row for row in rows if row[1]]


def drill_rejections(spec: ServiceSpec, situation: Situation, usd_per_month: float = math.nan) -> list[Rejection]:
    """Put a candidate through the drills that are asked for, and list the limits that it breaks.

    Parameters
    ----------
    spec : ServiceSpec
        The candidate.
    situation : Situation
        Its load and the promise.
    usd_per_month : float
        Its bill. [USD/month]

    Returns
    -------
    list of Rejection
        One for each broken limit.
    """
    return [
        Rejection(name, getattr(situation.promise, name), minutes, "min", spec, usd_per_month)
        for name, minutes in drill_minutes(spec, situation).items()
        if minutes > getattr(situation.promise, name) * (1 + 1e-12)
    ]


def budget_rejections(promise: Promise, spec: ServiceSpec, usd_per_month: float) -> list[Rejection]:
    """Hold a bill against the budget.

    Parameters
    ----------
    promise : Promise
        Has the budget, if there is one.
    spec : ServiceSpec
        The candidate.
    usd_per_month : float
        Its bill, Savings Plans and all. [USD/month]

    Returns
    -------
    list of Rejection
        One if the bill is over the budget, else none.
    """
    budget = promise.max_usd_per_month
    if budget is None or not usd_per_month > budget * (1 + 1e-12):
        return []
    return [Rejection("max_usd_per_month", budget, usd_per_month, "USD/month", spec, usd_per_month)]


def could_decide(charge: str, bills: Bills) -> bool:
    """Say whether an unknown rate could change which candidate is cheapest.

    Parameters
    ----------
    charge : str
        Name of the line.
    bills : Bills
        The candidates' bills.

    Returns
    -------
    bool
        False if the line is too small to decide, or if every candidate needs as much of it: all bills then lack the same.
    """
    amounts = bills.quantity[charge]
    differs = np.ptp(amounts) > _SAME_QUANTITY * np.abs(amounts).max()
    return CHARGES[charge].decides and bool(differs)


def unknown_rate_warnings(missed: Iterable[RateNotFound], bills: Bills, deciding: Collection[str]) -> tuple[str, ...]:
    """Say which rates are not known, and what that does to a plan.

    Parameters
    ----------
    missed : iterable of RateNotFound
        Rates for want of which candidates were left out.
    bills : Bills
        The bill of the one that was chosen.
    deciding : collection of str
        Charges that could decide between candidates.

    Returns
    -------
    tuple of str
        Sentences; none where nothing that counts is unknown.
    """
    small: list[RateNotFound] = []
    alike: list[RateNotFound] = []
    for charge, error in bills.unknown.items():
        if charge not in deciding:
            (alike if CHARGES[charge].decides else small).append(error)
    rows = (
        ("Candidates that need it were left out.", list(missed)),
        ("The bill is at least its total: it lacks what is the same for every candidate.", alike),
        ("The bill is at least its total: it lacks what is too small to decide between candidates.", small),
    )
    return tuple(f"{what} {unknown_rates_text(errors)}" for what, errors in rows if errors)


def worst(broken: list[Rejection]) -> Rejection:
    """Choose the limit that a candidate misses by most.

    Parameters
    ----------
    broken : list of Rejection
        At least one.

    Returns
    -------
    Rejection
        The largest miss.
    """
    return max(broken, key=lambda rejection: rejection.miss)


def none_left(
    specs: list[ServiceSpec], broken: list[list[Rejection]], unknown: Iterable[RateNotFound]
) -> RateNotFound | NoFeasiblePlan:
    """Say why no candidate is left.

    Parameters
    ----------
    specs : list of ServiceSpec
        The candidates.
    broken : list of list of Rejection
        What each one breaks.
    unknown : iterable of RateNotFound
        Rates that are not known.

    Returns
    -------
    RateNotFound or NoFeasiblePlan
        The first if all of them, or those that keep all limits, need an unknown rate; else with the rejections, nearest miss first.
    """
    need_it = all(any(r.constraint == "rate" for r in row) for row in broken)
    kept_else = (row for row in broken if all(r.constraint == "rate" and not r.is_partial for r in row))
    row = broken[0] if need_it else next(kept_else, None)
    if row is not None:
        price = next(r.unit for r in row if r.constraint == "rate")
        return next(error for error in unknown if error.price == price)
    return no_plan(len(specs), [worst(row) for row in broken])


def no_plan(candidates: int, rejections: Iterable[Rejection]) -> NoFeasiblePlan:
    """Say that no candidate keeps the promise, and which one misses it by least.

    Parameters
    ----------
    candidates : int
        How many there were. [candidates]
    rejections : iterable of Rejection
        Why each one is none; at least one.

    Returns
    -------
    NoFeasiblePlan
        With the rejections, nearest miss first.
    """
    nearest, *rest = sorted(rejections, key=lambda r: (r.miss, np.nan_to_num(r.usd_per_month, nan=math.inf)))
    return NoFeasiblePlan(
        f"None of {candidates:,} candidates keeps the promise. The nearest miss, {nearest.spec.describe()}: {nearest.reason}. "
        f"{_ADVICE.get(nearest.constraint, _LOOSEN)}",
        (nearest, *rest),
    )


def require_consistent(
    request: Request,
    application: Application,
    network: NetworkLayout,
    region: str,
    spec: ServiceSpec | None = None,
    extras: Extras | None = None,
) -> None:
    """Raise unless the parts fit: the network has the ways that request and image need, Fargate the tasks for the operating system.

    Parameters
    ----------
    request : Request
        What one request asks for.
    application : Application
        What is deployed.
    network : NetworkLayout
        Where the tasks stand.
    region : str
        Region code.
    spec : ServiceSpec, optional
        The candidate, where there is one.
    extras : Extras, optional
        What is billed around the service.

    Raises
    ------
    InvalidScenario
        If tasks without a way to the internet are to reach it, an endpoint is missing, Windows does not run so, or there is a plan of CloudFront
        without CloudFront.
    """
    if extras is not None and (problem := plan_problem(extras.cloudfront_plan, request.behind_cloudfront)):
        raise InvalidScenario(problem)
    if spec is not None:
        spot = spec.capacity_provider_strategy.uses_spot
        require_offered(application.operating_system, spec.task_size, spec.cpu_architecture, spot)
    if network.layout == "ipv6" and application.is_windows:
        raise InvalidScenario(
            "operating_system is WINDOWS in the ipv6 layout; Fargate runs tasks with IPv6 alone with LINUX only. Choose the public, nat or "
            "endpoints layout."
        )
    if network.layout != "endpoints":
        return
    needed = NetworkLayout.of("endpoints", network.availability_zones, uses_secrets=bool(application.secrets))
    missing = sorted(set(needed.interface_endpoints) - set(network.interface_endpoints))
    if missing:
        raise InvalidScenario(
            f"The endpoints layout has no endpoint for {', '.join(missing)}, which the tasks need. NetworkLayout.of makes it with all of them."
        )
    outbound = request.outbound_sent_kb_per_request + request.outbound_received_kb_per_request
    if outbound:
        raise InvalidScenario(
            f"The endpoints layout has no way to the internet, and a request has {outbound:g} kB outbound. Choose the nat or public "
            "layout, or set both outbound fields to 0."
        )
    if not application.image_is_in_ecr(region):
        raise InvalidScenario(
            f"The endpoints layout has no way to the internet, and image {shown(application.image)} is not in ECR in {region}. Choose "
            "the nat or public layout, or push the image to ECR there."
        )
    if application.image and DUAL_STACK_ECR in application.image:
        name = application.image.replace(DUAL_STACK_ECR, ".dkr.ecr.").replace(".on.aws/", ".amazonaws.com/")
        raise InvalidScenario(
            f"image is {shown(application.image)}; ECR's interface endpoints serve its IPv4 names only. Write {name}, or choose the ipv6, nat or "
            "public layout."
        )
