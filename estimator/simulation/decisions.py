"""What the policies decide together, when their datapoints have become known (rules 20, 21)."""

from typing import Any

from estimator.service.scaling import (
    STEP_SCALING_CODE,
    TARGET_TRACKING_CODE,
    decide_step_scaling,
    decide_target_tracking,
)
from estimator.simulation import parameters as at
from estimator.simulation.alarms import look
from estimator.simulation.parameters import Given, Scratch
from estimator.simulation.tasks import running_tasks, set_desired


def decide_step(k: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Take the decisions of a step in the order of time: of all policies whose datapoint becomes known in a second together.

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
    policy_whole = given.policy_whole
    alarm_whole = scratch.alarm_whole
    news = False
    for i in range(given.whole[at.N_POLICIES]):
        p = policy_whole[i * at.N_POLICY_WHOLE + at.ORDER]
        t = k * given.whole[at.STEP_S] + policy_whole[p * at.N_POLICY_WHOLE + at.OFFSET_S]
        if alarm_whole[p * at.N_ALARM_WHOLE + at.NEXT_DUE] == k:
            alarm_whole[p * at.N_ALARM_WHOLE + at.NEXT_DUE] += policy_whole[p * at.N_POLICY_WHOLE + at.PERIOD_STEPS]
            look(p, t, given, scratch)
            news = True
        if news and policy_whole[i * at.N_POLICY_WHOLE + at.WITH_NEXT] == 0:
            news = False
            if any_acts(t, given, scratch):
                decide(t, given, scratch, totals)


def any_acts(t: int, given: Given, scratch: Scratch) -> bool:
    """Say whether anything can come of deciding now.

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the alarms.

    Returns
    -------
    bool
        True if `decide` is to be called.
    """
    policy_whole = given.policy_whole
    alarm_whole = scratch.alarm_whole
    state = scratch.state
    any_in = False
    all_in = state[at.DESIRED] > state[at.LOW] and t >= state[at.SCALE_IN_END] and t >= state[at.DEPLOYMENT_END]
    for p in range(given.whole[at.N_POLICIES]):
        a = p * at.N_ALARM_WHOLE
        if alarm_whole[a + at.ACTS_OUT] != 0 and alarm_whole[a + at.LOOKED_AT] == t:
            return True
        if alarm_whole[a + at.ACTS_IN] != 0:
            any_in = True
        elif (
            policy_whole[p * at.N_POLICY_WHOLE + at.KIND] == TARGET_TRACKING_CODE
            and policy_whole[p * at.N_POLICY_WHOLE + at.DISABLE_SCALE_IN] == 0
        ):
            all_in = False
    return any_in and all_in


def want_of(p: int, inward: bool, base: int, running: int, given: Given, scratch: Scratch) -> int:
    """Compute what an alarm of a policy wants that acts (rule 20).

    Parameters
    ----------
    p : int
        The policy.
    inward : bool
        True for AlarmLow of target tracking, False for AlarmHigh or the alarm of step scaling.
    base : int
        Tasks that an increase is computed from. [tasks]
    running : int
        Tasks running now. [tasks]
    given : Given
        Parameters.
    scratch : Scratch
        Knows the alarms.

    Returns
    -------
    int
        The desired count that it wants. [tasks]
    """
    policy_whole = given.policy_whole
    state = scratch.state
    b = p * at.N_POLICY_WHOLE
    target = given.policy_real[p * at.N_POLICY_REAL + at.TARGET]
    value = scratch.alarm_real[p * at.N_ALARM_REAL + (at.IN_VALUE if inward else at.OUT_VALUE)]
    if policy_whole[b + at.KIND] == STEP_SCALING_CODE:
        return decide_step_scaling(
            value, base, running, state[at.DESIRED], state[at.LOW], state[at.HIGH], target, policy_whole[b + at.UPWARD] != 0,
            policy_whole[b + at.ADJUSTMENT_TYPE], policy_whole[b + at.MIN_ADJUSTMENT_MAGNITUDE], given.step_bounds, given.step_changes,
            policy_whole[b + at.FIRST_STEP], policy_whole[b + at.LAST_STEP],
        )  # fmt: skip
    return decide_target_tracking(
        value, not inward, inward, base, running, state[at.DESIRED], state[at.LOW], state[at.HIGH], target,
        given.real[at.SCALE_IN_STEP_PERCENT],
    )  # fmt: skip


def decide(t: int, given: Given, scratch: Scratch, totals: Any) -> None:
    """Decide, by all policies whose newest datapoint has just become known (rules 20, 21).

    Parameters
    ----------
    t : int
        The second. [s]
    given : Given
        Parameters.
    scratch : Scratch
        What moves.
    totals : sequence of float
        Totals.
    """
    policy_whole = given.policy_whole
    alarm_whole = scratch.alarm_whole
    state = scratch.state
    running = running_tasks(t, scratch)
    desired = state[at.DESIRED]
    out_want = desired
    out_policy = -1
    out_base = 0
    # Less is wanted by step scaling, and by target tracking if all of it agrees.
    step_want = -1
    step_policy = -1
    tracked_want = -1
    tracked_policy = -1
    all_want_in = True
    for p in range(given.whole[at.N_POLICIES]):
        a = p * at.N_ALARM_WHOLE
        b = p * at.N_POLICY_WHOLE
        tracks = policy_whole[b + at.KIND] == TARGET_TRACKING_CODE
        base = alarm_whole[a + at.BASE] if t < alarm_whole[a + at.SCALE_OUT_END] else running
        want = desired
        if alarm_whole[a + at.LOOKED_AT] == t and alarm_whole[a + at.ACTS_OUT] != 0:
            want = want_of(p, False, base, running, given, scratch)
        if want > out_want:
            out_want = want
            out_policy = p
            out_base = base
        if tracks:
            less = want_of(p, True, running, running, given, scratch) if alarm_whole[a + at.ACTS_IN] != 0 else desired
            if less >= desired and policy_whole[b + at.DISABLE_SCALE_IN] == 0:
                all_want_in = False
            if less < desired and less > tracked_want:
                tracked_want = less
                tracked_policy = p
        elif want < desired and want > step_want:
            step_want = want
            step_policy = p
    in_want = step_want
    in_policy = step_policy
    if all_want_in and (tracked_want > step_want or (tracked_want == step_want and tracked_policy < step_policy)):
        in_want = tracked_want
        in_policy = tracked_policy
    if out_policy >= 0:
        a = out_policy * at.N_ALARM_WHOLE
        alarm_whole[a + at.BASE] = out_base
        alarm_whole[a + at.SCALE_OUT_END] = t + policy_whole[out_policy * at.N_POLICY_WHOLE + at.SCALE_OUT_COOLDOWN_S]
        state[at.SCALE_IN_END] = t
        set_desired(out_want, out_policy, t, given, scratch, totals)
    elif in_policy >= 0 and t >= state[at.DEPLOYMENT_END] and t >= state[at.SCALE_IN_END]:
        state[at.SCALE_IN_END] = t + policy_whole[in_policy * at.N_POLICY_WHOLE + at.SCALE_IN_COOLDOWN_S]
        # What was remembered for a cooldown holds no longer.
        for p in range(given.whole[at.N_POLICIES]):
            a = p * at.N_ALARM_WHOLE
            alarm_whole[a + at.SCALE_OUT_END] = min(alarm_whole[a + at.SCALE_OUT_END], t)
        set_desired(in_want, in_policy, t, given, scratch, totals)
