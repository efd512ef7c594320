"""What happens beside the load, on the figures of a course: where it stands, and that many do not pile up."""

import itertools
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.snapshots import load_rates
from estimator.report import drawing, figures
from estimator.report.course_figures import latency, replay, standalone_html
from estimator.report.happenings import DEPLOYMENT, MOST_LINES, SHORTAGE, ZONE_LOSS, Happening, happenings, kinds
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.operations import Operations, SpotShortage
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.replay import replay_flash_crowd
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.browser import chromium

DAY, WEEK = LoadProfile.constant(20), LoadProfile.weekly(40, 20)
DRAWN = (figures.load_and_tasks, figures.utilization, latency)
HOUR = 3600


def course(load: LoadProfile, *, is_spot: bool = False, **operations) -> Plan:
    strategy = CapacityProviderStrategy(0, 0, 1) if is_spot else CapacityProviderStrategy()
    spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=4, max_capacity=12, capacity_provider_strategy=strategy)
    work = Workload(load, cpu_ms_per_request=40)
    return estimate(work, load_rates("eu-west-1"), spec, operations=Operations(**operations))


@pytest.fixture(scope="module")
def hourly() -> Plan:
    return course(WEEK, deployment_schedules=("cron(0 * * * ? *)",))


def entries(figure: go.Figure) -> list[str]:
    """Names in the legend of what happens: lines that have no point."""
    return [trace.name for trace in figure.data if tuple(trace.x) == (None,)]


def marks(figure: go.Figure, row: str = "y domain") -> list[list[tuple[float, float]]]:
    """Corners of each line or area of a row: hour and height."""
    found = []
    for shape in figure.layout.shapes:
        if shape.yref != row:
            continue
        for part in shape.path.split("M")[1:]:
            corners = re.findall(r"([0-9T_:-]+),([0-9.]+)", part)
            since = [
                (np.datetime64(at.replace("_", "T")) - drawing.START) / np.timedelta64(1, "h") for at, _ in corners
            ]
            found.append(list(zip(since, (float(height) for _, height in corners), strict=True)))
    return found


def test_happenings_are_listed_at_their_seconds():
    plan = course(
        DAY,
        # 10 o'clock in winter is 9 o'clock UTC; the second expression is due at 9 too.
        deployment_schedules=("cron(0 10,15 * * ? *)", "cron(0 10 * * ? *)"),
        timezone="Europe/Berlin",
        zone_losses_h=(20.0, 3.5),
        spot_shortages=(SpotShortage(22, 4), SpotShortage(5, 1), SpotShortage(5.5, 1)),
    )
    assert happenings(plan) == (
        Happening(DEPLOYMENT, 9 * HOUR, 9 * HOUR),
        Happening(DEPLOYMENT, 14 * HOUR, 14 * HOUR),
        Happening(ZONE_LOSS, round(3.5 * HOUR), round(3.5 * HOUR)),
        Happening(ZONE_LOSS, 20 * HOUR, 20 * HOUR),
        # Shortages that overlap are one, and one ends with the period.
        Happening(SHORTAGE, 5 * HOUR, round(6.5 * HOUR)),
        Happening(SHORTAGE, 22 * HOUR, 24 * HOUR),
    )
    assert kinds(happenings(plan)) == (DEPLOYMENT, ZONE_LOSS, SHORTAGE)


def test_tasks_are_replaced_where_the_line_stands():
    plan = course(DAY, deployment_schedules=("cron(30 9 * * ? *)",))
    (line,) = marks(figures.load_and_tasks(plan))
    assert [hour for hour, _ in line] == [9.5, 9.5]
    # Old and new tasks are billed side by side, the new ones from the pull of their image on.
    both = np.flatnonzero(plan.series.billed_count > 4)
    assert 0 <= both[0] - 9.5 * 60 <= 1


