"""Tasks with Windows: their lines by hand, the longest minimum that is billed, and what Fargate does not have with it."""

from dataclasses import replace

import pytest

from estimator.billing.usage import fargate_tasks
from estimator.errors import InvalidScenario
from estimator.planning import search
from estimator.planning.planner import estimate, plan
from estimator.planning.promise import Choices, Promise
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.network import NetworkLayout
from estimator.service.policies import ScheduledAction
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TASK_SIZES, TaskSize, is_offered
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import rates_of

RATES = rates_of()
WINDOWS = Application(operating_system="WINDOWS")
WORK = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)
#: Two tasks of 1 vCPU and 2 GB at all times.
SPEC = ServiceSpec(TaskSize(1024, 2048), min_capacity=2, max_capacity=2)


def lines_of(found):
    return {line.charge: line for line in found.cost if line.charge.startswith("fargate")}


def test_vcpu_memory_and_license_by_hand():
    lines = lines_of(estimate(WORK, RATES, SPEC, WINDOWS))
    assert {name: line.pricing_quantity for name, line in lines.items()} == pytest.approx(
        {
            "fargate_windows_vcpu_hour": 2 * 730,
            "fargate_windows_gb_hour": 2 * 2 * 730,
            "fargate_windows_os_license_vcpu_hour": 2 * 730,
        }
    )
    # us-east-1: 1460 h x ($0.046552 + $0.046 + 2 x $0.00511175)
    assert sum(line.contracted_cost for line in lines.values()) == pytest.approx(1460 * 0.1027755)


def test_the_bill_is_that_of_plain_tasks():
    lines = lines_of(estimate(WORK, RATES, replace(SPEC, ephemeral_storage_gib=50), WINDOWS))
    plain = fargate_tasks(2, TaskSize(1024, 2048), 730, ephemeral_storage_gib=50, operating_system="WINDOWS")
    assert {name: line.pricing_quantity for name, line in lines.items()} == pytest.approx(plain)


def test_linux_has_no_license():
    assert set(lines_of(estimate(WORK, RATES, SPEC))) == {"fargate_linux_x86_vcpu_hour", "fargate_linux_x86_gb_hour"}


def test_all_but_fargate_is_the_same():
    linux, windows = (estimate(WORK, RATES, SPEC, application).cost for application in (None, WINDOWS))
    of_linux, of_windows = (
        {line.charge: line.contracted_cost for line in cost if not line.charge.startswith("fargate")}
        for cost in (linux, windows)
    )
    assert of_windows == pytest.approx(of_linux)


@pytest.mark.parametrize("minimum_s", [300, 60, 112, 113, 3600])
def test_the_shortest_time_that_is_billed(minimum_s):
    # Two tasks more for two minutes: launched at 8:00:00, their image pulled from 8:00:10 on, stopped at 8:02:02.
    up, down = ScheduledAction("cron(0 8 * * ? *)", 4, 4), ScheduledAction("cron(2 8 * * ? *)", 2, 2)
    spec = replace(SPEC, max_capacity=4, scaling=(), scheduled_actions=(up, down))
    quick = {"deregistration_delay_s": 0, "stop_timeout_s": 2}
    behavior = AwsBehavior(windows_minimum_billed_s=minimum_s)
    work = Workload(LoadProfile.constant(10), cpu_ms_per_request=10)
    linux = simulate(work, [spec], Application(**quick), behavior)
    windows = simulate(work, [spec], Application(**quick, operating_system="WINDOWS"), behavior)
    assert linux.billed_task_hours[0] == pytest.approx(2 * 24 + 2 * 112 / 3600)
    assert windows.billed_task_hours[0] == pytest.approx(2 * 24 + 2 * max(minimum_s, 112) / 3600)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(SPEC, task_size=TaskSize(512, 1024)), "0.5 vCPU on X86_64;"),
        (replace(SPEC, task_size=TaskSize(8192, 16384)), "8 vCPU on X86_64;"),
        (replace(SPEC, cpu_architecture="ARM64"), "1 vCPU on ARM64;"),
        (replace(SPEC, capacity_provider_strategy="FARGATE_SPOT"), "1 vCPU on X86_64 and Spot;"),
    ],
)
def test_what_windows_does_not_have_is_refused(spec, said):
    advice = "Fargate has Windows with 1, 2 and 4 vCPU on X86_64, without Spot. Choose one of these, or LINUX."
    with pytest.raises(InvalidScenario) as caught:
        estimate(WORK, RATES, spec, WINDOWS)
    assert str(caught.value) == f"operating_system is WINDOWS with {said} {advice}"
    estimate(WORK, RATES, spec)


