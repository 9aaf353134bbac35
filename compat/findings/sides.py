"""The two sides of a comparison that somebody asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compat.errors import UsageError
from compat.findings.baselines import paired
from compat.findings.compare import BuildSeen, Comparison, compare, seen_in_history, seen_in_run
from compat.findings.derive import derive
from compat.findings.expectations import Expectations
from compat.runs.history import History, append, day_of, run_id
from compat.runs.model import Run
from compat.runs.reference import refer


@dataclass(frozen=True, kw_only=True)
class Side:
    """A run, or one build of it.

    Attributes:
        name: The run's id, or the build's label.
        run: None where only the history knows it.
        whole: Whether a run was named, and not a build.
    """

    name: str
    builds: Sequence[BuildSeen]
    run: Run | None
    whole: bool
    failed_controls: Mapping[str, str]


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
    findings = derive(referred.run, expectations)
    builds = seen_in_run(referred.run, findings)
    name = run_id(referred.run)
    if referred.build is not None:
        name = referred.build.label
        builds = [each for each in builds if each.column.label == name]
        if not builds:
            raise UsageError(f"{text!r}: nothing was seen of it: {referred.build.reason}")
    return Side(
        name=name,
        builds=builds,
        run=referred.run,
        whole=referred.build is None,
        failed_controls=findings.failed_controls,
    )


def _remembered(text: str, history: History) -> Side | None:
    """The newest run of a day that the history holds."""
    runs = [column.run for column in history.columns if text in {day_of(column.run), column.run}]
    if not runs:
        return None
    builds = [
        seen_in_history(history, [index])
        for index, column in enumerate(history.columns)
        if column.run == max(runs)
    ]
    return Side(name=max(runs), builds=builds, run=None, whole=True, failed_controls={})


def compare_sides(old: Side, new: Side, history: History) -> Comparison:
    """Two runs, or two builds; what came before is taken from ``history``.

    Raises:
        UsageError: One is a build, and the other one is a run of several.
    """
    if old.whole is not new.whole and not len(old.builds) == len(new.builds) == 1:
        raise UsageError(
            f"{old.name} and {new.name}: expected two runs or two builds, not one of each"
        )
    for side in (old, new):
        if side.run is not None:
            history = append(history, side.run)
    failed_controls = {**old.failed_controls, **new.failed_controls}
    return compare(old.name, new.name, paired(old.builds, new.builds), history, failed_controls)
