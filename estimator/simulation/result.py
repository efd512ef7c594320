"""Simulation: what happened to each candidate over one period, and the series of those that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.service.capacity import FARGATE, FARGATE_SPOT
from estimator.service.spec import ServiceSpec
from estimator.simulation.activities import ScalingActivity
from estimator.units import SECONDS_PER_HOUR

#: Columns of `Series.to_frame`, which leaves out what is not by step.
_NOT_BY_STEP = {"step_s", "datapoints", "activities", "spot_billed_count"}


@dataclass(frozen=True, eq=False)
class Series:
    """What happened to one candidate, step by step.

    Parameters
    ----------
    requests_per_s : numpy.ndarray, shape (n_steps,)
        Load on the tasks. [requests/s]
    desired_count : numpy.ndarray, shape (n_steps,)
        Desired count after the step's decisions. [tasks]
    running_count, pending_count, healthy_count, draining_count, billed_count, spot_billed_count : numpy.ndarray, shape (n_steps,)
        Means over the step; pending tasks are launched and do not run yet, draining ones are removed and still billed. [tasks]
    served_requests, refused_requests, queued_requests : numpy.ndarray, shape (n_steps,)
        Requests that are served and refused in the step, and that wait at its end. [requests]
    utilization : numpy.ndarray, shape (n_steps,)
        What the load asks for, waiting requests included, over what the healthy tasks serve; over 1 the tasks are over capacity. [1]
    cpu_utilization_percent, memory_utilization_percent : numpy.ndarray, shape (n_steps,)
        Means over the running tasks, at most 100; not a number without one. [%]
    p50_latency_ms, p95_latency_ms, p99_latency_ms : numpy.ndarray, shape (n_steps,)
        Response time that this part of the step's requests stays within; infinite where the tasks are over capacity. [ms]
    datapoints : numpy.ndarray, shape (n_policies, n_steps)
        For each policy that watches a metric, its datapoint of the period that ends with the step; not a number where there is
        none. [% or requests]
    activities : tuple of ScalingActivity
        What moved the desired count.
    step_s : int
        Length of a step. [s]
    """

    requests_per_s: NDArray[np.float64]
    desired_count: NDArray[np.int64]
    running_count: NDArray[np.float64]
    pending_count: NDArray[np.float64]
    healthy_count: NDArray[np.float64]
    draining_count: NDArray[np.float64]
    billed_count: NDArray[np.float64]
    spot_billed_count: NDArray[np.float64]
    served_requests: NDArray[np.float64]
    refused_requests: NDArray[np.float64]
    queued_requests: NDArray[np.float64]
    utilization: NDArray[np.float64]
    cpu_utilization_percent: NDArray[np.float64]
    memory_utilization_percent: NDArray[np.float64]
    p50_latency_ms: NDArray[np.float64]
    p95_latency_ms: NDArray[np.float64]
    p99_latency_ms: NDArray[np.float64]
    datapoints: NDArray[np.float64]
    activities: tuple[ScalingActivity, ...]
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

        columns = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NOT_BY_STEP}
        index = pd.Index(np.arange(self.desired_count.size) * self.step_s, name="time_s")
        return pd.DataFrame(columns, index=index)

    def by_hour(self) -> Any:
        """Return the billed task-seconds of each hour by capacity provider, in tidy form.

        Returns
        -------
        pandas.DataFrame
            Columns ``hour``, ``capacity_provider`` and ``billed_task_s``. [h, task-s]
        """
        import pandas as pd

        per_hour = SECONDS_PER_HOUR // self.step_s
        total, spot = (
            values.reshape(-1, per_hour).sum(axis=1) * self.step_s
            for values in (self.billed_count, self.spot_billed_count)
        )
        hours = np.arange(total.size)
        parts = [
            pd.DataFrame({"hour": hours, "capacity_provider": provider, "billed_task_s": values})
            for provider, values in ((FARGATE, total - spot), (FARGATE_SPOT, spot))
        ]
        return pd.concat(parts, ignore_index=True)

    def activities_frame(self) -> Any:
        """Return the scaling activities as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each activity, in the order of time.
        """
        import pandas as pd

        names = list(ScalingActivity.__dataclass_fields__)
        return pd.DataFrame([asdict(activity) for activity in self.activities], columns=names)


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
    spot_billed_task_hours : numpy.ndarray, shape (n,)
        Those of them on Fargate Spot. [task-h]
    running_task_hours : numpy.ndarray, shape (n,)
        Time in which tasks run and are not draining. [task-h]
    launched, removed : numpy.ndarray, shape (n,)
        Tasks started and stopped by scaling. [tasks]
    replaced : numpy.ndarray, shape (n,)
        Tasks started in place of others: by deployments, after the loss of a zone, and for interrupted ones of Fargate Spot. [tasks]
    minutes_over_capacity : numpy.ndarray, shape (n,)
        Minutes whose load is more than the healthy tasks can serve. [min]
    minutes_over_promise : numpy.ndarray, shape (n,)
        Minutes that are over capacity or in which the promised p95 latency does not hold; without a promise the former alone. [min]
    unserved_requests : numpy.ndarray, shape (n,)
        Requests that are refused: beyond capacity, and beyond the queue where there is one. [requests]
    peak_desired_count : numpy.ndarray, shape (n,)
        Largest desired count. [tasks]
    peak_utilization : numpy.ndarray, shape (n,)
        Largest load over capacity. [1]
    peak_queued_requests : numpy.ndarray, shape (n,)
        Most requests that wait at the end of a step. [requests]
    spot_interruptions, stuck_deployments : numpy.ndarray, shape (n,)
        Interrupted tasks of Fargate Spot; deployments whose percentages let no task be replaced. [1]
    p50_latency_ms, p95_latency_ms, p99_latency_ms : numpy.ndarray, shape (n,)
        Response time that this part of all requests of the period stays within; infinite if too many are refused, or without a queue
        meet minutes over capacity. [ms]
    series : dict of int to Series
        Series of the candidates that were asked for, by position.
    billed_task_s_by_hour : dict of str to numpy.ndarray, shape (n, n_hours)
        Billed task-seconds of each hour by capacity provider, if they were asked for. [task-s]
    load_fingerprint : str
        Of the load that was simulated.
    """

    specs: tuple[ServiceSpec, ...]
    period_hours: float
    billed_task_hours: NDArray[np.float64]
    spot_billed_task_hours: NDArray[np.float64]
    running_task_hours: NDArray[np.float64]
    launched: NDArray[np.float64]
    removed: NDArray[np.float64]
    replaced: NDArray[np.float64]
    minutes_over_capacity: NDArray[np.float64]
    minutes_over_promise: NDArray[np.float64]
    unserved_requests: NDArray[np.float64]
    peak_desired_count: NDArray[np.float64]
    peak_utilization: NDArray[np.float64]
    peak_queued_requests: NDArray[np.float64]
    spot_interruptions: NDArray[np.float64]
    stuck_deployments: NDArray[np.float64]
    p50_latency_ms: NDArray[np.float64]
    p95_latency_ms: NDArray[np.float64]
    p99_latency_ms: NDArray[np.float64]
    series: Mapping[int, Series]
    billed_task_s_by_hour: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
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

        left_out = {"specs", "period_hours", "series", "billed_task_s_by_hour", "load_fingerprint"}
        names = [n for n in self.__dataclass_fields__ if n not in left_out]
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
