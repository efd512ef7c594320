"""Figures and tables of trade-offs: what is drawn is what was found, and nothing is lost on the axes."""

import csv
import io
import itertools
import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from estimator.planning.frontier import explore
from estimator.planning.limit_prices import AvailabilityPrice, availability_prices, limit_prices
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Promise
from estimator.planning.risks import RISKS
from estimator.planning.steps_to_plan import steps_to, value_of_choices
from estimator.planning.why_not import why_not
from estimator.pricing.rates import Rates
from estimator.report.drawing import GRAY, MAX_POINTS
from estimator.report.tradeoff_figures import front_figure, tradeoffs_html, waterfall_figure
from estimator.report.tradeoff_tables import (
    Tradeoffs,
    availability_table,
    broken_table,
    differences_table,
    figure_text,
    front_table,
    front_text,
    headline,
    names_of,
    sections,
    some_points,
    steps_text,
    tradeoffs_csv,
    tradeoffs_markdown,
    usual_risk,
)
from estimator.service.policies import ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from tests.planning.test_frontier import CHOICES, RATES, WORK

PROMISE = Promise(p95_latency_ms=120, max_minutes_over_capacity=2500)
TODAY = ServiceSpec(TaskSize(1024, 2048), "X86_64", 1, 6)


@cache
def found() -> Tradeoffs:
    explored = explore(WORK, RATES, PROMISE, choices=CHOICES)
    best = plan(WORK, RATES, PROMISE, choices=CHOICES)
    today = estimate(WORK, RATES, TODAY, promise=PROMISE)
    return Tradeoffs(
        "shop",
        explored,
        best,
        limit_prices(explored, RATES, best),
        availability_prices(explored),
        value_of_choices(best, RATES),
        today,
        today.broken,
        steps_to(today, best, RATES),
    )


def traces(figure):
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("risk", RISKS)
def test_the_front_and_the_marks_stand_where_they_were_found(risk):
    explored, today = found().explored, found().today
    figure = front_figure(explored, risk, today, RATES)
    drawn = traces(figure)
    front = drawn["front: nothing is cheaper with as little risk"]
    points = explored.front(risk)
    assert list(front.x) == [point.usd_per_month for point in points]
    # Less risk is lower on the axis, whatever the scale.
    assert all(before > after for before, after in itertools.pairwise(front.y))
    opened = [symbol == "circle-open" for symbol in front.marker.symbol]
    assert opened == [not point.keeps_promise for point in points]
    assert list(drawn["plan"].x) == [explored.winner.usd_per_month]
    assert list(drawn["today"].x) == [today.cost.total_usd]
    height = dict(zip(front.x, front.y, strict=True))
    if explored.winner.usd_per_month in height:
        assert drawn["plan"].y[0] == pytest.approx(height[explored.winner.usd_per_month])
    assert figure.layout.yaxis.title.text.endswith(f"[{RISKS[risk].unit}]")
    assert figure.layout.xaxis.title.text.startswith("bill [USD/month]")


def test_marks_differ_by_shape_and_label_and_the_rest_is_gray():
    drawn = traces(front_figure(found().explored, today=found().today))
    symbols = [drawn[name].marker.symbol for name in ("plan", "today")]
    assert len(set(symbols)) == 2
    assert drawn["plan"].text == ("<b>plan</b>",)
    assert drawn["today"].text == ("<b>today</b>",)
    dots = [trace for trace in drawn.values() if trace.mode == "markers"]
    assert len(dots) == 3
    assert {trace.marker.color for trace in dots} == {GRAY}
    assert len({trace.marker.symbol for trace in dots}) == 3


def test_every_candidate_is_a_dot_unless_it_would_lie_on_another():
    explored = found().explored
    drawn = front_figure(explored).data
    drawn_usd = {usd for trace in drawn for usd in trace.x}
    assert drawn_usd <= set(explored.usd_per_month)
    assert len(drawn_usd) >= 0.8 * len(set(np.round(explored.usd_per_month, 2)))
    assert sum(len(trace.x) for trace in drawn) <= 3 * MAX_POINTS


