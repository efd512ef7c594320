"""Tables and plans on a terminal."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from estimator.planning.planner import Plan, shortlist
from estimator.report.tables import Table, bill_table, rejections_table

#: Width where the output is no terminal, such as a file. [characters]
PLAIN_WIDTH = 150


def show(table: Table, stderr: bool = False) -> None:
    """Print a table.

    Parameters
    ----------
    table : Table
        The table.
    stderr : bool
        True to print it beside errors.
    """
    _console(stderr).print(_rich(table))


def show_plan(plan: Plan, exported: Path | None = None) -> None:
    """Print a plan: what to run, its bill, why the cheaper ones lost, what to do next.

    Parameters
    ----------
    plan : Plan
        The plan.
    exported : pathlib.Path, optional
        Where its stack was written.
    """
    console = _console()
    figures = plan.figures
    console.print()
    console.print(f"[bold]{plan.scenario.get('name', 'Service')}[/bold]: {plan.spec.describe()}", highlight=False)
    network = plan.spec.network
    console.print(
        f"{network.layout} network over {network.availability_zones} zones; {figures['mean_tasks']:.2f} tasks on average, "
        f"{figures['peak_tasks']:.0f} at the peak; p50 {_ms(figures['p50_latency_ms'])}, p95 {_ms(figures['p95_latency_ms'])}, "
        f"p99 {_ms(figures['p99_latency_ms'])}; {figures['minutes_over_capacity_per_month']:.1f} minutes over capacity a month",
        highlight=False,
    )
    leading = plan.lcu
    console.print(
        f"{figures['requests_per_month']:,.0f} requests a month; the load balancer's bill follows its {leading.leading}.",
        highlight=False,
    )
    console.print()
    console.print(_rich(bill_table(plan.cost)))
    console.print(
        f"Rates published {plan.cost.prices_published}. ${figures['usd_per_million_requests']:,.2f} a million requests.",
        highlight=False,
    )
    console.print(f"Not included: {plan.cost.not_included}.", highlight=False)
    for text in plan.warnings:
        console.print(f"[yellow]Note:[/yellow] {text}", highlight=False)
    if plan.considered > 1:
        console.print()
        if plan.rejections:
            console.print(
                f"{len(plan.rejections)} of {plan.considered:,} candidates were cheaper and broke the promise, among them:",
                highlight=False,
            )
            console.print(_rich(rejections_table(shortlist(plan.rejections))))
        else:
            console.print(f"None of {plan.considered:,} candidates was cheaper.", highlight=False)
    if exported is not None:
        console.print(f"\nThe stack is in {exported}: see {exported / 'README.md'}.", highlight=False, soft_wrap=True)


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if math.isfinite(value) else "without bound"


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, width=width)


def _rich(table: Table) -> RichTable:
    shown = RichTable(
        title=table.title, title_justify="left", box=box.SIMPLE_HEAD, show_footer=bool(table.footer), pad_edge=False
    )
    for place, column in enumerate(table.columns):
        footer = table.footer[place] if table.footer else ""
        justify: Literal["left", "right"] = "right" if column.startswith(">") else "left"
        shown.add_column(column.lstrip(">"), justify=justify, footer=footer, overflow="fold", no_wrap=place == 0)
    for row in table.rows:
        shown.add_row(*row)
    return shown
