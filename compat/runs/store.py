"""Runs on disk: a folder with a header and one stream per build, merged into one run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from compat.runs.durable import write_text
from compat.runs.model import (
    SCHEMA_VERSION,
    Build,
    Cell,
    Device,
    Harness,
    Host,
    Outcome,
    Run,
    Source,
    Status,
    build_from_json,
    cell_from_json,
    check_id,
    run_from_json,
    source_from_json,
    to_json,
)
from compat.runs.stream import Stream

SUBJECT = "builtin"

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

        A folder that no execution could have made is none of them, whatever lies in it.
        """
        paths = [
            header.parent
            for parent in parents
            for header in parent.glob("*/header.json")
            if _ID.fullmatch(header.parent.name)
        ]
        return [cls(path) for path in sorted(paths, key=lambda path: path.name)]

    @property
    def source(self) -> Source:
        header = (self.path / "header.json").read_text(encoding="utf-8")
        return source_from_json(json.loads(header))

    def stream(self, build: Build) -> Stream:
        name = "".join(c if c.isalnum() or c in ".+-" else "_" for c in build.id)
        return Stream(self.path / f"{name}-{build.device.kind}.jsonl")

    def streams(self) -> list[Stream]:
        return [Stream(path) for path in sorted(self.path.glob("*.jsonl"))]


def merge(folders: Iterable[RunFolder]) -> Run:
    """Everything that the streams of one or more executions hold, as one run.

    A cell that was planned and has no outcome is ``not-run``. A build that could not even plan
    gets a ``not-run`` for every check that another build planned, with the build's reason. Of one
    build on one device that several executions saw, the later folder counts, check by check.
    """
    own: dict[str, Source] = {}
    streams: list[_Read] = []
    for folder in folders:
        source = folder.source
        own[source.id] = source
        streams += [_read(stream, source.id) for stream in folder.streams()]
    streams = _joined(streams)
    descriptions: dict[str, str] = {}
    checks: dict[str, tuple[str, Mapping[str, str]]] = {}
    for stream in streams:
        for check, plan in stream.plans.items():
            descriptions.setdefault(plan["probe"], plan["description"])
            checks.setdefault(check, (plan["probe"], plan["params"]))
    streams.sort(key=lambda stream: _order(stream.build))
    cells = tuple(cell for stream in streams for cell in _cells(stream, checks))
    sources = own | {each.id: each for stream in streams for each in stream.sources}
    tried = {each.own for each in streams if each.build.status is Status.BROKEN}
    saw = ({cell.seen_in for cell in cells} & sources.keys() | tried) or own.keys()
    return Run(
        schema_version=SCHEMA_VERSION,
        sources=tuple(sources[each] for each in sorted(saw)),
        builds=tuple(stream.build for stream in streams),
        descriptions=descriptions,
        cells=cells,
    )


def save(run: Run, path: Path) -> None:
    """Write ``run`` after checking it against the schema.

    Raises:
        jsonschema.ValidationError: The run does not fit; a defect of this project.
    """
    data = json.loads(json.dumps(to_json(run)))
    _check(data)
    write_json(path, data)


def load(path: Path) -> Run:
    """Read a run that :func:`save` wrote.

    Raises:
        jsonschema.ValidationError: The file does not fit the schema.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    _check(data)
    return run_from_json(data)


def _check(data: Any) -> None:
    # Here, so that a machine that only probes needs no jsonschema.
    import jsonschema

    jsonschema.validate(data, schema())


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
    """Write whole or not at all, see :func:`compat.runs.durable.write_text`."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class _Read:
    """A stream: ``own`` is the execution that wrote it, ``sources`` those that it names."""

    build: Build
    own: str
    sources: list[Source]
    plans: Mapping[str, Mapping[str, Any]]
    outcomes: Mapping[str, Mapping[str, Any]]


