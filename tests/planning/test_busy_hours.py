"""Busy hours of loads made by hand: the scheduled actions raise the minimum before each of them and lower it after the last."""

import datetime as dt

import numpy as np
import pytest

from estimator.planning.busy_hours import BusyHours, busy_hours
from estimator.service.schedules import instants
from estimator.workload.profile import LoadProfile

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def load_of(is_busy, days, start=MONDAY, busy=100.0, quiet=10.0, step_s=3600):
    """A load that is busy in the hours for which a function of day of the week and hour says so."""
    hours = [start + dt.timedelta(hours=n) for n in range(24 * days)]
    rate = [busy if is_busy(hour.weekday(), hour.hour) else quiet for hour in hours]
    return LoadProfile(np.repeat(rate, 3600 // step_s), step_s, start=start)


def minimums(found, load):
    """The minimum in force in each quarter of an hour of the period, which repeats."""
    end = load.start + dt.timedelta(seconds=load.period_s)
    high, low = found.actions(5, 2, 20)
    assert (high.min_capacity, high.max_capacity) == (5, 20)
    assert (low.min_capacity, low.max_capacity) == (2, 20)
    changes = sorted(
        (moment, action.min_capacity)
        for action in (high, low)
        for moment in instants(action.schedule, action.timezone, load.start, end)
    )
    in_force, minimum = [], changes[-1][1]
    for n in range(load.period_s // 900):
        moment = load.start + dt.timedelta(seconds=900 * n)
        while changes and changes[0][0] <= moment:
            minimum = changes.pop(0)[1]
        in_force.append((moment, minimum))
    return in_force


def check_covered(load, is_busy):
    """Each busy hour has the higher minimum, and so has the quarter before the first; no other has."""
    found = busy_hours(load)
    assert found is not None
    for moment, minimum in minimums(found, load):
        soon = moment + dt.timedelta(minutes=15)
        wanted = any(is_busy(each.weekday(), each.hour) for each in (moment, soon))
        assert minimum == (5 if wanted else 2), f"{minimum} at {moment:%a %H:%M} with {found}"
    return found


@pytest.mark.parametrize(
    ("first", "hours"), [(9, 8), (0, 6), (18, 6), (20, 6), (23, 2), (22, 10), (1, 1), (0, 1), (23, 1), (12, 20)]
)
@pytest.mark.parametrize("days", [1, 3, 7, 14])
@pytest.mark.parametrize("begin_hour", [0, 5, 23])
def test_hours_of_every_day_are_covered(first, hours, days, begin_hour):
    def is_busy(_, hour):
        return (hour - first) % 24 < hours

    load = load_of(is_busy, days, MONDAY.replace(hour=begin_hour))
    found = check_covered(load, is_busy)
    assert found == BusyHours(first, (first + hours) % 24, 0, 6, 100.0)


@pytest.mark.parametrize(("first", "hours"), [(9, 8), (0, 6), (20, 4), (20, 6), (23, 2)])
@pytest.mark.parametrize("days", ["weekdays", "weekend"])
@pytest.mark.parametrize("start_day", [0, 2, 5, 6])
@pytest.mark.parametrize("begin_hour", [0, 7])
@pytest.mark.parametrize("weeks", [1, 4])
def test_hours_of_weekdays_or_of_the_weekend_are_covered(first, hours, days, start_day, begin_hour, weeks):
    wanted = range(5) if days == "weekdays" else range(5, 7)

    def is_busy(day, hour):
        # Hours after midnight belong to the day before.
        begun = day if hour >= first else (day - 1) % 7
        return (hour - first) % 24 < hours and begun in wanted

    load = load_of(is_busy, 7 * weeks, MONDAY + dt.timedelta(days=start_day, hours=begin_hour))
    found = check_covered(load, is_busy)
    assert (found.first_day, found.last_day) == (wanted[0], wanted[-1])
    assert found.peak_requests_per_s == 100.0


def test_cron_names_the_days_on_which_the_actions_are_due():
    def actions(*values):
        return [action.schedule for action in BusyHours(*values, 100.0).actions(5, 2, 20)]

    assert actions(9, 17, 0, 6) == ["cron(45 8 * * ? *)", "cron(0 17 * * ? *)"]
    assert actions(9, 17, 0, 4) == ["cron(45 8 ? * MON-FRI *)", "cron(0 17 ? * MON-FRI *)"]
    # Raised on the evening before, lowered on the morning after.
    assert actions(0, 6, 0, 4) == ["cron(45 23 ? * SUN-THU *)", "cron(0 6 ? * MON-FRI *)"]
    assert actions(20, 2, 0, 4) == ["cron(45 19 ? * MON-FRI *)", "cron(0 2 ? * TUE-SAT *)"]
    assert actions(20, 0, 5, 6) == ["cron(45 19 ? * SAT-SUN *)", "cron(0 0 ? * SUN-MON *)"]


def test_the_peak_is_the_mean_of_the_days_peaks():
    # Peaks of 90, 100, 110, ... by the minute, in an hour that is busy on average.
    rate = np.full((7, 24, 60), 10.0)
    rate[:, 9:17] = 60.0
    rate[:, 12, 30] = 90 + 10 * np.arange(7)
    found = busy_hours(LoadProfile(rate.ravel(), 60, start=MONDAY))
    assert (found.begin_hour, found.end_hour) == (9, 17)
    assert found.peak_requests_per_s == pytest.approx(np.mean(90 + 10 * np.arange(7)))


def test_of_days_that_differ_less_than_by_a_third_all_count():
    def load(weekend):
        rate = np.full((7, 24), 10.0)
        rate[:5, 9:17], rate[5:, 9:17] = 100.0, weekend
        return LoadProfile(rate.ravel(), 3600, start=MONDAY)

    assert (busy_hours(load(59.0)).first_day, busy_hours(load(59.0)).last_day) == (0, 4)
    assert (busy_hours(load(61.0)).first_day, busy_hours(load(61.0)).last_day) == (0, 6)
    assert busy_hours(load(61.0)).peak_requests_per_s == pytest.approx((5 * 100 + 2 * 61) / 7)
    assert (busy_hours(load(170.0)).first_day, busy_hours(load(170.0)).last_day) == (5, 6)


def test_of_two_stretches_the_longer_counts():
    found = busy_hours(load_of(lambda _, hour: hour in {7, 8, 9} or 18 <= hour < 23, 1))
    assert (found.begin_hour, found.end_hour) == (18, 23)


@pytest.mark.parametrize(
    "load",
    [
        LoadProfile.constant(50),
        # Busiest to quietest hour 1.4.
        load_of(lambda _, hour: 9 <= hour < 17, 1, busy=70.0, quiet=50.0),
        # 21 hours of a day.
        load_of(lambda _, hour: hour >= 3, 1),
        # Not whole days.
        LoadProfile([10.0] * 8 + [100.0] * 8 + [10.0] * 20, 3600, start=MONDAY),
        # Not from an hour on.
        LoadProfile([10.0] * 8 + [100.0] * 8 + [10.0] * 8, 3600, start=MONDAY + dt.timedelta(minutes=30)),
        LoadProfile([0.0] * 24, 3600),
    ],
)
def test_a_load_without_a_swing_that_comes_again_has_none(load):
    assert busy_hours(load) is None


def test_a_load_without_a_start_begins_on_a_monday():
    rate = np.full((7, 24), 10.0)
    rate[:5, 9:17] = 100.0
    found = busy_hours(LoadProfile(rate.ravel(), 3600))
    assert (found.first_day, found.last_day, found.begin_hour) == (0, 4, 9)


@pytest.mark.parametrize("step_s", [60, 900, 3600, 7200, 14_400])
def test_it_does_not_matter_how_finely_the_load_is_known(step_s):
    rate = np.repeat([10.0, 10.0, 100.0, 100.0, 10.0, 10.0], 4)
    per_hour = np.repeat(rate, 3600 // step_s) if step_s <= 3600 else rate[:: step_s // 3600]
    found = busy_hours(LoadProfile(per_hour, step_s))
    assert (found.begin_hour, found.end_hour, found.peak_requests_per_s) == (8, 16, 100.0)


def test_a_start_in_another_time_zone_is_meant_in_utc():
    berlin = dt.timezone(dt.timedelta(hours=1))
    load = load_of(lambda _, hour: 9 <= hour < 17, 1, MONDAY)
    moved = LoadProfile(load.requests_per_s, 3600, start=MONDAY.astimezone(berlin))
    assert busy_hours(moved) == busy_hours(load)
