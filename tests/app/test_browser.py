"""The app in a real browser, on a real server that was started from another folder."""

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from estimator.pricing.snapshots import load_rates
from estimator.report.course_tables import replay_table
from estimator.scenario import Scenario
from estimator.simulation.replay import replay_flash_crowd
from estimator.units import data_path
from tests.browser import at_rest

pytestmark = pytest.mark.slow


def _expect_bill(page: Page, text: str) -> None:
    metric = page.get_by_test_id("stMetric").filter(has_text="Monthly bill")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(text)


def _plan(path: Path):
    scenario = Scenario.from_file(path)
    return scenario.plan(load_rates(scenario.region), path.parent)


def _start(page: Page, name: str) -> None:
    # The help of a button below the mouse, such as Reset, lies over the list of scenarios.
    page.mouse.move(0, 0)
    expect(page.get_by_role("tooltip")).to_have_count(0)
    page.get_by_role("combobox", name="Start from").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_the_stack_and_the_scenario_can_be_taken_away(page, own):
    plan = _plan(own)
    _expect_bill(page, f"${plan.cost.total_usd:,.2f}")
    at_rest(page)
    with page.expect_download() as stack:
        page.get_by_role("button", name="Download the stack").click()
    with zipfile.ZipFile(io.BytesIO(stack.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert {"app.py", "stack_config.json"} <= set(archive.namelist())
        config = json.loads(archive.read("stack_config.json"))
    assert plan.fingerprint() in json.dumps(config)
    with page.expect_download() as scenario:
        page.get_by_role("button", name="Download the scenario").click()
    assert Scenario.from_text(scenario.value.path().read_text(encoding="utf-8")) == Scenario.from_file(own)


def test_what_runs_today_and_a_flash_crowd_from_a_link(page, own):
    _expect_bill(page, f"${_plan(own).cost.total_usd:,.2f}")
    example = data_path("examples", "shop-daily-peak.yaml")
    values = Scenario.from_file(own).to_dict() | {"service": Scenario.from_file(example).to_dict()["service"]}
    values["load"] = {"kind": "constant", "requests_per_s": 40}
    linked = Scenario.from_dict(values)
    page.goto(f"{page.url.rstrip('/')}/?scenario={quote(json.dumps(values))}")
    _expect_bill(page, f"${linked.plan().cost.total_usd:,.2f}")
    # What runs today gets a second policy.
    page.get_by_text("Scaling", exact=True).click()
    page.get_by_role("radio", name="Policies").click()
    kinds = page.get_by_role("combobox", name="Kind")
    expect(kinds).to_have_count(1)
    at_rest(page)
    page.get_by_role("button", name="Add a policy").click()
    expect(kinds).to_have_count(2)
    expect(page.get_by_role("cell", name="1 step from CPU 70 % up")).to_be_visible()
    # The form keeps what it says on the other page, and so does the link.
    page.get_by_role("link", name="Flash crowd").click()
    expect(page.get_by_role("heading", name="What if a flash crowd comes?")).to_be_visible()
    page.get_by_role("radio", name="What runs today").click()
    slider = page.get_by_role("slider", name="Rises to (× the load)")
    slider.focus()
    slider.press("ArrowRight")
    service = values["service"] | {
        "scaling": [{"policy_type": "TargetTrackingScaling"}, {"policy_type": "StepScaling"}]
    }
    service["scaling"][0]["target_value"] = service.pop("target_value")
    spec = Scenario.from_dict(values | {"service": service}).spec()
    usual = {"application": linked.application, "behavior": linked.behavior, "p95_latency_ms": 250}
    found = replay_flash_crowd(linked.workload(), spec, factor=10.5, **usual)
    expect(page.get_by_role("heading", name=replay_table(found).title)).to_be_visible()
    assert "scenario=" in page.url
    assert "factor=10.5" in page.url
    at_rest(page)
    with page.expect_download() as table:
        page.get_by_role("button", name="Download the table").click()
    assert table.value.path().read_text(encoding="utf-8") == found.to_frame().to_csv()
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_role("cell", name="1 step from CPU 70 % up")).to_be_visible()
    expect(page.get_by_role("combobox", name="Start from")).to_have_value("From the link")
    page.get_by_text("Scaling", exact=True).click()
    expect(kinds).to_have_count(2)
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("cell", name="1 step from CPU 70 % up")).to_have_count(0)
    expect(page.get_by_role("radio", name="CPU target")).to_be_checked()
    # What moved the desired count of a load that changes can be read and taken away.
    _start(page, "shop-daily-peak")
    plan = _plan(example)
    page.get_by_text(f"Scaling activities ({len(plan.series.activities)})").click()
    # While figures still come in, each takes the place of what could be downloaded.
    at_rest(page)
    with page.expect_download() as activities:
        page.get_by_role("button", name="Download the scaling activities").click()
    frame = plan.series.activities_frame()
    assert activities.value.path().read_text(encoding="utf-8") == frame.to_csv(index=False)
