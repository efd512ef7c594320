"""Every candidate with its figures, against the estimate of each alone; the front and the winner, by brute force."""

import itertools
import json
import math
from functools import cache

import numpy as np
import pytest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.frontier import explore
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.risks import LIMITS_OF_RISK, RISKS, require_risk, risk_of
from estimator.pricing.rates import Rates
from estimator.service.network import NetworkLayout
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.billing.test_savings_plans import all_rates
from tests.properties.strategies import rates_of

RATES = rates_of()
#: Three sizes, two processors, two targets, three minimums.
CHOICES = Choices(
    cpu_units=(512, 2048),
    memory_mib=(1024, 4096),
    target_values=(50.0, 80.0),
    min_capacities=(1, 2, 4),
    max_capacity=30,
    scale_out_cooldowns_s=(300,),
    scheduled_minimum_percents=(0.0,),
    constant_counts=False,
)
WORK = Workload(
    LoadProfile(np.repeat([20.0, 60.0, 150.0, 40.0], 60), 60), cpu_ms_per_request=20, arm64_relative_speed=0.9
)
PROMISES = [
    Promise(p95_latency_ms=300),
    Promise(p95_latency_ms=120, max_minutes_over_capacity=0),
    Promise(None, None, None, None),
    Promise(min_tasks=4),
    Promise(max_minutes_over_capacity=2500, min_tasks=1),
    Promise(p95_latency_ms=250, max_minutes_over_capacity=None, max_minutes_over_promise=4000),
    Promise(max_minutes_over_capacity=None, max_refused_percent=2.5, max_usd_per_month=400),
    Promise(max_minutes_over_capacity=None, max_minutes_after_zone_loss=0),
]
PLANS = (SavingsPlan(),)


@cache
def explored_of(promise):
    return explore(WORK, RATES, promise, choices=CHOICES)


@cache
def estimates_of(promise):
    return [estimate(WORK, RATES, spec, promise=promise) for spec in explored_of(promise).specs]


def reasons_of(found):
    start = "The promise is broken: "
    return {text.removeprefix(start).removesuffix(".") for text in found.warnings if text.startswith(start)}


@pytest.mark.parametrize("promise", PROMISES[:-1])
def test_each_candidate_has_the_figures_of_its_own_estimate(promise):
    explored = explored_of(promise)
    assert len(explored) == len(set(explored.specs)) == 3 * 2 * 2 * 3
    for place, found in enumerate(estimates_of(promise)):
        one, figures = explored[place], found.figures
        assert one.usd_per_month == pytest.approx(found.cost.total_usd, rel=1e-12)
        assert one.minutes_over_capacity_per_month == figures["minutes_over_capacity_per_month"]
        assert one.minutes_over_promise_per_month == figures["minutes_over_promise_per_month"]
        assert one.p95_latency_ms == pytest.approx(figures["p95_latency_ms"], rel=1e-12)
        assert one.mean_tasks == figures["mean_tasks"]
        assert one.refused_percent == pytest.approx(
            100 * figures["unserved_requests_per_month"] / figures["requests_per_month"]
        )
        assert {limit.reason for limit in one.rejections} == reasons_of(found)
        assert one.keeps_promise == (not reasons_of(found))
        for name in RISKS:
            assert risk_of(found, name) == pytest.approx(explored.risks(name)[place])


@pytest.mark.parametrize("promise", PROMISES)
def test_the_winner_is_the_plan(promise):
    explored = explored_of(promise)
    best = plan(WORK, RATES, promise, choices=CHOICES)
    assert explored.winner.spec == best.spec
    assert explored.winner.usd_per_month == pytest.approx(best.cost.total_usd, rel=1e-12)


def test_of_equal_bills_the_quicker_one_wins_as_in_the_plan():
    # A load that never scales: the target changes nothing, and both bills and latencies are the same to the last digit.
    work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    explored = explore(work, RATES, choices=CHOICES)
    best = plan(work, RATES, choices=CHOICES)
    assert explored.winner.spec == best.spec
    ties = explored.runners_up(3, every=True)
    assert ties[0].more_usd == 0
    assert ties[0].candidate.spec.scaling != best.spec.scaling


