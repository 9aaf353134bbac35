"""Compares probes that run side by side with the same ones, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from compat.builds.resolve import Resolution
from compat.findings.answers import all_answers
from compat.report.timing import timings
from compat.running.pipeline import Progress, probe_builds
from compat.running.settings import Settings
from compat.runs.answers import Change, relate
from compat.runs.ids import AnswerId
from compat.runs.store import RunFolder, merge
from compat.topics.matrix import Matrix


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """What became of the same cells of one build in two runs.

    Attributes:
        jobs: How many probes ran side by side in the first.
        together_s: Seconds from the first probe to the end of the last, side by side,
        apart_s: and one after the other.
        answers: How many were compared.
        differing: Those that the two runs give otherwise.
    """

    cells: int
    jobs: int
    together_s: float
    apart_s: float
    answers: int
    differing: tuple[AnswerId, ...]


def side_by_side(resolution: Resolution, settings: Settings, progress: Progress) -> SideBySide:
    """Run the cells of one build twice: ``settings.jobs`` at a time, then one at a time.

    What the first run leaves, such as bytecode, speeds the second one up.
    """
    folders = [
        probe_builds(
            [resolution],
            replace(settings, jobs=jobs, fresh=True),
            settings.home / "bench" / "runs",
            progress,
        )
        for jobs in (settings.jobs, 1)
    ]
    together, apart = (_probing_s(folder) for folder in folders)
    compared, differing = _compare(folders)
    return SideBySide(
        cells=len(merge(folders[:1]).cells),
        jobs=settings.jobs,
        together_s=together,
        apart_s=apart,
        answers=compared,
        differing=differing,
    )


def _probing_s(folder: RunFolder) -> float:
    return sum(timing.phases["probe"] for timing in timings(folder))


def _compare(folders: Iterable[RunFolder]) -> tuple[int, tuple[AnswerId, ...]]:
    """How many answers both runs give, and which they give otherwise."""
    first, second = (
        {
            answer.id: answer
            for answers in all_answers(Matrix(merge([folder]))).values()
            for answer in answers.values()
        }
        for folder in folders
    )
    both = first.keys() & second.keys()
    differing = (
        name
        for name in sorted(both)
        if relate(first[name].scale, first[name].value, second[name].value)
        not in {Change.SAME, Change.UNKNOWN}
    )
    return len(both), (*sorted(first.keys() ^ second.keys()), *differing)


def side_by_side_text(seen: SideBySide) -> str:
    """The ratio, and what differs, in a few lines."""
    ratio = seen.apart_s / seen.together_s if seen.together_s else 0.0
    lines = [
        f"{seen.cells} cells: {seen.jobs} side by side took {seen.together_s:.0f} s, one after the "
        f"other {seen.apart_s:.0f} s: {ratio:.1f} times as long.",
        f"{len(seen.differing)} of {seen.answers} answers differ between the two runs.",
        *(f"  {each}" for each in seen.differing),
    ]
    return "\n".join(lines)
