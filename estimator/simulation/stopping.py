"""When the rest of a course need not be known: a limit is broken, or the bill is over another's, whatever comes."""

from estimator.simulation import parameters as at
from estimator.simulation.parameters import Filled, Given, Scratch


def is_settled(k: int, given: Given, scratch: Scratch, filled: Filled) -> bool:
    """Look whether a limit is broken by what was recorded up to a step; figures only grow, so that it stays broken.

    Parameters
    ----------
    k : int
        The next step.
    given : Given
        Parameters, with the limits.
    scratch : Scratch
        Knows when the next look is due.
    filled : Filled
        Has the figures.

    Returns
    -------
    bool
        True if one is.
    """
    state = scratch.state
    totals = filled.totals
    every = int(given.stop_at[at.LOOK_EVERY])
    looks = (k - given.whole[at.RECORD_FROM]) // every
    state[at.LOOKS] = looks
    state[at.NEXT_LOOK] = given.whole[at.RECORD_FROM] + (looks + 1) * every
    if totals[at.STEPS_OVER_CAPACITY] > given.stop_at[at.MOST_STEPS_OVER]:
        return True
    if totals[at.SLOW_STEPS] > given.stop_at[at.MOST_SLOW_STEPS]:
        return True
    if totals[at.REFUSED_REQUESTS] > given.stop_at[at.MOST_REFUSED]:
        return True
    # What Fargate Spot bills counts for less.
    spot_saves = (1.0 - given.stop_at[at.SPOT_WEIGHT]) * totals[at.SPOT_BILLED_TASK_S]
    # Between two looks the next one's figure holds: what is billed until then is not yet all counted, and not among what is left either.
    between = (k - given.whole[at.RECORD_FROM]) % every > 0
    if totals[at.BILLED_TASK_S] - spot_saves > given.most_billed_s[looks + between]:
        return True
    waits = given.real[at.QUEUE_PER_TASK] > 0.0 and given.real[at.QUEUE_TIMEOUT_S] > 0.0
    for i in range(len(given.most_late)):
        late = filled.wait_histogram[at.N_WAIT_BINS]
        if not waits:
            # Where nothing can wait, what meets a step over capacity is never answered in time.
            for b in range(at.N_WAIT_BINS):
                late += filled.wait_histogram[b]
        for b in range(at.N_BINS):
            late += filled.utilization_histogram[b] * given.late_shares[i * at.N_BINS + b]
        if late > given.most_late[i]:
            return True
    return False
