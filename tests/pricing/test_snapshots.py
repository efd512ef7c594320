"""The shipped snapshots, and files that are none."""

import datetime as dt
import json
import pathlib
from decimal import Decimal

import pytest

from estimator.errors import PriceListUnavailable
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import PROVENANCES, Rate, Tier
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates, read_snapshot, write_snapshot
from estimator.units import data_path

RATE = Rate(
    "alb_hour",
    "Hrs",
    (Tier(0, "0.0225"), Tier(10_240, "0.02"), Tier(5_242_880, "0.000000004")),
    "LoadBalancerUsage",
    "37CUWUT8GSNQEPUV",
    dt.date(2026, 6, 19),
    "api",
    "somewhere",
    "„Note“",
)


@pytest.fixture
def folder(tmp_path):
    write_snapshot(tmp_path / "eu-west-1.json", "eu-west-1", [RATE])
    write_snapshot(tmp_path / "global.json", "global", [])
    return tmp_path


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_loads_and_every_rate_is_whole(region):
    rates = load_rates(region)
    for name in rates:
        rate = rates[name]
        assert rate.price == name
        assert rate.unit
        assert rate.provenance in PROVENANCES
        assert rate.source
        assert all(Decimal(tier.price) >= 0 for tier in rate.tiers)
        assert rate.published is None or dt.date(2018, 1, 1) < rate.published < dt.date(2027, 1, 1)


@pytest.mark.parametrize("region", REGIONS)
def test_only_spot_is_ever_unknown(region):
    rates = load_rates(region)
    for name, price in PRICES.items():
        if name not in rates:
            assert name.startswith("fargate_spot_")
            continue
        assert rates[name].unit == price.unit
        assert rates[name].usage_type == price.query.usage_type_in(region)
        assert max(Decimal(tier.price) for tier in rates[name].tiers) > 0
        assert [Decimal(t.price) for t in rates[name].tiers] == sorted(
            (Decimal(t.price) for t in rates[name].tiers), reverse=True
        )


def test_there_is_a_snapshot_for_each_region_and_no_other():
    names = {path.name for path in data_path("pricing_cache").glob("*.json")}
    assert names == {f"{region}.json" for region in REGIONS} | {"global.json"}
    assert len(names) == 37
    assert read_snapshot(data_path("pricing_cache", "global.json"), "global")


# Figures of the AWS Price List (publications 2025-09 to 2026-09) copied by hand, first tier.
@pytest.mark.parametrize(
    ("region", "price", "usd"),
    [
        ("us-east-1", "fargate_linux_x86_vcpu_hour", "0.04048"),
        ("us-east-1", "fargate_linux_arm_gb_hour", "0.00356"),
        ("us-east-1", "fargate_ephemeral_storage_gb_hour", "0.000111"),
        ("us-east-1", "alb_hour", "0.0225"),
        ("us-east-1", "fargate_spot_linux_x86_vcpu_hour", "0.01288561"),
        ("eu-west-1", "alb_hour", "0.0252"),
        ("eu-west-1", "nat_gateway_gb", "0.048"),
        ("eu-west-1", "logs_ingest_standard_gb", "0.57"),
        ("eu-west-1", "fargate_spot_linux_arm_vcpu_hour", "0.00979124"),
        ("eu-central-1", "fargate_linux_x86_vcpu_hour", "0.04656"),
        ("eu-central-1", "vpc_interface_endpoint_hour", "0.012"),
        ("ca-central-1", "fargate_linux_x86_vcpu_hour", "0.04456"),
        ("ca-central-1", "fargate_linux_x86_gb_hour", "0.004865"),
        ("ca-central-1", "alb_lcu_hour", "0.0088"),
        ("ap-northeast-2", "fargate_linux_arm_vcpu_hour", "0.03725"),
        ("ap-northeast-2", "fargate_ephemeral_storage_gb_hour", "0.000127"),
        ("ap-south-1", "fargate_linux_arm_vcpu_hour", "0.02383"),
        ("ap-south-1", "internet_egress_gb", "0.1093"),
        ("ap-southeast-3", "fargate_linux_x86_vcpu_hour", "0.05056"),
        ("sa-east-1", "nat_gateway_hour", "0.093"),
        ("sa-east-1", "fargate_linux_x86_vcpu_hour", "0.0696"),
        ("us-gov-west-1", "internet_egress_gb", "0.155"),
        ("us-gov-west-1", "public_ipv4_in_use_hour", "0.005"),
    ],
)
def test_spot_checks(region, price, usd):
    assert load_rates(region)[price].tiers[0].price == usd


