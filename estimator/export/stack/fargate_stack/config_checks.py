"""What is allowed part by part and not together: what AWS refuses, or what could never work."""

import re
from typing import TYPE_CHECKING

from .application_config import CERTIFICATE_ARN, ecr_repository
from .edge_config import check_edge
from .load_balancer_config import LOAD_BALANCER_ARN
from .observability_config import check_observability
from .scaling_config import MAX_CAPACITY, TARGET_GROUP_METRICS, PolicyConfig, StepScalingConfig, TargetTrackingConfig
from .section import ConfigError

if TYPE_CHECKING:
    from .config import StackConfig

# Fargate has Windows in these sizes.
WINDOWS_CPU_UNITS = (1024, 2048, 4096)

# What a task in an isolated subnet cannot start without: the two halves of the image registry, and its log.
REQUIRED_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs")


def check_together(config: "StackConfig") -> None:
    """Refuse values that are allowed one by one and not together.

    Parameters
    ----------
    config : StackConfig
        All of the configuration.

    Raises
    ------
    ConfigError
        If two values contradict each other.
    """
    _check_capacity(config)
    _check_windows(config)
    _check_sidecars(config)
    _check_regions(config)
    _check_requests_are_of_one_target_group(config)
    _check_code_deploy(config)
    if config.load_balancer.existing and not config.network.existing:
        raise ConfigError(
            "network.existing is None: load_balancer.existing stands in a VPC, and its tasks have to be in the same; "
            "the VPC and its subnets are needed."
        )
    if config.network.layout == "endpoints":
        _check_isolated(config)
    _check_cloudfront(config)
    check_edge(config)
    check_observability(config)


