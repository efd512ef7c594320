"""What an export would do to each file of a folder: Preview."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

#: What happens to a file; ``kept`` is one of an earlier export that somebody edited and that is no longer part of it.
STATUSES = ("new", "changed", "unchanged", "removed", "kept")


@dataclass(frozen=True, slots=True)
class FilePreview:
    """One file of an export, or of an earlier one in the same folder.

    Parameters
    ----------
    name : str
        Path below the folder, with slashes.
    status : str
        One of `STATUSES`.
    diff : str
        Unified diff from what is there to what would be there; empty where nothing changes or what is there is no text.
    is_edited : bool
        True if what is there is not what an earlier export wrote.
    """

    name: str
    status: str
    diff: str = ""
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What an export would do to a folder.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    target : str
        A name in ``EXPORTERS``.
    marker : str
        A file that every such export holds.
    is_earlier : bool
        True if an earlier export is there.
    files : tuple of FilePreview
        Files of this export and of the earlier one, by name; those that somebody added are not among them.
    texts : dict of str to str
        What would be written, by relative path.
    """

    folder: Path
    target: str
    marker: str
    is_earlier: bool
    files: tuple[FilePreview, ...]
    texts: dict[str, str]

    @property
    def overwritten(self) -> tuple[str, ...]:
        """Names of files that somebody edited and that would be written over."""
        return tuple(file.name for file in self.files if file.status == "changed" and file.is_edited)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of edited files that are no longer part of the export, and stay."""
        return tuple(file.name for file in self.files if file.status == "kept")

    @property
    def changes(self) -> bool:
        """Whether any file would be written or removed."""
        return any(file.status in ("new", "changed", "removed") for file in self.files)

    @property
    def summary(self) -> str:
        """How many files are new, changed, unchanged, removed and kept, in a few words."""
        counts = Counter(file.status for file in self.files)
        return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])

    def to_dict(self) -> dict[str, object]:
        """Return the preview as plain values.

        Returns
        -------
        dict
            JSON-ready.
        """
        return {
            "folder": str(self.folder),
            "target": self.target,
            "files": [
                {"name": file.name, "status": file.status, "edited": file.is_edited, "diff": file.diff}
                for file in self.files
            ],
        }

    def __str__(self) -> str:
        return f"{self.folder}: {self.summary}"


def diff_text(name: str, old: str, new: str) -> str:
    """Write the unified diff of a file.

    Parameters
    ----------
    name : str
        Path below the folder.
    old, new : str
        What is there and what would be.

    Returns
    -------
    str
        Lines, the last one ended too; empty if the two are equal.
    """
    lines = unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"{name} (there)", f"{name} (new)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
