"""Bulk files from a real server: exactly the wanted products, from a file that is whole, whatever surrounds them."""

import datetime as dt
import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from estimator.errors import PriceListUnavailable
from estimator.pricing.bulk_files import _CUTS, BulkFiles, _OfferPiece, digest_of, read_offer
from estimator.pricing.catalog import PRICES
from estimator.pricing.downloads import Downloads
from estimator.pricing.pieces import pieces
from estimator.pricing.products import select_rate
from tests.pricing.files_server import files_server

ROOT = "/offers/v1.0/aws"
NAT_HOUR, NAT_BYTES = "EU-NatGateway-Hours", "EU-NatGateway-Bytes"
WANTED = frozenset({NAT_HOUR, NAT_BYTES})


def product(sku, usage_type, family="NAT Gateway", operation="NatGateway", **more):
    attributes = {
        "servicecode": "AmazonEC2",
        "location": "EU (Ireland)",
        "locationType": "AWS Region",
        "usagetype": usage_type,
        "operation": operation,
        "regionCode": "eu-west-1",
    }
    return {"sku": sku, "productFamily": family, "attributes": attributes | more}


def term(sku, price, unit="Hrs", code="JRTCKXETXF", description="per hour"):
    key = f"{sku}.{code}"
    dimension = {
        "rateCode": f"{key}.6YS6EN2CT7",
        "description": description,
        "beginRange": "0",
        "endRange": "Inf",
        "unit": unit,
        "pricePerUnit": {"USD": price},
        "appliesTo": [],
    }
    return {
        key: {
            "offerTermCode": code,
            "sku": sku,
            "effectiveDate": "2026-09-01T00:00:00Z",
            "priceDimensions": {f"{key}.6YS6EN2CT7": dimension},
            "termAttributes": {},
        }
    }


#: Text in a string that looks like a wanted product, like a place to cut, and like the end of the file.
TRAP = f'", "usagetype" : "{NAT_HOUR}" }}}}, "X1" : {{ "sku" : "X1", "X2":{{"X2.A":{{}} }}}}\\'


def offer(**more):
    """NAT gateways as in 2017's and 2026's files, with what stands beside them."""
    products = {
        "BOX1": product("BOX1", "EU-BoxUsage:m5.large", "Compute Instance", "RunInstances", description=TRAP),
        "NATHOUR1": product("NATHOUR1", NAT_HOUR),
        "9F25CQRR8AA58QZS": product("9F25CQRR8AA58QZS", "EU-NatGateway-Prvd-Bytes"),
        "REGIONAL1": product("REGIONAL1", "EU-RegionalNatGateway-Hours", group=NAT_HOUR),
        "BOX2": product("BOX2", "EU-BoxUsage:m5.xlarge", "Compute Instance", "RunInstances", instanceType=NAT_BYTES),
        "NATBYTES1": product("NATBYTES1", NAT_BYTES),
        "BOX3": product("BOX3", "EU-BoxUsage:c6g.large", "Compute Instance", TRAP, ecu="\u00fc\U0001f600"),
    }
    prices = dict.fromkeys(products, "0.1070000000") | {
        "NATHOUR1": "0.0480000000",
        "NATBYTES1": "0.0470000000",
        "9F25CQRR8AA58QZS": "0.0000000000",
    }
    on_demand = {sku: term(sku, price, "GB" if "BYTES" in sku else "Hrs", "JRT", TRAP) for sku, price in prices.items()}
    reserved = {sku: term(sku, "9.9", code="RES1") | term(sku, "8.8", code="RES2") for sku in products}
    return {
        "formatVersion": "v1.0",
        "disclaimer": TRAP,
        "offerCode": "AmazonEC2",
        "version": "20261001120000",
        "publicationDate": "2026-10-01T12:00:00Z",
        "products": products,
        "terms": {"OnDemand": on_demand, "Reserved": reserved},
    } | more


FORMATS = {
    "as AWS writes it": {"indent": 2, "separators": (",", " : ")},
    "compact": {"separators": (",", ":")},
    "one line": {},
    "tabs, unescaped": {"indent": "\t", "ensure_ascii": False},
    "sorted": {"sort_keys": True},
}


def taken(text, window_bytes, usage_types=WANTED):
    kept = read_offer(io.BytesIO(text), "AmazonEC2", usage_types, window_bytes)
    return {
        each.product.sku: [d.price_per_unit["USD"] for t in each.terms for d in t.price_dimensions.values()]
        for each in kept.products
    }


