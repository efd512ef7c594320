"""The life of a task: launched, removed, interrupted, and what that adds to the sums of the steps to come (rules 6 to 12, 26).

Notes
-----
A sum of a step (billed, running, healthy, pending task-seconds) is not added up over tasks. It is carried from step to step, and a ring
of coming steps holds by how much it changes: a task that starts or stops at a second changes it in that second's step and in the
next. So a step costs the same however many tasks there are, and nothing where none of them starts or stops.
"""

import math
from typing import Any

from estimator.simulation.features import LAUNCH_RATE, QUOTA, SPOT
from estimator.simulation.parameters import (
    BILLED,
    DRAIN_S,
    END_S,
    FIRST_SHORTAGE,
    FURTHEST_S,
    HEALTHY,
    LAUNCH_BURST,
    LAUNCH_PER_S,
    LAUNCHES,
    MAX_TASKS,
    MINIMUM_BILLED_S,
    PENDING,
    RUNNING,
    RUNNING_AFTER_S,
    SETTLED,
    SPOT_BASE,
    SPOT_SHARE,
    SPOT_WARNING_S,
    STEP_S,
    UNBILLED_S,
)


def change(ring: Any, step_s: int, which: int, second: int, n: int) -> None:
    """Let a sum have n tasks more from a second on.

    Parameters
    ----------
    ring : sequence of int
        Changes of the four sums from each coming step to the next; a power of two of steps.
    step_s : int
        Length of a step. [s]
    which : int
        The sum.
    second : int
        The second. [s]
    n : int
        Tasks; negative for fewer. [tasks]
    """
    mask = len(ring) - 1
    step = second // step_s
    now = n * ((step + 1) * step_s - second)
    ring[(4 * step + which) & mask] += now
    ring[(4 * step + 4 + which) & mask] += n * step_s - now


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


