"""From traffic to a costed AWS Fargate service and a stack that can be deployed.

The front door for notebooks: everything below is imported when it is first used.

>>> from estimator import LoadProfile
>>> LoadProfile.constant(20).mean_requests_per_s
20.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimator.billing.costing import CostBreakdown as CostBreakdown
    from estimator.billing.lcu import alb_lcu as alb_lcu
    from estimator.errors import EstimatorError as EstimatorError
    from estimator.errors import InvalidScenario as InvalidScenario
    from estimator.errors import NoFeasiblePlan as NoFeasiblePlan
    from estimator.errors import RateNotFound as RateNotFound
    from estimator.export import export_stack as export_stack
    from estimator.planning.planner import estimate as estimate
    from estimator.planning.planner import plan as plan
    from estimator.planning.promise import Choices as Choices
    from estimator.planning.promise import Promise as Promise
    from estimator.planning.promise import Rejection as Rejection
    from estimator.planning.result import Plan as Plan
    from estimator.pricing.price_list import fetch_rates as fetch_rates
    from estimator.pricing.snapshots import load_rates as load_rates
    from estimator.scenario import Scenario as Scenario
    from estimator.service.application import Application as Application
    from estimator.service.behavior import AwsBehavior as AwsBehavior
    from estimator.service.network import NetworkLayout as NetworkLayout
    from estimator.service.scaling import TargetTrackingScalingPolicy as TargetTrackingScalingPolicy
    from estimator.service.spec import ServiceSpec as ServiceSpec
    from estimator.service.task_size import TaskSize as TaskSize
    from estimator.simulation.engine import simulate as simulate
    from estimator.simulation.result import Simulation as Simulation
    from estimator.workload.access_logs import load_from_access_logs as load_from_access_logs
    from estimator.workload.cloudwatch import load_from_cloudwatch as load_from_cloudwatch
    from estimator.workload.measured import Measured as Measured
    from estimator.workload.profile import LoadProfile as LoadProfile
    from estimator.workload.request import Workload as Workload
    from estimator.workload.sources import load_from_csv as load_from_csv
    from estimator.workload.sources import load_from_parquet as load_from_parquet

_HOMES = {
    "Application": "estimator.service.application",
    "AwsBehavior": "estimator.service.behavior",
    "Choices": "estimator.planning.promise",
    "CostBreakdown": "estimator.billing.costing",
    "EstimatorError": "estimator.errors",
    "InvalidScenario": "estimator.errors",
    "LoadProfile": "estimator.workload.profile",
    "Measured": "estimator.workload.measured",
    "NetworkLayout": "estimator.service.network",
    "NoFeasiblePlan": "estimator.errors",
    "Plan": "estimator.planning.result",
    "Promise": "estimator.planning.promise",
    "RateNotFound": "estimator.errors",
    "Rejection": "estimator.planning.promise",
    "Scenario": "estimator.scenario",
    "ServiceSpec": "estimator.service.spec",
    "Simulation": "estimator.simulation.result",
    "TargetTrackingScalingPolicy": "estimator.service.scaling",
    "TaskSize": "estimator.service.task_size",
    "Workload": "estimator.workload.request",
    "alb_lcu": "estimator.billing.lcu",
    "estimate": "estimator.planning.planner",
    "export_stack": "estimator.export",
    "fetch_rates": "estimator.pricing.price_list",
    "load_from_access_logs": "estimator.workload.access_logs",
    "load_from_cloudwatch": "estimator.workload.cloudwatch",
    "load_from_csv": "estimator.workload.sources",
    "load_from_parquet": "estimator.workload.sources",
    "load_rates": "estimator.pricing.snapshots",
    "plan": "estimator.planning.planner",
    "simulate": "estimator.simulation.engine",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'estimator' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
