"""Files that were carried here: recognized by what they hold, read as a refresh reads, refused in a sentence."""

import copy
import datetime as dt
import gzip
import json
import os
from decimal import Decimal

import pytest

from estimator.errors import EstimatorError, InvalidScenario, PriceListUnavailable
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in
from estimator.pricing.folders import FOLDER_VARIABLE, shipped_folder
from estimator.pricing.imports import (
    GET_PRODUCTS,
    OFFER,
    SAVINGS_PLAN,
    SNAPSHOT,
    SPOT,
    import_file,
    read_price_file,
)
from estimator.pricing.rates import Rate, Tier
from estimator.pricing.snapshot_file import read_histories, write_snapshot
from estimator.pricing.snapshots import load_rates
from tests.pricing.aws_records import (
    GLOBAL,
    NO_PART,
    Catalogue,
    answer_json,
    offer_json,
    savings_plan_json,
    spot_feed_json,
    spot_rows,
)

TODAY = dt.date(2026, 11, 23)
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
AWS = Catalogue(REGIONS)
SERVICES = ("AmazonECS", "AmazonEC2", "AWSELB", "AmazonVPC", "AWSDataTransfer", "AmazonCloudWatch", "awswaf", "AmazonS3", "AmazonECR",
            "AWSSecretsManager", "awskms")  # fmt: skip
PARTS = [(code, region) for code in SERVICES for region in REGIONS if (code, region) not in NO_PART]


def offer(service_code, region):
    return copy.deepcopy(offer_json(service_code, region, AWS.current(service_code)))


def items(*service_codes, region="eu-west-1"):
    """GetProducts' items of whole services."""
    return [
        json.dumps(answer_json(record, AWS.current(code)))
        for code in service_codes
        for record in AWS.current(code).records
        if record.part == region
    ]


@pytest.fixture
def carried(tmp_path):
    def write(document, name="file.json", pack=False):
        content = document if isinstance(document, bytes) else json.dumps(document, indent=2).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if pack else content)
        return path

    return write


def found(imported, region):
    return {rate.price: rate for rate in imported.rates.get(region, ())}


def as_sold(name, region):
    return [(begin, price) for begin, price in AWS.tiers(name, region)]


def as_read(rate):
    return [(tier.begin, Decimal(tier.price)) for tier in rate.tiers]


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize(("service_code", "region"), PARTS)
def test_an_offer_among_its_traps(carried, service_code, region, pack):
    document = offer(service_code, region)
    imported = read_price_file(carried(document, pack=pack), TODAY)
    assert imported.kind == OFFER
    assert set(imported.rates) == {region}
    rates = found(imported, region)
    sold = {r.price_name for r in AWS.current(service_code).records if r.part == region and r.price_name}
    assert set(rates) == sold
    for name, rate in rates.items():
        assert as_read(rate) == as_sold(name, region)
        assert rate.published.isoformat() == document["publicationDate"][:10]
        # An older file was not seen today.
        assert rate.checked is None
        assert rate.provenance == "api"
        assert document["version"] in rate.source


@pytest.mark.parametrize("service_code", ["AmazonCloudFront", "AmazonRoute53", "AmazonCloudWatch"])
def test_an_offer_of_what_has_no_region(carried, service_code):
    imported = read_price_file(carried(offer(service_code, GLOBAL)), TODAY)
    expected = {name for name in expected_in("global") if PRICES[name].query.service_code == service_code}
    assert set(found(imported, "global")) == expected
    for name, rate in found(imported, "global").items():
        assert as_read(rate) == as_sold(name, "global")


def test_a_whole_offer_in_reverse(carried):
    document = offer("AmazonECS", "eu-west-1")
    document["products"] = dict(reversed(document["products"].items()))
    document = dict(reversed(document.items()))
    assert next(iter(document)) == "terms"
    assert len(read_price_file(carried(document), TODAY).rates["eu-west-1"]) == 8


