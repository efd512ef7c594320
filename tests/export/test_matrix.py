"""Every way to deploy, in every network, with and without HTTPS and Spot, on both architectures: a template that passes the linters, or a reason.

Notes
-----
All of them are hardened. cfn-lint takes a second or more for a template: it reads those of X86_64 without Spot, one of each way to deploy with the
others, and a test holds that the rest differ from these in the values alone that say so.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.export.synthesis import hardened, lint_errors

pytestmark = pytest.mark.slow

CERTIFICATE = hardened()["application"]["certificate_arn"]
DELIVERIES = {
    "rolling": {"controller": "ECS", "strategy": "ROLLING"},
    "blue/green": {"controller": "ECS", "strategy": "BLUE_GREEN"},
    "canary": {"controller": "ECS", "strategy": "CANARY"},
    "linear": {"controller": "ECS", "strategy": "LINEAR"},
    "CodeDeploy": {"controller": "CODE_DEPLOY", "strategy": "BLUE_GREEN"},
}
NETWORKS = {
    "public": {"layout": "public", "nat_gateways": 0, "interface_endpoints": []},
    "nat": {"layout": "nat", "nat_gateways": 2, "interface_endpoints": []},
    "endpoints": {
        "layout": "endpoints",
        "nat_gateways": 0,
        "interface_endpoints": ["ecr.api", "ecr.dkr", "logs", "secretsmanager"],
    },
}
PROTOCOLS = {"HTTP": None, "HTTPS": CERTIFICATE}
PROVIDERS = {
    "on demand": {"fargate_base": 0, "fargate_weight": 1, "fargate_spot_weight": 0},
    "with Spot": {"fargate_base": 2, "fargate_weight": 1, "fargate_spot_weight": 3},
}
REQUESTS = {
    "policy_type": "TargetTrackingScaling",
    "predefined_metric_type": "ALBRequestCountPerTarget",
    "target_value": 900.0,
    "scale_out_cooldown_s": 60,
    "scale_in_cooldown_s": 300,
    "disable_scale_in": False,
}


class Case(NamedTuple):
    delivery: str
    network: str
    protocol: str
    architecture: str
    provider: str

    @property
    def document(self) -> dict[str, Any]:
        # Environment variables in plain text are one's own choice, and one reason more to give.
        return hardened(
            application={"certificate_arn": PROTOCOLS[self.protocol], "environment": {}},
            network=NETWORKS[self.network],
            task={"cpu_architecture": self.architecture},
            service={"deployment": DELIVERIES[self.delivery], "capacity_provider_strategy": PROVIDERS[self.provider]},
        )

    @property
    def plainest(self) -> "Case":
        return self._replace(architecture="X86_64", provider="on demand")


class Reviewed(NamedTuple):
    text: str
    broken: list[str]
    reasons: dict[str, str]


CASES = [Case(*each) for each in itertools.product(DELIVERIES, NETWORKS, PROTOCOLS, ("X86_64", "ARM64"), PROVIDERS)]
LINTED = [
    case
    for case in CASES
    if case == case.plainest
    or (case.architecture, case.provider, case.network, case.protocol) == ("ARM64", "with Spot", "endpoints", "HTTPS")
]


@pytest.fixture(scope="module")
def reviewed(synthesize: Any) -> dict[Case, Reviewed]:
    """Of each case the template, the rules of AwsSolutions that it breaks, and those that it has a reason for."""
    import aws_cdk
    import cdk_nag

    def with_rules(app: Any) -> None:
        aws_cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))

    found = {}
    for case in CASES:
        document = case.document
        made = synthesize(document, before=with_rules)
        report = json.loads((made.folder / "validation-report.json").read_text(encoding="utf-8"))
        broken = [
            f"{violation['ruleName']} {violation['violatingConstructs']}"
            for plugin in report["pluginReports"]
            for violation in plugin.get("violations", [])
        ]
        said = json.loads((made.folder / f"{document['name']}.metadata.json").read_text(encoding="utf-8"))
        reasons = {
            rule.rpartition("::AwsSolutions-")[2].partition("[")[0]: reason
            for entries in said.values()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for rule, reason in entry["data"].items()
            if "::AwsSolutions-" in rule
        }
        found[case] = Reviewed(made.text, broken, reasons)
    return found


def test_aws_solutions_finds_nothing_and_at_most_three_rules_have_a_written_reason(
    reviewed: dict[Case, Reviewed],
) -> None:
    assert len(reviewed) == 5 * 3 * 2 * 2 * 2
    for case, found in reviewed.items():
        assert found.broken == [], case
        assert set(found.reasons) == {"EC23", "IAM5", "S1"}, case
        assert all(len(reason.split()) > 5 for reason in found.reasons.values()), case


@pytest.mark.parametrize("case", LINTED, ids="-".join)
def test_cfn_lint_finds_no_error(reviewed: dict[Case, Reviewed], case: Case) -> None:
    assert lint_errors(reviewed[case].text) == []


def test_the_others_differ_in_architecture_and_providers_alone(reviewed: dict[Case, Reviewed]) -> None:
    for case, found in reviewed.items():
        assert _without_providers(found.text, case) == _without_providers(reviewed[case.plainest].text, case.plainest)


def _without_providers(text: str, case: Case) -> dict[str, Any]:
    """Take from a template what says architecture and providers; each has to be there as it was asked for."""
    template: dict[str, Any] = json.loads(text)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            assert properties["RuntimePlatform"].pop("CpuArchitecture") == case.architecture
        if resource["Type"] == "AWS::ECS::Service":
            providers = [item["CapacityProvider"] for item in properties.pop("CapacityProviderStrategy")]
            assert providers == ["FARGATE", *(["FARGATE_SPOT"] * (case.provider == "with Spot"))]
    return template


@pytest.mark.parametrize("delivery", [name for name in DELIVERIES if name != "rolling"])
def test_what_aws_forbids_is_refused_with_the_reason(stack: Any, delivery: str) -> None:
    document = Case(delivery, "nat", "HTTPS", "ARM64", "with Spot").document | {"scaling": [REQUESTS]}
    with pytest.raises(stack.config.ConfigError, match=r"ALBRequestCountPerTarget.*target group"):
        stack.config.parse_config(document)
    stack.config.parse_config(Case("rolling", "nat", "HTTPS", "ARM64", "with Spot").document | {"scaling": [REQUESTS]})


def test_checkov_finds_no_failed_check(
    reviewed: dict[Case, Reviewed], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It pins an old boto3, so that it lives in an environment of its own."""
    home = tmp_path_factory.mktemp("checkov")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", home / "env"], check=True)
    python = home / "env" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, "checkov>=3.3,<3.4"], check=True)
    variants = (
        Case("rolling", "endpoints", "HTTPS", "ARM64", "with Spot"),
        Case("canary", "nat", "HTTPS", "X86_64", "on demand"),
        Case("CodeDeploy", "endpoints", "HTTPS", "X86_64", "on demand"),
    )
    templates = home / "templates"
    templates.mkdir()
    for number, case in enumerate(variants):
        (templates / f"{number}.template.json").write_text(reviewed[case].text, encoding="utf-8")
    command = [
        home / "env" / "bin" / "checkov",
        "--directory",
        templates,
        "--framework",
        "cloudformation",
        "--output",
        "json",
    ]
    run = subprocess.run(
        [*command, "--skip-download"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "LOG_LEVEL": "CRITICAL"},
    )
    report = json.loads(run.stdout)
    results = report["results"]
    failed = [(check["check_id"], check["file_path"], check["resource"]) for check in results["failed_checks"]]
    assert failed == []
    assert not results["parsing_errors"]
    assert report["summary"]["passed"] > 200
    assert {check["file_path"] for check in results["passed_checks"]} == {f"/{n}.template.json" for n in range(3)}
    assert all(check["check_result"]["suppress_comment"] for check in results["skipped_checks"])
    assert Path(python).is_file()
