"""The form of what runs today: the section ``service`` of the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from estimator.errors import EstimatorError
from estimator.service.capacity import FARGATE, FARGATE_SPOT, CapacityProviderStrategy
from estimator.service.deployment import DEPLOYMENT_STRATEGIES, DeploymentConfiguration
from estimator.service.policies import POLICIES, ScheduledAction, TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import CPU_ARCHITECTURES, MEMORY_MIB, TaskSize
from estimator.service_sections import Service
from estimator.simulation.replay import usual_policies
from estimator.ui import forms, tables
from estimator.units import CPU_UNITS_PER_VCPU, MIB_PER_FARGATE_GB, described_fields
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Request, Workload

#: A service to begin with where the scenario has none.
_FIRST = {"cpu_units": 1024, "memory_mib": 2048}
_KEY = "service"
#: What a new scheduled action begins with: the same every day, so that any load can have it.
_DAILY = "cron(0 8 * * ? *)"
#: Two controls to a row of the sidebar. [px]
_HALF_PX = 100
#: The short fields of the section, which stand for one target tracking policy on CPU.
_SHORT = ("target_value", "scale_out_cooldown_s", "scale_in_cooldown_s", "disable_scale_in")
_KIND = (
    "Target tracking holds a metric at a target; step scaling moves by steps when an alarm goes off; predictive scaling forecasts the "
    "load from the past."
)
_PLAIN, _OWN = "CPU target", "Policies"
_MIX = "MIX"
_PROVIDERS = {FARGATE: "Fargate", FARGATE_SPOT: "Fargate Spot", _MIX: "A mix of both"}
_ROLLING = ("minimum_healthy_percent", "maximum_percent")
_BAKE = "bake_time_in_minutes"
#: What each deployment strategy asks for; AWS leaves the other fields unused.
_STRATEGY_FIELDS = {
    "ROLLING": _ROLLING,
    "BLUE_GREEN": (_BAKE,),
    "CANARY": ("canary_bake_time_in_minutes", _BAKE),
    "LINEAR": ("step_percent", "step_bake_time_in_minutes", _BAKE),
}


def show(values: dict[str, Any]) -> None:
    """Show the form.

    Parameters
    ----------
    values : dict
        The whole document as plain values; its ``service`` becomes what the form says.
    """
    given = values["service"]
    there = forms.remembered(f"{_KEY}.on", given is not None)
    if not st.toggle(
        "Compare with what runs today",
        key=there,
        help="Prices a service as it is, under the same load, beside the plan.",
        persist_state="session",
    ):
        values["service"] = None
        return
    service = Service.model_validate(given or _FIRST).model_dump(mode="json")
    texts = described_fields(Service)

    _size(service, texts)
    with st.grid(2, min_column_width=_HALF_PX):
        service["min_capacity"] = forms.number(
            "Tasks at least", service["min_capacity"], f"{_KEY}.min_capacity", text=texts["min_capacity"]
        )
        service["max_capacity"] = forms.number(
            "Tasks at most", service["max_capacity"], f"{_KEY}.max_capacity", text=texts["max_capacity"]
        )
    # What only shows when the parts come together, such as a maximum below the minimum, is said here.
    here = st.container()
    with st.expander("Scaling", key=f"{_KEY}.scaling.box"):
        right = _scaling(service, values["request"])
    actions = service["scheduled_actions"]
    at = f"{_KEY}.scheduled_actions"
    with st.expander(forms.counted("Scheduled actions", len(actions), at), key=f"{at}.box"):
        right &= _scheduled_actions(service, actions, at)
    with st.expander("Capacity providers", key=f"{_KEY}.provider.box"):
        right &= _capacity_providers(service)
    with st.expander("Deployment strategy", key=f"{_KEY}.deployment.box"):
        right &= _deployment(service)
    values["service"] = service
    if right:
        with here:
            forms.allowed(lambda: _candidate(service))


def _size(service: dict[str, Any], texts: Mapping[str, str]) -> None:
    with st.grid(2, min_column_width=_HALF_PX):
        names = {str(units): f"{units / CPU_UNITS_PER_VCPU:g} vCPU" for units in MEMORY_MIB}
        text = texts["cpu_units"]
        service["cpu_units"] = int(
            forms.choice("CPU of a task", names, str(service["cpu_units"]), f"{_KEY}.cpu_units", text)
        )
        sizes = MEMORY_MIB[service["cpu_units"]]
        # Of another CPU size the nearest memory.
        nearest = min(sizes, key=lambda size: abs(size - service["memory_mib"]))
        names = {str(size): f"{size / MIB_PER_FARGATE_GB:g} GB" for size in sizes}
        service["memory_mib"] = int(forms.choice("Memory", names, str(nearest), f"{_KEY}.memory_mib", text))
    names = {name: name.replace("_", "-") for name in CPU_ARCHITECTURES}
    service["cpu_architecture"] = forms.choice(
        "Processor", names, service["cpu_architecture"], f"{_KEY}.cpu_architecture", texts["cpu_architecture"]
    )


def _scaling(service: dict[str, Any], request: Mapping[str, Any]) -> bool:
    given = service["scaling"]
    chosen = st.segmented_control(
        "How it scales",
        (_PLAIN, _OWN),
        required=True,
        key=forms.remembered(f"{_KEY}.scaling.how", _PLAIN if given is None else _OWN),
        help="One target tracking policy on CPU, or policies of your own: any of them scales out, all must agree to scale in.",
        width="stretch",
        persist_state="session",
    )
    short = {name: forms.said(f"{_KEY}.short.{name}", service[name]) for name in _SHORT}
    if chosen == _PLAIN:
        short = forms.record(TargetTrackingScalingPolicy, short, f"{_KEY}.short", _SHORT)
        service |= {name: short[name] for name in _SHORT} | {"scaling": None}
        return forms.allowed(lambda: TargetTrackingScalingPolicy(**short))
    if given is None:  # the plain target is what policies begin with
        given = [{"policy_type": "TargetTrackingScaling", **short}]
    at = f"{_KEY}.scaling"
    rights: list[bool] = []
    kinds: list[str] = []

    def one(place: int | None, key: str) -> dict[str, Any]:
        # AWS takes one target tracking policy for each metric, and any number of step scaling policies.
        new = {"policy_type": "StepScaling" if "TargetTrackingScaling" in kinds else "TargetTrackingScaling"}
        policy, right = _policy(new if place is None else given[place], key, request, service)
        rights.append(right)
        kinds.append(policy["policy_type"])
        return policy

    service |= {name: Service.model_fields[name].default for name in _SHORT}
    service["scaling"] = forms.several("Policy", given, at, one)
    if not service["scaling"]:
        st.caption("Without a policy the desired count stays where the bounds put it.")
    return all(rights)


def _policy(
    given: Mapping[str, Any], key: str, request: Mapping[str, Any], service: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Show one scaling policy."""
    first = given["policy_type"]
    kind = forms.choice("Kind", {name: forms.words_of(name) for name in POLICIES}, first, f"{key}.kind", _KIND)
    values = {name: value for name, value in given.items() if name != "policy_type"} if kind == first else {}
    # Each kind has controls of its own: fields of the same name may mean another thing.
    policy = {"policy_type": kind, **forms.record(POLICIES[kind].parameters, values, f"{key}.{kind}")}
    right = forms.allowed(lambda: _made_policy(policy))
    if right:
        made = _made_policy(policy)
        hint = _requests_hint(request, service) if made.metric.kind == "requests" else ""
        st.caption(tables.plain(f"{made.describe()}{hint}"))
    return policy, right


