"""A table of the report on the page."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Literal

import streamlit as st

from estimator.report.tables import Table

#: Longest first cell that stays on one line. [characters]
_SHORT = 22


def show(table: Table, notes: tuple[str, ...] = (), height: int | Literal["content"] = "content") -> None:
    """Show a table, numbers set to the right.

    Parameters
    ----------
    table : Table
        The table.
    notes : tuple of str
        Small print below the first cell of each row.
    height : int or str
        Height beyond which the table scrolls; all of it by default. [px]
    """
    import pandas as pd

    rows = [list(row) for row in (*table.rows, *((table.footer,) if table.footer else ()))]
    frame = pd.DataFrame()
    numbers: list[str] = []
    for place, head in enumerate(table.columns):
        name = _together(head.lstrip(">"))
        texts = [row[place] for row in rows]
        values = [_number(text) for text in texts]
        if head.startswith(">") and any(v is not None for v in values):
            frame[name] = pd.Series(values, dtype="float64")
            numbers.append(name)
        else:
            frame[name] = [plain(_unbroken(text)) for text in texts]
    first = frame.columns[0]
    frame[first] = [
        f"**{_together(text) if len(text) <= _SHORT else text}**"
        + (f"  \n:small[:gray[{_chunks(plain(notes[i]))}]]" if i < len(notes) else "")
        for i, text in enumerate(frame[first])
    ]
    look = frame.style
    for name in numbers:
        place = list(frame.columns).index(name)
        for i, row in enumerate(rows):
            look = look.format(_always(plain(row[place])), subset=([i], [name]), na_rep=plain(row[place]))
    st.table(look, border="horizontal", height=height, hide_index=True)


def _number(text: str) -> float | None:
    minutes, _, seconds = text.rpartition(":")
    try:
        return float(minutes or 0) * 60 + float(seconds.replace(",", "").removeprefix("at least "))
    except ValueError:
        return None


def _always(text: str) -> Callable[[object], str]:
    return lambda _: text


def _unbroken(text: str) -> str:
    """Keep a short word such as a date on one line."""
    return _together(text) if len(text) <= 10 and " " not in text else text


def _together(text: str) -> str:
    """Keep words on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def plain(text: str) -> str:
    """Keep text from being read as Markdown.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Markdown that shows it.
    """
    return "".join(f"\\{c}" if c in r"\*[]$~" else c for c in text).replace("\n", "  \n")


def _chunks(text: str, width: int = 34) -> str:
    """Bind words together, so that a narrow page scrolls a table rather than wrap its cells word by word."""
    return " ".join(
        line.replace(" ", "\N{NO-BREAK SPACE}") for line in textwrap.wrap(text, width, break_long_words=False)
    )
