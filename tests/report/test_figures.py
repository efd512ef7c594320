import json
import math
from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.lcu import DIMENSIONS
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.snapshots import load_rates
from estimator.report import figures
from estimator.scenario import Scenario
from estimator.service.behavior import AwsBehavior
from estimator.service.scaling import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.units import data_path
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

ALL = (figures.load_and_tasks, figures.bill, figures.lcu, figures.utilization)


def _estimate(load: LoadProfile, target: float = 60.0, most: int = 10) -> Plan:
    work = Workload(load, cpu_ms_per_request=40, rules_evaluated_per_request=20)
    spec = ServiceSpec(TaskSize(1024, 2048), max_capacity=most, scaling=TargetTrackingScalingPolicy(target))
    return estimate(work, load_rates("eu-west-1"), spec)


@pytest.fixture(scope="module")
def day() -> Plan:
    return _estimate(LoadProfile.daily(60, 10))


@pytest.fixture(scope="module")
def week() -> Plan:
    return _estimate(LoadProfile.weekly(60, 10, weekend_factor=0.5))


def _trace(figure, name):
    return next(trace for trace in figure.data if str(trace.name).startswith(name))


def _hours(trace):
    return (np.asarray(trace.x, dtype="datetime64[s]") - figures.START) / np.timedelta64(3600, "s")


def test_a_day_is_drawn_point_by_point(day):
    figure = figures.load_and_tasks(day)
    for name, values in (
        ("load", day.series.requests_per_s),
        ("running", day.series.running_count),
        ("desired", day.series.desired_count),
    ):
        np.testing.assert_array_equal(_trace(figure, name).y, values)
        np.testing.assert_allclose(_hours(_trace(figure, name)), np.arange(1440) / 60)
    assert [trace.name for trace in figure.data] == ["load", "running tasks", "desired tasks"]


def test_minutes_over_capacity_are_marked_on_the_load():
    plan = _estimate(LoadProfile.daily(200, 10), most=3)
    over = np.flatnonzero(plan.series.utilization > 1 + 1e-9)
    assert over.size == plan.simulation.minutes_over_capacity[0] > 0
    marks = _trace(figures.load_and_tasks(plan), "over capacity")
    np.testing.assert_array_equal(marks.y, plan.series.requests_per_s[over])
    np.testing.assert_allclose(_hours(marks), over / 60)


def test_a_long_series_keeps_its_extremes(week):
    for figure, name, values in (
        (figures.load_and_tasks(week), "load", week.series.requests_per_s),
        (figures.load_and_tasks(week), "desired", week.series.desired_count),
        (figures.utilization(week), "service", week.series.cpu_utilization_percent),
    ):
        drawn = _trace(figure, name)
        assert len(drawn.y) <= figures.MAX_POINTS < values.size
        assert np.nanmax(drawn.y) == np.nanmax(values)
        assert np.nanmin(drawn.y) == np.nanmin(values)
        np.testing.assert_array_equal(drawn.y, values[np.round(_hours(drawn) * 60).astype(int)])


@pytest.mark.parametrize("most", [6, 100, 999])
def test_keep_extremes_keeps_a_lonely_spike(most):
    for place in (0, 1, 4242, 9998, 9999):
        values = np.zeros(10_000)
        values[place] = 7.0
        values[5000] = -3.0
        values[77] = math.nan
        kept = figures.keep_extremes(values, most)
        assert kept.size <= most
        assert {0, place, 5000, 9999} <= set(kept.tolist())
        assert np.all(np.diff(kept) > 0)


def test_keep_extremes_leaves_a_short_series_alone():
    assert figures.keep_extremes([3, 1, 2]).tolist() == [0, 1, 2]


def test_the_bill_has_every_line_the_largest_on_top(day):
    figure = figures.bill(day)
    (bars,) = figure.data
    lines = sorted(day.cost, key=lambda line: -line.list_cost)
    assert list(bars.x) == [line.contracted_cost for line in lines]
    assert [label.replace("<br>", " ") for label in bars.y] == [line.title for line in lines]
    assert list(bars.text) == [f"${line.list_cost:,.2f}" for line in lines]
    assert sum(bars.x) == pytest.approx(day.cost.total_usd)
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.title.text == "USD/month"


def test_a_line_without_a_rate_is_said_to_be_unknown(day):
    lines = (replace(day.cost.lines[0], contracted_cost=None), *day.cost.lines[1:])
    (bars,) = figures.bill(replace(day, cost=replace(day.cost, lines=lines))).data
    assert bars.text[-1] == "unknown"
    assert bars.x[-1] == 0


def test_the_leading_dimension_stands_first_and_thick(day):
    figure = figures.lcu(day)
    billed, first, *others = figure.data
    assert first.name.startswith(day.lcu.leading)
    assert all(first.line.width > trace.line.width for trace in others)
    np.testing.assert_array_equal(billed.y[:-1], day.lcu.consumed)
    for i, name in enumerate(DIMENSIONS):
        np.testing.assert_array_equal(_trace(figure, name).y[:-1], day.lcu.dimensions[i])
    # The last hour has its full width.
    assert _hours(first)[-1] == 24


def test_utilization_shows_target_and_lower_threshold(day):
    plan = replace(day, behavior=AwsBehavior(low_factor=0.8))
    assert list(_trace(figures.utilization(day), "scale in").y) == [54, 54]
    assert list(_trace(figures.utilization(plan), "scale in").y) == [48, 48]
    figure = figures.utilization(day)
    assert list(_trace(figure, "target").y) == [60, 60]
    np.testing.assert_array_equal(_trace(figure, "service").y, day.series.cpu_utilization_percent)


def test_axes_say_hours_or_days(day, week):
    assert list(figures.utilization(day).layout.xaxis.ticktext)[:3] == ["00", "03", "06"]
    assert list(figures.utilization(week).layout.xaxis.ticktext) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    month = _estimate(LoadProfile(np.ones(30 * 24), 3600))
    axis = figures.load_and_tasks(month).layout.xaxis2
    assert list(axis.ticktext) == ["1", "4", "7", "10", "13", "16", "19", "22", "25", "28"]
    assert axis.title.text == "day of the period"
    assert figures.lcu(month).layout.xaxis.title.text == "day of the period"


@pytest.mark.parametrize("draw", ALL)
def test_every_figure_is_for_light_and_dark_pages_and_names_its_units(day, draw):
    figure = draw(day)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None
    titles = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()) if axis.title.text]
    assert titles
    assert all("[" in text or text in {"tasks", "USD/month", "CPU utilization [%]"} for text in titles)
    json.loads(figure.to_json())


def test_figures_of_an_example():
    scenario = Scenario.from_file(data_path("examples", "booking-week-csv.yaml"))
    plan = scenario.estimate(load_rates(scenario.region), data_path("examples"))
    for draw in ALL:
        assert draw(plan).data
