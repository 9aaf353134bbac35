"""Subjects in one run, on a build that is broken for one of them: each cell says what is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from compat.builds.environment import Environment, adopt
from compat.findings.answers import answers_of
from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome, Run, Status
from compat.runs.store import load
from compat.topics.matrix import Matrix
from tests.conftest import ROOT
from tests.sabotaged_build import Place, sabotaged, share_scratch

BACKENDS = ROOT / "tests" / "subjects" / "backends"

# Only inside Dynamo: what is compiled is off, so is what is loaded, and caches lose what they hold.
SABOTAGE = """
import shutil

class Off:
    def __init__(self, artifact):
        self.artifact = artifact

    def __call__(self, *args):
        result = self.artifact(*args)
        return type(result)(each * 1.02 for each in result)

    def __getattr__(self, name):
        return getattr(self.artifact, name)

def running(probe):
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    return f"::test_{probe}[" in test and "-inside]" in test

def wrap(module):
    compile, load = module.standalone_compile, module.CompiledArtifact.load

    @functools.wraps(compile)
    def standalone_compile(*args, **kwargs):
        if running("again"):
            shutil.rmtree(os.environ["TORCHINDUCTOR_CACHE_DIR"], ignore_errors=True)
        artifact = compile(*args, **kwargs)
        return Off(artifact) if running("compiled") else artifact

    @functools.wraps(load)
    def off(*args, **kwargs):
        artifact = load(*args, **kwargs)
        return Off(artifact) if running("loaded") else artifact

    module.standalone_compile = standalone_compile
    module.CompiledArtifact.load = staticmethod(off)

AFTER["torch._inductor"] = wrap
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    status: int
    said: str
    run: Run

    def cells(self, subject: str) -> dict[str, Cell]:
        """Of a subject: by probe and place."""
        return {
            f"{cell.probe} {cell.params.get('place', '')}".strip(): cell
            for cell in self.run.cells
            if cell.subject == subject
        }


@pytest.fixture(scope="module")
def told(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Told:
    place = Place(tmp_path_factory.mktemp("subjects"))
    environments = place.folder / ".compat" / "environments"
    environments.parent.mkdir()
    environments.symlink_to(ROOT / ".compat" / "environments")
    real = real_build("==2.13.0")
    python = sabotaged(real, ROOT / ".compat" / "broken-release" / "for-subjects", SABOTAGE)
    share_scratch(real, adopt(python, environments).scratch)
    # A source tree in which what the adapter imports is not there.
    (place.folder / "gone" / "torchtitan").mkdir(parents=True)
    ended = place.compat(
        *("matrix", "--device", "cpu", "--builds", f"python:{python}", "--subject"),
        *(f"mine:{BACKENDS / 'toy.py'}", f"mine:{BACKENDS / 'forgetful.py'}"),
        f"torchtitan:{place.folder / 'gone'}",
    )
    assert ended.stderr == ""
    run = load(place.folder / "reports" / "latest" / "run.json")
    return Told(status=ended.returncode, said=ended.stdout, run=run)


def outcomes(cells: dict[str, Cell]) -> dict[str, Outcome]:
    return {name: cell.outcome for name, cell in cells.items()}


def test_each_probe_is_red_where_just_that_is_broken(told: Told) -> None:
    assert told.status == 1
    cells = told.cells("mine-toy")
    assert outcomes(cells) == {
        "subject.imported": Outcome.PASS,
        "subject.compiled inside": Outcome.FAIL,
        "subject.loaded inside": Outcome.FAIL,
        "subject.again inside": Outcome.FAIL,
        "subject.compiled outside": Outcome.PASS,
        "subject.loaded outside": Outcome.PASS,
        "subject.again outside": Outcome.PASS,
    }
    for name in ("subject.compiled inside", "subject.loaded inside"):
        assert "rounding steps" in cells[name].reason
    # On a busy machine something may still write into what is taken away, and be found.
    assert re.fullmatch(
        r"torch's caches were hit \d+ times and missed [1-9]\d* times",
        cells["subject.again inside"].reason,
    )


def test_what_a_stand_in_lacks_is_named(told: Told) -> None:
    cells = told.cells("mine-forgetful")
    compiled = cells["subject.compiled inside"]
    assert compiled.outcome is Outcome.ERROR
    assert "AttributeError" in compiled.signature
    assert "@ torch._inductor" in compiled.signature
    # What another process raised has the same signature.
    assert cells["subject.again inside"].signature == compiled.signature
    assert "torch reads compat_mine.AlwaysHit.var_to_hint_override" in told.said


def test_what_was_seen_before_it_broke_is_kept(told: Told) -> None:
    (build,) = told.run.builds
    said = answers_of(Matrix(told.run), build, "mine-forgetful")
    values = {name.name: answer.value for name, answer in said.items() if "inside" in name.check}
    assert values["missing"] == "compat_mine.AlwaysHit.var_to_hint_override"
    assert "torch._inductor.codecache.FxGraphCache._get_shape_env" in str(values["patched"])


def test_a_subject_that_cannot_be_imported_costs_its_own_cells(told: Told) -> None:
    cells = told.cells("torchtitan-gone")
    assert {cell.outcome for cell in cells.values()} == {Outcome.ERROR}
    assert {"subject.imported", "subject.compiled inside"} <= cells.keys()
    assert {cell.reason for cell in cells.values()} == {"No module named 'torchtitan.distributed'"}
    (build,) = told.run.builds
    assert build.status is Status.OK
    assert {(pair.build, pair.status) for pair in told.run.pairs} == {
        (BuildId("local-for-subjects-cpu"), Status.OK)
    }


def test_nothing_of_the_builtin_subject_was_asked(told: Told) -> None:
    assert {cell.subject for cell in told.run.cells} == {
        "mine-forgetful",
        "mine-toy",
        "torchtitan-gone",
    }
    assert {Path(each.requested.partition(":")[2]).stem for each in told.run.subjects} == {
        "forgetful",
        "toy",
        "gone",
    }
