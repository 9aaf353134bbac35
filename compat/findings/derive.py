"""From a run, and what is expected of it, to its findings; nothing else goes in."""

from __future__ import annotations

from compat.findings.answers import Answers
from compat.findings.expectations import (
    NONE,
    Expectations,
    find_expectations,
    find_failed_controls,
)
from compat.findings.model import Findings
from compat.runs.ids import BUILTIN, CellId
from compat.topics.devices.finding import differences
from compat.topics.devices.view import say_differences
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS
from compat.topics.suites.topic import TOPIC as SUITES


def derive(matrix: Matrix, answers: Answers, expectations: Expectations = NONE) -> Findings:
    """Everything that follows from the cells alone, of which these are all ``answers``."""
    entries = find_expectations(matrix, answers, expectations)
    explained = {cell for entry in entries for cell in entry.cells}
    failed_controls = find_failed_controls(matrix, expectations)
    topics = {topic.name: topic.find(matrix) for topic in TOPICS}
    devices = differences(matrix, lambda build: answers.get((BUILTIN, build.id), {}).values())
    cells = matrix.run.cells
    return Findings(
        topics=topics,
        devices=devices,
        sentences=(
            *(each for topic in TOPICS for each in topic.say(matrix, topics[topic.name])),
            *say_differences(devices),
        ),
        flaky=tuple(cell.id for cell in cells if cell.flaky),
        expectations=tuple(entries),
        expected=tuple(cell.id for cell in cells if cell.id in explained),
        failed_controls=failed_controls,
        unfit=dict(matrix.unfit),
        unexpected=_unexpected(matrix, explained | topics[SUITES.name].excused(), failed_controls),
    )


def _unexpected(
    matrix: Matrix, explained: set[CellId], failed_controls: dict[CellId, str]
) -> tuple[CellId, ...]:
    """What turns a run red: cells that ended badly, and controls that failed.

    So do a cell that could not be run in a build that was, and one whose record cannot be read.
    """
    return tuple(
        cell.id
        for cell in matrix.run.cells
        if cell.id not in explained
        and (
            cell.outcome.bad
            or cell.id in failed_controls
            or cell.id in matrix.unfit
            or matrix.is_silent(cell)
        )
    )
