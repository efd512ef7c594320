"""How many tasks, of which provider, and how a new revision takes over."""

import math
from dataclasses import dataclass

from .scaling_config import MAX_CAPACITY
from .section import ConfigError, Section

CONTROLLERS = ("ECS", "CODE_DEPLOY")

STRATEGIES = ("ROLLING", "BLUE_GREEN", "CANARY", "LINEAR")

# CloudFormation gives a deployment 36 hours, and refuses one that plans with more than this. [min]
MAX_DEPLOYMENT_MINUTES = 33 * 60

# AWS, "DeploymentConfiguration", read 2026: every one of its times is at most a day. [min]
MAX_MINUTES = 1440


@dataclass(frozen=True)
class CapacityProviderStrategyConfig:
    """How tasks are spread over Fargate's two capacity providers.

    Attributes
    ----------
    fargate_base : int
        Tasks that run on ``FARGATE`` before weights count.
    fargate_weight : int
        Weight of ``FARGATE`` for the other tasks.
    fargate_spot_weight : int
        Weight of ``FARGATE_SPOT`` for the other tasks.
    """

    fargate_base: int
    fargate_weight: int
    fargate_spot_weight: int


@dataclass(frozen=True)
class DeploymentConfig:
    """How a new revision takes over; the numbers of another strategy are not used.

    Attributes
    ----------
    controller : str
        ``ECS``, or ``CODE_DEPLOY`` for a deployment group of CodeDeploy.
    strategy : str
        ``ROLLING``, ``BLUE_GREEN``, ``CANARY`` or ``LINEAR``.
    minimum_healthy_percent : int
        Fewest healthy tasks during a rolling deployment, as a part of the desired count. [%]
    maximum_percent : int
        Most tasks during a rolling deployment, as a part of the desired count. [%]
    bake_time_in_minutes : int
        How long the old tasks stay after all requests have shifted. [min]
    canary_percent : float
        Part of the requests that the canary gets. [%]
    canary_bake_time_in_minutes : int
        How long the canary is watched before the rest follows. [min]
    step_percent : float
        Part of the requests that a linear deployment shifts at a time. [%]
    step_bake_time_in_minutes : int
        Time between two such steps. [min]
    """

    controller: str
    strategy: str
    minimum_healthy_percent: int
    maximum_percent: int
    bake_time_in_minutes: int
    canary_percent: float
    canary_bake_time_in_minutes: int
    step_percent: float
    step_bake_time_in_minutes: int

    @property
    def by_code_deploy(self) -> bool:
        """Whether CodeDeploy deploys, and not ECS itself."""
        return self.controller == "CODE_DEPLOY"

    @property
    def has_two_target_groups(self) -> bool:
        """Whether both revisions stand behind the load balancer during a deployment, each in its target group."""
        return self.strategy != "ROLLING"


@dataclass(frozen=True)
class ServiceConfig:
    """How many tasks, of which provider, and how they are replaced.

    Attributes
    ----------
    capacity_provider_strategy : CapacityProviderStrategyConfig
        What the tasks run on.
    min_capacity : int
        Least number of tasks.
    max_capacity : int
        Largest number of tasks.
    health_check_grace_s : int
        Time in which a new task may fail health checks while it boots. [s]
    deployment : DeploymentConfig
        How a new revision takes over.
    """

    capacity_provider_strategy: CapacityProviderStrategyConfig
    min_capacity: int
    max_capacity: int
    health_check_grace_s: int
    deployment: DeploymentConfig


def read_service(root: Section) -> ServiceConfig:
    """Read the key ``service``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    ServiceConfig
        How many tasks.

    Raises
    ------
    ConfigError
        If a value is not allowed, or the numbers of the deployment are none that its controller takes.
    """
    section = root.section(
        "service", "capacity_provider_strategy min_capacity max_capacity health_check_grace_s deployment"
    )
    return ServiceConfig(
        capacity_provider_strategy=_strategy(section),
        # At 0 tasks there is neither CPU nor a request to measure, so that scaling would never start one again.
        min_capacity=section.integer("min_capacity", 1, MAX_CAPACITY),
        max_capacity=section.integer("max_capacity", 1, MAX_CAPACITY),
        health_check_grace_s=section.integer("health_check_grace_s", 0, 86400),
        deployment=_deployment(section),
    )


