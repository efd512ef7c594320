"""When something is scheduled: bounds, deployments, losses of a zone, interruptions, and until when nothing is (rules 22 to 26)."""

from typing import Any

from estimator.simulation import parameters as at
from estimator.simulation.disturbances import deploy, interrupt, lose_zone, replace_wave
from estimator.simulation.features import BOUNDS, DISTURBANCES, SPOT
from estimator.simulation.one_policy import next_decision
from estimator.simulation.parameters import Given, Scratch
from estimator.simulation.tasks import set_desired


def interrupt_due(k: int, exposure: float, given: Given, scratch: Scratch, totals: Any) -> None:
    """Interrupt a task for each threshold that the exposure has reached (rule 26).

    Parameters
    ----------
    k : int
        The step.
    exposure : float
        Expected interruptions so far. [1]
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    state = scratch.state
    shortages = given.shortages
    thresholds = given.thresholds
    start = k * given.whole[at.STEP_S]
    while state[at.FIRST_SHORTAGE] < len(shortages) // 2 and shortages[2 * state[at.FIRST_SHORTAGE] + 1] <= start:
        state[at.FIRST_SHORTAGE] += 1
    while k > 0 and state[at.NEXT_THRESHOLD] < len(thresholds) and exposure >= thresholds[state[at.NEXT_THRESHOLD]]:
        state[at.NEXT_THRESHOLD] += 1
        interrupted = interrupt(start, given, scratch)
        if interrupted and k >= given.whole[at.RECORD_FROM]:
            totals[at.INTERRUPTIONS] += 1


def change_bounds(k: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Put other bounds in force and bring the desired count between them (rule 22).

    Parameters
    ----------
    k : int
        The step.
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    state = scratch.state
    bounds = given.bounds
    while at.N_BOUNDS * state[at.NEXT_BOUNDS] < len(bounds) and bounds[at.N_BOUNDS * state[at.NEXT_BOUNDS]] <= k:
        b = at.N_BOUNDS * state[at.NEXT_BOUNDS]
        state[at.NEXT_BOUNDS] += 1
        state[at.HIGH] = bounds[b + 2]
        state[at.LOW] = max(bounds[b + 1], min(bounds[b + 3], bounds[b + 2]))
        want = min(max(state[at.DESIRED], state[at.LOW]), state[at.HIGH])
        if want != state[at.DESIRED]:
            set_desired(want, at.MOVED_BY_BOUNDS, k * given.whole[at.STEP_S], given, scratch, totals)


def disturb(k: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Begin deployments, go on with their waves, and lose zones (rules 23, 24).

    Parameters
    ----------
    k : int
        The step.
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    state = scratch.state
    deployments = given.deployments
    start = k * given.whole[at.STEP_S]
    recorded = k >= given.whole[at.RECORD_FROM]
    while (
        at.N_DEPLOYMENT * state[at.NEXT_DEPLOYMENT] < len(deployments)
        and deployments[at.N_DEPLOYMENT * state[at.NEXT_DEPLOYMENT]] <= k
    ):
        d = at.N_DEPLOYMENT * state[at.NEXT_DEPLOYMENT]
        state[at.NEXT_DEPLOYMENT] += 1
        if start >= state[at.DEPLOYMENT_END]:
            replaced = deploy(
                start, int(deployments[d + 1]), deployments[d + 2], deployments[d + 3], int(deployments[d + 4]),
                int(deployments[d + 5]), given, scratch,
            )  # fmt: skip
            if recorded:
                totals[at.REPLACED] += max(replaced, 0)
                totals[at.STUCK_DEPLOYMENTS] += replaced < 0
    while state[at.WAVE_LEFT] > 0 and state[at.WAVE_AT] < start + given.whole[at.STEP_S]:
        replaced = replace_wave(given, scratch)
        if recorded:
            totals[at.REPLACED] += replaced
    while state[at.NEXT_ZONE_LOSS] < len(given.zone_losses) and given.zone_losses[state[at.NEXT_ZONE_LOSS]] <= k:
        state[at.NEXT_ZONE_LOSS] += 1
        lost = lose_zone(start, given, scratch)
        if recorded:
            totals[at.REPLACED] += lost


def calm_until(k: int, known_after: int, given: Given, scratch: Scratch) -> int:
    """Find the next step in which something starts, stops, is scheduled or may be decided: until then only requests come.

    The first recorded step counts too, where hours are asked for, that with which an hour begins, and where there are limits, that of a look.

    Parameters
    ----------
    k : int
        The step.
    known_after : int
        From a step to the one in which its datapoint is known. [steps]
    given : Given
        Parameters.
    scratch : Scratch
        Knows what comes next.

    Returns
    -------
    int
        That step, at least the next one.
    """
    state = scratch.state
    if SPOT:
        return k + 1
    until = given.whole[at.RECORD_FROM]
    if k >= until:
        until = min(state[at.HOUR_END], state[at.NEXT_LOOK], len(given.requests_per_s))
    if BOUNDS and at.N_BOUNDS * state[at.NEXT_BOUNDS] < len(given.bounds):
        until = min(until, given.bounds[at.N_BOUNDS * state[at.NEXT_BOUNDS]])
    if DISTURBANCES:
        if at.N_DEPLOYMENT * state[at.NEXT_DEPLOYMENT] < len(given.deployments):
            until = min(until, int(given.deployments[at.N_DEPLOYMENT * state[at.NEXT_DEPLOYMENT]]))
        if state[at.WAVE_LEFT] > 0:
            until = min(until, state[at.WAVE_AT] // given.whole[at.STEP_S])
        if state[at.NEXT_ZONE_LOSS] < len(given.zone_losses):
            until = min(until, given.zone_losses[state[at.NEXT_ZONE_LOSS]])
    for j in range(k + 1, min(until, state[at.RING_END])):
        if scratch.ring[at.N_RING * (j & (state[at.RING_STEPS] - 1)) + at.CHANGES] != 0:
            until = j
            break
    return next_decision(k, int(until), known_after, given, scratch)
