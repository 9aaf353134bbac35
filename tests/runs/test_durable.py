from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compat.runs.durable import remove_partial, write_text
from compat.runs.store import RunFolder
from tests.conftest import SOURCE


def test_what_is_written_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("the folder" if is_folder else f"{os.fstat(descriptor).st_size} B")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        done.append("the name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_text(tmp_path / "new" / "file.json", "text")
    assert done == ["4 B", "the name", "the folder"]
    assert (tmp_path / "new" / "file.json").read_text() == "text"


def test_what_could_not_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    write_text(path, "before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_many_may_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    texts = [f"{number}" * 10_000 for number in range(50)]
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda text: write_text(path, text), texts))
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in ("header.json", "mine.partial", "0123456789abcdef.partial")]
    for path in kept:
        path.write_text("")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "header.json.0123456789abcdef.partial").write_text("{")
    remove_partial(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


@pytest.mark.timeout(20)
def test_a_link_that_leads_nowhere_is_no_folder_of_runs(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        RunFolder.create(tmp_path / "runs", SOURCE.harness, SOURCE.host)


def test_a_folder_that_no_execution_made_is_no_run(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
    for name in ("seen", "9999", "9999-01-01T000000.000Z.bak"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "header.json").touch()
    assert RunFolder.all(tmp_path) == [folder]
