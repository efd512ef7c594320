"""The section `load`: every kind, what bends it in which order, what is refused, and what docs and template say of it."""

import datetime as dt
import gzip
import re
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.load_sections import LOAD_PARTS, LOADS, MAX_EVENTS
from estimator.scenario import Scenario, scenario_schema
from estimator.template import scenario_template
from estimator.workload.profile import LoadProfile

ROOT = Path(__file__).resolve().parents[1]
LOADS_PAGE = (ROOT / "docs" / "loads.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", LOADS_PAGE, flags=re.DOTALL)

SWING = {"peak_requests_per_s": 350, "trough_requests_per_s": 50}
MADE = {
    "constant": {"requests_per_s": 10},
    "daily": SWING | {"peak_hour": 20},
    "weekly": SWING | {"peak_hour": 20, "weekend_factor": 0.6},
    "seasonal": SWING | {"peak_day": 183},
}
READ = {"csv": {"path": "load.csv"}, "parquet": {"path": "load.parquet"}, "access_logs": {"path": "logs"}}
SHAPES = {
    "repeat": 2,
    "season": {"swing_percent": 20, "peak_day": 350},
    "growth_percent_per_month": 2,
    "events": [{"start": 5.5, "rise_s": 60, "hold_s": 600, "decay_s": 1200, "factor": 3, "decay": "exponential"}],
    "noise": {"percent": 15, "seed": 1, "correlation_s": 300},
    "scale": 1.5,
}
CALENDAR = {"time_zone": "Europe/Berlin", "start": "2026-01-01", "days": 365}


def scenario(load, **more):
    document = {"region": "eu-west-1", "load": load, "request": {"cpu_ms_per_request": 10}}
    return Scenario.from_dict(document | more)


def profile(load, folder="."):
    return scenario(load).workload(folder).load


def written(text):
    """Read a load from YAML, as a user writes it."""
    return scenario(yaml.safe_load(text))


def rows(folder, counts, start="2026-03-01", step_s=3600, name="load.csv"):
    first = dt.datetime.fromisoformat(start)
    lines = [f"{(first + k * dt.timedelta(seconds=step_s)).isoformat()}Z,{count}" for k, count in enumerate(counts)]
    (folder / name).write_text("\n".join(["timestamp,requests", *lines]))


# What a kind makes.


@pytest.mark.parametrize("kind", MADE)
def test_a_made_kind_is_the_profile_of_its_name(kind):
    assert profile({"kind": kind} | MADE[kind]).fingerprint() == getattr(LoadProfile, kind)(**MADE[kind]).fingerprint()


def test_a_year_swings_around_its_mean():
    year = profile({"kind": "seasonal"} | SWING)
    assert year.period_hours == 365 * 24
    assert year.mean_requests_per_s == pytest.approx(200)
    # The 183rd of 365 days has the highest noon.
    assert int(year.requests_per_s.argmax()) in (182 * 24 + 11, 182 * 24 + 12)


@pytest.mark.parametrize(("kind", "step_s"), [("constant", 300), ("daily", 900), ("weekly", 3600), ("seasonal", 86400)])
def test_a_step_can_be_chosen(kind, step_s):
    load = profile({"kind": kind, "step_s": step_s} | MADE[kind])
    assert (load.step_s, load.requests_per_s.size) == (step_s, load.period_s // step_s)


def test_a_csv_file_with_a_gap_a_tail_and_rates(tmp_path):
    # Two hours by half an hour, of which one is missing, and half an hour more; a rate of 2/s is 3600 requests.
    (tmp_path / "load.csv").write_text(
        "when,rate\n2026-03-01T00:00Z,2\n2026-03-01T00:30Z,4\n2026-03-01T01:30Z,8\n2026-03-01T02:00Z,1\n"
    )
    columns = {"kind": "csv", "path": "load.csv", "timestamp_column": "when", "requests_column": "rate"}
    load = profile(columns | {"unit": "requests_per_s", "gaps": "interpolate", "whole": "hours", "scale": 10}, tmp_path)
    assert load.requests_per_s.tolist() == [20, 40, 60, 80]
    assert load.start == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert [note.split(";")[-1].strip() for note in load.notes] == [
        "they are filled by interpolate.",
        "The last 1 intervals of load.csv (0.50 h, 1,800 requests) are cut, to whole hours.",
    ]
    for field, said in (("gaps", "1 intervals of 1800 s are missing"), ("whole", "covers 2.50 hours")):
        rules = {"gaps": "zero", "whole": "hours", field: "error"}
        with pytest.raises(InvalidScenario, match=said):
            profile(columns | rules, tmp_path)


def test_a_parquet_file(tmp_path):
    times = pa.array([dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC) for hour in range(3)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"timestamp": times, "requests": [3600, 7200, 0]}), tmp_path / "load.parquet")
    assert profile({"kind": "parquet", "path": "load.parquet"}, tmp_path).requests_per_s.tolist() == [1, 2, 0]


