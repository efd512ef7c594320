"""What looks like the service's own and is not, and what a template has that no bill of the service has: named, never taken."""

import json
from typing import Any

import pytest

from estimator.errors import InvalidScenario
from estimator.repricing.reading import ASSUMED, NOT_KNOWN, NOT_PRICED
from estimator.repricing.repricer import Read
from tests.repricing.test_ties import POLICY, SMALL, TARGET, read, value_of


def said(found: Read, subject: str) -> list[tuple[str, str]]:
    return [(gap.kind, gap.text) for gap in found.gaps if gap.subject == subject]


# Alarms and metrics.

STEPS = POLICY % (
    "StepScaling, StepScalingPolicyConfiguration: "
    "{StepAdjustments: [{MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 600, ScalingAdjustment: 1}, "
    "{MetricIntervalLowerBound: 600, ScalingAdjustment: 2}]}"
)
OF_WEB = "Dimensions: [{Name: ClusterName, Value: prod}, {Name: ServiceName, Value: !GetAtt Web.Name}]"


def step(watched: str) -> Read:
    alarm = "{AlarmActions: [!Ref Policy], Threshold: 1200, EvaluationPeriods: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, "
    return read(
        f"{TARGET % 'service/prod/web'}{STEPS}  Alarm: {{Type: 'AWS::CloudWatch::Alarm', Properties: {alarm}{watched}}}}}\n"
    )


@pytest.mark.parametrize(
    ("watched", "what"),
    [
        ("Namespace: AWS/RDS, MetricName: CPUUtilization, Statistic: Average", "AWS/RDS CPUUtilization Average"),
        (
            f"Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Minimum, {OF_WEB}",
            "AWS/ECS CPUUtilization Minimum",
        ),
        (
            f"Namespace: AWS/ECS, MetricName: CPUUtilization, ExtendedStatistic: p99, {OF_WEB}",
            "AWS/ECS CPUUtilization p99",
        ),
        (
            "Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, Dimensions: [{Name: ClusterName, Value: prod}]",
            "AWS/ECS CPUUtilization Average without the dimension ServiceName",
        ),
        (
            "Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, Dimensions: [{Name: ServiceName, Value: other}]",
            "AWS/ECS CPUUtilization Average of other",
        ),
        # Of requests per target AWS's only valid statistic is Sum.
        (
            "Namespace: AWS/ApplicationELB, MetricName: RequestCountPerTarget, Statistic: Average, "
            "Dimensions: [{Name: TargetGroup, Value: !GetAtt Group.TargetGroupFullName}]",
            "AWS/ApplicationELB RequestCountPerTarget Average",
        ),
    ],
)
def test_an_alarm_of_something_else_scales_nothing(watched: str, what: str) -> None:
    found = step(watched)
    assert value_of(found, "service.scaling") == []
    assert said(found, "Policy, Alarm") == [
        (NOT_PRICED, f"The alarm watches {what}, which the model does not know: the policy is left out.")
    ]
    # It is billed all the same.
    assert value_of(found, "extras.standard_alarms") == 1


def test_a_sum_of_some_minutes_is_held_against_a_minute() -> None:
    found = step(
        "Namespace: AWS/ApplicationELB, MetricName: RequestCountPerTarget, Statistic: Sum, Period: 120, "
        "Dimensions: [{Name: TargetGroup, Value: !GetAtt Group.TargetGroupFullName}]"
    )
    (policy,) = value_of(found, "service.scaling")
    # 1200 in two minutes are 600 in one, and the steps lie half as far apart.
    assert (policy["threshold"], policy["evaluation_periods"]) == (600, 2)
    bounds = [
        (each["metric_interval_lower_bound"], each["metric_interval_upper_bound"])
        for each in policy["step_adjustments"]
    ]
    assert bounds == [(0, 300), (300, None)]


