"""Folders and tables of scenarios: what is read is what each scenario says by itself, and what is wrong is said where it is wrong."""

import json
from pathlib import Path

import pytest
import yaml

from estimator import fleet_files
from estimator.errors import InvalidScenario
from estimator.fleet_files import fleet_columns, read_fleet
from estimator.planning.fleet import plan_fleet
from estimator.planning.fleet_store import FleetStore
from estimator.scenario import Scenario
from estimator.units import data_path
from estimator.workload.sources import load_from_csv

#: A search that has little to do.
SMALL_SEARCH = {"cpu_architectures": ["X86_64"], "target_values": [60], "min_capacities": [2]}
BASE = {
    "region": "us-east-1",
    "load": {"kind": "daily", "peak_requests_per_s": 60, "trough_requests_per_s": 5, "step_s": 3600},
    "request": {"cpu_ms_per_request": 20},
    "search": SMALL_SEARCH,
    "service": {"cpu_units": 512, "memory_mib": 1024, "min_capacity": 2, "max_capacity": 10},
}
ROWS = "\n".join(["timestamp,requests", *(f"2026-03-02T{hour:02}:00:00Z,{36_000 + 900 * hour}" for hour in range(24))])


def write(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


def base(folder: Path, **changes: object) -> Path:
    return write(folder / "base.yaml", BASE | changes)


def table(folder: Path, *lines: str) -> Path:
    return write(folder / "fleet.csv", "\n".join(lines) + "\n")


def estimates(path: Path, with_base: Path | None = None):
    return plan_fleet(read_fleet(path, with_base, as_it_is=True).services, n_threads=1)


def reason(path: Path, with_base: Path | None = None) -> str:
    """Why the one service that fails does."""
    (row,) = estimates(path, with_base).failed
    return row.why_not


# Folders.


def test_a_folder_is_each_scenario_by_itself(tmp_path):
    write(tmp_path / "b.yaml", BASE)
    write(tmp_path / "a.yml", BASE | {"request": {"cpu_ms_per_request": 80}})
    write(tmp_path / "c.json", json.dumps(BASE | {"region": "eu-west-1"}))
    (tmp_path / "inside").mkdir()
    write(tmp_path / "inside" / "d.yaml", BASE)
    fleet = estimates(tmp_path)
    assert [row.name for row in fleet] == ["a", "b", "c"]
    for row, file in zip(fleet, ("a.yml", "b.yaml", "c.json"), strict=True):
        alone = Scenario.from_file(tmp_path / file).estimate()
        assert row.result.cost == alone.cost
        assert row.region == alone.cost.region


def test_searches_side_by_side_are_searches_one_after_another(tmp_path):
    write(tmp_path / "a.yaml", BASE)
    write(tmp_path / "b.yaml", BASE | {"request": {"cpu_ms_per_request": 50}})

    def run(n_threads):
        return plan_fleet(read_fleet(tmp_path).services, n_threads=n_threads)

    one, two = run(1), run(2)
    assert json.dumps(one.to_dict()) == json.dumps(two.to_dict())
    for found, file in zip(two.results, ("a.yaml", "b.yaml"), strict=True):
        alone = Scenario.from_file(tmp_path / file).plan()
        assert found.cost == alone.cost
        assert found.service == alone.spec.describe()


def test_what_is_no_scenario_is_named_and_what_is_a_broken_one_fails(tmp_path):
    write(tmp_path / "good.yaml", BASE)
    write(tmp_path / "compose.yaml", {"services": {"web": {"image": "nginx"}}})
    write(tmp_path / "list.json", "[1, 2]")
    write(tmp_path / "two.yaml", "a: 1\n---\nb: 2\n")
    write(tmp_path / "broken.yaml", BASE | {"region": "mars-1"})
    write(tmp_path / "typo.yaml", yaml.safe_dump(BASE) + "request: [\n")
    write(tmp_path / "notes.txt", "load: 1")
    (tmp_path / "folder.yaml").mkdir()
    files = read_fleet(tmp_path, as_it_is=True)
    assert files.passed_over == ("compose.yaml", "list.json", "two.yaml")
    fleet = plan_fleet(files.services)
    assert [row.name for row in fleet.failed] == ["broken", "typo"]
    assert "mars-1" in fleet.failed[0].why_not
    assert fleet.failed[0].region == "mars-1"
    assert "not valid YAML" in fleet.failed[1].why_not
    assert [found.name for found in fleet.results] == ["good"]


def test_files_of_one_name_keep_their_endings(tmp_path):
    write(tmp_path / "web.yaml", BASE)
    write(tmp_path / "web.json", json.dumps(BASE))
    assert [each.name for each in read_fleet(tmp_path).services] == ["web.json", "web.yaml"]


def test_a_scenario_without_a_service_fails_where_it_is_to_be_priced(tmp_path):
    write(tmp_path / "a.yaml", {name: section for name, section in BASE.items() if name != "service"})
    assert "no `service` section" in reason(tmp_path)


def test_places_that_are_no_fleet(tmp_path):
    with pytest.raises(InvalidScenario, match="has no scenario"):
        read_fleet(tmp_path)
    with pytest.raises(InvalidScenario, match="cannot be read: No such file"):
        read_fleet(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidScenario, match=r"`estimator plan .*base\.yaml` plans it alone"):
        read_fleet(base(tmp_path))
    with pytest.raises(InvalidScenario, match="a base is for the rows of a table"):
        read_fleet(tmp_path, base(tmp_path))


# Tables.


def test_a_row_goes_over_its_base(tmp_path):
    base(tmp_path)
    path = table(
        tmp_path,
        "name,base,region,load.peak_requests_per_s,promise.p95_latency_ms,service.cpu_architecture,application.environment.MODE",
        "shop,base.yaml,,90,,,",
        '"far",base.yaml,eu-west-1,,400,ARM64,"""yes"""',
        "",
        "still,base.yaml,,,,,",
    )
    fleet = estimates(path)
    assert [(row.name, row.region) for row in fleet] == [
        ("shop", "us-east-1"),
        ("far", "eu-west-1"),
        ("still", "us-east-1"),
    ]
    far = {
        "name": "far",
        "region": "eu-west-1",
        "promise": {"p95_latency_ms": 400},
        "service": BASE["service"] | {"cpu_architecture": "ARM64"},
        "application": {"environment": {"MODE": "yes"}},
    }
    by_hand = [
        BASE | {"name": "shop", "load": BASE["load"] | {"peak_requests_per_s": 90}},
        BASE | far,
        BASE | {"name": "still"},
    ]
    for found, document in zip(fleet.results, by_hand, strict=True):
        assert found.cost == Scenario.from_dict(document).estimate().cost
    totals = [found.cost.total_usd for found in fleet.results]
    assert len(set(totals)) == 3


def test_rows_need_no_base_and_take_the_one_of_all(tmp_path):
    whole = "name,region,load.kind,load.requests_per_s,request.cpu_ms_per_request,service.cpu_units,service.memory_mib"
    path = table(tmp_path, whole, "one,us-east-1,constant,20,10,256,512", "two,us-east-1,constant,20,10,,")
    fleet = estimates(path)
    document = {
        "region": "us-east-1",
        "load": {"kind": "constant", "requests_per_s": 20},
        "request": {"cpu_ms_per_request": 10},
        "service": {"cpu_units": 256, "memory_mib": 512},
    }
    assert fleet.results[0].cost == Scenario.from_dict(document).estimate().cost
    assert [row.name for row in fleet.failed] == ["two"]
    (tmp_path / "folder").mkdir()
    other = write(tmp_path / "folder" / "other.yaml", BASE | {"region": "eu-west-1"})
    base(tmp_path)
    named = table(tmp_path, "name,base", "own,base.yaml", "usual,")
    assert [row.region for row in estimates(named, other)] == ["us-east-1", "eu-west-1"]


def test_cells_are_typed_as_yaml_types_them(tmp_path):
    base(tmp_path, application={"boot_s": 60}, service=BASE["service"] | {"target_value": 55})
    path = table(
        tmp_path,
        "name,base,service.target_value,prices.as_of,network.load_balancer_ipv4,search.max_capacity",
        "a,base.yaml,6.5e+1,2026-01-31,false,1_000",
        "b,base.yaml,,null,true,~",
    )
    fleet = read_fleet(path, as_it_is=True)
    results = plan_fleet(fleet.services).results
    assert "CPU target 65 %" in results[0].service
    assert "CPU target 55 %" in results[1].service
    assert results[0].cost.as_of == "2026-01-31"
    lines = [{line.charge: line.pricing_quantity for line in found.cost} for found in results]
    assert sum("ipv4" in name for name in lines[0]) < sum("ipv4" in name for name in lines[1]) or (lines[0] != lines[1])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["name,load.peak_request_per_s", "a,1"],
            ("load.peak_request_per_s", "Did you mean load.peak_requests_per_s, "),
        ),
        (["name,p95_latency_ms", "a,1"], ("'p95_latency_ms'", "promise.p95_latency_ms")),
        (["name,request.cpu_ms", "a,1"], ("request.cpu_ms",)),
        (["name,zzz.qqq", "a,1"], ("zzz.qqq", "`estimator schema`")),
        (["name,regoin", "a,1"], ("regoin", "region")),
        (["name,load", "a,1"], ("'load'", "a section", "name a field of it")),
        (["name,search.cpu_architectures", "a,ARM64"], ("a list", "base scenario")),
        (["name,savings_plans", "a,1"], ("a list",)),
        (["name,region,region", "a,1,2"], ("'region' twice",)),
        (["region,name", "us-east-1,a"], ("begins with 'region'", "`name`")),
        (["name;region", "a;us-east-1"], ("commas part columns",)),
        (["name,region", "a,us-east-1", "b"], ("row 3 has 1 cells, the header 2",)),
        (["name,region", "a,us-east-1", ",us-east-1"], ("row 3 has no name",)),
        (["name,region", "a,us-east-1", "b,us-east-1", "a,eu-west-1"], ("row 4", "'a' stands in row 2 already")),
        (["name,region"], ("no rows below its header",)),
        ([""], ("begins with ''",)),
        (["name,region", 'a,"us-east-1'], ("not CSV",)),
        (["name,region", "a\x1b[2J,us-east-1"], ("cannot be printed",)),
        (["name,application.environment.", "a,1"], ("'application.environment.'", "no field")),
    ],
)
def test_tables_that_are_broken_as_a_whole(tmp_path, lines, words):
    with pytest.raises(InvalidScenario) as caught:
        read_fleet(table(tmp_path, *lines))
    for word in ("fleet.csv", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("head", "cell", "words"),
    [
        ("load.peak_requests_per_s", "many", ("load.peak_requests_per_s is 'many'", "a number")),
        ("service.cpu_units", "512.5", ("service.cpu_units", "512.5")),
        ("promise.p95_latency_ms", "-1", ("p95_latency_ms is -1",)),
        ("promise.p95_latency_ms", "yes", ("p95_latency_ms is true",)),
        ("region", "us-est-1", ("us-est-1", "us-east-1")),
        ("region", '"[us-east-1]"', ("region is '[us-east-1]'", "one value")),
        ("region", '"{a: 1}"', ("one value",)),
        ("region", "a: 1", ("one value",)),
        ("region", "# nothing", ("one value",)),
        ("region", "*anchor", ("not valid YAML",)),
        ("name2", "", ()),
    ],
)
def test_a_cell_of_the_wrong_kind_fails_its_row_alone(tmp_path, head, cell, words):
    if head == "name2":
        # The name is one of a scenario, and of its stack.
        path = table(tmp_path, "name", "good", "not good")
        words = ("name is 'not good'",)
    else:
        path = table(tmp_path, f"name,{head}", "good,", f"bad,{cell}")
    said = reason(path, base(tmp_path))
    for word in ("fleet.csv, row 3", *words):
        assert word in said
    assert len(estimates(path, tmp_path / "base.yaml").results) == 1


