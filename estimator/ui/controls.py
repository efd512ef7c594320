"""The sidebar: a scenario to start from and the controls that change it. They build the one `Scenario` that the page is about."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from estimator.planning.promise import Promise
from estimator.pricing.regions import REGIONS
from estimator.scenario import Scenario
from estimator.sections import ConstantLoad, CsvLoad, DailyLoad, Network, WeeklyLoad
from estimator.service.network import LAYOUTS, MAX_ZONES
from estimator.ui import link
from estimator.ui.cached import Question
from estimator.units import data_path, described_fields
from estimator.workload.request import Request

GIVEN = "From the command line"
LINKED = "From the link"
FIRST = "shop-daily-peak"
FRONT_DOOR = "app_streamlit.py"
#: The keys of the controls begin with it; what begins with it is forgotten when another scenario is chosen.
EDIT = "edit."

_KINDS = {"constant": "Constant", "daily": "Daily", "weekly": "Weekly", "csv": "CSV file"}
_LAYOUT_NAMES = {"public": "Public subnets", "nat": "Private, NAT gateway", "endpoints": "Private, endpoints only"}


@dataclass(frozen=True)
class Knob:
    """A slider over one field of a section.

    Parameters
    ----------
    field : str
        The field.
    label : str
        What stands above it, with the unit.
    low, high, step : float
        Its usual range, widened where the scenario lies outside. [the field's unit]
    find : str
        Where to find the value in one's own account.
    """

    field: str
    label: str
    low: float
    high: float
    step: float
    find: str = ""


_COUNT = "In your account: CloudWatch, AWS/ApplicationELB, `RequestCount`, Sum over one minute, divided by 60"
_PEAK = Knob("peak_requests_per_s", "Peak load (requests/s)", 0, 1000, 5, f"{_COUNT}; its largest value.")
_TROUGH = Knob("trough_requests_per_s", "Lowest load (requests/s)", 0, 500, 5, f"{_COUNT}; its smallest value.")
_HOUR = Knob("peak_hour", "Hour of the peak (h)", 0, 24, 0.5)
_LOADS: dict[str, tuple[type, tuple[Knob, ...]]] = {
    "constant": (ConstantLoad, (Knob("requests_per_s", "Load (requests/s)", 0, 500, 1, f"{_COUNT}."),)),
    "daily": (DailyLoad, (_PEAK, _TROUGH, _HOUR)),
    "weekly": (
        WeeklyLoad,
        (_PEAK, _TROUGH, _HOUR, Knob("weekend_factor", "Weekend load (× a working day)", 0, 2, 0.05)),
    ),
    "csv": (CsvLoad, (Knob("scale", "Load (× the file)", 0, 5, 0.1),)),
}
_REQUEST = (
    Knob(
        "cpu_ms_per_request",
        "CPU time per request (ms)",
        1,
        200,
        1,
        "In your account, under load: ECS `CPUUtilization` ÷ 100 × running tasks × vCPU of a task × 1000 ÷ requests/s.",
    ),
    Knob(
        "wait_ms_per_request",
        "Waiting for others per request (ms)",
        0,
        500,
        5,
        "In your account: the time that a request spends in the database and in other services, from traces such as X-Ray.",
    ),
    Knob(
        "response_kb",
        "Response (kB)",
        0,
        500,
        1,
        "In your account: AWS/ApplicationELB `ProcessedBytes` ÷ `RequestCount`, less the request.",
    ),
    Knob(
        "requests_per_connection",
        "Requests per connection",
        1,
        100,
        1,
        "In your account: AWS/ApplicationELB `RequestCount` ÷ `NewConnectionCount`.",
    ),
    Knob(
        "connection_s",
        "Connection stays open (s)",
        0,
        300,
        5,
        "In your account: AWS/ApplicationELB `ActiveConnectionCount` ÷ (`NewConnectionCount` per second).",
    ),
    Knob(
        "rules_evaluated_per_request",
        "Listener rules per request",
        0,
        100,
        1,
        "In your account: AWS/ApplicationELB `RuleEvaluations` ÷ `RequestCount`.",
    ),
    Knob(
        "log_bytes_per_request",
        "Log per request (B)",
        0,
        5000,
        50,
        "In your account: AWS/Logs `IncomingBytes` of the log group ÷ `RequestCount`.",
    ),
)
_LATENCY = Knob(
    "p95_latency_ms",
    "p95 latency at most (ms)",
    10,
    1000,
    10,
    "In your account: AWS/ApplicationELB `TargetResponseTime`, p95, is what it is now.",
)
_MINUTES = Knob("max_minutes_over_capacity", "Over capacity at most (min/month)", 0, 120, 1)


def show() -> Question:
    """Show the controls.

    Returns
    -------
    Question
        The scenario that they say.

    Raises
    ------
    EstimatorError
        If they say none.
    """
    start = _start()
    values = start.scenario.to_dict()
    _region(values)
    st.subheader("Load")
    _load(values, start)
    st.subheader("One request")
    _section(values["request"], Request, _REQUEST)
    st.subheader("Promise")
    _promise(values["promise"])
    st.subheader("Network")
    _network(values["network"])
    _without_internet(values)
    return Question(Scenario.from_dict(values, "These settings"), start.folder)


def starts() -> dict[str, Path]:
    """List the scenarios to start from.

    Returns
    -------
    dict of str to pathlib.Path
        Files by name: the one of the command line first, then the examples.
    """
    found = {}
    if Path(sys.argv[0]).name == FRONT_DOOR and len(sys.argv) > 1:
        found[GIVEN] = Path(sys.argv[1]).absolute()
    found.update({path.stem: path for path in sorted(data_path("examples").glob("*.yaml"))})
    return found


def forget() -> None:
    """Let all controls go back to what the chosen scenario says."""
    for key in list(st.session_state):
        if str(key).startswith(EDIT):
            del st.session_state[key]


def _start() -> Question:
    files = starts()
    names = [*([LINKED] if link.given() else []), *files]
    first = names.index(FIRST) if names[0] not in {LINKED, GIVEN} and FIRST in names else 0
    name = st.selectbox(
        "Start from",
        names,
        index=first,
        key="start",
        on_change=forget,
        help="A scenario whose values the controls take. Your own: `estimator ui scenario.yaml`.",
    )
    st.button("Reset", on_click=forget, icon=":material/restart_alt:", help="Back to the values of this scenario.")
    if name == LINKED:
        return Question(link.read(), data_path("examples"))
    path = files[str(name)]
    return Question(Scenario.from_file(path), path.parent)


def _region(values: dict[str, Any]) -> None:
    values["region"] = _choice(
        "region",
        "Region",
        list(REGIONS),
        values["region"],
        lambda code: f"{code} · {REGIONS[code].location}",
        "Where the service runs and whose prices it has.",
    )


def _load(values: dict[str, Any], start: Question) -> None:
    given = start.scenario.load
    kinds = [kind for kind in _KINDS if kind != "csv" or given.kind == "csv"]
    help_text = "How the load goes over time: always the same, a daily swing, or a week with another weekend."
    kind = _choice("load.kind", "Load over time", kinds, given.kind, lambda kind: _KINDS[kind], help_text)
    load = dict(values["load"]) if kind == given.kind else _carried_over(kind, start)
    record, knobs = _LOADS[kind]
    if kind == "csv":
        profile = start.scenario.load.profile(start.folder)
        st.caption(
            f"`{load['path']}`: {profile.period_hours / 24:,.3g} days, on average {profile.mean_requests_per_s:,.1f} and at the "
            f"peak {profile.peak_requests_per_s:,.1f} requests/s."
        )
    _section(load, record, knobs, prefix=f"load.{kind}.")
    if "trough_requests_per_s" in load:
        load["trough_requests_per_s"] = min(load["trough_requests_per_s"], load["peak_requests_per_s"])
    values["load"] = load


def _carried_over(kind: str, start: Question) -> dict[str, Any]:
    """Another kind of load with about the same rates."""
    profile = start.scenario.load.profile(start.folder)
    peak, low = (float(f"{rate:.3g}") for rate in (profile.peak_requests_per_s, profile.requests_per_s.min()))
    if kind == "constant":
        return {"kind": kind, "requests_per_s": float(f"{profile.mean_requests_per_s:.3g}")}
    hour = getattr(start.scenario.load, "peak_hour", 20.0)
    load = {"kind": kind, "peak_requests_per_s": peak, "trough_requests_per_s": low, "peak_hour": hour}
    return load | ({"weekend_factor": 0.6} if kind == "weekly" else {})


def _promise(values: dict[str, Any]) -> None:
    for knob, usual, word in (
        (_LATENCY, 250.0, "Limit p95 latency"),
        (_MINUTES, 5.0, "Limit minutes over capacity"),
    ):
        given = values[knob.field]
        key = f"{EDIT}promise.{knob.field}.on"
        st.session_state.setdefault(key, given is not None)
        kept = st.toggle(word, key=key)
        chosen = _slider(knob, usual if given is None else given, Promise, "promise.", disabled=not kept)
        values[knob.field] = chosen if kept else None


def _network(values: dict[str, Any]) -> None:
    fields = described_fields(Network)
    layout = _choice(
        "network.layout",
        "Tasks stand in",
        list(LAYOUTS),
        values["layout"],
        lambda name: _LAYOUT_NAMES[name],
        fields["layout"],
    )
    zones = Knob("availability_zones", "Availability zones", 2, MAX_ZONES, 1)
    values["availability_zones"] = int(_slider(zones, values["availability_zones"], Network, "network.", widen=False))
    gateways = values["nat_gateways"] or 1
    if layout != "nat":
        values["nat_gateways"] = None
    elif layout == "nat":
        count = Knob("nat_gateways", "NAT gateways", 1, values["availability_zones"], 1)
        values["nat_gateways"] = int(_slider(count, gateways, Network, "network.", widen=False))
    values["layout"] = layout


def _without_internet(values: dict[str, Any]) -> None:
    """Leave out the bytes outbound where tasks have no way to the internet: the scenario may have some for its own layout."""
    request = values["request"]
    outbound = [name for name in request if name.startswith("outbound_") and request[name]]
    if values["network"]["layout"] == "endpoints" and outbound:
        for name in outbound:
            request[name] = 0.0
        st.caption("Without a way to the internet, the calls to other services that the scenario has are left out.")


def _section(values: dict[str, Any], record: type, knobs: tuple[Knob, ...], prefix: str = "request.") -> None:
    for knob in knobs:
        values[knob.field] = _slider(knob, values[knob.field], record, prefix)


def _slider(
    knob: Knob, value: float, record: type, prefix: str, *, disabled: bool = False, widen: bool = True
) -> float:
    low, high = float(knob.low), float(knob.high)
    if widen:
        low, high = min(low, float(value)), _wide_enough(high, float(value))
    key = f"{EDIT}{prefix}{knob.field}"
    # A value from before, such as more NAT gateways than there are zones now, must lie inside the range.
    st.session_state[key] = min(max(float(st.session_state.get(key, value)), low), high)
    help_text = "  \n".join(text for text in (described_fields(record)[knob.field], knob.find) if text)
    if low == high:
        return low
    chosen = st.slider(
        knob.label, low, high, step=float(knob.step), format="%g", key=key, help=help_text, disabled=disabled
    )
    return float(chosen)


def _wide_enough(high: float, value: float) -> float:
    """Return the usual upper end, or a round number that is at least twice the value."""
    if value <= high:
        return high
    digits = 10.0 ** math.floor(math.log10(2 * value))
    return math.ceil(2 * value / digits) * digits


def _choice(key: str, label: str, options: list[str], value: str, names: Any, help_text: str) -> str:
    key = EDIT + key
    if st.session_state.get(key) not in options:
        st.session_state[key] = value
    return str(st.selectbox(label, options, format_func=names, key=key, help=help_text))
