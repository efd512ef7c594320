"""The network: from the subnets of tasks and load balancer over routes to gateways and endpoints, and so to a layout.

Notes
-----
Tasks with a public address stand in the layout ``public``. Without one, the default route of their subnets decides: to a NAT gateway ``nat``, none
``endpoints``, for IPv6 alone to an egress-only internet gateway ``ipv6``. A subnet whose route table is not said has the VPC's own, which leads
nowhere [1]_.

References
----------
.. [1] AWS, "Configure route tables", Amazon VPC User Guide, read 2026.
"""

from __future__ import annotations

from typing import Any

from estimator.repricing.reading import ASSUMED, NOT_KNOWN, NOT_PRICED, Reading, truth, why_unknown
from estimator.repricing.stacks import Resource
from estimator.repricing.tokens import Token, is_known
from estimator.service.network import NetworkLayout

_SUBNET, _ROUTE, _TABLE = "AWS::EC2::Subnet", "AWS::EC2::Route", "AWS::EC2::RouteTable"
_ASSOCIATION, _NAT, _ENDPOINT = "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint"
_ANYWHERE = {"0.0.0.0/0": "DestinationCidrBlock", "::/0": "DestinationIpv6CidrBlock"}
#: What a route may lead to that costs something and is not modelled.
_OTHER_WAYS = (
    "TransitGatewayId",
    "VpcEndpointId",
    "InstanceId",
    "NetworkInterfaceId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "VpcPeeringConnectionId",
)


