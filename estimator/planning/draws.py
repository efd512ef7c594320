"""Plans in many cases: run_draws follows them through each and says what they cost and what they keep.

Notes
-----
All plans meet the same cases with the same chances (common random numbers): a difference between two plans comes from the plans and not from
the draws, so that few draws suffice to tell them apart. Draws go on threads, a whole draw on one of them, since within a draw what is not the
compiled loop would wait; each draw leaves three numbers for each plan and nothing that grows with the steps of the load.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.committed import with_known_plans
from estimator.billing.costing import breakdown, price_month
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.checks import require_number
from estimator.errors import InvalidScenario
from estimator.planning.drills import Situation
from estimator.planning.limits import broken_limits, drill_rejections
from estimator.planning.promise import Promise, Rejection
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.policies import PredictiveScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.simulation.engine import simulate
from estimator.units import HOURS_PER_MONTH, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.request import Workload

#: Draws that say which compiled loops a long run needs. [1]
_LOOKED_AT = 24


#: Minutes of a month. [min]
MINUTES_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR / SECONDS_PER_MINUTE
#: Limits that are broken minute by minute, or request by request; a rate that is not known is no broken one.
_BY_THE_MINUTE = frozenset(
    {
        "p95_latency_ms",
        "p99_latency_ms",
        "max_minutes_over_capacity",
        "max_minutes_over_promise",
        "max_refused_percent",
        "rate",
    }
)


@dataclass(frozen=True, eq=False)
class Case:
    """All that a bill depends on besides the service.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    application : Application
        What is deployed.
    promise : Promise
        Limits.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    extras : Extras
        What is billed around the service.
    hours_per_month : float
        Length of the billed month. [h]
    history_days : int, optional
        Days that predictive scaling looks back; by default what a service says. [days]
    """

    workload: Workload
    rates: Rates
    application: Application = field(default_factory=Application)
    promise: Promise = field(default_factory=Promise)
    behavior: AwsBehavior = field(default_factory=AwsBehavior)
    operations: Operations = field(default_factory=Operations)
    extras: Extras = field(default_factory=Extras)
    hours_per_month: float = HOURS_PER_MONTH
    history_days: int | None = None

    def meet(self, spec: ServiceSpec) -> ServiceSpec:
        """Return a service as it is in this case.

        Parameters
        ----------
        spec : ServiceSpec
            The service.

        Returns
        -------
        ServiceSpec
            With the storage that the application asks for, and the history that predictive scaling has.
        """
        if spec.ephemeral_storage_gib != self.application.ephemeral_storage_gib:
            spec = replace(spec, ephemeral_storage_gib=self.application.ephemeral_storage_gib)
        if self.history_days is None or not spec.predictive:
            return spec
        scaling = tuple(
            replace(policy, history_days=self.history_days) if isinstance(policy, PredictiveScalingPolicy) else policy
            for policy in spec.scaling
        )
        return replace(spec, scaling=scaling)


@dataclass(frozen=True, slots=True)
class Contender:
    """A plan that is held against others.

    Parameters
    ----------
    title : str
        What it is the plan for, such as ``likely values``.
    spec : ServiceSpec
        What runs.
    savings_plans : tuple of SavingsPlan
        Compute Savings Plans, each with its commitment: what was bought stays bought, whatever comes.
    beside : tuple of (str, object)
        What is decided beside the service, by dotted path of the scenario, such as ``("region", "eu-west-1")``; nothing where it is as the
        scenario has it.
    """

    title: str
    spec: ServiceSpec
    savings_plans: tuple[SavingsPlan, ...] = ()
    beside: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if any(plan.commitment_usd_per_h is None for plan in self.savings_plans):
            raise InvalidScenario(
                "savings_plans has a commitment that is to be found; what was bought must be said. Give commitment_usd_per_h."
            )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What each plan comes to in each case.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_plans)
        Bills, without lines whose rate is unknown. [USD/month]
    minutes_over_promise : numpy.ndarray, shape (n_draws, n_plans)
        Minutes that are over capacity or in which the promised p95 latency does not hold. [min/month]
    minutes_over_capacity : numpy.ndarray, shape (n_draws, n_plans)
        Minutes whose load is more than the healthy tasks can serve. [min/month]
    keeps : numpy.ndarray of bool, shape (n_draws, n_plans)
        True where no limit of the promise is broken; the budget is no such limit here.
    unknown : tuple of str
        Lines without a known rate, by the names of their charges; bills are then lower bounds.
    never : numpy.ndarray of bool, shape (n_draws, n_plans), optional
        True where a limit is broken that is not told in minutes, latency or refused requests; by default nowhere.
    """

    usd: NDArray[np.float64]
    minutes_over_promise: NDArray[np.float64]
    minutes_over_capacity: NDArray[np.float64]
    keeps: NDArray[np.bool_]
    unknown: tuple[str, ...] = ()
    never: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.never is None:
            object.__setattr__(self, "never", np.zeros(np.shape(self.keeps), dtype=np.bool_))
        for name in ("usd", "minutes_over_promise", "minutes_over_capacity", "keeps", "never"):
            values = np.array(getattr(self, name))
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @property
    def minutes_that_weigh(self) -> NDArray[np.float64]:
        """Minutes over the promise in the months that break it, shape (n_draws, n_plans): a percentile that is kept allows slow ones. [min/month]

        A month that breaks what is not told in minutes, such as the least tasks or the loss of a zone, breaks it in all of its minutes.
        """
        assert self.never is not None
        return np.where(self.never, MINUTES_PER_MONTH, np.where(self.keeps, 0.0, self.minutes_over_promise))

    @property
    def n_draws(self) -> int:
        """Cases. [1]"""
        return int(self.usd.shape[0])

    def between(self, first: int, last: int) -> Outcomes:
        """Cut out some of the cases.

        Parameters
        ----------
        first, last : int
            Place of the first, and of the first that is left out again.

        Returns
        -------
        Outcomes
            Of the same plans.
        """
        part = slice(first, last)
        return Outcomes(
            self.usd[part],
            self.minutes_over_promise[part],
            self.minutes_over_capacity[part],
            self.keeps[part],
            self.unknown,
            self.never[part] if self.never is not None else None,
        )


