"""A bill that AWS sent as tables: its lines with what each turns out to be, and its sums against ours."""

from __future__ import annotations

from collections.abc import Mapping

from estimator.billing.costing import usd_text
from estimator.billing.invoice import (
    DIFFERS,
    DISCOUNT,
    FREE_TIER,
    NOT_OURS,
    OLDER,
    SAME,
    TIER,
    UNKNOWN,
    VERDICTS,
    InvoiceCheck,
)
from estimator.report.tables import Table

#: What to look at first.
_ORDER = (DIFFERS, UNKNOWN, OLDER, DISCOUNT, TIER, FREE_TIER, SAME, NOT_OURS)


def invoice_table(check: InvoiceCheck) -> Table:
    """Show what the lines of a bill are; those that are alike once, and first what is to be looked at.

    Parameters
    ----------
    check : InvoiceCheck
        The bill, held against our prices.

    Returns
    -------
    Table
        Usage type, verdict, lines, unit price on the bill, on AWS's list and ours, why, and the name of the price.
    """
    alike: dict[tuple[str, ...], int] = {}
    for each in check.explanations:
        values = each.to_dict()
        key = (
            each.verdict,
            each.line.usage_type or each.line.description,
            *(values[name] or "" for name in ("charged", "list_unit_price", "our_unit_price", "price")),
            each.text,
        )
        alike[key] = alike.get(key, 0) + 1
    rows = tuple(
        (usage_type, verdict, f"{count:,}", charged, listed, ours.replace(", ", "\n"), text, price)
        for (verdict, usage_type, charged, listed, ours, price, text), count in sorted(
            alike.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0])
        )
    )
    return Table(
        f"{len(check.explanations):,} {'line' if len(check.explanations) == 1 else 'lines'} of the bill",
        ("Usage type", "Verdict", ">Lines", ">Bill USD/unit", ">List USD/unit", ">Ours USD/unit", "Why", "Price"),
        rows,
        least=("Price", "List USD/unit", "Lines"),
        below=("Why",),
    )


def invoice_totals_table(check: InvoiceCheck) -> Table:
    """Show what the bill's quantities cost on it, and at our rates.

    Parameters
    ----------
    check : InvoiceCheck
        The bill, held against our prices.

    Returns
    -------
    Table
        Price, month, region, quantity, both costs, difference, free quantity and discounts; a closing row of sums.
    """
    rows = tuple(
        (
            total.title,
            total.month,
            total.region,
            f"{total.quantity:,.6g}",
            total.unit,
            usd_text(total.billed_usd),
            usd_text(total.our_usd),
            _signed(total.difference_usd),
            f"{total.free_quantity:,.6g}" if total.free_quantity else "",
            usd_text(total.discounts_usd) if total.discounts_usd else "",
        )
        for total in check.totals
    )
    known = [total for total in check.totals if total.our_usd is not None]
    some = "at least " if len(known) < len(check.totals) else ""
    footer = (
        "Total",
        "",
        "",
        "",
        "",
        usd_text(sum(total.billed_usd for total in check.totals)),
        some + usd_text(sum(total.our_usd or 0.0 for total in known)),
        _signed(sum(total.difference_usd or 0.0 for total in known)),
        "",
        usd_text(sum(total.discounts_usd for total in check.totals)),
    )
    return Table(
        "What the quantities cost on the bill and at our rates",
        (
            "Charge",
            "Month",
            "Region",
            ">Quantity",
            "Unit",
            ">Bill USD",
            ">Ours USD",
            ">Difference",
            ">Free quantity",
            ">Discounts USD",
        ),
        rows,
        footer,
        least=("Free quantity", "Discounts USD", "Unit", "Region", "Month", "Quantity", "Difference"),
    )


def _signed(difference: float | None) -> str:
    return usd_text(None) if difference is None else f"{round(difference, 2) + 0.0:+,.2f}"


def verdicts_text(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Say what the verdicts of a bill mean.

    Parameters
    ----------
    counts : mapping of str to int
        Lines by verdict.

    Returns
    -------
    tuple of str
        One line for each verdict that occurs.
    """
    return tuple(f"{verdict}: {VERDICTS[verdict]}" for verdict in _ORDER if verdict in counts)
