"""The Spot feed from a real server, in the shape of its copy of 2019."""

import datetime as dt
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from estimator.errors import PriceListUnavailable
from estimator.pricing.catalog import PRICES, SPOT_FEED
from estimator.pricing.downloads import Downloads
from estimator.pricing.spot import SpotFeed, day_of, read_feed, spot_rates
from tests.pricing.files_server import files_server

PATH = "/fargate-spot-prices.json"
TODAY = dt.date(2026, 10, 5)
NAMES = [name for name, price in PRICES.items() if price.query.service_code == SPOT_FEED]
VCPU, GB = "fargate_spot_linux_x86_vcpu_hour", "fargate_spot_linux_x86_gb_hour"
ARM_VCPU, ARM_GB = "fargate_spot_linux_arm_vcpu_hour", "fargate_spot_linux_arm_gb_hour"


def row(unit, price, region="eu-west-1", name="f09cc16b-7c5a-4327-b8a9-bcb5a7f75d9c"):
    price = price if isinstance(price, dict) else {"USD": price}
    return {"id": name, "unit": unit, "price": price, "attributes": {"aws:region": region, "aws:label": "per hour"}}


def feed(*rows):
    return {
        "metadata": {"format:version": "1.0", "source:version": "20190730194642"},
        "prices": [
            row("vCPU-Hours", "0.01458", "us-east-1", "4c865a7f-ff23-466f-a7bc-9daaa7d1eee2"),
            *(rows or (row("vCPU-Hours", "0.01379631"), row("GB-Hours", "0.00151494", name="570115e9"))),
        ],
    }


@pytest.fixture
def server():
    with files_server() as running:
        running.put(PATH, feed())
        yield running


@pytest.fixture
def downloads(tmp_path):
    with Downloads(tmp_path, lambda _: None) as made:
        yield made


@pytest.fixture
def spot(server, downloads):
    return SpotFeed(server.url + PATH, downloads)


def test_prices_are_dated_on_the_day_of_reading(spot):
    rates = spot.rates("eu-west-1", NAMES, TODAY)
    assert {name: rate.tiers_text() for name, rate in rates.items()} == {VCPU: "0.01379631", GB: "0.00151494"}
    rate = rates[VCPU]
    assert (rate.published, rate.checked, rate.provenance) == (TODAY, TODAY, "api")
    assert rate.source == "Fargate Spot feed, version 20190730194642"
    assert (rate.sku, rate.unit) == ("f09cc16b-7c5a-4327-b8a9-bcb5a7f75d9c", "vCPU-hour")
    assert rate.usage_type == "EU-SpotUsage-Fargate-vCPU-Hours:perCPU"


def test_arm_has_units_of_its_own(server, spot):
    server.put(PATH, feed(row("ARM-vCPU-Hours", "0.00979124"), row("ARM-GB-Hours", "0.00107649")))
    rates = spot.rates("eu-west-1", NAMES, TODAY)
    assert {name: rate.tiers_text() for name, rate in rates.items()} == {ARM_VCPU: "0.00979124", ARM_GB: "0.00107649"}


def test_what_is_not_listed_is_absent(spot):
    assert spot.rates("af-south-1", NAMES, TODAY) == {}
    assert set(spot.rates("us-east-1", [VCPU, GB, "alb_hour"], TODAY)) == {VCPU}


def test_the_feed_is_fetched_once_for_all_regions(server, spot):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda region: spot.rates(region, NAMES, TODAY), ["eu-west-1", "us-east-1"] * 8))
    assert server.statuses(PATH) == [200]


def test_without_a_spot_price_the_feed_is_not_asked_for(server, spot):
    assert spot.rates("eu-west-1", ["alb_hour"], TODAY) == {}
    assert server.log == []


def test_an_unchanged_feed_holds_today_too(server, downloads, spot):
    spot.rates("eu-west-1", NAMES, TODAY)
    tomorrow = TODAY + dt.timedelta(1)
    rates = SpotFeed(server.url + PATH, downloads).rates("eu-west-1", NAMES, tomorrow)
    assert server.statuses(PATH) == [200, 304]
    assert {(rate.published, rate.checked) for rate in rates.values()} == {(tomorrow, tomorrow)}


def test_twice_the_same_price_is_one_rate(server, spot):
    server.put(PATH, feed(row("GB-Hours", "0.0015"), row("GB-Hours", "0.00150", name="again")))
    assert spot.rates("eu-west-1", [GB], TODAY)[GB].tiers_text() == "0.0015"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("GB-Hours", "0.0015"), row("GB-Hours", "0.002", name="b")], r"0\.0015 \(id f09.*\); 0\.002 \(id b\)"),
        ([row("GB-Hours", {"CNY": "0.01"})], "in CNY, not USD"),
        ([row("GB-Hours", {})], "in no currency, not USD"),
        ([row("GB-Hours", "free")], "'free' is not a number"),
        ([row("GB-Hours", "NaN")], "'NaN' is not a price"),
        ([row("GB-Hours", {"USD": 0.01})], "Expected `str`"),
        (
            [row("GB-Hours", "0.0000000000")],
            "The Spot price fargate_spot_linux_x86_gb_hour in eu-west-1 .* is 0; .* none of ours is free",
        ),
        ([row("GB-Hours", "1e9999999")], "'1e9999999' is not a price in plain decimals"),
        ([row("GB-Hours", "1e-3")], "'1e-3' is not a price in plain decimals"),
        ([row("GB-Hours", "0.0_4")], "'0.0_4' is not a price in plain decimals"),
    ],
)
def test_doubt_is_an_error(server, spot, rows, words):
    server.put(PATH, feed(*rows))
    with pytest.raises(PriceListUnavailable, match=words):
        spot.rates("eu-west-1", [GB], TODAY)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"metadata": {}}', b'{"prices": [{"unit": "GB-Hours"}]}'])
def test_a_damaged_feed_is_an_error(server, spot, body):
    server.put(PATH, body)
    with pytest.raises(PriceListUnavailable, match="not the JSON of a price file"):
        spot.rates("eu-west-1", NAMES, TODAY)


def test_a_feed_without_version_is_a_feed(server, spot):
    server.put(PATH, {"prices": feed()["prices"]})
    assert spot.rates("eu-west-1", [GB], TODAY)[GB].source == "Fargate Spot feed"


def test_a_feed_at_hand_is_read_without_a_server():
    made = read_feed(io.BytesIO(json.dumps(feed()).encode()))
    rates = spot_rates(made, "eu-west-1", [VCPU, GB, ARM_GB], published=TODAY, checked=None)
    assert {name: rate.tiers_text() for name, rate in rates.items()} == {VCPU: "0.01379631", GB: "0.00151494"}
    assert {(rate.published, rate.checked) for rate in rates.values()} == {(TODAY, None)}


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("20190730194642", dt.date(2019, 7, 30)),
        ("20261005000000", TODAY),
        ("20261006000000", None),  # to come
        ("20181231000000", None),  # before there was Fargate Spot
        ("20191331000000", None),
        ("1.0", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_the_day_of_a_feed(version, day):
    document = {"metadata": {"source:version": version}, "prices": []}
    assert day_of(read_feed(io.BytesIO(json.dumps(document).encode())), TODAY) == day
