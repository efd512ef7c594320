"""What happens to a service beside its load: the loss of a zone, a shortage of Fargate Spot, deployments that are due; by hand."""

import datetime as dt
import math

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

SMALL = TaskSize(256, 512)
NEVER = AwsBehavior(spot_interruptions_per_task_hour=0)


def day(rate=0.0, **request):
    return Workload(LoadProfile.constant(rate), cpu_ms_per_request=10, **request)


def fixed(n, zones=2, **spec):
    return ServiceSpec(SMALL, "X86_64", n, n, (), NetworkLayout("public", zones), **spec)


def followed(work, spec, operations, application=None, behavior=NEVER):
    run = simulate(work, [spec], application, behavior, [0], operations=operations)
    return run, run.series[0]


# --- The loss of a zone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "zones", "lost"), [(6, 3, 2), (7, 3, 3), (1, 2, 1), (2, 2, 1), (10, 4, 3), (3, 6, 1), (12, 6, 2)]
)
def test_a_lost_zone_takes_its_tasks_at_once_and_they_come_back(n, zones, lost):
    """Detected after 60 s, then 23 s until they run, and 8 to 37 s until each is healthy."""
    assert lost == math.ceil(n / zones)
    run, series = followed(day(), fixed(n, zones), Operations(zone_losses_h=(10,)))
    healthy_s = series.healthy_count * 60
    assert healthy_s[[599, 600, 602, 603]].tolist() == [60 * n, 60 * (n - lost), 60 * n, 60 * n]
    assert 31 * lost <= 60 * n - healthy_s[601] <= 60 * lost
    # Not running for 83 s, not billed for 70 s: the image pull of the new ones starts 10 s after their launch.
    assert 24 * n - run.running_task_hours[0] == pytest.approx(lost * 83 / 3600)
    assert 24 * n - run.billed_task_hours[0] == pytest.approx(lost * 70 / 3600)
    assert set(series.desired_count.tolist()) == {n}
    assert not series.draining_count.any()


@pytest.mark.parametrize(
    ("detection_s", "application"),
    [(0, Application()), (300, Application()), (60, Application(image_mb=400, boot_s=90))],
)
def test_the_time_without_them(detection_s, application):
    behavior = AwsBehavior(zone_detection_s=detection_s)
    _, series = followed(day(), fixed(8), Operations(zone_losses_h=(10,)), application, behavior)
    # The wait for the first health check is 0 to 29 s, each task's own.
    least_s = 4 * (detection_s + 23 + application.image_mb / 10 + application.boot_s + 3)
    missed_s = (8 - series.healthy_count).sum() * 60
    assert least_s < missed_s < least_s + 4 * 29


def test_the_others_carry_the_load_meanwhile():
    # 8 tasks at 60 percent; half of them gone are 120: four serve 100 of the 120 requests/s for two minutes.
    behavior = AwsBehavior(zone_detection_s=89)  # and 31 s at least until the new ones are healthy
    run, series = followed(day(120), fixed(8), Operations(zone_losses_h=(10, 20.5)), behavior=behavior)
    assert series.utilization[[600, 601, 603]] == pytest.approx([1.2, 1.2, 0.6])
    assert 0.6 < series.utilization[602] < 1
    assert series.utilization[1230:1232] == pytest.approx([1.2, 1.2])
    assert run.minutes_over_capacity.tolist() == [4]
    assert run.unserved_requests[0] == pytest.approx(4 * 60 * 20)
    assert series.cpu_utilization_percent[600] == pytest.approx(100)


def test_the_step_of_an_hour_is_the_one_that_holds_it():
    _, series = followed(day(), fixed(4), Operations(zone_losses_h=(0.0, 10.016, 23.99)))
    assert np.flatnonzero(series.healthy_count < 4).tolist() == [0, 1, 600, 601, 1439]


