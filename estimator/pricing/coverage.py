"""What is known of each price and of each region: for a table, for JSON, and as the page docs/prices.md."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimator.markdown import markdown_table
from estimator.pricing.catalog import PRICES, Price, possible_in
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import Rate, Rates
from estimator.pricing.regions import REGIONS
from estimator.pricing.services import SERVICES
from estimator.pricing.snapshots import load_rates

#: How the page docs/prices.md is made anew.
REGENERATE = "estimator prices show --region all --markdown > docs/prices.md"

#: Prices that are said together: how their names begin, and what they are together.
FAMILIES = {
    "sp_": "Savings Plans",
    "fargate_spot_linux_x86_": "Fargate Spot x86",
    "fargate_spot_linux_arm_": "Fargate Spot ARM",
    "fargate_windows_": "Fargate Windows",
    "inter_az_gb": "Data transfer between zones",
    "inter_region_out_gb:": "Data transfer to other regions",
    "cloudfront_http_request:": "CloudFront HTTP requests",
    "cloudfront_https_request:": "CloudFront HTTPS requests",
    "cloudfront_internet_egress_gb:": "Data transfer out of CloudFront",
    "cloudfront_to_origin_gb:": "Data transfer from CloudFront to its origin",
    "cloudfront_plan_month:": "CloudFront's flat-rate plans",
    "web_acl_": "Web ACLs",
}
#: Where a figure was read, in words.
PROVENANCE_WORDS = {
    "api": "AWS",
    "own": "your own price",
    "thirdparty-derived": "derived by a third party",
    "thirdparty-typed": "typed by a third party",
}

_INTRO = f"""\
# What is known of AWS's prices

An estimate reads its prices from snapshots: one file for each of {len(REGIONS)} regions and one for what has no region.
They ship with the package, so that no network and no account is needed. This page says what they hold; it is made from
them with `{REGENERATE}`.

## Where a figure comes from

Every rate carries its publication date, its source and, where the source has one, AWS's SKU. Tables show them.

| Provenance | Said as | What it means |
| --- | --- | --- |
| `api` | AWS | Read from what AWS publishes: Price List, Savings Plan files, Fargate Spot feed, pricing pages. |
| `thirdparty-derived` | derived by a third party | Worked out from a cost that another program computed from AWS's list. |
| `thirdparty-typed` | typed by a third party | Copied from AWS by a person or a program, into a text or a table. |
| `own` | your own price | Given by you; no shipped snapshot has any. |

## How to refresh

- `estimator prices refresh` asks AWS for its prices of today and keeps them beside the shipped ones; `--region eu-west-1`
  asks for one region. It needs the network, but no account. A first refresh reads AWS's whole price files, of which
  AmazonEC2's alone (for the NAT gateways) has hundreds of megabytes a region; later ones read only what changed.
- `--source query` asks the Price List Query API instead: AWS credentials with the permission `pricing:GetProducts`.
- A region is taken whole or not at all. Where AWS's list lacks a price that was known, or is unclear about one, the region
  stays as it was; `--keep-older` takes the rest and keeps the older rates of these, with their dates.
- `--price-list-url`, `--savings-plans-url` and `--spot-feed-url` name a mirror, as do `ESTIMATOR_PRICE_LIST_URL`,
  `ESTIMATOR_SAVINGS_PLANS_URL` and `ESTIMATOR_SPOT_FEED_URL`.
- CloudFront's flat-rate plans are not asked for, since AWS lists them in a form of their own: what ships stays, until you
  give your own price.
- `estimator prices show --region eu-west-1` lists the rates of a region, `--as-of 2026-01-31` those that held on a day.
- `estimator prices where` says where all of them are kept. Of each price the rate counts that was last seen on AWS's list;
  one that was not seen there for more than 90 days is said to be old.

## Without a network

`estimator prices import FILE...` takes files that were carried here. For a region such as eu-west-1 they are, below
`https://pricing.us-east-1.amazonaws.com`:

