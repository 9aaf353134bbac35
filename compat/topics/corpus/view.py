"""The graphs in words and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.document.parts import Link, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.topics.corpus.finding import GraphOnBuild, State, WrongGraphs
from compat.topics.matrix import Matrix
from compat.topics.words import NOT_KNOWN, labels

_WRONG = (
    State.CRASHES,
    State.COMPUTES_WRONG,
    State.RETURNS_WRONG,
    State.FAILS_TO_COMPILE,
    State.FAILS_TO_RUN,
)
_GLYPHS = {
    State.CRASHES: "☠️ crashes",
    State.COMPUTES_WRONG: "❌",
    State.RETURNS_WRONG: "❌",
    State.FAILS_TO_COMPILE: "💥 does not compile",
    State.FAILS_TO_RUN: "💥 does not run",
    State.UNKNOWN: NOT_KNOWN,
    State.RIGHT: "✅",
    State.UNSUPPORTED: "➖",
}

Named = Mapping[str, GraphOnBuild]


def say(matrix: Matrix, found: WrongGraphs) -> Iterable[Sentence]:
    """For each device and Python: how many graphs are wrong in which way, and where."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        builds = [build.id for build in matrix.builds if build.id.line == line]
        by_build = {build: on for build in builds if (on := _on(found, build))}
        if by_build:
            yield from _say_line(", Python ".join(filter(None, line)), by_build)


def _on(found: WrongGraphs, build: BuildId) -> Named:
    return {name: on[build] for name, on in found.graphs.items() if build in on}


def _say_line(named: str, by_build: Mapping[BuildId, Named]) -> Iterable[Sentence]:
    # That a build was not run is said elsewhere, and once.
    by_build = {
        build: on
        for build, on in by_build.items()
        if any(each.state is not State.UNKNOWN for each in on.values())
    }
    every = {name for on in by_build.values() for name in on}
    for state in (*_WRONG, State.UNKNOWN):
        where = {
            build: {name: each for name, each in on.items() if each.state is state}
            for build, on in by_build.items()
        }
        graphs = list(dict.fromkeys(name for on in where.values() for name in on))
        if graphs:
            yield Sentence(
                title=f"corpus on {named}: {_counted(len(graphs), len(every))} "
                f"{_plural(state, len(graphs))}",
                text=" ".join(_where(graphs, where)),
                cells=tuple(
                    cell.id for on in where.values() for each in on.values() for cell in each.cells
                ),
            )
    right = [
        build
        for build, on in by_build.items()
        if all(each.state in {State.RIGHT, State.UNSUPPORTED} for each in on.values())
    ]
    if right:
        yield Sentence(
            title=f"corpus on {named}: all graphs are right on {labels(right)}",
            text=f"{len(every)} graphs that once went wrong were asked.",
            cells=tuple(
                cell.id
                for build in right
                for each in by_build[build].values()
                for cell in each.cells
            ),
        )


def _where(graphs: Iterable[str], where: Mapping[BuildId, Named]) -> Iterable[str]:
    """Each graph once, with those that are so on the same builds."""
    alike: dict[tuple[BuildId, ...], list[str]] = {}
    for name in graphs:
        builds = tuple(build for build, on in where.items() if name in on)
        alike.setdefault(builds, []).append(name)
    # What is so everywhere comes first.
    for builds, names in sorted(alike.items(), key=lambda each: -len(each[0])):
        every = len(builds) == len(where) > 1
        yield f"On {'every build that was asked' if every else labels(builds)}: {', '.join(names)}."


def _counted(some: int, every: int) -> str:
    return f"{some} of {every} graphs"


def _plural(state: State, number: int) -> str:
    if number == 1:
        return state.value
    return {
        State.CRASHES: "crash",
        State.COMPUTES_WRONG: "compute something else",
        State.RETURNS_WRONG: "return something else",
        State.FAILS_TO_COMPILE: "do not compile",
        State.FAILS_TO_RUN: "compile, and do not run",
        State.UNKNOWN: "are not known",
    }.get(state, state.value)


def show(matrix: Matrix, found: WrongGraphs) -> Iterable[Section]:
    """Graph × build, of those that are not right everywhere."""
    builds = [build.id for build in matrix.builds if build.id in found.seconds]
    rows = [
        [_name(name, found.links[name]), *(_said(on.get(build)) for build in builds)]
        for name, on in found.graphs.items()
        if any(each.state not in {State.RIGHT, State.UNSUPPORTED} for each in on.values())
    ]
    if rows:
        yield Section(
            title="Graphs that once went wrong",
            intro="A few lines each, from public reports; judged against eager and float64. After "
            "❌: the largest difference from eager, or what else differs. `compat repro CELL` "
            "writes one as a file that needs torch alone. Those that are right on every build and "
            "device are left out: "
            f"{len(found.graphs) - len(rows)} of {len(found.graphs)}.",
            tables=[Table(headers=["graph", *builds], rows=rows)],
            notes=[
                "Seconds of all graphs, capture and compilation included: "
                + ", ".join(f"{build.label} {found.seconds[build]:.0f}" for build in builds)
            ],
        )


def _name(name: str, link: str) -> Text:
    return Link(name, link) if link else name


def _said(each: GraphOnBuild | None) -> str:
    if each is None:
        return ""
    glyph = _GLYPHS[each.state]
    if each.state is State.COMPUTES_WRONG:
        number = "other values" if each.max_abs is None else f"{each.max_abs:.1e}"
        return f"{glyph} {', '.join((number, *each.details))}"
    if each.state is State.RETURNS_WRONG:
        return f"{glyph} {', '.join(each.details)}"
    return glyph
