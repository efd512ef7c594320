"""The page on which scenarios, regions and price lists stand side by side."""

import datetime as dt
import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from estimator.planning.comparison import compare
from estimator.planning.price_effect import price_effect, reprice
from estimator.planning.regions import bills_by_region
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from estimator.report.bill_steps import usd_by_group
from estimator.report.region_figures import bills_figure, regions_figure
from estimator.scenario import Scenario
from estimator.ui import compare_regions, compare_store, compare_tables
from estimator.units import data_path
from tests.browser import at_rest

pytestmark = pytest.mark.slow

WEB, WEEK = "article-web-server", "booking-week-csv"
FOLDER = data_path("examples")


def _script():
    import streamlit as st

    from estimator.ui import compare_page, what_if_page

    (what_if_page if st.session_state.get("page_shown") == "what-if" else compare_page).show()


def _open(name: str = WEB) -> AppTest:
    page = AppTest.from_function(_script, default_timeout=120)
    page.session_state["start"] = name
    return page.run()


def _one(widgets, label):
    found = [widget for widget in widgets if widget.label == label]
    assert len(found) == 1, [widget.label for widget in widgets]
    return found[0]


def _press(page: AppTest, key: str) -> AppTest:
    next(button for button in page.button if button.key == key).click().run()
    return _fine(page)


def _fine(page: AppTest) -> AppTest:
    assert not page.exception
    assert [error.value for error in page.error] == []
    return page


def _choose(page: AppTest, what: str) -> AppTest:
    next(group for group in page.get("button_group") if group.label == "Compare").set_value(what).run()
    return _fine(page)


def _table(page: AppTest, head: str):
    return next(each.value for each in page.table if each.value.columns[0].replace("\N{NO-BREAK SPACE}", " ") == head)


def _scenario(**changes) -> Scenario:
    values = Scenario.from_file(FOLDER / f"{WEB}.yaml").to_dict()
    for section, fields in changes.items():
        values[section] = values[section] | fields if isinstance(fields, dict) else fields
    return Scenario.from_dict(values)


@pytest.fixture(scope="module")
def plan():
    return _scenario().plan()


def test_a_kept_scenario_stands_beside_what_the_controls_say(plan):
    page = _open()
    _fine(page)
    assert "Nothing is kept yet" in page.info[0].value
    assert not page.checkbox
    _press(page, "keep.compare")
    assert not page.info
    _one(page.slider, "CPU time per request (ms)").set_value(24.0).run()
    _fine(page)
    other = _scenario(request={"cpu_ms_per_request": 24}).plan()
    found = compare(plan, other, (WEB, compare_store.CURRENT_NAME))
    assert found.difference_usd > 0
    assert any(found.verdict.replace("$", "\\$") in text.value for text in page.markdown)
    lines = _table(page, "USD/month")
    assert lines.iloc[-1, 1:].tolist() == pytest.approx(
        [plan.cost.total_usd, other.cost.total_usd, found.difference_usd], abs=0.0051
    )
    assert len(lines) == len(found.lines) + 1
    assert lines.iloc[:-1, 3].tolist() == pytest.approx([line.difference_usd for line in found.lines], abs=0.0051)
    figures = _table(page, "Figure").set_index("Figure")
    shown = [cell for name, cell in figures.iloc[:, 1].items() if "p95" in name]
    assert shown == [round(other.figures["p95_latency_ms"], 2)]
    assert any("differs between" in box.label for box in page.expander)
    assert {button.label for button in page.get("download_button")} >= {"CSV", "Page (HTML)"}


