"""A Streamlit server of our own and a real Chromium, for tests that look at the app as a person does."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

START_S = 60
#: A busy machine simulates slowly, and the first run ever compiles. [ms]
PATIENCE_MS = 90_000
_CLOSED = "starlette.websockets.WebSocketDisconnected"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def served(
    command: Callable[[int], list[str]], folder: Path, log: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """Start the app by a command that takes the port, from a folder, and give its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command(port), cwd=folder, env=dict(environment), stdout=output, stderr=output, start_new_session=True
        ) as server,
    ):
        try:
            deadline = time.monotonic() + START_S
            while not _answers(f"{address}/_stcore/health"):
                assert server.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                time.sleep(0.1)
            yield address
        finally:
            # `estimator ui` starts Streamlit as a process of its own: both are of the session begun above.
            os.killpg(server.pid, 15)
    # Streamlit may answer a page that has just closed, and says so at length; whatever else fails is ours.
    failed = log.read_text(encoding="utf-8").split("Traceback (most recent call last)")[1:]
    assert [each for each in failed if _CLOSED not in each or "/estimator/ui/" in each] == []


@contextmanager
def chromium() -> Iterator[Browser]:
    """Launch the Chromium of the machine."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "These tests need a Chromium: install it, or say where it is in the environment variable CHROMIUM."
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False
