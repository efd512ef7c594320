"""The numbers the stack is built from: ``stack_config.json``, read, checked and frozen.

Notes
-----
The file is checked by hand and not with a validation library, so that the app needs nothing but the CDK. Every
refusal is one sentence with the key, the value found and what is allowed. ``stack_config.schema.json`` says the same to
editors.

What only AWS can answer is left to AWS: whether the region has that many zones, whether the certificate exists, and
whether memory and CPU form a pair that Fargate sells (cfn-lint and the deployment both tell).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .scaling_config import (
    HIGH_RESOLUTION_METRICS,
    MAX_CAPACITY,
    PolicyConfig,
    ScheduledActionConfig,
    TargetTrackingConfig,
    read_policies,
    read_scheduled_actions,
)
from .section import ConfigError, Section

SCHEMA_VERSION = 3

CPU_UNITS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)

OPERATING_SYSTEM_FAMILIES = ("LINUX", "WINDOWS_SERVER_2022_CORE")

# Fargate has Windows in these sizes.
WINDOWS_CPU_UNITS = (1024, 2048, 4096)

LAYOUTS = ("public", "nat", "endpoints")

# What a task in an isolated subnet cannot start without: the two halves of the image registry, and its log.
REQUIRED_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs")

# CloudWatch Logs takes these retentions only; the CDK knows each of them by a name.
LOG_RETENTION: Mapping[int, str] = MappingProxyType(
    {
        1: "ONE_DAY",
        3: "THREE_DAYS",
        5: "FIVE_DAYS",
        7: "ONE_WEEK",
        14: "TWO_WEEKS",
        30: "ONE_MONTH",
        60: "TWO_MONTHS",
        90: "THREE_MONTHS",
        120: "FOUR_MONTHS",
        150: "FIVE_MONTHS",
        180: "SIX_MONTHS",
        365: "ONE_YEAR",
        400: "THIRTEEN_MONTHS",
        545: "EIGHTEEN_MONTHS",
        731: "TWO_YEARS",
        1096: "THREE_YEARS",
        1827: "FIVE_YEARS",
        2192: "SIX_YEARS",
        2557: "SEVEN_YEARS",
        2922: "EIGHT_YEARS",
        3288: "NINE_YEARS",
        3653: "TEN_YEARS",
    }
)

_TASK_KEYS = "cpu_units memory_mib cpu_architecture operating_system_family ephemeral_storage_gib"
_NAME = r"[A-Za-z][A-Za-z0-9-]{0,127}"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_VALUE_FROM = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+(:[^:\s]*){0,3}"
_CERTIFICATE_ARN = r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+"
_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)"
    r"/(?P<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)(:[\w.-]{1,128})?(@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class EcrRepository:
    """The private ECR repository that an image comes from.

    Attributes
    ----------
    account : str
        Its AWS account, twelve digits.
    region : str
        Its region.
    name : str
        Its name, slashes included.
    """

    account: str
    region: str
    name: str


@dataclass(frozen=True)
class ApplicationConfig:
    """What runs, whatever its size.

    Attributes
    ----------
    image : str or None
        Container image. None makes it the parameter ``ContainerImage``, asked for at each deployment.
    container_port : int
        TCP port on which the container listens for HTTP.
    health_check_path : str
        Path that the load balancer asks for.
    environment : Mapping[str, str]
        Environment variables in plain text.
    secrets : Mapping[str, str]
        Environment variables filled from Secrets Manager: name to ARN, or ``arn:json-key:version-stage:version-id``.
    certificate_arn : str or None
        ACM certificate in the stack's region. With it the load balancer serves HTTPS, and port 80 only redirects.
    stop_timeout_s : int
        Time between SIGTERM and SIGKILL. [s]
    log_retention_days : int
        How long CloudWatch Logs keeps a line. [d]
    """

    image: str | None
    container_port: int
    health_check_path: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    certificate_arn: str | None
    stop_timeout_s: int
    log_retention_days: int

    @property
    def ecr_repository(self) -> EcrRepository | None:
        """The private ECR repository of `image`, or None if it is a parameter or comes from elsewhere."""
        match = _ECR_IMAGE.fullmatch(self.image or "")
        return EcrRepository(match["account"], match["region"], match["repository"]) if match else None


@dataclass(frozen=True)
class NetworkConfig:
    """Where the tasks live, and how they reach the rest of AWS.

    Attributes
    ----------
    layout : str
        ``public``: public subnets and public addresses; ``nat``: private subnets behind NAT gateways;
        ``endpoints``: isolated subnets with interface endpoints.
    availability_zones : int
        Zones with a subnet of each kind.
    nat_gateways : int
        NAT gateways, spread over the zones; 0 unless the layout is ``nat``.
    interface_endpoints : tuple[str, ...]
        AWS services with an interface endpoint in each zone; empty unless the layout is ``endpoints``.
    """

    layout: str
    availability_zones: int
    nat_gateways: int
    interface_endpoints: tuple[str, ...]


@dataclass(frozen=True)
class TaskConfig:
    """The size of one task.

    Attributes
    ----------
    cpu_units : int
        CPU. [1/1024 vCPU]
    memory_mib : int
        Memory. [MiB]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    operating_system_family : str
        ``LINUX`` or ``WINDOWS_SERVER_2022_CORE``.
    ephemeral_storage_gib : int
        Disk of a task; the first 20 are included. [GiB]
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: str
    operating_system_family: str
    ephemeral_storage_gib: int


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
    minimum_healthy_percent : int
        Fewest healthy tasks during a deployment, as a part of the desired count. [%]
    maximum_percent : int
        Most tasks during a deployment, as a part of the desired count. [%]
    """

    capacity_provider_strategy: CapacityProviderStrategyConfig
    min_capacity: int
    max_capacity: int
    health_check_grace_s: int
    minimum_healthy_percent: int
    maximum_percent: int


@dataclass(frozen=True)
class LoadBalancerConfig:
    """The timings of the target group.

    Attributes
    ----------
    health_check_interval_s : int
        Time between two health checks of a task. [s]
    deregistration_delay_s : int
        Time that a task leaving the service may still take to answer. [s]
    """

    health_check_interval_s: int
    deregistration_delay_s: int


@dataclass(frozen=True)
class StackConfig:
    """All of ``stack_config.json`` that the stack is built from; its ``estimate`` and ``scenario`` are for people.

    Attributes
    ----------
    name : str
        Name of the CloudFormation stack.
    region : str
        AWS region.
    fingerprint : str
        SHA-256 of the plan, in hexadecimal; a tag on every resource.
    prices_published : str
        Date of the prices that the estimate was made with, as YYYY-MM-DD; a tag on every resource.
    application : ApplicationConfig
        What runs.
    network : NetworkConfig
        Where it runs.
    task : TaskConfig
        The size of one task.
    service : ServiceConfig
        How many tasks.
    scaling : tuple[PolicyConfig, ...]
        The policies that change that number.
    scheduled_actions : tuple[ScheduledActionConfig, ...]
        What changes its bounds.
    load_balancer : LoadBalancerConfig
        Timings of the target group.
    """

    name: str
    region: str
    fingerprint: str
    prices_published: str
    application: ApplicationConfig
    network: NetworkConfig
    task: TaskConfig
    service: ServiceConfig
    scaling: tuple[PolicyConfig, ...]
    scheduled_actions: tuple[ScheduledActionConfig, ...]
    load_balancer: LoadBalancerConfig

    @property
    def high_resolution_metrics(self) -> tuple[str, ...]:
        """Metrics of the service that a policy needs every 20 seconds."""
        tracked = [policy.predefined_metric_type for policy in self.scaling if isinstance(policy, TargetTrackingConfig)]
        return tuple(sorted(HIGH_RESOLUTION_METRICS[metric] for metric in tracked if metric in HIGH_RESOLUTION_METRICS))


def load_config(path: Path) -> StackConfig:
    """Read and check a configuration file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    StackConfig
        Its content.

    Raises
    ------
    ConfigError
        If the file is missing, is not JSON, or holds something that no stack can be built from.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing; an export writes it beside app.py.") from None
    except ValueError as error:  # neither JSON nor UTF-8
        raise ConfigError(f"{path} is not JSON: {error}.") from None
    return parse_config(document)


