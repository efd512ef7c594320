"""Results of services in a folder, one JSON file for each, to go on where a run ended: FleetStore(folder)."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from estimator.errors import ExportError
from estimator.files import write_whole
from estimator.fingerprints import fingerprint_of
from estimator.planning.fleet_result import ServiceResult

#: First entry of a file of ours, with the version of what follows.
FORMAT = "estimator fleet result, version 1"
#: A larger file is none of ours. [bytes]
MAX_FILE_BYTES = 100_000_000
#: Letters of a service's name, and digits of its fingerprint, in the name of a file. [1]
_NAME_LETTERS, _KEY_DIGITS = 60, 16


class FleetStore:
    """A folder of results.

    A result is found by the fingerprint of all that it depends on, so that a scenario, a file or a price that has changed is priced anew.
    A file carries a digest of what it says: one that was damaged or edited, or that is none of ours, is not used, which the notes say.

    Parameters
    ----------
    folder : path
        The folder; it is made if it is not there.

    Raises
    ------
    ExportError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.notes: list[str] = []
        self._noting = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(
                f"Results cannot be saved in {self.folder}: {error.strerror}. Choose a folder that you may write to."
            ) from error

    def path_of(self, name: str, key: str) -> Path:
        """Say which file holds a service's result.

        Parameters
        ----------
        name : str
            The service's name.
        key : str
            Fingerprint of all that its result depends on.

        Returns
        -------
        pathlib.Path
            A file in the folder.
        """
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:_NAME_LETTERS]
        return self.folder / f"{plain}-{key[:_KEY_DIGITS]}.json"

    def read(self, name: str, key: str) -> ServiceResult | None:
        """Take a result that was saved.

        Parameters
        ----------
        name : str
            The service's name.
        key : str
            Fingerprint of all that its result depends on.

        Returns
        -------
        ServiceResult or None
            None if there is none that can be used.
        """
        path = self.path_of(name, key)
        if not path.exists():
            return None
        try:
            if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError("it is no file of a result")
            values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refused)
            if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("key") != key:
                raise ValueError("it is not this service's result")
            if values.get("sha256") != fingerprint_of(values.get("result")):
                raise ValueError("it was changed after it was written")
            return ServiceResult.from_dict(values["result"])
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            why = str(error) if type(error) is ValueError else "it is damaged"
            with self._noting:
                self.notes.append(f"{path} was not used, since {why}; {name} was done again.")
            return None

    def write(self, result: ServiceResult, key: str) -> None:
        """Save a result, whole or not at all.

        Parameters
        ----------
        result : ServiceResult
            The result.
        key : str
            Fingerprint of all that it depends on.

        Raises
        ------
        ExportError
            If it cannot be written.
        """
        values = result.to_dict()
        content = {"format": FORMAT, "key": key, "sha256": fingerprint_of(values), "result": values}
        write_whole(self.path_of(result.name, key), json.dumps(content, allow_nan=False) + "\n")


def _refused(constant: str) -> Any:
    raise ValueError(f"it has the number {constant}")
