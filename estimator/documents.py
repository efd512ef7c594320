"""Text that a user wrote, read into plain values, and what is wrong with it in one sentence."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from estimator.checks import shown
from estimator.errors import InvalidScenario
from estimator.workload.interval import ENDS, Interval

#: Mappings of free names to texts, in which nothing is an interval.
_FREE_NAMES = re.compile(r"application\.(environment|secrets)|stack\.sidecars\[\d+\]\.environment")


class Section(BaseModel):
    """A part of the document: unknown fields are refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parse_document(text: str, where: str) -> object:
    """Read JSON or YAML; a key that stands twice is refused, since one of its values would be lost.

    Parameters
    ----------
    text : str
        The document.
    where : str
        What to call it in messages.

    Returns
    -------
    object
        Nested plain values.

    Raises
    ------
    InvalidScenario
        If it is neither.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            pairs = self.construct_pairs(node, deep=True)
            return _once(pairs, where)

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        return dict(loader.construct_mapping(node))

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    try:
        if text.lstrip().startswith("{"):
            try:
                return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, where))
            except json.JSONDecodeError:
                pass  # YAML has braces too
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = shown(getattr(error, "problem", None) or "it cannot be read")
        raise InvalidScenario(f"{where}{place}: not valid YAML ({problem}). Mend the line.") from None
    except InvalidScenario:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidScenario(
            f"{where} cannot be read ({shown(str(error))}). Put quotes around a text that looks like a date or number."
        ) from None


def _once(pairs: list[tuple[Any, Any]], where: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidScenario(f"{where}: {shown(key)} stands twice; keep one of them.")
        found[key] = value
    return found


def refuse_truth_values(values: object, where: str, allowed: frozenset[str], path: str = "") -> None:
    """Refuse true and false where a number is asked for: YAML reads yes, no, on and off so.

    Parameters
    ----------
    values : object
        Nested plain values.
    where : str
        What to call the document in messages.
    allowed : frozenset of str
        Names of the fields that are true or false.
    path : str
        Where in the document the values stand.

    Raises
    ------
    InvalidScenario
        If one is a truth value.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            refuse_truth_values(value, where, allowed, f"{path}.{key}" if path else str(key))
    elif isinstance(values, (list, tuple)):
        for number, value in enumerate(values):
            refuse_truth_values(value, where, allowed, f"{path}[{number}]")
    elif isinstance(values, bool) and path.rpartition(".")[2].partition("[")[0] not in allowed:
        raise InvalidScenario(
            f"{where}: {path} is {str(values).lower()}; it must not be a truth value. YAML reads yes, no, on and off as one: put text in quotes; "
            "`estimator schema` says what is allowed."
        )


