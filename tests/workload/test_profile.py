"""Load profiles: makers, grids, totals, fingerprints, and profiles that are none."""

import datetime as dt
import math
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import InvalidScenario
from estimator.workload.profile import LoadProfile


def test_constant():
    load = LoadProfile.constant(20)
    assert (load.step_s, load.period_s, load.period_hours) == (60, 86_400, 24)
    # 20 x 86400
    assert load.requests == 1_728_000
    assert load.mean_requests_per_s == load.peak_requests_per_s == 20
    assert LoadProfile.constant(0).requests == 0


def test_daily_swings_between_trough_and_peak_at_the_hour():
    load = LoadProfile.daily(350, 50, peak_hour=20)
    # A cosine: the mean is the middle; the middle of a minute misses the peak by half a minute.
    assert load.mean_requests_per_s == pytest.approx(200)
    assert load.peak_requests_per_s == pytest.approx(350, abs=0.01)
    assert load.requests_per_s.min() == pytest.approx(50, abs=0.01)
    assert load.requests_per_s.argmax() // 60 in {19, 20}
    assert load.requests_per_s.argmin() // 60 in {7, 8}
    # Six hours from the peak it is at the middle.
    assert load.requests_per_s[14 * 60] == pytest.approx(200, abs=1)
    assert LoadProfile.daily(350, 50, 24).fingerprint() != load.fingerprint()
    np.testing.assert_allclose(
        LoadProfile.daily(9, 1, 0).requests_per_s, LoadProfile.daily(9, 1, 24).requests_per_s, atol=1e-12
    )


def test_a_flat_day_is_constant():
    np.testing.assert_allclose(LoadProfile.daily(7, 7).requests_per_s, 7)


def test_weekly():
    load = LoadProfile.weekly(350, 50, weekend_factor=0.5)
    days = load.requests_per_s.reshape(7, -1)
    assert load.period_hours == 168
    np.testing.assert_allclose(days[:5].mean(axis=1), 200)
    np.testing.assert_allclose(days[5:].mean(axis=1), 100)
    # (5 x 200 + 2 x 100) / 7
    assert load.mean_requests_per_s == pytest.approx(1200 / 7)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LoadProfile.constant(-1), "requests_per_s is -1"),
        (lambda: LoadProfile.constant(math.nan), "nan"),
        (lambda: LoadProfile.constant(math.inf), "inf"),
        (lambda: LoadProfile.daily(10, 20), "trough_requests_per_s is 20"),
        (lambda: LoadProfile.daily(10, -1), "trough_requests_per_s is -1"),
        (lambda: LoadProfile.daily(10, 1, 24.5), "peak_hour is 24.5"),
        (lambda: LoadProfile.daily(10, 1, -0.1), "peak_hour is -0.1"),
        (lambda: LoadProfile.daily(10, 1, math.nan), "peak_hour is nan"),
        (lambda: LoadProfile.weekly(10, 1, weekend_factor=-1), "weekend_factor is -1"),
        (lambda: LoadProfile.constant(1).scaled(-2), "scale is -2"),
        (lambda: LoadProfile.constant(1).scaled(math.inf), "scale is inf"),
        (lambda: LoadProfile([], 60), "1 to 1,100,000 steps"),
        (lambda: LoadProfile([[1.0]], 3600), r"shape \(1, 1\)"),
        (lambda: LoadProfile(5.0, 3600), r"shape \(\)"),
        (lambda: LoadProfile([1, "many"], 1800), "must be numbers"),
        (lambda: LoadProfile([1, -2], 1800), "in step 1 is -2"),
        (lambda: LoadProfile([1, math.nan], 1800), "in step 1 is nan"),
        (lambda: LoadProfile([1, None], 1800), "in step 1 is nan"),
        (lambda: LoadProfile([1.0], 60), "whole hours"),
        (lambda: LoadProfile([1.0] * 61, 60), "whole hours"),
        (lambda: LoadProfile([1.0, 1.0], 5400), "an hour whole steps|hour"),
        (lambda: LoadProfile([1.0], 0), "step_s is 0"),
        (lambda: LoadProfile([1.0], -3600), "step_s is -3600"),
        (lambda: LoadProfile([1.0], 0.5), "step_s is 0.5"),
        (lambda: LoadProfile([1.0] * 3600, True), "step_s is True"),
        (lambda: LoadProfile(np.zeros(1_100_001), 3600), "1,100,000"),
    ],
)
def test_loads_that_are_none(make, said):
    with pytest.raises(InvalidScenario, match=said):
        make()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e6)), min_size=1, max_size=12),
    st.sampled_from([1800, 900, 600, 300, 60, 45, 7200, 3600 * 3]),
)
def test_resampling_keeps_every_total(rates, step_s):
    load = LoadProfile(rates, 3600)
    try:
        other = load.resample(step_s)
    except InvalidScenario:
        # Only a grid that does not divide the period is refused.
        assert len(rates) * 3600 % step_s
        return
    assert other.step_s == step_s
    assert other.period_s == load.period_s
    assert other.requests == pytest.approx(load.requests, rel=1e-12)
    if step_s <= 3600:
        np.testing.assert_allclose(other.hourly_mean(), load.requests_per_s, rtol=1e-12)


