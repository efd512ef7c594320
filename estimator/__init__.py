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
    from estimator.billing.lcu import lower_lcu as lower_lcu
    from estimator.billing.savings_plan_options import SavingsPlan as SavingsPlan
    from estimator.billing.savings_plans import best_commitment as best_commitment
    from estimator.billing.savings_plans import compare_options as compare_options
    from estimator.billing.savings_plans import fargate_usage as fargate_usage
    from estimator.billing.usage import fargate_tasks as fargate_tasks
    from estimator.billing.usage import price_usage as price_usage
    from estimator.budget import with_budget as with_budget
    from estimator.errors import EstimatorError as EstimatorError
    from estimator.errors import InvalidScenario as InvalidScenario
    from estimator.errors import NoFeasiblePlan as NoFeasiblePlan
    from estimator.errors import RateNotFound as RateNotFound
    from estimator.export import export_stack as export_stack
    from estimator.export import preview_export as preview_export
    from estimator.fleet_files import read_fleet as read_fleet
    from estimator.planning.comparison import Comparison as Comparison
    from estimator.planning.comparison import compare as compare
    from estimator.planning.cost_split import fixed_and_variable as fixed_and_variable
    from estimator.planning.fleet import plan_fleet as plan_fleet
    from estimator.planning.fleet_store import FleetStore as FleetStore
    from estimator.planning.frontier import explore as explore
    from estimator.planning.guard import GuardLimits as GuardLimits
    from estimator.planning.guard import check_plan as check_plan
    from estimator.planning.horizon import bill_by_month as bill_by_month
    from estimator.planning.lcu_advice import lcu_advice as lcu_advice
    from estimator.planning.limit_prices import availability_prices as availability_prices
    from estimator.planning.limit_prices import limit_prices as limit_prices
    from estimator.planning.networks import compare_networks as compare_networks
    from estimator.planning.planner import estimate as estimate
    from estimator.planning.planner import plan as plan
    from estimator.planning.promise import Choices as Choices
    from estimator.planning.promise import Promise as Promise
    from estimator.planning.promise import Rejection as Rejection
    from estimator.planning.purchases import compare_purchases as compare_purchases
    from estimator.planning.regions import bills_by_region as bills_by_region
    from estimator.planning.result import Plan as Plan
    from estimator.planning.steps_to_plan import steps_to as steps_to
    from estimator.planning.steps_to_plan import value_of_choices as value_of_choices
    from estimator.planning.why_not import why_not as why_not
    from estimator.pricing.price_list import fetch_rates as fetch_rates
    from estimator.pricing.snapshots import load_rates as load_rates
    from estimator.repricing.repricer import Repriced as Repriced
    from estimator.repricing.repricer import reprice as reprice
    from estimator.risk import assess_risk as assess_risk
    from estimator.risk import rivals as rivals
    from estimator.scenario import Scenario as Scenario
    from estimator.service.application import Application as Application
    from estimator.service.behavior import AwsBehavior as AwsBehavior
    from estimator.service.capacity import CapacityProviderStrategy as CapacityProviderStrategy
    from estimator.service.deployment import DeploymentConfiguration as DeploymentConfiguration
    from estimator.service.extras import Extras as Extras
    from estimator.service.network import NetworkLayout as NetworkLayout
    from estimator.service.operations import Operations as Operations
    from estimator.service.operations import SpotShortage as SpotShortage
    from estimator.service.policies import PredictiveScalingPolicy as PredictiveScalingPolicy
    from estimator.service.policies import ScheduledAction as ScheduledAction
    from estimator.service.policies import StepAdjustment as StepAdjustment
    from estimator.service.policies import StepScalingPolicy as StepScalingPolicy
    from estimator.service.policies import TargetTrackingScalingPolicy as TargetTrackingScalingPolicy
    from estimator.service.spec import ServiceSpec as ServiceSpec
    from estimator.service.task_size import TaskSize as TaskSize
    from estimator.simulation.engine import simulate as simulate
    from estimator.simulation.replay import replay_flash_crowd as replay_flash_crowd
    from estimator.simulation.replay import usual_policies as usual_policies
    from estimator.simulation.result import Simulation as Simulation
    from estimator.workload.access_logs import load_from_access_logs as load_from_access_logs
    from estimator.workload.cloudwatch import load_from_cloudwatch as load_from_cloudwatch
    from estimator.workload.horizon import Horizon as Horizon
    from estimator.workload.interval import Interval as Interval
    from estimator.workload.measured import Measured as Measured
    from estimator.workload.profile import LoadProfile as LoadProfile
    from estimator.workload.protocols import protocol_fields as protocol_fields
    from estimator.workload.request import Workload as Workload
    from estimator.workload.sources import load_from_csv as load_from_csv
    from estimator.workload.sources import load_from_parquet as load_from_parquet

