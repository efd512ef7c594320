"""The command `fleet`: its table, its documents and its figure say what the plans say; its exit codes, and its page."""

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import ExportError, InvalidScenario
from estimator.fleet_files import MAX_CELL_LETTERS, MAX_COLUMNS, MAX_TABLE_BYTES, read_fleet
from estimator.planning.fleet import MAX_SERVICES, FleetRow, FleetService, plan_fleet
from estimator.planning.fleet_commitment import MAX_GRID_HOURS
from estimator.planning.fleet_result import ServiceResult
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.report import drawing
from estimator.report.bill_steps import GROUPS, REST, usd_by_group
from estimator.report.fleet_figures import MOST_BARS, fleet_figure
from estimator.report.fleet_table import (
    commitments_table,
    fleet_csv,
    fleet_markdown,
    fleet_sentences,
    fleet_table,
    within_budget,
    write_fleet,
)
from estimator.report.terminal import fitted_table
from estimator.scenario import Scenario
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.test_cli import check_refused

PAGE = (Path(__file__).parents[1] / "docs" / "fleet.md").read_text(encoding="utf-8")
RATES = all_rates()
BASE = {
    "region": "us-east-1",
    "load": {"kind": "daily", "peak_requests_per_s": 200, "trough_requests_per_s": 5, "step_s": 3600},
    "request": {"cpu_ms_per_request": 20},
    "service": {"cpu_units": 512, "memory_mib": 1024, "min_capacity": 2, "max_capacity": 20},
}


def folder_of(folder: Path, **scenarios: object) -> Path:
    folder.mkdir(exist_ok=True)
    for name, document in scenarios.items():
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        (folder / f"{name}.yaml").write_text(text)
    return folder


def by_night(**changes: object) -> dict[str, object]:
    return BASE | {"load": BASE["load"] | {"peak_hour": 8}} | changes


def results(count=3, rates=RATES, **given):
    found = []
    lenient = Promise(max_minutes_over_capacity=None)
    for number in range(count):
        spec = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=10)
        work = Workload(LoadProfile.daily(60 + 10 * number, 5, 8 * number, step_s=3600), cpu_ms_per_request=20)
        found.append(ServiceResult.of(f"web {number}", estimate(work, rates, spec, promise=lenient, **given), rates))
    return found


def fleet_of(found, *more, **given):
    """A fleet of results that are there already."""
    made = plan_fleet([FleetService("one", lambda tell: (_PLAN, RATES))], n_threads=1)
    rows = tuple(FleetRow(each.name, each.region, each) for each in found)
    return replace(made, rows=(*rows, *more), **given)


_PLAN = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), RATES, ServiceSpec(TaskSize(256, 512)))
FLEET = fleet_of(results())


# The command.


def test_the_table_is_what_each_scenario_says(call, tmp_path):
    folder = folder_of(tmp_path / "services", day=BASE, night=by_night())
    answer = call("fleet", folder, "--service")
    assert answer.returncode == 0, answer.stderr
    plans = {name: Scenario.from_file(folder / f"{name}.yaml").estimate() for name in ("day", "night")}
    for name, plan in plans.items():
        row = next(line for line in answer.stdout.splitlines() if line.startswith(name))
        assert f" {plan.cost.total_usd:,.2f} " in row
        assert plan.spec.describe() in row
        assert f" {plan.figures['mean_tasks']:.2f} " in row
    total = sum(plan.cost.total_usd for plan in plans.values())
    footer = next(line for line in answer.stdout.splitlines() if line.startswith("Total"))
    assert f" {total:,.2f} " in footer
    assert f"2 services for ${total:,.2f} a month." in answer.stdout
    assert "One Compute Savings Plan for all services" in answer.stdout
    assert "one grid of 168 hours" in answer.stdout


