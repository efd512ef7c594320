"""The time loop compiled by numba, cached on disk, and the word that is given before a compilation."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from estimator.simulation import variants

_lock = threading.Lock()
_loops: dict[frozenset[str], variants.Loop] = {}


def compiled_run(used: frozenset[str] = variants.ALL) -> variants.Loop:
    """Return the compiled time loop with some features.

    Parameters
    ----------
    used : frozenset of str
        Names in `estimator.simulation.features.FEATURES`.

    Returns
    -------
    callable
        Takes what `estimator.simulation.kernel.run` takes, and releases the GIL. Its first call on a machine compiles it.

    Notes
    -----
    The cache folder carries a digest of the sources: numba itself only notices a change of the file that holds the
    outermost function. Where no folder can be written the loop is compiled without a cache.
    """
    with _lock:
        if used not in _loops:
            _loops[used] = _compile(used)
        return _loops[used]


def is_loaded(used: frozenset[str]) -> bool:
    """Say whether this process has the loop with exactly these features.

    Parameters
    ----------
    used : frozenset of str
        Features.

    Returns
    -------
    bool
        True if `compiled_run` takes no time.
    """
    return used in _loops


def cache_folder() -> Path | None:
    """Find or make the folder for compiled code.

    Returns
    -------
    pathlib.Path or None
        None if no folder can be written.
    """
    import platformdirs

    digest = hashlib.sha256()
    for module in variants.MODULES:
        digest.update(Path(str(module.__file__)).read_bytes())
    folder = Path(platformdirs.user_cache_dir("fargate-estimator")) / "compiled" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _compile(used: frozenset[str]) -> variants.Loop:
    folder = cache_folder()
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    import numba

    if folder is not None:
        setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010 - numba does not declare it
    if folder is None or not any(folder.rglob(f"*run_{variants.label(used)}-*.nbc")):
        where = "for this run only: no cache folder can be written" if folder is None else "once; later runs reuse it"
        print(f"Compiling the simulation ({where}), some 10 seconds ...", file=sys.stderr, flush=True)

    def finish(function: Callable[..., Any], is_loop: bool) -> Any:
        # The functions guard their divisions. They make no arrays, so no references are counted: each count costs as much as a step.
        options: dict[str, Any] = {
            "nogil": True,
            "error_model": "numpy",
            "cache": is_loop and folder is not None,
            "forceinline": function.__name__ in variants.EACH_STEP,
            "_nrt": False,
        }
        return numba.njit(**options)(function)

    return variants.build(used, finish)
