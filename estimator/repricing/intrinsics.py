"""What CloudFormation's intrinsic functions give before anything is deployed: plain values where that is enough, else tokens.

Notes
-----
It follows AWS's pages of the functions [1]_. A resource is never asked for what only AWS knows: ``Ref`` and ``Fn::GetAtt`` of one give a token
that is equal wherever it is written, so that two resources which name a third one are tied. A condition that depends on such a value is
neither true nor false, and ``Fn::If`` of it is not resolved.

References
----------
.. [1] AWS, "Intrinsic function reference", CloudFormation Template Reference, read 2026.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from estimator.repricing.tokens import NO_VALUE, Text, Token, is_known, joined, plain_text, split_text, tokens_in

#: A chain of references longer than this is one that leads back to itself. [1]
_MAX_CHAIN = 60
_PSEUDO_SUFFIX = {"cn": "amazonaws.com.cn"}
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")


class Stacks(Protocol):
    """What a stack asks of those beside it."""

    def imported(self, name: Any) -> Any:
        """Look up an export by its name.

        Parameters
        ----------
        name : str, Token or Text
            The name.

        Returns
        -------
        object
            Its value; a token if none of the stacks exports it.
        """

    def output_of(self, stack: str, logical_id: str, output: str) -> Any:
        """Look up an output of a nested stack.

        Parameters
        ----------
        stack : str
            The stack that nests it.
        logical_id : str
            Its logical id there.
        output : str
            Name of the output.

        Returns
        -------
        object
            Its value; a token if its template does not lie beside.
        """


@dataclass(eq=False)
class Resolver:
    """The intrinsic functions in one stack.

    Parameters
    ----------
    stack : str
        Name of the stack.
    template : mapping
        Its template.
    region : str
        Region code.
    parameters : mapping of str to callable
        What gives the values of its parameters; one without a value is not there.
    stacks : Stacks
        The stacks beside it.
    stack_name : str
        What ``AWS::StackName`` gives; empty if it is not known.
    """

    stack: str
    template: Mapping[str, Any]
    region: str
    parameters: Mapping[str, Callable[[], Any]]
    stacks: Stacks
    stack_name: str = ""
    _conditions: dict[str, bool | None] = field(default_factory=dict)
    _undecided: dict[str, tuple[Token, ...]] = field(default_factory=dict)
    _depth: int = 0

    def resolve(self, value: Any) -> Any:
        """Resolve the functions in a value.

        Parameters
        ----------
        value : object
            Nested plain values, as the template has them.

        Returns
        -------
        object
            The same with plain values, texts and tokens in the place of functions; what is ``AWS::NoValue`` is left out.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if isinstance(value, str):
            return self._dynamic(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name == "Condition" and isinstance(argument, str):
                return self._truth(self.condition(argument), value)
            if isinstance(name, str) and name.startswith("Fn::"):
                return self._call(name, argument)
        found = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not NO_VALUE}

    def condition(self, name: str) -> bool | None:
        """Decide a condition of the template.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        bool or None
            None if it depends on what is not known, or on itself.
        """
        if name not in self._conditions:
            self._conditions[name] = None  # one that asks for itself is never decided
            conditions = self.template.get("Conditions")
            if isinstance(conditions, dict) and name in conditions:
                self._conditions[name] = self.decide(conditions[name])
        return self._conditions[name]

    def decide(self, value: Any) -> bool | None:
        """Decide a condition that is written out.

        Parameters
        ----------
        value : object
            ``Fn::Equals``, ``Fn::And``, ``Fn::Or``, ``Fn::Not`` or ``Condition``.

        Returns
        -------
        bool or None
            None if it depends on what is not known.
        """
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict) or len(value) != 1:
            return None
        name, argument = next(iter(value.items()))
        if name == "Condition" and isinstance(argument, str):
            return self.condition(argument)
        parts = argument if isinstance(argument, list) else [argument]
        if name == "Fn::Equals" and len(parts) == 2:
            return _equal(self.resolve(parts[0]), self.resolve(parts[1]))
        if name not in {"Fn::And", "Fn::Or", "Fn::Not"}:
            return None
        each = [self.decide(part) for part in parts]
        if name == "Fn::Not":
            return None if len(each) != 1 or each[0] is None else not each[0]
        # One of them can be enough, whatever the unknown ones are.
        enough: bool = name == "Fn::Or"
        if enough in each:
            return enough
        return None if None in each else not enough

    def undecided_by(self, value: Any) -> tuple[Token, ...]:
        """List what a condition that is not decided depends on.

        Parameters
        ----------
        value : object
            The condition written out, or ``{"Condition": name}``.

        Returns
        -------
        tuple of Token
            Parameters without a value and imports of elsewhere. Resources are not among them: what a condition asks for ties nothing.
        """
        if not isinstance(value, dict) or len(value) != 1:
            return ()
        name, argument = next(iter(value.items()))
        if name == "Condition" and isinstance(argument, str):
            conditions = self.template.get("Conditions")
            if argument not in self._undecided:
                self._undecided[argument] = ()  # one that asks for itself
                if isinstance(conditions, dict) and self.condition(argument) is None:
                    self._undecided[argument] = self.undecided_by(conditions.get(argument))
            return self._undecided[argument]
        parts = argument if isinstance(argument, list) else [argument]
        found: list[Token] = []
        if name == "Fn::Equals":
            found = [token for token in tokens_in(self.resolve(parts)) if token.kind in {"parameter", "import"}]
        elif name in {"Fn::And", "Fn::Or", "Fn::Not"}:
            found = [token for part in parts for token in self.undecided_by(part)]
        return tuple(dict.fromkeys(found))

    # The functions.

    def _call(self, name: str, argument: Any) -> Any:
        if self._depth > _MAX_CHAIN:
            return Token("unresolved", self.stack, f"{name} of itself")
        self._depth += 1
        try:
            call = _FUNCTIONS.get(name)
            found = _UNRESOLVED if call is None else call(self, argument)
            if found is not _UNRESOLVED:
                return found
            # The condition first: it is why nothing is known.
            of_if = name == "Fn::If" and isinstance(argument, list) and argument
            return self._unresolved(name, argument, self.undecided_by({"Condition": argument[0]}) if of_if else ())
        finally:
            self._depth -= 1

    def _unresolved(self, name: str, argument: Any, why: tuple[Token, ...] = ()) -> Token:
        """Keep a function that needs what is not known, with all that it mentions."""
        resolved = self.resolve(argument) if not isinstance(argument, str) else argument
        text = json.dumps(resolved, default=str, sort_keys=True)
        return Token("unresolved", self.stack, f"{name} {text}", "", tuple(dict.fromkeys([*why, *tokens_in(resolved)])))

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            return Token("unresolved", self.stack, f"Ref {name!r}"[:200])
        if name.startswith("AWS::"):
            return self._pseudo(name)
        if name in self.parameters:
            return self.parameters[name]()
        declared = self.template.get("Parameters")
        if isinstance(declared, dict) and name in declared:
            return Token("parameter", self.stack, name)
        return Token("resource", self.stack, name)

    def _pseudo(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        begin = self.region.partition("-")[0]
        known = {
            "AWS::Region": self.region,
            "AWS::Partition": {"cn": "aws-cn"}.get(begin, "aws-us-gov" if self.region.startswith("us-gov") else "aws"),
            "AWS::URLSuffix": _PSEUDO_SUFFIX.get(begin, "amazonaws.com"),
        }
        if self.stack_name:
            known["AWS::StackName"] = self.stack_name
        if name in known:
            return known[name]
        # The same in all stacks of an account; a stack's own name and id are not.
        return Token("pseudo", "" if name == "AWS::AccountId" else self.stack, name)

    def _dynamic(self, text: str) -> Any:
        """Take ``{{resolve:...}}`` for what only AWS knows."""
        if "{{resolve:" not in text:
            return text
        pieces: list[Any] = []
        end = 0
        for match in _DYNAMIC.finditer(text):
            pieces += [text[end : match.start()], Token("unresolved", "", match[0])]
            end = match.end()
        return joined([*pieces, text[end:]])

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
            return _UNRESOLVED
        name, attribute = parts[0], self.resolve(parts[1])
        if not isinstance(attribute, str):
            return _UNRESOLVED
        if attribute.startswith("Outputs."):
            return self.stacks.output_of(self.stack, name, attribute.removeprefix("Outputs."))
        return Token("resource", self.stack, name, attribute)

    def _sub(self, argument: Any) -> Any:
        text, own = (argument, {}) if isinstance(argument, str) else _pair(argument)
        if not isinstance(text, str) or not isinstance(own, dict):
            return _UNRESOLVED
        pieces: list[Any] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            pieces.append(text[end : match.start()])
            end = match.end()
            name = match[1].strip()
            if name.startswith("!"):
                pieces.append(f"${{{name[1:]}}}")
            elif name in own:
                pieces.append(self.resolve(own[name]))
            else:
                pieces.append(self._get_att(name) if "." in name else self._ref(name))
        pieces.append(text[end:])
        if any(isinstance(piece, list | dict) for piece in pieces):
            return _UNRESOLVED
        return joined([self._dynamic(piece) if isinstance(piece, str) else piece for piece in pieces])

    def _join(self, argument: Any) -> Any:
        delimiter, items = _pair(argument)
        items = self.resolve(items)
        if (
            not isinstance(delimiter, str)
            or not isinstance(items, list)
            or any(isinstance(i, list | dict) for i in items)
        ):
            return _UNRESOLVED
        return joined([part for place, item in enumerate(items) for part in ((delimiter, item) if place else (item,))])

    def _split(self, argument: Any) -> Any:
        delimiter, text = _pair(argument)
        text = self.resolve(text)
        if not isinstance(delimiter, str) or not delimiter:
            return _UNRESOLVED
        if isinstance(text, Text) and any(delimiter in part for part in text.parts if isinstance(part, str)):
            return split_text(text, delimiter)
        return text.split(delimiter) if isinstance(text, str) else _UNRESOLVED

    def _select(self, argument: Any) -> Any:
        index, items = _pair(argument)
        index, items = self.resolve(index), self.resolve(items)
        place = int(index) if isinstance(index, int | str) and re.fullmatch("[0-9]{1,4}", str(index)) else -1
        if isinstance(items, Token) and items.kind == "zones" and place >= 0:
            return Token("zones", "", items.name, str(place))
        return items[place] if isinstance(items, list) and 0 <= place < len(items) else _UNRESOLVED

    def _zones(self, argument: Any) -> Any:
        region = self.resolve(argument)
        return Token("zones", "", (region or self.region) if isinstance(region, str) else self.region)

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
            return _UNRESOLVED
        truth = self.condition(argument[0])
        return _UNRESOLVED if truth is None else self.resolve(argument[1 if truth else 2])

    def _find_in_map(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in {3, 4}:
            return _UNRESOLVED
        found: Any = self.template.get("Mappings")
        for part in argument[:3]:
            key = self.resolve(part)
            if not is_known(key) or isinstance(key, list | dict):
                return _UNRESOLVED
            found = found.get(key, found.get(plain_text(key))) if isinstance(found, dict) else None
        if found is None and len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
            return self.resolve(argument[3]["DefaultValue"])
        return _UNRESOLVED if found is None else found

    def _import(self, argument: Any) -> Any:
        name = self.resolve(argument)
        return self.stacks.imported(name) if isinstance(name, str | Token | Text) else _UNRESOLVED

    def _base64(self, argument: Any) -> Any:
        text = self.resolve(argument)
        return base64.b64encode(text.encode()).decode() if isinstance(text, str) else _UNRESOLVED

    def _length(self, argument: Any) -> Any:
        items = self.resolve(argument)
        return len(items) if isinstance(items, list) else _UNRESOLVED

    def _truth(self, truth: bool | None, value: Any) -> Any:
        if truth is None:
            name, argument = next(iter(value.items()))
            text = f"{name} {json.dumps(argument, default=str)}"
            return Token("unresolved", self.stack, text, "", self.undecided_by(value))
        return truth

    def _decided(self, name: str) -> Callable[[Any], Any]:
        def decided(argument: Any) -> Any:
            truth = self.decide({name: argument})
            return _UNRESOLVED if truth is None else truth

        return decided


_UNRESOLVED = object()
_FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Split": Resolver._split,
    "Fn::Select": Resolver._select,
    "Fn::GetAZs": Resolver._zones,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::ImportValue": Resolver._import,
    "Fn::Base64": Resolver._base64,
    "Fn::Length": Resolver._length,
    **{
        name: lambda resolver, argument, name=name: resolver._decided(name)(argument)  # type: ignore[misc]
        for name in ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")
    },
}


def _pair(argument: Any) -> tuple[Any, Any]:
    return (argument[0], argument[1]) if isinstance(argument, list) and len(argument) == 2 else (None, None)


def _equal(first: Any, second: Any) -> bool | None:
    """Compare as CloudFormation does, by their text; two of the same token are equal, whatever it is."""
    if isinstance(first, list | dict) or isinstance(second, list | dict):
        return first == second if is_known(first) and is_known(second) else None
    if is_known(first) and is_known(second):
        return plain_text(first) == plain_text(second)
    return True if first == second else None
