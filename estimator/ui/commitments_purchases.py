"""Ways to pay on the page: On-Demand, Spot, and what each Savings Plan saves at its best commitment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from estimator.billing.costing import usd_text
from estimator.billing.savings_plan_options import SAVINGS_PLAN_OPTIONS, SavingsPlan, SavingsPlanOption
from estimator.errors import EstimatorError, RateNotFound
from estimator.planning.purchases import Purchase
from estimator.planning.result import Plan
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.report.choice_figures import commitment_figure
from estimator.report.provenance import explain
from estimator.report.purchases_table import SAVINGS_PLANS_TEXT, purchases_table, purchases_text, spot_text
from estimator.report.tables import Table
from estimator.service.task_size import ARM64, WINDOWS
from estimator.ui import failure, figures, tables
from estimator.ui.forms import EDIT

#: What stands where a rate is not known.
UNKNOWN = "unknown"
#: Where a rate of one's own comes from.
_SOURCE = "the page"
#: What a Compute Savings Plan covers of Fargate, by the names of its prices.
_LEGS = tuple(f"{kind}_{leg}" for kind in ("linux_x86", "linux_arm", "windows") for leg in ("vcpu", "gb"))


def title_of(option: SavingsPlanOption) -> str:
    """Write a term and payment option.

    Parameters
    ----------
    option : SavingsPlanOption
        The option.

    Returns
    -------
    str
        Such as ``1 year, No Upfront``.
    """
    return f"{SavingsPlan(option.term, option.payment_option).years}, {option.payment_option}"


def by_option(ways: Sequence[Purchase], plan: Plan) -> dict[SavingsPlanOption, Purchase | None]:
    """Find what each Savings Plan comes to for the service with the capacity providers that it has.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.
    plan : Plan
        The service.

    Returns
    -------
    dict of SavingsPlanOption to Purchase or None
        All that AWS sells; None where nothing is known of it.
    """
    own = plan.spec.capacity_provider_strategy
    found = {way.savings_plan.option: way for way in ways if way.savings_plan is not None and way.strategy == own}
    return {option: found.get(option) for option in SAVINGS_PLAN_OPTIONS}


def without(ways: Sequence[Purchase], plan: Plan) -> Purchase | None:
    """Find the service as it is without a Savings Plan to be bought.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.
    plan : Plan
        The service.

    Returns
    -------
    Purchase or None
        The way; None if it cannot be had.
    """
    own = plan.spec.capacity_provider_strategy
    return next((way for way in ways if way.savings_plan is None and way.strategy == own and way.plan), None)


def options_table(ways: Sequence[Purchase], plan: Plan) -> Table:
    """Show what each term and payment option saves.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.
    plan : Plan
        The service.

    Returns
    -------
    Table
        Best commitment, bill, what it saves, what is paid upfront, utilization, break-even; unknown where a rate is.
    """
    usual = without(ways, plan)
    rows = tuple(_row(option, way, usual) for option, way in by_option(ways, plan).items())
    heads = (
        ">USD/h committed",
        ">USD/month",
        ">Saves USD/month",
        ">Saves",
        ">USD upfront",
        ">Utilization",
        ">Break-even",
    )
    return Table("What each Savings Plan saves", ("Term and payment", *heads), rows)


def _row(option: SavingsPlanOption, way: Purchase | None, usual: Purchase | None) -> tuple[str, ...]:
    title = title_of(option)
    if way is None or way.plan is None or way.bought is None:
        return title, *(UNKNOWN,) * 4, "", "", ""
    cost, bought = way.plan.cost, way.bought
    before = None if usual is None or usual.cost is None else usual.cost.total_usd
    at_least = "at least " if cost.is_lower_bound else ""
    saved = None if before is None else before - cost.total_usd
    saves = (UNKNOWN,) * 2 if saved is None or not before else (usd_text(saved), f"{100 * saved / before:.1f} %")
    total = f"{at_least}{usd_text(cost.total_usd)}"
    if not bought.commitment_usd_per_h:
        return title, "none pays", total, *saves, "", "", ""
    return (
        title,
        f"{bought.commitment_usd_per_h:.5f}",
        total,
        *saves,
        usd_text(cost.upfront_usd) if cost.upfront_usd else "",
        f"{100 * bought.used_usd / bought.committed_usd:.1f} %",
        "" if way.fall_to_loss_percent is None else f"{100 - way.fall_to_loss_percent:.0f} %",
    )


def own_discounts() -> tuple[tuple[SavingsPlanOption, float], ...]:
    """Read what the page was told of options whose rates are not known.

    Returns
    -------
    tuple of (SavingsPlanOption, float)
        What each is less than On-Demand. [percent]
    """
    said = ((option, st.session_state.get(_key_of(option))) for option in SAVINGS_PLAN_OPTIONS)
    return tuple((option, float(percent)) for option, percent in said if percent)


def with_own_discounts(rates: Rates, discounts: Iterable[tuple[SavingsPlanOption, float]]) -> Rates:
    """Put rates of Savings Plans where none is known.

    Parameters
    ----------
    rates : Rates
        The region's rates; those that are known stay as they are.
    discounts : iterable of (SavingsPlanOption, float)
        What an option's rates are less than On-Demand. [percent]

    Returns
    -------
    Rates
        With rates of your own, which say so wherever they are shown.
    """
    added: dict[str, Rate] = {}
    for option, percent in discounts:
        for leg in _LEGS:
            name, on_demand = option.price_of(leg), rates.known.get(f"fargate_{leg}_hour")
            if name in rates.known or on_demand is None:
                continue
            part = 1 - Decimal(str(percent)) / 100
            tiers = tuple(Tier(tier.begin, str(Decimal(tier.price) * part)) for tier in on_demand.tiers)
            note = f"On-Demand less {percent:g} %, as it was said on the page"
            added[name] = replace(
                on_demand, price=name, tiers=tiers, sku="", provenance="own", source=_SOURCE, note=note
            )
    return replace(rates, known={**rates.known, **added}) if added else rates


def _key_of(option: SavingsPlanOption) -> str:
    return f"{EDIT}savings-plan.{option.term}.{option.payment_option}"


def _own_discount(option: SavingsPlanOption, rates: Rates, plan: Plan) -> None:
    """Ask for a discount where no rate is known, or where one was given."""
    kind = "windows" if plan.application.operating_system == WINDOWS else "linux_x86"
    kind = "linux_arm" if plan.spec.cpu_architecture == ARM64 else kind
    found = [rates.known.get(option.price_of(leg)) for leg in _LEGS if leg.startswith(kind)]
    if all(rate is not None and rate.source != _SOURCE for rate in found):
        return
    key = _key_of(option)
    st.session_state.setdefault(key, None)
    st.number_input(
        "Less than On-Demand (%)",
        0.5,
        80.0,
        value=None,
        step=0.5,
        format="%g",
        key=key,
        placeholder="unknown",
        help="A rate of this option is not known here. If you know what it is less than On-Demand, the page reckons with that. In your account: Billing "
        "and Cost Management, Savings Plans, Purchase; or AWS's page of Compute Savings Plans prices.",
        persist_state="session",
    )


def show(ways: Sequence[Purchase], plan: Plan, rates: Rates) -> None:
    """Show the ways to pay.

    Parameters
    ----------
    ways : sequence of Purchase
        What `compare_purchases` gives.
    plan : Plan
        The service.
    rates : Rates
        The region's rates.
    """
    st.markdown(tables.plain(_summary(ways, plan)))
    options = by_option(ways, plan)
    known = [option for option, way in options.items() if way is not None and way.plan is not None]
    titles = {title_of(option): option for option in options}
    chosen = titles[
        str(
            st.selectbox(
                "Term and payment option",
                list(titles),
                index=list(options).index(known[0]) if known else 0,
                key="commitments.option",
                help="A Compute Savings Plan is a commitment in USD per hour for one or three years. In your account: Billing and Cost Management, "
                "Savings Plans, Recommendations.",
                persist_state="session",
            )
        )
    ]
    _own_discount(chosen, rates, plan)
    _curve(options[chosen], plan, rates, chosen)
    table = options_table(ways, plan)
    st.subheader(table.title)
    tables.show(table, save="savings-plans")
    for text in (SAVINGS_PLANS_TEXT, purchases_text(ways)):
        if text:
            st.caption(tables.plain(text))
    table = purchases_table(ways)
    st.subheader(table.title)
    tables.show(table, save="purchases")
    if text := spot_text(ways):
        st.caption(tables.plain(text))
    _arithmetic(ways, rates)


def _summary(ways: Sequence[Purchase], plan: Plan) -> str:
    """Say which Savings Plan saves most."""
    usual = without(ways, plan)
    found = [way for way in by_option(ways, plan).values() if way is not None and way.cost is not None]
    if usual is None or usual.cost is None:
        return "What a Savings Plan saves cannot be said: the service cannot be priced without one."
    if not found:
        return (
            f"Without a Savings Plan it is {usual.cost.total_text}. What one saves is unknown here: no rate of a Compute Savings Plan is known for "
            f"{plan.cost.region}."
        )
    best = min(found, key=lambda way: way.cost.total_usd if way.cost is not None else float("inf"))
    assert best.cost is not None
    assert best.savings_plan is not None
    assert best.bought is not None
    saved = usual.cost.total_usd - best.cost.total_usd
    if not best.bought.commitment_usd_per_h or saved <= 0:
        return f"Without a Savings Plan it is {usual.cost.total_text}, and none of those whose rates are known saves anything."
    return (
        f"{title_of(best.savings_plan.option)} saves most of those whose rates are known: {best.cost.total_text} in place of "
        f"{usual.cost.total_text}, with {best.bought.commitment_usd_per_h:.5g} USD committed for each hour."
    )


def _curve(way: Purchase | None, plan: Plan, rates: Rates, option: SavingsPlanOption) -> None:
    """Show what the service costs by the commitment."""
    try:
        figure = commitment_figure(plan, rates, option)
    except RateNotFound as error:
        st.info(tables.plain(str(error)), icon=":material/help:")
        return
    except EstimatorError as error:
        failure.show(error)
        return
    least = figure.data[-1]
    figures.show(
        figure,
        key="chart.commitment",
        alt=f"What vCPU and memory cost a month by the commitment of {title_of(option)}: least at {least.x[0]:.5g} USD an hour, ${least.y[0]:,.2f}",
        name="commitment",
    )
    if way is not None and way.bought is not None:
        st.caption(tables.plain(way.bought.text))


@st.fragment
def _arithmetic(ways: Sequence[Purchase], rates: Rates) -> None:
    """Show how the bill of a way comes about; to choose another one runs nothing else of the page."""
    priced = {way.title: way for way in ways if way.plan is not None}
    chosen = st.selectbox(
        "Arithmetic of a way",
        list(priced),
        index=None,
        key="purchases.arithmetic",
        placeholder="Choose a way to pay",
        help="Each line of Fargate and of its Savings Plans: its quantity, what each tier of its price adds, and where rate and rule were read.",
    )
    if chosen is None or (cost := priced[str(chosen)].cost) is None:
        return
    lines = [line for line in cost if line.charge.startswith(("fargate_", "savings_plan"))]
    text = "\n\n".join("\n".join(explain(line, rates.known.get(line.price))) for line in lines)
    st.code(text, language=None, wrap_lines=True)
