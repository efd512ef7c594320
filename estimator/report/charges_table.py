"""Every line that a bill can have: charges_rows, charges_table, charges_markdown."""

from __future__ import annotations

from estimator.billing.charge import Charge
from estimator.billing.charges import CHARGES
from estimator.markdown import markdown_table
from estimator.pricing.catalog import PRICES
from estimator.report.tables import Table

_HEADS = ("Charge", "Name", "Unit", "Quantity", "Source")


def charges_rows(matching: str = "") -> list[dict[str, str]]:
    """List the charges as plain values, those that differ only by place or level as one.

    Parameters
    ----------
    matching : str
        Part of a name or title, in either case; all by default.

    Returns
    -------
    list of dict
        ``charge``, which is the name for ``--explain``, ``title``, ``unit``, ``quantity`` and ``source``, JSON-ready.

    Examples
    --------
    >>> [row["charge"] for row in charges_rows("nat gateway")]
    ['nat_gateway_hour', 'nat_gateway_gb']
    """
    wanted = matching.casefold()
    return [
        {"charge": name, "title": title, "unit": unit, "quantity": formula, "source": source}
        for title, name, unit, formula, source in _rows()
        if wanted in title.casefold() or wanted in name.casefold()
    ]


def charges_table(matching: str = "") -> Table:
    """List the charges, those that differ only by place or level as one.

    Parameters
    ----------
    matching : str
        Part of a name or title, in either case; all by default.

    Returns
    -------
    Table
        Title, name for ``--explain``, unit, how the quantity comes about, and where AWS says so.
    """
    rows = tuple(
        (row["title"], row["charge"], row["unit"], row["quantity"], row["source"]) for row in charges_rows(matching)
    )
    title = f"{len(rows)} {'charge' if len(rows) == 1 else 'charges'}"
    return Table(title, _HEADS, rows, least=("Source", "Unit"), below=("Quantity",))


def charges_markdown() -> str:
    """Write the charges as a table in Markdown, for the page docs/bill.md.

    Returns
    -------
    str
        The table, one charge in a line.
    """
    cells = [(title, f"`{name}`", unit, formula, source) for title, name, unit, formula, source in _rows()]
    return "\n".join(markdown_table(_HEADS, cells))


def _rows() -> list[tuple[str, str, str, str, str]]:
    found: dict[str, tuple[str, str, str, str, str]] = {}
    for name, charge in CHARGES.items():
        family, colon, _ = name.partition(":")
        title = _shared_title(family, charge) if colon else charge.title
        unit = PRICES[charge.price].unit
        found.setdefault(family, (title, f"{family}:..." if colon else name, unit, charge.formula, charge.source))
    return list(found.values())


def _shared_title(family: str, charge: Charge) -> str:
    members = [each.title for name, each in CHARGES.items() if name.startswith(f"{family}:")]
    return f"{charge.title.partition(', ')[0]} ({len(members)} prices)"
