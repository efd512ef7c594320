"""Which lines of an exported stack carry the numbers of its plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from estimator.export.cdk import CONFIG_NAME
from estimator.export.cloudformation import TEMPLATE_NAME
from estimator.planning.result import Plan
from estimator.report.tables import Table

README_NAME = "README.md"
#: Sections of the configuration that are the plan's own.
_SECTIONS = ("network", "task", "service", "scaling", "scheduled_actions")
#: Single values of the others.
_SINGLE = (
    ("load_balancer", "reserved_lcu"),
    ("edge", "waf_rules"),
    ("estimate", "total_usd_per_month"),
)
_SCALING = "AWS::ApplicationAutoScaling::ScalingPolicy"
_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
#: Properties of the template that say a number of the configuration, by type of resource. A policy's own place stands for ``#``.
_PROPERTIES: dict[str, dict[tuple[str, ...], str]] = {
    "AWS::ECS::TaskDefinition": {
        ("Cpu",): "task.cpu_units",
        ("Memory",): "task.memory_mib",
        ("RuntimePlatform", "CpuArchitecture"): "task.cpu_architecture",
        ("EphemeralStorage", "SizeInGiB"): "task.ephemeral_storage_gib",
    },
    _TARGET: {("MinCapacity",): "service.min_capacity", ("MaxCapacity",): "service.max_capacity"},
    _SCALING: {
        (_TRACKING, "TargetValue"): "scaling[#].target_value",
        (_TRACKING, "ScaleOutCooldown"): "scaling[#].scale_out_cooldown_s",
        (_TRACKING, "ScaleInCooldown"): "scaling[#].scale_in_cooldown_s",
        ("StepScalingPolicyConfiguration", "Cooldown"): "scaling[#].cooldown_s",
    },
    "AWS::ECS::Service": {
        ("DeploymentConfiguration", "MinimumHealthyPercent"): "service.deployment.minimum_healthy_percent",
        ("DeploymentConfiguration", "MaximumPercent"): "service.deployment.maximum_percent",
        ("HealthCheckGracePeriodSeconds",): "service.health_check_grace_s",
    },
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A number of the plan in a line of a file.

    Parameters
    ----------
    name : str
        Where it stands in the configuration, such as ``task.cpu_units``.
    value : str
        What the line says.
    file : str
        Relative path.
    line : int
        Its line, counted from 1.
    """

    name: str
    value: str
    file: str
    line: int


def find_marks(plan: Plan, files: Mapping[str, str]) -> tuple[Mark, ...]:
    """Find the numbers of a plan in the files of its stack.

    Parameters
    ----------
    plan : Plan
        The plan.
    files : mapping of str to str
        What `render_stack` gives.

    Returns
    -------
    tuple of Mark
        In the order of the configuration; those of the template and the README follow the one that they repeat.
    """
    marks = list(_of_config(files[CONFIG_NAME]))
    if TEMPLATE_NAME in files:
        marks += _of_template(files[TEMPLATE_NAME])
    marks += _of_readme(plan, files[README_NAME])
    order = {name: place for place, name in reversed(list(enumerate(mark.name for mark in marks)))}
    return tuple(sorted(marks, key=lambda mark: order[mark.name]))


def marks_table(marks: tuple[Mark, ...]) -> Table:
    """Show the numbers of the plan and where they stand.

    Parameters
    ----------
    marks : tuple of Mark
        What `find_marks` gives.

    Returns
    -------
    Table
        Number, value, file and line.
    """
    rows = tuple((mark.name, mark.value, mark.file, str(mark.line)) for mark in marks)
    return Table("Numbers of the plan", ("Number of the plan", "Value", "File", ">Line"), rows)


def json_lines(text: str) -> dict[tuple[str | int, ...], int]:
    r"""Say in which line of a JSON text each value stands.

    Parameters
    ----------
    text : str
        A document as ``json.dumps`` writes it: one value to a line if it is indented, or all in one line.

    Returns
    -------
    dict of tuple to int
        Lines from 1 on, by keys and places from the outside in; an empty list or object counts as a value.

    Examples
    --------
    >>> json_lines('{\n "a": {\n  "b": [\n   1,\n   2\n  ]\n }\n}')
    {('a', 'b', 0): 4, ('a', 'b', 1): 5}
    """
    found: dict[tuple[str | int, ...], int] = {}
    last = _walk(json.loads(text), (), 1, found)
    return found if last == text.rstrip("\n").count("\n") + 1 else dict.fromkeys(found, 1)


def _walk(value: Any, path: tuple[str | int, ...], line: int, found: dict[tuple[str | int, ...], int]) -> int:
    """Note the lines of a value that begins in a line; return the line in which it ends."""
    if not (isinstance(value, (dict, list)) and value):
        found[path] = line
        return line
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        line = _walk(one, (*path, key), line + 1, found)
    return line + 1


def _of_config(text: str) -> Iterator[Mark]:
    document = json.loads(text)
    for path, line in json_lines(text).items():
        value = _at(document, path)
        if (path[0] in _SECTIONS or path in _SINGLE) and value not in (None, [], {}):
            yield Mark(_name(path), _shown(value), CONFIG_NAME, line)


def _of_template(text: str) -> Iterator[Mark]:
    document = json.loads(text)
    lines = json_lines(text)
    policies = [name for name, one in document["Resources"].items() if one["Type"] == _SCALING]
    for path, line in lines.items():
        if len(path) < 4 or path[0] != "Resources" or path[2] != "Properties":
            continue
        resource = document["Resources"][path[1]]
        name = _PROPERTIES.get(resource["Type"], {}).get(tuple(map(str, path[3:])))
        if name is not None:
            place = str(policies.index(str(path[1]))) if path[1] in policies else ""
            yield Mark(name.replace("#", place), _shown(_at(document, path)), TEMPLATE_NAME, line)


def _of_readme(plan: Plan, text: str) -> Iterator[Mark]:
    spec = plan.spec
    said = {
        "service.min_capacity": f"{spec.min_capacity} to {spec.max_capacity} tasks",
        "estimate.total_usd_per_month": plan.cost.total_text,
    }
    for name, words in said.items():
        for number, line in enumerate(text.splitlines(), 1):
            if words in line:
                yield Mark(name, words, README_NAME, number)


def _at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def _name(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
