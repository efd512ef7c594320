"""One uncertain parameter moved at a time: the right runs, exact effects by hand, the order, what breaks the promise."""

import math
from dataclasses import replace

import pytest

from estimator.errors import InvalidScenario
from estimator.planning.planner import estimate
from estimator.planning.promise import Promise
from estimator.planning.sensitivity import MOVABLE, behavior_effects, settings
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.operations import Operations
from estimator.service.policies import ALB_REQUESTS, PredictiveScalingPolicy, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.service.uncertain import ELSEWHERE, UNCERTAIN
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

RATES = rates_of()
#: A quiet day with a flash crowd from 10:00:20 on, to three times what two tasks can serve.
CROWD = LoadProfile.constant(10).with_event(10 + 20 / 3600, rise_s=0, hold_s=7200, decay_s=0, requests_per_s=140)
WORK = Workload(CROWD, cpu_ms_per_request=10)
SPEC = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=40)
STEADY = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)


def of(effects, name):
    return [effect for effect in effects if effect.name == name]


def move(name, workload=WORK, spec=SPEC, **more):
    return behavior_effects(workload, RATES, spec, names=[name], **more)


def figures_of(plan):
    figures = plan.figures
    return (
        figures["total_usd_per_month"],
        figures["mean_tasks"],
        figures["minutes_over_capacity_per_month"],
        figures["p95_latency_ms"],
        figures["unserved_requests_per_month"] / figures["requests_per_month"],
    )


def values_of(figures):
    return (
        figures.usd_per_month,
        figures.mean_tasks,
        figures.minutes_over_capacity_per_month,
        figures.p95_latency_ms,
        figures.refused_share,
    )


def test_each_effect_is_two_estimates():
    settings_of = {
        "application": Application(queue_per_task=20, queue_timeout_s=10),
        "operations": Operations(deployment_schedules=("cron(0 9 * * ? *)",)),
        "hours_per_month": 700,
    }
    behavior = AwsBehavior(seed=3)
    effects = move("provision_s", behavior=behavior, **settings_of)
    assert [(effect.value_before, effect.value) for effect in effects] == [(23, 15), (23, 60)]
    for effect in effects:
        before = estimate(WORK, RATES, SPEC, behavior=behavior, **settings_of)
        after = estimate(WORK, RATES, SPEC, behavior=replace(behavior, provision_s=effect.value), **settings_of)
        assert values_of(effect.before) == pytest.approx(figures_of(before), rel=1e-12)
        assert values_of(effect.after) == pytest.approx(figures_of(after), rel=1e-12)
        assert effect.difference_usd == pytest.approx(after.cost.total_usd - before.cost.total_usd)


def test_all_parameters_are_moved_one_at_a_time():
    effects = behavior_effects(STEADY, RATES, SPEC)
    assert {effect.name for effect in effects} == UNCERTAIN.keys() | ELSEWHERE.keys() == MOVABLE.keys()
    for name, row in MOVABLE.items():
        assert [effect.value for effect in of(effects, name)] == list(row.moved)
        assert {effect.value_before for effect in of(effects, name)} == {row.default}
    assert len({effect.before for effect in effects}) == 1


def test_a_longer_lag_is_so_much_longer_over_capacity():
    # 150 requests/s need six tasks, two serve 50: over capacity from the first whole minute until more tasks are healthy.
    low, high = move("metric_lag_s", hours_per_month=24)
    assert (low.value, high.value) == (60, 240)
    assert low.before.minutes_over_capacity_per_month - low.after.minutes_over_capacity_per_month == 2
    assert high.after.minutes_over_capacity_per_month - high.before.minutes_over_capacity_per_month == 1
    assert high.difference_minutes == 1
    assert low.after.refused_share < low.before.refused_share < high.after.refused_share


def test_unbilled_seconds_by_hand():
    # Every task that is launched is billed for ten seconds more without, and for ten less with twice as many.
    free, twice = move("unbilled_s")
    launched = float(simulate(WORK, [SPEC]).launched[0])
    # 0.25 vCPU, 0.5 GB and a public address; a month has 730/24 of these days.
    usd_per_task_hour = 0.25 * 0.04048 + 0.5 * 0.004445 + 0.005
    expected = launched * 10 / 3600 * usd_per_task_hour * 730 / 24
    assert launched > 4
    assert free.difference_usd == pytest.approx(expected)
    assert twice.difference_usd == pytest.approx(-expected)
    assert values_of(free.after)[2:] == values_of(free.before)[2:]


