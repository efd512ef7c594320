"""Figures of a course: response times and the queue against queueing theory, the replay against arithmetic."""

import json
import math
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.planning.result import Plan
from estimator.pricing.snapshots import load_rates
from estimator.report import drawing
from estimator.report.course_figures import latency, replay, standalone_html
from estimator.service.application import Application
from estimator.service.policies import ALB_REQUESTS, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.replay import Replay, replay_flash_crowd
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.browser import chromium

#: 40 ms of a full vCPU: a task serves 25 requests/s.
RATE = 25.0
FIXED = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2, scaling=())
QUEUE = Application(queue_per_task=1000, queue_timeout_s=3600)


def course(load: LoadProfile, spec: ServiceSpec = FIXED, application: Application | None = None, **promise) -> Plan:
    work = Workload(load, cpu_ms_per_request=40)
    return estimate(work, load_rates("eu-west-1"), spec, application, Promise(**promise))


def trace(figure: go.Figure, name: str, row: int = 1) -> go.Scatter:
    axis = "y" if row == 1 else f"y{row}"
    return next(each for each in figure.data if each.name == name and each.yaxis == axis)


def names(figure: go.Figure) -> list[str]:
    return [each.name for each in figure.data]


# Response times.


def test_response_times_are_those_of_single_queues():
    # 20 requests/s over two tasks: each is a queue M/M/1 of 40 ms at a utilization of 0.4.
    figure = latency(course(LoadProfile.constant(20), p95_latency_ms=200))
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        drawn = trace(figure, name)
        assert len(drawn.y) == 1440
        np.testing.assert_allclose(drawn.y, -math.log(1 - share) * 40 / (1 - 0.4), rtol=2e-3)
    promised = trace(figure, "promised 200 ms")
    assert list(promised.y) == [200, 200]
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == "response time [ms]"
    # Neither a queue nor a request that is refused: no second row.
    assert names(figure) == ["p50", "p95", "p99", "promised 200 ms"]


def test_without_a_promise_there_is_no_line_of_it():
    assert names(latency(course(LoadProfile.constant(20)))) == ["p50", "p95", "p99"]


def test_every_time_lies_on_the_axis_and_ticks_are_few():
    figure = latency(course(LoadProfile.daily(45, 5), p95_latency_ms=10_000))
    low, high = (10**end for end in figure.layout.yaxis.range)
    shown = np.concatenate([np.asarray(each.y, dtype=float) for each in figure.data])
    assert low < shown.min()
    assert shown.max() <= high
    ticks = figure.layout.yaxis.tickvals
    assert 2 <= len(ticks) <= 12
    assert all(low < tick < high for tick in ticks)
    assert figure.layout.yaxis.ticktext[ticks.index(1000)] == "1,000"


def test_times_without_bound_are_marked_at_the_top_and_leave_a_gap():
    # In the second of three hours 60 requests/s meet a capacity of 50.
    figure = latency(course(LoadProfile([20.0, 60.0, 20.0], 3600)))
    marks = trace(figure, "without bound")
    minutes = (np.asarray(marks.x, dtype="datetime64[s]") - drawing.START) / np.timedelta64(60, "s")
    assert minutes.tolist() == list(range(60, 120))
    assert set(marks.customdata) == {"p50, p95 and p99"}
    bounded = np.asarray(trace(figure, "p99").y, dtype=float)
    assert np.flatnonzero(np.isnan(bounded)).tolist() == list(range(60, 120))
    assert min(marks.y) > np.nanmax(bounded)
    assert max(marks.y) < 10 ** figure.layout.yaxis.range[1]
    # 10 of 60 requests/s are refused.
    refused = trace(figure, "refused in a minute", row=2)
    np.testing.assert_allclose(np.asarray(refused.y)[60:120], 600)
    assert "waiting" not in names(figure)


def test_what_only_some_requests_meet_is_said():
    # A queue that holds 2 s of the capacity: half of the requests wait for that long, a sixth is refused.
    waiting = Application(queue_per_task=50, queue_timeout_s=3600)
    marks = trace(latency(course(LoadProfile([20.0, 60.0, 20.0], 3600), application=waiting)), "without bound")
    assert set(marks.customdata) == {"p95 and p99"}