def test_bases_that_cannot_be_read(tmp_path):
    base(tmp_path)
    path = table(tmp_path, "name,base", "good,base.yaml", "bad,gone.yaml")
    said = reason(path)
    assert "fleet.csv, row 3 (bad)" in said
    assert "gone.yaml cannot be read" in said
    write(tmp_path / "list.yaml", "[1]")
    assert "is no scenario" in reason(table(tmp_path, "name,base", "good,base.yaml", "bad,list.yaml"))
    write(tmp_path / "text.yaml", BASE | {"promise": "none"})
    broken = table(tmp_path, "name,base,promise.p95_latency_ms", "good,base.yaml,", "bad,text.yaml,1")
    assert "promise is 'none' in the base" in reason(broken)
    with pytest.raises(InvalidScenario, match=r"missing\.yaml cannot be read"):
        read_fleet(path, tmp_path / "missing.yaml")


def test_hostile_sizes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fleet_files, "MAX_SERVICES", 2)
    monkeypatch.setattr(fleet_files, "MAX_COLUMNS", 3)
    monkeypatch.setattr(fleet_files, "MAX_TABLE_BYTES", 2000)
    base(tmp_path)
    with pytest.raises(InvalidScenario, match="more than 2 services; at most so many"):
        read_fleet(table(tmp_path, "name", "a", "b", "c"))
    with pytest.raises(InvalidScenario, match="4 columns; at most 3"):
        read_fleet(table(tmp_path, "name,region,load.kind,load.scale", "a,,,"))
    with pytest.raises(InvalidScenario, match="larger than"):
        read_fleet(table(tmp_path, "name", *("a" * 100 for _ in range(21))))
    monkeypatch.undo()
    monkeypatch.setattr(fleet_files, "MAX_CELL_LETTERS", 10)
    said = reason(table(tmp_path, "name,region", "good,", f"bad,{'x' * 11}"), tmp_path / "base.yaml")
    assert "region has 11 letters; at most 10" in said
    monkeypatch.setattr(fleet_files, "MAX_SERVICES", 1)
    write(tmp_path / "second.yaml", BASE)
    with pytest.raises(InvalidScenario, match="more than 1 scenarios; at most so many"):
        read_fleet(tmp_path)


