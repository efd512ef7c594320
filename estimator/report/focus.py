"""A bill in the columns of FOCUS 1.0, the FinOps Open Cost and Usage Specification: focus_frame(cost)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from estimator.billing.committed import COMMITMENT
from estimator.billing.costing import CostBreakdown, CostLine
from estimator.billing.savings_plan_options import AppliedSavingsPlan
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS
from estimator.pricing.regions import REGIONS
from estimator.pricing.services import SERVICES

#: Columns of FOCUS 1.0 that an estimate can fill, in the specification's order, and two of AWS's own; what only an invoice knows is left out.
COLUMNS = (
    "BilledCost",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "x_ServiceCode",
    "x_UsageType",
)
#: Of the allowed values of FOCUS 1.0's ServiceCategory, by AWS's service code; specification/columns/servicecategory.md, read 2026-11.
CATEGORIES = {
    "AmazonECS": "Compute",
    "FargateSpot": "Compute",
    "ComputeSavingsPlans": "Compute",
    "AmazonECR": "Compute",
    "AWSELB": "Networking",
    "AmazonEC2": "Networking",
    "AmazonVPC": "Networking",
    "AWSDataTransfer": "Networking",
    "AmazonCloudFront": "Networking",
    "CloudFrontPlans": "Networking",
    "AmazonS3": "Storage",
    "AmazonRoute53": "Networking",
    "AmazonCloudWatch": "Management and Governance",
    "awswaf": "Security",
    "AWSSecretsManager": "Security",
    "awskms": "Security",
}


def focus_frame(cost: CostBreakdown, begin: dt.date | None = None) -> Any:
    """Write a bill as rows of FOCUS 1.0.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.
    begin : datetime.date, optional
        First day of the billed month; without one the periods are empty.

    Returns
    -------
    pandas.DataFrame
        One row for each line, and one for the recurring part of each Savings Plan, with the columns of `COLUMNS`. List cost is at AWS's list
        prices, contracted cost less private discounts. What a Savings Plan pays for has a billed cost of 0 and its effective cost at
        the plan's rates; the purchase is billed and has an effective cost of 0, so that each of the two sums is a whole bill. As the
        specification says, list and contracted cost of a purchase stand beside those of the usage that it pays for: leave one of them
        out of a sum. A unit price is empty where tiers give several, a cost where the rate is unknown.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> cost = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512))).cost
    >>> frame = focus_frame(cost)
    >>> bool(round(frame["BilledCost"].sum() - cost.total_usd, 6) == 0)
    True
    """
    import pandas as pd

    shared = _shared(cost, begin)
    rows = [shared | row for line in cost for row in _rows(line, cost)]
    rows += [shared | _purchase(done, number) for number, done in enumerate(cost.savings_plans, 1)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shared(cost: CostBreakdown, begin: dt.date | None) -> dict[str, Any]:
    start = dt.datetime.combine(begin, dt.time(), dt.UTC) if begin else None
    end = start + dt.timedelta(hours=cost.hours_per_month) if start else None
    # A bill is of a calendar month, whatever part of it the charges are of.
    first = start.replace(day=1) if start else None
    following = (first + dt.timedelta(days=31)).replace(day=1) if first else None
    return {
        "BillingPeriodStart": _moment(first),
        "BillingPeriodEnd": _moment(following),
        "ChargePeriodStart": _moment(start),
        "ChargePeriodEnd": _moment(end),
        "BillingCurrency": "USD",
        "InvoiceIssuerName": "AWS",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": cost.region,
        "RegionName": REGIONS[cost.region].location if cost.region in REGIONS else None,
    }


def _rows(line: CostLine, cost: CostBreakdown) -> list[dict[str, Any]]:
    row = _usage(line, cost)
    if not line.charge.startswith(f"{COMMITMENT}:"):
        return [row]
    # What it pays for is not known, so that it is neither used nor unused.
    return [row | {"BilledCost": 0.0, "CommitmentDiscountStatus": None}, _recurring(row, line.billed_cost or 0.0)]


def _recurring(row: dict[str, Any], usd: float) -> dict[str, Any]:
    """Write what the month's bill says of a commitment of which nothing else is known."""
    costs = {"BilledCost": usd, "ContractedCost": usd, "ListCost": usd, "EffectiveCost": 0.0}
    kind = {"ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "PricingCategory": "Standard"}
    return row | costs | kind | {"CommitmentDiscountStatus": None}


def _usage(line: CostLine, cost: CostBreakdown) -> dict[str, Any]:
    price = PRICES.get(line.price)
    code = price.query.service_code if price else SAVINGS_PLANS
    unused = not line.price
    committed = unused or ":savings_plan_" in line.charge
    number = re.split("[:_]", line.charge)[-1] if committed else ""
    name = line.rate_note if unused else cost.savings_plans[int(number) - 1].plan.title if committed else ""
    commitment = _commitment(name, number) if committed else {}
    service = "AmazonECS" if committed and not unused else code
    return {
        **commitment,
        "BilledCost": line.billed_cost,
        "ChargeCategory": "Usage",
        "ChargeDescription": line.title,
        "ChargeFrequency": "Usage-Based",
        "CommitmentDiscountStatus": ("Unused" if unused else "Used") if committed else None,
        "ConsumedQuantity": None if unused else line.pricing_quantity,
        "ConsumedUnit": None if unused else line.pricing_unit,
        "ContractedCost": line.contracted_cost,
        "ContractedUnitPrice": _number(line.contracted_unit_price),
        "EffectiveCost": line.effective_cost,
        "ListCost": line.list_cost,
        "ListUnitPrice": _number(line.list_unit_price),
        "PricingCategory": "Committed" if committed else "Dynamic" if code == "FargateSpot" else "Standard",
        "PricingQuantity": line.pricing_quantity,
        "PricingUnit": line.pricing_unit,
        "ServiceCategory": CATEGORIES.get(service, "Other"),
        "ServiceName": SERVICES.get(service, service),
        "SkuId": line.sku or None,
        "x_ServiceCode": service,
        "x_UsageType": line.usage_type or None,
    } | ({"RegionId": None, "RegionName": None} if price is not None and price.query.is_global else {})


def _purchase(done: AppliedSavingsPlan, number: int) -> dict[str, Any]:
    """Write what the month's bill says of a commitment; 0 where all of it was paid at the start."""
    recurring = done.payment.recurring_usd_per_h
    usd = recurring * done.hours
    return {
        **_commitment(done.plan.title, str(number)),
        "BilledCost": usd,
        "ChargeCategory": "Purchase",
        "ChargeDescription": f"{done.plan.title}: recurring part of the commitment",
        "ChargeFrequency": "Recurring",
        "ContractedCost": usd,
        "ContractedUnitPrice": recurring,
        "EffectiveCost": 0.0,
        "ListCost": usd,
        "ListUnitPrice": recurring,
        "PricingCategory": "Standard",
        "PricingQuantity": done.hours,
        "PricingUnit": "Hrs",
        "ServiceCategory": CATEGORIES[SAVINGS_PLANS],
        "ServiceName": SERVICES.get(SAVINGS_PLANS, SAVINGS_PLANS),
    }


def _commitment(name: str, number: str) -> dict[str, Any]:
    # An estimate has no ARN: the place of the plan in the scenario tells plans apart.
    return {
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountId": f"savings-plan-{number}",
        "CommitmentDiscountName": name,
        "CommitmentDiscountType": "Compute Savings Plan",
    }


def _number(text: str) -> float | None:
    """Read a unit price; none where there are several or none is known."""
    try:
        return float(text)
    except ValueError:
        return None


def _moment(moment: dt.datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
