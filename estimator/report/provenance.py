"""Where a line of the bill comes from: explain(line, rate), its arithmetic step by step."""

from __future__ import annotations

from estimator.billing.charges import CHARGES
from estimator.billing.costing import CostLine, usd_text
from estimator.billing.working import SEPARATOR, written
from estimator.pricing.coverage import provenance_text
from estimator.pricing.rates import Rate


def explain(line: CostLine, rate: Rate | None) -> tuple[str, ...]:
    r"""Write the arithmetic of a line of the bill.

    Parameters
    ----------
    line : CostLine
        The line.
    rate : Rate, optional
        The rate that it was priced at; none where it is unknown.

    Returns
    -------
    tuple of str
        Lines of text: what it is, its quantity as a formula in words and with its numbers, what each tier adds, discount, sum, and where rate and
        rule were read.

    Examples
    --------
    >>> from estimator import LoadProfile, ServiceSpec, TaskSize, Workload, estimate, load_rates
    >>> rates = load_rates("us-east-1")
    >>> cost = estimate(Workload(LoadProfile.constant(20), cpu_ms_per_request=10), rates, ServiceSpec(TaskSize(256, 512))).cost
    >>> line = next(line for line in cost if line.charge == "alb_hour")
    >>> print(*explain(line, rates["alb_hour"])[:5], sep="\n")
    Application Load Balancer (alb_hour)
      quantity: hours of the month, a part of one as a whole
        = 730 hours begun = 730 Hrs
      730 Hrs × 0.0225 USD = 16.4250 USD
      cost: 16.43 USD a month
    """
    text = [f"{line.title} ({line.charge})", *_quantity(line)]
    if not line.price:
        text += [f"  cost: {usd_text(line.effective_cost)} USD a month", f"  note: {line.rate_note}"]
    elif rate is None:
        text += [
            f"  rate: unknown for {line.usage_type}, so this line is not part of the total",
            "  cost: unknown",
        ]
    else:
        text += _tiers(line, rate)
        shared = f", since a Savings Plan pays a part that is not known; On-Demand {usd_text(line.contracted_cost)} USD a month"
        cost = f"unknown{shared}" if line.is_shared else f"{usd_text(line.effective_cost)} USD a month"
        text.append(f"  cost: {cost}")
        seen = f"published {line.published}" if line.published else "publication date not known"
        sku = f"SKU {line.sku}, " if line.sku else ""
        text.append(f"  rate: {sku}usage type {line.usage_type}, {seen}; source: {_source(line)}")
        if line.rate_note:
            text.append(f"  note: {line.rate_note}")
    if line.list_cost is not None and ":savings_plan" in line.charge:
        text.append(f"  On-Demand it would be {usd_text(line.contracted_cost)} USD a month")
    charge = CHARGES.get(line.charge.partition(":savings_plan")[0])
    if charge is not None:
        text.append(f"  rule: {charge.source}")
    return tuple(text)


def _quantity(line: CostLine) -> list[str]:
    """Write how the quantity comes about: in words, and with its numbers unless it is one that was given."""
    number = written(line.pricing_quantity)
    quantity = f"{number} {line.pricing_unit}"
    *before, arithmetic = line.working.split(SEPARATOR)
    if arithmetic in ("", number):
        return [f"  quantity: {line.formula} = {quantity}"]
    return [f"  quantity: {line.formula}", *(f"    {part}" for part in before), f"    = {arithmetic} = {quantity}"]


def _tiers(line: CostLine, rate: Rate) -> list[str]:
    """Write what each tier adds, and the private discount."""
    tiers = rate.tiers
    ends = [tier.begin for tier in tiers[1:]] + [float("inf")]
    text = []
    total = 0.0
    for tier, end in zip(tiers, ends, strict=True):
        within = min(line.pricing_quantity, end) - tier.begin
        if within <= 0:
            break
        where = f"from {tier.begin:,.10g} on: " if tier.begin else ""
        usd = within * float(tier.price)
        total += usd
        text.append(f"  {where}{written(within)} {line.pricing_unit} × {tier.price} USD = {usd:,.4f} USD")
    if rate.discount_percent:
        left = f"{total:,.4f} USD × (1 − {rate.discount_percent:.12g} %) = {total * (1 - rate.discount_percent / 100):,.4f} USD"
        text.append(f"  less {rate.discount_percent:.12g} % private discount: {left}")
    return text


def _source(line: CostLine) -> str:
    return provenance_text([(line.provenance, 1)]) if line.provenance else "given in Python"
