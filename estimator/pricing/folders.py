"""Where prices are kept: the snapshots that ship with the package, and the user's own refreshes on top."""

from __future__ import annotations

import os
from pathlib import Path

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


def way_back(path: Path) -> str:
    """Say what to do about a snapshot that cannot be used.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        A sentence; a file that is not ours is never to be deleted.
    """
    if path.parent == refreshed_folder():
        return f"Delete {path} to go back to the shipped prices, then refresh."
    if path.parent == shipped_folder():
        return "Reinstall the package."
    return "Name another file."
