"""CloudFront's flat-rate plans: AWS's table of prices and allowances, the level that a month needs, and what is said."""

import pytest

from estimator.pricing.catalog import PRICES
from estimator.pricing.folders import shipped_folder
from estimator.pricing.snapshots import load_rates
from estimator.service.cloudfront_plans import CLOUDFRONT_PLANS, PLAN_LEVELS, plan_level, plan_note, plan_problem

#: AWS, "Available plans" of the Pricing Plan Manager User Guide, read 2026-11: million requests, TB, USD a month.
AWS_TABLE = [
    ("pro", None, 10, 50, 15),
    ("business", None, 125, 50, 200),
    ("premium", 50, 500, 50, 1000),
    ("premium", 75, 750, 75, 1450),
    ("premium", 125, 1250, 125, 2250),
    ("premium", 200, 2000, 200, 3500),
    ("premium", 350, 3500, 350, 6000),
    ("premium", 600, 6000, 600, 10_000),
]


@pytest.mark.parametrize(("plan", "premium_tb", "millions", "terabytes", "usd"), AWS_TABLE)
def test_prices_and_allowances_are_those_of_aws(plan, premium_tb, millions, terabytes, usd):
    level = plan_level(plan, 0, 0, premium_tb)
    # AWS's price list has 50 TB as 51200 GB.
    assert (level.requests, level.gb) == (millions * 1e6, terabytes * 1024)
    assert float(load_rates("eu-west-1", shipped_folder())[level.price].cost(1)) == usd
    # As much as is allowed, and a little more of either.
    assert plan_note(plan, millions * 1e6, terabytes * 1024, premium_tb) == ""
    assert plan_note(plan, millions * 1e6 + 1, 0, premium_tb)
    assert plan_note(plan, 0, terabytes * 1024 + 1, premium_tb)


def test_the_free_plan_has_no_price():
    level = plan_level("free", 0, 0)
    assert (level.price, level.requests, level.gb) == ("", 1e6, 100)
    assert plan_note("free", 1e6, 100) == ""
    assert plan_note("free", 1e6, 101)


def test_every_priced_plan_is_in_the_table_of_prices():
    assert {level.price for level in PLAN_LEVELS if level.price} == {
        name for name in PRICES if name.startswith("cloudfront_plan_month:")
    }
    assert CLOUDFRONT_PLANS == ("pay_as_you_go", "free", "pro", "business", "premium")


@pytest.mark.parametrize(
    ("requests", "gb", "title"),
    [
        (0, 0, "Premium (50 TB)"),
        (500e6, 51_200, "Premium (50 TB)"),
        (500e6, 51_201, "Premium (75 TB)"),
        (501e6, 0, "Premium (75 TB)"),
        (2e9, 0, "Premium (200 TB)"),
        (0, 400 * 1024, "Premium (600 TB)"),
        (6e9, 600 * 1024, "Premium (600 TB)"),
        (9e9, 900 * 1024, "Premium (600 TB)"),
    ],
)
def test_the_level_of_premium_follows_from_the_month(requests, gb, title):
    assert plan_level("premium", requests, gb).title == title
    assert plan_level("premium", requests, gb, 125).title == "Premium (125 TB)"


@pytest.mark.parametrize(
    ("plan", "requests", "gb", "premium_tb", "words"),
    [
        ("free", 1.5e6, 40, None, ["Free plan allows 1 million requests and 100 GB", "send 1.5 million", "take 40 GB", "The Pro plan"]),
        ("pro", 20e6, 900, None, ["10 million requests and 51,200 GB", "20 million requests", "The Business plan allows this"]),
        ("pro", 9e6, 60_000, None, ["take 60,000 GB", "The Premium (75 TB) plan allows this"]),
        ("premium", 600e6, 900, 50, ["Premium (50 TB) plan allows 500 million", "The Premium (75 TB) plan allows this"]),
        ("premium", 7e9, 900, None, ["Premium (600 TB) plan allows 6,000 million", "No plan allows this traffic"]),
    ],
)  # fmt: skip
def test_traffic_above_a_plan_is_said_and_not_billed(plan, requests, gb, premium_tb, words):
    note = plan_note(plan, requests, gb, premium_tb)
    for word in [*words, "AWS bills nothing for the rest, but may serve it slower"]:
        assert word in note


def test_paid_as_used_has_no_allowance():
    assert plan_level("pay_as_you_go", 9e9, 9e9) is None
    assert plan_note("pay_as_you_go", 9e9, 9e9) == ""


@pytest.mark.parametrize("plan", CLOUDFRONT_PLANS)
def test_a_plan_without_cloudfront_is_a_mistake(plan):
    assert plan_problem(plan, behind_cloudfront=True) == ""
    problem = plan_problem(plan, behind_cloudfront=False)
    if plan == "pay_as_you_go":
        assert problem == ""
    else:
        assert problem.startswith(f"cloudfront_plan is {plan} and behind_cloudfront is false")
        assert "Set behind_cloudfront of the section request to true, or leave cloudfront_plan out." in problem