def test_a_failure_is_shown_with_the_rest_and_is_the_exit_code(call, tmp_path):
    folder = folder_of(tmp_path / "services", good=BASE, bad=BASE | {"region": "mars-1"}, other="a: 1\n")
    answer = call("fleet", folder, "--service")
    assert answer.returncode == 1
    assert "Region 'mars-1' is not one of" in answer.stdout
    assert re.search(r"^good +us-east-1 .*\d\.\d\d", answer.stdout, re.MULTILINE)
    assert "at least" in answer.stdout
    assert "No scenarios, and passed over: other.yaml." in answer.stdout
    values = json.loads(call("fleet", folder, "--service", "--json").stdout)
    assert [row["name"] for row in values["services"]] == ["bad", "good"]
    assert values["not_scenarios"] == ["other.yaml"]
    assert values["services"][0]["usd_per_month"] is None


def test_it_goes_on_where_it_ended(call, tmp_path):
    folder, saved = folder_of(tmp_path / "services", day=BASE, night=by_night()), tmp_path / "saved"
    first = call("fleet", folder, "--service", "--save", saved)
    assert "had been saved" not in first.stdout
    assert len(list(saved.iterdir())) == 2
    again = call("fleet", folder, "--service", "--save", saved)
    assert "2 results of 2 had been saved, and nothing that they depend on has changed." in again.stdout
    assert first.stdout.partition("\n\n")[0] == again.stdout.partition("\n\n")[0]
    (folder / "day.yaml").write_text(yaml.safe_dump(by_night()))
    next(saved.glob("night-*")).write_text("{")
    changed = call("fleet", folder, "--service", "--save", saved)
    assert "had been saved" not in changed.stdout
    assert "it is damaged; night was done again." in changed.stdout


def test_a_table_with_a_base(call, tmp_path):
    folder_of(tmp_path, base=BASE)
    table = tmp_path / "fleet.csv"
    table.write_text("name,load.scale\nsmall,0.5\nlarge,3\n")
    values = json.loads(call("fleet", table, "--base", tmp_path / "base.yaml", "--service", "--json").stdout)
    usd = {row["name"]: row["usd_per_month"] for row in values["services"]}
    for name, scale in (("small", 0.5), ("large", 3)):
        document = BASE | {"load": BASE["load"] | {"scale": scale}}
        assert usd[name] == Scenario.from_dict(document).estimate().cost.total_usd
    assert values["total_usd_per_month"] == pytest.approx(sum(usd.values()))
    table.write_text("name,load.scales\nsmall,0.5\n")
    check_refused(call("fleet", table), "load.scales", "Did you mean load.scale")


def test_documents_are_written_and_not_over_others(call, tmp_path):
    folder = folder_of(tmp_path / "services", day=BASE, night=by_night())
    paths = [tmp_path / f"fleet{ending}" for ending in (".md", ".csv", ".json")]
    outputs = [word for path in paths for word in ("--output", path)]
    answer = call("fleet", folder, "--service", *outputs)
    assert answer.returncode == 0
    assert [f"Wrote {path}." for path in paths] == answer.stderr.splitlines()
    fleet = plan_fleet(read_fleet(folder, as_it_is=True).services)
    assert json.loads(paths[2].read_text()) == fleet.to_dict()
    assert paths[0].read_text() == fleet_markdown(fleet)
    assert paths[1].read_text() == fleet_csv(fleet)
    check_refused(call("fleet", folder, "--service", "--output", paths[0]), "exists already", "--force")
    assert call("fleet", folder, "--service", "--output", paths[0], "--force").returncode == 0
    check_refused(call("fleet", folder, "--output", tmp_path / "a.pdf"), "'.pdf'", ".md, .csv, .json")
    twice = tmp_path / "twice.md"
    check_refused(call("fleet", folder, "--output", twice, "--output", twice), "asked for twice")


def test_a_budget_is_kept_or_not(call, tmp_path):
    folder = folder_of(tmp_path / "services", day=BASE)
    usd = Scenario.from_dict(BASE).estimate().cost.total_usd
    rich = call("fleet", folder, "--service", "--budget", round(usd, 2) + 10)
    assert "is kept: $10.0" in rich.stdout
    poor = call("fleet", folder, "--service", "--budget", 1)
    # What it costs is an answer and no failure.
    assert poor.returncode == 0
    assert f"The budget of $1.00 a month is exceeded by ${usd - 1:,.2f}" in poor.stdout
    values = json.loads(call("fleet", folder, "--service", "--budget", 1, "--json").stdout)
    assert (values["budget_usd_per_month"], values["within_budget"]) == (1, False)
    check_refused(call("fleet", folder, "--budget", -1), "--budget is -1")


