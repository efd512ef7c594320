"""The process that asks AWS for prices or reads an uploaded file, so that it can be ended at any moment and cannot harm the server.

Notes
-----
It reads hundreds of megabytes of JSON, which would stop every other session of the server for as long. It writes lines of JSON: steps,
then what was done or why not. Killing it is safe: a region is written whole or not at all, and the lock on the folder goes with the process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

REFRESH, IMPORT = "refresh", "import"
#: An uploaded file may be made to be dear: what reading it may take. [B] and [s]
MEMORY_BYTES, CPU_S = 4 * 1024**3, 120


def main(arguments: Sequence[str]) -> None:
    """Do what is asked, and say how it went.

    Parameters
    ----------
    arguments : sequence of str
        ``refresh REGION SOURCE KEEP_OLDER``, or ``import FILE``.
    """
    from estimator.errors import EstimatorError

    verb, *rest = arguments
    try:
        done = _refresh(*rest) if verb == REFRESH else _import(*rest)
    except EstimatorError as error:
        _say({"error": str(error)})
    except MemoryError:
        _say({"error": f"It needs more than {MEMORY_BYTES / 1024**3:g} GiB of memory, which no price file does."})
    else:
        _say({"done": done})


def _refresh(region: str, source: str, keep_older: str) -> dict[str, Any]:
    from estimator.errors import PriceListUnreachable
    from estimator.pricing.refresh import refresh_prices

    done = refresh_prices(
        [region], source, keep_older=keep_older == str(True), progress=lambda step: _say({"step": asdict(step)})
    )
    return {
        "received_bytes": done.received_bytes,
        "regions": [outcome.to_dict() for outcome in done.outcomes],
        "unreachable": any(isinstance(outcome.error, PriceListUnreachable) for outcome in done.failed),
    }


def _import(path: str) -> dict[str, Any]:
    from estimator.pricing.folders import refreshed_folder
    from estimator.pricing.imports import import_file

    _limit()
    imported = import_file(Path(path), refreshed_folder())
    dates = sorted({rate.published for rates in imported.rates.values() for rate in rates if rate.published})
    return {
        "kind": imported.kind,
        "rates": {region: len(rates) for region, rates in imported.rates.items()},
        "published": [day.isoformat() for day in (dates[:1] + dates[-1:])],
    }


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S)):
        # A machine may allow less already, or may not know this limit.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _say(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
