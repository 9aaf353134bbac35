"""The two sides of ``compat compare``: each a run, or one build of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compat.errors import UsageError
from compat.findings.baselines import of_two_builds, paired
from compat.findings.changes import Comparison, Pair, compare
from compat.findings.expectations import Expectations
from compat.findings.results import Results, results_of
from compat.runs.history import Column, Entry, History, append, day_of, run_id
from compat.runs.ids import CellId
from compat.runs.reference import refer


@dataclass(frozen=True, kw_only=True)
class Side:
    """A run, or one build of it.

    Attributes:
        name: The run's id, or the build's label.
        results: None where only the history knows it.
        whole: Whether a run was named, and not a build.
    """

    name: str
    entries: Sequence[Entry]
    results: Results | None
    whole: bool

    @property
    def failed_controls(self) -> Mapping[CellId, str]:
        return self.results.findings.failed_controls if self.results else {}


def side_of(
    text: str, latest: Path, folders: Path, history: History, expectations: Expectations
) -> Side:
    """What ``text`` names: see :func:`compat.runs.reference.refer`; a day may be of the history.

    Raises:
        UsageError: There is no such run or build, or nothing was seen of that build.
    """
    try:
        referred = refer(text, latest, folders)
    except UsageError:
        remembered = _remembered(text, history)
        if remembered is None:
            raise
        return remembered
    results = results_of(referred.run, history, expectations)
    if referred.build is None:
        name = run_id(referred.run)
        return Side(name=name, entries=results.entries, results=results, whole=True)
    build = referred.build
    entries = [entry for entry in results.entries if entry.column.build == build.id]
    if not entries:
        raise UsageError(f"{text!r}: nothing was seen of it: {build.reason}")
    return Side(name=build.label, entries=entries, results=results, whole=False)


def _remembered(text: str, history: History) -> Side | None:
    """The newest run of a day that the history holds."""
    runs = [column.run for column in history.columns if text in {day_of(column.run), column.run}]
    if not runs:
        return None
    entries = [entry for entry in history.entries if entry.column.run == max(runs)]
    return Side(name=max(runs), entries=entries, results=None, whole=True)


def compare_named(old: Side, new: Side, history: History) -> Comparison:
    """Two runs, or two builds; what came before is taken from ``history``.

    Raises:
        UsageError: One is a build, and the other one is a run of several; or they are of two
            devices or Pythons.
    """
    if old.whole is not new.whole and not len(old.entries) == len(new.entries) == 1:
        raise UsageError(
            f"{old.name} and {new.name}: expected two runs or two builds, not one of each"
        )
    for side in (old, new):
        history = append(history, side.entries)
    pairs, alone = _pairs(old, new)
    return compare(
        old.name,
        new.name,
        pairs,
        history=history,
        expected=new.results.expected if new.results else lambda _: False,
        alone=alone,
        failed_controls={**old.failed_controls, **new.failed_controls},
    )


def _pairs(old: Side, new: Side) -> tuple[Sequence[Pair], Sequence[Column]]:
    if old.whole and new.whole:
        return paired(old.entries, new.entries)
    pairs = of_two_builds(old.entries, new.entries)
    if not pairs:
        raise UsageError(
            f"{old.name} and {new.name}: expected builds of one device and Python, and on "
            f"a GPU of one card: others are not compared"
        )
    return pairs, []
