"""Runs on disk: a folder with a header and one stream per build, merged into one run."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any

from compat.errors import UsageError
from compat.runs.contents import Contents, Planned, Reported, read_contents
from compat.runs.decode import DamagedError, read_json
from compat.runs.durable import write_text
from compat.runs.ids import BUILTIN, BuildId, CheckId
from compat.runs.model import (
    SCHEMA_VERSION,
    Build,
    Cell,
    Harness,
    Host,
    Outcome,
    Pair,
    Run,
    Source,
    Status,
    Subject,
    fields_of,
    to_json,
)
from compat.runs.stream import Stream
from compat.runs.versions import version_order

# What a cell and a report of one hold alike.
_OF_BOTH = {each.name for each in fields(Reported)} & {each.name for each in fields(Cell)}
# As execution_id() makes it.
_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}\.[0-9]{3}Z")


@dataclass(frozen=True)
class RunFolder:
    """A folder that one execution writes into: a header, and a stream for each build."""

    path: Path

    @classmethod
    def create(cls, parent: Path, harness: Harness, host: Host) -> RunFolder:
        path, began = _new_folder(parent)
        source = Source(
            id=path.name, started=began.isoformat(timespec="seconds"), harness=harness, host=host
        )
        write_json(path / "header.json", to_json(source))
        return cls(path)

    @classmethod
    def latest(cls, parent: Path) -> RunFolder | None:
        """The newest run below ``parent``."""
        folders = cls.all(parent)
        return folders[-1] if folders else None

    @classmethod
    def all(cls, *parents: Path) -> list[RunFolder]:
        """The runs below ``parents``, oldest first; their names sort by time.

        A folder that no execution could have made is none of them, whatever lies in it, nor is one
        whose header cannot be read.
        """
        paths = [
            header.parent
            for parent in parents
            for header in parent.glob("*/header.json")
            if _ID.fullmatch(header.parent.name)
        ]
        folders = [cls(path) for path in sorted(paths, key=lambda path: path.name)]
        return [folder for folder in folders if folder.readable]

    @property
    def source(self) -> Source:
        """Who wrote it.

        Raises:
            DamagedError: The header cannot be read.
        """
        return read_json(self.path / "header.json", Source)

    @property
    def readable(self) -> bool:
        """Whether its header can be read: a folder of which it cannot is passed over."""
        try:
            return bool(self.source.id)
        except DamagedError:
            return False

    def stream(self, build: BuildId, subject: str = BUILTIN) -> Stream:
        """Of a subject on a build: ``2.13.0-cpu.jsonl``, ``vllm-0.33.0@2.13.0-cpu.jsonl``."""
        name = build if subject == BUILTIN else f"{subject}@{build}"
        safe = "".join(c if c.isalnum() or c in ".+-@" else "_" for c in name)
        return Stream(self.path / f"{safe}.jsonl")

    def streams(self) -> list[Stream]:
        return [Stream(path) for path in sorted(self.path.glob("*.jsonl"))]


def merge(folders: Iterable[RunFolder], published: Iterable[Run] = ()) -> Run:
    """Everything that the streams of one or more executions hold, as one run.

    A run that was ``published`` counts as the newest of the executions that it names.

    A cell that was planned and has no outcome is ``not-run``. A build that could not even plan
    gets a ``not-run`` for every check that another build planned, with the build's reason. Of one
    build that several executions saw, the later one counts, check by check, whatever the order of
    ``folders``. All this is said of each subject apart.
    """
    own: dict[str, Source] = {}
    executions = [(run.newest, Path(), _of_run(run)) for run in published]
    for folder in folders:
        source = folder.source
        executions.append((source, folder.path, _read(folder, source)))
    found: list[_Seen] = []
    for source, _, read in sorted(executions, key=lambda each: (each[0].id, each[1])):
        own[source.id] = source
        found += read
    streams = sorted(_joined(found), key=_stream_order)
    plans: dict[str, dict[CheckId, Planned]] = {}
    descriptions: dict[str, str] = {}
    for seen in streams:
        for check, planned in seen.plans.items():
            plans.setdefault(seen.subject_id, {}).setdefault(check, planned)
            descriptions.setdefault(planned.probe, planned.description)
    cells = tuple(cell for seen in streams for cell in _cells(seen, plans.get(seen.subject_id, {})))
    sources = own | {each.id: each for seen in streams for each in seen.sources}
    tried = {seen.own for seen in streams if seen.status is Status.BROKEN}
    saw = ({cell.seen_in for cell in cells} & sources.keys() | tried) or own.keys()
    return Run(
        schema_version=SCHEMA_VERSION,
        sources=tuple(sources[each] for each in sorted(saw)),
        builds=_builds(streams),
        subjects=_subjects(streams),
        pairs=tuple(
            Pair(
                subject=seen.subject_id,
                build=seen.build.id,
                supported=seen.supported,
                status=seen.status,
                reason=seen.reason,
            )
            for seen in streams
            if seen.subject is not None
        ),
        descriptions=descriptions,
        cells=cells,
    )


def alone(stream: Stream) -> tuple[Build, tuple[Cell, ...]]:
    """A stream with a build in it, and nothing else: the build and its cells as far as they are."""
    seen = _seen(read_contents(stream), "")
    return seen.build, tuple(_cells(seen, seen.plans))


def build_order(build: Build) -> tuple[Any, ...]:
    """A key that sorts builds by version; what never got one goes last."""
    return (*version_order(build.version_text), build.id)


def save(run: Run, path: Path) -> None:
    """Write ``run``, one build or cell a line; the same run gives the same bytes."""
    write_json(path, run)


def load(path: Path) -> Run:
    """Read a run that :func:`save` wrote.

    Raises:
        DamagedError: The file cannot be read, is no run, or is of another schema version.
    """
    run = read_json(path, Run)
    if run.schema_version != SCHEMA_VERSION:
        raise DamagedError(
            f"{path}: expected schema version {SCHEMA_VERSION}, not {run.schema_version}"
        )
    if not run.sources:
        raise DamagedError(f"{path}: expected a source at least")
    seen = {cell.build for cell in run.cells} | {pair.build for pair in run.pairs}
    if lost := seen - {build.id for build in run.builds}:
        raise DamagedError(f"{path}: expected cells of its builds alone, not of {min(lost)}")
    whose = {cell.subject for cell in run.cells} | {pair.subject for pair in run.pairs}
    if lost_subjects := whose - {BUILTIN, *(subject.id for subject in run.subjects)}:
        raise DamagedError(
            f"{path}: expected cells of its subjects alone, not of {min(lost_subjects)}"
        )
    return run


def schema() -> Any:
    """The published JSON schema of ``run.json``."""
    return json.loads(
        resources.files("compat.runs").joinpath("run.schema.json").read_text(encoding="utf-8")
    )


def _new_folder(parent: Path) -> tuple[Path, datetime]:
    """A folder of nobody else's, called by the millisecond in which it was made."""
    # Whoever cannot make this one would try for ever below.
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        began = datetime.now(timezone.utc)
        path = parent / execution_id(began)
        with suppress(FileExistsError):
            path.mkdir()
            return path, began


