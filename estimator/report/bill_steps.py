"""A bill as the steps from nothing to its total: GROUPS, and bill_steps(cost)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from estimator.billing.costing import CostBreakdown, CostLine
from estimator.pricing.catalog import PRICES

#: AWS's service codes of the lines of each group, in the order in which a bill is drawn. A line of another service is of the group `REST`.
GROUPS: Mapping[str, frozenset[str]] = {
    "Compute": frozenset({"AmazonECS", "FargateSpot", "ComputeSavingsPlans"}),
    "Load balancer": frozenset({"AWSELB"}),
    "Network": frozenset({"AmazonVPC", "AmazonEC2"}),
    "Data transfer": frozenset({"AWSDataTransfer"}),
    "Logs and metrics": frozenset({"AmazonCloudWatch", "AmazonS3"}),
    "Edge": frozenset({"AmazonCloudFront", "CloudFrontPlans", "awswaf", "AmazonRoute53"}),
}
#: The group of all other services: images, secrets, keys.
REST = "Rest"
#: The group of what a commitment leaves unused, which has no price of its own.
_COMMITTED = "Compute"
SAVINGS_PLANS, TOTAL = "Savings Plans", "Total"


@dataclass(frozen=True, slots=True)
class Step:
    """One step from nothing to the total.

    Parameters
    ----------
    title : str
        A group, ``SAVINGS_PLANS`` or ``TOTAL``.
    begin_usd : float
        Where it begins: the sum of the steps before it; 0 for the total. [USD/month]
    usd : float
        What it adds; less than 0 for what Savings Plans save. [USD/month]
    lines : tuple of CostLine
        The lines of a group; none for another step.
    is_lower_bound : bool
        True if a line of it has no known rate.
    """

    title: str
    begin_usd: float
    usd: float
    lines: tuple[CostLine, ...] = ()
    is_lower_bound: bool = False

    @property
    def end_usd(self) -> float:
        """Where it ends. [USD/month]"""
        return self.begin_usd + self.usd

    @property
    def is_group(self) -> bool:
        """True for a group of lines."""
        return bool(self.lines)

    @property
    def text(self) -> str:
        """What it adds, to read."""
        if self.title == SAVINGS_PLANS:
            return f"{'−' if self.usd < 0 else '+'}${abs(self.usd):,.2f}"
        if self.is_group and all(line.effective_cost is None for line in self.lines):
            return "unknown"
        return f"{'at least ' if self.is_lower_bound else ''}${self.usd:,.2f}"


def group_of(line: CostLine) -> str:
    """Say to which group a line of a bill belongs.

    Parameters
    ----------
    line : CostLine
        The line.

    Returns
    -------
    str
        A name in ``GROUPS``, or ``REST``.
    """
    if line.price not in PRICES:
        return REST if line.price else _COMMITTED
    code = PRICES[line.price].query.service_code
    return next((title for title, codes in GROUPS.items() if code in codes), REST)


def usd_by_group(cost: CostBreakdown) -> dict[str, float]:
    """Add up a bill by group.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    dict of str to float
        Sum of the known lines of each group of ``GROUPS`` and of ``REST``; together they are the total. [USD/month]
    """
    sums = dict.fromkeys((*GROUPS, REST), 0.0)
    for line in cost:
        sums[group_of(line)] += line.effective_cost or 0.0
    return sums


def unknown_groups(cost: CostBreakdown) -> frozenset[str]:
    """Name the groups of a bill in which a line has no known rate.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    frozenset of str
        Of ``GROUPS`` and ``REST``; their sums are at least so much.
    """
    return frozenset(group_of(line) for line in cost if line.effective_cost is None)


def bill_steps(cost: CostBreakdown) -> tuple[Step, ...]:
    """Divide a bill into the steps from nothing to its total.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    tuple of Step
        Each group that has a line, less private discounts and before Savings Plans; where there are any, what they take off; the total. What the
        steps before the total add is the total.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> cost = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), load_rates("us-east-1"), ServiceSpec(TaskSize(256, 512))).cost
    >>> [step.title for step in bill_steps(cost)]
    ['Compute', 'Load balancer', 'Network', 'Data transfer', 'Logs and metrics', 'Total']
    """
    by_group: dict[str, list[CostLine]] = {title: [] for title in (*GROUPS, REST)}
    for line in cost:
        by_group[group_of(line)].append(line)
    steps: list[Step] = []
    so_far = 0.0
    for title, lines in by_group.items():
        if lines:
            usd = sum(line.contracted_cost or 0.0 for line in lines if line.effective_cost is not None)
            unknown = any(line.effective_cost is None for line in lines)
            steps.append(Step(title, so_far, usd, tuple(lines), unknown))
            so_far += usd
    if cost.savings_plans or any(not line.price for line in cost):
        steps.append(Step(SAVINGS_PLANS, so_far, cost.total_usd - so_far))
    return (*steps, Step(TOTAL, 0.0, cost.total_usd, is_lower_bound=cost.is_lower_bound))


def unknown_text(cost: CostBreakdown) -> str:
    """Say which lines of a bill have no known rate.

    Parameters
    ----------
    cost : CostBreakdown
        The bill.

    Returns
    -------
    str
        A sentence, empty if all rates are known.
    """
    shared = [line.title for line in cost if line.is_shared]
    titles = [line.title for line in cost if line.effective_cost is None and not line.is_shared]
    reasons = [f"No rate is known for {', '.join(titles)}"] if titles else []
    reasons += [f"It is not known what a Savings Plan pays of {', '.join(shared)}"] if shared else []
    return f"{'. '.join(reasons)}: not part of the total, so the bill is at least that." if reasons else ""
