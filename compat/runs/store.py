"""Runs on disk: a folder with a header and one stream per build, merged into one run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
from packaging.version import InvalidVersion, Version

from compat.runs.model import (
    SCHEMA_VERSION,
    Build,
    Cell,
    Device,
    Harness,
    Host,
    Outcome,
    Run,
    Status,
    build_from_json,
    check_id,
    run_from_json,
    to_json,
)
from compat.runs.stream import Stream

SUBJECT = "builtin"


def now() -> str:
    """The time in UTC, ISO 8601, whole seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class RunFolder:
    """A folder that one matrix execution writes into."""

    path: Path

    @classmethod
    def create(cls, parent: Path, harness: Harness, host: Host) -> RunFolder:
        started = now()
        path = parent / started.replace(":", "").replace("+0000", "Z")
        path.mkdir(parents=True)
        header = {"started": started, "harness": to_json(harness), "host": to_json(host)}
        write_json(path / "header.json", header)
        return cls(path)

    @classmethod
    def latest(cls, parent: Path) -> RunFolder | None:
        """The newest run below ``parent``; their names sort by time."""
        folders = sorted(parent.glob("*/header.json"))
        return cls(folders[-1].parent) if folders else None

    def stream(self, build: Build) -> Stream:
        name = "".join(c if c.isalnum() or c in ".+-" else "_" for c in build.id)
        return Stream(self.path / f"{name}-{build.device.kind}.jsonl")


def merge(folders: Iterable[RunFolder]) -> Run:
    """Everything that the streams of one or more runs hold, as one run.

    A cell that was planned and has no outcome is ``not-run``. A build that could not even plan
    gets a ``not-run`` for every check that another build planned, with the build's reason.
    """
    folders = list(folders)
    headers = [json.loads((folder.path / "header.json").read_text()) for folder in folders]
    streams = [
        _read(Stream(path)) for folder in folders for path in sorted(folder.path.glob("*.jsonl"))
    ]
    descriptions: dict[str, str] = {}
    checks: dict[str, tuple[str, Mapping[str, str]]] = {}
    for stream in streams:
        for plan in stream.plans:
            descriptions.setdefault(plan["probe"], plan["description"])
            checks.setdefault(
                check_id(plan["probe"], plan["params"]), (plan["probe"], plan["params"])
            )
    streams.sort(key=lambda stream: _order(stream.build))
    return Run(
        schema_version=SCHEMA_VERSION,
        started=min(header["started"] for header in headers),
        finished=max([stream.finished for stream in streams] + [headers[0]["started"]]),
        harness=Harness(**headers[0]["harness"]),
        host=Host(**headers[0]["host"]),
        builds=tuple(stream.build for stream in streams),
        descriptions=descriptions,
        cells=tuple(cell for stream in streams for cell in _cells(stream, checks)),
    )


def save(run: Run, path: Path) -> None:
    """Write ``run`` after checking it against the schema.

    Raises:
        jsonschema.ValidationError: The run does not fit; a defect of this project.
    """
    data = json.loads(json.dumps(to_json(run)))
    jsonschema.validate(data, schema())
    write_json(path, data)


def load(path: Path) -> Run:
    """Read a run that :func:`save` wrote.

    Raises:
        jsonschema.ValidationError: The file does not fit the schema.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(data, schema())
    return run_from_json(data)


def schema() -> Any:
    """The published JSON schema of ``run.json``."""
    return json.loads(resources.files("compat.runs").joinpath("run.schema.json").read_text())


def write_json(path: Path, data: Any) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


@dataclass(frozen=True)
class _Read:
    build: Build
    plans: list[dict[str, Any]]
    outcomes: dict[str, dict[str, Any]]
    finished: str


def _read(stream: Stream) -> _Read:
    build: Build | None = None
    plans: list[dict[str, Any]] = []
    outcomes: dict[str, dict[str, Any]] = {}
    finished = ""
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
        elif kind == "plan":
            plans.append(data)
        elif kind == "cell":
            outcomes[check_id(data["probe"], data["params"])] = data
        elif kind == "end" and build is not None:
            ended = True
            finished = data["finished"]
            build = replace(
                build,
                status=Status(data["status"]),
                reason=data["reason"],
                seconds=data.get("seconds", {}),
            )
    if build is None:
        raise ValueError(f"{stream.path}: no build in it")
    if not ended:
        build = replace(build, status=Status.BROKEN, reason="the runner ended before the build did")
    return _Read(build, plans, outcomes, finished)


def _cells(stream: _Read, checks: Mapping[str, tuple[str, Mapping[str, str]]]) -> Iterable[Cell]:
    planned = {check_id(plan["probe"], plan["params"]) for plan in stream.plans}
    for check, (probe, params) in checks.items():
        if planned and check not in planned:
            continue
        outcome = stream.outcomes.get(check)
        if outcome is None:
            outcome = {"outcome": Outcome.NOT_RUN, "reason": stream.build.reason}
        yield Cell(
            **{
                **outcome,
                "subject": SUBJECT,
                "build": stream.build.id,
                "device": stream.build.device.kind,
                "probe": probe,
                "params": params,
                "outcome": Outcome(outcome["outcome"]),
            }
        )


def _order(build: Build) -> tuple[bool, Version, str, str]:
    """By version; what never got one goes last."""
    try:
        version = Version(build.version or build.id)
    except InvalidVersion:
        return (True, Version("0"), build.id, build.device.kind)
    return (False, version, build.id, build.device.kind)