@pytest.mark.parametrize(
    "service",
    [
        {"cpu_units": 512, "memory_mib": 1024},
        {"cpu_units": 1024, "memory_mib": 2048, "cpu_architecture": "ARM64"},
        {"cpu_units": 1024, "memory_mib": 2048, "capacity_provider": "FARGATE_SPOT"},
        {
            "cpu_units": 1024,
            "memory_mib": 2048,
            "capacity_provider_strategy": {"fargate_base": 2, "fargate_spot_weight": 1},
        },
    ],
)
def test_a_scenario_says_so_where_it_is_read(service):
    document = {
        "region": "eu-west-1",
        "load": {"kind": "constant", "requests_per_s": 10},
        "request": {"cpu_ms_per_request": 10},
        "application": {"operating_system": "WINDOWS"},
        "service": service,
    }
    with pytest.raises(InvalidScenario, match="service: operating_system is WINDOWS with"):
        Scenario.from_dict(document)
    Scenario.from_dict(document | {"application": {"operating_system": "LINUX"}})


def test_a_scenario_is_priced_with_its_license():
    scenario = Scenario.from_text(
        "region: eu-west-1\nload: {kind: constant, requests_per_s: 10}\nrequest: {cpu_ms_per_request: 10}\n"
        "application: {operating_system: WINDOWS}\nservice: {cpu_units: 2048, memory_mib: 4096}\n"
    )
    assert Scenario.from_text(scenario.to_yaml()) == scenario
    found = scenario.estimate(load_rates("eu-west-1", as_of="2026-10-31"))
    assert "fargate_windows_os_license_vcpu_hour" in lines_of(found)
    assert not found.cost.is_lower_bound


def test_an_operating_system_that_fargate_does_not_have():
    with pytest.raises(
        InvalidScenario, match=r"operating_system is 'windows'; Fargate has LINUX and WINDOWS. Choose one"
    ):
        Application(operating_system="windows")


def test_a_search_has_what_windows_has():
    found = search.candidates(WORK, Choices(), WINDOWS, NetworkLayout())
    assert {spec.cpu_architecture for spec in found} == {"X86_64"}
    sizes = {spec.task_size for spec in found}
    # AWS, "Task size": 1 vCPU with 7 memory sizes, 2 with 13, 4 with 23.
    assert len(sizes) == 7 + 13 + 23
    assert sizes == {size for size in TASK_SIZES if is_offered("WINDOWS", size, "X86_64")}


@pytest.mark.parametrize("choices", [Choices(cpu_architectures=("ARM64",)), Choices(capacity_provider="FARGATE_SPOT")])
def test_a_search_without_anything_for_windows_is_refused(choices):
    with pytest.raises(
        InvalidScenario, match=r"operating_system is WINDOWS with .* Let `search` have X86_64 and FARGATE"
    ):
        plan(WORK, RATES, choices=choices, application=WINDOWS)


def test_a_plan_with_windows(monkeypatch):
    monkeypatch.setattr(
        "estimator.planning.promise.TASK_SIZES",
        tuple(size for size in TASK_SIZES if size.cpu_units in {256, 1024, 2048}),
    )
    best = plan(
        WORK, RATES, Promise(), choices=Choices(target_values=(60.0,), min_capacities=(2,)), application=WINDOWS
    )
    assert (best.spec.task_size, best.spec.cpu_architecture) == (TaskSize(1024, 2048), "X86_64")
    assert set(lines_of(best)) == {f"fargate_windows_{leg}_hour" for leg in ("vcpu", "gb", "os_license_vcpu")}
    assert any("measured with Linux" in text for text in best.warnings)
