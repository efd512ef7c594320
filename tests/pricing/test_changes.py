"""What differs between two price lists, in hand-computed percent."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import InvalidScenario
from estimator.pricing.catalog import PRICES
from estimator.pricing.changes import compare_known, compare_rates
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.pricing.snapshots import load_rates
from estimator.report.tables import changes_table
from estimator.report.terminal import plain_table


def listed(region="us-east-1", **prices):
    known = {}
    for name, tiers in prices.items():
        pairs = ((0, tiers),) if isinstance(tiers, str) else tiers
        known[name] = Rate(name, PRICES[name].unit, tuple(Tier(*pair) for pair in pairs))
    return Rates(region, known)


def test_added_removed_and_changed_in_the_order_of_prices():
    before = listed(nat_gateway_hour="0.045", alb_hour="0.0225", web_acl_month="5")
    after = listed(alb_hour="0.027", fargate_linux_x86_gb_hour="0.004", web_acl_month="5")
    changes = compare_rates(before, after)
    assert [(change.price, change.kind) for change in changes] == [
        ("fargate_linux_x86_gb_hour", "added"),
        ("alb_hour", "changed"),
        ("nat_gateway_hour", "removed"),
    ]
    assert changes[1].first_tier_percent == changes[1].largest_percent == 20.0
    assert changes[0].before is changes[2].after is changes[0].largest_percent is None


@pytest.mark.parametrize(
    ("before", "after", "first", "largest"),
    [
        ("0.10", "0.05", -50.0, -50.0),
        ("0.04048", "0.05060", 25.0, 25.0),
        (((0, "0.09"), (100, "0.08")), ((0, "0.09"), (100, "0.06")), 0.0, -25.0),
        (((0, "0.10"), (100, "0.08")), ((0, "0.11"), (100, "0.04")), 10.0, -50.0),
        # A tier that is new: units from 100 on cost 0.05 and not 0.1.
        ("0.10", ((0, "0.10"), (100, "0.05")), 0.0, -50.0),
        # A tier that begins later: units from 100 to 200 cost 0.1 and not 0.05.
        (((0, "0.1"), (100, "0.05")), ((0, "0.1"), (200, "0.05")), 0.0, 100.0),
        (((0, "0"), (100, "0.1")), ((0, "0"), (100, "0.2")), 0.0, 100.0),
        ("0", "0.1", None, None),
        ("0.1", "0", -100.0, -100.0),
    ],
)
def test_percent_of_the_first_tier_and_of_the_one_that_changed_most(before, after, first, largest):
    (change,) = compare_rates(listed(internet_egress_gb=before), listed(internet_egress_gb=after))
    assert (change.first_tier_percent, change.largest_percent) == (first, largest)


@pytest.mark.parametrize(
    "same", ["0.090", "0.0900000000", "9E-2", ((0, "0.09"), (10_240, "0.09")), ((0, "0.09"), (5, "0.090"))]
)
def test_other_spellings_of_a_price_are_no_change(same):
    assert compare_rates(listed(internet_egress_gb="0.09"), listed(internet_egress_gb=same)) == ()


def test_a_later_date_or_source_is_no_change():
    before = listed(alb_hour="0.0225")
    rate = replace(
        before["alb_hour"], published=dt.date(2026, 1, 1), checked=dt.date(2026, 2, 1), sku="X", source="y", note="z"
    )
    assert compare_rates(before, Rates("us-east-1", {"alb_hour": rate})) == ()


def test_a_discount_is_a_change_of_what_is_paid():
    before = listed(alb_hour="0.0225")
    discounted = Rates("us-east-1", {"alb_hour": replace(before["alb_hour"], discount_percent=10)})
    (change,) = compare_rates(before, discounted)
    assert change.first_tier_percent == -10
    assert compare_rates(discounted, discounted) == ()
    # 0.025 less 10 % is 0.0225.
    dearer = Rates("us-east-1", {"alb_hour": replace(listed(alb_hour="0.025")["alb_hour"], discount_percent=10)})
    assert compare_rates(before, dearer) == ()


def test_another_unit_has_no_percent():
    before = listed(alb_hour="0.0225")
    (change,) = compare_rates(before, Rates("us-east-1", {"alb_hour": replace(before["alb_hour"], unit="GB")}))
    assert (change.kind, change.first_tier_percent, change.largest_percent) == ("changed", None, None)


def test_a_rate_without_a_row_in_prices():
    rate = Rate("nlb_hour", "Hrs", (Tier(0, "0.0225"),))
    (change,) = compare_rates(listed(), Rates("us-east-1", {"nlb_hour": rate}))
    assert (change.price, change.title, change.kind) == ("nlb_hour", "", "added")


def test_two_regions_do_not_compare():
    with pytest.raises(InvalidScenario, match="us-east-1 and of eu-west-1"):
        compare_rates(listed(), listed("eu-west-1"))


AMOUNTS = st.dictionaries(
    st.sampled_from(["alb_hour", "nat_gateway_hour", "secret_month"]), st.sampled_from(["0", "0.1", "0.2"])
)


@given(AMOUNTS, AMOUNTS)
def test_law_the_way_back_undoes_the_way_there(one, other):
    there, back = compare_rates(listed(**one), listed(**other)), compare_rates(listed(**other), listed(**one))
    assert [change.price for change in there] == [change.price for change in back]
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [change.kind for change in there] == [opposite[change.kind] for change in back]
    assert compare_rates(listed(**one), listed(**one)) == ()


def test_windows_was_cut_between_2022_and_now():
    changes = compare_rates(load_rates("us-east-1", as_of="2022-12-01"), load_rates("us-east-1"))
    cut = {change.price: change for change in changes if change.price.startswith("fargate_windows")}
    assert set(cut) == {"fargate_windows_vcpu_hour", "fargate_windows_gb_hour"}
    # 0.046552 / 0.09148 = 0.50888
    assert cut["fargate_windows_vcpu_hour"].largest_percent == pytest.approx(-49.112, abs=5e-4)


def test_plain_values():
    changes = compare_rates(listed(alb_hour="0.0225"), listed(alb_hour="0.027", nat_gateway_hour="0.045"))
    values = [change.to_dict() for change in changes]
    assert json.loads(json.dumps(values)) == values
    assert values[0]["before"]["tiers"] == [{"begin": 0, "usd_per_unit": "0.0225"}]
    assert values[1]["before"] is None


def test_the_table_of_one_region():
    changes = compare_rates(listed(alb_hour="0.0225", web_acl_month="5"), listed(alb_hour="0.027", kms_key_month="1"))
    text = plain_table(changes_table({"us-east-1": changes}, "shipped", "now"))
    assert text.splitlines()[0] == "3 prices differ in us-east-1"
    assert [line.split() for line in text.splitlines()[3:]] == [
        ["alb_hour", "Hrs", "0.0225", "0.027", "+20", "%"],
        ["web_acl_month", "Month", "5", "unknown", "gone"],
        ["kms_key_month", "Keys", "unknown", "1", "new"],
    ]


def test_what_changed_alike_in_many_regions_is_one_line():
    regions = ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1")
    changes = {
        region: compare_rates(listed(region, alb_hour="0.02"), listed(region, alb_hour="0.03")) for region in regions
    }
    table = changes_table(changes)
    assert table.title == "5 prices differ in 5 regions"
    assert table.rows == (("alb_hour", "Hrs", "0.02", "0.03", "+50 %", "us-east-1, us-east-2, us-west-1 and 2 more"),)


def test_what_has_no_region_says_so():
    before = {"hosted_zone_month": Rate("hosted_zone_month", "HostedZone-Mo", (Tier(0, "0.5"),))}
    (change,) = compare_known("global", before, {})
    assert (change.region, change.kind) == ("global", "removed")
