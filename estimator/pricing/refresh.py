"""New prices laid over the shipped ones: fetched or imported, checked against what was known, written region by region.

Notes
-----
A region is written whole or not at all: if AWS's list no longer has a price that was known, or is unclear about one, the
region stays as it was and the reason is said. `keep_older` writes the rest, and the older rate keeps its own date. The
regions that are done stay done if the process is killed.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from estimator.errors import PriceListUnavailable, PriceListUnreachable
from estimator.pricing.catalog import expected_in
from estimator.pricing.changes import PriceChange, compare_known
from estimator.pricing.endpoints import Endpoints
from estimator.pricing.folders import refreshed_folder, shipped_folder
from estimator.pricing.price_list import Fetched, PriceList, Step, checked_regions
from estimator.pricing.rates import Rate
from estimator.pricing.snapshot_file import read_histories, with_rate, write_snapshot
from estimator.pricing.snapshots import known_in


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a refresh did to one region.

    Parameters
    ----------
    region : str
        Region code, or ``"global"``.
    found : int
        Rates that AWS's list gave.
    changes : tuple of PriceChange
        What is new, gone or dearer or cheaper.
    kept : tuple of str
        Prices whose older rate was kept, because the list lacks them or is unclear.
    unknown : tuple of str
        Prices that AWS's list does not have, and never had.
    error : PriceListUnavailable or None
        Why the region was left as it was.
    not_tried : bool
        True if it was not asked for, since nothing could be reached before it.
    """

    region: str
    found: int = 0
    changes: tuple[PriceChange, ...] = ()
    kept: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    error: PriceListUnavailable | None = None
    not_tried: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "region": self.region,
            "found": self.found,
            "changes": [change.to_dict() for change in self.changes],
            "tried": not self.not_tried,
            "kept": list(self.kept),
            "unknown": list(self.unknown),
            "error": str(self.error) if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh did.

    Parameters
    ----------
    outcomes : tuple of Outcome
        By region, in the order asked for.
    received_bytes : int
        What came over the wire. [bytes]
    """

    outcomes: tuple[Outcome, ...]
    received_bytes: int

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The regions that were left as they were."""
        return tuple(outcome for outcome in self.outcomes if outcome.error)


def refresh_prices(
    regions: Iterable[str],
    source: str = "bulk",
    *,
    endpoints: Endpoints | None = None,
    folder: Path | str | None = None,
    keep_older: bool = False,
    today: dt.date | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Refresh:
    """Ask AWS for the prices of regions and keep them for the next estimates.

    Parameters
    ----------
    regions : iterable of str
        Region codes.
    source : str
        ``"bulk"`` or ``"query"``.
    endpoints : Endpoints, optional
        Addresses; by default the environment's, else AWS's.
    folder : path, optional
        Folder of the user's own refreshes.
    keep_older : bool
        True to write a region although its list lacks, or is unclear about, a price that was known.
    today : datetime.date, optional
        Date of reading.
    progress : callable, optional
        Called with a `Step` after each price source.

    Returns
    -------
    Refresh
        What was done, region by region; a region that failed does not stop the others.

    Raises
    ------
    PriceListUnavailable
        If another refresh is running, or the folder cannot be written.
    """
    folder = Path(folder or refreshed_folder())
    parts = ["global", *checked_regions(regions)]
    # Before anything was reached, a source that cannot be asked at all ends it: no need to try every region.
    hopeless, reached = threading.Event(), threading.Event()

    def one(region: str) -> Outcome:
        if hopeless.is_set() and not reached.is_set():
            return Outcome(region, error=PriceListUnreachable(f"{region} was not tried."), not_tried=True)
        try:
            fetched = price_list.region(region)
            reached.set()
            return keep(region, fetched, folder, keep_older)
        except PriceListUnreachable as error:
            hopeless.set()
            return Outcome(region, error=error)
        except PriceListUnavailable as error:
            return Outcome(region, error=error)

    with (
        locked(folder),
        PriceList(source, endpoints=endpoints, folder=folder, today=today, progress=progress) as price_list,
    ):
        price_list.announce(parts)
        outcomes = tuple(price_list.together(parts, one))
    return Refresh(outcomes, price_list.received_bytes)


def keep(region: str, fetched: Fetched, folder: Path, keep_older: bool = False) -> Outcome:
    """Lay what was read of one region over what was known.

    Parameters
    ----------
    region : str
        Region code, or ``"global"``.
    fetched : Fetched
        What was read.
    folder : pathlib.Path
        Folder of the user's own refreshes.
    keep_older : bool
        True to keep older rates where the list lacks them or is unclear.

    Returns
    -------
    Outcome
        What changed; with an error if the region was left as it was.

    Raises
    ------
    PriceListUnavailable
        If the file of the region is damaged or cannot be written.
    """
    layers = (folder, shipped_folder())
    before = _priced(region, known_in(region, layers))
    doubtful = {**{name: error for name, error in fetched.missing.items() if name in before}, **fetched.unclear}
    if doubtful and not keep_older:
        (_, first), *more = doubtful.items()
        others = [name for name, error in more if error is not first]
        also = (
            f" Nor could {', '.join(others[:5])}{' and others' if len(others) > 5 else ''} be taken." if others else ""
        )
        raise PriceListUnavailable(
            f"{first}{also} The prices of {region} are unchanged. --keep-older takes the others and keeps the older rates of these."
        )
    if not fetched.rates:
        raise PriceListUnavailable(
            f"AWS's price list has none of the prices of {region}. The prices of {region} are unchanged."
        )
    merge(region, fetched.rates.values(), folder)
    after = _priced(region, known_in(region, layers))
    return Outcome(
        region,
        len(fetched.rates),
        compare_known(region, before, after),
        tuple(name for name in doubtful if name in before),
        tuple(name for name in (*fetched.missing, *fetched.unclear) if name not in before),
    )


def merge(region: str, rates: Iterable[Rate], folder: Path) -> None:
    """Add rates to the file of a region; older ones are kept.

    Parameters
    ----------
    region : str
        Region code, or ``"global"``.
    rates : iterable of Rate
        What was read.
    folder : pathlib.Path
        Folder of the user's own refreshes.

    Raises
    ------
    PriceListUnavailable
        If the file is damaged or cannot be written.
    """
    path = folder / f"{region}.json"
    histories = read_histories(path, region) if path.exists() else {}
    for rate in rates:
        histories[rate.price] = with_rate(histories.get(rate.price, ()), rate)
    write_snapshot(path, region, histories)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder of refreshes alone, so that two refreshes cannot mix.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the user's own refreshes; it is made.

    Yields
    ------
    None
        While it is held; a killed process lets go.

    Raises
    ------
    PriceListUnavailable
        If another process holds it, or the folder cannot be written.
    """
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        lock.acquire()
    except filelock.Timeout:
        raise PriceListUnavailable(
            f"Another refresh is writing prices to {folder}. Try again when it has finished."
        ) from None
    except OSError as error:
        raise PriceListUnavailable(
            f"Prices cannot be kept in {folder}: {error.strerror}. Choose another folder with ESTIMATOR_PRICES_FOLDER."
        ) from error
    try:
        # What a killed refresh left half written.
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _priced(region: str, known: Mapping[str, Rate]) -> dict[str, Rate]:
    wanted = set(expected_in(region))
    return {name: rate for name, rate in known.items() if name in wanted}