def _strategy(service: Section) -> CapacityProviderStrategyConfig:
    section = service.section("capacity_provider_strategy", "fargate_base fargate_weight fargate_spot_weight")
    strategy = CapacityProviderStrategyConfig(
        fargate_base=section.integer("fargate_base", 0, 100_000),
        fargate_weight=section.integer("fargate_weight", 0, 1000),
        fargate_spot_weight=section.integer("fargate_spot_weight", 0, 1000),
    )
    if not strategy.fargate_weight and not strategy.fargate_spot_weight:
        raise section.refusal("fargate_spot_weight", 0, "at least 1 is needed where fargate_weight is 0 too")
    return strategy


def _deployment(service: Section) -> DeploymentConfig:
    section = service.section(
        "deployment",
        "controller strategy minimum_healthy_percent maximum_percent bake_time_in_minutes canary_percent "
        "canary_bake_time_in_minutes step_percent step_bake_time_in_minutes",
    )
    deployment = DeploymentConfig(
        controller=section.choice("controller", CONTROLLERS),
        strategy=section.choice("strategy", STRATEGIES),
        minimum_healthy_percent=section.integer("minimum_healthy_percent", 0, 100),
        maximum_percent=section.integer("maximum_percent", 100, 200),
        bake_time_in_minutes=section.integer("bake_time_in_minutes", 0, MAX_MINUTES),
        canary_percent=_percent(section, "canary_percent", 0.1),
        canary_bake_time_in_minutes=section.integer("canary_bake_time_in_minutes", 0, MAX_MINUTES),
        step_percent=_percent(section, "step_percent", 3),
        step_bake_time_in_minutes=section.integer("step_bake_time_in_minutes", 0, MAX_MINUTES),
    )
    if deployment.by_code_deploy:
        _check_code_deploy(deployment)
    else:
        _check_length(deployment)
    return deployment


def _percent(section: Section, key: str, low: float) -> float:
    """Read a part of the requests, by AWS's rule for it [1]_.

    References
    ----------
    .. [1] AWS, "CanaryConfiguration" and "LinearConfiguration", read 2026: multiples of 0.1, from 0.1 and from 3.0,
       https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html
    """
    found = section.number(key, 100)
    if found < low or abs(found * 10 - round(found * 10)) > 1e-9:
        raise section.refusal(key, found, f"a multiple of 0.1 from {low} to 100 is needed")
    return found


def _check_length(deployment: DeploymentConfig) -> None:
    """Refuse a deployment that CloudFormation would not wait for [1]_.

    References
    ----------
    .. [1] AWS, "AWS::ECS::Service CanaryConfiguration" and "LinearConfiguration", read 2026: rejected "when the calculated deployment time
       exceeds 33 hours", https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ecs-service-linearconfiguration.html
    """
    shift, key = {
        "CANARY": (deployment.canary_bake_time_in_minutes, "canary_bake_time_in_minutes"),
        # Nothing is waited for after the last step.
        "LINEAR": (
            (math.ceil(100 / deployment.step_percent - 1e-9) - 1) * deployment.step_bake_time_in_minutes,
            "step_bake_time_in_minutes",
        ),
    }.get(deployment.strategy, (0, ""))
    whole = shift + deployment.bake_time_in_minutes
    if shift and whole > MAX_DEPLOYMENT_MINUTES:
        raise ConfigError(
            f"service.deployment.{key} is {getattr(deployment, key)}: a deployment would take {whole} minutes with its bake time, and "
            f"CloudFormation takes {MAX_DEPLOYMENT_MINUTES} at the most; shorten a time, or shift in larger steps."
        )


def _check_code_deploy(deployment: DeploymentConfig) -> None:
    """Refuse what CodeDeploy has no word for [1]_.

    References
    ----------
    .. [1] AWS, "TimeBasedCanary" and "TimeBasedLinear", read 2026: whole percents, and minutes between the increments,
       https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TimeBasedCanary.html
    """
    where = "service.deployment"
    if deployment.strategy == "ROLLING":
        raise ConfigError(
            f"{where}.strategy is 'ROLLING': with CODE_DEPLOY the strategy is BLUE_GREEN, CANARY or LINEAR; take controller 'ECS' to roll."
        )
    used = {
        "CANARY": ("canary_percent", "canary_bake_time_in_minutes"),
        "LINEAR": ("step_percent", "step_bake_time_in_minutes"),
    }.get(deployment.strategy)
    if used is None:
        return
    percent, minutes = (getattr(deployment, key) for key in used)
    if percent != int(percent) or percent > 99:
        raise ConfigError(f"{where}.{used[0]} is {percent}: with CODE_DEPLOY a whole number up to 99 is needed.")
    if minutes < 1:
        raise ConfigError(f"{where}.{used[1]} is {minutes}: with CODE_DEPLOY at least 1 minute is needed.")
