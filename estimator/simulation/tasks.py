"""The life of a task: launched, removed, interrupted, and what that adds to the sums of the steps to come (rules 5 to 12, 26).

Notes
-----
A sum of a step (billed, running, healthy, pending, draining task-seconds) is not added up over tasks. It is carried from step to step,
and a ring of coming steps holds by how much it changes: a task that starts or stops at a second changes it in that second's step and in
the next. So a step costs the same however many tasks there are, and nothing where none of them starts or stops.
"""

import math
from typing import Any

from estimator.simulation import parameters as at
from estimator.simulation.features import DISTURBANCES, LAUNCH_RATE, QUOTA, SPOT
from estimator.simulation.parameters import Given, Scratch


def begin(given: Given, scratch: Scratch, by_hour: bool) -> None:
    """Have the first tasks at second 0 (rule 5).

    Parameters
    ----------
    given : Given
        Parameters.
    scratch : Scratch
        As the arrays are made; told the first state.
    by_hour : bool
        True if hours are asked for.
    """
    state = scratch.state
    count = min(given.whole[at.MIN_CAPACITY], given.whole[at.MAX_TASKS])
    state[at.COUNT] = count
    state[at.SETTLED] = count
    state[at.DESIRED] = max(given.whole[at.MIN_CAPACITY], 1)
    state[at.LOW] = given.whole[at.MIN_CAPACITY]
    state[at.HIGH] = given.whole[at.MAX_CAPACITY]
    state[at.RING_STEPS] = len(scratch.ring) // at.N_RING
    state[at.RING_END] = 1  # so that what follows from the sums is computed once
    state[at.KNOWN_UNTIL] = -1
    state[at.HIGH_KNOWN_UNTIL] = -1
    step_s = given.whole[at.STEP_S]
    state[at.HOUR_END] = given.whole[at.RECORD_FROM] + 3600 // step_s if by_hour else at.NEVER_S
    state[at.NEXT_LOOK] = at.NEVER_S
    if len(given.stop_at) > 0:
        state[at.NEXT_LOOK] = given.whole[at.RECORD_FROM] + int(given.stop_at[at.LOOK_EVERY])
    scratch.sums[at.BILLED] = count * step_s
    scratch.sums[at.RUNNING] = count * step_s
    scratch.sums[at.HEALTHY] = count * step_s
    if SPOT:
        n_spot = spot(count, given.whole[at.SPOT_BASE], given.real[at.SPOT_SHARE])
        scratch.sums[at.SPOT_BILLED] = n_spot * step_s
        scratch.sums[at.SPOT_RUNNING] = n_spot * step_s


def change(scratch: Scratch, step_s: int, which: int, second: int, n: int) -> None:
    """Let a sum have n tasks more from a second on.

    Parameters
    ----------
    scratch : Scratch
        Its ring takes the change.
    step_s : int
        Length of a step. [s]
    which : int
        The sum.
    second : int
        The second. [s]
    n : int
        Tasks; negative for fewer. [tasks]
    """
    add_change(scratch.ring, scratch.state, step_s, which, second, n)


def add_change(ring: Any, state: Any, step_s: int, which: int, second: int, n: int) -> None:
    """Let a sum have n tasks more from a second on; takes the arrays that it needs alone, since each costs as much as a task to hand over.

    Parameters
    ----------
    ring, state : sequence of int
        Of the scratch.
    step_s : int
        Length of a step. [s]
    which : int
        The sum.
    second : int
        The second. [s]
    n : int
        Tasks; negative for fewer. [tasks]
    """
    mask = state[at.RING_STEPS] - 1
    step = second // step_s
    now = n * ((step + 1) * step_s - second)
    place = at.N_RING * (step & mask)
    ring[place + which] += now
    ring[place + at.CHANGES] = 1
    if now != n * step_s:
        step += 1
        place = at.N_RING * (step & mask)
        ring[place + which] += n * step_s - now
        ring[place + at.CHANGES] = 1
    state[at.RING_END] = max(state[at.RING_END], step + 1)


def change_between(scratch: Scratch, step_s: int, which: int, begin_s: int, end_s: int, n: int) -> None:
    """Let a sum have n tasks more between two seconds; nothing if the second is not later.

    Parameters
    ----------
    scratch : Scratch
        Its ring takes the changes.
    step_s : int
        Length of a step. [s]
    which : int
        The sum.
    begin_s, end_s : int
        The interval. [s]
    n : int
        Tasks; negative for fewer. [tasks]
    """
    if end_s > begin_s:
        change(scratch, step_s, which, begin_s, n)
        change(scratch, step_s, which, end_s, -n)


