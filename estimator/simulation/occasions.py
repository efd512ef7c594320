"""When things happen: schedules, losses of a zone, shortages and interruptions laid on the grid of steps."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo

import numpy as np
from numpy.typing import NDArray

from estimator.errors import InvalidScenario
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.schedules import instants, recurrence_of
from estimator.units import SECONDS_PER_DAY, SECONDS_PER_HOUR
from estimator.workload.profile import LoadProfile

#: A load that is bound to no calendar begins on a Monday that is a first of January. [UTC]
CALENDAR = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_WEEK_S = 7 * SECONDS_PER_DAY
#: The shortest month. [s]
_MONTH_S = 28 * SECONDS_PER_DAY
#: More interruptions are not drawn; a rate that asks for more is a mistake. [1]
_MOST_INTERRUPTIONS = 1_000_000


def interruption_thresholds(most_tasks: int, seconds: int, behavior: AwsBehavior) -> NDArray[np.float64]:
    """Draw the exposures at which Fargate Spot is interrupted: a Poisson process in task-hours, the same for all candidates.

    Parameters
    ----------
    most_tasks : int
        Most tasks that there can be. [tasks]
    seconds : int
        Length of the simulation. [s]
    behavior : AwsBehavior
        Rate and seed.

    Returns
    -------
    numpy.ndarray
        Rising; more than enough. [1]
    """
    expected = most_tasks * seconds / SECONDS_PER_HOUR * behavior.spot_interruptions_per_task_hour
    if expected <= 0:
        return np.zeros(0)
    n = min(math.ceil(expected + 10 * math.sqrt(expected) + 50), _MOST_INTERRUPTIONS)
    return np.cumsum(np.random.default_rng([behavior.seed, 1]).exponential(size=n))


def steps_at(expression: str, timezone: str, load: LoadProfile, step_s: int, warm_up: int) -> list[int]:
    """List the steps at which a schedule is due; the period repeats in the warm-up and before it.

    Parameters
    ----------
    expression, timezone : str
        AWS's schedule expression and its time zone.
    load : LoadProfile
        The period; one without a start begins on a Monday, the first of January 2024, UTC.
    step_s : int
        Length of a step. [s]
    warm_up : int
        Steps before the period. [1]

    Returns
    -------
    list of int
        Rising, counted from the warm-up's begin; those of at least one period before it are negative.

    Raises
    ------
    InvalidScenario
        If the schedule does not repeat with a load whose period is shorter than a week, or lies outside the period.
    """
    begin = load.start or CALENDAR
    once = expression.strip().startswith("at(")
    period = dt.timedelta(seconds=load.period_s)
    found = [
        int((instant - begin).total_seconds()) for instant in instants(expression, timezone, begin, begin + period)
    ]
    if once and not found:
        raise InvalidScenario(
            f"The schedule {expression} ({timezone}) lies outside the load's period, which begins at {begin:%Y-%m-%dT%H:%M}Z and has "
            f"{load.period_hours:g} hours. Give the load a start that fits, or use cron(...)."
        )
    _require_recurring(expression, timezone, begin, load)
    n_steps = load.period_s // step_s
    cycles = math.ceil(warm_up / n_steps) + 1
    return sorted(warm_up + second // step_s - m * n_steps for second in found for m in range(cycles + 1))


def _require_recurring(expression: str, timezone: str, begin: dt.datetime, load: LoadProfile) -> None:
    """Raise if a schedule does not come in each period of a load that repeats."""
    recurrence = recurrence_of(expression)
    if recurrence.kind == "dates" and load.period_s < _MONTH_S:
        raise InvalidScenario(
            f"The schedule {expression} goes by days of the month or by months, and the load has {load.period_hours:g} hours, again and again. "
            "Give a load of a month or more, or a schedule by days of the week, such as cron(0 8 ? * MON-FRI *)."
        )
    if recurrence.kind == "rate" and load.period_s % recurrence.every_s:
        raise InvalidScenario(
            f"The schedule {expression} is not the same in each period of the load, which has {load.period_hours:g} hours. Give a rate that "
            "divides the period, or use cron(...)."
        )
    if recurrence.kind == "days" and load.period_s < _WEEK_S:
        # By the clock on the wall, which daylight saving does not move.
        wall = begin.astimezone(zoneinfo.ZoneInfo(timezone)).replace(tzinfo=dt.UTC)
        many = math.lcm(load.period_s, _WEEK_S) // load.period_s
        period = dt.timedelta(seconds=load.period_s)
        due = {(at - wall).total_seconds() for at in instants(expression, "UTC", wall, wall + many * period)}
        first = {second for second in due if second < load.period_s}
        if due != {second + m * load.period_s for second in first for m in range(many)}:
            raise InvalidScenario(
                f"The schedule {expression} is not the same in each period of the load, which has {load.period_hours:g} hours. Give a load of "
                "whole weeks, such as kind weekly, or repeat it: `repeat: 7` makes a week of a day."
            )


def step_of_hour(name: str, hour: float, load: LoadProfile, step_s: int) -> int:
    """Find the step of the period that holds an hour.

    Parameters
    ----------
    name : str
        What the hour is of.
    hour : float
        From the period's begin. [h]
    load : LoadProfile
        The period.
    step_s : int
        Length of a step. [s]

    Returns
    -------
    int
        The step, counted from the period's begin.

    Raises
    ------
    InvalidScenario
        If the hour is outside the period.
    """
    if hour >= load.period_hours:
        raise InvalidScenario(
            f"{name} has {hour:g}; it must lie inside the load's period of {load.period_hours:g} hours."
        )
    return int(hour * SECONDS_PER_HOUR // step_s)


def shortage_times(operations: Operations, load: LoadProfile, step_s: int, warm_up: int) -> tuple[tuple[int, int], ...]:
    """List the times without Fargate Spot.

    Parameters
    ----------
    operations : Operations
        The shortages.
    load : LoadProfile
        The period.
    step_s : int
        Length of a step. [s]
    warm_up : int
        Steps before the period. [1]

    Returns
    -------
    tuple of (int, int)
        Begin and end from the warm-up's begin, rising, joined where they touch. [s]
    """
    times: list[list[int]] = []
    for shortage in sorted(operations.spot_shortages, key=lambda item: item.start_h):
        begin = (warm_up + step_of_hour("spot_shortages", shortage.start_h, load, step_s)) * step_s
        end = begin + round(shortage.hours * SECONDS_PER_HOUR)
        if times and begin <= times[-1][1]:
            times[-1][1] = max(times[-1][1], end)
        else:
            times.append([begin, end])
    return tuple((begin, end) for begin, end in times)
