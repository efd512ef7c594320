"""Savings Plan rates from a real server, in the shape of AWS's file for eu-west-1."""

import datetime as dt
import io
import json

import pytest

from estimator.errors import PriceListUnavailable
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS
from estimator.pricing.downloads import Downloads
from estimator.pricing.savings_plans import SavingsPlanFiles, plan_rates, read_plans
from tests.pricing.files_server import files_server

BASE = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan"
TODAY = dt.date(2026, 10, 5)
VCPU, GB = "EU-Fargate-vCPU-Hours:perCPU", "EU-Fargate-GB-Hours"
ALL_UPFRONT = "sp_compute_1yr_allupfront__fargate_linux_x86_vcpu_hour"
THREE_YEARS = "sp_compute_3yr_noupfront__fargate_linux_x86_vcpu_hour"
THREE_YEARS_GB = "sp_compute_3yr_noupfront__fargate_linux_x86_gb_hour"
NAMES = [name for name, price in PRICES.items() if price.query.service_code == SAVINGS_PLANS]


def plan(sku, term, option, family="ComputeSavingsPlans"):
    return {
        "sku": sku,
        "productFamily": family,
        "serviceCode": "ComputeSavingsPlans",
        "usageType": f"ComputeSP:{term}{option.replace(' ', '')}",
        "operation": "",
        "attributes": {
            "purchaseOption": option,
            "granularity": "hourly",
            "locationType": "AWS Region",
            "purchaseTerm": term,
            "location": "Any",
        },
    }


def rate(usage_type, price, sku="K4EXFQ5YFQCP98EN", service="AmazonECS", **more):
    return {
        "discountedSku": sku,
        "discountedUsageType": usage_type,
        "discountedOperation": "",
        "discountedServiceCode": service,
        "rateCode": f"8GU23DFTKP2N43SD.{sku}",
        "unit": "Hrs",
        "discountedRate": {"price": price, "currency": "USD"},
    } | more


def terms(sku, rates):
    return {
        "sku": sku,
        "description": "a Compute Savings Plan",
        "effectiveDate": "2021-01-22T22:48:51Z",
        "leaseContractLength": {"duration": 1, "unit": "year"},
        "rates": rates,
    }


def content(*more, replaced=None):
    """The plans of the stored copy of eu-west-1's file of 2020, EC2's own plan among them."""
    return {
        "version": "20200220220300",
        "publicationDate": "2020-02-20T22:03:00Z",
        "products": [
            plan("8GU23DFTKP2N43SD", "1yr", "All Upfront"),
            plan("7DVU5XBSTGHBTJUV", "1yr", "All Upfront", "EC2InstanceSavingsPlans"),
            plan("ZGC49G7XS8QA54BQ", "3yr", "No Upfront"),
        ],
        "terms": {
            "savingsPlan": [
                terms("7DVU5XBSTGHBTJUV", [rate(VCPU, "0.087"), {"discountedSku": "_not_found_"}]),
                terms(
                    "8GU23DFTKP2N43SD",
                    [
                        rate("EUW1-BoxUsage:c1.medium", "0.098", "HB5V2X8TXQUTDZBV", "AmazonEC2"),
                        rate(VCPU, "0.0999", "TWIN", "AmazonEKS"),
                        *([rate(VCPU, "0.0315744")] if replaced is None else replaced),
                        *more,
                    ],
                ),
                terms("ZGC49G7XS8QA54BQ", [rate(VCPU, "0.024288"), rate(GB, "0.002667", "UP5ETC3QSW2QZGEY")]),
            ]
        },
    }


@pytest.fixture
def server():
    with files_server() as running:
        yield running


@pytest.fixture
def downloads(tmp_path):
    with Downloads(tmp_path, lambda _: None) as made:
        yield made


def publish(server, file):
    regions = [
        {"regionCode": "eu-west-3", "versionUrl": f"{BASE}/current/default/empty.json"},
        {"regionCode": "eu-west-1", "versionUrl": f"{BASE}/20200220220300/eu-west-1/index.json"},
    ]
    server.put(f"{BASE}/current/region_index.json", {"publicationDate": "2020-02-20T22:03:00Z", "regions": regions})
    server.put(f"{BASE}/20200220220300/eu-west-1/index.json", file)


@pytest.fixture
def plans(server, downloads):
    return SavingsPlanFiles(server.url, downloads)


def test_the_rates_of_ecs_are_read_with_plan_and_source(server, plans):
    publish(server, content())
    rates = plans.rates("eu-west-1", NAMES, TODAY)
    assert {name: rate.tiers_text() for name, rate in rates.items()} == {
        ALL_UPFRONT: "0.0315744",
        THREE_YEARS: "0.024288",
        THREE_YEARS_GB: "0.002667",
    }
    one = rates[THREE_YEARS_GB]
    assert (one.usage_type, one.sku, one.unit) == (GB, "UP5ETC3QSW2QZGEY", "GB-hour")
    assert (one.published, one.checked, one.provenance) == (dt.date(2020, 2, 20), TODAY, "api")
    assert one.source == "AWS Compute Savings Plan file, version 20200220220300"


def test_only_what_is_asked_for(server, plans):
    publish(server, content())
    assert set(plans.rates("eu-west-1", [THREE_YEARS, "alb_hour"], TODAY)) == {THREE_YEARS}
    assert plans.rates("eu-west-1", ["alb_hour"], TODAY) == {}


