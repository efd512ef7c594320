"""The rates of a region: the shipped snapshots underneath, the user's own refreshes on top, each rate with its own date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from estimator.checks import shown
from estimator.errors import InvalidScenario, PriceListUnavailable
from estimator.pricing.catalog import PRICES
from estimator.pricing.folders import refreshed_folder, shipped_folder, way_back
from estimator.pricing.rates import Rate, Rates, require_region
from estimator.pricing.snapshot_file import days_of, newest, read_snapshot, region_of


def load_rates(region: str, folder: Path | str | None = None, *, as_of: dt.date | str | None = None) -> Rates:
    """Read one region's rates; no network.

    Parameters
    ----------
    region : str
        Region code, such as ``"eu-west-1"``.
    folder : path, optional
        A folder of snapshots; by default the shipped ones with the user's refreshes on top.
    as_of : datetime.date or str, optional
        Take the rates that held on this day, such as ``"2026-01-31"``: of each price the newest not later. By default
        the newest.

    Returns
    -------
    Rates
        The rates that are known, those without a region among them.

    Raises
    ------
    InvalidScenario
        If the region is none of the priced regions, or the day is none.
    PriceListUnavailable
        If a snapshot is missing, damaged or of a newer version.

    Examples
    --------
    >>> load_rates("eu-west-1")["alb_hour"].tiers_text()
    '0.0252'
    """
    require_region(region)
    day = _day(as_of)
    layers = [refreshed_folder(), shipped_folder()] if folder is None else [Path(folder)]
    known = {**known_in("global", layers, day), **known_in(region, layers, day)}
    return Rates(region, known, f"{region}.json" + (f" as of {day}" if day else ""), day)


def known_in(part: str, layers: Sequence[Path], day: dt.date | None = None) -> dict[str, Rate]:
    """Read what one file of each of several folders says, and take of each price the rate that held.

    Parameters
    ----------
    part : str
        Region code, or ``"global"``.
    layers : sequence of pathlib.Path
        Folders; the file may be missing from all but the last.
    day : datetime.date, optional
        The day; by default the newest rates.

    Returns
    -------
    dict of str to Rate
        Rates by name.

    Raises
    ------
    PriceListUnavailable
        If a file is damaged, or missing from the last folder.
    """
    known: dict[str, Rate] = {}
    for layer in layers:
        path = layer / f"{part}.json"
        if layer is not layers[-1] and not _exists(path):
            continue
        for name, rate in read_snapshot(path, part, day).items():
            require_unit(path, rate)
            known[name] = newest((known[name], rate), day, days_of) if name in known else rate
    return known


def require_unit(path: Path, rate: Rate) -> None:
    """Raise unless a rate is in the unit of its row in ``PRICES``.

    Parameters
    ----------
    path : pathlib.Path
        The file that it was read from.
    rate : Rate
        The rate.

    Raises
    ------
    PriceListUnavailable
        If it is in another unit.
    """
    if rate.price in PRICES and rate.unit != PRICES[rate.price].unit:
        raise PriceListUnavailable(
            f"The price snapshot {path} has {rate.price} in {rate.unit!r}, not {PRICES[rate.price].unit!r}. {way_back(path)}"
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise PriceListUnavailable(
            f"Your refreshed prices in {path.parent} cannot be read ({error.strerror}). Mend that, or choose another folder with "
            "ESTIMATOR_PRICES_FOLDER."
        ) from None


def _day(as_of: object) -> dt.date | None:
    if as_of is None:
        return None
    try:
        given = isinstance(as_of, dt.date) and not isinstance(as_of, dt.datetime)
        day = as_of if given else dt.date.fromisoformat(as_of)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidScenario(
            f"as_of is {shown(as_of)}; it must be a day such as 2026-01-31. Leave it out for the newest prices."
        ) from None
    assert isinstance(day, dt.date)
    # A day more, since the day to come has begun elsewhere.
    if day > dt.date.today() + dt.timedelta(days=1):
        raise InvalidScenario(
            f"as_of is {day}, a day to come, whose prices nobody knows. Choose an earlier day, or leave it out for the newest prices."
        )
    return day


def rates_from(text: str, region: str) -> Rates:
    """Read the price list that a word, a day or a path means.

    Parameters
    ----------
    text : str
        ``"shipped"``, ``"now"``, a day such as ``"2026-01-31"``, a folder of snapshots, or one snapshot of the region.
    region : str
        Region code.

    Returns
    -------
    Rates
        The rates that are known there.

    Raises
    ------
    InvalidScenario
        If it is none of these.
    PriceListUnavailable
        If a snapshot is damaged, or of another region.
    """
    if text == "now":
        return load_rates(region)
    if text == "shipped":
        return load_rates(region, shipped_folder())
    path = Path(text)
    if path.is_dir():
        return load_rates(region, path)
    if path.is_file():
        # The file of a region has no prices without region: they are those of now on either side of a comparison.
        layers = [refreshed_folder(), shipped_folder()]
        known = {**known_in("global", layers), **read_snapshot(path, region)}
        for rate in known.values():
            require_unit(path, rate)
        return Rates(region, known, path.name)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidScenario(
            f"{text!r} is no price list; say shipped, now, a day such as 2026-01-31, or the path of a snapshot or of a folder of them."
        ) from None
    return load_rates(region, as_of=day)


def region_named(text: str) -> str | None:
    """Return the one region that a price list is of, if it is the snapshot of one.

    Parameters
    ----------
    text : str
        As for `rates_from`.

    Returns
    -------
    str or None
        Region code; None for a list of all regions.

    Raises
    ------
    PriceListUnavailable
        If a file is no snapshot.
    """
    path = Path(text)
    return region_of(path) if text not in ("now", "shipped") and path.is_file() else None
