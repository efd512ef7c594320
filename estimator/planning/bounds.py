"""What a candidate comes to at the best, known before its course is: least bills, best figures, and when a course need not be followed.

Notes
-----
All of it holds for certain. A step that is not over capacity has as many healthy tasks as its load needs, and those are billed; the bounds
in force are billed too; what the promise lets be over capacity, late or refused is taken off. A bill is a sum of lines of which none falls
with more task-hours and none costs more a unit with more units, so it lies above the straight line between no task-hours and more than there
can be. (Prices of your own may rise by tiers: the line then has the lowest of them.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from estimator.planning.promise import Promise
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import PredictiveScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.simulation import parameters as at
from estimator.simulation.courses import Courses, as_a_queue
from estimator.simulation.inputs import StopRules
from estimator.simulation.latency import TaskQueue, surely_late_shares
from estimator.simulation.outcome import Figures
from estimator.simulation.result import Simulation
from estimator.simulation.translation import Setting, scheduled_bounds, tasks_within_quota
from estimator.units import MS_PER_S, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

#: Looks at a course, at most: each takes about as long as a hundred steps. [1]
MOST_LOOKS = 256
#: Parts of the load, by its height, that the best response times are found from. [1]
_LOAD_PARTS = 256
#: A figure is broken only beyond this part of it, which is rounding. [1]
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class _LoadOnGrid:
    """The load of the period, step by step and hour by hour, on one step length."""

    requests_per_s: NDArray[np.float64]
    step_s: int

    @cached_property
    def by_hour(self) -> NDArray[np.float64]:
        """Requests of each hour. [requests]"""
        return np.asarray(self.requests_per_s.reshape(-1, SECONDS_PER_HOUR // self.step_s).sum(axis=1) * self.step_s)

    @cached_property
    def rising(self) -> NDArray[np.float64]:
        """The steps' loads from the lowest on. [requests/s]"""
        return np.sort(self.requests_per_s)

    @cached_property
    def up_to(self) -> NDArray[np.float64]:
        """Sum of the lowest loads, of none first. [requests/s]"""
        return np.concatenate([[0.0], np.cumsum(self.rising)])

    @cached_property
    def parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The lowest load of each part of the steps, and the part's requests. [requests/s, requests]"""
        edges = np.unique(np.linspace(0, self.rising.size, _LOAD_PARTS + 1).astype(np.int64))
        return self.rising[edges[:-1]], np.diff(self.up_to[edges]) * self.step_s

    def above(self, requests_per_s: float) -> int:
        """Count the steps with more load."""
        return int(self.rising.size - np.searchsorted(self.rising, requests_per_s, side="right"))

    def beyond(self, requests_per_s: float) -> float:
        """Sum up what is more than a load. [requests]"""
        n = self.above(requests_per_s)
        return max(float(self.up_to[-1] - self.up_to[-1 - n]) - n * requests_per_s, 0.0) * self.step_s

    def busiest(self, n: int) -> float:
        """Sum up the busiest steps. [requests]"""
        return float(self.up_to[-1] - self.up_to[max(self.rising.size - n, 0)]) * self.step_s


@dataclass(frozen=True, eq=False)
class CostLines:
    """Bills from below: so much at least, and so much at least for each task-hour.

    Parameters
    ----------
    fixed_usd : numpy.ndarray, shape (n_candidates,)
        Without any task. [USD/month]
    usd_per_task_hour, usd_per_spot_task_hour : numpy.ndarray, shape (n_candidates,)
        For each task-hour of the period, On-Demand and on Fargate Spot. [USD/month/task-h]
    spot_share : numpy.ndarray, shape (n_candidates,)
        Largest part of the task-hours that can be on Fargate Spot. [1]
    """

    fixed_usd: NDArray[np.float64]
    usd_per_task_hour: NDArray[np.float64]
    usd_per_spot_task_hour: NDArray[np.float64]
    spot_share: NDArray[np.float64]

    def least_usd(self, task_hours: NDArray[np.float64]) -> NDArray[np.float64]:
        """Least bills with so many task-hours.

        Parameters
        ----------
        task_hours : numpy.ndarray, shape (n_candidates,)
            Of the period. [task-h]

        Returns
        -------
        numpy.ndarray, shape (n_candidates,)
            Bills. [USD/month]
        """
        saved = np.maximum(self.usd_per_task_hour - self.usd_per_spot_task_hour, 0.0) * self.spot_share
        return self.fixed_usd + task_hours * (self.usd_per_task_hour - saved)


