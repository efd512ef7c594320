"""Your own prices over AWS's list: overrides from a CSV file, private discounts in percent, Spot as a part of On-Demand.

Notes
-----
An override is what you pay: no discount is taken off it. A discount is AWS's private pricing on a service's list
prices. Fargate Spot and the Compute Savings Plans have prices of their own that such agreements usually leave as they
are, so ``*`` does not reach them: name ``FargateSpot`` or ``ComputeSavingsPlans`` where yours does. A ratio makes Spot
prices from the On-Demand prices before discounts, since that is how a ratio is quoted.

All arithmetic on prices is decimal: what a table shows is exactly what was asked for.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from estimator.checks import read_text, require_number, shown
from estimator.errors import InvalidScenario
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.pricing.regions import REGIONS

#: Every region, or every service.
EVERY = "*"
COLUMNS = ("price", "region", "usd_per_unit", "reason", "date")
OPTIONAL_COLUMNS = ("tier_begin",)
#: The names by which a discount can be given.
SERVICES = tuple(sorted({price.query.service_code for price in PRICES.values()}))
#: Services that a discount on every service leaves as they are.
NAMED_ONLY = (SPOT_FEED, SAVINGS_PLANS)
MAX_FILE_BYTES = 5_000_000
MAX_USD_PER_UNIT = 1_000_000
MAX_TIER_BEGIN = 1e15
MAX_REASON = 200
# Python's own float and Decimal also read underscores, spaces and other scripts' digits.
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Override:
    """A price that you say, in place of AWS's; several with rising beginnings make tiers.

    Parameters
    ----------
    price : str
        Name of a row in ``PRICES``.
    region : str
        Region code, or ``*`` for every region that has no override of its own for this price.
    usd_per_unit : str
        Decimal price; 0 is allowed. [USD/unit]
    reason : str
        Why it holds, such as a contract; every table shows it.
    date : datetime.date
        Day from which it holds.
    tier_begin : float
        First unit of a month that it is for. [pricing unit]
    source : str
        Where it was written.
    """

    price: str
    region: str
    usd_per_unit: str
    reason: str
    date: dt.date
    tier_begin: float = 0.0
    source: str = "made in Python"

    def __post_init__(self) -> None:
        if self.price not in PRICES:
            raise InvalidScenario(
                f"price is {shown(self.price)}; it must be a name that `estimator prices show --region us-east-1` lists."
                f"{_meant(self.price, PRICES)}"
            )
        if self.region != EVERY and self.region not in REGIONS:
            raise InvalidScenario(
                f"region is {shown(self.region)}; it must be the code of one of the {len(REGIONS)} priced regions, or {EVERY} "
                f"for all.{_meant(self.region, REGIONS)}"
            )
        if not _NUMBER.fullmatch(self.usd_per_unit) or Decimal(self.usd_per_unit) > MAX_USD_PER_UNIT:
            raise InvalidScenario(
                f"usd_per_unit is {shown(self.usd_per_unit)}; it must be a decimal number of US dollars from 0 to "
                f"{MAX_USD_PER_UNIT:,}, such as 0.0405, without a sign or a currency."
            )
        if not self.reason or not self.reason.isprintable() or len(self.reason) > MAX_REASON:
            raise InvalidScenario(
                f"reason is {shown(self.reason)}; it must say in 1 to {MAX_REASON} characters of one line why this price holds, "
                "since every table shows it."
            )
        if not isinstance(self.date, dt.date) or isinstance(self.date, dt.datetime):
            raise InvalidScenario(f"date is {shown(self.date)}; it must be a day such as 2026-01-31.")
        require_number("tier_begin", self.tier_begin, 0, MAX_TIER_BEGIN)


def read_overrides(path: Path | str) -> tuple[Override, ...]:
    """Read overrides from a CSV file with a header.

    The columns are ``price``, ``region``, ``usd_per_unit``, ``reason`` and ``date``, in any order, and ``tier_begin``
    where a price has tiers: one row for each tier.

    Parameters
    ----------
    path : path
        The file, in UTF-8; commas part columns.

    Returns
    -------
    tuple of Override
        In the order of the file.

    Raises
    ------
    InvalidScenario
        If the file cannot be read or a row is broken; the message names the row.
    """
    path = Path(path)
    text = read_text(path, "prices file", MAX_FILE_BYTES, "A file of prices is small: check the path.")
    try:
        overrides = tuple(_overrides(text, path.name))
    except csv.Error as error:
        raise InvalidScenario(
            f"{path.name} is not a CSV file ({error}). Look for a quote that is never closed."
        ) from None
    if not overrides:
        raise InvalidScenario(
            f"{path.name} has no rows; write one, such as {_example(OPTIONAL_COLUMNS)}, or remove it."
        )
    for tiers in _by_price(overrides).values():
        _require_tiers(tiers)
    return overrides


def with_overrides(rates: Rates, overrides: Iterable[Override]) -> Rates:
    """Put overrides in the place of a region's rates, and beside them where AWS's price is not known.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    overrides : iterable of Override
        Those of other regions are left out, and those that do not hold yet on the day of the rates; one for the region
        goes before one for every region.

    Returns
    -------
    Rates
        With provenance ``own`` where a price is yours.

    Raises
    ------
    InvalidScenario
        If the tiers of a price do not begin at 0, or two begin alike.

    Examples
    --------
    >>> from datetime import date
    >>> contract = Override("alb_hour", "*", "0.02", "our contract", date(2026, 1, 31))
    >>> with_overrides(Rates("eu-west-1", {}), [contract])["alb_hour"].tiers_text()
    '0.02'
    """
    day = rates.as_of or dt.date.today()
    found = _by_price(override for override in overrides if override.date <= day)
    own: dict[str, Rate] = {}
    for price in PRICES:
        tiers = found.get((price, rates.region)) or found.get((price, EVERY))
        if tiers:
            own[price] = _own_rate(price, _require_tiers(tiers), rates)
    return replace(rates, known={**rates.known, **own})


def with_spot_ratio(rates: Rates, ratio: float) -> Rates:
    """Take Fargate Spot's prices as a part of On-Demand's; Spot prices that are already your own stay.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    ratio : float
        Spot price as a part of the On-Demand price. [1]

    Returns
    -------
    Rates
        Where On-Demand is not known, Spot is not known either.

    Raises
    ------
    InvalidScenario
        If the ratio is not above 0 and at most 1.

    Examples
    --------
    >>> rates = Rates("eu-west-1", {"fargate_linux_x86_vcpu_hour": Rate("", "vCPU-hour", (Tier(0, "0.04048"),))})
    >>> spot = with_spot_ratio(rates, 0.35)["fargate_spot_linux_x86_vcpu_hour"]
    >>> spot.tiers_text(), spot.note
    ('0.014168', '0.35 of On-Demand 0.04048')
    """
    require_spot_ratio(ratio)
    factor = Decimal(repr(float(ratio)))
    known = dict(rates.known)
    for name, price in PRICES.items():
        if price.query.service_code != SPOT_FEED or (name in known and known[name].provenance == "own"):
            continue
        earlier = known.pop(name, None)
        on_demand = rates.known.get(name.replace("fargate_spot_", "fargate_"))
        if on_demand is None:
            continue
        known[name] = Rate(
            name,
            price.unit,
            _times(on_demand.tiers, factor),
            price.query.usage_type_in(rates.region),
            earlier.sku if earlier else "",
            on_demand.published,
            "own",
            "fargate_spot_ratio",
            f"{_plain(factor)} of On-Demand {on_demand.tiers_text()}",
            # It holds as long as the price does that it is a part of; that one may be your own.
            on_demand.last_seen if on_demand.provenance != "own" else on_demand.checked,
            list_tiers=earlier.tiers if earlier else (),
        )
    return replace(rates, known=known)


def with_discounts(rates: Rates, percents: Mapping[str, float]) -> Rates:
    """Take private discounts off list prices; your own prices stay as they are.

    Parameters
    ----------
    rates : Rates
        The region's rates.
    percents : mapping of str to float
        Discount by service code, such as ``AmazonECS``; ``*`` is for every service that is not named, but for Fargate
        Spot and Savings Plans. [percent]

    Returns
    -------
    Rates
        With the discounts; list prices stay in the tiers.

    Raises
    ------
    InvalidScenario
        If a service is unknown, or a discount is not from 0 to below 100.

    Examples
    --------
    >>> rates = Rates("eu-west-1", {"alb_hour": Rate("alb_hour", "Hrs", (Tier(0, "0.02"),))})
    >>> with_discounts(rates, {"AWSELB": 10})["alb_hour"].cost(730).round(6).tolist()
    13.14
    """
    require_discounts(percents)

    def discounted(name: str, rate: Rate) -> Rate:
        if name not in PRICES or rate.provenance == "own":
            return rate
        service = PRICES[name].query.service_code
        usual = 0.0 if service in NAMED_ONLY else percents.get(EVERY, 0.0)
        return replace(rate, discount_percent=float(percents.get(service, usual)))

    return replace(rates, known={name: discounted(name, rate) for name, rate in rates.known.items()})


def contracted(rate: Rate) -> Rate:
    """Take the discount off the price of each tier.

    Parameters
    ----------
    rate : Rate
        A rate at list prices with its discount.

    Returns
    -------
    Rate
        What a unit costs you; the rate itself if there is no discount.

    Examples
    --------
    >>> contracted(Rate("alb_hour", "Hrs", (Tier(0, "0.0225"),), discount_percent=10)).tiers_text()
    '0.02025'
    """
    if not rate.discount_percent:
        return rate
    left = (100 - Decimal(repr(rate.discount_percent))) / 100
    return replace(rate, tiers=_times(rate.tiers, left), discount_percent=0.0)


def require_spot_ratio(ratio: object) -> None:
    """Raise unless a value can be the ratio of Spot's to On-Demand's prices.

    Parameters
    ----------
    ratio : object
        The value.

    Raises
    ------
    InvalidScenario
        Naming the value and what is allowed.
    """
    require_number("fargate_spot_ratio", ratio, 0, 1, above=True, advice="0.3 means 70 % below On-Demand.")


def require_discounts(percents: Mapping[str, float]) -> None:
    """Raise unless every discount is one, on a service that has prices.

    Parameters
    ----------
    percents : mapping of str to float
        Discount by service code. [percent]

    Raises
    ------
    InvalidScenario
        Naming the service, the value and what is allowed.
    """
    for service, percent in percents.items():
        if service != EVERY and service not in SERVICES:
            raise InvalidScenario(
                f"discounts_percent has {shown(service)}, which is no service with prices; allowed are {EVERY} for all, "
                f"{', '.join(SERVICES)}.{_meant(service, SERVICES)}"
            )
        name = f"discounts_percent of {service}"
        advice = "It must be 0 or more and below 100: 10 means a tenth off; say a price of 0 as an override."
        require_number(name, percent, 0, 1e6, advice=advice)
        if not 0 <= percent < 100:
            raise InvalidScenario(f"{name} is {percent:g}. {advice}")


def _meant(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word).lower(), [name.lower() for name in known], n=1)
    right = next((name for name in known if close and name.lower() == close[0]), "")
    return f" Did you mean {right}?" if right else ""


def _example(left_out: Sequence[str] = ()) -> str:
    cells = {
        "price": "alb_hour",
        "region": EVERY,
        "usd_per_unit": "0.02",
        "reason": "contract 4711",
        "date": "2026-01-31",
        "tier_begin": "0",
    }
    return ",".join(text for name, text in cells.items() if name not in left_out)


def _overrides(text: str, name: str) -> Iterator[Override]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = _header(next(reader, []), name)
    first: dict[tuple[str, str, float], int] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        place = f"{name}, row {reader.line_num}"
        if len(row) != len(header):
            raise InvalidScenario(
                f"{place}: {shown(','.join(row))} has {len(row)} fields, the header {len(header)}. Put a text with a comma in quotes, "
                "and write prices with a decimal point."
            )
        # A line break inside a quoted reason would break the tables that show it.
        cells = {column: " ".join(cell.split()) for column, cell in zip(header, row, strict=True)}
        try:
            override = Override(
                cells["price"],
                cells["region"],
                cells["usd_per_unit"],
                cells["reason"],
                _day(cells["date"]),
                _tier_begin(cells.get("tier_begin", "")),
                place,
            )
        except InvalidScenario as error:
            raise InvalidScenario(f"{place}: {error}") from None
        key = (override.price, override.region, override.tier_begin)
        if key in first:
            raise InvalidScenario(
                f"{place}: {override.price} in {override.region} from {override.tier_begin:g} stands in row {first[key]} already. "
                "Keep one of them; tiers differ in tier_begin."
            )
        first[key] = reader.line_num
        yield override


def _header(row: list[str], name: str) -> list[str]:
    header = [cell.strip() for cell in row]
    allowed = (*COLUMNS, *OPTIONAL_COLUMNS)
    written = f"{','.join(COLUMNS)}, and tier_begin for prices with tiers"
    if not any(header):
        raise InvalidScenario(
            f"{name} is empty; its first row must be {written}, and below it rows such as {_example()}."
        )
    if len(header) == 1 and len(re.split("[;\t]", header[0])) > 1:
        raise InvalidScenario(
            f"{name} has the header {shown(header[0])}; commas part columns, not semicolons or tabs. Save it as comma-separated, "
            "with a decimal point in prices."
        )
    for column in header:
        if column not in allowed:
            raise InvalidScenario(
                f"{name} has a column {shown(column)}; allowed are {written}.{_meant(column, allowed)}"
            )
        if header.count(column) > 1:
            raise InvalidScenario(
                f"{name} has {header.count(column)} columns {column}; it must have one. Remove the others."
            )
    for column in COLUMNS:
        if column not in header:
            raise InvalidScenario(f"{name} has no column {column}; its first row must be {written}. Add the column.")
    return header


def _day(text: str) -> dt.date:
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidScenario(f"date is {shown(text)}; it must be a day such as 2026-01-31.")


def _tier_begin(text: str) -> float:
    if text and not _NUMBER.fullmatch(text):
        raise InvalidScenario(
            f"tier_begin is {shown(text)}; it must be a number of 0 or more without thousands separators."
        )
    return float(text or 0)


def _by_price(overrides: Iterable[Override]) -> dict[tuple[str, str], list[Override]]:
    found: dict[tuple[str, str], list[Override]] = {}
    for override in overrides:
        found.setdefault((override.price, override.region), []).append(override)
    return found


def _require_tiers(tiers: list[Override]) -> list[Override]:
    """Return the tiers of one price in rising order, or raise unless they begin at 0 and differ."""
    rising = sorted(tiers, key=lambda tier: tier.tier_begin)
    begins = [tier.tier_begin for tier in rising]
    if begins[0] != 0 or len(set(begins)) < len(begins):
        first = rising[0]
        raise InvalidScenario(
            f"{first.source}: the tiers of {first.price} in {first.region} begin at {', '.join(f'{begin:g}' for begin in begins)}; "
            "one must begin at 0, and no two alike. Add or mend a row."
        )
    return rising


def _own_rate(price: str, tiers: list[Override], rates: Rates) -> Rate:
    replaced = rates.known.get(price)
    reasons, sources = (dict.fromkeys(texts) for texts in ([t.reason for t in tiers], [t.source for t in tiers]))
    return Rate(
        price,
        PRICES[price].unit,
        tuple(Tier(tier.tier_begin, tier.usd_per_unit) for tier in tiers),
        (replaced.usage_type if replaced else "") or PRICES[price].query.usage_type_in(rates.region),
        replaced.sku if replaced else "",
        max(tier.date for tier in tiers),
        "own",
        "; ".join(sources),
        "; ".join(reasons),
        list_tiers=(replaced.list_tiers or replaced.tiers) if replaced else (),
    )


def _times(tiers: tuple[Tier, ...], factor: Decimal) -> tuple[Tier, ...]:
    return tuple(Tier(tier.begin, _plain(Decimal(tier.price) * factor)) for tier in tiers)


def _plain(number: Decimal) -> str:
    """Write a decimal without exponent and without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
