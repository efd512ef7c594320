"""Ways to pay and known usage on the command line, and Savings Plans in a scenario."""

import csv
import json
from pathlib import Path

import pytest

from estimator.scenario import Scenario, scenario_schema
from tests.test_cli import check_refused, scenario_file

SERVICE = {"cpu_units": 1024, "memory_mib": 2048, "min_capacity": 4, "max_capacity": 4}
ONE_YEAR = {"term": "1yr", "payment_option": "No Upfront"}


def test_ways_to_pay(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, region="us-east-1", service=SERVICE)
    shown = call("purchases", path).stdout
    assert "Ways to pay for it" in shown
    assert "\nCompute Savings Plan, 1 year, No Upfront" in shown
    # Both terms lack the same options: they are said once, with what to do, and not by the names of prices.
    assert "No rate is known for Partial Upfront and All Upfront of 1 year and 3 years in us-east-1:" in shown
    for way_out in ("`prices.overrides`", "`estimator prices refresh --region us-east-1`"):
        assert way_out in shown
    assert "sp_compute_" not in shown
    # Four tasks always, and all of them below the base.
    assert "Half and all on Spot above 4, the service's minimum, are left out" in shown
    assert "\nhalf on Spot" not in shown
    for head in ("Utilization", "Break-even", "USD upfront"):
        assert head in shown.splitlines()[4]
    values = json.loads(call("purchases", path, "--json").stdout)
    on_demand = next(way for way in values["purchases"] if way["title"] == "On-Demand")
    assert on_demand["usd_per_month"] == pytest.approx(Scenario.from_file(path).estimate().cost.total_usd)
    saved = next(way for way in values["purchases"] if way["title"] == "Compute Savings Plan, 1 year, No Upfront")
    plan = saved["savings_plan"]
    assert plan["on_demand_usd_per_month"] - plan["committed_usd_per_month"] == pytest.approx(
        on_demand["usd_per_month"] - saved["usd_per_month"]
    )


def test_a_scenario_with_savings_plans(call, tmp_path: Path) -> None:
    mine = ONE_YEAR | {"commitment_usd_per_h": 0.05, "existing": True}
    path = scenario_file(tmp_path, region="us-east-1", service=SERVICE, savings_plans=[mine, ONE_YEAR])
    scenario = Scenario.from_file(path)
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    assert Scenario.from_text(scenario.to_yaml()) == scenario
    shown = call("estimate", path).stdout
    assert "Fargate vCPU, Linux x86, Savings Plan" in shown
    assert "0.05 USD an hour, utilization 100 %" in shown
    assert "Savings Plans" not in shown.partition("Not included:")[2].partition("\n")[0]
    explained = call("estimate", path, "--explain", "fargate_linux_x86_vcpu_hour:savings_plan_1").stdout
    assert "On-Demand it would be" in explained
    focus = tmp_path / "bill.csv"
    call("estimate", path, "--focus", focus)
    rows = list(csv.DictReader(focus.read_text().splitlines()))
    assert [row["CommitmentDiscountId"] for row in rows if row["ChargeCategory"] == "Purchase"] == [
        "savings-plan-1",
        "savings-plan-2",
    ]


def test_the_schema_says_what_a_savings_plan_is() -> None:
    plan = scenario_schema()["$defs"]["SavingsPlan"]
    assert plan["description"].startswith("A Compute Savings Plan")
    assert "null for the one that costs least" in plan["properties"]["commitment_usd_per_h"]["description"]


@pytest.mark.parametrize(
    ("plans", "words"),
    [
        ([{"term": "5yr"}], ("savings_plans", "'5yr'", "1yr, 3yr")),
        ([{"payment": "none"}], ("savings_plans", "payment")),
        ([{"commitment_usd_per_h": -1}], ("commitment_usd_per_h is -1",)),
        ([{"existing": "perhaps"}], ("existing", "perhaps", "true or false")),
        ([ONE_YEAR, ONE_YEAR], ("the one to be found must be the last",)),
        ({"term": "1yr"}, ("savings_plans",)),
    ],
)
def test_savings_plans_that_are_none(call, tmp_path: Path, plans: object, words: tuple[str, ...]) -> None:
    path = scenario_file(tmp_path, region="us-east-1", service=SERVICE, savings_plans=plans)
    check_refused(call("estimate", path), "scenario.yaml", *words)


def test_a_plan_whose_rates_are_not_known(call, tmp_path: Path) -> None:
    unknown = {"term": "3yr", "payment_option": "Partial Upfront"}
    path = scenario_file(tmp_path, service=SERVICE, savings_plans=[unknown])
    shown = call("estimate", path).stdout
    assert "Note: Compute Savings Plan, 3 years, Partial Upfront: it is left out, and the bill is without it." in shown
    assert "No rate is known for sp_compute_3yr_partialupfront" in shown
    mine = unknown | {"commitment_usd_per_h": 0.1, "existing": True}
    path = scenario_file(tmp_path, service=SERVICE, savings_plans=[mine])
    values = json.loads(call("estimate", path, "--json").stdout)["cost"]
    lines = {line["charge"]: line["effective_cost"] for line in values["lines"]}
    assert lines["savings_plan_commitment:1"] == pytest.approx(73)
    assert lines["fargate_linux_x86_vcpu_hour"] is None
    assert values["is_lower_bound"]
    focus = tmp_path / "unknown.csv"
    assert call("estimate", path, "--focus", focus).returncode == 0


