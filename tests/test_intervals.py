"""Intervals in a scenario: read with the likely values, kept by path, written where they stood, and drawn."""

import copy
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml

from estimator.documents import value_at, with_values
from estimator.errors import InvalidScenario
from estimator.scenario import Scenario, scenario_schema
from estimator.workload.interval import Interval, stream
from estimator.workload.known import KnownLoad
from estimator.workload.profile import LoadProfile

TEXT = """\
region: us-east-1
load:
  kind: daily
  peak_requests_per_s: {low: 80, likely: 100, high: 150}
  trough_requests_per_s: 20
  events:
    - {start: 5, rise_s: 0, hold_s: 600, decay_s: 60, factor: {low: 1.5, likely: 2, high: 4}}
request: {cpu_ms_per_request: {low: 30, likely: 40, high: 70}, concurrency_limit_per_task: {low: 4, likely: 8, high: 16}}
service: {cpu_units: 1024, memory_mib: 2048}
prices: {discounts_percent: {AmazonECS: {low: 0, likely: 5, high: 10}}}
behavior: {metric_lag_s: {low: 60, likely: 180, high: 240}}
"""
LIKELY = """\
region: us-east-1
load:
  kind: daily
  peak_requests_per_s: 100
  trough_requests_per_s: 20
  events:
    - {start: 5, rise_s: 0, hold_s: 600, decay_s: 60, factor: 2}
request: {cpu_ms_per_request: 40, concurrency_limit_per_task: 8}
service: {cpu_units: 1024, memory_mib: 2048}
prices: {discounts_percent: {AmazonECS: 5}}
behavior: {metric_lag_s: 180}
"""
CPU = "{low: 30, likely: 40, high: 70}"


def test_a_scenario_has_the_likely_values_and_remembers_the_intervals() -> None:
    scenario, likely = Scenario.from_text(TEXT), Scenario.from_text(LIKELY)
    assert scenario.intervals == {
        "load.peak_requests_per_s": Interval(80, 100, 150),
        "load.events[0].factor": Interval(1.5, 2, 4),
        "request.cpu_ms_per_request": Interval(30, 40, 70),
        "request.concurrency_limit_per_task": Interval(4, 8, 16),
        "prices.discounts_percent.AmazonECS": Interval(0, 5, 10),
        "behavior.metric_lag_s": Interval(60, 180, 240),
    }
    assert likely.intervals == {}
    assert scenario.likely() == likely != scenario
    assert scenario.model_dump() == likely.model_dump()
    one, other = scenario.estimate(), likely.estimate()
    assert one.cost.to_dict() == other.cost.to_dict()


def test_intervals_come_out_as_they_went_in() -> None:
    scenario = Scenario.from_text(TEXT)
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    assert Scenario.from_text(scenario.to_yaml()) == scenario
    given = yaml.safe_load(scenario.to_yaml())
    assert given["request"]["cpu_ms_per_request"] == {"low": 30, "likely": 40, "high": 70}
    assert given["load"]["events"][0]["factor"] == {"low": 1.5, "likely": 2, "high": 4}
    assert scenario.estimate().scenario == scenario.to_dict()


