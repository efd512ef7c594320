"""What the documents tell a reader to type works, and what they show is so."""

import re
import shlex
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DEPLOYMENT_STRATEGIES, DeploymentConfiguration
from estimator.service.operations import Operations, SpotShortage
from estimator.service.policies import (
    ALARM_METRICS,
    FORECAST_METRICS,
    POLICIES,
    PREDEFINED_METRICS,
    PredictiveScalingPolicy,
    ScheduledAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.scaling import ADJUSTMENT_TYPES
from estimator.service_sections import Service

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_of_the_readme_runs(code: str, tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "infra" / "app.py").is_file()


def test_the_two_commands_are_there() -> None:
    first, second = (line for line in blocks("sh")[0].splitlines() if line and not line.startswith("#"))
    assert first.startswith("python3 -m venv .venv")
    assert "estimator plan examples/" in first
    assert "--export" in first
    assert second == "sh .ci/test"


def test_every_command_that_the_readme_names_has_help() -> None:
    named = set(re.findall(r"estimator ([a-z]+)", " ".join(blocks("sh") + re.findall(r"`([^`\n]+)`", README))))
    assert {"plan", "estimate", "init", "schema", "prices", "ui"} <= named
    for command in named:
        subprocess.run(
            [sys.executable, "-m", "estimator", *shlex.split(command), "--help"], check=True, capture_output=True
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_paths_that_the_readme_names_exist() -> None:
    for path in re.findall(
        r"`((?:estimator|pricing_cache|notebooks|tests|examples|docs|benchmarks)/[\w./-]*)`", README
    ):
        assert (ROOT / path).exists(), path


# The page of the section `service`.

SCALING = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
SCALING_EXAMPLES = re.findall(r"```yaml\n(.*?)```", SCALING, flags=re.DOTALL)
#: What an example stands in that is not a whole scenario itself.
AROUND: dict[str, Any] = {
    "region": "eu-west-1",
    "load": {"kind": "daily", "peak_requests_per_s": 100, "trough_requests_per_s": 20},
    "request": {"cpu_ms_per_request": 20},
    "service": {"cpu_units": 1024, "memory_mib": 2048},
}
#: What each heading is about, and which field of the scenario holds it.
DESCRIBED: dict[str, list[tuple[type, str]]] = {
    "## The short form": [(Service, "service")],
    "### Target tracking": [(TargetTrackingScalingPolicy, "TargetTrackingScaling")],
    "### Step scaling": [(StepScalingPolicy, "StepScaling"), (StepAdjustment, "step_adjustments")],
    "### Predictive scaling": [(PredictiveScalingPolicy, "PredictiveScaling")],
    "## Scheduled actions": [(ScheduledAction, "scheduled_actions")],
    "## Capacity providers": [(CapacityProviderStrategy, "capacity_provider_strategy")],
    "## Deployments": [(DeploymentConfiguration, "deployment")],
    "## Operations": [(Operations, "operations"), (SpotShortage, "spot_shortages")],
}


def defaults_of(record: type) -> dict[str, Any]:
    if issubclass(record, Service):
        return {name: ... if item.is_required() else item.default for name, item in record.model_fields.items()}
    return {item.name: ... if item.default is MISSING else item.default for item in fields(record)}


def rows_of(heading: str) -> dict[str, list[str]]:
    """Cells of a heading's tables of fields, by field."""
    assert f"\n{heading}\n" in SCALING
    text = re.split(r"\n##", SCALING.partition(f"\n{heading}\n")[2])[0]
    found: dict[str, list[str]] = {}
    for table in re.findall(r"\| Field \|.*?\n\| ---.*?\n((?:\|.*\n)+)", text):
        for row in table.splitlines():
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            names = re.findall("`([a-z_]+)`", cells[0])
            parts = [cell.split(", ") if len(names) > 1 and ", " in cell else None for cell in cells]
            for place, name in enumerate(names):
                assert name not in found, f"{name} stands twice under {heading}"
                own = [
                    cell if part is None or len(part) != len(names) else part[place]
                    for cell, part in zip(cells, parts, strict=True)
                ]
                found[name] = own
    return found


def written_as(default: object) -> str:
    """What the page says of a default."""
    if default is ...:
        return "must be given"
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if default == ():
        return "none"
    return f"`{default}`" if isinstance(default, str) and default != "UTC" else str(default)


@pytest.mark.parametrize("heading", DESCRIBED)
def test_the_page_on_scaling_has_every_field_with_its_default(heading: str) -> None:
    rows = rows_of(heading)
    known = {name: default for record, _ in DESCRIBED[heading] for name, default in defaults_of(record).items()}
    assert set(rows) == set(known)
    for name, default in known.items():
        cell = rows[name][-2]
        if name == "deployment":
            assert cell == "rolling"
            assert default == DeploymentConfiguration("ROLLING")
        elif name == "step_adjustments":
            assert cell == "one task from the threshold on"
            assert default == (StepAdjustment(1, 0.0),)
        else:
            assert cell.partition(":")[0] == written_as(default), name


def scenario_with(place: str, values: dict[str, Any]) -> Scenario:
    """A scenario with these fields in one of its sections."""
    service: dict[str, Any] = dict(AROUND["service"])
    more: dict[str, Any] = {}
    if place == "service":
        service |= {"min_capacity": 1, "max_capacity": 5000} | values
    elif place == "step_adjustments":
        step = {"scaling_adjustment": 1, "metric_interval_lower_bound": 0} | values
        service["scaling"] = [{"policy_type": "StepScaling", "step_adjustments": [step]}]
    elif place in POLICIES:
        least = {
            "TargetTrackingScaling": {},
            "StepScaling": {"datapoints_to_alarm": 1},
            "PredictiveScaling": {"max_capacity_breach_behavior": "IncreaseMaxCapacity"},
        }
        service["scaling"] = [{"policy_type": place} | least[place] | values]
    elif place == "scheduled_actions":
        service["scheduled_actions"] = [{"schedule": "rate(1 day)"} | values]
    elif place == "capacity_provider_strategy":
        service[place] = {"fargate_weight": 1, "fargate_spot_weight": 1} | values
    else:
        service[place] = values
    return Scenario.from_dict(AROUND | {"service": service} | more)


RANGES = [
    (place, name, int(bounds[1]), int(bounds[2]))
    for heading, records in DESCRIBED.items()
    for record, place in records
    for name, cells in rows_of(heading).items()
    if name in defaults_of(record)
    and name != "step_adjustments"
    and (bounds := re.match(r"(-?[0-9]+) to ([0-9]+)", cells[-1]))
]


def test_most_numbers_have_a_range() -> None:
    assert len(RANGES) >= 25


@pytest.mark.parametrize(("place", "name", "low", "high"), RANGES)
def test_the_ranges_of_the_page_on_scaling_are_those_that_are_allowed(
    place: str, name: str, low: int, high: int
) -> None:
    for value in (low, high):
        scenario_with(place, {name: value})
    for value in (low - 1, high + 1):
        with pytest.raises(InvalidScenario, match=rf"\.{name} is {value}"):
            scenario_with(place, {name: value})


def test_the_page_on_scaling_has_every_name_of_aws() -> None:
    for name in (*POLICIES, *PREDEFINED_METRICS, *ALARM_METRICS, *FORECAST_METRICS, *ADJUSTMENT_TYPES):
        assert re.search(rf"\b{name}\b", SCALING), name
    for strategy in DEPLOYMENT_STRATEGIES:
        assert f"`{strategy}`" in SCALING


@pytest.mark.parametrize("example", SCALING_EXAMPLES)
def test_the_examples_of_the_page_on_scaling_run(example: str) -> None:
    values = yaml.safe_load(example)
    # Whoever copies a snippet copies fields that count: each stands in the scenario that comes of it.
    scenario = Scenario.from_text(yaml.safe_dump(AROUND | values))
    found = scenario.estimate()
    assert found.cost.total_usd > 0
    assert found.spec == scenario.spec()
    for name, value in values.get("service", {}).items():
        assert name in scenario.to_dict()["service"], name
        assert value is not None


def test_the_examples_of_the_page_on_scaling_have_every_field() -> None:
    def keys(values: object) -> set[str]:
        if isinstance(values, dict):
            return set(values) | {key for value in values.values() for key in keys(value)}
        return {key for value in values for key in keys(value)} if isinstance(values, list) else set()

    used = {key for example in SCALING_EXAMPLES for key in keys(yaml.safe_load(example))}
    known = {name for records in DESCRIBED.values() for record, _ in records for name in defaults_of(record)}
    short = {"cpu_architecture", "capacity_provider"}
    assert known - used == short


def test_what_the_page_on_scaling_says_of_the_period() -> None:
    lost = yaml.safe_load(SCALING_EXAMPLES[-1])
    once = Scenario.from_dict(AROUND | lost)
    daily = Scenario.from_dict(AROUND | lost | {"load": AROUND["load"], "operations": {"zone_losses_h": [14]}})
    shares = [run.estimate().simulation.running_task_hours[0] for run in (once, daily)]
    assert shares[0] > 0
    # In a load of a day the same loss comes thirty times in as many days.
    without = [
        Scenario.from_dict(AROUND | lost | {"load": run.load.model_dump(), "operations": {}}) for run in (once, daily)
    ]
    gone = [run.estimate().simulation.running_task_hours[0] - share for run, share in zip(without, shares, strict=True)]
    assert gone[1] == pytest.approx(gone[0], rel=0.5)
