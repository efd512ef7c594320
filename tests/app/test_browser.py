"""The app in a real browser, on a real server that was started from another folder."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from estimator.pricing.snapshots import load_rates
from estimator.report.course_tables import replay_table
from estimator.scenario import Scenario
from estimator.simulation.replay import replay_flash_crowd
from estimator.units import data_path
from tests.browser import PATIENCE_MS, chromium, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A scenario of the user's own."""
    values = Scenario.from_file(data_path("examples", "shop-daily-peak.yaml")).to_dict()
    values["load"] = {"kind": "constant", "requests_per_s": 77}
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def address(own) -> Iterator[str]:
    def command(port: int) -> list[str]:
        start = [sys.executable, "-m", "streamlit", "run", str(data_path("app_streamlit.py"))]
        flags = ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
        return [*start, *flags, "--", str(own)]

    environment = os.environ | {"PYTHONPATH": str(data_path())}
    with served(command, own.parent, own.with_name("server.log"), environment) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 2400})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(address)
    yield page
    context.close()
    assert said == []
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []


def _expect_bill(page: Page, text: str) -> None:
    metric = page.get_by_test_id("stMetric").filter(has_text="Monthly bill")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(text)


def _at_rest(page: Page) -> None:
    """Wait until nothing is computed, in the background either."""
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


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
    _at_rest(page)
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
    values = Scenario.from_file(own).to_dict()
    values["load"]["requests_per_s"] = 40
    linked = Scenario.from_dict(values)
    page.goto(f"{page.url.rstrip('/')}/?scenario={quote(json.dumps(values))}")
    _expect_bill(page, f"${linked.plan().cost.total_usd:,.2f}")
    # What runs today gets a second policy.
    page.get_by_text("Scaling", exact=True).click()
    page.get_by_role("radio", name="Policies").click()
    kinds = page.get_by_role("combobox", name="Kind")
    expect(kinds).to_have_count(1)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
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
    _at_rest(page)
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
    plan = _plan(data_path("examples", "shop-daily-peak.yaml"))
    page.get_by_text(f"Scaling activities ({len(plan.series.activities)})").click()
    # While figures still come in, each takes the place of what could be downloaded.
    _at_rest(page)
    with page.expect_download() as activities:
        page.get_by_role("button", name="Download the scaling activities").click()
    frame = plan.series.activities_frame()
    assert activities.value.path().read_text(encoding="utf-8") == frame.to_csv(index=False)
