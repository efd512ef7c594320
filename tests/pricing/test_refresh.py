"""A refresh changes a region whole or not at all, and every fault ends in one clear sentence with the last good prices intact."""

import datetime as dt
import functools
import json
import multiprocessing
import os
import re
import shutil
import socket
import time
from dataclasses import replace

import pytest

from estimator.errors import InvalidScenario, PriceListUnavailable
from estimator.pricing import downloads, price_list, query_api
from estimator.pricing.catalog import PRICES
from estimator.pricing.endpoints import Endpoints
from estimator.pricing.folders import FOLDER_VARIABLE, shipped_folder
from estimator.pricing.imports import import_file
from estimator.pricing.refresh import locked, refresh_prices
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from tests.pricing.aws_double import CREDENTIALS, AwsDouble

TODAY = dt.date(2026, 11, 23)
REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _own_folder_and_no_patience(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "prices"))
    monkeypatch.setattr(downloads, "BACK_OFF_S", 0.001)
    monkeypatch.setattr(price_list, "QueryApi", functools.partial(query_api.QueryApi, max_attempts=2))
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "prices"


@pytest.fixture
def aws():
    with AwsDouble([REGION]) as double:
        yield double


def refresh(aws, source="bulk", **more):
    return refresh_prices([REGION], source, endpoints=aws.endpoints, today=TODAY, **more)


def outcome(done, region=REGION):
    (one,) = (each for each in done.outcomes if each.region == region)
    return one