def test_ctrl_c_shows_what_is_done(call, tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "services", a=BASE, b=by_night())
    estimated = Scenario.estimate

    def interrupted(self, *given, **more):
        if self.load.peak_hour == 8:
            raise KeyboardInterrupt
        return estimated(self, *given, **more)

    monkeypatch.setattr(Scenario, "estimate", interrupted)
    answer = call("fleet", folder, "--service", "--threads", 1)
    assert answer.returncode == 130
    assert "It was stopped before it was done." in answer.stdout
    assert "1 service for at least $" in answer.stdout
    assert "Stopped" in answer.stderr


def test_months_must_agree(call, tmp_path):
    folder = folder_of(tmp_path / "services", a=BASE, b=BASE | {"hours_per_month": 744})
    check_refused(call("fleet", folder, "--service"), "hours_per_month is 730 in a and 744 in b")


# Tables and documents.


def test_columns_of_commitments_add_up():
    table = fleet_table(FLEET)
    heads = [head.lstrip(">") for head in table.columns]
    assert heads[-2:] == ["USD/month", "With a shared one"]
    for place in (-2, -1):
        cells = [float(row[place].replace(",", "")) for row in table.rows]
        assert sum(cells) == pytest.approx(float(table.footer[place].replace(",", "")), abs=0.02)
    best = FLEET.commitments.best
    assert table.footer[-1] == f"{best.usd_per_month:,.2f}"
    options = commitments_table(FLEET)
    assert options.rows[0][4] == table.footer[-1]
    assert len(options.rows) == 6
    assert not fleet_table(fleet_of([])).rows


def test_a_bill_with_plans_of_its_own_stands_beside_the_one_without():
    buying = results(2, savings_plans=[SavingsPlan("1yr", "No Upfront")])
    table = fleet_table(fleet_of(buying))
    heads = [head.lstrip(">") for head in table.columns]
    assert heads[-3:] == ["USD/month", "Without a commitment", "With a shared one"]
    without = [f"{found.usd_without_plans:,.2f}" for found in results(2)]
    assert [row[-2] for row in table.rows] == without


def test_a_plan_counted_once_is_said():
    held = results(2, savings_plans=[SavingsPlan("1yr", "No Upfront", 0.005, existing=True)])
    said = " ".join(fleet_sentences(fleet_of(held)))
    assert "a Compute Savings Plan, 1 year, No Upfront of 0.005 USD an hour: it is counted once here" in said
    assert "--shares" in said
    shares = " ".join(fleet_sentences(fleet_of(held, existing_are_shares=True)))
    assert "counted once" not in shares


def test_what_is_wrong_is_said_and_a_budget_cannot_be():
    fleet = fleet_of(results(1), FleetRow("bad | one", "", why_not="No *candidate*\nkeeps `promise`."))
    assert fleet_table(fleet).rows[1][-1].startswith("No *candidate*")
    assert within_budget(fleet, 1e6) is None
    assert within_budget(fleet, 1) is False
    assert within_budget(FLEET, 1e6) is True
    said = " ".join(fleet_sentences(fleet, 1e6))
    assert "cannot be said" in said
    assert "1 service could not be priced" in said
    written = fleet_markdown(fleet)
    assert "bad \\| one" in written
    assert "No \\*candidate\\*, keeps `promise`." in written
    rows = list(csv.DictReader(fleet_csv(fleet).splitlines()))
    assert [row["name"] for row in rows] == ["web 0", "bad | one"]
    assert rows[1]["usd_per_month"] == ""
    assert float(rows[0]["usd_per_month_with_shared_commitment"]) < float(rows[0]["usd_per_month"])


