"""A plan held against limits: broken, kept, or not to be said, by figures typed here."""

import datetime as dt
import json
import math
from dataclasses import fields, replace

import pytest

from estimator.errors import InvalidScenario
from estimator.planning.guard import BROKEN, OK, UNKNOWN, Check, GuardLimits, check_plan
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.pricing.rates import Rates
from estimator.report.comparison import advice_text, check_markdown, checks_table, groups_table
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

RATES = rates_of()
WORK = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
TWO = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=2)
FOUR = replace(TWO, min_capacity=4, max_capacity=4)
#: Two tasks more for a month: CPU, memory and addresses.
MORE_USD = 2 * 730 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005)
PLAN = estimate(WORK, RATES, TWO)
USD = PLAN.cost.total_usd
WITHOUT_ALB = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_hour"})


def of_name(checked, name):
    return next(check for check in checked.checks if check.name == name)


def seen_on(day, rates=RATES, skip=()):
    """The same rates, last seen on a day."""
    known = {name: replace(rate, checked=None if name in skip else day) for name, rate in rates.known.items()}
    return Rates(rates.region, known)


@pytest.mark.parametrize(
    ("least", "most", "limit", "is_ceiling", "state"),
    [
        (5, 5, 5, True, OK),
        (5.1, 5.1, 5, True, BROKEN),
        (4, math.inf, 5, True, UNKNOWN),
        (6, math.inf, 5, True, BROKEN),
        (-math.inf, 4, 5, True, OK),
        (-math.inf, math.inf, 5, True, UNKNOWN),
        (math.inf, math.inf, 5, True, BROKEN),
        (2, 2, 2, False, OK),
        (1, 1, 2, False, BROKEN),
        (1, math.inf, 2, False, UNKNOWN),
    ],
)
def test_a_check_holds_breaks_or_cannot_be_said(least, most, limit, is_ceiling, state):
    assert Check("any", "Any", limit, least, most, "ms", is_ceiling).state == state


@pytest.mark.parametrize(
    ("least", "most", "unit", "texts"),
    [
        (250.004, 250.004, "ms", ("at most 250", "250.004")),
        (250, 250, "ms", ("at most 250", "250")),
        (1234.5, math.inf, "USD/month", ("at most 250.00", "at least 1,234.50")),
        (-math.inf, 3.0, "USD/month", ("at most 250.00", "at most 3.00")),
        (math.inf, math.inf, "ms", ("at most 250", "without bound")),
        (-math.inf, math.inf, "%", ("at most 250", "unknown")),
    ],
)
def test_a_figure_is_told_apart_from_its_limit(least, most, unit, texts):
    check = Check("any", "Any", 250, least, most, unit)
    assert (check.limit_text, check.actual_text) == texts


def test_the_budget_is_that_of_the_bill():
    assert of_name(check_plan(PLAN, GuardLimits(budget_usd=USD)), "budget_usd").state == OK
    broken = check_plan(PLAN, GuardLimits(budget_usd=USD - 0.01))
    assert broken.state == BROKEN
    assert of_name(broken, "budget_usd").actual == USD
    assert any("Raise the budget" in text for text in advice_text(broken))
    assert not [check for check in check_plan(PLAN).checks if check.name == "budget_usd"]


def test_a_bill_that_is_at_least_so_much_breaks_a_budget_or_cannot_be_said():
    plan = estimate(WORK, WITHOUT_ALB, TWO)
    least = plan.cost.total_usd
    assert least == pytest.approx(USD - 730 * 0.0225)
    over, within = (check_plan(plan, GuardLimits(budget_usd=budget)) for budget in (least - 1, least + 1))
    assert (over.state, within.state) == (BROKEN, UNKNOWN)
    assert of_name(within, "budget_usd").actual_text == f"at least {least:,.2f}"
    assert any("prices.overrides" in text for text in advice_text(within))
    assert any("No rate is known for Application Load Balancer" in text for text in advice_text(within))
    # Without a budget no rate is needed to say that the promise is kept.
    assert check_plan(plan).state == OK


def test_the_own_promise_is_checked_and_limits_go_over_it():
    names = [check.name for check in check_plan(PLAN).checks]
    assert names == ["max_minutes_over_capacity", "min_tasks", "min_availability_zones", "memory_mib"]
    crowd = estimate(Workload(LoadProfile.constant(500), cpu_ms_per_request=10), RATES, TWO)
    # 500 requests of 10 ms need five vCPU; two tasks have half of one, always.
    minutes = of_name(check_plan(crowd), "max_minutes_over_capacity")
    assert (minutes.limit, minutes.actual, minutes.state) == (5, pytest.approx(43_800), BROKEN)
    loose = check_plan(crowd, GuardLimits(max_minutes_over_capacity=44_640))
    assert loose.state == OK
    refused = of_name(check_plan(crowd, GuardLimits(max_refused_percent=50)), "max_refused_percent")
    assert refused.state == BROKEN
    assert refused.actual == pytest.approx(90, abs=1)
    latency = of_name(check_plan(crowd, GuardLimits(p95_latency_ms=1000)), "p95_latency_ms")
    assert latency.actual_text == "without bound"
    one = estimate(WORK, RATES, replace(TWO, min_capacity=1, max_capacity=3))
    assert {check.name for check in check_plan(one).of_state(BROKEN)} >= {"min_tasks", "min_availability_zones"}


