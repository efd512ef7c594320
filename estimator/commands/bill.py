"""The command `regions`, and what `estimate --explain` prints: where a bill comes from, and what it is elsewhere.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.commands.reading import price_scenario, read_scenario

if TYPE_CHECKING:
    from estimator.billing.costing import CostBreakdown
    from estimator.pricing.rates import Rates

#: Explains every line.
ALL = "all"


def regions(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Price the same service in all regions.

    It is the scenario's `service` section, or else the plan of its own region.

    Example: estimator regions shop.yaml
    """
    from estimator.planning.regions import bills_by_region

    document, rates = read_scenario(scenario)
    found = price_scenario(document, rates, scenario.parent, as_json)
    bills = bills_by_region(found, lambda region: document.model_copy(update={"region": region}).rates(scenario.parent))
    if as_json:
        values = {
            "name": document.name,
            "service": found.spec.describe(),
            "region": document.region,
            "regions": [bill.to_dict() for bill in bills],
        }
        typer.echo(json.dumps(values, indent=2))
        return
    from estimator.report.tables import regions_table
    from estimator.report.terminal import say, show

    say(f"\n{document.name}: {found.spec.describe()}\n")
    show(regions_table(bills, document.region))
    say()
    say("The same tasks and requests; latency to your users and transfer between regions are not part of it.")