def parse_config(document: object) -> StackConfig:
    """Check a configuration document.

    Parameters
    ----------
    document : object
        What the JSON text holds.

    Returns
    -------
    StackConfig
        Its content.

    Raises
    ------
    ConfigError
        If a key is missing or unknown, a value is not allowed, or two values contradict each other.
    """
    # Before anything else: a newer document may well have other keys.
    if isinstance(document, dict) and "schema_version" in document:
        _check_schema_version(document["schema_version"])
    root = Section(
        "",
        document,
        "schema_version name region fingerprint prices_published application network task service scaling "
        "scheduled_actions load_balancer estimate scenario",
    )
    root.section("estimate")
    root.section("scenario")
    config = StackConfig(
        name=root.text("name", _NAME, "a letter, then letters, digits and hyphens, at most 128, is needed"),
        region=root.text("region", _REGION, "an AWS region such as 'ca-central-1' is needed"),
        fingerprint=root.text("fingerprint", r"[0-9a-f]{64}", "64 hexadecimal digits are needed"),
        prices_published=root.date("prices_published"),
        application=_application(
            root.section(
                "application",
                "image container_port health_check_path environment secrets certificate_arn stop_timeout_s "
                "log_retention_days",
            )
        ),
        network=_network(root.section("network", "layout availability_zones nat_gateways interface_endpoints")),
        task=_task(root.section("task", _TASK_KEYS)),
        service=_service(
            root.section(
                "service",
                "capacity_provider_strategy min_capacity max_capacity health_check_grace_s minimum_healthy_percent "
                "maximum_percent",
            )
        ),
        scaling=read_policies(root),
        scheduled_actions=read_scheduled_actions(root),
        load_balancer=_load_balancer(root.section("load_balancer", "health_check_interval_s deregistration_delay_s")),
    )
    _check_together(config)
    return config


