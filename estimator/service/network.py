"""The network layout: where tasks stand and how they reach AWS."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario

#: ``public``: tasks in public subnets with public addresses. ``nat``: private subnets behind NAT gateways.
#: ``endpoints``: private
#: subnets without internet, with the interface endpoints that Fargate needs.
LAYOUTS = ("public", "nat", "endpoints")
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

    Raises
    ------
    InvalidScenario
        If the parts do not fit together.
    """

    layout: str = "public"
    availability_zones: int = 2
    nat_gateways: int = 0
    interface_endpoints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
            raise InvalidScenario(f"nat_gateways is {self.nat_gateways}; it must be 0 in the {self.layout} layout.")
        if self.layout != "endpoints" and self.interface_endpoints:
            raise InvalidScenario(f"interface_endpoints are only for the endpoints layout, not {self.layout}.")

    @classmethod
    def of(
        cls, layout: str, availability_zones: int = 2, nat_gateways: int | None = None, *, uses_secrets: bool = False
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
        return cls(layout, availability_zones, nat_gateways, endpoints)
