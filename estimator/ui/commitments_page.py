"""The page on what can be chosen beside the service itself: how it is paid for, and which network its tasks stand in."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError
from estimator.planning.networks import NetworkBill, compare_networks
from estimator.planning.purchases import Purchase, compare_purchases
from estimator.planning.result import Plan
from estimator.pricing.rates import Rates
from estimator.ui import cached, commitments_networks, commitments_purchases, controls, failure
from estimator.ui.uncertainty_parts import telling

_COMMANDS = """\
estimator purchases scenario.yaml
estimator networks scenario.yaml
"""
_PYTHON = """\
from estimator import Scenario, compare_networks, compare_purchases

scenario = Scenario.from_file("scenario.yaml")
rates = scenario.rates()
found = scenario.{verb}(rates)
compare_purchases(found, rates)
compare_networks(found, rates)
"""


def show() -> None:
    """Show the page."""
    st.title("How to pay, and which network?")
    st.caption(
        "The same tasks under the same load: what a commitment saves, and what tasks without a public address cost."
    )
    try:
        with st.sidebar:
            question = controls.show("commitments")
        is_today = question.scenario.service is not None and controls.is_today(
            "For", "commitments.service", "The service that the plan found, or the section `service` of the scenario."
        )
        plan = cached.estimate(question) if is_today else _plan(question)
        with st.spinner("Pricing each way ..."):
            rates = cached.rates(question)
            # Another region may be among those that the search chooses from.
            if plan.cost.region != rates.region:
                rates = question.scenario.moved({"region": plan.cost.region}).rates(question.folder)
            said = commitments_purchases.own_discounts()
            rates = commitments_purchases.with_own_discounts(rates, said)
            ways, bills = _found(question.text, str(question.folder), question.stamp, is_today, said, plan, rates)
    except EstimatorError as error:
        failure.show(error)
        return

    st.header("Savings Plans", anchor="savings-plans")
    commitments_purchases.show(ways, plan, rates)

    st.header("Network", anchor="network")
    commitments_networks.show(bills, plan, rates)

    with st.expander("The same on the command line and in Python", icon=":material/terminal:"):
        if question.scenario.service is not None and not is_today:
            st.caption(
                "The commands take the section `service` of a scenario that has one; remove it to have those of the plan."
            )
        st.code(_COMMANDS, language="bash", wrap_lines=True)
        st.code(_PYTHON.format(verb="estimate" if is_today else "plan"), language="python", wrap_lines=True)


def _plan(question: cached.Question) -> Plan:
    place = st.empty()
    words = "Looking for the cheapest service that keeps the promise"
    found = cached.plan(question, telling(place, lambda _: words))
    place.empty()
    return found


@st.cache_resource(max_entries=32, show_spinner=False)
def _found(
    text: str, folder: str, stamp: tuple[int, ...], is_today: bool, said: object, _plan: Plan, _rates: Rates
) -> tuple[tuple[Purchase, ...], tuple[NetworkBill, ...]]:
    return compare_purchases(_plan, _rates), compare_networks(_plan, _rates)
