"""Tables and plans as text: with rich on a terminal, plain and unwrapped for a file or another program."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TextIO

from estimator.planning.result import Plan, shortlist
from estimator.report.tables import Table, bill_table, rejections_table

#: A column of sentences reads well in so many letters; for less, others are left out. [1]
SENTENCE_WIDTH = 32


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
    if stream.isatty():
        _show_rich(table, stream)
    else:
        print(plain_table(table), file=stream)


def show_plan(plan: Plan, exported: Path | None = None) -> None:
    """Print a plan: what to run, its bill, why the cheaper ones lost, what to do next.

    Parameters
    ----------
    plan : Plan
        The plan.
    exported : pathlib.Path, optional
        Where its stack was written.
    """
    figures, network = plan.figures, plan.spec.network
    print(f"""
{plan.scenario.get("name", "Service")}: {plan.spec.describe()}
{network.layout} network over {network.availability_zones} zones; {figures["mean_tasks"]:.2f} tasks on average, \
{figures["peak_tasks"]:.0f} at the peak
p50 {_ms(figures["p50_latency_ms"])}, p95 {_ms(figures["p95_latency_ms"])}, p99 {_ms(figures["p99_latency_ms"])}; \
{figures["minutes_over_capacity_per_month"]:.1f} minutes over capacity a month{_over_promise(plan)}
{figures["requests_per_month"]:,.0f} requests a month; the load balancer's bill follows its {plan.lcu.leading}.
""")
    show(bill_table(plan.cost))
    if done := plan.cost.savings_plans_text:
        print(done)
    print(f"""\
{plan.cost.prices_text} {"At least " if plan.cost.is_lower_bound else ""}${figures["usd_per_million_requests"]:,.2f} a million requests.
{plan.cost.scope_text}""")
    if stale := plan.cost.stale_text():
        print(stale)
    for text in plan.warnings:
        print(f"Note: {text}")
    if plan.rejections:
        count = f"{len(plan.rejections)} of {plan.considered:,}"
        print(f"\n{count} candidates were cheaper and broke the promise, among them:\n")
        show(rejections_table(shortlist(plan.rejections)))
    elif plan.considered > 1:
        print(f"\nNone of {plan.considered:,} candidates was cheaper.")
    if exported is not None:
        print(f"\nThe stack is in {exported}: see {exported / 'README.md'}.")


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
    >>> print(plain_table(Table("Fruit", ("Name", ">Count"), (("apple", "12"), ("fig", "3")))))
    Fruit
    Name   Count
    ------------
    apple     12
    fig        3
    """
    heads = tuple(column.lstrip(">") for column in table.columns)
    every = [heads, *table.rows, *([table.footer] if table.footer else [])]
    cells = [[cell.split("\n") for cell in row] for row in every]
    widths = [max(len(line) for row in cells for line in row[place]) for place in range(len(heads))]
    lines = [table.title]
    for number, row in enumerate(cells):
        for part in range(max(map(len, row))):
            texts = [cell[part] if part < len(cell) else "" for cell in row]
            set_to = [
                text.rjust(width) if column.startswith(">") else text.ljust(width)
                for text, width, column in zip(texts, widths, table.columns, strict=True)
            ]
            lines.append("  ".join(set_to).rstrip())
        if number == 0 or (table.footer and number == len(cells) - 2):
            lines.append("-" * (sum(widths) + 2 * len(widths) - 2))
    return "\n".join(lines)


def _over_promise(plan: Plan) -> str:
    promised = plan.promise.p95_latency_ms
    if promised is None:
        return ""
    return f", {plan.figures['minutes_over_promise_per_month']:,.1f} over the promised p95 of {promised:,.4g} ms"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if math.isfinite(value) else "without bound"


def _fitting(table: Table, width: int) -> tuple[Table, list[str]]:
    """Leave out the least important columns until the others fit unbroken; name those that were left out."""
    left_out: list[str] = []
    for head in table.least:
        if _natural_width(table) <= width:
            break
        table = table.without(head)
        left_out.append(head)
    return table, left_out


def _natural_width(table: Table) -> int:
    widths = [_column_width(table, place) for place in range(len(table.columns))]
    return sum(
        (min(width, SENTENCE_WIDTH) if _wraps(table, place) else width) + 3 for place, width in enumerate(widths)
    )


def _wraps(table: Table, place: int) -> bool:
    """Numbers, dates and names stay in one piece; only sentences wrap, at their spaces."""
    return not table.columns[place].startswith(">") and any(" " in row[place] for row in table.rows)


def _column_width(table: Table, place: int) -> int:
    rows = [table.columns, *table.rows, *([table.footer] if table.footer else [])]
    return max(len(line) for row in rows for line in row[place].lstrip(">").split("\n"))


def _show_rich(table: Table, stream: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console(file=stream)
    table, left_out = _fitting(table, console.width)
    shown = RichTable(
        title=table.title, title_justify="left", box=box.SIMPLE_HEAD, show_footer=bool(table.footer), pad_edge=False
    )
    for place, column in enumerate(table.columns):
        footer = table.footer[place] if table.footer else ""
        right = column.startswith(">")
        wraps = _wraps(table, place)
        shown.add_column(
            column.lstrip(">"),
            justify="right" if right else "left",
            footer=footer,
            overflow="fold",
            no_wrap=not wraps,
            min_width=None if wraps else _column_width(table, place),
        )
    for row in table.rows:
        shown.add_row(*map(escape, row))
    console.print(shown)
    if left_out:
        console.print(f"Left out for want of width: {', '.join(left_out)}. A wider terminal, or --json, has them.")
