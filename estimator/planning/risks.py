"""Risks that money lowers, by which plans are set side by side: RISKS, one row for each figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.result import Plan
from estimator.workload.request import Workload

#: Limits on what happens when tasks are too few. They are several readings of one risk, so a front of cost against any of these leaves all of them
#: aside; it keeps the others (tasks, zones, memory, money and what else a promise has).
LIMITS_OF_RISK = frozenset(
    {
        "max_minutes_over_capacity",
        "max_minutes_over_promise",
        "max_refused_percent",
        "p50_latency_ms",
        "p95_latency_ms",
        "p99_latency_ms",
    }
)


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk that money lowers, by which candidates are set side by side.

    Parameters
    ----------
    name : str
        The figure's name.
    title : str
        What it is, in words.
    unit : str
        Its unit.
    limit : str
        The limit of a promise that bounds it.
    """

    name: str
    title: str
    unit: str
    limit: str


#: The risks by name.
RISKS: dict[str, Risk] = {
    risk.name: risk
    for risk in (
        Risk("minutes_over_promise_per_month", "minutes over the promise", "min/month", "max_minutes_over_promise"),
        Risk("minutes_over_capacity_per_month", "minutes over capacity", "min/month", "max_minutes_over_capacity"),
        Risk("p95_latency_ms", "p95 latency", "ms", "p95_latency_ms"),
        Risk("refused_percent", "requests refused", "%", "max_refused_percent"),
    )
}
DEFAULT_RISK = "minutes_over_promise_per_month"


def require_risk(name: str) -> Risk:
    """Look a risk up.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Risk
        The risk.

    Raises
    ------
    InvalidScenario
        Naming those that there are.
    """
    if name not in RISKS:
        raise InvalidScenario(f"risk is {shown(name)}; it must be one of {', '.join(RISKS)}.")
    return RISKS[name]


def risk_of(plan: Plan, name: str = DEFAULT_RISK) -> float:
    """Read a risk of a plan or an estimate.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    name : str
        A name of `RISKS`.

    Returns
    -------
    float
        The figure; infinite without bound. [the risk's unit]
    """
    if require_risk(name).name != "refused_percent":
        return plan.figures[name]
    return float(refused_percent(plan.simulation.unserved_requests, plan.workload)[0])


def refused_percent(unserved_requests: NDArray[np.float64], workload: Workload) -> NDArray[np.float64]:
    """Say which part of the requests at the tasks is not served.

    Parameters
    ----------
    unserved_requests : numpy.ndarray, shape (n,)
        Requests of a period that are refused. [requests]
    workload : Workload
        The load.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Their part; 0 without any request. [%]
    """
    return np.asarray(100.0 * unserved_requests / max(workload.task_load.requests, 1e-300))
