"""The scaling: what changes the number of tasks, and between which bounds."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from .config import ScalingConfig, ServiceConfig


def add_scaling(
    service: ecs.FargateService,
    target_group: elbv2.ApplicationTargetGroup,
    *,
    bounds: ServiceConfig,
    policy: ScalingConfig,
) -> None:
    """Put a service under Application Auto Scaling with one target-tracking policy.

    Parameters
    ----------
    service : aws_cdk.aws_ecs.FargateService
        The service.
    target_group : aws_cdk.aws_elasticloadbalancingv2.ApplicationTargetGroup
        Where its requests are counted.
    bounds : ServiceConfig
        Least and largest number of tasks.
    policy : ScalingConfig
        Metric, target and cooldowns.
    """
    tasks = service.auto_scale_task_count(min_capacity=bounds.min_capacity, max_capacity=bounds.max_capacity)
    name = "TargetTracking"
    timing = {
        "scale_out_cooldown": cdk.Duration.seconds(policy.scale_out_cooldown_s),
        "scale_in_cooldown": cdk.Duration.seconds(policy.scale_in_cooldown_s),
        "disable_scale_in": policy.disable_scale_in,
    }
    match policy.predefined_metric_type:
        case "ECSServiceAverageCPUUtilization":
            tasks.scale_on_cpu_utilization(name, target_utilization_percent=policy.target_value, **timing)
        case "ECSServiceAverageMemoryUtilization":
            tasks.scale_on_memory_utilization(name, target_utilization_percent=policy.target_value, **timing)
        case "ALBRequestCountPerTarget":
            tasks.scale_on_request_count(
                name, requests_per_target=policy.target_value, target_group=target_group, **timing
            )
        case unknown:
            raise ValueError(f"No scaling on {unknown!r}: config.PREDEFINED_METRIC_TYPES has a metric more than here.")
