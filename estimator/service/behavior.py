"""How AWS behaves where it does not say, or only loosely: each a named number with its default."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from estimator.checks import require_in_range, shown
from estimator.errors import InvalidScenario


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "whole": isinstance(default, int)})


@dataclass(frozen=True)
class AwsBehavior:
    """What the simulation takes for granted of AWS; ``docs/uncertain.md`` says what each does to a result.

    Parameters
    ----------
    metric_lag_s : int
        From the end of a minute until its CPU or memory datapoint is known to the alarms. With 180, scale-out comes 330 to 390 s after a spike
        at a random moment, by whether the minute that it falls into is over the target; AWS measured 363 s (June 2026), older reports say
        240 s in all, which is 60 here. [s]
    high_resolution_metric_lag_s : int
        The same of 20-second metrics; with 25, scale-out comes 75 to 95 s after a spike, AWS measured 86 s. [s]
    alb_metric_lag_s : int
        The same of the load balancer's requests per target; taken to be as late as CPU. [s]
    scale_out_datapoints : int
        Datapoints over the target that raise AlarmHigh; seen in real alarms. [1]
    scale_in_datapoints : int
        Datapoints under the lower threshold that raise AlarmLow; seen in real alarms. [1]
    high_resolution_scale_out_datapoints, high_resolution_scale_in_datapoints : int
        The same of 20-second metrics; taken to be as many, nobody has published them. [1]
    low_factor : float
        Lower threshold as a part of the target; 0.9 for ECS in real alarms (0.7 is EC2's). [1]
    alb_low_factor : float
        The same of requests per target; taken to be equal. [1]
    scale_in_step_percent : float
        Largest part of the running tasks that one scale-in removes, at least one task; AWS only says "more gradually".
        [%]
    mean_of_datapoints : bool
        False if the new count comes from the newest datapoint, true if from the mean of those that the alarm looks at; AWS does not say.
    alarm_reinvocation : bool
        True if an alarm acts at every datapoint while it is in ALARM, as is reported; false if only when it enters ALARM.
    zero_requests_reported : bool
        True if requests per target are 0 without traffic, as AWS's page says of this metric ("always reported"); false if they have no
        datapoint then, as it says of all of the load balancer's.
    provision_s : int
        From the decision until a task with a small image is provisioned; AWS's benchmark of June 2026. [s]
    unbilled_s : int
        The part of ``provision_s`` before the image pull starts (scheduling, network interface), which is free. [s]
    pull_mb_per_s : float
        Pull and unpack speed of what the image has above a small one; larger tasks and lazy loading (SOCI) pull faster. [MB/s]
    start_time_cv : float
        How much start times of tasks vary: coefficient of variation of a lognormal distribution; 0 if all take the same. [1]
    registration_s : int
        From the container's start until the load balancer knows the target. [s]
    minimum_billed_s : int
        Shortest time that a Linux task is billed for. [s]
    windows_minimum_billed_s : int
        Shortest time that a Windows task is billed for; widely stated. [s]
    launch_burst : int
        Tasks that can be launched at once; 25 in regions opened after May 2025. [tasks]
    launch_per_s : float
        Tasks that can be launched in a second after that; 5 in those regions. [tasks/s]
    service_launches_per_minute : int
        Tasks that one service launches in a minute; 125 in those regions. [tasks/min]
    spot_interruptions_per_task_hour : float
        How often a task of Fargate Spot is interrupted; AWS publishes no figure for Fargate. The default is once in 1,000 hours. [1/h]
    spot_warning_s : int
        From the warning until an interrupted task ends. [s]
    zone_detection_s : int
        From the loss of a zone until its tasks are replaced. [s]
    connection_count_factor : float
        Connections that the load balancer's bill counts for each client connection: 1 if only the client's, up to 2 if the one to the
        target as well, as its metrics do; AWS does not say. [1]
    cross_zone_ends_billed : int
        How often a GB between zones is billed: 2 if where it leaves and where it enters, as AWS documents of its bills, 1 if once, as some
        report of NAT gateways. [1]
    fargate_vcpu_quota : float
        The account's concurrent Fargate vCPU in the region; 6 is AWS's default for a new one. A plan above it carries a note. [vCPU]
    enforce_vcpu_quota : bool
        True if no task is launched beyond ``fargate_vcpu_quota``.
    seed : int
        For the moments at which first health checks fall and Fargate Spot is interrupted. [1]

    References
    ----------
    .. [1] AWS, "Amazon ECS: faster auto scaling", June 2026; AWS, "Target tracking scaling policies for Application
    Auto Scaling";
       AWS, "Fargate pricing"; AWS, "Amazon ECS service quotas" and "Fargate throttling quotas". Read 2026.
    """

    metric_lag_s: int = _number(180, 0, 3600)
    high_resolution_metric_lag_s: int = _number(25, 0, 3600)
    alb_metric_lag_s: int = _number(180, 0, 3600)
    scale_out_datapoints: int = _number(3, 1, 60)
    scale_in_datapoints: int = _number(15, 1, 60)
    high_resolution_scale_out_datapoints: int = _number(3, 1, 60)
    high_resolution_scale_in_datapoints: int = _number(15, 1, 60)
    low_factor: float = _number(0.9, 0.1, 1.0)
    alb_low_factor: float = _number(0.9, 0.1, 1.0)
    scale_in_step_percent: float = _number(10.0, 0.0, 100.0)
    mean_of_datapoints: bool = False
    alarm_reinvocation: bool = True
    zero_requests_reported: bool = True
    provision_s: int = _number(23, 0, 3600)
    unbilled_s: int = _number(10, 0, 3600)
    pull_mb_per_s: float = _number(10.0, 0.1, 10_000.0)
    start_time_cv: float = _number(0.0, 0.0, 3.0)
    registration_s: int = _number(3, 0, 600)
    minimum_billed_s: int = _number(60, 0, 3600)
    windows_minimum_billed_s: int = _number(300, 0, 3600)
    launch_burst: int = _number(100, 1, 100_000)
    launch_per_s: float = _number(20.0, 0.01, 10_000.0)
    service_launches_per_minute: int = _number(500, 1, 1_000_000)
    spot_interruptions_per_task_hour: float = _number(0.001, 0.0, 10.0)
    spot_warning_s: int = _number(120, 0, 3600)
    zone_detection_s: int = _number(60, 0, 3600)
    connection_count_factor: float = _number(1.0, 1.0, 2.0)
    cross_zone_ends_billed: int = _number(2, 1, 2)
    fargate_vcpu_quota: float = _number(6.0, 0.0, 1e6)
    enforce_vcpu_quota: bool = False
    seed: int = _number(0, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        require_in_range(self)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(item.default, bool) and not isinstance(value, bool):
                raise InvalidScenario(f"{item.name} is {shown(value)}; it must be true or false.")
        if self.unbilled_s > self.provision_s:
            raise InvalidScenario(
                f"unbilled_s is {self.unbilled_s}; it is a part of provision_s and at most {self.provision_s}."
            )
        if self.enforce_vcpu_quota and self.fargate_vcpu_quota <= 0:
            raise InvalidScenario(
                "fargate_vcpu_quota is 0 and enforce_vcpu_quota true: no task could run. Give your quota."
            )
