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
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

SCHEMA_VERSION = 1

CPU_UNITS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)

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

PREDEFINED_METRIC_TYPES = (
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "ALBRequestCountPerTarget",
)

_NAME = r"[A-Za-z][A-Za-z0-9-]{0,127}"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_.-]*"
_VALUE_FROM = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+(:[^:\s]*){0,3}"
_CERTIFICATE_ARN = r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+"
_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/(?P<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)(:[\w.-]{1,128})?(@sha256:[0-9a-f]{64})?"
)


class ConfigError(ValueError):
    """A ``stack_config.json`` that no stack can be built from; the message is one sentence for its author."""


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
    ephemeral_storage_gib : int
        Disk of a task; the first 20 are included. [GiB]
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: str
    ephemeral_storage_gib: int


@dataclass(frozen=True)
class ServiceConfig:
    """How many tasks, and of which provider.

    Attributes
    ----------
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    min_capacity : int
        Least number of tasks.
    max_capacity : int
        Largest number of tasks.
    health_check_grace_s : int
        Time in which a new task may fail health checks while it boots. [s]
    """

    capacity_provider: str
    min_capacity: int
    max_capacity: int
    health_check_grace_s: int


@dataclass(frozen=True)
class ScalingConfig:
    """The target-tracking policy.

    Attributes
    ----------
    policy_type : str
        ``TargetTrackingScaling``.
    predefined_metric_type : str
        The metric that is held at its target, one of `PREDEFINED_METRIC_TYPES`.
    target_value : float
        The target. [%, or requests/min per task for ``ALBRequestCountPerTarget``]
    scale_out_cooldown_s : int
        Wait after scaling out. [s]
    scale_in_cooldown_s : int
        Wait after scaling in. [s]
    disable_scale_in : bool
        Whether the policy never removes a task.
    """

    policy_type: str
    predefined_metric_type: str
    target_value: float
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    disable_scale_in: bool


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
    scaling : ScalingConfig
        What changes that number.
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
    scaling: ScalingConfig
    load_balancer: LoadBalancerConfig


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
    root = _Section(
        "",
        document,
        "schema_version name region fingerprint prices_published application network task service scaling "
        "load_balancer estimate scenario",
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
        task=_task(root.section("task", "cpu_units memory_mib cpu_architecture ephemeral_storage_gib")),
        service=_service(root.section("service", "capacity_provider min_capacity max_capacity health_check_grace_s")),
        scaling=_scaling(
            root.section(
                "scaling",
                "policy_type predefined_metric_type target_value scale_out_cooldown_s scale_in_cooldown_s "
                "disable_scale_in",
            )
        ),
        load_balancer=_load_balancer(root.section("load_balancer", "health_check_interval_s deregistration_delay_s")),
    )
    _check_together(config)
    return config


def _check_schema_version(found: object) -> None:
    if type(found) is int and found > SCHEMA_VERSION:
        raise ConfigError(
            f"schema_version is {found}, newer than this app, which reads {SCHEMA_VERSION}: "
            "export the plan again, the app and its configuration together."
        )
    if type(found) is not int or found < 1:
        raise ConfigError(f"schema_version is {found!r}: {SCHEMA_VERSION} is needed.")


def _application(section: "_Section") -> ApplicationConfig:
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


def _network(section: "_Section") -> NetworkConfig:
    return NetworkConfig(
        layout=section.choice("layout", LAYOUTS),
        availability_zones=section.integer("availability_zones", 2, 6),
        nat_gateways=section.integer("nat_gateways", 0, 6),
        interface_endpoints=section.names(
            "interface_endpoints", r"[a-z0-9-]+(\.[a-z0-9-]+)*", "a list of different names such as 'ecr.api' is needed"
        ),
    )


def _task(section: "_Section") -> TaskConfig:
    return TaskConfig(
        cpu_units=section.choice("cpu_units", CPU_UNITS),
        memory_mib=section.integer("memory_mib", 512, 249856),
        cpu_architecture=section.choice("cpu_architecture", ("X86_64", "ARM64")),
        ephemeral_storage_gib=section.integer("ephemeral_storage_gib", 20, 200),
    )


def _service(section: "_Section") -> ServiceConfig:
    return ServiceConfig(
        capacity_provider=section.choice("capacity_provider", ("FARGATE", "FARGATE_SPOT")),
        # At 0 tasks there is neither CPU nor a request to measure, so that scaling would never start one again.
        min_capacity=section.integer("min_capacity", 1, 5000),
        max_capacity=section.integer("max_capacity", 1, 5000),
        health_check_grace_s=section.integer("health_check_grace_s", 0, 86400),
    )


def _scaling(section: "_Section") -> ScalingConfig:
    metric = section.choice("predefined_metric_type", PREDEFINED_METRIC_TYPES)
    return ScalingConfig(
        policy_type=section.choice("policy_type", ("TargetTrackingScaling",)),
        predefined_metric_type=metric,
        target_value=section.number("target_value", math.inf if metric == "ALBRequestCountPerTarget" else 100),
        scale_out_cooldown_s=section.integer("scale_out_cooldown_s", 0, 86400),
        scale_in_cooldown_s=section.integer("scale_in_cooldown_s", 0, 86400),
        disable_scale_in=section.choice("disable_scale_in", (False, True)),
    )


