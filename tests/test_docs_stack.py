"""The page of the exported stack: its example is a scenario, and its tables name each field with its default and meaning."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from estimator import Scenario
from estimator.export.cdk import stack_config
from estimator.export.stack.fargate_stack.config import parse_config
from estimator.service.stack_options import Domain, ExistingLoadBalancer, ExistingVpc, Sidecar, StackOptions
from estimator.units import described_fields

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "stack.md").read_text(encoding="utf-8")
HEADS = {
    "## Fields of the section `stack`": StackOptions,
    "### `sidecars`, each": Sidecar,
    "### `vpc`": ExistingVpc,
    "### `load_balancer`": ExistingLoadBalancer,
    "### `domain`": Domain,
}


def written(default: object) -> str:
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return ", ".join(default) or "none"
    return str(default) if default != {} else "none"


def default_of(item: Any) -> str:
    if item.default is not MISSING:
        return written(item.default)
    return "must be given" if item.default_factory is MISSING else written(item.default_factory())


@pytest.mark.parametrize("head", HEADS)
def test_each_field_stands_there_as_it_is(head: str) -> None:
    record = HEADS[head]
    table = re.split(r"\n##", PAGE.partition(f"\n{head}\n")[2])[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if row.startswith("| `")]
    meanings = described_fields(record)
    assert rows == [
        [f"`{item.name}`", default_of(item), meanings[item.name].replace("|", "&#124;")] for item in fields(record)
    ]


def test_the_strict_example_is_a_stack() -> None:
    import yaml

    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    around = {
        "region": "eu-west-1",
        "load": {"kind": "daily", "peak_requests_per_s": 100, "trough_requests_per_s": 20},
        "request": {"cpu_ms_per_request": 20},
        "service": {"cpu_units": 1024, "memory_mib": 2048},
    }
    plan = Scenario.from_dict(around | yaml.safe_load(example)).estimate()
    config = parse_config(stack_config(plan))
    assert config.load_balancer.access_logs
    assert config.edge.waf_rules == 3
    assert config.observability.standard_alarms == 4
    assert {"alarms", "dashboards", "web_acl_rules", "kms_keys"} <= {line.charge for line in plan.cost}
