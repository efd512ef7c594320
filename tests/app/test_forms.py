"""The forms of what runs today and of what happens, each alone on a page."""

import re
from dataclasses import dataclass, fields
from typing import Literal, get_type_hints

import pytest
from streamlit.testing.v1 import AppTest

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.service.deployment import DEPLOYMENT_STRATEGIES, DeploymentConfiguration
from estimator.service.policies import POLICIES, Policy
from estimator.ui import forms
from estimator.units import data_path, described_fields

pytestmark = pytest.mark.slow


def _alone(name: str, values: dict) -> AppTest:
    """Show one form; what it says goes into the session's state."""

    def script(name, values):
        import copy
        import importlib

        import streamlit as st

        said = copy.deepcopy(values)
        importlib.import_module(f"estimator.ui.{name}").show(said)
        st.session_state["said"] = said

    return AppTest.from_function(script, default_timeout=30, args=(name, values)).run()


@pytest.fixture
def values() -> dict:
    return Scenario.from_file(data_path("examples", "shop-daily-peak.yaml")).to_dict()


def _one(widgets, label, nth=0):
    found = [widget for widget in widgets if widget.label == label]
    assert len(found) > nth, [widget.label for widget in widgets]
    return found[nth]


def _said(page: AppTest, section: str):
    """What the form says, which must be a scenario."""
    assert not page.exception
    assert [error.value for error in page.error] == []
    return Scenario.from_dict(page.session_state["said"]).to_dict()[section]


def _policies(page: AppTest) -> AppTest:
    return page.get("button_group")[0].set_value("Policies").run()


def _kind(page: AppTest, policy_type: str, nth=0) -> AppTest:
    return _one(page.selectbox, "Kind", nth).select(policy_type).run()


def test_the_form_says_what_the_scenario_says(values):
    values["service"] |= {
        "scaling": [
            {"policy_type": "TargetTrackingScaling", "target_value": 55.5, "disable_scale_in": True},
            {
                "policy_type": "StepScaling",
                "step_adjustments": [
                    {"scaling_adjustment": 2, "metric_interval_lower_bound": 0, "metric_interval_upper_bound": 12.5},
                    {"scaling_adjustment": 7, "metric_interval_lower_bound": 12.5},
                ],
            },
            {"policy_type": "PredictiveScaling", "mode": "ForecastOnly"},
        ],
        "target_value": 60.0,
        "scheduled_actions": [{"schedule": "rate(12 hours)", "max_capacity": 9, "timezone": "Europe/Berlin"}],
        "capacity_provider_strategy": {"fargate_base": 3, "fargate_weight": 2, "fargate_spot_weight": 5},
        "deployment": {"strategy": "CANARY", "canary_bake_time_in_minutes": 3, "step_percent": 25},
    }
    values["operations"] = {
        "deployment_schedules": ["cron(0 3 * * ? *)", "rate(1 day)"],
        "timezone": "Asia/Tokyo",
        "zone_losses_h": [4.5],
        "spot_shortages": [{"start_h": 2, "hours": 1.5}],
    }
    given = Scenario.from_dict(values).to_dict()
    assert _said(_alone("today", given), "service") == given["service"]
    assert _said(_alone("happenings", given), "operations") == given["operations"]


def test_nothing_runs_today(values):
    page = _alone("today", values | {"service": None})
    assert _said(page, "service") is None
    page.toggle[0].set_value(True).run()
    assert _said(page, "service")["cpu_units"] == 1024
    page.toggle[0].set_value(False).run()
    assert _said(page, "service") is None


def test_the_plain_target_has_its_simple_fields(values):
    page = _alone("today", values)
    _one(page.number_input, "Target value").set_value(45).run()
    _one(page.number_input, "Scale-in cooldown (s)").set_value(120).run()
    _one(page.number_input, "Tasks at most").set_value(33).run()
    service = _said(page, "service")
    assert (service["target_value"], service["scale_in_cooldown_s"], service["max_capacity"]) == (45, 120, 33)
    assert service["scaling"] is None
    # Policies of one's own begin with that target.
    (policy,) = _said(_policies(page), "service")["scaling"]
    assert (policy["policy_type"], policy["target_value"], policy["scale_in_cooldown_s"]) == (
        "TargetTrackingScaling",
        45,
        120,
    )


