"""What a user's file may be before it is read at all."""

import os
from pathlib import Path

import pytest

from estimator.checks import read_text
from estimator.errors import InvalidScenario


def read(path: Path) -> str:
    return read_text(path, "plan", 2_000_000, "A plan is small.")


def test_text_is_read_whatever_its_line_ends_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read(path) == "a\nb\nc\n"
    path.write_bytes(b"#" * 2_000_000)
    assert len(read(path)) == 2_000_000
    path.write_bytes(b"#" * 2_000_001)
    with pytest.raises(InvalidScenario, match=r"larger than 2 MB\. A plan is small"):
        read(path)


def test_what_never_ends_or_never_comes_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(InvalidScenario, match="cannot be read: it is a device or a pipe"):
            read(path)


def test_what_a_shell_hands_over_is_read() -> None:
    """As in `estimator estimate <(command)`."""
    out, into = os.pipe()
    os.write(into, b"region: eu-west-1\n")
    os.close(into)
    try:
        assert read(Path(f"/dev/fd/{out}")) == "region: eu-west-1\n"
    finally:
        os.close(out)
