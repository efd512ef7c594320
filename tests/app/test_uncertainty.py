"""The page on what is not known exactly: its figures are those of the Python API, and what it draws is drawn right."""

import functools
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from estimator.errors import InvalidScenario
from estimator.planning.horizon import bill_by_month
from estimator.planning.planner import estimate
from estimator.pricing.snapshots import load_rates
from estimator.report.fan_figures import fan_csv, fan_figure, fan_table
from estimator.report.uncertainty_table import plans_risk_table
from estimator.risk import assess_risk, contender_of, draws
from estimator.scenario import Scenario
from estimator.ui import cached, intervals, uncertainty_answers, uncertainty_inputs, uncertainty_parts
from estimator.ui.uncertainty_fan import bills_by_month
from estimator.units import data_path
from estimator.workload.horizon import Horizon
from estimator.workload.interval import Interval

pytestmark = pytest.mark.slow

#: A small service whose search is short.
SMALL = """
region: us-east-1
load: {kind: daily, peak_requests_per_s: 60, trough_requests_per_s: 10}
request: {cpu_ms_per_request: {low: 20, likely: 25, high: 40}, response_kb: 20}
search: {cpu_units: [512], memory_mib: [1024], cpu_architectures: [ARM64], min_capacities: [2, 3], target_values: [60]}
promise: {p95_latency_ms: 1000}
horizon: {months: 2}
service: {cpu_units: 512, memory_mib: 1024, cpu_architecture: ARM64, min_capacity: 2, max_capacity: 8}
"""
WIDE = {"load.scale": (0.7, 1.0, 1.5), "request.cpu_ms_per_request": (20, 25, 40), "request.response_kb": (14, 20, 30)}


def _small(**intervals) -> Scenario:
    values = yaml.safe_load(SMALL)
    for path, (low, likely, high) in intervals.items():
        section, field = path.split(".")
        values[section][field] = {"low": low, "likely": likely, "high": high}
    return Scenario.from_dict(values)


@pytest.fixture
def page(tmp_path, monkeypatch) -> AppTest:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(path)])

    def script():
        from estimator.ui import uncertainty_page

        uncertainty_page.show()

    return AppTest.from_function(script, default_timeout=120).run()


def _by_label(widgets, label):
    (found,) = (widget for widget in widgets if widget.label == label)
    return found


def _fine(page: AppTest) -> None:
    assert not page.exception
    assert [error.value for error in page.error] == []


def _bill(page: AppTest):
    _fine(page)
    metric = _by_label(page.metric, "Monthly bill, the median")
    return metric.value, metric.delta.replace("\\", "")


def _texts(usd):
    low, middle, high = (np.sort(usd)[math.ceil(usd.size * share - 1e-9) - 1] for share in (0.05, 0.5, 0.95))
    return f"${middle:,.2f}", f"P5 ${low:,.0f} to P95 ${high:,.0f}"


def test_the_first_answer_is_that_of_months_priced_one_by_one(page):
    scenario = _small(**WIDE)
    plan = scenario.likely().plan()
    drawn = draws(scenario, uncertainty_answers.FIRST_DRAWS)
    usd = []
    for i in range(uncertainty_answers.FIRST_DRAWS):
        month = scenario.moved({path: value for path, value in drawn.at(i).items() if path != "history_days"})
        usd.append(
            estimate(
                month.workload(),
                _rates(),
                plan.spec,
                promise=month.promise,
                behavior=month.behavior,
                extras=month.extras,
            ).cost.total_usd
        )
    assert _bill(page) == _texts(np.array(usd))
    # The interval of the file is there, with those that the page begins with.
    ends = [field.label for field in page.number_input if field.label.endswith(", at most")]
    assert ends == ["cpu_ms_per_request, at most", "scale, at most", "response_kb, at most"]
    budget = float(np.sort(usd)[39])
    _by_label(page.number_input, "Budget (USD a month)").set_value(budget).run()
    over = _by_label(page.metric, "Over the budget")
    assert (over.value, over.delta) == ("20 %", "10 of 50 months drawn")


def test_the_whole_answer_is_that_of_the_api(page):
    _by_label(page.toggle, "Draw what AWS does not document too").set_value(False).run()
    _by_label(page.selectbox, "Draws of the full answer").select(100).run()
    first = _bill(page)
    _by_label(page.button, "Find the whole answer").click().run()
    found = assess_risk(_small(**WIDE), n_draws=100, model_uncertainty=False)
    assert _bill(page) == _texts(found.outcomes.usd[:, found.chosen]) != first
    assert found.measure_next in [text.value.replace("\\", "") for text in page.markdown]
    table = next(each.value for each in page.table if "P95" in each.value.columns and len(each.value.columns) > 7)
    assert table["P95"].tolist() == [float(row[4].replace(",", "")) for row in plans_risk_table(found).rows]
    # Another question has its first answer again.
    _by_label(page.number_input, "response_kb, at most").set_value(60.0).run()
    assert "Find the whole answer" in [button.label for button in page.button]
    _fine(page)


