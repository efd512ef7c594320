"""A plan at two price lists: the same service, the difference line by line, and nothing unknown taken as 0."""

import json
from dataclasses import replace

import pytest

from estimator.errors import InvalidScenario
from estimator.planning.planner import estimate, plan
from estimator.planning.price_effect import price_effect
from estimator.planning.promise import Choices
from estimator.pricing.rates import Rates
from estimator.report.tables import effect_table
from estimator.report.terminal import plain_table
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

WORK = Workload(LoadProfile.constant(20), cpu_ms_per_request=10)
SPEC = ServiceSpec(TaskSize(256, 512))
RATES = rates_of()


def rates_with(**prices):
    return rates_of({**US_EAST_1, **prices})


def rates_without(*names):
    return rates_of({name: price for name, price in US_EAST_1.items() if name not in names})


def before(rates=RATES, hours_per_month=730):
    return estimate(WORK, rates, SPEC, hours_per_month=hours_per_month)


def of_charge(effect, charge):
    return next(line for line in effect.lines if line.charge == charge)


def test_one_price_changes_one_line():
    effect = price_effect(before(), rates_with(alb_hour="0.0325"))
    line = of_charge(effect, "alb_hour")
    # 730 hours at 0.0225 and at 0.0325.
    assert (line.before_usd, line.after_usd) == (pytest.approx(16.425), pytest.approx(23.725))
    assert line.difference_usd == effect.difference_usd == effect.known_difference_usd == pytest.approx(7.3)
    assert [other.charge for other in effect.lines if other.difference_usd] == ["alb_hour"]
    assert [line.charge for line in effect.lines] == [line.charge for line in effect.before]
    assert effect.after.total_usd - effect.before.total_usd == pytest.approx(7.3)


def test_the_same_prices_change_nothing():
    effect = price_effect(before(), RATES)
    assert effect.difference_usd == 0
    assert effect.before.to_dict() == effect.after.to_dict()
    assert effect.verdict == f"{SPEC.describe()}: the same."


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_every_price_by_a_factor(factor):
    effect = price_effect(before(), rates_of(factor=factor))
    assert effect.difference_usd == pytest.approx((factor - 1) * effect.before.total_usd)
    assert f"{'more' if factor > 1 else 'less'} (50.0%)" in effect.verdict


def test_the_month_of_the_plan_is_kept():
    effect = price_effect(before(hours_per_month=100), rates_with(alb_hour="0.0325"))
    assert effect.difference_usd == pytest.approx(1.0)


def test_a_private_discount_is_an_effect():
    known = {**RATES.known, "alb_hour": replace(RATES["alb_hour"], discount_percent=10)}
    effect = price_effect(before(), Rates("us-east-1", known))
    assert effect.difference_usd == pytest.approx(-1.6425)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_what_is_unknown_is_said_and_never_0(first, second):
    gone, changed = rates_without("alb_hour"), rates_with(nat_gateway_hour="1", public_ipv4_in_use_hour="0.006")
    dearer = Rates("us-east-1", {name: rate for name, rate in changed.known.items() if name != "alb_hour"})
    effect = price_effect(before(gone if first else RATES), dearer if second else changed)
    line = of_charge(effect, "alb_hour")
    assert (line.before_usd is None, line.after_usd is None) == (first, second)
    assert line.difference_usd is effect.difference_usd is None
    assert [each.charge for each in effect.unknown] == ["alb_hour"]
    # The other lines are still compared: two tasks and two nodes of the balancer, 730 hours, 0.001 more.
    assert effect.known_difference_usd == pytest.approx(of_charge(effect, "public_ipv4").difference_usd)
    assert effect.known_difference_usd > 0
    assert f"Left out, since what it costs at one of the lists is not known: {line.title}" in effect.verdict
    values = effect.to_dict()
    assert values["difference_usd_per_month"] is None
    assert values["unknown"] == [line.title]
    shown = plain_table(effect_table(effect))
    row = next(text for text in shown.splitlines() if text.startswith(line.title))
    assert row.split()[-1] == "unknown"
    assert shown.splitlines()[-1].split()[-1] == "unknown"
    assert "at least" in shown.splitlines()[-1]


def test_another_candidate_is_cheapest_now():
    choices = Choices(target_values=(50.0,), min_capacities=(2,), max_capacity=4)
    now = rates_with(
        fargate_linux_arm_vcpu_hour="0.00001", fargate_linux_arm_gb_hour="0.00001",
        fargate_linux_x86_vcpu_hour="9", fargate_linux_x86_gb_hour="9",
    )  # fmt: skip
    arm_dear = rates_with(fargate_linux_arm_vcpu_hour="9", fargate_linux_arm_gb_hour="9")
    first, then = plan(WORK, arm_dear, choices=choices), plan(WORK, now, choices=choices)
    assert (first.spec.cpu_architecture, then.spec.cpu_architecture) == ("X86_64", "ARM64")
    effect = price_effect(first, now, then)
    assert effect.chooses_other
    assert effect.verdict.endswith(f"Now the cheapest is {then}.")
    assert effect.to_dict()["cheapest_after"]["service"] == then.spec.describe()
    # Seen the other way round, nothing changes for the one that stays the cheapest.
    stays = price_effect(then, now, then)
    assert not stays.chooses_other
    assert stays.verdict.endswith("It stays the cheapest.")


def test_prices_of_another_region():
    with pytest.raises(InvalidScenario, match="us-east-1 and the prices are of eu-west-1"):
        price_effect(before(), rates_of(region="eu-west-1"))


def test_plain_values_and_the_table():
    effect = price_effect(before(), rates_with(alb_hour="0.0325", public_ipv4_in_use_hour="0.004"))
    values = effect.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["after_usd_per_month"] == effect.after.total_usd
    table = effect_table(effect)
    assert [row[1:] for row in table.rows if row[0] == of_charge(effect, "alb_hour").title] == [
        ("16.43", "23.73", "+7.30")
    ]
    assert any(row[3].startswith("-") for row in table.rows)
    assert any(row[3] == "+0.00" for row in table.rows)
    assert table.footer[0] == "Total"
