"""The CDK app that an export copies out: its configuration, its template, and its life outside this project."""

import copy
import importlib
import ipaddress
import itertools
import json
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import Any, NamedTuple

import jsonschema
import pytest

from tests.export.synthesis import (
    LISTENER,
    LOAD_BALANCER_NAME,
    PLAIN,
    SECRET_ARN,
    STACK,
    TARGET_GROUP_NAME,
    Synthesized,
    hardened,
    lint_errors,
)
from tests.export.synthesis import document as plain

CDK_CLI = "aws-cdk@2.1148.1"

CERTIFICATE = "arn:aws:acm:ca-central-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012"


def step(adjustment: int, lower: float | None, upper: float | None) -> dict[str, Any]:
    return {
        "scaling_adjustment": adjustment,
        "metric_interval_lower_bound": lower,
        "metric_interval_upper_bound": upper,
    }


(TRACKING,) = PLAIN["scaling"]
STEPS: dict[str, Any] = {
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
}
FORECAST: dict[str, Any] = {
    "policy_type": "PredictiveScaling",
    "predefined_metric_pair_type": "ALBRequestCount",
    "target_value": 815.5,
    "mode": "ForecastAndScale",
    "scheduling_buffer_time_s": 541,
    "max_capacity_breach_behavior": "IncreaseMaxCapacity",
    "max_capacity_buffer": 12,
}
ACTIONS: list[dict[str, Any]] = [
    {
        "schedule": "cron(0 8 ? * MON-FRI *)",
        "timezone": "Europe/Berlin",
        "min_capacity": 7,
        "max_capacity": None,
    },
    {"schedule": "at(2026-12-01T08:00:00)", "timezone": "UTC", "min_capacity": 4, "max_capacity": 16},
]


def example(**changes: Any) -> dict[str, Any]:
    return plain(**{"scaling": [TRACKING, STEPS, FORECAST], "scheduled_actions": ACTIONS} | changes)


EXAMPLE = example()

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

CAPACITY = {
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
            service={"capacity_provider_strategy": CAPACITY[self.strategy]},
            scaling=SCALING[self.scaling],
            scheduled_actions=[] if self.https else ACTIONS,
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
            CAPACITY,
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
        # What AWS calls "not supported" or leaves to the image is not in a plain one.
        assert not {"HealthCheck", "User", "ReadonlyRootFilesystem", "MountPoints"} & container.keys()
        assert container["LinuxParameters"]["InitProcessEnabled"] is True

    def test_service(self, result: Synthesized) -> None:
        service = result.one("ECS::Service")
        planned = result.document["service"]
        assert result.capacity_provider_strategy() == planned["capacity_provider_strategy"]
        assert "LaunchType" not in service
        assert "DesiredCount" not in service
        assert set(result.one("ECS::Cluster")["CapacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
        assert service["DeploymentConfiguration"] == {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            "MinimumHealthyPercent": planned["deployment"]["minimum_healthy_percent"],
            "MaximumPercent": planned["deployment"]["maximum_percent"],
        }
        assert service["AvailabilityZoneRebalancing"] == "ENABLED"
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

    def test_ways_out_are_counted_too(self, result: Synthesized) -> None:
        (tasks,) = result.one("ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
        (balancer,) = result.one("ElasticLoadBalancingV2::LoadBalancer")["SecurityGroups"]
        out = result.by_id("EC2::SecurityGroup")[tasks["Fn::GetAtt"][0]]["SecurityGroupEgress"]
        # Who breaks into a task sends no mail, and scans no port of the internet.
        assert [(rule["FromPort"], rule["ToPort"]) for rule in out if rule["CidrIp"] == "0.0.0.0/0"] == [(443, 443)]
        assert all(ipaddress.ip_network(rule["CidrIp"]).is_private for rule in out if rule["CidrIp"] != "0.0.0.0/0")
        assert {rule["IpProtocol"] for rule in out} == {"tcp"}
        assert "SecurityGroupEgress" not in result.by_id("EC2::SecurityGroup")[balancer["Fn::GetAtt"][0]]
        rule = result.one("EC2::SecurityGroupEgress")
        assert (rule["GroupId"], rule["DestinationSecurityGroupId"]) == (balancer, tasks)
        assert (rule["FromPort"], rule["ToPort"]) == (9191, 9191)

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
                if resource["Type"] in SHIFTED:
                    assert tags == {"estimator:service": result.document["name"]}
                    continue
                assert tags["estimator:fingerprint"] == result.document["fingerprint"]
                assert tags["estimator:prices-published"] == result.document["prices_published"]
                assert tags["estimator:service"] == result.document["name"]

    def test_outputs(self, result: Synthesized) -> None:
        outputs = result.template["Outputs"]
        named = {"LoadBalancerUrl", "ClusterName", "ServiceName", "LogGroupName", "TaskSecurityGroupId"}
        assert outputs.keys() == named
        scheme = "https" if result.document["application"]["certificate_arn"] else "http"
        assert flat(outputs["LoadBalancerUrl"]["Value"]).startswith(f"{scheme}://")


# What ECS and CodeDeploy write to at a deployment.
SHIFTED = ("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule")


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
                "deployment": {"minimum_healthy_percent": 0, "maximum_percent": 100},
            },
        },
        {"scaling": [], "scheduled_actions": []},
    ],
    ids=["shortest-times", "largest-task", "farthest-scaling", "no-scaling"],
)
def test_the_edges_of_what_is_allowed_are_templates_too(synthesize: Any, changes: dict[str, Any]) -> None:
    result = synthesize(example(**changes))
    if "service" in changes or "task" in changes:
        assert lint_errors(result.text) == []
    assert result.scaling() == result.document["scaling"]
    planned = result.document["service"]
    assert result.capacity_provider_strategy() == planned["capacity_provider_strategy"]
    # ECS rebalances zones only where it may start a task more than are wanted.
    room = planned["deployment"]["maximum_percent"] > 100
    assert result.one("ECS::Service")["AvailabilityZoneRebalancing"] == ("ENABLED" if room else "DISABLED")


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
        example(task=WINDOWS, service={"capacity_provider_strategy": CAPACITY["on-demand"]}, scheduled_actions=[])
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


