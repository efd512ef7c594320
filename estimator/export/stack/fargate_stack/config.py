"""The numbers the stack is built from: ``stack_config.json``, read, checked and frozen.

Notes
-----
The file is checked by hand and not with a validation library, so that the app needs nothing but the CDK. Every
refusal is one sentence with the key, the value found and what is allowed. ``stack_config.schema.json`` says the same to
editors. Each part has a module of its own; what joins two parts is in ``config_checks``.

What only AWS can answer is left to AWS: whether the region has that many zones, whether the certificate exists, and
whether memory and CPU form a pair that Fargate sells (cfn-lint and the deployment both tell).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from .application_config import ApplicationConfig, TaskConfig, read_application, read_task
from .config_checks import check_together
from .edge_config import EdgeConfig, read_edge
from .load_balancer_config import LoadBalancerConfig, read_load_balancer
from .network_config import ClusterConfig, NetworkConfig, read_cluster, read_network
from .observability_config import ObservabilityConfig, read_observability
from .scaling_config import (
    HIGH_RESOLUTION_METRICS,
    PolicyConfig,
    ScheduledActionConfig,
    TargetTrackingConfig,
    read_policies,
    read_scheduled_actions,
)
from .section import ConfigError, Section
from .service_config import ServiceConfig, read_service

SCHEMA_VERSION = 4

_NAME = r"[A-Za-z][A-Za-z0-9-]{0,127}"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"


@dataclass(frozen=True)
class SecurityConfig:
    """What is kept under a key of one's own.

    Attributes
    ----------
    kms_keys : int
        1 for a key of one's own, under which log groups are encrypted; 0 for AWS's keys.
    """

    kms_keys: int


@dataclass(frozen=True)
class RepositoryConfig:
    """The ECR repository for the application's image.

    Attributes
    ----------
    images_kept : int
        Newest images that stay; older ones are removed.
    """

    images_kept: int


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
    cluster : ClusterConfig
        Under which cluster.
    task : TaskConfig
        The size of one task.
    service : ServiceConfig
        How many tasks, and how they are replaced.
    scaling : tuple[PolicyConfig, ...]
        The policies that change that number.
    scheduled_actions : tuple[ScheduledActionConfig, ...]
        What changes its bounds.
    load_balancer : LoadBalancerConfig
        The load balancer.
    edge : EdgeConfig
        What stands before it.
    observability : ObservabilityConfig
        Alarms, dashboard and budget.
    security : SecurityConfig
        Keys of one's own.
    repository : RepositoryConfig or None
        The ECR repository to make; None for none.
    """

    name: str
    region: str
    fingerprint: str
    prices_published: str
    application: ApplicationConfig
    network: NetworkConfig
    cluster: ClusterConfig
    task: TaskConfig
    service: ServiceConfig
    scaling: tuple[PolicyConfig, ...]
    scheduled_actions: tuple[ScheduledActionConfig, ...]
    load_balancer: LoadBalancerConfig
    edge: EdgeConfig
    observability: ObservabilityConfig
    security: SecurityConfig
    repository: RepositoryConfig | None

    @property
    def high_resolution_metrics(self) -> tuple[str, ...]:
        """Metrics of the service that a policy needs every 20 seconds."""
        tracked = [policy.predefined_metric_type for policy in self.scaling if isinstance(policy, TargetTrackingConfig)]
        return tuple(sorted(HIGH_RESOLUTION_METRICS[metric] for metric in tracked if metric in HIGH_RESOLUTION_METRICS))

    @property
    def makes_certificate(self) -> bool:
        """Whether the stack asks for a certificate itself: it has a domain for it and is given none."""
        return (
            self.edge.domain is not None
            and self.application.certificate_arn is None
            and self.load_balancer.existing is None
        )

    @property
    def serves_https(self) -> bool:
        """Whether the load balancer serves HTTPS."""
        return self.application.certificate_arn is not None or self.makes_certificate


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
        "schema_version name region fingerprint prices_published application network cluster task service scaling "
        "scheduled_actions load_balancer edge observability security repository estimate scenario",
    )
    root.section("estimate")
    root.section("scenario")
    config = StackConfig(
        name=root.text("name", _NAME, "a letter, then letters, digits and hyphens, at most 128, is needed"),
        region=root.text("region", _REGION, "an AWS region such as 'ca-central-1' is needed"),
        fingerprint=root.text("fingerprint", r"[0-9a-f]{64}", "64 hexadecimal digits are needed"),
        prices_published=root.date("prices_published"),
        application=read_application(root),
        network=read_network(root),
        cluster=read_cluster(root),
        task=read_task(root),
        service=read_service(root),
        scaling=read_policies(root),
        scheduled_actions=read_scheduled_actions(root),
        load_balancer=read_load_balancer(root),
        edge=read_edge(root.section("edge")),
        observability=read_observability(root.section("observability")),
        security=SecurityConfig(root.section("security", "kms_keys").integer("kms_keys", 0, 1)),
        repository=_repository(root),
    )
    check_together(config)
    return config


def _check_schema_version(found: object) -> None:
    if type(found) is not int or found < 1:
        raise ConfigError(f"schema_version is {found!r}: {SCHEMA_VERSION} is needed.")
    if found != SCHEMA_VERSION:
        raise ConfigError(
            f"schema_version is {found}, {'newer' if found > SCHEMA_VERSION else 'older'} than this app, which reads "
            f"{SCHEMA_VERSION}: export the plan again, the app and its configuration together."
        )


def _repository(root: Section) -> RepositoryConfig | None:
    section = root.optional_section("repository", "images_kept")
    # AWS, "Lifecycle policy properties in Amazon ECR": a countNumber is any positive number.
    return None if section is None else RepositoryConfig(section.integer("images_kept", 1, 100_000))
