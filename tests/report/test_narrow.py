"""A narrow terminal leaves columns out by their weight; numbers, dates and names are never broken."""

import io
import re

import pytest

from estimator.pricing.snapshots import load_rates
from estimator.report import terminal
from estimator.report.tables import Table, rates_table
from estimator.report.terminal import show

TABLE = Table(
    "Prices",
    ("Price", "What it is", ">USD/unit", "SKU"),
    (("fargate_vcpu_hour", "a sentence that may be wrapped", "0.04048", "K4EXFQ5YFQCP98EN"),),
    least=("SKU", "What it is"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(table: Table, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    stream = Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(terminal.sys, "stdout", stream)
    show(table)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


def test_a_wide_terminal_shows_all(monkeypatch):
    text = shown(TABLE, 120, monkeypatch)
    assert "K4EXFQ5YFQCP98EN" in text
    assert "a sentence that may be wrapped" in text
    assert "Left out" not in text


def test_the_least_goes_first_and_is_said(monkeypatch):
    text = shown(TABLE, 66, monkeypatch)
    assert "K4EXFQ5YFQCP98EN" not in text
    assert "a sentence that may be wrapped" in text
    assert "Left out for want of width: SKU." in text.replace("\n", " ")
    assert "fargate_vcpu_hour" in shown(TABLE, 40, monkeypatch)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_names_and_prices_of_a_region_are_in_one_piece_at_any_width(width, monkeypatch):
    rates = load_rates("eu-west-1")
    text = shown(rates_table(rates), width, monkeypatch)
    for name in ("fargate_linux_x86_vcpu_hour", "vpc_interface_endpoint_gb"):
        assert name in text
        assert rates[name].tiers[0].price in text
    assert max(map(len, text.splitlines())) <= width
