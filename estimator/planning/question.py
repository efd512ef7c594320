"""What is searched, and what is found: Question and Winner."""

from __future__ import annotations

from dataclasses import dataclass

from estimator.billing.costing import CostBreakdown
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.planning.drills import Situation
from estimator.planning.promise import Promise
from estimator.pricing.rates import Rates
from estimator.service.application import Application
from estimator.service.behavior import AwsBehavior
from estimator.service.extras import Extras
from estimator.service.operations import Operations
from estimator.service.spec import ServiceSpec
from estimator.workload.request import Workload


@dataclass(frozen=True, eq=False)
class Question:
    """What is searched: candidates under one load at one price list, and what they have to keep.

    Parameters
    ----------
    specs : tuple of ServiceSpec
        The candidates.
    workload : Workload
        The load and its requests.
    rates : Rates
        The region's rates.
    promise : Promise
        Limits.
    application : Application
        What is deployed.
    behavior : AwsBehavior
        What is taken for granted of AWS.
    operations : Operations
        What happens beside the load.
    extras : Extras
        What is billed around the service.
    hours_per_month : float
        Length of the billed month. [h]
    purchases : tuple of tuple of SavingsPlan
        Savings Plans to choose between, each with those that you have; one empty for On-Demand.
    """

    specs: tuple[ServiceSpec, ...]
    workload: Workload
    rates: Rates
    promise: Promise
    application: Application
    behavior: AwsBehavior
    operations: Operations
    extras: Extras
    hours_per_month: float
    purchases: tuple[tuple[SavingsPlan, ...], ...] = ((),)

    @property
    def situation(self) -> Situation:
        """What candidates are drilled in."""
        return Situation(self.workload, self.application, self.behavior, self.operations, self.promise)

    @property
    def needs_hours(self) -> bool:
        """True if bills depend on the usage of each hour."""
        return any(self.purchases)


@dataclass(frozen=True, eq=False)
class Winner:
    """The cheapest candidate that keeps the promise.

    Parameters
    ----------
    place : int
        Its position among the candidates.
    cost : CostBreakdown
        Its bill.
    purchase : tuple of SavingsPlan
        Savings Plans that the bill is with.
    left_out : tuple of str
        What could not be said of them.
    key : tuple of (float, float, int)
        What it is compared by: the bill, the p95 latency, the position.
    usd_per_month : float
        The bill that it is compared by: without Savings Plans where it is not known what they pay. [USD/month]
    """

    place: int
    cost: CostBreakdown
    purchase: tuple[SavingsPlan, ...]
    left_out: tuple[str, ...]
    key: tuple[float, float, int]
    usd_per_month: float
