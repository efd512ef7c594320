"""The time loop compiled by numba, cached on disk, and the word that is given before a compilation."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from estimator.simulation import kernel, variants

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
    The cache folder carries a digest of all that is compiled: numba itself only notices a change of the file that holds the
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

    # What this process has loaded, which the files may no longer say.
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for function in (*variants.CALLED, kernel.run):
        digest.update(marshal.dumps(function.__code__))
    for module in variants.MODULES:
        digest.update(
            repr(sorted((k, v) for k, v in vars(module).items() if isinstance(v, (int, float, tuple)))).encode()
        )
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

    shared = variants.shared(used)

    def finish(function: Callable[..., Any], is_loop: bool) -> Any:
        # The functions guard their divisions. They make no arrays, so no references are counted: each count costs as much as a step.
        options: dict[str, Any] = {
            "nogil": True,
            "error_model": "numpy",
            "cache": is_loop and folder is not None,
            "inline": "never" if is_loop or function.__name__ in shared else "always",
            "no_cpython_wrapper": not is_loop,  # only the loop is called from outside
            "no_cfunc_wrapper": True,
            "_nrt": False,
        }
        return numba.njit(**options)(function)

    return variants.build(used, finish)
