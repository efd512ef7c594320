"""Configurations to build stacks from, a synthesized template with its resources by type, and what cfn-lint says of it."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

STACK = Path(__file__).parents[2] / "estimator" / "export" / "stack"

# Names that AWS gives a load balancer and a target group, in ARNs of its documentation.
LISTENER = (
    "arn:aws:elasticloadbalancing:ca-central-1:111122223333:listener/app/my-alb/778d41231b141a0f/f2f7dc8efc522ab2"
)
LOAD_BALANCER_NAME = "app/my-alb/778d41231b141a0f"
TARGET_GROUP_NAME = "targetgroup/my-alb-target-group/943f017f100becff"

# The configuration's words for AWS's.
TRACKING = {
    "TargetValue": "target_value",
    "ScaleOutCooldown": "scale_out_cooldown_s",
    "ScaleInCooldown": "scale_in_cooldown_s",
    "DisableScaleIn": "disable_scale_in",
}
ALARM = {
    "MetricName": "metric_name",
    "Threshold": "threshold",
    "ComparisonOperator": "comparison_operator",
    "EvaluationPeriods": "evaluation_periods",
    "DatapointsToAlarm": "datapoints_to_alarm",
}
STEPS = {"AdjustmentType": "adjustment_type", "Cooldown": "cooldown_s"}
STEP = {
    "ScalingAdjustment": "scaling_adjustment",
    "MetricIntervalLowerBound": "metric_interval_lower_bound",
    "MetricIntervalUpperBound": "metric_interval_upper_bound",
}
FORECAST = {
    "Mode": "mode",
    "SchedulingBufferTime": "scheduling_buffer_time_s",
    "MaxCapacityBreachBehavior": "max_capacity_breach_behavior",
}

SECRET_ARN = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:db-AbCdEf"  # noqa: S105

# No number here is a default of AWS, of the CDK or of another key, so that none can be right by accident.
PLAIN: dict[str, Any] = {
    "schema_version": 4,
    "name": "article-web-server",
    "region": "ca-central-1",
    "fingerprint": "0123456789abcdef" * 4,
    "prices_published": "2026-06-19",
    "application": {
        "image": None,
        "container_port": 9191,
        "health_check_path": "/alive",
        "health_check_command": None,
        "environment": {"LOG_LEVEL": "info"},
        "secrets": {"DB_PASSWORD": SECRET_ARN, "API_KEY": f"{SECRET_ARN}:api_key::"},
        "certificate_arn": None,
        "stop_timeout_s": 41,
        "log_retention_days": 14,
        "log_class": "STANDARD",
        "user": None,
        "readonly_root_filesystem": False,
        "sidecars": [],
    },
    "network": {"layout": "public", "availability_zones": 2, "nat_gateways": 0, "interface_endpoints": []}
    | {"existing": None, "flow_logs": None},
    "cluster": {"existing_name": None, "container_insights": "disabled", "cloud_map_namespace": None},
    "task": {"cpu_units": 512, "memory_mib": 3072, "cpu_architecture": "X86_64", "ephemeral_storage_gib": 33}
    | {"operating_system_family": "LINUX"},
    "service": {
        "capacity_provider_strategy": {"fargate_base": 2, "fargate_weight": 3, "fargate_spot_weight": 5},
        "min_capacity": 3,
        "max_capacity": 17,
        "health_check_grace_s": 143,
        "deployment": {
            "controller": "ECS",
            "strategy": "ROLLING",
            "minimum_healthy_percent": 91,
            "maximum_percent": 171,
            "bake_time_in_minutes": 13,
            "canary_percent": 7,
            "canary_bake_time_in_minutes": 9,
            "step_percent": 23,
            "step_bake_time_in_minutes": 4,
        },
    },
    "scaling": [
        {
            "policy_type": "TargetTrackingScaling",
            "predefined_metric_type": "ECSServiceAverageCPUUtilization",
            "target_value": 61.5,
            "scale_out_cooldown_s": 77,
            "scale_in_cooldown_s": 133,
            "disable_scale_in": False,
        }
    ],
    "scheduled_actions": [],
    "load_balancer": {
        "health_check_interval_s": 19,
        "deregistration_delay_s": 23,
        "existing": None,
        "access_logs": False,
        "s3_log_retention_days": 37,
        "deletion_protection": False,
        "reserved_lcu": 0,
        "test_port": 9292,
        "ingress_cidrs": ["0.0.0.0/0"],
    },
    "edge": {"waf_rules": None, "large_bodies": False, "cloudfront": None, "domain": None},
    "observability": {"standard_alarms": 0, "high_resolution_alarms": 0, "dashboards": 0}
    | {"p95_latency_ms": None, "alarm_email": None, "budget_usd_per_month": None},
    "security": {"kms_keys": 0},
    "repository": None,
    "estimate": {
        "hours_per_month": 730,
        "total_usd_per_month": 53.1,
        "lines": [{"charge": "alb_hour", "pricing_quantity": 730, "pricing_unit": "Hrs", "list_cost": 18.07}],
    },
    "scenario": {"anything": ["goes"]},
}

# What a strict review asks for and the plan can pay for.
HARDENED: dict[str, Any] = {
    "application": {
        "image": f"111122223333.dkr.ecr.ca-central-1.amazonaws.com/web@sha256:{'ab' * 32}",
        "health_check_command": ["CMD-SHELL", "curl -f http://localhost:9191/alive || exit 1"],
        "certificate_arn": "arn:aws:acm:ca-central-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012",
        "log_retention_days": 365,
        "user": "1000:1000",
        "readonly_root_filesystem": True,
    },
    "network": {
        "layout": "endpoints",
        "interface_endpoints": ["ecr.api", "ecr.dkr", "logs", "secretsmanager"],
        "flow_logs": {"destination": "s3", "log_class": "STANDARD", "retention_days": 37},
    },
    "cluster": {"container_insights": "enabled"},
    "load_balancer": {"access_logs": True, "deletion_protection": True},
    "edge": {"waf_rules": 3},
    "observability": {"standard_alarms": 4, "dashboards": 1, "p95_latency_ms": 250, "alarm_email": "ops@example.com"},
    "security": {"kms_keys": 1},
}


def document(**changes: Any) -> dict[str, Any]:
    """Build a plain configuration with changes: an object's keys are changed one by one, anything else whole."""
    return _changed(copy.deepcopy(PLAIN), changes)


