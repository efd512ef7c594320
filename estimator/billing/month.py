"""One billed month of many candidates: what the meters read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from estimator.billing.lcu import LcuHours, lcu_hours
from estimator.checks import require_number
from estimator.errors import InvalidScenario
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.spec import ServiceSpec
from estimator.simulation.result import Simulation
from estimator.units import BYTES_PER_GB, BYTES_PER_KB, HOURS_PER_MONTH, INCLUDED_EPHEMERAL_STORAGE_GIB, MB_PER_GB
from estimator.workload.request import Workload


@dataclass(frozen=True, eq=False)
class BilledMonth:
    """A workload, its candidates and their simulation, scaled from the period to one month.

    Scaling comes before tiers and free amounts, which count by month. What depends on the traffic alone is a number;
    what depends on the candidate is an array of shape (n_candidates,).

    Parameters
    ----------
    workload : Workload
        The load and its requests.
    simulation : Simulation
        The candidates over one period.
    application : Application
        What is deployed whatever its size.
    hours : float
        Length of the billed month. [h]
    region : str
        Region code; without one every ECR image is taken to be in the region.
    behavior : AwsBehavior
        How AWS counts where it does not say.
    extras : Extras
        What is billed around the service.
    """

    workload: Workload
    simulation: Simulation
    application: Application
    hours: float = HOURS_PER_MONTH
    region: str = ""
    behavior: AwsBehavior = field(default_factory=AwsBehavior)
    extras: Extras = field(default_factory=Extras)

    def __post_init__(self) -> None:
        require_number("hours_per_month", self.hours, 1, 744, advice="730 is the calculators' month.")
        if self.simulation.load_fingerprint != self.workload.load.fingerprint():
            raise InvalidScenario("The simulation is of another load than the workload's; simulate this workload.")

    @property
    def specs(self) -> tuple[ServiceSpec, ...]:
        """The candidates."""
        return self.simulation.specs

    @property
    def periods(self) -> float:
        """Periods of the load in a month. [1]"""
        return self.hours / self.workload.load.period_hours

    # What depends on the traffic alone.

    @cached_property
    def requests(self) -> float:
        """Requests of clients, wherever they are answered. [requests]"""
        return self.workload.load.requests * self.periods

    @property
    def task_requests(self) -> float:
        """Requests that reach the tasks: not those that CloudFront or a Lambda function answers. [requests]"""
        return self.requests * self.workload.task_share

    @cached_property
    def capacity_units(self) -> LcuHours:
        """Capacity units of each hour of the period."""
        return lcu_hours(self.workload, self.behavior)

    @cached_property
    def lcu_hours(self) -> float:
        """Load balancer capacity unit hours above a reservation. [LCU-h]"""
        consumed = self.capacity_units.consumed
        return float(np.maximum(consumed - self.extras.reserved_lcu, 0.0).sum()) * self.periods

    @property
    def response_gb(self) -> float:
        """Bytes that the load balancer sends to clients on the internet, TLS handshakes among them. [GB]"""
        return self.requests * self.workload.internet_sent_kb * BYTES_PER_KB / BYTES_PER_GB

    @property
    def load_balancer_requests(self) -> float:
        """Requests that reach the load balancer. [requests]"""
        return self.requests * self.workload.load_balancer_share

    @property
    def log_gb(self) -> float:
        """Bytes that tasks write to the log. [GB]"""
        return self.task_requests * self.workload.log_bytes_per_request / BYTES_PER_GB

    @property
    def outbound_sent_gb(self) -> float:
        """Bytes that tasks send to the internet on their own account. [GB]"""
        return self.task_requests * self.workload.outbound_sent_kb_per_request * BYTES_PER_KB / BYTES_PER_GB

    @property
    def outbound_received_gb(self) -> float:
        """Bytes that come back from the internet to tasks. [GB]"""
        return self.task_requests * self.workload.outbound_received_kb_per_request * BYTES_PER_KB / BYTES_PER_GB

    # What depends on the candidate.

    @property
    def billed_task_hours(self) -> NDArray[np.float64]:
        """Task hours from image pull to stop. [task-h]"""
        return self.simulation.billed_task_hours * self.periods

    @property
    def started_tasks(self) -> NDArray[np.float64]:
        """Tasks that are started, whatever for. [tasks]"""
        return (self.simulation.launched + self.simulation.replaced) * self.periods

    @property
    def pulled_gb(self) -> NDArray[np.float64]:
        """Image bytes pulled by started tasks. [GB]"""
        return self.started_tasks * self.application.image_mb / MB_PER_GB

    @cached_property
    def vcpu(self) -> NDArray[np.float64]:
        """CPU of a task. [vCPU]"""
        return np.array([spec.task_size.vcpu for spec in self.specs])

    @cached_property
    def memory_gb(self) -> NDArray[np.float64]:
        """Memory of a task. [GB of 1024 MiB]"""
        return np.array([spec.task_size.memory_gb for spec in self.specs])

    @cached_property
    def paid_storage_gb(self) -> NDArray[np.float64]:
        """Ephemeral storage of a task above what is included. [GB]"""
        return np.array(
            [max(0, spec.ephemeral_storage_gib - INCLUDED_EPHEMERAL_STORAGE_GIB) for spec in self.specs],
            dtype=np.float64,
        )

    @cached_property
    def availability_zones(self) -> NDArray[np.float64]:
        """Zones. [1]"""
        return np.array([spec.network.availability_zones for spec in self.specs], dtype=np.float64)

    @cached_property
    def nat_gateways(self) -> NDArray[np.float64]:
        """NAT gateways. [1]"""
        return np.array([spec.network.nat_gateways for spec in self.specs], dtype=np.float64)

    @cached_property
    def endpoint_count(self) -> NDArray[np.float64]:
        """Interface endpoints, counted once for each zone. [1]"""
        return np.array(
            [len(s.network.interface_endpoints) * s.network.availability_zones for s in self.specs], dtype=np.float64
        )

    def in_layout(self, layout: str) -> NDArray[np.bool_]:
        """Say which candidates have a network layout.

        Parameters
        ----------
        layout : str
            One of ``LAYOUTS``.

        Returns
        -------
        numpy.ndarray, shape (n_candidates,)
            True where it is so.
        """
        return np.array([spec.network.layout == layout for spec in self.specs])

    @cached_property
    def cross_zone_share(self) -> NDArray[np.float64]:
        """Part of the traffic through NAT gateways that crosses zones. [1]"""
        return np.array([spec.network.cross_zone_share for spec in self.specs])

    @cached_property
    def load_balancer_addresses(self) -> NDArray[np.float64]:
        """Public IPv4 addresses of the load balancer, one in each zone unless it has none. [1]"""
        return np.where([spec.network.load_balancer_ipv4 for spec in self.specs], self.availability_zones, 0.0)

    def task_hours(self, operating_system: str, cpu_architecture: str, *, spot: bool) -> NDArray[np.float64]:
        """Count the billed task hours with an operating system, on an architecture and a capacity provider.

        Parameters
        ----------
        operating_system : str
            ``LINUX`` or ``WINDOWS``.
        cpu_architecture : str
            ``X86_64`` or ``ARM64``.
        spot : bool
            True for ``FARGATE_SPOT``.

        Returns
        -------
        numpy.ndarray, shape (n_candidates,)
            Task hours from image pull to stop; 0 with another operating system, and for candidates of another architecture. [task-h]
        """
        if operating_system != self.application.operating_system:
            return np.zeros(len(self.specs))
        on_spot = self.simulation.spot_billed_task_hours * self.periods
        hours = on_spot if spot else self.billed_task_hours - on_spot
        return np.where([spec.cpu_architecture == cpu_architecture for spec in self.specs], hours, 0.0)
