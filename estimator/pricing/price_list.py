"""The AWS Price List, live: two clients behind one function, with the Savings Plan files and the Spot feed beside them.

Notes
-----
`SOURCES` says where On-Demand prices come from: public bulk files (no account) or the signed Query API. Savings Plans
and Spot have one source each and are asked for in either case. Regions are fetched side by side.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from estimator.errors import InvalidScenario, PriceListUnavailable, PriceListUnreachable, ProductNotFound
from estimator.pricing.bulk_files import BulkFiles
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, Price, expected_in
from estimator.pricing.downloads import Cancelled, Downloads
from estimator.pricing.endpoints import Endpoints
from estimator.pricing.folders import refreshed_folder
from estimator.pricing.products import PricedProduct, select_rate
from estimator.pricing.query_api import QueryApi
from estimator.pricing.rates import Rate, Rates, require_region
from estimator.pricing.savings_plans import SavingsPlanFiles
from estimator.pricing.spot import SpotFeed

#: Where On-Demand prices may be read.
SOURCES = ("bulk", "query")
#: Regions that are fetched side by side.
WORKERS = 8

T = TypeVar("T")


class Source(Protocol):
    """Where On-Demand prices are read."""

    def products(self, service_code: str, region: str, usage_types: frozenset[str]) -> list[PricedProduct]:
        """Return the products of an offer that have one of some usage types.

        Parameters
        ----------
        service_code : str
            The offer, such as ``"AmazonECS"``.
        region : str
            Region code, or ``"global"``.
        usage_types : frozenset of str
            Usage types with their region prefix.

        Returns
        -------
        list of PricedProduct
            None if there is no such offer there.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the price list says of one region.

    Parameters
    ----------
    rates : dict of str to Rate
        What was found.
    missing : dict of str to PriceListUnavailable
        Prices without a product.
    unclear : dict of str to PriceListUnavailable
        Prices with several products, or one that cannot be read.
    """

    rates: Mapping[str, Rate]
    missing: Mapping[str, PriceListUnavailable]
    unclear: Mapping[str, PriceListUnavailable]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a fetch has come.

    Parameters
    ----------
    region : str
        The region that moved.
    done : int
        Price sources of all regions that are read.
    total : int
        Price sources to read.
    received_bytes : int
        What came over the wire so far. [bytes]
    """

    region: str
    done: int
    total: int
    received_bytes: int


