"""The command `invoice`: a bill that AWS sent, held against our prices.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def invoice(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="CSV", help="Bill as CSV or .csv.gz: legacy Cost and Usage Report, CUR 2.0, or FOCUS 1.0 or 1.1."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Check a bill that AWS sent against our prices.

    Says what each line is, and whether its unit price is one of ours.

    Example: estimator invoice cur.csv
    """
    from estimator.billing.invoice import check_invoice
    from estimator.billing.invoice_lines import read_invoice
    from estimator.pricing.snapshots import load_rates

    check = check_invoice(read_invoice(path), lambda region, day: load_rates(region, as_of=day))
    if as_json:
        typer.echo(json.dumps(check.to_dict(), indent=2))
        return
    from estimator.report.invoice_table import invoice_table, invoice_totals_table, verdicts_text
    from estimator.report.terminal import say, show

    show(invoice_table(check))
    if check.totals:
        say()
        show(invoice_totals_table(check))
        if left_out := sum(total.lines_without_quantity for total in check.totals):
            say(f"Left out of the sums for want of a quantity or a cost: {left_out:,} of the lines at these prices.")
    say()
    for text in verdicts_text(check.counts):
        say(text)
    say(f"\n{check.counts_text}")
