"""A user's suite on a nightly and on its stable twin, through the user's command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from compat.runs.contents import read_contents
from compat.runs.model import Cell, Outcome, Run
from compat.runs.store import RunFolder, load
from compat.runs.stream import Stream
from compat.topics.matrix import Matrix
from compat.topics.suites.finding import Beside, Verdict, find
from tests.builds.index_server import IndexServer, serve
from tests.conftest import ROOT
from tests.fake_torch import name_of, wheel
from tests.sabotaged_build import Place

pytestmark = pytest.mark.slow

STABLE, NIGHTLY = "2.15.0+cpu", "2.16.0.dev20261129+cpu"

SUITE = """
import os, signal
from pathlib import Path

import pytest
import torch

OLD = torch.__version__.startswith("2.15")

def test_passes():
    torch.anything()

def test_regresses():
    assert OLD, "it is gone"

def test_is_broken():
    raise ValueError(f"no luck at {hex(id(object()))}")

def test_is_fixed():
    if OLD:
        raise KeyError("not yet")

class TestMore:
    @pytest.mark.parametrize("text", ["a b", "c@d-e[f]"])
    def test_with(self, text):
        pass

@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@pytest.mark.xfail(OLD, reason="known", strict=True)
def test_known():
    assert not OLD

def test_flaky():
    marker = Path(f"marker-{OLD}.cache")
    if not marker.exists():
        marker.touch()
        raise OSError("once")

def test_dies():
    if not OLD:
        os.kill(os.getpid(), signal.SIGSEGV)

def test_after_that():
    pass
"""
IMPORTED = """
import torch

if not torch.__version__.startswith("2.15"):
    raise ImportError("cannot import name 'gone'")

def test_inside():
    pass
"""
RUNNER = """
import torch
from pathlib import Path

old = torch.__version__.startswith("2.15")
bad = "" if old else '<failure message="boom at 0x12" type="Oops">trace</failure>'
case = f'<testcase classname="a.b" name="c" time="1.5">{bad}</testcase>'
Path("told.cache").write_text(f'<testsuite>{case}<testcase name="d"/></testsuite>')
raise SystemExit(not old)
"""
EXPECTED = {
    "test_passes": Verdict.SAME,
    "test_regresses": Verdict.REGRESSED,
    "test_is_broken": Verdict.BROKEN_ON_BOTH,
    "test_is_fixed": Verdict.FIXED,
    "TestMore::test_with[a b]": Verdict.SAME,
    "TestMore::test_with[c@d-e[f]]": Verdict.SAME,
    "test_skipped": Verdict.NOT_ASKED,
    "test_known": Verdict.FIXED,
    "test_flaky": Verdict.FLAKY,
    "test_dies": Verdict.REGRESSED,
    "test_after_that": Verdict.SAME,
}


@dataclass(frozen=True, kw_only=True)
class Ran:
    status: int
    said: str
    run: Run

    @property
    def cells(self) -> Mapping[tuple[str, str], Cell]:
        return {(cell.build, cell.check): cell for cell in self.run.cells}

    @property
    def beside(self) -> Beside:
        (found,) = find(Matrix(self.run)).beside
        return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A builds file with the address of an index that has both builds."""
    server = IndexServer(
        pages={"/cpu": [name_of(STABLE)], "/nightly/cpu": [name_of(NIGHTLY)]},
        files={name_of(version): wheel(version) for version in (STABLE, NIGHTLY)},
    )
    with serve(server):
        file = tmp_path_factory.mktemp("index") / "builds.toml"
        file.write_text(
            f'builds = ["nightly"]\n[index]\npytorch = "{server.address}"\ntimeout_s = 10\n'
        )
        yield file


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("suite")
    (folder / ".gitignore").write_text("*.cache\n.compat\nreports\n__pycache__\n")
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_it.py").write_text(SUITE)
    (folder / "tests" / "test_other.py").write_text(IMPORTED)
    return Place(folder)


