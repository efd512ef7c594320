"""What the engine makes of the loop: figures that arithmetic says, and results that depend on nothing else."""

import math
import sys

import numpy as np
import pytest

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation import courses
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

FIGURES = (
    "billed_task_hours",
    "running_task_hours",
    "launched",
    "removed",
    "minutes_over_capacity",
    "unserved_requests",
    "peak_desired_count",
    "peak_utilization",
    "p50_latency_ms",
    "p95_latency_ms",
    "p99_latency_ms",
)


def spec(minimum=1, maximum=100, target=60.0, cpu_units=256, architecture="X86_64", **policy):
    memory = {256: 512, 512: 1024, 1024: 2048, 2048: 4096}[cpu_units]
    return ServiceSpec(
        TaskSize(cpu_units, memory),
        architecture,
        minimum,
        maximum,
        TargetTrackingScalingPolicy(target, **policy),
    )


def steps(*pairs, cpu_ms=10.0, **request):
    """A load of (hours, requests/s) one after the other, in minutes."""
    series = np.concatenate([np.full(round(60 * hours), float(rate)) for hours, rate in pairs])
    return Workload(LoadProfile(series, 60), cpu_ms_per_request=cpu_ms, **request)


def equal(one, other):
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_fixed_count_costs_what_arithmetic_says(n):
    run = simulate(steps((24, 10)), [spec(n, n)], keep_series=[0])
    # n tasks for a day; nothing starts or stops.
    assert run.billed_task_hours.tolist() == run.running_task_hours.tolist() == [24 * n]
    assert run.mean_billed_count.tolist() == [n]
    assert run.launched.tolist() == run.removed.tolist() == [0]
    assert run.peak_desired_count.tolist() == [n]
    # 10 requests/s x 0.01 s of CPU over n x 0.25 vCPU.
    np.testing.assert_allclose(run.series[0].utilization, 0.4 / n)
    np.testing.assert_allclose(run.series[0].cpu_utilization_percent, 40 / n, atol=1e-6)


# Tasks = ceil(requests/s x CPU seconds / (vCPU x target)).
@pytest.mark.parametrize(
    ("rate", "cpu_ms", "cpu_units", "target", "tasks"),
    [
        (100, 10, 256, 50, 8),  # 1 vCPU / (0.25 x 0.5) = 8 exactly: no ninth from rounding
        (100, 10, 256, 60, 7),  # 6.67
        (351, 40, 1024, 70, 21),  # 20.06
        (20, 20, 512, 40, 2),  # 0.4 / 0.2
        (1000, 5, 2048, 75, 4),  # 5 / 1.5 = 3.33
        (1, 10, 256, 60, 1),  # 0.07
    ],
)
def test_from_below_a_constant_load_gets_what_it_needs_and_keeps_it(rate, cpu_ms, cpu_units, target, tasks):
    run = simulate(steps((24, rate), cpu_ms=cpu_ms), [spec(1, 100, target, cpu_units)], keep_series=[0])
    assert set(run.series[0].desired_count.tolist()) == {tasks}
    assert run.billed_task_hours.tolist() == [24 * tasks]
    assert run.minutes_over_capacity.tolist() == run.launched.tolist() == [0]


def test_too_small_a_maximum_is_over_capacity_all_day():
    run = simulate(steps((24, 100)), [spec(1, 3)], keep_series=[0])
    assert run.peak_desired_count.tolist() == [3]
    assert run.billed_task_hours.tolist() == [72]
    assert run.minutes_over_capacity.tolist() == [1440]
    # 3 tasks of 0.25 vCPU serve 75 of the 100 requests/s: 25 x 86400 are not.
    assert run.unserved_requests[0] == pytest.approx(2_160_000)
    assert run.peak_utilization[0] == pytest.approx(4 / 3)
    assert np.isinf(run.p95_latency_ms).all()
    # The metric never exceeds 100.
    assert run.series[0].cpu_utilization_percent.max() == 100


# Two tasks of 0.25 vCPU at m percent: m/2 requests/s of 10 ms.
@pytest.mark.parametrize(("metric", "tasks"), [(31, 2), (30.5, 2), (30, 1), (20, 1)])
def test_two_tasks_do_not_become_one_until_half_the_target(metric, tasks):
    run = simulate(steps((3, 28), (21, metric / 2)), [spec(1, 10)], keep_series=[0])
    counts = run.series[0].desired_count
    assert counts.max() == 2
    assert counts[-1] == tasks
    if tasks == 2:
        assert set(counts.tolist()) == {2}


def test_scale_in_waits_for_fifteen_minutes_and_scale_out_for_three():
    # Defaults: 180 s of lag, so what minute k begins with is the datapoint of minute k - 4.
    run = simulate(steps((6, 5), (6, 28)), [spec(1, 10)], keep_series=[0])
    counts = run.series[0].desired_count
    rise = 360 + int(np.flatnonzero(counts[360:] > 1)[0])
    # Minutes 360, 361, 362 are over the target; the last one's datapoint acts as minute 366 begins: 360 s, AWS measured 363.
    assert rise == 366
    fall = int(np.flatnonzero(counts[:360] < 2)[0])
    # Minutes 0 to 14 are under; the last one's datapoint acts as minute 18 begins.
    assert fall == 18


