"""The command `uncertain`: a scenario's service, and the page docs/uncertain.md, which is what the simulation says."""

import json
from pathlib import Path

import pytest

from estimator.commands.uncertain import REGENERATE, SAME
from estimator.planning import sensitivity
from estimator.planning.sensitivity import (
    MOVABLE,
    BehaviorEffect,
    ServiceFigures,
    behavior_effects,
    settings,
    shown_effects,
)
from estimator.scenario import Scenario
from estimator.service.uncertain import DOCUMENTED, NOT_YET, SETTLED
from tests.test_cli import check_refused, scenario_file

PAGE = Path(__file__).resolve().parents[1] / "docs" / "uncertain.md"
LOAD = {"kind": "daily", "peak_requests_per_s": 350, "trough_requests_per_s": 50}
SERVICE = {"cpu_units": 512, "memory_mib": 1024, "min_capacity": 2, "max_capacity": 60}


@pytest.fixture(scope="module")
def effects():
    """What the page shows; seconds of simulation."""
    return shown_effects()


@pytest.fixture
def examples(effects, monkeypatch):
    """Let the command show what was simulated once, anything else would be the same again."""
    monkeypatch.setattr(sensitivity, "shown_effects", lambda progress=None: effects)
    return effects


def shop(folder: Path, **changes: object) -> Path:
    return scenario_file(folder, **({"load": LOAD, "service": SERVICE} | changes))


def table_rows(markdown: str, first_head: str) -> dict[str, list[str]]:
    """Rows of the table whose first head this is, by their first cell."""
    lines = markdown.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first_head} | "))
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("| "):
            break
        cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
        found[cells[0].strip("`")] = cells
    return found


# A scenario's service.


def reads_otherwise(effect: BehaviorEffect) -> bool:
    def printed(figures: ServiceFigures) -> tuple[str, ...]:
        minutes = figures.minutes_over_capacity_per_month
        return (
            f"{figures.usd_per_month:.2f}",
            f"{figures.mean_tasks:.2f}",
            f"{minutes:.0f}" if minutes >= 9.95 else f"{minutes:.1f}",
            f"{figures.p95_latency_ms:.3g}",
            f"{100 * figures.refused_share:.3g}",
        )

    return bool(effect.broken) or printed(effect.before) != printed(effect.after)


def test_a_service_is_moved_by_each_parameter(call, tmp_path: Path) -> None:
    path = shop(tmp_path)
    result = call("uncertain", path)
    assert result.returncode == 0, result.stderr
    scenario = Scenario.from_file(path)
    found = behavior_effects(scenario.workload(), scenario.rates(), scenario.spec())
    lines = result.stdout.splitlines()
    assert lines[0] == f"What moving each uncertain parameter does to web: {scenario.spec().describe()}"
    # An effect below what is printed reads like none.
    as_it_is = scenario.estimate()
    shown = [effect for effect in found if reads_otherwise(effect)]
    assert 5 < len(shown) <= sum(effect.has_effect for effect in found)
    assert [line.split()[0] for line in lines[3 : 3 + len(shown)]] == [effect.name for effect in shown]
    for line, effect in zip(lines[3:], shown, strict=False):
        assert f"{effect.after.usd_per_month:,.2f}" in line
        assert f"{effect.difference_usd:+,.2f}" in line or abs(effect.difference_usd) < 0.005
    (last,) = (line for line in lines if line.startswith("As it is"))
    assert f"{as_it_is.cost.total_usd:,.2f}" in last
    rest = lines[-1].removeprefix("Without effect on this service: ").removesuffix(".").split(", ")
    assert {*rest, *(effect.name for effect in shown)} == set(MOVABLE)
    assert "spot_interruptions_per_task_hour" in rest


def test_the_scenario_counts_in_all_its_sections(call, tmp_path: Path) -> None:
    path = shop(
        tmp_path,
        hours_per_month=100,
        application={"image_mb": 300},
        behavior={"metric_lag_s": 60},
        operations={"zone_losses_h": [12]},
        promise={"max_minutes_over_capacity": None, "p95_latency_ms": 200},
    )
    result = call("uncertain", path, "--json")
    values = json.loads(result.stdout)
    scenario = Scenario.from_file(path)
    before = values["effects"][0]["before"]
    figures = scenario.estimate().figures
    assert before["usd_per_month"] == pytest.approx(figures["total_usd_per_month"])
    assert before["p95_latency_ms"] == pytest.approx(figures["p95_latency_ms"])
    assert (values["name"], values["region"], values["hours_per_month"]) == ("web", "eu-west-1", 100)
    assert values["service"] == scenario.spec().describe()
    moved = {(effect["parameter"], effect["value"]): effect for effect in values["effects"]}
    assert {value for name, value in moved if name == "metric_lag_s"} == {180, 240}
    assert moved["pull_mb_per_s", 7.0]["has_effect"]
    assert moved["zone_detection_s", 300]["has_effect"]
    # Requests that come in bursts wait longer than the promised 200 ms.
    assert before["p95_latency_ms"] < 200
    assert moved["arrival_cv", 2.0]["broken"][0].startswith("p95_latency_ms is ")
    assert moved["arrival_cv", 0.5]["broken"] == []


