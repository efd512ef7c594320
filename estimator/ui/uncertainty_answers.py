"""What the page on uncertainty computes: a first answer at once, the whole one on request, the fan, and the bill of a single draw.

Notes
-----
What takes long says how far it is, which is also where it can be ended: Streamlit ends a run of the page at its next call, here the next
draw. So an answer that takes long is not made inside a function of ``cache_resource``, which may not write to the page, but put into a store;
what was ended is not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from estimator.planning.draws import Contender, Outcomes, run_draws
from estimator.planning.planner import estimate
from estimator.planning.regret import USD_PER_MINUTE_OVER_PROMISE
from estimator.planning.result import Plan
from estimator.planning.uncertainty import Move, Uncertainty
from estimator.risk import Cases, assess_risk, contender_of, draws
from estimator.scenario import Scenario
from estimator.ui import cached
from estimator.ui.store import Store
from estimator.ui.uncertainty_fan import MonthDraws, bills_by_month
from estimator.ui.uncertainty_inputs import Months

#: Draws of the first answer and of its fan, and most draws of the fan of a whole one. [1]
FIRST_DRAWS, FIRST_FAN_DRAWS, MOST_FAN_DRAWS = 50, 25, 100
SEED = 1
#: Answers that are kept. [1]
_MOST = 32

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Asked:
    """A question whose scenario has intervals.

    Parameters
    ----------
    question : Question
        The scenario with its intervals, and where its files are.
    n_draws : int
        Draws of the whole answer. [1]
    with_model : bool
        True to draw what AWS does not document too.
    """

    question: cached.Question
    n_draws: int
    with_model: bool

    @property
    def key(self) -> tuple[str, str, tuple[int, ...], bool]:
        """All that draws depend on but their number."""
        return self.question.text, str(self.question.folder), self.question.stamp, self.with_model

    @property
    def likely(self) -> cached.Question:
        """The question at the likely values, which is what the other pages ask."""
        return replace(self.question, scenario=self.question.scenario.likely())


def first(asked: Asked, plan: Plan) -> Uncertainty:
    """Draw a few months of the plan alone.

    Parameters
    ----------
    asked : Asked
        What is asked.
    plan : Plan
        The plan for the likely values.

    Returns
    -------
    Uncertainty
        Of one plan; its draws are the first of those of `whole`, and what it moves alone are the intervals of the scenario.
    """
    found: Uncertainty = _first(*asked.key, plan)
    return found


@st.cache_resource(max_entries=_MOST, show_spinner=False)
def _first(text: str, folder: str, stamp: tuple[int, ...], with_model: bool, _plan: Plan) -> Uncertainty:
    scenario = Scenario.from_dict(json.loads(text))
    cases = _cases(text, folder, stamp)
    drawn = draws(scenario, FIRST_DRAWS, SEED, model_uncertainty=with_model)
    rivals = (contender_of("likely values", _plan, scenario),)
    outcomes = run_draws(rivals, lambda i, beside: cases.of({**drawn.at(i), **beside}), FIRST_DRAWS)
    ends = [(path, value) for path, item in drawn.intervals.items() for value in (item.low, item.high)]
    alone: list[dict[str, Any]] = [{}, *({path: value} for path, value in ends)]
    found = run_draws(rivals, lambda i, beside: cases.of({**alone[i], **beside}), len(alone))
    at: list[Outcomes] = [found.between(i, i + 1) for i in range(len(alone))]
    moves = tuple(
        Move(path, True, item.low, item.high, at[1 + 2 * place], at[2 + 2 * place])
        for place, (path, item) in enumerate(drawn.intervals.items())
    )
    return Uncertainty(rivals, drawn, outcomes, at[0], moves, USD_PER_MINUTE_OVER_PROMISE)


@st.cache_resource(max_entries=_MOST, show_spinner=False)
def _cases(text: str, folder: str, stamp: tuple[int, ...]) -> Cases:
    return Cases(Scenario.from_dict(json.loads(text)), folder)


@st.cache_resource(show_spinner=False)
def _wholes() -> Store[Uncertainty]:
    return Store(_MOST)


@st.cache_resource(show_spinner=False)
def _fans() -> Store[MonthDraws]:
    return Store(_MOST)


def whole_if_there(asked: Asked) -> Uncertainty | None:
    """Return the whole answer if it was found before.

    Parameters
    ----------
    asked : Asked
        What is asked.

    Returns
    -------
    Uncertainty or None
        The answer.
    """
    return _wholes().get((*asked.key, asked.n_draws))


def whole(asked: Asked, progress: Progress | None = None) -> Uncertainty:
    """Find the plans that compete, and draw months of all of them.

    Parameters
    ----------
    asked : Asked
        What is asked.
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.

    Returns
    -------
    Uncertainty
        What `estimator.risk.assess_risk` gives.

    Raises
    ------
    EstimatorError
        If values do not go together, or no plan keeps the promise.
    """
    key = (*asked.key, asked.n_draws)
    found = _wholes().get(key)
    if found is None:
        found = assess_risk(
            asked.question.scenario,
            None,
            asked.question.folder,
            n_draws=asked.n_draws,
            seed=SEED,
            model_uncertainty=asked.with_model,
            progress=progress,
        )
        _wholes().put(key, found)
    return found


def fan(
    asked: Asked, contender: Contender, months: Months, n_draws: int, progress: Progress | None = None
) -> MonthDraws:
    """Bill a plan in each month to come.

    Parameters
    ----------
    asked : Asked
        What is asked.
    contender : Contender
        The plan.
    months : Months
        How many, and how the load grows.
    n_draws : int
        How many draws. [1]
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.

    Returns
    -------
    MonthDraws
        The bills.

    Raises
    ------
    EstimatorError
        If values do not go together.
    """
    key = (*asked.key, repr(contender), months, n_draws)
    found = _fans().get(key)
    if found is None:
        found = bills_by_month(
            asked.question.scenario,
            contender,
            _cases(*asked.key[:3]).rates,
            asked.question.folder,
            months.count,
            months.growth,
            n_draws,
            SEED,
            model_uncertainty=asked.with_model,
            progress=progress,
        )
        _fans().put(key, found)
    return found


def draw_of(asked: Asked, found: Uncertainty, draw: int) -> Plan:
    """Price the plan of least regret in one draw, with all lines of its bill.

    Parameters
    ----------
    asked : Asked
        What is asked.
    found : Uncertainty
        The answer.
    draw : int
        Number of the draw, from 0 on.

    Returns
    -------
    Plan
        Its course and bill.
    """
    contender = found.contenders[found.chosen]
    case = _cases(*asked.key[:3]).of({**found.draws.at(draw), **dict(contender.beside)})
    return estimate(
        case.workload,
        case.rates,
        case.meet(contender.spec),
        case.application,
        case.promise,
        case.behavior,
        case.hours_per_month,
        case.operations,
        case.extras,
        contender.savings_plans,
    )
