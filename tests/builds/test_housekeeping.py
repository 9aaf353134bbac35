"""Environments do not pile up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from compat.builds.environment import COMPLETE
from compat.builds.housekeeping import KEPT, remove_unused


def make(home: Path, name: str, used_at: int) -> Path:
    """An environment that was used last at a time; its scratch folder."""
    (home / name / "bin").mkdir(parents=True)
    (home / name / COMPLETE).touch()
    (home / f"{name}.lock").touch()
    scratch = home / f"{name}-scratch"
    scratch.mkdir()
    for path in (home / name, home / f"{name}.lock", scratch):
        os.utime(path, (used_at, used_at))
    return scratch


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    # The order of use is not that of the names.
    for number in range(KEPT + 3):
        make(tmp_path, f"torch-2.{number}.0-abc", used_at=1000 - number)
    (tmp_path / "python-abc-scratch").mkdir()
    gone = remove_unused(tmp_path, [])
    assert gone == [f"torch-2.{number}.0-abc" for number in (KEPT + 2, KEPT + 1, KEPT)]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(tuple(gone))]
    assert len(list(tmp_path.iterdir())) == 3 * KEPT + 1
    assert remove_unused(tmp_path, []) == []


def test_what_a_run_used_stays(tmp_path: Path) -> None:
    scratches = [make(tmp_path, f"torch-2.{number}.0-abc", number) for number in range(KEPT + 3)]
    assert remove_unused(tmp_path, scratches) == []
    assert remove_unused(tmp_path, scratches[1:]) == ["torch-2.0.0-abc"]


def test_what_somebody_installs_right_now_stays(tmp_path: Path) -> None:
    for number in range(KEPT + 1):
        make(tmp_path, f"torch-2.{number}.0-abc", used_at=number)
    with FileLock(tmp_path / "torch-2.0.0-abc.lock"):
        assert remove_unused(tmp_path, []) == []
    assert remove_unused(tmp_path, []) == ["torch-2.0.0-abc"]


def test_half_an_environment_is_never_taken_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(KEPT + 1):
        make(tmp_path, f"torch-2.{number}.0-abc", used_at=number)

    def cut_short(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("compat.builds.housekeeping.shutil.rmtree", cut_short)
    with pytest.raises(KeyboardInterrupt):
        remove_unused(tmp_path, [])
    assert (tmp_path / "torch-2.0.0-abc").exists()
    assert not (tmp_path / "torch-2.0.0-abc" / COMPLETE).exists()
