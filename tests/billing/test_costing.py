"""Bills from quantities: scaling to the month, tiers by month, unknown rates, and what is left out."""

import datetime as dt
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import breakdown, price_month, usd_text
from estimator.billing.month import BilledMonth
from estimator.errors import InvalidScenario, RateNotFound
from estimator.planning.planner import estimate
from estimator.pricing.own_prices import Override, with_discounts, with_overrides, with_spot_ratio
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.service.application import Application
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.simulation.engine import simulate
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload
from tests.properties.strategies import US_EAST_1, rates_of

SIZE = TaskSize(256, 512)


def fixed(n=1, size=SIZE, **more):
    return ServiceSpec(size, min_capacity=n, max_capacity=n, **more)


def bill(workload, spec, rates=None, hours=730, application=None):
    return estimate(workload, rates or rates_of(), spec, application, hours_per_month=hours).cost


def line(cost, charge):
    return next(item for item in cost if item.charge == charge)


def test_the_figures_of_the_article():
    # "Serverless Containers on AWS", Costs: Linux/X86 in CA-CENTRAL-1 as of January 2022, a month of 720 hours.
    rates = rates_of(
        {
            "fargate_linux_x86_vcpu_hour": "0.04456",
            "fargate_linux_x86_gb_hour": "0.004865",
            "alb_hour": "0.02475",
            "alb_lcu_hour": "0.0088",
            "public_ipv4_in_use_hour": "0",  # public addresses were free until 2024-02
        },
        "ca-central-1",
    )
    idle = Workload(LoadProfile.constant(0), cpu_ms_per_request=1)
    one_vcpu = bill(idle, fixed(size=TaskSize(1024, 2048)), rates, 720)
    one_gb = bill(idle, fixed(size=TaskSize(256, 1024)), rates, 720)
    # 720 x 0.04456 = 32.0832, which the article rounds to 32.00.
    assert line(one_vcpu, "fargate_linux_x86_vcpu_hour").list_cost == pytest.approx(32.0832)
    assert round(line(one_gb, "fargate_linux_x86_gb_hour").list_cost, 2) == 3.50
    # 720 x 0.02475
    assert line(one_gb, "alb_hour").list_cost == pytest.approx(17.82)
    # A service that keeps one LCU busy: 25 new connections/s.
    busy = Workload(
        LoadProfile.constant(25),
        cpu_ms_per_request=1,
        requests_per_connection=1,
        connection_s=0,
        request_kb=0,
        response_kb=0,
        log_bytes_per_request=0,
    )
    assert line(bill(busy, fixed(), rates, 720), "alb_lcu_hour").list_cost == pytest.approx(720 * 0.0088)


def test_the_month_is_scaled_before_the_tiers():
    # 10 requests/s x 1 MB: 36 GB an hour, 864 GB a day, all in the first tier; 500 hours are 18,000 GB:
    # 10,240 x 0.09 + 7,760 x 0.085 = 1581.20.
    work = Workload(LoadProfile.constant(10), cpu_ms_per_request=1, response_kb=1000)
    egress = line(bill(work, fixed(), hours=500), "internet_egress")
    assert egress.pricing_quantity == pytest.approx(18_000)
    assert egress.list_cost == pytest.approx(1581.20)
    assert egress.list_unit_price == "0.09, from 10,240 on 0.085"


@pytest.mark.parametrize("hours", [0, 0.5, 745, -730, math.nan, math.inf])
def test_a_month_that_is_none(hours):
    with pytest.raises(InvalidScenario, match="hours_per_month"):
        bill(Workload(LoadProfile.constant(1), cpu_ms_per_request=1), fixed(), hours=hours)


