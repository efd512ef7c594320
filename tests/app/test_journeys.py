"""Journeys through the page of a plan in a real Chromium: one server, and each journey as a person would go it."""

import datetime as dt
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from estimator.budget import bill_that_is_kept
from estimator.planning.why_not import why_not
from estimator.pricing.snapshots import load_rates
from estimator.report.plan_figures import leading_dimension
from estimator.report.tables import bill_table
from estimator.scenario import Scenario
from estimator.ui.cached import Question
from estimator.ui.candidates import explored_of
from tests.browser import at_rest

pytestmark = pytest.mark.slow

PEAK = "Peak load (requests/s)"


def _opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def _expect_bill(page: Page, plan) -> None:
    metric = page.get_by_test_id("stMetric").filter(has_text="Monthly bill")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(f"${plan.cost.total_usd:,.2f}")


def _with(path: Path, **changes) -> Scenario:
    values = Scenario.from_file(path).to_dict()
    for section, fields in changes.items():
        values[section] = values[section] | fields if isinstance(fields, dict) and "kind" not in fields else fields
    return Scenario.from_dict(values)


def _linked(address: str, scenario: Scenario | dict) -> str:
    values = scenario if isinstance(scenario, dict) else scenario.to_dict()
    return f"{address}/?scenario={quote(json.dumps(values))}"


def _move(page: Page, label: str, key: str = "ArrowRight") -> None:
    slider = page.get_by_role("slider", name=label)
    slider.focus()
    slider.press(key)


def test_a_strangers_first_plan(context, address, own):
    page = _opened(context, address)
    scenario = _with(own)
    plan = scenario.plan()
    _expect_bill(page, plan)
    # The range comes by itself, and ends where the Python call ends.
    kept = f"{bill_that_is_kept(plan):,.2f}"
    expect(page.get_by_text(re.compile(r"between these lie 90 of 100 months"))).to_contain_text(kept)

    # Cost against risk: the plan's own dot, clicked, says that it is the plan; one of the list, why it lost.
    explored = explored_of(Question(scenario, own.parent))
    expect(page.get_by_text(f"Each of {len(explored):,} candidates is a dot")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    dot = page.locator(".st-key-chart-candidates .scatterlayer .trace").last.locator("path.point")
    # Above it lies what plotly feels the pointer with.
    dot.click(force=True)
    expect(page.get_by_text("it is the plan itself")).to_be_visible()
    other = explored.runners_up(1)[0].candidate
    page.get_by_role("combobox", name="Candidate", exact=True).click()
    page.get_by_role("option").filter(has_text=other.spec.describe()).first.click()
    verdict = why_not(plan, load_rates(scenario.region), other.spec).verdict
    expect(page.get_by_text(verdict)).to_be_visible()

    # A control, another bill; undone, the bill from before.
    _move(page, PEAK)
    moved = _with(own, load={"peak_requests_per_s": 355.0}).plan()
    assert moved.cost.total_usd != plan.cost.total_usd
    _expect_bill(page, moved)
    page.get_by_role("button", name="Undo").click()
    _expect_bill(page, plan)
    expect(page.get_by_role("slider", name=PEAK)).to_have_value("350")

    # A figure as each of three files, a table as one.
    page.locator(".st-key-save-chart-lcu-box").get_by_text("Save").click()
    saved = {}
    for name, ending in (("Picture (PNG)", "png"), ("Drawing (SVG)", "svg"), ("Page (HTML)", "html")):
        with page.expect_download() as download:
            page.locator(".st-key-save-chart-lcu-box").get_by_role("button", name=name).click()
        assert download.value.suggested_filename == f"capacity-units.{ending}"
        saved[ending] = download.value.path().read_bytes()
    assert saved["png"].startswith(b"\x89PNG\r\n\x1a\n")
    drawing = saved["svg"].decode()
    assert all(trace.name in drawing for trace in leading_dimension(plan).data if trace.showlegend is not False)
    assert b"<title>The four dimensions" in saved["html"]
    assert re.findall(rb'<(?:script|link)[^>]+(?:src|href)="http', saved["html"]) == []
    with page.expect_download() as download:
        page.locator(".st-key-download-table-bill").get_by_role("button").click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(bill_table(plan.cost).rows) + 2
    assert f"{plan.cost.total_usd:.2f}" in rows[-1]


def _csv(hours: int, *, without: tuple[int, ...] = (), broken: int | None = None) -> bytes:
    begin = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    rows = ["timestamp,requests"]
    for hour in range(hours):
        if hour not in without:
            count = "many" if hour == broken else str(36_000 + 3_600 * (hour % 24))
            rows.append(f"{(begin + dt.timedelta(hours=hour)).isoformat()},{count}")
    return "\n".join(rows).encode()


def _drop(page: Page, name: str, data: bytes) -> None:
    # A file that comes while the page is still written may be lost.
    at_rest(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": data}
    )


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_csv_with_gaps_and_its_link(context, address, own, tmp_path):
    page = _opened(context, address)
    _expect_bill(page, _with(own).plan())
    _choose(page, "Load over time", "A CSV file of mine")
    gaps = _csv(48, without=(5, 6))
    _drop(page, "../march.csv", gaps)
    refused = page.get_by_test_id("stSidebar").get_by_test_id("stAlert")
    expect(refused).to_contain_text("march.csv, row 7: 2 intervals of 3600 s are missing")
    expect(refused).to_contain_text("Here: Where rows are missing")
    _choose(page, "Where rows are missing", "Draw a line across")
    (tmp_path / "requests.csv").write_bytes(gaps)
    load = {"kind": "csv", "path": "requests.csv", "gaps": "interpolate"}
    plan = _with(own, load=load).plan(folder=tmp_path)
    _expect_bill(page, plan)
    expect(page.get_by_test_id("stSidebar").get_by_text("they are filled by interpolate")).to_be_visible()
    page.get_by_text("A link to these settings").click()
    link = page.locator("code").filter(has_text="?scenario=").inner_text()
    assert len(link) <= 8000
    assert "march" in link
    assert str(own.parent) not in link

    # A file with an error says its row, and what is allowed.
    _drop(page, "april.csv", _csv(48, broken=10))
    expect(refused).to_contain_text("april.csv, row 12")
    expect(refused).to_contain_text("is not an ISO 8601 timestamp and a number of requests")
    expect(page.get_by_test_id("stException")).to_have_count(0)

    # Opened afresh the link asks for the file, takes no other, and shows the same bill.
    other = _opened(context, link)
    expect(other.get_by_test_id("stMain").get_by_text("march.csv (")).to_be_visible()
    _drop(other, "march.csv", _csv(48))
    expect(other.get_by_test_id("stMain").get_by_text("march.csv is not the file of this link")).to_be_visible()
    _drop(other, "copy.csv", gaps)
    _expect_bill(other, plan)


def test_links_of_strangers(context, address, own):
    whole = _with(own).to_dict()
    for link, said in (
        (f"{address}/?scenario=%7B%22region%22", "The link is not valid JSON"),
        (f"{address}/?scenario={'x' * 12_000}", "The link has 12,000 characters; at most 8,000"),
        (_linked(address, whole | {"region": ["eu-west-1"]}), "region"),
        (_linked(address, whole | {"load": {"kind": "csv", "path": "/etc/passwd"}}), "a link cannot carry a file"),
    ):
        page = _opened(context, link)
        expect(page.get_by_test_id("stAlert")).to_contain_text(said)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.close()
    page = _opened(context, f"{address}/?scenario=%7B")
    expect(page.get_by_test_id("stAlert")).to_contain_text("The link is not valid JSON")
    _choose(page, "Start from", "From the command line")
    _expect_bill(page, _with(own).plan())


def test_two_tabs_at_once(context, address, own):
    scenarios = [_with(own, load={"kind": "constant", "requests_per_s": rate}) for rate in (40, 90)]
    tabs = [_opened(context, _linked(address, scenario)) for scenario in scenarios]
    for tab in tabs:
        _move(tab, "Load (requests/s)")
    for tab, rate in zip(tabs, (41, 91), strict=True):
        _expect_bill(tab, _with(own, load={"kind": "constant", "requests_per_s": rate}).plan())


def test_a_long_search_is_stopped(context, address, own):
    page = _opened(context, address)
    _expect_bill(page, _with(own).plan())
    weekly = {"kind": "weekly", "peak_requests_per_s": 900, "trough_requests_per_s": 100}
    wide = {"layouts": ["public", "nat"], "spot_percents": [0, 30, 60], "scale_in_cooldowns_s": [60, 300, 900]}
    page.goto(_linked(address, _with(own, load=weekly).to_dict() | {"search": wide}))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("The search was stopped")).to_be_visible()
    at_rest(page)
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    # Nothing of it runs on: another question has its answer, and the stopped one can go on.
    _choose(page, "Start from", "From the command line")
    _expect_bill(page, _with(own).plan())
    _move(page, PEAK)
    _expect_bill(page, _with(own, load={"peak_requests_per_s": 355.0}).plan())


