"""Compute Savings Plan rates of Fargate, from the public Savings Plan files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from estimator.checks import shown
from estimator.errors import PriceListUnavailable
from estimator.pricing.bulk_files import digest_of, is_published
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS
from estimator.pricing.downloads import Downloads, Once, absolute_url
from estimator.pricing.pieces import WINDOW_BYTES, Cut, pieces
from estimator.pricing.products import paid_tiers, published_date, usd_price
from estimator.pricing.rates import Rate

_REGION_INDEX = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json"
#: Compute plans cover Fargate; the EC2 Instance plans of the same file do not.
_FAMILY = "ComputeSavingsPlans"
#: Fargate on ECS; its twin on EKS has the same usage types.
_SERVICE = "AmazonECS"


class _Region(msgspec.Struct, rename="camel"):
    region_code: str
    version_url: str


class _RegionIndex(msgspec.Struct):
    regions: list[_Region]


class _Price(msgspec.Struct):
    price: str
    currency: str = ""


class PlanRate(msgspec.Struct, rename="camel"):
    """What a usage type costs under a plan, as AWS writes it."""

    discounted_usage_type: str
    discounted_rate: _Price
    discounted_sku: str = ""
    discounted_service_code: str = ""
    unit: str = ""


class Plan(msgspec.Struct):
    """A Compute Savings Plan and the wanted rates under it."""

    purchase_term: str
    purchase_option: str
    rates: list[PlanRate]


class PlanFile(msgspec.Struct):
    """What is kept of a region's Savings Plan file."""

    version: str
    published: dt.date
    plans: list[Plan]


class SavingsPlanFiles:
    """The Compute Savings Plan files.

    Parameters
    ----------
    base_url : str
        Host of the Savings Plan files, or a mirror.
    downloads : Downloads
        The downloads of this refresh.
    """

    def __init__(self, base_url: str, downloads: Downloads) -> None:
        self._base_url = base_url
        self._downloads = downloads
        self._index: Once[_RegionIndex] = Once()

    def rates(self, region: str, names: Iterable[str], checked: dt.date) -> dict[str, Rate]:
        """Return rates under Compute Savings Plans in a region.

        Parameters
        ----------
        region : str
            Region code.
        names : iterable of str
            Names of prices; those that are not of a Savings Plan are passed over.
        checked : datetime.date
            Date of reading.

        Returns
        -------
        dict of str to Rate
            Rates by name; what AWS does not publish is absent.

        Raises
        ------
        PriceListUnavailable
            If a file cannot be had or is damaged, or a rate is doubtful.
        """
        wanted = [name for name in names if PRICES[name].query.service_code == SAVINGS_PLANS]
        url = self._url(region) if wanted else None
        if url is None:
            return {}
        usage_types = frozenset(PRICES[name].query.usage_type_in(region) for name in wanted)
        key = digest_of(SAVINGS_PLANS, usage_types)
        file = self._downloads.read(url, key, lambda body: read_plans(body, usage_types), PlanFile)
        return plan_rates(file, region, wanted, checked)

    def _url(self, region: str) -> str | None:
        index = self._index.get("", self._read_index)
        urls = [each.version_url for each in index.regions if each.region_code == region]
        return absolute_url(self._base_url, urls[0]) if urls and is_published(urls[0]) else None

    def _read_index(self) -> _RegionIndex:
        url = absolute_url(self._base_url, _REGION_INDEX)
        return self._downloads.read(
            url, "", lambda file: msgspec.json.decode(file.read(), type=_RegionIndex), _RegionIndex
        )


class _Attributes(msgspec.Struct, rename="camel"):
    purchase_term: str = ""
    purchase_option: str = ""


class _PlanProduct(msgspec.Struct, rename="camel"):
    sku: str
    product_family: str = ""
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _PlanTerm(msgspec.Struct):
    sku: str
    rates: msgspec.Raw


class _Terms(msgspec.Struct, rename="camel"):
    savings_plan: list[_PlanTerm]


class _Piece(msgspec.Struct, rename="camel"):
    version: str | None = None
    publication_date: str | None = None
    products: list[_PlanProduct] | None = None
    terms: _Terms | None = None


def _reopening(piece: _Piece) -> bytes | None:
    return b'{"terms":{"savingsPlan":[' if piece.terms is not None else None