def test_target_tracking_sees_the_others_busier():
    # 8 tasks at 59 percent: the lost half lifts the others over the target, but not for three minutes.
    spec = ServiceSpec(SMALL, min_capacity=8, max_capacity=40, scaling=TargetTrackingScalingPolicy(60))
    assert followed(day(118), spec, Operations(zone_losses_h=(10,)))[1].activities == ()
    # Ten minutes without detection are seen as late as any load, but 4 running tasks at 100 percent ask for
    # 4 x 100 / 60 = 7 tasks, and 8 are desired. In the minute after the replacements run, 8 x 100 / 60 = 14.
    slow = AwsBehavior(zone_detection_s=600)
    first = followed(day(118), spec, Operations(zone_losses_h=(10,)), behavior=slow)[1].activities[0]
    assert (first.time_s, first.desired_count_before, first.desired_count) == (10 * 3600 + 660, 8, 14)


# --- Shortages of Fargate Spot ------------------------------------------------------------------------------------

#: Two tasks until 1:30, then ten, and two again from noon on.
RAISE = (ScheduledAction("cron(30 1 ? * * *)", 10, 10), ScheduledAction("cron(0 12 ? * * *)", 2, 2))


def raised(strategy):
    return ServiceSpec(SMALL, "X86_64", 2, 10, (), scheduled_actions=RAISE, capacity_provider_strategy=strategy)


@pytest.mark.parametrize(
    ("strategy", "spot"),
    [
        (CapacityProviderStrategy(), 0),
        (
            CapacityProviderStrategy(1, 1, 1),
            4,
        ),  # of the nine above the base half, rounded down: all of them above two tasks
        (CapacityProviderStrategy(2, 1, 3), 6),
        (CapacityProviderStrategy(0, 0, 1), 8),
    ],
)
def test_in_a_shortage_no_spot_task_is_launched_and_none_on_demand_in_its_place(strategy, spot):
    run, series = followed(day(), raised(strategy), Operations(spot_shortages=(SpotShortage(1, 2),)))
    # 1:30 to 3:00: what is On-Demand comes, the rest is waited for.
    assert set(series.desired_count[90:720].tolist()) == {10}
    assert series.healthy_count[95:180] == pytest.approx(10 - spot)
    assert series.pending_count[95:180] == pytest.approx(spot)
    assert series.billed_count[95:180] == pytest.approx(10 - spot)
    # At 3:00 they come: billed 10 s, running 23 s later.
    assert series.billed_count[180] * 60 == pytest.approx(600 - 10 * spot)
    assert series.running_count[180] * 60 == pytest.approx(600 - 23 * spot)
    assert series.healthy_count[182] == 10
    without = followed(day(), raised(strategy), Operations())[0]
    assert without.billed_task_hours[0] - run.billed_task_hours[0] == pytest.approx(1.5 * spot)


def test_running_tasks_stay_in_a_shortage():
    run, series = followed(
        day(), fixed(6, capacity_provider_strategy="FARGATE_SPOT"), Operations(spot_shortages=(SpotShortage(0, 24),))
    )
    assert run.billed_task_hours.tolist() == [144]
    assert set(series.healthy_count.tolist()) == {6}


def test_one_task_is_gone_until_the_shortage_ends():
    """AWS: there is no fallback to On-Demand; a service of one task is down until capacity returns."""
    behavior = AwsBehavior(spot_interruptions_per_task_hour=10, seed=1)
    spec = fixed(1, capacity_provider_strategy="FARGATE_SPOT")
    _, series = followed(day(1), spec, Operations(spot_shortages=(SpotShortage(6, 6),)), behavior=behavior)
    # At ten interruptions an hour it is soon gone, and stays so until noon.
    gone = np.flatnonzero(series.healthy_count[360:720] == 0)
    assert gone[0] < 60
    assert (series.healthy_count[360 + gone[0] : 720] == 0).all()
    assert series.healthy_count[725:1440].mean() > 0.5
    assert series.refused_requests[360 + gone[0] : 720].sum() == pytest.approx(60 * (360 - gone[0]))


@pytest.mark.parametrize(
    "shortages",
    [
        (SpotShortage(1, 1), SpotShortage(2, 1)),
        (SpotShortage(2, 1), SpotShortage(1, 1.5)),
        (SpotShortage(1, 2), SpotShortage(1.25, 0.5)),
    ],
)
def test_shortages_that_touch_are_one(shortages):
    spec = raised(CapacityProviderStrategy(2, 0, 1))
    one, joined = (
        followed(day(), spec, Operations(spot_shortages=several))[0] for several in ((SpotShortage(1, 2),), shortages)
    )
    assert joined.billed_task_hours.tolist() == one.billed_task_hours.tolist()
    assert joined.running_task_hours.tolist() == one.running_task_hours.tolist()


