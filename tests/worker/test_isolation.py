"""One bad cell costs one cell: real builds, broken from outside, through the user's commands."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from compat.builds.environment import Environment, adopt
from compat.runs.model import Cell, Outcome, Status
from tests.conftest import ROOT
from tests.sabotaged_build import (
    IN_STANDALONE_COMPILE,
    Place,
    by_check,
    sabotaged,
    share_bytecode,
)

BUILD = "local-sabotaged-cpu"
PROBES = ("gates.capability", "donation.flag", "donation.copies", "parity.outputs[mlp-float32-st")


@pytest.fixture(scope="module")
def place() -> Place:
    # Always the same folder: precompiled headers know the path of their compiler.
    folder = ROOT / ".compat" / "isolation"
    shutil.rmtree(folder / ".compat" / "runs", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return Place(folder)


@pytest.fixture(scope="module")
def broken_by(
    real_build: Callable[[str], Environment], place: Place
) -> Callable[[str], tuple[str, Path]]:
    """The spec of torch 2.13 under a sabotage, and its scratch folder."""
    real = real_build("2.13")

    def make(source: str) -> tuple[str, Path]:
        python = sabotaged(real, place.folder / "sabotaged", source)
        scratch = adopt(python, place.folder / ".compat" / "environments").scratch
        share_bytecode(real, scratch)
        return f"python:{python}", scratch

    return make


@pytest.fixture(scope="module")
def unharmed(place: Place, broken_by: Callable[[str], tuple[str, Path]]) -> Mapping[str, Cell]:
    """The cells as they are without sabotage."""
    spec, _ = broken_by("")
    status, run = place.matrix("--builds", spec, "--probes", *PROBES)
    assert status == 0
    cells = by_check(run, BUILD)
    assert {cell.outcome for cell in cells.values()} == {Outcome.PASS}
    assert len(cells) == 14
    return cells


def assert_others_unharmed(
    cells: Mapping[str, Cell], unharmed: Mapping[str, Cell], harmed: set[str]
) -> None:
    assert cells.keys() == unharmed.keys()
    others = {check: cell.outcome for check, cell in cells.items() if check not in harmed}
    assert others == {check: unharmed[check].outcome for check in others}
    assert all(cells[check].first is None for check in others)


FATAL = """
def sabotage(test):
    if test == "test_flag[static]":
        ctypes.string_at(0)
    if test == "test_flag[dynamic]":
        ctypes.PyDLL(None).sleep(600)
    if test == "test_copies[standalone]":
        blocks = []
        while True:
            blocks.append(b"x" * (1 << 28))
    if test == "test_outputs[mlp-float32-static-standalone]" and not os.path.exists(MARK):
        open(MARK, "w").close()
        os.abort()
    if test == "test_outputs[mlp-float32-static-aot]":
        raise RuntimeError("broken for good")
