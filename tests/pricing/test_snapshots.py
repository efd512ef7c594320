"""What the shipped snapshots know, on which day, and what the user's own refreshes lay over them."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import pytest

from estimator.errors import InvalidScenario, PriceListUnavailable, RateNotFound
from estimator.pricing.catalog import PRICES, expected_in, possible_in
from estimator.pricing.folders import FOLDER_VARIABLE, refreshed_folder, shipped_folder
from estimator.pricing.rates import PROVENANCES, Rate, Tier
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshot_file import read_histories, write_snapshot
from estimator.pricing.snapshots import (
    load_rates,
    rates_from,
)

NO_WINDOWS_OR_WAF = {"ap-east-2", "ap-southeast-6"}
NO_SPOT = {
    "ap-east-2", "ap-northeast-3", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1",
}  # fmt: skip
NO_INTER_AZ = {
    "ap-east-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-6", "ap-southeast-7", "eu-central-2", "eu-south-2",
    "me-central-1", "mx-central-1",
}  # fmt: skip
SPOT_ARM = {"us-east-1", "eu-west-1", "ap-south-2", "sa-east-1"}
#: The few Savings Plan rates that are known: region, term and payment, legs.
SAVINGS_PLANS = {
    "us-east-1": {
        "1yr_noupfront": {"linux_x86_vcpu", "linux_x86_gb", "linux_arm_vcpu", "linux_arm_gb"},
        "1yr_allupfront": {"linux_x86_vcpu"},
        "3yr_noupfront": {"linux_x86_vcpu", "linux_x86_gb", "linux_arm_vcpu", "linux_arm_gb"},
        "3yr_allupfront": {"linux_x86_vcpu", "linux_arm_vcpu"},
    },
    "ap-south-1": {"3yr_noupfront": {"linux_x86_vcpu", "linux_x86_gb", "linux_arm_vcpu", "linux_arm_gb"}},
    "eu-west-1": {"1yr_allupfront": {"linux_x86_vcpu"}, "3yr_noupfront": {"linux_x86_vcpu", "linux_x86_gb"}},
}


def unknown_in(region):
    """What is not known of a region, from the list of facts above."""
    unknown = {name for name in expected_in(region) if name.startswith("sp_")}
    for plan, legs in SAVINGS_PLANS.get(region, {}).items():
        unknown -= {f"sp_compute_{plan}__fargate_{leg}_hour" for leg in legs}
    groups = {
        "fargate_windows_": region in NO_WINDOWS_OR_WAF,
        "web_acl_": region in NO_WINDOWS_OR_WAF,
        "fargate_spot_linux_x86_": region in NO_SPOT,
        "fargate_spot_linux_arm_": region not in SPOT_ARM,
        "inter_az_gb": region in NO_INTER_AZ,
    }
    for begin, missing in groups.items():
        unknown |= {name for name in expected_in(region) if missing and name.startswith(begin)}
    if region == "ap-southeast-3":
        unknown |= {"inter_region_out_gb:to_APN3", "inter_region_out_gb:to_SAE1"}
    return unknown


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_known_is_exactly_this(region):
    rates = load_rates(region, shipped_folder())
    expected = {*possible_in(region), *possible_in("global")}
    assert expected - set(rates) == unknown_in(region)
    assert f"inter_region_out_gb:to_{REGIONS[region].prefix}" not in rates


@pytest.mark.parametrize("region", REGIONS)
def test_every_rate_is_whole(region):
    rates = load_rates(region, shipped_folder())
    for name in rates:
        rate = rates[name]
        assert rate.price == name
        assert rate.provenance in set(PROVENANCES) - {"own"}
        assert rate.source
        assert rate.discount_percent == 0
        if name not in PRICES:
            continue
        assert dt.date(2018, 1, 1) < rate.published < dt.date(2027, 1, 1)
        assert rate.checked is None or rate.checked >= rate.published
        prices = [Decimal(tier.price) for tier in rate.tiers]
        assert rate.unit == PRICES[name].unit
        assert rate.usage_type == PRICES[name].query.usage_type_in(region)
        # Nothing that a bill needs is free, and the more the cheaper.
        assert prices == sorted(prices, reverse=True)
        assert prices[-1] > 0


def test_there_is_a_snapshot_for_each_region_and_no_other():
    names = {path.name for path in shipped_folder().glob("*.json")}
    assert names == {f"{region}.json" for region in REGIONS} | {"global.json"}
    assert set(possible_in("global")) <= set(read_histories(shipped_folder() / "global.json", "global"))


def test_a_sku_is_of_one_price():
    prices_by_sku = defaultdict(set)
    for region in REGIONS:
        for name, history in read_histories(shipped_folder() / f"{region}.json", region).items():
            for rate in history:
                # A Savings Plan's rates carry the SKU of what they discount.
                if rate.sku and not name.startswith("sp_"):
                    prices_by_sku[rate.sku].add((region, name))
    assert [places for places in prices_by_sku.values() if len(places) > 1] == []


# Figures of the AWS Price List (publications 2025-09 to 2026-09) copied by hand, first tier.
@pytest.mark.parametrize(
    ("region", "price", "usd"),
    [
        ("us-east-1", "fargate_linux_x86_vcpu_hour", "0.04048"),
        ("us-east-1", "fargate_linux_arm_gb_hour", "0.00356"),
        ("us-east-1", "fargate_ephemeral_storage_gb_hour", "0.000111"),
        ("us-east-1", "fargate_windows_vcpu_hour", "0.046552"),
        ("us-east-1", "alb_hour", "0.0225"),
        ("us-east-1", "alb_trust_store_hour", "0.005"),
        ("us-east-1", "fargate_spot_linux_x86_vcpu_hour", "0.01288561"),
        ("us-east-1", "sp_compute_3yr_noupfront__fargate_linux_arm_gb_hour", "0.00192"),
        ("us-east-1", "inter_region_out_gb:to_USE2", "0.01"),
        ("us-east-1", "container_insights_enhanced_ecs_metric_month", "0.07"),
        ("eu-west-1", "alb_hour", "0.0252"),
        ("eu-west-1", "nat_gateway_gb", "0.048"),
        ("eu-west-1", "logs_ingest_standard_gb", "0.57"),
        ("eu-west-1", "fargate_spot_linux_arm_vcpu_hour", "0.00979124"),
        ("eu-west-1", "cloudfront_internet_egress_gb:US", "0.085"),
        ("eu-west-1", "hosted_zone_month", "0.5"),
        ("eu-west-1", "dashboard_month", "3"),
        ("eu-south-1", "alb_hour", "0.0265"),
        ("us-west-2", "alb_trust_store_hour", "0.0063"),
        ("eu-central-1", "fargate_linux_x86_vcpu_hour", "0.04656"),
        ("eu-central-1", "vpc_interface_endpoint_hour", "0.012"),
        ("ca-central-1", "fargate_linux_x86_vcpu_hour", "0.04456"),
        ("ca-central-1", "fargate_linux_x86_gb_hour", "0.004865"),
        ("ca-central-1", "alb_lcu_hour", "0.0088"),
        ("ap-northeast-2", "fargate_linux_arm_vcpu_hour", "0.03725"),
        ("ap-northeast-2", "fargate_ephemeral_storage_gb_hour", "0.000127"),
        ("ap-south-1", "fargate_linux_arm_vcpu_hour", "0.02383"),
        ("ap-south-1", "internet_egress_gb", "0.1093"),
        ("ap-south-1", "sp_compute_3yr_noupfront__fargate_linux_x86_vcpu_hour", "0.023408"),
        ("ap-southeast-3", "fargate_linux_x86_vcpu_hour", "0.05056"),
        ("sa-east-1", "nat_gateway_hour", "0.093"),
        ("sa-east-1", "fargate_linux_x86_vcpu_hour", "0.0696"),
        ("us-gov-west-1", "internet_egress_gb", "0.155"),
        ("us-gov-west-1", "public_ipv4_in_use_hour", "0.005"),
        ("us-east-1", "s3_put_request", "0.000005"),
        ("eu-central-1", "s3_standard_storage_gb_month", "0.0245"),
        ("ap-southeast-6", "s3_put_request", "0.000005775"),
        ("eu-west-1", "cloudfront_to_origin_gb:SA", "0.125"),
        ("eu-west-1", "cloudfront_plan_month:premium_350_tb", "6000"),
    ],
)
def test_spot_checks(region, price, usd):
    assert load_rates(region, shipped_folder())[price].tiers[0].price == usd


def test_spot_checks_of_tiers():
    us = load_rates("us-east-1", shipped_folder())
    assert (
        us["internet_egress_gb"].tiers_text() == "0.09, from 10,240 on 0.085, from 51,200 on 0.07, from 153,600 on 0.05"
    )
    assert us["vpc_interface_endpoint_gb"].tiers_text() == "0.01, from 1,048,576 on 0.006, from 5,242,880 on 0.004"
    assert us["hosted_zone_month"].tiers_text() == "0.5, from 25 on 0.1"
    assert us["s3_standard_storage_gb_month"].tiers_text() == "0.023, from 51,200 on 0.022, from 512,000 on 0.021"
    assert us["s3_standard_storage_gb_month"].usage_type == "TimedStorage-ByteHrs"
    assert us["alb_lcu_hour"].sku == "P2XGEJ8N3KU52WA8"
    assert us["fargate_linux_x86_vcpu_hour"].published == dt.date(2025, 10, 27)


# Prices as of a day.


@pytest.mark.parametrize(
    ("price", "day", "usd"),
    [
        ("fargate_windows_vcpu_hour", "2022-12-01", "0.09148"),
        ("fargate_windows_vcpu_hour", "2025-10-26", "0.09148"),
        ("fargate_windows_vcpu_hour", "2025-10-27", "0.046552"),
        ("fargate_windows_vcpu_hour", None, "0.046552"),
        ("fargate_windows_gb_hour", dt.date(2022, 12, 1), "0.01005"),
        ("fargate_windows_gb_hour", dt.date(2026, 11, 1), "0.00511175"),
        ("fargate_windows_os_license_vcpu_hour", "2022-12-01", "0.046"),
        ("s3_put_request", "2025-01-01", "0.000005"),
        ("fargate_spot_linux_x86_vcpu_hour", "2020-01-01", "0.01458"),
        ("fargate_spot_linux_x86_vcpu_hour", "2026-09-28", "0.01288871"),
        ("fargate_spot_linux_x86_vcpu_hour", "2026-09-29", "0.01288561"),
        ("fargate_spot_linux_x86_vcpu_hour", "2026-11-01", "0.01288561"),
    ],
)
def test_the_price_of_a_day(price, day, usd):
    rates = load_rates("us-east-1", shipped_folder(), as_of=day)
    assert rates[price].tiers_text() == usd


def test_before_anything_is_known():
    rates = load_rates("us-east-1", as_of="2018-01-01")
    assert not set(PRICES) & set(rates)
    with pytest.raises(RateNotFound, match=r"us-east-1\.json as of 2018-01-01"):
        rates["alb_hour"]
    # The day before the first known rate, and the day itself.
    assert "fargate_windows_vcpu_hour" not in load_rates("us-east-1", as_of="2022-11-20")
    assert "fargate_windows_vcpu_hour" in load_rates("us-east-1", as_of="2022-11-21")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-3"])
def test_no_rate_is_of_a_later_day(region):
    for day in (dt.date(2023, 1, 1), dt.date(2025, 9, 23), dt.date(2026, 6, 18)):
        rates = load_rates(region, as_of=day)
        assert rates.as_of == day
        assert all(rates[name].published <= day for name in set(PRICES) & set(rates))
        assert set(rates) <= set(load_rates(region))


@pytest.mark.parametrize("day", ["June", "2026-02-30", "", 20260101, dt.datetime(2026, 1, 1, 12), "now"])
def test_a_day_that_is_none(day):
    with pytest.raises(InvalidScenario, match="2026-01-31"):
        load_rates("us-east-1", as_of=day)


# The user's refreshes on top.

DAY = dt.date(2026, 6, 19)  # of the shipped rate of alb_hour, which was seen again on 2026-09-11
SEEN = dt.date(2026, 9, 11)


def alb(usd, published, checked=None, **more):
    return Rate("alb_hour", "Hrs", (Tier(0, usd),), source="refresh", published=published, checked=checked, **more)


@pytest.fixture
def refreshed(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))

    def write(*rates, region="us-east-1"):
        histories = defaultdict(list)
        for rate in rates:
            histories[rate.price].append(rate)
        write_snapshot(tmp_path / f"{region}.json", region, {name: tuple(found) for name, found in histories.items()})

    return write


def test_without_refreshes_the_shipped_ones_hold(refreshed, tmp_path):
    assert refreshed_folder() == tmp_path
    shipped = load_rates("us-east-1", shipped_folder())
    assert dict(load_rates("us-east-1").known) == dict(shipped.known)


@pytest.mark.parametrize(
    ("published", "checked", "usd"),
    [
        (dt.date(2026, 11, 1), None, "0.03"),  # newer
        (DAY, dt.date(2026, 11, 1), "0.03"),  # the same publication, seen again later
        (dt.date(2026, 5, 1), dt.date(2026, 11, 1), "0.03"),  # an older publication that AWS still has
        (DAY, SEEN, "0.03"),  # equal: what the user fetched counts
        (DAY, None, "0.0225"),  # the shipped one was seen later
        (dt.date(2026, 8, 1), None, "0.0225"),
        (dt.date(2020, 1, 1), None, "0.0225"),  # older
    ],
)
def test_of_two_layers_the_one_last_seen_counts(refreshed, published, checked, usd):
    refreshed(alb("0.03", published, checked))
    rates = load_rates("us-east-1")
    assert rates["alb_hour"].tiers_text() == usd
    # The rest is shipped, and other regions are untouched.
    assert rates["alb_lcu_hour"].tiers_text() == "0.008"
    assert len(rates) == len(load_rates("us-east-1", shipped_folder()))
    assert load_rates("eu-west-1")["alb_hour"].tiers_text() == "0.0252"


def test_layers_as_of_a_day(refreshed):
    refreshed(alb("0.03", dt.date(2026, 11, 1)), alb("0.02", dt.date(2023, 1, 1)))
    found = {day: load_rates("us-east-1", as_of=day)["alb_hour"].tiers_text() for day in (
        "2023-06-01", "2024-07-01", "2026-10-31", "2026-11-01")}  # fmt: skip
    assert found == {"2023-06-01": "0.02", "2024-07-01": "0.0225", "2026-10-31": "0.0225", "2026-11-01": "0.03"}


def test_a_refresh_may_know_what_nobody_shipped(refreshed):
    name = "fargate_spot_linux_x86_vcpu_hour"
    assert name not in load_rates("ap-southeast-3")
    refreshed(Rate(name, "vCPU-hour", (Tier(0, "0.016"),), published=DAY, source="x"), region="ap-southeast-3")
    assert load_rates("ap-southeast-3")[name].tiers_text() == "0.016"


def test_a_price_without_region_is_refreshed_once_for_all(refreshed):
    zone = Rate("hosted_zone_month", "HostedZone-Mo", (Tier(0, "0.6"),), published=dt.date(2026, 11, 1), source="x")
    refreshed(zone, region="global")
    for region in ("us-east-1", "eu-west-1"):
        assert load_rates(region)["hosted_zone_month"].tiers_text() == "0.6"


def test_a_damaged_refresh_is_not_passed_over(refreshed, tmp_path):
    (tmp_path / "us-east-1.json").write_text("{")
    with pytest.raises(PriceListUnavailable) as caught:
        load_rates("us-east-1")
    assert str(tmp_path / "us-east-1.json") in str(caught.value)
    assert load_rates("eu-west-1")["alb_hour"].tiers_text() == "0.0252"


def test_a_unit_that_is_another(refreshed):
    refreshed(Rate("alb_hour", "GB", (Tier(0, "0.03"),), published=dt.date(2026, 11, 1), source="x"))
    with pytest.raises(PriceListUnavailable, match="alb_hour in 'GB', not 'Hrs'"):
        load_rates("us-east-1")


def test_without_the_variable_the_cache_of_the_platform(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere/cache")
    assert str(refreshed_folder()).endswith("fargate-estimator/prices")


def test_a_folder_of_ones_own_is_all_there_is(refreshed, tmp_path):
    refreshed(alb("0.03", dt.date(2026, 11, 1)))
    write_snapshot(tmp_path / "global.json", "global", {})
    assert dict(load_rates("us-east-1", tmp_path).known) == {"alb_hour": alb("0.03", dt.date(2026, 11, 1))}
    with pytest.raises(PriceListUnavailable, match="cannot be read"):
        load_rates("eu-west-1", tmp_path)


def test_words_for_a_price_list(refreshed, tmp_path):
    refreshed(alb("0.03", dt.date(2026, 11, 1)))
    write_snapshot(tmp_path / "global.json", "global", {})
    assert rates_from("now", "us-east-1")["alb_hour"].tiers_text() == "0.03"
    assert rates_from("shipped", "us-east-1")["alb_hour"].tiers_text() == "0.0225"
    assert rates_from("2022-12-01", "us-east-1")["fargate_windows_vcpu_hour"].tiers_text() == "0.09148"
    assert set(rates_from(str(tmp_path), "us-east-1")) == {"alb_hour"}
    one = rates_from(str(tmp_path / "us-east-1.json"), "us-east-1")
    assert one["alb_hour"].tiers_text() == "0.03"
    assert "alb_lcu_hour" not in one
    for wrong in ("yesterday", "2026-02-30", str(tmp_path / "missing.json")):
        with pytest.raises(InvalidScenario, match="is no price list"):
            rates_from(wrong, "us-east-1")