def run(place: Place, index: Path, *arguments: str) -> Ran:
    ended = place.compat(
        *("run", "--builds-file", str(index), "--device", "cpu", *arguments),
    )
    assert ended.stderr == ""
    found = load(place.folder / "reports" / "latest" / "run.json")
    return Ran(status=ended.returncode, said=ended.stdout, run=found)


@pytest.fixture(scope="module")
def ran(place: Place, index: Path) -> Ran:
    return run(place, index, "--name", "mine", "--", "pytest", "tests")


def test_what_each_test_says_beside_the_twin(ran: Ran) -> None:
    said = {
        judged.check.arguments.removeprefix("tests/test_it.py::"): judged.verdict
        for judged in ran.beside.judged
        if "test_it.py::" in judged.check
    }
    assert said == EXPECTED
    assert ran.status == 1
    assert ran.beside.twin == f"{STABLE}-cpu"


def test_a_file_that_cannot_be_imported_regresses_as_a_whole(ran: Ran) -> None:
    regressed = {each.check: each.said for each in ran.beside.of(Verdict.REGRESSED)}
    assert regressed["suite.collected[tests/test_other.py]"] == (
        "ImportError: cannot import name 'gone'"
    )
    assert len(regressed) == 3


def test_a_process_that_dies_costs_one_test(ran: Ran) -> None:
    dead = ran.cells[f"{NIGHTLY}-cpu", "suite.test[tests/test_it.py::test_dies]"]
    assert (dead.outcome, dead.reason) == (Outcome.CRASH, "killed by SIGSEGV")
    assert "test_it.py" in dead.message
    after = ran.cells[f"{NIGHTLY}-cpu", "suite.test[tests/test_it.py::test_after_that]"]
    assert after.outcome is Outcome.PASS


def test_signatures_stay_the_same_from_day_to_day(ran: Ran) -> None:
    broken = ran.cells[f"{STABLE}-cpu", "suite.test[tests/test_it.py::test_is_broken]"]
    assert broken.signature == "ValueError: no luck at 0x…"


def test_what_is_told(ran: Ran, place: Place) -> None:
    assert "suite-mine on 2.16.0.dev20261129+cpu: 3 regressed" in ran.said
    report = (place.folder / "reports" / "README.md").read_text()
    assert "What users brought" in report
    assert "--alone --fresh" in ran.said
    assert "--name mine -- pytest tests" in ran.said


def test_nothing_is_seen_twice_while_nothing_changes(ran: Ran, place: Place, index: Path) -> None:
    (place.folder / "tests" / "test_it.py").write_text(SUITE)
    again = run(place, index, "--name", "mine", "--", "pytest", "tests")
    seen = {cell.seen_in for cell in again.run.cells if not cell.flaky}
    before = {cell.seen_in for cell in ran.run.cells}
    assert len(seen & before) == 1
    assert again.cells.keys() == ran.cells.keys()


def test_a_suite_that_is_killed_goes_on_where_it_was(
    ran: Ran, place: Place, index: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / ".compat").mkdir()
    (folder / ".compat" / "environments").symlink_to(place.folder / ".compat" / "environments")
    count = folder / "count.log"
    tests = "".join(f"def test_{n}(): step({n})\n" for n in range(12))
    (folder / "test_slow.py").write_text(
        f"import time\ndef step(n):\n    time.sleep(0.5)\n"
        f"    with open({str(tmp_path / 'count')!r}, 'a') as file: file.write(f'{{n}}\\n')\n{tests}"
    )
    assert not count.exists()
    command = [
        *(sys.executable, "-m", "compat", "run", "--builds-file", str(index), "--device", "cpu"),
        *("--builds", "nightly", "--alone", "--", "pytest", "-q"),
    ]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        told = (tmp_path / "count").read_text().split() if (tmp_path / "count").exists() else []
        if len(told) >= 4:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len((tmp_path / "count").read_text().split())
    assert done < 12
    (stream,) = RunFolder.all(folder / ".compat" / "runs")[0].streams()
    kept = [cell for cell in read_contents(Stream(stream.path)).cells if cell.endswith("]")]
    ended = Place(folder).compat(*command[3:])
    assert ended.returncode == 0, ended.stderr
    told = (tmp_path / "count").read_text().split()
    # One may have been under way, and one not yet been written down.
    assert 12 <= len(told) <= 14
    assert len(kept) >= 3
    assert sorted(set(map(int, told))) == list(range(12))


