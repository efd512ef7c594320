"""The `load` commands: a profile in numbers, CloudWatch through moto's server, access logs; files whole or not at all."""

import csv
import datetime as dt
import json
import os
import pty
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3.session
import numpy as np
import pytest
import yaml

from estimator.cli import main
from estimator.commands.load import NO_DATE
from estimator.scenario import Scenario
from tests.test_cli import check_refused, run, scenario_file
from tests.test_load_sections import LOADS_PAGE, rows, write_logs

ALB = "app/shop/50dc6c495c0c9188"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYSECRETKEY"  # noqa: S105 - AWS's own example, changed
END = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=3)
BEGIN = END - dt.timedelta(hours=2)


def figures(shown: str) -> dict[str, str]:
    """The rows of a plain table: what stands first, and the figure."""
    parts = (line.split("  ") for line in shown.splitlines() if "  " in line)
    return {cells[0]: next(filter(None, map(str.strip, cells[1:])), "") for cells in parts}


def use_snippet(printed: str) -> Scenario:
    """Put what a command printed into a scenario, with the CPU time that it cannot know."""
    values = yaml.safe_load(printed)
    values["request"]["cpu_ms_per_request"] = 10
    return Scenario.from_dict({"region": "eu-west-1", **values})


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line as `run` does, in this process: a new one for each takes seconds."""

    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["estimator", *map(str, arguments)])
        if cwd is not None:
            monkeypatch.chdir(cwd)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code or 0, said.out, said.err)

    return call


# show


def test_a_load_in_numbers(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, load={"kind": "daily", "peak_requests_per_s": 100, "trough_requests_per_s": 20})
    result = run("load", "show", path)
    assert result.returncode == 0, result.stderr
    said = figures(result.stdout)
    assert result.stdout.startswith("Load of web, daily\n")
    assert (said["Period"], said["Step"], said["Mean"], said["Peak"]) == ("24", "60", "60", "100.0")
    # 60 requests/s x 730 h x 3600 s.
    assert said["Requests of a month"] == "157,680,000"
    # The peak lies between the step that ends at 20:00 and the one that begins there.
    assert any(f"day 1, {minute} of the period" in result.stdout for minute in ("19:59", "20:00"))
    assert "without dates" in result.stdout
    # A pipe is no terminal, nothing is drawn.
    assert "█" not in result.stdout
    assert result.stderr == ""


def test_a_load_of_a_file_says_when_its_peak_was_and_what_was_filled(call, tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text(
        "timestamp,requests\n2026-03-01T00:00Z,3600\n2026-03-01T01:00Z,7200\n2026-03-01T03:00Z,36000\n"
    )
    path = scenario_file(tmp_path, load={"kind": "csv", "path": "load.csv", "gaps": "zero"})
    result = call("load", "show", path, cwd=Path("/"))
    assert "2026-03-01 03:00 UTC" in result.stdout
    assert "they are filled by zero" not in result.stdout
    assert "Note: load.csv has no row for 1 of 4 intervals" in result.stderr
    values = json.loads(call("load", "show", path, "--json").stdout)
    assert values["peak_at"] == "2026-03-01T03:00:00+00:00"
    assert (values["peak_hour"], values["start"]) == (3, "2026-03-01T00:00:00+00:00")
    assert (values["peak_requests_per_s"], values["min_requests_per_s"], values["mean_requests_per_s"]) == (10, 0, 3.25)
    assert values["requests_per_period"] == 46_800
    assert values["requests_per_month"] == pytest.approx(3.25 * 730 * 3600)
    assert len(values["notes"]) == 1


def test_p99_is_a_rate_that_99_of_100_steps_do_not_exceed(call, tmp_path: Path) -> None:
    rows(tmp_path, [3600 * k for k in range(1, 101)])
    path = scenario_file(tmp_path, load={"kind": "csv", "path": "load.csv"})
    assert json.loads(call("load", "show", path, "--json").stdout)["p99_requests_per_s"] == 99


def test_what_is_shown_is_shaped(call, tmp_path: Path) -> None:
    load = {"kind": "constant", "requests_per_s": 10, "repeat": 3, "scale": 2}
    values = json.loads(call("load", "show", scenario_file(tmp_path, load=load), "--json").stdout)
    assert (values["period_hours"], values["mean_requests_per_s"]) == (72, 20)


@pytest.mark.parametrize(("encoding", "drawn"), [("utf-8", True), ("ascii", False)])
def test_a_terminal_that_can_has_a_drawing(encoding: str, drawn: bool, tmp_path: Path) -> None:
    # An hour of silence after each hour of load: a low block after each high one.
    rows(tmp_path, [3600, 0] * 12)
    path = scenario_file(tmp_path, load={"kind": "csv", "path": "load.csv"})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "estimator", "load", "show", str(path)]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "100", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        _, errors = process.communicate()
    os.close(ours)
    assert process.returncode == 0, errors
    assert ("█▁" * 12 in shown.decode("utf-8")) is drawn
    assert (b"Each mark is the mean of an hour" in shown) is drawn


@pytest.mark.parametrize(
    "load",
    [
        {"kind": "weekly", "peak_requests_per_s": 350, "trough_requests_per_s": 50, "step_s": 300},
        {"kind": "constant", "requests_per_s": 1 / 3, "step_s": 86400},
        {
            "kind": "daily",
            "peak_requests_per_s": 1e-3,
            "trough_requests_per_s": 0,
            "step_s": 3600,
            "calendar": {"time_zone": "Europe/Berlin", "start": "2026-03-28", "days": 3},
            "noise": {"percent": 20, "seed": 1},
        },
    ],
    ids=["week", "one step", "dated"],
)
def test_what_is_written_is_read_again(call, load: dict[str, object], tmp_path: Path) -> None:
    path = scenario_file(tmp_path, load=load)
    result = call("load", "show", path, "--output", "profile.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    before = Scenario.from_file(path).workload().load
    document = Scenario.from_dict(
        {"region": "eu-west-1", "load": {"kind": "csv", "path": "profile.csv"}, "request": {"cpu_ms_per_request": 1}}
    )
    after = document.workload(tmp_path).load
    assert after.period_s == before.period_s
    np.testing.assert_allclose(after.resample(before.step_s).requests_per_s, before.requests_per_s, rtol=1e-14)
    assert after.start == (before.start or NO_DATE)
    assert ("begins on Monday, 2024-01-01" in result.stderr) is (before.start is None)
    assert "Wrote profile.csv" in result.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["profile.csv", "scenario.yaml"]


def test_a_file_without_dates_begins_as_weeks_and_years_do() -> None:
    assert (NO_DATE.weekday(), NO_DATE.timetuple().tm_yday, NO_DATE.hour) == (0, 1, 0)


def test_whole_counts_stay_whole(call, tmp_path: Path) -> None:
    counts = [7, 11, 13, 0, 123_456_789, 17] * 10
    rows(tmp_path, counts, step_s=60)
    path = scenario_file(tmp_path, load={"kind": "csv", "path": "load.csv"})
    call("load", "show", path, "--output", tmp_path / "again.csv")
    with (tmp_path / "again.csv").open(newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["requests"] for row in again] == list(map(str, counts))
    assert again[1]["timestamp"] == "2026-03-01T00:01:00Z"


def test_a_file_that_is_there_is_kept_unless_forced(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path)
    mine = tmp_path / "mine.csv"
    mine.write_text("mine")
    check_refused(call("load", "show", path, "--output", mine), "mine.csv exists already", "--force")
    assert mine.read_text() == "mine"
    assert call("load", "show", path, "--output", mine, "--force", "--json").returncode == 0
    assert mine.read_text().startswith("timestamp,requests\n2024-01-01T00:00:00Z,1200\n")


@pytest.mark.parametrize("target", ["nowhere/load.csv", ".", "/proc/load.csv", "scenario.yaml/load.csv", "n" * 300])
def test_a_file_that_cannot_be_written(call, target: str, tmp_path: Path) -> None:
    result = call("load", "show", scenario_file(tmp_path), "--output", target, "--force", cwd=tmp_path)
    check_refused(result, target, "cannot be written")
    assert result.returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["scenario.yaml"]


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    path, mine = scenario_file(tmp_path), tmp_path / "mine.csv"
    mine.write_text("mine")
    # No file may become larger than some kilobytes.
    command = f'ulimit -f 8; "{sys.executable}" -m estimator load show "{path}" --output "{mine}" --force'
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    check_refused(result, "mine.csv cannot be written", "File too large")
    assert mine.read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.csv", "scenario.yaml"]


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"kind": "csv", "path": "absent.csv"}, ["absent.csv cannot be read"]),
        ({"kind": "parquet", "path": "scenario.yaml"}, ["scenario.yaml is not a Parquet file"]),
        ({"kind": "access_logs", "path": "absent"}, ["absent are not there"]),
        ({"kind": "constant", "requests_per_s": 1, "repeat": 0}, ["load.repeat is 0"]),
    ],
)
def test_a_bad_load_is_one_sentence_and_writes_nothing(call, load: object, words: list[str], tmp_path: Path) -> None:
    result = call("load", "show", scenario_file(tmp_path, load=load), "--output", tmp_path / "load.csv")
    check_refused(result, *words)
    assert result.returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["scenario.yaml"]


# cloudwatch


@pytest.fixture
def aws(moto_address, monkeypatch):
    """An account in which a load balancer had, in each minute of two hours, 60 requests of 12 kB over 15 connections."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto_address,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with urllib.request.urlopen(urllib.request.Request(f"{moto_address}/moto-api/reset", method="POST")):  # noqa: S310
        pass
    client = boto3.session.Session().client("cloudwatch", region_name="eu-west-1")
    values = {"RequestCount": 60.0, "NewConnectionCount": 15.0, "ProcessedBytes": 720_000.0, "RuleEvaluations": 180.0}
    for metric, value in values.items():
        client.put_metric_data(
            Namespace="AWS/ApplicationELB",
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": ALB}],
                    "Timestamp": BEGIN + dt.timedelta(minutes=minute),
                    "Value": value,
                }
                for minute in range(120)
            ],
        )


