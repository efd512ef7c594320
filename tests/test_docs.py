"""What the documents tell a reader to type works, and what they show is so."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_of_the_readme_runs(code: str, tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "infra" / "app.py").is_file()


def test_the_two_commands_are_there() -> None:
    first, second = (line for line in blocks("sh")[0].splitlines() if line and not line.startswith("#"))
    assert first.startswith("python3 -m venv .venv")
    assert "estimator plan examples/" in first
    assert "--export" in first
    assert second == "sh .ci/test"


def test_every_command_that_the_readme_names_has_help() -> None:
    named = set(re.findall(r"estimator ([a-z]+)", " ".join(blocks("sh") + re.findall(r"`([^`\n]+)`", README))))
    assert {"plan", "estimate", "init", "schema", "prices", "ui"} <= named
    for command in named:
        subprocess.run(
            [sys.executable, "-m", "estimator", *shlex.split(command), "--help"], check=True, capture_output=True
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_paths_that_the_readme_names_exist() -> None:
    for path in re.findall(
        r"`((?:estimator|pricing_cache|notebooks|tests|examples|docs|benchmarks)/[\w./-]*)`", README
    ):
        assert (ROOT / path).exists(), path
