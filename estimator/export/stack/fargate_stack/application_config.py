"""What runs and on what: the application, its other containers, and the size of one task."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .log_config import LOG_CLASSES, LOG_RETENTION
from .section import ConfigError, Section

# The name of the application's own container.
CONTAINER_NAME = "web"

# AWS, "Amazon ECS service quotas", read 2026: ten containers in a task definition, the application's own among them.
MAX_SIDECARS = 9

# AWS, "ContainerDefinition", read 2026: "you should not specify less than 6 MiB of memory for your containers".
MIN_CONTAINER_MEMORY_MIB = 6

CPU_UNITS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)

OPERATING_SYSTEM_FAMILIES = ("LINUX", "WINDOWS_SERVER_2022_CORE")

_ENVIRONMENT = r"(?s).*"
_VALUE_FROM = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+(:[^:\s]*){0,3}"
CERTIFICATE_ARN = r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+"
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
class SidecarConfig:
    """A container beside the application's own, in the same task.

    Attributes
    ----------
    name : str
        Its name in the task.
    image : str
        Its image.
    essential : bool
        Whether the task stops when it stops.
    environment : Mapping[str, str]
        Environment variables in plain text.
    cpu_units : int or None
        CPU kept for it; None leaves it a share of what is free. [1/1024 vCPU]
    memory_mib : int or None
        Memory above which it is killed; None for all of the task's. [MiB]
    """

    name: str
    image: str
    essential: bool
    environment: Mapping[str, str]
    cpu_units: int | None
    memory_mib: int | None


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
    health_check_command : tuple[str, ...] or None
        What ECS runs in the container to see whether it is well, in ECS's notation; None for no such check.
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
    log_class : str
        ``STANDARD`` or ``INFREQUENT_ACCESS``.
    user : str or None
        User, and group after a colon, that the container runs as; None for the image's own.
    readonly_root_filesystem : bool
        Whether the containers' own disks are read-only.
    sidecars : tuple[SidecarConfig, ...]
        The other containers of a task.
    """

    image: str | None
    container_port: int
    health_check_path: str
    health_check_command: tuple[str, ...] | None
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    certificate_arn: str | None
    stop_timeout_s: int
    log_retention_days: int
    log_class: str
    user: str | None
    readonly_root_filesystem: bool
    sidecars: tuple[SidecarConfig, ...]


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

    @property
    def is_windows(self) -> bool:
        """Whether tasks run Windows."""
        return self.operating_system_family != "LINUX"


def ecr_repository(image: str | None) -> EcrRepository | None:
    """Say which private ECR repository an image comes from.

    Parameters
    ----------
    image : str or None
        The image.

    Returns
    -------
    EcrRepository or None
        The repository; None if the image is a parameter or comes from elsewhere.
    """
    match = _ECR_IMAGE.fullmatch(image or "")
    return EcrRepository(match["account"], match["region"], match["repository"]) if match else None


def read_application(root: Section) -> ApplicationConfig:
    """Read the key ``application``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    ApplicationConfig
        What runs.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    section = root.section(
        "application",
        "image container_port health_check_path health_check_command environment secrets certificate_arn stop_timeout_s "
        "log_retention_days log_class user readonly_root_filesystem sidecars",
    )
    application = ApplicationConfig(
        image=section.optional_text("image", r"\S+", "an image such as 'nginx:1.29', or null, is needed"),
        container_port=section.integer("container_port", 1, 65535),
        health_check_path=section.text("health_check_path", r"/[!-~]{0,1023}", "a path that starts with / is needed"),
        health_check_command=_health_check_command(section),
        environment=section.variables("environment", _ENVIRONMENT, "text in quotes is needed"),
        secrets=section.variables("secrets", _VALUE_FROM, "the ARN of a secret in Secrets Manager is needed"),
        certificate_arn=section.optional_text(
            "certificate_arn", CERTIFICATE_ARN, "the ARN of an ACM certificate, or null, is needed"
        ),
        stop_timeout_s=section.integer("stop_timeout_s", 1, 120),
        log_retention_days=section.choice("log_retention_days", tuple(LOG_RETENTION)),
        log_class=section.choice("log_class", LOG_CLASSES),
        user=section.optional_text(
            "user", r"[^\s:]+(:[^\s:]+)?", "a user such as '1000' or 'app:app', or null, is needed"
        ),
        readonly_root_filesystem=section.boolean("readonly_root_filesystem"),
        sidecars=_sidecars(section),
    )
    twice = sorted(application.environment.keys() & application.secrets.keys())
    if twice:
        raise ConfigError(f"application.secrets has {twice[0]!r}, which application.environment has too.")
    return application


def _health_check_command(section: Section) -> tuple[str, ...] | None:
    """Read a command in ECS's notation, by AWS's rule for it [1]_.

    References
    ----------
    .. [1] AWS, "HealthCheck", read 2026: "The string array must start with CMD to run the command arguments directly, or
       CMD-SHELL to run the command with the container's default shell",
       https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    """
    needed = """a list such as ["CMD-SHELL", "curl -f http://localhost:8080/ || exit 1"], or null, is needed"""
    command = section.optional_texts("health_check_command", needed)
    if command is None:
        return None
    known = len(command) == 2 if command[:1] == ("CMD-SHELL",) else command[:1] == ("CMD",) and len(command) > 1
    if not known or not all(part.strip() for part in command):
        raise section.refusal("health_check_command", list(command), needed)
    return command


def _sidecars(section: Section) -> tuple[SidecarConfig, ...]:
    taken = {CONTAINER_NAME}
    sidecars = []
    for part in section.sections("sidecars", 0, MAX_SIDECARS, "name image essential environment cpu_units memory_mib"):
        sidecar = SidecarConfig(
            name=part.text("name", r"[A-Za-z0-9_-]{1,255}", "letters, digits, hyphens and underscores are needed"),
            image=part.text("image", r"\S+", "an image such as 'nginx:1.29' is needed"),
            essential=part.boolean("essential"),
            environment=part.variables("environment", _ENVIRONMENT, "text in quotes is needed"),
            cpu_units=part.optional_integer("cpu_units", 1, CPU_UNITS[-1]),
            memory_mib=part.optional_integer("memory_mib", MIN_CONTAINER_MEMORY_MIB, 249856),
        )
        if sidecar.name in taken:
            raise part.refusal("name", sidecar.name, "a name that no other container of the task has is needed")
        taken.add(sidecar.name)
        sidecars.append(sidecar)
    return tuple(sidecars)


def read_task(root: Section) -> TaskConfig:
    """Read the key ``task``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    TaskConfig
        The size of one task.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    section = root.section(
        "task", "cpu_units memory_mib cpu_architecture operating_system_family ephemeral_storage_gib"
    )
    return TaskConfig(
        cpu_units=section.choice("cpu_units", CPU_UNITS),
        memory_mib=section.integer("memory_mib", 512, 249856),
        cpu_architecture=section.choice("cpu_architecture", ("X86_64", "ARM64")),
        operating_system_family=section.choice("operating_system_family", OPERATING_SYSTEM_FAMILIES),
        ephemeral_storage_gib=section.integer("ephemeral_storage_gib", 20, 200),
    )
