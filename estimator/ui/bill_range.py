"""The bill's range: what it comes to in drawn months, with what is uncertain in the scenario and in what AWS does not document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from estimator.planning.draws import run_draws
from estimator.planning.result import Plan
from estimator.risk import DRAWS, Cases, contender_of, draws
from estimator.ui import background, cached

#: Ends of the range, as parts of the drawn months. [1]
LOW, HIGH = 0.05, 0.95
#: What this page's work is called.
KIND = "bill-range"
#: Draws are the same on every page and at every time.
_SEED = 1


@dataclass(frozen=True, slots=True)
class BillRange:
    """Ends of the bill over drawn months.

    Parameters
    ----------
    low_usd, high_usd : float
        Bills that 5 and 95 of 100 drawn months stay within. [USD/month]
    n_draws : int
        Months that were drawn. [1]
    n_inputs, n_parameters : int
        Intervals of the scenario, and parameters that AWS does not document, that were drawn. [1]
    """

    low_usd: float
    high_usd: float
    n_draws: int
    n_inputs: int
    n_parameters: int

    @property
    def text(self) -> str:
        """The range in a sentence."""
        what = f"{self.n_parameters} settings that AWS does not document"
        if self.n_inputs:
            what = f"{self.n_inputs} {'interval' if self.n_inputs == 1 else 'intervals'} of the scenario and {what}"
        return (
            f"**\\${self.low_usd:,.2f} to \\${self.high_usd:,.2f}**: between these lie 90 of 100 months of the same service "
            f"({self.n_draws} drawn; {what} vary)."
        )


def bill_range(plan: Plan, question: cached.Question, progress: Callable[[float], None] | None = None) -> BillRange:
    """Draw months for one plan.

    Parameters
    ----------
    plan : Plan
        The plan.
    question : Question
        What it answers.
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the draws.

    Returns
    -------
    BillRange
        The range.
    """
    scenario = question.document
    drawn = draws(scenario, DRAWS, _SEED)
    cases = Cases(scenario, question.folder)
    contender = contender_of("plan", plan, scenario)
    # One thread: the page, and other pages, are served meanwhile.
    found = run_draws([contender], lambda i, beside: cases.of({**drawn.at(i), **beside}), DRAWS, progress, n_threads=1)
    low, high = np.quantile(found.usd[:, 0], (LOW, HIGH)).tolist()
    return BillRange(low, high, DRAWS, len(drawn.intervals), len(drawn.model))


def show(question: cached.Question, plan: Plan) -> None:
    """Show the range.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.
    """
    if plan.cost.is_lower_bound:
        return
    scenario = question.document
    text = json.dumps(scenario.to_dict() | {"service": None}, sort_keys=True)
    background.show(
        KIND,
        (text, str(question.folder), question.stamp, plan.fingerprint()),
        lambda progress: bill_range(plan, question, progress),
        lambda found: st.markdown(found.text),
        "Drawing months",
    )
