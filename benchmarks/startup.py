"""How fast the command line answers, as ratios measured side by side: `python benchmarks/startup.py [--rounds 15]`.

Each round runs every program once, in turn, so that a busy machine slows all of them alike; the medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EMPTY = """
import typer
app = typer.Typer()

@app.command()
def one(): pass

@app.command()
def two(): pass

app()
"""
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    estimator = Path(sys.executable).with_name("estimator")
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        example = str(ROOT / "examples" / "article-web-server.yaml")
        programs = {
            "empty typer script --help": [sys.executable, str(empty), "--help"],
            "estimator --help": [str(estimator), "--help"],
            "import typer, numpy, pydantic": [sys.executable, "-c", "import typer, numpy, pydantic"],
            "estimator estimate": [str(estimator), "estimate", example],
            "estimator plan": [str(estimator), "plan", example],
        }
        times: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(rounds + 1):
            for name, command in programs.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                if turn:  # the first round warms the disk and the compiled code
                    times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:32} {value * 1000:7.0f} ms")
    print()
    for name, base, allowed in (
        ("estimator --help", "empty typer script --help", 1.2),
        ("estimator estimate", "import typer, numpy, pydantic", 2.5),
    ):
        print(f"{name} / {base}: {medians[name] / medians[base]:.2f} (at most {allowed})")


if __name__ == "__main__":
    main()
