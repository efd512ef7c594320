"""A synthesized template with its resources by type, and what cfn-lint says of it."""

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


class Synthesized(NamedTuple):
    document: dict[str, Any]
    template: dict[str, Any]
    text: str

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


def lint_errors(text: str) -> list[str]:
    from cfnlint.api import lint_all

    return [f"{match.rule.id} {match.message}" for match in lint_all(text) if match.rule.id.startswith("E")]
