"""The house keeps its walls: import directions, public names, docstrings with units."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import estimator
from estimator.service.behavior import AwsBehavior
from estimator.units import described_fields

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(estimator.__path__, "estimator.")
    if not module.name.startswith(("estimator.export.stack", "estimator.__main__"))
]


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_public_names_are_there_sorted_and_not_hidden_by_modules() -> None:
    for name in MODULES:
        importlib.import_module(name)
    assert estimator.__all__ == sorted(estimator.__all__)
    for name in estimator.__all__:
        value = getattr(estimator, name)
        assert not inspect.ismodule(value), name
        assert value.__module__.startswith("estimator."), name
    assert set(estimator.__all__) <= set(dir(estimator))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = estimator.nothing


def test_the_front_door_opens_without_loading_the_house() -> None:
    code = "import sys, estimator; print(sorted({'numpy', 'pydantic', 'pandas'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def public_objects() -> list[tuple[str, object]]:
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        for label, value in vars(module).items():
            if label.startswith("_") or getattr(value, "__module__", None) != name:
                continue
            if inspect.isfunction(value) or inspect.isclass(value):
                found.append((f"{name}.{label}", value))
                if inspect.isclass(value):
                    methods = [m for m in vars(value).items() if not m[0].startswith("_")]
                    found += [
                        (f"{name}.{label}.{m}", inspect.unwrap(getattr(f, "__func__", f)))
                        for m, f in methods
                        if callable(f) or isinstance(f, classmethod)
                    ]
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_begins_with_one_sentence(name: str) -> None:
    assert re.match(r"\S.{10,158}", inspect.getdoc(importlib.import_module(name)) or "")


@pytest.mark.parametrize(("name", "value"), public_objects(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_public_parameter_is_described(name: str, value: object) -> None:
    doc = inspect.getdoc(value) or ""
    assert doc, f"{name} has no docstring"
    if (
        not inspect.isfunction(value)
        or name.startswith(
            (
                "estimator.cli.",
                "estimator.commands.",
                "estimator.ui.",
            )
        )
        or name.endswith(".profile")
    ):
        return
    parameters = [p for p in inspect.signature(value).parameters if p not in {"self", "cls"}]
    described = described_fields(value)  # type: ignore[arg-type]
    missing = [
        p for p in parameters if not described.get(p) and not described.get(f"*{p}") and not described.get(f"**{p}")
    ]
    assert not missing, f"{name} does not describe {missing}"


def test_every_number_of_the_model_has_its_unit() -> None:
    switches = {item.name for item in fields(AwsBehavior) if isinstance(item.default, bool)}
    for name, text in described_fields(AwsBehavior).items():
        assert name in switches or re.search(r"\[[^\]]+\]$", text), f"{name} has no unit"


def test_no_module_is_too_long_to_hold_in_mind() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "estimator").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 700
    }
    assert not long
