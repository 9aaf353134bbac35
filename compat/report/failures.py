"""Failures as a report tells them: a line for each way to end, cause and reason to expect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from compat.findings.model import ExpectationFinding
from compat.findings.results import Results
from compat.runs.failures import signature_of_cell
from compat.runs.ids import CellId
from compat.runs.model import Cell


class Kind(Enum):
    """What is known of a failure, in the order in which failures are told."""

    NEW = "New failures"
    KNOWN = "Known failures"
    FLAKY = "Flaky: passed when tried again"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Cells that are flaky, ended badly or say nothing, of one cause: one line of a report.

    Attributes:
        known: What expects it; None of what is not known.
    """

    kind: Kind
    cells: Sequence[Cell]
    known: ExpectationFinding | None


def failures(results: Results) -> list[Failure]:
    """All of a run, what is new first."""
    matrix, unfit = results.matrix, results.findings.unfit
    expected = {
        cell: each
        for each in results.findings.expectations
        for cell in each.cells
        if not each.answer
    }
    unexpected = set(results.findings.unexpected)
    groups: dict[tuple[Kind, str, str, str], list[Cell]] = {}
    for cell in results.run.cells:
        if cell.flaky or cell.outcome.bad or cell.id in unfit or matrix.is_silent(cell):
            signature = signature_of_cell(cell) or what_happened(cell, unfit)
            known = cell.id in expected
            kind = Kind.NEW if cell.id in unexpected else Kind.KNOWN if known else Kind.FLAKY
            why = expected[cell.id].reason if kind is Kind.KNOWN else ""
            groups.setdefault((kind, cell.outcome.value, signature, why), []).append(cell)
    found = [
        Failure(kind=kind, cells=cells, known=expected.get(cells[0].id))
        for (kind, *_), cells in groups.items()
    ]
    return sorted(found, key=lambda each: list(Kind).index(each.kind))


def what_happened(cell: Cell, unfit: Mapping[CellId, str]) -> str:
    """What is wrong with a cell, in one line; ``unfit`` are the records that cannot be read."""
    said = [cell.reason]
    if cell.first is not None and cell.flaky:
        said = [f"flaky: at first {cell.first.outcome.value}, {cell.first.reason}", *said]
    if cell.id in unfit:
        said.append(f"its record cannot be read: {unfit[cell.id]}")
    return "; then ".join(filter(None, said))
