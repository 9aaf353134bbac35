"""A worker that hangs, is stopped, is killed, dies, exits or floods costs one build, and says why.

Each fault is put into each phase of a worker that runs the fake torch.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest
from rich.console import Console

from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import INTERRUPTED
from compat.running.pipeline import probe_builds
from compat.running.progress import LiveProgress
from compat.running.settings import Settings
from compat.runs.model import DEFAULT, Build, Cell, Outcome, Run, Status
from compat.runs.store import RunFolder, merge
from compat.topics.surface.watched import watched
from compat.worker.phases import COLLECT, END, ENVIRONMENT, IMPORT, PROBE, START, WARM_UP
from tests.fake_build import FAULTS, FAULTY, fake_python, put_fault
from tests.running.test_reuse import workers
from tests.sabotaged_build import Place

pytestmark = pytest.mark.slow

PROBES = ("--probes", "gates.capability", "surface.name")
CELLS = len(watched().own)
# Of processor time, and without any.
TIMEOUT_S = 4
TOOK = r"[\d.]+ s of processor time in \d+ s of wall clock"
HUNG = f"hung: no processor time for {TIMEOUT_S} s, {TOOK}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def python(place: Place) -> Path:
    return fake_python(place.folder / "faulty")


def probe(place: Place, *pythons: Path, timeout_s: int = TIMEOUT_S) -> Run:
    """What ``compat probe`` leaves of interpreters."""
    builds = [f"python:{each}" for each in pythons]
    options = ("--device", "cpu", "--timeout", str(timeout_s))
    probed = place.compat("probe", "--builds", *builds, *PROBES, *options)
    assert probed.returncode == 0, probed.stderr
    newest = RunFolder.latest(place.folder / ".compat" / "runs")
    assert newest is not None
    assert "left behind" not in "".join(log.read_text() for log in newest.path.glob("*.log"))
    return merge([newest])


def outcomes(run: Run, build: str = "local-faulty-cpu") -> list[Outcome]:
    return [cell.outcome for cell in run.cells if cell.build == build]


def build_of(run: Run, name: str) -> Build:
    (build,) = (build for build in run.builds if build.id == name)
    return build


def faulty_cell(run: Run) -> Cell:
    (cell,) = (cell for cell in run.cells if cell.check == FAULTY)
    return cell


@pytest.mark.parametrize("phase", [START, IMPORT, ENVIRONMENT, COLLECT])
def test_a_hang_costs_its_build_and_no_other(
    phase: str, place: Place, python: Path, tmp_path: Path
) -> None:
    put_fault(python, phase, FAULTS["hang"])
    run = probe(place, python, fake_python(tmp_path / "sound"))
    faulty, sound = build_of(run, "local-faulty-cpu"), build_of(run, "local-sound-cpu")
    assert faulty.status is Status.BROKEN
    where = "" if phase == START else ', in File "<string>", line 3 in fault'
    assert re.fullmatch(f"{phase}: {HUNG}{where}", faulty.reason)
    assert outcomes(run) == [Outcome.NOT_RUN] * CELLS
    assert {cell.reason for cell in run.cells if cell.build == faulty.id} == {faulty.reason}
    assert sound.status is Status.OK
    assert outcomes(run, sound.id) == [Outcome.PASS] * CELLS


def test_a_hang_after_the_last_cell_loses_none(place: Place, python: Path) -> None:
    put_fault(python, END, FAULTS["hang"])
    run = probe(place, python)
    (build,) = run.builds
    assert build.status is Status.BROKEN
    assert build.reason.startswith(f"{END}: hung: ")
    assert outcomes(run) == [Outcome.PASS] * CELLS


def test_a_hang_in_the_warm_up_is_tried_again(place: Place, python: Path, tmp_path: Path) -> None:
    put_fault(python, WARM_UP, FAULTS["hang"], marker=tmp_path / "mark")
    run = probe(place, python)
    assert (tmp_path / "mark").exists()
    assert run.builds[0].status is Status.OK
    assert outcomes(run) == [Outcome.PASS] * CELLS


@pytest.mark.parametrize(
    ("phase", "fault", "reason"),
    [
        (IMPORT, "spin", f"ran away: {TOOK}, in File .*"),
        (IMPORT, "die", "the worker died of SIGSEGV: .*"),
        (START, "exit", "the worker ended with status 0: it said nothing"),
        (COLLECT, "exit", "the worker ended with status 0: it said nothing"),
        (IMPORT, "flood", "wrote more than 64 MB of output"),
        (ENVIRONMENT, "flood", "wrote more than 64 MB of output"),
    ],
)
def test_what_a_build_does_to_its_worker_is_its_own_fault(
    phase: str, fault: str, reason: str, place: Place, python: Path
) -> None:
    put_fault(python, phase, FAULTS[fault])
    run = probe(place, python)
    (build,) = run.builds
    assert build.status is Status.BROKEN
    assert re.fullmatch(f"{phase}: {reason}", build.reason)
    newest = RunFolder.latest(place.folder / ".compat" / "runs")
    assert newest is not None
    assert sum(log.stat().st_size for log in newest.path.glob("*.log")) < 1 << 20


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        (START, "kill"),
        (COLLECT, "kill"),
        (WARM_UP, "kill"),
        (END, "kill"),
        ("inside pytest", "interrupt"),
    ],
)
def test_who_kills_a_worker_once_costs_nothing(
    phase: str, fault: str, place: Place, python: Path, tmp_path: Path
) -> None:
    put_fault(python, phase, FAULTS[fault], marker=tmp_path / "mark")
    run = probe(place, python)
    assert (tmp_path / "mark").exists()
    assert run.builds[0].status is Status.OK
    assert outcomes(run) == [Outcome.PASS] * CELLS


def test_ctrl_c_ends_the_workers_and_starts_no_other(
    place: Place, python: Path, tmp_path: Path
) -> None:
    """It reaches the runner and its workers, and none is tried again."""
    put_fault(python, IMPORT, f"open({str(tmp_path / 'mark')!r}, 'a').write('x'); time.sleep(600)")
    interrupted = subprocess.Popen(
        [
            # What starts in a shell's background, as these tests may, is deaf to it.
            *("env", "--default-signal=INT", sys.executable, "-m", "compat", "probe"),
            *("--builds", f"python:{python}", *PROBES, "--device", "cpu"),
        ],
        cwd=place.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "mark").exists():
        assert interrupted.poll() is None
        sleep(0.05)
    os.killpg(interrupted.pid, signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert said == "compat: interrupted; what was seen so far is kept\n"
    assert interrupted.returncode == INTERRUPTED
    assert workers(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("kill", "killed from outside by SIGKILL"),
        ("stop", f"stopped from outside by a signal; {HUNG}"),
    ],
)
def test_who_kills_or_stops_it_twice_does_not_break_the_build(
    fault: str, reason: str, place: Place, python: Path, tmp_path: Path
) -> None:
    put_fault(python, IMPORT, FAULTS[fault])
    run = probe(place, python, fake_python(tmp_path / "sound"))
    build = build_of(run, "local-faulty-cpu")
    assert build.status is Status.UNAVAILABLE
    assert re.fullmatch(f"{IMPORT}: {reason}", build.reason)
    assert outcomes(run) == [Outcome.NOT_RUN] * CELLS
    assert outcomes(run, "local-sound-cpu") == [Outcome.PASS] * CELLS


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_what_was_seen_before_a_worker_was_killed_or_stopped_is_kept(
    how: str, place: Place, python: Path
) -> None:
    # Late, so that another cell has passed by then, on a busy machine, too.
    late = f"time.sleep(3); os.kill(os.getppid(), signal.{how}); time.sleep(600)"
    put_fault(python, PROBE, late)
    run = probe(place, python)
    (build,) = run.builds
    assert build.status is Status.OK
    cell = faulty_cell(run)
    assert cell.outcome is Outcome.NOT_RUN
    assert cell.reason == build.reason
    said = {"SIGKILL": "killed from outside by SIGKILL", "SIGSTOP": "stopped from outside"}
    assert cell.reason.startswith(f"{PROBE}: {said[how]}")
    seen = [each for each in run.cells if each.outcome is Outcome.PASS]
    assert seen
    assert {each.outcome for each in run.cells} == {Outcome.PASS, Outcome.NOT_RUN}


@pytest.mark.parametrize(
    ("fault", "outcome", "reason"),
    [
        ("hang", Outcome.TIMEOUT, HUNG),
        ("stop", Outcome.TIMEOUT, HUNG),
        ("spin", Outcome.TIMEOUT, f"ran away: {TOOK}"),
        ("kill", Outcome.CRASH, "killed by SIGKILL"),
        ("die", Outcome.CRASH, "killed by SIGSEGV"),
        ("exit", Outcome.CRASH, "ended with status 0 before it reported"),
        ("flood", Outcome.CRASH, "wrote more than 64 MB of output"),
        ("clean away", Outcome.CRASH, "ended with status 0 before it reported"),
    ],
)
def test_what_a_probe_does_costs_its_cell(
    fault: str, outcome: Outcome, reason: str, place: Place, python: Path
) -> None:
    put_fault(python, PROBE, FAULTS[fault])
    run = probe(place, python)
    assert run.builds[0].status is Status.OK
    cell = faulty_cell(run)
    assert cell.outcome is outcome
    assert re.fullmatch(reason, cell.reason)
    assert cell.first is not None, "it was not tried again"
    assert re.fullmatch(reason, cell.first.reason)
    if outcome is Outcome.TIMEOUT:
        assert "line 3 in fault" in cell.message
    assert len(cell.message) <= 4000
    assert sorted(outcomes(run)) == sorted([Outcome.PASS] * (CELLS - 1) + [outcome])


def test_what_works_for_longer_than_that_on_the_wall_does_not_hang(
    place: Place, python: Path, tmp_path: Path
) -> None:
    """Every second it uses a little of the processor, as anything does beside many others."""
    work = "for _ in range(8): sum(range(5_000_000)); time.sleep(1)"
    put_fault(python, PROBE, work, marker=tmp_path / "mark")
    run = probe(place, python, timeout_s=6)
    cell = faulty_cell(run)
    assert cell.outcome is Outcome.PASS
    assert cell.duration_s > 8


def test_what_a_probe_leaves_in_a_session_of_its_own_ends_with_the_worker(
    place: Place, python: Path, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    put_fault(
        python,
        PROBE,
        "import subprocess; daemon = subprocess.Popen(['sleep', '600'], start_new_session=True); "
        f"open({str(pid)!r}, 'w').write(str(daemon.pid))",
    )
    run = probe(place, python)
    assert outcomes(run) == [Outcome.PASS] * CELLS
    command = ["ps", "-o", "args=", "-p", pid.read_text()]
    assert subprocess.run(command, capture_output=True, text=True).stdout == ""


@pytest.mark.parametrize("foreseen", [True, False])
def test_what_ends_badly_as_expected_is_not_tried_again(
    foreseen: bool, python: Path, tmp_path: Path
) -> None:
    put_fault(python, PROBE, FAULTS["exit"])
    settings = Settings(
        device="cpu",
        probes=PROBES[1:],
        depth=DEFAULT,
        jobs=1,
        timeout_s=TIMEOUT_S,
        memory_gb=1,
        fresh=False,
        home=tmp_path,
        foreseen=lambda cell, build: (
            foreseen and (cell.check, build.id) == (FAULTY, "local-faulty-cpu")
        ),
    )
    resolution = Resolution(specs=(parse_spec(f"python:{python}"),), python=python)
    with LiveProgress(Console(quiet=True)) as progress:
        run = merge([probe_builds([resolution], settings, tmp_path / "runs", progress)])
    cell = faulty_cell(run)
    assert cell.outcome is Outcome.CRASH
    assert (cell.first is None) is foreseen
