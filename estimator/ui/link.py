"""A scenario in the address of the page: plain JSON, read with the same validation as a file.

Notes
-----
The address is not rewritten with each move of a control: that would fill the browser's history and take its back button away. The link
is shown to be copied. It is hostile until it is read: of a length that is small, JSON alone (YAML can name one part many times, and grow
without end), and it makes the server read no file. Of a load that was dropped on the page it carries name, totals and fingerprint.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import streamlit as st

from estimator.documents import with_values
from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.ui import uploads
from estimator.ui.uploads import FILE_NAME, Upload

PARAMETER, FILE_PARAMETER = "scenario", "file"
#: Longest link that is written, and longest texts that are read. [characters]
MAX_LENGTH = 8000
_KEPT = {PARAMETER: "link", FILE_PARAMETER: "link.file"}
_ANEW = "Ask for the link again, or choose another scenario in Start from."


@dataclass(frozen=True)
class Wanted:
    """The file that a link asks for.

    Parameters
    ----------
    name : str
        What it was called.
    requests : float
        Its requests. [requests]
    peak_requests_per_s : float
        Its largest rate. [requests/s]
    sha256 : str
        Its fingerprint.
    """

    name: str
    requests: float
    peak_requests_per_s: float
    sha256: str

    @property
    def text(self) -> str:
        """The file in words."""
        return f"{self.name} ({self.requests:,.0f} requests, {self.peak_requests_per_s:,.1f} requests/s at the peak)"


def keep() -> None:
    """Keep the scenario of the address when another page is opened: Streamlit begins each page with a bare address."""
    state = st.session_state
    if PARAMETER in st.query_params:
        for parameter, key in _KEPT.items():
            state.pop(key, None)
            if parameter in st.query_params:
                state[key] = st.query_params[parameter]
        return
    for parameter, key in _KEPT.items():
        # One that is too long is not read, so it need not be there again.
        if key in state and len(state[key]) <= MAX_LENGTH:
            st.query_params[parameter] = state[key]


def given() -> bool:
    """Say whether the app was opened with such a link.

    Returns
    -------
    bool
        True if so.
    """
    return _KEPT[PARAMETER] in st.session_state


def read() -> Scenario:
    """Read the scenario of the address.

    Returns
    -------
    Scenario
        The scenario; one whose load was dropped on a page names that file as ours are named.

    Raises
    ------
    InvalidScenario
        If it is none, or asks for a file of the server.
    """
    text = st.session_state[_KEPT[PARAMETER]]
    _json(text)
    scenario = Scenario.from_text(text, "The link")
    if scenario.load.files and (scenario.load.files != (FILE_NAME,) or not _asks()):
        raise InvalidScenario(
            f"The link has a load of kind {scenario.load.kind}, and a link cannot carry a file. Open it with `estimator ui`."
        )
    if scenario.prices.overrides is not None:
        raise InvalidScenario(
            "The link has prices.overrides, and a link cannot carry a file. Open the scenario with `estimator ui`."
        )
    return scenario


def file_of(scenario: Scenario) -> Upload | None:
    """Ask for the file that a link's load is in.

    Parameters
    ----------
    scenario : Scenario
        The scenario of the link.

    Returns
    -------
    Upload or None
        The file; None if the load is in none.

    Raises
    ------
    FileWanted
        If it is not there yet, or another one is.
    """
    if not scenario.load.files:
        return None
    wanted = _wanted()
    upload = uploads.drop("The link's file")
    if upload is None:
        raise uploads.FileWanted(f"The load of this link is in the file {wanted.text}. Drop it in the sidebar.")
    if upload.sha256 != wanted.sha256:
        raise uploads.FileWanted(
            f"{upload.name} is not the file of this link: its fingerprint begins with {upload.sha256[:12]}, that of {wanted.text} with "
            f"{wanted.sha256[:12]}. Drop that file in the sidebar."
        )
    return upload


def write(scenario: Scenario, upload: Upload | None = None) -> str | None:
    """Write the link to a scenario.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    upload : Upload, optional
        The file that its load is in, if it was dropped on the page.

    Returns
    -------
    str or None
        What differs from the defaults, as an address; None for a load or prices from another file, or where it is too long.
    """
    if (scenario.load.files and upload is None) or scenario.prices.overrides is not None:
        return None
    values = scenario.model_dump(mode="json", exclude_defaults=True)
    values["load"]["kind"] = scenario.load.kind
    values = with_values(values, {path: each.to_dict() for path, each in scenario.intervals.items()})
    address = f"{(st.context.url or '').rstrip('/')}/?{PARAMETER}={_quoted(values)}"
    if upload is not None and scenario.load.files:
        address += f"&{FILE_PARAMETER}={_quoted(uploads.totals(upload, scenario.load.model_dump(mode='json')))}"
    return address if len(address) <= MAX_LENGTH else None


def _quoted(values: Any) -> str:
    return quote(json.dumps(values, separators=(",", ":"), ensure_ascii=False), safe=",:")


def _asks() -> bool:
    return _KEPT[FILE_PARAMETER] in st.session_state


def _wanted() -> Wanted:
    values = _json(st.session_state[_KEPT[FILE_PARAMETER]])
    try:
        name, requests, peak, sha256 = (values[key] for key in Wanted.__dataclass_fields__)
        if not (isinstance(name, str) and isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)):
            raise TypeError
        return Wanted(uploads.shown_name(name), float(requests), float(peak), sha256)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidScenario(f"The link does not say which file its load is in. {_ANEW}") from None


def _json(text: str) -> Any:
    """Read JSON that a stranger wrote."""
    if len(text) > MAX_LENGTH:
        raise InvalidScenario(f"The link has {len(text):,} characters; at most {MAX_LENGTH:,}. {_ANEW}")
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidScenario(f"The link is not valid JSON: it was cut, or written by hand. {_ANEW}") from None


def _no_number(text: str) -> Any:
    raise ValueError(text)
