"""Since when a build has what the interface uses: support statements, inferred from cells.

In the manner of browser-compat-data: ``≤2.12.1`` means that 2.12.1 has it, and that the first
version which does lies between it and the newest one seen without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from itertools import pairwise
from typing import Any

from packaging.version import InvalidVersion, Version

from compat.findings.gates import PROBE as CAPABILITY
from compat.findings.surface import PROBE as NAME
from compat.runs.history import run_id
from compat.runs.model import Build, Cell, Outcome, Run, Status

SCHEMA_VERSION = 1


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


def support(run: Run) -> dict[str, Any]:
    """``reports/data/support.json``: what each build of ``run`` has, by device."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run_id(run),
        "builds": {
            device: [str(version) for version, _ in _versions(run, device)]
            for device in _devices(run)
        },
        "features": _of(run, CAPABILITY, "feature", _capability),
        "names": _of(run, NAME, "name", _signature),
    }


def schema() -> Any:
    """The published JSON schema of ``support.json``."""
    text = (
        resources.files("compat.findings")
        .joinpath("support.schema.json")
        .read_text(encoding="utf-8")
    )
    return json.loads(text)


def _of(
    run: Run,
    probe: str,
    parameter: str,
    answer: Callable[[Cell, Version], Answered | None],
) -> dict[str, Any]:
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for device in _devices(run):
        cells: dict[str, dict[str, Cell]] = {}
        for cell in run.cells:
            if cell.probe == probe and cell.device == device:
                cells.setdefault(cell.params[parameter], {})[cell.build] = cell
        for name, by_build in cells.items():
            answers = [
                said
                for version, build in _versions(run, device)
                if build.id in by_build and (said := answer(by_build[build.id], version))
            ]
            statements = [_to_json(each) for each in infer(answers)]
            found.setdefault(name, {})[device] = statements
    return found


def _capability(cell: Cell, version: Version) -> Answered | None:
    there = cell.metrics.get("capability")
    return None if there is None else Answered(version=version, there=there)


def _signature(cell: Cell, version: Version) -> Answered | None:
    signature = cell.metrics.get("signature")
    if signature is not None:
        return Answered(version=version, there=True, signature=signature)
    return Answered(version=version, there=False) if cell.outcome is Outcome.FAIL else None


def _devices(run: Run) -> list[str]:
    return list(dict.fromkeys(build.device.kind for build in run.builds))


def _versions(run: Run, device: str) -> list[tuple[Version, Build]]:
    """The versions that were run on a device, each with the first build of it, oldest first."""
    found: dict[Version, Build] = {}
    for build in run.builds:
        if build.status is Status.OK and build.device.kind == device:
            try:
                found.setdefault(Version(Version(build.version or build.id).public), build)
            except InvalidVersion:
                continue
    return sorted(found.items(), key=lambda item: item[0])


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
        elif not _follows(earlier.version, later.version):
            yield f"{earlier.version} {what}; nothing between it and {later.version} was asked"


def _since(earlier: Answered | None, later: Answered) -> str:
    exact = earlier is not None and _follows(earlier.version, later.version)
    return str(later.version) if exact else f"≤{later.version}"


def _follows(earlier: Version, later: Version) -> bool:
    """Whether no version lies between two: the next release, or the nightly of the next day.

    Patch releases of a series do not count as lying before the next series.
    """
    if earlier.dev is not None and later.dev is not None:
        before, after = _day(earlier), _day(later)
        if before is None or after is None or earlier.release != later.release:
            return False
        return after - before <= timedelta(days=1)
    if earlier.is_prerelease or later.is_prerelease:
        return False
    if earlier.release[:2] == later.release[:2]:
        return later.micro == earlier.micro + 1
    return (later.major, later.minor, later.micro) == (earlier.major, earlier.minor + 1, 0)


def _day(version: Version) -> date | None:
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
