"""CHARGES: one row for each line of the bill. A new line is one row and its meter: every table then shows it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charge import Charge, Quantity
from estimator.billing.extra_charges import EXTRA_CHARGES, billed_egress_gb
from estimator.billing.month import BilledMonth
from estimator.service.task_size import ARM64, LINUX, WINDOWS, X86_64


def _fargate(
    operating_system: str, cpu_architecture: str, spot: bool, amount: str
) -> Callable[[BilledMonth], Quantity]:
    def meter(month: BilledMonth) -> Quantity:
        per_task: NDArray[np.float64] = getattr(month, amount)
        return month.task_hours(operating_system, cpu_architecture, spot=spot) * per_task

    return meter


def _windows_charge(leg: str, title: str, amount: str) -> tuple[str, Charge]:
    price = f"fargate_windows_{leg}_hour"
    charge = Charge(
        f"Fargate {title}, Windows",
        price,
        f"billed task hours × {'GB' if amount == 'memory_gb' else 'vCPU'} of a task",
        _fargate(WINDOWS, X86_64, False, amount),
        "AWS, Fargate pricing: with Windows an operating system license for each vCPU besides; read 2026-11",
    )
    return price, charge


def _linux_charge(architecture: str, spot: bool, amount: str) -> tuple[str, Charge]:
    short = {X86_64: "x86", ARM64: "arm"}[architecture]
    leg, word, unit = ("vcpu", "vCPU", "vCPU") if amount == "vcpu" else ("gb", "memory", "GB")
    price = f"fargate_{'spot_' if spot else ''}linux_{short}_{leg}_hour"
    charge = Charge(
        f"Fargate{' Spot' if spot else ''} {word}, Linux {short if short == 'x86' else 'ARM'}",
        price,
        f"billed task hours × {unit} of a task",
        _fargate(LINUX, architecture, spot, amount),
        "AWS, Fargate pricing: per second from image pull to stop, at least a minute; read 2026-10",
    )
    return price, charge


def _public_addresses(month: BilledMonth) -> Quantity:
    nodes = (month.load_balancer_addresses + month.nat_gateways) * month.hours
    return nodes + np.where(month.in_layout("public"), month.billed_task_hours, 0.0)


def _nat_gb(month: BilledMonth) -> Quantity:
    # ECR layers come through the free S3 gateway endpoint; an image from elsewhere, logs and calls to others go
    # through the gateway.
    pulled = 0.0 if month.application.image_is_in_ecr(month.region) else month.pulled_gb
    return np.where(
        month.in_layout("nat"), month.log_gb + month.outbound_sent_gb + month.outbound_received_gb + pulled, 0.0
    )


def _cross_zone_gb(month: BilledMonth) -> Quantity:
    # An interface endpoint stands in each zone, and what the load balancer and a target in another zone say is free.
    return _nat_gb(month) * month.cross_zone_share * month.behavior.cross_zone_ends_billed


CHARGES: dict[str, Charge] = {
    **dict(
        _linux_charge(arch, spot, amount)
        for spot in (False, True)
        for arch in (X86_64, ARM64)
        for amount in ("vcpu", "memory_gb")
    ),
    **dict(
        _windows_charge(*row)
        for row in (
            ("vcpu", "vCPU", "vcpu"),
            ("gb", "memory", "memory_gb"),
            ("os_license_vcpu", "license", "vcpu"),
        )
    ),
    "fargate_ephemeral_storage": Charge(
        "Fargate ephemeral storage",
        "fargate_ephemeral_storage_gb_hour",
        "billed task hours × (GB of a task − 20)",
        lambda month: month.billed_task_hours * month.paid_storage_gb,
        "AWS, Fargate pricing: 20 GB are included; read 2026-10",
    ),
    "alb_hour": Charge(
        "Application Load Balancer",
        "alb_hour",
        "hours of the month, a part of one as a whole",
        lambda month: math.ceil(month.hours),
        "AWS, Elastic Load Balancing pricing: each hour or part of one; read 2026-09",
    ),
    "alb_lcu_hour": Charge(
        "Load balancer capacity units",
        "alb_lcu_hour",
        "sum over hours of the largest of new connections/s ÷ 25, active connections ÷ 3000 (1500 with mutual TLS), GB ÷ 1 (0.4 for Lambda "
        "targets), paid rules/s ÷ 1000; above a reservation alone",
        lambda month: month.lcu_hours,
        "AWS, Elastic Load Balancing pricing: largest of four hourly averages; read 2026-09",
    ),
    "public_ipv4": Charge(
        "Public IPv4 addresses",
        "public_ipv4_in_use_hour",
        "hours × (load balancer nodes with one, one for each zone, + NAT gateways) + hours of tasks with a public address",
        _public_addresses,
        "AWS, VPC pricing: every public IPv4 address since 2024-02; read 2026-09",
    ),
    "nat_gateway_hour": Charge(
        "NAT gateways",
        "nat_gateway_hour",
        "hours × NAT gateways",
        lambda month: month.hours * month.nat_gateways,
        "AWS, VPC pricing; read 2026-09",
    ),
    "nat_gateway_gb": Charge(
        "NAT gateway data",
        "nat_gateway_gb",
        "GB of logs, of calls to the internet, and of images from outside ECR",
        _nat_gb,
        "AWS, VPC pricing: each GB in either direction; read 2026-09",
    ),
    "cross_zone": Charge(
        "Data transfer between zones",
        "inter_az_gb",
        "GB through NAT gateways × part of the zones without one × ends billed",
        _cross_zone_gb,
        "AWS, EC2 data transfer pricing: each GB between zones, in each direction; read 2026-09",
        decides=False,
    ),
    "interface_endpoint_hour": Charge(
        "Interface endpoints",
        "vpc_interface_endpoint_hour",
        "hours × endpoints × zones",
        lambda month: month.hours * month.endpoint_count,
        "AWS, PrivateLink pricing: each endpoint in each zone; read 2026-09",
    ),
    "interface_endpoint_gb": Charge(
        "Interface endpoint data",
        "vpc_interface_endpoint_gb",
        "GB of logs",
        lambda month: np.where(month.in_layout("endpoints"), month.log_gb, 0.0),
        "AWS, PrivateLink pricing: tiers by month; read 2026-09",
    ),
    "internet_egress": Charge(
        "Data transfer out to the internet",
        "internet_egress_gb",
        "GB of responses and TLS handshakes (none behind CloudFront) and of calls to the internet",
        billed_egress_gb,
        "AWS, EC2 data transfer pricing: tiers by month; the account's 100 free GB only with `free_egress`; read 2026-09",
    ),
    **EXTRA_CHARGES,
}

#: What the bill does not hold (yet), said at its end.
NOT_INCLUDED = (
    "deployments that `operations` does not name, what Lambda targets, CloudFront functions and other services cost themselves, free tiers of the account, "
    "taxes, support, and discounts other than those that the scenario gives"
)