def test_a_size_takes_a_memory_that_it_has(values):
    page = _alone("today", values)
    _one(page.selectbox, "CPU of a task").select("4096").run()
    assert _said(page, "service")["memory_mib"] == 8192
    _one(page.selectbox, "CPU of a task").select("256").run()
    assert _said(page, "service")["memory_mib"] == 2048


@pytest.mark.parametrize("policy_type", POLICIES)
def test_each_kind_of_policy_has_a_control_for_each_field(values, policy_type):
    values["service"]["target_value"] = 60.0
    page = _kind(_policies(_alone("today", values)), policy_type)
    (policy,) = _said(page, "service")["scaling"]
    parameters = POLICIES[policy_type].parameters
    assert set(policy) == {"policy_type", *(item.name for item in fields(parameters))}
    controls = [*page.selectbox, *page.number_input, *page.toggle, *page.text_input]
    keys = {widget.key for widget in controls}
    for item in fields(parameters):
        if item.name != "step_adjustments":
            assert f"edit.service.scaling.0.{policy_type}.{item.name}" in keys
    texts = described_fields(parameters)
    for widget in controls:
        if f".{policy_type}." in widget.key and "step_adjustments" not in widget.key:
            assert widget.help == texts[widget.key.rpartition(".")[2]]
    assert POLICIES[policy_type].parameters().describe() in [caption.value for caption in page.caption]


def test_a_new_kind_of_policy_shows_up_by_itself(values, monkeypatch):
    @dataclass(frozen=True)
    class Lunar:
        """Scaling by the moon.

        Parameters
        ----------
        phase : str
            Phase of the moon.
        shade : str
            Any text.
        tide_s : int
            Length of a tide. [s]
        pull : float, optional
            Strength of it. [%]
        at_night : bool
            True to scale at night.
        """

        phase: Literal["New", "FullMoon"] = "New"
        shade: str = "gray"
        tide_s: int = 40
        pull: float | None = None
        at_night: bool = False

        def __post_init__(self):
            if self.tide_s < 10:
                raise InvalidScenario(f"tide_s is {self.tide_s}; it must be at least 10.")

        def describe(self):
            return f"moon {self.phase}"

        metric = POLICIES["TargetTrackingScaling"].parameters().metric

    monkeypatch.setitem(POLICIES, "LunarScaling", Policy(Lunar, None, None))
    page = _kind(_policies(_alone("today", values)), "LunarScaling")
    assert _one(page.selectbox, "Kind").options[-1] == "Lunar scaling"
    assert _one(page.selectbox, "Phase").options == ["New", "Full moon"]
    assert _one(page.number_input, "Pull (%)").value is None
    assert _one(page.number_input, "Tide (s)").help == "Length of a tide. [s]"
    _one(page.text_input, "Shade").set_value("blue").run()
    _one(page.toggle, "At night").set_value(True).run()
    said = page.session_state["said"]["service"]["scaling"]
    assert said == [
        {"policy_type": "LunarScaling", "phase": "New", "shade": "blue", "tide_s": 40, "pull": None, "at_night": True}
    ]
    _one(page.number_input, "Tide (s)").set_value(3).run()
    assert "tide_s is 3; it must be at least 10." in page.error[0].value


