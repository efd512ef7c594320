"""Text that a user wrote, read into plain values, and what is wrong with it in one sentence."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from estimator.checks import shown
from estimator.errors import InvalidScenario


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
        for value in values:
            refuse_truth_values(value, where, allowed, path)
    elif isinstance(values, bool) and path.rpartition(".")[2] not in allowed:
        raise InvalidScenario(
            f"{where}: {path} is {str(values).lower()}; it must not be a truth value. YAML reads yes, no, on and off as one: put text in quotes."
        )


def sentence_of(error: ValidationError, known_keys: Callable[[list[str]], list[str]]) -> str:
    """Say the first thing that is wrong: the field, its value, what is allowed.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    known_keys : callable
        From the path of a section to the names that it allows.

    Returns
    -------
    str
        One sentence.
    """
    unknown = {"extra_forbidden", "unexpected_keyword_argument"}
    # A misspelt field is two errors, one unknown and one missing: the first says more.
    first = next((e for e in error.errors() if e["type"] in unknown), error.errors()[0])
    path = [str(part) for part in first["loc"]]
    # pydantic names the kind of load as if it were a section.
    place = ".".join(part for i, part in enumerate(path) if not (i == 1 and path[0] == "load"))
    cause = (first.get("ctx") or {}).get("error")
    if isinstance(cause, InvalidScenario):
        return f"{place}: {cause}"
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] in unknown:
        known = known_keys(path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return f"{shown(place)[1:-1]} is not a field; allowed are {', '.join(known)}.{hint}{more}"
    if first["type"] in {"missing", "missing_argument", "union_tag_not_found"}:
        return f"{place} is missing: {first['msg']}. `estimator init` writes a commented scenario.{more}"
    return f"{place} is {shown(first['input'])}: {first['msg']}.{more}"
