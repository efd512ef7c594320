"""Where the tasks live: the network, made or found, what is logged of it, and the cluster."""

from dataclasses import dataclass

from .log_config import LOG_CLASSES, LOG_RETENTION
from .section import ConfigError, Section

LAYOUTS = ("public", "nat", "endpoints")

CONTAINER_INSIGHTS = ("disabled", "enabled", "enhanced")

FLOW_LOG_DESTINATIONS = ("cloud-watch-logs", "s3")

_SUBNET = r"subnet-[0-9a-f]{8,17}"


@dataclass(frozen=True)
class ExistingNetworkConfig:
    """A VPC that is there already, one subnet of each kind in each zone.

    Attributes
    ----------
    vpc_id : str
        The VPC.
    availability_zones : tuple[str, ...]
        Names of the zones, in the order of the subnets.
    load_balancer_subnet_ids : tuple[str, ...]
        Public subnets for the load balancer.
    task_subnet_ids : tuple[str, ...]
        Subnets for the tasks; in layout ``public`` they may be the same.
    """

    vpc_id: str
    availability_zones: tuple[str, ...]
    load_balancer_subnet_ids: tuple[str, ...]
    task_subnet_ids: tuple[str, ...]


@dataclass(frozen=True)
class FlowLogsConfig:
    """The flow log of the VPC.

    Attributes
    ----------
    destination : str
        ``cloud-watch-logs`` or ``s3``.
    log_class : str
        Class of the log group; S3 knows none.
    retention_days : int
        How long a record is kept. [d]
    """

    destination: str
    log_class: str
    retention_days: int


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
    existing : ExistingNetworkConfig or None
        A VPC to use; its gateways and endpoints are its own, and none is made. None to make one.
    flow_logs : FlowLogsConfig or None
        What is logged of the VPC's traffic; None for nothing.
    """

    layout: str
    availability_zones: int
    nat_gateways: int
    interface_endpoints: tuple[str, ...]
    existing: ExistingNetworkConfig | None
    flow_logs: FlowLogsConfig | None


@dataclass(frozen=True)
class ClusterConfig:
    """The cluster.

    Attributes
    ----------
    existing_name : str or None
        A cluster to use, with both Fargate capacity providers; its settings are its own. None to make one.
    container_insights : str
        ``disabled``, ``enabled`` or ``enhanced``.
    cloud_map_namespace : str or None
        Name of the HTTP namespace under which services of the cluster find each other; None for none.
    """

    existing_name: str | None
    container_insights: str
    cloud_map_namespace: str | None


def read_network(root: Section) -> NetworkConfig:
    """Read the key ``network``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    NetworkConfig
        Where the tasks live.

    Raises
    ------
    ConfigError
        If a value is not allowed, or the parts do not fit together.
    """
    section = root.section("network", "layout availability_zones nat_gateways interface_endpoints existing flow_logs")
    network = NetworkConfig(
        layout=section.choice("layout", LAYOUTS),
        availability_zones=section.integer("availability_zones", 2, 6),
        nat_gateways=section.integer("nat_gateways", 0, 6),
        interface_endpoints=section.names(
            "interface_endpoints", r"[a-z0-9-]+(\.[a-z0-9-]+)*", "a list of different names such as 'ecr.api' is needed"
        ),
        existing=_existing(section),
        flow_logs=_flow_logs(section),
    )
    _check_gateways(network)
    if network.existing:
        _check_existing(network, network.existing)
    return network


def _existing(network: Section) -> ExistingNetworkConfig | None:
    section = network.optional_section("existing", "vpc_id availability_zones load_balancer_subnet_ids task_subnet_ids")
    if section is None:
        return None
    subnets = "a list of different subnets such as 'subnet-0123456789abcdef0' is needed"
    return ExistingNetworkConfig(
        vpc_id=section.text("vpc_id", r"vpc-[0-9a-f]{8,17}", "a VPC such as 'vpc-0123456789abcdef0' is needed"),
        availability_zones=section.names(
            "availability_zones",
            r"[a-z]{2}(-[a-z0-9]+)+-\d[a-z]",
            "a list of different zones such as 'ca-central-1a' is needed",
        ),
        load_balancer_subnet_ids=section.names("load_balancer_subnet_ids", _SUBNET, subnets),
        task_subnet_ids=section.names("task_subnet_ids", _SUBNET, subnets),
    )


def _flow_logs(network: Section) -> FlowLogsConfig | None:
    section = network.optional_section("flow_logs", "destination log_class retention_days")
    if section is None:
        return None
    destination = section.choice("destination", FLOW_LOG_DESTINATIONS)
    return FlowLogsConfig(
        destination=destination,
        log_class=section.choice("log_class", LOG_CLASSES),
        # A bucket's lifecycle takes any number of days.
        retention_days=section.integer("retention_days", 1, 3653)
        if destination == "s3"
        else section.choice("retention_days", tuple(LOG_RETENTION)),
    )


def _check_gateways(network: NetworkConfig) -> None:
    if network.layout == "nat" and not network.existing and not 1 <= network.nat_gateways <= network.availability_zones:
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


def _check_existing(network: NetworkConfig, existing: ExistingNetworkConfig) -> None:
    """Refuse subnets that are not one for each zone: a load balancer takes no more, and its addresses are priced so."""
    for key in ("availability_zones", "load_balancer_subnet_ids", "task_subnet_ids"):
        found = getattr(existing, key)
        if len(found) != network.availability_zones:
            raise ConfigError(
                f"network.existing.{key} is {list(found)}: one for each of the {network.availability_zones} zones of "
                "network.availability_zones is needed."
            )
    if network.layout != "public" and set(existing.task_subnet_ids) & set(existing.load_balancer_subnet_ids):
        raise ConfigError(
            f"network.existing.task_subnet_ids is {list(existing.task_subnet_ids)}: layout {network.layout!r} takes "
            "private subnets, and these are the load balancer's public ones too."
        )
    if network.flow_logs:
        raise ConfigError(
            f"network.flow_logs is {network.flow_logs.destination!r}: the flow log of an existing VPC would record, and bill, the traffic "
            "of all that is in it; null is needed."
        )


def read_cluster(root: Section) -> ClusterConfig:
    """Read the key ``cluster``.

    Parameters
    ----------
    root : Section
        The document.

    Returns
    -------
    ClusterConfig
        The cluster.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    section = root.section("cluster", "existing_name container_insights cloud_map_namespace")
    cluster = ClusterConfig(
        existing_name=section.optional_text(
            "existing_name", r"[A-Za-z0-9_-]{1,255}", "the name of an ECS cluster, or null, is needed"
        ),
        container_insights=section.choice("container_insights", CONTAINER_INSIGHTS),
        cloud_map_namespace=section.optional_text(
            "cloud_map_namespace", r"[!-~]{1,1024}", "a name without blanks such as 'shop', or null, is needed"
        ),
    )
    if cluster.existing_name is not None and cluster.cloud_map_namespace is not None:
        raise section.refusal(
            "cloud_map_namespace",
            cluster.cloud_map_namespace,
            f"it is a property of the cluster, and {cluster.existing_name!r} has its own; null is needed",
        )
    return cluster
