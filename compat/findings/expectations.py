"""What is known to end badly, or to be lost, and what has to hold for a run to mean anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import tomllib
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from compat.errors import UsageError
from compat.findings.answers import Answers, said_by
from compat.findings.changes import Difference
from compat.findings.model import ExpectationFinding, Use
from compat.runs.answers import OUTCOME, Value
from compat.runs.failures import signature_of_cell
from compat.runs.history import day_of, run_id
from compat.runs.ids import BUILTIN, DEVICES, CellId
from compat.runs.model import Build, Cell, Outcome, Status
from compat.topics.matrix import Matrix

DEFAULT_FILE = Path(__file__).with_name("expectations.toml")

# How a cell ends that turns a run red: nothing else can be expected.
_RED = frozenset({each for each in Outcome if each.bad} | {Outcome.NOT_RUN})
_BAD_NAMES = ", ".join(outcome.value for outcome in Outcome if outcome in _RED)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which cells something is said of.

    Attributes:
        probe: A pattern of the probe's name, in which ``*`` stands for anything.
        params: By parameter: patterns, one of which the value fits.
        builds: The versions; pre-releases are among them.
        subject: A pattern of the subject's id; left out, it is the builtin one.
        device: ``cpu`` or ``cuda``; empty for both.
    """

    probe: str
    params: Mapping[str, tuple[str, ...]]
    builds: SpecifierSet
    subject: str
    device: str = ""

    def holds(self, cell: Cell, build: Build) -> bool:
        return self.holds_on(build, cell.subject) and self.holds_of(cell)

    def holds_on(self, build: Build, subject: str) -> bool:
        """Whether it may be said of a cell of a subject on a build."""
        return (
            _fits(self.subject, subject)
            and self.device in {"", build.id.device}
            and lies_in(build, self.builds)
        )

    def holds_of(self, cell: Cell) -> bool:
        """Whether it may be said of a cell, whatever it was run on."""
        return _fits(self.probe, cell.probe) and all(
            any(_fits(pattern, cell.params.get(name, "")) for pattern in patterns)
            for name, patterns in self.params.items()
        )

    def holds_for_group(self, probe: str, build: Build, subject: str) -> bool:
        """Whether it is said of all cells of a probe: what these say together is in scope then."""
        return not self.params and _fits(self.probe, probe) and self.holds_on(build, subject)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Cells that are known to end badly, or an answer that is known to be lost or worse.

    Attributes:
        answer: A pattern of the answer's name; empty where it is about how cells end.
        outcome: How they end; None where only the signature matters.
        signature: A pattern of it; empty where only the outcome matters.
        review_by: The day from which on somebody should look at it again.
    """

    scope: Scope
    answer: str
    outcome: Outcome | None
    signature: str
    reason: str
    link: str
    review_by: date

    def explains(self, cell: Cell) -> bool:
        """Whether a cell in scope ended as expected."""
        return (
            not self.answer
            and cell.outcome in _RED
            and self.outcome in (None, cell.outcome)
            and (not self.signature or _fits(self.signature, signature_of_cell(cell)))
        )


@dataclass(frozen=True, kw_only=True)
class Control:
    """Cells that end in a known way as long as the probes see what they look for.

    Attributes:
        answers: What they have to say, by the answer's name.
    """

    scope: Scope
    outcome: Outcome
    answers: Mapping[str, Any]
    reason: str

    def failed_by(self, cell: Cell, said: Mapping[str, Value | None]) -> bool:
        return cell.outcome is not self.outcome or any(
            said.get(name) != value for name, value in self.answers.items()
        )


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What ``expectations.toml`` says."""

    known: tuple[Expectation, ...] = ()
    controls: tuple[Control, ...] = ()

    def foresees(self, cell: Cell, build: Build) -> bool:
        """Whether a cell on ``build`` ended badly as expected."""
        return any(each.scope.holds(cell, build) and each.explains(cell) for each in self.known)

    def explain(self, matrix: Matrix, difference: Difference) -> bool:
        """Whether a loss is known: its cell ends badly as expected, or the answer is named."""
        cell = matrix.cell(difference.cell)
        build = next((each for each in matrix.builds if each.id == difference.new.build), None)
        if build is None:
            return False
        if difference.answer.name == OUTCOME and cell is not None:
            return self.foresees(cell, build)
        return any(
            each.answer
            and _fits(each.answer, difference.answer.name)
            and (
                each.scope.holds(cell, build)
                if cell is not None
                else each.scope.holds_for_group(
                    difference.answer.check.probe, build, difference.new.subject
                )
            )
            for each in self.known
        )


