"""The command `risk`: what a scenario whose numbers are intervals may cost, which plan is regretted least, and what to measure next.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import progress_bar, say
from estimator.commands.reading import read_scenario

if TYPE_CHECKING:
    from estimator.planning.uncertainty import Uncertainty
    from estimator.scenario import Scenario


def risk(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="USD", help="What a month may cost; says how often it is exceeded."),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="How often the inputs are drawn.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other draws.")] = 1,
    minute: Annotated[
        float | None,
        typer.Option(
            "--minute",
            metavar="USD",
            help="What a minute over the promise weighs beside the bill, in a month that breaks it; by default 0.1.",
        ),
    ] = None,
    model_uncertainty: Annotated[
        bool,
        typer.Option(
            "--model-uncertainty/--no-model-uncertainty",
            help="Draw what AWS does not document too, or leave it as it is.",
        ),
    ] = True,
    search: Annotated[
        bool,
        typer.Option("--search/--no-search", help="Search plans that compete, or assess the `service` section alone."),
    ] = True,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write the result to a file that ends in .md or .json, or all draws to one in .csv; may be given several times.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over existing files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
) -> None:
    """Say what it may cost, which plan is regretted least, and what to measure next.

    Any number of the scenario may be an interval: cpu_ms_per_request: {low: 30, likely: 40, high: 70}.

    Example: estimator risk shop.yaml --budget 500
    """
    from estimator.errors import InvalidScenario
    from estimator.planning.regret import USD_PER_MINUTE_OVER_PROMISE
    from estimator.risk import assess_risk

    if as_json and as_markdown:
        raise InvalidScenario("--json and --markdown are both given; choose one.")
    writers = [(path, _writer(path, force)) for path in output or []]
    document, rates = read_scenario(scenario)
    with progress_bar("Drawing inputs", as_json) as progress:
        found = assess_risk(
            document,
            rates,
            scenario.parent,
            n_draws=draws,
            seed=seed,
            budget_usd=budget,
            usd_per_minute_over_promise=USD_PER_MINUTE_OVER_PROMISE if minute is None else minute,
            model_uncertainty=model_uncertainty,
            search=search,
            progress=progress,
        )
    for path, write in writers:
        from estimator.files import write_whole

        write_whole(path, write(found, document))
    if as_json:
        typer.echo(_json(found, document), nl=False)
    elif as_markdown:
        typer.echo(_markdown(found, document), nl=False)
    else:
        _show(found, document)
    for path, _ in writers:
        typer.echo(f"Wrote {path}.", err=True)


def _show(found: Uncertainty, document: Scenario) -> None:
    from estimator.report.terminal import show
    from estimator.report.uncertainty_table import error_text, plans_risk_table, tornado_table, without_effect_text

    say(f"\n{document.name}: {found.measure_next}\n")
    show(plans_risk_table(found))
    say(f"\n{error_text(found)}\n")
    tornado = tornado_table(found)
    if tornado.rows:
        show(tornado)
    if rest := without_effect_text(found):
        say(rest)
    for note in found.notes:
        say(f"Note: {note}")


def _json(found: Uncertainty, document: Scenario) -> str:
    values: dict[str, Any] = {
        "name": document.name,
        "region": document.region,
        "hours_per_month": document.hours_per_month,
        **found.to_dict(),
    }
    return json.dumps(values, indent=2) + "\n"


def _markdown(found: Uncertainty, document: Scenario) -> str:
    from estimator.report.uncertainty_table import risk_markdown

    return risk_markdown(found, document.name)


def _csv(found: Uncertainty, document: Scenario) -> str:
    from estimator.report.uncertainty_table import draws_csv

    return draws_csv(found)


_WRITERS: dict[str, Callable[[Uncertainty, Scenario], str]] = {".md": _markdown, ".json": _json, ".csv": _csv}


def _writer(path: Path, force: bool) -> Callable[[Uncertainty, Scenario], str]:
    """Find what a file's name asks for, and refuse one that cannot be written, before anything is computed."""
    from estimator.checks import by_ending
    from estimator.files import require_free

    writer = by_ending(path, _WRITERS, "a risk is")
    require_free(path, force)
    return writer
