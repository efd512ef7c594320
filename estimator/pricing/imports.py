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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from estimator.checks import shown
from estimator.errors import InvalidScenario, PriceListUnavailable, ProductNotFound
from estimator.pricing.bulk_files import read_offer
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in
from estimator.pricing.products import ListedItem, Origin, PricedProduct, published_date, select_rate
from estimator.pricing.rates import Rate
from estimator.pricing.refresh import locked, merge
from estimator.pricing.regions import REGIONS
from estimator.pricing.savings_plans import plan_rates, read_plans
from estimator.pricing.snapshot_file import History, read_histories, with_rate
from estimator.pricing.spot import day_of, read_feed, spot_rates

OFFER = "bulk offer"
GET_PRODUCTS = "GetProducts answer"
SAVINGS_PLAN = "Savings Plan file"
SPOT = "Fargate Spot feed"
SNAPSHOT = "snapshot"
#: What a file may be, each also packed with gzip.
KINDS = (OFFER, GET_PRODUCTS, SAVINGS_PLAN, SPOT, SNAPSHOT)

_GZIP = b"\x1f\x8b"
#: What a packed file may hold: a region's largest offer, that of EC2, is several hundred megabytes; a small file may claim to hold any amount. [B]
MAX_UNPACKED_BYTES = 2_000_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidScenario(f"{path} is damaged: {error}. Download it again.") from None
    except RecursionError:
        raise InvalidScenario(f"{path} is damaged: it is nested too deep. Download it again.") from None
    except PriceListUnavailable as error:
        if str(path) in str(error):
            raise
        raise PriceListUnavailable(f"{path} cannot be imported. {error}") from error
    rates = {region: _in_order(found[region]) for region in [*REGIONS, "global"] if found.get(region)}
    if not rates:
        services = ", ".join(dict.fromkeys(_services()))
        raise InvalidScenario(
            f"{path} is a {kind}, but has none of the prices that an estimate needs. Import one for one of the {len(REGIONS)} "
            f"priced regions, of {services}."
        )
    for rate in (rate for dated in rates.values() for rate in dated):
        for done, day in (("published", rate.published), ("checked", rate.checked)):
            # AWS publishes in UTC: a clock that is behind it may still show the day before.
            if day is not None and day > today + dt.timedelta(days=1):
                raise InvalidScenario(
                    f"{path} says that {rate.price} was {done} on {day}, which is after today, {today}. "
                    "Check this machine's clock and the file."
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
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
                content = unpacked.read(MAX_UNPACKED_BYTES + 1)
            if len(content) > MAX_UNPACKED_BYTES:
                raise InvalidScenario(
                    f"{path} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes, which no price file of a region does. Download it again."
                )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidScenario(f"{path} is a damaged gzip file: {error}. Download it again.") from None
    except (OSError, ValueError) as error:  # a path may hold a NUL
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidScenario(f"{shown(str(path))} cannot be read: {why}. Name a file that can.") from None
    return content.removeprefix(_BYTE_ORDER_MARK)


def _read(path: Path, content: bytes, today: dt.date) -> tuple[str, dict[str, list[Rate]]]:
    """Recognize what the file is, and read it."""
    _refuse_csv(path, content)
    try:
        document = msgspec.json.decode(content, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _unknown(path, f"it is not JSON ({error})") from None
    except RecursionError:
        raise _unknown(path, "it is nested too deep") from None
    if isinstance(document, list):
        return GET_PRODUCTS, _select(_items(path, document))
    if "schema_version" in document:
        return SNAPSHOT, _snapshot(path, content, document)
    if "PriceList" in document:
        return GET_PRODUCTS, _select(_items(path, [msgspec.Raw(content)]))
    if "products" in document and "terms" in document:
        if bytes(document["products"]).lstrip().startswith(b"["):
            return SAVINGS_PLAN, _savings_plan(path, content)
        return OFFER, _select(_offer_products(path, content, _text(document.get("offerCode"))))
    if "prices" in document:
        return SPOT, _spot(path, content, today)
    if "manifest" in document:
        raise _unknown(path, "it is the list behind a pricing page, whose prices have no usage type")
    if "offers" in document or "regions" in document:
        raise _unknown(path, "it is an index, which only says where the files are")
    raise _unknown(path, f"it has {', '.join(name[:80] for name in list(document)[:5]) or 'nothing'}")


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
    except (msgspec.DecodeError, UnicodeError):
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
            item = (
                msgspec.json.decode(each, type=ListedItem)
                if isinstance(each, str)
                else msgspec.convert(each, type=ListedItem)
            )
            if item.product.usage_type in wanted:
                service = item.service_code or item.product.attributes.get("servicecode", "")
                try:
                    published = published_date(item.publication_date, item.version)
                except ValueError as error:
                    raise InvalidScenario(
                        f"{path} has a product whose day is not known: {error}. Download it again."
                    ) from None
                origin = Origin(service, item.version, published, path.name)
                yield PricedProduct(item.product, tuple(item.terms.on_demand.values()), origin)


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


def _savings_plan(path: Path, content: bytes) -> dict[str, list[Rate]]:
    names = {region: _of_service(region, SAVINGS_PLANS) for region in REGIONS}
    wanted = frozenset(PRICES[name].query.usage_type_in(region) for region in REGIONS for name in names[region])
    try:
        plans = read_plans(io.BytesIO(content), wanted)
    except (msgspec.DecodeError, UnicodeError):
        raise
    except ValueError as error:
        raise InvalidScenario(f"{path} is no whole Savings Plan file: {error}. Download it again.") from None
    # What a carried file says was not seen today on AWS's list.
    return {
        region: list(plan_rates(plans, region, names[region], checked=None).values())
        for region in REGIONS
        if names[region]
    }


def _spot(path: Path, content: bytes, today: dt.date) -> dict[str, list[Rate]]:
    feed = read_feed(io.BytesIO(content))
    # If AWS does not say when it made the feed, the file does, at the latest.
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    published = day_of(feed, today) or min(written, today)
    return {
        region: list(
            spot_rates(feed, region, _of_service(region, SPOT_FEED), published=published, checked=None).values()
        )
        for region in REGIONS
    }


def _of_service(region: str, service_code: str) -> list[str]:
    return [name for name in expected_in(region) if PRICES[name].query.service_code == service_code]


def _snapshot(path: Path, content: bytes, document: Mapping[str, msgspec.Raw]) -> dict[str, list[Rate]]:
    region = _text(document.get("region"))
    if not region:
        raise InvalidScenario(f"{path} is a snapshot that does not say of which region. Have it written again.")
    if region not in REGIONS and region != "global":
        raise InvalidScenario(
            f"{path} is a snapshot of {shown(region)}, which is none of the {len(REGIONS)} priced regions."
        )
    # The file may be packed, and only its own reader knows what makes it whole.
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "snapshot.json"
        plain.write_bytes(content)
        try:
            histories = read_histories(plain, region)
        except PriceListUnavailable as error:
            raise PriceListUnavailable(str(error).replace(str(plain), str(path))) from None
    rates = [rate for name in expected_in(region) for rate in histories.get(name, ())]
    for rate in rates:
        if rate.unit != PRICES[rate.price].unit:
            raise InvalidScenario(
                f"{path} has {rate.price} by {shown(rate.unit)}, which this release prices by {PRICES[rate.price].unit!r}. "
                "Import a snapshot that was written by this release."
            )
    return {region: rates}


def _text(raw: msgspec.Raw | None) -> str:
    value = msgspec.json.decode(raw) if raw is not None else ""
    return value if isinstance(value, str) else ""


def _in_order(rates: Iterable[Rate]) -> tuple[Rate, ...]:
    """Sort by the order of ``PRICES``, the newest of each price first."""
    histories: dict[str, History] = {}
    for rate in rates:
        histories[rate.price] = with_rate(histories.get(rate.price, ()), rate)
    return tuple(rate for name in PRICES for rate in histories.get(name, ()))
