"""Since when a build has what the interface uses: support statements, inferred from cells.

In the manner of browser-compat-data: ``≤2.12.1`` means that 2.12.1 has it, and that the first
version which does lies between it and the newest one seen without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from packaging.version import Version

from compat.runs.decode import DamagedError, read_json
from compat.runs.history import run_id
from compat.runs.ids import BuildId
from compat.runs.model import Status
from compat.topics.gates.records import Capability
from compat.topics.matrix import Matrix
from compat.topics.surface.records import Name

SCHEMA_VERSION = 1

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One stretch of versions that have something.

    Attributes:
        version_added: The first version; False if none of those that were asked has it, None if
            none of them could tell.
        version_removed: The first version that no longer has it; None if none was seen.
        signature_changed: The versions from which on its parameters are other ones.
    """

    version_added: str | bool | None
    version_removed: str | None = None
    signature_changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a version says: whether it has something, and with which parameters."""

    version: Version
    there: bool
    signature: str = ""


def support(matrix: Matrix) -> dict[str, Any]:
    """``reports/data/support.json``: what each build of a run has, by device."""
    devices = dict.fromkeys(build.id.device for build in matrix.builds)
    versions = {device: _versions(matrix, device) for device in devices}
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run_id(matrix.run),
        "builds": {
            device: [str(version) for version, _ in found] for device, found in versions.items()
        },
        "features": _of(matrix, versions, Capability, "feature", _capability),
        "names": _of(matrix, versions, Name, "name", _name),
    }


@dataclass(frozen=True, kw_only=True)
class Support:
    """``reports/data/support.json``: by name and device, the newest statement first."""

    schema_version: int
    run: str
    builds: Mapping[str, tuple[str, ...]]
    features: Mapping[str, Mapping[str, tuple[Statement, ...]]]
    names: Mapping[str, Mapping[str, tuple[Statement, ...]]]


def load_support(path: Path) -> Support:
    """What :func:`support` was written as.

    Raises:
        DamagedError: The file cannot be read, is no such data, or is of another schema version.
    """
    data = read_json(path, Support)
    if data.schema_version != SCHEMA_VERSION:
        raise DamagedError(
            f"{path}: expected schema version {SCHEMA_VERSION}, not {data.schema_version}"
        )
    return data


def schema() -> Any:
    """The published JSON schema of ``support.json``."""
    text = (
        resources.files("compat.findings")
        .joinpath("support.schema.json")
        .read_text(encoding="utf-8")
    )
    return json.loads(text)


def _of(
    matrix: Matrix,
    versions: Mapping[str, Sequence[tuple[Version, BuildId]]],
    kind: type[R],
    parameter: str,
    answer: Callable[[R, Version], Answered | None],
) -> dict[str, Any]:
    """By the parameter's value and the device: the statements that records of a type come to."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for device, builds in versions.items():
        for name in matrix.values(kind, parameter):
            seen = [
                (version, matrix.seen(kind, build, **{parameter: name}))
                for version, build in builds
            ]
            if any(cells for _, cells in seen):
                answers = [
                    answered
                    for version, cells in seen
                    for each in cells[:1]
                    if each.record is not None
                    and (answered := answer(each.record, version)) is not None
                ]
                statements = [_to_json(statement) for statement in infer(answers)]
                found.setdefault(name, {})[device] = statements
    return found


def _capability(record: Capability, version: Version) -> Answered:
    return Answered(version=version, there=record.capability)


def _name(record: Name, version: Version) -> Answered | None:
    if record.there is None:
        return None
    return Answered(version=version, there=record.there, signature=record.signature)


def _versions(matrix: Matrix, device: str) -> list[tuple[Version, BuildId]]:
    """The versions that were run on a device, each with the first build of it, oldest first."""
    found: dict[Version, BuildId] = {}
    for build in matrix.builds:
        if build.status is Status.OK and build.id.device == device and build.release is not None:
            found.setdefault(build.release, build.id)
    return sorted(found.items())


def infer(answers: Sequence[Answered]) -> list[Statement]:
    """Statements from what each version says, the newest first."""
    if not any(each.there for each in answers):
        return [Statement(version_added=False if answers else None)]
    statements: list[Statement] = []
    stretch: list[Answered] = []
    before: Answered | None = None
    for each in answers:
        if each.there:
            stretch.append(each)
            continue
        if stretch:
            statements.append(_statement(before, stretch, each))
            stretch = []
        before = each
    if stretch:
        statements.append(_statement(before, stretch, None))
    return statements[::-1]


def _statement(
    before: Answered | None, stretch: Sequence[Answered], after: Answered | None
) -> Statement:
    changes = [(one, other) for one, other in pairwise(stretch) if one.signature != other.signature]
    steps = [
        (before, stretch[0], "does not have it"),
        *((one, other, "has the parameters of before") for one, other in changes),
        *([(stretch[-1], after, "still has it")] if after else []),
    ]
    return Statement(
        version_added=_since(before, stretch[0]),
        version_removed=_since(stretch[-1], after) if after else None,
        signature_changed=tuple(_since(one, other) for one, other in changes),
        notes=tuple(_notes(steps)),
    )


def _notes(steps: Iterable[tuple[Answered | None, Answered, str]]) -> Iterable[str]:
    for earlier, later, what in steps:
        if earlier is None:
            yield f"{later.version} is the oldest version that was asked"
        elif not follows(earlier.version, later.version):
            yield f"{earlier.version} {what}; nothing between it and {later.version} was asked"


def _since(earlier: Answered | None, later: Answered) -> str:
    exact = earlier is not None and follows(earlier.version, later.version)
    return str(later.version) if exact else f"≤{later.version}"


def follows(earlier: Version, later: Version) -> bool:
    """Whether no version lies between two: the next release, or the nightly of the next day.

    Patch releases of a series do not count as lying before the next series.
    """
    before, after = _day(earlier), _day(later)
    if before is not None and after is not None:
        return earlier.release == later.release and after - before <= timedelta(days=1)
    if earlier.is_prerelease or later.is_prerelease:
        return False
    if earlier.release[:2] == later.release[:2]:
        return later.micro == earlier.micro + 1
    return (later.major, later.minor, later.micro) == (earlier.major, earlier.minor + 1, 0)


def _day(version: Version) -> date | None:
    """The day of a nightly; None of anything else."""
    try:
        return datetime.strptime(str(version.dev), "%Y%m%d").date()
    except ValueError:
        return None


def _to_json(statement: Statement) -> dict[str, Any]:
    """Without what there is nothing to say of."""
    data: dict[str, Any] = {"version_added": statement.version_added}
    if statement.version_removed is not None:
        data["version_removed"] = statement.version_removed
    if statement.signature_changed:
        data["signature_changed"] = list(statement.signature_changed)
    if statement.notes:
        data["notes"] = list(statement.notes)
    return data
