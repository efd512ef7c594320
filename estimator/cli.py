"""The same verbs on the command line.

Notes
-----
Everything but typer is imported inside the commands, and help is plain text: `--help` answers as fast as typer itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.bill import charges, networks, purchases, regions, usage
from estimator.commands.breakdown import breakdown
from estimator.commands.check import check
from estimator.commands.compare import compare
from estimator.commands.course import replay, simulate
from estimator.commands.export import export
from estimator.commands.fleet import fleet
from estimator.commands.invoice import invoice
from estimator.commands.load import load
from estimator.commands.output import progress_bar
from estimator.commands.prices import prices
from estimator.commands.reading import read_scenario
from estimator.commands.reprice import reprice
from estimator.commands.risk import risk
from estimator.commands.tradeoffs import tradeoffs
from estimator.commands.uncertain import uncertain
from estimator.commands.why import why

if TYPE_CHECKING:
    from estimator.planning.result import Plan

app = typer.Typer(
    name="estimator",
    help="From traffic to a costed AWS Fargate service and a stack that can be deployed.\n\n"
    "Start with: estimator init shop.yaml, edit it, estimator plan shop.yaml --export my-stack",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(load, name="load")
app.add_typer(prices, name="prices")

ScenarioFile = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON; `estimator init` writes one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Export = Annotated[
    Path | None, typer.Option("--export", metavar="DIR", help="Write the sized CDK stack to this folder.")
]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Write the bill to a file that ends in .md, .csv, .json or .html; may be given several times.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Write over files that are there, and over edited files of an earlier export.")
]


def main() -> None:
    """Run the command line; what a user can mend is one sentence, not a traceback."""
    from estimator.errors import EstimatorError, NoFeasiblePlan

    try:
        app()
    except NoFeasiblePlan as error:
        _fail(error)
        from estimator.planning.result import distinct
        from estimator.report.tables import rejections_table
        from estimator.report.terminal import show

        show(rejections_table(distinct(error.rejections)), stderr=True)
        sys.exit(1)
    except EstimatorError as error:
        _fail(error)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone.
        sys.stderr.close()
        sys.exit(0)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("fargate-estimator"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Write a commented scenario to start from.

    Example: estimator init shop.yaml
    """
    from estimator.files import require_free, write_whole
    from estimator.template import scenario_template

    require_free(path, force)
    write_whole(path, scenario_template())
    typer.echo(f"Wrote {path}. Next: estimator plan {path} --export my-stack")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario, for an editor's completion.

    Example: estimator schema > scenario.schema.json
    """
    import json

    from estimator.scenario import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2))


@app.command()
def plan(
    scenario: ScenarioFile,
    output: Output = None,
    export: Export = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Find the cheapest service that keeps the promise, and say why the cheaper ones lost.

    Example: estimator plan shop.yaml --export my-stack
    """
    _require_free(output, None, force)
    document, rates = read_scenario(scenario)
    with progress_bar("Simulating candidates", as_json) as progress:
        found = document.plan(rates, scenario.parent, progress)
    _export(found, export, force, scenario.parent)
    _write(found, rates, output)
    _print(found, as_json, export)
    _tell(output)
    if document.service is not None and not as_json:
        from estimator.report.terminal import say

        say(
            f"\nThe plan is searched without a look at the `service` section: `estimator estimate {scenario}` prices that one as it is."
        )


