"""What is kept of a service that was priced: ServiceResult, as plain as a file, with what Savings Plans may pay for hour by hour."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.billing.costing import CostBreakdown, CostLine
from estimator.billing.savings_plan_options import (
    SAVINGS_PLAN_OPTIONS,
    AppliedSavingsPlan,
    SavingsPlan,
    SavingsPlanOption,
)
from estimator.billing.savings_plans import fargate_usage
from estimator.errors import InvalidScenario, RateNotFound
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.capacity import FARGATE
from estimator.units import SECONDS_PER_HOUR

Floats = NDArray[np.float64]
#: How a plan says that a limit is broken.
_BROKEN = "The promise is broken: "


@dataclass(frozen=True, eq=False)
class HourlyUsage:
    """What Compute Savings Plans may pay for in each hour of a service's period.

    Parameters
    ----------
    legs : tuple of str
        Rows in ``PRICES`` of the On-Demand rates; none if they or the rates of every Savings Plan are not known.
    units_per_h : numpy.ndarray, shape (n_legs, n_hours)
        Usage of each hour of the period. [units/h]
    on_demand_rates : tuple of float
        On-Demand rate of each leg, private discounts taken off. [USD/unit]
    savings_plan_rates : mapping of SavingsPlanOption to tuple of float
        What a unit of each leg takes from the commitment; options whose rates are not known are not in it. [USD/unit]
    task_hours : float
        Billed On-Demand time of the period. [task-h]
    start : datetime, optional
        When the period begins, if the load is bound to a calendar.
    """

    legs: tuple[str, ...]
    units_per_h: Floats
    on_demand_rates: tuple[float, ...]
    savings_plan_rates: Mapping[SavingsPlanOption, tuple[float, ...]]
    task_hours: float
    start: dt.datetime | None = None

    def __post_init__(self) -> None:
        units = np.array(self.units_per_h, dtype=np.float64)
        units.setflags(write=False)
        object.__setattr__(self, "units_per_h", units)

    @classmethod
    def of(cls, plan: Plan, rates: Rates) -> HourlyUsage:
        """Take the usage from a plan.

        Parameters
        ----------
        plan : Plan
            A plan or an estimate.
        rates : Rates
            What it was priced at.

        Returns
        -------
        HourlyUsage
            Of one period.
        """
        system = plan.application.operating_system
        legs: tuple[str, ...] = ()
        units: Floats = np.zeros((0, 0))
        on_demand: tuple[float, ...] = ()
        known: dict[SavingsPlanOption, tuple[float, ...]] = {}
        for option in SAVINGS_PLAN_OPTIONS:
            try:
                usage = fargate_usage(plan.simulation, rates, option, operating_system=system)
            except (RateNotFound, InvalidScenario):
                # Own prices with tiers are as good as none: a Savings Plan is applied by the hour.
                continue
            legs, units = usage.legs, usage.units_per_h
            on_demand = tuple(usage.on_demand_rates.tolist())
            known[option] = tuple(usage.savings_plan_rates.tolist())
        hours = np.maximum(plan.simulation.billed_task_s_by_hour[FARGATE][0], 0.0) / SECONDS_PER_HOUR
        return cls(legs, units, on_demand, known, float(hours.sum()), plan.workload.load.start)

    def to_dict(self) -> dict[str, Any]:
        """Return the usage as plain values.

        Returns
        -------
        dict
            JSON-ready; `from_dict` reads it back.
        """
        return {
            "legs": list(self.legs),
            "units_per_h": self.units_per_h.tolist(),
            "on_demand_rates": list(self.on_demand_rates),
            "savings_plan_rates": [
                {"term": option.term, "payment_option": option.payment_option, "rates": list(rates)}
                for option, rates in self.savings_plan_rates.items()
            ],
            "task_hours": self.task_hours,
            "start": None if self.start is None else self.start.isoformat(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HourlyUsage:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : mapping
            Plain values.

        Returns
        -------
        HourlyUsage
            The usage.
        """
        start = values["start"]
        return cls(
            tuple(values["legs"]),
            np.array(values["units_per_h"]),
            tuple(values["on_demand_rates"]),
            {
                SavingsPlanOption(each["term"], each["payment_option"]): tuple(each["rates"])
                for each in values["savings_plan_rates"]
            },
            values["task_hours"],
            None if start is None else dt.datetime.fromisoformat(start),
        )