def test_names_can_be_changed_and_what_is_kept_removed():
    page = _press(_press(_open(), "keep.compare"), "keep.compare")
    names = [text for text in page.text_input if text.label == "Name"]
    assert [text.value for text in names] == [WEB, f"{WEB} 2"]
    names[1].set_value("  cheaper  ").run()
    assert list(_table(page, "Figure").columns[1:]) == [WEB, "cheaper", compare_store.CURRENT_NAME]
    # Two of one name could not be told apart.
    next(text for text in page.text_input if text.value == "cheaper").set_value(WEB).run()
    assert [text.value for text in page.text_input if text.label == "Name"] == [WEB, f"{WEB} 2"]
    # An empty name, or one that is text of a page, is only a name.
    next(text for text in page.text_input if text.value == f"{WEB} 2").set_value("").run()
    assert [text.value for text in page.text_input if text.label == "Name"] == [WEB, f"{WEB} 2"]
    next(text for text in page.text_input if text.value == f"{WEB} 2").set_value("<b>*x*</b> $1").run()
    _fine(page)
    assert "<b>*x*</b> $1" in [text.value for text in page.text_input]
    remove = [button for button in page.button if button.label == "Remove"]
    assert len(remove) == 2
    remove[0].click().run()
    _fine(page)
    assert [text.value for text in page.text_input if text.label == "Name"] == ["<b>*x*</b> $1"]
    assert len(_table(page, "Figure").columns) == 3


def test_at_most_four_stand_side_by_side_and_eight_are_kept():
    page = _open()
    for _ in range(compare_store.MOST_KEPT):
        _press(page, "keep.compare")
    assert next(button for button in page.button if button.key == "keep.compare").disabled
    beside = [box for box in page.checkbox if box.label == "Side by side"]
    assert [box.value for box in beside] == [False] * 4 + [True] * 4 + [False]
    assert [box.disabled for box in beside] == [not box.value for box in beside]
    assert list(_table(page, "Figure").columns[1:]) == [f"{WEB} {number}" for number in (5, 6, 7, 8)]
    # One makes room for what the controls say.
    beside[4].set_value(False).run()
    next(box for box in page.checkbox if box.key == f"compare.beside.{compare_store.CURRENT}").set_value(True).run()
    _fine(page)
    expected = [f"{WEB} 6", f"{WEB} 7", f"{WEB} 8", compare_store.CURRENT_NAME]
    assert list(_table(page, "Figure").columns[1:]) == expected
    for box in page.checkbox:
        if not box.disabled:
            box.set_value(False)
    page.run()
    _fine(page)
    assert not page.table


def test_a_service_made_by_hand_is_kept_as_it_is(plan):
    page = AppTest.from_function(_script, default_timeout=120)
    page.session_state["start"], page.session_state["page_shown"] = WEB, "what-if"
    page.run()
    next(number for number in page.number_input if number.key == "what_if.max_capacity").set_value(7).run()
    next(number for number in page.number_input if number.key == "what_if.min_capacity").set_value(5).run()
    _press(page, "keep.what_if")
    page.session_state["page_shown"] = "compare"
    page.run()
    _fine(page)
    service = {"cpu_units": 256, "memory_mib": 512, "cpu_architecture": "ARM64", "scaling": []}
    assert (plan.spec.task_size.cpu_units, plan.spec.cpu_architecture, plan.spec.scaling) == (256, "ARM64", ())
    service |= {"min_capacity": 5, "max_capacity": 7}
    by_hand = Scenario.from_dict(_scenario().to_dict() | {"service": service})
    figures = _table(page, "Figure")
    assert list(figures.columns[1:]) == [f"{WEB} by hand", compare_store.CURRENT_NAME]
    total = round(by_hand.estimate().cost.total_usd, 2)
    assert figures.iloc[0, 1:].tolist() == [total, round(plan.cost.total_usd, 2)]
    # What can no longer be priced says why, and the others stand.
    _one(page.slider, "p95 latency at most (ms)").set_value(10.0).run()
    assert not page.exception
    assert f"{compare_store.CURRENT_NAME} is left out: None of" in page.warning[0].value
    assert list(_table(page, "Figure").columns[1:]) == [f"{WEB} by hand"]