def test_spot_checks_of_tiers():
    us = load_rates("us-east-1")
    assert [(t.begin, t.price) for t in us["internet_egress_gb"].tiers] == [
        (0, "0.09"),
        (10_240, "0.085"),
        (51_200, "0.07"),
        (153_600, "0.05"),
    ]
    assert [(t.begin, t.price) for t in us["vpc_interface_endpoint_gb"].tiers] == [
        (0, "0.01"),
        (1_048_576, "0.006"),
        (5_242_880, "0.004"),
    ]
    assert us["alb_lcu_hour"].sku == "P2XGEJ8N3KU52WA8"
    assert us["fargate_linux_x86_vcpu_hour"].published == dt.date(2025, 10, 27)


def test_written_and_read_again(folder):
    rates = load_rates("eu-west-1", folder)
    assert dict(rates.known) == {"alb_hour": RATE}
    assert rates.snapshot == "eu-west-1.json"


@pytest.mark.parametrize("path", sorted(data_path("pricing_cache").glob("*.json")), ids=lambda path: path.stem)
def test_shipped_files_are_what_would_be_written(path, tmp_path):
    again = tmp_path / path.name
    write_snapshot(again, path.stem, read_snapshot(path, path.stem).values())
    assert again.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def _document(folder):
    return json.loads((folder / "eu-west-1.json").read_text(encoding="utf-8"))


def _without(key):
    def change(document):
        del document["rates"]["alb_hour"][key]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("schema_version"),
        lambda d: d.update(schema_version=2),
        lambda d: d.update(schema_version="1"),
        lambda d: d.update(region="eu-west-2"),
        lambda d: d.pop("region"),
        lambda d: d.pop("rates"),
        lambda d: d.update(rates=[]),
        lambda d: d["rates"].update(alb_hour=None),
        lambda d: d["rates"]["alb_hour"].update(provenance="hearsay"),
        lambda d: d["rates"]["alb_hour"].update(published="June"),
        lambda d: d["rates"]["alb_hour"].update(published=20260619),
        lambda d: d["rates"]["alb_hour"].update(tiers=[]),
        lambda d: d["rates"]["alb_hour"].update(tiers=[{"begin": "0"}]),
        lambda d: d["rates"]["alb_hour"].update(tiers=[{"begin": "five", "price": "1"}]),
        lambda d: d["rates"]["alb_hour"].update(tiers=[{"begin": "0", "price": "1,5"}]),
        lambda d: d["rates"]["alb_hour"].update(tiers=[{"begin": "0", "price": "-1"}]),
        lambda d: d["rates"]["alb_hour"].update(tiers=[{"begin": "0", "price": None}]),
        *(_without(key) for key in ("unit", "tiers", "usage_type", "sku", "published", "provenance", "source", "note")),
    ],
)
def test_damaged_documents(folder, change):
    document = _document(folder)
    change(document)
    (folder / "eu-west-1.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(PriceListUnavailable) as caught:
        load_rates("eu-west-1", folder)
    assert len(str(caught.value)) > 40
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"text"', b"NaN", b"\xff\xfe{}", b"<html></html>"])
def test_files_that_are_no_snapshot(folder, content):
    (folder / "eu-west-1.json").write_bytes(content)
    with pytest.raises(PriceListUnavailable, match="eu-west-1"):
        load_rates("eu-west-1", folder)


@pytest.mark.parametrize("name", ["eu-west-1.json", "global.json"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(PriceListUnavailable, match="cannot be read") as caught:
        load_rates("eu-west-1", folder)
    assert str(folder / name) in str(caught.value)
    (folder / name).mkdir()
    with pytest.raises(PriceListUnavailable, match="cannot be read"):
        load_rates("eu-west-1", folder)


def test_a_newer_file_says_so(folder):
    path = folder / "eu-west-1.json"
    path.write_text(json.dumps(_document(folder) | {"schema_version": 2}), encoding="utf-8")
    with pytest.raises(PriceListUnavailable, match=r"schema version 2.*reads 1"):
        read_snapshot(path, "eu-west-1")


@pytest.mark.parametrize("where", ["replace", "chmod"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(folder, monkeypatch, where):
    before = (folder / "eu-west-1.json").read_bytes()

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, where, broken)
    with pytest.raises(OSError, match="disk full"):
        write_snapshot(folder / "eu-west-1.json", "eu-west-1", [])
    monkeypatch.undo()
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["eu-west-1.json", "global.json"]


def test_a_write_that_fails_in_the_middle_of_the_text(folder):
    before = (folder / "eu-west-1.json").read_bytes()
    # A lone surrogate cannot be encoded: the file breaks after it was begun.
    broken = Rate("alb_hour", "Hrs", (Tier(0, "1"),), note="x" * 100_000 + "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_snapshot(folder / "eu-west-1.json", "eu-west-1", [broken])
    assert (folder / "eu-west-1.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["eu-west-1.json", "global.json"]


def test_the_same_rates_are_the_same_bytes_in_any_order(tmp_path):
    other = Rate("alb_lcu_hour", "LCU-Hrs", (Tier(0, "0.008"),))
    for name, rates in (("a.json", [RATE, other]), ("b.json", [other, RATE])):
        write_snapshot(tmp_path / name, "eu-west-1", rates)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644
