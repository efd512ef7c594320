"""Season, growth, events, noise and local clocks against closed forms."""

import datetime as dt
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import InvalidScenario
from estimator.workload.factors import event, noise, utc_offsets
from estimator.workload.profile import LoadProfile

UTC = dt.UTC
YEAR = LoadProfile.constant(100, step_s=3600).repeated(365)


def test_a_season_over_a_year_keeps_the_total():
    season = YEAR.with_season(30, peak_day=10)
    assert season.requests == pytest.approx(YEAR.requests, rel=1e-12)
    # At noon of day 10, and half a year (182.5 days) from it.
    assert season.requests_per_s[9 * 24 + 12] == pytest.approx(130, abs=0.001)
    assert season.requests_per_s[(9 * 24 + 12 + 4380) % 8760] == pytest.approx(70, abs=0.001)
    assert season.requests_per_s.argmax() in {9 * 24 + 11, 9 * 24 + 12}


@pytest.mark.parametrize("days", [1, 30, 91])
def test_a_season_over_a_part_of_the_year(days):
    # The integral of 1 + s cos(w (t - p)) from 0 to T is T + s/w (sin(w (T - p)) + sin(w p)).
    w, peak, s = 2 * math.pi / 365, 100 - 0.5, 0.25
    expected = days + s / w * (math.sin(w * (days - peak)) + math.sin(w * peak))
    load = LoadProfile.constant(1, step_s=3600).repeated(days).with_season(25, peak_day=100)
    assert load.requests == pytest.approx(expected * 86_400, rel=1e-12)


def test_a_season_follows_the_calendar():
    whole = YEAR.starting_at(dt.datetime(2026, 1, 1, tzinfo=UTC)).with_season(30, peak_day=10)
    july = YEAR.between(0, 744).starting_at(dt.datetime(2026, 7, 1, tzinfo=UTC)).with_season(30, peak_day=10)
    np.testing.assert_allclose(july.requests_per_s, whole.requests_per_s[181 * 24 : 212 * 24], rtol=1e-12)


def test_seasonal_is_a_year_of_its_own():
    year = LoadProfile.seasonal(350, 50, peak_day=183)
    assert year.period_hours == 8760
    assert year.requests == pytest.approx(200 * 8760 * 3600, rel=1e-12)
    assert year.peak_requests_per_s == pytest.approx(350, abs=0.001)
    assert year.requests_per_s.min() == pytest.approx(50, abs=0.001)
    assert LoadProfile.seasonal(10, 0).requests_per_s.min() >= 0
    np.testing.assert_allclose(
        year.requests_per_s, LoadProfile.constant(200, 3600).repeated(365).with_season(75).requests_per_s
    )


@pytest.mark.parametrize("percent", [5, -20, 0, 100])
@pytest.mark.parametrize("step_s", [60, 3600, 86_400])
def test_growth_is_compounded_by_the_month_of_730_hours(percent, step_s):
    # The integral of r g^(t/m) from 0 to T is r m (g^(T/m) - 1) / ln g.
    growth, month, period = 1 + percent / 100, 730 * 3600, 90 * 86_400
    load = LoadProfile.constant(10, step_s=step_s).repeated(90).with_growth(percent)
    expected = 10 * period if percent == 0 else 10 * month * (growth ** (period / month) - 1) / math.log(growth)
    assert load.requests == pytest.approx(expected, rel=1e-11)
    if step_s <= 3600:  # a month later the load is so much higher, in every step
        hourly = load.resample(3600).requests_per_s
        np.testing.assert_allclose(hourly[730:1000] / hourly[:270], growth, rtol=1e-12)


@given(
    st.floats(0, 20 * 3600),
    st.floats(0, 3600),
    st.floats(0, 3600),
    st.floats(0, 3600),
    st.sampled_from([20, 60, 3600]),
)
def test_a_linear_event_adds_what_its_trapezium_holds(start_s, rise_s, hold_s, decay_s, step_s):
    area = rise_s / 2 + hold_s + decay_s / 2
    load = LoadProfile.constant(7, step_s)
    added = load.with_event(start_s / 3600, rise_s, hold_s, decay_s, requests_per_s=100)
    assert added.requests == pytest.approx(load.requests + 100 * area, rel=1e-9)
    times = load.with_event(start_s / 3600, rise_s, hold_s, decay_s, factor=3)
    assert times.requests == pytest.approx(load.requests + 2 * 7 * area, rel=1e-9)
    for each, top in ((added, 107), (times, 21)):
        assert each.requests_per_s.min() >= 7 * (1 - 1e-12)
        assert each.peak_requests_per_s <= top * (1 + 1e-12)


