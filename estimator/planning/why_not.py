"""Why a plan is not another service: why_not(plan, rates, spec), with the limits that one breaks or the lines that make it dearer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from estimator.billing.costing import CostBreakdown, CostLine
from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.planning.bills import in_order, require_rates_of
from estimator.planning.planner import estimate
from estimator.planning.promise import Rejection
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.service.spec import ServiceSpec

#: Lines of the bill that a verdict names. [1]
MOST_LINES = 3
#: Bills that differ by less are the same, as they are for the search [USD/month], and quantities that differ by less of themselves [1].
_SAME_USD = 1e-9
#: What is less reads as nothing in cents. [USD/month]
_CENTS = 0.005
_WORDS = {
    "plan": "it is the plan itself",
    "breaks": "it breaks the promise",
    "dearer": "it is dearer",
    "ties": "it costs the same",
    "cheaper": "it is cheaper and keeps the promise",
    "unknown": "its bill cannot be compared",
}


@dataclass(frozen=True, slots=True)
class KindDifference:
    """Lines of the same kind on two bills, whatever the processor, the capacity provider and the commitment.

    Parameters
    ----------
    title : str
        What it is, in words, such as ``Fargate vCPU``.
    before_usd : float or None
        Cost on the first bill; None if a rate is unknown. [USD/month]
    after_usd : float or None
        Cost on the second bill; None if a rate is unknown. [USD/month]
    difference_usd : float or None
        What the second bill has more; 0 where both lack the same quantity of an unknown rate, None if it is not known. [USD/month]
    """

    title: str
    before_usd: float | None
    after_usd: float | None
    difference_usd: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "title": self.title,
            "before_usd": self.before_usd,
            "after_usd": self.after_usd,
            "difference_usd": self.difference_usd,
        }


@dataclass(frozen=True, eq=False)
class WhyNot:
    """Another service beside a plan: what it breaks, or what it costs more and where.

    Parameters
    ----------
    plan : Plan
        The plan.
    other : Plan
        The other service, with its course and bill, for the same load.
    broken : tuple of Rejection
        Every limit of the promise that it breaks.
    lines : tuple of KindDifference
        What the other service costs more by kind of line, the largest differences first; those that are the same are left out.
    """

    plan: Plan
    other: Plan
    broken: tuple[Rejection, ...]
    lines: tuple[KindDifference, ...]

    @property
    def difference_usd(self) -> float | None:
        """What the other service costs more; None if a rate that is not known decides. [USD/month]"""
        return difference_usd(self.plan.cost, self.other.cost)

    @property
    def kind(self) -> str:
        """What it comes to: ``plan``, ``breaks``, ``unknown``, ``dearer``, ``ties`` or ``cheaper``."""
        more = self.difference_usd
        if self.other.spec == self.plan.spec:
            return "plan"
        if self.broken:
            return "breaks"
        if more is None:
            return "unknown"
        if abs(more) < _SAME_USD:
            return "ties"
        return "dearer" if more > 0 else "cheaper"

    @property
    def verdict(self) -> str:
        """Why the other service is not the plan, in a sentence or two."""
        service = f"{self.other.spec.describe()}: {_WORDS[self.kind]}"
        if self.kind == "breaks":
            reasons = "; ".join(limit.reason for limit in self.broken)
            return f"{service} ({reasons}). {self._price_text}"
        if self.kind == "cheaper":
            return f"{service}. {self._price_text} It is not among the choices of the search: widen `search` in the scenario."
        if self.kind == "ties":
            of_plan, of_other = (_ms(each.figures["p95_latency_ms"]) for each in (self.plan, self.other))
            return (
                f"{service} and keeps the promise. Of equal bills the search takes the lower p95 latency, then the smaller task: the plan has "
                f"{of_plan}, this has {of_other}."
            )
        return f"{service}." if self.kind == "plan" else f"{service}. {self._price_text}"

    @property
    def _price_text(self) -> str:
        more = self.difference_usd
        if more is None:
            return "What it costs more or less is not known, since a rate that differs between both bills is not known."
        if abs(more) < _SAME_USD:
            return "It would cost the same."
        where = ", ".join(f"{line.title} {signed_usd(line.difference_usd)}" for line in self.lines[:MOST_LINES])
        side = "more" if more > 0 else "less"
        total = self.plan.cost.total_usd
        part = f" ({100 * abs(more) / total:.1f} %)" if total and not self.plan.cost.is_lower_bound else ""
        return f"It costs ${usd_digits(abs(more))} a month {side}{part}: {where}."

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values.

        Returns
        -------
        dict
            JSON-ready; what is not known is None.
        """
        return {
            "kind": self.kind,
            "verdict": self.verdict,
            "plan": self.plan.spec.describe(),
            "plan_usd_per_month": self.plan.cost.total_usd,
            "other": self.other.spec.describe(),
            "other_usd_per_month": self.other.cost.total_usd,
            "other_service": self.other.spec.to_dict(),
            "is_lower_bound": self.plan.cost.is_lower_bound or self.other.cost.is_lower_bound,
            "difference_usd_per_month": self.difference_usd,
            "broken": [limit.to_dict() for limit in self.broken],
            "lines": [line.to_dict() for line in self.lines],
        }

    def __str__(self) -> str:
        return self.verdict