@pytest.mark.parametrize("shape", ["answer", "pages", "items", "objects"])
def test_answers_of_get_products(carried, shape):
    listed = items("AmazonECS", "AWSELB", "AmazonEC2")
    document = {
        "answer": {"FormatVersion": "aws_v1", "PriceList": listed},
        "pages": [
            {"FormatVersion": "aws_v1", "PriceList": part, "NextToken": "x"} for part in (listed[:7], listed[7:])
        ],
        "items": listed,
        "objects": [json.loads(item) for item in listed],
    }[shape]
    imported = read_price_file(carried(document), TODAY)
    assert imported.kind == GET_PRODUCTS
    rates = found(imported, "eu-west-1")
    assert {"fargate_linux_x86_vcpu_hour", "alb_hour", "alb_lcu_hour", "nat_gateway_gb"} <= set(rates)
    for name, rate in rates.items():
        assert as_read(rate) == as_sold(name, "eu-west-1")


# Records of the fixture of 2022-11-21, as GetProducts wrote them.
ITEM = (
    '{"product": {"productFamily": "Compute", "attributes": {"regionCode": "us-east-1", "servicecode": "AmazonECS", '
    '"resource": "per vCPU per hour", "tenancy": "Shared", "usagetype": "USE1-Fargate-Windows-vCPU-Hours:perCPU", '
    '"locationType": "AWS Region", "location": "US East (N. Virginia)", "servicename": "Amazon Elastic Container Service", '
    '"cputype": "perCPU", "operatingSystem": "Windows", "operation": ""}, "sku": "RF2BUTAD289DREDC"}, '
    '"serviceCode": "AmazonECS", "terms": {"OnDemand": {"RF2BUTAD289DREDC.JRTCKXETXF": {"priceDimensions": '
    '{"RF2BUTAD289DREDC.JRTCKXETXF.6YS6EN2CT7": {"unit": "hours", "endRange": "Inf", "description": "AWS Fargate - Windows - '
    'vCPU - US East (N.Virginia)", "appliesTo": [], "rateCode": "RF2BUTAD289DREDC.JRTCKXETXF.6YS6EN2CT7", "beginRange": "0", '
    '"pricePerUnit": {"USD": "0.0914800000"}}}, "sku": "RF2BUTAD289DREDC", "effectiveDate": "2022-11-01T00:00:00Z", '
    '"offerTermCode": "JRTCKXETXF", "termAttributes": {}}}}, "version": "20221121182130", "publicationDate": '
    '"2022-11-21T18:21:30Z"}'
)


def test_publications_of_several_days_are_kept_apart(carried):
    later = ITEM.replace("2022-11-21T", "2025-10-27T").replace("20221121182130", "20251027000000")
    later = later.replace("0.0914800000", "0.0465520000")
    imported = read_price_file(carried({"PriceList": [ITEM, later]}), TODAY)
    assert [(str(rate.published), rate.tiers_text()) for rate in imported.rates["us-east-1"]] == [
        ("2025-10-27", "0.046552"),
        ("2022-11-21", "0.09148"),
    ]


def test_a_product_twice_in_pages_that_were_put_together_is_one(carried):
    imported = read_price_file(carried([{"PriceList": [ITEM]}, {"PriceList": [ITEM]}]), TODAY)
    assert len(imported.rates["us-east-1"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RF2BUTAD289DREDC", "TWIN", r"2 products match .*RF2BUTAD289DREDC .*TWIN "),
        ("0.0914800000", "0.0900000000", "2 products match"),
    ],
)
def test_two_products_are_an_error(carried, old, new, said):
    with pytest.raises(PriceListUnavailable, match=f"file.json cannot be imported. {said}"):
        read_price_file(carried({"PriceList": [ITEM, ITEM.replace(old, new)]}), TODAY)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"USD": "0.0914800000"', '"USD": "free"', "not a number"),
        ('"USD": "0.0914800000"', '"CNY": "0.6"', "in CNY, not USD"),
        ('"unit": "hours"', '"unit": "GB"', "is by 'GB'"),
        ('"beginRange": "0"', '"beginRange": "10"', "tiers from"),
        ('"OnDemand"', '"Reserved"', "no On-Demand terms"),
    ],
)
def test_what_cannot_be_read_is_an_error(carried, old, new, said):
    with pytest.raises(PriceListUnavailable, match=f"file.json cannot be imported.*{said}"):
        read_price_file(carried({"PriceList": [ITEM.replace(old, new)]}), TODAY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AWS Region", "AWS Outposts"),
        ('"regionCode": "us-east-1"', '"regionCode": "us-east-1-atl-1"'),
        ("USE1-Fargate-Windows-vCPU-Hours:perCPU", "USE1-ECS-EC2-vCPU-Hours"),
        ('"servicecode": "AmazonECS"', '"servicecode": "AmazonEKS"'),
    ],
)
def test_products_that_are_not_meant_are_not_found(carried, old, new):
    with pytest.raises(InvalidScenario, match="a GetProducts answer, but has none of the prices"):
        read_price_file(carried({"PriceList": [ITEM.replace(old, new)]}), TODAY)