SIDECAR: dict[str, Any] = {"name": "proxy", "image": "public.ecr.aws/envoy:1", "essential": True} | {
    "environment": {},
    "cpu_units": 64,
    "memory_mib": 96,
}
ISOLATED = NETWORKS["endpoints"]
VPC: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "availability_zones": ["ca-central-1a", "ca-central-1b"],
    "load_balancer_subnet_ids": ["subnet-0a0a0a0a0a0a0a0a0", "subnet-0b0b0b0b0b0b0b0b0"],
    "task_subnet_ids": ["subnet-0c0c0c0c0c0c0c0c0", "subnet-0d0d0d0d0d0d0d0d0"],
}
IN_VPC = {"layout": "nat", "existing": VPC}
LOAD_BALANCER_ARN = "arn:aws:elasticloadbalancing:ca-central-1:111122223333:loadbalancer/app/my-alb/778d41231b141a0f"
EXISTING: dict[str, Any] = {
    "arn": LOAD_BALANCER_ARN,
    "security_group_id": "sg-0123456789abcdef0",
    "listener_arn": LISTENER,
    "test_listener_arn": LISTENER.removesuffix("2") + "3",
    "dns_name": "my-alb-1.ca-central-1.elb.amazonaws.com",
}
BEHIND_EXISTING: dict[str, Any] = {"network": IN_VPC, "load_balancer": {"existing": EXISTING}}
ELSEWHERE = {
    key: value.replace("ca-central-1", "us-east-1") if value.startswith("arn:") else value
    for key, value in EXISTING.items()
}
ON_WINDOWS = {"task": WINDOWS, "service": {"capacity_provider_strategy": CAPACITY["on-demand"]}}


def by_strategy(strategy: str, controller: str = "ECS", **numbers: Any) -> dict[str, Any]:
    """Changes to deploy by a strategy, with scaling that goes with it."""
    deployment = {"strategy": strategy, "controller": controller, **numbers}
    return {"service": {"deployment": deployment}, "scaling": [TRACKING]}


BY_CODE_DEPLOY = by_strategy("CANARY", "CODE_DEPLOY")