def cloudwatch(call, *more: object, folder: Path):
    return call("load", "cloudwatch", "--load-balancer", ALB, "--region", "eu-west-1", *more, cwd=folder)


def between(begin: dt.datetime, end: dt.datetime) -> tuple[str, ...]:
    return "--from", begin.isoformat(), "--to", end.isoformat(), "--output", "load.csv"


def test_what_cloudwatch_has_goes_into_a_file_and_a_scenario(call, aws, tmp_path: Path) -> None:
    result = cloudwatch(call, *between(BEGIN, END), "--request-kb", 2, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    found = use_snippet(result.stdout)
    load = found.workload(tmp_path).load
    np.testing.assert_allclose(load.requests_per_s, 1)
    assert (load.step_s, load.period_hours, load.start) == (60, 2, BEGIN)
    assert found.request.requests_per_connection == 4
    assert found.request.rules_evaluated_per_request == 3
    assert (found.request.request_kb, found.request.response_kb) == (2, 10)
    assert "means of 7,200 requests" in result.stdout
    assert "Note: NewConnectionCount and ActiveConnectionCount count connections to clients and" in result.stderr
    assert "Wrote load.csv: 120 rows of 60 s." in result.stderr
    assert SECRET not in result.stdout + result.stderr


def test_bytes_in_and_out_together_are_no_field(call, aws, tmp_path: Path) -> None:
    result = cloudwatch(call, *between(BEGIN, END), "--step", 300, folder=tmp_path)
    assert "# 12 kB in and out together; --request-kb parts them" in result.stdout
    assert "response_kb:" not in result.stdout
    assert "Wrote load.csv: 24 rows of 300 s." in result.stderr


def test_cloudwatch_as_json(call, aws, tmp_path: Path) -> None:
    answer = json.loads(cloudwatch(call, *between(BEGIN, END), "--json", folder=tmp_path).stdout)
    assert answer["written_to"] == "load.csv"
    assert answer["load"]["mean_requests_per_s"] == pytest.approx(1)
    assert answer["request"] == {"requests_per_connection": 4, "connection_s": 0, "rules_evaluated_per_request": 3}
    assert answer["measured"]["processed_kb"] == 12
    assert any("to clients and to targets alike" in note for note in answer["notes"])


def test_the_last_two_weeks_are_read_where_nothing_is_said(call, aws, tmp_path: Path) -> None:
    answer = json.loads(cloudwatch(call, "--output", "load.csv", "--json", folder=tmp_path).stdout)
    assert (answer["load"]["period_hours"], answer["load"]["step_s"]) == (14 * 24, 60)
    assert answer["measured"]["requests"] == 7200
    begin = dt.datetime.fromisoformat(answer["load"]["start"])
    assert dt.timedelta(days=14) <= dt.datetime.now(dt.UTC) - begin < dt.timedelta(days=14, hours=2)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--from", "yesterday"), ["--from is 'yesterday'", "2026-03-01"]),
        (("--to", "2200-01-01"), ["2200-01-01", "still to come"]),
        (("--from", "2020-01-01"), ["2020-01-01", "455 days"]),
        (("--step", "7"), ["period_s is 7"]),
        (("--request-kb", "-1"), ["--request-kb is -1"]),
        (("--region", "us-east-1"), ["CloudWatch in us-east-1 has no request of app/shop"]),
        (("--load-balancer", "net/shop/1"), ["net/shop/1", "Application Load Balancer's ARN"]),
        (("--output", "nowhere/load.csv"), ["nowhere/load.csv cannot be written"]),
    ],
)
def test_what_cloudwatch_cannot_answer_is_one_sentence(call, aws, more, words: list[str], tmp_path: Path) -> None:
    result = cloudwatch(call, "--output", "load.csv", *more, folder=tmp_path)
    check_refused(result, *words)
    assert result.returncode == 2
    assert list(tmp_path.iterdir()) == []
    assert SECRET not in result.stderr


