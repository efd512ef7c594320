"""The contract of each row of POLICIES."""

import dataclasses
import json

import numba
import numpy as np
import pytest
import yaml

from estimator.scenario import Scenario, scenario_schema
from estimator.service.operations import Operations
from estimator.service.policies import POLICIES, configuration_of, policy_type_of
from estimator.service.scaling import decide_step_scaling, decide_target_tracking
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.service_sections import POLICY_SECTIONS
from estimator.simulation.dynamics import dynamics_of
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SCENARIO = {
    "region": "eu-west-1",
    "load": {"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 5},
    "request": {"cpu_ms_per_request": 20},
    "service": {"cpu_units": 256, "memory_mib": 512, "min_capacity": 1, "max_capacity": 30},
}


def _bounds(rng):
    minimum = int(rng.integers(1, 10))
    maximum = minimum + int(rng.integers(0, 100))
    return minimum, maximum, int(rng.integers(minimum, maximum + 1))


def _tracking_states(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        minimum, maximum, desired = _bounds(rng)
        running, base = (int(value) for value in rng.integers(0, maximum + 1, 2))
        metric = float(np.round(rng.uniform(0, 100), 6))
        target = float(rng.integers(1, 101))
        step = float(rng.choice([0.0, 10.0, 33.3, 100.0]))
        wants_out, wants_in = bool(rng.integers(2)), bool(rng.integers(2))
        yield metric, wants_out, wants_in, base, running, desired, minimum, maximum, target, step


def _step_states(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        minimum, maximum, desired = _bounds(rng)
        base, running = (int(value) for value in rng.integers(0, maximum + 1, 2))
        upward = bool(rng.integers(2))
        edges = np.sort(rng.integers(0, 40, 3)).astype(float)
        bounds = np.array([edges[0], edges[1], edges[1], edges[2]])
        bounds = bounds if upward else -bounds[::-1]
        changes = rng.integers(-50, 51, 2)
        kind = int(rng.integers(3))
        magnitude = int(rng.integers(0, 4))
        metric, threshold = float(np.round(rng.uniform(0, 100), 6)), float(rng.integers(1, 100))
        yield (
            metric,
            base,
            running,
            desired,
            minimum,
            maximum,
            threshold,
            upward,
            kind,
            magnitude,
            bounds,
            changes,
            0,
            2,
        )


#: Random states of each decision, and where its bounds stand in them.
STATES = {decide_target_tracking: (_tracking_states, 6), decide_step_scaling: (_step_states, 4)}
DECIDING = [name for name, policy in POLICIES.items() if policy.decide is not None]


@pytest.mark.parametrize("name", POLICIES)
def test_what_a_policy_is(name):
    policy = POLICIES[name]
    assert dataclasses.is_dataclass(policy.parameters)
    assert policy.parameters.__dataclass_params__.frozen
    made = policy.parameters()
    assert made == policy.parameters()
    assert policy_type_of(made) == name
    assert made.describe()
    assert made.metric.kind in {"cpu", "memory", "requests"}
    assert (policy.code is None) == (policy.decide is None)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_a_candidates_and_is_simulated(name):
    work = Workload(LoadProfile.daily(60, 5), cpu_ms_per_request=20)
    spec = ServiceSpec(TaskSize(256, 512), min_capacity=1, max_capacity=30, scaling=(POLICIES[name].parameters(),))
    assert spec.scaling[0].describe() in spec.describe()
    assert dynamics_of(spec, Operations()).scaling == spec.scaling
    run = simulate(work, [spec], keep_series=[0])
    # Each of them sees that one task is not enough.
    assert run.series[0].desired_count.max() > 1
    assert 1 <= run.series[0].desired_count.min() <= run.series[0].desired_count.max() <= 30


@pytest.mark.parametrize("name", POLICIES)
def test_a_scenario_takes_it_and_gives_it_back(name):
    written = json.loads(json.dumps(configuration_of(POLICIES[name].parameters())))
    assert set(written) == {"policy_type", *POLICIES[name].parameters.__dataclass_fields__}
    service = SCENARIO["service"] | {"scaling": [written]}
    scenario = Scenario.from_text(yaml.safe_dump(SCENARIO | {"service": service}))
    assert scenario.spec().scaling == (POLICIES[name].parameters(),)
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    described = scenario_schema()["$defs"][POLICY_SECTIONS[name].__name__]["properties"]
    assert set(described) == set(written)


def test_codes_are_unique():
    codes = [POLICIES[name].code for name in DECIDING]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("name", DECIDING)
def test_compiled_equals_python(name):
    decide = POLICIES[name].decide
    compiled = numba.njit(decide)
    for state in STATES[decide][0](2000, seed=1):
        assert compiled(*state) == decide(*state), state


@pytest.mark.parametrize("name", DECIDING)
def test_the_decision_stays_within_bounds(name):
    decide = POLICIES[name].decide
    states, place = STATES[decide]
    for state in states(3000, seed=2):
        want = decide(*state)
        assert isinstance(want, int)
        assert state[place] <= want <= state[place + 1], state


def test_a_higher_metric_never_tracks_to_fewer_tasks():
    for _, wants_out, wants_in, *rest in _tracking_states(200, seed=3):
        wanted = [
            decide_target_tracking(float(metric), wants_out, wants_in, *rest) for metric in np.linspace(0, 100, 41)
        ]
        assert wanted == sorted(wanted)


def test_tracking_out_never_removes_and_in_never_adds():
    for metric, _, _, *rest in _tracking_states(2000, seed=4):
        desired = rest[2]
        assert decide_target_tracking(metric, True, False, *rest) >= desired
        assert decide_target_tracking(metric, False, True, *rest) <= desired
        assert decide_target_tracking(metric, False, False, *rest) == desired
