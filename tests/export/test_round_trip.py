"""Priced back: the template of a random plan, read by a program that shares no code with the one that wrote it, costs what the plan costs, line by line."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from estimator import Scenario
from estimator.errors import InvalidScenario
from estimator.export.cdk import stack_config
from estimator.planning.result import Plan
from estimator.repricing import reprice
from estimator.service.task_size import MEMORY_MIB

REGIONS = ("us-east-1", "eu-west-1", "ca-central-1", "ap-northeast-1")
ACCOUNT = "111122223333"
#: What no template says: it stays in the scenario that the reader is given.
UNSAID_APPLICATION = ("image_mb", "boot_s", "queue_per_task", "queue_timeout_s")
UNSAID_EXTRAS = (
    "log_stored_share",
    "log_insights_scanned_gb",
    "flow_log_gb",
    "access_log_bytes_per_request",
    "insights_metrics_per_service",
    "insights_metrics_per_task",
    "insights_metrics_per_container",
    "insights_log_bytes_per_task_minute",
    "managed_alarms_billed",
    "free_egress",
    "ecr_images",
    "kms_requests",
    "hosted_zones",
    "dns_queries",
)

percents = st.sampled_from((30.0, 45.5, 60.0, 75.0, 90.0))
cooldowns = st.sampled_from((0, 60, 300, 900))


@st.composite
def target_tracking(draw: st.DrawFn, with_requests: bool, fine: bool) -> dict[str, Any]:
    metrics = ["ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"]
    metrics += ["ALBRequestCountPerTarget"] if with_requests else []
    metrics += [f"{name}HighResolution" for name in metrics[:2]] if fine else []
    metric = draw(st.sampled_from(metrics))
    return {
        "policy_type": "TargetTrackingScaling",
        "predefined_metric_type": metric,
        "target_value": draw(st.sampled_from((300.0, 1500.0))) if "Request" in metric else draw(percents),
        "scale_out_cooldown_s": draw(cooldowns),
        "scale_in_cooldown_s": draw(cooldowns),
        "disable_scale_in": draw(st.booleans()),
    }


@st.composite
def step_scaling(draw: st.DrawFn, with_requests: bool) -> dict[str, Any]:
    metric = draw(
        st.sampled_from(("CPUUtilization", "MemoryUtilization", *(("RequestCountPerTarget",) * with_requests)))
    )
    periods = draw(st.integers(1, 5))
    upward = draw(st.booleans())
    bounds = ((0.0, 10.0), (10.0, None)) if upward else ((-10.0, 0.0), (None, -10.0))
    sign = 1 if upward else -1
    return {
        "policy_type": "StepScaling",
        "metric_name": metric,
        "threshold": draw(st.sampled_from((40.0, 70.0, 85.5))),
        "comparison_operator": "GreaterThanOrEqualToThreshold" if upward else "LessThanOrEqualToThreshold",
        "evaluation_periods": periods,
        "datapoints_to_alarm": draw(st.integers(1, periods)),
        "adjustment_type": draw(st.sampled_from(("ChangeInCapacity", "PercentChangeInCapacity"))),
        "cooldown_s": draw(cooldowns),
        "step_adjustments": [
            {
                "scaling_adjustment": sign * draw(st.integers(1, 40)),
                "metric_interval_lower_bound": low,
                "metric_interval_upper_bound": high,
            }
            for low, high in bounds
        ],
    }


predictive_scaling = st.fixed_dictionaries(
    {
        "policy_type": st.just("PredictiveScaling"),
        "predefined_metric_pair_type": st.sampled_from(("ECSServiceCPUUtilization", "ECSServiceMemoryUtilization")),
        "target_value": percents,
        "mode": st.sampled_from(("ForecastAndScale", "ForecastOnly")),
        "scheduling_buffer_time_s": st.sampled_from((0, 300, 600)),
    }
)


@st.composite
def services(draw: st.DrawFn, windows: bool) -> dict[str, Any]:
    cpu = draw(st.sampled_from((1024, 2048, 4096) if windows else tuple(MEMORY_MIB)))
    strategy = draw(st.sampled_from(("ROLLING", "BLUE_GREEN", "CANARY", "LINEAR")))
    rolling = strategy == "ROLLING"
    low = draw(st.integers(1, 4))
    policies = st.one_of(target_tracking(rolling, not windows), step_scaling(rolling), predictive_scaling)
    actions = st.fixed_dictionaries(
        {
            "schedule": st.sampled_from(("cron(0 7 * * ? *)", "cron(30 21 * * ? *)", "rate(6 hours)")),
            "timezone": st.sampled_from(("UTC", "Europe/Berlin")),
            "min_capacity": st.integers(1, 5),
            "max_capacity": st.integers(6, 12),
        }
    )
    return {
        "cpu_units": cpu,
        "memory_mib": draw(st.sampled_from(MEMORY_MIB[cpu])),
        "cpu_architecture": "X86_64" if windows else draw(st.sampled_from(("X86_64", "ARM64"))),
        "min_capacity": low,
        "max_capacity": low + draw(st.integers(0, 20)),
        "scaling": draw(st.lists(policies, max_size=3)),
        "scheduled_actions": draw(st.lists(actions, max_size=2)),
        "capacity_provider_strategy": {"fargate_base": 0, "fargate_weight": 1, "fargate_spot_weight": 0}
        if windows
        else {
            "fargate_base": draw(st.integers(0, 3)),
            "fargate_weight": draw(st.integers(0, 2)),
            "fargate_spot_weight": draw(st.integers(1, 3)),
        },
        "deployment": {
            "strategy": strategy,
            "minimum_healthy_percent": draw(st.sampled_from((50, 100))),
            "maximum_percent": 200,
            "bake_time_in_minutes": draw(st.integers(0, 30)),
            "canary_bake_time_in_minutes": draw(st.integers(1, 30)),
            "step_percent": draw(st.sampled_from((10, 25, 50))),
            "step_bake_time_in_minutes": draw(st.integers(1, 10)),
        },
    }


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    region = draw(st.sampled_from(REGIONS))
    windows = draw(st.sampled_from((False, False, False, True)))
    layout = draw(st.sampled_from(("public", "nat", "endpoints")))
    zones = draw(st.integers(2, 3))
    inside = layout == "endpoints"
    service = draw(services(windows))
    shifts = service["deployment"]["strategy"] != "ROLLING"
    n_sidecars = draw(st.integers(0, 1))
    secret = f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:db-AbCdEf"
    image = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/web:1"
    return {
        "region": region,
        "load": {
            "kind": "daily",
            "peak_requests_per_s": draw(st.integers(5, 200)),
            "trough_requests_per_s": 4,
            "peak_hour": 19,
        },
        "request": {
            "cpu_ms_per_request": 25,
            "memory_mib_per_request": 4,
            "response_kb": draw(st.integers(1, 60)),
            "log_bytes_per_request": draw(st.integers(0, 2000)),
            "outbound_sent_kb_per_request": 0 if inside else draw(st.integers(0, 3)),
        },
        "application": {
            "operating_system": "WINDOWS" if windows else "LINUX",
            "image": image if inside else draw(st.sampled_from((image, "nginx:1.29", None))),
            "image_mb": draw(st.integers(0, 500)),
            "boot_s": draw(st.integers(0, 60)),
            "health_check_interval_s": draw(st.sampled_from((5, 10, 30))),
            "deregistration_delay_s": draw(st.sampled_from((0, 30, 120))),
            "stop_timeout_s": draw(st.sampled_from((2, 30, 90))),
            "log_retention_days": draw(st.sampled_from((1, 30, 365))),
            "ephemeral_storage_gib": 20 if windows else draw(st.sampled_from((20, 21, 60))),
            "secrets": draw(st.sampled_from(({}, {"DB_PASSWORD": secret}))),
            "certificate_arn": draw(st.sampled_from((None, f"arn:aws:acm:{region}:{ACCOUNT}:certificate/1234"))),
        },
        "network": {
            "layout": layout,
            "availability_zones": zones,
            "nat_gateways": draw(st.integers(1, zones)) if layout == "nat" else None,
        },
        "operations": {"deployment_schedules": draw(st.sampled_from(([], ["cron(0 10 * * ? *)"])))},
        "service": service,
        "extras": {
            "log_class": draw(st.sampled_from(("STANDARD", "INFREQUENT_ACCESS"))),
            "flow_log_gb": draw(st.sampled_from((0.0, 40.0))),
            "flow_log_destination": draw(st.sampled_from(("cloud-watch-logs", "s3"))),
            "alb_access_logs": draw(st.booleans()),
            "s3_log_retention_days": draw(st.sampled_from((7, 90))),
            "container_insights": draw(st.sampled_from(("disabled", "enabled", "enhanced"))),
            "containers_per_task": 1 + n_sidecars,
            "standard_alarms": draw(st.integers(0, 4)),
            "dashboards": draw(st.integers(0, 1)),
            "waf_rules": draw(st.sampled_from((None, 1, 4))),
            "reserved_lcu": draw(st.sampled_from((0, 100))),
            "kms_keys": draw(st.integers(0, 1)),
        },
        "stack": {
            "deployment_controller": draw(st.sampled_from(("ECS", "CODE_DEPLOY"))) if shifts else "ECS",
            "repository": draw(st.booleans()),
            "sidecars": [{"name": "xray", "image": image, "essential": False}] * n_sidecars,
        },
    }


def bare(document: Scenario) -> Scenario:
    """What the reader is given: nothing that the template says, and another service in its place."""
    values = document.to_dict()
    plain = Scenario.from_dict({name: values[name] for name in ("region", "load", "request")}).to_dict()
    plain["operations"] = values["operations"]
    for section, unsaid in (("application", UNSAID_APPLICATION), ("extras", UNSAID_EXTRAS)):
        plain[section] |= {name: values[section][name] for name in unsaid}
    plain["service"] = {"cpu_units": 256, "memory_mib": 512, "min_capacity": 7, "max_capacity": 7}
    return Scenario.from_dict(plain)


def lines(plan: Plan) -> dict[str, tuple[float, float, str]]:
    """Quantity, cost and SKU of each line of a bill, by charge."""
    return {line.charge: (line.pricing_quantity, line.effective_cost, line.sku_text) for line in plan.cost}


def priced(values: dict[str, Any]) -> tuple[Scenario, Plan] | None:
    """Price a scenario; nothing for one that AWS would not take."""
    try:
        document = Scenario.from_dict(values)
        return document, document.estimate()
    except InvalidScenario as error:
        event(str(error)[:40])
        return None


@pytest.mark.slow
def test_a_template_costs_what_its_plan_costs(synthesize: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("templates")
    seen: set[str] = set()

    @settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(scenarios())
    def check(values: dict[str, Any]) -> None:
        found = priced(values)
        assume(found is not None)
        assert found is not None
        document, plan = found
        made = synthesize(stack_config(plan))
        template = folder / "stack.template.json"
        template.write_text(made.text, encoding="utf-8")
        again = reprice(template, bare(document))
        assert lines(again.plan) == lines(plan)
        assert again.plan.cost.total_usd == plan.cost.total_usd
        seen.update(line.charge for line in plan.cost if line.pricing_quantity)
        seen.add(values["service"]["deployment"]["strategy"])

    check()
    # It would say little if the plans were all alike.
    assert {"ROLLING", "BLUE_GREEN", "CANARY", "LINEAR"} <= seen
    assert len(seen) > 25