def test_quantities_are_proportional_to_the_month():
    work = Workload(LoadProfile.daily(50, 5), cpu_ms_per_request=10)
    short, long = (bill(work, fixed(2), hours=hours) for hours in (365, 730))
    assert [item.charge for item in short] == [item.charge for item in long]
    for one, two in zip(short, long, strict=True):
        # What stands in storage, and what is priced by the month, does not know how long the month is.
        times = 1 if one.charge in {"logs_storage", "alarms"} else 2
        assert two.pricing_quantity == pytest.approx(times * one.pricing_quantity)


def test_an_unknown_rate_makes_the_bill_a_lower_bound():
    rates = rates_of({name: price for name, price in US_EAST_1.items() if name != "alb_lcu_hour"})
    work = Workload(LoadProfile.constant(10), cpu_ms_per_request=1)
    cost = bill(work, fixed(), rates)
    lcu = line(cost, "alb_lcu_hour")
    assert (lcu.list_cost, lcu.list_unit_price, lcu.sku_text) == (None, "unknown", "no rate known")
    assert lcu.usage_type == "LCUUsage"
    assert lcu.pricing_quantity > 0
    assert cost.is_lower_bound
    assert cost.total_text.startswith("at least $")
    assert cost.total_usd == pytest.approx(
        bill(work, fixed()).total_usd - line(bill(work, fixed()), lcu.charge).list_cost
    )


def test_an_unknown_rate_without_a_quantity_is_not_missed():
    # No NAT gateway, no endpoint, no Spot, no ARM, no storage: none of their rates is needed.
    needed = {"alb_hour", "fargate_linux_x86_gb_hour", "fargate_linux_x86_vcpu_hour", "public_ipv4_in_use_hour"}
    cost = bill(
        Workload(LoadProfile.constant(0), cpu_ms_per_request=1),
        fixed(scaling=()),
        rates_of({n: US_EAST_1[n] for n in needed}),
    )
    # Of a service that nothing scales, for which no alarm is made.
    assert not cost.is_lower_bound
    assert {item.charge for item in cost} == needed - {"public_ipv4_in_use_hour"} | {"public_ipv4"}


def test_a_batch_equals_one_at_a_time():
    work = Workload(LoadProfile.constant(30), cpu_ms_per_request=10)
    specs = [
        fixed(2),
        fixed(3, TaskSize(1024, 2048), cpu_architecture="ARM64"),
        fixed(2, network=NetworkLayout.of("nat", 3, 2)),
        fixed(2, network=NetworkLayout.of("endpoints"), capacity_provider_strategy="FARGATE_SPOT"),
        fixed(2, ephemeral_storage_gib=50),
    ]
    rates = rates_of()
    month = BilledMonth(work, simulate(work, specs), Application())
    bills = price_month(month, rates)
    for i, one in enumerate(specs):
        alone = bill(work, one)
        together = breakdown(month, bills, rates, i)
        assert together == alone
        assert bills.total_usd[i] == pytest.approx(alone.total_usd)


def test_images_are_pulled_through_the_gateway_only_from_outside_ecr():
    series = np.concatenate([np.full(360, 5.0), np.full(360, 200.0)])
    work = Workload(LoadProfile(series, 60), cpu_ms_per_request=10, log_bytes_per_request=0)
    one = ServiceSpec(SIZE, min_capacity=1, max_capacity=40, network=NetworkLayout.of("nat"))
    ecr = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:1"
    for image, pays in ((ecr, False), (None, False), ("nginx:1.29", True), ("public.ecr.aws/nginx/nginx:1", True)):
        found = estimate(work, rates_of(), one, Application(image=image, image_mb=500))
        launched = found.simulation.launched[0]
        assert launched > 0
        # 0.5 GB for each start, 730/12 times a month.
        expected = [launched * 0.5 * 730 / 12] if pays else []
        amounts = [item.pricing_quantity for item in found.cost if item.charge == "nat_gateway_gb"]
        assert amounts == pytest.approx(expected)


