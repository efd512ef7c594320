"""Files that a user asked for: never over one that is there unasked, and written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from estimator.errors import ExportError


def require_free(path: Path | None, force: bool) -> None:
    """Refuse a file that is there, or cannot be, before anything is computed or asked.

    Parameters
    ----------
    path : pathlib.Path, optional
        The file; None for no file.
    force : bool
        True to allow one that is there.

    Raises
    ------
    ExportError
        If it must not or cannot be written.
    """
    if path is None:
        return
    with _as_export_error(path):
        if _is_stream(path):
            return
        if path.is_dir():
            raise ExportError(
                f"{path} cannot be written: it is a folder. Name a file in it, such as {path / 'bill.csv'}."
            )
        if path.exists() and not force:
            raise ExportError(f"{path} exists already; choose another name, or --force to write over it.")
        if (path.exists() and not path.is_file()) or not path.resolve().parent.is_dir():
            raise ExportError(f"{path} cannot be written. Choose a file in a folder that is there.")


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all; a pipe or a character device is written into.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    text : str
        What it says.

    Raises
    ------
    ExportError
        If it cannot be written.
    """
    with _as_export_error(path):
        if _is_stream(path):
            path.write_text(text, encoding="utf-8")
            return
        # What a link points to is written; the link stays.
        target = path.resolve()
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    """Tell a pipe or a device such as /dev/stdout, into which one writes and which nothing may replace."""
    return path.is_fifo() or path.is_char_device()


@contextmanager
def _as_export_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written: {error.strerror}. Choose a folder that you may write to."
        ) from error
