"""The plan in plain words, its four figures, and what runs today beside it."""

from __future__ import annotations

import math

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.result import Plan
from estimator.report.tables import Table
from estimator.ui import bill_range, cached, tables

_LAYOUTS = {
    "public": "in public subnets",
    "nat": "in private subnets behind NAT",
    "endpoints": "in private subnets with interface endpoints",
    "ipv6": "in private subnets with IPv6 alone",
}


def show(question: cached.Question, plan: Plan) -> Plan | None:
    """Show the summary.

    Parameters
    ----------
    question : Question
        What was asked.
    plan : Plan
        The answer.

    Returns
    -------
    Plan or None
        What runs today, if the scenario says it and it can be simulated.
    """
    st.markdown(_words(plan))
    priced = today = _today(question)
    # A bill that is only a lower bound has no difference to another.
    if today is not None and (today.cost.is_lower_bound or plan.cost.is_lower_bound):
        today = None
    figures(plan, today)
    bill_range.show(question, plan)
    for text in plan.warnings:
        st.caption(f":material/info: {tables.plain(text)}")
    if today is not None:
        st.subheader("Today and the plan")
        st.caption("Today is what the scenario says runs today, simulated and priced under the same load.")
        tables.show(_comparison(today, plan), save="today-and-plan")
        # What holds for the plan as well has been said above.
        for text in today.warnings:
            if text in plan.warnings:
                continue
            st.caption(f":material/warning: Today: {tables.plain(text)}")
    return priced


def figures(plan: Plan, today: Plan | None) -> None:
    """Show the four figures of a plan.

    Parameters
    ----------
    plan : Plan
        The plan.
    today : Plan or None
        What runs today, if bills can be compared.
    """
    figures, promise = plan.figures, plan.promise
    if today is None:
        beside = plan.per_million_text.removeprefix("at least ").replace(" a million", " per million")
    else:
        beside = f"{_signed(_difference(today.cost.total_usd, plan.cost.total_usd, 2), '$')} against today"
    with_plans = "with Savings Plans" if plan.cost.savings_plans else "On-Demand"
    # Four in a row, or two by two: never three and one.
    with st.grid(2, min_column_width=430):
        first, second = st.container(), st.container()
    with first, st.grid(2, min_column_width=200):
        st.metric(
            "Monthly bill",
            plan.cost.total_text.removesuffix(" a month"),
            beside,
            delta_color="off" if today is None else "inverse",
            delta_arrow="off" if today is None else "auto",
            help=f"USD for a month of {plan.cost.hours_per_month:g} hours, {with_plans}, without taxes and free tiers.",
            border=True,
        )
        st.metric(
            "Tasks, mean / peak",
            f"{figures['mean_tasks']:,.1f} / {figures['peak_tasks']:,.0f}",
            f"{plan.spec.min_capacity} to {plan.spec.max_capacity} allowed",
            delta_color="off",
            delta_arrow="off",
            help="Billed tasks on average over the period, and the largest desired count.",
            border=True,
        )
    with second, st.grid(2, min_column_width=200):
        limit = promise.p95_latency_ms
        st.metric(
            "p95 latency",
            _ms(figures["p95_latency_ms"]),
            "no limit" if limit is None else f"{limit:,.4g} ms promised",
            delta_color="off",
            delta_arrow="off",
            help="95 of 100 requests of the period are answered within this time: CPU, queue and the wait for others, but not the network.",
            border=True,
        )
        most = promise.max_minutes_over_capacity
        st.metric(
            "Minutes over capacity",
            f"{figures['minutes_over_capacity_per_month']:,.1f}",
            "no limit" if most is None else f"{most:,.4g} a month promised",
            delta_color="off",
            delta_arrow="off",
            help="Minutes of a month whose load is more than the healthy tasks can serve.",
            border=True,
        )


def _today(question: cached.Question) -> Plan | None:
    if question.scenario.service is None:
        return None
    try:
        with st.spinner("Simulating what runs today ..."):
            return cached.estimate(question)
    except EstimatorError as error:
        st.warning(f"What runs today cannot be priced: {tables.plain(str(error))}", icon=":material/warning:")
        return None


def _words(plan: Plan) -> str:
    spec, figures = plan.spec, plan.figures
    spot = " Spot" if spec.capacity_provider_strategy.uses_spot else ""
    count, scaling = f"{spec.min_capacity} to {spec.max_capacity}", spec.describe_scaling()
    if spec.is_constant:
        count, scaling = f"{spec.min_capacity}", "a constant count"
    return (
        f"Run **{count} {'task' if spec.max_capacity == 1 else 'tasks'} of {spec.task_size.vcpu:g} vCPU and "
        f"{spec.task_size.memory_gb:g} GB** ({spec.cpu_architecture.replace('_', '-')}) on Fargate{spot} in {plan.cost.region}, "
        f"{_LAYOUTS[spec.network.layout]} over {spec.network.availability_zones} zones, with **{scaling}**. "
        f"That serves {_many(figures['requests_per_month'])} requests a month; it is the "
        f"cheapest of {plan.considered:,} candidates that keeps the promise."
    )


def _comparison(today: Plan, plan: Plan) -> Table:
    rows: list[tuple[str, ...]] = [
        ("Service", today.spec.describe(), plan.spec.describe(), ""),
        (
            "Monthly bill",
            today.cost.total_text.removesuffix(" a month"),
            plan.cost.total_text.removesuffix(" a month"),
            _signed(_difference(today.cost.total_usd, plan.cost.total_usd, 2), "$").replace("-", "−"),
        ),
    ]
    names = [
        ("Tasks on average", "mean_tasks", "{:,.2f}", 2),
        ("p95 latency", "p95_latency_ms", "{:,.0f} ms", 0),
        ("Minutes over capacity a month", "minutes_over_capacity_per_month", "{:,.1f}", 1),
    ]
    if plan.promise.p95_latency_ms is not None:
        names.append(("Minutes over the promise a month", "minutes_over_promise_per_month", "{:,.1f}", 1))
    for title, name, form, digits in names:
        a, b = today.figures[name], plan.figures[name]
        texts = [form.format(x) if math.isfinite(x) else "no bound" for x in (a, b)]
        change = _difference(a, b, digits)
        signed = (
            f"{'+' if change > 0 else '−' if change < 0 else ''}{form.format(abs(change))}"
            if math.isfinite(change)
            else ""
        )
        rows.append((title, *texts, signed))
    return Table("Today and the plan", ("", "Today", "Plan", "Difference"), tuple(rows))


def _difference(before: float, after: float, digits: int) -> float:
    """Return the difference of two figures as they are shown, so that the three add up."""
    return round(after, digits) - round(before, digits)


def _signed(amount: float, unit: str) -> str:
    """Write an amount of money with its sign: a hyphen, which st.metric reads as a fall."""
    return f"{'-' if amount < 0 else '+'}{unit}{abs(amount):,.2f}"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if math.isfinite(value) else "no bound"


def _many(count: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:,.1f} {word}"
    return f"{count:,.0f}"
