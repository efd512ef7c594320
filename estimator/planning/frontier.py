"""Every candidate simulated whole and priced: explore(...), the Pareto front of cost against risk, and the runners-up.

Notes
-----
The planner looks for one winner and may leave out of the simulation what cannot win. Here every candidate has its figures, so that what a little
more risk would save, and a little more money would buy, can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charges import CHARGES
from estimator.billing.committed import with_known_plans
from estimator.billing.costing import Bills, CostBreakdown, cost_line, price_month
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SavingsPlan, require_savings_plans
from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.planning.drills import Situation
from estimator.planning.limits import broken_limits, budget_rejections, drill_rejections, require_consistent
from estimator.planning.promise import Choices, Promise, Rejection
from estimator.planning.risks import DEFAULT_RISK, LIMITS_OF_RISK, refused_percent, require_risk
from estimator.planning.search import candidates, network_layouts
from estimator.pricing.rates import Rates, require_rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation.dynamics import Dynamics, dynamics_of
from estimator.simulation.engine import simulate
from estimator.simulation.result import Simulation
from estimator.units import HOURS_PER_MONTH
from estimator.workload.request import Workload

#: Limits that ask for a drill.
DRILL_LIMITS = ("max_minutes_after_zone_loss", "max_minutes_in_flash_crowd", "max_minutes_in_spot_shortage")
#: Bills that differ by no more than this part are the same, as for the planner. [1]
_SAME = 2.0**-40
#: Part of the progress that the simulation is, where Savings Plans are fitted after it. [1]
_SIMULATED = 0.4


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What a search chooses from, and for what.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    promise : Promise
        The limits.
    choices : Choices
        What may be chosen.
    application : Application
        What is deployed.
    network : NetworkLayout
        Where the tasks stand.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    hours_per_month : float
        Length of the billed month. [h]
    operations : Operations
        What happens beside the load.
    extras : Extras
        What is billed around the service.
    savings_plans : tuple of SavingsPlan
        Compute Savings Plans that bills are with.
    """

    workload: Workload
    promise: Promise = field(default_factory=Promise)
    choices: Choices = field(default_factory=Choices)
    application: Application = field(default_factory=Application)
    network: NetworkLayout = field(default_factory=NetworkLayout)
    behavior: AwsBehavior = field(default_factory=AwsBehavior)
    hours_per_month: float = HOURS_PER_MONTH
    operations: Operations = field(default_factory=Operations)
    extras: Extras = field(default_factory=Extras)
    savings_plans: tuple[SavingsPlan, ...] = ()

    @property
    def situation(self) -> Situation:
        """What candidates are drilled in."""
        return Situation(self.workload, self.application, self.behavior, self.operations, self.promise)

    @property
    def drills(self) -> tuple[str, ...]:
        """Limits of the promise that ask for a drill."""
        return tuple(name for name in DRILL_LIMITS if getattr(self.promise, name) is not None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate with its figures.

    Parameters
    ----------
    place : int
        Its position among all candidates. [1]
    spec : ServiceSpec
        The candidate.
    usd_per_month : float
        Its bill; not a number if a rate is unknown that could decide. [USD/month]
    is_lower_bound : bool
        True if a line of the bill has no known rate, so that the bill is at least so much.
    minutes_over_promise_per_month, minutes_over_capacity_per_month : float
        Minutes in which the promised p95 latency does not hold or the tasks are too few, and the latter alone. [min/month]
    p95_latency_ms : float
        Response time that 95 of 100 requests stay within; infinite without bound. [ms]
    refused_percent : float
        Part of the requests at the tasks that is not served. [%]
    mean_tasks : float
        Billed tasks, on average. [tasks]
    rejections : tuple of Rejection
        Every limit that it breaks; none if it keeps the promise.
    """

    place: int
    spec: ServiceSpec
    usd_per_month: float
    is_lower_bound: bool
    minutes_over_promise_per_month: float
    minutes_over_capacity_per_month: float
    p95_latency_ms: float
    refused_percent: float
    mean_tasks: float
    rejections: tuple[Rejection, ...]

    @property
    def keeps_promise(self) -> bool:
        """True if it breaks no limit."""
        return not self.rejections

    @property
    def reasons(self) -> str:
        """Every limit that it breaks, to read; empty if it keeps the promise."""
        return "; ".join(rejection.reason for rejection in self.rejections)

    def to_dict(self) -> dict[str, Any]:
        """Return the candidate as plain values.

        Returns
        -------
        dict
            JSON-ready; what has no bound or is unknown is None.
        """
        names = [item.name for item in fields(self) if item.name not in {"place", "spec", "rejections"}]
        values = {name: getattr(self, name) for name in names}
        return {
            "candidate": self.spec.describe(),
            **{name: value if math.isfinite(value) else None for name, value in values.items()},
            "keeps_promise": self.keeps_promise,
            "broken": [rejection.reason for rejection in self.rejections],
            "service": self.spec.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A candidate that no other one beats both in cost and in risk.

    Parameters
    ----------
    candidate : Candidate
        The candidate.
    risk : float
        Its risk; infinite without bound. [the risk's unit]
    """

    candidate: Candidate
    risk: float

    @property
    def spec(self) -> ServiceSpec:
        """The candidate's service."""
        return self.candidate.spec

    @property
    def usd_per_month(self) -> float:
        """Its bill. [USD/month]"""
        return self.candidate.usd_per_month

    @property
    def keeps_promise(self) -> bool:
        """True if it breaks no limit."""
        return self.candidate.keeps_promise

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {"risk": self.risk if math.isfinite(self.risk) else None, **self.candidate.to_dict()}


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A candidate that keeps the promise and is not the cheapest.

    Parameters
    ----------
    candidate : Candidate
        The candidate.
    more_usd : float
        What it costs more than the winner. [USD/month]
    """

    candidate: Candidate
    more_usd: float

    def to_dict(self) -> dict[str, Any]:
        """Return the runner-up as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {"more_usd_per_month": self.more_usd, **self.candidate.to_dict()}


@dataclass(frozen=True, eq=False)
class Explored:
    """Every candidate of a search with its figures; n of them.

    Parameters
    ----------
    space : SearchSpace
        What was chosen from, and for what.
    region : str
        Region code.
    specs : tuple of ServiceSpec
        The candidates.
    usd_per_month : numpy.ndarray, shape (n,)
        Bills; not a number where a rate is unknown that could decide. [USD/month]
    is_lower_bound : numpy.ndarray of bool, shape (n,)
        True where a line of the bill has no known rate.
    minutes_over_promise_per_month, minutes_over_capacity_per_month : numpy.ndarray, shape (n,)
        Minutes in which the promised p95 latency does not hold or the tasks are too few, and the latter alone. [min/month]
    p95_latency_ms : numpy.ndarray, shape (n,)
        Response time that 95 of 100 requests stay within; infinite without bound. [ms]
    refused_percent : numpy.ndarray, shape (n,)
        Part of the requests at the tasks that is not served. [%]
    mean_tasks : numpy.ndarray, shape (n,)
        Billed tasks, on average. [tasks]
    rejections : tuple of tuple of Rejection
        Every limit that each candidate breaks without drills.
    """

    space: SearchSpace
    region: str
    specs: tuple[ServiceSpec, ...]
    usd_per_month: NDArray[np.float64]
    is_lower_bound: NDArray[np.bool_]
    minutes_over_promise_per_month: NDArray[np.float64]
    minutes_over_capacity_per_month: NDArray[np.float64]
    p95_latency_ms: NDArray[np.float64]
    refused_percent: NDArray[np.float64]
    mean_tasks: NDArray[np.float64]
    rejections: tuple[tuple[Rejection, ...], ...]
    _drilled: dict[Dynamics, tuple[Rejection, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in _FIGURES:
            values = getattr(self, name).copy()
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.specs)

    def __getitem__(self, place: int) -> Candidate:
        figures = {name: getattr(self, name)[place].item() for name in _FIGURES}
        rejections = (*self.rejections[place], *self._drill(place, anew=False))
        return Candidate(place=place, spec=self.specs[place], rejections=rejections, **figures)

    @property
    def keeps_promise(self) -> NDArray[np.bool_]:
        """True for each candidate that breaks no limit, drills aside; shape (n,)."""
        return np.array([not broken for broken in self.rejections], dtype=np.bool_)

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions from the cheapest on; of equal bills the lower p95 latency first, then the smaller task. Unknown bills come last."""
        p95 = _comparable(np.nan_to_num(self.p95_latency_ms, posinf=1e18))
        usd = np.nan_to_num(_comparable(self.usd_per_month), nan=math.inf)
        return np.asarray(np.lexsort((np.arange(len(self)), p95, usd)), dtype=np.int64)

    @property
    def winner(self) -> Candidate | None:
        """The cheapest candidate that keeps the promise; None if none does."""
        return next(self._keeping(frozenset()), None)

    def risks(self, name: str = DEFAULT_RISK) -> NDArray[np.float64]:
        """Read a risk of all candidates.

        Parameters
        ----------
        name : str
            A name of `RISKS`.

        Returns
        -------
        numpy.ndarray, shape (n,)
            The figures; infinite without bound. [the risk's unit]
        """
        values: NDArray[np.float64] = getattr(self, require_risk(name).name)
        return values

    def keeps_the_rest(self) -> NDArray[np.bool_]:
        """Say which candidates keep every limit but those of `LIMITS_OF_RISK`, drills aside, and have a bill to compare.

        Returns
        -------
        numpy.ndarray of bool, shape (n,)
            True where so.
        """
        return np.array([_only(broken, LIMITS_OF_RISK) for broken in self.rejections], dtype=np.bool_)

    def front(self, risk: str = DEFAULT_RISK) -> tuple[FrontPoint, ...]:
        """Find the Pareto front of cost against a risk: candidates than which no other one is cheaper or as cheap with less risk.

        Parameters
        ----------
        risk : str
            A name of `RISKS`.

        Returns
        -------
        tuple of FrontPoint
            Strictly rising in cost and strictly falling in risk, among the candidates that keep every limit but those of `LIMITS_OF_RISK`, drills
            included.
        """
        allowed = np.flatnonzero(self.keeps_the_rest())
        risks, usd = self.risks(risk), _comparable(self.usd_per_month)
        p95 = _comparable(np.nan_to_num(self.p95_latency_ms, posinf=1e18))
        by_cost = allowed[np.lexsort((allowed, p95[allowed], risks[allowed], usd[allowed]))]
        found: list[FrontPoint] = []
        for place in by_cost.tolist():
            if (not found or risks[place] < found[-1].risk) and not self._drill(place):
                found.append(FrontPoint(self[place], float(risks[place])))
        return tuple(found)

    def runners_up(self, n: int = 5, *, every: bool = False) -> tuple[RunnerUp, ...]:
        """List the cheapest candidates that keep the promise, besides the winner.

        Parameters
        ----------
        n : int
            How many at the most. [1]
        every : bool
            False for one of each task size and architecture, and none of the winner's; True for all of them.

        Returns
        -------
        tuple of RunnerUp
            Cheapest first, each with what it costs more; none if nothing keeps the promise.
        """
        require_number("n", n, 1, whole=True)
        found: list[RunnerUp] = []
        seen: set[object] = set()
        winner: Candidate | None = None
        for candidate in self._keeping(frozenset()):
            kind = (candidate.spec.task_size, candidate.spec.cpu_architecture)
            if winner is None:
                winner = candidate
            elif every or kind not in seen:
                found.append(RunnerUp(candidate, candidate.usd_per_month - winner.usd_per_month))
            seen.add(kind)
            if len(found) == n:
                break
        return tuple(found)

    def cheapest_within(self, minutes_over_capacity: float) -> Candidate | None:
        """Find the cheapest candidate if another number of minutes over capacity were promised and all other limits stayed.

        Parameters
        ----------
        minutes_over_capacity : float
            What would be allowed. [min/month]

        Returns
        -------
        Candidate or None
            The candidate; None if none is left.
        """
        require_number("minutes_over_capacity", minutes_over_capacity, 0)
        most = minutes_over_capacity * (1 + 1e-12)
        others = self._keeping(frozenset({"max_minutes_over_capacity"}))
        return next((one for one in others if one.minutes_over_capacity_per_month <= most), None)

    def _keeping(self, aside: frozenset[str]) -> Iterator[Candidate]:
        """Go through the candidates that keep all limits but those, drills included, cheapest first."""
        allowed = (place for place in self.order.tolist() if _only(self.rejections[place], aside))
        return (self[place] for place in allowed if not self._drill(place))

    def _drill(self, place: int, *, anew: bool = True) -> tuple[Rejection, ...]:
        """List the drills that a candidate fails; candidates of one course come through them alike. Not anew: only what is known already."""
        space, spec = self.space, self.specs[place]
        if not space.drills:
            return ()
        course = dynamics_of(spec, space.operations)
        if anew and course not in self._drilled:
            self._drilled[course] = tuple(drill_rejections(spec, space.situation))
        usd = float(self.usd_per_month[place])
        return tuple(replace(broken, spec=spec, usd_per_month=usd) for broken in self._drilled.get(course, ()))

    def to_frame(self, risk: str = DEFAULT_RISK) -> Any:
        """Return one row for each candidate, cheapest first.

        Parameters
        ----------
        risk : str
            A name of `RISKS`, of whose front a column says which candidates are on it.

        Returns
        -------
        pandas.DataFrame
            Figures with their units in the names, whether it keeps the promise and is on the front, and what it breaks.
        """
        import pandas as pd

        order = self.order
        front = {point.candidate.place for point in self.front(risk)}
        table = pd.DataFrame({name: getattr(self, name)[order] for name in _FIGURES})
        table.insert(0, "candidate", [self.specs[place].describe() for place in order])
        table["keeps_promise"] = self.keeps_promise[order]
        table["on_front"] = [place in front for place in order.tolist()]
        table["broken"] = ["; ".join(broken.reason for broken in self.rejections[place]) for place in order]
        return table

    def _repr_html_(self) -> str:
        return str(self.to_frame().head(200).to_html(index=False, float_format=lambda x: f"{x:,.2f}"))


#: Fields of `Explored` that have a figure for each candidate, as `Candidate` has them.
_FIGURES = (
    "usd_per_month",
    "is_lower_bound",
    "minutes_over_promise_per_month",
    "minutes_over_capacity_per_month",
    "p95_latency_ms",
    "refused_percent",
    "mean_tasks",
)


def explore(
    workload: Workload,
    rates: Rates,
    promise: Promise | None = None,
    *,
    choices: Choices | None = None,
    application: Application | None = None,
    network: NetworkLayout | None = None,
    behavior: AwsBehavior | None = None,
    hours_per_month: float = HOURS_PER_MONTH,
    operations: Operations | None = None,
    extras: Extras | None = None,
    savings_plans: Iterable[SavingsPlan] = (),
    progress: Callable[[float], None] | None = None,
) -> Explored:
    """Simulate and price every candidate of a search, those too that cannot win.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    promise : Promise, optional
        Limits.
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
    operations : Operations, optional
        Deployments, loss of a zone, shortages of Fargate Spot.
    extras : Extras, optional
        What is billed around the service.
    savings_plans : iterable of SavingsPlan
        Compute Savings Plans that you have, and one to buy; candidates are compared with them.
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    Explored
        Figures and broken limits of each candidate.

    Raises
    ------
    InvalidScenario
        If the parts do not fit together, or no candidate is left.

    Examples
    --------
    >>> from estimator import Choices, LoadProfile, Workload, load_rates
    >>> choices = Choices(target_values=(60.0,), min_capacities=(1, 2))
    >>> found = explore(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), load_rates("us-east-1"), choices=choices)
    >>> found.winner.spec.describe()
    '2 tasks of 0.25 vCPU, 0.5 GB, ARM64, constant count'
    >>> [point.spec.min_capacity for point in found.front()], found.winner.keeps_promise
    ([2], True)
    """
    if not isinstance(workload, Workload):
        raise InvalidScenario(
            f"workload is {shown(workload)}; it must be a Workload, as in Workload(LoadProfile.constant(20), cpu_ms_per_request=10)."
        )
    require_rates(rates)
    space = SearchSpace(
        workload,
        promise or Promise(),
        choices or Choices(),
        application or Application(),
        network or NetworkLayout(),
        behavior or AwsBehavior(),
        hours_per_month,
        operations or Operations(),
        extras or Extras(),
        require_savings_plans(savings_plans),
    )
    specs = _candidates(space, rates)
    n, plans = len(specs), space.savings_plans
    run = simulate(
        workload,
        specs,
        space.application,
        space.behavior,
        progress=_part(progress, 0.0, _SIMULATED) if plans else progress,
        operations=space.operations,
        p95_latency_ms=space.promise.p95_latency_ms,
        keep_hours=bool(plans),
    )
    month = BilledMonth(workload, run, space.application, hours_per_month, rates.region, space.behavior, space.extras)
    bills = price_month(month, rates)
    broken = broken_limits(month, space.promise, bills)
    lacks = np.zeros(n, dtype=np.bool_)
    for charge in bills.unknown:
        lacks |= bills.quantity[charge] > 0
    undecided = np.array([any(limit.constraint == "rate" for limit in row) for row in broken], dtype=np.bool_)
    usd = bills.total_usd
    if plans:
        usd, lacks_plans = _with_savings_plans(month, bills, rates, space, _part(progress, _SIMULATED, 1.0))
        lacks |= lacks_plans
    usd = np.where(undecided, math.nan, usd)
    rejections = (
        (
            *(replace(limit, usd_per_month=bill) for limit in row),
            *budget_rejections(space.promise, spec, bill),
        )
        for row, spec, bill in zip(broken, specs, usd.tolist(), strict=True)
    )
    return Explored(
        space=space,
        region=rates.region,
        specs=tuple(specs),
        usd_per_month=usd,
        is_lower_bound=lacks,
        minutes_over_promise_per_month=run.minutes_over_promise * month.periods,
        minutes_over_capacity_per_month=run.minutes_over_capacity * month.periods,
        p95_latency_ms=run.p95_latency_ms,
        refused_percent=refused_percent(run.unserved_requests, workload),
        mean_tasks=run.mean_billed_count,
        rejections=tuple(rejections),
    )


def _candidates(space: SearchSpace, rates: Rates) -> list[ServiceSpec]:
    """List the candidates in the layouts that serve."""
    layouts = []
    for network in network_layouts(space.choices, space.application, space.network):
        try:
            require_consistent(space.workload, space.application, network, rates.region, extras=space.extras)
            layouts.append(network)
        except InvalidScenario:
            if not space.choices.layouts:
                raise
    least = max(space.promise.min_tasks or 1, space.promise.min_availability_zones or 1)
    specs = (
        candidates(space.workload, space.choices, space.application, space.network, least, layouts) if layouts else []
    )
    if not specs:
        raise InvalidScenario(
            f"No candidate is left to explore: the load peaks at {space.workload.task_load.peak_requests_per_s:,.0f} requests/s. Lower the load, or "
            "set other bounds or layouts in `search`."
        )
    return specs


def _with_savings_plans(
    month: BilledMonth,
    bills: Bills,
    rates: Rates,
    space: SearchSpace,
    progress: Callable[[float], None] | None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Price all candidates with Savings Plans, which touch nothing but Fargate's lines; and say where it is not known what they pay for."""
    run, usd = month.simulation, bills.total_usd.copy()
    lacks = np.zeros(len(usd), dtype=np.bool_)
    system = space.application.operating_system
    fargate = [charge for charge in bills.quantity if charge.startswith("fargate_")]
    for place in range(len(run.specs)):
        lines = tuple(
            cost_line(charge, CHARGES[charge].title, CHARGES[charge].price, float(amounts[place]), rates, "")
            for charge in fargate
            if (amounts := bills.quantity[charge])[place]
        )
        alone = CostBreakdown(rates.region, month.hours, lines, month.requests)
        one = _only_one(run, place)
        cost, _ = with_known_plans(alone, one, rates, space.savings_plans, system)
        usd[place] += cost.total_usd - alone.total_usd
        lacks[place] = cost.is_lower_bound
        if progress is not None and place % 100 == 0:
            progress(place / len(usd))
    return usd, lacks


def _only_one(run: Simulation, place: int) -> Simulation:
    """Take one candidate out of a simulation."""
    values = {item.name: getattr(run, item.name) for item in fields(run)}
    arrays: dict[str, Any] = {
        name: value[place : place + 1] for name, value in values.items() if isinstance(value, np.ndarray)
    }
    hours = {name: value[place : place + 1] for name, value in run.billed_task_s_by_hour.items()}
    return replace(run, specs=(run.specs[place],), series={}, billed_task_s_by_hour=hours, **arrays)


def _part(progress: Callable[[float], None] | None, begin: float, end: float) -> Callable[[float], None] | None:
    return None if progress is None else lambda done: progress(begin + (end - begin) * done)


def _comparable(usd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to so many digits that the order of a sum does not matter, whatever the unit of money."""
    mantissa, exponent = np.frexp(usd)
    return np.asarray(np.ldexp(np.round(mantissa / _SAME) * _SAME, exponent))


def _only(broken: tuple[Rejection, ...], aside: frozenset[str]) -> bool:
    return all(rejection.constraint in aside for rejection in broken)
