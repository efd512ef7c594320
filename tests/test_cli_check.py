"""`estimator check`: the exit code that a pipeline goes by, the summary for a pull request, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from estimator.cli import app
from estimator.planning.comparison import compare
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from tests.test_cli import check_refused
from tests.test_cli_compare import FOUR, MORE_USD, SERVICE, file_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
WORKFLOW = ROOT / "examples" / "ci" / "github-actions.yml"
#: What you have committed to, at rates that no snapshot knows: then nobody knows what it leaves of the bill.
UNKNOWN = {
    "savings_plans": [
        {"term": "3yr", "payment_option": "Partial Upfront", "commitment_usd_per_h": 0.001, "existing": True}
    ]
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario in the working folder, as a pipeline has it."""
    monkeypatch.chdir(tmp_path)
    return Path(file_of(tmp_path, "shop.yaml", network={"layout": "public"}).name)


def usd_of(path: Path) -> float:
    return Scenario.from_file(path).estimate().cost.total_usd


def test_all_limits_hold(call, shop: Path) -> None:
    done = call("check", shop, "--budget", usd_of(shop) + 0.01, "--p95", 200, "--p99", 500, "--refused-percent", 0)
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines() if line.endswith(" ok")]
    assert rows[0][:3] == ["Bill", "at", "most"]
    assert len(rows) == 8
    assert "8 of 8 limits hold" in done.stdout


@pytest.mark.parametrize(
    ("options", "broken"),
    [
        (["--budget", "5"], ["budget_usd"]),
        (["--p95", "1"], ["p95_latency_ms"]),
        (["--p99", "1"], ["p99_latency_ms"]),
        (["--p95", "1", "--minutes-over-promise", "0"], ["p95_latency_ms", "max_minutes_over_promise"]),
        (["--p99", "1", "--budget", "0.5"], ["budget_usd", "p99_latency_ms"]),
    ],
)
def test_a_broken_limit_ends_with_1(call, shop: Path, options: list[str], broken: list[str]) -> None:
    done = call("check", shop, *options, "--json")
    assert done.returncode == 1
    values = json.loads(done.stdout)
    assert [check["name"] for check in values["checks"] if check["state"] == "BROKEN"] == broken
    assert values["state"] == "BROKEN"
    assert values["exit_code"] == 1
    assert "BROKEN" in call("check", shop, *options).stdout


def test_an_option_goes_over_the_promise(call, tmp_path: Path) -> None:
    path = file_of(tmp_path, "strict.yaml", promise={"p95_latency_ms": 1, "min_tasks": 3})
    values = json.loads(call("check", path, "--p95", 500, "--json").stdout)
    states = {check["name"]: check["state"] for check in values["checks"]}
    assert (states["p95_latency_ms"], states["min_tasks"]) == ("ok", "BROKEN")
    crowd = file_of(tmp_path, "crowd.yaml", load={"kind": "constant", "requests_per_s": 500})
    assert call("check", crowd).returncode == 1
    assert call("check", crowd, "--minutes-over", 44640).returncode == 0
    assert call("check", crowd, "--minutes-over", 44640, "--refused-percent", 50).returncode == 1


def test_the_plan_is_searched_for_the_limits(call, shop: Path) -> None:
    values = json.loads(call("check", shop, "--plan", "--p95", 100, "--budget", 10_000, "--json").stdout)
    assert values["exit_code"] == 0
    assert values["plan"]["considered"] > 1
    assert values["plan"]["figures"]["p95_latency_ms"] <= 100
    # The cheapest is found and said also where it is too dear.
    dear = json.loads(call("check", shop, "--plan", "--budget", 1, "--json").stdout)
    assert [check["name"] for check in dear["checks"] if check["state"] == "BROKEN"] == ["budget_usd"]
    none = call("check", shop, "--plan", "--p95", 0.5, "--markdown", "summary.md")
    assert none.returncode == 1
    assert "shop.yaml: None of" in none.stderr
    summary = Path("summary.md").read_text()
    assert summary.startswith("## shop.yaml: BROKEN\n")
    assert "| Candidate | USD/month | Why not |" in summary
    assert "`estimator check shop.yaml --p95 0.5 --plan`" in summary