def test_hourly_means():
    load = LoadProfile(np.arange(120.0), 60)
    # Means of 0..59 and of 60..119.
    assert load.hourly_mean().tolist() == [29.5, 89.5]
    assert LoadProfile([3.0, 5.0], 7200).hourly_mean().tolist() == [3, 3, 5, 5]


def test_grids_that_do_not_fit():
    with pytest.raises(InvalidScenario, match="cannot be resampled"):
        LoadProfile([1.0] * 3, 3600).resample(7200)
    with pytest.raises(InvalidScenario, match="an hour whole steps"):
        LoadProfile([1.0] * 3, 3600).resample(1350)


def test_steps_that_lie_across_each_other():
    # 45 s to 60 s: the second minute has 30 s of the second step and 30 s of the third.
    load = LoadProfile([4.0, 8.0, 12.0, 0.0] * 20, 45).resample(60)
    assert load.requests_per_s[:3].tolist() == [5, 10, 3]
    assert load.requests == 80 * 6 * 45


def test_arrays_are_copied_and_locked():
    mine = np.array([1.0, 2.0])
    load = LoadProfile(mine, 1800)
    mine[0] = 99
    assert load.requests_per_s.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        load.requests_per_s[0] = 5
    with pytest.raises(AttributeError):
        load.step_s = 60
    for other in (load.resample(900), load.scaled(2), LoadProfile.daily(2, 1), LoadProfile.weekly(2, 1)):
        assert not other.requests_per_s.flags.writeable


def test_scaled_keeps_the_shape():
    assert LoadProfile([1.0, 3.0], 1800).scaled(2.5).requests_per_s.tolist() == [2.5, 7.5]


def test_fingerprints():
    load = LoadProfile.daily(350, 50)
    code = "from estimator import LoadProfile; print(LoadProfile.daily(350, 50).fingerprint())"
    prints = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert prints == {load.fingerprint()}
    # The same numbers on another grid are another load; another name is not.
    assert LoadProfile([1.0, 2.0], 1800).fingerprint() != LoadProfile([1.0, 2.0], 3600).fingerprint()
    assert LoadProfile([1.0, 2.0], 1800, "a").fingerprint() == LoadProfile([1, 2], 1800, "b").fingerprint()
    assert LoadProfile([1.0, 2.0], 1800).fingerprint() != LoadProfile([2.0, 1.0], 1800).fingerprint()


# Faults that were there once.
@pytest.mark.parametrize(
    "make",
    [
        lambda: LoadProfile.constant(1, 0),
        lambda: LoadProfile.constant(1, -60),
        lambda: LoadProfile.daily(2, 1, step_s=0),
        lambda: LoadProfile([1.0], math.nan),
        lambda: LoadProfile.constant(1).resample(0),
        lambda: LoadProfile.constant(1).resample(-60),
    ],
)
def test_steps_that_are_none(make):
    with pytest.raises(InvalidScenario, match="step"):
        make()


def test_a_load_whose_sum_is_too_large():
    with pytest.raises(InvalidScenario):
        _ = LoadProfile.constant(1e308).requests


STEPS = [900, 1200, 1800, 3600]


@st.composite
def profiles(draw, step_s=None, hours=None):
    step_s = step_s or draw(st.sampled_from(STEPS))
    n_steps = (hours or draw(st.integers(1, 6))) * 3600 // step_s
    rates = st.one_of(st.just(0.0), st.floats(1e-3, 1e6))
    return LoadProfile(draw(st.lists(rates, min_size=n_steps, max_size=n_steps)), step_s)


@given(profiles(), st.sampled_from([45, 60, 144, 400, 600, *STEPS, 7200]), st.floats(0, 1e3))
def test_totals_survive_resampling_and_scaling(load, step_s, factor):
    if load.period_s % step_s == 0:
        other = load.resample(step_s)
        assert other.requests == pytest.approx(load.requests, rel=1e-9)
        assert other.peak_requests_per_s <= max(load.peak_requests_per_s * (1 + 1e-9), 0)
        assert other.start == load.start
    assert load.scaled(factor).requests == pytest.approx(factor * load.requests, rel=1e-12)


@given(st.data())
def test_adding_commutes_and_adds_totals(data):
    step_s = data.draw(st.sampled_from(STEPS))
    one = data.draw(profiles(step_s, 2))
    two = data.draw(profiles(step_s, 2 * data.draw(st.integers(1, 3))))
    three = data.draw(profiles(step_s, 2))
    assert (one + two).fingerprint() == (two + one).fingerprint()
    times = two.period_s // one.period_s
    assert (one + two).requests == pytest.approx(times * one.requests + two.requests, rel=1e-9)
    np.testing.assert_allclose(((one + two) + three).requests_per_s, (one + (two + three)).requests_per_s, rtol=1e-12)
    assert (one + LoadProfile.constant(0, step_s).between(0, 2)).fingerprint() == one.fingerprint()


