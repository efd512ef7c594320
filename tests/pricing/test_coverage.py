"""What is known of prices and regions, counted again by hand; the page docs/prices.md is what the snapshots say."""

import json
from pathlib import Path

import pytest

from estimator.pricing.catalog import PRICES, possible_in
from estimator.pricing.coverage import (
    FAMILIES,
    REGENERATE,
    SERVICES,
    all_rates,
    coverage_markdown,
    coverage_rows,
    family_of,
    is_variant,
    price_coverage,
    provenance_text,
    region_coverage,
)
from estimator.pricing.folders import shipped_folder
from estimator.pricing.rates import PROVENANCES, Rates
from estimator.pricing.regions import REGIONS
from estimator.report.tables import coverage_table, rates_rows, rates_table
from estimator.report.terminal import plain_table
from tests.properties.strategies import rates_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "prices.md"
SHIPPED = all_rates(shipped_folder())


def test_the_page_is_what_the_shipped_snapshots_say():
    assert PAGE.read_text(encoding="utf-8") == coverage_markdown(), f"make the page anew: {REGENERATE}"


def test_the_page_is_the_same_every_time():
    assert coverage_markdown(SHIPPED) == coverage_markdown(dict(SHIPPED)) == coverage_markdown()


def test_the_page_names_every_price_and_region():
    text = coverage_markdown(SHIPPED)
    for name in PRICES:
        shown = name if not is_variant(name) else next(begin for begin in FAMILIES if name.startswith(begin)) + "*"
        assert f"| `{shown}` |" in text
    for region in REGIONS:
        assert f"\n| {region} | " in text
    heads = [len(line.split(" | ")) for line in text.splitlines() if line.startswith("| ")]
    assert set(heads) == {3, 5, 6}


def of_price(name):
    return next(row for row in price_coverage(SHIPPED) if row.price == name)


def test_a_price_that_is_known_everywhere():
    row = of_price("alb_hour")
    assert (row.known, row.possible, row.missing_regions) == (36, 36, ())
    assert (str(row.oldest), str(row.newest), row.provenances) == ("2026-06-19", "2026-06-19", (("api", 36),))


def test_a_price_that_is_known_in_some_regions():
    row = of_price("inter_az_gb")
    assert (row.known, row.possible) == (27, 36)
    assert row.missing_regions == (
        "ap-east-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-6", "ap-southeast-7", "eu-central-2", "eu-south-2",
        "me-central-1", "mx-central-1",
    )  # fmt: skip
    assert row.provenances == (("api", 5), ("thirdparty-derived", 22))
    assert of_price("fargate_spot_linux_arm_gb_hour").known == 4


def test_a_price_that_is_known_nowhere():
    row = of_price("sp_compute_3yr_partialupfront__fargate_windows_gb_hour")
    assert (row.known, row.possible, len(row.missing_regions)) == (0, 36, 36)
    assert (row.oldest, row.newest, row.provenances) == (None, None, ())


def test_what_has_no_region_counts_once():
    row = of_price("hosted_zone_month")
    assert (row.known, row.possible, row.is_global) == (1, 1, True)


def test_together():
    rows = {row.price: row for row in price_coverage(SHIPPED, collapse=True)}
    assert (rows["inter_region_out_gb:*"].known, rows["inter_region_out_gb:*"].possible) == (1258, 1260)
    assert rows["inter_region_out_gb:*"].missing_regions == ("ap-southeast-3",)
    assert (rows["sp_*"].known, rows["sp_*"].possible, rows["sp_*"].members) == (18, 36 * 36, 36)
    assert (rows["cloudfront_http_request:*"].known, rows["cloudfront_http_request:*"].members) == (10, 10)
    plans = rows["cloudfront_plan_month:*"]
    assert (plans.known, plans.possible, plans.provenances) == (8, 8, (("thirdparty-typed", 8),))
    assert sum(row.members for row in rows.values()) == len(PRICES)
    apart = price_coverage(SHIPPED)
    assert sum(row.known for row in apart) == sum(row.known for row in rows.values())
    assert sum(row.possible for row in apart) == sum(row.possible for row in rows.values())


@pytest.mark.parametrize("region", REGIONS)
def test_regions(region):
    (row,) = region_coverage({region: SHIPPED[region]})
    expected = {*possible_in(region), *possible_in("global")}
    assert row.possible == len(expected) == row.known + len(row.unknown)
    assert set(row.unknown) == expected - set(SHIPPED[region])
    assert row.location == REGIONS[region].location


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("us-east-1", "Savings Plans (25 of 36)"),
        ("eu-west-2", "Fargate Spot ARM, Savings Plans (36 of 36)"),
        (
            "ap-southeast-3",
            "Fargate Spot x86, Fargate Spot ARM, Savings Plans (36 of 36), Data transfer between zones, "
            "Data transfer to other regions (2 of 35)",
        ),
        (
            "ap-east-2",
            "Fargate Windows, Fargate Spot x86, Fargate Spot ARM, Savings Plans (36 of 36), Data transfer between zones, "
            "Web ACLs",
        ),
    ],
)
def test_what_is_unknown_in_words(region, text):
    (row,) = region_coverage({region: SHIPPED[region]})
    assert row.unknown_text == text


