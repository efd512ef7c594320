"""The commands `simulate` and `replay`: figures against hand arithmetic, files whole or not at all, one sentence for what is wrong."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from estimator.commands import course
from estimator.report.course_tables import course_table
from estimator.scenario import Scenario
from estimator.units import data_path
from tests.test_cli import check_refused, run, scenario_file

ARTICLE = data_path("examples", "article-web-server.yaml")
SHOP = data_path("examples", "shop-daily-peak.yaml")
#: 10 ms of a quarter of a vCPU: a task serves 25 requests/s.
SERVICE = {"cpu_units": 256, "memory_mib": 512}
BEHAVIOR = {"metric_lag_s": 180, "high_resolution_metric_lag_s": 25, "scale_out_datapoints": 3}


def rows_of(shown: str) -> dict[str, list[str]]:
    """The rows of a plain table by their first cell."""
    parts = (re.split(r"\s{2,}", line.strip()) for line in shown.splitlines())
    return {cells[0]: cells[1:] for cells in parts if len(cells) > 1}


def strict(text: str) -> dict:
    """Read JSON as its standard has it: without NaN and Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def scenario(folder: Path, load: object = 20, **changes: object) -> Path:
    loads = load if isinstance(load, dict) else {"kind": "constant", "requests_per_s": load}
    return scenario_file(folder, **{"load": loads, "service": SERVICE, "behavior": BEHAVIOR, **changes})


# simulate


def test_the_course_of_a_constant_load_is_hand_arithmetic(call) -> None:
    result = call("simulate", ARTICLE)
    assert result.returncode == 0, result.stderr
    assert "article-web-server: 1-2 tasks of 0.25 vCPU, 0.5 GB, X86_64, CPU target 30 %" in result.stdout
    rows = rows_of(result.stdout)
    assert rows["Load on the tasks, mean"] == ["5", "requests/s"]
    assert rows["Tasks, mean"] == ["1.00", "tasks", "billed: 24.0 task-hours"]
    assert rows["Tasks, peak"] == ["1", "tasks", "of at most 2"]
    # 5 requests/s of 12 ms on a quarter of a vCPU.
    assert rows["Highest utilization"] == ["24.0", "%", "load over capacity"]
    assert rows["Over capacity"][0] == "0.0"
    assert rows["Over the promise"] == ["0.0", "min", "0 % of the period; p95 of at most 250 ms"]
    assert rows["Refused"] == ["0", "requests", "0 % of 432,000"]
    # A queue M/M/1 with services of 48 ms: -ln(0.05) x 48 / (1 - 0.24).
    assert rows["p95 latency"][0] == "189"
    # 31 kB x 5 x 3600 are 0.558 GB an hour, more than 5 / 6 / 25 connections.
    assert rows["Load balancer capacity"] == ["13.39", "LCU-hours", "led by processed bytes in 24 h"]
    assert rows["Its largest hour"] == ["0.56", "LCU"]
    assert rows["Its peak"] == ["0.56", "LCU", "in a minute; a reservation needs at least this"]
    # Compressed to 0.3 of 30 kB: 10 kB in place of 31.
    assert rows["compression"][0] == "9.07"
    assert "13.39 LCU-hours of a period of the load become 4.32" in result.stdout
    assert "No scaling activities: the desired count never moves." in result.stdout
    assert "Note: The promise is broken: min_tasks is 1; at least 2 tasks." in result.stdout
    for absent in ("Spot", "Stuck", "queue"):
        assert not any(absent in name for name in rows)