_HOMES = {
    "Application": "estimator.service.application",
    "AwsBehavior": "estimator.service.behavior",
    "CapacityProviderStrategy": "estimator.service.capacity",
    "Choices": "estimator.planning.promise",
    "Comparison": "estimator.planning.comparison",
    "CostBreakdown": "estimator.billing.costing",
    "DeploymentConfiguration": "estimator.service.deployment",
    "EstimatorError": "estimator.errors",
    "Extras": "estimator.service.extras",
    "FleetStore": "estimator.planning.fleet_store",
    "GuardLimits": "estimator.planning.guard",
    "Horizon": "estimator.workload.horizon",
    "Interval": "estimator.workload.interval",
    "InvalidScenario": "estimator.errors",
    "LoadProfile": "estimator.workload.profile",
    "Measured": "estimator.workload.measured",
    "NetworkLayout": "estimator.service.network",
    "NoFeasiblePlan": "estimator.errors",
    "Operations": "estimator.service.operations",
    "Plan": "estimator.planning.result",
    "PredictiveScalingPolicy": "estimator.service.policies",
    "Promise": "estimator.planning.promise",
    "RateNotFound": "estimator.errors",
    "Rejection": "estimator.planning.promise",
    "SavingsPlan": "estimator.billing.savings_plan_options",
    "Scenario": "estimator.scenario",
    "ScheduledAction": "estimator.service.policies",
    "ServiceSpec": "estimator.service.spec",
    "Simulation": "estimator.simulation.result",
    "SpotShortage": "estimator.service.operations",
    "StepAdjustment": "estimator.service.policies",
    "StepScalingPolicy": "estimator.service.policies",
    "TargetTrackingScalingPolicy": "estimator.service.policies",
    "TaskSize": "estimator.service.task_size",
    "Workload": "estimator.workload.request",
    "alb_lcu": "estimator.billing.lcu",
    "assess_risk": "estimator.risk",
    "Repriced": "estimator.repricing.repricer",
    "reprice": "estimator.repricing.repricer",
    "availability_prices": "estimator.planning.limit_prices",
    "best_commitment": "estimator.billing.savings_plans",
    "bill_by_month": "estimator.planning.horizon",
    "bills_by_region": "estimator.planning.regions",
    "check_plan": "estimator.planning.guard",
    "compare": "estimator.planning.comparison",
    "compare_networks": "estimator.planning.networks",
    "compare_options": "estimator.billing.savings_plans",
    "compare_purchases": "estimator.planning.purchases",
    "estimate": "estimator.planning.planner",
    "explore": "estimator.planning.frontier",
    "export_stack": "estimator.export",
    "preview_export": "estimator.export",
    "fargate_tasks": "estimator.billing.usage",
    "fargate_usage": "estimator.billing.savings_plans",
    "fetch_rates": "estimator.pricing.price_list",
    "fixed_and_variable": "estimator.planning.cost_split",
    "lcu_advice": "estimator.planning.lcu_advice",
    "limit_prices": "estimator.planning.limit_prices",
    "load_from_access_logs": "estimator.workload.access_logs",
    "load_from_cloudwatch": "estimator.workload.cloudwatch",
    "load_from_csv": "estimator.workload.sources",
    "load_from_parquet": "estimator.workload.sources",
    "load_rates": "estimator.pricing.snapshots",
    "lower_lcu": "estimator.billing.lcu",
    "plan": "estimator.planning.planner",
    "plan_fleet": "estimator.planning.fleet",
    "price_usage": "estimator.billing.usage",
    "protocol_fields": "estimator.workload.protocols",
    "read_fleet": "estimator.fleet_files",
    "replay_flash_crowd": "estimator.simulation.replay",
    "rivals": "estimator.risk",
    "simulate": "estimator.simulation.engine",
    "steps_to": "estimator.planning.steps_to_plan",
    "usual_policies": "estimator.simulation.replay",
    "value_of_choices": "estimator.planning.steps_to_plan",
    "why_not": "estimator.planning.why_not",
    "with_budget": "estimator.budget",
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