def take_intervals(values: object, where: str) -> tuple[Any, dict[str, Interval]]:
    """Put the likely value in the place of each interval.

    Parameters
    ----------
    values : object
        Nested plain values, in which ``{low: ..., likely: ..., high: ...}`` may stand for a number.
    where : str
        What to call the document in messages.

    Returns
    -------
    tuple of (object, dict of str to Interval)
        A copy with numbers alone, and the intervals by dotted path, in the order of the document.

    Raises
    ------
    InvalidScenario
        If an interval is not three numbers that rise.

    Examples
    --------
    >>> values = {"load": {"events": [{"factor": {"low": 2, "likely": 3, "high": 5}}]}}
    >>> take_intervals(values, "shop.yaml")
    ({'load': {'events': [{'factor': 3}]}}, {'load.events[0].factor': Interval(low=2, likely=3, high=5)})
    """
    found: dict[str, Interval] = {}

    def taken(value: object, path: str) -> object:
        if isinstance(value, Mapping):
            if _FREE_NAMES.fullmatch(path):
                return value
            if len(set(ENDS) & set(value)) > 1:
                found[path] = _interval(value, f"{where}: {path}" if path else where)
                return found[path].likely
            return {key: taken(item, f"{path}.{key}" if path else str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [taken(item, f"{path}[{number}]") for number, item in enumerate(value)]
        return value

    return taken(values, ""), found


def _interval(value: Mapping[Any, Any], place: str) -> Interval:
    if set(value) != set(ENDS):
        missing = [name for name in ENDS if name not in value]
        problem = (
            f"has no {missing[0]}"
            if missing
            else f"has {shown(next(str(key) for key in value if key not in ENDS))} besides"
        )
        raise InvalidScenario(
            f"{place} {problem}; an interval is {{low: ..., likely: ..., high: ...}}. Give all three and nothing else."
        )
    try:
        return Interval(**value)
    except InvalidScenario as error:
        raise InvalidScenario(f"{place}: {error}") from None


def value_at(values: object, path: str) -> Any:
    """Look up what stands at a dotted path.

    Parameters
    ----------
    values : object
        Nested plain values.
    path : str
        Such as ``load.events[0].factor``.

    Returns
    -------
    object
        The value; None if there is no such place.

    Examples
    --------
    >>> value_at({"load": {"events": [{"factor": 3}]}}, "load.events[0].factor")
    3
    """
    for part in _parts(path):
        listed = isinstance(values, (list, tuple)) and isinstance(part, int) and part < len(values)
        if not listed and not (isinstance(values, Mapping) and part in values):
            return None
        values = values[part]  # type: ignore[index]
    return values


def with_values(values: Any, moved: Mapping[str, Any]) -> Any:
    """Put values in their places.

    Parameters
    ----------
    values : object
        Nested plain values.
    moved : mapping of str to object
        Values by dotted path; a mapping on the way that is not there, or is null, is made.

    Returns
    -------
    object
        A copy in which they stand.

    Examples
    --------
    >>> with_values({"load": {"events": [{"factor": 3}]}}, {"load.events[0].factor": 5, "behavior.low_factor": 0.8})
    {'load': {'events': [{'factor': 5}]}, 'behavior': {'low_factor': 0.8}}
    """
    copy = _copied(values)
    for path, value in moved.items():
        *way, last = _parts(path)
        place = copy
        for part in way:
            if isinstance(place, dict) and place.get(part) is None:
                place[part] = {}
            place = place[part]
        place[last] = value
    return copy


def _copied(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {key: _copied(value) for key, value in values.items()}
    return [_copied(value) for value in values] if isinstance(values, (list, tuple)) else values


def _parts(path: str) -> list[str | int]:
    return [int(found[1:-1]) if found.startswith("[") else found for found in re.findall(r"[^.\[\]]+|\[[0-9]+\]", path)]


@dataclass(frozen=True)
class Known:
    """What is known of a section, for a message about one of its fields.

    Parameters
    ----------
    names : tuple of str
        Fields that it allows.
    meanings : mapping of str to str
        What they mean.
    defaults : mapping of str to object
        Their values if they are not given; those that must be given are not in it.
    """

    names: tuple[str, ...]
    meanings: Mapping[str, str]
    defaults: Mapping[str, Any]


def sentence_of(
    error: ValidationError, known_of: Callable[[list[str]], Known], kinds: Mapping[str, Collection[str]]
) -> str:
    """Say the first thing that is wrong: the field with its path, its value, what is allowed, what to do.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    known_of : callable
        From the path of a section to what is known of it.
    kinds : mapping of str to collection of str
        Kinds of a section of several kinds, by the name of the field that says which one it is.

    Returns
    -------
    str
        One sentence of ours: none of pydantic's words.
    """
    unknown = {"extra_forbidden", "unexpected_keyword_argument"}
    # A misspelt field is two errors, one unknown and one missing: the first says more.
    first = next((e for e in error.errors() if e["type"] in unknown), error.errors()[0])
    path = [str(part) for part in first["loc"] if part != "[key]"]
    place = _place(first["loc"])
    cause = (first.get("ctx") or {}).get("error")
    if isinstance(cause, InvalidScenario):
        return with_path(place, str(cause), known_of(path).names)
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "invalid_key" or first["loc"][-1] == "[key]":
        # The names of a mapping such as the environment are free, those of a section are not.
        names = "" if first["loc"][-1] == "[key]" else f", or take one of {', '.join(known_of(path[:-1]).names)}"
        inside = _place(first["loc"][: len(path) - 1]) or "the document"
        return f"{inside} has the name {path[-1]}, which is no text; put quotes around it{names}.{more}"
    section = known_of(path[:-1])
    name, value = path[-1], first["input"]
    if first["type"] in unknown:
        return (
            f"{shown(place)[1:-1]} is not a field; allowed are {', '.join(section.names)}."
            f"{_meant(name, section.names)}{more}"
        )
    meaning = f" It is: {section.meanings[name]}" if section.meanings.get(name) else ""
    if first["type"] in {"missing", "missing_argument"}:
        return f"{place} is missing.{meaning} Give it; `estimator init` writes a commented scenario.{more}"
    context = first.get("ctx") or {}
    if first["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return f"{_of_no_kind(place, value, context, kinds)}{more}"
    allowed = _allowed(first["type"], context, known_of(path).names)
    if value is None:
        return f"{place} is null; {allowed}.{_without_null(section.defaults, name)}{more}"
    if first["type"] == "string_type" and not isinstance(value, (Mapping, list, tuple)):
        allowed += "; put quotes around it"
    words = re.findall("'([^']*)'", allowed) if first["type"] == "literal_error" else ()
    return f"{place} is {shown(value)}; {allowed}.{_meant(value, words) or _default_or(section.defaults, name, meaning)}{more}"


def with_path(place: str, message: str, names: Collection[str] = ()) -> str:
    """Put a field's path before a message that begins with the field's name.

    Parameters
    ----------
    place : str
        Path of the section, or of the field itself.
    message : str
        What is wrong.
    names : collection of str
        Fields of the section.

    Returns
    -------
    str
        The message.

    Examples
    --------
    >>> with_path("service.scaling[0]", "threshold is 101; it must be a number from 0 to 100.", ["threshold"])
    'service.scaling[0].threshold is 101; it must be a number from 0 to 100.'
    >>> with_path("prices.as_of", "as_of is 5; it must be a day.")
    'prices.as_of is 5; it must be a day.'
    >>> with_path("service", "No task of it can run.", ["threshold"])
    'service: No task of it can run.'
    """
    begin = re.match("[a-z][a-z0-9_]*", message)
    head = begin[0] if begin else ""
    if head and head == re.sub(r"\[\d+\]$", "", place).rpartition(".")[2]:
        return f"{place}{message[len(head) :]}"
    return f"{place}.{message}" if head in names else f"{place}: {message}"


def _place(parts: tuple[int | str, ...]) -> str:
    """Write a path as a reader does, such as ``service.scaling[0].threshold``."""
    place = ""
    for i, part in enumerate(parts):
        # pydantic names the kind of load and of policy as if it were a section.
        is_kind = (i == 1 and parts[0] == "load") or (i == 3 and parts[1] == "scaling")
        if isinstance(part, int):
            place += f"[{part}]"
        elif part != "[key]" and not is_kind:
            place += f".{part}" if place else part
    return place


def _of_no_kind(place: str, value: object, context: Mapping[str, Any], kinds: Mapping[str, Collection[str]]) -> str:
    """Say that a section of several kinds is of none of them."""
    name = str(context["discriminator"]).strip("'")
    known = [shown(kind) for kind in kinds[name]]
    given: Mapping[object, object] = value if isinstance(value, Mapping) else {}
    if name in given:
        kind = given[name]
        return f"{place}.{name} is {_text(kind)}; it must be one of {', '.join(known)}.{_meant(kind, kinds[name])}"
    close = next((str(key) for key in given if _meant(key, [name])), "")
    return (
        f"{place} has no {name}{f', but {shown(close)}' if close else ''}; give it {name}: one of {', '.join(known)}."
    )


_WHOLE = "it must be a whole number"
_NUMBER = "it must be a number"
_DAY = "it must be a day that exists, such as 2026-01-31"
_LIST = "it must be a list: [a, b], or one entry on each line after `- `"
#: What is allowed, by what pydantic calls the problem.
_ALLOWED = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": f"{_WHOLE}, of fewer digits",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": f"{_NUMBER}, and finite",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "string_type": "it must be text",
    "string_unicode": "it must be text in UTF-8",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": "it must be a mapping of names to values, `name: value`",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}


def _allowed(problem: str, context: Mapping[str, Any], names: Collection[str]) -> str:
    """Say what is allowed, the middle of a sentence."""
    if problem in _ALLOWED:
        return _ALLOWED[problem]
    if problem == "literal_error":
        return f"it must be {context['expected']}"
    if problem == "string_pattern_mismatch":
        return f"it must fit the pattern {context['pattern']}"
    if problem == "too_long":
        return f"it must have at most {context['max_length']} entries"
    if problem in {"model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"}:
        return f"it must be a mapping, `name: value`, with {', '.join(names)}"
    return "it cannot be read; `estimator schema` says what is allowed"


def _text(value: object) -> str:
    return "null" if value is None else shown(value)


def _default_or(defaults: Mapping[str, Any], name: str, meaning: str) -> str:
    """Say the default, or what the field means."""
    default = defaults.get(name)
    if isinstance(default, (int, float, str)):
        return f" Its default is {str(default).lower() if isinstance(default, bool) else default}."
    return meaning


def _without_null(defaults: Mapping[str, Any], name: str) -> str:
    """Say what to do in place of writing null."""
    return " Leave the field out for its default." if name in defaults else " Give a value, or remove the entry."


def _meant(name: object, names: Collection[str]) -> str:
    """Ask for the name that is meant; AWS's own spelling, such as ``TargetValue``, is as near as a slip of the pen."""
    plain = {re.sub("[^a-z0-9]", "", known.lower()): known for known in names}
    given = re.sub("[^a-z0-9]", "", str(name)[:80].lower())
    close = difflib.get_close_matches(given, plain, n=1)
    if not close and len(given) > 2:
        # A word of one name alone, such as the base of fargate_base.
        close = [known for known in plain if given in known]
    return f" Did you mean {plain[close[0]]}?" if len(close) == 1 else ""
