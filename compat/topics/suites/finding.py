"""How each check of a user's command ended on a build, beside the build's stable twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from compat.runs.failures import signature_of_cell
from compat.runs.ids import SUITE, BuildId, CellId, CheckId
from compat.runs.model import Build, Cell, Outcome
from compat.runs.twins import stable_twins
from compat.runs.versions import version_order
from compat.topics.matrix import Matrix

_STABLE = "stable"


class Verdict(str, Enum):
    """What a check says of a build, given what it says of the build's stable twin."""

    REGRESSED = "regressed"  # it passes on the twin, and does not here
    BROKEN_ON_BOTH = "broken on both"
    FIXED = "fixed"  # it passes here, and does not on the twin
    FLAKY = "flaky"  # asked twice it ended in two ways, here or there
    INCONCLUSIVE = "inconclusive"  # one of the two says nothing, so this one proves nothing
    NOT_ASKED = "not asked"  # the suite itself skips it here, or there
    SAME = "passes on both"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One check on a build and on its twin.

    Attributes:
        cell: On the build.
        twin: On the twin.
        said: How it failed, here or else there; empty where it failed on neither.
    """

    check: CheckId
    verdict: Verdict
    cell: CellId
    twin: CellId
    said: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A suite on a build, and on its twin."""

    subject: str
    build: BuildId
    twin: BuildId
    judged: tuple[Judged, ...]

    def of(self, verdict: Verdict) -> list[Judged]:
        return [each for each in self.judged if each.verdict is verdict]


@dataclass(frozen=True, kw_only=True)
class Suites:
    """All suites of a run, each on each build that has a twin."""

    beside: tuple[Beside, ...]

    def excused(self) -> set[CellId]:
        """Bad cells that say nothing against a build: of all but what regressed, and what is new.

        On a twin there may be bad ones as well: these are what they were.
        """
        found = set()
        for each in self.beside:
            for judged in each.judged:
                if judged.verdict is not Verdict.REGRESSED:
                    found |= {judged.cell, judged.twin}
        return found


def find(matrix: Matrix) -> Suites:
    """Each suite on each build beside its twin."""
    return Suites(beside=tuple(_beside(matrix)))


def _beside(matrix: Matrix) -> Iterator[Beside]:
    for subject in dict.fromkeys(pair.subject for pair in matrix.run.pairs):
        if subject.startswith(SUITE):
            builds = [each for each in matrix.ran() if matrix.pair(subject, each.id)]
            for twin, build in twins(builds):
                checks = matrix.on(build.id, subject)
                others = matrix.on(twin.id, subject)
                judged = (
                    _judge(checks[check].cell, others[check].cell)
                    for check in checks
                    if check in others
                )
                yield Beside(
                    subject=subject,
                    build=build.id,
                    twin=twin.id,
                    judged=tuple(judged),
                )


def twins(builds: Sequence[Build]) -> Iterable[tuple[Build, Build]]:
    """Each build with its stable twin ahead of it."""
    return stable_twins(
        builds,
        line=lambda build: build.id.line,
        is_release=lambda build: build.channel == _STABLE,
        order=lambda build: version_order(build.version_text),
    )


def _judge(here: Cell, there: Cell) -> Judged:
    return Judged(
        check=here.check,
        verdict=_verdict(here, there),
        cell=here.id,
        twin=there.id,
        said=signature_of_cell(here) or signature_of_cell(there) or here.reason,
    )


def _verdict(here: Cell, there: Cell) -> Verdict:
    both = (here, there)
    if any(cell.flaky for cell in both):
        return Verdict.FLAKY
    if any(cell.outcome is Outcome.NOT_RUN for cell in both):
        return Verdict.INCONCLUSIVE
    # What the suite itself skips, and what it expects to fail on both, is no news.
    if any(cell.outcome is Outcome.SKIP for cell in both) or not (
        {cell.outcome for cell in both} - {Outcome.UNSUPPORTED}
    ):
        return Verdict.NOT_ASKED
    return _TABLE[here.outcome is Outcome.PASS, there.outcome is Outcome.PASS]


# By whether it passes here and on the twin.
_TABLE = {
    (True, True): Verdict.SAME,
    (True, False): Verdict.FIXED,
    (False, True): Verdict.REGRESSED,
    (False, False): Verdict.BROKEN_ON_BOTH,
}
