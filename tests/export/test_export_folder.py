"""The folder of an export: previewed, written whole, mended after a break, and nobody else's file touched."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from estimator.errors import ExportError
from estimator.export.folders import MANIFEST, preview_folder, write_export
from estimator.export.preview import Preview

MARKER = "stack_config.json"
FIRST = {
    "README.md": "one\n",
    "app.py": "one\n",
    "parts/a.py": "a\n",
    "parts/b.py": "b\n",
    MARKER: '{"fingerprint": "1"}\n',
}
SECOND = {
    "README.md": "two\n",
    "app.py": "one\n",
    "parts/a.py": "a2\n",
    "more/c.py": "c\n",
    MARKER: '{"fingerprint": "2"}\n',
}
THIRD = {name: f"third {text}" for name, text in SECOND.items()} | {MARKER: '{"fingerprint": "3"}\n'}
UNPRIVILEGED = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.getuid() == 0 else []
)

# Real programs for real faults: killed before its n-th rename, with files that may not grow, or without rights.
WRITE = """
import json, os, pathlib, resource, signal, sys
from estimator.errors import ExportError
from estimator.export.folders import preview_folder, write_export

folder, texts, limit_bytes, renames, force = json.loads(sys.argv[1])
if limit_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
if renames is not None:
    def replace(self, target, real=pathlib.Path.replace, left=[renames]):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(self, target)
    pathlib.Path.replace = pathlib.Path.rename = replace
try:
    write_export(preview_folder(pathlib.Path(folder), "cdk", "stack_config.json", texts), force=force)
except ExportError as error:
    sys.exit(f"Error: {error}")
"""


def preview(folder: Path, texts: dict[str, str], target: str = "cdk") -> Preview:
    return preview_folder(folder, target, MARKER, texts)


def write(folder: Path, texts: dict[str, str], force: bool = False) -> Path:
    return write_export(preview(folder, texts), force=force)


def elsewhere(
    folder: Path, texts: dict[str, str], limit_bytes: int = 0, renames: int | None = None, unprivileged: bool = False
) -> subprocess.CompletedProcess[str]:
    arguments = json.dumps([str(folder), texts, limit_bytes, renames, False])
    command = [*(UNPRIVILEGED if unprivileged else []), sys.executable, "-c", WRITE, arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder but the manifest."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in files.items() if name != MANIFEST}


def statuses(found: Preview) -> dict[str, str]:
    return {file.name: file.status for file in found.files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An earlier export."""
    return write(tmp_path / "stack", FIRST)


# What a preview says, and that it is what happens.


def test_a_preview_of_a_new_folder_writes_nothing(tmp_path: Path) -> None:
    found = preview(tmp_path / "deep" / "stack", FIRST)
    assert set(statuses(found).values()) == {"new"}
    assert (found.is_earlier, found.changes, found.summary) == (False, True, "5 new")
    assert list(tmp_path.iterdir()) == []


def test_a_preview_says_what_happens_to_each_file(folder: Path) -> None:
    before = content(folder)
    found = preview(folder, SECOND)
    assert statuses(found) == {
        "README.md": "changed",
        "app.py": "unchanged",
        "more/c.py": "new",
        "parts/a.py": "changed",
        "parts/b.py": "removed",
        MARKER: "changed",
    }
    assert found.summary == "1 new, 3 changed, 1 unchanged, 1 removed"
    (readme,) = (file for file in found.files if file.name == "README.md")
    assert readme.diff == "--- README.md (there)\n+++ README.md (new)\n@@ -1 +1 @@\n-one\n+two\n"
    assert content(folder) == before
    assert found.overwritten == found.kept == ()
    write_export(found)
    assert content(folder) == SECOND
    assert set(statuses(preview(folder, SECOND)).values()) == {"unchanged"}
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, "README.md", "app.py", "more", "parts", MARKER]


def test_a_preview_is_plain_values(folder: Path) -> None:
    values = json.loads(json.dumps(preview(folder, SECOND).to_dict()))
    assert values["files"][0] == {
        "name": "README.md",
        "status": "changed",
        "edited": False,
        "diff": "--- README.md (there)\n+++ README.md (new)\n@@ -1 +1 @@\n-one\n+two\n",
    }


def test_a_diff_says_where_a_line_has_no_end(folder: Path) -> None:
    (file,) = (f for f in preview(folder, FIRST | {"app.py": "one"}).files if f.name == "app.py")
    assert file.diff.endswith("+one\n\\ No newline at end of file\n")


def test_an_edited_file_is_written_over_with_force_only(folder: Path) -> None:
    (folder / "README.md").write_text("mine\n")
    found = preview(folder, SECOND)
    assert found.overwritten == ("README.md",)
    with pytest.raises(ExportError, match=r"edited since the export: README\.md; nothing was written\. .* --force"):
        write_export(found)
    assert content(folder) == FIRST | {"README.md": "mine\n"}
    write_export(found, force=True)
    assert content(folder) == SECOND


