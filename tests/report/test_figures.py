import json
import math
from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.lcu import DIMENSIONS
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.snapshots import load_rates
from estimator.report import drawing, figures
from estimator.scenario import Scenario
from estimator.service.behavior import AwsBehavior
from estimator.service.policies import (
    ALB_REQUESTS,
    ECS_CPU_20S,
    ECS_MEMORY,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.units import data_path
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

ALL = (figures.load_and_tasks, figures.bill, figures.lcu, figures.utilization)


def _estimate(load: LoadProfile, *policies, most: int = 10, behavior: AwsBehavior | None = None) -> Plan:
    work = Workload(load, cpu_ms_per_request=40, rules_evaluated_per_request=20)
    spec = ServiceSpec(
        TaskSize(1024, 2048), max_capacity=most, scaling=policies or (TargetTrackingScalingPolicy(60.0),)
    )
    return estimate(work, load_rates("eu-west-1"), spec, behavior=behavior)


def _tracking(metric: str, target: float, **values) -> TargetTrackingScalingPolicy:
    return TargetTrackingScalingPolicy(target, predefined_metric_type=metric, **values)


@pytest.fixture(scope="module")
def day() -> Plan:
    return _estimate(LoadProfile.daily(60, 10))


@pytest.fixture(scope="module")
def week() -> Plan:
    return _estimate(LoadProfile.weekly(60, 10, weekend_factor=0.5))


def _trace(figure, name):
    return next(trace for trace in figure.data if str(trace.name).startswith(name))


def _hours(trace):
    return (np.asarray(trace.x, dtype="datetime64[s]") - drawing.START) / np.timedelta64(3600, "s")


def test_a_day_is_drawn_point_by_point(day):
    figure = figures.load_and_tasks(day)
    for name, values in (
        ("load", day.series.requests_per_s),
        ("running", day.series.running_count),
        ("desired", day.series.desired_count),
    ):
        np.testing.assert_array_equal(_trace(figure, name).y, values)
        np.testing.assert_allclose(_hours(_trace(figure, name)), np.arange(1440) / 60)
    assert [trace.name for trace in figure.data] == [
        "load",
        "running tasks",
        "desired tasks",
        "pending tasks",
        "draining tasks",
    ]


def test_tasks_that_come_and_go_have_a_row_of_their_own(day):
    figure = figures.load_and_tasks(day)
    # Without an image a task is pending while it is provisioned; it drains for the deregistration delay and the stop timeout.
    application = day.application
    drains_s = application.deregistration_delay_s + application.stop_timeout_s
    pending, draining = (_trace(figure, f"{name} tasks") for name in ("pending", "draining"))
    assert pending.yaxis == draining.yaxis == "y3"
    assert pending.legend == draining.legend == "legend3"
    assert sum(pending.y) * 60 == pytest.approx(day.behavior.provision_s * day.simulation.launched[0])
    assert sum(draining.y) * 60 == pytest.approx(drains_s * day.simulation.removed[0])
    assert _trace(figure, "running").yaxis == "y2"


def test_without_a_task_that_comes_or_goes_there_is_no_row_for_them():
    figure = figures.load_and_tasks(_estimate(LoadProfile.constant(20)))
    assert [trace.name for trace in figure.data] == ["load", "running tasks", "desired tasks"]
    assert [axis.plotly_name for axis in figure.select_yaxes()] == ["yaxis", "yaxis2"]


def test_rows_do_not_overlap_and_each_legend_is_above_its_row(day):
    figure = figures.load_and_tasks(day)
    upper, middle, lower = (axis.domain for axis in figure.select_yaxes())
    assert upper[0] > middle[1] > middle[0] > lower[1]
    layout = figure.layout
    for legend, row, above in ((layout.legend2, middle, upper), (layout.legend3, lower, middle)):
        # Two entries below each other, as on a phone, have 20 px each.
        assert row[1] < legend.y < legend.y + 2 * 20 / (layout.height - 90) < above[0] + 1e-9


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
        assert len(drawn.y) <= drawing.MAX_POINTS < values.size
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
        kept = drawing.keep_extremes(values, most)
        assert kept.size <= most
        assert {0, place, 5000, 9999} <= set(kept.tolist())
        assert np.all(np.diff(kept) > 0)


def test_keep_extremes_leaves_a_short_series_alone():
    assert drawing.keep_extremes([3, 1, 2]).tolist() == [0, 1, 2]


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
    lines = (replace(day.cost.lines[0], effective_cost=None), *day.cost.lines[1:])
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


def test_the_area_between_both_thresholds_has_no_alarm(day):
    area = _trace(figures.utilization(day), "no alarm")
    assert area.fill == "toself"
    assert sorted(area.y) == [54, 54, 60, 60]
    assert sorted(_hours(area)) == [0, 0, 24, 24]


def test_each_watched_metric_has_its_row_with_its_own_thresholds():
    plan = _estimate(
        LoadProfile.constant(60),
        _tracking(ECS_MEMORY, 70, disable_scale_in=True),
        _tracking(ALB_REQUESTS, 1000),
        StepScalingPolicy(85.0),
        StepScalingPolicy(20.0, comparison_operator="LessThanOrEqualToThreshold"),
    )
    figure = figures.utilization(plan)
    rows = {axis.plotly_name: axis.title.text for axis in figure.select_yaxes()}
    assert rows == {
        "yaxis": "CPU utilization [%]",
        "yaxis2": "memory utilization [%]",
        "yaxis3": "requests per target<br>[requests/min]",
    }
    lines = [(trace.yaxis, trace.name) for trace in figure.data]
    assert lines == [
        ("y", "alarm from 85 %"),
        ("y", "alarm up to 20 %"),
        ("y", "service average CPU"),
        ("y2", "target 70 %"),
        ("y2", "service average memory"),
        ("y3", "no alarm"),
        ("y3", "target 1,000"),
        ("y3", "scale in below 900"),
        ("y3", "requests per target"),
    ]
    # 60 requests/s are 3,600 a minute, shared by the tasks.
    per_target = _trace(figure, "requests per target")
    np.testing.assert_allclose(per_target.y, 3600 / plan.series.healthy_count)
    assert figure.layout.height > figures.utilization(_estimate(LoadProfile.constant(60))).layout.height


def test_the_threshold_of_requests_has_its_own_factor():
    plan = _estimate(LoadProfile.constant(60), _tracking(ALB_REQUESTS, 1000))
    figure = figures.utilization(replace(plan, behavior=AwsBehavior(alb_low_factor=0.75, low_factor=0.5)))
    assert list(_trace(figure, "scale in").y) == [750, 750]


def test_steps_of_20_seconds_stand_at_their_time():
    plan = _estimate(LoadProfile.daily(60, 10), _tracking(ECS_CPU_20S, 60), _tracking(ALB_REQUESTS, 900))
    assert plan.series.step_s == 20
    figure = figures.utilization(plan)
    drawn = _trace(figure, "service average CPU")
    assert len(drawn.y) <= drawing.MAX_POINTS < plan.series.desired_count.size
    at = np.round(_hours(drawn) * 180).astype(int)
    np.testing.assert_array_equal(drawn.y, plan.series.cpu_utilization_percent[at])
    # Requests per target are counted by the minute: the requests of three steps over their healthy tasks.
    per_minute = _trace(figure, "requests per target")
    np.testing.assert_allclose(_hours(per_minute) * 60, np.arange(1440))
    arrivals = (plan.series.requests_per_s * 20).reshape(-1, 3).sum(axis=1)
    healthy = plan.series.healthy_count.reshape(-1, 3).mean(axis=1)
    np.testing.assert_allclose(per_minute.y, arrivals / healthy, atol=1e-6)


@pytest.mark.parametrize("reported", [False, True])
def test_minutes_without_a_datapoint_are_a_gap(reported):
    behavior = AwsBehavior(zero_requests_reported=reported)
    plan = _estimate(LoadProfile([60.0, 0.0, 60.0], 3600), _tracking(ALB_REQUESTS, 900), behavior=behavior)
    per_target = np.array(_trace(figures.utilization(plan), "requests per target").y)
    silent = np.isnan(per_target) if not reported else per_target == 0
    assert np.flatnonzero(silent).tolist() == list(range(60, 120))
    assert not np.isnan(per_target[~silent]).any()


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
