"""AWS's published benchmark of June 2026: how long a spike lasts until the service scales out, and until the new tasks are provisioned.

AWS measured, from the spike on, 363 s to the scale-out and 386 s to provisioned tasks with standard metrics, 86 s and 109 s with 20-second ones
("Amazon ECS: faster auto scaling with high resolution metrics", June 2026). One run says nothing about the moment of its spike, so the
simulation's figures are means over the moments of a minute.
"""

import functools

import numpy as np
import pytest

from estimator.service.behavior import AwsBehavior
from estimator.service.policies import ECS_CPU, ECS_CPU_20S, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

#: AWS's figures by metric: to the scale-out, and to provisioned tasks. [s]
PUBLISHED_S = {ECS_CPU: (363, 386), ECS_CPU_20S: (86, 109)}
TOLERANCE = 0.10
TASKS, SPIKE_S, HELD_S, STEP_S = 4, 3 * 3600, 600, 10
#: Utilization before the spike, and a target above it. [%]
SITUATIONS = [(before, target) for target in (40, 60, 75) for before in (10, 20, 30, 50) if before < target]


def spike(before_percent, second):
    """Four hours of a load on 10-second steps that fills the four tasks for ten minutes, from a second of the fourth hour on."""
    rate = np.full(4 * 3600 // STEP_S, float(before_percent))
    begin = (SPIKE_S + second) // STEP_S
    rate[begin : begin + HELD_S // STEP_S] = 100.0
    # 4 tasks of 0.25 vCPU and 10 ms of CPU: each request a second is one percent.
    return Workload(LoadProfile(rate, STEP_S), cpu_ms_per_request=10)


def provisioned_at(series, before_s):
    """Second from which the first new tasks run: what runs of the step says how much of it they had."""
    first = before_s // series.step_s
    more_s = (series.running_count[first:] - TASKS) * series.step_s
    k = int(np.flatnonzero(more_s > 1e-6)[0])
    return (first + k + 1) * series.step_s - more_s[k] / (series.desired_count[first + k] - TASKS)


@functools.cache
def delays():
    """Seconds from the spike to the scale-out and to provisioned tasks, by metric, situation and moment of the minute."""
    found = {}
    for before in sorted({before for before, _ in SITUATIONS}):
        ways = [(metric, target) for metric in PUBLISHED_S for load, target in SITUATIONS if load == before]
        specs = [
            ServiceSpec(
                TaskSize(256, 512), "X86_64", TASKS, 10,
                TargetTrackingScalingPolicy(target, predefined_metric_type=metric),
            )
            for metric, target in ways
        ]  # fmt: skip
        for second in range(0, 60, STEP_S):
            run = simulate(spike(before, second), specs, keep_series=range(len(specs)))
            at = SPIKE_S + second
            for i, (metric, target) in enumerate(ways):
                series = run.series[i]
                assert series.desired_count[at // series.step_s] == TASKS
                out = next(one.time_s for one in series.activities if one.time_s >= at)
                found.setdefault((metric, before, target), []).append((out - at, provisioned_at(series, at) - at))
    return {key: np.array(values) for key, values in found.items()}


@pytest.mark.parametrize(("before", "target"), SITUATIONS)
@pytest.mark.parametrize("metric", PUBLISHED_S)
def test_a_spike_is_answered_as_fast_as_aws_measured(metric, before, target):
    mean = delays()[metric, before, target].mean(axis=0)
    assert mean == pytest.approx(PUBLISHED_S[metric], rel=TOLERANCE), (
        f"from {before} % with a target of {target} %: {mean.round(1)} s, AWS {PUBLISHED_S[metric]} s"
    )


@pytest.mark.parametrize("metric", PUBLISHED_S)
def test_over_all_situations_the_mean_is_aws_s(metric):
    mean = np.mean([values.mean(axis=0) for (name, _, _), values in delays().items() if name == metric], axis=0)
    assert mean == pytest.approx(PUBLISHED_S[metric], rel=0.05), f"{mean.round(1)} s, AWS {PUBLISHED_S[metric]} s"


@pytest.mark.parametrize(
    ("metric", "period_s", "lag_s", "within"), [(ECS_CPU, 60, 180, (330, 390)), (ECS_CPU_20S, 20, 25, (75, 95))]
)
def test_the_mean_over_a_minute_is_what_the_lag_s_docstring_says(metric, period_s, lag_s, within):
    """Three periods and the lag, counted from the period that is over the target: the spike's own if enough of it is left, else the next."""
    behavior = AwsBehavior()
    assert (behavior.metric_lag_s if period_s == 60 else behavior.high_resolution_metric_lag_s) == lag_s
    for (name, before, target), values in delays().items():
        if name == metric:
            inside = np.arange(0, 60, STEP_S) % period_s
            # The period's mean: the old load until the spike, 100 percent from then on.
            own = (before * inside + 100 * (period_s - inside)) / period_s > target
            expected = 3 * period_s + lag_s - inside + np.where(own, 0, period_s)
            assert values[:, 0].tolist() == expected.tolist(), (before, target)
            assert within[0] <= values[:, 0].mean() <= within[1], (before, target)


@pytest.mark.parametrize("metric", PUBLISHED_S)
def test_tasks_of_a_small_image_are_provisioned_23_s_after_the_scale_out(metric):
    """AWS: 386 - 363 = 109 - 86 = 23 s, before any health check."""
    for (name, before, target), values in delays().items():
        if name == metric:
            np.testing.assert_allclose(values[:, 1] - values[:, 0], 23, atol=1e-6, err_msg=f"{before} % {target} %")


@pytest.mark.parametrize("metric", PUBLISHED_S)
@pytest.mark.parametrize("factor", [2.5, 10])
def test_a_spike_far_over_capacity_is_not_answered_earlier(metric, factor):
    """CPU utilization ends at 100 percent: a tenfold load asks as late as one that just fills the tasks."""
    rate = np.full(720, 40.0)
    rate[540:570] *= factor
    work = Workload(LoadProfile(rate, 20), cpu_ms_per_request=10)
    policy = TargetTrackingScalingPolicy(60, predefined_metric_type=metric)
    series = simulate(work, [ServiceSpec(TaskSize(256, 512), "X86_64", TASKS, 10, policy)], keep_series=[0]).series[0]
    out = next(one for one in series.activities if one.time_s >= SPIKE_S)
    # The spike begins with a minute: three periods and the lag.
    assert out.time_s - SPIKE_S == (360 if metric == ECS_CPU else 85)
    assert out.desired_count == 7  # 4 x 100 / 60 = 6.67
