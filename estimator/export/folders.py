"""The folder of an export: what an earlier one wrote there, and files moved in whole, so that a broken run is mended by the next.

Notes
-----
A new folder is made beside its place and renamed: it appears complete. In a folder that is there every new file is complete in a folder
of ours before the first is moved; each move replaces one file whole. Before the moves the manifest says what is about to be written, and
after them what was: the next run takes a file for ours if it is as the one or the other says. A file that no manifest names is somebody
else's and stays, whatever its name.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from estimator.errors import ExportError
from estimator.export.preview import FilePreview, Preview, diff_text

#: Digests of the exported files, by which edits are found.
MANIFEST = ".exported.json"
#: Earlier exports know no target but this.
_FIRST_TARGET = "cdk"
_STAGING = ".exporting-"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What an earlier export left: digests of what it wrote and, if it was broken off, of what it was about to write."""

    target: str
    files: Mapping[str, str] = field(default_factory=dict)
    writing: Mapping[str, str] = field(default_factory=dict)
    has_manifest: bool = True

    @property
    def names(self) -> set[str]:
        return {*self.files, *self.writing}

    def wrote(self, name: str, content: bytes) -> bool:
        return _digest(content) in (self.files.get(name), self.writing.get(name))


def preview_folder(folder: Path, target: str, marker: str, texts: dict[str, str]) -> Preview:
    """Compare what would be written with what is there; nothing is written.

    Parameters
    ----------
    folder : pathlib.Path
        A new or empty folder, or that of an earlier export.
    target : str
        What is to be exported.
    marker : str
        A file that every such export holds.
    texts : dict of str to str
        What would be written, by relative path.

    Returns
    -------
    Preview
        What happens to each file.

    Raises
    ------
    ExportError
        If the folder holds something else or another target, a symbolic link or somebody else's file is in the way, or it cannot be read.
    """
    with _told(folder):
        earlier = _read_earlier(folder, target, marker)
        return Preview(folder, target, marker, earlier is not None, _compare(folder, texts, earlier), texts)


def write_export(preview: Preview, *, force: bool = False) -> Path:
    """Write what a preview says, whole or not at all.

    Parameters
    ----------
    preview : Preview
        What `preview_folder` said.
    force : bool
        True to write over files of an earlier export that were edited since.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ExportError
        If edited files would be written over, the folder has changed since the preview, or it cannot be written.
    """
    folder = preview.folder
    if preview.overwritten and not force:
        raise ExportError(
            f"{folder} has files that were edited since the export: {', '.join(preview.overwritten)}; nothing was written. Choose a new "
            "folder, or write over them with --force (force=True in Python)."
        )
    with _told(folder):
        earlier = _read_earlier(folder, preview.target, preview.marker)
        if _compare(folder, preview.texts, earlier) != preview.files:
            raise ExportError(f"{folder} has changed since the preview; nothing was written. Run the export again.")
        if folder.exists():
            _write_over(preview, earlier or _Earlier(preview.target))
        else:
            _write_new(preview)
    return folder


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "Make room there" if error.errno in _FULL else "Choose a folder that you may write to"
        raise ExportError(
            f"The stack cannot be written to {folder}: {reason}. {advice}, and run this again."
        ) from error


