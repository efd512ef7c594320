"""The `prices` commands: what is known, what AWS says now, what changed, and where it is kept.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the commands.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import say

if TYPE_CHECKING:
    from estimator.pricing.changes import PriceChange
    from estimator.pricing.rates import Rates
    from estimator.pricing.refresh import Refresh

prices = typer.Typer(
    help="What is known of AWS's prices: show, refresh, compare, import.\n\n"
    "Start with: estimator prices show --region eu-west-1",
    no_args_is_help=True,
    rich_markup_mode=None,
)

WHICH_COUNTS = "Of each price the rate counts that was last seen on AWS's list."
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def _address(what: str) -> Any:
    return typer.Option(metavar="URL", show_default=False, help=f"Another address of {what}, such as a mirror's.")


@prices.command("show")
def show_prices(
    region: Annotated[str, typer.Option("--region", help="Region code, or all for what is known in each.")] = "all",
    every: Annotated[
        bool, typer.Option("--all", help="Also Savings Plans, CloudFront and data transfer between regions.")
    ] = False,
    matching: Annotated[
        str, typer.Option("--match", metavar="TEXT", help="Only prices with this in their name or title.")
    ] = "",
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Prices of this day, such as 2026-01-31.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/prices.md: what ships with the package, without refreshes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the known and the unknown rates, with SKU and dates.

    Example: estimator prices show --region eu-west-1 --match nat
    """
    from estimator.errors import InvalidScenario
    from estimator.report.tables import coverage_table, rates_rows, rates_table, stale_text
    from estimator.report.terminal import show

    if region == "all":
        from estimator.pricing.coverage import coverage_markdown, coverage_rows

        if markdown and as_json:
            raise InvalidScenario("--markdown and --json exclude each other: choose one.")
        if every or matching or as_of:
            raise InvalidScenario("--all, --match and --as-of need one region: add --region eu-west-1, for example.")
        if markdown:
            typer.echo(coverage_markdown(), nl=False)
        elif as_json:
            typer.echo(json.dumps(coverage_rows(), indent=2))
        else:
            show(coverage_table(coverage_rows()))
        return
    from estimator.pricing.snapshots import load_rates

    if markdown:
        raise InvalidScenario("--markdown is for all regions: leave --region out.")
    rates = load_rates(region, as_of=as_of)
    rows = rates_rows(rates, every, matching)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if matching and not rows:
        raise InvalidScenario(f"No price has {matching!r} in its name, title or service; leave --match out to see all.")
    show(rates_table(rates, every, matching))
    if stale := stale_text(rates):
        say(stale)


