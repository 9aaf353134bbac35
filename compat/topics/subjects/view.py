"""Subjects in words and tables."""

from __future__ import annotations

from collections.abc import Iterable

from compat.adapters.protocol import Verdict
from compat.document.parts import Code, Section, Sentence, Strong, Table, Text
from compat.runs.ids import BuildId
from compat.runs.model import Build, Outcome, Status
from compat.topics.matrix import Matrix
from compat.topics.subjects.finding import Failure, Path, Subjects, is_supported
from compat.topics.words import GLYPHS, glyphs, labels

_GATES = {
    Verdict.USED: "✅ used",
    Verdict.MISSED: "🟡 missed",
    Verdict.BROKEN: "❌ broken",
    Verdict.ABSENT: "➖ absent",
}


def say(_: Matrix, subjects: Subjects) -> Iterable[Sentence]:
    """What breaks, each way once; then which gates miss or break a feature."""
    for failure in subjects.failures:
        if failure.claimed:
            yield _say_failure(failure)
    for decisions in subjects.decisions:
        if broken := decisions.those(Verdict.BROKEN):
            yield Sentence(
                title=f"{decisions.subject}: passes {decisions.feature} where it is not there",
                text=f"torch does not take it on {labels(broken)} and raises a TypeError.",
                cells=tuple(cell for build in broken for cell in decisions.cells[build]),
            )
        if missed := decisions.those(Verdict.MISSED):
            yield Sentence(
                title=f"{decisions.subject}: does not use {decisions.feature}",
                text=f"torch takes it on {labels(missed)}; {decisions.subject} does not pass it.",
                cells=tuple(cell for build in missed for cell in decisions.cells[build][:1]),
            )


def _say_failure(failure: Failure) -> Sentence:
    said = [
        f"torch reads {', '.join(failure.missing)}, which the subject's object lacks."
        if failure.missing
        else f"{failure.reason.rstrip('.')}."
    ]
    if failure.worked is not None:
        said.append(f"The last build on which it works is {failure.worked.label}.")
    if failure.unclaimed:
        said.append(
            f"It breaks in the same way on {labels(failure.unclaimed)}, which this release does "
            f"not claim to support."
        )
    return Sentence(
        title=f"{failure.subject}: the path {failure.path} is broken on {labels(failure.claimed)}",
        text=" ".join(said),
        cells=failure.cells,
    )


def show(matrix: Matrix, subjects: Subjects) -> Iterable[Section]:
    """Path × build and gate × build, by device."""
    for device in dict.fromkeys(build.device.kind for build in matrix.builds):
        builds = [build for build in matrix.builds if build.device.kind == device]
        where = "" if device == "cpu" else f" ({device})"
        yield Section(
            title=f"What people ship{where}",
            intro="The compiler interfaces of released projects, path by path: compiled for a "
            "range of batch sizes and for a single one, while Dynamo traces and after it has "
            "finished, loaded in a new process, and compiled again beside its caches. In **bold** "
            "the builds that the release's own metadata allow; what breaks on another one is an "
            f"{GLYPHS[Outcome.UNSUPPORTED]} *unsupported pair* and turns nothing red.",
            tables=[_paths_table(matrix, subjects, builds)],
            notes=_notes(subjects),
        )
        yield Section(
            title=f"What their gates decide{where}",
            intro="As seen at the call. *Missed*: the build takes the keyword and the release does "
            "not pass it. *Broken*: the release passes what the build does not take.",
            tables=[_gates_table(subjects, builds)],
        )


def _paths_table(matrix: Matrix, subjects: Subjects, builds: list[Build]) -> Table:
    shown = [b for b in builds if any(b.id in path.cells for path in subjects.paths)]
    rows: list[list[Text]] = [
        [path.subject, Code(path.name), *(_cell(matrix, path, build.id) for build in shown)]
        for path in subjects.paths
    ]
    return Table(
        headers=["subject", "path", *(build.id for build in shown)],
        rows=rows if shown else [],
    )


def _cell(matrix: Matrix, path: Path, build: BuildId) -> Text:
    cells = path.cells.get(build, ())
    # What broke in a pair that is not claimed is never to be taken for a pass.
    broke = [cell for cell in cells if cell.outcome is Outcome.UNSUPPORTED and cell.signature]
    said = glyphs(cells)
    if broke and not any(cell.outcome.bad for cell in cells):
        some = "" if len(broke) == len(cells) else f" {len(broke)} of {len(cells)}"
        said = f"{GLYPHS[Outcome.UNSUPPORTED]}{some}"
    return Strong(said) if said and is_supported(matrix, path.subject, build) else said


def _gates_table(subjects: Subjects, builds: list[Build]) -> Table:
    shown = [b for b in builds if any(b.id in each.gates for each in subjects.decisions)]
    rows: list[list[Text]] = [
        [
            each.subject,
            Code(each.feature),
            *(", ".join(_GATES[gate] for gate in each.gates.get(b.id, ())) for b in shown),
        ]
        for each in subjects.decisions
    ]
    return Table(
        headers=["subject", "keyword", *(build.id for build in shown)],
        rows=rows if shown else [],
    )


def _notes(subjects: Subjects) -> list[Text]:
    """Which torch each release asks for, and the pairs that could not be run to their end."""
    asks = [
        f"{subject.id} requires torch{subject.requires}"
        for subject in subjects.subjects
        if subject.requires
    ]
    broken = [
        f"{pair.label}: {pair.reason}" for pair in subjects.pairs if pair.status is not Status.OK
    ]
    return [*([f"{', '.join(asks)}."] if asks else []), *broken]
