"""Templates of the stack taken by a server that answers as AWS does: load balancers, target groups and scaling are read back by API calls.

Notes
-----
moto's CloudFormation makes the network and the load balancer; scaling it takes by API alone. Of ECS it keeps too little to say anything, so
that nothing is said of it here.
"""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.export.synthesis import Synthesized, document, hardened

REGION = "ca-central-1"
#: What moto's CloudFormation makes as AWS does, and what those need.
DRIVEN = (
    "AWS::EC2::VPC",
    "AWS::EC2::Subnet",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::SecurityGroup",
    "AWS::S3::Bucket",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
)
CASES = {
    "plain": document(),
    "hardened, blue/green": hardened(service={"deployment": {"strategy": "BLUE_GREEN"}}),
    "steps, forecasts and schedules": document(
        scaling=[
            {
                "policy_type": "TargetTrackingScaling",
                "predefined_metric_type": "ECSServiceAverageMemoryUtilization",
                "target_value": 70.0,
                "scale_out_cooldown_s": 60,
                "scale_in_cooldown_s": 900,
                "disable_scale_in": True,
            },
            {
                "policy_type": "StepScaling",
                "metric_name": "CPUUtilization",
                "threshold": 85.0,
                "comparison_operator": "GreaterThanOrEqualToThreshold",
                "evaluation_periods": 2,
                "datapoints_to_alarm": 1,
                "adjustment_type": "PercentChangeInCapacity",
                "min_adjustment_magnitude": 2,
                "cooldown_s": 120,
                "step_adjustments": [
                    {"scaling_adjustment": 20, "metric_interval_lower_bound": 0.0, "metric_interval_upper_bound": 10.0},
                    {
                        "scaling_adjustment": 50,
                        "metric_interval_lower_bound": 10.0,
                        "metric_interval_upper_bound": None,
                    },
                ],
            },
        ],
        scheduled_actions=[
            {"schedule": "cron(0 7 * * ? *)", "timezone": "Europe/Berlin", "min_capacity": 4, "max_capacity": None},
            {"schedule": "cron(0 22 * * ? *)", "timezone": "Europe/Berlin", "min_capacity": 2, "max_capacity": 9},
        ],
    ),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def stack_of(request: pytest.FixtureRequest, synthesize: Any, moto_address: str) -> SimpleNamespace:
    """A template, and what became of it on the server."""
    made: Synthesized = synthesize(CASES[request.param] | {"name": f"driven-{list(CASES).index(request.param)}"})

    def client(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        once = Config(retries={"total_max_attempts": 1})
        return boto3.client(service, region_name=REGION, endpoint_url=moto_address, config=once, **keys)

    cloudformation = client("cloudformation")
    name = made.document["name"]
    body = json.dumps(_driven(made.template))
    if named := made.document["application"]["certificate_arn"]:
        body = body.replace(named, client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"])
    cloudformation.create_stack(StackName=name, TemplateBody=body)
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    ids = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    }
    # Attributes moto's CloudFormation leaves out: they go the way of the API.
    elbv2 = client("elbv2")
    for kind, name_of_arn, attributes, send in (
        ("LoadBalancer", "LoadBalancerArn", "LoadBalancerAttributes", elbv2.modify_load_balancer_attributes),
        ("TargetGroup", "TargetGroupArn", "TargetGroupAttributes", elbv2.modify_target_group_attributes),
    ):
        for logical_id, properties in made.by_id(f"ElasticLoadBalancingV2::{kind}").items():
            values = [{"Key": one["Key"], "Value": _known(one["Value"], ids)} for one in properties[attributes]]
            send(**{name_of_arn: ids[logical_id]}, Attributes=values)
    return SimpleNamespace(made=made, ids=ids, client=client)


def _known(value: Any, ids: dict[str, str]) -> str:
    return ids[value["Ref"]] if isinstance(value, dict) else value


def _driven(template: dict[str, Any]) -> dict[str, Any]:
    """Keep what is driven, and of it what does not lean on anything else."""
    resources = {
        name: {key: value for key, value in resource.items() if key in ("Type", "Properties")}
        for name, resource in template["Resources"].items()
        if resource["Type"] in DRIVEN
    }
    return {"Resources": resources}


def one(stack: SimpleNamespace, kind: str) -> str:
    """Id on the server of the one resource of a type."""
    return str(stack.ids[stack.made.id_of(kind)])


def test_the_load_balancer_stands_open_to_the_internet(stack_of: SimpleNamespace) -> None:
    arn = one(stack_of, "ElasticLoadBalancingV2::LoadBalancer")
    elbv2 = stack_of.client("elbv2")
    (found,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert (found["Type"], found["Scheme"]) == ("application", "internet-facing")
    assert len(found["AvailabilityZones"]) == stack_of.made.document["network"]["availability_zones"]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    values = {item["Key"]: item["Value"] for item in attributes}
    wanted = stack_of.made.document["load_balancer"]
    assert values["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert values.get("deletion_protection.enabled", "false") == str(wanted["deletion_protection"]).lower()
    assert values.get("access_logs.s3.enabled", "false") == str(wanted["access_logs"]).lower()


def test_each_target_group_checks_the_path_of_the_application(stack_of: SimpleNamespace) -> None:
    elbv2 = stack_of.client("elbv2")
    ids = [stack_of.ids[name] for name in stack_of.made.by_id("ElasticLoadBalancingV2::TargetGroup")]
    strategy = stack_of.made.document["service"]["deployment"]["strategy"]
    assert len(ids) == (1 if strategy == "ROLLING" else 2)
    application, timings = stack_of.made.document["application"], stack_of.made.document["load_balancer"]
    for arn in ids:
        (group,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        assert (group["TargetType"], group["Protocol"], group["Port"]) == ("ip", "HTTP", application["container_port"])
        assert group["HealthCheckPath"] == application["health_check_path"]
        assert group["HealthCheckIntervalSeconds"] == timings["health_check_interval_s"]
        assert group["Matcher"]["HttpCode"] == "200-399"
        attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        values = {item["Key"]: item["Value"] for item in attributes}
        assert values["deregistration_delay.timeout_seconds"] == str(timings["deregistration_delay_s"])


def test_clients_reach_a_target_group(stack_of: SimpleNamespace) -> None:
    elbv2 = stack_of.client("elbv2")
    arn = one(stack_of, "ElasticLoadBalancingV2::LoadBalancer")
    listeners = {each["Port"]: each for each in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    groups = {stack_of.ids[name] for name in stack_of.made.by_id("ElasticLoadBalancingV2::TargetGroup")}
    secure = stack_of.made.document["application"]["certificate_arn"] is not None
    if secure:
        (redirect,) = listeners[80]["DefaultActions"]
        assert redirect["Type"] == "redirect"
        assert redirect["RedirectConfig"]["Protocol"] == "HTTPS"
        assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
    production = listeners[443 if secure else 80]
    rules = elbv2.describe_rules(ListenerArn=production["ListenerArn"])["Rules"]
    assert _forwarded(production["DefaultActions"] + [each for rule in rules for each in rule["Actions"]]) & groups


def _forwarded(actions: list[dict[str, Any]]) -> set[str]:
    """Target groups to which actions send requests."""
    found = {action["TargetGroupArn"] for action in actions if "TargetGroupArn" in action}
    for action in actions:
        found |= {group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])}
    return found


def test_scaling_is_as_planned(stack_of: SimpleNamespace) -> None:
    made: Synthesized = stack_of.made
    name = made.document["name"]
    ecs, scaling = stack_of.client("ecs"), stack_of.client("application-autoscaling")
    ecs.create_cluster(clusterName=name)
    container = {"name": "web", "image": "web", "memory": 512}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name)
    place = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{name}/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    target = made.one("ApplicationAutoScaling::ScalableTarget")
    assert (target["ServiceNamespace"], target["ScalableDimension"]) == (
        place["ServiceNamespace"],
        place["ScalableDimension"],
    )
    scaling.register_scalable_target(**place, MinCapacity=target["MinCapacity"], MaxCapacity=target["MaxCapacity"])
    for policy in made.all("ApplicationAutoScaling::ScalingPolicy"):
        configuration = {key: value for key, value in policy.items() if key.endswith("Configuration")}
        scaling.put_scaling_policy(
            **place, PolicyName=policy["PolicyName"], PolicyType=policy["PolicyType"], **configuration
        )
    for action in target.get("ScheduledActions", []):
        scaling.put_scheduled_action(**place, **action)

    service = made.document["service"]
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[place["ResourceId"]])[
        "ScalableTargets"
    ]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (service["min_capacity"], service["max_capacity"])
    policies = scaling.describe_scaling_policies(**place)["ScalingPolicies"]
    assert len(policies) == len(made.document["scaling"])
    for read, wanted in zip(policies, made.document["scaling"], strict=True):
        assert read["PolicyType"] == wanted["policy_type"]
        if wanted["policy_type"] == "TargetTrackingScaling":
            tracking = read["TargetTrackingScalingPolicyConfiguration"]
            assert tracking["TargetValue"] == wanted["target_value"]
            assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == wanted["predefined_metric_type"]
            assert (tracking["ScaleOutCooldown"], tracking["ScaleInCooldown"], tracking["DisableScaleIn"]) == (
                wanted["scale_out_cooldown_s"],
                wanted["scale_in_cooldown_s"],
                wanted["disable_scale_in"],
            )
        else:
            steps = read["StepScalingPolicyConfiguration"]
            assert [step["ScalingAdjustment"] for step in steps["StepAdjustments"]] == [
                step["scaling_adjustment"] for step in wanted["step_adjustments"]
            ]
            assert (steps["AdjustmentType"], steps["Cooldown"]) == (wanted["adjustment_type"], wanted["cooldown_s"])
    actions = scaling.describe_scheduled_actions(ServiceNamespace="ecs", ResourceId=place["ResourceId"])[
        "ScheduledActions"
    ]
    read_back = sorted(
        (
            action["Schedule"],
            action["Timezone"],
            action["ScalableTargetAction"].get("MinCapacity"),
            action["ScalableTargetAction"].get("MaxCapacity"),
        )
        for action in actions
    )
    wanted_back = sorted(
        (action["schedule"], action["timezone"], action["min_capacity"], action["max_capacity"])
        for action in made.document["scheduled_actions"]
    )
    assert read_back == wanted_back