def networks(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Price the same service in each network layout.

    It is the scenario's `service` section, or else its plan. Says from which traffic on one layout overtakes another.

    Example: estimator networks shop.yaml
    """
    from estimator.planning.networks import break_even_gb, cheapest_by_gb, compare_networks, traffic_gb

    document, rates = read_scenario(scenario)
    found = price_scenario(document, rates, scenario.parent, as_json)
    bills = compare_networks(found, rates)
    best = bills[0]
    crossings = {
        other.title: break_even_gb(best, other, found, rates) for other in bills[1:] if other.cost and best.cost
    }
    ranges, today_gb = cheapest_by_gb(bills, found, rates), traffic_gb(found, rates)
    if as_json:
        values = {
            "name": document.name,
            "service": found.spec.describe(),
            "region": document.region,
            "traffic_gb_per_month": today_gb,
            "cheapest_from_gb": [{"from_gb": gb, "title": bill.title} for gb, bill in ranges],
            "networks": [bill.to_dict() | {"break_even_with_cheapest_gb": crossings.get(bill.title)} for bill in bills],
        }
        typer.echo(json.dumps(values, indent=2))
        return
    from estimator.report.tables import networks_table
    from estimator.report.terminal import say, show

    say(f"\n{document.name}: {found.spec.describe()}\n")
    show(networks_table(bills))
    say()
    what = "of logs, calls to the internet and images from elsewhere"
    say(f"{today_gb:,.4g} GB a month {what} go through a layout that charges for them.")
    if any(bill.condition for bill in bills):
        say("Of the layouts that need nothing else:")
    if len(ranges) == 1:
        say(f"Cheapest with these tasks, whatever the traffic: {ranges[0][1].title}.")
    ends = [begin for begin, _ in ranges[1:]]
    for (begin, bill), end in zip(ranges, [*ends, None], strict=True) if ends else ():
        until = "" if end is None else f" up to {end:,.4g} GB"
        where = f"from {begin:,.4g} GB on{until}" if begin else until.strip()
        say(f"{bill.title[0].upper()}{bill.title[1:]}: cheapest {where}.")


def purchases(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Price the same service On-Demand, on Spot, committed.

    It is the scenario's `service` section, or else its plan; each Savings Plan is taken at the commitment that costs least.

    Example: estimator purchases shop.yaml
    """
    from estimator.planning.purchases import compare_purchases

    document, rates = read_scenario(scenario)
    found = price_scenario(document, rates, scenario.parent, as_json)
    ways = compare_purchases(found, rates)
    if as_json:
        values = {
            "name": document.name,
            "service": found.spec.describe(),
            "region": document.region,
            "purchases": [way.to_dict() for way in ways],
        }
        typer.echo(json.dumps(values, indent=2))
        return
    from estimator.report.purchases_table import SAVINGS_PLANS_TEXT, purchases_table, purchases_text, spot_text
    from estimator.report.terminal import say, show

    say(f"\n{document.name}: {found.spec.describe()}\n")
    show(purchases_table(ways))
    say()
    for text in (SAVINGS_PLANS_TEXT, spot_text(ways), purchases_text(ways)):
        if text:
            say(text)


def charges(
    matching: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Part of a charge's name or title; all by default.")
    ] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of docs/bill.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every line that a bill can have.

    Says how each quantity comes about and where AWS says so; `estimator estimate --explain NAME` shows one with its figures.

    Example: estimator charges logs
    """
    from estimator.errors import InvalidScenario
    from estimator.report.charges_table import charges_markdown, charges_rows, charges_table

    if markdown:
        if as_json or matching:
            raise InvalidScenario(
                "--markdown prints the whole table of docs/bill.md; leave --json and the name or title out."
            )
        typer.echo(charges_markdown())
        return
    rows = charges_rows(matching)
    if not rows:
        raise InvalidScenario(f"No charge has '{matching}' in its name or title; `estimator charges` lists them all.")
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from estimator.report.terminal import show

    show(charges_table(matching))


def usage(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Region code, such as eu-west-1.")],
    quantities: Annotated[
        list[str],
        typer.Argument(metavar="NAME=QUANTITY...", help="Quantities of one month by the name of a charge or a price."),
    ],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Take the prices that held on this day.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Price quantities that you know, no simulation.

    They are those of one month, by the name of a charge or of a price: `estimator charges` lists those of charges, and
    `estimator prices show --region REGION` those of prices.

    Example: estimator usage eu-west-1 fargate_linux_arm_vcpu_hour=1460 fargate_linux_arm_gb_hour=2920 nat_gateway_gb=500
    """
    from estimator.billing.usage import price_usage
    from estimator.pricing.snapshots import load_rates

    cost = price_usage(_quantities(quantities), load_rates(region, as_of=as_of))
    if as_json:
        typer.echo(json.dumps(cost.to_dict(), indent=2))
        return
    from estimator.report.tables import bill_table
    from estimator.report.terminal import say, show

    show(bill_table(cost))
    say(f"\n{cost.prices_text}\n{cost.scope_text}")


def _quantities(pairs: list[str]) -> dict[str, float]:
    """Read NAME=QUANTITY."""
    from estimator.checks import shown
    from estimator.errors import InvalidScenario

    found: dict[str, float] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            number = float(text.replace("_", ""))
        except ValueError:
            equals = ""
            number = 0.0
        if not equals:
            raise InvalidScenario(
                f"{shown(pair)} is no quantity; it must be a name, = and a number, such as nat_gateway_gb=500. "
                "`estimator charges` and `estimator prices show` list the names."
            )
        if name in found:
            raise InvalidScenario(f"{name} stands twice; add its quantities up.")
        found[name] = number
    return found


def print_explained(cost: CostBreakdown, rates: Rates, charge: str, as_json: bool) -> None:
    """Print the arithmetic of a line of a bill, or of all.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.
    rates : Rates
        What it was priced at.
    charge : str
        Name of the charge, or ``all``.
    as_json : bool
        True for JSON.

    Raises
    ------
    InvalidScenario
        If the bill has no such line.
    """
    import difflib

    from estimator.billing.charges import CHARGES
    from estimator.checks import shown
    from estimator.errors import InvalidScenario
    from estimator.report.provenance import explain

    chosen = [line for line in cost if charge in (ALL, line.charge)]
    if not chosen:
        here = [line.charge for line in cost]
        near = [name for name in here if charge in name] or difflib.get_close_matches(charge, here, n=1)
        why = "has no quantity on this bill" if charge in CHARGES else "is no line of the bill"
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InvalidScenario(
            f"--explain is {shown(charge)}, which {why}; it must be {ALL} or one of {', '.join(here)}.{hint}"
        )
    texts = {line.charge: explain(line, rates.known.get(line.price)) for line in chosen}
    if as_json:
        typer.echo(json.dumps({name: list(lines) for name, lines in texts.items()}, indent=2))
        return
    from estimator.report.terminal import say

    say("\n\n".join("\n".join(lines) for lines in texts.values()))