def run_draws(
    contenders: Sequence[Contender],
    case_of: Callable[[int, Mapping[str, Any]], Case],
    n_draws: int,
    progress: Callable[[float], None] | None = None,
    n_threads: int | None = None,
) -> Outcomes:
    """Follow all plans through the same cases, and bill them.

    Parameters
    ----------
    contenders : sequence of Contender
        The plans.
    case_of : callable
        From the number of a draw, and what a plan decides beside the service, to its case; it is called from several threads.
    n_draws : int
        How many there are. [1]
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.
    n_threads : int, optional
        Threads, which change no figure; by default one for each core. [1]

    Returns
    -------
    Outcomes
        In the order of the draws and of the plans.

    Raises
    ------
    InvalidScenario
        If there is no plan or no draw, or a plan cannot be run in a case.
    """
    require_number("n_draws", n_draws, 1, 1_000_000, whole=True)
    if not contenders:
        raise InvalidScenario("There is no plan to follow. Give at least one.")
    cores = os.cpu_count() or 1
    n_threads = cores if n_threads is None else n_threads
    require_number("n_threads", n_threads, 1, whole=True)
    workers = min(n_threads, n_draws)
    shape = (n_draws, len(contenders))
    usd, promise, capacity = np.empty(shape), np.empty(shape), np.empty(shape)
    keeps, never = np.empty(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    unknown: dict[str, None] = {}
    stop = threading.Event()

    groups: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for place, each in enumerate(contenders):
        groups.setdefault(each.beside, []).append(place)

    def one(i: int) -> None:
        for beside, places in groups.items():
            if stop.is_set():
                return
            # What a draw leaves of the cores, its plans share.
            plans = [contenders[place] for place in places]
            found = _outcome(plans, case_of(i, dict(beside)), max(1, n_threads // workers))
            usd[i, places], promise[i, places], capacity[i, places], keeps[i, places], never[i, places] = found[:5]
            unknown.update(dict.fromkeys(found[5]))

    _load_compiled(contenders, case_of, n_draws)
    # The first one compiles, if that is still to be done.
    one(0)
    _tell(progress, 1 / n_draws)
    from threadpoolctl import threadpool_limits

    # After each product of matrices numpy's threads wait for the next one at full speed, on the cores that the draws need.
    with threadpool_limits(1):
        _on_threads(one, n_draws, workers, progress, stop)
    return Outcomes(usd, promise, capacity, keeps, tuple(sorted(unknown)), never)


def _tell(progress: Callable[[float], None] | None, part: float) -> None:
    if progress is not None:
        progress(part)


def _on_threads(
    one: Callable[[int], None],
    n: int,
    workers: int,
    progress: Callable[[float], None] | None,
    stop: threading.Event,
) -> None:
    """Run all but the first on threads; whatever ``progress`` or a draw raises ends it after those that are running."""
    if workers <= 1:
        for i in range(1, n):
            one(i)
            _tell(progress, (i + 1) / n)
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed

    with ThreadPoolExecutor(max_workers=workers) as pool:
        running = [pool.submit(one, i) for i in range(1, n)]
        try:
            for done, future in enumerate(as_completed(running), 2):
                future.result()
                _tell(progress, done / n)
        except BaseException:
            stop.set()
            for future in running:
                future.cancel()
            raise


def _load_compiled(
    contenders: Sequence[Contender], case_of: Callable[[int, Mapping[str, Any]], Case], n_draws: int
) -> None:
    """Load the compiled loops where they pay: the engine takes those that are there, and otherwise looks at each draw alone."""
    from estimator.simulation.courses import UNCOMPILED_STEPS, Courses
    from estimator.simulation.inputs import features_of
    from estimator.simulation.outcome import OWN_LOOP_STEPS

    period_s = case_of(0, {}).workload.load.period_s
    n_steps = n_draws * len(contenders) * (period_s + max(period_s, SECONDS_PER_DAY)) // SECONDS_PER_MINUTE
    if n_steps <= UNCOMPILED_STEPS:
        return
    from estimator.simulation.compiled import compiled_run

    if n_steps < OWN_LOOP_STEPS:
        return
    # A loop with just what some draws use is several times as fast as one that can do everything.
    looked_at = range(min(n_draws, _LOOKED_AT))
    steps: Counter[frozenset[str]] = Counter()
    for i in looked_at:
        now = case_of(i, {})
        specs = [now.meet(each.spec) for each in contenders]
        courses = Courses(now.workload, specs, now.application, now.behavior, now.operations)
        for place, several in enumerate(courses.steps.tolist()):
            steps[features_of(courses.course(place).inputs)] += several
    for used, several in steps.items():
        if several * n_draws / len(looked_at) >= OWN_LOOP_STEPS:
            compiled_run(used)


def _outcome(
    contenders: Sequence[Contender], case: Case, n_threads: int
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], list[str]
]:
    """Simulate and bill all plans in one case: bills, minutes over the promise and over capacity, who keeps it, what is unknown."""
    specs = [case.meet(each.spec) for each in contenders]
    happens: dict[str, Any] = {
        "operations": case.operations,
        "p95_latency_ms": case.promise.p95_latency_ms,
        "n_threads": n_threads,
    }
    run = simulate(case.workload, specs, case.application, case.behavior, **happens)
    month = BilledMonth(
        case.workload,
        run,
        case.application,
        case.hours_per_month,
        case.rates.region,
        case.behavior,
        case.extras,
    )
    bills = price_month(month, case.rates)
    usd = bills.total_usd.copy()
    unknown = list(bills.unknown)
    for i, each in enumerate(contenders):
        if each.savings_plans:
            # A Savings Plan is applied hour by hour.
            hourly = simulate(
                case.workload,
                [specs[i]],
                case.application,
                case.behavior,
                keep_hours=True,
                **happens,
            )
            alone = breakdown(month, bills, case.rates, i)
            system = case.application.operating_system
            cost, left_out = with_known_plans(alone, hourly, case.rates, each.savings_plans, system)
            usd[i] = cost.total_usd
            unknown += ["savings_plan"] if left_out else []
    broken = broken_limits(month, case.promise, bills)
    drilled = Situation(case.workload, case.application, case.behavior, case.operations, case.promise)
    for i, spec in enumerate(specs):
        # Each drill is a simulation more, which a broken plan need not go through.
        broken[i] += [] if _is_broken(broken[i]) else drill_rejections(spec, drilled)
    keeps = np.array([not _is_broken(row) for row in broken])
    never = np.array([any(one.constraint not in _BY_THE_MINUTE for one in row) for row in broken])
    return (
        usd,
        run.minutes_over_promise * month.periods,
        run.minutes_over_capacity * month.periods,
        keeps,
        never,
        unknown,
    )


def _is_broken(limits: Sequence[Rejection]) -> bool:
    """Tell a broken limit; that a rate is not known is none."""
    return any(limit.constraint != "rate" for limit in limits)
