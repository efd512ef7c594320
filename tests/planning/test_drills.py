"""Drills of constant loads, where hand arithmetic says how long the service is over capacity."""

import math

import numpy as np
import pytest

from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.limits import drill_rejections
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of

RATES = rates_of()
#: From its loss until a task's replacement is healthy: found after 60 s, provisioned in 23, booted in 5, registered in 3, at the first health
#: check of at most 30 s.
LEAST_S, MOST_S = 60 + 23 + 5 + 3, 60 + 23 + 5 + 3 + 30


def situation(load, promise, operations=None, application=None, behavior=None):
    # A task of 1 vCPU serves 50 requests/s.
    return Situation(
        Workload(load, cpu_ms_per_request=20),
        application or Application(),
        behavior or AwsBehavior(),
        operations or Operations(),
        promise,
    )


def tasks(n, most=None, zones=2, strategy=None, target=80.0):
    policy = TargetTrackingScalingPolicy(target, 60, 300)
    more = {} if strategy is None else {"capacity_provider_strategy": strategy}
    return ServiceSpec(
        TaskSize(1024, 2048), "X86_64", n, most or n, (policy,), NetworkLayout.of("public", zones), **more
    )


def peak_at(hour, peak, base=50.0, minutes=1):
    """A day by the minute with a peak."""
    rate = np.full(1440, base)
    rate[hour * 60 : hour * 60 + minutes] = peak
    return LoadProfile(rate, 60)


# --- Loss of a zone -----------------------------------------------------------------------------------------------

ZONE = Promise(max_minutes_after_zone_loss=0)


@pytest.mark.parametrize(
    ("n", "zones", "requests_per_s", "is_over"),
    [
        # Of n tasks in z zones ceil(n / z) are lost, and each that stays serves 50.
        (4, 2, 99.0, False),
        (4, 2, 100.0, False),
        (4, 2, 101.0, True),
        (5, 2, 100.0, False),  # 3 of 5
        (5, 2, 101.0, True),
        (6, 3, 200.0, False),
        (6, 3, 201.0, True),
        (2, 2, 50.0, False),
        (2, 2, 51.0, True),
        (2, 3, 50.0, False),
    ],
)
def test_what_stays_of_the_zones_serves_the_load_or_is_over_it_until_the_replacements_are_healthy(
    n, zones, requests_per_s, is_over
):
    found = drill_minutes(tasks(n, zones=zones), situation(LoadProfile.constant(requests_per_s).resample(60), ZONE))
    (minutes,) = found.values()
    assert set(found) == {"max_minutes_after_zone_loss"}
    if is_over:
        assert math.floor(LEAST_S / 60) <= minutes <= math.ceil(MOST_S / 60)
    else:
        assert minutes == 0


def test_the_zone_is_lost_at_the_busiest_minute():
    # Elsewhere two of four tasks are enough.
    assert drill_minutes(tasks(4), situation(peak_at(13, 160.0), ZONE))["max_minutes_after_zone_loss"] == 1
    assert drill_minutes(tasks(4), situation(peak_at(13, 160.0, minutes=30), ZONE))["max_minutes_after_zone_loss"] == 2


def test_losses_that_happen_anyway_are_not_the_drills():
    load = peak_at(13, 150.0, minutes=30)
    anyway = Operations(zone_losses_h=(13.2,))
    alone = drill_minutes(tasks(4), situation(load, ZONE))["max_minutes_after_zone_loss"]
    beside = drill_minutes(tasks(4), situation(load, ZONE, anyway))["max_minutes_after_zone_loss"]
    assert alone == beside == 2


def test_slower_tasks_are_missing_for_longer():
    slow = Application(boot_s=600)
    (minutes,) = drill_minutes(
        tasks(4), situation(LoadProfile.constant(150).resample(60), ZONE, application=slow)
    ).values()
    assert 11 <= minutes <= 12  # 595 s more


# --- Flash crowd --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "minutes", "most", "over"),
    [
        # 4 tasks serve 200 of the 100 requests/s times the factor.
        (2.0, 30, 4, 0),
        (2.1, 30, 4, 30),
        (3.0, 45, 4, 45),
        (3.0, 1, 4, 1),
        (1.0, 30, 4, 0),
    ],
)
def test_a_crowd_that_no_further_task_meets_is_over_capacity_for_as_long_as_it_lasts(factor, minutes, most, over):
    promise = Promise(max_minutes_in_flash_crowd=0, flash_crowd_factor=factor, flash_crowd_minutes=minutes)
    found = drill_minutes(tasks(4, most), situation(peak_at(12, 100.0, 40.0, 60), promise))
    assert found == {"max_minutes_in_flash_crowd": over}


def test_with_room_to_scale_out_a_crowd_is_met_after_alarm_and_start():
    # Three datapoints of a minute known 180 s late, then a start of about a minute, up to seven in all; two rounds to get from 4 tasks to 8.
    promise = Promise(max_minutes_in_flash_crowd=0, flash_crowd_factor=3, flash_crowd_minutes=60)
    load = peak_at(12, 100.0, 40.0, 60)
    alone = drill_minutes(tasks(4), situation(load, promise))["max_minutes_in_flash_crowd"]
    scaled = drill_minutes(tasks(4, 20), situation(load, promise))["max_minutes_in_flash_crowd"]
    assert alone == 60
    assert 6 <= scaled <= 20
    # A lower target asks for more at once: 4 x 100 / 50 = 8.
    lower = drill_minutes(tasks(4, 20, target=50.0), situation(load, promise))["max_minutes_in_flash_crowd"]
    assert 6 <= lower <= 8
    assert lower <= scaled


