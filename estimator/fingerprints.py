"""SHA-256 over plain values, equal in every process and for equal numbers."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def fingerprint_of(values: Any) -> str:
    """Return SHA-256 over canonical JSON: sorted keys, and every number as a float, since 720 and 720.0 are the same hours.

    Parameters
    ----------
    values : object
        Nested plain values.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint_of({"hours": 720}) == fingerprint_of({"hours": 720.0})
    True
    """
    return hashlib.sha256(json.dumps(_plain(values), sort_keys=True).encode()).hexdigest()


def _plain(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(key): _plain(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [_plain(value) for value in values]
    return float(values) if isinstance(values, int) and not isinstance(values, bool) else values