def test_an_unknown_rate_is_a_bound_everywhere():
    known = {name: rate for name, rate in RATES.known.items() if name != "alb_hour"}
    fleet = fleet_of(results(1, replace(RATES, known=known)))
    row = fleet_table(fleet).rows[0]
    assert row[7].startswith("at least ")
    assert "no rate for" in row[-1]
    assert fleet_table(fleet).footer[7].startswith("at least ")
    assert '"At least" is said where a rate is not known.' in fleet_sentences(fleet)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_it_fits_a_narrow_terminal(width):
    fleet = fleet_of(results(2), FleetRow("bad", "us-east-1", why_not="No candidate keeps the promise. " * 5))
    for table in (fleet_table(fleet), commitments_table(fleet)):
        text = fitted_table(table, width)
        assert max(map(len, text.splitlines())) <= width
    assert "candidate" in fitted_table(fleet_table(fleet), width)


def test_a_document_of_no_known_kind(tmp_path):
    with pytest.raises(ExportError, match="has no ending"):
        write_fleet(FLEET, tmp_path / "fleet")


# The figure.


def test_bars_are_the_groups_of_the_bills():
    figure = fleet_figure(FLEET)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [trace.name for trace in bars] == [
        group for group in (*GROUPS, REST) if any(usd_by_group(found.cost)[group] for found in FLEET.results)
    ]
    largest = sorted(FLEET.results, key=lambda found: -found.cost.total_usd)
    assert list(bars[0].y) == [found.name for found in largest]
    for place, found in enumerate(largest):
        assert sum(trace.x[place] for trace in bars) == pytest.approx(found.cost.total_usd)
    (mark,) = [trace for trace in figure.data if trace.name == "with a shared Savings Plan"]
    assert sum(mark.x) == pytest.approx(FLEET.commitments.best.usd_per_month)
    looks = {(trace.marker.color, trace.marker.pattern.shape) for trace in bars}
    assert len(looks) == len(bars)
    assert looks <= set(drawing.GROUP_LOOKS)
    assert len({color for color, _ in looks}) == len(bars)


def test_many_services_share_the_last_bar():
    (one,) = results(1)
    many = fleet_of([replace(one, name=f"web {number}") for number in range(MOST_BARS + 5)])
    bars = [trace for trace in fleet_figure(many).data if trace.type == "bar"]
    assert len(bars[0].y) == MOST_BARS
    assert bars[0].y[-1] == "6 others"
    assert sum(sum(trace.x) for trace in bars) == pytest.approx(many.sum_usd)


def test_a_figure_of_nothing_is_one():
    assert fleet_figure(fleet_of([])).layout.xaxis.range[0] == 0


# The page.


def test_the_help_has_an_example_and_the_options_of_the_page(call):
    said = call("fleet", "--help").stdout
    assert "Example: estimator fleet " in said
    for option in set(re.findall(r"(?<![\w-])--[a-z]+", PAGE)):
        assert option in said, option


def test_the_limits_of_the_page_are_those_that_hold():
    (sentence,) = re.findall(r"At most [^.]*\.", PAGE)
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", sentence)]
    assert numbers == [MAX_SERVICES, MAX_TABLE_BYTES // 1_000_000, MAX_COLUMNS, MAX_CELL_LETTERS]
    assert MAX_GRID_HOURS == 8 * 8760
    assert "more than eight years" in PAGE


def test_the_table_of_the_page_is_one(tmp_path):
    (table,) = re.findall(r"```\n(name,.*?)```", PAGE, flags=re.DOTALL)
    folder_of(tmp_path, base=BASE)
    (tmp_path / "fleet.csv").write_text(table)
    fleet = plan_fleet(read_fleet(tmp_path / "fleet.csv", as_it_is=True).services)
    assert [(row.name, row.region) for row in fleet] == [("shop", "us-east-1"), ("search", "eu-west-1")]
    assert not fleet.failed


def test_the_python_of_the_page_runs(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    example = Path(__file__).parents[1] / "examples" / "fleet" / "fleet.csv"
    code = code.replace("examples/fleet/fleet.csv", str(example))
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "results").iterdir())) == 4


def test_reading_is_refused_in_a_sentence(call, tmp_path):
    check_refused(call("fleet", tmp_path / "nothing.csv"), "cannot be read", "or name a folder of scenarios")
    with pytest.raises(InvalidScenario, match="has no scenario"):
        read_fleet(tmp_path)