def test_with_savings_plans_bills_and_winner_are_those_of_estimate_and_plan():
    rates = all_rates()
    promise = Promise(p95_latency_ms=300)
    explored = explore(WORK, rates, promise, choices=CHOICES, savings_plans=PLANS)
    for place in range(0, len(explored), 5):
        found = estimate(WORK, rates, explored.specs[place], promise=promise, savings_plans=PLANS)
        assert explored.usd_per_month[place] == pytest.approx(found.cost.total_usd, rel=1e-12)
    best = plan(WORK, rates, promise, choices=CHOICES, savings_plans=PLANS)
    assert explored.winner.spec == best.spec
    without = explore(WORK, rates, promise, choices=CHOICES)
    assert (explored.usd_per_month < without.usd_per_month).any()
    assert (explored.usd_per_month <= without.usd_per_month + 1e-9).all()


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("promise", PROMISES)
def test_the_front_is_what_nothing_dominates(promise, risk):
    explored = explored_of(promise)
    everyone = estimates_of(promise)
    allowed = []
    for found in everyone:
        broken = {reason.partition(" ")[0] for reason in reasons_of(found)}
        if broken <= LIMITS_OF_RISK:
            allowed.append((round(found.cost.total_usd, 6), round(risk_of(found, risk), 6)))
    undominated = {
        (usd, value)
        for usd, value in allowed
        if not any(other != (usd, value) and other[0] <= usd and other[1] <= value for other in allowed)
    }
    points = explored.front(risk)
    assert {(round(point.usd_per_month, 6), round(point.risk, 6)) for point in points} == undominated
    for before, after in itertools.pairwise(points):
        assert before.usd_per_month < after.usd_per_month
        assert before.risk > after.risk
    for point in points:
        assert point.keeps_promise == (not reasons_of(everyone[point.candidate.place]))


def test_a_front_leaves_aside_what_is_about_its_risk_and_nothing_else():
    explored = explored_of(Promise(p95_latency_ms=120, max_minutes_over_capacity=0))
    points = explored.front()
    assert len(points) > 2
    # The cheapest are single tasks, which break min_tasks; among the others some are over capacity.
    cheapest = explored[int(explored.order[0])]
    assert {limit.constraint for limit in cheapest.rejections} >= {"min_tasks"}
    assert all(point.spec.min_capacity >= 2 for point in points)
    broken = {limit.constraint for point in points for limit in point.candidate.rejections}
    assert broken
    assert broken <= {"p95_latency_ms", "max_minutes_over_capacity"}
    assert points[-1].keeps_promise


def test_a_task_more_costs_what_aws_lists():
    # Fixed counts, so that nothing but the tasks differs: 0.25 vCPU, 0.5 GB and a public address for 730 hours.
    choices = Choices(
        ("X86_64",),
        constant_counts=False,
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0,),
        min_capacities=(2, 3, 5),
        max_capacity=5,
        scale_out_cooldowns_s=(300,),
        scheduled_minimum_percents=(0.0,),
    )
    work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    explored = explore(work, RATES, choices=choices)
    task = 730 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005)
    assert explored.winner.spec.min_capacity == 2
    assert explored.winner.mean_tasks == pytest.approx(2)
    assert explored.runners_up() == ()
    runners_up = explored.runners_up(every=True)
    assert [each.candidate.spec.min_capacity for each in runners_up] == [3, 5]
    assert [each.more_usd for each in runners_up] == pytest.approx([task, 3 * task])
    # No minute is over capacity: one point, the cheapest.
    (point,) = explored.front("minutes_over_capacity_per_month")
    assert point.spec == explored.winner.spec


def test_runners_up_are_the_next_cheapest_of_another_kind():
    promise = Promise(p95_latency_ms=300)
    explored = explored_of(promise)
    keeping = [(found.cost.total_usd, found.spec) for found in estimates_of(promise) if not reasons_of(found)]
    keeping.sort(key=lambda pair: pair[0])
    best_of = {}
    for usd, spec in keeping:
        best_of.setdefault((spec.task_size, spec.cpu_architecture), usd)
    costs = sorted(best_of.values())
    found = explored.runners_up(100)
    assert [each.candidate.usd_per_month for each in found] == pytest.approx(costs[1:])
    assert [each.more_usd for each in found] == pytest.approx([usd - costs[0] for usd in costs[1:]])
    kinds = [(each.candidate.spec.task_size, each.candidate.spec.cpu_architecture) for each in found]
    winner = explored.winner.spec
    assert len(set(kinds)) == len(kinds)
    assert (winner.task_size, winner.cpu_architecture) not in kinds
    assert explored.runners_up(2) == found[:2]
    everyone = explored.runners_up(1000, every=True)
    assert [each.candidate.usd_per_month for each in everyone] == pytest.approx([usd for usd, _ in keeping[1:]])


@pytest.mark.parametrize("minutes", [0.0, 100.0, 2000.0, 20_000.0, 43_800.0])
def test_the_cheapest_within_other_minutes_is_the_plan_of_that_promise(minutes):
    explored = explored_of(Promise(p95_latency_ms=None))
    best = plan(WORK, RATES, Promise(max_minutes_over_capacity=minutes), choices=CHOICES)
    assert explored.cheapest_within(minutes).spec == best.spec
    with pytest.raises(InvalidScenario, match="minutes_over_capacity is -1"):
        explored.cheapest_within(-1)


def without(*prices):
    return Rates("us-east-1", {name: rate for name, rate in RATES.known.items() if name not in prices})