@pytest.fixture
def server():
    with files_server() as running:
        publish(running, "AmazonEC2", {"eu-west-1": offer()})
        yield running


@pytest.fixture
def downloads(tmp_path):
    with Downloads(tmp_path, lambda _: None) as made:
        yield made


@pytest.fixture
def bulk(server, downloads):
    return BulkFiles(server.url, downloads)


def publish(server, code, offers, whole=None):
    """Lay out an offer for some places as AWS does."""
    base = f"{ROOT}/{code}"
    index = server.pages.get(f"{ROOT}/index.json")
    services = json.loads(index.body)["offers"] if index else {}
    services[code] = {
        "offerCode": code,
        "versionIndexUrl": f"{base}/index.json",
        "currentVersionUrl": f"{base}/current/index.json",
        "currentRegionIndexUrl": f"{base}/current/region_index.json",
    }
    server.put(f"{ROOT}/index.json", {"formatVersion": "v1.0", "offers": services})
    regions = {}
    for place, content in offers.items():
        url = f"{base}/20261001120000/{place}/index.json"
        if content is None:
            url = f"{base}/current/default/empty.json"
        else:
            server.put(url, content)
        regions[place] = {"regionCode": place, "currentVersionUrl": url}
    server.put(f"{base}/current/region_index.json", {"formatVersion": "v1.0", "regions": regions})
    if whole is not None:
        server.put(f"{base}/current/index.json", whole)


def test_a_rate_comes_out_with_its_source(bulk):
    products = bulk.products("AmazonEC2", "eu-west-1", WANTED)
    rate = select_rate("nat_gateway_hour", PRICES["nat_gateway_hour"], "eu-west-1", products)
    assert (rate.tiers_text(), rate.sku, rate.published) == ("0.048", "NATHOUR1", dt.date(2026, 10, 1))
    assert rate.source == "AWS Price List, AmazonEC2 version 20261001120000"
    bytes_rate = select_rate("nat_gateway_gb", PRICES["nat_gateway_gb"], "eu-west-1", products)
    assert bytes_rate.tiers_text() == "0.047"
    assert {each.product.sku for each in products} == {"NATHOUR1", "NATBYTES1"}
    assert products[0].product.attributes["operation"] == "NatGateway"


def test_a_second_run_asks_only_whether_the_files_changed(server, downloads):
    first = BulkFiles(server.url, downloads).products("AmazonEC2", "eu-west-1", WANTED)
    received = downloads.received_bytes
    assert BulkFiles(server.url, downloads).products("AmazonEC2", "eu-west-1", WANTED) == first
    assert downloads.received_bytes == received
    assert [request.status for request in server.log] == [200] * 3 + [304] * 3


def test_a_new_row_of_prices_is_read_from_the_file_again(server, bulk):
    bulk.products("AmazonEC2", "eu-west-1", frozenset({NAT_HOUR}))
    more = bulk.products("AmazonEC2", "eu-west-1", WANTED)
    assert {each.product.usage_type for each in more} == WANTED
    assert digest_of("AmazonEC2", WANTED) != digest_of("AmazonEC2", frozenset({NAT_HOUR}))


def test_threads_share_one_index(server, bulk):
    places = ["eu-west-1"] * 12
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda place: bulk.products("AmazonEC2", place, WANTED), places))
    assert all(len(answer) == 2 for answer in answers)
    assert server.statuses(f"{ROOT}/index.json") == [200]
    assert server.statuses(f"{ROOT}/AmazonEC2/current/region_index.json") == [200]


def test_where_nothing_is_offered_there_is_nothing(server, bulk):
    publish(server, "AmazonECS", {"eu-west-1": None})
    assert bulk.products("AWSNothing", "eu-west-1", WANTED) == []
    assert bulk.products("AmazonEC2", "eu-west-9", WANTED) == []
    assert bulk.products("AmazonECS", "eu-west-1", WANTED) == []


def route53(sku, usage_type):
    attributes = {"servicecode": "AmazonRoute53", "usagetype": usage_type, "operation": ""}
    return {
        "offerCode": "AmazonRoute53",
        "version": "20260828",
        "publicationDate": "2026-08-28T00:00:00Z",
        "products": {sku: {"sku": sku, "productFamily": "DNS Zone", "attributes": attributes}},
        "terms": {"OnDemand": {sku: term(sku, "0.5000000000", "HostedZone-Mo")}},
    }


ZONE = frozenset({"HostedZone"})


