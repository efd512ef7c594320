"""The command `uncertain`: what is taken for granted of AWS, and what each of it does to a service; writes docs/uncertain.md.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import progress_bar, say
from estimator.commands.reading import read_scenario
from estimator.markdown import markdown_table

if TYPE_CHECKING:
    from estimator.planning.sensitivity import BehaviorEffect, ServiceFigures
    from estimator.service.uncertain import Uncertain, Value

#: How the page docs/uncertain.md is made anew.
REGENERATE = "estimator uncertain --markdown > docs/uncertain.md"
_MOVING = "Moving each parameter"
#: Said where a figure stays as it is.
SAME = "same"

_INTRO = f"""\
# What is uncertain, and what it does

AWS does not document all that an estimate depends on. What is taken for granted is a named field with a default; this page says where each
default comes from and what moving it does. It is made by `{REGENERATE}`.

## How to read it

Each row of the table moves one parameter to other plausible values, low to high, and leaves the others as they are. "Shown with" names the
service that shows most of it; the services are described below. The bill's change is in percent of that service's whole bill; minutes over
capacity and p95 latency are those of a month before and after. Values are parted by slashes in the same order everywhere, and "{SAME}" means
that nothing changes that can be read.

All runs have the same load, the same noise and the same chances. Still, a decision that falls a minute later moves those after it: small
differences in minutes say little, and may go against what one expects.

## For your own service

- `estimator uncertain shop.yaml` moves all of them in the service of your scenario (its section `service`) and says which matter there, most
  first, and which break its promise; `--json` and `--markdown` write the same for a program or a page.
- A parameter is set in the section of the scenario that the table names, most of them in `behavior`:

```yaml
behavior: {{metric_lag_s: 60, scale_in_step_percent: 100}}
```
"""


def uncertain(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="SCENARIO", help="Scenario file, YAML or JSON; without one the examples of docs/uncertain.md."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
) -> None:
    """Move what AWS does not document, one parameter at a time, and say what that does to the scenario's `service`.

    Example: estimator uncertain shop.yaml
    """
    from estimator.errors import InvalidScenario

    if as_json and as_markdown:
        raise InvalidScenario("--json and --markdown are both given; choose one.")
    if scenario is None:
        _print_examples(as_json, as_markdown)
    else:
        _print_service(scenario, as_json, as_markdown)


# A scenario's service.


def _print_service(path: Path, as_json: bool, as_markdown: bool) -> None:
    from estimator.planning.sensitivity import behavior_effects

    document, rates = read_scenario(path)
    spec = document.spec()
    with progress_bar(_MOVING, as_json) as progress:
        effects = behavior_effects(
            document.workload(path.parent),
            rates,
            spec,
            document.application,
            document.promise,
            document.behavior,
            document.operations,
            document.hours_per_month,
            extras=document.extras,
            progress=progress,
        )
    if as_json:
        values = {
            "name": document.name,
            "region": document.region,
            "service": spec.describe(),
            "hours_per_month": document.hours_per_month,
            "effects": [effect.to_dict() for effect in effects],
        }
        typer.echo(json.dumps(values, indent=2))
        return
    table = _effects_table(f"What moving each uncertain parameter does to {document.name}: {spec.describe()}", effects)
    rest = _without_effect(effects)
    if as_markdown:
        rows = (*table.rows, *([table.footer] if table.footer else []))
        typer.echo(
            "\n".join([f"# {table.title}", "", *markdown_table(table.columns, rows), *(["", rest] if rest else [])])
        )
        return
    from estimator.report.terminal import show

    show(table)
    if rest:
        say(rest)
    if document.savings_plans:
        say("Bills are On-Demand here: the scenario's Savings Plans are left out.")


def _effects_table(title: str, effects: Sequence[BehaviorEffect]) -> Any:
    from estimator.planning.sensitivity import MOVABLE
    from estimator.report.tables import Table

    # All have the same service as it is.
    before = effects[0].before
    shown = [effect for effect in effects if _can_be_read(effect)]
    breaks = any(effect.broken for effect in shown)
    rows = tuple(
        (
            effect.name,
            _value_text(effect.value_before),
            _value_text(effect.value),
            MOVABLE[effect.name].unit,
            *_figures_texts(effect.after),
            f"{round(effect.difference_usd, 2) + 0.0:+,.2f}" if effect.is_difference_known else "unknown",
            *(["; ".join(effect.broken)] if breaks else []),
        )
        for effect in shown
    )
    usd = "USD/month, at least" if before.is_lower_bound else "USD/month"
    figures = (f">{usd}", ">Tasks", ">Minutes over capacity", ">p95 ms", ">Refused")
    columns = ("Parameter", ">Now", ">Moved to", "Unit", *figures, ">Change", *(["Breaks"] if breaks else []))
    footer = ("As it is", "", "", "", *_figures_texts(before), "", *([""] if breaks else []))
    least = ("Tasks", "Unit", "Refused", "Now", "Minutes over capacity", usd, "p95 ms")
    return Table(title, columns, rows, footer, least)


def _can_be_read(effect: BehaviorEffect) -> bool:
    """Tell an effect that shows in what is printed."""
    return bool(
        effect.broken
        or round(effect.difference_usd, 2)
        or _figures_texts(effect.after) != _figures_texts(effect.before)
    )


def _figures_texts(figures: ServiceFigures) -> tuple[str, ...]:
    return (
        f"{figures.usd_per_month:,.2f}",
        f"{figures.mean_tasks:,.2f}",
        _minutes_text(figures.minutes_over_capacity_per_month),
        _ms_text(figures.p95_latency_ms),
        f"{100 * figures.refused_share:.3g} %",
    )


def _without_effect(effects: Sequence[BehaviorEffect]) -> str:
    with_effect = {effect.name for effect in effects if _can_be_read(effect)}
    names = dict.fromkeys(effect.name for effect in effects if effect.name not in with_effect)
    return f"Without effect on this service: {', '.join(names)}." if names else ""


# The page docs/uncertain.md: each parameter in a service that shows it.


def _print_examples(as_json: bool, as_markdown: bool) -> None:
    from estimator.planning.sensitivity import MOVABLE, shown_effects

    if as_markdown:
        with progress_bar(_MOVING) as progress:
            typer.echo(uncertain_markdown(progress), nl=False)
        return
    with progress_bar(_MOVING, as_json) as progress:
        found = shown_effects(progress)
    if as_json:
        rows = [
            MOVABLE[name].to_dict() | {"effects": [effect.to_dict() for effect in effects]}
            for name, effects in found.items()
        ]
        typer.echo(json.dumps({"parameters": rows}, indent=2))
        return
    from estimator.report.tables import Table
    from estimator.report.terminal import show

    cells = tuple(_cells(MOVABLE[name], effects) for name, effects in found.items())
    least = ("Set in", "Unit", "Shown with", "p95 in ms", "Default", "Minutes over capacity")
    show(Table("What is uncertain, and what it does to a service that shows it", _HEADS, cells, (), least))
    typer.echo(
        "`estimator uncertain --markdown` says where each default comes from; `estimator uncertain SCENARIO` moves them in yours."
    )


def uncertain_markdown(progress: Callable[[float], None] | None = None) -> str:
    """Write the page docs/uncertain.md.

    Parameters
    ----------
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    str
        Markdown, the same on every machine.
    """
    from estimator.planning.sensitivity import MOVABLE, PAGE_DAY, PAGE_REGION, settings, shown_effects
    from estimator.service.behavior import AwsBehavior
    from estimator.service.uncertain import DOCUMENTED, NOT_YET, SETTLED
    from estimator.units import HOURS_PER_MONTH

    found = shown_effects(progress)
    rows = [(MOVABLE[name], effects) for name, effects in found.items()]
    lines = [_INTRO, "## What each does", ""]
    lines += markdown_table(
        (*_HEADS, "How sure, and who says so"), ((*_cells(*row, code="`"), _source_text(row[0])) for row in rows)
    )
    lines += ["", "## The services", ""]
    bases = {row.shows_with: effects[0].before for row, effects in rows}
    lines += markdown_table(
        ("Shown with", "Service", "USD/month", "Tasks", "Minutes over capacity", "p95 in ms"),
        ((name, setting.title, *_base_texts(bases[name])) for name, setting in settings().items()),
    )
    day = f"{PAGE_DAY.day} {PAGE_DAY:%B %Y}"
    lines += ["", f"Prices are those of {PAGE_REGION} on {day}; a month has {HOURS_PER_MONTH:g} hours."]
    lines += ["", "## Taken as AWS says it", ""]
    taken = AwsBehavior()
    lines += markdown_table(
        ("Parameter", "Value", "Source"),
        ((f"`{name}`", _value_text(getattr(taken, name)), why) for name, why in DOCUMENTED.items()),
    )
    lines += ["", "## Uncertain, and without an effect", "", *_bullets(SETTLED)]
    lines += ["", "## Uncertain, and in no bill yet", "", *_bullets({row.title: row.source for row in NOT_YET})]
    return "\n".join([*lines, ""])


_HEADS = (
    "Parameter",
    ">Default",
    "Unit",
    ">Moved to",
    ">Bill",
    ">Minutes over capacity",
    ">p95 in ms",
    "Shown with",
    "Set in",
)


def _cells(row: Uncertain, effects: Sequence[BehaviorEffect], code: str = "") -> tuple[str, ...]:
    """Write what one parameter does, rounded so that it is the same on every machine."""
    before, after = effects[0].before, [effect.after for effect in effects]
    bill = [_percent_text(figures.usd_per_month, before.usd_per_month) for figures in after]
    minutes = [figures.minutes_over_capacity_per_month for figures in after]
    return (
        f"{code}{row.name}{code}",
        _value_text(row.default),
        row.unit,
        " / ".join(_value_text(effect.value) for effect in effects),
        SAME if set(bill) == {SAME} else " / ".join(bill),
        _from_to(_minutes_text, before.minutes_over_capacity_per_month, minutes),
        _from_to(_ms_text, before.p95_latency_ms, [figures.p95_latency_ms for figures in after]),
        row.shows_with,
        f"{code}{row.section}{code}",
    )


def _source_text(row: Uncertain) -> str:
    return f"{row.confidence[0].upper()}{row.confidence[1:]}. {row.source}."


def _base_texts(figures: ServiceFigures) -> tuple[str, ...]:
    minutes = _minutes_text(figures.minutes_over_capacity_per_month)
    return f"{figures.usd_per_month:,.0f}", f"{figures.mean_tasks:.1f}", minutes, _ms_text(figures.p95_latency_ms)


def _bullets(items: Mapping[str, str]) -> list[str]:
    return [f"- {what}. {why}{'' if why.endswith('.') else '.'}" for what, why in items.items()]


# Figures and tables as text.


def _value_text(value: Value) -> str:
    """Write a parameter's value as a scenario does."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _percent_text(after: float, before: float) -> str:
    percent = round(100 * (after - before) / before, 2)
    return f"{percent:+.2f} %" if percent else SAME


def _from_to(text: Callable[[float], str], before: float, after: Iterable[float]) -> str:
    texts = [text(value) for value in after]
    return SAME if set(texts) == {text(before)} else f"{text(before)} to {' / '.join(texts)}"


def _minutes_text(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes >= 9.95 else f"{minutes:.1f}"


def _ms_text(time_ms: float) -> str:
    return f"{float(f'{time_ms:.3g}'):,g}" if math.isfinite(time_ms) else "without bound"
