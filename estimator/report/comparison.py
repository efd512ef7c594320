"""Two plans side by side, and a plan held against limits: tables, Markdown for a pull request, and a figure of the differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from estimator.billing.costing import CostLine, usd_text
from estimator.errors import NoFeasiblePlan, RateNotFound
from estimator.markdown import markdown_table, plain, prose
from estimator.planning.comparison import Comparison, FieldDifference, FigureDifference, value_text
from estimator.planning.guard import BROKEN, OK, UNKNOWN, CheckedPlan
from estimator.planning.line_differences import bounds_text, percent_text, signed_text
from estimator.planning.result import Plan, distinct
from estimator.report.bill_steps import GROUPS, REST, group_of, unknown_groups, unknown_text, usd_by_group
from estimator.report.tables import Table, rejections_table

if TYPE_CHECKING:  # a table does not wait for what draws
    import plotly.graph_objects as go

#: What a headline begins with: a word, never a color alone.
_WORDS = {OK: "OK", BROKEN: "BROKEN", UNKNOWN: "CANNOT BE SAID"}
#: Most bars of the figure; what is left is one bar. [lines]
_MOST_BARS = 12
#: Height of a bar, and of all around them. [px]
_BAR_PX, _AROUND_PX = 30, 90
#: Room for an amount beside the bars, as a part of what they span, where they go to one side and where they go to both. [1]
_ROOM_OF_ONE, _ROOM_OF_BOTH = 0.45, 0.7
#: Letters of a line of its axis' title. [characters]
_TITLE = 32
#: Letters of a line of the figure's caption, which stays on a phone's page. [characters]
_CAPTION = 46


# Two plans.


def lines_table(found: Comparison) -> Table:
    """Show every line of two bills.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    Table
        Quantity, unit price and cost of each, and the difference; ``none`` where a bill has no such line, ``unknown`` where a rate is not known.
    """
    rows = tuple(
        (
            line.title,
            *_quantities(line.before, line.after),
            *(
                _of(part, lambda each: each.effective_unit_price.replace(", ", "\n"))
                for part in (line.before, line.after)
            ),
            *(_of(part, lambda each: usd_text(each.effective_cost)) for part in (line.before, line.after)),
            bounds_text(line.least_usd, line.most_usd),
            percent_text(line.difference_percent),
        )
        for line in found.lines
    )
    totals = (_total(plan) for plan in (found.before, found.after))
    first, second = found.titles
    return Table(
        f"Line by line: the first is {first}, the second is {second}",
        (
            "Charge",
            ">First quantity",
            ">Second quantity",
            "Unit",
            ">First USD/unit",
            ">Second USD/unit",
            ">First USD/month",
            ">Second USD/month",
            ">Difference",
            ">Percent",
        ),
        rows,
        (
            "Total",
            "",
            "",
            "",
            "",
            "",
            *totals,
            bounds_text(found.least_difference_usd, found.most_difference_usd),
            percent_text(found.difference_percent),
        ),
        ("First USD/unit", "Second USD/unit", "Unit", "First quantity", "Second quantity", "Percent"),
    )


def _of(line: CostLine | None, text: Callable[[CostLine], str]) -> str:
    return "none" if line is None else text(line)


def _quantities(before: CostLine | None, after: CostLine | None) -> tuple[str, str, str]:
    units = dict.fromkeys(line.pricing_unit for line in (before, after) if line)
    first, second = (_of(line, lambda each: f"{each.pricing_quantity:,.2f}") for line in (before, after))
    return first, second, ", then ".join(units)


def _total(plan: Plan) -> str:
    return f"{'at least ' if plan.cost.is_lower_bound else ''}{plan.cost.total_usd:,.2f}"


def figures_table(found: Comparison) -> Table:
    """Show the figures of two plans.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    Table
        Tasks, latency, minutes, requests and what a million of them costs, of each, and the difference.
    """
    rows = tuple(
        (
            figure.title,
            figure.unit,
            _figure_text(figure, figure.before, figure.before_is_least),
            _figure_text(figure, figure.after, figure.after_is_least),
            _change_text(figure.difference),
        )
        for figure in found.figures
    )
    return Table("Figures of both", ("Figure", "Unit", ">First", ">Second", ">Difference"), rows, least=("Unit",))


def _figure_text(figure: FigureDifference, value: float, is_least: bool) -> str:
    if math.isnan(value):
        return "none"
    return f"{'at least ' if is_least else ''}{f'{_rounded(value):,.10g}' if math.isfinite(value) else 'without bound'}"


def _change_text(difference: float | None) -> str:
    change = None if difference is None else _rounded(difference)
    return f"{change:+,.10g}" if change else "" if change is None else "0"


def _rounded(value: float) -> float:
    """Round to what can be read: two decimals."""
    return round(value, 2) + 0.0


def fields_table(title: str, differing: Sequence[FieldDifference]) -> Table:
    """Show which fields differ.

    Parameters
    ----------
    title : str
        What the fields are of.
    differing : sequence of FieldDifference
        The fields.

    Returns
    -------
    Table
        Field and both values.
    """
    rows = tuple((field.name, value_text(field.before), value_text(field.after)) for field in differing)
    return Table(title, ("Field", "First", "Second"), rows)


def comparison_tables(found: Comparison) -> tuple[Table, ...]:
    """Show two plans side by side.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    tuple of Table
        Lines, figures, and what differs of service and assumptions; a table that would be empty is left out.
    """
    differing = (
        ("What differs of the services", found.service),
        ("What differs of the assumptions", found.assumptions),
    )
    return (
        lines_table(found),
        figures_table(found),
        *(fields_table(title, fields) for title, fields in differing if fields),
    )


def comparison_text(found: Comparison) -> tuple[str, ...]:
    """Say what two plans come to.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    tuple of str
        The verdict and what a reader should know besides; then which two services they are.
    """
    first, second = (f"{title}: {plan}." for title, plan in zip(found.titles, (found.before, found.after), strict=True))
    return found.verdict, *found.notes, first, second


def comparison_markdown(found: Comparison) -> str:
    """Write two plans side by side as Markdown, the same on every day.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    str
        Verdict, lines, figures, and what differs of service and assumptions.
    """
    first, second = found.titles
    parts = [f"# {plain(first)} and {plain(second)}"]
    verdict, *others = map(prose, comparison_text(found))
    parts += [f"**{verdict}**", *others]
    for table in comparison_tables(found):
        parts += [f"## {plain(table.title)}", _table(table)]
    parts += [prose(plan.cost.scope_text) for plan in _distinct_scopes(found)]
    return "\n\n".join(parts) + "\n"


def _distinct_scopes(found: Comparison) -> list[Plan]:
    return list({plan.cost.scope_text: plan for plan in (found.after, found.before)}.values())


# A plan held against limits.


def checks_table(checked: CheckedPlan) -> Table:
    """Show every check.

    Parameters
    ----------
    checked : CheckedPlan
        What `check_plan` gives.

    Returns
    -------
    Table
        What is limited, what is allowed, what the plan has, and whether that holds.
    """
    rows = tuple(
        (check.title, check.limit_text, check.actual_text, check.unit, check.state) for check in checked.checks
    )
    return Table("Limits", ("Limit", ">Allowed", ">Actual", "Unit", "State"), rows, least=("Unit",))


def advice_text(checked: CheckedPlan) -> tuple[str, ...]:
    """Say what to do about limits that do not hold.

    Parameters
    ----------
    checked : CheckedPlan
        What `check_plan` gives.

    Returns
    -------
    tuple of str
        A sentence or two for each, those of one advice together; none where all hold.
    """
    failed = (*checked.of_state(BROKEN), *checked.of_state(UNKNOWN))
    titles: dict[str, list[str]] = {}
    for check in failed:
        titles.setdefault(check.advice, []).append(check.title)
    said = [f"{', '.join(names)}: {advice}" for advice, names in titles.items()]
    unknown = unknown_text(checked.plan.cost) if checked.of_state(UNKNOWN) else ""
    return (*said, *([unknown] if unknown else []))


def groups_table(checked: CheckedPlan) -> Table:
    """Show a bill by group of charges, beside that of the base where there is one.

    Parameters
    ----------
    checked : CheckedPlan
        What `check_plan` gives.

    Returns
    -------
    Table
        Group and cost; with a base also its cost and the difference.
    """
    costs = [checked.plan.cost] if checked.comparison is None else [checked.comparison.before.cost, checked.plan.cost]
    sums, unknown = [usd_by_group(cost) for cost in costs], [unknown_groups(cost) for cost in costs]
    rows = []
    for group in (*GROUPS, REST):
        if not any(usd[group] or group in open_groups for usd, open_groups in zip(sums, unknown, strict=True)):
            continue
        cells = [
            f"{'at least ' if group in open_groups else ''}{usd[group]:,.2f}"
            for usd, open_groups in zip(sums, unknown, strict=True)
        ]
        rows.append((group, *cells, *_group_difference(checked.comparison, group)))
    if checked.comparison is None:
        return Table("The bill", ("Group", ">USD/month"), tuple(rows), ("Total", _total(checked.plan)))
    found = checked.comparison
    total = bounds_text(found.least_difference_usd, found.most_difference_usd)
    return Table(
        "The bill",
        ("Group", ">Base USD/month", ">USD/month", ">Difference"),
        tuple(rows),
        ("Total", _total(found.before), _total(found.after), total),
    )


def _group_difference(found: Comparison | None, group: str) -> tuple[str, ...]:
    if found is None:
        return ()
    lines = [
        line for line in found.lines if any(part and group_of(part) == group for part in (line.before, line.after))
    ]
    return (bounds_text(math.fsum(line.least_usd for line in lines), math.fsum(line.most_usd for line in lines)),)


def check_markdown(checked: CheckedPlan, name: str, command: str) -> str:
    """Write what a check found as Markdown for a pull request, the same on every day unless the age of rates is limited.

    Parameters
    ----------
    checked : CheckedPlan
        What `check_plan` gives.
    name : str
        What was checked.
    command : str
        The command that says the same again.

    Returns
    -------
    str
        Headline, checks, the bill by group with its difference to the base, what to do, what is not included, and the command.
    """
    plan, found, advice = checked.plan, checked.comparison, advice_text(checked)
    parts = [
        f"## {plain(name)}: {_WORDS[checked.state]}",
        f"**{prose(checked.headline)}**",
        f"{plain(plan.spec.describe())}, in {plain(plan.cost.region)}",
        _table(checks_table(checked)),
        *(["\n".join(f"- {prose(text)}" for text in advice)] if advice else []),
        *([f"### Against the base\n\n{prose(found.verdict)}", *map(prose, found.notes)] if found else []),
        f"### The bill\n\n{_table(groups_table(checked))}",
        *([_changed_lines(found)] if found and _changed_lines(found) else []),
        prose(f"{plan.cost.prices_text} Not included: {plan.cost.not_included}."),
        f"Again: {_code(command)}",
    ]
    return "\n\n".join(parts) + "\n"


def unpriced_markdown(error: NoFeasiblePlan | RateNotFound, name: str, command: str) -> str:
    """Write as Markdown that there is no plan to check: no candidate keeps the promise, or all need a rate that is not known.

    Parameters
    ----------
    error : NoFeasiblePlan or RateNotFound
        What the search said.
    name : str
        What was checked.
    command : str
        The command that says the same again.

    Returns
    -------
    str
        Headline, the nearest candidates with the limit that each breaks, and the command.
    """
    rejections = error.rejections if isinstance(error, NoFeasiblePlan) else ()
    state = BROKEN if isinstance(error, NoFeasiblePlan) else UNKNOWN
    parts = [f"## {plain(name)}: {_WORDS[state]}", f"**{prose(str(error))}**"]
    if rejections:
        parts.append(_table(rejections_table(distinct(rejections))))
    return "\n\n".join([*parts, f"Again: {_code(command)}"]) + "\n"


def _changed_lines(found: Comparison) -> str:
    """Write the lines that differ, the largest difference first; empty where none does."""
    changed = [line for line in found.lines if line.difference_usd is None or round(line.difference_usd, 2)]
    if not changed:
        return ""
    changed.sort(key=lambda line: -math.inf if line.difference_usd is None else -abs(line.difference_usd))
    rows = [
        (
            plain(line.title),
            _of(line.before, lambda each: usd_text(each.effective_cost)),
            _of(line.after, lambda each: usd_text(each.effective_cost)),
            bounds_text(line.least_usd, line.most_usd),
        )
        for line in changed
    ]
    heads = ("Charge that differs", ">Base USD/month", ">USD/month", ">Difference")
    return "\n".join(markdown_table(heads, rows))


def _table(table: Table) -> str:
    rows = [[plain(cell) for cell in row] for row in table.rows]
    footer = [[f"**{plain(cell)}**" if cell else "" for cell in table.footer]] if table.footer else []
    return "\n".join(markdown_table(table.columns, [*rows, *footer]))


def _code(command: str) -> str:
    """Write a command as code, whatever backticks it has."""
    fence = "``" if "`" in command else "`"
    gap = " " if "`" in command else ""
    return f"{fence}{gap}{command}{gap}{fence}"


# The figure.


def differences_figure(found: Comparison) -> go.Figure:
    """Draw what each line of the second bill costs more or less than in the first.

    Parameters
    ----------
    found : Comparison
        What `compare` gives.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar for each line that differs, the largest on top, and one for the total; less is hatched, more is plain, and each bar has its amount.
        The title of the axis says which of the two is taken off which; lines without a known difference are named in the caption. [USD/month]
    """
    import html
    import textwrap

    import plotly.graph_objects as go

    from estimator.report.drawing import BLUE, GRAY, GRAY_AREA, VERMILION, paper

    known = [(line.title, line.difference_usd) for line in found.lines if line.difference_usd]
    known.sort(key=lambda bar: -abs(bar[1]))
    bars, rest = known[:_MOST_BARS], known[_MOST_BARS:]
    if rest:
        bars.append((f"{len(rest)} other lines", math.fsum(usd for _, usd in rest)))
    total = found.difference_usd
    if total is not None:
        bars.append(("<b>Total</b>", total))
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[usd for _, usd in bars],
            y=[title for title, _ in bars],
            text=[signed_text(usd) for _, usd in bars],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [GRAY if "<b>" in title else VERMILION if usd > 0 else BLUE for title, usd in bars],
                "pattern": {"shape": ["/" if usd < 0 else "" for _, usd in bars]},
            },
            hovertemplate="%{y}: %{text} USD/month<extra></extra>",
        )
    )
    said = f"Not known: {', '.join(line.title for line in found.unknown)}" if found.unknown else ""
    caption = "<br>".join(textwrap.wrap(said, _CAPTION))
    first, second = found.titles
    named = textwrap.wrap(f"{second} less {first} [USD/month]", _TITLE)
    axis = "<br>".join(map(html.escape, named))
    low, high = (end(0.0, *(usd for _, usd in bars)) for end in (min, max))
    # Room for the amounts, on each side that has bars.
    room = (_ROOM_OF_BOTH if low < 0 < high else _ROOM_OF_ONE) * max(high - low, 0.01)
    figure.update_xaxes(
        title_text=f"{axis}<br><span style='font-size: 12px'>{caption}</span>" if caption else axis,
        range=[low - room if low < 0 else low, high + room if high > 0 or low == 0 else high],
        tickprefix="$",
        tickformat=",~f",
        nticks=5,
        gridcolor=GRAY_AREA,
        zerolinecolor=GRAY,
        automargin=True,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticksuffix="  ")
    figure.update_layout(
        paper(_AROUND_PX + _BAR_PX * len(bars) + 16 * len(caption.split("<br>")) + 18 * (len(named) - 1)),
        bargap=0.4,
        showlegend=False,
    )
    return figure