def _load_balancer(section: "_Section") -> LoadBalancerConfig:
    return LoadBalancerConfig(
        health_check_interval_s=section.integer("health_check_interval_s", 5, 300),
        deregistration_delay_s=section.integer("deregistration_delay_s", 0, 3600),
    )


def _check_together(config: StackConfig) -> None:
    """Refuse values that are allowed one by one and not together."""
    application, network, service = config.application, config.network, config.service
    if service.max_capacity < service.min_capacity:
        raise ConfigError(
            f"service.max_capacity is {service.max_capacity}, below service.min_capacity, {service.min_capacity}."
        )
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


def _check_isolated(config: StackConfig) -> None:
    """Refuse tasks in isolated subnets that could not start for want of an endpoint."""
    application, endpoints = config.application, config.network.interface_endpoints
    for endpoint in (*REQUIRED_ENDPOINTS, *(("secretsmanager",) if application.secrets else ())):
        if endpoint not in endpoints:
            raise ConfigError(
                f"network.interface_endpoints is {list(endpoints)}: "
                f"a task in an isolated subnet needs {endpoint!r} to start."
            )
    repository = application.ecr_repository
    if application.image is not None and (repository is None or repository.region != config.region):
        raise ConfigError(
            f"application.image is {application.image!r}: an isolated subnet reaches only private ECR repositories "
            f"of {config.region!r}; push the image there, or choose layout 'nat' or 'public'."
        )


_T = TypeVar("_T")


class _Section:
    """One JSON object of the document; its methods read one key each, and name it when they refuse its value."""

    def __init__(self, path: str, value: object, keys: str | None = None) -> None:
        if not isinstance(value, dict):
            raise ConfigError(f"{path or 'stack_config.json'} is {value!r}: a JSON object is needed.")
        self._path = path
        self._values: dict[str, Any] = value
        known = keys.split() if keys else list(value)
        for key in known:
            if key not in value:
                raise ConfigError(f"{self._name(key)} is missing; this part needs {', '.join(known)}.")
        for key, found in value.items():
            if key not in known:
                raise ConfigError(f"{self._name(key)} is {found!r}, but is no known key: {', '.join(known)}.")

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _refuse(self, key: str, found: object, needed: str) -> ConfigError:
        return ConfigError(f"{self._name(key)} is {found!r}: {needed}.")

    def section(self, key: str, keys: str | None = None) -> "_Section":
        return _Section(self._name(key), self._values[key], keys)

    def integer(self, key: str, low: int, high: int) -> int:
        found = self._values[key]
        if type(found) is not int or not low <= found <= high:  # bool is an int too
            raise self._refuse(key, found, f"a whole number from {low} to {high} is needed")
        return found

    def number(self, key: str, high: float) -> float:
        found = self._values[key]
        if type(found) not in (int, float) or not 0 < found <= high or math.isinf(found):
            most = f" and at most {high}" if math.isfinite(high) else ""
            raise self._refuse(key, found, f"a number above 0{most} is needed")
        return float(found)

    def choice(self, key: str, allowed: tuple[_T, ...]) -> _T:
        found = self._values[key]
        for value in allowed:
            if type(found) is type(value) and found == value:  # in Python True == 1
                return value
        words = ", ".join(json.dumps(value) for value in allowed)
        raise self._refuse(key, found, f"{words} is needed" if len(allowed) == 1 else f"one of {words} is needed")

    def text(self, key: str, pattern: str, needed: str) -> str:
        found = self._values[key]
        if not isinstance(found, str) or not re.fullmatch(pattern, found):
            raise self._refuse(key, found, needed)
        return found

    def optional_text(self, key: str, pattern: str, needed: str) -> str | None:
        return None if self._values[key] is None else self.text(key, pattern, needed)

    def date(self, key: str) -> str:
        found = self.text(key, r"\d{4}-\d{2}-\d{2}", "a date such as '2026-06-19' is needed")
        try:
            date.fromisoformat(found)
        except ValueError:
            raise self._refuse(key, found, "a date of the calendar is needed") from None
        return found

    def names(self, key: str, pattern: str, needed: str) -> tuple[str, ...]:
        found = self._values[key]
        if (
            not isinstance(found, list)
            or not all(isinstance(name, str) and re.fullmatch(pattern, name) for name in found)
            or len(set(found)) != len(found)
        ):
            raise self._refuse(key, found, needed)
        return tuple(found)

    def variables(self, key: str, pattern: str, needed: str) -> Mapping[str, str]:
        values = self.section(key)
        for name in values._values:
            if not re.fullmatch(_VARIABLE, name):
                raise self._refuse(key, name, "a name of letters, digits and underscores is needed")
            values.text(name, pattern, needed)
        return MappingProxyType(dict(sorted(values._values.items())))
