"""What belongs together is found by tokens, by names and by ARNs; and what each part of a template means for the service."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.repricing.reading import NOT_PRICED
from estimator.repricing.repricer import Read, read_scenario_of
from estimator.repricing.stacks import Template
from estimator.repricing.template_documents import parse_template
from estimator.repricing.template_files import TemplateFiles
from estimator.scenario import Scenario

SCENARIO = Scenario.from_dict(
    {
        "region": "eu-west-1",
        "load": {"kind": "constant", "requests_per_s": 5},
        "request": {"cpu_ms_per_request": 12},
        "service": {"cpu_units": 256, "memory_mib": 512},
    }
)
SMALL = """
Parameters: {Name: {Type: String, Default: web}, Later: {Type: String}}
Resources:
  Cluster: {Type: 'AWS::ECS::Cluster', Properties: {ClusterName: prod, ClusterSettings: [{Name: containerInsights, Value: enabled}]}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {Family: shop, Cpu: '512', Memory: 1 GB, RequiresCompatibilities: [FARGATE], ContainerDefinitions: [{Name: web, Image: 'nginx:1'}]}
  Group: {Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: {Protocol: HTTP, Port: 80}}
  Web:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: !Ref Name
      Cluster: prod
      LaunchType: FARGATE
      DesiredCount: 3
      TaskDefinition: shop
      LoadBalancers: [{ContainerName: web, ContainerPort: 80, TargetGroupArn: !Ref Group}]
      NetworkConfiguration: {AwsvpcConfiguration: {AssignPublicIp: ENABLED, Subnets: [subnet-1, subnet-2, subnet-3]}}
"""


def read(extra: str = "", given: dict[str, str] | None = None, service: str | None = None, text: str = SMALL) -> Read:
    """The small service with more resources."""
    values = parse_template(text, "web.yaml")
    values["Resources"] |= parse_template(f"Resources:\n{extra or '  {}'}", "more.yaml")["Resources"]
    files = TemplateFiles(Path("web.yaml"), (Template("web", values, "web.yaml"),))
    return read_scenario_of(files, SCENARIO, given or {}, service)


def value_of(found: Read, name: str) -> Any:
    return next((fact.value for fact in found.facts if fact.name == name), None)


def test_names_and_families_tie_as_references_do() -> None:
    found = read()
    assert (value_of(found, "service.cpu_units"), value_of(found, "service.memory_mib")) == (512, 1024)
    assert value_of(found, "extras.container_insights") == "enabled"
    assert value_of(found, "network.availability_zones") == 3
    assert (value_of(found, "service.min_capacity"), value_of(found, "service.scaling")) == (3, [])


TARGET = """
  Count:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      MinCapacity: 0
      MaxCapacity: 9
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: %s
"""


@pytest.mark.parametrize(
    "resource_id",
    [
        "!Sub 'service/${Cluster}/${Web.Name}'",
        "!Join ['/', [service, !Ref Cluster, !GetAtt Web.Name]]",
        "service/prod/web",
        "!Sub 'service/prod/${Name}'",
        "!Join ['', [service/, !Select [1, !Split ['/', !Ref Cluster]], /, !GetAtt Web.Name]]",
    ],
)
def test_a_scalable_target_is_of_the_service_however_it_is_written(resource_id: str) -> None:
    found = read(TARGET % resource_id)
    assert value_of(found, "service.max_capacity") == 9
    # The model keeps a task; that it was 0 is said.
    assert value_of(found, "service.min_capacity") == 1
    assert any("min_capacity is 0" in gap.text for gap in found.gaps)


def test_a_scalable_target_of_another_service_is_not_ours() -> None:
    assert value_of(read(TARGET % "service/prod/other"), "service.max_capacity") == 3


POLICY = """
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties: {ScalingTargetId: !Ref Count, PolicyType: %s}
"""
FINE = "ECSServiceAverageCPUUtilizationHighResolution"
MEMORY = "ECSServiceAverageMemoryUtilization"
OURS = "Dimensions: [{Name: ServiceName, Value: web}]"
OWN = f"{{Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, {OURS}}}"
TRACKED = [
    (f"{{PredefinedMetricSpecification: {{PredefinedMetricType: {MEMORY}}}, TargetValue: '70'}}", MEMORY),
    (f"{{PredefinedMetricSpecification: {{PredefinedMetricType: {FINE}}}, TargetValue: 70}}", FINE),
    (f"{{CustomizedMetricSpecification: {OWN}, TargetValue: 70}}", "ECSServiceAverageCPUUtilization"),
]


@pytest.mark.parametrize(("configuration", "metric"), TRACKED)
def test_target_tracking(configuration: str, metric: str) -> None:
    found = read(
        TARGET % "service/prod/web"
        + POLICY % f"TargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: {configuration}"
    )
    (policy,) = value_of(found, "service.scaling")
    assert policy == {
        "policy_type": "TargetTrackingScaling",
        "target_value": 70,
        "scale_out_cooldown_s": 300,
        "scale_in_cooldown_s": 300,
        "disable_scale_in": False,
        "predefined_metric_type": metric,
    }


def test_predictive_scaling() -> None:
    pair = "PredefinedMetricPairSpecification: {PredefinedMetricType: ECSServiceMemoryUtilization}"
    configuration = (
        f"{{Mode: ForecastAndScale, SchedulingBufferTime: 60, MetricSpecifications: [{{TargetValue: 40, {pair}}}]}}"
    )
    found = read(
        TARGET % "service/prod/web"
        + POLICY % f"PredictiveScaling, PredictiveScalingPolicyConfiguration: {configuration}"
    )
    (policy,) = value_of(found, "service.scaling")
    assert (policy["predefined_metric_pair_type"], policy["mode"], policy["scheduling_buffer_time_s"]) == (
        "ECSServiceMemoryUtilization",
        "ForecastAndScale",
        60,
    )


def test_what_the_model_does_not_know_is_left_out_and_said() -> None:
    custom = "{CustomizedMetricSpecification: {Namespace: Shop, MetricName: Orders, Statistic: Sum}, TargetValue: 5}"
    found = read(
        TARGET % "service/prod/web"
        + POLICY % f"TargetTrackingScaling, TargetTrackingScalingPolicyConfiguration: {custom}"
    )
    assert value_of(found, "service.scaling") == []
    assert [gap.text for gap in found.gaps if gap.subject == "Policy"] == [
        "It tracks Shop Orders Sum, which the model does not know: the policy is left out."
    ]


def test_step_scaling_takes_its_alarm_and_the_bill_counts_it_once() -> None:
    steps = "StepScaling, StepScalingPolicyConfiguration: {StepAdjustments: [{MetricIntervalLowerBound: 0, ScalingAdjustment: 1}]}"
    alarm = """
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmActions: [!Ref Policy]
      Namespace: AWS/ECS
      MetricName: MemoryUtilization
      Statistic: Average
      Dimensions: [{Name: ClusterName, Value: prod}, {Name: ServiceName, Value: !GetAtt Web.Name}]
      Period: 120
      EvaluationPeriods: 2
      Threshold: 60
      ComparisonOperator: GreaterThanThreshold
"""
    found = read(TARGET % "service/prod/web" + POLICY % steps + alarm)
    (policy,) = value_of(found, "service.scaling")
    assert (policy["metric_name"], policy["threshold"]) == ("MemoryUtilization", 60)
    # Two datapoints of two minutes are four of a minute.
    assert (policy["evaluation_periods"], policy["datapoints_to_alarm"]) == (4, 4)
    assert value_of(found, "extras.standard_alarms") == 0
    without = read(TARGET % "service/prod/web" + POLICY % steps)
    assert value_of(without, "service.scaling") == []


DEPLOYMENT_GROUP = """
  Own:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties: {TrafficRoutingConfig: {TimeBasedLinear: {LinearInterval: 7, LinearPercentage: 25}}}
  Deploy:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      DeploymentConfigName: %s
      ECSServices: [{ServiceName: !GetAtt Web.Name, ClusterName: prod}]
      BlueGreenDeploymentConfiguration: {TerminateBlueInstancesOnDeploymentSuccess: {TerminationWaitTimeInMinutes: 30}}
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CodeDeployDefault.ECSAllAtOnce", {"strategy": "BLUE_GREEN"}),
        ("CodeDeployDefault.ECSCanary10Percent15Minutes", {"strategy": "CANARY", "canary_bake_time_in_minutes": 15}),
        (
            "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
            {"strategy": "LINEAR", "step_percent": 10, "step_bake_time_in_minutes": 3},
        ),
        ("!Ref Own", {"strategy": "LINEAR", "step_percent": 25, "step_bake_time_in_minutes": 7}),
    ],
)
def test_code_deploy(name: str, expected: dict[str, Any]) -> None:
    text = SMALL.replace("LaunchType: FARGATE", "LaunchType: FARGATE\n      DeploymentController: {Type: CODE_DEPLOY}")
    found = value_of(read(DEPLOYMENT_GROUP % name, text=text), "service.deployment")
    assert found == expected | {"bake_time_in_minutes": 30}


