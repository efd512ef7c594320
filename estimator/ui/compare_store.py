"""Scenarios that one keeps to compare, for as long as the session lasts.

Notes
-----
What is kept is text and the folder of its files, not a plan: the plan comes from the same cache as everywhere, and memory stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from estimator.scenario import Scenario
from estimator.ui.cached import Question
from estimator.ui.uploads import Upload

#: Scenarios that can be kept, and that stand side by side. [1]
MOST_KEPT, MOST_SHOWN = 8, 4
#: What the controls say stands beside what is kept as if they were kept under this number and name.
CURRENT, CURRENT_NAME = 0, "This scenario"
#: Longest name. [characters]
LONGEST_NAME = 40
_KEPT, _NEXT, _SHOWN = "compare.kept", "compare.next", "compare.shown"


@dataclass(frozen=True)
class Kept:
    """A scenario that is kept.

    Parameters
    ----------
    name : str
        What it is called; no two have one name.
    text : str
        The scenario as canonical JSON.
    folder : str
        What the paths of its files are relative to.
    is_service : bool
        True if its section ``service`` is meant, false if the plan that a search finds for it.
    upload : Upload, optional
        The file that its load is in, if it was dropped on the page.
    """

    name: str
    text: str
    folder: str
    is_service: bool
    upload: Upload | None = None

    @property
    def question(self) -> Question:
        """The scenario and where its files are."""
        return Question(Scenario.from_dict(json.loads(self.text), self.name), Path(self.folder), self.upload)


def of(question: Question, name: str, *, is_service: bool = False) -> Kept:
    """Make an entry without keeping it.

    Parameters
    ----------
    question : Question
        The scenario and where its files are.
    name : str
        What to call it.
    is_service : bool
        True if its section ``service`` is meant, false if the plan that a search finds for it.

    Returns
    -------
    Kept
        The entry.
    """
    return Kept(name, question.text, str(question.folder), is_service, question.upload)


def kept() -> dict[int, Kept]:
    """List what is kept.

    Returns
    -------
    dict of int to Kept
        By number, the oldest first.
    """
    found: dict[int, Kept] = st.session_state.setdefault(_KEPT, {})
    return found


def keep(entry: Kept) -> None:
    """Keep a scenario, and put it beside the others if there is room.

    Parameters
    ----------
    entry : Kept
        The scenario; a name that is there already gets a number.
    """
    state, found = st.session_state, kept()
    if len(found) >= MOST_KEPT:
        return
    number = state.get(_NEXT, CURRENT + 1)
    state[_NEXT] = number + 1
    found[number] = replace(entry, name=_free(entry.name, (each.name for each in found.values())))
    # This scenario makes room: it is what has just been kept.
    others = [each for each in shown() if each != CURRENT]
    state[_SHOWN] = [*others[-(MOST_SHOWN - 1) :], number, *([CURRENT] if len(others) < MOST_SHOWN - 1 else [])]


def remove(number: int) -> None:
    """Keep a scenario no longer.

    Parameters
    ----------
    number : int
        Its number.
    """
    kept().pop(number, None)


def rename(number: int, name: str) -> None:
    """Call a kept scenario otherwise.

    Parameters
    ----------
    number : int
        Its number.
    name : str
        Its new name; an empty one changes nothing.
    """
    found, name = kept(), name.strip()[:LONGEST_NAME]
    if number in found and name:
        others = (each.name for other, each in found.items() if other != number)
        found[number] = replace(found[number], name=_free(name, others))


def shown() -> list[int]:
    """List the scenarios that stand side by side.

    Returns
    -------
    list of int
        Numbers, the first of which the others are compared with; `CURRENT`, which is of what the controls say, is the last.
    """
    chosen: list[int] = st.session_state.setdefault(_SHOWN, [CURRENT])
    found = [number for number in kept() if number in chosen] + [CURRENT] * (CURRENT in chosen)
    # Where nothing is kept there is nothing to choose.
    return found if kept() else [CURRENT]


def choose(number: int, *, is_shown: bool) -> None:
    """Put a scenario beside the others, or take it away.

    Parameters
    ----------
    number : int
        Its number.
    is_shown : bool
        True to put it there; more than ``MOST_SHOWN`` do not fit.
    """
    others = [each for each in shown() if each != number]
    st.session_state[_SHOWN] = [*others, number][:MOST_SHOWN] if is_shown else others


def keep_button(question: Question, *, key: str, name: str | None = None, is_service: bool = False) -> None:
    """Show the button that keeps a scenario to compare it.

    Parameters
    ----------
    question : Question
        The scenario and where its files are.
    key : str
        Name of the button.
    name : str, optional
        What to call it; by default its own name.
    is_service : bool
        True if its section ``service`` is meant, false if the plan that a search finds for it.
    """
    is_full = len(kept()) >= MOST_KEPT
    text = f"{MOST_KEPT} scenarios are kept, which is all that fit. Remove one on the page Compare." if is_full else ""
    own = question.scenario.name + (" by hand" if is_service else "")
    if st.button(
        "Keep to compare",
        key=key,
        on_click=keep,
        args=(of(question, name or own, is_service=is_service),),
        disabled=is_full,
        icon=":material/bookmark_add:",
        help=text or "Keeps it for this session; the page Compare puts up to four side by side.",
    ):
        st.toast(f"Kept “{list(kept().values())[-1].name}” for the page Compare.", icon=":material/bookmark:")


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name that no other scenario has."""
    names = {*taken, CURRENT_NAME}
    number, free = 2, name
    while free in names:
        free, number = f"{name} {number}", number + 1
    return free