def test_a_started_task_is_paid_from_the_pull_and_serves_from_its_health_check():
    application = Application(image_mb=300, boot_s=60, health_check_interval_s=5)
    behavior = AwsBehavior(registration_s=0)
    run = simulate(steps((6, 5), (6, 28)), [spec(1, 10)], application, behavior, keep_series=[0])
    series = run.series[0]
    # Decision as minute 366 begins. Paid from 10 s later; running after 23 + 300/10 = 53 s; healthy 60 to 64 s later.
    np.testing.assert_allclose(series.billed_count[365:368] * 60, [60, 60 + 50, 120])
    np.testing.assert_allclose(series.running_count[365:368] * 60, [60, 60 + 7, 120])
    np.testing.assert_allclose(series.pending_count[365:368] * 60, [0, 53, 0])
    healthy = series.healthy_count[365:370] * 60
    assert healthy[:2].tolist() == [60, 60]
    assert 60 + 60 - 57 <= healthy[2] <= 60 + 60 - 53
    assert healthy[3:].tolist() == [120, 120]


def test_a_removed_task_is_paid_while_it_drains():
    application = Application(deregistration_delay_s=100, stop_timeout_s=20)
    run = simulate(steps((6, 5), (6, 28)), [spec(1, 10)], application, keep_series=[0])
    series = run.series[0]
    # Removed as minute 18 begins; paid for 120 s more.
    np.testing.assert_allclose(series.running_count[17:20] * 60, [120, 60, 60])
    np.testing.assert_allclose(series.billed_count[17:22] * 60, [120, 120, 120, 60, 60])
    np.testing.assert_allclose(series.draining_count[17:22] * 60, [0, 60, 60, 0, 0])


def _many():
    return [
        spec(minimum, 40, target, cpu_units, architecture)
        for minimum in (1, 3)
        for target in (40.0, 70.0)
        for cpu_units in (256, 1024)
        for architecture in ("X86_64", "ARM64")
    ]


WORK = steps((2, 20), (1, 200), (3, 60), arm64_relative_speed=1.2)


def test_a_batch_equals_one_at_a_time():
    together = simulate(WORK, _many())
    for i, one in enumerate(_many()):
        alone = simulate(WORK, [one])
        for name in FIGURES:
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i], rel=1e-12), name


def test_permuting_candidates_permutes_results():
    order = np.random.default_rng(3).permutation(16)
    straight, shuffled = simulate(WORK, _many()), simulate(WORK, [_many()[i] for i in order])
    for name in FIGURES:
        np.testing.assert_allclose(getattr(shuffled, name), getattr(straight, name)[order], rtol=1e-12, err_msg=name)


def test_the_same_candidate_twice_is_the_same():
    run = simulate(WORK, [spec(), spec(2), spec()], keep_series=[0, 2])
    for name in FIGURES:
        values = getattr(run, name)
        assert values[0] == values[2]
    np.testing.assert_array_equal(run.series[0].desired_count, run.series[2].desired_count)


def test_compiled_equals_uncompiled(monkeypatch):
    monkeypatch.setattr(courses, "UNCOMPILED_STEPS", 10**12)
    monkeypatch.delitem(sys.modules, "estimator.simulation.compiled", raising=False)
    uncompiled = simulate(WORK, _many(), keep_series=[0, 5])
    assert "estimator.simulation.compiled" not in sys.modules
    monkeypatch.setattr(courses, "UNCOMPILED_STEPS", 0)
    compiled = simulate(WORK, _many(), keep_series=[0, 5])
    assert "estimator.simulation.compiled" in sys.modules
    for name in FIGURES:
        np.testing.assert_allclose(getattr(compiled, name), getattr(uncompiled, name), rtol=1e-12, err_msg=name)
    for i in (0, 5):
        for name in ("desired_count", "running_count", "healthy_count", "billed_count"):
            np.testing.assert_array_equal(getattr(compiled.series[i], name), getattr(uncompiled.series[i], name))


def test_the_seed_alone_decides():
    one, again = (simulate(WORK, _many(), behavior=AwsBehavior(seed=5)) for _ in range(2))
    equal(one, again)
    # Another seed lets the first health checks fall at other seconds.
    other = simulate(WORK, [spec()], behavior=AwsBehavior(seed=6), keep_series=[0]).series[0]
    first = simulate(WORK, [spec()], behavior=AwsBehavior(seed=5), keep_series=[0]).series[0]
    assert (other.healthy_count != first.healthy_count).any()


def test_counts_stay_within_minimum_and_maximum():
    rng = np.random.default_rng(11)
    for _ in range(12):
        minimum = int(rng.integers(1, 6))
        maximum = minimum + int(rng.integers(0, 15))
        work = Workload(LoadProfile(rng.uniform(0, 300, 24) ** 2 / 300, 600), cpu_ms_per_request=10)
        one = spec(minimum, maximum, float(rng.integers(20, 90)), scale_in_cooldown_s=60, scale_out_cooldown_s=60)
        series = simulate(work, [one], keep_series=[0]).series[0]
        assert minimum <= series.desired_count.min() <= series.desired_count.max() <= maximum
        assert (series.healthy_count <= series.running_count + 1e-9).all()
        assert series.running_count.max() <= maximum + 1e-9
        assert np.nanmax(series.cpu_utilization_percent) <= 100


