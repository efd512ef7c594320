"""Many services at once: plan_fleet(services) prices them side by side, and one that fails does not stop the rest.

Notes
-----
What is kept of a service is plain (`ServiceResult`): its bill line by line, the figures of a summary, and what a Savings Plan covers hour by
hour. So a fleet of hundreds of services does not hold hundreds of simulations, and what was saved in a file is as good as what was just
planned. Threads take whole services, since the compiled loop releases the interpreter's lock; nothing that they share changes a figure.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from estimator.checks import require_number, shown
from estimator.errors import EstimatorError, InvalidScenario
from estimator.planning.fleet_result import ServiceResult, finite_or_none
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates

if TYPE_CHECKING:
    from estimator.planning.fleet_commitment import FleetCommitments
    from estimator.planning.fleet_store import FleetStore

#: Told the part of a service that is done, 0 to 1. [1]
Progress = Callable[[float], None]

#: More services than this in one call are taken for a mistake. [services]
MAX_SERVICES = 1000
MAX_THREADS = 256
STOPPED = "It was stopped before it was done."


@dataclass(frozen=True, eq=False)
class FleetService:
    """A service that is to be priced.

    Parameters
    ----------
    name : str
        What to call it; no other service of the fleet has the same name.
    price : callable
        Takes what is told the part that is done, and returns a Plan and the Rates that it is priced at; raises an EstimatorError where it cannot.
    region : str
        Region code; empty if it is not known before.
    hours_per_month : float, optional
        Length of its billed month; None if it is not known before. [h]
    fingerprint : callable, optional
        Returns SHA-256 over all that its figures depend on; without one it is never saved.
    """

    name: str
    price: Callable[[Progress], tuple[Plan, Rates]]
    region: str = ""
    hours_per_month: float | None = None
    fingerprint: Callable[[], str] | None = None


@dataclass(frozen=True, eq=False)
class FleetRow:
    """A service of a fleet: what it comes to, or why there is nothing.

    Parameters
    ----------
    name : str
        What it is called.
    region : str
        Region code; empty if its scenario could not be read.
    result : ServiceResult, optional
        What it comes to; None if it could not be priced.
    why_not : str
        Why it could not; empty if it could.
    was_saved : bool
        True if it was read back and not priced now.
    """

    name: str
    region: str
    result: ServiceResult | None = None
    why_not: str = ""
    was_saved: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known or has no bound is None.
        """
        found = self.result
        return {
            "name": self.name,
            "region": self.region or None,
            "service": found and found.service,
            "usd_per_month": found and found.cost.total_usd,
            "is_lower_bound": found and found.cost.is_lower_bound,
            "mean_tasks": found and found.mean_tasks,
            "peak_tasks": found and found.peak_tasks,
            "p95_latency_ms": found and finite_or_none(found.p95_latency_ms),
            "minutes_over_capacity_per_month": found and found.minutes_over_capacity,
            "minutes_over_promise_per_month": found and found.minutes_over_promise,
            "broken": list(found.broken) if found else [],
            "warnings": list(found.warnings) if found else [],
            "was_saved": self.was_saved,
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True, eq=False)
class Fleet:
    """Many services with their bills.

    Parameters
    ----------
    rows : tuple of FleetRow
        A row for each service, in the order in which they were given.
    hours_per_month : float, optional
        Length of the billed month, the same for all; None if no scenario could be read. [h]
    notes : tuple of str
        What a reader should know, such as a saved result that could not be used.
    was_stopped : bool
        True if it was stopped before all services were done.
    existing_are_shares : bool
        True if equal Savings Plans of several services are parts of their own, and not one plan.
    """

    rows: tuple[FleetRow, ...]
    hours_per_month: float | None = None
    notes: tuple[str, ...] = ()
    was_stopped: bool = False
    existing_are_shares: bool = field(default=False, kw_only=True)

    @property
    def results(self) -> tuple[ServiceResult, ...]:
        """Services that were priced."""
        return tuple(row.result for row in self.rows if row.result is not None)

    @property
    def failed(self) -> tuple[FleetRow, ...]:
        """Services that were not."""
        return tuple(row for row in self.rows if row.result is None)

    @property
    def was_saved(self) -> int:
        """How many were read back and not priced now. [services]"""
        return sum(row.was_saved for row in self.rows)

    @cached_property
    def commitments(self) -> FleetCommitments:
        """What one Compute Savings Plan for all services would do, for each option."""
        from estimator.planning.fleet_commitment import shared_commitments

        return shared_commitments(self.results, existing_are_shares=self.existing_are_shares)

    @property
    def sum_usd(self) -> float:
        """Sum of the services' own bills. [USD/month]"""
        return float(sum(found.cost.total_usd for found in self.results))

    @property
    def total_usd(self) -> float:
        """What the services cost: the sum of their own bills, but with a Savings Plan that several have counted once. [USD/month]"""
        shared = self.commitments
        return shared.total_usd if shared.counted_once else self.sum_usd

    @property
    def is_lower_bound(self) -> bool:
        """True if a bill has an unknown rate, or a service has no bill."""
        return bool(self.failed) or any(found.cost.is_lower_bound for found in self.results)

    @property
    def total_text(self) -> str:
        """The total, to read."""
        return f"{'at least ' if self.is_lower_bound else ''}${self.total_usd:,.2f} a month"

    def __iter__(self) -> Iterator[FleetRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        count = f"{len(self.results)} of {len(self.rows)} services"
        return f"<{count}: {self.total_text}>"

    def to_frame(self) -> Any:
        """Return the services as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each service; units stand in the names.
        """
        import pandas as pd

        rows = [row.to_dict() for row in self.rows]
        return pd.DataFrame([row | {name: "; ".join(row[name]) for name in ("broken", "warnings")} for row in rows])

    def to_dict(self) -> dict[str, Any]:
        """Return the fleet as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "total_usd_per_month": self.total_usd,
            "sum_of_bills_usd_per_month": self.sum_usd,
            "is_lower_bound": self.is_lower_bound,
            "hours_per_month": self.hours_per_month,
            "was_stopped": self.was_stopped,
            "services": [row.to_dict() for row in self.rows],
            "commitments": self.commitments.to_dict(),
            "notes": list(self.notes),
        }


def plan_fleet(
    services: Iterable[FleetService],
    *,
    n_threads: int | None = None,
    progress: Callable[[float, str], None] | None = None,
    store: FleetStore | None = None,
    existing_are_shares: bool = False,
) -> Fleet:
    """Price many services side by side.

    One that cannot be priced is a row with its reason. Ctrl-C ends it and keeps the services that are done.

    Parameters
    ----------
    services : iterable of FleetService
        The services, as `estimator.fleet_files.read_fleet` makes them of scenarios.
    n_threads : int, optional
        Services at a time, which changes no figure; by default one for each core. [services]
    progress : callable, optional
        Called with the part that is done, 0 to 1, and the name of the service that moved last; from several threads, one at a time.
    store : FleetStore, optional
        Where results are saved as they are done, and taken from where nothing has changed since.
    existing_are_shares : bool
        True if equal Savings Plans that several scenarios say you have are parts of their own, and not one plan.

    Returns
    -------
    Fleet
        A row for each service, in their order.

    Raises
    ------
    InvalidScenario
        If there are none or too many, two have one name, or their billed months have different lengths.
    ExportError
        If a result cannot be saved.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates, work = load_rates("us-east-1"), Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
    >>> def price(tell):
    ...     return estimate(work, rates, ServiceSpec(TaskSize(256, 512))), rates
    >>> fleet = plan_fleet([FleetService("shop", price), FleetService("blog", price)])
    >>> [row.name for row in fleet], fleet.total_usd == 2 * fleet.results[0].cost.total_usd
    (['shop', 'blog'], True)
    """
    wanted = _require_fleet(services)
    if n_threads is not None:
        require_number("n_threads", n_threads, 1, MAX_THREADS, whole=True)
    work = _Work(wanted, store, progress)
    rows = work.run(min(n_threads or os.cpu_count() or 1, len(wanted)))
    hours = {each.name: each.hours_per_month for each in wanted if each.hours_per_month is not None}
    hours |= {row.name: row.result.cost.hours_per_month for row in rows if row.result is not None}
    _require_one_month(hours)
    return Fleet(
        rows,
        next(iter(hours.values()), None),
        tuple(sorted(store.notes)) if store is not None else (),
        work.was_stopped,
        existing_are_shares=existing_are_shares,
    )


class _Stopped(Exception):
    """Ends what a thread computes."""


class _Work:
    """Services on their way, on one thread or on several."""

    def __init__(
        self,
        services: Sequence[FleetService],
        store: FleetStore | None,
        progress: Callable[[float, str], None] | None,
    ) -> None:
        self._services, self._store, self._progress = services, store, progress
        self._rows: dict[int, FleetRow] = {}
        self._stop = threading.Event()
        self._told = threading.Lock()
        self._parts = [0.0] * len(services)
        self.was_stopped = False

    def run(self, n_threads: int) -> tuple[FleetRow, ...]:
        """Price all services; those that Ctrl-C left are rows that say so."""
        if n_threads <= 1:
            try:
                for place in range(len(self._services)):
                    self._keep(place, *self._one(place))
            except KeyboardInterrupt:
                self.was_stopped = True
        else:
            self._run_on_threads(n_threads)
        left = (FleetRow(each.name, each.region, why_not=STOPPED) for each in self._services)
        return tuple(self._rows.get(place, row) for place, row in enumerate(left))

    def _run_on_threads(self, n_threads: int) -> None:
        with ThreadPoolExecutor(max_workers=n_threads) as pool:
            places: dict[Future[tuple[FleetRow, str]], int] = {
                pool.submit(self._one, place): place for place in range(len(self._services))
            }
            waiting = set(places)
            try:
                while waiting:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in finished:
                        self._keep(places[future], *future.result())
            except KeyboardInterrupt:
                self.was_stopped = True
            finally:
                # Also what else goes wrong, such as a folder that is full, ends the other threads.
                self._stop.set()
                for future in waiting:
                    future.cancel()
        for future, place in places.items():
            # What came to its end while the others were stopped is kept too.
            if place not in self._rows and not future.cancelled() and future.exception() is None:
                self._keep(place, *future.result())

    def _one(self, place: int) -> tuple[FleetRow, str]:
        """Price a service, or take what was saved; with the fingerprint under which it is to be saved."""
        service = self._services[place]
        try:
            self._tell(place, 0.0)
            key = service.fingerprint() if self._store is not None and service.fingerprint is not None else ""
            if self._store is not None and key:
                saved = self._store.read(service.name, key)
                if saved is not None:
                    self._tell(place, 1.0)
                    return FleetRow(service.name, saved.region, saved, was_saved=True), ""
            plan, rates = service.price(lambda part: self._tell(place, part))
            row = FleetRow(service.name, plan.cost.region, ServiceResult.of(service.name, plan, rates))
        except EstimatorError as error:
            row, key = FleetRow(service.name, service.region, why_not=str(error)), ""
        except _Stopped:
            return FleetRow(service.name, service.region, why_not=STOPPED), ""
        self._tell(place, 1.0, last=True)
        return row, key

    def _keep(self, place: int, row: FleetRow, key: str) -> None:
        self._rows[place] = row
        if self._store is not None and key and row.result is not None:
            self._store.write(row.result, key)

    def _tell(self, place: int, part: float, last: bool = False) -> None:
        if self._stop.is_set() and not last:
            raise _Stopped
        if self._progress is None:
            return
        with self._told:
            self._parts[place] = part
            self._progress(sum(self._parts) / len(self._parts), self._services[place].name)


def _require_fleet(services: Iterable[FleetService]) -> tuple[FleetService, ...]:
    found = tuple(services)
    if not found:
        raise InvalidScenario("There is no service to plan. Give at least one.")
    if len(found) > MAX_SERVICES:
        raise InvalidScenario(
            f"There are {len(found):,} services; at most {MAX_SERVICES:,} are planned at once. Divide them."
        )
    seen: set[str] = set()
    for each in found:
        if each.name in seen:
            raise InvalidScenario(f"Two services are called {shown(each.name)}. Give each a name of its own.")
        seen.add(each.name)
    _require_one_month({each.name: each.hours_per_month for each in found if each.hours_per_month is not None})
    return found


def _require_one_month(hours: Mapping[str, float]) -> None:
    """Raise unless all services are billed for months of one length: bills of 730 and of 744 hours add up to nothing."""
    by_length: dict[float, str] = {}
    for name, length in hours.items():
        by_length.setdefault(length, name)
    if len(by_length) > 1:
        (one, first), (other, second) = list(by_length.items())[:2]
        raise InvalidScenario(
            f"hours_per_month is {one:g} in {first} and {other:g} in {second}; bills of months of different lengths cannot be added up. "
            "Set it to the same in all scenarios."
        )
