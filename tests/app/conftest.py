"""One server of the app and one Chromium for the files of this folder, and a stranger who opens a page."""

from collections.abc import Hashable, Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page

from estimator.scenario import Scenario
from estimator.ui import background
from estimator.units import data_path
from tests.browser import app, chromium, stranger

#: A search of a moment, so that what is waited for is the page.
QUICK = {
    "target_values": [50, 70],
    "min_capacities": [2, 4],
    "cpu_units": [512, 1024],
    "scheduled_minimum_percents": [],
}


@pytest.fixture(scope="package")
def own(tmp_path_factory) -> Path:
    """A scenario of the user's own."""
    values = Scenario.from_file(data_path("examples", "shop-daily-peak.yaml")).to_dict()
    values |= {"name": "own", "search": QUICK, "service": None}
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.fixture(scope="package")
def address(own) -> Iterator[str]:
    """Where the app answers that was started for it, from another folder."""
    with app(own.parent, str(own)) as address:
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser, address) -> Iterator[BrowserContext]:
    """A browser of a stranger; at the end, that it said no error and asked nobody else."""
    with stranger(browser, address) as context:
        yield context


@pytest.fixture
def page(context, address) -> Page:
    """The first page, just opened."""
    page = context.new_page()
    page.goto(address)
    return page


@pytest.fixture
def nothing_beside(monkeypatch) -> Iterator[None]:
    """Let the work beside a page not begin, for tests of what the page says at once: it would take the machine from other tests."""
    begun: list[background.Job] = []

    class Waiting(background.Job):
        def __init__(self, key: Hashable) -> None:
            super().__init__(key)
            begun.append(self)

    monkeypatch.setattr(background, "_PAUSE_S", 3600)
    monkeypatch.setattr(background, "_MOST_WAIT_S", 0)
    monkeypatch.setattr(background, "Job", Waiting)
    yield
    for job in begun:
        job.stop()
