"""Longer work beside a page that is there already: with its progress, and a way to stop it.

Notes
-----
A page asks for an answer and keeps a place for it; once the rest of the page is there, the answer is put into its place when it comes. Work
that nobody waits for any more, since its question has changed or its page was closed, ends at its next step. It begins a moment late, so
that a slider that is on its way begins nothing. Two threads serve all sessions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from estimator.errors import EstimatorError
from estimator.ui import tables
from estimator.ui.store import Store

#: Threads for all sessions. [threads]
_THREADS = 2
#: Answers that are kept. [1]
_MOST = 8
#: How long a question must stay the same before work begins. [s]
_PAUSE_S = 0.4
#: How often the page looks whether the answer is there. [s]
_LOOK_S = 0.2
#: How long a page waits. [s]
_MOST_WAIT_S = 600.0
_WANTED = "background.wanted"

#: How long nobody may look before work ends. [s]
_ALONE_S = 10.0

#: What does the work: it tells how far it is, and may be ended by what that raises.
Work = Callable[[Callable[[float], None]], Any]


class _Stopped(Exception):
    """Nobody waits any more."""


class Job:
    """Work on one question.

    Parameters
    ----------
    key : hashable
        The question.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.part = 0.0
        self.answer: Any = None
        self.error: EstimatorError | None = None
        self.is_left = False
        self._looked_s = time.monotonic()
        self._stop, self._done = threading.Event(), threading.Event()

    @property
    def is_done(self) -> bool:
        """True if there is an answer, or it is known that there is none."""
        return self._done.is_set()

    @property
    def is_stopped(self) -> bool:
        """True if it was stopped."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let it end at its next step."""
        self._stop.set()

    def leave(self) -> None:
        """Let it end at its next step, to begin anew when somebody asks again."""
        self.is_left = True
        self._stop.set()

    def look(self) -> None:
        """Say that somebody waits for the answer."""
        self._looked_s = time.monotonic()

    def run(self, work: Work) -> None:
        """Do the work.

        Parameters
        ----------
        work : callable
            The work.
        """
        if self._stop.wait(_PAUSE_S):
            return
        try:
            self.answer = work(self._tell)
        except _Stopped:
            return
        except EstimatorError as error:
            self.error = error
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the answer.

        Parameters
        ----------
        seconds : float
            How long at the most. [s]

        Returns
        -------
        bool
            True if it is there.
        """
        return self._done.wait(seconds)

    def _tell(self, part: float) -> None:
        if time.monotonic() - self._looked_s > _ALONE_S:
            self.leave()
        if self._stop.is_set():
            raise _Stopped
        self.part = min(max(part, 0.0), 1.0)


def ask(kind: str, key: Hashable, work: Work) -> Job:
    """Begin work on a question, unless it is under way or done; work on this session's question before ends.

    Parameters
    ----------
    kind : str
        What kind of question it is; a session has one of each.
    key : hashable
        The question.
    work : callable
        Takes what is called with the part that is done, 0 to 1, and returns the answer.

    Returns
    -------
    Job
        The work.
    """
    done = _answers().get((kind, key))
    if done is not None:
        return done
    state = st.session_state
    job: Job | None = state.get(f"job.{kind}")
    if job is not None and job.key == key and not job.is_left:
        job.look()
        if job.is_done:
            _answers().put((kind, key), job)
        return job
    if job is not None:
        job.leave()
    job = Job(key)
    state[f"job.{kind}"] = job
    _threads().submit(job.run, work)
    return job


def leave(*kinds: str) -> None:
    """End this session's work on questions that are being asked anew, so that it takes nothing from what comes first.

    Parameters
    ----------
    *kinds : str
        As for `ask`.
    """
    for kind in kinds:
        job: Job | None = st.session_state.get(f"job.{kind}")
        if job is not None and not job.is_done:
            job.leave()


@dataclass(frozen=True)
class _Wanted:
    """An answer for which a place is kept on the page."""

    job: Job
    kind: str
    ready: Callable[[Any], object]
    text: str
    place: DeltaGenerator


@contextmanager
def beside() -> Iterator[None]:
    """Write a page, and then put each answer into its place as it comes.

    Notes
    -----
    The page is whole before the first answer is waited for, and a control ends the wait at once. The page does not ask again and again by
    itself instead: with each such question the browser says what its controls say, which may be from before an undo that is on its way.
    """
    wanted: list[_Wanted] = []
    st.session_state[_WANTED] = wanted
    yield
    end_s = time.monotonic() + _MOST_WAIT_S
    bars = {each.kind: _bar(each) for each in wanted}
    while wanted and time.monotonic() < end_s:
        for each in list(wanted):
            each.job.look()
            if each.job.is_done or each.job.is_stopped:
                wanted.remove(each)
                if each.job.is_done:
                    _answers().put((each.kind, each.job.key), each.job)
                with each.place.container():
                    _show(each)
            else:
                # To show something is also where Streamlit ends a run that nobody wants any more.
                bars[each.kind].progress(each.job.part, _said(each))
        if wanted:
            wanted[0].job.wait(_LOOK_S)


def show(kind: str, key: Hashable, work: Work, ready: Callable[[Any], object], text: str) -> None:
    """Show an answer, or keep a place for it on a page that is written inside `beside`.

    Parameters
    ----------
    kind : str
        What kind of question it is.
    key : hashable
        The question.
    work : callable
        As for `ask`.
    ready : callable
        Shows the answer.
    text : str
        What is said until it is there, such as ``Pricing every candidate``.
    """
    job = ask(kind, key, work)
    wanted = _Wanted(job, kind, ready, text, st.empty())
    if job.is_done or job.is_stopped:
        with wanted.place.container():
            _show(wanted)
    else:
        st.session_state[_WANTED].append(wanted)


def _show(wanted: _Wanted) -> None:
    job, kind = wanted.job, wanted.kind
    if job.error is not None:
        st.caption(f":material/info: {tables.plain(str(job.error))}")
    elif job.is_done:
        wanted.ready(job.answer)
    else:
        st.caption(f"{wanted.text}: stopped.")
        st.button("Go on", key=f"again.{kind}", on_click=_forget, args=(kind,), icon=":material/play_arrow:")


def _bar(wanted: _Wanted) -> DeltaGenerator:
    """Show how far it is, and what stops it."""
    # One inside the other: the first thing of the answer takes the place of both, and nothing of this one stays.
    with wanted.place.container(), st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(wanted.job.part, _said(wanted))
        st.button(
            "Stop",
            key=f"stop.{wanted.kind}",
            on_click=wanted.job.stop,
            icon=":material/stop_circle:",
            type="tertiary",
        )
    return bar


def _said(wanted: _Wanted) -> str:
    return f"{wanted.text} ... {100 * wanted.job.part:.0f} %"


def _forget(kind: str) -> None:
    st.session_state.pop(f"job.{kind}", None)


@st.cache_resource(show_spinner=False)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="page")


@st.cache_resource(show_spinner=False)
def _answers() -> Store[Job]:
    return Store(_MOST)
