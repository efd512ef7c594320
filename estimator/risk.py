"""A scenario whose numbers are intervals: draws, cases, rivals, and assess_risk, which puts them together.

Notes
-----
What is a decision is not drawn: the sections service, search, promise, network and savings_plans say what is done, and plans are what is chosen between. Nor is
the horizon, which the bill of a month does not have. Parameters that AWS does not document (`estimator.service.uncertain`) take part unless a scenario
sets them itself: whoever writes ``metric_lag_s: 60`` knows better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from estimator.checks import require_number
from estimator.documents import value_at
from estimator.errors import InvalidScenario, NoFeasiblePlan
from estimator.load_sections import ShapedLoad
from estimator.planning.bills import hold_commitments
from estimator.planning.draws import Case, Contender, Outcomes, run_draws
from estimator.planning.regret import USD_PER_MINUTE_OVER_PROMISE, weighed
from estimator.planning.result import Plan
from estimator.planning.sensitivity import MOVABLE
from estimator.planning.uncertainty import Draws, Move, Uncertainty
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.service.uncertain import SCALING, Uncertain
from estimator.workload.interval import PERT_LAMBDA, Interval, stream
from estimator.workload.known import KnownLoad
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload

#: Sections of decisions, and of what a month's bill does not have: an interval in one of them is not drawn.
DECISIONS = ("version", "service", "search", "network", "promise", "savings_plans", "horizon", "stack")
#: Searches for other values of what AWS does not document, and the part of the bill from which on such a value is felt. [1]
MODEL_SEARCHES, _FELT = 6, 0.005
#: How often a parameter that AWS does not document has its default; the rest goes evenly to its other values. [1]
DEFAULT_SHARE = 0.5
#: Parameters that are no chance but a matter of asking AWS: whether a quota is raised.
NOT_DRAWN = ("enforce_vcpu_quota",)
#: Draws of a risk by default, and how often parameters that do not go together are drawn again. [1]
DRAWS, MAX_REDRAWS = 200, 100
#: Searches for rivals at the most. [1]
MAX_SEARCHES = 20
#: Fields that make more work the larger they are: all at once they make the high and the low load.
LOAD_LIKE = frozenset(
    {
        "scale",
        "requests_per_s",
        "peak_requests_per_s",
        "trough_requests_per_s",
        "factor",
        "weekend_factor",
        "swing_percent",
        "growth_percent_per_month",
        "cpu_ms_per_request",
        "wait_ms_per_request",
        "memory_mib_per_request",
        "baseline_memory_mib",
        "request_kb",
        "response_kb",
    }
)
#: Fields of the section `load` that bend a load which is laid out already.
_SHAPING = frozenset(ShapedLoad.model_fields)
#: Parts of the progress of a risk: searching rivals, drawing, moving each input alone.
_SEARCHED, _DRAWN = 0.4, 0.9

Progress = Callable[[float], None] | None


def model_parameters(scenario: Scenario) -> dict[str, Uncertain]:
    """List the parameters that AWS does not document and that a scenario leaves at their defaults.

    Parameters
    ----------
    scenario : Scenario
        The scenario.

    Returns
    -------
    dict of str to Uncertain
        By dotted path, in the order of ``UNCERTAIN`` and ``ELSEWHERE``; days of history have no section and stand as ``history_days``.
    """
    owners: dict[str, object] = {name: getattr(scenario, name) for name in ("behavior", "request", "extras")}
    found: dict[str, Uncertain] = {}
    for row in MOVABLE.values():
        if row.name in NOT_DRAWN:
            continue
        if row.section == SCALING:
            predictive = [] if scenario.service is None else scenario.spec().predictive
            if all(getattr(policy, row.name) == row.default for policy in predictive):
                found[row.name] = row
            continue
        path = f"{row.section}.{row.name}"
        if getattr(owners[row.section], row.name) == row.default and path not in scenario.intervals:
            found[path] = row
    return found


def drawn_intervals(scenario: Scenario) -> dict[str, Interval]:
    """List the intervals that are drawn.

    Parameters
    ----------
    scenario : Scenario
        The scenario.

    Returns
    -------
    dict of str to Interval
        By dotted path; those in sections of decisions are left out.
    """
    return {
        path: item
        for path, item in scenario.intervals.items()
        if path.partition(".")[0] not in DECISIONS and path != "behavior.seed"
    }


def draws(
    scenario: Scenario,
    n: int = DRAWS,
    seed: int = 1,
    *,
    model_uncertainty: bool = True,
    pert_lambda: float = PERT_LAMBDA,
) -> Draws:
    """Draw values for all that is uncertain in a scenario.

    Each input has its own random numbers, which follow from the seed and its path: another input, or more draws, change none of them.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    n : int
        How many draws. [1]
    seed : int
        Another seed, other draws. [1]
    model_uncertainty : bool
        False to leave the parameters that AWS does not document as they are.
    pert_lambda : float
        Weight of the likely value in the PERT distribution. [1]

    Returns
    -------
    Draws
        Numbers that must be whole are rounded. Where parameters of AWS do not go together, such as more unbilled seconds than it takes to
        provision, those of this draw are drawn again, which is counted.

    Raises
    ------
    InvalidScenario
        If values of the intervals do not go together.

    Examples
    --------
    >>> shop = Scenario.from_text('''
    ... region: us-east-1
    ... load: {kind: constant, requests_per_s: {low: 10, likely: 20, high: 60}}
    ... request: {cpu_ms_per_request: 10}
    ... ''')
    >>> found = draws(shop, 3, model_uncertainty=False)
    >>> {path: values.round(1).tolist() for path, values in found.values.items()}
    {'load.requests_per_s': [19.7, 14.9, 23.7]}
    """
    require_number("draws", n, 1, 1_000_000, whole=True)
    intervals = drawn_intervals(scenario)
    rows = model_parameters(scenario) if model_uncertainty else {}
    usual = scenario.likely().model_dump(mode="json")
    values: dict[str, NDArray[Any]] = {}
    for path, interval in intervals.items():
        drawn = interval.drawn(n, stream(seed, path), pert_lambda)
        whole = isinstance(value_at(usual, path), int)
        values[path] = np.rint(drawn).astype(np.int64) if whole else drawn
    for path, row in rows.items():
        values[path] = _choices(row)[_place_of(row, stream(seed, path).random(n))]
    redrawn = _redraw(scenario, intervals, rows, values, n, seed)
    model = {path: (row.default, *row.moved) for path, row in rows.items()}
    return Draws(intervals, model, values, seed, redrawn)


def _choices(row: Uncertain) -> NDArray[Any]:
    """Return the values of a parameter, the default first, as numbers of its kind."""
    return np.array([row.default, *row.moved])


def _place_of(row: Uncertain, chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Say which value chances from 0 to 1 choose."""
    others = 1 + np.floor((chance - DEFAULT_SHARE) / (1 - DEFAULT_SHARE) * len(row.moved))
    return np.where(chance < DEFAULT_SHARE, 0, np.minimum(others, len(row.moved))).astype(np.int64)


