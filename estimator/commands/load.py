"""The `load` commands: what a scenario's load is, and loads from CloudWatch and from access logs.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the commands. What can be put into a scenario goes to
standard output, what is only to be read goes to standard error.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import say

if TYPE_CHECKING:
    from estimator.workload.measured import Measured
    from estimator.workload.profile import LoadProfile

load = typer.Typer(
    help="Where the load comes from: show a scenario's, measure one with CloudWatch or access logs.\n\n"
    "Start with: estimator load show shop.yaml",
    no_args_is_help=True,
    rich_markup_mode=None,
)

#: Where a load without dates begins in a file: a Monday, as weeks do, and 1 January, as seasons do.
NO_DATE = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
#: Two whole weeks are the longest range of which CloudWatch surely keeps every minute. [days]
USUAL_DAYS = 14
_MARKS, _MOST_MARKS = "▁▂▃▄▅▆▇█", 72

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.")]
Output = Annotated[
    Path, typer.Option("--output", metavar="CSV", help="File to write: the columns timestamp and requests.")
]


@load.command("show")
def show_load(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    output: Annotated[
        Path | None, typer.Option("--output", metavar="CSV", help="Also write it: the columns timestamp and requests.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Show a scenario's load in numbers, shaped as the scenario says.

    Example: estimator load show shop.yaml --output profile.csv
    """
    from estimator.files import require_free, write_whole
    from estimator.scenario import Scenario
    from estimator.units import SECONDS_PER_HOUR

    document = Scenario.from_file(scenario)
    require_free(output, force)
    profile = document.load.profile(scenario.parent)
    figures = _figures(profile) | {
        "requests_per_month": profile.mean_requests_per_s * document.hours_per_month * SECONDS_PER_HOUR,
        "hours_per_month": document.hours_per_month,
    }
    if output is not None:
        write_whole(output, _csv(profile))
    if as_json:
        values = {"name": document.name, "kind": document.load.kind, **figures, "notes": list(profile.notes)}
        typer.echo(json.dumps(values | ({"written_to": str(output)} if output else {}), indent=2))
        return
    from estimator.report.terminal import show

    show(_table(document.name, document.load.kind, figures))
    if sys.stdout.isatty() and "utf" in sys.stdout.encoding.lower():
        typer.echo(_drawn(profile))
    _say_notes(profile.notes)
    if output is not None:
        _say_written(output, profile)


