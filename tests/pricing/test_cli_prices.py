"""The prices commands as a user runs them: in another process, on a terminal, killed, on a full disk, where nobody may write."""

import datetime as dt
import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from estimator.pricing.folders import FOLDER_VARIABLE
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshot_file import read_histories
from estimator.pricing.snapshots import load_rates
from estimator.units import data_path
from tests.pricing import aws_records
from tests.pricing.aws_double import AwsDouble

ESTIMATOR = [sys.executable, "-m", "estimator"]
SCENARIO = data_path("examples", "article-web-server.yaml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "prices"))
    return tmp_path / "prices"


def run(aws, *arguments, before=(), **more):
    environment = os.environ | (aws.environment if aws else {})
    return subprocess.run(
        [*before, *ESTIMATOR, "prices", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **more,
    )


def one_sentence(result):
    """What went wrong is one line that begins with Error, never a traceback."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    return errors[0]


def test_refresh_then_show_then_back_to_shipped(folder):
    with AwsDouble(["eu-west-1"]) as aws:
        aws.catalogue.change("alb_hour", "eu-west-1", price="0.0300000000")
        result = run(aws, "refresh", "--region", "eu-west-1")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert re.search(r"alb_hour\s+Hrs\s+0\.0252\s+0\.03\s+\+19 %", result.stdout)
    shown = run(None, "show", "--region", "eu-west-1", "--match", "alb_hour")
    assert re.search(r"alb_hour\s+Application Load Balancer hour\s+0\.03\s", shown.stdout)
    places = json.loads(run(None, "where", "--json").stdout)["places"]
    assert places[0]["folder"] == str(folder)
    assert places[0]["regions"] == 1
    differing = run(None, "diff", "shipped", "now", "--region", "eu-west-1", "--json")
    changes = {change["price"]: change for change in json.loads(differing.stdout)["changes"]["eu-west-1"]}
    assert changes["alb_hour"]["first_tier_percent"] == pytest.approx(19.0476, abs=1e-3)


def test_diff_says_what_it_does_to_a_bill(folder, tmp_path):
    region = "eu-west-1"
    with AwsDouble([region]) as aws:
        aws.catalogue.change("alb_hour", region, price="0.0352000000")
        assert run(aws, "refresh", "--region", region).returncode == 0
    scenario = data_path("examples", "shop-daily-peak.yaml")
    result = run(None, "diff", "shipped", "now", "--scenario", scenario, "--json")
    effect = json.loads(result.stdout)["effect"]
    lines = {line["charge"]: line["difference_usd"] for line in effect["lines"]}
    # 730 hours at one cent more, and nothing else of this bill was changed.
    assert lines.pop("alb_hour") == pytest.approx(7.30)
    assert all(difference == pytest.approx(0.0) for difference in lines.values())
    assert effect["difference_usd_per_month"] == pytest.approx(7.30)
    text = run(None, "diff", "shipped", "now", "--scenario", scenario).stdout
    # The service that the scenario has is priced as it is; without one it is what a search finds.
    assert "2-40 tasks of 1 vCPU, 2 GB, X86_64, CPU target 70 %: $7.30 a month more" in text
    without = tmp_path / "shop.yaml"
    without.write_text(re.sub(r"(?ms)^service:.*?(?=^\S|\Z)", "", scenario.read_text()))
    text = run(None, "diff", "shipped", "now", "--scenario", without).stdout
    assert "$7.30 a month more" in text
    assert "It stays the cheapest." in text


def test_all_regions_are_refreshed_with_a_progress_bar_on_a_terminal(folder):
    with AwsDouble(REGIONS) as aws:
        # So that requests meet, however fast one is answered.
        aws.delay(0.02, "/offers/")
        status, text = on_a_terminal(aws, "refresh")
        assert status == 0, text
        assert aws.most_at_once >= 4
        aws.clear_faults()
        first = aws.bytes_sent
        aws.reset_counters()
        again = run(aws, "refresh", "--region", "all", "--json")
        assert again.returncode == 0
        assert aws.bytes_sent < 0.01 * first
        assert set(aws.statuses) == {304}
    assert re.search(r"Asking AWS for prices.*━", text)
    steps = [tuple(map(int, step)) for step in re.findall(r"(\d+)/(\d+)", text)]
    assert len({done for done, _ in steps}) > 5
    assert all(done <= total for done, total in steps)
    assert len(json.loads(again.stdout)["regions"]) == 37
    assert {path.stem for path in folder.glob("*.json")} == {*REGIONS, "global"}


def on_a_terminal(aws, *arguments):
    """Run with a pseudo-terminal of 120 columns; exit status and all that it showed."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - the other process
        os.environ.update(aws.environment | {"COLUMNS": "120", "TERM": "xterm-256color"})
        os.execv(sys.executable, [*ESTIMATOR, "prices", *arguments])  # noqa: S606
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        shown += more
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def a_second_later(published):
    return (dt.datetime.fromisoformat(published) + dt.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.slow
def test_killed_at_any_moment(folder, monkeypatch):
    """Killed at random moments, many times: each file is there whole, old or new, and the next refresh goes on."""
    regions = ["eu-west-1", "us-east-1", "ap-south-1", "eu-central-1"]
    # Many editions of one day, so that none is of a day to come.
    monkeypatch.setattr(aws_records, "_a_day_later", a_second_later)
    draw = random.Random(7)  # noqa: S311
    with AwsDouble(regions) as aws:
        started = time.monotonic()
        assert run(aws, "refresh", "--region", regions[0]).returncode == 0
        whole_s = time.monotonic() - started
        price, killed, finished = 0.03, 0, 0
        good = {region: load_rates(region)["alb_hour"].tiers_text() for region in regions}
        for turn in range(30):
            price += 0.001
            for region in regions:
                aws.catalogue.change("alb_hour", region, price=f"{price:.10f}")
            options = [option for region in regions for option in ("--region", region)]
            process = subprocess.Popen(
                [*ESTIMATOR, "prices", "refresh", *options],
                env=os.environ | aws.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(draw.uniform(0.3, 1.15) * whole_s)
            process.send_signal(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                killed += 1
            else:
                finished += 1
            for region in regions:
                path = folder / f"{region}.json"
                if path.exists():
                    read_histories(path, region)
                now = load_rates(region)["alb_hour"].tiers_text()
                assert now in (good[region], f"{price:.3f}".rstrip("0")), (turn, region, now)
                good[region] = now
        assert killed >= 15, (killed, finished)
        result = run(aws, "refresh", *[option for region in regions for option in ("--region", region)])
        assert result.returncode == 0, result.stderr
        assert {load_rates(region)["alb_hour"].tiers_text() for region in regions} == {f"{price:.3f}".rstrip("0")}
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.parametrize("source", ["bulk", "query"])
def test_ctrl_c_ends_at_once_with_a_word(folder, source):
    with AwsDouble(["eu-west-1", "us-east-1"]) as aws:
        aws.trickle(100, "AmazonEC2")
        aws.delay(10.0, "GetProducts")
        # A run that is started in the background may ignore the signal, and so would its children.
        heed = (
            "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
        )
        refresh = ["prices", "refresh", "--source", source, "--region", "eu-west-1", "--region", "us-east-1"]
        process = subprocess.Popen(
            [sys.executable, "-c", heed, *ESTIMATOR, *refresh],
            env=os.environ | aws.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(2.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - started < 5.0
    assert process.returncode == 130
    assert "Stopped" in errors
    assert "Traceback" not in errors
    assert load_rates("eu-west-1")["alb_hour"].tiers_text() == "0.0252"


def test_a_leap_is_pointed_at(folder):
    with AwsDouble(["eu-west-1"]) as aws:
        aws.catalogue.change("alb_hour", "eu-west-1", price="2.0000000000")
        result = run(aws, "refresh", "--region", "eu-west-1")
    assert "moved by more than three times: Application Load Balancer hour" in result.stdout


def test_a_snapshot_is_compared_in_its_own_region_and_no_file_of_others_is_to_be_deleted(folder, tmp_path):
    with AwsDouble(["eu-west-1"]) as aws:
        aws.catalogue.change("alb_hour", "eu-west-1", price="0.0300000000")
        assert run(aws, "refresh", "--region", "eu-west-1").returncode == 0
    theirs = tmp_path / "theirs.json"
    theirs.write_bytes((folder / "eu-west-1.json").read_bytes())
    assert "alb_hour" in run(None, "diff", "shipped", theirs).stdout
    readme = tmp_path / "README.md"
    readme.write_text("# Read me", encoding="utf-8")
    text = one_sentence(run(None, "diff", readme, "now"))
    assert "Delete" not in text
    assert readme.exists()


def test_a_list_that_knows_nothing_cannot_be_compared(folder):
    text = run(None, "diff", "2016-01-01", "now", "--scenario", SCENARIO).stdout
    assert "nothing can be compared" in text
    assert "cheapest" not in text


def test_a_full_disk(folder):
    """The kernel refuses to let any file grow above 4 kB, as a full disk would."""
    with AwsDouble(["eu-west-1"]) as aws:
        assert run(aws, "refresh", "--region", "eu-west-1").returncode == 0
        before = {path.name: path.read_bytes() for path in folder.glob("*.json")}
        aws.catalogue.change("alb_hour", "eu-west-1", price="0.0300000000")
        limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
        limited += "sys.argv = ['estimator', *sys.argv[1:]]; runpy.run_module('estimator', run_name='__main__')"
        result = subprocess.run(
            [sys.executable, "-c", limited, "prices", "refresh", "--region", "eu-west-1"],
            env=os.environ | aws.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 2, result.stdout
    assert "Traceback" not in result.stderr
    assert "File too large" in result.stderr
    assert "ESTIMATOR_PRICES_FOLDER" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == before


def test_a_folder_that_cannot_be_written(folder):
    unprivileged = (
        ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.getuid() == 0 else []
    )
    with AwsDouble(["eu-west-1"]) as aws:
        assert run(aws, "refresh", "--region", "eu-west-1").returncode == 0
        for path in (folder, folder / "downloads"):
            path.chmod(0o555)
        try:
            text = one_sentence(run(aws, "refresh", "--region", "eu-west-1", before=unprivileged))
        finally:
            for path in (folder, folder / "downloads"):
                path.chmod(0o755)
    assert "Permission denied" in text
    assert str(folder) in text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("refresh", "--region", "eu-west-9"), "eu-west-1"),
        (("refresh", "--region", "eu-west-1", "--source", "sql"), "bulk, query"),
        (("refresh", "--region", "eu-west-1", "--price-list-url", "ftp://x"), "ftp://x"),
        (("diff", "yesterday", "now", "--region", "eu-west-1"), "yesterday"),
        (("diff", "shipped", "2026-13-01", "--region", "eu-west-1"), "2026-13-01"),
        (("diff", "shipped", "now", "--region", "us-east-1", "--scenario", str(SCENARIO)), "Leave --region out"),
        (("import", "nothing.json"), "nothing.json"),
        (("import", __file__), "Savings Plan"),
        (("show", "--region", "eu-west-1", "--as-of", "then"), "then"),
        (("show", "--as-of", "2026-01-01"), "--region"),
    ],
)
def test_wrong_input_is_one_sentence(folder, arguments, word):
    assert word in one_sentence(run(None, *arguments))


def test_no_network_is_one_sentence(folder):
    result = run(None, "refresh", "--price-list-url", "http://127.0.0.1:9", "--savings-plans-url", "http://127.0.0.1:9")
    assert "cannot be reached" in one_sentence(result)
    assert "other regions were not tried" in result.stderr
    assert "prices import" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["show", "refresh", "diff", "import", "where"])
def test_help_has_an_example(command):
    result = run(None, command, "--help")
    assert f"Example: estimator prices {command}" in result.stdout
