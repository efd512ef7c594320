"""The network: a VPC over the planned number of zones, or one that is there already, and the way out for the tasks."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IDependable

from .network_config import ExistingNetworkConfig, NetworkConfig

# Each task takes one address: a /20 has 4091 of them in every zone, and six fit in the VPC's /16 with six /24.
_TASK_SUBNET_MASK = 20
_LOAD_BALANCER_SUBNET_MASK = 24

_TASK_SUBNET_TYPES = {"nat": ec2.SubnetType.PRIVATE_WITH_EGRESS, "endpoints": ec2.SubnetType.PRIVATE_ISOLATED}

# Where the databases of a VPC stand, and those of the networks that it is joined to.
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


class ServiceNetwork(Construct):
    """A VPC in one of three layouts, of one's own or there already.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : NetworkConfig
        Layout and counts, or the VPC and its subnets.

    Attributes
    ----------
    vpc : aws_cdk.aws_ec2.IVpc
        The network.
    load_balancer_subnets : aws_cdk.aws_ec2.SubnetSelection
        Public subnets for the load balancer.
    task_subnets : aws_cdk.aws_ec2.SubnetSelection
        Subnets for the tasks; in layout ``public`` the same.
    assign_public_ip : bool
        Whether a task needs a public address to reach anything.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: NetworkConfig) -> None:
        super().__init__(scope, construct_id)
        self.assign_public_ip = config.layout == "public"
        self._ways_out: list[IDependable] = []
        self._endpoint_group: ec2.SecurityGroup | None = None
        if config.existing:
            self._use(config.existing)
        else:
            self._make(config)

    def _use(self, existing: ExistingNetworkConfig) -> None:
        """Take a network by its ids, without a look-up in the account; its routes and endpoints are its own."""
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self, "Vpc", vpc_id=existing.vpc_id, availability_zones=list(existing.availability_zones)
        )
        zones = existing.availability_zones
        self.load_balancer_subnets = self._subnets("LoadBalancer", existing.load_balancer_subnet_ids, zones)
        self.task_subnets = self._subnets("Task", existing.task_subnet_ids, zones)

    def _subnets(self, kind: str, subnet_ids: Sequence[str], zones: Sequence[str]) -> ec2.SubnetSelection:
        subnets = [
            ec2.Subnet.from_subnet_attributes(
                self, f"{kind}Subnet{number}", subnet_id=subnet_id, availability_zone=zone
            )
            for number, (subnet_id, zone) in enumerate(zip(subnet_ids, zones, strict=True), 1)
        ]
        for subnet in subnets:
            # Nothing here adds a route.
            cdk.Annotations.of(subnet).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId")
        return ec2.SubnetSelection(subnets=subnets)

    def _make(self, config: NetworkConfig) -> None:
        public = ec2.SubnetConfiguration(
            name="Public",
            subnet_type=ec2.SubnetType.PUBLIC,
            cidr_mask=_TASK_SUBNET_MASK if self.assign_public_ip else _LOAD_BALANCER_SUBNET_MASK,
            # The service asks for public addresses itself; nothing else is meant to get one.
            map_public_ip_on_launch=False,
        )
        subnets = [public]
        if not self.assign_public_ip:
            tasks = ec2.SubnetConfiguration(
                name="Tasks", subnet_type=_TASK_SUBNET_TYPES[config.layout], cidr_mask=_TASK_SUBNET_MASK
            )
            subnets.append(tasks)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            # By position: no look-up in an account, and any number of zones. `max_azs` would stop at two.
            availability_zones=[cdk.Fn.select(zone, cdk.Fn.get_azs()) for zone in range(config.availability_zones)],
            nat_gateways=config.nat_gateways,
            subnet_configuration=subnets,
            # Emptying the default group takes a Lambda function and a bucket for its code. Nothing here uses the group.
            restrict_default_security_group=False,
        )
        self.vpc = vpc
        self.load_balancer_subnets = ec2.SubnetSelection(subnet_group_name=public.name)
        self.task_subnets = ec2.SubnetSelection(subnet_group_name=subnets[-1].name)
        # Image layers come from S3. The gateway to it is free, and keeps them off the NAT gateways' bill.
        self._ways_out += [
            vpc.select_subnets(subnet_group_name=subnets[-1].name).internet_connectivity_established,
            vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3),
        ]
        if config.interface_endpoints:
            self._endpoint_group = self._add_interface_endpoints(vpc, config.interface_endpoints)

    def make_task_security_group(self, scope: Construct) -> ec2.SecurityGroup:
        """Make the security group of the tasks, which lets nobody in by itself.

        Parameters
        ----------
        scope : constructs.Construct
            Where it goes.

        Returns
        -------
        aws_cdk.aws_ec2.SecurityGroup
            The group.

        Notes
        -----
        Out go HTTPS to anywhere, which is AWS and most other services, and TCP to private addresses, which is databases,
        caches and other services of one's own. Whoever breaks into a task can neither send mail nor scan the internet
        from there. DNS by the VPC's resolver passes every group. A service elsewhere on another port needs a line here.
        """
        group = ec2.SecurityGroup(
            scope,
            "TaskSecurityGroup",
            vpc=self.vpc,
            description="Tasks: in from the load balancer only",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to AWS and others")
        for cidr in PRIVATE_RANGES:
            group.add_egress_rule(ec2.Peer.ipv4(cidr), ec2.Port.all_tcp(), "Services in private networks")
        if self._endpoint_group:
            self._endpoint_group.add_ingress_rule(group, ec2.Port.tcp(443), "HTTPS from the tasks")
        return group

    @property
    def ways_out(self) -> list[IDependable]:
        """What must exist before a task can pull its image: routes and endpoints."""
        return list(self._ways_out)

    def _add_interface_endpoints(self, vpc: ec2.Vpc, services: tuple[str, ...]) -> ec2.SecurityGroup:
        security_group = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=vpc,
            description="Interface endpoints: in from the tasks only",
            allow_all_outbound=False,
        )
        self._ways_out.append(security_group)
        for service in services:
            endpoint = vpc.add_interface_endpoint(
                _endpoint_id(service),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                # One in every zone: so it is priced, and no request crosses zones.
                subnets=self.task_subnets,
                security_groups=[security_group],
                private_dns_enabled=True,
                open=False,
            )
            self._ways_out.append(endpoint)
        return security_group


def _endpoint_id(service: str) -> str:
    """Turn ``ecr.api`` into ``EcrApi``."""
    return "".join(word.capitalize() for word in service.replace("-", ".").split("."))
