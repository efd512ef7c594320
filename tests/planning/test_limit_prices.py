"""What each limit costs, against every estimate; what each nine costs, by hand."""

import itertools
import json
from functools import cache

import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.frontier import explore
from estimator.planning.limit_prices import (
    NINES_MINUTES,
    AvailabilityPrice,
    LimitPrice,
    availability_prices,
    limit_prices,
    limits_switched_on,
)
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.pricing.rates import Rates
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.planning.test_frontier import CHOICES, RATES, WORK, estimates_of, explored_of, reasons_of

#: A promise of which several limits cost something.
PROMISE = Promise(p95_latency_ms=120, max_minutes_over_capacity=0, min_tasks=4)


@cache
def prices_at(promise):
    return limit_prices(explored_of(promise), RATES)


def prices_of(promise, best=None):
    found = limit_prices(explored_of(promise), RATES, best) if best else prices_at(promise)
    return {price.limit: price for price in found}


def test_each_limit_costs_what_the_best_of_all_estimates_without_it_saves():
    everyone = estimates_of(PROMISE)
    broken = [{reason.partition(" ")[0] for reason in reasons_of(found)} for found in everyone]

    def cheapest(*aside):
        return min(found.cost.total_usd for found, limits in zip(everyone, broken, strict=True) if limits <= set(aside))

    prices = prices_of(PROMISE)
    assert set(prices) == {
        "p95_latency_ms",
        "max_minutes_over_capacity",
        "min_tasks",
        "min_availability_zones",
        "min_tasks and min_availability_zones",
    }
    for name, price in prices.items():
        assert price.saving_usd == pytest.approx(cheapest() - cheapest(*name.split(" and ")), abs=1e-9), name
        assert price.costs_nothing == (abs(price.saving_usd) < 1e-9)
        assert price.best.spec == plan(WORK, RATES, PROMISE, choices=CHOICES).spec
    assert prices["min_tasks"].saving_usd > 0
    assert sum(price.saving_usd > 0 for price in prices.values()) >= 2
    assert prices["min_availability_zones"].verdict.endswith("costs nothing: without it the same plan wins.")
    assert f"costs ${prices['min_tasks'].saving_usd:,.2f} a month: without it" in prices["min_tasks"].verdict
    assert prices["min_tasks"].verdict.startswith("min_tasks (4 tasks) costs")


def test_the_dearest_limit_comes_first_and_what_costs_nothing_later():
    found = prices_at(PROMISE)
    savings = [price.saving_usd for price in found]
    assert savings == sorted(savings, reverse=True)
    nothing = [price.costs_nothing for price in found]
    assert nothing == sorted(nothing)


def test_limits_that_hold_without_each_other_are_priced_together_too():
    # One task would do: each of both limits asks for two, and only both together cost the second task.
    choices = Choices(
        ("X86_64",),
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0,),
        min_capacities=(1, 2),
        max_capacity=2,
        scale_out_cooldowns_s=(300,),
        scheduled_minimum_percents=(0.0,),
    )
    work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    prices = {price.limit: price for price in limit_prices(explore(work, RATES, choices=choices), RATES)}
    task = 730 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005)
    assert prices["min_tasks"].costs_nothing
    assert prices["min_availability_zones"].costs_nothing
    together = prices["min_tasks and min_availability_zones"]
    assert together.saving_usd == pytest.approx(task)
    assert together.allowed_text == "2, 2"
    assert together.without.spec.min_capacity == 1


def test_a_limit_without_which_nothing_is_left_either():
    impossible = Promise(p95_latency_ms=1, max_minutes_over_capacity=0)
    prices = prices_of(impossible)
    assert {price.best for price in prices.values()} == {None}
    assert prices["min_tasks"].without is None
    assert prices["min_tasks"].verdict.endswith("without it no candidate keeps the other limits either.")
    freed = prices["p95_latency_ms"]
    assert freed.without.spec == plan(WORK, RATES, Promise(max_minutes_over_capacity=0), choices=CHOICES).spec
    assert freed.saving_usd is None
    assert not freed.costs_nothing
    assert freed.verdict == (
        f"p95_latency_ms (1 ms): without it {freed.without.spec.describe()} would keep the promise, for {freed.without.cost.total_text}."
    )


def test_a_plan_that_is_known_is_not_searched_again():
    best = plan(WORK, RATES, PROMISE, choices=CHOICES)
    assert all(price.best is best for price in prices_of(PROMISE, best=best).values())


