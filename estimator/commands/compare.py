"""The command `compare`: two scenarios, or today's service and its plan, line by line; and a priced scenario file, as `check` reads it too.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.commands.output import progress_bar
from estimator.commands.reading import read_scenario

if TYPE_CHECKING:
    from estimator.planning.comparison import Comparison
    from estimator.planning.guard import GuardLimits
    from estimator.planning.result import Plan

#: Endings of a file that a comparison is written to.


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="The first scenario, YAML or JSON.")],
    second: Annotated[
        Path | None,
        typer.Argument(metavar="B", help="The second scenario; differences are the second less the first."),
    ] = None,
    with_plan: Annotated[
        bool, typer.Option("--with-plan", help="Compare the service of A with the plan that a search finds for A.")
    ] = False,
    search: Annotated[
        bool | None,
        typer.Option(
            "--plan/--service",
            help="Search a plan for both, or price the `service` section of both; by default the section where there is one.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="Write the comparison to a file that ends in .md, .csv or .json."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Lay two scenarios side by side: bills line by line, figures, and all that differs.

    They may be of different loads, promises and regions.

    Example: estimator compare base.yaml shop.yaml
    """
    from estimator.checks import by_ending
    from estimator.errors import InvalidScenario
    from estimator.files import require_free, write_whole
    from estimator.planning.comparison import compare as compare_plans

    if as_json and as_markdown:
        raise InvalidScenario("--json and --markdown are both given; choose one.")
    writer = None if output is None else by_ending(output, _WRITERS, "a comparison is")
    require_free(output, force)
    quiet = as_json or as_markdown
    if with_plan:
        if second is not None or search is not None:
            raise InvalidScenario(
                "--with-plan compares the service of A with its plan; leave out B, --plan and --service."
            )
        plans = priced_file(first, False, quiet), priced_file(first, True, quiet)
        titles = f"{first} today", f"{first} as planned"
    else:
        require_other(
            first, second, "Give a second scenario, or --with-plan to compare the service of A with its plan."
        )
        assert second is not None
        plans = priced_file(first, search, quiet), priced_file(second, search, quiet)
        titles = str(first), str(second)
    found = compare_plans(*plans, titles)
    if output is not None and writer is not None:
        write_whole(output, writer(found))
    _print(found, as_json, as_markdown)
    if output is not None:
        typer.echo(f"Wrote {output}.", err=True)


def require_other(path: Path, other: Path | None, advice: str) -> None:
    """Raise unless there is a second scenario that is not the first.

    Parameters
    ----------
    path : pathlib.Path
        The first scenario's file.
    other : pathlib.Path or None
        The second's.
    advice : str
        What to do where there is none.

    Raises
    ------
    InvalidScenario
        If there is none, or it is the same file.
    """
    from estimator.errors import InvalidScenario

    if other is None:
        raise InvalidScenario(f"There is nothing to compare {path} with. {advice}")
    if path.resolve() == other.resolve():
        raise InvalidScenario(f"{path} and {other} are the same file, so nothing differs. {advice}")


def priced_file(
    path: Path, search: bool | None, quiet: bool, limits: GuardLimits | None = None, has_budget: bool = True
) -> Plan:
    """Read a scenario and price its service, or its plan.

    Parameters
    ----------
    path : pathlib.Path
        The scenario's file.
    search : bool or None
        True for the plan that a search finds, False for the section ``service``, None for that section where there is one.
    quiet : bool
        True for no progress bar.
    limits : GuardLimits, optional
        What goes over the scenario's promise.
    has_budget : bool
        False to leave the promise's budget aside.

    Returns
    -------
    Plan
        The service with its bill.

    Raises
    ------
    InvalidScenario
        If the file is no scenario, or has no service to price.
    NoFeasiblePlan
        If a search finds nothing.
    """
    from estimator.errors import InvalidScenario, NoFeasiblePlan

    document, rates = read_scenario(path)
    if limits is not None:
        document = document.model_copy(update={"promise": limits.over(document.promise)})
    if not has_budget:
        promise = dataclasses.replace(document.promise, max_usd_per_month=None)
        document = document.model_copy(update={"promise": promise})
    searched = document.service is None if search is None else search
    try:
        if not searched:
            return document.estimate(rates, path.parent)
        with progress_bar("Simulating candidates", quiet) as progress:
            return document.plan(rates, path.parent, progress)
    except NoFeasiblePlan as error:
        raise NoFeasiblePlan(f"{path}: {error}", error.rejections) from None
    except InvalidScenario as error:
        raise InvalidScenario(f"{path}: {error}") from None


def _rows(found: Comparison) -> str:
    return str(found.to_frame().to_csv(index=False, float_format="%.12g", lineterminator="\n"))


def _values(found: Comparison) -> str:
    return json.dumps(found.to_dict(), indent=2) + "\n"


def _markdown(found: Comparison) -> str:
    from estimator.report.comparison import comparison_markdown

    return comparison_markdown(found)


_WRITERS: dict[str, Callable[[Comparison], str]] = {".md": _markdown, ".csv": _rows, ".json": _values}


def _print(found: Comparison, as_json: bool, as_markdown: bool) -> None:
    from estimator.report.comparison import comparison_tables, comparison_text
    from estimator.report.terminal import say, show

    if as_json or as_markdown:
        typer.echo((_values if as_json else _markdown)(found), nl=False)
        return
    verdict, *others = comparison_text(found)
    say(f"\n{verdict}")
    for text in others:
        say(text)
    for table in comparison_tables(found):
        say()
        show(table)
    scopes = dict.fromkeys(plan.cost.scope_text for plan in (found.before, found.after))
    say("\n" + "\n".join(scopes))