def snapshots(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


# What a refresh does.


def test_a_refresh_is_what_load_rates_gives_from_then_on(aws, folder):
    shipped = load_rates(REGION)["alb_hour"]
    aws.catalogue.change("alb_hour", REGION, price="0.0300000000")
    done = refresh(aws)
    assert not done.failed
    assert done.received_bytes > 0
    rate = load_rates(REGION)["alb_hour"]
    assert (rate.tiers_text(), rate.checked, rate.provenance) == ("0.03", TODAY, "api")
    assert rate.published > shipped.published
    (change,) = (each for each in outcome(done).changes if each.price == "alb_hour")
    assert (change.kind, change.first_tier_percent) == ("changed", pytest.approx((0.03 / 0.0252 - 1) * 100))
    # The older one is still there for its day.
    assert load_rates(REGION, as_of=shipped.published)["alb_hour"].tiers_text() == "0.0252"
    assert load_rates(REGION, as_of=rate.published - dt.timedelta(days=1))["alb_hour"].tiers_text() == "0.0252"
    assert load_rates(REGION, as_of=rate.published)["alb_hour"].tiers_text() == "0.03"


def test_later_refreshes_keep_the_older_rates(aws, folder):
    for price in ("0.0300000000", "0.0310000000", "0.0320000000"):
        aws.catalogue.change("alb_hour", REGION, price=price)
        refresh(aws)
    newest = load_rates(REGION)["alb_hour"]
    days = [newest.published - dt.timedelta(days=days) for days in range(3)]
    assert [load_rates(REGION, as_of=day)["alb_hour"].tiers_text() for day in days] == ["0.032", "0.031", "0.03"]


def test_unknown_prices_become_known_and_only_then(aws):
    assert "sp_compute_1yr_partialupfront__fargate_linux_arm_gb_hour" not in load_rates(REGION)
    done = refresh(aws)
    assert "sp_compute_1yr_partialupfront__fargate_linux_arm_gb_hour" in load_rates(REGION)
    assert any(change.kind == "added" for change in outcome(done).changes)


def test_what_was_never_known_may_be_missing(aws):
    aws.catalogue.drop("sp_compute_1yr_partialupfront__fargate_linux_arm_gb_hour", REGION)
    done = refresh(aws)
    assert outcome(done).unknown == ("sp_compute_1yr_partialupfront__fargate_linux_arm_gb_hour",)
    assert not done.failed


def test_a_second_refresh_transfers_next_to_nothing(aws):
    first = refresh(aws).received_bytes
    aws.reset_counters()
    assert refresh(aws).received_bytes < 0.001 * first
    assert set(aws.statuses) == {304}


def test_one_changed_list_is_the_only_one_transferred(aws):
    refresh(aws)
    aws.catalogue.change("alb_hour", REGION, price="0.0300000000")
    aws.reset_counters()
    done = refresh(aws)
    assert [change.price for change in outcome(done).changes] == ["alb_hour"]
    # The region index of ELB, and its file.
    assert aws.statuses[200] == 2


def test_regions_are_read_side_by_side():
    with AwsDouble(REGIONS) as aws:
        aws.delay(0.02, "/offers/")
        started = time.monotonic()
        done = refresh_prices(REGIONS, endpoints=aws.endpoints, today=TODAY)
        took = time.monotonic() - started
    assert not done.failed, [str(each.error) for each in done.failed][:2]
    assert len(done.outcomes) == 37
    assert aws.most_at_once >= 4
    assert took < 0.02 * sum(aws.requests.values())


# Faults: the last good prices stay, byte by byte, and one sentence says why.

QUERY_FAULTS = {
    "throttled": (lambda aws: aws.query_error("ThrottlingException", None), "throttl"),
    "access denied": (lambda aws: aws.query_error("AccessDeniedException", None), "pricing:GetProducts"),
    "server error": (lambda aws: aws.fail(500, "GetProducts", None), "500|server"),
    "bad signature": (lambda aws: aws.query_error("InvalidSignatureException", None, status=403), "credentials"),
}
BULK_FAULTS = {
    "500s": (lambda aws: aws.fail(500, "/offers/", None), "answered 500"),
    "throttled": (lambda aws: aws.fail(429, "/offers/", None), "answered 429"),
    "access denied": (lambda aws: aws.fail(403, "AWSELB", None), "403: access denied"),
    "cut in the middle": (lambda aws: aws.cut("AmazonECS", 0.4, None), "cut off after"),
    "no answer": (lambda aws: aws.drop_connection("AmazonVPC", None), "cannot be reached"),
    "truncated gzip": (lambda aws: aws.truncate_gzip("AmazonEC2/2", None), "gzip|cut off"),
    "truncated JSON": (lambda aws: aws.truncate_json("AmazonEC2/2", None), "not the JSON"),
    "other JSON": (lambda aws: aws.rewrite(lambda body: b'{"hello": [1]}', "AmazonECS/2", None), "not the JSON"),
    "a page of HTML": (
        lambda aws: aws.rewrite(lambda body: b"<html>Sign in</html>", "aws/index", None),
        "not the JSON",
    ),
    "wrong savings plans": (lambda aws: aws.rewrite(lambda body: b"{}", "savingsPlan", None), "not the JSON"),
    "truncated Spot feed": (lambda aws: aws.truncate_json("spot", None), "not the JSON"),
    "a product missing": (lambda aws: aws.catalogue.drop("nat_gateway_gb", REGION), "no product for nat_gateway_gb"),
    "a Spot price missing": (
        lambda aws: aws.catalogue.drop("fargate_spot_linux_x86_gb_hour", REGION),
        "no rate for fargate_spot_linux_x86_gb_hour",
    ),
    "two products": (lambda aws: aws.catalogue.double("alb_hour", REGION), "2 products match alb_hour"),
    "no number": (lambda aws: aws.catalogue.change("alb_hour", REGION, price="free"), "'free' is not a number"),
    "NaN": (lambda aws: aws.catalogue.change("alb_hour", REGION, price="NaN"), "'NaN' is not a price"),
    "negative": (lambda aws: aws.catalogue.change("alb_hour", REGION, price="-0.01"), "'-0.01' is not a price"),
    "China": (lambda aws: aws.catalogue.change("alb_hour", REGION, currency="CNY"), "in CNY, not USD"),
    "Sovereign Cloud": (lambda aws: aws.catalogue.change("alb_hour", REGION, currency="EUR"), "in EUR, not USD"),
    "another unit": (lambda aws: aws.catalogue.change("alb_hour", REGION, unit="1M Hrs"), "by '1M Hrs'"),
}


def _fails(aws, folder, source, fault, word):
    """Refresh, then refresh with a fault: the prices of the first are there, to the byte."""
    assert not refresh(aws, source).failed
    good, rates = snapshots(folder), dict(load_rates(REGION).known)
    assert {"eu-west-1.json", "global.json"} <= set(good)
    # Something else is dearer as well: it must not be half taken.
    aws.catalogue.change("public_ipv4_in_use_hour", REGION, price="0.9000000000")
    shutil.rmtree(folder / "downloads")
    fault(aws)
    done = refresh(aws, source)
    assert done.failed
    text = next(str(each.error) for each in done.failed if not each.not_tried)
    assert re.search(word, text), text
    assert 40 < len(text) < 600
    assert "\n" not in text
    assert "Traceback" not in text
    after = snapshots(folder)
    assert after["eu-west-1.json"] == good["eu-west-1.json"]
    assert dict(load_rates(REGION).known) == rates
    assert not list(folder.glob(".*.tmp"))
    aws.clear_faults()


@pytest.mark.parametrize("name", BULK_FAULTS)
def test_a_fault_of_the_bulk_files_changes_nothing(aws, folder, name):
    _fails(aws, folder, "bulk", *BULK_FAULTS[name])


@pytest.mark.parametrize("name", QUERY_FAULTS)
def test_a_fault_of_the_query_api_changes_nothing(aws, folder, name):
    _fails(aws, folder, "query", *QUERY_FAULTS[name])


@pytest.mark.parametrize("name", ["cut in the middle", "truncated JSON", "500s"])
def test_the_refresh_after_a_fault_is_whole(aws, folder, name):
    fault, word = BULK_FAULTS[name]
    _fails(aws, folder, "bulk", fault, word)
    assert not refresh(aws).failed
    assert load_rates(REGION)["public_ipv4_in_use_hour"].tiers_text() == "0.9"


def test_faults_that_pass_are_waited_for(aws, folder):
    aws.fail(500, "AWSELB", 2)
    aws.fail(429, "AmazonECS", 1)
    aws.cut("AmazonEC2/2", 0.5, 2)
    aws.drop_connection("AmazonVPC", 1)
    assert not refresh(aws).failed
    assert aws.statuses[206] >= 1, "the cut file was not resumed"


def test_no_credentials(aws, folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = refresh(aws, "query")
    assert "credentials" in str(done.failed[0].error)
    assert "--source bulk" in str(done.failed[0].error)
    assert snapshots(folder) == {}


@pytest.mark.parametrize("source", ["bulk", "query"])
def test_no_network(folder, source):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    dead = f"http://127.0.0.1:{port}"
    done = refresh_prices(["eu-west-1", "us-east-1"], source, endpoints=Endpoints(dead, dead, dead, f"{dead}/spot"))
    assert len(done.failed) == 3
    assert "reach" in str(done.failed[0].error)
    assert snapshots(folder) == {}
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.0252"


def test_one_region_that_fails_does_not_stop_the_others(folder):
    with AwsDouble(["eu-west-1", "us-east-1"]) as aws:
        aws.catalogue.double("alb_hour", "us-east-1")
        done = refresh_prices(["us-east-1", "eu-west-1"], endpoints=aws.endpoints, today=TODAY)
    assert [each.region for each in done.failed] == ["us-east-1"]
    assert set(snapshots(folder)) == {"global.json", "eu-west-1.json"}


def test_one_file_that_cannot_be_had_stops_no_region(folder):
    with AwsDouble(REGIONS) as aws:
        aws.fail(403, "AmazonRoute53", None)
        done = refresh_prices(REGIONS, endpoints=aws.endpoints, today=TODAY)
        assert [each.region for each in done.failed] == ["global"]
        assert not any(each.not_tried for each in done.outcomes)
        assert "403" in str(done.failed[0].error)
        again = refresh_prices(["eu-west-1"], endpoints=aws.endpoints, today=TODAY, keep_older=True)
    assert not again.failed
    assert "hosted_zone_month" in outcome(again, "global").kept
    assert len(snapshots(folder)) == 37


@pytest.mark.parametrize("path", ["spot", "savingsPlan"])
def test_keep_older_goes_on_without_a_source(aws, folder, path):
    aws.fail(404, path, None)
    assert "404" in str(outcome(refresh(aws)).error)
    done = refresh(aws, keep_older=True)
    assert not done.failed
    kept = {*outcome(done).kept, *outcome(done).unknown}
    assert kept == {name for name in PRICES if name.startswith("fargate_spot" if path == "spot" else "sp_compute")}


def test_keep_older_goes_on_without_the_host_of_the_spot_feed(aws, folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoints = replace(aws.endpoints, spot_feed_url=f"http://127.0.0.1:{port}/spot.json")
    done = refresh_prices([REGION], endpoints=endpoints, today=TODAY, keep_older=True)
    assert not done.failed
    assert {name.split("_")[1] for name in outcome(done).kept} == {"spot"}


def test_an_address_with_a_password_is_refused_and_not_repeated():
    with pytest.raises(InvalidScenario, match="price_list_url") as caught:
        Endpoints(price_list_url="https://me:secret@mirror.example/aws")
    assert "secret" not in str(caught.value)
    assert Endpoints(spot_feed_url="https://mirror.example/a@b.json").spot_feed_url.endswith("a@b.json")


def test_a_free_price_is_not_believed(aws, folder):
    aws.catalogue.change("alb_hour", REGION, price="0.0000000000")
    assert "is 0" in str(outcome(refresh(aws)).error)
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.0252"


def test_another_folder_is_compared_with_itself(aws, tmp_path):
    first = refresh(aws, folder=tmp_path / "other")
    assert outcome(first).changes
    assert not outcome(refresh(aws, folder=str(tmp_path / "other"))).changes
    assert not (tmp_path / "prices").exists()


def test_every_price_that_cannot_be_taken_is_named(aws, folder):
    aws.catalogue.double("alb_hour", REGION)
    aws.catalogue.double("nat_gateway_gb", REGION)
    text = str(outcome(refresh(aws)).error)
    assert "2 products match alb_hour" in text
    assert "Nor could nat_gateway_gb be taken" in text


def test_a_list_of_a_day_to_come_is_not_believed(aws, folder):
    done = refresh_prices([REGION], endpoints=aws.endpoints, today=dt.date(2026, 1, 1))
    assert "a day to come" in str(outcome(done).error)


@pytest.mark.parametrize("regions", [["mars-1"], "mars-1"])
def test_a_region_that_is_none(aws, regions):
    with pytest.raises(InvalidScenario, match="mars-1"):
        refresh_prices(regions, endpoints=aws.endpoints)


def test_keep_older_takes_the_rest(aws, folder):
    refresh(aws)
    aws.catalogue.drop("nat_gateway_gb", REGION)
    aws.catalogue.double("alb_hour", REGION)
    aws.catalogue.change("public_ipv4_in_use_hour", REGION, price="0.9000000000")
    before = load_rates(REGION)
    done = refresh(aws, keep_older=True)
    assert set(outcome(done).kept) == {"nat_gateway_gb", "alb_hour"}
    after = load_rates(REGION)
    assert after["public_ipv4_in_use_hour"].tiers_text() == "0.9"
    assert (after["nat_gateway_gb"], after["alb_hour"]) == (before["nat_gateway_gb"], before["alb_hour"])


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda text: text.replace('"0.0252"', '"0.0001"'), "edited by hand"),
        (lambda text: text.replace('"schema_version": 2', '"schema_version": 3'), "schema version 3"),
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda text: "", "not JSON"),
        (lambda text: text.replace('"eu-west-1"', '"eu-west-2"', 1), "eu-west-2"),
    ],
)
def test_a_damaged_snapshot_is_neither_used_nor_written_over(aws, folder, damage, word):
    refresh(aws)
    path = folder / f"{REGION}.json"
    text = damage(path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PriceListUnavailable, match=word) as caught:
        load_rates(REGION)
    assert str(path) in str(caught.value)
    assert re.search(word, str(outcome(refresh(aws)).error))
    assert path.read_text(encoding="utf-8") == text
    # As the message says.
    path.unlink()
    assert load_rates(REGION)["alb_hour"].tiers_text() == "0.0252"
    assert not refresh(aws).failed