def test_regions_without_a_file_have_no_rates(server, downloads, plans):
    publish(server, content())
    assert plans.rates("eu-west-3", NAMES, TODAY) == {}
    assert plans.rates("af-south-1", NAMES, TODAY) == {}
    assert downloads.requests == 1


def test_the_same_file_again_is_not_downloaded(server, downloads, plans):
    publish(server, content())
    first = plans.rates("eu-west-1", NAMES, TODAY)
    received = downloads.received_bytes
    later = plans.rates("eu-west-1", NAMES, dt.date(2026, 10, 6))
    assert downloads.received_bytes == received
    assert {name: rate.tiers for name, rate in later.items()} == {name: rate.tiers for name, rate in first.items()}
    assert later[ALL_UPFRONT].checked == dt.date(2026, 10, 6)


def test_twice_the_same_price_is_one_rate(server, plans):
    publish(server, content(rate(VCPU, "0.03157440")))
    assert plans.rates("eu-west-1", [ALL_UPFRONT], TODAY)[ALL_UPFRONT].tiers_text() == "0.0315744"


def test_two_prices_are_an_error_that_lists_both(server, plans):
    publish(server, content(rate(VCPU, "0.03", "OTHER")))
    with pytest.raises(PriceListUnavailable, match=r"0\.03 \(SKU OTHER\); 0\.0315744 \(SKU K4EX"):
        plans.rates("eu-west-1", [ALL_UPFRONT], TODAY)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (rate(VCPU, "free"), "'free' is not a number"),
        (rate(VCPU, "-1"), "'-1' is not a price"),
        (rate(VCPU, "0.03", discountedRate={"price": "0.03", "currency": "CNY"}), "in CNY, not USD"),
        (rate(VCPU, "0.03", discountedRate={"price": "0.03"}), "in no currency, not USD"),
        (rate(VCPU, "0.03", discountedRate={"currency": "USD"}), "missing required field `price`"),
        (rate(VCPU, 0.03), "Expected `str`"),
        (rate(VCPU, "0.0000000000"), "The Savings Plan rate sp_compute_1yr_allupfront.* is 0; .* none of ours is free"),
        (rate(VCPU, "1E400"), "'1E400' is not a price in plain decimals"),
        (rate(VCPU, "9" * 5000), r"9999\.\.\. is not a price"),
        (rate(VCPU, "0.03", unit="Request"), "by 'Request', not by the hour"),
    ],
)
def test_doubt_is_an_error(server, plans, wrong, words):
    publish(server, content(replaced=[wrong]))
    with pytest.raises(PriceListUnavailable, match=words):
        plans.rates("eu-west-1", [ALL_UPFRONT], TODAY)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"{", "not the JSON"),
        (json.dumps(content()).encode()[:-5], "not the JSON"),
        (content() | {"publicationDate": "2020"}, "publicationDate is '2020', which is no date"),
        (json.dumps(content()).encode()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (content() | {"publicationDate": "soon"}, "publicationDate is 'soon'"),
        (content() | {"version": None}, "lacks a version"),
        (content() | {"terms": {"OnDemand": {}}}, "missing required field `savingsPlan`"),
        ({"version": "1", "publicationDate": "2020-02-20"}, "lacks a version or terms"),
    ],
)
def test_a_damaged_file_is_an_error(server, plans, file, words):
    publish(server, file)
    with pytest.raises(PriceListUnavailable, match=words):
        plans.rates("eu-west-1", NAMES, TODAY)


def test_a_plan_file_may_not_be_on_another_server(server, plans):
    regions = [{"regionCode": "eu-west-1", "versionUrl": "https://evil.example/index.json"}]
    server.put(f"{BASE}/current/region_index.json", {"regions": regions})
    with pytest.raises(PriceListUnavailable, match="another server"):
        plans.rates("eu-west-1", NAMES, TODAY)


@pytest.mark.parametrize("style", [{"indent": 2, "separators": (",", " : ")}, {}, {"separators": (",", ":")}])
def test_pieces_give_what_the_whole_file_gives(style):
    usage_types = frozenset({VCPU, GB})
    text = json.dumps(content(), **style).encode()
    whole = read_plans(io.BytesIO(text), usage_types, -1)
    assert [len(each.rates) for each in whole.plans] == [1, 2]
    for window_bytes in [*range(1, 400, 57), *range(400, len(text), 97)]:
        assert read_plans(io.BytesIO(text), usage_types, window_bytes) == whole
    for end in range(0, len(text), 61):
        with pytest.raises(ValueError):
            read_plans(io.BytesIO(text[:end]), usage_types, 500)


def test_terms_before_products_are_read_too():
    file = content()
    file["products"] = file.pop("products")
    text = json.dumps(file).encode()
    assert len(read_plans(io.BytesIO(text), frozenset({VCPU}), 700).plans) == 2


def test_a_file_at_hand_is_read_without_a_server():
    file = read_plans(io.BytesIO(json.dumps(content()).encode()), frozenset({VCPU, GB}))
    rates = plan_rates(file, "eu-west-1", [ALL_UPFRONT, THREE_YEARS_GB], None)
    assert {name: rate.tiers_text() for name, rate in rates.items()} == {
        ALL_UPFRONT: "0.0315744",
        THREE_YEARS_GB: "0.002667",
    }
    assert {(rate.published, rate.checked) for rate in rates.values()} == {(dt.date(2020, 2, 20), None)}
