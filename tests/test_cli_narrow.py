"""Every command of the bill on a narrow terminal: no line is wider than it, and each row can be told by its first column."""

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from estimator.billing.savings_plan_options import SavingsPlanOption
from estimator.cli import main
from estimator.pricing.regions import REGIONS
from estimator.pricing.snapshots import load_rates
from tests.test_cli import scenario_file

WIDTHS = (80, 60)
SCENARIO = {
    "region": "us-east-1",
    "load": {"kind": "daily", "peak_requests_per_s": 120, "trough_requests_per_s": 20},
    "service": {"cpu_units": 512, "memory_mib": 1024, "min_capacity": 2, "max_capacity": 12},
    "savings_plans": [{"term": "1yr", "payment_option": "No Upfront"}],
    "extras": {"waf_rules": 2},
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def on_terminal(width: int, *arguments: object) -> str:
        stream = Terminal()
        with monkeypatch.context() as terminal:
            terminal.setenv("COLUMNS", str(width))
            terminal.setenv("TERM", "xterm")
            terminal.setattr(sys, "stdout", stream)
            terminal.setattr(sys, "argv", ["estimator", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        assert not ended.value.code
        return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())

    return on_terminal


def rows_of(values: object) -> Iterator[str]:
    """What the first column of each row names, by the JSON of the same command."""
    values = values if isinstance(values, dict) else {"charges": values}
    for key, name in (("purchases", "title"), ("networks", "title"), ("regions", "region"), ("charges", "title")):
        # A way that cannot be had is no row.
        yield from (row[name] for row in values.get(key, ()) if row.get("usd_per_month", 0.0) is not None)
    bill = values.get("cost", values.get("fixed_and_variable", values))
    yield from (line["title"] for line in bill.get("lines", ()))


def reads(lines: list[str], name: str) -> bool:
    """True if a first column says a name word by word, in at most four lines."""
    for begin in range(len(lines)):
        left = name.split()
        for line in lines[begin : begin + 4]:
            said = re.sub(r"^[A-Z][a-z ]+: ", "", line.strip()).split()
            taken = 0
            while left and taken < len(said) and said[taken] == left[0]:
                left.pop(0)
                taken += 1
            if not taken or not left:
                break
        if not left:
            return True
    return False


def check(text: str, width: int, names: Iterable[str]) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for name in names:
        assert reads(lines, name), name


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", ["estimate", "plan", "breakdown", "regions", "networks", "purchases"])
def test_a_scenario_on_a_narrow_terminal(call, on_terminal, tmp_path: Path, command: str, width: int) -> None:
    path = scenario_file(tmp_path, **SCENARIO)
    options = ("--growth", 8, "--users", 1000) if command == "breakdown" else ()
    names = list(rows_of(json.loads(call(command, path, *options, "--json").stdout)))
    assert len(names) >= 4
    check(on_terminal(width, command, path, *options), width, names)


@pytest.mark.parametrize("width", WIDTHS)
def test_usage_on_a_narrow_terminal(call, on_terminal, width: int) -> None:
    words = ("usage", "us-east-1", "fargate_linux_x86_vcpu_hour=730", "internet_egress=60_000", "secret_month=2")
    names = list(rows_of(json.loads(call(*words, "--json").stdout)))
    assert len(names) == 3
    text = on_terminal(width, *words)
    check(text, width, names)
    # A price of several tiers is whole, or it is said that it is left out.
    left_out = " ".join(text.split()).partition("Left out for want of width: ")[2]
    assert ("from 51,200 on 0.07" in text) != ("USD/unit" in left_out)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("matching", ["", "nat"])
def test_charges_on_a_narrow_terminal(call, on_terminal, width: int, matching: str) -> None:
    words = ("charges", *([matching] if matching else []))
    rows = json.loads(call(*words, "--json").stdout)
    text = on_terminal(width, *words)
    check(text, width, rows_of(rows))
    # The name is what --explain asks for.
    assert all(row["charge"] in text for row in rows)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_invoice_on_a_narrow_terminal(call, on_terminal, tmp_path: Path, width: int) -> None:
    path, bill = scenario_file(tmp_path, **SCENARIO), tmp_path / "cur.csv"
    call("estimate", path, "--focus", bill)
    lines = json.loads(call("invoice", bill, "--json").stdout)["explanations"]
    text = on_terminal(width, "invoice", bill)
    check(text, width, (line["usage_type"] for line in lines if line["usage_type"]))
    for line in lines:
        assert line["verdict"] in text
        assert line["charged"] is None or line["charged"] in text
    # A line of the bill takes a few lines of the screen, with why.
    part = text[: text.index("What the quantities cost")]
    assert part.count("\n") < 7 * len(lines)
    assert "is our rate, published" in " ".join(text.split())
    assert reads(text[len(part) :].splitlines(), "Application Load Balancer capacity unit hour")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_region_loses_what_is_unknown_there(on_terminal, tmp_path: Path, width: int) -> None:
    text = on_terminal(width, "regions", scenario_file(tmp_path, **SCENARIO))
    plan = SavingsPlanOption("1yr", "No Upfront").price_of("linux_x86_vcpu")
    unknown = [region for region in REGIONS if plan not in load_rates(region)]
    assert text.count("rates") == len(unknown) > 30
    left_out = " ".join(text.split()).partition("Left out for want of width: ")[2].partition(".")[0]
    assert left_out == "Name"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_ways_to_pay_keep_their_names_and_bills(on_terminal, tmp_path: Path, width: int) -> None:
    text = on_terminal(width, "purchases", scenario_file(tmp_path, **SCENARIO))
    head = text[text.index("Way ") : text.index("---")]
    assert "USD/month" in head
    assert "On-Demand" in head
    assert "Minutes over capacity" in " ".join(text.partition("Left out for want of width: ")[2].split())


def test_sentences_are_wrapped_on_a_terminal_alone(call, on_terminal, tmp_path: Path) -> None:
    path = scenario_file(tmp_path, **SCENARIO)
    piped, shown = call("estimate", path).stdout, on_terminal(60, "estimate", path)
    (scope,) = (line for line in piped.splitlines() if line.startswith("Counted, and $0 on this bill: "))
    assert len(scope) > 200
    assert scope not in shown
    assert scope in " ".join(shown.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_arithmetic_on_a_narrow_terminal(call, on_terminal, tmp_path: Path, width: int) -> None:
    words = ("estimate", scenario_file(tmp_path, **SCENARIO), "--explain", "all")
    text = on_terminal(width, *words)
    assert max(map(len, text.splitlines())) <= width
    assert " ".join(text.split()) == " ".join(call(*words).stdout.split())
    # A title at the margin, and all that is said of it indented.
    assert {len(line) - len(line.lstrip()) for line in text.splitlines()} == {0, 2, 4}


def test_a_real_terminal_is_asked_for_its_width() -> None:
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}} | {"TERM": "xterm"}
    command = [sys.executable, "-m", "estimator", "charges", "nat gateway"]
    with subprocess.Popen(command, stdin=secondary, stdout=secondary, stderr=subprocess.PIPE, env=env) as process:
        os.close(secondary)
        said = b""
        try:
            while part := os.read(primary, 65536):
                said += part
        except OSError:
            # The other end is closed.
            pass
    os.close(primary)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).replace("\r", "")
    check(text, 60, ("NAT gateways", "NAT gateway data"))
    assert "Left out for want of width: Source." in " ".join(text.split())