def test_an_increase_against_a_base(call, shop: Path, tmp_path: Path) -> None:
    more = Path(file_of(tmp_path, "more.yaml", network={"layout": "public"}, service=FOUR).name)
    percent = 100 * MORE_USD / usd_of(shop)
    for option, limit in (("--max-increase-usd", MORE_USD), ("--max-increase-percent", percent)):
        codes = [call("check", more, "--against", shop, option, limit + step).returncode for step in (0.01, -0.01)]
        assert codes == [0, 1]
    assert call("check", shop, "--against", more, "--max-increase-usd", 0).returncode == 0
    told = call("check", more, "--against", shop)
    assert told.returncode == 0
    assert f"This service costs ${MORE_USD:,.2f} a month more than the base" in told.stdout


def test_what_cannot_be_said_ends_with_3(call, tmp_path: Path) -> None:
    path = file_of(tmp_path, "unknown.yaml", **UNKNOWN)
    least = Scenario.from_file(path).estimate().cost
    assert least.is_lower_bound
    over, within = (call("check", path, "--budget", least.total_usd + step, "--json") for step in (-0.01, 0.01))
    assert (over.returncode, within.returncode) == (1, 3)
    check = next(check for check in json.loads(within.stdout)["checks"] if check["name"] == "budget_usd")
    assert (check["state"], check["actual"]) == ("unknown", None)
    assert check["least"] == pytest.approx(least.total_usd)
    # No budget, nothing that needs the rate.
    assert call("check", path).returncode == 0
    # A broken limit is broken, whatever else is not known.
    assert call("check", path, "--budget", least.total_usd + 1, "--p95", 1).returncode == 1
    printed = call("check", path, "--budget", least.total_usd + 1, "--markdown", "-")
    assert printed.stdout.startswith("## web: CANNOT BE SAID\n")


