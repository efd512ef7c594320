"""Tables, sentences and plans as text: as wide as the terminal, plain and unwrapped for a file or another program.

Notes
-----
On a terminal nothing is cut without a word. Of a table that is too wide sentences wrap first; then the columns that its ``least`` names are left
out, one after another, which is said; then those that its ``below`` names go on lines of their own, so that some of the others stay; and if that
is not enough, each row stands as lines of ``name: value``.
"""

from __future__ import annotations

import math
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # an error is told before anything is loaded that computes
    from estimator.planning.result import Plan
    from estimator.report.tables import Table

#: A column of sentences reads well in so many letters, and worse in so many. [1]
SENTENCE_WIDTHS = (32, 20)
#: The first column names the row: it wraps, but not in less than so many letters. [1]
FIRST_WIDTH = 22
#: A word of a head that is longer, such as the path of a file, may be broken. [1]
_HEAD_WORD = 16
#: Where a terminal does not say how wide it is. [1]
_USUAL_WIDTH = 80
#: Between two columns, and before what belongs to the line above.
_GAP, _INDENT = "  ", "  "


def show(table: Table, stderr: bool = False) -> None:
    """Print a table.

    Parameters
    ----------
    table : Table
        The table.
    stderr : bool
        True to print it beside errors.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = terminal_width(stream)
    if width is None:
        print(plain_table(table), file=stream, flush=True)
    else:
        _print_styled(_fitted_lines(table, width), stream)


def say(text: str = "", stderr: bool = False) -> None:
    """Print sentences, wrapped between words on a terminal, and as they are for a file or another program.

    Parameters
    ----------
    text : str
        Sentences; what stands in several lines stays in several. A command between backticks stays in one piece where it has room.
    stderr : bool
        True to print them beside errors.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = terminal_width(stream)
    print(text if width is None else wrapped(text, width), file=stream, flush=True)


def terminal_width(stream: TextIO) -> int | None:
    """Say how wide a terminal is.

    Parameters
    ----------
    stream : file
        Where text goes.

    Returns
    -------
    int or None
        None if it is no terminal. [letters]
    """
    if not stream.isatty():
        return None
    if (told := os.environ.get("COLUMNS", "")).isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):
        return _USUAL_WIDTH


def wrapped(text: str, width: int) -> str:
    """Wrap sentences between words.

    Parameters
    ----------
    text : str
        Sentences; what stands in several lines stays in several, and what is indented stays so.
    width : int
        Where lines end. [letters]

    Returns
    -------
    str
        Lines of at most that width.

    Examples
    --------
    >>> print(wrapped("Prices are old: `estimator prices refresh` asks AWS again.", 30))
    Prices are old:
    `estimator prices refresh`
    asks AWS again.
    """
    whole = re.sub(
        r"`[^`\n]+`\S*", lambda found: found[0] if _wide(found[0]) > width else found[0].replace(" ", "\0"), text
    )
    lines = []
    for part in whole.split("\n"):
        body = part.lstrip(" ")
        indent = part[: len(part) - len(body)]
        lines += [indent + line for line in _wrap(body, width - len(indent))]
    return "\n".join(lines).replace("\0", " ")


def show_plan(plan: Plan, exported: Path | None = None) -> None:
    """Print a plan: what to run, its bill, why the cheaper ones lost, what to do next.

    Parameters
    ----------
    plan : Plan
        The plan.
    exported : pathlib.Path, optional
        Where its stack was written.
    """
    from estimator.planning.result import shortlist
    from estimator.report.tables import bill_table, rejections_table

    figures, network = plan.figures, plan.spec.network
    say(
        f"""
{plan.scenario.get("name", "Service")}: {plan.spec.describe()}
{network.layout} network over {network.availability_zones} zones; {figures["mean_tasks"]:.2f} tasks on average, \
{figures["peak_tasks"]:.0f} at the peak
p50 {_ms(figures["p50_latency_ms"])}, p95 {_ms(figures["p95_latency_ms"])}, p99 {_ms(figures["p99_latency_ms"])}; \
{figures["minutes_over_capacity_per_month"]:.1f} minutes over capacity a month{_over_promise(plan)}
{plan.traffic_text}
""".rstrip()
    )
    for action in plan.spec.scheduled_actions:
        say(f"Scheduled: {action.describe()}, {action.timezone}")
    say()
    show(bill_table(plan.cost))
    say()
    if done := plan.cost.savings_plans_text:
        say(done)
    say(f"""\
{plan.cost.prices_text} {plan.per_million_text[0].upper()}{plan.per_million_text[1:]}.
{plan.cost.scope_text}""")
    if stale := plan.cost.stale_text():
        say(stale)
    for text in plan.warnings:
        say(f"Note: {text}")
    if plan.considered > 1:
        say(f"\n{plan.lost_text}")
    if plan.rejections:
        say()
        show(rejections_table(shortlist(plan.rejections)))
    if plan.effort.candidates:
        say(f"\nSearched: {plan.effort}.")
    if exported is not None:
        say(f"\nThe stack is in {exported}: see {exported / 'README.md'}.")


