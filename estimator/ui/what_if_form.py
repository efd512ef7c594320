"""The form of the knobs: it begins where the recommendation stands, and keeps what is turned, whatever the recommendation becomes.

Notes
-----
The only state is what was turned and what was turned before that. The controls take their values from it in each run, so that knobs which
nobody touched follow the recommendation, and one step back is one step back for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from estimator.service.deployment import DEPLOYMENT_STRATEGIES
from estimator.service.network import LAYOUTS, MAX_ZONES
from estimator.service.spec import MAX_TASKS_PER_SERVICE
from estimator.service.task_size import CPU_ARCHITECTURES, MEMORY_MIB
from estimator.ui import forms
from estimator.ui.controls import LAYOUT_NAMES
from estimator.ui.what_if_knobs import COMMITMENTS, NO_COMMITMENT, Knobs, differing, turned
from estimator.units import CPU_UNITS_PER_VCPU, MIB_PER_FARGATE_GB

_KEY = "what_if."
_CHANGES, _BEFORE, _START = f"{_KEY}changes", f"{_KEY}before", f"{_KEY}start"
#: Steps back that are kept. [1]
_MOST_STEPS = 50
#: Two controls to a row. [px]
_HALF_PX = 120
#: Longest cooldown that the form takes; AWS takes more. [s]
_LONGEST_COOLDOWN_S = 3600


def show(base: Knobs) -> dict[str, Any]:
    """Show the form.

    Parameters
    ----------
    base : Knobs
        Where the recommendation stands.

    Returns
    -------
    dict of str to object
        Knobs that stand elsewhere, by name. [the knobs' units]
    """
    state = st.session_state
    if state.get(_START) != state.get("start"):
        # Another scenario is another service: what was turned belongs to the old one.
        state[_CHANGES], state[_BEFORE], state[_START] = {}, [], state.get("start")
    knobs = turned(base, state.setdefault(_CHANGES, {}))
    changes = differing(base, knobs)
    _steps(changes)
    _task(knobs)
    _scaling(knobs)
    _purchase(knobs)
    _network(knobs)
    names = {name: forms.words_of(name).replace("Blue g", "Blue/g") for name in DEPLOYMENT_STRATEGIES}
    text = "How a new revision takes over. It counts where revisions are deployed: in the scenario, or ten times a day below."
    _select("strategy", "Deployment strategy", names, knobs.strategy, text)
    return changes


def _steps(changes: Mapping[str, Any]) -> None:
    """Show the way back."""
    with st.container(horizontal=True):
        st.button(
            "Undo knob",
            key=f"{_KEY}undo",
            on_click=_undo,
            disabled=not st.session_state.get(_BEFORE),
            icon=":material/undo:",
            help="One step back, of the knobs.",
        )
        st.button(
            "Reset knobs",
            key=f"{_KEY}reset",
            on_click=_turn_all,
            args=({},),
            disabled=not changes,
            icon=":material/restart_alt:",
            help="All knobs back to where the recommendation has them.",
        )


def _task(knobs: Knobs) -> None:
    with st.grid(2, min_column_width=_HALF_PX):
        sizes = {units: f"{units / CPU_UNITS_PER_VCPU:g} vCPU" for units in MEMORY_MIB}
        _select("cpu_units", "CPU of a task", sizes, knobs.cpu_units, "What Fargate bills by the second. [vCPU]")
        memory = {size: f"{size / MIB_PER_FARGATE_GB:g} GB" for size in MEMORY_MIB[knobs.cpu_units]}
        text = "Only what Fargate has for this CPU. [GB of 1024 MiB]"
        _select("memory_mib", "Memory of a task", memory, knobs.memory_mib, text)
    names = {name: name.replace("_", "-") for name in CPU_ARCHITECTURES}
    text = "ARM64 is cheaper, and needs an image that is built for it."
    _select("cpu_architecture", "Processor", names, knobs.cpu_architecture, text)


def _scaling(knobs: Knobs) -> None:
    _put("scales", knobs.scales)
    text = (
        "Target tracking on the service's average CPU. Off: the count stays at the minimum, or where schedules put it."
    )
    st.toggle("Scale on CPU", key=f"{_KEY}scales", on_change=_turn, args=("scales",), help=text)
    _put("target_value", float(knobs.target_value))
    st.slider(
        "CPU target (%)",
        10.0,
        95.0,
        step=1.0,
        format="%g",
        key=f"{_KEY}target_value",
        on_change=_turn,
        args=("target_value",),
        disabled=not knobs.scales,
        help="CPU utilization that target tracking holds: lower is dearer and safer. [%]",
    )
    with st.grid(2, min_column_width=_HALF_PX):
        text = "Smallest desired count of the service. [tasks]"
        _number("min_capacity", "Tasks at least", knobs.min_capacity, text, 1, MAX_TASKS_PER_SERVICE)
        text = "Largest desired count of the service. [tasks]"
        _number("max_capacity", "Tasks at most", knobs.max_capacity, text, 1, MAX_TASKS_PER_SERVICE)
    if knobs.busy_min_capacity is not None:
        text = "Smallest desired count in the busy hours, which scheduled actions begin and end. [tasks]"
        least = knobs.busy_min_capacity
        _number("busy_min_capacity", "Tasks at least in busy hours", least, text, 1, MAX_TASKS_PER_SERVICE)
    with st.grid(2, min_column_width=_HALF_PX, vertical_alignment="bottom"):
        for name, label in (
            ("scale_out_cooldown_s", "Scale-out cooldown (s)"),
            ("scale_in_cooldown_s", "Scale-in cooldown (s)"),
        ):
            text = "How long the policy waits after it has changed the count this way. [s]"
            most, off = _LONGEST_COOLDOWN_S, not knobs.scales
            _number(name, label, getattr(knobs, name), text, 0, most, step=30, disabled=off)


def _purchase(knobs: Knobs) -> None:
    _put("spot_percent", float(knobs.spot_percent))
    st.slider(
        "Fargate Spot (% of tasks)",
        0.0,
        100.0,
        step=5.0,
        format="%g",
        key=f"{_KEY}spot_percent",
        on_change=_turn,
        args=("spot_percent",),
        help="Part of the tasks above the base that runs on Fargate Spot: cheaper, and AWS may take a task back with two minutes of "
        "warning. [%]",
    )
    if knobs.spot_percent > 0:
        text = "Tasks on Fargate On-Demand before Spot has a part. [tasks]"
        _number("fargate_base", "On-Demand base (tasks)", knobs.fargate_base, text, 0, MAX_TASKS_PER_SERVICE)
    names = {
        NO_COMMITMENT: "None",
        **{name: f"{plan.years}, {plan.payment_option}" for name, plan in COMMITMENTS.items()},
    }
    text = "A Compute Savings Plan to buy: an hourly sum for a term, for lower rates. Fargate Spot is not covered."
    _select("commitment", "Savings Plan", names, knobs.commitment, text)
    if knobs.commitment != NO_COMMITMENT:
        _put("commitment_usd_per_h", knobs.commitment_usd_per_h)
        st.number_input(
            "Commitment (USD/h)",
            min_value=0.001,
            value=None,
            step=0.01,
            format="%.3f",
            key=f"{_KEY}commitment_usd_per_h",
            on_change=_turn,
            args=("commitment_usd_per_h",),
            placeholder="what costs least",
            help="Empty for the commitment that costs least. [USD/h]",
        )


def _network(knobs: Knobs) -> None:
    names = {name: LAYOUT_NAMES[name] for name in LAYOUTS}
    text = "In which subnets the tasks stand, and how they reach AWS and the internet."
    _select("layout", "Network layout", names, knobs.layout, text)
    with st.grid(2, min_column_width=_HALF_PX):
        text = "Zones of load balancer and tasks; an Application Load Balancer needs two. [1]"
        _number("availability_zones", "Availability zones", knobs.availability_zones, text, 2, MAX_ZONES)
        if knobs.layout == "nat":
            text = "NAT gateways, at most one in each zone. [1]"
            _number("nat_gateways", "NAT gateways", knobs.nat_gateways, text, 1, knobs.availability_zones)


def _select(name: str, label: str, names: Mapping[Any, str], value: Any, text: str) -> None:
    _put(name, value)
    st.selectbox(
        label,
        list(names),
        format_func=lambda option: names[option],
        key=_KEY + name,
        on_change=_turn,
        args=(name,),
        help=text,
    )


def _number(
    name: str, label: str, value: int, text: str, low: int, high: int, *, step: int = 1, disabled: bool = False
) -> None:
    _put(name, int(value))
    st.number_input(
        label,
        low,
        max(high, int(value)),
        value="min",
        step=step,
        key=_KEY + name,
        on_change=_turn,
        args=(name,),
        help=text,
        disabled=disabled,
    )


def _put(name: str, value: Any) -> None:
    """Let a control show a value: what it showed before may be of another recommendation."""
    if st.session_state.get(_KEY + name, _put) != value:
        st.session_state[_KEY + name] = value


def _turn(name: str) -> None:
    """Keep what a control says."""
    _turn_all(st.session_state[_CHANGES] | {name: st.session_state[_KEY + name]})


def _turn_all(changes: dict[str, Any]) -> None:
    state = st.session_state
    state[_BEFORE] = [*state[_BEFORE], state[_CHANGES]][-_MOST_STEPS:]
    state[_CHANGES] = changes


def _undo() -> None:
    state = st.session_state
    if state[_BEFORE]:
        *state[_BEFORE], state[_CHANGES] = state[_BEFORE]
