"""The service: what a task is, and the rules by which ECS keeps tasks running."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import re

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from .cluster import ServiceCluster
from .config import LOG_RETENTION, CapacityProviderStrategyConfig, StackConfig
from .image import container_image
from .load_balancer import PublicLoadBalancer
from .network import ServiceNetwork

CONTAINER_NAME = "web"

# Fargate includes this much with each task, and takes no smaller wish.
INCLUDED_STORAGE_GIB = 20

# How often a service publishes the metrics that the policies of high resolution track. [s]
HIGH_RESOLUTION_S = 20


class WebService(Construct):
    """A Fargate service behind a load balancer.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        What to run, and how much of it.
    network : ServiceNetwork
        Where the tasks go.
    cluster : ServiceCluster
        The cluster.
    load_balancer : PublicLoadBalancer
        Where the requests come from.

    Attributes
    ----------
    log_group : aws_cdk.aws_logs.LogGroup
        What the containers print.
    service : aws_cdk.aws_ecs.FargateService
        The service.

    Notes
    -----
    The template has no ``DesiredCount``. Written there, each deployment would set the number of tasks back to it in the
    middle of a peak. A new service starts with one task, and registering the scalable target lifts it to the minimum at
    once: "it changes the resource's current capacity to a value that is inside of this range" [1]_.

    References
    ----------
    .. [1] AWS, "RegisterScalableTarget", read 2026-11-23,
       https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        network: ServiceNetwork,
        cluster: ServiceCluster,
        load_balancer: PublicLoadBalancer,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=getattr(logs.RetentionDays, LOG_RETENTION[config.application.log_retention_days]),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        security_group = ec2.SecurityGroup(
            self, "TaskSecurityGroup", vpc=network.vpc, description="Tasks: in from the load balancer only"
        )
        network.open_endpoints_to(security_group)
        task_definition = self._task_definition(config)
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster.cluster,
            task_definition=task_definition,
            # A strategy and no launch type: ECS takes one or the other.
            capacity_provider_strategies=_strategies(config.service.capacity_provider_strategy),
            vpc_subnets=network.task_subnets,
            assign_public_ip=network.assign_public_ip,
            security_groups=[security_group],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            min_healthy_percent=config.service.minimum_healthy_percent,
            max_healthy_percent=config.service.maximum_percent,
            health_check_grace_period=cdk.Duration.seconds(config.service.health_check_grace_s),
            # Fargate bills its tasks: without this the bill could not be split by the stack's tags.
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        load_balancer.target_group.add_target(
            self.service.load_balancer_target(
                container_name=CONTAINER_NAME, container_port=config.application.container_port
            )
        )
        if config.high_resolution_metrics:
            # Only those that a policy needs: CloudWatch bills each.
            self.service.node.default_child.monitoring = ecs.CfnService.MonitoringConfigurationProperty(
                metric_configurations=[
                    ecs.CfnService.MetricConfigurationProperty(
                        metric_names=list(config.high_resolution_metrics), resolution_seconds=HIGH_RESOLUTION_S
                    )
                ]
            )
        # Else the first tasks may look for their image before there is a way or a right to it, and the circuit breaker
        # gives up.
        self.service.node.default_child.node.add_dependency(*network.ways_out, task_definition.execution_role)

    def _task_definition(self, config: StackConfig) -> ecs.FargateTaskDefinition:
        application, task = config.application, config.task
        storage_gib = task.ephemeral_storage_gib
        task_definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=task.cpu_units,
            memory_limit_mib=task.memory_mib,
            ephemeral_storage_gib=storage_gib if storage_gib > INCLUDED_STORAGE_GIB else None,
            runtime_platform=ecs.RuntimePlatform(
                operating_system_family=getattr(ecs.OperatingSystemFamily, task.operating_system_family),
                cpu_architecture=getattr(ecs.CpuArchitecture, task.cpu_architecture),
            ),
        )
        task_definition.add_container(
            CONTAINER_NAME,
            container_name=CONTAINER_NAME,
            image=container_image(task_definition, config, task_definition.obtain_execution_role()),
            port_mappings=[ecs.PortMapping(container_port=application.container_port)],
            environment=dict(application.environment),
            secrets={name: self._secret(name, arn) for name, arn in application.secrets.items()},
            stop_timeout=cdk.Duration.seconds(application.stop_timeout_s),
            logging=ecs.LogDrivers.aws_logs(log_group=self.log_group, stream_prefix=config.name),
        )
        return task_definition

    def _secret(self, name: str, reference: str) -> ecs.Secret:
        # ECS's own notation: the ARN has seven parts, and up to three more choose a JSON key and a version.
        parts = reference.split(":")
        arn, (key, stage, version) = ":".join(parts[:7]), (*parts[7:], "", "", "")[:3]
        if re.search(r"-[A-Za-z0-9]{6}$", arn):
            secret = secretsmanager.Secret.from_secret_complete_arn(self, f"Secret{name}", arn)
        else:
            secret = secretsmanager.Secret.from_secret_partial_arn(self, f"Secret{name}", arn)
        if stage or version:
            info = ecs.SecretVersionInfo(version_stage=stage or None, version_id=version or None)
            return ecs.Secret.from_secrets_manager_version(secret, info, key or None)
        return ecs.Secret.from_secrets_manager(secret, key or None)


def _strategies(strategy: CapacityProviderStrategyConfig) -> list[ecs.CapacityProviderStrategy]:
    items = [
        ("FARGATE", strategy.fargate_base, strategy.fargate_weight),
        ("FARGATE_SPOT", 0, strategy.fargate_spot_weight),
    ]
    return [
        ecs.CapacityProviderStrategy(capacity_provider=name, base=base or None, weight=weight)
        for name, base, weight in items
        if base or weight
    ]
