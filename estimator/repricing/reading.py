"""What is read from templates: facts with where they stand, and all that is not known, assumed or not priced, said in the open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from estimator.repricing.stacks import Resource, World
from estimator.repricing.tokens import is_known, tokens_in

#: Kinds of what a reader should know besides the facts, and what each means in a table.
NOT_PRICED, NOT_KNOWN, ASSUMED = "not priced", "not known", "assumed"
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the template says of the service.

    Parameters
    ----------
    name : str
        Path of the field of the scenario that it decides, such as ``service.cpu_units``.
    value : object
        Its value.
    sources : tuple of str
        Logical ids of the resources that it was read from; none where it is what AWS does without a word.
    scenario_value : object
        What the scenario's own section has; None if it has none.
    differs : bool
        True if the scenario's own section says something else.
    """

    name: str
    value: Any
    sources: tuple[str, ...]
    scenario_value: Any = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that was not understood, or taken for granted.

    Parameters
    ----------
    kind : str
        ``not priced``, ``not known`` or ``assumed``.
    subject : str
        What it is about: logical ids, or a field of the scenario.
    text : str
        What it is, in a sentence.
    """

    kind: str
    subject: str
    text: str


@dataclass(eq=False)
class Reading:
    """What was read so far.

    Parameters
    ----------
    world : World
        The resources.
    scenario : mapping
        What the scenario itself says, as plain values by section.
    """

    world: World
    scenario: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, tuple[Any, tuple[str, ...]]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    #: Fields that the template leaves to the scenario, and why.
    left: dict[str, str] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def say(self, name: str, value: Any, *resources: Resource | None) -> None:
        """Take down a fact.

        Parameters
        ----------
        name : str
            Path of the scenario's field.
        value : object
            Its value.
        *resources : Resource or None
            What it was read from.
        """
        ids = dict.fromkeys(resource.logical_id for resource in resources if resource is not None)
        self.facts[name] = value, tuple(ids)
        self.use(*resources)

    def own(self, name: str) -> Any:
        """Look up what the scenario's own section says.

        Parameters
        ----------
        name : str
            Path of the scenario's field.

        Returns
        -------
        object
            Its value; None if it has none.
        """
        found: Any = self.scenario
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def use(self, *resources: Resource | None) -> None:
        """Mark resources as understood.

        Parameters
        ----------
        *resources : Resource or None
            The resources.
        """
        self.used |= {resource.token for resource in resources if resource is not None}

    def leave(self, name: str, why: str) -> None:
        """Leave a field to the scenario.

        Parameters
        ----------
        name : str
            Path of the scenario's field.
        why : str
            Why the template does not say it, without full stop.
        """
        self.left.setdefault(name, why)

    def note(self, kind: str, subject: Resource | Iterable[Resource] | str, text: str) -> None:
        """Take down what is not understood.

        Parameters
        ----------
        kind : str
            ``not priced``, ``not known`` or ``assumed``.
        subject : Resource, iterable of Resource or str
            What it is about.
        text : str
            A sentence.
        """
        if isinstance(subject, Resource):
            subject = [subject]
        about = subject if isinstance(subject, str) else ", ".join(each.logical_id for each in subject)
        # A value of the template may have lines; a sentence has one.
        gap = Gap(kind, " ".join(about.split()), " ".join(text.split()))
        if gap not in self.gaps:
            self.gaps.append(gap)

    def read(self, name: str, resource: Resource, path: str, default: Any = None, *others: Resource) -> Any:
        """Read a property that decides a field as it stands there.

        Parameters
        ----------
        name : str
            Path of the scenario's field.
        resource : Resource
            The resource.
        path : str
            Path of the property.
        default : object
            What AWS takes where the property is missing.
        *others : Resource
            What led there.

        Returns
        -------
        object
            The value; None if it is not known, and the field is left to the scenario.
        """
        value = resource.get(path)
        if value is None:
            self.say(name, default)
            self.use(resource)
            return default
        if not is_known(value):
            self.use(resource)
            self.leave(name, why_unknown(f"{resource.logical_id}.{path}", value))
            return None
        if isinstance(default, bool):
            value = truth(value)
        elif isinstance(default, int | float):
            number = number_of(value)
            if number is None:
                self.leave(name, f"{resource.logical_id}.{path} is {str(value)[:60]!r}, which is no number")
                return None
            value = number
        else:
            value = str(value)
        self.say(name, value, resource, *others)
        return value


def number_of(value: Any) -> int | float | None:
    """Read a number, which a template may write as text.

    Parameters
    ----------
    value : object
        What stands in the template.

    Returns
    -------
    int, float or None
        A whole number as such; None if it is none.

    Examples
    --------
    >>> number_of("256"), number_of(0.5), number_of("many")
    (256, 0.5, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        if len(value) > 40 or not _NUMBER.fullmatch(value.strip()):
            return None
        value = float(value)
    if value != value or abs(value) > 1e15:
        return None
    return int(value) if value == int(value) else value


def truth(value: Any) -> bool:
    """Read a truth value, which a template may write as text.

    Parameters
    ----------
    value : object
        What stands in the template.

    Returns
    -------
    bool
        True for true and ``"true"``.
    """
    return value is True or str(value).strip().lower() == "true"


def pairs_of(entries: Iterable[Mapping[str, Any]], key: str = "Key", value: str = "Value") -> dict[str, Any]:
    """Read a list of keys and values, as attributes and settings are written.

    Parameters
    ----------
    entries : iterable of mapping
        The entries.
    key, value : str
        What the two are called in each.

    Returns
    -------
    dict
        Values by key.
    """
    return {entry[key]: entry.get(value) for entry in entries if isinstance(entry.get(key), str)}


def why_unknown(what: str, value: Any) -> str:
    """Say why a value is not known.

    Parameters
    ----------
    what : str
        What it is the value of.
    value : object
        A value with tokens.

    Returns
    -------
    str
        Half a sentence, such as ``Web.Cpu: the parameter Cpu has no value``.
    """
    for token in tokens_in(value):
        if token.kind == "parameter":
            return f"{what}: the parameter {token.name} has no value (give it with --parameter {token.name}=...)"
        if token.kind == "import":
            return f"{what}: none of the given stacks exports {token.name}"
    return f"{what}: it is known only when the stack is deployed"