def _tab_to(page: Page, name: str, most: int = 120) -> None:
    """Press the tabulator until what has this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        # The help of a control comes before it, and has its name too.
        if name in (focused := page.evaluate(_FOCUSED)) and not focused.startswith("Help"):
            return
    raise AssertionError(f"The keyboard does not come to {name}.")


#: Name of what has the focus, inside a component of ours too.
_FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (at?.matches('main, section')) return '';  // it scrolls, and holds all names
  return (at?.getAttribute('aria-label') ?? '') + ' ' + (at?.innerText ?? '');
}"""


def test_the_page_by_keyboard_alone(context, address, own):
    page = _opened(context, address)
    plan = _with(own).plan()
    _expect_bill(page, plan)
    _tab_to(page, PEAK)
    page.keyboard.press("ArrowRight")
    _expect_bill(page, _with(own, load={"peak_requests_per_s": 355.0}).plan())
    page.keyboard.press("ArrowLeft")
    _expect_bill(page, plan)
    _tab_to(page, "Limit p95 latency")
    page.keyboard.press("Space")
    _expect_bill(page, _with(own, promise={"p95_latency_ms": None}).plan())
    page.keyboard.press("Space")
    _expect_bill(page, plan)
    # What comes later is there, so that nothing moves below the keys.
    expect(page.get_by_text("between these lie")).to_be_visible()
    expect(page.get_by_text("candidates is a dot")).to_be_visible()
    at_rest(page)
    # The figure of the bill: its button, and inside it the picture.
    _tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Picture (PNG)").first).to_be_visible()
    _tab_to(page, "Picture (PNG)", 5)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "bill.png"
    # A line of the bill opens its arithmetic.
    _tab_to(page, "Arithmetic of", 20)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name=next(iter(plan.cost)).title)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("code").filter(has_text="USD a month").first).to_be_visible()
