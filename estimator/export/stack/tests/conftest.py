"""The app, run once as ``python app.py`` runs it, with cdk-nag looking on; no network, no credentials, no Node of the system."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Synthesized:
    """What the app wrote.

    Attributes
    ----------
    name : str
        Name of the service's stack.
    templates : dict of str to dict
        Every template, by name of its stack.
    texts : dict of str to str
        The same as they were written.
    findings : tuple of (str, str)
        Errors that cdk-nag found: rule, and path of the construct.
    """

    name: str
    templates: dict[str, dict[str, Any]]
    texts: dict[str, str]
    findings: tuple[tuple[str, str], ...]

    def by_id(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the service's resources of a type, by logical id."""
        resources = self.templates[self.name]["Resources"].items()
        return {name: one.get("Properties", {}) for name, one in resources if one["Type"] == f"AWS::{kind}"}

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Properties of the service's resources of a type."""
        return list(self.by_id(kind).values())

    def one(self, kind: str) -> dict[str, Any]:
        """Properties of the only resource of a type."""
        (properties,) = self.all(kind)
        return properties


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """Read the numbers that the stack is built from."""
    document: dict[str, Any] = json.loads((HERE / "stack_config.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="session")
def synthesized(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synthesized]:
    """Run the app."""
    folder = tmp_path_factory.mktemp("cdk.out")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("CDK_OUTDIR", str(folder))
        # It says where Node is, before the CDK looks for it.
        app = importlib.import_module("app")
        _run(app, patch)
    texts = {
        path.name.removesuffix(".template.json"): path.read_text("utf-8") for path in folder.glob("*.template.json")
    }
    templates = {name: json.loads(text) for name, text in texts.items()}
    yield Synthesized(config["name"], templates, texts, tuple(_findings(folder / "validation-report.json")))
    sys.modules.pop("app", None)


def _run(app: Any, patch: pytest.MonkeyPatch) -> None:
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    synth = cdk.App.synth

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        cdk.Validations.of(self).add_plugins(AwsSolutionsChecks(self, verbose=True))
        return synth(self, *args, **kwargs)

    patch.setattr(cdk.App, "synth", watched)
    try:
        app.main()
    except RuntimeError as error:
        # Findings end the run after everything is written; each is looked at by a test.
        if "ValidationFailed" not in str(error):
            raise


def _findings(report: Path) -> Iterator[tuple[str, str]]:
    document = json.loads(report.read_text("utf-8")) if report.exists() else {"pluginReports": []}
    for plugin in document["pluginReports"]:
        for violation in plugin["violations"]:
            if violation["severity"] == "error":
                for construct in violation["violatingConstructs"]:
                    yield violation["ruleName"], construct["constructPath"]
