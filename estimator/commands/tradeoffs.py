"""The command `tradeoffs`: cost against risk, runners-up, what each limit costs, and the way from today's service to the plan.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.commands.output import progress_bar
from estimator.commands.reading import read_scenario

if TYPE_CHECKING:
    from estimator.errors import NoFeasiblePlan
    from estimator.planning.frontier import Explored
    from estimator.planning.result import Plan
    from estimator.pricing.rates import Rates
    from estimator.report.tradeoff_tables import Tradeoffs
    from estimator.scenario import Scenario

#: Parts of the work that the progress bar gives to the search, to all candidates, and to the limits. [1]
_SEARCH, _ALL = 0.2, 0.6


def tradeoffs(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    risk: Annotated[
        str | None,
        typer.Option(
            "--risk",
            help="What stands against cost: minutes_over_promise_per_month, minutes_over_capacity_per_month, p95_latency_ms or refused_percent; by "
            "default the minutes that the promise limits.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write a page with figures (.html), the tables (.md), or every candidate (.csv); may be given several times.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over existing files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show what more risk would save, and what each limit and each choice costs.

    Every candidate of `search` is simulated and priced: the front of cost against risk, the runners-up, the plan without each limit in
    turn, the price of each nine of availability, the steps from the scenario's `service` section to the plan, and each other choice alone.

    Example: estimator tradeoffs shop.yaml --output front.html
    """
    from estimator.checks import by_ending
    from estimator.errors import InvalidScenario
    from estimator.files import require_free, write_whole
    from estimator.planning.risks import require_risk

    try:
        if risk is not None:
            require_risk(risk)
    except InvalidScenario as error:
        raise InvalidScenario(str(error).replace("risk", "--risk", 1)) from None
    writers = _writers()
    for path in output or []:
        by_ending(path, writers, "trade-offs are")
        require_free(path, force)
    document, rates = read_scenario(scenario)
    with progress_bar("Weighing candidates", as_json) as progress:
        found, failed, rates = _weighed(document, rates, scenario.parent, risk, progress)
    for path in output or []:
        write_whole(path, by_ending(path, writers, "trade-offs are")(found, rates))
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _show(found)
    for path in output or []:
        typer.echo(f"Wrote {path}.", err=True)
    if failed is not None:
        raise failed


def _weighed(
    document: Scenario, rates: Rates, folder: Path, risk: str | None, progress: Callable[[float], None] | None
) -> tuple[Tradeoffs, NoFeasiblePlan | None, Rates]:
    """Search, look at every candidate, and price limits and choices; that no candidate keeps the promise ends nothing."""
    from estimator.errors import NoFeasiblePlan
    from estimator.planning.limit_prices import availability_prices, limit_prices
    from estimator.planning.steps_to_plan import steps_to, value_of_choices
    from estimator.report.tradeoff_tables import Tradeoffs, usual_risk

    def part(begin: float, end: float) -> Callable[[float], None] | None:
        return None if progress is None else lambda done: progress(begin + (end - begin) * done)

    best: Plan | None = None
    failed: NoFeasiblePlan | None = None
    try:
        best = document.plan(rates, folder, part(0.0, _SEARCH))
    except NoFeasiblePlan as error:
        failed = error
    if best is not None and best.cost.region != rates.region:
        rates = document.model_copy(update={"region": best.cost.region}).rates(folder)
    explored = _explored(document, best, rates, folder, part(_SEARCH, _ALL))
    others = [region for region in dict.fromkeys((document.region, *document.search.regions)) if region != rates.region]
    every = [rates, *(document.model_copy(update={"region": region}).rates(folder) for region in others)]
    prices = limit_prices(explored, every if others else rates, best, progress=part(_ALL, 1.0))
    # A service that runs in another region is not led here step by step.
    today = (
        document.estimate(rates, folder) if document.service is not None and rates.region == document.region else None
    )
    found = Tradeoffs(
        document.name,
        explored,
        best,
        prices,
        availability_prices(explored),
        () if best is None else value_of_choices(best, rates),
        today,
        () if today is None else today.broken,
        () if today is None or best is None else steps_to(today, best, rates),
        risk or usual_risk(explored),
    )
    return found, failed, rates


def _explored(
    document: Scenario, best: Plan | None, rates: Rates, folder: Path, progress: Callable[[float], None] | None
) -> Explored:
    """Look at every candidate, with what the plan chose around the service and how it is paid for."""
    from estimator.planning.frontier import explore

    return explore(
        document.workload(folder) if best is None else best.workload,
        rates,
        document.promise,
        choices=document.search,
        application=document.application,
        network=document.network_layout(),
        behavior=document.behavior,
        hours_per_month=document.hours_per_month,
        operations=document.operations,
        extras=document.extras if best is None else best.extras,
        savings_plans=document.savings_plans if best is None else best.savings_plans,
        progress=progress,
    )


def _show(found: Tradeoffs) -> None:
    from estimator.report.terminal import say, show
    from estimator.report.tradeoff_tables import headline, sections

    say(f"\n{headline(found)}\n")
    for section in sections(found):
        if isinstance(section, str):
            say(f"{section}\n")
        else:
            show(section)
            say()


def _writers() -> Mapping[str, Callable[[Tradeoffs, Rates], str]]:
    def page(found: Tradeoffs, rates: Rates) -> str:
        from estimator.report.tradeoff_figures import tradeoffs_html

        return tradeoffs_html(found, rates)

    def markdown(found: Tradeoffs, _: Rates) -> str:
        from estimator.report.tradeoff_tables import tradeoffs_markdown

        return tradeoffs_markdown(found)

    def rows(found: Tradeoffs, _: Rates) -> str:
        from estimator.report.tradeoff_tables import tradeoffs_csv

        return tradeoffs_csv(found)

    return {".html": page, ".md": markdown, ".csv": rows}
