"""Tables and text in Markdown, as the pages of docs/, the bill's document and the stack's README have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: What Markdown reads as markup, inside a cell of a table or outside.
_MARKUP = re.compile(r"([\\`*_\[\]|~])")
# Would end a cell; one that somebody escaped already stays as it is.
_BAR = re.compile(r"(?<!\\)\|")


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    r"""Write a table in Markdown.

    Parameters
    ----------
    heads : sequence of str
        Heads of the columns; one that begins with ``>`` is of numbers, which stand at the right.
    rows : iterable of sequence of str
        Cells, as Markdown; a bar in one is escaped.

    Returns
    -------
    list of str
        Lines.

    Examples
    --------
    >>> print(*markdown_table(("Name", ">USD"), [("a | b", "1.50")]), sep="\n")
    | Name | USD |
    | --- | ---: |
    | a \| b | 1.50 |
    """
    marks = ["---:" if head.startswith(">") else "---" for head in heads]
    return [_row(cells) for cells in ([head.removeprefix(">") for head in heads], marks, *rows)]


def plain(text: str) -> str:
    r"""Write text as Markdown that shows it as it is, on one line.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> print(plain("a_b <c>"))
    a\_b &lt;c>
    """
    return _MARKUP.sub(r"\\\1", _on_one_line(text))


def prose(text: str) -> str:
    r"""Write sentences as Markdown, in which commands and names stand between backticks already.

    Parameters
    ----------
    text : str
        The sentences.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> print(prose("Run `estimator_x` *now*"))
    Run `estimator_x` \*now\*
    """
    parts = re.split(r"(`[^`]+`)", _on_one_line(text))
    return "".join(part if number % 2 else _MARKUP.sub(r"\\\1", part) for number, part in enumerate(parts))


def _on_one_line(text: str) -> str:
    return re.sub(r"\s*[\r\n]+\s*", ", ", text.replace("&", "&amp;").replace("<", "&lt;"))


def _row(cells: Sequence[str]) -> str:
    whole = [_BAR.sub(r"\|", cell) for cell in cells]
    return f"| {' | '.join(whole)} |"
