"""Load profiles from files: a CSV of request counts."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path
from typing import Literal

import numpy as np

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.units import SECONDS_PER_HOUR
from estimator.workload.profile import MAX_STEPS, LoadProfile

#: What to do with missing intervals: refuse them, or fill them by a named rule.
GapRule = Literal["error", "interpolate", "previous", "zero"]
GAP_RULES: tuple[GapRule, ...] = ("error", "interpolate", "previous", "zero")
MAX_FILE_BYTES = 200_000_000


def load_from_csv(
    path: Path | str,
    timestamp_column: str = "timestamp",
    requests_column: str = "requests",
    gaps: GapRule = "error",
) -> LoadProfile:
    """Read request counts on a regular grid from a CSV file with a header.

    Timestamps are ISO 8601 starts of intervals, rising; counts are requests in the interval. The interval is the
    smallest distance between two rows. A tail that does not fill an hour is refused with the number of rows to drop.

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

    Returns
    -------
    LoadProfile
        Request rates on the file's own grid.

    Raises
    ------
    InvalidScenario
        If the file cannot be read or a row is broken; the message names the row.
    """
    if gaps not in GAP_RULES:
        raise InvalidScenario(f"gaps is {gaps!r}; it must be one of {', '.join(GAP_RULES)}.")
    path = Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidScenario(
                f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB. Aggregate it to minutes first."
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidScenario(f"The load file {path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise InvalidScenario(f"The load file {path} is not UTF-8 text. Save it as CSV in UTF-8.") from error
    try:
        times, counts, lines = _rows(text, path.name, timestamp_column, requests_column)
    except csv.Error as error:
        raise InvalidScenario(
            f"{path.name} is not a CSV file ({error}). Look for a quote that is never closed."
        ) from None
    return _on_grid(times, counts, lines, path.name, gaps)


def _rows(
    text: str, name: str, timestamp_column: str, requests_column: str
) -> tuple[list[float], list[float], list[int]]:
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
        if not math.isfinite(count) or count < 0:
            raise InvalidScenario(
                f"{name}, row {line}: {shown(count)} requests; a count must be 0 or more. Mend the row."
            )
        time = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
        if times and time <= times[-1]:
            raise InvalidScenario(
                f"{name}, row {line}: {shown(row[at])} does not come after the row before it; rows must be sorted and unique. Sort the file."
            )
        times.append(time)
        counts.append(count)
        lines.append(line)
    if len(times) < 2:
        raise InvalidScenario(f"{name} has {len(times)} rows of data; at least 2 are needed to know the interval.")
    return times, counts, lines


def _on_grid(times: list[float], counts: list[float], lines: list[int], name: str, gaps: GapRule) -> LoadProfile:
    stamps = np.asarray(times)
    steps = np.diff(stamps)
    # The usual distance is the interval; a single row between two others is then the one that is off the grid.
    values, counted = np.unique(steps, return_counts=True)
    step_s = float(values[counted.argmax()])
    places = (stamps - stamps[0]) / step_s
    index = np.rint(places).astype(np.int64)
    off = np.flatnonzero(np.abs(places - index) > 1e-6)
    if off.size or step_s != int(step_s):
        row = lines[int(off[0]) if off.size else 1]
        raise InvalidScenario(
            f"{name}, row {row}: the timestamp is not on a grid of {step_s:g} s from the first row. Aggregate to a regular interval."
        )
    n_steps = int(index[-1]) + 1
    if n_steps > MAX_STEPS:
        raise InvalidScenario(
            f"{name} spans {n_steps:,} intervals of {step_s:g} s; at most {MAX_STEPS:,}. Aggregate it first."
        )
    missing = n_steps - len(counts)
    if missing and gaps == "error":
        row = lines[int(np.flatnonzero(steps > step_s)[0]) + 1]
        raise InvalidScenario(
            f"{name}, row {row}: {missing} intervals of {step_s:g} s are missing, the first before this row. Set gaps to "
            f"{', '.join(GAP_RULES[1:])} to fill them."
        )
    series = np.zeros(n_steps)
    series[index] = counts
    if gaps == "interpolate":
        series = np.interp(np.arange(n_steps), index, counts)
    elif gaps == "previous":
        series = np.asarray(counts)[np.searchsorted(index, np.arange(n_steps), side="right") - 1]
    extra_s = n_steps * step_s % SECONDS_PER_HOUR
    if extra_s:
        raise InvalidScenario(
            f"{name} covers {n_steps * step_s / SECONDS_PER_HOUR:.2f} hours; a period must be whole hours. Remove the last "
            f"{int(extra_s // step_s)} intervals."
        )
    return LoadProfile(series / step_s, int(step_s), name)