def read_network(reading: Reading, service: Resource, balancer: Resource | None) -> None:
    """Read where tasks and load balancer stand.

    Parameters
    ----------
    reading : Reading
        What was read so far.
    service : Resource
        The service.
    balancer : Resource, optional
        Its load balancer.
    """
    own = service.items("NetworkConfiguration.AwsvpcConfiguration.Subnets")
    of_tasks = _subnets(reading, own)
    reading.use(*(one for one in of_tasks if one is not None))
    _zones(reading, service, of_tasks, own, balancer)
    public = service.get("NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "DISABLED")
    if not is_known(public):
        reading.leave("network.layout", why_unknown(f"{service.logical_id}: AssignPublicIp", public))
        return
    known = [one for one in of_tasks if one is not None]
    if str(public) == "ENABLED" or truth(public):
        if any(way.get("NatGatewayId") is not None for way in _default_routes(reading, known)):
            text = (
                "Public addresses of the tasks: the default route of their subnets leads to a NAT gateway all the same."
            )
            reading.note(NOT_PRICED, service, text)
            _private(reading, service, known)
            return
        reading.say("network.layout", "public", service)
        _gateways_beside(reading, set())
        _endpoints(reading, "public")
        return
    if known:
        _private(reading, service, known)
    else:
        reading.leave("network.layout", f"the subnets of {service.logical_id} stand in none of the given stacks")
    if "network.layout" not in reading.facts and reading.own("network.layout") == "public":
        text = (
            "The tasks have no public address, and the scenario's layout is public: addresses of tasks are on the bill that AWS does not bill, "
            "and no way out is. Set network.layout to nat or endpoints."
        )
        reading.note(NOT_KNOWN, service, text)


def _subnets(reading: Reading, values: list[Any]) -> list[Resource | None]:
    return [reading.world.target(value, _SUBNET) for value in values]


def _zones(
    reading: Reading, service: Resource, of_tasks: list[Resource | None], own: list[Any], balancer: Resource | None
) -> None:
    """Count the zones: those of the load balancer, which has a subnet in each."""
    field = "network.availability_zones"
    listed: list[Any] = []
    if balancer is not None:
        listed = balancer.items("Subnets") or [each.get("SubnetId") for each in balancer.entries("SubnetMappings")]
    source, found = (balancer, _count(reading, listed)) if balancer is not None else (service, None)
    tasks = _count(reading, own)
    if found is None:
        source, found = service, tasks
    if found is None:
        reading.leave(field, f"the subnets of {service.logical_id} are not known")
        return
    if balancer is not None and tasks is not None and tasks != found:
        text = f"The load balancer stands in {found} zones and the tasks in {tasks}: the bill has one number, {found}."
        reading.note(ASSUMED, [balancer, service], text)
    if found < 2:
        reading.note(
            ASSUMED,
            source or service,
            f"It stands in {found} zone; an Application Load Balancer has at least two, and so has the bill.",
        )
    subnets = [one for one in of_tasks if one is not None] if source is service else []
    reading.say(field, max(found, 2), source, *subnets)


def _count(reading: Reading, values: list[Any]) -> int | None:
    """Count zones: by the subnets' own property where it is said, else a subnet for each."""
    if not values or any(isinstance(value, Token) and value.kind != "resource" for value in values):
        texts = [value for value in values if isinstance(value, str)]
        tokens = [value for value in values if isinstance(value, Token) and value.kind == "import"]
        return len(values) if values and len(texts) + len(tokens) == len(values) else None
    zones = []
    for place, value in enumerate(values):
        subnet = reading.world.target(value, _SUBNET)
        zone = subnet.get("AvailabilityZone") if subnet is not None else None
        zones.append(str(place) if zone is None else f"{zone!r}")
    return len(set(zones))


def _private(reading: Reading, service: Resource, subnets: list[Resource]) -> None:
    world = reading.world
    ways = _default_routes(reading, subnets)
    gateways = {one.token: one for route in ways if (one := world.target(route.get("NatGatewayId"), _NAT)) is not None}
    strange = [(route, name) for route in ways for name in _OTHER_WAYS if route.get(name) is not None]
    outside = [
        route
        for route in ways
        if route.get("NatGatewayId") is not None and world.target(route.get("NatGatewayId"), _NAT) is None
    ]
    if gateways:
        _with_gateways(reading, list(gateways.values()), subnets)
        return
    if outside or strange:
        where = [*outside, *(route for route, _ in strange)]
        to = "a NAT gateway of another stack" if outside else strange[0][1].removesuffix("Id")
        reading.leave("network.layout", f"the default route of the tasks leads to {to}")
        if strange:
            reading.note(NOT_PRICED, where, f"The way out of the tasks, {to}.")
        return
    straight = [route for route in ways if route.get("GatewayId") is not None]
    if straight:
        text = "The tasks have no public address, and the default route of their subnets leads to an internet gateway: nothing comes back that way."
        reading.note(NOT_KNOWN, [service, *straight], f"{text} Taken as the layout `endpoints`.")
    if all(truth(subnet.get("Ipv6Native", False)) for subnet in subnets):
        reading.say("network.layout", "ipv6", *subnets)
    else:
        reading.say("network.layout", "endpoints", *subnets)
    _gateways_beside(reading, set())
    _endpoints(reading, reading.facts["network.layout"][0])


def _default_routes(reading: Reading, subnets: list[Resource]) -> list[Resource]:
    """Find the routes by which subnets reach the internet."""
    world = reading.world
    tables = [table for subnet in subnets if (table := _table_of(reading, subnet)) is not None]
    routes = [
        route
        for route in world.of_type(_ROUTE)
        if any(world.means(route.get("RouteTableId"), table) for table in tables)
    ]
    reading.use(*tables, *routes)
    return [route for route in routes if _is_default(route)]


def _table_of(reading: Reading, subnet: Resource) -> Resource | None:
    world = reading.world
    for association in world.of_type(_ASSOCIATION):
        if world.means(association.get("SubnetId"), subnet):
            return world.target(association.get("RouteTableId"), _TABLE)
    return None


def _is_default(route: Resource) -> bool:
    return any(str(route.get(path)) == block for block, path in _ANYWHERE.items())


def _with_gateways(reading: Reading, used: list[Resource], subnets: list[Resource]) -> None:
    reading.say("network.layout", "nat", *subnets[:2], *used)
    regional = [one for one in used if str(one.get("AvailabilityMode", "zonal")) == "regional"]
    zones = reading.facts.get("network.availability_zones", (2, ()))[0]
    count = zones if regional else len(used)
    if regional:
        reading.note(
            ASSUMED, regional, f"A regional NAT gateway is billed by the zones that it is in: taken as all {zones}."
        )
    if count > zones:
        reading.note(NOT_PRICED, used, f"{count} NAT gateways in {zones} zones: {count - zones} of them.")
    reading.say("network.nat_gateways", min(count, zones), *used)
    _gateways_beside(reading, {one.token for one in used})
    _endpoints(reading, "nat")
    free = [one for one in reading.world.of_type(_ENDPOINT) if _service_of(one) == "s3"]
    image = reading.facts.get("application.image", ("", ()))[0]
    if not free and ".dkr" in str(image):
        text = "There is no gateway endpoint for S3: layers of the image then come through the NAT gateway, whose data the bill has without them."
        reading.note(NOT_PRICED, used, text)


def _gateways_beside(reading: Reading, used: set[tuple[str, str]]) -> None:
    """Name NAT gateways that the tasks do not use; their elastic addresses go with them."""
    world = reading.world
    for gateway in world.of_type(_NAT):
        address = world.target(gateway.get("AllocationId"), "AWS::EC2::EIP")
        if gateway.token in used:
            reading.use(address)
        else:
            reading.note(
                NOT_PRICED, gateway, "A NAT gateway that the tasks do not use, with its hours, address and data."
            )
            reading.use(gateway, address)


def _endpoints(reading: Reading, layout: str) -> None:
    """Hold the interface endpoints against those that the layout has on its bill."""
    secrets = bool(reading.facts.get("application.secrets", ({}, ()))[0])
    expected = NetworkLayout.of(layout, uses_secrets=secrets).interface_endpoints if layout == "endpoints" else ()
    zones = reading.facts.get("network.availability_zones", (2, ()))[0]
    found: dict[str, Resource] = {}
    for endpoint in reading.world.of_type(_ENDPOINT):
        kind = str(endpoint.get("VpcEndpointType", "Gateway"))
        if kind == "Gateway":
            reading.use(endpoint)
            continue
        name = _service_of(endpoint)
        reading.use(endpoint)
        stands_in = len(endpoint.items("SubnetIds"))
        if kind != "Interface" or name not in expected or name in found:
            reading.note(NOT_PRICED, endpoint, f"{kind} endpoint for {name}, in {stands_in} zones.")
            continue
        found[name] = endpoint
        if stands_in and stands_in != zones:
            reading.note(ASSUMED, endpoint, f"It stands in {stands_in} zones; the bill has it in {zones}.")
    if expected and found:
        reading.say("network.interface_endpoints", sorted(found), *found.values())
    missing = [name for name in expected if name not in found]
    if missing:
        text = f"The layout has interface endpoints that none of the given stacks makes: {', '.join(missing)}. They are on the bill; if the tasks reach"
        reading.note(ASSUMED, "network.layout", f"{text} these services by another way, that is not priced.")


def _service_of(endpoint: Resource) -> str:
    """Name the service of an endpoint: ``ecr.api`` of ``com.amazonaws.eu-west-1.ecr.api``."""
    name = str(endpoint.get("ServiceName", ""))
    return name.partition("amazonaws.")[2].partition(".")[2] or name
