"""What of a bill stands there without any traffic, and what traffic adds: fixed_and_variable(plan, rates)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from estimator.billing.costing import CostBreakdown, CostLine
from estimator.billing.extra_charges import viewer_traffic
from estimator.checks import require_number
from estimator.planning.bills import hold_commitments, in_order, require_rates_of, usd_of
from estimator.planning.price_effect import reprice
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.cloudfront_plans import PREMIUM, PREMIUM_LEVELS, plan_level
from estimator.service.extras import Extras
from estimator.service.spec import ServiceSpec


@dataclass(frozen=True, slots=True)
class LineSplit:
    """A line of the bill, taken apart.

    Parameters
    ----------
    charge : str
        Name of the line.
    title : str
        What it is, in words.
    fixed_usd : float or None
        What it costs without any traffic; None if the rate is unknown. [USD/month]
    total_usd : float or None
        What it costs; None if the rate is unknown. [USD/month]
    """

    charge: str
    title: str
    fixed_usd: float | None
    total_usd: float | None

    @property
    def variable_usd(self) -> float | None:
        """What traffic adds, less than 0 if the line shrinks with it; None if the rate is unknown. [USD/month]"""
        return None if self.fixed_usd is None or self.total_usd is None else self.total_usd - self.fixed_usd


@dataclass(frozen=True, eq=False)
class CostSplit:
    """A bill, taken apart into what is fixed and what follows traffic.

    Parameters
    ----------
    spec : ServiceSpec
        The service.
    cost : CostBreakdown
        Its bill.
    idle : CostBreakdown
        Its bill without any traffic.
    users : float, optional
        Users whose requests they are. [users]
    """

    spec: ServiceSpec
    cost: CostBreakdown
    idle: CostBreakdown
    users: float | None = None

    @property
    def lines(self) -> tuple[LineSplit, ...]:
        """Every line of either bill, in the order of ``CHARGES``."""
        with_traffic, without = ({line.charge: line for line in bill} for bill in (self.cost, self.idle))
        charges = in_order((*with_traffic, *without))
        return tuple(_line(charge, with_traffic.get(charge), without.get(charge)) for charge in charges)

    @property
    def total_usd(self) -> float:
        """Sum of the known lines. [USD/month]"""
        return self.cost.total_usd

    @property
    def fixed_usd(self) -> float:
        """What the known lines come to without any traffic. [USD/month]"""
        return self.idle.total_usd

    @property
    def variable_usd(self) -> float:
        """What traffic adds to the known lines. [USD/month]"""
        return self.total_usd - self.fixed_usd

    @property
    def variable_is_lower_bound(self) -> bool:
        """True if traffic adds to a line without a known rate."""
        idle = {line.charge: line.pricing_quantity for line in self.idle}
        return any(
            line.effective_cost is None and not math.isclose(line.pricing_quantity, idle.get(line.charge, 0.0))
            for line in self.cost
        )

    @property
    def usd_per_million_requests(self) -> float | None:
        """The whole bill over its requests; None without any. [USD/1,000,000 requests]"""
        return self._per_million(self.total_usd)

    @property
    def variable_usd_per_million_requests(self) -> float | None:
        """What traffic adds over its requests: the mean, where tiers make later ones cheaper; None without any. [USD/1,000,000 requests]"""
        return self._per_million(self.variable_usd)

    @property
    def usd_per_user(self) -> float | None:
        """The whole bill over its users; None if their number is not known. [USD/user]"""
        return None if self.users is None else self.total_usd / self.users

    @property
    def variable_usd_per_user(self) -> float | None:
        """What traffic adds over its users; None if their number is not known. [USD/user]"""
        return None if self.users is None else self.variable_usd / self.users

    def _per_million(self, usd: float) -> float | None:
        return usd / self.cost.requests * 1e6 if self.cost.requests else None

    @property
    def verdict(self) -> str:
        """What it comes to, in a sentence or a few."""
        whole_least, fixed, added = (
            "at least " if bound else ""
            for bound in (self.cost.is_lower_bound, self.idle.is_lower_bound, self.variable_is_lower_bound)
        )
        known = self.total_usd and not self.cost.is_lower_bound
        part = f" ({self.fixed_usd / self.total_usd:.0%} of the bill)" if known else ""
        words = [
            f"Without any traffic the service costs {fixed}${self.fixed_usd:,.2f} a month{part}; traffic adds {added}${self.variable_usd:,.2f}."
        ]
        for what, whole, variable in (
            ("A million requests cost", self.usd_per_million_requests, self.variable_usd_per_million_requests),
            ("A user costs", self.usd_per_user, self.variable_usd_per_user),
        ):
            if whole is not None and variable is not None:
                words.append(
                    f"{what} {whole_least}${_digits(whole)}, of which {added}${_digits(variable)} follow traffic."
                )
        return " ".join(words)

    def __repr__(self) -> str:
        return self.verdict

    def to_frame(self) -> Any:
        """Return the parts as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each line; not a number where a rate is unknown. [USD/month]
        """
        import pandas as pd

        names = ("charge", "title", "fixed_usd", "variable_usd", "total_usd")
        return pd.DataFrame([[getattr(line, name) for name in names] for line in self.lines], columns=list(names))

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as plain values.

        Returns
        -------
        dict
            JSON-ready; what is unknown is None.
        """
        return {
            "service": self.spec.describe(),
            "fixed_usd_per_month": self.fixed_usd,
            "variable_usd_per_month": self.variable_usd,
            "total_usd_per_month": self.total_usd,
            "is_lower_bound": self.cost.is_lower_bound,
            "fixed_is_lower_bound": self.idle.is_lower_bound,
            "variable_is_lower_bound": self.variable_is_lower_bound,
            "requests_per_month": self.cost.requests,
            "usd_per_million_requests": self.usd_per_million_requests,
            "variable_usd_per_million_requests": self.variable_usd_per_million_requests,
            "users": self.users,
            "usd_per_user": self.usd_per_user,
            "variable_usd_per_user": self.variable_usd_per_user,
            "lines": [
                {
                    "charge": line.charge,
                    "title": line.title,
                    "fixed_usd": line.fixed_usd,
                    "variable_usd": line.variable_usd,
                    "total_usd": line.total_usd,
                }
                for line in self.lines
            ],
            "verdict": self.verdict,
        }