def _check_schema_version(found: object) -> None:
    if type(found) is not int or found < 1:
        raise ConfigError(f"schema_version is {found!r}: {SCHEMA_VERSION} is needed.")
    if found != SCHEMA_VERSION:
        raise ConfigError(
            f"schema_version is {found}, {'newer' if found > SCHEMA_VERSION else 'older'} than this app, which reads "
            f"{SCHEMA_VERSION}: export the plan again, the app and its configuration together."
        )


def _application(section: Section) -> ApplicationConfig:
    arn = "the ARN of a secret in Secrets Manager is needed"
    return ApplicationConfig(
        image=section.optional_text("image", r"\S+", "an image such as 'nginx:1.29', or null, is needed"),
        container_port=section.integer("container_port", 1, 65535),
        health_check_path=section.text("health_check_path", r"/[!-~]{0,1023}", "a path that starts with / is needed"),
        environment=section.variables("environment", r"(?s).*", "text in quotes is needed"),
        secrets=section.variables("secrets", _VALUE_FROM, arn),
        certificate_arn=section.optional_text(
            "certificate_arn", _CERTIFICATE_ARN, "the ARN of an ACM certificate, or null, is needed"
        ),
        stop_timeout_s=section.integer("stop_timeout_s", 1, 120),
        log_retention_days=section.choice("log_retention_days", tuple(LOG_RETENTION)),
    )


def _network(section: Section) -> NetworkConfig:
    return NetworkConfig(
        layout=section.choice("layout", LAYOUTS),
        availability_zones=section.integer("availability_zones", 2, 6),
        nat_gateways=section.integer("nat_gateways", 0, 6),
        interface_endpoints=section.names(
            "interface_endpoints", r"[a-z0-9-]+(\.[a-z0-9-]+)*", "a list of different names such as 'ecr.api' is needed"
        ),
    )


def _task(section: Section) -> TaskConfig:
    return TaskConfig(
        cpu_units=section.choice("cpu_units", CPU_UNITS),
        memory_mib=section.integer("memory_mib", 512, 249856),
        cpu_architecture=section.choice("cpu_architecture", ("X86_64", "ARM64")),
        operating_system_family=section.choice("operating_system_family", OPERATING_SYSTEM_FAMILIES),
        ephemeral_storage_gib=section.integer("ephemeral_storage_gib", 20, 200),
    )


def _service(section: Section) -> ServiceConfig:
    return ServiceConfig(
        capacity_provider_strategy=_strategy(
            section.section("capacity_provider_strategy", "fargate_base fargate_weight fargate_spot_weight")
        ),
        # At 0 tasks there is neither CPU nor a request to measure, so that scaling would never start one again.
        min_capacity=section.integer("min_capacity", 1, MAX_CAPACITY),
        max_capacity=section.integer("max_capacity", 1, MAX_CAPACITY),
        health_check_grace_s=section.integer("health_check_grace_s", 0, 86400),
        minimum_healthy_percent=section.integer("minimum_healthy_percent", 0, 100),
        maximum_percent=section.integer("maximum_percent", 100, 200),
    )