def _read_earlier(folder: Path, target: str, marker: str) -> _Earlier | None:
    """Find what an earlier export left in a folder; None for one that is not there, or empty."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise ExportError(f"{folder} is a file; the stack needs a folder. Choose another name.")
    if not any(not path.name.startswith(_STAGING) for path in folder.iterdir()):
        return None
    earlier = _manifest(folder)
    if earlier is None:
        if not _has_marker(folder / marker):
            raise ExportError(
                f"{folder} is not empty and not an earlier export; nothing was written. Choose a new folder."
            )
        return _Earlier(target, has_manifest=False)
    if earlier.target != target:
        raise ExportError(
            f"{folder} holds an export with target {earlier.target}, not {target}; nothing was written. Choose a new folder."
        )
    return earlier


def _compare(folder: Path, texts: Mapping[str, str], earlier: _Earlier | None) -> tuple[FilePreview, ...]:
    files = [_compared(folder, name, text, earlier) for name, text in texts.items()]
    if earlier is not None:
        dropped = [_dropped(folder, name, earlier) for name in earlier.names - texts.keys()]
        files += [file for file in dropped if file is not None]
    return tuple(sorted(files, key=lambda file: file.name))


def _write_new(preview: Preview) -> None:
    """Write a folder that is not there yet; it appears complete."""
    folder, texts = preview.folder, preview.texts
    parent = folder.absolute().parent
    made = [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with _staging(parent, f".{folder.name}{_STAGING}") as staging:
            whole = staging / "whole"
            _write_files(whole, {**texts, MANIFEST: _manifest_text(preview.target, _digests(texts))})
            whole.rename(folder)
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise


def _write_over(preview: Preview, earlier: _Earlier) -> None:
    """Write into a folder that is there: each file is replaced whole, the old ones that nobody edited are removed."""
    folder, texts = preview.folder, preview.texts
    moved = [file.name for file in preview.files if file.status in ("new", "changed")]
    removed = [file.name for file in preview.files if file.status == "removed"]
    written = _digests(texts)
    after = _manifest_text(earlier.target, written)
    if not preview.changes and _same(folder / MANIFEST, after):
        return
    _require_rights(folder, [*moved, *removed])
    with _alone(folder), _staging(folder, _STAGING) as staging:
        # Every file is complete before the first one is moved, and both manifests too: the disk cannot be full in between.
        _write_files(staging / "files", {name: texts[name] for name in moved})
        during = _manifest_text(earlier.target, _as_it_stands(folder, earlier), written)
        _write_files(staging, {"during": during, "after": after})
        (staging / "during").replace(folder / MANIFEST)
        for name in moved:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() and not path.is_symlink():
                shutil.copymode(path, staging / "files" / name)
            (staging / "files" / name).replace(path)
        for name in removed:
            (folder / name).unlink(missing_ok=True)
            _remove_empty(folder, (folder / name).parent)
        (staging / "after").replace(folder / MANIFEST)


def _as_it_stands(folder: Path, earlier: _Earlier) -> dict[str, str]:
    """Digests of what exports wrote, one for each file, also after several that were broken off."""
    digests = {**earlier.writing, **earlier.files}
    for name in digests:
        there = _content(folder / name) if _is_ours(folder, name) else None
        if there is not None and earlier.wrote(name, there):
            digests[name] = _digest(there)
    return digests


def _compared(folder: Path, name: str, text: str, earlier: _Earlier | None) -> FilePreview:
    path = folder / name
    _refuse_links(folder, name)
    there = _content(path)
    if there is None:
        return FilePreview(name, "new")
    if there == text.encode():
        return FilePreview(name, "unchanged")
    if earlier is None or (earlier.has_manifest and name not in earlier.names):
        raise ExportError(
            f"{path} is not from an earlier export, and the export has a file of that name; nothing was written. Move it away, or choose a "
            "new folder."
        )
    if path.is_symlink():
        return FilePreview(name, "changed", is_edited=True)
    return FilePreview(name, "changed", _diff(name, there, text), not earlier.wrote(name, there))


def _dropped(folder: Path, name: str, earlier: _Earlier) -> FilePreview | None:
    """Say what happens to a file that is no longer part of the export; None if it is gone already, or behind a link."""
    path = folder / name
    if not os.path.lexists(path) or any(parent.is_symlink() for parent in _parents(folder, name)):
        return None
    there = _content(path) if _is_ours(folder, name) else None
    if there is None or not earlier.wrote(name, there):
        return FilePreview(name, "kept", is_edited=True)
    return FilePreview(name, "removed")


def _is_ours(folder: Path, name: str) -> bool:
    """Say whether a name is that of a file, and not of a link or behind one."""
    path = folder / name
    return path.is_file() and not any(each.is_symlink() for each in (path, *_parents(folder, name)))


def _content(path: Path) -> bytes | None:
    """Read a file, or where a link points; None if there is none. What is no file is in the way."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        return os.fsencode(path.readlink())
    if not stat.S_ISREG(mode):
        raise ExportError(
            f"{path} is no file, and the export has a file of that name; nothing was written. Move it away, or choose a new folder."
        )
    return path.read_bytes()