class PriceList:
    """One sitting with AWS's price sources; what was read is remembered until it closes.

    Parameters
    ----------
    source : str
        One of ``SOURCES``.
    endpoints : Endpoints, optional
        Addresses; by default the environment's, else AWS's.
    folder : path, optional
        Where downloads and their extracts are kept; by default below the user's own refreshes.
    names : iterable of str, optional
        Names of rows in ``PRICES``; by default all.
    prices : mapping of str to Price, optional
        The rows to ask for instead of ``PRICES``.
    today : datetime.date, optional
        Date of reading.
    progress : callable, optional
        Called with a `Step` after each price source.
    """

    def __init__(
        self,
        source: str = "bulk",
        *,
        endpoints: Endpoints | None = None,
        folder: Path | str | None = None,
        names: Iterable[str] | None = None,
        prices: Mapping[str, Price] = PRICES,
        today: dt.date | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> None:
        if source not in SOURCES:
            raise InvalidScenario(f"The price source is {source!r}; it must be one of {', '.join(SOURCES)}.")
        wanted = list(prices if names is None else names)
        unknown = [name for name in wanted if name not in prices]
        if unknown:
            raise InvalidScenario(f"{unknown[0]!r} is no priced dimension; `estimator prices show` lists them.")
        endpoints = endpoints or Endpoints.from_environment()
        self.today = today or dt.datetime.now(dt.UTC).date()
        self._prices = {name: prices[name] for name in wanted}
        self._stopped = threading.Event()
        self._downloads = Downloads(Path(folder or refreshed_folder()) / "downloads", cancelled=self._stopped)
        query = source == "query"
        self._query_api = QueryApi(endpoints.query_api_url, cancelled=self._stopped) if query else None
        self._source: Source = self._query_api or BulkFiles(endpoints.price_list_url, self._downloads)
        self._savings_plans = SavingsPlanFiles(endpoints.savings_plans_url, self._downloads)
        self._spot = SpotFeed(endpoints.spot_feed_url, self._downloads)
        self._progress = progress
        self._lock = threading.Lock()
        self._done = 0
        self._total = 0

    def __enter__(self) -> PriceList:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._downloads.close()
        if self._query_api is not None:
            self._query_api.close()

    def stop(self) -> None:
        """Ask for nothing more: what is under way ends at the next piece of data."""
        self._stopped.set()

    def together(self, regions: Sequence[str], work: Callable[[str], T]) -> list[T]:
        """Do something for several regions side by side; an interrupt is not held up by what is under way.

        Parameters
        ----------
        regions : sequence of str
            Region codes, and ``"global"``.
        work : callable
            What to do for each.

        Returns
        -------
        list
            What it returned, in the order of the regions.
        """
        pool = ThreadPoolExecutor(WORKERS)
        try:
            return list(pool.map(work, regions))
        except BaseException:
            self.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            pool.shutdown(wait=False)

    @property
    def received_bytes(self) -> int:
        """What came over the wire. [bytes]"""
        return self._downloads.received_bytes + (self._query_api.received_bytes if self._query_api else 0)

    def announce(self, regions: Iterable[str]) -> None:
        """Say which regions will be read, so that progress knows its end.

        Parameters
        ----------
        regions : iterable of str
            Region codes, and ``"global"``.
        """
        self._total += sum(len(self._by_service(region)) for region in regions)

    def region(self, region: str) -> Fetched:
        """Read all prices of one region.

        Parameters
        ----------
        region : str
            Region code, or ``"global"`` for what has no region.

        Returns
        -------
        Fetched
            What was found, and what was not.

        Raises
        ------
        PriceListUnreachable
            If nobody can be asked: no network, no credentials, no permission.
        """
        rates: dict[str, Rate] = {}
        missing: dict[str, PriceListUnavailable] = {}
        unclear: dict[str, PriceListUnavailable] = {}
        for service_code, names in self._by_service(region).items():
            try:
                if service_code == SAVINGS_PLANS:
                    found = self._savings_plans.rates(region, names, self.today)
                elif service_code == SPOT_FEED:
                    found = self._spot.rates(region, names, self.today)
                else:
                    found = self._on_demand(service_code, region, names, missing, unclear)
            except Cancelled:
                raise
            except PriceListUnavailable as error:
                if isinstance(error, PriceListUnreachable) and service_code not in (SAVINGS_PLANS, SPOT_FEED):
                    raise
                # One list that cannot be read says nothing against the others.
                found = {}
                unclear |= dict.fromkeys(names, error)
            for name, rate in found.items():
                # A day more, since the day to come has begun elsewhere.
                if rate.published is not None and rate.published > self.today + dt.timedelta(days=1):
                    unclear[name] = PriceListUnavailable(
                        f"The price of {name} in {region} was published on {rate.published}, a day to come; today is {self.today}."
                    )
            rates |= {name: rate for name, rate in found.items() if name not in unclear}
            for name in names:
                if name not in found and name not in missing and name not in unclear:
                    usage_type = self._prices[name].query.usage_type_in(region)
                    missing[name] = ProductNotFound(
                        f"AWS's price list has no rate for {name} ({usage_type}) in {region}.", name
                    )
            self._step(region)
        return Fetched(rates, missing, unclear)

    def _on_demand(
        self,
        service_code: str,
        region: str,
        names: list[str],
        missing: dict[str, PriceListUnavailable],
        unclear: dict[str, PriceListUnavailable],
    ) -> dict[str, Rate]:
        products = self._source.products(service_code, region, self._usage_types(service_code, region, names))
        found: dict[str, Rate] = {}
        not_here: dict[str, PriceListUnavailable] = {}
        for name in names:
            try:
                found[name] = select_rate(name, self._prices[name], region, products, self.today)
            except ProductNotFound as error:
                not_here[name] = error
            except PriceListUnavailable as error:
                unclear[name] = error
        # ELB's records of a region may stand in EC2's offer, as all of them once did.
        elsewhere: dict[str, list[str]] = {}
        for name in not_here:
            fallback = self._prices[name].query.fallback_service_code
            if fallback and fallback != service_code:
                elsewhere.setdefault(fallback, []).append(name)
        for fallback, again in elsewhere.items():
            lost: dict[str, PriceListUnavailable] = {}
            found |= self._on_demand(fallback, region, again, lost, unclear)
        missing |= {name: error for name, error in not_here.items() if name not in found and name not in unclear}
        return found

    def _usage_types(self, service_code: str, region: str, names: list[str]) -> frozenset[str]:
        asked = {name: self._prices[name].query for name in names}
        if self._query_api is None:
            # A file is read once for all that may stand in it, also in place of another one.
            for name in expected_in(region, self._prices):
                query = self._prices[name].query
                if service_code in (query.service_code, query.fallback_service_code):
                    asked[name] = query
        return frozenset(spelling for query in asked.values() for spelling in query.usage_types_in(region))

    def _by_service(self, region: str) -> dict[str, list[str]]:
        services: dict[str, list[str]] = {}
        for name in expected_in(region, self._prices):
            services.setdefault(self._prices[name].query.service_code, []).append(name)
        return services

    def _step(self, region: str) -> None:
        with self._lock:
            self._done += 1
            if self._progress is not None:
                self._progress(Step(region, self._done, max(self._total, self._done), self.received_bytes))


def checked_regions(regions: Iterable[str]) -> list[str]:
    """Return region codes, each once; one code may be given as it is.

    Parameters
    ----------
    regions : iterable of str
        Region codes.

    Returns
    -------
    list of str
        In the order given.

    Raises
    ------
    InvalidScenario
        If one is none of the priced regions.
    """
    wanted = list(dict.fromkeys([regions] if isinstance(regions, str) else regions))
    for region in wanted:
        require_region(region)
    return wanted


def fetch_rates(
    queries: Iterable[str] | None = None,
    regions: Iterable[str] = (),
    source: str = "bulk",
    *,
    endpoints: Endpoints | None = None,
    folder: Path | str | None = None,
    today: dt.date | None = None,
    progress: Callable[[Step], None] | None = None,
) -> dict[str, Rates]:
    """Ask AWS for rates now; nothing is written but a cache of downloads.

    Parameters
    ----------
    queries : iterable of str, optional
        Names of rows in ``PRICES``; by default all.
    regions : iterable of str
        Region codes.
    source : str
        ``"bulk"`` for the public files, which need no account, or ``"query"`` for the signed Query API.
    endpoints : Endpoints, optional
        Addresses; by default the environment's, else AWS's.
    folder : pathlib.Path, optional
        Where downloads are kept.
    today : datetime.date, optional
        Date of reading; by default today's in UTC.
    progress : callable, optional
        Called with a `Step` after each price source.

    Returns
    -------
    dict of str to Rates
        By region, those without a region in each; a price that AWS does not list is absent, and asking for it raises.

    Raises
    ------
    PriceListUnavailable
        If AWS cannot be reached or read, or several products match one query.
    """
    wanted = checked_regions(regions)
    names = [queries] if isinstance(queries, str) else queries
    with PriceList(
        source, endpoints=endpoints, folder=folder, names=names, today=today, progress=progress
    ) as price_list:
        parts = ["global", *wanted]
        price_list.announce(parts)
        fetched = dict(zip(parts, price_list.together(parts, price_list.region), strict=True))
    for part in fetched.values():
        for error in part.unclear.values():
            raise error
    read = f"AWS Price List, read {price_list.today}"
    everywhere = fetched["global"].rates
    return {region: Rates(region, {**everywhere, **fetched[region].rates}, read) for region in wanted}