def test_an_exponential_event():
    load = LoadProfile.constant(10).with_event(2.0, 60, 600, 1800, factor=11, decay="exponential")
    # Cut at the end of the day, 20 h 49 min or 41 time constants later: 100 x (30 + 600 + 1800).
    assert load.requests == pytest.approx(864_000 + 100 * 2430, rel=1e-12)
    # A time constant after the hold a step's middle is at e^-1 of the event.
    at = (2 * 3600 + 660 + 1800) // 60
    assert load.requests_per_s[at - 1 : at + 1].mean() == pytest.approx(10 + 100 / math.e, rel=1e-3)
    late = LoadProfile.constant(10).with_event(23.5, 0, 0, 1800, requests_per_s=50, decay="exponential")
    assert late.requests == pytest.approx(864_000 + 50 * 1800 * (1 - math.exp(-1)), rel=1e-12)


def test_an_event_at_once_and_a_holiday():
    crowd = LoadProfile.constant(10).with_event(1.0, 0, 120, 0, factor=10)
    assert crowd.requests_per_s[59:63].tolist() == [10, 100, 100, 10]
    # Half a minute later, the steps at its edges have half of it.
    late = LoadProfile.constant(10).with_event(1 + 30 / 3600, 0, 120, 0, factor=10)
    np.testing.assert_allclose(late.requests_per_s[59:64], [10, 55, 100, 55, 10])
    closed = LoadProfile.constant(10).with_event(0, 0, 86_400, 0, factor=0)
    assert closed.requests == 0
    assert event(3, 60, 30, 0, 0, 0, "linear").tolist() == [0, 0, 0]


