"""A wheel built from the checkout works in an empty environment, from a folder that cannot be written, for a user whose home cannot be written either."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.units import data_path
from tests.browser import chromium, served

ROOT = Path(__file__).resolve().parents[1]
ARTICLE = data_path("examples", "article-web-server.yaml")

pytestmark = pytest.mark.slow


def uv(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from what git tracks, and install it into an empty environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    uv("build", "--wheel", "--quiet", "--out-dir", folder / "dist", source)
    (wheel,) = (folder / "dist").glob("*.whl")
    shutil.rmtree(source)
    uv("venv", "--quiet", "--python", sys.executable, folder / "venv")
    uv("pip", "install", "--quiet", "--python", folder / "venv" / "bin" / "python", wheel)
    read_only = folder / "elsewhere"
    read_only.mkdir(mode=0o555)
    return folder / "venv" / "bin"


@pytest.fixture
def elsewhere(installed: Path) -> Path:
    return installed.parents[1] / "elsewhere"


def unprivileged() -> list[str]:
    """Root may write anywhere: it is run without that right."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.getuid() == 0 else []


def environment(elsewhere: Path) -> dict[str, str]:
    """A home that cannot be written either."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(elsewhere), "PYTHONNOUSERSITE": "1"}


def run(installed: Path, elsewhere: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*unprivileged(), str(installed / "estimator"), *map(str, arguments)]
    return subprocess.run(
        command, cwd=elsewhere, env=environment(elsewhere), capture_output=True, text=True, check=False
    )


def test_the_folder_really_is_read_only(installed: Path, elsewhere: Path) -> None:
    result = run(installed, elsewhere, "init", "here.yaml")
    assert result.returncode == 2
    assert "Permission denied" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_the_same_plan_and_stack(installed: Path, elsewhere: Path, tmp_path: Path) -> None:
    example = next(installed.parent.rglob("_data/examples/article-web-server.yaml"))
    assert example.read_text() == ARTICLE.read_text()
    out = tmp_path / "out"
    out.mkdir()
    result = run(installed, elsewhere, "plan", example, "--json", "--export", out / "stack")
    assert result.returncode == 0, result.stderr
    scenario = Scenario.from_file(ARTICLE)
    plan = scenario.plan(load_rates(scenario.region))
    answer = json.loads(result.stdout)
    answer.pop("exported_to")
    assert answer.pop("prices_stale") == (plan.cost.stale_text() or None)
    assert answer == json.loads(json.dumps(plan.to_dict()))
    config = json.loads((out / "stack" / "stack_config.json").read_text())
    assert config["fingerprint"] == plan.fingerprint()
    assert (out / "stack" / "fargate_stack" / "service.py").is_file()
    assert not list((out / "stack").rglob("__pycache__"))


def test_the_app_opens_with_its_theme(installed: Path, elsewhere: Path, tmp_path: Path) -> None:
    # A search of a moment: nothing that it compiles can be kept here.
    quick = ARTICLE.read_text() + "\nsearch: {target_values: [60], min_capacities: [2], cpu_units: [256, 512]}\n"
    (tmp_path / "quick.yaml").write_text(quick)

    def ui(port: int) -> list[str]:
        own = str(tmp_path / "quick.yaml")
        return [*unprivileged(), str(installed / "estimator"), "ui", own, "--headless", "--port", str(port)]

    environ = environment(elsewhere)
    with served(ui, elsewhere, tmp_path / "server.log", environ) as address, chromium() as browser:
        page = browser.new_page(color_scheme="dark")
        page.goto(address)
        expect(page.get_by_text("Monthly bill").first).to_be_visible()
        theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]["dark"]
        red, green, blue = (int(theme["backgroundColor"][i : i + 2], 16) for i in (1, 3, 5))
        found = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert found == f"rgb({red}, {green}, {blue})"
