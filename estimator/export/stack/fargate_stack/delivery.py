"""The delivery: how a new revision takes over behind the load balancer, by ECS itself or by CodeDeploy."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from .application_config import CONTAINER_NAME
from .config import StackConfig
from .load_balancer import ServiceLoadBalancer
from .log_storage import acknowledge
from .service_config import DeploymentConfig

_READING = {"AwsSolutions-IAM5[Resource::*]": "What describes load balancers and alarms has no resources to be named."}
_TASK_SETS = "Task sets are made and named by CodeDeploy; these are of this service alone."


def deployment_properties(deployment: DeploymentConfig, alarms: Sequence[cloudwatch.Alarm]) -> dict[str, Any]:
    """Say how ECS replaces the tasks of a service.

    Parameters
    ----------
    deployment : DeploymentConfig
        Who deploys, and how.
    alarms : Sequence[aws_cdk.aws_cloudwatch.Alarm]
        Alarms that undo a deployment.

    Returns
    -------
    dict[str, Any]
        Properties of `aws_cdk.aws_ecs.FargateService`.

    Notes
    -----
    The circuit breaker is of rolling deployments only [1]_. The others end by their alarms, or when the new tasks do not
    become healthy in time. With both revisions up at once, ECS's own bounds, 100 % and 200 %, are what is meant.

    Zones are rebalanced wherever there is room for one task more [2]_.

    References
    ----------
    .. [1] AWS, "DeploymentCircuitBreaker", read 2026: "can only be used for services using the rolling update (ECS) deployment type",
       https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
    .. [2] AWS, "Balancing an Amazon ECS service across Availability Zones", read 2026: not with a maximumPercent of 100,
       https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
    """
    properties: dict[str, Any] = {"min_healthy_percent": 100, "max_healthy_percent": 200}
    if deployment.by_code_deploy:
        controller = ecs.DeploymentController(type=ecs.DeploymentControllerType.CODE_DEPLOY)
        # Whether such a service can be rebalanced is left to ECS.
        return properties | {"deployment_controller": controller}
    if alarms:
        properties["deployment_alarms"] = ecs.DeploymentAlarmConfig(
            alarm_names=[alarm.alarm_name for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
        )
    minutes = cdk.Duration.minutes
    match deployment.strategy:
        case "ROLLING":
            properties |= {
                "min_healthy_percent": deployment.minimum_healthy_percent,
                "max_healthy_percent": deployment.maximum_percent,
                "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            }
        case "CANARY":
            properties["canary_configuration"] = ecs.TrafficShiftConfig(
                step_percent=deployment.canary_percent,
                step_bake_time=minutes(deployment.canary_bake_time_in_minutes),
            )
        case "LINEAR":
            properties["linear_configuration"] = ecs.TrafficShiftConfig(
                step_percent=deployment.step_percent, step_bake_time=minutes(deployment.step_bake_time_in_minutes)
            )
    if deployment.has_two_target_groups:
        properties |= {
            "deployment_strategy": getattr(ecs.DeploymentStrategy, deployment.strategy),
            "bake_time": minutes(deployment.bake_time_in_minutes),
        }
    room = properties["max_healthy_percent"] > 100
    of = ecs.AvailabilityZoneRebalancing
    return properties | {"availability_zone_rebalancing": of.ENABLED if room else of.DISABLED}


class Delivery(Construct):
    """A service put behind its load balancer, and whatever shifts requests from one revision to the next.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        How a new revision takes over.
    load_balancer : ServiceLoadBalancer
        The load balancer.
    service : aws_cdk.aws_ecs.FargateService
        The service.
    rollback_alarms : Sequence[aws_cdk.aws_cloudwatch.Alarm]
        Alarms that undo a deployment.

    Attributes
    ----------
    deployment_group : aws_cdk.aws_codedeploy.EcsDeploymentGroup or None
        What CodeDeploy deploys to; None where ECS deploys.

    Notes
    -----
    ECS and CodeDeploy each get a role of their own with the rights that AWS's managed policies for it name [1]_ [2]_, but on
    this service alone. What only reads, AWS knows no resources for.

    A service that CodeDeploy deploys keeps its task definition whatever the template says: ECS refuses to change it [3]_.
    It is given the family and not a revision, so that the template does not ask for it.

    References
    ----------
    .. [1] AWS, "AmazonECSInfrastructureRolePolicyForLoadBalancers", read 2026,
       https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    .. [2] AWS, "AWSCodeDeployRoleForECS", read 2026,
       https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html
    .. [3] AWS, "UpdateService", read 2026,
       https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        load_balancer: ServiceLoadBalancer,
        service: ecs.FargateService,
        rollback_alarms: Sequence[cloudwatch.Alarm] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        deployment = config.service.deployment
        self._load_balancer = load_balancer
        self._service = service
        self.deployment_group: codedeploy.EcsDeploymentGroup | None = None
        shifts = deployment.has_two_target_groups and not deployment.by_code_deploy
        load_balancer.target_group.add_target(
            service.load_balancer_target(
                container_name=CONTAINER_NAME,
                container_port=config.application.container_port,
                alternate_target=self._alternate_target() if shifts else None,
            )
        )
        if deployment.by_code_deploy:
            self.deployment_group = self._make_deployment_group(deployment, rollback_alarms)

    def _alternate_target(self) -> ecs.AlternateTarget:
        load_balancer = self._load_balancer
        rule_of = ecs.ListenerRuleConfiguration.application_listener_rule
        return ecs.AlternateTarget(
            "Alternate",
            alternate_target_group=load_balancer.alternate_target_group,
            production_listener=rule_of(load_balancer.rule),
            test_listener=rule_of(load_balancer.test_rule) if load_balancer.test_rule else None,
            role=self._role("ecs.amazonaws.com", self._rights_of_ecs()),
        )

    def _role(self, service: str, statements: list[iam.PolicyStatement]) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(service),
            inline_policies={"Deploy": iam.PolicyDocument(statements=statements)},
        )
        acknowledge(role, _READING)
        return role

    def _rights_of_ecs(self) -> list[iam.PolicyStatement]:
        load_balancer = self._load_balancer
        groups = [load_balancer.target_group, load_balancer.alternate_target_group]
        return [
            iam.PolicyStatement(
                actions=[
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeRules",
                    "elasticloadbalancing:DescribeTargetGroups",
                    "elasticloadbalancing:DescribeTargetHealth",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                actions=["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
                resources=[group.target_group_arn for group in groups if group],
            ),
            *self._rights_to_shift(),
        ]

    def _rights_to_shift(self) -> list[iam.PolicyStatement]:
        load_balancer = self._load_balancer
        listeners = [load_balancer.listener, load_balancer.test_listener]
        rules = [load_balancer.rule, load_balancer.test_rule]
        rights = {
            "elasticloadbalancing:ModifyListener": [listener.listener_arn for listener in listeners if listener],
            "elasticloadbalancing:ModifyRule": [rule.listener_rule_arn for rule in rules if rule],
        }
        return [iam.PolicyStatement(actions=[right], resources=of) for right, of in rights.items() if of]

    def _make_deployment_group(
        self, deployment: DeploymentConfig, alarms: Sequence[cloudwatch.Alarm]
    ) -> codedeploy.EcsDeploymentGroup:
        load_balancer = self._load_balancer
        # The CDK would add AWS's managed policy, which is for every service of the account.
        task_sets = cdk.Stack.of(self).format_arn(
            service="ecs",
            resource="task-set",
            resource_name=f"{self._service.cluster.cluster_name}/{self._service.service_name}/*",
        )
        role = self._role("codedeploy.amazonaws.com", self._rights_of_code_deploy(task_sets))
        acknowledge(role, {f"AwsSolutions-IAM5[Resource::{_flat(cdk.Stack.of(self).resolve(task_sets))}]": _TASK_SETS})
        return codedeploy.EcsDeploymentGroup(
            self,
            "DeploymentGroup",
            application=codedeploy.EcsApplication(self, "Application"),
            service=self._service,
            role=role.without_policy_updates(),
            deployment_config=self._deployment_config(deployment),
            blue_green_deployment_config=codedeploy.EcsBlueGreenDeploymentConfig(
                blue_target_group=load_balancer.target_group,
                green_target_group=load_balancer.alternate_target_group,
                listener=load_balancer.listener,
                test_listener=load_balancer.test_listener,
                termination_wait_time=cdk.Duration.minutes(deployment.bake_time_in_minutes),
            ),
            alarms=list(alarms),
            # No alarm, no rollback: an alarm that cannot be read is one that nobody hears.
            ignore_poll_alarms_failure=False,
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=bool(alarms)
            ),
        )

    def _deployment_config(self, deployment: DeploymentConfig) -> codedeploy.IEcsDeploymentConfig:
        minutes = cdk.Duration.minutes
        match deployment.strategy:
            case "CANARY":
                routing = codedeploy.TrafficRouting.time_based_canary(
                    percentage=deployment.canary_percent, interval=minutes(deployment.canary_bake_time_in_minutes)
                )
            case "LINEAR":
                routing = codedeploy.TrafficRouting.time_based_linear(
                    percentage=deployment.step_percent, interval=minutes(deployment.step_bake_time_in_minutes)
                )
            case _:
                return codedeploy.EcsDeploymentConfig.ALL_AT_ONCE
        return codedeploy.EcsDeploymentConfig(self, "DeploymentConfig", traffic_routing=routing)

    def _rights_of_code_deploy(self, task_sets: str) -> list[iam.PolicyStatement]:
        """List the rights without those on hooks, topics and files in S3, which are not used: the AppSpec comes as text."""
        service = self._service
        roles = [service.task_definition.task_role, service.task_definition.obtain_execution_role()]
        return [
            iam.PolicyStatement(
                actions=[
                    "ecs:DescribeServices",
                    "ecs:CreateTaskSet",
                    "ecs:UpdateServicePrimaryTaskSet",
                    "ecs:DeleteTaskSet",
                ],
                resources=[service.service_arn, task_sets],
            ),
            iam.PolicyStatement(
                actions=[
                    "cloudwatch:DescribeAlarms",
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeRules",
                    "elasticloadbalancing:DescribeTargetGroups",
                ],
                resources=["*"],
            ),
            *self._rights_to_shift(),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn for role in roles],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ]


def _flat(value: Any) -> str:
    """Write a value of the template as cdk-nag does: references between angle brackets."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_flat, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
    return str(value)
