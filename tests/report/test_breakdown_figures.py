"""Figures and tables of a bill taken apart: they show what the figures say, and add up."""

import json
from dataclasses import replace

import pytest

from estimator.billing.costing import CostBreakdown
from estimator.planning.cost_split import fixed_and_variable
from estimator.planning.horizon import Horizon, bill_by_month
from estimator.planning.lcu_advice import lcu_advice
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.pricing.snapshots import load_rates
from estimator.report import breakdown_figures as figures
from estimator.report import drawing
from estimator.report.bill_steps import GROUPS, REST, usd_by_group
from estimator.report.breakdown_tables import lcu_dimensions_table, months_table, split_table, what_ifs_table
from estimator.report.terminal import plain_table
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

RATES = rates_of()
TWO = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2, network=NetworkLayout.of("nat"))
#: Of 10 ms each they serve 200 requests/s: five doublings of 10, and not six.
WORK = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)


def service(work=WORK, rates=RATES, **given):
    return estimate(work, rates, TWO, **given)


def by_month(months=7, growth=100, rates=RATES, users=None, **given):
    return bill_by_month(service(rates=rates, **given), rates, Horizon(months, growth, users))


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar"]


def marks(figure):
    return [trace for trace in figure.data if trace.name == "promise broken"]


# Groups of charges.


def test_groups_are_the_bill():
    cost = service().cost
    sums = usd_by_group(cost)
    assert list(sums) == [*GROUPS, REST]
    assert sum(sums.values()) == pytest.approx(cost.total_usd)
    assert sums["Compute"] == pytest.approx(2 * 730 * (0.04048 + 2 * 0.004445))
    assert usd_by_group(CostBreakdown("us-east-1", 730, (), 0.0)) == dict.fromkeys((*GROUPS, REST), 0.0)


# Month by month.


def test_the_bars_of_a_month_are_its_bill():
    found = by_month()
    figure = figures.months(found)
    assert figure.layout.barmode == "relative"
    assert [trace.name for trace in bars(figure)] == [group for group in GROUPS if group != "Edge"]
    for k, month in enumerate(found.months):
        assert {trace.x[k] for trace in bars(figure)} == {month.month}
        assert sum(trace.y[k] for trace in bars(figure)) == pytest.approx(month.cost.total_usd)
    assert figure.layout.yaxis.range[1] > found.months[-1].cost.total_usd


def test_the_first_month_that_breaks_the_promise_is_marked():
    figure = figures.months(by_month())
    (mark,) = marks(figure)
    assert list(mark.x) == [6, 7]
    assert mark.customdata[0].startswith("max_minutes_over_capacity is 43,800")
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 5.5


def test_a_promise_that_is_kept_has_no_mark():
    figure = figures.months(by_month(months=5))
    assert marks(figure) == []
    assert figure.layout.shapes == ()


def test_groups_differ_by_color_and_pattern_and_none_is_drawn_empty():
    looks = [(trace.marker.color, trace.marker.pattern.shape) for trace in bars(figures.months(by_month()))]
    assert len(set(looks)) == len(looks)
    assert drawing.VERMILION not in {color for color, _ in looks}
    quiet = replace(WORK, response_kb=0, outbound_sent_kb_per_request=0, log_bytes_per_request=0)
    drawn = [trace.name for trace in bars(figures.months(bill_by_month(service(quiet), RATES, Horizon(2))))]
    assert "Data transfer" not in drawn
    assert {"Compute", "Load balancer", "Network"} <= set(drawn)


@pytest.mark.parametrize("months", [1, 12, 60])
def test_short_and_long_horizons_are_drawn(months):
    figure = figures.months(by_month(months, 1))
    assert figure.layout.xaxis.range == (0.4, months + 0.6)
    assert figure.layout.xaxis.dtick == (1 if months <= 12 else 6)


def test_an_unknown_rate_is_said_on_the_axis():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_hour"})
    assert figures.months(by_month(rates=rates)).layout.xaxis.title.text == "month (at least)"
    assert figures.months(by_month()).layout.xaxis.title.text == "month"


# Fixed and variable.


def test_both_parts_of_every_line_are_drawn_largest_first():
    split = fixed_and_variable(service(), RATES)
    figure = figures.fixed_and_variable(split)
    fixed, added = bars(figure)
    assert (fixed.name, added.name) == ("without traffic", "traffic adds")
    assert sum(fixed.x) == pytest.approx(split.fixed_usd)
    assert sum(added.x) == pytest.approx(split.variable_usd)
    totals = [one + other for one, other in zip(fixed.x, added.x, strict=True)]
    assert totals == sorted(totals, reverse=True)
    (label,) = (trace for trace in figure.data if trace.type == "scatter")
    assert [text.strip() for text in label.text] == [f"${total:,.2f}" for total in totals]
    assert figure.layout.xaxis.range[1] > max(totals)
    assert fixed.marker.pattern.shape != added.marker.pattern.shape