- `/offers/v1.0/aws/SERVICE/current/eu-west-1/index.json` for the services AmazonECS, AWSELB, AmazonEC2, AmazonVPC,
  AWSDataTransfer, AmazonCloudWatch, awswaf, AmazonS3, AmazonECR, AWSSecretsManager and awskms; `aws-other` in the region's
  place for AmazonCloudFront, AmazonRoute53 and AmazonCloudWatch's dashboards;
- the file that `/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json` names for the region.

Fargate Spot is in `https://dftu77xade0tc.cloudfront.net/fargate-spot-prices.json`. A snapshot of a colleague's refresh, one
file of the folder that `estimator prices where` names, holds all of a region.

## Your own prices

The section `prices` of a scenario takes them, and every line that they touch says so:

- `overrides`: a CSV file with the columns `price` (a name below), `region` (a code, or `*` for all), `usd_per_unit`,
  `reason`, `date` (from which it holds) and, for prices with tiers, `tier_begin`, one row a tier;
- `discounts_percent`: a private discount on list prices by service code, such as `AmazonECS: 12`; `"*"` means all services
  but FargateSpot and ComputeSavingsPlans; no discount is taken off an override;
- `fargate_spot_ratio`: Spot as a part of On-Demand's list price, where you know better than AWS's feed;
- `as_of`: a day whose prices hold.

## What an unknown rate does

It is never taken as 0, nor from another region. An estimate shows its line as unknown and the total as "at least". A plan
leaves out the candidates that need it where it could decide between them, says so, and fails if none is left; where all need the
same of it, or the line is too small to decide (traffic between zones), they stay and the total is "at least". Refresh, or give
your own price.

## Without a price of their own

- Load balancer capacity for Lambda targets is billed at the price of any capacity unit (`alb_lcu_hour`); only the bytes
  are counted otherwise, 0.4 GB an hour for one unit and not 1 GB.
- Container Insights without enhanced observability is billed as custom metrics (`custom_metric_month`) and as log
  ingestion (`logs_ingest_standard_gb`).
