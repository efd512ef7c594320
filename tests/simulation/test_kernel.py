"""The time loop, uncompiled and compiled, equals the reference, which is another program."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.simulation import kernel
from estimator.simulation.compiled import compiled_run
from tests.simulation.reference import ReferenceInputs, simulate_reference

SERIES = ("desired_count", "running_s", "healthy_s", "billed_s", "utilization", "metric_percent")


def run_kernel(inputs: ReferenceInputs, loop=kernel.run, as_lists: bool = True) -> dict[str, object]:
    whole = np.zeros(kernel.N_WHOLE, dtype=np.int64)
    for place, value in {
        kernel.RECORD_FROM: inputs.record_from,
        kernel.STEP_S: inputs.step_s,
        kernel.MIN_CAPACITY: inputs.min_capacity,
        kernel.MAX_CAPACITY: inputs.max_capacity,
        kernel.SCALE_OUT_COOLDOWN_S: inputs.scale_out_cooldown_s,
        kernel.SCALE_IN_COOLDOWN_S: inputs.scale_in_cooldown_s,
        kernel.DISABLE_SCALE_IN: inputs.disable_scale_in,
        kernel.METRIC_LAG_S: inputs.metric_lag_s,
        kernel.SCALE_OUT_DATAPOINTS: inputs.scale_out_datapoints,
        kernel.SCALE_IN_DATAPOINTS: inputs.scale_in_datapoints,
        kernel.UNBILLED_S: inputs.unbilled_s,
        kernel.RUNNING_AFTER_S: inputs.running_after_s,
        kernel.DRAIN_S: inputs.drain_s,
        kernel.MINIMUM_BILLED_S: inputs.minimum_billed_s,
        kernel.POLICY: kernel.TARGET_TRACKING,
    }.items():
        whole[place] = value
    real = np.zeros(kernel.N_REAL)
    real[kernel.TASK_VCPU] = inputs.task_vcpu
    real[kernel.TARGET_VALUE] = inputs.target_value
    real[kernel.LOW_FACTOR] = inputs.low_factor
    real[kernel.SCALE_IN_STEP_PERCENT] = inputs.scale_in_step_percent
    n_ring, n_tail = kernel.ring_sizes(inputs.step_s, inputs.metric_lag_s, inputs.drain_s, inputs.minimum_billed_s)
    stacks = [np.full(inputs.max_capacity, -(10**9), dtype=np.int64) for _ in range(3)]
    histogram, totals = np.zeros(kernel.N_BINS + 1), np.zeros(kernel.N_TOTALS)
    n_kept = len(inputs.demand_vcpu) - inputs.record_from
    series = [np.zeros(n_kept, dtype=np.int64) for _ in range(4)] + [np.zeros(n_kept) for _ in range(2)]
    arguments = [
        np.array(inputs.demand_vcpu, dtype=np.float64),
        np.array(inputs.requests, dtype=np.float64),
        whole,
        real,
        np.array(inputs.ready_wait_s, dtype=np.int64),
        *stacks,
        np.zeros(n_ring),
        np.zeros(n_tail, dtype=np.int64),
        histogram,
        totals,
        True,
        *series,
    ]
    if as_lists:
        arguments = [a.tolist() if isinstance(a, np.ndarray) else a for a in arguments]
    loop(*arguments)
    result: dict[str, object] = dict(zip(SERIES, (list(a) for a in arguments[-6:]), strict=True))
    result["histogram"] = list(arguments[10])
    result["totals"] = list(arguments[11])
    return result


def check_equal(inputs: ReferenceInputs, result: dict[str, object]) -> None:
    expected = simulate_reference(inputs)
    for name in SERIES[:4]:
        assert list(result[name]) == list(getattr(expected, name)), name
    assert result["utilization"] == pytest.approx(expected.utilization, rel=1e-12)
    metric = [math.nan if value < 0 else value for value in result["metric_percent"]]
    assert metric == pytest.approx(expected.metric_percent, rel=1e-12, nan_ok=True)
    assert result["histogram"] == pytest.approx(expected.histogram, rel=1e-12)
    totals = result["totals"]
    assert totals[kernel.BILLED_TASK_S] == expected.billed_task_s
    assert totals[kernel.RUNNING_TASK_S] == sum(expected.running_s)
    assert totals[kernel.LAUNCHED] == expected.launched
    assert totals[kernel.REMOVED] == expected.removed
    assert totals[kernel.STEPS_OVER_CAPACITY] == expected.steps_over_capacity
    assert totals[kernel.UNSERVED_VCPU_S] == pytest.approx(expected.unserved_vcpu_s, rel=1e-9, abs=1e-6)
    assert totals[kernel.PEAK_DESIRED_COUNT] == expected.peak_desired_count
    assert totals[kernel.PEAK_UTILIZATION] == pytest.approx(expected.peak_utilization, rel=1e-12)


@st.composite
def scenarios(draw: st.DrawFn) -> ReferenceInputs:
    """Loads that rise, fall and stand still, with parameters that make tasks overlap in every way."""
    level = draw(st.sampled_from([15.0, 6.0, 2.0, 0.5]))
    pieces = draw(
        st.lists(
            st.tuples(
                st.integers(4, 45),
                st.sampled_from([1.0, 0.1, 0.0, 0.6, 0.25]) | st.floats(0, 1),
                st.sampled_from(["hold", "ramp", "noise"]),
            ),
            min_size=3,
            max_size=9,
        )
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    demand: list[float] = []
    last = 0.0
    for length, height, shape in pieces:
        goal = height * level
        if shape == "hold":
            demand += [goal] * length
        elif shape == "ramp":
            demand += np.linspace(last, goal, length).tolist()
        else:
            demand += (goal * random.uniform(0.5, 1.5, length)).tolist()
        last = goal
    min_capacity = draw(st.integers(1, 6))
    unbilled_s = draw(st.sampled_from([0, 10, 25]))
    return ReferenceInputs(
        demand_vcpu=demand,
        requests=[d * 1200.0 for d in demand],
        record_from=draw(st.integers(0, len(demand) - 1)),
        step_s=draw(st.sampled_from([20, 60])),
        task_vcpu=draw(st.sampled_from([0.25, 0.5, 1.0, 2.0])),
        min_capacity=min_capacity,
        max_capacity=min_capacity + draw(st.sampled_from([60, 12, 3, 0])),
        target_value=draw(st.sampled_from([30.0, 50.0, 60.0, 75.0, 100.0])),
        scale_out_cooldown_s=draw(st.sampled_from([0, 60, 90, 300])),
        scale_in_cooldown_s=draw(st.sampled_from([0, 60, 90, 300])),
        disable_scale_in=draw(st.booleans()) and draw(st.booleans()),
        metric_lag_s=draw(st.sampled_from([0, 15, 60, 150])),
        scale_out_datapoints=draw(st.sampled_from([1, 3])),
        scale_in_datapoints=draw(st.sampled_from([2, 5, 15])),
        low_factor=draw(st.sampled_from([0.7, 0.9, 1.0])),
        scale_in_step_percent=draw(st.sampled_from([0.0, 10.0, 50.0, 100.0])),
        unbilled_s=unbilled_s,
        running_after_s=unbilled_s + draw(st.sampled_from([0, 13, 45, 400])),
        ready_wait_s=draw(st.lists(st.integers(0, 200), min_size=1, max_size=7)),
        drain_s=draw(st.sampled_from([0, 7, 60, 330])),
        minimum_billed_s=draw(st.sampled_from([0, 60, 300])),
    )


@settings(max_examples=250, deadline=None)
@given(scenarios())
def test_loop_equals_reference(inputs: ReferenceInputs) -> None:
    check_equal(inputs, run_kernel(inputs))


@settings(max_examples=250, deadline=None)
@given(scenarios())
def test_compiled_loop_equals_reference(inputs: ReferenceInputs) -> None:
    check_equal(inputs, run_kernel(inputs, compiled_run(), as_lists=False))


def test_random_scenarios_do_scale() -> None:
    """The agreement above is worth something only if the random scenarios launch and remove tasks."""
    moved = {"launched": 0, "removed": 0, "over": 0}

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(scenarios())
    def count(inputs: ReferenceInputs) -> None:
        result = simulate_reference(replace(inputs, record_from=0))
        moved["launched"] += result.launched > 0
        moved["removed"] += result.removed > 0
        moved["over"] += result.steps_over_capacity > 0

    count()
    assert moved["launched"] >= 40
    assert moved["removed"] >= 15
    assert moved["over"] >= 20