def test_the_axis_of_risk_has_zero_and_what_has_no_bound():
    explored = found().explored
    figure = front_figure(explored, "p95_latency_ms")
    axis = figure.layout.yaxis
    assert np.isinf(explored.p95_latency_ms).any()
    assert axis.ticktext[-1] == "no bound"
    finite = [
        height
        for trace in figure.data
        for height, text in zip(trace.y, trace.customdata, strict=True)
        if "p95 latency: without bound" not in text
    ]
    unbounded = {
        height
        for trace in figure.data
        for height, text in zip(trace.y, trace.customdata, strict=True)
        if "p95 latency: without bound" in text
    }
    assert unbounded == {axis.tickvals[-1]}
    assert max(finite) < axis.tickvals[-1]
    minutes = front_figure(explored, "minutes_over_capacity_per_month").layout.yaxis
    assert minutes.ticktext[:3] == ("0", "1", "10")
    assert minutes.tickvals[0] == 0
    assert minutes.tickvals[2] == pytest.approx(math.log10(11))
    assert list(minutes.tickvals) == sorted(minutes.tickvals)


def test_the_promised_limit_is_a_line():
    figure = front_figure(found().explored, "minutes_over_capacity_per_month")
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == pytest.approx(math.log10(2501))
    assert "promised: 2,500 min/month" in [note.text for note in figure.layout.annotations]
    assert not front_figure(found().explored, "refused_percent").layout.shapes


def test_the_usual_risk_is_one_whose_promise_can_be_drawn():
    def of(**limits):
        return usual_risk(replace(found().explored, space=replace(found().explored.space, promise=Promise(**limits))))

    assert of(max_minutes_over_capacity=5) == "minutes_over_capacity_per_month"
    assert of(max_minutes_over_capacity=5, max_minutes_over_promise=9) == "minutes_over_promise_per_month"
    assert of(max_minutes_over_capacity=None, p95_latency_ms=300) == "minutes_over_promise_per_month"
    figure = front_figure(found().explored)
    assert figure.layout.yaxis.title.text == "minutes over capacity [min/month]"
    assert len(figure.layout.shapes) == 1
    assert front_table(found().explored).title.startswith("Cost against minutes over capacity")


def strict(minutes):
    """The same candidates, of whom few minutes over capacity are asked."""
    promise = replace(PROMISE, max_minutes_over_capacity=minutes)
    return explore(WORK, RATES, promise, choices=CHOICES)


@pytest.mark.parametrize(("promised", "shown"), [(0, 5000), (5, 500), (1000, 5000), (9000, 9000)])
def test_the_axis_begins_where_minutes_come_near_to_the_promise_and_says_what_is_left_out(promised, shown):
    explored = strict(promised)
    axis = front_figure(explored).layout.xaxis
    first = next(point for point in explored.front(usual_risk(explored)) if point.risk <= shown)
    begin = axis.range[0]
    cheaper = int(sum(explored.usd_per_month < begin))
    assert begin <= first.usd_per_month
    # Not much room is left before it.
    assert begin >= first.usd_per_month - 0.1 * (axis.range[1] - begin)
    said = axis.title.text.removeprefix("bill [USD/month]")
    assert (f"{cheaper} cheaper candidates are left out" in said) if cheaper > 1 else (not cheaper and not said)


def test_a_tail_is_left_out_somewhere():
    assert "cheaper candidates are left out" in front_figure(strict(5)).layout.xaxis.title.text
    # A latency has no minutes to come near to.
    assert front_figure(strict(5), "p95_latency_ms").layout.xaxis.title.text == "bill [USD/month]"


def test_the_pointer_says_why_the_plan_is_not_on_the_line():
    reason = "what is cheaper with as little of this risk breaks a limit that is left aside"
    seen = set()
    # At 90 ms the latency binds, so that others as seldom over capacity are cheaper.
    explored = explore(WORK, RATES, Promise(p95_latency_ms=90), choices=CHOICES)
    for risk in RISKS:
        off = explored.winner.place not in {point.candidate.place for point in explored.front(risk)}
        hover = traces(front_figure(explored, risk))["plan"].customdata[0]
        assert (reason in hover) == off == (reason in front_text(explored, risk))
        seen.add(off)
    assert seen == {True, False}


