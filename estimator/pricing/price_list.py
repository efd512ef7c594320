"""The AWS Price List: what the Query API is asked for a priced dimension, and its answer read into a Rate.

Notes
-----
Only the shapes stand here; no client calls AWS yet, rates come from the snapshots.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal

from estimator.errors import PriceListUnavailable, RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rate, RateQuery, Tier


def product_filters(query: RateQuery, region: str) -> list[dict[str, str]]:
    """Write the filters of ``GetProducts`` for one dimension in one region.

    Parameters
    ----------
    query : RateQuery
        How the price list knows the dimension.
    region : str
        Region code.

    Returns
    -------
    list of dict
        ``Type``, ``Field`` and ``Value`` of each; they are ANDed.

    Examples
    --------
    >>> [f["Value"] for f in product_filters(PRICES["alb_hour"].query, "us-east-1")]
    ['LoadBalancerUsage', 'us-east-1', 'Load Balancer-Application', 'LoadBalancing:Application']
    """
    fields = {
        "usagetype": query.usage_type_in(region),
        "regionCode": None if query.is_global else region,
        "productFamily": query.product_family,
        "operation": query.operation,
    }
    return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items() if value]


def rate_from_products(price: str, region: str, price_list: Iterable[str]) -> Rate:
    """Read the answer of ``GetProducts`` for one dimension.

    Parameters
    ----------
    price : str
        Name of the row in ``PRICES``.
    region : str
        Region code.
    price_list : iterable of str
        The answer's ``PriceList``: each item is a JSON string.

    Returns
    -------
    Rate
        The On-Demand rate of the one product that matches; prices as AWS wrote them, without closing zeros.

    Raises
    ------
    RateNotFound
        If no product matches.
    PriceListUnavailable
        If several match, or the product has no readable On-Demand price in USD.
    """
    query = PRICES[price].query
    usage_type = query.usage_type_in(region)
    records = [json.loads(item) for item in price_list]
    matching = [record for record in records if _matches(record["product"], query, usage_type)]
    if not matching:
        raise RateNotFound(price, region, usage_type, "the answer of GetProducts")
    if len(matching) > 1:
        skus = ", ".join(sorted(record["product"]["sku"] for record in matching))
        raise PriceListUnavailable(
            f"{len(matching)} products match {price} in {region}: {skus}. The query in PRICES must match one."
        )
    record = matching[0]
    try:
        term = next(iter(record["terms"]["OnDemand"].values()))
        dimensions = sorted(term["priceDimensions"].values(), key=lambda row: float(row["beginRange"]))
        tiers = tuple(Tier(float(row["beginRange"]), _plain(row["pricePerUnit"]["USD"])) for row in dimensions)
    except (KeyError, StopIteration, ValueError, ArithmeticError) as error:
        raise PriceListUnavailable(
            f"The price of {price} in {region} has no On-Demand price in USD ({error!r})."
        ) from error
    return Rate(
        price=price,
        unit=PRICES[price].unit,
        tiers=tiers,
        usage_type=usage_type,
        sku=record["product"]["sku"],
        published=dt.datetime.fromisoformat(record["publicationDate"]).date(),
        provenance="api",
        source=f"GetProducts {record['serviceCode']} {record['version']}",
    )


def _matches(product: dict[str, object], query: RateQuery, usage_type: str) -> bool:
    attributes = product["attributes"]
    assert isinstance(attributes, dict)
    return (
        attributes.get("usagetype") == usage_type
        and attributes.get("locationType", "AWS Region") == "AWS Region"
        and (query.product_family is None or product.get("productFamily") == query.product_family)
        and (query.operation is None or attributes.get("operation") == query.operation)
    )


def _plain(price: str) -> str:
    """Drop closing zeros: ``0.0404800000`` is ``0.04048``."""
    return f"{Decimal(price).normalize():f}"
