"""Load profiles from files: CSV and Parquet, under one set of rules."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from estimator.checks import read_text, shown
from estimator.errors import InvalidScenario
from estimator.workload.profile import MAX_STEPS, LoadProfile
from estimator.workload.rows import GAP_RULES as GAP_RULES
from estimator.workload.rows import Array, CutRule, GapRule, Unit, profile_of_rows, require_rules

MAX_FILE_BYTES = 200_000_000


def load_from_csv(
    path: Path | str,
    timestamp_column: str = "timestamp",
    requests_column: str = "requests",
    gaps: GapRule = "error",
    *,
    whole: CutRule = "error",
    unit: Unit = "requests",
) -> LoadProfile:
    """Read request counts on a regular grid from a CSV file with a header.

    Timestamps are ISO 8601 starts of intervals, rising; without an offset they are UTC. The interval is the usual distance
    of two rows. A tail that does not fill an hour is refused with the number of rows to drop, unless a cut is named.

    Parameters
    ----------
    path : path
        The file.
    timestamp_column : str
        Name of the column of timestamps.
    requests_column : str
        Name of the column of counts.
    gaps : {"error", "interpolate", "previous", "zero"}
        What to do with missing intervals.
    whole : {"error", "hours", "days"}
        What to do with a tail that fills no hour: refuse it, or cut the end to whole hours or days.
    unit : {"requests", "requests_per_s"}
        What the column holds: requests in the interval, or their mean rate.

    Returns
    -------
    LoadProfile
        Request rates on the file's own grid, with its start; its notes say what was filled and cut.

    Raises
    ------
    InvalidScenario
        If the file cannot be read or a row is broken; the message names the row.
    """
    require_rules(gaps, whole, unit)
    path = Path(path)
    text = read_text(path, "load file", MAX_FILE_BYTES, "Aggregate it to minutes first.")
    try:
        times, counts, lines, naive = _rows(text, path.name, timestamp_column, requests_column)
    except csv.Error as error:
        raise InvalidScenario(
            f"{path.name} is not a CSV file ({error}). Look for a quote that is never closed."
        ) from None
    return profile_of_rows(
        np.asarray(times), np.asarray(counts), np.asarray(lines), path.name, naive, gaps, whole, unit
    )


def load_from_parquet(
    path: Path | str,
    timestamp_column: str = "timestamp",
    requests_column: str = "requests",
    gaps: GapRule = "error",
    *,
    whole: CutRule = "error",
    unit: Unit = "requests",
) -> LoadProfile:
    """Read request counts on a regular grid from a Parquet file, by the rules of `load_from_csv`.

    Parameters
    ----------
    path : path
        The file.
    timestamp_column : str
        Name of the column of timestamps: Parquet timestamps, or ISO 8601 text.
    requests_column : str
        Name of the column of counts: whole numbers, floats or decimals.
    gaps : {"error", "interpolate", "previous", "zero"}
        What to do with missing intervals.
    whole : {"error", "hours", "days"}
        What to do with a tail that fills no hour: refuse it, or cut the end to whole hours or days.
    unit : {"requests", "requests_per_s"}
        What the column holds: requests in the interval, or their mean rate.

    Returns
    -------
    LoadProfile
        Request rates on the file's own grid, with its start; its notes say what was filled and cut.

    Raises
    ------
    InvalidScenario
        If the file cannot be read or a row is broken; the message names the row, counted from 1.
    """
    require_rules(gaps, whole, unit)
    path = Path(path)
    times, counts, naive = _columns(path, timestamp_column, requests_column)
    return profile_of_rows(times, counts, np.arange(1, times.size + 1), path.name, naive, gaps, whole, unit)


def _columns(path: Path, timestamp_column: str, requests_column: str) -> tuple[Array, Array, bool]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError:
        raise InvalidScenario(
            "Reading Parquet needs pyarrow. `pip install pyarrow`, or save the load as CSV."
        ) from None
    try:
        with pq.ParquetFile(path) as file:
            held = file.schema_arrow.names
            for column in (timestamp_column, requests_column):
                if held.count(column) != 1:
                    raise InvalidScenario(
                        f"{path.name} has the columns {shown(', '.join(held), 200)}; it must have {column!r} once. Name it in the scenario."
                    )
            if file.metadata.num_rows > MAX_STEPS:
                raise InvalidScenario(
                    f"{path.name} has {file.metadata.num_rows:,} rows; at most {MAX_STEPS:,}. Aggregate it first."
                )
            table = file.read(columns=[timestamp_column, requests_column])
    except pa.ArrowException:
        raise InvalidScenario(
            f"{path.name} is not a Parquet file, or it is damaged. Write it again, or save the load as CSV."
        ) from None
    except OSError as error:
        why = error.strerror or "it is damaged"
        raise InvalidScenario(f"The load file {path} cannot be read: {why}. Check the path.") from error
    moments, counts = table[timestamp_column], table[requests_column]
    for column, values in ((timestamp_column, moments), (requests_column, counts)):
        if values.null_count:
            row = values.is_null().to_pylist().index(True) + 1
            raise InvalidScenario(f"{path.name}, row {row}: {column} is empty. Mend or remove the row.")
    kind = counts.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InvalidScenario(f"{requests_column} of {path.name} is of type {kind}; it must be numbers.")
    times, naive = _moments(moments, path.name, timestamp_column)
    return times, np.asarray(counts.cast(pa.float64()).to_numpy(), dtype=np.float64), naive


def _moments(column: Any, name: str, timestamp_column: str) -> tuple[Array, bool]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # Parquet's timestamps with a zone are moments in UTC; those without are taken as such.
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_numpy()
        return np.asarray(micros, dtype=np.float64) / 1e6, column.type.tz is None
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise InvalidScenario(
            f"{timestamp_column} of {name} is of type {column.type}; it must be timestamps, or text such as 2026-03-01T00:05:00Z."
        )
    times, naive = [], False
    for row, text in enumerate(column.to_pylist(), start=1):
        try:
            moment = dt.datetime.fromisoformat(text.strip())
        except ValueError:
            raise InvalidScenario(
                f"{name}, row {row}: {shown(text)} is not an ISO 8601 timestamp such as 2026-03-01T00:05:00Z. Mend the row."
            ) from None
        naive = naive or moment.tzinfo is None
        times.append(_seconds(moment))
    return np.asarray(times), naive


def _rows(
    text: str, name: str, timestamp_column: str, requests_column: str
) -> tuple[list[float], list[float], list[int], bool]:
    reader = csv.reader(text.splitlines())
    header = [cell.strip() for cell in next(reader, [])]
    if not header:
        raise InvalidScenario(
            f"{name} is empty; it must have a header with {timestamp_column} and {requests_column}, and rows below it."
        )
    for column in (timestamp_column, requests_column):
        if header.count(column) > 1:
            raise InvalidScenario(
                f"{name} has {header.count(column)} columns {column!r}; it must have one. Rename the others."
            )
        if column not in header:
            raise InvalidScenario(
                f"{name} has the columns {shown(', '.join(header), 200)}; it must have {column!r}. Name it in the scenario; commas part columns."
            )
    at, count_at = header.index(timestamp_column), header.index(requests_column)
    times: list[float] = []
    counts: list[float] = []
    lines: list[int] = []
    naive = False
    for row in reader:
        if not row:
            continue
        line = reader.line_num
        if len(row) != len(header):
            raise InvalidScenario(
                f"{name}, row {line}: {shown(','.join(row))} has {len(row)} fields, the header {len(header)}. Write numbers without thousands "
                "separators, or put them in quotes."
            )
        try:
            moment = dt.datetime.fromisoformat(row[at].strip())
            count = float(row[count_at].replace("_", "?"))  # Python's own separator is nobody's in a CSV file
        except (IndexError, ValueError):
            raise InvalidScenario(
                f"{name}, row {line}: {shown(','.join(row))} is not an ISO 8601 timestamp and a number of requests, as in "
                "2026-03-01T00:05:00Z,1200. Mend or remove the row."
            ) from None
        naive = naive or moment.tzinfo is None
        times.append(_seconds(moment))
        counts.append(count)
        lines.append(line)
    return times, counts, lines, naive


def _seconds(moment: dt.datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