def execution_id(began: datetime) -> str:
    """What an execution goes by that began then, in UTC: its folder's name."""
    return f"{began:%Y-%m-%dT%H%M%S}.{began.microsecond // 1000:03}Z"


def began_at(execution: str) -> datetime:
    """The inverse of :func:`execution_id`, to the millisecond.

    Raises:
        ValueError: It is no execution's id.
    """
    if not _ID.fullmatch(execution):
        raise ValueError(f"expected an id such as 2026-11-22T050000.000Z, not {execution[:40]!r}")
    return datetime.strptime(execution, "%Y-%m-%dT%H%M%S.%fZ").replace(tzinfo=timezone.utc)


def write_json(path: Path, data: Any) -> None:
    """Write whole or not at all, one entry of the outermost lists a line.

    ``data`` are JSON values and dataclasses of such.

    See :func:`compat.runs.durable.write_text`.
    """
    write_text(path, _text(data))


def _text(data: Any) -> str:
    """JSON that a diff can show: what the outermost lists hold stands on a line each."""
    data = _opened(data)
    if not isinstance(data, Mapping):
        return _line(data) + "\n"
    return (
        "{\n" + ",\n".join(f"{_line(key)}: {_value(each)}" for key, each in data.items()) + "\n}\n"
    )


def _value(data: Any) -> str:
    data = _opened(data)
    if isinstance(data, list | tuple) and data:
        return "[\n" + ",\n".join(map(_line, data)) + "\n]"
    if isinstance(data, Mapping) and data:
        rows = (f"{_line(str(key))}: {_line(each)}" for key, each in data.items())
        return "{\n" + ",\n".join(rows) + "\n}"
    return _line(data)


def _opened(data: Any) -> Any:
    return fields_of(data) if is_dataclass(data) else data