def log_line(moment):
    return (
        f"https {moment}Z app/shop/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.000 0.010 0.000 200 200 500 1500 "
        f'"GET https://www.example.com:443/ HTTP/1.1" "curl" - - - "Root=1" "-" "-" 1 {moment}Z "forward" "-" "-" '
        f'"10.0.0.1:80" "200" "-" "-" TID_1\n'
    )


def write_logs(folder, hours=2):
    """A request each minute, one file an hour."""
    folder.mkdir()
    for hour in range(hours):
        text = "".join(log_line(f"2026-03-01T{hour:02}:{minute:02}:30.123456") for minute in range(60))
        (folder / f"{hour}.log.gz").write_bytes(gzip.compress(text.encode()))


def test_access_logs_by_folder_and_by_files(tmp_path):
    write_logs(tmp_path / "logs")
    whole = profile({"kind": "access_logs", "path": "logs"}, tmp_path)
    assert (whole.step_s, whole.requests) == (60, pytest.approx(120))
    both = profile({"kind": "access_logs", "path": ["logs/0.log.gz", "logs/1.log.gz"], "step_s": 300}, tmp_path)
    assert (both.step_s, both.requests) == (300, pytest.approx(120))
    one = profile({"kind": "access_logs", "path": "logs/1.log.gz"}, tmp_path)
    assert (one.requests, one.start.hour) == (pytest.approx(60), 1)
    with pytest.raises(InvalidScenario, match="no line of app/other/1"):
        profile({"kind": "access_logs", "path": "logs", "load_balancer": "app/other/1"}, tmp_path)


# What bends it.


def test_everything_at_once_is_done_in_the_documented_order():
    load = {"kind": "weekly", "calendar": CALENDAR} | MADE["weekly"] | SHAPES | {"repeat": 1}
    load["events"] = [
        *load["events"],
        {"start": "2026-11-27T08:00:00Z", "rise_s": 600, "hold_s": 7200, "decay_s": 60, "requests_per_s": 100},
    ]
    backwards = dict(reversed(load.items()))
    by_hand = (
        LoadProfile.weekly(350, 50, weekend_factor=0.6)
        .in_time_zone("Europe/Berlin", dt.date(2026, 1, 1), 365)
        .with_season(20, 350)
        .with_growth(2)
        .with_event(5.5, 60, 600, 1200, factor=3, decay="exponential")
        .with_event(dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC), 600, 7200, 60, requests_per_s=100)
        .with_noise(15, seed=1, correlation_s=300)
        .scaled(1.5)
    )
    assert profile(load).fingerprint() == profile(backwards).fingerprint() == by_hand.fingerprint()


def test_growth_leaves_an_event_alone_and_scale_does_not():
    # 730 hours of 10/s, then 730 of 10 x 1.1; the event adds 5/s in hour 730; all is doubled.
    load = {
        "kind": "constant",
        "requests_per_s": 10,
        "step_s": 3600,
        "repeat": 61,
        "growth_percent_per_month": 10,
        "events": [{"start": 730, "rise_s": 0, "hold_s": 3600, "decay_s": 0, "requests_per_s": 5}],
        "scale": 2,
    }
    rates = profile(load).requests_per_s
    assert rates.size == 61 * 24
    assert rates[0] == pytest.approx(20, rel=1e-3)
    assert rates[730] == pytest.approx(2 * (11 + 5), rel=1e-3)
    assert rates[731] == pytest.approx(22, rel=1e-3)


def test_noise_multiplies_what_an_event_added():
    load = {"kind": "constant", "requests_per_s": 0, "step_s": 3600, "noise": {"percent": 50, "seed": 3}}
    event = {"start": 0, "rise_s": 0, "hold_s": 86400, "decay_s": 0, "requests_per_s": 100}
    assert np.ptp(profile(load | {"events": [event]}).requests_per_s) > 10


def test_the_hours_of_a_calendar_follow_daylight_saving():
    load = {"kind": "daily", "step_s": 3600, "calendar": CALENDAR | {"start": "2026-03-28", "days": 2}} | MADE["daily"]
    days = profile(load).requests_per_s.reshape(2, 24)
    # 20:00 in Berlin is 19:00 UTC in winter, 18:00 in summer; the peak lies between two steps.
    assert [set(np.argsort(day)[-2:]) for day in days] == [{18, 19}, {17, 18}]


