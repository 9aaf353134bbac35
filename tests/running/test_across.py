"""What one build saves, the others load: through the commands that a user types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from compat.builds.environment import Environment, adopt
from compat.runs.ids import BuildId, CheckId
from compat.runs.model import Outcome, Run
from compat.topics.artifacts.records import Across, Load
from compat.topics.matrix import Matrix
from tests.conftest import ROOT
from tests.sabotaged_build import Place, by_check, sabotaged, share_scratch

# Loads another build's aot artifact with other numbers, and dies of a binary one.
BROKEN = """
def off(artifact):
    return lambda *args: [output + 1 for output in artifact(*args)]

def wrap(module):
    load = module.CompiledArtifact.load
    def broken(*, path, format):
        if path.rpartition("/")[0].endswith("saved"):
            header = open(path, "rb").read(64) if os.path.isfile(path) else b""
            if b"AOTCompiledArtifact" in header:
                return off(load(path=path, format=format))
            if header:
                os.abort()
        return load(path=path, format=format)
    module.CompiledArtifact.load = staticmethod(broken)

AFTER["torch._inductor.standalone_compile"] = wrap
"""
SELECTED = ("artifacts.across[aot-", "artifacts.across[binary")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / ".compat").mkdir()
    (tmp_path / ".compat" / "environments").symlink_to(ROOT / ".compat" / "environments")
    return Place(tmp_path)


def test_wrong_and_crashed_loads_are_red(
    place: Place, real_build: Callable[[str], Environment], tmp_path: Path
) -> None:
    real = real_build("2.13")
    python = sabotaged(real, tmp_path / "broken", BROKEN)
    share_scratch(real, adopt(python, place.folder / ".compat" / "environments").scratch)
    status, run = place.matrix(
        *("--builds", "2.13", f"python:{python}", "--depth", "full", "--probes", *SELECTED)
    )
    assert status == 1
    released, broken = (build.id for build in run.builds)
    assert released == "2.13.0-cpu"
    good, bad = (by_load(run, build) for build in (released, broken))
    assert good[f"artifacts.across[aot-{broken.name}]"] == (Outcome.PASS, Load.RIGHT)
    assert {outcome for outcome, _ in good.values()} == {Outcome.PASS}
    assert bad["artifacts.across[aot-2.13.0]"] == (Outcome.FAIL, Load.WRONG)
    assert bad["artifacts.across[binary-2.13.0]"] == (Outcome.FAIL, Load.CRASHED)
    assert by_check(run, broken)["artifacts.saved[aot]"].outcome is Outcome.PASS


def by_load(run: Run, build: BuildId) -> Mapping[CheckId, tuple[Outcome, Load | None]]:
    """How the loads of other builds' artifacts ended."""
    return {
        each.cell.check: (each.cell.outcome, each.record.load if each.record else None)
        for each in Matrix(run).seen(Across, build)
    }
