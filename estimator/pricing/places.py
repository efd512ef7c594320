"""Where prices are kept on this machine, and how old they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimator.errors import PriceListUnavailable
from estimator.pricing.folders import refreshed_folder, shipped_folder
from estimator.pricing.snapshot_file import days_of, read_snapshot


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of prices.

    Parameters
    ----------
    title : str
        What it holds.
    folder : pathlib.Path
        Where it is.
    regions : int
        Regions that it has a file for.
    size_bytes : int
        What all its files take. [bytes]
    oldest, newest : datetime.date or None
        Days on which its rates were last seen on AWS's list.
    damaged : tuple of str
        What is wrong with files that cannot be read.
    """

    title: str
    folder: Path
    regions: int
    size_bytes: int
    oldest: dt.date | None
    newest: dt.date | None
    damaged: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the place as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "title": self.title,
            "folder": str(self.folder),
            "regions": self.regions,
            "size_bytes": self.size_bytes,
            "oldest": self.oldest.isoformat() if self.oldest else None,
            "newest": self.newest.isoformat() if self.newest else None,
            "damaged": list(self.damaged),
        }


def price_places() -> tuple[Place, ...]:
    """Look at the shipped snapshots and at the user's own refreshes.

    Returns
    -------
    tuple of Place
        The refreshes on top, the shipped ones below; of each price the newest date counts.
    """
    return _place("Your refreshes and imports", refreshed_folder()), _place(
        "Shipped with the package", shipped_folder()
    )


def _place(title: str, folder: Path) -> Place:
    days: list[dt.date] = []
    damaged: list[str] = []
    files = sorted(folder.glob("*.json"))
    for path in files:
        try:
            rates = read_snapshot(path, path.stem)
        except PriceListUnavailable as error:
            damaged.append(str(error))
            continue
        days += [days_of(rate)[1] for rate in rates.values() if rate.last_seen]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    regions = sum(path.stem != "global" for path in files)
    return Place(title, folder, regions, size, min(days, default=None), max(days, default=None), tuple(damaged))