# What is wrong with one value: the app and the JSON Schema both refuse it.
WRONG_VALUES: list[tuple[str, Any]] = [
    ("schema_version", 0),
    ("schema_version", 3),
    ("schema_version", 5),
    ("schema_version", "4"),
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
    ("application.log_class", "DELIVERY"),
    ("application.health_check_command", "curl"),
    ("application.health_check_command", []),
    ("application.health_check_command", ["CMD-SHELL"]),
    ("application.health_check_command", ["CMD-SHELL", "curl", "-f"]),
    ("application.health_check_command", ["curl", "-f", "http://localhost"]),
    ("application.health_check_command", ["CMD", " "]),
    ("application.user", "a:b:c"),
    ("application.user", 1000),
    ("application.readonly_root_filesystem", None),
    ("application.sidecars", None),
    ("application.sidecars[0].name", "web"),
    ("application.sidecars[0].name", "a b"),
    ("application.sidecars[0].image", None),
    ("application.sidecars[0].essential", "no"),
    ("application.sidecars[0].environment.PORT", 1),
    ("application.sidecars[0].cpu_units", 0),
    ("application.sidecars[0].memory_mib", 5),
    ("application.sidecars[0].port", 80),
    ("network.layout", "private"),
    ("network.availability_zones", 1),
    ("network.availability_zones", 7),
    ("network.nat_gateways", -1),
    ("network.nat_gateways", 1),
    ("network.interface_endpoints", "logs"),
    ("network.interface_endpoints", ["logs"]),
    ("network.vpc_id", "vpc-1"),
    ("network.existing", "vpc-0123456789abcdef0"),
    ("network.flow_logs", True),
    ("network.flow_logs.destination", "cloudwatch"),
    ("network.flow_logs.log_class", "GLACIER"),
    ("network.flow_logs.retention_days", 31),
    ("cluster.existing_name", "a b"),
    ("cluster.container_insights", True),
    ("cluster.cloud_map_namespace", "a b"),
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
    ("service.deployment.controller", "EXTERNAL"),
    ("service.deployment.strategy", "RECREATE"),
    ("service.deployment.minimum_healthy_percent", 62.5),
    ("service.deployment.minimum_healthy_percent", 101),
    ("service.deployment.maximum_percent", 99),
    ("service.deployment.maximum_percent", 201),
    ("service.deployment.bake_time_in_minutes", 1441),
    ("service.deployment.bake_time_in_minutes", 2.5),
    ("service.deployment.canary_percent", 0),
    ("service.deployment.canary_percent", 100.1),
    ("service.deployment.canary_bake_time_in_minutes", -1),
    ("service.deployment.step_percent", 2.9),
    ("service.deployment.step_bake_time_in_minutes", 0.5),
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
    ("load_balancer.existing", "my-alb"),
    ("load_balancer.access_logs", 1),
    ("load_balancer.s3_log_retention_days", 0),
    ("load_balancer.deletion_protection", None),
    ("load_balancer.reserved_lcu", 99),
    ("load_balancer.reserved_lcu", 15001),
    ("load_balancer.test_port", 443),
    ("load_balancer.test_port", 65536),
    ("load_balancer.ingress_cidrs", []),
    ("load_balancer.ingress_cidrs", "0.0.0.0/0"),
    ("load_balancer.ingress_cidrs", ["::/0"]),
    ("load_balancer.ingress_cidrs", ["10.0.0.0/33"]),
    ("edge.waf_rules", -1),
    ("edge.large_bodies", None),
    ("edge.shield", True),
    ("observability.dashboards", 2),
    ("security.kms_keys", 2),
    ("repository", True),
    ("repository.images_kept", 0),
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
    ("service.deployment.maximum_percent", 133, {}),
    ("service.deployment.canary_percent", 7.55, {}),
    ("service.deployment.step_percent", 33.33, {}),
    # With CodeDeploy: rolling is none of its ways, and it counts in whole percents and minutes.
    ("service.deployment.strategy", "ROLLING", BY_CODE_DEPLOY),
    ("service.deployment.canary_percent", 7.5, BY_CODE_DEPLOY),
    ("service.deployment.canary_percent", 100.0, BY_CODE_DEPLOY),
    ("service.deployment.canary_bake_time_in_minutes", 0, BY_CODE_DEPLOY),
    ("service.deployment.controller", "CODE_DEPLOY", by_strategy("LINEAR") | {"scaling": SCALING["high-resolution"]}),
    # CloudFormation waits for 36 hours, and takes plans of 33: 1,440 and 541 minutes; nine waits of 219.
    ("service.deployment.canary_bake_time_in_minutes", 541, by_strategy("CANARY", bake_time_in_minutes=1440)),
    (
        "service.deployment.step_bake_time_in_minutes",
        219,
        by_strategy("LINEAR", bake_time_in_minutes=13, step_percent=10),
    ),
    # Requests move from one target group to another.
    ("scaling[0].predefined_metric_type", "ALBRequestCountPerTarget", by_strategy("BLUE_GREEN")),
    ("scaling[0].metric_name", "RequestCountPerTarget", by_strategy("CANARY") | {"scaling": [STEPS]}),
    ("scaling[0].predefined_metric_pair_type", "ALBRequestCount", by_strategy("LINEAR") | {"scaling": [FORECAST]}),
    ("scaling[0].predefined_metric_type", "ALBRequestCountPerTarget", BY_CODE_DEPLOY),
    ("application.sidecars[1].name", "proxy", {"application": {"sidecars": [SIDECAR, dict(SIDECAR)]}}),
    ("application.sidecars[0].image", "nginx:1.29", {"network": ISOLATED, "application": {"sidecars": [SIDECAR]}}),
    ("application.user", "1000", ON_WINDOWS),
    ("application.readonly_root_filesystem", True, ON_WINDOWS),
    ("network.existing.availability_zones", ["ca-central-1a"], {"network": IN_VPC}),
    ("network.existing.availability_zones", ["ca-central-1a", "us-east-1b"], {"network": IN_VPC}),
    ("network.existing.task_subnet_ids", ["subnet-0123456789abcdef0"], {"network": IN_VPC}),
    ("network.existing.task_subnet_ids", VPC["load_balancer_subnet_ids"], {"network": IN_VPC}),
    ("network.existing.vpc_id", "vpc-1", {"network": IN_VPC}),
    ("cluster.cloud_map_namespace", "shop", {"cluster": {"existing_name": "shared"}}),
    ("load_balancer.ingress_cidrs", ["10.0.0.1/8"], {}),
    (
        "load_balancer.ingress_cidrs",
        ["203.0.113.0/24"],
        {"edge": {"cloudfront": {"domain_name": None, "certificate_arn": None}}},
    ),
    ("load_balancer.access_logs", True, BEHIND_EXISTING),
    ("load_balancer.deletion_protection", True, BEHIND_EXISTING),
    ("load_balancer.reserved_lcu", 100, BEHIND_EXISTING),
    ("edge.waf_rules", 3, BEHIND_EXISTING),
    ("load_balancer.existing.listener_arn", LISTENER.replace("my-alb", "other"), BEHIND_EXISTING),
    ("load_balancer.existing.test_listener_arn", LISTENER, BEHIND_EXISTING),
    ("network.existing", None, {"load_balancer": {"existing": EXISTING}}),
    (
        "service.capacity_provider_strategy.fargate_spot_weight",
        0,
        {"service": {"capacity_provider_strategy": dict(CAPACITY["spot"])}},
    ),
    ("scheduled_actions[0].min_capacity", 18, {}),
    (
        "scheduled_actions[0].max_capacity",
        2,
        {"scheduled_actions": [{**EXAMPLE["scheduled_actions"][0], "min_capacity": None}]},
    ),
    ("scheduled_actions[1].max_capacity", 3, {}),
    ("scheduled_actions[0].timezone", "Europe/Atlantis", {}),
    ("scheduled_actions[0].timezone", "Europe", {}),
    ("application.secrets.LOG_LEVEL", SECRET_ARN, {}),
    ("application.certificate_arn", CERTIFICATE.replace("ca-central-1", "us-east-1"), {}),
    ("network.nat_gateways", 3, {"network": {"layout": "nat"}}),
    ("network.interface_endpoints", ["ecr.api", "ecr.dkr", "logs"], {"network": {"layout": "endpoints"}}),
    ("application.image", "nginx:1.29", {"network": NETWORKS["endpoints"]}),
    ("application.image", IMAGES["own"].replace("ca-central-1", "eu-west-1"), {"network": NETWORKS["endpoints"]}),
    ("application.image", DUAL_STACK_IMAGE, {"network": NETWORKS["endpoints"]}),
    ("task.cpu_units", 512, {"task": WINDOWS, "service": {"capacity_provider_strategy": CAPACITY["on-demand"]}}),
    ("task.cpu_units", 8192, {"task": WINDOWS, "service": {"capacity_provider_strategy": CAPACITY["on-demand"]}}),
    ("task.cpu_architecture", "ARM64", {"task": WINDOWS}),
    ("service.capacity_provider_strategy.fargate_spot_weight", 1, {"task": WINDOWS}),
]


