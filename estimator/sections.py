"""The sections of a scenario that are not dataclasses of their own room: load, network, service, prices."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.fingerprints import fingerprint_of
from estimator.pricing.own_prices import (
    read_overrides,
    require_discounts,
    require_spot_ratio,
    with_discounts,
    with_overrides,
    with_spot_ratio,
)
from estimator.pricing.rates import Rates
from estimator.workload.profile import LoadProfile
from estimator.workload.rows import GapRule
from estimator.workload.sources import load_from_csv


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


class Prices(Section):
    """Which prices hold: those of a day, and your own in place of AWS's list.

    Parameters
    ----------
    as_of : date
        Take the prices that held on this day, such as ``2026-01-31``; null for the newest.
    overrides : str
        A CSV file of your own prices, relative to the scenario, with the columns price, region (or ``*``), usd_per_unit,
        reason and date (from which it holds), and tier_begin for tiers; null for none.
    discounts_percent : dict of str to float
        Private discount on list prices by service code, such as ``AmazonECS``, or ``"*"`` in quotes for all but
        FargateSpot and ComputeSavingsPlans; not taken off your own prices. [percent]
    fargate_spot_ratio : float
        Fargate Spot's prices as a part of On-Demand's before discounts, where the file has none; null for those of
        AWS's feed. [1]
    """

    as_of: dt.date | None = None
    overrides: str | None = None
    discounts_percent: dict[str, float] = {}
    fargate_spot_ratio: float | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        # A number would be read as seconds since 1970.
        written = isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
        if value is None or written or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        raise InvalidScenario(f"as_of is {shown(value)}; it must be a day such as 2026-01-31, or null for the newest.")

    @model_validator(mode="after")
    def _allowed(self) -> Prices:
        if self.overrides is not None and not self.overrides.strip():
            raise InvalidScenario("overrides is ''; it must be the path of a CSV file, or null for none.")
        require_discounts(self.discounts_percent)
        if self.fargate_spot_ratio is not None:
            require_spot_ratio(self.fargate_spot_ratio)
        return self

    def over(self, rates: Rates, folder: Path) -> Rates:
        """Put your own prices over a region's rates.

        Parameters
        ----------
        rates : Rates
            The region's rates.
        folder : pathlib.Path
            What the path of the CSV file is relative to.

        Returns
        -------
        Rates
            Overrides first, so that a Spot price of the file goes before the ratio; discounts last.
        """
        if self == Prices():
            return rates
        if self.overrides is not None:
            rates = with_overrides(rates, read_overrides(folder / self.overrides))
        if self.fargate_spot_ratio is not None:
            rates = with_spot_ratio(rates, self.fargate_spot_ratio)
        if self.discounts_percent:
            rates = with_discounts(rates, self.discounts_percent)
        return replace(rates, own=self.fingerprint())

    def fingerprint(self) -> str:
        """Return SHA-256 over the section; empty if it says nothing.

        Returns
        -------
        str
            64 hexadecimal digits, or nothing.
        """
        return "" if self == Prices() else fingerprint_of(self.model_dump(mode="json"))


Load = Annotated[ConstantLoad | DailyLoad | WeeklyLoad | CsvLoad, Field(discriminator="kind")]
