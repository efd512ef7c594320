"""The command `breakdown`: by month, fixed and variable, and what leads the capacity units."""

import json
from pathlib import Path

import pandas as pd
import pytest

from estimator.planning.horizon import Horizon, bill_by_month
from estimator.scenario import Scenario
from tests.test_cli import check_refused, scenario_file

SERVICE = {"cpu_units": 256, "memory_mib": 512}


def test_all_parts_are_printed(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    shown = call("breakdown", path, "--months", 3, "--growth", 10, "--users", 1000).stdout
    plan = Scenario.from_file(path).estimate()
    assert "3 months with a load that grows by 10 % a month" in shown
    assert "USD/user" in shown
    assert "The service keeps its promise in all 3 months." in shown
    assert f"{plan.cost.total_usd:,.2f}" in shown
    assert "What is fixed and what follows traffic, in the first month\n" in shown
    assert "Load balancer capacity units of the first month\n" in shown
    assert "What would lower the capacity units, each alone, in the first month\n" in shown
    assert "A user costs $" in shown
    assert "Processed bytes lead in 730 hours of the month." in shown
    assert "Not included:" in shown


def test_json_says_the_same_as_python(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    values = json.loads(call("breakdown", path, "--months", 4, "--growth", -20, "--json").stdout)
    document = Scenario.from_file(path)
    rates = document.rates()
    found = bill_by_month(document.estimate(rates), rates, Horizon(4, -20))
    assert values["by_month"] == json.loads(json.dumps(found.to_dict()))
    assert values["fixed_and_variable"]["total_usd_per_month"] == found.months[0].cost.total_usd
    assert values["capacity_units"]["leading"] == "processed bytes"


def test_months_and_charges_are_written_as_csv(call, tmp_path: Path) -> None:
    path, target = scenario_file(tmp_path, service=SERVICE), tmp_path / "months.csv"
    result = call("breakdown", path, "--months", 5, "--growth", 50, "--csv", target)
    assert f"Wrote {target}." in result.stderr
    frame = pd.read_csv(target, index_col="month")
    document = Scenario.from_file(path)
    rates = document.rates()
    found = bill_by_month(document.estimate(rates), rates, Horizon(5, 50))
    assert list(frame.columns[:3]) == ["total_usd", "requests", "users"]
    pd.testing.assert_frame_equal(frame[frame.columns[3:]], found.to_frame(), rtol=1e-11)
    assert list(frame["total_usd"]) == pytest.approx([month.cost.total_usd for month in found.months], rel=1e-11)
    # 20 requests/s in a month of 730 hours, and half as many more in each month after it.
    assert list(frame["requests"]) == pytest.approx([20 * 3600 * 730 * 1.5**month for month in range(5)], rel=1e-11)
    assert frame["users"].isna().all()
    check_refused(call("breakdown", path, "--csv", target), "months.csv exists already", "--force")
    assert call("breakdown", path, "--csv", target, "--force").returncode == 0


def test_without_a_service_the_plan_is_taken_apart(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path)
    values = json.loads(call("breakdown", path, "--json").stdout)
    assert values["service"] == Scenario.from_file(path).plan().spec.describe()
    assert len(values["by_month"]["months"]) == 12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--months", 0), "--months is 0; it must be a whole number from 1 to 60"),
        (("--growth", 200), "--growth is 200; it must be a number from -50 to 100"),
        (("--users", -3), "--users is -3; it must be a number of more than 0"),
    ],
)
def test_an_option_out_of_bounds(call, tmp_path: Path, options: tuple[object, ...], words: str) -> None:
    check_refused(call("breakdown", scenario_file(tmp_path, service=SERVICE), *options), words)


def test_users_grow_with_the_load_also_in_the_csv(call, tmp_path: Path) -> None:
    path, target = scenario_file(tmp_path, service=SERVICE), tmp_path / "months.csv"
    call("breakdown", path, "--months", 3, "--growth", 10, "--users", 1000, "--csv", target)
    assert list(pd.read_csv(target)["users"]) == pytest.approx([1000, 1100, 1210])
    assert "they grow with the load" in " ".join(call("breakdown", "--help").stdout.split())


def test_without_growth_all_months_are_alike(call, tmp_path: Path) -> None:
    shown = call("breakdown", scenario_file(tmp_path, service=SERVICE), "--months", 3).stdout
    assert "What is fixed and what follows traffic\n" in shown
    assert "in the first month" not in shown


def test_help_has_an_example(call) -> None:
    assert "Example: estimator breakdown shop.yaml" in call("breakdown", "--help").stdout
