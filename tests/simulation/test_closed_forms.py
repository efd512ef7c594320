"""Counts, times and sums that arithmetic says, through `simulate` alone: target tracking, its cooldowns, several policies; nothing is lost."""

import itertools
import math

import numpy as np
import pytest

from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    ECS_MEMORY,
    ECS_MEMORY_20S,
    ScheduledAction,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SMALL, MEDIUM, LARGE = TaskSize(256, 512), TaskSize(1024, 2048), TaskSize(4096, 8192)


def hours(*pairs, step_s=60, cpu_ms=10.0, **request):
    """A load of (hours, requests/s) one after the other. A task of 0.25 vCPU serves 25 requests of 10 ms in a second."""
    series = np.concatenate([np.full(round(3600 * length / step_s), float(rate)) for length, rate in pairs])
    return Workload(LoadProfile(series, step_s), cpu_ms_per_request=cpu_ms, **request)


def tracking(target, metric=ECS_CPU, **policy):
    return TargetTrackingScalingPolicy(target, predefined_metric_type=metric, **policy)


def service(*policies, size=SMALL, minimum=1, maximum=1000, **spec):
    return ServiceSpec(size, "X86_64", minimum, maximum, policies, **spec)


def series_of(work, spec, **how):
    return simulate(work, [spec], keep_series=[0], **how).series[0]


def moves(series, since_s=0):
    """Times from a second on and the counts that were set."""
    return [(one.time_s - since_s, one.desired_count) for one in series.activities if one.time_s >= since_s]


# --- Where a constant load comes to rest --------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [ECS_CPU, ECS_CPU_20S])
@pytest.mark.parametrize(
    ("rate", "cpu_ms", "size", "target", "tasks"),
    [
        (100, 10, SMALL, 50, 8),  # 1 vCPU / (0.25 x 0.5): an exact fit
        (100, 10, SMALL, 49, 9),  # 8.16
        (351, 40, MEDIUM, 70, 21),  # 14.04 / 0.7 = 20.06
        (350, 40, MEDIUM, 70, 20),  # 14 / 0.7, exactly
        (4000, 7.5, LARGE, 75, 10),  # 30 / 3
        (4001, 7.5, LARGE, 75, 11),
        (1, 10, SMALL, 60, 1),  # 0.07
    ],
)
def test_cpu_from_below(metric, rate, cpu_ms, size, target, tasks):
    assert tasks == math.ceil(rate * cpu_ms / 10 / size.vcpu / target - 1e-9)
    spec = service(tracking(target, metric), size=size)
    series = series_of(hours((2, rate), cpu_ms=cpu_ms), spec)
    assert set(series.desired_count.tolist()) == {tasks}
    assert series.billed_count.tolist() == [tasks] * series.billed_count.size


@pytest.mark.parametrize(
    ("rate", "target", "tasks"), [(100, 600, 10), (100, 599, 11), (50, 1000, 3), (1000, 1500, 40), (2, 1000, 1)]
)
def test_requests_per_target_from_below(rate, target, tasks):
    # Requests a minute over the target.
    assert tasks == math.ceil(60 * rate / target)
    series = series_of(hours((2, rate), cpu_ms=1.0), service(tracking(target, ALB_REQUESTS)))
    assert set(series.desired_count.tolist()) == {tasks}
    np.testing.assert_allclose(series.datapoints[0], 60 * rate / tasks, atol=1e-6)


