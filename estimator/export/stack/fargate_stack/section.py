"""One JSON object of ``stack_config.json``, read key by key; a refusal is one sentence with the key, its value and what is allowed."""

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

_T = TypeVar("_T")
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_.-]*"


class ConfigError(ValueError):
    """A ``stack_config.json`` that no stack can be built from; the message is one sentence for its author."""


class Section:
    """One JSON object of the document.

    Each method reads the value of one key, and raises ConfigError, which names the key, if the value is not allowed.

    Parameters
    ----------
    path : str
        Where it stands in the document, such as ``service`` or ``scaling[0]``.
    value : object
        What the JSON text holds there.
    keys : str or None
        The keys that it has to have, no more and no fewer, between blanks. None to take any.

    Raises
    ------
    ConfigError
        If it is no JSON object, or a key is missing or unknown.
    """

    def __init__(self, path: str, value: object, keys: str | None = None) -> None:
        if not isinstance(value, dict):
            raise ConfigError(f"{path or 'stack_config.json'} is {value!r}: a JSON object is needed.")
        self.path = path
        self._values: dict[str, Any] = value
        if keys is not None:
            self.check_keys(keys)

    def check_keys(self, keys: str) -> None:
        """Refuse a missing or an unknown key."""
        known = keys.split()
        for key in known:
            if key not in self._values:
                raise ConfigError(f"{self.name(key)} is missing; this part needs {', '.join(known)}.")
        for key, found in self._values.items():
            if key not in known:
                raise ConfigError(f"{self.name(key)} is {found!r}, but is no known key: {', '.join(known)}.")

    def name(self, key: str) -> str:
        """Name a key by its place in the document."""
        return f"{self.path}.{key}" if self.path else key

    def refusal(self, key: str, found: object, needed: str) -> ConfigError:
        """Make the error that says what was found and what is needed."""
        return ConfigError(f"{self.name(key)} is {found!r}: {needed}.")

    def section(self, key: str, keys: str | None = None) -> "Section":
        """Read an object."""
        return Section(self.name(key), self._values[key], keys)

    def optional_section(self, key: str, keys: str | None = None) -> "Section | None":
        """Read an object or null."""
        return None if self._values[key] is None else self.section(key, keys)

    def sections(self, key: str, low: int, high: int, keys: str | None = None) -> "tuple[Section, ...]":
        """Read a list of `low` to `high` objects."""
        found, needed = self._values[key], f"a list of {low} to {high} JSON objects is needed"
        if not isinstance(found, list):
            raise self.refusal(key, found, needed)
        if not low <= len(found) <= high:
            raise ConfigError(f"{self.name(key)} has {len(found)} entries: {needed}.")
        return tuple(Section(f"{self.name(key)}[{number}]", value, keys) for number, value in enumerate(found))

    def integer(self, key: str, low: int, high: int) -> int:
        """Read a whole number."""
        found = self._values[key]
        if type(found) is not int or not low <= found <= high:  # bool is an int too
            raise self.refusal(key, found, f"a whole number from {low} to {high} is needed")
        return found

    def optional_integer(self, key: str, low: int, high: int) -> int | None:
        """Read a whole number or null."""
        return None if self._values[key] is None else self.integer(key, low, high)

    def number(self, key: str, high: float, *, zero: bool = False) -> float:
        """Read a finite number above 0, or from 0, that is at most `high`."""
        found = self._values[key]
        if not _is_number(found) or not 0 <= found <= high or (found == 0 and not zero):
            least = "from 0" if zero else "above 0"
            most = f" and at most {high}" if math.isfinite(high) else ""
            raise self.refusal(key, found, f"a number {least}{most} is needed")
        return float(found)

    def optional_number(self, key: str) -> float | None:
        """Read any finite number, or null."""
        found = self._values[key]
        if found is not None and not _is_number(found):
            raise self.refusal(key, found, "a number or null is needed")
        return None if found is None else float(found)

    def boolean(self, key: str) -> bool:
        """Read true or false."""
        return self.choice(key, (False, True))

    def choice(self, key: str, allowed: tuple[_T, ...]) -> _T:
        """Read one of a few values."""
        if key not in self._values:
            raise ConfigError(f"{self.name(key)} is missing.")
        found = self._values[key]
        for value in allowed:
            if type(found) is type(value) and found == value:  # in Python True == 1
                return value
        words = ", ".join(json.dumps(value) for value in allowed)
        raise self.refusal(key, found, f"{words} is needed" if len(allowed) == 1 else f"one of {words} is needed")

    def text(self, key: str, pattern: str, needed: str) -> str:
        """Read a text that fits a pattern."""
        found = self._values[key]
        if not isinstance(found, str) or not re.fullmatch(pattern, found):
            raise self.refusal(key, found, needed)
        return found

    def optional_text(self, key: str, pattern: str, needed: str) -> str | None:
        """Read a text that fits a pattern, or null."""
        return None if self._values[key] is None else self.text(key, pattern, needed)

    def date(self, key: str) -> str:
        """Read a date as YYYY-MM-DD."""
        found = self.text(key, r"\d{4}-\d{2}-\d{2}", "a date such as '2026-06-19' is needed")
        try:
            date.fromisoformat(found)
        except ValueError:
            raise self.refusal(key, found, "a date of the calendar is needed") from None
        return found

    def names(self, key: str, pattern: str, needed: str) -> tuple[str, ...]:
        """Read a list of different names that fit a pattern."""
        found = self._values[key]
        if (
            not isinstance(found, list)
            or not all(isinstance(name, str) and re.fullmatch(pattern, name) for name in found)
            or len(set(found)) != len(found)
        ):
            raise self.refusal(key, found, needed)
        return tuple(found)

    def optional_texts(self, key: str, needed: str) -> tuple[str, ...] | None:
        """Read a list of any texts, or null."""
        found = self._values[key]
        if found is not None and not (isinstance(found, list) and all(isinstance(text, str) for text in found)):
            raise self.refusal(key, found, needed)
        return None if found is None else tuple(found)

    def variables(self, key: str, pattern: str, needed: str) -> Mapping[str, str]:
        """Read environment variables whose values fit a pattern."""
        values = self.section(key)
        for name in values._values:
            if not re.fullmatch(_VARIABLE, name):
                raise self.refusal(key, name, "a name of letters, digits and underscores is needed")
            values.text(name, pattern, needed)
        return MappingProxyType(dict(sorted(values._values.items())))


def _is_number(found: object) -> bool:
    return type(found) in (int, float) and math.isfinite(found)  # type: ignore[arg-type]