# --- Deployments that are due -------------------------------------------------------------------------------------


def test_deployments_are_due_on_the_clock_on_the_wall():
    # 10:00 in Berlin is 09:00 UTC until Saturday, 28 March 2026, and 08:00 UTC from Sunday on.
    work = Workload(
        LoadProfile(np.zeros(168), 3600, start=dt.datetime(2026, 3, 23, tzinfo=dt.UTC)), cpu_ms_per_request=10
    )
    operations = Operations(("cron(0 10 ? * FRI,SUN *)",), "Europe/Berlin")
    series = followed(work, fixed(3), operations)[1]
    begun = np.flatnonzero((series.billed_count > 3) & (np.roll(series.billed_count, 1) == 3)) * 60
    assert begun.tolist() == [(4 * 24 + 9) * 3600, (6 * 24 + 8) * 3600]


def test_several_expressions_are_due_once_each():
    # Both are due at noon: one deployment of 111 to 140 s and task, as the last of the five is healthy.
    operations = Operations(("cron(0 12 ? * * *)", "rate(12 hours)"))
    run = followed(day(), fixed(5), operations)[0]
    extra_s = (run.billed_task_hours[0] - 120) * 3600  # midnight and noon
    assert 2 * 5 * 111 < extra_s < 2 * 5 * 140


def test_nothing_happens_by_default():
    run, series = followed(day(), fixed(5), Operations())
    assert run.billed_task_hours.tolist() == [120]
    assert run.stuck_deployments.tolist() == run.spot_interruptions.tolist() == [0]
    assert set(series.healthy_count.tolist()) == {5}


# --- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Operations("cron(0 10 ? * * *)"), ["deployment_schedules is one text", "a list"]),
        (lambda: Operations(("daily",)), ["deployment_schedules[0] is 'daily'", "cron"]),
        (lambda: Operations(("rate(1 day)",), "Mars"), ["timezone is 'Mars'", "Europe/Berlin"]),
        (lambda: Operations(zone_losses_h=(-1,)), ["zone_losses_h[0] is -1", "0 to 8784", "the load's period"]),
        (lambda: Operations(zone_losses_h=(1, math.nan)), ["zone_losses_h[1] is nan"]),
        (lambda: Operations(zone_losses_h=("10",)), ["zone_losses_h[0] is '10'"]),
        (lambda: Operations(zone_losses_h="10"), ["zone_losses_h is one text"]),
        (lambda: SpotShortage(-1, 1), ["start_h is -1", "0 to 8784", "the load's period"]),
        (lambda: SpotShortage(1, 0), ["hours is 0", "above 0 to 8784"]),
        (lambda: SpotShortage(1, -2), ["hours is -2"]),
        (lambda: SpotShortage(8785, 1), ["start_h is 8785"]),
        (lambda: SpotShortage(1, math.inf), ["hours is inf"]),
    ],
)
def test_what_cannot_happen(make, said):
    with pytest.raises(InvalidScenario) as caught:
        make()
    for part in said:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        (Operations(zone_losses_h=(24,)), ["zone_losses_h has 24", "24 hours"]),
        (Operations(spot_shortages=(SpotShortage(30, 1),)), ["spot_shortages has 30", "24 hours"]),
        (Operations(("at(2030-01-01T00:00:00)",)), ["at(2030-01-01T00:00:00)", "outside the load's period"]),
        (Operations(("cron(0 10 ? * MON *)",)), ["cron(0 10 ? * MON *)", "not the same in each period"]),
    ],
)
def test_what_does_not_fit_the_load(operations, said):
    with pytest.raises(InvalidScenario) as caught:
        simulate(day(), [fixed(2)], operations=operations)
    for part in said:
        assert part in str(caught.value)


def test_lists_become_tuples():
    operations = Operations(["rate(1 day)"], zone_losses_h=[1, 2.5], spot_shortages=[SpotShortage(1, 2)])
    assert operations == Operations(("rate(1 day)",), "UTC", (1, 2.5), (SpotShortage(1, 2),))
    assert hash(operations) == hash(Operations(("rate(1 day)",), "UTC", (1, 2.5), (SpotShortage(1, 2),)))