def test_a_service_that_is_known_later_is_taken_for_ours_and_said() -> None:
    found = step(
        "Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, Dimensions: [{Name: ServiceName, Value: !Ref Later}]"
    )
    assert (ASSUMED, "Its ServiceName is known only when the stack is deployed: taken as the service's.") in said(
        found, "Alarm"
    )


def test_tracking_the_processor_of_another_service() -> None:
    metric = "{Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, Dimensions: [{Name: ServiceName, Value: other}]}"
    tracking = f"TargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: {{CustomizedMetricSpecification: {metric}, TargetValue: 5}}"
    found = read(TARGET % "service/prod/web" + POLICY % tracking)
    assert value_of(found, "service.scaling") == []
    assert said(found, "Policy") == [
        (
            NOT_PRICED,
            "It tracks AWS/ECS CPUUtilization Average of other, which the model does not know: the policy is left out.",
        )
    ]


# Tasks that no service keeps running.

BATCH = "  Batch: {Type: 'AWS::ECS::TaskDefinition', Properties: {Family: batch, RequiresCompatibilities: [FARGATE]}}\n"


STARTS = "{EcsParameters: {TaskDefinitionArn: !Ref Batch}}"


@pytest.mark.parametrize(
    "rule",
    [
        f"AWS::Events::Rule', Properties: {{Targets: [{STARTS}]",
        f"AWS::Scheduler::Schedule', Properties: {{Target: {STARTS}",
    ],
)
def test_tasks_of_a_schedule_are_named(rule: str) -> None:
    found = read(f"{BATCH}  Cron: {{Type: '{rule}, ScheduleExpression: rate(1 hour)}}}}\n")
    unpriced = [(gap.subject, gap.text) for gap in found.gaps if gap.kind == NOT_PRICED]
    assert unpriced == [("Cron, Batch", "Tasks that it starts by schedule.")]
    ((kind, text),) = said(read(BATCH), "Batch")
    assert (kind, text.partition(",")[0]) == (NOT_PRICED, "A task definition that no service uses")


# Load balancers.

NETWORK = """
  Inner: {Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: {Type: network, Scheme: internal, Subnets: [a, b, c, d]}}
  Outer: {Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: {Subnets: [a, b]}}
  Tcp: {Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: {Protocol: TCP, HealthCheckIntervalSeconds: 7}}
  TcpListener: {Type: 'AWS::ElasticLoadBalancingV2::Listener', Properties: {LoadBalancerArn: !Ref Inner, DefaultActions: [{TargetGroupArn: !Ref Tcp}]}}
  HttpListener: {Type: 'AWS::ElasticLoadBalancingV2::Listener', Properties: {LoadBalancerArn: !Ref Outer, DefaultActions: [{TargetGroupArn: !Ref Group}]}}
"""


def test_a_network_load_balancer_before_the_other_is_not_taken_for_it() -> None:
    text = SMALL.replace(
        "LoadBalancers: [", "LoadBalancers: [{ContainerName: web, ContainerPort: 9, TargetGroupArn: !Ref Tcp}, "
    )
    found = read(NETWORK, text=text)
    assert (value_of(found, "network.load_balancer_ipv4"), value_of(found, "network.availability_zones")) == (True, 2)
    assert (value_of(found, "application.health_check_interval_s"), value_of(found, "application.container_port")) == (
        30,
        80,
    )
    assert [kind for kind, _ in said(found, "Inner")] == [NOT_PRICED]
    with pytest.raises(InvalidScenario, match="Web: its target group is for TCP"):
        read(NETWORK, text=SMALL.replace("!Ref Group", "!Ref Tcp"))


@pytest.mark.parametrize(("rules", "notes"), [(10, 0), (11, 1)])
def test_many_rules_of_a_listener_are_held_against_the_scenario(rules: int, notes: int) -> None:
    one = "Type: 'AWS::ElasticLoadBalancingV2::ListenerRule', Properties: {ListenerArn: !Ref HttpListener}"
    found = read(NETWORK + "".join(f"  Rule{number}: {{{one}}}\n" for number in range(rules)))
    texts = [text for _, text in said(found, "HttpListener")]
    expected = (
        "11 rules stand in it; the scenario counts 1 evaluated per request (request.rules_evaluated_per_request)."
    )
    assert texts == [expected] * notes