def test_the_schema_allows_them_where_a_number_stands_and_nowhere_else() -> None:
    schema = jsonschema.Draft202012Validator(scenario_schema())
    scenario = Scenario.from_text(TEXT)
    assert schema.is_valid(yaml.safe_load(TEXT))
    assert schema.is_valid(scenario.to_dict())
    for path, value in (
        ("region", {"low": 1, "likely": 2, "high": 3}),
        ("request.cpu_ms_per_request", {"low": 1, "high": 3}),
        ("request.cpu_ms_per_request", {"low": 1, "likely": 2, "high": "3"}),
        ("request.behind_cloudfront", {"low": 0, "likely": 0, "high": 1}),
        ("version", {"low": 1, "likely": 1, "high": 1}),
    ):
        assert not schema.is_valid(with_values(scenario.to_dict(), {path: value})), path


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("{low: 0, likely: 40, high: 70}", ["may be as low as 0", "cpu_ms_per_request is 0", "more than 0"]),
        ("{low: 30, likely: 40, high: 1.0e+13}", ["may be as high as 1e+13", "at most 1e+12"]),
        ("{low: 50, likely: 40, high: 70}", ["low is 50, likely is 40 and high is 70", "low <= likely <= high"]),
        ("{low: 30, likely: 80, high: 70}", ["likely is 80", "low <= likely <= high"]),
        ("{low: 30, high: 70}", ["has no likely", "Give all three"]),
        ("{low: 30, likely: 40, high: 70, hi: 3}", ["has 'hi' besides"]),
        ("{low: few, likely: 40, high: 70}", ["low is 'few'", "finite number"]),
        ("{low: 30, likely: 40, high: .inf}", ["high is inf", "finite number"]),
        ("{low: .nan, likely: 40, high: 70}", ["low is nan", "finite number"]),
        ("{low: no, likely: 40, high: 70}", ["low is False", "finite number"]),
    ],
)
def test_intervals_that_are_none(interval: str, said: list[str]) -> None:
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_text(TEXT.replace(CPU, interval), "shop.yaml")
    message = str(caught.value)
    assert message.startswith("shop.yaml: request.cpu_ms_per_request")
    for part in said:
        assert part in message


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("network: {availability_zones: {low: 2, likely: 2, high: 2.5}}", ["network.availability_zones", "2.5", "whole number"]),
        ("network: {load_balancer_ipv4: {low: 0, likely: 0, high: 1}}", ["network.load_balancer_ipv4", "true or false"]),
        ("name: {low: 1, likely: 2, high: 3}", ["name is 2", "text"]),
        ("hours_per_month: {low: 700, likely: 730, high: 800}", ["hours_per_month may be as high as 800", "1 to 744"]),
        ("search: {max_capacity: {low: 1, likely: 5, high: 2000}}", ["search.max_capacity", "2000", "target_group_quota"]),
    ],
)  # fmt: skip
def test_a_field_refuses_an_end_that_it_refuses_as_a_value(more: str, said: list[str]) -> None:
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_text(TEXT + more)
    for part in said:
        assert part in str(caught.value)


def test_an_end_of_the_load_is_tried_too() -> None:
    with pytest.raises(InvalidScenario, match=r"load\.peak_requests_per_s may be as low as 10.*trough"):
        Scenario.from_text(TEXT.replace("low: 80", "low: 10"))


def test_an_interval_of_no_width_is_a_value() -> None:
    scenario = Scenario.from_text(TEXT.replace(CPU, "{low: 40, likely: 40, high: 40}"))
    assert "request.cpu_ms_per_request" not in scenario.intervals
    assert scenario.to_dict()["request"]["cpu_ms_per_request"] == 40


def test_a_document_that_holds_itself() -> None:
    values: dict[str, Any] = {"region": "us-east-1", "load": {}}
    values["load"]["kind"] = values["load"]
    with pytest.raises(InvalidScenario, match="holds itself"):
        Scenario.from_dict(values)
    with pytest.raises(InvalidScenario, match="must be a mapping"):
        Scenario.from_text("&a [*a]\n")


def test_names_in_the_environment_are_free() -> None:
    more = "application: {environment: {low: cold, high: hot}}\n"
    assert Scenario.from_text(LIKELY + more).application.environment == {"low": "cold", "high": "hot"}


def test_a_changed_field_has_no_interval_any_more() -> None:
    scenario = Scenario.from_text(TEXT)
    other = Scenario.from_text(LIKELY.replace("cpu_ms_per_request: 40", "cpu_ms_per_request: 50"))
    changed = scenario.model_copy(update={"request": other.request})
    assert set(scenario.intervals) - set(changed.intervals) == {"request.cpu_ms_per_request"}
    assert changed.to_dict()["request"]["cpu_ms_per_request"] == 50


