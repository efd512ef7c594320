"""The page on which knobs of the plan are turned by hand, and things happen to it."""

import io
import math
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import InvalidScenario
from estimator.planning.comparison import compare
from estimator.planning.drills import Situation, drill_minutes
from estimator.planning.planner import estimate
from estimator.report.what_if_figures import courses_figure
from estimator.scenario import Scenario
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.network import NetworkLayout
from estimator.service.operations import Operations
from estimator.service.task_size import TaskSize
from estimator.simulation.replay import replay_flash_crowd
from estimator.ui import what_if_situations
from estimator.ui.cached import Question
from estimator.ui.what_if_answer import IN_WORDS, lines_that_differ
from estimator.ui.what_if_knobs import hand_made, knobs_of
from estimator.units import data_path

pytestmark = pytest.mark.slow

EXAMPLES = sorted(path.stem for path in data_path("examples").glob("*.yaml"))
SHOP, WEB = "shop-daily-peak", "article-web-server"
FOLDER = data_path("examples")


def _script():
    from estimator.ui import what_if_page

    what_if_page.show()


def _open(name: str = SHOP) -> AppTest:
    page = AppTest.from_function(_script, default_timeout=120)
    page.session_state["start"] = name
    return page.run()


def _knob(page: AppTest, name: str):
    """A control of the knobs, which has the name of its knob."""
    kinds = (page.slider, page.selectbox, page.number_input, page.toggle)
    return next(each for kind in kinds for each in kind if each.key == f"what_if.{name}")


def _press(page: AppTest, key: str) -> AppTest:
    return next(button for button in page.button if button.key == key).click().run()


def _happens(page: AppTest, situation: str) -> AppTest:
    choice = next(group for group in page.get("button_group") if group.label == "What happens")
    choice.set_value(situation).run()
    _fine(page)
    return page


def _fine(page: AppTest) -> None:
    assert not page.exception
    assert [error.value for error in page.error] == []


def _metrics(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in page.metric}


@pytest.fixture(scope="module")
def plans():
    """What the search finds for each example, by way of the API."""
    found = {}
    for name in EXAMPLES:
        question = Question(Scenario.from_file(FOLDER / f"{name}.yaml"), FOLDER)
        found[name] = question, question.scenario.plan(folder=FOLDER)
    return found


def _again(plan, question, spec=None, operations=None, savings_plans=None):
    """Estimate a service as the API does, without the section `service` that the page writes."""
    return estimate(
        plan.workload,
        question.scenario.rates(FOLDER),
        plan.spec if spec is None else spec,
        plan.application,
        plan.promise,
        plan.behavior,
        plan.cost.hours_per_month,
        plan.operations if operations is None else operations,
        plan.extras,
        plan.savings_plans if savings_plans is None else savings_plans,
    )


def _by_hand(plans, name, **changes):
    question, plan = plans[name]
    return hand_made(question, plan, changes).scenario


@pytest.mark.parametrize("name", EXAMPLES)
def test_without_a_turn_it_is_the_plan(plans, name):
    question, plan = plans[name]
    same = hand_made(question, plan, {}).scenario.estimate(folder=FOLDER)
    assert same.spec == plan.spec
    assert same.cost == plan.cost
    assert same.fingerprint() == plan.fingerprint()


def test_each_knob_turns_what_it_names(plans):
    _, plan = plans[SHOP]
    spec = plan.spec
    (policy,) = spec.scaling
    for changes, expected in (
        ({"cpu_units": 4096, "memory_mib": 8192}, {"task_size": TaskSize(4096, 8192)}),
        ({"cpu_architecture": "X86_64"}, {"cpu_architecture": "X86_64"}),
        ({"scales": False}, {"scaling": ()}),
        ({"target_value": 55.0}, {"scaling": (replace(policy, target_value=55.0),)}),
        (
            {"scale_out_cooldown_s": 30, "scale_in_cooldown_s": 600},
            {"scaling": (replace(policy, scale_out_cooldown_s=30, scale_in_cooldown_s=600),)},
        ),
        ({"spot_percent": 25.0}, {"capacity_provider_strategy": CapacityProviderStrategy(0, 750, 250)}),
        (
            {"spot_percent": 60.0, "fargate_base": 2},
            {"capacity_provider_strategy": CapacityProviderStrategy(2, 400, 600)},
        ),
        ({"layout": "public"}, {"network": NetworkLayout.of("public", 2)}),
        ({"availability_zones": 3, "nat_gateways": 3}, {"network": NetworkLayout.of("nat", 3, 3)}),
        ({"strategy": "LINEAR"}, {"deployment": replace(spec.deployment, strategy="LINEAR")}),
    ):
        assert _by_hand(plans, SHOP, **changes).spec() == replace(spec, **expected), changes


