"""Predictive scaling before the simulation: a stated forecast of each hour's load, the tasks that it needs, and the bounds that follow.

Notes
-----
The forecaster is this: an hour's load is the mean of the loads of the same hour one week and two weeks before. AWS's models are not
published; what it says is that they need 24 hours of data and look at up to 14 days, that they forecast each hour of the next two days,
and are made anew every 6 hours [1]_. The last does not matter here, since nothing younger than a day is looked at. So a load that repeats
each week is forecast exactly, growth arrives a week or two late, and what comes once is never foreseen, but expected again in the weeks
after it. A load shorter than the lags repeats in the data that AWS would see, so it is its own forecast.

A policy in mode ``ForecastOnly`` does nothing: it has no floors.

References
----------
.. [1] AWS, "How Application Auto Scaling predictive scaling works", Application Auto Scaling User Guide
.. [2] AWS, "PredictiveScalingPolicyConfiguration", Application Auto Scaling API Reference
.. [3] AWS, "Scheduled scaling for Application Auto Scaling". All read 2026.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.errors import InvalidScenario
from estimator.service.spec import MAX_TASKS_PER_SERVICE
from estimator.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

HONOR_MAX_CAPACITY = "HonorMaxCapacity"
INCREASE_MAX_CAPACITY = "IncreaseMaxCapacity"
#: AWS's default. [s]
SCHEDULING_BUFFER_TIME_S = 300
#: As far back as AWS looks. [d]
HISTORY_DAYS = 14
_HOURS_PER_DAY = 24
_DAYS_PER_WEEK = 7


class ScheduledBounds(NamedTuple):
    """New bounds at a step, by a scheduled action.

    Parameters
    ----------
    step : int
        When. [1]
    min_capacity, max_capacity : int, optional
        New bounds; None leaves one as it is. [tasks]
    name : str
        What a message calls the action.
    """

    step: int
    min_capacity: int | None
    max_capacity: int | None
    name: str = "A scheduled action"


def forecast_hourly(hourly_load: ArrayLike, history_days: int = HISTORY_DAYS) -> NDArray[np.float64]:
    """Forecast each hour's load from the same hour of the weeks before.

    The load is one period of whole hours, taken as periodic: before its first hour came its last. The forecast of an hour is the mean of
    the loads 7, 14, ... days before, as many whole weeks as the history has; with less than a week of history, of the loads 1, 2, ...
    days before. Only lags shorter than the period count, so that no hour is its own forecast; where none is, the period has repeated in
    the history, and is the forecast. Where the period is no whole number of weeks, the days of the week do not meet at its seam: the
    hours of its first one or two weeks are then forecast from other days of the week.

    Parameters
    ----------
    hourly_load : array_like, shape (n_hours,)
        Mean load of each hour of the period. [requests/s]
    history_days : int
        How far back to look, 1 to 14. [d]

    Returns
    -------
    numpy.ndarray, shape (n_hours,)
        The forecast. [requests/s]

    Examples
    --------
    A launch in the first of four weeks is not foreseen, and expected again for two weeks:

    >>> load = np.full(4 * 168, 10.0)
    >>> load[5] = 40.0
    >>> forecast = forecast_hourly(load)
    >>> [float(forecast[week * 168 + 5]) for week in range(4)]
    [10.0, 25.0, 25.0, 10.0]
    """
    load = np.asarray(hourly_load, dtype=np.float64)
    lag_days = _DAYS_PER_WEEK if history_days >= _DAYS_PER_WEEK else 1
    lags_h = [n * lag_days * _HOURS_PER_DAY for n in range(1, history_days // lag_days + 1)]
    seen = [np.roll(load, lag_h) for lag_h in lags_h if lag_h < load.size]
    return np.mean(seen, axis=0, dtype=np.float64) if seen else load.copy()


def cpu_requests_per_s_at_target(task_vcpu: float, cpu_s_per_request: float, target_value: float) -> float:
    """Load at which one task's CPU utilization is the target.

    Parameters
    ----------
    task_vcpu : float
        CPU of a task. [vCPU]
    cpu_s_per_request : float
        CPU time of a request. [s]
    target_value : float
        The target. [%]

    Returns
    -------
    float
        Requests; infinite if they need no CPU. [requests/s]

    Examples
    --------
    >>> cpu_requests_per_s_at_target(task_vcpu=0.5, cpu_s_per_request=0.025, target_value=50.0)
    10.0
    """
    return task_vcpu * target_value / 100 / cpu_s_per_request if cpu_s_per_request > 0 else math.inf


def alb_requests_per_s_at_target(target_value: float) -> float:
    """Load at which one task has as many requests as the target says.

    Parameters
    ----------
    target_value : float
        The target of the metric pair ``ALBRequestCount``, per minute. [requests]

    Returns
    -------
    float
        Requests. [requests/s]

    Examples
    --------
    >>> alb_requests_per_s_at_target(1200.0)
    20.0
    """
    return target_value / SECONDS_PER_MINUTE


def memory_requests_per_s_at_target(
    task_memory_mib: float,
    baseline_memory_mib: float,
    memory_mib_per_request: float,
    residence_s: float,
    target_value: float,
) -> float:
    """Load at which one task's memory utilization is the target.

    A task uses its baseline, and so much for each request in flight; in flight are load times residence (Little's law).

    Parameters
    ----------
    task_memory_mib : float
        Memory of a task. [MiB]
    baseline_memory_mib : float
        Memory of an idle task. [MiB]
    memory_mib_per_request : float
        Memory of each request in flight. [MiB]
    residence_s : float
        Time that a request spends in its task. [s]
    target_value : float
        The target. [%]

    Returns
    -------
    float
        Requests; 0 if an idle task leaves no room for any, so that no number of tasks reaches the target; infinite if requests need no
        memory.
        [requests/s]

    Examples
    --------
    Half of 2048 MiB is 1024 MiB; above the 512 MiB of an idle task there is room for 64 requests of 8 MiB, each there for 0.25 s:

    >>> memory_requests_per_s_at_target(2048, 512, 8, 0.25, 50)
    256.0
    """
    room_mib = task_memory_mib * target_value / 100 - baseline_memory_mib
    if room_mib < 0:
        return 0.0
    mib_s_per_request = memory_mib_per_request * residence_s
    return room_mib / mib_s_per_request if mib_s_per_request > 0 else math.inf


def predictive_floors(hourly_forecast: ArrayLike, requests_per_s_at_target: float) -> NDArray[np.int64]:
    """Tasks that the forecast needs to be at the target.

    Parameters
    ----------
    hourly_forecast : array_like, shape (n_hours,)
        Forecast load of each hour. [requests/s]
    requests_per_s_at_target : float
        Load at which one task is at the target; with 0, no number of tasks is enough. [requests/s]

    Returns
    -------
    numpy.ndarray of int, shape (n_hours,)
        Rounded up, at least 1, at most as many as a service can have. [tasks]

    Examples
    --------
    >>> predictive_floors([0.0, 12.0, 12.1], 6.0).tolist()
    [1, 2, 3]
    """
    forecast = np.asarray(hourly_forecast, dtype=np.float64)
    if requests_per_s_at_target <= 0:
        return np.full(forecast.shape, MAX_TASKS_PER_SERVICE, dtype=np.int64)
    tasks = np.ceil(forecast / requests_per_s_at_target - 1e-9)
    return np.clip(tasks, 1, MAX_TASKS_PER_SERVICE).astype(np.int64)


def floor_steps(
    floors: ArrayLike,
    step_s: int,
    record_from: int,
    scheduling_buffer_time_s: int = SCHEDULING_BUFFER_TIME_S,
) -> list[tuple[int, int]]:
    """List the steps at which predictive scaling acts, with the floor from there on.

    It acts at the start of each hour, and before it by the buffer, from when the larger of the two hours' floors counts. The simulated
    series is the warm-up and the period after it; the floors repeat with the period, in the warm-up too.

    Parameters
    ----------
    floors : array_like of int, shape (n_hours,)
        Floor of each hour of the period. [tasks]
    step_s : int
        Length of a step. [s]
    record_from : int
        First step of the period; those before it are the warm-up. [1]
    scheduling_buffer_time_s : int
        How much before the hour it acts. [s]

    Returns
    -------
    list of (int, int)
        Step and floor, rising; the first step is 0. An hour's start is listed where its floor is the same, too.

    Examples
    --------
    >>> floor_steps([2, 5, 3], step_s=60, record_from=0)
    [(0, 2), (55, 5), (60, 5), (115, 5), (120, 3), (175, 3)]
    """
    by_hour = np.asarray(floors, dtype=np.int64)
    steps_per_hour = SECONDS_PER_HOUR // step_s
    n_steps = record_from + by_hour.size * steps_per_hour
    # From the hour in which the warm-up begins to the first of the next period, before which the buffer of this one still lies.
    hours = np.arange(-math.ceil(record_from / steps_per_hour), by_hour.size + 1)
    floor, previous = by_hour[hours % by_hour.size], by_hour[(hours - 1) % by_hour.size]
    starts = record_from + hours * steps_per_hour
    # An instant inside a step is moved to the step's start.
    early = (starts * step_s - scheduling_buffer_time_s) // step_s
    steps = np.stack([early, starts], axis=1).ravel().tolist()
    values = np.stack([np.maximum(previous, floor), floor], axis=1).ravel().tolist()
    # The first of them lies at step 0 or before it, and holds there; of two at one step the later one counts.
    at = {max(step, 0): value for step, value in zip(steps, values, strict=True) if step < n_steps}
    return sorted(at.items())


def merge_bounds(
    scheduled: Iterable[ScheduledBounds | tuple[int, int | None, int | None]],
    floors: Iterable[tuple[int, int]],
    min_capacity: int,
    max_capacity: int,
    max_capacity_breach_behavior: str = HONOR_MAX_CAPACITY,
    max_capacity_buffer_percent: float = 0.0,
) -> tuple[tuple[int, int, int, int], ...]:
    """Join scheduled actions and predictive scaling into the bounds in force, as rule 22 of ``docs/simulation.md`` takes them.

    Scheduled actions of one step act in their order, before predictive scaling. With ``HonorMaxCapacity`` a floor ends at the maximum in
    force. With ``IncreaseMaxCapacity`` the maximum is raised to the floor and the buffer above it, rounded up, wherever it is lower when
    predictive scaling acts, but never above what a service can have; only a scheduled action brings it down again.

    Parameters
    ----------
    scheduled : iterable of ScheduledBounds
        What scheduled actions set; plain tuples of step, minimum and maximum will do.
    floors : iterable of (int, int)
        Steps at which predictive scaling acts, and the floor from there on, as `floor_steps` lists them.
    min_capacity, max_capacity : int
        First bounds. [tasks]
    max_capacity_breach_behavior : str
        ``HonorMaxCapacity`` or ``IncreaseMaxCapacity``.
    max_capacity_buffer_percent : float
        How far above the floor the maximum is raised. [%]

    Returns
    -------
    tuple of (int, int, int, int)
        Step, lower and upper bound, and the floor, at each step where one of them changes; rising.

    Raises
    ------
    InvalidScenario
        If a scheduled action leaves the minimum above the maximum, which AWS refuses.

    Examples
    --------
    >>> merge_bounds([ScheduledBounds(10, 4, None), ScheduledBounds(30, 2, None)], [(0, 1), (20, 9)], 2, 6)
    ((0, 2, 6, 1), (10, 4, 6, 1), (20, 4, 6, 6), (30, 2, 6, 6))
    """
    actions = [ScheduledBounds(*action) for action in scheduled]
    events: list[tuple[int, ScheduledBounds | int]] = [(action.step, action) for action in actions]
    events += list(floors)
    events.sort(key=lambda event: event[0])  # stable: scheduled actions stay first
    low, high, wanted = min_capacity, max_capacity, 0
    in_force: dict[int, tuple[int, int, int]] = {}
    for step, event in events:
        if isinstance(event, ScheduledBounds):
            low, high = _scheduled(event, low, high)
        else:
            wanted = event
            if max_capacity_breach_behavior == INCREASE_MAX_CAPACITY:
                raised = math.ceil(wanted * (1 + max_capacity_buffer_percent / 100) - 1e-9)
                high = max(high, min(raised, MAX_TASKS_PER_SERVICE))
        in_force[step] = (low, high, min(wanted, high))
    found: list[tuple[int, int, int, int]] = []
    before = (min_capacity, max_capacity, 0)
    for step, bounds in in_force.items():
        if bounds != before:
            found.append((step, *bounds))
        before = bounds
    return tuple(found)


def _scheduled(action: ScheduledBounds, low: int, high: int) -> tuple[int, int]:
    """Bounds after a scheduled action."""
    own_low, own_high = action.min_capacity, action.max_capacity
    new_low, new_high = low if own_low is None else own_low, high if own_high is None else own_high
    if new_low > new_high:
        if own_low is None:
            sets = f"max_capacity {new_high} where min_capacity {new_low} is in force"
        elif own_high is None:
            sets = f"min_capacity {new_low} where max_capacity {new_high} is in force"
        else:
            sets = f"min_capacity {new_low} and max_capacity {new_high}"
        raise InvalidScenario(
            f"{action.name} sets {sets}; AWS refuses a minimum above the maximum. Let it set both, the minimum not above the maximum."
        )
    return new_low, new_high