def hardened(**changes: Any) -> dict[str, Any]:
    """Build a configuration with everything that a strict review asks for, and with changes."""
    return _changed(document(**copy.deepcopy(HARDENED)), changes)


def _changed(document: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(document.get(key), dict)
        document[key] = _changed(document[key], value) if both and key not in _WHOLE else copy.deepcopy(value)
    return document


# Objects whose keys are anybody's choice.
_WHOLE = ("environment", "secrets", "scenario", "estimate")


class Synthesized(NamedTuple):
    document: dict[str, Any]
    template: dict[str, Any]
    text: str
    folder: Path

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Properties of every resource of a type."""
        return list(self.by_id(kind).values())

    def by_id(self, kind: str) -> dict[str, dict[str, Any]]:
        resources = self.template["Resources"].items()
        return {name: r.get("Properties", {}) for name, r in resources if r["Type"] == f"AWS::{kind}"}

    def one(self, kind: str) -> dict[str, Any]:
        (properties,) = self.all(kind)
        return properties

    def id_of(self, kind: str) -> str:
        (name,) = (n for n, r in self.template["Resources"].items() if r["Type"] == f"AWS::{kind}")
        return name

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.one("ECS::TaskDefinition")["ContainerDefinitions"]
        return container

    def statements(self) -> list[dict[str, Any]]:
        return [s for policy in self.all("IAM::Policy") for s in policy["PolicyDocument"]["Statement"]]

    def deployed(self, value: Any) -> Any:
        """What a value is once the load balancer and its target group have their names."""
        match value:
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(self.deployed, parts))
            case {"Fn::Select": [position, {"Fn::Split": [separator, text]}]}:
                return self.deployed(text).split(separator)[position]
            case {"Ref": name} if name in self.by_id("ElasticLoadBalancingV2::Listener"):
                return LISTENER
            case {"Fn::GetAtt": [name, "TargetGroupFullName"]}:
                assert name == self.id_of("ElasticLoadBalancingV2::TargetGroup")
                return TARGET_GROUP_NAME
        return value

    def alarm_of(self, policy: str) -> dict[str, Any]:
        """Properties of the one alarm that calls a policy, and nothing else."""
        (alarm,) = (a for a in self.all("CloudWatch::Alarm") if {"Ref": policy} in a["AlarmActions"])
        assert alarm["AlarmActions"] == [{"Ref": policy}]
        return alarm

    def scaling(self) -> list[dict[str, Any]]:
        """The policies and their alarms, read back into the configuration's words."""
        policies = self.by_id("ApplicationAutoScaling::ScalingPolicy")
        return [{"policy_type": p["PolicyType"], **self._parameters(name, p)} for name, p in policies.items()]

    def _parameters(self, name: str, policy: Mapping[str, Any]) -> dict[str, Any]:
        match policy["PolicyType"]:
            case "TargetTrackingScaling":
                tracking = policy["TargetTrackingScalingPolicyConfiguration"]
                metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
                return {"predefined_metric_type": metric, **renamed(tracking, TRACKING)}
            case "StepScaling":
                steps = policy["StepScalingPolicyConfiguration"]
                return {
                    **renamed(self.alarm_of(name), ALARM),
                    **renamed(steps, STEPS),
                    "step_adjustments": [
                        {own: step.get(aws) for aws, own in STEP.items()} for step in steps["StepAdjustments"]
                    ],
                    "min_adjustment_magnitude": steps.get("MinAdjustmentMagnitude", 0),
                }
            case "PredictiveScaling":
                forecast = policy["PredictiveScalingPolicyConfiguration"]
                (of,) = forecast["MetricSpecifications"]
                return {
                    "predefined_metric_pair_type": of["PredefinedMetricPairSpecification"]["PredefinedMetricType"],
                    "target_value": of["TargetValue"],
                    **renamed(forecast, FORECAST),
                    "max_capacity_buffer": forecast.get("MaxCapacityBuffer", 0),
                }
        raise AssertionError(policy)

    def scheduled_actions(self) -> list[dict[str, Any]]:
        """The scheduled actions, read back into the configuration's words."""
        actions = self.one("ApplicationAutoScaling::ScalableTarget").get("ScheduledActions", [])
        return [
            {
                "schedule": action["Schedule"],
                "timezone": action.get("Timezone", "UTC"),
                "min_capacity": action["ScalableTargetAction"].get("MinCapacity"),
                "max_capacity": action["ScalableTargetAction"].get("MaxCapacity"),
            }
            for action in actions
        ]

    def capacity_provider_strategy(self) -> dict[str, int]:
        """The strategy of the service, read back into the configuration's words."""
        items = {i["CapacityProvider"]: i for i in self.one("ECS::Service")["CapacityProviderStrategy"]}
        on_demand, spot = items.get("FARGATE", {}), items.get("FARGATE_SPOT", {})
        assert items.keys() <= {"FARGATE", "FARGATE_SPOT"}
        assert "Base" not in spot
        return {
            "fargate_base": on_demand.get("Base", 0),
            "fargate_weight": on_demand.get("Weight", 0),
            "fargate_spot_weight": spot.get("Weight", 0),
        }


def renamed(properties: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {own: properties[aws] for aws, own in names.items()}


def lint_errors(text: str, region: str = "ca-central-1") -> list[str]:
    """What cfn-lint finds wrong with a template for a region."""
    from cfnlint.api import ManualArgs, lint

    matches = lint(text, config=ManualArgs(regions=[region]))
    return [f"{match.rule.id} {match.message}" for match in matches if match.rule.id.startswith("E")]
