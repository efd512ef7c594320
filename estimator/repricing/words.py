"""Values of a scenario's fields written to read: policies as a plan says them, a mapping as its names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimator.planning.comparison import value_text
from estimator.service.capacity import CapacityProviderStrategy
from estimator.service.policies import POLICIES, ScheduledAction, StepAdjustment

_COOLDOWNS = ("cooldown_s", "scale_out_cooldown_s", "scale_in_cooldown_s")
#: Letters of a value in a table. [1]
_MOST = 70


def value_words(name: str, value: Any) -> str:
    """Write a fact's value to read.

    Parameters
    ----------
    name : str
        The fact's name.
    value : object
        Its value.

    Returns
    -------
    str
        Policies and actions as a plan says them, a mapping as its names and values.

    Examples
    --------
    >>> value_words("service.capacity_provider_strategy", {"fargate_base": 2, "fargate_weight": 1, "fargate_spot_weight": 3})
    '75 % Fargate Spot above 2 tasks'
    >>> value_words("service.deployment", {"strategy": "BLUE_GREEN", "bake_time_in_minutes": 10})
    'BLUE_GREEN, bake_time_in_minutes 10'
    """
    if name == "service.scaling" and isinstance(value, list):
        return ", ".join(map(_policy_words, value)) or "none"
    if name == "service.scheduled_actions" and isinstance(value, list):
        return "; ".join(ScheduledAction(**action).describe() for action in value) or "none"
    if name == "service.capacity_provider_strategy" and isinstance(value, Mapping):
        return CapacityProviderStrategy(**value).describe() or "Fargate On-Demand"
    if name == "application.secrets" and isinstance(value, Mapping):
        return ", ".join(value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(str(item) if key == "strategy" else f"{key} {value_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    # A port or a size is read as it is written in a template, without commas.
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = " ".join(str(value).split()) if whole or isinstance(value, str) else value_text(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


def _policy_words(values: Mapping[str, Any]) -> str:
    parameters = {key: value for key, value in values.items() if key != "policy_type"}
    if "step_adjustments" in parameters:
        steps = (
            step if isinstance(step, StepAdjustment) else StepAdjustment(**step)
            for step in parameters["step_adjustments"]
        )
        parameters["step_adjustments"] = tuple(steps)
    said: str = POLICIES[values["policy_type"]].parameters(**parameters).describe()
    cooldowns = [f"{value_text(values[name])} s" for name in _COOLDOWNS if name in values]
    return f"{said} (cooldown {' and '.join(dict.fromkeys(cooldowns))})" if cooldowns else said