def test_groups_of_rules_with_a_fee_of_their_own() -> None:
    group = "Statement: {ManagedRuleGroupStatement: {VendorName: %s, Name: %s}}"
    groups = [("AWS", "AWSManagedRulesBotControlRuleSet"), ("AWS", "AWSManagedRulesCommonRuleSet"), ("Other", "Best")]
    rules = f"[{', '.join(f'{{{group % each}}}' for each in groups)}]"
    acl = f"  Acl: {{Type: 'AWS::WAFv2::WebACL', Properties: {{Rules: {rules}}}}}\n"
    tie = "  Tie: {Type: 'AWS::WAFv2::WebACLAssociation', Properties: {ResourceArn: !Ref Outer, WebACLArn: !GetAtt Acl.Arn}}\n"
    found = read(NETWORK + acl + tie)
    assert value_of(found, "extras.waf_rules") == 3
    assert [text.partition(",")[0] for _, text in said(found, "Acl")] == [
        "Bot Control (AWSManagedRulesBotControlRuleSet)",
        "The rules Best of Other",
    ]


# What the tasks run on.

WITHOUT = SMALL.replace("      LaunchType: FARGATE\n", "")
PROVIDERS = """
  Tied:
    Type: AWS::ECS::ClusterCapacityProviderAssociations
    Properties: {Cluster: prod, DefaultCapacityProviderStrategy: [{CapacityProvider: %s, Weight: 1}]}
"""


@pytest.mark.parametrize(
    ("text", "extra", "why"),
    [
        (
            WITHOUT.replace("RequiresCompatibilities: [FARGATE], ", ""),
            "",
            "its task definition does not ask for FARGATE",
        ),
        (WITHOUT, PROVIDERS % "my-asg", "its tasks run on the capacity provider my-asg"),
        (
            WITHOUT,
            PROVIDERS % "!Ref Own" + "  Own: {Type: 'AWS::ECS::CapacityProvider'}\n",
            r"its tasks run on the capacity provider \$\{Own\}",
        ),
        (SMALL.replace("LaunchType: FARGATE", "LaunchType: EXTERNAL"), "", "its launch type is EXTERNAL"),
        (
            SMALL.replace("LaunchType: FARGATE", "LaunchType: !Ref Later").replace("[FARGATE]", "[EC2]"),
            "",
            "its task definition is made for EC2",
        ),
    ],
)
def test_what_aws_puts_on_instances_is_refused(text: str, extra: str, why: str) -> None:
    with pytest.raises(InvalidScenario, match=why):
        read(extra, text=text)
    with pytest.raises(InvalidScenario, match=why):
        read(extra, text=text, service="Web")


def test_what_the_cluster_says_or_a_parameter_would_say() -> None:
    spot = value_of(read(PROVIDERS % "FARGATE_SPOT", text=WITHOUT), "service.capacity_provider_strategy")
    assert spot == {"fargate_base": 0, "fargate_weight": 0, "fargate_spot_weight": 1}
    for text in (
        SMALL.replace("LaunchType: FARGATE", "LaunchType: !Ref Later"),
        SMALL.replace("LaunchType: FARGATE", "CapacityProviderStrategy: !Ref Later"),
    ):
        found = read(text=text)
        assert value_of(found, "service.capacity_provider_strategy") is None
        ((kind, why),) = said(found, "service.capacity_provider_strategy")
        assert kind == ASSUMED
        assert why.startswith("Fargate On-Demand, the scenario's: ")
        assert "the parameter Later has no value" in why


# Where the tasks stand.

