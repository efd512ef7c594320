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
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from estimator.export import render_stack
from estimator.planning.result import Plan
from estimator.pricing.folders import refreshed_folder
from estimator.scenario import Scenario
from estimator.sections import CsvLoad


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
        load, own, refreshed = self.scenario.load, self.scenario.prices.overrides, refreshed_folder()
        names = (load.path if isinstance(load, CsvLoad) else None, own)
        paths = [self.folder / name for name in names if name is not None]
        paths += [refreshed / f"{part}.json" for part in ("global", self.scenario.region)]
        return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


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
    found: Plan = _plan(question.text, str(question.folder), question.stamp)
    return found


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
def _estimate(text: str, folder: str, stamp: tuple[int, ...]) -> Plan:
    scenario = Scenario.from_dict(json.loads(text))
    return scenario.estimate(scenario.rates(folder), folder)
