"""What else differs between the two builds that a bisection ends with: their derived surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from compat.bisection.candidates import Candidate
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.findings.answers import all_answers, entries_of
from compat.findings.changes import Difference, Pair, differing
from compat.running.pipeline import Progress, probe_builds
from compat.running.settings import Settings
from compat.runs.ids import CheckId
from compat.runs.model import DEFAULT
from compat.runs.store import build_order, merge
from compat.topics.matrix import Matrix

_PROBES = ("surface.",)


@dataclass(frozen=True, kw_only=True)
class SurfaceDifference:
    """What two builds say otherwise of the names, config keys and operators that are watched.

    Attributes:
        differences: Answer by answer.
        problem: Why that is not known.
    """

    differences: Sequence[Difference] = ()
    problem: str = ""


def surface_between(
    good: Candidate, bad: Candidate, asked: CheckId, settings: Settings, progress: Progress
) -> SurfaceDifference:
    """Ask both builds for their surface; what was seen of it before is taken from the runs.

    How ``asked``, which was bisected, differs is not told again.
    """
    resolutions = [
        Resolution(
            specs=(parse_spec(f"=={each.wheel.version.public}"),),
            wheel=each.wheel,
        )
        for each in (good, bad)
    ]
    settings = replace(settings, probes=_PROBES, depth=DEFAULT, fresh=False)
    run = merge([probe_builds(resolutions, settings, settings.home / "runs", progress)])
    matrix = Matrix(replace(run, builds=tuple(sorted(run.builds, key=build_order))))
    entries = entries_of(matrix, all_answers(matrix))
    if len(entries) != len(resolutions):
        return SurfaceDifference(problem="one of them could not be asked")
    differences = differing(Pair(old=entries[0], new=entries[1]))
    return SurfaceDifference(
        differences=[each for each in differences if each.answer.check != asked]
    )