def test_of_a_service_and_its_fallback_the_service_counts(carried):
    # ELB's records may stand in EC2's list too, whatever its day.
    new = next(r for r in AWS.current("AWSELB").records if r.price_name == "alb_hour" and r.part == "eu-west-1")
    item = answer_json(new, AWS.current("AWSELB"))
    old = copy.deepcopy(item)
    old["serviceCode"] = old["product"]["attributes"]["servicecode"] = "AmazonEC2"
    old["product"]["sku"] = "OLD"
    for day in ("2023-08-01", item["publicationDate"][:10], "2026-11-20"):
        old["publicationDate"] = f"{day}T00:00:00Z"
        for both in ([old, item], [item, old]):
            imported = read_price_file(carried(both), TODAY)
            assert [rate.sku for rate in imported.rates["eu-west-1"]] == [new.sku]
    assert [rate.sku for rate in read_price_file(carried([json.dumps(old)]), TODAY).rates["eu-west-1"]] == ["OLD"]


def plan_file(region="eu-west-1"):
    rates, prices = AWS.rates[region], AWS.discounted[region]
    return savings_plan_json(region, rates, prices, AWS.savings_plans_published)


@pytest.mark.parametrize("region", REGIONS)
def test_a_savings_plan_file(carried, region):
    imported = read_price_file(carried(plan_file(region), pack=True), TODAY)
    assert imported.kind == SAVINGS_PLAN
    assert set(imported.rates) == {region}
    rates = found(imported, region)
    expected = {name for name in AWS.discounted[region] if PRICES[name].query.service_code == SAVINGS_PLANS}
    assert expected
    assert set(rates) == expected
    for name, rate in rates.items():
        assert Decimal(rate.tiers[0].price) == Decimal(AWS.discounted[region][name])
        assert (str(rate.published), rate.checked) == (AWS.savings_plans_published[:10], None)


def test_a_savings_plan_in_another_currency(carried):
    text = json.dumps(plan_file()).replace('"USD"', '"CNY"')
    with pytest.raises(PriceListUnavailable, match=r"cannot be imported.*in CNY"):
        read_price_file(carried(text.encode()), TODAY)


def test_a_spot_feed_is_of_the_day_on_which_it_was_made(carried):
    path = carried(spot_feed_json(spot_rows(AWS.discounted), "20190730194642"))
    imported = read_price_file(path, TODAY)
    assert imported.kind == SPOT
    assert set(imported.rates) == set(REGIONS)
    for region in REGIONS:
        for name, rate in found(imported, region).items():
            assert PRICES[name].query.service_code == SPOT_FEED
            assert Decimal(rate.tiers[0].price) == Decimal(AWS.discounted[region][name])
            # The file is of today, what it says is not.
            assert (rate.published, rate.checked) == (dt.date(2019, 7, 30), None)


@pytest.mark.parametrize("version", ["", "1.0", "20991231000000", "20181231000000"])
def test_a_spot_feed_that_does_not_say_its_day_is_of_that_of_the_file(carried, version):
    path = carried(spot_feed_json(spot_rows(AWS.discounted), version))
    os.utime(path, (0, dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC).timestamp()))
    assert read_price_file(path, TODAY).rates["eu-west-1"][0].published == dt.date(2026, 10, 5)
    # A file that claims to be written later than now was read today at the latest.
    os.utime(path, (0, dt.datetime(2031, 1, 1, tzinfo=dt.UTC).timestamp()))
    assert read_price_file(path, TODAY).rates["eu-west-1"][0].published == TODAY


