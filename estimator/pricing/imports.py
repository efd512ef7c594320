"""Prices out of a file that was carried here: what it is, is seen by its content, and nothing in it is guessed.

Notes
-----
Products go through `select_rate` as a refresh's do. A file holds what it holds: prices that it lacks are no error. Two
products that one query fits, or a price that cannot be read, are.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from estimator.errors import InvalidScenario, PriceListUnavailable, ProductNotFound
from estimator.pricing.bulk_files import read_offer
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in
from estimator.pricing.downloads import Downloads
from estimator.pricing.products import Origin, PricedProduct, Product, Term, select_rate
from estimator.pricing.rates import Rate
from estimator.pricing.refresh import locked, merge
from estimator.pricing.regions import REGIONS
from estimator.pricing.savings_plans import PlanFile, SavingsPlanFiles, read_plans
from estimator.pricing.snapshot_file import History, read_histories, with_rate
from estimator.pricing.spot import Feed, SpotFeed

OFFER = "bulk offer"
GET_PRODUCTS = "GetProducts answer"
SAVINGS_PLAN = "Savings Plan file"
SPOT = "Fargate Spot feed"
SNAPSHOT = "snapshot"
#: What a file may be, each also packed with gzip.
KINDS = (OFFER, GET_PRODUCTS, SAVINGS_PLAN, SPOT, SNAPSHOT)

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Nothing is ever asked there.
_NOWHERE = "https://localhost"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was found in a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    kind : str
        One of ``KINDS``.
    rates : dict of str to tuple of Rate
        By region code, or ``"global"`` for what has no region; in the order of ``PRICES``.
    """

    path: Path
    kind: str
    rates: Mapping[str, tuple[Rate, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values.

        Returns
        -------
        dict
            JSON-ready: names of the prices by region.
        """
        return {
            "file": str(self.path),
            "kind": self.kind,
            "rates": {region: [rate.price for rate in rates] for region, rates in self.rates.items()},
        }


class _Item(msgspec.Struct, rename="camel"):
    """One item of a GetProducts answer."""

    product: Product
    service_code: str = ""
    version: str = ""
    publication_date: str = ""
    terms: dict[str, dict[str, Any]] = {}


def read_price_file(path: Path, today: dt.date) -> Imported:
    """Find in a file the rates that an estimate may need.

    Parameters
    ----------
    path : pathlib.Path
        One of ``KINDS``, as it is or packed with gzip.
    today : datetime.date
        Date of reading; a file without a date of its own is taken to be of this day.

    Returns
    -------
    Imported
        Rates by region.

    Raises
    ------
    InvalidScenario
        If the file cannot be read, is none of these, has none of the prices, or is of a day to come.
    PriceListUnavailable
        If several of its products match one query, or a price cannot be read.
    """
    content = _content(path)
    try:
        kind, found = _read(path, content, today)
    except msgspec.DecodeError as error:
        raise InvalidScenario(f"{path} is damaged: {error}. Download it again.") from None
    except PriceListUnavailable as error:
        raise PriceListUnavailable(f"{path} cannot be imported. {error}") from error
    rates = {region: _in_order(found[region]) for region in [*REGIONS, "global"] if found.get(region)}
    if not rates:
        services = ", ".join(dict.fromkeys(_services()))
        raise InvalidScenario(
            f"{path} is a {kind}, but has none of the prices that an estimate needs. Import one for one of the {len(REGIONS)} "
            f"priced regions, of {services}."
        )
    ahead = [rate for found_there in rates.values() for rate in found_there if _after(rate, today)]
    if ahead:
        raise InvalidScenario(
            f"{path} was published on {ahead[0].published}, which is after today, {today}. Check this machine's clock and the file."
        )
    return Imported(path, kind, rates)


def import_file(path: Path, folder: Path, today: dt.date | None = None) -> Imported:
    """Keep the rates of a file for the next estimates.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    folder : pathlib.Path
        Folder of the user's own refreshes.
    today : datetime.date, optional
        Date of reading; by default today's in UTC.

    Returns
    -------
    Imported
        What was found.

    Raises
    ------
    InvalidScenario
        If the file is none that can be imported.
    PriceListUnavailable
        If it is unclear about a price, or the folder cannot be written or is in use.
    """
    imported = read_price_file(Path(path), today or dt.datetime.now(dt.UTC).date())
    with locked(folder):
        for region, rates in imported.rates.items():
            merge(region, rates, folder)
    return imported


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidScenario(f"{path} is a damaged gzip file: {error}. Download it again.") from None
    except OSError as error:
        raise InvalidScenario(f"{path} cannot be read: {error.strerror}. Name a file that can.") from None
    return content.removeprefix(_BYTE_ORDER_MARK)


def _read(path: Path, content: bytes, today: dt.date) -> tuple[str, dict[str, list[Rate]]]:
    """Recognize what the file is, and read it."""
    _refuse_csv(path, content)
    try:
        document = msgspec.json.decode(content, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unknown(path, f"it is not JSON ({error})") from None
    if isinstance(document, list):
        return GET_PRODUCTS, _select(_items(path, document))
    if "schema_version" in document:
        return SNAPSHOT, _snapshot(path, content, document)
    if "PriceList" in document:
        return GET_PRODUCTS, _select(_items(path, [msgspec.Raw(content)]))
    if "products" in document and "terms" in document:
        if bytes(document["products"]).lstrip().startswith(b"["):
            return SAVINGS_PLAN, _savings_plan(path, content, today)
        return OFFER, _select(_offer_products(path, content, _text(document.get("offerCode"))))
    if "prices" in document:
        return SPOT, _spot(path, content, today)
    if "manifest" in document:
        raise _unknown(path, "it is the list behind a pricing page, whose prices have no usage type")
    if "offers" in document or "regions" in document:
        raise _unknown(path, "it is an index, which only says where the files are")
    raise _unknown(path, f"it has {', '.join(list(document)[:5]) or 'nothing'}")


def _refuse_csv(path: Path, content: bytes) -> None:
    head = content[:4000].lower()
    if b"formatversion" in head and b"sku" in head and not head.lstrip().startswith((b"{", b"[")):
        raise InvalidScenario(
            f"{path} is an offer as CSV; only JSON is read. Take it from the same address, with .json in place of .csv."
        )


def _unknown(path: Path, why: str) -> InvalidScenario:
    return InvalidScenario(
        f"{path} is no price file that can be imported: {why}. Give a bulk offer (index.json of a service), an answer of GetProducts, "
        "a Compute Savings Plan file of a region, the Fargate Spot feed, or a snapshot of this program; each as JSON, gzip allowed."
    )


def _offer_products(path: Path, content: bytes, service_code: str) -> Iterator[PricedProduct]:
    try:
        offer = read_offer(io.BytesIO(content), service_code, frozenset(_wanted()))
    except msgspec.DecodeError:
        raise
    except ValueError as error:
        raise InvalidScenario(f"{path} is no whole offer: {error}. Download it again.") from None
    origin = Origin(service_code, offer.version, offer.published, path.name)
    return (PricedProduct(each.product, tuple(each.terms), origin) for each in offer.products)


def _items(path: Path, pages: Iterable[msgspec.Raw]) -> Iterator[PricedProduct]:
    """Read answers of GetProducts, or a list of their items; AWS writes each item as JSON in a string."""
    wanted = _wanted()
    for page in pages:
        value = msgspec.json.decode(page)
        items = value.get("PriceList") if isinstance(value, dict) and "PriceList" in value else [value]
        if not isinstance(items, list):
            raise _unknown(path, "its PriceList is no list")
        for each in items:
            if not isinstance(each, (str, dict)) or (isinstance(each, dict) and "product" not in each):
                raise _unknown(path, "it is a list of something else than products")
            item = msgspec.json.decode(each, type=_Item) if isinstance(each, str) else msgspec.convert(each, type=_Item)
            if item.product.usage_type in wanted:
                terms = msgspec.convert(item.terms.get("OnDemand", {}), type=dict[str, Term])
                service = item.product.attributes.get("servicecode", "")
                origin = _origin(path, item.service_code or service, item.version, item.publication_date)
                yield PricedProduct(item.product, tuple(terms.values()), origin)


def _origin(path: Path, service_code: str, version: str, published: str) -> Origin:
    try:
        day = dt.date.fromisoformat(published[:10] or f"{version[:4]}-{version[4:6]}-{version[6:8]}")
    except ValueError:
        raise InvalidScenario(
            f"{path} has the publication date {published!r} and the version {version!r}; one must say the day. Download it again."
        ) from None
    return Origin(service_code, version, day, path.name)


def _select(products: Iterable[PricedProduct]) -> dict[str, list[Rate]]:
    """Choose the rates of every region, of each publication on its own."""
    editions: dict[tuple[str, dt.date, str], dict[str, list[PricedProduct]]] = {}
    for each in products:
        edition = editions.setdefault((each.service_code, each.origin.published, each.origin.version), {})
        alike = edition.setdefault(each.product.usage_type, [])
        # Pages that were put together may hold a product twice.
        if not any(each.product == other.product and each.terms == other.terms for other in alike):
            alike.append(each)
    wanted = _wanted()
    found: dict[tuple[str, str], list[Rate]] = {}
    elsewhere: dict[tuple[str, str], list[Rate]] = {}
    for (service_code, _, _), edition in editions.items():
        for region, name in dict.fromkeys(place for usage_type in edition for place in wanted[usage_type]):
            query = PRICES[name].query
            if service_code not in (query.service_code, query.fallback_service_code):
                continue
            spellings = query.usage_types_in(region)
            alike = [each for spelling in spellings for each in edition.get(spelling, [])]
            try:
                rate = select_rate(name, PRICES[name], region, alike)
            except ProductNotFound:
                continue
            own = service_code == query.service_code
            (found if own else elsewhere).setdefault((region, name), []).append(rate)
    rates: dict[str, list[Rate]] = {}
    # A record in the fallback's list counts only where the service's own has none, as in a refresh.
    for (region, _), dated in {**elsewhere, **found}.items():
        rates.setdefault(region, []).extend(dated)
    return rates


def _wanted() -> dict[str, list[tuple[str, str]]]:
    """Return region and name of every On-Demand price, by usage type."""
    found: dict[str, list[tuple[str, str]]] = {}
    for region in [*REGIONS, "global"]:
        for name in expected_in(region):
            query = PRICES[name].query
            if query.service_code in (SAVINGS_PLANS, SPOT_FEED):
                continue
            for usage_type in query.usage_types_in(region):
                found.setdefault(usage_type, []).append((region, name))
    return found


def _services() -> Iterator[str]:
    for price in PRICES.values():
        yield price.query.service_code


def _savings_plan(path: Path, content: bytes, today: dt.date) -> dict[str, list[Rate]]:
    names = {region: _of_service(region, SAVINGS_PLANS) for region in REGIONS}
    wanted = frozenset(PRICES[name].query.usage_type_in(region) for region in REGIONS for name in names[region])
    try:
        plans = read_plans(io.BytesIO(content), wanted)
    except msgspec.DecodeError:
        raise
    except ValueError as error:
        raise InvalidScenario(f"{path} is no whole Savings Plan file: {error}. Download it again.") from None
    files = SavingsPlanFiles(_NOWHERE, _Carried(plans))
    found = {region: files.rates(region, names[region], today).values() for region in REGIONS}
    # What an older file says was not seen today on AWS's list.
    return {region: [replace(rate, checked=None) for rate in rates] for region, rates in found.items()}


def _spot(path: Path, content: bytes, today: dt.date) -> dict[str, list[Rate]]:
    feed = SpotFeed(_NOWHERE, _Carried(msgspec.json.decode(content, type=Feed)))
    # The feed has no date of its own: what tells when it was fetched is the file's.
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    found = {region: feed.rates(region, _of_service(region, SPOT_FEED), min(written, today)) for region in REGIONS}
    return {region: [replace(rate, checked=None) for rate in rates.values()] for region, rates in found.items()}


class _Carried(Downloads):
    """A file at hand, in place of a download."""

    def __init__(self, content: PlanFile | Feed) -> None:
        self._content = content

    def read(self, url: str, key: str, reader: Callable[[BinaryIO], T], shape: type[T]) -> T:
        """Return what the file holds; asked for an index, that it holds every region."""
        if isinstance(self._content, shape):
            return self._content
        regions = [{"regionCode": region, "versionUrl": "/index.json"} for region in REGIONS]
        return reader(io.BytesIO(msgspec.json.encode({"regions": regions})))


def _of_service(region: str, service_code: str) -> list[str]:
    return [name for name in expected_in(region) if PRICES[name].query.service_code == service_code]


def _snapshot(path: Path, content: bytes, document: Mapping[str, msgspec.Raw]) -> dict[str, list[Rate]]:
    region = _text(document.get("region"))
    if region not in REGIONS and region != "global":
        raise InvalidScenario(f"{path} is a snapshot of {region!r}, which is no priced region.")
    # The file may be packed, and only its own reader knows what makes it whole.
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.name
        plain.write_bytes(content)
        histories = read_histories(plain, region)
    return {region: [rate for name in expected_in(region) for rate in histories.get(name, ())]}


def _text(raw: msgspec.Raw | None) -> str:
    value = msgspec.json.decode(raw) if raw is not None else ""
    return value if isinstance(value, str) else ""


def _in_order(rates: Iterable[Rate]) -> tuple[Rate, ...]:
    """Sort by the order of ``PRICES``, the newest of each price first."""
    histories: dict[str, History] = {}
    for rate in rates:
        histories[rate.price] = with_rate(histories.get(rate.price, ()), rate)
    return tuple(rate for name in PRICES for rate in histories.get(name, ()))


def _after(rate: Rate, today: dt.date) -> bool:
    # AWS publishes in UTC: a clock that is behind it may still show the day before.
    return rate.published is not None and rate.published > today + dt.timedelta(days=1)
