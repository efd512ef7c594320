"""What most commands begin with: a scenario, its rates, and the service that it describes or a search finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands.output import progress_bar

if TYPE_CHECKING:
    from estimator.planning.result import Plan
    from estimator.pricing.rates import Rates
    from estimator.scenario import Scenario


def read_scenario(path: Path) -> tuple[Scenario, Rates]:
    """Read a scenario and its rates.

    Parameters
    ----------
    path : pathlib.Path
        The scenario's file.

    Returns
    -------
    tuple of (Scenario, Rates)
        The document, and the rates that it says.
    """
    from estimator.scenario import Scenario

    document = Scenario.from_file(path)
    return document, document.rates(path.parent)


def price_scenario(document: Scenario, rates: Rates, folder: Path, quiet: bool) -> Plan:
    """Price a scenario's `service` section, or else the plan that a search finds for it.

    Parameters
    ----------
    document : Scenario
        The scenario.
    rates : Rates
        Its rates.
    folder : pathlib.Path
        Where its files are.
    quiet : bool
        True for no progress bar.

    Returns
    -------
    Plan
        The service with its bill.
    """
    if document.service is not None:
        return document.estimate(rates, folder)
    with progress_bar("Simulating candidates", quiet) as progress:
        return document.plan(rates, folder, progress)