@pytest.mark.parametrize("figure", ["p95_latency_ms", "p99_latency_ms"])
def test_latency_is_held_at_the_figure_of_the_plan(figure):
    actual = PLAN.figures[figure]
    for limit, state in ((actual, OK), (actual * 0.99, BROKEN)):
        assert of_name(check_plan(PLAN, GuardLimits(**{figure: limit})), figure).state == state


def test_minutes_over_the_promise_are_those_of_the_latency_that_is_asked_for():
    limits = GuardLimits(p95_latency_ms=1, max_minutes_over_promise=10)
    strict = estimate(WORK, RATES, TWO, promise=limits.over(Promise()))
    minutes = of_name(check_plan(strict, limits), "max_minutes_over_promise")
    # No request of 10 ms is answered within 1 ms in any minute.
    assert minutes.actual == pytest.approx(43_800)
    assert minutes.state == BROKEN


def test_limits_go_over_a_promise_and_leave_the_rest():
    promise = Promise(p95_latency_ms=250, max_usd_per_month=100, min_tasks=3)
    assert GuardLimits().over(promise) == promise
    assert GuardLimits(p95_latency_ms=300).over(promise) == replace(promise, p95_latency_ms=300)
    # A search is to find the cheapest also where that is too dear.
    assert GuardLimits(budget_usd=50).over(promise) == replace(promise, max_usd_per_month=None)
    plan = estimate(WORK, RATES, TWO, promise=Promise(max_usd_per_month=USD - 1))
    assert of_name(check_plan(plan), "budget_usd").state == BROKEN
    assert of_name(check_plan(plan, GuardLimits(budget_usd=USD + 1)), "budget_usd").state == OK


def test_names_and_drills_of_the_promise_are_checked():
    promise = Promise(allowed_cpu_architectures=("ARM64",), allowed_regions=("us-east-1", "eu-west-1"))
    checked = check_plan(estimate(WORK, RATES, TWO, promise=promise))
    architecture, region = (of_name(checked, f"allowed_{name}") for name in ("cpu_architectures", "regions"))
    assert (architecture.state, architecture.limit_text, architecture.actual_text) == (BROKEN, "ARM64", "X86_64")
    assert (region.state, region.limit_text) == (OK, "us-east-1 or eu-west-1")
    assert architecture.reason == "Architecture: X86_64, allowed ARM64"
    assert architecture.to_dict()["actual"] == "X86_64"
    # Ten times 20 requests of 10 ms need two vCPU; two tasks have half of one, and no more may be started.
    crowd = Promise(max_minutes_in_flash_crowd=5, flash_crowd_factor=10, flash_crowd_minutes=30, max_vcpu=0.75)
    drilled = check_plan(estimate(WORK, RATES, TWO, promise=crowd))
    minutes = of_name(drilled, "max_minutes_in_flash_crowd")
    assert (minutes.actual, minutes.state) == (pytest.approx(30, abs=1), BROKEN)
    assert (
        check_plan(estimate(WORK, RATES, TWO, promise=replace(crowd, flash_crowd_factor=1))).of_state(OK)[-1].actual
        == 0
    )
    # A rolling deployment may double the two quarters of a vCPU.
    assert (of_name(drilled, "max_vcpu").actual, of_name(drilled, "max_vcpu").state) == (1.0, BROKEN)


def test_an_increase_is_measured_from_the_base():
    more = estimate(WORK, RATES, FOUR)
    percent = 100 * MORE_USD / USD
    for limits, state in (
        (GuardLimits(max_increase_usd=MORE_USD + 0.01), OK),
        (GuardLimits(max_increase_usd=MORE_USD - 0.01), BROKEN),
        (GuardLimits(max_increase_percent=percent + 0.01), OK),
        (GuardLimits(max_increase_percent=percent - 0.01), BROKEN),
    ):
        checked = check_plan(more, limits, PLAN)
        assert checked.state == state
        assert checked.comparison.difference_usd == pytest.approx(MORE_USD)
    none = GuardLimits(max_increase_usd=0, max_increase_percent=0)
    assert check_plan(PLAN, none, PLAN).state == check_plan(PLAN, none, more).state == OK
    assert check_plan(more, none, PLAN).state == BROKEN
    # Without a limit the difference is told all the same.
    assert len(check_plan(more, base=PLAN).checks) == len(check_plan(more).checks)