def test_savings_plans_are_in_both_bills():
    rates, plans = all_rates(), (SavingsPlan(),)
    explored = explore(WORK, rates, PROMISE, choices=CHOICES, savings_plans=plans)
    for price in limit_prices(explored, rates):
        assert price.best.savings_plans == plans
        assert price.without.savings_plans == plans
        assert price.saving_usd >= -1e-9


def test_what_an_unknown_rate_decides_is_not_known():
    known = {name: rate for name, rate in RATES.known.items() if name != "public_ipv4_in_use_hour"}
    rates = Rates("us-east-1", known)
    best, other = (plan(WORK, RATES, promise, choices=CHOICES) for promise in (PROMISE, Promise()))
    assert LimitPrice("min_tasks", 4, "tasks", best, other).saving_usd == pytest.approx(
        best.cost.total_usd - other.cost.total_usd
    )
    best, other = (estimate(WORK, rates, found.spec) for found in (best, other))
    price = LimitPrice("min_tasks", 4, "tasks", best, other)
    assert price.saving_usd is None
    assert "is not known, since a rate is not known" in price.verdict
    assert price.to_dict()["saving_usd_per_month"] is None


def test_the_last_nine_costs_what_the_plan_of_that_promise_costs_more():
    explored = explored_of(Promise(min_tasks=1, min_availability_zones=1))
    minutes = (0.0, 500.0, 2000.0, 20_000.0)
    found = availability_prices(explored, minutes)
    bills = []
    for price, allowed in zip(found, minutes, strict=True):
        promise = Promise(max_minutes_over_capacity=allowed, min_tasks=1, min_availability_zones=1)
        best = plan(WORK, RATES, promise, choices=CHOICES)
        assert price.minutes == allowed
        assert price.candidate.spec == best.spec
        bills.append(best.cost.total_usd)
    assert bills[0] > bills[-1]
    assert [price.more_usd for price in found[:-1]] == pytest.approx(
        [strict - loose for strict, loose in itertools.pairwise(bills)], abs=1e-9
    )
    assert found[-1].more_usd is None


def test_no_candidate_for_a_nine():
    explored = explored_of(Promise(p95_latency_ms=1))
    assert [price.candidate for price in availability_prices(explored)] == [None] * 5
    assert [price.to_dict()["candidate"] for price in availability_prices(explored)] == [None] * 5


@pytest.mark.parametrize(
    ("minutes", "percent", "text"),
    [
        # A month of 730 hours has 43,800 minutes: 438 of them are 1 %.
        (0.0, 100.0, "100 %"),
        (0.5, 99.998858, "99.999 %"),
        (4.4, 99.989954, "99.99 %"),
        (44.0, 99.899543, "99.9 %"),
        (438.0, 99.0, "99 %"),
        (4380.0, 90.0, "90 %"),
    ],
)
def test_availability_by_hand(minutes, percent, text):
    price = AvailabilityPrice(minutes, 730, None, None)
    assert price.availability_percent == pytest.approx(percent, abs=1e-6)
    assert price.availability_text == text


def test_the_usual_nines():
    assert [AvailabilityPrice(minutes, 730, None, None).availability_text for minutes in NINES_MINUTES] == [
        "100 %",
        "99.999 %",
        "99.99 %",
        "99.9 %",
        "99 %",
    ]


def test_limits_that_are_switched_on():
    everything_off = Promise(None, None, None, None)
    assert limits_switched_on(everything_off) == ()
    assert limits_switched_on(Promise(p99_latency_ms=400, max_minutes_over_capacity=None, min_tasks=None)) == (
        "min_availability_zones",
        "p99_latency_ms",
    )
    allowed = Promise(None, None, None, None, allowed_cpu_architectures=("X86_64",))
    assert limits_switched_on(allowed) == ("allowed_cpu_architectures",)


def test_an_architecture_that_is_not_allowed_has_its_price():
    promise = Promise(max_minutes_over_capacity=2500, allowed_cpu_architectures=("X86_64",))
    price = prices_of(promise)["allowed_cpu_architectures"]
    assert price.best.spec.cpu_architecture == "X86_64"
    assert price.without.spec.cpu_architecture == "ARM64"
    assert price.allowed_text == "X86_64"
    assert price.saving_usd > 0


def test_values_are_ready_for_json():
    values = [price.to_dict() for price in (*prices_at(PROMISE), *availability_prices(explored_of(PROMISE)))]
    assert json.loads(json.dumps(values, allow_nan=False))[0]["limit"] == "min_tasks and min_availability_zones"


def test_progress_rises_to_the_end():
    told = []
    limit_prices(explored_of(PROMISE), RATES, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
