"""Laws of the search: more to choose from never costs more, a tighter promise never less, and no better candidate is passed over."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimator.errors import NoFeasiblePlan
from estimator.planning.promise import Choices, Promise
from estimator.workload.profile import LoadProfile
from tests.planning.exhaustive import Case, small_case, work
from tests.properties.strategies import nearly, rates_of

few = settings(max_examples=2, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)

#: A narrow space and what each of its lists is extended by.
NARROW = Choices(
    cpu_architectures=("X86_64",),
    target_values=(60.0,),
    min_capacities=(3,),
    scale_out_cooldowns_s=(300,),
    scale_in_cooldowns_s=(300,),
    cpu_units=(512,),
    memory_mib=(2048,),
    scheduled_minimum_percents=(0.0,),
    spot_percents=(0,),
    layouts=("nat",),
    deployment_strategies=("ROLLING",),
    container_insights=("enabled",),
    log_classes=("STANDARD",),
    behind_cloudfront=(False,),
    constant_counts=False,
)
WIDER = {
    "cpu_architectures": ("ARM64",),
    "target_values": (40.0, 90.0),
    "min_capacities": (1, 2, 5),
    "scale_out_cooldowns_s": (0, 60),
    "scale_in_cooldowns_s": (0, 60, 900),
    "cpu_units": (256, 1024),
    "memory_mib": (1024, 4096),
    "scheduled_minimum_percents": (50.0, 100.0),
    "spot_percents": (50, 100),
    "layouts": ("public",),
    "deployment_strategies": ("BLUE_GREEN",),
    "container_insights": ("disabled", "enhanced"),
    "log_classes": ("INFREQUENT_ACCESS",),
    "behind_cloudfront": (True,),
    "regions": (),
    "savings_plan_terms": (),
}


def load_of(seed):
    """A day of quarters of an hour, with a swing and noise."""
    rng = np.random.default_rng(seed)
    k = np.arange(96)
    return LoadProfile(60 * (1 + 0.8 * np.sin(2 * np.pi * k / 96)) * rng.lognormal(0, 0.2, 96), 900)


def usd(case):
    """The plan's bill; infinite without a plan."""
    try:
        return case.plan(explain=1).cost.total_usd
    except NoFeasiblePlan:
        return np.inf


LOOSE = Promise(p95_latency_ms=400, max_minutes_over_capacity=3000, min_tasks=None)


def test_each_list_of_the_choices_is_extended():
    lists = {item.name for item in fields(Choices) if isinstance(getattr(NARROW, item.name), tuple)}
    assert set(WIDER) == lists


@pytest.mark.parametrize("name", [name for name, more in WIDER.items() if more])
@few
@given(seeds)
def test_a_longer_list_of_choices_is_never_dearer(name, seed):
    case = Case(work(load_of(seed)), LOOSE, NARROW)
    more = (*getattr(NARROW, name), *WIDER[name])
    assert usd(replace(case, choices=replace(NARROW, **{name: more}))) <= usd(case) * (1 + 1e-9)


@few
@given(seeds)
def test_services_that_do_not_scale_are_more_to_choose_from(seed):
    case = Case(work(load_of(seed)), LOOSE, NARROW)
    assert usd(replace(case, choices=replace(NARROW, constant_counts=True))) <= usd(case) * (1 + 1e-9)


#: Each limit with a looser and a tighter value; for some of them there is no plan at the tighter one with some loads.
LIMITS = [
    ("p95_latency_ms", 900, 250),
    ("p99_latency_ms", 2000, 500),
    ("max_minutes_over_capacity", 4000, 100),
    ("max_minutes_over_promise", 6000, 400),
    ("max_refused_percent", 2, 0.1),
    ("min_tasks", 1, 4),
    ("min_availability_zones", 1, 2),
    ("memory_share", 0.9, 0.99999),
    ("max_minutes_after_zone_loss", 20, 0),
    ("max_minutes_in_flash_crowd", 30, 8),
    ("max_minutes_in_spot_shortage", 60, 0),
    ("max_vcpu", 20, 4),
    ("max_usd_per_month", 1000, 300),
    ("allowed_cpu_architectures", (), ("X86_64",)),
    ("allowed_regions", (), ("us-east-1",)),
]
#: What says how large a drill's crowd or shortage is.
SIZES = {"flash_crowd_factor", "flash_crowd_minutes", "spot_shortage_hours"}


