"""A load from a file that is dropped on the page: hostile until it is read.

Notes
-----
The name that the user gives is only shown; the file is kept under a name of ours in a private folder, which goes when the app ends, and
is read by the same reader as any other load file. No part of it is run, and nothing of it goes into a link but its name, its totals and
its SHA-256.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from estimator.errors import InvalidScenario
from estimator.load_sections import CsvLoad
from estimator.ui import forms, tables
from estimator.units import described_fields

#: Largest file; a year of minutes has 525,600 rows of some 30 bytes. [MB]
MAX_UPLOAD_MB = 20
#: What a file is called here, and in the scenario that one takes away.
FILE_NAME = "requests.csv"
#: Files that are kept at a time; one that is asked for again is written again. [files]
_MOST_FILES = 16
#: Longest name that is shown. [characters]
_MOST_NAME = 60
_HELD, _NUMBER = "upload.file", "upload.number"
#: Bytes of which the header is read, and columns that are offered. [bytes], [1]
_HEADER_BYTES, _MOST_COLUMNS = 65_536, 200
_WHERE = "CloudWatch, AWS/ApplicationELB, `RequestCount`, Sum over one minute, Actions, Download as CSV."
_COLUMN = "One of the names in the first row of the file."
_TIMES = ("timestamp", "time", "date", "datetime", "interval")
_COUNTS = ("requests", "requestcount", "count", "sum", "value", "requests_per_s")
_UNITS = {"requests": "Requests in each interval", "requests_per_s": "Requests per second"}
_GAPS = {
    "error": "Refuse",
    "interpolate": "Draw a line across",
    "previous": "Repeat the value before",
    "zero": "Take as no requests",
}
_CUTS = {"error": "Refuse", "hours": "Cut to whole hours", "days": "Cut to whole days"}


class FileWanted(InvalidScenario):
    """A link's load is in a file that the link cannot carry."""


@dataclass(frozen=True)
class Upload:
    """A file as it came.

    Parameters
    ----------
    name : str
        What the user calls it; only shown.
    data : bytes
        What is in it.
    sha256 : str
        Its fingerprint: SHA-256, 64 hexadecimal digits.
    """

    name: str
    data: bytes
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes) -> Upload:
        """Take a file.

        Parameters
        ----------
        name : str
            What the user calls it.
        data : bytes
            What is in it.

        Returns
        -------
        Upload
            With a name that can be shown.

        Raises
        ------
        InvalidScenario
            If it is too large.
        """
        if len(data) > MAX_UPLOAD_MB * 1_000_000:
            raise InvalidScenario(f"The file is larger than {MAX_UPLOAD_MB} MB. Aggregate it to minutes first.")
        return cls(shown_name(name), data, hashlib.sha256(data).hexdigest())

    @property
    def folder(self) -> Path:
        """The folder in which it lies under `FILE_NAME`; it is written there if it is not there any more."""
        folder = _folder() / self.sha256
        path = folder / FILE_NAME
        if not path.is_file():
            _make_room()
            folder.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(self.data)
            # The same file is the same question, whenever it was written.
            os.utime(path, ns=(1, 1))
        return folder

    @property
    def header(self) -> list[str]:
        """Names of its columns, as far as they can be read."""
        text = self.data[:_HEADER_BYTES].decode("utf-8-sig", errors="replace")
        try:
            names = [cell.strip() for cell in next(csv.reader(text.splitlines()[:1]), [])]
        except csv.Error:
            return []
        return list(dict.fromkeys(name for name in names if name))[:_MOST_COLUMNS]


