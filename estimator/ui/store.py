"""What was computed, by its question: the oldest that nobody asks for goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Store(Generic[Value]):
    """Answers that all sessions share.

    Parameters
    ----------
    most : int
        How many are kept. [1]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return an answer.

        Parameters
        ----------
        key : hashable
            The question.

        Returns
        -------
        object or None
            The answer; None if it is not there.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep an answer.

        Parameters
        ----------
        key : hashable
            The question.
        value : object
            The answer.
        """
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