@dataclass(frozen=True, eq=False)
class _Facts:
    """What of a course its bounds depend on."""

    grid: _LoadOnGrid
    queue: TaskQueue
    slow_utilization: float
    lows: NDArray[np.float64]  # tasks that are asked for in all of each hour
    certain: NDArray[np.float64]  # those of them that are billed for certain
    most: int  # largest maximum [tasks]
    key: tuple[object, ...]  # equal where grid, queue and lows are


class CourseBounds:
    """Bounds of each course of a search.

    Parameters
    ----------
    courses : Courses
        The courses.
    promise : Promise
        The limits, which a plan keeps.
    periods : float
        Periods of the load in a month. [1]
    """

    def __init__(self, courses: Courses, promise: Promise, periods: float) -> None:
        self.courses, self.promise, self.periods = courses, promise, periods
        self.total_requests = courses.workload.task_load.requests
        self._grids: dict[int, _LoadOnGrid] = {}
        self._exempt: dict[int, float] = {}
        self._late: dict[TaskQueue, NDArray[np.float64]] = {}
        self._lows: dict[tuple[object, ...], NDArray[np.float64]] = {}
        self._certain: dict[tuple[object, ...], NDArray[np.float64]] = {}
        self._floors: dict[tuple[object, ...], NDArray[np.float64]] = {}
        self._hours: dict[tuple[object, ...], float] = {}
        self._facts: dict[int, _Facts] = {}

    @property
    def latencies(self) -> list[tuple[float, float]]:
        """Each limit of the latency with the part of the requests that it lets be late. [ms, 1]"""
        limits = ((self.promise.p95_latency_ms, 0.05), (self.promise.p99_latency_ms, 0.01))
        return [(limit, share) for limit, share in limits if limit is not None]

    def _of(self, i: int) -> _Facts:
        """Gather what bounds depend on; of most courses without making them ready."""
        found = self._facts.get(i)
        if found is None:
            found = self._facts[i] = self._gathered(i)
        return found

    def _gathered(self, i: int) -> _Facts:
        courses, dynamics = self.courses, self.courses.dynamics[i]
        setting = courses.setting(i)
        grid = self._grids.setdefault(setting.step_s, _LoadOnGrid(setting.period_requests_per_s, setting.step_s))
        queue, slow = courses.queue(i)
        quota = tasks_within_quota(dynamics.task_vcpu, courses.behavior)
        first = min(dynamics.min_capacity, quota)
        most = max([dynamics.max_capacity, *(action.max_capacity or 0 for action in dynamics.scheduled_actions)])
        floats = any(isinstance(policy, PredictiveScalingPolicy) for policy in dynamics.scaling)
        if floats:
            most = max([most, *(high for _, _, high, _ in courses.course(i).inputs.bounds)])
        key: tuple[object, ...] = (setting.step_s, dynamics.min_capacity, first, dynamics.scheduled_actions)
        key += (i,) if floats else ()
        if key not in self._lows:
            plain = scheduled_bounds(dynamics, setting)
            if plain is None:
                steps, low, high, floor = np.array(courses.course(i).inputs.bounds, dtype=np.int64).reshape(-1, 4).T
                plain = steps, np.maximum(low, np.minimum(floor, high)), high
            self._lows[key] = _lows_by_hour(plain[0], plain[1], first, quota, setting, courses.behavior)
        lows = certain = self._lows[key]
        spot_key = (*key, dynamics.spot_base, dynamics.spot_share)
        if spot_key in self._certain:
            certain = self._certain[spot_key]
        elif courses.operations.deployment_schedules or courses.operations.zone_losses_h:
            certain = np.zeros_like(lows)
        elif dynamics.spot_share > 0:
            # On Fargate Spot tasks may be missing.
            certain = lows - np.floor(np.maximum(lows - dynamics.spot_base, 0.0) * dynamics.spot_share + _ROUNDING)
        self._certain[spot_key] = certain
        key = (*spot_key, queue)
        return _Facts(grid, queue, slow, lows, certain, min(most, quota), key)

    def _most_steps(self, minutes: float | None, step_s: int) -> float:
        """Turn minutes a month into steps of the period; infinite without a limit."""
        return math.inf if minutes is None else minutes * (1 + _ROUNDING) * SECONDS_PER_MINUTE / step_s / self.periods

    def _exempt_requests(self, grid: _LoadOnGrid) -> float:
        """Count the requests for which the promise asks no capacity, at the most."""
        if grid.step_s not in self._exempt:
            found = [self.total_requests]
            for minutes in (self.promise.max_minutes_over_capacity, self.promise.max_minutes_over_promise):
                steps = self._most_steps(minutes, grid.step_s)
                if math.isfinite(steps):
                    found.append(grid.busiest(math.floor(steps)))
            if self.courses.nothing_waits:
                found += [share * self.total_requests for _, share in self.latencies]
                if self.promise.max_refused_percent is not None:
                    found.append(self.promise.max_refused_percent / 100 * self.total_requests)
            self._exempt[grid.step_s] = min(found) * (1 + _ROUNDING)
        return self._exempt[grid.step_s]

    def _floor_by_hour(self, i: int) -> NDArray[np.float64]:
        """Task-seconds that are billed in each hour at the least, if the load has capacity in all of it."""
        facts = self._of(i)
        if facts.key not in self._floors:
            needed_s = facts.grid.by_hour / (facts.queue.requests_per_s * (1 + _ROUNDING))
            self._floors[facts.key] = np.maximum(facts.certain * SECONDS_PER_HOUR, needed_s)
        return self._floors[facts.key]

    def least_task_hours(self, i: int) -> float:
        """Task-hours of the period that are billed at the least if the promise is kept.

        Parameters
        ----------
        i : int
            Place of the course.

        Returns
        -------
        float
            Task-hours. [task-h]
        """
        facts = self._of(i)
        if facts.key not in self._hours:
            exempt_s = self._exempt_requests(facts.grid) / facts.queue.requests_per_s
            # What tasks are asked for is billed even where the load has none.
            certain_s = float(facts.certain.sum()) * SECONDS_PER_HOUR
            least_s = max(float(self._floor_by_hour(i).sum()) - exempt_s, certain_s)
            self._hours[facts.key] = least_s / SECONDS_PER_HOUR * (1 - _ROUNDING)
        return self._hours[facts.key]

    def certain_task_hours(self, i: int) -> float:
        """Task-hours of the period that are billed at the least, whether the promise is kept or not.

        Parameters
        ----------
        i : int
            Place of the course.

        Returns
        -------
        float
            Task-hours. [task-h]
        """
        return float(self._of(i).certain.sum()) * (1 - _ROUNDING)

    def likely_task_hours(self, i: int, target_percent: float) -> float:
        """Guess the task-hours of the period, to look at likely winners first.

        Parameters
        ----------
        i : int
            Place of the course.
        target_percent : float
            Part of the tasks' CPU that is used. [%]

        Returns
        -------
        float
            Task-hours. [task-h]
        """
        facts = self._of(i)
        key = (*facts.key, target_percent)
        if key not in self._hours:
            each = facts.queue.requests_per_s * target_percent / 100
            guess_s = np.maximum(facts.lows * SECONDS_PER_HOUR, facts.grid.by_hour / each)
            self._hours[key] = float(guess_s.sum()) / SECONDS_PER_HOUR
        return self._hours[key]

    def at_best(self, i: int) -> Figures:
        """Say what a course has at the best: all the tasks that it may have, at all times, and the bill of those that are certain.

        Parameters
        ----------
        i : int
            Place of the course.

        Returns
        -------
        Figures
            Of which none is worse in the course itself.
        """
        facts = self._of(i)
        grid = facts.grid
        capacity_per_s = facts.most * facts.queue.requests_per_s
        totals = np.zeros(at.N_TOTALS)
        totals[at.BILLED_TASK_S] = self.certain_task_hours(i) * SECONDS_PER_HOUR
        totals[at.STEPS_OVER_CAPACITY] = grid.above(capacity_per_s * (1 + 2 * _ROUNDING))
        slow_at = min(facts.slow_utilization, 1.0)
        totals[at.SLOW_STEPS] = grid.above(capacity_per_s * slow_at * (1 + 2 * _ROUNDING))
        if self.courses.nothing_waits:
            totals[at.REFUSED_REQUESTS] = grid.beyond(capacity_per_s * (1 + 2 * _ROUNDING))
        totals[at.PEAK_DESIRED_COUNT] = facts.lows.max()
        totals[at.PEAK_UTILIZATION] = grid.rising[-1] / capacity_per_s * (1 - _ROUNDING)
        histogram, never = np.zeros(at.N_BINS), np.zeros(at.N_WAIT_BINS + 1)
        if not self.courses.nothing_waits:
            # A short queue over capacity can be quicker than a long one below it.
            histogram[0] = self.total_requests
            return Figures(totals, histogram, never)
        load_per_s, requests = grid.parts
        utilization = load_per_s / capacity_per_s * (1 - _ROUNDING)
        over = utilization > 1
        bins = np.minimum((utilization[~over] * at.N_BINS).astype(np.int64), at.N_BINS - 1)
        np.add.at(histogram, bins, requests[~over])
        never[-1] = float(requests[over].sum())
        return Figures(totals, histogram, never)

    def finished_at_best(self, i: int, partial: Figures) -> Figures:
        """Say what a course that was given up has at the best: from then on those tasks that are certain, all requests answered at once.

        Parameters
        ----------
        i : int
            Place of the course.
        partial : Figures
            What was found until then.

        Returns
        -------
        Figures
            Of which none is worse in the whole course.
        """
        totals, histogram = partial.totals.copy(), partial.utilization_histogram.copy()
        left = self.total_requests - float(histogram.sum() + partial.wait_histogram.sum())
        histogram[0] += max(left, 0.0)
        setting = self.courses.setting(i)
        first = (partial.stopped_after - setting.warm_up) * setting.step_s // SECONDS_PER_HOUR + 1
        totals[at.BILLED_TASK_S] += float(self._of(i).certain[first:].sum()) * SECONDS_PER_HOUR * (1 - _ROUNDING)
        return Figures(totals, histogram, partial.wait_histogram)

    def _remaining_s(self, i: int) -> NDArray[np.float64]:
        """Task-seconds that are billed from each hour on at the least, and none at the end, shape (n_hours + 1,)."""
        floor = self._floor_by_hour(i)
        facts = self._of(i)
        exempt_s = self._exempt_requests(facts.grid) / facts.queue.requests_per_s
        after = np.concatenate([np.cumsum(floor[::-1])[::-1], [0.0]])
        return np.maximum(after - exempt_s, 0.0) * (1 - _ROUNDING)

    def stop_rules(self, i: int, most_task_hours: float, spot_weight: float) -> StopRules:
        """Say when a course need not be followed further: a limit is broken, or its bill is too large.

        Parameters
        ----------
        i : int
            Place of the course.
        most_task_hours : float
            Task-hours of the period from which on its bill is larger than another's; infinite if there is no other. [task-h]
        spot_weight : float
            What a task-hour on Fargate Spot costs of one On-Demand, at the least. [1]

        Returns
        -------
        StopRules
            For the loop.
        """
        course = self.courses.course(i)
        inputs, promise, grid = course.inputs, self.promise, self._of(i).grid
        hours = grid.by_hour.size
        every_h = max(1, -(-hours // MOST_LOOKS))
        looks = np.minimum(np.arange(-(-hours // every_h) + 1) * every_h, hours)
        weight = min(spot_weight, 1.0)
        least_weight = 1.0 - inputs.spot_share * (1.0 - weight)
        most_billed_s = most_task_hours * SECONDS_PER_HOUR - self._remaining_s(i)[looks] * least_weight
        if course.queue not in self._late:
            self._late[course.queue] = np.array(
                [
                    surely_late_shares(
                        limit / MS_PER_S - course.queue.added_s, *as_a_queue(course.queue, self.courses.workload)
                    )
                    for limit, _ in self.latencies
                ]
            )
        refused = promise.max_refused_percent
        return StopRules(
            look_every=every_h * SECONDS_PER_HOUR // inputs.step_s,
            most_billed_s=most_billed_s * (1 + _ROUNDING),
            spot_weight=weight,
            most_steps_over=self._most_steps(promise.max_minutes_over_capacity, inputs.step_s),
            most_slow_steps=self._most_steps(promise.max_minutes_over_promise, inputs.step_s),
            most_refused=math.inf if refused is None else refused / 100 * self.total_requests * (1 + _ROUNDING),
            most_late=tuple(share * self.total_requests * (1 + _ROUNDING) for _, share in self.latencies),
            late_shares=self._late[course.queue],
        )


def _lows_by_hour(
    at_step: NDArray[np.int64],
    moved: NDArray[np.int64],
    first: int,
    quota: int,
    setting: Setting,
    behavior: AwsBehavior,
) -> NDArray[np.float64]:
    """Tasks that are asked for in all of each hour, and have been for so long that they are billed, shape (n_hours,)."""
    per_hour = SECONDS_PER_HOUR // setting.step_s
    n_hours = setting.n_steps // per_hour
    if not at_step.size:
        return np.full(n_hours, float(first))
    steps = np.concatenate([[0], at_step])
    lows = np.minimum(np.concatenate([[first], moved]), quota).astype(np.float64)
    rate = min(behavior.launch_per_s, behavior.service_launches_per_minute / SECONDS_PER_MINUTE)
    delay = math.ceil((behavior.unbilled_s + lows.max() / rate) / setting.step_s) + 1
    begins = setting.warm_up + np.arange(n_hours) * per_hour - delay
    found = lows[np.maximum(np.searchsorted(steps, begins, side="right") - 1, 0)]
    for later in (0, delay):
        hour = (steps + later - setting.warm_up) // per_hour
        inside = (hour >= 0) & (hour < n_hours)
        np.minimum.at(found, hour[inside], lows[inside])
    # A delay of more than an hour reaches over several.
    return np.asarray(np.minimum.reduce([np.roll(found, k) for k in range(delay // per_hour + 1)]))


def pretended(
    specs: tuple[ServiceSpec, ...],
    courses: Courses,
    task_hours: NDArray[np.float64],
    on_spot: NDArray[np.bool_],
    launched: NDArray[np.float64],
) -> Simulation:
    """Make up a simulation with given task-hours, to see what they cost.

    Parameters
    ----------
    specs : tuple of ServiceSpec
        The candidates.
    courses : Courses
        Of their load.
    task_hours : numpy.ndarray, shape (n_candidates,)
        Billed task-hours. [task-h]
    on_spot : numpy.ndarray of bool, shape (n_candidates,)
        True where they are on Fargate Spot.
    launched : numpy.ndarray, shape (n_candidates,)
        Tasks that are started. [tasks]

    Returns
    -------
    Simulation
        Good for pricing alone.
    """
    none = np.zeros(len(specs))
    names = set(Simulation.__dataclass_fields__) - {"specs", "period_hours", "series", "billed_task_s_by_hour"}
    arrays = {name: none for name in names if name != "load_fingerprint"}
    return Simulation(
        **arrays
        | {
            "billed_task_hours": task_hours,
            "spot_billed_task_hours": np.where(on_spot, task_hours, 0.0),
            "launched": launched,
        },
        specs=specs,
        period_hours=courses.workload.load.period_hours,
        series={},
        load_fingerprint=courses.workload.load.fingerprint(),
    )