def test_without_credentials_the_sentence_says_what_is_needed(call, aws, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    check_refused(cloudwatch(call, "--output", "load.csv", folder=tmp_path), "credentials", "cloudwatch:GetMetricData")


# access-logs


def test_what_access_logs_tell_goes_into_a_file_and_a_scenario(call, tmp_path: Path) -> None:
    write_logs(tmp_path / "logs", hours=3)
    result = call("load", "access-logs", "logs", "--output", "load: mine.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    found = use_snippet(result.stdout)
    load = found.workload(tmp_path).load
    np.testing.assert_allclose(load.requests_per_s, 1 / 60)
    assert (load.step_s, load.period_hours) == (60, 3)
    assert (found.request.request_kb, found.request.response_kb) == (0.5, 1.5)
    assert "# 100 % of the requests reached a target" in result.stdout
    assert "p50 10, p95 10, p99 10" in result.stdout
    assert "# Status 200: 100.00%" in result.stdout
    assert "Note: Access logs are written as good as" in result.stderr


def test_access_logs_by_rules(call, tmp_path: Path) -> None:
    write_logs(tmp_path / "logs", hours=3)
    (tmp_path / "logs" / "1.log.gz").unlink()
    files = ("logs/0.log.gz", "logs/2.log.gz")
    for logs in (("logs",), files):
        check_refused(call("load", "access-logs", *logs, "--output", "load.csv", cwd=tmp_path), "12 of 36", "Set gaps")
    more = ("--gaps", "zero", "--step", 300, "--output", "load.csv")
    answer = json.loads(call("load", "access-logs", *files, *more, "--json", cwd=tmp_path).stdout)
    assert (answer["load"]["step_s"], answer["measured"]["requests"]) == (300, 120)
    assert answer["request"] == {"request_kb": 0.5, "response_kb": 1.5}
    assert any("they are filled by zero" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("absent",), ["absent are not there"]),
        (("logs", "--gaps", "guess"), ["gaps is 'guess'", "interpolate"]),
        (("logs", "--whole", "weeks"), ["whole is 'weeks'", "days"]),
        (("logs", "--step", "7"), ["step_s is 7"]),
        (("logs", "--max-malformed-percent", "101"), ["max_malformed_percent is 101"]),
        (("logs", "--load-balancer", "app/other/1"), ["no line of app/other/1"]),
        (("logs", "logs"), ["the same log file"]),
    ],
)
def test_bad_logs_are_one_sentence(call, more, words: list[str], tmp_path: Path) -> None:
    write_logs(tmp_path / "logs", hours=1)
    result = call("load", "access-logs", *more, "--output", "load.csv", cwd=tmp_path)
    check_refused(result, *words)
    assert result.returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["logs"]


# help


def test_help_has_examples_and_the_options_that_the_page_names(call) -> None:
    assert "Start with: estimator load show" in call("load", "--help").stdout
    for command in ("show", "cloudwatch", "access-logs"):
        shown = call("load", command, "--help").stdout
        assert f"Example: estimator load {command}" in shown
        lines = [line for line in LOADS_PAGE.splitlines() if f"estimator load {command}" in line]
        assert lines
        for word in {word.strip("`;,.") for line in lines for word in line.split() if "--" in word}:
            assert word.strip("`;,.") in shown


def test_help_and_the_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, estimator.cli; print(sorted({'numpy', 'pydantic', 'pyarrow', 'boto3', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    code = "import sys, estimator.scenario; print(sorted({'pyarrow', 'boto3', 'pandas', 'gzip'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
