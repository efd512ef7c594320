"""Forms made from dataclasses: one control for each field, with its description as help, and lists that grow and shrink."""

from __future__ import annotations

import functools
import re
import types
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from itertools import groupby
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import streamlit as st

from estimator.errors import InvalidScenario
from estimator.service.deployment import DEPLOYMENT_STRATEGIES
from estimator.service.policies import ALARM_METRICS, FORECAST_METRICS, PREDEFINED_METRICS, StepAdjustment
from estimator.service.scaling import ADJUSTMENT_TYPES
from estimator.ui import tables
from estimator.units import described_fields

#: The keys of the controls begin with it; what begins with it is forgotten when another scenario is chosen.
EDIT = "edit."
#: What the texts of a field may be, and how each is shown; a text that is not listed here is typed.
OPTIONS: dict[str, dict[str, str]] = {
    "predefined_metric_type": {name: metric.short for name, metric in PREDEFINED_METRICS.items()},
    "metric_name": {name: metric.short for name, metric in ALARM_METRICS.items()},
    "predefined_metric_pair_type": {name: metric.short for name, metric in FORECAST_METRICS.items()},
    "comparison_operator": {
        "GreaterThanOrEqualToThreshold": "at or above threshold",
        "LessThanOrEqualToThreshold": "at or below threshold",
    },
    "adjustment_type": dict.fromkeys(ADJUSTMENT_TYPES, ""),
    "mode": dict.fromkeys(("ForecastAndScale", "ForecastOnly"), ""),
    "max_capacity_breach_behavior": dict.fromkeys(("HonorMaxCapacity", "IncreaseMaxCapacity"), ""),
    "strategy": dict.fromkeys(DEPLOYMENT_STRATEGIES, ""),
}
#: Names that say more on a form than the field's own.
LABELS = {
    "predefined_metric_type": "Metric",
    "predefined_metric_pair_type": "Metric",
    "metric_name": "Metric",
    "comparison_operator": "Alarm when the metric is",
    "scaling_adjustment": "Adjust by",
    "metric_interval_lower_bound": "From",
    "metric_interval_upper_bound": "To",
    "step_adjustments": "Step",
    "scale_out_cooldown_s": "Scale-out cooldown (s)",
    "scale_in_cooldown_s": "Scale-in cooldown (s)",
    "disable_scale_in": "Disable scale-in",
    "min_adjustment_magnitude": "Least change (tasks)",
    "timezone": "Time zone",
    "start_h": "Begins at (h)",
    "hours": "Lasts (h)",
    "fargate_base": "Base on Fargate",
    "fargate_weight": "Fargate's weight",
    "fargate_spot_weight": "Spot's weight",
}
_TEXTS, _NUMBERS, _TOGGLES, _LISTS = range(4)
#: Narrowest number field, and that of a step, so that two or three are in a row of the sidebar. [px]
_NUMBER_PX, _SHORT_NUMBER_PX = 100, 64
#: Width of a step before another one. [% or requests]
_STEP_WIDTH = 10.0
#: Longest unit that a label shows; a longer one stands in the help. [characters]
_LONGEST_UNIT = 8


def remembered(key: str, value: Any) -> str:
    """Give a control its first value.

    Parameters
    ----------
    key : str
        Name of the control.
    value : object
        What it shows until it is moved.

    Returns
    -------
    str
        Its key in the session's state, where a scenario's other controls are.
    """
    key = EDIT + key
    st.session_state.setdefault(key, value)
    return key


def said(key: str, value: Any) -> Any:
    """Return what a control says, be it hidden.

    Parameters
    ----------
    key : str
        Name of the control.
    value : object
        What holds if it was never shown.

    Returns
    -------
    object
        Its value.
    """
    return st.session_state.get(EDIT + key, value)


def record(kind: type, values: Mapping[str, Any], key: str, only: Iterable[str] | None = None) -> dict[str, Any]:
    """Show a control for each field of a dataclass.

    Parameters
    ----------
    kind : type
        The dataclass; its docstring describes the fields, their metadata may hold bounds (``low``, ``high``).
    values : mapping of str to object
        First values as plain ones; a field that is missing here takes its default.
    key : str
        Where its controls are in the session's state.
    only : iterable of str, optional
        Fields to show; all by default.

    Returns
    -------
    dict of str to object
        What the controls say, plain values; a field that is not shown keeps its value.
    """
    hints, texts = get_type_hints(kind), described_fields(kind)
    chosen = {item.name: plain_values(_first(item, values)) for item in fields(kind)}
    shown = [item for item in fields(kind) if only is None or item.name in set(only)]
    # Choices first, since they say what the numbers mean; lists last, since they are long.
    for rank, group in groupby(sorted(shown, key=lambda item: _rank(hints[item.name])), lambda i: _rank(hints[i.name])):
        beside = (3, _SHORT_NUMBER_PX) if kind is StepAdjustment else (2, _NUMBER_PX)
        with (
            st.grid(beside[0], min_column_width=beside[1], vertical_alignment="bottom")
            if rank == _NUMBERS
            else st.container()
        ):
            for item in group:
                chosen[item.name] = _control(item, hints[item.name], chosen[item.name], f"{key}.{item.name}", texts)
    return chosen


