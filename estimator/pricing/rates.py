"""RateQuery, Rate (with tiers) and the Rates of one region: a missing rate raises, it is never 0."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimator.checks import shown
from estimator.errors import InvalidScenario, PriceListUnavailable, RateNotFound
from estimator.pricing.regions import REGIONS

#: Where a figure was read. ``api``: AWS's own offer, GetProducts, Savings Plan file, Spot feed or pricing-page feed;
#: ``own``: the user's own price. All but ``api`` are said in every table.
PROVENANCES = ("api", "own", "thirdparty-derived", "thirdparty-typed")

#: Prices last read from AWS longer ago than this are said to be stale. [days]
STALE_AFTER_DAYS = 90


@dataclass(frozen=True, slots=True)
class RateQuery:
    """How one priced dimension is found in the AWS Price List.

    Parameters
    ----------
    service_code : str
        The offer, such as ``"AmazonECS"``; ``"FargateSpot"`` for the Spot feed and ``"ComputeSavingsPlans"`` for the
        Savings Plan files.
    usage_type : str
        Usage type without its region prefix, such as ``"Fargate-GB-Hours"``.
    product_family : str, optional
        Needed where several products share a usage type.
    operation : str, optional
        Needed where family and usage type do not decide.
    attributes : tuple of (str, str)
        Further attributes that the product must have, by the names of the price list.
    location_type : str
        Type of place that the product is sold in; the others (Outposts, Local Zones) never match.
    fallback_service_code : str, optional
        Offer to look in where the first one has none for a region.
    unprefixed_in : tuple of str
        Regions in which this service's usage types carry no prefix (us-east-1 differs by service).
    prefixed_by_region_code : bool
        True if the prefix is the region's code and not its billing code.
    also_unprefixed : bool
        True if sources differ on whether us-east-1 has the prefix: either is taken, both together are an error.
    not_in : tuple of str
        Regions in which there can be no such price.
    is_global : bool
        True if the price has no region.

    Notes
    -----
    The prefix is the region's billing code: ``EU`` for eu-west-1 and ``APS3`` for ap-south-1, for example.
    """

    service_code: str
    usage_type: str
    product_family: str | None = None
    operation: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    location_type: str = "AWS Region"
    fallback_service_code: str | None = None
    unprefixed_in: tuple[str, ...] = ()
    prefixed_by_region_code: bool = False
    also_unprefixed: bool = False
    not_in: tuple[str, ...] = ()
    is_global: bool = False

    def usage_type_in(self, region: str) -> str:
        """Return the usage type as it stands in the price list of a region.

        Parameters
        ----------
        region : str
            Region code.

        Returns
        -------
        str
            The usage type with the region's prefix, where it has one.

        Examples
        --------
        >>> RateQuery("AmazonECS", "Fargate-GB-Hours").usage_type_in("eu-west-1")
        'EU-Fargate-GB-Hours'
        >>> RateQuery("awskms", "KMS-Keys", prefixed_by_region_code=True).usage_type_in("eu-west-1")
        'eu-west-1-KMS-Keys'
        """
        if self.is_global or region in self.unprefixed_in:
            return self.usage_type
        prefix = region if self.prefixed_by_region_code else REGIONS[region].prefix
        return f"{prefix}-{self.usage_type}"

    def usage_types_in(self, region: str) -> tuple[str, ...]:
        """Return every spelling of the usage type that is taken in a region, the usual one first.

        Parameters
        ----------
        region : str
            Region code.

        Returns
        -------
        tuple of str
            One, or two where sources differ.
        """
        usual = self.usage_type_in(region)
        return (usual, self.usage_type) if self.also_unprefixed and region == "us-east-1" else (usual,)


@dataclass(frozen=True, slots=True)
class Tier:
    """One price for the units between two monthly quantities.

    Parameters
    ----------
    begin : float
        First unit of the tier, by month. [pricing unit]
    price : str
        Price of one unit as AWS wrote it. [USD/unit]
    """

    begin: float
    price: str


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one dimension in one region, and where it came from.

    Parameters
    ----------
    price : str
        Name of the row in ``PRICES``.
    unit : str
        AWS's pricing unit.
    tiers : tuple of Tier
        At least one; the first begins at 0, in rising order.
    usage_type : str
        AWS's usage type with the region's prefix; empty if the source does not say.
    sku : str
        AWS's SKU; empty if the source does not say.
    published : datetime.date or None
        Publication date of the price list that the figure was read from.
    provenance : str
        One of ``PROVENANCES``.
    source : str
        The document that the figure was read from.
    note : str
        What the source says about the figure.
    checked : datetime.date or None
        Date on which AWS's list was last seen to say so; None if that is the publication date.
    discount_percent : float
        Private discount on the list price. [percent]
    list_tiers : tuple of Tier
        AWS's price where your own stands in its place; empty if it does not, or AWS's is not known.
    """

    price: str
    unit: str
    tiers: tuple[Tier, ...]
    usage_type: str = ""
    sku: str = ""
    published: dt.date | None = None
    provenance: str = "api"
    source: str = ""
    note: str = ""
    checked: dt.date | None = None
    discount_percent: float = 0.0
    list_tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        begins = [tier.begin for tier in self.tiers]
        if not begins or begins[0] != 0 or begins != sorted(set(begins)):
            raise PriceListUnavailable(
                f"The tiers of {self.price} begin at {begins}; they must begin at 0 and rise. Restore the price snapshot."
            )
        for tier in self.tiers:
            try:
                valid = Decimal(tier.price).is_finite() and Decimal(tier.price) >= 0
            except InvalidOperation:
                valid = False
            if not valid:
                raise PriceListUnavailable(
                    f"The price of {self.price} is {tier.price!r}; it must be a decimal number of 0 or more. "
                    "Restore the price snapshot."
                )

    @property
    def last_seen(self) -> dt.date | None:
        """Date on which the figure was last known to hold."""
        return self.checked or self.published

    def cost(self, quantity: ArrayLike) -> NDArray[np.float64]:
        """Price a month's quantity at what you pay: list prices less the private discount, or your own price.

        Parameters
        ----------
        quantity : array_like
            Quantity of one month. [pricing unit]

        Returns
        -------
        numpy.ndarray
            Cost, in the shape of the quantity. [USD]

        Examples
        --------
        >>> rate = Rate("egress", "GB", (Tier(0, "0.09"),), discount_percent=10)
        >>> rate.cost(100).round(6).tolist()
        8.1
        """
        return _cost(self.tiers, quantity) * (1.0 - self.discount_percent / 100.0)

    def list_cost(self, quantity: ArrayLike) -> NDArray[np.float64]:
        """Price a month's quantity at AWS's list prices, each unit at the price of the tier in which it falls.

        Parameters
        ----------
        quantity : array_like
            Quantity of one month. [pricing unit]

        Returns
        -------
        numpy.ndarray
            Cost, in the shape of the quantity. [USD]

        Examples
        --------
        >>> rate = Rate("egress", "GB", (Tier(0, "0.09"), Tier(10, "0.05")))
        >>> rate.list_cost([4, 12]).round(6).tolist()
        [0.36, 1.0]
        """
        return _cost(self.list_tiers or self.tiers, quantity)

    def tiers_text(self, quantity: float = math.inf) -> str:
        """Write the price, or the prices of the tiers, to read.

        Parameters
        ----------
        quantity : float
            Tiers that begin at or above it are left out. [pricing unit]

        Returns
        -------
        str
            Prices. [USD/unit]

        Examples
        --------
        >>> Rate("egress", "GB", (Tier(0, "0.09"), Tier(10240, "0.085"))).tiers_text()
        '0.09, from 10,240 on 0.085'
        """
        return _text(self.tiers, quantity)

    def list_text(self, quantity: float = math.inf) -> str:
        """Write AWS's list price, or the prices of its tiers, to read.

        Parameters
        ----------
        quantity : float
            Tiers that begin at or above it are left out. [pricing unit]

        Returns
        -------
        str
            Prices. [USD/unit]
        """
        return _text(self.list_tiers or self.tiers, quantity)


