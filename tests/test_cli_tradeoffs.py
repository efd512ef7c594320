"""The commands `tradeoffs` and `why`: the same figures as in Python, files that are asked for, and options that AWS does not have."""

import csv
import json
from pathlib import Path

import pytest

from estimator.planning.frontier import explore
from estimator.planning.limit_prices import limit_prices
from estimator.planning.steps_to_plan import steps_to
from estimator.planning.why_not import why_not
from estimator.scenario import Scenario
from estimator.service.capacity import CapacityProviderStrategy
from tests.test_cli import check_refused, scenario_file

SEARCH = {
    "cpu_units": [512, 1024],
    "memory_mib": [1024, 2048],
    "target_values": [50, 80],
    "min_capacities": [1, 2, 4],
    "max_capacity": 20,
    "scheduled_minimum_percents": [0],
    "scale_out_cooldowns_s": [300],
}
LOAD = {"kind": "daily", "peak_requests_per_s": 120, "trough_requests_per_s": 10}
SERVICE = {"cpu_units": 1024, "memory_mib": 2048, "min_capacity": 1, "max_capacity": 6}


def scenario(folder: Path, **changes: object) -> Path:
    values: dict[str, object] = {
        "region": "us-east-1",
        "load": LOAD,
        "request": {"cpu_ms_per_request": 20},
        "search": SEARCH,
        "promise": {"p95_latency_ms": 200},
        "service": SERVICE,
    }
    return scenario_file(folder, **(values | changes))


def explored_of(document: Scenario):
    return explore(
        document.workload(),
        document.rates(),
        document.promise,
        choices=document.search,
        application=document.application,
        network=document.network_layout(),
        behavior=document.behavior,
        hours_per_month=document.hours_per_month,
        operations=document.operations,
        extras=document.extras,
        savings_plans=document.savings_plans,
    )


def test_the_command_says_what_python_says(call, tmp_path: Path) -> None:
    path = scenario(tmp_path)
    result = call("tradeoffs", path, "--risk", "minutes_over_promise_per_month", "--json")
    assert result.returncode == 0, result.stderr
    values = json.loads(result.stdout)
    document = Scenario.from_file(path)
    rates, best, today = document.rates(), document.plan(), document.estimate()
    explored = explored_of(document)
    assert values["candidates"] == len(explored)
    assert values["plan"]["usd_per_month"] == best.cost.total_usd
    assert values["plan"]["summary"] == best.spec.describe() == explored.winner.spec.describe()
    assert [point["usd_per_month"] for point in values["front"]] == [point.usd_per_month for point in explored.front()]
    assert values["limits_left_aside"] == ["p95_latency_ms", "max_minutes_over_capacity"]
    assert [price["limit"] for price in values["limit_prices"]] == [
        price.limit for price in limit_prices(explored, rates, best)
    ]
    assert [step["title"] for step in values["steps"]] == [step.title for step in steps_to(today, best, rates)]
    assert sum(step["difference_usd_per_month"] for step in values["steps"]) == pytest.approx(
        best.cost.total_usd - today.cost.total_usd
    )
    assert values["today"]["broken"][0]["constraint"] == "min_tasks"
    assert len(values["availability"]) == 5
    assert {value["group"] for value in values["choices"]} >= {"Architecture", "Network layout", "Savings Plan"}


def test_tables_and_files(call, tmp_path: Path) -> None:
    files = [tmp_path / f"front{ending}" for ending in (".html", ".md", ".csv")]
    options = [word for path in files for word in ("--output", path)]
    result = call("tradeoffs", scenario(tmp_path), "--risk", "p95_latency_ms", *options)
    assert result.returncode == 0, result.stderr
    for title in (
        "Cost against p95 latency",
        "Runners-up",
        "What each limit of the promise costs",
        "The price of the last nine",
        "From today to the plan",
        "Other choices, each alone",
    ):
        assert f"\n{title}" in result.stdout
        assert f"\n## {title}" in files[1].read_text()
        assert f"<caption>{title}" in files[0].read_text()
    rows = list(csv.DictReader(files[2].read_text().splitlines()))
    assert len(rows) == len(explored_of(Scenario.from_file(tmp_path / "scenario.yaml")))
    assert [path.name in result.stderr for path in files] == [True] * 3
    check_refused(
        call("tradeoffs", tmp_path / "scenario.yaml", "--output", files[1]), "front.md exists already", "--force"
    )


def test_savings_plans_and_no_service(call, tmp_path: Path) -> None:
    plans = [{"term": "1yr", "payment_option": "No Upfront"}]
    path = scenario(tmp_path, savings_plans=plans, service=None)
    values = json.loads(call("tradeoffs", path, "--risk", "minutes_over_promise_per_month", "--json").stdout)
    best = Scenario.from_file(path).plan()
    assert values["plan"]["usd_per_month"] == best.cost.total_usd
    kept = [point for point in values["front"] if point["keeps_promise"]]
    assert kept[0]["usd_per_month"] == pytest.approx(best.cost.total_usd)
    assert values["today"] is None
    assert values["steps"] == []
    assert "From today" not in call("tradeoffs", path).stdout


