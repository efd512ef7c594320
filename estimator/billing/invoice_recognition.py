"""What a line of a bill is: recognize(line), by its usage type.

Notes
-----
The usage type of a price in a region is in ``PRICES``, turned round once here. One that several services have is told apart by the
line's service, operation and plan. What is not certain is not claimed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from estimator.billing.invoice_lines import COVERED, DISCOUNTS, USAGE, InvoiceLine
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, possible_in
from estimator.pricing.rates import RateQuery, Rates
from estimator.pricing.regions import REGIONS

#: Why a line is not one of ours.
NOT_PRICED = "not a charge of a web service that we price"
NO_USAGE = "a tax, credit, refund, purchase or fee, which is no usage"
OTHER_CURRENCY = "not in USD"
NOT_CERTAIN = "its usage type is one of ours, but the line does not say for certain of which service or place"

#: Under which service a bill holds what has a price source of its own.
_BILLED_UNDER = {SPOT_FEED: "AmazonECS", SAVINGS_PLANS: "AmazonECS", "CloudFrontPlans": "AmazonCloudFront"}
_DATA_TRANSFER = "AWSDataTransfer"
# DynamoDB stores under the first, and the bytes of a Classic Load Balancer have the second.
_SHARED = ("TimedStorage-ByteHrs", "DataProcessing-Bytes")
# Where AWS's descriptions name a place otherwise than its price list.
_OTHER_NAMES = {
    "EU (Germany)": "EU (Frankfurt)",
    "US East (Northern Virginia)": "US East (N. Virginia)",
    "US West (Northern California)": "US West (N. California)",
}
_NAMED_TYPE = re.compile(r" for (\S+) in (.+)$")
_TO_PLACE = re.compile(r" data transfer to (.+)$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A price that a line may be charged at.

    Parameters
    ----------
    price : str
        Name of its row in ``PRICES``.
    region : str
        Where it is sold; empty for what has no region.
    usual : bool
        False for a spelling of us-east-1 that its service does not usually have.
    """

    price: str
    region: str
    usual: bool

    @property
    def is_plan(self) -> bool:
        """True for a Savings Plan's rate."""
        return PRICES[self.price].query.service_code == SAVINGS_PLANS


@cache
def _by_usage_type() -> Mapping[str, tuple[Candidate, ...]]:
    """``PRICES`` turned round: usage type to the prices that have it."""
    found: dict[str, list[Candidate]] = {}
    for region in ("global", *REGIONS):
        for name in possible_in(region):
            query = PRICES[name].query
            usual = query.usage_types_in(region)
            spellings = dict.fromkeys(usual, True)
            if region == "us-east-1":
                # Bills of one service write the region's usage types with its prefix and without.
                both = (query.usage_type, f"{REGIONS[region].prefix}-{query.usage_type}")
                spellings = dict.fromkeys(both, False) | spellings
            for spelling, is_usual in spellings.items():
                candidate = Candidate(name, "" if query.is_global else region, is_usual)
                found.setdefault(spelling, []).append(candidate)
    return {usage_type: tuple(candidates) for usage_type, candidates in found.items()}


def recognize(line: InvoiceLine, rates: Rates | None = None) -> str | None:
    """Say which price a line is charged at.

    Parameters
    ----------
    line : InvoiceLine
        The line.
    rates : Rates, optional
        Rates of the line's region, by whose SKUs it is known where its usage type does not decide.

    Returns
    -------
    str or None
        Name of a row in ``PRICES``; of usage that a Savings Plan covers the plan's, where the line says which plan it is.
        None if it is none of them, or not certain.

    Examples
    --------
    >>> recognize(InvoiceLine("USE1-EUC1-AWS-Out-Bytes", product_code="AmazonS3", service_code="AWSDataTransfer"))
    'inter_region_out_gb:to_EUC1'
    >>> recognize(InvoiceLine("EU-LoadBalancerUsage", product_code="AWSELB", operation="LoadBalancing:Network")) is None
    True
    """
    found = recognized(line, rates)
    return found.price if found else None


def recognized(line: InvoiceLine, rates: Rates | None = None) -> Candidate | None:
    """Say which price a line is charged at, and where that is sold.

    Parameters
    ----------
    line : InvoiceLine
        The line.
    rates : Rates, optional
        As in `recognize`.

    Returns
    -------
    Candidate or None
        The price; None if it is none of ours, or not certain.
    """
    if not _can_be_ours(line):
        return None
    found = _by_type(line, line.usage_type)
    if found is None and rates is not None and (name := _by_sku(rates).get(line.sku)):
        found = Candidate(name, "" if PRICES[name].query.is_global else rates.region, True)
    return found or _by_description(line)


