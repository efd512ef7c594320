"""A table of the report on the page."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Literal

import streamlit as st

from estimator.report.tables import Table

#: Longest first cell that stays on one line. [characters]
_SHORT = 22
#: Longest head that stays on one line; a wide table breaks a longer one rather than leave the page. [characters]
_SHORT_HEAD = 10
#: Words of a note, and of any other text, that stay together. [characters]
_NOTE, _TEXT = 28, 12


def show(
    table: Table,
    notes: tuple[str, ...] = (),
    height: int | Literal["content"] = "content",
    *,
    save: str | None = None,
) -> None:
    """Show a table, numbers set to the right.

    Parameters
    ----------
    table : Table
        The table.
    notes : tuple of str
        Small print below the first cell of each row.
    height : int or str
        Height beyond which the table scrolls; all of it by default. [px]
    save : str, optional
        Name of the file, without its ending, in which the table can be saved as CSV; no button without it.
    """
    import pandas as pd

    rows = [list(row) for row in (*table.rows, *((table.footer,) if table.footer else ()))]
    frame = pd.DataFrame()
    numbers: list[str] = []
    for place, head in enumerate(table.columns):
        name = head.lstrip(">")
        name = _together(name) if len(name) <= _SHORT_HEAD else name
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
        + (f"  \n:small[:gray[{_chunks(plain(notes[i]), _NOTE)}]]" if i < len(notes) and notes[i] else "")
        for i, text in enumerate(frame[first])
    ]
    texts_of = {name: [plain(row[list(frame.columns).index(name)]) for row in rows] for name in numbers}
    usual_of = {
        name: {value: text for value, text in zip(frame[name].tolist(), texts, strict=True) if value == value}
        for name, texts in texts_of.items()
    }
    # One call for all columns, since each takes long, and one for each cell without a number, or with another text for the same number.
    look = frame.style.format({name: _looked_up(usual) for name, usual in usual_of.items()})
    for name, texts in texts_of.items():
        for i, (value, text) in enumerate(zip(frame[name].tolist(), texts, strict=True)):
            if usual_of[name].get(value) != text:
                look = look.format(_always(text), subset=([i], [name]), na_rep=text)
    st.table(look, border="horizontal", height=height, hide_index=True)
    if save is not None:
        st.download_button(
            "CSV",
            lambda: as_csv(table),
            f"{save}.csv",
            "text/csv",
            key=f"download.table.{save}",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help="This table as CSV, numbers without thousands separators.",
        )


def as_csv(table: Table) -> str:
    """Write a table as CSV.

    Parameters
    ----------
    table : Table
        The table.

    Returns
    -------
    str
        Its heads and rows; numbers have no thousands separators.

    Examples
    --------
    >>> print(as_csv(Table("Bill", ("Charge", ">USD"), (("Load balancer, hours", "1,234.50"),))), end="")
    Charge,USD
    "Load balancer, hours",1234.50
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([head.lstrip(">") for head in table.columns])
    for row in (*table.rows, *((table.footer,) if table.footer else ())):
        writer.writerow(
            [
                cell.replace(",", "")
                if head.startswith(">") and _number(cell) is not None
                else cell.replace("\n", "; ")
                for head, cell in zip(table.columns, row, strict=True)
            ]
        )
    return buffer.getvalue()


def _number(text: str) -> float | None:
    minutes, _, seconds = text.rpartition(":")
    try:
        return float(minutes or 0) * 60 + float(seconds.replace(",", "").removeprefix("at least "))
    except ValueError:
        return None


def _looked_up(texts: Mapping[float, str]) -> Callable[[Any], str]:
    return lambda value: texts.get(value, "")


def _always(text: str) -> Callable[[object], str]:
    return lambda _: text


def _unbroken(text: str) -> str:
    """Keep a short word such as a date on one line, and of a longer text a few words."""
    return _together(text) if len(text) <= 10 and " " not in text else _chunks(text, _TEXT)


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


def _chunks(text: str, width: int) -> str:
    """Bind words together, so that a narrow page scrolls a table rather than wrap its cells word by word."""
    return " ".join(
        line.replace(" ", "\N{NO-BREAK SPACE}")
        for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    )
