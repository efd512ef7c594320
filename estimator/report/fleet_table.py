"""Many services in one table, and what a Savings Plan for all of them does: fleet_table(fleet), fleet_sentences(fleet), write_fleet(fleet, path)."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from estimator.billing.costing import usd_text
from estimator.billing.savings_plan_options import SavingsPlan, SavingsPlanOption
from estimator.checks import by_ending
from estimator.files import require_free, write_whole
from estimator.markdown import markdown_table, prose
from estimator.planning.fleet import Fleet, FleetRow
from estimator.report.tables import Table

#: Bills that differ by less read the same. [USD/month]
_CENTS = 0.005
#: How the shared commitment is found.
GRID_TEXT = (
    "All services' hours lie on one grid of {hours:,} hours that begins on a Monday: each period is repeated onto it, one with dates in its place of "
    "the week{cut}."
)


def fleet_table(fleet: Fleet) -> Table:
    """Show the services of a fleet.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.

    Returns
    -------
    Table
        What each runs, its tasks, latency, minutes over capacity, its own bill, its bill without a new commitment where that is another, its part of
        the best shared one, and what is broken or why there is no bill.
    """
    shared = fleet.commitments
    own, without, with_it = _columns(fleet)
    extra = [(">Without a commitment", without), (">With a shared one", with_it)]
    shown_extra = [(head, cells) for head, cells in extra if cells is not None]
    wrong = [_wrong(row) for row in fleet]
    heads = (
        "Service",
        "Region",
        "Runs",
        ">Mean tasks",
        ">Peak tasks",
        ">p95 ms",
        ">Minutes over capacity",
        ">USD/month",
    )
    rows = tuple(
        (
            row.name,
            row.region,
            *_figures(row),
            own[place],
            *(cells[place] for _, cells in shown_extra),
            *([wrong[place]] if any(wrong) else []),
        )
        for place, row in enumerate(fleet)
    )
    least = "at least " if fleet.is_lower_bound else ""
    totals = {">Without a commitment": shared.total_usd, ">With a shared one": _total_with(fleet)}
    footer = (
        "Total",
        *[""] * 6,
        f"{least}{fleet.sum_usd:,.2f}",
        *(f"{least}{totals[head]:,.2f}" for head, _ in shown_extra),
        *([""] if any(wrong) else []),
    )
    hours = "" if fleet.hours_per_month is None else f", bills of a month of {fleet.hours_per_month:g} hours"
    return Table(
        f"{_count(len(fleet), 'service')}{hours}",
        (*heads, *(head for head, _ in shown_extra), *(["What is wrong"] if any(wrong) else [])),
        rows,
        footer,
        least=("Minutes over capacity", "p95 ms", "Mean tasks", "Peak tasks", "Region", "Runs"),
        below=("What is wrong",) if any(wrong) else (),
    )


def commitments_table(fleet: Fleet) -> Table:
    """Show what each Compute Savings Plan for all services does, beside the best one of each service.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.

    Returns
    -------
    Table
        A row for each option with known rates, cheapest first.
    """
    rows = []
    for one in fleet.commitments.options:
        applied = one.applied
        if not one.commitment_usd_per_h:
            rows.append((_title(one.option), "none pays", "", "", usd_text(one.usd_per_month), "", "", ""))
            continue
        rows.append(
            (
                _title(one.option),
                f"{one.commitment_usd_per_h:.5f}",
                f"{100 * applied.used_usd / applied.committed_usd:.1f} %",
                f"{100 - one.fall_to_loss_percent:.0f} %",
                usd_text(one.usd_per_month),
                usd_text(one.saving_usd),
                usd_text(one.separate_usd_per_month),
                usd_text(applied.payment.upfront_usd),
            )
        )
    return Table(
        "One Compute Savings Plan for all services",
        (
            "Option",
            ">USD/h committed",
            ">Utilization",
            ">Break-even",
            ">USD/month",
            ">Saved",
            ">With separate ones",
            ">USD upfront",
        ),
        tuple(rows),
        least=("USD upfront", "Break-even", "Utilization", "Saved", "USD/h committed"),
    )


def fleet_sentences(fleet: Fleet, budget_usd: float | None = None) -> tuple[str, ...]:
    """Say what a fleet comes to, what a shared commitment adds, and what is not known.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.
    budget_usd : float, optional
        What the services may cost together. [USD/month]

    Returns
    -------
    tuple of str
        A sentence or a few each.
    """
    said = [f"{_count(len(fleet.results), 'service')} for {fleet.total_text}."]
    if fleet.failed:
        said.append(
            f"{_count(len(fleet.failed), 'service')} could not be priced, and the total is without what they cost."
        )
    if any(found.cost.is_lower_bound for found in fleet.results):
        said.append('"At least" is said where a rate is not known.')
    if budget_usd is not None:
        said.append(_budget(fleet, budget_usd))
    if fleet.was_saved:
        said.append(
            f"{_count(fleet.was_saved, 'result')} of {len(fleet)} had been saved, and nothing that they depend on has changed."
        )
    noted = sum(bool(found.warnings) for found in fleet.results)
    if noted:
        said.append(f"The plans of {_count(noted, 'service')} carry notes, which --json has.")
    return (*said, *_commitment_sentences(fleet), *fleet.notes)


def within_budget(fleet: Fleet, budget_usd: float) -> bool | None:
    """Say whether a fleet keeps a budget, with each service paid for as its scenario says.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.
    budget_usd : float
        What the services may cost together. [USD/month]

    Returns
    -------
    bool or None
        None if that cannot be said, since a rate or a whole bill is missing.
    """
    if fleet.total_usd > budget_usd:
        return False
    return None if fleet.is_lower_bound else True


def fleet_markdown(fleet: Fleet, budget_usd: float | None = None) -> str:
    """Write a fleet as Markdown, for a pull request or a wiki.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.
    budget_usd : float, optional
        What the services may cost together. [USD/month]

    Returns
    -------
    str
        Headline, the services with their total, the options of a shared commitment, and the sentences.
    """
    tables = [fleet_table(fleet), *([commitments_table(fleet)] if fleet.commitments.options else [])]
    parts = [f"# {tables[0].title}"]
    for number, table in enumerate(tables):
        rows = [[prose(text) for text in row] for row in table.rows]
        rows += [[f"**{prose(text)}**" if text else "" for text in table.footer]] if table.footer else []
        parts += [f"## {table.title}"] if number else []
        parts.append("\n".join(markdown_table(table.columns, rows)))
    parts += [prose(sentence) for sentence in fleet_sentences(fleet, budget_usd)]
    return "\n\n".join(parts) + "\n"


def fleet_csv(fleet: Fleet) -> str:
    """Write the services of a fleet as CSV.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.

    Returns
    -------
    str
        A head, and a row for each service; what is not known is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shared = fleet.commitments
    for place, row in enumerate(fleet):
        values = row.to_dict()
        values |= {name: "; ".join(values[name]) for name in ("broken", "warnings")}
        known = row.result is not None
        values["usd_per_month_without_commitment"] = shared.before_by_service[row.name] if known else None
        values["usd_per_month_with_shared_commitment"] = shared.with_best(row.name) if known and shared.best else None
        if place == 0:
            writer.writerow(values)
        writer.writerow(["" if value is None else value for value in values.values()])
    return text.getvalue()