def test_ends_keep_their_proportion_when_the_likely_value_moves(page):
    least, most = (_by_label(page.number_input, f"cpu_ms_per_request, {end}") for end in ("at least", "at most"))
    assert (least.value, most.value) == (20, 40)
    _by_label(page.slider, "CPU time per request (ms)").set_value(50.0).run()
    least, most = (_by_label(page.number_input, f"cpu_ms_per_request, {end}") for end in ("at least", "at most"))
    assert (least.value, most.value) == (40, 80)
    most.set_value(55.0).run()
    assert _by_label(page.number_input, "cpu_ms_per_request, at most").value == 55
    _by_label(page.selectbox, "Another number that is not known exactly").select("application.boot_s").run()
    assert _by_label(page.selectbox, "Another number that is not known exactly").value is None
    assert _by_label(page.number_input, "boot_s, at most").value == math.ceil(
        1.5 * Scenario.from_text(SMALL).application.boot_s
    )
    assert all(field.help for field in page.number_input if field.label.endswith(("at least", "at most")))
    next(button for button in page.button if button.help == "Take application.boot_s as it is").click().run()
    assert "boot_s, at most" not in [field.label for field in page.number_input]
    _fine(page)


def _taken(page: AppTest) -> Scenario:
    """The scenario that leaves the page."""
    page.run()
    _fine(page)
    return Scenario.from_text(page.session_state["shown"])


def test_what_is_not_known_exactly_is_on_every_page(tmp_path, monkeypatch):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(data_path("app_streamlit.py")), str(path)])

    def script():
        import streamlit as st

        from estimator.ui import controls, uncertainty_page

        if st.session_state.get("shown page") == "uncertainty":
            uncertainty_page.show()
        else:
            with st.sidebar:
                st.session_state["shown"] = controls.show("plan").document.to_yaml()

    page = AppTest.from_function(script, default_timeout=120)
    cpu = "request.cpu_ms_per_request"
    assert _taken(page).intervals == {cpu: Interval(20, 25, 40)}
    # Its ends move with the likely value.
    _by_label(page.slider, "CPU time per request (ms)").set_value(50.0)
    assert _taken(page).intervals == {cpu: Interval(40, 50, 80)}
    # What the form says goes along to the other page.
    page.session_state["shown page"] = "uncertainty"
    page.run()
    _by_label(page.number_input, "cpu_ms_per_request, at most").set_value(60.0).run()
    page.session_state["shown page"] = "plan"
    assert _taken(page).intervals[cpu] == Interval(40, 50, 60)
    # One that is not allowed is left out, and that is said.
    page.session_state["edit.risk.high.load.scale"] = 1e12
    assert _taken(page).intervals == {}
    assert any("left out: " in each.value for each in page.caption)


def test_growth_out_of_order_is_a_sentence(page):
    _by_label(page.number_input, "Least growth (% a month)").set_value(3.0).run()
    assert not page.exception
    assert any("must rise" in error.value for error in page.error)
    _by_label(page.number_input, "Likely growth (% a month)").set_value(3.0).run()
    _fine(page)


def test_only_what_is_not_decided_may_be_an_interval():
    scenario = _small()
    paths = intervals.numbers(scenario)
    assert {"load.scale", "load.peak_requests_per_s", "request.response_kb", "behavior.metric_lag_s"} <= set(paths)
    assert not any(
        path.startswith(("service", "search", "promise", "network", "horizon", "version", "stack")) for path in paths
    )
    assert "behavior.seed" not in paths
    assert uncertainty_inputs.meaning("load.peak_requests_per_s", scenario).endswith("[requests/s]")
    assert [path for path in paths if not uncertainty_inputs.meaning(path, scenario)] == []


def test_the_month_behind_a_quantile_is_the_draw_that_costs_it():
    asked = uncertainty_answers.Asked(cached.Question(_small(**WIDE), data_path("examples")), 100, True)
    found = uncertainty_answers.first(asked, _small().likely().plan())
    for draw in (0, 7):
        plan = uncertainty_answers.draw_of(asked, found, draw)
        assert plan.cost.total_usd == pytest.approx(found.outcomes.usd[draw, 0], rel=1e-12)
    rows = {row[0]: row for row in uncertainty_parts.inputs_table(found, 7).rows}
    drawn = found.draws.at(7)["request.cpu_ms_per_request"]
    assert rows["request.cpu_ms_per_request"][1:] == (f"{float(f'{drawn:.4g}'):,.6g}", "25")