@app.command()
def estimate(
    scenario: ScenarioFile,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="CHARGE", help="Show the arithmetic of a line of the bill, or of `all`."),
    ] = None,
    focus: Annotated[
        Path | None, typer.Option("--focus", metavar="CSV", help="Write the bill with the columns of FOCUS 1.0.")
    ] = None,
    output: Output = None,
    export: Export = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Simulate and price the scenario's `service` section as it is, without a search.

    Example: estimator estimate shop.yaml --export my-stack
    """
    from estimator.errors import InvalidScenario

    if explain is not None and (output or export is not None or focus is not None):
        raise InvalidScenario(
            "--explain prints a line's arithmetic and writes nothing; leave out --output, --export and --focus."
        )
    _require_free(output, focus, force)
    document, rates = read_scenario(scenario)
    found = document.estimate(rates, scenario.parent)
    if explain is not None:
        from estimator.commands.bill import print_explained

        print_explained(found.cost, rates, explain, as_json)
        return
    _export(found, export, force, scenario.parent)
    if focus is not None:
        from estimator.files import write_whole
        from estimator.report.focus import focus_frame

        write_whole(focus, focus_frame(found.cost).to_csv(index=False, lineterminator="\n"))
    _write(found, rates, output)
    _print(found, as_json, export)
    _tell([*([focus] if focus else []), *(output or [])])


app.command()(simulate)
app.command()(replay)
app.command()(breakdown)
app.command()(compare)
app.command()(export)
app.command()(check)
app.command()(fleet)
app.command()(regions)
app.command()(networks)
app.command()(tradeoffs)
app.command()(why)
app.command()(purchases)
app.command()(risk)
app.command()(charges)
app.command()(usage)
app.command()(invoice)
app.command()(reprice)


@app.command()
def ui(
    scenario: Annotated[Path | None, typer.Argument(metavar="[SCENARIO]", help="Scenario to start from.")] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the app.")] = 8501,
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
) -> None:
    """Open the what-if app in the browser.

    Example: estimator ui shop.yaml
    """
    import socket
    import subprocess

    from estimator.errors import ExportError
    from estimator.units import data_path

    if scenario is not None:
        read_scenario(scenario)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ExportError(
                f"Port {port} is taken by another program, perhaps this app. Stop it, or choose another with --port."
            )
    front_door = data_path("app_streamlit.py")
    command = [sys.executable, "-m", "streamlit", "run", str(front_door), f"--server.port={port}"]
    command += [
        f"--server.headless={str(headless).lower()}",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
        "--server.showEmailPrompt=false",
    ]
    if scenario is not None:
        command += ["--", str(scenario.resolve())]
    if os.name == "posix":
        # Streamlit takes this process over, so that a signal to it stops the server.
        os.execv(sys.executable, command)  # noqa: S606 - a fixed program
    sys.exit(subprocess.run(command, check=False).returncode)


app.command()(uncertain)


def _export(found: Plan, folder: Path | None, force: bool, beside: Path) -> None:
    if folder is not None:
        from estimator.budget import with_budget
        from estimator.export import export_stack

        export_stack(with_budget(found, beside), "cdk", folder, force=force)


def _require_free(output: list[Path] | None, focus: Path | None, force: bool) -> None:
    """Refuse files that cannot be written, before anything is computed."""
    from estimator.files import require_free

    require_free(focus, force)
    if not output:
        return
    from estimator.errors import ExportError
    from estimator.report.bill_documents import require_document

    asked = [path.resolve() for path in (*output, *([focus] if focus else []))]
    for path in output:
        require_document(path, force)
        if asked.count(path.resolve()) > 1:
            raise ExportError(f"{path} is asked for twice; each file is written once. Give each a name of its own.")


def _write(found: Plan, rates: Any, output: list[Path] | None) -> None:
    if output:
        from estimator.report.bill_documents import write_bill

        for path in output:
            write_bill(found, rates, path)


def _tell(written: list[Path] | None) -> None:
    for path in written or []:
        typer.echo(f"Wrote {path}.", err=True)


def _print(found: Plan, as_json: bool, exported: Path | None) -> None:
    if as_json:
        import json

        from estimator.report.bill_documents import bill_values

        typer.echo(json.dumps(bill_values(found) | ({"exported_to": str(exported)} if exported else {}), indent=2))
        return
    from estimator.report.terminal import show_plan

    show_plan(found, exported)


def _fail(error: Exception) -> None:
    from estimator.report.terminal import say

    say(f"Error: {error}", stderr=True)