def test_an_image_in_a_repository_of_the_template_is_in_ecr() -> None:
    policy = '\'{"rules": [{"selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 4}}]}\''
    repository = f"  Repo: {{Type: 'AWS::ECR::Repository', Properties: {{LifecyclePolicy: {{LifecyclePolicyText: {policy}}}}}}}\n"
    parts = "!Select [%d, !Split [':', !GetAtt Repo.Arn]]"
    for image in (
        "!Sub '${Repo.RepositoryUri}:1'",
        "!Sub '${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/${Repo}:1'",
        f"!Join ['', [{parts % 4}, .dkr.ecr., {parts % 3}, ., !Ref 'AWS::URLSuffix', /, !Ref Repo, ':1']]",
    ):
        found = read(repository, text=SMALL.replace("'nginx:1'", image))
        assert found.scenario.application.image_is_in_ecr("eu-west-1"), image
        assert value_of(found, "application.image").endswith(".dkr.ecr.eu-west-1.amazonaws.com/Repo:1")
        assert value_of(found, "extras.ecr_images") == 4


def test_several_services_are_listed_and_one_is_chosen() -> None:
    second = """
  Second:
    Type: AWS::ECS::Service
    Properties: {Cluster: prod, LaunchType: FARGATE, TaskDefinition: shop, LoadBalancers: [{TargetGroupArn: !Ref Group}]}
"""
    with pytest.raises(
        InvalidScenario, match=r"There are 2 services .*web/Web, web/Second\. Choose one with --service"
    ):
        read(second)
    found = read(second, service="Web")
    assert found.services == ("Web", "Second")
    assert [(gap.kind, gap.text) for gap in found.gaps if gap.subject == "Second"] == [
        (NOT_PRICED, "Another ECS service, with its tasks and its scaling.")
    ]
    with pytest.raises(InvalidScenario, match=r"no single service 'Third'.*web/Web, web/Second"):
        read(second, service="Third")
    on_ec2 = second.replace("FARGATE", "EC2")
    assert read(on_ec2).service == "Web"