@pytest.mark.parametrize("place", ["aws-other", "aws-global", "global"])
def test_what_has_no_region_stands_in_a_place_of_its_own(server, bulk, place):
    publish(server, "AmazonRoute53", {"us-east-1": None, place: route53("ZONE", "HostedZone")})
    products = bulk.products("AmazonRoute53", "global", ZONE)
    rate = select_rate("hosted_zone_month", PRICES["hosted_zone_month"], "global", products)
    assert (rate.sku, rate.tiers_text()) == ("ZONE", "0.5")


def test_what_has_no_region_is_else_looked_for_in_the_whole_offer(server, bulk):
    publish(server, "AmazonRoute53", {"aws-other": route53("Q", "DNS-Queries")}, route53("ZONE", "HostedZone"))
    assert [each.product.sku for each in bulk.products("AmazonRoute53", "global", ZONE)] == ["ZONE"]
    assert [each.product.sku for each in bulk.products("AmazonRoute53", "global", frozenset({"DNS-Queries"}))] == ["Q"]


def test_an_index_that_sends_elsewhere_is_refused(server, bulk):
    services = {"AmazonEC2": {"currentRegionIndexUrl": "https://evil.example/region_index.json"}}
    server.put(f"{ROOT}/index.json", {"offers": services})
    with pytest.raises(PriceListUnavailable, match=r"evil\.example.* another server"):
        bulk.products("AmazonEC2", "eu-west-1", WANTED)


@pytest.mark.parametrize("url", ["http://[oops", "//[oops/x", "https://:1"])
def test_an_index_that_names_no_address_is_refused(server, bulk, url):
    server.put(f"{ROOT}/index.json", {"offers": {"AmazonEC2": {"currentRegionIndexUrl": url}}})
    with pytest.raises(PriceListUnavailable, match="not an address that can be asked"):
        bulk.products("AmazonEC2", "eu-west-1", WANTED)


@pytest.mark.parametrize("place", ["index", "product", "term"])
def test_depth_without_end_is_an_error(server, bulk, place):
    deep = b"[" * 100_000 + b"]" * 100_000
    path = f"{ROOT}/index.json" if place == "index" else f"{ROOT}/AmazonEC2/20261001120000/eu-west-1/index.json"
    body = server.pages[path].body
    beginning = {"index": b"{", "product": b'"BOX2": {"sku": "BOX2", ', "term": b'"BOX2.RES1": {'}[place]
    assert beginning in body
    server.put(path, body.replace(beginning, beginning + b'"deep": ' + deep + b", ", 1))
    with pytest.raises(PriceListUnavailable, match="nested too deep"):
        bulk.products("AmazonEC2", "eu-west-1", WANTED)


def test_an_index_may_name_its_own_server(server, bulk):
    url = f"{server.url}{ROOT}/AmazonEC2/20261001120000/eu-west-1/index.json"
    server.put(f"{ROOT}/AmazonEC2/current/region_index.json", {"regions": {"eu-west-1": {"currentVersionUrl": url}}})
    assert len(bulk.products("AmazonEC2", "eu-west-1", WANTED)) == 2


def test_a_named_file_that_is_not_there_is_an_error(server, bulk):
    del server.pages[f"{ROOT}/AmazonEC2/20261001120000/eu-west-1/index.json"]
    with pytest.raises(PriceListUnavailable, match=r"eu-west-1/index\.json answered 404"):
        bulk.products("AmazonEC2", "eu-west-1", WANTED)


def test_an_index_that_cannot_be_had_is_asked_for_once(server, downloads, bulk):
    server.pages[f"{ROOT}/index.json"].faults = [403] * 9
    for _ in range(3):
        with pytest.raises(PriceListUnavailable, match="403"):
            bulk.products("AmazonEC2", "eu-west-1", WANTED)
    assert downloads.requests == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"publicationDate": "yesterday"}, "publicationDate is 'yesterday'"),
        ({"publicationDate": None}, "publicationDate is ''"),
        ({"publicationDate": 5}, "publicationDate"),
        ({"publicationDate": "20261001"}, "publicationDate is '20261001', which is no date"),
        ({"publicationDate": "2026-13-01T00:00:00Z"}, "which is no date"),
        ({"publicationDate": "9" * 5000}, r"9999\.\.\., which is no date"),
        ({"version": None}, "lacks a version"),
        ({"products": None}, "lacks a version, products or terms"),
        ({"terms": None}, "lacks a version, products or terms"),
        ({"products": []}, "Expected `object"),
        ({"offerCode": "AmazonECS"}, "it is the offer of AmazonECS, not of AmazonEC2"),
    ],
)
def test_a_file_of_another_shape_is_an_error(server, bulk, tmp_path, change, words):
    path = f"{ROOT}/AmazonEC2/20261001120000/eu-west-1/index.json"
    server.put(path, offer(**change))
    with pytest.raises(PriceListUnavailable, match=words) as caught:
        bulk.products("AmazonEC2", "eu-west-1", WANTED)
    assert path in str(caught.value)
    server.put(path, offer(), etag='"v2"')
    assert len(bulk.products("AmazonEC2", "eu-west-1", WANTED)) == 2


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_file_cut_behind_the_wanted_records_is_an_error(server, bulk, compress):
    text = json.dumps(offer(), indent=2).encode()
    server.put(f"{ROOT}/AmazonEC2/20261001120000/eu-west-1/index.json", compress(text[:-40]))
    with pytest.raises(PriceListUnavailable, match="not the JSON of a price file"):
        bulk.products("AmazonEC2", "eu-west-1", WANTED)