@given(profiles(hours=6), st.integers(1, 5))
def test_slices_put_together_are_the_whole(load, cut_h):
    load = load.starting_at(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    first, second = load.between(0, cut_h), load.between(cut_h, 6)
    assert first.requests + second.requests == pytest.approx(load.requests, rel=1e-12)
    assert first.followed_by(second).fingerprint() == load.fingerprint()
    assert load.tail(6 - cut_h).fingerprint() == second.fingerprint()
    assert load.repeated(3).between(6, 12).requests_per_s.tolist() == load.requests_per_s.tolist()


def test_a_start_moves_with_what_is_cut():
    load = LoadProfile.constant(1).starting_at(dt.datetime(2026, 3, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))))
    assert load.start == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert load.start.tzinfo is dt.UTC
    assert load.tail(1).start == load.between(23, 24).start == dt.datetime(2026, 3, 1, 23, tzinfo=dt.UTC)
    # Half hours are edges of steps; what is between must be whole hours.
    assert load.between(0.5, 1.5).start.minute == 30
    for other in (load.resample(300), load.scaled(2), load + LoadProfile.constant(2), load.with_growth(1)):
        assert other.start == load.start
    assert load.starting_at(None).start is None


def test_a_start_is_part_of_the_fingerprint_and_its_absence_is_not():
    load = LoadProfile([1.0, 2.0], 1800)
    # SHA-256 of "1800:" and the two doubles, as it always was.
    assert load.fingerprint() == "db5e37f1ead93c3ea66049dcebba41f77bc9200b524cf3b2a61616d72bb3282a"
    dated = load.starting_at(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    assert dated.fingerprint() != load.fingerprint()
    assert dated.starting_at(None).fingerprint() == load.fingerprint()
    assert LoadProfile([1.0, 2.0], 1800, notes=("filled",)).fingerprint() == load.fingerprint()


def test_names_and_notes_of_sums():
    one, two = LoadProfile([1.0], 3600, "web", notes=("a",)), LoadProfile([2.0], 3600, "api", notes=("b", "a"))
    assert ((one + two).name, (one + two).notes) == ("web + api", ("a", "b"))
    assert (one + one).name == "web"
    assert one.scaled(2).resample(1800).notes == ("a",)


DATED = LoadProfile([1.0, 2.0], 3600, start=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LoadProfile.constant(1, 60) + LoadProfile.constant(1, 300), "60 s and 300 s cannot be added"),
        (lambda: LoadProfile.constant(1, 60).followed_by(LoadProfile.constant(1, 300)), "cannot be joined"),
        (lambda: DATED + LoadProfile([1.0] * 3, 3600), "2 hours cannot be added to one of 3 hours"),
        (lambda: DATED + DATED.tail(1), "begin at 2026-03-01T00:00:00.00:00 and at 2026-03-01T01"),
        (lambda: DATED.followed_by(DATED), "must begin where the first ends"),
        (lambda: DATED.repeated(0), "times is 0"),
        (lambda: DATED.repeated(600_000), "times is 600000"),
        (lambda: DATED.between(1, 1), "end_h is 1"),
        (lambda: DATED.between(1, 3), "end_h is 3"),
        (lambda: DATED.between(-1, 1), "start_h is -1"),
        (lambda: DATED.between(0.5, 1.5), "must be edges of steps"),
        (lambda: LoadProfile.constant(1).between(0.5, 1), "whole hours"),
        (lambda: DATED.tail(0), "hours is 0"),
        (lambda: DATED.tail(3), "hours is 3"),
        (lambda: DATED.starting_at(dt.datetime(2026, 3, 1)), "moment with a time zone"),
        (lambda: DATED.starting_at("2026-03-01"), "moment with a time zone"),
    ],
)
def test_operations_that_are_none(make, said):
    with pytest.raises(InvalidScenario, match=said) as caught:
        make()
    assert str(caught.value).endswith(".")


def test_a_profile_adds_only_to_a_profile():
    with pytest.raises(TypeError):
        _ = DATED + 1


def test_a_year_of_minutes_takes_milliseconds():
    year = LoadProfile.weekly(350, 50).in_time_zone("Europe/Berlin", dt.date(2026, 1, 1), 365)
    assert year.requests_per_s.size == 525_600

    def whole_chain():
        return (year + year).with_season(20).with_growth(2).with_event(5000, 60, 600, 60, factor=10).with_noise(10, 1)

    begin = time.perf_counter()
    whole_chain()
    # About 0.05 s; a loop over the steps would take ten times this limit.
    assert time.perf_counter() - begin < 1