def test_the_queue_grows_by_what_is_not_served():
    # 10 requests/s more than the capacity of 50 for a minute, then 30 less: 600 wait, and are gone after 20 s.
    load = np.full(180, 20.0)
    load[60] = 60.0
    figure = latency(course(LoadProfile(load, 60), application=QUEUE))
    queue = np.asarray(trace(figure, "waiting", row=2).y)
    assert queue[60] == pytest.approx(600)
    assert queue.sum() == pytest.approx(600)
    assert not any(trace(figure, "refused in a minute", row=2).y)
    assert figure.layout.yaxis2.title.text == "requests [1]"


def test_a_service_that_nobody_asks_has_an_idle_tasks_times():
    figure = latency(course(LoadProfile.constant(0)))
    np.testing.assert_allclose(trace(figure, "p95").y, -math.log(0.05) * 40, rtol=2e-3)


def test_where_nothing_is_bounded_the_axis_stands_all_the_same():
    figure = latency(course(LoadProfile.constant(500)))
    assert np.isfinite(figure.layout.yaxis.range).all()
    assert len(trace(figure, "without bound").y) == 1440


def test_a_long_course_keeps_its_slowest_minute():
    load = np.full(7 * 1440, 20.0)
    load[5000] = 45.0
    plan = course(LoadProfile(load, 60))
    drawn = trace(latency(plan), "p95")
    assert len(drawn.y) <= drawing.MAX_POINTS
    # A utilization of 0.9 for one minute.
    assert np.nanmax(drawn.y) == pytest.approx(-math.log(0.05) * 40 / (1 - 0.9), rel=0.01)


# A flash crowd.


def flash(application: Application | None = None, **values) -> Replay:
    work = Workload(LoadProfile.constant(20), cpu_ms_per_request=40)
    spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=40)
    return replay_flash_crowd(work, spec, application=application, **values)


@pytest.fixture(scope="module")
def crowd() -> Replay:
    return flash(factor=10, rise_s=60, hold_s=1800, decay_s=1800)


def test_capacity_is_healthy_tasks_times_what_one_serves(crowd):
    figure = replay(crowd)
    for name, series in zip(crowd.names, crowd.series, strict=True):
        drawn = trace(figure, name)
        # Ten minutes before the crowd are 30 steps before its hour.
        np.testing.assert_allclose(drawn.y, RATE * series.healthy_count[150 : 150 + len(drawn.y)])
    load = trace(figure, "load")
    assert load.y[0] == 20
    assert max(load.y) == pytest.approx(200)


def test_a_queue_does_not_change_what_a_task_serves():
    found = flash(QUEUE, factor=10)
    figure = replay(found)
    for name, series in zip(found.names, found.series, strict=True):
        drawn = trace(figure, name)
        np.testing.assert_allclose(drawn.y, RATE * series.healthy_count[150 : 150 + len(drawn.y)])


def test_what_is_refused_adds_up_to_the_table(crowd):
    figure, table = replay(crowd), crowd.to_frame()
    for name in crowd.names:
        lost = np.asarray(trace(figure, name, row=2).y)
        assert lost[0] == 0
        assert np.all(np.diff(lost) >= 0)
        assert lost[-1] == pytest.approx(table.loc[name, "refused_percent"])
    # A crowd that stays at 200 requests/s from its first minute on, and 50 that are served until tasks come.
    by_the_minute = crowd.series[0]
    first = trace(figure, "CPU by the minute", row=2)
    steps = np.asarray(first.x) <= 5
    arrivals = by_the_minute.requests_per_s[180:363].sum() * 20
    refused = np.maximum(0, by_the_minute.requests_per_s[180:195] - 2 * RATE).sum() * 20
    assert np.asarray(first.y)[steps][-1] == pytest.approx(100 * refused / arrivals)


def test_the_figure_shows_the_crowd_until_all_are_served(crowd):
    figure = replay(crowd)
    begin, end = figure.layout.xaxis.range
    served_again = crowd.to_frame()["served_again_s"].max() / 60
    assert begin == -10
    assert served_again + 10 <= end + 1e-6 <= 1.25 * served_again + 10 + 1
    shades = [(shape.x0, shape.x1, shape.yref) for shape in figure.layout.shapes]
    assert shades == [(0, 61, "y domain"), (0, 61, "y2 domain")]
    titles = [axis.title.text for axis in (*figure.select_yaxes(), *figure.select_xaxes()) if axis.title.text]
    assert titles == [
        "load and capacity<br>[requests/s]",
        "refused so far<br>[% of the crowd]",
        "from the begin of the crowd [min]",
    ]


