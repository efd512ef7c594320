"""What each limit of a promise costs: limit_prices(explored, rates), and the price of the last nine of availability."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints

from estimator.errors import InvalidScenario, NoFeasiblePlan
from estimator.planning.frontier import Candidate, Explored, SearchSpace
from estimator.planning.planner import plan
from estimator.planning.promise import Promise
from estimator.planning.result import Plan
from estimator.planning.why_not import difference_usd, usd_digits
from estimator.pricing.rates import Rates
from estimator.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, described_fields

#: Minutes of a month of 730 hours that the usual availabilities allow: none, and 99.999, 99.99, 99.9 and 99 percent. [min/month]
NINES_MINUTES = (0.0, 0.5, 4.4, 44.0, 438.0)
#: Limits of which each holds without the other, so that either alone costs nothing: priced together too.
TOGETHER = (("min_tasks", "min_availability_zones"),)
#: A plan that differs in its bill by less is the same. [USD/month]
_SAME_USD = 1e-9


@dataclass(frozen=True, eq=False)
class LimitPrice:
    """What one limit of a promise costs.

    Parameters
    ----------
    limit : str
        The limit's name, a field of `Promise`; two of them where they are priced together.
    allowed : object
        What it allows; a tuple where that is a list. [unit]
    unit : str
        Its unit; empty if it has none.
    best : Plan or None
        The plan with all limits; None if no candidate keeps them.
    without : Plan or None
        The plan without this one; None if no candidate keeps the others either.
    """

    limit: str
    allowed: Any
    unit: str
    best: Plan | None
    without: Plan | None

    @property
    def saving_usd(self) -> float | None:
        """What the plan without it costs less; None if either is missing or a rate that is not known decides. [USD/month]"""
        if self.best is None or self.without is None:
            return None
        return difference_usd(self.without.cost, self.best.cost)

    @property
    def costs_nothing(self) -> bool:
        """True if the same plan wins without it, or another one for the same money."""
        if self.best is None or self.without is None:
            return False
        saving = self.saving_usd
        return self.is_same or (saving is not None and abs(saving) < _SAME_USD)

    @property
    def is_same(self) -> bool:
        """True if the same plan wins without it, in the same region and with the same around it."""
        if self.best is None or self.without is None:
            return False
        return all(
            ours == theirs
            for ours, theirs in (
                (self.best.spec, self.without.spec),
                (self.best.cost.region, self.without.cost.region),
                (self.best.workload.behind_cloudfront, self.without.workload.behind_cloudfront),
                (self.best.extras, self.without.extras),
                (self.best.savings_plans, self.without.savings_plans),
            )
        )

    @property
    def verdict(self) -> str:
        """What the limit costs, in a sentence."""
        name = f"{self.limit} ({self.allowed_text})"
        if self.without is None:
            return f"{name}: without it no candidate keeps the other limits either."
        other = self.without.spec.describe()
        if self.best is None:
            return f"{name}: without it {other} would keep the promise, for {self.without.cost.total_text}."
        if self.is_same:
            return f"{name} costs nothing: without it the same plan wins."
        saving = self.saving_usd
        if saving is None:
            return f"{name}: without it {other} would win; what that saves is not known, since a rate is not known."
        if abs(saving) < _SAME_USD:
            return f"{name} costs nothing: without it {other} would win, for the same money."
        return f"{name} costs ${usd_digits(saving)} a month: without it {other} would win."

    @property
    def allowed_text(self) -> str:
        """What the limit allows, to read."""
        if isinstance(self.allowed, (int, float)) and not isinstance(self.allowed, bool):
            return " ".join(filter(None, (f"{self.allowed:,.12g}", "" if self.unit == "1" else self.unit)))
        return ", ".join(map(str, self.allowed)) if isinstance(self.allowed, tuple) else str(self.allowed)

    def to_dict(self) -> dict[str, Any]:
        """Return the limit's price as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        without = self.without
        return {
            "limit": self.limit,
            "allowed": dataclasses.asdict(self.allowed) if dataclasses.is_dataclass(self.allowed) else self.allowed,  # type: ignore[arg-type]
            "unit": self.unit,
            "saving_usd_per_month": self.saving_usd,
            "costs_nothing": self.costs_nothing,
            "without_it": None if without is None else without.spec.describe(),
            "without_it_usd_per_month": None if without is None else without.cost.total_usd,
            "without_it_is_lower_bound": None if without is None else without.cost.is_lower_bound,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class AvailabilityPrice:
    """The cheapest candidate that is over capacity for so many minutes of a month at the most, all other limits kept.

    Parameters
    ----------
    minutes : float
        Minutes over capacity that are allowed. [min/month]
    hours_per_month : float
        Length of the billed month. [h]
    candidate : Candidate or None
        The candidate; None if none is left.
    more_usd : float or None
        What it costs more than with the next looser limit that has one; None for the loosest. [USD/month]
    """

    minutes: float
    hours_per_month: float
    candidate: Candidate | None
    more_usd: float | None

    @property
    def availability_percent(self) -> float:
        """Part of the month's minutes that the limit asks for. [%]"""
        minutes = self.hours_per_month * SECONDS_PER_HOUR / SECONDS_PER_MINUTE
        return 100.0 * (1.0 - self.minutes / minutes)

    @property
    def availability_text(self) -> str:
        """The availability with as many nines as it has, to read.

        The first digit that is no nine is rounded, so that 4.4 minutes of 43,800 read 99.99 %.
        """
        missing = 100.0 - self.availability_percent
        digits = 0 if missing <= 0 else max(0, -math.floor(math.log10(missing) + 1e-9))
        return f"{self.availability_percent:.{digits}f} %"

    def to_dict(self) -> dict[str, Any]:
        """Return the price as plain values.

        Returns
        -------
        dict
            JSON-ready; None where there is no candidate.
        """
        return {
            "max_minutes_over_capacity": self.minutes,
            "availability_percent": self.availability_percent,
            "more_usd_per_month": self.more_usd,
            "candidate": None if self.candidate is None else self.candidate.to_dict(),
        }


def limit_prices(
    explored: Explored,
    rates: Rates | Sequence[Rates],
    best: Plan | None = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[LimitPrice, ...]:
    """Plan again without each limit of the promise in turn, and say what that saves.

    Parameters
    ----------
    explored : Explored
        What `explore` gives; it knows what the search is asked.
    rates : Rates or sequence of Rates
        The region's rates; those of several regions where the plan may be in any of them.
    best : Plan, optional
        The plan with all limits; searched if it is not given.
    progress : callable, optional
        Called with the part that is done, 0 to 1.

    Returns
    -------
    tuple of LimitPrice
        One for each limit that is switched on, and for those of `TOGETHER`: the dearest first, then those that cost nothing, then those whose
        price is not known.

    Raises
    ------
    RateNotFound
        If every candidate needs a rate that is not known.

    Examples
    --------
    >>> from estimator import Choices, LoadProfile, Workload, load_rates
    >>> from estimator.planning.frontier import explore
    >>> rates = load_rates("us-east-1")
    >>> choices = Choices(target_values=(60.0,), min_capacities=(1, 2))
    >>> found = explore(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), rates, choices=choices)
    >>> [price.limit for price in limit_prices(found, rates) if not price.costs_nothing]
    ['min_tasks and min_availability_zones']
    """
    space = explored.space
    names = limits_switched_on(space.promise)
    if best is None:
        best = _plan(space, space.promise, rates, None)
    groups = [(name,) for name in names] + [pair for pair in TOGETHER if set(pair) <= set(names)]
    units = _units()
    found = []
    for place, group in enumerate(groups):
        promise = _without(space.promise, group)
        if promise is None:
            continue
        without = _plan(space, promise, rates, _part(progress, place, len(groups)))
        allowed = tuple(getattr(space.promise, name) for name in group)
        one = len(group) == 1
        unit = units.get(group[0], "") if one else ""
        found.append(LimitPrice(" and ".join(group), allowed[0] if one else allowed, unit, best, without))
    return tuple(sorted(found, key=_dearest_first))


def availability_prices(explored: Explored, minutes: Iterable[float] = NINES_MINUTES) -> tuple[AvailabilityPrice, ...]:
    """Say what each nine of availability costs, from what was simulated already.

    Available is a minute in which the healthy tasks can serve the load; what else fails is not simulated.

    Parameters
    ----------
    explored : Explored
        What `explore` gives.
    minutes : iterable of float
        Minutes over capacity of a month to allow. [min/month]

    Returns
    -------
    tuple of AvailabilityPrice
        The strictest limit first.
    """
    hours = explored.space.hours_per_month
    found: list[AvailabilityPrice] = []
    looser: Candidate | None = None
    for allowed in sorted(set(minutes), reverse=True):
        candidate = explored.cheapest_within(allowed)
        more = None if candidate is None or looser is None else candidate.usd_per_month - looser.usd_per_month
        found.append(AvailabilityPrice(allowed, hours, candidate, more))
        looser = candidate or looser
    return tuple(reversed(found))


def limits_switched_on(promise: Promise) -> tuple[str, ...]:
    """Name the limits of a promise that are switched on and could be switched off.

    Parameters
    ----------
    promise : Promise
        The limits.

    Returns
    -------
    tuple of str
        Names of fields, in their order.

    Examples
    --------
    >>> limits_switched_on(Promise(p95_latency_ms=250, min_tasks=None))[:2]
    ('p95_latency_ms', 'max_minutes_over_capacity')
    """
    return tuple(name for name, off in _off_values().items() if getattr(promise, name) != off)


def _off_values() -> dict[str, Any]:
    """Say for each limit what switches it off: None, or an empty list of what is allowed."""
    hints = get_type_hints(Promise)
    switches = {item.name: None for item in dataclasses.fields(Promise) if type(None) in get_args(hints[item.name])}
    return switches | {item.name: () for item in dataclasses.fields(Promise) if item.default == ()}


def _without(promise: Promise, names: Iterable[str]) -> Promise | None:
    """Switch limits off; None if another one cannot be without them."""
    off = _off_values()
    try:
        return replace(promise, **{name: off[name] for name in names})
    except InvalidScenario:
        return None


def _plan(
    space: SearchSpace,
    promise: Promise,
    rates: Rates | Sequence[Rates],
    progress: Callable[[float], None] | None,
) -> Plan | None:
    try:
        return plan(
            space.workload,
            rates,
            promise,
            choices=space.choices,
            application=space.application,
            network=space.network,
            behavior=space.behavior,
            hours_per_month=space.hours_per_month,
            progress=progress,
            operations=space.operations,
            extras=space.extras,
            savings_plans=space.savings_plans,
            explain=0,
        )
    except NoFeasiblePlan:
        return None


def _part(progress: Callable[[float], None] | None, place: int, of: int) -> Callable[[float], None] | None:
    return None if progress is None else lambda part: progress((place + part) / of)


def _units() -> dict[str, str]:
    """Read the unit of each limit where it is said: at the end of its description."""
    texts = described_fields(Promise)
    return {name: text.rpartition("[")[2].removesuffix("]") for name, text in texts.items() if text.endswith("]")}


def _dearest_first(price: LimitPrice) -> tuple[bool, bool, float]:
    saving = price.saving_usd
    return saving is None, price.costs_nothing, -(saving or 0.0)
