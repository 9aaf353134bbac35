"""What only a GPU can be asked, and where it differs from a CPU with the same torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from compat.runs.answers import (
    ENDING,
    Answer,
    Ending,
    Good,
    Said,
    count,
    quantity,
    text,
    verdict,
)
from compat.runs.ids import AnswerId, BuildId, CellId
from compat.runs.model import Build, Outcome, Status
from compat.topics.devices.finding import Differences, differences, find
from compat.topics.devices.records import Fakes
from tests.topics.cells import make_build, make_cell, make_matrix
from tests.topics.devices.test_answers import FAKES, HIGHEST, MB

CPU = make_build("2.13.0-cpu", git_version="abc", python="3.11.7")
GPU = make_build(
    "local-mine-cuda", git_version="abc", python="3.11.9", version="2.13.0+cu130", channel="local"
)


def compared(builds: Iterable[Build], said: dict[BuildId, list[tuple[str, Said]]]) -> Differences:
    """``said`` by build: checks, and what each says."""

    def answers_of(build: Build) -> list[Answer]:
        return [
            Answer(
                id=AnswerId(f"{check}.{each.name}"),
                scale=each.scale,
                value=each.value,
                cells=(CellId(f"{check}@{build.id}"),),
            )
            for check, each in said[build.id]
        ]

    return differences(make_matrix(builds=tuple(builds)), answers_of)


def ended(outcome: Outcome, signature: str = "") -> Said:
    return Said(name="outcome", scale=ENDING, value=Ending(outcome=outcome, signature=signature))


def test_what_differs_and_only_that() -> None:
    found = compared(
        [CPU, GPU],
        {
            CPU.id: [
                ("a.same", verdict("needed", True)),
                ("b.answer", verdict("needed", False)),
                ("c.end", ended(Outcome.PASS)),
                ("d.silent", ended(Outcome.PASS)),
                ("e.text", text("kernels", "cpp")),
                ("f.size", quantity("memory", 1.0, noise=0.1)),
                ("g.count", count("copies", 0)),
                ("h.count", count("kernels", 1, good=Good.NEITHER)),
                ("i.unknown", verdict("works", None)),
                ("j.only_here", verdict("works", True)),
            ],
            GPU.id: [
                ("a.same", verdict("needed", True)),
                ("b.answer", verdict("needed", True)),
                ("c.end", ended(Outcome.FAIL, "off by 1")),
                ("d.silent", ended(Outcome.NOT_RUN)),
                ("e.text", text("kernels", "triton")),
                ("f.size", quantity("memory", 9.0, noise=0.1)),
                ("g.count", count("copies", 1)),
                ("h.count", count("kernels", 2, good=Good.NEITHER)),
                ("i.unknown", verdict("works", True)),
            ],
        },
    )
    assert [(each.answer, each.cpu, each.gpu) for each in found.differences] == [
        ("b.answer.needed", False, True),
        (
            "c.end.outcome",
            Ending(outcome=Outcome.PASS),
            Ending(outcome=Outcome.FAIL, signature="off by 1"),
        ),
        ("g.count.copies", 0, 1),
    ]
    assert found.differences[0].cells == ("b.answer@2.13.0-cpu", "b.answer@local-mine-cuda")
    assert [(pair.cpu, pair.gpu, pair.same_python) for pair in found.twins] == [
        (CPU.id, GPU.id, True)
    ]


def test_builds_that_differ_alike_stand_together() -> None:
    older = [
        replace(CPU, id=BuildId("2.12.1-cpu"), version="2.12.1+cu130", git_version="def"),
        replace(GPU, id=BuildId("2.12.1-cuda"), version="2.12.1+cu130", git_version="def"),
    ]
    builds = [*older, CPU, GPU]
    said = {
        build.id: [("b.answer", verdict("needed", build.id.device == "cuda"))] for build in builds
    }
    (difference,) = compared(builds, said).differences
    assert [pair.gpu for pair in difference.twins] == ["2.12.1-cuda", "local-mine-cuda"]
    assert len(difference.cells) == 4


def pairs(*builds: Build) -> tuple[list[tuple[BuildId, BuildId]], tuple[BuildId, ...]]:
    found = compared(builds, {build.id: [] for build in builds})
    return [(pair.cpu, pair.gpu) for pair in found.twins], found.alone


def test_another_torch_is_no_twin() -> None:
    other_release = replace(CPU, id=BuildId("2.12.1-cpu"), version="2.12.1+cu130")
    other_commit = replace(CPU, git_version="def")
    assert pairs(other_release, GPU) == ([], (GPU.id,))
    assert pairs(other_commit, GPU) == ([], (GPU.id,))
    assert pairs(replace(CPU, status=Status.BROKEN), GPU) == ([], (GPU.id,))
    assert pairs(CPU, replace(GPU, status=Status.UNAVAILABLE)) == ([], ())


def test_the_twin_with_the_same_python_goes_first() -> None:
    other = replace(CPU, id=BuildId("2.13.0-py3.10-cpu"), python="3.10.13")
    assert pairs(other, CPU, GPU) == ([(CPU.id, GPU.id)], ())
    (pair,) = compared([other, GPU], {other.id: [], GPU.id: []}).twins
    assert (pair.cpu, pair.same_python) == (other.id, False)


def test_what_a_gpu_does_that_nobody_expects() -> None:
    build = "2.13.0-cuda"
    allocating = replace(FAKES, compiling_b=114 * MB)
    cells = [
        make_cell(build, allocating, Outcome.FAIL, params={"sizes": "single", "path": "aot"}),
        make_cell(build, FAKES, params={"sizes": "single", "path": "compile_fx"}),
        make_cell(build, replace(HIGHEST, tf32_used=True), params={"precision": "highest"}),
        make_cell(build, replace(HIGHEST, tf32_used=True, tf32_allowed=True), params={"p": "high"}),
        make_cell(
            "2.14.1-cuda",
            None,
            Outcome.CRASH,
            probe="cuda.fakes",
            params={"sizes": "single", "path": "aot"},
        ),
    ]
    found = find(make_matrix(*cells))
    assert [(each.build, each.cells) for each in found.allocating] == [(build, (cells[0].id,))]
    assert [each.checks for each in found.disobedient] == [(cells[2].check,)]
    asked = found.checks[cells[0].check]
    assert [type(each.record) for each in asked.values()] == [Fakes, type(None)]
    assert find(make_matrix()).checks == {}
