"""What is computed once for each question, whoever asks it.

Notes
-----
The functions take text, which is the key of the cache; plans are frozen, so that all sessions may share one (``cache_resource``) and
nothing is pickled. A search has a store of its own, since a function of ``cache_resource`` cannot show how far it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from estimator import budget
from estimator.documents import with_values
from estimator.errors import EstimatorError, NoFeasiblePlan
from estimator.planning import planner
from estimator.planning.result import Plan
from estimator.pricing.folders import refreshed_folder
from estimator.pricing.rates import Rates
from estimator.scenario import Scenario
from estimator.service.spec import ServiceSpec
from estimator.simulation.replay import Replay, replay_flash_crowd
from estimator.ui.store import Store
from estimator.ui.uploads import Upload
from estimator.workload.interval import Interval

#: Plans that are kept; one of a month by minutes takes some 5 MB. [plans]
MOST_PLANS = 16


#: Sections that have no part in a search, with what stands for them in its question: what runs today, and what a stack has besides.
_NOT_SEARCHED: dict[str, Any] = {"service": None, "stack": {}}


@dataclass(frozen=True)
class Question:
    """A scenario and where its files are.

    Parameters
    ----------
    scenario : Scenario
        The one document.
    folder : pathlib.Path
        What the paths of CSV files are relative to.
    upload : Upload, optional
        The file that its load is in, if it was dropped on the page.
    intervals : mapping of str to Interval
        What is not known exactly, by dotted path; the scenario has the likely values.
    """

    scenario: Scenario
    folder: Path
    upload: Upload | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def document(self) -> Scenario:
        """The scenario with its intervals, as it is taken away."""
        if not self.intervals:
            return self.scenario
        return Scenario.from_dict(with_values(self.scenario.to_dict(), self.interval_values), self.scenario.name)

    @property
    def interval_values(self) -> dict[str, dict[str, float]]:
        """Its intervals as they are written, by dotted path."""
        return {path: each.to_dict() for path, each in self.intervals.items()}

    @property
    def text(self) -> str:
        """The scenario as canonical JSON."""
        return json.dumps(self.scenario.to_dict(), sort_keys=True)

    @property
    def stamp(self) -> tuple[int, ...]:
        """Times of the last change of the files that it reads, so that a new file is a new question. [ns]"""
        own, refreshed = self.scenario.prices.overrides, refreshed_folder()
        paths = [self.folder / name for name in (*self.scenario.load.files, *((own,) if own is not None else ()))]
        # Access logs may be given as a folder.
        paths += [inside for path in paths if path.is_dir() for inside in sorted(path.rglob("*"))]
        paths += [refreshed / f"{part}.json" for part in ("global", self.scenario.region)]
        return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


@dataclass(frozen=True)
class Crowd:
    """A flash crowd.

    Parameters
    ----------
    to_today : bool
        True if it comes to what runs today, false if to the plan.
    factor : float
        How many times the load rises. [1]
    rise_s, hold_s, decay_s : int
        How long it rises, stays and falls. [s]
    """

    to_today: bool
    factor: float
    rise_s: int
    hold_s: int
    decay_s: int


def plan(question: Question, progress: Callable[[float], None] | None = None) -> Plan:
    """Find the cheapest service.

    Parameters
    ----------
    question : Question
        What is asked.
    progress : callable, optional
        Called with the part that is done, 0 to 1, where the plan is not known yet; what it raises ends the search.

    Returns
    -------
    Plan
        The winner, with why the cheaper ones lost.
    """
    key = _plan_key(question)
    found = _plans().get(key)
    if found is None:
        scenario = Scenario.from_dict(json.loads(key[0]))
        try:
            found = scenario.plan(scenario.rates(question.folder), question.folder, progress)
        except NoFeasiblePlan as error:
            found = error
        _plans().put(key, found)
    if isinstance(found, EstimatorError):
        raise found.with_traceback(None)
    # What the search chose beside the service, such as a log class, stands in the plan's own document.
    values = question.scenario.to_dict()
    document = dict(found.scenario) | {name: values[name] for name in _NOT_SEARCHED}
    return replace(found, scenario=document, stack=question.scenario.stack)


def is_planned(question: Question) -> bool:
    """Say whether the answer is there already.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    bool
        True if `plan` gives it at once.
    """
    return _plans().get(_plan_key(question)) is not None


def plan_of(question: Question, spec: ServiceSpec) -> Plan:
    """Simulate and price a service in the network of a question, whatever its search would find.

    Parameters
    ----------
    question : Question
        What is asked.
    spec : ServiceSpec
        The service.

    Returns
    -------
    Plan
        Its course and bill.
    """
    scenario = question.scenario
    return planner.estimate(
        scenario.workload(question.folder),
        rates(question),
        replace(spec, network=scenario.network_layout()),
        scenario.application,
        scenario.promise,
        scenario.behavior,
        scenario.hours_per_month,
        scenario.operations,
        scenario.extras,
        scenario.savings_plans,
    )


def estimate(question: Question) -> Plan:
    """Price the section ``service`` as it is.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    Plan
        Its course and bill.
    """
    found: Plan = _estimate(question.text, str(question.folder), question.stamp)
    return found


def replay(question: Question, crowd: Crowd) -> Replay:
    """Send a flash crowd to the plan or to what runs today, under the usual ways to scale.

    Parameters
    ----------
    question : Question
        What is asked.
    crowd : Crowd
        The crowd.

    Returns
    -------
    Replay
        One course for each way.
    """
    if not crowd.to_today:  # what runs today has no part in it
        question = replace(question, scenario=question.scenario.model_copy(update={"service": None}))
    found: Replay = _replay(question.text, str(question.folder), question.stamp, *astuple(crowd))
    return found


def rates(question: Question) -> Rates:
    """Read the rates that a question is answered with.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    Rates
        Those of the scenario's region, day and own prices.
    """
    scenario = question.scenario
    found: Rates = _rates(
        scenario.region, scenario.prices.model_dump_json(), str(question.folder), question.stamp, scenario
    )
    return found


def to_export(question: Question, plan: Plan) -> Plan:
    """Give a plan what it leaves the page with: the intervals of its scenario, and the monthly budget of its stack, as on the command line.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.

    Returns
    -------
    Plan
        Ready for an exporter.
    """
    plan = replace(plan, scenario=with_values(dict(plan.scenario), question.interval_values))
    if plan.stack.alarm_email is None or plan.stack.budget_usd_per_month is not None:
        return plan
    text = json.dumps(dict(plan.scenario) | _NOT_SEARCHED, sort_keys=True)
    usd = _budget_usd(text, str(question.folder), question.stamp, plan.fingerprint(), plan)
    return replace(plan, stack=replace(plan.stack, budget_usd_per_month=usd))


def _plan_key(question: Question) -> tuple[str, str, tuple[int, ...]]:
    # To edit what has no part in the search must not begin it anew.
    text = json.dumps(question.scenario.to_dict() | _NOT_SEARCHED, sort_keys=True)
    return text, str(question.folder), question.stamp


@st.cache_resource(show_spinner=False)
def _plans() -> Store[Plan | NoFeasiblePlan]:
    return Store(MOST_PLANS)


@st.cache_resource(max_entries=64, show_spinner=False)
def _rates(region: str, prices: str, folder: str, stamp: tuple[int, ...], _scenario: Scenario) -> Rates:
    return _scenario.rates(folder)


@st.cache_resource(max_entries=MOST_PLANS, show_spinner=False)
def _estimate(text: str, folder: str, stamp: tuple[int, ...]) -> Plan:
    scenario = Scenario.from_dict(json.loads(text))
    return scenario.estimate(scenario.rates(folder), folder)


@st.cache_resource(max_entries=64, show_spinner="Drawing months for the budget ...")
def _budget_usd(text: str, folder: str, stamp: tuple[int, ...], fingerprint: str, _plan: Plan) -> float | None:
    return budget.with_budget(_plan, folder).stack.budget_usd_per_month


@st.cache_resource(max_entries=64, show_spinner=False)
def _replay(
    text: str,
    folder: str,
    stamp: tuple[int, ...],
    to_today: bool,
    factor: float,
    rise_s: int,
    hold_s: int,
    decay_s: int,
) -> Replay:
    scenario = Scenario.from_dict(json.loads(text))
    spec = scenario.spec() if to_today else plan(Question(scenario, Path(folder))).spec
    return replay_flash_crowd(
        scenario.workload(folder),
        spec,
        factor=factor,
        rise_s=rise_s,
        hold_s=hold_s,
        decay_s=decay_s,
        application=scenario.application,
        behavior=scenario.behavior,
        p95_latency_ms=scenario.promise.p95_latency_ms,
    )
