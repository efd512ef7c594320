"""Files that a user asked for: links, pipes, rights and what is in the way."""

import os
import stat
import threading
from pathlib import Path

import pytest

from estimator.errors import ExportError
from estimator.files import require_free, write_whole


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    require_free(path, force=False)
    write_whole(path, "näme\n")
    assert path.read_bytes() == "näme\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_one_that_is_there_needs_force_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o640)
    with pytest.raises(ExportError, match="exists already; choose another name, or --force"):
        require_free(path, force=False)
    require_free(path, force=True)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_behind_a_link_the_file_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "real.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    write_whole(link, "first")
    require_free(link, force=True)
    write_whole(link, "second")
    assert link.is_symlink()
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    require_free(pipe, force=False)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "through\n")
    reader.join(10)
    assert read == ["through\n"]
    assert pipe.is_fifo()


def test_a_device_is_written_into() -> None:
    null = Path(os.devnull)
    require_free(null, force=False)
    write_whole(null, "gone")
    assert null.is_char_device()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_or_no_folder(tmp_path: Path, force: bool) -> None:
    with pytest.raises(ExportError, match=r"cannot be written. Choose a file in a folder that is there"):
        require_free(tmp_path / "none" / "out.csv", force)
    with pytest.raises(ExportError, match=r"cannot be written: it is a folder. Name a file in it"):
        require_free(tmp_path, force)


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
