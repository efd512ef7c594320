"""The commands `simulate` and `replay`: a service's course over one period, and a flash crowd under several ways to scale.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import say

if TYPE_CHECKING:
    from estimator.planning.result import Plan
    from estimator.simulation.replay import Replay

#: The options of `replay` by what they are called in Python.
_REPLAY_OPTIONS = {
    "factor": "--factor",
    "rise_s": "--rise",
    "hold_s": "--hold",
    "decay_s": "--decay",
    "base_requests_per_s": "--base",
    "max_capacity": "--max-capacity",
}
#: Scaling activities that are shown unless all are asked for.
SOME_ACTIVITIES = 20

ScenarioFile = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON, with a section `service`.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Write over existing files.")]


def simulate(
    scenario: ScenarioFile,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="CSV", help="Write the course, one row for each step.")
    ] = None,
    hours: Annotated[
        Path | None,
        typer.Option(
            "--hours", metavar="CSV", help="Write billed task-seconds and capacity units, one row for each hour."
        ),
    ] = None,
    activities: Annotated[
        bool, typer.Option("--activities", help=f"List all scaling activities, not only the first {SOME_ACTIVITIES}.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Follow the scenario's `service` section through one period of its load, and say what happened.

    Example: estimator simulate shop.yaml --output course.csv
    """
    from estimator.files import write_whole

    _require_free({"--output": output, "--hours": hours}, force)
    document = _read(scenario)
    found = document.estimate(document.rates(scenario.parent), scenario.parent)
    written = []
    for path, make in ((output, _course_csv), (hours, _hours_csv)):
        if path is not None:
            write_whole(path, make(found))
            written.append(path)
    _print_course(document.name, found, activities, written, as_json)