def _strategy(section: Section) -> CapacityProviderStrategyConfig:
    strategy = CapacityProviderStrategyConfig(
        fargate_base=section.integer("fargate_base", 0, 100_000),
        fargate_weight=section.integer("fargate_weight", 0, 1000),
        fargate_spot_weight=section.integer("fargate_spot_weight", 0, 1000),
    )
    if not strategy.fargate_weight and not strategy.fargate_spot_weight:
        raise section.refusal("fargate_spot_weight", 0, "at least 1 is needed where fargate_weight is 0 too")
    return strategy


def _load_balancer(section: Section) -> LoadBalancerConfig:
    return LoadBalancerConfig(
        health_check_interval_s=section.integer("health_check_interval_s", 5, 300),
        deregistration_delay_s=section.integer("deregistration_delay_s", 0, 3600),
    )


def _check_together(config: StackConfig) -> None:
    """Refuse values that are allowed one by one and not together."""
    application, network = config.application, config.network
    _check_capacity(config)
    _check_windows(config)
    twice = sorted(application.environment.keys() & application.secrets.keys())
    if twice:
        raise ConfigError(f"application.secrets has {twice[0]!r}, which application.environment has too.")
    certificate = re.fullmatch(_CERTIFICATE_ARN, application.certificate_arn or "")
    if certificate and certificate["region"] != config.region:
        raise ConfigError(
            f"application.certificate_arn is {application.certificate_arn!r}: "
            f"a load balancer takes a certificate of its own region only, {config.region!r}."
        )
    if network.layout == "nat" and not 1 <= network.nat_gateways <= network.availability_zones:
        raise ConfigError(
            f"network.nat_gateways is {network.nat_gateways}: layout 'nat' takes 1 to {network.availability_zones}, "
            "at most one in each zone."
        )
    if network.layout != "nat" and network.nat_gateways:
        raise ConfigError(f"network.nat_gateways is {network.nat_gateways}: layout {network.layout!r} takes 0.")
    if network.layout != "endpoints" and network.interface_endpoints:
        raise ConfigError(
            f"network.interface_endpoints is {list(network.interface_endpoints)}: layout {network.layout!r} takes []."
        )
    if network.layout == "endpoints":
        _check_isolated(config)


def _check_capacity(config: StackConfig) -> None:
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
    # ECS rounds the one down and the other up.
    most = service.min_capacity * service.maximum_percent // 100
    fewest = -(-service.min_capacity * service.minimum_healthy_percent // 100)
    if most <= fewest:
        raise ConfigError(
            f"service.maximum_percent is {service.maximum_percent}: with minimum_healthy_percent "
            f"{service.minimum_healthy_percent}, a deployment of {service.min_capacity} tasks, service.min_capacity, could neither start a "
            "new one nor stop an old one; raise the first or lower the second."
        )


def _check_windows(config: StackConfig) -> None:
    """Refuse tasks that Fargate does not run with Windows."""
    task = config.task
    family = task.operating_system_family
    if family == "LINUX":
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


def _check_isolated(config: StackConfig) -> None:
    """Refuse tasks in isolated subnets that could not start for want of an endpoint."""
    application, endpoints = config.application, config.network.interface_endpoints
    for endpoint in (*REQUIRED_ENDPOINTS, *(("secretsmanager",) if application.secrets else ())):
        if endpoint not in endpoints:
            raise ConfigError(
                f"network.interface_endpoints is {list(endpoints)}: "
                f"a task in an isolated subnet needs {endpoint!r} to start."
            )
    if application.image is not None and ".dkr-ecr." in application.image:
        raise ConfigError(
            f"application.image is {application.image!r}: ECR's interface endpoints do not serve its dual-stack names; "
            f"write '.dkr.ecr.{config.region}.amazonaws.com'."
        )
    repository = application.ecr_repository
    if application.image is not None and (repository is None or repository.region != config.region):
        raise ConfigError(
            f"application.image is {application.image!r}: an isolated subnet reaches only private ECR repositories "
            f"of {config.region!r}; push the image there, or choose layout 'nat' or 'public'."
        )