def fixed_and_variable(plan: Plan, rates: Rates, users: float | None = None) -> CostSplit:
    """Take a bill apart into what stands on it without any traffic and what traffic adds.

    What is fixed is the bill of the same service, simulated without a request: its tasks are at their minimum, and what happens beside the
    load, such as deployments and scheduled actions, happens all the same. Savings Plans keep their commitment and CloudFront its flat-rate plan,
    so that they are fixed.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        What it was priced at.
    users : float, optional
        Users whose requests the load is, for the cost by user. [users]

    Returns
    -------
    CostSplit
        Both parts of every line; together they are the bill.

    Raises
    ------
    InvalidScenario
        If the users are no number above 0.

    Examples
    --------
    Two tasks that never scale: only the load balancer's units, logs and data transfer follow traffic.

    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> spec = ServiceSpec(TaskSize(256, 512), min_capacity=2, max_capacity=2)
    >>> split = fixed_and_variable(estimate(Workload(LoadProfile.constant(10), cpu_ms_per_request=10), rates, spec), rates)
    >>> [line.charge for line in split.lines if line.variable_usd]
    ['alb_lcu_hour', 'internet_egress', 'logs_ingestion', 'logs_storage']
    """
    require_rates_of(plan, rates)
    if users is not None:
        require_number("users", users, 0, 1e12, above=True)
    silent = replace(plan.workload, load=plan.workload.load.scaled(0))
    idle = reprice(replace(hold_commitments(plan), workload=silent, extras=_held(plan)), rates).cost
    return CostSplit(plan.spec, plan.cost, idle, users)


def _held(plan: Plan) -> Extras:
    """Name the level of CloudFront's Premium plan that the traffic asks for, so that less of it does not choose another."""
    extras = plan.extras
    if extras.cloudfront_plan != PREMIUM or extras.cloudfront_premium_tb is not None:
        return extras
    paid = plan_level(PREMIUM, *viewer_traffic(plan.workload, plan.cost.hours_per_month))
    return replace(extras, cloudfront_premium_tb=next(tb for tb, level in PREMIUM_LEVELS.items() if level == paid))


def _line(charge: str, with_traffic: CostLine | None, without: CostLine | None) -> LineSplit:
    named = with_traffic or without
    assert named is not None
    return LineSplit(charge, named.title, usd_of(without), usd_of(with_traffic))


def _digits(usd: float) -> str:
    """Write an amount with cents, or with four digits where it is less than a dollar."""
    return f"{usd:,.2f}" if abs(usd) >= 1 or usd == 0 else f"{usd:.4g}"
