"""A plan made deployable: EXPORTERS, and the folder that is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from estimator.errors import ExportError
from estimator.export import cdk
from estimator.planning.result import Plan


@dataclass(frozen=True, slots=True)
class Exporter:
    """A kind of stack.

    Parameters
    ----------
    title : str
        What it is, in words.
    render : callable
        From a plan to ``{relative path: text}``.
    marker : str
        A file that every such export holds: a folder that has it may be written over.
    """

    title: str
    render: Callable[[Plan], dict[str, str]]
    marker: str


#: Digests of the exported files, by which edits are found.
MANIFEST = ".exported.json"

EXPORTERS: dict[str, Exporter] = {
    "cdk": Exporter("AWS CDK app in Python", cdk.render, cdk.CONFIG_NAME),
}


def render_stack(plan: Plan, target: str = "cdk") -> dict[str, str]:
    """Write a plan's stack as texts.

    Parameters
    ----------
    plan : Plan
        The plan.
    target : str
        A name in ``EXPORTERS``.

    Returns
    -------
    dict of str to str
        Text by relative path.

    Raises
    ------
    ExportError
        If there is no such target.
    """
    if target not in EXPORTERS:
        raise ExportError(f"There is no export target {target!r}; choose one of {', '.join(EXPORTERS)}.")
    return EXPORTERS[target].render(plan)


def export_stack(plan: Plan, target: str, folder: Path | str, *, force: bool = False) -> Path:
    """Write a plan's stack into a folder, whole or not at all.

    A new folder appears complete. In the folder of an earlier export only the files of the export are replaced.

    Parameters
    ----------
    plan : Plan
        The plan.
    target : str
        A name in ``EXPORTERS``.
    folder : path
        A new or empty folder, or that of an earlier export.
    force : bool
        True to write over files of an earlier export that were edited since.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ExportError
        If the folder holds something else or edited files, or cannot be written.
    """
    folder = Path(folder)
    files = render_stack(plan, target)
    try:
        earlier = _is_earlier_export(folder, EXPORTERS[target].marker)
        if earlier and not force:
            _refuse_edited(folder)
        files[MANIFEST] = json.dumps({name: _digest(text) for name, text in files.items()}, indent=1) + "\n"
        _write(files, folder, earlier)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(
            f"The stack cannot be written to {folder}: {reason}. Choose a folder that you may write to."
        ) from error
    return folder


def _is_earlier_export(folder: Path, marker: str) -> bool:
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise ExportError(f"{folder} is a file; the stack needs a folder. Choose another name.")
    if not any(folder.iterdir()):
        return False
    try:
        earlier = json.loads((folder / marker).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        earlier = None
    if not isinstance(earlier, dict) or "fingerprint" not in earlier:
        raise ExportError(f"{folder} is not empty and not an earlier export; nothing was written. Choose a new folder.")
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_edited(folder: Path) -> None:
    """Refuse to write over what somebody changed since the export."""
    try:
        exported = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    edited = [
        name
        for name, digest in exported.items()
        if (folder / name).is_file()
        and _digest((folder / name).read_text(encoding="utf-8", errors="replace")) != digest
    ]
    if edited:
        raise ExportError(
            f"{folder} has files that were edited since the export: {', '.join(edited)}; nothing was written. Choose a new folder, or "
            "write over them with --force (force=True in Python)."
        )


def _write(files: Mapping[str, str], folder: Path, into_existing: bool) -> None:
    parent = folder.absolute().parent
    made = [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=parent, prefix=f".{folder.name}-"))
    except OSError:
        for path in made:
            if path.is_dir():
                path.rmdir()
        raise
    try:
        staging.chmod(0o755)
        for name, text in files.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if into_existing:
            # Every file is complete before the first one is moved; what the user added stays.
            for name in files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (staging / name).replace(folder / name)
        else:
            if folder.exists():
                folder.rmdir()
            staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