def test_columns_are_the_fields_of_a_scenario():
    columns = fleet_columns()
    assert {"region", "hours_per_month", "load.kind", "load.path", "load.scale", "request.protocol"} <= set(columns)
    assert {"service.target_value", "extras.log_class", "network.layout", "prices.discounts_percent.*"} <= set(columns)
    assert not {"load", "search.target_values", "savings_plans", "base"} & set(columns)


# What several need is read once.


def with_csv(folder: Path) -> Path:
    write(folder / "load.csv", ROWS)
    return base(folder, load={"kind": "csv", "path": "load.csv"})


def test_a_file_that_several_need_is_read_once_and_gives_what_each_would_read(tmp_path, monkeypatch):
    with_csv(tmp_path)
    (tmp_path / "below").mkdir()
    path = write(
        tmp_path / "below" / "fleet.csv",
        "name,base,load.scale,load.repeat\na,../base.yaml,,\nb,../base.yaml,2.5,\nc,../base.yaml,0.3,2\n",
    )
    read = []

    def counted(file, *given, **more):
        read.append(file)
        return load_from_csv(file, *given, **more)

    monkeypatch.setattr("estimator.load_sections.load_from_csv", counted)
    fleet = plan_fleet(read_fleet(path, as_it_is=True).services, n_threads=2)
    assert len(read) == 1
    shapes = ({}, {"scale": 2.5}, {"scale": 0.3, "repeat": 2})
    for found, shape in zip(fleet.results, shapes, strict=True):
        alone = Scenario.from_dict(BASE | {"load": {"kind": "csv", "path": "load.csv"} | shape}).estimate(
            folder=tmp_path
        )
        assert found.cost == alone.cost
        assert found.usage.start == alone.workload.load.start


