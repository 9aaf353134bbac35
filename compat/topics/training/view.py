"""Training in words and a table."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Section, Sentence, Table
from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.training.finding import OnBuild, State, Training
from compat.topics.words import NOT_KNOWN, labels

_GLYPHS = {
    State.WRONG: "❌ wrong",
    State.LOADS_WRONG: "❌ wrong once loaded",
    State.FAILS: "💥 does not run",
    State.NOT_KEPT: "trains, not kept",
    State.KEPT: "✅ kept",
    State.TRAINS: "✅",
    State.UNSUPPORTED: "➖",
    State.UNKNOWN: NOT_KNOWN,
}


def say(matrix: Matrix, found: Training) -> Iterable[Sentence]:
    """For each device and Python: how many computations do what, and where."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        named = ", Python ".join(filter(None, line))
        for state in State:
            where = [
                (on.lesson, on.path, build, each)
                for on in found.lessons
                for build, each in on.builds.items()
                if build.line == line and each.state is state
            ]
            if where and state is not State.UNSUPPORTED:
                details = dict.fromkeys(detail for *_, each in where for detail in each.details)
                yield Sentence(
                    title=f"training on {named}: what is compiled with gradients on {state.value}",
                    text=_places(where) + (f" Seen: {'; '.join(details)}." if details else ""),
                    cells=tuple(each.cell for *_, each in where),
                )


def _places(where: Iterable[tuple[str, str, BuildId, OnBuild]]) -> str:
    """Of which computations this is said on which builds: those of the same ones together."""
    builds: dict[tuple[str, str], list[BuildId]] = {}
    for lesson, path, build, _ in where:
        builds.setdefault((lesson, path), []).append(build)
    paths: dict[tuple[str, tuple[BuildId, ...]], list[str]] = {}
    for (lesson, path), on in builds.items():
        paths.setdefault((lesson, tuple(on)), []).append(path)
    lessons: dict[tuple[tuple[BuildId, ...], tuple[str, ...]], list[str]] = {}
    for (lesson, on_builds), by in paths.items():
        lessons.setdefault((on_builds, tuple(by)), []).append(lesson)
    return " ".join(
        f"On {labels(on)}: {', '.join(those)} ({', '.join(by)})."
        for (on, by), those in lessons.items()
    )


def show(matrix: Matrix, found: Training) -> Iterable[Section]:
    """Computation and path × build."""
    rows = [
        [f"{on.lesson}, {on.path}", *(_said(on.builds.get(build.id)) for build in matrix.builds)]
        for on in found.lessons
    ]
    if rows:
        yield Section(
            title="Compiled with gradients on",
            intro="Forward and back, judged against eager and float64; then saved in each format "
            "before and after the first step, loaded by a new process, and run forward and back "
            "there.",
            tables=[Table(headers=["what", *(build.id for build in matrix.builds)], rows=rows)],
        )


def _said(each: OnBuild | None) -> str:
    return "" if each is None else _GLYPHS[each.state]