def _can_be_ours(line: InvoiceLine) -> bool:
    return line.currency in ("", "USD") and (line.line_type in USAGE or line.line_type in DISCOUNTS)


def _by_type(line: InvoiceLine, usage_type: str) -> Candidate | None:
    here = [each for each in _by_usage_type().get(usage_type, ()) if _fits(each, line, usage_type)]
    # The plan says more than the usage that it covers, and the service itself more than its data transfer.
    for better in (lambda each: each.is_plan, lambda each: _is_named(each, line)):
        here = [each for each in here if better(each)] or here
        if len(here) == 1:
            return here[0]
    return None


def _is_named(candidate: Candidate, line: InvoiceLine) -> bool:
    query = PRICES[candidate.price].query
    codes = (_BILLED_UNDER.get(query.service_code, query.service_code), query.fallback_service_code)
    # Data transfer is priced by an offer of its own, whichever service caused it.
    return query.service_code != _DATA_TRANSFER and bool({*codes} & ({line.product_code, line.service_code} - {""}))


def _fits(candidate: Candidate, line: InvoiceLine, usage_type: str) -> bool:
    query = PRICES[candidate.price].query
    plan = dict(query.attributes)
    if candidate.is_plan and not (
        line.line_type == COVERED
        and plan == {"purchaseTerm": line.purchase_term, "purchaseOption": line.purchase_option}
    ):
        return False
    if not candidate.usual and line.region != candidate.region:
        return False
    # Without a prefix, only the line's region tells a place from another.
    if candidate.region and usage_type == query.usage_type and line.region not in ("", candidate.region):
        return False
    return _is_of_service(candidate, line) and _is_of_kind(query, line)


def _is_of_service(candidate: Candidate, line: InvoiceLine) -> bool:
    query = PRICES[candidate.price].query
    if not (line.product_code or line.service_code):
        return query.usage_type not in _SHARED
    # An export without offers names only the service that caused the transfer.
    is_transfer = query.service_code == _DATA_TRANSFER and line.service_code in ("", _DATA_TRANSFER)
    return is_transfer or _is_named(candidate, line)


def _is_of_kind(query: RateQuery, line: InvoiceLine) -> bool:
    """Tell an Application Load Balancer from the others, which have the same usage types."""
    if query.product_family != "Load Balancer-Application":
        return query.operation in (None, line.operation)
    if line.operation:
        return line.operation == "LoadBalancing:Application"
    return "application" in line.description.lower()


@lru_cache(maxsize=128)
def _by_sku(rates: Rates) -> Mapping[str, str]:
    """SKUs of a region that one price alone has."""
    # A Savings Plan's rate has the SKU of the usage that it pays for.
    usage = {
        name: rate for name, rate in rates.known.items() if name in PRICES and not Candidate(name, "", True).is_plan
    }
    often = Counter(rate.sku for rate in usage.values())
    return {rate.sku: name for name, rate in usage.items() if rate.sku and often[rate.sku] == 1}


def _by_description(line: InvoiceLine) -> Candidate | None:
    """Know a line without a usage type by the one that AWS's sentence names, or by the place that data goes to."""
    if line.usage_type or line.region not in REGIONS:
        return None
    prefix = REGIONS[line.region].prefix
    if named := _NAMED_TYPE.search(line.description):
        return _by_type(line, named[1]) or _by_type(line, f"{prefix}-{named[1]}")
    if to := _TO_PLACE.search(line.description):
        place = _OTHER_NAMES.get(to[1], to[1])
        there = next((region.prefix for region in REGIONS.values() if region.location == place), None)
        return _by_type(line, f"{prefix}-{there}-AWS-Out-Bytes") if there else None
    return None


def why_not(line: InvoiceLine) -> str:
    """Say why a line that is not recognized is not.

    Parameters
    ----------
    line : InvoiceLine
        The line.

    Returns
    -------
    str
        One of the reasons above.
    """
    if line.currency not in ("", "USD"):
        return OTHER_CURRENCY
    if not _can_be_ours(line):
        return NO_USAGE
    near = _by_usage_type().get(line.usage_type, ())
    nameless = not (line.product_code or line.service_code)
    ours = any(
        (nameless or _is_of_service(each, line)) and (not line.operation or _is_of_kind(PRICES[each.price].query, line))
        for each in near
    )
    return NOT_CERTAIN if ours else NOT_PRICED
