"""What many draws come to: Uncertainty, with bills in quantiles, the plan of least regret, the tornado, and what to measure next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.planning.draws import Contender, Outcomes
from estimator.planning.regret import SHARES, Chance, Quantile, quantile_of, regrets, weighed
from estimator.service.spec import ServiceSpec
from estimator.workload.interval import Interval

#: Two costs that differ by no more than this part are the same. [1]
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Draws:
    """Values of all uncertain inputs, drawn together.

    Parameters
    ----------
    intervals : mapping of str to Interval
        Numbers of the scenario that are known between two ends only, by dotted path.
    model : mapping of str to tuple of float or bool
        Parameters that AWS does not document, by dotted path: the values that each may have, the default first. [the parameters' units]
    values : mapping of str to numpy.ndarray, shape (n,)
        What was drawn, by dotted path. [the inputs' units]
    seed : int
        Where chance began. [1]
    redrawn : int
        Draws whose model parameters were drawn again, since they do not go together. [1]
    """

    intervals: Mapping[str, Interval]
    model: Mapping[str, tuple[Any, ...]]
    values: Mapping[str, NDArray[Any]]
    seed: int
    redrawn: int = 0

    def __post_init__(self) -> None:
        for values in self.values.values():
            values.setflags(write=False)

    def at(self, i: int) -> dict[str, Any]:
        """Return one draw.

        Parameters
        ----------
        i : int
            Its number, from 0 on.

        Returns
        -------
        dict of str to float, int or bool
            Value by dotted path. [the inputs' units]
        """
        return {path: values[i].item() for path, values in self.values.items()}


@dataclass(frozen=True, eq=False)
class Move:
    """One input alone at its two ends, all others at their likely values.

    Parameters
    ----------
    name : str
        The input's dotted path.
    is_own : bool
        True for an interval of the scenario, False for what AWS does not document.
    low, high : float or bool
        The two ends. [the input's unit]
    at_low, at_high : Outcomes
        All plans at either end, one case each.
    """

    name: str
    is_own: bool
    low: Any
    high: Any
    at_low: Outcomes
    at_high: Outcomes


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of the tornado: what one input alone does to a plan.

    Parameters
    ----------
    name : str
        The input's dotted path.
    is_own : bool
        True for an interval of the scenario, False for what AWS does not document.
    low, high : float or bool
        The two ends. [the input's unit]
    usd_low, usd_high : float
        The plan's bill there. [USD/month]
    minutes_low, minutes_high : float
        Its minutes over the promise there. [min/month]
    best_low, best_high : str
        The plan that costs least there, minutes over the promise weighed with the bill.
    changes_choice : bool
        True if that is at one end another plan than at the likely values.
    stake_usd : float
        What the plan that is the best at the likely values costs more than the best one at the worse of both ends, minutes over the promise weighed
        with the bill. [USD/month]
    """

    name: str
    is_own: bool
    low: Any
    high: Any
    usd_low: float
    usd_high: float
    minutes_low: float
    minutes_high: float
    best_low: str
    best_high: str
    changes_choice: bool
    stake_usd: float

    @property
    def swing_usd(self) -> float:
        """How far the bill moves between both ends. [USD/month]"""
        return abs(self.usd_high - self.usd_low)

    @property
    def swing_minutes(self) -> float:
        """How far the minutes over the promise move between both ends. [min/month]"""
        return abs(self.minutes_high - self.minutes_low)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"input": values.pop("name"), **values, "swing_usd_per_month": self.swing_usd}


@dataclass(frozen=True, eq=False)
class PlanRisk:
    """What one plan comes to over all draws.

    Parameters
    ----------
    title : str
        What it is the plan for.
    spec : ServiceSpec
        What runs.
    likely_usd : float
        Its bill at the likely values. [USD/month]
    mean_usd : float
        Mean of its bills. [USD/month]
    usd, minutes_over_promise : tuple of Quantile
        P5, P50 and P95 of its bill and of its minutes over the promise. [USD/month, min/month]
    over_budget : Chance or None
        Chance that the bill exceeds the budget; None without one.
    broken : Chance
        Chance that the promise is broken.
    expected_regret_usd, worst_regret_usd : float
        How much more it costs than the plan that is the best in each draw, on average and at most, minutes over the promise weighed with the bill.
        [USD/month]
    """

    title: str
    spec: ServiceSpec
    likely_usd: float
    mean_usd: float
    usd: tuple[Quantile, ...]
    minutes_over_promise: tuple[Quantile, ...]
    over_budget: Chance | None
    broken: Chance
    expected_regret_usd: float
    worst_regret_usd: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not asked for is None.
        """

        def named(quantiles: tuple[Quantile, ...]) -> dict[str, Any]:
            return {f"p{100 * each.share:.0f}": each.to_dict() for each in quantiles}

        return {
            "title": self.title,
            "candidate": self.spec.describe(),
            "service": self.spec.to_dict(),
            "usd_per_month_at_likely_values": self.likely_usd,
            "mean_usd_per_month": self.mean_usd,
            "usd_per_month": named(self.usd),
            "minutes_over_promise_per_month": named(self.minutes_over_promise),
            "chance_over_budget": self.over_budget.to_dict() if self.over_budget else None,
            "chance_promise_broken": self.broken.to_dict(),
            "expected_regret_usd_per_month": self.expected_regret_usd,
            "worst_regret_usd_per_month": self.worst_regret_usd,
        }


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Plans under all that is not known: what each may cost, which one is regretted least, and what to measure next.

    Parameters
    ----------
    contenders : tuple of Contender
        The plans.
    draws : Draws
        What was drawn.
    outcomes : Outcomes
        What each plan came to in each draw.
    likely : Outcomes
        The same at the likely values, one case.
    moves : tuple of Move
        Each input alone at its ends.
    usd_per_minute_over_promise : float
        What a minute over the promise weighs beside the bill, in a month that breaks the promise. [USD/min]
    budget_usd : float, optional
        What a month may cost. [USD/month]
    notes : tuple of str
        What a reader should know.
    """

    contenders: tuple[Contender, ...]
    draws: Draws
    outcomes: Outcomes
    likely: Outcomes
    moves: tuple[Move, ...]
    usd_per_minute_over_promise: float
    budget_usd: float | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def regrets(self) -> NDArray[np.float64]:
        """How much more each plan costs in each draw than the best one there, shape (n_draws, n_plans). [USD/month]"""
        found = self.outcomes
        return regrets(found.usd, found.minutes_that_weigh, self.usd_per_minute_over_promise)

    @cached_property
    def plans(self) -> tuple[PlanRisk, ...]:
        """What each plan comes to, in the order of ``contenders``."""
        return tuple(self._risk(i) for i in range(len(self.contenders)))

    def _risk(self, i: int) -> PlanRisk:
        found, n = self.outcomes, self.outcomes.n_draws
        usd = found.usd[:, i]
        over = None
        if self.budget_usd is not None:
            over = Chance(int(np.count_nonzero(usd > self.budget_usd)), n)
        return PlanRisk(
            self.contenders[i].title,
            self.contenders[i].spec,
            float(self.likely.usd[0, i]),
            float(math.fsum(usd) / n),
            tuple(quantile_of(usd, share) for share in SHARES),
            tuple(quantile_of(found.minutes_over_promise[:, i], share) for share in SHARES),
            over,
            Chance(int(np.count_nonzero(~found.keeps[:, i])), n),
            float(math.fsum(self.regrets[:, i]) / n),
            float(self.regrets[:, i].max()),
        )

    @cached_property
    def chosen(self) -> int:
        """Place of the plan with the smallest expected regret, the first of equals."""
        return int(np.argmin([plan.expected_regret_usd for plan in self.plans]))

    def least_regret(self) -> PlanRisk:
        """Choose the plan that is regretted least on average.

        Returns
        -------
        PlanRisk
            The one with the smallest expected regret, the first of equals.
        """
        return self.plans[self.chosen]

    def tornado(self, plan: int | None = None) -> tuple[Bar, ...]:
        """Say what each input alone does to a plan.

        Parameters
        ----------
        plan : int, optional
            Place of the plan; by default the one of least regret.

        Returns
        -------
        tuple of Bar
            The input that moves the bill most comes first, among equals the one that moves minutes over the promise most.
        """
        i = self.chosen if plan is None else plan
        best = self._best(self.likely)
        rows = []
        for move in self.moves:
            low, high = move.at_low, move.at_high
            best_low, best_high = self._best(low, best), self._best(high, best)
            rows.append(
                Bar(
                    name=move.name,
                    is_own=move.is_own,
                    low=move.low,
                    high=move.high,
                    usd_low=float(low.usd[0, i]),
                    usd_high=float(high.usd[0, i]),
                    minutes_low=float(low.minutes_over_promise[0, i]),
                    minutes_high=float(high.minutes_over_promise[0, i]),
                    best_low=self.contenders[best_low].title,
                    best_high=self.contenders[best_high].title,
                    changes_choice=best_low != best or best_high != best,
                    stake_usd=max(self._stake(low, best), self._stake(high, best)),
                )
            )
        return tuple(sorted(rows, key=lambda row: (-row.swing_usd, -row.swing_minutes)))

    def _costs(self, end: Outcomes) -> NDArray[np.float64]:
        """Weigh bills and minutes over the promise of all plans in one case. [USD/month]"""
        return weighed(end.usd[0], end.minutes_that_weigh[0], self.usd_per_minute_over_promise)

    def _best(self, end: Outcomes, usual: int | None = None) -> int:
        """Place of the plan that costs least in one case; the usual one unless another costs less."""
        cost = self._costs(end)
        if usual is not None and cost[usual] <= cost.min() * (1 + _SAME):
            return usual
        return int(np.argmin(cost))

    def _stake(self, end: Outcomes, usual: int) -> float:
        """Say what a plan costs more than the best one in one case. [USD/month]"""
        cost = self._costs(end)
        return float(cost[usual] - cost[self._best(end, usual)])

    @property
    def to_measure(self) -> tuple[Bar, ...]:
        """Inputs in the order in which to find them out: those that change the choice, most at stake first, then by the swing of the bill."""
        rows = [row for row in self.tornado() if row.changes_choice or row.swing_usd or row.swing_minutes]
        # Of what changes nothing of the choice, your own inputs come before AWS's, which nobody can measure easily.
        return tuple(sorted(rows, key=lambda row: (not row.changes_choice, -row.stake_usd, not row.is_own)))

    @property
    def measure_next(self) -> str:
        """What to measure next and why, in a sentence."""
        if not self.to_measure:
            return "There is nothing to measure: no input changes the bill or the minutes over the promise."
        row = self.to_measure[0]
        todo = f"Measure {row.name} next" if row.is_own else f"Find out {row.name} next"
        if row.changes_choice:
            best = self.contenders[self._best(self.likely)].title
            ends = ((row.low, row.best_low), (row.high, row.best_high))
            at = " and ".join(f"at {value_text(value)} that for {title}" for value, title in ends if title != best)
            stake = (
                f"which then costs ${row.stake_usd:,.2f} less a month, minutes over the promise weighed with the bill"
            )
            return f"{todo}: at the likely values the plan for {best} is the best one, {at}, {stake}."
        reach = f"between {value_text(row.low)} and {value_text(row.high)} it moves the bill from ${row.usd_low:,.2f} to ${row.usd_high:,.2f} a month"
        if row.swing_minutes:
            reach += f" and the minutes over the promise from {row.minutes_low:,.1f} to {row.minutes_high:,.1f}"
        more = ", more than any other input" if row == self.tornado()[0] else ""
        rivals = (
            "" if len(self.contenders) == 1 else "; no input alone makes another of the plans compared the better one"
        )
        return f"{todo}: {reach}{more}{rivals}."

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values.

        Returns
        -------
        dict
            JSON-ready; single draws are not in it.
        """
        return {
            "draws": self.outcomes.n_draws,
            "seed": self.draws.seed,
            "redrawn": self.draws.redrawn,
            "budget_usd_per_month": self.budget_usd,
            "usd_per_minute_over_promise": self.usd_per_minute_over_promise,
            "is_lower_bound": bool(self.outcomes.unknown),
            "unknown": list(self.outcomes.unknown),
            "intervals": {path: each.to_dict() for path, each in self.draws.intervals.items()},
            "model_parameters": {path: list(values) for path, values in self.draws.model.items()},
            "plans": [plan.to_dict() for plan in self.plans],
            "least_regret": self.least_regret().title,
            "tornado": [row.to_dict() for row in self.tornado()],
            "measure_next": self.measure_next,
            "notes": list(self.notes),
        }


def value_text(value: Any) -> str:
    """Write an input's value as a scenario does.

    Parameters
    ----------
    value : float or bool
        The value.

    Returns
    -------
    str
        Such as ``0.7`` or ``true``.
    """
    return str(value).lower() if isinstance(value, bool) else f"{value:,.6g}"
