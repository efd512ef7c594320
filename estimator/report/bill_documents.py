"""A bill as a document: DOCUMENTS, and write_bill(plan, rates, path)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from estimator.checks import by_ending
from estimator.files import require_free, write_whole
from estimator.markdown import markdown_table, plain, prose
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.bill_text import facts, sentences, title, totals
from estimator.report.tables import bill_table

#: Columns of the CSV file: the bill's region, and the fields of a line.
COLUMNS = (
    "region",
    "charge",
    "title",
    "pricing_quantity",
    "pricing_unit",
    "list_unit_price",
    "list_cost",
    "contracted_unit_price",
    "contracted_cost",
    "effective_unit_price",
    "effective_cost",
    "billed_cost",
    "discount_percent",
    "price",
    "sku",
    "usage_type",
    "published",
    "last_seen",
    "provenance",
    "rate_note",
    "formula",
    "working",
)


def bill_markdown(plan: Plan) -> str:
    """Write a bill as Markdown, for a pull request or a wiki.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        Headline, facts, a table with a row for each line, the totals, what Savings Plans do, what is unknown and what is not included.
    """
    table = bill_table(plan.cost)
    rows = [[plain(text) for text in row] for row in table.rows]
    blank = [""] * (len(table.columns) - 2)
    rows += [[f"**{plain(name)}**", f"**{plain(amount)}**", *blank] for name, amount in totals(plan.cost)]
    parts = [
        f"# {plain(title(plan))}",
        f"**{plain(plan.cost.total_text)}**",
        "\n".join(f"- {plain(name)}: {plain(value)}" for name, value in facts(plan)),
        "\n".join(markdown_table(table.columns, rows)),
        *map(prose, sentences(plan)),
        *(f"Note: {prose(text)}" for text in plan.warnings),
        f"Fingerprint of the plan: `{plan.fingerprint()}`",
    ]
    return "\n\n".join(parts) + "\n"


def bill_csv(plan: Plan) -> str:
    """Write the lines of a bill as CSV.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        A head with the names of `COLUMNS`, and a row for each line; the cost of a line without a known rate is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in plan.cost:
        writer.writerow([plan.cost.region, *(getattr(line, name) for name in COLUMNS[1:])])
    return text.getvalue()


def bill_values(plan: Plan) -> dict[str, Any]:
    """Return a plan with its bill as plain values, and whether its prices are stale today.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict
        JSON-ready.
    """
    return plan.to_dict() | {"prices_stale": plan.cost.stale_text() or None}


def bill_json(plan: Plan) -> str:
    """Write a plan with its bill as JSON, as `estimator estimate --json` prints it.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        A JSON object.
    """
    return json.dumps(bill_values(plan), indent=2) + "\n"


def _page(plan: Plan, rates: Rates) -> str:
    from estimator.report.bill_page import bill_html  # its colors are plotly's neighbors

    return bill_html(plan, rates)


#: What writes a bill, by the ending of the file's name.
DOCUMENTS: Mapping[str, Callable[[Plan, Rates], str]] = {
    ".md": lambda plan, _: bill_markdown(plan),
    ".csv": lambda plan, _: bill_csv(plan),
    ".json": lambda plan, _: bill_json(plan),
    ".html": _page,
}


def require_document(path: Path, force: bool) -> None:
    """Refuse a file that a bill cannot be written to, before anything is computed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    force : bool
        True to allow one that is there.

    Raises
    ------
    ExportError
        If no document has that ending, or the file must not or cannot be written.
    """
    by_ending(path, DOCUMENTS, "a bill is")
    require_free(path, force)


def write_bill(plan: Plan, rates: Rates, path: Path) -> None:
    """Write a bill as the document that a file's name asks for, whole or not at all.

    Parameters
    ----------
    plan : Plan
        The plan.
    rates : Rates
        What it was priced at.
    path : pathlib.Path
        The file; one that is there is replaced.

    Raises
    ------
    ExportError
        If no document has that ending, or the file cannot be written.
    """
    write_whole(path, by_ending(path, DOCUMENTS, "a bill is")(plan, rates))
