"""Figures of plans under uncertainty: what can be seen is drawn, what is left out is counted, and no label lies on another."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from estimator.planning.draws import Contender, Outcomes
from estimator.planning.uncertainty import Draws, Move, Uncertainty
from estimator.report.uncertainty_figures import bills_figure, regret_figure, tornado_figure
from estimator.report.uncertainty_table import error_text, plans_risk_table, short_title, tornado_table
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.interval import Interval

SPEC = ServiceSpec(TaskSize(1024, 2048), "X86_64", 2, 6)
INPUTS = ("request.cpu_ms_per_request", "load.events[0].factor", "load.events[1].factor")


def outcomes(usd, late=None) -> Outcomes:
    bills = np.atleast_2d(np.array(usd, dtype=float))
    minutes = np.zeros_like(bills) if late is None else np.atleast_2d(np.array(late, dtype=float))
    return Outcomes(bills, minutes, minutes, minutes == 0, ())


def found(usd, moves=(), budget=None, titles=("high request.cpu_ms_per_request", "today")) -> Uncertainty:
    bills = outcomes(usd)
    contenders = tuple(
        Contender(title, replace(SPEC, min_capacity=2 + i)) for i, title in enumerate(titles[: bills.usd.shape[1]])
    )
    unsure = Draws(
        {path: Interval(1, 2, 3) for path in INPUTS},
        {"behavior.low_factor": (0.8, 0.9)},
        {INPUTS[0]: np.full(2, 2.0)},
        1,
    )
    return Uncertainty(contenders, unsure, bills, outcomes(bills.usd[0]), tuple(moves), 1.0, budget)


def move(name, low, high, late=0.0) -> Move:
    """Bills of two plans at both ends; the first one is late at the high end."""
    return Move(name, True, 1.0, 3.0, outcomes([low, low + 30.0]), outcomes([high, high + 30.0], [late, 0.0]))


# Titles.


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("high request.cpu_ms_per_request", "high cpu_ms_per_request"),
        ("low request.cpu_ms_per_request, today", "low cpu_ms_per_request, today"),
        ("behavior.low_factor", "low_factor"),
        # Two inputs end in `factor`.
        ("high load.events[1].factor", "high load.events[1].factor"),
        ("likely values", "likely values"),
        ("high load", "high load"),
    ],
)
def test_a_title_has_no_more_of_a_path_than_tells_inputs_apart(title, short):
    assert short_title(title, found([[1.0]])) == short


def test_tables_and_figures_say_the_short_title():
    guess = found([[100.0, 130.0]], [move(INPUTS[0], 90.0, 110.0)])
    assert [row[0] for row in plans_risk_table(guess).rows] == ["high cpu_ms_per_request", "today"]
    assert "the plan for high cpu_ms_per_request, the one of least regret" in error_text(guess)
    assert "to the plan for high cpu_ms_per_request: $100.00" in tornado_table(guess).title
    assert list(regret_figure(guess).data[0].y) == ["today", "high cpu_ms_per_request"]
    for figure in (tornado_figure(guess), bills_figure(guess)):
        title = figure.layout.xaxis.title.text.replace("<br>", " ")
        assert title == "bill of the plan for high cpu_ms_per_request [USD/month]"
    other = bills_figure(guess, 1).layout.xaxis.title.text.replace("<br>", " ")
    assert other == "bill of the plan for today [USD/month]"


# The tornado.


def test_bars_that_cannot_be_seen_are_counted_and_inputs_that_decide_are_marked():
    guess = found(
        [[100.0, 130.0]],
        [
            move("large", 0.0, 300.0),
            # The longest bar reaches 200; 0.5 % of it is 1.
            move("seen", 98.9, 101.0),
            move("unseen", 99.1, 100.9),
            move("nothing", 100.0, 100.0),
            move("decides", 100.0, 100.0, late=37.0),
        ],
    )
    figure = tornado_figure(guess)
    assert list(figure.data[0].y) == ["decides", "seen", "large"]
    (mark,) = [note for note in figure.layout.annotations if note.text == "other plan"]
    assert mark.y == "decides"
    # It stands in the margin, where no bar is.
    assert mark.xref == "paper"
    assert mark.xshift < figure.layout.margin.r
    said = figure.layout.xaxis.title.text.replace("<br>", " ")
    assert "2 inputs with less effect on it left out" in said
    assert "at one of its ends another plan is the better one" in said


def test_a_tornado_that_leaves_nothing_out_says_nothing_of_it():
    figure = tornado_figure(found([[100.0, 130.0]], [move("a", 90.0, 110.0)]))
    assert "left out" not in figure.layout.xaxis.title.text
    assert "other plan" not in figure.layout.xaxis.title.text
    assert not figure.layout.annotations
    one = tornado_figure(found([[100.0, 130.0]], [move("a", 90.0, 110.0), move("b", 95.0, 105.0)]), most=1)
    assert list(one.data[0].y) == ["a"]
    assert "1 input with less effect" in one.layout.xaxis.title.text.replace("<br>", " ")
    assert len(tornado_figure(found([[100.0, 130.0]])).data[0].y) == 0


# The bills.


@pytest.mark.parametrize(("draws", "bars"), [(1, 1), (2, 2), (75, 9), (400, 20), (1600, 40), (5000, 40)])
def test_there_are_as_many_bars_as_the_draws_can_fill(draws, bars):
    figure = bills_figure(found(np.linspace(100, 200, draws).reshape(-1, 1)))
    assert len(figure.data[0].y) == bars
    assert sum(figure.data[0].y) == pytest.approx(100)


def test_draws_that_are_all_the_same_are_one_bar():
    assert list(bills_figure(found([[100.0], [100.0 + 1e-12], [100.0]])).data[0].y) == [pytest.approx(100)]


@pytest.mark.parametrize("usd", [[[100.0]] * 20, [[float(usd)] for usd in range(100, 120)]])
def test_no_label_lies_on_another_however_close_the_lines(usd):
    guess = found(usd, budget=usd[9][0])
    figure = bills_figure(guess)
    labels = {note.text: note for note in figure.layout.annotations}
    assert set(labels) == {"P5", "P50", "P95", "budget"}
    for one, other in itertools.combinations(labels.values(), 2):
        # At one height only on two sides of lines that are in order.
        beside = (one.xanchor, other.xanchor) == ("right", "left") and one.x <= other.x
        # A line of text is some 18 of 330 px.
        assert beside or abs(one.y - other.y) >= 0.055
    assert all(note.y > figure.layout.yaxis.domain[1] for note in labels.values())
    low, high = figure.layout.xaxis.range
    assert all(low < note.x < high for note in labels.values())


@pytest.mark.parametrize(("budget", "side"), [(None, "center"), (99.0, "left"), (100.0, "left"), (101.0, "right")])
def test_the_line_of_the_budget_does_not_cross_the_label_of_the_median(budget, side):
    notes = bills_figure(found([[90.0], [100.0], [110.0]], budget=budget)).layout.annotations
    assert [note.xanchor for note in notes if note.text == "P50"] == [side]


# The regret.


def test_the_worst_draw_is_what_the_pointer_shows():
    guess = found([[100.0, 130.0], [100.0, 5000.0]])
    (bars,) = regret_figure(guess).data
    assert list(bars.y) == ["today", "high cpu_ms_per_request"]
    assert list(bars.x) == [pytest.approx((30 + 4900) / 2), 0]
    assert list(bars.customdata) == [4900, 0]
    assert "in the worst draw" in bars.hovertemplate
