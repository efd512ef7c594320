"""The command line: the verbs, and one clear sentence for what a user can mend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.units import data_path

ARTICLE = data_path("examples", "article-web-server.yaml")


def run(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "estimator", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | (env or {}), check=False)


def check_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """One sentence on stderr, no traceback, nothing on stdout."""
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    # On a cold cache it may say first that it compiles.
    first = next(line for line in result.stderr.splitlines() if not line.startswith("Compiling"))
    assert first.startswith("Error: ")
    for word in words:
        assert word in first, first


def scenario_file(folder: Path, **changes: object) -> Path:
    document: dict[str, object] = {
        "name": "web",
        "region": "eu-west-1",
        "load": {"kind": "constant", "requests_per_s": 20},
        "request": {"cpu_ms_per_request": 10},
        "search": {"target_values": [60]},
    }
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(document | changes))
    return path


def test_plan_prints_the_bill_and_writes_the_stack(tmp_path: Path) -> None:
    result = run("plan", ARTICLE, "--export", tmp_path / "stack")
    assert result.returncode == 0, result.stderr
    scenario = Scenario.from_file(ARTICLE)
    plan = scenario.plan(load_rates(scenario.region))
    for line in plan.cost:
        row = next(row for row in result.stdout.splitlines() if line.title in row)
        assert f"{line.list_cost:,.2f}" in row
        assert line.sku_text in row
        assert line.published in row
    assert f"{plan.cost.total_usd:,.2f}" in result.stdout
    assert plan.spec.describe() in result.stdout
    assert "Not included" in result.stdout
    assert (tmp_path / "stack" / "app.py").exists()


def test_plan_as_json(tmp_path: Path) -> None:
    result = run("plan", scenario_file(tmp_path), "--json")
    answer = json.loads(result.stdout)
    assert answer["figures"]["total_usd_per_month"] == answer["cost"]["total_usd_per_month"] > 0
    assert answer["service"]["task_size"]["cpu_units"] in (256, 512, 1024)
    assert answer["considered"] > 100


def test_a_plan_is_the_same_to_the_last_digit_in_every_process() -> None:
    first, second = (run("plan", ARTICLE, "--json", env={"PYTHONHASHSEED": seed}).stdout for seed in ("1", "2"))
    assert first == second != ""


def test_init_writes_a_scenario_that_plans_and_keeps_an_existing_one(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    assert run("plan", "scenario.yaml", cwd=tmp_path).returncode == 0
    assert run("estimate", "scenario.yaml", cwd=tmp_path).returncode == 0
    (tmp_path / "scenario.yaml").write_text("mine")
    check_refused(run("init", cwd=tmp_path), "scenario.yaml exists already")
    assert (tmp_path / "scenario.yaml").read_text() == "mine"


def test_schema_is_a_json_schema() -> None:
    schema = json.loads(run("schema").stdout)
    assert schema["properties"]["region"]["description"]
    assert schema["$defs"]["Request"]["properties"]["cpu_ms_per_request"]["description"].endswith("[ms]")


def test_prices_show_lists_known_and_unknown() -> None:
    shown = run("prices", "show", "--region", "ap-southeast-3").stdout
    # Of Jakarta nobody has published Spot prices or the price between zones.
    assert "45 known, 5 unknown" in shown
    assert "unknown" in next(row for row in shown.splitlines() if "fargate_spot_linux_x86_vcpu_hour" in row)
    rows = json.loads(run("prices", "show", "--region", "us-east-1", "--json").stdout)
    alb = next(row for row in rows if row["price"] == "alb_hour")
    assert alb["tiers"] == [{"begin": 0.0, "usd_per_unit": "0.0225"}]
    assert alb["sku"] == "37CUWUT8GSNQEPUV"


def test_help_has_examples() -> None:
    assert "Start with: estimator init" in run("--help").stdout
    for command in ("init", "schema", "plan", "estimate", "ui"):
        assert f"Example: estimator {command}" in run(command, "--help").stdout


def own_prices(folder: Path, reason: str = "contract | 4711") -> dict[str, object]:
    (folder / "own.csv").write_text(
        f'price,region,usd_per_unit,reason,date\nalb_hour,*,0.0125,"{reason}",2026-01-31\n', encoding="utf-8"
    )
    return {"overrides": "own.csv", "discounts_percent": {"AmazonECS": 10}, "as_of": "2026-07-01"}


def test_own_prices_are_said_in_the_table_the_json_and_the_stack(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, prices=own_prices(tmp_path))
    # The file lies beside the scenario, wherever the command is run.
    shown = run("plan", path, "--export", tmp_path / "stack", cwd=Path("/")).stdout
    row = next(row for row in shown.splitlines() if row.startswith("Application Load Balancer"))
    assert "your price: contract | 4711" in row
    assert f"{730 * 0.0125:,.2f}" in row
    assert "less 10 % private discount" in next(row for row in shown.splitlines() if "Fargate vCPU" in row)
    assert "Prices as of 2026-07-01." in shown
    assert "more than 90 days ago" not in shown
    lines = {line["charge"]: line for line in json.loads(run("plan", path, "--json").stdout)["cost"]["lines"]}
    assert (lines["alb_hour"]["provenance"], lines["alb_hour"]["rate_note"]) == ("own", "contract | 4711")
    readme = (tmp_path / "stack" / "README.md").read_text(encoding="utf-8")
    assert "your price: contract \\| 4711 | 2026-01-31 |" in readme
    assert "less 10 % private discount" in readme
    assert "Prices as of 2026-07-01." in readme
    config = json.loads((tmp_path / "stack" / "stack_config.json").read_text(encoding="utf-8"))
    assert config["scenario"]["prices"]["overrides"] == "own.csv"


def test_a_broken_price_is_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, prices=own_prices(tmp_path, reason=""))
    check_refused(run("plan", path, "--export", tmp_path / "stack"), "own.csv, row 2", "reason")
    check_refused(run("ui", path, "--headless"), "own.csv, row 2", "reason")
    assert not (tmp_path / "stack").exists()


def test_stale_prices_are_said_but_not_in_an_export(tmp_path: Path) -> None:
    path = scenario_file(tmp_path)
    shown = run("plan", path, "--export", tmp_path / "stack").stdout
    scenario = Scenario.from_file(path)
    stale = scenario.plan(scenario.rates()).cost.stale_text()
    assert "estimator prices refresh --region eu-west-1" in stale
    assert stale in shown.splitlines()
    for file in (tmp_path / "stack").rglob("*"):
        assert not file.is_file() or "days ago" not in file.read_text(encoding="utf-8")


SPOT = {"search": {"capacity_provider": "FARGATE_SPOT", "target_values": [60]}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": "eu-west-9"}, ["eu-west-9", "af-south-1", "Did you mean"]),
        ({"load": {"kind": "constant", "requests_per_s": -5}}, ["requests_per_s", "-5", "0 or more"]),
        ({"load": {"kind": "constant", "requests_per_s": "many"}}, ["load.requests_per_s", "'many'", "number"]),
        ({"load": {"kind": "hourly"}}, ["load", "hourly", "'daily'"]),
        ({"load": {"kind": "csv", "path": "absent.csv"}}, ["absent.csv", "cannot be read"]),
        ({"request": {"cpu_ms_per_request": 0}}, ["cpu_ms_per_request", "0", "more than 0"]),
        ({"request": {"cpu_ms_per_reqest": 5}}, ["cpu_ms_per_reqest", "Did you mean cpu_ms_per_request?"]),
        ({"name": "my service"}, ["name", "'my service'"]),
        ({"network": {"layout": "nat", "nat_gateways": 5}}, ["nat_gateways", "5", "1 to availability_zones"]),
        ({"search": {"target_values": [140]}}, ["target_value", "140", "1 to 100"]),
        ({"region": "ap-southeast-3"} | SPOT, ["fargate_spot", "ap-southeast-3", "estimator prices show"]),
        (
            {"promise": {"p95_latency_ms": 1}},
            ["candidates keeps the promise", "p95_latency_ms", "at most 1 ms", "Loosen"],
        ),
        ({"version": 2}, ["version", "2"]),
        ({"hours_per_month": 9000}, ["hours_per_month", "9000", "744"]),
    ],
)
def test_bad_scenarios_get_one_sentence_and_write_nothing(
    changes: dict[str, object], words: list[str], tmp_path: Path
) -> None:
    path = scenario_file(tmp_path, **changes)
    check_refused(run("plan", path, "--export", tmp_path / "stack"), *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scenario.yaml"]


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"cpu_units": 300, "memory_mib": 512}, ["cpu_units", "300", "256, 512"]),
        ({"cpu_units": 256, "memory_mib": 4096}, ["memory_mib", "4096", "512, 1024, 2048"]),
        ({"cpu_units": 256, "memory_mib": 512, "min_capacity": 9, "max_capacity": 3}, ["max_capacity", "3", "9"]),
        ({"cpu_units": 256, "memory_mib": 512, "cpu_architecture": "RISC"}, ["cpu_architecture", "RISC", "ARM64"]),
        (None, ["service", "estimator plan"]),
    ],
)
def test_bad_services_get_one_sentence(service: object, words: list[str], tmp_path: Path) -> None:
    check_refused(run("estimate", scenario_file(tmp_path, service=service)), *words)


def test_unknown_spot_rate_is_shown_as_unknown_by_estimate(tmp_path: Path) -> None:
    service = {"cpu_units": 256, "memory_mib": 512, "capacity_provider": "FARGATE_SPOT"}
    shown = run("estimate", scenario_file(tmp_path, region="ap-southeast-3", service=service)).stdout
    assert "at least" in shown
    assert "unknown" in next(row for row in shown.splitlines() if "Fargate Spot vCPU" in row)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2026-03-01T00:00:00Z,5", "2026-03-01T00:30:00Z,five"], ["row 3", "five"]),
        (["2026-03-01T00:00:00Z,5", "2026-03-01T00:30:00Z,-5"], ["row 3", "-5"]),
        (["2026-03-01T00:00:00Z,5", "yesterday,5"], ["row 3", "yesterday"]),
        (["2026-03-01T00:30:00Z,5", "2026-03-01T00:00:00Z,5"], ["row 3", "sorted"]),
        (["2026-03-01T00:00:00Z,5", "2026-03-01T00:30:00Z"], ["row 3", "2026-03-01T00:30:00Z"]),
    ],
)
def test_a_broken_row_is_named(rows: list[str], words: list[str], tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text("\n".join(["timestamp,requests", *rows]))
    path = scenario_file(tmp_path, load={"kind": "csv", "path": "load.csv"})
    check_refused(run("plan", path), "load.csv", *words)


@pytest.mark.parametrize("target", ["/proc/nowhere/stack", "/dev/null/stack", "scenario.yaml"])
def test_a_folder_that_cannot_be_written(target: str, tmp_path: Path) -> None:
    check_refused(run("plan", scenario_file(tmp_path), "--export", target, cwd=tmp_path), target)
    assert [p.name for p in tmp_path.iterdir()] == ["scenario.yaml"]


@pytest.mark.parametrize("text", ["region: [", "- 1", "", "\x00", "&a [*a]"])
def test_what_is_no_scenario_at_all(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    check_refused(run("plan", path), "scenario.yaml")


def test_estimating_one_plan_imports_neither_numba_nor_pandas() -> None:
    code = (
        "import sys; from estimator.cli import app; sys.argv = ['estimator', 'estimate', sys.argv[1]]\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numba', 'pandas', 'streamlit', 'plotly', 'boto3', 'httpx', 'msgspec'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(ARTICLE)], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_first_compilation_is_announced_and_cached(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    path = scenario_file(tmp_path)
    first, second = run("plan", path, env=env), run("plan", path, env=env)
    assert "Compiling the simulation" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout


def test_without_a_writable_cache_it_compiles_for_the_run(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    result = run("plan", scenario_file(tmp_path), env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert result.returncode == 0, result.stderr
    assert "no cache folder can be written" in result.stderr


def test_an_estimate_is_exported_as_a_plan_is(tmp_path: Path) -> None:
    """The service as it is written, sized and folder alike; edited files are kept unless forced."""
    path = scenario_file(tmp_path, service={"cpu_units": 512, "memory_mib": 2048, "min_capacity": 3, "max_capacity": 7})
    folder = tmp_path / "stack"
    result = run("estimate", path, "--export", folder)
    assert result.returncode == 0, result.stderr
    assert f"The stack is in {folder}" in result.stdout
    config = json.loads((folder / "stack_config.json").read_text())
    assert (config["task"]["cpu_units"], config["task"]["memory_mib"]) == (512, 2048)
    assert (config["service"]["min_capacity"], config["service"]["max_capacity"]) == (3, 7)
    (folder / "app.py").write_text("mine")
    check_refused(run("estimate", path, "--export", folder), "app.py", "--force")
    assert run("estimate", path, "--export", folder, "--force", "--json").returncode == 0
    assert (folder / "app.py").read_text() != "mine"


def test_a_plan_says_that_the_service_takes_no_part(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service={"cpu_units": 512, "memory_mib": 2048})
    assert f"`estimator estimate {path}` prices that one" in run("plan", path).stdout
    assert "prices that one" not in run("plan", scenario_file(tmp_path)).stdout
