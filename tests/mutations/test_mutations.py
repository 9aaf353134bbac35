"""What the matrix tells of torch, broken in each way of the catalogue: all of it, and no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.version import Version

from compat.builds.config import load_builds
from compat.builds.environment import Environment
from compat.builds.spec import Kind
from compat.runs.decode import read_json
from compat.runs.ids import BuildId
from compat.runs.model import Build, Device, to_json
from compat.runs.store import alone
from compat.runs.stream import Stream
from tests.conftest import ROOT, ask_worker
from tests.mutations.told import Expected, Verdict, verdicts

# Builds that are broken in each way, parted by blanks; else the newest release is, in quick ways.
ASKED = os.environ.get("COMPAT_MUTATED", "").split()
QUICK = max(
    (each.text for each in load_builds().specs if each.kind is Kind.SERIES), key=Version, default=""
)

BACKEND = ROOT / "tests" / "subjects" / "backends" / "toy.py"

BUILD = Build(
    id=BuildId.of("local-unbroken", "cpu"),
    aliases=("unbroken",),
    requested="unbroken",
    channel="local",
    device=Device(kind="cpu"),
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    catalogue: Mapping[str, Expected]
    verdicts: Mapping[str, Verdict]


@pytest.fixture(scope="module", params=ASKED or [QUICK])
def build(request: pytest.FixtureRequest, real_build: Callable[[str], Environment]) -> Environment:
    return real_build(request.param)


def ask(build: Environment, folder: Path, *options: str, **variables: str) -> Seen:
    """One worker asks the probes under each mutation of a build."""
    stream, catalogue = Stream(folder / "stream.jsonl"), folder / "catalogue.json"
    stream.append("build", to_json(BUILD))
    ask_worker(
        build,
        stream,
        "tests.mutations.plugin",
        f"--artifacts={folder / 'artifacts'}",
        *options,
        COMPAT_MUTATIONS=str(catalogue),
        **variables,
    )
    expected = read_json(catalogue, dict[str, Expected])
    if "COMPAT_THROUGH" in variables:
        # What it says besides of a cell that is told follows from the same break.
        expected = {
            name: Expected(told=each.through, also=(r"^subject[.]",) if each.through else ())
            for name, each in expected.items()
        }
    return Seen(catalogue=expected, verdicts=verdicts(*alone(stream), expected))


@pytest.mark.selfcheck
@pytest.mark.timeout(5400)
def test_each_mutation_is_told_and_nothing_else(build: Environment, tmp_path: Path) -> None:
    judge(ask(build, tmp_path, COMPAT_QUICK="" if ASKED else "1"))


@pytest.mark.timeout(5400)
def test_each_is_told_through_a_backend_of_ones_own(build: Environment, tmp_path: Path) -> None:
    """The quick ones: one that calls what is broken shows it, and is silent of all others."""
    options = ("--subject", "mine", "--subject-file", str(BACKEND))
    judge(ask(build, tmp_path, *options, COMPAT_QUICK="1", COMPAT_THROUGH="1"))


def judge(seen: Seen) -> None:
    wrong = {name: each for name, each in seen.verdicts.items() if not each.right}
    right = len(seen.verdicts) - len(wrong)
    print(f"{right} of {len(seen.verdicts)} mutations are told as they must be")
    replayed = [name for name, each in seen.catalogue.items() if each.replays and name not in wrong]
    print(f"{len(replayed)} of them are breakages that were real")
    for name, each in wrong.items():
        for pattern in each.missed:
            print(f"{name}: nothing was told like {pattern}")
        for told in each.false:
            print(f"{name}: false alarm: {told}")
    assert not wrong
