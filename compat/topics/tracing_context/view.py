"""The tracing context in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.topics.inputs.view import name_cases
from compat.topics.matrix import Matrix
from compat.topics.tracing_context.finding import (
    CasesOn,
    Cost,
    Deletion,
    Line,
    TracingContext,
)
from compat.topics.tracing_context.records import Fallback, Reentrant, Restored
from compat.topics.words import NOT_KNOWN, glyphs, labels

_NEEDED = {True: "yes", False: "no", None: NOT_KNOWN}
_WORKS = {True: "✅", False: "❌", None: NOT_KNOWN}


def say(_: Matrix, found: TracingContext) -> Iterable[Sentence]:
    """Where the workaround can go, what that rests on, and what it costs."""
    controls = [build for line in found.lines for build in line.those(True)]
    for line in found.lines:
        if needed := line.those(True):
            yield Sentence(
                title=f"tracing context: the workaround is needed on {labels(needed)}",
                text=" ".join(_say_needed(found, line)),
                cells=(*line.cells, *(line.deletion.cost.cells if line.deletion else ())),
            )
        elif free := line.those(False):
            yield Sentence(
                title=f"tracing context: no control for {labels(free)}",
                text=" ".join([*_say_uncontrolled(controls), _ways(found, line)]),
                cells=line.cells,
            )


def _say_uncontrolled(controls: Sequence[BuildId]) -> Iterable[str]:
    yield (
        "No build of this device and Python needs the workaround, so nothing shows that the check "
        "would see the failure."
    )
    if controls:
        yield f"On another device or Python, {labels(controls)} fails, so the check sees it there."


def _say_needed(found: TracingContext, line: Line) -> Iterable[str]:
    yield "compile_fx fails there, inside Dynamo's context, unless the context is hidden."
    if line.deletion is None:
        yield "No later build is known not to need it."
    else:
        yield from _say_deletion(found, line.deletion)
    yield _ways(found, line)


def _say_deletion(found: TracingContext, deletion: Deletion) -> Iterable[str]:
    yield (
        f"It can be deleted from {deletion.builds[0].label} on: {labels(deletion.builds)} compile "
        f"fake inputs of one foreign mode without it. That rests on {found.rests}."
    )
    if deletion.untested:
        yield f"Not known: {labels(deletion.untested)}."
    yield from say_cost(found, deletion.cost)


def say_cost(found: TracingContext, cost: Cost) -> Iterable[str]:
    """What deleting it changes."""
    written = [
        f"{', '.join(each.names)} on {labels(each.builds)} ({name_cases(each.cases, found.cases)})"
        for each in cost.written
    ]
    if written:
        yield f"Without it, compile_fx changes in Dynamo's context: {'; '.join(written)}."
    if cost.refuses:
        yield f"These inputs then stop compiling: {_cases(found, cost.refuses)}."
    if cost.takes:
        yield f"These inputs then begin to compile: {_cases(found, cost.takes)}."
    if cost.uncosted:
        yield f"What deleting it costs is not known in full on {labels(cost.uncosted)}."


def _cases(found: TracingContext, groups: Iterable[CasesOn]) -> str:
    return "; ".join(
        f"{name_cases(each.cases, found.cases)} on {labels(each.builds)}" for each in groups
    )


def _ways(found: TracingContext, line: Line) -> str:
    """Which ways of hiding the context fail on the builds of a line, or that none does."""
    works = {
        strategy: [each for build, each in on.items() if build in line.needed]
        for strategy, on in found.works.items()
    }
    broken = [
        f"{strategy} on {labels(where)}"
        for strategy, on in found.works.items()
        if (where := [build for build in line.needed if on[build] is False])
    ]
    if broken:
        return f"These ways of hiding it fail: {'; '.join(broken)}."
    tried = [strategy for strategy, seen in works.items() if True in seen]
    if not tried:
        return "No way of hiding it was tried."
    unknown = sum(each is None for seen in works.values() for each in seen)
    total = sum(map(len, works.values()))
    rest = f" {unknown} of {total} pairs of way and build are not known." if unknown else ""
    return f"All ways of hiding it work where they were tried: {', '.join(tried)}.{rest}"


def show(matrix: Matrix, found: TracingContext) -> Iterable[Section]:
    """Build × strategy."""
    needed = {build: each for line in found.lines for build, each in line.needed.items()}
    rows: list[list[Text]] = [
        [
            build.label,
            _NEEDED[needed[build.id]],
            *(_WORKS[on[build.id]] for on in found.works.values()),
            *(
                glyphs(each.cell for each in matrix.seen(kind, build.id))
                for kind in (Restored, Fallback, Reentrant)
            ),
        ]
        for build in matrix.builds
        if build.id in needed
    ]
    strategies = map(Code, found.works)
    yield Section(
        title="Tracing context",
        intro="*Needed*: `compile_fx`, called inside Dynamo's tracing context with a piece's fake "
        "inputs, fails unless the context is hidden. The strategies: `tls` assigns "
        "`torch._guards._TLS.tracing_context` (what vLLM ships), `tracing` is "
        "`torch._guards.tracing(None)`, `thread` a fresh thread. *Restores*: the very same context "
        "object is back after success, after an exception and when nested. *Falls back*: with a "
        "private name gone, the next strategy takes over. *Reentrant*: it works in two threads at "
        "once, and inside another compilation or an autograd hook.",
        tables=[
            Table(
                headers=["build", "needed", *strategies, "restores", "falls back", "reentrant"],
                rows=rows,
            )
        ],
        notes=[
            (f"Without it on {build.label}: ", Code(failure))
            for build, failures in found.failures.items()
            for failure in failures
        ],
    )