def test_an_edited_file_that_is_no_longer_part_is_kept_and_named(folder: Path) -> None:
    (folder / "parts" / "b.py").write_text("mine\n")
    found = preview(folder, SECOND)
    assert (found.kept, found.overwritten) == (("parts/b.py",), ())
    write_export(found)
    assert content(folder) == SECOND | {"parts/b.py": "mine\n"}
    # From now on it is theirs, also where an export has a file of that name again.
    with pytest.raises(ExportError, match=r"parts/b\.py is not from an earlier export, .* Move it away"):
        preview(folder, FIRST)


def test_files_of_somebody_else_stay(folder: Path) -> None:
    (folder / "parts" / "mine.py").write_text("mine")
    (folder / "more").mkdir()
    (folder / "more" / "mine.txt").write_text("mine")
    write(folder, SECOND)
    write(folder, {MARKER: SECOND[MARKER]}, force=True)
    assert content(folder) == {
        MARKER: SECOND[MARKER],
        "parts/mine.py": "mine",
        "more/mine.txt": "mine",
    }


def test_a_file_of_somebody_else_in_the_way_is_named_whatever_the_force(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "c.py").write_text("mine")
    with pytest.raises(ExportError, match=r"more/c\.py is not from an earlier export"):
        write(folder, SECOND, force=True)
    assert content(folder) == FIRST | {"more/c.py": "mine"}


def test_a_file_that_is_written_keeps_its_rights(folder: Path) -> None:
    (folder / "README.md").chmod(0o640)
    write(folder, SECOND)
    assert stat.S_IMODE((folder / "README.md").stat().st_mode) == 0o640


def test_new_folders_have_the_rights_of_any_other(folder: Path) -> None:
    usual = folder.parent / "usual"
    usual.mkdir()
    assert folder.stat().st_mode == usual.stat().st_mode


def test_nothing_is_written_where_nothing_changes(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}
    write(folder, FIRST)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_folder_that_changes_while_somebody_looks_is_left_alone(folder: Path) -> None:
    found = preview(folder, SECOND)
    (folder / "README.md").write_text("mine\n")
    with pytest.raises(ExportError, match="has changed since the preview; nothing was written"):
        write_export(found, force=True)
    assert content(folder) == FIRST | {"README.md": "mine\n"}


def test_a_target_does_not_write_over_another(folder: Path) -> None:
    with pytest.raises(ExportError, match="holds an export with target cdk, not cloudformation; nothing was written"):
        preview(folder, SECOND, target="cloudformation")


def test_an_empty_folder_stays_the_same_folder(tmp_path: Path) -> None:
    """A shell may stand in it."""
    before = tmp_path.stat().st_ino
    write(tmp_path, FIRST)
    assert (content(tmp_path), tmp_path.stat().st_ino) == (FIRST, before)


def test_an_export_of_a_version_before_is_known(folder: Path) -> None:
    """The first manifests were the digests and nothing else."""
    values = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(values["files"]))
    (folder / "app.py").write_text("mine\n")
    found = preview(folder, SECOND)
    assert (statuses(found)["parts/b.py"], found.overwritten) == ("removed", ("app.py",))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"files": 1}', '{"files": {"../../x": "%s"}}' % ("0" * 64), '{"app.py": "no"}']
)
def test_without_a_manifest_every_difference_may_be_an_edit(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    found = preview(folder, SECOND)
    assert found.overwritten == ("README.md", "parts/a.py", MARKER)
    assert "removed" not in statuses(found).values()
    write_export(found, force=True)
    assert content(folder) == SECOND | {"parts/b.py": "b\n"}


# Symbolic links and other things in the way.


def test_no_link_leads_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / "parts").rename(outside)
    (folder / "parts").symlink_to(outside)
    with pytest.raises(ExportError, match=r"parts is a symbolic link, .* nothing was written"):
        write(folder, SECOND, force=True)
    assert content(outside) == {"a.py": "a\n", "b.py": "b\n"}


def test_what_is_no_longer_part_is_not_removed_behind_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / "parts").rename(outside)
    (folder / "parts").symlink_to(outside)
    write(folder, {name: text for name, text in SECOND.items() if not name.startswith("parts/")})
    assert content(outside) == {"a.py": "a\n", "b.py": "b\n"}
    assert (folder / "parts").is_symlink()