def test_a_crowd_comes_at_the_busiest_minute_whatever_the_step_of_the_load():
    promise = Promise(max_minutes_in_flash_crowd=0, flash_crowd_factor=2, flash_crowd_minutes=30)
    by_hour = np.full(24, 40.0)
    by_hour[9] = 120.0
    # Twice 120 are over 200; the crowd is over before the hour is.
    found = drill_minutes(tasks(4), situation(LoadProfile(by_hour, 3600), promise))
    assert found == {"max_minutes_in_flash_crowd": 30}
    # At the end of the period it goes on at its begin, where twice 110 are over capacity too.
    late = np.full(1440, 40.0)
    late[-10:], late[:20] = 120.0, 110.0
    assert drill_minutes(tasks(4), situation(LoadProfile(late, 60), promise)) == {"max_minutes_in_flash_crowd": 30}


# --- Shortage of Fargate Spot -------------------------------------------------------------------------------------


def mix(base, on_demand, spot):
    return CapacityProviderStrategy(base, on_demand, spot)


@pytest.mark.parametrize(
    ("n", "strategy", "stay"),
    [
        # Of n tasks floor((n - base) x share) are on Spot.
        (8, mix(2, 0, 1), 2),
        (8, mix(0, 0, 1), 0),
        (8, mix(2, 1, 1), 5),
        (9, mix(2, 1, 1), 6),  # floor(3.5)
        (8, mix(4, 1, 3), 5),
        (4, mix(8, 0, 1), 4),
        (8, mix(0, 1, 0), 8),
    ],
)
def test_what_is_on_demand_stays_in_a_shortage(n, strategy, stay):
    calm = AwsBehavior(spot_interruptions_per_task_hour=0.0)
    promise = Promise(max_minutes_in_spot_shortage=0, spot_shortage_hours=2)
    for requests_per_s, minutes in ((50.0 * stay, 0.0), (50.0 * stay + 1, 120.0 if stay < n else 0.0)):
        load = LoadProfile(np.full(1440, requests_per_s), 60)
        found = drill_minutes(tasks(n, strategy=strategy), situation(load, promise, behavior=calm))
        assert found == {"max_minutes_in_spot_shortage": minutes}


@pytest.mark.parametrize(("hours", "minutes"), [(0.5, 30), (1.0, 60), (3.0, 60)])
def test_only_minutes_of_the_shortage_that_the_rest_does_not_serve_count(hours, minutes):
    # 2 of 8 tasks stay and serve 100; for an hour there are 150.
    promise = Promise(max_minutes_in_spot_shortage=0, spot_shortage_hours=hours)
    calm = AwsBehavior(spot_interruptions_per_task_hour=0.0)
    load = peak_at(12, 150.0, 80.0, 60)
    found = drill_minutes(tasks(8, strategy=mix(2, 0, 1)), situation(load, promise, behavior=calm))
    assert found == {"max_minutes_in_spot_shortage": minutes}


# --- What becomes of them -----------------------------------------------------------------------------------------


def test_a_drill_that_is_not_asked_for_is_not_run():
    load = LoadProfile.constant(150).resample(60)
    assert drill_minutes(tasks(4), situation(load, Promise())) == {}
    assert drill_rejections(tasks(4), situation(load, Promise())) == []


def test_a_rejection_says_by_how_much_a_drill_is_failed():
    load = LoadProfile.constant(150).resample(60)
    (rejection,) = drill_rejections(tasks(4), situation(load, Promise(max_minutes_after_zone_loss=1)), 12.5)
    assert rejection.constraint == "max_minutes_after_zone_loss"
    assert (rejection.limit, rejection.unit, rejection.usd_per_month) == (1, "min", 12.5)
    assert rejection.actual == 2
    assert drill_rejections(tasks(4), situation(load, Promise(max_minutes_after_zone_loss=2))) == []
    work = Workload(load, cpu_ms_per_request=20)
    said = estimate(work, RATES, tasks(4), promise=Promise(max_minutes_after_zone_loss=1)).warnings
    assert any("max_minutes_after_zone_loss is 2; at most 1 min" in text for text in said)


@pytest.mark.parametrize(("limit", "least"), [(0, 6), (5, 3)])
def test_a_plan_comes_through_its_drills(limit, least):
    # 150 requests/s need three tasks, and six in two zones to stand the loss of one.
    chosen = Choices(
        cpu_architectures=("X86_64",),
        cpu_units=(1024,),
        memory_mib=(2048,),
        target_values=(100.0,),
        min_capacities=(3, 4, 5, 6, 7),
        scale_out_cooldowns_s=(60,),
        constant_counts=False,
    )
    work = Workload(LoadProfile([150.0] * 24, 3600), cpu_ms_per_request=20)
    best = plan(work, RATES, Promise(max_minutes_after_zone_loss=limit), choices=chosen)
    assert best.spec.min_capacity == least
    failed = {one.spec.min_capacity for one in best.rejections if one.constraint == "max_minutes_after_zone_loss"}
    assert failed == set(range(3, least))