@pytest.mark.parametrize("style", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("window_bytes", [1, 50, 97, 333, 1000, 2001, 5000, 1 << 20, -1])
def test_pieces_give_what_the_whole_file_gives(style, window_bytes):
    text = json.dumps(offer(), **style).encode()
    assert taken(text, window_bytes) == {"NATHOUR1": ["0.0480000000"], "NATBYTES1": ["0.0470000000"]}


def test_a_file_is_really_cut():
    text = json.dumps(offer(), **FORMATS["as AWS writes it"]).encode()
    documents = [document for _, document in pieces(io.BytesIO(text), _OfferPiece, _CUTS, 500)]
    assert len(documents) > 10
    assert max(map(len, documents)) < len(text) / 4
    assert {next(iter(json.loads(document))) for document in documents[1:]} == {"products", "terms"}


def test_every_product_is_found_wherever_the_cuts_fall():
    text = json.dumps(offer(), **FORMATS["as AWS writes it"]).encode()
    everything = frozenset(each["attributes"]["usagetype"] for each in offer()["products"].values())
    whole = taken(text, -1, everything)
    assert len(whole) == 7
    for window_bytes in range(40, 4000, 37):
        assert taken(text, window_bytes, everything) == whole


def test_terms_before_products_are_read_too():
    content = offer()
    content["products"] = content.pop("products")
    text = json.dumps(content).encode()
    for window_bytes in (100, 1000, 3000, -1):
        assert taken(text, window_bytes) == {"NATHOUR1": ["0.0480000000"], "NATBYTES1": ["0.0470000000"]}


def test_an_escaped_usage_type_is_the_same_usage_type():
    text = json.dumps(offer()).replace(f'"{NAT_HOUR}"', '"EU\\u002dNatGateway\\u002DHours"').encode()
    assert set(taken(text, 1000)) == {"NATHOUR1", "NATBYTES1"}


def test_a_product_without_terms_is_kept_to_be_refused_later():
    content = offer()
    del content["terms"]["OnDemand"]["NATHOUR1"]
    assert taken(json.dumps(content).encode(), 500)["NATHOUR1"] == []


def test_reserved_terms_are_never_taken():
    content = offer()
    content["terms"] = {"Reserved": content["terms"]["Reserved"], "OnDemand": content["terms"]["OnDemand"]}
    text = json.dumps(content).encode()
    for window_bytes in range(50, 3000, 61):
        assert taken(text, window_bytes) == {"NATHOUR1": ["0.0480000000"], "NATBYTES1": ["0.0470000000"]}


@pytest.mark.parametrize("window_bytes", [400, 1 << 20])
def test_a_file_cut_anywhere_is_an_error(window_bytes):
    text = json.dumps(offer(), **FORMATS["as AWS writes it"]).encode()
    for end in [*range(0, len(text), 53), *range(len(text) - 12, len(text))]:
        with pytest.raises(ValueError):
            taken(text[:end], window_bytes)


@pytest.mark.parametrize("window_bytes", [400, 1 << 20])
@pytest.mark.parametrize("place", ['"9.9"', '"appliesTo"', '"BOX2": {"sku"', '"Reserved"'])
def test_a_fault_anywhere_is_an_error(place, window_bytes):
    text = json.dumps(offer())
    assert place in text
    for fault in ("}", "]", '"', ",", "{"):
        with pytest.raises(ValueError):
            taken(text.replace(place, fault + place, 1).encode(), window_bytes)
    with pytest.raises(ValueError):
        taken(text.encode() + b"}", window_bytes)
