"""The steps of a bill, and the figure that is drawn of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostBreakdown
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.planner import estimate
from estimator.planning.result import Plan
from estimator.pricing.catalog import PRICES
from estimator.pricing.rates import Rates
from estimator.pricing.snapshots import load_rates
from estimator.report.bill_figures import bill_waterfall
from estimator.report.bill_steps import GROUPS, REST, bill_steps, group_of, unknown_text
from estimator.service.application import Application
from estimator.service.extras import Extras
from estimator.service.network import NetworkLayout
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

WORK = Workload(LoadProfile.daily(350, 50), cpu_ms_per_request=40, response_kb=60, log_bytes_per_request=300)
SPEC = ServiceSpec(TaskSize(1024, 2048), network=NetworkLayout.of("nat"), max_capacity=40)
EXTRAS = Extras(waf_rules=2, hosted_zones=1, kms_keys=1)
BEST, LOSS = SavingsPlan(), SavingsPlan(commitment_usd_per_h=5.0)


def priced(*savings_plans: SavingsPlan, unknown: tuple[str, ...] = ()) -> Plan:
    rates = load_rates("us-east-1")
    known = {name: rate for name, rate in rates.known.items() if name not in unknown}
    return estimate(WORK, Rates("us-east-1", known), SPEC, Application(), extras=EXTRAS, savings_plans=savings_plans)


KINDS: dict[str, Callable[[], Plan]] = {
    "on demand": priced,
    "savings plan": lambda: priced(BEST),
    "two savings plans": lambda: priced(SavingsPlan(commitment_usd_per_h=0.1, existing=True), BEST),
    "loss": lambda: priced(LOSS),
    "unknown": lambda: priced(unknown=("web_acl_month", "nat_gateway_gb")),
    "unknown and savings plan": lambda: priced(BEST, unknown=("alb_hour", "alb_lcu_hour")),
    "nothing known": lambda: priced(unknown=tuple(PRICES)),
}


@cache
def bill(name: str) -> Plan:
    return KINDS[name]()


@pytest.mark.parametrize("name", KINDS)
def test_the_steps_add_up_to_the_total_to_the_cent(name: str) -> None:
    plan = bill(name)
    *steps, total = bill_steps(plan.cost)
    assert sum(step.usd for step in steps) == pytest.approx(plan.cost.total_usd, abs=0.005)
    assert (total.begin_usd, total.end_usd) == (0.0, plan.cost.total_usd)
    at = 0.0
    for step in steps:
        assert step.begin_usd == pytest.approx(at)
        at = step.end_usd
    # Each line is of one group.
    inside = [line.charge for step in steps for line in step.lines]
    assert sorted(inside) == sorted(line.charge for line in plan.cost)
    assert all(group_of(line) == step.title for step in steps for line in step.lines)


@pytest.mark.parametrize("name", KINDS)
def test_the_figure_draws_the_steps(name: str) -> None:
    plan = bill(name)
    figure = bill_waterfall(plan)
    (bars,) = figure.data
    *relative, last = bars.measure
    assert set(relative) == {"relative"}
    assert last == "total"
    assert sum(bars.x[:-1]) == pytest.approx(plan.cost.total_usd, abs=0.005)
    assert [label.text for label in figure.layout.annotations][-1].endswith(f"${plan.cost.total_usd:,.2f}</b>")
    assert [label.y for label in figure.layout.annotations] == list(bars.y)
    # All of it is inside the axis.
    assert max(step.end_usd for step in bill_steps(plan.cost)) <= figure.layout.xaxis.range[1]
    # Light or dark as its page is.
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None
    assert all(label.font.color is None for label in figure.layout.annotations)


def test_amounts_of_groups_by_hand() -> None:
    steps = {step.title: step for step in bill_steps(bill("on demand").cost)}
    assert list(steps) == [*GROUPS, REST, "Total"]
    costs = {line.charge: line.list_cost for line in bill("on demand").cost}
    # us-east-1: 730 h of a gateway at 4.5 cents, its data at 4.5 cents a GB, two load balancer nodes and a gateway with an address at half a cent.
    gb = 200 * 3600 * 730 * 300 / 1e9
    assert steps["Network"].usd == pytest.approx(730 * 0.045 + gb * 0.045 + 3 * 730 * 0.005)
    assert steps["Load balancer"].usd == pytest.approx(730 * 0.0225 + costs["alb_lcu_hour"])
    assert steps["Edge"].usd == pytest.approx(5 + 2 * 1 + 200 * 3600 * 730 * 0.6e-6 + 0.5)
    assert steps[REST].usd == pytest.approx(1)
    assert steps["Network"].text == f"${steps['Network'].usd:,.2f}"


@pytest.mark.parametrize("name", ["savings plan", "two savings plans", "loss"])
def test_savings_plans_are_a_step_from_on_demand(name: str) -> None:
    plan, on_demand = bill(name), bill("on demand").cost.total_usd
    *_, step, total = bill_steps(plan.cost)
    assert step.title == "Savings Plans"
    assert step.begin_usd == pytest.approx(on_demand)
    # On-Demand, what each plan pays for less its commitment.
    saved = sum(done.on_demand_usd - done.commitment_usd_per_h * 730 for done in plan.cost.savings_plans)
    assert step.usd == pytest.approx(-saved)
    assert total.usd == pytest.approx(on_demand - saved)
    sign = "+" if name == "loss" else "−"
    assert step.text == f"{sign}${abs(saved):,.2f}"
    assert step.usd > 0 if name == "loss" else step.usd < 0
    assert step.text in [label.text for label in bill_waterfall(plan.cost).layout.annotations]


def test_what_is_unknown_is_said() -> None:
    plan = bill("unknown")
    steps = {step.title: step for step in bill_steps(plan.cost)}
    assert {title for title, step in steps.items() if step.is_lower_bound} == {"Network", "Edge", "Total"}
    assert steps["Edge"].text == f"at least ${steps['Edge'].usd:,.2f}"
    assert unknown_text(plan.cost).startswith("No rate is known for NAT gateway data, Web ACL: ")
    figure = bill_waterfall(plan)
    amounts = {label.y: label.text for label in figure.layout.annotations}
    assert amounts["Edge"] == f"≥ ${steps['Edge'].usd:,.2f}"
    caption = figure.layout.xaxis.title.text.replace("<br>", " ")
    assert "NAT gateway data, Web ACL" in caption
    assert "the bill is at least that" in caption
    # A group of which nothing is known has no amount at all.
    nothing = bill_steps(bill("nothing known").cost)
    assert {step.text for step in nothing[:-1]} == {"unknown"}
    assert nothing[-1].text == "at least $0.00"
    known = bill_waterfall(bill("on demand"))
    assert known.layout.xaxis.title.text == "USD/month"
    assert unknown_text(bill("on demand").cost) == ""


def test_the_pointer_shows_the_largest_lines_of_a_group() -> None:
    cost = bill("on demand").cost
    (bars,) = bill_waterfall(cost).data
    told = dict(zip(bars.y, bars.customdata, strict=True))
    assert told["Edge"].split("<br>")[1].startswith("Requests inspected by the web ACL: 315.36")
    (line,) = (line for line in cost if line.charge == "kms_keys")
    many = replace(cost, lines=tuple(replace(line, charge=f"kms_keys:{i}") for i in range(11)))
    (bars,) = bill_waterfall(many).data
    assert bars.customdata[0].endswith("<br>and 3 more")


def test_a_bill_without_lines_is_a_total_of_nothing() -> None:
    empty = CostBreakdown("us-east-1", 730, (), 0.0)
    assert [step.text for step in bill_steps(empty)] == ["$0.00"]
    assert bill_waterfall(empty).data[0].x == (0.0,)


def test_each_charge_has_a_group() -> None:
    """A service that is new to the bill is put into a group, or is one of the rest on purpose."""
    rest = {"AmazonECR", "AWSSecretsManager", "awskms"}
    grouped = [code for codes in GROUPS.values() for code in codes]
    assert len(grouped) == len(set(grouped))
    used = {PRICES[charge.price].query.service_code for charge in CHARGES.values()}
    assert used <= {*grouped, *rest}
    assert not rest & set(grouped)
