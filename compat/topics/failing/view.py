"""Failures in words and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from compat.document.parts import Section, Sentence, Table
from compat.topics.failing.finding import Failures, OnBuild
from compat.topics.failing.records import RIGHT, Aftermath, FailedBackward
from compat.topics.matrix import Matrix, Seen
from compat.topics.words import GLYPHS, NOT_KNOWN, labels, untold


def _graph_gives(each: Aftermath) -> str:
    """What the graph or a copy of it gives, where that is not right."""
    eager, copied = _unless_right(each.eager), _unless_right(each.copied)
    return eager or (f"a copy gives {copied}" if copied else "")


def _unless_right(said: str) -> str:
    return "" if said == RIGHT else said


_SIGNS: tuple[tuple[str, Callable[[Aftermath], str]], ...] = (
    ("the caller's graph is no longer what it was", _graph_gives),
    ("the next compilation goes wrong", lambda each: _unless_right(each.next)),
    ("the process is not as it was", lambda each: ", ".join(each.left)),
    ("it fails elsewhere", lambda each: "" if each.reached else each.signature or "it did not"),
)


def say(matrix: Matrix, found: Failures) -> Iterable[Sentence]:
    """For each device and Python: what a failure leaves behind, and where."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        named = ", Python ".join(filter(None, line))
        every = [
            (each.path, build, on)
            for each in found.paths
            for build, on in each.builds.items()
            if build.line == line
        ]
        for sign, of in _SIGNS:
            where = [
                (f"{path}, {place}: {said}", build, on)
                for path, build, on in every
                for place, each in on.places.items()
                if (said := of(each))
            ]
            if where:
                yield Sentence(
                    title=f"failing on {named}: after a compilation that failed, {sign}",
                    text=f"On {labels(build for _, build, _ in where)}. "
                    f"{'; '.join(dict.fromkeys(said for said, *_ in where))}.",
                    cells=tuple(dict.fromkeys(on.cell for *_, on in where)),
                )
        unknown = [(build, on) for _, build, on in every if not on.places]
        if unknown:
            yield Sentence(
                title=f"failing on {named}: what failures leave behind is not known everywhere",
                text=f"No cell says so on {labels(build for build, _ in unknown)}.",
                cells=tuple(on.cell for _, on in unknown),
            )


def show(matrix: Matrix, found: Failures) -> Iterable[Section]:
    """What is raised, and what becomes of the graph: path and place × build."""
    builds = [build.id for build in matrix.builds]
    headers = ["path, graph, place", *builds]
    rows = {
        (on.path, on.returns, place): [on.builds.get(build) for build in builds]
        for on in found.paths
        for place in dict.fromkeys(place for each in on.builds.values() for place in each.places)
    }
    if rows:
        yield Section(
            title="Compilations that fail: what is raised",
            intro="The exception's type and those that an `except` may name for it.",
            tables=[_table(headers, rows, lambda each: each.raised or "nothing")],
        )
        yield Section(
            title="Compilations that fail: the caller's graph",
            intro="What it gives when it is called eagerly afterwards, and what of it changed.",
            tables=[_table(headers, rows, _graph)],
        )

    backward = [
        [path, *(_backward(on.get(build)) for build in builds)]
        for path, on in found.backward.items()
    ]
    if backward:
        yield Section(
            title="Backward graphs that fail to compile",
            intro="When the failure shows, what is raised, and what the next step gives once "
            "nothing fails any more.",
            tables=[Table(headers=["path", *builds], rows=backward)],
        )


def _backward(seen: Seen[FailedBackward] | None) -> str:
    if seen is None or seen.record is None:
        return "" if seen is None else untold([seen])
    record = seen.record
    again = f"; the next step: {record.again}" if record.again else ""
    return f"{record.stage}: {record.raised or 'nothing'}{again}"


def _graph(each: Aftermath) -> str:
    wrong = _graph_gives(each)
    glyph = f"❌ {wrong}" if wrong else "✅"
    return glyph + (f"; changed: {', '.join(each.changed)}" if each.changed else "")


def _table(
    headers: list[str],
    rows: dict[tuple[str, str, str], list[OnBuild | None]],
    said: Callable[[Aftermath], str],
) -> Table:
    return Table(
        headers=headers,
        rows=[
            [", ".join(name), *(_cell(each, name[-1], said) for each in on)]
            for name, on in rows.items()
        ],
    )


def _cell(on: OnBuild | None, place: str, said: Callable[[Aftermath], str]) -> str:
    if on is None:
        return ""
    if place not in on.places:
        return GLYPHS[on.outcome] if not on.places else NOT_KNOWN
    return said(on.places[place])
