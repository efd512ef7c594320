"""Courses: the different dynamics among candidates, each ready to be run by itself, and what they add up to.

Notes
-----
Random numbers are drawn before the loop, from the seed of `AwsBehavior`: all candidates share them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import FARGATE, FARGATE_SPOT
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation import latency, parameters
from estimator.simulation.activities import scaling_activities
from estimator.simulation.dynamics import Dynamics, dynamics_of
from estimator.simulation.inputs import SimulationInputs, StopRules, features_of
from estimator.simulation.latency import TaskQueue
from estimator.simulation.outcome import Figures, OutcomeSeries, loop_for, run_loop
from estimator.simulation.result import Series, Simulation
from estimator.simulation.translation import Setting, inputs_of, setting_of
from estimator.units import MS_PER_S, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: Figures are known by the minute, or by 20 seconds where a policy watches a 20-second metric or the load is known more finely. [s]
STEP_S, FINE_STEP_S = SECONDS_PER_MINUTE, 20
#: The warm-up is what the load was before the period: a short period several times, or the end of a long one. [s]
MIN_WARM_UP_S = SECONDS_PER_DAY
MAX_WARM_UP_S = 7 * SECONDS_PER_DAY
#: Up to this many steps the loop runs uncompiled. [candidate-steps]
UNCOMPILED_STEPS = 45_000
#: Percentiles that a simulation has. [1]
SHARES = (0.50, 0.95, 0.99)


@dataclass(eq=False)
class _Course:
    """One dynamics on its way: what goes in, and where it was kept what came out."""

    dynamics: Dynamics
    setting: Setting
    inputs: SimulationInputs
    queue: TaskQueue
    series: OutcomeSeries | None = None


class Courses:
    """The different dynamics among candidates, each to be run by itself; it may be used by several threads.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    specs : sequence of ServiceSpec
        The candidates.
    application : Application
        Boot, image and draining times, and the queue.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        Deployments, loss of a zone, shortages of Fargate Spot.
    p95_latency_ms : float, optional
        Promised p95 latency, by which minutes over the promise are counted. [ms]
    before : LoadProfile, optional
        What came before the period; by default the period is taken as periodic.
    usual : LoadProfile, optional
        The same period as it usually is, which the warm-up and forecasts go by; by default the load itself.

    Raises
    ------
    InvalidScenario
        If ``before`` does not go with a candidate or with what happens.

    Attributes
    ----------
    dynamics : tuple of Dynamics
        The different ones, in the order in which candidates have them.
    index : numpy.ndarray of int, shape (n_candidates,)
        Each candidate's place among them.
    steps : numpy.ndarray of int, shape (n_dynamics,)
        Steps of each one's course, warm-up included. [1]
    is_compiled : bool
        True if there is so much to run that the compiled loop pays.
    """

    def __init__(
        self,
        workload: Workload,
        specs: Sequence[ServiceSpec],
        application: Application,
        behavior: AwsBehavior,
        operations: Operations,
        p95_latency_ms: float | None = None,
        before: LoadProfile | None = None,
        usual: LoadProfile | None = None,
    ) -> None:
        alone = operations != Operations() or any(s.predictive or s.scheduled_actions for s in specs)
        if before is not None and alone:
            raise InvalidScenario(
                "before goes with a period that stands alone: predictive scaling, scheduled actions and operations take the period as one that "
                "repeats. Leave them out, or leave out before."
            )
        self.workload, self.application, self.behavior, self.operations = workload, application, behavior, operations
        self.p95_latency_ms = p95_latency_ms
        each = [dynamics_of(spec, operations) for spec in specs]
        self.dynamics = tuple(dict.fromkeys(each))
        place = {item: i for i, item in enumerate(self.dynamics)}
        self.index = np.array([place[item] for item in each], dtype=np.int64)

        period_s = workload.load.period_s
        # A load that is known more finely than by the minute can fill a part of one.
        self._steps_s = [FINE_STEP_S if workload.load.step_s < STEP_S else item.step_s for item in self.dynamics]
        warm_ups_s = [_warm_up_s(item, period_s) if before is None else before.period_s for item in self.dynamics]
        self._grids = list(zip(self._steps_s, warm_ups_s, strict=True))
        self._settings = {
            grid: setting_of(workload, application, behavior, operations, *grid, before, usual)
            for grid in dict.fromkeys(self._grids)
        }
        self.steps = np.array([self._settings[grid].requests_per_s.size for grid in self._grids], dtype=np.int64)
        # Once the compiled loop is there, it is the faster one for any work.
        self.is_compiled = bool(self.steps.sum() > UNCOMPILED_STEPS or "estimator.simulation.compiled" in sys.modules)
        self._queues: dict[tuple[int, str], tuple[TaskQueue, float]] = {}
        self._courses: dict[int, _Course] = {}

    def course(self, i: int) -> _Course:
        """Make a course ready.

        Parameters
        ----------
        i : int
            Place among the dynamics.

        Returns
        -------
        _Course
            What goes into the loop.

        Raises
        ------
        InvalidScenario
            If a schedule or something that happens does not fit the load's period.
        """
        found = self._courses.get(i)
        if found is None:
            queue, slow = self.queue(i)
            item, setting = self.dynamics[i], self.setting(i)
            found = self._courses[i] = _Course(item, setting, inputs_of(item, setting, slow), queue)
        return found

    def setting(self, i: int) -> Setting:
        """Say what a course shares with all others of its step length.

        Parameters
        ----------
        i : int
            Place among the dynamics.

        Returns
        -------
        Setting
            The load on the grid, and what happens when.
        """
        return self._settings[self._grids[i]]

    def queue(self, i: int) -> tuple[TaskQueue, float]:
        """Say how a task of a course works off its requests, and up to which utilization it is as quick as promised.

        Parameters
        ----------
        i : int
            Place among the dynamics.

        Returns
        -------
        tuple of (TaskQueue, float)
            Queue and utilization; infinite without a promise. [1]
        """
        item = self.dynamics[i]
        key = item.cpu_units, item.cpu_architecture
        if key not in self._queues:
            queue = self.setting(i).queue_of(item)
            self._queues[key] = queue, _slow_utilization(queue, self.workload, self.p95_latency_ms)
        return self._queues[key]

    def run(self, i: int, keep: bool = False, hours: bool = False, stop: StopRules | None = None) -> Figures:
        """Follow one course.

        Parameters
        ----------
        i : int
            Place among the dynamics.
        keep : bool
            True to keep its series.
        hours : bool
            True to keep the billed task-seconds of each hour.
        stop : StopRules, optional
            Limits beyond which it is given up.

        Returns
        -------
        Figures
            What was found.
        """
        course = self.course(i)
        loop = loop_for(features_of(course.inputs), self.is_compiled, int(self.steps.sum()))
        done = run_loop(course.inputs, keep, loop, self.is_compiled, hours, stop)
        if keep:
            course.series = done.series
        else:
            # A year's schedule is long, and a search has thousands of courses.
            self._courses.pop(i, None)
        return done

    def simulation(
        self,
        specs: Sequence[ServiceSpec],
        index: NDArray[np.int64],
        found: Mapping[int, Figures],
        keep_series: Sequence[int] = (),
        keep_hours: bool = False,
    ) -> Simulation:
        """Put together what was found of candidates.

        Parameters
        ----------
        specs : sequence of ServiceSpec
            The candidates.
        index : numpy.ndarray of int, shape (n_candidates,)
            Each one's place among the dynamics.
        found : dict of int to Figures
            What was found, by place; whole courses.
        keep_series : sequence of int
            Positions of the candidates whose series are wanted; their courses were run to keep them.
        keep_hours : bool
            True if the courses were run to keep hours.

        Returns
        -------
        Simulation
            Figures for each candidate.
        """
        places = np.unique(index)
        where = np.searchsorted(places, index)
        kept = [found[int(i)] for i in places]
        totals = np.array([done.totals for done in kept]).reshape(len(kept), parameters.N_TOTALS)
        percentiles = self._percentiles_ms(places, kept)[:, where]
        minutes = np.array([self._steps_s[i] for i in places])[where] / SECONDS_PER_MINUTE
        column = totals[where].T
        by_provider: dict[str, NDArray[np.float64]] = {}
        if keep_hours:
            in_all, on_spot = (
                np.array([getattr(done, name) for done in kept])[where]
                for name in ("billed_s_by_hour", "spot_billed_s_by_hour")
            )
            by_provider = {FARGATE: in_all - on_spot, FARGATE_SPOT: on_spot}
        return Simulation(
            specs=tuple(specs),
            period_hours=self.workload.load.period_hours,
            billed_task_hours=column[parameters.BILLED_TASK_S] / SECONDS_PER_HOUR,
            spot_billed_task_hours=column[parameters.SPOT_BILLED_TASK_S] / SECONDS_PER_HOUR,
            running_task_hours=column[parameters.RUNNING_TASK_S] / SECONDS_PER_HOUR,
            launched=column[parameters.LAUNCHED],
            removed=column[parameters.REMOVED],
            replaced=column[parameters.REPLACED] + column[parameters.INTERRUPTIONS],
            minutes_over_capacity=column[parameters.STEPS_OVER_CAPACITY] * minutes,
            minutes_over_promise=column[parameters.SLOW_STEPS] * minutes,
            unserved_requests=column[parameters.REFUSED_REQUESTS],
            peak_desired_count=column[parameters.PEAK_DESIRED_COUNT],
            peak_utilization=column[parameters.PEAK_UTILIZATION],
            peak_queued_requests=column[parameters.PEAK_QUEUE],
            spot_interruptions=column[parameters.INTERRUPTIONS],
            stuck_deployments=column[parameters.STUCK_DEPLOYMENTS],
            p50_latency_ms=percentiles[0],
            p95_latency_ms=percentiles[1],
            p99_latency_ms=percentiles[2],
            series={i: _series(self.course(int(index[i])), specs[i]) for i in keep_series},
            billed_task_s_by_hour=by_provider,
            load_fingerprint=self.workload.load.fingerprint(),
        )

    @property
    def nothing_waits(self) -> bool:
        """True if what finds no capacity is refused at once."""
        return not (self.application.queue_per_task > 0 and self.application.queue_timeout_s > 0)

    def _percentiles_ms(self, places: NDArray[np.int64], kept: Sequence[Figures]) -> NDArray[np.float64]:
        """Response times of all requests of the period, shape (3, n_courses). [ms]"""
        by_utilization = np.array([done.utilization_histogram for done in kept])
        by_wait = np.array([done.wait_histogram for done in kept])
        if kept and self.nothing_waits:
            # What meets a step over capacity does not count as answered in time.
            by_wait = np.concatenate([np.zeros_like(by_wait[:, :-1]), by_wait.sum(axis=1, keepdims=True)], axis=1)
        found = np.zeros((len(SHARES), len(kept)))
        groups: dict[TaskQueue, list[int]] = {}
        for n, i in enumerate(places):
            groups.setdefault(self.queue(int(i))[0], []).append(n)
        for queue, members in groups.items():
            answered = latency.period_percentiles_s(
                by_utilization[members], by_wait[members], SHARES, *as_a_queue(queue, self.workload)
            )
            found[:, members] = np.where(answered > 0, MS_PER_S * (answered + queue.added_s), 0.0)
        return found


def _warm_up_s(dynamics: Dynamics, period_s: int) -> int:
    """Length of a candidate's warm-up; one that never scales in remembers the peak of the whole period. [s]"""
    return max(min(period_s, MAX_WARM_UP_S) if dynamics.scales_in else period_s, MIN_WARM_UP_S)


