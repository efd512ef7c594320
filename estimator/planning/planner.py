"""The verbs: estimate one candidate, plan the cheapest that keeps the promise."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.costing import Bills, CostBreakdown, breakdown, price_month, usd_text
from estimator.billing.lcu import LcuHours, lcu_hours
from estimator.billing.month import BilledMonth
from estimator.checks import shown
from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound
from estimator.fingerprints import fingerprint_of
from estimator.planning.promise import Choices, Promise, Rejection
from estimator.planning.search import candidates
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.network import NetworkLayout
from estimator.service.spec import FARGATE_SPOT, ServiceSpec
from estimator.simulation.engine import Series, Simulation, simulate
from estimator.simulation.latency import mean_in_flight, servers_and_service_s
from estimator.units import HOURS_PER_MONTH
from estimator.workload.request import Request, Workload


@dataclass(frozen=True, eq=False)
class Plan:
    """A candidate, its course and its bill; from `plan` also why the cheaper ones lost.

    Parameters
    ----------
    spec : ServiceSpec
        What to run.
    cost : CostBreakdown
        The month's bill.
    simulation : Simulation
        The candidate over one period, with its series.
    workload : Workload
        What it was planned for.
    application : Application
        What is deployed.
    promise : Promise
        The limits.
    behavior : AwsBehavior
        What was taken for granted of AWS.
    rejections : tuple of Rejection
        Candidates that were cheaper and broke a limit, cheapest first.
    considered : int
        Candidates that were simulated and priced. [candidates]
    warnings : tuple of str
        What a reader should know.
    scenario : dict
        The document that it came from, if any.
    """

    spec: ServiceSpec
    cost: CostBreakdown
    simulation: Simulation
    workload: Workload
    application: Application
    promise: Promise
    behavior: AwsBehavior
    rejections: tuple[Rejection, ...] = ()
    considered: int = 1
    warnings: tuple[str, ...] = ()
    scenario: Mapping[str, Any] = field(default_factory=dict)

    @property
    def series(self) -> Series:
        """The candidate's course, step by step."""
        return self.simulation.series[0]

    @property
    def lcu(self) -> LcuHours:
        """Load balancer capacity units of each hour of the period."""
        return lcu_hours(self.workload)

    @property
    def figures(self) -> dict[str, float]:
        """Figures of the candidate by name; units stand in the names."""
        run = self.simulation
        periods = self.cost.hours_per_month / run.period_hours
        return {
            "total_usd_per_month": self.cost.total_usd,
            "mean_tasks": float(run.mean_billed_count[0]),
            "peak_tasks": float(run.peak_desired_count[0]),
            "p50_latency_ms": float(run.p50_latency_ms[0]),
            "p95_latency_ms": float(run.p95_latency_ms[0]),
            "p99_latency_ms": float(run.p99_latency_ms[0]),
            "minutes_over_capacity_per_month": float(run.minutes_over_capacity[0]) * periods,
            "unserved_requests_per_month": float(run.unserved_requests[0]) * periods,
            "requests_per_month": self.cost.requests,
            "usd_per_million_requests": self.cost.total_usd / self.cost.requests * 1e6 if self.cost.requests else 0.0,
        }

    @property
    def assumptions(self) -> dict[str, Any]:
        """What the bill rests on besides the candidate and the rates, JSON-ready: load, request, application, behavior."""
        load = self.workload.load
        return {
            "load": {
                "name": load.name,
                "period_hours": load.period_hours,
                "mean_requests_per_s": load.mean_requests_per_s,
                "peak_requests_per_s": load.peak_requests_per_s,
                "fingerprint": load.fingerprint(),
            },
            "request": {item.name: getattr(self.workload, item.name) for item in fields(Request)},
            "application": asdict(self.application),
            "behavior": asdict(self.behavior),
        }

    def fingerprint(self) -> str:
        """Return SHA-256 over the candidate, what its bill rests on and the bill, equal in every process.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        content = {"spec": self.spec.to_dict(), "assumptions": self.assumptions, "cost": self.cost.to_dict()}
        return fingerprint_of(content)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values.

        Returns
        -------
        dict
            JSON-ready; what has no bound is None.
        """
        return {
            "service": self.spec.to_dict(),
            "summary": self.spec.describe(),
            "figures": {name: value if math.isfinite(value) else None for name, value in self.figures.items()},
            "cost": self.cost.to_dict(),
            "considered": self.considered,
            "cheaper_rejected": len(self.rejections),
            "rejections": [rejection.to_dict() for rejection in self.rejections[:20]],
            "warnings": list(self.warnings),
            "fingerprint": self.fingerprint(),
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(r.spec.describe())}</td><td align='right'>{usd_text(r.usd_per_month)}</td><td>{html.escape(r.reason)}</td></tr>"
            for r in shortlist(self.rejections)
        )
        lost = (
            f"<p>{len(self.rejections)} cheaper candidates of {self.considered} broke a limit:</p><table><thead><tr><th>Candidate</th>"
            f"<th>USD/month</th><th>Why not</th></tr></thead><tbody>{rows}</tbody></table>"
            if rows
            else ""
        )
        warned = "".join(f"<p>Note: {html.escape(text)}</p>" for text in self.warnings)
        return f"<p><b>{html.escape(self.spec.describe())}</b></p>{self.cost._repr_html_()}{warned}{lost}"


