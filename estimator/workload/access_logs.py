"""Load and facts about requests from the access logs of an Application Load Balancer.

Notes
-----
Logs are written every five minutes by each node of the load balancer, as good as it can, and in no order; so lines are
counted by time, whatever the file and order they come in. A request counts when it arrived (``request_creation_time``) where it
took long or was a WebSocket, else when it was answered, at most `SLOW_S` later.

Five minutes without a line are a quiet time or a lost file, and nobody can tell which from the logs: they are filled only by a
named rule. A file that is there twice, lines of a second load balancer and lines that are none are refused. What is kept
in memory is one count for each minute and each time of answer, whatever the size of the logs.

References
----------
.. [1] AWS, "Access logs for your Application Load Balancer",
   https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from estimator.checks import require_number, shown
from estimator.errors import InvalidScenario
from estimator.units import BYTES_PER_KB, MS_PER_S, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from estimator.workload.measured import Measured
from estimator.workload.profile import MAX_STEPS, LoadProfile
from estimator.workload.rows import GAP_RULES, CutRule, GapRule, cut_to_whole, fill, require_rules

#: Every node of a load balancer writes a file for each of these. [s]
FILE_S = 300
#: A request that targets took longer for counts when it arrived. [s]
SLOW_S = 1.0
TYPES = frozenset({"http", "https", "h2", "grpcs", "ws", "wss"})
_LASTING = frozenset({"ws", "wss"})
#: Characters of a moment up to its minute, and up to its tens of seconds.
_MINUTE, _TEN_SECONDS = 16, 18
#: The documented fields up to sent_bytes, of which the request follows in quotes.
_FIELDS = 12
_CREATED = re.compile(r'" -?[0-9]+ (20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:.]{8,15}Z) "')
_GZIP = b"\x1f\x8b"
#: Times of answer from here on are kept to a tenth of a second, so that they cannot become many. [s]
_LONG_S = 10.0


class _SecondLoadBalancer(InvalidScenario):
    """Not a malformed line, whatever share of those is allowed."""


@dataclass
class _Counts:
    """What is kept of all lines."""

    only: str | None
    width: int
    load_balancer: str = ""
    arrived: Counter[str] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    target_ms: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    reached: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    malformed: int = 0
    first_malformed: str = ""


def load_from_access_logs(
    logs: Path | str | Iterable[Path | str],
    step_s: int = SECONDS_PER_MINUTE,
    gaps: GapRule = "error",
    *,
    whole: CutRule = "error",
    load_balancer: str | None = None,
    max_malformed_percent: float = 0.0,
) -> tuple[LoadProfile, Measured]:
    """Read an Application Load Balancer's load from its access logs, as they lie in S3 or unpacked.

    Parameters
    ----------
    logs : path or iterable of paths
        A folder (all ``*.log`` and ``*.log.gz`` below it), a file, or several of both.
    step_s : int
        Step of the profile; it must divide an hour and be whole tens of seconds. [s]
    gaps : {"error", "interpolate", "previous", "zero"}
        What to do where five minutes have no line; ``zero`` if the site was quiet.
    whole : {"error", "hours", "days"}
        What to do if the logs do not cover whole hours: refuse, or cut the end.
    load_balancer : str, optional
        Count only lines of this one, ``app/name/id``; needed if the logs have several.
    max_malformed_percent : float
        Lines that may be passed over because they are no log lines; above it, the first is named. [percent]

    Returns
    -------
    load : LoadProfile
        Requests per second, those that the load balancer answered itself among them; its notes say what was filled and cut.
    measured : Measured
        Bytes of a request, times of answer of the targets, shares by status. Connections are unknown to access logs.

    Raises
    ------
    InvalidScenario
        If there is no log, a line is broken, a file is there twice, or a rule is needed and not named.
    """
    require_rules(gaps, whole)
    require_number("step_s", step_s, 10, SECONDS_PER_HOUR, whole=True)
    require_number("max_malformed_percent", max_malformed_percent, 0, 100)
    if step_s % 10 or SECONDS_PER_HOUR % step_s:
        raise InvalidScenario(
            f"step_s is {step_s}; it must be whole tens of seconds that divide an hour, such as 20, 60 or 300."
        )
    grain_s = math.gcd(int(step_s), FILE_S)
    # "2026-03-01T00:05" is a minute, "2026-03-01T00:05:2" are ten seconds.
    counts = _Counts(load_balancer, _MINUTE if grain_s % SECONDS_PER_MINUTE == 0 else _TEN_SECONDS)
    for path in _files(logs):
        _count(path, counts, refuse=max_malformed_percent == 0)
    total = counts.lines + counts.malformed
    if counts.malformed > total * max_malformed_percent / 100:
        raise InvalidScenario(
            f"{counts.malformed} of {total} lines are no access log lines, more than {max_malformed_percent:g} %; the first: "
            f"{counts.first_malformed}"
        )
    if not counts.lines:
        of = f" of {load_balancer}" if load_balancer else ""
        raise InvalidScenario(
            f"The access logs have no line{of}. Check that they are an Application Load Balancer's, and its name."
        )
    return _profile(counts, grain_s, gaps, whole).resample(int(step_s)), _measured(counts)


def _files(logs: Path | str | Iterable[Path | str]) -> list[Path]:
    given = [Path(logs)] if isinstance(logs, Path | str) else [Path(each) for each in logs]
    found: dict[str, Path] = {}
    for each in given:
        if not each.exists():
            raise InvalidScenario(f"The access logs {each} are not there. Check the path.")
        inside = (
            sorted(path for path in each.rglob("*") if path.is_file() and path.name.endswith((".log", ".log.gz")))
            if each.is_dir()
            else [each]
        )
        for path in inside:
            # A name ends in a random string of AWS's: two files of one name are one file, packed or not.
            name = path.name.removesuffix(".gz")
            if name in found:
                raise InvalidScenario(
                    f"{path} and {found[name]} are the same log file; its requests would count twice. Remove one."
                )
            found[name] = path
    if not found:
        raise InvalidScenario(
            f"There is no file *.log or *.log.gz in {', '.join(map(str, given))}. Check the path, or name the files."
        )
    return list(found.values())


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            # gzip hands out 8 kB at a time, which is slow to part into lines.
            source = io.BufferedReader(cast(Any, gzip.GzipFile(fileobj=raw)), 1 << 20) if packed else raw
            with io.TextIOWrapper(source, encoding="utf-8", errors="replace") as file:
                yield from file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InvalidScenario(f"{path} is damaged or was not copied whole. Copy it again.") from None
    except OSError as error:
        raise InvalidScenario(f"The access log {path} cannot be read: {error.strerror}. Check the path.") from error


def _count(path: Path, counts: _Counts, *, refuse: bool) -> None:
    """Add the lines of a file."""
    width, arrived, answered, statuses = counts.width, counts.arrived, counts.answered, counts.statuses
    took_s: Counter[str] = Counter()
    lines = reached = received = sent = 0
    for number, line in enumerate(_lines(path), start=1):
        try:
            kind, time, name, _, target, _, took, _, status, target_status, size_in, size_out, rest = line.split(
                " ", _FIELDS
            )
            if kind not in TYPES or rest[0] != '"' or time[-1] != "Z":
                raise ValueError
            if name != counts.load_balancer and _is_another(name, counts, path, number):
                continue
            came, minute = time[:width], time[:_MINUTE]
            if float(took) >= SLOW_S or kind in _LASTING:
                created = _CREATED.search(rest)
                came = created[1][:width] if created else came
            bytes_in, bytes_out = int(size_in), int(size_out)
            # Moments and statuses are checked where they are new: most lines share theirs with others.
            if came not in arrived:
                _moment_s(came)
            if minute not in answered:
                _moment_s(minute)
                answered.add(minute)
            if status not in statuses and status != "-" and not 100 <= int(status) <= 999:
                raise ValueError
        except _SecondLoadBalancer:
            raise
        except (ValueError, IndexError):
            if line.strip():
                _malformed(f"{path}, line {number}: {shown(line.rstrip(), 200)}", counts, refuse)
            continue
        arrived[came] += 1
        statuses[status] += 1
        took_s[took] += 1
        lines += 1
        received += bytes_in
        sent += bytes_out
        # A Lambda function has no address, but a status.
        reached += target != "-" or target_status != "-"
    counts.lines += lines
    counts.reached += reached
    counts.received_bytes += received
    counts.sent_bytes += sent
    for text, often in took_s.items():
        seconds = float(text)
        if 0 <= seconds < math.inf:  # -1: no target was asked, or it did not answer
            counts.target_ms[int(round(seconds * MS_PER_S, 0 if seconds < _LONG_S else -2))] += often


def _is_another(name: str, counts: _Counts, path: Path, number: int) -> bool:
    """Say whether a line is to be passed over; raise if nobody said which load balancer is meant."""
    if counts.only is not None:
        if name == counts.only:
            counts.load_balancer = name
        return name != counts.only
    if counts.load_balancer:
        raise _SecondLoadBalancer(
            f"{path}, line {number}: the line is of {shown(name)}, those before it of {counts.load_balancer}. Give load_balancer to "
            "count only one of them."
        )
    if not name.startswith("app/"):
        raise ValueError
    counts.load_balancer = name
    return False


def _malformed(where: str, counts: _Counts, refuse: bool) -> None:
    counts.malformed += 1
    counts.first_malformed = counts.first_malformed or where
    if refuse:
        raise InvalidScenario(
            f"{where} is no access log line of an Application Load Balancer. Remove it, or give max_malformed_percent."
        )


def _moment_s(text: str) -> int:
    """Seconds since 1970 of a moment cut to its minute or ten seconds."""
    whole = text if len(text) == _MINUTE else f"{text}0"
    if text[10] != "T" or len(text) not in (_MINUTE, _TEN_SECONDS):
        raise ValueError
    return int(dt.datetime.fromisoformat(f"{whole}+00:00").timestamp())


def _profile(counts: _Counts, grain_s: int, gaps: GapRule, whole: CutRule) -> LoadProfile:
    windows = {_moment_s(minute) // FILE_S for minute in counts.answered}
    first, n_windows = min(windows), max(windows) - min(windows) + 1
    n_steps = n_windows * FILE_S // grain_s
    if n_steps > MAX_STEPS:
        raise InvalidScenario(
            f"The access logs span {n_windows * FILE_S / SECONDS_PER_DAY:,.0f} days, more than {MAX_STEPS:,} steps. Read them in parts, "
            "or on a longer step."
        )
    series, early = np.zeros(n_steps), 0
    for text, often in counts.arrived.items():
        place = (_moment_s(text) - first * FILE_S) // grain_s
        if place < 0:
            early += often
        else:
            series[place] += often
    notes = []
    if early:
        notes.append(f"{early} requests arrived before the first log began, and are left out of the load.")
    if counts.malformed:
        notes.append(f"{counts.malformed} lines are passed over, the first: {counts.first_malformed}")
    known = np.isin(np.arange(n_windows), np.array(sorted(windows)) - first)
    missing = int((~known).sum())
    if missing:
        at = dt.datetime.fromtimestamp((first + int(known.argmin())) * FILE_S, dt.UTC).isoformat()
        if gaps == "error":
            raise InvalidScenario(
                f"{missing} of {n_windows} times of five minutes have no line in the access logs, the first at {at}: no request, or a "
                f"lost file. Set gaps to {', '.join(GAP_RULES[1:])} to fill them."
            )
        if gaps != "zero":
            index = np.flatnonzero(np.repeat(known, FILE_S // grain_s))
            series = fill(index, series[index], n_steps, gaps)
        notes.append(
            f"{missing} of {n_windows} times of five minutes have no line in the access logs, the first at {at}; they are filled by {gaps}."
        )
    name = counts.load_balancer
    rates, cut = cut_to_whole(series / grain_s, grain_s, whole, name)
    start = dt.datetime.fromtimestamp(first * FILE_S, dt.UTC)
    return LoadProfile(rates, grain_s, name.split("/")[1], start, (*notes, *cut))


def _measured(counts: _Counts) -> Measured:
    times, often = np.array(sorted(counts.target_ms.items()), dtype=np.int64).reshape(-1, 2).T
    timed: dict[str, float] = {}
    if times.size:
        timed["mean_target_ms"] = float((times * often).sum() / often.sum())
        for percent in (50, 95, 99):
            # The smallest time that so many are not above.
            rank = math.ceil(percent / 100 * int(often.sum()))
            timed[f"p{percent}_target_ms"] = float(times[np.searchsorted(np.cumsum(often), rank)])
    return Measured(
        requests=counts.lines,
        request_kb=counts.received_bytes / counts.lines / BYTES_PER_KB,
        response_kb=counts.sent_bytes / counts.lines / BYTES_PER_KB,
        processed_kb=(counts.received_bytes + counts.sent_bytes) / counts.lines / BYTES_PER_KB,
        reached_target_share=counts.reached / counts.lines,
        status_shares={status: counts.statuses[status] / counts.lines for status in sorted(counts.statuses)},
        notes=(
            "Access logs are written as good as a load balancer can, and may lack lines; RequestCount in CloudWatch has them all.",
        ),
        **timed,
    )
