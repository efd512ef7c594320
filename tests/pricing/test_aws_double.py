"""The stand-in for AWS has AWS's shapes, which are written out here by hand, and sells what the snapshots say."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in
from estimator.pricing.folders import shipped_folder
from estimator.pricing.products import select_rate
from estimator.pricing.query_api import QueryApi
from estimator.pricing.rates import Rate
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from tests.pricing.aws_double import CREDENTIALS, SPOT_PATH, AwsDouble
from tests.pricing.aws_records import GLOBAL, PUBLISHED, Catalogue

REGION_NAMES = ("us-east-1", "eu-west-1", "ap-south-1")
OFFERS = "/offers/v1.0/aws"
PLANS = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan"
ON_DEMAND = {
    name: price for name, price in PRICES.items() if price.query.service_code not in (SAVINGS_PLANS, SPOT_FEED)
}

#: A record of AmazonECS, us-east-1, as GetProducts gave it on 2022-11-21.
FARGATE_ITEM: dict[str, Any] = {
    "product": {
        "productFamily": "Compute",
        "attributes": {
            "regionCode": "us-east-1",
            "servicecode": "AmazonECS",
            "tenancy": "Shared",
            "usagetype": "USE1-Fargate-vCPU-Hours:perCPU",
            "locationType": "AWS Region",
            "location": "US East (N. Virginia)",
            "servicename": "Amazon Elastic Container Service",
            "cputype": "perCPU",
            "operation": "",
        },
        "sku": "8CESGAFWKAJ98PME",
    },
    "serviceCode": "AmazonECS",
    "terms": {
        "OnDemand": {
            "8CESGAFWKAJ98PME.JRTCKXETXF": {
                "priceDimensions": {
                    "8CESGAFWKAJ98PME.JRTCKXETXF.6YS6EN2CT7": {
                        "unit": "hours",
                        "endRange": "Inf",
                        "description": "AWS Fargate - vCPU - US East (N.Virginia)",
                        "appliesTo": [],
                        "rateCode": "8CESGAFWKAJ98PME.JRTCKXETXF.6YS6EN2CT7",
                        "beginRange": "0",
                        "pricePerUnit": {"USD": "0.0404800000"},
                    }
                },
                "sku": "8CESGAFWKAJ98PME",
                "effectiveDate": "2022-11-01T00:00:00Z",
                "offerTermCode": "JRTCKXETXF",
                "termAttributes": {},
            }
        }
    },
    "version": "20221121182130",
    "publicationDate": "2022-11-21T18:21:30Z",
}

#: A record of a load balancer, as the bulk list of AmazonEC2 had it in 2017; since then it has a region code and a
#: service name.
BALANCER_ATTRIBUTES = {
    "group": "ELB:Balancer",
    "locationType": "AWS Region",
    "servicecode": "AmazonEC2",
    "operation": "LoadBalancing:Application",
    "groupDescription": "LoadBalancer hourly usage by Application Load Balancer",
}
TRANSFER_ATTRIBUTES = {
    "transferType": "InterRegion Outbound",
    "usagetype": "USE1-SAE1-AWS-Out-Bytes",
    "toLocation": "South America (Sao Paulo)",
    "fromLocation": "US East (N. Virginia)",
    "servicecode": "AWSDataTransfer",
    "toLocationType": "AWS Region",
    "operation": "",
    "fromLocationType": "AWS Region",
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in CREDENTIALS.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def aws() -> Iterator[AwsDouble]:
    with AwsDouble(REGION_NAMES) as double:
        yield double


@pytest.fixture
def http(aws: AwsDouble) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=aws.url, trust_env=False) as client:
        yield client


def shape(value: Any, depth: int = 9) -> Any:
    """Keys and kinds of values; keys that are codes count as one."""
    if isinstance(value, dict) and depth:
        return {("CODE" if "." in key else key): shape(each, depth - 1) for key, each in value.items()}
    return [shape(each, depth - 1) for each in value[:1]] if isinstance(value, list) else type(value).__name__


def test_an_item_of_get_products_has_aws_shape(aws: AwsDouble) -> None:
    by_sku = {"Type": "TERM_MATCH", "Field": "sku", "Value": "8CESGAFWKAJ98PME"}
    reply = json.loads(aws.get_products({"ServiceCode": "AmazonECS", "Filters": [by_sku]}).body)
    assert set(reply) == {"FormatVersion", "PriceList"}
    (text,) = reply["PriceList"]
    item = json.loads(text)
    assert shape(item) == shape(FARGATE_ITEM)
    assert item["product"] == FARGATE_ITEM["product"]
    (ours,), (theirs,) = (
        [d for term in each["terms"]["OnDemand"].values() for d in term["priceDimensions"].values()]
        for each in (item, FARGATE_ITEM)
    )
    assert ours | {"description": ""} == theirs | {"description": ""}


def test_offers_have_aws_shape(http: httpx.Client) -> None:
    index = http.get(f"{OFFERS}/index.json").json()
    assert set(index) == {"formatVersion", "disclaimer", "publicationDate", "offers"}
    assert index["offers"]["AWSELB"] == {
        "offerCode": "AWSELB",
        "versionIndexUrl": "/offers/v1.0/aws/AWSELB/index.json",
        "currentVersionUrl": "/offers/v1.0/aws/AWSELB/current/index.json",
        "currentRegionIndexUrl": "/offers/v1.0/aws/AWSELB/current/region_index.json",
    }
    regions = http.get(index["offers"]["AmazonECS"]["currentRegionIndexUrl"]).json()
    assert set(regions) == {"formatVersion", "disclaimer", "publicationDate", "regions"}
    assert regions["regions"]["eu-west-1"] == {
        "regionCode": "eu-west-1",
        "currentVersionUrl": "/offers/v1.0/aws/AmazonECS/20261103182130/eu-west-1/index.json",
    }
    offer = http.get(regions["regions"]["eu-west-1"]["currentVersionUrl"]).json()
    assert list(offer) == [
        *("formatVersion", "disclaimer", "offerCode", "version", "publicationDate", "products", "terms"),
    ]
    assert (offer["version"], offer["publicationDate"]) == ("20261103182130", "2026-11-03T18:21:30Z")
    sku = "K4EXFQ5YFQCP98EN"
    assert set(offer["products"][sku]) == {"sku", "productFamily", "attributes"}
    (term,) = offer["terms"]["OnDemand"][sku].values()
    (theirs,) = FARGATE_ITEM["terms"]["OnDemand"].values()
    assert shape(term) == shape(theirs)


def test_places_and_families_stand_as_at_aws(http: httpx.Client) -> None:
    def offer(code: str, part: str = "us-east-1") -> Any:
        return http.get(f"{OFFERS}/{code}/current/{part}/index.json").json()

    ec2 = offer("AmazonEC2")
    balancer = ec2["products"]["37CUWUT8GSNQEPUV"]
    assert balancer["productFamily"] == "Load Balancer-Application"
    assert BALANCER_ATTRIBUTES.items() <= balancer["attributes"].items()
    assert "m5.large" in json.dumps(ec2["terms"]["Reserved"])
    transfer = [each["attributes"] for each in offer("AWSDataTransfer", "us-east-1")["products"].values()]
    assert all("regionCode" not in each for each in transfer if "fromLocation" in each)
    # South America is no region of this double, but a place to send to.
    assert any(TRANSFER_ATTRIBUTES.items() <= each.items() for each in transfer)
    edges = [each["attributes"] for each in offer("AmazonCloudFront", "aws-other")["products"].values()]
    assert {"AWS Edge Location"} < {each.get("fromLocationType", each.get("locationType")) for each in edges}


def test_regions_without_an_offer_point_to_an_empty_one(http: httpx.Client) -> None:
    regions = http.get(f"{OFFERS}/AWSELB/current/region_index.json").json()["regions"]
    assert regions["us-east-1"]["currentVersionUrl"] == "/offers/v1.0/aws/AWSELB/current/default/empty.json"
    assert http.get(regions["us-east-1"]["currentVersionUrl"]).json()["products"] == {}
    assert http.get(f"{OFFERS}/AWSELB/current/us-east-1/index.json").status_code == 404


def test_savings_plans_have_aws_shape(http: httpx.Client, aws: AwsDouble) -> None:
    index = http.get(f"{PLANS}/current/region_index.json").json()
    assert [sorted(each) for each in index["regions"]] == [["regionCode", "versionUrl"]] * 3
    file = http.get(index["regions"][1]["versionUrl"]).json()
    assert set(file) == {"version", "publicationDate", "products", "terms"}
    compute = [each for each in file["products"] if each["productFamily"] == "ComputeSavingsPlans"]
    assert {each["usageType"] for each in compute} == {
        *("ComputeSP:1yrNoUpfront", "ComputeSP:1yrPartialUpfront", "ComputeSP:1yrAllUpfront"),
        *("ComputeSP:3yrNoUpfront", "ComputeSP:3yrPartialUpfront", "ComputeSP:3yrAllUpfront"),
    }
    plan = next(each for each in compute if each["usageType"] == "ComputeSP:1yrAllUpfront")
    assert plan["attributes"] == {
        "purchaseOption": "All Upfront",
        "granularity": "hourly",
        "locationType": "AWS Region",
        "purchaseTerm": "1yr",
        "location": "Any",
    }
    (term,) = [each for each in file["terms"]["savingsPlan"] if each["sku"] == plan["sku"]]
    rates = [each for each in term["rates"] if each["discountedServiceCode"] == "AmazonECS"]
    assert len(rates) == 6
    (vcpu,) = [each for each in rates if each["discountedUsageType"] == "EU-Fargate-vCPU-Hours:perCPU"]
    assert vcpu == {
        "discountedSku": "K4EXFQ5YFQCP98EN",
        "discountedUsageType": "EU-Fargate-vCPU-Hours:perCPU",
        "discountedOperation": "",
        "discountedServiceCode": "AmazonECS",
        "rateCode": f"{plan['sku']}.K4EXFQ5YFQCP98EN",
        "unit": "hours",
        "discountedRate": {"price": "0.0315744", "currency": "USD"},
        "discountedRegionCode": "eu-west-1",
    }
    assert aws.catalogue.tiers("sp_compute_1yr_allupfront__fargate_linux_x86_vcpu_hour", "eu-west-1") == [
        (0.0, Decimal("0.0315744"))
    ]


def test_the_spot_feed_has_aws_shape(http: httpx.Client) -> None:
    feed = http.get(SPOT_PATH).json()
    assert set(feed) == {"metadata", "prices"}
    row = next(each for each in feed["prices"] if each["attributes"]["aws:region"] == "eu-west-1")
    assert set(row) == {"id", "unit", "price", "attributes"}
    assert set(row["attributes"]) == {"aws:region", "aws:label"}
    units = {each["unit"] for each in feed["prices"] if each["attributes"]["aws:region"] == "ap-south-1"}
    assert units == {"vCPU-Hours", "GB-Hours", "ARM-vCPU-Hours", "ARM-GB-Hours"}


def test_files_are_compressed_compared_and_continued_on_demand(http: httpx.Client, aws: AwsDouble) -> None:
    path = f"{OFFERS}/AmazonECS/current/eu-west-1/index.json"
    plain = http.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    small = http.get(path, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) < len(plain.content) / 4
    assert small.content == plain.content
    etag = plain.headers["ETag"]
    same = http.get(path, headers={"Accept-Encoding": "identity", "If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    rest = {"Accept-Encoding": "identity", "Range": "bytes=100-", "If-Range": etag}
    part = http.get(path, headers=rest)
    assert (part.status_code, part.content) == (206, plain.content[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(plain.content) - 1}/{len(plain.content)}"
    whole = http.get(path, headers=rest | {"If-Range": '"older"'})
    assert (whole.status_code, whole.content) == (200, plain.content)
    aws.catalogue.change("fargate_linux_x86_gb_hour", "eu-west-1", price="0.0050000000")
    new = http.get(path, headers={"Accept-Encoding": "identity", "If-None-Match": etag})
    assert new.status_code == 200
    assert (new.json()["version"], new.headers["ETag"] == etag) == ("20261104182130", False)
    # The older version stays where it was.
    old = http.get(path.replace("current", "20261103182130"), headers={"Accept-Encoding": "identity"})
    assert old.content == plain.content
    assert aws.requests[path] == 6
    assert aws.statuses == {200: 5, 304: 1, 206: 1}


def test_faults_hit_what_they_are_meant_for(http: httpx.Client, aws: AwsDouble) -> None:
    path = f"{OFFERS}/AmazonECS/current/eu-west-1/index.json"
    aws.fail(429, "AmazonECS", times=2, skip=1)
    assert [http.get(each).status_code for each in (path, SPOT_PATH, path, path, path)] == [200, 200, 429, 429, 200]
    aws.truncate_json(path)
    with pytest.raises(json.JSONDecodeError):
        http.get(path).json()
    aws.truncate_gzip(path)
    with http.stream("GET", path) as answer:
        raw = b"".join(answer.iter_raw())
    with pytest.raises(EOFError):
        gzip.decompress(raw)
    aws.cut(path)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(path)
    aws.drop_connection(path)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(path)
    aws.delay(0.3, path)
    with pytest.raises(httpx.ReadTimeout):
        http.get(path, timeout=0.1)
    aws.clear_faults()
    assert http.get(path).status_code == 200


def test_products_can_be_dropped_doubled_and_broken(aws: AwsDouble, http: httpx.Client) -> None:
    def families() -> list[str]:
        products = http.get(f"{OFFERS}/AWSELB/current/eu-west-1/index.json").json()["products"].values()
        return [each["attributes"]["usagetype"] for each in products if each["attributes"]["regionCode"] == "eu-west-1"]

    aws.catalogue.drop("alb_trust_store_hour", "eu-west-1")
    aws.catalogue.double("alb_reserved_lcu_hour", "eu-west-1")
    aws.catalogue.change("alb_hour", "us-east-1", price="free", currency="CNY")
    assert families().count("EU-TS-LoadBalancerUsage") == 0
    assert families().count("EU-ReservedLCUUsage") == 3  # one is the Network Load Balancer's
    ec2 = http.get(f"{OFFERS}/AmazonEC2/current/us-east-1/index.json").json()
    assert '{"CNY": "free"}' in json.dumps(ec2["terms"]["OnDemand"]["37CUWUT8GSNQEPUV"])


def test_every_known_price_is_sold_once_in_every_region() -> None:
    catalogue = Catalogue(REGIONS)
    sold = Counter(
        (record.price_name, record.part)
        for code in PUBLISHED
        for record in catalogue.current(code).records
        if record.price_name
    )
    assert set(sold.values()) == {1}
    known = catalogue.rates["us-east-1"]
    assert set(sold) == {
        *((name, GLOBAL) for name in expected_in("global") if name in known),
        *(
            (name, part)
            for part, rates in catalogue.rates.items()
            for name in expected_in(part, ON_DEMAND)
            if name in rates
        ),
    }


@pytest.fixture(scope="module")
def paged() -> Iterator[AwsDouble]:
    with AwsDouble(REGION_NAMES, page_size=2) as double:
        yield double


@pytest.mark.parametrize("region", [*REGION_NAMES, "global"])
def test_every_shipped_rate_is_read_back_over_the_query_api(paged: AwsDouble, region: str) -> None:
    shipped = load_rates("us-east-1" if region == "global" else region, shipped_folder())
    expected = {name: shipped[name] for name in expected_in(region, ON_DEMAND) if name in shipped}
    with QueryApi(paged.url, max_attempts=1) as api:
        found = {name: read_back(api, name, region) for name in expected}
    assert {name: numbers(rate) for name, rate in found.items()} == {
        name: numbers(rate) for name, rate in expected.items()
    }
    assert all(rate.sku in ("", found[name].sku) for name, rate in expected.items())
    assert len({rate.published for rate in found.values()}) > 2


def read_back(api: QueryApi, name: str, region: str) -> Rate:
    query = PRICES[name].query
    usage_types = frozenset(query.usage_types_in(region))
    products = api.products(query.service_code, region, usage_types)
    if not products and query.fallback_service_code:
        products = api.products(query.fallback_service_code, region, usage_types)
    return select_rate(name, PRICES[name], region, products)


def numbers(rate: Rate) -> list[tuple[float, Decimal]]:
    return [(tier.begin, Decimal(tier.price)) for tier in rate.tiers]
