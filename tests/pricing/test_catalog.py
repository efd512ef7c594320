"""PRICES as a table: every row can be asked for everywhere, and no two rows ask for the same product."""

from collections import Counter

import pytest

from estimator.billing.charges import CHARGES
from estimator.pricing.catalog import EDGES, PRICES, SAVINGS_PLANS, SPOT_FEED, expected_in, possible_in
from estimator.pricing.regions import REGIONS

SERVICES = {
    "AmazonECS", "AWSELB", "AmazonEC2", "AmazonVPC", "AWSDataTransfer", "AmazonCloudWatch", "awswaf", "AmazonCloudFront",
    "AmazonECR", "AWSSecretsManager", "awskms", "AmazonRoute53", "AmazonS3", "CloudFrontPlans", SPOT_FEED, SAVINGS_PLANS,
}  # fmt: skip


@pytest.mark.parametrize("name", PRICES)
def test_a_row_is_whole(name):
    price = PRICES[name]
    assert price.title
    assert price.unit
    assert price.query.service_code in SERVICES
    assert price.query.fallback_service_code in {None, "AmazonEC2"}
    assert set(price.query.not_in) | set(price.query.unprefixed_in) <= set(REGIONS)
    # The prefix is added, not written.
    prefixes = tuple(f"{region.prefix}-" for region in REGIONS.values())
    if not name.startswith(("inter_region_out_gb:", "cloudfront_")):
        assert not price.query.usage_type.startswith(prefixes)


def test_titles_are_unique():
    assert max(Counter(price.title for price in PRICES.values()).values()) == 1


@pytest.mark.parametrize("region", [*REGIONS, "global"])
def test_no_two_rows_ask_for_the_same_product(region):
    def asked(name):
        query = PRICES[name].query
        usage_type = query.usage_type if region == "global" else query.usage_type_in(region)
        return query.service_code, usage_type, query.product_family, query.operation, query.attributes

    names = possible_in(region)
    assert len({asked(name) for name in names}) == len(names)


def test_counts():
    assert len([name for name in PRICES if name.startswith("sp_")]) == 2 * 3 * 6
    assert len([name for name in PRICES if name.startswith("inter_region_out_gb:")]) == len(REGIONS)
    # Pro, Business and six levels of Premium; Free has no price.
    plans = [name for name in PRICES if name.startswith("cloudfront_plan_month:")]
    assert len(plans) == 8
    assert len([name for name in PRICES if name.startswith("cloudfront_")]) == 4 * len(EDGES) + len(plans)


def test_what_a_region_can_have():
    everywhere = set(possible_in("global"))
    assert everywhere == {name for name, price in PRICES.items() if price.query.is_global}
    for code, region in REGIONS.items():
        here = possible_in(code)
        assert here == expected_in(code)
        assert not everywhere & set(here)
        # No transfer from a region to itself.
        assert set(PRICES) - set(here) - everywhere == {f"inter_region_out_gb:to_{region.prefix}"}
        assert list(here) == [name for name in PRICES if name in set(here)]
    few = {name: PRICES[name] for name in ("hosted_zone_month", "alb_hour")}
    assert expected_in("eu-west-1", few) == ("alb_hour",)
    assert expected_in("global", few) == ("hosted_zone_month",)


def test_a_refresh_asks_for_all_but_flat_rates():
    """AWS lists CloudFront's plans under terms of their own kind, FlatRate, and not under those of On-Demand."""
    unlisted = {name for name, price in PRICES.items() if not price.listed}
    assert unlisted == {name for name in PRICES if name.startswith("cloudfront_plan_month:")}
    assert set(possible_in("global")) - set(expected_in("global")) == unlisted


@pytest.mark.parametrize("charge", CHARGES)
def test_every_line_of_the_bill_has_a_price(charge):
    assert CHARGES[charge].price in PRICES


def test_the_spellings_that_are_in_doubt_are_few():
    doubtful = {name for name, price in PRICES.items() if price.query.also_unprefixed}
    assert doubtful == {"container_insights_enhanced_ecs_metric_month", "alarm_metrics_insights_month"}


def test_savings_plans_and_spot_say_which_on_demand_price_they_are_of():
    for name, price in PRICES.items():
        if price.query.service_code == SAVINGS_PLANS:
            on_demand = PRICES[name.rpartition("__")[2]]
            assert price.query.usage_type == on_demand.query.usage_type
            assert price.unit == on_demand.unit
            assert set(dict(price.query.attributes)) == {"purchaseTerm", "purchaseOption"}
        if price.query.service_code == SPOT_FEED:
            on_demand = PRICES[name.replace("_spot", "")]
            assert price.query.usage_type == f"SpotUsage-{on_demand.query.usage_type}"
            assert price.unit == on_demand.unit