@pytest.mark.parametrize("draw", DRAWN)
def test_every_row_has_lines_over_its_height_and_areas(draw):
    plan = course(DAY, zone_losses_h=(8.0,), spot_shortages=(SpotShortage(10, 2),), is_spot=True)
    figure = draw(plan)
    rows = ["y domain", *(f"{axis.plotly_name.replace('axis', '')} domain" for axis in list(figure.select_yaxes())[1:])]
    for row in rows:
        assert marks(figure, row) == [[(8, 0), (8, 1)], [(10, 0), (10, 1), (12, 1), (12, 0)]]
    assert entries(figure) == ["zone loss", "no Fargate Spot"]
    assert all(trace.legend == "legend" for trace in figure.data if tuple(trace.x) == (None,))


@pytest.mark.parametrize("draw", DRAWN)
def test_nothing_happens_and_nothing_is_marked(draw):
    figure = draw(course(DAY))
    assert not figure.layout.shapes
    assert entries(figure) == []


@pytest.mark.parametrize("draw", DRAWN)
def test_many_deployments_are_ticks_with_one_name(draw, hourly):
    figure = draw(hourly)
    assert entries(figure) == ["168 deployments"]
    # One shape for each row, whatever their number, and none that hides a curve.
    assert len(figure.layout.shapes) == len(list(figure.select_yaxes()))
    lines = marks(figure)
    assert [hour for (hour, _), _ in lines] == list(range(168))
    assert all(high < 0.1 for _, (_, high) in lines)
    assert not figure.layout.annotations


def test_as_many_as_can_be_told_apart_are_lines():
    def heights(n: int) -> set[float]:
        plan = course(DAY, zone_losses_h=tuple(0.5 * k for k in range(n)))
        return {high for _, (_, high) in marks(figures.load_and_tasks(plan))}

    assert heights(MOST_LINES) == {1}
    assert max(heights(MOST_LINES + 1)) < 0.1


def test_what_no_screen_shows_apart_is_not_drawn():
    every_minute = course(WEEK, deployment_schedules=("rate(1 minute)",))
    figure = figures.load_and_tasks(every_minute)
    assert entries(figure) == ["10,080 deployments"]
    lines = marks(figure)
    assert len(lines) == 1000
    assert (lines[0][0][0], lines[-1][0][0]) == (0, pytest.approx(168 - 1 / 60))


def test_kinds_differ_in_color_and_in_dash():
    plan = course(DAY, deployment_schedules=("rate(12 hours)",), zone_losses_h=(8.0,))
    looks = [shape.line for shape in figures.load_and_tasks(plan).layout.shapes if shape.yref == "y domain"]
    assert all(a.color != b.color and a.dash != b.dash for a, b in itertools.combinations(looks, 2))


def test_a_longer_legend_has_more_room():
    calm, busy = course(DAY), course(DAY, deployment_schedules=("rate(12 hours)",), zone_losses_h=(8.0,))
    for draw in DRAWN[1:]:
        assert draw(busy).layout.height == draw(calm).layout.height + 2 * 20


def test_a_crowd_has_nothing_beside_it(hourly):
    found = replay_flash_crowd(hourly.workload, hourly.spec, factor=3)
    assert entries(replay(found)) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 900])
def test_legends_do_not_overlap_a_row(width, tmp_path, hourly):
    plan = course(
        DAY, deployment_schedules=("rate(3 hours)",), zone_losses_h=(8.0,), spot_shortages=(SpotShortage(10, 2),)
    )
    with chromium() as browser:
        for draw in DRAWN:
            (tmp_path / "page.html").write_text(standalone_html(draw(plan), "A day"), encoding="utf-8")
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(f"file://{tmp_path / 'page.html'}")
            page.locator("#figure .shapelayer path").first.wait_for(state="attached")
            rows = page.locator("#figure .cartesianlayer .subplot .xy, #figure .cartesianlayer .gridlayer")
            assert rows.count() > 0
            boxes = page.evaluate(
                """() => {
                    const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] }
                    const all = q => [...document.querySelectorAll(q)].map(box)
                    return {legends: all('#figure .infolayer > g[class^="legend"]'), plots: all('#figure .bglayer .bg, #figure .draglayer .nsewdrag')}
                }"""
            )
            assert boxes["legends"]
            assert boxes["plots"]
            for left, top, right, bottom in boxes["legends"]:
                assert 0 <= left <= right <= width
                for _, upper, _, lower in boxes["plots"]:
                    assert bottom <= upper + 1 or top >= lower - 1