def test_unknown_rates_are_no_zeros_side_by_side(plan):
    # At the prices of that day hardly a rate is known.
    then = reprice(plan, load_rates(plan.cost.region, as_of="2024-01-01"))
    assert then.cost.is_lower_bound
    table = compare_tables.lines_table(("now", "then"), (plan, then))
    unknown = {row[0] for row in table.rows if row[2] == "unknown"}
    assert unknown == {line.title for line in then.cost if line.effective_cost is None}
    assert unknown
    assert table.footer[2].startswith("at least ")
    frame = compare_tables.lines_frame(("now", "then"), (plan, then))
    open_rows = frame[(frame["scenario"] == "then") & frame["title"].isin(unknown)]
    assert open_rows["usd_per_month"].isna().all()
    assert open_rows["less_first_usd"].isna().all()
    assert "at least" in compare_tables.figures_table(("now", "then"), (plan, then)).rows[0][2]


def test_all_regions_are_ranked_as_the_api_ranks_them():
    page = _choose(_open(WEEK), "All regions")
    scenario = Scenario.from_file(FOLDER / f"{WEEK}.yaml")
    best = scenario.plan(folder=FOLDER)
    bills = bills_by_region(best, load_rates)
    table = _table(page, "Region")
    assert len(table) == len(REGIONS) == 36
    regions = [text.strip("*").replace("\N{NON-BREAKING HYPHEN}", "-") for text in table["Region"]]
    assert regions == [bill.region for bill in bills]
    assert table.iloc[:, 2].tolist() == [round(bill.cost.total_usd, 2) for bill in bills]
    less = best.cost.total_usd - bills[0].cost.total_usd
    verdict = next(text.value for text in page.markdown if "cheapest" in text.value)
    assert bills[0].region in verdict
    assert (f"{less:,.2f} less than here in {scenario.region}" in verdict) == (bills[0].region != scenario.region)


def test_regions_with_an_unknown_rate_are_hatched_and_last():
    shop = Scenario.from_file(FOLDER / "shop-daily-peak.yaml")
    bills = bills_by_region(shop.estimate(), load_rates)
    lacking = [bill for bill in bills if bill.unknown]
    assert 0 < len(lacking) < len(bills)
    figure = regions_figure(bills, shop.region)
    bars = {trace.name: trace for trace in figure.data if trace.type == "bar"}
    assert len(bars["a rate is unknown"].y) == len(lacking)
    assert min(bars["a rate is unknown"].y) > max(bars["another region"].y)
    assert bars["a rate is unknown"].marker.pattern.shape == "/"
    assert list(bars["this region"].x) == [shop.estimate().cost.total_usd]
    (amounts,) = (trace for trace in figure.data if trace.type == "scatter")
    assert sum("≥" in text for text in amounts.text) == len(lacking)
    assert all("Unknown: " in said for said in bars["a rate is unknown"].customdata)
    # Where the cheapest is: all that cost the same are named, and a bill that may be less is not passed over.
    whole = [bill for bill in bills if not bill.unknown]
    alike = [bill for bill in whole if round(bill.cost.total_usd, 2) == round(whole[0].cost.total_usd, 2)]
    said = compare_regions.verdict(bills, shop.region)
    assert len(alike) > 1
    assert all(bill.region in said for bill in alike)
    assert said.startswith("It is cheapest in ") == (lacking[0].cost.total_usd > whole[0].cost.total_usd)
    dear = [bill for bill in whole if bill.cost.total_usd > lacking[0].cost.total_usd]
    assert compare_regions.verdict([*dear, *lacking], dear[0].region).startswith("Of the regions whose rates are all")
    assert "is not known to the end: at least $" in compare_regions.verdict([*dear, *lacking], lacking[0].region)
    assert "cannot be said" in compare_regions.verdict(lacking, lacking[0].region)


