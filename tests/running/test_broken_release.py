"""A released PyTorch that is broken in one way: the command names what was lost, and no more.

Of ways to break it, tests/mutations has a catalogue; here are those that every table must name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from compat.builds.environment import Environment, adopt
from compat.runs.answers import OUTCOME, Change
from compat.runs.ids import AnswerId, BuildId
from compat.runs.model import Outcome, Run, Status
from compat.runs.store import load
from compat.topics.gates.records import Capability
from compat.topics.matrix import Matrix
from tests.conftest import ROOT
from tests.sabotaged_build import Place, by_check, sabotaged, share_scratch

BFLOAT16 = """
def off(output):
    return output * 1.02 if str(output.dtype) == "torch.bfloat16" else output

def wrap(module):
    real = module.compile_fx
    @functools.wraps(real)
    def compile_fx(*args, **kwargs):
        compiled = real(*args, **kwargs)
        if sys._getframe(1).f_globals["__name__"].startswith("torch._inductor."):
            # Of standalone_compile, or a part of a call that is broken already.
            return compiled
        def call(*inputs):
            result = compiled(*inputs)
            return type(result)(map(off, result)) if type(result) in (tuple, list) else off(result)
        return call
    module.compile_fx = compile_fx

AFTER["torch._inductor.compile_fx"] = wrap
"""

COPYING = """
def wrap(module):
    real = module.standalone_compile
    @functools.wraps(real)
    def standalone_compile(*args, **kwargs):
        return real(*args, **kwargs | {"donate_graph_module": False})
    module.standalone_compile = standalone_compile

AFTER["torch._inductor.standalone_compile"] = wrap
"""

VERSION = """
def lie(module):
    module.__version__ = "2.12.0.dev20260301+cu130"

AFTER["torch.version"] = lie
"""

RELEASED = BuildId("2.13.0-cpu")
PROBES = (
    "parity.outputs[mlp-bfloat16-dynamic",
    "donation.copies",
    "gates.capability",
)


@dataclass(frozen=True, kw_only=True)
class Break:
    """What breaks the build, and the answers that it costs."""

    source: str
    lost: frozenset[str] = frozenset()
    worse: frozenset[str] = frozenset()

    @property
    def red(self) -> set[str]:
        """The checks whose cells end badly."""
        lost = map(AnswerId, self.lost)
        return {answer.check for answer in lost if answer.name == OUTCOME}


BREAKS = {
    "compile-fx-off-in-bfloat16": Break(
        source=BFLOAT16,
        lost=frozenset(
            {
                "parity.outputs[mlp-bfloat16-dynamic-compile_fx].outcome",
                "parity.outputs[mlp-bfloat16-dynamic].same_bits",
            }
        ),
    ),
    "donation-still-copies": Break(
        source=COPYING,
        lost=frozenset({"donation.copies[donated].outcome"}),
        worse=frozenset({"donation.copies[donated].copies"}),
    ),
    "version-of-a-nightly": Break(
        source=VERSION, lost=frozenset({"gates.capability[donate_graph_module].used"})
    ),
}


def build_of(name: str) -> BuildId:
    return BuildId(f"local-{name}-cpu")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What ``compat matrix`` left of all these builds.

    Attributes:
        said: At its end, in the terminal.
        reports: The folder with what it wrote.
    """

    status: int
    said: str
    reports: Path
    run: Run

    def differences(self, build: BuildId, change: Change) -> set[str]:
        """The answers of a build that changed so against its stable twin, as they stand on disk."""
        groups = json.loads((self.reports / "latest/comparisons.json").read_text())["stable"]
        return {
            each["answer"]
            for group in groups["groups"]
            for each in group["differences"]
            if (each["new"]["build"], each["change"]) == (build, change.value)
        }


@pytest.fixture(scope="module")
def told(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Told:
    place = Place(tmp_path_factory.mktemp("broken-release"))
    environments = place.folder / ".compat" / "environments"
    environments.parent.mkdir()
    environments.symlink_to(ROOT / ".compat" / "environments")
    real = real_build("==2.13.0")
    specs = []
    for name, each in BREAKS.items():
        # Always the same folder: precompiled headers know the path of their compiler.
        python = sabotaged(real, ROOT / ".compat" / "broken-release" / name, each.source)
        share_scratch(real, adopt(python, environments).scratch)
        specs.append(f"python:{python}")
    options = ("--builds", "==2.13.0", *specs, "--device", "cpu", "--probes", *PROBES)
    ended = place.compat("matrix", *options)
    assert ended.stderr == ""
    reports = place.folder / "reports"
    run = load(reports / "latest/run.json")
    return Told(status=ended.returncode, said=ended.stdout, reports=reports, run=run)


def test_the_run_is_red_and_the_release_is_not(told: Told) -> None:
    assert told.status == 1
    assert {build.status for build in told.run.builds} == {Status.OK}
    assert {cell.outcome for cell in by_check(told.run, RELEASED).values()} == {Outcome.PASS}
    comparisons = json.loads((told.reports / "latest/comparisons.json").read_text())
    assert set(map(tuple, comparisons["stable"]["pairs"])) == {
        (RELEASED.label, build_of(name).label) for name in BREAKS
    }


@pytest.mark.parametrize("name", BREAKS)
def test_what_was_broken_is_lost_or_worse_and_nothing_else(name: str, told: Told) -> None:
    build, broken = build_of(name), BREAKS[name]
    assert told.differences(build, Change.LOST) == broken.lost
    assert told.differences(build, Change.WORSE) == broken.worse
    asked = by_check(told.run, RELEASED)
    cells = by_check(told.run, build)
    assert cells.keys() == asked.keys()
    red = {check for check, cell in cells.items() if cell.outcome is not Outcome.PASS}
    assert red == broken.red


def test_a_gate_that_a_version_closes_is_missed(told: Told) -> None:
    build = build_of("version-of-a-nightly")
    (lying,) = [each for each in told.run.builds if each.id == build]
    assert lying.version == "2.12.0.dev20260301+cu130"
    (seen,) = Matrix(told.run).seen(Capability, build, feature="donate_graph_module")
    assert seen.record is not None
    assert (seen.record.gate, seen.record.capability) == (False, True)
    (sentence,) = [line for line in told.said.splitlines() if "the gate opens late" in line]
    assert sentence.startswith("* donate_graph_module: ")
    assert sentence.endswith(f"on {build.label}.")


@pytest.mark.parametrize("name", BREAKS)
def test_readme_and_summary_name_each(name: str, told: Told) -> None:
    build = build_of(name)
    readme = (told.reports / "README.md").read_text().replace("\\", "")
    for answer in map(AnswerId, BREAKS[name].lost | BREAKS[name].worse):
        about = "outcome" if answer.name == OUTCOME else f"{answer.check.probe}.{answer.name}"
        for text in (told.said, readme):
            assert f"{about}: " in text
            assert f"{answer.check}@{build}" in text
    assert build.label in (told.reports / "summary.md").read_text()
