"""What all commands print with: a progress bar for long work, and sentences."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str, quiet: bool = False) -> Iterator[Callable[[float], None] | None]:
    """Show a progress bar on a terminal; nothing where nobody looks.

    Parameters
    ----------
    title : str
        What is being done.
    quiet : bool
        True to show nothing.

    Yields
    ------
    callable or None
        To be called with the part that is done, 0 to 1; None where nothing is shown.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda part: bar.update(task, completed=part)


def say(text: str = "", stderr: bool = False) -> None:
    """Print sentences, wrapped on a terminal.

    Parameters
    ----------
    text : str
        The sentences.
    stderr : bool
        True to print them beside errors.
    """
    from estimator.report import terminal

    terminal.say(text, stderr)