def several(
    noun: str,
    given: list[Any],
    key: str,
    show_one: Callable[[int | None, str], Any],
    beside: Callable[[str, str], None] | None = None,
) -> list[Any]:
    """Show a list whose items can be removed, and added to.

    Parameters
    ----------
    noun : str
        What one item is called.
    given : list
        Items at first.
    key : str
        Where its controls are in the session's state.
    show_one : callable
        Shows one item, from its place in ``given`` (None for an added one) and its key; returns what its controls say.
    beside : callable, optional
        Fits an added item to the one before it, from the keys of both.

    Returns
    -------
    list
        What the items say, in their order.
    """
    ids = _ids(key, len(given))
    found = []
    for place, identity in enumerate(ids):
        with st.container(gap="small"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{noun} {place + 1}**", width="content")
                st.button(
                    "Remove",
                    key=f"remove.{key}.{identity}",
                    on_click=_remove,
                    args=(key, identity),
                    type="tertiary",
                    icon=":material/delete:",
                    help=f"Remove {noun.lower()} {place + 1}",
                )
            found.append(show_one(identity if identity < len(given) else None, f"{key}.{identity}"))
    st.button(
        f"Add {'an' if noun[0] in 'AEIOU' else 'a'} {noun.lower()}",
        key=f"add.{key}",
        on_click=_add,
        args=(key, len(given), beside),
        icon=":material/add:",
    )
    return found


def counted(title: str, given: int, key: str) -> str:
    """Write the head of a list with the number of its items.

    Parameters
    ----------
    title : str
        What they are.
    given : int
        Items at first. [1]
    key : str
        Where the list's controls are.

    Returns
    -------
    str
        Such as ``Deployments (2)``; the title alone of an empty list.
    """
    count = len(_ids(key, given))
    return f"{title} ({count})" if count else title


def allowed(make: Callable[[], Any]) -> bool:
    """Say in place what is wrong with what a form says.

    Parameters
    ----------
    make : callable
        Makes what the form stands for.

    Returns
    -------
    bool
        True if nothing is.
    """
    try:
        make()
    except InvalidScenario as error:
        st.error(tables.plain(str(error)), icon=":material/error:")
        return False
    return True


def made(kind: type, values: Mapping[str, Any]) -> Any:
    """Make a dataclass, and those inside it, from plain values.

    Parameters
    ----------
    kind : type
        The dataclass.
    values : mapping of str to object
        Its fields.

    Returns
    -------
    object
        The record.

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _made_field(hints[name], value) for name, value in values.items()})


def words_of(name: str) -> str:
    """Write one of AWS's names in words.

    Parameters
    ----------
    name : str
        Such as ``TargetTrackingScaling`` or ``BLUE_GREEN``.

    Returns
    -------
    str
        Such as ``Target tracking scaling``.
    """
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").split()
    return " ".join(parts).capitalize()


def label_of(name: str, text: str) -> str:
    """Write the label of a field: its name in words, with a short unit.

    Parameters
    ----------
    name : str
        The field.
    text : str
        Its description, which the unit closes in brackets.

    Returns
    -------
    str
        Such as ``Cooldown (s)``.
    """
    if name in LABELS:
        return LABELS[name]
    unit = match[1] if (match := re.search(r"\[([^\[\]]+)\]$", text)) else ""
    bare = re.sub(r"(_in_minutes|_percent|_days|_h|_s)$", "", name) if unit in {"min", "%", "d", "h", "s"} else name
    return words_of(bare) + (f" ({unit})" if unit != "1" and 0 < len(unit) <= _LONGEST_UNIT else "")


def plain_values(value: Any) -> Any:
    """Write a record, or several, as plain values.

    Parameters
    ----------
    value : object
        A dataclass, a list or tuple of them, or anything else.

    Returns
    -------
    object
        Dicts and lists of plain values.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [plain_values(each) for each in value] if isinstance(value, (list, tuple)) else value


@functools.cache
def timezones() -> dict[str, str]:
    """List the time zones.

    Returns
    -------
    dict of str to str
        IANA names, UTC first, each shown as it is.
    """
    return {name: name for name in ("UTC", *sorted(zoneinfo.available_timezones() - {"UTC", "localtime", "Factory"}))}


def _control(item: Any, hint: Any, value: Any, key: str, texts: Mapping[str, str]) -> Any:
    """Show the control of one field."""
    label, text = label_of(item.name, texts[item.name]), texts[item.name]
    kind, optional = _bare(hint)
    if kind is bool:
        return st.toggle(label, key=remembered(key, value), help=text, persist_state="session")
    if kind in (int, float):
        low, high = item.metadata.get("low"), item.metadata.get("high")
        return number(label, value, key, kind, text, optional=optional, low=low, high=high)
    if get_origin(kind) is tuple:
        one = get_args(kind)[0]
        beside = _step_beside if one is StepAdjustment else None
        return several(
            label, value, key, lambda place, at: record(one, {} if place is None else value[place], at), beside
        )
    names = dict.fromkeys(get_args(kind), "") if get_origin(kind) is Literal else OPTIONS.get(item.name)
    if item.name == "timezone":
        names = timezones()
    if names is None:
        return st.text_input(label, key=remembered(key, value), help=text, persist_state="session")
    return choice(label, names, value, key, text)


def number(
    label: str,
    value: float | None,
    key: str,
    kind: type = int,
    text: str = "",
    *,
    optional: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Show a field for a number.

    Parameters
    ----------
    label : str
        What stands above it.
    value : float, optional
        Its first value. [the field's unit]
    key : str
        Name of the control.
    kind : type
        ``int`` or ``float``.
    text : str
        Help.
    optional : bool
        True if it may be empty.
    low, high : float, optional
        Its bounds. [the field's unit]

    Returns
    -------
    int, float or None
        The number; None if it is empty.
    """
    bounds = {name: kind(bound) for name, bound in (("min_value", low), ("max_value", high)) if bound is not None}
    return st.number_input(
        label,
        value=None if optional else "min",
        step=kind(1),
        format="%d" if kind is int else "%g",
        key=remembered(key, None if value is None else kind(value)),
        help=text or None,
        placeholder="none" if optional else None,
        persist_state="session",
        **bounds,
    )


def choice(label: str, names: Mapping[str, str], value: str, key: str, text: str = "") -> str:
    """Show a choice of one.

    Parameters
    ----------
    label : str
        What stands above it.
    names : mapping of str to str
        How each option is shown; in words made of itself where this is empty.
    value : str
        The first choice.
    key : str
        Name of the control.
    text : str
        Help.

    Returns
    -------
    str
        The choice.
    """
    key = remembered(key, value)
    if st.session_state[key] not in names:
        st.session_state[key] = value
    return str(
        st.selectbox(
            label,
            list(names),
            format_func=lambda name: names[name][:1].upper() + names[name][1:] or words_of(name),
            key=key,
            help=text or None,
            persist_state="session",
        )
    )


def _first(item: Any, values: Mapping[str, Any]) -> Any:
    """First value of a field."""
    if item.name in values:
        return values[item.name]
    return item.default if item.default is not MISSING else _ZERO.get(item.type, "")


_ZERO: dict[Any, Any] = {"int": 1, "float": 1.0}


def _bare(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether it may be None."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0], True


def _rank(hint: Any) -> int:
    """Return where a field stands on the form."""
    kind = _bare(hint)[0]
    if get_origin(kind) is tuple:
        return _LISTS
    return {int: _NUMBERS, float: _NUMBERS, bool: _TOGGLES}.get(kind, _TEXTS)


def _made_field(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        one: type = get_args(hint)[0]
        return tuple(made(one, each) for each in value) if is_dataclass(one) else tuple(value)
    return value


def _ids(key: str, given: int) -> tuple[int, ...]:
    """Items of a list: those that were given are numbered by their place, added ones go on from there."""
    ids: tuple[int, ...] = st.session_state.setdefault(f"{EDIT}{key}.ids", tuple(range(given)))
    return ids


def _remove(key: str, identity: int) -> None:
    st.session_state[f"{EDIT}{key}.ids"] = tuple(i for i in _ids(key, 0) if i != identity)


def _add(key: str, given: int, beside: Callable[[str, str], None] | None) -> None:
    ids = _ids(key, given)
    # A number that was never used: the controls of a removed item must not come back.
    free = st.session_state.get(f"{EDIT}{key}.next", given)
    st.session_state[f"{EDIT}{key}.next"] = free + 1
    st.session_state[f"{EDIT}{key}.ids"] = (*ids, free)
    if beside is not None and ids:
        beside(f"{EDIT}{key}.{ids[-1]}", f"{EDIT}{key}.{free}")


def _step_beside(last: str, new: str) -> None:
    """Begin a step where the one before ends, and end that one if it has no end: AWS takes no gap and no overlap."""
    state, lower, upper = st.session_state, "metric_interval_lower_bound", "metric_interval_upper_bound"
    low, high = state[f"{last}.{lower}"], state[f"{last}.{upper}"]
    state[f"{new}.scaling_adjustment"] = state[f"{last}.scaling_adjustment"]
    if low is None:  # an open lower end: the new step goes on below
        state[f"{last}.{lower}"] = state[f"{new}.{upper}"] = (high or 0.0) - _STEP_WIDTH
    else:
        state[f"{last}.{upper}"] = state[f"{new}.{lower}"] = low + _STEP_WIDTH if high is None else high
