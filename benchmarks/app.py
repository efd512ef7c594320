"""Speed and memory of the app in a real Chromium: `python benchmarks/app.py`, beside a bare Streamlit slider in the same run.

Told are the time from the start of the server to the first plan, from a moved slider to the first new figure and to the new plan (median and worst of
20), and the memory of the server after 200 moves and with ten pages open at once.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page

from tests.browser import chromium, served

ROOT = Path(__file__).resolve().parents[1]
MOVES, MANY_MOVES, SESSIONS = 20, 200, 10
BARE = """
import streamlit as st
st.title("Bare")
st.metric("Value", st.slider("Value", 0, 1000, 350, 5))
"""


def command(script: Path, port: int) -> list[str]:
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    return [sys.executable, "-m", "streamlit", "run", str(script), *options, "--server.fileWatcherType=none"]


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(address)
    page.get_by_test_id("stMetricValue").first.wait_for()
    return page


def at_rest(page: Page) -> None:
    """Wait until nothing runs and the figures no longer change."""
    deadline = time.perf_counter() + 90
    text = ""
    while time.perf_counter() < deadline:
        page.wait_for_timeout(250)
        now = page.get_by_test_id("stMetricValue").first.inner_text()
        if now == text and page.locator("[data-test-script-state=notRunning]").count():
            return
        text = now


def answers(page: Page, label: str, moves: int, rest: bool = True) -> list[float]:
    """Seconds from each key press on a slider until the first figure is another."""
    slider = page.get_by_role("slider", name=label).first
    found = []
    for move in range(moves):
        before = page.get_by_test_id("stMetricValue").first.inner_text()
        slider.focus()
        start = time.perf_counter()
        page.keyboard.press("ArrowRight" if move % 40 < 20 else "ArrowLeft")
        page.wait_for_function(
            "before => { const e = document.querySelector('[data-testid=stMetricValue]'); return e && e.innerText !== before; }",
            arg=before,
            polling="raf",
        )
        found.append(time.perf_counter() - start)
        if rest:
            at_rest(page)
    return found


def memory_mb(address: str) -> float:
    """Resident memory of the server that listens at an address, with its children. [MB]"""
    port = address.rpartition(":")[2]
    listed = subprocess.run(["ps", "-eo", "rss,args"], capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[0]) for line in listed.splitlines() if f"--server.port={port}" in line) / 1024


def said(name: str, times: list[float]) -> str:
    return (
        f"{name}: median {1000 * statistics.median(times):,.0f} ms, worst {1000 * max(times):,.0f} ms of {len(times)}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE)
        with served(lambda port: command(bare, port), folder, folder / "bare.log", os.environ) as address:
            usual = answers(opened(browser, address), "Value", MOVES)
        print(said("a bare slider", usual))
        start = time.perf_counter()
        with served(
            lambda port: command(ROOT / "app_streamlit.py", port), folder, folder / "app.log", os.environ
        ) as address:
            page = opened(browser, address)
            print(f"start of the server to the first plan: {time.perf_counter() - start:.1f} s")
            at_rest(page)
            begun = time.perf_counter()
            second = opened(browser, address)
            print(f"a second page: {time.perf_counter() - begun:.1f} s")
            second.close()
            for label in ("Peak load", "Lowest load", "Response", "Log per request"):
                times = answers(page, label, MOVES)
                over = (statistics.median(times) - statistics.median(usual), max(times) - max(usual))
                print(f"{said(label, times)}; over the bare one {over[0]:+.2f} s, {over[1]:+.2f} s")
            print(f"memory after {4 * MOVES} moves: {memory_mb(address):,.0f} MB", flush=True)
            for part in range(4):
                answers(page, "Response", MANY_MOVES // 4, rest=False)
                at_rest(page)
                print(f"  and {(part + 1) * MANY_MOVES // 4} more: {memory_mb(address):,.0f} MB", flush=True)
            pages = []
            for number in range(SESSIONS):
                pages.append(opened(browser, address))
                answers(pages[-1], "Response", 3, rest=False)
                if number % 3 == 0:
                    print(f"  with {number + 2} pages open: {memory_mb(address):,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