def _hold(folder, ready, done):
    with locked(folder):
        ready.set()
        done.wait(30)


def test_two_refreshes_at_once(aws, folder):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(folder, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(PriceListUnavailable, match="Another refresh is writing"):
            refresh(aws)
        with pytest.raises(PriceListUnavailable, match="Another refresh is writing"):
            import_file(shipped_folder() / "eu-west-1.json", folder)
    except Exception:
        done.set()
        raise
    # Killed without letting go: the lock is free.
    other.kill()
    other.join()
    other.close()
    assert not refresh(aws).failed


def test_what_a_killed_refresh_left_is_removed(aws, folder):
    folder.mkdir()
    left = folder / ".eu-west-1.json-x1y2.tmp"
    left.write_text("half", encoding="utf-8")
    refresh(aws)
    assert not left.exists()
    assert not list((folder / "downloads").glob("*.part*"))


def test_a_snapshot_of_a_colleague(aws, folder, tmp_path):
    refresh(aws)
    theirs = tmp_path / "theirs.json"
    (folder / f"{REGION}.json").rename(theirs)
    assert load_rates(REGION)["alb_hour"].checked is None or load_rates(REGION)["alb_hour"].checked < TODAY
    found = import_file(theirs, folder)
    assert found.kind == "snapshot"
    assert load_rates(REGION)["alb_hour"].checked == TODAY


def test_outcomes_are_plain_values(aws):
    done = refresh(aws)
    assert json.loads(json.dumps([each.to_dict() for each in done.outcomes]))[1]["region"] == REGION


def test_nothing_secret_is_kept(aws, folder):
    refresh(aws, "query")
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert os.environ[name].encode() not in kept
