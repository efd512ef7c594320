"""Work on the prices that goes on beside the page: its progress, its end, and a way to stop it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import streamlit as st

from estimator.pricing.rates import Rates
from estimator.ui import prices_worker

_KEY = "prices.job"


class Job:
    """A run of `prices_worker` in a process of its own.

    Parameters
    ----------
    verb : str
        ``refresh`` or ``import``.
    arguments : str
        What the verb takes.
    title : str
        What it does, in words.
    before : Rates
        What was known when it began.
    folder : tempfile.TemporaryDirectory, optional
        A folder that goes when it ends.
    renamed : mapping of str to str
        What stands in its messages in place of what.
    """

    def __init__(
        self,
        verb: str,
        *arguments: str,
        title: str,
        before: Rates,
        folder: TemporaryDirectory[str] | None = None,
        renamed: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.verb, self.title, self.before = verb, title, before
        self.step: Mapping[str, Any] | None = None
        self.done: Mapping[str, Any] | None = None
        self.error = ""
        self.was_stopped = False
        self._folder, self._renamed = folder, renamed
        self._process = subprocess.Popen(
            [sys.executable, "-m", prices_worker.__name__, verb, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """True until all that it said is read."""
        return self._reader.is_alive()

    def stop(self) -> None:
        """End it; what it has written whole stays."""
        self.was_stopped = self.is_running
        self._process.terminate()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for its end.

        Parameters
        ----------
        timeout_s : float, optional
            At most so long. [s]
        """
        self._reader.join(timeout_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if not line.endswith("\n"):  # it was ended while it spoke
                    break
                said = json.loads(line)
                self.step = said.get("step", self.step)
                self.done = said.get("done")
                self.error = self._named(said.get("error", ""))
        status = self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()
        if self.done is None and not self.error and not self.was_stopped:
            self.error = f"The process that did it ended with status {status} and said nothing. The prices that it had not finished are as they were."

    def _named(self, text: str) -> str:
        for path, name in self._renamed.items():
            text = text.replace(path, name)
        return text


def current() -> Job | None:
    """Return the session's last work, running or done.

    Returns
    -------
    Job or None
        None before the first.
    """
    found: Job | None = st.session_state.get(_KEY)
    return found


def begin(job: Job) -> None:
    """Make it the session's work.

    Parameters
    ----------
    job : Job
        The work.
    """
    st.session_state[_KEY] = job


def is_busy() -> bool:
    """Say whether something runs, so that nothing else can begin.

    Returns
    -------
    bool
        True if so.
    """
    job = current()
    return job is not None and job.is_running