def test_a_link_in_place_of_a_file_is_an_edit_and_what_it_points_to_stays(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    for name in ("README.md", "parts/b.py"):
        precious.write_text(FIRST[name])
        (folder / name).unlink()
        (folder / name).symlink_to(precious)
    precious.write_text("precious")
    found = preview(folder, SECOND)
    assert (found.overwritten, found.kept) == (("README.md",), ("parts/b.py",))
    write_export(found, force=True)
    assert precious.read_text() == "precious"
    assert not (folder / "README.md").is_symlink()
    assert (folder / "parts" / "b.py").is_symlink()


def test_a_folder_or_a_pipe_in_place_of_a_file_is_named(folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    with pytest.raises(ExportError, match=r"README\.md is no file"):
        preview(folder, SECOND)
    (folder / "README.md").rmdir()
    os.mkfifo(folder / "README.md")
    with pytest.raises(ExportError, match=r"README\.md is no file"):
        preview(folder, SECOND)


def test_a_file_in_place_of_a_folder_is_named(folder: Path) -> None:
    (folder / "more").write_text("mine")
    with pytest.raises(ExportError, match="more is a file, and the export has a folder of that name"):
        preview(folder, SECOND)


def test_a_manifest_from_elsewhere_removes_nothing_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("b\n")
    values = json.loads((folder / MANIFEST).read_text())
    for name in ("../precious", str(tmp_path / "precious")):
        (folder / MANIFEST).write_text(
            json.dumps(values | {"files": values["files"] | {name: values["files"]["parts/b.py"]}})
        )
        assert "removed" not in statuses(preview(folder, SECOND)).values()
    assert (tmp_path / "precious").exists()


# Faults: what is there is the old or the new of each file, and the next run mends it.


@pytest.mark.parametrize("renames", range(7))
def test_killed_at_each_step_and_mended_by_the_next_run(folder: Path, renames: int) -> None:
    """Renames: the manifest before, the four files, the manifest after. What is removed comes after the files."""
    (folder / "mine.txt").write_text("mine")
    done = elsewhere(folder, SECOND, renames=renames)
    assert done.returncode == (-signal.SIGKILL if renames < 6 else 0), done.stderr
    there = content(folder)
    assert any(name.startswith(".exporting-") for name in there) == (renames < 6)
    for name in FIRST.keys() | SECOND.keys():
        assert there.get(name) in (FIRST.get(name), SECOND.get(name)), name
    # Nobody edited anything: the next run asks for no force, and nothing of the killed one is left.
    found = preview(folder, THIRD)
    assert found.overwritten == found.kept == ()
    write_export(found)
    assert content(folder) == THIRD | {"mine.txt": "mine"}


def test_killed_twice_and_mended(folder: Path) -> None:
    assert elsewhere(folder, SECOND, renames=4).returncode == -signal.SIGKILL
    assert elsewhere(folder, THIRD, renames=3).returncode == -signal.SIGKILL
    write(folder, FIRST)
    assert content(folder) == FIRST


@pytest.mark.parametrize("made", [False, True])
def test_killed_while_a_first_export_is_written(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "stack"
    if made:
        folder.mkdir()
    assert elsewhere(folder, FIRST, renames=2 if made else 0).returncode == -signal.SIGKILL
    assert folder.exists() == made
    write(folder, FIRST)
    assert content(folder) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["stack"]


def test_a_full_disk(folder: Path) -> None:
    """The kernel refuses to let any file grow above 1 kB, as a full disk would."""
    done = elsewhere(folder, SECOND | {"more/c.py": "c" * 2000}, limit_bytes=1000)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: The stack cannot be written to {folder}: File too large. Make room there, and run this again.\n"
    )
    assert content(folder) == FIRST
    assert set(statuses(preview(folder, FIRST)).values()) == {"unchanged"}


def test_a_full_disk_leaves_no_new_folder(tmp_path: Path) -> None:
    done = elsewhere(tmp_path / "deep" / "stack", FIRST | {"app.py": "c" * 2000}, limit_bytes=1000)
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [".", "parts"])
def test_a_folder_that_may_not_be_written_is_left_whole(folder: Path, read_only: str) -> None:
    (folder / read_only).chmod(0o555)
    try:
        done = elsewhere(folder, SECOND, unprivileged=True)
    finally:
        (folder / read_only).chmod(0o755)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"Error: The stack cannot be written to {folder}: Permission denied in {folder / read_only}."
    )
    assert "Traceback" not in done.stderr
    assert content(folder) == FIRST


def test_a_place_that_may_not_be_written(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    done = elsewhere(place / "deep" / "stack", FIRST, unprivileged=True)
    assert done.stderr == (
        f"Error: The stack cannot be written to {place / 'deep' / 'stack'}: Permission denied. Choose a folder that you may write to, and "
        "run this again.\n"
    )


def test_two_at_once(folder: Path) -> None:
    import fcntl

    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(ExportError, match="Another export is writing to"):
            write(folder, SECOND)
    finally:
        os.close(held)
    assert content(folder) == FIRST
    write(folder, SECOND)
