"""The network layout: where tasks stand and how they reach AWS."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario

#: ``public``: tasks in public subnets with public addresses. ``nat``: private subnets behind NAT gateways.
#: ``endpoints``: private subnets without internet, with the interface endpoints that Fargate needs. ``ipv6``: private
#: subnets with IPv6 alone, behind an egress-only internet gateway.
LAYOUTS = ("public", "nat", "endpoints", "ipv6")
#: Regions in which Fargate runs tasks with IPv6 alone. Source: AWS, "Amazon ECS task networking options for Fargate",
#: read 2026.
IPV6_REGIONS = frozenset({
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"),
    *("ca-central-1", "ca-west-1"),
    "sa-east-1",
    "af-south-1",
    *("ap-east-1", "ap-south-1", "ap-south-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("cn-north-1", "cn-northwest-1"),
    *("eu-central-1", "eu-west-2", "eu-west-3", "eu-south-1", "eu-south-2"),
    "il-central-1",
    *("me-central-1", "me-south-1"),
})  # fmt: skip
MAX_ZONES = 6


@dataclass(frozen=True, slots=True)
class NetworkLayout:
    """How the service is laid out over zones.

    Parameters
    ----------
    layout : str
        One of ``LAYOUTS``.
    availability_zones : int
        Zones of the load balancer and the tasks; an Application Load Balancer needs two. [1]
    nat_gateways : int
        NAT gateways; 0 except in the ``nat`` layout. [1]
    interface_endpoints : tuple of str
        Services with an interface endpoint in each zone; none except in the ``endpoints`` layout.
    load_balancer_ipv4 : bool
        False if the load balancer has no public IPv4 addresses, AWS's ``dualstack-without-public-ipv4`` [1]_: clients then need IPv6.

    Raises
    ------
    InvalidScenario
        If the parts do not fit together.

    Notes
    -----
    In the ``ipv6`` layout tasks have an IPv6 address alone, since September 2025 [2]_. In subnets with both, Fargate asks ECR and Secrets
    Manager by IPv4, which takes a NAT gateway all the same [3]_. The egress-only internet gateway costs nothing [4]_.

    References
    ----------
    .. [1] AWS, "Introducing dual-stack without public IPv4 Application Load Balancer", 2024-05.
    .. [2] AWS, "Amazon ECS announces IPv6-only support", 2025-09; the load balancer must be dual-stack, Windows is not supported, and images
       come from ECR's dual-stack names.
    .. [3] AWS, "Amazon ECS task networking options for Fargate", "Using a VPC in dual-stack mode", read 2026.
    .. [4] AWS, "Egress-only internet gateways", read 2026.
    """

    layout: str = "public"
    availability_zones: int = 2
    nat_gateways: int = 0
    interface_endpoints: tuple[str, ...] = ()
    load_balancer_ipv4: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.load_balancer_ipv4, bool):
            raise InvalidScenario(f"load_balancer_ipv4 is {shown(self.load_balancer_ipv4)}; it must be true or false.")
        if self.layout not in LAYOUTS:
            raise InvalidScenario(f"layout is {shown(self.layout)}; it must be one of {', '.join(LAYOUTS)}.")
        need = "An Application Load Balancer needs two."
        require_number("availability_zones", self.availability_zones, 2, MAX_ZONES, whole=True, advice=need)
        require_number("nat_gateways", self.nat_gateways, 0, MAX_ZONES, whole=True)
        if self.layout == "nat" and not 1 <= self.nat_gateways <= self.availability_zones:
            raise InvalidScenario(
                f"nat_gateways is {self.nat_gateways}; it must be 1 to availability_zones ({self.availability_zones}) in the nat layout."
            )
        if self.layout != "nat" and self.nat_gateways:
            raise InvalidScenario(
                f"nat_gateways is {self.nat_gateways}; it must be 0 in the {self.layout} layout. Leave it out, or choose the nat layout."
            )
        if self.layout != "endpoints" and self.interface_endpoints:
            raise InvalidScenario(f"interface_endpoints are only for the endpoints layout, not {self.layout}.")

    @classmethod
    def of(
        cls,
        layout: str,
        availability_zones: int = 2,
        nat_gateways: int | None = None,
        *,
        uses_secrets: bool = False,
        load_balancer_ipv4: bool = True,
    ) -> NetworkLayout:
        """Make a layout with the NAT gateways or the endpoints that a private Fargate task needs.

        Parameters
        ----------
        layout : str
            One of ``LAYOUTS``.
        availability_zones : int
            Zones. [1]
        nat_gateways : int, optional
            NAT gateways; one in the ``nat`` layout if not given. [1]
        uses_secrets : bool
            True if the task reads secrets, which adds an endpoint.
        load_balancer_ipv4 : bool
            False if the load balancer has no public IPv4 addresses.

        Returns
        -------
        NetworkLayout
            The layout.

        References
        ----------
        .. [1] AWS, "Amazon ECR interface VPC endpoints" and "Amazon ECS interface VPC endpoints" (the ecs, ecs-agent
        and ecs-telemetry
           endpoints are not needed on Fargate; the S3 gateway endpoint, through which image layers come, is free).
           Read 2026.
        """
        if nat_gateways is None:
            nat_gateways = 1 if layout == "nat" else 0
        endpoints: tuple[str, ...] = ()
        if layout == "endpoints":
            endpoints = ("ecr.api", "ecr.dkr", "logs") + (("secretsmanager",) if uses_secrets else ())
        return cls(layout, availability_zones, nat_gateways, endpoints, load_balancer_ipv4)

    @property
    def cross_zone_share(self) -> float:
        """Part of the traffic through NAT gateways that comes from a zone without one, tasks being spread evenly over the zones. [1]"""
        if not self.nat_gateways:
            return 0.0
        return (self.availability_zones - self.nat_gateways) / self.availability_zones
