"""The forms of the stack: what makes it stricter and costs, and what it has besides and does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from estimator.errors import InvalidScenario
from estimator.scenario import Scenario
from estimator.service.application import Application
from estimator.service.extras import Extras
from estimator.service.stack_options import CODE_DEPLOY, ECS, Domain, StackOptions
from estimator.ui import forms
from estimator.ui.forms import EDIT
from estimator.units import described_fields

_INSIGHTS = {"disabled": "Off", "enabled": "On", "enhanced": "Enhanced"}
_CONTROLLERS = {ECS: "ECS", CODE_DEPLOY: "CodeDeploy"}
_SHELL = "CMD-SHELL"


@dataclass(frozen=True)
class Extra:
    """Something that makes a stack stricter, and is billed.

    Parameters
    ----------
    field : str
        Field of the scenario's section ``extras``.
    label : str
        What the switch is called.
    on, off : object
        The field's value when it is switched on for the first time, and off.
    amount : str
        Label of the number that belongs to it, with its unit; empty if it has none.
    """

    field: str
    label: str
    on: Any
    off: Any
    amount: str = ""


EXTRAS = (
    Extra("alb_access_logs", "Access logs of the load balancer", True, False),
    Extra("flow_log_gb", "Flow logs of the VPC", 10.0, 0.0, "Flow logs (GB/month)"),
    Extra("waf_rules", "Web ACL at the load balancer", 3, None, "Rules and managed groups"),
    Extra("standard_alarms", "Alarms that stop a bad deployment", 4, 0, "Alarms"),
    Extra("dashboards", "Dashboard", 1, 0),
    Extra("kms_keys", "Logs under a key of your own", 1, 0),
    Extra("container_insights", "Container Insights", "enhanced", "disabled"),
)
#: Fields of ``stack`` that are typed as one text: none if it is empty.
_TEXTS = {
    "alarm_email": "E-mail for alarms and budget",
    "user": "User in the container",
    "cluster_name": "Cluster that is there already",
    "cloud_map_namespace": "Cloud Map namespace",
}
_TOGGLES = {
    "deletion_protection": "Protect the load balancer against deletion",
    "readonly_root_filesystem": "Read-only root file system",
    "repository": "Make an ECR repository",
}
_DOMAIN = {"name": "Domain name", "hosted_zone_id": "Hosted zone id", "hosted_zone_name": "Hosted zone name"}
_APPLICATION = {"image": "Container image", "certificate_arn": "ACM certificate (ARN)"}


def apply(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lay over a scenario what the forms say, on whatever page they are shown.

    Parameters
    ----------
    values : mapping
        The whole document as plain values.

    Returns
    -------
    dict
        The same with the forms' values; unchanged where they do not go together, which the page of the stack says.
    """
    found = _laid_over(values)
    try:
        Scenario.from_dict(found)
    except InvalidScenario:
        return dict(values)
    return found


def show_extras(values: Mapping[str, Any]) -> dict[str, Any]:
    """Show a switch for each thing that makes the stack stricter.

    Parameters
    ----------
    values : mapping
        The whole document as plain values.

    Returns
    -------
    dict
        Empty places for what each costs, by field.
    """
    given, texts, places = values["extras"], described_fields(Extras), {}
    for extra in EXTRAS:
        _remember(extra, given[extra.field])
    with st.grid(2, min_column_width=330, gap="medium"):
        for extra in EXTRAS:
            with st.container(gap="xsmall"):
                _switch(extra, texts[extra.field])
                places[extra.field] = st.empty()
    with st.container(horizontal=True):
        for label, every, icon in (("Switch all on", True, "done_all"), ("Switch all off", False, "remove_done")):
            st.button(
                label,
                key=f"stack.extras.{every}",
                on_click=_switch_all,
                args=(every,),
                icon=f":material/{icon}:",
                help="All of the above.",
            )
    return places


def show_options(values: Mapping[str, Any]) -> None:
    """Show what the stack has besides, which changes neither the course nor the bill.

    Parameters
    ----------
    values : mapping
        The whole document as plain values.
    """
    texts = described_fields(StackOptions)
    given = values["stack"]
    with st.grid(2, min_column_width=300):
        for field, label in _APPLICATION.items():
            _text(f"application.{field}", label, values["application"][field], described_fields(Application)[field])
        for field, label in _TEXTS.items():
            _text(f"stack.{field}", label, given[field], texts[field])
        _text("stack.ingress_cidrs", "Reachable from (CIDR)", ", ".join(given["ingress_cidrs"]), texts["ingress_cidrs"])
        _text(
            "stack.health_check_command",
            "Health check in the container (shell)",
            _shell_of(given["health_check_command"]),
            texts["health_check_command"],
        )
        for field, label in _DOMAIN.items():
            _text(f"stack.domain.{field}", label, (given["domain"] or {}).get(field), described_fields(Domain)[field])
        forms.number(
            "Budget (USD/month)",
            given["budget_usd_per_month"],
            "stack.budget_usd_per_month",
            float,
            texts["budget_usd_per_month"],
            optional=True,
            low=0.01,
        )
        forms.number("Test port", given["test_port"], "stack.test_port", int, texts["test_port"], low=1, high=65_535)
    st.segmented_control(
        "Deployments by",
        list(_CONTROLLERS),
        required=True,
        format_func=lambda name: _CONTROLLERS[name],
        key=forms.remembered("stack.deployment_controller", given["deployment_controller"]),
        help=texts["deployment_controller"],
        persist_state="session",
    )
    with st.grid(2, min_column_width=300):
        for field, label in _TOGGLES.items():
            st.toggle(
                label,
                key=forms.remembered(f"stack.{field}", given[field]),
                help=texts[field],
                persist_state="session",
            )
    st.caption(
        "Sidecars, a VPC and a load balancer that are there already, and CloudFront's own name stand in the section `stack` of the scenario's "
        "file; the command line reads them too."
    )


