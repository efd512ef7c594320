"""What a reader does with a line's working: leave the words out and calculate."""

import re

#: A number with commas by thousands, as it must be written; what is an operation; any other digit is an error.
_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})*(?:\.\d+)?|[×÷+−()]")


def calculated(working: str) -> float:
    """Calculate what stands behind the last semicolon; raise where that is no arithmetic."""
    tokens = _TOKEN.findall(working.rsplit("; ", 1)[-1])
    value, rest = _sum(tokens)
    assert not rest, f"{rest} is left of {working}"
    return value


def operations(working: str) -> int:
    """Count the operations, those of what only explains among them."""
    return len(re.findall(r"[×÷+−]", working))


def _sum(tokens: list[str]) -> tuple[float, list[str]]:
    value, rest = _product(tokens)
    while rest and rest[0] in "+−":
        other, after = _product(rest[1:])
        value, rest = (value + other if rest[0] == "+" else value - other), after
    return value, rest


def _product(tokens: list[str]) -> tuple[float, list[str]]:
    value, rest = _number(tokens)
    while rest and rest[0] in "×÷":
        other, after = _number(rest[1:])
        value, rest = (value * other if rest[0] == "×" else value / other), after
    return value, rest


def _number(tokens: list[str]) -> tuple[float, list[str]]:
    if tokens[0] == "(":
        value, rest = _sum(tokens[1:])
        assert rest[0] == ")"
        return value, rest[1:]
    return float(tokens[0].replace(",", "")), tokens[1:]
