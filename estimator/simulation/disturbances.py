"""Deployments, the loss of a zone and interruptions: what they add to the sums of the coming steps (rules 23, 24, 26)."""

import math

from estimator.simulation import parameters as at
from estimator.simulation.features import SPOT
from estimator.simulation.parameters import Given, Scratch
from estimator.simulation.tasks import after_shortage, change, change_between, is_spot, next_wait, place_task, spot

#: What a deployment returns that can replace no task.
STUCK = -1


def deploy(
    t: int,
    kind: int,
    minimum_percent: float,
    maximum_percent: float,
    shift_s: int,
    bake_s: int,
    given: Given,
    scratch: Scratch,
) -> int:
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
    int
        Tasks that are replaced at once, none by a rolling one, which has waves; `STUCK` if none can be. [tasks]
    """
    whole = given.whole
    state = scratch.state
    step_s = whole[at.STEP_S]
    drain_s = whole[at.DRAIN_S]
    count = state[at.COUNT]
    if kind == at.ROLLING:
        most = min(math.floor(count * maximum_percent / 100.0 + 1e-9), whole[at.MAX_TASKS])
        down = count - math.ceil(count * minimum_percent / 100.0 - 1e-9)
        size = max(most - count, 0) + down
        if size < 1:
            return STUCK
        # How long its waves take is drawn wave by wave.
        state[at.DEPLOYMENT_END] = at.NEVER_S
        state[at.WAVE_AT] = t
        state[at.WAVE_SIZE] = size
        state[at.WAVE_STOPPED] = down
        state[at.WAVE_DONE] = 0
        state[at.WAVE_LEFT] = count
        return 0
    if 2 * count > whole[at.MAX_TASKS]:
        return STUCK
    end = t + until_ready(count, given, scratch) + shift_s + bake_s
    change_between(scratch, step_s, at.BILLED, t + whole[at.UNBILLED_S], end + drain_s, count)
    change_between(scratch, step_s, at.RUNNING, t + whole[at.RUNNING_AFTER_S], end, count)
    change_between(scratch, step_s, at.DRAINING, end, end + drain_s, count)
    if SPOT:
        n_spot = spot_between(0, count, given)
        change_between(scratch, step_s, at.SPOT_BILLED, t + whole[at.UNBILLED_S], end + drain_s, n_spot)
    state[at.DEPLOYMENT_END] = end + drain_s
    return int(count)


def until_ready(n: int, given: Given, scratch: Scratch) -> int:
    """Draw how long it takes until tasks that are started together are all healthy.

    Parameters
    ----------
    n : int
        How many. [tasks]
    given : Given
        Parameters.
    scratch : Scratch
        Counts the launches.

    Returns
    -------
    int
        The time. [s]
    """
    longest = 0
    for _ in range(n):
        longest = max(longest, next_wait(given, scratch))
    return int(given.whole[at.RUNNING_AFTER_S] + longest)


def spot_between(low: int, high: int, given: Given) -> int:
    """Count the tasks of Fargate Spot between two places of the stack.

    Parameters
    ----------
    low, high : int
        Tasks below the first, and up to the last. [tasks]
    given : Given
        Parameters.

    Returns
    -------
    int
        Tasks of Fargate Spot. [tasks]
    """
    base = given.whole[at.SPOT_BASE]
    share = given.real[at.SPOT_SHARE]
    return spot(high, base, share) - spot(low, base, share)


def replace_wave(given: Given, scratch: Scratch) -> int:
    """Replace the tasks of the next wave of a rolling deployment.

    Parameters
    ----------
    given : Given
        Parameters.
    scratch : Scratch
        Tells the wave; what the tasks change.

    Returns
    -------
    int
        Tasks that are replaced. [tasks]
    """
    whole = given.whole
    state = scratch.state
    step_s = whole[at.STEP_S]
    drain_s = whole[at.DRAIN_S]
    u = state[at.WAVE_AT]
    replaced = min(state[at.WAVE_SIZE], state[at.WAVE_LEFT])
    stopped = min(state[at.WAVE_STOPPED], replaced)
    beside = replaced - stopped
    ready = until_ready(replaced, given, scratch)
    billed_from = u + whole[at.UNBILLED_S]
    # Those stopped first are billed twice, or not at all in between.
    change_between(scratch, step_s, at.BILLED, billed_from, u + ready + drain_s, beside)
    change(scratch, step_s, at.BILLED, billed_from, stopped)
    change(scratch, step_s, at.BILLED, u + drain_s, -stopped)
    if SPOT:
        done = state[at.WAVE_DONE]
        spot_stopped = spot_between(done, done + stopped, given)
        spot_beside = spot_between(done + stopped, done + replaced, given)
        change_between(scratch, step_s, at.SPOT_BILLED, billed_from, u + ready + drain_s, spot_beside)
        change(scratch, step_s, at.SPOT_BILLED, billed_from, spot_stopped)
        change(scratch, step_s, at.SPOT_BILLED, u + drain_s, -spot_stopped)
    change_between(scratch, step_s, at.RUNNING, u + whole[at.RUNNING_AFTER_S], u + ready, beside)
    change_between(scratch, step_s, at.RUNNING, u, u + whole[at.RUNNING_AFTER_S], -stopped)
    change_between(scratch, step_s, at.HEALTHY, u, u + ready, -stopped)
    change_between(scratch, step_s, at.DRAINING, u, u + drain_s, stopped)
    change_between(scratch, step_s, at.DRAINING, u + ready, u + ready + drain_s, beside)
    state[at.WAVE_DONE] += replaced
    state[at.WAVE_LEFT] -= replaced
    state[at.WAVE_AT] = u + ready + drain_s
    if state[at.WAVE_LEFT] == 0:
        state[at.DEPLOYMENT_END] = state[at.WAVE_AT]
    return int(replaced)


def lose_zone(t: int, given: Given, scratch: Scratch) -> int:
    """Lose the tasks of one zone and replace them in the others.

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.

    Returns
    -------
    int
        Tasks that are lost. [tasks]
    """
    whole = given.whole
    step_s = whole[at.STEP_S]
    count = scratch.state[at.COUNT]
    lost = math.ceil(count / whole[at.ZONES] - 1e-9)
    back = t + whole[at.ZONE_DETECTION_S]
    running_at = back + whole[at.RUNNING_AFTER_S]
    scratch.state[at.LOST] = lost
    scratch.state[at.LOST_UNTIL] = running_at
    change_between(scratch, step_s, at.BILLED, t, back + whole[at.UNBILLED_S], -lost)
    if SPOT and count > 0:
        n_spot = math.floor(lost * spot_between(0, count, given) / count + 1e-9)
        change_between(scratch, step_s, at.SPOT_BILLED, t, back + whole[at.UNBILLED_S], -n_spot)
    change_between(scratch, step_s, at.RUNNING, t, running_at, -lost)
    for _ in range(lost):
        change_between(scratch, step_s, at.HEALTHY, t, running_at + next_wait(given, scratch), -1)
    return int(lost)


def interrupt(t: int, given: Given, scratch: Scratch) -> bool:
    """Interrupt the topmost task of Fargate Spot that runs; its replacement takes its place.

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.

    Returns
    -------
    bool
        False if no such task runs.
    """
    whole = given.whole
    state = scratch.state
    stack = scratch.stack
    step_s = whole[at.STEP_S]
    place = state[at.COUNT] - 1
    while place >= 0 and not (is_spot(place, given) and stack[3 * place + 1] <= t):
        place -= 1
    if place < 0:
        return False
    drained = t + whole[at.SPOT_WARNING_S]
    billed_until = max(drained, stack[3 * place] + whole[at.MINIMUM_BILLED_S])
    change(scratch, step_s, at.BILLED, billed_until, -1)
    change(scratch, step_s, at.SPOT_BILLED, billed_until, -1)
    change(scratch, step_s, at.RUNNING, t, -1)
    change(scratch, step_s, at.SPOT_RUNNING, t, -1)
    change(scratch, step_s, at.HEALTHY, max(t, stack[3 * place + 2]), -1)
    change_between(scratch, step_s, at.DRAINING, t, drained, 1)
    place_task(place, t, after_shortage(t, given, scratch), given, scratch)
    state[at.SETTLED] = min(state[at.SETTLED], place)
    return True
