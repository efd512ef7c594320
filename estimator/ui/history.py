"""What the controls said before, so that a change can be undone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from estimator.ui.forms import EDIT

#: Changes that can be undone. [1]
MOST = 40
#: The scenario that the controls began with.
START = "start"
_KEPT = "history"


def show() -> None:
    """Show the button that undoes the last change."""
    st.button(
        "Undo",
        key="undo",
        on_click=_undo,
        disabled=len(_kept()) < 2,
        icon=":material/undo:",
        help="Back to what the controls said before the last change.",
    )


def remember(text: str) -> None:
    """Keep what the controls say, if it is something new.

    Parameters
    ----------
    text : str
        The scenario that they say.
    """
    kept = _kept()
    if kept and kept[-1][0] == text:
        # The same scenario may show another control since, such as one that was opened.
        kept[-1] = (text, _said())
        return
    kept.append((text, _said()))
    del kept[:-MOST]


def forget() -> None:
    """Let all controls go back to what the chosen scenario says."""
    for key in list(st.session_state):
        if str(key).startswith(EDIT):
            del st.session_state[key]


def _kept() -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = st.session_state.setdefault(_KEPT, [])
    return found


def _said() -> dict[str, Any]:
    state = st.session_state
    return {str(key): state[key] for key in state if key == START or str(key).startswith(EDIT)}


def _undo() -> None:
    kept = _kept()
    if len(kept) < 2:
        return
    kept.pop()
    forget()
    for key, value in kept[-1][1].items():
        st.session_state[key] = value