def test_what_is_free_is_refused(carried):
    free = json.dumps(spot_feed_json(spot_rows(AWS.discounted), "20190730194642"))
    price = AWS.discounted["eu-west-1"]["fargate_spot_linux_x86_vcpu_hour"]
    with pytest.raises(PriceListUnavailable, match=r"cannot be imported.*none of ours is free"):
        read_price_file(carried(free.replace(f'"{price}"', '"0"').encode()), TODAY)


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("region", ["us-east-1", "global"])
def test_one_of_our_own_snapshots(carried, region, pack):
    shipped = shipped_folder() / f"{region}.json"
    imported = read_price_file(carried(shipped.read_bytes(), "colleague.json", pack), TODAY)
    assert imported.kind == SNAPSHOT
    # CloudFront's flat rates, which no refresh reads, are left as they ship.
    asked = expected_in(region)
    histories = {name: rates for name, rates in read_histories(shipped, region).items() if name in asked}
    assert set(found(imported, region)) == set(histories)
    windows = [rate for rate in imported.rates[region] if rate.price == "fargate_windows_vcpu_hour"]
    assert tuple(windows) == histories.get("fargate_windows_vcpu_hour", ())


def test_a_snapshot_that_was_edited_by_hand(carried):
    text = (shipped_folder() / "us-east-1.json").read_text().replace('"0.0225"', '"0.0001"')
    for pack in (False, True):
        path = carried(text.encode(), "colleague.json", pack)
        with pytest.raises(PriceListUnavailable, match="edited by hand") as caught:
            read_price_file(path, TODAY)
        # The file that the user named, once, and no other one that could be deleted.
        assert str(caught.value).startswith(f"The price snapshot {path} was edited by hand")
        assert str(caught.value).count("/") == str(path).count("/")
        assert "Delete" not in str(caught.value)


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("cn-north-1", r"is a snapshot of 'cn-north-1', which is none of the \d+ priced regions"),
        (None, "is a snapshot that does not say of which region"),
        ("", "is a snapshot that does not say of which region"),
        (["us-east-1"], "is a snapshot that does not say of which region"),
    ],
)
def test_a_snapshot_of_no_region(carried, region, said):
    with pytest.raises(InvalidScenario, match=said):
        read_price_file(carried({"schema_version": 2, "region": region, "rates": {}}), TODAY)
    with pytest.raises(InvalidScenario, match="does not say of which region"):
        read_price_file(carried({"schema_version": 2}), TODAY)


@pytest.mark.parametrize("changed", [{"unit": "Minutes"}, {"unit": ""}])
def test_a_snapshot_in_another_unit(carried, tmp_path, monkeypatch, changed):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "mine"))
    path = tmp_path / "theirs.json"
    rate = Rate("alb_hour", changed["unit"], (Tier(0.0, "0.02"),), published=dt.date(2026, 11, 1))
    write_snapshot(path, "eu-west-1", [rate])
    with pytest.raises(InvalidScenario, match=rf"theirs\.json has alb_hour by {changed['unit']!r}, .* by 'Hrs'"):
        import_file(path, tmp_path / "mine", TODAY)
    assert load_rates("eu-west-1")["alb_hour"].unit == "Hrs"


@pytest.mark.parametrize(
    ("days", "done"),
    [({"published": dt.date(2026, 11, 25)}, "published"),
     ({"published": dt.date(2026, 1, 1), "checked": dt.date(2099, 1, 1)}, "checked")],
)  # fmt: skip
def test_a_snapshot_of_a_day_to_come(tmp_path, days, done):
    path = tmp_path / "theirs.json"
    write_snapshot(path, "eu-west-1", [Rate("alb_hour", "Hrs", (Tier(0.0, "0.02"),), **days)])
    with pytest.raises(InvalidScenario, match=f"alb_hour was {done} on {days[done]}, which is after today, 2026-11-23"):
        read_price_file(path, TODAY)
    assert read_price_file(path, days[done] - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is not JSON"),
        (b"<html></html>", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b'{"products": {', "it is not JSON"),
        (b"[" * 100_000, "it is nested too deep"),
        (b'{"prices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is nested too deep"),
        (b'{"\xff": 1}', "it is not JSON"),
        ('{"prices": []}'.encode("utf-16"), "it is not JSON"),
        (b"17", "it is not JSON"),
        (b"{}", "it has nothing"),
        (b'{"some": 1, "thing": 2}', "it has some, thing"),
        (b'[{"region": "x"}]', "a list of something else than products"),
        (b"[1, 2]", "a list of something else than products"),
        (b'{"PriceList": {}}', "its PriceList is no list"),
        (b'{"formatVersion": "v1.0", "offers": {}}', "it is an index"),
        (b'{"formatVersion": "v1.0", "regions": {}}', "it is an index"),
        (b'{"manifest": {}, "sets": {}, "regions": {}}', "the list behind a pricing page"),
    ],
)
def test_files_that_are_something_else(carried, content, said):
    with pytest.raises(InvalidScenario) as caught:
        read_price_file(carried(content), TODAY)
    text = str(caught.value)
    assert said in text
    assert "file.json is no price file" in text
    for kind in ("bulk offer", "GetProducts", "Savings Plan", "Spot feed", "snapshot", "gzip"):
        assert kind in text


