"""The list of what is uncertain is whole, says what the fields say, and its figures follow from its sources."""

import math
import re
from dataclasses import fields, replace

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.lcu import alb_lcu, lcu_hours
from estimator.errors import InvalidScenario
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.policies import PredictiveScalingPolicy
from estimator.service.uncertain import (
    BEHAVIOR,
    DOCUMENTED,
    ELSEWHERE,
    EXTRAS,
    NOT_YET,
    REQUEST,
    SCALING,
    SETTLED,
    TRUTH,
    UNCERTAIN,
)
from estimator.units import described_fields
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload

FIELDS = {item.name: item for item in fields(AwsBehavior)}
OWNERS = {BEHAVIOR: AwsBehavior, REQUEST: Request, SCALING: PredictiveScalingPolicy, EXTRAS: Extras}
ROWS = [*UNCERTAIN.values(), *ELSEWHERE.values()]


def test_every_field_is_uncertain_or_documented():
    assert UNCERTAIN.keys() | DOCUMENTED.keys() == FIELDS.keys()
    assert not UNCERTAIN.keys() & DOCUMENTED.keys()
    # What AWS documents without a choice, and what is no property of AWS.
    assert set(DOCUMENTED) == {"minimum_billed_s", "spot_warning_s", "seed"}


def test_the_list_is_in_the_order_of_the_fields():
    assert list(UNCERTAIN) == [name for name in FIELDS if name in UNCERTAIN]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_what_the_field_says(row):
    owner = OWNERS[row.section]
    (field,) = (item for item in fields(owner) if item.name == row.name)
    assert (row.default, type(row.default)) == (field.default, type(field.default))
    if isinstance(field.default, bool):
        assert row.unit == TRUTH
    else:
        assert re.search(r"\[([^\]]+)\]$", described_fields(owner)[row.name]).group(1) == row.unit


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_other_values_are_others_and_allowed(row):
    assert list(row.moved) == sorted(set(row.moved))
    assert row.moved
    assert row.default not in row.moved
    assert {type(value) for value in row.moved} == {type(row.default)}
    owner = OWNERS[row.section]
    base = Request(cpu_ms_per_request=1) if owner is Request else owner()
    for value in row.moved:
        assert getattr(replace(base, **{row.name: value}), row.name) == value


def test_a_value_out_of_range_would_be_seen():
    with pytest.raises(InvalidScenario, match="low_factor is 2"):
        replace(AwsBehavior(), low_factor=2.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_who_says_so(row):
    for text in (row.source, row.confidence, row.shows_with):
        assert text == text.strip()
        assert not text.endswith(".")
    # Of a measurement, an observation or a document there is a year; otherwise it is said that nobody says so.
    dated = re.search(r"\b20\d\d\b", row.source)
    assert dated or row.confidence.startswith(("assumed", "our own choice", "a fact of your", "documented, differs")), (
        row.source
    )


def lags_that_give(seconds: int, period_s: int, datapoints: int) -> tuple[float, float]:
    """Least and largest lag with which a spike is known after so many seconds, by where in its period it falls."""
    # It falls u seconds into a period, whose own datapoint is over the target or not.
    within = np.arange(period_s + 1)
    counts = seconds - (datapoints * period_s - within)
    does_not = seconds - ((datapoints + 1) * period_s - within)
    both = np.concatenate([counts, does_not])
    return float(both.min()), float(both.max())


def test_the_lags_follow_from_what_was_measured():
    assert lags_that_give(363, 60, 3) == (123, 243)
    assert "123 to 243 s" in UNCERTAIN["metric_lag_s"].source
    assert 123 < UNCERTAIN["metric_lag_s"].default < 243
    # The older reports say some 240 s: three minutes and a lag of one.
    assert UNCERTAIN["metric_lag_s"].moved == (240 - 3 * 60, 240)
    assert lags_that_give(86, 20, 3) == (6, 46) == UNCERTAIN["high_resolution_metric_lag_s"].moved
    assert 6 < UNCERTAIN["high_resolution_metric_lag_s"].default < 46


def test_the_datapoints_of_20_seconds_that_86_seconds_leave_room_for():
    possible = [n for n in range(1, 20) if lags_that_give(86, 20, n)[1] >= 0]
    assert (possible[0], possible[-1]) == (1, 5)
    assert "1 to 5" in UNCERTAIN["high_resolution_scale_out_datapoints"].source
    # 45 datapoints of 20 seconds are the 15 minutes of the other metrics.
    assert (
        UNCERTAIN["high_resolution_scale_in_datapoints"].moved[0] * 20 == UNCERTAIN["scale_in_datapoints"].default * 60
    )


def test_the_time_to_provision_is_the_difference_of_what_was_measured():
    assert UNCERTAIN["provision_s"].default == 386 - 363


def test_the_alarms_that_were_seen_have_the_factor():
    seen = {70: 63, 80: 72, 30: 27}
    assert {round(low / target, 12) for target, low in seen.items()} == {UNCERTAIN["low_factor"].default}


def test_the_interruptions_of_ec2_spot_by_the_hour():
    # 5 and 20 % of a month of 730 hours, at a constant rate.
    low, high = (-math.log(1 - share) / 730 for share in (0.05, 0.2))
    assert (f"{low:.5f}", f"{high:.4f}") == ("0.00007", "0.0003")
    assert "0.00007 to 0.0003" in UNCERTAIN["spot_interruptions_per_task_hour"].source


def test_by_the_minute_or_by_the_hour_is_the_same_here():
    assert len(SETTLED) == 1
    work = Workload(
        LoadProfile.daily(200, 20).with_noise(40, seed=3).with_event(12.3, 60, 600, 600, factor=8),
        cpu_ms_per_request=10,
        rules_evaluated_per_request=13,
        requests_per_connection=3,
    )
    rate = work.load.requests_per_s
    # Of each minute: connections, those open for 60 s, 11 kB a request, three rules beyond the ten free ones.
    minutes = alb_lcu(rate / 3, rate / 3 * 60, rate * 3600 * 11e3 / 1e9, rate * 3)
    assert lcu_hours(work).total == pytest.approx(minutes.sum() / 60, rel=1e-12)


@pytest.mark.parametrize("row", NOT_YET, ids=lambda row: row.title[:30])
def test_what_is_in_no_bill_says_who_knows_of_it(row):
    assert "AWS" in row.source
    # A caller inside the VPC and its node are not told apart from any other client: nothing of it is metered.
    assert "inside the VPC" in row.title
    assert [name for name, charge in CHARGES.items() if charge.price == "inter_az_gb"] == ["cross_zone"]
