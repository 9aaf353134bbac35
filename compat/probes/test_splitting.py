"""How graphs are cut into pieces, and what each piece gets."""

from __future__ import annotations

import pytest

from compat.probes.conftest import Record
from compat.probes.downstream import regions, splits
from compat.probes.downstream.trials import attempt_all, none_wrong, some
from compat.topics.reach.records import Trials


def test_pieces(device: str, record: Record) -> None:
    """split_module gives each piece what it needs, and the pieces compute what the graph computes.

    Which placeholders a piece has, in which order and of which kind, what it holds and returns is
    an answer: a downstream compiles each piece by itself, with the inputs that it derives from it.
    """
    found = attempt_all(splits.splits(device))
    record(Trials(trials=found))
    none_wrong(found)
    assert found["in_order.chain"].ended == "right", found["in_order.chain"].said


@pytest.mark.parametrize("part", ["few", pytest.param("rest", marks=pytest.mark.full)])
def test_regions(part: str, device: str, record: Record) -> None:
    """Parts that Inductor, an annotation or a partitioner cuts out compute what the graph computes.

    Inductor's own partition at a downstream's operators, wrapped as a downstream wraps it; regions
    that are marked; shapes from the context that Dynamo traces in.
    """
    found = attempt_all(some(regions.regions(device), regions.FEW, part))
    record(Trials(trials=found))
    none_wrong(found)
    assert any(each.ended == "right" for each in found.values()), "nothing is cut"