@pytest.mark.parametrize(
    "content",
    [
        b'"FormatVersion","v1.0"\n"Disclaimer","x"\n"OfferCode","AmazonECS"\nSKU,OfferTermCode,RateCode\n',
        b"sep=,\n\"FormatVersion\",\"v1.0\"\nSKU,OfferTermCode\n",
        b"FormatVersion,v1.0\nDisclaimer,x\nSKU,RateCode,Unit\n",
    ],
)  # fmt: skip
def test_csv_says_to_take_the_json(carried, content):
    with pytest.raises(InvalidScenario, match=r"is an offer as CSV.*\.json in place of \.csv"):
        read_price_file(carried(content, "index.csv"), TODAY)


def test_an_offer_of_nothing_that_is_needed(carried):
    document = offer("AmazonECS", "eu-west-1")
    document["offerCode"] = "AmazonS3"
    for product in document["products"].values():
        product["attributes"]["servicecode"] = "AmazonS3"
    with pytest.raises(InvalidScenario, match=r"is a bulk offer, but has none of the prices.*AmazonECS, FargateSpot"):
        read_price_file(carried(document), TODAY)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.99])
@pytest.mark.parametrize("pack", [False, True])
def test_a_truncated_file(carried, cut, pack):
    content = json.dumps(offer("AmazonECS", "eu-west-1")).encode()
    content = gzip.compress(content) if pack else content
    with pytest.raises(InvalidScenario, match=r"file\.json (is a damaged gzip file|is no price file)"):
        read_price_file(carried(content[: int(len(content) * cut)]), TODAY)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(publicationDate="soon"),
        lambda d: d.pop("publicationDate"),
        lambda d: d.pop("version"),
        lambda d: d.update(products=[{"sku": 5}]),
        lambda d: d.update(products={"X": {"sku": "X", "attributes": 5}}),
        lambda d: d.update(terms={"OnDemand": 5}),
    ],
)
def test_a_damaged_offer(carried, change):
    document = offer("AmazonECS", "eu-west-1")
    change(document)
    with pytest.raises(EstimatorError, match=r"file\.json .*Download it again\."):
        read_price_file(carried(document), TODAY)


def test_a_publication_of_a_day_to_come(carried):
    path = carried(offer("AmazonECS", "eu-west-1"))
    published = dt.date(2026, 11, 3)
    assert read_price_file(path, published)
    # AWS's clock may be a day ahead.
    assert read_price_file(path, published - dt.timedelta(days=1))
    with pytest.raises(InvalidScenario, match=r"published on 2026-11-03, which is after today, 2026-11-01"):
        read_price_file(path, published - dt.timedelta(days=2))


@pytest.mark.parametrize(
    "content",
    [
        b'{"prices": [{"unit": "\xff", "price": {}, "attributes": {}}]}',
        b'["\xff"]',
        b'{"PriceList": ["\xff"]}',
        b'{"offerCode": "\xff", "products": {}, "terms": {}}',
        b'{"products": {"A": {"attributes": {"usagetype": "\xff"}}}, "terms": {}}',
        b'{"products": [{"sku": "\xff"}], "terms": {"savingsPlan": []}}',
        b'{"schema_version": 2, "region": "\xff"}',
    ],
)
def test_bytes_that_are_no_text(carried, content):
    with pytest.raises(InvalidScenario, match=r"file\.json is damaged: .*Download it again\."):
        read_price_file(carried(content), TODAY)


