"""Whether the environment variable that chooses a path does so, and leaves the outputs alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.matrix import Matrix, Seen
from compat.topics.settings.answers import switches
from compat.topics.settings.records import Switch


class Effect(str, Enum):
    """What switching between the paths does on a build."""

    BITWISE = "bitwise"  # it switches, and both settings give the same bits
    CLOSE = "close"  # it switches, and both settings agree with eager
    DEAD = "dead"  # it does not switch
    DIFFERS = "differs"  # it switches, and one of the settings computes something else
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Switching:
    """One dtype on one build.

    Attributes:
        max_abs: The largest difference from eager of either setting; None where it is unknown.
    """

    effect: Effect
    max_abs: float | None
    cell: CellId


@dataclass(frozen=True, kw_only=True)
class Switches:
    """By dtype, then by build: what the switch does."""

    dtypes: Mapping[str, Mapping[BuildId, Switching]]


def find(matrix: Matrix) -> Switches:
    return Switches(
        dtypes={
            dtype: {
                build.id: _switching(each)
                for build in matrix.builds
                for each in matrix.seen(Switch, build.id, dtype=dtype)
            }
            for dtype in matrix.values(Switch, "dtype")
        }
    )


def _switching(seen: Seen[Switch]) -> Switching:
    return Switching(
        effect=_effect(seen),
        max_abs=seen.record.max_abs if seen.record else None,
        cell=seen.cell.id,
    )


def _effect(seen: Seen[Switch]) -> Effect:
    record = seen.record
    if record is None or seen.cell.outcome not in {Outcome.PASS, Outcome.FAIL}:
        return Effect.UNKNOWN
    if switches(record) is False:
        return Effect.DEAD
    if seen.cell.outcome is Outcome.FAIL:
        return Effect.DIFFERS
    return Effect.BITWISE if record.bitwise else Effect.CLOSE
