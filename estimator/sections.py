"""The sections of a scenario that are not dataclasses of their own room: load, network, service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from estimator.workload.profile import LoadProfile
from estimator.workload.sources import GapRule, load_from_csv


class Section(BaseModel):
    """A part of the document: unknown fields are refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConstantLoad(Section):
    """A load that never changes.

    Parameters
    ----------
    kind : str
        ``constant``.
    requests_per_s : float
        Request rate. [requests/s]
    """

    kind: Literal["constant"] = "constant"
    requests_per_s: float

    def profile(self, folder: Path) -> LoadProfile:
        """Make the profile."""
        return LoadProfile.constant(self.requests_per_s)


class DailyLoad(Section):
    """A day that swings between a trough and a peak.

    Parameters
    ----------
    kind : str
        ``daily``.
    peak_requests_per_s, trough_requests_per_s : float
        Request rates at the peak and half a day from it. [requests/s]
    peak_hour : float
        Hour of the peak, 0 to 24. [h]
    """

    kind: Literal["daily"] = "daily"
    peak_requests_per_s: float
    trough_requests_per_s: float
    peak_hour: float = 20.0

    def profile(self, folder: Path) -> LoadProfile:
        """Make the profile."""
        return LoadProfile.daily(self.peak_requests_per_s, self.trough_requests_per_s, self.peak_hour)


class WeeklyLoad(Section):
    """A week of daily swings with a different weekend.

    Parameters
    ----------
    kind : str
        ``weekly``.
    peak_requests_per_s, trough_requests_per_s : float
        Request rates of a working day, at the peak and half a day from it. [requests/s]
    peak_hour : float
        Hour of the peak, 0 to 24. [h]
    weekend_factor : float
        What the weekend's load is multiplied with. [1]
    """

    kind: Literal["weekly"] = "weekly"
    peak_requests_per_s: float
    trough_requests_per_s: float
    peak_hour: float = 20.0
    weekend_factor: float = 1.0

    def profile(self, folder: Path) -> LoadProfile:
        """Make the profile."""
        return LoadProfile.weekly(
            self.peak_requests_per_s, self.trough_requests_per_s, self.peak_hour, self.weekend_factor
        )


class CsvLoad(Section):
    """Request counts from a CSV file.

    Parameters
    ----------
    kind : str
        ``csv``.
    path : str
        The file, relative to the scenario.
    timestamp_column, requests_column : str
        Names of the columns: ISO 8601 starts of intervals, and requests in each interval.
    gaps : str
        What to do with missing intervals: ``error``, ``interpolate``, ``previous`` or ``zero``.
    scale : float
        What the load is multiplied with. [1]
    """

    kind: Literal["csv"] = "csv"
    path: str
    timestamp_column: str = "timestamp"
    requests_column: str = "requests"
    gaps: GapRule = "error"
    scale: float = 1.0

    def profile(self, folder: Path) -> LoadProfile:
        """Read the profile."""
        return load_from_csv(folder / self.path, self.timestamp_column, self.requests_column, self.gaps).scaled(
            self.scale
        )


class Network(Section):
    """Where the tasks stand.

    Parameters
    ----------
    layout : str
        ``public`` (tasks with public addresses), ``nat`` (private subnets behind NAT gateways) or ``endpoints``
        (private subnets with the interface endpoints that Fargate needs and no internet).
    availability_zones : int
        Zones, at least two. [1]
    nat_gateways : int
        NAT gateways in the ``nat`` layout; one if not given. [1]
    """

    layout: Literal["public", "nat", "endpoints"] = "public"
    availability_zones: int = 2
    nat_gateways: int | None = None


class Service(Section):
    """One way to run the service, such as the one that runs today; `estimator estimate` prices it.

    Parameters
    ----------
    cpu_units, memory_mib : int
        CPU and memory of a task; only pairs that Fargate has. [cpu units, MiB]
    cpu_architecture : str
        ``X86_64`` or ``ARM64``.
    min_capacity, max_capacity : int
        Bounds of the desired count. [tasks]
    target_value : float
        CPU utilization to hold. [%]
    scale_out_cooldown_s, scale_in_cooldown_s : int
        Cooldowns. [s]
    disable_scale_in : bool
        True to never remove tasks.
    capacity_provider : str
        ``FARGATE`` or ``FARGATE_SPOT``.
    """

    cpu_units: int
    memory_mib: int
    cpu_architecture: Literal["X86_64", "ARM64"] = "X86_64"
    min_capacity: int = 2
    max_capacity: int = 10
    target_value: float = 60.0
    scale_out_cooldown_s: int = 300
    scale_in_cooldown_s: int = 300
    disable_scale_in: bool = False
    capacity_provider: Literal["FARGATE", "FARGATE_SPOT"] = "FARGATE"


Load = Annotated[ConstantLoad | DailyLoad | WeeklyLoad | CsvLoad, Field(discriminator="kind")]
