"""A bill with Savings Plans: with_savings_plans(cost, simulation, rates, plans).

Notes
-----
Each Fargate line is split as an invoice splits it: what the commitment of each plan pays for, at its rates, and what is left, On-Demand. What
is left of a commitment, and lost, is a line of its own. So the lines still add up, and each is a quantity times a rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from estimator.billing.costing import CostBreakdown, CostLine, cost_line
from estimator.billing.savings_plan_options import (
    AppliedSavingsPlan,
    SavingsPlan,
    SavingsPlanPayment,
    require_savings_plans,
)
from estimator.billing.savings_plans import (
    ExistingCommitment,
    Floats,
    SavingsPlanUsage,
    apply_commitment,
    best_commitment,
    fargate_usage,
)
from estimator.billing.working import written
from estimator.errors import RateNotFound
from estimator.pricing.rates import Rates
from estimator.service.task_size import LINUX
from estimator.simulation.result import Simulation

#: Names of the lines of what is left of a commitment, and of a commitment of which it is not known what it pays, before the plan's number.
UNUSED, COMMITMENT = "savings_plan_unused", "savings_plan_commitment"
#: What a Compute Savings Plan pays for, On-Demand.
_COVERED_PRICES = frozenset(
    f"fargate_{kind}_{leg}_hour" for kind in ("linux_x86", "linux_arm", "windows") for leg in ("vcpu", "gb")
)
# What is less than this part of a quantity is rounding.
_ROUNDING = 1e-9


def with_savings_plans(
    cost: CostBreakdown,
    simulation: Simulation,
    rates: Rates,
    plans: Iterable[SavingsPlan],
    operating_system: str = LINUX,
    candidate: int = 0,
) -> CostBreakdown:
    """Apply Savings Plans to a bill, hour by hour.

    They are applied in their order, each to the usage that those before it leave.

    Parameters
    ----------
    cost : CostBreakdown
        The bill without them.
    simulation : Simulation
        What it is of, made with ``keep_hours=True``.
    rates : Rates
        The region's rates.
    plans : iterable of SavingsPlan
        The plans; those that you have first. The commitment of the last may be left to be found: it is then the one that costs least.
    operating_system : str
        ``LINUX`` or ``WINDOWS``.
    candidate : int
        Position of the candidate that the bill is of.

    Returns
    -------
    CostBreakdown
        The bill with them, and what each did.

    Raises
    ------
    InvalidScenario
        If the order of the plans is not so.
    RateNotFound
        If a rate of a plan is not known: what it covers cannot be said then.
    """
    wanted = require_savings_plans(plans)
    if not wanted:
        return cost
    left: Floats | None = None
    paid: dict[str, list[CostLine]] = {}
    unused: list[CostLine] = []
    applied: list[AppliedSavingsPlan] = []
    by_charge = {line.charge: line for line in cost}
    months = cost.hours_per_month / simulation.period_hours
    for number, plan in enumerate(wanted, 1):
        usage = fargate_usage(simulation, rates, plan.option, candidate, operating_system)
        if left is not None:
            usage = replace(usage, units_per_h=left)
        commitment = plan.commitment_usd_per_h
        if commitment is None:
            commitment = best_commitment(usage).commitment_usd_per_h
        left = apply_commitment(usage, commitment).on_demand_units_per_h
        units = np.maximum((usage.units_per_h - left).sum(axis=1), 0.0) * months
        done = _applied(plan, commitment, cost.hours_per_month, usage, units)
        came = usage.units_per_h.sum(axis=1) * months
        for leg, quantity, before in zip(usage.legs, units.tolist(), came.tolist(), strict=True):
            if leg in by_charge and quantity > 0:
                price = plan.option.price_of(leg.removeprefix("fargate_").removesuffix("_hour"))
                paid.setdefault(leg, []).append(_covered(by_charge[leg], price, quantity, before, number, rates))
        if done.unused_usd:
            unused.append(_unused(done, number))
        applied.append(done)
    lines: list[CostLine] = []
    for line in cost:
        covered = paid.get(line.charge, [])
        lines += [*_remainder(line, covered, rates), *covered]
    return replace(cost, lines=(*lines, *unused), savings_plans=tuple(applied))


def with_known_plans(
    cost: CostBreakdown,
    simulation: Simulation,
    rates: Rates,
    plans: Iterable[SavingsPlan],
    operating_system: str = LINUX,
) -> tuple[CostBreakdown, tuple[str, ...]]:
    """Apply those Savings Plans to a bill whose rates are known, and say what becomes of the others.

    One that is to be bought is left out where its rates are not known. One that you have is paid whatever it covers: its commitment stands on
    the bill, and what plans before it leave of the Fargate lines is unknown, since what it pays of them cannot be said; the bill is then at
    least its total.

    Parameters
    ----------
    cost : CostBreakdown
        The bill without them.
    simulation : Simulation
        What it is of, made with ``keep_hours=True``; one candidate.
    rates : Rates
        The region's rates.
    plans : iterable of SavingsPlan
        The plans, in the order in which they are applied.
    operating_system : str
        ``LINUX`` or ``WINDOWS``.

    Returns
    -------
    tuple of (CostBreakdown, tuple of str)
        The bill, and a sentence for each plan that could not be applied.
    """
    wanted = require_savings_plans(plans)
    known: list[SavingsPlan] = []
    for place, plan in enumerate(wanted):
        try:
            fargate_usage(simulation, rates, plan.option, operating_system=operating_system)
        except RateNotFound as error:
            applied = with_savings_plans(cost, simulation, rates, known, operating_system)
            if not plan.existing:
                # It is the last one.
                return applied, (f"{plan.title}: it is left out, and the bill is without it. {error}",)
            return _with_unknown(applied, wanted[place:], place + 1, str(error))
        known.append(plan)
    return with_savings_plans(cost, simulation, rates, known, operating_system), ()


def existing_commitments(
    simulation: Simulation, rates: Rates, plans: Iterable[SavingsPlan], operating_system: str = LINUX
) -> list[ExistingCommitment]:
    """Take the commitments that you have from a bill's Savings Plans, for `best_commitment` and `commitment_risk`.

    Parameters
    ----------
    simulation : Simulation
        Made with ``keep_hours=True``; one candidate.
    rates : Rates
        The region's rates.
    plans : iterable of SavingsPlan
        The plans; those to be bought are passed over.
    operating_system : str
        ``LINUX`` or ``WINDOWS``.

    Returns
    -------
    list of ExistingCommitment
        In their order.

    Raises
    ------
    RateNotFound
        If a rate of one is not known.
    """
    return [
        ExistingCommitment(
            plan.commitment_usd_per_h or 0.0,
            fargate_usage(simulation, rates, plan.option, operating_system=operating_system).savings_plan_rates,
        )
        for plan in plans
        if plan.existing
    ]


def _with_unknown(
    cost: CostBreakdown, rest: Sequence[SavingsPlan], number: int, why: str
) -> tuple[CostBreakdown, tuple[str, ...]]:
    """Put the commitments of plans that you have on a bill, the first of which pays for what nobody knows."""
    left = [line for line in cost if line.price in _COVERED_PRICES]
    lines = [
        replace(line, effective_unit_price="unknown", effective_cost=None, billed_cost=None) if line in left else line
        for line in cost
    ]
    said: list[str] = []
    for place, plan in enumerate(rest):
        if not plan.existing:
            said.append(
                f"{plan.title}: it is left out, since what is left for it depends on what {rest[0].title} pays for."
            )
            continue
        usd_per_h = plan.commitment_usd_per_h or 0.0
        if not left:
            # Nothing is On-Demand that it could pay for.
            done = AppliedSavingsPlan(plan, usd_per_h, cost.hours_per_month, 0.0, 0.0)
            cost = replace(cost, savings_plans=(*cost.savings_plans, done))
            lines.append(_unused(done, number + place))
            continue
        because = why if place == 0 else f"It depends on what {rest[0].title} pays for."
        said.append(f"{plan.title}: its commitment is on the bill, and what it pays for is not known. {because}")
        working = _committed(usd_per_h, cost.hours_per_month)
        line = _commitment_line(plan, usd_per_h * cost.hours_per_month, number + place, "commitment × hours", working)
        payment = SavingsPlanPayment(plan.option, usd_per_h, plan.partial_upfront_percent)
        lines.append(replace(line, billed_cost=payment.recurring_usd_per_h * cost.hours_per_month))
    return replace(cost, lines=tuple(lines)), tuple(said)


def on_demand_bill(cost: CostBreakdown) -> CostBreakdown:
    """Take Savings Plans off a bill again.

    Parameters
    ----------
    cost : CostBreakdown
        A bill, with Savings Plans or without.

    Returns
    -------
    CostBreakdown
        What it would be On-Demand, private discounts taken off.
    """
    found: dict[str, CostLine] = {}
    for line in cost:
        charge, plan, _ = line.charge.partition(":savings_plan_")
        if not line.price:
            continue
        whole = found.get(charge)
        if whole is not None:
            line = _sum_of(whole, line)
        elif plan:
            line = replace(line, charge=charge, price=charge, title=line.title.removesuffix(", Savings Plan"))
        found[charge] = replace(
            line,
            effective_unit_price=line.contracted_unit_price,
            effective_cost=line.contracted_cost,
            billed_cost=line.contracted_cost,
        )
    return replace(cost, lines=tuple(found.values()), savings_plans=())


def _sum_of(line: CostLine, part: CostLine) -> CostLine:
    return replace(
        line,
        pricing_quantity=line.pricing_quantity + part.pricing_quantity,
        list_cost=None if line.list_cost is None else line.list_cost + (part.list_cost or 0.0),
        contracted_cost=None if line.contracted_cost is None else line.contracted_cost + (part.contracted_cost or 0.0),
    )


def _applied(
    plan: SavingsPlan, commitment: float, hours: float, usage: SavingsPlanUsage, units: Floats
) -> AppliedSavingsPlan:
    used = float(usage.savings_plan_rates @ units)
    return AppliedSavingsPlan(plan, commitment, hours, used, float(usage.on_demand_rates @ units))


def _committed(usd_per_h: float, hours: float) -> str:
    return f"{written(usd_per_h)} USD/h × {written(hours)} h"


def _covered(line: CostLine, price: str, quantity: float, before: float, number: int, rates: Rates) -> CostLine:
    """Write what a plan pays of what comes to it: list and contracted cost are On-Demand's, the effective one the plan's; nothing is billed."""
    formula = f"part of {line.charge} that the commitment pays for, hour by hour"
    left = before - quantity if before - quantity > _ROUNDING * before else 0.0
    working = f"{written(before)} {line.pricing_unit} that come to it − {written(left)} that it leaves"
    covered = cost_line(
        f"{line.charge}:savings_plan_{number}", f"{line.title}, Savings Plan", price, quantity, rates, formula, working
    )
    on_demand = cost_line(line.charge, line.title, line.price, quantity, rates, "")
    return replace(
        covered,
        list_unit_price=on_demand.list_unit_price,
        list_cost=on_demand.list_cost,
        contracted_unit_price=on_demand.contracted_unit_price,
        contracted_cost=on_demand.contracted_cost,
        billed_cost=0.0,
    )


def _remainder(line: CostLine, covered: list[CostLine], rates: Rates) -> list[CostLine]:
    if not covered:
        return [line]
    quantity = line.pricing_quantity - sum(part.pricing_quantity for part in covered)
    if quantity <= _ROUNDING * line.pricing_quantity:
        return []
    formula = f"{line.formula}; less what Savings Plans pay for"
    paid = "".join(f" − {written(part.pricing_quantity)} that a Savings Plan pays for" for part in covered)
    return [
        cost_line(line.charge, line.title, line.price, quantity, rates, formula, line.working and line.working + paid)
    ]


def _unused(done: AppliedSavingsPlan, number: int) -> CostLine:
    working = f"{_committed(done.commitment_usd_per_h, done.hours)} − {written(done.used_usd)} USD used"
    formula = "sum over hours of what usage leaves of the commitment"
    line = _commitment_line(done.plan, done.unused_usd, number, formula, working)
    return replace(line, charge=f"{UNUSED}:{number}", title="Savings Plan, unused commitment", billed_cost=0.0)


def _commitment_line(plan: SavingsPlan, usd: float, number: int, formula: str, working: str) -> CostLine:
    return CostLine(
        charge=f"{COMMITMENT}:{number}",
        price="",
        title="Savings Plan, commitment",
        pricing_quantity=usd,
        pricing_unit="USD",
        list_unit_price="0",
        list_cost=0.0,
        contracted_unit_price="0",
        contracted_cost=0.0,
        effective_unit_price="1",
        effective_cost=usd,
        billed_cost=usd,
        discount_percent=0.0,
        sku="",
        usage_type="",
        published="",
        provenance="commitment",
        rate_note=plan.title,
        last_seen="",
        formula=formula,
        working=working,
    )
