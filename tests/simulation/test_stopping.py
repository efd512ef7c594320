"""A course that is given up: what is found of it is what is found of its first steps, and it is given up for a reason alone."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimator.simulation import parameters as at
from estimator.simulation.compiled import compiled_run
from estimator.simulation.inputs import PolicyInputs, SimulationInputs, StopRules, features_of
from estimator.simulation.outcome import Figures, loop_for, run_loop
from estimator.simulation.variants import ALL, plain_run
from tests.simulation.strategies import scenarios

many = settings(max_examples=60, deadline=None, derandomize=True)


def followed(inputs, stop=None, compiled=True, hours=True):
    """Figures of a course, until it is given up."""
    loop = loop_for(features_of(inputs), compiled, len(inputs.requests_per_s))
    return run_loop(inputs, False, loop, compiled, hours, stop)


def inputs_of(scenario):
    """The scenario as the program takes it."""
    values = {item.name: getattr(scenario, item.name) for item in fields(scenario)}
    policies = tuple(
        PolicyInputs(**{item.name: getattr(policy, item.name) for item in fields(policy)})
        for policy in values.pop("policies")
    )
    return SimulationInputs(**values, policies=policies)


def check_equal(one: Figures, other: Figures) -> None:
    for name in ("totals", "utilization_histogram", "wait_histogram"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def cut(inputs, steps):
    """The same course, whose load ends after some steps."""
    return replace(inputs, requests_per_s=tuple(inputs.requests_per_s)[:steps])


def without_limits(inputs, look_every=1):
    looks = -(-(len(inputs.requests_per_s) - inputs.record_from) // look_every) + 1
    return StopRules(look_every, np.full(looks, math.inf))


@many
@given(scenarios(), st.integers(1, 30))
def test_without_limits_a_course_is_as_without_rules(scenario, look_every):
    inputs = inputs_of(scenario)
    whole = followed(inputs)
    same = followed(inputs, without_limits(inputs, look_every))
    assert same.stopped_after == 0
    check_equal(same, whole)
    np.testing.assert_array_equal(same.billed_s_by_hour, whole.billed_s_by_hour)
    np.testing.assert_array_equal(same.spot_billed_s_by_hour, whole.spot_billed_s_by_hour)


@st.composite
def limits(draw):
    """A limit of one kind, as a part of what the whole course comes to."""
    kind = draw(st.sampled_from(["billed", "steps", "slow", "refused", "late"]))
    return kind, draw(st.floats(0.0, 0.9)), draw(st.integers(1, 20))


def rules_of(inputs, whole, limit):
    """Rules by which a course is given up when it has come to a part of the whole."""
    kind, part, look_every = limit
    free = without_limits(inputs, look_every)
    totals = whole.totals
    if kind == "billed":
        return replace(free, most_billed_s=np.full(free.most_billed_s.size, part * totals[at.BILLED_TASK_S]))
    if kind == "steps":
        return replace(free, most_steps_over=part * totals[at.STEPS_OVER_CAPACITY])
    if kind == "slow":
        return replace(free, most_slow_steps=part * totals[at.SLOW_STEPS])
    if kind == "refused":
        return replace(free, most_refused=part * totals[at.REFUSED_REQUESTS])
    late = np.linspace(0, 1, at.N_BINS)[None, :]
    return replace(free, most_late=(part * late_requests(inputs, whole, late[0]),), late_shares=late)


def late_requests(inputs, found, shares):
    """Requests that are late for certain: refused, over capacity where nothing waits, and a part of all others."""
    waits = inputs.queue_per_task > 0 and inputs.queue_timeout_s > 0
    never = found.wait_histogram[-1] if waits else found.wait_histogram.sum()
    return float(never + found.utilization_histogram @ shares)


def is_broken(inputs, found, rules, look):
    """Say whether what was found is over one of the limits."""
    totals = found.totals
    late = () if rules.late_shares is None else rules.late_shares
    weighed = totals[at.BILLED_TASK_S] - (1 - rules.spot_weight) * totals[at.SPOT_BILLED_TASK_S]
    return (
        weighed > rules.most_billed_s[look]
        or totals[at.STEPS_OVER_CAPACITY] > rules.most_steps_over
        or totals[at.SLOW_STEPS] > rules.most_slow_steps
        or totals[at.REFUSED_REQUESTS] > rules.most_refused
        or any(
            late_requests(inputs, found, row) > most * (1 - 1e-12)
            for row, most in zip(late, rules.most_late, strict=True)
        )
    )


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(scenarios(), limits())
def test_what_is_found_until_then_is_the_course_cut_at_that_step(compiled, scenario, limit):
    inputs = inputs_of(scenario)
    whole = followed(inputs, compiled=compiled)
    rules = rules_of(inputs, whole, limit)
    found = followed(inputs, rules, compiled)
    if not found.stopped_after:
        check_equal(found, whole)
        return
    assert inputs.record_from < found.stopped_after <= len(inputs.requests_per_s)
    first = followed(cut(inputs, found.stopped_after), compiled=compiled)
    check_equal(found, first)
    np.testing.assert_array_equal(found.billed_s_by_hour[: len(first.billed_s_by_hour)], first.billed_s_by_hour)
    assert not found.billed_s_by_hour[len(first.billed_s_by_hour) :].any()
    # It was given up for a reason, which holds of the whole course too.
    look = (found.stopped_after - inputs.record_from) // rules.look_every
    assert is_broken(inputs, found, rules, look)
    if limit[0] != "billed":
        assert is_broken(inputs, whole, rules, 0)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(scenarios(), limits())
def test_compiled_or_not_a_course_is_given_up_at_the_same_step(scenario, limit):
    inputs = inputs_of(scenario)
    rules = rules_of(inputs, followed(inputs), limit)
    one = run_loop(inputs, False, compiled_run(ALL), True, False, rules)
    other = run_loop(inputs, False, plain_run(features_of(inputs)), False, False, rules)
    # Which loop is compiled depends on what else was run, so it must not show.
    assert one.stopped_after == other.stopped_after
    check_equal(one, other)


@many
@given(scenarios(), limits())
def test_a_course_that_breaks_a_limit_is_given_up_at_the_next_look(scenario, limit):
    inputs = inputs_of(scenario)
    assume(limit[0] != "billed")
    whole = followed(inputs)
    rules = rules_of(inputs, whole, limit)
    found = followed(inputs, rules)
    if not found.stopped_after:
        # Nothing is broken when it is looked at for the last time, at its end at the latest.
        steps = len(inputs.requests_per_s) - inputs.record_from
        last = inputs.record_from + steps // rules.look_every * rules.look_every
        assert last <= inputs.record_from or not is_broken(inputs, followed(cut(inputs, last)), rules, 0)


def levels(*hours_and_loads):
    """A task of 10 requests/s at levels of load."""
    rate = np.concatenate([np.full(round(hours * 60), load) for hours, load in hours_and_loads])
    return SimulationInputs(
        requests_per_s=rate,
        task_requests_per_s=10.0,
        cpu_s_per_request=0.1,
        min_capacity=4,
        max_capacity=20,
        minimum_billed_s=0,
        policies=(PolicyInputs(target_value=50.0, scale_in_cooldown_s=0),),
    )


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("every_h", [1, 2, 3, 5])
@pytest.mark.parametrize("night_h", [1.9, 2.95, 4.5, 7.0])
def test_a_course_that_bills_no_more_than_allowed_at_any_look_is_followed_to_its_end(every_h, night_h, compiled):
    # In the calm of the night the loop runs through steps at a stretch, beyond the hour at which it is to be looked at.
    inputs = levels((night_h, 15.0), (0.5, 90.0), (12 - night_h - 0.5, 15.0))
    whole = followed(inputs, compiled=compiled)
    assert whole.totals[at.PEAK_DESIRED_COUNT] > 4
    by_hour = np.concatenate([[0.0], np.cumsum(whole.billed_s_by_hour)])
    looks = np.minimum(np.arange(-(-12 // every_h) + 1) * every_h, 12)
    rules = StopRules(60 * every_h, by_hour[looks] + 1)
    assert followed(inputs, rules, compiled, hours=False).stopped_after == 0
    # A task-minute less, and it is given up.
    rules = StopRules(60 * every_h, by_hour[looks] - 60)
    assert followed(inputs, rules, compiled, hours=False).stopped_after > 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scenarios(), st.sampled_from([60, 120, 180]))
def test_so_it_is_in_any_scenario(scenario, every_min):
    inputs = inputs_of(scenario)
    inputs = replace(inputs, requests_per_s=tuple(inputs.requests_per_s) * 8)
    n = len(inputs.requests_per_s) - inputs.record_from
    per_hour = 3600 // inputs.step_s
    every = every_min * 60 // inputs.step_s
    hours = -(-n // per_hour)
    whole = followed(inputs)
    by_hour = np.concatenate([[0.0], np.cumsum(whole.billed_s_by_hour)])
    looks = np.minimum(np.arange(-(-n // every) + 1) * every // per_hour, hours)
    # Where the last hour is not whole, all of it is allowed.
    looks[-1] = hours
    rules = StopRules(every, by_hour[looks] * (1 + 1e-9) + 1e-6)
    for compiled in (True, False):
        assert followed(inputs, rules, compiled, hours=False).stopped_after == 0


def test_what_fargate_spot_bills_counts_for_its_weight():
    # 4 tasks, 2 of them on Spot: 240 task-seconds a step, weighed at a quarter 2 x 60 + 2 x 15 = 150.
    spot = replace(levels((3, 15.0)), spot_share=0.5, policies=())
    for weight, each in ((1.0, 240.0), (0.25, 150.0), (0.0, 120.0)):
        rules = StopRules(1, np.full(181, 30.5 * each), spot_weight=weight)
        assert followed(spot, rules).stopped_after == 31


@pytest.mark.parametrize("compiled", [True, False])
def test_a_limit_is_looked_at_only_as_often_as_it_is_said(compiled):
    # 45 requests/s on 4 tasks that cannot become more: each minute is over capacity.
    full = replace(levels((5, 45.0)), max_capacity=4)
    for look_every, given_up_after in ((1, 11), (7, 14), (60, 60), (300, 300), (301, 0)):
        looks = -(-300 // look_every) + 1
        rules = StopRules(look_every, np.full(looks, math.inf), most_steps_over=10)
        assert followed(full, rules, compiled, hours=False).stopped_after == given_up_after
