"""A row of the upgrade table: where torch has a feature, or where a workaround is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from compat.document.parts import Text
from compat.runs.ids import BUILTIN, BuildId, CellId


class Says(str, Enum):
    """What a row says of one build."""

    THERE = "there"
    NOT_THERE = "not"
    NEEDED = "needed"
    NOT_NEEDED = "not needed"
    UNKNOWN = "unknown"

    @property
    def frees(self) -> bool:
        """Whether a downstream that supports this build alone can delete the gate or workaround."""
        return self in {Says.THERE, Says.NOT_NEEDED}


class Kind(str, Enum):
    """What a downstream keeps in its source because builds differ."""

    GATE = "gate"
    FEATURE = "feature"  # downstream has no gate for it and never uses it
    WORKAROUND = "workaround"


@dataclass(frozen=True, kw_only=True)
class UpgradeRow:
    """One gate or workaround over builds.

    Attributes:
        name: What a reader looks for: a keyword, or the workaround in a few words.
        says: By build; what is missing is unknown.
        ships: By subject: what its source does, such as ``from 2.13.0.dev on``; the builtin
            subject stands for the rule that vLLM ships.
        cells: By build: those that say so.
        about: What the name leaves out; empty where that is nothing.
        rests: The models, dtypes and inputs that it was asked with.
        cost: What a downstream gives up, or has to do, when it deletes it; empty if nothing.
    """

    kind: Kind
    name: Text
    says: Mapping[BuildId, Says]
    ships: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[BuildId, tuple[CellId, ...]]
    about: str = ""
    rests: str = ""
    cost: str = ""

    def on(self, build: BuildId) -> Says:
        return self.says.get(build, Says.UNKNOWN)

    def shipped_by(self, subject: str) -> str:
        """What a subject ships; what is known of vLLM's rule where it was not watched."""
        return self.ships.get(subject) or self.ships.get(BUILTIN, "")


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """From which build on a gate or workaround can be deleted.

    Attributes:
        build: The oldest one of those that free it, none of them followed by one that does not;
            None where there is no such build.
        after: The newest build before it of which the opposite is known; None where there is none.
        unknown: Builds after it of which nothing is known.
    """

    build: BuildId | None
    after: BuildId | None
    unknown: tuple[BuildId, ...]


def minimum(row: UpgradeRow, line: Sequence[BuildId]) -> Minimum:
    """For a downstream whose oldest build is to be as old as it can; ``line`` is oldest first."""
    held = [build for build in line if row.on(build) is not Says.UNKNOWN]
    after = next((build for build in reversed(held) if not row.on(build).frees), None)
    start = line.index(after) + 1 if after is not None else 0
    free = next((build for build in line[start:] if row.on(build).frees), None)
    rest = line[line.index(free) :] if free is not None else line[start:]
    unknown = tuple(build for build in rest if row.on(build) is Says.UNKNOWN)
    return Minimum(build=free, after=after, unknown=unknown)
