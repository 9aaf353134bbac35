"""Executions merged into one run: in any order, any number of times, and every cell once."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.runs.ids import BuildId, CellId, CheckId
from compat.runs.model import Cell, Outcome, Run, Status, to_json
from compat.runs.store import RunFolder, load, merge, write_json
from tests.conftest import RECORDED, SOURCE, build_id, make_build

BUILDS = ["2.13.0", "2.14.1", "2.16.0.dev20261122", "nightly"]
PROBE = "donation.copies"
PATHS = ["aot", "eager", "standalone"]


@dataclass(frozen=True)
class Seen:
    """What an execution wrote of a build: how each check that it planned ended, and it itself."""

    outcomes: Mapping[str, Outcome | None]
    end: Status | None


SEEN = st.builds(
    Seen,
    st.dictionaries(st.sampled_from(PATHS), st.none() | st.sampled_from(Outcome)),
    st.none() | st.sampled_from(Status),
)
# By build; the first is the oldest.
EXECUTIONS = st.lists(
    st.dictionaries(st.sampled_from(BUILDS), SEEN, min_size=1), min_size=1, max_size=3
)


def write(parent: Path, executions: list[dict[str, Seen]]) -> list[RunFolder]:
    shutil.rmtree(parent, ignore_errors=True)
    folders = []
    for number, execution in enumerate(executions):
        source = replace(SOURCE, id=f"2026-11-{20 + number}T050000.000Z")
        folder = RunFolder(parent / source.id)
        write_json(folder.path / "header.json", to_json(source))
        for name, seen in execution.items():
            stream = folder.stream(build_id(name))
            stream.append("build", to_json(make_build(name)))
            checks = [
                ({"probe": PROBE, "params": {"path": path}}, outcome)
                for path, outcome in seen.outcomes.items()
            ]
            if checks:
                stream.append("plan", *({**check, "description": "Copies."} for check, _ in checks))
            if ended := [{**check, "outcome": each} for check, each in checks if each]:
                stream.append("cell", *ended)
            if seen.end:
                stream.append("end", {"status": seen.end, "reason": f"{seen.end.value} {number}"})
        folders.append(folder)
    return folders


def expected(executions: list[dict[str, Seen]]) -> dict[tuple[BuildId, CheckId], Outcome]:
    """Each check that a build planned, as it ended last; of what planned none, those of all."""
    found: dict[tuple[BuildId, CheckId], Outcome] = {}
    for execution in executions:
        for name, seen in execution.items():
            for path, outcome in seen.outcomes.items():
                key = (build_id(name), CheckId(f"{PROBE}[{path}]"))
                known = found.get(key, Outcome.NOT_RUN)
                found[key] = known if outcome in {None, Outcome.NOT_RUN} else outcome or known
    builds = {build_id(name) for execution in executions for name in execution}
    checks = {check for _, check in found}
    silent = builds - {build for build, _ in found}
    return found | {(build, check): Outcome.NOT_RUN for build in silent for check in checks}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on a disk that need not be waited for."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield tmp_path_factory.mktemp("merge") / "runs"


@settings(max_examples=50)
@given(executions=EXECUTIONS)
def test_every_check_of_every_build_has_the_cell_that_was_seen_last(
    parent: Path, executions: list[dict[str, Seen]]
) -> None:
    run = merge(write(parent, executions))
    seen = [((cell.build, cell.check), cell.outcome) for cell in run.cells]
    assert dict(seen) == expected(executions)
    assert len(seen) == len(dict(seen))
    assert {build.id for build in run.builds} == {
        build_id(name) for execution in executions for name in execution
    }
    sources = {source.id for source in run.sources}
    assert {cell.seen_in for cell in run.cells if cell.outcome is not Outcome.NOT_RUN} <= sources
    assert {cell.seen_in for cell in run.cells if cell.outcome is Outcome.NOT_RUN} <= {""}


@settings(max_examples=50)
@given(executions=EXECUTIONS, chance=st.randoms(use_true_random=False))
def test_the_order_of_folders_does_not_matter(
    parent: Path, executions: list[dict[str, Seen]], chance: random.Random
) -> None:
    folders = write(parent, executions)
    assert merge(chance.sample(folders, len(folders))) == merge(folders)


@settings(max_examples=50)
@given(executions=EXECUTIONS)
def test_what_is_merged_twice_is_as_what_is_merged_once(
    parent: Path, executions: list[dict[str, Seen]]
) -> None:
    folders = write(parent, executions)
    assert merge([*folders, *folders]) == merge(folders)


@settings(max_examples=50)
@given(executions=EXECUTIONS)
def test_a_run_that_was_published_is_merged_as_the_executions_that_it_came_of(
    parent: Path, executions: list[dict[str, Seen]]
) -> None:
    *earlier, last = write(parent, executions)
    whole = merge([*earlier, last])
    again = merge([], [whole])
    assert again.builds == whole.builds
    assert ended(again) == ended(whole)
    if earlier:
        assert saw(merge([last], [merge(earlier)])) == saw(whole)


def ended(run: Run) -> list[tuple[CellId, Outcome]]:
    return [(cell.id, cell.outcome) for cell in run.cells]


def saw(run: Run) -> list[Cell]:
    return [cell for cell in run.cells if cell.seen_in]


def test_a_run_as_it_was_seen_comes_back() -> None:
    run = load(RECORDED)
    assert merge([], [run]) == run
