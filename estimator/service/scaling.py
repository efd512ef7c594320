"""What scaling policies decide: plain Python over numbers, which the time loop compiles or calls as it is."""

from __future__ import annotations

import math
from typing import Any

#: Datapoints have six decimals; an exact fit must not be rounded up to one task more. [%]
METRIC_RESOLUTION = 1e-6
#: How the time loop knows the kinds of policies, and what an adjustment of step scaling means.
TARGET_TRACKING_CODE, STEP_SCALING_CODE = range(2)
ADJUSTMENT_TYPES = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")
_CHANGE, _PERCENT, _EXACT = range(3)


def decide_target_tracking(
    metric_percent: float,
    wants_out: bool,
    wants_in: bool,
    base_count: int,
    running_count: int,
    desired_count: int,
    min_capacity: int,
    max_capacity: int,
    target_value: float,
    scale_in_step_percent: float,
) -> int:
    """Desired count after one datapoint, by target tracking.

    Proportional to metric over target; rounded up when adding; never below what would lift the metric over the target
    when removing. Rule 20 of ``docs/simulation.md``.

    Parameters
    ----------
    metric_percent : float
        Newest datapoint. [%]
    wants_out, wants_in : bool
        True if AlarmHigh, or AlarmLow outside its cooldown, is in ALARM.
    base_count : int
        Tasks that a scale-out is computed from. [tasks]
    running_count : int
        Tasks running now. [tasks]
    desired_count : int
        Desired count now. [tasks]
    min_capacity, max_capacity : int
        Bounds. [tasks]
    target_value : float
        The target. [%]
    scale_in_step_percent : float
        Largest part of the tasks that one scale-in removes. [%]

    Returns
    -------
    int
        The new desired count; the old one if nothing is to be done. [tasks]

    Examples
    --------
    >>> decide_target_tracking(100.0, True, False, 4, 4, 4, 2, 20, 50.0, 10.0)
    8
    """
    if wants_out:
        want = min(
            max(math.ceil(base_count * (metric_percent - METRIC_RESOLUTION) / target_value), min_capacity), max_capacity
        )
        return max(want, desired_count)
    if wants_in:
        want = math.ceil(running_count * (metric_percent - METRIC_RESOLUTION) / target_value)
        if want < running_count:
            step = max(1, math.floor(running_count * scale_in_step_percent / 100.0 + 1e-9))
            return min(max(want, running_count - step, min_capacity), max_capacity, desired_count)
    return desired_count


def decide_step_scaling(
    metric: float,
    base_count: int,
    running_count: int,
    desired_count: int,
    min_capacity: int,
    max_capacity: int,
    threshold: float,
    upward: bool,
    adjustment_type: int,
    min_adjustment_magnitude: int,
    step_bounds: Any,
    step_changes: Any,
    first_step: int,
    last_step: int,
) -> int:
    """Desired count after one datapoint that is acted on, by step scaling.

    The step in which the metric's distance to the threshold lies says by how much. Rule 20 of ``docs/simulation.md``.

    Parameters
    ----------
    metric : float
        Datapoint. [% or requests]
    base_count : int
        Tasks that an increase is computed from. [tasks]
    running_count : int
        Tasks running now, which a decrease is computed from. [tasks]
    desired_count : int
        Desired count now. [tasks]
    min_capacity, max_capacity : int
        Bounds. [tasks]
    threshold : float
        The alarm's. [% or requests]
    upward : bool
        True if the alarm breaches above its threshold: a step then holds its lower bound, else its upper one.
    adjustment_type : int
        Place in ``ADJUSTMENT_TYPES``.
    min_adjustment_magnitude : int
        Least change in percent. [tasks]
    step_bounds : sequence of float
        Lower and upper bound of each step.
    step_changes : sequence of int
        Adjustment of each step.
    first_step, last_step : int
        The policy's steps: first, and one past the last.

    Returns
    -------
    int
        The new desired count; the old one if no step holds the metric, or an increase would remove tasks or a decrease add some. [tasks]

    Examples
    --------
    >>> decide_step_scaling(75.0, 10, 10, 10, 1, 20, 60.0, True, 1, 0, [0.0, 20.0], [15], 0, 1)
    11
    """
    distance = metric - threshold
    for i in range(first_step, last_step):
        lower = step_bounds[2 * i]
        upper = step_bounds[2 * i + 1]
        holds = lower <= distance < upper if upward else lower < distance <= upper
        if holds:
            change = step_changes[i]
            if adjustment_type == _EXACT:
                return int(min(max(change, min_capacity), max_capacity))
            basis = base_count if change > 0 else running_count
            if adjustment_type == _PERCENT:
                exact = basis * change / 100.0
                if exact >= 1.0:
                    change = math.floor(exact + 1e-9)
                elif exact > 0.0:
                    change = 1
                elif exact == 0.0:
                    change = 0
                elif exact > -1.0:
                    change = -1
                else:
                    change = math.ceil(exact - 1e-9)
                if 0 < change < min_adjustment_magnitude:
                    change = min_adjustment_magnitude
                elif -min_adjustment_magnitude < change < 0:
                    change = -min_adjustment_magnitude
            want = min(max(basis + change, min_capacity), max_capacity)
            # In its own cooldown an increase counts from fewer tasks than there are by now: it must not remove them.
            if change > 0:
                return int(max(want, desired_count))
            return int(min(want, desired_count)) if change < 0 else desired_count
    return desired_count
