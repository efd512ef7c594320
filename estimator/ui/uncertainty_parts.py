"""Parts of the page on uncertainty: what is sure and what is not, in figures; the plans that compete; the month behind a figure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from estimator.planning.regret import Chance, Quantile
from estimator.planning.uncertainty import Uncertainty, value_text
from estimator.report.provenance import explain
from estimator.report.tables import Table, bill_table
from estimator.report.uncertainty_figures import bills_figure, regret_figure, tornado_figure
from estimator.report.uncertainty_table import error_text, plans_risk_table, tornado_table, without_effect_text
from estimator.ui import cached, figures, tables
from estimator.ui.uncertainty_answers import Asked, draw_of

#: How often it is told how far an answer is. [s]
_TELL_S = 0.1
#: The inputs of a draw that are shown: those that move the bill most. [1]
_MOST_INPUTS = 12


def telling(place: Any, words: Callable[[float], str]) -> Callable[[float], None]:
    """Return what shows the part that is done. To show anything is also where Streamlit ends a run whose answer nobody wants any more.

    Parameters
    ----------
    place : streamlit.delta_generator.DeltaGenerator
        Where it is shown.
    words : callable
        From the part that is done, 0 to 1, to what is going on.

    Returns
    -------
    callable
        Takes the part that is done, 0 to 1.
    """
    shown = [0.0]

    def tell(part: float) -> None:
        if time.monotonic() - shown[0] >= _TELL_S:
            shown[0] = time.monotonic()
            place.progress(min(part, 1.0), f"{words(part)} ... {100 * part:.0f} %")

    return tell


def save(label: str, text: str, name: str, help_text: str) -> None:
    """Offer a CSV file.

    Parameters
    ----------
    label : str
        What stands on the button.
    text : str
        The file.
    name : str
        Its name.
    help_text : str
        What is in it.
    """
    st.download_button(
        label,
        text,
        name,
        "text/csv",
        key=f"download.{name}",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help=help_text,
    )


def figures_row(found: Uncertainty) -> None:
    """Show how high the bill may be, how long the promise may not hold, and how often either goes wrong.

    Parameters
    ----------
    found : Uncertainty
        The answer.
    """
    plan = found.least_regret()
    at_least = "at least " if found.outcomes.unknown else ""
    low, middle, high = plan.usd
    minutes = plan.minutes_over_promise
    # Four in a row, or two by two: never three and one.
    with st.grid(2, min_column_width=430):
        first, second = st.container(), st.container()
    with first, st.grid(2, min_column_width=200):
        _metric(
            "Monthly bill, the median",
            f"{at_least}${middle.value:,.2f}",
            f"P5 ${low.value:,.0f} to P95 ${high.value:,.0f}",
            "USD a month. Half of the months drawn cost no more; nine of ten lie between P5 and P95. "
            f"{_error('P95', high, '$', 2)}",
        )
        _metric(
            "Minutes over the promise",
            _minutes(minutes[1].value),
            f"P5 {_minutes(minutes[0].value)} to P95 {_minutes(minutes[2].value)}",
            "Minutes of a month over capacity, or in which the promised p95 latency does not hold; the median. "
            f"{_error('P95', minutes[2], '', 1)}",
        )
    with second, st.grid(2, min_column_width=200):
        _metric(
            "Promise broken",
            _share(plan.broken),
            _of(plan.broken),
            "Months that break a limit. " + _chance(plan.broken),
        )
        if plan.over_budget is None or found.budget_usd is None:
            _metric(
                "Over the budget",
                "–",
                "no budget given",
                "Give a budget above, and it says how often a month costs more.",
            )
        else:
            text = f"Months that cost more than ${found.budget_usd:,.2f}. {_chance(plan.over_budget)}"
            _metric("Over the budget", _share(plan.over_budget), _of(plan.over_budget), text)


def _minutes(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes >= 9.95 else f"{minutes:.1f}"


def _metric(label: str, value: str, beside: str, text: str) -> None:
    beside = tables.plain(beside)
    st.metric(label, value, beside, delta_color="off", delta_arrow="off", help=tables.plain(text), border=True)


def _share(chance: Chance) -> str:
    return f"{100 * chance.share:.0f} %"


def _of(chance: Chance) -> str:
    return f"{chance.happened} of {chance.draws} months drawn"


def _chance(chance: Chance) -> str:
    low, high = chance.bounds
    return f"Draws are few: the chance lies between {100 * low:.0f} and {100 * high:.0f} % (19 times out of 20)."


def _error(name: str, quantile: Quantile, unit: str, digits: int) -> str:
    low = f"above {unit}{quantile.low or 0.0:,.{digits}f}"
    if quantile.high is None:
        return f"The true {name} lies {low}; for an upper bound there are too few draws."
    return f"The true {name} lies {low} and below {unit}{quantile.high:,.{digits}f} (19 times out of 20)."


def bills(found: Uncertainty) -> None:
    """Show how often the bill is how high.

    Parameters
    ----------
    found : Uncertainty
        The answer.
    """
    low, middle, high = found.least_regret().usd
    figures.show(
        bills_figure(found),
        key="chart.bills",
        alt=f"Histogram of the monthly bill: P5 ${low.value:,.0f}, P50 ${middle.value:,.0f}, P95 ${high.value:,.0f}",
        name="bill-histogram",
    )


def tornado(found: Uncertainty) -> None:
    """Show what each input alone does to the bill.

    Parameters
    ----------
    found : Uncertainty
        The answer.
    """
    table = tornado_table(found)
    if not table.rows:
        st.caption("Nothing moves the bill: no number is an interval, or none of them has an effect.")
        return
    figures.show(
        tornado_figure(found),
        key="chart.tornado",
        alt=f"What each input alone does to the bill; most of all {table.rows[0][0]}: from {table.rows[0][3]} to {table.rows[0][4]} USD",
        name="tornado",
    )
    with st.expander("The same as a table", icon=":material/table:", key="tornado.box"):
        st.caption(tables.plain(f"{table.title}."))
        tables.show(table.without("Bill"), save="tornado")
        if rest := without_effect_text(found):
            st.caption(tables.plain(rest))


def plans(found: Uncertainty) -> None:
    """Show the plans that compete, and what each is regretted.

    Parameters
    ----------
    found : Uncertainty
        The whole answer.
    """
    table = plans_risk_table(found)
    tables.show(table, save="plans-at-risk")
    st.caption(tables.plain(error_text(found)))
    if len(found.contenders) > 1:
        figures.show(
            regret_figure(found),
            key="chart.regret",
            alt=f"Expected regret of each plan; least that for {found.least_regret().title}",
            name="regret",
        )


@st.fragment
def month_behind(asked: Asked, found: Uncertainty) -> None:
    """Show the draw behind a quantile: its inputs, and its bill line by line with the arithmetic.

    Parameters
    ----------
    asked : Asked
        What is asked.
    found : Uncertainty
        The answer.
    """
    quantiles = {f"P{100 * each.share:.0f}": each for each in found.least_regret().usd}
    chosen = st.segmented_control(
        "The month behind",
        list(quantiles),
        default="P95",
        required=True,
        key="behind",
        help="Each of these bills is one that was drawn: this is what went into it.",
    )
    quantile = quantiles[str(chosen)]
    draw = int(np.argmax(found.outcomes.usd[:, found.chosen] == quantile.value))
    plan = draw_of(asked, found, draw)
    st.caption(
        tables.plain(
            f"Draw {draw + 1} of {found.outcomes.n_draws:,}: {plan.cost.total_text} for {plan.spec.describe()}."
        )
    )
    tables.show(inputs_table(found, draw), save=f"inputs-{chosen}")
    tables.show(bill_table(plan.cost), save=f"bill-{chosen}")
    titles = {line.charge: line.title for line in plan.cost}
    line_of = st.selectbox(
        "Arithmetic of",
        list(titles),
        index=None,
        format_func=lambda charge: titles.get(charge, charge),
        key="behind.arithmetic",
        placeholder="Choose a line of this bill",
        help="How the line's quantity comes about, what each tier of its price adds, and where rate and rule were read.",
    )
    rates = cached.rates(asked.likely)
    for line in plan.cost:
        if line.charge == line_of:
            st.code("\n".join(explain(line, rates.known.get(line.price))), language=None, wrap_lines=True)


def inputs_table(found: Uncertainty, draw: int) -> Table:
    """Show the inputs of a draw, those first that move the bill most.

    Parameters
    ----------
    found : Uncertainty
        The answer.
    draw : int
        Number of the draw, from 0 on.

    Returns
    -------
    Table
        Input, its value in the draw, and what it is otherwise.
    """
    usual = {path: item.likely for path, item in found.draws.intervals.items()}
    usual |= {path: values[0] for path, values in found.draws.model.items()}
    drawn = found.draws.at(draw)
    order = [row.name for row in found.tornado() if row.name in drawn]
    paths = [*order, *(path for path in drawn if path not in order)]
    moved = [path for path in paths if drawn[path] != usual[path]]
    return Table(
        "Inputs of this month",
        ("Input", ">Drawn", ">Likely or default"),
        tuple((path, value_text(_short(drawn[path])), value_text(usual[path])) for path in moved[:_MOST_INPUTS]),
    )


def _short(value: float | bool) -> float | bool:
    return value if isinstance(value, (bool, int)) else float(f"{value:.4g}")
