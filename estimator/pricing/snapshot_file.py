"""Dated rates <-> one JSON file for each region (and ``global.json``), written whole or not at all.

Notes
-----
The format is our own and small: sorted keys, one figure a line, prices as the strings that AWS wrote, so that a price
change is a readable diff. What is not known for a region is absent. Each price has its rates newest first, one for each
publication. The checksum tells a file that was edited by hand from one that was written here.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from estimator.errors import PriceListUnavailable
from estimator.fingerprints import fingerprint_of
from estimator.pricing.folders import way_back
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
        The rate. Of two with the same publication date, the one read from AWS later stays.

    Returns
    -------
    tuple of Rate
        Newest first.
    """
    twin = next((old for old in history if old.published == rate.published), None)
    # A carried file, or an older reading, does not undo what AWS was seen to say since; nothing was seen on a day to come.
    seen = twin.checked if twin and twin.checked and twin.checked <= dt.date.today() else None
    if seen is not None and (rate.checked is None or rate.checked < seen):
        return history
    others = [old for old in history if old is not twin]
    return tuple(sorted([*others, rate], key=lambda each: each.published or dt.date.min, reverse=True))


def newest(entries: Iterable[Any], as_of: dt.date | None, days: Any) -> Any:
    """Choose the entry that held on a day: the one last seen to hold up to then.

    Parameters
    ----------
    entries : iterable
        Rates or rows of one price; of equals the first is taken.
    as_of : datetime.date, optional
        The day; entries published later are left out. By default today, with none left out: a clock may be wrong.
    days : callable
        Publication date and last-seen date of an entry.

    Returns
    -------
    object or None
        The entry, or None if nothing was published by then.
    """
    best, best_key = None, None
    until = as_of or dt.date.today()
    for entry in entries:
        published, seen = days(entry)
        if as_of is not None and published > as_of:
            continue
        # Nobody has seen anything on a day to come.
        key = (max(min(seen, until), min(published, until)), published)
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


def region_of(path: Path) -> str:
    """Read which region a snapshot is of.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        Region code, or ``"global"``.

    Raises
    ------
    PriceListUnavailable
        If the file is no snapshot.
    """
    document = _document(path)
    region = document.get("region") if isinstance(document, dict) else None
    if not isinstance(region, str):
        raise PriceListUnavailable(f"{path} is no price snapshot: it names no region. {way_back(path)}")
    return region


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceListUnavailable(
            f"The price snapshot {path} cannot be read ({error.strerror}). {way_back(path)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise PriceListUnavailable(f"The price snapshot {path} is not JSON ({error}). {way_back(path)}") from error


def _rows(path: Path, region: str) -> dict[str, list[dict[str, Any]]]:
    """Read the rows of each price, once the file is known to be whole."""
    repair = way_back(path)
    document = _document(path)
    try:
        if document["schema_version"] != SCHEMA_VERSION:
            raise PriceListUnavailable(
                f"The price snapshot {path} has schema version {document['schema_version']!r}; this release reads "
                f"{SCHEMA_VERSION}. Install the release that wrote it, or: {repair[0].lower()}{repair[1:]}"
            )
        if document["region"] != region:
            raise PriceListUnavailable(
                f"The price snapshot {path} is for {document['region']!r}, not {region}. {repair}"
            )
        if document.pop("checksum") != fingerprint_of(document):
            raise PriceListUnavailable(
                f"The price snapshot {path} was edited by hand or damaged: its checksum does not fit; your own prices "
                f"belong in a CSV of overrides. {repair}"
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
            f"The price snapshot {path} is damaged at {name}: {error!r}. {way_back(path)}"
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
