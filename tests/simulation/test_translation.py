"""What a scenario's words become in time: schedules, forecasts, quotas, launch rates, start times; followed through `simulate`, by hand."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU,
    ECS_CPU_20S,
    PredictiveScalingPolicy,
    ScheduledAction,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.dynamics import dynamics_of
from estimator.simulation.engine import simulate
from estimator.simulation.forecast import merge_bounds
from estimator.simulation.translation import inputs_of, scheduled_bounds, setting_of
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SMALL = TaskSize(256, 512)
#: No waits for health checks that chance decides, and no containers to boot: healthy 0 to 4 s after it runs.
PROMPT = Application(boot_s=0, health_check_interval_s=5)


def hours(*pairs, step_s=60, cpu_ms=10.0, start=None, **request):
    """A load of (hours, requests/s) one after the other. A task of 0.25 vCPU serves 25 requests of 10 ms in a second."""
    series = np.concatenate([np.full(round(3600 * length / step_s), float(rate)) for length, rate in pairs])
    return Workload(LoadProfile(series, step_s, start=start), cpu_ms_per_request=cpu_ms, **request)


def tracking(target, metric=ECS_CPU, **policy):
    return TargetTrackingScalingPolicy(target, predefined_metric_type=metric, **policy)


def service(*policies, size=SMALL, minimum=1, maximum=1000, **spec):
    return ServiceSpec(size, "X86_64", minimum, maximum, policies, **spec)


def series_of(work, spec, **how):
    return simulate(work, [spec], keep_series=[0], **how).series[0]


def moves(series, since_s=0):
    """Times from a second on and the counts that were set."""
    return [(one.time_s - since_s, one.desired_count) for one in series.activities if one.time_s >= since_s]


# --- Scheduled actions --------------------------------------------------------------------------------------------

OFFICE = (
    ScheduledAction("cron(0 8 ? * * *)", 6, 10, "Europe/Berlin"),
    ScheduledAction("cron(30 19 ? * * *)", 2, 2, "Europe/Berlin"),
)


def test_office_hours_in_berlin_over_the_change_of_the_clocks():
    # Germany: 02:00 becomes 03:00 on Sunday, 29 March 2026. 8:00 is 07:00 UTC until Saturday and 06:00 UTC from Sunday on.
    work = hours((14 * 24, 0), step_s=3600, start=dt.datetime(2026, 3, 23, tzinfo=dt.UTC))
    series = series_of(work, service(minimum=2, maximum=10, scheduled_actions=OFFICE))
    expected = []
    for day in range(14):
        offset_s = 3600 if day < 6 else 7200
        expected += [(day * 86_400 + 8 * 3600 - offset_s, 6), (day * 86_400 + 19 * 3600 + 1800 - offset_s, 2)]
    assert moves(series) == expected


def test_office_hours_are_those_of_the_clock_on_the_wall_in_summer_and_winter():
    for start, offset_h in ((dt.datetime(2026, 1, 5, tzinfo=dt.UTC), 1), (dt.datetime(2026, 7, 6, tzinfo=dt.UTC), 2)):
        series = series_of(hours((168, 0), step_s=3600, start=start), service(minimum=2, scheduled_actions=OFFICE))
        assert [time / 3600 % 24 for time, _ in moves(series)] == [8 - offset_h, 19.5 - offset_h] * 7


def test_weekdays_are_those_of_the_calendar():
    # A load without a start begins on a Monday.
    action = ScheduledAction("cron(0 6 ? * SAT *)", 9, 9), ScheduledAction("cron(0 6 ? * SUN *)", 1, 9)
    lower = ScheduledAction("cron(0 7 ? * SUN *)", 1, 1)
    week = hours((168, 0), step_s=3600)
    series = series_of(week, service(scheduled_actions=(*action, lower)))
    # The minimum alone lowers nothing: the maximum does, an hour later.
    assert moves(series) == [((5 * 24 + 6) * 3600, 9), ((6 * 24 + 7) * 3600, 1)]


def test_a_raised_minimum_raises_at_once_and_ignores_cooldowns():
    """AWS: scheduled actions do not wait for cooldowns."""
    # 2 tasks full at hour 1: three minutes and the lag later 4; a cooldown of 4 hours. At 1:10 the minimum is 7, at 1:11 it is 9.
    actions = tuple(ScheduledAction(f"cron({minute} 1 ? * * *)", least) for minute, least in ((10, 7), (11, 9)))
    reset = ScheduledAction("cron(0 5 ? * * *)", 2, 2), ScheduledAction("cron(1 5 ? * * *)", 2, 100)
    policy = tracking(50, scale_out_cooldown_s=4 * 3600, scale_in_cooldown_s=4 * 3600)
    work = hours((1, 10), (3, 50), (20, 10))
    series = series_of(work, service(policy, minimum=2, scheduled_actions=(*actions, *reset)))
    assert [move for move in moves(series) if move[0] < 7200] == [(3600 + 360, 4), (3600 + 600, 7), (3600 + 660, 9)]


def test_a_scheduled_action_starts_no_cooldown():
    """A scale-in that is due a minute after a scheduled action is done."""
    # 4 tasks with nothing to do from hour 1 on: the 15th low minute is known at 1:18. At 1:17 the minimum is 8 and then 1 again.
    actions = (ScheduledAction("cron(17 1 ? * * *)", 8), ScheduledAction("cron(18 1 ? * * *)", 1))
    work = hours((1, 59), (23, 0))
    series = series_of(work, service(tracking(60), scheduled_actions=actions))
    assert series.desired_count[59] == 4
    assert moves(series, 3600)[:3] == [(17 * 60, 8), (18 * 60, 7), (23 * 60, 6)]


def test_a_lowered_minimum_removes_nothing_and_a_lowered_maximum_does():
    actions = (
        ScheduledAction("cron(0 3 ? * * *)", 8),
        ScheduledAction("cron(0 6 ? * * *)", 1),
        ScheduledAction("cron(0 9 ? * * *)", max_capacity=5),
        ScheduledAction("cron(0 12 ? * * *)", 1, 3),
        ScheduledAction("cron(0 15 ? * * *)", max_capacity=20),
    )
    run = simulate(hours((24, 0)), [service(maximum=20, scheduled_actions=actions)], keep_series=[0])
    assert moves(run.series[0]) == [(3 * 3600, 8), (9 * 3600, 5), (12 * 3600, 3)]
    assert run.launched.tolist() == [5]
    assert run.removed.tolist() == [5]


def test_a_maximum_holds_scale_out_back_while_it_lasts():
    actions = (ScheduledAction("cron(0 1 ? * * *)", 1, 3), ScheduledAction("cron(0 5 ? * * *)", 1, 50))
    series = series_of(hours((2, 10), (6, 500), (16, 10)), service(tracking(60), maximum=50, scheduled_actions=actions))
    assert series.desired_count[2 * 60 : 5 * 60].max() == 3
    assert series.desired_count[5 * 60 : 8 * 60].max() == math.ceil(500 * 4 / 60)


def test_actions_of_a_period_hold_at_its_begin_too():
    # Nothing happens before 22:00; what was set at 22:00 the day before is in force at midnight.
    actions = (ScheduledAction("cron(0 22 ? * * *)", 9, 9), ScheduledAction("cron(0 23 ? * * *)", 4, 4))
    series = series_of(hours((24, 0)), service(minimum=1, scheduled_actions=actions))
    assert series.desired_count[0] == 4
    assert moves(series) == [(22 * 3600, 9), (23 * 3600, 4)]


def test_an_instant_inside_a_step_is_moved_to_its_start():
    # 20-second steps: 08:00:50 begins with the step at 08:00:40.
    work = hours((24, 0), step_s=20, start=dt.datetime(2026, 5, 4, tzinfo=dt.UTC))
    once = ScheduledAction("at(2026-05-04T08:00:50)", 7)
    reset = ScheduledAction("cron(0 9 ? * * *)", 2, 2), ScheduledAction("cron(1 9 ? * * *)", 2, 50)
    series = series_of(work, service(minimum=2, scheduled_actions=(once, *reset)))
    assert moves(series) == [(8 * 3600 + 40, 7), (9 * 3600, 2)]


@pytest.mark.parametrize(
    ("expression", "n_hours", "said"),
    [
        ("at(2026-05-05T08:00:00)", 24, ["at(2026-05-05T08:00:00)", "24 hours", "2026-05-04T00:00Z", "cron(...)"]),
        (" at(2026-05-05T08:00:00)", 24, ["lies outside the load's period"]),
        ("cron(0 8 ? * MON-FRI *)", 24, ["cron(0 8 ? * MON-FRI *)", "24 hours", "weekly"]),
        ("rate(5 hours)", 24, ["rate(5 hours)", "not the same in each period"]),
        ("cron(0 8 ? * * *)", 36, ["36 hours"]),
    ],
)
def test_schedules_that_do_not_fit_the_period(expression, n_hours, said):
    work = hours((n_hours, 0), step_s=3600, start=dt.datetime(2026, 5, 4, tzinfo=dt.UTC))
    with pytest.raises(InvalidScenario) as caught:
        simulate(work, [service(scheduled_actions=(ScheduledAction(expression, 5),))])
    for part in said:
        assert part in str(caught.value)


def test_a_minimum_over_the_maximum_in_force_is_refused():
    actions = (ScheduledAction("cron(0 8 ? * * *)", max_capacity=3), ScheduledAction("cron(0 9 ? * * *)", 4))
    with pytest.raises(
        InvalidScenario, match=r"The scheduled action cron\(0 9 \? \* \* \*\) sets min_capacity 4 where max_capacity 3"
    ):
        simulate(hours((24, 0)), [service(scheduled_actions=actions)])


# --- Predictive scaling -------------------------------------------------------------------------------------------


def predictive(target=50, **policy):
    return PredictiveScalingPolicy(target, **policy)


def forecast_counts(policy, *rates, maximum=20, tracked=55.0):
    """Counts by the minute over hours of these loads, with target tracking that removes at most one task in an hour or so."""
    work = hours(*((1, rate) for rate in rates))
    spec = service(policy, tracking(tracked, scale_in_cooldown_s=0), maximum=maximum)
    return series_of(work, spec, behavior=AwsBehavior(scale_in_step_percent=100))


@pytest.mark.parametrize(("buffer_s", "minute"), [(0, 120), (300, 115), (360, 114), (1800, 90)])
def test_predictive_scaling_has_the_next_hours_tasks_before_it(buffer_s, minute):
    # A task at 50 % serves 12.5 requests/s: 1, 1, 8 and 3 tasks. Target tracking at 55 % asks for no more, and 50 % is not low to it.
    series = forecast_counts(predictive(scheduling_buffer_time_s=buffer_s), 10, 10, 100, 30)
    counts = series.desired_count
    assert counts[60:minute].tolist() == [1] * (minute - 60)
    assert counts[minute:180].tolist() == [8] * (180 - minute)
    # It never removes: target tracking does, from 18 minutes after the hour, and not below the floor.
    assert counts[180:198].tolist() == [8] * 18
    assert counts[239] == 3
    # The period begins anew with one task's load.
    assert counts[30] == 1


def test_predictive_scaling_honors_the_maximum_or_raises_it():
    # 100/s ask for 8, and the maximum is 5.
    assert forecast_counts(predictive(), 10, 10, 100, maximum=5).desired_count.max() == 5
    raised = predictive(max_capacity_breach_behavior="IncreaseMaxCapacity")
    assert forecast_counts(raised, 10, 10, 100, maximum=5).desired_count.max() == 8
    # Target tracking at 20 % asks for 20: the raised maximum holds for it too, and with a buffer of 50 % it is 12.
    assert forecast_counts(raised, 10, 10, 100, maximum=5, tracked=20.0).desired_count.max() == 8
    more = predictive(max_capacity_breach_behavior="IncreaseMaxCapacity", max_capacity_buffer=50)
    assert forecast_counts(more, 10, 10, 100, maximum=5, tracked=20.0).desired_count.max() == 12


def test_a_forecast_alone_does_nothing():
    only = forecast_counts(predictive(mode="ForecastOnly"), 10, 10, 100)
    without = series_of(
        hours((2, 10), (1, 100)),
        service(tracking(55.0, scale_in_cooldown_s=0), maximum=20),
        behavior=AwsBehavior(scale_in_step_percent=100),
    )
    np.testing.assert_array_equal(only.desired_count, without.desired_count)
    # The crowd finds one task, as without a forecast.
    assert set(only.desired_count[100:126].tolist()) == {1}


@pytest.mark.parametrize(
    ("policy", "floor"),
    [
        (PredictiveScalingPolicy(50), 8),  # 100/s x 10 ms / (0.25 x 0.5)
        (PredictiveScalingPolicy(900, "ALBRequestCount"), 7),  # 6,000 a minute / 900 = 6.67
        # In flight 100 x (0.04 + 1) s x 4 MiB = 416 MiB; 60 % of 512 leave 179.2 beside 128: 2.32.
        (PredictiveScalingPolicy(60, "ECSServiceMemoryUtilization"), 3),
    ],
)
def test_each_metric_pair_has_its_own_floor(policy, floor):
    work = hours((2, 1), (1, 100), wait_ms_per_request=1000, baseline_memory_mib=128, memory_mib_per_request=4)
    series = series_of(work, service(policy, tracking(100)))
    assert series.desired_count[115] == floor


# --- Quota and launch rate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "most"), [(SMALL, 24), (TaskSize(1024, 2048), 6), (TaskSize(4096, 8192), 1)])
def test_an_enforced_quota_holds_tasks_back(size, most):
    # AWS's quota of a new account is 6 vCPU.
    work = hours((1, 10_000))
    spec = service(tracking(50), size=size, minimum=1, maximum=40)
    free, held = (
        simulate(work, [spec], behavior=AwsBehavior(enforce_vcpu_quota=on), keep_series=[0]) for on in (False, True)
    )
    assert free.series[0].billed_count.max() == 40
    assert held.series[0].billed_count.max() == most
    assert held.billed_task_hours.tolist() == [most]
    # What is desired is not what is there.
    assert held.peak_desired_count[0] > most
    assert held.unserved_requests[0] > free.unserved_requests[0]


def test_a_minimum_over_the_quota_is_not_there_either():
    run = simulate(hours((1, 1)), [service(minimum=30)], behavior=AwsBehavior(enforce_vcpu_quota=True))
    assert run.billed_task_hours.tolist() == [24]
    assert run.peak_desired_count.tolist() == [30]


def test_400_tasks_at_once_take_half_a_minute():
    """AWS: 100 launches at once; a service launches at most 500 tasks a minute, that is one each 0.12 s."""
    actions = (
        ScheduledAction("cron(0 12 ? * * *)", 401),
        ScheduledAction("cron(0 18 ? * * *)", 1, 1),
        ScheduledAction("cron(1 18 ? * * *)", 1, 500),
    )
    series = series_of(hours((24, 0), step_s=20), service(maximum=500, scheduled_actions=actions), application=PROMPT)
    noon = 12 * 180
    launched_s = [max(0, math.ceil((n - 99) * 0.12 - 1e-9)) for n in range(400)]
    assert launched_s.count(0) == 100
    assert max(launched_s) == 36

    def inside(k, after_s):
        """Seconds of the step that lie so long after a launch, of all tasks."""
        return sum(min(max(20 * (k + 1) - (s + after_s), 0), 20) for s in launched_s)

    for k in range(6):
        # Billed 10 s after its launch, when the image is pulled; running after 23 s.
        assert round(series.billed_count[noon + k] * 20) == 20 + inside(k, 10)
        assert round(series.running_count[noon + k] * 20) == 20 + inside(k, 23)
        # Asked for at noon: pending until it runs.
        assert round(series.pending_count[noon + k] * 20) == 400 * 20 - inside(k, 23)
    assert series.desired_count[noon] == 401
    assert series.healthy_count[noon + 5] == 401


def test_regions_of_2025_launch_more_slowly():
    # AWS: 25 at once, then 125 a minute for a service.
    behavior = AwsBehavior(launch_burst=25, launch_per_s=5, service_launches_per_minute=125)
    actions = (
        ScheduledAction("cron(0 12 ? * * *)", 101),
        ScheduledAction("cron(0 18 ? * * *)", 1, 1),
        ScheduledAction("cron(1 18 ? * * *)", 1, 500),
    )
    series = series_of(hours((24, 0)), service(maximum=500, scheduled_actions=actions), behavior=behavior)
    # The last of 75 that have to wait comes after 75 / 125 minutes.
    last_s = math.ceil(75 * 60 / 125)
    launched_s = [max(0, math.ceil((n - 24) * 0.48 - 1e-9)) for n in range(100)]
    assert max(launched_s) == last_s == 36
    assert round(series.pending_count[720] * 60 + series.pending_count[721] * 60) == sum(s + 23 for s in launched_s)


# --- Start times, metrics and alarms ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("application", "behavior", "billed_s", "running_s"),
    [
        (Application(), AwsBehavior(), 10, 23),
        (Application(image_mb=300), AwsBehavior(), 10, 53),  # 300 MB at 10 MB/s
        (Application(image_mb=305), AwsBehavior(pull_mb_per_s=20), 10, 39),  # 15.25 s, and no part of a second is free
        (Application(), AwsBehavior(provision_s=5, unbilled_s=5), 5, 5),
        (Application(), AwsBehavior(provision_s=0, unbilled_s=0), 0, 0),
    ],
)
@pytest.mark.parametrize(("boot_s", "interval_s", "registration_s"), [(5, 30, 3), (0, 5, 0), (90, 10, 20)])
def test_a_task_starts(application, behavior, billed_s, running_s, boot_s, interval_s, registration_s):
    """Billed from the image pull, running when the image is there, healthy when it has booted, is registered and a health check came by."""
    application = Application(image_mb=application.image_mb, boot_s=boot_s, health_check_interval_s=interval_s)
    behavior = AwsBehavior(
        provision_s=behavior.provision_s,
        unbilled_s=behavior.unbilled_s,
        pull_mb_per_s=behavior.pull_mb_per_s,
        registration_s=registration_s,
    )
    actions = (
        ScheduledAction("cron(0 12 ? * * *)", 101),
        ScheduledAction("cron(0 18 ? * * *)", 1, 1),
        ScheduledAction("cron(1 18 ? * * *)", 1, 101),
    )
    series = series_of(
        hours((24, 0)), service(maximum=101, scheduled_actions=actions), application=application, behavior=behavior
    )
    span = slice(720, 780)
    assert round((series.billed_count[span] - 1).sum() * 60) == 100 * (3600 - billed_s)
    assert round((series.running_count[span] - 1).sum() * 60) == 100 * (3600 - running_s)
    assert round(series.pending_count[span].sum() * 60) == 100 * running_s
    # The first health check comes at a random moment of its interval: whole seconds, each as likely; within 4 sigma.
    waits_s = round((series.running_count[span] - series.healthy_count[span]).sum() * 60) - 100 * (
        boot_s + registration_s
    )
    mean_s = (interval_s - 1) / 2
    assert waits_s / 100 == pytest.approx(mean_s, abs=4 * math.sqrt((interval_s**2 - 1) / 12 / 100))


@pytest.mark.parametrize(
    ("metric", "field"),
    [(ECS_CPU, "metric_lag_s"), (ALB_REQUESTS, "alb_metric_lag_s"), (ECS_CPU_20S, "high_resolution_metric_lag_s")],
)
@pytest.mark.parametrize("lag_s", [0, 7, 90, 400])
def test_each_metric_has_its_own_lag(metric, field, lag_s):
    target, period_s = (600, 60) if metric == ALB_REQUESTS else (60, 20 if metric == ECS_CPU_20S else 60)
    work = hours((4, 9), (1, 25), (3, 0))
    series = series_of(work, service(tracking(target, metric)), behavior=AwsBehavior(**{field: lag_s}))
    # Full from hour 4 on: three periods, and the lag to the second.
    assert moves(series, 4 * 3600)[0][0] == 3 * period_s + lag_s


@pytest.mark.parametrize(("metric", "kind"), [(ECS_CPU, ""), (ECS_CPU_20S, "high_resolution_")])
def test_datapoints_of_the_alarms(metric, kind):
    period_s, lag_s = (20, 25) if kind else (60, 180)
    behavior = AwsBehavior(**{f"{kind}scale_out_datapoints": 5, f"{kind}scale_in_datapoints": 7})
    # At 58 percent of two tasks none is low.
    series = series_of(hours((4, 9), (1, 29), (3, 0)), service(tracking(60, metric)), behavior=behavior)
    assert moves(series, 4 * 3600)[0] == (5 * period_s + lag_s, 2)
    assert moves(series, 5 * 3600)[0] == (7 * period_s + lag_s, 1)


@pytest.mark.parametrize(
    ("metric", "target", "field"), [(ECS_CPU, 50.0, "low_factor"), (ALB_REQUESTS, 750.0, "alb_low_factor")]
)
def test_the_lower_threshold_is_a_part_of_the_target(metric, target, field):
    # 20 tasks at 40 % of CPU, 600 requests a minute: four fifths of the target, so that 16 could carry it. By steps of a tenth:
    # 18 have 44.4 % or 667, 17 have 47.1 % or 706.
    work = hours((2, 249), (6, 200))
    for factor, left in ((0.9, 17), (0.81, 18), (0.8, 20), (0.75, 20)):
        series = series_of(work, service(tracking(target, metric)), behavior=AwsBehavior(**{field: factor}))
        assert series.desired_count[119] == 20
        assert series.desired_count[-1] == left, factor
    other = {"low_factor": "alb_low_factor", "alb_low_factor": "low_factor"}[field]
    assert (
        series_of(work, service(tracking(target, metric)), behavior=AwsBehavior(**{other: 0.5})).desired_count[-1] < 20
    )


def test_the_newest_datapoint_or_their_mean():
    # The three minutes over the target are 64, 80 and 96 percent of 10 tasks: the newest asks for ceil(16), the mean for ceil(13.33).
    rates = np.full(360, 145.0)
    rates[300:303] = 160, 200, 240
    rates[303:] = 145
    work = Workload(LoadProfile(rates, 60), cpu_ms_per_request=10)
    for mean, count in ((False, 16), (True, 14)):
        series = series_of(
            work,
            service(tracking(60), minimum=10),
            behavior=AwsBehavior(mean_of_datapoints=mean, scale_in_datapoints=60),
        )
        assert moves(series, 300 * 60)[:1] == [(360, count)]


def test_an_alarm_that_acts_once_asks_no_second_time():
    # 4 tasks, full for an hour: without reinvocation the one alarm is one scale-out.
    work = hours((12, 20), (1, 800), (11, 20))
    reset = ScheduledAction("cron(0 10 ? * * *)", 4, 4), ScheduledAction("cron(1 10 ? * * *)", 4, 100)
    spec = service(tracking(50), minimum=4, maximum=100, scheduled_actions=reset)
    again, once = (series_of(work, spec, behavior=AwsBehavior(alarm_reinvocation=on)) for on in (True, False))
    assert [count for time, count in moves(again, 12 * 3600) if time < 3600] == [8, 16, 32, 64]
    assert [count for time, count in moves(once, 12 * 3600) if time < 3600] == [8]


# --- Period, warm-up and batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load_step_s", "metric", "step_s"),
    [
        (60, ECS_CPU, 60),
        (3600, ECS_CPU, 60),
        (90, ECS_CPU, 60),
        (60, ECS_CPU_20S, 20),
        (30, ECS_CPU, 20),
        (10, ECS_CPU, 20),
        (20, ALB_REQUESTS, 20),
    ],
)
def test_steps_are_as_fine_as_the_load_or_the_metric(load_step_s, metric, step_s):
    rates = np.random.default_rng(3).uniform(1, 90, 3 * 3600 // load_step_s)
    work = Workload(LoadProfile(rates, load_step_s), cpu_ms_per_request=10)
    series = series_of(work, service(tracking(60, metric)))
    assert series.step_s == step_s
    assert series.requests_per_s.size == 3 * 3600 // step_s
    # Every request is there, whatever the grid.
    assert (series.served_requests + series.refused_requests).sum() == pytest.approx(rates.sum() * load_step_s)


FIGURES = (
    "billed_task_hours",
    "spot_billed_task_hours",
    "running_task_hours",
    "spot_interruptions",
    "unserved_requests",
    "p95_latency_ms",
)


def test_a_candidate_does_not_depend_on_its_neighbors():
    """A batch equals one at a time, also of a long load and beside candidates that remember all of it."""
    days = np.random.default_rng(4).uniform(20, 200, 12 * 24)
    work = Workload(LoadProfile(days, 3600), cpu_ms_per_request=10)
    specs = [
        service(tracking(60), minimum=2, maximum=80, capacity_provider_strategy="FARGATE_SPOT"),
        service(tracking(60, disable_scale_in=True), minimum=2, maximum=80),
        service(tracking(60, ECS_CPU_20S), minimum=2, maximum=80),
        service(minimum=20, maximum=20),
    ]
    behavior = AwsBehavior(spot_interruptions_per_task_hour=0.01)
    together = simulate(work, specs, behavior=behavior)
    assert together.spot_interruptions[0] > 10
    for i, spec in enumerate(specs):
        alone = simulate(work, [spec], behavior=behavior)
        for name in FIGURES:
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i], rel=1e-12), (name, i)


@pytest.mark.parametrize("n_hours", [1, 5, 24, 30])
def test_a_period_begins_as_it_ends(n_hours):
    """Taken as periodic: what the last step leaves is what the first one finds."""
    rates = np.random.default_rng(n_hours).uniform(5, 90, 6 * n_hours)
    work = Workload(LoadProfile(rates, 600), cpu_ms_per_request=10)
    series = series_of(work, service(tracking(60, scale_in_cooldown_s=60)))
    twice = series_of(
        Workload(work.load.repeated(2), cpu_ms_per_request=10), service(tracking(60, scale_in_cooldown_s=60))
    )
    n = series.desired_count.size
    np.testing.assert_array_equal(twice.desired_count[:n], series.desired_count)
    np.testing.assert_array_equal(twice.desired_count[n:], series.desired_count)


def test_what_happens_once_happens_in_the_period_alone():
    # A zone is lost at 1:00; the day before, in the warm-up, none.
    spec = service(minimum=6, maximum=6)
    series = series_of(hours((24, 0)), spec, operations=Operations(zone_losses_h=(0.0,)))
    assert series.healthy_count[0] == 3
    assert series.healthy_count[-1] == 6


@pytest.mark.parametrize("hour", [24, 24.5, 8784])
def test_what_lies_behind_the_period_is_refused(hour):
    with pytest.raises(
        InvalidScenario, match=rf"zone_losses_h has {hour:g}; it must lie inside the load's period of 24 hours"
    ):
        simulate(hours((24, 0)), [service()], operations=Operations(zone_losses_h=(hour,)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(["0 8", "45 7", "0 0", "30 23", "0 8"]), st.integers(1, 6), st.integers(6, 9)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 6),
)
def test_bounds_that_scheduled_actions_set_alone_are_those_of_the_general_way(actions, first):
    scheduled = tuple(
        ScheduledAction(f"cron({when} * * ? *)", low, high, "Europe/Berlin") for when, low, high in actions
    )
    spec = ServiceSpec(TaskSize(256, 512), min_capacity=first, max_capacity=9, scheduled_actions=scheduled)
    work = Workload(LoadProfile.daily(9, 3), cpu_ms_per_request=10)
    setting = setting_of(work, Application(), AwsBehavior(), Operations(), 60, 86_400)
    dynamics = dynamics_of(spec, Operations())
    due = sorted(
        (step, number)
        for number, action in enumerate(scheduled)
        for step in setting.steps_of(action.schedule, action.timezone)
    )
    general = merge_bounds(
        [(max(step, 0), scheduled[number].min_capacity, scheduled[number].max_capacity) for step, number in due],
        [],
        first,
        9,
    )
    assert inputs_of(dynamics, setting).bounds == general
    # With a bound that stays as it is, only the general way is left.
    half = replace(spec, scheduled_actions=(*scheduled, ScheduledAction("cron(0 12 * * ? *)", 1)))
    assert scheduled_bounds(dynamics_of(half, Operations()), setting) is None
