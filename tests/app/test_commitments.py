"""The page on what can be chosen beside the service: its figures are those of the Python API, and break-evens are where bills meet."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from estimator.billing.savings_plan_options import SavingsPlanOption
from estimator.planning.networks import compare_networks
from estimator.planning.planner import estimate
from estimator.planning.purchases import compare_purchases
from estimator.pricing.snapshots import load_rates
from estimator.report.provenance import explain
from estimator.report.tables import networks_table
from estimator.scenario import Scenario
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.ui import commitments_networks, commitments_purchases
from estimator.units import data_path
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

pytestmark = pytest.mark.slow

NAME, REGION = "article-web-server", "us-east-1"
OPTION = SavingsPlanOption("1yr", "All Upfront")
HALF = TaskSize(512, 1024)


@pytest.fixture(scope="module")
def rates():
    return load_rates(REGION)


@pytest.fixture(scope="module")
def plan(rates):
    values = Scenario.from_file(data_path("examples", f"{NAME}.yaml")).to_dict() | {"region": REGION}
    return Scenario.from_dict(values).plan(rates, data_path("examples"))


@pytest.fixture(scope="module")
def page() -> AppTest:
    def script():
        from estimator.ui import commitments_page

        commitments_page.show()

    page = AppTest.from_function(script, default_timeout=120).run()
    _by_label(page.selectbox, "Start from").select(NAME).run()
    return _by_label(page.selectbox, "Region").select(REGION).run()


def _by_label(widgets, label):
    (found,) = (widget for widget in widgets if widget.label == label)
    return found


def _fine(page: AppTest) -> None:
    assert not page.exception
    assert [error.value for error in page.error] == []


def _table(page: AppTest, head: str):
    """The table with such a column."""
    (frame,) = (each.value for each in page.table if head in each.value.columns)
    frame.columns = [name.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NON-BREAKING HYPHEN}", "-") for name in frame]
    return frame


def test_each_savings_plan_saves_what_the_api_says(page, plan, rates):
    _fine(page)
    ways = compare_purchases(plan, rates)
    shown = _table(page, "Saves USD/month")
    known = 0
    for option, usd, saves in zip(
        commitments_purchases.by_option(ways, plan), shown["USD/month"], shown["Saves USD/month"], strict=True
    ):
        way = next((way for way in ways if way.savings_plan is not None and way.savings_plan.option == option), None)
        if way is None or way.cost is None:
            # Not a number, and never 0: the cell reads "unknown".
            assert usd != usd
            continue
        known += 1
        assert usd == round(way.cost.total_usd, 2)
        assert saves == pytest.approx(plan.cost.total_usd - way.cost.total_usd, abs=0.006)
    assert 0 < known < 6
    assert any(text.value.startswith("No rate is known for") for text in page.caption)


def test_an_unknown_rate_is_said_and_a_discount_of_ones_own_taken(page, plan, rates):
    _by_label(page.selectbox, "Term and payment option").select("1 year, All Upfront").run()
    _fine(page)
    assert any("No rate is known for" in info.value for info in page.info)
    drawn = len(page.get("plotly_chart"))
    _by_label(page.number_input, "Less than On-Demand (%)").set_value(25.0).run()
    _fine(page)
    assert not page.info
    assert len(page.get("plotly_chart")) == drawn + 1
    row = commitments_purchases.SAVINGS_PLAN_OPTIONS.index(OPTION)
    own = commitments_purchases.with_own_discounts(rates, [(OPTION, 25.0)])
    (way,) = (
        way
        for way in compare_purchases(plan, own)
        if way.savings_plan == commitments_purchases.SavingsPlan("1yr", "All Upfront")
    )
    assert _table(page, "Saves USD/month")["USD/month"][row] == round(way.cost.total_usd, 2)
    _by_label(page.number_input, "Less than On-Demand (%)").set_value(None).run()
    assert any("No rate is known for" in info.value for info in page.info)


def test_a_discount_saves_its_part_of_a_constant_service(rates):
    spec = ServiceSpec(HALF, "ARM64", min_capacity=3, max_capacity=3)
    assert not any(name.startswith("sp_compute_1yr_allupfront__fargate_linux_arm") for name in rates)
    found = estimate(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), rates, spec)
    own = commitments_purchases.with_own_discounts(rates, [(OPTION, 20.0)])
    way = commitments_purchases.by_option(compare_purchases(found, own), found)[OPTION]
    fargate = sum(line.effective_cost for line in found.cost if line.charge.startswith("fargate_linux"))
    # All hours are alike, so that the whole of it is committed, to AWS's five decimals.
    assert way.bought.commitment_usd_per_h == pytest.approx(0.8 * fargate / 730, abs=1e-5)
    assert found.cost.total_usd - way.cost.total_usd == pytest.approx(0.2 * fargate, abs=0.01)
    assert own["fargate_linux_arm_vcpu_hour"] == rates["fargate_linux_arm_vcpu_hour"]
    name = OPTION.price_of("linux_arm_vcpu")
    assert (own[name].provenance, own[name].sku) == ("own", "")
    # What AWS says stays, even beside what is said here.
    said = OPTION.price_of("linux_x86_vcpu")
    assert own[said] == rates[said]
    assert float(own[OPTION.price_of("linux_x86_gb")].tiers[0].price) == pytest.approx(
        0.8 * float(rates["fargate_linux_x86_gb_hour"].tiers[0].price)
    )


def test_layouts_cost_what_the_api_says(page, plan, rates):
    bills = compare_networks(plan, rates)
    shown = _table(page, "Whole bill USD/month")
    assert shown["Whole bill USD/month"].tolist()[0] == round(bills[0].cost.total_usd, 2)
    rows = networks_table(bills).rows
    assert [re.sub(r"\W", "", text) for text in shown["Layout"]] == [re.sub(r"\W", "", row[0]) for row in rows]
    _by_label(page.selectbox, "Arithmetic of a layout").select(bills[0].title).run()
    _fine(page)
    line = next(line for line in bills[0].cost if line.charge == "public_ipv4")
    assert "\n".join(explain(line, rates[line.price])) in page.code[0].value


def test_what_runs_today_is_priced_too(page, rates):
    _by_label(page.get("button_group"), "For").set_value("What runs today").run()
    _fine(page)
    values = Scenario.from_file(data_path("examples", f"{NAME}.yaml")).to_dict() | {"region": REGION}
    today = Scenario.from_dict(values).estimate(rates)
    bills = compare_networks(today, rates)
    shown = _table(page, "Whole bill USD/month")
    assert shown["Whole bill USD/month"].tolist()[0] == round(bills[0].cost.total_usd, 2)


def test_with_more_tasks_than_the_break_even_addresses_cost_more(rates):
    work = Workload(LoadProfile.constant(5), cpu_ms_per_request=10)

    def of(tasks: int):
        found = estimate(work, rates, ServiceSpec(HALF, min_capacity=tasks, max_capacity=tasks))
        return found, {bill.network: bill for bill in compare_networks(found, rates)}

    found, bills = of(3)
    public, nat = (
        next(bill for bill in bills.values() if bill.title == title)
        for title in ("public addresses", "one NAT gateway")
    )
    tasks = commitments_networks.break_even_tasks(public, nat, found, rates)
    assert tasks == pytest.approx(commitments_networks.break_even_tasks(nat, public, found, rates))
    # By hand: a gateway at 0.045 USD an hour and its address at 0.005, and what its traffic costs, for addresses at 0.005 each.
    gb = next(line.effective_cost for line in nat.cost if line.charge == "nat_gateway_gb")
    crossing = next(line.effective_cost for line in nat.cost if line.charge == "cross_zone")
    assert tasks == pytest.approx((0.05 * 730 + gb + crossing) / (0.005 * 730), rel=1e-6)
    for count, cheaper in ((int(tasks), public), (int(tasks) + 1, nat)):
        _, there = of(count)
        assert (
            min((there[public.network], there[nat.network]), key=lambda bill: bill.network_usd).title == cheaper.title
        )
    assert commitments_networks.break_even_tasks(nat, replace(nat), found, rates) is None
