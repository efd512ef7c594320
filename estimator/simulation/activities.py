"""Scaling activities: what moved the desired count, in the words of the AWS console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.service.policies import StepScalingPolicy, TargetTrackingScalingPolicy
from estimator.simulation.parameters import MOVED_BY_BOUNDS, NOBODY

_FULFILLED = "Change successfully fulfilled by ecs."
_WAITING = "Waiting for change to be fulfilled by ecs."


@dataclass(frozen=True, slots=True)
class ScalingActivity:
    """One change of the desired count, as ``describe-scaling-activities`` tells it.

    Parameters
    ----------
    time_s : int
        When, from the start of the period. [s]
    description : str
        What was done.
    cause : str
        Why.
    desired_count_before, desired_count : int
        The desired count before and after. [tasks]
    status_message : str
        How it ended.
    """

    time_s: int
    description: str
    cause: str
    desired_count_before: int
    desired_count: int
    status_message: str


def scaling_activities(
    desired_count: NDArray[np.int64],
    running_count: NDArray[np.float64],
    moved_by: NDArray[np.int64],
    policies: Sequence[TargetTrackingScalingPolicy | StepScalingPolicy],
    decided_after_s: Sequence[int],
    bounds: Sequence[tuple[int, int, int, int]],
    step_s: int,
    first_count: int | None = None,
) -> tuple[ScalingActivity, ...]:
    """List what moved the desired count; changes inside one step are told as one.

    Parameters
    ----------
    desired_count : numpy.ndarray, shape (n_steps,)
        Desired count after each step's decisions. [tasks]
    running_count : numpy.ndarray, shape (n_steps,)
        Running tasks, on average over each step. [tasks]
    moved_by : numpy.ndarray, shape (n_steps,)
        The policy that moved it last; -1 for none, -2 for bounds.
    policies : sequence of policies
        Those that watch a metric, in their order.
    decided_after_s : sequence of int
        For each of them, how far inside a step it decides. [s]
    bounds : sequence of (int, int, int, int)
        Step, lower, upper bound, and floor of predictive scaling, from the first step of ``desired_count`` on.
    step_s : int
        Length of a step. [s]
    first_count : int, optional
        Desired count before the first step; that of the first step by default. [tasks]

    Returns
    -------
    tuple of ScalingActivity
        In the order of time.

    References
    ----------
    .. [1] AWS, "Scaling activities for Application Auto Scaling": description, cause and status message; read 2026.
    """
    start = desired_count[0] if first_count is None else first_count
    before = np.concatenate([[start], desired_count[:-1]])
    found = []
    changes = np.flatnonzero(desired_count != before).tolist()
    for k, end in zip(changes, [*changes, desired_count.size][1:], strict=True):
        was, now, by = int(before[k]), int(desired_count[k]), int(moved_by[k])
        after_s = decided_after_s[by] if by >= 0 else 0
        # The next change may follow in the step that still brings the last of the tasks.
        reached = running_count[k : end + 1]
        fulfilled = bool((reached >= now - 1e-9).any() if now > was else (reached <= now + 1e-9).any())
        found.append(
            ScalingActivity(
                time_s=k * step_s + after_s,
                description=f"Setting desired count to {now}.",
                cause=_cause(k, was, now, by, policies, bounds),
                desired_count_before=was,
                desired_count=now,
                status_message=f"Successfully set desired count to {now}. {_FULFILLED if fulfilled else _WAITING}",
            )
        )
    return tuple(found)


def _cause(
    k: int,
    was: int,
    now: int,
    by: int,
    policies: Sequence[TargetTrackingScalingPolicy | StepScalingPolicy],
    bounds: Sequence[tuple[int, int, int, int]],
) -> str:
    if by == MOVED_BY_BOUNDS:
        _, low, high, floor = max((bound for bound in bounds if bound[0] <= k), key=lambda bound: bound[0])
        if now < was:
            return f"maximum capacity was set to {high}"
        if floor > low and now == min(floor, high):
            # A floor ends at the maximum: the forecast may ask for more.
            return f"predictive scaling forecast a need of {floor} tasks{' or more' if floor == high else ''}"
        return f"minimum capacity was set to {low}"
    if by == NOBODY:
        return "the desired count moved before the period began"
    policy = policies[by]
    if isinstance(policy, StepScalingPolicy):
        return f"monitor alarm on {policy.metric_name} in state ALARM triggered policy {policy.describe()}"
    alarm = "AlarmHigh" if now > was else "AlarmLow"
    return f"monitor alarm TargetTracking-{alarm} ({policy.predefined_metric_type}) in state ALARM triggered policy {policy.describe()}"
