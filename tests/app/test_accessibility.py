"""Every page in a real Chromium, light and dark: axe-core finds nothing serious, and every input has a label."""

import os
import re
import sys
from collections.abc import Iterator

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from estimator.scenario import Scenario
from estimator.units import data_path
from tests.browser import PATIENCE_MS, chromium, served

pytestmark = pytest.mark.slow

PAGES = re.findall(r'url_path="([a-z-]+)"', data_path("app_streamlit.py").read_text(encoding="utf-8"))
#: What axe-core calls serious or critical inside a component of Streamlit's own: rule and element.
STREAMLITS_OWN: frozenset[tuple[str, str]] = frozenset()
#: Inputs without a name, as a screen reader would find them.
NAMELESS = """() => [...document.querySelectorAll('input, textarea, select, [role=slider], [role=combobox]')]
  .filter((at) => at.type !== 'hidden' && at.checkVisibility() && !at.labels?.length
    && !(at.getAttribute('aria-label') || at.getAttribute('aria-labelledby')))
  .map((at) => at.outerHTML.slice(0, 200))"""
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 28)"}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Page]:
    """A page of a server of our own, about a service whose search takes a moment."""
    values = Scenario.from_file(data_path("examples", "shop-daily-peak.yaml")).to_dict()
    values["search"] = {"target_values": [50, 70], "min_capacities": [2, 4], "cpu_units": [512, 1024]}
    own = tmp_path_factory.mktemp("own") / "own.yaml"
    own.write_text(yaml.safe_dump(values), encoding="utf-8")

    def command(port: int) -> list[str]:
        start = [sys.executable, "-m", "streamlit", "run", str(data_path("app_streamlit.py"))]
        flags = ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
        return [*start, *flags, "--", str(own)]

    environment = os.environ | {"PYTHONPATH": str(data_path())}
    with served(command, own.parent, own.with_name("server.log"), environment) as address, chromium() as browser:
        context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 1800})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody(page, path):
    page.goto("/" if path == "plan" else f"/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    for scheme, background in BACKGROUND.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        found = Axe().run(page).response["violations"]
        serious = {
            (violation["id"], node["html"][:200])
            for violation in found
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        }
        assert serious - STREAMLITS_OWN == set(), scheme
    assert page.evaluate(NAMELESS) == []
