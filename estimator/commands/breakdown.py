"""The command `breakdown`: a bill by month, in what is fixed and what follows traffic, and by what leads the load balancer's units.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import progress_bar
from estimator.commands.reading import price_scenario, read_scenario

if TYPE_CHECKING:
    from estimator.planning.cost_split import CostSplit
    from estimator.planning.horizon import MonthlyBills
    from estimator.planning.lcu_advice import LcuAdvice
    from estimator.scenario import Scenario
    from estimator.workload.horizon import Horizon


def breakdown(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    months: Annotated[
        int | None, typer.Option("--months", help="Months to bill, 1 to 60; by default those of the scenario.")
    ] = None,
    growth: Annotated[
        float | None,
        typer.Option("--growth", metavar="PERCENT", help="Growth of the load from each month to the next."),
    ] = None,
    users: Annotated[
        float | None,
        typer.Option(
            "--users",
            help="Users whose requests the first month's load is, for the cost by user; they grow with the load.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="CSV", help="Write total, requests, users and each charge, a row a month."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Take a bill apart: by month, fixed, per user, LCU.

    It is of the scenario's `service` section, or else of its plan.

    By month while the load grows, and when the promise breaks; what is fixed and what traffic adds; and what the load
    balancer's capacity units follow, with what would lower them.

    Example: estimator breakdown shop.yaml --months 24 --growth 8
    """
    from estimator.files import require_free, write_whole
    from estimator.planning.cost_split import fixed_and_variable
    from estimator.planning.horizon import bill_by_month
    from estimator.planning.lcu_advice import lcu_advice

    require_free(csv, force)
    document, rates = read_scenario(scenario)
    horizon = _horizon(document, months, growth, users)
    found = price_scenario(document, rates, scenario.parent, as_json)
    with progress_bar("Billing months", as_json) as progress:
        by_month = bill_by_month(found, rates, horizon, progress)
    split = fixed_and_variable(found, rates, horizon.users)
    advice = lcu_advice(found, rates)
    if csv is not None:
        write_whole(csv, _months_frame(by_month).to_csv(float_format="%.12g", lineterminator="\n"))
    if as_json:
        values = {
            "name": document.name,
            "region": document.region,
            "service": found.spec.describe(),
            "hours_per_month": document.hours_per_month,
            "by_month": by_month.to_dict(),
            "fixed_and_variable": split.to_dict(),
            "capacity_units": advice.to_dict(),
        }
        typer.echo(json.dumps(values, indent=2))
    else:
        from estimator.report.terminal import say

        say(f"\n{document.name}: {found.spec.describe()}\n")
        _show(by_month, split, advice)
    if csv is not None:
        typer.echo(f"Wrote {csv}.", err=True)


def _horizon(document: Scenario, months: int | None, growth: float | None, users: float | None) -> Horizon:
    """Put what the options say over the scenario's section `horizon`."""
    from dataclasses import replace

    from estimator.errors import InvalidScenario

    horizon = document.horizon
    options: dict[str, tuple[str, Any]] = {
        "months": ("--months", months),
        "growth_percent_per_month": ("--growth", growth),
        "users": ("--users", users),
    }
    for name, (option, value) in options.items():
        if value is None:
            continue
        try:
            horizon = replace(horizon, **{name: value})
        except InvalidScenario as error:
            raise InvalidScenario(str(error).replace(name, option, 1)) from None
    return horizon


def _months_frame(by_month: MonthlyBills) -> Any:
    """Set what a month comes to, and for how much, before what its charges cost."""
    frame = by_month.to_frame()
    columns = {
        "total_usd": [month.cost.total_usd for month in by_month.months],
        "requests": [month.cost.requests for month in by_month.months],
        "users": [month.users for month in by_month.months],
    }
    for place, (name, values) in enumerate(columns.items()):
        frame.insert(place, name, values)
    return frame


def _show(by_month: MonthlyBills, split: CostSplit, advice: LcuAdvice) -> None:
    from estimator.report.breakdown_tables import lcu_dimensions_table, months_table, split_table, what_ifs_table
    from estimator.report.terminal import say, show

    first_of_many = len({month.load_factor for month in by_month.months}) > 1
    show(months_table(by_month))
    say(f"\n{by_month.verdict}")
    for note in by_month.notes:
        say(f"Note: {note}")
    say()
    show(split_table(split, first_of_many))
    say(f"\n{split.verdict}\n")
    show(lcu_dimensions_table(advice, first_of_many))
    say(f"\n{advice.verdict}\n")
    if advice.what_ifs:
        show(what_ifs_table(advice, first_of_many))
        say()
    say(f"{split.cost.prices_text} {split.cost.scope_text}")