def _cost(tiers: tuple[Tier, ...], quantity: ArrayLike) -> NDArray[np.float64]:
    units = np.asarray(quantity, dtype=np.float64)
    total = np.zeros_like(units)
    ends = [tier.begin for tier in tiers[1:]] + [np.inf]
    for tier, end in zip(tiers, ends, strict=True):
        total += float(tier.price) * np.clip(units - tier.begin, 0.0, end - tier.begin)
    return total


def _text(tiers: tuple[Tier, ...], quantity: float) -> str:
    first, *more = tiers
    return first.price + "".join(
        f", from {_begin(tier.begin)} on {tier.price}" for tier in more if tier.begin < quantity
    )


def _begin(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"


@dataclass(frozen=True, eq=False, repr=False)
class Rates:
    """The rates of one region by name; asking for one that is not known raises `RateNotFound`.

    Parameters
    ----------
    region : str
        Region code.
    known : dict of str to Rate
        The known rates.
    snapshot : str
        Where they were read, for messages.
    as_of : datetime.date or None
        The day on which they held; None for the newest.
    own : str
        Fingerprint of the section ``prices`` of a scenario that was laid over them; empty for AWS's prices as they are.
    """

    region: str
    known: Mapping[str, Rate]
    snapshot: str = "made in Python"
    as_of: dt.date | None = None
    own: str = ""

    def __post_init__(self) -> None:
        require_region(self.region)

    def __getitem__(self, price: str) -> Rate:
        try:
            return self.known[price]
        except KeyError:
            from estimator.pricing.catalog import PRICES

            usage_type = PRICES[price].query.usage_type_in(self.region) if price in PRICES else "no priced dimension"
            raise RateNotFound(price, self.region, usage_type, self.snapshot, self.as_of) from None

    def without_rising_tiers(self) -> Rates:
        """Take the lowest price of all tiers where one of them is dearer than one before it, as only prices of your own are.

        Returns
        -------
        Rates
            Under which no amount costs more; these themselves where nothing rises.
        """
        rising = {
            name: replace(rate, tiers=(Tier(0, min((tier.price for tier in rate.tiers), key=float)),))
            for name, rate in self.known.items()
            if any(float(later.price) > float(earlier.price) for earlier, later in itertools.pairwise(rate.tiers))
        }
        return replace(self, known={**self.known, **rising}) if rising else self

    def __contains__(self, price: object) -> bool:
        return price in self.known

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __repr__(self) -> str:
        return f"<{len(self.known)} rates of {self.region}, {self.snapshot}>"

    def __len__(self) -> int:
        return len(self.known)


def require_region(region: str) -> None:
    """Raise unless the region is one whose prices can be known.

    Parameters
    ----------
    region : str
        Region code.

    Raises
    ------
    InvalidScenario
        If it is none of the priced regions.
    """
    if not isinstance(region, str) or region not in REGIONS:
        import difflib

        close = difflib.get_close_matches(str(region).lower(), REGIONS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise InvalidScenario(
            f"Region {region!r} is not one of the {len(REGIONS)} priced regions.{hint} They are {', '.join(sorted(REGIONS))}."
        )


def require_rates(rates: object) -> None:
    """Say in a sentence what a notebook's user often gives in place of rates.

    Parameters
    ----------
    rates : object
        What was given.

    Raises
    ------
    InvalidScenario
        If it is something else.
    """
    if not isinstance(rates, Rates):
        raise InvalidScenario(
            f"rates is {shown(rates)}; it must be what load_rates gives, as in load_rates('eu-west-1')."
        )