NAT = """
  Table: {Type: 'AWS::EC2::RouteTable'}
  Home: {Type: 'AWS::EC2::Subnet'}
  Tie: {Type: 'AWS::EC2::SubnetRouteTableAssociation', Properties: {SubnetId: !Ref Home, RouteTableId: !Ref Table}}
  Nat: {Type: 'AWS::EC2::NatGateway'}
  Way: {Type: 'AWS::EC2::Route', Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
"""


def test_no_public_address_in_subnets_of_elsewhere_under_a_public_layout() -> None:
    found = read(text=SMALL.replace("AssignPublicIp: ENABLED", "AssignPublicIp: DISABLED"))
    assert value_of(found, "network.layout") is None
    (text,) = [text for kind, text in said(found, "Web") if kind == NOT_KNOWN]
    assert text.endswith("Set network.layout to nat or endpoints.")


def test_a_public_address_behind_a_nat_gateway() -> None:
    found = read(NAT, text=SMALL.replace("[subnet-1, subnet-2, subnet-3]", "[!Ref Home]"))
    assert (value_of(found, "network.layout"), value_of(found, "network.nat_gateways")) == ("nat", 1)
    assert not said(found, "Nat")
    assert [kind for kind, text in said(found, "Web") if text.startswith("Public addresses of the tasks")] == [
        NOT_PRICED
    ]


# Logs, volumes, deployments.


def test_the_log_is_that_of_the_container_behind_the_load_balancer() -> None:
    router = "{Name: router, LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: !Ref Logs}}}"
    own = "LogConfiguration: {LogDriver: awsfirelens}"
    text = SMALL.replace("[{Name: web, Image: 'nginx:1'}]", f"[{router}, {{Name: web, Image: 'nginx:1', {own}}}]")
    logs = "  Logs: {Type: 'AWS::Logs::LogGroup', Properties: {RetentionInDays: 3}}\n"
    found = read(logs, text=text)
    assert value_of(found, "application.log_retention_days") is None
    texts = [each for _, each in said(found, "Task")]
    assert any(each.startswith("Its log goes by awsfirelens") for each in texts)
    assert any(each.startswith("The log of router goes by awslogs to ${Logs}") for each in texts)
    alone = read(logs, text=text.replace(f", {own}", ""))
    assert value_of(alone, "application.log_retention_days") == 3
    assert any("writes no log: that of router is taken" in each for _, each in said(alone, "Task"))


@pytest.mark.parametrize(
    "given",
    ["/aws/other/web", "!Sub '/ecs/${AWS::AccountId}/web'", "arn:aws:logs:eu-west-1:1:log-group:/ecs/web:*"],
)
def test_a_log_group_is_tied_by_its_whole_name(given: str) -> None:
    log = f"LogConfiguration: {{LogDriver: awslogs, Options: {{awslogs-group: {given}}}}}"
    text = SMALL.replace("Image: 'nginx:1'}", f"Image: 'nginx:1', {log}}}")
    logs = "  Logs: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: %s, RetentionInDays: 3}}\n"
    assert value_of(read(logs % "web", text=text), "application.log_retention_days") is None
    own = value_of(read(logs % "/ecs/web", text=text), "application.log_retention_days")
    assert own == (3 if given.startswith("arn") else None)


@pytest.mark.parametrize("written", ["shop:3", "arn:aws:ecs:eu-west-1:1:task-definition/shop:3"])
def test_a_revision_of_a_task_definition_is_found(written: str) -> None:
    found = read(text=SMALL.replace("TaskDefinition: shop", f"TaskDefinition: {written}"))
    assert value_of(found, "service.cpu_units") == 512


def test_volumes_and_metrics_of_ones_own_are_named() -> None:
    text = SMALL.replace(
        "DesiredCount: 3",
        "DesiredCount: 3\n      VolumeConfigurations: [{Name: data, ManagedEBSVolume: {SizeInGiB: 500}}]",
    )
    found = read(
        "  Rule: {Type: 'AWS::CloudWatch::InsightRule'}\n  Count: {Type: 'AWS::Logs::MetricFilter'}\n", text=text
    )
    assert (NOT_PRICED, "EBS volumes of the tasks.") in said(found, "Web")
    assert [said(found, name)[0][0] for name in ("Rule", "Count")] == [NOT_PRICED, NOT_PRICED]