def test_paths_in_cells_are_relative_to_the_table(tmp_path):
    (tmp_path / "bases").mkdir()
    base(tmp_path / "bases")
    write(tmp_path / "load.csv", ROWS)
    prices = "price,region,usd_per_unit,reason,date\nalb_hour,*,1,mine,2026-01-01\n"
    write(tmp_path / "prices.csv", prices)
    csv_load = "name,base,region,load.kind,load.path,request.cpu_ms_per_request,prices.overrides,service.cpu_units,service.memory_mib"
    path = table(tmp_path, csv_load, "a,,us-east-1,csv,load.csv,20,prices.csv,512,1024")
    (found,) = estimates(path).results
    assert found.usage.start is not None
    assert next(line for line in found.cost if line.charge == "alb_hour").contracted_cost == pytest.approx(730)
    other = table(tmp_path, "name,base,prices.overrides", "a,bases/base.yaml,prices.csv")
    (found,) = estimates(other).results
    assert next(line for line in found.cost if line.charge == "alb_hour").contracted_cost == pytest.approx(730)


# Fingerprints.


def fingerprints(path: Path, **given) -> list[str]:
    return [each.fingerprint() for each in read_fleet(path, **given).services]


def test_a_fingerprint_is_of_all_that_a_plan_depends_on(tmp_path, monkeypatch):
    with_csv(tmp_path)
    document = yaml.safe_load((tmp_path / "base.yaml").read_text())
    seen = fingerprints(tmp_path)
    # Other words for the same: comments, order, and defaults that are written.
    plain = dict(reversed(document.items())) | {"hours_per_month": 730, "version": 1}
    write(tmp_path / "base.yaml", "# the same\n" + yaml.safe_dump(plain, sort_keys=False))
    assert fingerprints(tmp_path) == seen
    assert fingerprints(tmp_path, as_it_is=True) != seen
    seen += fingerprints(tmp_path, as_it_is=True)
    write(tmp_path / "load.csv", ROWS.replace("36000", "36001"))
    seen += fingerprints(tmp_path)
    write(tmp_path / "base.yaml", document | {"request": {"cpu_ms_per_request": 21}})
    seen += fingerprints(tmp_path)
    write(tmp_path / "base.yaml", document | {"prices": {"discounts_percent": {"AmazonECS": 5}}})
    seen += fingerprints(tmp_path)
    prices = "price,region,usd_per_unit,reason,date\nalb_hour,*,{usd},mine,2026-01-01\n"
    write(tmp_path / "base.yaml", document | {"prices": {"overrides": "own.csv"}})
    for usd in (1, 2):
        write(tmp_path / "own.csv", prices.format(usd=usd))
        seen += fingerprints(tmp_path)
    monkeypatch.setattr(fleet_files, "_version", lambda: "99")
    seen += fingerprints(tmp_path)
    assert len(set(seen)) == len(seen)


