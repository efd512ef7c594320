"""The command `fleet`: a folder or a table of scenarios at once, one table of all, and one Savings Plan for all.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estimator.planning.fleet import Fleet

#: Most that a budget can be; what is above is a mistake. [USD/month]
_MOST_USD = 1e12
#: What a shell expects of a program that Ctrl-C ended.
_STOPPED = 130


def fleet(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Folder of scenarios, or a CSV table with a row for each service.")
    ],
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="SCENARIO", help="Scenario that the rows of a table go over."),
    ] = None,
    as_it_is: Annotated[
        bool, typer.Option("--service", help="Price the `service` section of each, without a search.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="DIR", help="Save each result there, and take what has not changed since."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="USD", help="What all may cost in a month: say if they do.")
    ] = None,
    shares: Annotated[
        bool,
        typer.Option(
            "--shares", help="Equal Savings Plans that several scenarios have are parts of their own, not one plan."
        ),
    ] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Services at a time; by default one for each core.")
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write the table to a file that ends in .md, .csv or .json; may be given several times.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Plan many services at once, and find one Savings Plan for all of them.

    A service that cannot be planned is a row with its reason: the others are shown, and the exit code is 1. Ctrl-C keeps
    what is done; with --save the next run goes on there.

    A table's first column is `name`; `base` names a scenario, and all others are fields of one, such as
    load.peak_requests_per_s.

    Example: estimator fleet services/ --save results --output fleet.md
    """
    from estimator.checks import require_number
    from estimator.fleet_files import read_fleet
    from estimator.planning.fleet import MAX_THREADS, plan_fleet
    from estimator.planning.fleet_store import FleetStore
    from estimator.report.fleet_table import within_budget, write_fleet

    if budget is not None:
        require_number("--budget", budget, 0, _MOST_USD)
    if threads is not None:
        require_number("--threads", threads, 1, MAX_THREADS, whole=True)
    _require_free(output, force)
    files = read_fleet(path, base, as_it_is=as_it_is)
    store = None if save is None else FleetStore(save)
    with _bar(as_json) as progress:
        found = plan_fleet(
            files.services, n_threads=threads, progress=progress, store=store, existing_are_shares=shares
        )
    for each in output or []:
        write_fleet(found, each, budget)
    if as_json:
        values = found.to_dict() | {"not_scenarios": list(files.passed_over)}
        if budget is not None:
            values |= {"budget_usd_per_month": budget, "within_budget": within_budget(found, budget)}
        typer.echo(json.dumps(values, indent=2))
    else:
        _show(found, files.passed_over, budget)
    for each in output or []:
        typer.echo(f"Wrote {each}.", err=True)
    if found.was_stopped:
        raise typer.Exit(_STOPPED)
    if found.failed:
        raise typer.Exit(1)


def _show(found: Fleet, passed_over: tuple[str, ...], budget: float | None) -> None:
    from estimator.report.fleet_table import commitments_table, fleet_sentences, fleet_table
    from estimator.report.terminal import say, show

    show(fleet_table(found))
    say()
    if found.commitments.options:
        show(commitments_table(found))
        say()
    for sentence in fleet_sentences(found, budget):
        say(sentence)
    if passed_over:
        say(f"No scenarios, and passed over: {', '.join(passed_over)}.")
    if found.was_stopped:
        say("Stopped: what was done by then is shown.", stderr=True)


def _require_free(output: list[Path] | None, force: bool) -> None:
    """Refuse files that cannot be written, before anything is computed."""
    if not output:
        return
    from estimator.errors import ExportError
    from estimator.report.fleet_table import require_fleet_document

    asked = [path.resolve() for path in output]
    for path in output:
        require_fleet_document(path, force)
        if asked.count(path.resolve()) > 1:
            raise ExportError(f"{path} is asked for twice; each file is written once. Give each a name of its own.")


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    """Show a progress bar that names the service on a terminal; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Planning", total=1.0)
        yield lambda part, name: bar.update(task, completed=part, description=f"Planning {escape(name)}")