def _line(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, default=fields_of)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What one execution, ``own``, wrote of a subject on a build.

    ``sources`` are the executions that it names; ``status`` and ``reason`` are those of the build,
    or, of a subject that is not the builtin one, of this pair.
    """

    build: Build
    subject: Subject | None
    own: str
    status: Status
    reason: str
    sources: list[Source]
    plans: Mapping[CheckId, Planned]
    cells: Mapping[CheckId, Reported]

    @property
    def subject_id(self) -> str:
        return self.subject.id if self.subject else BUILTIN

    @property
    def supported(self) -> bool:
        return self.subject is None or self.subject.supports(self.build)


def _read(folder: RunFolder, own: Source) -> Iterator[_Seen]:
    contents = (read_contents(stream) for stream in folder.streams())
    return (_seen(each, own.id) for each in contents if each.build is not None)


def _of_run(run: Run) -> Iterator[_Seen]:
    """What a run holds of each subject on each build, as its newest execution would have it."""
    cells: dict[tuple[str, BuildId], list[Cell]] = defaultdict(list)
    for cell in run.cells:
        cells[cell.subject, cell.build].append(cell)
    subjects = {subject.id: subject for subject in run.subjects}
    builds = {build.id: build for build in run.builds}
    in_pairs = {pair.build for pair in run.pairs}
    asked = [(pair.subject, pair.build, pair.status, pair.reason) for pair in run.pairs]
    asked += [
        (BUILTIN, build.id, build.status, build.reason)
        for build in run.builds
        if cells[BUILTIN, build.id] or build.id not in in_pairs
    ]
    for subject, build_id, status, reason in asked:
        planned = cells[subject, build_id]
        yield _Seen(
            build=builds[build_id],
            subject=subjects.get(subject),
            own=run.newest.id,
            status=status,
            reason=reason,
            sources=list(run.sources),
            plans={
                cell.check: Planned(
                    probe=cell.probe,
                    params=cell.params,
                    description=run.descriptions.get(cell.probe, ""),
                )
                for cell in planned
            },
            cells={
                cell.check: Reported(**{name: getattr(cell, name) for name in _OF_BOTH})
                for cell in planned
                if cell.seen_in or cell.outcome is not Outcome.NOT_RUN
            },
        )


def _stream_order(seen: _Seen) -> tuple[Any, ...]:
    """By build; of one build the builtin subject first."""
    return (*build_order(seen.build), seen.subject is not None, seen.subject_id)


def _seen(contents: Contents, source: str) -> _Seen:
    build = contents.build
    if build is None:
        raise UsageError("expected the contents of a stream with a build in it")
    if contents.environment is not None:
        said = contents.environment
        build = replace(
            build,
            version=said.version,
            git_version=said.git_version,
            triton=said.triton,
            python=said.python,
            compiler=said.compiler,
            device=said.device,
            variant=build.variant or said.version.partition("+")[2],
        )
    status, reason = Status.BROKEN, "the runner ended before the build did"
    if contents.end is not None:
        status, reason = contents.end.status, contents.end.reason
    if contents.subject is None:
        build = replace(build, status=status, reason=reason)
    cells = {
        check: replace(reported, seen_in=reported.seen_in or source)
        for check, reported in contents.cells.items()
    }
    return _Seen(
        build=build,
        subject=contents.subject,
        own=source,
        status=status,
        reason=reason,
        sources=contents.sources,
        plans=contents.plans,
        cells=cells,
    )


def _joined(streams: Iterable[_Seen]) -> list[_Seen]:
    """One for each subject and build; what a later one saw of a check replaces what is there."""
    joined: dict[tuple[str, BuildId], _Seen] = {}
    for seen in streams:
        key = (seen.subject_id, seen.build.id)
        earlier = joined.get(key)
        if earlier is None or _another_wheel(earlier.build, seen.build):
            joined[key] = seen
            continue
        cells = {
            check: reported
            for check, reported in seen.cells.items()
            if reported.outcome is not Outcome.NOT_RUN or check not in earlier.cells
        }
        said = seen if seen.plans or not earlier.plans else earlier
        joined[key] = replace(
            said,
            own=seen.own,
            sources=[*earlier.sources, *seen.sources],
            plans={**earlier.plans, **seen.plans},
            cells={**earlier.cells, **cells},
        )
    return list(joined.values())


def _another_wheel(one: Build, other: Build) -> bool:
    """Whether two builds of one name are not the same: release candidates replace one another."""
    hashes = {build.wheel.sha256 for build in (one, other) if build.wheel} - {""}
    return len(hashes) > 1


def _builds(streams: Iterable[_Seen]) -> tuple[Build, ...]:
    """Each once, as the builtin subject saw it where that was run."""
    found: dict[BuildId, Build] = {}
    for seen in streams:
        found.setdefault(seen.build.id, seen.build)
    return tuple(found.values())


def _subjects(streams: Iterable[_Seen]) -> tuple[Subject, ...]:
    found = {seen.subject.id: seen.subject for seen in streams if seen.subject is not None}
    return tuple(found[each] for each in sorted(found))


def _cells(seen: _Seen, plans: Mapping[CheckId, Planned]) -> Iterable[Cell]:
    for check, planned in plans.items():
        if seen.plans and check not in seen.plans:
            continue
        reported = seen.cells.get(check)
        if reported is None:
            reported = Reported(
                probe=planned.probe,
                params=planned.params,
                outcome=Outcome.NOT_RUN,
                reason=seen.reason,
            )
        elif reported.outcome is Outcome.NOT_RUN:
            reported = replace(reported, seen_in="")
        if reported.outcome.bad and seen.subject is not None and not seen.supported:
            reported = _unsupported(reported, seen.subject)
        said = {name: getattr(reported, name) for name in _OF_BOTH}
        yield Cell(build=seen.build.id, subject=seen.subject_id, **said)


def _unsupported(reported: Reported, subject: Subject) -> Reported:
    """A cell that ended badly in a pair that its subject does not claim to work."""
    reason = f"unsupported pair: {subject.id} requires torch{subject.requires}"
    return replace(
        reported,
        outcome=Outcome.UNSUPPORTED,
        reason=f"{reason}; {reported.outcome.value}: {reported.reason}",
        first=None,
    )