def test_a_test_that_hangs_costs_itself(
    ran: Ran, place: Place, index: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "hanging"
    (folder / ".compat").mkdir(parents=True)
    (folder / ".compat" / "environments").symlink_to(place.folder / ".compat" / "environments")
    (folder / "test_it.py").write_text(
        "import time\ndef test_hangs(): time.sleep(600)\ndef test_after(): pass\n"
    )
    found = run(Place(folder), index, "--alone", "--timeout", "8", "--", "pytest", "-q")
    outcomes = {cell.check: (cell.outcome, cell.reason) for cell in found.run.cells}
    outcome, reason = outcomes["suite.test[test_it.py::test_hangs]"]
    assert outcome is Outcome.TIMEOUT
    assert reason.startswith("hung: no processor time for 8 s")
    assert outcomes["suite.test[test_it.py::test_after]"] == (Outcome.PASS, "")
    assert found.status == 1


def test_a_runner_that_leaves_a_junit_file(ran: Ran, place: Place, index: Path) -> None:
    (place.folder / "runner.py").write_text(RUNNER)
    found = run(
        place, index, "--name", "other", "--junit", "told.cache", "--", "python", "runner.py"
    )
    verdicts = {judged.check: judged.verdict for judged in found.beside.judged}
    assert verdicts == {
        "suite.test[a.b::c]": Verdict.REGRESSED,
        "suite.test[d]": Verdict.SAME,
    }
    (regressed,) = found.beside.of(Verdict.REGRESSED)
    assert regressed.said == "Oops: boom at 0x…"


def test_a_script_is_one_check(ran: Ran, place: Place, index: Path) -> None:
    (place.folder / "repro.py").write_text("import sys; assert sys.argv[1:] == ['--now']\n")
    found = run(place, index, "--name", "repro", "--", "python", "repro.py", "--now")
    assert {cell.check for cell in found.run.cells} == {"suite.command[repro.py --now]"}
    assert {cell.outcome for cell in found.run.cells} == {Outcome.PASS}
    assert found.status == 0


def test_what_a_script_raises_is_told_as_data(ran: Ran, place: Place, index: Path) -> None:
    """Also what a wrapper such as Dynamo's holds."""
    (place.folder / "wraps.py").write_text(
        "class Wrapper(Exception): pass\n"
        "error = Wrapper('in vain')\n"
        "error.inner_exception = ValueError('what broke at 0x1234')\n"
        "raise error\n"
    )
    found = run(place, index, "--name", "wraps", "--", "python", "wraps.py")
    assert {cell.outcome for cell in found.run.cells} == {Outcome.ERROR}
    assert {cell.signature for cell in found.run.cells} == {"ValueError: what broke at 0x…"}
    assert found.beside.of(Verdict.BROKEN_ON_BOTH)
    # Nothing passed, so nothing is proved.
    assert found.status == 3


def test_a_suite_that_cannot_begin_says_why(ran: Ran, place: Place, index: Path) -> None:
    ended = place.compat(
        *("run", "--builds-file", str(index), "--device", "cpu", "--alone"),
        *("--", "pytest", "--no-such-option"),
    )
    assert ended.returncode == 2
    assert "--no-such-option" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_what_is_given_in_is_small_and_needs_nothing() -> None:
    given = ROOT / "compat" / "worker" / "given"
    assert {path.name for path in given.glob("*.py")} == {"compat_told.py", "sitecustomize.py"}
    assert all("import compat" not in path.read_text() for path in given.glob("*.py"))