def test_a_service_that_never_comes_to_breath_is_shown_for_an_hour_after_the_crowd():
    found = flash(factor=100, hold_s=600, decay_s=0, base_requests_per_s=200.0, max_capacity=2)
    assert replay(found).layout.xaxis.range[1] == 11 + 60


def test_a_crowd_that_is_served_is_shown_to_its_end():
    found = flash(factor=2, rise_s=0, hold_s=600, decay_s=0)
    assert not found.to_frame()["minutes_over_capacity"].any()
    assert replay(found).layout.xaxis.range[1] == 10 + 10


def test_a_capacity_far_beyond_the_crowd_is_cut_off(crowd):
    most = replay(crowd).layout.yaxis.range[1]
    assert most <= 2.5 * 200 * 1.05
    rash = {"All at once": (TargetTrackingScalingPolicy(1.0, predefined_metric_type=ALB_REQUESTS),)}
    found = flash(policies=rash, factor=2, max_capacity=200)
    assert replay(found).layout.yaxis.range == (0, pytest.approx(2.5 * 40 * 1.05))


def test_only_the_load_that_reaches_the_tasks_is_drawn():
    work = Workload(LoadProfile.constant(20), cpu_ms_per_request=40, behind_cloudfront=True, cloudfront_hit_ratio=0.75)
    figure = replay(replay_flash_crowd(work, ServiceSpec(TaskSize(1024, 2048), max_capacity=40), factor=10))
    drawn = trace(figure, "load")
    assert (drawn.y[0], max(drawn.y)) == (5, pytest.approx(50))
    assert figure.layout.yaxis.range[1] <= 2.5 * 50 * 1.05


def test_ways_differ_in_color_and_in_dash_and_stand_in_the_legend_once(crowd):
    ways = {f"way {i}": crowd.simulation.specs[i % 4].scaling for i in range(5)}
    work = Workload(LoadProfile.constant(20), cpu_ms_per_request=40)
    figure = replay(replay_flash_crowd(work, crowd.simulation.specs[0], ways, hold_s=300, decay_s=0))
    upper = [each for each in figure.data if each.yaxis == "y" and each.name != "load"]
    lower = [each for each in figure.data if each.yaxis == "y2"]
    assert len({each.line.color for each in upper}) == len({each.line.dash for each in upper}) == 5
    assert [each.name for each in upper] == [each.name for each in lower] == list(ways)
    assert [each.line.color for each in upper] == [each.line.color for each in lower]
    assert not any(each.showlegend for each in lower)


def test_a_day_of_crowd_has_few_points():
    found = flash(factor=3, hold_s=86_400, base_requests_per_s=40.0, max_capacity=2)
    for each in replay(found).data:
        assert 100 < len(each.y) <= drawing.MAX_POINTS


# All of them.


@pytest.mark.parametrize("drawn", [0, 1, 2])
def test_figures_are_for_light_and_dark_pages_and_name_their_units(drawn, crowd):
    make = (
        lambda: latency(course(LoadProfile.constant(20))),
        lambda: latency(course(LoadProfile.constant(60), application=QUEUE)),
        lambda: replay(crowd),
    )
    figure = make[drawn]()
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None
    titles = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()) if axis.title.text]
    assert titles
    assert all("[" in text for text in titles)
    json.loads(figure.to_json())


def test_colors_stand_out_on_white_and_on_black():
    def luminance(color: str) -> float:
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for color in (drawing.BLUE, drawing.GREEN, drawing.VERMILION, drawing.PURPLE, drawing.GRAY):
        light = luminance(color)
        # WCAG 2, contrast of graphics.
        assert min(1.05 / (light + 0.05), (light + 0.05) / 0.05) >= 3, color


def test_a_page_is_whole_and_its_title_is_text(crowd):
    page = standalone_html(replay(crowd), "5 < 6 & <b>")
    assert "<title>5 &lt; 6 &amp; &lt;b&gt;</title>" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert page == standalone_html(replay(crowd), "5 < 6 & <b>")


@pytest.mark.slow
def test_a_page_draws_without_a_network(crowd, tmp_path):
    (tmp_path / "page.html").write_text(standalone_html(replay(crowd), "A crowd"), encoding="utf-8")
    with chromium() as browser:
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(f"file://{tmp_path / 'page.html'}")
            page.locator("#figure .scatterlayer .trace").first.wait_for()
            assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
            # Nothing is wider than the screen.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("#figure .legend .traces").count() == 1 + len(crowd.names)
