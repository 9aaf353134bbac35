"""The upgrade table: which gates and workarounds of the subjects can go from which torch on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from compat.document.parts import Text
from compat.runs.ids import BUILTIN, BuildId
from compat.runs.model import Build
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS
from compat.topics.upgrade import Kind, Minimum, Says, UpgradeRow, minimum


@dataclass(frozen=True, kw_only=True)
class Series:
    """A column: the releases of one series, or one build that is no release; oldest first."""

    label: str
    builds: tuple[BuildId, ...]


@dataclass(frozen=True, kw_only=True)
class UpgradeLine:
    """The builds of one device and Python.

    Attributes:
        columns: The newest first: nightlies and candidates are what a reader waits for.
        builds: The oldest first.
        cards: The GPU that each was asked on; none for a CPU.
    """

    device: str
    python: str
    columns: tuple[Series, ...]
    builds: tuple[BuildId, ...]
    cards: Mapping[BuildId, str]


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """All of it.

    Attributes:
        subjects: The newest release of each project whose gates were watched.
    """

    rows: tuple[UpgradeRow, ...]
    lines: tuple[UpgradeLine, ...]
    subjects: tuple[str, ...]


def upgrade(matrix: Matrix, topics: Mapping[str, object]) -> Upgrade:
    """From what each topic found."""
    rows = _joined(row for topic in TOPICS for row in topic.upgrade(matrix, topics[topic.name]))
    rows = sorted(rows, key=lambda row: list(Kind).index(row.kind))
    watched = {subject for row in rows for subject in row.ships}
    return Upgrade(
        rows=tuple(rows),
        lines=tuple(_lines(matrix.builds)),
        subjects=tuple(_newest(each.id for each in matrix.run.subjects if each.id in watched)),
    )


def in_column(row: UpgradeRow, column: Series) -> dict[BuildId, Says]:
    """What a row says of the builds of a column: one stands for all where they say the same."""
    known = {build: row.on(build) for build in column.builds}
    known = {build: says for build, says in known.items() if says is not Says.UNKNOWN}
    if len(set(known.values())) <= 1:
        newest = [*(known or dict.fromkeys(column.builds))][-1]
        return {newest: known.get(newest, Says.UNKNOWN)}
    return known


def minimum_on(row: UpgradeRow, line: UpgradeLine) -> Minimum:
    return minimum(row, line.builds)


def _joined(rows: Iterable[UpgradeRow]) -> list[UpgradeRow]:
    """One row a gate or workaround: a topic that asks torch goes before what a call shows."""
    found: dict[Text, UpgradeRow] = {}
    for row in sorted(rows, key=lambda row: BUILTIN not in row.ships and bool(row.ships)):
        known = found.get(row.name)
        found[row.name] = row if known is None else _join(known, row)
    # What only says what a deletion costs is no row of its own.
    return [_controlled(row) for row in found.values() if row.says]


def _controlled(row: UpgradeRow) -> UpgradeRow:
    """That no build of a line needs a workaround shows nothing: the check may be blind there."""
    if row.kind is not Kind.WORKAROUND:
        return row
    controlled = {build.line for build, said in row.says.items() if said is Says.NEEDED}
    says = {b: said if b.line in controlled else Says.UNKNOWN for b, said in row.says.items()}
    return replace(row, says=says)


def _join(first: UpgradeRow, second: UpgradeRow) -> UpgradeRow:
    says = {build: said for build, said in second.says.items() if said is not Says.UNKNOWN}
    says.update({build: said for build, said in first.says.items() if said is not Says.UNKNOWN})
    return replace(
        first,
        says=says,
        ships={**second.ships, **first.ships},
        cells={**second.cells, **{build: each for build, each in first.cells.items() if each}},
        about=first.about or second.about,
        rests=first.rests or second.rests,
        cost=first.cost or second.cost,
    )


def _lines(builds: Sequence[Build]) -> Iterable[UpgradeLine]:
    lines: dict[tuple[str, str], list[Build]] = {}
    for build in builds:
        lines.setdefault(build.id.line, []).append(build)
    for (device, python), those in lines.items():
        columns: dict[str, list[BuildId]] = {}
        for build in those:
            columns.setdefault(series_of(build), []).append(build.id)
        yield UpgradeLine(
            device=device,
            python=python,
            columns=tuple(
                Series(label=label, builds=tuple(found)) for label, found in columns.items()
            )[::-1],
            builds=tuple(build.id for build in those),
            cards={b.id: b.device.name for b in those if device != "cpu" and b.device.name},
        )


def series_of(build: Build) -> str:
    """``2.14`` of a release; what is no release goes by its own name."""
    release = build.release
    if release is None or release.is_prerelease:
        return build.id.name
    return f"{release.major}.{release.minor}"


def _newest(subjects: Iterable[str]) -> list[str]:
    """Of each project the newest release."""
    found: dict[str, str] = {}
    for subject in subjects:
        project, _, version = subject.partition("-")
        known = found.get(project, "").partition("-")[2]
        if not known or _version(known) < _version(version):
            found[project] = subject
    return list(found.values())


def _version(text: str) -> Version:
    try:
        return Version(text)
    except ValueError:
        return Version("0")