def broken(key: str, value: Any, **changes: Any) -> dict[str, Any]:
    document = example(**changes)
    for part, value_needed in PARTS.items():
        if key.startswith(f"{part}.") or key.startswith(f"{part}["):
            *path, last = steps_of(part)
            part_of(document, path)[last] = part_of(document, path)[last] or copy.deepcopy(value_needed)
    *path, last = steps_of(key)
    part_of(document, path)[last] = value
    return document


# Parts that a plain configuration has not.
PARTS: dict[str, Any] = {
    "application.sidecars": [SIDECAR],
    "network.flow_logs": {"destination": "cloud-watch-logs", "log_class": "STANDARD", "retention_days": 90},
    "repository": {"images_kept": 5},
}


def steps_of(key: str) -> list[str | int]:
    return [int(name) if name.isdigit() else name for name in re.findall(r"\w+", key)]


def part_of(document: dict[str, Any], path: list[str | int]) -> Any:
    for name in path:
        document = document[name]
    return document


STRATEGIES = [("ECS", name) for name in ("ROLLING", "BLUE_GREEN", "CANARY", "LINEAR")] + [
    ("CODE_DEPLOY", name) for name in ("BLUE_GREEN", "CANARY", "LINEAR")
]


@pytest.fixture(scope="module", params=STRATEGIES, ids="-".join)
def delivered(request: pytest.FixtureRequest, synthesize: Any) -> Synthesized:
    controller, strategy = request.param
    # The lead times and shares are those of the builder, and no default of AWS's.
    return synthesize(hardened(**by_strategy(strategy, controller)))


