"""The contract of each row of POLICIES."""

import dataclasses
import inspect

import numba
import numpy as np
import pytest

from estimator.service.scaling import POLICIES


def _random_states(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        minimum = int(rng.integers(1, 10))
        maximum = minimum + int(rng.integers(0, 100))
        running = int(rng.integers(0, maximum + 1))
        desired = int(rng.integers(minimum, maximum + 1))
        base = int(rng.integers(0, maximum + 1))
        metric = float(np.round(rng.uniform(0, 100), 6))
        target = float(rng.integers(1, 101))
        step = float(rng.choice([0.0, 10.0, 33.3, 100.0]))
        wants_out, wants_in = bool(rng.integers(2)), bool(rng.integers(2))
        yield metric, wants_out, wants_in, base, running, desired, minimum, maximum, target, step


@pytest.mark.parametrize("name", POLICIES)
def test_what_a_policy_is(name):
    policy = POLICIES[name]
    assert dataclasses.is_dataclass(policy.parameters)
    assert policy.parameters.__dataclass_params__.frozen
    assert policy.parameters() == policy.parameters()
    assert policy.parameters.predefined_metric_type.startswith(("ECSService", "ALBRequest"))
    assert list(inspect.signature(policy.decide).parameters)[:3] == ["metric_percent", "wants_out", "wants_in"]


def test_codes_are_unique():
    assert len({policy.code for policy in POLICIES.values()}) == len(POLICIES)


@pytest.mark.parametrize("name", POLICIES)
def test_compiled_equals_python(name):
    decide = POLICIES[name].decide
    compiled = numba.njit(decide)
    for state in _random_states(2000, seed=1):
        assert compiled(*state) == decide(*state), state


@pytest.mark.parametrize("name", POLICIES)
def test_the_decision_stays_within_bounds(name):
    for state in _random_states(3000, seed=2):
        minimum, maximum = state[6], state[7]
        want = POLICIES[name].decide(*state)
        assert isinstance(want, int)
        assert minimum <= want <= maximum, state


@pytest.mark.parametrize("name", POLICIES)
def test_a_higher_metric_never_asks_for_fewer_tasks(name):
    decide = POLICIES[name].decide
    for _, wants_out, wants_in, *rest in _random_states(200, seed=3):
        wanted = [decide(float(metric), wants_out, wants_in, *rest) for metric in np.linspace(0, 100, 41)]
        assert wanted == sorted(wanted)


@pytest.mark.parametrize("name", POLICIES)
def test_out_never_removes_and_in_never_adds(name):
    decide = POLICIES[name].decide
    for metric, _, _, *rest in _random_states(2000, seed=4):
        desired = rest[2]
        assert decide(metric, True, False, *rest) >= desired
        assert decide(metric, False, True, *rest) <= desired
        assert decide(metric, False, False, *rest) == desired
