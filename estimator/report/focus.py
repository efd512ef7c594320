"""A bill in the columns of FOCUS 1.0, the FinOps Open Cost and Usage Specification: focus_frame(cost)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostBreakdown, CostLine
from estimator.pricing.catalog import PRICES
from estimator.pricing.coverage import SERVICES
from estimator.pricing.regions import REGIONS

#: Columns of FOCUS 1.0 that an estimate can fill, in the specification's order; what only an invoice knows is left out.
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
)
#: FOCUS 1.0, allowed values of ServiceCategory, by AWS's service code.
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
        One row for each line, with the columns of `COLUMNS`. List cost is at AWS's list prices, contracted cost less private discounts; without
        commitments billed and effective cost are the contracted one. A unit price is empty where tiers give several, a cost where the rate is
        unknown.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> cost = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512))).cost
    >>> frame = focus_frame(cost)
    >>> bool(round(frame["BilledCost"].sum() - cost.total_usd, 6) == 0)
    True
    """
    import pandas as pd

    return pd.DataFrame([_row(line, cost, begin) for line in cost], columns=list(COLUMNS))


def _row(line: CostLine, cost: CostBreakdown, begin: dt.date | None) -> dict[str, Any]:
    code = _service_code(line)
    start = dt.datetime.combine(begin, dt.time(), dt.UTC) if begin else None
    end = start + dt.timedelta(hours=cost.hours_per_month) if start else None
    period = {"Start": _moment(start), "End": _moment(end)}
    location = REGIONS[cost.region].location if cost.region in REGIONS else None
    return {
        **{f"BillingPeriod{side}": moment for side, moment in period.items()},
        **{f"ChargePeriod{side}": moment for side, moment in period.items()},
        "BilledCost": line.contracted_cost,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": line.title,
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": line.pricing_quantity,
        "ConsumedUnit": line.pricing_unit,
        "ContractedCost": line.contracted_cost,
        "ContractedUnitPrice": _number(line.contracted_unit_price),
        "EffectiveCost": line.contracted_cost,
        "InvoiceIssuerName": "AWS",
        "ListCost": line.list_cost,
        "ListUnitPrice": _number(line.list_unit_price),
        "PricingCategory": "Dynamic" if code == "FargateSpot" else "Standard",
        "PricingQuantity": line.pricing_quantity,
        "PricingUnit": line.pricing_unit,
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": cost.region,
        "RegionName": location,
        "ServiceCategory": CATEGORIES.get(code, "Other"),
        "ServiceName": SERVICES.get(code, code),
        "SkuId": line.sku or None,
    }


def _service_code(line: CostLine) -> str:
    charge = CHARGES.get(line.charge)
    price = PRICES.get(charge.price if charge else line.charge)
    return price.query.service_code if price else ""


def _number(text: str) -> float | None:
    """Read a unit price; none where there are several or none is known."""
    try:
        return float(text)
    except ValueError:
        return None


def _moment(moment: dt.datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
