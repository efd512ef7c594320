"""The load balancer, made or found, and the timings of its target groups."""

import ipaddress
from dataclasses import dataclass

from .section import ConfigError, Section

# AWS, "Reserve capacity for your Application Load Balancer", read 2026: the least that can be reserved. [LCU]
MIN_RESERVED_LCU = 100
MAX_RESERVED_LCU = 15_000

# Ports of the listeners for everybody.
PRODUCTION_PORTS = (80, 443)

_ELB = r"arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):\d{12}"
LOAD_BALANCER_ARN = rf"{_ELB}:loadbalancer/app/[A-Za-z0-9-]+/[0-9a-f]+"
LISTENER_ARN = rf"{_ELB}:listener/app/[A-Za-z0-9-]+/[0-9a-f]+/[0-9a-f]+"


@dataclass(frozen=True)
class ExistingLoadBalancerConfig:
    """An Application Load Balancer that is there already.

    Attributes
    ----------
    arn : str
        The load balancer.
    security_group_id : str
        Its security group, from which the tasks take requests.
    listener_arn : str
        The listener that is given a rule for the service.
    test_listener_arn : str or None
        The listener for trying a new revision; None for none.
    dns_name : str
        Its name.
    """

    arn: str
    security_group_id: str
    listener_arn: str
    test_listener_arn: str | None
    dns_name: str


@dataclass(frozen=True)
class LoadBalancerConfig:
    """The load balancer, and the timings of its target groups.

    Attributes
    ----------
    health_check_interval_s : int
        Time between two health checks of a task. [s]
    deregistration_delay_s : int
        Time that a task leaving the service may still take to answer. [s]
    existing : ExistingLoadBalancerConfig or None
        A load balancer to use; its settings are its own. None to make one.
    access_logs : bool
        Whether each request is logged to S3.
    s3_log_retention_days : int
        How long S3 keeps logs. [d]
    deletion_protection : bool
        Whether it refuses to be deleted until this is false.
    reserved_lcu : int
        Capacity kept ready; 0 for none. [LCU]
    test_port : int
        Port of the listener for trying a new revision, where a strategy has two target groups.
    ingress_cidrs : tuple[str, ...]
        IPv4 addresses that may reach the listeners.
    """

    health_check_interval_s: int
    deregistration_delay_s: int
    existing: ExistingLoadBalancerConfig | None
    access_logs: bool
    s3_log_retention_days: int
    deletion_protection: bool
    reserved_lcu: int
    test_port: int
    ingress_cidrs: tuple[str, ...]


def read_load_balancer(root: Section) -> LoadBalancerConfig:
    """Read the key ``load_balancer``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    LoadBalancerConfig
        The load balancer.

    Raises
    ------
    ConfigError
        If a value is not allowed, or a setting is asked of a load balancer that is not the stack's.
    """
    section = root.section(
        "load_balancer",
        "health_check_interval_s deregistration_delay_s existing access_logs s3_log_retention_days deletion_protection "
        "reserved_lcu test_port ingress_cidrs",
    )
    load_balancer = LoadBalancerConfig(
        health_check_interval_s=section.integer("health_check_interval_s", 5, 300),
        deregistration_delay_s=section.integer("deregistration_delay_s", 0, 3600),
        existing=_existing(section),
        access_logs=section.boolean("access_logs"),
        s3_log_retention_days=section.integer("s3_log_retention_days", 1, 3653),
        deletion_protection=section.boolean("deletion_protection"),
        reserved_lcu=section.integer("reserved_lcu", 0, MAX_RESERVED_LCU),
        test_port=section.integer("test_port", 1, 65535),
        ingress_cidrs=_cidrs(section),
    )
    if 0 < load_balancer.reserved_lcu < MIN_RESERVED_LCU:
        raise section.refusal(
            "reserved_lcu", load_balancer.reserved_lcu, f"0, or at least {MIN_RESERVED_LCU}, is needed"
        )
    if load_balancer.test_port in PRODUCTION_PORTS:
        raise section.refusal("test_port", load_balancer.test_port, "a port other than 80 and 443 is needed")
    if load_balancer.existing:
        _check_existing(load_balancer)
    return load_balancer


def _existing(load_balancer: Section) -> ExistingLoadBalancerConfig | None:
    section = load_balancer.optional_section(
        "existing", "arn security_group_id listener_arn test_listener_arn dns_name"
    )
    if section is None:
        return None
    listener = "the ARN of one of its listeners is needed"
    existing = ExistingLoadBalancerConfig(
        arn=section.text("arn", LOAD_BALANCER_ARN, "the ARN of an Application Load Balancer is needed"),
        security_group_id=section.text(
            "security_group_id", r"sg-[0-9a-f]{8,17}", "a security group such as 'sg-0123456789abcdef0' is needed"
        ),
        listener_arn=section.text("listener_arn", LISTENER_ARN, listener),
        test_listener_arn=section.optional_text(
            "test_listener_arn", LISTENER_ARN, "the ARN of one of its listeners, or null, is needed"
        ),
        dns_name=section.text("dns_name", r"[A-Za-z0-9.-]+", "its DNS name is needed"),
    )
    prefix = existing.arn.replace(":loadbalancer/", ":listener/") + "/"
    for key in ("listener_arn", "test_listener_arn"):
        found = getattr(existing, key)
        if found is not None and not found.startswith(prefix):
            raise section.refusal(key, found, "a listener of the load balancer under arn is needed")
    if existing.test_listener_arn == existing.listener_arn:
        raise section.refusal(
            "test_listener_arn", existing.test_listener_arn, "a listener other than listener_arn, or null, is needed"
        )
    return existing


def _check_existing(load_balancer: LoadBalancerConfig) -> None:
    for key, off in (("access_logs", False), ("deletion_protection", False), ("reserved_lcu", 0)):
        found = getattr(load_balancer, key)
        if found != off:
            raise ConfigError(
                f"load_balancer.{key} is {found}: it is a setting of the load balancer, and an existing one keeps its own; "
                f"{str(off).lower()} is needed."
            )


def _cidrs(section: Section) -> tuple[str, ...]:
    needed = "a list of different IPv4 address ranges such as '0.0.0.0/0' is needed"
    cidrs = section.names("ingress_cidrs", r"[0-9.]+/\d{1,2}", needed)
    if not cidrs:
        raise section.refusal("ingress_cidrs", [], needed)
    for cidr in cidrs:
        try:
            ipaddress.IPv4Network(cidr)
        except ValueError as error:
            raise section.refusal("ingress_cidrs", list(cidrs), f"{error}; {needed}") from None
    return cidrs
