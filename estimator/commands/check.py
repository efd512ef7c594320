"""The command `check`: a scenario held against its promise, a budget and a base, with an exit code for a pipeline.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions. That a limit is broken ends with 1, as a promise that no
candidate keeps does in all commands; wrong input ends with 2, as everywhere; what cannot be said, since a rate is not known, ends with 3.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.commands.compare import priced_file, require_other
from estimator.commands.output import say

if TYPE_CHECKING:
    from estimator.planning.guard import CheckedPlan, GuardLimits
    from estimator.planning.result import Plan

#: Exit codes by the state of a check.
EXIT_CODES = {"ok": 0, "BROKEN": 1, "unknown": 3}
#: Options by the limit that they set.
_OPTIONS = {
    "budget_usd": "--budget",
    "p95_latency_ms": "--p95",
    "p99_latency_ms": "--p99",
    "max_minutes_over_capacity": "--minutes-over",
    "max_minutes_over_promise": "--minutes-over-promise",
    "max_refused_percent": "--refused-percent",
    "max_increase_usd": "--max-increase-usd",
    "max_increase_percent": "--max-increase-percent",
    "max_stale_days": "--max-stale-days",
}
#: The name for standard output.
_STDOUT = Path("-")


def check(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="USD", help="Most that the bill of a month may come to.")
    ] = None,
    p95: Annotated[
        float | None, typer.Option("--p95", metavar="MS", help="95 of 100 requests are answered within.")
    ] = None,
    p99: Annotated[
        float | None, typer.Option("--p99", metavar="MS", help="99 of 100 requests are answered within.")
    ] = None,
    minutes_over: Annotated[
        float | None, typer.Option("--minutes-over", metavar="MINUTES", help="Most minutes over capacity in a month.")
    ] = None,
    minutes_over_promise: Annotated[
        float | None,
        typer.Option(
            "--minutes-over-promise",
            metavar="MINUTES",
            help="Most minutes over capacity or over the promised p95 in a month.",
        ),
    ] = None,
    refused_percent: Annotated[
        float | None, typer.Option("--refused-percent", metavar="PERCENT", help="Most requests that find no capacity.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="BASE", help="Scenario from which the bill's increase is measured."),
    ] = None,
    max_increase_percent: Annotated[
        float | None,
        typer.Option("--max-increase-percent", metavar="PERCENT", help="Most increase, in percent of the base."),
    ] = None,
    max_increase_usd: Annotated[
        float | None, typer.Option("--max-increase-usd", metavar="USD", help="Most increase of the bill of a month.")
    ] = None,
    max_stale_days: Annotated[
        float | None,
        typer.Option("--max-stale-days", metavar="DAYS", help="Most days since a rate was last seen on AWS's list."),
    ] = None,
    search: Annotated[
        bool | None,
        typer.Option(
            "--plan/--service",
            help="Check the plan that a search finds, or the `service` section; by default the section if there is one.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE", help="Write Markdown for a pull request; `-` prints it instead of tables."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Hold a scenario against its promise, a budget and a base, for a pipeline.

    An option goes over the limit that the promise has. Exit code 0: all limits hold. 1: one is broken. 2: wrong input. 3: it cannot be said, since a
    rate is not known.

    Example: estimator check shop.yaml --budget 500 --p95 250
    """
    from estimator.errors import InvalidScenario, NoFeasiblePlan, RateNotFound
    from estimator.files import require_free
    from estimator.planning.guard import check_plan

    values = (budget, p95, p99, minutes_over, minutes_over_promise, refused_percent)
    limits = _limits(
        dict(zip(_OPTIONS, (*values, max_increase_usd, max_increase_percent, max_stale_days), strict=True))
    )
    if as_json and markdown == _STDOUT:
        raise InvalidScenario("--json and --markdown - both print; give --markdown a file, or leave one out.")
    if markdown != _STDOUT:
        require_free(markdown, force)
    if limits.needs_base and against is None:
        raise InvalidScenario(
            "An increase is limited and there is no base to measure it from; give one with --against."
        )
    if against is not None:
        require_other(scenario, against, "Give the scenario as it was, such as that of the main branch.")
    quiet = as_json or markdown == _STDOUT
    command = _command(scenario, limits, against, search)
    try:
        base = None if against is None else _base(against, search, quiet)
        plan = priced_file(scenario, search, quiet, limits)
    except (NoFeasiblePlan, RateNotFound) as error:
        if markdown is not None:
            from estimator.report.comparison import unpriced_markdown

            _write(markdown, unpriced_markdown(error, str(scenario), command))
        state = "broken" if isinstance(error, NoFeasiblePlan) else "unknown"
        if as_json:
            said = {"exit_code": EXIT_CODES[state], "command": command, "state": state, "error": str(error)}
            broken = error.rejections[:20] if isinstance(error, NoFeasiblePlan) else ()
            typer.echo(json.dumps(said | {"rejections": [one.to_dict() for one in broken]}, indent=2))
        if isinstance(error, NoFeasiblePlan):
            raise
        say(f"Error: {error}", stderr=True)
        raise typer.Exit(EXIT_CODES["unknown"]) from None
    checked = check_plan(plan, limits, base)
    if markdown is not None:
        from estimator.report.comparison import check_markdown

        name = str(plan.scenario.get("name", scenario))
        _write(markdown, check_markdown(checked, name, command))
    if as_json:
        typer.echo(
            json.dumps({"exit_code": EXIT_CODES[checked.state], "command": command} | checked.to_dict(), indent=2)
        )
    elif markdown != _STDOUT:
        _show(checked)
    raise typer.Exit(EXIT_CODES[checked.state])


