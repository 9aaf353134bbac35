"""What a downstream that supports a range of versions can change, as far as the cells say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from compat.adapters.protocol import Verdict
from compat.findings.expectations import lies_in
from compat.findings.model import ExpectationFinding
from compat.findings.results import Results
from compat.findings.upgrade import series_of
from compat.runs.failures import signature_of_cell
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.runs.model import Build, Cell, Outcome, Status
from compat.runs.versions import public_version
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS
from compat.topics.subjects.finding import Decisions, Subjects, is_supported
from compat.topics.topic import Advice, AdviceKind, Topic
from compat.topics.words import labels

_NEWER = Version("9999")
_ON = {"cpu": "a CPU", "cuda": "a GPU"}

# Advice by what it is about.
_Told = Mapping[str, Advice]


def builds_in(matrix: Matrix, versions: SpecifierSet, subject: str = "") -> list[Build]:
    """The builds of a run within a range of versions, if they could be had.

    Of a subject only those that it was run on.
    """
    return [
        build
        for build in matrix.ran()
        if lies_in(build, versions) and (not subject or matrix.on(build.id, subject))
    ]


def never_tested(matrix: Matrix, versions: SpecifierSet, subject: str = "") -> list[str]:
    """What in the range nothing is known of: builds, and a subject on builds, each with why."""
    found = [
        f"{build.label}: {build.reason}"
        for build in matrix.builds
        if build.status is Status.UNAVAILABLE and _may_lie_in(build, versions)
    ]
    without: dict[str, list[str]] = {}
    for build in builds_in(matrix, versions) if subject else ():
        if not matrix.on(build.id, subject):
            status, reason = matrix.status(build.id, subject)
            why = reason if status is not Status.OK else "this run did not ask for it"
            without.setdefault(why, []).append(build.label)
    return [*found, *(f"{subject} on {', '.join(on)}: {why}" for why, on in without.items())]


def _may_lie_in(build: Build, versions: SpecifierSet) -> bool:
    """What never got a version goes by what it was asked for as: ``2.16.rc`` is of 2.16."""
    if build.release is not None:
        return lies_in(build, versions)
    series = public_version(build.id.name.removesuffix(".rc").removesuffix(".dev"))
    # A nightly is newer than anything that has a version.
    return versions.contains(series or _NEWER, prereleases=True)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Failures that are expected, so that no advice names them."""

    reason: str
    link: str
    cells: tuple[CellId, ...]


def left_out(results: Results, builds: Sequence[Build], subject: str = "") -> list[LeftOut]:
    """What is known to fail on these builds, by the reason that is given for it."""
    names = {build.id for build in builds}
    told: set[CellId] = set()
    found: dict[tuple[str, str], list[CellId]] = {}
    for each in results.findings.expectations:
        # Several entries may explain one cell: it is told once.
        cells = [cell for cell in _own(each, names, subject) if cell not in told]
        told.update(cells)
        if cells:
            found.setdefault((each.reason, each.link), []).extend(cells)
    return [
        LeftOut(reason=reason, link=link, cells=tuple(cells))
        for (reason, link), cells in found.items()
    ]


def _own(each: ExpectationFinding, builds: set[BuildId], subject: str) -> tuple[CellId, ...]:
    return tuple(
        cell
        for cell in each.cells
        if cell.build in builds and (not subject or cell.subject == subject)
    )


def advise(results: Results, builds: Sequence[Build], subject: str = "") -> list[Advice]:
    """For a downstream that supports all of ``builds``, in the order of :class:`AdviceKind`.

    With a subject: what its own gates decide and what breaks in its cells. Without one: what the
    builtin interface shows, and what breaks in any cell.
    """
    advice = [
        *(
            _of_topics(results, builds)
            if subject in {"", BUILTIN}
            else _of_subject(results, builds, subject)
        ),
        *_broken(results, builds, subject),
    ]
    return [each for kind in AdviceKind for each in advice if each.kind is kind]


def _of_topics(results: Results, builds: Sequence[Build]) -> Iterable[Advice]:
    """What is not known of some builds, since they were asked less, blocks no answer of the others.

    Nor does one kind of device block the answer of the other.
    """
    matrix = results.matrix
    # Of the others a subject alone was asked about.
    builds = [build for build in builds if matrix.on(build.id)]
    deep = _deep(matrix, builds)
    for topic in TOPICS:
        found = results.findings.topics[topic.name]

        def told_of(some: Iterable[Build], topic: Topic[Any] = topic, found: Any = found) -> _Told:
            names = [build.id for build in some]
            return {each.about: each for each in topic.advise(matrix, found, names)}

        told = told_of(builds)
        if all(each.kind is not AdviceKind.UNKNOWN for each in told.values()):
            yield from told.values()
            continue
        fewer = told_of(deep) if deep != builds else {}
        by_device = {
            kind: (told_of(_of_kind(deep, kind)), told_of(_of_kind(builds, kind)))
            for kind in _ON
            if len({build.device.kind for build in builds}) > 1
        }
        rest = labels(build.id for build in builds if build not in deep)
        for each in told.values():
            yield (
                _known(each)
                or _known(fewer.get(each.about), f"Not known of {rest}: asked less.")
                or _on_one_device(each.about, by_device)
                or each
            )


def _known(advice: Advice | None, but: str = "") -> Advice | None:
    """Advice that says something, with what is not known beside it."""
    if advice is None or advice.kind is AdviceKind.UNKNOWN:
        return None
    return replace(advice, text=f"{advice.text} {but}") if but else advice