def test_the_pointer_says_why_a_candidate_won_or_lost():
    explored = found().explored
    drawn = traces(front_figure(explored, today=found().today, rates=RATES))
    assert "the plan: the cheapest that keeps the promise" in drawn["plan"].customdata[0]
    assert explored.winner.spec.describe() in drawn["plan"].customdata[0]
    assert "breaks the promise: min_tasks is 1" in drawn["today"].customdata[0]
    assert all("breaks the promise: " in text for text in drawn["breaks another limit"].customdata)
    dearer = drawn["keeps the promise, and is dearer"]
    usd = dearer.x[0] - explored.winner.usd_per_month
    assert f"${usd:,.2f} a month dearer than the plan" in dearer.customdata[0]


def test_without_a_winner_nothing_is_marked_as_the_plan():
    impossible = explore(WORK, RATES, Promise(p95_latency_ms=1, max_minutes_over_capacity=None), choices=CHOICES)
    assert "plan" not in traces(front_figure(impossible))
    assert "no candidate keeps the promise" in headline(Tradeoffs("shop", impossible, None, (), ()))


def test_the_waterfall_leads_from_bill_to_bill():
    today, steps = found().today, found().steps
    (bars,) = waterfall_figure(today, steps).data
    assert bars.measure[0] == bars.measure[-1] == "absolute"
    assert set(bars.measure[1:-1]) == {"relative"}
    assert bars.x[0] == today.cost.total_usd
    assert bars.x[-1] == found().best.cost.total_usd
    assert sum(bars.x[:-1]) == pytest.approx(bars.x[-1])
    assert len(set(bars.y)) == len(steps) + 2
    broken = ["promise broken here" in name for name in bars.y[1:-1]]
    assert broken == [not step.keeps_promise for step in steps]
    assert any(broken)


def test_the_waterfall_says_what_is_not_known():
    known = {name: rate for name, rate in RATES.known.items() if name != "fargate_linux_x86_vcpu_hour"}
    rates = Rates("us-east-1", known)
    today = estimate(WORK, rates, TODAY)
    goal = estimate(WORK, rates, replace(TODAY, cpu_architecture="ARM64"))
    figure = waterfall_figure(today, steps_to(today, goal, rates))
    amounts = [note.text for note in figure.layout.annotations]
    assert amounts[0].startswith("at least ")
    assert amounts[1] == "unknown"
    (bars,) = figure.data
    assert sum(bars.x[:-1]) == pytest.approx(bars.x[-1])


def test_no_way_is_drawn_where_there_is_none():
    (bars,) = waterfall_figure(found().today, ()).data
    assert list(bars.x) == [found().today.cost.total_usd] * 2


# Tables and documents.


def test_the_tables_say_what_was_found():
    tables = {section.title: section for section in sections(found()) if not isinstance(section, str)}
    front = next(table for title, table in tables.items() if title.startswith("Cost against minutes over the promise"))
    assert len(front.rows) == len(found().explored.front())
    assert [row[-1] for row in front.rows].count("kept: the cheapest that does") <= 1
    steps = tables["From today to the plan, one choice after the other"]
    assert [row[0] for row in steps.rows] == ["Today", *(step.title for step in found().steps)]
    assert "min_tasks is 1" in steps.rows[0][-1]
    difference = found().best.cost.total_usd - found().today.cost.total_usd
    assert steps.footer[2] == f"{difference:+,.2f}"
    limits = tables["What each limit of the promise costs"]
    assert {row[2] for row in limits.rows if row[3] == "the same plan wins"} <= {"nothing"}
    nines = tables["The price of the last nine"]
    assert nines.rows[0][0].endswith("100 %")
    assert len(nines.rows) == len({price.candidate and price.candidate.place for price in found().availability})
    for table in tables.values():
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert set(table.least) | set(table.below) <= {head.lstrip(">") for head in table.columns}


