"""The document: bad ones say field, value and what is allowed in one sentence; good ones come out as they went in."""

import json
from dataclasses import fields

import jsonschema
import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.planning.promise import Choices, Promise
from estimator.pricing.snapshots import load_rates
from estimator.scenario import MAX_DOCUMENT_BYTES, Scenario, scenario_schema
from estimator.sections import Prices
from estimator.service.application import Application
from estimator.template import scenario_template
from estimator.units import data_path
from estimator.workload.request import Request
from tests.properties.strategies import rates_of

EXAMPLES = sorted(data_path("examples").glob("*.yaml"))
GOOD = """\
region: us-east-1
load: {kind: constant, requests_per_s: 5}
request: {cpu_ms_per_request: 10}
"""


def run(text):
    """Do all that a command does with a document: read it, make the workload and the candidate, price it."""
    scenario = Scenario.from_text(text)
    scenario.workload()
    scenario.network_layout()
    scenario.rates()
    if scenario.service:
        scenario.estimate(rates_of())
    return scenario


def swap(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (swap("region: us-east-1", "region: us-east-7"), ["'us-east-7'", "us-east-1", "Did you mean"]),
        (swap("region: us-east-1", "region: 7"), ["region is 7", "text", "quotes"]),
        (swap("region: us-east-1\n", ""), ["region is missing"]),
        (swap("load: {kind: constant, requests_per_s: 5}\n", ""), ["load is missing"]),
        (swap("kind: constant", "kind: linear"), ["load", "linear", "constant"]),
        (swap("kind: constant, ", ""), ["load", "kind"]),
        (swap("requests_per_s: 5", "requests_per_s: -5"), ["requests_per_s is -5", "0 or more"]),
        (swap("requests_per_s: 5", "requests_per_s: .nan"), ["requests_per_s", "nan"]),
        (swap("requests_per_s: 5", "requests_per_s: many"), ["load.requests_per_s is 'many'", "number"]),
        (swap("requests_per_s: 5", "requests_per_second: 5"), ["requests_per_second", "Did you mean requests_per_s"]),
        (swap("cpu_ms_per_request: 10", "cpu_ms_per_request: 0"), ["cpu_ms_per_request is 0", "more than 0"]),
        (swap("{cpu_ms_per_request: 10}", "{}"), ["request.cpu_ms_per_request is missing"]),
        (swap("cpu_ms_per_request: 10", "cpu_ms_per_request: 10, respons_kb: 3"), ["Did you mean response_kb"]),
        (swap("{cpu_ms_per_request: 10}", "10"), ["request is 10"]),
        (GOOD + "version: 2\n", ["version is 2", "1"]),
        (GOOD + "name: my service\n", ["name is 'my service'"]),
        (GOOD + "name: ''\n", ["name is ''"]),
        (GOOD + "servce: {}\n", ["servce is not a field", "Did you mean service"]),
        (GOOD + "1: 2\n", ["1"]),
        (GOOD + "network: {layout: vpn}\n", ["network.layout is 'vpn'", "public", "nat", "endpoints"]),
        (GOOD + "network: {availability_zones: 1}\n", ["availability_zones is 1", "2 to 6"]),
        (GOOD + "network: {availability_zones: 2.5}\n", ["availability_zones is 2.5"]),
        (GOOD + "network: {nat_gateways: 1}\n", ["nat_gateways is 1", "0 in the public layout"]),
        (GOOD + "network: {layout: nat, nat_gateways: 5}\n", ["nat_gateways is 5", "availability_zones (2)"]),
        (GOOD + "application: {container_port: 0}\n", ["container_port is 0", "1 to 65535"]),
        (GOOD + "application: {ephemeral_storage_gib: 10}\n", ["ephemeral_storage_gib is 10", "20 to 200"]),
        (GOOD + "application: {health_check_path: health}\n", ["health_check_path is 'health'", "begin with /"]),
        (GOOD + "application: {log_retention_days: 8}\n", ["log_retention_days is 8", "7, 14"]),
        (GOOD + "application: {environment: {A: 1}}\n", ["application.environment.A is 1", "text", "quotes"]),
        (GOOD + "promise: {p95_latency_ms: -1}\n", ["p95_latency_ms is -1", "0.001 to 600000", "Null switches"]),
        (GOOD + "promise: {min_tasks: none}\n", ["min_tasks is 'none'"]),
        (GOOD + "search: {target_values: []}\n", ["target_values is empty"]),
        (GOOD + "search: {target_values: 60}\n", ["search.target_values is 60"]),
        (GOOD + "behavior: {low_factor: 2}\n", ["low_factor is 2", "0.1 to 1"]),
        (GOOD + "behavior: {unbilled_s: 100}\n", ["unbilled_s is 100", "23"]),
        (GOOD + "service: {cpu_units: 300, memory_mib: 512}\n", ["cpu_units is 300", "256, 512"]),
        (GOOD + "service: {cpu_units: 256, memory_mib: 4096}\n", ["memory_mib is 4096", "512, 1024, 2048"]),
        (GOOD + "service: {cpu_units: 256}\n", ["service.memory_mib is missing"]),
        (GOOD + "service: {cpu_units: 256, memory_mib: 512, target_value: 0}\n", ["target_value is 0", "1 to 100"]),
        (GOOD + "service: {cpu_units: 256, memory_mib: 512, min_capacity: 11}\n", ["max_capacity is 10", "(11)"]),
        (
            GOOD + "service: {cpu_units: 256, memory_mib: 512}\nhours_per_month: 800\n",
            ["hours_per_month is 800", "1 to 744"],
        ),
        (
            swap("10}", "10, outbound_sent_kb_per_request: 1}") + "network: {layout: endpoints}\n",
            ["endpoints", "1 kB outbound"],
        ),
        (swap("kind: constant, requests_per_s: 5", "kind: csv, path: none.csv"), ["none.csv", "cannot be read"]),
        (GOOD + "prices: {as_of: yesterday}\n", ["prices.as_of is 'yesterday'", "2026-01-31"]),
        (GOOD + "prices: {as_of: 20260131}\n", ["as_of is 20260131", "2026-01-31"]),
        (GOOD + "prices: {as_of: '2026-02-30'}\n", ["prices.as_of is '2026-02-30'"]),
        (GOOD + "prices: {as_of: 2026-01-31 10:00:00}\n", ["as_of is", "2026-01-31"]),
        (GOOD + "prices: {as_of: 9999-01-31}\n", ["as_of is 9999-01-31", "a day to come"]),
        (GOOD + "prices: {overrides: none.csv}\n", ["none.csv", "cannot be read"]),
        (GOOD + 'prices: {overrides: "a\\0b.csv"}\n', ["a\\x00b.csv", "cannot be read"]),
        (GOOD + "prices: {overrides: ''}\n", ["overrides is ''", "path"]),
        (GOOD + "prices: {overides: a.csv}\n", ["overides is not a field", "Did you mean overrides"]),
        (GOOD + "prices: {discounts_percent: {AmazonEKS: 5}}\n", ["'AmazonEKS'", "Did you mean AmazonECS"]),
        (GOOD + "prices: {discounts_percent: {AmazonECS: 100}}\n", ["AmazonECS is 100", "below 100"]),
        (GOOD + "prices: {discounts_percent: {AmazonECS: lots}}\n", ["discounts_percent.AmazonECS is 'lots'"]),
        (GOOD + "prices: {discounts_percent: 10}\n", ["prices.discounts_percent is 10"]),
        (GOOD + "prices: {fargate_spot_ratio: 0}\n", ["fargate_spot_ratio is 0", "above 0 to 1"]),
        (GOOD + "prices: {fargate_spot_ratio: 1.5}\n", ["fargate_spot_ratio is 1.5", "70 % below"]),
        (GOOD + "name: [a\n", ["line", "not valid YAML"]),
        (GOOD + "\tname: a\n", ["line 4", "not valid YAML"]),
        ("", ["mapping"]),
        ("- a\n", ["mapping"]),
        ("5", ["mapping"]),
        ("a: !!python/object/apply:os.getcwd []", ["not valid YAML"]),
        ("[" * 5000, ["not valid YAML"]),
    ],
)
def test_bad_documents(text, said):
    with pytest.raises(InvalidScenario) as caught:
        run(text)
    message = str(caught.value)
    for part in said:
        assert part in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidScenario, match=r"nowhere\.yaml cannot be read.*estimator init"):
        Scenario.from_file(tmp_path / "nowhere.yaml")
    with pytest.raises(InvalidScenario, match="cannot be read: it is a folder"):
        Scenario.from_file(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(InvalidScenario, match="not UTF-8"):
        Scenario.from_file(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(InvalidScenario, match="1 MB"):
        Scenario.from_file(tmp_path / "large.yaml")


def test_rates_of_another_region():
    with pytest.raises(InvalidScenario, match=r"eu-west-1.*us-east-1"):
        Scenario.from_text(GOOD).estimate(rates_of(region="eu-west-1"))
    with pytest.raises(InvalidScenario, match="no `service` section"):
        Scenario.from_text(GOOD).estimate(rates_of())


def test_the_template():
    text = scenario_template()
    scenario = Scenario.from_text(text)
    scenario.estimate(rates_of(region="eu-west-1"))
    # With every comment that is a field made one, the defaults are what it said they were.
    lines = text.splitlines()
    names = {f.name for record in (Request, Application, Promise, Choices) for f in fields(record)}
    names |= {"application", "search", "availability_zones", *Prices.model_fields}
    bare = "\n".join(
        line.replace("# ", "", 1)
        if line.strip().startswith("# ") and line.split("#")[1].split(":")[0].strip() in names
        else line
        for line in lines
    )
    written = yaml.safe_load(bare)
    again = Scenario.from_text(bare)
    assert again.application == Application() == scenario.application
    assert again.search == Choices() == scenario.search
    assert again.request == scenario.request
    assert again.promise == scenario.promise == Promise(p95_latency_ms=250)
    for section, record in (("application", Application), ("search", Choices), ("promise", Promise)):
        assert set(written[section]) == {item.name for item in fields(record)}
    assert set(written["request"]) == {item.name for item in fields(Request)}
    assert again.prices == scenario.prices == Prices()
    assert set(written["prices"]) == set(Prices.model_fields)


def test_the_service_of_the_template_keeps_the_templates_promise():
    found = Scenario.from_text(scenario_template()).estimate()
    assert found.warnings == ()
    assert found.simulation.p95_latency_ms[0] <= 250
    assert found.simulation.minutes_over_capacity[0] == 0


def test_a_plan_of_the_template_is_cheaper_than_its_service():
    scenario = Scenario.from_text(scenario_template())
    assert scenario.plan().cost.total_usd < scenario.estimate().cost.total_usd


def test_the_scaling_that_the_template_has_in_comments_can_be_taken():
    lines = scenario_template().splitlines()
    first = next(n for n, line in enumerate(lines) if line == "  # scaling:")
    last = next(n for n, line in enumerate(lines) if "capacity_provider_strategy: {" in line and n > first)
    taken = [line.replace("  # ", "  ", 1) if first <= n <= last else line for n, line in enumerate(lines)]
    text = "\n".join(line for line in taken if not line.startswith("  target_value:"))
    # Any YAML parser reads it: the pure Python one refuses ` *` in braces without quotes.
    assert yaml.safe_load(text)["service"]["scheduled_actions"][0]["schedule"] == "cron(0 7 * * ? *)"
    scenario = Scenario.from_text(text)
    assert [type(policy).__name__[:4] for policy in scenario.spec().scaling] == ["Targ", "Step", "Pred"]
    assert len(scenario.spec().scheduled_actions) == 2
    assert scenario.spec().capacity_provider_strategy.spot_share == 0.75
    assert scenario.estimate().cost.total_usd > 0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(path):
    scenario = Scenario.from_file(path)
    assert scenario.workload(path.parent).load.requests > 0
    assert scenario.spec().min_capacity >= 1
    assert Scenario.from_text(scenario.to_yaml()) == scenario
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), scenario_schema())
    jsonschema.validate(scenario.to_dict(), scenario_schema())


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