def test_a_season_begins_with_the_file_s_own_dates(tmp_path):
    rows(tmp_path, [3600] * 24, start="2026-07-02T00:00:00")
    load = {"kind": "csv", "path": "load.csv", "season": {"swing_percent": 30, "peak_day": 183}}
    # 2 July is the 183rd day.
    assert profile(load, tmp_path).mean_requests_per_s == pytest.approx(1.3, rel=1e-3)
    assert profile({"kind": "constant", "requests_per_s": 1, "season": load["season"]}).mean_requests_per_s < 0.71


def test_a_file_is_repeated_and_a_moment_lies_in_its_dates(tmp_path):
    rows(tmp_path, [3600, 7200])
    event = {"start": "2026-03-01T04:00:00+01:00", "rise_s": 0, "hold_s": 3600, "decay_s": 0, "factor": 3}
    load = {"kind": "csv", "path": "load.csv", "repeat": 2, "events": [event]}
    assert profile(load, tmp_path).requests_per_s.tolist() == [1, 2, 1, 6]


def test_dates_may_stand_without_quotes():
    text = """
kind: constant
requests_per_s: 1
calendar: {time_zone: UTC, start: 2026-01-01, days: 7}
events: [{start: %s, rise_s: 0, hold_s: 3600, decay_s: 0, factor: 2}]
"""
    moments = ("2026-01-02T00:00:00Z", "'2026-01-02T01:00:00+01:00'", "2026-01-02T00:00Z", "24", "24.0")
    prints = {written(text % moment).workload().load.fingerprint() for moment in moments}
    assert len(prints) == 1


# What is refused.


def daily(**more):
    return {"kind": "daily"} | MADE["daily"] | more