def test_limits_with_the_same_plan_are_one_row_and_no_difference_is_nothing():
    one, other = found().explored[0], found().explored[1]
    # Of a month of 730 hours, the strictest first: nothing suffices, one plan for two limits, another one for the same money, the loosest.
    prices = [
        AvailabilityPrice(0.0, 730, None, None),
        AvailabilityPrice(0.5, 730, one, 0.0),
        AvailabilityPrice(4.4, 730, one, 12.345),
        AvailabilityPrice(44.0, 730, other, 0.0),
        AvailabilityPrice(438.0, 730, one, None),
    ]
    rows = [row[:2] + row[3:] for row in availability_table(prices).rows]
    assert rows == [
        ("100 %", "0", "", "no candidate"),
        ("99.99 % to 99.999 %", "0.5 to 4.4", "+12.35", one.spec.describe()),
        ("99.9 %", "44", "nothing", other.spec.describe()),
        ("99 %", "438", "", one.spec.describe()),
    ]


def test_a_long_front_is_shown_in_part_with_ends_and_winner():
    explored = found().explored
    points = explored.front(usual_risk(explored))
    winner = next(point.candidate for point in points if point.keeps_promise)
    some = some_points(points, winner, 4)
    assert len(some) <= 4
    assert some[0] == points[0]
    assert some[-1] == points[-1]
    assert winner in [point.candidate for point in some]
    assert some_points(points, winner, len(points)) == list(points)
    assert f"4 of {len(points)} points" in front_table(explored, most=5).title or len(points) <= 5
    assert "p95_latency_ms, max_minutes_over_capacity are left aside" in front_text(explored)


def test_services_that_read_the_same_are_told_apart():
    one = ServiceSpec(TaskSize(256, 512), scaling=TargetTrackingScalingPolicy(60, 60, 300))
    other = replace(one, scaling=TargetTrackingScalingPolicy(60, 300, 300))
    assert one.describe() == other.describe()
    assert len(set(names_of([one, other]))) == 2
    assert names_of([one]) == [one.describe()]
    early, late = (
        replace(one, scheduled_actions=(ScheduledAction("cron(0 8 * * ? *)", min_capacity=tasks),)) for tasks in (4, 5)
    )
    first, second = names_of([early, late])
    assert first != second


def test_where_one_cannot_stop_is_said():
    text = steps_text(found().steps)
    stops = [step.title for step in found().steps[:-1] if step.broken]
    assert stops
    assert f"One cannot stop after {' or '.join(stops)}" in text
    assert steps_text(()) == "Today's service is the plan."


def test_why_not_as_tables():
    other = why_not(found().best, RATES, TODAY)
    limits = broken_table(other.broken)
    assert limits.rows[0][:3] == ("min_tasks", "2", "1")
    differences = differences_table(other)
    assert differences.footer[-1] == f"{other.difference_usd:+,.2f}"
    assert figure_text("ARM64") == "ARM64"


def test_the_csv_has_every_candidate():
    rows = list(csv.DictReader(io.StringIO(tradeoffs_csv(found()))))
    explored = found().explored
    assert len(rows) == len(explored)
    assert sum(row["on_front"] == "True" for row in rows) == len(explored.front())
    kept = [float(row["usd_per_month"]) for row in rows if row["keeps_promise"] == "True"]
    assert min(kept) == pytest.approx(found().best.cost.total_usd)


def test_the_markdown_has_tables_of_whole_rows():
    text = tradeoffs_markdown(found())
    assert text.startswith(f"# {headline(found())}\n")
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert text.count("\n## ") == sum(not isinstance(section, str) for section in sections(found()))


def test_the_page_needs_no_network():
    page = tradeoffs_html(replace(found(), name="a <b> & c"), RATES)
    assert "<h1>a &lt;b&gt; &amp; c: " in page
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", page)
    assert page.count('id="figure-') == 2
    assert page.count("<table") == sum(not isinstance(section, str) for section in sections(found()))