def _on_one_device(about: str, told: Mapping[str, tuple[_Told, _Told]]) -> Advice | None:
    """What is known on a CPU or on a GPU, and what is not on the other."""
    for kind, other in zip(_ON, reversed(_ON), strict=True):
        if kind not in told:
            return None
        here, there = told[kind][0].get(about), told[other][1].get(about)
        if here is not None and there is not None and here.kind is not AdviceKind.UNKNOWN:
            text = f"On {_ON[kind]}: {here.text} On {_ON[other]} that is not known: {there.text}"
            return replace(here, text=text, cells=(*here.cells, *there.cells))
    return None


def _of_kind(builds: Iterable[Build], kind: str) -> list[Build]:
    return [build for build in builds if build.device.kind == kind]


def _deep(matrix: Matrix, builds: Sequence[Build]) -> list[Build]:
    """The builds that were asked at least half of what another one of their series was.

    Others are a variant, or a patch release, at default depth beside one at full depth.
    """
    asked = {build.id: _asked(matrix, build.id) for build in builds}
    most: dict[str, int] = {}
    for build in builds:
        most[series_of(build)] = max(most.get(series_of(build), 0), asked[build.id])
    return [build for build in builds if 2 * asked[build.id] >= most[series_of(build)]]


def _asked(matrix: Matrix, build: BuildId) -> int:
    return sum(seen.cell.outcome.known for seen in matrix.on(build).values())


def _of_subject(results: Results, builds: Sequence[Build], subject: str) -> Iterable[Advice]:
    found: Subjects = results.findings.topics["subjects"]
    for decisions in found.decisions:
        if decisions.subject == subject:
            yield _gate(decisions, [build.id for build in builds])


def _gate(decisions: Decisions, builds: Sequence[BuildId]) -> Advice:
    """What to do about one keyword that a subject passes, or does not."""

    def those(*verdicts: Verdict) -> list[BuildId]:
        return [build for build in builds if set(decisions.gates.get(build, ())) & set(verdicts)]

    used, missed = those(Verdict.USED), those(Verdict.MISSED)
    lacks, broken = those(Verdict.ABSENT, Verdict.BROKEN), those(Verdict.BROKEN)
    who = decisions.subject
    if broken:
        kind = AdviceKind.BREAKS
        text = f"{who} passes it on {labels(broken)}, which does not take it."
    elif not used and not missed and not lacks:
        kind, text = AdviceKind.UNKNOWN, f"Nothing is known of {labels(builds)}."
    elif not lacks:
        kind = AdviceKind.GATE_CAN_GO
        text = f"torch takes it on {labels(those(Verdict.USED, Verdict.MISSED))}: pass it always."
        text += f" {who} does not pass it on {labels(missed)}." if missed else ""
    elif missed:
        kind = AdviceKind.GATE_CAN_MOVE
        text = f"torch takes it on {labels(missed)}, where {who} does not pass it; "
        text += f"not on {labels(lacks)}."
    else:
        kind = AdviceKind.STILL_NEEDED
        text = f"torch does not take it on {labels(lacks)}, and {who} passes it where it does."
    cells = tuple(cell for build in builds for cell in decisions.cells.get(build, ()))
    return Advice(kind=kind, about=f"gate of {decisions.feature}", text=text, cells=cells)


def _broken(results: Results, builds: Sequence[Build], subject: str) -> Iterable[Advice]:
    """What fails on these builds, by signature; what is expected is left out.

    Of a subject that was asked for also what breaks on builds that it does not claim: whoever asks
    wants to use it there.
    """
    for build in builds:
        if build.status is Status.BROKEN:
            text = f"{build.reason}."
            about = f"build {build.label}"
            yield Advice(kind=AdviceKind.BREAKS, about=about, text=text, cells=())
    names = {build.id for build in builds}
    expected = set(results.findings.expected)
    groups: dict[str, list[Cell]] = {}
    for cell in results.run.cells:
        if cell.build in names and cell.id not in expected and subject in {"", cell.subject}:
            signature = _breaks(cell, unclaimed=bool(subject))
            if signature is not None:
                groups.setdefault(signature, []).append(cell)
    for signature, cells in groups.items():
        yield Advice(
            kind=AdviceKind.BREAKS,
            about=signature,
            text=_ends_so(results.matrix, cells),
            cells=tuple(cell.id for cell in cells),
        )


def _breaks(cell: Cell, *, unclaimed: bool) -> str | None:
    """What a cell breaks with, if it does."""
    if cell.outcome.bad:
        return signature_of_cell(cell)
    if unclaimed and cell.outcome is Outcome.UNSUPPORTED and cell.signature:
        return cell.signature
    return None


def _ends_so(matrix: Matrix, cells: Sequence[Cell]) -> str:
    """How many, where, on which paths, and for which builds the subject was not made."""
    where = labels(cell.build for cell in cells)
    number = f"{len(cells)} {'check ends' if len(cells) == 1 else 'checks end'} so on {where}"
    paths = dict.fromkeys(cell.params["path"] for cell in cells if "path" in cell.params)
    subjects = dict.fromkeys(cell.subject for cell in cells if cell.subject != BUILTIN)
    said = f"{number}, path {', '.join(paths)}" if paths and subjects else number
    unclaimed = [c.build for c in cells if not is_supported(matrix, c.subject, c.build)]
    if unclaimed:
        said += f"; {', '.join(subjects)} does not claim {labels(unclaimed)}"
    return f"{said}."
