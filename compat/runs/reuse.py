"""What earlier runs saw of a build, and which of it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from compat.runs.contents import Described, Key, Planned, Reported, read_contents
from compat.runs.ids import BUILTIN, CheckId
from compat.runs.model import Build, Outcome, Source, Subject, Wheel, to_json
from compat.runs.retention import is_remembered
from compat.runs.store import RunFolder
from compat.runs.stream import Stream

# These are tried twice, and a stream that was cut short may hold the first try alone.
_TRIED_TWICE = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.CRASH})


@dataclass(kw_only=True)
class Known:
    """What earlier runs saw of a build.

    Attributes:
        cells: What still holds, by check.
        sources: By id, the executions that saw these.
        environment: What the build said of itself, if that still holds.
        subject: Whose interface was run; None for the builtin one.
        plan: All cells there are; empty unless that still holds.
        outcomes: How each check ended last, whether that still holds or not.
    """

    cells: dict[CheckId, Reported] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    environment: Described | None = None
    subject: Subject | None = None
    plan: list[Planned] = field(default_factory=list)
    outcomes: dict[CheckId, Outcome] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be seen."""
        return bool(self.plan) and all(each.check in self.cells for each in self.plan)

    def write(self, stream: Stream) -> None:
        """Append what is known; of a build of which all is known also what it is."""
        stream.append("source", *map(to_json, self.sources.values()))
        stream.append("cell", *map(to_json, self.cells.values()))
        if self.complete and self.environment is not None:
            stream.append("environment", to_json(self.environment))
            stream.append("plan", *map(to_json, self.plan))


def look_up(folders: Sequence[RunFolder], name: str, key: Key) -> Known:
    """What ``folders``, oldest first, know from their streams called ``name``."""
    known = Known()
    for folder in reversed(folders):
        path = folder.path / name
        if path.exists():
            _add(known, folder, path, key)
    seen_in = {cell.seen_in for cell in known.cells.values()}
    known.sources = {name: known.sources[name] for name in sorted(seen_in & known.sources.keys())}
    return known


def look_up_wheel(
    folders: Sequence[RunFolder], build: Build, key: Key, subject: str = BUILTIN
) -> tuple[Build, Known]:
    """What ``folders`` know of a build that is not installed here, so that only its wheel tells.

    The environment of ``key`` is not looked at: it counts as the one that the newest run with this
    wheel had. The build comes back with the hash that the wheel had in that run.
    """
    for folder in reversed(folders):
        stream = folder.stream(build.id, subject)
        contents = read_contents(stream)
        wheel = contents.build.wheel if contents.build else None
        if contents.key is not None and wheel is not None and _same_wheel(wheel, build):
            seen = replace(key, environment=contents.key.environment)
            return replace(build, wheel=wheel), look_up(folders, stream.path.name, seen)
    return build, Known()


def _same_wheel(written: Wheel, build: Build) -> bool:
    # A nightly's hash is known only once it was downloaded; its name says the day.
    return (
        build.wheel is not None
        and written.filename == build.wheel.filename
        and build.wheel.sha256 in {"", written.sha256}
    )


def _add(known: Known, folder: RunFolder, path: Path, key: Key) -> None:
    """Add what one stream holds, unless a newer one has said it already."""
    contents = read_contents(Stream(path))
    written = contents.key
    if written is None:
        return
    source = folder.source
    for check, cell in contents.cells.items():
        if cell.outcome is Outcome.NOT_RUN or cell.flaky:
            continue
        known.outcomes.setdefault(check, cell.outcome)
        if (
            key.concerns(cell)
            and key.same_inputs(written, cell)
            and cell.outcome is not Outcome.TIMEOUT
            and (contents.whole or cell.outcome not in _TRIED_TWICE)
            # It may have been taken over from run to run.
            and is_remembered(cell.seen_in or source.id)
        ):
            known.cells.setdefault(
                check, replace(cell, seen_in=cell.seen_in or source.id, spent=None)
            )
    same = (written.environment, written.subject) == (key.environment, key.subject)
    if not key.environment or not same:
        return
    for each in [source, *contents.sources]:
        known.sources.setdefault(each.id, each)
    if not known.plan and contents.whole and _planned_alike(key, written):
        known.environment = contents.environment
        known.subject = contents.subject
        known.plan = [plan for plan in contents.plans.values() if key.concerns(plan)]


def _planned_alike(key: Key, written: Key) -> bool:
    """Whether what was planned under ``written`` holds every cell that ``key`` asks for."""
    return (
        (written.plan, written.depth) == (key.plan, key.depth)
        and key.selects_no_more_than(written.select)
        and set(key.others) <= set(written.others)
    )
