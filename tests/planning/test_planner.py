"""The plan is the true minimum, says why the others lost, and never invents a rate."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound
from estimator.planning import search
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.planning.result import shortlist
from estimator.pricing.snapshots import load_rates
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TASK_SIZES, TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

RATES = rates_of()
SMALL = tuple(TaskSize(*size) for size in [(256, 512), (512, 1024), (512, 4096), (1024, 2048), (2048, 4096)])
PLAIN = {"scale_out_cooldowns_s": (300,), "scheduled_minimum_percents": (0.0,), "constant_counts": False}
CHOICES = Choices(target_values=(50.0, 80.0), min_capacities=(1, 2, 4), max_capacity=30, **PLAIN)
WORK = Workload(
    LoadProfile(np.repeat([20.0, 60.0, 150.0, 40.0], 60), 60), cpu_ms_per_request=20, arm64_relative_speed=0.9
)


@pytest.fixture
def small_space(monkeypatch):
    monkeypatch.setattr("estimator.planning.promise.TASK_SIZES", SMALL)


def _all_estimates(workload, promise, choices=CHOICES, rates=RATES):
    specs = search.candidates(workload, choices, Application(), NetworkLayout())
    return [(spec, estimate(workload, rates, spec, promise=promise)) for spec in specs]


@pytest.mark.parametrize(
    "promise",
    [
        Promise(p95_latency_ms=300),
        Promise(p95_latency_ms=120, max_minutes_over_capacity=0),
        Promise(p95_latency_ms=None, max_minutes_over_capacity=None, min_tasks=None),
        Promise(min_tasks=4),
        Promise(p95_latency_ms=None, max_minutes_over_capacity=20_000, min_tasks=1),
    ],
)
def test_the_winner_is_the_minimum_of_all_estimates(small_space, promise):
    everyone = _all_estimates(WORK, promise)
    assert len(everyone) == 5 * 2 * 2 * 3
    kept = [found for _, found in everyone if not any("promise is broken" in text for text in found.warnings)]
    cheapest = min(found.cost.total_usd for found in kept)
    best = plan(WORK, RATES, promise, choices=CHOICES, explain=None)
    assert best.cost.total_usd == pytest.approx(cheapest, rel=1e-12)
    assert not any("promise is broken" in w for w in estimate(WORK, RATES, best.spec, promise=promise).warnings)
    assert best.considered == 60
    cheaper = [found for _, found in everyone if found.cost.total_usd < cheapest - 1e-9]
    assert len(best.rejections) == len(cheaper)
    assert {r.spec for r in best.rejections} == {found.spec for found in cheaper}


def test_a_plan_is_the_estimate_of_its_own_candidate(small_space):
    best = plan(WORK, RATES, p95_latency_ms=300, choices=CHOICES)
    alone = estimate(WORK, RATES, best.spec)
    assert best.cost == alone.cost
    assert best.figures == alone.figures
    assert best.fingerprint() == alone.fingerprint()


def test_the_search_lists_every_size_and_choice():
    found = search.candidates(WORK, CHOICES, Application(), NetworkLayout())
    assert len(found) == len(set(found)) == 77 * 2 * 2 * 3
    assert {spec.task_size for spec in found} == set(TASK_SIZES)
    # By default: minimums of 1, 2, 3 and quarters of what the peak needs; the maximum has room above the need.
    for spec in search.candidates(WORK, Choices(target_values=(50.0,), **PLAIN), Application(), NetworkLayout()):
        # 150 requests/s x 0.02 s, on ARM64 1/0.9 of it.
        need = math.ceil(3.0 / (0.9 if spec.cpu_architecture == "ARM64" else 1) / spec.task_size.vcpu / 0.5 - 1e-9)
        assert spec.max_capacity >= max(need * 1.5, 2 * spec.min_capacity)


def test_an_unknown_rate_stops_a_plan_and_bounds_an_estimate(small_space):
    # No source knows Fargate Spot of Jakarta.
    rates = load_rates("ap-southeast-3")
    spot = Choices(
        capacity_provider="FARGATE_SPOT", target_values=(60.0,), min_capacities=(2,), max_capacity=20, **PLAIN
    )
    with pytest.raises(RateNotFound, match=r"fargate_spot_.*APS4-SpotUsage.*ap-southeast-3"):
        plan(WORK, rates, Promise(), choices=spot)
    spec = ServiceSpec(TaskSize(512, 1024), capacity_provider_strategy="FARGATE_SPOT")
    found = estimate(WORK, rates, spec)
    assert found.cost.is_lower_bound
    assert found.cost.total_text.startswith("at least $")
    (said,) = (text for text in found.warnings if "No rate is known" in text)
    assert said.count("APS4-SpotUsage-Fargate") == 2
    assert plan(WORK, rates, Promise(), choices=CHOICES).cost.is_lower_bound is False


def test_a_candidate_with_an_unknown_rate_loses_to_one_without(small_space):
    # Frankfurt: Spot is known for x86 and not for ARM.
    rates = load_rates("eu-central-1")
    spot = Choices(
        capacity_provider="FARGATE_SPOT", target_values=(60.0,), min_capacities=(2,), max_capacity=20, **PLAIN
    )
    best = plan(WORK, rates, Promise(), choices=spot)
    assert best.spec.cpu_architecture == "X86_64"
    assert not best.cost.is_lower_bound
    # Without a bill it is not "cheaper"; it is said once that it was left out.
    assert all(r.constraint != "rate" for r in best.rejections)
    assert all(r.usd_per_month < best.cost.total_usd for r in best.rejections)
    said = [text for text in best.warnings if "left out" in text]
    assert len(said) == 1
    assert said[0].count("fargate_spot_linux_arm") == 2


def without(*prices):
    return rates_of({name: price for name, price in US_EAST_1.items() if name not in prices})


@pytest.mark.parametrize(
    ("unknown", "network"),
    [
        ("alb_hour", NetworkLayout()),
        ("alb_lcu_hour", NetworkLayout()),
        ("vpc_interface_endpoint_hour", NetworkLayout.of("endpoints")),
        ("nat_gateway_hour", NetworkLayout.of("nat")),
        # An image from ECR: what goes through the gateway are logs, which are the same.
        ("nat_gateway_gb", NetworkLayout.of("nat")),
    ],
)
def test_an_unknown_rate_of_what_all_need_alike_does_not_hide_the_cheapest(small_space, unknown, network):
    promise = Promise(p95_latency_ms=300)
    known = plan(WORK, RATES, promise, choices=CHOICES, network=network)
    rates = without(unknown)
    best = plan(WORK, rates, promise, choices=CHOICES, network=network)
    assert best.spec == known.spec
    assert len(best.rejections) == len(known.rejections) > 0
    assert {r.constraint for r in best.rejections} == {r.constraint for r in known.rejections}
    [line] = [line for line in best.cost if line.contracted_cost is None]
    missing = next(each.contracted_cost for each in known.cost if each.charge == line_of(unknown))
    assert best.cost.total_usd == pytest.approx(known.cost.total_usd - missing)
    assert line.charge == line_of(unknown)
    assert best.cost.total_text.startswith("at least $")
    [said] = [text for text in best.warnings if "No rate is known" in text]
    assert said.startswith(
        "The bill is at least its total: it lacks what is the same for every candidate. No rate is known for"
    )
    assert unknown in said
    # Rejected ones lack the same, so that their figures can be compared.
    assert all(0 < r.usd_per_month < best.cost.total_usd for r in best.rejections)


def line_of(price):
    return next(name for name, charge in CHARGES.items() if charge.price == price)


def test_an_unknown_price_between_zones_does_not_hide_the_cheapest(small_space):
    # Images from elsewhere go through the gateway: candidates differ by how many tasks they launch.
    image = Application(image="nginx:1.29", image_mb=400)
    network = NetworkLayout.of("nat", 3)
    known = plan(WORK, RATES, Promise(), choices=CHOICES, application=image, network=network)
    best = plan(WORK, without("inter_az_gb"), Promise(), choices=CHOICES, application=image, network=network)
    assert best.spec == known.spec
    assert best.cost.is_lower_bound
    [said] = [text for text in best.warnings if "No rate is known" in text]
    assert said.startswith("The bill is at least its total: it lacks what is too small to decide between candidates.")
    # Zurich has no price of it: there is a plan all the same.
    assert plan(WORK, load_rates("eu-central-2"), choices=CHOICES, network=network).cost.is_lower_bound


def test_an_unknown_rate_of_what_candidates_need_differently_rejects_them(small_space):
    image = Application(image="nginx:1.29", image_mb=400)
    network = NetworkLayout.of("nat")
    # All need the load balancer alike: that its rate is unknown too is not why there is no plan.
    with pytest.raises(RateNotFound, match="No rate is known for nat_gateway_gb"):
        plan(WORK, without("alb_hour", "nat_gateway_gb"), choices=CHOICES, application=image, network=network)
    # Some of them do not need it: they are compared, and lack the load balancer.
    best = plan(WORK, without("alb_hour", "fargate_linux_arm_vcpu_hour"), choices=CHOICES)
    assert best.spec.cpu_architecture == "X86_64"
    texts = [text for text in best.warnings if "No rate is known" in text]
    assert [text.partition(" ")[0] for text in texts] == ["Candidates", "The"]
    assert "fargate_linux_arm_vcpu_hour" in texts[0]
    assert "alb_hour" in texts[1]


def test_a_limit_that_is_switched_off(small_space):
    everything_off = Promise(None, None, None, None)
    one = Choices(target_values=(80.0,), min_capacities=(1,), max_capacity=1)
    best = plan(WORK, RATES, everything_off, choices=one)
    # The cheapest single task there is, though it is over capacity most of the time.
    assert (best.spec.task_size, best.spec.cpu_architecture) == (TaskSize(256, 512), "ARM64")
    assert best.figures["minutes_over_capacity_per_month"] > 0
    assert best.to_dict()["figures"]["p95_latency_ms"] is None
    assert best.rejections == ()
    with pytest.raises(NoFeasiblePlan):
        plan(WORK, RATES, Promise(), choices=one)


def test_nothing_left_says_the_nearest_miss_first(small_space):
    with pytest.raises(NoFeasiblePlan) as caught:
        plan(WORK, RATES, Promise(p95_latency_ms=1, max_minutes_over_capacity=None, min_tasks=None), choices=CHOICES)
    rejections = caught.value.rejections
    assert len(rejections) == 60
    misses = [rejection.miss for rejection in rejections]
    assert misses == sorted(misses)
    assert {r.constraint for r in rejections} == {"p95_latency_ms"}
    nearest = min(rejections, key=lambda r: r.actual)
    assert nearest.spec.describe() in str(caught.value)
    assert "p95_latency_ms is" in str(caught.value)
    assert "at most 1 ms" in str(caught.value)


def test_zones(small_space):
    with pytest.raises(NoFeasiblePlan, match="min_availability_zones is 2; at least 3 zones"):
        plan(WORK, RATES, Promise(min_availability_zones=3), choices=CHOICES)
    three = plan(WORK, RATES, Promise(min_availability_zones=3), choices=CHOICES, network=NetworkLayout.of("public", 3))
    assert three.spec.network.availability_zones == 3


def test_memory(small_space):
    # 1 GB at rest does not fit 512 MiB, and leaves 1024 MiB no room for a request.
    hungry = Workload(LoadProfile.constant(5), cpu_ms_per_request=20, baseline_memory_mib=1024)
    best = plan(hungry, RATES, Promise(min_tasks=None, min_availability_zones=None), choices=CHOICES)
    assert best.spec.task_size.memory_mib >= 2048
    assert best.rejections
    assert {r.constraint for r in best.rejections} == {"memory_mib"}
    assert all(r.spec.task_size.memory_mib <= 1024 for r in best.rejections)


def test_a_plan_is_the_same_every_time_and_in_every_process(small_space):
    one, two = (plan(WORK, RATES, p95_latency_ms=300, choices=CHOICES) for _ in range(2))
    assert one.to_dict() == two.to_dict()
    code = (
        "from tests.planning.test_planner import *\n"
        "search.TASK_SIZES = SMALL\n"
        "print(plan(WORK, RATES, p95_latency_ms=300, choices=CHOICES).fingerprint())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "99"},
    )
    assert other.stdout.split()[-1] == one.fingerprint()


def test_a_load_that_no_service_carries():
    huge = Workload(LoadProfile.constant(1e9), cpu_ms_per_request=100)
    with pytest.raises(NoFeasiblePlan, match="max_minutes_over_capacity is 43,800 or more; at most 5"):
        plan(huge, RATES, choices=Choices(target_values=(60.0,)))


def test_a_promise_of_many_tasks_is_kept():
    small = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    assert plan(small, RATES, Promise(min_tasks=7), choices=Choices(target_values=(60.0,))).spec.min_capacity == 7


def test_memory_holds_the_requests_in_flight_and_not_only_their_mean():
    # One vCPU at 0.533: the mean is 1.14 requests in flight, but 15 % of the time 3 or more want 300 + 300 MiB.
    work = Workload(
        LoadProfile.constant(53.3), cpu_ms_per_request=2.5, baseline_memory_mib=300, memory_mib_per_request=100
    )
    spec = ServiceSpec(TaskSize(256, 512), min_capacity=1, max_capacity=1)
    assert any("memory_mib" in text for text in estimate(work, RATES, spec).warnings)


def test_waiting_for_others_counts_as_latency_and_memory():
    spec = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2)
    values = {"cpu_ms_per_request": 10, "memory_mib_per_request": 50}
    quick, slow = (
        estimate(Workload(LoadProfile.constant(40), **values, wait_ms_per_request=w), RATES, spec) for w in (0, 200)
    )
    assert slow.figures["p95_latency_ms"] == pytest.approx(quick.figures["p95_latency_ms"] + 200)
    assert slow.cost.total_usd == quick.cost.total_usd


def test_notes_say_what_a_coarse_load_and_a_small_quota_hide():
    coarse = Workload(LoadProfile([50.0] * 24, 3600), cpu_ms_per_request=200)
    text = " ".join(estimate(coarse, RATES, ServiceSpec(TaskSize(4096, 8192))).warnings)
    assert "means of 60 minutes" in text
    assert "quota" in text


def test_an_estimate_names_every_broken_limit():
    spec = ServiceSpec(TaskSize(256, 512), min_capacity=1, max_capacity=1)
    text = " ".join(estimate(WORK, RATES, spec, promise=Promise(p95_latency_ms=100)).warnings)
    # One task of 0.25 vCPU and never less than 0.4 vCPU of load: all of 730 x 60 minutes.
    assert "min_tasks is 1; at least 2 tasks" in text
    assert "max_minutes_over_capacity is 43,800; at most 5 min/month" in text
    assert "p95_latency_ms is without bound; at most 100 ms" in text


def test_the_shortlist_is_short_and_cheapest_first(small_space):
    rejections = plan(WORK, RATES, Promise(min_tasks=4), choices=CHOICES).rejections
    chosen = shortlist(rejections, 3)
    assert 0 < len(chosen) <= 3
    assert [r.usd_per_month for r in chosen] == sorted(r.usd_per_month for r in chosen)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("p95_latency_ms", 0, "0.001 to 600000"),
        ("p95_latency_ms", math.nan, "nan"),
        ("p95_latency_ms", "fast", "'fast'"),
        ("max_minutes_over_capacity", -1, "0 to 44640"),
        ("min_tasks", 0, "1 to 5000"),
        ("min_availability_zones", 7, "1 to 6"),
    ],
)
def test_promises_that_are_none(field, value, said):
    with pytest.raises(InvalidScenario, match=field) as caught:
        Promise(**{field: value})
    assert said in str(caught.value)
    assert "Null switches the limit off" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cpu_architectures": ()}, "cpu_architectures is empty"),
        ({"target_values": ()}, "target_values is empty"),
        ({"max_capacity_headroom": 0.5}, "1 to 100"),
        ({"scale_in_cooldowns_s": (-1,)}, "0 to 86400"),
    ],
)
def test_choices_that_are_none(values, said):
    with pytest.raises(InvalidScenario, match=said):
        Choices(**values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cpu_architectures": ("RISC",)}, "'RISC'"),
        ({"capacity_provider": "SPOT"}, "'SPOT'"),
        ({"target_values": (101.0,)}, "101"),
        ({"target_values": (-5.0,)}, "-5"),
        ({"min_capacities": (0,)}, "min_capacities is 0"),
        ({"min_capacities": (5,), "max_capacity": 4}, "max_capacity is 4"),
    ],
)
def test_choices_that_no_plan_can_use(values, said):
    with pytest.raises(InvalidScenario, match=said):
        plan(WORK, RATES, choices=Choices(**values))


# Faults that were there once.
@pytest.mark.parametrize("value", [0.0, math.nan])
def test_a_target_of_nothing(value):
    with pytest.raises(InvalidScenario, match="target_value"):
        plan(WORK, RATES, choices=Choices(target_values=(value,)))


def test_a_maximum_of_nothing(small_space):
    with pytest.raises(InvalidScenario, match="max_capacity"):
        plan(WORK, RATES, choices=Choices(target_values=(60.0,), max_capacity=0))


@pytest.mark.parametrize(
    ("network", "application", "said"),
    [
        (NetworkLayout("endpoints"), Application(), "ecr.api, ecr.dkr, logs"),
        (NetworkLayout.of("endpoints"), Application(secrets={"KEY": "arn"}), "secretsmanager"),
        (NetworkLayout.of("endpoints"), Application(image="nginx:1.29"), "nginx"),
        (
            NetworkLayout.of("endpoints"),
            Application(image="1.dkr.ecr.eu-west-1.amazonaws.com/web:1"),
            "not in ECR in us-east-1",
        ),
    ],
)
def test_private_tasks_need_their_endpoints(network, application, said):
    spec = ServiceSpec(TaskSize(256, 512), network=network)
    with pytest.raises(InvalidScenario, match=said):
        estimate(WORK, RATES, spec, application)
    with pytest.raises(InvalidScenario, match=said):
        plan(WORK, RATES, application=application, network=network)


def test_three_zones_with_a_task_need_three_tasks():
    small = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)
    three = NetworkLayout.of("public", 3)
    best = plan(small, RATES, Promise(min_tasks=None, min_availability_zones=3), network=three)
    assert best.spec.min_capacity == 3
    with pytest.raises(NoFeasiblePlan, match=r"network\.availability_zones"):
        plan(small, RATES, Promise(min_availability_zones=3))


def test_what_a_notebook_user_gives_instead():
    with pytest.raises(InvalidScenario, match="load_rates"):
        plan(WORK, "us-east-1")
    with pytest.raises(InvalidScenario, match="LoadProfile"):
        plan(Workload(20, cpu_ms_per_request=10), RATES)
    with pytest.raises(InvalidScenario, match="None"):
        load_rates(None)


def test_a_search_that_is_far_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(search, "MAX_CANDIDATES", 100)
    with pytest.raises(InvalidScenario, match="more than 100 candidates"):
        plan(WORK, RATES)