def _diff(name: str, there: bytes, text: str) -> str:
    try:
        return diff_text(name, there.decode(), text)
    except UnicodeDecodeError:
        return ""


def _refuse_links(folder: Path, name: str) -> None:
    for parent in _parents(folder, name):
        if parent.is_symlink():
            raise ExportError(
                f"{parent} is a symbolic link, and the export writes no files behind one; nothing was written. Put a folder in its place, or "
                "choose a new folder."
            )
        if parent.exists() and not parent.is_dir():
            raise ExportError(
                f"{parent} is a file, and the export has a folder of that name; nothing was written. Move it away, or choose a new folder."
            )


def _parents(folder: Path, name: str) -> list[Path]:
    return [folder / parent for parent in reversed(PurePosixPath(name).parents[:-1])]


def _is_below(name: str) -> bool:
    """Say whether a name leads to somewhere below the folder; a manifest may have come from anywhere."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name and bool(name)


def _manifest(folder: Path) -> _Earlier | None:
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(values, dict):
        return None
    # The first exports had nothing but the digests.
    files = values.get("files", values)
    writing, target = values.get("writing", {}), values.get("target", _FIRST_TARGET)
    if not _are_digests(files) or not _are_digests(writing) or not isinstance(target, str):
        return None
    return _Earlier(target, files, writing)


def _are_digests(values: object) -> bool:
    return isinstance(values, dict) and all(
        isinstance(digest, str) and _DIGEST.fullmatch(digest) and _is_below(name) for name, digest in values.items()
    )


def _has_marker(path: Path) -> bool:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and "fingerprint" in values


def _manifest_text(target: str, files: Mapping[str, str], writing: Mapping[str, str] | None = None) -> str:
    values = {"target": target, "files": dict(files)} | ({"writing": dict(writing)} if writing else {})
    return json.dumps(values, indent=1) + "\n"


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: _digest(text.encode()) for name, text in texts.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _same(path: Path, text: str) -> bool:
    return not path.is_symlink() and path.is_file() and path.read_bytes() == text.encode()


def _write_files(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _require_rights(folder: Path, names: list[str]) -> None:
    """Refuse before the first move what would stop one in the middle."""
    for parent in sorted({folder, *((folder / name).parent for name in names)}):
        there = next(path for path in (parent, *parent.parents) if path.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"{os.strerror(errno.EACCES)} in {there}")


def _remove_empty(folder: Path, parent: Path) -> None:
    while parent != folder:
        try:
            parent.rmdir()
        except OSError:
            return
        parent = parent.parent


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second export out of a folder: files of both would stand side by side."""
    try:
        lock = _locked(folder)
    except BlockingIOError:
        raise ExportError(
            f"Another export is writing to {folder}; nothing was written. Wait for it, then run this again."
        ) from None
    try:
        yield
    finally:
        _release(lock)


@contextmanager
def _staging(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder for files on their way; it goes, and with it those that killed runs have left."""
    _remove_left(parent, prefix)
    staging = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    lock = _locked(staging)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _release(lock)


def _remove_left(parent: Path, prefix: str) -> None:
    for path in parent.iterdir():
        if path.name.startswith(prefix) and path.is_dir() and not path.is_symlink():
            with suppress(BlockingIOError):
                lock = _locked(path)
                shutil.rmtree(path, ignore_errors=True)
                _release(lock)


def _locked(folder: Path) -> int | None:
    """Hold a folder until the descriptor is closed or this process ends; None where folders cannot be held.

    Raises BlockingIOError if another process holds it.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    except OSError:  # some network file systems
        os.close(lock)
        return None
    return lock


def _release(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