def test_an_increase_over_what_is_unknown():
    unknown, limits = estimate(WORK, WITHOUT_ALB, TWO), GuardLimits(max_increase_usd=5)
    assert check_plan(unknown, limits, PLAN).state == UNKNOWN
    # It falls by at least so much, whatever the base's unknown rate.
    assert check_plan(PLAN, GuardLimits(max_increase_usd=16.5), unknown).state == OK
    assert check_plan(PLAN, limits, unknown).state == UNKNOWN
    # The same unknown line in both adds nothing.
    assert check_plan(unknown, GuardLimits(max_increase_usd=0), unknown).state == OK
    dearer = estimate(WORK, WITHOUT_ALB, FOUR)
    assert check_plan(dearer, limits, unknown).state == BROKEN


def test_the_age_of_rates():
    today = dt.date(2026, 7, 1)
    plan = estimate(WORK, seen_on(dt.date(2026, 6, 1)), TWO)
    for days, state in ((30, OK), (29, BROKEN)):
        checked = check_plan(plan, GuardLimits(max_stale_days=days), today=today)
        assert of_name(checked, "max_stale_days").actual == 30
        assert checked.state == state
    partly = estimate(WORK, seen_on(dt.date(2026, 6, 1), skip={"alb_hour"}), TWO)
    states = [check_plan(partly, GuardLimits(max_stale_days=days), today=today).state for days in (30, 29)]
    assert states == [UNKNOWN, BROKEN]
    asked = Rates("us-east-1", seen_on(dt.date(2026, 6, 1)).known, as_of=dt.date(2026, 6, 11))
    checked = check_plan(estimate(WORK, asked, TWO), GuardLimits(max_stale_days=10), today=today)
    assert of_name(checked, "max_stale_days").actual == 10


@pytest.mark.parametrize("name", [item.name for item in fields(GuardLimits)])
@pytest.mark.parametrize("value", [-1, math.nan, "many", True])
def test_limits_that_are_none(name, value):
    with pytest.raises(InvalidScenario, match=f"{name} is .*; it must be a number"):
        GuardLimits(**{name: value})


def test_what_cannot_be_checked():
    with pytest.raises(InvalidScenario, match="there is no base to measure it from"):
        check_plan(PLAN, GuardLimits(max_increase_usd=1))
    with pytest.raises(InvalidScenario, match=r"plan is 'shop.yaml'; it must be what plan or estimate gives"):
        check_plan("shop.yaml")
    with pytest.raises(InvalidScenario, match="plan_a is 3"):
        check_plan(PLAN, base=3)


def test_documents_say_the_state_by_a_word():
    limits = GuardLimits(budget_usd=USD / 2, max_increase_percent=1)
    checked = check_plan(estimate(WORK, RATES, FOUR), limits, PLAN)
    markdown = check_markdown(checked, "web|<x>", "estimator check web.yaml")
    assert markdown.startswith("## web\\|&lt;x>: BROKEN\n")
    assert markdown == check_markdown(checked, "web|<x>", "estimator check web.yaml")
    assert markdown.endswith("Again: `estimator check web.yaml`\n")
    for words in ("4 of 6 limits hold, 2 broken", "| BROKEN |", "| ok |", "Not included:", f"+{MORE_USD:,.2f}"):
        assert words in markdown
    values = json.loads(json.dumps(checked.to_dict(), allow_nan=False))
    assert values["state"] == "BROKEN"
    assert [check["state"] for check in values["checks"]].count("BROKEN") == 2
    for shown in (str(checked), checked._repr_html_()):
        assert "BROKEN" in shown
    fine = check_plan(PLAN)
    assert check_markdown(fine, "web", "estimator check `odd`").startswith("## web: OK\n")
    assert "`` estimator check `odd` ``" in check_markdown(fine, "web", "estimator check `odd`")
    assert not advice_text(fine)
    assert {row[-1] for row in checks_table(fine).rows} == {"ok"}


def test_groups_add_up_to_the_bill_and_its_difference():
    checked = check_plan(estimate(WORK, RATES, FOUR), base=PLAN)
    table = groups_table(checked)
    for column in (1, 2, 3):
        total = sum(float(row[column].replace(",", "")) for row in table.rows)
        assert total == pytest.approx(float(table.footer[column].replace(",", "")), abs=0.03)
    assert table.footer[3] == f"+{MORE_USD:,.2f}"
    unknown = groups_table(check_plan(estimate(WORK, WITHOUT_ALB, FOUR), base=PLAN))
    row = next(row for row in unknown.rows if row[0] == "Load balancer")
    assert row[2].startswith("at least ")
    assert row[3].startswith("at least ")
    assert unknown.footer[3].startswith("at least ")
