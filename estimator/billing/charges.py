"""CHARGES: one row for each line of the bill. A new line is one row with its meter and its working: every table then shows it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from estimator.billing.charge import Charge, Quantity
from estimator.billing.extra_charges import EXTRA_CHARGES, billed_egress_gb, billed_egress_working
from estimator.billing.lcu import DIMENSIONS, FREE_RULES_PER_REQUEST, lcu_capacities
from estimator.billing.month import BilledMonth
from estimator.billing.working import (
    KB_AS_GB,
    SEPARATOR,
    at,
    counted,
    hours,
    load_balancer_requests,
    log_gb,
    task_requests,
    times,
    written,
)
from estimator.service.task_size import ARM64, LINUX, WINDOWS, X86_64
from estimator.units import (
    BYTES_PER_KB,
    INCLUDED_EPHEMERAL_STORAGE_GIB,
    MB_PER_GB,
    MIB_PER_FARGATE_GB,
    SECONDS_PER_HOUR,
)


def _fargate(
    operating_system: str, cpu_architecture: str, spot: bool, amount: str
) -> Callable[[BilledMonth], Quantity]:
    def meter(month: BilledMonth) -> Quantity:
        per_task: NDArray[np.float64] = getattr(month, amount)
        return month.task_hours(operating_system, cpu_architecture, spot=spot) * per_task

    return meter


def _fargate_working(
    operating_system: str, cpu_architecture: str, spot: bool, amount: str
) -> Callable[[BilledMonth, int], str]:
    def working(month: BilledMonth, candidate: int) -> str:
        task_hours = at(month.task_hours(operating_system, cpu_architecture, spot=spot), candidate)
        size = month.specs[candidate].task_size
        memory = f"{written(size.memory_mib)} MiB ÷ {written(MIB_PER_FARGATE_GB)} MiB per GB"
        return f"{_task_hours(task_hours)} × {memory if amount == 'memory_gb' else f'{written(size.vcpu)} vCPU'}"

    return working


def _task_hours(task_hours: float) -> str:
    return counted(task_hours, "billed task hour")


def _storage_working(month: BilledMonth, candidate: int) -> str:
    gb = month.specs[candidate].ephemeral_storage_gib
    paid = f"({written(gb)} GB − {written(INCLUDED_EPHEMERAL_STORAGE_GIB)} GB included)"
    return f"{_task_hours(at(month.billed_task_hours, candidate))} × {paid}"


def _windows_charge(leg: str, title: str, amount: str) -> tuple[str, Charge]:
    price = f"fargate_windows_{leg}_hour"
    charge = Charge(
        f"Fargate {title}, Windows",
        price,
        f"billed task hours × {'GB' if amount == 'memory_gb' else 'vCPU'} of a task",
        _fargate(WINDOWS, X86_64, False, amount),
        _fargate_working(WINDOWS, X86_64, False, amount),
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
        _fargate_working(LINUX, architecture, spot, amount),
        "AWS, Fargate pricing: per second from image pull to stop, at least a minute; read 2026-10",
    )
    return price, charge


def _lcu_working(month: BilledMonth, _: int) -> str:
    """Write what each dimension alone would come to, and the sum of what is largest in each hour."""
    units = month.capacity_units
    leading = units.leading_by_hour
    text = []
    for name, arithmetic, alone in zip(DIMENSIONS, _lcu_dimensions(month), units.dimensions, strict=True):
        led_h = written(float((leading == name).sum()) * month.periods)
        come_to = written(float(alone.sum()) * month.periods)
        text.append(f"{name} alone: {arithmetic} = {come_to} LCU-hours, largest in {led_h} h")
    led = [(name, float(units.consumed[leading == name].sum()) * month.periods) for name in DIMENSIONS]
    total = " + ".join(f"{written(lcu)} LCU-hours where {name} are largest" for name, lcu in led if lcu)
    if month.extras.reserved_lcu:
        held = float(np.minimum(units.consumed, month.extras.reserved_lcu).sum()) * month.periods
        total += f" − {written(held)} within the reservation"
    return SEPARATOR.join([*text, total])


def _lcu_dimensions(month: BilledMonth) -> tuple[str, str, str, str]:
    """Write how the month's traffic becomes LCU-hours of each dimension alone."""
    work = month.workload
    per_lcu = [written(capacity) for capacity in lcu_capacities(work)]
    requests, per_s = load_balancer_requests(month), f"÷ {written(SECONDS_PER_HOUR)} s"
    opened = f"{requests} ÷ {written(work.requests_per_load_balancer_connection)} requests over a connection"
    new = f"{opened}{times(month.behavior.connection_count_factor, 'counted for each')} {per_s}"
    byte_hits = work.cloudfront_byte_hit_ratio
    share = work.load_balancer_share
    sent = f"{written(work.response_kb)} kB out{times(work.compression_ratio, 'after compression')}"
    kb = (
        f"({written(work.request_kb)} kB in{times(share, 'of them')} + "
        f"{sent}{times(share if byte_hits is None else 1.0 - byte_hits, 'not from the cache')})"
    )
    paid_rules = max(0.0, work.rules_evaluated_per_request - FREE_RULES_PER_REQUEST)
    return (
        f"{new} ÷ {per_lcu[0]} connections/s",
        f"{new} × {written(work.connection_s)} s open ÷ {per_lcu[1]} connections",
        f"{counted(month.requests, 'request')} × {kb}{KB_AS_GB} ÷ {per_lcu[2]} GB",
        f"{requests} × {written(paid_rules)} paid rules {per_s} ÷ {per_lcu[3]} rules/s",
    )


