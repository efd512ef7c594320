"""StackOptions: what an exported stack has besides what is planned and billed, such as names of what is there already, or who is told of an alarm."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario

#: AWS's values of ``DeploymentController.Type`` that a service behind a load balancer may have here.
ECS, CODE_DEPLOY = "ECS", "CODE_DEPLOY"
DEPLOYMENT_CONTROLLERS = (ECS, CODE_DEPLOY)
#: What ECS runs in a container to learn whether it is well begins with one of these; AWS, "HealthCheck", read 2026.
_HEALTH_CHECK_KINDS = ("CMD", "CMD-SHELL")
_E_MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"


@dataclass(frozen=True)
class Sidecar:
    """A container that runs beside the application's in each task, and shares its CPU and memory.

    Parameters
    ----------
    name : str
        Name of the container.
    image : str
        Container image.
    essential : bool
        True if the task stops when it stops.
    environment : dict of str to str
        Environment variables.
    cpu_units : int, optional
        CPU of the task that is kept for it; null for no share of its own. [1/1024 vCPU]
    memory_mib : int, optional
        Memory at which it is stopped; null for that of the task. [MiB]

    Raises
    ------
    InvalidScenario
        If a value is not allowed.
    """

    name: str
    image: str
    essential: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    cpu_units: int | None = field(default=None, metadata={"low": 1, "high": 32_768, "whole": True})
    memory_mib: int | None = field(default=None, metadata={"low": 6, "high": 249_856, "whole": True})

    def __post_init__(self) -> None:
        require_in_range(self)
        _require_text("name", self.name, r"[A-Za-z0-9_-]{1,255}", "letters, digits, hyphens and underscores")
        _require_text("image", self.image, r"\S+", "an image such as public.ecr.aws/xray/aws-xray-daemon:3")


@dataclass(frozen=True)
class ExistingVpc:
    """A VPC that is there already, with its subnets.

    Parameters
    ----------
    vpc_id : str
        Its id, such as ``vpc-0123456789abcdef0``.
    availability_zones : tuple of str
        Zones of the subnets, in their order, such as ``eu-west-1a``.
    load_balancer_subnet_ids : tuple of str
        A public subnet in each zone.
    task_subnet_ids : tuple of str
        A subnet for the tasks in each zone, with the way out that the network layout says.

    Raises
    ------
    InvalidScenario
        If an id is none, or there is not one subnet of each kind for each zone.
    """

    vpc_id: str
    availability_zones: tuple[str, ...]
    load_balancer_subnet_ids: tuple[str, ...]
    task_subnet_ids: tuple[str, ...]

    def __post_init__(self) -> None:
        _require_text("vpc_id", self.vpc_id, r"vpc-[0-9a-f]+", "an id such as vpc-0123456789abcdef0")
        zones = len(self.availability_zones)
        if zones < 2:
            raise InvalidScenario(f"availability_zones has {zones} zones; an Application Load Balancer needs two.")
        for name in ("load_balancer_subnet_ids", "task_subnet_ids"):
            ids = getattr(self, name)
            if len(ids) != zones:
                raise InvalidScenario(
                    f"{name} has {len(ids)} subnets for {zones} availability_zones; give one for each."
                )
            for place, one in enumerate(ids):
                _require_text(f"{name}[{place}]", one, r"subnet-[0-9a-f]+", "an id such as subnet-0123456789abcdef0")


@dataclass(frozen=True)
class ExistingLoadBalancer:
    """An Application Load Balancer that is there already, with the listeners that the service is to be behind.

    Parameters
    ----------
    arn : str
        Its ARN.
    security_group_id : str
        Its security group, to which the tasks open their port.
    listener_arn : str
        Listener of the clients.
    dns_name : str
        Its name in DNS.
    test_listener_arn : str, optional
        Listener for tests of a new revision; without it a new revision gets traffic untested.

    Raises
    ------
    InvalidScenario
        If an ARN or id is none.
    """

    arn: str
    security_group_id: str
    listener_arn: str
    dns_name: str
    test_listener_arn: str | None = None

    def __post_init__(self) -> None:
        arn = r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:"
        _require_text("arn", self.arn, arn + r"loadbalancer/app/\S+", "the ARN of an Application Load Balancer")
        _require_text(
            "security_group_id", self.security_group_id, r"sg-[0-9a-f]+", "an id such as sg-0123456789abcdef0"
        )
        for name in ("listener_arn", "test_listener_arn"):
            value = getattr(self, name)
            if value is not None:
                _require_text(name, value, arn + r"listener/app/\S+", "the ARN of a listener of it")
        _require_text("dns_name", self.dns_name, r"[A-Za-z0-9.-]+", "a name such as web-1.eu-west-1.elb.amazonaws.com")


@dataclass(frozen=True)
class Domain:
    """A name of the service in a hosted zone of Route 53 that is there already.

    Parameters
    ----------
    name : str
        The name, such as ``shop.example.com``.
    hosted_zone_id : str
        The zone's id, such as ``Z0123456789ABCDEFGHIJ``.
    hosted_zone_name : str
        The zone's name, such as ``example.com``.

    Raises
    ------
    InvalidScenario
        If the name is not in the zone.
    """

    name: str
    hosted_zone_id: str
    hosted_zone_name: str

    def __post_init__(self) -> None:
        named = r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"
        _require_text("name", self.name, named, "a domain name such as shop.example.com")
        _require_text("hosted_zone_id", self.hosted_zone_id, r"Z[A-Z0-9]+", "an id such as Z0123456789ABCDEFGHIJ")
        _require_text("hosted_zone_name", self.hosted_zone_name, named, "a domain name such as example.com")
        if self.name != self.hosted_zone_name and not self.name.endswith(f".{self.hosted_zone_name}"):
            raise InvalidScenario(
                f"name is {shown(self.name)}; it must be {self.hosted_zone_name} or end in .{self.hosted_zone_name}, the hosted zone."
            )


@dataclass(frozen=True)
class StackOptions:
    """What an exported stack has besides; nothing here changes the course or the bill of a service.

    Parameters
    ----------
    deployment_controller : str
        ``ECS``, or ``CODE_DEPLOY``, which shifts traffic as the deployment strategy says.
    canary_percent : float
        Part of the traffic that a canary deployment shifts first. [percent]
    health_check_command : tuple of str, optional
        What ECS runs in the container to learn whether it is well, such as ``["CMD-SHELL", "curl -f http://localhost:8080/ || exit 1"]``; null to leave it
        to the load balancer.
    user : str, optional
        User that the container runs as; null for the image's.
    readonly_root_filesystem : bool
        True if the container cannot write to its own file system; ``/tmp`` is then 64 MiB of the task's memory.
    sidecars : tuple of Sidecar
        Containers beside the application's.
    vpc : ExistingVpc, optional
        A VPC that is there already; null to make one.
    cluster_name : str, optional
        A cluster that is there already; null to make one.
    cloud_map_namespace : str, optional
        Name of a Cloud Map namespace to make for the cluster; null for none.
    load_balancer : ExistingLoadBalancer, optional
        A load balancer that is there already; null to make one.
    test_port : int
        Port of the load balancer on which a new revision can be tested before it has traffic.
    ingress_cidrs : tuple of str
        Addresses from which the load balancer can be reached.
    deletion_protection : bool
        True if the load balancer cannot be deleted before this is switched off.
    repository : bool
        True to make an ECR repository in a stack of its own.
    domain : Domain, optional
        Name of the service; without ``certificate_arn`` of the application the certificate is made too.
    cloudfront_domain_name : str, optional
        Name of the CloudFront distribution; null for one of CloudFront's.
    cloudfront_certificate_arn : str, optional
        Its certificate in us-east-1, which a name of your own needs.
    alarm_email : str, optional
        Who is told of alarms and of the budget.
    budget_usd_per_month : float, optional
        Monthly budget of AWS Budgets; null, with an ``alarm_email``, for the bill that 95 of 100 months stay within (``with_budget`` in Python). [USD/month]

    Raises
    ------
    InvalidScenario
        If a value is not allowed.
    """

    deployment_controller: str = ECS
    canary_percent: float = field(default=5.0, metadata={"low": 0.1, "high": 100})
    health_check_command: tuple[str, ...] | None = None
    user: str | None = None
    readonly_root_filesystem: bool = False
    sidecars: tuple[Sidecar, ...] = ()
    vpc: ExistingVpc | None = None
    cluster_name: str | None = None
    cloud_map_namespace: str | None = None
    load_balancer: ExistingLoadBalancer | None = None
    test_port: int = field(default=8080, metadata={"low": 1, "high": 65_535, "whole": True})
    ingress_cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    deletion_protection: bool = False
    repository: bool = False
    domain: Domain | None = None
    cloudfront_domain_name: str | None = None
    cloudfront_certificate_arn: str | None = None
    alarm_email: str | None = None
    budget_usd_per_month: float | None = field(default=None, metadata={"low": 0.01, "high": 1e9})

    def __post_init__(self) -> None:
        require_in_range(self)
        if self.deployment_controller not in DEPLOYMENT_CONTROLLERS:
            raise InvalidScenario(
                f"deployment_controller is {shown(self.deployment_controller)}; it must be one of {', '.join(DEPLOYMENT_CONTROLLERS)}."
            )
        command = self.health_check_command
        if command is not None and (len(command) < 2 or command[0] not in _HEALTH_CHECK_KINDS):
            raise InvalidScenario(
                f"health_check_command is {shown(list(command))}; it must begin with CMD or CMD-SHELL, and say what to run after it."
            )
        if self.alarm_email is not None:
            _require_text("alarm_email", self.alarm_email, _E_MAIL, "an e-mail address")
        if self.test_port in (80, 443):
            raise InvalidScenario(
                f"test_port is {self.test_port}, a port of the clients. Choose another, such as 8080."
            )
        if not self.ingress_cidrs:
            raise InvalidScenario(
                "ingress_cidrs is empty; nobody could reach the load balancer. Give 0.0.0.0/0 for all."
            )
        for place, cidr in enumerate(self.ingress_cidrs):
            _require_network(f"ingress_cidrs[{place}]", cidr)
        names = [one.name for one in self.sidecars]
        if len(set(names)) < len(names) or "web" in names:
            raise InvalidScenario(
                f"sidecars are named {', '.join(names)}; each needs a name of its own, and web is the application's."
            )
        _require_text("cluster_name", self.cluster_name, r"[A-Za-z0-9_-]{1,255}", "the name of an ECS cluster")
        _require_text("cloud_map_namespace", self.cloud_map_namespace, r"[!-~]{1,1024}", "a name without spaces")
        certificate = r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[A-Za-z0-9-]+"
        _require_text(
            "cloudfront_certificate_arn",
            self.cloudfront_certificate_arn,
            certificate,
            "the ARN of an ACM certificate in us-east-1",
        )
        if (self.cloudfront_domain_name is None) != (self.cloudfront_certificate_arn is None):
            raise InvalidScenario(
                "Only one of cloudfront_domain_name and cloudfront_certificate_arn is given; a name of your own needs a certificate. Give both."
            )

    @property
    def uses_code_deploy(self) -> bool:
        """True if CodeDeploy replaces the tasks."""
        return self.deployment_controller == CODE_DEPLOY


def _require_text(name: str, value: object, pattern: str, needed: str) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
        raise InvalidScenario(f"{name} is {shown(value)}; it must be {needed}.")


def _require_network(name: str, value: str) -> None:
    try:
        ipaddress.IPv4Network(value)
    except ValueError:
        raise InvalidScenario(f"{name} is {shown(value)}; it must be IPv4 addresses such as 203.0.113.0/24.") from None
