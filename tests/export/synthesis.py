"""A synthesized template with its resources by type, and what cfn-lint says of it."""

from pathlib import Path
from typing import Any, NamedTuple

STACK = Path(__file__).parents[2] / "estimator" / "export" / "stack"


class Synthesized(NamedTuple):
    document: dict[str, Any]
    template: dict[str, Any]
    text: str

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Properties of every resource of a type."""
        return [r.get("Properties", {}) for r in self.template["Resources"].values() if r["Type"] == f"AWS::{kind}"]

    def one(self, kind: str) -> dict[str, Any]:
        (properties,) = self.all(kind)
        return properties

    def id_of(self, kind: str) -> str:
        (name,) = (n for n, r in self.template["Resources"].items() if r["Type"] == f"AWS::{kind}")
        return name

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.one("ECS::TaskDefinition")["ContainerDefinitions"]
        return container

    def statements(self) -> list[dict[str, Any]]:
        return [s for policy in self.all("IAM::Policy") for s in policy["PolicyDocument"]["Statement"]]


def lint_errors(text: str) -> list[str]:
    from cfnlint.api import lint_all

    return [f"{match.rule.id} {match.message}" for match in lint_all(text) if match.rule.id.startswith("E")]
