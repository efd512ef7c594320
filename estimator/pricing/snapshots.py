"""The rates of a region: the shipped snapshots underneath, the user's own refreshes on top, each rate with its own date."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from estimator.checks import shown
from estimator.errors import InvalidScenario, PriceListUnavailable
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rate, Rates, require_region
from estimator.pricing.snapshot_file import days_of, newest, read_snapshot
from estimator.units import data_path

#: Environment variable that moves the folder of the user's own refreshes.
FOLDER_VARIABLE = "ESTIMATOR_PRICES_FOLDER"


def shipped_folder() -> Path:
    """Return the folder of the snapshots that ship with the package.

    Returns
    -------
    pathlib.Path
        One file for each region and ``global.json``.
    """
    return data_path("pricing_cache")


def refreshed_folder() -> Path:
    """Return the folder of the user's own refreshes and imports.

    Returns
    -------
    pathlib.Path
        ``ESTIMATOR_PRICES_FOLDER`` if set, or a folder in the platform's cache; it need not exist.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("fargate-estimator") / "prices"


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
    if folder is not None:
        layers = [Path(folder)]
    else:
        refreshed = refreshed_folder()
        layers = [refreshed, shipped_folder()]
    known: dict[str, Rate] = {}
    for number, layer in enumerate(layers):
        for part in ("global", region):
            path = layer / f"{part}.json"
            # Of the refreshed layer a file may be missing, of the last one none.
            if number < len(layers) - 1 and not path.exists():
                continue
            for name, rate in read_snapshot(path, part, day).items():
                if name in PRICES and rate.unit != PRICES[name].unit:
                    raise PriceListUnavailable(
                        f"The price snapshot {path} has {name} in {rate.unit!r}, not {PRICES[name].unit!r}. "
                        f"Delete {path} and refresh, or reinstall the package if it is one of its files."
                    )
                known[name] = newest((known[name], rate), day, days_of) if name in known else rate
    return Rates(region, known, f"{region}.json" + (f" as of {day}" if day else ""), day)


def _day(as_of: object) -> dt.date | None:
    if as_of is None or (isinstance(as_of, dt.date) and not isinstance(as_of, dt.datetime)):
        return as_of
    try:
        return dt.date.fromisoformat(as_of)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidScenario(
            f"as_of is {shown(as_of)}; it must be a day such as 2026-01-31. Leave it out for the newest prices."
        ) from None


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
        everywhere = {name: rate for name, rate in load_rates(region).known.items() if _is_global(name)}
        return Rates(region, {**everywhere, **read_snapshot(path, region)}, path.name)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidScenario(
            f"{text!r} is no price list; say shipped, now, a day such as 2026-01-31, or the path of a snapshot or of a folder of them."
        ) from None
    return load_rates(region, as_of=day)


def _is_global(name: str) -> bool:
    return name in PRICES and PRICES[name].query.is_global
