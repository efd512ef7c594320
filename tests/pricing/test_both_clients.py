"""Bulk files and Query API give the same rates, and those that AWS sells; nothing else is asked for."""

import datetime as dt
from decimal import Decimal

import pytest

from estimator.errors import InvalidScenario, PriceListUnavailable, RateNotFound
from estimator.pricing.catalog import PRICES, SAVINGS_PLANS, SPOT_FEED, Price, expected_in
from estimator.pricing.price_list import PriceList, Step, fetch_rates
from estimator.pricing.rates import RateQuery
from tests.pricing.aws_double import CREDENTIALS, AwsDouble

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1", "us-gov-west-1")
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def aws():
    with AwsDouble(REGIONS, page_size=1) as double:
        yield double


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def fetched(aws, source, folder, **more):
    return fetch_rates(regions=REGIONS, source=source, endpoints=aws.endpoints, folder=folder, today=TODAY, **more)


@pytest.fixture(scope="module")
def both(aws, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        return {source: fetched(aws, source, tmp_path_factory.mktemp(source)) for source in ("bulk", "query")}


@pytest.mark.parametrize("region", REGIONS)
def test_both_clients_give_the_same_rates(both, region):
    bulk, query = both["bulk"][region], both["query"][region]
    assert dict(bulk.known) == dict(query.known)
    assert len(bulk) > 140


@pytest.mark.parametrize("region", REGIONS)
def test_the_rates_are_those_that_aws_sells(aws, both, region):
    rates = both["bulk"][region]
    sold = 0
    for name in (*expected_in(region), *expected_in("global")):
        tiers = aws.catalogue.tiers(name, "global" if PRICES[name].query.is_global else region)
        if tiers is None:
            assert name not in rates
            continue
        sold += 1
        rate = rates[name]
        assert [(tier.begin, Decimal(tier.price)) for tier in rate.tiers] == tiers, name
        assert rate.checked == TODAY
        assert rate.provenance == "api"
        assert rate.sku
        assert rate.usage_type in PRICES[name].query.usage_types_in(region)
        assert rate.unit == PRICES[name].unit
        assert rate.source.startswith("AWS") or "Spot feed" in rate.source
    assert sold == len(rates) > 140


def test_each_rate_has_the_publication_date_of_its_own_list(both):
    rates = both["bulk"]["eu-west-1"]
    dates = {name: rates[name].published for name in ("alb_hour", "fargate_linux_x86_vcpu_hour", "nat_gateway_gb")}
    assert len(set(dates.values())) == 3
    assert rates["fargate_spot_linux_x86_vcpu_hour"].published == TODAY


def test_only_what_is_asked_for(aws, tmp_path):
    aws.reset_counters()
    rates = fetch_rates(["alb_hour", "nat_gateway_gb"], ["eu-west-1"], endpoints=aws.endpoints, folder=tmp_path)
    assert set(rates["eu-west-1"]) == {"alb_hour", "nat_gateway_gb"}
    asked = {path.split("/")[4] for path in aws.requests if path.endswith("eu-west-1/index.json")}
    assert asked == {"AWSELB", "AmazonEC2"}
    with pytest.raises(RateNotFound, match=r"alb_lcu_hour.*AWS Price List, read"):
        rates["eu-west-1"]["alb_lcu_hour"]


def test_a_new_row_is_asked_for_although_the_file_did_not_change(aws, tmp_path):
    """A made-up row: both clients find it, and downloads of before do not hide it."""
    row = {"nlb_hour": Price(RateQuery("AWSELB", "LoadBalancerUsage", "Load Balancer-Network"), "Hrs", "NLB hour")}
    with PriceList(endpoints=aws.endpoints, folder=tmp_path, prices={"alb_hour": PRICES["alb_hour"]}) as price_list:
        assert set(price_list.region("eu-west-1").rates) == {"alb_hour"}
    for source in ("bulk", "query"):
        with PriceList(source, endpoints=aws.endpoints, folder=tmp_path, prices=PRICES | row) as price_list:
            rate = price_list.region("eu-west-1").rates["nlb_hour"]
        assert (rate.usage_type, rate.tiers_text()) == ("EU-LoadBalancerUsage", "0.0252")


def test_elb_prices_of_us_east_1_stand_in_ec2s_offer(aws, both):
    rate = both["bulk"]["us-east-1"]["alb_hour"]
    assert "AmazonEC2" in rate.source
    assert "AWSELB" in both["bulk"]["eu-west-1"]["alb_hour"].source


def test_all_six_savings_plans_and_both_spot_architectures(both):
    rates = both["query"]["ap-south-1"]
    services = [PRICES[name].query.service_code for name in rates]
    assert services.count(SAVINGS_PLANS) == 36
    assert services.count(SPOT_FEED) == 4


@pytest.mark.parametrize("source", ["bulk", "query"])
def test_two_products_are_an_error_that_lists_both(source, tmp_path):
    with AwsDouble(["eu-west-1"]) as aws:
        aws.catalogue.double("alb_lcu_hour", "eu-west-1")
        with pytest.raises(PriceListUnavailable, match=r"2 products match alb_lcu_hour.*YE8QE7GMG9794PDX.*EU-LCUUsage"):
            fetch_rates(regions=["eu-west-1"], source=source, endpoints=aws.endpoints, folder=tmp_path)


def test_progress_comes_to_its_end(aws, tmp_path):
    steps: list[Step] = []
    fetched(aws, "bulk", tmp_path, progress=steps.append)
    assert steps[-1].done == steps[-1].total == len(steps)
    assert {step.region for step in steps} == {"global", *REGIONS}
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].received_bytes > steps[0].received_bytes > 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"source": "sql"}, "bulk, query"),
        ({"queries": ["alb_hours"]}, "alb_hours"),
        ({"regions": ["eu-west-9"]}, "eu-west-9"),
    ],
)
def test_what_cannot_be_asked_for(aws, tmp_path, arguments, word):
    with pytest.raises(InvalidScenario, match=word):
        fetch_rates(**({"regions": ["eu-west-1"]} | arguments), endpoints=aws.endpoints, folder=tmp_path)