NONE = Expectations()


def find_expectations(
    matrix: Matrix, answers: Answers, expectations: Expectations
) -> list[ExpectationFinding]:
    """What became of each entry in a run, by whose day it is judged whether one is overdue.

    One that names an answer counts as used as soon as the answer is there: whether it is lost
    shows in a comparison only.
    """
    today = day_of(run_id(matrix.run))
    found = []
    said = _said_by(answers)
    for each in expectations.known:
        cells = _in_scope(matrix, each.scope)
        met = [cell.id for cell in cells if _is_met(each, cell, said)]
        asked = [cell for cell in cells if cell.outcome is not Outcome.NOT_RUN]
        found.append(
            ExpectationFinding(
                probe=each.scope.probe,
                answer=each.answer,
                builds=str(each.scope.builds),
                reason=each.reason,
                link=each.link,
                review_by=each.review_by.isoformat(),
                overdue=each.review_by.isoformat() < today,
                use=Use.USED if met else Use.UNUSED if asked else Use.UNASKED,
                cells=() if each.answer else tuple(met),
            )
        )
    return found


def _is_met(expectation: Expectation, cell: Cell, said: Mapping[CellId, Collection[str]]) -> bool:
    if not expectation.answer:
        return expectation.explains(cell)
    return any(_fits(expectation.answer, name) for name in said.get(cell.id, ()))


def _said_by(answers: Answers) -> Mapping[CellId, Collection[str]]:
    """By cell: the names of what it says, alone or with others; how it ended is none of that."""
    found: dict[CellId, set[str]] = {}
    for of_build in answers.values():
        for name, answer in of_build.items():
            if name.name != OUTCOME:
                for cell in answer.cells:
                    found.setdefault(cell, set()).add(name.name)
    return found


def find_failed_controls(matrix: Matrix, expectations: Expectations) -> dict[CellId, str]:
    """By cell: why a control that failed there was one."""
    return {
        cell.id: control.reason
        for control in expectations.controls
        for cell in _in_scope(matrix, control.scope)
        if control.failed_by(cell, _said(matrix, cell))
    }


def _said(matrix: Matrix, cell: Cell) -> dict[str, Value | None]:
    """What the record of a cell says, by the answer's name."""
    record = matrix.on(cell.build, cell.subject)[cell.check].record
    return {said.name: said.value for said in said_by(record)}


def _in_scope(matrix: Matrix, scope: Scope) -> list[Cell]:
    return [
        seen.cell
        for build in matrix.builds
        if build.status is Status.OK
        for subject in matrix.subjects(build.id)
        if scope.holds_on(build, subject)
        for seen in matrix.on(build.id, subject).values()
        if scope.holds_of(seen.cell)
    ]


def lies_in(build: Build, versions: SpecifierSet) -> bool:
    """Whether a build's version, without its local part, is among ``versions``."""
    if build.release is None:
        return not str(versions)
    return versions.contains(build.release, prereleases=True)


@cache
def _fits(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def load_expectations(path: Path = DEFAULT_FILE) -> Expectations:
    """Read and check a file of expectations.

    Raises:
        UsageError: It is missing, no TOML, or an entry is not what it has to be.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
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
        return Scope(
            probe=self.text("probe"),
            params=params,
            builds=versions,
            subject=self.text("subject", default=BUILTIN),
            device=self._device(),
        )

    def _device(self) -> str:
        device = self.text("device", default="")
        if device not in {"", *DEVICES}:
            raise self.wrong(f"expected one of {', '.join(DEVICES)} as 'device', not {device!r}")
        return device

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
        answer=entry.text("answer", default=""),
        outcome=entry.outcome(expected=_BAD_NAMES, among=_RED),
        signature=entry.text("signature", default=""),
        reason=entry.text("reason"),
        link=entry.text("link"),
        review_by=entry.day("review_by"),
    )
    ends = expectation.outcome is not None or bool(expectation.signature)
    if ends is bool(expectation.answer):
        raise entry.wrong("expected an 'outcome' or a 'signature', or else an 'answer'")
    entry.end()
    return expectation


def _control(entry: _Entry) -> Control:
    outcomes = ", ".join(outcome.value for outcome in Outcome)
    control = Control(
        scope=entry.scope(),
        outcome=entry.outcome(expected=outcomes, among=frozenset(Outcome)) or Outcome.PASS,
        answers=entry.table("answers"),
        reason=entry.text("reason"),
    )
    entry.end()
    return control