def read(values: Mapping[str, Any]) -> Scenario:
    """Make the scenario that the forms say.

    Parameters
    ----------
    values : mapping
        The whole document as plain values.

    Returns
    -------
    Scenario
        With the forms' values.

    Raises
    ------
    InvalidScenario
        If they do not go together.
    """
    return Scenario.from_dict(_laid_over(values), "These settings")


def with_value(extras: Extras, extra: Extra, on: bool) -> dict[str, Any]:
    """Say what a field is when it is switched on or off.

    Parameters
    ----------
    extras : Extras
        What holds now, which says how much it is when it is on.
    extra : Extra
        The field.
    on : bool
        True for on.

    Returns
    -------
    dict
        The field and its value.
    """
    now = getattr(extras, extra.field)
    value = (extra.on if now == extra.off else now) if on else extra.off
    return {extra.field: value}


def _switch(extra: Extra, text: str) -> None:
    key = f"{EDIT}extras.{extra.field}"
    if extra.field == "container_insights":
        st.segmented_control(
            extra.label,
            list(_INSIGHTS),
            required=True,
            format_func=lambda name: _INSIGHTS[name],
            key=key,
            help=text,
            persist_state="session",
        )
        return
    st.toggle(extra.label, key=f"{key}.on", help=text, persist_state="session")
    if extra.amount and st.session_state[f"{key}.on"]:
        kind = type(extra.on)
        st.number_input(
            extra.amount,
            min_value=kind(1) if kind is int else 0.001,
            step=kind(1),
            format="%d" if kind is int else "%g",
            key=key,
            help=text,
            persist_state="session",
        )


def _remember(extra: Extra, given: Any) -> None:
    """Begin with what the scenario says; the number of what is off with the usual one."""
    forms.remembered(f"extras.{extra.field}", given if _is_choice(extra) or given != extra.off else extra.on)
    if not _is_choice(extra):
        forms.remembered(f"extras.{extra.field}.on", given != extra.off)


def _switch_all(on: bool) -> None:
    for extra in EXTRAS:
        if _is_choice(extra):
            st.session_state[f"{EDIT}extras.{extra.field}"] = extra.on if on else extra.off
        else:
            st.session_state[f"{EDIT}extras.{extra.field}.on"] = on


def _is_choice(extra: Extra) -> bool:
    return isinstance(extra.on, str)


def _text(key: str, label: str, given: str | None, text: str) -> None:
    st.text_input(label, key=forms.remembered(key, given or ""), help=text, persist_state="session")


def _shell_of(command: Any) -> str:
    return command[1] if command and command[0] == _SHELL else ""


def _laid_over(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    extras, stack, application = dict(found["extras"]), dict(found["stack"]), dict(found["application"])
    for extra in EXTRAS:
        given = extras[extra.field]
        value = forms.said(f"extras.{extra.field}", given)
        extras[extra.field] = value if _said_on(extra, given) else extra.off
    for field in _APPLICATION:
        application[field] = forms.said(f"application.{field}", application[field] or "").strip() or None
    for field in _TEXTS:
        stack[field] = forms.said(f"stack.{field}", stack[field] or "").strip() or None
    for field in (*_TOGGLES, "deployment_controller", "budget_usd_per_month", "test_port"):
        stack[field] = forms.said(f"stack.{field}", stack[field])
    _change(stack, "ingress_cidrs", lambda text: text.replace(",", " ").split())
    _change(stack, "health_check_command", lambda text: [_SHELL, text] if text else None)
    domain = {field: forms.said(f"stack.domain.{field}", (stack["domain"] or {}).get(field, "")) for field in _DOMAIN}
    stack["domain"] = {field: text.strip() for field, text in domain.items()} if any(domain.values()) else None
    return found | {"extras": extras, "stack": stack, "application": application}


def _said_on(extra: Extra, given: Any) -> bool:
    return _is_choice(extra) or bool(forms.said(f"extras.{extra.field}.on", given != extra.off))


def _change(stack: dict[str, Any], field: str, made: Callable[[str], Any]) -> None:
    """Take what a text field says, unless the scenario says something that it does not show and nobody typed."""
    text = forms.said(f"stack.{field}", None)
    if text is not None and (text.strip() or not _hidden(stack[field])):
        stack[field] = made(text.strip())


def _hidden(given: Any) -> bool:
    """Say whether a health check is one that the text field does not show: a command without a shell."""
    return bool(given) and given[0] == "CMD"