def test_the_table_and_the_dict():
    cost = bill(Workload(LoadProfile.constant(10), cpu_ms_per_request=1), fixed(), load_rates("eu-west-1"))
    table = cost.to_frame()
    assert table["list_cost"].sum() == pytest.approx(cost.total_usd)
    assert list(table["charge"]) == [item.charge for item in cost]
    assert [name for name in CHARGES if name in set(table["charge"])] == list(table["charge"])
    values = cost.to_dict()
    assert (values["region"], values["hours_per_month"], values["is_lower_bound"]) == ("eu-west-1", 730, False)
    # 10 x 3600 x 730
    assert values["requests_per_month"] == pytest.approx(26_280_000)
    # The used rates: Fargate 2025-10-27, ALB 2026-06-19, IPv4 2025-11-04, egress 2025-12-02, logs 2025-09-23.
    assert cost.prices_published == "2025-09-23 to 2026-06-19"


def test_the_bill_as_a_page():
    cost = bill(Workload(LoadProfile.constant(1), cpu_ms_per_request=1), fixed())
    # A head, the lines, a foot.
    assert cost._repr_html_().count("<tr>") == len(cost.lines) + 2
    assert f"${cost.total_usd:,.2f} a month" in cost._repr_html_()


@pytest.mark.parametrize(("cost", "text"), [(None, "unknown"), (0.0, "0.00"), (1234.567, "1,234.57")])
def test_amounts_to_read(cost, text):
    assert usd_text(cost) == text


def test_price_month_keeps_the_error_of_each_unknown_rate():
    rates = load_rates("ap-southeast-3")
    work = Workload(LoadProfile.constant(1), cpu_ms_per_request=1)
    one = fixed(capacity_provider_strategy="FARGATE_SPOT")
    bills = price_month(BilledMonth(work, simulate(work, [one]), Application()), rates)
    assert set(bills.unknown) == {"fargate_spot_linux_x86_vcpu_hour", "fargate_spot_linux_x86_gb_hour"}
    assert all(isinstance(error, RateNotFound) for error in bills.unknown.values())
    assert not set(bills.unknown) & set(bills.cost)
    assert set(bills.quantity) == set(bills.unknown) | set(bills.cost)


WORK = Workload(LoadProfile.constant(30), cpu_ms_per_request=10)
MINE = Override("alb_hour", "*", "0.01", "contract <4711> | 50 % off", dt.date(2026, 1, 31))


def test_without_discounts_what_is_contracted_is_the_list_to_the_last_digit():
    cost = bill(WORK, fixed(2))
    for item in cost:
        assert item.contracted_cost == item.list_cost
        assert item.contracted_unit_price == item.list_unit_price
        assert item.discount_percent == 0
    assert cost.total_usd == cost.list_total_usd
    assert "discount" not in str(cost) + cost._repr_html_()


@pytest.mark.parametrize("percent", [0.5, 10, 99])
def test_a_discount_scales_its_lines_and_no_other(percent):
    before, cost = bill(WORK, fixed(2)), bill(WORK, fixed(2), with_discounts(rates_of(), {"AmazonECS": percent}))
    for old, new in zip(before, cost, strict=True):
        if new.charge.startswith("fargate"):
            assert new.contracted_cost == pytest.approx(old.list_cost * (1 - percent / 100))
            assert (new.list_cost, new.list_unit_price) == (old.list_cost, old.list_unit_price)
            assert new.sku_text.endswith(f"less {percent:g} % private discount")
            assert float(new.contracted_unit_price) == pytest.approx(float(old.list_unit_price) * (1 - percent / 100))
        else:
            assert new == old
    assert cost.list_total_usd == before.total_usd
    assert cost.total_usd == pytest.approx(sum(item.contracted_cost for item in cost))
    less = f"discounts, ${cost.list_total_usd - cost.total_usd:,.2f} below AWS's list of ${cost.list_total_usd:,.2f}."
    assert less in cost.prices_text