def test_each_limit_of_the_promise_is_tightened():
    assert {name for name, *_ in LIMITS} == {item.name for item in fields(Promise)} - SIZES


SOME = Choices(
    cpu_units=(512,),
    memory_mib=(1024,),
    target_values=(40.0, 80.0),
    min_capacities=(1, 2, 4),
    scale_out_cooldowns_s=(60,),
    spot_percents=(0, 100),
)


@pytest.mark.parametrize(("name", "loose", "tight"), LIMITS, ids=[name for name, *_ in LIMITS])
@few
@given(seeds)
def test_a_tighter_limit_is_never_cheaper(name, loose, tight, seed):
    p95_latency_ms = 500 if name == "max_minutes_over_promise" else None
    promise = Promise(p95_latency_ms, None, None, None, **({} if name in _PLACED else {name: None}))
    memory = {"baseline_memory_mib": 300.0, "memory_mib_per_request": 40.0}
    case = Case(work(load_of(seed), **memory), promise, SOME)
    at = [usd(replace(case, promise=replace(promise, **{name: value}))) for value in (loose, tight)]
    assert at[0] <= at[1] * (1 + 1e-9)


#: Limits that are given by place, or cannot be switched off.
_PLACED = {
    *("p95_latency_ms", "max_minutes_over_capacity", "min_tasks", "min_availability_zones", "memory_share"),
    *("allowed_cpu_architectures", "allowed_regions"),
}


@few
@given(seeds, st.floats(0.01, 100))
def test_scaling_all_prices_leaves_the_choice(seed, factor):
    case = small_case(seed)
    bill = usd(case)
    assume(bill < np.inf)
    once = case.plan()
    scaled = replace(case, rates=rates_of(factor=factor)).plan()
    assert nearly(scaled.cost.total_usd, factor * bill)
    # Rounding may turn a tie, never more.
    again = {one.spec: one.usd for one in case.everyone}
    assert nearly(again[scaled.spec], again[once.spec])


@few
@given(seeds)
def test_scaling_all_prices_scales_what_a_budget_has_to_be(seed):
    case = replace(small_case(seed), promise=LOOSE)
    bill = usd(case)
    assume(bill < np.inf)
    within, over = (
        replace(case, promise=replace(LOOSE, max_usd_per_month=part * bill)) for part in (1 + 1e-6, 1 - 1e-6)
    )
    assert usd(within) == bill
    assert usd(over) == np.inf
    assert usd(replace(within, rates=rates_of(factor=0.5))) < np.inf
    assert usd(replace(within, rates=rates_of(factor=2))) == np.inf


@few
@given(seeds)
def test_no_candidate_that_keeps_the_promise_is_cheaper_or_as_cheap_and_quicker(seed):
    case = small_case(seed)
    assume(usd(case) < np.inf)
    best = case.plan()
    p95 = best.figures["p95_latency_ms"]
    for one in case.everyone:
        if not one.broken:
            assert one.usd >= best.cost.total_usd * (1 - 1e-11)
            if nearly(one.usd, best.cost.total_usd, 1e-11):
                assert one.p95_latency_ms >= p95 * (1 - 1e-11)


@few
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_choices_does_not_change_the_bill(seed, random):
    case = small_case(seed)
    shuffled = {}
    for item in fields(Choices):
        value = getattr(case.choices, item.name)
        if isinstance(value, tuple) and len(value) > 1:
            shuffled[item.name] = tuple(random.sample(value, len(value)))
    assert shuffled
    assert nearly(usd(replace(case, choices=replace(case.choices, **shuffled))), usd(case))
