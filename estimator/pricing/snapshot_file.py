"""Dated rates <-> one JSON file for each region (and ``global.json``), written whole or not at all.

Notes
-----
The format is our own and small: sorted keys, one figure a line, prices as the strings that AWS wrote, so that a price
change is a readable diff. What is not known for a region is absent. Each price has its rates newest first; of a price
that stayed the same, the first and the last are kept. The checksum tells a file that was edited by hand from one that
was written here.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from estimator.errors import PriceListUnavailable
from estimator.fingerprints import fingerprint_of
from estimator.pricing.rates import PROVENANCES, Rate, Tier

SCHEMA_VERSION = 2

#: The rates of one price, newest first.
History = tuple[Rate, ...]


def read_snapshot(path: Path, region: str, as_of: dt.date | None = None) -> dict[str, Rate]:
    """Read from one file the rates that held on a day.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    region : str
        The region that it must be for, or ``"global"``.
    as_of : datetime.date, optional
        The day; by default the newest rates.

    Returns
    -------
    dict of str to Rate
        Rates by name; what was not known then is absent.

    Raises
    ------
    PriceListUnavailable
        If the file is missing, damaged, edited by hand, or of another version or region.
    """
    found = {}
    for name, rows in _rows(path, region).items():
        row = newest(rows, as_of, _days)
        if row is not None:
            found[name] = _rate(path, name, row)
    return found


def read_histories(path: Path, region: str) -> dict[str, History]:
    """Read all that one file knows.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    region : str
        The region that it must be for, or ``"global"``.

    Returns
    -------
    dict of str to tuple of Rate
        Rates by name, newest first.

    Raises
    ------
    PriceListUnavailable
        If the file is missing, damaged, edited by hand, or of another version or region.
    """
    return {name: tuple(_rate(path, name, row) for row in rows) for name, rows in _rows(path, region).items()}


def write_snapshot(path: Path, region: str, histories: Mapping[str, History] | Iterable[Rate]) -> None:
    """Write one snapshot file: to a temporary file, read back, then renamed.

    Parameters
    ----------
    path : pathlib.Path
        The file; an older one is replaced.
    region : str
        Region code, or ``"global"``.
    histories : mapping of str to tuple of Rate, or iterable of Rate
        What is known; newest first.

    Raises
    ------
    PriceListUnavailable
        If the file cannot be written; an older one stays as it was.
    """
    if not isinstance(histories, Mapping):
        histories = {rate.price: (rate,) for rate in histories}
    document = {
        "schema_version": SCHEMA_VERSION,
        "region": region,
        "currency": "USD",
        "rates": {name: [_rate_to_json(rate) for rate in rates] for name, rates in histories.items()},
    }
    document["checksum"] = fingerprint_of(document)
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        read_histories(Path(temporary), region)
        Path(temporary).replace(path)
    except OSError as error:
        _remove(temporary)
        raise PriceListUnavailable(
            f"The prices cannot be written to {path}: {error.strerror or error}. The last good ones are unchanged. "
            "Free space or the right to write there, or choose another folder with ESTIMATOR_PRICES_FOLDER."
        ) from error
    except BaseException:
        _remove(temporary)
        raise


def with_rate(history: History, rate: Rate) -> History:
    """Add a rate to what is known of its price.

    Parameters
    ----------
    history : tuple of Rate
        Newest first.
    rate : Rate
        The rate; it replaces one of the same publication date.

    Returns
    -------
    tuple of Rate
        Newest first; of rates in a row with the same price, the first and the last.
    """
    others = [old for old in history if old.published != rate.published]
    for old in history:
        # A file of the same publication, imported later, does not undo that AWS was seen to say so since.
        if old.published == rate.published and old.checked and same_price(old, rate):
            rate = replace(rate, checked=max(old.checked, rate.checked or old.checked))
    ordered = sorted([*others, rate], key=lambda each: each.published or dt.date.min, reverse=True)
    kept = []
    for place, each in enumerate(ordered):
        before, after = ordered[place - 1 : place], ordered[place + 1 : place + 2]
        unchanged = place and after and same_price(before[0], each) and same_price(each, after[0])
        # One that was seen on AWS's list after the next was published says more than its neighbors.
        if unchanged and days_of(each)[1] <= days_of(before[0])[0]:
            continue
        kept.append(each)
    return tuple(kept)


def same_price(a: Rate, b: Rate) -> bool:
    """Tell whether two rates ask the same.

    Parameters
    ----------
    a, b : Rate
        Two rates of one price.

    Returns
    -------
    bool
        True if unit, tiers and prices are equal as numbers.
    """
    return a.unit == b.unit and _numbers(a) == _numbers(b)


def _numbers(rate: Rate) -> list[tuple[float, Decimal]]:
    return [(tier.begin, Decimal(tier.price)) for tier in rate.tiers]


def newest(entries: Iterable[Any], as_of: dt.date | None, days: Any) -> Any:
    """Choose the entry that held on a day: the one last seen to hold up to then.

    Parameters
    ----------
    entries : iterable
        Rates or rows of one price; of equals the first is taken.
    as_of : datetime.date, optional
        The day; entries published later are left out.
    days : callable
        Publication date and last-seen date of an entry.

    Returns
    -------
    object or None
        The entry, or None if nothing was published by then.
    """
    best, best_key = None, None
    for entry in entries:
        published, seen = days(entry)
        if as_of is not None and published > as_of:
            continue
        key = (min(seen, as_of) if as_of is not None else seen, published)
        if best_key is None or key > best_key:
            best, best_key = entry, key
    return best


def days_of(rate: Rate) -> tuple[dt.date, dt.date]:
    """Return publication date and last-seen date of a rate.

    Parameters
    ----------
    rate : Rate
        The rate; without a date it counts as the oldest.

    Returns
    -------
    tuple of datetime.date
        Both dates.
    """
    return rate.published or dt.date.min, rate.last_seen or dt.date.min


def _days(row: dict[str, Any]) -> tuple[dt.date, dt.date]:
    published = dt.date.fromisoformat(row["published"]) if row["published"] else dt.date.min
    return published, dt.date.fromisoformat(row["checked"]) if row.get("checked") else published


def _rows(path: Path, region: str) -> dict[str, list[dict[str, Any]]]:
    """Read the rows of each price, once the file is known to be whole."""
    repair = f"Delete {path} and refresh, or reinstall the package if it is one of its files."
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
                f"{SCHEMA_VERSION}. Install the release that wrote it, or: {repair}"
            )
        if document["region"] != region:
            raise PriceListUnavailable(
                f"The price snapshot {path} is for {document['region']!r}, not {region}. {repair}"
            )
        if document.pop("checksum") != fingerprint_of(document):
            raise PriceListUnavailable(
                f"The price snapshot {path} was edited by hand or damaged: its checksum does not fit. {repair} Your own prices belong "
                "in a CSV of overrides."
            )
        rows: dict[str, list[dict[str, Any]]] = dict(document["rates"].items())
        for name, dated in rows.items():
            for row in dated:
                _days(row)
            if not dated:
                raise ValueError(f"{name} has no rate")
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise PriceListUnavailable(f"The price snapshot {path} is damaged ({error!r}). {repair}") from error
    return rows


def _rate(path: Path, name: str, row: dict[str, Any]) -> Rate:
    try:
        return _rate_from_json(name, row)
    except (PriceListUnavailable, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PriceListUnavailable(
            f"The price snapshot {path} is damaged at {name}: {error!r}. Delete it and refresh, or reinstall the package."
        ) from error


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
        checked=dt.date.fromisoformat(row["checked"]) if row.get("checked") else None,
    )


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _rate_to_json(rate: Rate) -> dict[str, Any]:
    plain = replace(rate, discount_percent=0.0)
    row: dict[str, Any] = {
        "unit": plain.unit,
        "tiers": [{"begin": _plain(tier.begin), "price": tier.price} for tier in plain.tiers],
        "usage_type": plain.usage_type,
        "sku": plain.sku,
        "published": plain.published.isoformat() if plain.published else None,
        "provenance": plain.provenance,
        "source": plain.source,
        "note": plain.note,
    }
    if plain.checked is not None:
        row["checked"] = plain.checked.isoformat()
    return row


def _remove(temporary: str | None) -> None:
    if temporary is not None:
        Path(temporary).unlink(missing_ok=True)
