"""A Streamlit server of our own and a real Chromium, for tests that look at the app as a person does."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from estimator.units import data_path

START_S = 60
#: A busy machine simulates slowly, and the first run ever compiles. [ms]
PATIENCE_MS = 90_000
_PROBE = re.compile(r"/[a-z-]+/_stcore/(health|host-config)")
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
def app(folder: Path, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Start the app of this checkout from a folder, with what is said after ``--``, and give its address."""

    def command(port: int) -> list[str]:
        start = [sys.executable, "-m", "streamlit", "run", str(data_path("app_streamlit.py"))]
        flags = ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
        return [*start, *flags, "--", *arguments]

    own = os.environ | {"PYTHONPATH": str(data_path())} | environment
    with served(command, folder, folder / "server.log", own) as address:
        yield address


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


@contextmanager
def stranger(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """Give a browser without a past; at its end, that no page of it said an error or asked anybody but an address."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 2000})
    context.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    asked: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Opened at one of its pages, Streamlit asks below that page first where its server is.
        if message.type == "error" and not _PROBE.fullmatch(message.location["url"].removeprefix(address)):
            said.append(f"{message.text} {message.location}")

    context.on("console", heard)
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("request", lambda sent: asked.append(sent.url))
    yield context
    context.close()
    assert not said, said
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []


def at_rest(page: Page) -> None:
    """Wait until nothing is computed, in the background either."""
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False
