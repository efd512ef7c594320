"""Deployments and the loss of a zone: what they add to the sums of the coming steps (rules 23, 24)."""

import math
from typing import Any

from estimator.simulation.parameters import (
    BILLED,
    DEPLOYMENT_END,
    DRAIN_S,
    HEALTHY,
    LONGEST_WAIT_S,
    ROLLING,
    RUNNING,
    RUNNING_AFTER_S,
    STEP_S,
    UNBILLED_S,
    WAVE_AT,
    WAVE_LEFT,
    WAVE_SIZE,
    WAVE_STOPPED,
    ZONE_DETECTION_S,
    ZONES,
)
from estimator.simulation.tasks import change


def change_between(ring: Any, step_s: int, which: int, begin: int, end: int, n: int) -> None:
    """Let a sum have n tasks more between two seconds; nothing if the second is not later.

    Parameters
    ----------
    ring : sequence of int
        Changes of the sums.
    step_s : int
        Length of a step. [s]
    which : int
        The sum.
    begin, end : int
        The interval. [s]
    n : int
        Tasks; negative for fewer. [tasks]
    """
    if end > begin:
        change(ring, step_s, which, begin, n)
        change(ring, step_s, which, end, -n)


def deploy(
    t: int,
    kind: int,
    minimum_percent: float,
    maximum_percent: float,
    shift_s: int,
    bake_s: int,
    count: int,
    whole: Any,
    ring: Any,
    state: Any,
) -> bool:
    """Begin a deployment.

    Parameters
    ----------
    t : int
        The second. [s]
    kind : int
        Rolling, or with the traffic shifted between two revisions.
    minimum_percent, maximum_percent : float
        Of the tasks, healthy and running in a rolling one. [%]
    shift_s, bake_s : int
        Of a shifted one. [s]
    count : int
        Tasks. [tasks]
    whole : sequence of int
        Parameters.
    ring : sequence of int
        Changes of the sums.
    state : sequence of int
        What moves only when something happens.

    Returns
    -------
    bool
        False if it is stuck.
    """
    step_s = whole[STEP_S]
    ready = whole[RUNNING_AFTER_S] + whole[LONGEST_WAIT_S]
    drain_s = whole[DRAIN_S]
    if kind == ROLLING:
        up = math.floor(count * maximum_percent / 100.0 + 1e-9) - count
        down = count - math.ceil(count * minimum_percent / 100.0 - 1e-9)
        size = up + down
        if size < 1:
            return False
        waves = (count + size - 1) // size
        state[DEPLOYMENT_END] = t + waves * (ready + drain_s)
        state[WAVE_AT] = t
        state[WAVE_SIZE] = size
        state[WAVE_STOPPED] = down
        state[WAVE_LEFT] = count
        return True
    end = t + ready + shift_s + bake_s
    change_between(ring, step_s, BILLED, t + whole[UNBILLED_S], end + drain_s, count)
    change_between(ring, step_s, RUNNING, t + whole[RUNNING_AFTER_S], end, count)
    state[DEPLOYMENT_END] = end + drain_s
    return True


def replace_wave(whole: Any, ring: Any, state: Any) -> None:
    """Replace the tasks of the next wave of a rolling deployment.

    Parameters
    ----------
    whole : sequence of int
        Parameters.
    ring : sequence of int
        Changes of the sums.
    state : sequence of int
        What moves only when something happens; tells the wave.
    """
    step_s = whole[STEP_S]
    drain_s = whole[DRAIN_S]
    ready = whole[RUNNING_AFTER_S] + whole[LONGEST_WAIT_S]
    u = state[WAVE_AT]
    replaced = min(state[WAVE_SIZE], state[WAVE_LEFT])
    stopped = min(state[WAVE_STOPPED], replaced)
    beside = replaced - stopped
    change_between(ring, step_s, BILLED, u + whole[UNBILLED_S], u + ready + drain_s, beside)
    # One after the other: billed twice, or not at all in between.
    change(ring, step_s, BILLED, u + whole[UNBILLED_S], stopped)
    change(ring, step_s, BILLED, u + drain_s, -stopped)
    change_between(ring, step_s, RUNNING, u + whole[RUNNING_AFTER_S], u + ready, beside)
    change_between(ring, step_s, RUNNING, u, u + whole[RUNNING_AFTER_S], -stopped)
    change_between(ring, step_s, HEALTHY, u, u + ready, -stopped)
    state[WAVE_LEFT] -= replaced
    state[WAVE_AT] = u + ready + drain_s


def lose_zone(t: int, count: int, whole: Any, ring: Any) -> None:
    """Lose the tasks of one zone and replace them in the others.

    Parameters
    ----------
    t : int
        The second. [s]
    count : int
        Tasks. [tasks]
    whole : sequence of int
        Parameters.
    ring : sequence of int
        Changes of the sums.
    """
    step_s = whole[STEP_S]
    lost = math.ceil(count / whole[ZONES] - 1e-9)
    back = t + whole[ZONE_DETECTION_S]
    ready = whole[RUNNING_AFTER_S] + whole[LONGEST_WAIT_S]
    change_between(ring, step_s, BILLED, t, back + whole[UNBILLED_S], -lost)
    change_between(ring, step_s, RUNNING, t, back + whole[RUNNING_AFTER_S], -lost)
    change_between(ring, step_s, HEALTHY, t, back + ready, -lost)