def test_a_discount_on_all_services_scales_the_bill():
    assert bill(WORK, fixed(2), with_discounts(rates_of(), {"*": 20})).total_usd == pytest.approx(
        0.8 * bill(WORK, fixed(2)).total_usd
    )


def test_your_own_price_is_a_line_of_its_own_with_its_reason():
    before, cost = bill(WORK, fixed(2)), bill(WORK, fixed(2), with_overrides(rates_of(), [MINE]))
    changed = [new for old, new in zip(before, cost, strict=True) if old != new]
    assert changed == [line(cost, "alb_hour")]
    (mine,) = changed
    assert mine.contracted_cost == pytest.approx(730 * 0.01)
    assert (mine.list_cost, mine.list_unit_price) == (line(before, "alb_hour").list_cost, "0.0225")
    assert cost.list_total_usd == pytest.approx(before.total_usd)
    assert (mine.provenance, mine.rate_note, mine.published) == ("own", MINE.reason, "2026-01-31")
    assert mine.sku_text == f"your price: {MINE.reason}"
    # Your date is not one of AWS's price lists.
    assert cost.prices_published == "on unknown dates"
    late = replace(MINE, date=dt.date(2030, 1, 1))
    listed = load_rates("eu-west-1")
    both = [bill(WORK, fixed(2), rates) for rates in (listed, with_overrides(listed, [late]))]
    assert both[0].newest_published == both[1].newest_published


def test_your_prices_and_discounts_are_seen_in_every_form_of_the_bill():
    rates = with_discounts(with_overrides(rates_of(), [MINE]), {"AmazonECS": 10})
    cost = bill(WORK, fixed(2), rates)
    for text in (str(cost), cost._repr_html_().replace("&lt;", "<").replace("&gt;", ">")):
        assert f"your price: {MINE.reason}" in text
        assert "less 10 % private discount" in text
        assert f"{cost.total_usd:,.2f}" in text
    assert "<4711>" not in cost._repr_html_()
    assert "0.036432" in cost._repr_html_()
    values = json.loads(json.dumps(cost.to_dict()))
    by_charge = {item["charge"]: item for item in values["lines"]}
    assert by_charge["alb_hour"]["rate_note"] == MINE.reason
    assert by_charge["fargate_linux_x86_vcpu_hour"]["discount_percent"] == 10
    assert by_charge["fargate_linux_x86_vcpu_hour"]["list_unit_price"] == "0.04048"
    assert by_charge["fargate_linux_x86_vcpu_hour"]["contracted_unit_price"] == "0.036432"
    assert values["list_total_usd_per_month"] > values["total_usd_per_month"] == cost.total_usd
    frame = cost.to_frame().set_index("charge")
    assert frame.loc["alb_hour", "rate_note"] == MINE.reason
    assert frame["contracted_cost"].sum() == pytest.approx(cost.total_usd)


def test_a_ratio_prices_spot():
    spot = fixed(2, capacity_provider_strategy="FARGATE_SPOT")
    cost = bill(WORK, spot, with_spot_ratio(rates_of(), 0.25))
    on_demand = bill(WORK, fixed(2))
    assert line(cost, "fargate_spot_linux_x86_vcpu_hour").contracted_cost == pytest.approx(
        line(on_demand, "fargate_linux_x86_vcpu_hour").contracted_cost / 4
    )
    assert "your price: 0.25 of On-Demand 0.04048" in str(cost)


def seen(**days):
    """Rates of which each was last seen on a day."""
    rates = rates_of()
    dated = {
        name: replace(rate, published=dt.date(2020, 1, 1), checked=days.get(name, dt.date(2026, 6, 1)))
        for name, rate in rates.known.items()
    }
    return Rates(rates.region, dated)


TODAY = dt.date(2026, 6, 30)


