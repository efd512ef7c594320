"""Where a bill comes from and what it is elsewhere: `estimate --explain`, `regions` and `networks`."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from tests.test_cli import check_refused, scenario_file

SERVICE = {"cpu_units": 256, "memory_mib": 512}


def test_a_line_is_explained_by_its_arithmetic(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE, hours_per_month=720)
    shown = call("estimate", path, "--explain", "alb_hour").stdout
    # AWS: 0.0252 USD an hour in Ireland; 720 hours.
    assert "= 720 Hrs\n" in shown
    assert "720 Hrs × 0.0252 USD = 18.1440 USD" in shown
    assert "cost: 18.14 USD a month" in shown
    assert re.search(r"rate: SKU \w{16}, usage type EU-LoadBalancerUsage, published 20\d\d-\d\d-\d\d", shown)
    assert "rule: AWS, Elastic Load Balancing pricing" in shown


def test_tiers_and_discounts_are_shown_one_by_one(call, tmp_path: Path) -> None:
    load = {"kind": "constant", "requests_per_s": 1000}
    request = {"cpu_ms_per_request": 1, "response_kb": 20, "requests_per_connection": 1000, "tls_handshake_sent_kb": 0}
    prices = {"discounts_percent": {"AWSDataTransfer": 10}}
    path = scenario_file(
        tmp_path, load=load, request=request, service={"cpu_units": 2048, "memory_mib": 4096}, prices=prices
    )
    shown = call("estimate", path, "--explain", "internet_egress").stdout
    # 52,560 GB: 10,240 at 9 cents, 40,960 at 8.5, and 1,360 at 7.
    assert "  10,240 GB × 0.09 USD = 921.6000 USD" in shown
    assert "  from 10,240 on: 40,960 GB × 0.085 USD = 3,481.6000 USD" in shown
    assert "  from 51,200 on: 1,360" in shown
    assert "× 0.07 USD = 95.2000 USD" in shown
    assert "less 10 % private discount" in shown
    assert f"cost: {0.9 * 4498.40:,.2f} USD a month" in shown


def test_all_lines_are_explained_and_add_up(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    values = json.loads(call("estimate", path, "--explain", "all", "--json").stdout)
    cost = Scenario.from_file(path).estimate().cost
    assert list(values) == [line.charge for line in cost]
    said = [float(re.search(r"cost: ([\d,.]+) USD", "\n".join(lines))[1].replace(",", "")) for lines in values.values()]
    assert sum(said) == pytest.approx(cost.total_usd, abs=0.005 * len(said))


@pytest.mark.parametrize(
    ("charge", "words"), [("secrets", "has no quantity"), ("alb_our", "Did you mean alb_hour?"), ("", "is no line")]
)
def test_a_line_that_is_not_there(call, tmp_path: Path, charge: str, words: str) -> None:
    check_refused(call("estimate", scenario_file(tmp_path, service=SERVICE), "--explain", charge), words, "alb_hour")


@pytest.mark.parametrize("option", ["--export", "--focus", "--output"])
def test_what_explains_writes_nothing_and_says_so(call, tmp_path: Path, option: str) -> None:
    path, target = scenario_file(tmp_path, service=SERVICE), tmp_path / "new"
    check_refused(
        call("estimate", path, "--explain", "all", option, target), "leave out --output, --export and --focus"
    )
    assert not target.exists()


def test_the_service_in_all_regions(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    values = json.loads(call("regions", path, "--json").stdout)
    bills = values["regions"]
    assert {bill["region"] for bill in bills} == set(REGIONS)
    whole = [bill["usd_per_month"] for bill in bills if not bill["is_lower_bound"]]
    assert whole == sorted(whole)
    assert bills == sorted(bills, key=lambda bill: bill["is_lower_bound"])
    # Each is what an estimate there says.
    for region in ("eu-west-1", "sa-east-1", "ap-east-2"):
        there = Scenario.from_file(scenario_file(tmp_path, service=SERVICE, region=region)).estimate()
        (found,) = (bill for bill in bills if bill["region"] == region)
        assert found["usd_per_month"] == pytest.approx(there.cost.total_usd, rel=1e-12)


def test_what_a_region_does_not_know_is_said(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE, extras={"waf_rules": 2})
    shown = call("regions", path).stdout
    assert "web_acl_month" not in load_rates("ap-east-2")
    (row,) = (line for line in shown.splitlines() if line.startswith("ap-east-2"))
    assert "at least" in row
    assert "Web ACL" in row
    (home,) = (line for line in shown.splitlines() if line.startswith("eu-west-1"))
    assert home.split()[-1] == "here"


def test_without_a_service_the_plan_is_priced(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path)
    values = json.loads(call("regions", path, "--json").stdout)
    plan = Scenario.from_file(path).plan()
    assert values["service"] == plan.spec.describe()
    (home,) = (bill for bill in values["regions"] if bill["region"] == "eu-west-1")
    assert home["usd_per_month"] == pytest.approx(plan.cost.total_usd)


def test_the_service_in_each_network_layout(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    values = json.loads(call("networks", path, "--json").stdout)["networks"]
    assert [bill["layout"] for bill in values].count("nat") == 2
    # IPv6 is cheaper than any of them, and serves on a condition.
    totals = [bill["usd_per_month"] for bill in values if not bill["condition"]]
    assert totals == sorted(totals)
    assert [bill["layout"] for bill in values if bill["condition"]] == ["ipv6"]
    # Each is what an estimate with that layout says.
    for bill in values:
        network = {"layout": bill["layout"]} | ({"nat_gateways": bill["nat_gateways"]} if bill["nat_gateways"] else {})
        there = Scenario.from_file(scenario_file(tmp_path, service=SERVICE, network=network)).estimate()
        assert bill["usd_per_month"] == pytest.approx(there.cost.total_usd, rel=1e-12)
    shown = call("networks", path).stdout
    assert "The same service in each network layout" in shown
    calls = scenario_file(
        tmp_path, service=SERVICE, request={"cpu_ms_per_request": 10, "outbound_sent_kb_per_request": 1}
    )
    assert "no way to the internet" in call("networks", calls).stdout


@pytest.mark.parametrize("command", ["estimate", "plan"])
def test_a_bill_is_written_as_each_document(call, tmp_path: Path, command: str) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    targets = [tmp_path / f"bill{ending}" for ending in (".md", ".csv", ".JSON", ".html")]
    options = [word for target in targets for word in ("--output", target)]
    result = call(command, path, *options, "--json")
    assert result.returncode == 0
    said = json.loads(result.stdout)
    document = Scenario.from_file(path)
    plan = document.estimate() if command == "estimate" else document.plan()
    for target in targets:
        assert f"Wrote {target}." in result.stderr
    markdown, table, values, page = (target.read_text(encoding="utf-8") for target in targets)
    assert json.loads(values) == said
    assert said["cost"]["total_usd_per_month"] == plan.cost.total_usd
    assert f"**{plan.cost.total_text}**" in markdown
    assert [row["charge"] for row in csv.DictReader(io.StringIO(table))] == [line.charge for line in plan.cost]
    assert plan.fingerprint() in page
    # What is there stays, unless one says so; nothing is simulated before.
    targets[0].write_text("mine")
    check_refused(call(command, path, "--output", targets[0]), "bill.md exists already", "--force")
    assert targets[0].read_text() == "mine"
    assert call(command, path, "--output", targets[0], "--force").returncode == 0
    assert targets[0].read_text(encoding="utf-8") == markdown


@pytest.mark.parametrize(
    ("name", "words"),
    [("bill.txt", "ends in '.txt'"), ("bill", "has no ending"), ("none/bill.md", "in a folder that is there")],
)
def test_a_bill_that_cannot_be_written_is_refused_before_anything_is_computed(
    call, tmp_path: Path, monkeypatch, name: str, words: str
) -> None:
    monkeypatch.setattr(Scenario, "estimate", lambda *_: pytest.fail("it was simulated"))
    good, target = tmp_path / "bill.json", tmp_path / name
    path = scenario_file(tmp_path, service=SERVICE)
    check_refused(call("estimate", path, "--output", good, "--output", target), str(target), words)
    assert not good.exists()
    assert not target.exists()


def test_each_file_is_asked_for_once(call, tmp_path: Path) -> None:
    path, target = scenario_file(tmp_path, service=SERVICE), tmp_path / "bill.csv"
    same = tmp_path / "." / "bill.csv"
    for options in (("--output", target, "--output", same), ("--focus", target, "--output", same)):
        check_refused(call("estimate", path, *options), "bill.csv is asked for twice", "a name of its own")
    assert not target.exists()


def test_savings_plans_are_said_on_the_terminal(call, tmp_path: Path) -> None:
    plans = [{"term": "1yr", "payment_option": "No Upfront", "commitment_usd_per_h": 0.001}]
    path = scenario_file(tmp_path, service=SERVICE, region="us-east-1", savings_plans=plans)
    shown = call("estimate", path).stdout
    said = Scenario.from_file(path).estimate().cost.savings_plans_text
    assert said.startswith("Compute Savings Plan, 1 year, No Upfront: 0.001 USD an hour")
    assert said in shown
    assert (
        "Savings Plan"
        not in call("estimate", scenario_file(tmp_path, service=SERVICE)).stdout.partition("Not included")[0]
    )


@pytest.mark.parametrize("command", ["regions", "networks"])
def test_help_has_an_example(call, command: str) -> None:
    assert f"Example: estimator {command} shop.yaml" in call(command, "--help").stdout


def test_without_requests_there_is_no_cost_by_request(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, load={"kind": "constant", "requests_per_s": 0}, service=SERVICE)
    shown = call("estimate", path).stdout
    assert "No requests, so no cost by request." in shown
    assert "0 requests a month, which consume no capacity units of the load balancer." in shown
    assert json.loads(call("estimate", path, "--json").stdout)["figures"]["usd_per_million_requests"] is None


def test_a_folder_is_no_file(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    check_refused(call("estimate", path, "--focus", tmp_path), "it is a folder. Name a file in it")
    check_refused(call("estimate", tmp_path), "it is a folder. Name a file in it")


def test_a_layout_that_is_none_is_said_with_its_place(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE, network={"layout": "public", "nat_gateways": 2})
    check_refused(call("estimate", path), "scenario.yaml: network.nat_gateways is 2", "choose the nat layout")


def test_a_part_of_a_charges_name_leads_to_it(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE)
    check_refused(call("estimate", path, "--explain", "egress"), "Did you mean internet_egress?")


def test_a_plan_of_cloudfront_without_cloudfront_is_said_with_its_file(call, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, service=SERVICE, extras={"cloudfront_plan": "pro"})
    check_refused(call("estimate", path), "scenario.yaml: cloudfront_plan is pro and behind_cloudfront is false")