def test_policies_are_added_and_removed(values):
    page = _policies(_alone("today", values))
    # A second one of target tracking would be of the same metric, which AWS refuses.
    _one(page.button, "Add a policy").click().run()
    _one(page.button, "Add a policy").click().run()
    _said(page, "service")
    _kind(page, "TargetTrackingScaling", 2)
    assert "tracks ECSServiceAverageCPUUtilization twice" in page.error[0].value
    _one(page.selectbox, "Metric", 2).select("ALBRequestCountPerTarget").run()
    _one(page.number_input, "Target value", 1).set_value(800).run()
    kinds = [policy["policy_type"] for policy in _said(page, "service")["scaling"]]
    assert kinds == ["TargetTrackingScaling", "StepScaling", "TargetTrackingScaling"]
    # 1 vCPU at 60 % serves 0.6 / 0.04 s = 15 requests a second.
    assert any("At a CPU target of 60 % it would be: requests target 900 a minute" in c.value for c in page.caption)
    _one(page.button, "Remove", 0).click().run()
    left = _said(page, "service")["scaling"]
    assert [policy["policy_type"] for policy in left] == ["StepScaling", "TargetTrackingScaling"]
    assert left[1]["target_value"] == 800
    # What comes after a removed one begins anew.
    _one(page.button, "Remove", 2).click().run()
    _one(page.button, "Add a policy").click().run()
    assert _said(page, "service")["scaling"][1]["target_value"] == 60
    for _ in range(2):
        next(button for button in page.button if button.help and button.help.startswith("Remove policy")).click().run()
    assert _said(page, "service")["scaling"] == []
    assert any("desired count stays" in caption.value for caption in page.caption)


def test_added_steps_leave_no_gap(values):
    page = _kind(_policies(_alone("today", values)), "StepScaling")
    for _ in range(2):
        _one(page.button, "Add a step").click().run()
    bounds = [
        (step["metric_interval_lower_bound"], step["metric_interval_upper_bound"])
        for step in _said(page, "service")["scaling"][0]["step_adjustments"]
    ]
    assert bounds == [(0, 10), (10, 20), (20, None)]
    # A gap is a sentence in place.
    _one(page.number_input, "To", 0).set_value(5.0).run()
    assert "ends a step at 5 and begins the next at 10" in page.error[0].value


def test_added_steps_of_a_falling_alarm_go_down(values):
    steps = [{"scaling_adjustment": -1, "metric_interval_upper_bound": 0}]
    policy = {"policy_type": "StepScaling", "comparison_operator": "LessThanOrEqualToThreshold"}
    values["service"] |= {"scaling": [policy | {"step_adjustments": steps}], "target_value": 60.0}
    page = _alone("today", values)
    _one(page.button, "Add a step").click().run()
    bounds = {
        (step["metric_interval_lower_bound"], step["metric_interval_upper_bound"], step["scaling_adjustment"])
        for step in _said(page, "service")["scaling"][0]["step_adjustments"]
    }
    assert bounds == {(-10, 0, -1), (None, -10, -1)}


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Target value", 0, "target_value is 0; it must be"),
        ("Scale-out cooldown (s)", -1, "scale_out_cooldown_s is -1; it must be"),
        ("Tasks at most", 1, "max_capacity is 1; it must be min_capacity (2)"),
        ("Tasks at least", 0, "min_capacity is 0; it must be"),
    ],
)
def test_a_wrong_number_is_a_sentence_in_place(values, label, value, said):
    page = _alone("today", values)
    _one(page.number_input, label).set_value(value).run()
    assert not page.exception
    assert [said in error.value for error in page.error] == [True]
    assert "\n" not in page.error[0].value


def test_scheduled_actions(values):
    page = _alone("today", values)
    _one(page.button, "Add an action").click().run()
    _one(page.text_input, "Schedule").set_value("cron(30 6 ? * MON-FRI *)").run()
    _one(page.selectbox, "Time zone").select("America/New_York").run()
    _one(page.number_input, "Min capacity (tasks)").set_value(5).run()
    _one(page.number_input, "Max capacity (tasks)").set_value(20).run()
    action = {"schedule": "cron(30 6 ? * MON-FRI *)", "timezone": "America/New_York"}
    assert _said(page, "service")["scheduled_actions"] == [action | {"min_capacity": 5, "max_capacity": 20}]
    assert "Scheduled actions (1)" in [box.label for box in page.expander]
    _one(page.text_input, "Schedule").set_value("cron(30 6 * *)").run()
    assert "cron has 4 fields and must have six" in page.error[0].value
    _one(page.text_input, "Schedule").set_value("rate(1 day)").run()
    _one(page.number_input, "Min capacity (tasks)").set_value(None).run()
    _one(page.number_input, "Max capacity (tasks)").set_value(None).run()
    assert "sets neither min_capacity nor max_capacity" in page.error[0].value
    _one(page.button, "Remove").click().run()
    assert _said(page, "service")["scheduled_actions"] == []


