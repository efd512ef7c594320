"""The network: a VPC over the planned number of zones, and the way out for the tasks."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IDependable

from .config import NetworkConfig

# Each task takes one address: a /20 has 4091 of them in every zone, and six fit in the VPC's /16 with six /24.
_TASK_SUBNET_MASK = 20
_LOAD_BALANCER_SUBNET_MASK = 24

_TASK_SUBNET_TYPES = {"nat": ec2.SubnetType.PRIVATE_WITH_EGRESS, "endpoints": ec2.SubnetType.PRIVATE_ISOLATED}


class ServiceNetwork(Construct):
    """A VPC of one's own, in one of three layouts.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : NetworkConfig
        Layout and counts.

    Attributes
    ----------
    vpc : aws_cdk.aws_ec2.Vpc
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
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            # By position: no look-up in an account, and any number of zones. `max_azs` would stop at two.
            availability_zones=[cdk.Fn.select(zone, cdk.Fn.get_azs()) for zone in range(config.availability_zones)],
            nat_gateways=config.nat_gateways,
            subnet_configuration=subnets,
            # Emptying the default group takes a Lambda function and a bucket for its code. Nothing here uses the group.
            restrict_default_security_group=False,
        )
        self.load_balancer_subnets = ec2.SubnetSelection(subnet_group_name=public.name)
        self.task_subnets = ec2.SubnetSelection(subnet_group_name=subnets[-1].name)
        # Image layers come from S3. The gateway to it is free, and keeps them off the NAT gateways' bill.
        self._ways_out: list[IDependable] = [
            self.vpc.select_subnets(subnet_group_name=subnets[-1].name).internet_connectivity_established,
            self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3),
        ]
        self._endpoint_group: ec2.SecurityGroup | None = None
        if config.interface_endpoints:
            self._endpoint_group = self._add_interface_endpoints(config.interface_endpoints)

    def open_endpoints_to(self, security_group: ec2.ISecurityGroup) -> None:
        """Let the members of one security group, and nobody else, use the interface endpoints.

        Parameters
        ----------
        security_group : aws_cdk.aws_ec2.ISecurityGroup
            That of the tasks.
        """
        if self._endpoint_group:
            self._endpoint_group.add_ingress_rule(security_group, ec2.Port.tcp(443), "HTTPS from the tasks")

    @property
    def ways_out(self) -> list[IDependable]:
        """What must exist before a task can pull its image: routes and endpoints."""
        return list(self._ways_out)

    def _add_interface_endpoints(self, services: tuple[str, ...]) -> ec2.SecurityGroup:
        security_group = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=self.vpc,
            description="Interface endpoints: in from the tasks only",
            allow_all_outbound=False,
        )
        self._ways_out.append(security_group)
        for service in services:
            endpoint = self.vpc.add_interface_endpoint(
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