def after_shortage(second: int, shortages: Any, state: Any) -> int:
    """Find the first second from one on in which a Spot task can be launched (rule 25).

    Parameters
    ----------
    second : int
        The second. [s]
    shortages : sequence of int
        Begin and end of each. [s]
    state : sequence of int
        What moves only when something happens.

    Returns
    -------
    int
        The second itself, or the end of its shortage. [s]
    """
    for i in range(state[FIRST_SHORTAGE], len(shortages) // 2):
        if second < shortages[2 * i]:
            break
        if second < shortages[2 * i + 1]:
            return int(shortages[2 * i + 1])
    return second


def launch(
    n: int,
    t: int,
    count: int,
    whole: Any,
    real: Any,
    ready_wait_s: Any,
    shortages: Any,
    stack: Any,
    ring: Any,
    state: Any,
    bucket: Any,
) -> int:
    """Launch tasks (rules 6, 7).

    Parameters
    ----------
    n : int
        How many are to be launched; as many as fit are. [tasks]
    t : int
        The second. [s]
    count : int
        Height of the stack. [tasks]
    whole, real : sequence
        Parameters.
    ready_wait_s : sequence of int
        From running to healthy. [s]
    shortages : sequence of int
        Begin and end of each. [s]
    stack : sequence of int
        Of each task the seconds from which it is billed, running and healthy. [s]
    ring : sequence of int
        Changes of the sums.
    state : sequence of int
        What moves only when something happens.
    bucket : sequence of float, shape (1,)
        When the bucket is ready. [s]

    Returns
    -------
    int
        The new height. [tasks]
    """
    step_s = whole[STEP_S]
    if QUOTA and n > whole[MAX_TASKS] - count:
        n = whole[MAX_TASKS] - count
    for _ in range(n):
        s = t
        if LAUNCH_RATE and real[LAUNCH_PER_S] > 0.0:
            wait = bucket[0] - (real[LAUNCH_BURST] - 1.0) / real[LAUNCH_PER_S] - 1e-9
            if wait > t:
                s = math.ceil(wait)
            bucket[0] = max(bucket[0], float(t)) + 1.0 / real[LAUNCH_PER_S]
        if SPOT and spot(count + 1, whole[SPOT_BASE], real[SPOT_SHARE]) > spot(
            count, whole[SPOT_BASE], real[SPOT_SHARE]
        ):
            s = after_shortage(s, shortages, state)
        if LAUNCH_RATE or SPOT:
            s = min(s, whole[END_S])  # beyond the end nothing is told apart
        billed_from = s + whole[UNBILLED_S]
        running_at = s + whole[RUNNING_AFTER_S]
        healthy_at = running_at + ready_wait_s[state[LAUNCHES] % len(ready_wait_s)]
        stack[3 * count] = billed_from
        stack[3 * count + 1] = running_at
        stack[3 * count + 2] = healthy_at
        count += 1
        state[LAUNCHES] += 1
        if LAUNCH_RATE or SPOT:
            state[FURTHEST_S] = max(state[FURTHEST_S], max(billed_from, healthy_at))
        change(ring, step_s, PENDING, t, 1)
        change(ring, step_s, PENDING, running_at, -1)
        change(ring, step_s, BILLED, billed_from, 1)
        change(ring, step_s, RUNNING, running_at, 1)
        change(ring, step_s, HEALTHY, healthy_at, 1)
    return count


def remove(n: int, t: int, count: int, whole: Any, real: Any, stack: Any, ring: Any, bucket: Any) -> int:
    """Remove the tasks on top of the stack (rules 9, 10).

    Parameters
    ----------
    n : int
        How many. [tasks]
    t : int
        The second. [s]
    count : int
        Height of the stack. [tasks]
    whole, real : sequence
        Parameters.
    stack : sequence of int
        Of each task the seconds from which it is billed, running and healthy. [s]
    ring : sequence of int
        Changes of the sums.
    bucket : sequence of float, shape (1,)
        When the bucket is ready. [s]

    Returns
    -------
    int
        The new height. [tasks]
    """
    step_s = whole[STEP_S]
    for _ in range(n):
        count -= 1
        billed_from = stack[3 * count]
        if LAUNCH_RATE and real[LAUNCH_PER_S] > 0.0 and t < billed_from - whole[UNBILLED_S]:
            bucket[0] -= 1.0 / real[LAUNCH_PER_S]  # it never took place
        running_at = stack[3 * count + 1]
        healthy_at = stack[3 * count + 2]
        if running_at > t:
            change(ring, step_s, PENDING, t, -1)
            change(ring, step_s, PENDING, running_at, 1)
        billed_until = billed_from  # the image pull has not begun: never billed
        if billed_from < t:
            billed_until = max(t + whole[DRAIN_S] if healthy_at <= t else t, billed_from + whole[MINIMUM_BILLED_S])
        change(ring, step_s, BILLED, billed_until, -1)
        change(ring, step_s, RUNNING, max(t, running_at), -1)
        change(ring, step_s, HEALTHY, max(t, healthy_at), -1)
    return count


def move(
    want: int, desired: int, t: int, count: int, whole: Any, real: Any, ready_wait_s: Any, shortages: Any, stack: Any, ring: Any, state: Any,
    bucket: Any,
) -> int:  # fmt: skip
    """Follow the desired count: launch what it has more, or remove what are too many (rules 21, 22).

    Parameters
    ----------
    want, desired : int
        The new desired count, and the old one. [tasks]
    t : int
        The second. [s]
    count : int
        Height of the stack. [tasks]
    whole, real : sequence
        Parameters.
    ready_wait_s : sequence of int
        From running to healthy. [s]
    shortages : sequence of int
        Begin and end of each. [s]
    stack : sequence of int
        Of each task the seconds from which it is billed, running and healthy. [s]
    ring : sequence of int
        Changes of the sums.
    state : sequence of int
        What moves only when something happens.
    bucket : sequence of float, shape (1,)
        When the bucket is ready. [s]

    Returns
    -------
    int
        The new height. [tasks]
    """
    if want > desired:
        return launch(want - desired, t, count, whole, real, ready_wait_s, shortages, stack, ring, state, bucket)
    if want < count:
        count = remove(count - want, t, count, whole, real, stack, ring, bucket)
        state[SETTLED] = min(state[SETTLED], count)
    return count


def running_tasks(count: int, t: int, stack: Any, state: Any) -> int:
    """Count the tasks that run at a second.

    Parameters
    ----------
    count : int
        Height of the stack. [tasks]
    t : int
        The second; never earlier than at the last call. [s]
    stack : sequence of int
        Of each task the seconds from which it is billed, running and healthy. [s]
    state : sequence of int
        What moves only when something happens; knows how many tasks at the bottom run already.

    Returns
    -------
    int
        The tasks that run. [tasks]
    """
    settled = int(state[SETTLED])
    while settled < count and stack[3 * settled + 1] <= t:
        settled += 1
    state[SETTLED] = settled
    running = settled
    for i in range(settled, count):
        if stack[3 * i + 1] <= t:
            running += 1
    return running


def interrupt(t: int, whole: Any, ready_wait_s: Any, shortages: Any, ring: Any, state: Any) -> None:
    """Interrupt one task of Fargate Spot and replace it (rule 26).

    Parameters
    ----------
    t : int
        The second. [s]
    whole : sequence of int
        Parameters.
    ready_wait_s : sequence of int
        From running to healthy. [s]
    shortages : sequence of int
        Begin and end of each. [s]
    ring : sequence of int
        Changes of the sums.
    state : sequence of int
        What moves only when something happens.
    """
    step_s = whole[STEP_S]
    s = min(after_shortage(t, shortages, state), whole[END_S])
    running_at = s + whole[RUNNING_AFTER_S]
    healthy_at = running_at + ready_wait_s[state[LAUNCHES] % len(ready_wait_s)]
    state[LAUNCHES] += 1
    state[FURTHEST_S] = max(state[FURTHEST_S], max(s + whole[UNBILLED_S], healthy_at))
    change(ring, step_s, BILLED, s + whole[UNBILLED_S], 1)
    change(ring, step_s, BILLED, t + whole[SPOT_WARNING_S], -1)
    change(ring, step_s, RUNNING, t, -1)
    change(ring, step_s, RUNNING, running_at, 1)
    change(ring, step_s, HEALTHY, t, -1)
    change(ring, step_s, HEALTHY, healthy_at, 1)
    change(ring, step_s, PENDING, t, 1)
    change(ring, step_s, PENDING, running_at, -1)
