"""All that a run says, answer by answer: how each cell ended, and what the records say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

from compat.runs.answers import ENDING, OUTCOME, Answer, Ending, Said
from compat.runs.failures import signature_of_cell
from compat.runs.history import WHOLE, Column, Entry, Told, column_of, whole_of
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CheckId
from compat.runs.model import Build, Cell, Status
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS

# By subject and build: what its cells say.
Answers: TypeAlias = Mapping[tuple[str, BuildId], Mapping[AnswerId, Answer]]


def all_answers(matrix: Matrix) -> Answers:
    """What each subject's cells say on each build that could be had."""
    return {
        (subject, build.id): answers_of(matrix, build, subject)
        for build in matrix.ran()
        for subject in matrix.subjects(build.id) or [BUILTIN]
    }


def answers_of(matrix: Matrix, build: Build, subject: str = BUILTIN) -> dict[AnswerId, Answer]:
    """What a subject's cells on a build say, the build as a whole included."""
    name = AnswerId.of(WHOLE, OUTCOME)
    whole = whole_of(*matrix.status(build.id, subject))
    found = {name: Answer(id=name, scale=ENDING, value=whole, cells=())}
    for answer in recorded_answers(matrix, build.id, subject):
        found[answer.id] = answer
    for check, seen in matrix.on(build.id, subject).items():
        name = AnswerId.of(check, OUTCOME)
        cells = (seen.cell.id,)
        found[name] = Answer(id=name, scale=ENDING, value=ending_of(seen.cell), cells=cells)
    return found


def recorded_answers(matrix: Matrix, build: BuildId, subject: str = BUILTIN) -> Iterable[Answer]:
    """What the records of a subject's cells on a build say, one by one and together."""
    for check, seen in matrix.on(build, subject).items():
        for said in said_by(seen.record):
            yield _answer(check, said, (seen.cell.id,))
    for topic in TOPICS:
        for across in topic.across(matrix, subject, build):
            yield _answer(across.check, across.said, across.cells)


def ending_of(cell: Cell) -> Ending:
    return Ending(outcome=cell.outcome, signature=signature_of_cell(cell))


def _answer(check: CheckId, said: Said, cells: tuple[Any, ...]) -> Answer:
    return Answer(id=AnswerId.of(check, said.name), scale=said.scale, value=said.value, cells=cells)


@cache
def _readers() -> Mapping[type, Callable[[Any], Iterable[Said]]]:
    return {kind: reader for topic in TOPICS for kind, reader in topic.answers.items()}


def said_by(record: object | None) -> Iterable[Said]:
    """What a record says; nothing where there is none."""
    return () if record is None else _readers()[type(record)](record)


def entries_of(matrix: Matrix, answers: Answers) -> list[Entry]:
    """A run as entries of the history; a build that could not be had has none."""
    builds = {build.id: build for build in matrix.builds}
    return [
        _entry(_column(matrix, builds[build], subject), said)
        for (subject, build), said in answers.items()
    ]


def _entry(column: Column, answers: Mapping[AnswerId, Answer]) -> Entry:
    """What a subject's cells on a build come to."""
    return Entry(
        column=column,
        endings={
            name.check: answer.value
            for name, answer in answers.items()
            if isinstance(answer.value, Ending)
        },
        answers={
            name: Told(answer.scale, answer.value)
            for name, answer in answers.items()
            if not isinstance(answer.value, Ending)
        },
    )


def _column(matrix: Matrix, build: Build, subject: str) -> Column:
    cells = (seen.cell for seen in matrix.on(build.id, subject).values())
    broken = matrix.status(build.id, subject)[0] is Status.BROKEN
    return column_of(matrix.run, build, cells, subject, broken=broken)