def why_not(plan: Plan, rates: Rates, spec: ServiceSpec) -> WhyNot:
    """Say why a service is not the plan: simulate and price it, and hold it against the plan.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The region's rates.
    spec : ServiceSpec
        Another service; it need not be one that a search would try.

    Returns
    -------
    WhyNot
        Every limit that it breaks, and what it costs more by kind of line.

    Raises
    ------
    InvalidScenario
        If it does not go with the application or the network, or the rates are of another region.

    Examples
    --------
    >>> from estimator import Choices, LoadProfile, ServiceSpec, TaskSize, Workload, load_rates, plan
    >>> rates = load_rates("us-east-1")
    >>> choices = Choices(target_values=(60.0,), min_capacities=(2,))
    >>> best = plan(Workload(LoadProfile.constant(5), cpu_ms_per_request=10), rates, choices=choices)
    >>> alone = why_not(best, rates, ServiceSpec(TaskSize(256, 512), "ARM64", 1, 4))
    >>> alone.kind, [limit.constraint for limit in alone.broken]
    ('breaks', ['min_tasks', 'min_availability_zones'])
    """
    require_rates_of(plan, rates)
    if not isinstance(spec, ServiceSpec):
        raise InvalidScenario(f"spec is {shown(spec)}; it must be a ServiceSpec, such as plan.spec with other values.")
    other = estimate_like(plan, rates, spec)
    return WhyNot(plan, other, other.broken, kind_differences(plan.cost, other.cost))


def estimate_like(plan: Plan, rates: Rates, spec: ServiceSpec) -> Plan:
    """Simulate and price another service for the load, the promise and all else of a plan.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate.
    rates : Rates
        The region's rates.
    spec : ServiceSpec
        The other service.

    Returns
    -------
    Plan
        Its course and bill, with the plan's Savings Plans.
    """
    return estimate(
        plan.workload,
        rates,
        spec,
        plan.application,
        plan.promise,
        plan.behavior,
        plan.cost.hours_per_month,
        plan.operations,
        plan.extras,
        plan.savings_plans,
    )


def kind_differences(before: CostBreakdown, after: CostBreakdown) -> tuple[KindDifference, ...]:
    """Hold two bills against each other by kind of line: a vCPU is a vCPU, On-Demand, on Spot, or paid by a commitment.

    Parameters
    ----------
    before, after : CostBreakdown
        The bills.

    Returns
    -------
    tuple of KindDifference
        Those that differ, the largest difference first; those of which it is not known lead.
    """
    found = []
    kinds = {_kind_of(line): line.charge for cost in (after, before) for line in cost}
    order = {charge: place for place, charge in enumerate(in_order(kinds.values()))}
    for kind in sorted(kinds, key=lambda title: order[kinds[title]]):
        lines = [[line for line in cost if _kind_of(line) == kind] for cost in (before, after)]
        difference = difference_usd(*lines)
        if difference is None or abs(difference) >= _SAME_USD:
            old, new = (None if any(map(_is_unknown, each)) else _known_usd(each) for each in lines)
            found.append(KindDifference(kind, old, new, difference))
    return tuple(
        sorted(found, key=lambda line: -math.inf if line.difference_usd is None else -abs(line.difference_usd))
    )


def difference_usd(before: Iterable[CostLine], after: Iterable[CostLine]) -> float | None:
    """Say what one bill, or some of its lines, is more than another.

    Parameters
    ----------
    before, after : CostBreakdown or iterable of CostLine
        The bills.

    Returns
    -------
    float or None
        What the second is more; None unless both lack the same quantities of the rates that are not known. [USD/month]
    """
    old, new = list(before), list(after)
    lacking, then = ({line.charge: line for line in lines if _is_unknown(line)} for lines in (old, new))
    # What both lack falls out of their difference, unless a Savings Plan pays for a part that is not known.
    alike = lacking.keys() == then.keys() and all(
        not (line.is_shared or then[charge].is_shared)
        and math.isclose(line.pricing_quantity, then[charge].pricing_quantity, rel_tol=_SAME_USD)
        for charge, line in lacking.items()
    )
    return _known_usd(new) - _known_usd(old) if alike else None


def signed_usd(usd: float | None) -> str:
    """Write a difference with its sign.

    Parameters
    ----------
    usd : float or None
        The difference. [USD]

    Returns
    -------
    str
        ``unknown`` for None; ``0.00`` has no sign.

    Examples
    --------
    >>> signed_usd(12.345), signed_usd(-0.0001), signed_usd(0.0), signed_usd(None)
    ('+12.35', '-0.0001', '0.00', 'unknown')
    """
    if usd is None:
        return "unknown"
    if abs(usd) < _SAME_USD:
        return "0.00"
    return f"{'+' if usd > 0 else '-'}{usd_digits(abs(usd))}"


def usd_digits(usd: float) -> str:
    """Write an amount in cents, or with two digits where it is less than half of one.

    Parameters
    ----------
    usd : float
        The amount, 0 or more. [USD]

    Returns
    -------
    str
        Such as ``1,234.50`` or ``0.0012``.
    """
    return f"{usd:,.2f}" if usd >= _CENTS or usd < _SAME_USD else f"{usd:.2g}"


def _kind_of(line: CostLine) -> str:
    """Name what a line is of: before the comma of its title stands the dimension, behind it the processor, the class or the commitment."""
    return line.title.partition(", ")[0].replace("Fargate Spot ", "Fargate ")


def _is_unknown(line: CostLine) -> bool:
    return line.effective_cost is None and line.pricing_quantity != 0


def _known_usd(lines: Iterable[CostLine]) -> float:
    return float(sum(line.effective_cost or 0.0 for line in lines))


def _ms(value: float) -> str:
    return f"{value:,.4g} ms" if math.isfinite(value) else "no bound"