def _redraw(
    scenario: Scenario,
    intervals: Mapping[str, Interval],
    rows: Mapping[str, Uncertain],
    values: Mapping[str, NDArray[Any]],
    n: int,
    seed: int,
) -> int:
    """Draw parameters of AWS again where the program refuses them together; returns in how many draws that was."""
    redrawn = 0
    # Many draws of the model alone have the same values.
    known: dict[tuple[Any, ...], str] = {}
    for i in range(n):
        for attempt in range(MAX_REDRAWS):
            one = {path: drawn[i].item() for path, drawn in values.items()}
            key = tuple(one.values())
            if key not in known:
                known[key] = _problem(scenario, one)
            if not known[key]:
                redrawn += attempt > 0
                break
            only = {path: one[path] for path in intervals}
            if not rows or (attempt == 0 and _problem(scenario, only)):
                raise _no_combination(only, _problem(scenario, only))
            for path, row in rows.items():
                chance = stream(seed, path, i, attempt).random(1)
                values[path][i] = _choices(row)[_place_of(row, chance)][0]
        else:
            raise InvalidScenario(
                f"Draw {i + 1} finds no parameters of AWS that go together, tried {MAX_REDRAWS} times. Set those in question in the section "
                "`behavior`, or leave them out of the draws."
            )
    return redrawn


