"""What differs between two price lists of one region: new, gone, dearer, cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from estimator.errors import InvalidScenario
from estimator.pricing.catalog import PRICES
from estimator.pricing.own_prices import contracted
from estimator.pricing.rates import Rate, Rates


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that two lists do not have alike.

    Parameters
    ----------
    price : str
        Name of the row in ``PRICES``.
    title : str
        What it is, in words.
    region : str
        Region code.
    kind : str
        ``"added"``, ``"removed"`` or ``"changed"``.
    before : Rate or None
        The rate of the first list; None if it has none.
    after : Rate or None
        The rate of the second list; None if it has none.
    first_tier_percent : float or None
        Change of the first unit's price, the private discount taken off; None if there is nothing to compare. [percent]
    largest_percent : float or None
        Change of the tier that changed most, up or down; None if there is nothing to compare. [percent]
    """

    price: str
    title: str
    region: str
    kind: Literal["added", "removed", "changed"]
    before: Rate | None
    after: Rate | None
    first_tier_percent: float | None = None
    largest_percent: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "price": self.price,
            "title": self.title,
            "region": self.region,
            "kind": self.kind,
            "before": _plain(self.before),
            "after": _plain(self.after),
            "first_tier_percent": self.first_tier_percent,
            "largest_percent": self.largest_percent,
        }


def compare_rates(before: Rates, after: Rates) -> tuple[PriceChange, ...]:
    """List the prices that differ between two lists of one region.

    Parameters
    ----------
    before, after : Rates
        Two lists of the same region.

    Returns
    -------
    tuple of PriceChange
        In the order of ``PRICES``; a later date of the same price is no change.

    Raises
    ------
    InvalidScenario
        If the lists are of two regions.

    Examples
    --------
    >>> from estimator.pricing.rates import Tier
    >>> before = Rates("eu-west-1", {"alb_hour": Rate("alb_hour", "Hrs", (Tier(0, "0.02"),))})
    >>> after = Rates("eu-west-1", {"alb_hour": Rate("alb_hour", "Hrs", (Tier(0, "0.025"),))})
    >>> [(change.kind, change.first_tier_percent) for change in compare_rates(before, after)]
    [('changed', 25.0)]
    """
    if before.region != after.region:
        raise InvalidScenario(
            f"The price lists are of {before.region} and of {after.region}; compare two lists of the same region."
        )
    return compare_known(after.region, before.known, after.known)


def compare_known(region: str, before: Mapping[str, Rate], after: Mapping[str, Rate]) -> tuple[PriceChange, ...]:
    """List the prices that differ between two lists of one region, or of what has none.

    Parameters
    ----------
    region : str
        Region code, or ``"global"``.
    before, after : mapping of str to Rate
        Rates by name.

    Returns
    -------
    tuple of PriceChange
        In the order of ``PRICES``; a later date of the same price is no change.
    """
    order = {name: place for place, name in enumerate(PRICES)}
    names = sorted({*before, *after}, key=lambda name: (order.get(name, len(order)), name))
    found = (_compared(region, name, before.get(name), after.get(name)) for name in names)
    return tuple(change for change in found if change is not None)


def _compared(region: str, name: str, old: Rate | None, new: Rate | None) -> PriceChange | None:
    title = PRICES[name].title if name in PRICES else ""
    if old is None or new is None:
        return PriceChange(name, title, region, "removed" if new is None else "added", old, new)
    if old.unit != new.unit:
        return PriceChange(name, title, region, "changed", old, new)
    was, now = _steps(contracted(old)), _steps(contracted(new))
    if was == now:
        return None
    # The price of a unit at the begin of every tier of either rate.
    percents = [_percent(_at(was, begin), _at(now, begin)) for begin in sorted({*dict(was), *dict(now)})]
    comparable = [percent for percent in percents if percent is not None]
    return PriceChange(name, title, region, "changed", old, new, percents[0], max(comparable, key=abs, default=None))


def _steps(rate: Rate) -> list[tuple[float, Decimal]]:
    """Return where the price changes and to what; a tier at the price of the one before it says nothing."""
    found: list[tuple[float, Decimal]] = []
    for tier in rate.tiers:
        if not found or found[-1][1] != Decimal(tier.price):
            found.append((tier.begin, Decimal(tier.price)))
    return found


def _at(steps: list[tuple[float, Decimal]], quantity: float) -> Decimal:
    return [price for begin, price in steps if begin <= quantity][-1]


def _percent(old: Decimal, new: Decimal) -> float | None:
    if old == new:
        return 0.0
    # What was free has no price to be a percentage of.
    return float((new / old - 1) * 100) if old else None


def _plain(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "unit": rate.unit,
        "tiers": [{"begin": tier.begin, "usd_per_unit": tier.price} for tier in rate.tiers],
        "discount_percent": rate.discount_percent,
        "published": rate.published.isoformat() if rate.published else None,
        "checked": rate.checked.isoformat() if rate.checked else None,
        "provenance": rate.provenance,
    }