@pytest.mark.parametrize("metric", [ECS_MEMORY, ECS_MEMORY_20S])
@pytest.mark.parametrize(
    ("rate", "target", "size", "tasks"),
    [
        # A request of 1 ms is 4 ms in a quarter of a vCPU and waits for a second: 1.004 x 2 MiB. 60 % of 512 MiB leave 179.2 beside 128.
        (300, 60, SMALL, 4),  # 602.4 / 179.2 = 3.36
        (800, 60, SMALL, 9),  # 1606.4 / 179.2 = 8.96
        (300, 26, SMALL, 118),  # 602.4 / 5.12 = 117.66: little room beside what an idle task has
        # On a whole vCPU it is 1.001 s: 2.002 MiB; 50 % of 2048 leave 896.
        (4000, 50, MEDIUM, 9),  # 8008 / 896 = 8.94
    ],
)
def test_memory_from_below(metric, rate, target, size, tasks):
    work = hours((2, rate), cpu_ms=1.0, wait_ms_per_request=1000, baseline_memory_mib=128, memory_mib_per_request=2)
    series = series_of(work, service(tracking(target, metric), size=size))
    in_flight_mib = rate * (0.001 / min(size.vcpu, 1) + 1) * 2
    assert tasks == math.ceil(in_flight_mib / (size.memory_mib * target / 100 - 128))
    assert set(series.desired_count.tolist()) == {tasks}
    percent = 100 * (128 + in_flight_mib / tasks) / size.memory_mib
    np.testing.assert_allclose(series.memory_utilization_percent, percent, atol=1e-6)
    known = series.datapoints[0][np.isfinite(series.datapoints[0])]
    np.testing.assert_allclose(known, percent, atol=1e-6)


