"""Simulation: what happened to each candidate over one period, and the series of those that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.service.spec import ServiceSpec


@dataclass(frozen=True, eq=False)
class Series:
    """What happened to one candidate, step by step.

    Parameters
    ----------
    requests_per_s : numpy.ndarray, shape (n_steps,)
        Load. [requests/s]
    desired_count : numpy.ndarray, shape (n_steps,)
        Desired count after the step's decision. [tasks]
    running_count, healthy_count, billed_count : numpy.ndarray, shape (n_steps,)
        Means over the step. [tasks]
    utilization : numpy.ndarray, shape (n_steps,)
        CPU that the load asks for over what the healthy tasks have; over 1 the tasks are over capacity. [1]
    cpu_utilization_percent : numpy.ndarray, shape (n_steps,)
        The metric ``ECSServiceAverageCPUUtilization``. [%]
    step_s : int
        Length of a step. [s]
    """

    requests_per_s: NDArray[np.float64]
    desired_count: NDArray[np.int64]
    running_count: NDArray[np.float64]
    healthy_count: NDArray[np.float64]
    billed_count: NDArray[np.float64]
    utilization: NDArray[np.float64]
    cpu_utilization_percent: NDArray[np.float64]
    step_s: int

    def __post_init__(self) -> None:
        _lock(self)

    def to_frame(self) -> Any:
        """Return the series as a table, one row for each step.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``time_s``, the start of the step. [s]
        """
        import pandas as pd

        columns = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "step_s"}
        index = pd.Index(np.arange(self.desired_count.size) * self.step_s, name="time_s")
        return pd.DataFrame(columns, index=index)


@dataclass(frozen=True, eq=False)
class Simulation:
    """What happened to each candidate over one period.

    Parameters
    ----------
    specs : tuple of ServiceSpec
        The candidates, n of them.
    period_hours : float
        Length of the period. [h]
    billed_task_hours : numpy.ndarray, shape (n,)
        From image pull to stop, to the second. [task-h]
    running_task_hours : numpy.ndarray, shape (n,)
        Time in which tasks run and are not draining. [task-h]
    launched, removed : numpy.ndarray, shape (n,)
        Tasks started and stopped by scaling. [tasks]
    minutes_over_capacity : numpy.ndarray, shape (n,)
        Minutes whose load is more than the healthy tasks can serve. [min]
    unserved_requests : numpy.ndarray, shape (n,)
        Requests beyond capacity in those minutes. [requests]
    peak_desired_count : numpy.ndarray, shape (n,)
        Largest desired count. [tasks]
    peak_utilization : numpy.ndarray, shape (n,)
        Largest CPU load over capacity. [1]
    p50_latency_ms, p95_latency_ms, p99_latency_ms : numpy.ndarray, shape (n,)
        Response time that this part of all requests of the period stays within; infinite if too many meet minutes over
        capacity. [ms]
    series : dict of int to Series
        Series of the candidates that were asked for, by position.
    load_fingerprint : str
        Of the load that was simulated.
    """

    specs: tuple[ServiceSpec, ...]
    period_hours: float
    billed_task_hours: NDArray[np.float64]
    running_task_hours: NDArray[np.float64]
    launched: NDArray[np.float64]
    removed: NDArray[np.float64]
    minutes_over_capacity: NDArray[np.float64]
    unserved_requests: NDArray[np.float64]
    peak_desired_count: NDArray[np.float64]
    peak_utilization: NDArray[np.float64]
    p50_latency_ms: NDArray[np.float64]
    p95_latency_ms: NDArray[np.float64]
    p99_latency_ms: NDArray[np.float64]
    series: Mapping[int, Series]
    load_fingerprint: str = ""

    def __post_init__(self) -> None:
        _lock(self)

    @property
    def mean_billed_count(self) -> NDArray[np.float64]:
        """Mean number of billed tasks, shape (n,). [tasks]"""
        return self.billed_task_hours / self.period_hours

    def to_frame(self) -> Any:
        """Return one row for each candidate.

        Returns
        -------
        pandas.DataFrame
            Candidates and their figures; units stand in the names.
        """
        import pandas as pd

        names = [
            n for n in self.__dataclass_fields__ if n not in {"specs", "period_hours", "series", "load_fingerprint"}
        ]
        table = pd.DataFrame({name: getattr(self, name) for name in names})
        table.insert(0, "candidate", [spec.describe() for spec in self.specs])
        return table

    def _repr_html_(self) -> str:
        return str(self.to_frame().head(200).to_html(index=False, float_format=lambda x: f"{x:,.2f}"))


def _lock(record: Any) -> None:
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            copy = value.copy()
            copy.setflags(write=False)
            object.__setattr__(record, name, copy)