def _public_addresses(month: BilledMonth) -> Quantity:
    nodes = (month.load_balancer_addresses + month.nat_gateways) * month.hours
    return nodes + np.where(month.in_layout("public"), month.billed_task_hours, 0.0)


def _public_addresses_working(month: BilledMonth, candidate: int) -> str:
    nodes = counted(at(month.load_balancer_addresses, candidate), "load balancer node")
    gateways = counted(at(month.nat_gateways, candidate), "NAT gateway")
    public = at(month.billed_task_hours, candidate) if month.specs[candidate].network.layout == "public" else 0.0
    return f"{hours(month)} × ({nodes} + {gateways}) + {written(public)} billed hours of tasks with a public address"


def _nat_gb(month: BilledMonth) -> Quantity:
    # ECR layers come through the free S3 gateway endpoint; an image from elsewhere, logs and calls to others go
    # through the gateway.
    pulled = 0.0 if month.application.image_is_in_ecr(month.region) else month.pulled_gb
    return np.where(
        month.in_layout("nat"), month.log_gb + month.outbound_sent_gb + month.outbound_received_gb + pulled, 0.0
    )


def _nat_gb_working(month: BilledMonth, candidate: int) -> str:
    work = month.workload
    kb = (
        f"({written(work.log_bytes_per_request / BYTES_PER_KB)} kB of logs + {written(work.outbound_sent_kb_per_request)} kB of calls sent + "
        f"{written(work.outbound_received_kb_per_request)} kB received)"
    )
    pulled = "0 GB of images, which come from ECR"
    if not month.application.image_is_in_ecr(month.region):
        started = counted(at(month.started_tasks, candidate), "started task")
        pulled = f"{started} × {written(month.application.image_mb)} MB of an image ÷ {written(MB_PER_GB)} MB per GB"
    return f"{task_requests(month)} × {kb}{KB_AS_GB} + {pulled}"


def _cross_zone_gb(month: BilledMonth) -> Quantity:
    # An interface endpoint stands in each zone, and what the load balancer and a target in another zone say is free.
    return _nat_gb(month) * month.cross_zone_share * month.behavior.cross_zone_ends_billed


def _cross_zone_working(month: BilledMonth, candidate: int) -> str:
    network = month.specs[candidate].network
    zones = counted(network.availability_zones, "zone")
    without = f"({zones} − {counted(network.nat_gateways, 'NAT gateway')}) ÷ {zones}"
    return f"({_nat_gb_working(month, candidate)}) × {without} × {counted(month.behavior.cross_zone_ends_billed, 'end')} billed"