def event(**more):
    return {"start": 1, "rise_s": 0, "hold_s": 60, "decay_s": 0, "factor": 2} | more


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (daily(repeat=0), ["load.repeat is 0", "1 to 763"]),
        (daily(repeat=764), ["load.repeat is 764", "1,100,000 steps"]),
        (daily(repeat=1.5), ["load.repeat is 1.5", "a whole number"]),
        (daily(repeat=2, calendar=CALENDAR), ["load.repeat is 2 beside a calendar", "365 days", "calendar.days"]),
        (daily(season={"swing_percent": 120}), ["load.season: swing_percent is 120", "0 to 100"]),
        (daily(season={"peak_day": 3}), ["load.season.swing_percent is missing"]),
        (daily(season=20), ["load.season is 20"]),
        (daily(saeson={}), ["load.saeson is not a field", "allowed are kind, peak_requests", "Did you mean season"]),
        (daily(season={"swing_percnt": 20}), ["load.season.swing_percnt is not a field", "Did you mean swing_percent"]),
        (daily(growth_percent_per_month=-100), ["load.growth_percent_per_month", "-100", "above -100"]),
        (daily(growth_percent_per_month="2 %"), ["load.growth_percent_per_month is '2 %'", "number"]),
        (daily(scale=-1), ["scale is -1", "0 or more"]),
        (daily(noise={"percent": 10}), ["load.noise.seed is missing"]),
        (daily(noise={"percent": -1, "seed": 1}), ["load.noise: percent is -1"]),
        (daily(noise={"percent": 1, "seed": 0.5}), ["load.noise.seed is 0.5", "a whole number"]),
        (daily(events=[event(factor=None)]), ["load.events[0]: ", "either factor or requests_per_s"]),
        (daily(events=[event(), event(requests_per_s=1)]), ["load.events[1]: ", "either factor or requests_per_s"]),
        (daily(events=[event(hold_s=90_000)]), ["load.events[0]: hold_s is 90000", "86400"]),
        (daily(events=[event(start=23.99)]), ["load.events[0]: The event ends", "Begin it earlier"]),
        (daily(events=[event(start=-1)]), ["load.events[0]: start is -1"]),
        (daily(events=[event(start=float("nan"))]), ["load.events[0]: start is nan"]),
        (daily(events=[event(start="noon")]), ["load.events[0].start is 'noon'", "2026-11-27T08:00:00Z"]),
        (daily(events=[event(start="2026-11-27T08:00:00")]), ["load.events[0].start", "offset from UTC"]),
        (daily(events=[event(start=dt.date(2026, 11, 27))]), ["load.events[0].start", "'2026-11-27'", "offset"]),
        (daily(events=[event(start="2026-11-27T08:00:00Z")]), ["no dates", "hours from its beginning", "calendar"]),
        (daily(events=[event(start="2027-01-01T00:00:00Z")], calendar=CALENDAR), ["must lie in the", "2026-01-01"]),
        (daily(events=[event(decay="quick")]), ["load.events[0].decay is 'quick'", "linear"]),
        (daily(events=[event(factr=2)]), ["load.events[0].factr is not a field", "Did you mean factor"]),
        (daily(events=event()), ["load.events is", "a list"]),
        (daily(events=[event()] * (MAX_EVENTS + 1)), ["load.events is", "at most 366"]),
        (daily(calendar=CALENDAR | {"time_zone": "Berlin"}), ["load.calendar: time_zone is 'Berlin'", "Europe/Berlin"]),
        (daily(calendar=CALENDAR | {"days": 0}), ["load.calendar.days is 0", "1 to 763"]),
        (daily(calendar=CALENDAR | {"days": 10**9}, step_s=1), ["load.calendar.days", "1,100,000 steps"]),
        (daily(calendar=CALENDAR | {"start": 20260101}), ["start is 20260101", "a day such as 2026-01-01"]),
        (daily(calendar=CALENDAR | {"start": "2026-02-30"}), ["load.calendar.start is '2026-02-30'"]),
        (daily(calendar=CALENDAR | {"start": "9999-12-31"}), ["start is 9999-12-31", "1970"]),
        (daily(calendar=CALENDAR | {"time_zone": "Asia/Kathmandu"}, step_s=3600), ["load.calendar", "Resample"]),
        (daily(step_s=7), ["whole hours"]),
        ({"kind": "seasonal", "step_s": 1} | SWING, ["load.step_s is 1", "from 29", "1,100,000 steps"]),
        ({"kind": "seasonal", "calendar": CALENDAR} | SWING, ["load.calendar is not a field", "season"]),
        ({"kind": "seasonal", "events": [event(start="2026-01-01T00:00Z")]} | SWING, ["has no dates. Give hours from"]),
        ({"kind": "csv", "path": "a.csv", "calendar": CALENDAR}, ["load.calendar is not a field"]),
        ({"kind": "csv", "path": "a.csv", "gaps": "guess"}, ["load.gaps is 'guess'", "interpolate"]),
        ({"kind": "csv", "path": "a.csv", "whole": "weeks"}, ["load.whole is 'weeks'", "days"]),
        ({"kind": "csv", "path": "a.csv", "unit": "rpm"}, ["load.unit is 'rpm'", "requests_per_s"]),
        ({"kind": "csv", "path": "a.csv", "timestamps_column": "t"}, ["Did you mean timestamp_column"]),
        ({"kind": "csv", "path": 5}, ["load.path is 5"]),
        ({"kind": "parquet", "path": "none.parquet"}, ["none.parquet cannot be read"]),
        ({"kind": "access_logs", "path": "none"}, ["The access logs", "none are not there"]),
        ({"kind": "access_logs", "path": []}, ["load.path is []", "a folder, a file, or a list of both"]),
        ({"kind": "access_logs", "path": ["a", 5]}, ["load.path is ['a', 5]"]),
        ({"kind": "access_logs", "path": "a", "max_malformed_percent": 101}, ["max_malformed_percent is 101"]),
        ({"kind": "hourly"}, ["load", "hourly", "'access_logs'"]),
        (
            {
                "kind": "constant",
                "requests_per_s": 1,
                "step_s": 3600,
                "repeat": 45_000,
                "growth_percent_per_month": 1000,
            },
            ["load.growth_percent_per_month: requests_per_s in step"],
        ),
    ],
)
def test_bad_loads_are_one_sentence(load, said, tmp_path):
    with pytest.raises(InvalidScenario) as caught:
        profile(load, tmp_path)
    message = str(caught.value)
    for part in said:
        assert part in message, message
    assert "\n" not in message
    assert len(message) < 700


def test_a_load_of_files_is_not_read_before_it_is_needed():
    for kind, fields in READ.items():
        found = scenario({"kind": kind} | fields)
        assert found.load.files == (fields["path"],)
    assert scenario({"kind": "access_logs", "path": ["a", "b"]}).load.files == ("a", "b")
    assert scenario(daily()).load.files == ()


# What is said of it.