def test_a_service_as_markdown(call, tmp_path: Path) -> None:
    result = call("uncertain", shop(tmp_path), "--markdown")
    assert result.stdout.startswith("# What moving each uncertain parameter does to web: ")
    rows = [line for line in result.stdout.splitlines() if line.startswith("| ")]
    assert len({line.count(" | ") for line in rows}) == 1
    assert rows[0].startswith("| Parameter | Now | Moved to | Unit | USD/month | Tasks | ")
    assert rows[-1].startswith("| As it is | ")
    assert result.stdout.splitlines()[-1].startswith("Without effect on this service: ")


def test_an_unknown_rate_makes_the_bill_a_lower_bound(call, tmp_path: Path) -> None:
    # No price of Fargate Spot for ARM is known there.
    service = SERVICE | {"capacity_provider": "FARGATE_SPOT", "cpu_architecture": "ARM64"}
    result = call("uncertain", shop(tmp_path, region="eu-west-2", service=service))
    assert "USD/month, at least" in result.stdout


def test_without_a_service_one_is_asked_for(call, tmp_path: Path) -> None:
    result = call("uncertain", scenario_file(tmp_path))
    check_refused(result, "no `service` section", "Add one")


def test_one_form_at_a_time(call, tmp_path: Path) -> None:
    check_refused(call("uncertain", shop(tmp_path), "--json", "--markdown"), "--json and --markdown", "choose one")


def test_the_help_has_an_example(call) -> None:
    assert "Example: estimator uncertain shop.yaml" in call("uncertain", "--help").stdout


# The page.


def test_the_page_is_what_the_simulation_says(call, examples) -> None:
    result = call("uncertain", "--markdown")
    assert result.stdout == PAGE.read_text(encoding="utf-8"), f"make the page anew: {REGENERATE}"


def test_the_page_has_every_parameter_and_shows_its_effect() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = table_rows(text, "Parameter")
    assert list(rows) == list(MOVABLE)
    for name, row in MOVABLE.items():
        _, default, unit, moved, bill, minutes, p95, shown_with, section, source = rows[name]
        assert default == str(row.default).lower() or float(default) == row.default
        assert (unit, shown_with, section.strip("`")) == (row.unit, row.shows_with, row.section)
        assert row.source in source
        assert {bill, minutes, p95} != {SAME}, f"{name} shows nothing"
        # Each value has its figure.
        for cell in (bill, minutes.rpartition(" to ")[2], p95.rpartition(" to ")[2]):
            assert cell == SAME or cell.count(" / ") == moved.count(" / ")


def test_the_page_says_the_rest_too() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert list(table_rows(text, "Shown with")) == list(settings())
    for name in DOCUMENTED:
        assert f"\n| `{name}` | " in text
    for title in [*SETTLED, *(row.title for row in NOT_YET)]:
        assert f"\n- {title}. " in text
    assert REGENERATE in text


def test_the_figures_of_the_page_are_those_of_the_effects(examples) -> None:
    rows = table_rows(PAGE.read_text(encoding="utf-8"), "Parameter")
    (effect,) = examples["connection_count_factor"]
    percent = 100 * effect.difference_usd / effect.before.usd_per_month
    assert rows["connection_count_factor"][4:7] == [f"{percent:+.2f} %", SAME, SAME]
    slower, faster = examples["arrival_cv"][1].after, examples["arrival_cv"][0].after
    texts = [f"{figures.p95_latency_ms:.0f}" for figures in (examples["arrival_cv"][0].before, faster, slower)]
    assert rows["arrival_cv"][6] == f"{texts[0]} to {texts[1]} / {texts[2]}"


def test_the_examples_as_json(call, examples) -> None:
    values = json.loads(call("uncertain", "--json").stdout)
    assert [row["parameter"] for row in values["parameters"]] == list(MOVABLE)
    for row in values["parameters"]:
        assert [effect["value"] for effect in row["effects"]] == [e.value for e in examples[row["parameter"]]]
        assert any(effect["has_effect"] for effect in row["effects"])
        assert row["source"] == MOVABLE[row["parameter"]].source


def test_the_examples_as_a_table(call, examples) -> None:
    result = call("uncertain")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[3 : 3 + len(MOVABLE)]] == list(MOVABLE)
    assert lines[-1].startswith("`estimator uncertain --markdown` says where each default comes from")
