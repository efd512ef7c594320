"""Every page in a real Chromium, light and dark: axe-core finds nothing serious, and every input has a label."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from estimator.units import data_path
from tests.browser import at_rest, stranger

pytestmark = pytest.mark.slow

PAGES = re.findall(r'url_path="([a-z-]+)"', data_path("app_streamlit.py").read_text(encoding="utf-8"))
#: What axe-core calls serious or critical inside a component of Streamlit's own, by rule: its elements. The colors in which `st.code` highlights
#: and numbers lines are faint in light and dark, and no theme changes them; the same file can be downloaded.
STREAMLITS_OWN = {"color-contrast": re.compile(r'<span class="(token |comment linenumber )')}
#: Inputs without a name, as a screen reader would find them.
NAMELESS = """() => [...document.querySelectorAll('input, textarea, select, [role=slider], [role=combobox]')]
  .filter((at) => at.type !== 'hidden' && at.checkVisibility() && !at.labels?.length
    && !(at.getAttribute('aria-label') || at.getAttribute('aria-labelledby')))
  .map((at) => at.outerHTML.slice(0, 200))"""
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 28)"}


@pytest.fixture(scope="module")
def page(browser, address) -> Iterator[Page]:
    """One page that goes from place to place."""
    with stranger(browser, address) as context:
        yield context.new_page()


def _serious(page: Page) -> set[tuple[str, str]]:
    return {
        (violation["id"], node["html"][:200])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
        if not ((own := STREAMLITS_OWN.get(violation["id"])) and own.match(node["html"]))
    }


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody(page, path):
    page.goto("/" if path == "plan" else f"/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)
    for scheme, background in BACKGROUND.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        # Colors change one after the other: what is found for a moment only is none.
        for _ in range(20):
            serious = _serious(page)
            if not serious:
                break
            page.wait_for_timeout(500)
        assert serious == set(), scheme
    assert page.evaluate(NAMELESS) == []