def test_depth_without_end_in_what_is_read(carried):
    item = ITEM.replace('"sku"', '"x": ' + "[" * 100_000 + "]" * 100_000 + ', "sku"', 1)
    with pytest.raises(InvalidScenario, match=r"file\.json is damaged: it is nested too deep\. Download it again\."):
        read_price_file(carried({"PriceList": [item]}), TODAY)


@pytest.mark.parametrize("days", ['"publicationDate": "soon"', '"publicationDate": ""'])
def test_a_product_without_a_day(carried, days):
    item = ITEM.replace('"publicationDate": "2022-11-21T18:21:30Z"', days).replace("20221121182130", "7")
    with pytest.raises(
        InvalidScenario, match=r"file\.json has a product whose day is not known: its publicationDate is"
    ):
        read_price_file(carried({"PriceList": [item]}), TODAY)
    # If there is none, the version says it.
    item = ITEM.replace('"publicationDate": "2022-11-21T18:21:30Z"', '"publicationDate": ""')
    assert read_price_file(carried({"PriceList": [item]}), TODAY).rates["us-east-1"][0].published == dt.date(
        2022, 11, 21
    )


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.json", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(InvalidScenario, match="cannot be read"):
            read_price_file(path, TODAY)


def test_a_byte_order_mark(carried):
    content = b"\xef\xbb\xbf" + json.dumps({"PriceList": [ITEM]}).encode()
    assert read_price_file(carried(content), TODAY).kind == GET_PRODUCTS


def test_plain_values(carried):
    values = read_price_file(carried({"PriceList": [ITEM]}), TODAY).to_dict()
    assert values["rates"] == {"us-east-1": ["fargate_windows_vcpu_hour"]}
    assert json.loads(json.dumps(values)) == values


# Kept for the next estimates.


def test_what_is_imported_is_laid_over_the_shipped_prices(carried, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    document = offer("AmazonECS", "eu-west-1")
    changed = json.dumps(document).replace("0.0404800000", "0.0500000000")
    imported = import_file(carried(changed.encode()), folder, TODAY)
    assert len(imported.rates["eu-west-1"]) == 8
    rates = load_rates("eu-west-1")
    assert rates["fargate_linux_x86_vcpu_hour"].tiers_text() == "0.05"
    assert rates["alb_hour"].tiers_text() == "0.0252"
    assert load_rates("eu-west-1", as_of="2026-10-01")["fargate_linux_x86_vcpu_hour"].tiers_text() == "0.04048"
    # The same again changes nothing.
    before = (folder / "eu-west-1.json").read_bytes()
    import_file(carried(changed.encode()), folder, TODAY)
    assert (folder / "eu-west-1.json").read_bytes() == before


def test_an_older_file_does_not_take_the_place_of_what_was_seen_since(carried, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    import_file(carried({"PriceList": [ITEM]}), folder, TODAY)
    assert load_rates("us-east-1")["fargate_windows_vcpu_hour"].tiers_text() == "0.046552"
    assert load_rates("us-east-1", as_of="2023-01-01")["fargate_windows_vcpu_hour"].tiers_text() == "0.09148"


def test_a_file_that_is_refused_leaves_everything_as_it_was(carried, tmp_path):
    folder = tmp_path / "mine"
    twins = {"PriceList": [ITEM, ITEM.replace("RF2BUTAD289DREDC", "TWIN")]}
    with pytest.raises(PriceListUnavailable):
        import_file(carried(twins), folder, TODAY)
    assert not folder.exists()
    folder.mkdir()
    write_snapshot(folder / "us-east-1.json", "us-east-1", [Rate("alb_hour", "Hrs", (Tier(0, "1"),))])
    (folder / "us-east-1.json").write_text("{")
    with pytest.raises(PriceListUnavailable, match="is not JSON"):
        import_file(carried({"PriceList": [ITEM]}), folder, TODAY)
    assert (folder / "us-east-1.json").read_text() == "{"


def test_a_packed_file_is_not_unpacked_without_end(carried, monkeypatch):
    monkeypatch.setattr("estimator.pricing.imports.MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidScenario, match=r"file\.json unpacks to more than 1,000 bytes"):
        read_price_file(carried(gzip.compress(b" " * 100_000)), TODAY)
