"""The command `why`: why the plan is not today's service, or another one that you have in mind.

Notes
-----
As in the rest of the command line, everything but typer is imported inside the functions.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estimator.commands.output import progress_bar
from estimator.commands.reading import read_scenario

if TYPE_CHECKING:
    from estimator.planning.result import Plan
    from estimator.planning.why_not import WhyNot
    from estimator.service.application import Application
    from estimator.service.spec import ServiceSpec

#: What each option is called in a message about its field.
_OPTIONS = {
    "cpu_units": "--cpu",
    "memory_mib": "--memory",
    "cpu_architecture": "--arch",
    "target_value": "--target",
    "scale_out_cooldown_s": "--scale-out-cooldown",
    "scale_in_cooldown_s": "--scale-in-cooldown",
    "min_capacity": "--min",
    "max_capacity": "--max",
    "spot_percent": "--spot-percent",
    "layout": "--layout",
}


def why(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, YAML or JSON.")],
    cpu_units: Annotated[
        int | None, typer.Option("--cpu", metavar="UNITS", help="CPU of a task; 1024 is one vCPU.")
    ] = None,
    memory_mib: Annotated[int | None, typer.Option("--memory", metavar="MIB", help="Memory of a task.")] = None,
    cpu_architecture: Annotated[str | None, typer.Option("--arch", help="X86_64 or ARM64.")] = None,
    target_value: Annotated[
        float | None, typer.Option("--target", metavar="PERCENT", help="CPU utilization to hold.")
    ] = None,
    scale_out_cooldown_s: Annotated[
        int | None, typer.Option("--scale-out-cooldown", metavar="SECONDS", help="Cooldown after a scale-out.")
    ] = None,
    scale_in_cooldown_s: Annotated[
        int | None, typer.Option("--scale-in-cooldown", metavar="SECONDS", help="Cooldown after a scale-in.")
    ] = None,
    min_capacity: Annotated[int | None, typer.Option("--min", metavar="TASKS", help="Minimum.")] = None,
    max_capacity: Annotated[int | None, typer.Option("--max", metavar="TASKS", help="Maximum.")] = None,
    spot_percent: Annotated[
        int | None,
        typer.Option("--spot-percent", metavar="PERCENT", help="Part of the tasks above the minimum on Fargate Spot."),
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", help="public, nat, endpoints or ipv6.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Say why the plan is not another service: limits that one breaks, or what makes it dearer.

    Without options it is the scenario's `service` section; with options it is the plan with those fields changed.

    Example: estimator why shop.yaml --cpu 512 --memory 1024 --spot-percent 50
    """
    from estimator.errors import InvalidScenario
    from estimator.planning.why_not import why_not

    values = {
        "cpu_units": cpu_units,
        "memory_mib": memory_mib,
        "cpu_architecture": cpu_architecture,
        "target_value": target_value,
        "scale_out_cooldown_s": scale_out_cooldown_s,
        "scale_in_cooldown_s": scale_in_cooldown_s,
        "min_capacity": min_capacity,
        "max_capacity": max_capacity,
        "spot_percent": spot_percent,
        "layout": layout,
    }
    given = {name: value for name, value in values.items() if value is not None}
    document, rates = read_scenario(scenario)
    if not given and document.service is None:
        raise InvalidScenario(
            f"{scenario} has no `service` section to hold against the plan. Add one, or say another service by options, such as --cpu 512 "
            "--memory 1024; they change the plan."
        )
    with progress_bar("Simulating candidates", as_json) as progress:
        best = document.plan(rates, scenario.parent, progress)
    if best.cost.region != rates.region:
        rates = document.model_copy(update={"region": best.cost.region}).rates(scenario.parent)
    spec = changed(best.spec, given, document.application) if given else document.spec()
    found = why_not(best, rates, spec)
    if as_json:
        typer.echo(json.dumps({"name": document.name, "region": best.cost.region, **found.to_dict()}, indent=2))
    else:
        _show(document.name, best, found)


def changed(spec: ServiceSpec, given: dict[str, Any], application: Application) -> ServiceSpec:
    """Change fields of a service as the options say; what AWS does not have is said by the names of the options."""
    from dataclasses import replace

    from estimator.errors import InvalidScenario
    from estimator.service.capacity import CapacityProviderStrategy
    from estimator.service.network import NetworkLayout
    from estimator.service.task_size import TaskSize

    try:
        own = spec.task_size
        fields: dict[str, Any] = {
            "task_size": TaskSize(given.get("cpu_units", own.cpu_units), given.get("memory_mib", own.memory_mib)),
            "scaling": _scaling(spec, given),
        }
        fields |= {name: given[name] for name in ("cpu_architecture", "min_capacity", "max_capacity") if name in given}
        if "spot_percent" in given:
            least = fields.get("min_capacity", spec.min_capacity)
            fields["capacity_provider_strategy"] = CapacityProviderStrategy(*_weights(given["spot_percent"], least))
        if "layout" in given:
            network = spec.network
            fields["network"] = NetworkLayout.of(
                given["layout"],
                network.availability_zones,
                uses_secrets=bool(application.secrets),
                load_balancer_ipv4=network.load_balancer_ipv4,
            )
        return replace(spec, **fields)
    except InvalidScenario as error:
        raise InvalidScenario(_by_option(str(error), given)) from None


def _scaling(spec: ServiceSpec, given: dict[str, Any]) -> tuple[Any, ...]:
    """Change the target tracking policy that holds a CPU utilization."""
    from dataclasses import replace

    from estimator.errors import InvalidScenario
    from estimator.service.policies import TargetTrackingScalingPolicy

    names = ("target_value", "scale_out_cooldown_s", "scale_in_cooldown_s")
    values = {name: given[name] for name in names if name in given}
    cpu = [
        policy
        for policy in spec.scaling
        if isinstance(policy, TargetTrackingScalingPolicy) and policy.metric.kind == "cpu"
    ]
    if values and not cpu:
        options = ", ".join(_OPTIONS[name] for name in values)
        raise InvalidScenario(f"{options} change a policy that tracks CPU, and the plan has none. Leave them out.")
    return tuple(replace(policy, **values) if values and policy in cpu else policy for policy in spec.scaling)


def _weights(spot_percent: int, least: int) -> tuple[int, int, int]:
    """Turn a part of the tasks above the minimum into base and weights."""
    from estimator.checks import require_number

    require_number("spot_percent", spot_percent, 0, 100, whole=True)
    if not spot_percent:
        return 0, 1, 0
    parts = math.gcd(spot_percent, 100)
    return least, (100 - spot_percent) // parts, spot_percent // parts


def _by_option(message: str, given: dict[str, Any]) -> str:
    """Name the option that a message is about; one that was not given is the plan's, and goes with another of them only."""
    name = message.partition(" ")[0]
    if name in given:
        return message.replace(name, _OPTIONS[name], 1)
    return f"{message} Give {_OPTIONS[name]} too." if name in _OPTIONS else message


def _show(name: str, best: Plan, found: WhyNot) -> None:
    from estimator.report.terminal import say, show
    from estimator.report.tradeoff_tables import broken_table, differences_table

    say(f"\n{name}: the plan is {best}.\n{found.verdict}\n")
    if found.broken:
        show(broken_table(found.broken))
        say()
    if found.lines:
        show(differences_table(found))