#: What writes a fleet, by the ending of the file's name.
DOCUMENTS: Mapping[str, Callable[[Fleet, float | None], str]] = {
    ".md": fleet_markdown,
    ".csv": lambda fleet, _: fleet_csv(fleet),
    ".json": lambda fleet, _: json.dumps(fleet.to_dict(), indent=2) + "\n",
}


def require_fleet_document(path: Path, force: bool) -> None:
    """Refuse a file that a fleet cannot be written to, before anything is computed.

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
    by_ending(path, DOCUMENTS, "a fleet is")
    require_free(path, force)


def write_fleet(fleet: Fleet, path: Path, budget_usd: float | None = None) -> None:
    """Write a fleet as the document that a file's name asks for, whole or not at all.

    Parameters
    ----------
    fleet : Fleet
        What `plan_fleet` gives.
    path : pathlib.Path
        The file; one that is there is replaced.
    budget_usd : float, optional
        What the services may cost together. [USD/month]

    Raises
    ------
    ExportError
        If no document has that ending, or the file cannot be written.
    """
    write_whole(path, by_ending(path, DOCUMENTS, "a fleet is")(fleet, budget_usd))


# Cells.


def _columns(fleet: Fleet) -> tuple[list[str], list[str] | None, list[str] | None]:
    """Write each service's own bill, and the other two where there is something to say."""
    shared = fleet.commitments
    known = {found.name for found in fleet.results}

    def cells(usd_of: Callable[[FleetRow], float]) -> list[str]:
        least = {row.name: "at least " if row.result and row.result.cost.is_lower_bound else "" for row in fleet}
        return [f"{least[row.name]}{usd_of(row):,.2f}" if row.name in known else "none" for row in fleet]

    differ = any(abs(shared.before_by_service[found.name] - found.cost.total_usd) > _CENTS for found in fleet.results)
    return (
        cells(lambda row: row.result.cost.total_usd if row.result else math.nan),
        cells(lambda row: shared.before_by_service[row.name]) if differ else None,
        cells(lambda row: shared.with_best(row.name)) if shared.best else None,
    )