@prices.command()
def refresh(
    region: Annotated[
        list[str] | None, typer.Option("--region", help="Region code, more than once for several; all by default.")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help="bulk: AWS's public files, no account. query: the signed Query API.")
    ] = "bulk",
    keep_older: Annotated[
        bool, typer.Option("--keep-older", help="Where AWS's list lacks a price, keep the older one with its date.")
    ] = False,
    price_list_url: Annotated[str | None, _address("the bulk files")] = None,
    query_api_url: Annotated[str | None, _address("the Query API")] = None,
    savings_plans_url: Annotated[str | None, _address("the Savings Plan files")] = None,
    spot_feed_url: Annotated[str | None, _address("the Spot feed")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask AWS for its prices now and keep them for the next estimates; needs the network, but no account.

    A first refresh reads AWS's whole price files, some hundreds of megabytes a region; later ones only what changed.
    It ends with 2 if a region could not be refreshed; what was refreshed is kept.

    The environment can hold the addresses too: ESTIMATOR_PRICE_LIST_URL, ESTIMATOR_QUERY_API_URL,
    ESTIMATOR_SAVINGS_PLANS_URL, ESTIMATOR_SPOT_FEED_URL.

    Example: estimator prices refresh --region eu-west-1
    """
    from estimator.pricing.endpoints import Endpoints
    from estimator.pricing.rates import require_region
    from estimator.pricing.refresh import refresh_prices
    from estimator.pricing.regions import REGIONS

    asked = list(REGIONS) if not region or "all" in region else region
    for each in asked:
        require_region(each)
    endpoints = Endpoints.from_environment(
        price_list_url=price_list_url,
        query_api_url=query_api_url,
        savings_plans_url=savings_plans_url,
        spot_feed_url=spot_feed_url,
    )
    try:
        with _bar("Asking AWS for prices", quiet=as_json) as progress:
            done = refresh_prices(asked, source, endpoints=endpoints, keep_older=keep_older, progress=progress)
    except KeyboardInterrupt:
        # Nothing is left half written, so that no thread need be waited for.
        say("Stopped. The regions that were finished keep their new prices, the others their old ones.", stderr=True)
        sys.stderr.flush()
        os._exit(130)
    if as_json:
        values = {
            "received_bytes": done.received_bytes,
            "regions": [outcome.to_dict() for outcome in done.outcomes],
        }
        typer.echo(json.dumps(values, indent=2))
    else:
        _show_refresh(done)
    if done.failed:
        raise typer.Exit(2)


@prices.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="shipped, now, a day such as 2026-01-31, or a snapshot.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")] = "now",
    region: Annotated[
        str | None, typer.Option("--region", help="Region code, or all; by default the scenario's, or all.")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", metavar="FILE", help="Also say what this scenario's bill becomes.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also list each price that became known.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two price lists, and what the change does to a plan's bill.

    Example: estimator prices diff 2026-01-31 now --region eu-west-1 --scenario shop.yaml
    """
    from estimator.errors import InvalidScenario
    from estimator.pricing.changes import compare_rates
    from estimator.pricing.rates import require_region
    from estimator.pricing.regions import REGIONS
    from estimator.pricing.snapshots import rates_from, region_named
    from estimator.report.terminal import show

    document = None
    if scenario is not None:
        from estimator.scenario import Scenario

        document = Scenario.from_file(scenario)
        if region not in (None, document.region):
            raise InvalidScenario(f"{scenario} is for {document.region}, --region says {region}. Leave --region out.")
        region = document.region
    region = region or region_named(before) or region_named(after)
    regions = list(REGIONS) if region in (None, "all", "global") else [str(region)]
    for each in regions:
        require_region(each)
    changes = {each: compare_rates(rates_from(before, each), rates_from(after, each)) for each in regions}
    effect = None
    if document is not None and scenario is not None:
        old, new = rates_from(before, document.region), rates_from(after, document.region)
        effect = _effect(document, scenario.parent, old, new)
    if as_json:
        values: dict[str, Any] = {
            "before": before,
            "after": after,
            "changes": {each: [change.to_dict() for change in found] for each, found in changes.items()},
        }
        if effect is not None:
            values["effect"] = effect.to_dict()
        typer.echo(json.dumps(values, indent=2))
        return
    if any(changes.values()):
        _show_changes(changes, before, after, f"{shlex.quote(before)} {shlex.quote(after)}", every)
    else:
        where = regions[0] if len(regions) == 1 else "any region"
        say(f"No price differs in {where} between {before} and {after}.")
    if effect is not None:
        from estimator.report.tables import effect_table

        say("")
        show(effect_table(effect))
        say(effect.verdict)


@prices.command("import")
def import_prices(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Offers, GetProducts answers, Savings Plan files, the Spot feed, or our own snapshots; gzip is fine.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Keep the prices of files for the next estimates, on a machine without network.

    docs/prices.md says from which addresses to carry them.

    Example: estimator prices import AmazonECS.json AWSELB.json
    """
    from estimator.pricing.folders import refreshed_folder
    from estimator.pricing.imports import import_file

    found = []
    for file in files:
        imported = import_file(file, refreshed_folder())
        found.append(imported)
        if as_json:
            continue
        dates = sorted({rate.published for rates in imported.rates.values() for rate in rates if rate.published})
        span = f", published {' to '.join(sorted({str(dates[0]), str(dates[-1])}))}" if dates else ""
        counts = [f"{region} ({len(rates)})" for region, rates in imported.rates.items()]
        where = ", ".join(counts) if len(counts) <= 4 else f"{len(counts)} regions"
        total = sum(len(rates) for rates in imported.rates.values())
        say(f"{file.name}, {imported.kind}: {total} rates of {where}{span}.")
    if as_json:
        typer.echo(json.dumps([imported.to_dict() for imported in found], indent=2))
        return
    say(f"Kept in {refreshed_folder()}. {WHICH_COUNTS}")


@prices.command()
def where(as_json: AsJson = False) -> None:
    """Say where prices are kept, how old they are, and how to go back to the shipped ones.

    Example: estimator prices where
    """
    from estimator.pricing.endpoints import Endpoints
    from estimator.pricing.places import price_places
    from estimator.report.tables import places_table
    from estimator.report.terminal import show

    places = price_places()
    if as_json:
        from dataclasses import asdict

        values = {"places": [place.to_dict() for place in places], "addresses": asdict(Endpoints.from_environment())}
        typer.echo(json.dumps(values, indent=2))
        return
    show(places_table(places))
    for place in places:
        for text in place.damaged:
            say(f"Error: {text}", stderr=True)
    say(
        f"\n{WHICH_COUNTS} ESTIMATOR_PRICES_FOLDER moves your refreshes; delete that folder to go back to the shipped prices."
    )


def _effect(document: Any, folder: Path, before: Rates, after: Rates) -> Any:
    from estimator.errors import NoFeasiblePlan, RateNotFound
    from estimator.planning.price_effect import price_effect, reprice

    own_before, own_after = document.prices.over(before, folder), document.prices.over(after, folder)
    if document.service is not None:
        return price_effect(document.estimate(own_before, folder), own_after)
    cheapest_after = document.plan(own_after, folder)
    try:
        plan_before = document.plan(own_before, folder)
    except (NoFeasiblePlan, RateNotFound):
        # The older list knows too little to plan with: today's service at what it does know, the rest unknown.
        return price_effect(reprice(cheapest_after, own_before), own_after)
    return price_effect(plan_before, own_after, cheapest_after)


def _show_changes(
    changes: Mapping[str, Sequence[PriceChange]], before: str, after: str, lists: str, every: bool = False
) -> None:
    """Show what became dearer, cheaper or unknown; what became known only as a count, unless all is asked for."""
    from estimator.pricing.coverage import family_of
    from estimator.report.tables import changes_table
    from estimator.report.terminal import show

    listed = {region: [each for each in found if every or each.kind != "added"] for region, found in changes.items()}
    listed = {region: found for region, found in listed.items() if found}
    if listed:
        say("")
        show(changes_table(listed, before, after))
    added = [each for found in changes.values() for each in found if each.kind == "added"]
    if added and not every:
        kinds = Counter(family_of(each.price) or each.title for each in added)
        text = ", ".join(f"{kind} ({count:,})" for kind, count in kinds.most_common(6))
        more = " and others" if len(kinds) > 6 else ""
        say(f"Newly known: {text}{more}; `estimator prices diff {lists} --all` lists each.")
    leaps = sorted(
        {
            each.title
            for found in changes.values()
            for each in found
            if each.first_tier_percent is not None and not -67 < each.first_tier_percent < 200
        }
    )
    if leaps:
        say(f"Look twice, these moved by more than three times: {', '.join(leaps)}.")


def _show_refresh(done: Refresh) -> None:
    from estimator.errors import PriceListUnreachable
    from estimator.report.tables import refresh_table
    from estimator.report.terminal import show

    if len(done.failed) < len(done.outcomes):
        show(refresh_table(done))
    _show_changes({outcome.region: outcome.changes for outcome in done.outcomes}, "before", "now", "shipped now")
    kept = sorted({name for outcome in done.outcomes for name in outcome.kept})
    if kept:
        say(f"Older rates were kept, with their dates, of: {', '.join(kept)}.")
    # What ails many regions alike, such as the network, is said once.
    regions_of: dict[str, list[str]] = {}
    for outcome in done.failed:
        if not outcome.not_tried:
            regions_of.setdefault(str(outcome.error), []).append(outcome.region)
    for text, regions in regions_of.items():
        named = f"{regions[0]}: " if len(regions) == 1 and regions[0] not in text else ""
        say(f"Error: {named}{text}", stderr=True)
    left = sum(outcome.not_tried for outcome in done.failed)
    if left:
        say(f"{left} other regions were not tried.", stderr=True)
    if any(isinstance(outcome.error, PriceListUnreachable) for outcome in done.failed):
        say("Check the network and the proxy, or carry the files here: `estimator prices import --help`.", stderr=True)


@contextmanager
def _bar(title: str, quiet: bool) -> Iterator[Any]:
    """Show a progress bar on a terminal; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[region]}, {task.fields[megabytes]:.1f} MB"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, region="", megabytes=0.0)
        yield lambda step: bar.update(
            task, total=step.total, completed=step.done, region=step.region, megabytes=step.received_bytes / 1e6
        )