@pytest.mark.slow
class TestDelivery:
    """How a new revision takes over, for every way that AWS has."""

    def test_the_deployment_is_what_was_planned(self, delivered: Synthesized) -> None:
        planned = delivered.document["service"]["deployment"]
        service = delivered.one("ECS::Service")
        found = service["DeploymentConfiguration"]
        alarms = found.pop("Alarms", None)
        if planned["controller"] == "CODE_DEPLOY":
            assert service["DeploymentController"] == {"Type": "CODE_DEPLOY"}
            assert found == {"MinimumHealthyPercent": 100, "MaximumPercent": 200}
            assert alarms is None
            return
        assert "DeploymentController" not in service
        # AWS, "DeploymentCircuitBreaker": of rolling deployments only.
        expected = {
            "ROLLING": {
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                "MinimumHealthyPercent": 91,
                "MaximumPercent": 171,
            },
            "BLUE_GREEN": {},
            "CANARY": {"CanaryConfiguration": {"CanaryPercent": 7, "CanaryBakeTimeInMinutes": 9}},
            "LINEAR": {"LinearConfiguration": {"StepPercent": 23, "StepBakeTimeInMinutes": 4}},
        }[planned["strategy"]]
        if planned["strategy"] != "ROLLING":
            expected |= {"Strategy": planned["strategy"], "BakeTimeInMinutes": 13}
            expected |= {"MinimumHealthyPercent": 100, "MaximumPercent": 200}
        assert found == expected
        assert (alarms["Enable"], alarms["Rollback"]) == (True, True)
        made = delivered.by_id("CloudWatch::Alarm")
        named = [made[name["Ref"]] for name in alarms["AlarmNames"]]
        assert {"HTTPCode_Target_5XX_Count", "TargetResponseTime"} <= {alarm["MetricName"] for alarm in named}

    def test_as_many_target_groups_as_revisions_at_once(self, delivered: Synthesized) -> None:
        groups = delivered.all("ElasticLoadBalancingV2::TargetGroup")
        rolling = delivered.document["service"]["deployment"]["strategy"] == "ROLLING"
        assert len(groups) == (1 if rolling else 2)
        assert all(group == groups[0] for group in groups)
        (attached,) = delivered.one("ECS::Service")["LoadBalancers"]
        assert attached["TargetGroupArn"]["Ref"] in delivered.by_id("ElasticLoadBalancingV2::TargetGroup")
        assert (attached["ContainerName"], attached["ContainerPort"]) == ("web", 9191)

    def test_ecs_shifts_requests_by_rules(self, delivered: Synthesized) -> None:
        planned = delivered.document["service"]["deployment"]
        rules = delivered.by_id("ElasticLoadBalancingV2::ListenerRule")
        (attached,) = delivered.one("ECS::Service")["LoadBalancers"]
        if planned["controller"] == "CODE_DEPLOY" or planned["strategy"] == "ROLLING":
            assert rules == {}
            assert "AdvancedConfiguration" not in attached
            return
        shift = attached["AdvancedConfiguration"]
        blue, green = attached["TargetGroupArn"], shift["AlternateTargetGroupArn"]
        assert blue != green
        listeners = delivered.by_id("ElasticLoadBalancingV2::Listener")
        ports = {}
        for use in ("ProductionListenerRule", "TestListenerRule"):
            rule = rules[shift[use]["Ref"]]
            ports[use] = listeners[rule["ListenerArn"]["Ref"]]["Port"]
            (action,) = rule["Actions"]
            weights = {
                group["TargetGroupArn"]["Ref"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]
            }
            assert weights == {blue["Ref"]: 1, green["Ref"]: 0}
            assert rule["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
        assert ports == {"ProductionListenerRule": 443, "TestListenerRule": 9292}
        # As with rolling deployments: a service that changes to these is reached until the rule is there.
        (served,) = (listener for listener in listeners.values() if listener["Port"] == 443)
        assert served["DefaultActions"] == [{"TargetGroupArn": blue, "Type": "forward"}]
        role = delivered.by_id("IAM::Role")[shift["RoleArn"]["Fn::GetAtt"][0]]
        allowed = rights_of(role, "ecs.amazonaws.com")
        assert allowed.pop("elasticloadbalancing:RegisterTargets") == sorted([blue["Ref"], green["Ref"]])
        assert allowed.pop("elasticloadbalancing:ModifyRule") == sorted(rules)
        assert set(allowed["elasticloadbalancing:ModifyListener"]) < set(listeners)

    def test_a_new_plan_changes_nothing_that_a_deployment_shifts(self, delivered: Synthesized) -> None:
        """CloudFormation updates what has other tags, and writes the first target group back."""
        shifted = [one for one in delivered.template["Resources"].values() if one["Type"] in SHIFTED]
        assert len(shifted) >= 2
        for resource in shifted:
            assert attributes(resource["Properties"], "Tags") == {"estimator:service": delivered.document["name"]}

    def test_code_deploy_shifts_requests_by_listeners(self, delivered: Synthesized) -> None:
        planned = delivered.document["service"]["deployment"]
        groups = delivered.all("CodeDeploy::DeploymentGroup")
        if planned["controller"] == "ECS":
            assert (
                groups
                == delivered.all("CodeDeploy::Application")
                == delivered.all("CodeDeploy::DeploymentConfig")
                == []
            )
            return
        (group,) = groups
        assert delivered.one("CodeDeploy::Application")["ComputePlatform"] == "ECS"
        assert group["ECSServices"] == [
            {
                "ClusterName": {"Ref": delivered.id_of("ECS::Cluster")},
                "ServiceName": {"Fn::GetAtt": [delivered.id_of("ECS::Service"), "Name"]},
            }
        ]
        (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
        assert len({json.dumps(name) for name in pair["TargetGroups"]}) == 2
        listeners = delivered.by_id("ElasticLoadBalancingV2::Listener")
        ports = [
            listeners[listener["Ref"]]["Port"]
            for use in ("ProdTrafficRoute", "TestTrafficRoute")
            for listener in pair[use]["ListenerArns"]
        ]
        assert ports == [443, 9292]
        end = group["BlueGreenDeploymentConfiguration"]["TerminateBlueInstancesOnDeploymentSuccess"]
        assert end == {"Action": "TERMINATE", "TerminationWaitTimeInMinutes": 13}
        assert set(group["AutoRollbackConfiguration"]["Events"]) == {
            "DEPLOYMENT_FAILURE",
            "DEPLOYMENT_STOP_ON_ALARM",
            "DEPLOYMENT_STOP_ON_REQUEST",
        }
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]} <= set(
            delivered.by_id("CloudWatch::Alarm")
        )
        routing = [config["TrafficRoutingConfig"] for config in delivered.all("CodeDeploy::DeploymentConfig")]
        assert (
            routing
            == {
                "BLUE_GREEN": [],
                "CANARY": [
                    {"Type": "TimeBasedCanary", "TimeBasedCanary": {"CanaryPercentage": 7, "CanaryInterval": 9}}
                ],
                "LINEAR": [
                    {"Type": "TimeBasedLinear", "TimeBasedLinear": {"LinearPercentage": 23, "LinearInterval": 4}}
                ],
            }[planned["strategy"]]
        )
        if planned["strategy"] == "BLUE_GREEN":
            assert flat(group["DeploymentConfigName"]).endswith("CodeDeployDefault.ECSAllAtOnce")

    def test_code_deploy_may_deploy_this_service_alone(self, delivered: Synthesized) -> None:
        if delivered.document["service"]["deployment"]["controller"] == "ECS":
            return
        group = delivered.one("CodeDeploy::DeploymentGroup")
        role = delivered.by_id("IAM::Role")[group["ServiceRoleArn"]["Fn::GetAtt"][0]]
        assert "ManagedPolicyArns" not in role
        allowed = rights_of(role, "codedeploy.amazonaws.com")
        # AWS, "AWSCodeDeployRoleForECS", without hooks, topics and files.
        changing = {"ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet"}
        changing |= {"elasticloadbalancing:ModifyListener", "iam:PassRole"}
        assert {action for action, of in allowed.items() if of != ["*"]} == changing | {"ecs:DescribeServices"}
        assert delivered.id_of("ECS::Service") in allowed["ecs:CreateTaskSet"]
        definition = delivered.one("ECS::TaskDefinition")
        roles = [definition[key]["Fn::GetAtt"][0] for key in ("TaskRoleArn", "ExecutionRoleArn")]
        assert allowed["iam:PassRole"] == sorted(roles)

    def test_the_template_does_not_ask_for_what_ecs_refuses(self, delivered: Synthesized) -> None:
        """Hold that a service of CodeDeploy has a family and no revision: AWS, "UpdateService", takes no other there."""
        definition = delivered.id_of("ECS::TaskDefinition")
        by_code_deploy = delivered.document["service"]["deployment"]["controller"] == "CODE_DEPLOY"
        family = delivered.one("ECS::TaskDefinition")["Family"]
        assert delivered.one("ECS::Service")["TaskDefinition"] == (family if by_code_deploy else {"Ref": definition})
        outputs = delivered.template["Outputs"]
        named = {"CodeDeployApplication", "CodeDeployDeploymentGroup", "TaskDefinitionArn"}
        assert named <= outputs.keys() if by_code_deploy else not named & outputs.keys()
        # The revision that runs is not retired when a new one is made.
        kept = delivered.template["Resources"][definition].get("UpdateReplacePolicy")
        assert kept == ("Retain" if by_code_deploy else None)

    def test_the_test_listener_is_open_to_nobody_at_first(self, delivered: Synthesized) -> None:
        listeners = {listener["Port"]: listener for listener in delivered.all("ElasticLoadBalancingV2::Listener")}
        openings = {
            name: resource
            for name, resource in delivered.template["Resources"].items()
            if resource["Type"] == "AWS::EC2::SecurityGroupIngress" and "CidrIp" in resource["Properties"]
        }
        if delivered.document["service"]["deployment"]["strategy"] == "ROLLING":
            assert listeners.keys() == {80, 443}
            assert openings == {}
            return
        assert listeners.keys() == {80, 443, 9292}
        assert listeners[9292]["Protocol"] == "HTTPS"
        (opening,) = openings.values()
        assert opening["Properties"]["CidrIp"] == {"Ref": "TestListenerCidr"}
        assert opening["Properties"]["FromPort"] == opening["Properties"]["ToPort"] == 9292
        parameter = delivered.template["Parameters"]["TestListenerCidr"]
        condition = delivered.template["Conditions"][opening["Condition"]]
        assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TestListenerCidr"}, parameter["Default"]]}]}
        allowed = parameter["AllowedPattern"]
        for cidr, taken in (("", True), ("203.0.113.0/24", True), ("203.0.113.7/32", True), ("0.0.0.0/0", False)):
            assert bool(re.fullmatch(allowed, cidr)) == taken, cidr
        assert flat(delivered.template["Outputs"]["TestUrl"]["Value"]).endswith(":9292")

    def test_cloudformation_takes_it_directly(self, delivered: Synthesized) -> None:
        assert len(delivered.text.encode()) < 51_200
        if delivered.document["service"]["deployment"]["strategy"] == "LINEAR":
            assert lint_errors(delivered.text) == []


