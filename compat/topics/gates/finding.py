"""Each gate against what builds really have, and where the patch of FakeTensorMode can go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.gates.records import Capability, PatchTarget, SharedFakeMode
from compat.topics.matrix import Matrix, Seen, all_passed
from compat.topics.parity.records import Parity
from compat.topics.rests import rests_on

# By feature: the cells in which it is passed.
_PASSED: Mapping[str, tuple[type, Mapping[str, str]]] = {
    "donate_graph_module": (Parity, {"path": "donated"}),
    "aot": (Parity, {"path": "aot"}),
    "fake_mode": (SharedFakeMode, {"way": "argument"}),
}


class Verdict(str, Enum):
    """What a gate does on a build."""

    USED = "used"
    MISSED = "missed"  # there, but gated off
    BROKEN = "broken"  # gated on, but not there
    ABSENT = "absent"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, record: Capability | None) -> Verdict:
        if record is None:
            return cls.UNKNOWN
        return {
            (True, True): cls.USED,
            (False, True): cls.MISSED,
            (True, False): cls.BROKEN,
            (False, False): cls.ABSENT,
        }[record.gate, record.capability]

    @property
    def available(self) -> bool | None:
        """Whether the build has the feature; None where that is unknown."""
        return None if self is Verdict.UNKNOWN else self in {Verdict.USED, Verdict.MISSED}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One feature: what its gate says and where builds have it.

    Attributes:
        floor: The version from which on downstream's gate is open; None where it ships none.
        verdicts: By build, in the order of the run.
        cells: By build: those that say so.
        rests: What shows that a build has it.
    """

    feature: str
    floor: str | None
    source: str
    verdicts: Mapping[BuildId, Verdict]
    cells: Mapping[BuildId, tuple[CellId, ...]]
    rests: str

    def those(self, *verdicts: Verdict) -> list[BuildId]:
        """The builds with one of these verdicts."""
        return [build for build, verdict in self.verdicts.items() if verdict in verdicts]


@dataclass(frozen=True, kw_only=True)
class FakeModePatch:
    """The patch of FakeTensorMode, and the parameter that stands in for it.

    Attributes:
        argument: By build: whether ``fake_mode=`` works; None where that is unknown, or where the
            build has no such parameter.
        without_argument: The builds that have no such parameter.
        patch: By build: whether the patch works.
        missed_by_name: The builds on which a patch by the dotted name misses the module.
    """

    argument: Mapping[BuildId, bool | None]
    without_argument: tuple[BuildId, ...]
    patch: Mapping[BuildId, bool | None]
    missed_by_name: tuple[BuildId, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Gates:
    """All gates, and the patch for a feature without one; None where a run did not ask."""

    gates: tuple[Gate, ...]
    fake_mode: FakeModePatch | None


def find(matrix: Matrix) -> Gates:
    features = matrix.values(Capability, "feature")
    return Gates(
        gates=tuple(_gate(matrix, feature) for feature in features),
        fake_mode=_fake_mode(matrix),
    )


def _gate(matrix: Matrix, feature: str) -> Gate:
    seen = {build.id: matrix.seen(Capability, build.id, feature=feature) for build in matrix.builds}
    records = {
        build: next((each.record for each in found if each.record), None)
        for build, found in seen.items()
    }
    known = [record for record in records.values() if record is not None]
    return Gate(
        feature=feature,
        floor=known[0].floor if known else None,
        source=known[0].source if known else "",
        verdicts={build: Verdict.of(record) for build, record in records.items()},
        cells={build: tuple(each.cell.id for each in found) for build, found in seen.items()},
        rests=_rests(matrix, feature),
    )


def _rests(matrix: Matrix, feature: str) -> str:
    """A signature has the keyword; outputs are right where it was passed."""
    seen: list[Seen[Any]] = []
    if feature in _PASSED:
        kind, params = _PASSED[feature]
        seen = matrix.everywhere(kind, **params)
    right = [each.cell for each in seen if each.cell.outcome is Outcome.PASS]
    passed = f", and right outputs with {rests_on(right)}" if right else ""
    return f"the signature of what takes it{passed}"


def _fake_mode(matrix: Matrix) -> FakeModePatch | None:
    asked = matrix.everywhere(SharedFakeMode)
    if not asked:
        return None
    targets = matrix.everywhere(PatchTarget, way="string")
    return FakeModePatch(
        argument=_works(matrix, "argument"),
        without_argument=tuple(
            each.cell.build
            for each in matrix.everywhere(SharedFakeMode, way="argument")
            if each.cell.outcome is Outcome.UNSUPPORTED
        ),
        patch=_works(matrix, "monkeypatch"),
        missed_by_name=tuple(
            each.cell.build for each in targets if each.record and not each.record.reaches
        ),
        cells=(*(each.cell.id for each in asked), *(each.cell.id for each in targets)),
    )


def _works(matrix: Matrix, way: str) -> dict[BuildId, bool | None]:
    return {
        build.id: all_passed(matrix.seen(SharedFakeMode, build.id, way=way))
        for build in matrix.builds
    }