def shown_name(name: str) -> str:
    r"""Make a file's name one that can be shown: no folder, no control characters, not long.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> shown_name("../../etc/pass\nwd.csv")
    'passwd.csv'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:_MOST_NAME] or "file"


def held() -> Upload | None:
    """Return the file that was dropped in this session.

    Returns
    -------
    Upload or None
        The file.
    """
    found: Upload | None = st.session_state.get(_HELD)
    return found


def drop(label: str = "CSV of requests") -> Upload | None:
    """Show where a file can be dropped, and which one is held.

    Parameters
    ----------
    label : str
        What stands above it.

    Returns
    -------
    Upload or None
        The file; None if none was dropped.
    """
    state = st.session_state
    # A new key is an empty field: what was dropped is kept beside it, on every page.
    key = f"upload.{state.setdefault(_NUMBER, 0)}"
    file = st.file_uploader(
        label,
        type=["csv"],
        key=key,
        max_upload_size=MAX_UPLOAD_MB,
        help=(
            "A header, then a row for each interval: when it begins (2026-03-01T00:05:00Z) and its requests. "
            f"In your account: {_WHERE} It stays on this machine."
        ),
    )
    if file is not None:
        try:
            state[_HELD] = Upload.of(file.name, file.getvalue())
        except InvalidScenario as error:
            st.error(tables.plain(str(error)), icon=":material/error:")
    return held()


def load_of(upload: Upload, scale: float) -> dict[str, Any]:
    """Show how the file is to be read, and return the section `load` that reads it so.

    Parameters
    ----------
    upload : Upload
        The file.
    scale : float
        What the load is multiplied with. [1]

    Returns
    -------
    dict of str to object
        The section.

    Raises
    ------
    InvalidScenario
        If it cannot be read so; said beside the choices too, which say what to do.
    """
    texts, header = described_fields(CsvLoad) | described_fields(CsvLoad.__mro__[1]), upload.header
    at = f"load.upload.{upload.sha256[:8]}"
    load: dict[str, Any] = {"kind": "csv", "path": FILE_NAME, "scale": scale}
    problem = st.container()
    with st.expander("How the file is read", key=f"{at}.box", expanded=True):
        if len(header) > 1:
            for field, label, usual, place in (
                ("timestamp_column", "Column of times", _TIMES, 0),
                ("requests_column", "Column of requests", _COUNTS, 1),
            ):
                guess = next((name for name in header if name.lower().replace(" ", "") in usual), header[place])
                load[field] = forms.choice(label, {name: name for name in header}, guess, f"{at}.{field}", _COLUMN)
        for field, label, names in (
            ("unit", "What the numbers are", _UNITS),
            ("gaps", "Where rows are missing", _GAPS),
            ("whole", "A last hour that is not full", _CUTS),
        ):
            load[field] = forms.choice(label, names, next(iter(names)), f"{at}.{field}", texts[field])
    try:
        profile = CsvLoad.model_validate(load).profile(upload.folder)
    except InvalidScenario as error:
        said = str(error).replace(str(upload.folder / FILE_NAME), upload.name).replace(FILE_NAME, upload.name)
        said += _choices(said)
        problem.error(tables.plain(said), icon=":material/error:")
        raise InvalidScenario(said) from None
    problem.caption(
        tables.plain(
            f"{upload.name}: {profile.period_hours / 24:,.3g} days, on average {profile.mean_requests_per_s:,.1f} and at the peak "
            f"{profile.peak_requests_per_s:,.1f} requests/s. "
            + " ".join(note.replace(FILE_NAME, upload.name) for note in profile.notes)
        )
    )
    return load


def _choices(said: str) -> str:
    """Say which choice on the page answers a refusal."""
    if "Set gaps to" in said:
        return " Here: Where rows are missing."
    return " Here: A last hour that is not full." if "set whole to" in said else ""


def totals(upload: Upload, load: Mapping[str, Any]) -> dict[str, Any]:
    """Say of a file what a link carries: name, totals and fingerprint.

    Parameters
    ----------
    upload : Upload
        The file.
    load : mapping
        The section that reads it.

    Returns
    -------
    dict of str to object
        JSON-ready.
    """
    profile = CsvLoad.model_validate(dict(load)).profile(upload.folder)
    return {
        "name": upload.name,
        "requests": round(profile.requests),
        "peak_requests_per_s": float(f"{profile.peak_requests_per_s:.6g}"),
        "sha256": upload.sha256,
    }


@st.cache_resource(show_spinner=False)
def _held_folder() -> tempfile.TemporaryDirectory[str]:
    # Removed when the app ends; nobody else of the machine may look into it.
    return tempfile.TemporaryDirectory(prefix="fargate-estimator-")


def _folder() -> Path:
    return Path(_held_folder().name)


def _make_room() -> None:
    """Remove the files that were written first."""
    found = sorted((path for path in _folder().iterdir() if path.is_dir()), key=lambda path: path.stat().st_ctime_ns)
    for path in found[: max(0, len(found) - _MOST_FILES + 1)]:
        shutil.rmtree(path, ignore_errors=True)
