"""The sidebar: a scenario to start from and the controls that change it. They build the one `Scenario` that the page is about."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from estimator.errors import InvalidScenario
from estimator.load_sections import LOADS, ShapedLoad
from estimator.planning.promise import Promise
from estimator.pricing.regions import REGIONS
from estimator.scenario import Scenario
from estimator.sections import Network
from estimator.service.network import LAYOUTS, MAX_ZONES
from estimator.ui import forms, happenings, history, intervals, link, stack_form, tables, today, uploads
from estimator.ui.cached import Question
from estimator.ui.forms import EDIT
from estimator.ui.uploads import Upload
from estimator.units import data_path, described_fields
from estimator.workload.request import Request

GIVEN = "From the command line"
LINKED = "From the link"
FIRST = "shop-daily-peak"
FRONT_DOOR = "app_streamlit.py"
#: The two services that a page may be about.
PLAN, TODAY = "The plan", "What runs today"

_UPLOAD = "upload"
_KINDS = {
    "constant": "Constant",
    "daily": "Daily",
    "weekly": "Weekly",
    "seasonal": "Seasonal",
    "csv": "CSV file",
    "parquet": "Parquet file",
    "access_logs": "Access logs",
    _UPLOAD: "A CSV file of mine",
}
LAYOUT_NAMES = {
    "public": "Public subnets",
    "nat": "Private, NAT gateway",
    "endpoints": "Private, endpoints only",
    "ipv6": "Private, IPv6 alone",
}


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
_SCALE = Knob("scale", "Load (× the file)", 0, 5, 0.1)
_KNOBS: dict[str, tuple[Knob, ...]] = {
    "constant": (Knob("requests_per_s", "Load (requests/s)", 0, 500, 1, f"{_COUNT}."),),
    "daily": (_PEAK, _TROUGH, _HOUR),
    "weekly": (_PEAK, _TROUGH, _HOUR, Knob("weekend_factor", "Weekend load (× a working day)", 0, 2, 0.05)),
    "seasonal": (_PEAK, _TROUGH, Knob("peak_day", "Day of the peak (day of the year)", 1, 366, 1)),
    "csv": (_SCALE,),
    "parquet": (_SCALE,),
    "access_logs": (_SCALE,),
    _UPLOAD: (_SCALE,),
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


def show(page: str) -> Question:
    """Show the controls.

    Parameters
    ----------
    page : str
        Name of the page that they stand on.

    Returns
    -------
    Question
        The scenario that they say.

    Raises
    ------
    EstimatorError
        If they say none.
    """
    link.keep()
    _keep(page)
    places: list[DeltaGenerator] = []
    try:
        return _asked(places)
    finally:
        # Whether there is something to undo is known when all controls have been read; after an error of theirs it is the way back.
        for place in places:
            with place:
                history.show()


def _asked(places: list[DeltaGenerator]) -> Question:
    start = _start(places)
    values = start.scenario.likely().to_dict()
    _region(values)
    st.subheader("Load")
    upload = _load(values, start)
    st.subheader("One request")
    _section(values["request"], Request, _REQUEST)
    st.subheader("Promise")
    _promise(values["promise"])
    st.subheader("Network")
    _network(values["network"])
    _without_internet(values)
    st.subheader("What runs today")
    today.show(values)
    st.subheader("What happens")
    happenings.show(values)
    folder, own = start.folder, values["prices"]["overrides"]
    if upload is not None and upload != start.upload:
        folder = upload.folder
        if own is not None:  # the prices stay where the scenario that one started from has them
            values["prices"]["overrides"] = str((start.folder / own).absolute())
    scenario = Scenario.from_dict(stack_form.apply(values), "These settings")
    question = _with_intervals(Question(scenario, folder, upload), start)
    history.remember(question.text)
    return question


def _with_intervals(question: Question, start: Question) -> Question:
    """Add what is not known exactly, if it goes with what the controls say."""
    found = replace(question, intervals=intervals.current(start.scenario.intervals, question.scenario))
    try:
        found.document  # noqa: B018 - it is read here, where it can be said what is wrong
    except InvalidScenario as error:
        st.caption(f":material/warning: What is not known exactly is left out: {tables.plain(str(error))}")
        return question
    return found


def is_today(label: str, key: str, text: str) -> bool:
    """Ask which of the two services a page is about.

    Parameters
    ----------
    label : str
        What stands above the choice.
    key : str
        Name of the control.
    text : str
        Help.

    Returns
    -------
    bool
        True if it is what runs today, false if it is the plan.
    """
    chosen = st.segmented_control(
        label, (PLAN, TODAY), required=True, default=PLAN, key=key, help=text, persist_state="session"
    )
    return chosen == TODAY


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


def _keep(page: str) -> None:
    """Take what the controls say along to another page: to Streamlit they are other controls there, which begin anew."""
    state = st.session_state
    if state.get("page", page) != page:
        for key in [key for key in state if key == history.START or str(key).startswith(EDIT)]:
            state[key] = state[key]
    state["page"] = page


def _start(places: list[DeltaGenerator]) -> Question:
    """Show where to start from, and add the place of the button that undoes."""
    files = starts()
    names = [*([LINKED] if link.given() else []), *files]
    first = names.index(FIRST) if names[0] not in {LINKED, GIVEN} and FIRST in names else 0
    if st.session_state.get("start") not in names:
        st.session_state["start"] = names[first]
    name = st.selectbox(
        "Start from",
        names,
        key="start",
        on_change=history.forget,
        help="A scenario whose values the controls take. Your own: `estimator ui scenario.yaml`.",
        persist_state="session",
    )
    with st.container(horizontal=True):
        places.append(st.empty())
        st.button(
            "Reset",
            on_click=history.forget,
            icon=":material/restart_alt:",
            help="Back to the values of this scenario.",
        )
    if name == LINKED:
        scenario = link.read()
        upload = link.file_of(scenario)
        return Question(scenario, data_path("examples") if upload is None else upload.folder, upload)
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


def _load(values: dict[str, Any], start: Question) -> Upload | None:
    """Show the controls of the load; returns the file that it is in, if that was dropped on the page."""
    given = start.scenario.load
    # What is read from other files can only be had from the scenario that names them.
    kinds = [kind for kind in _KINDS if _SCALE not in _KNOBS[kind] or kind in (given.kind, _UPLOAD)]
    help_text = "How the load goes over time: always the same, a daily swing, a week with another weekend, a year, or what a file of yours says."
    kind = _choice("load.kind", "Load over time", kinds, given.kind, lambda kind: _KINDS[kind], help_text)
    if kind == _UPLOAD:
        upload = uploads.drop()
        if upload is None:
            st.caption(f"Until a file is here, the load is that of the scenario ({_KINDS[given.kind].lower()}).")
            return start.upload
        load = uploads.load_of(upload, 1.0)
        _section(load, LOADS["csv"], _KNOBS[kind], prefix="load.upload.")
        values["load"] = load
        return upload
    load = dict(values["load"]) if kind == given.kind else _carried_over(kind, start)
    if given.files and kind == given.kind:
        profile = start.scenario.load.profile(start.folder)
        st.caption(
            f"`{', '.join(given.files)}`: {profile.period_hours / 24:,.3g} days, on average {profile.mean_requests_per_s:,.1f} and at the "
            f"peak {profile.peak_requests_per_s:,.1f} requests/s."
        )
    _section(load, LOADS[kind], _KNOBS[kind], prefix=f"load.{kind}.")
    if "trough_requests_per_s" in load:
        load["trough_requests_per_s"] = min(load["trough_requests_per_s"], load["peak_requests_per_s"])
    values["load"] = load
    return start.upload if kind == given.kind else None


def _carried_over(kind: str, start: Question) -> dict[str, Any]:
    """Another kind of load with about the same rates."""
    profile = start.scenario.load.profile(start.folder)
    peak, low = (float(f"{rate:.3g}") for rate in (profile.peak_requests_per_s, profile.requests_per_s.min()))
    if kind == "constant":
        return {"kind": kind, "requests_per_s": float(f"{profile.mean_requests_per_s:.3g}")}
    load = {"kind": kind, "peak_requests_per_s": peak, "trough_requests_per_s": low}
    if kind == "seasonal":
        return load | {"peak_day": 183.0}
    load["peak_hour"] = getattr(start.scenario.load, "peak_hour", 20.0)
    return load | ({"weekend_factor": 0.6} if kind == "weekly" else {})


def _promise(values: dict[str, Any]) -> None:
    for knob, usual, word, text in (
        (_LATENCY, 250.0, "Limit p95 latency", "Off: however slow, a candidate is kept."),
        (_MINUTES, 5.0, "Limit minutes over capacity", "Off: however many requests are refused, a candidate is kept."),
    ):
        given = values[knob.field]
        key = forms.remembered(f"promise.{knob.field}.on", given is not None)
        kept = st.toggle(word, key=key, help=text, persist_state="session")
        chosen = _slider(knob, usual if given is None else given, Promise, "promise.", disabled=not kept)
        values[knob.field] = chosen if kept else None


def _network(values: dict[str, Any]) -> None:
    fields = described_fields(Network)
    layout = _choice(
        "network.layout",
        "Tasks stand in",
        list(LAYOUTS),
        values["layout"],
        lambda name: LAYOUT_NAMES[name],
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
    inside = min(max(float(st.session_state.get(key, value)), low), high)
    if st.session_state.get(key) != inside:
        st.session_state[key] = inside
    fields = record.described() if issubclass(record, ShapedLoad) else described_fields(record)
    help_text = "  \n".join(text for text in (fields[knob.field], knob.find) if text)
    if low == high:
        return low
    chosen = st.slider(
        knob.label,
        low,
        high,
        step=float(knob.step),
        format="%g",
        key=key,
        help=help_text,
        disabled=disabled,
        persist_state="session",
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
    return str(st.selectbox(label, options, format_func=names, key=key, help=help_text, persist_state="session"))