def test_a_promise_that_nothing_keeps_still_has_a_front(call, tmp_path: Path) -> None:
    path = scenario(tmp_path, promise={"p95_latency_ms": 1})
    result = call("tradeoffs", path, "--risk", "minutes_over_promise_per_month")
    assert result.returncode == 1
    assert "no candidate keeps the promise" in result.stdout
    assert "Cost against minutes over the promise" in result.stdout
    # Which limit stands in the way is told: without it there is a plan.
    assert "still no candidate keeps the promise" in result.stdout
    assert result.stderr.startswith("Error: None of ")
    values = json.loads(call("tradeoffs", path, "--risk", "minutes_over_promise_per_month", "--json").stdout)
    assert values["plan"] is None
    freed = {price["limit"]: price["without_it"] for price in values["limit_prices"]}
    assert freed["p95_latency_ms"] is not None
    assert freed["min_tasks"] is None


def test_what_tradeoffs_refuses(call, tmp_path: Path) -> None:
    path = scenario(tmp_path)
    check_refused(call("tradeoffs", path, "--risk", "luck"), "--risk is 'luck'", "minutes_over_promise_per_month")
    check_refused(
        call("tradeoffs", path, "--output", tmp_path / "front.pdf"), "front.pdf ends in '.pdf'", ".html, .md, .csv"
    )
    check_refused(call("tradeoffs", path, "--output", tmp_path / "front"), "has no ending")
    check_refused(call("tradeoffs", tmp_path / "none.yaml"), "none.yaml")


def test_why_todays_service_is_not_the_plan(call, tmp_path: Path) -> None:
    path = scenario(tmp_path)
    document = Scenario.from_file(path)
    found = why_not(document.plan(), document.rates(), document.spec())
    result = call("why", path)
    assert result.returncode == 0, result.stderr
    assert found.verdict in result.stdout
    assert "Limits that it breaks" in result.stdout
    assert "Where the bills differ" in result.stdout
    values = json.loads(call("why", path, "--json").stdout)
    assert values["kind"] == "breaks"
    assert values["difference_usd_per_month"] == pytest.approx(found.difference_usd)


def test_why_with_options_changes_the_plan(call, tmp_path: Path) -> None:
    path = scenario(tmp_path)
    best = Scenario.from_file(path).plan()
    same = json.loads(call("why", path, "--min", best.spec.min_capacity, "--json").stdout)
    assert same["kind"] == "plan"
    options = ("--cpu", 1024, "--memory", 4096, "--arch", "X86_64", "--target", 55, "--min", 3, "--max", 9)
    more = ("--scale-out-cooldown", 60, "--scale-in-cooldown", 120, "--spot-percent", 25, "--layout", "nat")
    values = json.loads(call("why", path, *options, *more, "--json").stdout)["other_service"]
    assert values["task_size"] == {"cpu_units": 1024, "memory_mib": 4096}
    assert values["cpu_architecture"] == "X86_64"
    assert (values["min_capacity"], values["max_capacity"]) == (3, 9)
    (policy,) = values["scaling"]
    assert policy["target_value"] == 55
    assert (policy["scale_out_cooldown_s"], policy["scale_in_cooldown_s"]) == (60, 120)
    assert (
        CapacityProviderStrategy(**values["capacity_provider_strategy"]).describe() == "25 % Fargate Spot above 3 tasks"
    )
    assert (values["network"]["layout"], values["network"]["nat_gateways"]) == ("nat", 1)
    on_demand = json.loads(call("why", path, "--spot-percent", 0, "--min", 3, "--json").stdout)["other_service"]
    assert CapacityProviderStrategy(**on_demand["capacity_provider_strategy"]) == CapacityProviderStrategy()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cpu", 333), ("--cpu is 333", "256, 512, 1024")),
        (("--cpu", 4096), ("memory_mib is", "with cpu_units 4096", "Give --memory too.")),
        (("--memory", 77), ("--memory is 77",)),
        (("--arch", "RISC"), ("--arch is 'RISC'", "X86_64, ARM64")),
        (("--target", 300), ("--target is 300", "1 to 100")),
        (("--min", 500), ("max_capacity is 20", "Give --max too.")),
        (("--min", 0), ("--min is 0",)),
        (("--spot-percent", 101), ("--spot-percent is 101", "0 to 100")),
        (("--layout", "cloud"), ("--layout is 'cloud'", "public, nat, endpoints, ipv6")),
        (("--scale-out-cooldown", -1), ("--scale-out-cooldown is -1",)),
    ],
)
def test_what_why_refuses(call, tmp_path: Path, options: tuple[object, ...], words: tuple[str, ...]) -> None:
    check_refused(call("why", scenario(tmp_path), *options), *words)


def test_why_needs_something_to_ask_about(call, tmp_path: Path) -> None:
    check_refused(call("why", scenario(tmp_path, service=None)), "has no `service` section", "--cpu 512")
    impossible = scenario(tmp_path, promise={"p95_latency_ms": 1})
    check_refused(call("why", impossible), "None of ", "keeps the promise")


def test_help_has_an_example(call) -> None:
    assert "estimator tradeoffs shop.yaml --output front.html" in call("tradeoffs", "--help").stdout
    assert "estimator why shop.yaml --cpu 512" in call("why", "--help").stdout
