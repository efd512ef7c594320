"""The service: what a task is, and the rules by which ECS keeps tasks running."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from .application_config import CONTAINER_NAME, SidecarConfig
from .cluster import ServiceCluster
from .config import StackConfig
from .delivery import deployment_properties
from .image import application_image, named_image
from .log_config import LOG_RETENTION
from .log_storage import acknowledge
from .network import ServiceNetwork
from .service_config import CapacityProviderStrategyConfig

# Fargate includes this much with each task, and takes no smaller wish.
INCLUDED_STORAGE_GIB = 20

# How often a service publishes the metrics that the policies of high resolution track. [s]
HIGH_RESOLUTION_S = 20

# Where an application with a read-only disk may write. [MiB]
TMP_PATH, TMP_MIB = "/tmp", 64  # noqa: S108

# AWS, "HealthCheck", read 2026: a container's failures do not count for so long at the most. [s]
MAX_START_PERIOD_S = 300

_PLAIN_ENVIRONMENT = {
    "AwsSolutions-ECS2": "What is secret is under application.secrets, and comes from Secrets Manager."
}
_PULLING = {
    "AwsSolutions-IAM5[Resource::*]": "ecr:GetAuthorizationToken is for a registry as a whole: AWS knows no resource for it."
}


class WebService(Construct):
    """A Fargate service, to be put behind a load balancer.

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
    key : aws_cdk.aws_kms.IKey or None
        Key for the log group; None for AWS's own.
    rollback_alarms : Sequence[aws_cdk.aws_cloudwatch.Alarm]
        Alarms that undo a deployment.

    Attributes
    ----------
    log_group : aws_cdk.aws_logs.LogGroup
        What the containers print.
    security_group : aws_cdk.aws_ec2.SecurityGroup
        That of the tasks.
    task_definition : aws_cdk.aws_ecs.FargateTaskDefinition
        What a task is.
    service : aws_cdk.aws_ecs.FargateService
        The service.

    Notes
    -----
    The template has no ``DesiredCount``. Written there, each deployment would set the number of tasks back to it in the
    middle of a peak. A new service starts with one task, and registering the scalable target lifts it to the minimum at
    once: "it changes the resource's current capacity to a value that is inside of this range" [1]_.

    With a read-only disk ``/tmp`` is in memory, and any user may write there. A volume of the task would be root's, and an
    application with another user could not. Fargate has had such mounts since January 2026 [2]_; what lies there is memory of
    the task.

    References
    ----------
    .. [1] AWS, "RegisterScalableTarget", read 2026-11-23,
       https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    .. [2] AWS, "Amazon ECS supports tmpfs mounts on AWS Fargate and ECS Managed Instances", 2026-01-06, read 2026,
       https://aws.amazon.com/about-aws/whats-new/2026/01/amazon-ecs-tmpfs-mounts-aws-fargate-managed-instances/
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        network: ServiceNetwork,
        cluster: ServiceCluster,
        key: kms.IKey | None = None,
        rollback_alarms: Sequence[cloudwatch.Alarm] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=getattr(logs.RetentionDays, LOG_RETENTION[config.application.log_retention_days]),
            log_group_class=getattr(logs.LogGroupClass, config.application.log_class),
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.security_group = network.make_task_security_group(self)
        self.task_definition = self._task_definition(config)
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster.cluster,
            task_definition=self.task_definition,
            # A strategy and no launch type: ECS takes one or the other.
            capacity_provider_strategies=_strategies(config.service.capacity_provider_strategy),
            vpc_subnets=network.task_subnets,
            assign_public_ip=network.assign_public_ip,
            security_groups=[self.security_group],
            health_check_grace_period=cdk.Duration.seconds(config.service.health_check_grace_s),
            # Fargate bills its tasks: without this the bill could not be split by the stack's tags.
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            **deployment_properties(config.service.deployment, rollback_alarms),
        )
        # It is of rolling deployments only; the CDK recommends it for all.
        cdk.Annotations.of(self.service).acknowledge_warning("@aws-cdk/aws-ecs:shouldUseCircuitBreaker")
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
        self.service.node.default_child.node.add_dependency(*network.ways_out, self.task_definition.execution_role)

    def _task_definition(self, config: StackConfig) -> ecs.FargateTaskDefinition:
        task = config.task
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
        if config.service.deployment.by_code_deploy:
            # CloudFormation would retire the old revision as soon as it has made the new one, which nothing uses yet.
            options = task_definition.node.default_child.cfn_options
            options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
            options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        self._add_application(task_definition, config)
        for sidecar in config.application.sidecars:
            self._add_sidecar(task_definition, sidecar, config.name)
        application = config.application
        if application.environment or any(sidecar.environment for sidecar in application.sidecars):
            acknowledge(task_definition, _PLAIN_ENVIRONMENT)
        acknowledge(task_definition.obtain_execution_role(), _PULLING)
        return task_definition

    def _add_application(self, task_definition: ecs.FargateTaskDefinition, config: StackConfig) -> None:
        application, windows = config.application, config.task.is_windows
        task_definition.add_container(
            CONTAINER_NAME,
            container_name=CONTAINER_NAME,
            image=application_image(task_definition, config, task_definition.obtain_execution_role()),
            port_mappings=[ecs.PortMapping(container_port=application.container_port)],
            environment=dict(application.environment),
            secrets={name: self._secret(name, arn) for name, arn in application.secrets.items()},
            stop_timeout=cdk.Duration.seconds(application.stop_timeout_s),
            health_check=_health_check(config),
            user=application.user,
            readonly_root_filesystem=application.readonly_root_filesystem or None,
            linux_parameters=None if windows else self._linux_parameters(application.readonly_root_filesystem),
            logging=self._logging(config.name),
        )

    def _linux_parameters(self, readonly: bool) -> ecs.LinuxParameters:
        # A process of number 1 that passes signals on, so that the stop timeout is not waited for in vain, and takes in
        # orphans. Windows has neither.
        parameters = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        if readonly:
            # Few applications do without a place for temporary files.
            parameters.add_tmpfs(
                ecs.Tmpfs(container_path=TMP_PATH, size=TMP_MIB, mount_options=[ecs.TmpfsMountOption.RW])
            )
        return parameters

    def _add_sidecar(
        self, task_definition: ecs.FargateTaskDefinition, sidecar: SidecarConfig, stream_prefix: str
    ) -> None:
        # Its image is somebody else's: whether it can do with a disk that is read-only is not known.
        task_definition.add_container(
            sidecar.name,
            container_name=sidecar.name,
            image=named_image(
                task_definition,
                f"Repository-{sidecar.name}",
                sidecar.image,
                task_definition.obtain_execution_role(),
            ),
            essential=sidecar.essential,
            environment=dict(sidecar.environment),
            cpu=sidecar.cpu_units,
            memory_limit_mib=sidecar.memory_mib,
            logging=self._logging(stream_prefix),
        )

    def _logging(self, stream_prefix: str) -> ecs.LogDriver:
        return ecs.LogDrivers.aws_logs(log_group=self.log_group, stream_prefix=stream_prefix)

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


def _health_check(config: StackConfig) -> ecs.HealthCheck | None:
    """Check as often as the load balancer does, and wait for a boot as long as it does."""
    command = config.application.health_check_command
    if command is None:
        return None
    return ecs.HealthCheck(
        command=list(command),
        interval=cdk.Duration.seconds(config.load_balancer.health_check_interval_s),
        start_period=cdk.Duration.seconds(min(config.service.health_check_grace_s, MAX_START_PERIOD_S)),
    )


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