def test_connections_to_the_targets_by_hand():
    # 20 new connections/s are 0.8 LCU, open for 60 s they are 0.4; 2 kB a request are 0.144 GB/h. Counted twice: 1.6 LCU.
    work = Workload(LoadProfile.constant(20), cpu_ms_per_request=10, requests_per_connection=1, response_kb=1)
    (effect,) = move("connection_count_factor", work)
    assert effect.difference_usd == pytest.approx(0.8 * 0.008 * 730)
    assert values_of(effect.after)[1:] == values_of(effect.before)[1:]


def test_variations_move_the_latency_alone():
    effects = behavior_effects(STEADY, RATES, SPEC, names=["arrival_cv", "service_time_cv"])
    for name in ("arrival_cv", "service_time_cv"):
        calm, wild = of(effects, name)
        assert calm.after.p95_latency_ms < calm.before.p95_latency_ms < wild.after.p95_latency_ms
        assert calm.difference_usd == wild.difference_usd == 0
        assert calm.has_effect


def test_what_the_service_does_not_use_has_no_effect():
    effects = behavior_effects(WORK, RATES, SPEC)
    none = {effect.name for effect in effects} - {effect.name for effect in effects if effect.has_effect}
    assert {
        "high_resolution_metric_lag_s", "high_resolution_scale_out_datapoints", "high_resolution_scale_in_datapoints", "alb_metric_lag_s",
        "alb_low_factor", "zero_requests_reported", "pull_mb_per_s", "launch_burst", "launch_per_s", "service_launches_per_minute",
        "spot_interruptions_per_task_hour", "zone_detection_s", "fargate_vcpu_quota", "cloudfront_requests_per_connection", "history_days",
    } <= none  # fmt: skip
    assert not {"metric_lag_s", "scale_out_datapoints", "provision_s", "scale_in_step_percent"} & none


def test_the_largest_effect_comes_first():
    effects = behavior_effects(WORK, RATES, SPEC)
    names = list(dict.fromkeys(effect.name for effect in effects))
    sizes = []
    for name in names:
        group = of(effects, name)
        at = effects.index(group[0])
        assert list(effects[at : at + len(group)]) == group
        assert [effect.value for effect in group] == sorted(effect.value for effect in group)
        usd = max(abs(effect.difference_usd) for effect in group)
        minutes = max(abs(effect.difference_minutes) for effect in group)
        sizes.append((any(effect.has_effect for effect in group), round(usd, 6), minutes))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0][0]
    assert not sizes[-1][0]


def test_a_parameter_that_is_moved_already_has_its_default_among_the_others():
    effects = move("metric_lag_s", behavior=AwsBehavior(metric_lag_s=60))
    assert [(effect.value_before, effect.value) for effect in effects] == [(60, 180), (60, 240)]
    assert [effect.value for effect in move("metric_lag_s", behavior=AwsBehavior(metric_lag_s=90))] == [60, 180, 240]


def test_values_that_do_not_go_with_the_others_are_left_out():
    # At most 12 s can be unbilled of the 12 s that provisioning takes.
    behavior = AwsBehavior(provision_s=12, unbilled_s=12)
    assert [effect.value for effect in move("unbilled_s", behavior=behavior)] == [0, 10]
    assert [effect.value for effect in move("provision_s", behavior=behavior)] == [15, 23, 60]


def test_what_breaks_the_promise_is_said():
    promise = Promise(max_minutes_over_capacity=60 * 730 / 24)
    (effect,) = move("enforce_vcpu_quota", promise=promise, behavior=AwsBehavior(fargate_vcpu_quota=1.0))
    # Four tasks of 0.25 vCPU serve 100 requests/s of the 150: two hours a day are over capacity.
    assert effect.after.minutes_over_capacity_per_month == pytest.approx(120 * 730 / 24, rel=0.02)
    (reason,) = effect.broken
    assert reason.startswith("max_minutes_over_capacity is 3,6")
    # What breaks it as it is does not come from the parameter.
    (effect,) = move("enforce_vcpu_quota", behavior=AwsBehavior(fargate_vcpu_quota=1.0))
    assert effect.before.minutes_over_capacity_per_month > 5
    assert effect.broken == ()