@load.command("cloudwatch")
def measure_with_cloudwatch(
    load_balancer: Annotated[
        str,
        typer.Option("--load-balancer", metavar="NAME", help="Its ARN, or the end of it: app/my-alb/0123456789abcdef."),
    ],
    output: Output,
    region: Annotated[
        str | None,
        typer.Option("--region", help="Region code; by default the ARN's, else the one of your AWS settings."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="MOMENT", help=f"A day or a full hour, in UTC; by default {USUAL_DAYS} days before --to."
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="MOMENT", help="The same, not in the range; by default this full hour."),
    ] = None,
    step_s: Annotated[
        int, typer.Option("--step", metavar="SECONDS", help="60, 300 or 3600; coarser where CloudWatch keeps no finer.")
    ] = 60,
    request_kb: Annotated[
        float | None,
        typer.Option(
            "--request-kb", metavar="KB", help="Bytes in of a request, to part CloudWatch's bytes in and out."
        ),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Read a load balancer's load from CloudWatch into a CSV file, and what it measured of a request.

    Needs AWS credentials with the permission cloudwatch:GetMetricData; AWS charges some cents for it.

    Example: estimator load cloudwatch --load-balancer app/my-alb/0123456789abcdef --region eu-west-1 --output load.csv
    """
    from estimator.checks import require_number
    from estimator.files import require_free
    from estimator.workload.cloudwatch import load_from_cloudwatch

    if request_kb is not None:
        require_number("--request-kb", request_kb, 0)
    require_free(output, force)
    until = _moment("--to", end) or dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    since = _moment("--from", begin) or until - dt.timedelta(days=USUAL_DAYS)
    with _waiting("Asking CloudWatch", quiet=as_json):
        profile, measured = load_from_cloudwatch(load_balancer, since, until, step_s, region=region)
    _hand_over(output, profile, measured, request_kb, as_json)


@load.command("access-logs")
def count_access_logs(
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOGS...", help="A folder of *.log and *.log.gz files, a file, or several of both."),
    ],
    output: Output,
    step_s: Annotated[
        int, typer.Option("--step", metavar="SECONDS", help="Whole tens of seconds that divide an hour.")
    ] = 60,
    gaps: Annotated[
        str, typer.Option("--gaps", help="Where five minutes have no line: error, interpolate, previous or zero.")
    ] = "error",
    whole: Annotated[
        str, typer.Option("--whole", help="Where the logs fill no whole hour: error, or cut the end to hours or days.")
    ] = "error",
    load_balancer: Annotated[
        str | None, typer.Option("--load-balancer", metavar="NAME", help="Count only lines of this one: app/name/id.")
    ] = None,
    max_malformed_percent: Annotated[
        float,
        typer.Option("--max-malformed-percent", metavar="PERCENT", help="Lines to pass over that are no log lines."),
    ] = 0.0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Count an Application Load Balancer's access logs into a CSV file, and say what they tell of a request.

    Example: estimator load access-logs logs/ --whole hours --output load.csv
    """
    from estimator.files import require_free
    from estimator.workload.access_logs import load_from_access_logs

    require_free(output, force)
    rules: dict[str, Any] = {"gaps": gaps, "whole": whole}
    with _waiting("Counting access logs", quiet=as_json):
        profile, measured = load_from_access_logs(
            logs, step_s, load_balancer=load_balancer, max_malformed_percent=max_malformed_percent, **rules
        )
    _hand_over(output, profile, measured, None, as_json)


def _figures(profile: LoadProfile) -> dict[str, Any]:
    import numpy as np

    from estimator.units import SECONDS_PER_HOUR

    rates = profile.requests_per_s
    peak_s = int(rates.argmax()) * profile.step_s
    start = profile.start
    return {
        "period_hours": profile.period_hours,
        "steps": rates.size,
        "step_s": profile.step_s,
        "start": start.isoformat() if start else None,
        "mean_requests_per_s": profile.mean_requests_per_s,
        "peak_requests_per_s": profile.peak_requests_per_s,
        "peak_hour": peak_s / SECONDS_PER_HOUR,
        "peak_at": (start + dt.timedelta(seconds=peak_s)).isoformat() if start else None,
        "p99_requests_per_s": float(np.quantile(rates, 0.99, method="inverted_cdf")),
        "min_requests_per_s": float(rates.min()),
        "requests_per_period": profile.requests,
    }


def _table(name: str, kind: str, figures: dict[str, Any]) -> Any:
    from estimator.report.tables import Table

    hours, step_s, begin, peak = (figures[key] for key in ("period_hours", "step_s", "start", "peak_hour"))
    minute = round(peak * 60)
    at = _utc(figures["peak_at"]) or f"day {minute // 1440 + 1}, {minute // 60 % 24:02}:{minute % 60:02} of the period"
    rows = (
        (
            "Period",
            f"{hours:,.10g}",
            "h",
            f"{hours / 24:,.4g} days, {f'from {_utc(begin)}' if begin else 'without dates'}",
        ),
        ("Step", f"{step_s:,}", "s", f"{figures['steps']:,} steps"),
        ("Mean", _rate(figures["mean_requests_per_s"]), "requests/s", ""),
        ("Peak", _rate(figures["peak_requests_per_s"]), "requests/s", at),
        ("p99", _rate(figures["p99_requests_per_s"]), "requests/s", "99 % of the steps have no more"),
        ("Lowest", _rate(figures["min_requests_per_s"]), "requests/s", ""),
        ("Requests of the period", f"{figures['requests_per_period']:,.0f}", "requests", ""),
        (
            "Requests of a month",
            f"{figures['requests_per_month']:,.0f}",
            "requests",
            f"of {figures['hours_per_month']:g} hours",
        ),
    )
    return Table(f"Load of {name}, {kind}", ("", ">Figure", "Unit", ""), rows)


def _utc(moment: str | None) -> str:
    return moment.replace("T", " ").replace(":00+00:00", " UTC") if moment else ""


def _rate(requests_per_s: float) -> str:
    return f"{requests_per_s:,.1f}" if requests_per_s >= 99.95 else f"{requests_per_s:.4g}"


def _drawn(profile: LoadProfile) -> str:
    """Draw the load as a row of blocks, each the mean of some hours."""
    import numpy as np

    hourly = profile.hourly_mean()
    fitting = (hours for hours in (1, 2, 3, 4, 6, 8, 12) if hours * _MOST_MARKS >= hourly.size)
    hours = next(fitting, -(-hourly.size // (24 * _MOST_MARKS)) * 24)
    edges = np.arange(0, hourly.size, hours)
    means = np.add.reduceat(hourly, edges) / np.diff([*edges, hourly.size])
    heights = np.ceil(means / (means.max() or 1.0) * len(_MARKS)).astype(int) - 1
    row = "".join(_MARKS[max(height, 0)] for height in heights)
    return f"{row}\nEach mark is the mean of {'an hour' if hours == 1 else f'{hours} hours'}; the highest is {_rate(means.max())} requests/s."


def _hand_over(output: Path, profile: LoadProfile, measured: Measured, request_kb: float | None, as_json: bool) -> None:
    """Write the load, and print what a scenario needs to use it."""
    from estimator.files import write_whole

    write_whole(output, _csv(profile))
    fields = {name: float(f"{value:.6g}") for name, value in measured.request_fields(request_kb).items()}
    notes = (*profile.notes, *measured.notes)
    if as_json:
        from dataclasses import asdict

        facts = {name: value for name, value in asdict(measured).items() if name != "notes"}
        values = {"written_to": str(output), "load": _figures(profile), "request": fields, "measured": facts}
        typer.echo(json.dumps(values | {"notes": list(notes)}, indent=2))
        return
    typer.echo(_snippet(output, fields, measured), nl=False)
    _say_notes(notes)
    _say_written(output, profile)


def _snippet(output: Path, fields: dict[str, float], measured: Measured) -> str:
    """Write the sections load and request of a scenario; what has no field there is a comment."""
    import yaml

    path = yaml.safe_dump(str(output), width=float("inf")).removesuffix("\n...\n").strip()
    lines = [
        "load:",
        "  kind: csv",
        f"  path: {path}  # relative to the scenario",
        f"request:  # means of {measured.requests:,.0f} requests",
        "  # cpu_ms_per_request: measure it, no load balancer can see it",
        *(f"  {name}: {value:g}" for name, value in fields.items()),
    ]
    if measured.processed_kb is not None and "response_kb" not in fields:
        lines.append(f"  # {measured.processed_kb:.4g} kB in and out together; --request-kb parts them")
    if measured.mean_target_ms is not None:
        lines.append(
            f"  # Targets began to answer after {measured.mean_target_ms:.4g} ms (p50 {measured.p50_target_ms:g}, p95 {measured.p95_target_ms:g}, "
            f"p99 {measured.p99_target_ms:g}): CPU time, queueing and waiting for others together"
        )
    if measured.reached_target_share is not None:
        lines.append(f"  # {measured.reached_target_share * 100:.4g} % of the requests reached a target")
    if measured.status_shares:
        often = sorted(measured.status_shares.items(), key=lambda item: -item[1])
        lines.append(f"  # Status {', '.join(f'{status}: {share:.2%}' for status, share in often[:8])}")
    return "\n".join(lines) + "\n"


def _moment(name: str, text: str | None) -> dt.datetime | None:
    from estimator.checks import shown
    from estimator.errors import InvalidScenario

    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidScenario(
            f"{name} is {shown(text)}; it must be a day or a full hour, such as 2026-03-01 or 2026-03-01T08:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _csv(profile: LoadProfile) -> str:
    import numpy as np

    if profile.requests_per_s.size == 1:  # a reader learns the step from two rows
        profile = profile.resample(1800)
    counts = profile.requests_per_s * profile.step_s
    # A count that was whole comes back whole, and not 1e-12 beside it.
    nearest = np.rint(counts)
    counts = np.where(np.abs(counts - nearest) <= 1e-12 * nearest, nearest, counts)
    start, step = profile.start or NO_DATE, dt.timedelta(seconds=profile.step_s)
    rows = ["timestamp,requests"]
    for place, count in enumerate(counts.tolist()):
        moment = (start + place * step).isoformat().replace("+00:00", "Z")
        rows.append(f"{moment},{int(count) if count.is_integer() else repr(count)}")
    return "\n".join(rows) + "\n"


def _say_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        say(f"Note: {note}", stderr=True)


def _say_written(path: Path, profile: LoadProfile) -> None:
    undated = "" if profile.start else f" The load has no dates; in the file it begins on Monday, {NO_DATE:%Y-%m-%d}."
    say(f"Wrote {path}: {profile.requests_per_s.size:,} rows of {profile.step_s:,} s.{undated}", stderr=True)


@contextmanager
def _waiting(title: str, quiet: bool) -> Iterator[None]:
    """Say on a terminal what is waited for; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield
