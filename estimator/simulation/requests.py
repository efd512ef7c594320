"""What becomes of a step's requests, and what of it is recorded (rules 13 to 16, 28 to 30)."""

import math

from estimator.simulation import parameters as at
from estimator.simulation.features import QUEUE
from estimator.simulation.parameters import Filled, Given, Scratch


def serve(
    arrivals: float, queue: float, healthy_s: int, capacity: float, given: Given
) -> tuple[float, float, float, float]:
    """Serve, queue or refuse the requests of a step (rules 14, 15).

    Parameters
    ----------
    arrivals : float
        Requests that come. [requests]
    queue : float
        Requests that wait from the step before. [requests]
    healthy_s : int
        Seconds of healthy tasks. [task-s]
    capacity : float
        Requests that can be served. [requests]
    given : Given
        Parameters.

    Returns
    -------
    tuple of float
        Requests served, refused, and waiting at the end; and the utilization. [requests, requests, requests, 1]
    """
    offered = queue + arrivals if QUEUE else arrivals
    served = min(offered, capacity)
    refused = offered - served
    left = 0.0
    if QUEUE and refused > 0.0:
        step_s = given.whole[at.STEP_S]
        rest = refused
        room = min(
            given.real[at.QUEUE_PER_TASK] * healthy_s / step_s, given.real[at.QUEUE_TIMEOUT_S] * capacity / step_s
        )
        refused = rest - room if rest > room else 0.0
        left = rest - refused
    utilization = 0.0
    if capacity > 0.0:
        utilization = offered / capacity
    elif offered > 0.0:
        utilization = math.inf
    return served, refused, left, utilization


def wait_bin(wait_s: float) -> int:
    """Find the place of a waiting time in its histogram (rule 30).

    Parameters
    ----------
    wait_s : float
        Mean wait of a step's requests. [s]

    Returns
    -------
    int
        Bin; eight for each doubling from a millisecond on.
    """
    if wait_s <= 0.001:
        return 0
    return int(min(max(math.floor(8.0 * math.log2(wait_s / 0.001) + 1e-9), 0), at.N_WAIT_BINS - 1))


def record_requests(
    arrivals: float,
    refused: float,
    old_queue: float,
    queue: float,
    capacity: float,
    utilization: float,
    given: Given,
    filled: Filled,
) -> bool:
    """Add a step's requests to the histograms and totals, but for that of slow steps (rules 29, 30).

    Parameters
    ----------
    arrivals, refused : float
        Requests that came, and those refused. [requests]
    old_queue, queue : float
        Requests that waited before, and those that wait now. [requests]
    capacity : float
        Requests that could be served. [requests]
    utilization : float
        Offered requests over capacity. [1]
    given : Given
        Parameters.
    filled : Filled
        Takes them.

    Returns
    -------
    bool
        True for a slow step; counting those together without a branch is what makes the loop fast, for noise leaves no pattern to predict.
    """
    totals = filled.totals
    if utilization > totals[at.PEAK_UTILIZATION]:
        totals[at.PEAK_UTILIZATION] = utilization
    offered = old_queue + arrivals if QUEUE else arrivals
    waited = QUEUE and (old_queue > 0.0 or queue > 0.0)
    if offered <= capacity and not waited:
        filled.utilization_histogram[min(int(utilization * at.N_BINS + 1e-9), at.N_BINS - 1)] += arrivals
        return bool(utilization > given.real[at.SLOW_UTILIZATION])
    is_over = offered > capacity * (1.0 + 1e-9)
    if is_over:
        totals[at.STEPS_OVER_CAPACITY] += 1.0
    totals[at.REFUSED_REQUESTS] += refused
    if QUEUE:
        totals[at.PEAK_QUEUE] = max(totals[at.PEAK_QUEUE], queue)
    waits = filled.wait_histogram
    if not is_over and not waited:
        filled.utilization_histogram[at.N_BINS - 1] += arrivals
    elif capacity == 0.0:
        waits[at.N_WAIT_BINS] += arrivals
    else:
        waits[at.N_WAIT_BINS] += min(refused, arrivals)
        if arrivals - refused > 0.0:
            place = wait_bin((old_queue + queue) / 2.0 * given.whole[at.STEP_S] / capacity) if QUEUE else 0
            waits[place] += arrivals - refused
    # What waits is late, where something is promised.
    return (
        is_over
        or utilization > given.real[at.SLOW_UTILIZATION]
        or (waited and given.real[at.SLOW_UTILIZATION] < math.inf)
    )


def record_step(
    i: int,
    moved_by: int,
    spot_billed_s: float,
    served: float,
    refused: float,
    queue: float,
    utilization: float,
    given: Given,
    scratch: Scratch,
    filled: Filled,
) -> int:
    """Write the figures of a recorded step into the series, but for the policies' datapoints (rule 28).

    Parameters
    ----------
    i : int
        The step.
    moved_by : int
        The policy that moved the desired count last in it.
    spot_billed_s : float
        Fargate Spot's part of the billed time. [task-s]
    served, refused, queue : float
        Requests that are served, refused, and wait at the end. [requests]
    utilization : float
        Offered requests over capacity. [1]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the desired count and the sums.
    filled : Filled
        Takes the figures.

    Returns
    -------
    int
        Where the first policy's datapoint of the step belongs.
    """
    n = len(filled.series_whole) // at.N_SERIES_WHOLE
    place = i - given.whole[at.RECORD_FROM]
    sums = scratch.sums
    whole = filled.series_whole
    whole[place] = scratch.state[at.DESIRED]
    whole[n + place] = max(sums[at.RUNNING], 0)
    whole[2 * n + place] = max(sums[at.HEALTHY], 0)
    whole[3 * n + place] = max(sums[at.PENDING], 0)
    whole[4 * n + place] = max(sums[at.BILLED], 0)
    whole[5 * n + place] = max(sums[at.DRAINING], 0)
    whole[6 * n + place] = moved_by
    real = filled.series_real
    real[place] = spot_billed_s
    real[n + place] = served
    real[2 * n + place] = refused
    real[3 * n + place] = queue
    real[4 * n + place] = utilization
    return int(at.N_SERIES_REAL * n + place)