def test_the_schema_refuses_what_the_reader_refuses():
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = yaml.safe_load(GOOD)
    assert validator.is_valid(good)
    for bad in (
        good | {"region": 5},
        good | {"colour": "red"},
        good | {"load": {"kind": "linear"}},
        good | {"request": {}},
        good | {"version": 2},
        good | {"network": {"layout": "vpn"}},
    ):
        assert not validator.is_valid(bad)
    assert not validator.is_valid(yaml.safe_load("region: eu-west-1"))


def test_every_field_is_described_and_every_number_has_its_unit():
    schema = scenario_schema()
    for part in [schema, *schema["$defs"].values()]:
        assert part.get("description")
        for name, field in part["properties"].items():
            assert field.get("description"), name


def test_a_json_document():
    document = yaml.safe_load(GOOD)
    for text in (json.dumps(document), json.dumps(document, indent=2), json.dumps(document, indent="\t")):
        assert Scenario.from_text(text) == Scenario.from_text(GOOD)


def test_a_document_cannot_be_changed():
    scenario = Scenario.from_text(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        scenario.region = "eu-west-1"


OWN = "price,region,usd_per_unit,reason,date\nfargate_spot_linux_arm_gb_hour,*,0.001,contract,2026-01-31\n"


def test_own_prices_go_over_each_other_in_order(tmp_path):
    (tmp_path / "own.csv").write_text(OWN + "fargate_linux_x86_vcpu_hour,us-east-1,0.04,contract,2026-01-31\n")
    prices = "prices: {overrides: own.csv, fargate_spot_ratio: 0.5, discounts_percent: {'*': 10}, as_of: 2026-07-01}\n"
    scenario = Scenario.from_text(GOOD + prices)
    rates, listed = scenario.rates(tmp_path), load_rates("us-east-1", as_of="2026-07-01")
    said = {name: (rates[name].tiers_text(), rates[name].discount_percent) for name in rates}
    assert said["fargate_spot_linux_arm_gb_hour"] == ("0.001", 0)
    assert said["fargate_linux_x86_vcpu_hour"] == ("0.04", 0)
    assert said["fargate_spot_linux_x86_vcpu_hour"] == ("0.02", 0)
    assert said["fargate_spot_linux_arm_vcpu_hour"] == ("0.01619", 0)
    assert said["alb_hour"] == (listed["alb_hour"].tiers_text(), 10)
    assert str(rates.as_of) == "2026-07-01"
    with pytest.raises(InvalidScenario, match=r"own\.csv cannot be read"):
        scenario.rates()


def test_a_scenario_without_own_prices_has_those_of_the_snapshot():
    scenario = Scenario.from_text(GOOD)
    rates, listed = scenario.rates(), load_rates("us-east-1")
    assert dict(rates.known) == dict(listed.known)
    assert (rates.as_of, rates.snapshot) == (None, listed.snapshot)


def test_a_day_is_read_with_and_without_quotes_and_written_as_text():
    one, other = (Scenario.from_text(GOOD + f"prices: {{as_of: {day}}}\n") for day in ("2026-01-31", "'2026-01-31'"))
    assert one == other == Scenario.from_text(one.to_yaml())
    assert one.to_dict()["prices"]["as_of"] == "2026-01-31"
    jsonschema.validate(one.to_dict(), scenario_schema())


# Faults that were there once.
def test_json_with_a_character_beyond_the_basic_plane():
    document = yaml.safe_load(GOOD) | {"application": {"environment": {"GREETING": "\N{WAVING HAND SIGN}"}}}
    scenario = Scenario.from_text(json.dumps(document))
    assert scenario.application.environment["GREETING"] == "\N{WAVING HAND SIGN}"


@pytest.mark.parametrize("value", ["2026-13-45", "0b_", "1" * 5000])
def test_scalars_that_yaml_cannot_make(value):
    with pytest.raises(InvalidScenario):
        Scenario.from_text(GOOD + f"name: {value}\n")


def test_a_message_stays_a_sentence():
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_text(GOOD + "name: " + "x" * 100_000 + "\n")
    assert len(str(caught.value)) < 2000


def test_yes_is_no_number():
    with pytest.raises(InvalidScenario):
        run(swap("cpu_ms_per_request: 10", "cpu_ms_per_request: yes"))


def test_a_section_that_stands_twice():
    with pytest.raises(InvalidScenario, match="name"):
        Scenario.from_text(GOOD + "name: a\nname: b\n")


@pytest.mark.parametrize("line", ["cpu_architectures: [RISC]", "capacity_provider: SPOT", "target_values: [0]"])
def test_search_is_checked_when_it_is_read(line):
    with pytest.raises(InvalidScenario):
        Scenario.from_text(GOOD + f"search: {{{line}}}\n")


def test_the_month_is_checked_when_it_is_read():
    with pytest.raises(InvalidScenario, match="hours_per_month"):
        Scenario.from_text(GOOD + "hours_per_month: -5\n")


def test_a_section_of_comments_is_one_that_is_not_given():
    assert Scenario.from_text(GOOD + "application:\nsearch:\n  # target_values: [60]\n") == Scenario.from_text(GOOD)