def test_scheduled_actions_go_with_the_bounds(plans):
    _, plan = plans[SHOP]
    busy, calm = plan.spec.scheduled_actions
    least, most = plan.spec.min_capacity, plan.spec.max_capacity
    assert (calm.min_capacity, calm.max_capacity, busy.max_capacity) == (least, most, most)
    assert busy.min_capacity == knobs_of(plan).busy_min_capacity > least
    # The action that ends the busy hours comes back to the minimum of now, not to the old one.
    spec = _by_hand(plans, SHOP, min_capacity=least + 1, max_capacity=most + 9).spec()
    assert [action.min_capacity for action in spec.scheduled_actions] == [busy.min_capacity, least + 1]
    assert {action.max_capacity for action in spec.scheduled_actions} == {most + 9}
    spec = _by_hand(plans, SHOP, busy_min_capacity=busy.min_capacity + 2).spec()
    assert [action.min_capacity for action in spec.scheduled_actions] == [busy.min_capacity + 2, least]
    # A minimum above that of the busy hours holds in them too.
    spec = _by_hand(plans, SHOP, min_capacity=busy.min_capacity + 1).spec()
    assert {action.min_capacity for action in spec.scheduled_actions} == {busy.min_capacity + 1}


def test_knobs_that_must_go_along(plans):
    _, plan = plans[SHOP]
    # 0.25 vCPU has 0.5, 1 or 2 GB; the nearest to the plan's is taken.
    assert plan.spec.task_size.memory_mib > 2048
    assert _by_hand(plans, SHOP, cpu_units=256).spec().task_size == TaskSize(256, 2048)
    spec = _by_hand(plans, SHOP, layout="nat", availability_zones=2, nat_gateways=5).spec()
    assert spec.network.nat_gateways == 2
    with pytest.raises(InvalidScenario, match="no way to the internet"):
        _by_hand(plans, SHOP, layout="endpoints").estimate()


def test_a_commitment_by_hand(plans):
    question, plan = plans["booking-week-csv"]
    bought = SavingsPlan("1yr", "No Upfront", 0.05)
    changes = {"commitment": "1yr No Upfront", "commitment_usd_per_h": 0.05}
    found = hand_made(question, plan, changes).scenario.estimate(folder=FOLDER)
    assert found.savings_plans == (bought,)
    assert found.cost.total_usd == _again(plan, question, savings_plans=(bought,)).cost.total_usd
    assert found.cost.total_usd < plan.cost.total_usd
    # Of one that one has nothing is taken away.
    own = replace(bought, existing=True)
    owner = replace(plan, savings_plans=(own,))
    assert hand_made(question, owner, {"commitment": "none"}).scenario.savings_plans == (own,)
    assert hand_made(question, owner, changes).scenario.savings_plans == (own, bought)


