"""What subjects ship, for the upgrade table: where they pass a keyword, seen at the call."""

from __future__ import annotations

from collections.abc import Iterable

from compat.adapters.protocol import Verdict
from compat.document.parts import Code
from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.subjects.finding import Decisions, Subjects
from compat.topics.upgrade import Kind, Says, UpgradeRow
from compat.topics.words import labels

_PASSED = {Verdict.USED, Verdict.BROKEN}
_THERE = {Verdict.USED, Verdict.MISSED}


def upgrade(_: Matrix, subjects: Subjects) -> Iterable[UpgradeRow]:
    for each in subjects.decisions:
        yield UpgradeRow(
            kind=Kind.GATE if _passes(each) else Kind.FEATURE,
            name=Code(each.feature),
            says={
                build: Says.THERE if set(gates) <= _THERE else Says.NOT_THERE
                for build, gates in each.gates.items()
            },
            ships={each.subject: _ships(each)},
            cells=each.cells,
        )


def _ships(decisions: Decisions) -> str:
    """Where it passes the keyword, among the builds on which it was watched, oldest first."""
    asked = list(decisions.gates)
    passed = _passes(decisions)
    if not passed:
        return "never passed"
    if passed == asked:
        return "always passed"
    if passed == asked[-len(passed) :] and len({build.line for build in asked}) == 1:
        return f"passed from {passed[0].name_and_python} on"
    return f"passed on {labels(passed)}"


def _passes(decisions: Decisions) -> list[BuildId]:
    return [build for build, gates in decisions.gates.items() if _PASSED & set(gates)]