def as_a_queue(queue: TaskQueue, workload: Workload) -> tuple[int, float, float, float]:
    """Say what the queueing formulas take: servers, service time and the two coefficients of variation.

    Parameters
    ----------
    queue : TaskQueue
        How a task works off its requests.
    workload : Workload
        What one request asks for.

    Returns
    -------
    tuple of (int, float, float, float)
        Servers, service time and the two coefficients of variation. [1, s, 1, 1]
    """
    return queue.servers, queue.service_s, workload.arrival_cv, queue.service_time_cv


def _slow_utilization(queue: TaskQueue, workload: Workload, p95_latency_ms: float | None) -> float:
    """Utilization of a task up to which a promised p95 latency holds."""
    if p95_latency_ms is None:
        return math.inf
    time_s = p95_latency_ms / MS_PER_S - queue.added_s
    return latency.utilization_within(time_s, 0.95, *as_a_queue(queue, workload))


def _series(course: _Course, spec: ServiceSpec) -> Series:
    """Turn the loop's series into those that people read."""
    values, setting, inputs, queue = course.series, course.setting, course.inputs, course.queue
    assert values is not None
    step_s = setting.step_s
    work = setting.workload
    running_s = np.where(values.running_s > 0, values.running_s, np.nan)
    before = np.concatenate([[0.0], values.queue[:-1]])
    in_flight_s = values.served * inputs.residence_s + step_s * (before + values.queue) / 2
    memory_mib = work.baseline_memory_mib + in_flight_s / running_s * work.memory_mib_per_request
    cpu = 100 * values.served * inputs.cpu_s_per_request / (running_s * inputs.task_vcpu)
    capacity_per_s = values.healthy_s / step_s * inputs.task_requests_per_s
    shortest, longest = np.minimum(before, values.queue), np.maximum(before, values.queue)
    arrivals = setting.period_requests_per_s * step_s
    percentiles = []
    for share in SHARES:
        # Those that come as the queue grows, or go as it shrinks, wait evenly between its two lengths.
        waiting = shortest + share * (longest - shortest)
        with np.errstate(divide="ignore", invalid="ignore"):
            waits_s = np.where(waiting > 0, waiting / capacity_per_s, 0.0)
        answered = latency.step_percentiles_s(values.utilization, share, *as_a_queue(queue, work), waits_s)
        refused = values.refused > (1 - share) * arrivals
        percentiles.append(MS_PER_S * (np.where(refused, np.inf, answered) + queue.added_s))
    first = setting.warm_up
    # Where the period repeats, its last step came before its first.
    moved = setting.repeats and values.moved_by[0] != parameters.NOBODY
    before_first = int(values.desired_count[-1]) if moved else None
    return Series(
        requests_per_s=setting.period_requests_per_s,
        desired_count=values.desired_count,
        running_count=values.running_s / step_s,
        pending_count=values.pending_s / step_s,
        healthy_count=values.healthy_s / step_s,
        draining_count=values.draining_s / step_s,
        billed_count=values.billed_s / step_s,
        spot_billed_count=values.spot_billed_s / step_s,
        served_requests=values.served,
        refused_requests=values.refused,
        queued_requests=values.queue,
        utilization=values.utilization,
        cpu_utilization_percent=np.minimum(cpu, 100.0).round(6),
        memory_utilization_percent=np.minimum(100 * memory_mib / spec.task_size.memory_mib, 100.0).round(6),
        p50_latency_ms=percentiles[0],
        p95_latency_ms=percentiles[1],
        p99_latency_ms=percentiles[2],
        datapoints=values.datapoints,
        activities=scaling_activities(
            values.desired_count,
            values.running_s / step_s,
            values.moved_by,
            course.dynamics.watching,
            [policy.lag_s % step_s for policy in inputs.policies],
            [(step - first, low, high, floor) for step, low, high, floor in inputs.bounds],
            step_s,
            before_first,
        ),
        step_s=step_s,
    )
