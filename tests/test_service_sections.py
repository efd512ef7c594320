"""The sections `service` and `operations`: what is refused and how it is said, what repeats with the load, what stands in two ways."""

import math

import pytest
import yaml

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.service.policies import POLICIES, TargetTrackingScalingPolicy

SERVICE = {"cpu_units": 256, "memory_mib": 512}
DAY = {"kind": "daily", "peak_requests_per_s": 20, "trough_requests_per_s": 5}
#: Words of pydantic's that no user understands.
FOREIGN = (
    "Input",
    "input",
    "valid ",
    "Unable",
    "unable",
    "dictionary",
    "instance",
    "union",
    "tag '",
    " tag ",
    "pydantic",
    "Keys",
    "tuple",
    "finite_number",
    "Value error",
    "Field",
    "Extra",
    "argument",
)


def document(service=None, load=None, **more):
    request = {"cpu_ms_per_request": 10}
    values = {"region": "eu-west-1", "load": load or DAY, "request": request, "service": SERVICE | (service or {})}
    return values | more


def tracking(**fields):
    return {"scaling": [{"policy_type": "TargetTrackingScaling"} | fields]}


def stepping(**fields):
    return {"scaling": [{"policy_type": "TargetTrackingScaling"}, {"policy_type": "StepScaling"} | fields]}


def predicting(**fields):
    return {"scaling": [{"policy_type": "PredictiveScaling"} | fields]}


def step(**fields):
    return stepping(step_adjustments=[{"scaling_adjustment": 1, "metric_interval_lower_bound": 0} | fields])


def action(**fields):
    return {"scheduled_actions": [{"schedule": "rate(1 day)", "min_capacity": 3} | fields]}


def mix(**fields):
    return {"capacity_provider_strategy": fields}


def refused(values):
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_text(yaml.safe_dump(values), "shop.yaml")
    message = str(caught.value)
    assert message.startswith("shop.yaml: ")
    assert not [word for word in FOREIGN if word in message], message
    assert "\n" not in message
    assert len(message) < 700
    return message.removeprefix("shop.yaml: ")


FIRST, SECOND = "service.scaling[0]", "service.scaling[1]"
ACTION, STEP = "service.scheduled_actions[0]", "service.scaling[1].step_adjustments[0]"


