"""Deployments, the loss of a zone and interruptions: what they add to the sums of the coming steps (rules 23, 24, 26)."""

import math

from estimator.simulation import parameters as at
from estimator.simulation.parameters import Given, Scratch
from estimator.simulation.tasks import after_shortage, change, change_between


def deploy(
    t: int,
    kind: int,
    minimum_percent: float,
    maximum_percent: float,
    shift_s: int,
    bake_s: int,
    given: Given,
    scratch: Scratch,
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
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change; told the waves of a rolling one.

    Returns
    -------
    bool
        False if it is stuck.
    """
    whole = given.whole
    state = scratch.state
    step_s = whole[at.STEP_S]
    ready = whole[at.RUNNING_AFTER_S] + whole[at.LONGEST_WAIT_S]
    drain_s = whole[at.DRAIN_S]
    count = state[at.COUNT]
    if kind == at.ROLLING:
        up = math.floor(count * maximum_percent / 100.0 + 1e-9) - count
        down = count - math.ceil(count * minimum_percent / 100.0 - 1e-9)
        size = up + down
        if size < 1:
            return False
        waves = (count + size - 1) // size
        state[at.DEPLOYMENT_END] = t + waves * (ready + drain_s)
        state[at.WAVE_AT] = t
        state[at.WAVE_SIZE] = size
        state[at.WAVE_STOPPED] = down
        state[at.WAVE_LEFT] = count
        return True
    end = t + ready + shift_s + bake_s
    change_between(scratch, step_s, at.BILLED, t + whole[at.UNBILLED_S], end + drain_s, count)
    change_between(scratch, step_s, at.RUNNING, t + whole[at.RUNNING_AFTER_S], end, count)
    change_between(scratch, step_s, at.DRAINING, end, end + drain_s, count)
    state[at.DEPLOYMENT_END] = end + drain_s
    return True


def replace_wave(given: Given, scratch: Scratch) -> None:
    """Replace the tasks of the next wave of a rolling deployment.

    Parameters
    ----------
    given : Given
        Parameters.
    scratch : Scratch
        Tells the wave; what the tasks change.
    """
    whole = given.whole
    state = scratch.state
    step_s = whole[at.STEP_S]
    drain_s = whole[at.DRAIN_S]
    ready = whole[at.RUNNING_AFTER_S] + whole[at.LONGEST_WAIT_S]
    u = state[at.WAVE_AT]
    replaced = min(state[at.WAVE_SIZE], state[at.WAVE_LEFT])
    stopped = min(state[at.WAVE_STOPPED], replaced)
    beside = replaced - stopped
    change_between(scratch, step_s, at.BILLED, u + whole[at.UNBILLED_S], u + ready + drain_s, beside)
    # One after the other: billed twice, or not at all in between.
    change(scratch, step_s, at.BILLED, u + whole[at.UNBILLED_S], stopped)
    change(scratch, step_s, at.BILLED, u + drain_s, -stopped)
    change_between(scratch, step_s, at.RUNNING, u + whole[at.RUNNING_AFTER_S], u + ready, beside)
    change_between(scratch, step_s, at.RUNNING, u, u + whole[at.RUNNING_AFTER_S], -stopped)
    change_between(scratch, step_s, at.HEALTHY, u, u + ready, -stopped)
    change_between(scratch, step_s, at.DRAINING, u, u + drain_s, stopped)
    change_between(scratch, step_s, at.DRAINING, u + ready, u + ready + drain_s, beside)
    state[at.WAVE_LEFT] -= replaced
    state[at.WAVE_AT] = u + ready + drain_s


def lose_zone(t: int, given: Given, scratch: Scratch) -> None:
    """Lose the tasks of one zone and replace them in the others.

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.
    """
    whole = given.whole
    step_s = whole[at.STEP_S]
    lost = math.ceil(scratch.state[at.COUNT] / whole[at.ZONES] - 1e-9)
    back = t + whole[at.ZONE_DETECTION_S]
    ready = whole[at.RUNNING_AFTER_S] + whole[at.LONGEST_WAIT_S]
    scratch.state[at.LOST] = lost
    scratch.state[at.LOST_UNTIL] = back + whole[at.RUNNING_AFTER_S]
    change_between(scratch, step_s, at.BILLED, t, back + whole[at.UNBILLED_S], -lost)
    change_between(scratch, step_s, at.RUNNING, t, back + whole[at.RUNNING_AFTER_S], -lost)
    change_between(scratch, step_s, at.HEALTHY, t, back + ready, -lost)


def interrupt(t: int, given: Given, scratch: Scratch) -> None:
    """Interrupt one task of Fargate Spot and replace it.

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.
    """
    whole = given.whole
    state = scratch.state
    step_s = whole[at.STEP_S]
    s = min(after_shortage(t, given, scratch), whole[at.END_S])
    ended = t + whole[at.SPOT_WARNING_S]
    running_at = s + whole[at.RUNNING_AFTER_S]
    healthy_at = running_at + given.ready_wait_s[state[at.LAUNCHES] % len(given.ready_wait_s)]
    state[at.LAUNCHES] += 1
    # Billed twice, or not at all in between.
    change(scratch, step_s, at.BILLED, s + whole[at.UNBILLED_S], 1)
    change(scratch, step_s, at.BILLED, ended, -1)
    change_between(scratch, step_s, at.RUNNING, t, running_at, -1)
    change_between(scratch, step_s, at.HEALTHY, t, healthy_at, -1)
    change_between(scratch, step_s, at.PENDING, t, running_at, 1)
    change_between(scratch, step_s, at.DRAINING, t, ended, 1)
