"""A narrow terminal wraps sentences, then leaves columns out by their weight, then stacks rows; numbers, dates and names are never broken."""

import io
import re

import pytest

from estimator.planning.planner import estimate
from estimator.planning.price_effect import price_effect
from estimator.pricing.changes import compare_rates
from estimator.pricing.rates import Rate, Rates, Tier
from estimator.pricing.snapshots import load_rates
from estimator.report import terminal
from estimator.report.tables import Table, changes_table, effect_table, rates_table
from estimator.report.terminal import fitted_table, plain_table, say, show, wrapped
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import TaskSize
from estimator.workload.profile import LoadProfile
from estimator.workload.request import Workload

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


WHY = "a reason of many words that does not fit beside the numbers of a narrow terminal"
ALIKE = Table(
    "Lines",
    ("Usage type", "Verdict", ">Bill", "Why", "Price"),
    (("EUW1-DataTransfer-Out-Bytes", "same", "0.09", WHY, "internet_egress_gb"),),
    least=("Price",),
    below=("Why",),
)


@pytest.mark.parametrize("width", range(8, 140))
def test_no_width_is_exceeded_and_nothing_is_cut_without_a_word(width):
    text = fitted_table(ALIKE, width)
    assert max(map(len, text.splitlines())) <= width
    letters = "".join(text.split())
    for cell in ("EUW1-DataTransfer-Out-Bytes", "same", "0.09"):
        assert cell in letters
    # A sentence may stand beside other columns: then each of its words is whole.
    assert WHY.replace(" ", "") in letters or all(word in text for word in WHY.split())
    said = "Leftoutforwantofwidth:Price." in letters
    assert said != ("internet_egress_gb" in letters)


def test_a_sentence_without_room_is_below_its_row():
    lines = fitted_table(ALIKE, 64).splitlines()
    assert lines[1].split() == ["Usage", "type", "Verdict", "Bill", "Price"]
    assert lines[3].split() == ["EUW1-DataTransfer-Out-Bytes", "same", "0.09", "internet_egress_gb"]
    assert " ".join(" ".join(lines[4:]).split()) == f"Why: {WHY}"
    assert all(line.startswith("  ") for line in lines[4:])


def test_rows_are_stacked_where_too_little_stands_side_by_side():
    table = Table("Fruit", ("Name", ">Count"), (("apple", "12"), ("fig", "")), ("Total", "12"))
    assert fitted_table(table, 11).splitlines() == [
        "Fruit",
        "Name: apple",
        "  Count: 12",
        "Name: fig",
        "Name: Total",
        "  Count: 12",
    ]


def test_the_first_column_wraps_between_words_and_is_never_left_out():
    name = "Data transfer out to the internet of a region"
    table = Table("Bill", ("Charge", ">A", ">B"), ((name, "1" * 12, "2" * 12),), least=("B", "A"))
    first, second, *rest = fitted_table(table, 40).splitlines()[3:]
    assert first.split("  ")[0] == "Data transfer out to the"
    assert second == "  internet of a region"
    assert rest == ["Left out for want of width: B. A wider", "terminal, or --json, has it."]
    assert name in " ".join(fitted_table(table, 22).split())


def test_letters_that_are_two_columns_wide_count_as_two():
    table = Table("T", ("Name", ">N"), (("東京", "1"), ("Oslo", "2")))
    assert fitted_table(table, 40).splitlines()[3:] == ["東京  1", "Oslo  2"]
    assert plain_table(table).splitlines()[3:] == ["東京  1", "Oslo  2"]


@pytest.mark.parametrize("width", [60, 80])
def test_changed_prices_and_what_they_do_are_whole(width):
    before, after = (
        Rates("us-east-1", {"internet_egress_gb": Rate("internet_egress_gb", "GB", tiers)})
        for tiers in ((Tier(0, "0.0900000001"), Tier(10_240, "0.0850000001")), (Tier(0, "0.1000000001"),))
    )
    table = changes_table({"us-east-1": compare_rates(before, after)}, "2026-01-31", "now")
    text = fitted_table(table, width)
    assert max(map(len, text.splitlines())) <= width
    for part in ("internet_egress_gb", "0.0900000001", "from 10,240 on 0.0850000001", "0.1000000001"):
        assert part in text
    # The unit stands apart from the price.
    assert " per " not in text
    service = Workload(LoadProfile.constant(100), cpu_ms_per_request=10)
    rates = load_rates("us-east-1")
    effect = price_effect(estimate(service, rates, ServiceSpec(TaskSize(512, 1024))), rates)
    shown = fitted_table(effect_table(effect), width)
    assert max(map(len, shown.splitlines())) <= width
    assert f"{effect.before.total_usd:,.2f}" in shown
    assert all(word in shown for line in effect.lines for word in line.title.split())


def test_sentences_wrap_between_words_and_commands_stay_whole():
    text = "The rates are old: `estimator prices refresh --region eu-west-1` asks AWS again.\nNote: that is all."
    assert wrapped(text, 50).splitlines() == [
        "The rates are old:",
        "`estimator prices refresh --region eu-west-1` asks",
        "AWS again.",
        "Note: that is all.",
    ]
    narrow = wrapped(text, 30)
    assert max(map(len, narrow.splitlines())) <= 30
    assert " ".join(narrow.split()) == " ".join(text.split())
    assert wrapped("rate:\n  a b c d", 5).splitlines() == ["rate:", "  a b", "  c d"]
    assert wrapped("x" * 25, 10).splitlines() == ["x" * 10, "x" * 10, "x" * 5]


def test_sentences_are_as_they_are_for_a_file(capsys):
    say("a sentence " * 30)
    assert capsys.readouterr().out == "a sentence " * 30 + "\n"