@dataclass(frozen=True, eq=False)
class ServiceResult:
    """What is kept of a service that was priced.

    Parameters
    ----------
    name : str
        What it is called in the fleet.
    service : str
        What runs, in words.
    cost : CostBreakdown
        Its own bill, with the Savings Plans that its scenario says.
    mean_tasks, peak_tasks : float
        Billed tasks on average, and largest desired count. [tasks]
    p95_latency_ms : float
        Response time that 95 of 100 requests stay within; infinite if too many are refused. [ms]
    minutes_over_capacity, minutes_over_promise : float
        Minutes of a month whose load is more than the healthy tasks can serve, and those in which the promised p95 does not hold. [min/month]
    usage : HourlyUsage
        What Savings Plans may pay for.
    existing : tuple of SavingsPlan
        Savings Plans that its scenario says you have.
    broken : tuple of str
        Limits of its promise that it breaks, each with its figures.
    warnings : tuple of str
        What else a reader of its plan should know.
    """

    name: str
    service: str
    cost: CostBreakdown
    mean_tasks: float
    peak_tasks: float
    p95_latency_ms: float
    minutes_over_capacity: float
    minutes_over_promise: float
    usage: HourlyUsage
    existing: tuple[SavingsPlan, ...] = ()
    broken: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, plan: Plan, rates: Rates) -> ServiceResult:
        """Take from a plan what a fleet keeps.

        Parameters
        ----------
        name : str
            What to call it in the fleet.
        plan : Plan
            A plan or an estimate.
        rates : Rates
            What it was priced at.

        Returns
        -------
        ServiceResult
            Its bill and figures, without its simulation.
        """
        figures = plan.figures
        return cls(
            name,
            plan.spec.describe(),
            plan.cost,
            figures["mean_tasks"],
            figures["peak_tasks"],
            figures["p95_latency_ms"],
            figures["minutes_over_capacity_per_month"],
            figures["minutes_over_promise_per_month"],
            HourlyUsage.of(plan, rates),
            tuple(one for one in plan.savings_plans if one.existing),
            tuple(limit.reason for limit in plan.broken),
            tuple(text for text in plan.warnings if not text.startswith(_BROKEN)),
        )

    @property
    def region(self) -> str:
        """Region code."""
        return self.cost.region

    @property
    def usd_without_plans(self) -> float:
        """Its bill without any Savings Plan, private discounts taken off. [USD/month]"""
        return float(sum(line.contracted_cost or 0.0 for line in self.cost))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values.

        Returns
        -------
        dict
            JSON-ready; `from_dict` reads it back to the last digit.
        """
        cost = self.cost
        return {
            "name": self.name,
            "service": self.service,
            "cost": {
                "region": cost.region,
                "hours_per_month": cost.hours_per_month,
                "lines": [asdict(line) for line in cost.lines],
                "requests": cost.requests,
                "as_of": cost.as_of,
                "not_included": cost.not_included,
                "savings_plans": [asdict(done) for done in cost.savings_plans],
                "without_quantity": list(cost.without_quantity),
            },
            "mean_tasks": self.mean_tasks,
            "peak_tasks": self.peak_tasks,
            "p95_latency_ms": finite_or_none(self.p95_latency_ms),
            "minutes_over_capacity": self.minutes_over_capacity,
            "minutes_over_promise": self.minutes_over_promise,
            "usage": self.usage.to_dict(),
            "existing": [asdict(plan) for plan in self.existing],
            "broken": list(self.broken),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ServiceResult:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : mapping
            Plain values.

        Returns
        -------
        ServiceResult
            The result.
        """
        cost, p95 = dict(values["cost"]), values["p95_latency_ms"]
        cost["lines"] = tuple(CostLine(**line) for line in cost["lines"])
        cost["savings_plans"] = tuple(
            AppliedSavingsPlan(**(done | {"plan": SavingsPlan(**done["plan"])})) for done in cost["savings_plans"]
        )
        cost["without_quantity"] = tuple(cost["without_quantity"])
        read = {
            "cost": CostBreakdown(**cost),
            "p95_latency_ms": math.inf if p95 is None else p95,
            "usage": HourlyUsage.from_dict(values["usage"]),
            "existing": tuple(SavingsPlan(**plan) for plan in values["existing"]),
            "broken": tuple(values["broken"]),
            "warnings": tuple(values["warnings"]),
        }
        return cls(**(dict(values) | read))


def finite_or_none(value: float) -> float | None:
    """Write a number as JSON has it.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    float or None
        None for one without bound.

    Examples
    --------
    >>> finite_or_none(2.0), finite_or_none(float("inf"))
    (2.0, None)
    """
    return value if math.isfinite(value) else None