def test_a_plan_is_found_though_the_rates_of_its_savings_plan_are_not_known(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, savings_plans=[{"term": "1yr", "payment_option": "All Upfront"}])
    result = call("plan", path)
    assert result.returncode == 0
    assert "it is left out, and the bill is without it" in result.stdout


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-south-1"])
def test_our_own_focus_file_is_recognized_line_by_line(call, tmp_path: Path, region: str) -> None:
    plans = [ONE_YEAR] if region == "us-east-1" else []
    path = scenario_file(tmp_path, region=region, service=SERVICE, savings_plans=plans)
    focus = tmp_path / "bill.csv"
    call("estimate", path, "--focus", focus)
    # The purchase and the unused part of a commitment are no usage.
    verdicts = json.loads(call("invoice", focus, "--json").stdout)["verdicts"]
    assert verdicts.get("not ours", 0) <= 2 * len(plans)
    assert not {"differs", "unknown", "older"} & set(verdicts)
    # AWS's own columns are not in every file: then the SKU says what a line is.
    rows = list(csv.reader(focus.read_text().splitlines()))
    kept = [place for place, head in enumerate(rows[0]) if not head.startswith("x_")]
    bare = tmp_path / "bare.csv"
    with bare.open("w", newline="") as file:
        csv.writer(file).writerows([row[place] for place in kept] for row in rows)
    fargate = [row for row in rows if "vCPU" in str(row) and "Savings" not in str(row)]
    totals = json.loads(call("invoice", bare, "--json").stdout)["totals"]
    found = [total["lines"] for total in totals if total["price"] == "fargate_linux_x86_vcpu_hour"]
    assert sum(found) >= len(fargate) > 0


def test_known_usage_is_priced_without_a_scenario(call) -> None:
    shown = call("usage", "us-east-1", "fargate_linux_x86_vcpu_hour=730", "alb_hour=730", "secret_month=2").stdout
    assert f"{730 * 0.04048:,.2f}" in shown
    assert f"{730 * 0.0225:,.2f}" in shown
    assert f"{730 * (0.04048 + 0.0225) + 0.8:,.2f}" in shown
    values = json.loads(call("usage", "us-east-1", "nat_gateway_gb=1_000", "--json").stdout)
    assert values["total_usd_per_month"] == pytest.approx(45)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["us-east-1", "nat_gatway_gb=5"], "Did you mean nat_gateway_gb?"),
        (["us-east-1", "nat_gateway_gb"], "'nat_gateway_gb' is no quantity"),
        (["us-east-1", "nat_gateway_gb"], "`estimator charges` and `estimator prices show` list the names"),
        (["us-east-1", "nat_gateway_gb=many"], "'nat_gateway_gb=many' is no quantity"),
        (["us-east-1", "nat_gateway_gb=1", "nat_gateway_gb=2"], "nat_gateway_gb stands twice"),
        (["us-east-1", "nat_gateway_gb=-1"], "is -1"),
        (["us-est-1", "nat_gateway_gb=1"], "us-est-1"),
        (["us-east-1", "nat_gateway_gb=1", "--as-of", "tomorrow"], "as_of is 'tomorrow'"),
    ],
)
def test_usage_that_is_none(call, words: list[str], said: str) -> None:
    check_refused(call("usage", *words), said)


def test_the_help_of_usage_says_where_names_are_listed(call) -> None:
    said = " ".join(call("usage", "--help").stdout.split())
    assert "`estimator charges` lists those of charges" in said
    assert "`estimator prices show --region REGION` those of prices" in said


def test_a_share_of_spot_above_the_base_is_explained(call, tmp_path: Path) -> None:
    load = {"kind": "daily", "peak_requests_per_s": 400, "trough_requests_per_s": 50}
    service = SERVICE | {"min_capacity": 2, "max_capacity": 8}
    shown = call("purchases", scenario_file(tmp_path, region="us-east-1", load=load, service=service)).stdout
    assert "half on Spot above 2" in shown
    assert '"above 2": the capacity provider strategy has a base of 2 tasks, which stay On-Demand.' in shown
    assert "left out" not in shown


def test_charges_as_json(call) -> None:
    values = json.loads(call("charges", "NAT gateway", "--json").stdout)
    assert [value["charge"] for value in values] == ["nat_gateway_hour", "nat_gateway_gb"]
    assert values[1]["unit"] == "GB"
    assert set(values[0]) == {"charge", "title", "unit", "quantity", "source"}
    assert len(json.loads(call("charges", "--json").stdout)) > 40
    assert call("charges", "nat_gateway_gb").stdout.startswith("1 charge\n")
    check_refused(call("charges", "--markdown", "--json"), "--markdown prints the whole table", "leave --json")
