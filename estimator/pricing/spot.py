"""Fargate Spot prices, from the public feed behind AWS's pricing page.

Notes
-----
Spot prices float and the feed says nothing of when one began to hold. A rate is therefore dated on the day of reading;
also where the feed has not changed since it was last read, since it then holds today too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from estimator.errors import PriceListUnavailable
from estimator.pricing.catalog import PRICES, SPOT_FEED
from estimator.pricing.downloads import Downloads, Once
from estimator.pricing.products import plain_price
from estimator.pricing.rates import Rate, Tier


class _Metadata(msgspec.Struct):
    version: str = msgspec.field(name="source:version", default="")


class _Place(msgspec.Struct):
    region: str = msgspec.field(name="aws:region", default="")


class FeedRow(msgspec.Struct):
    """One price of the feed, as AWS writes it."""

    unit: str
    price: dict[str, str]
    attributes: _Place
    id: str = ""


class Feed(msgspec.Struct):
    """The Spot feed."""

    prices: list[FeedRow]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class SpotFeed:
    """The Fargate Spot feed: one small file for every region.

    Parameters
    ----------
    url : str
        Its address.
    downloads : Downloads
        The downloads of this refresh.
    """

    def __init__(self, url: str, downloads: Downloads) -> None:
        self._url = url
        self._downloads = downloads
        self._feed: Once[Feed] = Once()

    def rates(self, region: str, names: Iterable[str], today: dt.date) -> dict[str, Rate]:
        """Return Spot rates of a region.

        Parameters
        ----------
        region : str
            Region code.
        names : iterable of str
            Names of prices; those that are not of Spot are passed over.
        today : datetime.date
            Date of reading.

        Returns
        -------
        dict of str to Rate
            Rates by name; what the feed does not list is absent.

        Raises
        ------
        PriceListUnavailable
            If the feed cannot be had or is damaged, or a price is doubtful.
        """
        wanted = [name for name in names if PRICES[name].query.service_code == SPOT_FEED]
        if not wanted:
            return {}
        feed = self._feed.get("", lambda: self._downloads.read(self._url, "", _read, Feed))
        rows = [row for row in feed.prices if row.attributes.region == region]
        rates = ((name, _rate(name, region, rows, feed.metadata.version, today)) for name in wanted)
        return {name: rate for name, rate in rates if rate is not None}


def feed_unit(usage_type: str) -> str:
    """Return the unit by which the feed tells its rows apart.

    Parameters
    ----------
    usage_type : str
        Usage type of a Spot price, without region prefix.

    Returns
    -------
    str
        The unit.

    Examples
    --------
    >>> feed_unit("SpotUsage-Fargate-ARM-vCPU-Hours:perCPU")
    'ARM-vCPU-Hours'
    """
    return usage_type.removeprefix("SpotUsage-Fargate-").removesuffix(":perCPU")


def _read(file: BinaryIO) -> Feed:
    return msgspec.json.decode(file.read(), type=Feed)


def _rate(name: str, region: str, rows: list[FeedRow], version: str, today: dt.date) -> Rate | None:
    price = PRICES[name]
    unit = feed_unit(price.query.usage_type)
    found = [row for row in rows if row.unit == unit]
    if not found:
        return None
    where = f"The Spot price {name} in {region} ({unit})"
    prices = {_usd(where, row) for row in found}
    if len(prices) > 1:
        seen = "; ".join(sorted(f"{row.price['USD']} (id {row.id})" for row in found))
        raise PriceListUnavailable(f"{where} stands {len(found)} times in AWS's feed: {seen}. Only one can be right.")
    return Rate(
        price=name,
        unit=price.unit,
        tiers=(Tier(0.0, prices.pop()),),
        usage_type=price.query.usage_type_in(region),
        sku=found[0].id,
        published=today,
        provenance="api",
        source=f"Fargate Spot feed, version {version}" if version else "Fargate Spot feed",
        checked=today,
    )


def _usd(where: str, row: FeedRow) -> str:
    usd = row.price.get("USD")
    if usd is None:
        raise PriceListUnavailable(f"{where} is in {', '.join(sorted(row.price)) or 'no currency'}, not USD.")
    try:
        return plain_price(usd)
    except ValueError as error:
        raise PriceListUnavailable(f"{where} cannot be read: {error}.") from None