def test_disabled_scale_in_never_removes():
    run = simulate(WORK, [spec(disable_scale_in=True)], keep_series=[0])
    assert run.removed.tolist() == [0]
    # The warm-up has reached the peak's count: it stays.
    assert len(set(run.series[0].desired_count.tolist())) == 1


def test_candidates_that_differ_in_memory_or_price_have_the_same_course():
    never = AwsBehavior(spot_interruptions_per_task_hour=0)
    one = ServiceSpec(TaskSize(256, 512), max_capacity=50)
    other = ServiceSpec(TaskSize(256, 2048), max_capacity=50, capacity_provider_strategy="FARGATE_SPOT")
    run = simulate(WORK, [one, other], behavior=never)
    for name in FIGURES:
        assert len(set(getattr(run, name).tolist())) == 1
    assert run.spot_billed_task_hours.tolist() == [0, run.billed_task_hours[1]]


def test_a_faster_architecture_needs_fewer_tasks():
    run = simulate(
        steps((6, 100), arm64_relative_speed=2.0), [spec(target=50.0), spec(target=50.0, architecture="ARM64")]
    )
    # 1 vCPU / 0.125 = 8; half the work: 4.
    assert (run.billed_task_hours / 6).tolist() == [8, 4]


def test_no_traffic_keeps_the_minimum():
    run = simulate(steps((6, 0)), [spec(2, 10)], keep_series=[0])
    assert run.billed_task_hours.tolist() == [12]
    assert run.p95_latency_ms.tolist() == run.peak_utilization.tolist() == run.unserved_requests.tolist() == [0]
    assert set(run.series[0].cpu_utilization_percent.tolist()) == {0}


def test_progress_ends_at_all():
    seen = []
    simulate(WORK, _many(), progress=seen.append)
    assert len(seen) == 16
    assert max(seen) == 1
    assert min(seen) > 0


def test_the_series_as_a_table():
    table = simulate(WORK, [spec()], keep_series=[0]).series[0].to_frame()
    assert table.index.tolist()[:3] == [0, 60, 120]
    assert len(table) == 360
    assert math.isclose(table["requests_per_s"].mean(), (2 * 20 + 200 + 3 * 60) / 6)


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_a_period_told_twice_is_the_same_period(hours):
    rng = np.random.default_rng(hours)
    rates = rng.uniform(10, 60, 6 * hours)
    one, two = (
        simulate(Workload(LoadProfile(np.tile(rates, n), 600), cpu_ms_per_request=10), [spec(1, 20)]) for n in (1, 2)
    )
    assert one.mean_billed_count[0] == pytest.approx(two.mean_billed_count[0], rel=1e-3)


# Faults that were there once.
def test_an_exact_fit_needs_no_task_more():
    # 350 requests/s x 0.04 s = 14 vCPU; 14 / 0.7 = 20 tasks of 1 vCPU at exactly 70 percent.
    run = simulate(steps((24, 350), cpu_ms=40), [spec(1, 100, 70.0, 1024)])
    assert run.billed_task_hours.tolist() == [24 * 20]


def test_a_constant_load_does_not_depend_on_the_length_of_its_period():
    candidate = spec(1, 2000, scale_out_cooldown_s=1800)
    hour, day = (simulate(steps((hours, 3000), cpu_ms=20.0), [candidate]) for hours in (1, 24))
    # 60 vCPU / (0.25 x 0.6) = 400 tasks, whether the profile has an hour or a day.
    assert day.mean_billed_count[0] == pytest.approx(400)
    assert hour.mean_billed_count[0] == pytest.approx(400)


def test_a_service_that_never_scales_in_keeps_the_peak_of_its_period():
    # 30 days at 2 vCPU with one day at 8 vCPU: tracked at 60 %, 14 tasks of 1 vCPU from then on, and so always.
    days = np.full(30, 40.0)
    days[4] = 160.0
    work = Workload(LoadProfile(np.repeat(days, 24), 3600), cpu_ms_per_request=50)
    never = ServiceSpec(
        TaskSize(1024, 2048),
        min_capacity=2,
        max_capacity=40,
        scaling=TargetTrackingScalingPolicy(60, disable_scale_in=True),
    )
    run = simulate(work, [never])
    assert run.mean_billed_count[0] == pytest.approx(14.0)


@pytest.mark.parametrize("uncompiled_steps", [0, 10**12])
def test_what_progress_raises_ends_the_run(monkeypatch, uncompiled_steps):
    monkeypatch.setattr(courses, "UNCOMPILED_STEPS", uncompiled_steps)
    seen = []

    def cancel(part):
        seen.append(part)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(WORK, _many(), progress=cancel)
    assert len(seen) == 3