def test_an_answer_that_is_ended_is_not_there():
    class Ended(BaseException):
        pass

    def stop(part):
        raise Ended

    asked = uncertainty_answers.Asked(cached.Question(_small(**WIDE), data_path("examples")), 101, False)
    with pytest.raises(Ended):
        uncertainty_answers.whole(asked, stop)
    assert uncertainty_answers.whole_if_there(asked) is None


# The fan.


def _fan(scenario, months, growth, n_draws, **more):
    plan = scenario.likely().estimate()
    contender = contender_of("today", plan, scenario)
    return plan, bills_by_month(scenario, contender, _rates(), ".", months, Interval(*growth), n_draws, **more)


@functools.cache
def _rates():
    return load_rates("us-east-1")


def test_months_of_what_is_certain_are_those_of_the_horizon():
    scenario = Scenario.from_text(SMALL).likely()
    plan, found = _fan(scenario, 4, (8, 8, 8), 3, model_uncertainty=False)
    expected = [month.cost.total_usd for month in bill_by_month(plan, _rates(), Horizon(4, 8)).months]
    assert found.usd == pytest.approx(np.array([expected] * 3), rel=1e-12)
    _, still = _fan(scenario, 3, (0, 0, 0), 2, model_uncertainty=False)
    assert still.usd == pytest.approx(np.full((2, 3), plan.cost.total_usd))


def test_each_draw_grows_by_its_own_rate():
    scenario = _small(**WIDE)
    plan, found = _fan(scenario, 3, (-5, 0, 20), 4)
    assert len(set(found.growth_percent_per_month.tolist())) == 4
    assert ((found.growth_percent_per_month >= -5) & (found.growth_percent_per_month <= 20)).all()
    draw = 2
    month = scenario.moved(
        {path: value for path, value in draws(scenario, 4).at(draw).items() if path != "history_days"}
    )
    grown = month.workload().load.scaled((1 + found.growth_percent_per_month[draw] / 100) ** 2)
    priced = estimate(
        replace(month.workload(), load=grown),
        _rates(),
        plan.spec,
        promise=month.promise,
        behavior=month.behavior,
        extras=month.extras,
    )
    assert found.usd[draw, 2] == pytest.approx(priced.cost.total_usd, rel=1e-9)


def test_a_year_is_cut_into_its_months():
    values = yaml.safe_load(SMALL) | {
        "load": {"kind": "seasonal", "peak_requests_per_s": 60, "trough_requests_per_s": 5}
    }
    plan, found = _fan(Scenario.from_dict(values).likely(), 14, (0, 0, 0), 1, model_uncertainty=False)
    (usd,) = found.usd
    # The season peaks on day 183, at the begin of the seventh month; the year begins anew after its twelfth.
    assert set(np.argsort(usd[:12])[-2:].tolist()) == {5, 6}
    assert usd[12:] == pytest.approx(usd[:2])
    july = plan.workload.load.between(round(8760 / 12 * 6), round(8760 / 12 * 7))
    alone = estimate(replace(plan.workload, load=july), _rates(), plan.spec, promise=plan.promise)
    assert usd[6] == pytest.approx(alone.cost.total_usd, rel=1e-9)


def test_a_load_beyond_belief_is_refused():
    with pytest.raises(InvalidScenario, match="in month 36 the load peaks at"):
        _fan(Scenario.from_text(SMALL).likely(), 36, (0, 0, 100), 1)


def test_the_fan_and_its_table_say_the_same():
    usd = np.arange(1.0, 101.0)[:, None] * np.array([1.0, 10.0])
    figure = fan_figure(usd, 500)
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert list(by_name) == ["P5 to P95", "P25 to P75", "P50, the median", "budget"]
    assert list(by_name["P5 to P95"].y) == [95, 950]
    assert list(by_name["P5 to P95"].customdata) == [5, 50]
    assert list(by_name["P50, the median"].y) == [50, 500]
    assert set(by_name["budget"].y) == {500}
    table = fan_table(usd, np.array([[True, False]] * 100), 500)
    assert table.rows[1] == ("2", "50.00", "250.00", "500.00", "750.00", "950.00", "50 %", "100 %")
    # The sum of both months of a draw: 11 times its number.
    assert table.footer[:6] == ("all", "55.00", "275.00", "550.00", "825.00", "1,045.00")
    assert all(len(row) == len(table.columns) for row in (*table.rows, table.footer))
    assert fan_csv(usd[:1], np.array([2.5])) == "draw,growth_percent_per_month,month_1_usd,month_2_usd\n1,2.5,1,10\n"
