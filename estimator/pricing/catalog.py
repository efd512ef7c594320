"""PRICES: one row for each priced dimension. A new one is one row here: snapshots store it and `prices show` lists it."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.pricing.rates import RateQuery


@dataclass(frozen=True, slots=True)
class Price:
    """A dimension that AWS prices.

    Parameters
    ----------
    query : RateQuery
        How the price list knows it.
    unit : str
        AWS's pricing unit.
    title : str
        What it is, in words.
    """

    query: RateQuery
    unit: str
    title: str


# us-east-1 has a prefix for ECS, VPC and Logs but none for ELB, NAT and data transfer.
_NO_PREFIX = ("us-east-1",)
_ALB = "Load Balancer-Application"

PRICES: dict[str, Price] = {
    "alb_hour": Price(
        RateQuery("AWSELB", "LoadBalancerUsage", _ALB, "LoadBalancing:Application", _NO_PREFIX),
        "Hrs",
        "Application Load Balancer hour",
    ),
    "alb_lcu_hour": Price(
        RateQuery("AWSELB", "LCUUsage", _ALB, "LoadBalancing:Application", _NO_PREFIX),
        "LCU-Hrs",
        "Application Load Balancer capacity unit hour",
    ),
    "fargate_ephemeral_storage_gb_hour": Price(
        RateQuery("AmazonECS", "Fargate-EphemeralStorage-GB-Hours"), "GB-hour", "Fargate ephemeral storage above 20 GB"
    ),
    "fargate_linux_arm_gb_hour": Price(
        RateQuery("AmazonECS", "Fargate-ARM-GB-Hours"), "GB-hour", "Fargate memory, Linux on ARM"
    ),
    "fargate_linux_arm_vcpu_hour": Price(
        RateQuery("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"), "vCPU-hour", "Fargate vCPU, Linux on ARM"
    ),
    "fargate_linux_x86_gb_hour": Price(
        RateQuery("AmazonECS", "Fargate-GB-Hours"), "GB-hour", "Fargate memory, Linux on x86"
    ),
    "fargate_linux_x86_vcpu_hour": Price(
        RateQuery("AmazonECS", "Fargate-vCPU-Hours:perCPU"), "vCPU-hour", "Fargate vCPU, Linux on x86"
    ),
    "fargate_spot_linux_arm_gb_hour": Price(
        RateQuery("FargateSpot", "SpotUsage-Fargate-ARM-GB-Hours"), "GB-hour", "Fargate Spot memory, Linux on ARM"
    ),
    "fargate_spot_linux_arm_vcpu_hour": Price(
        RateQuery("FargateSpot", "SpotUsage-Fargate-ARM-vCPU-Hours:perCPU"),
        "vCPU-hour",
        "Fargate Spot vCPU, Linux on ARM",
    ),
    "fargate_spot_linux_x86_gb_hour": Price(
        RateQuery("FargateSpot", "SpotUsage-Fargate-GB-Hours"), "GB-hour", "Fargate Spot memory, Linux on x86"
    ),
    "fargate_spot_linux_x86_vcpu_hour": Price(
        RateQuery("FargateSpot", "SpotUsage-Fargate-vCPU-Hours:perCPU"), "vCPU-hour", "Fargate Spot vCPU, Linux on x86"
    ),
    "internet_egress_gb": Price(
        RateQuery("AWSDataTransfer", "DataTransfer-Out-Bytes", unprefixed_in=_NO_PREFIX),
        "GB",
        "Data transfer out to the internet",
    ),
    "logs_ingest_standard_gb": Price(
        RateQuery("AmazonCloudWatch", "DataProcessing-Bytes"), "GB", "CloudWatch Logs ingestion, standard class"
    ),
    "nat_gateway_gb": Price(
        RateQuery("AmazonEC2", "NatGateway-Bytes", "NAT Gateway", unprefixed_in=_NO_PREFIX),
        "GB",
        "Data processed by a NAT gateway",
    ),
    "nat_gateway_hour": Price(
        RateQuery("AmazonEC2", "NatGateway-Hours", "NAT Gateway", unprefixed_in=_NO_PREFIX), "Hrs", "NAT gateway hour"
    ),
    "public_ipv4_in_use_hour": Price(
        RateQuery("AmazonVPC", "PublicIPv4:InUseAddress"), "Hrs", "Public IPv4 address in use"
    ),
    "vpc_interface_endpoint_gb": Price(
        RateQuery("AmazonVPC", "VpcEndpoint-Bytes"), "GB", "Data processed by an interface endpoint"
    ),
    "vpc_interface_endpoint_hour": Price(
        RateQuery("AmazonVPC", "VpcEndpoint-Hours"), "Hrs", "Interface endpoint hour in one zone"
    ),
}

#: The name of each price's query, for messages.
QUERIES = {name: price.query for name, price in PRICES.items()}
