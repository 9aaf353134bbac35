"""How a command ends where the machine, the folder or the user gets in its way."""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from compat import cli
from compat.errors import FAILED, INTERRUPTED, USAGE
from compat.nightly.plan import make_plan
from compat.runs.history import load_history
from compat.runs.store import RunFolder, load
from compat.subjects.spec import BUILTIN_ALONE
from tests.builds.test_page import drip, server
from tests.commands.test_cli import compat
from tests.nightly.test_plan import OLD, leave_run


def lines_of(error: str) -> list[str]:
    return [line for line in error.splitlines() if line.strip()]


def builds_file(folder: Path, address: str = "http://127.0.0.1:9") -> str:
    """Lists a build that no index has."""
    path = folder / "builds.toml"
    path.write_text(f'builds = ["nightly"]\n[index]\npytorch = "{address}"\ntimeout_s = 60\n')
    return str(path)


def end_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status of a command in which something is raised."""

    def command(parsed: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(cli, "_command", lambda name: command)
    return cli.main(["probes"])


def test_a_defect_has_a_status_of_its_own_and_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_with(KeyError("a name"), monkeypatch) == FAILED
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("KeyError: 'a name'\n")


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (errno.EROFS, USAGE, "expected a folder that can be written: Read-only file system"),
        (errno.EACCES, USAGE, "that may be read and written: Permission denied"),
        (errno.ELOOP, USAGE, "expected no link that leads to itself: Too many levels"),
        (errno.ENOSPC, FAILED, "no space left on device"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(
    number: int,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = OSError(number, os.strerror(number), "a/folder")
    assert end_with(error, monkeypatch) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("compat: a/folder: ")
    assert said in line


def test_a_file_that_this_project_should_have_is_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_with(FileNotFoundError(errno.ENOENT, "no", "a/file"), monkeypatch) == FAILED
    assert capsys.readouterr().err.startswith("Traceback")


def dangling(folder: Path) -> None:
    (folder / ".compat").mkdir()
    (folder / ".compat" / "runs").symlink_to(folder / "nowhere")


def a_file(folder: Path) -> None:
    (folder / ".compat").touch()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("obstacle", "named"),
    [
        (dangling, "/.compat/runs: expected a folder, not a file or a link that leads nowhere"),
        (a_file, "/.compat: expected a folder"),
    ],
)
def test_a_probe_that_has_no_folder_ends_with_one_line(
    obstacle: Callable[[Path], None], named: str, tmp_path: Path
) -> None:
    obstacle(tmp_path)
    answer = compat("probe", "--builds-file", builds_file(tmp_path), cwd=tmp_path)
    (line,) = lines_of(answer.stderr)
    assert named in line
    assert answer.returncode == USAGE


@pytest.mark.slow
def test_a_path_that_no_search_path_can_hold_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "a:b"
    folder.mkdir()
    answer = compat("probe", "--builds-file", builds_file(folder), cwd=folder)
    (line,) = lines_of(answer.stderr)
    assert (
        line
        == f"compat: {folder}/.compat: expected a path without ':', which no PYTHONPATH can hold"
    )
    assert answer.returncode == USAGE


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_is_not_utf_8_shows_all_the_same(encoding: str, tmp_path: Path) -> None:
    leave_run(tmp_path / ".compat" / "runs", OLD)
    variables = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": f"{encoding}:strict",
    }
    for arguments, status in (
        (["probes"], 0),
        (["report"], 0),
        (["explain", "gates.capability[aot]"], 0),
        (["explain", "gates.capability[\u05e9\u202e\udcff]"], USAGE),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "compat", *arguments],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, **variables},
        )
        assert done.returncode == status, (arguments, done.stderr)
        assert b"Traceback" not in done.stderr
        done.stdout.decode(encoding)
    assert (tmp_path / "reports" / "README.md").read_bytes().decode("utf-8")


@pytest.mark.slow
def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    asked = Event()

    def answer(handler: object) -> None:
        asked.set()
        drip(handler)  # type: ignore[arg-type]

    with server(answer) as address:
        process = subprocess.Popen(
            [
                # What starts in a shell's background, as these tests may, is deaf to it.
                *("env", "--default-signal=INT"),
                sys.executable,
                "-m",
                "compat",
                "builds",
                "--builds-file",
                builds_file(tmp_path, address),
            ],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked.wait(120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert said == "compat: interrupted; what was seen so far is kept\n"
    assert process.returncode == INTERRUPTED


@pytest.mark.slow
@pytest.mark.parametrize("command", [["report", "--planned"], ["remember"]])
def test_several_at_once_take_turns(command: list[str], tmp_path: Path) -> None:
    make_plan({"cpu": [OLD]}, [BUILTIN_ALONE], "default", "", [], tmp_path / ".compat" / "plan")
    leave_run(tmp_path / ".compat" / "plan" / "seen" / f"seen-{OLD.id('cpu')}", OLD)
    if command == ["remember"]:
        shutil.copytree(tmp_path / ".compat" / "plan", tmp_path / "kept")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "compat", *command],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ended = [(process.communicate(timeout=600)[1], process.returncode) for process in running]
    assert ended == [("", 0)] * 4
    if command == ["remember"]:
        (kept,) = RunFolder.all(tmp_path / "reports" / "data" / "runs")
        assert len(kept.streams()) == 1
    else:
        assert [
            cell.build for cell in load(tmp_path / "reports" / "latest" / "run.json").cells
        ] == [OLD.id("cpu")]
        assert len(load_history(tmp_path / "reports" / "data" / "history.json").columns) == 1
        assert json.loads((tmp_path / "reports" / "latest" / "findings.json").read_text())
    assert not list(tmp_path.rglob("*.partial"))
