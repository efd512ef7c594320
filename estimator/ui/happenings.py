"""The form of what happens beside the load: the section ``operations`` of the scenario."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from estimator.service.operations import Operations, SpotShortage
from estimator.ui import forms
from estimator.units import described_fields

_KEY = "operations"
#: What a new deployment begins with: the same every day, so that any load can have it.
_DAILY = "cron(0 10 * * ? *)"


def show(values: dict[str, Any]) -> None:
    """Show the form.

    Parameters
    ----------
    values : dict
        The whole document as plain values; its ``operations`` become what the form says.
    """
    operations, texts = dict(values["operations"]), described_fields(Operations)
    with _box("Deployments", operations, "deployment_schedules"):
        operations["deployment_schedules"] = _list(
            "Deployment",
            operations,
            "deployment_schedules",
            _DAILY,
            lambda value, key: st.text_input(
                "Begins at",
                key=forms.remembered(key, value),
                help=texts["deployment_schedules"],
                persist_state="session",
            ),
        )
        if operations["deployment_schedules"]:
            operations["timezone"] = forms.choice(
                "Time zone", forms.timezones(), operations["timezone"], f"{_KEY}.timezone", texts["timezone"]
            )
            forms.allowed(
                lambda: Operations(tuple(operations["deployment_schedules"]), timezone=operations["timezone"])
            )
    with _box("Loss of a zone", operations, "zone_losses_h"):
        text = texts["zone_losses_h"]
        operations["zone_losses_h"] = _list(
            "Loss",
            operations,
            "zone_losses_h",
            20.0,
            lambda value, key: forms.number("Hour of the period (h)", value, key, float, text),
        )
        forms.allowed(lambda: Operations(zone_losses_h=tuple(operations["zone_losses_h"])))
    with _box("Spot shortages", operations, "spot_shortages"):
        operations["spot_shortages"] = _list(
            "Shortage",
            operations,
            "spot_shortages",
            asdict(SpotShortage(start_h=20.0, hours=1.0)),
            lambda value, key: forms.record(SpotShortage, value, key),
        )
        forms.allowed(lambda: [SpotShortage(**each) for each in operations["spot_shortages"]])
    values["operations"] = operations


def _box(title: str, operations: dict[str, Any], field: str) -> Any:
    at = f"{_KEY}.{field}"
    return st.expander(forms.counted(title, len(operations[field]), at), key=f"{at}.box")


def _list(noun: str, operations: dict[str, Any], field: str, new: Any, show_one: Any) -> list[Any]:
    given = operations[field]
    return forms.several(
        noun,
        given,
        f"{_KEY}.{field}",
        lambda place, key: show_one(new if place is None else given[place], key),
    )