def _read(stream: Stream, source: str) -> _Read:
    build: Build | None = None
    sources: list[Source] = []
    plans: dict[str, dict[str, Any]] = {}
    ended = False
    for kind, data in stream.read():
        if kind == "build":
            build = build_from_json(data)
        elif kind == "environment" and build is not None:
            local = data["version"].partition("+")[2]
            build = replace(
                build,
                **{**data, "device": Device(**data["device"])},
                variant=build.variant or local,
            )
        elif kind == "source":
            sources.append(source_from_json(data))
        elif kind == "plan":
            plans[check_id(data["probe"], data["params"])] = data
        elif kind == "end" and build is not None:
            ended = True
            build = replace(build, status=Status(data["status"]), reason=data["reason"])
    if build is None:
        raise ValueError(f"{stream.path}: no build in it")
    if not ended:
        build = replace(build, status=Status.BROKEN, reason="the runner ended before the build did")
    outcomes = {
        check: {"seen_in": source, **outcome} for check, outcome in read_outcomes(stream).items()
    }
    return _Read(build, source, sources, plans, outcomes)


def _joined(streams: Iterable[_Read]) -> list[_Read]:
    """One for each build and device; what a later one saw of a check replaces what is there."""
    joined: dict[tuple[str, str], _Read] = {}
    for stream in streams:
        name = (stream.build.id, stream.build.device.kind)
        earlier = joined.get(name)
        if earlier is None or _another_wheel(earlier.build, stream.build):
            joined[name] = stream
            continue
        saw = {
            check: outcome
            for check, outcome in stream.outcomes.items()
            if outcome["outcome"] != Outcome.NOT_RUN or check not in earlier.outcomes
        }
        joined[name] = _Read(
            stream.build if stream.plans or not earlier.plans else earlier.build,
            stream.own,
            [*earlier.sources, *stream.sources],
            {**earlier.plans, **stream.plans},
            {**earlier.outcomes, **saw},
        )
    return list(joined.values())


def _another_wheel(one: Build, other: Build) -> bool:
    """Whether two builds of one name are not the same: release candidates replace one another."""
    hashes = {build.wheel.sha256 for build in (one, other) if build.wheel} - {""}
    return len(hashes) > 1


def read_outcomes(stream: Stream) -> dict[str, dict[str, Any]]:
    """The cells of a stream by check; one that was tried twice has its ``first`` outcome too."""
    outcomes: dict[str, dict[str, Any]] = {}
    for kind, data in stream.read():
        if kind != "cell":
            continue
        check = check_id(data["probe"], data["params"])
        earlier = outcomes.get(check)
        outcomes[check] = data
        if earlier is not None and earlier["outcome"] != Outcome.NOT_RUN:
            texts = {name: earlier.get(name, "") for name in ("reason", "signature", "message")}
            outcomes[check] = {**data, "first": {"outcome": earlier["outcome"], **texts}}
    return outcomes


def _cells(stream: _Read, checks: Mapping[str, tuple[str, Mapping[str, str]]]) -> Iterable[Cell]:
    for check, (probe, params) in checks.items():
        if stream.plans and check not in stream.plans:
            continue
        outcome = stream.outcomes.get(check)
        if outcome is None:
            outcome = {"outcome": Outcome.NOT_RUN, "reason": stream.build.reason}
        elif outcome["outcome"] == Outcome.NOT_RUN:
            outcome = {**outcome, "seen_in": ""}
        yield cell_from_json(
            {
                **outcome,
                "subject": SUBJECT,
                "build": stream.build.id,
                "device": stream.build.device.kind,
                "probe": probe,
                "params": params,
            }
        )


def _order(build: Build) -> tuple[bool, Version, str, str]:
    """By version; what never got one goes last."""
    try:
        version = Version(build.version or build.id)
    except InvalidVersion:
        return (True, Version("0"), build.id, build.device.kind)
    return (False, version, build.id, build.device.kind)