def test_a_turned_knob_shows_what_the_api_says(plans):
    question, plan = plans[SHOP]
    page = _open()
    _fine(page)
    assert _metrics(page)["Monthly bill"] == (f"${plan.cost.total_usd:,.2f}", "as recommended")
    assert [button.disabled for button in page.button if button.key in {"what_if.undo", "what_if.reset"}] == [True] * 2
    _knob(page, "target_value").set_value(60.0).run()
    _fine(page)
    (policy,) = plan.spec.scaling
    other = _again(plan, question, replace(plan.spec, scaling=(replace(policy, target_value=60.0),)))
    found = compare(plan, other, IN_WORDS)
    change = round(other.cost.total_usd, 2) - round(plan.cost.total_usd, 2)
    shown = _metrics(page)
    assert shown["Monthly bill"] == (f"${other.cost.total_usd:,.2f}", f"+${change:,.2f}")
    assert change > 0
    fall = round(plan.figures["p95_latency_ms"]) - round(other.figures["p95_latency_ms"])
    assert shown["p95 latency"] == (f"{other.figures['p95_latency_ms']:,.0f} ms", f"-{fall} ms")
    assert any(found.verdict.split("(")[0].replace("$", "\\$") in text.value for text in page.markdown)
    by_hand = "By\N{NO-BREAK SPACE}hand"
    table = next(each.value for each in page.table if by_hand in each.value.columns)
    differing = [line for line in found.lines if abs(line.difference_usd) >= 0.005]
    assert table["Difference"].sum() == pytest.approx(2 * found.difference_usd, abs=0.011 * (len(differing) + 1))
    assert len(table) == len(differing) + 1
    assert table[by_hand].iloc[-1] == round(other.cost.total_usd, 2)
    # A second turn, one step back, and all the way back.
    _knob(page, "cpu_architecture").select("X86_64").run()
    assert _metrics(page)["Monthly bill"][0] not in {shown["Monthly bill"][0], f"${plan.cost.total_usd:,.2f}"}
    _press(page, "what_if.undo")
    assert _metrics(page) == shown
    assert _knob(page, "cpu_architecture").value == "ARM64"
    _press(page, "what_if.reset")
    assert _metrics(page)["Monthly bill"] == (f"${plan.cost.total_usd:,.2f}", "as recommended")
    _press(page, "what_if.undo")
    assert _metrics(page) == shown
    # Another scenario is another service.
    next(box for box in page.selectbox if box.label == "Start from").select(WEB).run()
    web = plans[WEB][1]
    assert _metrics(page)["Monthly bill"] == (f"${web.cost.total_usd:,.2f}", "as recommended")


def test_what_aws_refuses_is_a_sentence_and_the_knobs_stay(plans):
    _, plan = plans[WEB]
    page = _open(WEB)
    _knob(page, "min_capacity").set_value(plan.spec.max_capacity + 1).run()
    assert not page.exception
    assert not page.metric
    assert f"max_capacity is {plan.spec.max_capacity}" in page.error[0].value
    _knob(page, "max_capacity").set_value(plan.spec.max_capacity + 5).run()
    _fine(page)
    assert page.metric
    assert all(widget.help for widget in (*page.slider, *page.number_input, *page.selectbox) if "what_if" in widget.key)


def test_a_lost_zone_is_said_of_one_time(plans):
    question, plan = plans[SHOP]
    page = _happens(_open(), what_if_situations.ZONE)
    load = plan.workload.load
    busiest_h = int(load.requests_per_s.argmax()) * load.step_s / 3600
    after = _again(plan, question, operations=Operations(zone_losses_h=(busiest_h,)))
    # The load is of one day, so a month of 730 hours has 730 / 24 such losses.
    times = 730 / 24
    added = {name: (after.figures[name] - plan.figures[name]) / times for name in plan.figures}
    table = next(each.value for each in page.table if "Breaks" in each.value.columns)
    row = table.iloc[0]
    assert len(table) == 1
    assert row.iloc[1] == pytest.approx(added["total_usd_per_month"], abs=0.0051)
    assert row.iloc[2] == pytest.approx(added["minutes_over_capacity_per_month"], abs=0.051)
    assert row.iloc[2] > 0
    assert row.iloc[4] == pytest.approx(added["unserved_requests_per_month"], abs=0.51)
    assert row.iloc[5] == round(after.figures["p95_latency_ms"])
    # Two minutes are within the five that are promised.
    assert (row["Breaks"] == "nothing") == (added["minutes_over_capacity_per_month"] <= 5)


def test_ten_deployments_a_day_are_said_of_a_month(plans):
    question, plan = plans[SHOP]
    page = _open()
    _knob(page, "strategy").select("LINEAR").run()
    _happens(page, what_if_situations.DEPLOYMENTS)
    schedule = tuple(f"cron(0 {hour} * * ? *)" for hour in range(8, 18))
    assert len(schedule) == 10
    table = next(each.value for each in page.table if "Breaks" in each.value.columns)
    for place, spec in enumerate(
        (plan.spec, replace(plan.spec, deployment=replace(plan.spec.deployment, strategy="LINEAR")))
    ):
        calm = _again(plan, question, spec)
        after = _again(plan, question, spec, Operations(deployment_schedules=schedule))
        more = after.cost.total_usd - calm.cost.total_usd
        assert more > 0
        assert table.iloc[place, 1] == pytest.approx(more, abs=0.0051)
    # Both revisions run for longer while traffic shifts in steps.
    assert table.iloc[1, 1] > table.iloc[0, 1]