@pytest.mark.parametrize(
    ("line", "why", "is_not_known"),
    [
        ("DeploymentConfiguration: {Strategy: !Ref Later}", "the parameter Later has no value", False),
        ("DeploymentController: {Type: !Ref Later}", "the parameter Later has no value", False),
        ("DeploymentController: {Type: EXTERNAL}", "deployed by the controller EXTERNAL", True),
        ("DeploymentConfiguration: {Strategy: SHADOW}", "deployed by the strategy SHADOW", True),
    ],
)
def test_a_deployment_that_is_not_known_is_the_scenarios(line: str, why: str, is_not_known: bool) -> None:
    found = read(text=SMALL.replace("DesiredCount: 3", f"DesiredCount: 3\n      {line}"))
    assert value_of(found, "service.deployment") is None
    ((kind, text),) = said(found, "service.deployment")
    assert kind == ASSUMED
    assert text.startswith("ROLLING, minimum_healthy_percent 100, maximum_percent 200, the scenario's: ")
    assert why in text
    assert [kind for kind, _ in said(found, "Web")].count(NOT_KNOWN) == is_not_known


# Conditions, parameters, letters.


def conditional(**changes: Any) -> str:
    """The small service with a condition on the parameter Later."""
    text = SMALL + "Conditions: {Deep: !Not [{Condition: IsLater}], IsLater: !Equals [!Ref Later, prod]}\n"
    for name, value in changes.items():
        text = text.replace(
            *{
                "count": ("DesiredCount: 3", f"DesiredCount: {value}"),
                "balancers": ("LoadBalancers: [", f"LoadBalancers: {value}\n      Was: ["),
            }[name]
        )
    return text


def test_a_condition_of_an_unknown_parameter_says_which() -> None:
    found = read(text=conditional(count="!If [Deep, 4, 2]"))
    ((_, why),) = said(found, "service.min_capacity")
    assert "the parameter Later has no value" in why
    assert [kind for kind, _ in said(found, "Later")] == [NOT_KNOWN]
    table = "  Table: {Type: 'AWS::DynamoDB::Table', Condition: Deep}\n"
    unsure = [text for kind, text in said(read(table, text=conditional()), "Table") if kind == ASSUMED]
    assert unsure == ["The condition of each depends on what is not known (Later); they are taken to be made."]
    with pytest.raises(InvalidScenario, match="Web: its load balancers: the parameter Later has no value"):
        read(text=conditional(balancers="!If [Deep, [], []]"))


def test_a_parameter_of_no_such_stack() -> None:
    assert value_of(read(given={"web:Name": "shop"}), "service.min_capacity") == 3
    with pytest.raises(
        InvalidScenario, match=r"The stack 'other' has no parameter 'Name'; it is a parameter of web\. Name one"
    ):
        read(given={"other:Name": "shop"})


def test_letters_that_steer_a_terminal_do_not_reach_it() -> None:
    escape = json.dumps("Odd" + chr(27) + "]0;owned" + chr(7) + chr(0x9B) + "31m" + chr(0x202E))
    text = SMALL.replace(
        "Name: web, Image: 'nginx:1'", f"Name: web, Image: {escape}, LogConfiguration: {{LogDriver: {escape}}}"
    )
    found = read(f'  Thing: {{Type: {escape[:-1]}\\nline"}}\n', text=text)
    shown = [str(value_of(found, "application.image")), *(f"{gap.subject} {gap.text}" for gap in found.gaps)]
    assert sum("Odd" in each for each in shown) >= 3
    assert all(each.replace("\ufffd", "").strip().isprintable() for each in shown)
    with pytest.raises(InvalidScenario, match="the logical id 'A b' has other than letters and digits"):
        read("  A b: {Type: 'AWS::S3::Bucket'}\n")
