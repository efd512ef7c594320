import json
import math
import os
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from estimator.billing.lcu import DIMENSIONS
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from estimator.report.bill_documents import bill_csv, bill_json, bill_markdown
from estimator.report.bill_page import bill_html
from estimator.report.focus import focus_frame
from estimator.report.provenance import explain
from estimator.scenario import Scenario
from estimator.ui import tables
from estimator.units import data_path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_beside")]

EXAMPLES = sorted(path.stem for path in data_path("examples").glob("*.yaml"))
PEAK, LATENCY, CPU = "Peak load (requests/s)", "p95 latency at most (ms)", "CPU time per request (ms)"


def _open() -> AppTest:
    return AppTest.from_file(str(data_path("app_streamlit.py")), default_timeout=120).run()


@pytest.fixture
def page() -> AppTest:
    return _open()


def _by_label(widgets, label):
    found = [widget for widget in widgets if widget.label == label]
    assert len(found) == 1, [widget.label for widget in widgets]
    return found[0]


def _start(page: AppTest, name: str) -> AppTest:
    return _by_label(page.selectbox, "Start from").select(name).run()


def _bill(page: AppTest) -> str:
    assert not page.exception
    assert not page.error
    return _by_label(page.metric, "Monthly bill").value


def _example(name: str, **changes) -> Scenario:
    values = Scenario.from_file(data_path("examples", f"{name}.yaml")).to_dict()
    for section, fields in changes.items():
        values[section] = values[section] | fields if isinstance(fields, dict) else fields
    return Scenario.from_dict(values)


def _plan(scenario: Scenario, folder: Path | None = None):
    return scenario.plan(load_rates(scenario.region), folder or data_path("examples"))


def _total(scenario: Scenario) -> str:
    return f"${_plan(scenario).cost.total_usd:,.2f}"


