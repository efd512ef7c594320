"""The scaling: what changes the number of tasks, and between which bounds."""

# The CDK's types are not followed by mypy.
# mypy: allow-subclassing-any

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from .config import StackConfig
from .scaling_config import (
    TARGET_GROUP_METRICS,
    PolicyConfig,
    PredictiveScalingConfig,
    ScheduledActionConfig,
    StepScalingConfig,
    TargetTrackingConfig,
)

# ECS and the load balancer publish their metrics once a minute.
_PERIOD = cdk.Duration.seconds(60)


class ServiceScaling(Construct):
    """Application Auto Scaling of a service: bounds, policies with their alarms, and scheduled actions.

    Parameters
    ----------
    scope : constructs.Construct
        The stack.
    construct_id : str
        Name within it.
    config : StackConfig
        Bounds, policies and actions.
    service : aws_cdk.aws_ecs.FargateService
        The service.
    target_group : aws_cdk.aws_elasticloadbalancingv2.ApplicationTargetGroup
        Where its requests are counted.

    Notes
    -----
    The policies are written as CloudFormation has them: the CDK's own classes know neither predictive scaling nor the
    metrics of 20 seconds, and choose the thresholds of step scaling themselves.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StackConfig,
        service: ecs.FargateService,
        target_group: elbv2.ApplicationTargetGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._service = service
        self._target_group = target_group
        tasks = service.auto_scale_task_count(
            min_capacity=config.service.min_capacity, max_capacity=config.service.max_capacity
        )
        for number, action in enumerate(config.scheduled_actions, 1):
            _add_scheduled_action(tasks, f"ScheduledAction-{number}", action)
        self._scalable_target_id = tasks.scalable_target_ref.resource_id
        for name, policy in _with_names(config.scaling):
            match policy:
                case TargetTrackingConfig():
                    self._add_target_tracking(name, policy)
                case StepScalingConfig():
                    self._add_step_scaling(name, policy)
                case PredictiveScalingConfig():
                    self._add_predictive_scaling(name, policy)

    def _add_policy(self, name: str, policy_type: str, **configuration: Any) -> autoscaling.CfnScalingPolicy:
        return autoscaling.CfnScalingPolicy(
            self,
            name,
            policy_name=name,
            policy_type=policy_type,
            scaling_target_id=self._scalable_target_id,
            **configuration,
        )

    def _resource_label(self, metric: str) -> str | None:
        """Say which target group a metric is of; its load balancer is read from the listener, so that both exist before the policy."""
        if metric not in TARGET_GROUP_METRICS:
            return None
        return f"{self._target_group.first_load_balancer_full_name}/{self._target_group.target_group_full_name}"

    def _add_target_tracking(self, name: str, policy: TargetTrackingConfig) -> None:
        of = autoscaling.CfnScalingPolicy
        metric = of.PredefinedMetricSpecificationProperty(
            predefined_metric_type=policy.predefined_metric_type,
            resource_label=self._resource_label(policy.predefined_metric_type),
        )
        tracking = of.TargetTrackingScalingPolicyConfigurationProperty(
            predefined_metric_specification=metric,
            target_value=policy.target_value,
            scale_out_cooldown=policy.scale_out_cooldown_s,
            scale_in_cooldown=policy.scale_in_cooldown_s,
            disable_scale_in=policy.disable_scale_in,
        )
        self._add_policy(name, "TargetTrackingScaling", target_tracking_scaling_policy_configuration=tracking)

    def _add_step_scaling(self, name: str, policy: StepScalingConfig) -> None:
        of = autoscaling.CfnScalingPolicy
        steps = of.StepScalingPolicyConfigurationProperty(
            adjustment_type=policy.adjustment_type,
            # AWS takes it with this type only.
            min_adjustment_magnitude=policy.min_adjustment_magnitude or None
            if policy.adjustment_type == "PercentChangeInCapacity"
            else None,
            cooldown=policy.cooldown_s,
            metric_aggregation_type="Average",
            step_adjustments=[
                of.StepAdjustmentProperty(
                    scaling_adjustment=step.scaling_adjustment,
                    metric_interval_lower_bound=step.metric_interval_lower_bound,
                    metric_interval_upper_bound=step.metric_interval_upper_bound,
                )
                for step in policy.step_adjustments
            ],
        )
        scaling_policy = self._add_policy(name, "StepScaling", step_scaling_policy_configuration=steps)
        alarm = cloudwatch.Alarm(
            self,
            f"{name}-Alarm",
            metric=self._alarm_metric(policy.metric_name),
            threshold=policy.threshold,
            comparison_operator=_comparison(policy.comparison_operator),
            evaluation_periods=policy.evaluation_periods,
            datapoints_to_alarm=policy.datapoints_to_alarm,
            # No data, such as no request at all, scales neither out nor in.
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
            alarm_description=f"Asks the scaling policy {name} for tasks",
        )
        alarm.node.default_child.alarm_actions = [scaling_policy.ref]

    def _alarm_metric(self, name: str) -> cloudwatch.Metric:
        match name:
            case "CPUUtilization":
                return self._service.metric_cpu_utilization(period=_PERIOD, statistic="Average")
            case "MemoryUtilization":
                return self._service.metric_memory_utilization(period=_PERIOD, statistic="Average")
        # AWS: "The only valid statistic is Sum. This represents the average not the sum."
        return self._target_group.metrics.request_count_per_target(period=_PERIOD, statistic="Sum")

    def _add_predictive_scaling(self, name: str, policy: PredictiveScalingConfig) -> None:
        of = autoscaling.CfnScalingPolicy
        metric = of.PredictiveScalingPredefinedMetricPairProperty(
            predefined_metric_type=policy.predefined_metric_pair_type,
            resource_label=self._resource_label(policy.predefined_metric_pair_type),
        )
        forecast = of.PredictiveScalingPolicyConfigurationProperty(
            metric_specifications=[
                of.PredictiveScalingMetricSpecificationProperty(
                    predefined_metric_pair_specification=metric, target_value=policy.target_value
                )
            ],
            mode=policy.mode,
            scheduling_buffer_time=policy.scheduling_buffer_time_s,
            max_capacity_breach_behavior=policy.max_capacity_breach_behavior,
            # AWS asks for it with this behavior, and takes it with no other.
            max_capacity_buffer=policy.max_capacity_buffer
            if policy.max_capacity_breach_behavior == "IncreaseMaxCapacity"
            else None,
        )
        self._add_policy(name, "PredictiveScaling", predictive_scaling_policy_configuration=forecast)


def _with_names(policies: Iterable[PolicyConfig]) -> Iterator[tuple[str, PolicyConfig]]:
    """Name the policies: by what they are, so that another order changes no policy, and by a number where two are alike."""
    seen: Counter[str] = Counter()
    for policy in policies:
        seen[policy.name] += 1
        yield policy.name if seen[policy.name] == 1 else f"{policy.name}-{seen[policy.name]}", policy


def _comparison(operator: str) -> cloudwatch.ComparisonOperator:
    upward = operator == "GreaterThanOrEqualToThreshold"
    of = cloudwatch.ComparisonOperator
    return of.GREATER_THAN_OR_EQUAL_TO_THRESHOLD if upward else of.LESS_THAN_OR_EQUAL_TO_THRESHOLD


def _add_scheduled_action(tasks: ecs.ScalableTaskCount, name: str, action: ScheduledActionConfig) -> None:
    # A rate knows no time zone; of the others AWS's default is UTC.
    local = action.timezone != "UTC" and not action.schedule.startswith("rate(")
    tasks.scale_on_schedule(
        name,
        schedule=autoscaling.Schedule.expression(action.schedule),
        time_zone=cdk.TimeZone.of(action.timezone) if local else None,
        min_capacity=action.min_capacity,
        max_capacity=action.max_capacity,
    )