def take_changes(k: int, scratch: Scratch) -> None:
    """Bring the sums to a step (rule 11).

    Parameters
    ----------
    k : int
        The step.
    scratch : Scratch
        Its ring gives the changes, its sums take them.
    """
    ring = scratch.ring
    place = at.N_RING * (k & (scratch.state[at.RING_STEPS] - 1))
    ring[place + at.CHANGES] = 0
    for which in range(at.N_SUMS if SPOT else at.N_SUMS_WITHOUT_SPOT):
        scratch.sums[which] += ring[place + which]
        ring[place + which] = 0


def spot(n: int, base: int, share: float) -> int:
    """Count the tasks of Fargate Spot among n (rule 8).

    Parameters
    ----------
    n : int
        Tasks. [tasks]
    base : int
        On-Demand tasks that come first. [tasks]
    share : float
        Part of the others. [1]

    Returns
    -------
    int
        Tasks of Fargate Spot. [tasks]
    """
    return 0 if n <= base else math.floor((n - base) * share + 1e-9)


def is_spot(place: int, given: Given) -> bool:
    """Tell the tasks of Fargate Spot by their place (rule 8).

    Parameters
    ----------
    place : int
        Tasks below it on the stack. [tasks]
    given : Given
        Parameters.

    Returns
    -------
    bool
        True for one of Fargate Spot.
    """
    base = given.whole[at.SPOT_BASE]
    share = given.real[at.SPOT_SHARE]
    return spot(place + 1, base, share) > spot(place, base, share)


def next_wait(given: Given, scratch: Scratch) -> int:
    """Draw how long the next task takes from running to healthy (rule 6).

    Parameters
    ----------
    given : Given
        Parameters.
    scratch : Scratch
        Counts the launches.

    Returns
    -------
    int
        The time. [s]
    """
    state = scratch.state
    wait = given.ready_wait_s[state[at.LAUNCHES] % len(given.ready_wait_s)]
    state[at.LAUNCHES] += 1
    return int(wait)


