"""A scenario in the address of the page: plain text, read with the same validation as a file.

Notes
-----
The address is not rewritten with each move of a control: that would fill the browser's history and take its back button away. The link
is shown to be copied.
"""

from __future__ import annotations

import json
from urllib.parse import quote

import streamlit as st

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario

PARAMETER = "scenario"
_KEPT = "link"


def keep() -> None:
    """Keep the scenario of the address when another page is opened: Streamlit begins each page with a bare address."""
    if PARAMETER in st.query_params:
        st.session_state[_KEPT] = st.query_params[PARAMETER]
    elif _KEPT in st.session_state:
        st.query_params[PARAMETER] = st.session_state[_KEPT]


def given() -> bool:
    """Say whether the app was opened with such a link.

    Returns
    -------
    bool
        True if so.
    """
    return _KEPT in st.session_state


def read() -> Scenario:
    """Read the scenario of the address.

    Returns
    -------
    Scenario
        The scenario.

    Raises
    ------
    InvalidScenario
        If it is none, or asks for a file: a link must not make the server read its files.
    """
    scenario = Scenario.from_text(st.session_state[_KEPT], "The link")
    if scenario.load.files:
        raise InvalidScenario(
            f"The link has a load of kind {scenario.load.kind}, and a link cannot carry a file. Open it with `estimator ui`."
        )
    if scenario.prices.overrides is not None:
        raise InvalidScenario(
            "The link has prices.overrides, and a link cannot carry a file. Open the scenario with `estimator ui`."
        )
    return scenario


def write(scenario: Scenario) -> str | None:
    """Write the link to a scenario.

    Parameters
    ----------
    scenario : Scenario
        The scenario.

    Returns
    -------
    str or None
        What differs from the defaults, as an address; None for a load or prices from a file.
    """
    if scenario.load.files or scenario.prices.overrides is not None:
        return None
    values = scenario.model_dump(mode="json", exclude_defaults=True)
    values["load"]["kind"] = scenario.load.kind
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return f"{(st.context.url or '').rstrip('/')}/?{PARAMETER}={quote(text, safe=',:')}"
