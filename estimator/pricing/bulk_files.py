"""The bulk files of the AWS Price List: service index, region index, and of a region's offer the products that are asked for.

Notes
-----
An offer has up to hundreds of megabytes, nearly all of them of no interest. It is therefore read in pieces of a
megabyte. Each piece is made a whole document (see `pieces`), so that the parser checks every byte of the file, but
makes objects only of usage types and of the few products that are wanted. ``benchmarks/price_list.py`` compares time
and memory with the plain way, ``json.load``.

AWS's index of versions is not read: it lists all of years past, and what holds now has an address of its own, with
``current`` or the newest version in it, in the indexes of services and regions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, TypeVar

import msgspec

from estimator.pricing.downloads import Downloads, Once, absolute_url
from estimator.pricing.pieces import WINDOW_BYTES, Cut, pieces
from estimator.pricing.products import Origin, PricedProduct, Product, Term, published_date

#: Where AWS publishes what has no region, in the order in which they are tried.
PLACES_WITHOUT_REGION = ("aws-other", "aws-global", "global")

_SERVICE_INDEX = "/offers/v1.0/aws/index.json"
_EMPTY = "/default/empty.json"

T = TypeVar("T")


class _Service(msgspec.Struct, rename="camel"):
    current_version_url: str = ""
    current_region_index_url: str = ""


class _ServiceIndex(msgspec.Struct):
    offers: dict[str, _Service]


class _Region(msgspec.Struct, rename="camel"):
    current_version_url: str = ""


class _RegionIndex(msgspec.Struct):
    regions: dict[str, _Region]


class OfferProduct(msgspec.Struct):
    """A wanted product of an offer, with its On-Demand terms."""

    product: Product
    terms: list[Term]


class Offer(msgspec.Struct):
    """What is kept of an offer."""

    version: str
    published: dt.date
    products: list[OfferProduct]


class BulkFiles:
    """The offers of AWS's services.

    Parameters
    ----------
    base_url : str
        Host of the bulk files, or a mirror.
    downloads : Downloads
        The downloads of this refresh.
    """

    def __init__(self, base_url: str, downloads: Downloads) -> None:
        self._base_url = base_url
        self._downloads = downloads
        self._services: Once[_ServiceIndex] = Once()
        self._regions: Once[_RegionIndex] = Once()

    def products(self, service_code: str, region: str, usage_types: frozenset[str]) -> list[PricedProduct]:
        """Return the products of a service in a region that have one of some usage types.

        Parameters
        ----------
        service_code : str
            The offer, such as ``"AmazonECS"``.
        region : str
            Region code, or ``"global"`` for what has no region.
        usage_types : frozenset of str
            Usage types with their region prefix.

        Returns
        -------
        list of PricedProduct
            The products; none if AWS publishes no offer there.

        Raises
        ------
        PriceListUnavailable
            If a file cannot be had or is damaged.
        """
        found: dict[str, PricedProduct] = {}
        for url in self._offer_urls(service_code, region):
            for each in self._read(url, service_code, usage_types):
                found.setdefault(each.product.sku, each)
            if usage_types <= {each.product.usage_type for each in found.values()}:
                break
        return list(found.values())

    def _offer_urls(self, service_code: str, region: str) -> Iterator[str]:
        """Name the files to look in, one after the other until every usage type is found."""
        index = self._services.get("", lambda: self._index(_SERVICE_INDEX, _ServiceIndex))
        service = index.offers.get(service_code)
        if service is None:
            return
        regions: dict[str, _Region] = {}
        region_index_url = service.current_region_index_url
        if is_published(region_index_url):
            regions = self._regions.get(region_index_url, lambda: self._index(region_index_url, _RegionIndex)).regions
        places = PLACES_WITHOUT_REGION if region == "global" else (region,)
        urls = [regions[place].current_version_url for place in places if place in regions]
        if region == "global":
            urls.append(service.current_version_url)
        yield from filter(is_published, urls)

    def _index(self, url: str, shape: type[T]) -> T:
        url = absolute_url(self._base_url, url)
        return self._downloads.read(url, "", lambda file: msgspec.json.decode(file.read(), type=shape), shape)

    def _read(self, url: str, service_code: str, usage_types: frozenset[str]) -> Iterator[PricedProduct]:
        url = absolute_url(self._base_url, url)
        key = digest_of(service_code, usage_types)
        offer = self._downloads.read(url, key, lambda file: read_offer(file, service_code, usage_types), Offer)
        origin = Origin(service_code, offer.version, offer.published, url)
        return (PricedProduct(each.product, tuple(each.terms), origin) for each in offer.products)


def is_published(url: str) -> bool:
    """Tell whether an index names a file; what a service does not sell in a region has the address of an empty one.

    Parameters
    ----------
    url : str
        The address in the index.

    Returns
    -------
    bool
        False if there is nothing to read.
    """
    return bool(url) and not url.endswith(_EMPTY)


def digest_of(file: str, usage_types: frozenset[str]) -> str:
    """Return a key that says what is asked of a file.

    Parameters
    ----------
    file : str
        What kind of file it is.
    usage_types : frozenset of str
        The usage types asked for.

    Returns
    -------
    str
        64 hexadecimal digits; others for a new usage type.
    """
    return hashlib.sha256(json.dumps([file, sorted(usage_types)]).encode()).hexdigest()


class _UsageType(msgspec.Struct):
    usagetype: str = ""


class _SlimProduct(msgspec.Struct):
    attributes: _UsageType = msgspec.field(default_factory=_UsageType)


class _OfferPiece(msgspec.Struct, rename="camel"):
    """An offer of which objects are made only where they are needed to know what is wanted."""

    offer_code: str | None = None
    version: str | None = None
    publication_date: str | None = None
    products: dict[str, _SlimProduct] | None = None
    terms: dict[str, dict[str, msgspec.Raw]] | None = None


def _reopening_products(piece: _OfferPiece) -> bytes | None:
    return b'{"products":{' if piece.products is not None and piece.terms is None else None


def _reopening_terms(piece: _OfferPiece) -> bytes | None:
    if not piece.terms:
        return None
    return b'{"terms":{%s:{' % json.dumps(list(piece.terms)[-1]).encode()


#: In AWS's offers a product begins with its SKU, its key once more; the terms of a product with a key that begins so.
_CUTS = (
    Cut(re.compile(rb',\s*"([^"\\]+)"\s*:\s*\{\s*"\1\.'), b"}}}", _reopening_terms),
    Cut(re.compile(rb',\s*"([^"\\]+)"\s*:\s*\{\s*"sku"\s*:\s*"\1"'), b"}}", _reopening_products),
)


class _Products(msgspec.Struct):
    """The same piece once more, if something in it is wanted."""

    products: dict[str, msgspec.Raw]


def read_offer(
    file: BinaryIO, service_code: str, usage_types: frozenset[str], window_bytes: int = WINDOW_BYTES
) -> Offer:
    """Take from an offer the products with some usage types.

    Parameters
    ----------
    file : file
        Open to read bytes.
    service_code : str
        The offer that it must be.
    usage_types : frozenset of str
        Usage types with their region prefix.
    window_bytes : int
        How much to read at a time; -1 for the whole file. [bytes]

    Returns
    -------
    Offer
        The products with their On-Demand terms. Of a key that stands twice in one object the last counts, as in every
        JSON reader.

    Raises
    ------
    ValueError
        If the file is truncated or no offer of that service.
    """
    header = _OfferPiece()
    products: dict[str, Product] = {}
    terms: dict[str, list[Term]] = {}
    terms_begun = products_seen = False
    for piece, document in pieces(file, _OfferPiece, _CUTS, window_bytes):
        if piece.products is not None:
            if terms_begun:  # never in AWS's own files: the wanted SKUs were not known when their terms passed
                file.seek(0)
                return read_offer(file, service_code, usage_types, -1)
            products_seen = True
            wanted = [sku for sku, product in piece.products.items() if product.attributes.usagetype in usage_types]
            if wanted:
                raw = msgspec.json.decode(document, type=_Products).products
                products |= {sku: msgspec.json.decode(raw[sku], type=Product) for sku in wanted}
        if piece.terms is not None:
            terms_begun = True
            on_demand = piece.terms.get("OnDemand", {})
            for sku in products.keys() & on_demand.keys():
                terms[sku] = list(msgspec.json.decode(on_demand[sku], type=dict[str, Term]).values())
        header.offer_code = piece.offer_code or header.offer_code
        header.version = piece.version or header.version
        header.publication_date = piece.publication_date or header.publication_date
    if not (products_seen and terms_begun and header.version):
        raise ValueError("it lacks a version, products or terms")
    if header.offer_code not in (None, service_code):
        raise ValueError(f"it is the offer of {header.offer_code}, not of {service_code}")
    kept = [OfferProduct(product, terms.get(sku, [])) for sku, product in products.items()]
    return Offer(header.version, published_date(header.publication_date or ""), kept)
