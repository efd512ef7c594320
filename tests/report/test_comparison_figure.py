"""The figure of two plans' differences: its axis fits the bars, and says which plan is taken off which."""

from functools import cache

import pytest

from estimator.planning.comparison import compare
from estimator.planning.planner import estimate
from estimator.report.comparison import differences_figure
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from tests.planning.test_frontier import RATES, WORK

SMALL, LARGE = ServiceSpec(TaskSize(1024, 2048), "ARM64", 2, 6), ServiceSpec(TaskSize(2048, 4096), "ARM64", 2, 6)
OTHER = ServiceSpec(TaskSize(1024, 2048), "X86_64", 2, 6)


@cache
def plan_of(spec):
    return estimate(WORK, RATES, spec)


def drawn(before, after, **names):
    figure = differences_figure(compare(plan_of(before), plan_of(after), **names))
    return figure.data[0].x, figure.layout.xaxis


@pytest.mark.parametrize(("before", "after"), [(SMALL, LARGE), (LARGE, SMALL), (SMALL, OTHER), (SMALL, SMALL)])
def test_the_axis_reaches_where_bars_are_with_room_for_their_amounts(before, after):
    bars, axis = drawn(before, after)
    low, high = axis.range
    least, most = min(0, *bars, 0), max(0, *bars, 0)
    span = most - least
    assert (low < least - 0.4 * span) if least < 0 else low == 0
    assert (high > most + 0.4 * span) if most > 0 else high == (0 if least < 0 else pytest.approx(0, abs=0.01))
    assert low < high


def test_the_axis_names_both_plans():
    _, axis = drawn(SMALL, LARGE, titles=("the old <one>", "the new"))
    assert axis.title.text.replace("<br>", " ") == "the new less the old &lt;one&gt; [USD/month]"
    _, axis = drawn(SMALL, LARGE)
    assert axis.title.text == "B less A [USD/month]"