def _figures(row: FleetRow) -> tuple[str, ...]:
    found = row.result
    if found is None:
        return ("",) * 5
    p95 = f"{found.p95_latency_ms:,.0f}" if math.isfinite(found.p95_latency_ms) else "without bound"
    return (
        found.service,
        f"{found.mean_tasks:,.2f}",
        f"{found.peak_tasks:,.0f}",
        p95,
        f"{found.minutes_over_capacity:,.1f}",
    )


def _wrong(row: FleetRow) -> str:
    """Say why there is no bill, which limits are broken, or which lines have no rate."""
    if row.result is None:
        return row.why_not
    unknown = dict.fromkeys(line.title for line in row.result.cost if line.effective_cost is None)
    said = [f"breaks its promise: {'; '.join(row.result.broken)}"] if row.result.broken else []
    said += [f"no rate for {', '.join(unknown)}"] if unknown else []
    return "; ".join(said)


def _total_with(fleet: Fleet) -> float:
    shared = fleet.commitments
    return shared.best.usd_per_month if shared.best else shared.total_usd


# Sentences.


def _budget(fleet: Fleet, budget_usd: float) -> str:
    least = "at least " if fleet.is_lower_bound else ""
    kept = within_budget(fleet, budget_usd)
    if kept:
        return f"The budget of ${budget_usd:,.2f} a month is kept: ${budget_usd - fleet.total_usd:,.2f} are left."
    if kept is None:
        return (
            f"Whether the budget of ${budget_usd:,.2f} a month is kept cannot be said: what is known leaves ${budget_usd - fleet.total_usd:,.2f}, "
            "and something is missing."
        )
    over = f"The budget of ${budget_usd:,.2f} a month is exceeded by {least}${fleet.total_usd - budget_usd:,.2f}"
    with_it = _total_with(fleet)
    if fleet.commitments.best is None or with_it > budget_usd or fleet.is_lower_bound:
        return f"{over}."
    return f"{over}; with the shared commitment it is kept, and ${budget_usd - with_it:,.2f} are left."


def _commitment_sentences(fleet: Fleet) -> Iterator[str]:
    shared = fleet.commitments
    if shared.counted_once:
        plans = "; ".join(_plan_text(plan) for plan in shared.counted_once)
        yield (
            f"Several scenarios say that you have {plans}: it is counted once here. The sum of the services' own bills, ${fleet.sum_usd:,.2f}, has it in "
            "each. If they are parts of one plan, say so with --shares."
        )
    for done in shared.existing:
        yield f"For all services together: {done.text}"
    if shared.best is not None:
        best = shared.best
        more = best.separate_usd_per_month - best.usd_per_month
        yield (
            f"One plan for all services: {best.applied.text} The best one of each service alone would leave ${best.separate_usd_per_month:,.2f} a month, "
            f"${max(more, 0.0):,.2f} more."
        )
        if best.left_out:
            yield (
                f"Its rates are not known for {', '.join(best.left_out)}: AWS may spend it there too, where that saves more, so it saves at least so much."
            )
    elif shared.options:
        yield "No Savings Plan for all services pays off."
    if shared.options:
        cut = ", and the last repetition is cut and scaled to what the service is billed for" if shared.is_cut else ""
        yield GRID_TEXT.format(hours=shared.hours, cut=cut)
    if shared.why_not:
        yield f"No shared commitment: {shared.why_not}"
    yield from _unknown(fleet)


def _unknown(fleet: Fleet) -> Iterator[str]:
    """Say which options have no rates in which regions, those of the same regions once."""
    by_regions: dict[tuple[str, ...], list[SavingsPlanOption]] = {}
    for option, regions in (fleet.commitments.unknown or {}).items():
        by_regions.setdefault(regions, []).append(option)
    for regions, options in by_regions.items():
        yield (
            f"No rate is known in {_listed(regions)} for {'; '.join(_title(option) for option in options)}: write your own in `prices.overrides`, or ask "
            f"AWS with `estimator prices refresh --region {regions[0]}`."
        )


def _plan_text(plan: SavingsPlan) -> str:
    return f"a {plan.title} of {plan.commitment_usd_per_h:.5g} USD an hour"


def _title(option: SavingsPlanOption) -> str:
    return SavingsPlan(option.term, option.payment_option).title.partition(", ")[2]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
