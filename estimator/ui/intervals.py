"""What is not known exactly, on every page: the intervals of the scenario that the controls start from, as the page on uncertainty has edited them.

Notes
-----
The controls say the likely values. Both ends of an interval keep their proportion to its likely value when that moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from estimator.risk import DECISIONS
from estimator.scenario import Scenario
from estimator.ui import forms
from estimator.workload.interval import Interval

#: What an interval begins with where the scenario has none: how many times the likely value its ends are. [1]
LOW, HIGH = 0.7, 1.5
#: Where the form of the page on uncertainty stands in the session.
KEY = f"{forms.EDIT}risk."
#: Its list of paths; not there before that page was opened.
CHOSEN = f"{KEY}inputs"
_DIGITS = 4
#: Chance needs no interval of its own, and what a version is nobody doubts.
_NO_QUANTITY = frozenset({"behavior.seed", "load.noise.seed", "load.repeat", "hours_per_month"})


def numbers(scenario: Scenario) -> dict[str, int | float]:
    """List the numbers of a scenario that may be intervals.

    Parameters
    ----------
    scenario : Scenario
        The scenario.

    Returns
    -------
    dict of str to float
        Likely value by dotted path, in the order of the document; what is decided and not known, such as the number of zones, is left out.
    """
    found = dict(_leaves(scenario.likely().to_dict(), ""))
    return {
        path: value
        for path, value in found.items()
        if path.partition(".")[0] not in (*DECISIONS, "stack") and path not in _NO_QUANTITY
    }


def _leaves(value: Any, path: str) -> Iterator[tuple[str, int | float]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            # Names that are free, such as those of the environment, may have dots.
            if isinstance(name, str) and name.isidentifier():
                yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(each, f"{path}[{place}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def current(written: Mapping[str, Interval], likely: Scenario) -> dict[str, Interval]:
    """Say which intervals there are now.

    Parameters
    ----------
    written : mapping of str to Interval
        Those of the scenario that the controls start from, by dotted path.
    likely : Scenario
        What the controls say.

    Returns
    -------
    dict of str to Interval
        By dotted path: those of the form, once that was opened; before, the written ones. What is certain is left out.
    """
    if not written and CHOSEN not in st.session_state:
        return {}
    values = numbers(likely)
    chosen = [path for path in st.session_state.get(CHOSEN, written) if path in values]
    found = {path: Interval(*_in_order(*ends(path, values[path], written.get(path)), values[path])) for path in chosen}
    return {path: each for path, each in found.items() if not each.is_certain}


def _in_order(low: float, high: float, likely: float) -> tuple[float, float, float]:
    return low, likely, high


def ends(path: str, likely: float, written: Interval | None) -> tuple[float, float]:
    """Say where an interval ends.

    Parameters
    ----------
    path : str
        Its dotted path.
    likely : float
        What the controls say. [the field's unit]
    written : Interval, optional
        The scenario's own.

    Returns
    -------
    tuple of (float, float)
        Lower and upper end, around the likely value. [the field's unit]
    """
    state = st.session_state
    low, high, known = place_of("low", path), place_of("high", path), place_of("likely", path)
    if low in state and high in state and known in state:
        # An emptied field is an end that is as likely says.
        found, before = [likely if state[end] is None else state[end] for end in (low, high)], state[known]
    elif written is not None:
        found, before = [written.low, written.high], written.likely
    else:
        found, before = sorted((LOW * likely, HIGH * likely)), likely
    if before != likely:
        found = [end * likely / before if before else likely for end in found]
    bottom, top = min(found[0], likely), max(found[1], likely)
    if isinstance(likely, int):
        return math.floor(bottom), math.ceil(top)
    return _rounded(bottom, likely), _rounded(top, likely)


def place_of(end: str, path: str) -> str:
    """Say where the form has an end, or the likely value that its ends belong to.

    Parameters
    ----------
    end : str
        ``low``, ``high`` or ``likely``.
    path : str
        The dotted path.

    Returns
    -------
    str
        Key in the session.
    """
    return f"{KEY}{end}.{path}"


def _rounded(end: float, likely: float) -> float:
    """Round an end to a few digits, without passing the likely value."""
    near = float(f"{end:.{_DIGITS}g}")
    return max(near, likely) if end >= likely and near < likely else min(near, likely) if end < likely else near
