"""Laws that hold for any workload, candidate and rates."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from estimator.billing.lcu import lcu_dimensions, lcu_hours
from estimator.errors import NoFeasiblePlan
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.scenario import Scenario
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import (
    SIZES,
    choices,
    fitting,
    nearly,
    rates_of,
    scenario_documents,
    specs,
    workloads,
)

RATES = rates_of()
LOOSE = Promise(p95_latency_ms=None, max_minutes_over_capacity=None, min_tasks=None)
few = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
many = settings(max_examples=60, deadline=None, derandomize=True)


@pytest.fixture
def few_sizes(monkeypatch):
    monkeypatch.setattr("estimator.planning.promise.TASK_SIZES", tuple(TaskSize(*size) for size in SIZES))


@few
@given(workloads(), specs(), st.floats(0.01, 100))
def test_cost_is_linear_in_the_rates(workload, spec, factor):
    workload = fitting(workload, spec)
    once = estimate(workload, RATES, spec).cost
    scaled = estimate(workload, rates_of(factor=factor), spec).cost
    assert nearly(scaled.total_usd, factor * once.total_usd)
    assert [line.charge for line in scaled] == [line.charge for line in once]


@few
@given(workloads(), specs())
def test_lines_sum_to_the_total_and_none_is_negative(workload, spec):
    workload = fitting(workload, spec)
    cost = estimate(workload, RATES, spec).cost
    assert nearly(cost.total_usd, sum(line.list_cost for line in cost))
    assert min(line.list_cost for line in cost) >= 0
    assert cost.to_dict()["total_usd_per_month"] == cost.total_usd


@few
@given(workloads(), choices(), st.floats(0.01, 100))
def test_scaling_every_price_leaves_the_choice(few_sizes, workload, chosen, factor):
    best = plan(workload, RATES, LOOSE, choices=chosen)
    dearer = plan(workload, rates_of(factor=factor), LOOSE, choices=chosen)
    # Rounding may turn a tie, never more: so the bill decides, not the candidate's name.
    assert nearly(dearer.cost.total_usd, factor * best.cost.total_usd)
    assert nearly(estimate(workload, RATES, dearer.spec).cost.total_usd, best.cost.total_usd)


@few
@given(workloads(), choices(), choices())
def test_a_wider_search_is_never_dearer(few_sizes, workload, one, other):
    wide = Choices(
        tuple({*one.cpu_architectures, *other.cpu_architectures}),
        "FARGATE",
        tuple({*one.target_values, *other.target_values}),
        tuple({*one.min_capacities, *other.min_capacities}),
        30,
    )
    promise = Promise(p95_latency_ms=2000, max_minutes_over_capacity=None)
    try:
        narrow = plan(workload, RATES, promise, choices=one)
    except NoFeasiblePlan:
        assume(False)
    assert plan(workload, RATES, promise, choices=wide).cost.total_usd <= narrow.cost.total_usd + 1e-9


@few
@given(workloads(), choices(), st.floats(50, 5000), st.floats(0.1, 1), st.integers(0, 20_000))
def test_a_tighter_promise_is_never_cheaper(few_sizes, workload, chosen, latency, part, minutes):
    tight = Promise(p95_latency_ms=latency * part, max_minutes_over_capacity=minutes * part, min_tasks=3)
    loose = Promise(p95_latency_ms=latency, max_minutes_over_capacity=minutes, min_tasks=2)
    try:
        dear = plan(workload, RATES, tight, choices=chosen)
    except NoFeasiblePlan:
        assume(False)
    assert plan(workload, RATES, loose, choices=chosen).cost.total_usd <= dear.cost.total_usd + 1e-9


@few
@given(workloads(), choices(), st.floats(20, 2000))
def test_every_rejection_breaks_its_limit_and_is_cheaper(few_sizes, workload, chosen, latency):
    promise = Promise(p95_latency_ms=latency, min_tasks=3)
    try:
        best = plan(workload, RATES, promise, choices=chosen)
    except NoFeasiblePlan as error:
        rejections = error.rejections
        assert rejections
    else:
        rejections = best.rejections
        assert all(rejection.usd_per_month < best.cost.total_usd for rejection in rejections)
        assert [r.usd_per_month for r in rejections] == sorted(r.usd_per_month for r in rejections)
    for rejection in rejections[:15]:
        alone = estimate(workload, RATES, rejection.spec, promise=promise)
        usd = rejection.usd_per_month
        assert usd <= alone.cost.total_usd * (1 + 1e-9)
        assert rejection.is_least_usd or nearly(alone.cost.total_usd, usd)
        figure = {
            "p95_latency_ms": alone.figures["p95_latency_ms"],
            "max_minutes_over_capacity": alone.figures["minutes_over_capacity_per_month"],
            "min_tasks": rejection.spec.min_capacity,
            "memory_mib": rejection.actual,
        }[rejection.constraint]
        # None of these limits but the number of tasks is one that a candidate falls short of.
        assert figure >= rejection.actual * (1 - 1e-9)
        assert rejection.is_partial or nearly(figure, rejection.actual)
        if rejection.constraint == "min_tasks":
            assert rejection.actual < rejection.limit == 3
        else:
            assert rejection.actual > rejection.limit


@few
@given(workloads(), st.lists(specs(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_permuting_candidates_permutes_results(workload, candidates, random):
    order = list(range(len(candidates)))
    random.shuffle(order)
    straight = simulate(workload, candidates)
    shuffled = simulate(workload, [candidates[i] for i in order])
    for name in ("billed_task_hours", "running_task_hours", "launched", "p50_latency_ms", "p95_latency_ms"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(straight, name)[order], err_msg=name)


@few
@given(workloads(), specs())
def test_a_period_told_twice_has_the_same_traffic_lines(workload, spec):
    workload = fitting(workload, spec)
    # A profile is taken as periodic, so two equal days in a row are that day.
    twice = LoadProfile(np.tile(workload.load.requests_per_s, 2), workload.load.step_s)
    request = {name: getattr(workload, name) for name in workload.__dataclass_fields__ if name != "load"}
    one, two = estimate(workload, RATES, spec), estimate(Workload(twice, **request), RATES, spec)
    assert one.cost.requests == pytest.approx(two.cost.requests)
    lines = {line.charge: line.list_cost for line in one.cost}
    for line in two.cost:
        if line.charge in {"alb_lcu_hour", "internet_egress", "logs_ingestion", "alb_hour", "nat_gateway_gb"}:
            assert nearly(line.list_cost, lines[line.charge])


hours = st.lists(st.floats(0, 1e6), min_size=1, max_size=24)


@many
@given(hours, hours, hours, hours)
def test_lcu_is_at_least_each_dimension(new, active, gb, rules):
    from estimator.billing.lcu import alb_lcu

    n = min(map(len, (new, active, gb, rules)))
    series = [values[:n] for values in (new, active, gb, rules)]
    lcu = alb_lcu(*series)
    by_dimension = lcu_dimensions(*series)
    assert (lcu >= by_dimension).all()
    assert (lcu == by_dimension).any(axis=0).all()
    # 25 connections/s, 3000 connections, 1 GB/h, 1000 rules/s are one unit each.
    for row, values, one in zip(by_dimension, series, (25, 3000, 1, 1000), strict=True):
        np.testing.assert_allclose(row, np.array(values) / one)


@many
@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=12), st.integers(1, 11), st.floats(0, 50), st.floats(0, 100))
def test_lcu_hours_add_up_over_hours(rates, cut, rules, kb):
    cut = min(cut, len(rates) - 1)

    def consumed(series):
        work = Workload(
            LoadProfile(series, 3600), cpu_ms_per_request=1, rules_evaluated_per_request=rules, response_kb=kb
        )
        return lcu_hours(work).consumed.sum()

    assert nearly(consumed(rates), consumed(rates[:cut]) + consumed(rates[cut:]))


@many
@given(scenario_documents())
def test_a_scenario_round_trips(document):
    scenario = Scenario.from_dict(document)
    assert Scenario.from_text(scenario.to_yaml()) == scenario
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    assert Scenario.from_text(json.dumps(scenario.to_dict(), ensure_ascii=False)) == scenario
    for name, value in document["request"].items():
        assert getattr(scenario.request, name) == value


@few
@given(workloads(), specs())
def test_no_traffic_costs_the_fixed_lines(workload, spec):
    workload = fitting(workload, spec)
    idle = replace(spec, max_capacity=spec.min_capacity)
    request = {name: getattr(workload, name) for name in workload.__dataclass_fields__ if name != "load"}
    cost = estimate(Workload(LoadProfile([0.0], 3600), **request), RATES, idle).cost
    lines = {line.charge: line.pricing_quantity for line in cost}
    assert lines.pop("alb_hour") == 730
    fargate = [name for name in lines if name.startswith("fargate")]
    assert sum(lines.pop(name) for name in fargate if name.endswith("vcpu_hour")) == pytest.approx(
        730 * idle.min_capacity * idle.task_size.vcpu
    )
    assert not {"alb_lcu_hour", "internet_egress", "logs_ingestion", "nat_gateway_gb", "interface_endpoint_gb"} & set(
        lines
    )
