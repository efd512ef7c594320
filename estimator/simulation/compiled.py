"""The time loop compiled by numba, cached on disk, and the word that is given before the first compilation ever."""

from __future__ import annotations

import hashlib
import os
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from estimator.service import scaling
from estimator.simulation import kernel

# The functions that the loop calls by name.
_CALLED = (*(policy.decide for policy in scaling.POLICIES.values()), kernel.overlap)


@cache
def compiled_run() -> Callable[..., None]:
    """Return the compiled time loop; the first call on a machine compiles it and says so.

    Returns
    -------
    callable
        Takes what `estimator.simulation.kernel.run` takes, and releases the GIL.

    Notes
    -----
    The cache folder carries a digest of the sources: numba itself only notices a change of the file that holds the
    outermost function. Where no folder can be written the loop is compiled without a cache.
    """
    folder = cache_folder()
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    import numba

    if folder is not None:
        setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010 - numba does not declare it
    if folder is None or not any(folder.rglob("*.nbc")):
        where = "for this run only: no cache folder can be written" if folder is None else "once; later runs reuse it"
        print(f"Compiling the simulation ({where}), some 10 seconds ...", file=sys.stderr, flush=True)
    names: dict[str, Any] = {}
    for function in _CALLED:
        names[function.__name__] = numba.njit(nogil=True)(function)
    loop: Callable[..., None] = numba.njit(nogil=True, cache=folder is not None)(_with_names(kernel.run, names))
    return loop


def cache_folder() -> Path | None:
    """Find or make the folder for compiled code.

    Returns
    -------
    pathlib.Path or None
        None if no folder can be written.
    """
    import platformdirs

    digest = hashlib.sha256()
    for module in (kernel, scaling):
        digest.update(Path(str(module.__file__)).read_bytes())
    folder = Path(platformdirs.user_cache_dir("fargate-estimator")) / "compiled" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _with_names(function: Callable[..., Any], names: dict[str, Any]) -> Callable[..., Any]:
    """Copy a function so that the names it calls are the compiled ones."""
    assert isinstance(function, types.FunctionType)
    copy = types.FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)
    copy.__module__ = function.__module__
    copy.__qualname__ = function.__qualname__
    return copy