# What begins the message, and what else it says: what is allowed, what to do.
@pytest.mark.parametrize(
    ("service", "begin", "said"),
    [
        # The section's own fields.
        ({"cpu_units": "one"}, "service.cpu_units is 'one'", ["a whole number", "cpu units"]),
        ({"cpu_units": None}, "service.cpu_units is null", ["a whole number", "Give a value"]),
        ({"cpu_units": [256]}, "service.cpu_units is [256]", ["a whole number"]),
        ({"cpu_units": 300}, "service.cpu_units is 300", ["256, 512", "Choose one"]),
        ({"memory_mib": 4096}, "service.memory_mib is 4096", ["512, 1024, 2048"]),
        ({"cpu_architecture": "ARM"}, "service.cpu_architecture is 'ARM'", ["'X86_64' or 'ARM64'", "Did you mean ARM64?"]),
        ({"min_capacity": 0}, "service.min_capacity is 0", ["1 to 5000", "tasks"]),
        ({"min_capacity": 2.5}, "service.min_capacity is 2.5", ["a whole number", "default is 2"]),
        ({"min_capacity": 11}, "service.max_capacity is 10", ["min_capacity (11) to 5000"]),
        ({"min_capacity": 10**400}, "service.min_capacity is 1000", ["a whole number"]),
        ({"max_capacity": "many"}, "service.max_capacity is 'many'", ["a whole number", "default is 10"]),
        ({"max_capacity": None}, "service.max_capacity is null", ["Leave the field out for its default"]),
        ({"max_capacity": math.nan}, "service.max_capacity is nan", ["a number, and finite"]),
        ({"target_value": "high"}, "service.target_value is 'high'", ["a number", "default is 60"]),
        ({"target_value": math.inf}, "service.target_value is inf", ["1 to 100", "50 to 75"]),
        ({"target_value": {"cpu": 60}}, "service.target_value is {'cpu': 60}", ["a number"]),
        ({"scale_in_cooldown_s": -1}, "service.scale_in_cooldown_s is -1", ["0 to 86400"]),
        ({"disable_scale_in": "never"}, "service.disable_scale_in is 'never'", ["true or false"]),
        ({"capacity_provider": "SPOT"}, "service.capacity_provider is 'SPOT'", ["'FARGATE_SPOT'", "Did you mean FARGATE_SPOT?"]),
        ({"MinCapacity": 2}, "service.MinCapacity is not a field", ["Did you mean min_capacity?"]),
        ({"scalling": []}, "service.scalling is not a field", ["Did you mean scaling?"]),
        ({5: 2}, "service has the name 5", ["no text", "quotes", "cpu_units, memory_mib"]),
        ({"deployment": {5: 2}}, "service.deployment has the name 5", ["no text", "strategy"]),
        # The list of policies.
        ({"scaling": 60}, "service.scaling is 60", ["a list", "`- `", "policy_type"]),
        ({"scaling": {"policy_type": "StepScaling"}}, "service.scaling is {'policy_type'", ["a list", "`- `"]),
        ({"scaling": ["StepScaling"]}, f"{FIRST} is 'StepScaling'", ["a mapping", "policy_type"]),
        ({"scaling": [None]}, f"{FIRST} is null", ["a mapping", "policy_type"]),
        ({"scaling": [{}]}, f"{FIRST} has no policy_type", [*POLICIES]),
        ({"scaling": [{"target_value": 60}]}, f"{FIRST} has no policy_type", ["give it policy_type", *POLICIES]),
        ({"scaling": [{"policytype": "StepScaling"}]}, f"{FIRST} has no policy_type, but 'policytype'", [*POLICIES]),
        (tracking(policy_type="StepScalling"), f"{FIRST}.policy_type is 'StepScalling'", ["Did you mean StepScaling?", *POLICIES]),
        (tracking(policy_type=None), f"{FIRST}.policy_type is null", [*POLICIES]),
        (tracking(policy_type=["StepScaling"]), f"{FIRST}.policy_type is ['StepScaling']", [*POLICIES]),
        ({"scaling": 2 * tracking()["scaling"]}, "service.scaling tracks ECSServiceAverageCPUUtilization twice", ["Remove one"]),
        ({"scaling": 2 * predicting()["scaling"]}, "service.scaling has 2 predictive policies", ["at most one"]),
        # Target tracking.
        (tracking(target_value="sixty"), f"{FIRST}.target_value is 'sixty'", ["a number", "default is 60"]),
        (tracking(target_value=None), f"{FIRST}.target_value is null", ["a number", "Leave the field out"]),
        (tracking(target_value=101), f"{FIRST}.target_value is 101", ["1 to 100"]),
        (tracking(target_value=math.nan), f"{FIRST}.target_value is nan", ["1 to 100"]),
        (tracking(predefined_metric_type="CPU"), f"{FIRST}.predefined_metric_type is 'CPU'", ["ALBRequestCountPerTarget"]),
        (tracking(predefined_metric_type=5), f"{FIRST}.predefined_metric_type is 5", ["text", "quotes"]),
        (tracking(scale_out_cooldown_s="1 min"), f"{FIRST}.scale_out_cooldown_s is '1 min'", ["a whole number", "300"]),
        (tracking(scale_out_cooldown_s=10**6), f"{FIRST}.scale_out_cooldown_s is 1000000", ["0 to 86400"]),
        (tracking(TargetValue=60), f"{FIRST}.TargetValue is not a field", ["Did you mean target_value?"]),
        (tracking(ScaleOutCooldown=60), f"{FIRST}.ScaleOutCooldown is not a field", ["Did you mean scale_out_cooldown_s?"]),
        (tracking(threshold=60), f"{FIRST}.threshold is not a field", ["policy_type, target_value"]),
        # Step scaling.
        (stepping(threshold="high"), f"{SECOND}.threshold is 'high'", ["a number", "default is 70"]),
        (stepping(threshold=101), f"{SECOND}.threshold is 101", ["0 to 100"]),
        (stepping(metric_name="CPU"), f"{SECOND}.metric_name is 'CPU'", ["MemoryUtilization"]),
        (stepping(comparison_operator=">"), f"{SECOND}.comparison_operator is '>'", ["LessThanOrEqualToThreshold"]),
        (stepping(adjustment_type=["ExactCapacity"]), f"{SECOND}.adjustment_type is ['ExactCapacity']", ["text", "ChangeInCapacity"]),
        (stepping(evaluation_periods=0), f"{SECOND}.evaluation_periods is 0", ["1 to 60"]),
        (stepping(datapoints_to_alarm=4), f"{SECOND}.datapoints_to_alarm is 4", ["1 to 3"]),
        (stepping(cooldown_s=1.5), f"{SECOND}.cooldown_s is 1.5", ["a whole number"]),
        (stepping(step_adjustments=[]), f"{SECOND}.step_adjustments has 0 steps", ["1 to 20"]),
        (stepping(step_adjustments={"scaling_adjustment": 1}), f"{SECOND}.step_adjustments is {{'scaling_adjustment': 1}}", ["a list"]),
        (stepping(step_adjustments=[1]), f"{STEP} is 1", ["a mapping", "scaling_adjustment, metric_interval_lower_bound"]),
        (step(scaling_adjustment="two"), f"{STEP}.scaling_adjustment is 'two'", ["a whole number", "Tasks to add"]),
        (step(metric_interval_lower_bound=None), f"{STEP}.metric_interval_lower_bound and", ["both null", "give metric_interval_lower_bound 0"]),
        (step(metric_interval_upper_bound=-1), f"{STEP}.metric_interval_upper_bound is -1", ["above", "null for no bound"]),
        (step(lower_bound=1), f"{STEP}.lower_bound is not a field", ["metric_interval_lower_bound"]),
        (stepping(step_adjustments=[{"metric_interval_lower_bound": 0}]), f"{STEP}.scaling_adjustment is missing", ["Tasks to add", "Give it"]),
        (
            stepping(adjustment_type="ExactCapacity", step_adjustments=[{"scaling_adjustment": -1, "metric_interval_lower_bound": 0}]),
            f"{STEP}.scaling_adjustment is -1",
            ["0 or more", "ChangeInCapacity"],
        ),
        # Predictive scaling.
        (predicting(mode="Forecast"), f"{FIRST}.mode is 'Forecast'", ["ForecastAndScale, ForecastOnly"]),
        (predicting(scheduling_buffer_time_s=3600), f"{FIRST}.scheduling_buffer_time_s is 3600", ["0 to 3599"]),
        (predicting(max_capacity_buffer=10), f"{FIRST}.max_capacity_buffer is 10", ["IncreaseMaxCapacity"]),
        (predicting(history_days="all"), f"{FIRST}.history_days is 'all'", ["a whole number", "14"]),
        (predicting(predefined_metric_type="CPU"), f"{FIRST}.predefined_metric_type is not a field", ["Did you mean predefined_metric_pair_type?"]),
        # Scheduled actions.
        ({"scheduled_actions": {"schedule": "rate(1 day)"}}, "service.scheduled_actions is {'schedule'", ["a list", "`- `"]),
        ({"scheduled_actions": None}, "service.scheduled_actions is null", ["a list", "Leave the field out"]),
        ({"scheduled_actions": ["rate(1 day)"]}, f"{ACTION} is 'rate(1 day)'", ["a mapping", "schedule, min_capacity"]),
        (action(schedule="daily"), f"{ACTION}.schedule is 'daily'", ["cron(", "rate(", "at("]),
        (action(schedule="cron(0 8 * * *)"), f"{ACTION}.schedule is 'cron(0 8 * * *)'", ["5 fields", "six"]),
        (action(schedule="cron(0 8 * * MON *)"), f"{ACTION}.schedule is 'cron(0 8 * * MON *)'", ["must be ?"]),
        (action(schedule="rate(1 days)"), f"{ACTION}.schedule is 'rate(1 days)'", ["rate(12 hours)"]),
        (action(schedule="at(tomorrow)"), f"{ACTION}.schedule is 'at(tomorrow)'", ["at(2026-12-01T08:00:00)"]),
        (action(schedule=8), f"{ACTION}.schedule is 8", ["text", "quotes"]),
        (action(timezone="Berlin"), f"{ACTION}.timezone is 'Berlin'", ["Did you mean Europe/Berlin?"]),
        (action(timezone="America/New_Yorck"), f"{ACTION}.timezone is 'America/New_Yorck'", ["Did you mean America/New_York?"]),
        (action(timezone=None), f"{ACTION}.timezone is null", ["text", "Leave the field out"]),
        (action(min_capacity="few"), f"{ACTION}.min_capacity is 'few'", ["a whole number", "tasks"]),
        (action(min_capacity=None), f"{ACTION}: The scheduled action 'rate(1 day)' sets neither", ["set one"]),
        (action(max_capacity=2), f"{ACTION}.max_capacity is 2", ["min_capacity, 3"]),
        (action(desired_capacity=2), f"{ACTION}.desired_capacity is not a field", ["schedule, min_capacity, max_capacity, timezone"]),
        # Capacity providers and deployment.
        ({"capacity_provider_strategy": "FARGATE_SPOT"}, "service.capacity_provider_strategy is 'FARGATE_SPOT'", ["a mapping", "fargate_base"]),
        ({"capacity_provider_strategy": []}, "service.capacity_provider_strategy is []", ["a mapping", "fargate_base"]),
        (mix(fargate_weight="half"), "service.capacity_provider_strategy.fargate_weight is 'half'", ["a whole number", "default is 1"]),
        (mix(fargate_weight=1001), "service.capacity_provider_strategy.fargate_weight is 1001", ["0 to 1000"]),
        (mix(fargate_weight=0), "service.capacity_provider_strategy.fargate_weight and", ["both 0", "1 or more"]),
        (mix(base=2), "service.capacity_provider_strategy.base is not a field", ["Did you mean fargate_base?"]),
        ({"deployment": "CANARY"}, "service.deployment is 'CANARY'", ["a mapping", "strategy"]),
        ({"deployment": None}, "service.deployment is null", ["a mapping", "Leave the field out"]),
        ({"deployment": {"strategy": "canary"}}, "service.deployment.strategy is 'canary'", ["CANARY"]),
        ({"deployment": {"maximum_percent": 250}}, "service.deployment.maximum_percent is 250", ["100 to 200"]),
        ({"deployment": {"step_percent": "ten"}}, "service.deployment.step_percent is 'ten'", ["a number", "10"]),
        ({"deployment": {"minimumHealthyPercent": 50}}, "service.deployment.minimumHealthyPercent is not a field", ["Did you mean minimum_healthy_percent?"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_service_is_one_sentence_of_ours(service, begin, said):
    message = refused(document(service))
    assert message.startswith(begin), message
    for part in said:
        assert part in message, message


@pytest.mark.parametrize(
    ("operations", "begin", "said"),
    [
        ([], "operations is []", ["a mapping", "deployment_schedules"]),
        ({"deployments": []}, "operations.deployments is not a field", ["Did you mean deployment_schedules?"]),
        ({"deployment_schedules": "rate(1 day)"}, "operations.deployment_schedules is 'rate(1 day)'", ["a list"]),
        ({"deployment_schedules": ["rate(1 day)", "noon"]}, "operations.deployment_schedules[1] is 'noon'", ["cron("]),
        ({"deployment_schedules": [5]}, "operations.deployment_schedules[0] is 5", ["text", "quotes"]),
        ({"timezone": "Mars", "deployment_schedules": ["rate(1 day)"]}, "operations.timezone is 'Mars'", ["UTC"]),
        ({"zone_losses_h": 14}, "operations.zone_losses_h is 14", ["a list", "from the start of the load's period"]),
        ({"zone_losses_h": [1, "noon"]}, "operations.zone_losses_h[1] is 'noon'", ["a number"]),
        ({"zone_losses_h": [-1]}, "operations.zone_losses_h[0] is -1", ["0 to 8784"]),
        ({"zone_losses_h": [True]}, "operations.zone_losses_h[0] is true", ["truth value"]),
        ({"spot_shortages": {"start_h": 1}}, "operations.spot_shortages is {'start_h': 1}", ["a list"]),
        ({"spot_shortages": [4]}, "operations.spot_shortages[0] is 4", ["a mapping", "start_h, hours"]),
        ({"spot_shortages": [{"start_h": 1}]}, "operations.spot_shortages[0].hours is missing", ["[h]", "Give it"]),
        ({"spot_shortages": [{"start": 1, "hours": 1}]}, "operations.spot_shortages[0].start is not a field", ["start_h"]),
        ({"spot_shortages": [{"start_h": 1, "hours": 0}]}, "operations.spot_shortages[0].hours is 0", ["above 0"]),
        ({"spot_shortages": [{"start_h": None, "hours": 1}]}, "operations.spot_shortages[0].start_h is null", ["Give"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_operations_is_one_sentence_of_ours(operations, begin, said):
    message = refused(document(operations=operations))
    assert message.startswith(begin), message
    for part in said:
        assert part in message, message


@pytest.mark.parametrize("name", ["service", "operations"])
@pytest.mark.parametrize("value", [5, "x", [], [1], 1.5, True])
def test_a_section_that_is_no_mapping(name, value):
    assert refused(document() | {name: value}).startswith(f"{name} is ")


# --- One thing, one way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("target_value", 60, "60"),
        ("target_value", 70, "70"),
        ("scale_out_cooldown_s", 300, "300"),
        ("scale_in_cooldown_s", 60, "60"),
        ("disable_scale_in", False, "false"),
    ],
)
@pytest.mark.parametrize("scaling", [[], [{"policy_type": "PredictiveScaling"}]])
def test_scaling_and_the_short_fields_even_with_their_defaults(name, value, written, scaling):
    message = refused(document({"scaling": scaling, name: value}))
    assert message.startswith(f"service.{name} is {written} beside service.scaling")
    assert "Write it into a policy of scaling, or remove it." in message


@pytest.mark.parametrize("provider", ["FARGATE", "FARGATE_SPOT"])
def test_a_capacity_provider_and_a_strategy_even_with_its_default(provider):
    message = refused(document({"capacity_provider": provider} | mix(fargate_weight=1)))
    assert message.startswith(f"service.capacity_provider is '{provider}' beside service.capacity_provider_strategy")
    assert "weights of capacity_provider_strategy, or remove it" in message


def test_null_for_the_long_way_leaves_the_short_one():
    values = {
        "scaling": None,
        "capacity_provider_strategy": None,
        "target_value": 70,
        "capacity_provider": "FARGATE_SPOT",
    }
    spec = Scenario.from_text(yaml.safe_dump(document(values))).spec()
    assert spec.scaling == (TargetTrackingScalingPolicy(70),)
    assert spec.capacity_provider_strategy.spot_share == 1


@pytest.mark.parametrize(
    ("name", "value", "long"),
    [
        ("target_value", 70, tracking()),
        ("disable_scale_in", True, {"scaling": []}),
        ("capacity_provider", "FARGATE_SPOT", mix(fargate_weight=1)),
    ],
)
def test_in_python_too_nothing_that_was_said_is_lost(name, value, long):
    with pytest.raises(InvalidScenario, match=f"service.{name} is .* beside service"):
        Scenario.from_dict(document(long | {name: value}))


@pytest.mark.parametrize(
    "service", [tracking(), {"scaling": []}, mix(fargate_spot_weight=3), step() | mix(fargate_base=1), {}]
)
def test_what_a_scenario_writes_it_reads(service):
    scenario = Scenario.from_text(yaml.safe_dump(document(service)))
    written = scenario.to_dict()["service"]
    assert ("target_value" in written) == ("scaling" not in service)
    assert ("capacity_provider" in written) == ("capacity_provider_strategy" not in service)
    again = Scenario.from_text(scenario.to_yaml())
    assert again == scenario == Scenario.from_dict(scenario.to_dict())
    assert again.spec() == scenario.spec()


# --- What is scheduled repeats with the load ----------------------------------------------------------------------

WEEKDAYS = "cron(0 8 ? * MON-FRI *)"


def simulated(load, **happens):
    operations = {"deployment_schedules": [happens["deployment"]]} if "deployment" in happens else {}
    service = action(schedule=happens["schedule"]) if "schedule" in happens else {}
    scenario = Scenario.from_dict(document(service, load, operations=operations))
    return scenario, scenario.estimate()


def misfit(load, **happens):
    with pytest.raises(InvalidScenario) as caught:
        simulated(load, **happens)
    return str(caught.value)


@pytest.mark.parametrize("field", ["schedule", "deployment"])
def test_a_schedule_names_its_field(field):
    path = {"schedule": f"{ACTION}.schedule", "deployment": "operations.deployment_schedules[0]"}[field]
    for schedule in (WEEKDAYS, "rate(5 hours)", "cron(0 8 1 * ? *)", "at(2026-12-01T08:00:00)"):
        assert misfit(DAY, **{field: schedule}).startswith(f"{path} is '{schedule}', which ")


@pytest.mark.parametrize(
    ("load", "schedule", "advice"),
    [
        (DAY, WEEKDAYS, {"repeat": 7}),
        (DAY | {"repeat": 2}, WEEKDAYS, {"repeat": 14}),
        (DAY, "rate(5 hours)", {"repeat": 5}),
        (DAY, "rate(2 days)", {"repeat": 2}),
        (DAY | {"repeat": 7}, "rate(5 hours)", {"repeat": 35}),
        (DAY | {"calendar": {"time_zone": "UTC", "start": "2026-05-06", "days": 1}}, WEEKDAYS, {"calendar.days": 7}),
    ],
)
def test_the_advice_helps(load, schedule, advice):
    ((name, value),) = advice.items()
    message = misfit(load, schedule=schedule)
    assert f"`{name}: {value}`" in message
    assert "section load" in message
    longer = {"repeat": value} if name == "repeat" else {"calendar": load["calendar"] | {"days": value}}
    simulated(load | longer, schedule=schedule)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (WEEKDAYS, ["not the same in each period", "24 hours and repeats", "a week that begins on a Monday", "cron(0 8 * * ? *)"]),
        ("rate(5 hours)", ["counts from the period's start", "rate(4 hours)", "cron"]),
        ("rate(7 minutes)", ["rate(6 minutes)"]),
        ("rate(2 days)", ["rate(1 day)"]),
        ("cron(0 8 1 * ? *)", ["days of the month", "calendar: {time_zone", "cron(0 8 * * ? *)"]),
        ("cron(0 8 ? * 2#1 *)", ["days of the month"]),
        ("cron(0 8 * JAN ? *)", ["months"]),
        ("at(2026-12-01T08:00:00)", ["outside the load's period", "24 hours from 2024-01-01T00:00Z", "no dates of its own", "calendar: {"]),
    ],
)  # fmt: skip
def test_each_kind_of_schedule_has_its_own_sentence(schedule, said):
    message = misfit(DAY, schedule=schedule)
    for part in said:
        assert part in message, message


def test_the_first_of_the_month_needs_dates():
    # A week without dates begins on a first of January, which would make it the first of a month every week.
    assert "days of the month" in misfit(DAY | {"repeat": 7}, schedule="cron(0 8 1 * ? *)")
    calendar = {"time_zone": "UTC", "start": "2026-04-25", "days": 14}
    assert "a load of a month or more" in misfit(DAY | {"calendar": calendar}, schedule="cron(0 8 1 * ? *)")
    _, found = simulated(DAY | {"calendar": calendar | {"days": 28}}, schedule="cron(0 8 1 * ? *)")
    # Three tasks from the first of May on; and before it, since the load repeats.
    assert found.series.desired_count.min() == 3


@pytest.mark.parametrize(
    "schedule", ["cron(0 8 * * ? *)", "rate(6 hours)", "cron(0/30 * ? * * *)", "cron(0 8 1-31 * ? *)"]
)
def test_what_is_the_same_every_day_fits_a_day(schedule):
    simulated(DAY, schedule=schedule, deployment=schedule)


def test_daylight_saving_does_not_part_a_schedule_from_a_day():
    # Clocks in Berlin go forward on 29 March 2026.
    day = DAY | {"calendar": {"time_zone": "Europe/Berlin", "start": "2026-03-27", "days": 1}}
    service = {"scheduled_actions": [{"schedule": "cron(0 8 * * ? *)", "timezone": "Europe/Berlin", "min_capacity": 3}]}
    assert Scenario.from_dict(document(service, day)).estimate().series.desired_count.min() == 3


def test_a_plan_asks_the_schedules_of_operations_alone():
    values = document(action(schedule=WEEKDAYS))
    search = {"cpu_architectures": ["X86_64"], "target_values": [60], "min_capacities": [2]}
    assert Scenario.from_dict(values | {"search": search}).plan().cost.total_usd > 0
    with pytest.raises(InvalidScenario, match=r"operations\.deployment_schedules\[0\]"):
        Scenario.from_dict(values | {"search": search, "operations": {"deployment_schedules": [WEEKDAYS]}}).plan()


@pytest.mark.parametrize(
    ("operations", "begin"),
    [
        ({"zone_losses_h": [3, 24]}, "operations.zone_losses_h[1] is 24"),
        ({"spot_shortages": [{"start_h": 30, "hours": 1}]}, "operations.spot_shortages[0].start_h is 30"),
    ],
)
def test_hours_lie_inside_the_period(operations, begin):
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_dict(document(operations=operations)).estimate()
    assert str(caught.value).startswith(begin)
    assert "less than 24" in str(caught.value)
    assert "`repeat`" in str(caught.value)
    Scenario.from_dict(document(operations=operations, load=DAY | {"repeat": 2})).estimate()
