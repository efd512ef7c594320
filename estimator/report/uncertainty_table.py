"""Plans under uncertainty as tables: plans_risk_table, tornado_table, short_title, and the whole as Markdown and as rows of draws."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from estimator.markdown import markdown_table
from estimator.planning.regret import Chance, Quantile
from estimator.planning.uncertainty import Bar, PlanRisk, Uncertainty, value_text
from estimator.report.tables import Table

#: Width of the tornado's bars. [letters]
BAR_WIDTH = 33
#: Bars that are shown; the rest moves the bill less. [1]
MOST_BARS = 15
#: What moves the bill by less than that, and no minute, is without effect. [USD/month]
_CENT = 0.005


def short_title(title: str, found: Uncertainty) -> str:
    """Write the title of a plan, or the path of an input, without what no reader needs to tell the inputs apart.

    Parameters
    ----------
    title : str
        The title, such as ``high request.cpu_ms_per_request``, or a dotted path.
    found : Uncertainty
        What `estimator.risk.assess_risk` gives; it knows all inputs.

    Returns
    -------
    str
        The same with the last part alone of each path, such as ``high cpu_ms_per_request``; a path whose last part another input has too stays
        whole.
    """
    paths = {*found.draws.intervals, *found.draws.model}
    last = {path: path.rpartition(".")[2] for path in paths}
    count = Counter(last.values())
    # A comma follows a path where two titles stand beside each other.
    words = [(word.rstrip(","), word) for word in title.split(" ")]
    return " ".join(
        word.replace(path, last[path], 1) if path in last and count[last[path]] == 1 else word for path, word in words
    )


def plans_risk_table(found: Uncertainty) -> Table:
    """Show what each plan may come to.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.

    Returns
    -------
    Table
        Plan, P5, P50 and P95 of the bill, chance over budget, minutes over the promise, chance of a broken promise, regret; least regret first.
    """
    budget = found.budget_usd is not None
    order = sorted(found.plans, key=lambda plan: plan.expected_regret_usd)
    bounds = "at least " if found.outcomes.unknown else ""
    columns = (
        "Plan for",
        "What runs",
        f">P5 {bounds}USD/month",
        ">P50",
        ">P95",
        *([f">Over ${found.budget_usd:,.0f}"] if budget else []),
        ">Minutes over promise, P50 to P95",
        ">Promise broken",
        ">Regret, mean",
        ">Regret, worst",
    )
    least = ("Regret, worst", "What runs", "Minutes over promise, P50 to P95", "P5 USD/month")
    return Table(
        f"What {len(found.contenders)} {'plan' if len(found.contenders) == 1 else 'plans'} may come to in {found.outcomes.n_draws:,} draws",
        columns,
        tuple(_plan_row(plan, short_title(plan.title, found)) for plan in order),
        least=tuple(head for head in least if f">{head}" in columns or head in columns),
    )


def _plan_row(plan: PlanRisk, title: str) -> tuple[str, ...]:
    minutes = plan.minutes_over_promise
    return (
        title,
        plan.spec.describe(),
        *(f"{each.value:,.2f}" for each in plan.usd),
        *([_percent(plan.over_budget)] if plan.over_budget else []),
        f"{_minutes(minutes[1].value)} to {_minutes(minutes[2].value)}",
        _percent(plan.broken),
        f"{plan.expected_regret_usd:,.2f}",
        f"{plan.worst_regret_usd:,.2f}",
    )


def _percent(chance: Chance) -> str:
    return f"{100 * chance.share:.1f} %"


def _minutes(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes >= 9.95 else f"{minutes:.1f}"


def error_text(found: Uncertainty) -> str:
    """Say how far the figures of the plan of least regret may be off, since draws are few.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.

    Returns
    -------
    str
        Sentences.
    """
    plan = found.least_regret()
    low, high = plan.broken.bounds
    said = (
        f"Of the plan for {short_title(plan.title, found)}, the one of least regret, {found.outcomes.n_draws:,} draws leave P95 of the bill "
        f"{_between(plan.usd[2])} and the chance of a broken promise between {100 * low:.1f} and {100 * high:.1f} % (19 times out of 20)."
    )
    return f"{said} In a month that breaks the promise a minute over it weighs ${found.usd_per_minute_over_promise:,.2f} in the regret."


def _between(quantile: Quantile) -> str:
    low = "" if quantile.low is None else f"above ${quantile.low:,.2f}"
    if quantile.high is None:
        return f"{low or 'anywhere'}, with no upper bound: take more draws"
    return f"between ${quantile.low or 0.0:,.2f} and ${quantile.high:,.2f}"


def tornado_table(found: Uncertainty, most: int = MOST_BARS) -> Table:
    """Show what each input alone does to the plan of least regret, with bars.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.
    most : int
        Most rows. [1]

    Returns
    -------
    Table
        Input, its ends, the bill and the minutes over the promise there, whether another plan is then the better one, and a bar from one bill to the
        other around that at the likely values. Inputs without effect are left to `without_effect_text`.
    """
    plan = found.least_regret()
    rows = [row for row in found.tornado() if _has_effect(row)][:most]
    reach = max((abs(usd - plan.likely_usd) for row in rows for usd in (row.usd_low, row.usd_high)), default=0.0)
    return Table(
        f"What each input alone does to the plan for {short_title(plan.title, found)}: ${plan.likely_usd:,.2f} a month at the likely values",
        ("Input", ">From", ">To", ">USD/month", ">to", ">Minutes over promise", "Another plan", "Bill"),
        tuple(
            (
                row.name,
                value_text(row.low),
                value_text(row.high),
                f"{row.usd_low:,.2f}",
                f"{row.usd_high:,.2f}",
                f"{_minutes(row.minutes_low)} to {_minutes(row.minutes_high)}",
                "better" if row.changes_choice else "",
                bar_text(row.usd_low, plan.likely_usd, row.usd_high, reach),
            )
            for row in rows
        ),
        least=("Minutes over promise", "Bill", "Another plan", "to"),
    )


def _has_effect(row: Bar) -> bool:
    return row.changes_choice or row.swing_usd >= _CENT or row.swing_minutes >= _CENT


def bar_text(usd_low: float, usd_likely: float, usd_high: float, reach_usd: float, width: int = BAR_WIDTH) -> str:
    """Draw a bar of a tornado in text.

    Parameters
    ----------
    usd_low, usd_high : float
        Bills at both ends of the input. [USD/month]
    usd_likely : float
        Bill at the likely values, which stands in the middle. [USD/month]
    reach_usd : float
        How far the longest bar reaches from the middle. [USD/month]
    width : int
        Width in all. [letters]

    Returns
    -------
    str
        ``-`` where the input is low and ``+`` where it is high, ``|`` in the middle.

    Examples
    --------
    >>> bar_text(50, 100, 200, 100, width=13)
    '   ---|++++++'
    """
    half = width // 2
    cells = [" "] * (2 * half + 1)
    for usd, mark in ((usd_low, "-"), (usd_high, "+")):
        length = round(half * (usd - usd_likely) / reach_usd) if reach_usd else 0
        for place in range(min(length, 0), max(length, 0) + 1):
            cells[half + place] = mark
    cells[half] = "|"
    return "".join(cells).rstrip()


def without_effect_text(found: Uncertainty, most: int = MOST_BARS) -> str:
    """Say which inputs the tornado does not show.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.
    most : int
        Most rows of the tornado. [1]

    Returns
    -------
    str
        Sentences, empty if it shows all.
    """
    rows = found.tornado()
    some = [row.name for row in rows if _has_effect(row)][most:]
    none = [row.name for row in rows if not _has_effect(row)]
    said = [f"With less effect: {', '.join(some)}."] if some else []
    return " ".join([*said, *([f"Without effect on this plan: {', '.join(none)}."] if none else [])])


def risk_markdown(found: Uncertainty, name: str) -> str:
    """Write plans under uncertainty as Markdown.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.
    name : str
        Name of the scenario.

    Returns
    -------
    str
        What to measure next, the plans, the tornado, and notes.
    """
    plans, tornado = plans_risk_table(found), tornado_table(found)
    bars = [(*row[:-1], f"`{row[-1]}`") for row in tornado.rows]
    notes = [error_text(found), without_effect_text(found), *found.notes]
    parts = [
        f"# {name}: what it may cost",
        found.measure_next,
        f"## {plans.title}",
        "\n".join(markdown_table(plans.columns, plans.rows)),
        f"## {tornado.title}",
        "\n".join(markdown_table(tornado.columns, bars)),
        *filter(None, notes),
    ]
    return "\n\n".join(parts) + "\n"


def draws_csv(found: Uncertainty) -> str:
    """Write all draws as CSV.

    Parameters
    ----------
    found : Uncertainty
        What `estimator.risk.assess_risk` gives.

    Returns
    -------
    str
        A row for each draw: its inputs by dotted path, then of each plan the bill, the minutes over the promise and whether it is kept.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns: Sequence[str] = ("usd_per_month", "minutes_over_promise", "keeps_promise")
    writer.writerow(
        ["draw", *found.draws.values, *(f"{each.title}: {name}" for each in found.contenders for name in columns)]
    )
    out = found.outcomes
    for i in range(out.n_draws):
        inputs = [str(value).lower() if isinstance(value, bool) else value for value in found.draws.at(i).values()]
        figures = [
            cell
            for place in range(len(found.contenders))
            for cell in (
                f"{out.usd[i, place]:.12g}",
                f"{out.minutes_over_promise[i, place]:.12g}",
                str(bool(out.keeps[i, place])).lower(),
            )
        ]
        writer.writerow([i + 1, *inputs, *figures])
    return text.getvalue()
