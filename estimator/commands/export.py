"""The command `export`: a scenario's plan as a stack that can be deployed, with a look at what changes before anything is written over.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import progress_bar, say

if TYPE_CHECKING:
    from estimator.export.preview import FilePreview, Preview
    from estimator.planning.result import Plan
    from estimator.scenario import Scenario

#: Of a new folder with more files than this, what one reads first is named, and not each file.
_FEW_FILES = 8
#: What one reads first of a new folder; with a slash a folder.
_READ_FIRST = ("README.md", "stack_config.json", "app.py", "fargate_stack/", "tests/")
#: What a terminal would take for an order, in a file that somebody edited.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def export(
    scenario: Annotated[
        Path,
        typer.Argument(
            metavar="SCENARIO", help="Scenario file, YAML or JSON; or the stack_config.json of an earlier export."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or that of an earlier export.")],
    target: Annotated[
        str,
        typer.Option(
            "--target",
            help="cdk for a project in Python, cloudformation for one template, which needs the extra [cdk].",
        ),
    ] = "cdk",
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Export the `service` section as it is, without a search.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", "--yes", "-y", help="Do not ask, and write over files that were edited too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Write the stack of a scenario's plan; over an earlier export only after a look at what changes.

    Example: estimator export shop.yaml my-stack
    """
    from estimator.export import preview_export, require_target
    from estimator.export.folders import write_export

    require_target(target)
    document = _read(scenario)
    found = _priced(document, scenario.parent, as_is, as_json)
    preview = preview_export(found, target, folder)
    if not as_json:
        say(f"{document.name}: {found}")
        _show(preview)
    if dry_run:
        written = False
    elif force or as_json or not _is_to_be_asked(preview):
        # Where nobody is asked, edited files are in the way without --force.
        write_export(preview, force=force)
        written = True
    else:
        written = typer.confirm(_question(preview))
        if written:
            write_export(preview, force=True)
    if as_json:
        typer.echo(json.dumps(_values(found, preview, written), indent=2))
    elif written:
        _tell(preview)
    elif not dry_run:
        say("Nothing was written.")
        raise typer.Exit(1)


def _read(path: Path) -> Scenario:
    """Read a scenario, also the one that an earlier export was made of."""
    from estimator.errors import InvalidScenario
    from estimator.scenario import Scenario

    values = _json_object(path)
    if "schema_version" in values and isinstance(values.get("scenario"), dict):
        return Scenario.from_dict(values["scenario"])
    if "figures" in values and "cost" in values:
        raise InvalidScenario(
            f"{path} is a plan's bill, which does not say what it was planned for. Give the scenario, or the stack_config.json of an "
            "earlier export."
        )
    return Scenario.from_file(path)


def _json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty for anything else, which the scenario's own reader refuses in its words."""
    if path.suffix.lower() != ".json":
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _priced(document: Scenario, folder: Path, as_is: bool, quiet: bool) -> Plan:
    from estimator.budget import with_budget

    rates = document.rates(folder)
    if as_is:
        return with_budget(document.estimate(rates, folder), folder)
    with progress_bar("Simulating candidates", quiet) as progress:
        found = document.plan(rates, folder, progress)
    return with_budget(found, folder)


def _show(preview: Preview) -> None:
    names = [file.name for file in preview.files]
    if not preview.is_earlier and len(names) > _FEW_FILES:
        first = [
            one
            for one in _READ_FIRST
            if any(name == one or (one[-1] == "/" and name.startswith(one)) for name in names)
        ]
        say(f"\n{preview.folder}: {len(names)} new files; to read first: {', '.join(first)}\n")
        return
    say(f"\n{preview}")
    for file in preview.files:
        if file.status != "unchanged":
            say(f"  {file.status:<8} {file.name}{_note(file)}")
    for file in preview.files:
        if file.diff:
            # As it is, and not wrapped: a diff is for `patch` too.
            typer.echo("\n" + _CONTROL.sub("\ufffd", file.diff), nl=False)
    say()


def _note(file: FilePreview) -> str:
    if file.status == "kept":
        return ", which was edited since the export and is no longer part of it"
    return ", which was edited since the export" if file.is_edited else ""


def _is_to_be_asked(preview: Preview) -> bool:
    """Say whether somebody is there who can be asked, and an earlier export that would change."""
    return preview.is_earlier and preview.changes and sys.stdin.isatty() and sys.stdout.isatty()


def _question(preview: Preview) -> str:
    edited = len(preview.overwritten)
    loses = f", and lose what was edited in {edited} of its files" if edited else ""
    return f"Write it to {preview.folder}{loses}?"


def _tell(preview: Preview) -> None:
    if preview.changes:
        say(f"Wrote {preview.folder}. Its README.md says how it is deployed, changed and deleted.")
    else:
        say(f"{preview.folder} is up to date.")


def _values(found: Plan, preview: Preview, written: bool) -> dict[str, Any]:
    return {
        "service": found.spec.describe(),
        "fingerprint": found.fingerprint(),
        "written": written,
    } | preview.to_dict()