def test_a_parameter_without_a_value_leaves_its_field_to_the_scenario() -> None:
    text = SMALL.replace("Cpu: '512'", "Cpu: !Ref Later")
    found = read(text=text)
    assert found.scenario.service is not None
    assert found.scenario.service.cpu_units == 256
    (said,) = [gap.text for gap in found.gaps if gap.subject == "service.cpu_units"]
    assert said.startswith("256, the scenario's: Task.Cpu: the parameter Later has no value")
    assert value_of(read(text=text, given={"Later": "0.5 vCPU"}), "service.cpu_units") == 512
    assert value_of(read(text=text, given={"web:Later": "256"}), "service.cpu_units") == 256
    with pytest.raises(
        InvalidScenario, match=r"no parameter 'Latter'; the templates have Name, Later\. Did you mean Later"
    ):
        read(given={"Latter": "1"})


def test_what_lies_outside_is_left_to_the_scenario() -> None:
    text = SMALL.replace("!Ref Group", "'arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1'").replace(
        "Cluster: prod", "Cluster: other"
    )
    text = text.replace("AssignPublicIp: ENABLED", "AssignPublicIp: DISABLED")
    found = read(text=text)
    subjects = {gap.subject for gap in found.gaps}
    assert {
        "network.layout",
        "extras.container_insights",
        "application.health_check_path",
        "extras.reserved_lcu",
    } <= subjects
    front = "  Front: {Type: 'AWS::CloudFront::Distribution', Properties: {DistributionConfig: {Origins: [{DomainName: web-1.eu-west-1.elb.amazonaws.com}]}}}\n"
    assert value_of(read(front, text=text), "request.behind_cloudfront") is True


def test_unknown_resources_are_never_passed_over() -> None:
    found = read(
        "  Odd: {Type: 'AWS::Quantum::Leap'}\n  Custom: {Type: 'Custom::Thing'}\n  Net: {Type: 'AWS::EC2::Subnet'}\n"
    )
    assert {gap.subject for gap in found.gaps if gap.kind == NOT_PRICED} == {"Odd", "Custom"}


def test_what_is_read_is_a_scenario_that_can_be_written_and_read_again() -> None:
    found = read(TARGET % "service/prod/web")
    again = Scenario.from_dict(yaml.safe_load(found.scenario.to_yaml()))
    assert again.to_dict() == found.scenario.to_dict()