def test_an_older_price_list(plan):
    page = _choose(_open(), "An older price list")
    day = dt.date(2024, 1, 1)
    page.date_input[0].set_value(day).run()
    _fine(page)
    effect = price_effect(reprice(plan, load_rates(plan.cost.region, as_of=day)), load_rates(plan.cost.region))
    assert any(effect.verdict.replace("$", "\\$") in text.value for text in page.markdown)
    table = _table(page, "Charge")
    assert table.iloc[-1, 2] == round(plan.cost.total_usd, 2)
    assert len(table) == len(effect.lines) + 1
    assert effect.unknown
    # With a search at the list that is asked for.
    day = dt.date(2026, 6, 1)
    page.date_input[0].set_value(day)
    _one(page.toggle, "Search at these prices too").set_value(True).run()
    _fine(page)
    then = _scenario(prices={"as_of": day.isoformat()}).plan()
    word = "the same service" if then.spec == plan.spec else "another service"
    said = f"At the prices of {day} the search chose {word}: {then}."
    assert any(said.replace("$", "\\$") in text.value for text in page.markdown)


def test_bars_of_bills_are_their_groups(plan):
    spot = replace(plan.spec, capacity_provider_strategy="FARGATE_SPOT")
    other = reprice(replace(plan, spec=spot), load_rates(plan.cost.region))
    figure = bills_figure(("plan", "all on Spot"), (plan.cost, other.cost))
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for place, each in enumerate((plan, other)):
        sums = {trace.name: trace.x[place] for trace in bars}
        assert sums == {name: usd for name, usd in usd_by_group(each.cost).items() if name in sums}
        assert sum(sums.values()) == pytest.approx(each.cost.total_usd)
    looks = [(trace.marker.color, trace.marker.pattern.shape) for trace in bars]
    assert len(set(looks)) == len(looks)
    (amounts,) = (trace for trace in figure.data if trace.type == "scatter")
    assert [text.strip("\N{NO-BREAK SPACE}≥ ") for text in amounts.text] == [
        f"${each.cost.total_usd:,.2f}" for each in (plan, other)
    ]


def test_four_scenarios_in_a_browser(page, address, own):
    values = Scenario.from_file(own).to_dict()
    values["load"] = {"kind": "constant", "requests_per_s": 60}
    first = json.dumps(values)
    plans = []
    for rate in (60, 61, 62, 63):
        values["load"]["requests_per_s"] = rate
        plans.append(Scenario.from_dict(values).plan())
    page.goto(f"{address}/compare?scenario={quote(first)}")
    main = page.get_by_test_id("stMain")
    total = main.get_by_role("row", name="Monthly bill (USD)")
    slider = page.get_by_role("slider", name="Load (requests/s)")
    for number, each in enumerate(plans, 1):
        expect(total.get_by_role("cell", name=f"{each.cost.total_usd:,.2f}").last).to_be_visible()
        if number < len(plans):
            main.get_by_role("button", name="Keep to compare").click()
            expect(main.get_by_role("textbox", name="Name")).to_have_count(number)
            at_rest(page)
            slider.focus()
            slider.press("ArrowRight")
    cells = total.get_by_role("cell").all_text_contents()
    assert cells[-4:] == [f"{each.cost.total_usd:,.2f}" for each in plans]
    # What is turned by hand, from the keyboard, stands beside the recommendation.
    page.get_by_role("link", name="What if").click()
    knob = main.get_by_role("spinbutton", name="Tasks at most")
    knob.focus()
    for _ in range(3):
        knob.press("ArrowUp")
    knob.press("Enter")
    expect(main.get_by_role("button", name="Undo knob")).to_be_enabled()
    main.get_by_text("A flash crowd", exact=True).click()
    expect(main.get_by_role("heading", name="A flash crowd of 61 minutes")).to_be_visible()
    expect(main.get_by_role("link", name="Crowds of other sizes")).to_be_visible()
