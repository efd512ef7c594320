"""An exported project in an environment of its own: it synthesizes and tests itself, without a network, and without a Node of the system."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from estimator.export import export_stack
from estimator.pricing.snapshots import load_rates
from estimator.scenario import Scenario
from estimator.units import data_path
from tests.export.synthesis import STACK

#: What a strict review asks for, by keys of the scenario.
HARDENED = {
    "extras": {
        "alb_access_logs": True,
        "flow_log_gb": 5,
        "flow_log_destination": "s3",
        "container_insights": "enabled",
        "waf_rules": 3,
        "kms_keys": 1,
        "standard_alarms": 4,
        "dashboards": 1,
    },
    "stack": {
        "alarm_email": "ops@example.com",
        "deletion_protection": True,
        "readonly_root_filesystem": True,
        "user": "1000",
        "health_check_command": ["CMD-SHELL", "curl -f http://localhost:8080/healthz || exit 1"],
        "repository": True,
    },
}


def shop() -> Scenario:
    document = Scenario.from_file(data_path("examples") / "shop-daily-peak.yaml").to_dict()
    for section, values in HARDENED.items():
        document[section] |= values
    certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-aaaa-bbbb-cccc-123456789012"
    document["application"]["certificate_arn"] = certificate
    document["service"]["deployment"] = {"strategy": "BLUE_GREEN"}
    return Scenario.from_dict(document)


def without_network() -> list[str]:
    """Return a command that runs another one without any network, where this machine allows it."""
    command = ["unshare", "--net", "--map-root-user"]
    allowed = shutil.which("unshare") and not subprocess.run([*command, "true"], check=False).returncode
    return command if allowed else []


def test_its_requirements_are_those_this_project_tests_with() -> None:
    extras = tomllib.loads((STACK.parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = (STACK / "requirements-dev.txt").read_text().splitlines()
    asked = {line for line in lines if line and not line.startswith("#")}
    assert asked <= {*extras["cdk"], *extras["dev"]}
    assert {line.partition(">")[0] for line in asked} == {"cdk-nag", "cfn-lint", "pytest"}


@pytest.mark.slow
def test_it_tests_itself(tmp_path: Path) -> None:
    from uv import find_uv_bin

    document = shop()
    folder = export_stack(document.estimate(load_rates(document.region)), "cdk", tmp_path / "my-stack")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JSII_", "VIRTUAL_ENV"))
    }
    requirements = ["-r", "requirements.txt", "-r", "requirements-dev.txt"]
    for command in (
        ["venv", "--quiet", "--python", sys.executable, ".venv"],
        ["pip", "install", "--quiet", "--link-mode", "hardlink", "--python", ".venv/bin/python", *requirements],
    ):
        subprocess.run([find_uv_bin(), *command], cwd=folder, env=kept, check=True, timeout=600)

    unshare = without_network()
    programs = str(folder / ".venv" / "bin")
    assert shutil.which("node", path=programs) is None
    tool = [str(shutil.which(unshare[0])), *unshare[1:]] if unshare else []
    done = subprocess.run(
        [*tool, f"{programs}/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=folder,
        env=kept | {"PATH": programs},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
