"""Text for a terminal: what somebody wrote stands there as it was written."""

import io

from estimator.report.tables import Table
from estimator.report.terminal import show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_reason_is_not_read_as_markup(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    show(Table("Prices", ("Price", "SKU"), (("alb", "your price: [bold]4711[/]"),)))
    assert "[bold]4711[/]" in terminal.getvalue()
