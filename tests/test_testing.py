"""assert_plan: a plan for a test that passes, and an AssertionError that says what is broken where it does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.testing import assert_plan
from tests.test_cli import scenario_file

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
SERVICE = {"cpu_units": 256, "memory_mib": 512, "min_capacity": 2, "max_capacity": 2}


def file_of(folder: Path, name: str, **changes: object) -> Path:
    """A scenario of its own name: `scenario_file` writes the same one each time."""
    return scenario_file(folder, **({"region": "us-east-1", "service": SERVICE} | changes)).rename(folder / name)


def test_a_kept_limit_gives_the_plan(tmp_path: Path) -> None:
    path = file_of(tmp_path, "shop.yaml")
    usd = Scenario.from_file(path).estimate().cost.total_usd
    found = assert_plan(str(path), budget_usd=usd, max_refused_percent=0, max_minutes_over_promise=0)
    assert found.cost.total_usd == usd
    assert found.spec.min_capacity == 2


def test_a_broken_limit_is_a_table_with_what_to_do(tmp_path: Path) -> None:
    path = file_of(tmp_path, "shop.yaml")
    with pytest.raises(AssertionError) as broken:
        assert_plan(path, budget_usd=5, p95_latency_ms=1, max_minutes_over_capacity=7)
    lines = str(broken.value).splitlines()
    assert re.search(r"shop\.yaml: \d of \d limits hold, 2 broken: \$\d+\.\d\d a month$", lines[0])
    assert lines[1].split() == ["Limit", "Allowed", "Actual", "Unit", "State"]
    assert [line.split()[0] for line in lines if line.endswith("BROKEN")] == ["Bill", "p95"]
    assert "Minutes over capacity" not in str(broken.value)
    assert "Bill: Raise the budget, or let `estimator plan` look for a cheaper service." in lines


def test_limits_of_a_base_and_of_a_search(tmp_path: Path) -> None:
    base = file_of(tmp_path, "base.yaml")
    more = file_of(tmp_path, "more.yaml", service=SERVICE | {"min_capacity": 4, "max_capacity": 4})
    assert_plan(base, against=more, max_increase_usd=0)
    with pytest.raises(AssertionError, match="Increase of the bill"):
        assert_plan(more, against=base, max_increase_percent=1)
    with pytest.raises(InvalidScenario, match="give `against`"):
        assert_plan(more, max_increase_usd=1)
    found = assert_plan(base, search=True, p95_latency_ms=200)
    assert found.considered > 1
    assert found.figures["p95_latency_ms"] <= 200
    with pytest.raises(AssertionError, match=r"base\.yaml: None of .* candidates keeps the promise"):
        assert_plan(base, search=True, p95_latency_ms=0.5)


def test_a_wrong_limit_or_file_is_no_broken_one(tmp_path: Path) -> None:
    path = file_of(tmp_path, "shop.yaml")
    with pytest.raises(InvalidScenario, match="budget_usd is -1"):
        assert_plan(path, budget_usd=-1)
    with pytest.raises(InvalidScenario, match=r"missing\.yaml cannot be read"):
        assert_plan(tmp_path / "missing.yaml")
    with pytest.raises(InvalidScenario, match="no `service` section"):
        assert_plan(file_of(tmp_path, "bare.yaml", service=None), search=False)


def test_what_is_unknown_fails_too(tmp_path: Path) -> None:
    # Nothing says when your own rates are of; one of AWS's that is seen on no day may be of any age.
    with pytest.raises(AssertionError, match="Age of the oldest rate"):
        assert_plan(file_of(tmp_path, "shop.yaml"), max_stale_days=0)


def run_pytest(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_bill.py").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
    ]
    return subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )  # fmt: skip


def test_the_test_file_of_the_page_passes_and_fails_under_pytest(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    path = file_of(tmp_path, "shop.yaml")
    values = yaml.safe_load(path.read_text())
    usd = Scenario.from_file(path).estimate().cost.total_usd
    fine = example.replace("budget_usd=500", f"budget_usd={usd + 1:.0f}")
    assert fine != example
    done = run_pytest(tmp_path, fine)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    path.write_text(yaml.safe_dump(values | {"service": SERVICE | {"min_capacity": 8, "max_capacity": 8}}))
    failed = run_pytest(tmp_path, fine)
    assert failed.returncode == 1
    assert re.search(r"AssertionError: .*shop\.yaml: \d of \d limits hold, 1 broken", failed.stdout)
    assert re.search(r"E +Bill +at most [\d.,]+ +[\d.,]+ +USD/month +BROKEN", failed.stdout)
    assert "Raise the budget" in failed.stdout


def test_it_knows_no_test_runner() -> None:
    code = "import sys, estimator.testing; print(sorted({'pytest', 'unittest', 'numpy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
