"""Tables in Markdown, as the pages of docs/, the bill's document and the stack's README have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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


def _row(cells: Sequence[str]) -> str:
    whole = [_BAR.sub(r"\|", cell) for cell in cells]
    return f"| {' | '.join(whole)} |"
