"""What earlier runs saw of a build, and which of it still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from compat.runs.model import JSON, SAVED_BY, Build, Outcome, Status, Wheel, check_id, to_json
from compat.runs.retention import is_remembered
from compat.runs.store import RunFolder, read_outcomes
from compat.runs.stream import Stream

# These are tried twice, and a stream that was cut short may hold the first try alone.
_TRIED_TWICE = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.CRASH})


@dataclass(frozen=True, kw_only=True)
class Key:
    """Everything that can change how the cells of a build end, as digests.

    Attributes:
        environment: Of the wheel and all that is installed with it, Python, device, driver and
            C++ compiler. Empty where it may change unnoticed: then nothing is reused.
        plan: Of all source that decides which cells there are.
        probes: By probe: of its source and of what it imports.
        depth: How many of the probes were asked for,
        select: and the texts that chose among these; all of them if there are none.
        others: By id: the environments of the builds whose leavings this one is asked about. Empty
            where a build is asked about itself.
    """

    environment: str
    plan: str
    probes: Mapping[str, str]
    depth: str
    select: Sequence[str]
    others: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, check: Mapping[str, Any]) -> bool:
        """Whether a check, as its ``probe`` and ``params``, is among those that are asked for."""
        about = check["params"].get(SAVED_BY)
        asked = about in self.others if self.others else about is None
        name = check_id(check["probe"], check["params"])
        return asked and (not self.select or any(text in name for text in self.select))

    def same_inputs(self, written: Mapping[str, Any], check: Mapping[str, Any]) -> bool:
        """Whether a check had the same inputs under another key."""
        about, probe = check["params"].get(SAVED_BY), check["probe"]
        theirs = self.others.get(about)
        return (
            "" not in (self.environment, theirs)
            and written["environment"] == self.environment
            and written["probes"].get(probe) == self.probes.get(probe)
            and written["others"].get(about) == theirs
        )

    def selects_no_more_than(self, select: Sequence[str]) -> bool:
        """Whether ``select`` lets every check pass that this key does."""
        narrower = (any(wide in text for wide in select) for text in self.select)
        return not select or (bool(self.select) and all(narrower))


@dataclass(kw_only=True)
class Known:
    """What earlier runs saw of a build.

    Attributes:
        cells: Records that still hold, by check.
        sources: Records of the executions that saw these.
        environment: What the build said of itself, if that still holds.
        plan: The records of all cells there are; empty unless that still holds.
        outcomes: How each check ended last, whether that still holds or not.
    """

    cells: dict[str, JSON] = field(default_factory=dict)
    sources: dict[str, JSON] = field(default_factory=dict)
    environment: JSON = field(default_factory=dict)
    plan: list[JSON] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be seen."""
        return bool(self.plan) and all(
            check_id(each["probe"], each["params"]) in self.cells for each in self.plan
        )

    def write(self, stream: Stream) -> None:
        """Append what is known; of a build of which all is known also what it is."""
        stream.append("source", *self.sources.values())
        stream.append("cell", *self.cells.values())
        if self.complete:
            stream.append("environment", self.environment)
            stream.append("plan", *self.plan)


def look_up(folders: Sequence[RunFolder], name: str, key: Key) -> Known:
    """What ``folders``, oldest first, know from their streams called ``name``."""
    known = Known()
    for folder in reversed(folders):
        path = folder.path / name
        if path.exists():
            _add(known, folder, path, key)
    seen_in = {cell["seen_in"] for cell in known.cells.values()}
    known.sources = {name: known.sources[name] for name in sorted(seen_in)}
    return known


def look_up_wheel(folders: Sequence[RunFolder], build: Build, key: Key) -> tuple[Build, Known]:
    """What ``folders`` know of a build that is not installed here, so that only its wheel tells.

    The environment of ``key`` is not looked at: it counts as the one that the newest run with this
    wheel had. The build comes back with the hash that the wheel had in that run.
    """
    for folder in reversed(folders):
        stream = folder.stream(build)
        records = dict(stream.read())
        if "key" in records and _same_wheel(records["build"]["wheel"], build):
            seen = replace(key, environment=records["key"]["environment"])
            wheel = Wheel(**records["build"]["wheel"])
            return replace(build, wheel=wheel), look_up(folders, stream.path.name, seen)
    return build, Known()


def _same_wheel(written: Mapping[str, str] | None, build: Build) -> bool:
    # A nightly's hash is known only once it was downloaded; its name says the day.
    return (
        written is not None
        and build.wheel is not None
        and written["filename"] == build.wheel.filename
        and build.wheel.sha256 in {"", written["sha256"]}
    )


def _add(known: Known, folder: RunFolder, path: Path, key: Key) -> None:
    """Add what one stream holds, unless a newer one has said it already."""
    stream = Stream(path)
    records: dict[str, list[dict[str, Any]]] = {}
    for kind, data in stream.read():
        records.setdefault(kind, []).append(data)
    # One that the machine cut short is not broken, and has a reason.
    ended = any(end["status"] == Status.OK and not end["reason"] for end in records.get("end", ()))
    if "key" not in records:
        return
    # The last one knows of the other builds, if it came to that.
    written = {"others": {}, **records["key"][-1]}
    for check, outcome in read_outcomes(stream).items():
        if outcome["outcome"] == Outcome.NOT_RUN or _flaky(outcome):
            continue
        known.outcomes.setdefault(check, Outcome(outcome["outcome"]))
        if (
            key.concerns(outcome)
            and key.same_inputs(written, outcome)
            and outcome["outcome"] != Outcome.TIMEOUT
            and (ended or outcome["outcome"] not in _TRIED_TWICE)
            # It may have been taken over from run to run.
            and is_remembered(outcome.get("seen_in", folder.source.id))
        ):
            known.cells.setdefault(check, {"seen_in": folder.source.id, **outcome})
    if not key.environment or written["environment"] != key.environment:
        return
    for source in [to_json(folder.source), *records.get("source", ())]:
        known.sources.setdefault(source["id"], source)
    planned = (written["plan"], written["depth"]) == (key.plan, key.depth)
    whole = key.selects_no_more_than(written["select"]) and set(key.others) <= set(
        written["others"]
    )
    if not known.plan and planned and ended and whole:
        known.environment = records["environment"][0]
        known.plan = [plan for plan in records.get("plan", ()) if key.concerns(plan)]


def _flaky(outcome: Mapping[str, Any]) -> bool:
    first = outcome.get("first")
    return first is not None and bool(first["outcome"] != outcome["outcome"])
