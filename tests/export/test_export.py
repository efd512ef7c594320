"""A plan becomes a stack whose template holds the plan's numbers, written whole or not at all."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator import export
from estimator.errors import ExportError
from estimator.export import EXPORTERS, export_stack, render_stack
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.service.application import Application
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.deployment import DEPLOYMENT_STRATEGIES, ROLLING, DeploymentConfiguration
from estimator.service.network import NetworkLayout
from estimator.service.policies import (
    POLICIES,
    PREDEFINED_METRICS,
    PredictiveScalingPolicy,
    ScheduledAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingScalingPolicy,
    configuration_of,
)
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.units import data_path
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.export.synthesis import Synthesized, lint_errors

EXAMPLES = sorted(data_path("examples").glob("*.yaml"))


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def plan(request: pytest.FixtureRequest) -> Plan:
    scenario = Scenario.from_file(request.param)
    return scenario.plan(load_rates(scenario.region), request.param.parent)


@pytest.fixture(scope="module")
def odd_plan() -> Plan:
    """A candidate none of whose numbers is a default."""
    spec = ServiceSpec(
        TaskSize(2048, 7168),
        "ARM64",
        3,
        11,
        (
            TargetTrackingScalingPolicy(57.0, 45, 615, True),
            TargetTrackingScalingPolicy(410.5, 46, 616, False, "ALBRequestCountPerTarget"),
            StepScalingPolicy(
                82.5,
                (StepAdjustment(35, 7.5, None), StepAdjustment(15, 0, 7.5)),
                "MemoryUtilization",
                adjustment_type="PercentChangeInCapacity",
                min_adjustment_magnitude=2,
                cooldown_s=95,
                evaluation_periods=7,
                datapoints_to_alarm=5,
            ),
            PredictiveScalingPolicy(305.5, "ALBRequestCount", "ForecastAndScale", 410, "IncreaseMaxCapacity", 25, 9),
        ),
        NetworkLayout.of("nat", 3, 2),
        CapacityProviderStrategy(2, 3, 5),
        47,
        (
            ScheduledAction("cron(30 7 * * ? *)", 5, None, "Europe/Berlin"),
            ScheduledAction("cron(0 20 * * ? *)", 3, 10, "Europe/Berlin"),
        ),
        DeploymentConfiguration(minimum_healthy_percent=80, maximum_percent=160),
    )
    application = Application(
        image="nginx:1.29", container_port=8181, ephemeral_storage_gib=47, deregistration_delay_s=21
    )
    return estimate(
        Workload(LoadProfile.constant(9), cpu_ms_per_request=30), load_rates("us-east-1"), spec, application
    )


def changed(plan: Plan, **values: Any) -> Plan:
    return dataclasses.replace(plan, spec=dataclasses.replace(plan.spec, **values))


def check_template(plan: Plan, result: Synthesized) -> None:
    spec = plan.spec
    definition = result.one("ECS::TaskDefinition")
    assert definition["Cpu"] == str(spec.task_size.cpu_units)
    assert definition["Memory"] == str(spec.task_size.memory_mib)
    assert definition["RuntimePlatform"]["CpuArchitecture"] == spec.cpu_architecture
    paid = spec.ephemeral_storage_gib > 20
    assert definition.get("EphemeralStorage", {}) == ({"SizeInGiB": spec.ephemeral_storage_gib} if paid else {})
    target = result.one("ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (spec.min_capacity, spec.max_capacity)
    # How far back the forecaster looks is AWS's own affair.
    policies = [configuration_of(policy) | {"history_days": None} for policy in spec.scaling]
    assert json.loads(json.dumps(policies)) == [policy | {"history_days": None} for policy in result.scaling()]
    assert result.scheduled_actions() == [dataclasses.asdict(action) for action in spec.scheduled_actions]
    grace_s = result.one("ECS::Service")["HealthCheckGracePeriodSeconds"]
    slowest_s = plan.application.boot_s + plan.behavior.registration_s + plan.application.health_check_interval_s
    assert grace_s >= slowest_s
    assert result.capacity_provider_strategy() == dataclasses.asdict(spec.capacity_provider_strategy)
    deployment = result.one("ECS::Service")["DeploymentConfiguration"]
    assert deployment["MinimumHealthyPercent"] == spec.deployment.minimum_healthy_percent
    assert deployment["MaximumPercent"] == spec.deployment.maximum_percent
    assert len(result.all("EC2::NatGateway")) == spec.network.nat_gateways
    assert len(result.one("ElasticLoadBalancingV2::LoadBalancer")["Subnets"]) == spec.network.availability_zones
    interfaces = [e for e in result.all("EC2::VPCEndpoint") if e["VpcEndpointType"] == "Interface"]
    assert sorted(e["ServiceName"].split(".", 3)[3] for e in interfaces) == sorted(spec.network.interface_endpoints)
    attributes = result.one("ElasticLoadBalancingV2::TargetGroup")["TargetGroupAttributes"]
    delay = next(a["Value"] for a in attributes if a["Key"] == "deregistration_delay.timeout_seconds")
    assert delay == str(plan.application.deregistration_delay_s)
    assert result.one("Logs::LogGroup")["RetentionInDays"] == plan.application.log_retention_days


@pytest.mark.slow
def test_template_holds_the_plan(plan: Plan, synthesize) -> None:
    result = synthesize(json.loads(render_stack(plan)["stack_config.json"]))
    check_template(plan, result)
    assert lint_errors(result.text) == []


@pytest.mark.slow
def test_template_holds_a_plan_without_defaults(odd_plan: Plan, synthesize) -> None:
    assert {configuration_of(policy)["policy_type"] for policy in odd_plan.spec.scaling} == set(POLICIES)
    result = synthesize(json.loads(render_stack(odd_plan)["stack_config.json"]))
    check_template(odd_plan, result)
    assert lint_errors(result.text) == []


@pytest.mark.slow
def test_every_tracked_metric_is_one_that_a_template_may_have(odd_plan: Plan, synthesize) -> None:
    scaling = tuple(TargetTrackingScalingPolicy(predefined_metric_type=metric) for metric in PREDEFINED_METRICS)
    plan = changed(odd_plan, scaling=scaling, scheduled_actions=(), capacity_provider_strategy="FARGATE")
    result = synthesize(json.loads(render_stack(plan)["stack_config.json"]))
    check_template(plan, result)
    assert lint_errors(result.text) == []


def test_steps_without_a_bound_and_blanks_around_a_schedule_reach_the_configuration(odd_plan: Plan) -> None:
    down = StepScalingPolicy(20.0, (StepAdjustment(-1, None, 0.0),), comparison_operator="LessThanOrEqualToThreshold")
    action = ScheduledAction(" rate(2 hours) ", None, 9)
    config = json.loads(render_stack(changed(odd_plan, scaling=down, scheduled_actions=(action,)))["stack_config.json"])
    assert config["scaling"] == [json.loads(json.dumps(configuration_of(down)))]
    assert config["scheduled_actions"] == [
        {"schedule": "rate(2 hours)", "timezone": "UTC", "min_capacity": None, "max_capacity": 9}
    ]


def test_configuration_fits_its_schema_and_holds_the_bill(plan: Plan) -> None:
    files = render_stack(plan)
    config = json.loads(files["stack_config.json"])
    jsonschema.Draft202012Validator(json.loads(files["stack_config.schema.json"])).validate(config)
    assert config["estimate"]["total_usd_per_month"] == plan.cost.total_usd
    assert Scenario.from_dict(config["scenario"]).to_dict() == plan.scenario
    assert config["fingerprint"] == plan.fingerprint()


def test_readme_has_the_bill_and_says_what_image_it_needs(plan: Plan) -> None:
    readme = render_stack(plan)["README.md"]
    for line in plan.cost:
        assert f"| {line.title} |" in readme
    assert plan.cost.total_text in readme
    said = "; ".join(f"{action.describe()} UTC" for action in plan.spec.scheduled_actions)
    scaling = plan.spec.describe_scaling() + (f" ({said})" if said else "")
    assert f"{plan.spec.max_capacity} tasks, {scaling}:\n\n| Charge |" in readme
    assert ("ContainerImage" in readme) or plan.application.image in readme
    if plan.application.image is None:
        assert "No image was given" in readme


def test_readme_says_when_bounds_change(odd_plan: Plan) -> None:
    readme = render_stack(odd_plan)["README.md"]
    assert (
        "Scaling: 3 to 11 tasks, CPU target 57 %, no scale-in, requests target 410.5 a minute, 2 steps from memory"
        in readme
    )
    assert "min 5 at cron(30 7 * * ? *) Europe/Berlin; min 3 and max 10 at cron(0 20 * * ? *) Eur" in readme


@pytest.mark.parametrize("strategy", [name for name in DEPLOYMENT_STRATEGIES if name != ROLLING])
def test_a_deployment_strategy_that_the_stack_does_not_know_is_refused(
    odd_plan: Plan, strategy: str, tmp_path: Path
) -> None:
    plan = changed(odd_plan, scaling=TargetTrackingScalingPolicy(57), deployment=DeploymentConfiguration(strategy))
    message = (
        rf"deployment strategy is {strategy}; the exported stack deploys with ROLLING only. Set strategy to ROLLING"
    )
    with pytest.raises(ExportError, match=message):
        export_stack(plan, "cdk", tmp_path / "stack")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (NetworkLayout.of("ipv6"), r"network layout is ipv6; .* Set layout to public, nat or endpoints"),
        (NetworkLayout.of("public", load_balancer_ipv4=False), r"load_balancer_ipv4 is false; .* Set it to true"),
    ],
)
def test_a_network_without_ipv4_is_refused(odd_plan: Plan, network: NetworkLayout, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        render_stack(changed(odd_plan, network=network))


def test_the_operating_system_reaches_the_configuration(odd_plan: Plan) -> None:
    def family(plan: Plan) -> str:
        return json.loads(render_stack(plan)["stack_config.json"])["task"]["operating_system_family"]

    assert family(odd_plan) == "LINUX"
    windows = dataclasses.replace(odd_plan, application=Application(operating_system="WINDOWS"))
    spec = {"cpu_architecture": "X86_64", "capacity_provider_strategy": "FARGATE"}
    assert family(changed(windows, **spec)) == "WINDOWS_SERVER_2022_CORE"
    with pytest.raises(
        ExportError, match=r"cpu_architecture is 'ARM64': WINDOWS_SERVER_2022_CORE runs on 'X86_64' only"
    ):
        render_stack(windows)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"deployment": DeploymentConfiguration(maximum_percent=100)},
            "maximum_percent is 100: with minimum_healthy_p",
        ),
        ({"scheduled_actions": (ScheduledAction("rate(1 day)", 12),)}, r"scheduled_actions\[0\]\.min_capacity is 12"),
    ],
)
def test_what_only_aws_refuses_is_not_exported(odd_plan: Plan, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        render_stack(changed(odd_plan, **values))


@pytest.mark.parametrize("target", EXPORTERS)
def test_every_target_writes_a_folder_and_writes_over_its_own(target: str, odd_plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "stack"
    export_stack(odd_plan, target, folder)
    files = render_stack(odd_plan, target)
    written = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert written == {*files, ".exported.json"}
    assert EXPORTERS[target].marker in files
    (folder / "mine.txt").write_text("kept")
    export_stack(odd_plan, target, folder)
    assert (folder / "mine.txt").read_text() == "kept"
    assert (folder / "README.md").read_text() == files["README.md"]
    assert [p.name for p in folder.parent.iterdir()] == ["stack"]


def test_edited_files_are_not_written_over_without_force(odd_plan: Plan, tmp_path: Path) -> None:
    folder = export_stack(odd_plan, "cdk", tmp_path / "stack")
    service = folder / "fargate_stack" / "service.py"
    service.write_text(service.read_text() + "# mine\n")
    with pytest.raises(ExportError, match=r"fargate_stack/service\.py; nothing was written"):
        export_stack(odd_plan, "cdk", folder)
    assert service.read_text().endswith("# mine\n")
    export_stack(odd_plan, "cdk", folder, force=True)
    assert not service.read_text().endswith("# mine\n")


def test_a_folder_of_somebody_else_is_left_alone(odd_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ExportError, match="not an earlier export; nothing was written"):
        export_stack(odd_plan, "cdk", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_a_file_in_the_way_is_named(odd_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "stack").write_text("a file")
    with pytest.raises(ExportError, match="is a file"):
        export_stack(odd_plan, "cdk", tmp_path / "stack")
    with pytest.raises(ExportError, match="cannot be written"):
        export_stack(odd_plan, "cdk", tmp_path / "stack" / "below")


def test_nothing_is_left_when_writing_fails_half_way(odd_plan: Plan, tmp_path: Path, monkeypatch) -> None:
    real, calls = Path.write_text, []

    def write_text(self: Path, *args, **kwargs):
        calls.append(self)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(ExportError, match="No space left"):
        export_stack(odd_plan, "cdk", tmp_path / "deep" / "stack")
    assert not (tmp_path / "deep" / "stack").exists()
    assert list((tmp_path / "deep").iterdir()) == []


def test_unknown_target(odd_plan: Plan) -> None:
    with pytest.raises(ExportError, match="'terraform'; choose one of cdk"):
        render_stack(odd_plan, "terraform")


def test_a_stack_that_its_own_check_refuses_is_not_written(odd_plan: Plan, tmp_path: Path) -> None:
    application = Application(image="nginx:1.29")
    spec = dataclasses.replace(odd_plan.spec, network=NetworkLayout.of("endpoints"))
    plan = dataclasses.replace(odd_plan, spec=spec, application=application)
    with pytest.raises(ExportError, match=r"nginx:1\.29"):
        export.export_stack(plan, "cdk", tmp_path / "stack")
    assert list(tmp_path.iterdir()) == []
