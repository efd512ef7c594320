"""The bill of each month to come, drawn: how far a plan's bills spread as its load grows by a rate that is not known exactly.

Notes
-----
A draw has one value for each uncertain input and one growth, which hold in all of its months. A load that has a year of its own is cut into
twelve, so that each month is billed with its season and begins its tiers anew; any other load is the same in all months but for its growth.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.errors import InvalidScenario
from estimator.planning.draws import Case, Contender, run_draws
from estimator.pricing.rates import Rates
from estimator.risk import Cases, draws
from estimator.scenario import Scenario
from estimator.workload.horizon import Horizon
from estimator.workload.interval import Interval, stream
from estimator.workload.profile import MAX_REQUESTS_PER_S, LoadProfile

#: The path of the growth in a scenario, which names its random numbers too.
GROWTH = "horizon.growth_percent_per_month"
#: Months of a year, and from which length on a load has a season of its own. [1, h]
YEAR_MONTHS, _YEAR_HOURS = 12, 360 * 24


@dataclass(frozen=True, eq=False)
class MonthDraws:
    """What a plan costs in each month, in each draw.

    Parameters
    ----------
    usd : numpy.ndarray, shape (n_draws, n_months)
        Bills, without lines whose rate is unknown. [USD/month]
    keeps : numpy.ndarray of bool, shape (n_draws, n_months)
        True where no limit of the promise is broken.
    growth_percent_per_month : numpy.ndarray, shape (n_draws,)
        What the load grows from each month to the next. [percent/month]
    unknown : tuple of str
        Lines without a known rate; bills are then lower bounds.
    """

    usd: NDArray[np.float64]
    keeps: NDArray[np.bool_]
    growth_percent_per_month: NDArray[np.float64]
    unknown: tuple[str, ...] = ()


def has_seasons(load: LoadProfile) -> bool:
    """Tell a load that has a year of its own.

    Parameters
    ----------
    load : LoadProfile
        The load.

    Returns
    -------
    bool
        True from 360 days on.
    """
    return load.period_hours >= _YEAR_HOURS


def bills_by_month(
    scenario: Scenario,
    contender: Contender,
    rates: Rates,
    folder: Path | str,
    months: int,
    growth: Interval,
    n_draws: int,
    seed: int = 1,
    *,
    model_uncertainty: bool = True,
    progress: Callable[[float], None] | None = None,
) -> MonthDraws:
    """Bill a plan in each month of each draw.

    Parameters
    ----------
    scenario : Scenario
        The scenario; its intervals are drawn.
    contender : Contender
        The plan.
    rates : Rates
        The region's rates.
    folder : path
        What the path of a CSV file is relative to.
    months : int
        Months, 1 to 60. [months]
    growth : Interval
        What the load grows from each month to the next. [percent/month]
    n_draws : int
        How many draws: the first of those that `estimator.risk.assess_risk` makes from the same seed. [1]
    seed : int
        Another seed, other draws. [1]
    model_uncertainty : bool
        False to leave the parameters that AWS does not document as they are.
    progress : callable, optional
        Called with the part that is done, 0 to 1; what it raises ends the run.

    Returns
    -------
    MonthDraws
        The same for the same seed.

    Raises
    ------
    InvalidScenario
        If values of the intervals do not go together, or the load grows beyond what any service has ever had.
    """
    for percent in (growth.low, growth.high):
        Horizon(months, percent)
    drawn = draws(scenario, n_draws, seed, model_uncertainty=model_uncertainty)
    percents = growth.drawn(n_draws, stream(seed, GROWTH))
    cases = Cases(scenario, folder, rates)
    seasons = has_seasons(cases.load)
    _require_believable(cases.load, months, growth)
    # Months that are all alike are followed once.
    alike = not percents.any() and not seasons
    columns = 1 if alike else min(months, YEAR_MONTHS) if not percents.any() else months
    beside = dict(contender.beside)

    @functools.lru_cache(maxsize=8)  # the months of a draw come one after the other
    def case(i: int) -> Case:
        return cases.of({**drawn.at(i), **beside})

    def of(place: int, _: Mapping[str, Any]) -> Case:
        i, before = divmod(place, columns)
        base = case(i)
        load: LoadProfile = _month(base.workload.load, before) if seasons else base.workload.load
        factor = Horizon(months, float(percents[i])).load_factor(before + 1)
        if factor != 1:
            load = load.scaled(factor)
        return base if load is base.workload.load else replace(base, workload=replace(base.workload, load=load))

    found = run_draws([contender], of, n_draws * columns, progress)
    again = np.arange(months) % columns
    return MonthDraws(
        found.usd.reshape(n_draws, columns)[:, again],
        found.keeps.reshape(n_draws, columns)[:, again],
        percents,
        found.unknown,
    )


def _month(load: LoadProfile, before: int) -> LoadProfile:
    """Cut a month out of a year: a twelfth, to the hour."""
    edges = [round(load.period_hours * twelfth / YEAR_MONTHS) for twelfth in range(YEAR_MONTHS + 1)]
    place = before % YEAR_MONTHS
    return load.between(edges[place], edges[place + 1])


def _require_believable(load: LoadProfile, months: int, growth: Interval) -> None:
    """Raise where the load grows beyond what any service has ever had."""
    peak = load.peak_requests_per_s * Horizon(months, growth.high).load_factor(months)
    if peak > MAX_REQUESTS_PER_S:
        raise InvalidScenario(
            f"growth_percent_per_month is up to {growth.high:g}: in month {months} the load peaks at {peak:,.3g} requests/s, and at most "
            f"{MAX_REQUESTS_PER_S:g} are taken for real. Let it grow less, or take fewer months."
        )
