"""What is said before a course is known holds once it is: least bills, figures at the best, and what is left after it was given up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.billing.month import BilledMonth
from estimator.planning.bounds import CostLines, CourseBounds
from estimator.planning.exact import Question, Search
from estimator.planning.limits import limits
from estimator.planning.promise import Promise
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.simulation import parameters as at
from estimator.simulation.courses import Courses
from estimator.units import HOURS_PER_MONTH, SECONDS_PER_HOUR
from estimator.workload.profile import LoadProfile
from tests.planning.exhaustive import CASES, EVERY_DAY, QUEUES, RATES, Case, daily, nightly, small_case, space, work
from tests.properties.strategies import US_EAST_1, rates_of

some = settings(max_examples=10, deadline=None, derandomize=True)
#: What is at the best may be off by the rounding of the sums that it comes from, and of a latency read off between two times. [1]
ROUNDING, OF_LATENCY = 1e-9, 1e-6


def search_of(case):
    """The search of a case, of which nothing is run."""
    question = Question(
        tuple(case.specs),
        case.workload,
        case.rates,
        case.promise,
        case.application,
        case.behavior,
        case.operations,
        case.extras,
        HOURS_PER_MONTH,
        tuple(case.purchases),
    )
    return Search(question)


def courses_of(case):
    return Courses(
        case.workload, case.specs, case.application, case.behavior, case.operations, case.promise.p95_latency_ms
    )


def figures_of(case, courses, places, found):
    """Limits of candidates with figures that were made up for their courses."""
    run = courses.simulation([case.specs[place] for place in places], courses.index[places], found)
    return limits(BilledMonth(case.workload, run, case.application, extras=case.extras), case.promise)


def check_no_worse(case, courses, places, best, whole):
    """Hold what is at the best against what is, limit by limit."""
    for one, other in zip(
        figures_of(case, courses, places, best), figures_of(case, courses, places, whole), strict=True
    ):
        off = OF_LATENCY if one.name.endswith("latency_ms") else ROUNDING
        worse = one.actual > other.actual * (1 + off) if one.is_ceiling else one.actual < other.actual * (1 - off)
        first = np.flatnonzero(worse)[:1]
        assert not worse.any(), (
            f"{one.name} is {one.actual[first]} at the best and {other.actual[first]} in truth: {case.specs[places[first[0]]].describe()}"
        )


def check_bounds(case):
    search = search_of(case)
    least = search.least_usd
    for one in case.everyone:
        if not one.broken:
            assert least[one.place] <= one.usd * (1 + ROUNDING), (
                f"{one.spec.describe()}: {least[one.place]}, it is {one.usd}"
            )
    courses = search.courses
    whole = {i: courses.run(i) for i in range(len(courses.dynamics))}
    best = {i: search.bounds.at_best(i) for i in whole}
    places = np.arange(len(case.specs))
    check_no_worse(case, courses, places, best, whole)
    for i in whole:
        said, is_so = best[i].totals, whole[i].totals
        for name in ("STEPS_OVER_CAPACITY", "SLOW_STEPS", "REFUSED_REQUESTS", "PEAK_DESIRED_COUNT", "PEAK_UTILIZATION"):
            place = getattr(at, name)
            assert said[place] <= is_so[place] * (1 + ROUNDING), f"{name} of {courses.dynamics[i]}"


@pytest.mark.parametrize("name", CASES)
def test_bounds_hold_in_searches_of_many_kinds(name):
    check_bounds(CASES[name]())


@some
@given(st.integers(0, 2**32 - 1))
def test_bounds_hold_in_any_small_search(seed):
    check_bounds(small_case(seed))


def finished(case, part):
    """Courses that are given up on the way, finished at the best, and as they are."""
    courses = courses_of(case)
    bounds = CourseBounds(courses, case.promise, HOURS_PER_MONTH / case.workload.load.period_hours)
    found, whole = {}, {}
    for i in range(len(courses.dynamics)):
        course = courses.run(i)
        # So that it is given up somewhere, if only for its bill.
        partial = courses.run(
            i, stop=bounds.stop_rules(i, part * course.totals[at.BILLED_TASK_S] / SECONDS_PER_HOUR, 1.0)
        )
        if partial.stopped_after:
            found[i], whole[i] = bounds.finished_at_best(i, partial), course
    return courses, found, whole


@some
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.99))
def test_a_course_that_was_given_up_is_no_better_in_the_end(seed, part):
    case = small_case(seed)
    courses, found, whole = finished(case, part)
    places = np.flatnonzero(np.isin(courses.index, list(found)))
    if places.size:
        check_no_worse(case, courses, places, found, whole)


@some
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.99))
def test_nor_is_it_billed_less_if_it_keeps_the_promise(seed, part):
    case = small_case(seed)
    courses, found, whole = finished(case, part)
    kept = {int(courses.index[one.place]) for one in case.everyone if not one.broken}
    for i in kept & set(found):
        assert found[i].totals[at.BILLED_TASK_S] <= whole[i].totals[at.BILLED_TASK_S] * (1 + ROUNDING)


@some
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 1.2))
def test_a_course_whose_bill_is_allowed_and_that_keeps_the_promise_is_followed_to_its_end(seed, part):
    case = small_case(seed)
    courses = courses_of(case)
    bounds = CourseBounds(courses, case.promise, HOURS_PER_MONTH / case.workload.load.period_hours)
    for i in {int(courses.index[one.place]) for one in case.everyone if not one.broken}:
        hours = courses.run(i).totals[at.BILLED_TASK_S] / SECONDS_PER_HOUR
        assert courses.run(i, stop=bounds.stop_rules(i, part * hours, 1.0)).stopped_after == 0


@pytest.mark.parametrize("minute", [0, 30, 110, 170])
def test_so_is_one_that_stands_still_between_two_looks(minute):
    # A month is looked at every three hours; a crowd ends the calm at some minute between two looks.
    rate = np.full(30 * 1440, 20.0)
    rate[100 * 60 + minute :][:15] = 160.0
    chosen = space(cpu_units=(256,), memory_mib=(1024,), min_capacities=(13,), max_capacity=40)
    case = Case(work(LoadProfile(rate, 60)), Promise(max_minutes_over_capacity=0), chosen)
    courses = courses_of(case)
    bounds = CourseBounds(courses, case.promise, HOURS_PER_MONTH / 720)
    kept = {int(courses.index[one.place]) for one in case.everyone if not one.broken}
    assert kept
    for i in kept:
        hours = courses.run(i).totals[at.BILLED_TASK_S] / SECONDS_PER_HOUR
        assert courses.run(i, stop=bounds.stop_rules(i, hours, 1.0)).stopped_after == 0


# --- Closed forms -------------------------------------------------------------------------------------------------


def one_of(**more):
    """Bounds of the first course of a case."""
    values = {"promise": Promise(max_minutes_over_capacity=0), **more}
    case = Case(**values)
    courses = courses_of(case)
    return CourseBounds(courses, case.promise, HOURS_PER_MONTH / case.workload.load.period_hours)


X86 = {"cpu_architectures": ("X86_64",), "cpu_units": (1024,), "memory_mib": (2048,), "target_values": (50.0,)}


@pytest.mark.parametrize(
    ("requests_per_s", "minimum", "tasks"),
    # A task serves 50 requests/s.
    [(100.0, 1, 2.0), (120.0, 2, 2.4), (120.0, 3, 3.0), (10.0, 1, 1.0)],
)
def test_least_task_hours_of_a_constant_load(requests_per_s, minimum, tasks):
    chosen = space(**X86, min_capacities=(minimum,), scheduled_minimum_percents=(0.0,))
    bounds = one_of(workload=work(LoadProfile([requests_per_s] * 24, 3600)), choices=chosen)
    assert bounds.least_task_hours(0) == pytest.approx(24 * tasks, rel=1e-8)


def test_minutes_that_may_be_over_capacity_are_taken_off():
    # 730 minutes a month are 24 of the day. At its worst they are of the busiest hour, of which nothing need be served.
    rate = [100.0] * 23 + [500.0]
    chosen = space(**X86, min_capacities=(1,), scheduled_minimum_percents=(0.0,))
    bounds = one_of(
        workload=work(LoadProfile(rate, 3600)), promise=Promise(max_minutes_over_capacity=730), choices=chosen
    )
    assert bounds.least_task_hours(0) == pytest.approx(23 * 2 + 10 - 10 * 24 / 60, rel=1e-8)


def test_requests_that_may_be_late_or_refused_are_taken_off():
    chosen = space(**X86, min_capacities=(1,), scheduled_minimum_percents=(0.0,))
    load = work(LoadProfile([500.0] * 24, 3600))
    for promise, part in (
        (Promise(max_minutes_over_capacity=None, max_refused_percent=10), 0.1),
        (Promise(max_minutes_over_capacity=None, p95_latency_ms=500), 0.05),
        (Promise(max_minutes_over_capacity=None, p95_latency_ms=500, p99_latency_ms=900), 0.01),
        (Promise(max_minutes_over_capacity=0, p95_latency_ms=500), 0.0),
    ):
        bounds = one_of(workload=load, promise=promise, choices=chosen)
        assert bounds.least_task_hours(0) == pytest.approx(240 * (1 - part), rel=1e-8)
    # What waits in a queue is served later, or refused.
    bounds = one_of(
        workload=load,
        promise=Promise(max_minutes_over_capacity=None, p95_latency_ms=500),
        choices=chosen,
        application=QUEUES,
    )
    assert bounds.least_task_hours(0) == pytest.approx(24, rel=1e-8)


def test_of_a_minimum_only_what_is_on_demand_is_billed_for_certain():
    load = work(LoadProfile([1.0] * 24, 3600))
    none = Promise(max_minutes_over_capacity=None)
    for more, tasks in (
        ({}, 8),
        ({"operations": EVERY_DAY}, 0.02),
        ({"choices_more": {"spot_percents": (50,)}}, 8),
        ({"choices_more": {"capacity_provider": "FARGATE_SPOT"}}, 0.02),
        ({"behavior": AwsBehavior(enforce_vcpu_quota=True, fargate_vcpu_quota=3)}, 3),
    ):
        chosen = space(**X86, min_capacities=(8,), scheduled_minimum_percents=(0.0,), **more.pop("choices_more", {}))
        promise = Promise(max_minutes_over_capacity=0) if tasks == 0.02 else none
        bounds = one_of(workload=load, promise=promise, choices=chosen, **more)
        assert bounds.least_task_hours(0) == pytest.approx(24 * tasks, rel=1e-8)


def test_scheduled_minimums_count_from_when_their_tasks_are_billed_until_they_are_lowered():
    # From 8:45 to 17:00 UTC the minimum is that of the day, which eight hours have from begin to end.
    load = work(nightly(2, 5, 100))
    chosen = space(**X86, min_capacities=(2,), scheduled_minimum_percents=(100.0,))
    case = Case(load, Promise(max_minutes_over_capacity=None), chosen)
    (busy,) = {max(action.min_capacity for action in spec.scheduled_actions) for spec in case.specs}
    assert busy == 4  # 100 requests/s of 0.02 s at 50 %
    bounds = one_of(workload=load, promise=case.promise, choices=chosen)
    begin, end = (int(action.schedule.split()[1]) for action in case.specs[0].scheduled_actions)
    assert (begin, end) == (8, 17)
    assert bounds.least_task_hours(0) == pytest.approx(2 * (16 * 2 + 8 * 4), rel=1e-8)


@pytest.mark.parametrize(
    ("tiers", "least"),
    [
        (((0, "0.1"),), 0.1),
        (((0, "0.1"), (1000, "0.05")), 0.05),
        # Your own price may be lower for the first units.
        (((0, "0"), (1000, "0.1")), 0.0),
        (((0, "0.02"), (1000, "0.1"), (1e5, "0.03")), 0.02),
    ],
)
def test_a_task_hour_costs_at_least_the_lowest_tier_and_no_more_than_what_any_number_of_them_cost(tiers, least):
    prices = {**US_EAST_1, "fargate_linux_x86_vcpu_hour": tiers}
    chosen = space(**X86, min_capacities=(2,), scheduled_minimum_percents=(0.0,))
    case = Case(work(daily(1, 60)), Promise(max_minutes_over_capacity=None), chosen, rates=rates_of(prices))
    lines = search_of(case).lines
    rate = case.rates["fargate_linux_x86_vcpu_hour"]
    for vcpu_hours in (1.0, 500.0, 999.0, 1500.0, 5000.0):
        task_hours = np.full(len(case.specs), vcpu_hours * 24 / HOURS_PER_MONTH)
        # Memory and the tasks' public addresses besides.
        others = vcpu_hours * (2 * 0.004445 + 0.005)
        truth = lines.fixed_usd + float(rate.cost(vcpu_hours)) + others
        assert (lines.least_usd(task_hours) <= truth * (1 + 1e-9)).all()
        assert (lines.least_usd(task_hours) >= (lines.fixed_usd + vcpu_hours * least + others) * (1 - 1e-9)).all()


def test_a_bill_from_below_takes_the_cheaper_of_on_demand_and_spot_for_the_largest_part_that_spot_can_have():
    lines = CostLines(np.array([10.0, 10.0, 10.0]), np.array([2.0, 2.0, 2.0]), np.array([np.inf, 0.5, 3.0]), np.array([0.0, 0.5, 1.0]))  # fmt: skip
    assert lines.least_usd(np.full(3, 100.0)).tolist() == [210.0, 10 + 50 * 2 + 50 * 0.5, 210.0]


@pytest.mark.parametrize("kind", ["enabled", "enhanced"])
def test_tiers_of_what_counts_tasks_keep_bills_above_the_line(kind):
    case = Case(
        work(daily(1, 400, 0.1, 12)),
        Promise(max_minutes_over_capacity=400),
        space(min_capacities=(2, 10)),
        extras=Extras(container_insights=kind, insights_metrics_per_service=9999),
    )
    check_bounds(case)


def test_a_load_of_just_the_capacity_is_not_refused_at_the_best():
    # 416.666... is 5 x 0.25 / 0.003, and a last digit more than 5 times 0.25 / 0.003.
    full = work(LoadProfile([5 * 0.25 / 0.003], 3600), 3)
    chosen = space(
        cpu_architectures=("X86_64",), cpu_units=(256,), memory_mib=(1024,), target_values=(100.0,), min_capacities=(5,), max_capacity=5
    )  # fmt: skip
    case = Case(full, Promise(max_refused_percent=0), chosen, rates=RATES)
    assert all(one.figures["max_refused_percent"][1] == 0 for one in case.everyone)
    check_bounds(case)