@pytest.mark.parametrize(
    ("metric", "target", "full"), [(ECS_CPU, 60, 4.0), (ECS_CPU_20S, 40, 4.0), (ALB_REQUESTS, 900, 60.0)]
)
@pytest.mark.parametrize("rate", [20, 33, 100, 140])
def test_from_above_it_stops_at_the_first_count_that_can_stay(metric, target, full, rate):
    """At each count that it left, the metric was under 0.9 of the target and one task less had not lifted it over; at the last, not."""
    series = series_of(hours((2, 400), (6, rate)), service(tracking(target, metric)))
    step_s = series.step_s
    seen = [count for _, count in moves(series, 2 * 3600)]
    seen = [int(series.desired_count[2 * 3600 // step_s - 1]), *seen]
    assert seen[0] == math.ceil(400 * full / target)
    for before, after in itertools.pairwise(seen):
        value = rate * full / before
        want = math.ceil(before * value / target - 1e-9)
        assert value < 0.9 * target
        assert want < before
        # "More gradually": a tenth of the tasks, at least one.
        assert after == max(want, before - max(1, before // 10))
    last = seen[-1]
    assert series.desired_count[-1] == last
    assert rate * full / last >= 0.9 * target or last == 1 or rate * full / (last - 1) > target


@pytest.mark.parametrize("metric", [ECS_CPU, ECS_CPU_20S])
@pytest.mark.parametrize("tasks", [2, 3, 4, 7, 9])
def test_one_task_goes_when_the_others_can_carry_the_load_and_not_before(metric, tasks):
    """AWS: "we don't remove capacity if it would likely push the metric above the target": two tasks stay until half of it, three until two thirds."""
    edge = 60.0 * (tasks - 1) / tasks
    for percent, left in ((edge, tasks - 1), (edge * 1.001, tasks)):
        # From 59 percent of these tasks down; a task's 25 requests/s are 100 percent.
        work = hours((2, tasks * 25 * 0.59), (2, tasks * 25 * percent / 100))
        series = series_of(work, service(tracking(60, metric)))
        counts = series.desired_count
        assert counts.max() == tasks
        assert counts[-1] == left, percent


def test_ten_tasks_and_more_wait_for_nine_tenths_of_the_target():
    # 9 of 10 could carry 54 percent, which is not under 0.9 x 60.
    for percent, left in ((54, 10), (53.9, 9)):
        series = series_of(hours((2, 250 * 0.59), (2, 250 * percent / 100)), service(tracking(60)))
        assert series.desired_count[119] == 10
        assert series.desired_count[-1] == left
    # 20 tasks at 54.1 percent: 19 could carry it (56.9), but it is not under 54. At 53.9 percent it is: ceil(20 x 53.9 / 60) = 18.
    for percent, left in ((54.1, 20), (53.9, 18)):
        series = series_of(hours((2, 500 * 0.599), (3, 500 * percent / 100)), service(tracking(60)))
        assert series.desired_count[119] == 20
        assert series.desired_count[-1] == left


# --- How fast -----------------------------------------------------------------------------------------------------


def rounds(first, target, at_least):
    """Counts of a service that is full in each round."""
    counts = [first]
    while counts[-1] < at_least:
        counts.append(math.ceil(counts[-1] * 100 / target))
    return counts[1:]


@pytest.mark.parametrize("target", [30, 50, 60, 75])
@pytest.mark.parametrize(("metric", "first_s"), [(ECS_CPU, 360), (ECS_CPU_20S, 85)])
def test_a_full_service_grows_by_100_over_the_target_in_each_cooldown(metric, first_s, target):
    # 4 tasks at 20 percent; then 40 times the load, 1,000 percent: 40 tasks are full, 800 / target x 100 are at the target.
    work = hours((4, 20), (2, 800), (2, 0), step_s=20)
    spec = service(tracking(target, metric, scale_in_cooldown_s=0), minimum=4)
    series = series_of(work, spec)
    found = [move for move in moves(series, 4 * 3600) if move[0] < 7200]
    counts = [count for _, count in found]
    full = rounds(4, target, 800 / 25)  # 32 tasks serve all of it
    assert counts[: len(full)] == full
    assert [time for time, _ in found] == [first_s + 300 * k for k in range(len(counts))]
    assert counts[-1] == max(math.ceil(800 * 4 / target), full[-1])


def test_without_a_cooldown_a_round_lasts_until_its_tasks_run():
    # Decisions at 85, 105, 125, ... s. The four tasks that are launched at 85 s run at 108 s: until then a round still begins from four.
    work = hours((4, 20), (1, 2000), (3, 0), step_s=20)
    spec = service(tracking(50, ECS_CPU_20S, scale_out_cooldown_s=0, scale_in_cooldown_s=0), minimum=4, maximum=16)
    assert [move for move in moves(series_of(work, spec), 4 * 3600) if move[0] < 3600] == [(85, 8), (125, 16)]


def test_requests_per_target_jump_at_once():
    """They are not bounded by 100 percent: a tenfold load is one activity, to the final count."""
    work = hours((4, 95), (4, 950), cpu_ms=1.0)
    series = series_of(work, service(tracking(600, ALB_REQUESTS)))
    assert series.desired_count[239] == 10
    assert moves(series, 4 * 3600) == [(360, 95)]
    # CPU asks again and again: 10 tasks for 1.425 vCPU at 60 percent, 95 for ten times as much; 82 are the first that are not full.
    cpu = series_of(hours((4, 95), (4, 950), cpu_ms=15.0), service(tracking(60)))
    assert cpu.desired_count[239] == 10
    assert moves(cpu, 4 * 3600) == [(360, 17), (660, 29), (960, 49), (1260, 82), (1560, 95)]


@pytest.mark.parametrize(("cooldown_s", "gap_s"), [(0, 60), (60, 60), (61, 120), (300, 300), (301, 360), (1000, 1020)])
def test_a_scale_out_cooldown_ends_to_the_second(cooldown_s, gap_s):
    # Decisions each minute; 4 tasks, then far more than 16 could serve.
    work = hours((7, 0), (1, 9000))
    spec = service(tracking(50, scale_out_cooldown_s=cooldown_s, scale_in_cooldown_s=0), minimum=4, maximum=16)
    assert moves(series_of(work, spec), 7 * 3600) == [(360, 8), (360 + gap_s, 16)]


@pytest.mark.parametrize(("cooldown_s", "gap_s"), [(0, 60), (59, 60), (61, 120), (300, 300), (420, 420), (421, 480)])
def test_a_scale_in_cooldown_ends_to_the_second(cooldown_s, gap_s):
    # 8 tasks, and nothing to do: the last of 15 minutes is known 3 minutes later, then one task at a time.
    work = hours((1, 118), (3, 0))
    spec = service(tracking(60, scale_in_cooldown_s=cooldown_s))
    found = moves(series_of(work, spec), 3600)
    assert found == [(15 * 60 + 180 + gap_s * k, 7 - k) for k in range(7)]


def test_a_scale_out_ends_the_scale_in_cooldown():
    """AWS: "the cooldown period for the scale-in activity stops and doesn't complete"."""
    # 4 tasks at 59 %, then one has nothing to do; a scale-in cooldown of 6 hours.
    spec = service(tracking(60, scale_in_cooldown_s=6 * 3600), minimum=1)
    quiet = series_of(hours((2, 59), (10, 40)), spec)
    assert moves(quiet, 2 * 3600) == [(18 * 60, 3)]
    # 40/s: 3 tasks at 53.3 %. More at hour 3: 59/s are 78.7 percent, 4 tasks again; less at hour 4, and the next one goes at once.
    busy = series_of(hours((2, 59), (1, 40), (1, 59), (8, 40)), spec)
    assert moves(busy, 2 * 3600) == [(18 * 60, 3), (3600 + 360, 4), (7200 + 18 * 60, 3)]


def test_a_scale_in_takes_15_low_minutes_in_a_row():
    # 14 minutes of no load do nothing; 15 do.
    for minutes, falls in ((14, []), (15, [(18 * 60, 1)])):
        work = hours((2, 29), (minutes / 60, 0), ((120 - minutes) / 60, 29))
        found = [move for move in moves(series_of(work, service(tracking(60))), 7200) if move[1] == 1]
        assert found == falls


def test_the_step_of_a_scale_in_is_the_behaviors():
    work = hours((1, 1490), (1, 0))
    for percent, counts in ((10, [90, 81, 73]), (50, [50, 25, 13]), (100, [1]), (0, [99, 98, 97])):
        series = series_of(work, service(tracking(60)), behavior=AwsBehavior(scale_in_step_percent=percent))
        assert series.desired_count[59] == 100
        assert [count for _, count in moves(series, 3600)][:3] == counts


# --- Several policies ---------------------------------------------------------------------------------------------


def test_any_of_several_policies_scales_out_and_the_largest_want_wins():
    """AWS: "scales out if any of the policies are ready to scale out", to what provides the largest capacity."""
    cpu, requests = tracking(50), tracking(600, ALB_REQUESTS)
    # 95/s of 10 ms: 7.6 tasks by CPU, 9.5 by requests; of 20 ms: 15.2 by CPU.
    for cpu_ms, tasks in ((10.0, 10), (20.0, 16)):
        work = hours((2, 95), cpu_ms=cpu_ms)
        one, other = (series_of(work, service(*policies)) for policies in ((cpu, requests), (requests, cpu)))
        assert set(one.desired_count.tolist()) == {tasks}
        np.testing.assert_array_equal(one.desired_count, other.desired_count)


def test_all_policies_must_agree_to_scale_in():
    """AWS: "scales in only if all of the target tracking policies (with the scale-in portion enabled) are ready to scale in"."""
    # From 40 tasks to 100/s. By CPU 8 are at the target and 9 at 44.4 percent, under 45; by requests 11 have 545.5, not under 540.
    work = hours((1, 399), (5, 100))
    cpu, requests = tracking(50), tracking(600, ALB_REQUESTS)
    for policies, left in (((cpu,), 8), ((requests,), 11), ((cpu, requests), 11), ((requests, cpu), 11)):
        series = series_of(work, service(*policies))
        assert series.desired_count[:60].max() >= 32
        assert series.desired_count[-1] == left
    # One that never scales in is not asked; here it never scales out either.
    assert series_of(work, service(cpu, tracking(6000, ALB_REQUESTS, disable_scale_in=True))).desired_count[-1] == 8


def test_a_policy_without_datapoints_holds_what_it_has():
    """Where requests per target are missing without traffic, that policy does not agree, and nobody scales in; at 0 it does."""
    both = service(tracking(50), tracking(600, ALB_REQUESTS))
    silent, quiet = hours((1, 300), (5, 0)), hours((1, 300), (5, 0.001))
    for reported, work, stays in ((False, silent, True), (True, silent, False), (False, quiet, False)):
        counts = series_of(work, both, behavior=AwsBehavior(zero_requests_reported=reported)).desired_count
        assert (len(set(counts.tolist())) == 1) == stays
        assert (counts[-1] == 1) != stays


def test_where_scale_in_is_disabled_the_peak_stays():
    series = series_of(hours((1, 300), (23, 10)), service(tracking(60, disable_scale_in=True)))
    assert set(series.desired_count.tolist()) == {20}  # 3 vCPU / 0.15
    assert series.activities == ()


# --- What a task serves, and what waits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "wait_ms", "per_s"),
    [
        (None, 0, 25),  # 0.25 vCPU / 10 ms
        (None, 1000, 25),  # waiting for others takes no CPU
        (10, 0, 25),  # 10 workers, each 40 ms on a quarter of a vCPU: 250/s
        (10, 960, 10),  # 10 workers / 1 s
        (1, 0, 25),  # one worker of 40 ms is as fast as the CPU
        (24, 960, 24),
        (26, 960, 25),
    ],
)
def test_a_task_serves_the_lesser_of_its_cpu_and_its_workers(limit, wait_ms, per_s):
    work = hours((1, 100), wait_ms_per_request=wait_ms, concurrency_limit_per_task=limit)
    run = simulate(work, [service(minimum=2, maximum=2)], keep_series=[0])
    np.testing.assert_allclose(run.series[0].served_requests, 2 * per_s * 60)
    assert run.peak_utilization[0] == pytest.approx(100 / (2 * per_s))
    assert run.unserved_requests[0] == pytest.approx((100 - 2 * per_s) * 3600)
    # CPU of what is served, not of what is asked for.
    np.testing.assert_allclose(run.series[0].cpu_utilization_percent, 4 * per_s, atol=1e-6)


@pytest.mark.parametrize(
    ("per_task", "timeout_s", "waiting"),
    [
        (0, 60, 0),
        (1000, 0, 0),
        (1000, 60, 2000),  # 1,000 for each of two tasks
        (10_000, 60, 3000),  # what 50 requests/s serve in 60 s
        (10_000, 20, 1000),
    ],
)
def test_as_many_wait_as_have_room_and_are_served_in_time(per_task, timeout_s, waiting):
    # 2 tasks serve 50/s; for ten minutes come 250/s, 12,000 a minute too many.
    work = hours((0.5, 10), (1 / 6, 250), (1 / 3, 10))
    application = Application(queue_per_task=per_task, queue_timeout_s=timeout_s)
    run = simulate(work, [service(minimum=2, maximum=2)], application, keep_series=[0])
    series = run.series[0]
    assert run.peak_queued_requests.tolist() == [waiting]
    assert series.queued_requests[30:40].tolist() == [waiting] * 10
    assert series.refused_requests[30:40].tolist() == [12_000 - waiting] + [12_000] * 9
    # The calm after it serves them first: 40 places a second.
    assert series.served_requests[40] == 600 + min(waiting, 2400)
    assert series.queued_requests[-1] == 0
    assert run.unserved_requests[0] == 120_000 - waiting


@pytest.mark.parametrize(
    ("request_", "share"),
    [
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 0.8}, 0.2),
        ({"lambda_target_share": 0.5}, 0.5),
        ({"behind_cloudfront": True, "cloudfront_hit_ratio": 0.5, "lambda_target_share": 0.6}, 0.2),
    ],
)
def test_what_does_not_reach_the_tasks_asks_for_none(request_, share):
    # 400/s of 10 ms at 50 percent: 32 tasks, or that share of them.
    run = simulate(hours((1, 400), **request_), [service(tracking(50))], keep_series=[0])
    assert set(run.series[0].desired_count.tolist()) == {math.ceil(32 * share - 1e-9)}
    np.testing.assert_allclose(run.series[0].requests_per_s, 400 * share)
    assert run.series[0].served_requests.sum() == pytest.approx(400 * share * 3600)


def test_a_sharing_front_is_the_same_as_a_smaller_load():
    rates = np.random.default_rng(5).uniform(20, 400, 24)
    behind = Workload(LoadProfile(rates, 600), cpu_ms_per_request=10, behind_cloudfront=True, cloudfront_hit_ratio=0.75)
    alone = Workload(LoadProfile(rates / 4, 600), cpu_ms_per_request=10)
    one, other = (simulate(work, [service(tracking(60))]) for work in (behind, alone))
    assert one.billed_task_hours.tolist() == other.billed_task_hours.tolist()
    assert one.p95_latency_ms.tolist() == other.p95_latency_ms.tolist()


# --- Nothing is lost ----------------------------------------------------------------------------------------------


def rough(seed, n_hours=3, step_s=60):
    """Rises, falls and crowds over a few hours, and a service that is sometimes too small for them."""
    random = np.random.default_rng(seed)
    rate = random.uniform(5, 250, 6 * n_hours).repeat(600 // step_s)
    rate[:: 600 // step_s] *= random.uniform(0, 6, 6 * n_hours)
    return Workload(LoadProfile(rate, step_s), cpu_ms_per_request=10, wait_ms_per_request=20)


EAGER = tracking(50, scale_out_cooldown_s=60, scale_in_cooldown_s=60)
WAYS = {
    "cpu": service(EAGER, maximum=60),
    "20 seconds": service(tracking(50, ECS_CPU_20S, scale_in_cooldown_s=20), maximum=60),
    "requests and memory": service(tracking(700, ALB_REQUESTS), tracking(70, ECS_MEMORY), minimum=2, maximum=40),
    "spot": service(EAGER, maximum=60, capacity_provider_strategy="FARGATE_SPOT"),
    "too small": service(EAGER, maximum=4),
    "scheduled": service(EAGER, maximum=60, scheduled_actions=(ScheduledAction("rate(1 hour)", 12),)),
}
QUEUES = {"no queue": Application(), "queue": Application(queue_per_task=500, queue_timeout_s=30)}
BEHAVIOR = AwsBehavior(spot_interruptions_per_task_hour=0.5)


@pytest.fixture(scope="module", params=itertools.product(QUEUES, (60, 20)), ids=str)
def courses(request):
    queue, step_s = request.param
    run = simulate(
        rough(1, step_s=step_s),
        list(WAYS.values()),
        QUEUES[queue],
        BEHAVIOR,
        range(len(WAYS)),
        p95_latency_ms=400,
        keep_hours=True,
    )
    return queue, run


def test_each_request_is_served_refused_or_waits(courses):
    queue, run = courses
    for i, name in enumerate(WAYS):
        series = run.series[i]
        arrivals = series.requests_per_s * series.step_s
        change = np.diff(series.queued_requests)
        gone = series.served_requests + series.refused_requests
        np.testing.assert_allclose(gone[1:] + change, arrivals[1:], rtol=1e-9, atol=1e-6, err_msg=name)
        assert (series.queued_requests > 0).any() == (queue == "queue"), name
        assert run.unserved_requests[i] == pytest.approx(series.refused_requests.sum())
        assert run.unserved_requests[i] > 0, name
        # Nobody is served by tasks that are not there.
        capacity = series.healthy_count * series.step_s * 25
        assert (series.served_requests <= capacity + 1e-6).all()
        np.testing.assert_allclose(
            series.utilization[1:] * capacity[1:], arrivals[1:] + series.queued_requests[:-1], rtol=1e-9, err_msg=name
        )


def test_what_runs_is_billed_and_what_is_healthy_runs(courses):
    _, run = courses
    for i, name in enumerate(WAYS):
        series = run.series[i]
        assert (series.healthy_count <= series.running_count + 1e-12).all(), name
        assert (series.running_count + series.draining_count <= series.billed_count + 1e-12).all(), name
        assert (series.spot_billed_count <= series.billed_count).all()
        assert series.running_count.sum() * series.step_s / 3600 == pytest.approx(run.running_task_hours[i])
    assert (run.launched > 0).sum() == (run.removed > 0).sum() == len(WAYS) - 1  # one is always too small


def test_the_hours_add_up(courses):
    _, run = courses
    for i, name in enumerate(WAYS):
        series = run.series[i]
        table = series.by_hour()
        assert table["billed_task_s"].sum() / 3600 == pytest.approx(run.billed_task_hours[i], rel=1e-12), name
        assert series.billed_count.sum() * series.step_s / 3600 == pytest.approx(run.billed_task_hours[i], rel=1e-12)
        for provider, billed in run.billed_task_s_by_hour.items():
            own = table[table["capacity_provider"] == provider].sort_values("hour")["billed_task_s"]
            np.testing.assert_allclose(billed[i], own, rtol=1e-9, atol=1e-6, err_msg=name)
        spot = run.billed_task_s_by_hour["FARGATE_SPOT"][i].sum() / 3600
        assert spot == pytest.approx(run.spot_billed_task_hours[i])
        assert (spot > 0) == (name == "spot")


def test_minutes_over_capacity_are_those_of_the_series(courses):
    _, run = courses
    for i in range(len(WAYS)):
        series = run.series[i]
        over = series.utilization > 1 + 1e-9
        assert run.minutes_over_capacity[i] == pytest.approx(over.sum() * series.step_s / 60)
        assert run.peak_utilization[i] == series.utilization.max()
        assert run.peak_desired_count[i] == series.desired_count.max()


def test_a_step_misses_the_promise_if_its_p95_does(courses):
    queue, run = courses
    for i, name in enumerate(WAYS):
        series = run.series[i]
        slow = (series.p95_latency_ms > 400) | (series.utilization > 1 + 1e-9)
        waited = (np.concatenate([[0], series.queued_requests[:-1]]) > 0) | (series.queued_requests > 0)
        # Requests that wait are late, however short.
        assert run.minutes_over_promise[i] == pytest.approx((slow | waited).sum() * series.step_s / 60), name
        assert waited.any() == (queue != "no queue" and run.minutes_over_capacity[i] > 0)
        assert run.minutes_over_promise[i] >= run.minutes_over_capacity[i]
    assert (run.minutes_over_promise > run.minutes_over_capacity).sum() >= 4


def test_twenty_and_sixty_seconds_tell_the_same():
    """A load by the minute, told in steps of 20 seconds: 60-second metrics and what follows from them are the same, to the second."""
    # No minute is over capacity: else it matters when in it the tasks were too few.
    rates = np.random.default_rng(2).uniform(5, 250, 18).repeat(10)
    minute, fine = (
        Workload(load, cpu_ms_per_request=10) for load in (LoadProfile(rates, 60), LoadProfile(rates.repeat(3), 20))
    )
    ways = [
        service(tracking(30), minimum=12, maximum=90),
        service(tracking(500, ALB_REQUESTS), tracking(28, ECS_MEMORY), minimum=14, maximum=90),
        service(tracking(30), minimum=12, maximum=90, capacity_provider_strategy="FARGATE_SPOT"),
    ]
    behavior = AwsBehavior(spot_interruptions_per_task_hour=0)
    one, other = (simulate(work, ways, behavior=behavior, keep_series=range(3)) for work in (minute, fine))
    assert one.minutes_over_capacity.tolist() == [0, 0, 0]
    for i in range(3):
        coarse, steps = one.series[i], other.series[i]
        assert (coarse.step_s, steps.step_s) == (60, 20)
        assert moves(coarse) == moves(steps)
        assert len(moves(coarse)) > 5
        for name in (
            "running_count",
            "billed_count",
            "healthy_count",
            "pending_count",
            "draining_count",
            "spot_billed_count",
        ):
            means = getattr(steps, name).reshape(-1, 3).mean(axis=1)
            np.testing.assert_allclose(means, getattr(coarse, name), rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(steps.datapoints[:, 2::3], coarse.datapoints, atol=2e-6)
        assert np.isnan(steps.datapoints[:, 0::3]).all()
        assert np.isnan(steps.datapoints[:, 1::3]).all()
    np.testing.assert_allclose(one.billed_task_hours, other.billed_task_hours, rtol=1e-12)