def _endpoint_working(month: BilledMonth, candidate: int) -> str:
    network = month.specs[candidate].network
    endpoints = counted(len(network.interface_endpoints), "endpoint")
    return f"{hours(month)} × {endpoints} × {counted(network.availability_zones, 'zone')}"


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
        _storage_working,
        "AWS, Fargate pricing: 20 GB are included; read 2026-10",
    ),
    "alb_hour": Charge(
        "Application Load Balancer",
        "alb_hour",
        "hours of the month, a part of one as a whole",
        lambda month: math.ceil(month.hours),
        lambda month, _: f"{written(math.ceil(month.hours))} hours begun",
        "AWS, Elastic Load Balancing pricing: each hour or part of one; read 2026-09",
    ),
    "alb_lcu_hour": Charge(
        "Load balancer capacity units",
        "alb_lcu_hour",
        "sum over hours of the largest of new connections/s ÷ 25, active connections ÷ 3000 (1500 with mutual TLS), GB ÷ 1 (0.4 for Lambda "
        "targets), paid rules/s ÷ 1000; above a reservation alone",
        lambda month: month.lcu_hours,
        _lcu_working,
        "AWS, Elastic Load Balancing pricing: largest of four hourly averages; read 2026-09",
    ),
    "public_ipv4": Charge(
        "Public IPv4 addresses",
        "public_ipv4_in_use_hour",
        "hours × (load balancer nodes with one, one for each zone, + NAT gateways) + hours of tasks with a public address",
        _public_addresses,
        _public_addresses_working,
        "AWS, VPC pricing: every public IPv4 address since 2024-02; read 2026-09",
    ),
    "nat_gateway_hour": Charge(
        "NAT gateways",
        "nat_gateway_hour",
        "hours × NAT gateways",
        lambda month: month.hours * month.nat_gateways,
        lambda month, i: f"{hours(month)} × {counted(at(month.nat_gateways, i), 'NAT gateway')}",
        "AWS, VPC pricing; read 2026-09",
    ),
    "nat_gateway_gb": Charge(
        "NAT gateway data",
        "nat_gateway_gb",
        "GB of logs, of calls to the internet, and of images from outside ECR",
        _nat_gb,
        _nat_gb_working,
        "AWS, VPC pricing: each GB in either direction; read 2026-09",
    ),
    "cross_zone": Charge(
        "Data transfer between zones",
        "inter_az_gb",
        "GB through NAT gateways × part of the zones without one × ends billed",
        _cross_zone_gb,
        _cross_zone_working,
        "AWS, EC2 data transfer pricing: each GB between zones, in each direction; read 2026-09",
        decides=False,
    ),
    "interface_endpoint_hour": Charge(
        "Interface endpoints",
        "vpc_interface_endpoint_hour",
        "hours × endpoints × zones",
        lambda month: month.hours * month.endpoint_count,
        _endpoint_working,
        "AWS, PrivateLink pricing: each endpoint in each zone; read 2026-09",
    ),
    "interface_endpoint_gb": Charge(
        "Interface endpoint data",
        "vpc_interface_endpoint_gb",
        "GB of logs",
        lambda month: np.where(month.in_layout("endpoints"), month.log_gb, 0.0),
        lambda month, _: log_gb(month),
        "AWS, PrivateLink pricing: tiers by month; read 2026-09",
    ),
    "internet_egress": Charge(
        "Data transfer out to the internet",
        "internet_egress_gb",
        "GB of responses and TLS handshakes (none behind CloudFront) and of calls to the internet",
        billed_egress_gb,
        billed_egress_working,
        "AWS, EC2 data transfer pricing: tiers by month; the account's 100 free GB only with `free_egress`; read 2026-09",
    ),
    **EXTRA_CHARGES,
}

#: What the bill does not hold (yet), said at its end.
NOT_INCLUDED = (
    "deployments that `operations` does not name, what Lambda targets, CloudFront functions and other services cost themselves, free tiers of the account, "
    "taxes, support, and discounts other than those that the scenario gives"
)
