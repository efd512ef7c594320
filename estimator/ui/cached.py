"""What is computed once for each question, whoever asks it.

Notes
-----
The functions take text, which is the key of the cache; plans are frozen, so that all sessions may share one (``cache_resource``) and
nothing is pickled.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import streamlit as st

from estimator.export import render_stack
from estimator.planning.result import Plan
from estimator.pricing.folders import refreshed_folder
from estimator.pricing.rates import Rates
from estimator.scenario import Scenario
from estimator.simulation.replay import Replay, replay_flash_crowd


@dataclass(frozen=True)
class Question:
    """A scenario and where its files are.

    Parameters
    ----------
    scenario : Scenario
        The one document.
    folder : pathlib.Path
        What the paths of CSV files are relative to.
    """

    scenario: Scenario
    folder: Path

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


def plan(question: Question) -> Plan:
    """Find the cheapest service.

    Parameters
    ----------
    question : Question
        What is asked.

    Returns
    -------
    Plan
        The winner, with why the cheaper ones lost.
    """
    # What runs today has no part in the search: to edit it must not begin the search anew.
    values = question.scenario.to_dict()
    text = json.dumps(values | {"service": None}, sort_keys=True)
    found: Plan = _plan(text, str(question.folder), question.stamp)
    return replace(found, scenario=values)


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


def stack_zip(plan: Plan) -> bytes:
    """Write a plan's stack as a zip file, the same bytes for the same plan.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    bytes
        The file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(render_stack(plan, "cdk").items()):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@st.cache_resource(max_entries=64, show_spinner=False)
def _plan(text: str, folder: str, stamp: tuple[int, ...]) -> Plan:
    scenario = Scenario.from_dict(json.loads(text))
    return scenario.plan(scenario.rates(folder), folder)


@st.cache_resource(max_entries=64, show_spinner=False)
def _rates(region: str, prices: str, folder: str, stamp: tuple[int, ...], _scenario: Scenario) -> Rates:
    return _scenario.rates(folder)


@st.cache_resource(max_entries=64, show_spinner=False)
def _estimate(text: str, folder: str, stamp: tuple[int, ...]) -> Plan:
    scenario = Scenario.from_dict(json.loads(text))
    return scenario.estimate(scenario.rates(folder), folder)


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
    spec = scenario.spec() if to_today else _plan(text, folder, stamp).spec
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
