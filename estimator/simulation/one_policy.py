"""One CPU target tracking policy whose period is a step: its alarms look in every step, and it decides alone (rules 17 to 21).

Notes
-----
The alarms look when a step ends, and what is to be acted on waits until it is known. They compare CPU time without dividing: a margin of
twice the datapoint's resolution says for sure what a comparison of the rounded datapoint would; inside the margin that is what is done.
"""

import math
from typing import Any, NamedTuple

from estimator.service.scaling import decide_target_tracking
from estimator.simulation import parameters as at
from estimator.simulation.alarms import cpu_percent
from estimator.simulation.features import BOUNDS, DISTURBANCES
from estimator.simulation.parameters import Given, Scratch
from estimator.simulation.tasks import running_tasks, set_desired

#: Twice a datapoint's resolution and more than the rounding of doubles. [%]
MARGIN = 2e-6


class Alarms(NamedTuple):
    """What the policy's two alarms go by.

    Parameters
    ----------
    target, low_threshold : float
        Thresholds of AlarmHigh and AlarmLow. [%]
    high_at, low_at : float
        The same, or infinite: a datapoint is at most 100, never over such a target and always under such a threshold. [%]
    n_out, n_in : int
        Their datapoints. [1]
    again : bool
        True if they act at every datapoint while in ALARM.
    known_after : int
        From a step to the one in which its datapoint is known. [steps]
    """

    target: float
    low_threshold: float
    high_at: float
    low_at: float
    n_out: int
    n_in: int
    again: bool
    known_after: int


def alarms_of(given: Given) -> Alarms:
    """Gather what the alarms go by.

    Parameters
    ----------
    given : Given
        Parameters.

    Returns
    -------
    Alarms
        It.
    """
    target = given.policy_real[at.TARGET]
    low_threshold = given.policy_real[at.LOW_THRESHOLD]
    return Alarms(
        target,
        low_threshold,
        target if target < 100.0 else math.inf,
        low_threshold if low_threshold <= 100.0 else math.inf,
        given.policy_whole[at.SCALE_OUT_DATAPOINTS],
        given.policy_whole[at.SCALE_IN_DATAPOINTS] if given.policy_whole[at.DISABLE_SCALE_IN] == 0 else at.NEVER_S,
        given.whole[at.ALARM_REINVOCATION] != 0,
        1 + given.policy_whole[at.LAG_STEPS],
    )


def lay_aside(
    i: int, work: float, provided: float, is_high: bool, known_after: int, given: Given, scratch: Scratch
) -> bool:
    """Let a datapoint wait that is to be acted on as soon as it is known, unless nothing can come of it.

    Parameters
    ----------
    i : int
        The step that it is of.
    work, provided : float
        A hundred times the CPU time that was used, and that of the running tasks. [% vCPU-s, vCPU-s]
    is_high : bool
        True for AlarmHigh, False for AlarmLow.
    known_after : int
        From the step to the one in which it is known. [steps]
    given : Given
        Parameters.
    scratch : Scratch
        Keeps it.

    Returns
    -------
    bool
        True if it waits.
    """
    state = scratch.state
    if not BOUNDS and i >= state[at.KNOWN_UNTIL]:
        # The desired count is at its bound, and nothing moves it until then.
        if is_high and state[at.DESIRED] >= state[at.HIGH]:
            return False
        if not is_high and state[at.DESIRED] <= state[at.LOW]:
            return False
    if not is_high and i >= state[at.HIGH_KNOWN_UNTIL]:
        # Until it is known nothing cuts the cooldown short.
        t = (i + known_after) * given.whole[at.STEP_S] + given.policy_whole[at.OFFSET_S]
        if t < state[at.SCALE_IN_END]:
            return False
    place = 2 * (i & (state[at.METRIC_PLACES] - 1))
    scratch.metrics[place] = work
    scratch.metrics[place + 1] = provided if is_high else -provided
    state[at.KNOWN_UNTIL] = i + known_after
    if is_high:
        state[at.HIGH_KNOWN_UNTIL] = i + known_after
    return True


def next_decision(k: int, until: int, known_after: int, given: Given, scratch: Scratch) -> int:
    """Find the next step in which a datapoint becomes known that may be acted on; what falls into a cooldown before is forgotten.

    Parameters
    ----------
    k : int
        The step.
    until : int
        Where the search ends.
    known_after : int
        From the step that a datapoint is of to the one in which it is known. [steps]
    given : Given
        Parameters.
    scratch : Scratch
        Keeps the datapoints.

    Returns
    -------
    int
        That step, ``until`` if there is none.
    """
    state = scratch.state
    for j in range(k + 1, min(until, state[at.KNOWN_UNTIL] + 1)):
        place = 2 * ((j - known_after) & (state[at.METRIC_PLACES] - 1)) + 1
        t = j * given.whole[at.STEP_S] + given.policy_whole[at.OFFSET_S]
        if scratch.metrics[place] > 0.0 or (scratch.metrics[place] < 0.0 and t >= state[at.SCALE_IN_END]):
            return j
        scratch.metrics[place] = 0.0
    return until


def decide_alone(k: int, known_after: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Decide by the datapoint that becomes known in a step, if it was laid aside.

    Parameters
    ----------
    k : int
        The step.
    known_after : int
        From the step that a datapoint is of. [steps]
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    state = scratch.state
    place = 2 * ((k - known_after) & (state[at.METRIC_PLACES] - 1))
    provided = scratch.metrics[place + 1]
    if provided == 0.0:
        return
    scratch.metrics[place + 1] = 0.0
    t = k * given.whole[at.STEP_S] + given.policy_whole[at.OFFSET_S]
    is_high = provided > 0.0
    desired = state[at.DESIRED]
    if is_high and desired >= state[at.HIGH]:
        return
    if not is_high and (desired <= state[at.LOW] or t < state[at.SCALE_IN_END]):
        return
    if DISTURBANCES and not is_high and t < state[at.DEPLOYMENT_END]:
        return
    alarms = scratch.alarm_whole
    running = running_tasks(t, scratch)
    base = alarms[at.BASE] if t < alarms[at.SCALE_OUT_END] else running
    want = decide_target_tracking(
        cpu_percent(scratch.metrics[place], abs(provided)), is_high, not is_high, base, running, desired, state[at.LOW], state[at.HIGH],
        given.policy_real[at.TARGET], given.real[at.SCALE_IN_STEP_PERCENT],
    )  # fmt: skip
    if want == desired:
        return
    if is_high:
        alarms[at.BASE] = base
        alarms[at.SCALE_OUT_END] = t + given.policy_whole[at.SCALE_OUT_COOLDOWN_S]
        state[at.SCALE_IN_END] = t
    else:
        alarms[at.SCALE_OUT_END] = min(alarms[at.SCALE_OUT_END], t)
        state[at.SCALE_IN_END] = t + given.policy_whole[at.SCALE_IN_COOLDOWN_S]
    set_desired(want, 0, t, given, scratch, totals)
