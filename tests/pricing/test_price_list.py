"""Answers in the shape of AWS's GetProducts become rates; a wrong or doubtful product never does."""

import json

import pytest

from estimator.errors import PriceListUnavailable, RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.price_list import product_filters, rate_from_products


def product(
    usage_type="USE1-Fargate-vCPU-Hours:perCPU",
    sku="8CESGAFWKAJ98PME",
    family="Compute",
    prices=("0.0404800000",),
    **more,
):
    """A record as GetProducts wrote it on 2022-11-21, with other values."""
    begins = [0, 10240, 51200][: len(prices)]
    dimensions = {
        f"{sku}.JRTCKXETXF.{i}": {
            "unit": "hours",
            "beginRange": str(begin),
            "endRange": "Inf",
            "description": "AWS Fargate - vCPU - US East (N.Virginia)",
            "appliesTo": [],
            "pricePerUnit": {"USD": price} if price else {"CNY": "0.3"},
        }
        for i, (begin, price) in enumerate(zip(begins, prices, strict=True))
    }
    attributes = {
        "regionCode": "us-east-1",
        "servicecode": "AmazonECS",
        "usagetype": usage_type,
        "locationType": "AWS Region",
        "location": "US East (N. Virginia)",
        "operation": "",
    } | more
    return json.dumps(
        {
            "product": {"productFamily": family, "attributes": attributes, "sku": sku},
            "serviceCode": "AmazonECS",
            "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": {"priceDimensions": dict(reversed(dimensions.items()))}}},
            "version": "20221121182130",
            "publicationDate": "2022-11-21T18:21:30Z",
        }
    )


def test_the_product_is_read_with_its_sku_and_date():
    decoys = [
        product("USE1-Fargate-ARM-vCPU-Hours:perCPU", "ARM", prices=("0.0323800000",)),
        product("USE1-ECS-EC2-vCPU-Hours", "FREE", "Compute Metering", ("0.0000000000",)),
        product(sku="OUTPOST", locationType="AWS Outposts", prices=("0.9",)),
    ]
    rate = rate_from_products("fargate_linux_x86_vcpu_hour", "us-east-1", [*decoys, product()])
    assert rate.tiers_text() == "0.04048"
    assert (rate.sku, str(rate.published), rate.unit) == ("8CESGAFWKAJ98PME", "2022-11-21", "vCPU-hour")


def test_tiers_come_in_any_order():
    item = product(
        "DataTransfer-Out-Bytes", "EGRESS", "Data Transfer", ("0.0900000000", "0.0850000000", "0.0700000000")
    )
    rate = rate_from_products("internet_egress_gb", "us-east-1", [item])
    assert rate.tiers_text() == "0.09, from 10,240 on 0.085, from 51,200 on 0.07"


def test_the_trust_store_is_not_the_load_balancer():
    family = "Load Balancer-Application"
    store = product("TS-LoadBalancerUsage", "TS", family, ("0.005",), operation="LoadBalancing:Application")
    network = product(
        "LoadBalancerUsage", "NLB", "Load Balancer-Network", ("0.0225",), operation="LoadBalancing:Network"
    )
    balancer = product("LoadBalancerUsage", "ALB", family, ("0.0225",), operation="LoadBalancing:Application")
    assert rate_from_products("alb_hour", "us-east-1", [store, network, balancer]).sku == "ALB"


@pytest.mark.parametrize(
    ("items", "error", "word"),
    [
        ([], RateNotFound, "USE1-Fargate-vCPU-Hours:perCPU"),
        ([product(), product(sku="TWIN")], PriceListUnavailable, "8CESGAFWKAJ98PME, TWIN"),
        ([product(prices=(None,))], PriceListUnavailable, "USD"),
        ([product(prices=("free",))], PriceListUnavailable, "USD"),
    ],
)
def test_doubt_is_an_error(items, error, word):
    with pytest.raises(error, match=word):
        rate_from_products("fargate_linux_x86_vcpu_hour", "us-east-1", items)


@pytest.mark.parametrize("price", PRICES)
def test_every_price_has_filters_for_its_region(price):
    values = {f["Field"]: f["Value"] for f in product_filters(PRICES[price].query, "eu-west-1")}
    assert values["usagetype"].startswith("EU-")
    assert values["regionCode"] == "eu-west-1"
