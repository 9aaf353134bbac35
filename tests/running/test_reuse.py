"""What was seen is not seen again, and a killed run goes on where it was."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from compat.builds.environment import Environment
from compat.runs.contents import Contents, read_contents
from compat.runs.model import Outcome, Status
from compat.runs.stream import Stream
from tests.conftest import ROOT
from tests.sabotaged_build import Place

PROBES = ("--builds", "2.13", "--probes", "gates", "surface", "donation.flag")


@pytest.fixture
def place(real_build: Callable[[str], Environment], tmp_path: Path) -> Place:
    """A place without runs, with the project's own environments."""
    real_build("2.13")
    (tmp_path / ".compat").mkdir()
    (tmp_path / ".compat" / "environments").symlink_to(ROOT / ".compat" / "environments")
    return Place(tmp_path)


def reports(place: Place) -> dict[str, bytes]:
    folder = place.folder / "reports"
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_changed(place: Place) -> None:
    status, first = place.matrix(*PROBES)
    assert status == 0
    before = reports(place)

    probed = place.compat("probe", "--device", "cpu", *PROBES)
    assert place.compat("report").returncode == 0
    assert f"0 cells run, {len(first.cells)} known already." in probed.stdout
    assert reports(place) == before

    # A narrower question is answered, too, and says who saw the answer.
    status, narrow = place.matrix("--builds", "2.13", "--probes", "donation.flag")
    assert [cell.seen_in for cell in narrow.cells] == [first.sources[0].id] * 2
    assert narrow.sources == first.sources

    status, again = place.matrix("--builds", "2.13", "--probes", "donation.flag", "--fresh")
    assert not {cell.seen_in for cell in again.cells} & {first.sources[0].id}


def workers(folder: Path) -> list[str]:
    """The command lines of all processes that have to do with ``folder``."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


def test_a_killed_runner(place: Place) -> None:
    command = [sys.executable, "-m", "compat", "probe", "--device", "cpu", *PROBES, "--jobs", "1"]
    runner = subprocess.Popen(command, cwd=place.folder, stdout=subprocess.DEVNULL)
    runs = place.folder / ".compat" / "runs"
    deadline = monotonic() + 1800
    while len(_contents(runs).cells) < 3:
        assert monotonic() < deadline
        assert runner.poll() is None
        sleep(0.01)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    deadline = monotonic() + 60
    while workers(runs) and monotonic() < deadline:
        sleep(0.1)
    assert workers(runs) == [], "the killed runner left processes behind"
    contents = _contents(runs)
    number, planned = len(contents.cells), len(contents.plans)
    assert 3 <= number < planned

    status, cut = place.report()
    assert status == 1
    (build,) = cut.builds
    assert (build.status, build.reason) == (
        Status.BROKEN,
        "the runner ended before the build did",
    )
    outcomes = [cell.outcome for cell in cut.cells]
    assert outcomes.count(Outcome.PASS) == number
    assert outcomes.count(Outcome.NOT_RUN) == planned - number

    status, resumed = place.matrix(*PROBES)
    assert status == 0
    assert {cell.outcome for cell in resumed.cells} == {Outcome.PASS}
    first = [cell for cell in resumed.cells if cell.seen_in == cut.sources[0].id]
    assert len(first) == number


def test_two_at_once(place: Place) -> None:
    """The second one says so and does not touch what the first is doing."""
    command = [sys.executable, "-m", "compat", "probe", "--device", "cpu", *PROBES]
    first = subprocess.Popen(command, cwd=place.folder, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    first.stdout.readline()
    second = place.compat("probe", "--device", "cpu", *PROBES)
    first.kill()
    first.wait()
    assert second.returncode == 2
    assert second.stderr.startswith("compat: another run is going on in ")


@pytest.fixture
def little_room(place: Place) -> Path:
    """Runs are kept on a disk that is all but full."""
    runs = place.folder / ".compat" / "runs"
    runs.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", runs])
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    return runs


def test_no_room_for_what_is_seen(place: Place, little_room: Path) -> None:
    try:
        probed = place.compat("probe", "--device", "cpu", *PROBES)
        assert probed.returncode == 3
        (line,) = probed.stderr.splitlines()
        assert line.startswith("compat: ")
        assert "no space left on device" in line
        kept = shutil.copytree(little_room, place.folder / "kept")
    finally:
        subprocess.run(["umount", little_room], check=True)
    # With room again, what was seen is there and only the rest is run.
    little_room.rmdir()
    kept.rename(little_room)
    number = len(_contents(little_room).cells)
    status, run = place.matrix(*PROBES)
    assert status == 0
    assert len([cell for cell in run.cells if cell.seen_in != run.sources[-1].id]) == number


def _contents(runs: Path) -> Contents:
    """Of the newest stream, also where a full disk cut one of its lines short."""
    streams = sorted(runs.glob("*/2.13.0-cpu.jsonl"))
    return read_contents(Stream(streams[-1])) if streams else Contents()
