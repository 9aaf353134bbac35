"""What is known to end badly, and what has to end well for a run to mean anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomllib
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from compat.errors import UsageError
from compat.findings.lookup import is_on
from compat.findings.model import ExpectationFinding, Met
from compat.runs.failures import BAD, signature_of_cell
from compat.runs.history import day_of, run_id
from compat.runs.model import Build, Cell, Outcome, Run, Status

DEFAULT_FILE = Path(__file__).with_name("expectations.toml")

# How a cell ends that turns a run red: nothing else can be expected.
_RED = BAD | {Outcome.NOT_RUN}
_BAD_NAMES = ", ".join(outcome.value for outcome in Outcome if outcome in _RED)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which cells something is said of.

    Attributes:
        probe: A pattern of the probe's name, in which ``*`` stands for anything.
        params: By parameter: patterns, one of which the value fits.
        builds: The versions; pre-releases are among them.
    """

    probe: str
    params: Mapping[str, tuple[str, ...]]
    builds: SpecifierSet

    def holds(self, cell: Cell, build: Build) -> bool:
        return (
            _fits(self.probe, cell.probe)
            and all(
                any(_fits(pattern, cell.params.get(name, "")) for pattern in patterns)
                for name, patterns in self.params.items()
            )
            and lies_in(build, self.builds)
        )


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Cells that are known to end badly.

    Attributes:
        outcome: How they end; None where only the signature matters.
        signature: A pattern of it; empty where only the outcome matters.
        review_by: The day from which on somebody should look at it again.
    """

    scope: Scope
    outcome: Outcome | None
    signature: str
    reason: str
    link: str
    review_by: date

    def explains(self, cell: Cell) -> bool:
        """Whether a cell in scope ended as expected."""
        return (
            cell.outcome in _RED
            and self.outcome in (None, cell.outcome)
            and (not self.signature or _fits(self.signature, signature_of_cell(cell)))
        )


@dataclass(frozen=True, kw_only=True)
class Control:
    """Cells that end in a known way as long as the probes see what they look for.

    Attributes:
        metrics: What they have to have recorded.
    """

    scope: Scope
    outcome: Outcome
    metrics: Mapping[str, Any]
    reason: str

    def failed_by(self, cell: Cell) -> bool:
        return cell.outcome is not self.outcome or any(
            cell.metrics.get(name) != value for name, value in self.metrics.items()
        )


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What ``expectations.toml`` says."""

    known: tuple[Expectation, ...] = ()
    controls: tuple[Control, ...] = ()


NONE = Expectations()


def find_expectations(run: Run, expectations: Expectations) -> list[ExpectationFinding]:
    """What became of each entry in ``run``, by whose day it is judged whether one is overdue."""
    today = day_of(run_id(run))
    found = []
    for each in expectations.known:
        cells = _in_scope(run, each.scope)
        met = [cell.id for cell in cells if each.explains(cell)]
        asked = [cell for cell in cells if cell.outcome is not Outcome.NOT_RUN]
        found.append(
            ExpectationFinding(
                probe=each.scope.probe,
                builds=str(each.scope.builds),
                reason=each.reason,
                link=each.link,
                review_by=each.review_by.isoformat(),
                overdue=each.review_by.isoformat() < today,
                met=Met.USED if met else Met.UNUSED if asked else Met.UNASKED,
                cells=tuple(met),
            )
        )
    return found


def find_failed_controls(run: Run, expectations: Expectations) -> dict[str, str]:
    """By cell: why a control that failed there was one."""
    return {
        cell.id: control.reason
        for control in expectations.controls
        for cell in _in_scope(run, control.scope)
        if control.failed_by(cell)
    }


def _in_scope(run: Run, scope: Scope) -> list[Cell]:
    return [
        cell
        for build in run.builds
        if build.status is Status.OK
        for cell in run.cells
        if is_on(cell, build) and scope.holds(cell, build)
    ]