def test_an_unknown_line_says_so():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_hour"})
    figure = figures.fixed_and_variable(fixed_and_variable(service(rates=rates), rates))
    (label,) = (trace for trace in figure.data if trace.type == "scatter")
    assert label.text[-1].strip() == "unknown"
    assert "Application" in label.y[-1]


# Both.


@pytest.mark.parametrize(
    "make",
    [lambda: figures.months(by_month()), lambda: figures.fixed_and_variable(fixed_and_variable(service(), RATES))],
)
def test_figures_are_for_light_and_dark_pages_and_name_their_units(make):
    figure = make()
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None
    titles = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()) if axis.title.text]
    assert any("USD/month" in title for title in titles)
    json.loads(figure.to_json())


# Tables.


def test_a_row_for_each_month_and_a_sum():
    found = by_month(users=100)
    table = months_table(found)
    assert len(table.rows) == 7
    assert {len(row) for row in (*table.rows, table.footer)} == {len(table.columns)}
    assert [row[0] for row in table.rows] == [str(month) for month in range(1, 8)]
    assert table.footer[2] == f"{found.total_usd:,.2f}"
    assert [row[-1].partition(":")[0] for row in table.rows] == ["kept"] * 5 + ["broken"] * 2
    # The reason stands where it is broken first.
    assert "max_minutes_over_capacity" in table.rows[5][-1]
    assert table.rows[6][-1] == "broken"
    assert "no bound" in table.rows[6]
    assert table.title == "7 months with a load that grows by 100 % a month"
    groups = [
        place for place, head in enumerate(table.columns) if head.lstrip(">").lower() in map(str.lower, (*GROUPS, REST))
    ]
    for row in table.rows:
        amounts = [float(row[place].replace(",", "")) for place in groups]
        assert sum(amounts) == pytest.approx(float(row[2].replace(",", "")), abs=0.03)
    for head in table.least:
        table.without(head)


def test_months_that_are_all_alike_have_one_row():
    table = months_table(by_month(months=12, growth=0))
    assert [row[0] for row in table.rows] == ["each of 12"]
    assert table.title == "12 months"
    assert "USD/user" not in plain_table(table)
    alone = months_table(by_month(months=1, growth=0, promise=Promise(min_tasks=3)))
    assert alone.title == "1 month"
    assert alone.footer == ()
    assert alone.rows[0][-1] == "broken: min_tasks is 2; at least 3 tasks"
    assert "shrinks by 5 % a month" in months_table(by_month(growth=-5)).title


def test_a_table_of_both_parts_and_their_sums():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_lcu_hour"})
    split = fixed_and_variable(service(rates=rates), rates)
    table = split_table(split)
    row = next(row for row in table.rows if row[0] == "Load balancer capacity units")
    assert row[1:] == ("0.00", "unknown", "unknown")
    # The units follow traffic: what stands without it is known.
    assert table.footer == (
        "Total",
        f"{split.fixed_usd:,.2f}",
        f"at least {split.variable_usd:,.2f}",
        f"at least {split.total_usd:,.2f}",
    )


def test_a_group_without_a_rate_is_unknown_and_not_left_out():
    prices = {name: price for name, price in US_EAST_1.items() if "spot" not in name}
    rates = rates_of(prices)

    def table_of(strategy):
        found = estimate(WORK, rates, replace(TWO, capacity_provider_strategy=strategy))
        return months_table(bill_by_month(found, rates, Horizon(2, 10)))

    table = table_of("FARGATE_SPOT")
    place = [head.lstrip(">") for head in table.columns].index("Compute")
    assert [row[place] for row in table.rows] == ["unknown", "unknown"]
    assert all(row[place].startswith("at least ") for row in table_of(CapacityProviderStrategy(0, 1, 1)).rows)


def test_tables_of_capacity_units():
    work = replace(WORK, load=LoadProfile.constant(100), requests_per_connection=1, response_kb=1)
    rates = load_rates("us-east-1")
    advice = lcu_advice(service(work, rates), rates)
    table = lcu_dimensions_table(advice)
    assert [row[:3] for row in table.rows] == [
        ("new connections", "730", "2,920.00"),
        ("active connections", "0", "1,460.00"),
        ("processed bytes", "0", "525.60"),
        ("rule evaluations", "0", "0.00"),
    ]
    assert table.footer[2] == "2,920.00"
    changes = what_ifs_table(advice)
    assert [row[0] for row in changes.rows] == [change.name for change in advice.what_ifs]
    for row, change in zip(changes.rows, advice.what_ifs, strict=True):
        assert row[1:] == (f"{change.cost.total_usd:,.2f}", f"{change.saved_usd:,.2f}", change.advice)
    assert len(changes.rows) >= 3
    unknown = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_lcu_hour"})
    without = what_ifs_table(lcu_advice(service(work, unknown), unknown))
    assert {row[2] for row in without.rows} == {"unknown"}
