"""The answer to read: what was understood, what was not, and the bill, as tables, Markdown, CSV and JSON; of one template or of two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from estimator.markdown import markdown_table, plain
from estimator.planning.comparison import Comparison, compare
from estimator.report.bill_documents import bill_csv, bill_markdown
from estimator.report.comparison import comparison_markdown
from estimator.report.tables import Table
from estimator.repricing.reading import NOT_PRICED, Fact, Gap
from estimator.repricing.repricer import Repriced
from estimator.repricing.words import value_words

#: What stands beside a fact of which the scenario's own section says something else.
DIFFERS = "differs"


def facts_table(found: Repriced) -> Table:
    """Show what was understood.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.

    Returns
    -------
    Table
        Each fact with its value, the logical ids it was read from, and what the scenario's own section says where that differs.
    """
    rows = tuple(
        (
            fact.name,
            value_words(fact.name, fact.value),
            _sources(fact),
            f"{DIFFERS}: {value_words(fact.name, _alike(fact))}" if fact.differs else "",
        )
        for fact in found.facts
    )
    return Table("What was understood", ("Fact", "Value", "Read from", "Scenario's own"), rows, below=("Read from",))


def _sources(fact: Fact) -> str:
    """Name where a fact stands; where the template is silent, AWS's own default holds."""
    if not fact.sources:
        return "not said: AWS's default" if fact.value not in (0, False, None, {}, 0.0) else "not said"
    first, rest = fact.sources[:2], len(fact.sources) - 2
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")


def _alike(fact: Fact) -> Any:
    """Of the scenario's section only what the template says too."""
    if (
        isinstance(fact.value, Mapping)
        and isinstance(fact.scenario_value, Mapping)
        and fact.name == "service.deployment"
    ):
        return {key: fact.scenario_value.get(key) for key in fact.value}
    return fact.scenario_value


def gaps_table(found: Repriced, title: str = "What was not understood, or taken for granted") -> Table:
    """Show what is not priced, not known, or taken for granted.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.
    title : str
        Title of the table.

    Returns
    -------
    Table
        What is not priced first.
    """
    order = sorted(found.not_understood, key=lambda gap: (gap.kind != NOT_PRICED, gap.kind))
    return Table(
        title, ("Kind", "About", "What"), tuple((gap.kind, _cut(gap), gap.text) for gap in order), below=("What",)
    )


def _cut(gap: Gap) -> str:
    names = gap.subject.split(", ")
    return gap.subject if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def headline(found: Repriced) -> str:
    """Say what was priced.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.

    Returns
    -------
    str
        Sentences: the service, the load, and how much was not understood.
    """
    others = [name for name in found.services if name != found.service]
    beside = f" Other services on Fargate behind a load balancer: {', '.join(others)}." if others else ""
    unpriced = sum(gap.kind == NOT_PRICED for gap in found.not_understood)
    rest = f" {unpriced} {'thing is' if unpriced == 1 else 'things are'} not priced, see below." if unpriced else ""
    return f"{found.service} of {found.source}, under the load of {found.scenario_from}.{beside}{rest}"


def _markdown_of(table: Table) -> str:
    rows = [[plain(text) for text in row] for row in table.rows]
    return f"## {plain(table.title)}\n\n" + "\n".join(markdown_table(table.columns, rows))


def repriced_markdown(found: Repriced) -> str:
    """Write the answer as Markdown.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.

    Returns
    -------
    str
        The bill, what was understood and what was not.
    """
    tables = [table for table in (facts_table(found), gaps_table(found)) if table.rows]
    return "\n\n".join([bill_markdown(found.plan).rstrip(), plain(headline(found)), *map(_markdown_of, tables)]) + "\n"


def repriced_json(found: Repriced) -> str:
    """Write the answer as JSON.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.

    Returns
    -------
    str
        A JSON object.
    """
    return json.dumps(found.to_dict(), indent=2) + "\n"


def repriced_csv(found: Repriced) -> str:
    """Write the lines of the bill as CSV.

    Parameters
    ----------
    found : Repriced
        What `reprice` gives.

    Returns
    -------
    str
        As `estimator estimate --output bill.csv` writes them.
    """
    return bill_csv(found.plan)


# Two templates.


@dataclass(frozen=True, eq=False)
class ComparedTemplates:
    """Two templates under the same load.

    Parameters
    ----------
    before, after : Repriced
        The first and the second.
    comparison : Comparison
        Their bills, line by line.
    """

    before: Repriced
    after: Repriced
    comparison: Comparison

    @property
    def facts(self) -> tuple[tuple[str, str, str, str], ...]:
        """Facts that differ: name, value before, value after, and the logical ids of the second."""
        old, new = ({fact.name: fact for fact in each.facts} for each in (self.before, self.after))
        rows = []
        for name in {**old, **new}:
            was, now = (value_words(name, each[name].value) if name in each else "not said" for each in (old, new))
            if was != now:
                rows.append((name, was, now, _sources(new[name]) if name in new else ""))
        return tuple(rows)


def compare_templates(before: Repriced, after: Repriced) -> ComparedTemplates:
    """Lay two templates side by side.

    Parameters
    ----------
    before, after : Repriced
        What `reprice` gives of each, under the same scenario.

    Returns
    -------
    ComparedTemplates
        Their bills line by line, and the facts that differ.
    """
    titles = before.source, after.source
    return ComparedTemplates(before, after, compare(before.plan, after.plan, titles))


def facts_that_differ(found: ComparedTemplates) -> Table:
    """Show the facts that differ between two templates.

    Parameters
    ----------
    found : ComparedTemplates
        The two.

    Returns
    -------
    Table
        Name, both values, and where the second stands.
    """
    return Table("Facts that differ", ("Fact", "First", "Second", "Read from"), found.facts, least=("Read from",))


def gap_tables(found: ComparedTemplates) -> tuple[Table, ...]:
    """Show what of two templates was not understood.

    Parameters
    ----------
    found : ComparedTemplates
        The two.

    Returns
    -------
    tuple of Table
        One for each that has any.
    """
    tables = (
        gaps_table(each, f"Not understood, or taken for granted, in {each.source}")
        for each in (found.before, found.after)
    )
    return tuple(table for table in tables if table.rows)


def compared_markdown(found: ComparedTemplates) -> str:
    """Write two templates side by side as Markdown for a pull request.

    Parameters
    ----------
    found : ComparedTemplates
        The two.

    Returns
    -------
    str
        The bills line by line, the facts that differ, and what was not understood.
    """
    tables = [table for table in (facts_that_differ(found), *gap_tables(found)) if table.rows]
    return "\n\n".join([comparison_markdown(found.comparison).rstrip(), *map(_markdown_of, tables)]) + "\n"


def compared_json(found: ComparedTemplates) -> str:
    """Write two templates side by side as JSON.

    Parameters
    ----------
    found : ComparedTemplates
        The two.

    Returns
    -------
    str
        A JSON object.
    """
    values = {
        "comparison": found.comparison.to_dict(),
        "facts_that_differ": [
            dict(zip(("name", "before", "after", "read_from"), row, strict=True)) for row in found.facts
        ],
        "before": found.before.to_dict(),
        "after": found.after.to_dict(),
    }
    return json.dumps(values, indent=2) + "\n"


def compared_csv(found: ComparedTemplates) -> str:
    """Write the lines of two bills as CSV.

    Parameters
    ----------
    found : ComparedTemplates
        The two.

    Returns
    -------
    str
        As `estimator compare --output lines.csv` writes them.
    """
    return str(found.comparison.to_frame().to_csv(index=False, float_format="%.12g", lineterminator="\n"))
