"""A large JSON file parsed piece by piece: every byte is checked, and never more than a piece is in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

import msgspec

#: How much of a file is read at a time, and where in it a place to cut is looked for. [bytes]
WINDOW_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """A place at which a JSON file may be cut in two.

    Parameters
    ----------
    marker : re.Pattern
        The comma between two members, with so much of the second one as tells it apart.
    closing : bytes
        What closes the objects that are open there.
    reopening : callable
        From the piece before the cut, what opens the same objects again; None if others are open than expected.
    """

    marker: re.Pattern[bytes]
    closing: bytes
    reopening: Callable[[T], bytes | None]


def pieces(
    file: BinaryIO, shape: type[T], cuts: Sequence[Cut[T]], window_bytes: int = WINDOW_BYTES
) -> Iterator[tuple[T, bytes]]:
    """Parse a large JSON file piece by piece.

    Parameters
    ----------
    file : file
        Open to read bytes.
    shape : type
        What to make of each piece.
    cuts : sequence of Cut
        Where it may be cut; if nowhere, it is parsed as one piece.
    window_bytes : int
        How much to read at a time; -1 for the whole file. [bytes]

    Yields
    ------
    piece : object
        Each piece, as if it were the whole file.
    document : bytes
        Its text.

    Raises
    ------
    msgspec.DecodeError
        If the file is not JSON of that shape, wherever the fault is.

    Notes
    -----
    A marker is only a guess; the parser proves it. A piece is taken only if it is valid JSON once the objects open at
    the cut are closed: then the cut lies in no string, and exactly those objects are open. If the guess fails, more is
    read and the cut is looked for further on, in the end at the end of the file. So no text inside a description, and
    no order of members, can change what is read; it can only cost time.
    """
    decoder = msgspec.json.Decoder(shape)
    opening, text, size = b"", b"", window_bytes
    while True:
        more = file.read(size)
        text += more
        if size < 0 or len(more) < size:
            break
        size = len(text)
        for cut in cuts:
            place = cut.marker.search(text, max(0, len(text) - _TAIL_BYTES))
            if place is None:
                continue
            document = b"".join((opening, memoryview(text)[: place.start()], cut.closing))
            try:
                piece = decoder.decode(document)
            except msgspec.DecodeError:
                continue
            reopening = cut.reopening(piece)
            if reopening is not None:
                yield piece, document
                opening, text, size = reopening, text[place.start() + 1 :], window_bytes
                break
    document = opening + text
    yield decoder.decode(document), document