"""


@dataclass(frozen=True, slots=True)
class PriceCoverage:
    """What is known of one price, or of a family of prices.

    Parameters
    ----------
    price : str
        Name of the row in ``PRICES``; of a family, how the names begin, with an asterisk.
    title : str
        What it is, in words.
    service_code : str
        The offer.
    unit : str
        AWS's pricing unit; empty for a family of several.
    known : int
        Rates that are known, over all regions. [1]
    possible : int
        Rates that there can be, over all regions. [1]
    missing_regions : tuple of str
        Regions in which one of them is unknown.
    oldest, newest : datetime.date or None
        Publication dates.
    provenances : tuple of (str, int)
        How many rates were read where.
    is_global : bool
        True if it has no region.
    members : int
        Rows of ``PRICES``. [1]
    """

    price: str
    title: str
    service_code: str
    unit: str
    known: int
    possible: int
    missing_regions: tuple[str, ...]
    oldest: dt.date | None
    newest: dt.date | None
    provenances: tuple[tuple[str, int], ...]
    is_global: bool
    members: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "price": self.price,
            "title": self.title,
            "service_code": self.service_code,
            "unit": self.unit,
            "known": self.known,
            "possible": self.possible,
            "missing_regions": list(self.missing_regions),
            "oldest": _iso(self.oldest),
            "newest": _iso(self.newest),
            "provenances": dict(self.provenances),
        }


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """What is known of one region.

    Parameters
    ----------
    region : str
        Region code.
    location : str
        Its name in the price list.
    known : int
        Rates that are known, those without a region among them. [1]
    possible : int
        Rates that it can have. [1]
    unknown : tuple of str
        Names of the others, in the order of ``PRICES``.
    oldest, newest : datetime.date or None
        Publication dates.
    """

    region: str
    location: str
    known: int
    possible: int
    unknown: tuple[str, ...]
    oldest: dt.date | None
    newest: dt.date | None

    @property
    def unknown_text(self) -> str:
        """What is unknown, said by families."""
        sizes = Counter(family_of(name) for name in _expected(self.region))
        counts = Counter(family_of(name) for name in self.unknown)
        return ", ".join(
            family if count == sizes[family] <= 3 else f"{family} ({count} of {sizes[family]})"
            for family, count in counts.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "region": self.region,
            "location": self.location,
            "known": self.known,
            "possible": self.possible,
            "unknown": list(self.unknown),
            "unknown_text": self.unknown_text,
            "oldest": _iso(self.oldest),
            "newest": _iso(self.newest),
        }


def family_of(price: str) -> str:
    """Say which prices a price is said together with.

    Parameters
    ----------
    price : str
        Name of a row in ``PRICES``.

    Returns
    -------
    str
        Their name, or the title of the price itself.

    Examples
    --------
    >>> family_of("inter_region_out_gb:to_EU")
    'Data transfer to other regions'
    >>> family_of("nat_gateway_hour")
    'NAT gateway hour'
    """
    for begin, family in FAMILIES.items():
        if price.startswith(begin):
            return family
    return PRICES[price].title if price in PRICES else price


def is_variant(price: str) -> bool:
    """Tell whether a price is one of many alike: a destination, an edge or a Savings Plan.

    Parameters
    ----------
    price : str
        Name of a row in ``PRICES``.

    Returns
    -------
    bool
        True if tables say only how many of them are known.
    """
    return ":" in price or price.startswith("sp_")


def all_rates(folder: Path | None = None) -> dict[str, Rates]:
    """Read the newest rates of every region.

    Parameters
    ----------
    folder : pathlib.Path, optional
        A folder of snapshots; by default the shipped ones with the user's refreshes on top.

    Returns
    -------
    dict of str to Rates
        By region code, those without a region in each.
    """
    return {region: load_rates(region, folder) for region in REGIONS}


def price_coverage(rates: Mapping[str, Rates], collapse: bool = False) -> tuple[PriceCoverage, ...]:
    """Say of each price where it is known.

    Parameters
    ----------
    rates : mapping of str to Rates
        Rates by region.
    collapse : bool
        True to say those that are many alike together.

    Returns
    -------
    tuple of PriceCoverage
        In the order of ``PRICES``.
    """
    groups: dict[str, list[str]] = {}
    for name in PRICES:
        groups.setdefault(_collapsed(name) if collapse else name, []).append(name)
    return tuple(_price(label, names, rates) for label, names in groups.items())


def region_coverage(rates: Mapping[str, Rates]) -> tuple[RegionCoverage, ...]:
    """Say of each region what is known.

    Parameters
    ----------
    rates : mapping of str to Rates
        Rates by region.

    Returns
    -------
    tuple of RegionCoverage
        In the order given.
    """
    return tuple(_region(region, of_region) for region, of_region in rates.items())


def coverage_rows(rates: Mapping[str, Rates] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Say what is known, as plain values.

    Parameters
    ----------
    rates : mapping of str to Rates, optional
        Rates by region; by default the newest of all, the user's refreshes among them.

    Returns
    -------
    dict of str to list of dict
        ``prices`` and ``regions``, JSON-ready.
    """
    rates = all_rates() if rates is None else rates
    return {
        "prices": [row.to_dict() for row in price_coverage(rates)],
        "regions": [row.to_dict() for row in region_coverage(rates)],
    }


def coverage_markdown(rates: Mapping[str, Rates] | None = None) -> str:
    """Write the page docs/prices.md.

    Parameters
    ----------
    rates : mapping of str to Rates, optional
        Rates by region; by default those of the shipped snapshots alone.

    Returns
    -------
    str
        Markdown, the same for the same rates.
    """
    rates = all_rates(shipped_folder()) if rates is None else rates
    return "\n".join([_INTRO, *_by_price(rates), "", *_by_region(rates), ""])


def _by_price(rates: Mapping[str, Rates]) -> list[str]:
    lines = [
        "## By price",
        "",
        f'"Known" counts rates over all {len(rates)} regions; what has no region counts once. Dates are those of publication.',
    ]
    services: dict[str, list[PriceCoverage]] = {}
    for row in price_coverage(rates, collapse=True):
        services.setdefault(row.service_code, []).append(row)
    for service_code, rows in services.items():
        lines += ["", f"### {SERVICES.get(service_code, service_code)}", ""]
        lines += markdown_table(
            ("Price", "Name", "Unit", "Known", "Published", "From"), (_price_cells(row) for row in rows)
        )
    return lines