def after_shortage(second: int, given: Given, scratch: Scratch) -> int:
    """Find the first second from one on in which a Spot task can be launched (rule 25).

    Parameters
    ----------
    second : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the first shortage that is not over.

    Returns
    -------
    int
        The second itself, or the end of its shortage. [s]
    """
    shortages = given.shortages
    for i in range(scratch.state[at.FIRST_SHORTAGE], len(shortages) // 2):
        if second < shortages[2 * i]:
            break
        if second < shortages[2 * i + 1]:
            return int(shortages[2 * i + 1])
    return second


def launch(n: int, t: int, given: Given, scratch: Scratch) -> None:
    """Put tasks on the stack, as many of them as fit (rules 6, 7).

    Parameters
    ----------
    n : int
        How many are to be launched. [tasks]
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.
    """
    whole = given.whole
    real = given.real
    state = scratch.state
    bucket = scratch.bucket
    count = state[at.COUNT]
    if QUOTA:
        n = min(n, whole[at.MAX_TASKS] - count)
    for _ in range(n):
        s = t
        if LAUNCH_RATE and real[at.LAUNCH_PER_S] > 0.0:
            wait = bucket[0] - (real[at.LAUNCH_BURST] - 1.0) / real[at.LAUNCH_PER_S] - 1e-9
            if wait > t:
                s = math.ceil(wait)
            bucket[0] = max(bucket[0], float(t)) + 1.0 / real[at.LAUNCH_PER_S]
        if SPOT and is_spot(count, given):
            s = after_shortage(s, given, scratch)
        place_task(count, t, s, given, scratch)
        count += 1
    state[at.COUNT] = count


def place_task(place: int, t: int, s: int, given: Given, scratch: Scratch) -> None:
    """Put one task at its place on the stack and let the sums have it (rule 6).

    Parameters
    ----------
    place : int
        Tasks below it. [tasks]
    t, s : int
        The second in which it is asked for, and that in which it is launched. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the task changes.
    """
    whole = given.whole
    stack = scratch.stack
    step_s = whole[at.STEP_S]
    if LAUNCH_RATE or SPOT:
        s = min(s, whole[at.END_S])  # beyond the end nothing is told apart
    billed_from = s + whole[at.UNBILLED_S]
    running_at = s + whole[at.RUNNING_AFTER_S]
    healthy_at = running_at + next_wait(given, scratch)
    stack[3 * place] = billed_from
    stack[3 * place + 1] = running_at
    stack[3 * place + 2] = healthy_at
    change(scratch, step_s, at.PENDING, t, 1)
    change(scratch, step_s, at.PENDING, running_at, -1)
    change(scratch, step_s, at.BILLED, billed_from, 1)
    change(scratch, step_s, at.RUNNING, running_at, 1)
    change(scratch, step_s, at.HEALTHY, healthy_at, 1)
    if SPOT and is_spot(place, given):
        change(scratch, step_s, at.SPOT_BILLED, billed_from, 1)
        change(scratch, step_s, at.SPOT_RUNNING, running_at, 1)


def remove(n: int, t: int, given: Given, scratch: Scratch) -> None:
    """Take the topmost tasks from the stack (rules 9, 10).

    Parameters
    ----------
    n : int
        How many. [tasks]
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.
    """
    whole = given.whole
    state = scratch.state
    stack = scratch.stack
    step_s = whole[at.STEP_S]
    count = state[at.COUNT]
    for _ in range(n):
        count -= 1
        billed_from = stack[3 * count]
        running_at = stack[3 * count + 1]
        healthy_at = stack[3 * count + 2]
        if LAUNCH_RATE and given.real[at.LAUNCH_PER_S] > 0.0 and t < billed_from - whole[at.UNBILLED_S]:
            scratch.bucket[0] -= 1.0 / given.real[at.LAUNCH_PER_S]  # it never took place
        if running_at > t:
            change(scratch, step_s, at.PENDING, t, -1)
            change(scratch, step_s, at.PENDING, running_at, 1)
        stopped = t
        if healthy_at <= t:
            stopped = t + whole[at.DRAIN_S]
            if billed_from < t:
                change_between(scratch, step_s, at.DRAINING, t, stopped, 1)
        # Where the image pull has not begun, it is never billed.
        billed_until = max(stopped, billed_from + whole[at.MINIMUM_BILLED_S]) if billed_from < t else billed_from
        change(scratch, step_s, at.BILLED, billed_until, -1)
        change(scratch, step_s, at.RUNNING, max(t, running_at), -1)
        change(scratch, step_s, at.HEALTHY, max(t, healthy_at), -1)
        if SPOT and is_spot(count, given):
            change(scratch, step_s, at.SPOT_BILLED, billed_until, -1)
            change(scratch, step_s, at.SPOT_RUNNING, max(t, running_at), -1)
    state[at.COUNT] = count
    state[at.SETTLED] = min(state[at.SETTLED], count)


def move(more: int, t: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Launch tasks or remove them, and count them: nothing else moves the count.

    Parameters
    ----------
    more : int
        How many are to be launched; negative for removed. [tasks]
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What the tasks change.
    totals : sequence of float
        Totals.
    """
    before = scratch.state[at.COUNT]
    if more > 0:
        launch(more, t, given, scratch)
    elif more < 0:
        remove(-more, t, given, scratch)
    if t >= given.whole[at.RECORD_FROM] * given.whole[at.STEP_S]:
        moved = scratch.state[at.COUNT] - before
        totals[at.LAUNCHED] += max(moved, 0)
        totals[at.REMOVED] += max(-moved, 0)


def set_desired(want: int, mover: int, t: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Make the desired count another and let the tasks follow: launch the difference, or remove what are too many (rules 21, 22).

    Parameters
    ----------
    want : int
        The new desired count. [tasks]
    mover : int
        The policy that wants it, or ``MOVED_BY_BOUNDS``.
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    state = scratch.state
    more = want - state[at.DESIRED]
    if more < 0:
        more = min(want - state[at.COUNT], 0)  # with a quota there may be fewer tasks than desired
    state[at.DESIRED] = want
    state[at.MOVED_BY] = mover
    move(more, t, given, scratch, totals)


def running_tasks(t: int, scratch: Scratch) -> int:
    """Count the tasks that run at a second.

    Parameters
    ----------
    t : int
        The second; never earlier than at the last call. [s]
    scratch : Scratch
        Knows the tasks, and how many at the bottom of the stack run already.

    Returns
    -------
    int
        The tasks that run. [tasks]
    """
    stack = scratch.stack
    count = scratch.state[at.COUNT]
    settled = int(scratch.state[at.SETTLED])
    while settled < count and stack[3 * settled + 1] <= t:
        settled += 1
    scratch.state[at.SETTLED] = settled
    running = settled
    for i in range(settled, count):
        if stack[3 * i + 1] <= t:
            running += 1
    if DISTURBANCES and t < scratch.state[at.LOST_UNTIL]:
        running = max(running - scratch.state[at.LOST], 0)
    return running
