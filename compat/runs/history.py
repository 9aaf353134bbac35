"""How every check ended over time: one column for each build of each execution.

``history.json`` is kept small: of nightlies and release candidates the newest 400 columns a device
stay, of every other build the newest 20.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from compat.errors import UsageError
from compat.runs.durable import write_text
from compat.runs.failures import signature_of_cell
from compat.runs.model import Build, Outcome, Run, Status
from compat.runs.signature import normalise

SCHEMA_VERSION = 1

# The build itself stands among the checks: it passed where it was installed, imported and run to
# its end.
WHOLE = "build.whole"

LETTERS = {outcome: outcome.value[0] for outcome in Outcome}
OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
ABSENT = "."

_MOST_MOVING = 400
_MOST_FIXED = 20
_MOVING = frozenset({"nightly", "test"})


@dataclass(frozen=True, kw_only=True)
class Column:
    """One build of one execution.

    Attributes:
        run: The id of the execution: of the newest one, where a report is made of several.
        date: The day, YYYY-MM-DD, on which a cell of the build was seen last: that of an earlier
            execution, where nothing had changed and nothing was seen again.
    """

    run: str
    date: str
    build: str
    device: str
    version: str
    channel: str
    git_version: str

    @property
    def label(self) -> str:
        """As :attr:`compat.runs.model.Build.label`."""
        return self.build if self.device == "cpu" else f"{self.build} {self.device}"

    @property
    def line(self) -> tuple[str, str, str, str]:
        """Device, Python, channel and series: what it shares with the builds that it follows."""
        if self.channel == "local":
            return (self.device, "", self.channel, self.build)
        build, _, python = self.build.partition("-py")
        return (self.device, python, self.channel, ".".join(build.split(".")[:2]))

    @property
    def order(self) -> tuple[bool, Version, str]:
        """By version, then by time; what never got a version goes last."""
        try:
            return (False, Version(self.version or self.build), self.run)
        except InvalidVersion:
            return (True, Version("0"), self.run)


@dataclass(frozen=True, kw_only=True)
class History:
    """All columns that are kept.

    Attributes:
        columns: Oldest first.
        outcomes: By check: one letter a column, and ``.`` where the check was not planned.
        signatures: By check, by the column's index as text: of what ended badly.
    """

    columns: tuple[Column, ...] = ()
    outcomes: Mapping[str, str]
    signatures: Mapping[str, Mapping[str, str]]


# A column with what was seen in it: by check, a letter and a signature.
_Seen = tuple[Column, Mapping[str, tuple[str, str]]]

EMPTY = History(outcomes={}, signatures={})


def columns_of(run: Run) -> History:
    """The columns of one run; a build that could not be had has none."""
    return _joined(_seen_in_run(run))


def append(history: History, run: Run) -> History:
    """``history`` with the columns of ``run``.

    What is new of a column that is there already replaces what it says of the same checks: a part
    of a run may be reported again.
    """
    seen = {
        (column.run, column.build, column.device): (column, checks)
        for column, checks in _seen_in_history(history)
    }
    for column, checks in _seen_in_run(run):
        key = (column.run, column.build, column.device)
        earlier = seen[key][1] if key in seen else {}
        seen[key] = (column, {**earlier, **checks})
    return _joined(_pruned(seen.values()))


def run_id(run: Run) -> str:
    """What a run goes by: the newest execution that saw any of its cells."""
    return max(source.id for source in run.sources)


def day_of(execution: str) -> str:
    """The day on which an execution with this id began, YYYY-MM-DD."""
    return execution[: len("YYYY-MM-DD")]


def load_history(path: Path) -> History:
    """What :func:`save_history` wrote; an empty history where there is no such file.

    Raises:
        UsageError: The file is no history.
    """
    # Here, so that a machine that only probes needs no jsonschema.
    import jsonschema

    if not path.exists():
        return EMPTY
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(data, schema())
        return _from_json(data)
    except (ValueError, jsonschema.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"{path}: expected a history as compat report writes it: {reason}"
        ) from None


def save_history(history: History, path: Path) -> None:
    """Write ``history``, one column or check a line; the same history gives the same bytes.

    Raises:
        jsonschema.ValidationError: It does not fit the schema; a defect of this project.
    """
    import jsonschema

    columns = [asdict(column) for column in history.columns]
    data = {
        "schema_version": SCHEMA_VERSION,
        "columns": columns,
        "outcomes": history.outcomes,
        "signatures": history.signatures,
    }
    jsonschema.validate(data, schema())
    text = (
        f'{{"schema_version":{SCHEMA_VERSION},\n"columns":[\n'
        + ",\n".join(map(_line, columns))
        + '\n],\n"outcomes":{\n'
        + _lines(history.outcomes)
        + '\n},\n"signatures":{\n'
        + _lines(history.signatures)
        + "\n}}\n"
    )
    write_text(path, text)


def schema() -> Any:
    """The published JSON schema of ``history.json``."""
    return json.loads(
        resources.files("compat.runs").joinpath("history.schema.json").read_text(encoding="utf-8")
    )


def _from_json(data: Mapping[str, Any]) -> History:
    columns = tuple(Column(**column) for column in data["columns"])
    for check, letters in data["outcomes"].items():
        if len(letters) != len(columns):
            raise ValueError(f"{check} has {len(letters)} letters for {len(columns)} columns")
    return History(columns=columns, outcomes=data["outcomes"], signatures=data["signatures"])


def _lines(entries: Mapping[str, Any]) -> str:
    return ",\n".join(f"{_line(check)}:{_line(entries[check])}" for check in sorted(entries))


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _seen_in_run(run: Run) -> list[_Seen]:
    return [
        (
            column_of(run, build),
            {
                WHOLE: (LETTERS[whole_of(build)[0]], whole_of(build)[1]),
                **{
                    cell.check: (LETTERS[cell.outcome], signature_of_cell(cell))
                    for cell in run.cells
                    if (cell.build, cell.device) == (build.id, build.device.kind)
                },
            },
        )
        for build in run.builds
        if build.status is not Status.UNAVAILABLE
    ]


def column_of(run: Run, build: Build) -> Column:
    # One that broke was tried in the newest execution, whatever was known of it.
    seen_in = (
        {run_id(run)}
        if build.status is Status.BROKEN
        else {
            cell.seen_in
            for cell in run.cells
            if (cell.build, cell.device) == (build.id, build.device.kind)
        }
    )
    return Column(
        run=run_id(run),
        date=day_of(max(seen_in - {""}, default=run_id(run))),
        build=build.id,
        device=build.device.kind,
        version=build.version,
        channel=build.channel,
        git_version=build.git_version,
    )


def whole_of(build: Build) -> tuple[Outcome, str]:
    """How a build that could be had did as a whole, with a signature."""
    if build.status is Status.OK:
        return Outcome.PASS, ""
    return Outcome.ERROR, normalise(build.reason)


def _seen_in_history(history: History) -> list[_Seen]:
    seen: list[dict[str, tuple[str, str]]] = [{} for _ in history.columns]
    for check, letters in history.outcomes.items():
        signatures = history.signatures.get(check, {})
        for index, letter in enumerate(letters):
            if letter != ABSENT:
                seen[index][check] = (letter, signatures.get(str(index), ""))
    return list(zip(history.columns, seen, strict=True))


def _pruned(columns: Iterable[_Seen]) -> list[_Seen]:
    kept = []
    newer: Counter[tuple[str, str]] = Counter()
    for column, seen in sorted(columns, key=_by_time, reverse=True):
        moving = column.channel in _MOVING
        line = ("" if moving else column.build, column.device)
        newer[line] += 1
        if newer[line] <= (_MOST_MOVING if moving else _MOST_FIXED):
            kept.append((column, seen))
    return kept


def _by_time(seen: _Seen) -> tuple[Any, ...]:
    column = seen[0]
    return (column.run, *column.order, column.build, column.device)


def _joined(columns: Iterable[_Seen]) -> History:
    ordered = sorted(columns, key=_by_time)
    letters: dict[str, list[str]] = {}
    signatures: dict[str, dict[str, str]] = {}
    for index, (_, seen) in enumerate(ordered):
        for check, (letter, signature) in seen.items():
            letters.setdefault(check, [ABSENT] * len(ordered))[index] = letter
            if signature:
                signatures.setdefault(check, {})[str(index)] = signature
    return History(
        columns=tuple(column for column, _ in ordered),
        outcomes={check: "".join(letters[check]) for check in sorted(letters)},
        signatures={check: signatures[check] for check in sorted(signatures)},
    )
