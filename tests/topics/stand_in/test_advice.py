"""Which members a downstream's stand-in has to have."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.topics.stand_in.advice import advise
from compat.topics.stand_in.finding import find
from compat.topics.topic import AdviceKind
from tests.topics.cells import make_matrix
from tests.topics.stand_in.cells import needs, unknown

OLD, NEW = "2.10.0-cpu", "2.11.0-cpu"


def test_each_member() -> None:
    matrix = make_matrix(
        needs(OLD, "hints", False),
        needs(NEW, "hints", True),
        needs(OLD, "guards", False, read=False),
        needs(NEW, "guards", False),
        needs(OLD, "pruned", False),
        unknown(NEW, "pruned"),
    )
    hints, guards, pruned = advise(matrix, find(matrix), [BuildId(OLD), BuildId(NEW)])
    assert hints.kind is AdviceKind.STILL_NEEDED
    assert hints.text == "Saving or loading fails without it on 2.11.0."
    assert len(hints.cells) == 2
    assert guards.kind is AdviceKind.CAN_GO
    assert pruned.kind is AdviceKind.UNKNOWN
    assert pruned.text == "Nothing is known of 2.11.0."
