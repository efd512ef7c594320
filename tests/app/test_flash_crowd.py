"""The page on which a flash crowd comes."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from estimator.report.course_tables import replay_table
from estimator.scenario import Scenario
from estimator.simulation.replay import replay_flash_crowd
from estimator.ui import tables
from estimator.ui.flash_crowd_page import COLUMNS
from estimator.units import data_path

pytestmark = pytest.mark.slow

NAME = "shop-daily-peak"


@pytest.fixture
def page() -> AppTest:
    def script():
        from estimator.ui import flash_crowd_page

        flash_crowd_page.show()

    return AppTest.from_function(script, default_timeout=120).run()


@pytest.fixture
def scenario() -> Scenario:
    return Scenario.from_file(data_path("examples", f"{NAME}.yaml"))


def _replay(scenario: Scenario, spec, **crowd):
    usual = {"application": scenario.application, "behavior": scenario.behavior, "p95_latency_ms": 250}
    return replay_flash_crowd(scenario.workload(), spec, **usual, **crowd)


def _shows(page: AppTest, found) -> None:
    """Check that the page shows this replay and no other."""
    assert not page.exception
    assert [error.value for error in page.error] == []
    table = replay_table(found)
    assert table.title in [title.value for title in page.subheader]
    (shown,) = (each.value for each in page.table)
    # A long head may break, so that all columns are on the page.
    assert [head.replace("\N{NO-BREAK SPACE}", " ") for head in shown.columns] == [
        head.lstrip(">") for head in table.columns
    ]
    assert sum(" " in head for head in shown.columns) == 6
    names = [text.strip("*").replace("\N{NO-BREAK SPACE}", " ") for text in shown["Scaling"]]
    assert tuple(names) == found.names
    for place, head in ((1, "refused_percent"), (5, "tasks_before"), (6, "peak_tasks"), (8, "extra_task_hours")):
        assert shown.iloc[:, place].tolist() == pytest.approx(found.to_frame()[head].tolist(), abs=0.051)
    # Times are set to the right as numbers are, and sort as such.
    assert shown.iloc[:, 4].tolist() == found.to_frame()["first_new_task_s"].tolist()
    assert len(page.get("plotly_chart")) == 1


def test_the_crowd_comes_to_the_plan(page, scenario):
    found = _replay(scenario, scenario.plan().spec)
    _shows(page, found)
    refused = found.to_frame()["refused_percent"]
    summary = next(text.value for text in page.markdown if "refuses the least" in text.value)
    assert f"“{refused.idxmin()}” refuses the least, {refused.min():.1f} %" in summary
    assert f"“{refused.idxmax()}” the most, {refused.max():.1f} %" in summary
    assert found.notes
    captions = [text.value for text in page.caption]
    assert all(f":material/info: {tables.plain(note)}" in captions for note in found.notes)
    said = next(text.value for text in page.markdown if text.value.startswith("- **"))
    assert all(f"- **{head.lstrip('>')}**: " in said for head in replay_table(found).columns)
    assert len(COLUMNS) == len(replay_table(found).columns)
    assert [button.label for button in page.get("download_button")] == ["Page (HTML)", "Download the table"]


def test_another_crowd_comes_to_what_runs_today(page, scenario):
    page.get("button_group")[0].set_value("What runs today").run()
    _shows(page, _replay(scenario, scenario.spec()))
    sliders = {slider.key: slider for slider in page.slider}
    for key, value in (("factor", 3.0), ("rise_min", 5), ("hold_min", 60), ("decay_min", 0)):
        sliders[key].set_value(value)
    page.run()
    _shows(page, _replay(scenario, scenario.spec(), factor=3, rise_s=300, hold_s=3600, decay_s=0))
    # The scenario's own controls hold here too.
    next(number for number in page.number_input if number.label == "Tasks at least").set_value(6).run()
    more = replace(scenario.spec(), min_capacity=6)
    _shows(page, _replay(scenario, more, factor=3, rise_s=300, hold_s=3600, decay_s=0))


def test_without_a_service_the_crowd_comes_to_the_plan(page):
    next(toggle for toggle in page.toggle if toggle.label.startswith("Compare")).set_value(False).run()
    assert not page.exception
    assert not page.get("button_group")
    assert len(page.table) == 1


def test_what_is_wrong_is_a_sentence(page):
    next(slider for slider in page.slider if slider.label == "p95 latency at most (ms)").set_value(10.0).run()
    assert not page.exception
    assert page.error[0].value.startswith("None of ")
    assert not page.get("plotly_chart")
