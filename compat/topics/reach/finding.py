"""What reaches a downstream's code on one build and not, or otherwise, on the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from compat.runs.answers import Change, Said, relate
from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix, Seen, by_line
from compat.topics.reach.answers import ANSWERS
from compat.topics.reach.records import RECORDS, WRONG, Trials


@dataclass(frozen=True, kw_only=True)
class Told:
    """One answer of a cell."""

    cell: CellId
    said: Said


@dataclass(frozen=True, kw_only=True)
class Step:
    """An answer that differs between two builds of one device and Python.

    Attributes:
        probe: Whose answer it is.
        name: Of the answer.
        before: The nearest older build of which it is known.
    """

    probe: str
    name: str
    before: BuildId
    after: BuildId
    was: Told
    became: Told
    change: Change


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A trial that computes something else without a word."""

    name: str
    said: str
    cell: CellId


@dataclass(frozen=True, kw_only=True)
class Reach:
    """All that differs.

    Attributes:
        answers: By probe, answer and build: those that are not the same on all builds.
        steps: Between neighbouring builds.
        wrong: What is computed wrong.
    """

    answers: Mapping[str, Mapping[str, Mapping[BuildId, Told]]]
    steps: tuple[Step, ...]
    wrong: tuple[Odd, ...]


def find(matrix: Matrix) -> Reach:
    told = {probe: dict(_told(matrix, probe)) for probe in RECORDS}
    lines = by_line(matrix.builds)
    steps = [step for probe, names in told.items() for step in _steps(probe, names, lines)]
    moved = {(step.probe, step.name) for step in steps}
    return Reach(
        answers={
            probe: {name: on for name, on in names.items() if (probe, name) in moved}
            for probe, names in told.items()
        },
        steps=tuple(steps),
        wrong=tuple(_wrong(matrix)),
    )


def _told(matrix: Matrix, probe: str) -> Iterator[tuple[str, dict[BuildId, Told]]]:
    """By the name of an answer, what each build says."""
    found: dict[str, dict[BuildId, Told]] = {}
    kind = RECORDS[probe]
    every: list[Seen[Any]] = matrix.everywhere(kind)
    for seen in every:
        if seen.cell.probe == probe and seen.record is not None:
            for said in ANSWERS[kind](seen.record):
                told = Told(cell=seen.cell.id, said=said)
                found.setdefault(said.name, {})[seen.cell.build] = told
    yield from found.items()


def _steps(
    probe: str,
    names: Mapping[str, Mapping[BuildId, Told]],
    lines: Iterable[Sequence[BuildId]],
) -> Iterator[Step]:
    for line in lines:
        for name, on in names.items():
            known = [
                (build, on[build])
                for build in line
                if build in on and on[build].said.value is not None
            ]
            for (before, was), (after, became) in pairwise(known):
                change = relate(became.said.scale, was.said.value, became.said.value)
                if change is not Change.SAME:
                    yield Step(
                        probe=probe,
                        name=name,
                        before=before,
                        after=after,
                        was=was,
                        became=became,
                        change=change,
                    )


def _wrong(matrix: Matrix) -> Iterator[Odd]:
    for seen in matrix.everywhere(Trials):
        for name, trial in (seen.record.trials if seen.record else {}).items():
            if trial.ended == WRONG:
                yield Odd(name=name, said=trial.said, cell=seen.cell.id)
