"""The command `reprice`: a CloudFormation template, or cdk.out, priced under a scenario's load; alone, or against another one.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estimator.repricing.answer import ComparedTemplates
    from estimator.repricing.repricer import Repriced


class Format(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def reprice(
    template: Annotated[
        Path,
        typer.Argument(
            metavar="TEMPLATE", help="A CloudFormation template, JSON or YAML, or a folder such as cdk.out."
        ),
    ],
    scenario: Annotated[
        Path | None,
        typer.Option(
            "--scenario",
            metavar="SCENARIO",
            help="What no template says: load, request, prices. In an exported folder its own scenario by default.",
            show_default=False,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", metavar="NAME=VALUE", help="Value of a template's parameter; may be given several times."
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            "--service", metavar="LOGICAL_ID", help="The service, where there are several behind a load balancer."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="OLD",
            help="Another template or folder, priced under the same load: differences are from it.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How the answer is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the answer to a file that ends in .md, .json or .csv."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Price a CloudFormation template with an ECS service on Fargate behind a load balancer, and say what was understood of it.

    Example: estimator reprice cdk.out --scenario shop.yaml
    """
    from estimator.checks import by_ending
    from estimator.errors import InvalidScenario
    from estimator.files import require_free, write_whole
    from estimator.repricing import answer

    if as_json:
        if form is Format.MARKDOWN:
            raise InvalidScenario("--json and --format markdown are both given; choose one.")
        form = Format.JSON
    writers = {".md": "markdown", ".json": "json", ".csv": "csv"}
    ending = None if output is None else by_ending(output, writers, "an answer is")
    require_free(output, force)
    values = _parameters(parameter or [])
    found: Repriced | ComparedTemplates
    if against is None:
        found = _repriced(template, scenario, values, service)
        written = f"repriced_{ending}"
    else:
        found = _compared(against, template, scenario, values, service)
        written = f"compared_{ending}"
    if output is not None:
        write_whole(output, getattr(answer, written)(found))
    if form is Format.TEXT:
        _print(found)
    else:
        begin = "repriced" if against is None else "compared"
        typer.echo(getattr(answer, f"{begin}_{form.value}")(found), nl=False)
    if output is not None:
        typer.echo(f"Wrote {output}.", err=True)


def _parameters(given: list[str]) -> dict[str, str]:
    from estimator.errors import InvalidScenario

    found: dict[str, str] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise InvalidScenario(
                f"--parameter is {text!r}; it must be NAME=VALUE, such as --parameter ContainerCpu=512."
            )
        if name in found:
            raise InvalidScenario(f"--parameter gives {name} twice; give it once.")
        found[name] = value
    return found


def _repriced(template: Path, scenario: Path | None, values: dict[str, str], service: str | None) -> Repriced:
    from estimator.repricing.repricer import reprice

    return reprice(template, scenario, values, service)


def _compared(
    old: Path, new: Path, scenario: Path | None, values: dict[str, str], service: str | None
) -> ComparedTemplates:
    from estimator.commands.compare import require_other
    from estimator.repricing.answer import compare_templates
    from estimator.repricing.repricer import reprice_both

    require_other(old, new, "Give another template, such as that of the main branch.")
    return compare_templates(*reprice_both(old, new, scenario, values, service))


def _print(found: Repriced | ComparedTemplates) -> None:
    from estimator.report.comparison import comparison_tables, comparison_text
    from estimator.report.terminal import say, show, show_plan
    from estimator.repricing import answer
    from estimator.repricing.repricer import Repriced

    if isinstance(found, Repriced):
        say(answer.headline(found))
        for table in (answer.facts_table(found), answer.gaps_table(found)):
            if table.rows:
                say()
                show(table)
        show_plan(found.plan)
        return
    verdict, *others = comparison_text(found.comparison)
    say(f"\n{verdict}")
    for text in others:
        say(text)
    lines, figures, *_ = comparison_tables(found.comparison)
    for table in (lines, answer.facts_that_differ(found), figures, *answer.gap_tables(found)):
        if table.rows:
            say()
            show(table)
    scopes = dict.fromkeys(plan.cost.scope_text for plan in (found.comparison.before, found.comparison.after))
    say("\n" + "\n".join(scopes))