def _check_capacity(config: "StackConfig") -> None:
    """Refuse bounds that never go together, and deployments that could replace no task."""
    service = config.service
    if service.max_capacity < service.min_capacity:
        raise ConfigError(
            f"service.max_capacity is {service.max_capacity}, below service.min_capacity, {service.min_capacity}."
        )
    highest = max([service.max_capacity, *(action.max_capacity or 0 for action in config.scheduled_actions)])
    lowest = min([service.min_capacity, *(action.min_capacity or MAX_CAPACITY for action in config.scheduled_actions)])
    for number, action in enumerate(config.scheduled_actions):
        where = f"scheduled_actions[{number}]"
        if action.min_capacity is not None and action.min_capacity > highest:
            raise ConfigError(
                f"{where}.min_capacity is {action.min_capacity}: max_capacity, here or elsewhere, is never above {highest}."
            )
        if action.max_capacity is not None and action.max_capacity < lowest:
            raise ConfigError(
                f"{where}.max_capacity is {action.max_capacity}: min_capacity, here or elsewhere, is never below {lowest}."
            )
    deployment = service.deployment
    if deployment.strategy != "ROLLING":
        return
    # ECS rounds the one down and the other up.
    most = service.min_capacity * deployment.maximum_percent // 100
    fewest = -(-service.min_capacity * deployment.minimum_healthy_percent // 100)
    if most <= fewest:
        raise ConfigError(
            f"service.deployment.maximum_percent is {deployment.maximum_percent}: with minimum_healthy_percent "
            f"{deployment.minimum_healthy_percent}, a deployment of {service.min_capacity} tasks, service.min_capacity, could neither start a "
            "new one nor stop an old one; raise the first or lower the second."
        )


def _check_windows(config: "StackConfig") -> None:
    """Refuse tasks that Fargate does not run with Windows."""
    task, application = config.task, config.application
    family = task.operating_system_family
    if not task.is_windows:
        return
    if task.cpu_architecture != "X86_64":
        raise ConfigError(f"task.cpu_architecture is {task.cpu_architecture!r}: {family} runs on 'X86_64' only.")
    if task.cpu_units not in WINDOWS_CPU_UNITS:
        allowed = ", ".join(map(str, WINDOWS_CPU_UNITS))
        raise ConfigError(f"task.cpu_units is {task.cpu_units}: {family} takes one of {allowed}.")
    weight = config.service.capacity_provider_strategy.fargate_spot_weight
    if weight:
        raise ConfigError(
            f"service.capacity_provider_strategy.fargate_spot_weight is {weight}: {family} does not run on Fargate Spot; 0 is needed."
        )
    # AWS, "ContainerDefinition", read 2026: neither is supported for Windows containers.
    if application.user is not None:
        raise ConfigError(f"application.user is {application.user!r}: {family} takes no user; null is needed.")
    if application.readonly_root_filesystem:
        raise ConfigError(
            f"application.readonly_root_filesystem is True: {family} has no read-only disk; false is needed."
        )


def _check_sidecars(config: "StackConfig") -> None:
    """Refuse containers that leave the application nothing.

    References
    ----------
    .. [1] AWS, "ContainerDefinition", read 2026: what the containers keep for themselves must be lower than what the task has,
       https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """
    for key in ("cpu_units", "memory_mib"):
        kept, whole = (
            sum(getattr(sidecar, key) or 0 for sidecar in config.application.sidecars),
            getattr(config.task, key),
        )
        if kept >= whole:
            raise ConfigError(
                f"application.sidecars have {kept} in {key} together: less than task.{key}, {whole}, is needed, so that something is left for "
                "the application."
            )


def _check_regions(config: "StackConfig") -> None:
    """Refuse what a load balancer of this region cannot use, and zones of another region."""
    certificate_arn = config.application.certificate_arn
    certificate = re.fullmatch(CERTIFICATE_ARN, certificate_arn or "")
    if certificate and certificate["region"] != config.region:
        raise ConfigError(
            f"application.certificate_arn is {certificate_arn!r}: "
            f"a load balancer takes a certificate of its own region only, {config.region!r}."
        )
    zones = config.network.existing.availability_zones if config.network.existing else ()
    if not all(zone.startswith(config.region) for zone in zones):
        raise ConfigError(
            f"network.existing.availability_zones is {list(zones)}: zones of {config.region!r} are needed."
        )
    existing = config.load_balancer.existing
    load_balancer = re.fullmatch(LOAD_BALANCER_ARN, existing.arn) if existing else None
    if existing and load_balancer and load_balancer["region"] != config.region:
        raise ConfigError(
            f"load_balancer.existing.arn is {existing.arn!r}: a load balancer of {config.region!r} is needed."
        )


def _check_requests_are_of_one_target_group(config: "StackConfig") -> None:
    """Refuse to scale by the requests of one target group where another takes its place at each deployment [1]_.

    References
    ----------
    .. [1] AWS, "Use a target metric to scale Amazon ECS services", read 2026: "The ALBRequestCountPerTarget metric for target tracking
       scaling policies is not supported for the blue/green deployment type.",
       https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
    """
    deployment = config.service.deployment
    if not deployment.has_two_target_groups:
        return
    for number, policy in enumerate(config.scaling):
        key, metric = _metric(policy)
        if metric in TARGET_GROUP_METRICS:
            raise ConfigError(
                f"scaling[{number}].{key} is {metric!r}: with service.deployment.strategy {deployment.strategy} the requests move from one "
                "target group to another, and AWS does not scale by requests then; scale by CPU or memory, or deploy with ROLLING."
            )


def _metric(policy: PolicyConfig) -> tuple[str, str]:
    """Name a policy's metric, and the key that it stands under."""
    if isinstance(policy, TargetTrackingConfig):
        return "predefined_metric_type", policy.predefined_metric_type
    if isinstance(policy, StepScalingConfig):
        return "metric_name", policy.metric_name
    return "predefined_metric_pair_type", policy.predefined_metric_pair_type


def _check_code_deploy(config: "StackConfig") -> None:
    """Refuse what a service that CodeDeploy deploys does not have [1]_.

    References
    ----------
    .. [1] AWS, "Faster auto scaling with high-resolution metrics", "Considerations", read 2026: with the ECS deployment controller only,
       https://docs.aws.amazon.com/AmazonECS/latest/developerguide/target-tracking-faster-auto-scaling.html
    """
    if not config.service.deployment.by_code_deploy:
        return
    if config.high_resolution_metrics:
        raise ConfigError(
            f"service.deployment.controller is 'CODE_DEPLOY': ECS publishes metrics every 20 seconds, here "
            f"{', '.join(config.high_resolution_metrics)}, for services that it deploys itself only; take controller 'ECS', or the metrics "
            "of a minute."
        )


def _check_cloudfront(config: "StackConfig") -> None:
    """Refuse to choose clients by their address where all requests come from CloudFront's."""
    cidrs = config.load_balancer.ingress_cidrs
    if config.edge.cloudfront and cidrs != ("0.0.0.0/0",):
        raise ConfigError(
            f"load_balancer.ingress_cidrs is {list(cidrs)}: behind CloudFront only CloudFront reaches the load balancer, whoever asks; "
            "['0.0.0.0/0'] is needed."
        )


def _check_isolated(config: "StackConfig") -> None:
    """Refuse tasks in isolated subnets that could not start for want of an endpoint."""
    application, network = config.application, config.network
    endpoints = network.interface_endpoints
    for endpoint in (*REQUIRED_ENDPOINTS, *(("secretsmanager",) if application.secrets else ())):
        # An existing VPC has its own, and may share those of another.
        if not network.existing and endpoint not in endpoints:
            raise ConfigError(
                f"network.interface_endpoints is {list(endpoints)}: "
                f"a task in an isolated subnet needs {endpoint!r} to start."
            )
    images = {"application.image": application.image} | {
        f"application.sidecars[{number}].image": sidecar.image for number, sidecar in enumerate(application.sidecars)
    }
    for where, image in images.items():
        if image is None:
            continue
        if ".dkr-ecr." in image:
            raise ConfigError(
                f"{where} is {image!r}: ECR's interface endpoints do not serve its dual-stack names; "
                f"write '.dkr.ecr.{config.region}.amazonaws.com'."
            )
        repository = ecr_repository(image)
        if repository is None or repository.region != config.region:
            raise ConfigError(
                f"{where} is {image!r}: an isolated subnet reaches only private ECR repositories "
                f"of {config.region!r}; push the image there, or choose layout 'nat' or 'public'."
            )