def replay(
    scenario: ScenarioFile,
    factor: Annotated[float, typer.Option("--factor", help="How many times the load rises.")] = 10.0,
    rise_s: Annotated[int, typer.Option("--rise", metavar="SECONDS", help="How long it rises.")] = 60,
    hold_s: Annotated[int, typer.Option("--hold", metavar="SECONDS", help="How long it stays.")] = 1800,
    decay_s: Annotated[int, typer.Option("--decay", metavar="SECONDS", help="How long it falls.")] = 1800,
    base: Annotated[
        float | None,
        typer.Option("--base", metavar="REQ/S", help="Load before the crowd; the mean of the scenario's by default."),
    ] = None,
    max_capacity: Annotated[
        int | None,
        typer.Option(
            "--max-capacity", metavar="TASKS", help="Maximum of all ways; by default above what the crowd needs."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="CSV", help="Write the courses, one row for each way and step.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="HTML", help="Write a figure as a page that needs no network.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Send a flash crowd to the scenario's `service` section under several ways to scale, and compare them.

    Example: estimator replay shop.yaml --factor 10 --rise 60 --figure replay.html
    """
    from estimator.errors import ExportError
    from estimator.files import write_whole
    from estimator.simulation.replay import replay_flash_crowd

    _require_free({"--output": output, "--figure": figure}, force)
    if figure is not None and figure.suffix.lower() not in {".html", ".htm"}:
        raise ExportError(f"--figure is {figure}; it must end in .html: the figure is a page to open in a browser.")
    document = _read(scenario)
    with _options_named(_REPLAY_OPTIONS):
        found = replay_flash_crowd(
            document.workload(scenario.parent),
            document.spec(),
            factor=factor,
            rise_s=rise_s,
            hold_s=hold_s,
            decay_s=decay_s,
            base_requests_per_s=base,
            max_capacity=max_capacity,
            application=document.application,
            behavior=document.behavior,
            p95_latency_ms=document.promise.p95_latency_ms,
        )
    written = []
    for path, make in ((output, _replay_csv), (figure, _replay_html)):
        if path is not None:
            write_whole(path, make(found))
            written.append(path)
    _print_replay(document.name, found, found.notes, written, as_json)


@contextmanager
def _options_named(options: Mapping[str, str]) -> Iterator[None]:
    """Call an argument that an error names by the option that gave it."""
    from estimator.errors import InvalidScenario

    try:
        yield
    except InvalidScenario as error:
        name, is_, rest = str(error).partition(" is ")
        if name in options:
            raise InvalidScenario(f"{options[name]}{is_}{rest}") from None
        raise


def _read(path: Path) -> Any:
    from estimator.scenario import Scenario

    document = Scenario.from_file(path)
    document.spec()  # says in a sentence that there is no service
    return document


def _require_free(paths: dict[str, Path | None], force: bool) -> None:
    from estimator.errors import ExportError
    from estimator.files import require_free

    for path in paths.values():
        require_free(path, force)
    given = [path.absolute() for path in paths.values() if path is not None]
    if len(set(given)) < len(given):
        raise ExportError(f"{' and '.join(paths)} name the same file, {given[0]}. Choose two names.")


def _print_course(name: str, found: Plan, every: bool, written: Sequence[Path], as_json: bool) -> None:
    from estimator.billing.lcu import lower_lcu

    savings = lower_lcu(found.workload, found.behavior)
    moved = found.series.activities
    most = None if every else SOME_ACTIVITIES
    if as_json:
        from dataclasses import asdict

        from estimator.report.course_tables import course_values

        values = {
            "name": name,
            "service": found.spec.to_dict(),
            "summary": found.spec.describe(),
            "course": course_values(found),
            "lower_lcu": [asdict(saving) | {"fields": dict(saving.fields)} for saving in savings],
            "scaling_activities": len(moved),
            "activities": [asdict(activity) for activity in moved[:most]],
            "notes": list(found.warnings),
        }
        _print_json(values, written)
        return
    from estimator.report.course_tables import activities_table, course_table, lcu_savings_table
    from estimator.report.terminal import show

    say(f"\n{name}: {found.spec.describe()}\n")
    show(course_table(found))
    say()
    if moved:
        show(activities_table(found, most))
        if most is not None and len(moved) > most:
            say(f"{len(moved) - most:,} more: --activities lists them all.")
    else:
        say("No scaling activities: the desired count never moves.")
    if savings:
        say()
        show(lcu_savings_table(savings))
    _say(found.warnings, written)


def _print_replay(name: str, found: Replay, notes: Sequence[str], written: Sequence[Path], as_json: bool) -> None:
    from estimator.report.course_tables import replay_rows, replay_table
    from estimator.report.terminal import show

    if as_json:
        values = {
            "name": name,
            "base_requests_per_s": found.base_requests_per_s,
            "peak_requests_per_s": found.peak_requests_per_s,
            "crowd_s": found.end_s - found.start_s,
            "max_capacity": found.max_capacity,
            "own_max_capacity": found.own_max_capacity,
            "ways": replay_rows(found),
            "notes": list(notes),
        }
        _print_json(values, written)
        return
    show(replay_table(found))
    say(
        "\nTimes count from the begin of the crowd, in minutes and seconds; extra task-hours are those billed above the tasks before it."
    )
    for way, spec in zip(found.names, found.simulation.specs, strict=True):
        say(f"{way}: {spec.describe_scaling()}.")
    _say(notes, written)


def _print_json(values: dict[str, Any], written: Sequence[Path]) -> None:
    typer.echo(json.dumps(values | ({"written_to": [str(path) for path in written]} if written else {}), indent=2))


def _say(notes: Sequence[str], written: Sequence[Path]) -> None:
    for note in notes:
        say(f"Note: {note}")
    for path in written:
        say(f"Wrote {path}.", stderr=True)


def _course_csv(found: Plan) -> str:
    frame = found.series.to_frame()
    start = found.workload.load.start
    if start is not None:
        import datetime as dt

        frame.insert(
            0, "timestamp", [f"{start + dt.timedelta(seconds=s):%Y-%m-%dT%H:%M:%SZ}" for s in frame.index.tolist()]
        )
    return _csv(frame)


def _hours_csv(found: Plan) -> str:
    import numpy as np

    from estimator.billing.lcu import DIMENSIONS
    from estimator.units import SECONDS_PER_HOUR

    series, lcu = found.series, found.lcu
    billed = series.by_hour().pivot_table(index="hour", columns="capacity_provider", values="billed_task_s")
    billed.columns = [f"{provider.lower()}_billed_task_s" for provider in billed.columns]
    per_hour = SECONDS_PER_HOUR // series.step_s
    billed.insert(0, "mean_requests_per_s", series.requests_per_s.reshape(-1, per_hour).mean(axis=1))
    billed.insert(1, "peak_desired_count", series.desired_count.reshape(-1, per_hour).max(axis=1))
    for name, values in zip(DIMENSIONS, np.asarray(lcu.dimensions), strict=True):
        billed[f"{name.replace(' ', '_')}_lcu"] = values
    billed["consumed_lcu"] = lcu.consumed
    billed["leading_dimension"] = lcu.leading_by_hour
    return _csv(billed)


def _replay_csv(found: Replay) -> str:
    import pandas as pd

    frames = []
    for series in found.series:
        frame = series.to_frame()
        frame.index = (frame.index - found.start_s).rename("time_from_crowd_s")
        frames.append(frame)
    return _csv(pd.concat(frames, keys=found.names, names=["scaling"]))


def _replay_html(found: Replay) -> str:
    from estimator.report.course_figures import replay as drawn
    from estimator.report.course_figures import standalone_html

    times = f"{found.peak_requests_per_s / found.base_requests_per_s:g} times"
    return standalone_html(drawn(found), f"A flash crowd of {times} the load under {len(found.names)} ways to scale")


def _csv(frame: Any) -> str:
    """Write a table with the twelve digits that a figure has at the most."""
    return str(frame.to_csv(float_format="%.12g", lineterminator="\n"))
