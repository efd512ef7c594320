"""Lively scenarios for the reference and the kernel: every feature of docs/simulation.md, alone and together.

`scenarios()` draws a service of a handful of tasks under a load of pieces (level, rising, falling, noisy, spikes far over
its capacity, none at all), policies that fit this load, and everything that can happen to a service.

Hypothesis draws three things: how many steps, which features are switched on, and a seed for all the rest. A failing
scenario thus shrinks to the fewest features and steps that still fail, and of 250 scenarios no two have the same load
or the same policies. (Drawn value by value, most of them are recombinations of a few: 118 different loads in 250.)

What is drawn obeys the ranges of the specification: bounds with low <= high, periods that are multiples of the step, at
most eight policies, Spot shortages that begin at steps and do not touch, rising thresholds, at most one event of a kind
in a step.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from tests.simulation.reference import ReferenceInputs, ReferencePolicy

FEATURES = (
    *("several policies", "start times", "queue", "launch rate", "quota"),
    *("spot", "bounds", "deployments", "zone losses"),
)
NO_LIMIT = 2**40  # of max_tasks

T = TypeVar("T")


@st.composite
def scenarios(draw: st.DrawFn) -> ReferenceInputs:
    """One scenario of 60 to 400 steps."""
    n_steps = draw(st.sampled_from([60, 100, 150, 150, 240, 400]))
    switches = draw(st.sampled_from(range(2 ** len(FEATURES))))
    seed = draw(st.integers(0, 2**64 - 1))
    return scenario(n_steps, {name for i, name in enumerate(FEATURES) if switches >> i & 1}, seed)


class Draws:
    """What is drawn from one seed for one purpose: switching a feature off changes nothing that others draw."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.rng = np.random.default_rng([seed, *purpose.encode()])

    def one(self, values: Sequence[T]) -> T:
        return values[int(self.rng.integers(len(values)))]

    def whole(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def real(self, least: float, most: float) -> float:
        return float(self.rng.uniform(least, most))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def steps(self, n_steps: int, at_most: int) -> list[int]:
        """Different steps, in order."""
        return sorted({self.whole(0, n_steps - 1) for _ in range(self.whole(1, at_most))})


def scenario(n_steps: int, features: set[str], seed: int) -> ReferenceInputs:
    """The scenario of these features and this seed."""
    d = Draws(seed, "service")
    step_s = d.one([60, 20])
    low, high = d.one([(2, 20), (1, 8), (1, 40), (3, 60), (5, 12), (4, 4), (10, 30), (0, 6)])
    task_vcpu = d.one([1.0, 0.25, 0.5, 2.0])
    task_requests_per_s = d.one([10.0, 3.0, 25.0, 7.3])
    task_memory_mib = d.one([2048.0, 512.0])
    residence_s = d.one([0.1, 0.02, 1.5])
    # A task that is full uses this part of its CPU, and this part of its memory on top of the baseline.
    full_cpu = d.one([1.0, 0.9, 0.7, 1.2])
    full_memory = d.one([0.5, 0.2, 0.9])
    lively = d.chance(0.85)  # alarms of few datapoints, short lags and cooldowns
    values: dict[str, Any] = {
        "requests_per_s": tuple(_load(Draws(seed, "load"), n_steps, low, high, task_requests_per_s)),
        "record_from": d.one([0, 0, d.whole(0, n_steps - 1)]),
        "step_s": step_s,
        "cpu_s_per_request": full_cpu * task_vcpu / task_requests_per_s,
        "task_vcpu": task_vcpu,
        "task_memory_mib": task_memory_mib,
        "task_requests_per_s": task_requests_per_s,
        "baseline_memory_mib": task_memory_mib * d.one([0.1, 0.25, 0.0, 0.4]),
        "memory_mib_per_request": full_memory * task_memory_mib / (task_requests_per_s * residence_s),
        "residence_s": residence_s,
        "queue_per_task": 0.0,
        "queue_timeout_s": 0.0,
        "slow_utilization": d.one([0.8, 0.5, 0.95, math.inf]),
        "min_capacity": low,
        "max_capacity": high,
        "max_tasks": NO_LIMIT,
        "unbilled_s": 0,
        "running_after_s": 0,
        "ready_wait_s": (0,),
        "drain_s": d.one([0, 20, 7, 35, 60, 330]),
        "minimum_billed_s": d.one([60, 0, 300]),
        "launch_burst": 1,
        "launch_per_s": 0.0,
        "spot_base": 0,
        "spot_share": 0.0,
        "spot_interruptions_per_task_hour": 0.0,
        "spot_warning_s": 120,
        "shortages": (),
        "thresholds": (),
        "zones": d.one([3, 2, 1]),
        "zone_detection_s": d.one([60, 0, 45, 200]),
        "zone_losses": (),
        "bounds": (),
        "deployments": (),
        "scale_in_step_percent": d.one([10.0, 0.0, 33.3, 50.0, 100.0]),
        "alarm_reinvocation": d.chance(0.7),
        "mean_of_datapoints": d.chance(0.5),
        "zero_requests_reported": d.chance(0.5),
    }
    p = Draws(seed, "policies")
    if "several policies" in features:
        policies = []
        for _ in range(p.one([2, 2, 3, 1, 4])):
            policies += _group_of_policies(p, step_s, low, high, task_requests_per_s, lively)
    else:
        metric = p.one(["cpu", "cpu", "cpu", "requests", "memory"])
        period_s = p.one([60, 20]) if step_s == 20 else 60
        policies = [ReferencePolicy(**_tracking(p, metric, period_s, task_requests_per_s, lively))]
    values["policies"] = tuple(policies)
    if "start times" in features:
        d = Draws(seed, "start times")
        # Half of the services are ready at whole multiples of 20 s: in the very second of a decision.
        grid = d.one([1, 20])
        values["unbilled_s"] = d.one([10, 0, 25, 70]) // grid * grid
        values["running_after_s"] = values["unbilled_s"] + d.one([13, 20, 0, 45, 150, 400]) // grid * grid
        values["ready_wait_s"] = tuple(d.whole(0, 120) // grid * grid for _ in range(d.whole(1, 7)))
    if "queue" in features:
        d = Draws(seed, "queue")
        values["queue_per_task"], values["queue_timeout_s"] = d.one(
            [
                *[(3.0, 30.0), (50.0, 300.0), (12.5, 10.0), (2000.0, 30.0), (2000.0, 1.0), (50.0, 10.0)],
                *[(2000.0, 300.0), (1e6, 2000.0), (1e6, 1e5)],  # the last two: waits of minutes and of hours
            ]
        )
    if "launch rate" in features:
        d = Draws(seed, "launch rate")
        values["launch_burst"] = d.one([1, 3, 10, 100])
        values["launch_per_s"] = d.one([20.0, 0.3, 1 / 7, 0.04, 0.01])
    if "quota" in features:
        quotas = [low + 1, low + (high - low) // 2, low, low + 3]
        # The last two leave a deployment the more room the fewer tasks there are.
        values["max_tasks"] = Draws(seed, "quota").one([*quotas, 2 * low + 1, high + high // 2])
    if "spot" in features:
        values |= _spot(Draws(seed, "spot"), n_steps, step_s)
    if "bounds" in features:
        values["bounds"] = _bounds(Draws(seed, "bounds"), n_steps, low, high)
    if "deployments" in features:
        values["deployments"] = _deployments(Draws(seed, "deployments"), n_steps)
    if "zone losses" in features:
        values["zone_losses"] = _zone_losses(Draws(seed, "zone losses"), n_steps)
    return ReferenceInputs(**values)


# --- Load -------------------------------------------------------------------------------------------------------------


def _load(d: Draws, n_steps: int, low: int, high: int, task_requests_per_s: float) -> list[float]:
    """Requests per second by step. Heights are in full tasks, from none to a multiple of what the service can have."""
    per_task = task_requests_per_s * d.one([0.5, 0.33, 0.6, 1.0])
    load: list[float] = []
    last = low * per_task / 2
    while len(load) < n_steps:
        length = d.whole(4, 45)
        heights = [high / 2, high / 4, low / 2, low / 8, 0.0, high, d.real(0, high), d.real(0, low)]
        goal = d.one([*(height * per_task for height in heights), low * task_requests_per_s])  # the last: full at `low`
        shape = d.one(["level", "level", "ramp", "noise", "noise", "spike", "gaps"])
        if shape == "level":
            load += [goal] * length
        elif shape == "ramp":
            load += [max(0.0, last + (goal - last) * (i + 1) / length) for i in range(length)]
        elif shape == "noise":
            load += [goal * d.real(0.4, 1.6) for _ in range(length)]
        elif shape == "spike":
            load += [goal] * (length - length // 3)
            load += [high * task_requests_per_s * d.real(0.8, 3.0)] * (length // 3)
        else:
            load += [goal if d.chance(0.6) else 0.0 for _ in range(length)]
        last = goal
    return load[:n_steps]


# --- Policies ---------------------------------------------------------------------------------------------------------


def _tracking(d: Draws, metric: str, period_s: int, task_requests_per_s: float, lively: bool) -> dict[str, Any]:
    """The fields of a policy of target tracking."""
    if metric == "requests":
        value = task_requests_per_s * period_s * d.one([0.5, 0.7, 0.25, 1.0])
    else:
        value = d.one({"cpu": [50.0, 30.0, 60.0, 40.0, 75.0, 100.0], "memory": [40.0, 50.0, 62.5, 80.0]}[metric])
    cooldowns = [0, 60, 20, 90, 300] if lively else [300, 60, 1200]
    return {
        "kind": "target_tracking",
        "metric": metric,
        "period_s": period_s,
        "lag_s": d.one([0, 20, 15, 60, 75, 40] if lively else [150, 15, 200, 390]),
        "target_value": value,
        "disable_scale_in": d.chance(0.2),
        "scale_out_datapoints": d.one([1, 2, 3] if lively else [3, 5, 30]),
        "scale_in_datapoints": d.one([1, 2, 5, 3] if lively else [15, 10, 60]),
        "low_factor": d.one([0.9, 1.0, 0.7]),
        "scale_out_cooldown_s": d.one(cooldowns),
        "scale_in_cooldown_s": d.one(cooldowns),
        "threshold": 0.0,
        "direction": "up",
        "datapoints_to_alarm": 1,
        "evaluation_periods": 1,
        "steps": (),
        "adjustment_type": "ChangeInCapacity",
        "min_adjustment_magnitude": 0,
    }


def _group_of_policies(
    d: Draws, step_s: int, low: int, high: int, task_requests_per_s: float, lively: bool
) -> list[ReferencePolicy]:
    """One of target tracking, or of step scaling: one up and one down, or one on its own."""
    metric = d.one(["cpu", "requests", "memory"])
    period_s = d.one([60, 20]) if step_s == 20 else 60
    values = _tracking(d, metric, period_s, task_requests_per_s, lively)
    directions: tuple[str, ...] = d.one([(), (), (), (), ("up", "down"), ("up", "down"), ("up",), ("down",)])
    if not directions:
        return [ReferencePolicy(**values)]
    values["kind"] = "step"
    return [
        ReferencePolicy(**{**values, **_step_scaling(d, values["target_value"], direction, low, high)})
        for direction in directions
    ]


def _step_scaling(d: Draws, value: float, direction: str, low: int, high: int) -> dict[str, Any]:
    """The fields of a policy of step scaling that differ from those of target tracking."""
    evaluation_periods = d.one([1, 1, 2, 3, 5, 10, 60])
    adjustment_type = d.one(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"])
    # Distances from the threshold, inward to outward; a full service hits some of them exactly.
    widths = sorted({d.one([0.1, 0.2, 0.4, 1 / 3, 0.05]) for _ in range(d.whole(0, 3))})
    edges = [0.0, *(value * width for width in widths)]
    if d.chance(0.3):
        edges[0] = -value * 0.2  # reaches over the threshold, to the other side
    edges.append(d.one([math.inf, math.inf, math.inf, value * 0.6]))
    if direction == "up":
        steps = [(edges[i], edges[i + 1]) for i in range(len(edges) - 1)]
    else:
        steps = [(-edges[i + 1], -edges[i]) for i in reversed(range(len(edges) - 1))]
    if len(steps) > 1 and d.chance(0.1):
        del steps[d.whole(0, len(steps) - 1)]  # a gap
    changes = {
        "ChangeInCapacity": [1, 2, 5, 11],
        "PercentChangeInCapacity": [10, 1, 25, 50, 100, 99],
        "ExactCapacity": [0, low, (low + high) // 2, high, high + 3],
    }[adjustment_type]
    adjustments = []
    for lower, upper in steps:
        downward = (direction == "down") != d.chance(0.1)  # now and then the wrong way
        change = d.one(changes)
        adjustments.append((lower, upper, -change if downward and adjustment_type != "ExactCapacity" else change))
    return {
        "threshold": value if direction == "up" else value * d.one([1.0, 0.7, 0.5]),
        "direction": direction,
        "datapoints_to_alarm": d.whole(1, min(evaluation_periods, 10)),
        "evaluation_periods": evaluation_periods,
        "steps": tuple(adjustments),
        "adjustment_type": adjustment_type,
        "min_adjustment_magnitude": d.one([0, 2, 4]),
    }


# --- What happens to a service ----------------------------------------------------------------------------------------


def _bounds(d: Draws, n_steps: int, low: int, high: int) -> tuple[tuple[int, int, int, int], ...]:
    events = []
    for step in d.steps(n_steps, 6):
        new_low = d.one([low, 0, 1, low + 3, high])
        new_high = max(new_low, d.one([high, high, low, (low + high) // 2, high + 5]))
        if d.chance(0.15):
            new_low = new_high = 0  # switched off
        events.append((step, new_low, new_high, d.one([0, 0, low + 2, (low + high) // 2, high + 10])))
    return tuple(events)


def _deployments(d: Draws, n_steps: int) -> tuple[tuple[int, str, float, float, int, int], ...]:
    percents = [
        *[(100.0, 200.0), (50.0, 100.0), (75.0, 125.0), (100.0, 110.0), (100.0, 150.0)],
        *[(50.0, 150.0), (50.0, 200.0), (40.0, 160.0), (0.0, 200.0), (0.0, 100.0), (66.6, 100.0), (100.0, 100.0)],
    ]
    return tuple(
        (
            step,
            d.one(["rolling", "rolling", "shifted"]),
            *d.one(percents),
            *d.one([(0, 120), (300, 60), (540, 600), (0, 0)]),
        )
        for step in d.steps(n_steps, 5)
    )


def _zone_losses(d: Draws, n_steps: int) -> tuple[int, ...]:
    losses = d.steps(n_steps, 3)
    if d.chance(0.3):  # one upon the other: more is lost than is there
        losses = [step for step in range(losses[0], losses[0] + d.whole(2, 4)) if step < n_steps]
    return tuple(losses)


def _spot(d: Draws, n_steps: int, step_s: int) -> dict[str, Any]:
    shortages: list[tuple[int, int]] = []
    for step in d.steps(n_steps, 5) if d.chance(0.8) else []:
        a = step * step_s
        if shortages and a <= shortages[-1][1] + 1:
            continue  # it would touch the one before
        shortages.append((a, a + d.one([600, 61, 120, 19, 1500, 5000])))
    thresholds, total = [], 0.0
    for _ in range(d.one([60, 60, 3, 0])):
        total += float(d.rng.exponential())
        thresholds.append(total)
    return {
        "spot_base": d.one([0, 1, 2, 3]),
        "spot_share": d.one([0.5, 0.75, 1.0, 1 / 3, 15 / 22]),
        "spot_interruptions_per_task_hour": d.one([10.0, 3.0, 0.5, 0.0, 60.0, 60.0]),  # the last: several at once
        "spot_warning_s": d.one([120, 0, 30]),
        "shortages": tuple(shortages),
        "thresholds": tuple(thresholds),
    }