def _limits(values: dict[str, float | None]) -> GuardLimits:
    """Make limits of options; a message names the option."""
    from estimator.errors import InvalidScenario
    from estimator.planning.guard import GuardLimits

    for name, value in values.items():
        try:
            GuardLimits(**{name: value})
        except InvalidScenario as error:
            raise InvalidScenario(str(error).replace(name, _OPTIONS[name], 1)) from None
    return GuardLimits(**values)


def _base(path: Path, search: bool | None, quiet: bool) -> Plan:
    """Price the base, whatever its own budget; that it has no plan breaks no limit of what is checked."""
    from estimator.errors import InvalidScenario, NoFeasiblePlan

    try:
        return priced_file(path, search, quiet, has_budget=False)
    except NoFeasiblePlan as error:
        raise InvalidScenario(f"The base cannot be priced. {error}") from None


def _command(scenario: Path, limits: GuardLimits, against: Path | None, search: bool | None) -> str:
    """Write the command that checks the same again."""
    words = ["estimator", "check", str(scenario)]
    for name, option in _OPTIONS.items():
        value = getattr(limits, name)
        if value is not None:
            words += [option, f"{value:.12g}"]
    if against is not None:
        words += ["--against", str(against)]
    if search is not None:
        words.append("--plan" if search else "--service")
    return shlex.join(words)


def _write(path: Path, text: str) -> None:
    from estimator.files import write_whole

    if path == _STDOUT:
        typer.echo(text, nl=False)
        return
    write_whole(path, text)
    typer.echo(f"Wrote {path}.", err=True)


def _show(checked: CheckedPlan) -> None:
    from estimator.report.comparison import advice_text, checks_table
    from estimator.report.terminal import show

    plan = checked.plan
    say(f"\n{plan.scenario.get('name', 'Service')}: {plan.spec.describe()}")
    if checked.comparison is not None:
        say(checked.comparison.verdict)
        for note in checked.comparison.notes:
            say(f"Note: {note}")
    say()
    show(checks_table(checked))
    say(f"\n{checked.headline}.")
    for text in advice_text(checked):
        say(text)
    say(f"{plan.cost.prices_text} Not included: {plan.cost.not_included}.")