def test_refused_requests_and_minutes_are_counted(call, tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text(
        "timestamp,requests\n2026-03-01T00:00Z,36000\n2026-03-01T01:00Z,216000\n2026-03-01T02:00Z,36000\n"
    )
    service = SERVICE | {"min_capacity": 2, "max_capacity": 2, "scaling": []}
    path = scenario(tmp_path, {"kind": "csv", "path": "load.csv"}, service=service, promise={"p95_latency_ms": 2000})
    rows = rows_of(call("simulate", path).stdout)
    # In the second of three hours 60 requests/s meet 50: a sixth is refused.
    assert rows["Over capacity"] == ["60.0", "min", "33.3 % of the period"]
    assert rows["Over the promise"][0] == "60.0"
    assert rows["Refused"] == ["36,000", "requests", "12.5 % of 288,000"]
    assert rows["p99 latency"][:2] == ["without bound", "ms"]
    assert rows["Highest utilization"][0] == "120.0"
    values = strict(call("simulate", path, "--json").stdout)
    assert values["course"]["refused_requests"] == 36_000
    assert values["course"]["p99_latency_ms"] is None
    assert values["course"]["promised_p95_latency_ms"] == 2000


def test_without_a_promise_no_minutes_are_over_it(call, tmp_path: Path) -> None:
    assert "Over the promise" not in call("simulate", scenario(tmp_path)).stdout


def test_what_a_service_has_is_in_its_course(call, tmp_path: Path) -> None:
    strategy = {"fargate_base": 1, "fargate_weight": 0, "fargate_spot_weight": 1}
    path = scenario(
        tmp_path,
        60,
        service=SERVICE
        | {
            "min_capacity": 3,
            "max_capacity": 3,
            "capacity_provider_strategy": strategy,
            "deployment": {"minimum_healthy_percent": 100, "maximum_percent": 110},
        },
        application={"queue_per_task": 100, "queue_timeout_s": 60},
        operations={"deployment_schedules": ["cron(0 10 * * ? *)"]},
    )
    rows = rows_of(call("simulate", path).stdout)
    # Of three tasks two are Spot, all day; 110 % of three are three.
    assert rows["Fargate Spot"] == ["48.0", "task-hours"]
    assert rows["Interruptions of Fargate Spot"][1] == "tasks"
    assert rows["Stuck deployments"] == ["1", "deployments"]
    assert rows["Longest queue"][1] == "requests"


FLASH = {
    "kind": "constant",
    "requests_per_s": 20,
    "events": [{"start": 12, "rise_s": 60, "hold_s": 3600, "decay_s": 60, "factor": 20}],
}


def test_activities_are_told_in_the_consoles_words(call, tmp_path: Path) -> None:
    path = scenario(tmp_path, FLASH, service=SERVICE | {"max_capacity": 40, "target_value": 50})
    some, every = call("simulate", path).stdout, call("simulate", path, "--activities").stdout
    count = len(Scenario.from_file(path).estimate().series.activities)
    assert count > 20
    said = re.compile(
        r"^\d\d:\d\d:\d\d  Setting desired count to \d+\.  +monitor alarm TargetTracking-Alarm(High|Low) ", re.M
    )
    assert f"{count} scaling activities, the first 20" in some
    assert len(said.findall(some)) == 20
    assert f"{count - 20} more: --activities lists them all." in some
    assert f"{count} scaling activities\n" in every
    assert len(said.findall(every)) == count
    assert "lists them all" not in every
    assert "Successfully set desired count to" in some
    # 400 requests/s come within a minute at noon; three minutes over the target and the metric's lag later it scales out.
    assert re.search(r"^12:0[67]:\d\d  .*AlarmHigh", every, re.M)
    shown = [strict(call("simulate", path, "--json", *more).stdout) for more in ((), ("--activities",))]
    assert [len(each["activities"]) for each in shown] == [20, count]
    assert [each["scaling_activities"] for each in shown] == [count, count]
    first = shown[0]["activities"][0]
    assert first["description"] == f"Setting desired count to {first['desired_count']}."


def test_csv_files_hold_what_the_table_says(call, tmp_path: Path) -> None:
    path, course, hours = scenario(tmp_path, FLASH), tmp_path / "course.csv", tmp_path / "hours.csv"
    result = call("simulate", path, "--output", course, "--hours", hours, "--json")
    assert result.returncode == 0, result.stderr
    values = strict(result.stdout)
    assert values["written_to"] == [str(course), str(hours)]
    steps = read_csv(course)
    assert [int(row["time_s"]) for row in steps] == list(range(0, 86_400, 60))
    assert "timestamp" not in steps[0]
    billed = sum(float(row["billed_count"]) for row in steps) / 60
    assert billed == pytest.approx(values["course"]["billed_task_hours"])
    assert sum(float(row["refused_requests"]) for row in steps) == pytest.approx(values["course"]["refused_requests"])
    assert values["course"]["refused_requests"] > 0
    by_hour = read_csv(hours)
    assert [int(row["hour"]) for row in by_hour] == list(range(24))
    on_demand, spot = (sum(float(row[f"{p}_billed_task_s"]) for row in by_hour) for p in ("fargate", "fargate_spot"))
    assert (on_demand / 3600, spot) == (pytest.approx(billed), 0)
    parts = [name for name in by_hour[0] if name.endswith("_lcu") and name != "consumed_lcu"]
    assert len(parts) == 4
    for row in by_hour:
        largest = max(parts, key=lambda name: float(row[name]))
        assert float(row["consumed_lcu"]) == float(row[largest])
        assert row["leading_dimension"].replace(" ", "_") == largest.removesuffix("_lcu")
    assert sum(float(row["consumed_lcu"]) for row in by_hour) == pytest.approx(values["course"]["lcu_hours"])
    # 400 requests/s of the hour after noon, and a minute of the rise.
    assert float(by_hour[12]["mean_requests_per_s"]) == pytest.approx(400, rel=0.02)
    assert int(by_hour[12]["peak_desired_count"]) == values["course"]["peak_tasks"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["course.csv", "hours.csv", "scenario.yaml"]


def test_a_load_with_dates_has_them_everywhere(call, tmp_path: Path) -> None:
    rows = "".join(f"2026-03-{1 + h // 24:02}T{h % 24:02}:00Z,{36_000 * (1 + 9 * (h == 30))}\n" for h in range(48))
    (tmp_path / "load.csv").write_text(f"timestamp,requests\n{rows}")
    path, course = scenario(tmp_path, {"kind": "csv", "path": "load.csv"}), tmp_path / "course.csv"
    said = call("simulate", path, "--output", course)
    assert "Time (UTC)" in said.stdout
    assert re.search(r"^2026-03-02 06:0\d:00  Setting", said.stdout, re.M)
    assert f"Wrote {course}." in said.stderr
    steps = read_csv(course)
    assert (steps[0]["timestamp"], steps[-1]["timestamp"]) == ("2026-03-01T00:00:00Z", "2026-03-02T23:59:00Z")
    assert float(steps[30 * 60]["requests_per_s"]) == 100


def test_a_course_of_several_days_counts_them(call, tmp_path: Path) -> None:
    load = {"kind": "weekly", "peak_requests_per_s": 100, "trough_requests_per_s": 10, "weekend_factor": 0.5}
    assert re.search(r"^day 1 \d\d:\d\d:\d\d  Setting", call("simulate", scenario(tmp_path, load)).stdout, re.M)


def test_json_is_whole_and_strict(call) -> None:
    values = strict(call("simulate", SHOP, "--json").stdout)
    assert values["name"] == "shop-daily-peak"
    assert values["service"]["task_size"] == {"cpu_units": 1024, "memory_mib": 2048}
    assert values["course"]["requests"] == pytest.approx(200 * 86_400)
    assert values["course"]["hours_led"]["processed bytes"] == 24
    assert values["course"]["leading_dimension"] == "processed bytes"
    assert {each["name"] for each in values["lower_lcu"]} == {"compression", "cloudfront"}
    assert values["lower_lcu"][0]["fields"] == {"compression_ratio": 0.3}
    assert values["notes"]
    assert "written_to" not in values


def test_without_traffic_nothing_leads_and_nothing_is_refused(call, tmp_path: Path) -> None:
    rows = rows_of(call("simulate", scenario(tmp_path, 0)).stdout)
    assert rows["Load balancer capacity"] == ["0.00", "LCU-hours"]
    assert rows["Refused"] == ["0", "requests"]
    values = strict(call("simulate", scenario(tmp_path, 0), "--json").stdout)
    assert values["course"]["leading_dimension"] is None


def test_steps_of_20_seconds_are_said() -> None:
    document = Scenario.from_file(SHOP).to_dict()
    high = {
        "policy_type": "TargetTrackingScaling",
        "predefined_metric_type": "ECSServiceAverageCPUUtilizationHighResolution",
    }
    document["service"] |= {"scaling": [high], "target_value": 60}
    rows = course_table(Scenario.from_dict(document).estimate()).rows
    assert ("Load on the tasks, peak", "350.0", "requests/s", "in 20 seconds") in rows


# replay


def test_four_ways_meet_the_same_crowd(call, tmp_path: Path) -> None:
    result = call("replay", scenario(tmp_path, service=SERVICE | {"target_value": 50, "max_capacity": 5}))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("A flash crowd of 61 minutes, from 20 to 200.0 requests/s\n")
    rows = rows_of(result.stdout)
    ways = ["CPU by the minute", "CPU by 20 seconds", "Requests per target", "Steps on CPU"]
    assert [name for name in rows if name in ways] == ways
    # Three datapoints and the lag: 3 x 60 + 180 and 3 x 20 + 25 seconds after the first that is over the target.
    assert rows["CPU by the minute"][2] == "6:00"
    assert rows["CPU by 20 seconds"][2] == "1:25"
    # At half of 25 requests/s a task has 750 requests a minute.
    assert "Requests per target: requests target 750 a minute." in result.stdout
    assert "max_capacity is 5, which was lifted to" in result.stdout
    assert "As it is" not in result.stdout


def test_options_make_the_crowd(call, tmp_path: Path) -> None:
    more = ("--factor", 4, "--rise", 0, "--hold", 600, "--decay", 120, "--base", 50, "--max-capacity", 30)
    values = strict(call("replay", scenario(tmp_path), *more, "--json").stdout)
    assert (values["base_requests_per_s"], values["peak_requests_per_s"]) == (50, 200)
    assert (values["crowd_s"], values["max_capacity"], values["own_max_capacity"]) == (720, 30, 10)
    assert len(values["ways"]) == 4
    assert values["ways"][0]["scaling"] == "CPU by the minute"
    assert all(0 < way["refused_percent"] < 100 for way in values["ways"])


def test_what_never_was_is_said(call, tmp_path: Path) -> None:
    path = scenario(tmp_path, service=SERVICE | {"min_capacity": 2, "max_capacity": 2})
    calm = rows_of(call("replay", path, "--factor", 1.2, "--base", 10, "--max-capacity", 2).stdout)
    assert calm["CPU by the minute"][:4] == ["0.0", "always", "never", "never"]
    # 100 requests/s before the crowd are more than two tasks ever serve.
    crushed = call("replay", path, "--base", 100, "--max-capacity", 2)
    assert rows_of(crushed.stdout)["CPU by the minute"][1] == "never"
    assert strict(call("replay", path, "--base", 100, "--max-capacity", 2, "--json").stdout)["ways"][0][
        "overwhelmed_at_the_end"
    ]


TRACKING = {"policy_type": "TargetTrackingScaling"}
HIGH = TRACKING | {"predefined_metric_type": "ECSServiceAverageCPUUtilizationHighResolution"}
PREDICTIVE = {"policy_type": "PredictiveScaling", "target_value": 60}


@pytest.mark.parametrize(
    ("scaling", "own"),
    [
        ([TRACKING], False),
        ([HIGH], False),
        ([TRACKING, PREDICTIVE], False),
        ([TRACKING, HIGH], True),
        ([{"policy_type": "StepScaling"}], True),
        ([], True),
    ],
)
def test_own_policies_are_a_fifth_way_where_they_are_others(call, scaling, own, tmp_path: Path) -> None:
    values = strict(call("replay", scenario(tmp_path, service=SERVICE | {"scaling": scaling}), "--json").stdout)
    assert ([way["scaling"] for way in values["ways"]][4:] == ["As it is"]) is own
    assert len(values["ways"]) == 4 + own


def test_what_knows_the_time_of_day_is_left_out(call, tmp_path: Path) -> None:
    actions = [{"schedule": "cron(0 1 * * ? *)", "min_capacity": 9}]
    service = SERVICE | {"scaling": [TRACKING, PREDICTIVE], "scheduled_actions": actions}
    values = strict(call("replay", scenario(tmp_path, service=service), "--json").stdout)
    assert [note for note in values["notes"] if "left out" in note] == [
        "The service's scheduled actions are left out: nobody knows at what time a flash crowd comes.",
        "The service's predictive scaling is left out: a flash crowd is one that no forecast has seen.",
    ]
    # The hour before the crowd has the tasks that its load needs.
    assert all(way["tasks_before"] < 9 for way in values["ways"])


def test_the_replay_is_written_as_courses_and_as_a_page(call, tmp_path: Path) -> None:
    path, courses, page = scenario(tmp_path), tmp_path / "replay.csv", tmp_path / "replay.html"
    result = call("replay", path, "--output", courses, "--figure", page, "--json")
    assert result.returncode == 0, result.stderr
    values = strict(result.stdout)
    assert values["written_to"] == [str(courses), str(page)]
    rows = read_csv(courses)
    crowd = [row for row in rows if row["scaling"] == "CPU by the minute" and int(row["time_from_crowd_s"]) >= 0]
    assert int(crowd[0]["time_from_crowd_s"]) == 0
    assert float(crowd[-1]["requests_per_s"]) == 20
    arrivals = 20 * sum(float(row["requests_per_s"]) for row in crowd if int(row["time_from_crowd_s"]) < 3660)
    refused = sum(float(row["refused_requests"]) for row in crowd)
    assert 100 * refused / arrivals == pytest.approx(values["ways"][0]["refused_percent"])
    assert len({row["scaling"] for row in rows}) == 4
    text = page.read_text(encoding="utf-8")
    assert "<title>A flash crowd of 10 times the load under 4 ways to scale</title>" in text
    assert "Plotly.newPlot" in text
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", text)


# what goes wrong


@pytest.mark.parametrize(
    ("command", "options"), [("simulate", ("--output", "--hours")), ("replay", ("--output", "--figure"))]
)
def test_files_are_never_written_over_unasked(call, command: str, options: tuple[str, str], tmp_path: Path) -> None:
    path, mine = scenario(tmp_path), tmp_path / "mine.html"
    for option in options:
        mine.write_text("mine")
        check_refused(call(command, path, option, mine), "mine.html exists already", "--force")
        assert mine.read_text() == "mine"
        assert call(command, path, option, mine, "--force").returncode == 0
        assert mine.read_text() != "mine"
        check_refused(call(command, path, option, tmp_path / "absent" / "x"), "absent/x cannot be written")
        check_refused(call(command, path, option, tmp_path, "--force"), "cannot be written")
        check_refused(call(command, path, option, tmp_path / ("x" * 300)), "cannot be written", "File name too long")
    same = tmp_path / "same"
    check_refused(call(command, path, options[0], same, options[1], same), "name the same file")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.html", "scenario.yaml"]


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    path, course = scenario(tmp_path), tmp_path / "course.csv"
    course.write_text("old")
    # No file of this process may be larger: the kernel refuses the rest.
    arguments = ["estimator", "simulate", str(path), "--output", str(course), "--force"]
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
        f"sys.argv = {arguments!r}; from estimator.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)
    check_refused(result, "course.csv", "File too large")
    assert course.read_text() == "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["course.csv", "scenario.yaml"]


@pytest.mark.parametrize("command", ["simulate", "replay"])
def test_without_a_service_there_is_a_sentence(call, command: str, tmp_path: Path) -> None:
    path, output = scenario(tmp_path, service=None), tmp_path / "course.csv"
    result = call(command, path, "--output", output)
    check_refused(result, "no `service` section", "estimator plan")
    assert result.returncode == 2
    assert not output.exists()
    check_refused(call(command, tmp_path / "absent.yaml"), "absent.yaml", "cannot be read")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--factor", 1), ["--factor", "1"]),
        (("--factor", "nan"), ["factor", "nan"]),
        (("--rise", -5), ["--rise", "-5", "0 to 86400"]),
        (("--hold", 100_000), ["--hold", "100000"]),
        (("--base", 0), ["--base", "0", "more than 0"]),
        (("--max-capacity", 0), ["--max-capacity", "0", "1 to 5000"]),
        (("--max-capacity", 1), ["--max-capacity", "1", "min_capacity (2)"]),
    ],
)
def test_a_crowd_that_cannot_be_is_one_sentence(call, options, words: list[str], tmp_path: Path) -> None:
    result = call("replay", scenario(tmp_path), *options, "--figure", tmp_path / "replay.html")
    check_refused(result, *words)
    assert result.returncode == 2
    assert not (tmp_path / "replay.html").exists()


