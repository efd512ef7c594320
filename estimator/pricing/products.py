"""The one product of the AWS Price List that a query means: chosen exactly, checked, and read into a Rate.

Notes
-----
Both clients, bulk files and Query API, hand the products that have the right usage type to `select_rate`. What does not
fit exactly is an error that lists what was seen; nothing is guessed from similar names.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from estimator.checks import shown
from estimator.errors import PriceListUnavailable, ProductNotFound
from estimator.pricing.catalog import Price
from estimator.pricing.rates import Rate, RateQuery, Tier
from estimator.pricing.regions import REGIONS

_BY_LOCATION = {region.location: code for code, region in REGIONS.items()}
#: Words in a unit that counts something else than single units, gigabytes or hours.
_OTHER_SIZES = ("hundred", "thousand", "million", "billion", "second", "minute", "gb-", "day")
#: Plain decimals, as AWS writes them; what is longer, or has an exponent, is no price of AWS.
_DECIMALS = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
#: No unit of a Fargate service costs as much. [USD/unit]
_PRICE_BOUND = 1_000_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T|$)")
_DAY_IN_VERSION = re.compile(r"^(20[0-9]{2})([0-9]{2})([0-9]{2})(?:[0-9]{6})?$")


class Dimension(msgspec.Struct, rename="camel"):
    """One tier of a price, as AWS writes it."""

    begin_range: str = "0"
    end_range: str = "Inf"
    unit: str = ""
    price_per_unit: dict[str, str] = {}


class Term(msgspec.Struct, rename="camel"):
    """The On-Demand terms of a product from a date on."""

    effective_date: str = ""
    price_dimensions: dict[str, Dimension] = {}


class Product(msgspec.Struct, rename="camel"):
    """A product, as AWS writes it."""

    sku: str
    product_family: str = ""
    attributes: dict[str, str] = {}

    @property
    def usage_type(self) -> str:
        """Usage type with its region prefix."""
        return self.attributes.get("usagetype", "")

    @property
    def location_type(self) -> str:
        """Type of place that it is sold in; data transfer names the place that it comes from."""
        return self.attributes.get("locationType") or self.attributes.get("fromLocationType", "")

    @property
    def region_code(self) -> str:
        """Region that it is sold in; empty if the list does not say."""
        return self.attributes.get("regionCode") or self.attributes.get("fromRegionCode", "")

    @property
    def location(self) -> str:
        """Name of the place that it is sold in; empty if the list does not say."""
        return self.attributes.get("location") or self.attributes.get("fromLocation", "")


class OfferTerms(msgspec.Struct):
    """Terms of a product by kind; only those of On-Demand are read."""

    on_demand: dict[str, Term] = msgspec.field(default_factory=dict, name="OnDemand")


class ListedItem(msgspec.Struct, rename="camel"):
    """A product with its terms, as GetProducts answers; of what AWS writes only what is needed is read."""

    product: Product
    service_code: str = ""
    version: str = ""
    publication_date: str = ""
    terms: OfferTerms = msgspec.field(default_factory=OfferTerms)


@dataclass(frozen=True, slots=True)
class Origin:
    """The list that a product was read from.

    Parameters
    ----------
    service_code : str
        The offer.
    version : str
        AWS's version of the list.
    published : datetime.date
        Its publication date.
    source : str
        Where it was read, to show.
    """

    service_code: str
    version: str
    published: dt.date
    source: str


@dataclass(frozen=True, slots=True)
class PricedProduct:
    """A product with its On-Demand terms.

    Parameters
    ----------
    product : Product
        The product.
    terms : tuple of Term
        Its On-Demand terms; usually one.
    origin : Origin
        The list that it was read from.
    """

    product: Product
    terms: tuple[Term, ...]
    origin: Origin

    @property
    def service_code(self) -> str:
        """The service that it belongs to; an offer also lists products of others, such as data transfer."""
        return self.product.attributes.get("servicecode") or self.origin.service_code


def select_rate(
    name: str, price: Price, region: str, products: Iterable[PricedProduct], checked: dt.date | None = None
) -> Rate:
    """Read the rate of the one product that a query means.

    Parameters
    ----------
    name : str
        Name of the price.
    price : Price
        Its row.
    region : str
        Region code, or ``"global"``.
    products : iterable of PricedProduct
        What the price list has; others among them do no harm.
    checked : datetime.date, optional
        Date of reading.

    Returns
    -------
    Rate
        Prices as AWS wrote them, without closing zeros.

    Raises
    ------
    ProductNotFound
        If no product fits.
    PriceListUnavailable
        If several fit, or the one has no readable On-Demand price in USD, in the unit of the row, or is free.
    """
    query = price.query
    usage_types = query.usage_types_in(region)
    like = [each for each in products if each.product.usage_type in usage_types]
    fitting = [each for each in like if _fits(each, query, region)]
    if not fitting:
        seen = f" Not taken: {_list(like)}." if like else ""
        raise ProductNotFound(
            f"AWS's price list has no product for {name} ({' or '.join(usage_types)}) in {region}.{seen}", name
        )
    if len(fitting) > 1:
        raise PriceListUnavailable(
            f"{len(fitting)} products match {name} in {region}: {_list(fitting)}. The query in PRICES must match one."
        )
    (only,) = fitting
    where = f"The price of {name} in {region} (SKU {only.product.sku})"
    return Rate(
        price=name,
        unit=price.unit,
        tiers=_tiers(where, price.unit, only.terms, only.origin.published),
        usage_type=only.product.usage_type,
        sku=only.product.sku,
        published=only.origin.published,
        provenance="api",
        source=f"AWS Price List, {only.origin.service_code} version {only.origin.version}",
        checked=checked,
    )


def plain_price(price: str) -> str:
    """Check a price and drop its closing zeros.

    Parameters
    ----------
    price : str
        Plain decimals, as AWS writes them: no sign, no exponent. [USD/unit]

    Returns
    -------
    str
        The same number.

    Raises
    ------
    ValueError
        If it is no number, or none that a price can be.

    Examples
    --------
    >>> plain_price("0.0404800000")
    '0.04048'
    """
    if not _DECIMALS.fullmatch(price):
        try:
            Decimal(price)
        except ArithmeticError:
            raise ValueError(f"{shown(price)} is not a number") from None
        raise ValueError(f"{shown(price)} is not a price in plain decimals, such as 0.0404800000")
    number = Decimal(price)
    if number >= _PRICE_BOUND:
        raise ValueError(f"{shown(price)} is not a price below {_PRICE_BOUND:,} USD")
    return f"{number.normalize():f}"


def usd_price(where: str, prices: Mapping[str, str]) -> str:
    """Take the price in USD.

    Parameters
    ----------
    where : str
        What it is the price of, to begin a sentence with.
    prices : mapping of str to str
        Price by currency.

    Returns
    -------
    str
        Plain decimals without closing zeros. [USD/unit]

    Raises
    ------
    PriceListUnavailable
        If there is none in USD, or it cannot be read.
    """
    usd = prices.get("USD")
    if usd is None:
        currencies = ", ".join(sorted(prices))[:80] or "no currency"
        raise PriceListUnavailable(
            f"{where} is in {currencies}, not USD; the China and European Sovereign Cloud partitions are not covered."
        )
    try:
        return plain_price(usd)
    except ValueError as error:
        raise PriceListUnavailable(f"{where} cannot be read: {error}.") from None


def paid_tiers(where: str, tiers: Iterable[tuple[float, str]]) -> tuple[Tier, ...]:
    """Make tiers, of which at least one must cost something.

    Parameters
    ----------
    where : str
        What they are the price of, to begin a sentence with.
    tiers : iterable of (float, str)
        Begin [pricing unit] and price [USD/unit] of each.

    Returns
    -------
    tuple of Tier
        The tiers.

    Raises
    ------
    PriceListUnavailable
        If all are 0. A free first tier is fine.
    """
    made = tuple(Tier(begin, price) for begin, price in tiers)
    if all(tier.price == "0" for tier in made):
        raise PriceListUnavailable(
            f"{where} is 0; AWS lists free products beside those that are paid, and none of ours is free."
        )
    return made


def published_date(publication_date: str, version: str = "") -> dt.date:
    """Read the day of a publication.

    Parameters
    ----------
    publication_date : str
        As AWS writes it, such as ``"2026-04-27T07:13:25Z"``.
    version : str
        AWS's version, such as ``"20260427071325"``: it says the day where the date is empty.

    Returns
    -------
    datetime.date
        The day.

    Raises
    ------
    ValueError
        If neither is one.

    Examples
    --------
    >>> published_date("2026-04-27T07:13:25Z")
    datetime.date(2026, 4, 27)
    >>> published_date("", "20260427071325")
    datetime.date(2026, 4, 27)
    """
    day = _DAY.match(publication_date or _DAY_IN_VERSION.sub(r"\1-\2-\3", version))
    try:
        return dt.date.fromisoformat(day[0] if day else "")
    except ValueError:
        also = f" and its version {shown(version)}" if version and not publication_date else ""
        raise ValueError(f"its publicationDate is {shown(publication_date)}{also}, which is no date") from None


def _fits(each: PricedProduct, query: RateQuery, region: str) -> bool:
    product = each.product
    place = product.location_type
    right_place = place == query.location_type or (query.is_global and place == "")
    # `TimedStorage-ByteHrs` is image storage in ECR's offer, log storage in CloudWatch's and objects in S3's;
    # `EU-DataTransfer-Out-Bytes` leaves Ireland in one offer and CloudFront's European edges in another.
    return (
        each.service_code in (query.service_code, query.fallback_service_code)
        and right_place
        and _is_in(product, query, region)
        and (query.product_family is None or product.product_family == query.product_family)
        and (query.operation is None or product.attributes.get("operation") == query.operation)
        and all(product.attributes.get(field) == value for field, value in query.attributes)
    )


def _is_in(product: Product, query: RateQuery, region: str) -> bool:
    """Tell whether a product is sold in a region, or at an edge if the price has none."""
    # A price without region has no twin in a region: `EU-DNS-Queries` are those of Route 53's resolvers.
    if product.region_code:
        return product.region_code == region
    # Lists of years ago name the place only, and us-east-1's usage types often have no prefix to tell it by.
    if product.location in ("", "Any"):
        return True
    known = _BY_LOCATION.get(product.location.replace("Europe (", "EU ("))
    return known == region or (query.is_global and known is None)


def _tiers(where: str, unit: str, terms: tuple[Term, ...], published: dt.date) -> tuple[Tier, ...]:
    read = []
    for dimension in _in_force(where, terms, published).price_dimensions.values():
        usd = usd_price(where, dimension.price_per_unit)
        if not _same_kind(dimension.unit, unit):
            raise PriceListUnavailable(f"{where} is by {shown(dimension.unit)}, not by {unit!r}.")
        read.append((_quantity(where, dimension.begin_range), _quantity(where, dimension.end_range), usd))
    # AWS lists tiers in any order.
    read.sort(key=lambda tier: tier[0])
    begins, ends = [tier[0] for tier in read], [tier[1] for tier in read]
    # A last tier with an end is a free allowance or half a price: what comes after it must not be guessed.
    if begins != sorted({0.0, *begins}) or begins[1:] != ends[:-1] or ends[-1] != math.inf:
        raise PriceListUnavailable(
            f"{where} has tiers from {begins} to {ends}; they must begin at 0, follow each other and have no end."
        )
    return paid_tiers(where, [(begin, price) for begin, _, price in read])


def _quantity(where: str, text: str) -> float:
    if text == "Inf":
        return math.inf
    if not _DECIMALS.fullmatch(text):
        raise PriceListUnavailable(f"{where} cannot be read: one of its tiers begins or ends at {shown(text)}.")
    return float(text)


def _in_force(where: str, terms: tuple[Term, ...], published: dt.date) -> Term:
    """Choose the terms that held on the day of publication; if all are of later days, those that come first."""
    dated = sorted((term for term in terms if term.price_dimensions), key=_effective)
    if not dated:
        raise PriceListUnavailable(f"{where} has no On-Demand terms.")
    held = [term for term in dated if _effective(term) <= published.isoformat()]
    day = _effective(held[-1] if held else dated[0])
    first, *others = (term for term in dated if _effective(term) == day)
    # Keys of dimensions differ from term to term, the prices must not.
    if any(_plain_dimensions(other) != _plain_dimensions(first) for other in others):
        raise PriceListUnavailable(f"{where} has several On-Demand terms from {day or 'no date'} on that differ.")
    return first


def _effective(term: Term) -> str:
    return term.effective_date[:10]


def _plain_dimensions(term: Term) -> list[tuple[str, str, str, tuple[tuple[str, str], ...]]]:
    return sorted(
        (each.begin_range, each.end_range, each.unit, tuple(sorted(each.price_per_unit.items())))
        for each in term.price_dimensions.values()
    )


def _same_kind(theirs: str, ours: str) -> bool:
    """Tell whether two units count the same kind of thing: AWS spells the hour in many ways, but no bundle may pass."""
    return _kind(theirs) == _kind(ours)


def _kind(unit: str) -> str:
    word = unit.casefold().replace(" ", "")
    # "1M requests" or "10K" is a bundle.
    if any(letter.isdigit() for letter in word):
        return f"bundle {unit}"
    if word.endswith(("hrs", "hr", "hours", "hour")):
        return "hour"
    if word in ("gb", "gigabytes", "gigabyte"):
        return "GB"
    if word in ("gb-mo", "gb-month", "gb-months", "gbmonth"):
        return "GB-month"
    # "Million queries" is a bundle too, "MB" another size, a second no hour.
    other = any(part in word for part in _OTHER_SIZES) or word.endswith(("kb", "mb", "tb"))
    return f"other {unit}" if other else "count"


def _list(products: list[PricedProduct]) -> str:
    return "; ".join(_described(each.product) for each in products)


def _described(product: Product) -> str:
    operation = product.attributes.get("operation", "")
    place = product.location_type or "no location type"
    where = product.region_code or product.location
    facts = filter(None, (product.product_family or "no family", operation, place, where))
    return f"{product.sku} {product.usage_type} ({', '.join(facts)})"