def plain_table(table: Table) -> str:
    """Write a table as aligned text that nothing wraps.

    Parameters
    ----------
    table : Table
        The table.

    Returns
    -------
    str
        Title, head, a rule, the rows and the footer.

    Examples
    --------
    >>> from estimator.report.tables import Table
    >>> print(plain_table(Table("Fruit", ("Name", ">Count"), (("apple", "12"), ("fig", "3")))))
    Fruit
    Name   Count
    ------------
    apple     12
    fig        3
    """
    widths = [_natural(table, place) for place in range(len(table.columns))]
    return "\n".join([table.title, *(line for line, _ in _grid(table, widths, table, ()))])


def fitted_table(table: Table, width: int) -> str:
    """Write a table for a terminal.

    Parameters
    ----------
    table : Table
        The table.
    width : int
        Where lines end. [letters]

    Returns
    -------
    str
        Lines of at most that width; what had to be left out is said.

    Examples
    --------
    >>> from estimator.report.tables import Table
    >>> fruit = Table("Fruit", ("Name", ">Count", "Why"), (("apple", "12", "they keep"),), least=("Count",), below=("Why",))
    >>> print(fitted_table(fruit, 20))
    Fruit
    Name   Why
    ----------------
    apple  they keep
    Left out for want of
    width: Count. A
    wider terminal, or
    --json, has it.
    >>> print(fitted_table(fruit, 15))
    Fruit
    Name   Count
    ------------
    apple     12
      Why: they
      keep
    """
    return "\n".join(line for line, _ in _fitted_lines(table, width))


@dataclass(frozen=True, slots=True)
class _Fit:
    """The columns of a table that are shown, the heads of those that are below rows and left out, and how wide the others stand side by side."""

    table: Table
    below: tuple[str, ...]
    left_out: tuple[str, ...]
    widths: tuple[int, ...]


def _fitted_lines(table: Table, width: int) -> Iterator[tuple[str, str]]:
    """Write the lines of a table with the style of each."""
    for line in _wrap(table.title, width):
        yield line, "italic"
    table = _flowing(table)
    fit = _fit(table, width)
    if fit is None:
        left_out = table.least
        yield from _stack(_without(table, left_out), width)
    else:
        left_out = fit.left_out
        yield from _grid(fit.table, fit.widths, table, fit.below, width)
    if left_out:
        them = "it" if len(left_out) == 1 else "them"
        said = f"Left out for want of width: {', '.join(left_out)}. A wider terminal, or --json, has {them}."
        for line in _wrap(said, width):
            yield line, ""


def _flowing(table: Table) -> Table:
    """Join the lines of sentences that were broken for a file."""
    flowing = [place for place, column in enumerate(table.columns) if column in table.below]
    rows = tuple(
        tuple(" ".join(cell.split()) if place in flowing else cell for place, cell in enumerate(row))
        for row in table.rows
    )
    return replace(table, rows=rows)


def _without(table: Table, heads: Iterable[str]) -> Table:
    for head in heads:
        table = table.without(head)
    return table


def _fit(table: Table, width: int) -> _Fit | None:
    """Find what stands side by side; None if too little does."""
    belows = ((), table.below) if table.below else ((),)
    cuts = [(below, table.least[:count]) for below in belows for count in range(len(table.least) + 1)]
    for sentence_width in SENTENCE_WIDTHS:
        for below, left_out in cuts:
            rest = _without(table, (*below, *left_out))
            needs = [_needed(rest, place, sentence_width) for place in range(len(rest.columns))]
            spare = width - sum(needs) - len(_GAP) * (len(needs) - 1)
            if spare >= 0:
                return _Fit(rest, below, left_out, _widened(rest, needs, spare))
    return None


