"""Numbers that a user gives: checked in one way, refused in one sentence."""

from __future__ import annotations

import math
import numbers
import stat
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from estimator.errors import ExportError, InvalidScenario

T = TypeVar("T")

#: A bound from here on is only there to catch mistakes, and comes second in a message.
MANY = 1e9


def require_number(
    name: str,
    value: Any,
    low: float,
    high: float = math.inf,
    *,
    whole: bool = False,
    above: bool = False,
    advice: str = "",
) -> None:
    """Raise unless a value is a finite number inside its bounds.

    Parameters
    ----------
    name : str
        What to call it.
    value : object
        The value; numpy's numbers are numbers, truth values are not.
    low, high : float
        Bounds, both allowed.
    whole : bool
        True if only whole numbers are allowed.
    above : bool
        True if the lower bound itself is not allowed.
    advice : str
        What to say besides.

    Raises
    ------
    InvalidScenario
        Naming the value and what is allowed.
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    # Comparisons, unlike a conversion to float, hold for whole numbers of any size; those with nan are false.
    inside = number and (low < value if above else low <= value) and value <= high and value != math.inf
    if inside and not (whole and value != int(value)):
        return
    kind = "a whole number" if whole else "a number"
    if high >= MANY:
        bounds = f"of more than {low:g}" if above else f"of {low:g} or more"
        bounds += "" if high == math.inf else f", and at most {high:g}"
    else:
        bounds = f"{'above' if above else 'from'} {low:.12g} to {high:.12g}"
    raise InvalidScenario(f"{name} is {shown(value)}; it must be {kind} {bounds}.{f' {advice}' if advice else ''}")


def require_in_range(record: Any) -> None:
    """Raise unless every field that states its bounds keeps them.

    Parameters
    ----------
    record : dataclass instance
        Fields may carry ``low`` and ``high`` in their metadata, and ``whole`` or ``above``; None is allowed where it is the default.

    Raises
    ------
    InvalidScenario
        Naming the field, its value and what is allowed.
    """
    for item in fields(record):
        value = getattr(record, item.name)
        if "low" not in item.metadata or (value is None and item.default is None):
            continue
        require_number(item.name, value, **item.metadata)


def by_ending(path: Path, choices: Mapping[str, T], what: str) -> T:
    """Choose by the ending of a file's name.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    choices : mapping of str to object
        What there is for each ending, such as ``.csv``.
    what : str
        What is to be written, such as ``a bill is``.

    Returns
    -------
    object
        The choice.

    Raises
    ------
    ExportError
        If there is none for that ending.

    Examples
    --------
    >>> by_ending(Path("bill.MD"), {".md": "Markdown"}, "a bill is")
    'Markdown'
    """
    found = choices.get(path.suffix.lower())
    if found is None:
        ending = f"ends in {shown(path.suffix)}" if path.suffix else "has no ending"
        raise ExportError(
            f"{path} {ending}; {what} written to a file that ends in one of {', '.join(choices)}. Name it so."
        )
    return found


def shown(value: object, most: int = 80) -> str:
    """Write a value for a message, cut where it is long.

    Parameters
    ----------
    value : object
        The value.
    most : int
        Characters at the most.

    Returns
    -------
    str
        Its ``repr``, of a number plain.
    """
    try:
        text = f"{value:g}" if isinstance(value, float) else repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        text = "a number of thousands of digits"
    return text if len(text) <= most else f"{text[:most]}..."


def read_text(path: Path, what: str, most_bytes: int, too_large: str, otherwise: str = "") -> str:
    """Read a text file that the user named.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    what : str
        What it is, such as ``"prices file"``.
    most_bytes : int
        Size above which it is a mistake. [bytes]
    too_large : str
        What to say of a larger one.
    otherwise : str
        What else to do where it cannot be read.

    Returns
    -------
    str
        Its text, without a byte order mark.

    Raises
    ------
    InvalidScenario
        If it cannot be read, is too large or no UTF-8 text.
    """
    try:
        if path.is_dir():
            raise InvalidScenario(f"The {what} {path} cannot be read: it is a folder. Name a file in it.")
        mode = path.stat().st_mode
        # What a shell hands over, as in <(command), has somebody who writes it; a pipe with a name of its own may wait for ever.
        handed_over = stat.S_ISFIFO(mode) and path.parts[:2] in {("/", "dev"), ("/", "proc")}
        if not (stat.S_ISREG(mode) or handed_over):
            raise InvalidScenario(
                f"The {what} {path} cannot be read: it is a device or a pipe. Write what it gives to a file."
            )
        # A size that is said beforehand need not be that of what comes.
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise InvalidScenario(f"{path} is larger than {most_bytes // 1_000_000} MB. {too_large}")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise InvalidScenario(
            f"The {what} {path} cannot be read: {error.strerror}. Check the path{otherwise}."
        ) from None
    except UnicodeDecodeError:
        raise InvalidScenario(f"The {what} {path} is not UTF-8 text. Save it in UTF-8.") from None
    except InvalidScenario:
        raise
    except ValueError:  # a path that no file can have
        raise InvalidScenario(f"The {what} {shown(str(path))} cannot be read. Check the path{otherwise}.") from None
