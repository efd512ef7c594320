"""`estimator compare`: two scenarios, or a service and its plan, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest

from estimator.scenario import Scenario
from tests.test_cli import check_refused, scenario_file

SERVICE = {"cpu_units": 256, "memory_mib": 512, "min_capacity": 2, "max_capacity": 2}
FOUR = SERVICE | {"min_capacity": 4, "max_capacity": 4}
#: Two tasks of 0.25 vCPU and 0.5 GB more, each with an address, for a month in us-east-1.
MORE_USD = 2 * 730 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005)


def file_of(folder: Path, name: str, **changes: object) -> Path:
    """A scenario of its own name: `scenario_file` writes the same one each time."""
    return scenario_file(folder, **({"region": "us-east-1", "service": SERVICE} | changes)).rename(folder / name)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    network = {"layout": "public"}
    return file_of(tmp_path, "base.yaml", network=network), file_of(tmp_path, "new.yaml", network=network, service=FOUR)


def test_two_scenarios_line_by_line(call, pair: tuple[Path, Path]) -> None:
    base, new = pair
    done = call("compare", base, new)
    assert done.returncode == 0
    assert f"{new} costs ${MORE_USD:,.2f} a month more than {base} (+" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("Fargate vCPU, Linux x86"))
    assert f"{2 * 730 * 0.25 * 0.04048:+,.2f}" in row.split()
    assert "+100.0" in row
    assert [line.split() for line in done.stdout.splitlines() if line.startswith(("min_", "max_"))] == [
        ["min_capacity", "2", "4"],
        ["max_capacity", "2", "4"],
    ]
    assert "Not included:" in done.stdout
    values = json.loads(call("compare", base, new, "--json").stdout)
    assert values["difference_usd_per_month"] == pytest.approx(MORE_USD)
    assert sum(line["difference_usd"] for line in values["lines"]) == pytest.approx(MORE_USD)
    assert values["before"]["usd_per_month"] == pytest.approx(Scenario.from_file(base).estimate().cost.total_usd)
    back = json.loads(call("compare", new, base, "--json").stdout)
    assert back["difference_usd_per_month"] == -values["difference_usd_per_month"]


def test_documents_have_what_is_printed(call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    printed = {
        ending: call("compare", *pair, f"--{name}").stdout for ending, name in ((".md", "markdown"), (".json", "json"))
    }
    for ending in (".md", ".json", ".csv"):
        done = call("compare", *pair, "--output", tmp_path / f"difference{ending}")
        assert done.stderr.endswith(f"difference{ending}.\n")
    for ending, text in printed.items():
        assert (tmp_path / f"difference{ending}").read_text() == text
    rows = list(csv.DictReader((tmp_path / "difference.csv").read_text().splitlines()))
    assert sum(float(row["difference_usd"]) for row in rows) == pytest.approx(MORE_USD)
    assert printed[".md"].startswith("# ")
    check_refused(call("compare", *pair, "--output", tmp_path / "difference.md"), "exists already", "--force")
    assert call("compare", *pair, "--output", tmp_path / "difference.md", "--force").returncode == 0


def test_other_regions_and_loads_are_compared(call, tmp_path: Path) -> None:
    here = file_of(tmp_path, "here.yaml")
    there = file_of(tmp_path, "there.yaml", region="eu-west-1", load={"kind": "constant", "requests_per_s": 10})
    done = call("compare", here, there)
    assert "The loads differ, so a million requests say more than a month" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["region", "us-east-1", "eu-west-1"] in rows
    assert ["load.mean_requests_per_s", "20", "10"] in rows


def test_a_service_against_its_plan(call, tmp_path: Path) -> None:
    path = file_of(tmp_path, "shop.yaml", service=FOUR | {"memory_mib": 2048})
    values = json.loads(call("compare", path, "--with-plan", "--json").stdout)
    scenario = Scenario.from_file(path)
    assert values["before"]["title"] == f"{path} today"
    assert values["before"]["usd_per_month"] == pytest.approx(scenario.estimate().cost.total_usd)
    assert values["after"]["usd_per_month"] == pytest.approx(scenario.plan().cost.total_usd)
    assert values["difference_usd_per_month"] < 0
    # Searched, a scenario does not look at its service.
    other = file_of(tmp_path, "other.yaml", service=None)
    searched = json.loads(call("compare", path, other, "--plan", "--json").stdout)
    assert searched["difference_usd_per_month"] == 0
    mixed = json.loads(call("compare", path, other, "--json").stdout)
    assert mixed["difference_usd_per_month"] == pytest.approx(values["difference_usd_per_month"])
    check_refused(call("compare", path, other, "--service"), "other.yaml: The scenario has no `service` section")


def test_a_scenario_without_a_plan_is_named(call, tmp_path: Path) -> None:
    good, bad = file_of(tmp_path, "good.yaml"), file_of(tmp_path, "bad.yaml", promise={"p95_latency_ms": 0.5})
    done = call("compare", good, bad, "--plan")
    assert done.returncode == 1
    assert "bad.yaml: None of" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["base.yaml"], "There is nothing to compare base.yaml with. Give a second scenario, or --with-plan"),
        (["base.yaml", "base.yaml"], "base.yaml and base.yaml are the same file"),
        (["base.yaml", "./folder/../base.yaml"], "are the same file"),
        (["base.yaml", "missing.yaml"], "The scenario missing.yaml cannot be read"),
        (["missing.yaml", "base.yaml"], "The scenario missing.yaml cannot be read"),
        (["base.yaml", "folder"], "it is a folder"),
        (["base.yaml", "nowhere.yaml"], "us-est-1"),
        (["base.yaml", "new.yaml", "--with-plan"], "leave out B, --plan and --service"),
        (["base.yaml", "--with-plan", "--plan"], "leave out B, --plan and --service"),
        (["base.yaml", "new.yaml", "--json", "--markdown"], "--json and --markdown are both given"),
        (["base.yaml", "new.yaml", "--output", "bill.pdf"], "ends in one of .md, .csv, .json"),
        (["base.yaml", "new.yaml", "--output", "folder/no/x.md"], "cannot be written"),
    ],
)
def test_what_is_refused(
    call, pair: tuple[Path, Path], tmp_path: Path, monkeypatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("nowhere.yaml").write_text(Path("new.yaml").read_text().replace("us-east-1", "us-est-1"))
    check_refused(call("compare", *words), said)


def test_help_has_an_example(call) -> None:
    assert "Example: estimator compare base.yaml shop.yaml" in call("compare", "--help").stdout
