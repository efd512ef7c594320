"""Two plans side by side: the differences are those of arithmetic by hand, laws hold, and nothing unknown counts as 0."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.comparison import compare
from estimator.planning.line_differences import bounds_text, signed_text
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.report.comparison import comparison_markdown, comparison_tables, differences_figure, lines_table
from estimator.report.terminal import fitted_table, plain_table
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.policies import ScheduledAction
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import US_EAST_1, fitting, rates_of, specs, workloads

RATES = rates_of()
WORK = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
TWO = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=2)
FOUR = replace(TWO, min_capacity=4, max_capacity=4)
#: A month of two tasks with 0.25 vCPU and 0.5 GB, by hand.
VCPU_USD = 2 * 730 * 0.25 * 0.04048
MEMORY_USD = 2 * 730 * 0.5 * 0.004445


def rates_without(*names):
    return rates_of({name: price for name, price in US_EAST_1.items() if name not in names})


def of_charge(found, charge):
    return next(line for line in found.lines if line.charge == charge)


def test_two_tasks_more_cost_what_two_tasks_cost():
    found = compare(estimate(WORK, RATES, TWO), estimate(WORK, RATES, FOUR))
    vcpu = of_charge(found, "fargate_linux_x86_vcpu_hour")
    assert (vcpu.before_usd, vcpu.after_usd) == (pytest.approx(VCPU_USD), pytest.approx(2 * VCPU_USD))
    assert vcpu.difference_usd == vcpu.least_usd == vcpu.most_usd == pytest.approx(14.7752)
    assert vcpu.difference_percent == pytest.approx(100)
    assert (vcpu.before.pricing_quantity, vcpu.after.pricing_quantity) == (pytest.approx(365), pytest.approx(730))
    assert of_charge(found, "fargate_linux_x86_gb_hour").difference_usd == pytest.approx(MEMORY_USD)
    # Each task of a public subnet has an address.
    assert of_charge(found, "public_ipv4").difference_usd == pytest.approx(2 * 730 * 0.005)
    more = VCPU_USD + MEMORY_USD + 7.3
    assert found.difference_usd == pytest.approx(more)
    assert found.difference_percent == pytest.approx(100 * more / found.before.cost.total_usd)
    assert sum(bool(line.difference_usd) for line in found.lines) == 3
    tasks = next(figure for figure in found.figures if figure.name == "mean_tasks")
    assert (tasks.before, tasks.after, tasks.difference) == (2, 4, 2)
    assert {field.name: (field.before, field.after) for field in found.service} == {
        "min_capacity": (2, 4),
        "max_capacity": (2, 4),
    }
    assert found.assumptions == ()
    assert found.verdict.startswith(f"B costs ${more:,.2f} a month more than A (+")
    assert found.verdict.endswith(", and keeps its promise, as A does.")


def test_a_line_that_only_one_has_is_said_so():
    found = compare(estimate(WORK, RATES, TWO), estimate(WORK, RATES, replace(TWO, cpu_architecture="ARM64")))
    gone, new = of_charge(found, "fargate_linux_x86_vcpu_hour"), of_charge(found, "fargate_linux_arm_vcpu_hour")
    assert (gone.only_in, new.only_in) == ("first", "second")
    assert (gone.after, new.before) == (None, None)
    assert gone.difference_usd == pytest.approx(-VCPU_USD)
    assert new.difference_usd == pytest.approx(365 * 0.03238)
    # 365 vCPU-hours and 730 GB-hours at ARM's prices instead.
    assert found.difference_usd == pytest.approx(365 * (0.03238 - 0.04048) + 730 * (0.00356 - 0.004445))
    row = next(row for row in lines_table(found).rows if row[0] == gone.title)
    assert row[1:8] == ("365.00", "none", "vCPU-hour", "0.04048", "none", f"{VCPU_USD:,.2f}", "none")
    assert gone.to_dict()["after"] is None


PAIRS = [
    (estimate(WORK, RATES, TWO), estimate(WORK, RATES, replace(FOUR, cpu_architecture="ARM64"))),
    (
        estimate(WORK, RATES, replace(TWO, network=NetworkLayout.of("nat"))),
        estimate(WORK, RATES, replace(TWO, capacity_provider_strategy="FARGATE_SPOT")),
    ),
    (
        estimate(Workload(LoadProfile.daily(100, 5), cpu_ms_per_request=30), RATES, replace(TWO, max_capacity=20)),
        estimate(WORK, rates_without("alb_hour"), TWO, hours_per_month=100),
    ),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_other_way_round_is_minus(first, second):
    one, other = compare(first, second), compare(second, first)
    assert [line.charge for line in one.lines] == [line.charge for line in other.lines]
    for there, back in zip(one.lines, other.lines, strict=True):
        assert (there.least_usd, there.most_usd) == (-back.most_usd, -back.least_usd)
        assert {there.only_in, back.only_in} in ({""}, {"first", "second"})
    assert one.least_difference_usd == -other.most_difference_usd
    assert one.most_difference_usd == -other.least_difference_usd
    for there, back in zip(one.figures, other.figures, strict=True):
        assert there.difference is back.difference is None or there.difference == -back.difference
    for fields in ("service", "assumptions"):
        swapped = {(field.name, str(field.after), str(field.before)) for field in getattr(other, fields)}
        assert {(field.name, str(field.before), str(field.after)) for field in getattr(one, fields)} == swapped
    assert (one.broken_before, one.broken_after) == (other.broken_after, other.broken_before)


@pytest.mark.parametrize("plan", [pair[0] for pair in PAIRS] + [PAIRS[2][1]])
def test_a_plan_differs_from_itself_in_nothing(plan):
    # Its load balancer's rate may be unknown: the same hours cost the same at any rate.
    found = compare(plan, plan)
    assert {line.difference_usd for line in found.lines} == {line.difference_percent for line in found.lines} == {0.0}
    assert found.difference_usd == 0
    assert not found.unknown
    assert found.service == found.assumptions == ()
    assert found.verdict.startswith("B costs the same as A")
    assert all(figure.difference == 0 for figure in found.figures if not figure.before_is_least)
    assert len(comparison_tables(found)) == 2


@settings(max_examples=15)
@given(workloads(), specs(), specs())
def test_differences_of_lines_add_up_to_that_of_the_totals(work, first, second):
    plans = [estimate(fitting(fitting(work, first), second), RATES, spec) for spec in (first, second)]
    found = compare(*plans)
    before, after = (plan.cost.total_usd for plan in plans)
    assert sum(line.difference_usd for line in found.lines) == pytest.approx(found.difference_usd, abs=1e-9)
    assert found.difference_usd == pytest.approx(after - before, abs=1e-9 * (before + after))
    assert found.difference_percent == pytest.approx(100 * (after - before) / before, abs=1e-6)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_what_is_unknown_is_no_zero(first, second):
    known, unknown = RATES, rates_without("alb_hour")
    found = compare(
        estimate(WORK, unknown if first else known, TWO), estimate(WORK, unknown if second else known, FOUR)
    )
    line = of_charge(found, "alb_hour")
    assert (line.before_usd is None, line.after_usd is None) == (first, second)
    rest = VCPU_USD + MEMORY_USD + 7.3
    if first and second:
        # The same hours at the same rate, whatever it is.
        assert line.difference_usd == 0
        assert found.difference_usd == pytest.approx(rest)
        # Its share of a bill that is at least so much is not known.
        assert found.difference_percent is None
        assert found.percent_bounds() == (0.0, pytest.approx(100 * rest / found.before.cost.total_usd))
        return
    assert line.difference_usd is found.difference_usd is found.difference_percent is None
    assert [each.charge for each in found.unknown] == ["alb_hour"]
    assert f"Not compared, since a rate is not known: {line.title}." in found.notes
    usd = 730 * 0.0225
    if second:
        assert found.least_difference_usd == pytest.approx(rest - usd)
        assert found.most_difference_usd == math.inf
        assert found.verdict.startswith(f"B costs at least ${rest - usd:,.2f} a month more than A")
    else:
        assert found.least_difference_usd == -math.inf
        assert found.most_difference_usd == pytest.approx(rest + usd)
        assert found.verdict.startswith("B costs more or less than A: which of them cannot be said")
    assert found.to_dict()["difference_usd_per_month"] is None
    shown = plain_table(lines_table(found)).splitlines()
    assert "unknown" in next(text for text in shown if text.startswith(line.title))
    assert "at least" in shown[-1] or "at most" in shown[-1]
    assert {len(trace.y) for trace in differences_figure(found).data} == {3}


def test_more_of_the_same_unknown_rate_costs_no_less():
    rates = rates_without("public_ipv4_in_use_hour")
    found = compare(estimate(WORK, rates, TWO), estimate(WORK, rates, FOUR))
    line = of_charge(found, "public_ipv4")
    assert (line.least_usd, line.most_usd, line.difference_usd) == (0, math.inf, None)
    assert found.least_difference_usd == pytest.approx(VCPU_USD + MEMORY_USD)
    # In another region the rate is another, known or not.
    there = compare(estimate(WORK, rates, TWO), estimate(WORK, rates_of(rates_prices(rates), "us-east-2"), FOUR))
    assert of_charge(there, "public_ipv4").least_usd == -math.inf


def rates_prices(rates):
    return {name: US_EAST_1[name] for name in rates.known}


def test_a_part_that_a_savings_plan_pays_of_an_unknown_amount_stays_unknown():
    mine = SavingsPlan("3yr", "Partial Upfront", 0.1, existing=True)
    rates = rates_of()
    plan = estimate(WORK, rates, FOUR, savings_plans=[mine])
    assert any(line.is_shared for line in plan.cost)
    found = compare(plan, estimate(WORK, rates, TWO, savings_plans=[mine]))
    shared = [line for line in found.lines if line.before and line.before.is_shared]
    assert {(line.least_usd, line.most_usd) for line in shared} == {(-math.inf, math.inf)}
    # Of the very same bill even that is the same.
    assert compare(plan, plan).difference_usd == 0


def test_savings_plans_are_lines_and_assumptions():
    rates = all_rates()
    found = compare(estimate(WORK, rates, FOUR), estimate(WORK, rates, FOUR, savings_plans=[SavingsPlan()]))
    assert found.difference_usd == pytest.approx(found.after.cost.total_usd - found.before.cost.total_usd)
    assert found.difference_usd < 0
    assert {field.name for field in found.assumptions} >= {"savings_plans[0].term", "savings_plans[0].payment_option"}
    assert any(line.only_in == "second" for line in found.lines)


def test_assumptions_that_differ_are_named_with_both_values():
    other = Workload(LoadProfile.constant(10), cpu_ms_per_request=20)
    application, promise = Application(container_port=9000), Promise(p95_latency_ms=5)
    found = compare(
        estimate(WORK, RATES, TWO),
        estimate(other, rates_of(region="us-west-2"), TWO, application, promise, hours_per_month=744),
    )
    assert found.service == ()
    values = {field.name: (field.before, field.after) for field in found.assumptions}
    assert values["region"] == ("us-east-1", "us-west-2")
    assert values["hours_per_month"] == (730, 744)
    assert values["request.cpu_ms_per_request"] == (10, 20)
    assert values["load.mean_requests_per_s"] == (20, 10)
    assert values["load.peak_requests_per_s"] == (20, 10)
    assert values["load.fingerprint"] == (WORK.load.fingerprint(), other.load.fingerprint())
    assert values["promise.p95_latency_ms"] == (None, 5)
    assert values["application.container_port"] == (8080, 9000)
    assert any(note.startswith("The loads differ, so a million requests say more") for note in found.notes)
    assert "The months differ: 730 hours and 744 hours." in found.notes
    assert [broken.constraint for broken in found.broken_after] == ["p95_latency_ms"]
    assert "but breaks its promise (p95_latency_ms is" in found.verdict
    assert "breaks its own (p95_latency_ms is" in compare(found.after, found.before).verdict
    assert "as A does (p95_latency_ms is" in compare(found.after, found.after).verdict


def test_every_broken_limit_of_each_is_listed():
    promise = Promise(
        max_usd_per_month=1,
        allowed_regions=("eu-west-1",),
        max_minutes_in_flash_crowd=0,
        flash_crowd_factor=10,
        min_tasks=3,
    )
    found = compare(estimate(WORK, RATES, TWO, promise=promise), estimate(WORK, RATES, TWO))
    assert [broken.constraint for broken in found.broken_before] == [
        "min_tasks",
        "allowed_regions",
        "max_minutes_in_flash_crowd",
        "max_usd_per_month",
    ]
    assert found.broken_after == ()
    assert found.to_dict()["before"]["broken"][1]["actual"] == "us-east-1"


def test_policies_are_compared_by_their_place():
    more = replace(
        TWO,
        scaling=(*TWO.scaling, replace(TWO.scaling[0], predefined_metric_type="ECSServiceAverageMemoryUtilization")),
    )
    found = compare(estimate(WORK, RATES, TWO), estimate(WORK, RATES, more))
    assert {field.before for field in found.service} == {None}
    assert all(field.name.startswith("scaling[1].") for field in found.service)
    scheduled = replace(TWO, max_capacity=4, scheduled_actions=(ScheduledAction("rate(1 day)", 3, 4),))
    later = compare(estimate(WORK, RATES, replace(TWO, max_capacity=4)), estimate(WORK, RATES, scheduled)).service
    assert {field.name.partition(".")[0] for field in later} == {"scheduled_actions[0]"}


def test_what_has_no_bound_is_no_number_in_json():
    crowd = Workload(LoadProfile.constant(500), cpu_ms_per_request=10)
    silent = Workload(LoadProfile.constant(0), cpu_ms_per_request=10)
    found = compare(estimate(crowd, RATES, TWO), estimate(silent, RATES, TWO), ("a crowd", "silence"))
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["before"]["title"] == "a crowd"
    p95 = next(figure for figure in found.figures if figure.name == "p95_latency_ms")
    assert p95.before == math.inf
    assert p95.difference is None
    shown = "\n".join(map(plain_table, comparison_tables(found)))
    assert "without bound" in shown
    assert "the first is a crowd, the second is silence" in shown


def test_frame_text_and_pages_have_the_lines():
    named = [replace(plan, scenario={"name": name}) for plan, name in zip(PAIRS[0], ("<old>", "new|er"), strict=True)]
    found = compare(*named)
    frame = found.to_frame()
    assert frame["difference_usd"].sum() == pytest.approx(found.difference_usd)
    assert list(frame["charge"]) == [line.charge for line in found.lines]
    assert frame["before_quantity"].isna().sum() == sum(line.only_in == "second" for line in found.lines)
    markdown, page = comparison_markdown(found), found._repr_html_()
    assert markdown == comparison_markdown(compare(*named))
    assert "# &lt;old> and new\\|er" in markdown
    assert "&lt;old&gt;" in page
    assert "<old>" not in page + markdown
    for line in found.lines:
        assert line.title in str(found)
        assert line.title in page
        assert line.title in markdown
    assert str(found).splitlines()[-1] == found.verdict
    assert compare(named[0], named[0]).titles == ("A", "B")


def test_the_figure_has_a_bar_for_each_line_that_differs_and_the_total():
    found = compare(*PAIRS[0])
    (bars,) = differences_figure(found).data
    changed = [line.difference_usd for line in found.lines if line.difference_usd]
    assert list(bars.x[:-1]) == sorted(changed, key=lambda usd: -abs(usd))
    assert bars.x[-1] == found.difference_usd
    assert bars.text[-1] == signed_text(found.difference_usd)
    # More and less differ by a pattern too, not by a color alone.
    assert [shape == "/" for shape in bars.marker.pattern.shape] == [usd < 0 for usd in bars.x]
    assert len(differences_figure(compare(PAIRS[0][0], PAIRS[0][0])).data[0].x) == 1


@pytest.mark.parametrize("width", [80, 60])
def test_tables_fit_a_narrow_terminal(width):
    for table in comparison_tables(compare(*PAIRS[2])):
        lines = fitted_table(table, width).splitlines()
        assert max(map(len, lines)) <= width
        for row in table.rows:
            assert any(row[0].split()[0][:12] in line for line in lines)


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [(0.001, 0.001, "0.00"), (-2, -2, "-2.00"), (1, math.inf, "at least +1.00"), (-math.inf, 3, "at most +3.00")],
)
def test_differences_to_read(least, most, text):
    assert bounds_text(least, most) == text


@pytest.mark.parametrize("position", [0, 1])
def test_only_plans_are_compared(position):
    plans = [PAIRS[0][0], PAIRS[0][0]]
    plans[position] = "shop.yaml"
    with pytest.raises(
        InvalidScenario, match=f"plan_{'ab'[position]} is 'shop.yaml'; it must be what plan or estimate"
    ):
        compare(*plans)