def test_an_event_at_a_moment():
    load = LoadProfile.constant(10).starting_at(dt.datetime(2026, 11, 27, tzinfo=UTC))
    moment = dt.datetime(2026, 11, 27, 10, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    by_moment, by_hours = (load.with_event(each, 60, 60, 60, factor=2) for each in (moment, 9.0))
    assert by_moment.fingerprint() == by_hours.fingerprint()


def test_noise_has_mean_one_and_the_deviation_that_was_asked_for():
    factors = noise(400_000, 0.3, seed=5)
    assert factors.mean() == pytest.approx(1, abs=4 * 0.3 / math.sqrt(400_000))
    assert factors.std() == pytest.approx(0.3, rel=0.02)
    assert factors.min() > 0
    assert noise(10, 0.0, seed=5).tolist() == [1] * 10


def test_noise_remembers_as_long_as_it_is_told():
    load = LoadProfile.constant(1, step_s=60).repeated(365)
    logs = np.log(load.with_noise(20, seed=3, correlation_s=600).requests_per_s)
    logs -= logs.mean()
    assert logs.std() == pytest.approx(math.sqrt(math.log(1.04)), rel=0.03)
    for steps in (1, 10, 20):
        correlation = (logs[steps:] * logs[:-steps]).mean() / logs.var()
        assert correlation == pytest.approx(math.exp(-steps * 60 / 600), abs=0.02)


def test_correlated_noise_is_the_recursion_it_stands_for():
    # x_0 = e_0, x_t = p x_(t-1) + sqrt(1 - p^2) e_t, one step after the other.
    draws, p = np.random.default_rng(9).standard_normal(500), math.exp(-1 / 7)
    expected = [draws[0]]
    for each in draws[1:]:
        expected.append(p * expected[-1] + math.sqrt(1 - p * p) * each)
    variance = math.log1p(0.25**2)
    got = (np.log(noise(500, 0.25, 9, memory_steps=7)) + variance / 2) / math.sqrt(variance)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_noise_is_the_same_in_every_process():
    # numpy's default_rng(1), first three draws: 0.34558419, 0.82161814, 0.33043708.
    variance = math.log1p(0.04)
    expected = np.exp(math.sqrt(variance) * np.array([0.34558419, 0.82161814, 0.33043708]) - variance / 2) * 100
    load = LoadProfile.constant(100).with_noise(20, seed=1)
    np.testing.assert_allclose(load.requests_per_s[:3], expected, rtol=1e-8)
    code = "from estimator import LoadProfile; print(LoadProfile.constant(100).with_noise(20, 1, 600).fingerprint())"
    prints = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert prints == {LoadProfile.constant(100).with_noise(20, seed=1, correlation_s=600).fingerprint()}
    assert LoadProfile.constant(100).with_noise(20, seed=2).fingerprint() != load.fingerprint()


def test_the_local_peak_moves_in_utc_when_clocks_change():
    day = LoadProfile.daily(350, 50, peak_hour=20.5, step_s=3600)
    year = day.in_time_zone("Europe/Berlin", dt.date(2026, 1, 1), 365)
    assert (year.period_hours, year.start) == (8760, dt.datetime(2026, 1, 1, tzinfo=UTC))
    peaks = year.requests_per_s.reshape(365, 24).argmax(axis=1)
    # Clocks were put forward on 29 March (day 88) and back on 25 October (day 298), both at 01:00 UTC.
    assert set(peaks[:87]) == {19}
    assert set(peaks[87:297]) == {18}
    assert set(peaks[297:]) == {19}


def local_days(zone, start, days):
    """Hours of UTC by local date: mark each hour of a week with its own rate, then read local hours back."""
    week = LoadProfile(np.arange(168.0), 3600)
    return week.in_time_zone(zone, start, days).requests_per_s.astype(int)


def test_days_of_23_and_25_hours_on_a_grid_that_stays_regular():
    # 2026-03-29 and 2026-10-25 are Sundays: hours 144 to 167 of the week.
    spring = local_days("Europe/Berlin", dt.date(2026, 3, 28), 3)
    sunday = [hour - 144 for hour in spring if hour >= 144]
    assert sunday == [0, 1, *range(3, 24)]
    autumn = local_days("Europe/Berlin", dt.date(2026, 10, 24), 3)
    sunday = [hour - 144 for hour in autumn if hour >= 144]
    assert sunday == [0, 1, 2, 2, *range(3, 24)]
    assert spring.size == autumn.size == 72


def test_other_zones():
    # Kolkata is 5:30 ahead: 00:00 UTC of Thursday 2026-01-01 is 05:30 there, in half hours place 3 x 48 + 11.
    halves = LoadProfile(np.arange(336.0), 1800).in_time_zone("Asia/Kolkata", dt.date(2026, 1, 1), 1)
    assert halves.requests_per_s[0] == 3 * 48 + 11
    with pytest.raises(InvalidScenario, match=r"Asia/Kolkata is 19800 s .* Resample the profile to 1800 s"):
        LoadProfile(np.arange(24.0), 3600).in_time_zone("Asia/Kolkata", dt.date(2026, 1, 1), 1)
    # South of the equator clocks go the other way; UTC never changes.
    assert [offset // 3600 for _, offset in utc_offsets("Australia/Sydney", 1767225600, 365 * 86400)] == [11, 10, 11]
    assert utc_offsets("UTC", 0, 86_400) == [(0, 0)]
    # 2026-03-29T01:00Z, to the second.
    assert utc_offsets("Europe/Berlin", 1767225600, 365 * 86400)[1] == (1774746000, 7200)
    # Lord Howe moves by half an hour.
    assert {offset for _, offset in utc_offsets("Australia/Lord_Howe", 1767225600, 365 * 86400)} == {39_600, 37_800}
    same = LoadProfile.weekly(9, 1, weekend_factor=0.5)
    monday = same.in_time_zone("UTC", dt.date(2026, 1, 5), 7)
    assert monday.requests_per_s.tolist() == same.requests_per_s.tolist()


def test_loads_of_several_zones_add_up():
    day = LoadProfile.daily(100, 0, step_s=3600)
    both = day.in_time_zone("Europe/Berlin", dt.date(2026, 1, 1), 365) + day.in_time_zone(
        "America/New_York", dt.date(2026, 1, 1), 365
    )
    assert both.start == dt.datetime(2026, 1, 1, tzinfo=UTC)
    assert both.mean_requests_per_s == pytest.approx(100, rel=1e-3)


DAY = LoadProfile.constant(1, step_s=3600)
DATED = DAY.starting_at(dt.datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DAY.with_season(101), "swing_percent is 101"),
        (lambda: DAY.with_season(10, 0), "peak_day is 0"),
        (lambda: LoadProfile.seasonal(1, 2), "trough_requests_per_s is 2"),
        (lambda: LoadProfile.seasonal(2, 1, 367), "peak_day is 367"),
        (lambda: DAY.with_growth(-100), "percent_per_month is -100"),
        (lambda: DAY.with_growth(math.nan), "nan"),
        (lambda: DAY.with_event(0, 1, 1, 1), "either factor or requests_per_s"),
        (lambda: DAY.with_event(0, 1, 1, 1, factor=2, requests_per_s=1), "not both"),
        (lambda: DAY.with_event(0, 1, 1, 1, factor=-2), "factor is -2"),
        (lambda: DAY.with_event(0, 1, 1, 1, requests_per_s=-2), "requests_per_s is -2"),
        (lambda: DAY.with_event(0, -1, 1, 1, factor=2), "rise_s is -1"),
        (lambda: DAY.with_event(0, 1, 90_000, 1, factor=2), "hold_s is 90000"),
        (lambda: DAY.with_event(0, 1, 1, 1, factor=2, decay="never"), "decay is 'never'"),
        (lambda: DAY.with_event(23.5, 0, 3600, 0, factor=2), r"ends 24\.5 hours .* has 24 hours"),
        (lambda: DAY.with_event(-1, 0, 0, 0, factor=2), "start is -1"),
        (lambda: DAY.with_event(25, 0, 0, 0, factor=2), "start is 25"),
        (lambda: DAY.with_event(dt.datetime(2026, 1, 1, tzinfo=UTC), 0, 0, 0, factor=2), "itself has no start"),
        (lambda: DATED.with_event(dt.datetime(2026, 1, 1), 0, 0, 0, factor=2), "without a time zone"),
        (lambda: DATED.with_event(dt.datetime(2026, 1, 2, tzinfo=UTC), 0, 0, 0, factor=2), "must lie in the profile"),
        (lambda: DAY.with_noise(-1, 0), "percent is -1"),
        (lambda: DAY.with_noise(1, 0.5), "seed is 0.5"),
        (lambda: DAY.with_noise(1, -1), "seed is -1"),
        (lambda: DAY.with_noise(1, 0, -1), "correlation_s is -1"),
        (lambda: DAY.in_time_zone("Mars/Olympus", dt.date(2026, 1, 1), 1), "time_zone is 'Mars/Olympus'"),
        (lambda: DAY.in_time_zone("../etc/passwd", dt.date(2026, 1, 1), 1), "time_zone is"),
        (lambda: DAY.in_time_zone("", dt.date(2026, 1, 1), 1), "time_zone is ''"),
        (lambda: DAY.in_time_zone("UTC", "2026-01-01", 1), "must be a day"),
        (lambda: DAY.in_time_zone("UTC", dt.datetime(2026, 1, 1), 1), "must be a day"),
        (lambda: DAY.in_time_zone("UTC", dt.date(2026, 1, 1), 0), "days is 0"),
        (lambda: DAY.in_time_zone("UTC", dt.date(2026, 1, 1), 3661), "days is 3661"),
        (lambda: DAY.repeated(2).in_time_zone("UTC", dt.date(2026, 1, 1), 1), "this one has 48 hours"),
        (lambda: DATED.in_time_zone("UTC", dt.date(2026, 1, 1), 1), "it has a start already"),
    ],
)
def test_shapes_that_are_none(make, said):
    with pytest.raises(InvalidScenario, match=said) as caught:
        make()
    assert str(caught.value).endswith(".")
