"""Your own prices: files that are read or refused in one sentence, and which rates they touch."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.errors import InvalidScenario, RateNotFound
from estimator.pricing.catalog import PRICES
from estimator.pricing.folders import shipped_folder
from estimator.pricing.own_prices import (
    Override,
    contracted,
    read_overrides,
    with_discounts,
    with_overrides,
    with_spot_ratio,
)
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.pricing.snapshots import load_rates
from tests.properties.strategies import US_EAST_1, rates_of

HEADER = "price,region,usd_per_unit,reason,date\n"
DAY = dt.date(2026, 1, 31)
VCPU, GB = "fargate_linux_x86_vcpu_hour", "fargate_linux_x86_gb_hour"
SPOT_VCPU, SPOT_GB = "fargate_spot_linux_x86_vcpu_hour", "fargate_spot_linux_x86_gb_hour"


def written(folder, text, header=HEADER, encoding="utf-8"):
    path = folder / "own.csv"
    path.write_bytes((header + text).encode(encoding))
    return path


def own(price, usd, region="*", tier_begin=0.0):
    return Override(price, region, usd, "our contract", DAY, tier_begin)


def test_a_file_is_read_to_the_letter(tmp_path):
    text = 'alb_hour,eu-west-1,0.020,"contract 4711, appendix B",2026-01-31\nnat_gateway_gb,*,0,free,2025-12-01\n'
    first, second = read_overrides(written(tmp_path, text))
    assert first == Override("alb_hour", "eu-west-1", "0.020", "contract 4711, appendix B", DAY, 0.0, "own.csv, row 2")
    assert (second.region, second.usd_per_unit, second.source) == ("*", "0", "own.csv, row 3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write_is_read(encoding, end, tmp_path):
    header = "region, price ,date,reason,usd_per_unit,tier_begin"
    rows = [
        "*,internet_egress_gb,2026-01-31,Vertrag über Müll,0.05,",
        ",,,,,",
        "",
        '*,alb_hour,2026-01-31,"two\nlines",1e-2,0',
    ]
    path = written(tmp_path, end.join(["", *rows, ""]), header, encoding)
    egress, alb = read_overrides(path)
    assert (egress.reason, egress.tier_begin) == ("Vertrag über Müll", 0)
    assert (alb.reason, alb.usd_per_unit) == ("two lines", "1e-2")


def test_rows_of_one_price_make_tiers(tmp_path):
    header = "price,region,usd_per_unit,reason,date,tier_begin\n"
    text = "internet_egress_gb,*,0.05,second,2026-02-01,10240\ninternet_egress_gb,*,0.08,first,2026-01-31,\n"
    rate = with_overrides(rates_of(), read_overrides(written(tmp_path, text, header)))["internet_egress_gb"]
    assert rate.tiers == (Tier(0, "0.08"), Tier(10_240, "0.05"))
    assert (rate.note, rate.source) == ("first; second", "own.csv, row 3; own.csv, row 2")
    assert rate.published == dt.date(2026, 2, 1)


GOOD = "alb_hour,*,0.02,contract,2026-01-31\n"


@pytest.mark.parametrize(
    ("header", "text", "said"),
    [
        (HEADER, "alb_hours,*,1,r,2026-01-31\n", ["row 2", "price is 'alb_hours'", "prices show", "Did you mean alb_hour?"]),
        (HEADER, "alb_hour,eu-west1,1,r,2026-01-31\n", ["region is 'eu-west1'", "36", "*", "Did you mean eu-west-1?"]),
        (HEADER, "alb_hour,,1,r,2026-01-31\n", ["region is ''"]),
        (HEADER, GOOD + "nat_gateway_gb,*,-1,r,2026-01-31\n", ["row 3", "usd_per_unit is '-1'", "from 0"]),
        (HEADER, "alb_hour,*,,r,2026-01-31\n", ["usd_per_unit is ''", "decimal"]),
        (HEADER, "alb_hour,*,nan,r,2026-01-31\n", ["usd_per_unit is 'nan'"]),
        (HEADER, "alb_hour,*,inf,r,2026-01-31\n", ["usd_per_unit is 'inf'"]),
        (HEADER, "alb_hour,*,1_0,r,2026-01-31\n", ["usd_per_unit is '1_0'"]),
        (HEADER, "alb_hour,*,$1,r,2026-01-31\n", ["usd_per_unit is '$1'", "currency"]),
        (HEADER, "alb_hour,*,٣,r,2026-01-31\n", ["usd_per_unit is '٣'"]),
        (HEADER, "alb_hour,*,1e99,r,2026-01-31\n", ["usd_per_unit is '1e99'", "1,000,000"]),
        (HEADER, "alb_hour,*,0,02,r,2026-01-31\n", ["row 2", "6 fields", "decimal point"]),
        (HEADER, "alb_hour,*,1\n", ["row 2", "3 fields, the header 5"]),
        (HEADER, "alb_hour,*,1, ,2026-01-31\n", ["reason is ''", "why"]),
        (HEADER, f"alb_hour,*,1,{'x' * 201},2026-01-31\n", ["reason is 'xxx", "200"]),
        (HEADER, "alb_hour,*,1,\x1b[31mred,2026-01-31\n", ["reason is", "one line"]),
        (HEADER, "alb_hour,*,1,r,31.1.2026\n", ["date is '31.1.2026'", "2026-01-31"]),
        (HEADER, "alb_hour,*,1,r,20260131\n", ["date is '20260131'"]),
        (HEADER, "alb_hour,*,1,r,2026-02-30\n", ["date is '2026-02-30'"]),
        (HEADER, GOOD + "\n" + GOOD, ["row 4", "alb_hour in *", "row 2 already"]),
        (HEADER, "", ["no rows", "alb_hour,*,0.02"]),
        ("", "", ["own.csv is empty", "price,region,usd_per_unit,reason,date"]),
        ("\n", GOOD, ["own.csv is empty"]),
        (HEADER.replace(",", ";"), GOOD.replace(",", ";"), ["commas part columns", "semicolons"]),
        (HEADER.replace(",", "\t"), GOOD.replace(",", "\t"), ["commas part columns", "tabs"]),
        ("price,region,usd_per_unit,reson,date\n", GOOD, ["a column 'reson'", "Did you mean reason?"]),
        ("price,region,usd_per_unit,date\n", "alb_hour,*,1,2026-01-31\n", ["no column reason"]),
        ("price,price,region,usd_per_unit,reason,date\n", "a," + GOOD, ["2 columns price"]),
        (HEADER, 'alb_hour,*,1,"r,2026-01-31\n', ["row 2", "4 fields"]),
        ("tier_begin," + HEADER, "-1," + GOOD, ["tier_begin is '-1'"]),
        ("tier_begin," + HEADER, '"10,240",' + GOOD, ["tier_begin is '10,240'", "thousands"]),
        ("tier_begin," + HEADER, "1e99," + GOOD, ["tier_begin is 1e+99"]),
        ("tier_begin," + HEADER, "10," + GOOD, ["alb_hour in * begin at 10", "begin at 0"]),
        ("tier_begin," + HEADER, "0," + GOOD + "," + GOOD, ["row 3", "row 2 already"]),
    ],
)  # fmt: skip
def test_a_broken_file_is_one_sentence_that_names_it(header, text, said, tmp_path):
    with pytest.raises(InvalidScenario) as caught:
        read_overrides(written(tmp_path, text, header))
    message = str(caught.value)
    for part in ["own.csv", *said]:
        assert part in message
    assert "\n" not in message
    assert "\x1b" not in message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidScenario, match=r"nowhere\.csv cannot be read: No such file.*Check the path"):
        read_overrides(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidScenario, match="cannot be read"):
        read_overrides(tmp_path)
    with pytest.raises(InvalidScenario, match="not UTF-8"):
        read_overrides(written(tmp_path, GOOD, encoding="utf-16"))


def test_an_override_keeps_what_aws_calls_the_line_and_touches_no_other():
    rates = load_rates("eu-west-1", shipped_folder())
    changed = with_overrides(rates, [own("alb_hour", "0.0123")])
    rate, before = changed["alb_hour"], rates["alb_hour"]
    assert (rate.unit, rate.usage_type, rate.sku) == (before.unit, before.usage_type, before.sku)
    assert (rate.provenance, rate.note, rate.published, rate.checked) == ("own", "our contract", DAY, None)
    assert rate.tiers_text() == "0.0123"
    assert {name for name in rates if rates[name] != changed[name]} == {"alb_hour"}
    assert set(changed) == set(rates)
    assert (changed.region, changed.snapshot, changed.as_of) == (rates.region, rates.snapshot, rates.as_of)


def test_a_region_goes_before_all_regions_and_other_regions_do_not_count():
    overrides = [own("alb_hour", "3"), own("alb_hour", "1", "us-east-1"), own("nat_gateway_gb", "7", "eu-west-1")]
    for order in (overrides, overrides[::-1]):
        rates = with_overrides(rates_of(), order)
        assert rates["alb_hour"].tiers_text() == "1"
        assert rates["nat_gateway_gb"] == rates_of()["nat_gateway_gb"]


def test_an_override_makes_an_unknown_price_known():
    rates = load_rates("ap-southeast-3", shipped_folder())
    with pytest.raises(RateNotFound):
        rates[SPOT_VCPU]
    rate = with_overrides(rates, [own(SPOT_VCPU, "0.013")])[SPOT_VCPU]
    assert (rate.usage_type, rate.sku, rate.unit) == ("APS4-SpotUsage-Fargate-vCPU-Hours:perCPU", "", "vCPU-hour")


def test_tiers_made_in_python_are_checked_as_those_of_a_file():
    for begins in ((5.0,), (0.0, 0.0)):
        with pytest.raises(InvalidScenario, match=r"alb_hour in \* begin at"):
            with_overrides(rates_of(), [own("alb_hour", "1", tier_begin=begin) for begin in begins])


@pytest.mark.parametrize("date", [dt.datetime(2026, 1, 1), "2026-01-01", None])
def test_a_day_is_a_day(date):
    with pytest.raises(InvalidScenario, match="date is"):
        Override("alb_hour", "*", "1", "reason", date)


@settings(max_examples=200)
@given(st.decimals(0, 1, places=4).filter(bool), st.decimals(0, 10, places=8))
def test_a_ratio_is_exact(ratio, price):
    rates = Rates("us-east-1", {VCPU: Rate(VCPU, "vCPU-hour", (Tier(0, f"{price:f}"),))})
    spot = with_spot_ratio(rates, float(ratio))[SPOT_VCPU]
    assert Decimal(spot.tiers[0].price) == ratio * price
    assert "E" not in spot.tiers[0].price


def test_a_ratio_makes_every_spot_price_and_says_so():
    rates = rates_of()
    changed = with_spot_ratio(rates, 0.35)
    spot = {name for name, price in PRICES.items() if price.query.service_code == "FargateSpot"}
    assert {name for name in changed if changed[name] != rates[name]} == spot == set(changed) & spot
    assert changed[SPOT_VCPU].tiers_text() == "0.014168"
    assert changed[SPOT_VCPU].note == "0.35 of On-Demand 0.04048"
    assert changed[SPOT_VCPU].provenance == "own"
    assert changed[SPOT_VCPU].usage_type == rates[SPOT_VCPU].usage_type
    whole = with_spot_ratio(rates, 1)
    assert all(Decimal(whole[n].tiers[0].price) == Decimal(rates[n.replace("spot_", "")].tiers[0].price) for n in spot)


def test_a_ratio_leaves_spot_prices_that_are_your_own_and_takes_on_demand_prices_that_are():
    rates = with_spot_ratio(with_overrides(rates_of(), [own(SPOT_GB, "0.001"), own(VCPU, "0.02")]), 0.5)
    assert (rates[SPOT_GB].tiers_text(), rates[SPOT_GB].note) == ("0.001", "our contract")
    assert rates[SPOT_VCPU].tiers_text() == "0.01"
    assert rates[SPOT_VCPU].checked is None


def test_a_ratio_of_an_unknown_price_is_unknown():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != VCPU})
    assert SPOT_VCPU in rates
    assert SPOT_VCPU not in with_spot_ratio(rates, 0.5)


@pytest.mark.parametrize("ratio", [0, -0.1, 1.01, float("nan"), float("inf"), True, "0.3", None])
def test_ratios_that_are_none(ratio):
    with pytest.raises(InvalidScenario, match=r"fargate_spot_ratio is .* above 0 to 1"):
        with_spot_ratio(rates_of(), ratio)


def test_a_discount_is_on_its_service_alone():
    rates = rates_of()
    changed = with_discounts(rates, {"AmazonECS": 10})
    of_fargate = {name for name in rates if name.startswith(("fargate_linux", "fargate_windows"))}
    of_fargate.add("fargate_ephemeral_storage_gb_hour")
    assert {name for name in rates if changed[name].discount_percent} == of_fargate
    # List prices stay.
    assert all(changed[name].tiers == rates[name].tiers for name in rates)


def test_a_discount_on_everything_leaves_spot_savings_plans_and_what_is_named():
    rates = load_rates("eu-west-1", shipped_folder())
    changed = with_discounts(rates, {"*": 10, "AWSELB": 0, "FargateSpot": 5})
    for name in PRICES:
        if name in changed:
            service = PRICES[name].query.service_code
            expected = {"AWSELB": 0, "FargateSpot": 5, "ComputeSavingsPlans": 0}.get(service, 10)
            assert changed[name].discount_percent == expected, name
    assert with_discounts(rates, {"*": 10})[SPOT_VCPU].discount_percent == 0


def test_a_discount_does_not_touch_your_own_prices():
    rates = with_spot_ratio(with_overrides(rates_of(), [own("alb_hour", "0.02")]), 0.3)
    changed = with_discounts(rates, {"*": 50, "AWSELB": 50, "FargateSpot": 50})
    assert changed["alb_hour"] == rates["alb_hour"]
    assert changed[SPOT_VCPU] == rates[SPOT_VCPU]
    assert changed["alb_lcu_hour"].discount_percent == 50


@given(st.floats(0, 100, exclude_max=True), st.floats(0, 1e6))
def test_a_discounted_cost_is_linear_in_what_is_left(percent, quantity):
    rate = with_discounts(rates_of(), {"AWSDataTransfer": percent})["internet_egress_gb"]
    left = 1 - percent / 100
    assert rate.cost(quantity) == pytest.approx(float(rate.list_cost(quantity)) * left)
    assert contracted(rate).list_cost(quantity) == pytest.approx(float(rate.cost(quantity)), rel=1e-9, abs=1e-12)


def test_a_discount_is_exact_in_what_is_shown():
    rate = with_discounts(rates_of(), {"AWSDataTransfer": 12.5})["internet_egress_gb"]
    assert contracted(rate).tiers_text(20_000) == "0.07875, from 10,240 on 0.074375"
    none = with_discounts(rates_of(), {"AWSDataTransfer": 0})["internet_egress_gb"]
    assert contracted(none) is none


@pytest.mark.parametrize(
    ("percents", "said"),
    [
        ({"AmazonEcs": 10}, ["'AmazonEcs'", "no service with prices", "AWSELB", "Did you mean AmazonECS?"]),
        ({"Fargate": 10}, ["'Fargate'", "Did you mean FargateSpot?"]),
        ({"AmazonECS": 100}, ["discounts_percent of AmazonECS is 100", "below 100"]),
        ({"AmazonECS": -5}, ["discounts_percent of AmazonECS is -5", "below 100"]),
        ({"*": 120}, ["discounts_percent of * is 120"]),
        ({"*": float("nan")}, ["nan"]),
        ({"*": True}, ["True"]),
    ],
)
def test_discounts_that_are_none(percents, said):
    with pytest.raises(InvalidScenario) as caught:
        with_discounts(rates_of(), percents)
    for part in said:
        assert part in str(caught.value)