def test_a_region_of_which_nothing_is_known():
    empty = {"eu-west-1": Rates("eu-west-1", {})}
    (row,) = region_coverage(empty)
    assert (row.known, row.oldest, row.newest) == (0, None, None)
    assert "NAT gateway hour" in row.unknown_text
    assert "0 of 169" in coverage_markdown(empty)
    assert "unknown" in plain_table(coverage_table(coverage_rows(empty)))


def test_rows_are_json():
    rows = coverage_rows(SHIPPED)
    assert json.loads(json.dumps(rows)) == rows
    assert [row["price"] for row in rows["prices"]] == list(PRICES)
    assert [row["region"] for row in rows["regions"]] == list(REGIONS)


def test_words():
    assert {family_of(name) for name in PRICES if name.startswith("fargate_windows")} == {"Fargate Windows"}
    assert family_of("nlb_hour") == "nlb_hour"
    assert {price.query.service_code for price in PRICES.values()} == set(SERVICES)
    assert provenance_text([]) == ""
    assert "api" not in {provenance_text([(provenance, 1)]) for provenance in PROVENANCES}


def test_the_table_of_all_regions():
    text = plain_table(coverage_table(coverage_rows(SHIPPED)))
    assert text.startswith("What is known of 36 regions, 170 prices in all")
    assert max(map(len, text.splitlines())) < 180


# The rates of one region.


def test_by_default_a_line_says_how_many_of_the_many_alike_are_known():
    rows = rates_rows(SHIPPED["us-east-1"])
    assert [row["price"] for row in rows] == [name for name in PRICES if not is_variant(name)]
    shown = plain_table(rates_table(SHIPPED["us-east-1"]))
    assert "36 x Savings Plans: 11 known (--all lists them)" in shown
    assert "35 x Data transfer to other regions: 35 known (--all lists them)" in shown
    assert "10 x Data transfer out of CloudFront: 10 known (--all lists them)" in shown
    assert f"Rates of us-east-1: {len(rows)} known, 0 unknown" in shown
    assert "nlb_hour" not in shown


def test_all_of_them():
    rows = rates_rows(SHIPPED["us-east-1"], every=True)
    names = [row["price"] for row in rows if not row["price"].startswith("cloudfront_plan_month:")]
    others = ("inter_region_out_gb:to_USE1", "cloudfront_plan_month:")
    assert names[:161] == [name for name in PRICES if not name.startswith(others)]
    assert "nlb_hour" in names[161:]
    shown = plain_table(rates_table(SHIPPED["us-east-1"], every=True))
    assert "--all" not in shown
    assert "sp_compute_1yr_partialupfront__fargate_linux_x86_gb_hour" in shown


@pytest.mark.parametrize(
    ("matching", "names"),
    [
        ("NAT gateway", {"nat_gateway_hour", "nat_gateway_gb"}),
        ("to_EU", {name for name in PRICES if "to_EU" in name}),
        ("AWSELB", {"alb_hour", "alb_lcu_hour", "alb_reserved_lcu_hour", "alb_trust_store_hour"}),
        ("elastic load", {"alb_hour", "alb_lcu_hour", "alb_reserved_lcu_hour", "alb_trust_store_hour"}),
        ("nlb", {"nlb_hour", "nlb_nlcu_hour"}),
        ("there is no such price", set()),
    ],
)
def test_matching(matching, names):
    rates = SHIPPED["us-east-1"]
    assert {row["price"] for row in rates_rows(rates, matching=matching)} == names
    assert f"that match {matching!r}: " in rates_table(rates, matching=matching).title


def test_a_rate_with_all_that_is_said_of_it():
    from dataclasses import replace

    rates = SHIPPED["us-east-1"]
    own = replace(rates["nat_gateway_hour"], provenance="own", note="contract 7")
    less = replace(rates["alb_hour"], discount_percent=7.5)
    known = {**rates.known, "nat_gateway_hour": own, "alb_hour": less}
    mine = Rates("us-east-1", known)
    rows = {row["price"]: row for row in rates_rows(mine)}
    assert rows["alb_hour"]["checked"] == "2026-09-11"
    assert rows["alb_hour"]["discount_percent"] == 7.5
    assert rows["nat_gateway_hour"]["note"] == "contract 7"
    shown = plain_table(rates_table(mine))
    assert "your own price, contract 7" in shown
    assert "AWS, less 7.5 % private discount" in shown


def test_an_unknown_rate_in_the_table():
    rates = rates_of({"alb_hour": "0.02"}, "eu-west-1")
    row = next(row for row in rates_rows(rates) if row["price"] == "nat_gateway_hour")
    assert row["known"] is False
    assert row["tiers"] == []
    assert row["published"] is None
    assert row["usage_type"] == "EU-NatGateway-Hours"
    line = next(line for line in plain_table(rates_table(rates)).splitlines() if line.startswith("nat_gateway_hour"))
    assert "unknown" in line