def rights_of(role: Mapping[str, Any], service: str) -> dict[str, list[str]]:
    """The rights of a role that one service takes on: names of what each is on, or ``*``."""
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": service}
    (policy,) = role["Policies"]
    rights: dict[str, list[str]] = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        names = [
            flat(of).strip("<>") if "Fn::GetAtt" not in of else of["Fn::GetAtt"][0]
            for of in as_list(statement["Resource"])
        ]
        rights |= {action: sorted(names) for action in as_list(statement["Action"])}
    return rights


@pytest.fixture(scope="module")
def strict(synthesize: Any) -> Synthesized:
    return synthesize(
        hardened(
            application={"sidecars": [SIDECAR | {"image": IMAGES["own"], "environment": {"MODE": "proxy"}}]}
            | {"log_class": "INFREQUENT_ACCESS"},
            load_balancer={"reserved_lcu": 150, "ingress_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]},
            cluster={"container_insights": "enhanced", "cloud_map_namespace": "shop"},
        )
    )


@pytest.mark.slow
class TestHardened:
    """What a strict review asks for."""

    def test_application(self, strict: Synthesized) -> None:
        application, _ = strict.one("ECS::TaskDefinition")["ContainerDefinitions"]
        assert application["Name"] == "web"
        assert application["User"] == "1000:1000"
        assert application["ReadonlyRootFilesystem"] is True
        # A volume of the task would belong to root, and another user could not write there.
        assert "MountPoints" not in application
        assert application["LinuxParameters"]["Tmpfs"] == [
            {"ContainerPath": "/tmp", "MountOptions": ["rw"], "Size": 64}  # noqa: S108
        ]
        assert application["HealthCheck"]["Command"] == [
            "CMD-SHELL",
            "curl -f http://localhost:9191/alive || exit 1",
        ]
        assert application["HealthCheck"]["Interval"] == 19
        assert application["HealthCheck"]["StartPeriod"] == 143
        assert application["LinuxParameters"]["InitProcessEnabled"] is True

    def test_sidecar(self, strict: Synthesized) -> None:
        application, sidecar = strict.one("ECS::TaskDefinition")["ContainerDefinitions"]
        assert (sidecar["Name"], sidecar["Image"], sidecar["Essential"]) == ("proxy", IMAGES["own"], True)
        assert (sidecar["Cpu"], sidecar["Memory"]) == (64, 96)
        assert sidecar["Environment"] == [{"Name": "MODE", "Value": "proxy"}]
        assert sidecar["LogConfiguration"] == application["LogConfiguration"]
        assert "PortMappings" not in sidecar
        pull = [s["Resource"] for s in strict.statements() if "ecr:BatchGetImage" in as_list(s["Action"])]
        named = {flat(of).rpartition("/")[2] for of in itertools.chain.from_iterable(map(as_list, pull))}
        assert named == {"web"}

    def test_logs_are_kept_under_a_key_of_ones_own(self, strict: Synthesized) -> None:
        group = strict.one("Logs::LogGroup")
        assert group["KmsKeyId"] == {"Fn::GetAtt": [strict.id_of("KMS::Key"), "Arn"]}
        assert (group["LogGroupClass"], group["RetentionInDays"]) == ("INFREQUENT_ACCESS", 365)

    def test_cluster(self, strict: Synthesized) -> None:
        cluster = strict.one("ECS::Cluster")
        assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enhanced"}]
        assert cluster["ServiceConnectDefaults"]["Namespace"] == {
            "Fn::GetAtt": [strict.id_of("ServiceDiscovery::HttpNamespace"), "Arn"]
        }
        assert strict.one("ServiceDiscovery::HttpNamespace")["Name"] == "shop"

    def test_load_balancer(self, strict: Synthesized) -> None:
        load_balancer = strict.one("ElasticLoadBalancingV2::LoadBalancer")
        kept = attributes(load_balancer, "LoadBalancerAttributes")
        assert kept["deletion_protection.enabled"] == "true"
        assert kept["access_logs.s3.enabled"] == "true"
        assert kept["access_logs.s3.bucket"] == {"Ref": strict.id_of("S3::Bucket")}
        assert load_balancer["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 150}
        (group,) = (g for g in strict.all("EC2::SecurityGroup") if "SecurityGroupIngress" in g)
        doors = {(rule["CidrIp"], rule["FromPort"]) for rule in group["SecurityGroupIngress"]}
        assert doors == {(cidr, port) for cidr in ("203.0.113.0/24", "198.51.100.7/32") for port in (80, 443)}

    def test_what_the_plan_pays_for_is_there_so_often(self, strict: Synthesized) -> None:
        planned = strict.document["observability"]
        assert len(strict.all("CloudWatch::Alarm")) == planned["standard_alarms"]
        assert len(strict.all("CloudWatch::Dashboard")) == planned["dashboards"]
        assert len(strict.one("WAFv2::WebACL")["Rules"]) == strict.document["edge"]["waf_rules"]
        assert len(strict.all("KMS::Key")) == strict.document["security"]["kms_keys"]
        assert len(strict.all("EC2::FlowLog")) == 1
        assert len(strict.text.encode()) < 51_200


@pytest.mark.slow
def test_what_a_plain_plan_does_not_pay_for_is_not_there(synthesize: Any) -> None:
    result = synthesize(plain())
    paid = {"CloudWatch", "WAFv2", "KMS", "S3", "CloudFront", "Route53", "SNS", "Budgets", "CodeDeploy", "ECR"}
    kinds = {resource["Type"].split("::")[1] for resource in result.template["Resources"].values()}
    assert not paid & kinds
    assert "AWS::EC2::FlowLog" not in {resource["Type"] for resource in result.template["Resources"].values()}
    cluster = result.one("ECS::Cluster")
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]
    assert "MinimumLoadBalancerCapacity" not in result.one("ElasticLoadBalancingV2::LoadBalancer")


@pytest.fixture(scope="module", params=["ROLLING", "BLUE_GREEN", "CODE_DEPLOY"])
def placed(request: pytest.FixtureRequest, synthesize: Any) -> Synthesized:
    strategy = {"CODE_DEPLOY": BY_CODE_DEPLOY}.get(request.param) or by_strategy(request.param)
    return synthesize(plain(cluster={"existing_name": "shared"}, **BEHIND_EXISTING, **strategy))


@pytest.mark.slow
class TestExisting:
    """A service in a VPC, a cluster and behind a load balancer that are there already."""

    def test_nothing_of_them_is_made_anew(self, placed: Synthesized) -> None:
        kinds = {resource["Type"].removeprefix("AWS::") for resource in placed.template["Resources"].values()}
        assert {kind for kind in kinds if kind.startswith("EC2::")} == {
            "EC2::SecurityGroup",
            "EC2::SecurityGroupEgress",
            "EC2::SecurityGroupIngress",
        }
        assert not {"ECS::Cluster", "ElasticLoadBalancingV2::LoadBalancer", "ElasticLoadBalancingV2::Listener"} & kinds

    def test_they_are_named(self, placed: Synthesized) -> None:
        service = placed.one("ECS::Service")
        assert service["Cluster"] == "shared"
        tasks = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert tasks["Subnets"] == VPC["task_subnet_ids"]
        assert tasks["AssignPublicIp"] == "DISABLED"
        assert {group["VpcId"] for group in placed.all("ElasticLoadBalancingV2::TargetGroup")} == {VPC["vpc_id"]}
        assert placed.one("EC2::SecurityGroup")["VpcId"] == VPC["vpc_id"]
        outputs = placed.template["Outputs"]
        assert flat(outputs["LoadBalancerUrl"]["Value"]) == f"http://{EXISTING['dns_name']}"

    def test_the_way_between_load_balancer_and_tasks_is_open_both_ways(self, placed: Synthesized) -> None:
        inward, outward = placed.one("EC2::SecurityGroupIngress"), placed.one("EC2::SecurityGroupEgress")
        tasks = {"Fn::GetAtt": [placed.id_of("EC2::SecurityGroup"), "GroupId"]}
        assert (inward["SourceSecurityGroupId"], inward["GroupId"]) == (EXISTING["security_group_id"], tasks)
        assert (outward["GroupId"], outward["DestinationSecurityGroupId"]) == (EXISTING["security_group_id"], tasks)
        assert {inward["FromPort"], inward["ToPort"], outward["FromPort"], outward["ToPort"]} == {9191}

    def test_a_rule_on_its_listener_leads_to_the_service(self, placed: Synthesized) -> None:
        rules = placed.all("ElasticLoadBalancingV2::ListenerRule")
        listeners = [EXISTING["listener_arn"], EXISTING["test_listener_arn"]]
        rolling = placed.document["service"]["deployment"]["strategy"] == "ROLLING"
        assert [rule["ListenerArn"] for rule in rules] == listeners[: 1 if rolling else 2]
        assert all(rule["Priority"] == {"Ref": "ListenerRulePriority"} for rule in rules)
        # After all others, if nothing is said.
        assert placed.template["Parameters"]["ListenerRulePriority"]["Default"] == 50_000
        waits_for = placed.template["Resources"][placed.id_of("ECS::Service")]["DependsOn"]
        assert set(waits_for) >= set(placed.by_id("ElasticLoadBalancingV2::ListenerRule")) or not rolling

    def test_cfn_lint_finds_no_error(self, placed: Synthesized) -> None:
        if placed.document["service"]["deployment"]["controller"] == "CODE_DEPLOY":
            assert lint_errors(placed.text) == []


@pytest.mark.slow
def test_an_existing_vpc_with_a_load_balancer_of_ones_own(synthesize: Any) -> None:
    result = synthesize(plain(network={"existing": VPC | {"task_subnet_ids": VPC["load_balancer_subnet_ids"]}}))
    assert result.one("ElasticLoadBalancingV2::LoadBalancer")["Subnets"] == VPC["load_balancer_subnet_ids"]
    tasks = result.one("ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert (tasks["Subnets"], tasks["AssignPublicIp"]) == (VPC["load_balancer_subnet_ids"], "ENABLED")


@pytest.mark.slow
def test_behind_cloudfront_nobody_else_reaches_the_load_balancer(synthesize: Any) -> None:
    cloudfront = {"domain_name": "www.example.com", "certificate_arn": CERTIFICATE.replace("ca-central-1", "us-east-1")}
    result = synthesize(plain(edge={"cloudfront": cloudfront}, application={"certificate_arn": CERTIFICATE}))
    (listener,) = result.all("ElasticLoadBalancingV2::Listener")
    assert not any("SecurityGroupIngress" in group for group in result.all("EC2::SecurityGroup"))
    doors = [rule for rule in result.all("EC2::SecurityGroupIngress") if "SourceSecurityGroupId" not in rule]
    assert [(rule["SourcePrefixListId"], rule["FromPort"]) for rule in doors] == [
        ({"Ref": "CloudFrontPrefixListId"}, listener["Port"])
    ]
    assert listener["Port"] == 443


@pytest.mark.slow
def test_a_domain_brings_its_certificate(synthesize: Any) -> None:
    zone = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "example.com"}
    result = synthesize(plain(edge={"domain": {"name": "shop.example.com", **zone}}))
    listeners = {listener["Port"]: listener for listener in result.all("ElasticLoadBalancingV2::Listener")}
    assert listeners.keys() == {80, 443}
    assert listeners[443]["Certificates"] == [
        {"CertificateArn": {"Ref": result.id_of("CertificateManager::Certificate")}}
    ]
    assert result.template["Outputs"]["LoadBalancerUrl"]["Value"] == "https://shop.example.com"
    given = synthesize(
        plain(edge={"domain": {"name": "shop.example.com", **zone}}, application={"certificate_arn": CERTIFICATE})
    )
    assert given.all("CertificateManager::Certificate") == []


@pytest.mark.slow
def test_repository_has_a_stack_of_its_own(synthesize: Any) -> None:
    planned = plain(repository={"images_kept": 7})
    assert synthesize(planned).all("ECR::Repository") == []
    result = synthesize(planned, "-repository")
    repository = result.one("ECR::Repository")
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert "RepositoryName" not in repository
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7}
    assert rule["action"] == {"type": "expire"}
    assert attributes(repository, "Tags")["estimator:service"] == "article-web-server"
    assert len(result.template["Resources"]) == 1
    assert lint_errors(result.text) == []


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
            *("", "application", "network", "cluster", "task", "service", "service.capacity_provider_strategy"),
            *("service.deployment", "load_balancer", "edge", "observability", "security", "application.sidecars[0]"),
            *("network.existing", "network.flow_logs", "load_balancer.existing", "repository"),
            *("scaling[0]", "scaling[1]", "scaling[1].step_adjustments[0]", "scaling[2]", "scheduled_actions[0]"),
        ],
    )
    def test_missing_key_is_named(
        self, stack: SimpleNamespace, schema: jsonschema.Draft202012Validator, part: str
    ) -> None:
        logged = part == "network.flow_logs"

        def whole() -> dict[str, Any]:
            return example(
                application={"sidecars": [SIDECAR]},
                network={"flow_logs": PARTS[part]} if logged else IN_VPC,
                load_balancer={} if logged else {"existing": EXISTING},
                repository=PARTS["repository"],
            )

        for key in part_of(whole(), steps_of(part)):
            document = whole()
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

    def test_a_load_balancer_of_another_region_is_refused(self, stack: SimpleNamespace) -> None:
        refusal = r"^load_balancer\.existing\.arn is .*us-east-1.*: a load balancer of 'ca-central-1' is needed\.$"
        with pytest.raises(stack.config.ConfigError, match=refusal):
            stack.config.parse_config(example(network=IN_VPC, load_balancer={"existing": ELSEWHERE}))

    @pytest.mark.parametrize(("key", "all_of_it"), [("cpu_units", 512), ("memory_mib", 3072)])
    def test_sidecars_leave_something_for_the_application(
        self, stack: SimpleNamespace, key: str, all_of_it: int
    ) -> None:
        rest = [SIDECAR | {key: all_of_it - 96}, SIDECAR | {"name": "other", key: 96}]
        with pytest.raises(stack.config.ConfigError, match=rf"sidecars have {all_of_it} in {key} together: less than"):
            stack.config.parse_config(example(application={"sidecars": rest}))
        rest[1][key] -= 1
        stack.config.parse_config(example(application={"sidecars": rest}))

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

    @pytest.mark.parametrize(("version", "age"), [(3, "older"), (7, "newer")])
    def test_document_of_another_version_is_refused_whatever_it_holds(
        self, stack: SimpleNamespace, version: int, age: str
    ) -> None:
        message = (
            f"^schema_version is {version}, {age} than this app, which reads 4: export the plan again, the app and"
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
        found = importlib.import_module("fargate_stack.application_config").ecr_repository(image)
        assert (found and (found.account, found.region, found.name)) == repository


def test_readme_is_a_template_and_names_the_cli_that_reads_what_this_library_writes() -> None:
    text = Template((STACK / "README.md").read_text())
    assert text.is_valid()
    assert "aws-cdk@latest" not in text.template
    assert CDK_CLI in text.template


def test_requirements_are_those_this_project_tests_with() -> None:
    lines = (STACK / "requirements.txt").read_text().splitlines()
    extras = tomllib.loads((STACK.parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {line for line in lines if line and not line.startswith("#")} <= set(extras["cdk"])
