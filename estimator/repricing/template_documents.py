"""Text of a template read into plain values: JSON, or YAML with CloudFormation's short forms, and nothing that runs code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from estimator.checks import shown
from estimator.errors import InvalidScenario

#: AWS, "CloudFormation quotas", read 2026: a template is at most 1 MB; ours may be written with more white space. [bytes]
MAX_TEMPLATE_BYTES = 4_000_000
#: Values of a template, each counted as often as it is used: an alias of an alias could make billions of them. [1]
MAX_VALUES = 200_000
#: C0 and C1 without tab and line ends, and what turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Levels of nesting; AWS's own longest statements, those of a firewall, have some thirty. [1]
MAX_DEPTH = 80

#: What CloudFormation's YAML reads as something else than text. It is YAML 1.1, but a date or 22:22 is a text that somebody wrote.
_PLAIN = (
    ("tag:yaml.org,2002:bool", "(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)", "yYnNtTfFoO"),
    ("tag:yaml.org,2002:int", "[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        "-+0123456789.",
    ),
    ("tag:yaml.org,2002:null", "(?:~|null|Null|NULL|)", "~nN\0"),
    ("tag:yaml.org,2002:merge", "<<", "<"),
)  # fmt: skip


def parse_template(text: str, where: str) -> dict[str, Any]:
    """Read a template.

    Parameters
    ----------
    text : str
        JSON or YAML; short forms such as ``!Ref`` become what they are short for.
    where : str
        What to call it in messages.

    Returns
    -------
    dict
        Nested plain values.

    Raises
    ------
    InvalidScenario
        If it is neither, too deep or too large, or no template.

    Examples
    --------
    >>> parse_template("Resources: {Web: {Type: 'AWS::ECS::Service', Properties: {Cluster: !GetAtt Home.Arn}}}", "web.yaml")
    {'Resources': {'Web': {'Type': 'AWS::ECS::Service', 'Properties': {'Cluster': {'Fn::GetAtt': ['Home', 'Arn']}}}}}
    """
    try:
        values = _json(text, where) if text.lstrip()[:1] in {"{", "["} else _yaml(text, where)
        _require_size(values, where)
    except RecursionError:
        raise InvalidScenario(_too_deep(where)) from None
    if not isinstance(values, dict) or not isinstance(values.get("Resources"), dict):
        raise InvalidScenario(
            f"{where} is no CloudFormation template: it has no mapping `Resources`. Give a template in JSON or YAML, or a folder such as cdk.out."
        )
    for name in values["Resources"]:
        # AWS, "Resources section", read 2026: a logical id has letters and digits alone.
        plain = not isinstance(name, str) or name.startswith("Fn::") or (name.isascii() and name.isalnum())
        if not plain:
            raise InvalidScenario(
                f"{where}: the logical id {shown(name)} has other than letters and digits, which CloudFormation does not take. Mend the template."
            )
    cleaned: dict[str, Any] = _cleaned(values, {})
    return cleaned


def without_controls(text: str) -> str:
    """Put a mark in the place of letters that steer a terminal or turn the direction of writing.

    Parameters
    ----------
    text : str
        What somebody else wrote.

    Returns
    -------
    str
        The same; lines and tabs stay.

    Examples
    --------
    >>> without_controls("a" + chr(27) + "[31m") == "a" + chr(0xFFFD) + "[31m"
    True
    """
    return _CONTROLS.sub("\ufffd", text)


def _cleaned(value: Any, known: dict[int, Any]) -> Any:
    """Clean all texts; what is used many times is cleaned once."""
    if isinstance(value, str):
        return without_controls(value)
    if not isinstance(value, dict | list):
        return value
    if id(value) not in known:
        if isinstance(value, list):
            known[id(value)] = [_cleaned(item, known) for item in value]
        else:
            known[id(value)] = {_cleaned(key, known): _cleaned(item, known) for key, item in value.items()}
    return known[id(value)]


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, where), parse_constant=_no_number)
    except json.JSONDecodeError:
        return _yaml(text, where)  # YAML has braces too
    except InvalidScenario:
        raise
    except ValueError as error:
        raise InvalidScenario(f"{where} cannot be read ({shown(str(error))}). Mend the file.") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _yaml(text: str, where: str) -> Any:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    for tag, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(
            tag, re.compile(f"^(?:{pattern})$"), [*first.replace("\0", ""), *([""] if "\0" in first else [])]
        )
    Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: _mapping(loader, node, where))
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
    Loader.add_multi_constructor("!", _short_form)
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = shown(getattr(error, "problem", None) or "it cannot be read", 120)
        raise InvalidScenario(f"{where}{place}: not a template in JSON or YAML ({problem}). Mend the line.") from None
    except InvalidScenario:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidScenario(f"{where} cannot be read ({shown(str(error))}). Mend the file.") from None


def _mapping(loader: Any, node: Any, where: str) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    return _once(loader.construct_pairs(node, deep=True), where)


def _once(pairs: list[tuple[Any, Any]], where: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str | int | float | bool | None):
            raise InvalidScenario(f"{where}: {shown(key)} stands as a key; a key must be a text. Mend the file.")
        if key in found:
            raise InvalidScenario(f"{where}: {shown(key)} stands twice; keep one of them.")
        found[key] = value
    return found


def _short_form(loader: Any, suffix: str, node: Any) -> Any:
    """Write ``!Sub text`` as ``{"Fn::Sub": text}``; only Ref and Condition have no Fn before them."""
    import yaml

    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = list(value.partition(".")[::2])
    else:
        construct: Callable[..., Any] = (
            loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
        )
        value = construct(node, deep=True)
    return {name: value}


def _too_deep(where: str) -> str:
    return (
        f"{where} is nested more than {MAX_DEPTH} levels deep, or holds itself; a template is not. Give another file."
    )


def _require_size(values: Any, where: str) -> None:
    """Refuse what is too deep or holds too much, without unfolding what is used many times."""
    known: dict[int, tuple[int, int]] = {}

    def measure(value: Any, depth: int) -> tuple[int, int]:
        """Count the values in one, and the levels below it."""
        if not isinstance(value, dict | list):
            return 1, 0
        if depth > MAX_DEPTH:
            raise RecursionError
        if id(value) not in known:
            parts = value.values() if isinstance(value, dict) else value
            below = [measure(part, depth + 1) for part in parts]
            known[id(value)] = 1 + sum(size for size, _ in below), 1 + max((height for _, height in below), default=0)
        size, height = known[id(value)]
        if depth + height > MAX_DEPTH:
            raise RecursionError
        if size > MAX_VALUES:
            raise InvalidScenario(
                f"{where} holds more than {MAX_VALUES:,} values; a template does not. Give another file."
            )
        return size, height

    measure(values, 0)