def test_capacity_providers(values):
    page = _alone("today", values)
    _one(page.selectbox, "Tasks run on").select("FARGATE_SPOT").run()
    assert _said(page, "service")["capacity_provider"] == "FARGATE_SPOT"
    _one(page.selectbox, "Tasks run on").select("MIX").run()
    _one(page.number_input, "Spot's weight").set_value(3).run()
    service = _said(page, "service")
    assert "capacity_provider" not in service
    assert service["capacity_provider_strategy"] == {"fargate_base": 2, "fargate_weight": 1, "fargate_spot_weight": 3}
    assert "75 % Fargate Spot above 2 tasks" in [caption.value for caption in page.caption]
    for name in ("Fargate's weight", "Spot's weight"):
        _one(page.number_input, name).set_value(0).run()
    assert "both 0" in page.error[0].value


#: AWS, "Amazon ECS deployment strategies": what each is configured by.
STRATEGY_FIELDS = {
    "ROLLING": {"minimum_healthy_percent", "maximum_percent"},
    "BLUE_GREEN": {"bake_time_in_minutes"},
    "CANARY": {"canary_bake_time_in_minutes", "bake_time_in_minutes"},
    "LINEAR": {"step_percent", "step_bake_time_in_minutes", "bake_time_in_minutes"},
}


@pytest.mark.parametrize("strategy", DEPLOYMENT_STRATEGIES)
def test_a_deployment_strategy_asks_for_what_it_uses(values, strategy):
    page = _alone("today", values)
    _one(page.selectbox, "Strategy").select(strategy).run()
    numbers = {number.key.rpartition(".")[2]: number for number in page.number_input if ".deployment." in number.key}
    assert set(numbers) == STRATEGY_FIELDS[strategy]
    for number in numbers.values():
        number.set_value(100)
    page.run()
    usual = DeploymentConfiguration(strategy)
    expected = {item.name: getattr(usual, item.name) for item in fields(usual)} | dict.fromkeys(numbers, 100)
    assert _said(page, "service")["deployment"] == expected


def test_what_happens(values):
    page = _alone("happenings", values)
    assert not page.number_input
    for noun in ("deployment", "loss", "shortage"):
        _one(page.button, f"Add a {noun}").click().run()
    _one(page.selectbox, "Time zone").select("Europe/Berlin").run()
    _one(page.number_input, "Hour of the period (h)").set_value(7.25).run()
    _one(page.number_input, "Lasts (h)").set_value(2.0).run()
    assert _said(page, "operations") == {
        "deployment_schedules": ["cron(0 10 * * ? *)"],
        "timezone": "Europe/Berlin",
        "zone_losses_h": [7.25],
        "spot_shortages": [{"start_h": 20.0, "hours": 2.0}],
    }
    _one(page.text_input, "Begins at").set_value("at(tomorrow)").run()
    _one(page.number_input, "Hour of the period (h)").set_value(-1.0).run()
    _one(page.number_input, "Lasts (h)").set_value(0.0).run()
    assert not page.exception
    sentences = [error.value for error in page.error]
    assert len(sentences) == 3
    for name, sentence in zip(("deployment_schedules[0]", "zone_losses_h[0]", "hours"), sentences, strict=True):
        assert sentence.startswith(f"{forms.tables.plain(name)} is ")


def test_choices_are_those_that_the_policies_allow():
    for row in (*(policy.parameters for policy in POLICIES.values()), DeploymentConfiguration):
        for name, hint in get_type_hints(row).items():
            if hint is not str:
                continue
            with pytest.raises(InvalidScenario) as refused:
                row(**{name: "nonsense"})
            allowed = re.search(r"must be one of (.*)\.$", str(refused.value))[1]
            assert set(forms.OPTIONS[name]) == set(allowed.split(", "))