def _widened(table: Table, needs: Sequence[int], spare: int) -> tuple[int, ...]:
    """Share what is left of a line among the columns that would use it, at least half of it to the first."""
    wishes = [_natural(table, place) - need for place, need in enumerate(needs)]
    first = min(wishes[0], spare if not sum(wishes[1:]) else spare // 2)
    share = min((spare - first) / max(sum(wishes[1:]), 1), 1.0)
    return needs[0] + first, *(need + int(share * wish) for need, wish in zip(needs[1:], wishes[1:], strict=True))


def _needed(table: Table, place: int, sentence_width: int) -> int:
    """Say how narrow a column can be: numbers, dates and names stay in one piece; heads and sentences wrap at their spaces."""
    cells, head = _cells(table, place), table.columns[place].lstrip(">")
    most = max((_wide(line) for line in cells), default=0)
    if _wraps(table, place):
        enough = sentence_width if place else FIRST_WIDTH
        most = min(most, max(enough, *(_wide(word) for line in cells for word in line.split())))
    return max(most, *(min(_wide(word), _HEAD_WORD) for word in head.split()), 1)


def _natural(table: Table, place: int) -> int:
    return max(_wide(line) for line in (table.columns[place].lstrip(">"), *_cells(table, place)))


def _cells(table: Table, place: int) -> list[str]:
    rows = [*table.rows, *([table.footer] if table.footer else [])]
    return [line for row in rows for line in row[place].split("\n")]


def _wraps(table: Table, place: int) -> bool:
    return not table.columns[place].startswith(">") and any(" " in row[place] for row in table.rows)


def _grid(
    table: Table, widths: Sequence[int], whole: Table, below: Sequence[str], width: int = 0
) -> Iterator[tuple[str, str]]:
    """Write head, rows and footer of columns that stand side by side, and what is below each row."""
    heads = [column.lstrip(">") for column in whole.columns]
    places = [(head, heads.index(head)) for head in below]
    rule = "-" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    for line in _side_by_side(table, [column.lstrip(">") for column in table.columns], widths):
        yield line, "bold"
    yield rule, "dim"
    for row, every in zip(table.rows, whole.rows, strict=True):
        for line in _side_by_side(table, row, widths):
            yield line, ""
        for head, place in places:
            if every[place]:
                for line in _wrap(f"{head}: {every[place]}", width - len(_INDENT)):
                    yield _INDENT + line, ""
    if table.footer:
        yield rule, "dim"
        for line in _side_by_side(table, table.footer, widths):
            yield line, ""


def _side_by_side(table: Table, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [
        [line for part in cell.split("\n") for line in _wrap(part, width, _INDENT if not place else "")]
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    for part in range(max(map(len, cells))):
        texts = [cell[part] if part < len(cell) else "" for cell in cells]
        yield _GAP.join(
            " " * (width - _wide(text)) + text if column.startswith(">") else text + " " * (width - _wide(text))
            for text, width, column in zip(texts, widths, table.columns, strict=True)
        ).rstrip()


def _stack(table: Table, width: int) -> Iterator[tuple[str, str]]:
    """Write each row as lines of name and value."""
    heads = [column.lstrip(">") for column in table.columns]
    for row in (*table.rows, *([table.footer] if table.footer else [])):
        for place, (head, cell) in enumerate(zip(heads, row, strict=True)):
            before = _INDENT if place else ""
            text = ", ".join(filter(None, map(str.strip, cell.split("\n"))))
            if text:
                for line in _wrap(f"{head}: {text}" if head else text, width - len(before), _INDENT):
                    yield before + line, "" if place else "bold"


def _wrap(text: str, width: int, hang: str = "") -> list[str]:
    """Wrap a line between words, what follows its first line indented; a word that no line has room for is broken."""
    if _wide(text) <= width:
        return [text]
    words = text.split(" ")
    if max(map(_wide, words)) > width - len(hang):
        hang = ""
    lines = [""]
    for word in words:
        if lines[-1].strip() and _wide(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        if lines[-1].strip():
            lines.append(hang)
        for letter in word:
            if _wide(lines[-1]) + _wide(letter) > max(width, 1) and lines[-1].strip():
                lines.append(hang)
            lines[-1] += letter
    return lines


def _wide(text: str) -> int:
    """Say how many columns of a terminal a text takes: some letters take two, and what is set over another none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _print_styled(lines: Iterator[tuple[str, str]], stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream)
    for line, style in lines:
        # Text, not a string: what somebody wrote is no markup.
        console.print(Text(line, style=style), soft_wrap=True)


def _over_promise(plan: Plan) -> str:
    promised = plan.promise.p95_latency_ms
    if promised is None:
        return ""
    over = plan.figures["minutes_over_promise_per_month"]
    return f", {over:,.1f} over the promised p95 of {promised:,.4g} ms, minute by minute"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if math.isfinite(value) else "without bound"