#: Between the terms of two plans; the products before them are few.
_CUTS = (Cut(re.compile(rb',\s*\{\s*"sku"\s*:'), b"]}}", _reopening),)


def read_plans(file: BinaryIO, usage_types: frozenset[str], window_bytes: int = WINDOW_BYTES) -> PlanFile:
    """Take from a Savings Plan file the Fargate rates of the Compute plans.

    Parameters
    ----------
    file : file
        Open to read bytes.
    usage_types : frozenset of str
        Usage types with their region prefix.
    window_bytes : int
        How much to read at a time; -1 for the whole file. [bytes]

    Returns
    -------
    PlanFile
        The plans with the wanted rates.

    Raises
    ------
    ValueError
        If the file is truncated or no Savings Plan file.
    """
    version = publication_date = ""
    products: dict[str, _PlanProduct] = {}
    plans = []
    terms_begun = False
    for piece, _ in pieces(file, _Piece, _CUTS, window_bytes):
        version, publication_date = piece.version or version, piece.publication_date or publication_date
        if piece.products is not None:
            if terms_begun:  # never in AWS's own files: what the terms belong to was not known when they passed
                file.seek(0)
                return read_plans(file, usage_types, -1)
            products = {each.sku: each for each in piece.products if each.product_family == _FAMILY}
        if piece.terms is None:
            continue
        terms_begun = True
        for term in piece.terms.savings_plan:
            if term.sku in products:
                plans.append(_plan(products[term.sku].attributes, term, usage_types))
    if not (version and terms_begun):
        raise ValueError("it lacks a version or terms")
    return PlanFile(version, published_date(publication_date), plans)


def _plan(attributes: _Attributes, term: _PlanTerm, usage_types: frozenset[str]) -> Plan:
    rates = msgspec.json.decode(term.rates, type=list[PlanRate])
    kept = [
        rate for rate in rates if rate.discounted_service_code == _SERVICE and rate.discounted_usage_type in usage_types
    ]
    return Plan(attributes.purchase_term, attributes.purchase_option, kept)


def plan_rates(file: PlanFile, region: str, names: Iterable[str], checked: dt.date | None) -> dict[str, Rate]:
    """Take the rates of a region from its Savings Plan file.

    Parameters
    ----------
    file : PlanFile
        The file.
    region : str
        Region code.
    names : iterable of str
        Names of Savings Plan prices.
    checked : datetime.date or None
        Day on which AWS was seen to say so.

    Returns
    -------
    dict of str to Rate
        Rates by name; what the file does not list is absent.

    Raises
    ------
    PriceListUnavailable
        If a rate is doubtful.
    """
    rates = {}
    for name in names:
        query = PRICES[name].query
        usage_type, attributes = query.usage_type_in(region), dict(query.attributes)
        found = [
            rate
            for plan in file.plans
            if (plan.purchase_term, plan.purchase_option) == (attributes["purchaseTerm"], attributes["purchaseOption"])
            for rate in plan.rates
            if rate.discounted_usage_type == usage_type
        ]
        if found:
            where = f"The Savings Plan rate {name} in {region} ({usage_type})"
            rates[name] = Rate(
                price=name,
                unit=PRICES[name].unit,
                tiers=paid_tiers(where, [(0.0, _only_price(where, found))]),
                usage_type=usage_type,
                sku=found[0].discounted_sku,
                published=file.published,
                provenance="api",
                source=f"AWS Compute Savings Plan file, version {file.version}",
                checked=checked,
            )
    return rates


def _only_price(where: str, found: list[PlanRate]) -> str:
    prices = {_usd_per_hour(where, rate) for rate in found}
    if len(prices) > 1:
        seen = "; ".join(sorted(f"{rate.discounted_rate.price} (SKU {rate.discounted_sku})" for rate in found))
        raise PriceListUnavailable(f"{where} stands {len(found)} times in AWS's file: {seen}. Only one can be right.")
    return prices.pop()


def _usd_per_hour(where: str, rate: PlanRate) -> str:
    """Return the price; both legs are by the hour, and AWS writes ``Hrs`` for gigabytes too."""
    price, currency = rate.discounted_rate.price, rate.discounted_rate.currency
    usd = usd_price(where, {currency: price} if currency else {})
    if not rate.unit.casefold().endswith(("hrs", "hr", "hours", "hour")):
        raise PriceListUnavailable(f"{where} is by {shown(rate.unit)}, not by the hour.")
    return usd