def test_a_figure_is_a_page(call, tmp_path: Path) -> None:
    picture = tmp_path / "replay.png"
    check_refused(
        call("replay", scenario(tmp_path), "--figure", picture), "--figure", "replay.png", "must end in .html"
    )
    assert not picture.exists()


def test_a_crowd_of_nobody_is_refused(call, tmp_path: Path) -> None:
    check_refused(call("replay", scenario(tmp_path, 0)), "--base", "more than 0")


@pytest.mark.parametrize("command", ["simulate", "replay"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: estimator {command} shop.yaml" in run(command, "--help").stdout


def test_a_course_waits_for_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from estimator.cli import app; sys.argv = ['estimator', 'simulate', sys.argv[1]]\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numba', 'pandas', 'streamlit', 'plotly', 'boto3', 'httpx', 'msgspec'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(ARTICLE)], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("width", [80, 150])
def test_a_terminal_shows_the_ways_in_one_piece(width: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "estimator", "replay", str(SHOP)]
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                said += os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
        process.wait()
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).splitlines()
    table = [line for line in lines if re.match(r"(CPU by|Requests per target|Steps on)[^:]*  ", line)]
    assert len(table) == 4
    assert max(map(len, table)) <= width
    assert any("Left out for want of width: Tasks before" in line for line in lines) is (width == 80)


def test_what_a_plan_prints_tells_minutes_over_the_promise(tmp_path: Path) -> None:
    # A queue M/M/1 with services of 40 ms and a utilization of 0.4 has a p95 of 200 ms: a promise of 150 never holds.
    loose = {"max_minutes_over_capacity": None}
    promised = scenario(tmp_path, promise=loose | {"p95_latency_ms": 150})
    said = run("estimate", promised).stdout
    assert "0.0 minutes over capacity a month, 43,800.0 over the promised p95 of 150 ms, minute by minute\n" in said
    said = run("estimate", scenario(tmp_path, promise=loose)).stdout
    assert "0.0 minutes over capacity a month\n" in said


def test_the_module_says_how_many_activities_it_shows() -> None:
    assert f"the first {course.SOME_ACTIVITIES}" in run("simulate", "--help").stdout.replace("\n", " ").replace(
        "  ", " "
    )