def shortlist(rejections: tuple[Rejection, ...], most: int = 6) -> list[Rejection]:
    """Choose rejections that say the most: the dearest below the plan for each broken limit and architecture.

    Parameters
    ----------
    rejections : tuple of Rejection
        Cheapest first.
    most : int
        How many at the most. [1]

    Returns
    -------
    list of Rejection
        Cheapest first.
    """
    by_kind: dict[tuple[str, str, int], Rejection] = {}
    for rejection in rejections:
        by_kind[rejection.constraint, rejection.spec.cpu_architecture, rejection.spec.task_size.cpu_units] = rejection
    chosen = sorted(by_kind.values(), key=lambda r: r.usd_per_month)
    return chosen[-most:]


def estimate(
    workload: Workload,
    rates: Rates,
    spec: ServiceSpec,
    application: Application | None = None,
    promise: Promise | None = None,
    behavior: AwsBehavior | None = None,
    hours_per_month: float = HOURS_PER_MONTH,
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

    Returns
    -------
    Plan
        With a bill in which an unknown rate stands as unknown.
    """
    application = application or Application()
    promise = promise or Promise()
    behavior = behavior or AwsBehavior()
    require_consistent(workload, application, spec.network, rates.region)
    run = simulate(workload, [spec], application, behavior, keep_series=[0])
    month = BilledMonth(workload, run, application, hours_per_month)
    bills = price_month(month, rates)
    (broken,) = _broken(month, promise, bills)
    warnings = [f"The promise is broken: {limit.reason}." for limit in broken if limit.constraint != "rate"]
    warnings += [str(error) for error in bills.unknown.values()]
    return Plan(
        spec,
        breakdown(month, bills, rates, 0),
        run,
        workload,
        application,
        promise,
        behavior,
        warnings=(*warnings, *_notes(spec)),
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
    require_consistent(workload, application, network, rates.region)
    specs = candidates(workload, choices, application, network)
    if not specs:
        raise InvalidScenario(
            f"No candidate is left to simulate: the load peaks at {workload.load.peak_requests_per_s:,.0f} requests/s and the target "
            f"group takes {choices.target_group_quota} tasks; max_capacity is {choices.max_capacity}. Lower the load, or set other "
            "bounds in `search`."
        )
    run = simulate(workload, specs, application, behavior, progress=progress)
    month = BilledMonth(workload, run, application, hours_per_month)
    bills = price_month(month, rates)
    broken = _broken(month, promise, bills)
    order = np.lexsort(
        (np.arange(len(specs)), np.nan_to_num(run.p95_latency_ms, posinf=1e18), np.round(bills.total_usd, 9))
    )
    winner = next((int(i) for i in order if not broken[i]), None)
    if winner is None:
        raise _none_left(specs, broken, bills)
    rejections = tuple(_worst(broken[i]) for i in order if broken[i] and bills.total_usd[i] < bills.total_usd[winner])
    chosen = simulate(workload, [specs[winner]], application, behavior, keep_series=[0])
    return Plan(
        specs[winner],
        breakdown(month, bills, rates, winner),
        chosen,
        workload,
        application,
        promise,
        behavior,
        rejections,
        len(specs),
        _notes(specs[winner]),
    )


def require_consistent(request: Request, application: Application, network: NetworkLayout, region: str) -> None:
    """Raise unless the network layout has the ways that request and image need.

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

    Raises
    ------
    InvalidScenario
        If tasks without a way to the internet are to reach it.
    """
    if network.layout != "endpoints":
        return
    outbound = request.outbound_sent_kb_per_request + request.outbound_received_kb_per_request
    if outbound:
        raise InvalidScenario(
            f"The endpoints layout has no way to the internet, and a request has {outbound:g} kB outbound. Choose the nat or public "
            "layout, or set both outbound fields to 0."
        )
    if application.image is not None and f".dkr.ecr.{region}.amazonaws.com/" not in application.image:
        raise InvalidScenario(
            f"The endpoints layout has no way to the internet, and image {shown(application.image)} is not in ECR in {region}. Choose "
            "the nat or public layout, or push the image to ECR there."
        )


def _limits(
    month: BilledMonth, promise: Promise
) -> list[tuple[str, float | NDArray[np.float64], NDArray[np.float64], str, bool]]:
    """List every limit: its name, the limit, the candidates' figures, the unit, and whether the figure must not lie above the limit."""
    run, specs = month.simulation, month.specs
    zones = np.array([s.network.availability_zones for s in specs], dtype=np.float64)
    minimum = np.array([s.min_capacity for s in specs], dtype=np.float64)
    memory = np.array([s.task_size.memory_mib for s in specs], dtype=np.float64)
    checks: list[tuple[str, float | NDArray[np.float64] | None, NDArray[np.float64], str, bool]] = [
        ("min_tasks", promise.min_tasks, minimum, "tasks", False),
        ("min_availability_zones", promise.min_availability_zones, zones, "zones", False),
        ("memory_mib", memory, _memory_needed_mib(month), "MiB", True),
        (
            "max_minutes_over_capacity",
            promise.max_minutes_over_capacity,
            run.minutes_over_capacity * month.periods,
            "min/month",
            True,
        ),
        ("p95_latency_ms", promise.p95_latency_ms, run.p95_latency_ms, "ms", True),
    ]
    return [(name, limit, actual, unit, above) for name, limit, actual, unit, above in checks if limit is not None]


def _memory_needed_mib(month: BilledMonth) -> NDArray[np.float64]:
    """Estimate the memory of a task at its busiest minute: what it has at rest, and what the requests in flight add. [MiB]"""
    servers = np.array([servers_and_service_s(spec.task_size.vcpu, 1.0)[0] for spec in month.specs])
    flying = np.zeros(len(month.specs))
    for count in set(servers.tolist()):
        members = servers == count
        flying[members] = mean_in_flight(month.simulation.peak_utilization[members], count)
    return np.asarray(month.workload.baseline_memory_mib + flying * month.workload.memory_mib_per_request)


def _broken(month: BilledMonth, promise: Promise, bills: Bills) -> list[list[Rejection]]:
    """List the limits that each candidate breaks."""
    found: list[list[Rejection]] = [[] for _ in month.specs]
    for charge, error in bills.unknown.items():
        for i in np.flatnonzero(bills.quantity[charge]):
            found[i].append(Rejection("rate", 0.0, math.inf, error.price, month.specs[i], float(bills.total_usd[i])))
    for name, limit, actual, unit, must_not_exceed in _limits(month, promise):
        limits = np.broadcast_to(np.asarray(limit, dtype=np.float64), actual.shape)
        bad = actual > limits * (1 + 1e-12) if must_not_exceed else actual < limits
        for i in np.flatnonzero(bad):
            found[i].append(
                Rejection(name, float(limits[i]), float(actual[i]), unit, month.specs[i], float(bills.total_usd[i]))
            )
    return found


def _worst(broken: list[Rejection]) -> Rejection:
    """Choose the limit that a candidate misses by most."""
    return max(broken, key=lambda rejection: rejection.miss)


def _none_left(specs: list[ServiceSpec], broken: list[list[Rejection]], bills: Bills) -> Exception:
    """Say why nothing is left."""
    if all(any(r.constraint == "rate" for r in row) for row in broken):
        error: RateNotFound = next(iter(bills.unknown.values()))
        return error
    rejections = sorted((_worst(row) for row in broken), key=lambda r: (r.miss, r.usd_per_month))
    nearest = rejections[0]
    return NoFeasiblePlan(
        f"None of {len(specs):,} candidates keeps the promise. The nearest miss, {nearest.spec.describe()}, has {nearest.reason}. "
        "Loosen that limit (null switches it off) or widen `search` in the scenario.",
        tuple(rejections),
    )


def _notes(spec: ServiceSpec) -> tuple[str, ...]:
    notes = []
    if spec.capacity_provider == FARGATE_SPOT:
        notes.append(
            "Fargate Spot can be interrupted at two minutes' notice and may be short; interruptions are not simulated yet."
        )
    if spec.task_size.cpu_units == 32768:
        notes.append("32 vCPU tasks are new: some regions and tools may not have them yet.")
    return tuple(notes)
