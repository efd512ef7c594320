"""The page on the bill says what the bill is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from estimator.billing.charges import CHARGES
from estimator.report.charges_table import charges_markdown
from estimator.scenario import Scenario
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.network import LAYOUTS
from tests.test_cli import check_refused

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "bill.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_has_every_charge():
    # `estimator charges --markdown` prints the table anew.
    assert charges_markdown() in PAGE
    named = {row[1].strip("`").removesuffix(":...") for row in rows_under("Every line")}
    assert named == {name.partition(":")[0] for name in CHARGES}


def test_the_assumptions_are_the_defaults():
    extras, behavior = Extras(), AwsBehavior()
    defaults = {
        "hours_per_month": "730",
        "extras.log_stored_share": f"{100 * extras.log_stored_share:g} %",
        "extras.insights_metrics_...": f"{extras.insights_metrics_per_service}, {extras.insights_metrics_per_task} and "
        f"{extras.insights_metrics_per_container}",
        "extras.insights_log_bytes_per_task_minute": f"{extras.insights_log_bytes_per_task_minute:,.0f} bytes",
        "extras.access_log_bytes_per_request": f"{extras.access_log_bytes_per_request:g} bytes",
        "extras.managed_alarms_billed": "yes" if extras.managed_alarms_billed else "no",
        "extras.ecr_images": str(extras.ecr_images),
        "extras.cloudfront_upload_share": "all" if extras.cloudfront_upload_share == 1 else "a part",
        "behavior.cross_zone_ends_billed": {1: "once", 2: "twice"}[behavior.cross_zone_ends_billed],
        "behavior.minimum_billed_s": f"{behavior.minimum_billed_s:g} s, {behavior.windows_minimum_billed_s:g} s",
        "behavior.connection_count_factor": "those of clients" if behavior.connection_count_factor == 1 else "both",
    }
    shown = {re.findall("`([^`]+)`", row[2])[0]: row[1] for row in rows_under("Assumptions with a default")}
    assert shown == defaults


def test_the_page_has_every_network_layout():
    assert [row[0].strip("`") for row in rows_under("The network")] == list(LAYOUTS)


def test_the_example_of_savings_plans_is_a_scenario():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    document = {
        "region": "us-east-1",
        "load": {"kind": "constant", "requests_per_s": 20},
        "request": {"cpu_ms_per_request": 10},
        "service": {"cpu_units": 1024, "memory_mib": 2048},
    }
    cost = Scenario.from_text(yaml.safe_dump(document | yaml.safe_load(example))).estimate().cost
    assert [done.plan.existing for done in cost.savings_plans] == [True, False]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`estimator (prices [a-z]+|[a-z]+)", PAGE))))
def test_each_command_of_the_page_has_help(command):
    shown = subprocess.run(
        [sys.executable, "-m", "estimator", *command.split(), "--help"], check=True, capture_output=True, text=True
    ).stdout
    for option in re.findall(rf"`estimator {command}[^`]* (--[a-z]+)", PAGE):
        assert option in shown


def test_charges_are_listed(call):
    shown = call("charges", "nat").stdout
    assert "nat_gateway_gb" in shown
    assert "alb_hour" not in shown
    assert call("charges").stdout.count("\n") > len({name.partition(":")[0] for name in CHARGES})
    check_refused(call("charges", "lambda-function"), "lambda-function")
