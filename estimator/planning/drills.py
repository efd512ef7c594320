"""What a service does when a zone is lost, a crowd comes, or Fargate Spot runs out at its busiest minute: drill_minutes(...)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from estimator.planning.promise import Promise
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.simulation import parameters as at
from estimator.simulation.courses import Courses
from estimator.simulation.outcome import Figures
from estimator.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload


@dataclass(frozen=True, eq=False)
class Situation:
    """What a candidate is drilled in.

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    application : Application
        What is deployed.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens anyway.
    promise : Promise
        How large a crowd, and how long a shortage.
    usual : LoadProfile, optional
        What the load was before, and is forecast from; by default the load itself.
    """

    workload: Workload
    application: Application
    behavior: AwsBehavior
    operations: Operations
    promise: Promise
    usual: LoadProfile | None = None

    @property
    def busiest_h(self) -> float:
        """When the busiest step of the load begins, from the start of the period. [h]"""
        load = self.workload.load
        return int(load.requests_per_s.argmax()) * load.step_s / SECONDS_PER_HOUR


def drill_minutes(spec: ServiceSpec, situation: Situation) -> dict[str, float]:
    """Count the minutes over capacity that each asked-for drill adds.

    Parameters
    ----------
    spec : ServiceSpec
        The candidate.
    situation : Situation
        Load, and what is asked for: a drill whose limit is None is not run.

    Returns
    -------
    dict of str to float
        By the name of the promise's limit. [min]

    Notes
    -----
    Each drill is a simulation of the whole period with one more thing that happens in it; the service reacts to it as it does. Only in the
    shortage of Fargate Spot it does not: its tasks on Spot are lost for all of the time and nothing takes their place, which is the worst that
    AWS says can happen.
    """
    return {
        name: drill(spec, situation) for name, drill in _DRILLS.items() if getattr(situation.promise, name) is not None
    }


def _followed(spec: ServiceSpec, situation: Situation, keep: bool = False) -> tuple[Figures, Courses]:
    courses = Courses(
        situation.workload,
        [spec],
        situation.application,
        situation.behavior,
        situation.operations,
        usual=situation.usual,
    )
    return courses.run(0, keep), courses


def _minutes_over(spec: ServiceSpec, situation: Situation) -> float:
    done, courses = _followed(spec, situation)
    return float(done.totals[at.STEPS_OVER_CAPACITY]) * courses.setting(0).step_s / SECONDS_PER_MINUTE


def _added(spec: ServiceSpec, before: Situation, after: Situation) -> float:
    return max(_minutes_over(spec, after) - _minutes_over(spec, before), 0.0)


def _after_zone_loss(spec: ServiceSpec, situation: Situation) -> float:
    # A zone that is lost anyway is another drill.
    none, one = (replace(situation.operations, zone_losses_h=losses) for losses in ((), (situation.busiest_h,)))
    return _added(spec, replace(situation, operations=none), replace(situation, operations=one))


def _in_flash_crowd(spec: ServiceSpec, situation: Situation) -> float:
    load = situation.workload.load
    if load.step_s > SECONDS_PER_MINUTE:
        load = load.resample(SECONDS_PER_MINUTE)
    rate = load.requests_per_s.copy()
    first = round(situation.busiest_h * SECONDS_PER_HOUR / load.step_s)
    steps = max(1, situation.promise.flash_crowd_minutes * SECONDS_PER_MINUTE // load.step_s)
    rate[(first + np.arange(min(steps, rate.size))) % rate.size] *= situation.promise.flash_crowd_factor
    crowd = LoadProfile(rate, load.step_s, load.name, load.start)
    before = replace(situation, workload=replace(situation.workload, load=load))
    # Nobody knew of the crowd: not the warm-up, nor a forecast.
    after = replace(situation, workload=replace(situation.workload, load=crowd), usual=load)
    return _added(spec, before, after)


def _in_spot_shortage(spec: ServiceSpec, situation: Situation) -> float:
    strategy = spec.capacity_provider_strategy
    if not strategy.uses_spot:
        return 0.0
    done, courses = _followed(spec, situation, keep=True)
    setting = courses.setting(0)
    assert done.series is not None
    healthy_count, load_per_s = done.series.healthy_s / setting.step_s, setting.period_requests_per_s
    first = round(situation.busiest_h * SECONDS_PER_HOUR / setting.step_s)
    steps = max(1, round(situation.promise.spot_shortage_hours * SECONDS_PER_HOUR / setting.step_s))
    window = (first + np.arange(min(steps, healthy_count.size))) % healthy_count.size
    healthy = healthy_count[window]
    above = np.maximum(healthy - strategy.fargate_base, 0.0)
    on_demand = healthy - np.floor(above * strategy.spot_share + 1e-9)
    each = courses.queue(0)[0].requests_per_s
    load = load_per_s[window]
    with_spot, without = load > healthy * each * (1 + 1e-9), load > on_demand * each * (1 + 1e-9)
    return float(np.count_nonzero(without & ~with_spot)) * setting.step_s / SECONDS_PER_MINUTE


_DRILLS: dict[str, Callable[[ServiceSpec, Situation], float]] = {
    "max_minutes_after_zone_loss": _after_zone_loss,
    "max_minutes_in_flash_crowd": _in_flash_crowd,
    "max_minutes_in_spot_shortage": _in_spot_shortage,
}