@pytest.mark.parametrize("kind", LOADS)
def test_every_kind_comes_out_as_it_went_in_and_fits_its_schema(kind):
    load = {"kind": kind} | (MADE | READ)[kind] | SHAPES
    if kind in ("constant", "daily", "weekly"):
        load |= {"repeat": 1, "calendar": CALENDAR}
        load["events"] = [
            *load["events"],
            event(start="2026-11-27T08:00:00Z"),
            event(start="2026-11-27T08:00:00+05:30"),
        ]
    found = scenario(load)
    values = found.to_dict()
    assert Scenario.from_text(found.to_yaml()) == found == Scenario.from_dict(values)
    assert next(iter(values["load"])) == "kind"
    assert list(values["load"])[-6:] == list(SHAPES)
    assert {name: values["load"][name] for name in load if name != "events"} == {
        name: value for name, value in load.items() if name != "events"
    }
    jsonschema.validate(values, scenario_schema(), format_checker=jsonschema.FormatChecker())
    jsonschema.validate({"region": "eu-west-1", "load": load, "request": {"cpu_ms_per_request": 1}}, scenario_schema())


def test_the_schema_knows_every_kind_and_describes_every_field_with_its_unit():
    schema = scenario_schema()
    assert set(schema["properties"]["load"]["discriminator"]["mapping"]) == set(LOADS)
    words = {"kind", "path", "timestamp_column", "requests_column", "unit", "gaps", "whole", "load_balancer"}
    words |= {"season", "events", "noise", "calendar", "time_zone", "decay"}
    for record in (*LOADS.values(), *LOAD_PARTS.values()):
        part = schema["$defs"][record.__name__]
        assert part["description"].endswith(".")
        assert set(part["properties"]) == set(record.model_fields)
        for name, field in part["properties"].items():
            unit = re.search(r"\[[^\]]+\]$", field["description"])
            assert unit or name in words or field.get("format") == "date", f"{record.__name__}.{name}"
    validator = jsonschema.Draft202012Validator(schema)
    for bad in (daily(saeson={}), daily(events=[{}]), daily(noise={"percent": 1}), {"kind": "csv", "path": 5}):
        document = {"region": "eu-west-1", "load": bad, "request": {"cpu_ms_per_request": 1}}
        assert not validator.is_valid(document)
        assert validator.is_valid(document | {"load": daily()})


def test_every_example_of_the_template_is_valid_alone_and_all_together(tmp_path):
    rows(tmp_path, [60] * 24, name="requests.csv")
    times = [f"2026-03-01T{hour:02}:00:00Z" for hour in range(24)]
    pq.write_table(pa.table({"timestamp": times, "requests": [1.5] * 24}), tmp_path / "requests.parquet")
    write_logs(tmp_path / "logs")
    text = scenario_template()
    plain = Scenario.from_text(text).workload().load.fingerprint()

    kinds = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   load: ")]
    assert {yaml.safe_load(line)["load"]["kind"] for line in kinds} == set(LOADS) - {"daily"}
    for line in kinds:
        assert scenario(yaml.safe_load(line)["load"]).workload(tmp_path).load.requests > 0

    section = text[text.index("\nload:\n") : text.index("# What one request asks for")]
    shapes = [line for line in section.splitlines() if re.match(r"  # [a-z_]+: ", line)]
    offered = {line.split()[1].rstrip(":") for line in shapes}
    assert offered == {"calendar", *SHAPES} - {"repeat"}
    for line in shapes:
        bent = Scenario.from_text(text.replace(line, line.replace("# ", "", 1)))
        assert bent.workload().load.fingerprint() != plain
    for line in shapes:
        text = text.replace(line, line.replace("# ", "", 1))
    assert Scenario.from_text(text).workload().load.period_hours == 8760


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_yaml_of_the_page_is_valid(snippet):
    values = yaml.safe_load(snippet)
    assert set(values) <= {"load", "request"}
    document = {"region": "eu-west-1", **values}
    found = Scenario.from_dict(document | {"request": {"cpu_ms_per_request": 10} | values.get("request", {})})
    if not found.load.files:
        assert found.workload().load.requests > 0


def test_the_page_shows_every_kind_and_every_shape_and_its_order():
    loads = [yaml.safe_load(snippet)["load"] for snippet in SNIPPETS]
    assert {load["kind"] for load in loads} == set(LOADS)
    assert {"calendar", *SHAPES} <= {name for load in loads for name in load}
    listed = re.findall(r"^[0-9]\. `([a-z_]+)`", LOADS_PAGE, flags=re.MULTILINE)
    assert listed == ["calendar", *SHAPES]
    assert LOADS["daily"].field_names()[-7:] == listed


def test_the_fortnight_of_the_page_becomes_a_year(tmp_path):
    rows(tmp_path, np.arange(14 * 24))
    load = next(yaml.safe_load(snippet)["load"] for snippet in SNIPPETS if "repeat:" in snippet)
    assert profile(load, tmp_path).period_hours == 364 * 24