def test_operations_count():
    quiet = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)
    calm = move("zone_detection_s", quiet)
    lost = move("zone_detection_s", quiet, operations=Operations(zone_losses_h=(12.0,)))
    assert not any(effect.has_effect for effect in calm)
    # One of two tasks is lost, and is missed for 30 or 300 s in place of 60; the other is at 40 % of CPU, so that nothing scales.
    sooner, later = lost
    # 0.25 vCPU, 0.5 GB and an address of one task, 730/24 times a month.
    usd_per_s = (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005) / 3600 * 730 / 24
    assert sooner.difference_usd == pytest.approx(30 * usd_per_s)
    assert later.difference_usd == pytest.approx(-240 * usd_per_s)


def test_predictive_scaling_looks_back():
    # One day of the week has twice the load: a week of history foresees it, a day of history expects it a day late.
    week = LoadProfile.constant(20).repeated(6).followed_by(LoadProfile.constant(40))
    policies = (
        TargetTrackingScalingPolicy(3000, predefined_metric_type=ALB_REQUESTS),
        PredictiveScalingPolicy(600, predefined_metric_pair_type="ALBRequestCount"),
    )
    work = Workload(week.repeated(2), cpu_ms_per_request=10)
    one_day, one_week = move("history_days", work, replace(SPEC, scaling=policies))
    assert (one_day.value, one_week.value) == (1, 7)
    assert one_day.after.p95_latency_ms > 1.5 * one_day.before.p95_latency_ms
    # Of a fortnight no week lies two weeks back.
    assert not one_week.has_effect


def test_an_unknown_rate_is_said():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "internet_egress_gb"})
    (effect,) = behavior_effects(STEADY, rates, SPEC, names=["connection_count_factor"])
    assert effect.before.is_lower_bound
    assert effect.after.is_lower_bound
    known = estimate(STEADY, rates, SPEC).cost
    assert known.is_lower_bound
    assert effect.before.usd_per_month == pytest.approx(known.total_usd)


def test_as_plain_values():
    (effect,) = move("enforce_vcpu_quota", behavior=AwsBehavior(fargate_vcpu_quota=1.0))
    values = effect.to_dict()
    assert (values["parameter"], values["section"], values["unit"]) == (
        "enforce_vcpu_quota",
        "behavior",
        "true or false",
    )
    assert (values["value_before"], values["value"], values["has_effect"]) == (False, True, True)
    assert math.isinf(effect.after.p95_latency_ms)
    assert values["after"]["p95_latency_ms"] is None
    assert values["difference_usd_per_month"] == effect.difference_usd < 0


def test_progress_comes_to_its_end():
    parts = []
    behavior_effects(STEADY, RATES, SPEC, names=["metric_lag_s", "low_factor"], progress=parts.append)
    assert parts == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ["metric_lag"]}, "names has 'metric_lag'; it must be of metric_lag_s, "),
        ({"rates": "us-east-1"}, "rates is 'us-east-1'; it must be what load_rates gives"),
    ],
)
def test_what_is_refused(change, words):
    given = {"workload": STEADY, "rates": RATES, "spec": SPEC} | change
    with pytest.raises(InvalidScenario, match=words):
        behavior_effects(**given)


def test_every_parameter_has_a_service_that_shows_it():
    assert {row.shows_with for row in MOVABLE.values()} == settings().keys()


@pytest.mark.parametrize("name", settings())
def test_a_service_of_the_page_is_what_its_words_say(name):
    setting = settings()[name]
    assert setting.title[0].isupper() or setting.title[0].isdigit()
    assert not setting.title.endswith(".")
    # Its own parameters are at their defaults, but for the quota that is kept.
    for row in MOVABLE.values():
        kept = name == "vCPU quota" and row.name == "enforce_vcpu_quota"
        assert (setting.value_of(row) != row.default) == kept
    assert setting.workload.load.period_hours == 4 * 168
