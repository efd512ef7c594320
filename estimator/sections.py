"""The sections of a scenario that are not dataclasses of their own room and have no module of their own: network, prices."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from estimator.checks import shown
from estimator.documents import Section
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


class Network(Section):
    """Where the tasks stand.

    Parameters
    ----------
    layout : str
        ``public`` (tasks with public addresses), ``nat`` (private subnets behind NAT gateways), ``endpoints``
        (private subnets with the interface endpoints that Fargate needs and no internet) or ``ipv6`` (private subnets
        with IPv6 alone, behind an egress-only internet gateway).
    availability_zones : int
        Zones, at least two. [1]
    nat_gateways : int
        NAT gateways in the ``nat`` layout; one if not given. [1]
    load_balancer_ipv4 : bool
        False if the load balancer has no public IPv4 addresses, which are billed: clients then need IPv6.
    """

    layout: Literal["public", "nat", "endpoints", "ipv6"] = "public"
    availability_zones: int = 2
    nat_gateways: int | None = None
    load_balancer_ipv4: bool = True


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
    discounts_percent: dict[str, float] = Field(default={})
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
