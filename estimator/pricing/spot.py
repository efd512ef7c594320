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
from estimator.pricing.products import paid_tiers, published_date, usd_price
from estimator.pricing.rates import Rate


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
        feed = self._feed.get("", lambda: self._downloads.read(self._url, "", read_feed, Feed))
        return spot_rates(feed, region, wanted, published=today, checked=today)


def read_feed(file: BinaryIO) -> Feed:
    """Read the feed.

    Parameters
    ----------
    file : file
        Open to read bytes.

    Returns
    -------
    Feed
        What it lists.

    Raises
    ------
    ValueError
        If it is no Spot feed.
    """
    return msgspec.json.decode(file.read(), type=Feed)


def spot_rates(
    feed: Feed, region: str, names: Iterable[str], *, published: dt.date, checked: dt.date | None
) -> dict[str, Rate]:
    """Take the rates of a region from a feed.

    Parameters
    ----------
    feed : Feed
        The feed.
    region : str
        Region code.
    names : iterable of str
        Names of Spot prices.
    published : datetime.date
        Day from which on they are known to hold.
    checked : datetime.date or None
        Day on which AWS was seen to say so.

    Returns
    -------
    dict of str to Rate
        Rates by name; what the feed does not list is absent.

    Raises
    ------
    PriceListUnavailable
        If a price is doubtful.
    """
    rows = [row for row in feed.prices if row.attributes.region == region]
    version = feed.metadata.version
    source = f"Fargate Spot feed, version {version}" if version else "Fargate Spot feed"
    rates = {}
    for name in names:
        unit = feed_unit(PRICES[name].query.usage_type)
        found = [row for row in rows if row.unit == unit]
        if found:
            where = f"The Spot price {name} in {region} ({unit})"
            rates[name] = Rate(
                price=name,
                unit=PRICES[name].unit,
                tiers=paid_tiers(where, [(0.0, _only_price(where, found))]),
                usage_type=PRICES[name].query.usage_type_in(region),
                sku=found[0].id,
                published=published,
                provenance="api",
                source=source,
                checked=checked,
            )
    return rates


def day_of(feed: Feed, latest: dt.date) -> dt.date | None:
    """Read the day on which AWS made a feed.

    Parameters
    ----------
    feed : Feed
        The feed.
    latest : datetime.date
        The last day that is plausible.

    Returns
    -------
    datetime.date or None
        The day; None if its version says none, or one before there was Fargate Spot.
    """
    try:
        day = published_date("", feed.metadata.version)
    except ValueError:
        return None
    return day if dt.date(2019, 1, 1) <= day <= latest else None


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


def _only_price(where: str, found: list[FeedRow]) -> str:
    prices = {usd_price(where, row.price) for row in found}
    if len(prices) > 1:
        seen = "; ".join(sorted(f"{row.price['USD']} (id {row.id})" for row in found))
        raise PriceListUnavailable(f"{where} stands {len(found)} times in AWS's feed: {seen}. Only one can be right.")
    return prices.pop()
