"""What a template says before it is deployed: plain values, and tokens for what only AWS will know, which can still be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Token:
    """A value that is known when the stack is deployed, and not before; two that mean the same are equal.

    Parameters
    ----------
    kind : str
        ``resource`` for what ``Ref`` and ``Fn::GetAtt`` give of one, ``parameter`` for one without a value, ``import`` for an export of
        none of the given stacks, ``pseudo`` such as ``AWS::AccountId``, ``zones`` of a region, and ``unresolved``.
    stack : str
        The stack in which it stands; empty where it is the same in all.
    name : str
        Logical id of the resource, name of the parameter, or the expression.
    attribute : str
        Attribute of the resource, empty for ``Ref``; position of a zone.
    inside : tuple of Token
        Tokens of an expression that is not resolved.
    """

    kind: str
    stack: str = ""
    name: str = ""
    attribute: str = ""
    inside: tuple[Token, ...] = ()

    def __str__(self) -> str:
        # Of an expression the function alone: a reader has the template.
        name = self.name.partition(" ")[0] if self.kind == "unresolved" else self.name
        return f"${{{name}{f'.{self.attribute}' if self.attribute else ''}}}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with tokens in it, such as ``service/${Cluster}/${Web.Name}``.

    Parameters
    ----------
    parts : tuple of (str or Token)
        Its parts in their order; no two texts beside each other, none of them empty.
    """

    parts: tuple[str | Token, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


class _NoValue:
    """What ``AWS::NoValue`` stands for: the property is not there."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()


def joined(parts: list[Any]) -> Any:
    """Put texts and tokens behind each other.

    Parameters
    ----------
    parts : list of object
        Plain values, texts and tokens.

    Returns
    -------
    str, Token or Text
        A plain text if nothing is unknown.

    Examples
    --------
    >>> str(joined(["service/", Token("resource", "app", "Cluster"), "/", 5]))
    'service/${Cluster}/5'
    """
    flat: list[str | Token] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if isinstance(piece, Token):
                flat.append(piece)
                continue
            text = plain_text(piece)
            if flat and isinstance(flat[-1], str):
                flat[-1] += text
            elif text:
                flat.append(text)
    if not any(isinstance(piece, Token) for piece in flat):
        return "".join(map(str, flat))
    return flat[0] if len(flat) == 1 else Text(tuple(flat))


def split_text(text: str | Text, delimiter: str) -> list[Any]:
    """Split a text, as ``Fn::Split`` does, leaving tokens whole.

    Parameters
    ----------
    text : str or Text
        The text.
    delimiter : str
        What stands between its parts.

    Returns
    -------
    list of (str, Token or Text)
        The parts.

    Examples
    --------
    >>> split_text(Text(("a,", Token("resource", "app", "Subnet"))), ",")[0]
    'a'
    """
    if isinstance(text, str):
        return text.split(delimiter)
    found: list[list[Any]] = [[]]
    for part in text.parts:
        pieces = part.split(delimiter) if isinstance(part, str) else [part]
        found[-1].append(pieces[0])
        found += [[piece] for piece in pieces[1:]]
    return [joined(pieces) for pieces in found]


def plain_text(value: Any) -> str:
    """Write a plain value as CloudFormation compares and joins it.

    Parameters
    ----------
    value : object
        A text, number or truth value.

    Returns
    -------
    str
        Numbers as short as they are, truth values as JSON has them.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def tokens_in(value: Any) -> Iterator[Token]:
    """List the tokens in a value, those of expressions among them.

    Parameters
    ----------
    value : object
        Plain values, texts, tokens, and lists and mappings of these.

    Yields
    ------
    Token
        In their order.
    """
    if isinstance(value, Token):
        yield value
        for inner in value.inside:
            yield from tokens_in(inner)
    elif isinstance(value, Text):
        for part in value.parts:
            yield from tokens_in(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from tokens_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from tokens_in(part)


def is_known(value: Any) -> bool:
    """Say whether a value holds no token.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    bool
        True if it can be read as it is.
    """
    return next(tokens_in(value), None) is None