def test_other_values() -> None:
    scenario = Scenario.from_text(TEXT)
    moved = scenario.moved({"load.events[0].factor": 3, "behavior.low_factor": 0.8})
    assert moved.load.events[0].factor == 3
    assert moved.behavior.low_factor == 0.8
    assert moved.intervals == {}
    assert moved.moved({"load.events[0].factor": 2, "behavior.low_factor": 0.9}) == scenario.likely()
    with pytest.raises(InvalidScenario, match="cpu_ms_per_request is -1"):
        scenario.moved({"request.cpu_ms_per_request": -1})
    with pytest.raises(InvalidScenario, match="trough_requests_per_s is 20, above"):
        scenario.moved({"load.peak_requests_per_s": 10})
    assert scenario.moved({"load.peak_requests_per_s": 10}, with_load=False).load.peak_requests_per_s == 10


def test_values_by_path_leave_the_document_as_it_was() -> None:
    values = {"load": {"events": [{"factor": 3}], "noise": None}}
    before = copy.deepcopy(values)
    moved = with_values(values, {"load.events[0].factor": 5, "load.noise.percent": 10})
    assert values == before
    assert moved == {"load": {"events": [{"factor": 5}], "noise": {"percent": 10}}}
    assert value_at(moved, "load.noise.percent") == 10
    assert value_at(moved, "load.events[1].factor") is value_at(moved, "load.nothing.there") is None


# The distribution.


@pytest.mark.parametrize("ends", [(0, 0, 1), (30, 40, 70), (-5, 1, 1), (1, 1.5, 2)])
@pytest.mark.parametrize("weight", [0.0, 4.0, 20.0])
def test_the_moments_are_those_of_pert(ends: tuple[float, float, float], weight: float) -> None:
    low, likely, high = ends
    interval, n = Interval(*ends), 100_000
    mean = (low + weight * likely + high) / (weight + 2)
    variance = (mean - low) * (high - mean) / (weight + 3)
    drawn = interval.drawn(n, np.random.default_rng(7), weight)
    assert interval.mean(weight) == pytest.approx(mean)
    assert low <= drawn.min()
    assert drawn.max() <= high
    assert drawn.mean() == pytest.approx(mean, abs=4 * (variance / n) ** 0.5)
    # The fourth moment of a variable inside the interval bounds the error of its variance.
    assert drawn.var() == pytest.approx(variance, rel=0.03)


def test_fewer_draws_are_the_first_of_more_and_names_and_seeds_have_their_own() -> None:
    interval = Interval(30, 40, 70)
    many = interval.drawn(100, stream(1, "request.cpu_ms_per_request"))
    assert interval.drawn(10, stream(1, "request.cpu_ms_per_request")).tolist() == many[:10].tolist()
    for other in (stream(2, "request.cpu_ms_per_request"), stream(1, "request.response_kb")):
        again = interval.drawn(100, other)
        assert abs(np.corrcoef(many, again)[0, 1]) < 0.35
        assert not (many == again).any()
    assert Interval(4, 4, 4).drawn(3, stream(1, "a")).tolist() == [4, 4, 4]


@pytest.mark.parametrize("ends", [(2, 1, 3), (1, 4, 3), (float("nan"), 1, 2), (1, 2, float("inf")), (True, 1, 2), ("1", 2, 3)])  # fmt: skip
def test_no_interval(ends: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidScenario):
        Interval(*ends)


# A load whose sum is known.


def test_a_known_load_is_the_same_load() -> None:
    load = LoadProfile.weekly(350, 50, weekend_factor=0.3).with_noise(10, 1)
    known = KnownLoad(load)
    scaled, usual = known.scaled(1.3), load.scaled(1.3)
    assert known.requests == load.requests
    assert known.fingerprint() == load.fingerprint()
    assert scaled.requests == pytest.approx(usual.requests, rel=1e-12)
    assert scaled.requests_per_s.tolist() == usual.requests_per_s.tolist()
    assert scaled.peak_requests_per_s == usual.peak_requests_per_s
    assert scaled.hourly_mean().tolist() == usual.hourly_mean().tolist()
    assert len({each.fingerprint() for each in (known, scaled, known.scaled(1.4))}) == 3
    assert known.scaled(1.3).fingerprint() == scaled.fingerprint()
    with pytest.raises(ValueError, match="read-only"):
        scaled.requests_per_s[0] = 1
    for factor in (-1, float("nan"), 1e9):
        with pytest.raises(InvalidScenario):
            known.scaled(factor)