def test_spot_runs_out(plans):
    _, plan = plans[SHOP]
    page = _happens(_open(), what_if_situations.SPOT)
    assert any("No task runs on Fargate Spot" in text.value for text in page.caption)
    _knob(page, "spot_percent").set_value(50.0).run()
    _fine(page)
    spec = replace(plan.spec, capacity_provider_strategy=CapacityProviderStrategy(0, 500, 500))
    promise = replace(plan.promise, max_minutes_in_spot_shortage=0.0, spot_shortage_hours=4.0)
    situation = Situation(plan.workload, plan.application, plan.behavior, plan.operations, promise)
    worst = drill_minutes(spec, situation)["max_minutes_in_spot_shortage"]
    assert worst > 0
    assert any(f"{worst:,.0f} minutes would be over capacity" in text.value for text in page.caption)
    table = next(each.value for each in page.table if "Breaks" in each.value.columns)
    assert table.iloc[0, 1:5].tolist() == [0, 0, 0, 0]


def test_the_crowd_comes_to_the_turned_service(plans):
    question, plan = plans[WEB]
    page = _open(WEB)
    _knob(page, "max_capacity").set_value(20)
    _knob(page, "scales").set_value(True)
    _knob(page, "min_capacity").set_value(3).run()
    _happens(page, what_if_situations.CROWD)
    scenario = question.scenario
    found = replay_flash_crowd(
        plan.workload,
        _by_hand(plans, WEB, max_capacity=20, scales=True, min_capacity=3).spec(),
        factor=10,
        rise_s=60,
        hold_s=1800,
        decay_s=1800,
        application=scenario.application,
        behavior=scenario.behavior,
        p95_latency_ms=scenario.promise.p95_latency_ms,
    )
    table = next(each.value for each in page.table if "Scaling" in each.value.columns)
    assert table.iloc[:, 1].tolist() == pytest.approx(found.to_frame()["refused_percent"].tolist(), abs=0.051)


def test_the_lines_that_differ_name_what_is_only_in_one(plans):
    question, plan = plans[SHOP]
    other = hand_made(question, plan, {"layout": "public"}).scenario.estimate()
    found = compare(plan, other, IN_WORDS)
    table = lines_that_differ(found)
    gone = next(row for row in table.rows if row[0] == "NAT gateways")
    (line,) = (line for line in plan.cost if line.title == "NAT gateways")
    assert gone[1:] == (f"{line.effective_cost:,.2f}", "none", f"-{line.effective_cost:,.2f}")
    assert table.footer[1:3] == (f"{plan.cost.total_usd:,.2f}", f"{other.cost.total_usd:,.2f}")
    changes = [abs(float(row[3].replace(",", ""))) for row in table.rows]
    assert changes == sorted(changes, reverse=True)
    assert not lines_that_differ(compare(plan, plan)).rows
    frame = pd.read_csv(io.StringIO(found.to_frame().to_csv(index=False)))
    assert frame["difference_usd"].sum() == pytest.approx(found.difference_usd)


def test_the_courses_are_drawn_over_one_another(plans):
    question, plan = plans[SHOP]
    small = _again(plan, question, replace(plan.spec, task_size=TaskSize(512, 1024)))
    figure = courses_figure((plan, small), ("Recommended", "By hand"))
    names = [trace.name for trace in figure.data]
    assert names.count("Recommended") == names.count("By hand") == 1
    assert "over capacity, By hand" in names
    assert "over capacity, Recommended" not in names
    tasks = {trace.name: trace for trace in figure.data if trace.name in {"Recommended", "By hand"}}
    for name, each in (("Recommended", plan), ("By hand", small)):
        assert max(tasks[name].y) == each.series.running_count.max()
    looks = {(trace.line.color, trace.line.dash) for trace in tasks.values()}
    assert len({color for color, _ in looks}) == len({dash for _, dash in looks}) == 2
    units = [axis.title.text for axis in figure.select_yaxes()]
    assert [unit for unit in units if "[requests/s]" in unit or "tasks" in unit or "[ms]" in unit] == units
    assert math.isclose(max(figure.data[0].y), plan.workload.load.peak_requests_per_s, rel_tol=1e-3)
    alone = courses_figure((plan,), ("Recommended",))
    assert "By hand" not in [trace.name for trace in alone.data]
