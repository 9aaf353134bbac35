"""Verdicts in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.topics.matrix import Matrix
from compat.topics.suites.finding import Beside, Judged, Suites, Verdict

# What is listed name by name; what is the same on both is counted.
_LISTED = (
    Verdict.REGRESSED,
    Verdict.FIXED,
    Verdict.FLAKY,
    Verdict.INCONCLUSIVE,
    Verdict.BROKEN_ON_BOTH,
)
_MOST = 200
_MOST_IN_WORDS = 10


def say(_: Matrix, found: Suites) -> Iterable[Sentence]:
    """For each build and twin: how many of each verdict, and what regressed by name."""
    for each in found.beside:
        told = each.of(Verdict.REGRESSED)
        names = ", ".join(str(one.check) for one in told[:_MOST_IN_WORDS])
        more = f" and {len(told) - _MOST_IN_WORDS} more" if len(told) > _MOST_IN_WORDS else ""
        yield Sentence(
            title=f"{each.subject} on {each.build.label}: "
            + (f"{len(told)} regressed" if told else "nothing regressed"),
            text=f"Beside {each.twin.label}: {_counts(each)}."
            + (f" Regressed: {names}{more}." if told else ""),
            cells=tuple(one.cell for one in told),
        )


def show(_: Matrix, found: Suites) -> Iterable[Section]:
    """Verdicts by build, and all that is not the same on both."""
    if found.beside:
        yield Section(
            title="What users brought",
            intro="A script or a suite, the same commit of it on each build and on the stable "
            "build beside it, one after the other on one machine.",
            tables=[_overview(found), _list(found)],
        )


def _counts(each: Beside) -> str:
    return ", ".join(
        f"{number} {verdict.value}" for verdict in Verdict if (number := len(each.of(verdict)))
    )


def _overview(found: Suites) -> Table:
    return Table(
        headers=["suite", "build", "beside", *(verdict.value for verdict in Verdict)],
        rows=[
            [
                Code(each.subject),
                each.build.label,
                each.twin.label,
                *(str(len(each.of(verdict))) for verdict in Verdict),
            ]
            for each in found.beside
        ],
    )


def _list(found: Suites) -> Table:
    rows = [
        _row(verdict, judged)
        for verdict in _LISTED
        for each in found.beside
        for judged in each.of(verdict)
    ]
    return Table(headers=["verdict", "check", "what it says"], rows=[*_cut(rows)])


def _row(verdict: Verdict, judged: Judged) -> list[Text]:
    return [verdict.value, Code(judged.cell), judged.said]


def _cut(rows: list[list[Text]]) -> Iterator[list[Text]]:
    yield from rows[:_MOST]
    if len(rows) > _MOST:
        yield ["…", f"and {len(rows) - _MOST} more", ""]
