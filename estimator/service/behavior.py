"""How AWS behaves where it does not say, or only loosely: each a named number with its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from estimator.checks import require_in_range
from estimator.errors import InvalidScenario


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "whole": isinstance(default, int)})


@dataclass(frozen=True)
class AwsBehavior:
    """What the simulation takes for granted of AWS; see ``docs/simulation.md``.

    Parameters
    ----------
    metric_lag_s : int
        From the end of a minute until its CPU datapoint is known to the alarms. With 150, scale-out comes 330 s after the first full minute
        over the target, 360 s after a spike at a random moment; AWS measured 363 s (June 2026), older reports 240 s in all. [s]
    scale_out_datapoints : int
        Datapoints over the target that raise AlarmHigh; seen in real alarms. [1]
    scale_in_datapoints : int
        Datapoints under the lower threshold that raise AlarmLow; seen in real alarms. [1]
    low_factor : float
        Lower threshold as a part of the target; 0.9 for ECS in real alarms (0.7 is EC2's). [1]
    scale_in_step_percent : float
        Largest part of the running tasks that one scale-in removes, at least one task; AWS only says "more gradually".
        [%]
    provision_s : int
        From the decision until a task with a small image is provisioned; AWS's benchmark of June 2026. [s]
    unbilled_s : int
        The part of ``provision_s`` before the image pull starts (scheduling, network interface), which is free. [s]
    pull_mb_per_s : float
        Pull and unpack speed of what the image has above a small one. [MB/s]
    registration_s : int
        From the container's start until the load balancer knows the target. [s]
    minimum_billed_s : int
        Shortest time that a Linux task is billed for. [s]
    connection_count_factor : float
        Connections that the load balancer's bill counts for each client connection: 1 if only the client's, up to 2 if the one to the
        target as well, as its metrics do; AWS does not say. [1]
    fargate_vcpu_quota : float
        The account's concurrent Fargate vCPU in the region; 6 is AWS's default for a new one. A plan above it carries a note. [vCPU]
    seed : int
        For the moments at which first health checks fall. [1]

    References
    ----------
    .. [1] AWS, "Amazon ECS: faster auto scaling", June 2026; AWS, "Target tracking scaling policies for Application
    Auto Scaling";
       AWS, "Fargate pricing". Read 2026.
    """

    metric_lag_s: int = _number(150, 0, 3600)
    scale_out_datapoints: int = _number(3, 1, 100)
    scale_in_datapoints: int = _number(15, 1, 100)
    low_factor: float = _number(0.9, 0.1, 1.0)
    scale_in_step_percent: float = _number(10.0, 0.0, 100.0)
    provision_s: int = _number(23, 0, 3600)
    unbilled_s: int = _number(10, 0, 3600)
    pull_mb_per_s: float = _number(10.0, 0.1, 10_000.0)
    registration_s: int = _number(3, 0, 600)
    minimum_billed_s: int = _number(60, 0, 3600)
    connection_count_factor: float = _number(1.0, 1.0, 2.0)
    fargate_vcpu_quota: float = _number(6.0, 0.0, 1e6)
    seed: int = _number(0, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        require_in_range(self)
        if self.unbilled_s > self.provision_s:
            raise InvalidScenario(
                f"unbilled_s is {self.unbilled_s}; it is a part of provision_s and at most {self.provision_s}."
            )
