"""`estimator reprice`: what it prints and writes, two templates against each other, and what it refuses."""

import csv
import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from estimator.commands.reprice import reprice as command
from estimator.errors import EstimatorError, InvalidScenario
from estimator.report.terminal import _fitted_lines
from estimator.repricing import reprice
from estimator.repricing.answer import (
    compare_templates,
    compared_csv,
    compared_json,
    compared_markdown,
    facts_table,
    gaps_table,
)
from estimator.repricing.repricer import reprice_both
from estimator.repricing.template_documents import parse_template
from estimator.repricing.template_files import read_templates
from estimator.scenario import Scenario

TEMPLATES = Path(__file__).parent / "templates"
DOCUMENT = """
region: us-east-1
load: {kind: constant, requests_per_s: 5}
request: {cpu_ms_per_request: 12}
"""
app = typer.Typer()
app.command()(command)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT)
    return path


def run(*arguments: object) -> str:
    """The command in this process; what a user can mend is raised."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_says_what_was_understood_what_was_not_and_the_bill(scenario: Path) -> None:
    text = run(TEMPLATES / "private", "--scenario", scenario)
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert any(row.startswith("service.cpu_units 256 Task") for row in rows)
    assert any(row.startswith("network.nat_gateways 2 NatA, NatB") for row in rows)
    assert any(row.startswith("not priced Internal Another load balancer") for row in rows)
    total = reprice(TEMPLATES / "private", scenario).plan.cost.total_usd
    assert f"Total {total:,.2f}" in rows


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_narrow_terminal_cuts_nothing_without_a_word(width: int, scenario: Path) -> None:
    found = reprice(TEMPLATES / "private", scenario)
    for table in (facts_table(found), gaps_table(found)):
        lines = [line for line, _ in _fitted_lines(table, width)]
        assert max(map(len, lines)) <= width
        assert all(any(row[0].split(".")[0] in line for line in lines) for row in table.rows)


def test_files_hold_what_is_printed(scenario: Path, tmp_path: Path) -> None:
    given = (TEMPLATES / "private", "--scenario", scenario)
    for form, ending in (("markdown", ".md"), ("json", ".json")):
        printed = run(*given, "--format", form, "--output", tmp_path / f"bill{ending}")
        assert (tmp_path / f"bill{ending}").read_text() == printed
    values = json.loads((tmp_path / "bill.json").read_text())
    assert {"facts", "not_understood", "bill", "scenario", "service"} <= set(values)
    assert Scenario.from_dict(values["scenario"]).estimate().cost.total_usd == pytest.approx(
        values["bill"]["cost"]["total_usd_per_month"]
    )
    run(*given, "--output", tmp_path / "bill.csv")
    rows = list(csv.DictReader((tmp_path / "bill.csv").read_text().splitlines()))
    assert sum(float(row["effective_cost"]) for row in rows) == pytest.approx(
        values["bill"]["cost"]["total_usd_per_month"]
    )
    markdown = (tmp_path / "bill.md").read_text()
    assert "## What was understood" in markdown
    assert "| not priced | Internal |" in markdown
    assert run(*given, "--json") == (tmp_path / "bill.json").read_text()
    with pytest.raises(EstimatorError, match="choose one"):
        run(*given, "--json", "--format", "markdown")
    with pytest.raises(EstimatorError, match="exists already"):
        run(*given, "--output", tmp_path / "bill.md")
    with pytest.raises(EstimatorError, match=r"ends in one of \.md, \.json, \.csv"):
        run(*given, "--output", tmp_path / "bill.pdf")


def test_two_templates_under_the_same_load(scenario: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", TEMPLATES / "private"
    old.mkdir()
    for path in new.iterdir():
        text = path.read_text().replace("Type: Number, Default: 512", "Type: Number, Default: 1024")
        (old / path.name).write_text(text.replace("Type: Number, Default: 256", "Type: Number, Default: 512"))
    # A quarter of a vCPU and half a GB less for each of two tasks.
    saved = 2 * 730 * (0.25 * 0.04048 + 0.5 * 0.004445)
    found = compare_templates(*reprice_both(old, new, scenario))
    assert found.comparison.difference_usd == pytest.approx(-saved)
    assert [row[:3] for row in found.facts] == [
        ("service.cpu_units", "512", "256"),
        ("service.memory_mib", "1024", "512"),
    ]
    rows = list(csv.DictReader(compared_csv(found).splitlines()))
    assert sum(float(row["difference_usd"]) for row in rows) == pytest.approx(-saved)
    # The same values for both take the difference away.
    both = {"ContainerCpu": "512", "ContainerMemory": "1024"}
    assert compare_templates(*reprice_both(old, new, scenario, both)).comparison.difference_usd == 0
    given = (new, "--against", old, "--scenario", scenario)
    assert f"{new} costs ${saved:,.2f} a month less than {old}" in run(*given, "--output", tmp_path / "pull.md")
    assert (tmp_path / "pull.md").read_text() == compared_markdown(found)
    assert "## Facts that differ" in compared_markdown(found)
    assert json.loads(compared_json(found))["before"]["service"] == "Service"
    with pytest.raises(EstimatorError, match="the same file, so nothing differs"):
        run(new, "--against", new, "--scenario", scenario)


def test_an_exported_folder_keeps_its_scenario(scenario: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    (folder / "cdk.out").mkdir(parents=True)
    for path in (TEMPLATES / "article").iterdir():
        (folder / "cdk.out" / path.name).write_text(path.read_text())
    with pytest.raises(EstimatorError, match=r"no template says how many requests come\. Give one with --scenario"):
        run(folder)
    kept = Scenario.from_file(scenario).to_dict()
    (folder / "stack_config.json").write_text(json.dumps({"schema_version": 4, "scenario": kept}))
    expected = reprice(TEMPLATES / "article", scenario).plan.cost.total_usd
    template = next((folder / "cdk.out").glob("*.json"))
    assert "stack_config.json" in read_templates(template).scenario_from
    for place in (folder, folder / "cdk.out"):
        found = reprice(place)
        assert found.plan.cost.total_usd == expected
        assert "stack_config.json" in found.scenario_from
    assert "under the load of the scenario in" in run(folder)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--parameter", "Cpu"), "it must be NAME=VALUE"),
        (("--parameter", "Role=a", "--parameter", "Role=b"), "gives Role twice"),
        (("--parameter", "Roll=a"), "Did you mean Role"),
        (("--service", "Nope"), "no single service 'Nope'"),
    ],
)
def test_what_it_refuses(arguments: tuple[str, ...], expected: str, scenario: Path) -> None:
    with pytest.raises(EstimatorError, match=expected):
        run(TEMPLATES / "private", "--scenario", scenario, *arguments)


def test_a_value_that_the_template_does_not_allow(scenario: Path) -> None:
    with pytest.raises(EstimatorError, match="Firewall is 'perhaps'; its template allows true, false"):
        run(TEMPLATES / "isolated.yaml", "--scenario", scenario, "--parameter", "Firewall=perhaps")


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.chdir(root)
    printed = run("tests/repricing/templates/private", "--scenario", "examples/article-web-server.yaml")
    lines = {line.rstrip() for line in printed.splitlines()}
    shown = re.findall(
        r"```text\n(.*?)```", (root / "docs" / "repricing.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert len(shown) == 3
    assert {line.rstrip() for block in shown for line in block.splitlines()} <= lines


def test_a_service_that_was_renamed_is_compared_with_the_only_other_one(scenario: Path) -> None:
    old, new = TEMPLATES / "private", TEMPLATES / "isolated.yaml"
    before, after = reprice_both(old, new, scenario, service="Web")
    assert (before.service, after.service) == ("Service", "Web")
    said = f"It is taken for Web, which {old} does not have: it has no other service."
    assert [gap.text for gap in before.not_understood if gap.subject == "Service"] == [said]
    assert not [gap for gap in after.not_understood if "taken for Web" in gap.text]
    with pytest.raises(InvalidScenario, match=r"private: There is no single service 'Wbe'.*there are service/Service"):
        reprice_both(old, new, scenario, service="Wbe")


def test_where_several_could_be_the_renamed_one_the_file_and_the_way_out_are_named(
    scenario: Path, tmp_path: Path
) -> None:
    values = parse_template((TEMPLATES / "isolated.yaml").read_text(), "isolated.yaml")
    web = values["Resources"].pop("Web")
    path = tmp_path / "two.json"
    path.write_text(json.dumps(values | {"Resources": values["Resources"] | {"Api": web, "Site": web}}))
    with pytest.raises(InvalidScenario, match=r"two\.json: .*two/Api, two/Site\. Give one that both have"):
        reprice_both(TEMPLATES / "isolated.yaml", path, scenario, service="Web")