def _requests_hint(request: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    """Say which requests per target are as much as a usual CPU target: nobody knows that number by heart."""
    try:
        work = Workload(LoadProfile.constant(1), **{name: request[name] for name in Request.__dataclass_fields__})
        spec = ServiceSpec(TaskSize(service["cpu_units"], service["memory_mib"]), service["cpu_architecture"])
        (usual,) = usual_policies(work, spec)["Requests per target"]
    except EstimatorError:
        return ""
    return f". At a CPU target of 60 % it would be: {usual.describe()}"


def _scheduled_actions(service: dict[str, Any], given: list[dict[str, Any]], at: str) -> bool:
    rights: list[bool] = []
    new = {"schedule": _DAILY, "min_capacity": service["min_capacity"]}

    def one(place: int | None, key: str) -> dict[str, Any]:
        action = forms.record(ScheduledAction, new if place is None else given[place], key)
        rights.append(forms.allowed(lambda: ScheduledAction(**action)))
        return action

    service["scheduled_actions"] = forms.several("Action", given, at, one)
    return all(rights)


def _capacity_providers(service: dict[str, Any]) -> bool:
    given = service["capacity_provider_strategy"]
    first = _MIX if given is not None else service["capacity_provider"]
    text = "Fargate Spot is cheaper, and AWS may take a task back with two minutes of warning."
    chosen = forms.choice("Tasks run on", _PROVIDERS, first, f"{_KEY}.provider", text)
    if chosen != _MIX:
        service |= {"capacity_provider": chosen, "capacity_provider_strategy": None}
        return True
    values = given or {"fargate_base": service["min_capacity"], "fargate_weight": 1, "fargate_spot_weight": 1}
    mix = forms.record(CapacityProviderStrategy, values, f"{_KEY}.mix")
    service |= {"capacity_provider": FARGATE, "capacity_provider_strategy": mix}
    if not forms.allowed(lambda: CapacityProviderStrategy(**mix)):
        return False
    st.caption(tables.plain(CapacityProviderStrategy(**mix).describe() or "Fargate On-Demand alone"))
    return True


def _deployment(service: dict[str, Any]) -> bool:
    given = service["deployment"]
    names = {name: forms.words_of(name).replace("Blue g", "Blue/g") for name in DEPLOYMENT_STRATEGIES}
    text = described_fields(DeploymentConfiguration)["strategy"]
    strategy = forms.choice("Strategy", names, given["strategy"], f"{_KEY}.deployment.strategy", text)
    chosen = forms.record(DeploymentConfiguration, given, f"{_KEY}.deployment", _STRATEGY_FIELDS[strategy])
    service["deployment"] = chosen | {"strategy": strategy}
    st.caption("Counts where deployments are scheduled below, under What happens.")
    return forms.allowed(lambda: DeploymentConfiguration(**service["deployment"]))


def _candidate(service: Mapping[str, Any]) -> ServiceSpec:
    given = service["scaling"]
    if given is None:
        given = [{"policy_type": "TargetTrackingScaling", **{name: service[name] for name in _SHORT}}]
    mix = service["capacity_provider_strategy"]
    return ServiceSpec(
        TaskSize(service["cpu_units"], service["memory_mib"]),
        service["cpu_architecture"],
        service["min_capacity"],
        service["max_capacity"],
        tuple(_made_policy(policy) for policy in given),
        capacity_provider_strategy=CapacityProviderStrategy(**mix) if mix else CapacityProviderStrategy(),
        scheduled_actions=tuple(ScheduledAction(**action) for action in service["scheduled_actions"]),
    )


def _made_policy(values: Mapping[str, Any]) -> Any:
    parameters = {name: value for name, value in values.items() if name != "policy_type"}
    return forms.made(POLICIES[values["policy_type"]].parameters, parameters)