def _no_combination(values: Mapping[str, Any], problem: str) -> InvalidScenario:
    said = ", ".join(f"{path} {value:,.6g}" for path, value in values.items())
    return InvalidScenario(
        f"The intervals allow {said}, which do not go together: {problem} Narrow one of them, so that each of its values goes with all of the others'."
    )


def _problem(scenario: Scenario, values: Mapping[str, Any]) -> str:
    """Say why a scenario cannot have some values; empty if it can."""
    try:
        _moved(scenario, values)
    except InvalidScenario as error:
        return str(error)
    return ""


def _moved(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Read a scenario with drawn values, its load left to the first use; days of history have no place in it."""
    return scenario.moved({path: value for path, value in values.items() if path != "history_days"}, with_load=False)


class _LaidOut(ShapedLoad):
    """A load that is there already, to be bent in another way."""

    _load: LoadProfile = PrivateAttr()

    def _laid_out(self, folder: Path) -> LoadProfile:
        return self._load


class Cases:
    """From drawn values to all that a bill depends on, with what stays the same made once.

    A file is read once; a load that is only multiplied is multiplied; prices are read again only where they are drawn.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    folder : path
        What the path of a CSV file is relative to.
    rates : Rates, optional
        The region's rates; by default what the section ``prices`` says.
    """

    def __init__(self, scenario: Scenario, folder: Path | str = ".", rates: Rates | None = None) -> None:
        self.scenario = scenario.likely()
        self.folder = Path(folder)
        self.rates = self.scenario.rates(self.folder) if rates is None else rates
        self.load = KnownLoad(self.scenario.workload(self.folder).load)
        drawn = drawn_intervals(scenario)
        paths = {path.removeprefix("load.") for path in drawn if path.startswith("load.")}
        self._unscaled: KnownLoad | None = None
        self._base: LoadProfile | None = None
        plain = {
            "repeat": 1,
            "season": None,
            "growth_percent_per_month": 0.0,
            "events": (),
            "noise": None,
            "scale": 1.0,
        }
        if paths == {"scale"}:
            self._unscaled = KnownLoad(self.scenario.load.model_copy(update={"scale": 1.0}).profile(self.folder))
        elif paths and {path.partition(".")[0].partition("[")[0] for path in paths} <= _SHAPING:
            self._base = self.scenario.load.model_copy(update=plain).profile(self.folder)
        self._listed: dict[str, Rates] = {}

    def of(self, values: Mapping[str, Any]) -> Case:
        """Make a case.

        Parameters
        ----------
        values : mapping of str to float or bool
            Drawn values by dotted path; all else is as likely as the scenario says. [the inputs' units]

        Returns
        -------
        Case
            With them.

        Raises
        ------
        InvalidScenario
            If the values do not go together.
        """
        moved = _moved(self.scenario, values)
        request = {name: getattr(moved.request, name) for name in Request.__dataclass_fields__}
        return Case(
            workload=Workload(self._load(moved, values), **request),
            rates=self.rates_of(moved),
            application=moved.application,
            promise=moved.promise,
            behavior=moved.behavior,
            operations=moved.operations,
            extras=moved.extras,
            hours_per_month=moved.hours_per_month,
            history_days=values.get("history_days"),
        )

    def _load(self, moved: Scenario, values: Mapping[str, Any]) -> KnownLoad:
        drawn = {path: value for path, value in values.items() if path.startswith("load.")}
        if not drawn:
            return self.load
        try:
            if self._unscaled is not None:
                return self._unscaled.scaled(moved.load.scale)
            if self._base is not None:
                bent = _LaidOut(**{name: getattr(moved.load, name) for name in _SHAPING})
                bent._load = self._base
                return KnownLoad(bent.profile(self.folder))
            return KnownLoad(moved.load.profile(self.folder))
        except InvalidScenario as error:
            raise _no_combination(drawn, str(error)) from None

    def rates_of(self, moved: Scenario) -> Rates:
        """Return the rates of a moved scenario.

        Parameters
        ----------
        moved : Scenario
            The scenario with other values.

        Returns
        -------
        Rates
            Those that its section ``prices`` says.
        """
        if (moved.region, moved.prices) == (self.scenario.region, self.scenario.prices):
            return self.rates
        # Two threads that come at once read the same file.
        if moved.region not in self._listed:
            self._listed[moved.region] = load_rates(moved.region, as_of=self.scenario.prices.as_of)
        return moved.prices.over(self._listed[moved.region], self.folder)


# Who competes.


def rivals(
    scenario: Scenario,
    rates: Rates | None = None,
    folder: Path | str = ".",
    progress: Progress = None,
    *,
    most: int = MAX_SEARCHES,
    model_uncertainty: bool = False,
) -> tuple[tuple[Contender, ...], tuple[str, ...]]:
    """Find the plans that compete under uncertainty.

    They are the plan for the likely values, for a load that is as high and as low as can be, and for each input at its ends; a service that the
    scenario has is one of them. Inputs that do most to the bill and to the minutes over the promise come first, where there are too many.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    rates : Rates, optional
        The region's rates; by default what the section ``prices`` says.
    folder : path
        What the path of a CSV file is relative to.
    progress : callable, optional
        Called with the part that is done, 0 to 1.
    most : int
        Most searches. [1]
    model_uncertainty : bool
        True to look for plans too where what AWS does not document is otherwise, for the few values that do most.

    Returns
    -------
    tuple of (tuple of Contender, tuple of str)
        Different plans, that for the likely values first, and sentences on those that could not be found.

    Raises
    ------
    NoFeasiblePlan
        If no plan at all keeps the promise, and the scenario has no service of its own.
    RateNotFound
        If every candidate needs a rate that is not known.
    """
    require_number("most", most, 1, 1000, whole=True)
    cases = Cases(scenario, folder, rates)
    found: dict[Any, Contender] = {}
    notes: list[str] = []
    refused: list[NoFeasiblePlan] = []
    joint, single = _ends(scenario)

    def search(number: int, title: str, values: Mapping[str, Any], of: int) -> Contender | None:
        def partly(part: float) -> None:
            if progress is not None:
                progress((number + part) / of)

        try:
            # The budget is told beside: a plan for a high load may be over it.
            moved = scenario.moved({"promise.max_usd_per_month": None, **values})
            plan = moved.plan(cases.rates_of(moved), folder, None if progress is None else partly)
        except NoFeasiblePlan as error:
            refused.append(error)
            notes.append(f"No plan keeps the promise at {title}: {error}")
            return None
        except InvalidScenario as error:
            notes.append(f"There is no plan for {title}: {error}")
            return None
        contender = contender_of(title, plan, scenario)
        return found.setdefault(_decision(contender), contender)

    n_ends = len(joint) + len(single)
    of = min(n_ends + (MODEL_SEARCHES if model_uncertainty else 0), most)
    first = search(0, *joint[0], of)
    if n_ends > most and first is not None:
        single = _most_first(cases, first, single)
        notes.append(
            f"Plans are searched at {most} of {n_ends} ends of inputs, those that do most to the bill of the first plan."
        )
    wanted = [*joint, *single][1:most]
    if model_uncertainty and first is not None and len(wanted) < most - 1:
        others = _most_first(cases, first, _model_ends(scenario), _FELT)
        wanted += others[: min(MODEL_SEARCHES, most - 1 - len(wanted))]
    for number, (title, values) in enumerate(wanted, 1):
        search(number, title, values, of)
    if scenario.service is not None:
        today = contender_of("today", scenario.likely().estimate(cases.rates, folder), scenario)
        same = found.get(_decision(today))
        found[_decision(today)] = today if same is None else replace(same, title=f"{same.title}, today")
    if not found:
        raise refused[0] if refused else InvalidScenario(notes[0])
    return tuple(found.values()), tuple(notes)


def contender_of(title: str, plan: Plan, scenario: Scenario) -> Contender:
    """Take from a plan what it decides; the rest is what is drawn.

    Parameters
    ----------
    title : str
        What it is the plan for.
    plan : Plan
        The plan.
    scenario : Scenario
        What it was planned for.

    Returns
    -------
    Contender
        With its commitments held.
    """
    decided = {
        "region": (plan.cost.region, scenario.region),
        "request.behind_cloudfront": (plan.workload.behind_cloudfront, scenario.request.behind_cloudfront),
        "extras.container_insights": (plan.extras.container_insights, scenario.extras.container_insights),
        "extras.log_class": (plan.extras.log_class, scenario.extras.log_class),
    }
    beside = tuple((path, found) for path, (found, given) in decided.items() if found != given)
    if plan.extras.cloudfront_edges != scenario.extras.cloudfront_edges:
        beside += tuple(
            (f"extras.cloudfront_edges.{edge}", share) for edge, share in plan.extras.cloudfront_edges.items()
        )
    return Contender(title, plan.spec, hold_commitments(plan).savings_plans, beside)


def _decision(contender: Contender) -> tuple[Any, ...]:
    """Say what two plans that are the same have in common."""
    return contender.spec, contender.savings_plans, contender.beside


End = tuple[str, dict[str, Any]]


def _ends(scenario: Scenario) -> tuple[list[End], list[End]]:
    """List the values for which plans are searched: likely, all of the load high and low; and each input at its ends."""
    intervals = drawn_intervals(scenario)
    load = {path: item for path, item in intervals.items() if path.rpartition(".")[2] in LOAD_LIKE}
    joint: list[End] = [("likely values", {})]
    if len(load) > 1:
        joint.append(("high load", {path: item.high for path, item in load.items()}))
        joint.append(("low load", {path: item.low for path, item in load.items()}))
    single: list[End] = []
    for path, item in intervals.items():
        single += [(f"high {path}", {path: item.high}), (f"low {path}", {path: item.low})]
    return joint, single


def _model_ends(scenario: Scenario) -> list[End]:
    """List the other values of what AWS does not document, each alone, as far as they go with the rest."""
    found: list[End] = []
    for path, row in model_parameters(scenario).items():
        for value in row.moved:
            values = {path: value}
            try:
                if "." in path:
                    scenario.moved(values, with_load=False)
                    found.append((f"{path} {str(value).lower() if isinstance(value, bool) else f'{value:g}'}", values))
            except InvalidScenario:
                continue
    return found


def _most_first(cases: Cases, contender: Contender, ends: Sequence[End], least_part: float = 0.0) -> list[End]:
    """Order ends by what they do to a plan's bill and to its minutes over the promise; those that do less than a part of the bill are left out."""
    alone: list[dict[str, Any]] = [{}, *(values for _, values in ends)]
    found = run_draws([contender], lambda i, beside: cases.of({**alone[i], **beside}), len(alone))
    usd = weighed(found.usd, found.minutes_that_weigh)[:, 0]
    moved = np.abs(usd[1:] - usd[0])
    order = np.argsort(-moved, kind="stable")
    return [ends[int(i)] for i in order if moved[i] > least_part * abs(usd[0]) or not least_part]


# All of it.


def assess_risk(
    scenario: Scenario,
    rates: Rates | None = None,
    folder: Path | str = ".",
    *,
    n_draws: int = DRAWS,
    seed: int = 1,
    budget_usd: float | None = None,
    usd_per_minute_over_promise: float = USD_PER_MINUTE_OVER_PROMISE,
    model_uncertainty: bool = True,
    search: bool = True,
    pert_lambda: float = PERT_LAMBDA,
    progress: Progress = None,
    n_threads: int | None = None,
) -> Uncertainty:
    """Say what a scenario may cost, which plan is regretted least, and what to measure next.

    Parameters
    ----------
    scenario : Scenario
        The scenario; its intervals are drawn.
    rates : Rates, optional
        The region's rates; by default what the section ``prices`` says.
    folder : path
        What the path of a CSV file is relative to.
    n_draws : int
        How many draws. [1]
    seed : int
        Another seed, other draws. [1]
    budget_usd : float, optional
        What a month may cost; by default what the promise says. [USD/month]
    usd_per_minute_over_promise : float
        What a minute over the promise weighs beside the bill. [USD/min]
    model_uncertainty : bool
        False to leave the parameters that AWS does not document as they are.
    search : bool
        False to assess the section ``service`` alone, without a search for rivals.
    pert_lambda : float
        Weight of the likely value in the PERT distribution. [1]
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.
    n_threads : int, optional
        Threads, which change no figure; by default one for each core. [1]

    Returns
    -------
    Uncertainty
        The same for the same seed, whatever the machine.

    Raises
    ------
    InvalidScenario
        If values of the intervals do not go together, or there is neither a service nor a search.
    NoFeasiblePlan
        If no plan keeps the promise, and the scenario has no service of its own.

    Examples
    --------
    >>> shop = Scenario.from_text('''
    ... region: us-east-1
    ... load: {kind: constant, requests_per_s: {low: 10, likely: 20, high: 60}}
    ... request: {cpu_ms_per_request: 10}
    ... service: {cpu_units: 256, memory_mib: 512}
    ... ''')
    >>> found = assess_risk(shop, n_draws=50, model_uncertainty=False, search=False)
    >>> [round(each.value) for each in found.least_regret().usd]
    [87, 114, 181]
    """
    budget_usd = scenario.promise.max_usd_per_month if budget_usd is None else budget_usd
    if budget_usd is not None:
        require_number("budget_usd", budget_usd, 0, 1e12)
    require_number("usd_per_minute_over_promise", usd_per_minute_over_promise, 0, 1e9)
    drawn = draws(scenario, n_draws, seed, model_uncertainty=model_uncertainty, pert_lambda=pert_lambda)
    cases = Cases(scenario, folder, rates)
    searched = _SEARCHED if search else 0.0
    notes: tuple[str, ...] = ()
    if search:
        tell = _part_of(progress, 0.0, searched)
        contenders, notes = rivals(scenario, cases.rates, folder, tell, model_uncertainty=model_uncertainty)
    else:
        # The section `service`, or a sentence that says how to add one.
        today = scenario.likely().estimate(cases.rates, folder)
        contenders = (contender_of("today", today, scenario),)
    outcomes = run_draws(
        contenders,
        lambda i, beside: cases.of({**drawn.at(i), **beside}),
        n_draws,
        _part_of(progress, searched, _DRAWN),
        n_threads,
    )
    likely, moves = _moves(contenders, cases, drawn, _part_of(progress, _DRAWN, 1.0), n_threads)
    return Uncertainty(
        contenders,
        drawn,
        outcomes,
        likely,
        moves,
        usd_per_minute_over_promise,
        budget_usd,
        (*notes, *_notes(scenario, drawn, outcomes)),
    )


def _moves(
    contenders: Sequence[Contender], cases: Cases, drawn: Draws, progress: Progress, n_threads: int | None
) -> tuple[Outcomes, tuple[Move, ...]]:
    """Move each input alone to its ends; returns the plans at the likely values too."""
    ends: dict[str, tuple[Any, Any]] = {path: (item.low, item.high) for path, item in drawn.intervals.items()}
    ends |= {path: (min(values), max(values)) for path, values in drawn.model.items()}
    # The first is the one at the likely values, where a parameter of AWS has its default.
    alone: list[dict[str, Any]] = [{}]
    moved: list[tuple[str, Any, Any, int, int]] = []
    for path, (low, high) in ends.items():
        places = []
        for value in (low, high):
            # What goes only with another value of another parameter cannot be moved alone.
            stays = value == drawn.model.get(path, (None,))[0] or _problem(cases.scenario, {path: value})
            places.append(0 if stays else len(alone))
            alone += [] if stays else [{path: value}]
        moved.append((path, low, high, *places))
    found = run_draws(contenders, lambda i, beside: cases.of({**alone[i], **beside}), len(alone), progress, n_threads)
    at = [found.between(i, i + 1) for i in range(len(alone))]
    return at[0], tuple(
        Move(path, path in drawn.intervals, low, high, at[first], at[last]) for path, low, high, first, last in moved
    )


def _part_of(progress: Progress, first: float, last: float) -> Progress:
    """Lay the progress of a part into that of the whole."""
    if progress is None:
        return None
    return lambda part: progress(first + (last - first) * part)


def _notes(scenario: Scenario, drawn: Draws, outcomes: Outcomes) -> list[str]:
    found = []
    left = [path for path in scenario.intervals if path not in drawn.intervals]
    if left:
        found.append(
            f"Not drawn, since it is a decision or not part of a month's bill: {', '.join(left)}. The likely value is taken."
        )
    if not drawn.intervals:
        found.append(
            "No number of the scenario is an interval: write one as {low: 30, likely: 40, high: 70} where you are not sure."
        )
    if drawn.redrawn:
        found.append(
            f"In {drawn.redrawn} of {outcomes.n_draws} draws parameters of AWS did not go together and were drawn again, which makes such values "
            "a little rarer."
        )
    if outcomes.unknown:
        found.append(f"Bills are at least what they say: no rate is known for {', '.join(outcomes.unknown)}.")
    return found
