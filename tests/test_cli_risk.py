"""Plans under uncertainty on the command line."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from estimator.report.uncertainty_table import short_title
from estimator.risk import assess_risk
from estimator.scenario import Scenario
from tests.test_cli import check_refused, scenario_file

SERVICE = {"cpu_units": 1024, "memory_mib": 2048, "min_capacity": 2, "max_capacity": 12}
UNSURE = {
    "load": {"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 10, "scale": {"low": 0.7, "likely": 1, "high": 1.6}},
    "request": {"cpu_ms_per_request": {"low": 20, "likely": 30, "high": 60}},
    "search": {"cpu_architectures": ["X86_64"], "target_values": [60.0], "min_capacities": [2, 4], "max_capacity": 12},
}  # fmt: skip


def unsure(folder: Path, **more: object) -> Path:
    return scenario_file(folder, region="us-east-1", **({"service": SERVICE} | UNSURE | more))


def test_what_it_may_cost_which_plan_and_what_to_measure(call, tmp_path: Path) -> None:
    path = unsure(tmp_path)
    result = call("risk", path, "--budget", 230, "--draws", 20, "--no-model-uncertainty")
    assert result.returncode == 0
    found = assess_risk(Scenario.from_file(path), n_draws=20, budget_usd=230, model_uncertainty=False)
    assert found.measure_next in result.stdout
    assert f"What {len(found.plans)} plans may come to in 20 draws" in result.stdout
    for head in ("P5 USD/month", "P50", "P95", "Over $230", "Promise broken", "Regret, mean", "Another plan"):
        assert head in result.stdout
    for plan in found.plans:
        assert short_title(plan.title, found) in result.stdout
        assert f"{plan.usd[2].value:,.2f}" in result.stdout
    assert "request.cpu_ms_per_request" in result.stdout
    assert "|" in result.stdout
    assert "with no upper bound: take more draws" in result.stdout
    assert "a minute over it weighs $0.10 in the regret" in result.stdout


def test_json_markdown_and_files(call, tmp_path: Path) -> None:
    path = unsure(tmp_path)
    how = ("--no-search", "--draws", 12, "--seed", 5, "--minute", 2)
    page, values, rows = (tmp_path / name for name in ("risk.md", "risk.json", "draws.csv"))
    printed = call("risk", path, *how, "--json", "--output", page, "--output", values, "--output", rows)
    assert printed.returncode == 0
    document = json.loads(printed.stdout)
    assert document == json.loads(values.read_text())
    assert (document["draws"], document["seed"], document["usd_per_minute_over_promise"]) == (12, 5, 2)
    assert document["intervals"]["load.scale"] == {"low": 0.7, "likely": 1, "high": 1.6}
    assert len(document["model_parameters"]) > 30
    (plan,) = document["plans"]
    assert plan["title"] == document["least_regret"] == "today"
    assert plan["usd_per_month"]["p5"]["value"] <= plan["usd_per_month"]["p50"]["value"]
    assert plan["usd_per_month"]["p95"]["high"] is None
    assert plan["chance_over_budget"] is None
    assert plan["usd_per_month_at_likely_values"] == pytest.approx(Scenario.from_file(path).estimate().cost.total_usd)
    assert call("risk", path, *how, "--markdown").stdout == page.read_text()
    assert page.read_text().startswith("# web: what it may cost\n\nMeasure ")
    drawn = list(csv.DictReader(rows.read_text().splitlines()))
    bills = sorted(float(row["today: usd_per_month"]) for row in drawn)
    assert len(bills) == 12
    assert bills[5] == pytest.approx(plan["usd_per_month"]["p50"]["value"])
    assert {row["today: keeps_promise"] for row in drawn} <= {"true", "false"}
    assert "Wrote" in printed.stderr
    check_refused(call("risk", path, *how, "--output", page), "exists already", "--force")
    assert call("risk", path, *how, "--output", page, "--force").returncode == 0


def test_what_is_refused(call, tmp_path: Path) -> None:
    path = unsure(tmp_path)
    check_refused(call("risk", path, "--json", "--markdown"), "choose one")
    check_refused(call("risk", path, "--output", tmp_path / "a.html"), "'.html'", ".md, .json, .csv")
    check_refused(call("risk", path, "--draws", 0), "draws is 0")
    check_refused(call("risk", path, "--seed", -1, "--no-search"), "seed is -1")
    check_refused(call("risk", path, "--budget", -5), "budget_usd is -5")
    check_refused(call("risk", path, "--minute", -5), "usd_per_minute_over_promise is -5")
    bad = unsure(tmp_path, request={"cpu_ms_per_request": {"low": 0, "likely": 30, "high": 60}})
    check_refused(call("risk", bad), "request.cpu_ms_per_request may be as low as 0", "more than 0")
    none = scenario_file(tmp_path, region="us-east-1", service=None)
    check_refused(call("risk", none, "--no-search"), "no `service` section")


def test_a_scenario_without_intervals_is_told_how_to_write_one(call, tmp_path: Path) -> None:
    shown = call(
        "risk", scenario_file(tmp_path, region="us-east-1", service=SERVICE), "--no-search", "--draws", 5
    ).stdout
    assert "No number of the scenario is an interval: write one as {low: 30, likely: 40, high: 70}" in shown


def test_all_other_commands_take_the_likely_values(call, tmp_path: Path) -> None:
    path = unsure(tmp_path)
    usual = Scenario.from_file(path).likely()
    other = tmp_path / "likely.yaml"
    other.write_text(usual.to_yaml())
    one, two = (json.loads(call("estimate", each, "--json").stdout) for each in (path, other))
    assert one["cost"] == two["cost"]
    assert one["figures"] == two["figures"]
    schema = json.loads(call("schema").stdout)
    jsonschema.validate(Scenario.from_file(path).to_dict(), schema)


def test_the_help_has_an_example(call) -> None:
    said = " ".join(call("risk", "--help").stdout.split())
    assert "Example: estimator risk shop.yaml --budget 500" in said
    assert "{low: 30, likely: 40, high: 70}" in said
