"""Fixes that somebody waits for: what can go from a source tree once a check passes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import tomllib

from compat.errors import UsageError
from compat.runs.answers import Ending
from compat.runs.history import Column, Entry, History
from compat.runs.ids import BUILTIN, CheckId, InvalidIdError
from compat.runs.model import Outcome
from compat.subjects.suite import Suite, suite_of

# Beside the code that waits.
AWAITS = Path("awaits.toml")

_LINK = re.compile(r"https://[^\s<>()\[\]]+")
_PLACE = re.compile(r"[^\s:][^:\n]*:[1-9][0-9]*")


@dataclass(frozen=True, kw_only=True)
class Await:
    """One entry of ``awaits.toml``.

    Attributes:
        check: What is to pass.
        subject: Whose check it is, by the subject's id.
        script: The file that is run for it; None where some suite or probe asks it anyway.
        packages: Requirements of the script.
        issue: Where the fix is awaited.
        remove: The file and line that can go then: ``tests/test_x.py:41``.
        reason: What stands there, in words; may be empty.
    """

    check: CheckId
    subject: str
    script: Path | None
    packages: tuple[str, ...]
    issue: str
    remove: str
    reason: str


class Standing(str, Enum):
    """How an awaited fix stands after a run."""

    FIXED = "fixed"  # by what the newest build says, and not by what was said before
    FIXED_BEFORE = "fixed before"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """What a run says of an entry, on one device and Python.

    Attributes:
        column: The newest build that says something; None where none does.
        said: How the check ended there.
    """

    awaits: Await
    standing: Standing
    column: Column | None = None
    said: Ending | None = None

    @property
    def text(self) -> str:
        """What to do now, in one line; empty unless the fix has just come."""
        if self.standing is not Standing.FIXED or self.column is None:
            return ""
        about = f" ({self.awaits.reason})" if self.awaits.reason else ""
        return f"fixed in {self.column.build.label}; remove {self.awaits.remove}{about}"


@dataclass(frozen=True)
class Awaits:
    """The entries of a file."""

    entries: Sequence[Await] = field(default=())

    def suites(self) -> tuple[Suite, ...]:
        """What has to be run for them, beside what is asked anyway."""
        scripts = [(each.script, each.packages) for each in self.entries]
        found = [suite_of(script, packages) for script, packages in scripts if script is not None]
        return tuple(dict.fromkeys(found))


NOTHING = Awaits()


def load_awaits(path: Path = AWAITS) -> Awaits:
    """Read and check a file; where there is none, nothing is awaited.

    Raises:
        UsageError: It is no TOML, or an entry is not what it has to be.
    """
    if not path.exists():
        return NOTHING
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    entries = data.pop("await", [])
    if data or not isinstance(entries, list):
        raise UsageError(f"{path}: expected [[await]] only")
    return Awaits([_entry(f"{path}, await {n}", each) for n, each in enumerate(entries, 1)])


def _entry(where: str, table: Any) -> Await:
    match table:
        case {"issue": str(issue), "remove": str(remove)}:
            pass
        case _:
            raise UsageError(f"{where}: expected a text each for 'issue' and 'remove'")
    known = {"issue", "remove", "reason", "check", "subject", "script", "with"}
    if unknown := set(table) - known:
        raise UsageError(f"{where}: expected {', '.join(sorted(known))}, not {min(unknown)}")
    if not _LINK.fullmatch(issue):
        raise UsageError(f"{where}: expected an address as 'issue', not {issue!r}")
    if not _PLACE.fullmatch(remove):
        raise UsageError(f"{where}: expected FILE:LINE as 'remove', not {remove!r}")
    check, subject, script = (table.get(name, "") for name in ("check", "subject", "script"))
    packages, reason = table.get("with", []), table.get("reason", "")
    texts = (check, subject, script, reason, *packages) if isinstance(packages, list) else (0,)
    if not all(isinstance(each, str) for each in texts) or bool(check) is bool(script):
        raise UsageError(f"{where}: expected a 'script', or a 'check' and whose it is, as texts")
    if script:
        brought = suite_of(Path(script), packages)
        return Await(
            check=brought.check,
            subject=brought.id,
            script=Path(script),
            packages=tuple(packages),
            issue=issue,
            remove=remove,
            reason=reason,
        )
    try:
        asked = CheckId(check)
    except InvalidIdError as error:
        raise UsageError(f"{where}: {error}") from None
    return Await(
        check=asked,
        subject=subject or BUILTIN,
        script=None,
        packages=(),
        issue=issue,
        remove=remove,
        reason=reason,
    )


def find_awaited(awaits: Awaits, entries: Sequence[Entry], history: History) -> tuple[Awaited, ...]:
    """What a run says of each entry, for each device and Python that asks it.

    Args:
        awaits: What is awaited.
        entries: Of the run.
        history: What came before.
    """
    return tuple(found for each in awaits.entries for found in _awaited(each, entries, history))


def _awaited(each: Await, entries: Sequence[Entry], history: History) -> Iterator[Awaited]:
    asked = [entry for entry in entries if entry.column.subject == each.subject]
    lines = dict.fromkeys(entry.column.line for entry in asked)
    if not lines:
        yield Awaited(awaits=each, standing=Standing.UNKNOWN)
    for line in lines:
        now = [entry for entry in asked if entry.column.line == line]
        newest = _newest(now, each.check)
        if newest is None:
            yield Awaited(awaits=each, standing=Standing.UNKNOWN)
            continue
        runs = {entry.column.run for entry in now}
        earlier = [entry for entry in history.of_line(line) if entry.column.run < min(runs)]
        before = max(
            (entry for entry in earlier if _said(entry, each.check)),
            key=lambda entry: (entry.column.run, entry.column.order),
            default=None,
        )
        said = _said(newest, each.check)
        passes = said is not None and said.outcome is Outcome.PASS
        was = _said(before, each.check) if before else None
        standing = (
            Standing.WAITING
            if not passes
            else Standing.FIXED_BEFORE
            if was is not None and was.outcome is Outcome.PASS
            else Standing.FIXED
        )
        yield Awaited(awaits=each, standing=standing, column=newest.column, said=said)


def _newest(entries: Iterable[Entry], check: CheckId) -> Entry | None:
    return max(
        (entry for entry in entries if _said(entry, check)),
        key=lambda entry: entry.column.order,
        default=None,
    )


def _said(entry: Entry, check: CheckId) -> Ending | None:
    """How a check ended; None where that is not known."""
    ending = entry.endings.get(check)
    return ending if ending is not None and ending.outcome.known else None