def lies_in(build: Build, versions: SpecifierSet) -> bool:
    """Whether a build's version, without its local part, is among ``versions``."""
    try:
        public = Version(build.version or build.id).public
    except InvalidVersion:
        return not str(versions)
    return versions.contains(public, prereleases=True)


def _fits(pattern: str, text: str) -> bool:
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def load_expectations(path: Path = DEFAULT_FILE) -> Expectations:
    """Read and check a file of expectations.

    Raises:
        UsageError: It is missing, no TOML, or an entry is not what it has to be.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    known = [_expectation(entry) for entry in _entries(path, data, "expectation")]
    controls = [_control(entry) for entry in _entries(path, data, "control")]
    if data:
        raise UsageError(
            f"{path}: expected [[expectation]] and [[control]] only, not {', '.join(data)}"
        )
    return Expectations(known=tuple(known), controls=tuple(controls))


def _entries(path: Path, data: dict[str, Any], kind: str) -> list[_Entry]:
    tables = data.pop(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: expected tables, [[{kind}]]")
    return [_Entry(path, f"{kind} {number}", table) for number, table in enumerate(tables, 1)]


class _Entry:
    """One table of the file, taken apart key by key; what is left over is refused."""

    def __init__(self, path: Path, name: str, table: dict[str, Any]) -> None:
        self._where = f"{path}, {name}"
        self._table = table

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._table.pop(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.wrong(f"expected a text as {key!r}, not {value!r}")
        return value

    def day(self, key: str) -> date:
        value = self._table.pop(key, None)
        if type(value) is not date:
            raise self.wrong(f"expected a day such as 2027-05-31 as {key!r}, not {value!r}")
        return value

    def outcome(self, *, expected: str, among: frozenset[Outcome]) -> Outcome | None:
        value = self._table.pop("outcome", None)
        if value is None:
            return None
        if value not in [outcome.value for outcome in among]:
            raise self.wrong(f"expected one of {expected} as 'outcome', not {value!r}")
        return Outcome(value)

    def scope(self) -> Scope:
        builds = self.text("builds", default="")
        try:
            versions = SpecifierSet(builds)
        except InvalidSpecifier:
            raise self.wrong(
                f"expected versions such as '>=2.11,<2.13' as 'builds', not {builds!r}"
            ) from None
        params = {name: self._patterns(name, each) for name, each in self.table("params").items()}
        return Scope(probe=self.text("probe"), params=params, builds=versions)

    def _patterns(self, name: str, value: Any) -> tuple[str, ...]:
        patterns = value if isinstance(value, list) else [value]
        if not all(isinstance(pattern, str) for pattern in patterns):
            raise self.wrong(f"expected a text or texts as {name!r} in 'params', not {value!r}")
        return tuple(patterns)

    def table(self, key: str) -> dict[str, Any]:
        value = self._table.pop(key, {})
        if not isinstance(value, dict):
            raise self.wrong(f"expected a table as {key!r}, not {value!r}")
        return value

    def end(self) -> None:
        if self._table:
            raise self.wrong(f"unknown {', '.join(map(repr, self._table))}")

    def wrong(self, what: str) -> UsageError:
        return UsageError(f"{self._where}: {what}")


def _expectation(entry: _Entry) -> Expectation:
    expectation = Expectation(
        scope=entry.scope(),
        outcome=entry.outcome(expected=_BAD_NAMES, among=_RED),
        signature=entry.text("signature", default=""),
        reason=entry.text("reason"),
        link=entry.text("link"),
        review_by=entry.day("review_by"),
    )
    if expectation.outcome is None and not expectation.signature:
        raise entry.wrong("expected an 'outcome' or a 'signature'")
    entry.end()
    return expectation


def _control(entry: _Entry) -> Control:
    outcomes = ", ".join(outcome.value for outcome in Outcome)
    control = Control(
        scope=entry.scope(),
        outcome=entry.outcome(expected=outcomes, among=frozenset(Outcome)) or Outcome.PASS,
        metrics=entry.table("metrics"),
        reason=entry.text("reason"),
    )
    entry.end()
    return control
