"""The search finds what an exhaustive one finds, whatever it leaves out, and what it says of the others is true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import NoFeasiblePlan
from estimator.planning import exact
from estimator.planning.planner import estimate
from estimator.planning.promise import Choices, Promise
from estimator.pricing.snapshots import load_rates
from estimator.service.application import Application
from estimator.service.extras import Extras
from estimator.workload.profile import LoadProfile
from tests.planning.exhaustive import (
    CASES,
    RATES,
    WITH_SAVINGS_PLANS,
    Case,
    daily,
    nightly,
    small_case,
    space,
    told,
    work,
)
from tests.properties.strategies import US_EAST_1, nearly, rates_of

few = settings(max_examples=6, deadline=None, derandomize=True)


def check_same(case, **how):
    """Hold the search against all candidates; return what it found and what it says of the others."""
    best = case.best
    try:
        found = case.plan(**how)
    except NoFeasiblePlan as error:
        assert best is None, told(best)
        return None, error.rejections
    assert best is not None
    by_spec = {one.spec: one for one in case.everyone}
    assert found.spec == best.spec, f"{told(by_spec[found.spec])} instead of {told(best)}"
    assert nearly(found.cost.total_usd, best.usd)
    return found, found.rejections


def check_rejection(case, rejection):
    """Follow a rejected candidate to its end and hold it against what was said of it."""
    alone = estimate(
        case.workload,
        case.rates,
        rejection.spec,
        case.application,
        case.promise,
        case.behavior,
        operations=case.operations,
        extras=case.extras,
    )
    said = f"{rejection.spec.describe()}: {rejection.reason}; {rejection.usd_per_month} USD"
    assert any(f"is broken: {rejection.constraint} is" in text for text in alone.warnings), said
    one = next(one for one in case.everyone if one.spec == rejection.spec)
    if rejection.constraint.startswith(("max_minutes_after", "max_minutes_in")):
        limit, actual, is_ceiling = rejection.limit, case.drilled(one)[rejection.constraint], True
    else:
        limit, actual, is_ceiling = one.figures[rejection.constraint]
    assert rejection.limit == limit, said
    if rejection.is_partial:
        worse = actual >= rejection.actual * (1 - 1e-9) if is_ceiling else actual <= rejection.actual * (1 + 1e-9)
        assert worse, f"{said}; it is {actual}"
    else:
        assert nearly(rejection.actual, actual), f"{said}; it is {actual}"
    if rejection.is_least_usd:
        least = alone.cost.total_usd * (1 + 1e-9)
        assert rejection.usd_per_month <= least, f"{said}; it is {alone.cost.total_usd} USD"
    else:
        assert nearly(rejection.usd_per_month, alone.cost.total_usd), f"{said}; it is {alone.cost.total_usd}"


@pytest.mark.parametrize("name", CASES)
def test_the_winner_is_that_of_all_candidates(name):
    case = CASES[name]()
    found, rejections = check_same(case)
    assert (name == "nothing is good enough") == (found is None)
    if found is not None:
        assert found.effort.steps < found.effort.all_steps
    for rejection in rejections[:: max(1, len(rejections) // 8)]:
        check_rejection(case, rejection)


@pytest.mark.parametrize("name", ["noisy week", "crowds", "queue", "nights", "schedules"])
def test_with_all_explained_each_cheaper_candidate_that_breaks_a_limit_is_listed(name):
    case = CASES[name]()
    found, rejections = check_same(case, explain=None)
    cheaper = {one.spec for one in case.everyone if one.broken and one.usd < found.cost.total_usd * (1 - 1e-9)}
    listed = {one.spec for one in rejections}
    assert cheaper <= listed, f"{len(cheaper - listed)} of {len(cheaper)} are missing"
    assert all(nearly(one.usd_per_month, _usd(case, one.spec)) for one in rejections if not one.is_least_usd)


def _usd(case, spec):
    return next(one.usd for one in case.everyone if one.spec == spec)


@few
@given(st.integers(0, 2**32 - 1))
def test_the_winner_of_any_small_search_is_that_of_all_candidates(seed):
    check_same(small_case(seed))


@few
@given(st.integers(0, 2**32 - 1))
def test_every_rejection_of_any_small_search_is_true(seed):
    case = small_case(seed)
    _, rejections = check_same(case)
    for rejection in rejections[:: max(1, len(rejections) // 4)]:
        check_rejection(case, rejection)


def crowd_in_the_night(cooldowns_s):
    """13 tasks for a month, of which a crowd once asks for more: bills differ by how soon these go again."""
    rate = np.full(30 * 1440, 20.0)
    # It comes ten minutes before the course is looked at (every three hours), and its tasks go after.
    rate[100 * 60 + 110 :][:15] = 160.0
    chosen = Choices(
        cpu_architectures=("X86_64",),
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0,),
        min_capacities=(13,),
        max_capacity=40,
        scale_out_cooldowns_s=(60,),
        scale_in_cooldowns_s=cooldowns_s,
        constant_counts=False,
        scheduled_minimum_percents=(0.0,),
    )
    return Case(work(LoadProfile(rate, 60)), Promise(max_minutes_over_capacity=0), chosen)


@pytest.mark.parametrize("cooldowns_s", [(60, 300, 900), (900, 300, 60), (300, 900, 60)])
def test_bills_that_differ_by_a_part_of_a_thousand_are_told_apart(cooldowns_s):
    case = crowd_in_the_night(cooldowns_s)
    bills = [one.usd for one in case.everyone]
    assert max(bills) < min(bills) * 1.003
    assert min(bills) < sorted(bills)[1] * (1 - 1e-6)
    check_same(case)


@pytest.mark.parametrize("latency_ms", [3000, 10_000, 20_000])
def test_a_short_queue_over_capacity_may_be_quicker_than_a_long_one_below_it(latency_ms):
    # 402 requests/s on 40 tasks of 10: 2 are refused, all others wait two seconds. On 41 tasks they would queue up for longer.
    chosen = Choices(
        cpu_architectures=("X86_64",),
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0, 100.0),
        min_capacities=(40,),
        max_capacity=41,
        constant_counts=False,
    )
    load = work(LoadProfile(np.full(24, 402.0), 3600), 25)
    promise = Promise(p95_latency_ms=latency_ms, max_minutes_over_capacity=None)
    case = Case(load, promise, chosen, Application(queue_per_task=20, queue_timeout_s=5))
    assert 2000 < case.best.p95_latency_ms < 3000
    check_same(case)


@pytest.mark.parametrize(("cpu_ms", "tasks"), [(3, 5), (10, 4), (7, 6)])
def test_a_load_of_just_the_capacity_is_not_refused(cpu_ms, tasks):
    chosen = Choices(
        cpu_architectures=("X86_64",),
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(100.0,),
        min_capacities=(tasks,),
        max_capacity=tasks,
        constant_counts=False,
    )
    # In other orders of multiplying it is the last digit more, or less.
    full = LoadProfile([tasks * 0.25 / (cpu_ms / 1000), tasks * 250 / cpu_ms], 3600)
    case = Case(work(full, cpu_ms), Promise(max_refused_percent=0, min_tasks=None), chosen)
    assert case.best is not None
    check_same(case)


@pytest.mark.parametrize(
    "tiers", [((0, "0"), (2000, "0.10")), ((0, "0.01"), (2000, "0.10")), ((0, "0.04"), (400, "0.03"))]
)
def test_tiers_of_your_own_may_rise_and_fall(tiers):
    # Your own price may be free, or cheaper, for the first units of a month.
    rates = rates_of({**US_EAST_1, "fargate_linux_x86_vcpu_hour": tiers})
    chosen = Choices(
        cpu_units=(512,),
        memory_mib=(2048,),
        target_values=(60.0, 70.0, 80.0, 90.0),
        constant_counts=False,
        min_capacities=(2,),
        max_capacity=40,
        scheduled_minimum_percents=(0.0,),
    )
    check_same(Case(work(daily(1, 20), arm64_relative_speed=1.0), Promise(), chosen, rates=rates))


@pytest.mark.parametrize("max_capacity", [10, 14, 20])
def test_what_a_rejected_candidate_costs_is_said_without_the_promise_that_it_breaks(max_capacity):
    # Tasks that are too few all day cost less than those that the load needs.
    chosen = space(
        cpu_units=(256, 512), min_capacities=(2, 6), max_capacity=max_capacity, scheduled_minimum_percents=(0.0,)
    )
    case = Case(work(nightly(7, 20, 300)), Promise(max_minutes_over_capacity=60), chosen)
    _, rejections = check_same(case)
    assert rejections
    for rejection in rejections:
        check_rejection(case, rejection)


@pytest.mark.parametrize("waves", [(1,), (3, 1, 50), (1000,)])
@pytest.mark.parametrize("name", ["nights", "Spot", "minutes over the promise"])
def test_neither_threads_nor_waves_change_the_winner(monkeypatch, name, waves):
    case = CASES[name]()
    usual = case.plan(n_threads=2)
    alone = case.plan(n_threads=1)
    assert alone.to_dict() == usual.to_dict()
    assert alone.fingerprint() == usual.fingerprint()
    assert alone.rejections == usual.rejections
    assert alone.effort == usual.effort
    monkeypatch.setattr(exact, "_WAVES", waves)
    other = case.plan(explain=None)
    monkeypatch.undo()
    assert other.spec == usual.spec
    assert other.cost == usual.cost
    assert other.fingerprint() == usual.fingerprint()
    # Other courses are given up elsewhere, so which candidates are known to the last digit differs; what is known is the same.
    known = {one.spec: one for one in usual.rejections if not one.is_least_usd}
    for one in other.rejections:
        if not one.is_least_usd and one.spec in known:
            assert one == known[one.spec]


@pytest.mark.parametrize("name", ["queue", "deployments and the loss of a zone"])
def test_a_search_that_is_made_again_finds_the_same(name):
    one, other = (CASES[name]().plan() for _ in range(2))
    assert one.to_dict() == other.to_dict()
    assert one.fingerprint() == other.fingerprint()
    assert one.rejections == other.rejections
    assert one.effort == other.effort


def test_progress_rises_to_one_and_what_it_raises_ends_the_search():
    seen: list[float] = []
    CASES["nights"]().plan(progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CASES["nights"]().plan(progress=stop)


# --- What is chosen beside the service ---------------------------------------------------------------------------


def test_the_cheapest_of_regions_kinds_of_insights_and_cloudfront_is_that_of_all():
    load = work(daily(1, 60, 0.1, 1))
    promise = Promise(p95_latency_ms=300)
    narrow = space(cpu_units=(512, 1024), min_capacities=(2, 4))
    regions = [load_rates(name) for name in ("eu-central-1", "us-east-1", "ap-southeast-1")]
    insights = ("enhanced", "disabled", "enabled")
    alone = [
        Case(load, promise, narrow, rates=rates, extras=Extras(container_insights=kind))
        for rates in regions
        for kind in insights
    ]
    cheapest = min(alone, key=lambda case: case.best.usd)
    found = replace(alone[0], choices=replace(narrow, container_insights=insights), rates=regions).plan()
    assert found.spec == cheapest.best.spec
    assert nearly(found.cost.total_usd, cheapest.best.usd)
    assert found.cost.region == cheapest.rates.region
    assert found.extras == cheapest.extras


# --- Savings Plans ------------------------------------------------------------------------------------------------

HAVE = SavingsPlan("3yr", "No Upfront", 0.06, existing=True)
BUY = SavingsPlan("1yr", "All Upfront")


@pytest.mark.parametrize(
    ("plans", "terms"),
    [
        ((), ("1yr",)),
        ((), ("1yr", "3yr")),
        ((HAVE,), ()),
        ((HAVE,), ("1yr", "3yr")),
        ((BUY,), ()),
        ((HAVE, BUY), ()),
        ((SavingsPlan("1yr", "No Upfront", 0.5),), ()),
        ((SavingsPlan("1yr", "No Upfront", 0.5),), ("3yr",)),
    ],
)
@pytest.mark.parametrize("spot", [(), (0, 100)])
def test_the_winner_with_savings_plans_is_that_of_all_candidates_and_options(plans, terms, spot):
    chosen = space(
        cpu_units=(512, 1024),
        target_values=(60.0,),
        min_capacities=(2, 6),
        scale_out_cooldowns_s=(60,),
        spot_percents=spot,
        savings_plan_terms=terms,
    )
    case = Case(
        work(nightly(2, 20, 150)),
        Promise(max_minutes_over_capacity=600),
        chosen,
        rates=WITH_SAVINGS_PLANS,
        savings_plans=plans,
    )
    found, rejections = check_same(case)
    # Two ways to pay may come to the same, such as not to buy at all and to commit to nothing.
    assert nearly(
        estimate(
            case.workload, case.rates, found.spec, promise=case.promise, savings_plans=found.savings_plans
        ).cost.total_usd,
        case.best.usd,
    )
    assert len({one.usd for one in case.everyone}) > 4
    for rejection in rejections:
        if rejection.is_least_usd:
            assert rejection.usd_per_month <= _usd(case, rejection.spec) * (1 + 1e-9)


def test_with_a_savings_plan_each_cheaper_candidate_that_breaks_a_limit_is_listed_with_its_bill():
    chosen = space(cpu_units=(256, 512, 1024), savings_plan_terms=("3yr",), scheduled_minimum_percents=(0.0,))
    case = Case(work(nightly(2, 40, 150)), Promise(max_minutes_over_capacity=100), chosen, rates=WITH_SAVINGS_PLANS)
    found, rejections = check_same(case, explain=None)
    cheaper = {one.spec for one in case.everyone if one.broken and one.usd < found.cost.total_usd * (1 - 1e-9)}
    assert cheaper
    assert cheaper <= {one.spec for one in rejections}
    # What the plan would save of it is in the bill that is compared, so it is in the one that is said.
    for one in rejections:
        usd = _usd(case, one.spec)
        assert one.usd_per_month <= usd * (1 + 1e-9) if one.is_least_usd else nearly(one.usd_per_month, usd)


def test_without_a_savings_plan_in_the_price_list_none_is_chosen():
    chosen = space(cpu_units=(512,), savings_plan_terms=("1yr", "3yr"))
    found, _ = check_same(replace(Case(work(daily(1, 60)), Promise(), replace(chosen, savings_plan_terms=()))))
    with_terms = replace(Case(work(daily(1, 60)), Promise(), chosen), rates=RATES).plan()
    assert with_terms.spec == found.spec
    assert with_terms.savings_plans == ()
    assert nearly(with_terms.cost.total_usd, found.cost.total_usd)