def test_a_search_without_rates_cannot_say_either(call, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_fargate(region: str, as_of: object = None) -> Rates:
        rates = load_rates(region, as_of=as_of)
        known = {name: rate for name, rate in rates.known.items() if not name.startswith("fargate_linux")}
        return replace(rates, known=known)

    monkeypatch.setattr("estimator.scenario.load_rates", without_fargate)
    done = call("check", shop, "--plan", "--markdown", "summary.md")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("Error: No rate is known for fargate_linux_")
    assert Path("summary.md").read_text().startswith("## shop.yaml: CANNOT BE SAID\n\n**No rate is known for")


def test_the_age_of_rates(call, shop: Path) -> None:
    assert call("check", shop, "--max-stale-days", 100_000).returncode == 0
    assert call("check", shop, "--max-stale-days", 0).returncode == 1


def test_the_summary_is_the_same_each_time_and_says_how_to_get_it_again(call, shop: Path, tmp_path: Path) -> None:
    more = Path(file_of(tmp_path, "more one.yaml", network={"layout": "public"}, service=FOUR).name)
    words = ["check", more, "--budget", "50", "--against", shop, "--max-increase-percent", "12.5"]
    printed = call(*words, "--markdown", "-")
    assert call(*words, "--markdown", "-").stdout == printed.stdout
    written = call(*words, "--markdown", "bill.md")
    assert Path("bill.md").read_text() == printed.stdout
    assert "Limits" in written.stdout
    assert "Wrote bill.md." in written.stderr
    assert printed.returncode == written.returncode == 1
    text = printed.stdout
    assert text.startswith("## web: BROKEN\n")
    assert "| Bill | at most 50.00 |" in text
    found = compare(*(Scenario.from_file(path).estimate() for path in (shop, more)))
    for group, usd in (("Total", found.difference_usd), ("Compute", MORE_USD - 7.3)):
        row = next(line for line in text.splitlines() if group in line)
        assert f"+{usd:,.2f}" in row
    assert "Not included: " in text
    again = re.search(r"Again: `(.*)`\n", text)[1]
    assert again == "estimator check 'more one.yaml' --budget 50 --max-increase-percent 12.5 --against shop.yaml"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop.yaml", "--budget", "-1"], "--budget is -1"),
        (["shop.yaml", "--budget", "0"], "--budget is 0"),
        (["shop.yaml", "--budget", "nan"], "--budget is nan"),
        (["shop.yaml", "--p95", "-5"], "--p95 is -5"),
        (["shop.yaml", "--p99", "inf"], "--p99 is inf"),
        (["shop.yaml", "--minutes-over", "50000"], "--minutes-over is 50000"),
        (["shop.yaml", "--minutes-over-promise", "nan"], "--minutes-over-promise is nan"),
        (["shop.yaml", "--refused-percent", "101"], "--refused-percent is 101; it must be a number from 0 to 100."),
        (["shop.yaml", "--max-stale-days", "-1"], "--max-stale-days is -1"),
        (["shop.yaml", "--max-increase-usd", "5"], "give one with --against"),
        (["shop.yaml", "--against", "more.yaml", "--max-increase-percent", "-1"], "--max-increase-percent is -1"),
        (["shop.yaml", "--against", "shop.yaml"], "are the same file"),
        (["shop.yaml", "--against", "missing.yaml"], "missing.yaml cannot be read"),
        (["missing.yaml"], "missing.yaml cannot be read"),
        (["bare.yaml", "--service"], "bare.yaml: The scenario has no `service` section"),
        (["nowhere.yaml"], "us-est-1"),
        (["shop.yaml", "--json", "--markdown", "-"], "--json and --markdown - both print"),
        (["shop.yaml", "--markdown", "more.yaml"], "more.yaml exists already"),
        (["shop.yaml", "--against", "none.yaml", "--plan"], "The base cannot be priced. none.yaml: None of"),
    ],
)
def test_what_is_refused_ends_with_2(call, shop: Path, words: list[str], said: str) -> None:
    values = yaml.safe_load(shop.read_text())
    for name, changes in {
        "more": {"service": FOUR},
        "bare": {"service": None},
        "nowhere": {"region": "us-est-1"},
        "none": {"promise": {"p95_latency_ms": 0.5}},
    }.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(values | changes))
    done = call("check", *words)
    check_refused(done, said)
    assert done.returncode == 2


@pytest.mark.parametrize("words", [["shop.yaml", "--budget", "many"], [], ["shop.yaml", "--no-such-option"]])
def test_wrong_usage_ends_with_2(call, shop: Path, words: list[str]) -> None:
    assert call("check", *words).returncode == 2


def test_the_page_has_every_option_and_every_exit_code(call) -> None:
    known = {name for each in get_command(app).commands["check"].params for name in each.opts if name.startswith("--")}
    others = {"--against", "--plan", "--force", "--json", "--markdown"}
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `--"))
    assert others < known
    assert known - others == set(re.findall(r"--[a-z0-9-]+", rows)) - others
    assert re.findall(r"^\| ([0-9]) \|", PAGE, flags=re.MULTILINE) == ["0", "1", "2", "3"]
    assert "Example: estimator check shop.yaml --budget 500" in call("check", "--help").stdout


def test_the_workflow_runs_its_check_and_appends_the_summary(tmp_path: Path) -> None:
    """Run the step's own lines by a shell, with the files where the workflow puts them."""
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["bill"]["steps"]
    script = steps[-1]["run"]
    for folder, service in (("base", SERVICE), ("head", FOUR)):
        (tmp_path / folder).mkdir()
        file_of(tmp_path / folder, "shop.yaml", service=service)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "estimator"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m estimator "$@"\n')
    program.chmod(0o755)
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    env = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
        "PYTHONPATH": str(ROOT),
    }
    # As GitHub's runners call a step's script.
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    text = summary.read_text()
    assert text.startswith("# Before\n## web: BROKEN\n")
    assert "Increase of the bill, in percent" in text
    # The page shows the same lines.
    assert "\n".join(f"    {line}" for line in script.strip().splitlines()) in PAGE
