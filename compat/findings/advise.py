"""What a downstream that supports a range of versions can change, as far as the cells say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packaging.specifiers import SpecifierSet

from compat.findings.expectations import lies_in
from compat.findings.results import Results
from compat.runs.failures import signature_of_cell
from compat.runs.model import Build, Cell, Status
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS
from compat.topics.topic import Advice, AdviceKind


def builds_in(matrix: Matrix, versions: SpecifierSet) -> list[Build]:
    """The builds of a run within a range of versions, if they could be had."""
    return [build for build in matrix.ran() if lies_in(build, versions)]


def advise(results: Results, builds: Sequence[Build]) -> list[Advice]:
    """For a downstream that supports all of ``builds``, in the order of :class:`AdviceKind`."""
    names = [build.id for build in builds]
    advice = [
        *(
            each
            for topic in TOPICS
            for each in topic.advise(results.matrix, results.findings.topics[topic.name], names)
        ),
        *_broken(results, builds),
    ]
    return [each for kind in AdviceKind for each in advice if each.kind is kind]


def _broken(results: Results, builds: Sequence[Build]) -> Iterable[Advice]:
    """What fails on these builds, by signature; what is expected is left out."""
    for build in builds:
        if build.status is Status.BROKEN:
            text = f"{build.reason}."
            about = f"build {build.label}"
            yield Advice(kind=AdviceKind.BREAKS, about=about, text=text, cells=())
    names = {build.id for build in builds}
    expected = set(results.findings.expected)
    groups: dict[str, list[Cell]] = {}
    for cell in results.run.cells:
        if cell.build in names and cell.outcome.bad and cell.id not in expected:
            groups.setdefault(signature_of_cell(cell), []).append(cell)
    for signature, cells in groups.items():
        where = ", ".join(dict.fromkeys(cell.build.label for cell in cells))
        yield Advice(
            kind=AdviceKind.BREAKS,
            about=signature,
            text=f"{len(cells)} checks end so on {where}.",
            cells=tuple(cell.id for cell in cells),
        )