def test_stale_rates_are_said_with_the_command_that_asks_again():
    assert bill(WORK, fixed(2), seen()).stale_text(TODAY) == ""
    old = {"alb_hour": dt.date(2026, 4, 1), "alb_lcu_hour": dt.date(2025, 8, 28)}
    cost = bill(WORK, fixed(2), seen(**old))
    # 2026-04-01 is 90 days before, which is not more than 90.
    assert [item.charge for item in cost.stale(TODAY)] == ["alb_lcu_hour"]
    assert cost.stale_text(TODAY) == (
        f"The rate of 1 of {len(cost.lines)} lines was last seen on AWS's list more than 90 days ago (oldest 2025-08-28): "
        "`estimator prices refresh --region us-east-1` asks AWS again."
    )
    assert [item.charge for item in cost.stale(TODAY + dt.timedelta(days=1))] == ["alb_hour", "alb_lcu_hour"]
    assert "The rates of 2 of" in cost.stale_text(TODAY + dt.timedelta(days=1))
    # Today is long after all of them.
    assert cost.stale_text() in cost._repr_html_().replace("&#x27;", "'")
    assert len(cost.stale()) == len(cost.lines)


def test_the_age_of_your_own_prices_is_your_own_affair():
    old = {name: dt.date(2020, 1, 1) for name in ("alb_hour", "fargate_linux_x86_vcpu_hour")}
    rates = with_overrides(seen(**old), [replace(MINE, date=dt.date(2020, 1, 1))])
    assert [item.charge for item in bill(WORK, fixed(2), rates).stale(TODAY)] == ["fargate_linux_x86_vcpu_hour"]
    # A part of a price that AWS lists is as old as that price.
    spot = fixed(2, capacity_provider_strategy="FARGATE_SPOT")
    stale = bill(WORK, spot, with_spot_ratio(rates, 0.3)).stale(TODAY)
    assert [item.charge for item in stale] == ["fargate_spot_linux_x86_vcpu_hour"]


def test_prices_of_a_day_are_said_and_are_stale_from_that_day_on():
    cost = bill(WORK, fixed(2), load_rates("eu-west-1", as_of="2026-07-01"))
    assert cost.prices_text.startswith("Prices as of 2026-07-01. Rates published ")
    # Whatever the day is today, it counts from the day asked for.
    stale = cost.stale(dt.date(2030, 1, 1))
    assert stale == cost.stale()
    assert 0 < len(stale) < len(cost.lines)
    assert all(line.last_seen < "2026-04-02" for line in stale)
    assert "more than 90 days before 2026-07-01" in cost.stale_text()
    assert cost.to_dict()["prices_as_of"] == "2026-07-01"
    assert "Prices as of 2026-07-01." in cost._repr_html_()
    newest = bill(WORK, fixed(2), load_rates("eu-west-1"))
    assert newest.prices_text.startswith("Rates published ")
    assert newest.to_dict()["prices_as_of"] is None


def test_to_see_the_same_rates_again_is_no_other_plan():
    once, again = (estimate(WORK, seen(alb_hour=day), fixed(2)) for day in (TODAY, dt.date(2026, 7, 1)))
    assert once.cost != again.cost
    assert once.fingerprint() == again.fingerprint()
    dearer = estimate(WORK, with_discounts(seen(), {"AWSELB": 1}), fixed(2))
    assert dearer.fingerprint() != once.fingerprint()


def test_a_bill_of_your_own_prices_alone_still_has_a_date():
    cost = bill(WORK, fixed(2))
    mine = [replace(MINE, price=CHARGES[item.charge].price) for item in cost]
    assert bill(WORK, fixed(2), with_overrides(rates_of(), mine)).newest_published == "2026-01-31"


# Faults that were there once.
def test_a_simulation_of_another_load_is_refused():
    day, hour = (
        Workload(LoadProfile.constant(1), cpu_ms_per_request=1),
        Workload(LoadProfile([1.0], 3600), cpu_ms_per_request=1),
    )
    with pytest.raises(ValueError, match=r"period|load"):
        BilledMonth(hour, simulate(day, [fixed()]), Application())