def test_a_resumed_folder_plans_only_what_has_changed(tmp_path):
    saved = tmp_path / "saved"
    base(tmp_path)
    rows = ["name,base,request.cpu_ms_per_request", "a,base.yaml,20", "b,base.yaml,40"]

    def run(*lines):
        return plan_fleet(read_fleet(table(tmp_path, *lines), as_it_is=True).services, store=FleetStore(saved))

    fresh = run(*rows)
    resumed = run(*rows)
    assert (fresh.was_saved, resumed.was_saved) == (0, 2)
    assert resumed.total_usd == fresh.total_usd
    changed = run(*rows[:2], "b,base.yaml,90")
    assert [row.was_saved for row in changed] == [True, False]
    assert changed.results[1].cost == estimates(tmp_path / "fleet.csv").results[1].cost
    assert changed.results[1].cost != fresh.results[1].cost


def test_a_failure_in_a_file_is_found_again_when_it_is_resumed(tmp_path):
    with_csv(tmp_path)
    (tmp_path / "load.csv").unlink()
    for _ in range(2):
        (row,) = plan_fleet(read_fleet(tmp_path).services, store=FleetStore(tmp_path / "saved"))
        assert "load.csv cannot be read" in row.why_not


def test_the_example(tmp_path):
    fleet = estimates(data_path("examples", "fleet", "fleet.csv"))
    assert [row.name for row in fleet] == ["shop", "checkout", "search", "reports"]
    assert not fleet.failed
    assert not any(found.broken for found in fleet.results)
    assert fleet.commitments.best is not None