def test_an_unknown_rate_that_decides_leaves_a_candidate_without_a_bill():
    explored = explore(WORK, without("fargate_linux_arm_vcpu_hour"), Promise(), choices=CHOICES)
    is_arm = np.array([spec.cpu_architecture == "ARM64" for spec in explored.specs])
    assert np.isnan(explored.usd_per_month[is_arm]).all()
    assert np.isfinite(explored.usd_per_month[~is_arm]).all()
    assert not np.isin(explored.order[: int((~is_arm).sum())], np.flatnonzero(is_arm)).any()
    assert all(point.spec.cpu_architecture == "X86_64" for point in explored.front())
    assert explored.winner.spec == plan(WORK, without("fargate_linux_arm_vcpu_hour"), choices=CHOICES).spec
    assert json.loads(json.dumps(explored[int(explored.order[-1])].to_dict()))["usd_per_month"] is None


def test_an_unknown_rate_that_all_need_makes_every_bill_at_least_its_total():
    assert not explored_of(Promise()).is_lower_bound.any()
    explored = explore(WORK, without("alb_hour"), choices=CHOICES)
    assert explored.is_lower_bound.all()
    assert np.isfinite(explored.usd_per_month).all()


def test_a_promise_that_nothing_keeps_has_a_front_and_no_winner():
    explored = explored_of(Promise(p95_latency_ms=1, max_minutes_over_capacity=None))
    assert explored.winner is None
    assert explored.runners_up() == ()
    assert explored.cheapest_within(1e4) is None
    points = explored.front("p95_latency_ms")
    assert points
    assert not any(point.keeps_promise for point in points)
    assert all("p95_latency_ms" in point.candidate.reasons for point in points)


def test_drills_decide_too():
    promise = Promise(max_minutes_over_capacity=None, max_minutes_after_zone_loss=0)
    without_drill, drilled = map(explored_of, (Promise(max_minutes_over_capacity=None), promise))
    assert drilled.winner.usd_per_month > without_drill.winner.usd_per_month
    # The one that won without it fails the drill, which is known once it was looked at.
    lost = drilled[without_drill.winner.place]
    assert [limit.constraint for limit in lost.rejections] == ["max_minutes_after_zone_loss"]
    assert lost.rejections[0].spec == lost.spec
    assert lost.rejections[0].usd_per_month == lost.usd_per_month


def test_layouts_that_do_not_serve_are_no_candidates():
    work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10, outbound_sent_kb_per_request=1)
    choices = Choices(
        constant_counts=False,
        cpu_units=(256,),
        memory_mib=(512,),
        target_values=(60.0,),
        min_capacities=(2,),
        layouts=("public", "endpoints"),
    )
    assert {spec.network.layout for spec in explore(work, RATES, choices=choices).specs} == {"public"}
    with pytest.raises(InvalidScenario, match="no way to the internet"):
        explore(work, RATES, network=NetworkLayout.of("endpoints"))


def test_the_table_has_every_candidate_once():
    explored = explored_of(Promise(p95_latency_ms=300))
    table = explored.to_frame()
    assert len(table) == len(explored)
    assert table["usd_per_month"].is_monotonic_increasing
    assert table["on_front"].sum() == len(explored.front())
    kept = table[table["keeps_promise"]]
    assert (kept["broken"] == "").all()
    assert kept.iloc[0]["candidate"] == explored.winner.spec.describe()
    assert "<table" in explored._repr_html_()


def test_figures_cannot_be_changed():
    explored = explored_of(Promise())
    with pytest.raises(ValueError, match="read-only"):
        explored.usd_per_month[0] = 0


def test_values_are_ready_for_json():
    explored = explored_of(Promise(p95_latency_ms=120))
    points = [json.loads(json.dumps(point.to_dict(), allow_nan=False)) for point in explored.front("p95_latency_ms")]
    assert points[0]["risk"] is None
    assert math.isinf(explored.front("p95_latency_ms")[0].risk)
    runner_up = json.loads(json.dumps(explored.runners_up(1)[0].to_dict(), allow_nan=False))
    assert runner_up["more_usd_per_month"] > 0
    assert runner_up["keeps_promise"]


def test_progress_rises_to_the_end():
    told = []
    explore(WORK, all_rates(), choices=CHOICES, savings_plans=PLANS, progress=told.append)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1


def test_what_is_none():
    with pytest.raises(InvalidScenario, match=r"risk is 'luck'; it must be one of minutes_over_promise_per_month,"):
        require_risk("luck")
    explored = explored_of(Promise())
    with pytest.raises(InvalidScenario, match="n is 0"):
        explored.runners_up(0)
    with pytest.raises(InvalidScenario, match="luck"):
        explored.front("luck")
    with pytest.raises(InvalidScenario, match="must be a Workload"):
        explore(20, RATES)
    with pytest.raises(InvalidScenario, match="load_rates"):
        explore(WORK, "us-east-1")