def _spaced(text: str) -> str:
    """A cell's text without what keeps some of its words together."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _over_promise(plan) -> str:
    """What the page says of the minutes in which the promised p95 does not hold."""
    minutes = plan.figures["minutes_over_promise_per_month"]
    return f"in all but {minutes:,.1f} minutes of a month" if minutes else "that holds in every minute too"


def test_the_first_run_has_an_answer(page):
    assert _bill(page) == _total(_example("shop-daily-peak"))
    assert page.title[0].value
    assert len(page.get("plotly_chart")) == 5
    labels = [button.label for button in page.get("download_button")]
    # Each table can be saved, and each figure; the scaling activities have a button of their own.
    assert labels.count("CSV") == len(page.table) - 1
    assert [label for label in labels if label not in {"CSV", "Page (HTML)"}] == [
        *("Download the scaling activities", "Download the stack", "Download the scenario"),
        *("Markdown", "Lines (CSV)", "JSON", "FOCUS 1.0 (CSV)"),
    ]
    assert labels.count("Page (HTML)") == len(page.get("plotly_chart")) + 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_presets_cost_what_the_api_says(page, name):
    _start(page, name)
    plan = _plan(_example(name))
    assert _bill(page) == f"${plan.cost.total_usd:,.2f}"
    bill = next(table.value for table in page.table if "SKU" in table.value.columns)
    costs = bill["USD/month"].tolist()
    assert costs[:-1] == [round(line.list_cost, 2) for line in plan.cost]
    assert costs[-1] == round(plan.cost.total_usd, 2)
    assert all(line.title.split()[0] in text for line, text in zip(plan.cost, bill["Charge"], strict=False))
    assert any(plan.lcu.leading in caption.value for caption in page.caption)
    assert plan.lcu.leading in DIMENSIONS
    assert any(plan.cost.not_included[:40] in caption.value for caption in page.caption)
    # What moved the desired count, in the console's words.
    activities = plan.series.activities
    heads = [box.label for box in page.expander if box.label.startswith("Scaling activities")]
    assert heads == ([f"Scaling activities ({len(activities)})"] if activities else [])
    if activities:
        listed = next(table.value for table in page.table if "Cause" in table.value.columns)
        assert len(listed) == min(len(activities), 100)
        assert [tables.plain(activity.cause) for activity in activities[:100]] == [
            _spaced(text) for text in listed["Cause"]
        ]
    assert any(_over_promise(plan) in caption.value for caption in page.caption)
    # Today stands beside the plan.
    today = _example(name).estimate(load_rates(_example(name).region), data_path("examples"))
    beside = next(table.value for table in page.table if "Today" in table.value.columns)
    assert beside["Today"].tolist()[1].replace("\\", "") == f"${today.cost.total_usd:,.2f}"
    minutes = f"{today.figures['minutes_over_promise_per_month']:,.1f}"
    assert beside["Today"].tolist()[-1] == minutes
    # The difference of the two bills as they are written: the three add up.
    change = round(plan.cost.total_usd, 2) - round(today.cost.total_usd, 2)
    assert (
        _by_label(page.metric, "Monthly bill").delta == f"{'-' if change < 0 else '+'}${abs(change):,.2f} against today"
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_sliders_hold_the_scenario(page, name):
    _start(page, name)
    assert all(slider.min <= slider.value <= slider.max for slider in page.slider)
    assert all(slider.help for slider in page.slider)
    cpu = _by_label(page.slider, CPU)
    assert cpu.value == _example(name).request.cpu_ms_per_request


def test_a_moved_slider_costs_what_the_api_says(page):
    before = _bill(page)
    _by_label(page.slider, PEAK).set_value(500.0).run()
    assert _bill(page) == _total(_example("shop-daily-peak", load={"peak_requests_per_s": 500})) != before
    _by_label(page.slider, CPU).set_value(20.0).run()
    changed = _example("shop-daily-peak", load={"peak_requests_per_s": 500}, request={"cpu_ms_per_request": 20})
    assert _bill(page) == _total(changed)
    _by_label(page.button, "Reset").click().run()
    assert _bill(page) == before
    assert _by_label(page.slider, PEAK).value == 350


def test_another_preset_forgets_the_controls(page):
    _by_label(page.slider, CPU).set_value(80.0).run()
    _start(page, "article-web-server")
    assert _by_label(page.slider, CPU).value == 12
    _start(page, "shop-daily-peak")
    assert _by_label(page.slider, CPU).value == 40


def test_other_choices_cost_what_the_api_says(page):
    region = _by_label(page.selectbox, "Region")
    assert len(region.options) == len(REGIONS) == 36
    region.select("us-east-1").run()
    assert _bill(page) == _total(_example("shop-daily-peak", region="us-east-1"))
    _by_label(page.selectbox, "Tasks stand in").select("public").run()
    network = {"layout": "public", "nat_gateways": None}
    assert _bill(page) == _total(_example("shop-daily-peak", region="us-east-1", network=network))
    _by_label(page.toggle, "Limit p95 latency").set_value(False).run()
    promise = {"p95_latency_ms": None}
    assert _bill(page) == _total(_example("shop-daily-peak", region="us-east-1", network=network, promise=promise))


def test_another_kind_of_load_keeps_its_rates(page):
    _by_label(page.selectbox, "Load over time").select("weekly").run()
    load = {
        "kind": "weekly",
        "peak_requests_per_s": 350,
        "trough_requests_per_s": 50,
        "peak_hour": 20,
        "weekend_factor": 0.6,
    }
    values = _example("shop-daily-peak").to_dict() | {"load": load}
    assert _bill(page) == _total(Scenario.from_dict(values))
    _by_label(page.selectbox, "Load over time").select("constant").run()
    values["load"] = {"kind": "constant", "requests_per_s": 200}
    assert _bill(page) == _total(Scenario.from_dict(values))
    _by_label(page.selectbox, "Load over time").select("seasonal").run()
    values["load"] = {"kind": "seasonal", "peak_requests_per_s": 350, "trough_requests_per_s": 50}
    assert _bill(page) == _total(Scenario.from_dict(values))


def test_what_bends_a_load_stays_when_a_control_moves(own, monkeypatch):
    values = _example("shop-daily-peak").to_dict()
    values["load"] |= {"repeat": 7, "growth_percent_per_month": 50, "noise": {"percent": 10, "seed": 1}}
    own.write_text(yaml.safe_dump(values), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    _by_label(page.slider, PEAK).set_value(500).run()
    values["load"]["peak_requests_per_s"] = 500
    assert _bill(page) == _total(Scenario.from_dict(values))


def test_a_parquet_file_of_requests(own, monkeypatch):
    table = pa.table({"timestamp": [f"2026-03-01T{hour:02}:00:00Z" for hour in range(24)], "requests": [36_000] * 24})
    pq.write_table(table, own.with_name("load.parquet"))
    values = _example("shop-daily-peak").to_dict() | {"load": {"kind": "parquet", "path": "load.parquet"}}
    own.write_text(yaml.safe_dump(values), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    _by_label(page.slider, "Load (× the file)").set_value(2.0).run()
    values["load"]["scale"] = 2
    assert _bill(page) == f"${_plan(Scenario.from_dict(values), own.parent).cost.total_usd:,.2f}"


def test_a_file_of_requests_can_be_scaled(page):
    _start(page, "booking-week-csv")
    _by_label(page.slider, "Load (× the file)").set_value(2.0).run()
    assert _bill(page) == _total(_example("booking-week-csv", load={"scale": 2.0}))
    _by_label(page.selectbox, "Load over time").select("daily").run()
    assert not page.exception


def test_fewer_zones_take_their_gateways_with_them(page):
    _by_label(page.slider, "Availability zones").set_value(3.0).run()
    _by_label(page.slider, "NAT gateways").set_value(3.0).run()
    assert _bill(page) == _total(_example("shop-daily-peak", network={"availability_zones": 3, "nat_gateways": 3}))
    _by_label(page.slider, "Availability zones").set_value(2.0).run()
    assert _bill(page) == _total(_example("shop-daily-peak", network={"availability_zones": 2, "nat_gateways": 2}))


def test_an_impossible_promise_is_a_sentence_and_a_table(page):
    _by_label(page.slider, LATENCY).set_value(10.0).run()
    assert not page.exception
    assert not page.metric
    assert page.error[0].value.startswith("None of ")
    assert "p95_latency_ms" in page.error[0].value
    assert list(page.table[0].value.columns) == ["Candidate", "USD/month", "Why\N{NO-BREAK SPACE}not"]
    assert 0 < len(page.table[0].value) <= 8


def test_a_layout_without_internet_leaves_out_the_calls_to_others(page):
    _by_label(page.selectbox, "Tasks stand in").select("endpoints").run()
    assert not page.exception
    assert not page.error
    assert any("calls to other services" in caption.value for caption in page.caption)


def test_a_trough_is_never_above_its_peak(page):
    _by_label(page.slider, PEAK).set_value(30.0).run()
    assert not page.exception
    assert not page.error


def test_a_region_without_a_rate_is_a_sentence_or_an_answer(page):
    for region in ("ap-southeast-7", "us-gov-west-1", "mx-central-1"):
        _by_label(page.selectbox, "Region").select(region).run()
        assert not page.exception
        assert bool(page.error) != bool(page.metric)


@pytest.fixture
def own(tmp_path) -> Path:
    values = _example("shop-daily-peak").to_dict()
    values["load"] = {"kind": "constant", "requests_per_s": 4321.5}
    values["request"]["cpu_ms_per_request"] = 2.5
    values["service"] = None
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_a_file_from_the_command_line_comes_first(own, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    plan = _plan(Scenario.from_file(own))
    assert _by_label(page.selectbox, "Start from").value == "From the command line"
    assert _bill(page) == f"${plan.cost.total_usd:,.2f}"
    load = _by_label(page.slider, "Load (requests/s)")
    assert load.value == 4321.5 < load.max == 9000
    per_million = plan.cost.total_usd / plan.cost.requests * 1e6
    assert _by_label(page.metric, "Monthly bill").delta == f"${per_million:,.2f} per million requests"
    assert math.isclose(plan.cost.requests, 4321.5 * 3600 * 730)


def test_a_broken_file_is_a_sentence(own, monkeypatch):
    own.write_text("region: eu-west-1\nload: {kind: daily}\nrequest: {cpu_ms_per_reqest: 3}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    assert not page.exception
    assert str(own) in page.error[0].value
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own.with_name("none.yaml"))])
    assert "cannot be read" in _open().error[0].value


def test_a_missing_file_of_requests_is_a_sentence(own, monkeypatch):
    values = _example("booking-week-csv").to_dict()
    values["load"]["path"] = "nowhere.csv"
    own.write_text(yaml.safe_dump(values), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    assert not page.exception
    assert "nowhere.csv" in page.error[0].value


def _linked(text: str) -> AppTest:
    page = AppTest.from_file(str(data_path("app_streamlit.py")), default_timeout=120)
    page.query_params["scenario"] = text
    return page.run()


def test_a_link_brings_the_settings_back(page):
    _by_label(page.slider, CPU).set_value(25.0).run()
    bill = _bill(page)
    link = next(code.value for code in page.code if "?scenario=" in code.value)
    (text,) = parse_qs(urlsplit(link).query)["scenario"]
    other = _linked(text)
    assert _by_label(other.selectbox, "Start from").value == "From the link"
    assert _by_label(other.slider, CPU).value == 25
    assert _bill(other) == bill
    _start(other, "article-web-server")
    assert _bill(other) == _total(_example("article-web-server"))


def test_a_file_of_requests_has_no_link(page):
    _start(page, "booking-week-csv")
    assert _bill(page)
    assert not any("?scenario=" in code.value for code in page.code)


def test_the_python_on_the_page_gives_the_same_bill(page, tmp_path, monkeypatch, capsys):
    _by_label(page.slider, CPU).set_value(25.0).run()
    bill = _bill(page)
    scenario = _example("shop-daily-peak", request={"cpu_ms_per_request": 25})
    (tmp_path / "scenario.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(next(code.value for code in page.code if code.value.startswith("from estimator")), {})  # noqa: S102 - our own
    assert capsys.readouterr().out.strip() == f"{bill} a month"
    assert (tmp_path / "my-stack" / "app.py").is_file()


def test_own_prices_are_on_the_page(own, monkeypatch):
    values = yaml.safe_load(own.read_text(encoding="utf-8"))
    values["prices"] = {"overrides": "own.csv", "discounts_percent": {"AmazonECS": 10}}
    own.write_text(yaml.safe_dump(values), encoding="utf-8")
    table = own.with_name("own.csv")
    table.write_text("price,region,usd_per_unit,reason,date\nalb_hour,*,0.5,contract [4711],2026-01-31\n")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    scenario = Scenario.from_file(own)
    plan = scenario.plan(scenario.rates(own.parent), own.parent)
    assert _bill(page) == f"${plan.cost.total_usd:,.2f}"
    listed = Scenario.from_dict({key: value for key, value in values.items() if key != "prices"})
    assert plan.cost.total_usd != _plan(listed).cost.total_usd
    bill = next(each.value for each in page.table if "SKU" in each.value.columns)
    assert bill["USD/month"].tolist()[:-1] == [round(line.contracted_cost, 2) for line in plan.cost]
    skus = [_spaced(text) for text in bill["SKU"]]
    assert any("your price: contract" in text for text in skus)
    assert any("less 10 % private discount" in text for text in skus)
    # On a phone only the first columns are seen.
    charges = [text.replace("\N{NO-BREAK SPACE}", " ") for text in bill["Charge"]]
    assert sum("your price: contract" in text for text in charges) == 1
    assert sum("less 10 % private discount" in text for text in charges) == 2
    captions = [caption.value for caption in page.caption]
    assert any("at your own prices or discounts" in text for text in captions)
    assert any("prices refresh" in text for text in captions) == bool(plan.cost.stale())
    # A link cannot carry the file.
    assert "`own.csv`, which must lie beside it" in " ".join(captions)
    assert not any("?scenario=" in code.value for code in page.code)
    # A new file is a new question, a broken one a sentence.
    table.write_text(table.read_text().replace("0.5", "5"))
    os.utime(table, ns=(1, 1))
    dearer = scenario.plan(scenario.rates(own.parent), own.parent)
    assert _bill(page.run()) == f"${dearer.cost.total_usd:,.2f}"
    table.write_text(table.read_text().replace("alb_hour", "alb_our"))
    page.run()
    assert not page.exception
    assert "alb_our" in page.error[0].value


def test_a_link_carries_discounts_but_reads_no_file(page):
    values = {
        "region": "eu-west-1",
        "load": {"kind": "constant", "requests_per_s": 5},
        "request": {"cpu_ms_per_request": 9},
        "prices": {"discounts_percent": {"*": 25}, "as_of": "2026-07-01"},
    }
    other = _linked(json.dumps(values))
    scenario = Scenario.from_dict(values)
    assert _bill(other) == f"${scenario.plan(scenario.rates()).cost.total_usd:,.2f}"
    assert any("Prices as of 2026-07-01." in caption.value for caption in other.caption)
    again = next(code.value for code in other.code if "?scenario=" in code.value)
    assert _bill(_linked(parse_qs(urlsplit(again).query)["scenario"][0])) == _bill(other)


def test_what_runs_today_is_edited_beside_the_plan(page, monkeypatch):
    _start(page, "article-web-server")
    before = _bill(page)
    searched = []
    monkeypatch.setattr(Scenario, "plan", lambda *_: searched.append(1))
    _by_label(page.number_input, "Tasks at least").set_value(2).run()
    _by_label(page.selectbox, "Memory").select("1024").run()
    service = {"min_capacity": 2, "memory_mib": 1024}
    scenario = _example("article-web-server", service=_example("article-web-server").to_dict()["service"] | service)
    today = scenario.estimate(load_rates(scenario.region))
    beside = next(table.value for table in page.table if "Today" in table.value.columns)
    assert beside["Today"].tolist()[1].replace("\\", "") == f"${today.cost.total_usd:,.2f}"
    # The plan does not depend on it, and is not searched anew.
    assert _bill(page) == before
    assert searched == []
    # What the page gives away says it.
    link = next(code.value for code in page.code if "?scenario=" in code.value)
    (text,) = parse_qs(urlsplit(link).query)["scenario"]
    assert Scenario.from_text(text) == scenario
    # A wrong value is a sentence beside its control, and on the page in place of the plan.
    _by_label(page.number_input, "Tasks at most").set_value(1).run()
    assert not page.exception
    in_place, on_page = sorted((error.value for error in page.error), key=len)
    assert in_place in on_page
    assert "max_capacity is 1; it must be min_capacity (2)" in tables.plain(in_place).replace("\\", "")
    assert not page.metric
    _by_label(page.toggle, "Compare with what runs today").set_value(False).run()
    assert _bill(page) == before
    assert not any("Today" in table.value.columns for table in page.table)


def test_what_happens_is_in_the_bill(page):
    _start(page, "article-web-server")
    _by_label(page.button, "Add a deployment").click().run()
    scenario = _example("article-web-server", operations={"deployment_schedules": ["cron(0 10 * * ? *)"]})
    assert _bill(page) == _total(scenario)
    assert _total(scenario) != _total(_example("article-web-server"))


def test_the_bill_comes_about_in_steps(page):
    plan = _plan(_example("shop-daily-peak"))
    chart = next(chart for chart in page.get("plotly_chart") if '"waterfall"' in chart.proto.spec)
    (bars,) = json.loads(chart.proto.spec)["data"]
    assert sum(bars["x"][:-1]) == pytest.approx(plan.cost.total_usd)
    assert bars["y"][0] == "Compute"


def test_each_line_opens_its_arithmetic(page):
    choice = _by_label(page.selectbox, "Arithmetic of")
    plan = _plan(_example("shop-daily-peak"))
    assert choice.value is None
    assert choice.options == [line.title for line in plan.cost]
    rates = load_rates("eu-west-1")
    for charge in ("alb_hour", "internet_egress"):
        _by_label(page.selectbox, "Arithmetic of").select(charge).run()
        assert not page.exception
        (line,) = (line for line in plan.cost if line.charge == charge)
        assert "\n".join(explain(line, rates[line.price])) in [code.value for code in page.code]
    # It stays open while a control moves, and says the new numbers.
    _by_label(page.slider, PEAK).set_value(500.0).run()
    assert _by_label(page.selectbox, "Arithmetic of").value == "internet_egress"
    moved = _plan(_example("shop-daily-peak", load={"peak_requests_per_s": 500}))
    (line,) = (line for line in moved.cost if line.charge == "internet_egress")
    assert f"cost: {line.effective_cost:,.2f} USD a month" in " ".join(code.value for code in page.code)


def test_the_bill_can_be_taken_away_as_each_document(monkeypatch):
    written = {}

    def record(label, data, file_name, media_type, **_):
        written[label] = (file_name, data, media_type)

    monkeypatch.setattr("streamlit.download_button", record)
    page = _open()
    assert not page.exception
    plan = _plan(_example("shop-daily-peak"))
    rates = load_rates("eu-west-1")
    texts = {
        "Page (HTML)": ("shop-daily-peak-bill.html", bill_html(plan, rates), "text/html"),
        "Markdown": ("shop-daily-peak-bill.md", bill_markdown(plan), "text/markdown"),
        "Lines (CSV)": ("shop-daily-peak-bill.csv", bill_csv(plan), "text/csv"),
        "JSON": ("shop-daily-peak-bill.json", bill_json(plan), "application/json"),
        "FOCUS 1.0 (CSV)": (
            "shop-daily-peak-focus.csv",
            focus_frame(plan.cost).to_csv(index=False, lineterminator="\n"),
            "text/csv",
        ),
    }
    for label, (file_name, text, media_type) in texts.items():
        name, data, kind = written[label]
        # Nothing is written before it is asked for.
        assert callable(data)
        assert (name, data(), kind) == (file_name, text, media_type)


def test_savings_plans_are_on_the_page(own, monkeypatch):
    values = yaml.safe_load(own.read_text(encoding="utf-8")) | {"region": "us-east-1"}
    values["savings_plans"] = [{"term": "1yr", "payment_option": "No Upfront", "commitment_usd_per_h": 0.01}]
    own.write_text(yaml.safe_dump(values), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(own)])
    page = _open()
    plan = _plan(Scenario.from_file(own))
    assert _bill(page) == f"${plan.cost.total_usd:,.2f}"
    assert "with Savings Plans" in _by_label(page.metric, "Monthly bill").help
    assert any(tables.plain(plan.cost.savings_plans_text) in caption.value for caption in page.caption)
    chart = next(chart for chart in page.get("plotly_chart") if '"waterfall"' in chart.proto.spec)
    assert "Savings Plans" in json.loads(chart.proto.spec)["data"][0]["y"]
    assert any(option.endswith(", Savings Plan") for option in _by_label(page.selectbox, "Arithmetic of").options)


def test_a_long_list_of_activities_is_cut():
    values = _example("shop-daily-peak").to_dict() | {"promise": {"p95_latency_ms": None}}
    values["load"] = {"kind": "weekly", "peak_requests_per_s": 350, "trough_requests_per_s": 50}
    plan = Scenario.from_dict(values).estimate()
    count = len(plan.series.activities)
    assert count > 100

    def script(plan):
        from estimator.ui import activities

        activities.show(plan)

    page = AppTest.from_function(script, args=(plan,)).run()
    assert not page.exception
    assert page.expander[0].label == f"Scaling activities ({count:,})"
    assert len(page.table[0].value) == 100
    assert "the first 100" in page.caption[0].value


def test_a_service_that_never_scales_has_no_activities():
    plan = _example("article-web-server").estimate()
    assert plan.series.activities == ()

    def script(plan):
        from estimator.ui import activities

        activities.show(plan)

    page = AppTest.from_function(script, args=(plan,)).run()
    assert not page.expander
    assert page.caption[0].value.startswith("No scaling activity")


def test_the_course_of_today_can_be_seen_instead_of_the_plans(page):
    _start(page, "shop-daily-peak")
    scenario = _example("shop-daily-peak")
    activities = {}
    for name, plan in (("plan", _plan(scenario)), ("today", scenario.estimate(load_rates(scenario.region)))):
        activities[name] = f"Scaling activities ({len(plan.series.activities):,})"
    assert len(set(activities.values())) == 2
    assert activities["plan"] in [box.label for box in page.expander]
    course = _by_label(page.get("button_group"), "Course of")
    course.set_value("What runs today").run()
    assert not page.exception
    assert activities["today"] in [box.label for box in page.expander]
    # Without it there is nothing to choose.
    _by_label(page.toggle, "Compare with what runs today").set_value(False).run()
    assert activities["plan"] in [box.label for box in page.expander]
    assert "Course of" not in [group.label for group in page.get("button_group")]


def test_figures_follow_the_promise(page):
    def promised() -> set[str]:
        chart = next(chart for chart in page.get("plotly_chart") if "response time" in chart.proto.spec)
        return set(re.findall(r"promised [0-9]+ ms", chart.proto.spec))

    _start(page, "article-web-server")
    before = promised()
    assert before
    plan = _bill(page)
    slider = _by_label(page.slider, LATENCY)
    slider.set_value(slider.value + 10).run()
    # The same service, and another line in its figure.
    assert _bill(page) == plan
    assert promised() == {f"promised {_by_label(page.slider, LATENCY).value:.0f} ms"} != before


def test_what_happens_is_marked_in_the_figures(page):
    _start(page, "article-web-server")
    _by_label(page.button, "Add a deployment").click().run()
    _by_label(page.button, "Add a shortage").click().run()
    assert not page.exception
    charts = [chart.proto.spec for chart in page.get("plotly_chart")]
    assert [("deployment" in spec, "no Fargate Spot" in spec) for spec in charts].count((True, True)) == 3
    # What does not touch the service is said.
    assert any("does not touch this service" in caption.value for caption in page.caption)


def test_the_difference_is_that_of_the_figures_on_the_page(page):
    _start(page, "shop-daily-peak")
    beside = next(table.value for table in page.table if "Today" in table.value.columns)
    for today, plan, difference in beside[["Today", "Plan", "Difference"]].to_numpy().tolist()[1:]:
        before, after, change = (
            float(re.sub(r"[^0-9.+-]", "", text.replace("\N{MINUS SIGN}", "-"))) for text in (today, plan, difference)
        )
        assert change == pytest.approx(after - before)


def test_a_table_says_each_number_as_the_report_does():
    def script():
        from estimator.report.tables import Table
        from estimator.ui import tables

        rows = (
            ("a", "1,234.50", "7", "word"),
            ("b", "", "7.0", "a longer note of $4"),
            ("c", "at least 1,234.50", "8", ""),
            ("d", "never", "9", ""),
            ("e", "6:40", "10", ""),
        )
        tables.show(Table("x", ("", ">First", ">Second", "Note"), rows, footer=("Total", "2.00", "", "")))

    page = AppTest.from_function(script).run()
    assert not page.exception
    # What the page writes, which is not what it sorts by.
    shown = pa.ipc.open_stream(page.table[0].proto.arrow_data.styler.display_values).read_pandas()
    assert shown["First"].tolist() == ["1,234.50", "", "at least 1,234.50", "never", "6:40", "2.00"]
    assert shown["Second"].tolist() == ["7", "7.0", "8", "9", "10", ""]
    assert shown["Note"].tolist()[0] == "word"
    assert _spaced(shown["Note"].tolist()[1]) == "a longer note of \\$4"
    assert page.table[0].value["First"].tolist()[4] == 400
