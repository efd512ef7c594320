"""Rates <-> ``pricing_cache/<region>.json`` (and ``global.json`` for what has no region), written whole or not at all.

Notes
-----
The format is our own and small: sorted keys, one figure a line, prices as the strings that AWS wrote, so that a price
change is a readable diff. What is not known for a region is absent.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from estimator.errors import PriceListUnavailable
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import PROVENANCES, Rate, Rates, Tier, require_region
from estimator.units import data_path

SCHEMA_VERSION = 1


def load_rates(region: str, folder: Path | str | None = None) -> Rates:
    """Read one region's rates; no network.

    Parameters
    ----------
    region : str
        Region code, such as ``"eu-west-1"``.
    folder : path, optional
        A folder of snapshots; by default the one that ships with the package.

    Returns
    -------
    Rates
        The rates that are known, those without a region among them.

    Raises
    ------
    InvalidScenario
        If the region is none of the priced regions.
    PriceListUnavailable
        If the snapshot is missing, damaged or of a newer version.

    Examples
    --------
    >>> load_rates("eu-west-1")["alb_hour"].tiers_text()
    '0.0252'
    """
    require_region(region)
    root = Path(folder) if folder is not None else data_path("pricing_cache")
    path = root / f"{region}.json"
    known = read_snapshot(root / "global.json", "global") | read_snapshot(path, region)
    for name, rate in known.items():
        if name in PRICES and rate.unit != PRICES[name].unit:
            raise PriceListUnavailable(
                f"The price snapshot {path} has {name} in {rate.unit!r}, not {PRICES[name].unit!r}. Restore it from the package."
            )
    return Rates(region, known, snapshot=path.name)


def read_snapshot(path: Path, region: str) -> dict[str, Rate]:
    """Read one snapshot file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    region : str
        The region that it must be for, or ``"global"``.

    Returns
    -------
    dict of str to Rate
        Rates by name.

    Raises
    ------
    PriceListUnavailable
        If the file is missing, is not such a snapshot, or is of another version or region.
    """
    repair = "Restore it from the package, or reinstall."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceListUnavailable(f"The price snapshot {path} cannot be read ({error.strerror}). {repair}") from error
    except (ValueError, RecursionError) as error:
        raise PriceListUnavailable(f"The price snapshot {path} is not JSON ({error}). {repair}") from error
    try:
        if document["schema_version"] != SCHEMA_VERSION:
            raise PriceListUnavailable(
                f"The price snapshot {path} has schema version {document['schema_version']!r}; this release reads "
                f"{SCHEMA_VERSION}. Install the release that wrote it, or restore the file from the package."
            )
        if document["region"] != region:
            raise PriceListUnavailable(
                f"The price snapshot {path} is for {document['region']!r}, not {region}. {repair}"
            )
        rows = document["rates"].items()
    except (KeyError, TypeError, AttributeError) as error:
        raise PriceListUnavailable(f"The price snapshot {path} is damaged ({error!r}). {repair}") from error
    found = {}
    for name, row in rows:
        try:
            found[name] = _rate_from_json(name, row)
        except (PriceListUnavailable, KeyError, TypeError, ValueError, AttributeError) as error:
            raise PriceListUnavailable(
                f"The price snapshot {path} is damaged at {name}: {error!r}. {repair}"
            ) from error
    return found


def write_snapshot(path: Path, region: str, rates: Iterable[Rate]) -> None:
    """Write one snapshot file, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file; an older one is replaced.
    region : str
        Region code, or ``"global"``.
    rates : iterable of Rate
        What is known.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "region": region,
        "currency": "USD",
        "rates": {rate.price: _rate_to_json(rate) for rate in rates},
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _rate_from_json(name: str, row: dict[str, Any]) -> Rate:
    if row["provenance"] not in PROVENANCES:
        raise ValueError(f"provenance {row['provenance']!r} of {name}")
    return Rate(
        price=name,
        unit=row["unit"],
        tiers=tuple(Tier(float(tier["begin"]), str(tier["price"])) for tier in row["tiers"]),
        usage_type=row["usage_type"],
        sku=row["sku"],
        published=dt.date.fromisoformat(row["published"]) if row["published"] else None,
        provenance=row["provenance"],
        source=row["source"],
        note=row["note"],
    )


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _rate_to_json(rate: Rate) -> dict[str, Any]:
    return {
        "unit": rate.unit,
        "tiers": [{"begin": _plain(tier.begin), "price": tier.price} for tier in rate.tiers],
        "usage_type": rate.usage_type,
        "sku": rate.sku,
        "published": rate.published.isoformat() if rate.published else None,
        "provenance": rate.provenance,
        "source": rate.source,
        "note": rate.note,
    }