"""


def test_what_kills_a_process(
    place: Place,
    broken_by: Callable[[str], tuple[str, Path]],
    unharmed: Mapping[str, Cell],
    tmp_path: Path,
) -> None:
    spec, _ = broken_by(f"MARK = {str(tmp_path / 'mark')!r}\n{FATAL}{IN_STANDALONE_COMPILE}")
    limits = ("--timeout", "30", "--memory", "3")
    status, run = place.matrix("--builds", spec, "--probes", *PROBES, *limits)
    assert status == 1
    cells = by_check(run, BUILD)
    expected = {
        "donation.flag[static]": (Outcome.CRASH, "killed by SIGSEGV"),
        "donation.flag[dynamic]": (Outcome.TIMEOUT, "hung: no processor time for 30 s, "),
        "donation.copies[standalone]": (Outcome.CRASH, "used more than 3 GB of memory"),
        "parity.outputs[mlp-float32-static-aot]": (Outcome.ERROR, "broken for good"),
    }
    for check, (outcome, reason) in expected.items():
        cell = cells[check]
        assert cell.outcome is outcome
        assert cell.reason.startswith(reason)
        assert cell.first is not None, f"{check} was not tried again"
        assert cell.first.outcome is outcome
        assert cell.first.reason.startswith(reason)
        assert not cell.flaky
    assert "in sabotage" in cells["donation.flag[dynamic]"].message
    flaky = cells["parity.outputs[mlp-float32-static-standalone]"]
    assert flaky.outcome is Outcome.PASS
    assert flaky.flaky
    assert flaky.first is not None
    assert (flaky.first.outcome, flaky.first.reason) == (Outcome.CRASH, "killed by SIGABRT")
    assert_others_unharmed(cells, unharmed, {*expected, flaky.check})
    report = (place.folder / "reports/README.md").read_text()
    assert "flaky: at first crash, killed by SIGABRT" in report

    # What failed when it was seen last is not tried twice once more.
    check = "parity.outputs[mlp-float32-static-aot]"
    status, run = place.matrix("--builds", spec, "--probes", check)
    assert status == 1
    (cell,) = run.cells
    assert cell.outcome is Outcome.ERROR
    assert cell.first is None


def test_a_standalone_compile_that_exits(
    place: Place, broken_by: Callable[[str], tuple[str, Path]], unharmed: Mapping[str, Cell]
) -> None:
    spec, _ = broken_by(f"def sabotage(test):\n    os._exit(0)\n{IN_STANDALONE_COMPILE}")
    status, run = place.matrix("--builds", spec, "--probes", *PROBES, "settings")
    assert status == 1
    cells = dict(by_check(run, BUILD))
    # It exits in a process of the probe's own, which lives to tell.
    cell = cells.pop("settings.standalone_switch[float32]")
    assert cell.outcome is Outcome.ERROR
    assert cell.reason == "the new process ended with 0 before it answered"
    harmed = {
        "donation.flag[static]",
        "donation.flag[dynamic]",
        "donation.copies[standalone]",
        "donation.copies[donated]",
        *(
            f"parity.outputs[mlp-float32-static-{path}]"
            for path in ("standalone", "aot", "donated")
        ),
    }
    for check in harmed:
        assert cells[check].outcome is Outcome.CRASH, check
        assert cells[check].reason == "ended with status 0 before it reported"
    assert_others_unharmed(cells, unharmed, harmed)


@pytest.mark.parametrize(
    ("sabotage", "reason"),
    [
        (
            "def fail():\n    raise ImportError('libcudart.so.13: cannot open')\n"
            "BEFORE['torch._C'] = fail\n",
            "import: the worker ended with status 1: ImportError: libcudart.so.13: cannot open",
        ),
        (
            "BEFORE['torch._C'] = lambda: ctypes.PyDLL(None).sleep(600)\n",
            "import: hung: no processor time for 40 s, ",
        ),
    ],
    ids=["fails", "hangs"],
)
def test_an_import_that(
    sabotage: str,
    reason: str,
    place: Place,
    broken_by: Callable[[str], tuple[str, Path]],
    real_build: Callable[[str], Environment],
) -> None:
    spec, _ = broken_by(sabotage)
    real = real_build("2.13")
    clean = sabotaged(real, place.folder / "clean", "")
    share_bytecode(real, adopt(clean, place.folder / ".compat" / "environments").scratch)
    builds = ("--builds", spec, f"python:{clean}")
    status, run = place.matrix(*builds, "--probes", "gates.capability", "--timeout", "40")
    assert status == 1
    build = next(build for build in run.builds if build.id == BUILD)
    assert build.status is Status.BROKEN
    assert build.reason.startswith(reason)
    cells = by_check(run, BUILD).values()
    assert [(cell.outcome, cell.reason) for cell in cells] == [(Outcome.NOT_RUN, build.reason)] * 4
    others = by_check(run, "local-clean-cpu").values()
    assert [cell.outcome for cell in others] == [Outcome.PASS] * 4


@pytest.fixture
def small_disk(broken_by: Callable[[str], tuple[str, Path]]) -> Iterator[None]:
    """A disk of its own for what the probes write."""
    _, scratch = broken_by("")
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", temporary])
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield
    subprocess.run(["umount", temporary], check=True)


FILL = """
def sabotage(test):
    if test == "test_copies[donated]":
        folder = os.environ["TORCHINDUCTOR_CACHE_DIR"]
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "filler"), "wb", buffering=0) as file:
            try:
                while file.write(b"x" * (1 << 20)):
                    pass
            except OSError:
                pass
"""


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk(
    place: Place, broken_by: Callable[[str], tuple[str, Path]], unharmed: Mapping[str, Cell]
) -> None:
    spec, _ = broken_by(FILL + IN_STANDALONE_COMPILE)
    status, run = place.matrix("--builds", spec, "--probes", *PROBES, "--jobs", "1")
    cells = by_check(run, BUILD)
    full = cells["donation.copies[donated]"]
    assert (full.outcome, full.reason) == (Outcome.NOT_RUN, "no space left on device")
    assert_others_unharmed(cells, unharmed, {full.check})
    assert status == 1