def _price_cells(row: PriceCoverage) -> tuple[str, ...]:
    known = f"{row.known:,} of {row.possible:,}"
    missing = row.missing_regions
    if row.members == 1 and 0 < len(missing) <= 9:
        known += f"; not {', '.join(missing)}"
    title = f"{row.title} ({row.members} prices)" if row.members > 1 else row.title
    return title, f"`{row.price}`", row.unit, known, _dates(row.oldest, row.newest), provenance_text(row.provenances)


def _by_region(rates: Mapping[str, Rates]) -> list[str]:
    rows = (
        (row.region, row.location, f"{row.known} of {row.possible}", row.unknown_text, _dates(row.oldest, row.newest))
        for row in region_coverage(rates)
    )
    return ["## By region", "", *markdown_table(("Region", "Name", "Known", "Unknown", "Published"), rows)]


def provenance_text(provenances: Iterable[tuple[str, int]]) -> str:
    """Say where rates were read.

    Parameters
    ----------
    provenances : iterable of (str, int)
        How many were read where.

    Returns
    -------
    str
        In words, with counts where there are several.

    Examples
    --------
    >>> provenance_text([("api", 5), ("thirdparty-derived", 22)])
    'AWS (5), derived by a third party (22)'
    """
    counted = [(PROVENANCE_WORDS.get(provenance, provenance), count) for provenance, count in provenances]
    return counted[0][0] if len(counted) == 1 else ", ".join(f"{words} ({count:,})" for words, count in counted)


def _dates(oldest: dt.date | None, newest: dt.date | None) -> str:
    if oldest is None or newest is None:
        return "unknown"
    return f"{oldest}" if oldest == newest else f"{oldest} to {newest}"


def _collapsed(name: str) -> str:
    if not is_variant(name):
        return name
    return next((begin for begin in FAMILIES if name.startswith(begin)), name.partition(":")[0] + ":") + "*"


def _price(label: str, names: list[str], rates: Mapping[str, Rates]) -> PriceCoverage:
    rows = [PRICES[name] for name in names]
    found: list[Rate] = []
    possible, missing = 0, []
    for name, row in zip(names, rows, strict=True):
        # What has no region is the same in each: it is counted once.
        places = list(rates)[:1] if row.query.is_global else [r for r in rates if r not in row.query.not_in]
        possible += len(places)
        found += [rates[place].known[name] for place in places if name in rates[place]]
        missing += [place for place in places if name not in rates[place]]
    oldest, newest = _span(found)
    return PriceCoverage(
        price=label,
        title=family_of(names[0]) if len(names) > 1 else rows[0].title,
        service_code=rows[0].query.service_code,
        unit=_one_unit(rows),
        known=len(found),
        possible=possible,
        missing_regions=tuple(region for region in rates if region in set(missing)),
        oldest=oldest,
        newest=newest,
        provenances=tuple(sorted(Counter(rate.provenance for rate in found).items())),
        is_global=rows[0].query.is_global,
        members=len(names),
    )


def _one_unit(rows: list[Price]) -> str:
    units = dict.fromkeys(row.unit for row in rows)
    return ", ".join(units)


def _region(region: str, rates: Rates) -> RegionCoverage:
    expected = _expected(region)
    known = [name for name in expected if name in rates]
    oldest, newest = _span([rates.known[name] for name in known])
    unknown = tuple(name for name in expected if name not in rates)
    return RegionCoverage(region, REGIONS[region].location, len(known), len(expected), unknown, oldest, newest)


def _expected(region: str) -> tuple[str, ...]:
    here = {*possible_in(region), *possible_in("global")}
    return tuple(name for name in PRICES if name in here)


def _span(rates: list[Rate]) -> tuple[dt.date | None, dt.date | None]:
    dates = [rate.published for rate in rates if rate.published]
    return min(dates, default=None), max(dates, default=None)


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
