"""What a choice costs as it is moved: networks_figure (by traffic) and commitment_figure (by commitment), for plotly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from estimator.billing.committed import existing_commitments
from estimator.billing.savings_plan_options import SavingsPlanOption
from estimator.billing.savings_plans import best_commitment, bill_by_commitment, fargate_usage
from estimator.errors import InvalidScenario
from estimator.planning.networks import NetworkBill, break_even_gb, network_usd_by_gb, traffic_gb
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.report.drawing import BLUE, GRAY, GREEN, PURPLE, VERMILION, dressed

_HEIGHT_PX = 380
#: One color and dash for each layout, so that neither alone tells them apart.
_LOOKS = ((BLUE, "solid"), (VERMILION, "dash"), (GREEN, "dot"), (PURPLE, "dashdot"), (GRAY, "longdash"))


def networks_figure(bills: Sequence[NetworkBill], plan: Plan, rates: Rates, most_gb: float | None = None) -> go.Figure:
    """Draw what each network layout costs by the traffic that goes through it, and where the service stands today.

    Parameters
    ----------
    bills : sequence of NetworkBill
        What `compare_networks` gives; layouts that do not serve are left out.
    plan : Plan
        The service, for its hours and tasks.
    rates : Rates
        The region's rates.
    most_gb : float, optional
        Where the axis ends; by default beyond today's traffic and the places where the cheapest is overtaken. [GB]

    Returns
    -------
    plotly.graph_objects.Figure
        One line for each layout; a dotted upright line at today's traffic. [USD/month by GB/month]
    """
    shown = [bill for bill in bills if bill.cost is not None]
    today = traffic_gb(plan, rates)
    if most_gb is None:
        crossings = [break_even_gb(shown[0], other, plan, rates) for other in shown[1:]]
        most_gb = 1.3 * max(
            [100.0, 1.2 * today, *(gb for gb in crossings if gb is not None and gb < 100 * max(today, 100))]
        )
    gb = np.linspace(0.0, most_gb, 101)
    figure = go.Figure()
    for bill, costs, (color, dash) in zip(shown, network_usd_by_gb(shown, plan, rates, gb), _LOOKS, strict=False):
        figure.add_scatter(
            x=gb,
            y=costs,
            name=bill.title,
            mode="lines",
            line={"color": color, "dash": dash, "width": 2},
            hovertemplate=f"{bill.title}: $%{{y:,.2f}}<extra></extra>",
        )
    figure.add_vline(x=today, line={"color": GRAY, "dash": "dot", "width": 1}, annotation_text="today")
    dressed(figure, "traffic through the network [GB/month]", _HEIGHT_PX)
    figure.update_xaxes(rangemode="tozero", tickformat=",~f", hoverformat=",.0f")
    figure.update_yaxes(title_text="network [USD/month]", rangemode="tozero", tickprefix="$")
    return figure


def commitment_figure(plan: Plan, rates: Rates, option: SavingsPlanOption) -> go.Figure:
    """Draw what a month of Fargate costs by the commitment of a Savings Plan, and where it costs least.

    Parameters
    ----------
    plan : Plan
        A plan or an estimate; the Savings Plans that it has are applied first.
    rates : Rates
        The region's rates.
    option : SavingsPlanOption
        Term and payment option.

    Returns
    -------
    plotly.graph_objects.Figure
        The bill of vCPU and memory On-Demand and committed, the optimum marked; On-Demand alone as a dashed line. [USD/month by USD/h]

    Raises
    ------
    RateNotFound
        If a rate of the option is not known.
    InvalidScenario
        If nothing runs On-Demand.
    """
    run, system = plan.simulation, plan.application.operating_system
    usage = fargate_usage(run, rates, option, operating_system=system)
    if not usage.units_per_h.any():
        raise InvalidScenario(
            "Nothing runs on Fargate On-Demand, so there is nothing to commit to. Savings Plans do not cover Fargate Spot."
        )
    existing = existing_commitments(run, rates, plan.savings_plans, system)
    best = best_commitment(usage, existing)
    left = best.bill.usage
    months = plan.cost.hours_per_month / usage.n_hours
    # Beyond the busiest hour nothing more is used.
    most = 1.1 * float((left.savings_plan_rates @ left.units_per_h).max())
    commitments = np.unique(np.append(np.linspace(0.0, most, 200), best.commitment_usd_per_h))
    costs = (bill_by_commitment(left, commitments) + best.existing_usd) * months
    figure = go.Figure()
    figure.add_scatter(
        x=commitments,
        y=costs,
        name="with the commitment",
        mode="lines",
        line={"color": BLUE, "width": 2},
        hovertemplate="$%{y:,.2f} a month<extra></extra>",
    )
    figure.add_scatter(
        x=[0.0, most],
        y=[best.without_usd * months] * 2,
        name="without it",
        mode="lines",
        line={"color": GRAY, "dash": "dash", "width": 1},
        hovertemplate="without it $%{y:,.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=[best.commitment_usd_per_h],
        y=[best.total_usd * months],
        name=f"least: {best.commitment_usd_per_h:.5g} USD/h",
        mode="markers",
        marker={"color": VERMILION, "size": 11, "symbol": "diamond"},
        hovertemplate="least: $%{y:,.2f}<extra></extra>",
    )
    dressed(figure, "commitment [USD/h]", _HEIGHT_PX)
    figure.update_xaxes(rangemode="tozero", tickformat=",~g", hoverformat=".5g")
    figure.update_yaxes(title_text="Fargate [USD/month]", rangemode="tozero", tickprefix="$")
    return figure
